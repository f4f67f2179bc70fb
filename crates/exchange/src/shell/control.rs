//! The exchange about itself, outside any venue's protocol: status, steps of a tape, faults.

use super::shared::{Shared, lock};
use crate::config::Pace;
use crate::faults::Fault;
use crate::world::market::Trading;
use crate::world::{Source, World};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use tradewind_domain::{Currency, LEDGER_DECIMALS, format_decimal, parse_decimal};

/// What the exchange is and where it stands.
pub(crate) async fn status(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let server_time = shared.server_time();
    let mut status = shared.act(|world| {
        let (source, depth) = match &world.source {
            Some(Source::Bars(_)) => ("bars", "derived: one tick on either side of the last price"),
            Some(Source::Trades(_)) => ("trades", "derived: mean recent size, ten ticks on either side"),
            Some(Source::Simulated(_)) | None => ("order-flow", "simulated order by order"),
        };
        let fills = match &world.source {
            Some(Source::Bars(tape)) => Some(tape.fills()),
            Some(Source::Trades(_) | Source::Simulated(_)) | None => None,
        };
        let progress = world.progress().map(|(played, total)| json!({"played": played, "total": total}));
        let open = world.rows.values().filter(|row| row.status.is_open()).count();
        json!({
            "source": source, "depth": depth, "exchange_time": world.now(), "tape": progress,
            "symbols": world.markets.iter().map(|market| market.rules.name().to_owned()).collect::<Vec<_>>(),
            "orders": world.rows.len(), "open_orders": open, "fills": world.fills, "fill_policy": fills,
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
    status["lost_ms"] = shared.lost().into();
    status["slow_readers_cut_off"] = lock(&shared.hub).cut_off.into();
    status["done"] = (*shared.done.borrow()).into();
    Json(status)
}

/// The body of a step.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Step {
    /// Close time of the bar that the caller is through with; a step about an older bar does nothing.
    through: Option<i64>,
    /// Where to stop inside the next bar; at its end if absent.
    until: Option<Until>,
}

/// A place to stop inside a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Until {
    /// The orders that waited met the open of the bar: what their fills lead to can still arrive before its inside.
    Open,
    /// All trades and fills of the bar were told, its closed candle was not: the next step tells it. Streams are not
    /// ordered among one another, so this is how a caller hears of every fill before the candle.
    Fills,
}

/// Plays the next bar of a tape in lockstep: opens it, closes it, tells everybody, and answers with its close time and
/// with what there was of fills and open orders so far.
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
    let played = shared.act(|world| play(world, &step));
    if played.is_none() {
        shared.done.send_replace(true);
    }
    let answer = shared.act(|world| {
        let open = world.rows.values().filter(|row| row.status.is_open()).count();
        let (played, done) = (played == Some(true), played.is_none());
        json!({"through": world.now(), "played": played, "done": done, "fills": world.fills, "open_orders": open})
    });
    (StatusCode::OK, Json(answer))
}

/// Takes one step; false if there was nothing to do, `None` at the end of the tape.
fn play(world: &mut World, step: &Step) -> Option<bool> {
    let closes = step.until.is_none();
    if world.bar_is_filled() {
        if closes {
            world.close_bar();
        }
        return Some(closes);
    }
    let opens = !world.bar_is_open();
    if opens {
        if step.through.is_some_and(|through| through < world.now()) {
            return if world.tape_ended() { None } else { Some(false) };
        }
        world.open_bar()?;
    }
    if step.until == Some(Until::Open) {
        return Some(opens);
    }
    world.print_extreme(false);
    world.print_extreme(true);
    world.fill_bar();
    if closes {
        world.close_bar();
    }
    Some(true)
}

/// Replaces the faults that are to happen.
pub(crate) async fn faults(State(shared): State<Arc<Shared>>, Json(list): Json<Vec<Fault>>) -> Json<Value> {
    let count = list.len();
    lock(&shared.faults).set(list);
    Json(json!({"faults": count}))
}

/// A change of an account's balance that no stream tells of.
#[derive(Debug, Deserialize)]
pub(crate) struct Adjust {
    /// Whose, by key.
    key: String,
    /// Which asset.
    asset: String,
    /// By how much, as decimal text, signed.
    amount: String,
}

/// Changes a balance behind everybody's back, as a venue's own mistake or a transfer would.
pub(crate) async fn adjust(State(shared): State<Arc<Shared>>, Json(adjust): Json<Adjust>) -> (StatusCode, Json<Value>) {
    let refuse = |text: String| (StatusCode::CONFLICT, Json(json!({"error": text})));
    let Some(key) = shared.keys.get(&adjust.key) else { return refuse(format!("there is no key `{}`", adjust.key)) };
    let asset = match Currency::new(&adjust.asset) {
        Ok(asset) => asset,
        Err(error) => return refuse(error.to_string()),
    };
    let units = match parse_decimal(&adjust.amount, LEDGER_DECIMALS) {
        Ok(units) => i128::from(units),
        Err(error) => return refuse(error.to_string()),
    };
    if let Err(free) = shared.act(|world| world.ledger.adjust(key.account, asset, units)) {
        let free = format_decimal(free, LEDGER_DECIMALS);
        return refuse(format!("the account has {free} {asset} free: {} would make it owe", adjust.amount));
    }
    (StatusCode::OK, Json(json!({"adjusted": adjust.amount})))
}

/// What happens to the exchange as a whole.
#[derive(Debug, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Disaster {
    /// Every connection of a web socket ends.
    Cut,
    /// It restarts: connections end, the numbers of books begin anew, and with `forget` open orders are gone.
    Restart {
        /// Whether open orders are gone.
        forget: bool,
    },
    /// Every order of every account is cancelled, as when a dead man's timer runs out. Gives how many.
    CancelAll,
    /// Executions of the last seconds are taken back.
    RollBack {
        /// How many.
        seconds: i64,
    },
    /// A pair trades otherwise from here on.
    Relist {
        /// Which, such as `BTCUSDT`.
        symbol: String,
        /// Whether it takes orders.
        status: Option<Trading>,
        /// Its smallest step of price.
        tick: Option<String>,
        /// Its smallest step of quantity.
        lot: Option<String>,
        /// The smallest value of an order, in quote.
        min_notional: Option<String>,
    },
}

/// Lets a disaster happen.
pub(crate) async fn disaster(
    State(shared): State<Arc<Shared>>,
    Json(disaster): Json<Disaster>,
) -> (StatusCode, Json<Value>) {
    let undone = match &disaster {
        Disaster::Cut => Ok(0),
        Disaster::Restart { forget } => {
            shared.act(|world| world.restart(*forget));
            Ok(0)
        }
        Disaster::CancelAll => Ok(shared.act(|world| world.cancel_everything())),
        Disaster::RollBack { seconds } => {
            Ok(shared.act(|world| world.roll_back(world.now().saturating_sub(seconds.saturating_mul(1_000)))))
        }
        Disaster::Relist { symbol, status, tick, lot, min_notional } => shared.act(|world| {
            let listing = world.listing(symbol).map_err(|refusal| refusal.text)?;
            let relisted = world.relist(listing, *status, [tick, lot, min_notional].map(Option::as_deref));
            relisted.map(|()| 0).map_err(|error| error.to_string())
        }),
    };
    if matches!(disaster, Disaster::Cut | Disaster::Restart { .. }) {
        lock(&shared.hub).close_all();
    }
    match undone {
        Ok(undone) => (StatusCode::OK, Json(json!({"undone": undone}))),
        Err(text) => (StatusCode::CONFLICT, Json(json!({"error": text}))),
    }
}
