//! Two persons at the controls, as the book tells it: who may do what, and the trail that it leaves.

use crate::example::Exchange;
use crate::support::{Run, Running, text, tradewind, wait_until};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

struct Desk {
    node: Running,
    exchange: Exchange,
    dir: tempfile::TempDir,
}

/// The settings of the examples, with two persons and a threshold from which each needs the other.
fn settings(dir: &Path, exchange: &Exchange) -> PathBuf {
    let minimal = include_str!("../../../../examples/minimal.toml").replace("127.0.0.1:9090", &exchange.address);
    let mut text = format!("{minimal}\n[governance]\napprove_from = \"100\"\n");
    for name in ["anna", "ben"] {
        let token = format!("token of {name}\n");
        std::fs::write(dir.join(format!("{name}.token")), &token).unwrap();
        let sum: String = Sha256::digest(token.trim()).iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!(
            "\n[[operators]]\nname = \"{name}\"\ntoken_sha256 = \"{sum}\"\nroles = [\"trader\", \"approver\", \"risk\"]\n"
        ));
    }
    let file = dir.join("two.toml");
    std::fs::write(&file, text).unwrap();
    tradewind(&["config", "check", self::text(&file)]).ended_with(0);
    file
}

impl Desk {
    fn open() -> Self {
        let exchange = Exchange::at_speed("30"); // a proposal lives 120 market seconds: four of ours
        let dir = tempfile::tempdir().unwrap();
        let file = settings(dir.path(), &exchange);
        let data = dir.path().join("data");
        let args = ["paper", "--config", text(&file), "--data-dir", text(&data)];
        let mut node = Running::start_with(&args, &exchange.keys());
        node.until("ready in");
        Self { node, exchange, dir }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn run(&self, by: Option<&str>, args: &[&str]) -> Run {
        let data = self.data();
        let token = by.map(|by| self.dir.path().join(format!("{by}.token")));
        let mut args = [args, &["--data-dir", text(&data), "-o", "json"]].concat();
        if let (Some(by), Some(token)) = (by, &token) {
            args.extend(["--as", by, "--token-file", text(token)]);
        }
        tradewind(&args)
    }
}

impl Desk {
    /// What a person reads.
    fn text(&self, by: Option<&str>, args: &[&str]) -> String {
        let data = self.data();
        let token = by.map(|by| self.dir.path().join(format!("{by}.token")));
        let mut args = [args, &["--data-dir", text(&data)]].concat();
        if let (Some(by), Some(token)) = (by, &token) {
            args.extend(["--as", by, "--token-file", text(token)]);
        }
        tradewind(&args).ended_with(0).out.trim_end().to_owned()
    }

    /// The node says no, with `code` and a hint.
    fn refuses(&self, by: Option<&str>, args: &[&str], code: &str) {
        let run = self.run(by, args).ended_with(1);
        let said: Value =
            serde_json::from_str(run.err.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{}", run.err)); // what is about to be approved is shown before
        assert_eq!(said["error"]["code"], code, "{args:?}: {said}");
        assert!(said["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    }
}

fn order<'a>(quantity: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["order", "place", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", quantity], more].concat()
}

#[test]
fn two_persons_trade_limit_halt_and_prove_it() {
    let desk = Desk::open();
    desk.refuses(None, &order("0.01", &[]), "NODE-31");
    let held = desk.run(Some("anna"), &order("0.01", &["--key", "monday"])).ended_with(0).json();
    let id = held["proposal"].to_string();
    let again = desk.run(Some("anna"), &order("0.01", &["--key", "monday"])).ended_with(0).json();
    assert_eq!(again["proposal"], held["proposal"]);
    desk.refuses(Some("anna"), &order("0.02", &["--key", "monday"]), "GOV-32");
    desk.refuses(Some("anna"), &["proposals", "approve", &id], "GOV-23");
    let shown = desk.run(None, &["proposals", "show", &id]).ended_with(0).json();
    assert!(shown["expires_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{shown}");
    assert_eq!((&shown["order"]["quantity"], &shown["by"]), (&"0.01".into(), &"anna".into()));
    let hash = shown["hash"].as_str().unwrap();
    desk.run(Some("ben"), &["proposals", "approve", &id, "--hash", hash]).ended_with(0);
    let state = || desk.run(None, &["proposals", "show", &id]).ended_with(0).json()["state"].clone();
    wait_until(10, "it does not fill", || state() == "filled");
    let listed = desk.text(None, &["proposals", "list"]);
    assert!(listed.contains("0.01") && listed.contains("USDT") && listed.contains("seconds left"), "{listed}");
    let page = desk.text(None, &["proposals", "show", &id]);
    assert!(page.ends_with("its source says: \"an operator's order\""), "{page}");
    let second = desk.run(Some("anna"), &order("0.01", &[])).ended_with(0).json()["proposal"].to_string();
    desk.run(Some("ben"), &["proposals", "reject", &second, "--reason", "enough"]).ended_with(0);
    let list = desk.run(None, &["proposals", "list"]).ended_with(0).json();
    assert_eq!(list[0]["state"], "rejected");

    let limit = |value| ["limits", "set", "max_order_amount", value, "--portfolio", "operator"];
    let said = desk.text(Some("anna"), &limit("50"));
    assert!(said.starts_with("change ") && said.ends_with(": operator max_order_amount none -> 50 in force"), "{said}");
    desk.refuses(Some("anna"), &order("0.001", &[]), "GATE-07");
    let asked = desk.text(Some("anna"), &limit("5000"));
    let change = asked.rsplit(' ').next().unwrap().to_owned();
    let wanted =
        format!("operator max_order_amount 50 -> 5000 waits for another person: tradewind limits approve {change}");
    assert_eq!(asked, format!("change {change}: {wanted}"));
    let shown = desk.text(None, &["limits", "show"]);
    assert!(shown.contains("waits for another person") && !shown.contains('{'), "{shown}");
    desk.refuses(Some("anna"), &["limits", "approve", &change], "GOV-23");
    desk.run(Some("ben"), &["limits", "approve", &change]).ended_with(0);
    desk.run(Some("anna"), &order("0.001", &[])).ended_with(0);

    desk.run(Some("ben"), &["halt", "--scope", "venue:binance", "--reason", "outage"]).ended_with(0);
    desk.refuses(Some("anna"), &order("0.001", &[]), "GATE-01");
    let (seen, left) = (desk.text(None, &["status"]), desk.text(Some("anna"), &["resume"]));
    for part in ["venue:binance", "outage", "ben", "tradewind resume --scope venue:binance"] {
        assert!(seen.contains(part) && left.contains(part), "{part} is missing in\n{seen}\nor in\n{left}");
    }
    assert!(!left.contains("trading again"), "{left}");
    assert_eq!(desk.text(Some("anna"), &["resume", "--scope", "venue:binance"]), "trading again");
    desk.run(None, &["halt"]).ended_with(0); // anybody may stop it
    desk.refuses(None, &["resume"], "NODE-31");
    let waits = desk.text(Some("ben"), &["resume"]);
    assert!(waits.contains("waits for another person: tradewind limits approve"), "{waits}");
    desk.refuses(Some("anna"), &order("0.001", &[]), "GATE-01");
    assert_eq!(desk.text(Some("anna"), &["resume"]), "trading again"); // the second person says the same

    let data = desk.data();
    desk.refuses(None, &["stop"], "NODE-31");
    let other = desk.dir.path().join("anna.token");
    let forged = desk.run(None, &["stop", "--as", "ben", "--token-file", text(&other)]).ended_with(1);
    assert!(forged.err.contains("NODE-30"), "{}", forged.err);
    assert_eq!(desk.run(Some("ben"), &["stop"]).ended_with(0).json()["by"], "ben");
    desk.node.end().0.ended_with(0);
    desk.exchange.end();
    assert_eq!(tradewind(&["replay", text(&data), "-o", "json"]).ended_with(0).json()["matches"], true);
    let records = tradewind(&["journal", "show", text(&data), "-o", "json"]).ended_with(0).json();
    let is_end = |it: &Value| it.to_string().to_lowercase().contains("\"stopped\"");
    let end = records.as_array().unwrap().iter().rev().find(|it| is_end(it)).expect("the end of the run");
    assert_eq!(end["event"]["spoken"]["by"], "ben", "who ended it is on record: {end}");
    the_trail(&data);
}

/// The trail verifies, tells causes and effects, and names what was changed.
fn the_trail(data: &Path) {
    let verify = || tradewind(&["audit", "verify", text(data), "-o", "json"]);
    let report = verify().ended_with(0).json();
    assert_eq!((&report["verified"], &report["signed_to"]), (&true.into(), &report["records"]));
    let rows = tradewind(&["audit", "export", text(data)]).ended_with(0).out;
    let what = |line: &str| serde_json::from_str::<Value>(line).unwrap()["what"].as_str().unwrap().to_owned();
    let steps: Vec<String> = rows.lines().map(what).collect();
    for step in ["identity", "proposal", "approval", "verdict", "intent", "fill"] {
        assert!(steps.iter().any(|it| it == step), "{step}");
    }
    let csv = tradewind(&["audit", "export", text(data), "--csv"]).ended_with(0).out;
    assert_eq!(csv.lines().count(), rows.lines().count() + 1);
    assert!(!rows.contains("token of") && !csv.contains("token of"), "no token is in the trail");

    let checkpoints = data.join("audit/checkpoints.jsonl");
    let signed = std::fs::read(&checkpoints).unwrap();
    std::fs::write(&checkpoints, &signed[..signed.len() - 10]).unwrap(); // within the last line, however many there are
    let said = tradewind(&["audit", "verify", text(data)]).ended_with(3).out;
    assert!(said.starts_with("NODE-50: record ") && said.contains("is cut off and vouches for nothing"), "{said}");
    std::fs::write(&checkpoints, signed).unwrap();

    let segment = data.join("journal/00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let place = bytes.windows(4).position(|window| window == b"anna").unwrap();
    bytes[place] = b'h';
    std::fs::write(&segment, bytes).unwrap();
    let report = verify().ended_with(3).json();
    assert!(report["first_bad"].as_u64().is_some_and(|record| record > 0), "{report}");
    let said = tradewind(&["audit", "verify", text(data)]).ended_with(3).out;
    assert!(said.contains(&format!("record {} is the first bad one", report["first_bad"])), "{said}");
}
