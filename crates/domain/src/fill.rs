//! Fills and what the venue charges for them.

use crate::{ClientOrderId, Currency, InstrumentId, Money, Price, Quantity, Side, TradeId};
use serde::{Deserialize, Serialize};

/// Who rested on the book and who crossed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Liquidity {
    /// Rested.
    Maker,
    /// Crossed.
    Taker,
}

/// One execution of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Whose order.
    pub client_id: ClientOrderId,
    /// Of what.
    pub instrument: InstrumentId,
    /// The venue's name of it; a fill is booked once per (instrument, trade id), for ever.
    pub trade_id: TradeId,
    /// Which way.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much, positive.
    pub quantity: Quantity,
    /// Who crossed.
    pub liquidity: Liquidity,
    /// What was charged.
    pub fee: Fee,
}

/// What the venue charged, positive, or paid, negative; in whichever asset it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fee(pub Money);

/// Which asset a venue takes its fee in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeeAsset {
    /// The currency that the price is counted in (settlement currency for contracts).
    #[default]
    Quote,
    /// What the fill received: base for a buy, quote for a sell, as on Binance spot.
    Received,
}

/// Fee rates of an instrument, in hundredths of a basis point (10 bps = 1,000).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeSchedule {
    /// For resting orders; negative is a rebate.
    pub maker_centi_bps: i32,
    /// For crossing orders.
    pub taker_centi_bps: i32,
    /// Which asset it is taken in.
    pub asset: FeeAsset,
}

impl FeeSchedule {
    /// Rates in whole basis points, taken in the quote currency.
    #[must_use]
    pub const fn bps(maker: i32, taker: i32) -> Self {
        Self { maker_centi_bps: maker * 100, taker_centi_bps: taker * 100, asset: FeeAsset::Quote }
    }

    /// The rate for `liquidity`, in hundredths of a basis point.
    #[must_use]
    pub const fn rate(&self, liquidity: Liquidity) -> i32 {
        match liquidity {
            Liquidity::Maker => self.maker_centi_bps,
            Liquidity::Taker => self.taker_centi_bps,
        }
    }

    /// The fee on `amount` units of `currency`, rounded half to even at the ledger's scale.
    #[must_use]
    pub fn on(&self, amount: i128, currency: Currency, liquidity: Liquidity) -> Fee {
        let units = crate::round_div(amount * i128::from(self.rate(liquidity)), 1_000_000);
        Fee(Money { currency, units })
    }
}
