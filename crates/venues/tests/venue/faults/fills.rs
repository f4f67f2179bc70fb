//! Fills and the account at the wire: executions without a name, venues that only count, pages that break anywhere.

use crate::support::{Fake, OUR_ID, Reply, bitcoin};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use tradewind_domain::{
    Currency, InstrumentId, Liquidity, Money, Order, OrderRecord, OrderRequest, PortfolioId, Quantity, Side, Timestamp,
    TradeId, VenueOrderId,
};
use tradewind_venues::binance::convert::Instruments;
use tradewind_venues::binance::protocol::{UserFrame, read_user_frame};
use tradewind_venues::cumulative::{Cumulative, execution, name};
use tradewind_venues::{VenueEvent, VenueReport};

#[test]
fn b08_an_execution_without_its_number_is_not_booked_under_another_but_read_again() {
    let all = Instruments::new([bitcoin()]);
    let read = |number: Value| {
        let event = json!({
            "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": OUR_ID.to_string(), "S": "BUY", "o": "LIMIT", "f": "GTC",
            "q": "1.0", "p": "100.0", "P": "0", "x": "TRADE", "X": "FILLED", "r": "NONE", "i": 28, "l": "0.4", "z": "0.4",
            "L": "99.5", "n": "0", "N": null, "T": 5, "t": number, "w": true, "m": false, "O": 1, "Z": "0", "C": "",
        });
        let frame = json!({ "subscriptionId": 0, "event": event }).to_string();
        let Ok(UserFrame::Events(events)) = read_user_frame(&all, &frame, Timestamp::from_millis(9)) else { panic!() };
        events
    };
    for number in [json!(-1), json!(null), json!(""), json!("seven")] {
        // the venue's list of executions numbers each: a made-up name here would book it twice
        let events = read(number.clone());
        let again = VenueEvent::UserStreamGap { since: Timestamp::from_millis(9) };
        assert!(matches!(&events[..], [VenueEvent::Fault { .. }, gap] if *gap == again), "{number}: {events:?}");
    }
    for (number, want) in [(json!(0), 0), (json!(7), 7)] {
        let events = read(number);
        let [VenueEvent::Report { report: VenueReport::Filled { fill, .. }, .. }] = &events[..] else { panic!() };
        assert_eq!(fill.trade_id, TradeId(want), "zero is a number like any other");
    }
}

#[test]
fn b08_where_a_venue_numbers_nothing_the_name_is_a_hash_of_what_was_executed() {
    let (order, other) = (VenueOrderId("11".into()), VenueOrderId("1".into()));
    let lots = Quantity::from_mantissa;
    let first = name(&order, lots(0), lots(40));
    assert_eq!(first, name(&order, lots(0), lots(40)), "the same for ever");
    let all = [
        first,
        name(&order, lots(40), lots(80)),
        name(&order, lots(0), lots(80)),
        name(&other, lots(0), lots(40)),
        name(&VenueOrderId("".into()), lots(0), lots(40)),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(all.iter().all(|id| id.0 >> 127 == 1), "never a number that a venue counts");
    assert_eq!(format!("{:032x}", first.0), "962cd7165f0093efa455ea59c173ad91", "and never another in a later release");
}

fn record(quantity: i64) -> OrderRecord {
    let it = bitcoin();
    let price = it.price("50000").unwrap();
    let request = OrderRequest::limit(InstrumentId(0), Side::Buy, Quantity::from_mantissa(quantity * 100_000), price);
    let order = Order::new(&it, PortfolioId(0), OUR_ID, request, Some(price)).unwrap();
    OrderRecord::new(order, Timestamp::default())
}

proptest! {
    /// A venue that only counts: however its reports are lost, repeated and reordered by reconnects, and wherever the
    /// process begins anew from its books, each part is booked once and the sum is what the venue's is.
    #[test]
    fn b09_a_count_that_breaks_off_in_the_middle_of_a_fill_is_booked_once(
        parts in proptest::collection::vec((1_i64..50, 4_999_000_000_000_i64..5_001_000_000_000, 0_i128..500), 1..10),
        heard in proptest::collection::vec(any::<prop::sample::Index>(), 0..25),
    ) {
        let total: i64 = parts.iter().map(|(quantity, ..)| quantity).sum();
        let usdt = Currency::new("USDT").unwrap();
        let mut states = Vec::new();
        let mut told = Cumulative {
            venue_id: VenueOrderId("7".into()),
            quantity: Quantity::ZERO,
            value: 0,
            fees: Money::zero(usdt),
            liquidity: Liquidity::Maker,
        };
        for (quantity, price, fee) in parts {
            told.quantity += Quantity::from_mantissa(quantity * 100_000);
            told.value += i128::from(quantity * 100_000) * i128::from(price);
            told.fees.units += fee;
            states.push(told.clone());
        }
        let mut record = record(total);
        let (mut names, mut fees) = (BTreeSet::new(), 0);
        for told in heard.iter().map(|index| index.get(&states)).chain(states.last()) {
            let news = execution(&record, told, fees);
            prop_assert_eq!(news.is_some(), told.quantity > record.filled, "no news is no execution");
            let Some(fill) = news else { continue };
            prop_assert!(names.insert(fill.trade_id), "a name for each");
            record.fill(&fill, Timestamp::default()).unwrap();
            fees += fill.fee.0.units;
            prop_assert_eq!(record.filled, told.quantity);
            let off = (record.cost - told.value).abs();
            prop_assert!(off * 2 <= i128::from(fill.quantity.mantissa()), "{} is more than rounding of the last part", off);
            prop_assert_eq!(execution(&record, told, fees), None);
            let text = serde_json::to_string(&record).unwrap();
            record = serde_json::from_str(&text).unwrap(); // the process may begin anew at any time
        }
        prop_assert_eq!((record.status(), fees), ("filled", told.fees.units));
    }
}

/// The executions of an account, served as the venue serves them: from a time, or from a number, a page at most.
fn serve(rows: &[Value], query: &str) -> Vec<Value> {
    let value =
        |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<i64>().ok());
    let most = usize::try_from(value("limit").unwrap()).unwrap();
    let from = |row: &&Value| match (value("fromId"), value("startTime")) {
        (Some(id), _) => row["id"].as_i64() >= Some(id),
        (None, Some(time)) => row["time"].as_i64() >= Some(time),
        (None, None) => true,
    };
    rows.iter().filter(from).take(most).cloned().collect()
}

/// Reads every execution of a venue that has `before` of them an hour earlier and `together` in one millisecond.
async fn check_pages(before: u64, together: u64) {
    let row = |id: u64, time: i64| {
        json!({ "symbol": "BTCUSDT", "id": id, "orderId": 28, "orderListId": -1, "price": "50000.00", "qty": "0.001",
                "quoteQty": "50", "commission": "0.05", "commissionAsset": "USDT", "time": time,
                "isBuyer": true, "isMaker": true, "isBestMatch": true })
    };
    let now = 1_700_000_000_000;
    let rows: Vec<_> =
        (1..=before + together).map(|id| row(id, if id <= before { now - 3_600_000 } else { now })).collect();
    let started: Arc<OnceLock<Fake>> = Arc::default();
    let itself = started.clone();
    let fake = Fake::start(0, move |path, _| match path {
        "/api/v3/myTrades" => {
            let query = itself.get().and_then(|fake| fake.asked_for(path).pop()).unwrap();
            Reply::Http(200, "", Value::from(serve(&rows, &query)).to_string())
        }
        _ => Reply::Silence,
    })
    .await;
    started.set(fake.clone()).ok().unwrap();
    let (connection, _events) = fake.connect(|_| ()).await;
    let read = connection.fills_since(InstrumentId(0), Timestamp::from_millis(now - 1)).await.unwrap();
    let numbers: Vec<u64> = read.iter().map(tradewind_venues::binance::AccountFill::number).collect();
    assert_eq!(numbers, (before + 1..=before + together).collect::<Vec<_>>(), "{together} in one millisecond");
}

#[tokio::test]
async fn b13_more_executions_in_one_millisecond_than_a_page_holds_are_all_read_once() {
    for (before, together) in [(0, 0), (3, 1), (5, 999), (5, 1_000), (0, 1_001), (1_000, 2_000), (7, 3_500)] {
        check_pages(before, together).await;
    }
}
