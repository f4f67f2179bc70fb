//! Orders of one account that would trade with each other: what the exchange makes of them, read as the connector reads it.

use crate::common::{alice, bob, config};
use serde_json::{Value, json};
use tradewind_domain::{FeeSchedule, Instrument, InstrumentId, Quantity, Timestamp};
use tradewind_exchange::{ExchangeConfig, Frame, InProcess, RestRequest};
use tradewind_venues::binance::convert::{Instruments, StandingState, list_symbol, standing};
use tradewind_venues::binance::protocol::{UserFrame, read_user_frame};
use tradewind_venues::binance::sign::{Signer, encode};
use tradewind_venues::binance::wire;
use tradewind_venues::{VenueEvent, VenueReport};

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// An order of ours, by the form of its name.
const OURS: &str = "018bcfe568000000000000000000002a";
const OTHER: &str = "of-another-program";

/// An exchange whose market stands still.
struct House {
    exchange: InProcess,
    bitcoin: Instrument,
}

impl House {
    fn open() -> Self {
        let config = ExchangeConfig { start: Some(START), history_bars: 0, ..config() };
        let mut exchange = InProcess::open(&config).unwrap();
        let (path, query) = ("/api/v3/exchangeInfo", "symbol=BTCUSDT");
        let request = RestRequest { method: "GET", path, query, body: "", key: None };
        let info: wire::ExchangeInfo = serde_json::from_str(&exchange.ask(&request, START.millis()).body).unwrap();
        assert!(info.symbols[0].allowed_self_trade_prevention_modes.contains(&wire::SelfTradePrevention::Decrement));
        let listing = list_symbol(&info.symbols[0], FeeSchedule::default()).unwrap();
        Self { exchange, bitcoin: listing.spec.list(InstrumentId(0)).unwrap() }
    }

    fn ask(&mut self, signer: &Signer, method: &str, path: &str, pairs: &[(&str, &str)]) -> Value {
        let stamp = START.millis().to_string();
        let mut pairs = [&[("symbol", "BTCUSDT")][..], pairs].concat();
        pairs.push(("timestamp", &stamp));
        let query = signer.signed(&encode(&pairs));
        let request = RestRequest { method, path, query: &query, body: "", key: Some(signer.key().expose()) };
        serde_json::from_str(&self.exchange.ask(&request, START.millis()).body).unwrap()
    }

    /// A limit order: its name and mode, its side and quantity, its price.
    fn place(&mut self, signer: &Signer, name: [&str; 2], what: [&str; 2], price: &str) -> Value {
        let order = [
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("newClientOrderId", name[0]),
            ("selfTradePreventionMode", name[1]),
            ("side", what[0]),
            ("quantity", what[1]),
            ("price", price),
        ];
        self.ask(signer, "POST", "/api/v3/order", &order)
    }

    /// A price at which nobody rests: a tick below the best offer, and above the best bid.
    fn inside(&mut self) -> String {
        let (path, query) = ("/api/v3/ticker/bookTicker", "symbol=BTCUSDT");
        let request = RestRequest { method: "GET", path, query, body: "", key: None };
        let best: Value = serde_json::from_str(&self.exchange.ask(&request, START.millis()).body).unwrap();
        let [bid, ask] = ["bidPrice", "askPrice"].map(|side| best[side].as_str().unwrap().parse::<f64>().unwrap());
        assert!(ask - bid > 0.015, "{best}");
        format!("{:.2}", ask - 0.01)
    }

    /// What the connector hears of Alice's orders since the last call.
    fn heard(&mut self) -> Vec<String> {
        let all = Instruments::new([self.bitcoin.clone()]);
        let mut told = Vec::new();
        for frame in self.exchange.take_frames() {
            let Frame::User(0, text) = frame else { continue };
            let UserFrame::Events(events) = read_user_frame(&all, &text, START).unwrap() else { panic!("{text}") };
            for event in events {
                match event {
                    VenueEvent::Report { report, .. } => told.push(self.words(&report)),
                    VenueEvent::Balances { .. } => (),
                    other => panic!("{other:?}"),
                }
            }
        }
        told
    }

    fn words(&self, report: &VenueReport) -> String {
        let size = |quantity: &Quantity| self.bitcoin.quantity_text(*quantity);
        match report {
            VenueReport::Accepted { quantity, .. } => format!("accepted {}", size(quantity)),
            VenueReport::Filled { fill, cumulative, .. } => {
                format!("filled {}, {} in all", size(&fill.quantity), size(cumulative))
            }
            VenueReport::Amended { quantity, .. } => format!("worked as {}", size(quantity)),
            VenueReport::Expired { reason, cumulative, .. } => format!("{reason} after {}", size(cumulative)),
            VenueReport::Foreign(foreign) => format!("{} {:?}", foreign.what, foreign.executed),
            other => format!("{other:?}"),
        }
    }

    /// How our order stands by a query: where, how much it works or asked for, how much was executed.
    fn stands(&mut self) -> (StandingState, String, String) {
        let row = self.ask(&alice(), "GET", "/api/v3/order", &[("origClientOrderId", OURS)]);
        let row: wire::OrderReport = serde_json::from_value(row).unwrap();
        let seen = standing(&Instruments::new([self.bitcoin.clone()]), &row, START).unwrap();
        (seen.state, self.bitcoin.quantity_text(seen.quantity), self.bitcoin.quantity_text(seen.filled))
    }

    fn check_stands(&mut self, state: StandingState, quantity: &str, filled: &str) {
        assert_eq!(self.stands(), (state, quantity.to_owned(), filled.to_owned()));
    }
}

#[test]
fn an_order_lowered_by_a_decrement_is_worked_with_less_and_filled_once_that_is_executed() {
    let mut house = House::open();
    let price = house.inside();
    house.place(&alice(), [OURS, "EXPIRE_TAKER"], ["BUY", "0.00300"], &price);
    house.place(&alice(), [OTHER, "DECREMENT"], ["SELL", "0.00100"], &price);
    assert_eq!(house.heard(), ["accepted 0.003", "NEW None", "worked as 0.002", "TRADE_PREVENTION None"]);
    house.check_stands(StandingState::Open, "0.002", "0");
    house.place(&bob(), ["of-bob", "NONE"], ["SELL", "0.00050"], &price);
    house.place(&alice(), ["again", "DECREMENT"], ["SELL", "0.00050"], &price);
    let want = ["filled 0.0005, 0.0005 in all", "NEW None", "worked as 0.0015", "TRADE_PREVENTION None"];
    assert_eq!(house.heard(), want);
    house.check_stands(StandingState::Open, "0.0015", "0.0005");
    house.place(&bob(), ["of-bob-too", "NONE"], ["SELL", "0.00100"], &price);
    assert_eq!(house.heard(), ["filled 0.001, 0.0015 in all"]);
    let (state, _, filled) = house.stands();
    assert_eq!((state, filled.as_str()), (StandingState::Filled, "0.0015"));
}

#[test]
fn an_order_of_which_a_decrement_leaves_nothing_has_expired_with_what_it_filled_before() {
    for (filled, told) in [(None, "0"), (Some("0.00100"), "0.001")] {
        let mut house = House::open();
        let price = house.inside();
        house.place(&alice(), [OURS, "EXPIRE_TAKER"], ["BUY", "0.00300"], &price);
        if let Some(quantity) = filled {
            house.place(&bob(), ["of-bob", "NONE"], ["SELL", quantity], &price);
        }
        house.heard();
        house.place(&alice(), [OTHER, "DECREMENT"], ["SELL", "0.00500"], &price);
        let end = format!("EXPIRED_IN_MATCH after {told}");
        assert_eq!(house.heard(), ["NEW None", end.as_str(), "TRADE_PREVENTION None"]);
        house.check_stands(StandingState::Expired, "0.003", told);
    }
}

#[test]
fn an_order_lowered_by_a_decrement_can_be_made_smaller_yet() {
    let mut house = House::open();
    let price = house.inside();
    house.place(&alice(), [OURS, "EXPIRE_TAKER"], ["BUY", "0.00300"], &price);
    house.place(&alice(), [OTHER, "DECREMENT"], ["SELL", "0.00100"], &price);
    house.heard();
    let amend = |house: &mut House, quantity: &str| {
        let pairs = [("origClientOrderId", OURS), ("newClientOrderId", OURS), ("newQty", quantity)];
        house.ask(&alice(), "PUT", "/api/v3/order/amend/keepPriority", &pairs)
    };
    assert_eq!(amend(&mut house, "0.00100")["code"], -2038, "so much was prevented");
    let amended = amend(&mut house, "0.00250")["amendedOrder"].clone();
    assert_eq!((&amended["qty"], &amended["preventedQty"]), (&json!("0.00250000"), &json!("0.00100000")), "{amended}");
    assert_eq!(house.heard(), ["worked as 0.0015"]);
    house.check_stands(StandingState::Open, "0.0015", "0");
}

#[test]
fn a_prevented_match_is_told_in_the_answer_and_can_be_asked_for() {
    let mut house = House::open();
    let price = house.inside();
    let maker = house.place(&alice(), [OURS, "NONE"], ["SELL", "0.00300"], &price);
    assert_eq!(maker["preventedMatches"], Value::Null, "{maker}");
    let taker = house.place(&alice(), [OTHER, "DECREMENT"], ["BUY", "0.00100"], &price);
    let read: wire::NewOrderResponse = serde_json::from_value(taker.clone()).unwrap();
    assert_eq!(read.status, Some(wire::OrderStatus::ExpiredInMatch));
    assert_eq!(
        (read.executed_qty.as_deref(), read.prevented_quantity.as_deref()),
        (Some("0.00000000"), Some("0.00100000"))
    );
    let met = read.prevented_matches.unwrap().remove(0);
    assert_eq!((met.prevented_match_id, &json!(met.maker_order_id)), (0, &maker["orderId"]));
    let whole = json!([{
        "symbol": "BTCUSDT", "preventedMatchId": 0, "takerOrderId": taker["orderId"], "makerSymbol": "BTCUSDT",
        "makerOrderId": maker["orderId"], "tradeGroupId": -1, "selfTradePreventionMode": "DECREMENT",
        "price": maker["price"], "takerPreventedQuantity": "0.00100000", "makerPreventedQuantity": "0.00100000",
        "transactTime": taker["transactTime"],
    }]);
    let id = |order: &Value| order["orderId"].to_string();
    let path = "/api/v3/myPreventedMatches";
    for (name, value) in [("preventedMatchId", "0".to_owned()), ("orderId", id(&maker)), ("orderId", id(&taker))] {
        let pairs = [(name, value.as_str())];
        assert_eq!(house.ask(&alice(), "GET", path, &pairs), whole, "{name} {value}");
        assert_eq!(house.ask(&bob(), "GET", path, &pairs), json!([]), "nobody else's");
    }
    let maker_id = id(&maker);
    let later = [("orderId", maker_id.as_str()), ("fromPreventedMatchId", "1")];
    assert_eq!(house.ask(&alice(), "GET", path, &later), json!([]));
    assert_eq!(house.ask(&alice(), "GET", path, &[])["code"], -1128, "of nothing");
    for wrong in [&[("fromPreventedMatchId", "0")][..], &[("orderId", "1"), ("preventedMatchId", "0")]] {
        assert_eq!(house.ask(&alice(), "GET", path, wrong)["code"], -1128, "{wrong:?}");
    }
    let seen = house.ask(&alice(), "GET", "/api/v3/order", &[("origClientOrderId", OURS)]);
    let lost = (&seen["status"], &seen["origQty"], &seen["preventedQuantity"], &seen["preventedMatchId"]);
    assert_eq!(lost, (&json!("NEW"), &json!("0.00300000"), &json!("0.00100000"), &json!(0)), "{seen}");
}

#[test]
fn what_a_rule_that_expires_took_is_told_too() {
    for (mode, lost) in [
        ("EXPIRE_TAKER", [Some("0.00100000"), None]),
        ("EXPIRE_MAKER", [None, Some("0.00300000")]),
        ("EXPIRE_BOTH", [Some("0.00100000"), Some("0.00300000")]),
    ] {
        let mut house = House::open();
        let price = house.inside();
        house.place(&alice(), [OURS, "NONE"], ["SELL", "0.00300"], &price);
        let taker = house.place(&alice(), [OTHER, mode], ["BUY", "0.00100"], &price);
        let read: wire::NewOrderResponse = serde_json::from_value(taker).unwrap();
        assert_eq!(read.prevented_quantity.as_deref(), lost[0], "{mode}");
        let met = read.prevented_matches.unwrap().remove(0);
        assert_eq!(
            [&met.taker_prevented_quantity, &met.maker_prevented_quantity].map(Option::as_deref),
            lost,
            "{mode}"
        );
    }
}
