//! What a person can do, all of it through the gate and onto a real order book.

use crate::recovery::{order, start, until_order};
use crate::support::{Pace, Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use tradewind_domain::Side::{Buy, Sell};
use tradewind_domain::{Bar, InstrumentId, InstrumentSpec, Interval, Origin, Timestamp};
use tradewind_engine::{EventKind, RiskAct, Verdict};
use tradewind_exchange::{ExchangeConfig, Flow, Pace as MarketPace, SymbolConfig, Tape};
use tradewind_node::{Node, OperatorRequest, OrderWords, Surroundings};
use tradewind_strategies::registry;

async fn place(node: &Node, words: OrderWords) -> Result<Value, (String, String)> {
    ask(node, OperatorRequest::OrderPlace(words)).await
}

fn id(order: &Value) -> tradewind_domain::ClientOrderId {
    tradewind_domain::ClientOrderId::parse(order["client_id"].as_str().unwrap()).unwrap()
}

async fn orders(node: &Node) -> Vec<Value> {
    ask(node, OperatorRequest::OrderList).await.unwrap().as_array().unwrap().clone()
}

async fn state_of(node: &Node, order: &Value) -> String {
    let found = orders(node).await.into_iter().find(|it| it["client_id"] == order["client_id"]).unwrap();
    found["status"].as_str().unwrap().to_owned()
}

async fn halt(node: &Node) {
    ask(node, OperatorRequest::Halt { reason: "lunch".to_owned() }).await.unwrap();
}

async fn resume(node: &Node) {
    ask(node, OperatorRequest::Resume { reason: "back".to_owned() }).await.unwrap();
}

/// A book of which little lies within one percent of the market: quotes stand twenty times as far apart as usual.
fn thin() -> ExchangeConfig {
    let flow = Flow { spread: 20, levels: 24, ..Flow::default() };
    let symbols = vec![SymbolConfig::new("BTC/USDT", "0.01", "0.00001", 60_000.0, 0.001)];
    ExchangeConfig { symbols, flow, ..exchange_config() }
}

#[tokio::test]
async fn in_a_thin_book_no_market_order_passes_its_worst_price_and_flatten_asks_until_nothing_is_held() {
    let stage = Stage::new(thin()).await;
    let mut settings = stage.settings(&[]);
    settings.limits = settings.limits.with("market_collar", 100);
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    let held = async || {
        let positions = ask(&node, OperatorRequest::PositionList).await.unwrap();
        positions.get(0).and_then(|it| it["quantity"].as_str()?.parse::<f64>().ok()).unwrap_or(0.0)
    };
    // more is bought than the book holds within the collar at any one moment
    while held().await < 0.1 {
        if let Err((code, _)) = place(&node, words(Buy, "0.03", None)).await {
            assert_eq!(code, "RSK-16", "the book begins beyond the collar until makers are back");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        until(&node, "the entry is over", |it| it["open_orders"] == 0).await;
    }
    let entered = orders(&node).await;
    ask(&node, OperatorRequest::Flatten).await.unwrap();
    while held().await > 0.0001 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let exits: Vec<Value> = orders(&node).await.into_iter().filter(|it| it["side"] == "sell").collect();
    assert!(exits.len() > 1, "one order found all of it: {exits:#?}");
    let expired = exits.iter().chain(&entered).find(|it| it["status"] == "expired").expect("some found less");
    let (worst, reason) = (expired["worst"].as_str().unwrap(), expired["closed_reason"].as_str().unwrap());
    assert!(reason.contains(&format!("goes no further than {worst}")), "{reason}");
    node.stop().await.unwrap();
    let venue = stage.venue_orders().await;
    assert!(venue.iter().all(|it| it["type"] == "LIMIT" && it["timeInForce"] == "IOC"), "{venue:#?}");
    let mut worst = std::collections::BTreeMap::new();
    for event in tradewind_node::events(stage.dir.path()).unwrap() {
        match event.kind {
            EventKind::Judged(Verdict::Approved(order)) => {
                _ = worst.insert(order.client_id(), order.worst().unwrap());
            }
            EventKind::Filled(it) => {
                assert!(it.side.sign() * (it.price.mantissa() - worst[&it.client_id].mantissa()) <= 0, "{it:?}");
            }
            _ => (),
        }
    }
    check_journal(stage.dir.path());
    stage.exchange.shutdown().await;
}

#[tokio::test]
async fn orders_are_placed_listed_and_cancelled() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let resting = place(&node, words(Buy, "0.01", Some("50000"))).await.unwrap();
    assert_eq!(
        (&resting["side"], &resting["amount"], &resting["price"]),
        (&json!("buy"), &json!("0.01"), &json!("50000"))
    );
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    let bought = place(&node, words(Buy, "0.02", None)).await.unwrap();
    assert_ne!(bought["client_id"], resting["client_id"], "each answer is about its own order");
    let seen = until(&node, "the market order filled", |it| it["counters"]["fills"].as_u64() > Some(0)).await;
    until(&node, "only the limit order is open", |it| it["open_orders"] == 1).await;
    assert_eq!(state_of(&node, &bought).await, "filled");
    for step in ["frame_to_bytes", "decision_to_bytes"] {
        assert!(seen["latency"][step]["count"].as_u64() > Some(0), "{}", seen["latency"]);
    }
    let positions = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert_eq!(
        (positions[0]["quantity"].as_str(), positions[0]["symbol"].as_str()),
        (Some("0.01998"), Some("BTC/USDT"))
    );

    ask(&node, OperatorRequest::OrderCancel { client_id: id(&resting) }).await.unwrap();
    until(&node, "nothing is open", |it| it["open_orders"] == 0).await;
    assert_eq!(state_of(&node, &resting).await, "canceled");
    let again = ask(&node, OperatorRequest::OrderCancel { client_id: id(&resting) }).await.unwrap_err();
    assert!(again.0 == "NODE-10" && again.1.contains("it is closed"), "{again:?}");

    ask(&node, OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() }).await.unwrap();
    until(&node, "it is sold", |it| it["counters"]["orders"] == 3 && it["open_orders"] == 0).await;
    let none = ask(&node, OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() }).await.unwrap_err();
    assert_eq!(none.0, "NODE-11");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_tells_when_it_was_approved_sent_acknowledged_and_last_changed() {
    let pace = MarketPace::Realtime { speed: 60.0 }; // no two of the venue's moments are one
    let stage = Stage::new(ExchangeConfig { pace, ..exchange_config() }).await;
    let node = start(&stage).await;
    let placed = place(&node, words(Buy, "0.001", Some("30000"))).await.unwrap();
    let id = placed["client_id"].as_str().unwrap();
    let times = |order: &Value| {
        ["created_at", "sent_at", "acknowledged_at", "updated_at"].map(|name| {
            let text = order[name].as_str().unwrap_or_else(|| panic!("{name} of {order:#}"));
            text.parse::<jiff::Timestamp>().unwrap()
        })
    };
    until_order(&node, id, "open").await;
    let resting = times(&order(&node, id).await);
    let [approved, sent, acknowledged, changed] = resting;
    assert!(approved <= sent && acknowledged <= changed, "{resting:?}");
    // the venue's clock tells the second pair, ours the first: they may differ by seconds
    assert!(sent.as_second() <= acknowledged.as_second() + 5, "{resting:?}");
    while stage.get("/api/v3/time").await["serverTime"].as_i64().unwrap() <= changed.as_millisecond() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stage.by_somebody("SELL", "90", "29000").await; // somebody sells through its price
    until_order(&node, id, "filled").await;
    let filled = times(&order(&node, id).await);
    assert!(filled[3] > changed, "the fill changed it: {resting:?}, then {filled:?}");
    assert_eq!(filled[..3], resting[..3], "what was once noted stays");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    stage.exchange.shutdown().await;
}

#[tokio::test]
async fn a_refusal_names_guard_value_limit_and_remedy() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let big = place(&node, words(Buy, "0.16", Some("66000"))).await.unwrap_err();
    assert_eq!(big.0, "GATE-08");
    assert!(
        big.1.starts_with("MaxPosition: the position")
            && big.1.contains("worth 10560")
            && big.1.contains("max_position allows 10500")
            && big.1.contains("raise"),
        "{big:?}"
    );
    for (order, code, text) in [
        (words(Sell, "0.01", None), "GATE-09", "Funds: it takes 0.01 of what pays for it, fees included; free is 0"),
        (words(Buy, "0.010001", Some("50000")), "GATE-03", "DOM-"),
        (words(Buy, "0.00001", Some("50000")), "GATE-03", "DOM-"),
        (OrderWords { reduce_only: true, ..words(Sell, "0.01", None) }, "GATE-06", "a position of 0"),
        (OrderWords { symbol: "DOGE/USDT".to_owned(), ..words(Buy, "1", None) }, "NODE-01", "one of BTC/USDT"),
        (OrderWords { portfolio: Some("mine".to_owned()), ..words(Buy, "1", None) }, "NODE-09", "one of operator"),
        (OrderWords { time_in_force: Some("soon".to_owned()), ..words(Buy, "1", None) }, "NODE-12", "`soon`"),
        (words(Buy, "1e3", None), "DOM-01", "1e3"),
    ] {
        let shown = format!("{order:?}");
        let refused = place(&node, order).await.expect_err(&shown);
        assert!(refused.0 == code && refused.1.contains(text), "{shown}: {refused:?}");
    }
    assert_eq!(status(&node).await["counters"]["orders"], 0);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_halt_stops_everything_but_the_way_out() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    place(&node, words(Buy, "0.02", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    let adds = place(&node, words(Buy, "0.01", Some("50000"))).await.unwrap();
    let protects = place(&node, words(Sell, "0.01", Some("90000"))).await.unwrap();
    until(&node, "both rest", |it| it["open_orders"] == 2).await;

    halt(&node).await;
    until(&node, "what adds is cancelled", |it| it["open_orders"] == 1).await;
    assert_eq!(
        (state_of(&node, &adds).await.as_str(), state_of(&node, &protects).await.as_str()),
        ("canceled", "open")
    );
    let refused = place(&node, words(Buy, "0.01", Some("50000"))).await.unwrap_err();
    assert!(refused.0 == "GATE-01" && refused.1.contains("lunch"), "{refused:?}");

    let flat = ask(&node, OperatorRequest::Flatten).await.unwrap();
    assert_eq!((&flat["cancels"], &flat["exits_after_cancels"]), (&json!(1), &json!(1)));
    until(&node, "flat", |it| it["open_orders"] == 0 && it["counters"]["orders"] == 4).await;
    let left = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert!(left.as_array().unwrap().iter().all(|it| it["quantity"].as_str().unwrap() < "0.00002"), "{left}");
    assert_eq!(status(&node).await["halted"], "lunch", "the way out does not resume");
    resume(&node).await;
    place(&node, words(Buy, "0.01", Some("50000"))).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn what_was_to_be_closed_is_closed_by_the_next_run() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    place(&node, words(Buy, "0.02", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    place(&node, words(Sell, "0.01", Some("90000"))).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    let flat = ask(&node, OperatorRequest::Flatten).await.unwrap();
    assert_eq!((&flat["cancels"], &flat["exits_after_cancels"]), (&json!(1), &json!(1)));
    node.stop().await.unwrap(); // before the venue has confirmed the cancel

    let node = stage.node().await.unwrap();
    until(&node, "flat", |it| it["open_orders"] == 0 && it["counters"]["orders"] == 3).await;
    let left = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert!(left.as_array().unwrap().iter().all(|it| it["quantity"].as_str().unwrap() < "0.00002"), "{left}");
    node.stop().await.unwrap();
    let acts = tradewind_node::events(stage.dir.path()).unwrap().filter_map(|event| match event.kind {
        EventKind::Risk(act) => Some(*act),
        _ => None,
    });
    let words: Vec<&str> = acts
        .filter_map(|act| match act {
            RiskAct::ExitWished { .. } => Some("wished"),
            RiskAct::ExitEnded { .. } => Some("ended"),
            _ => None,
        })
        .collect();
    assert_eq!(words, ["wished", "ended"]);
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_rejection_keeps_the_venues_words_over_a_restart() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let crossing = place(&node, OrderWords { post_only: true, ..words(Buy, "0.01", Some("90000")) }).await.unwrap();
    until(&node, "it is closed", |it| it["counters"]["orders"] == 1 && it["open_orders"] == 0).await;
    let resting = place(&node, words(Buy, "0.01", Some("50000"))).await.unwrap();
    node.stop().await.unwrap();

    // the snapshot of the stop has it; a journal that is folded from its beginning finds it again
    for start in ["from the snapshot", "from the first record"] {
        let node = stage.node().await.unwrap();
        let listed = orders(&node).await;
        let find = |order: &Value| listed.iter().find(|it| it["client_id"] == order["client_id"]).unwrap().clone();
        let reason = find(&crossing)["closed_reason"].as_str().unwrap_or_default().to_owned();
        assert!(find(&crossing)["status"] == "rejected" && reason.contains("-2010"), "{start}: {listed:?}");
        assert!(reason.contains("immediately match"), "{start}: {reason}");
        assert!(find(&resting)["closed_reason"].is_string(), "{start}: {listed:?}");
        node.stop().await.unwrap();
        let journal = tradewind_node::DataDir::new(stage.dir.path()).journal();
        for entry in std::fs::read_dir(journal).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "snap") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn an_average_price_is_decimal_text() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let bought = place(&node, words(Buy, "0.02", None)).await.unwrap();
    assert_eq!((&bought["average"], &bought["closed_reason"]), (&Value::Null, &Value::Null));
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    let listed = orders(&node).await;
    let positions = ask(&node, OperatorRequest::PositionList).await.unwrap();
    for text in [&listed[0]["average"], &positions[0]["entry_price"]] {
        let price = text.as_str().unwrap_or_else(|| panic!("{text} is no text"));
        let decimals = price.split_once('.').map_or(0, |(_, part)| part.len());
        assert!(decimals <= 12 && price.parse::<f64>().unwrap() > 1_000.0, "{price}");
    }
    node.stop().await.unwrap();
}

#[tokio::test]
async fn people_trade_from_their_own_portfolio_and_the_way_out_covers_all() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node_with(&["ema-trend"]).await.unwrap();
    let seen = status(&node).await;
    let cash = |at: usize| (seen["portfolios"][at]["name"].clone(), seen["portfolios"][at]["balances"]["USDT"].clone());
    assert_eq!((cash(0), cash(1)), ((json!("0-ema-trend"), json!("8000")), (json!("operator"), json!("2000"))));

    let mine = place(&node, words(Buy, "0.005", None)).await.unwrap();
    let portfolio = Some("0-ema-trend".to_owned());
    let theirs = place(&node, OrderWords { portfolio, ..words(Buy, "0.01", None) }).await.unwrap();
    assert_eq!((&mine["portfolio"], &theirs["portfolio"]), (&json!("operator"), &json!("0-ema-trend")));
    until(&node, "bought", |it| it["counters"]["orders"] == 2 && it["open_orders"] == 0).await;
    let positions = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert_eq!(positions.as_array().unwrap().len(), 2, "{positions}");
    let spent = status(&node).await["portfolios"][0]["balances"]["USDT"].as_str().unwrap().parse::<f64>().unwrap();
    assert!((7_000.0..7_600.0).contains(&spent), "the strategy paid for its own order alone: {spent}");

    let closed = ask(&node, OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() }).await.unwrap();
    let sold: Vec<&Value> = closed.as_array().unwrap().iter().map(|it| &it["data"]["portfolio"]).collect();
    assert_eq!(sold, [&json!("0-ema-trend"), &json!("operator")]);
    until(&node, "sold", |it| it["counters"]["orders"] == 4 && it["open_orders"] == 0).await;

    place(&node, words(Buy, "0.005", None)).await.unwrap();
    until(&node, "bought again", |it| it["counters"]["orders"] == 5 && it["open_orders"] == 0).await;
    let flat = ask(&node, OperatorRequest::Flatten).await.unwrap();
    assert_eq!(flat["exits"][0]["data"]["portfolio"], "operator", "{flat}");
    until(&node, "flat", |it| it["counters"]["orders"] == 6 && it["open_orders"] == 0).await;
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

/// A calm market: each bar opens and closes where the one before did.
fn calm(bars: usize) -> Vec<Bar> {
    let instrument = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance").list(InstrumentId(0)).unwrap();
    let (price, volume) = (instrument.price("50000").unwrap(), instrument.quantity("100").unwrap());
    let minute = |place: usize| Timestamp::from_millis(1_700_000_040_000 + 60_000 * i64::try_from(place).unwrap());
    let bar = |place| Bar {
        instrument: instrument.id,
        interval: Interval::MINUTE,
        open_time: minute(place),
        open: price,
        high: price,
        low: price,
        close: price,
        volume,
    };
    (0..bars).map(bar).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_strategy_closes_what_a_person_bought() {
    let history = registry::build("ema-trend", &toml::Table::new()).unwrap().warm_up();
    let bars = calm(history + 20);
    let spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance");
    let tape = Tape::bars(&spec, &bars, history).unwrap();
    let pace = MarketPace::Lockstep { timeout: std::time::Duration::from_secs(60) };
    let stage = Stage::new(ExchangeConfig { tape: Some(tape), pace, ..exchange_config() }).await;
    let (after_bar, mut progress) = Pace::new();
    let around = Surroundings { after_bar: Some(after_bar), ..surroundings(Origin::Recorded) };
    let node = Node::start(stage.settings(&["ema-trend"]), around).await.unwrap();
    place(&node, words(Buy, "0.01", None)).await.unwrap();
    stage.play(&mut progress, bars[history - 1].close_time()).await;
    let seen = status(&node).await;
    assert!(seen["counters"]["hold"].as_u64() >= Some(15), "it decided on every bar: {seen}");
    let positions = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert_eq!(
        (&positions[0]["portfolio"], &seen["counters"]["orders"]),
        (&json!("operator"), &json!(1)),
        "{positions}"
    );
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}
