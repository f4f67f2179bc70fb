//! The data directory and the catalog of every earlier version still open.
//!
//! `fixtures/data-vN` was written by the decision logic N and is never made anew: a version that cannot read it cannot read
//! what users have. The first holds a strategy's trades; the second also orders by hand, a bracket, a pair, a schedule, a
//! changed limit, a halt and its signed audit trail; the third refusals, a trailing order and a flattened position besides;
//! the fourth two persons who approve, send back and reject orders and limits, and an order typed at the venue; the fifth
//! slices and rungs with a plan of the trade, and exits that such plans and brackets make way for; the sixth an exit that the
//! gate refuses, with nothing that guards the position meanwhile; the seventh the same with a pair that stands between attempts; the
//! eighth a schedule with a plan, a sale of what it guards, and a fee in what was bought; the ninth the same beside a sale of
//! coins that were on the account before: its decisions are made again.
//!
//! `fixtures/catalog` is never made anew either: its file of bars has the schema 1, its file of trades the schema 2.

use crate::example::Exchange;
use crate::support::{Running, text, tradewind};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

struct Past {
    name: &'static str,
    records: u64,
    /// Of the state that it is folded to; the version of the logic is mixed in.
    state_hash: &'static str,
}

const PASTS: [Past; 10] = [
    Past {
        name: "data-v1",
        records: 120,
        state_hash: "69e476a5f0b71d54ae8ea7f38b159d7ede37cdc0b27e56b7c15967acb477f6b7",
    },
    Past {
        name: "data-v2",
        records: 195,
        state_hash: "e45d162163d0a9e40f4a4be346e9da60db1980937b0b42be9401901c2f04ab0e",
    },
    Past {
        name: "data-v3",
        records: 213,
        state_hash: "c035a3669c053a968c90aa77944b5ee3139e09cf93716ddf2b5785f67508ff18",
    },
    Past {
        name: "data-v4",
        records: 311,
        state_hash: "9bb5260d2485a0c2345e66dc811cf93bf39cbcb6e022faa3f5f26a32d01e6e7d",
    },
    Past {
        name: "data-v5",
        records: 405,
        state_hash: "796fd20cf23b683565999b032aa9cad8e70e00dc08d050aef67ed66f757fb38d",
    },
    Past {
        name: "data-v6",
        records: 138,
        state_hash: "6c3a98e56a03ba71720059bd5fdba1177ee1c8eb7e67218161588ba1a6e11582",
    },
    Past {
        name: "data-v7",
        records: 822,
        state_hash: "cc94c88243b27acc395e0daecbb54e4ac09cebefdf2a16109ce3214639c62d0c",
    },
    Past {
        name: "data-v8",
        records: 261,
        state_hash: "aca575d600ec3c1ccfdcc962b6743471e658d834d65aa68b7d952c525a167cdc",
    },
    Past {
        name: "data-v9",
        records: 397,
        state_hash: "613079107aa5e240710e007c550d317660d0faec06ecdac7c1be02df4e87ed54",
    },
    Past {
        name: "data-v10",
        records: 373,
        state_hash: "001f17f42a078239163faf9659153341b0d9f305127ddffa40fbec42f91ea578",
    },
];

/// What `data list` says of each file of the earlier catalog: content, rows, first, last, and the hash over all rows.
fn stored() -> Value {
    json!([
        [
            "bars",
            48,
            1_704_067_200_000_000_000_i64,
            1_704_236_400_000_000_000_i64,
            "aef80c8246f561c0c3c2fec4c65ced178d908310c84ad99830445e836e55aece",
        ],
        [
            "trades",
            40,
            1_704_067_200_000_000_000_i64,
            1_704_067_227_300_000_000_i64,
            "54f1145d253686af50a4a9313ee68d4c993204273f6df441d094dd60e34af01d",
        ],
    ])
}

impl Past {
    fn dir(&self) -> PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(self.name)
    }

    /// Copies it, as a node writes into what it goes on from.
    fn copied_to(&self, data: &Path) {
        for part in ["journal", "audit"].map(|part| self.dir().join(part)).into_iter().filter(|part| part.exists()) {
            let target = data.join(part.file_name().unwrap());
            std::fs::create_dir_all(&target).unwrap();
            for entry in std::fs::read_dir(part).unwrap().map(Result::unwrap) {
                std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
            }
        }
    }
}

fn json(args: &[&str]) -> Value {
    tradewind(&[args, &["-o", "json"]].concat()).ended_with(0).json()
}

#[test]
fn g10_an_earlier_data_directory_verifies_and_replays() {
    let current = format!("data-v{}", tradewind_engine::LOGIC_VERSION);
    assert!(PASTS.iter().any(|past| past.name == current), "a new logic wants a data directory of its own: {current}");
    for past in &PASTS {
        let dir = past.dir();
        let verify = json(&["journal", "verify", text(&dir)]);
        assert_eq!((&verify["verified"], &verify["records"]), (&true.into(), &past.records.into()), "{}", past.name);
        let replay = json(&["replay", text(&dir)]);
        assert_eq!((&replay["matches"], &replay["events"]), (&true.into(), &past.records.into()), "{}", past.name);
        if past.name == current {
            assert_eq!(
                (&replay["not_compared"], &replay["decided"]),
                (&0.into(), &past.records.into()),
                "{}",
                past.name
            );
            assert!(replay["hashes_compared"].as_u64().unwrap() > 0, "{}", past.name);
        } else {
            assert!(replay["not_compared"].as_u64().unwrap() > 0, "{} was decided by an earlier logic", past.name);
        }
        assert_eq!(replay["state_hash"], past.state_hash, "{}", past.name);
        if dir.join("audit").exists() {
            let audit = json(&["audit", "verify", text(&dir)]);
            assert_eq!(audit["signed_to"], past.records, "{audit}");
        }
    }
}

#[test]
fn g10_a_node_goes_on_from_an_earlier_data_directory() {
    for past in &PASTS {
        let exchange = Exchange::start();
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        past.copied_to(&data);
        let settings = include_str!("../../../../examples/minimal.toml").replace("127.0.0.1:9090", &exchange.address);
        let file = dir.path().join("minimal.toml");
        std::fs::write(&file, settings).unwrap();
        let args = ["paper", "--config", text(&file), "--data-dir", text(&data), "--for", "2s", "-o", "json"];
        let (run, _) = Running::start_with(&args, &exchange.keys()).end();
        let run = run.ended_with(0);
        assert!(run.err.contains(&format!("journal at event {} ", past.records)), "{}: {}", past.name, run.err);
        assert!(run.json()["events"].as_u64().unwrap() > past.records, "{}", past.name);
        assert_eq!(json(&["replay", text(&data)])["matches"], true, "{}", past.name);
        exchange.end();
    }
}

#[test]
fn g10_an_earlier_catalog_is_listed_read_and_stored_again() {
    let catalog = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/catalog"));
    let again = tempfile::tempdir().unwrap();
    let list = |catalog: &Path| json(&["data", "list", "--catalog", text(catalog)]);
    let of_each = |listed: &Value, names: &[&str]| {
        let row = |it: &Value| names.iter().map(|name| it[*name].clone()).collect::<Value>();
        listed.as_array().unwrap().iter().map(row).collect::<Value>()
    };
    let told = ["content", "rows", "first", "last", "digest"];
    assert_eq!(of_each(&list(catalog), &["content", "schema_version"]), json!([["bars", 1], ["trades", 2]]));
    assert_eq!(of_each(&list(catalog), &told), stored());

    let place = catalog.join("unstated/BARS~USDT");
    let (bars, trades) = (place.join("1h.parquet"), place.join("trades.parquet"));
    for (file, rows) in [(&bars, 48), (&trades, 40)] {
        let checked = json(&["data", "check", text(file)]);
        assert_eq!((&checked["used"], &checked["defects"]), (&rows.into(), &json!([])), "{checked}");
        json(&["data", "import", text(file), "--symbol", "BARS/USDT", "--catalog", text(again.path())]);
    }
    assert_eq!(of_each(&list(again.path()), &told), stored(), "every row is the same");

    let run = json(&["backtest", "--data", text(&bars), "--symbol", "BARS/USDT", "--no-report"]);
    let curve = run["curve"].as_array().unwrap();
    let prices = |row: &Value| ["open", "high", "low", "close"].map(|name| row[name].as_str().unwrap().to_owned());
    assert_eq!(prices(&curve[0]), ["100", "108.5", "99.25", "107"]);
    assert_eq!((curve.len(), prices(&curve[47])), (48, ["104", "112.5", "103.25", "111"].map(str::to_owned)));
}
