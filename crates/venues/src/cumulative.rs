//! Executions of a venue that numbers none: told is only how much of an order was executed so far, at which value.
//!
//! Nothing is remembered here. What was booked stands in the order's own record, so that after a reconnect, a restart or
//! a report told twice the difference is the same, and has the same name.

use sha2::{Digest as _, Sha256};
use tradewind_domain::{Fee, Fill, Liquidity, Money, OrderRecord, Price, Quantity, TradeId, VenueOrderId, round_div};

/// How an order stands by a venue that counts and does not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cumulative {
    /// The venue's name of the order.
    pub venue_id: VenueOrderId,
    /// All that was executed so far.
    pub quantity: Quantity,
    /// What all of it came to: the sum of price mantissa × quantity mantissa.
    pub value: i128,
    /// All that was charged for it so far.
    pub fees: Money,
    /// Whether the newest execution rested or crossed, as far as the venue says.
    pub liquidity: Liquidity,
}

/// The execution that leads from what is booked on `record` to what is `told`; `None` for what is no news: the same
/// again, or older than what is booked.
///
/// `charged` is what was booked in fees of this order so far, in ledger units of the same currency. The price is what
/// the difference came to per unit, rounded half to even to the instrument's decimals; what rounding leaves over is
/// made up for by the next execution, so the sum is never off by more than half a price unit of the last part.
/// The name is a hash of the order and of both ends of the difference.
#[must_use]
pub fn execution(record: &OrderRecord, told: &Cumulative, charged: i128) -> Option<Fill> {
    let quantity = told.quantity - record.filled;
    if quantity <= Quantity::ZERO {
        return None;
    }
    let mantissa = round_div(told.value - record.cost, i128::from(quantity.mantissa()));
    Some(Fill {
        client_id: record.order.client_id(),
        instrument: record.order.instrument(),
        trade_id: name(&told.venue_id, record.filled, told.quantity),
        side: record.order.side(),
        price: Price::from_mantissa(i64::try_from(mantissa).ok()?),
        quantity,
        liquidity: told.liquidity,
        fee: Fee(Money { currency: told.fees.currency, units: told.fees.units - charged }),
    })
}

/// A name for an execution that its venue gave none: the same for the same part of the same order, for ever.
///
/// 128 bits of SHA-256, with the highest bit set so that it never meets a number that a venue counts.
#[must_use]
pub fn name(venue_id: &VenueOrderId, from: Quantity, to: Quantity) -> TradeId {
    let mut hasher = Sha256::new();
    hasher.update((venue_id.0.len() as u64).to_le_bytes());
    hasher.update(venue_id.0.as_bytes());
    hasher.update(from.mantissa().to_le_bytes());
    hasher.update(to.mantissa().to_le_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let (first, _) = digest.split_first_chunk::<16>().expect("a digest has 32 bytes");
    TradeId(u128::from_be_bytes(*first) | 1 << 127)
}
