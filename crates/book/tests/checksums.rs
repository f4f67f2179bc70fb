//! Books with checksums against a recorded session of Kraken: ten pairs, each update with the venue's own CRC.

#![allow(clippy::unwrap_used)] // an integration test is a test throughout

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tradewind_book::{CheckError, CheckedBook};
use tradewind_domain::{Price, Quantity, Side, parse_decimal};

const RECORDING: &str = "exchanges/kraken/cryptofeed/KRAKEN.ws.50.0";

fn recording(test: &str) -> Option<String> {
    let home = std::env::var_os("TRADEWIND_RECORDINGS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(home.join(RECORDING)) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{RECORDING} is missing");
        eprintln!("no recordings: {test}");
        return None;
    };
    Some(text)
}

type Levels = Vec<(Side, Price, Quantity)>;

/// A mantissa at the decimals that the text carries.
fn mantissa(text: &str) -> i64 {
    let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.len());
    parse_decimal(text, u8::try_from(decimals).unwrap()).unwrap()
}

fn levels(part: &Value, names: [&str; 2]) -> Levels {
    let side = |name: &str, side| {
        let list = part[name].as_array().into_iter().flatten();
        let text = |level: &Value, at: usize| mantissa(level[at].as_str().unwrap());
        list.map(|level| (side, Price::from_mantissa(text(level, 0)), Quantity::from_mantissa(text(level, 1))))
            .collect::<Levels>()
    };
    [side(names[0], Side::Buy), side(names[1], Side::Sell)].concat()
}

/// How many updates agreed, of how many; `spoil` may change the levels of an update before they are taken.
fn play(text: &str, mut spoil: impl FnMut(usize, &mut Levels)) -> (usize, usize, BTreeMap<String, CheckedBook>) {
    let (mut agreed, mut seen, mut books) = (0, 0, BTreeMap::<String, CheckedBook>::new());
    for line in text.lines() {
        let Some((_, message)) = line.split_once(": ") else { continue };
        let Ok(Value::Array(message)) = serde_json::from_str(message) else { continue };
        let pair = message.last().unwrap().as_str().unwrap().to_owned();
        if message[1].get("as").is_some() {
            let book = books.entry(pair).or_insert_with(|| CheckedBook::new(Price::from_mantissa(1), 1_000));
            book.load(levels(&message[1], ["bs", "as"])).unwrap();
            continue;
        }
        let parts = &message[1..message.len() - 2];
        let mut update: Levels = parts.iter().flat_map(|part| levels(part, ["b", "a"])).collect();
        let checksum = parts.iter().find_map(|part| part["c"].as_str()).unwrap().parse().unwrap();
        spoil(seen, &mut update);
        seen += 1;
        agreed += usize::from(books.get_mut(&pair).unwrap().update(update, checksum).is_ok());
    }
    (agreed, seen, books)
}

#[test]
fn c04_every_recorded_checksum_of_ten_books_agrees() {
    let Some(text) = recording("c04_every_recorded_checksum_of_ten_books_agrees") else { return };
    let (agreed, seen, books) = play(&text, |_, _| ());
    eprintln!("{agreed} of {seen} updates of {} books agree", books.len());
    assert_eq!((agreed, books.len()), (seen, 10));
    assert!(seen > 4_000, "{seen}");
    assert!(books.values().all(|book| book.resyncs() == 0 && book.book().is_some_and(|it| !it.is_crossed())));
}

#[test]
fn c04_books_that_lost_updates_are_noticed_and_stay_away_until_a_snapshot() {
    let Some(text) = recording("c04_books_that_lost_updates_are_noticed_and_stay_away_until_a_snapshot") else {
        return;
    };
    let (agreed, seen, mut books) = play(&text, |nth, update| {
        if (2_000..2_050).contains(&nth) {
            update.clear(); // the levels are lost, the checksum comes
        }
    });
    let wrong: Vec<_> = books.iter().filter(|(_, book)| book.resyncs() > 0).map(|(pair, _)| pair.clone()).collect();
    assert!(!wrong.is_empty() && agreed < seen, "{agreed} of {seen}");
    for pair in wrong {
        let book = books.get_mut(&pair).unwrap();
        assert!(book.book().is_none() && book.resyncs() == 1, "thrown away once, then it waits");
        assert_eq!(book.update([], 0), Err(CheckError::Unsynced));
    }
}
