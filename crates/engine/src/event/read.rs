//! Reading what happened without collecting it first.
//!
//! The derived reader of a tagged enum keeps every field until it knows which variant they belong to, and does so again
//! for what is flattened into it. The tag stands first in every record of ours, so for the kinds that journals are full
//! of the fields go straight to their places; any other kind, and any other order of fields, takes the derived way.

use super::EventKind;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;
use tradewind_domain::{
    Bar, Depth, InstrumentId, Interval, Origin, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
};

/// Reads what [`EventKind`] derives to write.
pub(super) fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EventKind, D::Error> {
    deserializer.deserialize_map(Kinds)
}

/// The kinds that most records are of.
#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Tag {
    Quoted,
    Deepened,
    Traded,
    BarClosed,
    Decided,
    Proposed,
    Judged,
    Intended,
    Filled,
    Other(String),
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Type,
    Other(String),
}

struct Kinds;

impl<'de> Visitor<'de> for Kinds {
    type Value = EventKind;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("what happened, with its `type` first")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<EventKind, A::Error> {
        let tag = match fields.next_key()? {
            Some(Key::Type) => fields.next_value()?,
            Some(Key::Other(key)) => return derived((key, fields.next_value()?), fields),
            None => return Err(A::Error::missing_field("type")),
        };
        Ok(match tag {
            Tag::Quoted => rest::<_, Quoted>(fields)?.into(),
            Tag::Deepened => rest::<_, Deepened>(fields)?.into(),
            Tag::Traded => rest::<_, Traded>(fields)?.into(),
            Tag::BarClosed => rest::<_, BarClosed>(fields)?.into(),
            Tag::Decided => EventKind::Decided(rest(fields)?),
            Tag::Proposed => EventKind::Proposed(rest(fields)?),
            Tag::Judged => EventKind::Judged(rest(fields)?),
            Tag::Intended => EventKind::Intended(rest(fields)?),
            Tag::Filled => EventKind::Filled(rest(fields)?),
            Tag::Other(name) => return derived(("type".into(), name.into()), fields),
        })
    }
}

fn rest<'de, A: MapAccess<'de>, T: Deserialize<'de>>(fields: A) -> Result<T, A::Error> {
    T::deserialize(MapAccessDeserializer::new(fields))
}

fn derived<'de, A: MapAccess<'de>>(first: (String, Value), fields: A) -> Result<EventKind, A::Error> {
    let (key, value) = first;
    rest(PutBack { key: Some(key), value: Some(value), fields })
}

/// The fields of a map of which the first was taken out already.
struct PutBack<A> {
    key: Option<String>,
    value: Option<Value>,
    fields: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for PutBack<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.fields.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value).map_err(A::Error::custom),
            None => self.fields.next_value_seed(seed),
        }
    }
}

/// [`EventKind::Quoted`] with its quote's fields beside its own, as they are written.
#[derive(serde::Deserialize)]
struct Quoted {
    instrument: InstrumentId,
    bid: Price,
    bid_size: Quantity,
    ask: Price,
    ask_size: Quantity,
    origin: Origin,
    #[serde(default)]
    marks: bool,
}

impl From<Quoted> for EventKind {
    fn from(it: Quoted) -> Self {
        let Quoted { instrument, bid, bid_size, ask, ask_size, origin, marks } = it;
        Self::Quoted { quote: Quote { instrument, bid, bid_size, ask, ask_size }, origin, marks }
    }
}

/// [`EventKind::Deepened`], likewise.
#[derive(serde::Deserialize)]
struct Deepened {
    instrument: InstrumentId,
    bids: [Quantity; 2],
    asks: [Quantity; 2],
    origin: Origin,
}

impl From<Deepened> for EventKind {
    fn from(Deepened { instrument, bids, asks, origin }: Deepened) -> Self {
        Self::Deepened { depth: Depth { instrument, bids, asks }, origin }
    }
}

/// [`EventKind::Traded`], likewise.
#[derive(serde::Deserialize)]
struct Traded {
    instrument: InstrumentId,
    price: Price,
    quantity: Quantity,
    aggressor: Side,
    id: TradeId,
    origin: Origin,
}

impl From<Traded> for EventKind {
    fn from(Traded { instrument, price, quantity, aggressor, id, origin }: Traded) -> Self {
        Self::Traded { trade: Trade { instrument, price, quantity, aggressor, id }, origin }
    }
}

/// [`EventKind::BarClosed`], likewise.
#[derive(serde::Deserialize)]
struct BarClosed {
    instrument: InstrumentId,
    interval: Interval,
    open_time: Timestamp,
    open: Price,
    high: Price,
    low: Price,
    close: Price,
    volume: Quantity,
    origin: Origin,
}

impl From<BarClosed> for EventKind {
    fn from(it: BarClosed) -> Self {
        let BarClosed { instrument, interval, open_time, open, high, low, close, volume, origin } = it;
        Self::BarClosed { bar: Bar { instrument, interval, open_time, open, high, low, close, volume }, origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decision, DecisionKind};

    fn market() -> [EventKind; 5] {
        let (instrument, price, size) = (InstrumentId(3), Price::from_mantissa, Quantity::from_mantissa);
        let quote = Quote { instrument, bid: price(99), bid_size: size(5), ask: price(101), ask_size: size(7) };
        let trade = Trade { instrument, price: price(100), quantity: size(2), aggressor: Side::Sell, id: TradeId(9) };
        let depth = Depth { instrument, bids: [size(1), size(10)], asks: [size(2), size(20)] };
        let bar = Bar {
            instrument,
            interval: "5m".parse().expect("an interval"),
            open_time: Timestamp::from_millis(1_700_000_000_000),
            open: price(100),
            high: price(104),
            low: price(98),
            close: price(103),
            volume: size(77),
        };
        let decision = Decision {
            instrument,
            decider: "trend".into(),
            kind: DecisionKind::Hold,
            target: None,
            reason: "a \"quoted\" word".into(),
            tag: Some("cross-up".into()),
            signals: vec![],
            version: None,
            forecast: None,
        };
        let origin = Origin::Recorded;
        [
            EventKind::Quoted { quote, origin, marks: true },
            EventKind::Deepened { depth, origin },
            EventKind::Traded { trade, origin },
            EventKind::BarClosed { bar, origin },
            EventKind::Decided(Box::new(decision)),
        ]
    }

    #[test]
    fn what_is_read_straight_away_is_what_the_derived_reader_reads() {
        for event in market() {
            let text = serde_json::to_string(&event).expect("text keys");
            assert!(text.starts_with("{\"type\":"), "{text}");
            assert_eq!(kind(&mut serde_json::Deserializer::from_str(&text)).expect("read"), event);
            assert_eq!(serde_json::from_str::<EventKind>(&text).expect("read"), event);
        }
    }

    #[test]
    fn another_order_of_fields_and_other_kinds_are_read_the_derived_way() {
        for event in market().into_iter().chain([
            EventKind::Stopped,
            EventKind::Timer,
            EventKind::Resumed { reason: "seen".into() },
            EventKind::Restricted { reason: "odd".into() },
        ]) {
            let value = serde_json::to_value(&event).expect("text keys"); // its fields stand in the alphabet's order
            assert_eq!(kind(value.clone()).expect("read"), event, "{value}");
            assert_eq!(kind(&mut serde_json::Deserializer::from_str(&value.to_string())).expect("read"), event);
        }
    }

    #[test]
    fn what_is_no_event_is_refused_with_what_is_wrong() {
        for (text, said) in [
            ("{}", "missing field `type`"),
            ("{\"type\":\"dreamt\"}", "unknown variant `dreamt`"),
            ("{\"type\":\"quoted\",\"bid\":1}", "missing field"),
            ("{\"bid\":1}", "missing field `type`"),
            ("{\"type\":7}", "invalid type"),
            ("[]", "its `type` first"),
        ] {
            let error = kind(&mut serde_json::Deserializer::from_str(text)).expect_err("refused").to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
