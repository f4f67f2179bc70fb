//! What people write: numbers with their units, names, settings, requests to a running node.

use super::{Feed, Target, owned, refused, way};
use crate::seeds;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{Debug, Display};
use std::path::Path;
use std::str::FromStr;
use tradewind_domain::{
    ClientOrderId, Currency, Interval, LEDGER_DECIMALS, Money, Symbol, format_decimal, parse_decimal,
};
use tradewind_governance::audit::PublicKey;
use tradewind_governance::{Name, Scope};
use tradewind_node::settings::{Amount, Percent, Seconds, Settings};
use tradewind_node::{OperatorReply, OperatorRequest};
use tradewind_risk::LIMITS;
use tradewind_venues::SecretSource;

pub(super) const NUMBERS: Target = Target {
    name: "numbers",
    about: "decimal numbers, amounts, percentages, durations, limits: what is written again reads the same",
    seeds: |_| {
        owned(&[
            "0",
            "1",
            "-1",
            "+0.5",
            "12.50000000",
            "92233720368.54775807",
            "-92233720368.54775808",
            "100%",
            "2.5%",
            "0.01 %",
            "500ms",
            "5s",
            "2m",
            "1h",
            "90d",
            "0.0005s",
            "1.5x",
            "10",
            "yes",
            "no",
            "1000.50",
            "off",
        ])
    },
    make: || Box::new(|bytes| numbers(&String::from_utf8_lossy(bytes))),
};

fn numbers(text: &str) -> u64 {
    let mut ways = Vec::new();
    for decimals in [0, 2, LEDGER_DECIMALS, 18] {
        ways.push(match parse_decimal(text, decimals) {
            Ok(mantissa) => {
                let again = format_decimal(mantissa.into(), decimals);
                assert_eq!(parse_decimal(&again, decimals), Ok(mantissa), "`{text}` at {decimals} decimals: `{again}`");
                way(("number", again.len(), mantissa < 0))
            }
            Err(error) => refused(&error),
        });
    }
    let usdt = Currency::new("USDT").expect("a code");
    if let Ok(money) = Money::parse(text, usdt) {
        assert_eq!(Money::parse(&money.amount(), usdt), Ok(money));
    }
    ways.push(unit::<Percent>(text));
    ways.push(unit::<Amount>(text));
    ways.push(unit::<Seconds>(text));
    for limit in LIMITS {
        if let Some(value) = limit.unit.parse(text).filter(|value| limit.unit.allows(*value)) {
            let again = limit.unit.text(value);
            assert_eq!(limit.unit.parse(&again), Some(value), "{}: `{text}`, then `{again}`", limit.name);
            ways.push(way(limit.name));
        }
    }
    way(ways)
}

/// A value of the settings: written as a file holds it, it is the same.
fn unit<T: FromStr + Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> u64 {
    let Ok(value) = text.parse::<T>() else { return 0 };
    let written = serde_json::to_value(&value).expect("it is text");
    assert_eq!(serde_json::from_value::<T>(written.clone()).ok(), Some(value), "`{text}`, then {written}");
    1
}

pub(super) const NAMES: Target = Target {
    name: "names",
    about: "symbols, intervals, order ids, currencies, scopes, keys, places of secrets: what is shown reads the same",
    seeds: |_| {
        owned(&[
            "BTC/USDT",
            "BTC/USDT:USDT",
            "BTC/USD:BTC-261225",
            "ETH/USDT:USDT-261225-3000-C",
            "BTC-USD",
            "1m",
            "15m",
            "1h",
            "4h",
            "1d",
            "1w",
            "018bcfe568000000000000000000002a",
            "ffffffffffff00000000000000000000",
            "global",
            "account:3",
            "source:anna",
            "venue:binance",
            "file:/run/key",
            "fd:3",
            "env:KEY",
            "anna",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        ])
    },
    make: || Box::new(|bytes| names(&String::from_utf8_lossy(bytes))),
};

fn names(text: &str) -> u64 {
    if let Some(id) = ClientOrderId::parse(text) {
        assert_eq!(id.to_string(), text, "an id has one text");
    }
    if let Some(key) = PublicKey::parse(text) {
        assert_eq!(PublicKey::parse(&key.to_string()), Some(key));
    }
    let symbol = match text.parse::<Symbol>() {
        Ok(symbol) => same(&symbol),
        Err(error) => refused(&error),
    };
    let interval = match text.parse::<Interval>() {
        Ok(interval) => same(&interval),
        Err(error) => refused(&error),
    };
    let source = match text.parse::<SecretSource>() {
        Ok(_) => 1,
        Err(error) => {
            // a person who pasted the secret itself must not find it in a log
            let said = error.to_string();
            assert!(text.len() < 16 || text.contains(':') || !said.contains(text), "it quotes what may be a secret");
            refused(&error)
        }
    };
    let scope = text.parse::<Scope>().map(|scope| same(&scope)).unwrap_or(0);
    let plain = (Currency::new(text).is_ok(), Name::new(text).is_ok());
    way((symbol, interval, source, scope, plain))
}

/// Shown and read again it is the same.
fn same<T: FromStr + Display + PartialEq + Debug>(value: &T) -> u64 {
    let shown = value.to_string();
    let Ok(again) = shown.parse::<T>() else { panic!("{value:?} is shown as `{shown}`, which does not read") };
    assert_eq!(&again, value, "`{shown}`");
    way(shown.len())
}

pub(super) const SETTINGS: Target = Target {
    name: "settings",
    about: "settings files: a fault has its code, and what was read is written and read the same",
    seeds: |_| {
        let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let is_settings = |path: &str| path.ends_with(".toml") && !path.ends_with("Cargo.toml");
        let folders = [examples.join("examples"), examples.join("docs/reference")];
        let files = folders.iter().flat_map(|folder| seeds::files(folder, is_settings));
        let mut all: Vec<Vec<u8>> = files.filter_map(|file| std::fs::read(file).ok()).collect();
        all.push(b"mode = \"paper\"\n[venue]\napi_key = \"env:KEY\"\n".to_vec());
        all
    },
    make: || Box::new(|bytes| settings(&String::from_utf8_lossy(bytes))),
};

fn settings(text: &str) -> u64 {
    let file = Path::new("spoilt.toml");
    match Settings::parse(text, file) {
        Ok(settings) => {
            let written = toml::to_string(&settings).expect("settings are a table");
            match Settings::parse(&written, file) {
                Ok(again) => assert!(again == settings, "written and read they differ:\n{written}"),
                Err(error) => panic!("what was written does not read: {error}\n{written}"),
            }
            way(settings.mode as u8)
        }
        Err(error) => {
            let words: Vec<String> = error.to_string().split_whitespace().skip(1).take(4).map(str::to_owned).collect();
            way((refused(&error), words))
        }
    }
}

pub(super) const CONTROL: Target = Target {
    name: "control",
    about: "lines of the control socket, both ways: what was read is written and read the same",
    seeds: |_| {
        owned(&[
            r#"{"request":"status"}"#,
            r#"{"request":"order-place","symbol":"BTC/USDT","side":"buy","quantity":"0.01","limit":"50000"}"#,
            r#"{"request":"order-cancel","client_id":"018bcfe568000000000000000000002a"}"#,
            r#"{"request":"position-close","symbol":"BTC/USDT"}"#,
            r#"{"request":"position-exempt","symbol":"BTC/USDT","reason":"a test","end":false}"#,
            r#"{"request":"flatten"}"#,
            r#"{"request":"halt","reason":"a test"}"#,
            r#"{"request":"resume","reason":"a test"}"#,
            r#"{"request":"stop"}"#,
            r#"{"request":"parent-ask","parent":7,"ask":"cancel","reason":"a test"}"#,
            r#"{"request":"signed","by":"anna","token":"t","key":"k","request":{"request":"status"}}"#,
            r#"{"data":{"stopping":true}}"#,
            r#"{"code":"NODE-13","message":"no","hint":"yes"}"#,
        ])
    },
    make: || -> Feed {
        Box::new(|line| way((message::<OperatorRequest>(line, true), message::<OperatorReply>(line, false))))
    },
};

/// As [`same`], for a message in JSON; the words of an error tell ways apart where `told`.
fn message<T: Serialize + DeserializeOwned>(line: &[u8], told: bool) -> u64 {
    match serde_json::from_slice::<T>(line) {
        Ok(read) => {
            let written = serde_json::to_string(&read).expect("messages have text keys");
            let again = serde_json::from_str::<T>(&written).map(|again| serde_json::to_string(&again).ok());
            assert_eq!(again.ok().flatten().as_ref(), Some(&written), "{}", String::from_utf8_lossy(line));
            way(std::mem::discriminant(&read))
        }
        Err(error) if told => way(error.to_string().split(['`', ' ']).take(6).map(str::to_owned).collect::<Vec<_>>()),
        Err(_) => 0,
    }
}
