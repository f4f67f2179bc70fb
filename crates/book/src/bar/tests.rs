use super::{BarEvent, BarMatcher, FillPolicy, Impact};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::{
    Bar, ClientOrderId, Instrument, InstrumentId, InstrumentSpec, Interval, Liquidity, OcoGroup, Order, OrderKind,
    OrderRequest, PortfolioId, Price, Quantity, Side, TimeInForce, Timestamp,
};

const MINUTE: i64 = 60_000_000_000;

/// Whole prices and quantities: tick 1, lot 1.
fn instrument() -> Instrument {
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test");
    InstrumentSpec { price_decimals: 0, quantity_decimals: 0, ..spec }.list(InstrumentId(0)).unwrap()
}

fn bar(minute: i64, [open, high, low, close]: [i64; 4], volume: i64) -> Bar {
    let bar = Bar {
        instrument: InstrumentId(0),
        interval: Interval::MINUTE,
        open_time: Timestamp::from_nanos(minute * MINUTE),
        open: Price::from_mantissa(open),
        high: Price::from_mantissa(high),
        low: Price::from_mantissa(low),
        close: Price::from_mantissa(close),
        volume: Quantity::from_mantissa(volume),
    };
    bar.validate().unwrap();
    bar
}

/// Reads orders such as `1 buy 5`, `2 sell 5 @110 #1`, `3 sell 5 ^90 reduce`, `4 buy 5 @99 ~3` (expires at minute 3).
fn read(text: &str) -> Order {
    let mut words = text.split_whitespace();
    let id = ClientOrderId::from_u128(words.next().unwrap().parse().unwrap());
    let side = if words.next() == Some("buy") { Side::Buy } else { Side::Sell };
    let quantity = Quantity::from_mantissa(words.next().unwrap().parse().unwrap());
    let mut request = OrderRequest::market(InstrumentId(0), side, quantity);
    let (mut limit, mut trigger) = (None, None);
    for word in words {
        match word.split_at(1) {
            ("@", price) => limit = Some(Price::from_mantissa(price.parse().unwrap())),
            ("^", price) => trigger = Some(Price::from_mantissa(price.parse().unwrap())),
            ("#", group) => request.oco = Some(OcoGroup(group.parse().unwrap())),
            ("~", seconds) => {
                let seconds: i64 = seconds.parse().unwrap();
                request.time_in_force = TimeInForce::Gtd(Timestamp::from_millis(seconds * 1_000));
            }
            _ => match word {
                "ioc" => request.time_in_force = TimeInForce::Ioc,
                "fok" => request.time_in_force = TimeInForce::Fok,
                "post" => request.post_only = true,
                "reduce" => request.reduce_only = true,
                _ => panic!("{word}"),
            },
        }
    }
    request.kind = match (limit, trigger) {
        (None, None) => OrderKind::Market,
        (Some(price), None) => OrderKind::Limit { price },
        (None, Some(trigger)) => OrderKind::Stop { trigger },
        (Some(price), Some(trigger)) => OrderKind::StopLimit { trigger, price },
    };
    Order::new(&instrument(), PortfolioId(0), id, request, None).unwrap()
}

fn line(event: &BarEvent) -> String {
    let second = |at: &Timestamp| at.nanos() / 1_000_000_000;
    match event {
        BarEvent::Triggered { client_id, at } => format!("{}s {} triggered", second(at), client_id.as_u128()),
        BarEvent::Fill { client_id, side, price, quantity, liquidity, at, .. } => {
            let word = if *side == Side::Buy { "buys" } else { "sells" };
            let (id, price, quantity) = (client_id.as_u128(), price.mantissa(), quantity.mantissa());
            format!("{}s {id} {word} {quantity} at {price} as {liquidity:?}", second(at))
        }
        BarEvent::Cancelled { client_id, reason, at } => {
            format!("{}s {} cancelled: {reason:?}", second(at), client_id.as_u128())
        }
        BarEvent::Rejected { client_id, reason, at } => {
            format!("{}s {} rejected: {reason:?}", second(at), client_id.as_u128())
        }
    }
}

/// Submits `orders` at the end of minute 0 and lets the bars of minutes 1, 2, … meet them.
fn events(policy: FillPolicy, orders: &str, bars: &[([i64; 4], i64)]) -> Vec<BarEvent> {
    let (mut matcher, mut out) = (BarMatcher::new(instrument(), policy), Vec::new());
    for order in orders.split('|') {
        matcher.submit(&read(order.trim()), Timestamp::from_nanos(MINUTE));
    }
    for (minute, (prices, volume)) in (1..).zip(bars) {
        matcher.on_bar(&bar(minute, *prices, *volume), &mut out);
    }
    out
}

#[allow(clippy::needless_pass_by_value)]
fn check(policy: FillPolicy, orders: &str, bars: &[([i64; 4], i64)], want: Expect) {
    let text: String = events(policy, orders, bars).iter().map(|event| line(event) + "\n").collect();
    want.assert_eq(&text);
}

const PLAIN: FillPolicy = FillPolicy {
    volume_share_bps: None,
    half_spread_centi_bps: 0,
    slippage_centi_bps: 0,
    impact: Impact::None,
    limit_needs_trade_through: false,
};
const TENTH: FillPolicy = FillPolicy { volume_share_bps: Some(1_000), ..PLAIN };

#[test]
fn what_is_decided_on_a_close_fills_at_the_next_open() {
    let (mut matcher, mut out) = (BarMatcher::new(instrument(), PLAIN), Vec::new());
    matcher.submit(&read("1 buy 5"), Timestamp::from_nanos(MINUTE + 1));
    matcher.on_bar(&bar(1, [100, 110, 90, 105], 10), &mut out);
    assert_eq!(out, [], "a bar that opened before the order arrived");
    matcher.on_bar(&bar(2, [106, 110, 90, 105], 10), &mut out);
    assert_eq!(out.iter().map(line).collect::<Vec<_>>(), ["120s 1 buys 5 at 106 as Taker"]);
    assert_eq!(matcher.open_orders().count(), 0);
}

/// What comes of `later`, submitted between the open of minute 1 and its inside, beside `first`, submitted before.
fn reactions(policy: FillPolicy, first: &str, later: &str, prices: [i64; 4], volume: i64) -> Vec<String> {
    let (mut matcher, mut out) = (BarMatcher::new(instrument(), policy), Vec::new());
    matcher.submit(&read(first), Timestamp::from_nanos(MINUTE));
    let bar = bar(1, prices, volume);
    let turn = matcher.on_open(&bar, &mut out).expect("an order waits for the open");
    for order in later.split('|') {
        matcher.submit(&read(order.trim()), bar.open_time);
    }
    matcher.on_inside(&bar, turn, &mut out);
    out.iter().map(line).collect()
}

#[test]
fn what_the_fills_of_an_open_lead_to_meets_that_open_and_the_inside_of_the_bar() {
    let pair = "2 sell 5 ^95 #1 | 3 sell 5 @110 #1";
    for (prices, want) in [
        ([100, 105, 94, 101], &["120s 2 triggered", "120s 2 sells 5 at 95 as Taker", "120s 3 cancelled: Oco"][..]),
        ([100, 112, 96, 101], &["120s 3 sells 5 at 110 as Maker", "120s 2 cancelled: Oco"]),
        ([100, 112, 94, 101], &["120s 2 triggered", "120s 2 sells 5 at 95 as Taker", "120s 3 cancelled: Oco"]),
        ([95, 99, 94, 98], &["60s 2 triggered", "60s 2 sells 5 at 95 as Taker", "60s 3 cancelled: Oco"]),
        ([93, 99, 92, 98], &["60s 2 triggered", "60s 2 sells 5 at 93 as Taker", "60s 3 cancelled: Oco"]),
        ([100, 105, 96, 101], &[]),
    ] {
        let told = reactions(PLAIN, "1 buy 5", pair, prices, 100);
        assert_eq!(told[0], format!("60s 1 buys 5 at {} as Taker", prices[0]));
        assert_eq!(told[1..], *want, "{prices:?}");
    }
}

#[test]
fn both_halves_of_a_bar_share_its_volume_and_nobody_meets_the_open_twice() {
    // of ten, one half of the order is bought at the open and the rest waits for the next one
    let told = reactions(TENTH, "1 buy 20", "2 sell 10 ^95", [100, 101, 94, 100], 100);
    assert_eq!(told, ["60s 1 buys 10 at 100 as Taker", "120s 2 triggered"]);
    let told = reactions(TENTH, "1 buy 4", "2 sell 10", [100, 101, 94, 100], 100);
    assert_eq!(told, ["60s 1 buys 4 at 100 as Taker", "60s 2 sells 6 at 100 as Taker"]);
}

#[test]
fn a_market_order_with_a_worst_price_fills_at_the_open_up_to_it_or_not_at_all() {
    let meets = |side: &str, worst: i64, policy: FillPolicy, open: i64| {
        let (mut matcher, mut out) = (BarMatcher::new(instrument(), policy), Vec::new());
        let order = read(&format!("1 {side} 5")).no_worse_than(Some(Price::from_mantissa(worst)));
        matcher.submit(&order, Timestamp::from_nanos(MINUTE));
        matcher.on_bar(&bar(1, [open, open + 50, open - 50, open], 30), &mut out);
        assert_eq!(matcher.open_orders().count(), 0, "it never rests");
        out.iter().map(line).collect::<Vec<_>>().join(", ")
    };
    let slips = FillPolicy { slippage_centi_bps: 20_000, ..PLAIN };
    for (side, worst, policy, open, want) in [
        ("buy", 101, PLAIN, 101, "60s 1 buys 5 at 101 as Taker"),
        ("buy", 101, PLAIN, 102, "60s 1 cancelled: Immediate"),
        ("sell", 99, PLAIN, 99, "60s 1 sells 5 at 99 as Taker"),
        ("sell", 99, PLAIN, 98, "60s 1 cancelled: Immediate"),
        ("buy", 101, slips, 100, "60s 1 buys 5 at 101 as Taker"), // 102 without it
        ("buy", 103, slips, 100, "60s 1 buys 5 at 102 as Taker"),
        ("buy", 101, TENTH, 100, "60s 1 buys 3 at 100 as Taker, 60s 1 cancelled: Immediate"),
    ] {
        assert_eq!(meets(side, worst, policy, open), want, "{side} at {worst} on {open}");
    }
}

#[test]
fn stop_and_target_inside_one_bar_end_with_the_worst() {
    for orders in ["1 sell 5 ^95 #1 | 2 sell 5 @105 #1", "2 sell 5 @105 #1 | 1 sell 5 ^95 #1"] {
        check(
            PLAIN,
            orders,
            &[([100, 110, 90, 108], 10)],
            expect![[r#"
                120s 1 triggered
                120s 1 sells 5 at 95 as Taker
                120s 2 cancelled: Oco
            "#]],
        );
    }
}

#[test]
fn among_stops_and_among_limits_the_worst_at_the_close_goes_first() {
    check(
        PLAIN,
        "1 buy 5 ^105 #1 | 2 sell 5 ^95 #1",
        &[([100, 110, 90, 108], 10)],
        expect![[r#"
            120s 2 triggered
            120s 2 sells 5 at 95 as Taker
            120s 1 cancelled: Oco
        "#]],
    );
    check(
        PLAIN,
        "1 buy 5 @95 #1 | 2 sell 5 @105 #1",
        &[([100, 110, 90, 104], 10)],
        expect![[r#"
            120s 2 sells 5 at 105 as Maker
            120s 1 cancelled: Oco
        "#]],
    );
}

#[test]
fn gaps_fill_at_the_open_for_better_and_for_worse() {
    check(
        PLAIN,
        "1 sell 5 ^95 | 2 buy 5 @97 | 3 sell 5 ^95 @96",
        &[([100, 100, 98, 99], 10), ([90, 92, 89, 91], 10), ([95, 97, 95, 95], 10)],
        expect![[r#"
            120s 1 triggered
            120s 1 sells 5 at 90 as Taker
            120s 2 buys 5 at 90 as Maker
            120s 3 triggered
            240s 3 sells 5 at 96 as Maker
        "#]],
    );
}

#[test]
fn a_limit_that_arrives_through_the_open_takes_and_one_that_waits_makes() {
    check(
        PLAIN,
        "1 buy 5 @101 | 2 buy 5 @99 | 3 buy 5 @100 post | 4 buy 5 @99 post",
        &[([100, 102, 99, 100], 10)],
        expect![[r#"
            60s 1 buys 5 at 100 as Taker
            60s 3 rejected: WouldCross
            120s 2 buys 5 at 99 as Maker
            120s 4 buys 5 at 99 as Maker
        "#]],
    );
}

#[test]
fn a_touch_is_not_a_trade_through() {
    let strict = FillPolicy { limit_needs_trade_through: true, ..PLAIN };
    check(
        strict,
        "1 buy 5 @99 | 2 sell 5 @102",
        &[([100, 102, 99, 100], 10), ([100, 103, 99, 100], 10), ([100, 100, 98, 100], 10)],
        expect![[r#"
            180s 2 sells 5 at 102 as Maker
            240s 1 buys 5 at 99 as Maker
        "#]],
    );
}

#[test]
fn size_is_capped_and_the_rest_works_on() {
    check(
        TENTH,
        "1 buy 25 | 2 sell 3 @90 | 3 sell 3 @90 ioc | 4 sell 3 @90 fok",
        &[([100, 101, 99, 100], 100), ([102, 102, 99, 100], 129), ([103, 103, 99, 100], 200)],
        expect![[r#"
            60s 1 buys 10 at 100 as Taker
            60s 3 cancelled: Immediate
            60s 4 cancelled: Kill
            120s 1 buys 12 at 102 as Taker
            180s 1 buys 3 at 103 as Taker
            180s 2 sells 3 at 103 as Maker
        "#]],
    );
}

#[test]
fn immediate_orders_take_what_the_open_gives() {
    check(
        TENTH,
        "1 buy 25 ioc | 2 buy 5 @99 ioc | 3 buy 5 @99 fok | 4 sell 5 ^95 @94 ioc",
        &[([100, 101, 96, 100], 100), ([96, 97, 93, 94], 40)],
        expect![[r#"
            60s 1 buys 10 at 100 as Taker
            60s 1 cancelled: Immediate
            60s 2 cancelled: Immediate
            60s 3 cancelled: Kill
            180s 4 triggered
            180s 4 sells 4 at 95 as Taker
            180s 4 cancelled: Immediate
        "#]],
    );
}

#[test]
fn a_date_ends_an_order_and_a_bar_that_holds_the_date_gives_its_open_only() {
    check(
        PLAIN,
        "1 buy 5 @95 ~90 | 2 buy 5 @94 ~130 | 3 buy 5 @95 ~120 | 4 buy 5 ^90 ~60 | 5 buy 5 @92 ~130",
        &[([100, 101, 95, 100], 100), ([93, 101, 90, 100], 40)],
        expect![[r#"
            60s 4 cancelled: Expired
            90s 1 cancelled: Expired
            120s 3 buys 5 at 95 as Maker
            120s 2 buys 5 at 93 as Maker
            130s 5 cancelled: Expired
        "#]],
    );
}

#[test]
fn a_stop_limit_waits_where_its_limit_says_so() {
    check(
        PLAIN,
        "1 buy 5 ^105 @106 | 2 buy 5 ^105 @104 | 3 buy 5 ^105 @106 post",
        &[([100, 110, 100, 103], 10), ([103, 110, 103, 103], 10)],
        expect![[r#"
            120s 1 triggered
            120s 1 buys 5 at 105 as Taker
            120s 2 triggered
            120s 3 triggered
            120s 3 rejected: WouldCross
            120s 2 buys 5 at 103 as Maker
        "#]],
    );
}

#[test]
fn a_pair_is_one_request_and_is_turned_away_whole() {
    let bars = [([106, 107, 101, 102], 10), ([102, 107, 90, 91], 10)];
    check(
        PLAIN,
        "1 sell 5 @105 post #1 | 2 sell 5 ^95 #1 | 3 sell 5 ^94",
        &bars,
        expect![[r#"
            60s 1 rejected: WouldCross
            60s 2 rejected: WouldCross
            180s 3 triggered
            180s 3 sells 5 at 94 as Taker
        "#]],
    );
}

#[test]
fn reduce_only_orders_reduce_and_no_more() {
    check(
        PLAIN,
        "1 buy 5 @99 | 2 sell 9 ^95 reduce | 3 buy 2 ^98 reduce",
        &[([100, 101, 90, 92], 10)],
        expect![[r#"
            60s 3 triggered
            60s 3 cancelled: NothingToReduce
            120s 1 buys 5 at 99 as Maker
            120s 2 triggered
            120s 2 sells 5 at 95 as Taker
            120s 2 cancelled: NothingToReduce
        "#]],
    );
}

#[test]
fn friction_goes_against_us_up_to_the_limit_and_may_leave_the_bar() {
    let slow = FillPolicy { slippage_centi_bps: 10_000, ..PLAIN }; // 1 %
    check(
        slow,
        "1 buy 5 | 2 sell 5 | 3 buy 5 @1004 | 4 buy 5 @995 | 5 sell 5 ^990",
        &[([1_000, 1_003, 995, 1_000], 10), ([995, 995, 990, 994], 10)],
        expect![[r#"
            60s 1 buys 5 at 1010 as Taker
            60s 2 sells 5 at 990 as Taker
            60s 3 buys 5 at 1004 as Taker
            120s 4 buys 5 at 995 as Maker
            180s 5 triggered
            180s 5 sells 5 at 980 as Taker
        "#]],
    );
}

#[test]
fn a_taker_pays_half_the_spread_beside_slippage_rounded_once_and_a_maker_pays_none() {
    let half = FillPolicy { half_spread_centi_bps: 4_000, ..PLAIN }; // 40 bps
    let both = FillPolicy { slippage_centi_bps: 4_000, ..half };
    let bars = [([1_000, 1_003, 995, 1_000], 10), ([1_000, 1_000, 990, 994], 10)];
    // 4 of 1,000
    check(
        half,
        "1 buy 5 | 2 sell 5 | 3 buy 5 @1003 | 4 buy 5 @995 | 5 sell 5 ^991",
        &bars,
        expect![[r#"
            60s 1 buys 5 at 1004 as Taker
            60s 2 sells 5 at 996 as Taker
            60s 3 buys 5 at 1003 as Taker
            120s 4 buys 5 at 995 as Maker
            180s 5 triggered
            180s 5 sells 5 at 987 as Taker
        "#]],
    );
    // 8 of 1,000; 7.928 of 991, and 8 on the tick
    check(
        both,
        "1 buy 5 | 5 sell 5 ^991",
        &bars,
        expect![[r#"
            60s 1 buys 5 at 1008 as Taker
            180s 5 triggered
            180s 5 sells 5 at 983 as Taker
        "#]],
    );
    // 0.4 each: one tick for both
    let little = FillPolicy { half_spread_centi_bps: 400, slippage_centi_bps: 400, ..PLAIN };
    check(
        little,
        "1 buy 5",
        &bars[..1],
        expect![[r#"
            60s 1 buys 5 at 1001 as Taker
        "#]],
    );
}

#[test]
fn a_fill_tells_the_price_that_the_market_showed() {
    let policy = FillPolicy { half_spread_centi_bps: 4_000, ..PLAIN };
    let bars = [([1_000, 1_003, 995, 1_000], 10), ([1_000, 1_000, 990, 994], 10)];
    let told = events(policy, "1 buy 5 | 2 buy 5 @995 | 3 sell 5 ^991", &bars);
    let fills: Vec<(i64, i64)> = told
        .iter()
        .filter_map(|event| match event {
            BarEvent::Fill { price, basis, .. } => Some((price.mantissa(), basis.mantissa())),
            _ => None,
        })
        .collect();
    assert_eq!(fills, [(1_004, 1_000), (995, 995), (987, 991)]);
}

#[test]
fn impact_grows_with_the_share_of_volume() {
    let centi = |impact, quantity, volume| {
        let policy = FillPolicy { impact, half_spread_centi_bps: 3, slippage_centi_bps: 4, ..PLAIN };
        policy.friction_centi_bps(Quantity::from_mantissa(quantity), Quantity::from_mantissa(volume))
    };
    let linear = Impact::Linear { coefficient_centi_bps: 1_000 };
    let root = Impact::SquareRoot { coefficient_centi_bps: 1_000 };
    for (impact, quantity, volume, want) in [
        (Impact::None, 10, 100, 7),
        (linear, 10, 100, 107),
        (linear, 200, 100, 2_007),
        (linear, 1, 3, 341),
        (linear, 1, 0, 1_007),
        (root, 1, 100, 107),
        (root, 25, 100, 507),
        (root, 1, 3, 585),
        (root, 1, 0, 1_007),
    ] {
        assert_eq!(centi(impact, quantity, volume), want, "{impact:?} {quantity}/{volume}");
    }
}

#[test]
fn a_sale_never_falls_below_one_tick_however_large_the_friction() {
    let absurd = FillPolicy { slippage_centi_bps: u32::MAX, ..PLAIN };
    let sold = events(absurd, "1 sell 1 | 2 buy 1", &[([100, 100, 100, 100], 1)]);
    let prices: Vec<i64> =
        sold.iter().map(|e| if let BarEvent::Fill { price, .. } = e { price.mantissa() } else { 0 }).collect();
    assert_eq!(prices, [1, 100 + 429_497]);
}

#[test]
fn a_cancelled_order_is_gone_and_a_stranger_is_not_cancelled() {
    let (mut matcher, mut out) = (BarMatcher::new(instrument(), PLAIN), Vec::new());
    matcher.submit(&read("1 buy 5"), Timestamp::default());
    assert!(!matcher.cancel(ClientOrderId::from_u128(2)));
    assert!(matcher.cancel(ClientOrderId::from_u128(1)));
    assert!(!matcher.cancel(ClientOrderId::from_u128(1)));
    matcher.on_bar(&bar(1, [100, 110, 90, 105], 10), &mut out);
    assert_eq!(out, []);
}

#[test]
fn the_report_names_every_assumption() {
    let policy = FillPolicy {
        volume_share_bps: Some(1_250),
        half_spread_centi_bps: 25,
        slippage_centi_bps: 150,
        impact: Impact::SquareRoot { coefficient_centi_bps: 1_000 },
        limit_needs_trade_through: true,
    };
    expect![[r#"Decided on the close, filled at the next open; gaps fill at the open. A limit fills when the market trades beyond it. Stop and target in one bar: the worse first, and the stop of an entry at the open stands in that bar, that of an entry inside a bar from the next on. All fills of a bar take at most 12.5 % of its volume; taking fills pay 0.25 bps for half the spread; taking fills slip 1.5 bps against us; market impact 10 bps x square root of the share of the bar's volume (Toth et al. 2011). Prices are rounded to the tick against us and may leave the bar's range."#]].assert_eq(&policy.describe());
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<FillPolicy>(&json).unwrap(), policy);
    assert_eq!(serde_json::from_str::<FillPolicy>("{}").unwrap(), FillPolicy::default());
    assert!(serde_json::from_str::<FillPolicy>(r#"{"slipage":1}"#).is_err());
}

#[test]
fn a_policy_without_a_spread_says_and_reads_what_it_did_before_there_was_one() {
    let policy = FillPolicy { slippage_centi_bps: 200, ..PLAIN };
    assert!(policy.describe().contains("by the bar's volume; taking fills slip 2 bps"), "{}", policy.describe());
    let written = r#"{"volume-share-bps":null,"slippage-centi-bps":200,"limit-needs-trade-through":false}"#;
    assert_eq!(serde_json::from_str::<FillPolicy>(written).unwrap(), policy);
}

fn any_order() -> impl Strategy<Value = String> {
    let level = 90_i64..111;
    let kind = prop_oneof![
        2 => Just(String::new()),
        4 => level.clone().prop_map(|limit| format!("@{limit}")),
        2 => level.clone().prop_map(|trigger| format!("^{trigger}")),
        1 => (level.clone(), level).prop_map(|(trigger, limit)| format!("^{trigger} @{limit}")),
    ];
    let flags = prop_oneof![5 => Just(""), 1 => Just("ioc"), 1 => Just("fok"), 1 => Just("reduce"), 2 => Just("#1")];
    (any::<bool>(), 1_i64..40, kind, flags).prop_map(|(buy, quantity, kind, flags)| {
        format!("{} {quantity} {kind} {flags}", if buy { "buy" } else { "sell" })
    })
}

fn any_bar() -> impl Strategy<Value = ([i64; 4], i64)> {
    (90_i64..111, 90_i64..111, 0_i64..6, 0_i64..6, 0_i64..300).prop_map(|(open, close, up, down, volume)| {
        ([open, open.max(close) + up, open.min(close) - down, close], volume)
    })
}

proptest! {
    /// Nothing overfills, limits hold, takers pay at least the price that the bar shows, budgets hold.
    #[test]
    fn fills_keep_to_order_policy_and_bar(
        orders in proptest::collection::vec(any_order(), 1..12),
        bars in proptest::collection::vec(any_bar(), 1..8),
        share in proptest::option::of(0_u32..5_000),
        half_spread_centi_bps in 0_u32..2_000,
        slippage_centi_bps in 0_u32..20_000,
    ) {
        let policy = FillPolicy { volume_share_bps: share, half_spread_centi_bps, slippage_centi_bps, ..PLAIN };
        let text: Vec<String> = orders.iter().enumerate().map(|(id, order)| format!("{id} {order}")).collect();
        let sent: Vec<Order> = text.iter().map(|order| read(order)).collect();
        let mut open: BTreeMap<u128, i64> =
            sent.iter().map(|order| (order.client_id().as_u128(), order.quantity().mantissa())).collect();
        let (mut matcher, mut lazy_position) = (BarMatcher::new(instrument(), policy), 0_i64);
        sent.iter().for_each(|order| matcher.submit(order, Timestamp::default()));
        for (minute, (prices, volume)) in (1..).zip(&bars) {
            let (mut out, mut taken) = (Vec::new(), 0);
            matcher.on_bar(&bar(minute, *prices, *volume), &mut out);
            for event in &out {
                match event {
                    BarEvent::Fill { client_id, side, price, quantity, liquidity, .. } => {
                        let order = &sent[usize::try_from(client_id.as_u128()).unwrap()];
                        let left = open.get_mut(&client_id.as_u128()).expect("only open orders fill");
                        *left -= quantity.mantissa();
                        taken += quantity.mantissa();
                        prop_assert!(*left >= 0 && quantity.mantissa() > 0);
                        let [.., high, low, _] = [prices[0], prices[1], prices[2], prices[3]];
                        if let Some(limit) = order.kind().limit() {
                            prop_assert!(side.sign() * (price.mantissa() - limit.mantissa()) <= 0);
                        } else {
                            let best = if *side == Side::Buy { low } else { high };
                            prop_assert!(side.sign() * (price.mantissa() - best) >= 0, "never better than the bar");
                        }
                        if *liquidity == Liquidity::Maker {
                            prop_assert!(low <= price.mantissa() && price.mantissa() <= high);
                        }
                        if order.request().reduce_only {
                            prop_assert!(lazy_position * side.sign() < 0);
                            prop_assert!(quantity.mantissa() <= lazy_position.abs());
                        }
                        lazy_position += side.sign() * quantity.mantissa();
                        if *left == 0 {
                            open.remove(&client_id.as_u128());
                        }
                    }
                    BarEvent::Cancelled { client_id, .. } | BarEvent::Rejected { client_id, .. } => {
                        prop_assert!(open.remove(&client_id.as_u128()).is_some());
                    }
                    BarEvent::Triggered { .. } => (),
                }
            }
            prop_assert!(share.is_none_or(|share| taken <= volume * i64::from(share) / 10_000));
            let left: BTreeMap<u128, i64> =
                matcher.open_orders().map(|(id, left)| (id.as_u128(), left.mantissa())).collect();
            prop_assert_eq!(&left, &open);
        }
    }

    /// Sleeping through bars that reach nobody changes nothing.
    #[test]
    fn sleeping_changes_nothing(
        orders in proptest::collection::vec(any_order(), 1..6),
        bars in proptest::collection::vec(any_bar(), 1..8),
    ) {
        let (mut sleepy, mut awake) = (BarMatcher::new(instrument(), TENTH), BarMatcher::new(instrument(), TENTH));
        for (id, order) in orders.iter().enumerate() {
            let order = read(&format!("{id} {order}"));
            sleepy.submit(&order, Timestamp::default());
            awake.submit(&order, Timestamp::default());
        }
        for (minute, (prices, volume)) in (1..).zip(&bars) {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            sleepy.on_bar(&bar(minute, *prices, *volume), &mut one);
            awake.wake_up();
            awake.on_bar(&bar(minute, *prices, *volume), &mut two);
            prop_assert_eq!(one, two);
        }
    }
}
