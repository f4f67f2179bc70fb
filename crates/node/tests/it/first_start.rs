//! What the account did before the first order is in the balances that the books begin with, and nowhere else.

use crate::recovery::{finish, place, start, swift};
use crate::support::{Stage, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use tempfile::TempDir;
use tradewind_domain::{Origin, Side};
use tradewind_node::Node;

/// Buys a little by hand, and waits until that has filled.
async fn bought_by_hand(stage: &Stage) {
    stage.by_hand("BUY", "0.01", "90000").await;
    while stage.venue_orders().await.last().unwrap()["status"] != "FILLED" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Venue and books agree twice more, no other hand is seen, and everything is allowed.
async fn check_agreement(node: &Node) {
    for _ in 0..2 {
        let before = status(node).await["agreed_at"].clone();
        until(node, "venue and books agree again", |it| it["agreed_at"] != before).await;
    }
    let seen = status(node).await;
    let difference = (&seen["foreign"], &seen["drifting"], &seen["restricted"]);
    assert_eq!(difference, (&json!([]), &json!(0), &Value::Null), "{seen:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trade_by_hand_right_before_the_first_start_is_no_difference() {
    let stage = Stage::new(exchange_config()).await;
    bought_by_hand(&stage).await;
    let node = start(&stage).await;
    check_agreement(&node).await;
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trade_by_hand_before_the_first_order_is_taken_over_by_the_next_start() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    bought_by_hand(&stage).await;
    until(&node, "seen", |it| it["foreign"].as_array().is_some_and(|all| !all.is_empty())).await;
    node.stop().await.unwrap();
    let node = start(&stage).await;
    check_agreement(&node).await;
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_data_directory_right_after_another_run_is_no_restored_backup() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    place(&node, words(Side::Buy, "0.01", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    node.stop().await.unwrap();
    let other = TempDir::new().unwrap();
    let node = Node::start(swift(&stage, other.path()), surroundings(Origin::Simulated)).await.unwrap();
    check_agreement(&node).await;
    node.stop().await.unwrap();
}
