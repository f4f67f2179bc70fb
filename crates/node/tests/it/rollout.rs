//! The staged roll-out and the approval of orders that become other orders, as two persons use them on a running node.

use crate::governance::{said, signed, start, two_persons};
use crate::support::{Stage, ask, check_journal, exchange_config, status, until, words};
use serde_json::{Value, json};
use tradewind_domain::Side::{Buy, Sell};
use tradewind_node::{
    GovernRequest, Node, OcoWords, OperatorReply, OperatorRequest, ParentWords, PlanWords, ReplaceWords, StageMove,
    audit, audit_chains,
};

fn moved(to: StageMove, stage: Option<&str>) -> OperatorRequest {
    let (stage, reason) = (stage.map(str::to_owned), "a test".to_owned());
    OperatorRequest::Govern(GovernRequest::StageMove { to, stage, reason })
}

async fn shown(node: &Node) -> Value {
    ask(node, OperatorRequest::Govern(GovernRequest::Stage)).await.unwrap()
}

async fn code(node: &Node, by: &str, request: OperatorRequest) -> String {
    said(node, by, request).await.unwrap_err().0
}

#[tokio::test]
async fn a_rollout_caps_what_is_at_risk_and_its_stage_outlives_restarts_and_edited_settings() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    settings.governance.stage = "1000".to_owned();
    let node = start(settings.clone()).await;
    let view = shown(&node).await;
    assert_eq!((&view["stage"], &view["next"], &view["ready"]), (&"1000".into(), &"10000".into(), &false.into()));
    assert_eq!(view["history"][0]["reason"], "the settings at start");
    let place = |quantity: &str| OperatorRequest::OrderPlace(words(Buy, quantity, Some("50000")));
    let refused = said(&node, "anna", place("0.03")).await.unwrap_err();
    assert!(refused.0 == "GATE-19" || refused.0 == "GOV-17", "{refused:?}"); // worth more than a thousand at the mark
    said(&node, "anna", place("0.001")).await.unwrap();
    assert_eq!(code(&node, "anna", moved(StageMove::Advance, None)).await, "GOV-36");
    assert_eq!(code(&node, "anna", moved(StageMove::Demote, Some("7"))).await, "NODE-40");
    let nameless = ask(&node, moved(StageMove::Demote, None)).await.unwrap_err().0;
    assert_eq!(nameless, "NODE-31", "looking needs no name, moving does");
    let change = &said(&node, "ben", moved(StageMove::Demote, None)).await.unwrap()["changes"][0];
    assert_eq!(
        (&change["what"], &change["from"], &change["to"], &change["direction"], &change["standing"]),
        (&"stage".into(), &"1000".into(), &"100".into(), &"tighter".into(), &"in force".into())
    );
    let change = &said(&node, "ben", moved(StageMove::Repeat, None)).await.unwrap()["changes"][0];
    assert_eq!((&change["direction"], &change["by"]), (&"the same".into(), &"ben".into()));
    node.stop().await.unwrap();

    settings.governance.stage = "10000".to_owned();
    let node = start(settings).await;
    let view = shown(&node).await;
    assert_eq!((&view["stage"], &view["history"][0]["from"]), (&"100".into(), &"100".into()), "{view:#}");
    assert!(said(&node, "anna", place("0.003")).await.is_err(), "worth more than a hundred");
    let limits = ask(&node, OperatorRequest::Govern(GovernRequest::Limits)).await.unwrap();
    assert_eq!(limits["stage"]["capital"], "100");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    assert!(audit(stage.dir.path(), None, None).unwrap().verified);
}

#[tokio::test]
async fn without_a_rollout_nothing_can_be_advanced() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    for to in [StageMove::Advance, StageMove::Repeat, StageMove::Demote] {
        assert_eq!(ask(&node, moved(to, None)).await.unwrap_err().0, "NODE-40");
    }
    assert_eq!(shown(&node).await["stage"], Value::Null);
    ask(&node, moved(StageMove::Demote, Some("100"))).await.unwrap(); // one person may always tighten
    assert_eq!(shown(&node).await["stage"], "100");
    assert_eq!(ask(&node, moved(StageMove::Demote, None)).await.unwrap_err().0, "NODE-40");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

fn twap(quantity: &str, slices: u32) -> OperatorRequest {
    let plan = PlanWords::Twap { seconds: 1, slices };
    OperatorRequest::OrderParent(ParentWords { order: words(Buy, quantity, None), plan })
}

#[tokio::test]
async fn an_order_that_becomes_others_waits_as_a_whole_is_approved_once_and_is_traced_to_its_persons() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    // half of it would go without a word, the whole does not
    let held = said(&node, "anna", twap("0.002", 2)).await.unwrap();
    let (id, hash) = (held["proposal"].as_u64().unwrap(), held["hash"].as_str().unwrap().to_owned());
    assert_eq!(held["order"]["quantity"], "0.002");
    assert!(held["plan"].as_str().unwrap().starts_with("twap: 2 slices, even, one each 0.5 s"), "{held}");
    let approve = OperatorRequest::Govern(GovernRequest::ProposalApprove { id, hash });
    assert_eq!(code(&node, "anna", approve.clone()).await, "GOV-23");
    assert!(stage.venue_orders().await.is_empty());
    let page = said(&node, "ben", approve).await.unwrap();
    assert_eq!(page["parent_id"], "p1");
    until(&node, "both slices filled", |it| it["counters"]["orders"] == 2 && it["open_orders"] == 0).await;
    let parents = ask(&node, OperatorRequest::ParentList).await.unwrap();
    assert_eq!((&parents[0]["by"], &parents[0]["amount"]), (&"anna".into(), &"0.002".into()));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    let chains = audit_chains(stage.dir.path()).unwrap();
    assert_eq!(chains.len(), 2);
    for chain in chains {
        let steps: Vec<&str> = chain.iter().map(|step| step.what).collect();
        for step in ["identity", "proposal", "approval", "parent", "verdict", "intent", "fill"] {
            assert!(steps.contains(&step), "{step} is not in {steps:?}");
        }
    }
}

/// The same words under the same key twice, then others: the first answer, the first answer, a conflict.
async fn check_key(
    node: &Node,
    what: &str,
    request: &OperatorRequest,
    other: &OperatorRequest,
    name: fn(&Value) -> Value,
) {
    let keyed = |request: &OperatorRequest| signed("anna", Some(what), request.clone());
    let first = ask(node, keyed(request)).await.unwrap_or_else(|no| panic!("{what}: {no:?}"));
    assert!(!name(&first).is_null(), "{what}: {first}");
    assert_eq!(name(&ask(node, keyed(request)).await.unwrap()), name(&first), "{what}");
    assert_eq!(ask(node, keyed(other)).await.unwrap_err().0, "GOV-32", "{what}");
}

fn parent(quantity: &str, plan: PlanWords) -> OperatorRequest {
    OperatorRequest::OrderParent(ParentWords { order: words(Buy, quantity, Some("50000")), plan })
}

fn oco(quantity: &str) -> OperatorRequest {
    OperatorRequest::OrderOco(OcoWords {
        symbol: "BTC/USDT".to_owned(),
        side: Sell,
        quantity: quantity.to_owned(),
        target: "90000".to_owned(),
        stop: "30000".to_owned(),
        stop_limit: None,
        reduce_only: false,
        portfolio: None,
    })
}

#[tokio::test]
async fn every_command_that_places_orders_takes_a_key_and_keeps_its_word_after_a_restart() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = two_persons(&stage);
    settings.governance.approve_from = None;
    let node = start(settings.clone()).await;
    until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    said(&node, "anna", OperatorRequest::OrderPlace(words(Buy, "0.01", None))).await.unwrap();
    until(&node, "it is held", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    let resting = said(&node, "anna", OperatorRequest::OrderPlace(words(Buy, "0.01", Some("40000")))).await.unwrap();
    let client_id = tradewind_domain::ClientOrderId::parse(resting["client_id"].as_str().unwrap()).unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    let replace = |quantity: &str| {
        let quantity = Some(quantity.to_owned());
        OperatorRequest::OrderReplace(ReplaceWords { client_id, price: None, trigger: None, quantity })
    };
    let text = str::to_owned;
    let bracket = PlanWords::Bracket { target: Some(text("60000")), stop: Some(text("40000")), stop_limit: None };
    let scale = PlanWords::Scale { from: text("50000"), to: text("45000"), orders: 2 };
    let iceberg = PlanWords::Iceberg { display: text("0.001") };
    let curve = PlanWords::VwapCurve { seconds: 3_600, weights: vec![1, 2] };
    let rate = PlanWords::VwapRate { seconds: 3_600, rate_bps: 500, clip: None };
    let even = PlanWords::Twap { seconds: 3_600, slices: 2 };
    let named: fn(&Value) -> Value = |it| it["parent"].clone();
    let both: fn(&Value) -> Value = |it| json!([it[0]["client_id"], it[1]["client_id"]]);
    check_key(&node, "oco", &oco("0.005"), &oco("0.004"), both).await;
    for (what, plan) in [
        ("bracket", bracket),
        ("scale", scale),
        ("iceberg", iceberg),
        ("curve", curve),
        ("rate", rate),
        ("twap", even.clone()),
    ] {
        check_key(&node, what, &parent("0.004", plan.clone()), &parent("0.005", plan.clone()), named).await;
    }
    check_key(&node, "replace", &replace("0.006"), &replace("0.007"), |it| it["client_id"].clone()).await;
    let (orders, parents) =
        (status(&node).await["counters"]["orders"].clone(), ask(&node, OperatorRequest::ParentList).await.unwrap());
    assert_eq!(parents.as_array().unwrap().len(), 6, "{parents:#}");
    node.stop().await.unwrap();

    let node = start(settings).await;
    check_key(&node, "oco", &oco("0.005"), &oco("0.004"), both).await;
    check_key(&node, "twap", &parent("0.004", even.clone()), &parent("0.005", even.clone()), named).await;
    check_key(&node, "replace", &replace("0.006"), &replace("0.007"), |it| it["client_id"].clone()).await;
    let known = ask(&node, OperatorRequest::ParentList).await.unwrap();
    assert_eq!(known.as_array().unwrap().len(), 6);
    assert!(orders.as_u64() > Some(0));
    // what places nothing takes no key
    let reply = node.request(signed("anna", Some("k"), OperatorRequest::Flatten)).await.unwrap();
    assert!(matches!(reply, OperatorReply::Failed { code, .. } if code == "NODE-32"));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}
