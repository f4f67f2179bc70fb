//! What trading cost, and how much of the market it was.

use tradewind_book::FillPolicy;
use tradewind_domain::{Bar, FeeAsset, Fill, Instrument, Liquidity, Money, Price, Quantity, pow10, round_div};
use tradewind_quant::activity::Participation;

/// Bars that are remembered for the capacity estimate; beyond that every second one goes, again and again.
const SHARES_KEPT: usize = 65_536;

/// Costs by kind, in ledger units of the settlement currency, and our share of the bars traded in.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Fees, those of settlement included; one taken in the asset is counted at its fill's price. Rebates are negative.
    pub fees: i128,
    /// Of these, what the settlement of contracts at their end cost; `None` where none was settled.
    pub settlement: Option<i128>,
    /// What taking fills paid for half the spread: that part of their notional at the price that the market showed.
    pub spread: i128,
    /// What they paid beyond that price and the spread, for slippage and rounding to the tick.
    pub slippage: i128,
    /// What they paid beyond all that, for the impact of their own size.
    pub impact: i128,
    /// Executions that crossed.
    pub takers: u64,
    /// Executions that rested.
    pub makers: u64,
    /// Notional of all executions, unsigned.
    pub notional: i128,
    /// Orders that ended by time.
    pub expired: u64,
    shares: Vec<Participation>,
    stride: u64,
    traded_bars: u64,
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            fees: 0,
            settlement: None,
            spread: 0,
            slippage: 0,
            impact: 0,
            takers: 0,
            makers: 0,
            notional: 0,
            expired: 0,
            shares: Vec::new(),
            stride: 1,
            traded_bars: 0,
        }
    }
}

impl Costs {
    /// Takes in an execution: its fee and its notional.
    pub(crate) fn fill(&mut self, instrument: &Instrument, fill: &Fill) {
        self.fees += settlement_units(instrument, fill.fee.0, fill.price);
        self.notional += instrument.notional(fill.price, fill.quantity).map_or(0, |money| money.units);
        match fill.liquidity {
            Liquidity::Maker => self.makers += 1,
            Liquidity::Taker => self.takers += 1,
        }
    }

    /// Itemises what an execution under `policy` paid beyond `basis`, the price that the market showed: half the spread as
    /// far as that was paid, then slippage and rounding, then the impact of its size. They sum to it to the last unit.
    pub(crate) fn frictions(&mut self, instrument: &Instrument, fill: &Fill, basis: Price, policy: &FillPolicy) {
        if fill.liquidity == Liquidity::Maker || basis == fill.price {
            return;
        }
        let signed = fill.side.signed(fill.quantity);
        let value = |price| instrument.value(price, signed).unwrap_or(0);
        let worse = |price| instrument.value_units(value(price) - value(basis)).unwrap_or(0);
        let paid = worse(fill.price);
        let without_impact = worse(policy.without_impact(instrument, fill.side, basis, fill.price));
        let half = instrument.notional(basis, fill.quantity).map_or(0, |it| it.units.abs());
        let half = half.saturating_mul(policy.half_spread_centi_bps.into());
        // a limit or the last tick may keep us from paying all of it
        let spread = round_div(half, 1_000_000).min(without_impact);
        self.spread += spread;
        self.slippage += without_impact - spread;
        self.impact += paid - without_impact;
    }

    /// Takes in the settlement of a contract that was held.
    pub(crate) fn settle(&mut self, fee: i128) {
        self.fees += fee;
        *self.settlement.get_or_insert(0) += fee;
    }

    /// Takes in a bar in which `traded` units of notional were ours.
    pub(crate) fn share(&mut self, instrument: &Instrument, bar: &Bar, traded: i128) {
        self.traded_bars += 1;
        if !(self.traded_bars - 1).is_multiple_of(self.stride) {
            return;
        }
        let market = instrument.notional(bar.close, bar.volume).map_or(0.0, |money| money.to_f64());
        let currency = instrument.settlement();
        let traded_notional = Money { currency, units: traded }.to_f64();
        self.shares.push(Participation { traded_notional, market_notional: market });
        if self.shares.len() == SHARES_KEPT {
            let mut place = 0_usize;
            self.shares.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// Our share of the bars traded in: of all of them, or of every [`Self::stride`]th.
    #[must_use]
    pub fn shares(&self) -> &[Participation] {
        &self.shares
    }

    /// Of how many bars traded in one is kept in [`Self::shares`]; 1 up to 65,536 of them.
    #[must_use]
    pub const fn stride(&self) -> u64 {
        self.stride
    }
}

/// A fee in the settlement currency; one taken in the asset counts at `price`, rounded once.
pub(crate) fn settlement_units(instrument: &Instrument, fee: Money, price: Price) -> i128 {
    if fee.currency == instrument.settlement() {
        return fee.units;
    }
    round_div(fee.units * i128::from(price.mantissa()), pow10(u32::from(instrument.spec.price_decimals)))
}

/// What `held` is worth at `price` in the settlement currency, unsigned: none for what a fee taken in the asset leaves,
/// which no order can sell.
#[inline]
pub(crate) fn exposure(instrument: &Instrument, held: Quantity, price: Price) -> f64 {
    let is_left_over = || instrument.spec.fees.asset == FeeAsset::Received && instrument.is_dust(held, Some(price));
    if held.is_zero() || is_left_over() {
        return 0.0;
    }
    instrument.exposure_f64(instrument.price_f64(price), instrument.quantity_f64(held)).abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{FeeSchedule, InstrumentId, InstrumentSpec};

    #[test]
    fn what_a_fee_leaves_below_the_smallest_order_is_no_exposure() {
        let mut spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test");
        spec.fees = FeeSchedule { asset: FeeAsset::Received, ..FeeSchedule::bps(10, 10) };
        (spec.lot, spec.min_quantity) = (Quantity::from_mantissa(1_000), Quantity::from_mantissa(1_000));
        spec.min_notional.units = 500_000_000; // 5 USDT
        let mut it = spec.list(InstrumentId(0)).unwrap();
        let price = it.price("50000").unwrap();
        let worth = |it: &Instrument, held: &str| format!("{:.2}", exposure(it, it.quantity(held).unwrap(), price));
        for (held, shown) in [("0", "0.00"), ("0.00000999", "0.00"), ("0.00009", "0.00"), ("-0.5", "25000.00")] {
            assert_eq!(worth(&it, held), shown, "{held}");
        }
        it.spec.fees.asset = FeeAsset::Quote;
        assert_eq!(worth(&it, "0.00000999"), "0.50", "no fee left that behind");
    }
}
