//! The trade hash: one number for a run's executions, equal exactly when the executions are.

use sha2::{Digest, Sha256};
use tradewind_domain::{Fill, Instrument, InstrumentId, LEDGER_DECIMALS, Liquidity, Side, Timestamp, push_decimal};

/// SHA-256 over one line per execution, in order: milliseconds, symbol, side, quantity, price, fee, liquidity.
///
/// Names of orders and trades stay out of it, so a backtest and a paper run over the wire can be equal.
#[derive(Clone, Debug, Default)]
pub struct TradeDigest {
    hasher: Sha256,
    fills: u64,
    line: Vec<u8>,
    symbol: Option<(InstrumentId, String)>,
}

impl TradeDigest {
    /// Takes in the next execution.
    pub fn add(&mut self, instrument: &Instrument, fill: &Fill, at: Timestamp) {
        self.fills += 1;
        let symbol = match &self.symbol {
            Some((id, symbol)) if *id == instrument.id => symbol,
            _ => &self.symbol.insert((instrument.id, instrument.spec.symbol.to_string())).1,
        };
        self.line.clear();
        write(&mut self.line, symbol, instrument, fill, at);
        self.line.push(b'\n');
        self.hasher.update(&self.line);
    }

    /// The line of one execution, for people who look for the first difference.
    #[must_use]
    pub fn line(instrument: &Instrument, fill: &Fill, at: Timestamp) -> String {
        let mut line = Vec::new();
        write(&mut line, &instrument.spec.symbol.to_string(), instrument, fill, at);
        String::from_utf8_lossy(&line).into_owned()
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

fn write(line: &mut Vec<u8>, symbol: &str, instrument: &Instrument, fill: &Fill, at: Timestamp) {
    let (spec, fee) = (&instrument.spec, fill.fee.0);
    push_decimal(line, at.millis().into(), 0);
    for text in [" ", symbol, if fill.side == Side::Buy { " buy " } else { " sell " }] {
        line.extend_from_slice(text.as_bytes());
    }
    push_decimal(line, fill.quantity.mantissa().into(), spec.quantity_decimals);
    line.push(b' ');
    push_decimal(line, fill.price.mantissa().into(), spec.price_decimals);
    line.push(b' ');
    push_decimal(line, fee.units, LEDGER_DECIMALS);
    let liquidity = if fill.liquidity == Liquidity::Maker { " maker" } else { " taker" };
    for text in [" ", fee.currency.code(), liquidity] {
        line.extend_from_slice(text.as_bytes());
    }
}
