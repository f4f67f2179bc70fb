//! The report: its keys, its honesty about what cannot be known, and that page, JSON and statistics agree.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{Script, bar, plan, run, spec, still, wandering};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use tradewind_book::FillPolicy;
use tradewind_domain::{Bar, Calendar, InstrumentId, Interval, Origin};
use tradewind_gate::Limits;
use tradewind_quant::{Conventions, OrderCounts, Summary, SummaryInputs, TradeRecord};
use tradewind_research::report::{DataSource, Meta, Report, html};
use tradewind_research::{Backtest, Curve, Outcome, Plan};
use tradewind_strategies::{EmaTrend, EmaTrendParams};

fn trend() -> EmaTrend {
    EmaTrend::new(EmaTrendParams::default()).unwrap()
}

fn both(outcome: &Outcome, meta: Meta) -> (Value, String) {
    let report = Report::build(outcome, meta).unwrap();
    (serde_json::to_value(&report).unwrap(), html(&report))
}

/// A run that is held against what followed.
fn judged(plan: Plan, bars: &[Bar]) -> Outcome {
    let mut run = Backtest::new(plan).judging_signals();
    bars.iter().for_each(|bar| run.feed(bar).unwrap());
    run.finish()
}

/// The part of the page that people read.
fn body(page: &str) -> &str {
    page.split_once("</style>").unwrap().1.split_once("</main>").unwrap().0
}

/// Every value that the page carries for scripts, with the statistic's path in the JSON.
fn fields(page: &str) -> Vec<(String, String)> {
    let quoted = |text: &str, name: &str| Some(text.split_once(name)?.1.split_once('"')?.0.to_owned());
    page.split("<td")
        .filter_map(|cell| {
            let tag = cell.split_once('>')?.0;
            Some((quoted(tag, "data-field=\"")?, quoted(tag, "data-v=\"")?))
        })
        .collect()
}

#[test]
fn the_json_has_its_keys_with_their_types() {
    let (json, _) = both(&run(plan(trend()), &wandering(3_000, Interval::HOUR)), Meta::default());
    type Kind = fn(&Value) -> bool;
    let kinds: [(&str, Kind); 34] = [
        ("bars", Value::is_u64),
        ("trades", Value::is_u64),
        ("round_trips", Value::is_u64),
        ("orders", Value::is_u64),
        ("rejected", Value::is_u64),
        ("timed_out", Value::is_u64),
        ("logic", Value::is_u64),
        ("fees", Value::is_string),
        ("equity_final", Value::is_string),
        ("deposit", Value::is_string),
        ("currency", Value::is_string),
        ("origin", Value::is_string),
        ("trade_hash", Value::is_string),
        ("state_hash", Value::is_string),
        ("symbol", Value::is_string),
        ("venue", Value::is_string),
        ("strategy", Value::is_string),
        ("interval", Value::is_string),
        ("start", Value::is_string),
        ("end", Value::is_string),
        ("version", Value::is_string),
        ("fill_policy_text", Value::is_string),
        ("decisions", Value::is_object),
        ("fees_by_currency", Value::is_object),
        ("parameters", Value::is_object),
        ("costs", Value::is_object),
        ("fill_policy", Value::is_object),
        ("limits", Value::is_object),
        ("data", Value::is_object),
        ("statistics", Value::is_object),
        ("benchmark", Value::is_object),
        ("catalog", Value::is_array),
        ("round_trip_list", Value::is_array),
        ("curve", Value::is_array),
    ];
    for (key, is) in kinds {
        assert!(json.get(key).is_some_and(is), "{key} is {:?}", json.get(key));
    }
    assert_eq!(json["bars"], 3_000);
    assert_eq!(json["origin"], "simulated");
    assert_eq!(json["start"], "1970-01-01T00:00:00Z");
    assert_eq!(json["trade_hash"].as_str().unwrap().len(), 64);
    let decisions = |key: &str| json["decisions"][key].as_u64().unwrap();
    assert_eq!(decisions("buy") + decisions("sell") + decisions("hold"), 3_000);
    assert!(json["trades"].as_u64().unwrap() > 50, "the run trades");
    assert_eq!(
        json["round_trip_list"].as_array().unwrap().iter().filter(|trip| trip["open"] == false).count() as u64,
        json["round_trips"].as_u64().unwrap()
    );
    for key in ["path", "rows", "sha256", "stamp", "gaps"] {
        assert!(json["data"].get(key).is_some(), "data.{key}");
    }
}

/// Names under which the JSON has money, prices and sizes, beside those that the catalog says to be in a currency.
const MONEY: [&str; 19] = [
    "close",
    "deposit",
    "entry_price",
    "equity",
    "equity_change",
    "equity_final",
    "exit_price",
    "funding",
    "high",
    "impact",
    "low",
    "peak",
    "profit",
    "quantity",
    "slippage",
    "spread",
    "total",
    "trade_profit",
    "trough",
];

/// What is money at these places and something else under the same name elsewhere, or is named by its currency.
const MONEY_AT: [&str; 3] = ["curve.hold", "curve.open", "fees_by_currency.USDT"];

/// Names under which the JSON has numbers that are no money, beside those that the catalog says to be in another unit.
/// A name that ends in its unit of time or in basis points stands for itself.
const NUMBERS: [&str; 42] = [
    "bars",
    "buy",
    "days_per_period",
    "defects",
    "depth",
    "drawdown",
    "gaps",
    "horizon_bars",
    "logic",
    "mae",
    "maker_trades",
    "mfe",
    "missing_bars",
    "months",
    "p05",
    "p50",
    "p95",
    "p99",
    "participation_limit",
    "paths",
    "period_return",
    "periods_per_year",
    "profit_fraction",
    "rejected",
    "risk_free_rate",
    "round_trips",
    "rows",
    "ruin",
    "ruin_error",
    "ruin_ever",
    "ruin_probability",
    "seconds",
    "seed",
    "sell",
    "sharpe_benchmark",
    "taker_trades",
    "target_return",
    "timed_out",
    "veto",
    "winners",
    "year",
    "year_return",
];

/// A number by its place: the same name is money in the curve.
const NUMBERS_AT: [&str; 1] = ["decisions.hold"];
const UNITS: [&str; 4] = ["_ns", "_ms", "_bps", "-bps"];

/// Everything in `json` that is no object and no list, with its path; the rows of a list have the path of the list.
fn leaves<'a>(json: &'a Value, at: &str, into: &mut Vec<(String, &'a Value)>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                leaves(value, &at, into);
            }
        }
        Value::Array(rows) => rows.iter().for_each(|row| leaves(row, at, into)),
        _ => into.push((at.to_owned(), json)),
    }
}

fn is_decimal_text(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text.strip_prefix('-').unwrap_or(text);
    plain.split('.').count() <= 2 && plain.split('.').all(digits)
}

/// What the JSON of a report says of money: where it stands as text, where it is missing, and what is wrong.
#[derive(Default)]
struct Amounts {
    texts: Vec<String>,
    missing: BTreeSet<String>,
    numbers: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Amounts {
    fn of(json: &Value) -> Self {
        let of_unit = |is_money: bool| {
            let rows = json["catalog"].as_array().unwrap().iter();
            let rows = rows.filter(move |it| (it["unit"] == "currency") == is_money);
            rows.map(|it| it["field"].as_str().unwrap().rsplit('.').next().unwrap())
        };
        let money: BTreeSet<&str> = MONEY.into_iter().chain(of_unit(true)).collect();
        let numbers: BTreeSet<&str> = NUMBERS.into_iter().chain(of_unit(false)).collect();
        assert!(money.is_disjoint(&numbers), "a name cannot be both");
        let (mut all, mut it) = (Vec::new(), Self::default());
        leaves(json, "", &mut all);
        for (at, value) in all {
            let name = at.rsplit('.').next().unwrap();
            let is_money = money.contains(name) || MONEY_AT.contains(&at.as_str());
            let is_listed = numbers.contains(name)
                || NUMBERS_AT.contains(&at.as_str())
                || UNITS.iter().any(|unit| name.ends_with(unit));
            match value {
                Value::String(text) if is_money && is_decimal_text(text) => it.texts.push(at),
                Value::Null if is_money => drop(it.missing.insert(at)),
                other if is_money && !other.is_boolean() => it.wrong.push(format!("{at} is {other}, no decimal text")),
                Value::Number(_) if is_listed => drop(it.numbers.insert(at)),
                Value::Number(number) => it.wrong.push(format!("{at} is {number}: money is text, a number is listed")),
                _ => (),
            }
        }
        it
    }
}

#[test]
fn every_price_and_every_amount_of_money_is_decimal_text() {
    let bars = wandering(3_000, Interval::HOUR);
    let (mut json, _) = both(&judged(plan(trend()), &bars), Meta::default());
    let amounts = Amounts::of(&json);
    assert_eq!(amounts.wrong, Vec::<String>::new());
    assert!(amounts.texts.len() > 5_000, "{} amounts", amounts.texts.len());

    // each name and place that is listed is met, so that the lists say what there is
    let met: BTreeSet<&str> = amounts.texts.iter().map(String::as_str).collect();
    let ends_in = |at: &str, name: &str| at.rsplit('.').next() == Some(name);
    let unmet = MONEY.into_iter().filter(|name| !met.iter().any(|at| ends_in(at, name)));
    assert_eq!(unmet.collect::<Vec<_>>(), Vec::<&str>::new());
    let unmet = NUMBERS.into_iter().filter(|name| !amounts.numbers.iter().any(|at| ends_in(at, name)));
    assert_eq!(unmet.collect::<Vec<_>>(), Vec::<&str>::new());
    for at in MONEY_AT.into_iter().chain(["statistics.underwater.equity"]) {
        assert!(met.contains(at), "{at}");
    }
    assert!(amounts.numbers.contains(NUMBERS_AT[0]), "{}", NUMBERS_AT[0]);
    for (whose, which) in [("statistics", "deepest"), ("statistics", "longest"), ("benchmark", "deepest")] {
        for end in ["peak", "trough"] {
            assert!(met.contains(format!("{whose}.drawdown.{which}.{end}").as_str()), "{whose} {which} {end}");
        }
    }
    // the run never sold first, and a group of a single trade has wins or losses alone
    let may_miss = |at: &String| at.starts_with("statistics.short.") || at.starts_with("groups.");
    assert!(amounts.missing.iter().all(may_miss), "{:?}", amounts.missing);

    // and the walk tells a float where text should be, and a number that nobody listed
    json["statistics"]["drawdown"]["deepest"]["peak"] = 12_445.5.into();
    json["costs"]["rebate"] = 3.into();
    json["deposit"] = "1e4".into();
    assert_eq!(Amounts::of(&json).wrong.len(), 3, "{:?}", Amounts::of(&json).wrong);
}

#[test]
fn the_deepest_fall_tells_its_money_to_the_eighth_decimal() {
    let outcome = run(plan(trend()), &wandering(3_000, Interval::HOUR));
    let (json, _) = both(&outcome, Meta::default());
    let (fall, told) = (outcome.equity.deepest_drawdown().unwrap(), &json["statistics"]["drawdown"]["deepest"]);
    for (name, amount) in [("peak", fall.peak), ("trough", fall.trough)] {
        let text = told[name].as_str().unwrap();
        assert!((text.parse::<f64>().unwrap() - amount).abs() <= 5.1e-9, "{name}: {text} is not {amount}");
        assert!(text.split_once('.').is_none_or(|(_, decimals)| decimals.len() <= 8), "{name}: {text}");
    }
    assert_eq!(told["depth"].as_f64(), Some(fall.depth), "a fraction stays a number");
    let (rows, days) = (json["statistics"]["underwater"].as_array().unwrap(), outcome.equity.days());
    assert_eq!(rows.len(), days.len());
    for (row, day) in rows.iter().zip(days) {
        assert_eq!(row["equity"].as_str().map(str::to_owned), tradewind_quant::amount::money_text(day.equity));
        assert_eq!((row["at_ns"].as_i64(), row["drawdown"].as_f64()), (Some(day.at_ns), Some(day.drawdown)));
        assert_eq!(row["day"], day.day.to_string());
    }
}

#[test]
fn signals_are_held_against_what_followed_and_change_nothing() {
    let bars = wandering(3_000, Interval::HOUR);
    let strategy = || tradewind_strategies::registry::build("ema-trend", &toml::Table::new()).unwrap();
    let plan = || Plan { strategy: strategy(), ..plan(trend()) };
    let (judged, plain) = (judged(plan(), &bars), run(plan(), &bars));
    assert_eq!(judged.digest.hex(), plain.digest.hex());
    assert_eq!(judged.state.hash(), plain.state.hash());
    assert!(plain.signals.is_empty(), "nobody asked");
    let it = &judged.signals[0];
    assert_eq!((it.horizon_bars, it.version.clone()), (20, strategy().version()));
    assert_eq!(it.forecasts.judged, 3_000 - 20 - 20, "warm-up, and what is not over yet");
    assert!(it.decisions.judged > 50 && it.decisions.judged <= judged.counters.buy + judged.counters.sell);
    // by hand: the averages again, and the return of the 20 bars after each
    let close = |at: usize| judged.instrument.price_f64(bars[at].close);
    let ema = |bars: f64, before: f64, close: f64| before + (close - before) * 2.0 / (bars + 1.0);
    let (mut fast, mut slow, mut right) = (close(0), close(0), 0);
    for at in 1..2_980 {
        (fast, slow) = (ema(10.0, fast, close(at)), ema(20.0, slow, close(at)));
        right += u64::from(at >= 20 && (fast / slow - 1.0) * (close(at + 20) / close(at) - 1.0) > 0.0);
    }
    assert_eq!(it.forecasts.hits, right);
    let (json, page) = both(&judged, Meta::default());
    assert_eq!(json["signals"][0]["forecasts"]["hits"], right);
    assert!(page.contains("What became of the signals"));
}

#[test]
fn statistics_are_those_of_the_same_equity() {
    let outcome = run(plan(trend()), &wandering(3_000, Interval::HOUR));
    let report = Report::build(&outcome, Meta::default()).unwrap();
    let closed: Vec<TradeRecord> = outcome
        .round_trips
        .iter()
        .filter(|trip| !trip.open)
        .map(|trip| TradeRecord {
            opened_at_ns: trip.opened_at.nanos(),
            closed_at_ns: trip.closed_at.nanos(),
            long: trip.long,
            quantity: trip.quantity,
            entry_price: trip.entry_price,
            exit_price: trip.exit_price,
            profit: trip.profit,
            fees: trip.fees,
            mae: Some(-trip.mae * (trip.quantity * trip.entry_price)),
            mfe: Some(trip.mfe * (trip.quantity * trip.entry_price)),
        })
        .collect();
    let want = Summary::compute(&SummaryInputs {
        equity: &outcome.equity,
        trades: &closed,
        benchmark: &outcome.market.equity().unwrap().daily_returns(),
        participation: outcome.costs.shares(),
        traded_notional: Some(outcome.traded_notional),
        orders: Some(OrderCounts::default()),
        conventions: Conventions::crypto(),
    })
    .unwrap();
    assert!(report.statistics == want, "statistics of the report are not those of the same equity");
    let beta = want.benchmark.beta.unwrap();
    assert!((0.2..0.9).contains(&beta), "half the time in the market: {beta}");
}

#[test]
fn profit_of_trades_is_the_change_of_equity() {
    let outcome = run(plan(trend()), &wandering(3_000, Interval::HOUR));
    let report = Report::build(&outcome, Meta::default()).unwrap();
    let of_trips: i128 = outcome.round_trips.iter().map(|trip| trip.profit_units).sum();
    let of_equity = outcome.state.portfolios[0].equity() - 10_000 * 100_000_000;
    let trips = outcome.round_trips.len() as i128;
    assert!((of_trips - of_equity).abs() <= trips, "rounded once a trip: {of_trips} and {of_equity}");
    let fees: i128 = outcome.round_trips.iter().map(|trip| trip.fee_units).sum();
    assert_eq!(fees, outcome.costs.fees);
    assert_eq!(report.fees, report.fees_by_currency["USDT"]);
    assert_eq!(report.fees, report.costs.total);
    let it = &report.attribution;
    let units = |text: &str| i128::from(tradewind_domain::parse_decimal(text, 8).unwrap());
    for shares in [&it.side, &it.market, &it.holding_time] {
        assert_eq!(shares.iter().map(|share| units(&share.profit)).sum::<i128>(), of_trips, "{shares:?}");
        assert_eq!(shares.iter().map(|share| share.trades).sum::<usize>(), outcome.round_trips.len());
    }
    assert_eq!(units(&it.total), of_trips);
    assert!(it.market.len() > 1 && it.holding_time.len() > 1, "{it:?}");
    let rose = it.market.iter().find(|share| share.name == "rose").unwrap();
    assert!(rose.winners > rose.trades / 2, "a long that sells higher mostly won: {rose:?}");
}

#[test]
fn the_same_trades_in_other_orders_surround_the_order_that_was() {
    let outcome = run(plan(trend()), &wandering(3_000, Interval::HOUR));
    let (json, page) = both(&outcome, Meta::default());
    let closed = outcome.round_trips.iter().filter(|trip| !trip.open).count();
    let it = &json["chances"];
    assert_eq!((it["trades"].as_u64(), it["paths"].as_u64()), (Some(closed as u64), Some(10_000)));
    let of = |what: &str, part: &str| it[what][part].as_f64().unwrap();
    let was = json["statistics"]["growth"]["total_return"].as_f64().unwrap();
    assert!(of("total_return", "p05") < was && was < of("total_return", "p95"), "{it}");
    assert!(of("max_drawdown", "p05") < of("max_drawdown", "p99") && of("max_drawdown", "p99") <= 1.0, "{it}");
    assert!((0.0..=1.0).contains(&it["ruin_probability"].as_f64().unwrap()));
    assert!(page.contains("The same trades in other orders") && page.contains("10,000 sequences"));
    assert_eq!(both(&outcome, Meta::default()).0["chances"], *it, "equal in every report of the run");
    let few = run(plan(trend()), &wandering(60, Interval::HOUR));
    let (json, page) = both(&few, Meta::default());
    assert!(json["chances"].is_null() && !page.contains("in other orders"));
}

#[test]
fn the_page_and_the_json_have_the_same_numbers() {
    let (json, page) = both(&judged(plan(trend()), &wandering(3_000, Interval::HOUR)), Meta::default());
    let mut compared = 0;
    for (path, text) in fields(&page) {
        let (root, path) = match path.strip_prefix("hold.") {
            Some(rest) => (&json["benchmark"], rest),
            None if path.starts_with("signals.") => (&json, &*path),
            None => (&json["statistics"], &*path),
        };
        let value = root.pointer(&format!("/{}", path.replace('.', "/"))).unwrap();
        let want = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(text, want, "{path}");
        compared += 1;
    }
    assert!(compared > 150, "{compared} values compared");
    for coefficient in ["information_coefficient_ratio", "rank_information_coefficient_ratio"] {
        assert!(page.contains(&format!("data-field=\"signals.0.forecasts.{coefficient}\" data-v=")), "{coefficient}");
    }
    for trip in json["round_trip_list"].as_array().unwrap() {
        assert!(page.contains(&format!("data-v=\"{}\"", trip["profit"].as_str().unwrap())), "{trip}");
    }
    for key in ["fees", "spread", "slippage", "impact", "total"] {
        assert!(page.contains(&format!("data-v=\"{}\"", json["costs"][key].as_str().unwrap())), "{key}");
    }
    for key in ["trade_hash", "state_hash"] {
        assert!(page.contains(json[key].as_str().unwrap()), "{key}");
    }
    for statistic in json["catalog"].as_array().unwrap() {
        let name = statistic["name"].as_str().unwrap().replace('\'', "&#39;");
        assert!(page.contains(&name) || name == "Ruin", "{name}");
    }
}

#[test]
fn the_page_needs_nothing_from_outside_and_escapes_what_comes_from_there() {
    let hostile = "<script>alert(1)</script>&\"'";
    let meta = Meta {
        data: DataSource {
            path: hostile.to_owned(),
            format: hostile.to_owned(),
            steps: vec![hostile.to_owned()],
            ..DataSource::default()
        },
        parameters: [(hostile.to_owned(), hostile.to_owned())].into(),
        notes: vec![hostile.to_owned()],
        ..Meta::default()
    };
    let spec = tradewind_domain::InstrumentSpec { venue: hostile.to_owned(), ..spec() };
    let plan = Plan { instrument: spec.list(InstrumentId(0)).unwrap(), ..plan(trend()) };
    let (_, page) = both(&run(plan, &wandering(500, Interval::HOUR)), meta);
    assert!(!page.contains(hostile) && !page.contains("alert(1)</script>"));
    assert_eq!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;").count(), 7);
    assert_eq!(page.matches("<script").count(), 2, "the curve and our own script");
    for foreign in ["http:", "https:", "src=", "href=", "url(", "@import", "//cdn", "<link", "<iframe", "<img"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn the_header_says_whether_the_market_was_real() {
    for (origin, label) in [(Origin::Recorded, "recorded market data"), (Origin::Simulated, "simulated data")] {
        let (_, page) = both(&run(Plan { origin, ..plan(trend()) }, &wandering(50, Interval::HOUR)), Meta::default());
        let header = page.split_once("<header>").unwrap().1.split_once("</header>").unwrap().0;
        assert!(header.contains(label), "{header}");
    }
}

/// Runs a strange backtest: the page must be whole, and nothing in it or in the JSON may be no number.
fn check_sane(name: &str, outcome: &Outcome) -> (Value, String) {
    let (json, page) = both(outcome, Meta::default());
    let text = json.to_string();
    for broken in ["NaN", "Infinity", "inf ", "-inf", ":inf"] {
        assert!(!text.contains(broken), "{name}: the JSON has {broken}");
        assert!(!body(&page).contains(broken), "{name}: the page has {broken}");
    }
    for section in ["Statistics", "Costs", "Trades", "Assumptions and origin", "Returns by month"] {
        assert!(page.contains(&format!("<h2>{section}</h2>")), "{name}: {section} is missing");
    }
    let curve = page.split_once("id=curve>").unwrap().1.split_once("</script>").unwrap().0;
    for part in [body(&page), curve] {
        assert_eq!(negative_zeros(part), [""; 0], "{name}");
    }
    (json, page)
}

/// Every zero with a minus before it.
fn negative_zeros(text: &str) -> Vec<&str> {
    let digits = |rest: &str| rest.find(|c: char| !matches!(c, '0'..='9' | '.' | ',')).unwrap_or(rest.len());
    let numbers = text.split(['-', '\u{2212}']).skip(1).map(|rest| &rest[..digits(rest)]);
    numbers.filter(|number| number.starts_with('0') && number.trim_matches(['0', '.', ',']).is_empty()).collect()
}

#[test]
fn a_run_without_bars_says_so() {
    let (json, page) = check_sane("no bars", &run(plan(trend()), &[]));
    assert_eq!((&json["bars"], &json["start"], &json["equity_final"]), (&0.into(), &Value::Null, &"10000".into()));
    assert_eq!(json["benchmark"], Value::Null);
    assert!(page.contains("There were no bars") && !page.contains("<figure"));
}

#[test]
fn a_run_of_one_bar_and_one_without_trades_make_a_page() {
    let one = wandering(1, Interval::HOUR);
    let (json, _) = check_sane("one bar", &run(plan(trend()), &one));
    assert_eq!((&json["bars"], &json["trades"]), (&1.into(), &0.into()));
    let (json, page) = check_sane("no trades", &run(plan(Script::default()), &wandering(500, Interval::HOUR)));
    assert_eq!((&json["trades"], &json["statistics"]["trades"]["win_rate"]), (&0.into(), &Value::Null));
    assert!(page.contains("Nothing was traded") && page.contains("No trade was entered"));
    check_sane("flat market", &run(plan(Script::default().hold(1, "1")), &still(&["100"; 60])));
}

#[test]
fn a_loss_of_less_than_a_cent_is_no_negative_zero() {
    assert_eq!(negative_zeros("-0 -0.5 \u{2212}0.00\u{202f}% 2024-01-10 [-0.0,-1]"), ["0", "0.00", "0.0,"]);
    // 0.001 bought and sold at 1 costs two millionths in fees
    let script = Script::default().hold(0, "0.001").hold(2, "0");
    let (json, page) = check_sane("a tiny loss", &run(plan(script), &still(&["1"; 6])));
    assert!(json["statistics"]["growth"]["total_return"].as_f64().unwrap() < 0.0, "{}", json["statistics"]["growth"]);
    if let Some(said) = under_crosshair("tiny-loss", &page) {
        assert!(said.contains(" · drawdown 0.00 % | "), "{said}");
    }
}

#[test]
fn a_run_that_could_order_nothing_says_why() {
    let notes = |plan: Plan, bars: &[Bar]| Report::build(&run(plan, bars), Meta::default()).unwrap().notes;
    let says = |notes: &[String], words: &str| assert!(notes.iter().any(|note| note.contains(words)), "{notes:?}");

    // whole coins at about 10,000, and 1,000 to buy them with
    let whole = tradewind_domain::InstrumentSpec { quantity_decimals: 0, ..spec() }.list(InstrumentId(0)).unwrap();
    let poor = Plan { instrument: whole.clone(), deposit: common::usdt("1000"), ..plan(trend()) };
    let poor = notes(poor, &wandering(200, Interval::HOUR));
    says(&poor, "Nothing was traded");
    says(&poor, "too small to order on ");
    says(&poor, "an order is at least 1, worth ");
    says(&poor, "the deposit of 1000 USDT buys 0.");

    // a target that is held already is no reason
    let flat = Plan { instrument: whole, ..plan(Script::default().hold(1, "0")) };
    let flat = notes(flat, &still(&["100", "100", "100"]));
    says(&flat, "Nothing was traded");
    assert!(!flat.iter().any(|note| note.contains("too small")), "{flat:?}");

    let quantity = common::listed().quantity("1000").unwrap();
    let request = tradewind_domain::OrderRequest::market(InstrumentId(0), tradewind_domain::Side::Buy, quantity);
    let dear = Script::default().order(0, &[request]).order(1, &[request]);
    let dear = notes(Plan { limits: Limits::RESEARCH, ..plan(dear) }, &still(&["100", "100", "100", "100"]));
    says(&dear, "The gate refused 2 orders, 2 of them by GATE-");

    let slow = |bars| {
        let strategy = EmaTrend::new(EmaTrendParams { slow: 100, ..EmaTrendParams::default() }).unwrap();
        notes(plan(strategy), &wandering(bars, Interval::HOUR))
    };
    says(&slow(100), "The strategy looks at 100 bars before it decides anything, and the run has 100.");
    assert!(!slow(101).iter().any(|note| note.contains("before it decides")), "{:?}", slow(101));

    let dry: Vec<Bar> = (0..4).map(|place| bar(place, ["100", "100", "100", "100", "0"])).collect();
    let wish = || plan(Script::default().hold(1, "1"));
    let capped = notes(Plan { fill_policy: FillPolicy::assumed(true), ..wish() }, &dry);
    says(&capped, "Every bar has a volume of 0, and an order may take a part of ");
    assert!(!notes(wish(), &dry).iter().any(|note| note.contains("volume of 0")), "its size is not capped");
}

#[test]
fn a_run_that_the_gate_held_back_says_so_though_it_traded() {
    let quantity = |text: &str| common::listed().quantity(text).unwrap();
    let buy = |text: &str| {
        tradewind_domain::OrderRequest::market(InstrumentId(0), tradewind_domain::Side::Buy, quantity(text))
    };
    let refusals = |script: Script| {
        let outcome = run(Plan { limits: Limits::RESEARCH, ..plan(script) }, &still(&["100"; 6]));
        let notes = Report::build(&outcome, Meta::default()).unwrap().notes;
        let said: Vec<String> = notes.into_iter().filter(|note| note.contains("refused")).collect();
        (outcome.digest.fills(), said)
    };
    let (fills, said) = refusals(Script::default().order(0, &[buy("1")]));
    assert_eq!((fills, said.len()), (1, 0), "{said:?}");
    let too_much = Script::default().order(0, &[buy("1")]).order(2, &[buy("1000")]).order(3, &[buy("1000")]);
    let (fills, said) = refusals(too_much);
    assert_eq!((fills, said.len()), (1, 1), "{said:?}");
    assert!(said[0].starts_with("The gate refused 2 orders, 2 of them by GATE-"), "{said:?}");
}

#[test]
fn strange_markets_make_a_page_too() {
    let lots = "90"; // nearly the whole deposit at 100
    let crash: Vec<Bar> = (0..200)
        .map(|place| {
            bar(
                place,
                if place < 100 { ["100", "101", "99", "100", "0"] } else { ["0.01", "0.01", "0.01", "0.01", "0"] },
            )
        })
        .collect();
    check_sane("a crash to one tick, without volume", &run(plan(Script::default().hold(1, lots)), &crash));
    let ruin: Vec<Bar> = (0..200)
        .map(|place| {
            bar(place, if place < 100 { ["100", "100", "100", "100", "1"] } else { ["900", "900", "900", "900", "1"] })
        })
        .collect();
    let (json, _) = check_sane("a short that ruins the account", &run(plan(Script::default().hold(1, "-90")), &ruin));
    assert!(json["equity_final"].as_str().unwrap().starts_with('-'));
}

#[test]
fn a_long_list_of_trades_is_cut_on_the_page_and_says_so() {
    let mut script = Script::default();
    for place in 0..2_400 {
        script = script.hold(place, if place % 2 == 0 { "1" } else { "0" });
    }
    let prices: Vec<String> = (0..2_401).map(|place| (100 + place % 7).to_string()).collect();
    let prices: Vec<&str> = prices.iter().map(String::as_str).collect();
    let (json, page) = both(&run(plan(script), &still(&prices)), Meta::default());
    assert_eq!(json["round_trip_list"].as_array().unwrap().len(), 1_200);
    assert!(page.contains("The newest 1,000 of 1,200 trades; 200 older ones are left out here. The JSON has all."));
    let table = page.split_once("data-sort>").unwrap().1.split_once("</table>").unwrap().0;
    assert_eq!(table.matches("<tr>").count(), 1_001, "a head and a thousand trades");
    assert!(table.contains("data-v=\"1200\"") && !table.contains("<td class=\"num\" data-v=\"200\">200"));
}

#[test]
fn the_curve_stays_small_and_keeps_every_extreme() {
    for count in [1, 2, 1_999, 2_000, 2_001, 4_001, 9_999] {
        let bars = wandering(count, Interval::HOUR);
        let outcome = run(plan(trend()), &bars);
        let (curve, last) = (&outcome.curve, bars[count - 1]);
        assert!(
            curve.len() <= Curve::MAX && curve.len() >= count.min(Curve::MAX / 2),
            "{count} bars, {} points",
            curve.len()
        );
        assert_eq!((curve[0].opened_at, curve[0].open), (bars[0].open_time, bars[0].open));
        let end = curve.last().unwrap();
        assert_eq!((end.closed_at, end.close), (last.close_time(), last.close));
        assert!(curve.windows(2).all(|pair| pair[0].closed_at == pair[1].opened_at));
        assert_eq!(curve.iter().map(|point| point.high).max(), bars.iter().map(|bar| bar.high).max());
        assert_eq!(curve.iter().map(|point| point.low).min(), bars.iter().map(|bar| bar.low).min());
        let deepest = curve.iter().fold(0.0_f64, |deepest, point| deepest.max(point.drawdown));
        let want = outcome.equity.deepest_drawdown().map_or(0.0, |fall| fall.depth);
        assert!((deepest - want).abs() < 1e-12, "{count} bars: {deepest} is not {want}");
    }
}

#[test]
fn buy_and_hold_is_what_a_plain_loop_over_the_closes_finds() {
    for interval in [Interval::MINUTE, Interval::HOUR, Interval::DAY] {
        let bars = wandering(2_000, interval);
        let report = Report::build(&run(plan(trend()), &bars), Meta::default()).unwrap();
        let hold = report.benchmark.unwrap();
        let first = bars[0].open.mantissa() as f64;
        let (mut peak, mut deepest) = (first, 0.0_f64);
        for bar in &bars {
            let close = bar.close.mantissa() as f64;
            peak = peak.max(close);
            deepest = deepest.max(1.0 - close / peak);
        }
        assert!((hold.drawdown.max.unwrap() - deepest).abs() < 1e-12);
        let change = bars.last().unwrap().close.mantissa() as f64 / first - 1.0;
        assert!((hold.growth.total_return.unwrap() - change).abs() < 1e-12);
        assert!((report.statistics.benchmark.total_return.unwrap() - change).abs() < 1e-9);
        assert!((hold.equity_final.parse::<f64>().unwrap() - 10_000.0 * (1.0 + change)).abs() < 1e-7);
    }
}

#[test]
fn a_fall_of_buy_and_hold_ends_at_the_bar_that_closes_at_its_peak_again() {
    // from 120 at the second minute to 130 at the fifth, and from there to 131 at the tenth
    let prices = ["100", "120", "90", "110", "130", "125", "128", "126", "127", "131"];
    let report = Report::build(&run(plan(Script::default()), &still(&prices)), Meta::default()).unwrap();
    let fall = report.benchmark.unwrap().drawdown;
    let minutes = |from_ns: i64, to_ns: i64| (from_ns / common::MINUTE_NS, to_ns / common::MINUTE_NS);
    let deepest = fall.deepest.unwrap();
    assert_eq!(minutes(deepest.peak_at_ns, deepest.recovered_at_ns.unwrap()), (2, 5));
    let longest = fall.longest.unwrap();
    assert_eq!(minutes(longest.peak_at_ns, longest.recovered_at_ns.unwrap()), (5, 10));
    assert!((fall.longest_days.unwrap() - 5.0 / 1_440.0).abs() < 1e-12);
    assert_eq!(fall.ulcer_index, Some(0.0), "the day closes at its peak");
}

#[test]
fn the_falls_of_buy_and_hold_are_those_of_a_search_through_all_closes() {
    for interval in [Interval::MINUTE, Interval::HOUR, Interval::DAY] {
        let bars = wandering(2_000, interval);
        let report = Report::build(&run(plan(trend()), &bars), Meta::default()).unwrap();
        let (hold, own) = (report.benchmark.unwrap(), report.statistics.growth);
        let day = Interval::DAY.nanos();
        let mut seen = vec![(bars[0].open_time.nanos(), bars[0].open.mantissa())];
        seen.extend(bars.iter().map(|bar| (bar.close_time().nanos(), bar.close.mantissa())));

        // each price that is the highest so far, until one is as high again
        let (mut longest, mut deepest, mut highest) = (0_i64, (0.0_f64, None), i64::MIN);
        let (mut squares, mut days) = (0.0_f64, 0_u32);
        for (place, (at, price)) in seen.iter().enumerate() {
            highest = highest.max(*price);
            if *price == highest {
                let rest = &seen[place + 1..];
                let back = rest.iter().position(|later| later.1 >= *price);
                let low = rest[..back.unwrap_or(rest.len())].iter().map(|later| later.1).min().unwrap_or(*price);
                if low < *price {
                    let until = back.map(|back| rest[back].0);
                    longest = longest.max(until.unwrap_or(seen.last().unwrap().0) - at);
                    let depth = 1.0 - low as f64 / *price as f64;
                    deepest = if depth > deepest.0 { (depth, until) } else { deepest };
                }
            }
            // midnight is the end of a day
            let is_last_of_day = seen.get(place + 1).is_none_or(|next| (next.0 - 1) / day != (at - 1) / day);
            if *at > 0 && is_last_of_day {
                squares += (1.0 - *price as f64 / highest as f64).powi(2);
                days += 1;
            }
        }
        // the run begins at a midnight, which is a day of its own, closed at its peak
        let ulcer = (squares / f64::from(days + 1)).sqrt();

        assert_eq!((hold.growth.start_ns, hold.growth.end_ns), (own.start_ns, own.end_ns));
        assert_eq!(hold.drawdown.deepest.unwrap().recovered_at_ns, deepest.1);
        assert!((hold.drawdown.max.unwrap() - deepest.0).abs() < 1e-12);
        assert!((hold.drawdown.longest_days.unwrap() - longest as f64 / day as f64).abs() < 1e-9);
        assert!((hold.drawdown.ulcer_index.unwrap() - ulcer).abs() < 1e-12, "{ulcer}");
    }
}

#[test]
fn a_year_has_as_many_days_as_the_data_show_and_a_month_no_cagr() {
    let weekday = |bar: &Bar| (bar.open_time.nanos() / Interval::DAY.nanos() + 3) % 7 < 5;
    let report = |days: usize, all: bool| {
        let bars = wandering(days, Interval::DAY).into_iter().filter(|bar| all || weekday(bar));
        let outcome = run(plan(Script::default().hold(0, "0.01")), &bars.collect::<Vec<_>>());
        Report::build(&outcome, Meta::default()).unwrap()
    };
    let says = |report: &Report, words: &str| report.notes.iter().any(|note| note.contains(words));
    let (whole, weekdays, short) = (report(400, true), report(400, false), report(20, true));
    let days = |report: &Report| format!("{}", report.statistics.conventions.periods_per_year);
    assert_eq!((days(&whole), days(&weekdays)), ("365".to_owned(), "262".to_owned()));
    assert!(whole.statistics.growth.cagr.is_some() && !says(&whole, "days a year"), "{:?}", whole.notes);
    assert!(says(&weekdays, "count 262 days a year, as many as the data show"), "{:?}", weekdays.notes);
    assert_eq!(short.statistics.growth.cagr, None);
    assert!(says(&short, "too short for a CAGR"), "{:?}", short.notes);
}

#[test]
fn returns_of_weekly_bars_are_not_called_daily_ones() {
    let prices: Vec<String> = (0..60).map(|place| (100 + place + place % 2 * 3).to_string()).collect();
    let prices: Vec<&str> = prices.iter().map(String::as_str).collect();
    let bars_of = |interval: Interval| -> Vec<Bar> {
        let at = |place: usize| tradewind_domain::Timestamp::from_nanos(place as i64 * interval.nanos());
        let bars = still(&prices).into_iter().enumerate();
        bars.map(|(place, bar)| Bar { interval, open_time: at(place), ..bar }).collect()
    };
    let told =
        |interval: Interval| both(&run(plan(Script::default().hold(0, "50")), &bars_of(interval)), Meta::default());
    let week: Interval = "1w".parse().unwrap();
    let (days, (weeks, page)) = (told(Interval::DAY).0, told(week));
    let statistics = |json: &Value, group: &str, name: &str| json["statistics"][group][name].as_f64().unwrap();
    let record = |json: &Value| statistics(json, "ratios", "minimum_track_record");
    assert!((record(&weeks) - 7.0 * record(&days)).abs() < 1e-9 * record(&weeks), "{}", record(&weeks));
    assert!((statistics(&weeks, "growth", "best_day") - statistics(&days, "growth", "best_day")).abs() < 1e-12);
    let note = "Yearly figures count 52 weeks a year, as many as the data show.";
    assert!(weeks["notes"].as_array().unwrap().contains(&note.into()), "{}", weeks["notes"]);
    let share = tradewind_domain::InstrumentSpec { calendar: Calendar::new_york_stocks(), ..spec() };
    let idle = Plan { instrument: share.list(InstrumentId(0)).unwrap(), ..plan(Script::default()) };
    let notes = Report::build(&run(idle, &bars_of(week)), Meta::default()).unwrap().notes;
    assert!(notes.iter().any(|it| it == note), "a year of a share has as many weeks: {notes:?}");

    let said = |json: &Value, field: &str| {
        let row = json["catalog"].as_array().unwrap().iter().find(|it| it["field"] == field).unwrap();
        format!("{}: {}", row["name"].as_str().unwrap(), row["formula"].as_str().unwrap())
    };
    for (field, of_days, of_weeks) in [
        ("growth.best_day_date", "Best day's date: day of max(r)", "Best week's date: week of max(r)"),
        ("distribution.var_95", "VaR 95 %: -q(5 %), one day", "VaR 95 %: -q(5 %), one week"),
        ("growth.daily_returns", "Daily returns: observed UTC days", "Weekly returns: observed UTC weeks"),
        ("growth.cagr", "CAGR: (end / start)^(365.25 days / elapsed)", "CAGR: (end / start)^(365.25 days / elapsed)"),
    ] {
        assert!(said(&days, field).starts_with(of_days), "{}", said(&days, field));
        assert!(said(&weeks, field).starts_with(of_weeks), "{}", said(&weeks, field));
    }
    for text in
        ["Distribution of weekly returns", "<h2>Weekly returns</h2>", "r are weekly returns", "N the weeks a year"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("Best day") && !page.contains("aily returns"));
}

/// What the path of a class draws; nothing where the page has no such path.
fn drawn<'a>(page: &'a str, class: &str) -> &'a str {
    let start = format!("<path class=\"{class}\" d=\"");
    page.split_once(start.as_str()).map_or("", |(_, rest)| rest.split_once('"').unwrap().0)
}

/// The points that it goes through: from the left, and from the top.
fn points(page: &str, class: &str) -> Vec<(f64, f64)> {
    let numbers = |point: &str| -> (f64, f64) {
        let (x, y) = point.trim_end_matches("h.1").split_once(' ').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    drawn(page, class).split(['M', 'L']).skip(1).map(numbers).collect()
}

#[test]
fn every_entry_and_exit_of_a_short_run_has_its_mark() {
    let script = [(2, "1"), (5, "0"), (8, "-1"), (11, "0"), (17, "1"), (20, "0"), (22, "1")];
    let script = script.into_iter().fold(Script::default(), |script, (place, target)| script.hold(place, target));
    let prices: Vec<String> = (0..30).map(|place| (100 + place % 10).to_string()).collect();
    let prices: Vec<&str> = prices.iter().map(String::as_str).collect();
    let (json, page) = both(&run(plan(script), &still(&prices)), Meta::default());
    let trips = json["round_trip_list"].as_array().unwrap();
    assert_eq!((trips.len(), trips[3]["open"].as_bool()), (4, Some(true)), "three are closed");
    let closed = |gained: bool| {
        let is_so = |trip: &&Value| trip["profit"].as_str().unwrap().starts_with('-') != gained;
        trips.iter().filter(|trip| trip["open"] == false).filter(is_so).count()
    };
    let (entries, won, lost) = (points(&page, "mark entry"), points(&page, "mark won"), points(&page, "mark lost"));
    assert_eq!((entries.len(), won.len(), lost.len()), (4, closed(true), closed(false)));
    assert!(!won.is_empty() && !lost.is_empty(), "of both kinds");
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "from left to right: {entries:?}");
    let higher = |one: usize, two: usize| {
        let price = |place: usize| trips[place]["entry_price"].as_str().unwrap().parse::<f64>().unwrap();
        (price(one) > price(two)) == (entries[one].1 < entries[two].1)
    };
    assert!(higher(0, 1) && higher(1, 2) && higher(2, 3), "a higher price stands higher: {entries:?}");
    assert_eq!(page.matches("<path class=\"join ").count(), 4, "each entry is joined with its exit");
    assert_eq!(page.matches("<path class=\"wick ").count(), 30, "a candle for each bar");
    assert!(!page.contains("one of a kind per column"), "no mark is left out");
}

#[test]
fn the_lines_have_a_point_for_every_row_of_the_curve() {
    for bars in [500, 5_000] {
        let (json, page) = both(&run(plan(trend()), &wandering(bars, Interval::HOUR)), Meta::default());
        let falls: Vec<f64> =
            json["curve"].as_array().unwrap().iter().map(|row| row["drawdown"].as_f64().unwrap()).collect();
        let rows = falls.len();
        for (class, want) in [
            ("line price", rows),
            ("range", 2 * rows),
            ("line equity", rows + 1), // from the deposit on
            ("line hold", rows + 1),
            ("area equity", rows + 3), // and two corners below
            ("line drawdown", rows),
            ("area drawdown", rows + 2),
        ] {
            let points = points(&page, class);
            assert_eq!(points.len(), want, "{class} of {bars} bars");
            let inside = |at: f64| (0.0..=1_000.0).contains(&at);
            assert!(points.iter().all(|(x, y)| inside(*x) && inside(*y)), "{class} leaves the drawing");
        }
        let line = points(&page, "line drawdown");
        let lowest = (0..rows).max_by(|one, two| line[*one].1.total_cmp(&line[*two].1)).unwrap();
        let deepest = falls.iter().copied().fold(0.0, f64::max);
        assert!(deepest > 0.0 && (falls[lowest] - deepest).abs() < deepest * 0.001, "the line is lowest elsewhere");
    }
}

#[test]
fn the_cells_of_the_heat_map_are_the_monthly_returns() {
    let (json, page) = both(&run(plan(trend()), &wandering(800, Interval::DAY)), Meta::default());
    let table = page.split_once("<table class=heat>").unwrap().1.split_once("</table>").unwrap().0;
    let rows: Vec<&str> = table.split("<tr><th scope=row>").skip(1).collect();
    let years = json["statistics"]["monthly"].as_array().unwrap();
    assert_eq!((rows.len(), years.len()), (3, 3));
    let mut observed = 0;
    for (row, year) in rows.iter().rev().zip(years) {
        let (head, cells) = row.split_once("<td").unwrap();
        assert_eq!(head, year["year"].to_string(), "the newest year stands on top");
        let cells: Vec<&str> = cells.split("<td").collect();
        let returns = year["months"].as_array().unwrap().iter().chain([&year["year_return"]]);
        let returns: Vec<Option<f64>> = returns.map(Value::as_f64).collect();
        assert_eq!((cells.len(), returns.len()), (13, 13), "{head}");
        for (cell, value) in cells.iter().zip(returns) {
            let (tag, shown) = cell.split_once('>').unwrap();
            let carried = tag.split_once("data-v=\"").map(|(_, rest)| rest.split_once('"').unwrap().0);
            let carried: Option<f64> = carried.map(|text| text.parse().unwrap());
            assert_eq!(carried.map(f64::to_bits), value.map(f64::to_bits), "{head}: {cell}");
            let percent = value.map_or_else(String::new, |value| format!("{:.1}", (value * 100.0).abs()));
            assert_eq!(shown.trim_start_matches(['+', '\u{2212}']).replace(',', ""), percent, "{head}: {cell}");
            observed += usize::from(value.is_some());
        }
    }
    assert!(observed > 24, "{observed} cells");
}

/// As much of a browser as the page's script asks of one: a drawing, where its figures are written, and one key.
const BROWSER: &str = r#"
const read = (file) => require("node:fs").readFileSync(file, "utf8");
const page = read(0), heard = {}, said = [];
const cross = { style: {} };
const plot = { querySelector: () => cross, addEventListener: (name, act) => { heard[name] = act; } };
const readout = { dataset: { readout: "equity" }, replaceChildren: () => { said.length = 0; },
  append: (...parts) => { said.push(...parts.map((part) => part.textContent ?? part)); } };
const found = { "[data-plot]": [plot], "[data-readout]": [readout], "[data-sort]": [] };
globalThis.document = {
  getElementById: () => ({ textContent: page.match(/id=curve>(.*?)<\/script>/s)[1] }),
  querySelectorAll: (name) => found[name],
  createElement: () => ({}),
};
(0, eval)(page.match(/<\/script><script>(.*)<\/script>/s)[1]);
heard.keydown({ key: "ArrowRight", preventDefault: () => {} });
console.log(said.join("") + " | " + cross.style.left);
"#;

/// What the script of the page says of its last point, and where the line then stands; `None` where there is no node.
fn under_crosshair(test: &str, page: &str) -> Option<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/page.js");
    let checked = Command::new("node").args(["--check", script]).output().ok()?;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let file = std::env::temp_dir().join(format!("tradewind-page-{test}-{}.html", std::process::id()));
    std::fs::write(&file, page).unwrap();
    let ran = Command::new("node").args(["-e", BROWSER]).stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap())
}

#[test]
fn the_script_of_the_page_runs_and_names_the_point_under_the_crosshair() {
    let (_, page) = both(&run(plan(Script::default()), &still(&["100", "110", "121"])), Meta::default());
    let Some(said) = under_crosshair("rise", &page) else {
        println!("skipped: the_script_of_the_page_runs: there is no node");
        return;
    };
    let want = "1970-01-01 00:03 UTC · equity 10,000.00 · hold 12,100.00 · drawdown 0.00 % | 100%\n";
    assert_eq!(said, want, "the line stands at the right");
    let sold = Script::default().hold(0, "50").hold(2, "0"); // half the deposit at 100, which falls by a fifth
    let (_, page) = both(&run(plan(sold), &still(&["100", "100", "80", "80", "80"])), Meta::default());
    let said = under_crosshair("fall", &page).unwrap();
    assert!(said.contains(" · drawdown -10."), "{said}");
}
