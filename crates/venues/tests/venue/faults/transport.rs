//! Faults of the transport.

use crate::hostile::{Port, listen, subscribed};
use crate::streams::describe;
use crate::support::{Fake, OTHER_ID, OUR_ID, Reply, bitcoin, cancel_permit, permit, until};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc::Receiver;
use tokio_tungstenite::tungstenite::Message;
use tradewind_domain::{Coded as _, InstrumentId, OrderRequest, Side, Timestamp, VenueOrderId};
use tradewind_venues::binance::protocol::{OrderAnswer, read_order_answer};
use tradewind_venues::binance::{BinanceConfig, Connection, OrderPath, Subscriptions};
use tradewind_venues::{Backoff, Budget, Names, Purpose, QueryError, Stream, SubmitError, VenueEvent};

const QUOTES: Subscriptions = Subscriptions { quotes: true, trades: false, books: false, bars: Vec::new() };

fn buy() -> OrderRequest {
    let it = bitcoin();
    OrderRequest::limit(InstrumentId(0), Side::Buy, it.quantity("0.001").unwrap(), it.price("50000.01").unwrap())
}

fn ack_of(order: &str) -> Value {
    json!({ "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": order,
            "transactTime": 1_700_000_000_123_i64 })
}

fn ticker(update: u64, bid: u64) -> String {
    let data =
        json!({ "u": update, "s": "BTCUSDT", "b": format!("{bid}.00"), "B": "1", "a": format!("{bid}.50"), "A": "1" });
    json!({ "stream": "btcusdt@bookTicker", "data": data }).to_string()
}

async fn quiet() -> Fake {
    Fake::start(0, |_, _| Reply::Silence).await
}

async fn is_up(events: &mut Receiver<VenueEvent>, wanted: Stream) {
    until(events, |e| matches!(e, VenueEvent::Up { stream, .. } if stream == wanted).then_some(())).await;
}

/// Why the stream went down.
async fn down(events: &mut Receiver<VenueEvent>, wanted: Stream) -> String {
    until(events, |e| match e {
        VenueEvent::Down { stream, why, .. } if stream == wanted => Some(why),
        _ => None,
    })
    .await
}

async fn submit(connection: &Connection) -> Result<tradewind_venues::Ack, SubmitError> {
    let permit = permit(buy());
    let prepared = connection.prepare(permit.get().action()).unwrap();
    connection.submit(permit, prepared).await
}

fn class(result: &Result<tradewind_venues::Ack, SubmitError>) -> (&'static str, &'static str) {
    match result {
        Ok(_) => ("done", ""),
        Err(error @ SubmitError::Rejected(_)) => ("rejected", error.code()),
        Err(error @ SubmitError::NotSent { .. }) => ("not sent", error.code()),
        Err(error @ SubmitError::Unknown(_)) => ("unknown", error.code()),
    }
}

// --- D01

#[tokio::test]
async fn d01_a_half_open_user_stream_is_asked_given_up_and_made_anew() {
    let fake = quiet().await;
    let (_connection, mut events) = fake
        .connect(|c| (c.probe_after, c.dead_after) = (Duration::from_millis(300), Duration::from_millis(900)))
        .await;
    is_up(&mut events, Stream::User).await;
    let up = Instant::now();
    let why = down(&mut events, Stream::User).await;
    assert!(why.starts_with("silent for"), "{why}");
    assert!(up.elapsed() <= Duration::from_millis(950), "{:?}: never longer than allowed", up.elapsed());
    assert_eq!(fake.asked_for("ping").len(), 1, "asked whether it lives before it was given up");
    is_up(&mut events, Stream::User).await;
    until(&mut events, |e| matches!(e, VenueEvent::UserStreamGap { .. }).then_some(())).await;
}

#[tokio::test]
async fn d01_a_half_open_market_stream_is_asked_given_up_and_made_anew() {
    let fake = Fake::start(0, |method, frame| match method {
        "SUBSCRIBE" => Reply::Frames(vec![json!({ "result": null, "id": frame["id"] }).to_string()]),
        _ => Reply::Silence,
    })
    .await;
    let (_connection, mut events) = fake
        .connect(|c| {
            (c.signer, c.subscriptions) = (None, QUOTES);
            (c.probe_after, c.dead_after) = (Duration::from_millis(300), Duration::from_millis(900));
        })
        .await;
    is_up(&mut events, Stream::Market).await;
    let up = Instant::now();
    down(&mut events, Stream::Market).await;
    assert!(up.elapsed() <= Duration::from_millis(950), "{:?}", up.elapsed());
    assert_eq!(fake.asked_for("LIST_SUBSCRIPTIONS").len(), 2, "once after subscribing, once as a probe");
    is_up(&mut events, Stream::Market).await;
}

#[test]
fn d01_what_is_shipped_detects_a_half_open_connection_within_fifteen_seconds() {
    let shipped = BinanceConfig::production();
    assert!(shipped.dead_after <= Duration::from_secs(15), "streams");
    assert!(shipped.answer_time <= Duration::from_secs(15), "requests on a connection that was kept");
    let longest_wait = Duration::from_secs(10);
    let again = longest_wait + shipped.connect_time + shipped.answer_time;
    assert!(again <= Duration::from_secs(30), "{again:?} from the end of the faults until every stream is live");
}

// --- D02

#[tokio::test]
async fn d02_an_answer_that_trickles_is_cut_at_a_total_deadline() {
    let answer =
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{                                                 ".to_vec();
    let fake = Fake::start(0, move |_, _| Reply::Trickle(answer.clone(), Duration::from_millis(25))).await;
    let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
    let asked = Instant::now();
    let error = connection.open_orders(InstrumentId(0)).await.unwrap_err();
    assert_eq!(error.code(), "VEN-08", "{error}");
    let placed = submit(&connection).await;
    assert_eq!(class(&placed), ("unknown", "VEN-08"));
    // 93 bytes of 25 ms each would take 2.3 s, and no single pause is long
    assert!(asked.elapsed() < Duration::from_millis(1_800), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn d02_a_handshake_and_a_frame_that_trickle_are_cut_at_a_total_deadline() {
    let port = listen(|number, stream| async move {
        let mut stream = stream;
        if number == 0 {
            for byte in b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n" {
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            return;
        }
        let Some(mut socket) = subscribed(stream).await else { return };
        // the head of a text frame of 100 bytes, then one byte after the other
        let _ = socket.get_mut().write_all(&[0x81, 100]).await;
        while socket.get_mut().write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    })
    .await;
    let fake = quiet().await;
    let (_connection, mut events) = fake
        .connect(|c| {
            c.ws_api_url = format!("{}/ws-api/v3", port.ws());
            c.connect_time = Duration::from_millis(300);
            (c.probe_after, c.dead_after) = (Duration::from_millis(200), Duration::from_millis(800));
        })
        .await;
    assert_eq!(down(&mut events, Stream::User).await, "no connection within 300ms");
    is_up(&mut events, Stream::User).await;
    let up = Instant::now();
    assert!(down(&mut events, Stream::User).await.starts_with("silent"), "a frame counts when it is whole");
    assert!(up.elapsed() <= Duration::from_millis(900), "{:?}", up.elapsed());
}

// --- D03

#[test]
fn d03_an_acknowledgement_cut_at_any_byte_leaves_the_order_unknown() {
    let approved = permit(buy());
    let action = approved.get().action();
    let whole = json!({ "id": 2, "status": 200, "result": ack_of(&OUR_ID.to_string()) }).to_string();
    let now = Timestamp::from_millis(1_700_000_000_000);
    let read = |text: &str| read_order_answer(action, text, now, now).answer;
    assert!(matches!(read(&whole), OrderAnswer::Ack(_)));
    for cut in 0..whole.len() {
        assert!(matches!(read(&whole[..cut]), OrderAnswer::Unknown(_)), "cut at {cut}");
        let twice = format!("{}{whole}", &whole[..cut]);
        assert!(cut == 0 || matches!(read(&twice), OrderAnswer::Unknown(_)), "cut at {cut}, then whole");
    }
    assert!(matches!(read(&format!("{whole}{whole}")), OrderAnswer::Unknown(_)), "two objects in one frame");
}

#[tokio::test]
async fn d03_broken_frames_end_the_session_and_leave_the_order_unknown() {
    let text_frame = |payload: &[u8]| [&[0x81, u8::try_from(payload.len()).unwrap()][..], payload].concat();
    for (what, bytes, code) in [
        ("split UTF-8", text_frame(b"{\"id\":2,\"msg\":\"\xe2\x82"), "VEN-07"),
        ("two objects", text_frame(b"{\"id\":2,\"status\":200}{\"id\":3,\"status\":200}"), "VEN-01"),
        ("half an object", text_frame(b"{\"id\":2,\"status\":200,\"result\":{\"order"), "VEN-03"),
        ("a frame that never ends", vec![0x81, 120, b'{'], "VEN-07"),
        ("a reserved opcode", vec![0x83, 2, b'{', b'}'], "VEN-07"),
    ] {
        let fake = Fake::start(0, move |method, _| match method {
            "order.place" => Reply::Raw(bytes.clone()),
            _ => Reply::Silence,
        })
        .await;
        let (connection, mut events) = fake.connect(|_| ()).await;
        is_up(&mut events, Stream::User).await;
        let placed = submit(&connection).await;
        assert_eq!(class(&placed), ("unknown", code), "{what}");
        down(&mut events, Stream::User).await;
        assert_eq!(fake.asked_for("order.place").len(), 1, "{what}");
    }
}

// --- D04

#[tokio::test]
async fn d04_frames_that_are_too_large_or_too_deep_end_the_session() {
    let huge = [&[0x81, 127][..], &(100_u64 << 20).to_be_bytes(), b"{"].concat();
    let packed = vec![0xC1, 2, 0x4B, 0x04]; // a compressed frame, which nobody negotiated
    for (what, reply, says) in [
        ("100 MB announced", Reply::Raw(huge), "too long"),
        ("compressed", Reply::Raw(packed), ""),
        ("a million levels", Reply::Frames(vec!["[".repeat(1_000_000)]), "64 levels"),
        ("levels of objects", Reply::Frames(vec![format!("{}1", "{\"a\":".repeat(65))]), "64 levels"),
        ("five megabytes", Reply::Frames(vec![format!("{{\"x\":\"{}\"}}", "x".repeat(5 << 20))]), "too long"),
    ] {
        let fake = Fake::start(0, move |method, frame| match method {
            "LIST_SUBSCRIPTIONS" => Reply::Silence,
            "userDataStream.subscribe.signature" => reply.clone(),
            "SUBSCRIBE" => Reply::Frames(vec![json!({ "result": null, "id": frame["id"] }).to_string()]),
            _ => Reply::Silence,
        })
        .await;
        let (_connection, mut events) = fake.connect(|_| ()).await;
        let why = down(&mut events, Stream::User).await;
        assert!(why.contains(says), "{what}: {why}");
    }
}

#[tokio::test]
async fn d04_an_answer_that_unpacks_to_more_than_four_megabytes_is_dropped() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(b"[").unwrap();
    for _ in 0..32 {
        packer.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let packed = packer.finish().unwrap();
    assert!(packed.len() < 100_000, "{} bytes on the wire", packed.len());
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len());
    let raw = [head.as_bytes(), &packed].concat();
    let fake = Fake::start(0, move |_, _| Reply::Raw(raw.clone())).await;
    let (connection, _events) = fake.connect(|c| c.answer_time = Duration::from_secs(5)).await;
    let error = connection.open_orders(InstrumentId(0)).await.unwrap_err();
    assert_eq!(error.code(), "VEN-25", "{error}");
}

// --- D05

/// Ten minutes in which every session of both streams is cut after 200 ms, by the waits and the budget that are shipped.
#[test]
fn d05_a_storm_of_ten_minutes_stays_within_the_budget_of_connections() {
    let mut budget = Budget::new(&[(Duration::from_secs(300), 300)]);
    let mut connects: Vec<i64> = Vec::new();
    for seed in [7, 8] {
        let (mut now, mut waits) = (0, Backoff::of_connections(seed));
        while now < 600_000 {
            if budget.take(1, Purpose::Ordinary, Timestamp::from_millis(now)).is_ok() {
                connects.push(now);
                now += 200;
            }
            now += i64::try_from(waits.next_wait().as_millis()).unwrap();
        }
    }
    connects.sort_unstable();
    let most = connects.iter().map(|at| connects.iter().filter(|it| (*at..at + 300_000).contains(*it)).count()).max();
    assert!(most < Some(150), "{most:?} connections in five minutes, of 300 that the venue allows");
    assert!(connects.len() > 100, "it never gives up: {}", connects.len());
}

#[tokio::test]
async fn d05_after_a_storm_every_stream_is_live_and_no_order_is_lost() {
    let storm = Arc::new(AtomicBool::new(true));
    let rages = storm.clone();
    let fake = Fake::start(0, move |method, frame| match method {
        "order.place" if rages.load(Ordering::SeqCst) => Reply::Close,
        "order.place" => {
            let result = ack_of(frame["params"]["newClientOrderId"].as_str().unwrap());
            Reply::Frames(vec![json!({ "id": frame["id"], "status": 200, "result": result }).to_string()])
        }
        _ if rages.load(Ordering::SeqCst) => Reply::Close,
        "SUBSCRIBE" => Reply::Frames(vec![json!({ "result": null, "id": frame["id"] }).to_string()]),
        _ => Reply::Silence,
    })
    .await;
    let (connection, mut events) = fake.connect(|c| (c.subscriptions, c.event_room) = (QUOTES, 1_000)).await;
    let (mut sent, mut unsent) = (0, 0);
    for _ in 0..40 {
        match class(&submit(&connection).await).0 {
            "not sent" => unsent += 1,
            "unknown" => sent += 1,
            other => panic!("{other}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let arrived = fake.asked_for("order.place").len();
    assert!(arrived <= sent && sent + unsent == 40, "{arrived} arrived, {sent} are unknown, {unsent} not sent");
    storm.store(false, Ordering::SeqCst);
    let calm = Instant::now();
    let (mut market, mut user) = (false, false);
    until(&mut events, |event| {
        match event {
            VenueEvent::Up { stream: Stream::Market, .. } => market = true,
            VenueEvent::Up { stream: Stream::User, .. } => user = true,
            VenueEvent::Down { stream: Stream::Market, .. } => market = false,
            VenueEvent::Down { stream: Stream::User, .. } => user = false,
            _ => (),
        }
        (market && user && calm.elapsed() > Duration::from_millis(1)).then_some(())
    })
    .await;
    assert!(calm.elapsed() < Duration::from_secs(30), "{:?}", calm.elapsed());
    let deadline = Instant::now() + Duration::from_secs(5);
    while class(&submit(&connection).await).0 != "done" {
        assert!(Instant::now() < deadline, "an order comes through");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

// --- D06

#[tokio::test]
async fn d06_a_shutdown_notice_makes_the_next_user_session_before_the_old_one_ends() {
    let fake = Fake::start(0, |method, _| match method {
        "userDataStream.subscribe.signature" => {
            Reply::Frames(vec![r#"{"event":{"e":"serverShutdown","E":1}}"#.to_owned()])
        }
        _ => Reply::Silence,
    })
    .await;
    let (_connection, mut events) = fake.connect(|_| ()).await;
    is_up(&mut events, Stream::User).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while fake.asked_for("userDataStream.subscribe.signature").len() < 2 {
        assert!(Instant::now() < deadline, "a second session is made");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event, VenueEvent::Down { .. }), "no gap in between");
    }
}

#[tokio::test]
async fn d06_a_session_that_is_given_up_is_read_to_its_end_and_a_transfer_that_both_tell_counts_once() {
    let transfer = |delta: &str| {
        let event = json!({ "e": "balanceUpdate", "E": 1_700_000_000_001_i64, "a": "USDT", "d": delta,
                            "T": 1_700_000_000_000_i64 });
        json!({ "subscriptionId": 0, "event": event }).to_string()
    };
    let port = listen(move |number, stream| async move {
        let Some(mut socket) = subscribed(stream).await else { return };
        let mut say = async |text: String| drop(socket.send(Message::text(text)).await);
        if number > 0 {
            say(transfer("5")).await;
            return say(transfer("7")).await;
        }
        say(r#"{"event":{"e":"serverShutdown","E":1}}"#.to_owned()).await;
        while let Some(Ok(Message::Text(text))) = socket.next().await {
            let asked: Value = serde_json::from_str(&text).unwrap();
            // written before the new session was subscribed, and still on its way
            for text in [transfer("3"), transfer("5"), json!({ "id": asked["id"], "status": 200 }).to_string()] {
                let _ = socket.send(Message::text(text)).await;
            }
        }
    })
    .await;
    let fake = quiet().await;
    let (_connection, mut events) = fake.connect(|c| c.ws_api_url = port.ws()).await;
    let mut told = Vec::new();
    until(&mut events, |event| {
        told.extend(describe(&event));
        (told.last().is_some_and(|last| last == "transferred 7 USDT")).then_some(())
    })
    .await;
    assert_eq!(told, ["User up", "transferred 3 USDT", "transferred 5 USDT", "gap", "transferred 7 USDT"]);
}

/// Two sessions that overlap: every quote comes once, and the stream is never down.
async fn check_handover(first: Vec<String>, change: impl FnOnce(&mut BinanceConfig)) {
    let sessions = Arc::new(AtomicUsize::new(0));
    let port = listen(move |number, stream| {
        let (first, sessions) = (first.clone(), sessions.clone());
        async move {
            let Some(mut socket) = subscribed(stream).await else { return };
            sessions.fetch_add(1, Ordering::SeqCst);
            let frames = if number == 0 { first } else { vec![ticker(3, 53), ticker(4, 54)] };
            for frame in frames {
                socket.send(Message::text(frame)).await.unwrap();
            }
            while number == 0 && sessions.load(Ordering::SeqCst) < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if number == 0 {
                let _ = socket.send(Message::text(ticker(3, 53))).await; // the old one tells it as well, if it still may
            }
            while socket.next().await.is_some() {}
        }
    })
    .await;
    let fake = quiet().await;
    let (_connection, mut events) = fake
        .connect(|c| {
            (c.signer, c.subscriptions, c.stream_url) = (None, QUOTES, port.ws());
            change(c);
        })
        .await;
    let mut told = Vec::new();
    until(&mut events, |event| {
        match event {
            VenueEvent::Quote { quote, .. } => told.push(bitcoin().price_text(quote.bid)),
            VenueEvent::Down { why, .. } => panic!("{why}"),
            _ => (),
        }
        (told.len() == 4).then_some(())
    })
    .await;
    assert_eq!(told, ["51", "52", "53", "54"]);
    assert!(port.seen() >= 2);
}

#[tokio::test]
async fn d06_a_shutdown_notice_hands_the_market_streams_over_without_a_gap() {
    let notice = json!({ "stream": "!serverShutdown", "data": { "e": "serverShutdown", "E": 1 } }).to_string();
    check_handover(vec![ticker(1, 51), ticker(2, 52), notice], |_| ()).await;
}

#[tokio::test]
async fn d06_market_streams_are_handed_over_before_the_venue_ends_them_at_24_hours() {
    assert!(BinanceConfig::production().replace_after < Duration::from_secs(24 * 3_600));
    check_handover(vec![ticker(1, 51), ticker(2, 52)], |c| c.replace_after = Duration::from_millis(400)).await;
}

// --- D07

/// Sends a ping every 10 ms until the connection ends; counts the answers.
async fn ping(mut socket: tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>, pongs: Arc<AtomicUsize>) {
    let mut every = tokio::time::interval(Duration::from_millis(10));
    loop {
        tokio::select! {
            _ = every.tick() => if socket.send(Message::Ping("now".into())).await.is_err() { return },
            heard = socket.next() => match heard {
                Some(Ok(Message::Pong(_))) => drop(pongs.fetch_add(1, Ordering::SeqCst)),
                Some(Ok(_)) => (),
                _ => return,
            },
        }
    }
}

async fn more_pongs(pongs: &AtomicUsize) -> usize {
    let before = pongs.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(200)).await;
    pongs.load(Ordering::SeqCst) - before
}

#[tokio::test]
async fn d07_pings_are_answered_while_the_reader_is_busy() {
    let pongs = Arc::new(AtomicUsize::new(0));
    let counted = pongs.clone();
    let port = listen(move |_, stream| {
        let pongs = counted.clone();
        async move {
            let Some(mut socket) = subscribed(stream).await else { return };
            for update in 1..500 {
                socket.send(Message::text(ticker(update, 50 + update % 2))).await.unwrap();
            }
            ping(socket, pongs).await;
        }
    })
    .await;
    let fake = quiet().await;
    let (_connection, mut events) = fake
        .connect(|c| {
            (c.signer, c.subscriptions, c.stream_url, c.event_room) = (None, QUOTES, port.ws(), 4);
        })
        .await;
    is_up(&mut events, Stream::Market).await;
    assert!(more_pongs(&pongs).await >= 5, "nobody reads the events, and the venue sees that we live");
}

#[tokio::test]
async fn d07_a_reader_that_has_stopped_for_good_does_not_look_alive() {
    let pongs = Arc::new(AtomicUsize::new(0));
    let counted = pongs.clone();
    let port = listen(move |_, stream| {
        let pongs = counted.clone();
        async move {
            let Some(mut socket) = subscribed(stream).await else { return };
            for amount in 1..=10 {
                let event = json!({ "e": "balanceUpdate", "E": 1_700_000_000_000_i64, "a": "USDT",
                                    "d": format!("{amount}"), "T": 1_700_000_000_000_i64 });
                let frame = json!({ "subscriptionId": 0, "event": event }).to_string();
                socket.send(Message::text(frame)).await.unwrap();
            }
            ping(socket, pongs).await;
        }
    })
    .await;
    let fake = quiet().await;
    let (_connection, mut events) =
        fake.connect(|c| (c.ws_api_url, c.event_room) = (format!("{}/ws-api/v3", port.ws()), 4)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(more_pongs(&pongs).await, 0, "reports wait for room: the venue is not told that all is well");
    let mut amounts = Vec::new();
    until(&mut events, |event| {
        if let VenueEvent::Transferred { delta, .. } = event {
            amounts.push(delta.amount());
        }
        (amounts.len() == 10).then_some(())
    })
    .await;
    assert_eq!(amounts, (1..=10).map(|it| it.to_string()).collect::<Vec<_>>(), "none was left out");
    assert!(more_pongs(&pongs).await >= 5, "and once it reads again, it is");
}

// --- D08

#[tokio::test]
async fn d08_a_lost_or_partial_confirmation_is_noticed_and_subscribed_again() {
    let tries = AtomicUsize::new(0);
    let fake = Fake::start(0, move |method, frame| match method {
        "SUBSCRIBE" => match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Silence,
            1 => Reply::Frames(vec![json!({ "error": { "code": 2, "msg": "no" }, "id": frame["id"] }).to_string()]),
            _ => Reply::Frames(vec![json!({ "result": null, "id": frame["id"] }).to_string()]),
        },
        "LIST_SUBSCRIPTIONS" if tries.load(Ordering::SeqCst) == 3 => {
            Reply::Frames(vec![json!({ "result": ["btcusdt@trade"], "id": frame["id"] }).to_string()])
        }
        _ => Reply::Silence,
    })
    .await;
    let (_connection, mut events) = fake
        .connect(|c| {
            (c.signer, c.answer_time) = (None, Duration::from_millis(200));
            c.subscriptions = Subscriptions { trades: true, ..QUOTES };
        })
        .await;
    let mut why = Vec::new();
    until(&mut events, |event| match event {
        VenueEvent::Down { why: text, .. } => {
            why.push(text);
            None
        }
        VenueEvent::Up { .. } => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(
        why,
        [
            "no answer to the subscription",
            "the subscription was refused (2: no)",
            "the venue took 1 of 2 streams, and not btcusdt@bookTicker",
        ]
    );
}

#[tokio::test]
async fn d08_a_user_stream_whose_confirmation_is_lost_is_subscribed_again() {
    let port = listen(|number, stream| async move {
        if number == 0 {
            let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
            while socket.next().await.is_some() {} // heard, and never answered
        } else if let Some(mut socket) = subscribed(stream).await {
            while socket.next().await.is_some() {}
        }
    })
    .await;
    let fake = quiet().await;
    let (_connection, mut events) = fake
        .connect(|c| (c.ws_api_url, c.answer_time) = (format!("{}/ws-api/v3", port.ws()), Duration::from_millis(200)))
        .await;
    assert_eq!(down(&mut events, Stream::User).await, "no answer to the subscription");
    is_up(&mut events, Stream::User).await;
}

// --- D10, D11, D12

fn named(addresses: &[&str], private: bool) -> Arc<Names> {
    let addresses: Vec<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
    Arc::new(Names { known: BTreeMap::from([("api.venue.test".to_owned(), addresses)]), private })
}

/// A venue by name, over TLS, that nobody must reach.
fn by_name(port: &Port, names: Arc<Names>) -> BinanceConfig {
    let host = format!("api.venue.test:{}", port.number);
    let mut config =
        BinanceConfig::at(&format!("https://{host}"), &format!("wss://{host}"), &format!("wss://{host}/ws-api/v3"));
    config.names = names;
    config
}

#[tokio::test]
async fn d10_a_name_that_leads_into_a_private_network_is_refused() {
    let port = listen(|_, _| async {}).await;
    for address in ["127.0.0.1", "10.0.0.1", "192.168.0.1", "169.254.169.254", "::1", "fd00::1"] {
        let config = by_name(&port, named(&[address], false));
        let error = Connection::connect(config, Vec::new()).await.err().unwrap();
        assert_eq!(error.code(), "VEN-06", "{error}");
        assert!(error.to_string().contains(&format!("leads to the private address {address}")), "{error}");
    }
    assert_eq!(port.seen(), 0, "nobody was connected to");
    let meant = by_name(&port, named(&["127.0.0.1"], true));
    assert!(Connection::connect(meant, Vec::new()).await.is_err(), "it speaks no TLS");
    assert!(port.seen() > 0, "but it was meant, and tried");
}

#[tokio::test]
async fn d10_streams_refuse_private_addresses_and_names_without_one() {
    let port = listen(|_, _| async {}).await;
    let fake = quiet().await;
    for (host, says) in [("api.venue.test", "private address 127.0.0.1"), ("no-such-venue.invalid", "has no address")] {
        let (_connection, mut events) = fake
            .connect(|c| {
                c.names = named(&["127.0.0.1"], false);
                c.ws_api_url = format!("wss://{host}:{}/ws-api/v3", port.number);
                c.connect_time = Duration::from_secs(4);
            })
            .await;
        let why = down(&mut events, Stream::User).await;
        assert!(why.contains(says), "{why}");
    }
    assert_eq!(port.seen(), 0);
    let error = Connection::connect(
        BinanceConfig { rest_url: "https://no-such-venue.invalid".to_owned(), ..BinanceConfig::production() },
        Vec::new(),
    )
    .await
    .err()
    .unwrap();
    assert_eq!(error.code(), "VEN-06", "{error}");
}

#[tokio::test]
async fn d11_a_redirect_of_a_signed_call_is_not_followed() {
    let elsewhere = quiet().await;
    let to = format!("location: http://127.0.0.1:{}/api/v3/order\r\n", elsewhere.port);
    for status in [301, 302, 303, 307, 308] {
        let to = to.clone();
        let fake = Fake::start(0, move |_, _| Reply::Http(status, "", String::new()).with(&to)).await;
        let (connection, _events) = fake.connect(|c| c.order_path = OrderPath::Rest).await;
        assert_eq!(class(&submit(&connection).await), ("unknown", "VEN-28"), "{status}");
        assert_eq!(connection.account().await.unwrap_err().code(), "VEN-28", "{status}");
        let cancel = cancel_permit();
        let prepared = connection.prepare(cancel.get().action()).unwrap();
        assert_eq!(class(&connection.submit(cancel, prepared).await), ("unknown", "VEN-28"), "{status}");
    }
    // a web socket's handshake is signed by what comes after it, and is not followed either
    let answer = format!("HTTP/1.1 302 Found\r\n{to}content-length: 0\r\n\r\n");
    let port = listen(move |_, mut stream| {
        let answer = answer.clone();
        async move {
            let _ = stream.read(&mut [0; 2_048]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    let fake = quiet().await;
    let (_connection, mut events) = fake.connect(|c| c.ws_api_url = format!("{}/ws-api/v3", port.ws())).await;
    assert_eq!(down(&mut events, Stream::User).await, "the server answered 302");
    assert!(elsewhere.asked.lock().unwrap().is_empty(), "nobody came there");
}

#[tokio::test]
async fn d12_a_maintenance_page_with_status_200_is_no_success() {
    let page = "<!DOCTYPE html><html><title>Maintenance</title>order accepted</html>";
    let fake = Fake::start(0, move |what, _| match what {
        "order.place" => Reply::Frames(vec![page.to_owned()]),
        _ => Reply::Http(200, "content-type: text/html\r\n", page.to_owned()),
    })
    .await;
    for path in [OrderPath::Rest, OrderPath::WebSocket] {
        let (connection, mut events) = fake.connect(|c| c.order_path = path).await;
        is_up(&mut events, Stream::User).await;
        assert_eq!(class(&submit(&connection).await), ("unknown", "VEN-02"), "{path:?}");
        let errors: Vec<&str> = vec![
            connection.account().await.unwrap_err().code(),
            connection.order(InstrumentId(0), OUR_ID).await.unwrap_err().code(),
            connection.open_orders(InstrumentId(0)).await.unwrap_err().code(),
            connection.fills_since(InstrumentId(0), Timestamp::default()).await.unwrap_err().code(),
        ];
        assert!(errors.iter().all(|it| *it == "VEN-02"), "an empty list would be a lie: {errors:?}");
    }
}

// --- D13

#[tokio::test]
async fn d13_swapped_answers_leave_both_orders_unknown_and_end_the_session() {
    let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
    let fake = Fake::start(0, move |method, frame| {
        if method != "order.place" {
            return Reply::Silence;
        }
        let mut asked = asked.lock().unwrap();
        asked.push(frame.clone());
        let [first, second] = asked.as_slice() else { return Reply::Silence };
        let answer = |to: &Value, of: &Value| {
            let result = ack_of(of["params"]["newClientOrderId"].as_str().unwrap());
            json!({ "id": to["id"], "status": 200, "result": result }).to_string()
        };
        Reply::Frames(vec![answer(first, second), answer(second, first)])
    })
    .await;
    let (connection, mut events) = fake.connect(|_| ()).await;
    is_up(&mut events, Stream::User).await;
    let other = crate::support::permit_of(buy(), OTHER_ID);
    let prepared = connection.prepare(other.get().action()).unwrap();
    let (one, two) = tokio::join!(submit(&connection), connection.submit(other, prepared));
    assert_eq!(class(&one), ("unknown", "VEN-32"));
    assert_eq!(class(&two).0, "unknown");
    assert_eq!(down(&mut events, Stream::User).await, "an answer belonged to another request");
}

#[tokio::test]
async fn d13_an_answer_to_what_was_never_asked_ends_the_session() {
    let fake = Fake::start(0, |method, _| match method {
        "order.place" => Reply::Frames(vec![json!({ "id": 4_711, "status": 200, "result": {} }).to_string()]),
        _ => Reply::Silence,
    })
    .await;
    let (connection, mut events) = fake.connect(|_| ()).await;
    is_up(&mut events, Stream::User).await;
    assert_eq!(class(&submit(&connection).await).0, "unknown");
    assert_eq!(down(&mut events, Stream::User).await, "an answer to request 4711, which was never sent");
}

/// A proxy that is one answer behind: every answer is the one to the request before.
#[tokio::test]
async fn d13_an_answer_to_another_question_is_never_believed() {
    let order = |client: &str, id: u64| {
        json!({ "symbol": "BTCUSDT", "orderId": id, "clientOrderId": client, "price": "50000.01", "origQty": "0.002",
                "executedQty": "0.002", "cummulativeQuoteQty": "100", "status": "FILLED", "timeInForce": "GTC",
                "type": "LIMIT", "side": "BUY", "time": 1_700_000_000_000_i64, "updateTime": 1_700_000_000_000_i64,
                "isWorking": true })
    };
    let behind = Mutex::new(order(&OTHER_ID.to_string(), 27));
    let fake = Fake::start(0, move |path, _| match path {
        "/api/v3/order" => {
            let right = order(&OUR_ID.to_string(), 28);
            Reply::Http(200, "", std::mem::replace(&mut *behind.lock().unwrap(), right).to_string())
        }
        "/api/v3/openOrders" => Reply::Http(200, "", json!([{ "symbol": "ETHUSDT" }]).to_string()),
        _ => Reply::Silence,
    })
    .await;
    let (connection, _events) = fake.connect(|_| ()).await;
    let error = connection.order(InstrumentId(0), OUR_ID).await.unwrap_err();
    assert_eq!(error.code(), "VEN-32", "{error}");
    assert!(matches!(error, QueryError::Fault(_)), "neither found nor absent");
    assert!(connection.order(InstrumentId(0), OUR_ID).await.is_ok(), "this one is about our order");
    let named = connection.order_named(InstrumentId(0), &VenueOrderId("99".into())).await.unwrap_err();
    assert_eq!(named.code(), "VEN-32", "{named}");
    assert!(connection.open_orders(InstrumentId(0)).await.is_err());
}

/// Two answers to one question on one connection: the second must not become the answer to the next question.
#[tokio::test]
async fn d13_a_duplicated_http_answer_is_not_taken_for_the_next_one() {
    let rows = |client: &str| {
        let body = json!([{ "symbol": "BTCUSDT", "orderId": 7, "clientOrderId": client, "price": "1", "origQty": "1",
            "executedQty": "0", "cummulativeQuoteQty": "0", "status": "NEW", "timeInForce": "GTC", "type": "LIMIT",
            "side": "BUY", "time": 1_700_000_000_000_i64, "updateTime": 1_700_000_000_000_i64, "isWorking": true }]);
        let text = body.to_string();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len())
    };
    let port = listen(move |_, mut stream| async move {
        let mut bytes = [0; 8_192];
        while let Ok(read @ 1..) = stream.read(&mut bytes).await {
            let asked = String::from_utf8_lossy(&bytes[..read]).into_owned();
            let time = "{\"serverTime\":1700000000000}";
            let answer = if asked.contains("/time") {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{time}", time.len())
            } else if asked.contains("exchangeInfo") {
                let text = crate::support::exchange_info().to_string();
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len())
            } else if asked.contains("openOrders") {
                format!("{0}{0}", rows("web_7")) // the second one answers nothing
            } else {
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]".to_owned()
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await;
    let fake = quiet().await;
    let (connection, _events) = fake.connect(|c| c.rest_url = format!("http://127.0.0.1:{}", port.number)).await;
    for _ in 0..20 {
        assert_eq!(connection.open_orders(InstrumentId(0)).await.unwrap().len(), 1);
        match connection.orders_since(InstrumentId(0), Timestamp::from_millis(1_700_000_000_000)).await {
            Ok(list) => assert!(list.is_empty(), "the duplicate was taken for the answer: {list:?}"),
            Err(error) => assert!(matches!(error, QueryError::Fault(_)), "{error}"),
        }
    }
}
