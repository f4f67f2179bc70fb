//! An order made smaller in its place: its bytes, its answer, its refusals.

use crate::support::{OTHER_ID, OUR_ID, bitcoin, exchange_info};
use expect_test::expect;
use serde_json::json;
use std::collections::BTreeMap;
use tradewind_domain::{ClientOrderId, FeeSchedule, InstrumentId, Timestamp, VenueOrderId};
use tradewind_gate::Action;
use tradewind_venues::binance::convert::{Instruments, ListingRules, list_symbol};
use tradewind_venues::binance::protocol::{OrderAnswer, command, endpoint, prepare, read_order_answer};
use tradewind_venues::binance::rules::{Command, Endpoint};
use tradewind_venues::binance::wire::ExchangeInfo;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn action() -> Action {
    let venue_id = Some(VenueOrderId("28".into()));
    let quantity = bitcoin().quantity("0.005").unwrap();
    Action::Amend { client_id: OUR_ID, instrument: InstrumentId(0), venue_id, quantity }
}

fn rules(amend: bool) -> BTreeMap<InstrumentId, ListingRules> {
    let info: ExchangeInfo = serde_json::from_value(exchange_info()).unwrap();
    let rules = list_symbol(&info.symbols[0], FeeSchedule::default()).unwrap().rules;
    BTreeMap::from([(InstrumentId(0), ListingRules { amend, ..rules })])
}

#[test]
fn it_keeps_its_name_by_asking_for_it() {
    let all = Instruments::new(vec![bitcoin()]);
    let prepared = prepare(&all, &rules(true), &action(), NOW, 2_000).unwrap();
    expect![[r#"symbol=BTCUSDT&orderId=28&origClientOrderId=018bcfe568000000000000000000002a&newClientOrderId=018bcfe568000000000000000000002a&newQty=0.005&recvWindow=2000&timestamp=1700000000000"#]]
        .assert_eq(prepared.body());
    let refused = prepare(&all, &rules(false), &action(), NOW, 2_000).unwrap_err();
    assert_eq!(refused.to_string(), "BTCUSDT takes no amendments of orders");
    assert_eq!((command(&action()), endpoint(&action())), (Command::Cancel, Endpoint::Amend));
    assert_eq!((Endpoint::Amend.weight(), Endpoint::Amend.orders()), (4, 0));
}

#[test]
fn its_answer_counts_when_it_names_the_order() {
    let answer = |id: ClientOrderId| {
        let order = json!({ "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1,
            "origClientOrderId": id.to_string(), "clientOrderId": id.to_string(), "price": "30000.00000000",
            "qty": "0.00500000", "executedQty": "0.00000000", "status": "NEW" });
        let result = json!({ "transactTime": 1_700_000_000_123_i64, "executionId": 75, "amendedOrder": order });
        read_order_answer(&action(), &json!({ "id": 1, "status": 200, "result": result }).to_string(), NOW, NOW).answer
    };
    let OrderAnswer::Ack(ack) = answer(OUR_ID) else { panic!("no acknowledgement") };
    assert_eq!(ack.orders, [(OUR_ID, VenueOrderId("28".into()))]);
    assert_eq!(ack.at, Timestamp::from_millis(1_700_000_000_123));
    assert!(matches!(answer(OTHER_ID), OrderAnswer::Unknown(_)));
    let error = json!({ "code": -2038, "msg": "The requested action would change no state; rejecting." });
    let refused = json!({ "id": 1, "status": 400, "error": error }).to_string();
    assert!(matches!(read_order_answer(&action(), &refused, NOW, NOW).answer, OrderAnswer::Rejected(_)));
    let cut = read_order_answer(&action(), "{\"id\":1,\"status\":200,\"result\":{\"transactTime\"", NOW, NOW);
    assert!(matches!(cut.answer, OrderAnswer::Unknown(_)));
}

/// The fields of the answer, as the venue documents them for an order that stands alone: "Order Amend Keep Priority" of
/// `rest-api.md` and `web-socket-api.md` in `binance/binance-spot-api-docs`. The values are ours.
#[test]
fn the_answer_is_read_as_the_venue_documents_it_with_a_name_that_it_made_up() {
    let order = json!({
        "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "origClientOrderId": OUR_ID.to_string(),
        "clientOrderId": OUR_ID.to_string(), "price": "30000.00000000", "qty": "0.00500000",
        "executedQty": "0.00000000", "preventedQty": "0.00000000", "quoteOrderQty": "0.00000000",
        "cumulativeQuoteQty": "0.00000000", "status": "NEW", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
        "workingTime": 1_700_000_000_000_i64, "selfTradePreventionMode": "NONE",
    });
    let answer = |order: &serde_json::Value| {
        let result = json!({ "transactTime": 1_700_000_000_123_i64, "executionId": 75, "amendedOrder": order });
        read_order_answer(&action(), &json!({ "id": 1, "status": 200, "result": result }).to_string(), NOW, NOW).answer
    };
    assert!(matches!(answer(&order), OrderAnswer::Ack(_)));
    let mut renamed = order.clone();
    renamed["clientOrderId"] = json!("made-up-by-the-venue");
    assert!(matches!(answer(&renamed), OrderAnswer::Unknown(_)), "a name that nobody asked for is no acknowledgement");
    for needed in ["orderId", "clientOrderId"] {
        let mut cut = order.clone();
        cut.as_object_mut().unwrap().remove(needed);
        assert!(matches!(answer(&cut), OrderAnswer::Unknown(_)), "without {needed}");
    }
}
