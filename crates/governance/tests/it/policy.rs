//! Deny rules, lists, caps, autonomy and quorum, each on both sides of its edge.

use crate::support::{ONE, name, person, put, seconds, usage, wish};
use proptest::prelude::*;
use tradewind_domain::{Side, Source};
use tradewind_governance::{
    ADDRESS_DELAY_NANOS, Act, At, Autonomy, Caps, Deny, Mode, Policy, Principal, Register, RequireDecision, Role,
    Ruling, SourceRule, Stage, Threshold, Usage, Wish, judge_policy,
};

const STRATEGY: Source = Source::Strategy(0);

/// What `policy`, changed by `set`, says to a strategy's ordinary wish, changed by `change`.
fn check(set: impl FnOnce(&mut Policy), change: impl FnOnce(&mut Wish, &mut Usage), want: Result<u8, &str>) {
    check_of(&Principal::of_source(STRATEGY), set, change, want);
}

fn check_of(
    by: &Principal,
    set: impl FnOnce(&mut Policy),
    change: impl FnOnce(&mut Wish, &mut Usage),
    want: Result<u8, &str>,
) {
    let (mut policy, mut wish, mut usage) = (Policy::default(), wish(STRATEGY), usage());
    wish.by = by.name.clone();
    set(&mut policy);
    change(&mut wish, &mut usage);
    let found = match judge_policy(&policy, by, &wish, &usage) {
        Ruling::Allowed => Ok(0),
        Ruling::NeedsApproval { quorum } => Ok(quorum),
        Ruling::Denied(refused) => {
            assert!(!refused.value.is_empty() && !refused.limit.is_empty(), "{refused:?}");
            Err(refused.info().code)
        }
    };
    assert_eq!(found, want, "{policy:?} {wish:?} {usage:?}");
}

/// A policy that lets the ordinary wish pass in live mode.
fn live(policy: &mut Policy) {
    policy.allow.venues.insert("binance".into());
    policy.allow.markets.insert("spot".into());
    policy.allow.symbols.insert("BTC/USDT".into());
    policy.caps = Caps { order: Some(1_000 * ONE), day: Some(10_000 * ONE), orders_day: None };
}

fn in_live(_: &mut Wish, usage: &mut Usage) {
    usage.mode = Mode::Live;
}

#[test]
fn an_empty_policy_lets_paper_trade_and_keeps_live_closed() {
    check(|_| (), |_, _| (), Ok(0));
    check(|_| (), in_live, Err("GOV-05"));
    check(live, in_live, Ok(0));
}

#[test]
fn each_live_list_is_enough_to_stop_an_order() {
    type Empty = fn(&mut Policy);
    let cases: [(Empty, &str); 5] = [
        (|policy| policy.allow.venues.clear(), "GOV-05"),
        (|policy| policy.allow.markets.clear(), "GOV-06"),
        (|policy| policy.allow.symbols.clear(), "GOV-07"),
        (|policy| policy.caps.order = None, "GOV-13"),
        (|policy| policy.caps.day = None, "GOV-14"),
    ];
    for (empty, code) in cases {
        check(
            |policy| {
                live(policy);
                empty(policy);
            },
            in_live,
            Err(code),
        );
    }
}

#[test]
fn a_list_that_is_set_holds_on_paper_too_and_compares_bytes() {
    let only = |symbol: &'static str| move |policy: &mut Policy| put(policy.allow.symbols.insert(symbol.into()));
    check(only("BTC/USDT"), |_, _| (), Ok(0));
    for other in ["btc/usdt", "BTC/USD", "BTC/USDTT", "ETH/USDT"] {
        check(only(other), |_, _| (), Err("GOV-07"));
    }
    type Name = fn(&mut Wish, &mut Usage);
    let cases: [(Name, &str); 4] = [
        (|wish, _| wish.chain = Some("base".into()), "GOV-08"),
        (|wish, _| wish.token = Some("0xaa".into()), "GOV-09"),
        (|wish, _| wish.router = Some("0xbb".into()), "GOV-10"),
        (|wish, _| wish.address = Some("0xcc".into()), "GOV-11"),
    ];
    for (named, code) in cases {
        let set = |policy: &mut Policy| {
            policy.allow.chains.insert("ethereum".into());
            policy.allow.tokens.insert("0x01".into());
            policy.allow.routers.insert("0x02".into());
        };
        check(set, named, Err(code));
    }
}

#[test]
fn s4_45_a_new_address_waits_a_day_from_when_it_was_listed() {
    let to = |wish: &mut Wish, _: &mut Usage| wish.address = Some("0xcc".into());
    check(|_| (), to, Err("GOV-11")); // nowhere is value sent by an empty list, on paper either
    for (age, want) in [(0, Err("GOV-12")), (ADDRESS_DELAY_NANOS - 1, Err("GOV-12")), (ADDRESS_DELAY_NANOS, Ok(0))] {
        let listed = seconds(0).plus_nanos(-age);
        check(|policy| put(policy.allow.addresses.insert("0xcc".into(), listed)), to, want);
    }
}

#[test]
fn s4_49_disguised_names_are_refused_before_anything_is_looked_up() {
    let allow_all = |policy: &mut Policy| policy.deny.clear();
    for symbol in ["BTC\u{200B}/USDT", "\u{0412}TC/USDT", "\u{202E}TDSU/CTB", "", "BTC USDT", "BTC/USDT\n"] {
        check(allow_all, |wish, _| wish.symbol = symbol.into(), Err("GOV-01"));
        check(allow_all, |wish, _| wish.address = Some(symbol.into()), Err("GOV-01"));
    }
    let base64 = |wish: &mut Wish, _: &mut Usage| wish.symbol = "QlRDL1VTRFQ=".into();
    check(|policy| put(policy.allow.symbols.insert("BTC/USDT".into())), base64, Err("GOV-07"));
}

#[test]
fn deny_rules_are_asked_first_and_hold_for_exits_too() {
    let deny = |rule: Deny| move |policy: &mut Policy| policy.deny.push(rule);
    let rule = |change: fn(&mut Deny)| {
        let mut rule = Deny::default();
        change(&mut rule);
        rule
    };
    let matching: [fn(&mut Deny); 6] = [
        |_| (),
        |deny| deny.venue = Some("binance".into()),
        |deny| deny.symbol = Some("BTC/USDT".into()),
        |deny| deny.side = Some(Side::Buy),
        |deny| deny.source = Some(name("strategy-0")),
        |deny| (deny.market, deny.kind) = (Some("spot".into()), Some(tradewind_governance::Kind::Strategy)),
    ];
    for change in matching {
        check(deny(rule(change)), |_, _| (), Err("GOV-03"));
        check(deny(rule(change)), |_, usage| usage.reduces = true, Err("GOV-03"));
    }
    let other: [fn(&mut Deny); 5] = [
        |deny| deny.venue = Some("kraken".into()),
        |deny| deny.chain = Some("base".into()),
        |deny| deny.side = Some(Side::Sell),
        |deny| deny.source = Some(name("strategy-1")),
        |deny| (deny.symbol, deny.side) = (Some("BTC/USDT".into()), Some(Side::Sell)),
    ];
    for change in other {
        check(deny(rule(change)), |_, _| (), Ok(0));
    }
}

#[test]
fn caps_allow_their_own_value_and_not_one_unit_more() {
    let amount = |units: i64| move |_: &mut Wish, usage: &mut Usage| usage.notional = Some(units.into());
    let order = |policy: &mut Policy| policy.caps.order = Some(100 * ONE);
    check(order, amount(100 * ONE), Ok(0));
    check(order, amount(100 * ONE + 1), Err("GOV-13"));
    let own = |caps: Caps| {
        move |policy: &mut Policy| {
            policy.sources.insert(name("strategy-0"), SourceRule { autonomy: None, caps });
        }
    };
    let day = Caps { day: Some(300 * ONE), ..Caps::default() };
    check(own(day), |_, usage| usage.source_day = i128::from(200 * ONE), Ok(0));
    check(own(day), |_, usage| usage.source_day = i128::from(200 * ONE) + 1, Err("GOV-14"));
    let all = |policy: &mut Policy| policy.caps.day = Some(300 * ONE);
    check(all, |_, usage| usage.day = i128::from(200 * ONE), Ok(0));
    check(all, |_, usage| usage.day = i128::from(200 * ONE) + 1, Err("GOV-15"));
    let count = Caps { orders_day: Some(3), ..Caps::default() };
    check(own(count), |_, usage| usage.source_orders = 2, Ok(0));
    check(own(count), |_, usage| usage.source_orders = 3, Err("GOV-16"));
    // the tighter of the source's and the common cap holds
    let both = |policy: &mut Policy| {
        own(Caps { order: Some(50 * ONE), ..Caps::default() })(policy);
        order(policy);
    };
    check(both, amount(50 * ONE), Ok(0));
    check(both, amount(50 * ONE + 1), Err("GOV-13"));
    // numbers that cannot be: nothing passes a cap unknown, negative or past every bound
    for notional in [None, Some(-1), Some(i128::MAX), Some(i128::MIN)] {
        for set in [order as fn(&mut Policy), all] {
            let (mut policy, by) = (Policy::default(), Principal::of_source(STRATEGY));
            set(&mut policy);
            let usage = Usage { notional, day: 1, ..usage() };
            assert!(matches!(judge_policy(&policy, &by, &wish(STRATEGY), &usage), Ruling::Denied(_)), "{notional:?}");
        }
    }
}

#[test]
fn a_stage_caps_what_is_held_and_open_together() {
    let stage = |policy: &mut Policy| policy.stage = Stage::shipped(1);
    let held = |units: i64| move |_: &mut Wish, usage: &mut Usage| usage.exposure = Some(units.into());
    check(stage, held(900 * ONE), Ok(0));
    check(stage, held(900 * ONE + 1), Err("GOV-17"));
    check(stage, |_, usage| usage.exposure = None, Err("GOV-17"));
    check(stage, |_, usage| (usage.exposure, usage.reduces) = (Some(i128::MAX), true), Ok(0));
}

#[test]
fn autonomy_decides_who_waits_for_a_person() {
    let agent = Principal::of_source(Source::Agent(0));
    let named = |autonomy| {
        move |policy: &mut Policy| {
            let rule = SourceRule { autonomy: Some(autonomy), ..SourceRule::default() };
            policy.sources.insert(name("agent-0"), rule);
            policy.sources.insert(name("anna"), rule);
        }
    };
    check_of(&agent, |_| (), |_, _| (), Ok(1)); // an agent waits unless it is named
    check_of(&agent, |_| (), |_, usage| usage.reduces = true, Ok(1));
    check_of(&agent, named(Autonomy::Bounded), |_, _| (), Ok(0));
    check_of(&agent, named(Autonomy::ResearchOnly), |_, _| (), Err("GOV-04"));
    check_of(&agent, named(Autonomy::ResearchOnly), |_, usage| usage.reduces = true, Err("GOV-04"));
    let anna = person("anna", &[Role::Trader]);
    check_of(&anna, |_| (), |_, _| (), Ok(0));
    check_of(&anna, named(Autonomy::HumanApproval), |_, _| (), Ok(1));
    check_of(&anna, named(Autonomy::HumanApproval), |_, usage| usage.reduces = true, Ok(0)); // nobody is locked in
    check_of(&person("rita", &[Role::Approver]), |_| (), |_, _| (), Err("GOV-02"));
}

#[test]
fn larger_orders_need_more_persons_and_exits_need_none() {
    let steps = |policy: &mut Policy| {
        policy.approvals = vec![Threshold { from: 1_000 * ONE, quorum: 2 }, Threshold { from: 100 * ONE, quorum: 1 }];
    };
    for (units, quorum) in [(100 * ONE - 1, 0), (100 * ONE, 1), (1_000 * ONE - 1, 1), (1_000 * ONE, 2), (i64::MAX, 2)] {
        check(steps, |_, usage| usage.notional = Some(units.into()), Ok(quorum));
        check(steps, |_, usage| (usage.notional, usage.reduces) = (Some(units.into()), true), Ok(0));
    }
    check(steps, |_, usage| usage.notional = None, Err("GOV-13"));
}

proptest! {
    /// Attack 44: however small the orders are and whoever places them, the caps of a day hold, and a new day opens.
    #[test]
    fn the_sum_of_a_day_never_exceeds_its_caps(
        orders in proptest::collection::vec((0_u16..4, 1_i64..200, 0_i64..172_800), 1..200)
    ) {
        let caps = |day: i64| SourceRule { autonomy: None, caps: Caps { day: Some(day * ONE), ..Caps::default() } };
        let mut policy = Policy { caps: Caps { day: Some(1_000 * ONE), ..Caps::default() }, ..Policy::default() };
        policy.sources.insert(name("strategy-0"), caps(400));
        let mut orders = orders;
        orders.sort_by_key(|(.., second)| *second);
        let mut register = Register::default();
        let mut sums = std::collections::BTreeMap::<(i64, u16), i64>::new();
        for (place, (strategy, size, second)) in orders.into_iter().enumerate() {
            let by = Principal::of_source(Source::Strategy(strategy));
            let usage = Usage { now: seconds(second), notional: Some(i128::from(size * ONE)), ..usage() };
            let usage = register.with_spent(&by.name, usage);
            if judge_policy(&policy, &by, &wish(Source::Strategy(strategy)), &usage) == Ruling::Allowed {
                let at = At { sequence: place as u64, now: usage.now, incarnation: crate::support::RUN };
                register.apply(&Act::Spent { by: by.name.clone(), units: size * ONE }, at);
                *sums.entry((usage.now.nanos() / 86_400_000_000_000, strategy)).or_default() += size;
            }
        }
        for day in sums.keys().map(|(day, _)| *day) {
            prop_assert!(sums.iter().filter(|((other, _), _)| *other == day).map(|(_, sum)| sum).sum::<i64>() <= 1_000);
            prop_assert!(sums.get(&(day, 0)).copied().unwrap_or(0) <= 400);
        }
    }

    /// A policy that only adds deny rules, or lowers a number, never allows what was denied.
    #[test]
    fn tightening_never_opens_a_door(cap in 1_i64..500, tighter in 1_i64..500, size in 1_i64..600, deny in any::<bool>()) {
        let set = |cap: i64| Policy { caps: Caps { order: Some(cap * ONE), ..Caps::default() }, ..Policy::default() };
        let (old, mut new) = (set(cap.max(tighter)), set(cap.min(tighter)));
        if deny {
            new.deny.push(Deny { symbol: Some("BTC/USDT".into()), ..Deny::default() });
        }
        prop_assert!(new.looser_than(&old).is_empty());
        let usage = Usage { notional: Some(i128::from(size * ONE)), ..usage() };
        let judge = |policy: &Policy| judge_policy(policy, &Principal::of_source(STRATEGY), &wish(STRATEGY), &usage);
        if judge(&old) != Ruling::Allowed {
            prop_assert_ne!(judge(&new), Ruling::Allowed);
        }
    }
}

#[test]
fn a_decision_is_asked_of_whom_the_policy_says_and_of_nobody_who_has_named_one() {
    use RequireDecision::{Agents, All, Off};
    let anna = person("anna", &[Role::Trader]);
    let [strategy, agent, host] = [STRATEGY, Source::Agent(0), Source::Host].map(Principal::of_source);
    let cases = [
        (Off, [Ok(0), Ok(1), Ok(0), Ok(0)]),
        (Agents, [Ok(0), Err("GOV-38"), Ok(0), Ok(0)]),
        (All, [Err("GOV-38"), Err("GOV-38"), Err("GOV-38"), Ok(0)]),
    ];
    for (rule, want) in cases {
        for (by, want) in [&strategy, &agent, &anna, &host].into_iter().zip(want) {
            check_of(by, |policy| policy.require_decision = rule, |_, _| (), want);
            let named = |wish: &mut Wish, _: &mut Usage| wish.decision = Some(7);
            check_of(by, |policy| policy.require_decision = rule, named, want.or(Ok(u8::from(by == &agent))));
        }
    }
    let reduces = |_: &mut Wish, usage: &mut Usage| usage.reduces = true;
    check_of(&anna, |policy| policy.require_decision = All, reduces, Ok(0));
    check_of(&strategy, |policy| policy.require_decision = All, reduces, Err("GOV-38"));
}

#[test]
fn asking_fewer_for_decisions_is_a_loosening_that_takes_two() {
    let policy = |require_decision| Policy { require_decision, ..Policy::default() };
    let all = [RequireDecision::Off, RequireDecision::Agents, RequireDecision::All];
    for (place, old) in all.into_iter().enumerate() {
        for (other, new) in all.into_iter().enumerate() {
            let looser = policy(new).looser_than(&policy(old));
            assert_eq!(looser == ["require_decision"], other < place, "{old:?} to {new:?}");
        }
    }
}

#[test]
fn how_many_persons_an_order_needs_is_told_without_the_rest_of_the_policy() {
    let approvals = [(20, 2), (10, 1)].map(|(from, quorum)| Threshold { from: from * ONE, quorum });
    let policy =
        Policy { approvals: approvals.into(), caps: Caps { order: Some(1), ..Caps::default() }, ..Policy::default() };
    let of = |source, notional: Option<i64>, reduces| {
        let usage = Usage { notional: notional.map(i128::from), reduces, ..usage() };
        policy.quorum(&Principal::of_source(source), &usage).map_err(|refused| refused.rule)
    };
    for (units, strategy, agent) in
        [(10 * ONE - 1, 0, 1), (10 * ONE, 1, 1), (20 * ONE - 1, 1, 1), (20 * ONE, 2, 2), (30 * ONE, 2, 2)]
    {
        assert_eq!(of(STRATEGY, Some(units), false), Ok(strategy), "{units}");
        assert_eq!(of(Source::Agent(0), Some(units), false), Ok(agent), "{units} of an agent");
        assert_eq!(of(STRATEGY, Some(units), true), Ok(0), "{units} of a way out");
        assert_eq!(of(Source::Agent(0), Some(units), true), Ok(1), "{units} of an agent's way out");
        assert_eq!(of(Source::Operator, Some(units), true), Ok(0), "{units} of a person's way out");
    }
    assert_eq!(of(STRATEGY, None, false), Err(tradewind_governance::Rule::OrderCap), "it depends on what is not known");
}
