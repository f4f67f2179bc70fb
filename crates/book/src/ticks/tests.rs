use super::{
    FeedLatency, FillSize, OrderLatency, QueueModel, TickEvent, TickKind, TickOrder, TickReport, TickReportKind,
    TickSetup, TickSim,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::{Coded, Liquidity, Price, Quantity, Side, TimeInForce, Timestamp};

fn setup() -> TickSetup {
    TickSetup {
        tick: Price::from_mantissa(1),
        lot: Quantity::from_mantissa(1),
        feed_latency: FeedLatency::Constant(10),
        order_latency: OrderLatency::Constant { entry: 5, response: 7 },
        queue: QueueModel::RiskAverse,
        fill_size: FillSize::Partial,
    }
}

/// Reads events such as `0 bid 99 50`, `5 ask 101 20`, `7 sell 99 10` (somebody sells), `9 clear`.
fn event(text: &str) -> TickEvent {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize| words[at].parse::<i64>().unwrap();
    let level = |side| TickKind::Level {
        side,
        price: Price::from_mantissa(number(2)),
        size: Quantity::from_mantissa(number(3)),
    };
    let trade = |aggressor| TickKind::Trade {
        aggressor,
        price: Price::from_mantissa(number(2)),
        size: Quantity::from_mantissa(number(3)),
    };
    let kind = match words[1] {
        "bid" => level(Side::Buy),
        "ask" => level(Side::Sell),
        "buy" => trade(Side::Buy),
        "sell" => trade(Side::Sell),
        _ => TickKind::Clear,
    };
    let at = Timestamp::from_nanos(number(0));
    TickEvent { exchange_time: at, received: at.plus_nanos(3), kind }
}

/// Reads orders such as `1 buy 10 @99 post`, `2 sell 5 fok`.
fn order(words: &[&str]) -> TickOrder {
    let limit = words.iter().find_map(|word| word.strip_prefix('@')).map(|p| Price::from_mantissa(p.parse().unwrap()));
    let until = words.iter().find_map(|word| word.strip_prefix('~')).map(|t| Timestamp::from_nanos(t.parse().unwrap()));
    TickOrder {
        id: words[0].parse().unwrap(),
        side: if words[1] == "buy" { Side::Buy } else { Side::Sell },
        limit,
        time_in_force: match until {
            Some(until) => TimeInForce::Gtd(until),
            None if words.contains(&"ioc") => TimeInForce::Ioc,
            None if words.contains(&"fok") => TimeInForce::Fok,
            None => TimeInForce::Gtc,
        },
        post_only: words.contains(&"post"),
        quantity: Quantity::from_mantissa(words[2].parse().unwrap()),
    }
}

fn line(report: &TickReport) -> String {
    let what = match &report.kind {
        TickReportKind::Accepted => "accepted".to_owned(),
        TickReportKind::Rejected { reason } => format!("rejected: {reason:?}"),
        TickReportKind::Fill { side, price, quantity, liquidity, .. } => {
            let word = if *side == Side::Buy { "buys" } else { "sells" };
            format!("{word} {} at {} as {liquidity:?}", quantity.mantissa(), price.mantissa())
        }
        TickReportKind::Cancelled { open, reason } => format!("cancelled with {} left: {reason:?}", open.mantissa()),
        TickReportKind::CancelRefused => "cancel refused".to_owned(),
    };
    format!("{} ({}): {} {what}", report.local_time.nanos(), report.exchange_time.nanos(), report.id)
}

/// Replays `feed`; `acts` are `TIME: ORDER` or `TIME: cancel ID`, by the local clock.
fn reports(setup: TickSetup, feed: &str, acts: &str) -> Vec<TickReport> {
    let events: Vec<TickEvent> = feed.split('|').map(|text| event(text.trim())).collect();
    let mut sim = TickSim::new(setup, events.into_iter());
    let mut out = Vec::new();
    for act in acts.split('|').map(str::trim) {
        let (at, what) = act.split_once(':').unwrap();
        sim.advance(Timestamp::from_nanos(at.parse().unwrap()), &mut out).unwrap();
        let words: Vec<&str> = what.split_whitespace().collect();
        if words[0] == "cancel" { sim.cancel(words[1].parse().unwrap()) } else { sim.submit(order(&words)) }
    }
    sim.advance(Timestamp::from_nanos(10_000), &mut out).unwrap();
    assert!(sim.is_over());
    out
}

#[allow(clippy::needless_pass_by_value)]
fn check(setup: TickSetup, feed: &str, acts: &str, want: Expect) {
    want.assert_eq(&reports(setup, feed, acts).iter().map(|report| line(report) + "\n").collect::<String>());
}

const BOOK: &str = "0 bid 99 50 | 0 bid 98 20 | 0 ask 101 30 | 0 ask 102 40";

#[test]
fn a_resting_order_fills_after_the_queue_ahead_of_it() {
    check(
        setup(),
        &format!(
            "{BOOK} | 200 sell 99 30 | 200 bid 99 20 | 300 sell 99 25 | 300 bid 99 0 | 400 sell 99 3 | 500 sell 99 9"
        ),
        "100: 1 buy 10 @99",
        expect![[r#"
            112 (105): 1 accepted
            307 (300): 1 buys 5 at 99 as Maker
            407 (400): 1 buys 3 at 99 as Maker
            507 (500): 1 buys 2 at 99 as Maker
        "#]],
    );
}

#[test]
fn the_queue_model_decides_what_a_cancel_ahead_is_worth() {
    // 50 ahead, 50 behind; half of all is cancelled, then 30 trade
    let feed = format!("{BOOK} | 200 bid 99 100 | 300 bid 99 50 | 400 sell 99 30");
    for (queue, filled) in [(QueueModel::RiskAverse, 0), (QueueModel::Power(1), 5), (QueueModel::Log, 5)] {
        let reports = reports(TickSetup { queue, ..setup() }, &feed, "100: 1 buy 10 @99");
        let sum: i64 = reports
            .iter()
            .map(|r| if let TickReportKind::Fill { quantity, .. } = r.kind { quantity.mantissa() } else { 0 })
            .sum();
        assert_eq!(sum, filled, "{queue:?}");
    }
}

#[test]
fn a_trade_beyond_our_price_or_a_crossing_level_fills_all() {
    let feed = format!("{BOOK} | 200 sell 98 1 | 300 bid 101 5");
    let text = expect![[r#"
        112 (105): 1 accepted
        112 (105): 2 accepted
        207 (200): 1 buys 10 at 99 as Maker
        307 (300): 2 sells 10 at 101 as Maker
    "#]];
    check(setup(), &feed, "100: 1 buy 10 @99 | 100: 2 sell 10 @101", text);
}

#[test]
fn without_partial_fills_the_first_lot_past_the_queue_fills_all() {
    check(
        TickSetup { fill_size: FillSize::Whole, ..setup() },
        &format!("{BOOK} | 200 sell 99 50 | 300 sell 99 1"),
        "100: 1 buy 10 @99",
        expect![[r#"
            112 (105): 1 accepted
            307 (300): 1 buys 10 at 99 as Maker
        "#]],
    );
}

#[test]
fn one_trade_is_not_given_to_two_of_our_orders() {
    check(
        setup(),
        &format!("{BOOK} | 200 sell 99 58"),
        "100: 1 buy 5 @99 | 100: 2 buy 5 @99",
        expect![[r#"
            112 (105): 1 accepted
            112 (105): 2 accepted
            207 (200): 1 buys 5 at 99 as Maker
            207 (200): 2 buys 3 at 99 as Maker
        "#]],
    );
}

#[test]
fn taking_walks_the_displayed_levels() {
    check(
        setup(),
        BOOK,
        "100: 1 buy 35 @101 | 200: 2 buy 80 ioc | 300: 3 sell 71 fok | 400: 4 sell 60 @98 fok | 500: 5 sell 1 @99 post",
        expect![[r#"
            112 (105): 1 accepted
            112 (105): 1 buys 30 at 101 as Taker
            212 (205): 2 accepted
            212 (205): 2 buys 30 at 101 as Taker
            212 (205): 2 buys 40 at 102 as Taker
            212 (205): 2 cancelled with 10 left: Immediate
            312 (305): 3 accepted
            312 (305): 3 cancelled with 71 left: Kill
            412 (405): 4 accepted
            412 (405): 4 sells 50 at 99 as Taker
            412 (405): 4 sells 10 at 98 as Taker
            512 (505): 5 rejected: WouldCross
        "#]],
    );
}

#[test]
fn an_order_meets_the_book_of_its_arrival_and_not_the_one_we_saw() {
    // the ask rises at 103; we send at 100 on what we see, it arrives at 105
    check(
        setup(),
        &format!("{BOOK} | 103 ask 101 0 | 104 ask 103 5"),
        "100: 1 buy 10 @101 ioc | 200: 2 buy 10 @102 ioc",
        expect![[r#"
            112 (105): 1 accepted
            112 (105): 1 cancelled with 10 left: Immediate
            212 (205): 2 accepted
            212 (205): 2 buys 10 at 102 as Taker
        "#]],
    );
}

#[test]
fn the_feed_is_seen_only_after_its_latency() {
    for (feed_latency, first, then) in [(FeedLatency::Constant(10), 109, 110), (FeedLatency::Recorded, 102, 103)] {
        let events = [event("0 bid 99 50"), event("100 bid 100 1"), event("100 sell 99 2"), event("500 clear")];
        let mut sim = TickSim::new(TickSetup { feed_latency, ..setup() }, events.into_iter());
        let mut best = |at| {
            sim.advance(Timestamp::from_nanos(at), &mut Vec::new()).unwrap();
            (sim.book().best_bid().map(|(price, _)| price.mantissa()), sim.last_trade().is_some())
        };
        assert_eq!((best(first), best(then)), ((Some(99), false), (Some(100), true)));
        assert_eq!(best(600), (None, true));
    }
}

#[test]
fn a_cancel_may_lose_the_race_against_a_fill() {
    check(
        setup(),
        &format!("{BOOK} | 203 sell 99 55"),
        "100: 1 buy 5 @99 | 150: 2 buy 5 @98 | 200: cancel 1 | 200: cancel 2",
        expect![[r#"
            112 (105): 1 accepted
            162 (155): 2 accepted
            210 (203): 1 buys 5 at 99 as Maker
            212 (205): 1 cancel refused
            212 (205): 2 cancelled with 5 left: Requested
        "#]],
    );
}

#[test]
fn bad_orders_are_rejected_and_dates_end_orders() {
    check(
        TickSetup { tick: Price::from_mantissa(1), lot: Quantity::from_mantissa(2), ..setup() },
        &format!("{BOOK} | 400 bid 97 1"),
        "100: 1 buy 3 @99 | 100: 2 buy 2 post | 100: 3 buy 2 @99 ~250 | 100: 3 buy 2 @98",
        expect![[r#"
            112 (105): 1 rejected: Quantity
            112 (105): 2 rejected: Contradiction
            112 (105): 3 accepted
            112 (105): 3 rejected: DuplicateId
            257 (250): 3 cancelled with 2 left: Expired
        "#]],
    );
}

#[test]
fn a_feed_that_cannot_be_replayed_is_refused() {
    let advance = |text: &str, tick| {
        let events: Vec<TickEvent> = text.split('|').map(|text| event(text.trim())).collect();
        let mut sim = TickSim::new(TickSetup { tick: Price::from_mantissa(tick), ..setup() }, events.into_iter());
        sim.advance(Timestamp::from_nanos(1_000), &mut Vec::new()).map_err(|error| error.code())
    };
    assert_eq!(advance("5 bid 99 1 | 4 bid 98 1", 1), Err("BOK-07"));
    assert_eq!(advance("5 bid 99 1", 2), Err("BOK-05"));
    assert_eq!(advance("5 bid 99 -1", 1), Err("BOK-06"));
    assert_eq!(advance("5 bid 99 1 | 5 sell 99 1", 1), Ok(false));
}

fn any_feed() -> impl Strategy<Value = Vec<String>> {
    let one = (0_i64..30, 0..4_u8, 0_i64..8, 0_i64..30).prop_map(|(wait, kind, away, size)| (wait, kind, away, size));
    proptest::collection::vec(one, 1..80).prop_map(|events| {
        let mut now = 0;
        let text = |(wait, kind, away, size): (i64, u8, i64, i64)| {
            now += wait;
            match kind {
                0 => format!("{now} bid {} {size}", 99 - away),
                1 => format!("{now} ask {} {size}", 101 + away),
                2 => format!("{now} sell {} {}", 99 - away, size + 1),
                _ => format!("{now} buy {} {}", 101 + away, size + 1),
            }
        };
        events.into_iter().map(text).collect()
    })
}

proptest! {
    /// Every order is answered once, fills never exceed it or its limit, reports come in order and after the fact.
    #[test]
    fn every_order_is_accounted_for(
        feed in any_feed(),
        orders in proptest::collection::vec((0_i64..2_000, any::<bool>(), 95_i64..106, 1_i64..20, 0..4_u8), 1..20),
        queue in prop_oneof![Just(QueueModel::RiskAverse), Just(QueueModel::Power(2)), Just(QueueModel::Log)],
        whole in any::<bool>(),
    ) {
        let mut acts: Vec<_> = orders;
        acts.sort_unstable();
        let text: Vec<String> = acts.iter().enumerate().map(|(id, (at, buy, price, quantity, force))| {
            let (side, force) = (if *buy { "buy" } else { "sell" }, ["", "ioc", "fok", "post"][usize::from(*force)]);
            format!("{at}: {id} {side} {quantity} @{price} {force}")
        }).collect();
        let fill_size = if whole { FillSize::Whole } else { FillSize::Partial };
        let reports = reports(TickSetup { queue, fill_size, ..setup() }, &feed.join("|"), &text.join("|"));
        let mut open: BTreeMap<u64, i64> = BTreeMap::new();
        let mut last = Timestamp::default();
        for report in &reports {
            prop_assert!(report.local_time >= last && report.local_time > report.exchange_time);
            last = report.local_time;
            let (_, buy, limit, quantity, _) = acts[usize::try_from(report.id).unwrap()];
            match report.kind {
                TickReportKind::Accepted => prop_assert_eq!(open.insert(report.id, quantity), None),
                TickReportKind::Rejected { .. } => prop_assert_eq!(open.insert(report.id, 0), None),
                TickReportKind::Fill { price, quantity, open: left, liquidity, .. } => {
                    let before = open.insert(report.id, left.mantissa()).unwrap();
                    prop_assert!(quantity.mantissa() > 0 && before - quantity.mantissa() == left.mantissa());
                    let better = if buy { limit - price.mantissa() } else { price.mantissa() - limit };
                    prop_assert!(better >= 0 && (liquidity == Liquidity::Taker || better == 0));
                }
                TickReportKind::Cancelled { open: left, .. } => {
                    prop_assert_eq!(open.insert(report.id, 0), Some(left.mantissa()));
                }
                TickReportKind::CancelRefused => prop_assert!(false, "nothing was cancelled"),
            }
        }
        prop_assert_eq!(open.len(), acts.len());
    }

    /// In how many steps time passes changes nothing.
    #[test]
    fn small_steps_and_large_ones_end_alike(feed in any_feed(), steps in proptest::collection::vec(1_i64..200, 1..30)) {
        let events: Vec<TickEvent> = feed.iter().map(|text| event(text)).collect();
        let run = |steps: &[i64]| {
            let (mut sim, mut out, mut now) = (TickSim::new(setup(), events.clone().into_iter()), Vec::new(), sim_start(&events));
            for (id, price) in (0..).zip([98_i64, 99, 101, 102]) {
                let side = if price < 100 { "buy" } else { "sell" };
                sim.submit(order(&[&format!("{id}"), side, "10", &format!("@{price}")]));
            }
            for step in steps {
                now += step;
                sim.advance(Timestamp::from_nanos(now), &mut out).unwrap();
            }
            sim.advance(Timestamp::from_nanos(20_000), &mut out).unwrap();
            (out, sim.book().levels(Side::Buy).collect::<Vec<_>>())
        };
        prop_assert_eq!(run(&steps), run(&[]));
    }
}

fn sim_start(events: &[TickEvent]) -> i64 {
    events[0].exchange_time.nanos()
}
