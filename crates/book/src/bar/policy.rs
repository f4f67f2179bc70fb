//! What a backtest assumes about its fills, in numbers and in words.

use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, Price, Quantity, Side};

/// How far our own size moves the price against us, by its share of the bar's volume.
///
/// Coefficients are hundredths of a basis point at a share of 100 %; they hold the volatility of the bar in them.
/// A bar without volume counts as a share of 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "model", deny_unknown_fields)]
pub enum Impact {
    /// None at all.
    #[default]
    None,
    /// `coefficient × share`.
    ///
    /// Source: R. Almgren, N. Chriss, "Optimal execution of portfolio transactions", Journal of Risk, 2001
    /// (linear temporary impact).
    Linear {
        /// At a share of 100 %, in hundredths of a basis point.
        coefficient_centi_bps: u32,
    },
    /// `coefficient × √share`.
    ///
    /// Source: the square-root law, B. Tóth et al., "Anomalous price impact and the critical nature of liquidity in
    /// financial markets", Physical Review X, 2011; R. Almgren, C. Thum, E. Hauptmann, H. Li, "Direct estimation of
    /// equity market impact", Risk, 2005, measure an exponent of 3/5, so the root errs on the dear side below 100 %.
    SquareRoot {
        /// At a share of 100 %, in hundredths of a basis point.
        coefficient_centi_bps: u32,
    },
}

/// What is assumed about fills on bars, besides the fixed rules of [`crate::bar`].
///
/// The default assumes no friction: unlimited size, no spread, no slippage, no impact, a limit fills when it is touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct FillPolicy {
    /// The part of a bar's volume that all fills of that bar may take, in basis points; `None` for no cap.
    pub volume_share_bps: Option<u32>,
    /// Half the spread, added to the price of every taking fill, against us, in hundredths of a basis point: bars of trades
    /// show no quotes, and the one that a taker meets lies so far beyond the price.
    pub half_spread_centi_bps: u32,
    /// Added to the price of every taking fill beyond that, against us, in hundredths of a basis point.
    pub slippage_centi_bps: u32,
    /// Added to the price of every taking fill, against us, by its size.
    pub impact: Impact,
    /// Whether a limit needs a trade beyond it; otherwise a touch fills it.
    pub limit_needs_trade_through: bool,
}

impl FillPolicy {
    /// What is assumed where nobody says otherwise: taking fills slip by 2 basis points, there is neither spread nor impact,
    /// and all fills of a bar take at most 10 % of its volume, where volumes are known.
    #[must_use]
    pub const fn assumed(has_volume: bool) -> Self {
        Self {
            volume_share_bps: if has_volume { Some(1_000) } else { None },
            half_spread_centi_bps: 0,
            slippage_centi_bps: 200,
            impact: Impact::None,
            limit_needs_trade_through: false,
        }
    }

    /// What `volume` lets one bar's fills take, in whole lots.
    #[must_use]
    pub fn budget(&self, instrument: &Instrument, volume: Quantity) -> Quantity {
        let Some(share) = self.volume_share_bps else { return Quantity::from_mantissa(i64::MAX) };
        let part = i128::from(volume.mantissa().max(0)) * i128::from(share) / 10_000;
        instrument.whole_lots(Quantity::from_mantissa(i64::try_from(part).unwrap_or(i64::MAX)))
    }

    /// What half the spread, slippage and impact come to for a taking fill of `quantity` out of `volume`, in hundredths of
    /// a basis point, rounded up.
    #[must_use]
    pub fn friction_centi_bps(&self, quantity: Quantity, volume: Quantity) -> u64 {
        let (taken, whole) = match volume.mantissa() {
            ..=0 => (1, 1),
            volume => (u128::from(quantity.mantissa().unsigned_abs()), u128::from(volume.unsigned_abs())),
        };
        let impact = match self.impact {
            Impact::None => 0,
            Impact::Linear { coefficient_centi_bps } => (u128::from(coefficient_centi_bps) * taken).div_ceil(whole),
            Impact::SquareRoot { coefficient_centi_bps } => {
                root_up((u128::from(coefficient_centi_bps).pow(2) * taken).div_ceil(whole))
            }
        };
        u64::try_from(impact).unwrap_or(u64::MAX).saturating_add(self.centi_bps_of_any_size())
    }

    /// What a taking fill pays however small it is: half the spread, and slippage.
    fn centi_bps_of_any_size(&self) -> u64 {
        u64::from(self.half_spread_centi_bps) + u64::from(self.slippage_centi_bps)
    }

    /// The price that a taking fill at `price` would have had without impact, where the market showed `basis`: half the
    /// spread and slippage alone, rounded to the tick, and no worse than `price`.
    #[must_use]
    pub fn without_impact(&self, instrument: &Instrument, side: Side, basis: Price, price: Price) -> Price {
        let slipped = Self::worsened(instrument, basis, side == Side::Buy, self.centi_bps_of_any_size());
        match side {
            Side::Buy => slipped.min(price),
            Side::Sell => slipped.max(price),
        }
    }

    /// The policy as sentences, for the report.
    #[must_use]
    pub fn describe(&self) -> String {
        let size = match self.volume_share_bps {
            None => "size is not limited by the bar's volume".to_owned(),
            Some(share) => format!("all fills of a bar take at most {} % of its volume", hundredths(share.into())),
        };
        let spread = match self.half_spread_centi_bps {
            0 => String::new(),
            centi => format!("taking fills pay {} bps for half the spread; ", hundredths(centi.into())),
        };
        let slippage = match self.slippage_centi_bps {
            0 => "no slippage".to_owned(),
            centi => format!("taking fills slip {} bps against us", hundredths(centi.into())),
        };
        let impact = match self.impact {
            Impact::None => "no market impact".to_owned(),
            Impact::Linear { coefficient_centi_bps: centi } => {
                format!(
                    "market impact {} bps x share of the bar's volume (Almgren, Chriss 2001)",
                    hundredths(centi.into())
                )
            }
            Impact::SquareRoot { coefficient_centi_bps: centi } => {
                let bps = hundredths(centi.into());
                format!("market impact {bps} bps x square root of the share of the bar's volume (Toth et al. 2011)")
            }
        };
        let limit = if self.limit_needs_trade_through { "trades beyond" } else { "touches" };
        format!(
            "Decided on the close, filled at the next open; gaps fill at the open. A limit fills when the market \
             {limit} it. Stop and target in one bar: the worse first, and the stop of an entry at the open stands in that \
             bar, that of an entry inside a bar from the next on. {}; {spread}{slippage}; {impact}. Prices are \
             rounded to the tick against us and may leave the bar's range.",
            sentence(&size)
        )
    }

    /// `price` as a taker gets it: worse by `friction`, on the tick, a sale never below one tick.
    pub(crate) fn worsened(instrument: &Instrument, price: Price, buy: bool, friction_centi_bps: u64) -> Price {
        let move_by =
            (u128::from(price.mantissa().unsigned_abs()) * u128::from(friction_centi_bps)).div_ceil(1_000_000);
        let move_by = i64::try_from(move_by).unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
        if buy {
            return instrument.tick_up(Price::from_mantissa(price.mantissa().saturating_add(move_by)));
        }
        let sold = instrument.tick_down(Price::from_mantissa(price.mantissa().saturating_sub(move_by)));
        if price.mantissa() > 0 { sold.max(instrument.spec.tick.min(price)) } else { sold }
    }
}

/// The smallest whole number whose square is not below `value`.
fn root_up(value: u128) -> u128 {
    let root = value.isqrt();
    if root * root == value { root } else { root + 1 }
}

fn hundredths(value: u64) -> String {
    let text = format!("{}.{:02}", value / 100, value % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn sentence(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}
