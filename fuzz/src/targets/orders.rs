//! What a venue says of orders: the user stream, and answers to requests.

use super::market::{NOW, faulty, instruments};
use super::{Feed, Target, is_code, owned, way};
use crate::seeds;
use serde::Deserialize;
use serde_json::value::RawValue;
use tradewind_domain::{
    ClientOrderId, Currency, Incarnation, InstrumentId, Money, Order, OrderRequest, PortfolioId, Price, Quantity, Side,
    Source, Timestamp, VenueOrderId, parse_decimal,
};
use tradewind_engine::{Event, EventKind, LOGIC_VERSION, State, apply};
use tradewind_gate::{Action, Mode};
use tradewind_host::fact_of;
use tradewind_venues::binance::convert::Instruments;
use tradewind_venues::binance::protocol::{OrderAnswer, UserFrame, read_order_answer, read_user_frame};
use tradewind_venues::{VenueEvent, VenueReport};

/// An order that is ours.
const OURS: ClientOrderId = ClientOrderId::from_u128(0x018b_cfe5_6800_0000_0000_0000_0000_002a);
const OTHER: ClientOrderId = ClientOrderId::from_u128(0x018b_cfe5_6800_0000_0000_0000_0000_002b);
/// How many decimals instruments of the venue have here.
const DECIMALS: u8 = 8;

/// Codes of the venue that are a no for good, and no others are: whatever else comes, the order may live.
const MEANS_NO: &[i32] = &[
    -1002, -1003, -1013, -1014, -1015, -1020, -1021, -1022, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108,
    -1111, -1114, -1115, -1116, -1117, -1118, -1119, -1121, -1122, -1128, -1130, -1134, -1135, -1145, -1158, -1160,
    -1165, -1166, -1168, -1196, -1197, -1198, -1199, -1220, -2010, -2011, -2014, -2015, -2026, -2038, -2039,
];

const REPORT: &str = r#"{"subscriptionId":0,"event":{"e":"executionReport","E":1700000000000,"s":"BTCUSDT","c":"018bcfe568000000000000000000002a","S":"BUY","o":"LIMIT","f":"GTC","q":"1.00000000","p":"50000.00","P":"0","F":"0","g":-1,"C":"","x":"TRADE","X":"PARTIALLY_FILLED","r":"NONE","i":4293153,"l":"0.50000000","z":"0.50000000","L":"50000.00","n":"0.0005","N":"BTC","T":1700000000000,"t":17,"I":8641984,"w":true,"m":false,"M":true,"O":1700000000000,"Z":"25000","Y":"25000","Q":"0","W":1700000000000,"V":"NONE"}}"#;

pub(super) const USER_STREAM: Target = Target {
    name: "user-stream",
    about: "frames of the account's stream: an execution is of the order that it names, at its numbers; one of an order that we lack halts",
    seeds: |name| {
        let mut all = vec![REPORT.to_owned()];
        for (what, status) in [
            ("NEW", "NEW"),
            ("CANCELED", "CANCELED"),
            ("REJECTED", "REJECTED"),
            ("EXPIRED", "EXPIRED"),
            ("REPLACED", "NEW"),
        ] {
            let other = REPORT.replace("\"TRADE\"", &format!("\"{what}\""));
            all.push(other.replace("\"PARTIALLY_FILLED\"", &format!("\"{status}\"")));
        }
        for text in seeds::binance(name) {
            let is_event = text.contains("\"e\":");
            if is_event && !text.contains("\"event\":") {
                all.push(format!("{{\"subscriptionId\":0,\"event\":{text}}}"));
            }
            if is_event || text.contains("\"status\":") {
                all.push(text);
            }
        }
        all.into_iter().map(String::into_bytes).collect()
    },
    make: || -> Feed {
        let (all, state) = (instruments(), account());
        Box::new(move |bytes| user_frame(&all, &state, &String::from_utf8_lossy(bytes)))
    },
};

/// An account that trades every instrument here and has no order.
fn account() -> State {
    let mut state = State::default();
    let instruments = instruments();
    let usdt = Currency::new("USDT").expect("a code");
    let listed = |id| EventKind::Listed(Box::new(instruments.id(InstrumentId(id)).expect("it is listed").clone()));
    for kind in [
        EventKind::Started { incarnation: Incarnation(9), mode: Mode::Paper, logic: LOGIC_VERSION },
        listed(0),
        listed(1),
        EventKind::Opened { base: usdt, name: "main".into() },
        EventKind::Deposited(Money::parse("10000", usdt).expect("a number")),
    ] {
        let event = Event::new(state.sequence + 1, NOW, Source::Host, kind);
        apply(&mut state, &event);
    }
    state
}

fn user_frame(all: &Instruments, state: &State, text: &str) -> u64 {
    match read_user_frame(all, text, NOW) {
        Err(fault) => faulty(&fault),
        Ok(UserFrame::Events(events)) => {
            assert!(!events.is_empty(), "an event that nobody is told of");
            let said = serde_json::from_str::<Framed>(text).unwrap_or_default().event;
            way(events.iter().map(|event| user_event(event, &said, state)).collect::<Vec<_>>())
        }
        Ok(UserFrame::Answer(_)) => 1,
        Ok(UserFrame::ClosesSoon) => 2,
        Ok(UserFrame::Ended) => 3,
        Ok(UserFrame::Nothing) => 4,
    }
}

/// Of a frame what must agree with the execution that is made of it, read on its own.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Framed {
    event: Execution,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Execution {
    c: String,
    #[serde(rename = "C")]
    first_c: String,
    l: String,
    #[serde(rename = "L")]
    price: String,
    x: String,
    #[serde(rename = "X")]
    status: String,
}

fn user_event(event: &VenueEvent, said: &Execution, state: &State) -> u64 {
    match event {
        VenueEvent::Report { report, .. } => {
            if let VenueReport::Filled { fill, .. } = report {
                let name = fill.client_id.to_string();
                assert!(said.c == name || said.first_c == name, "an execution of {name}, which nobody named: {said:?}");
                let numbers = [&said.l, &said.price].map(|text| parse_decimal(text, DECIMALS).ok());
                assert_eq!(numbers, [fill.quantity.mantissa(), fill.price.mantissa()].map(Some), "{said:?}");
                assert!(fill.quantity.mantissa() > 0 && fill.price.mantissa() > 0, "{fill:?}");
            }
            changes_nothing(report, state);
            way((std::mem::discriminant(report), &said.x, &said.status))
        }
        VenueEvent::Fault { code, message, .. } => {
            assert!(is_code(code) && !message.is_empty(), "`{code}`: {message}");
            way((code, message.split_whitespace().next()))
        }
        other => way(std::mem::discriminant(other)),
    }
}

/// Whatever is told of an order that we do not have makes none. An execution under a name of our own form is money that moved
/// at the venue: it is booked, and trading halts until a person has looked. Nothing else moves any.
fn changes_nothing(report: &VenueReport, state: &State) {
    let Some((at, kind)) = fact_of(report.clone()) else { return };
    let mut after = state.clone();
    let event = Event::new(state.sequence + 1, at, Source::Venue, kind);
    apply(&mut after, &event);
    assert!(after.open.is_empty(), "an order out of {report:?}");
    match report {
        VenueReport::Filled { .. } => assert!(after.halted.is_some(), "trading goes on after {report:?}"),
        _ => assert_eq!(after.portfolios, state.portfolios, "of {report:?}"),
    }
}

pub(super) const ANSWERS: Target = Target {
    name: "order-answers",
    about: "answers to orders, cancels, pairs and amendments: a yes has status 200 and names what was asked; an unknown code is no answer",
    seeds: |name| {
        let yes = r#"{"id":1,"status":200,"result":{"symbol":"BTCUSDT","orderId":4293153,"orderListId":-1,"clientOrderId":"018bcfe568000000000000000000002a","transactTime":1700000000000},"rateLimits":[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100,"count":1}]}"#;
        let pair = r#"{"id":1,"status":200,"result":{"orderListId":7,"transactionTime":1700000000000,"orders":[{"orderId":1,"clientOrderId":"018bcfe568000000000000000000002a"},{"orderId":2,"clientOrderId":"018bcfe568000000000000000000002b"}]}}"#;
        let amended = r#"{"id":1,"status":200,"result":{"transactTime":1700000000000,"amendedOrder":{"orderId":1,"clientOrderId":"018bcfe568000000000000000000002a"}}}"#;
        let mut all = owned(&[yes, pair, amended]);
        for (status, code) in
            [(400, -2010), (400, -1021), (400, -2011), (429, -1003), (418, -1003), (500, -1000), (409, -2021)]
        {
            all.push(
                format!(r#"{{"id":1,"status":{status},"error":{{"code":{code},"msg":"Duplicate order sent."}}}}"#)
                    .into_bytes(),
            );
        }
        all.extend(seeds::binance(name).into_iter().filter(|it| it.contains("\"status\":")).map(String::into_bytes));
        all
    },
    make: || -> Feed {
        let actions = actions();
        Box::new(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            way(actions.iter().map(|action| answer(action, &text)).collect::<Vec<_>>())
        })
    },
};

/// A request of each kind.
fn actions() -> [Action; 4] {
    let (all, instrument) = (instruments(), InstrumentId(0));
    let it = all.id(instrument).expect("it is listed");
    let (quantity, price) = (Quantity::from_mantissa(100_000_000), Price::from_mantissa(5_000_000_000_000));
    let order = |id| {
        let request = OrderRequest::limit(instrument, Side::Buy, quantity, price);
        Order::new(it, PortfolioId(0), id, request, Some(price)).expect("a valid order")
    };
    let venue_id = Some(VenueOrderId("4293153".into()));
    [
        Action::Submit(order(OURS)),
        Action::SubmitPair(Box::new([order(OURS), order(OTHER)])),
        Action::Cancel { client_id: OURS, instrument, venue_id: venue_id.clone() },
        Action::Amend { client_id: OURS, instrument, venue_id, quantity },
    ]
}

/// Of an answer what must agree with what is made of it, read on its own.
#[derive(Deserialize)]
struct Said<'a> {
    status: u16,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
}

fn answer(action: &Action, text: &str) -> u64 {
    let read = read_order_answer(action, text, NOW, Timestamp::from_millis(1_700_000_000_050));
    match read.answer {
        OrderAnswer::Ack(ack) => {
            let said: Said<'_> = serde_json::from_slice(text.as_bytes().trim_ascii()).expect("a yes is JSON");
            assert_eq!(said.status, 200, "a yes: {text}");
            let named: Vec<ClientOrderId> = ack.orders.iter().map(|(client_id, _)| *client_id).collect();
            assert_eq!(named, action.client_ids().collect::<Vec<_>>(), "a yes to what was asked");
            let result = said.result.map_or("", RawValue::get);
            let is_plain = !result.contains('\\'); // a name may be written in escapes
            assert!(!is_plain || named.iter().all(|id| result.contains(&id.to_string())), "it names them: {result}");
            1
        }
        OrderAnswer::Rejected(rejection) => {
            assert!(is_code(rejection.code), "`{}`", rejection.code);
            let Said { status, .. } = serde_json::from_slice(text.as_bytes().trim_ascii()).expect("a no is JSON");
            let is_known = (400..500).contains(&status) && MEANS_NO.contains(&rejection.venue_code);
            assert!(is_known || matches!(status, 418 | 429), "a no of {status}, {}: {text}", rejection.venue_code);
            way((rejection.code, rejection.venue_code))
        }
        OrderAnswer::Unknown(fault) => faulty(&fault),
    }
}
