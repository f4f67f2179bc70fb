//! Guards that no number bounds, and what reducing orders pass.

use crate::world::*;
use expect_test::expect;
use tradewind_domain::*;
use tradewind_risk::*;

fn check(change: impl FnOnce(&mut World), want: &expect_test::Expect) {
    let mut world = world(Profile::Conservative);
    change(&mut world);
    let text = world.check().map_or_else(|breach| breach.to_string(), |()| "passes".to_owned());
    want.assert_eq(&text);
}

#[test]
fn an_ordinary_order_passes_every_profile() {
    for profile in Profile::ALL {
        assert_eq!(world(profile).check(), Ok(()), "{}", profile.name());
    }
}

#[test]
fn a_quote_that_makes_no_sense_refuses() {
    check(
        |world| world.quote = Some(quote("100.02", "100.01")),
        &expect![
            "RSK-14 data: the market data cannot be relied on: there is bid 100.02 and ask 100.01, needed is a bid above zero and not above the ask; to clear: wait for the feed, or check it with `tradewind status`"
        ],
    );
    check(
        |world| world.quote = Some(quote("0", "100.01")),
        &expect![
            "RSK-14 data: the market data cannot be relied on: there is bid 0 and ask 100.01, needed is a bid above zero and not above the ask; to clear: wait for the feed, or check it with `tradewind status`"
        ],
    );
    check(
        |world| world.quote = Some(quote("110", "110.01")),
        &expect![
            "RSK-14 data: the market data cannot be relied on: there is a book 10 % from the mark, needed is 5 % at most; to clear: wait for the feed, or check it with `tradewind status`"
        ],
    );
    check(
        |world| world.reference.at = NOW.plus_nanos(1_000_000_001),
        &expect![
            "RSK-14 data: the market data cannot be relied on: there is a mark from 2026-05-16T12:00:01.000000001Z, needed is 2026-05-16T12:00:00Z at most; to clear: wait for the feed, or check it with `tradewind status`"
        ],
    );
}

#[test]
fn a_stake_that_nothing_values_refuses_what_adds_and_not_what_reduces() {
    let mut world = world(Profile::Conservative);
    world.unvalued = 1;
    assert_eq!(world.refusal(), Some(Guard::Data));
    (world.reduces, world.request.side) = (true, Side::Sell);
    assert_eq!(world.refusal(), None);
}

#[test]
fn a_market_order_meets_our_own_order_within_its_collar_only() {
    let meets = |side, own: &str| {
        let mut world = world(Profile::Conservative);
        (world.request.side, world.own_opposite) = (side, Some(price(own)));
        world.refusal() == Some(Guard::SelfMatch)
    };
    let table = [(Side::Buy, "101", true), (Side::Buy, "101.01", false), (Side::Buy, "90", true)];
    let mirror = [(Side::Sell, "99", true), (Side::Sell, "98.9", false), (Side::Sell, "110", true)];
    for (side, own, want) in table.into_iter().chain(mirror) {
        assert_eq!(meets(side, own), want, "{side:?} against our own at {own}");
    }
}

#[test]
fn what_another_hand_has_resting_is_met_by_nothing_but_a_way_out() {
    let meets = |reduces: bool, side, theirs: &str| {
        let mut world = world(Profile::Conservative);
        (world.reduces, world.request.side, world.foreign_opposite) = (reduces, side, Some(price(theirs)));
        let said = world.check().err();
        said.map(|said| (said.guard, said.value))
    };
    let told = |at: &str| Some((Guard::SelfMatch, format!("another hand's order on the account at {at}")));
    assert_eq!(meets(false, Side::Buy, "101"), told("101"));
    assert_eq!(meets(false, Side::Buy, "101.01"), None, "beyond its worst price");
    assert_eq!(meets(false, Side::Sell, "99"), told("99"));
    assert_eq!(meets(true, Side::Sell, "99"), None, "nobody is locked into a position");
}

#[test]
fn a_person_restricts_and_configuration_that_drifts_restricts() {
    let restricted = |mode| Fact::Restricted { scope: Scope::Portfolio(PortfolioId(0)), mode };
    check(
        |world| world.fold(NOW, restricted(RiskMode::ReduceOnly)),
        &expect![
            "RSK-01 operator: a person restricted trading: reduce-only since 2026-05-16T12:00:00Z, until a person resets it; to clear: ask who did, then `tradewind resume`"
        ],
    );
    check(
        |world| world.fold(NOW, Fact::Drifted),
        &expect![
            "RSK-12 config-drift: the configuration changed while positions were open: reduce-only since 2026-05-16T12:00:00Z, until a person resets it; to clear: compare it with what was approved, then `tradewind resume`"
        ],
    );
    let other = Fact::Restricted { scope: Scope::Portfolio(PortfolioId(7)), mode: RiskMode::Halted };
    check(|world| world.fold(NOW, other), &expect!["passes"]);
    let elsewhere = Fact::Restricted { scope: Scope::Instrument(InstrumentId(7)), mode: RiskMode::Halted };
    check(|world| world.fold(NOW, elsewhere), &expect!["passes"]);
}

/// What a reducing sell meets in each mode: plain, marked reduce-only, and by an operator.
#[test]
fn exits_pass_as_far_as_each_mode_says() {
    let passes = |mode, reduces: bool, reduce_only: bool, source| {
        let mut world = world(Profile::Conservative);
        world.fold(NOW, Fact::Restricted { scope: Scope::Account, mode });
        (world.reduces, world.request.reduce_only, world.source) = (reduces, reduce_only, source);
        world.refusal().is_none()
    };
    let (strategy, operator) = (Source::Strategy(0), Source::Operator);
    for (mode, entry, plain, marked, by_operator) in [
        (RiskMode::Caution, false, true, true, true), // an order of all of max_order is cut to half
        (RiskMode::ReduceOnly, false, true, true, true),
        (RiskMode::Halted, false, false, true, true),
    ] {
        assert_eq!(passes(mode, false, false, strategy), entry, "{mode:?}");
        assert_eq!(passes(mode, false, false, operator), entry, "{mode:?}: a person may not open either");
        assert_eq!(passes(mode, true, false, strategy), plain, "{mode:?}");
        assert_eq!(passes(mode, true, true, strategy), marked, "{mode:?}");
        assert_eq!(passes(mode, true, false, operator), by_operator, "{mode:?}");
    }
}

#[test]
fn an_exit_passes_everything_about_size_and_losses() {
    let mut world = world(Profile::Conservative);
    (world.reduces, world.request.side) = (true, Side::Sell);
    world.position = quantity("1");
    world.notional = 1_000_000 * UNIT;
    world.open_orders = 1_000_000;
    world.equity = -1;
    world.quote = Some(quote("90", "110"));
    world.plan = Some(Plan { hold: true, ..Plan::default() });
    for fact in [Fact::Rejected { portfolio: PortfolioId(0) }, Fact::Realised { portfolio: PortfolioId(0), profit: -1 }]
    {
        (0..50).for_each(|_| world.fold(NOW, fact));
    }
    assert_eq!(world.check(), Ok(()));
}

#[test]
fn an_exit_may_rest_far_on_its_good_side_and_not_on_its_bad_one() {
    let exit = |side, at: &str| {
        let mut world = world(Profile::Conservative);
        world.request = OrderRequest::limit(InstrumentId(0), side, quantity("1"), price(at));
        world.reduces = true;
        world.refusal()
    };
    assert_eq!(exit(Side::Sell, "150"), None);
    assert_eq!(exit(Side::Sell, "50"), Some(Guard::Collar));
    assert_eq!(exit(Side::Buy, "50"), None);
    assert_eq!(exit(Side::Buy, "150"), Some(Guard::Collar));
}

#[test]
fn a_duplicate_is_the_same_in_every_term_and_a_slice_is_none() {
    let again = |change: fn(&mut World)| {
        let mut world = world(Profile::Conservative);
        let (instrument, side, quantity) = (InstrumentId(0), Side::Buy, quantity("1"));
        world.fold(NOW, Fact::Ordered { portfolio: PortfolioId(0), instrument, side, quantity, price: None });
        change(&mut world);
        world.check().err().map(|breach| (breach.guard, breach.value))
    };
    let found = "Buy 1 again after 0 s".to_owned();
    assert_eq!(again(|_| ()), Some((Guard::Duplicate, found)));
    assert_eq!(again(|world| world.is_slice = true), None);
    assert_eq!(again(|world| world.request.quantity = quantity("1.001")), None);
    assert_eq!(again(|world| world.request.side = Side::Sell), None);
    assert_eq!(again(|world| world.request.kind = OrderKind::Limit { price: price("100") }), None);
}

#[test]
fn a_spread_does_not_matter_to_what_rests() {
    let wide = |change: fn(&mut World)| {
        let mut world = world(Profile::Conservative);
        world.quote = Some(quote("99.3", "100.3"));
        change(&mut world);
        world.refusal()
    };
    assert_eq!(wide(|_| ()), Some(Guard::Spread));
    assert_eq!(wide(|world| world.request.kind = OrderKind::Limit { price: price("100") }), None);
    assert_eq!(wide(|world| world.request.kind = OrderKind::Limit { price: price("100.3") }), Some(Guard::Spread));
    assert_eq!(wide(|world| world.request.side = Side::Sell), Some(Guard::Spread));
}

#[test]
fn what_sleeps_meets_nobody_and_what_is_hedged_is_no_asset_exposure() {
    let mut world = world(Profile::Conservative);
    world.own_opposite = Some(price("100"));
    world.request.kind = OrderKind::Stop { trigger: price("101") };
    assert_eq!(world.refusal(), None);
    world.own_opposite = None;
    world.hold(1, instrument(5, "BTC/USDT:USDT", "okx"), -1_900);
    world.hold(0, instrument(0, "BTC/USDT", "binance"), 1_900);
    assert_eq!(world.refusal(), None, "long spot against a short contract");
    world.lines[0].2 = 0;
    world.lines[0].3 = 0;
    world.hold(2, instrument(6, "BTC/USDC", "okx"), 100);
    assert_eq!(world.refusal(), Some(Guard::Asset));
}

#[test]
fn an_account_without_equity_opens_nothing() {
    let mut world = world(Profile::Conservative);
    world.equity = 0;
    assert_eq!(world.refusal(), Some(Guard::Leverage));
    world.equity = 10_000 * UNIT;
    world.account_equity = -1;
    assert_eq!(world.refusal(), Some(Guard::Asset));
}

#[test]
fn numbers_at_the_end_of_the_ledger_refuse_and_never_panic() {
    let mut world = world(Profile::Moderate);
    world.limits.account.caps.hard_order_amount = None;
    for notional in [i128::from(i64::MAX), i128::MAX / 4] {
        for equity in [1, i128::from(i64::MAX), -1] {
            (world.notional, world.equity, world.account_equity) = (notional, equity, equity);
            world.margin = Some(Margin {
                collateral: equity,
                others_maintenance: notional,
                others_initial: notional,
                rate: (1, 1),
            });
            assert!(world.refusal().is_some(), "{notional} of {equity}");
        }
    }
}

#[test]
fn without_any_limit_everything_passes() {
    let mut world = world(Profile::Demo);
    world.limits = LimitSet { limits: Limits::RESEARCH, account: AccountLimits::NONE };
    (world.notional, world.open_orders) = (i128::from(i64::MAX), i64::MAX);
    assert_eq!(world.check(), Ok(()));
}
