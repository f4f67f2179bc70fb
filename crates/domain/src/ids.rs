//! Names of things: small numbers inside, text at the edges.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The position of an event in its journal, counted from 1.
pub type Sequence = u64;

/// An instrument of this risk domain: its place in the order of listing, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// The place in a list by listing.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A portfolio of this risk domain, counted from 0: who owns an order and its fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortfolioId(pub u16);

impl PortfolioId {
    /// The place in a list by opening.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An account at a venue, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub u16);

/// One cancels the other: orders of one portfolio that share a group live until one of them fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OcoGroup(pub u64);

/// One run of the process: random at start, journalled, so that a restored backup cannot repeat an id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u64);

/// Our name of an order for its whole life: 128 bits, 32 lowercase hex digits on every wire.
///
/// Legal for Binance, OKX, Kraken, Bybit and Coinbase alike, so it is never cut.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientOrderId(u128);

impl ClientOrderId {
    /// The id of the `intent`-th intent of `portfolio` in this run: milliseconds of the event in the upper
    /// 48 bits, a hash of (incarnation, portfolio, intent) in the lower 80.
    #[must_use]
    pub fn derive(at: crate::Timestamp, incarnation: Incarnation, portfolio: PortfolioId, intent: Sequence) -> Self {
        let millis = u128::from(at.millis().max(0).unsigned_abs()) & ((1 << 48) - 1);
        let low = mix(mix(incarnation.0) ^ mix(intent).rotate_left(17) ^ u64::from(portfolio.0));
        let high = mix(low ^ incarnation.0.rotate_left(32) ^ intent) & 0xFFFF;
        Self(millis << 80 | u128::from(high) << 64 | u128::from(low))
    }
    /// From its number.
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }
    /// As a number.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
    /// Our name of an order that we did not send, made from the venue's own name of it: always the same one.
    ///
    /// Its upper 48 bits are all set, as those of no id that we send before the year 10889.
    #[must_use]
    pub fn foreign(venue: &str, venue_symbol: &str, venue_id: &str) -> Self {
        let parts = [venue, venue_symbol, venue_id];
        let hash = |seed| {
            let bytes = parts.iter().flat_map(|part| part.bytes().map(u64::from).chain([256]));
            bytes.fold(mix(seed), |hash, byte| mix(hash ^ byte))
        };
        Self(FOREIGN << 80 | u128::from(hash(1) & 0xFFFF) << 64 | u128::from(hash(2)))
    }
    /// Whether it is our name of an order that we did not send; the venue does not know such a name.
    #[must_use]
    pub const fn is_foreign(self) -> bool {
        self.0 >> 80 == FOREIGN
    }
    /// Reads 32 lowercase hex digits; `None` for any other text, such as an id that is not ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        ours.then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

/// What stands in the place of the milliseconds of an id that we did not send.
const FOREIGN: u128 = (1 << 48) - 1;

/// The finaliser of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
impl fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl Serialize for ClientOrderId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for ClientOrderId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not 32 lowercase hex digits")))
    }
}

/// The venue's own name of an order, as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VenueOrderId(pub Box<str>);

/// The venue's own name of a fill: its number, or the 128 bits of its UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TradeId(pub u128);

impl Serialize for TradeId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for TradeId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Which fills of one instrument were already booked, for ever, kept as ranges of neighbouring ids.
///
/// A backtest's ids follow one another, so the set stays at one range however long it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeIdSet {
    /// First id of a range → last id of it.
    ranges: BTreeMap<TradeId, TradeId>,
}

impl TradeIdSet {
    /// Notes `id`; `false` if it was there already.
    pub fn insert(&mut self, id: TradeId) -> bool {
        let before = self.ranges.range(..=id).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| last >= id) {
            return false;
        }
        let first = match before {
            Some((first, last)) if last.0 + 1 == id.0 => first,
            _ => id,
        };
        let after = id.0.checked_add(1).and_then(|next| self.ranges.remove(&TradeId(next)));
        self.ranges.insert(first, after.unwrap_or(id));
        true
    }
    /// Whether `id` was noted.
    #[must_use]
    pub fn contains(&self, id: TradeId) -> bool {
        self.ranges.range(..=id).next_back().is_some_and(|(_, last)| *last >= id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn client_ids_are_legal_everywhere_and_never_repeat() {
        let mut seen = BTreeSet::new();
        for incarnation in 0..10 {
            for intent in 0..1_000 {
                let at = crate::Timestamp::from_millis(1_700_000_000_000);
                let id = ClientOrderId::derive(at, Incarnation(incarnation), PortfolioId(3), intent);
                assert!(seen.insert(id));
                assert_eq!(ClientOrderId::parse(&id.to_string()), Some(id));
                assert!(id.to_string().starts_with("018bcfe56800"));
            }
        }
        assert_eq!(ClientOrderId::parse("web_123"), None);
        assert_eq!(ClientOrderId::parse(&"A".repeat(32)), None);
    }

    #[test]
    fn an_order_of_another_has_one_name_here_that_we_never_send() {
        let id = ClientOrderId::foreign("binance", "BTCUSDT", "77");
        assert!(id.is_foreign() && id == ClientOrderId::foreign("binance", "BTCUSDT", "77"));
        for other in [("binance", "BTCUSDT", "78"), ("binance", "ETHUSDT", "77"), ("binance", "BTCUSDT7", "7")] {
            assert_ne!(id, ClientOrderId::foreign(other.0, other.1, other.2));
        }
        let ours = ClientOrderId::derive(crate::Timestamp::default(), Incarnation(1), PortfolioId(0), 1);
        assert!(!ours.is_foreign());
    }

    proptest! {
        /// The ranges answer like a plain set.
        #[test]
        fn ranges_are_a_set(ids in proptest::collection::vec(0_u128..60, 0..200)) {
            let (mut ranges, mut plain) = (TradeIdSet::default(), BTreeSet::new());
            for id in ids {
                prop_assert_eq!(ranges.insert(TradeId(id)), plain.insert(id));
            }
            for id in 0..60 {
                prop_assert_eq!(ranges.contains(TradeId(id)), plain.contains(&id));
            }
        }
    }
}
