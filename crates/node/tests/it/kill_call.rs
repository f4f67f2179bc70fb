//! The kill switch by a signed call, over the node's own socket: who is let through, how often, and what it may do.

use crate::governance::{said, signed, start, two_persons};
use crate::support::{Stage, ask, check_journal, exchange_config, status, words};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tradewind_domain::Coded;
use tradewind_domain::Side::Buy;
use tradewind_domain::Timestamp;
use tradewind_node::settings::Settings;
use tradewind_node::{KillKey, Node, OperatorReply, OperatorRequest, SignedHalt, request, wall};

/// Beyond this something hangs; how long it took is printed.
const HANG: Duration = Duration::from_secs(10);

fn key_file(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Two persons and a kill key; Ben trades and has no other role.
fn with_key(stage: &Stage) -> (Settings, KillKey) {
    let mut settings = two_persons(stage);
    settings.governance.approve_from = None;
    settings.operators[1].roles.retain(|role| *role == tradewind_governance::Role::Trader);
    settings.governance.kill_key = key_file(stage.dir.path(), "kill.key", &"k".repeat(32));
    let key = KillKey::read(&settings.governance.kill_key).unwrap();
    (settings, key)
}

/// The answer over the control socket: nothing, or a code.
async fn called(stage: &Stage, call: &SignedHalt) -> Result<Value, String> {
    let (dir, asked) = (stage.dir.path().to_owned(), OperatorRequest::HaltSigned(call.clone()));
    match tokio::task::spawn_blocking(move || request(&dir, &asked)).await.unwrap().unwrap() {
        OperatorReply::Done { data } => Ok(data),
        OperatorReply::Failed { code, message, hint } => {
            assert!(!message.is_empty() && !hint.is_empty(), "{code}");
            Err(code)
        }
    }
}

async fn order(node: &Node) -> Result<Value, (String, String)> {
    said(node, "anna", OperatorRequest::OrderPlace(words(Buy, "0.001", None))).await
}

#[tokio::test]
async fn a_signed_call_halts_once_and_only_a_person_of_risk_ends_it() {
    let stage = Stage::new(exchange_config()).await;
    let (settings, key) = with_key(&stage);
    let node = start(settings.clone()).await;
    let call = key.sign("odd prices", wall()).unwrap();
    let asked_at = Instant::now();
    let halted = called(&stage, &call).await.unwrap();
    let took = asked_at.elapsed();
    eprintln!("a signed call was answered, on disk, after {took:?}");
    assert!(took < HANG, "{took:?}");
    let why = halted["halted"].as_str().unwrap();
    assert!(why.starts_with("odd prices (signed call ") && why.contains(&call.nonce), "{why}");
    assert_eq!(order(&node).await.unwrap_err().0, "GATE-01");

    let resume = || OperatorRequest::Resume { reason: "looked at".to_owned() };
    assert_eq!(ask(&node, resume()).await.unwrap_err().0, "NODE-31", "who does not say its name");
    assert_eq!(said(&node, "ben", resume()).await.unwrap_err().0, "GOV-25", "a trader");
    assert_eq!(called(&stage, &call).await.unwrap_err(), "NODE-47", "a call clears nothing either");
    assert!(status(&node).await["halted"].is_string());
    said(&node, "anna", resume()).await.unwrap();
    order(&node).await.unwrap();

    assert_eq!(called(&stage, &call).await.unwrap_err(), "NODE-47");
    node.stop().await.unwrap();
    let node = start(settings).await;
    assert_eq!(called(&stage, &call).await.unwrap_err(), "NODE-47", "a restart forgets nothing");
    assert_eq!(status(&node).await["halted"], Value::Null);
    called(&stage, &key.sign("again", wall()).unwrap()).await.unwrap();
    assert!(status(&node).await["halted"].is_string());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_call_that_proves_nothing_stops_nothing_not_even_for_a_moment() {
    let stage = Stage::new(exchange_config()).await;
    let (settings, key) = with_key(&stage);
    let node = start(settings).await;
    let stranger = KillKey::read(&key_file(stage.dir.path(), "other.key", &"s".repeat(32))).unwrap();
    let at = |seconds: i64| Timestamp::from_millis(wall().millis() + seconds * 1_000);
    let call = key.sign("odd prices", wall()).unwrap();
    for (call, code) in [
        (stranger.sign("odd prices", wall()).unwrap(), "NODE-45"),
        (SignedHalt { reason: "other words".to_owned(), ..call.clone() }, "NODE-45"),
        (SignedHalt { issued_at: call.issued_at + 1, ..call.clone() }, "NODE-45"),
        (SignedHalt { signature: "0".repeat(64), ..call.clone() }, "NODE-45"),
        (SignedHalt { signature: String::new(), ..call.clone() }, "NODE-44"),
        (SignedHalt { reason: "two\nlines".to_owned(), ..call.clone() }, "NODE-44"),
        (key.sign("late", at(-61)).unwrap(), "NODE-46"),
        (key.sign("early", at(90)).unwrap(), "NODE-46"),
    ] {
        assert_eq!(called(&stage, &call).await.unwrap_err(), code, "{call:?}");
        assert_eq!(ask(&node, OperatorRequest::HaltSigned(call)).await.unwrap_err().0, code, "without the socket");
        order(&node).await.unwrap();
    }
    let wrapped = signed("anna", None, OperatorRequest::HaltSigned(stranger.sign("x", wall()).unwrap()));
    assert_eq!(ask(&node, wrapped).await.unwrap_err().0, "NODE-13", "no way around the door");
    order(&node).await.unwrap();
    assert_eq!(status(&node).await["halted"], Value::Null);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_node_with_a_key_that_others_can_read_does_not_start_and_one_without_takes_no_call() {
    let stage = Stage::new(exchange_config()).await;
    let (settings, key) = with_key(&stage);
    std::fs::set_permissions(&settings.governance.kill_key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let surroundings = crate::support::surroundings(tradewind_domain::Origin::Simulated);
    let error = Node::start(settings, surroundings).await.err().expect("it does not start");
    assert_eq!(error.code(), "NODE-43");
    assert!(error.to_string().contains("kill.key") && error.to_string().contains("644"), "{error}");
    let node = stage.node().await.unwrap();
    assert_eq!(called(&stage, &key.sign("x", wall()).unwrap()).await.unwrap_err(), "NODE-43");
    assert_eq!(status(&node).await["halted"], Value::Null);
    node.stop().await.unwrap();
}
