//! The steps of a start and of a stop: a step that fails unwinds those before it, and each component says how it is.

use crate::support::{KEY, SECRET, Stage, exchange_config, status, surroundings, until};
use serde_json::{Value, json};
use tradewind_domain::{Coded, Origin};
use tradewind_exchange::{Fault, FaultKind};
use tradewind_node::settings::{NodeMode, Settings, StrategySettings};
use tradewind_node::{Component, Condition, Node, Surroundings, socket_path};

/// A start that fails at one of its steps leaves nothing behind: the next one, in the same data directory and with the same
/// key, has everything.
async fn check_unwinds(stage: &Stage, step: &str, spoil: impl FnOnce(&mut Settings, &mut Surroundings), code: &str) {
    let (mut settings, mut around) = (stage.settings(&[]), surroundings(Origin::Simulated));
    spoil(&mut settings, &mut around);
    let error = Node::start(settings, around).await.err().unwrap_or_else(|| panic!("{step}: it started"));
    assert!(error.code().starts_with(code), "{step}: {}: {error}", error.code());
    assert!(!socket_path(stage.dir.path()).exists(), "{step}: nobody listens");
    stage.post("/tradewind/v1/faults", &json!([])).await;
    let node = stage.node().await.unwrap_or_else(|error| panic!("after {step}: {}: {error}", error.code()));
    assert!(status(&node).await["halted"].is_null(), "after {step}");
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_of_the_start_that_fails_unwinds_those_before_it() {
    let stage = Stage::new(exchange_config()).await;
    let fault =
        |path: &str| Fault { path: path.to_owned(), method: None, kind: FaultKind::Html, times: None, after: false };
    check_unwinds(&stage, "settings", |it, _| it.mode = NodeMode::Live, "NODE-03").await;
    check_unwinds(&stage, "the kill key", |it, _| it.governance.kill_key = "/nowhere/key".into(), "NODE-43").await;
    let no_key = |_: &mut Settings, around: &mut Surroundings| around.key = None;
    check_unwinds(&stage, "the venue's key", no_key, "VEN-").await;
    let file = stage.dir.path().join("a-file");
    std::fs::write(&file, "in the way").unwrap();
    check_unwinds(&stage, "the data directory", |it, _| it.data_dir = file.join("data"), "NODE-15").await;
    let other = stage.dir.path().join("other");
    std::fs::create_dir_all(socket_path(&other)).unwrap(); // nobody removes a directory to listen there
    check_unwinds(&stage, "the control socket", |it, _| it.data_dir = other, "NODE-04").await;
    let dir = stage.dir.path().to_owned();
    check_unwinds(&stage, "the audit trail", |it, _| it.governance.audit_key = dir, "NODE-35").await;
    let nobody = |it: &mut Settings, _: &mut Surroundings| it.venue.rest_url = "http://127.0.0.1:1".to_owned();
    check_unwinds(&stage, "the connection", nobody, "VEN-").await;
    for path in ["/api/v3/exchangeInfo", "/api/v3/account", "/api/v3/klines", "/api/v3/openOrders", "/api/v3/myTrades"]
    {
        stage.faults(&[fault(path)]).await;
        check_unwinds(&stage, path, |_, _| (), "VEN-").await;
    }
    let unknown = |it: &mut Settings, _: &mut Surroundings| {
        it.strategy.push(StrategySettings::named("luck"));
    };
    check_unwinds(&stage, "the strategies", unknown, "NODE-02").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_another_node_trades_with_is_refused_and_nothing_is_left() {
    let stage = Stage::new(exchange_config()).await;
    let first = stage.node().await.unwrap();
    let other = tempfile::TempDir::new().unwrap();
    let settings = || Settings { data_dir: other.path().to_owned(), ..stage.settings(&[]) };
    let error = Node::start(settings(), surroundings(Origin::Simulated)).await.err().unwrap();
    assert_eq!(error.code(), "NODE-37", "{error}");
    assert!(!socket_path(other.path()).exists());
    first.stop().await.unwrap();
    Node::start(settings(), surroundings(Origin::Simulated)).await.unwrap().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_begin_and_end_in_order() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let seen = until(&node, "all report", |it| it["components"].as_array().unwrap().len() == 9).await;
    let all_well = |it: &Value| it["state"] == "ok" && it["why"].is_null() && it["last_success"].is_string();
    assert!(seen["components"].as_array().unwrap().iter().all(all_well), "{:#}", seen["components"]);
    let health = node.health();
    let begun = health.changes();
    node.stop().await.unwrap();
    let first = |component: Component| {
        begun
            .iter()
            .position(|it| *it == (component, Condition::Ok))
            .unwrap_or_else(|| panic!("{component:?}: {begun:?}"))
    };
    use Component::{Audit, Clock, Control, Engine, Journal, MarketData, Orders, Reconciliation, UserStream};
    assert!(first(Journal) < first(Audit) && first(Audit) < first(UserStream), "safe comes first: {begun:?}");
    for part in [MarketData, Orders, Reconciliation, Control] {
        assert!(first(UserStream) < first(part), "reports are heard before anything is sent: {begun:?}");
    }
    assert!(first(UserStream) < first(Engine), "{begun:?}");
    let ended = health.changes();
    let last = |component: Component| {
        let stopped = ended.iter().rposition(|it| *it == (component, Condition::Stopped));
        stopped.unwrap_or_else(|| panic!("{component:?}: {ended:?}"))
    };
    for part in [MarketData, UserStream, Orders, Reconciliation, Control] {
        assert!(last(Engine) < last(part), "the engine ends while its cancels can still be sent: {ended:?}");
        assert!(last(part) < last(Audit), "{ended:?}");
    }
    assert!(last(Audit) < last(Journal), "the last records are signed before the journal is let go: {ended:?}");
    assert!(!ended.contains(&(Clock, Condition::Failed)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_fails_says_why_and_since_when() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = stage.settings(&[]);
    settings.venue.sweep_every = tradewind_node::settings::Seconds::from_millis(200);
    let around = Surroundings { key: Some((KEY.to_owned(), SECRET.to_owned())), ..surroundings(Origin::Simulated) };
    let node = Node::start(settings, around).await.unwrap();
    let part = |seen: &Value, name: &str| {
        seen["components"].as_array().unwrap().iter().find(|it| it["component"] == name).cloned().unwrap_or_default()
    };
    until(&node, "it swept", |it| part(it, "reconciliation")["state"] == "ok").await;
    let fault =
        Fault { path: "/api/v3/openOrders".to_owned(), method: None, kind: FaultKind::Html, times: None, after: false };
    stage.faults(&[fault]).await;
    let seen = until(&node, "it cannot sweep", |it| part(it, "reconciliation")["state"] == "failed").await;
    let failed = part(&seen, "reconciliation");
    assert!(failed["why"].as_str().unwrap().starts_with("VEN-"), "{failed}");
    assert!(failed["last_success"].is_string() && failed["last_success"] != failed["since"], "{failed}");
    assert_eq!(part(&seen, "orders")["state"], "ok", "the others are well: {seen:#}");
    stage.post("/tradewind/v1/faults", &json!([])).await;
    let seen = until(&node, "it sweeps again", |it| part(it, "reconciliation")["state"] == "ok").await;
    assert!(part(&seen, "reconciliation")["since"] != failed["since"], "{seen:#}");
    node.stop().await.unwrap();
}
