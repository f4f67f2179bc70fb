//! Names, markets and refusals as people read them, and how much is remembered.

use crate::support::{ONE, World, at, bitcoin, name, person, seconds, wish};
use tradewind_domain::{
    Coded, InstrumentKind, InstrumentSpec, OptionRight, OrderRequest, PortfolioId, Price, Quantity, Side, Source,
};
use tradewind_governance::{
    Act, Caps, Change, ChangeState, Changed, Held, Mode, Policy, Principal, ProposalState, Refused, Register, Role,
    Rule, Ruling, SourceRule, Stage, Tighter, Usage, Wish, judge_policy,
};

#[test]
fn every_kind_of_market_has_the_name_that_policies_know() {
    let (expiry, strike) = (seconds(0), Price::from_mantissa(1));
    for (kind, want) in [
        (InstrumentKind::Spot, "spot"),
        (InstrumentKind::LinearPerpetual, "linear-perpetual"),
        (InstrumentKind::InversePerpetual, "inverse-perpetual"),
        (InstrumentKind::DatedFuture { expiry, inverse: true }, "dated-future"),
        (InstrumentKind::Option { expiry, strike, right: OptionRight::Put }, "option"),
        (InstrumentKind::Equity, "equity"),
    ] {
        let mut it = bitcoin();
        it.spec = InstrumentSpec { kind, ..it.spec };
        let request = OrderRequest::market(it.id, Side::Buy, Quantity::from_mantissa(1));
        let wish = Wish::of_order(name("tina"), Source::Operator, PortfolioId(0), &it, request, "a test");
        assert_eq!(wish.market, want);
        let allowed = |market: &str| {
            let mut policy = Policy::default();
            policy.allow.markets.insert(market.to_owned());
            let usage = Usage { now: seconds(0), mode: Mode::Paper, ..crate::support::usage() };
            judge_policy(&policy, &person("tina", &[Role::Trader]), &wish, &usage)
        };
        assert_eq!(allowed(want), Ruling::Allowed, "{want}");
        assert!(matches!(allowed("bonds"), Ruling::Denied(Refused { rule: Rule::Market, .. })), "{want}");
    }
}

#[test]
fn a_list_is_told_by_its_first_five_names() {
    let told = |symbols: &[&str]| {
        let mut policy = Policy::default();
        policy.allow.symbols.extend(symbols.iter().map(|it| (*it).to_owned()));
        let by = Principal::of_source(Source::Strategy(0));
        match judge_policy(&policy, &by, &wish(Source::Strategy(0)), &crate::support::usage()) {
            Ruling::Denied(refused) => (refused.value, refused.limit, refused.rule),
            other => panic!("{other:?}"),
        }
    };
    let five = ["A/USDT", "B/USDT", "C/USDT", "D/USDT", "E/USDT"];
    let all = "A/USDT, B/USDT, C/USDT, D/USDT, E/USDT";
    assert_eq!(told(&five), ("BTC/USDT".to_owned(), all.to_owned(), Rule::Symbol));
    let six = [&five[..], &["F/USDT"]].concat();
    assert_eq!(told(&six).1, format!("{all}, …"));
}

#[test]
fn a_refusal_says_the_code_and_the_way_out_of_its_rule() {
    for rule in [Rule::Venue, Rule::MoreApprovals, Rule::SecondPerson] {
        let refused = Refused::new(rule, "a", "b");
        assert_eq!((refused.code(), refused.hint()), (rule.info().code, rule.info().clear));
    }
    assert_eq!(Stage::shipped(1).unwrap().capital_text(), "1000");
    let hash = wish(Source::Agent(0)).hash();
    assert_eq!(hash.to_string(), hash.as_str());
    assert_eq!(hash.as_str().len(), 64);
}

#[test]
fn of_what_is_over_so_much_is_remembered_and_what_waits_is_never_forgotten() {
    let mut world = World::new(vec![person("anna", &[Role::Approver])]);
    let first = world.hold(Source::Agent(0), 1, 0);
    let second = world.hold(Source::Agent(0), 1, 0);
    let by = person("anna", &[Role::Approver]);
    let reject = |world: &mut World, proposal| {
        let act = Act::RejectionSaid { proposal, by: by.clone(), reason: "no".to_owned(), changes: false };
        world.say(act, 1);
    };
    reject(&mut world, second);
    for _ in 0..300 {
        let id = world.hold(Source::Agent(0), 1, 0);
        reject(&mut world, id);
    }
    let all = &world.register.proposals;
    assert_eq!(all.len(), 256);
    assert!(!all.contains_key(&second), "the oldest that is over went");
    assert_eq!(all[&first].state, ProposalState::Proposed, "older, and still waiting");
}

#[test]
fn of_changes_those_that_wait_for_their_second_person_stay() {
    let mut register = Register::default();
    let limit = |new| {
        let (name, tighter) = ("max_order.amount".to_owned(), Tighter::Lower);
        Changed::Limit { portfolio: PortfolioId(0), name, tighter, old: Some(5), new: Some(new) }
    };
    let ask = |register: &mut Register, id: u64, second: i64, state: ChangeState| {
        let change = Change {
            id,
            changed: limit(5 + i64::try_from(id).unwrap()),
            by: name("anna"),
            asked_at: seconds(second),
            reason: "a test".to_owned(),
            state,
        };
        register.apply(&Act::ChangeAsked(change), at(id, second));
    };
    let done = || ChangeState::Done { approver: None };
    ask(&mut register, 1, 0, ChangeState::Asked); // a day later its time is over
    ask(&mut register, 2, 86_400, ChangeState::Asked);
    for id in 3..=256 {
        ask(&mut register, id, 86_400, done());
    }
    assert_eq!(register.changes.len(), 256);
    ask(&mut register, 257, 86_400, done());
    assert!(!register.changes.contains_key(&1) && register.changes.contains_key(&2));
    ask(&mut register, 258, 86_400, done());
    assert!(register.changes.contains_key(&2) && !register.changes.contains_key(&3), "the oldest that is over");
}

#[test]
fn an_order_at_its_cap_is_held_with_what_the_policy_saw() {
    let caps = Caps { order: Some(100 * ONE), ..Caps::default() };
    let policy = Policy { caps, ..Policy::default() };
    let held = Held::new(5, wish(Source::Agent(0)), 1, seconds(0), crate::support::RUN);
    assert_eq!(held.hash, held.wish.hash());
    let by = Principal::of_source(Source::Agent(0));
    let usage = crate::support::usage(); // 100
    assert_eq!(judge_policy(&policy, &by, &held.wish, &usage), Ruling::NeedsApproval { quorum: 1 });
    let more = Usage { notional: Some(i128::from(100 * ONE) + 1), ..usage };
    assert!(matches!(judge_policy(&policy, &by, &held.wish, &more), Ruling::Denied(_)));
}

#[test]
fn what_was_spent_is_counted_where_a_cap_of_the_day_calls_for_it() {
    let rule = |caps| SourceRule { caps, ..SourceRule::default() };
    let of_source = |caps| Policy { sources: [(name("agent-0"), rule(caps))].into(), ..Policy::default() };
    let day = Caps { day: Some(1), ..Caps::default() };
    let count = Caps { orders_day: Some(1), ..Caps::default() };
    let order = Caps { order: Some(1), ..Caps::default() };
    for (policy, counts) in [
        (Policy::default(), false),
        (Policy { caps: order, ..Policy::default() }, false),
        (of_source(order), false),
        (Policy { caps: day, ..Policy::default() }, true),
        (of_source(day), true),
        (of_source(count), true),
    ] {
        assert_eq!(policy.counts_usage(), counts, "{policy:?}");
    }
}

#[test]
fn a_young_address_is_told_by_the_hours_since_it_was_listed() {
    let hours = |hours: i64| {
        let mut policy = Policy::default();
        policy.allow.addresses.insert("0xabc".to_owned(), seconds(-hours * 3_600 - 60));
        let wish = Wish { address: Some("0xabc".to_owned()), ..wish(Source::Strategy(0)) };
        match judge_policy(&policy, &Principal::of_source(Source::Strategy(0)), &wish, &crate::support::usage()) {
            Ruling::Denied(refused) => refused.value,
            other => format!("{other:?}"),
        }
    };
    assert_eq!(hours(5), "0xabc listed 5 h ago");
    assert_eq!(hours(23), "0xabc listed 23 h ago");
    assert_eq!(hours(24), "Allowed");
}
