//! Limits and outages.

use crate::hostile::listen;
use crate::support::{Fake, OUR_ID, Reply, bitcoin, cancel_permit, permit, until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tradewind_domain::{Coded as _, InstrumentId, OrderRequest, Side, Timestamp};
use tradewind_venues::binance::{Connection, OrderPath, Subscriptions};
use tradewind_venues::{Budget, Purpose, QueryError, Stream, SubmitError, VenueEvent, Wait};

fn buy() -> OrderRequest {
    let it = bitcoin();
    OrderRequest::limit(InstrumentId(0), Side::Buy, it.quantity("0.001").unwrap(), it.price("50000.01").unwrap())
}

fn ack() -> Value {
    json!({ "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": OUR_ID.to_string(),
            "transactTime": 1_700_000_000_123_i64 })
}

fn too_many() -> String {
    json!({ "code": -1003, "msg": "Too much request weight used" }).to_string()
}

async fn submit(connection: &Connection) -> Result<tradewind_venues::Ack, SubmitError> {
    let permit = permit(buy());
    let prepared = connection.prepare(permit.get().action()).unwrap();
    connection.submit(permit, prepared).await
}

async fn cancel(connection: &Connection) -> Result<tradewind_venues::Ack, SubmitError> {
    let permit = cancel_permit();
    let prepared = connection.prepare(permit.get().action()).unwrap();
    connection.submit(permit, prepared).await
}

/// Why nothing left, and how long it will stay so.
fn waits(result: Result<tradewind_venues::Ack, SubmitError>) -> (&'static str, Duration) {
    match result {
        Err(SubmitError::NotSent { reason, .. }) => (reason.code(), reason.retry_after().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn how_many(fake: &Fake) -> usize {
    fake.asked.lock().unwrap().len()
}

#[tokio::test]
async fn e01_after_429_everything_on_that_budget_waits_as_long_as_told() {
    let refuses = Arc::new(AtomicBool::new(true));
    let refusing = refuses.clone();
    let fake = Fake::start(0, move |path, _| match path {
        "/api/v3/order" if refusing.swap(false, Ordering::SeqCst) => Reply::Http(429, "retry-after: 1\r\n", too_many()),
        "/api/v3/order" => Reply::Http(200, "", ack().to_string()),
        _ => Reply::Silence,
    })
    .await;
    let (connection, mut events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    until(&mut events, |e| matches!(e, VenueEvent::Up { .. }).then_some(())).await;
    let Err(SubmitError::Rejected(first)) = submit(&connection).await else { panic!("refused at the door") };
    let told = Instant::now();
    assert_eq!((first.code, first.retry_after), ("VEN-11", Some(Duration::from_secs(1))));
    let asked = how_many(&fake);
    for _ in 0..3 {
        assert_eq!(waits(submit(&connection).await).0, "VEN-11");
        assert_eq!(waits(cancel(&connection).await).0, "VEN-11", "a cancel now would end in a ban");
        assert_eq!(connection.account().await.unwrap_err().code(), "VEN-11");
        assert_eq!(
            connection.newest_bars(InstrumentId(0), "1m".parse().unwrap(), 2).await.unwrap_err().code(),
            "VEN-11"
        );
    }
    assert_eq!(how_many(&fake), asked, "not one request");
    tokio::time::sleep(Duration::from_secs(1).saturating_sub(told.elapsed()) + Duration::from_millis(20)).await;
    assert!(submit(&connection).await.is_ok(), "and then it goes on");
}

/// With so much of the minute's 6,000 used: whether market data are told, and whether new exposure may leave.
async fn check_shares(used: u32, market_data: bool, exposure: bool) {
    let header: &'static str = Box::leak(format!("x-mbx-used-weight-1m: {used}\r\n").into_boxed_str());
    let fake = Fake::start(0, move |path, _| match path {
        "/api/v3/klines" => Reply::Http(200, header, "[]".to_owned()),
        "/api/v3/openOrders" => Reply::Http(200, "", "[]".to_owned()),
        _ => Reply::Http(200, "", ack().to_string()),
    })
    .await;
    let (connection, mut events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    until(&mut events, |e| matches!(e, VenueEvent::Up { .. }).then_some(())).await;
    let minute = |_| async { connection.newest_bars(InstrumentId(0), "1m".parse().unwrap(), 2).await };
    minute(0).await.unwrap();
    // a new minute may begin in between, once
    let mut told = minute(0).await;
    if told.is_ok() {
        told = minute(0).await;
    }
    assert_eq!(told.err().map(|error| error.code()), (!market_data).then_some("VEN-11"), "market data at {used}");
    let sent = submit(&connection).await;
    assert_eq!(sent.is_ok(), exposure, "new exposure at {used}: {sent:?}");
    if !exposure {
        assert_eq!(waits(sent).0, "VEN-11");
    }
    assert!(cancel(&connection).await.is_ok(), "a cancel goes");
    assert!(connection.open_orders(InstrumentId(0)).await.is_ok(), "and so does the question what is open");
}

#[tokio::test]
async fn e01_cancels_and_queries_about_orders_use_the_reserve() {
    check_shares(100, true, true).await;
    check_shares(3_000, true, false).await;
    check_shares(4_500, false, false).await;
}

#[tokio::test]
async fn e02_during_a_ban_no_request_leaves_and_no_stream_is_tried() {
    let fake = Fake::start(0, |path, _| match path {
        "/api/v3/order" => Reply::Http(418, "retry-after: 2\r\n", too_many()),
        _ => Reply::Close,
    })
    .await;
    let (connection, mut events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    let Err(SubmitError::Rejected(refused)) = submit(&connection).await else { panic!("refused at the door") };
    let banned = Instant::now();
    assert_eq!(refused.code, "VEN-12");
    assert!(matches!(connection.told_to_wait(), Some(Wait::Banned(_))), "whoever asks is told");
    let asked = how_many(&fake);
    // the user stream is down: it must not be tried anew, and it says why
    let why = until(&mut events, |e| match e {
        VenueEvent::Down { stream: Stream::User, why, .. } if why.contains("banned") => Some(why),
        VenueEvent::Fault { code: "VEN-12", message, .. } => Some(message),
        _ => None,
    })
    .await;
    assert!(why.contains("banned this address for"), "{why}");
    while banned.elapsed() < Duration::from_millis(1_600) {
        assert_eq!(waits(submit(&connection).await).0, "VEN-12");
        assert_eq!(waits(cancel(&connection).await).0, "VEN-12");
        assert!(matches!(connection.account().await, Err(QueryError::Banned(_))));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let during = how_many(&fake) - asked;
    assert!(during <= 1, "{during}: at most the session that was being made when the ban came");
    let told = std::iter::from_fn(|| events.try_recv().ok()).filter(|e| matches!(e, VenueEvent::Down { .. })).count();
    assert_eq!(told, 0, "the ban was told once: no loop");
    until(&mut events, |e| matches!(e, VenueEvent::Up { .. } | VenueEvent::Down { .. }).then_some(())).await;
    assert!(banned.elapsed() >= Duration::from_secs(2), "{:?}", banned.elapsed());
}

#[tokio::test]
async fn e02_a_ban_at_the_door_of_a_stream_holds_for_everything() {
    for (status, code) in [(418, "VEN-12"), (403, "VEN-12"), (429, "VEN-11")] {
        let answer = format!("HTTP/1.1 {status} X\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n");
        let port = listen(move |_, mut stream| {
            let answer = answer.clone();
            async move {
                let _ = stream.read(&mut [0; 2_048]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await;
        let fake = Fake::start(0, |_, _| Reply::Silence).await;
        let (connection, mut events) = fake
            .connect(|c| {
                (c.signer, c.stream_url) = (None, port.ws());
                c.subscriptions = Subscriptions { quotes: true, ..Subscriptions::default() };
            })
            .await;
        until(&mut events, |e| matches!(e, VenueEvent::Down { .. }).then_some(())).await;
        assert_eq!(connection.refresh_clock().await.unwrap_err().code(), code);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(port.seen(), 1, "{status}: not tried again");
    }
}

#[test]
fn e02_bans_of_two_minutes_and_of_three_days_end_when_they_end() {
    for seconds in [120, 3 * 86_400] {
        let mut budget = Budget::new(&[(Duration::from_secs(60), 6_000)]);
        let at = |millis: i64| Timestamp::from_millis(1_700_000_000_000 + millis);
        budget.told_to_wait(Duration::from_secs(seconds), true, at(0));
        let end = i64::try_from(seconds).unwrap() * 1_000;
        let last = budget.take(1, Purpose::Vital, at(end - 1));
        assert_eq!(last, Err(Wait::Banned(Duration::from_millis(1))));
        assert_eq!(budget.take(1, Purpose::Ordinary, at(end)), Ok(()));
    }
}

#[tokio::test]
async fn e03_refusals_that_do_not_say_how_long_are_waited_out_longer_each_time() {
    let fake = Fake::start(0, |_, _| Reply::Http(429, "", too_many())).await;
    let mut series = Vec::new();
    for _ in 0..2 {
        let (connection, _events) = fake.connect(|c| (c.signer, c.order_path) = (None, OrderPath::Rest)).await;
        let mut waited = Vec::new();
        let bars = || connection.newest_bars(InstrumentId(0), "1m".parse().unwrap(), 2);
        for _ in 0..2 {
            assert!(matches!(bars().await, Err(QueryError::Refused(_))), "asked, and refused");
            let Err(QueryError::Budget(wait)) = bars().await else { panic!("it waits") };
            waited.push(wait);
            if waited.len() < 2 {
                tokio::time::sleep(wait + Duration::from_millis(10)).await;
            }
        }
        let within = |wait: &Duration, whole: u64| {
            *wait > Duration::from_millis(whole / 2 - 100) && *wait <= Duration::from_millis(whole)
        };
        assert!(within(&waited[0], 2_000) && within(&waited[1], 4_000), "{waited:?}");
        series.push(waited);
    }
    assert_ne!(series[0], series[1], "no two processes come back at the same moment");
}

#[tokio::test]
async fn e04_in_a_storm_of_errors_questions_back_off_and_orders_stay_unknown() {
    let (storm, questions) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let (rages, counts) = (storm.clone(), questions.clone());
    let fake = Fake::start(0, move |path, _| {
        counts.fetch_add(usize::from(path != "/api/v3/order"), Ordering::SeqCst);
        match (rages.load(Ordering::SeqCst), path) {
            (true, _) => Reply::Http(503, "", "<html>Service Unavailable</html>".to_owned()),
            (false, "/api/v3/order") => Reply::Http(200, "", ack().to_string()),
            (false, _) => Reply::Http(200, "", "[]".to_owned()),
        }
    })
    .await;
    let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    let before = questions.load(Ordering::SeqCst);
    let (began, mut left_in_peace) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_millis(1_500) {
        let error = connection.open_orders(InstrumentId(0)).await.unwrap_err();
        left_in_peace += usize::from(error.code() == "VEN-33");
        assert!(["VEN-10", "VEN-33"].contains(&error.code()), "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let asked = questions.load(Ordering::SeqCst) - before;
    assert!((3..=9).contains(&asked) && left_in_peace > 20, "{asked} of {left_in_peace} questions left");
    let Err(SubmitError::Unknown(fault)) = submit(&connection).await else { panic!("nobody knows") };
    assert_eq!(fault.code(), "VEN-10");
    storm.store(false, Ordering::SeqCst);
    let calm = Instant::now();
    while connection.open_orders(InstrumentId(0)).await.is_err() {
        assert!(calm.elapsed() < Duration::from_secs(11), "the venue is asked anew by itself");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(submit(&connection).await.is_ok());
}
