use super::model::Model;
use super::{MatchEvent, MatchingCore, MatchingRules, NewOrder, PreventedMatch, ReplaceError, SelfTrade};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::{Coded, OcoGroup, OrderKind, Price, Quantity, Side, TimeInForce, Timestamp};

/// Reads orders such as `1 buy 5 @100 post`, `2/7 sell 3 ^95 @94` with a stop at 95, `3 buy 1 v95` to be touched there.
fn read(text: &str) -> NewOrder {
    let mut words = text.split_whitespace();
    let (id, owner) = match words.next().unwrap().split_once('/') {
        Some((id, owner)) => (id.parse().unwrap(), owner.parse().unwrap()),
        None => (text.split_whitespace().next().unwrap().parse().unwrap(), 0),
    };
    let side = if words.next() == Some("buy") { Side::Buy } else { Side::Sell };
    let quantity = Quantity::from_mantissa(words.next().unwrap().parse().unwrap());
    let mut order = NewOrder::market(id, owner, side, quantity);
    if owner == 0 {
        order.owner = u32::try_from(id).unwrap() + 100; // everybody is somebody else
    }
    let (mut limit, mut trigger, mut touched) = (None, None, None);
    for word in words {
        match word.split_at(1) {
            ("@", price) => limit = Some(price.parse().map(Price::from_mantissa).unwrap()),
            ("^", price) => trigger = Some(price.parse().map(Price::from_mantissa).unwrap()),
            ("v", price) => touched = Some(price.parse().map(Price::from_mantissa).unwrap()),
            ("#", group) => order.oco = Some(OcoGroup(group.parse().unwrap())),
            ("~", until) => order.time_in_force = TimeInForce::Gtd(Timestamp::from_nanos(until.parse().unwrap())),
            _ => match word {
                "ioc" => order.time_in_force = TimeInForce::Ioc,
                "fok" => order.time_in_force = TimeInForce::Fok,
                "post" => order.post_only = true,
                "expire-taker" => order.self_trade = SelfTrade::ExpireTaker,
                "expire-maker" => order.self_trade = SelfTrade::ExpireMaker,
                "expire-both" => order.self_trade = SelfTrade::ExpireBoth,
                "decrement" => order.self_trade = SelfTrade::Decrement,
                _ => panic!("{word}"),
            },
        }
    }
    order.kind = match (limit, trigger, touched) {
        (None, None, None) => OrderKind::Market,
        (Some(price), None, None) => OrderKind::Limit { price },
        (None, Some(trigger), None) => OrderKind::Stop { trigger },
        (Some(price), Some(trigger), None) => OrderKind::StopLimit { trigger, price },
        (None, None, Some(trigger)) => OrderKind::Touched { trigger },
        (Some(price), None, Some(trigger)) => OrderKind::LimitTouched { trigger, price },
        (_, Some(_), Some(_)) => panic!("{text}: two triggers"),
    };
    order
}

fn line(event: &MatchEvent) -> String {
    match event {
        MatchEvent::Accepted { id } => format!("{id} accepted"),
        MatchEvent::Rejected { id, reason } => format!("{id} rejected: {reason:?}"),
        MatchEvent::Trade(t) => {
            format!(
                "trade {}: {} takes {} from {} at {}",
                t.trade_id,
                t.taker,
                t.quantity.mantissa(),
                t.maker,
                t.price.mantissa()
            )
        }
        MatchEvent::Prevented(it) => {
            let lost = [it.taker_prevented, it.maker_prevented].map(Quantity::mantissa);
            format!(
                "{} is kept from {} at {}: {} and {} prevented",
                it.taker,
                it.maker,
                it.price.mantissa(),
                lost[0],
                lost[1]
            )
        }
        MatchEvent::Rested { id, price, open } => format!("{id} rests {} at {}", open.mantissa(), price.mantissa()),
        MatchEvent::Triggered { id } => format!("{id} triggered"),
        MatchEvent::Replaced { id, price, open, kept_priority } => {
            let place = if *kept_priority { "keeps" } else { "loses" };
            format!("{id} replaced by {} at {}, {place} its place", open.mantissa(), price.mantissa())
        }
        MatchEvent::Cancelled { id, open, reason } => {
            format!("{id} cancelled with {} left: {reason:?}", open.mantissa())
        }
        MatchEvent::Expired { id, open } => format!("{id} expired with {} left", open.mantissa()),
    }
}

fn run(core: &mut MatchingCore, script: &str) -> String {
    let (mut out, mut now) = (Vec::new(), Timestamp::default());
    for step in script.split('|').map(str::trim) {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words[0] {
            "cancel" => assert!(core.cancel(words[1].parse().unwrap(), &mut out)),
            "at" => {
                now = Timestamp::from_nanos(words[1].parse().unwrap());
                core.expire(now, &mut out);
            }
            "replace" => {
                let price = Price::from_mantissa(words[3][1..].parse().unwrap());
                let open = Quantity::from_mantissa(words[2].parse().unwrap());
                core.replace(words[1].parse().unwrap(), price, open, now, &mut out).unwrap();
            }
            _ => core.submit(read(step), now, &mut out),
        }
    }
    out.iter().filter(|event| !matches!(event, MatchEvent::Accepted { .. })).map(|event| line(event) + "\n").collect()
}

#[allow(clippy::needless_pass_by_value)]
fn check(script: &str, want: Expect) {
    want.assert_eq(&run(&mut MatchingCore::default(), script));
}

#[test]
fn better_prices_first_and_then_who_came_first() {
    check(
        "1 sell 5 @101 | 2 sell 5 @100 | 3 sell 5 @100 | 4 buy 12 @101",
        expect![[r#"
            1 rests 5 at 101
            2 rests 5 at 100
            3 rests 5 at 100
            trade 1: 4 takes 5 from 2 at 100
            trade 2: 4 takes 5 from 3 at 100
            trade 3: 4 takes 2 from 1 at 101
        "#]],
    );
}

#[test]
fn time_in_force_says_what_becomes_of_the_rest() {
    check(
        "1 sell 5 @100 | 2 buy 9 @100 ioc | 3 sell 5 @100 | 4 buy 6 @100 fok | 5 buy 5 @100 fok | 6 buy 1 | \
         7 buy 2 @99 ~10 | at 9 | at 10 | 8 buy 1 @99 ~10",
        expect![[r#"
            1 rests 5 at 100
            trade 1: 2 takes 5 from 1 at 100
            2 cancelled with 4 left: Immediate
            3 rests 5 at 100
            4 cancelled with 6 left: Kill
            trade 2: 5 takes 5 from 3 at 100
            6 cancelled with 1 left: NoLiquidity
            7 rests 2 at 99
            7 expired with 2 left
            8 rejected: Expired
        "#]],
    );
}

#[test]
fn post_only_rests_or_is_rejected() {
    check(
        "1 sell 5 @100 | 2 buy 1 @100 post | 3 buy 1 @99 post | 4 buy 1 @99 post ioc | 5 buy 1 post",
        expect![[r#"
            1 rests 5 at 100
            2 rejected: WouldCross
            3 rests 1 at 99
            4 rejected: Contradiction
            5 rejected: Contradiction
        "#]],
    );
}

#[test]
fn a_self_trade_is_prevented_as_the_incoming_order_says() {
    let rest = "1/7 sell 5 @100 | 2/8 sell 5 @101";
    let table = [
        ("", None, 2, 0),
        (" expire-taker", Some("8 and 0"), 0, 0),
        (" expire-maker", Some("0 and 5"), 1, 3),
        (" expire-both", Some("8 and 5"), 0, 0),
        (" decrement", Some("5 and 5"), 1, 0),
    ];
    for (rule, lost, trades, left) in table {
        let mut core = MatchingCore::default();
        let text = run(&mut core, &format!("{rest} | 3/7 buy 8 @101{rule}"));
        assert_eq!(text.matches("trade").count(), trades, "{rule}: {text}");
        assert_eq!(text.matches("is kept from").count(), usize::from(lost.is_some()), "{rule}: {text}");
        let line = lost.map(|lost| format!("3 is kept from 1 at 100: {lost} prevented\n"));
        assert!(line.is_none_or(|line| text.contains(&line)), "{rule}: {text}");
        let resting: i64 = core.orders(Side::Buy).map(|order| order.open.mantissa()).sum();
        assert_eq!(resting, left, "{rule}: {text}");
        assert_eq!(core.open_quantity(1).is_some(), rule == " expire-taker", "{rule}: {text}");
    }
}

/// Of either side, and whichever of the two is larger: none of these leaves a part of an order that it ends.
#[test]
fn a_rule_that_expires_ends_whole_orders_of_either_side_at_any_size() {
    for (rests, comes) in [("sell", "buy"), ("buy", "sell")] {
        for (maker, taker) in [(5, 8), (8, 5), (5, 5)] {
            let rested = format!("1 rests {maker} at 100\n");
            for (rule, from_taker, from_maker) in
                [("expire-taker", taker, 0), ("expire-maker", 0, maker), ("expire-both", taker, maker)]
            {
                let mut core = MatchingCore::default();
                let script = format!("1/7 {rests} {maker} @100 | 2/7 {comes} {taker} @100 {rule}");
                let mut want = format!("{rested}2 is kept from 1 at 100: {from_taker} and {from_maker} prevented\n");
                if from_taker == 0 {
                    want += &format!("2 rests {taker} at 100\n");
                }
                assert_eq!(run(&mut core, &script), want, "{script}");
                assert_eq!(core.open_orders(), usize::from(from_taker == 0) + usize::from(from_maker == 0), "{script}");
            }
        }
    }
}

#[test]
fn a_decrement_takes_the_smaller_from_both_and_the_larger_goes_on_with_the_rest() {
    for (rests, comes) in [("sell", "buy"), ("buy", "sell")] {
        for (maker, taker, lost) in [(5, 8, 5), (8, 5, 5), (5, 5, 5)] {
            let mut core = MatchingCore::default();
            let script = format!("1/7 {rests} {maker} @100 | 2/7 {comes} {taker} @100 decrement");
            let mut want = format!("1 rests {maker} at 100\n2 is kept from 1 at 100: {lost} and {lost} prevented\n");
            if taker > lost {
                want += &format!("2 rests {} at 100\n", taker - lost);
            }
            assert_eq!(run(&mut core, &script), want, "{script}");
            let left = |id| core.open_quantity(id).unwrap_or_default().mantissa();
            assert_eq!([left(1), left(2)], [maker - lost, taker - lost], "{script}");
        }
    }
}

#[test]
fn a_resting_order_that_is_lowered_by_a_decrement_keeps_its_place() {
    check(
        "1/7 sell 8 @100 | 2/8 sell 5 @100 | 3/7 buy 3 @100 decrement | 4/9 buy 6 @100",
        expect![[r#"
            1 rests 8 at 100
            2 rests 5 at 100
            3 is kept from 1 at 100: 3 and 3 prevented
            trade 1: 4 takes 5 from 1 at 100
            trade 2: 4 takes 1 from 2 at 100
        "#]],
    );
}

#[test]
fn what_a_decrement_took_is_neither_filled_nor_still_to_be_taken() {
    check(
        "1/7 sell 5 @100 | 2/8 sell 2 @101 | 3/7 buy 9 @101 ioc decrement | 4/7 sell 5 @100 | 5/8 sell 5 @100 | \
         6/7 buy 6 @100 fok decrement | 7/7 buy 1 @100 post decrement | 8/7 buy 7 decrement | 9/8 sell 2 @99 | \
         10/7 sell 9 @100 | 11/7 buy 5 @100 fok decrement",
        expect![[r#"
            1 rests 5 at 100
            2 rests 2 at 101
            3 is kept from 1 at 100: 5 and 5 prevented
            trade 1: 3 takes 2 from 2 at 101
            3 cancelled with 2 left: Immediate
            4 rests 5 at 100
            5 rests 5 at 100
            6 cancelled with 6 left: Kill
            7 rejected: WouldCross
            8 is kept from 4 at 100: 5 and 5 prevented
            trade 2: 8 takes 2 from 5 at 100
            9 rests 2 at 99
            10 rests 9 at 100
            trade 3: 11 takes 2 from 9 at 99
            trade 4: 11 takes 3 from 5 at 100
        "#]],
    );
}

#[test]
fn a_prevented_match_prints_no_price_wakes_no_stop_and_ends_no_group() {
    let mut core = MatchingCore::default();
    let text = run(
        &mut core,
        "1/9 sell 5 ^100 | 2/7 buy 5 @99 #1 | 3/7 buy 5 ^120 #1 | 4/7 sell 2 @99 decrement | 5/7 sell 3 @99 decrement",
    );
    expect![[r#"
        2 rests 5 at 99
        4 is kept from 2 at 99: 2 and 2 prevented
        5 is kept from 2 at 99: 3 and 3 prevented
    "#]]
    .assert_eq(&text);
    assert_eq!((core.last_price(), core.best_bid()), (None, None));
    assert_eq!([1, 2, 3].map(|id| core.open_quantity(id).is_some()), [true, false, true]);
}

#[test]
fn fill_or_kill_counts_only_what_it_may_take() {
    check(
        "1/7 sell 5 @100 | 2/8 sell 5 @101 | 3/7 buy 6 @101 fok expire-maker | 4/7 buy 6 @101 fok expire-taker | 5/7 buy 6 @101 fok",
        expect![[r#"
            1 rests 5 at 100
            2 rests 5 at 101
            3 cancelled with 6 left: Kill
            4 cancelled with 6 left: Kill
            trade 1: 5 takes 5 from 1 at 100
            trade 2: 5 takes 1 from 2 at 101
        "#]],
    );
}

#[test]
fn stops_wake_on_trades_and_may_wake_others() {
    check(
        "1 buy 1 @100 | 2 buy 1 @95 | 3 buy 5 @90 | 4 sell 1 ^100 | 5 sell 1 ^95 @93 | 6 sell 1 ^80 | 7 sell 1",
        expect![[r#"
            1 rests 1 at 100
            2 rests 1 at 95
            3 rests 5 at 90
            trade 1: 7 takes 1 from 1 at 100
            4 triggered
            trade 2: 4 takes 1 from 2 at 95
            5 triggered
            5 rests 1 at 93
        "#]],
    );
}

#[test]
fn a_stop_that_is_passed_already_wakes_at_once() {
    check(
        "1 buy 9 @100 | 2 sell 1 | 3 sell 1 ^100 | 4 buy 1 ^99 @98",
        expect![[r#"
            1 rests 9 at 100
            trade 1: 2 takes 1 from 1 at 100
            3 triggered
            trade 2: 3 takes 1 from 1 at 100
            4 triggered
            4 rests 1 at 98
        "#]],
    );
}

#[test]
fn an_order_to_be_touched_wakes_when_the_market_comes_its_way() {
    check(
        "1 buy 1 @100 | 2 buy 1 @95 | 3 buy 5 @90 | 4 sell 5 @120 | 5 buy 1 v95 @94 | 6 buy 1 v100 | 7 sell 1 v110 | \
         8 sell 1",
        expect![[r#"
            1 rests 1 at 100
            2 rests 1 at 95
            3 rests 5 at 90
            4 rests 5 at 120
            trade 1: 8 takes 1 from 1 at 100
            6 triggered
            trade 2: 6 takes 1 from 4 at 120
            7 triggered
            trade 3: 7 takes 1 from 2 at 95
            5 triggered
            5 rests 1 at 94
        "#]],
    );
}

#[test]
fn an_order_that_is_touched_already_wakes_at_once() {
    check(
        "1 buy 9 @100 | 2 sell 1 | 3 buy 1 v100 @99 | 4 buy 1 v99 @98 | 5 sell 1 v100 | 6 sell 1 v101",
        expect![[r#"
            1 rests 9 at 100
            trade 1: 2 takes 1 from 1 at 100
            3 triggered
            3 rests 1 at 99
            5 triggered
            trade 2: 5 takes 1 from 1 at 100
        "#]],
    );
}

#[test]
fn one_trade_in_an_oco_group_cancels_the_rest() {
    check(
        "1/7 sell 5 @110 #1 | 2/7 sell 5 ^90 #1 | 3/8 sell 5 @111 #1 | 4 buy 2 @110",
        expect![[r#"
            1 rests 5 at 110
            3 rests 5 at 111
            trade 1: 4 takes 2 from 1 at 110
            2 cancelled with 5 left: Oco
        "#]],
    );
}

#[test]
fn a_venue_may_end_the_group_when_its_stop_wakes() {
    let mut core = MatchingCore::new(MatchingRules { oco_ends_on_trigger: true });
    let text = run(&mut core, "1/7 sell 5 @110 #1 | 2/7 sell 5 ^90 @95 #1 | 3 buy 1 @90 | 4 sell 1");
    expect![[r#"
        1 rests 5 at 110
        3 rests 1 at 90
        trade 1: 4 takes 1 from 3 at 90
        2 triggered
        1 cancelled with 5 left: Oco
        2 rests 5 at 95
    "#]]
    .assert_eq(&text);
}

#[test]
fn only_shrinking_at_the_same_price_keeps_the_place() {
    check(
        "1 sell 5 @100 | 2 sell 5 @100 | replace 1 3 @100 | 3 buy 3 | replace 2 6 @100 | 4 sell 1 @100 | \
         replace 2 7 @100 | 5 buy 1 | replace 2 2 @99",
        expect![[r#"
            1 rests 5 at 100
            2 rests 5 at 100
            1 replaced by 3 at 100, keeps its place
            trade 1: 3 takes 3 from 1 at 100
            2 replaced by 6 at 100, loses its place
            2 rests 6 at 100
            4 rests 1 at 100
            2 replaced by 7 at 100, loses its place
            2 rests 7 at 100
            trade 2: 5 takes 1 from 4 at 100
            2 replaced by 2 at 99, loses its place
            2 rests 2 at 99
        "#]],
    );
}

#[test]
fn a_refused_replace_says_why_and_changes_nothing() {
    let mut core = MatchingCore::default();
    run(&mut core, "1 buy 5 @100 post | 2 sell 5 @105 | 3 sell 1 ^90");
    for (id, price, open, code) in
        [(9, 100, 1, "BOK-01"), (3, 100, 1, "BOK-02"), (1, 100, 0, "BOK-03"), (1, 105, 1, "BOK-04")]
    {
        let mut out = Vec::new();
        let refused = core.replace(
            id,
            Price::from_mantissa(price),
            Quantity::from_mantissa(open),
            Timestamp::default(),
            &mut out,
        );
        let error = refused.unwrap_err();
        assert_eq!((error.code(), out.len()), (code, 0), "{error}: {}", error.hint());
        assert!(matches!(error, ReplaceError::Unknown(_)) || core.open_quantity(id).is_some());
    }
}

#[test]
fn depth_adds_up_what_rests() {
    let mut core = MatchingCore::default();
    run(&mut core, "1 buy 5 @99 | 2 buy 3 @99 | 3 buy 1 @98 | 4 sell 2 @101 | 5 sell 1 @99");
    let depth: Vec<_> = core.depth(Side::Buy).map(|l| (l.price.mantissa(), l.quantity.mantissa(), l.orders)).collect();
    assert_eq!(depth, [(99, 7, 2), (98, 1, 1)]);
    assert_eq!(core.best_ask(), Some(Price::from_mantissa(101)));
    assert_eq!(core.last_price(), Some(Price::from_mantissa(99)));
    assert_eq!(core.orders(Side::Buy).map(|order| order.id).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(core.open_orders(), 4);
}

#[derive(Clone, Debug)]
enum Act {
    Submit(NewOrder),
    Cancel(u64),
    Replace(u64, i64, i64),
    Wait(i64),
}

fn any_order() -> impl Strategy<Value = NewOrder> {
    let kind = (0..12_u8, 95_i64..106, 95_i64..106).prop_map(|(kind, a, b)| match (kind, Price::from_mantissa(a)) {
        (0, _) => OrderKind::Market,
        (1, trigger) => OrderKind::Stop { trigger },
        (2, trigger) => OrderKind::StopLimit { trigger, price: Price::from_mantissa(b) },
        (3, trigger) => OrderKind::Touched { trigger },
        (4, trigger) => OrderKind::LimitTouched { trigger, price: Price::from_mantissa(b) },
        (_, price) => OrderKind::Limit { price },
    });
    let until = (0_i64..80).prop_map(|until| TimeInForce::Gtd(Timestamp::from_nanos(until)));
    let force =
        prop_oneof![6 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::Ioc), 2 => Just(TimeInForce::Fok), 1 => until];
    let own = prop_oneof![
        3 => Just(SelfTrade::None),
        1 => Just(SelfTrade::ExpireTaker),
        1 => Just(SelfTrade::ExpireMaker),
        1 => Just(SelfTrade::ExpireBoth),
        2 => Just(SelfTrade::Decrement)
    ];
    let group = prop_oneof![4 => Just(None), 1 => (0_u64..3).prop_map(|group| Some(OcoGroup(group)))];
    (any::<bool>(), 0_i64..20, 0_u32..4, kind, force, prop::bool::weighted(0.15), own, group).prop_map(
        |(buy, quantity, owner, kind, time_in_force, post_only, self_trade, oco)| NewOrder {
            id: 0,
            owner,
            side: if buy { Side::Buy } else { Side::Sell },
            kind,
            time_in_force,
            post_only,
            quantity: Quantity::from_mantissa(quantity),
            self_trade,
            oco,
        },
    )
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => any_order().prop_map(Act::Submit),
        2 => (0_u64..60).prop_map(Act::Cancel),
        2 => (0_u64..60, 95_i64..106, 0_i64..15).prop_map(|(id, price, open)| Act::Replace(id, price, open)),
        1 => (0_i64..20).prop_map(Act::Wait),
    ]
}

/// An open order by what was told of it.
struct Booked {
    order: NewOrder,
    /// What it is in all; a replacement changes it.
    asked: i64,
    executed: i64,
    prevented: i64,
}

impl Booked {
    fn left(&self) -> i64 {
        self.asked - self.executed - self.prevented
    }
}

/// Books every event against the orders as they were sent: nothing appears, nothing vanishes, both sides agree. What was
/// executed, what was prevented, what ended and what is left of an order are together what it asked for.
#[derive(Default)]
struct Ledger {
    open: BTreeMap<u64, Booked>,
}

impl Ledger {
    fn book(&mut self, event: &MatchEvent) {
        match event {
            MatchEvent::Trade(trade) => {
                for (id, left, side) in [
                    (trade.maker, trade.maker_open, trade.aggressor.opposite()),
                    (trade.taker, trade.taker_open, trade.aggressor),
                ] {
                    let it = self.open.get_mut(&id).expect("only open orders trade");
                    it.executed += trade.quantity.mantissa();
                    assert_eq!((it.order.side, it.left()), (side, left.mantissa()));
                    let beyond =
                        it.order.kind.limit().map_or(0, |l| side.sign() * (trade.price.mantissa() - l.mantissa()));
                    assert!(beyond <= 0, "no order trades past its limit");
                    if it.left() == 0 {
                        self.open.remove(&id);
                    }
                }
            }
            MatchEvent::Prevented(met) => self.prevent(met),
            MatchEvent::Cancelled { id, open, .. } | MatchEvent::Expired { id, open } => {
                assert_eq!(self.open.remove(id).expect("only open orders end").left(), open.mantissa());
            }
            MatchEvent::Replaced { id, open, price, .. } => {
                let it = self.open.get_mut(id).expect("only open orders are replaced");
                it.order.kind = OrderKind::Limit { price: *price };
                it.asked = it.executed + it.prevented + open.mantissa();
            }
            MatchEvent::Rested { id, open, .. } => assert_eq!(self.open[id].left(), open.mantissa()),
            MatchEvent::Accepted { .. } | MatchEvent::Rejected { .. } | MatchEvent::Triggered { .. } => (),
        }
    }

    fn prevent(&mut self, met: &PreventedMatch) {
        let [maker, taker] = [met.maker, met.taker].map(|id| self.open[&id].order);
        assert_eq!((maker.owner, maker.side), (taker.owner, taker.side.opposite()));
        assert_ne!(taker.self_trade, SelfTrade::None);
        if taker.self_trade == SelfTrade::Decrement {
            let lost = [met.maker_prevented, met.taker_prevented];
            assert_eq!(lost, [met.quantity; 2], "what one loses the other loses");
        }
        for (id, lost, left) in
            [(met.maker, met.maker_prevented, met.maker_open), (met.taker, met.taker_prevented, met.taker_open)]
        {
            let it = self.open.get_mut(&id).expect("only open orders meet");
            it.prevented += lost.mantissa();
            assert_eq!(it.left(), left.mantissa());
            if left.is_zero() {
                self.open.remove(&id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The fast market and the obvious one tell the same story, and it adds up.
    #[test]
    fn the_core_and_the_obvious_market_agree(acts in proptest::collection::vec(any_act(), 1..60), early in any::<bool>()) {
        let mut core = MatchingCore::new(MatchingRules { oco_ends_on_trigger: early });
        let mut model = Model::new(early);
        let (mut now, mut ledger) = (Timestamp::default(), Ledger::default());
        for (id, act) in acts.into_iter().enumerate() {
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            match act {
                Act::Submit(order) => {
                    let order = NewOrder { id: id as u64, ..order };
                    core.submit(order, now, &mut fast);
                    model.submit(order, now, &mut slow);
                    if fast.contains(&MatchEvent::Accepted { id: order.id }) {
                        let asked = order.quantity.mantissa();
                        ledger.open.insert(order.id, Booked { order, asked, executed: 0, prevented: 0 });
                    }
                }
                Act::Cancel(id) => {
                    let cancelled = model.cancel(id, super::CancelReason::Requested, &mut slow);
                    prop_assert_eq!(core.cancel(id, &mut fast), cancelled);
                }
                Act::Replace(id, price, open) => {
                    let price = Price::from_mantissa(price);
                    let said = core.replace(id, price, Quantity::from_mantissa(open), now, &mut fast);
                    prop_assert_eq!(said, model.replace((id, price, open), now, &mut slow));
                }
                Act::Wait(nanos) => {
                    now = now.plus_nanos(nanos);
                    core.expire(now, &mut fast);
                    model.expire(now, &mut slow);
                }
            }
            prop_assert_eq!(&fast, &slow);
            fast.iter().for_each(|event| ledger.book(event));
            prop_assert_eq!(core.open_orders(), ledger.open.len());
            for (id, it) in &ledger.open {
                prop_assert_eq!(core.open_quantity(*id).map(Quantity::mantissa), Some(it.left()), "{}", id);
            }
            check_books(&core, &model);
        }
    }
}

fn check_books(core: &MatchingCore, model: &Model) {
    for side in [Side::Buy, Side::Sell] {
        let mut want: Vec<_> =
            model.listed.iter().filter(|l| l.order.side == side && l.order.kind.trigger().is_none()).collect();
        want.sort_by_key(|l| (-side.sign() * l.order.kind.limit().unwrap().mantissa(), l.came));
        let want: Vec<_> = want.iter().map(|l| (l.order.id, l.open)).collect();
        let orders: Vec<_> = core.orders(side).collect();
        assert_eq!(orders.iter().map(|o| (o.id, o.open.mantissa())).collect::<Vec<_>>(), want);
        for level in core.depth(side) {
            let at: Vec<_> = orders.iter().filter(|o| o.price == level.price).collect();
            assert_eq!(level.orders, at.len());
            assert_eq!(level.quantity.mantissa(), at.iter().map(|o| o.open.mantissa()).sum::<i64>());
        }
        assert_eq!(core.best_bid().zip(core.best_ask()).filter(|(bid, ask)| bid >= ask), None, "never crossed");
    }
}
