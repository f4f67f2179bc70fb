//! Bundles of trouble: each is a command, and the page of faults shows their figures.

use crate::support::tradewind;
use std::fmt::Write as _;
use tradewind_storm::{Bundle, KNOBS};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reliability.md");

#[test]
fn each_bundle_is_a_command_whose_answer_says_what_it_did() {
    for bundle in Bundle::ALL {
        let args = ["storm", "--bundle", bundle.name(), "--seed", "3", "--hours", "0.2", "-o", "json"];
        let (first, again) = (tradewind(&args).ended_with(0).json(), tradewind(&args).ended_with(0).json());
        assert_eq!(first, again, "{bundle} twice");
        assert_eq!(first["bundle"], bundle.name());
        for none in ["doubled", "lost", "breaches", "failed", "faults"] {
            assert_eq!(first[none], 0, "{bundle}: {none}");
        }
        for count in ["candles", "quotes", "orders"] {
            assert!(first["acted"][count].as_u64() > Some(0), "{bundle}: {count}: {first}");
        }
        let quiet = ["candles_missing", "marks_late", "order_errors", "partials", "delayed"];
        let did = quiet.map(|count| first["acted"][count].as_u64().expect("a count")).iter().sum::<u64>();
        assert_eq!(did == 0, bundle == Bundle::Normal, "{first}");
        for figure in ["spread_bps", "minute_bps", "fall_bps", "rise_bps"] {
            assert!(first["acted"][figure].as_f64() > Some(0.0), "{bundle}: {figure}: {first}");
        }
    }
}

#[test]
fn a_storm_without_a_bundle_names_none() {
    let said = tradewind(&["storm", "--seed", "3", "--hours", "0.05", "-o", "json"]).ended_with(0).json();
    assert!(said.get("bundle").is_none() && said.get("acted").is_none(), "{said}");
}

#[test]
fn an_unknown_bundle_is_misuse_and_the_four_are_named() {
    let said = tradewind(&["storm", "--bundle", "hurricane"]).ended_with(2);
    assert!(said.err.contains("hurricane"), "{}", said.err);
    for bundle in Bundle::ALL {
        assert!(said.err.contains(bundle.name()), "{bundle}: {}", said.err);
    }
    said.is_calm();
}

/// The table of the page: a row a knob, a column a bundle.
fn table() -> String {
    let mut text = String::from("| what is turned |");
    Bundle::ALL.iter().for_each(|bundle| write!(text, " {bundle} |").unwrap());
    text.push_str(" why so far |\n|---|---|---|---|---|---|\n");
    for info in KNOBS {
        write!(text, "| {}, {} |", info.name, info.unit).unwrap();
        info.figures.iter().for_each(|figure| write!(text, " {figure} |").unwrap());
        writeln!(text, " {} |", info.why).unwrap();
    }
    text
}

#[test]
fn the_page_shows_the_figures_of_every_bundle() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let start = page.find("| what is turned |").expect("the page has the table");
    let length = page[start..].find("\n\n").map_or(page.len() - start, |end| end + 1);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(PAGE, [&page[..start], &table(), &page[start + length..]].concat()).unwrap();
        return;
    }
    assert_eq!(page[start..start + length], table(), "`UPDATE_EXPECT=1 cargo test -p tradewind --test it bundles`");
}
