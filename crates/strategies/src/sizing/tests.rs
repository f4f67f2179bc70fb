//! Each rule by numbers that can be checked by hand.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::*;
use tradewind_domain::{Calendar, Coded, InstrumentKind, InstrumentSpec, Interval, Price, Timestamp};

fn sizing(table: &str) -> Sizing {
    Sizing::read(&table.parse().unwrap()).unwrap().unwrap()
}

fn listed(symbol: &str, kind: InstrumentKind, multiplier: (i64, u8)) -> Instrument {
    let spec = InstrumentSpec { kind, multiplier, ..InstrumentSpec::spot(symbol.parse().unwrap(), "test") };
    spec.list(InstrumentId(0)).unwrap()
}

fn spot() -> Instrument {
    listed("BTC/USDT", InstrumentKind::Spot, (1, 0))
}

/// What 10,000 of equity buy at a price of 100, where nine tenths may be held.
fn size(sizing: &Sizing, stop: Option<f64>) -> Result<f64, String> {
    let entry = Entry { instrument: &spot(), equity: 10_000.0, price: 100.0, stop, asked: 0.9 };
    sizing.quantity(&entry).map_err(Cow::into_owned)
}

fn bar(instrument: u32, minute: i64) -> Bar {
    Bar {
        instrument: InstrumentId(instrument),
        interval: Interval::HOUR,
        open_time: Timestamp::from_millis(minute * 3_600_000),
        open: Price::default(),
        high: Price::default(),
        low: Price::default(),
        close: Price::default(),
        volume: tradewind_domain::Quantity::default(),
    }
}

fn close(got: f64, wanted: f64) {
    assert!((got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{got} is not {wanted}");
}

#[test]
fn a_fixed_risk_is_lost_at_the_stop_and_nothing_is_bought_without_one() {
    let rule = sizing("rule = 'fixed-risk'\nrisk = 0.02");
    close(size(&rule, Some(95.0)).unwrap(), 40.0); // 40 pieces lose 5 each: 200 of 10,000
    close(size(&rule, Some(105.0)).unwrap(), 40.0);
    close(size(&rule, Some(99.9)).unwrap(), 90.0); // the strategy asks for no more than nine tenths
    assert_eq!(size(&rule, None).unwrap_err(), "sized by what its stop loses, and nothing says where that is");
    let error = size(&rule, Some(100.0)).unwrap_err();
    assert!(error.starts_with("fixed-risk cannot size the trade: "), "{error}");
}

#[test]
fn a_usual_move_loses_the_risk_however_wild_the_market_is() {
    let fed = |range: i64| {
        let mut rule = sizing("rule = 'atr'\nrisk = 0.01\nperiod = 4\nmultiple = 2.5");
        assert_eq!(size(&rule, None).unwrap_err(), "the true range that sizes the trade is warming up");
        swing(&mut rule, 100.0, range);
        size(&rule, None).unwrap()
    };
    close(fed(200), 20.0); // 20 pieces lose 100, a hundredth of equity, in a move of two and a half ranges of 2
    close(fed(400), 10.0);
    close(fed(2), 90.0); // the strategy asks for no more than nine tenths
    close(fed(0), 90.0); // nor does a market that does not move at all
}

#[test]
fn a_wild_market_is_held_less_of_than_a_calm_one() {
    let fed = |step: f64| {
        let mut rule = sizing("rule = 'volatility-target'\ntarget = 0.1\nperiod = 4\ndays_per_year = 365");
        assert_eq!(size(&rule, None).unwrap_err(), "the volatility that sizes the trade is warming up");
        (0..rule.warm_up()).for_each(|n| {
            let price = if n % 2 == 0 { 100.0 } else { 100.0 * step.exp() };
            rule.see(&bar(0, n as i64), price);
        });
        size(&rule, None).unwrap()
    };
    // four log returns of one size and alternating sign: their standard deviation is `step * sqrt(4 / 3)` an hour
    let by_hand = |step: f64| 10.0 / (step * (4.0_f64 / 3.0 * 365.0 * 24.0).sqrt());
    close(fed(0.01), by_hand(0.01));
    close(fed(0.02), by_hand(0.02));
    close(fed(0.0), 90.0); // a market that does not move at all: what the strategy asks for
}

#[test]
fn kelly_stakes_a_share_of_the_records_fraction_and_nothing_without_an_edge() {
    let rule = |more: &str| sizing(&format!("rule = 'kelly'\nshrink = false\n{more}"));
    // 60 % of bets won at 1:1: p - (1 - p) / b = 0.2
    close(size(&rule("wins = 60\ntrades = 100\npayoff = 1.0\nshare = 1.0"), None).unwrap(), 20.0);
    close(size(&rule("wins = 60\ntrades = 100\npayoff = 1.0"), None).unwrap(), 10.0);
    close(size(&rule("wins = 60\ntrades = 100\npayoff = 1.0\nshare = 0.25"), None).unwrap(), 5.0);
    close(size(&rule("wins = 90\ntrades = 100\npayoff = 2.0\nshare = 1.0"), None).unwrap(), 25.0); // the cap
    let unsure = sizing("rule = 'kelly'\nwins = 6\ntrades = 10\npayoff = 1.0");
    let sure = sizing("rule = 'kelly'\nwins = 6000\ntrades = 10000\npayoff = 1.0");
    assert!(size(&unsure, None).unwrap() < 4.0, "ten trades say little");
    assert!(size(&sure, None).unwrap() > 9.9, "ten thousand say much");
    let none = rule("wins = 50\ntrades = 100\npayoff = 1.0");
    assert_eq!(size(&none, None).unwrap_err(), "Kelly stakes nothing: the record of trades has no edge");
}

/// Prices of two markets, of which the second moves twice as far, at other times.
fn two_markets(rule: &mut Sizing, bars: i64) {
    let all = [InstrumentId(0), InstrumentId(1)];
    *rule = rule.clone().among(all[0], &all);
    for n in 0..bars {
        let calm = if n % 2 == 0 { 100.0 } else { 101.0 };
        let wild = if n / 2 % 2 == 0 { 50.0 } else { 51.0 };
        rule.see(&bar(0, n), calm);
        rule.see(&bar(1, n), wild);
    }
}

#[test]
fn risk_parity_holds_less_of_what_moves_more() {
    let mut rule = sizing("rule = 'risk-parity'\ngross = 0.8\nperiod = 40");
    two_markets(&mut rule, 41);
    let calm = size(&rule, None).unwrap();
    let Rule::RiskParity { panel, .. } = &rule.rule else { unreachable!() };
    let weights = panel.weights(&Calendar::Continuous).unwrap();
    close(weights.iter().sum(), 1.0);
    close(calm, 80.0 * weights[0]);
    assert!(weights[0] > weights[1] && weights[1] > 0.0, "{weights:?}");
}

#[test]
fn risk_parity_wants_bars_that_all_markets_told() {
    let mut rule = sizing("rule = 'risk-parity'\nperiod = 40");
    two_markets(&mut rule, 40);
    let warming = "risk-parity cannot size the trade: it has seen 39 of 40 bars that all markets told";
    assert_eq!(size(&rule, None).unwrap_err(), warming);
    rule.see(&bar(0, 40), 100.0); // the other market is silent
    assert_eq!(size(&rule, None).unwrap_err(), warming);
    rule.see(&bar(7, 40), 100.0); // and this one is none of them
    assert_eq!(size(&rule, None).unwrap_err(), warming);
    rule.see(&bar(1, 40), 50.0);
    assert!(size(&rule, None).is_ok());
}

#[test]
fn risk_parity_leaves_out_what_moved_while_bars_were_missing() {
    let all = [InstrumentId(0), InstrumentId(1)];
    let fed = |bars: i64, jump: f64| {
        let mut rule = sizing("rule = 'risk-parity'\ngross = 0.8\nperiod = 40").among(all[0], &all);
        for n in 0..bars {
            let (hour, level) = if n < 21 { (n, 1.0) } else { (n + 10, jump) };
            rule.see(&bar(0, hour), if n % 2 == 0 { 100.0 } else { 101.0 });
            rule.see(&bar(1, hour), level * if n / 2 % 2 == 0 { 50.0 } else { 51.0 });
        }
        size(&rule, None)
    };
    let warming = "risk-parity cannot size the trade: it has seen 39 of 40 bars that all markets told";
    assert_eq!(fed(41, 1.0).unwrap_err(), warming, "one of the 40 moves is over ten missing hours");
    close(fed(42, 10.0).unwrap(), fed(42, 1.0).unwrap());
}

#[test]
fn a_closed_market_lacks_no_bar() {
    let all = [InstrumentId(0), InstrumentId(1)];
    let closes = [(100.0, 50.0), (101.0, 52.0), (100.0, 49.0), (102.0, 51.0)];
    // from a Thursday to a Tuesday of November 2024: a weekend, then the same days with the Monday missing
    for (days, hours, seen) in [
        ([7, 8, 11, 12], Calendar::new_york_stocks(), 3),
        ([7, 8, 11, 12], Calendar::foreign_exchange(), 3),
        ([7, 8, 11, 12], Calendar::Continuous, 2),
        ([7, 8, 12, 13], Calendar::new_york_stocks(), 2),
        ([7, 8, 12, 13], Calendar::foreign_exchange(), 2),
    ] {
        let mut panel = Panel::over(3);
        panel.watch(all[0], &all);
        for (day, (one, other)) in days.into_iter().zip(closes) {
            let open_time = Timestamp::from_millis(1_730_419_200_000 + (day - 1) * 86_400_000);
            for (instrument, price) in all.into_iter().zip([one, other]) {
                panel.see(&Bar { instrument, interval: Interval::DAY, open_time, ..bar(0, 0) }, price);
            }
        }
        let told = panel.weights(&hours).map(|weights| weights.len());
        let want = if seen == 3 { Ok(2) } else { Err("it has seen 2 of 3 bars that all markets told".to_owned()) };
        assert_eq!(told, want, "{days:?} of {hours:?}");
    }
}

#[test]
fn risk_parity_of_one_market_is_the_whole_of_it() {
    let mut rule = sizing("rule = 'risk-parity'\ngross = 0.5\nperiod = 20").among(InstrumentId(3), &[]);
    (0..21).for_each(|n| rule.see(&bar(3, n), 100.0));
    close(size(&rule, None).unwrap(), 50.0);
}

#[test]
fn without_equity_no_rule_sizes_a_trade() {
    for rule in ["rule = 'fixed-risk'", "rule = 'kelly'\nwins = 6\ntrades = 10\npayoff = 1.0"] {
        let entry = Entry { instrument: &spot(), equity: 0.0, price: 100.0, stop: Some(99.0), asked: 1.0 };
        assert_eq!(sizing(rule).quantity(&entry).unwrap_err(), "there is no equity to size a trade by");
    }
}

/// Bars of a market that stands at `price`, each `range` hundredths of a percent of it long.
fn swing(rule: &mut Sizing, price: f64, range: i64) {
    let at = Price::from_mantissa;
    let (open, high, low, close) = (at(10_000), at(10_000 + range / 2), at(10_000 - range / 2), at(10_000));
    (0..rule.warm_up()).for_each(|n| rule.see(&Bar { open, high, low, close, ..bar(0, n as i64) }, price));
}

#[test]
fn a_contract_is_sized_by_what_it_stands_for() {
    let thousandth = listed("BTC/USDT:USDT", InstrumentKind::LinearPerpetual, (1, 3));
    let size = |rule: &Sizing| {
        let entry = Entry { instrument: &thousandth, equity: 10_000.0, price: 100.0, stop: Some(95.0), asked: 0.9 };
        rule.quantity(&entry).unwrap()
    };
    close(size(&sizing("rule = 'fixed-risk'\nrisk = 0.02")), 40_000.0);
    close(size(&sizing("rule = 'fixed-risk'\nrisk = 0.5")), 90_000.0); // nine tenths, at a tenth each
    let kelly = "rule = 'kelly'\nshrink = false\nwins = 60\ntrades = 100\npayoff = 1.0\nshare = 1.0";
    close(size(&sizing(kelly)), 20_000.0);
    let mut range = sizing("rule = 'atr'\nrisk = 0.01\nperiod = 4\nmultiple = 2.5");
    swing(&mut range, 100.0, 200);
    close(size(&range), 20_000.0);
}

#[test]
fn an_inverse_contract_is_sized_by_what_it_wins_and_loses_of_its_coin() {
    let dollar = listed("BTC/USD:BTC", InstrumentKind::InversePerpetual, (1, 0));
    // two coins at 50,000, of which nine tenths may be exposed: 90,000 dollars
    let size = |rule: &Sizing, stop: f64, asked: f64| {
        let entry = Entry { instrument: &dollar, equity: 2.0, price: 50_000.0, stop: Some(stop), asked };
        rule.quantity(&entry).map_err(Cow::into_owned)
    };
    let long = |rule: &Sizing| size(rule, 40_000.0, 0.9).unwrap();
    let fixed = sizing("rule = 'fixed-risk'\nrisk = 0.02");
    close(long(&fixed), 8_000.0); // 0.04 of a coin over 1/40,000 - 1/50,000
    close(size(&fixed, 62_500.0, -0.9).unwrap(), 10_000.0); // over 1/50,000 - 1/62,500
    close(long(&sizing("rule = 'fixed-risk'\nrisk = 0.5")), 90_000.0);
    let kelly = "rule = 'kelly'\nshrink = false\nwins = 60\ntrades = 100\npayoff = 1.0\nshare = 1.0";
    close(long(&sizing(kelly)), 20_000.0);

    let ranging = |range: i64| {
        let mut rule = sizing("rule = 'atr'\nrisk = 0.01\nperiod = 4\nmultiple = 2.5");
        swing(&mut rule, 50_000.0, range);
        rule
    };
    close(long(&ranging(200)), 19_000.0); // 0.02 over 1/47,500 - 1/50,000
    close(size(&ranging(200), 1.0, -0.9).unwrap(), 21_000.0); // over 1/50,000 - 1/52,500
    let error = size(&ranging(10_000), 1.0, 0.9).unwrap_err();
    assert_eq!(error, "atr cannot size the trade: such a move would leave no price");

    let mut wild = sizing("rule = 'volatility-target'\ntarget = 0.1\nperiod = 4\ndays_per_year = 365");
    (0..wild.warm_up()).for_each(|n| {
        let price = if n % 2 == 0 { 100.0 } else { 100.0 * 0.01_f64.exp() };
        wild.see(&bar(0, n as i64), price);
    });
    close(long(&wild), 100_000.0 * 0.1 / (0.01 * (4.0_f64 / 3.0 * 365.0 * 24.0).sqrt()));
    let mut parity = sizing("rule = 'risk-parity'\ngross = 0.5\nperiod = 20").among(InstrumentId(3), &[]);
    (0..21).for_each(|n| parity.see(&bar(3, n), 100.0));
    close(long(&parity), 50_000.0);
}

#[test]
fn what_cannot_be_a_rule_is_told_with_its_value() {
    let error = |table: &str| {
        let error = Sizing::read(&table.parse().unwrap()).unwrap_err();
        assert!(!error.hint().is_empty());
        format!("{} {error}", error.code())
    };
    let known = "there are fixed-risk, atr, volatility-target, kelly, risk-parity";
    assert_eq!(error("rule = 'martingale'"), format!("STR-07 no sizing rule is called `martingale`; {known}"));
    assert_eq!(error("risk = 0.1"), format!("STR-07 no sizing rule is called ``; {known}"));
    assert_eq!(error("rule = 3"), format!("STR-07 no sizing rule is called `3`; {known}"));
    assert_eq!(error("rule = 'fixed-risk'\nriks = 0.1"), "STR-02 fixed-risk has no parameter `riks`; it has risk");
    assert_eq!(error("rule = 'fixed-risk'\nrisk = 2"), "STR-04 fixed-risk: risk is 2, which is outside 0.0001 to 1");
    assert_eq!(error("rule = 'kelly'"), "STR-04 kelly: trades is 0, which is outside 1 to 1000000");
    let wins = "rule = 'kelly'\nwins = 3\ntrades = 2\npayoff = 1.0";
    assert_eq!(error(wins), "STR-05 kelly: wins must not be more than trades, but they are 3 and 2");
    assert_eq!(
        error("rule = 'risk-parity'\nperiod = 1"),
        "STR-04 risk-parity: period is 1, which is outside 20 to 10000"
    );
    assert_eq!(Sizing::read(&Table::new()).unwrap().map(|it| it.name()), None, "no table, no rule");
}

#[test]
fn the_documented_defaults_are_those_of_the_code() {
    for rule in rules() {
        let record = if rule.name == "kelly" { "trades = 10\npayoff = 2.0\n" } else { "" };
        let bare = sizing(&format!("rule = '{}'\n{record}", rule.name));
        let mut documented: Table = rule.template().parse().unwrap();
        documented.insert("rule".to_owned(), rule.name.into());
        documented.extend(record.parse::<Table>().unwrap());
        let spelled = Sizing::read(&documented).unwrap().unwrap();
        assert_eq!((bare.name(), bare.version()), (rule.name, spelled.version()));
    }
}
