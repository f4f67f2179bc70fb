//! Bars that come late: what is recorded of them, and what is proposed on them.

#![allow(clippy::unwrap_used)] // a test may

mod common;

use common::Notes;
use tradewind_domain::*;
use tradewind_engine::{EventKind, LOGIC_VERSION, Signal, Verdict};
use tradewind_gate::{Guard, Limits, Mode};
use tradewind_host::{Host, recover};
use tradewind_journal::{Options, SimStorage};
use tradewind_strategies::{Desk, Market, Opinion, Strategy, Target};

const BTC: InstrumentId = InstrumentId(0);
const MINUTE: i64 = 60_000;

/// Always wants a tenth of equity more than it has.
struct Eager(f64);

impl Strategy for Eager {
    fn name(&self) -> &'static str {
        "eager"
    }
    fn warm_up(&self) -> usize {
        0
    }
    fn on_bar(&mut self, _: &Market<'_>, _: &Bar) -> Opinion {
        self.0 += 0.1;
        Opinion { target: Some(Target::Weight(self.0)), ..Opinion::hold("more") }
    }
    fn signals(&self) -> Vec<Signal> {
        Vec::new()
    }
}

fn bar(minute: i64, close: i64) -> Bar {
    let price = Price::from_mantissa(close);
    let (interval, open_time, volume) =
        (Interval::MINUTE, Timestamp::from_millis(minute * MINUTE), Quantity::from_mantissa(1));
    Bar { instrument: BTC, interval, open_time, open: price, high: price, low: price, close: price, volume }
}

/// What the gate said to the desk's proposals on the bar of minute 10, which is told `late` milliseconds after its close;
/// a quote came `quoted` milliseconds after it, if any did.
fn told(late: i64, quoted: Option<i64>) -> (Vec<Result<(), Guard>>, String) {
    let storage = SimStorage::new();
    let options = Options { segment_bytes: 1 << 20, first_segment_bytes: 1 << 18, prepare_in_background: false };
    let (journal, recovered) = recover(storage, options).unwrap();
    let mut host = Host::new(recovered.state, journal, Notes::default(), 10_000);
    let close = Timestamp::from_millis(11 * MINUTE);
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
    };
    let usdt = Currency::new("USDT").unwrap();
    let limits = Limits { stale_after_nanos: Some(2_000_000_000), ..Limits::RESEARCH };
    for kind in [
        EventKind::Started { incarnation: Incarnation(1), mode: Mode::Paper, logic: LOGIC_VERSION },
        EventKind::Listed(Box::new(spec.list(BTC).unwrap())),
        EventKind::Opened { base: usdt, name: "p".to_owned() },
        EventKind::LimitsSet(Box::new(limits)),
        EventKind::Deposited(Money::parse("10000", usdt).unwrap()),
    ] {
        host.record(Timestamp::default(), close, Source::Host, PortfolioId(0), kind).unwrap();
    }
    if let Some(after) = quoted {
        let (price, size) = (Price::from_mantissa(9_000), Quantity::from_mantissa(1));
        let quote = Quote { instrument: BTC, bid: price, bid_size: size, ask: price, ask_size: size };
        let (at, kind) =
            (close.plus_nanos(after * 1_000_000), EventKind::Quoted { quote, origin: Origin::Live, marks: true });
        host.record(at, at, Source::Market, PortfolioId(0), kind).unwrap();
    }
    let mut desks = [Desk::new(Box::new(Eager(0.0)), Source::Strategy(0), PortfolioId(0), BTC)];
    let now = close.plus_nanos(late * 1_000_000);
    host.bar(&mut desks, &bar(10, 10_000), (now, now), Origin::Live).unwrap();
    let verdict = |kind: &EventKind| match kind {
        EventKind::Judged(Verdict::Refused(refusal)) => Some(Err(refusal.guard)),
        EventKind::Judged(Verdict::Approved(_)) => Some(Ok(())),
        _ => None,
    };
    let reason = host.outside.0.iter().find_map(|kind| match kind {
        EventKind::Decided(decision) => Some(decision.reason.to_string()),
        _ => None,
    });
    let mark = host.state.listing(BTC).mark.unwrap();
    assert_eq!(mark.price.mantissa(), if quoted.is_some_and(|after| after > 1_000) { 9_000 } else { 10_000 });
    (host.outside.0.iter().filter_map(verdict).collect(), reason.unwrap())
}

#[test]
fn what_is_proposed_on_a_late_bar_is_judged_at_the_time_it_is() {
    assert_eq!(told(300, None).0, [Ok(())]);
    assert_eq!(told(300, Some(200)).0, [Ok(())]);
    assert_eq!(told(2_000, None).0, [Err(Guard::StaleData)]);
    assert_eq!(told(30_000, Some(200)).0, [Err(Guard::StaleData)]);
    assert_eq!(told(30_000, Some(29_000)).0, [Ok(())], "at the quote's price, which is known to be fresh");
}

#[test]
fn nothing_is_proposed_on_a_bar_that_another_has_followed() {
    assert_eq!(told(59_999, Some(59_000)).1, "more");
    let (verdicts, reason) = told(60_000, Some(59_999));
    assert_eq!((verdicts, reason.as_str()), (vec![], "the bar was missed: another has closed since"));
    assert_eq!(told(600_000, None).0, []);
}
