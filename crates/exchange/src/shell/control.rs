//! The exchange about itself, outside any venue's protocol: status, steps of a tape, faults.

use super::shared::{Shared, lock};
use crate::config::Pace;
use crate::faults::Fault;
use crate::world::Source;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// What the exchange is and where it stands.
pub(crate) async fn status(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let server_time = shared.server_time();
    let mut status = shared.act(|world| {
        let (source, depth) = match &world.source {
            Some(Source::Bars(_)) => ("bars", "derived: one tick on either side of the last price"),
            Some(Source::Trades(_)) => ("trades", "derived: mean recent size, ten ticks on either side"),
            Some(Source::Simulated(_)) | None => ("order-flow", "simulated order by order"),
        };
        let progress = world.progress().map(|(played, total)| json!({"played": played, "total": total}));
        let open = world.rows.values().filter(|row| row.status.is_open()).count();
        json!({
            "source": source, "depth": depth, "exchange_time": world.now(), "tape": progress,
            "symbols": world.markets.iter().map(|market| market.rules.name().to_owned()).collect::<Vec<_>>(),
            "orders": world.rows.len(), "open_orders": open, "fills": world.fills,
        })
    });
    status["origin"] = shared.origin.into();
    status["seed"] = shared.seed.into();
    status["server_time"] = server_time.into();
    status["pace"] = match shared.pace {
        Pace::Realtime { .. } => "realtime".into(),
        Pace::Lockstep { .. } => "lockstep".into(),
    };
    status["speed"] = shared.pace.speed().into();
    status["slow_readers_cut_off"] = lock(&shared.hub).cut_off.into();
    status["done"] = (*shared.done.borrow()).into();
    Json(status)
}

/// The body of a step.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Step {
    /// Close time of the bar that the caller is through with; a step about an older bar does nothing.
    through: Option<i64>,
}

/// Plays the next bar of a tape in lockstep: opens it, closes it, tells everybody, and answers with its close time.
pub(crate) async fn step(State(shared): State<Arc<Shared>>, body: String) -> (StatusCode, Json<Value>) {
    let refuse = |text: &str| (StatusCode::CONFLICT, Json(json!({"error": text})));
    if !matches!(shared.pace, Pace::Lockstep { .. }) {
        return refuse("this exchange does not run in lockstep");
    }
    let step: Step = match body.trim() {
        "" => Step::default(),
        text => match serde_json::from_str(text) {
            Ok(step) => step,
            Err(error) => return refuse(&format!("the body is not {{\"through\": milliseconds}}: {error}")),
        },
    };
    *lock(&shared.stepped) = Instant::now();
    let (now, played, ended) = shared.act(|world| {
        if step.through.is_some_and(|through| through < world.now()) {
            return (world.now(), false, world.tape_ended());
        }
        let ended = world.open_bar().is_none();
        if !ended {
            world.print_extreme(false);
            world.print_extreme(true);
            world.close_bar();
        }
        (world.now(), !ended, ended)
    });
    if ended && !played {
        shared.done.send_replace(true);
    }
    (StatusCode::OK, Json(json!({"through": now, "played": played, "done": ended && !played})))
}

/// Replaces the faults that are to happen.
pub(crate) async fn faults(State(shared): State<Arc<Shared>>, Json(list): Json<Vec<Fault>>) -> Json<Value> {
    let count = list.len();
    lock(&shared.faults).set(list);
    Json(json!({"faults": count}))
}
