//! Two persons, one node: approvals, limits, keys, kill switches and the signed trail, against the local exchange.

use crate::support::{Stage, ask, check_journal, exchange_config, settings, status, surroundings, until, words};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use tradewind_domain::Side::Buy;
use tradewind_domain::{Coded, Origin};
use tradewind_engine::{EventKind, Spoken};
use tradewind_exchange::{ExchangeConfig, Pace};
use tradewind_governance::{IdempotencyKey, Name, RequireDecision, Role};
use tradewind_journal::{DiskStorage, Journal, Options, Reader};
use tradewind_node::settings::{LimitSettings, OperatorSettings, Profile, Settings};
use tradewind_node::{
    DataDir, GovernRequest, KindWords, Node, OperatorReply, OperatorRequest, OrderWords, Signed, Token, TradeWords,
    audit, audit_chains, audit_statistics, request, retain, set_aside,
};

const ALL: [Role; 3] = [Role::Trader, Role::Approver, Role::Risk];

fn operator(name: &str, roles: &[Role]) -> OperatorSettings {
    let token_sha256 = hex::encode(Sha256::digest(token(name).as_bytes()));
    OperatorSettings { name: Name::new(name).unwrap(), token_sha256, roles: roles.iter().copied().collect() }
}

pub(crate) fn token(name: &str) -> String {
    format!("token of {name}")
}

pub(crate) fn signed(by: &str, key: Option<&str>, request: OperatorRequest) -> OperatorRequest {
    let (by, token, key) = (Some(by.to_owned()), Some(Token(token(by))), key.map(str::to_owned));
    OperatorRequest::Signed(Signed { by, token, key, decision: None, request: Box::new(request) })
}

pub(crate) async fn said(node: &Node, by: &str, request: OperatorRequest) -> Result<Value, (String, String)> {
    ask(node, signed(by, None, request)).await
}

/// Anna and Ben; whatever is worth 100 or more waits for the other.
pub(crate) fn two_persons(stage: &Stage) -> Settings {
    let mut settings = settings(&stage.exchange.url(), stage.dir.path(), &[]);
    settings.operators = vec![operator("anna", &ALL), operator("ben", &ALL)];
    settings.governance.approve_from = Some("100".parse().unwrap());
    settings
}

pub(crate) async fn start(settings: Settings) -> Node {
    Node::start(settings, surroundings(Origin::Simulated)).await.expect("the node starts")
}

async fn propose(node: &Node, by: &str, quantity: &str) -> (u64, String) {
    let order = OperatorRequest::OrderPlace(words(Buy, quantity, None));
    let held = said(node, by, order).await.expect("it waits");
    (held["proposal"].as_u64().expect("a proposal"), held["hash"].as_str().unwrap().to_owned())
}

fn approve(id: u64, hash: &str) -> OperatorRequest {
    OperatorRequest::Govern(GovernRequest::ProposalApprove { id, hash: hash.to_owned() })
}

async fn proposal(node: &Node, id: u64) -> Value {
    ask(node, OperatorRequest::Govern(GovernRequest::ProposalShow { id })).await.unwrap()
}

#[tokio::test]
async fn what_one_person_proposes_another_approves_and_the_venue_fills_once() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let (id, hash) = propose(&node, "anna", "0.01").await;
    let page = proposal(&node, id).await;
    assert_eq!((&page["state"], &page["order"]["quantity"]), (&"proposed".into(), &"0.01".into()));
    assert!(page["order"]["worth_now"].as_str().unwrap().ends_with("USDT"), "{page}");
    for (by, hash, code) in [("anna", hash.as_str(), "GOV-23"), ("ben", "another order's", "GOV-22")] {
        assert_eq!(said(&node, by, approve(id, hash)).await.unwrap_err().0, code);
    }
    assert_eq!(status(&node).await["counters"]["orders"], 0);
    let approved = said(&node, "ben", approve(id, &hash)).await.unwrap();
    assert_eq!(approved["approvals"], serde_json::json!(["ben"]));
    until(&node, "it filled", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    assert_eq!(proposal(&node, id).await["state"], "filled");
    assert_eq!(said(&node, "ben", approve(id, &hash)).await.unwrap_err().0, "GOV-20");
    assert_eq!(stage.venue_orders().await.len(), 1);
    // what is small goes at once, and who is not proven goes nowhere
    said(&node, "anna", OperatorRequest::OrderPlace(words(Buy, "0.001", None))).await.unwrap();
    let order = OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    assert_eq!(ask(&node, order.clone()).await.unwrap_err().0, "NODE-31");
    let OperatorRequest::Signed(mut forged) = signed("ben", None, order) else { unreachable!() };
    forged.by = Some("anna".to_owned());
    assert_eq!(ask(&node, OperatorRequest::Signed(forged)).await.unwrap_err().0, "NODE-30");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());

    let chain = audit_chains(stage.dir.path()).unwrap().remove(0);
    let steps: Vec<&str> = chain.iter().map(|step| step.what).collect();
    for step in ["identity", "proposal", "approval", "governance", "verdict", "intent", "sent", "accepted", "fill"] {
        assert!(steps.contains(&step), "{step} is not in {steps:?}");
    }
}

#[tokio::test]
async fn the_gate_judges_again_when_an_approval_comes() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let (id, hash) = propose(&node, "anna", "0.01").await;
    ask(&node, OperatorRequest::Halt { reason: "look".to_owned() }).await.unwrap();
    said(&node, "ben", approve(id, &hash)).await.unwrap();
    let page = proposal(&node, id).await;
    assert_eq!(page["state"], "rejected");
    assert!(page["note"].as_str().unwrap().contains("GATE-01"), "{page}");
    assert!(stage.venue_orders().await.is_empty());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_proposal_is_void_after_a_restart_and_still_listed() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let (id, hash) = propose(&node, "anna", "0.01").await;
    node.stop().await.unwrap();
    let node = start(two_persons(&stage)).await;
    let list = ask(&node, OperatorRequest::Govern(GovernRequest::ProposalList)).await.unwrap();
    assert_eq!((&list[0]["proposal"], &list[0]["state"]), (&id.into(), &"void".into()));
    assert_eq!(said(&node, "ben", approve(id, &hash)).await.unwrap_err().0, "GOV-21");
    assert!(stage.venue_orders().await.is_empty());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn an_approval_after_120_seconds_of_the_market_is_refused() {
    let stage = Stage::new(ExchangeConfig { pace: Pace::Realtime { speed: 240.0 }, ..exchange_config() }).await;
    let node = start(two_persons(&stage)).await;
    let back = propose(&node, "anna", "0.011").await.0;
    let word = GovernRequest::ProposalReject { id: back, reason: "smaller".to_owned(), changes: true };
    let sent_back = said(&node, "ben", OperatorRequest::Govern(word)).await.unwrap();
    assert_eq!((&sent_back["state"], &sent_back["seconds_left"]), (&"needs-changes".into(), &Value::Null));
    let (id, hash) = propose(&node, "anna", "0.01").await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while proposal(&node, id).await["state"] == "proposed" {
        assert!(std::time::Instant::now() < deadline, "it does not expire");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(said(&node, "ben", approve(id, &hash)).await.unwrap_err().0, "GOV-19");
    let seen = proposal(&node, back).await;
    assert_eq!(
        (&seen["state"], &seen["note"]),
        (&"needs-changes".into(), &"ben: smaller".into()),
        "no clock takes that away"
    );
    assert!(stage.venue_orders().await.is_empty());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_22_a_hundred_threads_approve_over_the_socket_and_one_order_comes_of_it() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.operators.extend((0..100).map(|n| operator(&format!("p{n}"), &[Role::Approver])));
    let node = start(settings).await;
    let (id, hash) = propose(&node, "anna", "0.01").await;
    let dir = stage.dir.path().to_owned();
    let yes = tokio::task::spawn_blocking(move || {
        std::thread::scope(|scope| {
            let spawn = |n: usize| {
                let (dir, hash) = (&dir, &hash);
                scope.spawn(move || request(dir, &signed(&format!("p{n}"), None, approve(id, hash))))
            };
            let threads: Vec<_> = (0..100).map(spawn).collect();
            let replies = threads.into_iter().map(|thread| thread.join().unwrap());
            let replies: Vec<_> = replies.collect();
            let yes = replies.iter().filter(|reply| matches!(reply, Ok(OperatorReply::Done { .. }))).count();
            (yes, format!("{:?}", replies.first()))
        })
    });
    let (yes, first) = yes.await.unwrap();
    assert_eq!(yes, 1, "one approval completes it, every other comes too late: {first}");
    until(&node, "it filled", |it| it["counters"]["fills"].as_u64() > Some(0)).await;
    assert_eq!((status(&node).await["counters"]["orders"].as_u64(), stage.venue_orders().await.len()), (Some(1), 1));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_key_gives_the_same_result_again_also_after_a_restart() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let place = |quantity: &str, key: &str| {
        let request = Box::new(OperatorRequest::OrderPlace(words(Buy, quantity, Some("50000"))));
        OperatorRequest::Signed(Signed { by: None, token: None, key: Some(key.to_owned()), decision: None, request })
    };
    let first = ask(&node, place("0.01", "monday")).await.unwrap();
    let again = ask(&node, place("0.01", "monday")).await.unwrap();
    assert_eq!(first["client_id"], again["client_id"]);
    assert_eq!(ask(&node, place("0.02", "monday")).await.unwrap_err().0, "GOV-32");
    let refused = ask(&node, place("0.000001", "dust")).await.unwrap_err();
    assert_eq!(ask(&node, place("0.000001", "dust")).await.unwrap_err(), refused);
    for key in ["", "a b", "\u{200B}"] {
        assert_eq!(ask(&node, place("0.01", key)).await.unwrap_err().0, "NODE-32");
    }
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    node.stop().await.unwrap();
    let node = stage.node().await.unwrap();
    let later = ask(&node, place("0.01", "monday")).await.unwrap();
    assert_eq!(first["client_id"], later["client_id"]);
    assert_eq!(stage.venue_orders().await.len(), 1);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_limit_goes_down_alone_and_up_by_two_and_outlives_a_restart() {
    let stage = Stage::new(exchange_config()).await;
    let set = |value: &str| {
        OperatorRequest::Govern(GovernRequest::LimitSet {
            name: "max_order_amount".to_owned(),
            value: value.to_owned(),
            portfolio: None,
            account: false,
            reason: "test".to_owned(),
        })
    };
    let node = stage.node().await.unwrap();
    ask(&node, set("300")).await.unwrap();
    assert_eq!(ask(&node, set("400")).await.unwrap_err().0, "GOV-28"); // one person alone
    for value in ["-1", "NaN", "1e9", "0"] {
        assert!(ask(&node, set(value)).await.is_err(), "{value}");
    }
    let big = OperatorRequest::OrderPlace(words(Buy, "0.01", None));
    assert_eq!(ask(&node, big.clone()).await.unwrap_err().0, "GATE-07");
    node.stop().await.unwrap();

    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    let node = start(settings).await;
    assert_eq!(said(&node, "anna", big.clone()).await.unwrap_err().0, "GATE-07"); // it outlived the restart
    let asked = said(&node, "anna", set("5000")).await.unwrap();
    let change = asked["changes"][0]["change"].as_u64().unwrap();
    let yes = OperatorRequest::Govern(GovernRequest::LimitAnswer { id: change, yes: true });
    assert_eq!(said(&node, "anna", yes.clone()).await.unwrap_err().0, "GOV-23");
    said(&node, "ben", yes).await.unwrap();
    said(&node, "anna", big).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_limit_of_the_account_goes_down_alone_and_up_by_two_and_outlives_a_restart() {
    let stage = Stage::new(exchange_config()).await;
    let set = |name: &str, value: &str, portfolio: Option<&str>| {
        let (name, value, portfolio) = (name.to_owned(), value.to_owned(), portfolio.map(str::to_owned));
        let reason = "test".to_owned();
        OperatorRequest::Govern(GovernRequest::LimitSet { name, value, portfolio, account: true, reason })
    };
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    let node = start(settings.clone()).await;
    let down = said(&node, "anna", set("hard_order_amount", "300", None)).await.unwrap();
    let change = &down["changes"][0];
    assert_eq!((&change["of"], &change["from"], &change["to"]), (&"account".into(), &"none".into(), &"300".into()));
    assert_eq!((&change["standing"], &change["by"]), (&"in force".into(), &"anna".into()));
    let big = OperatorRequest::OrderPlace(words(Buy, "0.01", None));
    let no = said(&node, "anna", big.clone()).await.unwrap_err();
    assert!(no.1.contains("300"), "{no:?}");
    for (name, value, portfolio) in
        [("gross", "-1%", None), ("gross", "80", None), ("max_order", "1%", None), ("gross", "80%", Some("operator"))]
    {
        assert_eq!(said(&node, "anna", set(name, value, portfolio)).await.unwrap_err().0, "NODE-34", "{name} {value}");
    }
    let nothing = said(&node, "anna", set("hard_order_amount", "300", None)).await.unwrap();
    assert_eq!(nothing["changes"], serde_json::json!([]));
    node.stop().await.unwrap();

    let node = start(settings).await;
    assert_eq!(said(&node, "anna", big.clone()).await.unwrap_err().0, no.0, "it outlived the restart");
    let asked = said(&node, "anna", set("hard_order_amount", "5000", None)).await.unwrap();
    assert_eq!(asked["changes"][0]["standing"], "waits for another person");
    let id = asked["changes"][0]["change"].as_u64().unwrap();
    let yes = OperatorRequest::Govern(GovernRequest::LimitAnswer { id, yes: true });
    assert_eq!(said(&node, "anna", yes.clone()).await.unwrap_err().0, "GOV-23");
    assert_eq!(said(&node, "anna", big.clone()).await.unwrap_err().0, no.0);
    let done = said(&node, "ben", yes).await.unwrap();
    assert_eq!(done["changes"][0]["standing"], "in force, approved by ben");
    said(&node, "anna", big).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn an_asset_enters_a_sector_at_once_and_leaves_it_by_two_also_by_an_edited_settings_file() {
    let stage = Stage::new(exchange_config()).await;
    let set = |asset: &str, sector: Option<&str>| {
        let (asset, sector) = (asset.to_owned(), sector.map(str::to_owned));
        OperatorRequest::Govern(GovernRequest::SectorSet { asset, sector, reason: "test".to_owned() })
    };
    let sectors = async |node: &Node| {
        let view = ask(node, OperatorRequest::Govern(GovernRequest::Limits)).await.unwrap();
        let changes = view["changes"].as_array().unwrap().iter().filter(|it| it["what"] == "sector");
        (view["sectors"].clone(), changes.cloned().collect::<Vec<_>>())
    };
    let named = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, s)| (a.to_string(), s.to_string())).collect();
    let yes = |id: &Value| {
        OperatorRequest::Govern(GovernRequest::LimitAnswer { id: id["change"].as_u64().unwrap(), yes: true })
    };
    let mut settings = two_persons(&stage);
    settings.limits.sectors = named(&[("BTC", "majors"), ("ETH", "majors")]);
    let node = start(settings.clone()).await;
    assert_eq!(sectors(&node).await.0, serde_json::json!({"BTC": "majors", "ETH": "majors"}));
    node.stop().await.unwrap();

    // edited: bitcoin moves, ether is in none, solana enters one
    settings.limits.sectors = named(&[("BTC", "other"), ("SOL", "alts")]);
    let node = start(settings.clone()).await;
    let (held, waiting) = sectors(&node).await;
    assert_eq!(held, serde_json::json!({"BTC": "majors", "ETH": "majors", "SOL": "alts"}), "what loosens waits");
    let asked: Vec<_> = waiting.iter().map(|it| (&it["limit"], &it["from"], &it["to"], &it["direction"])).collect();
    assert_eq!(asked.len(), 2, "{waiting:#?}");
    assert!(asked.iter().all(|it| it.3 == "looser"));
    node.stop().await.unwrap();
    let node = start(settings.clone()).await;
    let (held, waiting) = sectors(&node).await;
    assert_eq!(waiting.len(), 2, "asked once");
    assert_eq!(held["BTC"], "majors");
    let bitcoin = waiting.iter().find(|it| it["limit"] == "sector of BTC").unwrap();
    assert_eq!((&bitcoin["from"], &bitcoin["to"]), (&"majors".into(), &"other".into()));
    said(&node, "ben", yes(bitcoin)).await.unwrap();
    assert_eq!(sectors(&node).await.0["BTC"], "majors", "one of two has said yes");
    said(&node, "anna", yes(bitcoin)).await.unwrap();
    assert_eq!(sectors(&node).await.0["BTC"], "other");

    // by a person: into a sector at once, out of it by two
    let first = said(&node, "anna", set("ADA/USDT", Some("alts"))).await.unwrap();
    assert_eq!(first["changes"][0]["standing"], "in force");
    let out = said(&node, "anna", set("ADA", None)).await.unwrap();
    assert_eq!(out["changes"][0]["standing"], "waits for another person");
    assert_eq!(said(&node, "anna", yes(&out["changes"][0])).await.unwrap_err().0, "GOV-23");
    for (asset, sector) in
        [("", Some("alts")), ("ADA", Some("")), ("ADA", Some("two words")), ("A DA", None), ("ada", Some("alts"))]
    {
        assert_eq!(said(&node, "anna", set(asset, sector)).await.unwrap_err().0, "NODE-34", "{asset} {sector:?}");
    }
    assert_eq!(said(&node, "anna", set("ADA", Some("alts"))).await.unwrap()["changes"], serde_json::json!([]));
    node.stop().await.unwrap();
    let node = start(settings).await;
    let held = sectors(&node).await.0;
    assert_eq!((&held["ADA"], &held["BTC"], &held["ETH"]), (&"alts".into(), &"other".into(), &"majors".into()));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_target_and_a_stop_wait_together_and_go_out_together() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let seen = until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    let mark: f64 = seen["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    let pair = OperatorRequest::OrderOco(tradewind_node::OcoWords {
        symbol: "BTC/USDT".to_owned(),
        side: Buy,
        quantity: "0.01".to_owned(),
        target: format!("{:.2}", mark * 0.9),
        stop: format!("{:.2}", mark * 1.1),
        stop_limit: None,
        reduce_only: false,
        portfolio: None,
    });
    let held = said(&node, "anna", pair).await.unwrap();
    let (id, hash) = (held["proposal"].as_u64().unwrap(), held["hash"].as_str().unwrap().to_owned());
    let page = proposal(&node, id).await;
    let orders = [&page["order"], &page["other_order"]];
    assert!(
        orders.iter().any(|it| it["limit"].is_string()) && orders.iter().any(|it| it["trigger"].is_string()),
        "{page}"
    );
    assert!(page["expires_at"].as_str().unwrap().ends_with('Z'), "{page}");
    assert!(page["seconds_left"].as_i64().is_some_and(|left| (0..=120).contains(&left)), "{page}");
    assert_eq!(
        (said(&node, "anna", approve(id, &hash)).await.unwrap_err().0.as_str(), stage.venue_orders().await.len()),
        ("GOV-23", 0)
    );
    said(&node, "ben", approve(id, &hash)).await.unwrap();
    until(&node, "both rest", |it| it["open_orders"] == 2).await;
    while stage.open_orders().await.len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await; // on the way to the venue
    }
    let (page, venue) = (proposal(&node, id).await, stage.open_orders().await);
    assert_eq!((&page["state"], venue.len()), (&"submitted".into(), 2));
    for order in ["order_id", "other_order_id"] {
        assert!(venue.iter().any(|it| it["clientOrderId"] == page[order]), "{page}");
    }
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_halt_outlives_the_journal_and_is_cleared_by_a_person_of_risk() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let began = std::time::Instant::now();
    ask(&node, OperatorRequest::Halt { reason: "odd fills".to_owned() }).await.unwrap();
    eprintln!("halted, recorded, synced and latched in {:?}", began.elapsed());
    assert!(stage.dir.path().join("HALTED").exists());
    node.stop().await.unwrap();
    std::fs::remove_dir_all(DataDir::new(stage.dir.path()).journal()).unwrap(); // the whole journal is lost, not only its tail
    std::fs::remove_dir_all(stage.dir.path().join("audit")).unwrap();

    let mut settings = two_persons(&stage);
    settings.operators.push(operator("tina", &[Role::Trader]));
    let node = start(settings).await;
    assert_eq!(status(&node).await["halted"], "odd fills");
    let order = OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    assert_eq!(said(&node, "anna", order.clone()).await.unwrap_err().0, "GATE-01");
    let resume = OperatorRequest::Resume { reason: "explained".to_owned() };
    assert_eq!(said(&node, "tina", resume.clone()).await.unwrap_err().0, "GOV-25");
    for again in [false, true] {
        let asked = said(&node, "anna", resume.clone()).await.unwrap();
        assert_eq!(asked["changes"][0]["standing"], "waits for another person", "{again} {asked}");
        assert_eq!(asked["changes"][0]["from"], "halted: odd fills");
    }
    let changes = limits(&node).await["changes"].clone();
    assert_eq!(changes.as_array().unwrap().iter().filter(|it| it["what"] == "resume").count(), 1, "asked once");
    assert!(stage.dir.path().join("HALTED").exists(), "one person's word ends no halt where two could say it");
    assert_eq!(said(&node, "anna", order.clone()).await.unwrap_err().0, "GATE-01");
    let agreed = said(&node, "ben", resume).await.unwrap();
    assert_eq!(agreed["changes"][0]["standing"], "done, approved by ben");
    assert!(!stage.dir.path().join("HALTED").exists());
    said(&node, "anna", order).await.unwrap();

    let latch = |scope: &str| GovernRequest::Latch { scope: scope.to_owned(), reason: "outage".to_owned() };
    said(&node, "ben", OperatorRequest::Govern(latch("venue:binance"))).await.unwrap();
    let order = OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    assert_eq!(said(&node, "anna", order.clone()).await.unwrap_err().0, "GATE-01");
    let clear = GovernRequest::Clear { scope: "venue:binance".to_owned(), reason: "over".to_owned() };
    said(&node, "anna", OperatorRequest::Govern(clear)).await.unwrap();
    said(&node, "anna", order).await.unwrap();
    assert_eq!(said(&node, "anna", OperatorRequest::Govern(latch("moon"))).await.unwrap_err().0, "NODE-33");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_scoped_kill_switch_outlives_the_journal_too() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    said(&node, "ben", latch("venue:binance")).await.unwrap();
    node.stop().await.unwrap();
    set_aside(stage.dir.path()).unwrap().expect("as `paper` does where a market begins anew");
    let node = start(two_persons(&stage)).await;
    let order = OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    assert_eq!(said(&node, "anna", order.clone()).await.unwrap_err().0, "GATE-01");
    assert_eq!(said(&node, "ben", clear("venue:binance")).await.unwrap_err().0, "GOV-35", "it knows who threw it");
    said(&node, "anna", clear("venue:binance")).await.unwrap();
    assert!(!stage.dir.path().join("LATCHED").exists());
    said(&node, "anna", order).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

/// A data directory with a few records, stopped in order, in segments small enough to flip every byte of.
async fn small_trail(stage: &Stage) {
    let mut settings = settings(&stage.exchange.url(), stage.dir.path(), &[]);
    settings.journal.segment_bytes = 16_384;
    let node = start(settings).await;
    ask(&node, OperatorRequest::OrderPlace(words(Buy, "0.01", Some("50000")))).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    node.stop().await.unwrap();
}

/// Flips a bit of every `lanes`-th byte of a copy of `dir`, from `lane` on: none goes unnoticed.
fn flip_every_byte(dir: &Path, lane: usize, lanes: usize) {
    let copy = tempfile::TempDir::new().unwrap();
    copy_dir(&DataDir::new(dir).journal(), &DataDir::new(copy.path()).journal());
    copy_dir(&dir.join("audit"), &copy.path().join("audit"));
    let segments = std::fs::read_dir(DataDir::new(copy.path()).journal()).unwrap().map(|entry| entry.unwrap().path());
    for path in segments.filter(|path| path.extension().is_some_and(|it| it == "seg")) {
        let sound = std::fs::read(&path).unwrap();
        let end = sound.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in (lane..end).step_by(lanes) {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).unwrap();
            let found = audit(copy.path(), None, None);
            // a byte that makes a record one of a newer version is an error, which is no less a no
            assert!(found.as_ref().map_or(true, |it| !it.verified && it.first_bad.is_some()), "byte {at}: {found:?}");
        }
        std::fs::write(&path, &sound).unwrap();
    }
    assert_eq!(verdict(copy.path()), (true, None));
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn verdict(dir: &Path) -> (bool, Option<u64>) {
    match audit(dir, None, None) {
        Ok(report) => (report.verified, report.first_bad),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn every_changed_byte_and_every_removed_record_is_named() {
    let stage = Stage::new(exchange_config()).await;
    small_trail(&stage).await;
    let dir = stage.dir.path();
    let report = audit(dir, None, None).unwrap();
    assert!(report.verified && report.signed_to == report.records && report.checkpoints > 0, "{report:?}");

    let lanes = 24; // a damaged end may be one that is just being written, and is waited for: side by side
    std::thread::scope(|scope| {
        for lane in 0..lanes {
            scope.spawn(move || flip_every_byte(dir, lane, lanes));
        }
    });
    assert_eq!(verdict(dir), (true, None));

    // somebody who writes the whole journal anew, chain and all, leaves the record out that they regret
    let mut records = Vec::new();
    let mut reader = Reader::open(DataDir::new(dir).journal(), 1).unwrap();
    while let Some(record) = reader.next().unwrap() {
        records.push(record.payload.to_vec());
    }
    for gone in 0..records.len() {
        let rewritten = tempfile::TempDir::new().unwrap();
        let (mut journal, _) = Journal::<DiskStorage>::open(
            DataDir::new(rewritten.path()).journal(),
            Options { segment_bytes: 16_384, first_segment_bytes: 16_384, prepare_in_background: false },
        )
        .unwrap();
        for (_, payload) in records.iter().enumerate().filter(|(place, _)| *place != gone) {
            journal.append(payload).unwrap();
        }
        journal.sync().unwrap();
        drop(journal);
        let trail = rewritten.path().join("audit");
        std::fs::create_dir(&trail).unwrap();
        for name in ["checkpoints.jsonl", "key.pub"] {
            std::fs::copy(dir.join("audit").join(name), trail.join(name)).unwrap();
        }
        let named = gone as u64 + 1;
        assert_eq!(verdict(rewritten.path()), (false, Some(named)));
    }
}

#[tokio::test]
async fn a_restored_backup_of_the_journal_is_noticed_at_start() {
    let stage = Stage::new(exchange_config()).await;
    small_trail(&stage).await;
    let backup = tempfile::TempDir::new().unwrap();
    copy_dir(&DataDir::new(stage.dir.path()).journal(), backup.path());
    small_trail(&stage).await; // another day of trading
    let anchor = stage.dir.path().join("anchor.jsonl");
    std::fs::copy(stage.dir.path().join("audit/checkpoints.jsonl"), &anchor).unwrap();
    std::fs::remove_dir_all(DataDir::new(stage.dir.path()).journal()).unwrap();
    copy_dir(backup.path(), &DataDir::new(stage.dir.path()).journal());
    let report = audit(stage.dir.path(), None, None).unwrap();
    assert!(!report.verified && report.flaw.as_deref() == Some("Truncated"), "{report:?}");

    let node = stage.node().await.unwrap();
    let halted = status(&node).await["halted"].as_str().unwrap().to_owned();
    assert!(halted.contains("rolled back"), "{halted}");
    node.stop().await.unwrap();
    let report = audit(stage.dir.path(), None, Some(&anchor)).unwrap();
    assert!(!report.verified, "the anchor still knows of the other history: {report:?}");
}

#[tokio::test]
async fn what_retention_removes_is_signed_for_and_what_is_taken_otherwise_is_named() {
    let stage = Stage::new(exchange_config()).await;
    for _ in 0..4 {
        small_trail(&stage).await; // more than one segment before the last stop, and a snapshot of each
    }
    let (dir, anna) = (stage.dir.path(), Name::new("anna").unwrap());
    let before = audit(dir, None, None).unwrap();
    assert!(before.verified && before.first == 1 && before.removed.is_empty(), "{before:?}");
    let taken = tempfile::TempDir::new().unwrap();
    for part in ["journal", "audit"] {
        copy_dir(&dir.join(part), &taken.path().join(part));
    }

    // without its key nothing is signed, and nothing goes
    let key = dir.join("audit/key");
    std::fs::rename(&key, dir.join("key-elsewhere")).unwrap();
    assert_eq!(retain(dir, None, &anna).unwrap_err().code(), "NODE-35");
    assert_eq!(audit(dir, None, None).unwrap(), before);
    let retained = retain(dir, Some(&dir.join("key-elsewhere")), &anna).unwrap();
    assert!(retained.oldest_seq > 1, "{retained:?}");
    let after = audit(dir, None, None).unwrap();
    let told = &after.removed[0];
    assert!(after.verified && after.first == retained.oldest_seq, "{after:?}");
    assert_eq!((told.from, told.to, told.by.as_str()), (1, retained.oldest_seq - 1, "anna"));
    assert_eq!(retain(dir, None, &anna).unwrap().oldest_seq, retained.oldest_seq, "nothing more goes, nobody signs");
    std::fs::rename(dir.join("key-elsewhere"), &key).unwrap();

    // the same files, taken without a word
    let (mut journal, _) =
        Journal::<DiskStorage>::open(DataDir::new(taken.path()).journal(), Options::default()).unwrap();
    journal.retain_from_snapshot().unwrap();
    drop(journal);
    let report = audit(taken.path(), None, None).unwrap();
    assert_eq!((report.verified, report.first_bad, report.flaw.as_deref()), (false, Some(1), Some("Removed")));

    // a node goes on from what is left, and the next removal follows the first
    for _ in 0..3 {
        small_trail(&stage).await;
    }
    let again = retain(dir, None, &anna).unwrap();
    assert!(again.oldest_seq > retained.oldest_seq);
    let report = audit(dir, None, None).unwrap();
    assert!(report.verified && report.removed.len() == 2, "{report:?}");
    // somebody who drops the first statement, or reads more into the second
    let path = dir.join("audit/removals.jsonl");
    let lines = std::fs::read_to_string(&path).unwrap();
    for forged in [
        lines.lines().nth(1).map(|line| format!("{line}\n")).unwrap(),
        lines.replacen(&format!("\"to\":{}", again.oldest_seq - 1), &format!("\"to\":{}", again.oldest_seq), 1),
        lines.replacen("\"anna\"", "\"ben\"", 1),
        String::new(),
    ] {
        std::fs::write(&path, forged).unwrap();
        let report = audit(dir, None, None).unwrap();
        assert!(!report.verified && report.removed.is_empty(), "{report:?}");
    }
    std::fs::write(&path, lines).unwrap();
    assert!(audit(dir, None, None).unwrap().verified);
    check_journal(dir);
}

#[tokio::test]
async fn the_signing_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new(exchange_config()).await;
    small_trail(&stage).await;
    let key = stage.dir.path().join("audit/key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = stage.node().await.err().expect("a key that others can read signs nothing");
    assert!(error.to_string().contains("others can read it"), "{error}");
}

#[tokio::test]
async fn an_order_names_its_decision_from_the_request_to_the_exported_trail() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.require_decision = RequireDecision::All;
    let node = start(settings).await;
    let order = || OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    let place = |decision: &str, key: Option<&str>, request| {
        let OperatorRequest::Signed(signed) = signed("anna", key, request) else { unreachable!() };
        OperatorRequest::Signed(Signed { decision: Some(decision.to_owned()), ..signed })
    };
    assert_eq!(said(&node, "anna", order()).await.unwrap_err().0, "GOV-38");
    for unfit in ["", "two words", "\u{202E}7-aedi", &"x".repeat(65)] {
        assert_eq!(ask(&node, place(unfit, None, order())).await.unwrap_err().0, "NODE-42", "{unfit}");
    }
    assert_eq!(ask(&node, place("idea-7", None, OperatorRequest::Status)).await.unwrap_err().0, "NODE-42");
    let placed = ask(&node, place("idea-7", Some("monday"), order())).await.unwrap();
    assert_eq!((&placed["decision_id"], placed["decision"].is_u64()), (&"idea-7".into(), true), "{placed}");
    let again = ask(&node, place("idea-7", Some("monday"), order())).await.unwrap();
    assert_eq!(placed["client_id"], again["client_id"]);
    assert_eq!(ask(&node, place("idea-8", Some("monday"), order())).await.unwrap_err().0, "GOV-32");
    until(&node, "it filled", |it| it["counters"]["fills"].as_u64() > Some(0)).await;
    let status = status(&node).await;
    assert_eq!((&status["counters"]["orders"], &status["orders_without_decision"]), (&1.into(), &0.into()));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());

    let chain = audit_chains(stage.dir.path()).unwrap().remove(0);
    let steps: Vec<&str> = chain.iter().map(|step| step.what).collect();
    assert_eq!(steps[..4], ["decision", "identity", "identity", "proposal"], "{steps:?}");
    assert!(chain[0].text.contains("idea-7"), "{}", chain[0].text);
    assert_eq!(Some(chain[0].sequence), placed["decision"].as_u64());
}

#[tokio::test]
async fn the_last_verdicts_are_counted_while_a_node_runs_and_after_a_restart() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    let node = start(settings.clone()).await;
    let place = |quantity: &str| OperatorRequest::OrderPlace(words(Buy, quantity, None));
    said(&node, "anna", place("0.001")).await.unwrap();
    let large = said(&node, "ben", place("100")).await.unwrap_err().0;
    assert_eq!(said(&node, "anna", place("100")).await.unwrap_err().0, large);
    let found = audit_statistics(stage.dir.path()).unwrap();
    let counters = status(&node).await["counters"].clone();
    assert_eq!((counters["orders"].as_u64(), counters["veto"].as_u64()), (Some(1), Some(2)));
    let all = &found.all;
    assert_eq!((all.judged, all.passed, all.blocked, all.without_decision), (3, 1, 2, 1));
    assert_eq!((all.by_guard[0].code.as_str(), all.by_guard[0].blocked), (large.as_str(), 2));
    let sources: Vec<_> = all.by_source.iter().map(|it| (it.source.as_str(), it.judged, it.blocked)).collect();
    assert_eq!(sources, [("anna", 2, 1), ("ben", 1, 1)]);
    assert_eq!(found.portfolios.iter().map(|it| (it.of.as_str(), it.judged)).collect::<Vec<_>>(), [("operator", 3)]);
    node.stop().await.unwrap();
    assert_eq!(audit_statistics(stage.dir.path()).unwrap(), found, "a node that is down is asked as well");
    let node = start(settings).await;
    said(&node, "anna", place("100")).await.unwrap_err();
    let later = audit_statistics(stage.dir.path()).unwrap().all;
    assert_eq!((later.judged, later.blocked), (4, 3), "a restart begins no new count");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

fn latch(scope: &str) -> OperatorRequest {
    OperatorRequest::Govern(GovernRequest::Latch { scope: scope.to_owned(), reason: "odd".to_owned() })
}

fn clear(scope: &str) -> OperatorRequest {
    OperatorRequest::Govern(GovernRequest::Clear { scope: scope.to_owned(), reason: "explained".to_owned() })
}

fn limit_set(name: &str, value: &str) -> OperatorRequest {
    let (name, value, reason) = (name.to_owned(), value.to_owned(), "test".to_owned());
    OperatorRequest::Govern(GovernRequest::LimitSet { name, value, portfolio: None, account: false, reason })
}

fn answer(id: &Value, yes: bool) -> OperatorRequest {
    OperatorRequest::Govern(GovernRequest::LimitAnswer { id: id.as_u64().unwrap(), yes })
}

async fn limits(node: &Node) -> Value {
    ask(node, OperatorRequest::Govern(GovernRequest::Limits)).await.unwrap()
}

#[tokio::test]
async fn a_request_carries_its_person_and_its_key_in_its_own_record() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    let node = start(settings).await;
    let order = OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    ask(&node, signed("ben", Some("monday"), order)).await.unwrap();
    node.stop().await.unwrap();
    let asked = tradewind_node::events(stage.dir.path()).unwrap();
    let asked = asked.filter(|event| matches!(event.kind, EventKind::Proposed(_)));
    let spoken: Vec<Spoken> = asked.map(|event| *event.spoken.expect("it names its person")).collect();
    let ben = Name::new("ben").unwrap();
    assert_eq!(spoken, [Spoken { key: IdempotencyKey::new(&ben, "monday"), by: Some(ben) }]);
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn an_operator_called_operator_lets_nobody_in_without_a_token() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.operators[0] = operator("operator", &ALL); // as no settings file can say: the name is reserved
    let node = start(settings).await;
    ask(&node, OperatorRequest::Halt { reason: "look".to_owned() }).await.unwrap();
    for request in [
        OperatorRequest::Resume { reason: "let me in".to_owned() },
        limit_set("max_order_amount", "1"),
        latch("venue:binance"),
        OperatorRequest::OrderPlace(words(Buy, "0.001", None)),
        OperatorRequest::Flatten,
    ] {
        assert_eq!(ask(&node, request.clone()).await.unwrap_err().0, "NODE-31", "{request:?}");
    }
    said(&node, "operator", OperatorRequest::Resume { reason: "with a token".to_owned() }).await.unwrap();
    node.stop().await.unwrap();
}

#[tokio::test]
async fn a_kill_switch_over_what_is_not_here_is_refused_and_one_over_a_person_stops_it() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    let node = start(settings).await;
    for scope in ["source:carl", "venue:binnance", "account:7", "source:strategy-9", "source:agent-0"] {
        let (code, message) = said(&node, "anna", latch(scope)).await.unwrap_err();
        assert_eq!(code, "NODE-49", "{scope}");
        assert!(message.contains("venue:binance") && message.contains("source:anna"), "{message}");
    }
    let order = || OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    said(&node, "ben", latch("source:anna")).await.unwrap();
    assert_eq!(said(&node, "anna", order()).await.unwrap_err().0, "GATE-01");
    said(&node, "ben", order()).await.unwrap();
    // whoever threw it does not clear it alone where there are two
    assert_eq!(said(&node, "ben", clear("source:anna")).await.unwrap_err().0, "GOV-35");
    assert_eq!(said(&node, "anna", order()).await.unwrap_err().0, "GATE-01");
    said(&node, "anna", clear("source:anna")).await.unwrap();
    said(&node, "anna", order()).await.unwrap();
    for scope in ["account:0", "venue:binance", "source:operator"] {
        said(&node, "anna", latch(scope)).await.unwrap();
        assert_eq!(said(&node, "ben", order()).await.unwrap_err().0, "GATE-01", "{scope}");
        said(&node, "ben", clear(scope)).await.unwrap();
    }
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn every_exit_is_its_persons_who_needs_no_role_to_trade_for_it() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    settings.operators[1].roles = [Role::Approver, Role::Risk].into();
    let node = start(settings).await;
    let order = || OperatorRequest::OrderPlace(words(Buy, "0.01", None));
    assert_eq!(said(&node, "ben", order()).await.unwrap_err().0, "GOV-02");
    said(&node, "anna", order()).await.unwrap();
    until(&node, "it filled", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    // a resting order keeps the exit back until it is gone; anna speaks meanwhile
    said(&node, "anna", OperatorRequest::OrderPlace(words(Buy, "0.001", Some("50000")))).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    let flat = said(&node, "ben", OperatorRequest::Flatten).await.unwrap();
    assert_eq!(flat["exits_after_cancels"], 1, "{flat}");
    let list =
        OperatorRequest::PositionExempt { symbol: "X/Y".into(), portfolio: None, reason: "x".into(), end: false };
    assert_eq!(said(&node, "anna", list).await.unwrap_err().0, "NODE-01");
    until(&node, "it is flat", |it| it["counters"]["orders"] == 3 && it["open_orders"] == 0).await;
    said(&node, "anna", order()).await.unwrap();
    until(&node, "it is held", |it| it["counters"]["fills"].as_u64() > Some(1) && it["open_orders"] == 0).await;
    said(&node, "ben", OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() }).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    let asked = tradewind_node::events(stage.dir.path()).unwrap();
    let asked = asked.filter(|event| matches!(event.kind, EventKind::Proposed(_)));
    let by: Vec<String> = asked.map(|it| it.spoken.unwrap().by.unwrap().to_string()).collect();
    assert_eq!(by, ["ben", "anna", "anna", "ben", "anna", "ben"]);
    let tally = audit_statistics(stage.dir.path()).unwrap().all.by_source;
    let sources: Vec<_> = tally.iter().map(|it| (it.source.as_str(), it.judged)).collect();
    assert_eq!(sources, [("anna", 3), ("ben", 3)]);
}

#[tokio::test]
async fn a_limit_above_all_of_the_equity_is_put_back_by_two() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    said(&node, "anna", limit_set("max_order", "100%")).await.unwrap();
    let asked = said(&node, "anna", limit_set("max_order", "150%")).await.unwrap();
    let done = said(&node, "ben", answer(&asked["changes"][0]["change"], true)).await.unwrap();
    assert_eq!(
        (&done["changes"][0]["new"], &done["changes"][0]["standing"]),
        (&15_000.into(), &"in force, approved by ben".into())
    );
    for value in ["0%", "-1%", "5", "99999999999%", "NaN%"] {
        assert_eq!(said(&node, "anna", limit_set("max_order", value)).await.unwrap_err().0, "NODE-34", "{value}");
    }
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn of_a_limit_changed_at_run_time_and_in_the_settings_the_tighter_one_counts_and_that_is_said() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    let daily_loss = async |node: &Node| limits(node).await["portfolios"][0]["limits"]["daily_loss_bps"].clone();
    let told = |status: &Value| status["notices"].to_string().contains("settings are tighter");
    settings.limits = settings.limits.with("daily_loss", 500);
    let node = start(settings.clone()).await;
    said(&node, "anna", limit_set("daily_loss", "2.9%")).await.unwrap();
    node.stop().await.unwrap();
    let node = start(settings.clone()).await;
    assert_eq!(daily_loss(&node).await, 290, "a tighter limit outlives a restart");
    assert!(!told(&status(&node).await));
    node.stop().await.unwrap();
    settings.limits = settings.limits.with("daily_loss", 100);
    let node = start(settings.clone()).await;
    assert_eq!(daily_loss(&node).await, 100);
    assert!(told(&status(&node).await), "{}", status(&node).await["notices"]);
    node.stop().await.unwrap();
    settings.limits = settings.limits.with("daily_loss", 400);
    let node = start(settings).await;
    assert_eq!(daily_loss(&node).await, 100, "back to what was set at run time takes two");
    let view = limits(&node).await;
    let waits = view["changes"].as_array().unwrap().iter().find(|it| it["state"]["state"] == "asked").unwrap();
    assert_eq!((&waits["new"], &waits["standing"]), (&290.into(), &"waits for two persons".into()));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn what_two_agreed_to_raise_outlives_a_restart_until_the_settings_are_tightened() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.limits = settings.limits.with("daily_loss", 300).with("gross", 5_000);
    let raised = async |settings: &Settings| {
        let node = start(settings.clone()).await;
        let view = limits(&node).await;
        node.stop().await.unwrap();
        let gross = view["limits"].as_array().unwrap().iter().find(|row| row["name"] == "gross").unwrap().clone();
        let standing = |change: &Value| change["standing"].as_str().unwrap().to_owned();
        let standings: Vec<String> = view["changes"].as_array().unwrap().iter().map(standing).collect();
        let waits = standings.iter().filter(|it| it.starts_with("waits")).count();
        let held = standings.iter().filter(|it| *it == "in force, approved by ben").count();
        (view["portfolios"][0]["limits"]["daily_loss_bps"].clone(), gross["value"].clone(), held, waits)
    };
    let node = start(settings.clone()).await;
    for (asked, at_all) in [("4%", false), ("8%", false), ("60%", true)] {
        let name = if at_all { "gross" } else { "daily_loss" };
        let set = GovernRequest::LimitSet {
            name: name.to_owned(),
            value: asked.to_owned(),
            portfolio: None,
            account: at_all,
            reason: "agreed".to_owned(),
        };
        let said_so = said(&node, "anna", OperatorRequest::Govern(set)).await.unwrap();
        for change in said_so["changes"].as_array().unwrap() {
            said(&node, "ben", answer(&change["change"], true)).await.unwrap();
        }
    }
    node.stop().await.unwrap();
    let held = raised(&settings).await;
    assert_eq!((&held.0, &held.1, held.3), (&800.into(), &"60 %".into(), 0), "as agreed, over the settings");
    assert!(held.2 >= 2, "{held:?}: who agreed is told");
    // another value in the settings is another word: the tighter of both counts
    settings.limits = settings.limits.with("daily_loss", 500).with("gross", 5_500);
    let after = raised(&settings).await;
    assert_eq!((&after.0, &after.1, after.2), (&500.into(), &"55 %".into(), 0), "{after:?}");
    settings.limits = settings.limits.with("daily_loss", 300).with("gross", 5_000);
    assert_eq!(raised(&settings).await.0, 300, "what was once over does not come back");
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn whoever_halted_does_not_resume_alone_and_what_was_agreed_to_ends_no_other_halt() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let resume = || OperatorRequest::Resume { reason: "looked at".to_owned() };
    let halt = |reason: &str| OperatorRequest::Halt { reason: reason.to_owned() };
    said(&node, "anna", halt("odd fills")).await.unwrap();
    let first = said(&node, "anna", resume()).await.unwrap()["changes"][0]["change"].clone();
    said(&node, "ben", halt("and odd prices")).await.unwrap();
    assert_eq!(said(&node, "ben", answer(&first, true)).await.unwrap_err().0, "GOV-31", "that is another halt");
    let second = said(&node, "anna", resume()).await.unwrap()["changes"][0]["change"].clone();
    assert_ne!(first, second);
    assert_eq!(said(&node, "anna", answer(&second, true)).await.unwrap_err().0, "GOV-23");
    node.stop().await.unwrap();
    let node = start(two_persons(&stage)).await; // a restart forgets neither the halt nor who asked
    assert_eq!(status(&node).await["halted"], "and odd prices");
    said(&node, "ben", answer(&second, true)).await.unwrap();
    assert!(status(&node).await["halted"].is_null());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    // where one person alone has the role, that person's reason is enough
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.operators[1] = operator("ben", &[Role::Trader]);
    let node = start(settings).await;
    said(&node, "ben", halt("odd fills")).await.unwrap();
    assert_eq!(said(&node, "ben", resume()).await.unwrap_err().0, "GOV-25");
    said(&node, "anna", resume()).await.unwrap();
    assert!(status(&node).await["halted"].is_null());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn an_edited_list_of_persons_counts_once_two_of_those_on_record_agree() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    settings.limits = settings.limits.with("max_order", 100);
    let node = start(settings.clone()).await;
    node.stop().await.unwrap();

    // one edit drops ben, names carl and loosens a limit
    settings.operators[1] = operator("carl", &ALL);
    settings.limits = settings.limits.with("max_order", 5_000);
    let max_order = async |node: &Node| limits(node).await["portfolios"][0]["limits"]["max_order.equity_bps"].clone();
    let pending = async |node: &Node, what: &str| {
        let view = limits(node).await;
        let changes = view["changes"].as_array().unwrap().clone();
        changes.into_iter().filter(|it| it["what"] == what && it["state"]["state"] == "asked").collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let node = start(settings.clone()).await;
        assert_eq!(max_order(&node).await, 100);
        assert_eq!(
            (pending(&node, "operators").await.len(), pending(&node, "limit").await.len()),
            (1, 1),
            "asked once"
        );
        assert!(status(&node).await["notices"].to_string().contains("other operators than those on record"));
        node.stop().await.unwrap();
    }
    let node = start(settings.clone()).await;
    let persons = pending(&node, "operators").await.remove(0);
    assert_eq!((&persons["by"], &persons["reason"]), (&"system".into(), &"the settings at start".into()));
    assert!(persons["from"].as_str().unwrap().contains("ben (") && persons["to"].as_str().unwrap().contains("carl ("));
    let id = &persons["change"];
    assert_eq!(said(&node, "carl", answer(id, true)).await.unwrap_err().0, "NODE-30", "he does not count yet");
    said(&node, "anna", answer(id, true)).await.unwrap();
    assert_eq!(said(&node, "anna", answer(id, true)).await.unwrap_err().0, "GOV-23");
    assert_eq!(said(&node, "carl", answer(id, true)).await.unwrap_err().0, "NODE-30");
    said(&node, "ben", answer(id, true)).await.unwrap();
    assert_eq!(said(&node, "ben", limit_set("max_order", "0.5%")).await.unwrap_err().0, "NODE-30", "he counts no more");
    let limit = &pending(&node, "limit").await[0]["change"];
    said(&node, "carl", answer(limit, true)).await.unwrap();
    assert_eq!(max_order(&node).await, 100);
    said(&node, "anna", answer(limit, true)).await.unwrap();
    assert_eq!(max_order(&node).await, 5_000);
    node.stop().await.unwrap();
    // another token is another person
    settings.operators[0].token_sha256 = hex::encode(Sha256::digest(b"carl's second"));
    let node = start(settings).await;
    assert_eq!(pending(&node, "operators").await[0]["other_tokens"], serde_json::json!(["anna"]));
    said(&node, "anna", limit_set("max_order", "1%")).await.expect("by the token on record");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn signatures_that_are_gone_are_named() {
    let stage = Stage::new(exchange_config()).await;
    small_trail(&stage).await;
    let dir = stage.dir.path();
    let sound = audit(dir, None, None).unwrap();
    assert!(sound.verified && sound.finding.is_none());
    let (path, public) = (dir.join("audit/checkpoints.jsonl"), dir.join("audit/key.pub"));
    let (lines, key) = (std::fs::read_to_string(&path).unwrap(), std::fs::read_to_string(&public).unwrap());
    let check = |given: Option<&str>, first: u64| {
        let report = audit(dir, given, None).unwrap();
        assert_eq!(
            (report.verified, report.first_bad, report.code),
            (false, Some(first), Some("NODE-50")),
            "{report:?}"
        );
        assert!(report.hint.is_some());
        report.finding.is_some()
    };
    std::fs::remove_file(&path).unwrap();
    assert!(!check(None, 1));
    std::fs::write(&path, "").unwrap();
    assert!(!check(None, 1));
    std::fs::remove_file(&public).unwrap();
    assert!(!check(Some(key.trim()), 1), "whoever knows a key knows that something was signed");
    std::fs::write(&public, &key).unwrap();
    let first_line = lines.lines().next().unwrap();
    std::fs::write(&path, first_line).unwrap();
    assert!(check(None, 1), "half a line is said");
    // the end of a run that ended in order is signed
    small_trail(&stage).await;
    let lines = std::fs::read_to_string(&path).unwrap();
    let whole: Vec<&str> = lines.lines().collect();
    let signed: u64 = audit(dir, None, None).unwrap().signed_to;
    let cut = whole[..whole.len() - 1].iter().map(|line| format!("{line}\n")).collect::<String>();
    std::fs::write(&path, &cut).unwrap();
    let report = audit(dir, None, None).unwrap();
    assert_eq!((report.verified, report.code), (false, Some("NODE-50")), "{report:?}");
    assert!(report.first_bad.is_some_and(|first| first <= signed), "{report:?}");
    std::fs::write(&path, &lines).unwrap();
    small_trail(&stage).await; // which finds that something is signed, and says so in the journal
    // whoever takes all that was signed, and the key, leaves the journal's own word that it was
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(&public).unwrap();
    assert!(!check(None, 1));
}

#[tokio::test]
async fn an_approver_sees_everything_that_the_hash_binds_and_the_worst_of_it() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.limits = LimitSettings::of(Profile::Demo);
    let node = start(settings).await;
    let seen = until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    let mark: f64 = seen["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    let at = |part: f64| format!("{:.0}", mark * part); // a whole number is written as it is read
    let page = async |words: OrderWords, decision: Option<&str>| {
        let OperatorRequest::Signed(mut asked) = signed("anna", None, OperatorRequest::OrderPlace(words)) else {
            unreachable!()
        };
        asked.decision = decision.map(str::to_owned);
        let held = ask(&node, OperatorRequest::Signed(asked)).await.unwrap();
        proposal(&node, held["proposal"].as_u64().expect("it waits")).await
    };
    let worth = |view: &Value| view["worth_now"].as_str().unwrap().split(' ').next().unwrap().parse::<f64>().unwrap();

    let said = TradeWords {
        stop: Some(at(0.98)),
        target: Some(at(1.04)),
        confidence: Some("80%".to_owned()),
        regime: Some("with-trend".to_owned()),
        atr: Some("250".to_owned()),
    };
    let market = OrderWords { plan: Some(Box::new(said)), ..words(Buy, "0.01", None) };
    let shown = page(market, Some("idea-7")).await;
    let trade = &shown["trade"];
    assert_eq!((&trade["stop"], &trade["target"]), (&at(0.98).into(), &at(1.04).into()), "{shown}");
    assert_eq!((&trade["confidence"], &trade["regime"]), (&"80 %".into(), &"with-trend".into()));
    assert_eq!((&trade["atr"], &shown["decision_id"]), (&"250".into(), &"idea-7".into()));
    assert_eq!((&shown["portfolio"], &shown["order"]["order_type"]), (&"operator".into(), &"market".into()));
    let bound: f64 = shown["order"]["worst"].as_str().expect("a worst price").parse().unwrap();
    assert!(bound > mark, "{shown}");
    assert!((worth(&shown) - bound * 0.01).abs() < 0.01, "{shown}");

    let gone = OrderWords { time_in_force: Some("ioc".to_owned()), ..words(Buy, "0.01", Some(&at(1.02))) };
    let shown = page(gone, None).await;
    assert_eq!((&shown["order"]["time_in_force"], &shown["order"]["worst"]), (&"ioc".into(), &Value::Null));
    assert!((worth(&shown) - mark * 1.02 * 0.01).abs() < 5.0, "its own price is beyond the mark: {shown}");
    let far = OrderWords { post_only: true, ..words(Buy, "0.01", Some(&at(0.9))) };
    let shown = page(far, None).await;
    assert_eq!((&shown["order"]["post_only"], &shown["order"]["limit"]), (&true.into(), &at(0.9).into()));
    assert!((worth(&shown) - mark * 0.01).abs() < 5.0, "the gate takes the mark, which is larger: {shown}");

    let kind = Some(KindWords::Trailing { offset: "2%".to_owned(), activation: Some(at(0.97)) });
    let shown = page(OrderWords { kind, ..words(Buy, "0.01", None) }, None).await;
    let order = &shown["order"];
    assert_eq!((&order["offset"], &order["activation"]), (&"2 %".into(), &at(0.97).into()), "{shown}");

    let pair = OperatorRequest::OrderOco(tradewind_node::OcoWords {
        symbol: "BTC/USDT".to_owned(),
        side: Buy,
        quantity: "0.01".to_owned(),
        target: at(0.9),
        stop: at(1.1),
        stop_limit: None,
        reduce_only: false,
        portfolio: None,
    });
    let shown = self::said(&node, "anna", pair).await.unwrap();
    assert!((worth(&shown) - mark * 1.1 * 0.01).abs() < 5.0, "the larger of the two: {shown}");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn one_person_cannot_flood_those_who_approve() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let place = |lots: usize| OperatorRequest::OrderPlace(words(Buy, &format!("0.01{lots:03}"), Some("50000")));
    let first = said(&node, "anna", place(0)).await.unwrap();
    let (code, why) = said(&node, "anna", place(0)).await.unwrap_err();
    assert!(code == "GOV-40" && why.contains(&format!("proposal {}", first["proposal"])), "{code}: {why}");
    for lots in 1..20 {
        said(&node, "anna", place(lots)).await.unwrap();
    }
    let before = status(&node).await["sequence"].as_u64().unwrap();
    let (code, why) = said(&node, "anna", place(20)).await.unwrap_err();
    assert!(code == "GOV-39" && why.contains("20 orders of anna wait"), "{code}: {why}");
    let list = ask(&node, OperatorRequest::Govern(GovernRequest::ProposalList)).await.unwrap();
    assert_eq!(list.as_array().unwrap().len(), 20, "nothing was put aside: {before}");
    // what need not wait goes out, another person is not held up, and a place that is free is taken
    said(&node, "anna", OperatorRequest::OrderPlace(words(Buy, "0.001", None))).await.unwrap();
    said(&node, "ben", place(0)).await.unwrap();
    let id = first["proposal"].as_u64().unwrap();
    let back = GovernRequest::ProposalReject { id, reason: "not needed".to_owned(), changes: false };
    said(&node, "anna", OperatorRequest::Govern(back)).await.unwrap();
    said(&node, "anna", place(0)).await.unwrap();
    assert_eq!(said(&node, "anna", place(20)).await.unwrap_err().0, "GOV-39");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_policy_is_agreed_to_key_by_key_and_a_change_that_was_overtaken_says_so() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.cap_orders_day = Some(3);
    start(settings.clone()).await.stop().await.unwrap();
    settings.governance.cap_orders_day = Some(9);
    settings.governance.approve_from = Some("500".parse().unwrap());
    let node = start(settings).await;
    let shown = limits(&node).await["changes"][0].clone();
    assert_eq!((&shown["what"], &shown["direction"]), (&"policy".into(), &"looser".into()));
    let want = serde_json::json!([
        { "key": "approve_from", "from": "100", "to": "500" },
        { "key": "cap_orders_day", "from": "3", "to": "9" },
    ]);
    assert_eq!(shown["differences"], want);

    let set = async |value: &str| {
        said(&node, "anna", limit_set("max_order_amount", value)).await.unwrap()["changes"][0]["change"].clone()
    };
    let standing = async |id: &Value| {
        let view = limits(&node).await;
        let found = view["changes"].as_array().unwrap().iter().find(|it| it["change"] == *id).cloned();
        found.unwrap()["standing"].as_str().unwrap().to_owned()
    };
    let (low, high) = (set("500").await, set("800").await);
    assert_eq!(standing(&high).await, "waits for another person");
    let lower = set("300").await;
    assert_eq!(standing(&high).await, format!("stale: changed again by {lower}; ask for it again"));
    assert_eq!(standing(&low).await, format!("over: changed again by {lower}"));
    assert_eq!(said(&node, "ben", answer(&high, true)).await.unwrap_err().0, "GOV-31");
    let (code, why) = said(&node, "ben", answer(&lower, true)).await.unwrap_err();
    assert!(code == "GOV-20" && why.contains("is decided: in force") && !why.contains("Done"), "{why}");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn everything_that_holds_trading_is_named_with_who_since_when_and_what_ends_it() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    assert_eq!(status(&node).await["holds"], serde_json::json!([]));
    said(&node, "ben", latch("source:anna")).await.unwrap();
    said(&node, "anna", OperatorRequest::Halt { reason: "odd fills".to_owned() }).await.unwrap();
    let named = |view: &Value| {
        let row = |it: &Value| ["covers", "by", "why", "clear"].map(|name| it[name].as_str().unwrap_or("-").to_owned());
        view["holds"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let everything = ["everything", "anna", "odd fills", "tradewind resume"].map(str::to_owned);
    let scoped = ["source:anna", "ben", "odd", "tradewind resume --scope source:anna"].map(str::to_owned);
    let seen = status(&node).await;
    assert_eq!(named(&seen), [everything.clone(), scoped.clone()]);
    assert!(seen["holds"].as_array().unwrap().iter().all(|it| it["since"].as_str().unwrap().ends_with('Z')));
    assert_eq!(named(&limits(&node).await), named(&seen));
    node.stop().await.unwrap();
    let node = start(two_persons(&stage)).await;
    let again = status(&node).await;
    assert_eq!(again["holds"][0], seen["holds"][0], "a restart forgets neither who nor when");
    for by in ["anna", "ben"] {
        let answer = said(&node, by, OperatorRequest::Resume { reason: "looked at".to_owned() }).await.unwrap();
        let left = named(&answer);
        assert_eq!(left.last(), Some(&scoped), "what stays on is said: {answer}");
        assert_eq!(left.contains(&everything), by == "anna");
    }
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}
