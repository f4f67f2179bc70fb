//! What comes out of a connection: reports, gaps, books, quotes, and queries.

use crate::support::{Fake, OUR_ID, Reply, bitcoin, exchange_info, recordings, until, unzip};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tradewind_domain::{Coded as _, InstrumentId, Interval, Timestamp};
use tradewind_venues::binance::convert::StandingState;
use tradewind_venues::binance::{BinanceConfig, Connection, Subscriptions};
use tradewind_venues::{BookChange, VenueEvent, VenueReport};

fn execution(what: &str, trade: i64, last: &str, cumulative: &str) -> String {
    let event = json!({
        "e": "executionReport", "E": 1_700_000_000_001_i64, "s": "BTCUSDT", "c": OUR_ID.to_string(), "S": "BUY",
        "o": "LIMIT", "f": "GTC", "q": "0.00200000", "p": "50000.01000000", "P": "0.00000000", "F": "0.00000000",
        "g": -1, "C": "", "x": what, "X": "NEW", "r": "NONE", "i": 28, "l": last, "z": cumulative,
        "L": "50000.00000000", "n": "0.00000100", "N": "BTC", "T": 1_700_000_000_000_i64, "t": trade, "I": 1,
        "w": true, "m": false, "M": false, "O": 1_700_000_000_000_i64, "Z": "0", "Y": "0", "Q": "0",
    });
    json!({ "subscriptionId": 0, "event": event }).to_string()
}

pub(crate) fn describe(event: &VenueEvent) -> Option<String> {
    Some(match event {
        VenueEvent::Up { stream, .. } => format!("{stream:?} up"),
        VenueEvent::Down { stream, .. } => format!("{stream:?} down"),
        VenueEvent::UserStreamGap { .. } => "gap".to_owned(),
        VenueEvent::Fault { code, .. } => format!("fault {code}"),
        VenueEvent::Report { report, .. } => match report {
            VenueReport::Accepted { .. } => "accepted".to_owned(),
            VenueReport::Filled { fill, .. } => {
                format!("filled {} fee {}", bitcoin().quantity_text(fill.quantity), fill.fee.0)
            }
            other => format!("{other:?}"),
        },
        VenueEvent::Balances { balances, .. } => format!("{} {}", balances[0].currency, balances[0].free.amount()),
        VenueEvent::Transferred { delta, .. } => format!("transferred {delta}"),
        _ => return None,
    })
}

#[tokio::test]
async fn the_user_stream_reports_in_order_and_tells_the_gap_when_it_was_cut() {
    let sessions = Arc::new(AtomicUsize::new(0));
    let count = sessions.clone();
    let fake = Fake::start(0, move |method, _| {
        if method != "userDataStream.subscribe.signature" {
            return Reply::Silence;
        }
        let frames = match count.fetch_add(1, Ordering::SeqCst) {
            0 => vec![
                execution("TRADE", 77, "0.00100000", "0.00100000"), // overtakes its acceptance
                execution("NEW", -1, "0", "0"),
                r#"{"subscriptionId":0,"event":{"e":"inventedTomorrow","E":1}}"#.to_owned(),
                execution("INVENTED", -1, "0", "0"),
                r#"{"subscriptionId":0,"event":{"e":"outboundAccountPosition","E":1,"u":1,"B":[{"a":"BTC","f":"1.5","l":"0"}]}}"#.to_owned(),
                r#"{"subscriptionId":0,"event":{"e":"balanceUpdate","E":1,"a":"USDT","d":"-12.50000000","T":1}}"#.to_owned(),
                r#"{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}}"#.to_owned(),
            ],
            _ => vec![execution("TRADE", 78, "0.00100000", "0.00200000")],
        };
        Reply::Frames(frames)
    })
    .await;
    let (connection, mut events) = fake.connect(|_| ()).await;
    let before = Timestamp::from_millis(1_700_000_000_000);
    let mut told = Vec::new();
    until(&mut events, |event| {
        if let VenueEvent::UserStreamGap { since } = event {
            assert!(since > before, "the moment of the last frame");
        }
        told.extend(describe(&event));
        (told.last().is_some_and(|last| last.starts_with("filled")) && told.len() > 2).then_some(())
    })
    .await;
    assert_eq!(
        told,
        [
            "User up",
            "filled 0.001 fee 0.000001 BTC",
            "accepted",
            "fault VEN-05",
            "fault VEN-21",
            "gap",
            "BTC 1.5",
            "transferred -12.5 USDT",
            "User down",
            "User up",
            "gap",
            "filled 0.001 fee 0.000001 BTC",
        ]
    );
    drop(connection);
    assert!(events.recv().await.is_none(), "the tasks end with the last handle");
}

#[tokio::test]
async fn recorded_frames_over_a_socket_become_quotes_trades_and_a_book_that_resyncs() {
    let Some(folder) = recordings("recorded_frames_over_a_socket_become_quotes_trades_and_a_book_that_resyncs") else {
        return;
    };
    let text = unzip(folder.join("ticks/binance-spot-btcusdt_20240808.gz"));
    let lines: Vec<String> = text.lines().take(3_000).map(|l| l.split_once(' ').unwrap().1.to_owned()).collect();
    let snapshot = lines.iter().find(|l| l.starts_with("{\"lastUpdateId\"")).unwrap().clone();
    let mut frames: Vec<String> = lines.into_iter().filter(|l| l.starts_with("{\"stream\"")).collect();
    let depths: Vec<usize> = (0..frames.len()).filter(|i| frames[*i].contains("depthUpdate")).collect();
    frames.remove(depths[60]); // a lost message
    let frames = Mutex::new(Some(frames));
    let served = snapshot.clone();
    let fake = Fake::start(0, move |what, frame| match what {
        "/api/v3/depth" => Reply::Http(200, "", served.clone()),
        "SUBSCRIBE" => Reply::Frames(vec![json!({ "result": null, "id": frame["id"] }).to_string()]),
        "LIST_SUBSCRIPTIONS" if frame["id"] != 0 => {
            let taken = ["bookTicker", "trade", "depth@100ms", "kline_1m"].map(|it| format!("btcusdt@{it}"));
            let mut all = vec![json!({ "result": taken, "id": frame["id"] }).to_string()];
            all.extend(frames.lock().unwrap().take().unwrap_or_default());
            Reply::Frames(all)
        }
        _ => Reply::Silence,
    })
    .await;
    let wanted = Subscriptions { quotes: true, trades: true, books: true, bars: vec![Interval::MINUTE] };
    let (_connection, mut events) = fake.connect(|c| (c.signer, c.subscriptions) = (None, wanted)).await;
    let (mut quotes, mut trades, mut steps) = (0, 0, Vec::new());
    until(&mut events, |event| {
        match &event {
            VenueEvent::Quote { quote, stamps } => {
                assert!(quote.bid < quote.ask && stamps.event.is_none());
                quotes += 1;
            }
            VenueEvent::Trade { stamps, .. } => {
                assert!(stamps.event.is_some_and(|at| at.utc_day() == 19_943));
                trades += 1;
            }
            VenueEvent::Book { change, .. } => {
                let step = match change {
                    BookChange::Snapshot(_) => "snapshot",
                    BookChange::Diff(_) => "diff",
                    BookChange::Lost { .. } => "lost",
                };
                if steps.last() != Some(&step) {
                    steps.push(step);
                }
            }
            VenueEvent::Fault { message, .. } => panic!("{message}"),
            _ => (),
        }
        steps.contains(&"lost").then_some(())
    })
    .await;
    assert_eq!(steps, ["snapshot", "diff", "lost"]);
    assert!(quotes > 20 && trades > 20, "{quotes} quotes, {trades} trades");
    let asked = fake.asked_for("SUBSCRIBE").join("");
    for stream in ["bookTicker", "trade", "depth@100ms", "kline_1m"] {
        assert!(asked.contains(&format!("btcusdt@{stream}")), "{asked}");
    }
}

fn row(id: u64) -> Value {
    json!({ "symbol": "BTCUSDT", "id": id, "orderId": 28, "orderListId": -1, "price": "50000.00", "qty": "0.001",
            "quoteQty": "50", "commission": "0.05", "commissionAsset": "USDT", "time": 1_700_000_000_000_i64,
            "isBuyer": true, "isMaker": true, "isBestMatch": true })
}

#[tokio::test]
async fn queries_read_the_account_the_orders_and_every_page_of_fills_once() {
    let pages = AtomicUsize::new(0);
    let fake = Fake::start(0, move |path, _| {
        let body = match path {
            "/api/v3/account" => json!({
                "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
                "commissionRates": { "maker": "0.00075000", "taker": "0.00100000", "buyer": "0", "seller": "0" },
                "canTrade": true, "canWithdraw": false, "canDeposit": true, "updateTime": 1, "accountType": "SPOT",
                "balances": [{ "asset": "BTC", "free": "1.5", "locked": "0.5" },
                             { "asset": "币安人生", "free": "7", "locked": "0" },
                             { "asset": "ETH", "free": "0.00", "locked": "0" }],
            }),
            "/api/v3/order" => {
                return Reply::Http(400, "", json!({ "code": -2013, "msg": "Order does not exist." }).to_string());
            }
            "/api/v3/openOrders" => json!([{
                "symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "web_7", "price": "50000.01", "origQty": "0.002",
                "executedQty": "0.001", "cummulativeQuoteQty": "50", "status": "PARTIALLY_FILLED", "timeInForce": "GTC",
                "type": "LIMIT", "side": "SELL", "time": 1, "updateTime": 2, "isWorking": true,
            }]),
            "/api/v3/myTrades" => match pages.fetch_add(1, Ordering::SeqCst) {
                0 => (1..=1_000).map(row).collect(),
                _ => (1_000..=1_003).map(row).collect(),
            },
            _ => return Reply::Silence,
        };
        Reply::Http(200, "", body.to_string())
    })
    .await;
    let (connection, _events) = fake.connect(|_| ()).await;
    let account = connection.account().await.unwrap();
    assert_eq!((account.balances.len(), account.unreadable.len()), (1, 1));
    assert_eq!(account.balances[0].locked.amount(), "0.5");
    assert_eq!((account.fees.maker_centi_bps, account.fees.taker_centi_bps), (750, 1_000));
    assert!(account.can_trade && !account.can_withdraw);

    let error = connection.order(InstrumentId(0), OUR_ID).await.unwrap_err();
    assert!(matches!(error, tradewind_venues::QueryError::NotFound { code: -2013, .. }), "{error}");

    let open = connection.open_orders(InstrumentId(0)).await.unwrap();
    assert_eq!((open[0].client_id, open[0].client_text.as_str(), open[0].state), (None, "web_7", StandingState::Open));

    let fills = connection.fills_since(InstrumentId(0), Timestamp::from_millis(1)).await.unwrap();
    assert_eq!(fills.len(), 1_003, "the overlap of two pages is counted once");
    assert_eq!(fills[1_002].fill(OUR_ID).unwrap().fee.0.amount(), "0.05");
    assert!(fake.asked_for("/api/v3/myTrades")[1].contains("fromId=1001"));
    assert!(connection.fills_since(InstrumentId(9), Timestamp::default()).await.unwrap_err().code() == "VEN-20");
}

#[tokio::test]
async fn an_instrument_that_the_venue_lists_otherwise_is_refused() {
    let fake = Fake::start(0, |_, _| Reply::Silence).await;
    let mut other = bitcoin();
    other.spec.tick = tradewind_domain::Price::from_mantissa(5);
    let error = Connection::connect(BinanceConfig::local(fake.port), vec![other]).await.err().unwrap();
    assert_eq!(error.code(), "VEN-22", "{error}");
    let mut unlisted = bitcoin();
    unlisted.spec.venue_symbol = "NOSUCH".to_owned();
    let error = Connection::connect(BinanceConfig::local(fake.port), vec![unlisted]).await.err().unwrap();
    assert_eq!(error.code(), "VEN-20", "{error}");
    assert!(exchange_info()["symbols"][0]["symbol"] == "BTCUSDT");
}
