//! Orders good till a date, which the venue does not know: the node ends them.

use crate::recovery::{far_buy, finish, order, place, start, until_order};
use crate::support::{Stage, exchange_config};
use serde_json::json;
use std::time::Duration;
use tradewind_node::OrderWords;

/// A limit far below the market, good till so long from now.
fn till(wait: Duration) -> OrderWords {
    let end = jiff::Timestamp::now() + wait;
    OrderWords { time_in_force: Some(end.to_string()), ..far_buy() }
}

async fn statuses(stage: &Stage) -> Vec<serde_json::Value> {
    stage.venue_orders().await.iter().map(|it| it["status"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_good_till_a_date_rests_and_is_cancelled_at_the_venue_at_its_date() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let id = place(&node, till(Duration::from_secs(3))).await.unwrap();
    until_order(&node, &id, "open").await;
    assert_eq!(statuses(&stage).await, [json!("NEW")]);
    until_order(&node, &id, "expired").await;
    assert_eq!(statuses(&stage).await, [json!("CANCELED")]);
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_that_passes_while_the_node_is_down_ends_the_order_at_the_next_start() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    place(&node, crate::support::words(tradewind_domain::Side::Buy, "0.002", None)).await.unwrap();
    crate::support::until(&node, "held", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0)
        .await;
    // an exit stays at the venue when a node stops
    let exit = crate::support::words(tradewind_domain::Side::Sell, "0.001", Some("90000"));
    let id =
        place(&node, OrderWords { time_in_force: till(Duration::from_secs(3)).time_in_force, ..exit }).await.unwrap();
    until_order(&node, &id, "open").await;
    node.stop().await.unwrap();
    assert_eq!(statuses(&stage).await, [json!("FILLED"), json!("NEW")], "the venue does not know the date");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let node = start(&stage).await;
    place(&node, far_buy()).await.unwrap(); // the time of a local market goes on with what happens there
    until_order(&node, &id, "expired").await;
    assert_eq!(statuses(&stage).await, [json!("FILLED"), json!("CANCELED"), json!("NEW")]);
    assert_eq!(order(&node, &id).await["remaining"], "0");
    finish(&stage, node).await;
}
