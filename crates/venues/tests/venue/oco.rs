//! Two orders of which one cancels the other: one request, one answer, two names.

use crate::support::{Fake, OTHER_ID, OUR_ID, Reply, bitcoin, exchange_info, pair_permit, recordings, until};
use expect_test::expect;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tradewind_domain::{
    ClientOrderId, Coded as _, FeeSchedule, InstrumentId, OcoGroup, Order, OrderKind, OrderRequest, PortfolioId, Side,
    TimeInForce, Timestamp,
};
use tradewind_venues::binance::convert::{ListingRules, RECV_WINDOW_MILLIS, list_symbol, prepare_oco};
use tradewind_venues::binance::rules::Endpoint;
use tradewind_venues::binance::wire::ExchangeInfo;
use tradewind_venues::binance::{Connection, OrderPath};
use tradewind_venues::{Ack, SubmitError, VenueEvent};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn target(side: Side, price: &str) -> OrderRequest {
    let it = bitcoin();
    let limit = OrderRequest::limit(InstrumentId(0), side, it.quantity("0.001").unwrap(), it.price(price).unwrap());
    OrderRequest { oco: Some(OcoGroup(1)), ..limit }
}

/// To sell at 60,000, or at what there is from 45,000 on down to 44,900.
fn pair() -> [OrderRequest; 2] {
    let price = |text: &str| bitcoin().price(text).unwrap();
    let target = target(Side::Sell, "60000");
    [target, OrderRequest { kind: OrderKind::StopLimit { trigger: price("45000"), price: price("44900") }, ..target }]
}

fn rules() -> ListingRules {
    let info: ExchangeInfo = serde_json::from_value(exchange_info()).unwrap();
    ListingRules { oco: true, ..list_symbol(&info.symbols[0], FeeSchedule::default()).unwrap().rules }
}

fn body(change: impl FnOnce(&mut [OrderRequest; 2]), rules: &ListingRules) -> String {
    let mut pair = pair();
    change(&mut pair);
    let it = bitcoin();
    let order =
        |id: ClientOrderId, request| Order::new(&it, PortfolioId(0), id, request, it.price("50000").ok()).unwrap();
    let pair = [order(OUR_ID, pair[0]), order(OTHER_ID, pair[1])];
    match prepare_oco(&it, &pair, Some(rules), NOW, RECV_WINDOW_MILLIS) {
        Ok(prepared) => prepared.body().to_owned(),
        Err(error) => format!("{} {error}", error.code()),
    }
}

#[test]
fn a_pair_has_its_bytes_or_its_refusal() {
    let price = |text: &str| bitcoin().price(text).unwrap();
    let mut table = String::new();
    let mut line = |name: &str, text: String| table.push_str(&format!("{name}: {text}\n"));
    let to_buy = |pair: &mut [OrderRequest; 2]| {
        pair[0] = target(Side::Buy, "45000");
        pair[1] =
            OrderRequest { kind: OrderKind::StopLimit { trigger: price("60000"), price: price("60100") }, ..pair[0] };
    };
    line("sell", body(|_| (), &rules()));
    line("stop first", body(|pair| pair.reverse(), &rules()));
    line("post-only target", body(|pair| pair[0].post_only = true, &rules()));
    line("buy", body(to_buy, &rules()));
    line("gtd", body(|pair| pair[1].time_in_force = TimeInForce::Gtd(NOW), &rules()));
    line("stop, unlisted", body(|pair| pair[1].kind = OrderKind::Stop { trigger: price("45000") }, &rules()));
    line("two targets", body(|pair| pair[1] = pair[0], &rules()));
    line("two sizes", body(|pair| pair[1].quantity = bitcoin().quantity("0.002").unwrap(), &rules()));
    line("symbol without", body(|_| (), &ListingRules { oco: false, ..rules() }));
    expect![[r#"
        sell: symbol=BTCUSDT&side=SELL&quantity=0.001&aboveType=LIMIT_MAKER&belowType=STOP_LOSS_LIMIT&listClientOrderId=oco-018bcfe568000000000000000000002a&aboveClientOrderId=018bcfe568000000000000000000002a&abovePrice=60000&belowClientOrderId=018bcfe568000000000000000000002b&belowPrice=44900&belowStopPrice=45000&belowTimeInForce=GTC&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        stop first: symbol=BTCUSDT&side=SELL&quantity=0.001&aboveType=LIMIT_MAKER&belowType=STOP_LOSS_LIMIT&listClientOrderId=oco-018bcfe568000000000000000000002b&aboveClientOrderId=018bcfe568000000000000000000002b&abovePrice=60000&belowClientOrderId=018bcfe568000000000000000000002a&belowPrice=44900&belowStopPrice=45000&belowTimeInForce=GTC&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        post-only target: symbol=BTCUSDT&side=SELL&quantity=0.001&aboveType=LIMIT_MAKER&belowType=STOP_LOSS_LIMIT&listClientOrderId=oco-018bcfe568000000000000000000002a&aboveClientOrderId=018bcfe568000000000000000000002a&abovePrice=60000&belowClientOrderId=018bcfe568000000000000000000002b&belowPrice=44900&belowStopPrice=45000&belowTimeInForce=GTC&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        buy: symbol=BTCUSDT&side=BUY&quantity=0.001&aboveType=STOP_LOSS_LIMIT&belowType=LIMIT_MAKER&listClientOrderId=oco-018bcfe568000000000000000000002a&aboveClientOrderId=018bcfe568000000000000000000002b&abovePrice=60100&aboveStopPrice=60000&aboveTimeInForce=GTC&belowClientOrderId=018bcfe568000000000000000000002a&belowPrice=45000&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        gtd: symbol=BTCUSDT&side=SELL&quantity=0.001&aboveType=LIMIT_MAKER&belowType=STOP_LOSS_LIMIT&listClientOrderId=oco-018bcfe568000000000000000000002a&aboveClientOrderId=018bcfe568000000000000000000002a&abovePrice=60000&belowClientOrderId=018bcfe568000000000000000000002b&belowPrice=44900&belowStopPrice=45000&belowTimeInForce=GTC&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_TAKER&recvWindow=2000&timestamp=1700000000000
        stop, unlisted: VEN-19 BTCUSDT: takes no orders of type STOP_LOSS
        two targets: VEN-19 BTCUSDT: a pair is a target and a stop
        two sizes: VEN-19 BTCUSDT: the two orders of a pair have one side and one size
        symbol without: VEN-19 BTCUSDT: takes no orders of which one cancels the other
    "#]].assert_eq(&table);
}

#[test]
fn a_pair_counts_as_the_venue_says() {
    assert_eq!((Endpoint::NewOco.weight(), Endpoint::NewOco.orders()), (1, 2));
    assert_eq!((Endpoint::NewOrder.orders(), Endpoint::Cancel.orders()), (1, 0));
}

/// The venue's list in its short form; the lower priced order stands first.
fn ack() -> Value {
    let order = |id: u64, name: String| json!({ "symbol": "BTCUSDT", "orderId": id, "clientOrderId": name });
    json!({ "orderListId": 5, "contingencyType": "OCO", "listStatusType": "EXEC_STARTED",
            "listOrderStatus": "EXECUTING", "listClientOrderId": format!("oco-{OUR_ID}"),
            "transactionTime": 1_700_000_000_123_i64, "symbol": "BTCUSDT",
            "orders": [order(28, OTHER_ID.to_string()), order(29, OUR_ID.to_string())] })
}

async fn submit(connection: &Connection) -> Result<Ack, SubmitError> {
    let permit = pair_permit(pair());
    let prepared = connection.prepare(permit.get().action()).unwrap();
    connection.submit(permit, prepared).await
}

/// A venue that answers a pair over `path` with `result`, or with a refusal.
async fn venue(path: OrderPath, answer: Result<Value, Value>) -> Fake {
    Fake::start(0, move |method, frame| match (path, method, &answer) {
        (OrderPath::WebSocket, "orderList.place.oco", Ok(result)) => {
            Reply::Frames(vec![json!({ "id": frame["id"], "status": 200, "result": result }).to_string()])
        }
        (OrderPath::WebSocket, "orderList.place.oco", Err(error)) => {
            Reply::Frames(vec![json!({ "id": frame["id"], "status": 400, "error": error }).to_string()])
        }
        (OrderPath::Rest, _, Ok(result)) => Reply::Http(200, "", result.to_string()),
        (OrderPath::Rest, _, Err(error)) => Reply::Http(400, "", error.to_string()),
        _ => Reply::Silence,
    })
    .await
}

/// Sends a pair over both paths; returns what came of it, and what was sent over HTTP.
async fn check(answer: Result<Value, Value>, want: impl Fn(Result<Ack, SubmitError>)) {
    for path in [OrderPath::WebSocket, OrderPath::Rest] {
        let fake = venue(path, answer.clone()).await;
        let (connection, mut events) = fake.connect(|config| config.order_path = path).await;
        until(&mut events, |event| matches!(event, VenueEvent::Up { .. }).then_some(())).await;
        want(submit(&connection).await);
        let route = if path == OrderPath::Rest { "/api/v3/orderList/oco" } else { "orderList.place.oco" };
        assert_eq!(fake.asked_for(route).len(), 1, "sent once, as one request");
        assert!(fake.asked_for("/api/v3/order").len() + fake.asked_for("order.place").len() <= 1);
    }
}

fn is_unknown(result: Result<Ack, SubmitError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, SubmitError::Unknown(_)) && ["VEN-05", "VEN-32"].contains(&error.code()), "{error}");
}

#[tokio::test]
async fn a_pair_is_acknowledged_under_both_names() {
    check(Ok(ack()), |result| {
        let ack = result.unwrap();
        let orders: Vec<_> = ack.orders.iter().map(|(ours, venue)| (*ours, &*venue.0)).collect();
        assert_eq!(orders, [(OUR_ID, "29"), (OTHER_ID, "28")]);
        assert_eq!(ack.at.millis(), 1_700_000_000_123);
    })
    .await;
}

#[tokio::test]
async fn a11_an_answer_about_other_orders_leaves_both_unknown() {
    let mut other = ack();
    other["orders"][1]["clientOrderId"] = json!("another");
    check(Ok(other), is_unknown).await;
    let mut twice = ack();
    twice["orders"][1] = twice["orders"][0].clone();
    check(Ok(twice), is_unknown).await;
    let mut one = ack();
    one["orders"].as_array_mut().unwrap().pop();
    check(Ok(one), is_unknown).await;
    let single = json!({ "orderId": 28, "clientOrderId": OUR_ID.to_string(), "transactTime": 1 });
    check(Ok(single), is_unknown).await;
}

#[tokio::test]
async fn a11_a_refusal_of_the_pair_is_definitive() {
    for (code, text) in [
        (-2010, "The relationship of the prices for the orders is not correct."),
        (-2010, "Account has insufficient balance for requested action."),
        (-1166, "A limit order in a sell OCO must be above."),
    ] {
        check(Err(json!({ "code": code, "msg": text })), |result| {
            let error = result.unwrap_err();
            assert!(matches!(error, SubmitError::Rejected(_)) && error.code() == "VEN-09", "{error}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_halt_stops_a_pair_unless_both_orders_only_reduce() {
    let fake = venue(OrderPath::Rest, Ok(ack())).await;
    let halted = Arc::new(AtomicBool::new(true));
    let (connection, _events) =
        fake.connect(|config| (config.order_path, config.halted) = (OrderPath::Rest, halted)).await;
    let send = async |pair: [OrderRequest; 2]| {
        let permit = pair_permit(pair);
        let prepared = connection.prepare(permit.get().action()).unwrap();
        connection.submit(permit, prepared).await
    };
    let [target, stop] = pair();
    let reducing = |request| OrderRequest { reduce_only: true, ..request };
    for pair in [[target, stop], [reducing(target), stop], [target, reducing(stop)]] {
        assert_eq!(send(pair).await.unwrap_err().code(), "VEN-14");
    }
    assert!(send([reducing(target), reducing(stop)]).await.is_ok());
}

#[tokio::test]
async fn a_recorded_answer_is_read_under_our_names() {
    let Some(folder) = recordings("a_recorded_answer_is_read_under_our_names") else { return };
    let file = folder.join("exchanges/binance/jkorf/Endpoints/Spot/Trading/PlaceOcoOrderList.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let recorded = &text[text.find('{').unwrap()..];
    let ours = recorded
        .replace("44nZvqpemY7sVYgPYbvPih", &OTHER_ID.to_string())
        .replace("NuMp0nVYnciDiFmVqfpBqK", &OUR_ID.to_string());
    check(Ok(serde_json::from_str(&ours).unwrap()), |result| {
        let ack = result.unwrap();
        let orders: Vec<_> = ack.orders.iter().map(|(ours, venue)| (*ours, &*venue.0)).collect();
        assert_eq!((orders, ack.at.millis()), (vec![(OUR_ID, "11"), (OTHER_ID, "10")], 1_710_485_608_839));
    })
    .await;
}
