//! Limits as numbers: what loosens them, how they read, which of them mean nothing.

use crate::world::*;
use tradewind_domain::*;
use tradewind_risk::*;

#[test]
fn a_limit_loosens_away_from_its_tight_side_and_without_it_most_is_allowed() {
    let ceiling = Limit::find("gross").unwrap();
    let floor = Limit::find("reward_risk").unwrap();
    let borrow = Limit::find("borrow").unwrap();
    let method = Limit::find("var_method").unwrap();
    for (limit, old, new, want) in [
        (ceiling, Some(5), Some(6), true),
        (ceiling, Some(5), Some(5), false),
        (ceiling, Some(5), Some(4), false),
        (floor, Some(5), Some(4), true),
        (floor, Some(5), Some(5), false),
        (floor, Some(5), Some(6), false),
        (ceiling, Some(5), None, true),
        (floor, Some(5), None, true),
        (ceiling, None, Some(5), false),
        (floor, None, Some(5), false),
        (ceiling, None, None, false),
        (borrow, None, Some(1), true),
        (borrow, Some(1), None, false),
        (borrow, None, None, false),
        (method, None, Some(2), true),
        (method, Some(2), Some(4), true), // whatever is chosen instead may allow more
        (method, Some(4), None, true),
        (method, None, Some(1), false), // historical is what holds where nothing is said
        (method, Some(3), Some(3), false),
    ] {
        assert_eq!(limit.loosens(old, new), want, "{}: {old:?} to {new:?}", limit.name);
    }
    assert!(floor != ceiling && Limit::find("gross") == Some(ceiling) && Limit::find("no such").is_none());
}

#[test]
fn every_limit_says_its_value_in_its_own_unit() {
    let text = |name: &str, value| Limit::find(name).unwrap().text(value);
    assert_eq!(text("gross", Some(9_050)), "90.5 %");
    assert_eq!(text("open_orders", Some(200)), "200");
    assert_eq!(text("hard_order_amount", Some(100_000_000_000)), "1000");
    assert_eq!(text("gross", None), "none");
    assert_eq!(text("var_method", Some(3)), "monte-carlo");
    assert_eq!(text("var_method", None), "historical");
    assert_eq!(text("var_method", Some(5)), "5", "no word of it");
    let cap = |equity_bps, amount| Cap { equity_bps, amount }.text();
    assert_eq!(cap(Some(250), None), "2.5 % of equity");
    assert_eq!(cap(None, Some(150_000_000)), "1.5");
    assert_eq!(cap(Some(250), Some(150_000_000)), "2.5 % of equity or 1.5, the tighter");
    assert_eq!(cap(None, None), "none");
}

#[test]
fn of_two_caps_the_tighter_counts_at_every_equity() {
    let cap = Cap { equity_bps: Some(1_000), amount: Some(60_000) }; // a tenth of it, or so much
    for (equity, want) in [(590_000, 59_000), (600_000, 60_000), (610_000, 60_000), (-1, 0)] {
        assert_eq!(cap.units(equity), Some(want), "at {equity}");
    }
    assert_eq!(Cap::NONE.units(1), None);
}

#[test]
fn a_number_that_is_not_positive_is_named_in_its_unit() {
    for limit in LIMITS.iter().filter(|limit| limit.is_control()) {
        for value in [0, -1] {
            let mut set = LimitSet::of(Profile::Moderate);
            limit.set(&mut set, Some(value)).unwrap();
            let said = match limit.scope {
                LimitScope::Portfolio => set.limits.validate(),
                LimitScope::Account => set.account.caps.validate(),
            };
            let error = said.unwrap_err();
            assert_eq!((error.name, error.value.as_str()), (limit.name, limit.unit.text(value).as_str()));
            assert_eq!(error.code(), "GATE-90");
            assert!(error.hint().contains("leave a limit out to have none"));
        }
        let mut set = LimitSet::of(Profile::Moderate);
        limit.set(&mut set, Some(1)).unwrap();
        assert_eq!((set.limits.validate(), set.account.caps.validate()), (Ok(()), Ok(())), "{}", limit.name);
        limit.set(&mut set, None).unwrap();
        assert_eq!(limit.get(&set), limit.unit.unset());
    }
    let mut set = LimitSet::of(Profile::Moderate);
    Limit::find("var_method").unwrap().set(&mut set, Some(5)).unwrap();
    assert_eq!(set.account.caps.validate().unwrap_err().to_string(), "limit var_method cannot be 5");
}

/// The greatest number is tried as well: a limit that no count comes to would hold nothing back.
#[test]
fn a_limit_on_what_happens_within_a_time_is_one_that_the_count_comes_to() {
    const MOST: i64 = 1_024;
    let mut world = world(Profile::Moderate);
    let (portfolio, instrument, side) = (PortfolioId(0), InstrumentId(0), Side::Buy);
    let controls = world.limits.limits.controls.as_mut().unwrap();
    (controls.repeated_fills, controls.failed_trades, controls.order_failures) = (Some(MOST), Some(MOST), None);
    world.limits.account.caps.api_errors = Some(MOST);
    for times in 1..=MOST {
        let before = world.monitor.trips().len();
        world.fold(NOW, Fact::Filled { portfolio, instrument, side });
        world.fold(NOW, Fact::Rejected { portfolio });
        world.fold(NOW, Fact::ApiError);
        world.fold(NOW, Fact::Ordered { portfolio, instrument, side, quantity: quantity("1"), price: None });
        assert_eq!((before, world.monitor.trips().len()), (0, if times == MOST { 3 } else { 0 }), "{times}");
    }
    let orders = (world.monitor.orders_last_second(portfolio, NOW), world.monitor.account_orders_last_second(NOW));
    assert_eq!(orders, (MOST, MOST));

    for name in ["repeated_fills", "failed_trades", "orders_per_second", "api_errors", "account_orders_per_second"] {
        let limit = Limit::find(name).unwrap();
        let judged = |value| {
            let mut set = LimitSet::of(Profile::Moderate);
            limit.set(&mut set, Some(value)).unwrap();
            set.limits.validate().and_then(|()| set.account.caps.validate())
        };
        assert_eq!(judged(MOST), Ok(()), "{name}");
        let error = judged(MOST + 1).unwrap_err();
        assert_eq!((error.to_string(), error.code()), (format!("limit {name} cannot be 1025"), "GATE-90"));
        assert!(error.hint().contains("at most 1024"), "{}", error.hint());
    }
    let mut set = LimitSet::of(Profile::Moderate);
    Limit::find("consecutive_losses").unwrap().set(&mut set, Some(5_000)).unwrap();
    assert_eq!(set.limits.validate(), Ok(()), "what is counted in a row has no end");
}

#[test]
fn a_base_limit_that_fits_no_number_is_named_and_stays_as_it_was() {
    for name in ["max_order", "max_position", "daily_loss", "drawdown"] {
        let limit = Limit::find(name).unwrap();
        for value in [-1, 1 << 40] {
            let mut set = LimitSet::of(Profile::Moderate);
            let error = limit.set(&mut set, Some(value)).unwrap_err();
            assert_eq!((error.name, error.value.as_str()), (name, limit.unit.text(value).as_str()));
            assert_eq!(set, LimitSet::of(Profile::Moderate));
        }
        let mut set = LimitSet::of(Profile::Moderate);
        limit.set(&mut set, None).unwrap();
        assert_eq!((limit.get(&set), set.limits.validate()), (None, Ok(())), "{name}");
    }
}

#[test]
fn a_base_limit_that_means_nothing_is_named_as_the_settings_name_it() {
    for (name, value) in [
        ("max_order", 0),
        ("max_order_amount", -1),
        ("max_position", 0),
        ("max_position_amount", 0),
        ("daily_loss", 0),
        ("drawdown", 10_000),
        ("stale_after", 0),
    ] {
        let (limit, mut set) = (Limit::find(name).unwrap(), LimitSet::of(Profile::Moderate));
        limit.set(&mut set, Some(value)).unwrap();
        let error = set.limits.validate().unwrap_err();
        assert_eq!((error.name, error.value.as_str()), (name, limit.unit.text(value).as_str()));
    }
}

#[test]
fn whose_a_limit_is_stands_beside_its_use() {
    let of_account = |name| LimitUse { limit: Limit::find(name).unwrap(), value: Some(5), used: Some(7) };
    assert!(of_account("gross").is_of_account() && !of_account("leverage").is_of_account());
    assert_eq!(of_account("gross").distance(), Some(-2), "negative where it is exceeded");
    assert_eq!(LimitUse { used: None, ..of_account("gross") }.distance(), None);
}

#[test]
fn modes_classes_and_breaches_are_named_for_people() {
    assert_eq!(RiskMode::ALL.map(RiskMode::name), ["normal", "caution", "reduce-only", "halted"]);
    let expiry = Timestamp::from_millis(1_900_000_000_000);
    let strike = Price::from_mantissa(1);
    for (kind, class) in [
        (InstrumentKind::Spot, Class::Spot),
        (InstrumentKind::LinearPerpetual, Class::Perpetual),
        (InstrumentKind::InversePerpetual, Class::Perpetual),
        (InstrumentKind::DatedFuture { expiry, inverse: false }, Class::Future),
        (InstrumentKind::Option { expiry, strike, right: OptionRight::Call }, Class::Option),
        (InstrumentKind::Equity, Class::Equity),
    ] {
        let spec = InstrumentSpec { kind, ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test") };
        assert_eq!(Class::of(&Instrument { id: InstrumentId(0), spec }), class);
    }
    let world = crate::world::world(Profile::Moderate);
    let mut large = world;
    large.notional = 1_000_000_000 * crate::world::UNIT;
    let breach = large.check().unwrap_err();
    assert_eq!(breach.clear(), breach.guard.info().clear);
    assert!(breach.to_string().ends_with(breach.clear()));
}
