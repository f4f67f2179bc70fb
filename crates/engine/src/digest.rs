//! The trade hash: one number for a run's executions, equal exactly when the executions are.

use sha2::{Digest, Sha256};
use tradewind_domain::{Fill, Instrument, Timestamp};

/// SHA-256 over one line per execution, in order: milliseconds, symbol, side, quantity, price, fee, liquidity.
///
/// Names of orders and trades stay out of it, so a backtest and a paper run over the wire can be equal.
#[derive(Clone, Debug, Default)]
pub struct TradeDigest {
    hasher: Sha256,
    fills: u64,
}

impl TradeDigest {
    /// Takes in the next execution.
    pub fn add(&mut self, instrument: &Instrument, fill: &Fill, at: Timestamp) {
        self.fills += 1;
        self.hasher.update(Self::line(instrument, fill, at));
        self.hasher.update(b"\n");
    }

    /// The line of one execution, for people who look for the first difference.
    #[must_use]
    pub fn line(instrument: &Instrument, fill: &Fill, at: Timestamp) -> String {
        let side = if fill.side == tradewind_domain::Side::Buy { "buy" } else { "sell" };
        let liquidity = if fill.liquidity == tradewind_domain::Liquidity::Maker { "maker" } else { "taker" };
        format!(
            "{} {} {side} {} {} {} {liquidity}",
            at.millis(),
            instrument.spec.symbol,
            instrument.quantity_text(fill.quantity),
            instrument.price_text(fill.price),
            fill.fee.0,
        )
    }

    /// How many executions were taken in.
    #[must_use]
    pub const fn fills(&self) -> u64 {
        self.fills
    }

    /// The hash so far, in hex.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.hasher.clone().finalize())
    }
}
