//! Fills and the account over real sockets: executions without a name, fees of every kind.

use super::orders::{field, patient, report};
use crate::recovery::{finish, order, place, until_order};
use crate::support::{Stage, exchange_config, until, words};
use serde_json::json;
use tradewind_domain::Side;
use tradewind_engine::EventKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b08_an_execution_told_without_its_number_is_booked_once_under_the_one_in_the_lists() {
    let stage = Stage::new(exchange_config()).await;
    let node = patient(&stage).await;
    stage.faults(&[report("TRADE", field("t", json!(-1)))]).await;
    let id = place(&node, words(Side::Buy, "0.001", None)).await.unwrap();
    until_order(&node, &id, "filled").await;
    assert_eq!(order(&node, &id).await["filled"], "0.001");
    let seen = until(&node, "it is named", |it| it["notices"].to_string().contains("is no trade id")).await;
    assert_eq!(seen["counters"]["contradictions"], 0);
    let said = finish(&stage, node).await;
    let trades = stage.signed("GET", "/api/v3/myTrades", &[("symbol", "BTCUSDT")]).await;
    let numbers: Vec<u64> = trades.as_array().unwrap().iter().map(|it| it["id"].as_u64().unwrap()).collect();
    let mut booked: Vec<u64> = said
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Filled(fill) => u64::try_from(fill.trade_id.0).ok(),
            _ => None,
        })
        .collect();
    booked.sort_unstable();
    booked.dedup();
    assert_eq!(booked, numbers, "the venue's numbers, and no name of our own");
}
