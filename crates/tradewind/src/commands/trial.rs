//! `tradewind doctor --trade`: one order on a local exchange, from the wish to the fill to the close.
//!
//! Nothing is shortened: a node on an exchange of its own is asked over its control socket, as `order place` and
//! `position close` ask it, so the order passes the gate, the journal, the wire and the venue's answers.

use super::journal;
use super::local::{self, Market, Stage};
use super::operate::{self, field};
use crate::cli::{Checking, NodeArgs, WhoArgs};
use crate::output::{self, Failure, Format};
use crate::signals::{self, End};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tradewind_domain::{LEDGER_DECIMALS, NumberError, Origin, Side, Symbol, Timestamp, format_decimal, parse_decimal};
use tradewind_exchange::SymbolConfig;
use tradewind_node::{
    DataDir, Ended, Node, NodeError, OperatorRequest, OrderView, OrderWords, PositionView, socket_path, wall,
};

/// Of the account, in the quote currency.
const CASH: &str = "10000";
/// The market is the same each time.
const SEED: u64 = 1;
/// How long a step may take.
const STEP_WITHIN: Duration = Duration::from_secs(5);
/// How long all of them may take. A node takes three seconds at most to stop: together less than ten.
const STEPS_WITHIN: Duration = Duration::from_millis(6_500);
/// How often an answer that is not there yet is asked for.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// A trade that went through. Prices, sizes and fees are decimal text.
#[derive(Serialize)]
struct Trial {
    ok: bool,
    origin: Origin,
    symbol: String,
    order: Wish,
    fill: Execution,
    close: Execution,
    position: Rest,
    journal: &'static str,
    events: u64,
    milliseconds: u64,
    /// Where the journal stays; none where it was a temporary one.
    data_dir: Option<PathBuf>,
}

/// What was asked for.
#[derive(Serialize)]
struct Wish {
    client_id: String,
    side: String,
    order_type: String,
    quantity: String,
    /// The market's price before it.
    mark: String,
    /// The worst price that the gate let it take.
    worst: Option<String>,
    /// When it was asked for, by this machine's clock.
    at: String,
}

/// An order that was filled.
#[derive(Serialize)]
struct Execution {
    client_id: String,
    side: String,
    quantity: String,
    price: String,
    fees: BTreeMap<String, String>,
    /// When whoever asked saw it filled, by this machine's clock.
    at: String,
    /// When it was filled, by the market's clock.
    market_at: String,
    /// From the wish to [`Self::at`].
    milliseconds: u64,
}

/// What is left of the position: nothing, or too little to order.
#[derive(Serialize)]
struct Rest {
    quantity: String,
    dust: bool,
}

pub(crate) fn run(data_dir: Option<&Path>, format: Format) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let listed = listed();
    let market = Market { port: 0, seed: SEED, speed: 1.0, tape: None, cash: CASH };
    let stage = market.stage()?;
    let played = stage.play(play(&market, &stage, data_dir, &listed, Budget { began }));
    stage.close();
    let (traded, ended, place) = played?;
    if let Some(fault) = journal::check(&DataDir::new(&place.path).journal()).fault(Checking::Doctor) {
        return Err(fault);
    }
    let Traded { order, fill, close, position } = traded;
    let trial = Trial {
        ok: true,
        origin: market.origin(),
        symbol: listed.symbol.to_string(),
        order,
        fill,
        close,
        position,
        journal: "verified",
        events: ended.state.sequence,
        milliseconds: millis(began.elapsed()),
        data_dir: data_dir.map(Path::to_owned),
    };
    output::print(format, &trial, || text(&trial));
    Ok(ExitCode::SUCCESS)
}

/// The first pair of a local exchange.
fn listed() -> SymbolConfig {
    SymbolConfig::defaults().into_iter().next().expect("a local exchange lists three pairs")
}

/// Where the node keeps its data: a folder that is gone afterwards, unless somebody names one.
struct Place {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Place {
    fn of(given: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = given {
            return Self::kept(path);
        }
        let made = tempfile::Builder::new().prefix("tradewind-").tempdir();
        let made = made.map_err(|error| Failure::file(&std::env::temp_dir(), &error))?;
        Ok(Self { path: made.path().to_owned(), _temporary: Some(made) })
    }

    /// A trial begins a journal of its own, and sets nobody's aside.
    fn kept(path: &Path) -> Result<Self, Failure> {
        if DataDir::new(path).journal().exists() {
            let hint = "name a directory without a journal, or leave --data-dir out";
            return Err(Failure::new("CLI-18", format!("{} holds a journal already", path.display()), hint));
        }
        Ok(Self { path: path.to_owned(), _temporary: None })
    }
}

/// What is left of the time.
struct Budget {
    began: Instant,
}

impl Budget {
    /// The result of a step, which ends when its time is up.
    async fn within<T>(&self, step: &str, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let limit = STEPS_WITHIN.saturating_sub(self.began.elapsed()).min(STEP_WITHIN);
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(failure)) => Err(Failure { message: format!("{step}: {}", failure.message), ..failure }),
            Err(_) => {
                let message = format!("{step} did not come to an end within {} ms", limit.as_millis());
                let hint = "try again while the machine is less busy; `--data-dir DIR` keeps the journal for a look";
                Err(Failure::new("CLI-16", message, hint))
            }
        }
    }
}

/// What a node was asked for, and what came of it.
struct Traded {
    order: Wish,
    fill: Execution,
    close: Execution,
    position: Rest,
}

/// A node from its start to its end, which is in order whatever came of the trade; and where its data are.
async fn play(
    market: &Market<'_>,
    stage: &Stage,
    data_dir: Option<&Path>,
    listed: &SymbolConfig,
    budget: Budget,
) -> Result<(Traded, Ended, Place), Failure> {
    let mut end = End::in_order(); // before there is a folder that a signal could leave behind
    let place = Place::of(data_dir)?;
    let (url, symbols) = (stage.exchange().url(), vec![listed.symbol.clone()]);
    let settings = local::settings(&url, market.speed, place.path.clone(), symbols, &[]);
    let started = async { Node::start(settings, market.surroundings()).await.map_err(Failure::from_coded) };
    let node = budget.within("the start of the node", Box::pin(started)).await?;
    let person = Person { data_dir: place.path.clone() };
    let traded = tokio::select! {
        traded = trade(&person, listed, &budget) => traded,
        () = end.asked() => Err(signals::failure("interrupted before the trade was through")),
    };
    let ended = Box::pin(node.stop()).await;
    Ok((traded?, ended?, place))
}

/// Buys, waits for the fill, closes, waits until nothing is held.
async fn trade(person: &Person, listed: &SymbolConfig, budget: &Budget) -> Result<Traded, Failure> {
    let mark = budget.within("the market's first price", person.mark(&listed.symbol)).await?;
    let asked = Asked::now();
    let wish = OperatorRequest::OrderPlace(buy(listed, smallest_buy(listed, &mark)?));
    let placed: OrderView = budget.within("placing the order", person.ask(wish)).await?;
    let filled = budget.within("the fill of the order", person.filled(&placed.client_id)).await?;
    let fill = asked.until(filled);
    let order = Wish::of(placed, mark, &asked);

    let asked = Asked::now();
    let wish = OperatorRequest::PositionClose { symbol: listed.symbol.to_string() };
    let _: Value = budget.within("asking for the close", person.ask(wish)).await?;
    let position = budget.within("the close of the position", person.flat()).await?;
    let closed = budget.within("the fill of the close", person.sold()).await?;
    let close = asked.until(closed);
    Ok(Traded { order, fill, close, position })
}

/// When something was asked for.
struct Asked {
    at: Timestamp,
    since: Instant,
}

impl Asked {
    fn now() -> Self {
        Self { at: wall(), since: Instant::now() }
    }

    /// The fill that was waited for, seen just now.
    fn until(&self, filled: OrderView) -> Execution {
        let took = self.since.elapsed();
        let nanos = i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
        Execution {
            client_id: filled.client_id,
            side: filled.side,
            quantity: filled.filled,
            price: filled.average.unwrap_or_default(),
            fees: filled.fees.unwrap_or_default(),
            at: self.at.plus_nanos(nanos).to_string(),
            market_at: filled.updated_at,
            milliseconds: millis(took),
        }
    }
}

/// Asks a node over its control socket, as the commands for people do.
struct Person {
    data_dir: PathBuf,
}

impl Person {
    async fn ask<T: DeserializeOwned>(&self, asked: OperatorRequest) -> Result<T, Failure> {
        let node = NodeArgs { data_dir: self.data_dir.clone(), who: WhoArgs { by: None, token_file: None } };
        let answer = tokio::task::spawn_blocking(move || operate::ask(&node, &asked)).await;
        let answer = answer.map_err(|error| Failure::new("CLI-02", error.to_string(), "free memory or threads"))??;
        let unread = |error: serde_json::Error| NodeError::NoAnswer {
            path: socket_path(&self.data_dir),
            reason: error.to_string(),
        };
        Ok(serde_json::from_value(answer).map_err(unread)?)
    }

    /// Asks until `found` makes something of the answer.
    async fn until<T, A: DeserializeOwned>(
        &self,
        asked: &OperatorRequest,
        found: impl Fn(A) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        loop {
            if let Some(found) = found(self.ask(asked.clone()).await?)? {
                return Ok(found);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn mark(&self, symbol: &Symbol) -> Result<String, Failure> {
        let symbol = symbol.to_string();
        let found = |status: Value| {
            let rows = status["instruments"].as_array().into_iter().flatten();
            let mark = rows.filter(|row| row["symbol"] == symbol.as_str()).find_map(|row| row["mark"].as_str());
            Ok(mark.map(str::to_owned))
        };
        self.until(&OperatorRequest::Status, found).await
    }

    async fn filled(&self, client_id: &str) -> Result<OrderView, Failure> {
        let found = |orders: Vec<OrderView>| match orders.into_iter().find(|it| it.client_id == client_id) {
            Some(order) if order.status == "filled" => Ok(Some(order)),
            Some(order) if is_over(&order) => Err(unfilled(&order)),
            _ => Ok(None),
        };
        self.until(&OperatorRequest::OrderList, found).await
    }

    /// What is left once nothing is held that could be ordered.
    async fn flat(&self) -> Result<Rest, Failure> {
        let found = |positions: Vec<PositionView>| {
            let is_flat = positions.iter().all(|it| it.dust);
            let left = positions.into_iter().next().map(|it| Rest { quantity: it.quantity, dust: true });
            Ok(is_flat.then(|| left.unwrap_or(Rest { quantity: "0".to_owned(), dust: false })))
        };
        self.until(&OperatorRequest::PositionList, found).await
    }

    /// The newest sale.
    async fn sold(&self) -> Result<OrderView, Failure> {
        let is_sale = |it: &OrderView| it.side == "sell" && it.status == "filled";
        let found = |orders: Vec<OrderView>| Ok(orders.into_iter().find(is_sale));
        self.until(&OperatorRequest::OrderList, found).await
    }
}

fn is_over(order: &OrderView) -> bool {
    matches!(order.status.as_str(), "canceled" | "rejected" | "expired")
}

fn unfilled(order: &OrderView) -> Failure {
    let why = order.closed_reason.as_deref().unwrap_or("nobody said why");
    let message =
        format!("order {} is {} after {} of {}: {why}", order.client_id, order.status, order.filled, order.amount);
    Failure::new("CLI-17", message, "`--data-dir DIR` keeps the journal: see `tradewind journal show DIR`")
}

fn buy(listed: &SymbolConfig, quantity: String) -> OrderWords {
    OrderWords {
        symbol: listed.symbol.to_string(),
        side: Side::Buy,
        quantity,
        price: None,
        trigger: None,
        kind: None,
        time_in_force: None,
        post_only: false,
        reduce_only: false,
        portfolio: None,
        plan: None,
    }
}

/// The least that can be bought at `mark` and closed again: a tenth over the smallest notional, in whole lots, and what
/// the venue keeps of it as its fee, which costs a lot as soon as it takes a part of one.
fn smallest_buy(listed: &SymbolConfig, mark: &str) -> Result<String, NumberError> {
    let units = |text: &str| parse_decimal(text, LEDGER_DECIMALS).map(i128::from);
    let (lot, least, mark) = (units(&listed.lot)?, units(&listed.min_notional)?, units(mark)?);
    let unit = 10_i128.pow(LEDGER_DECIMALS.into());
    let worth = (lot * mark).max(1); // of a lot, at twice the decimals
    let wanted = least * unit * 11 / 10;
    let lots = (wanted + worth - 1) / worth;
    Ok(format_decimal((lots + 1 + lots / 500) * lot, LEDGER_DECIMALS))
}

impl Wish {
    fn of(placed: OrderView, mark: String, asked: &Asked) -> Self {
        let OrderView { client_id, side, order_type, amount: quantity, worst, .. } = placed;
        Self { client_id, side, order_type, quantity, mark, worst, at: asked.at.to_string() }
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn text(trial: &Trial) -> String {
    let Wish { side, quantity, mark, worst, at, .. } = &trial.order;
    let worst = worst.as_deref().map_or_else(String::new, |worst| format!(", {worst} at worst"));
    let asked = format!("market{worst}");
    let order: [&str; 7] = ["order", side, quantity, &asked, "-", at, "-"];
    let rows = [cells(order), execution("fill", &trial.fill), execution("close", &trial.close)];
    let table = output::table(&["", "side", "quantity", "price", "fees", "at", "ms"], rows);
    let left = match trial.position.dust {
        true => format!("{} of it is left, too little to order", trial.position.quantity),
        false => "nothing of it is left".to_owned(),
    };
    let kept =
        trial.data_dir.as_ref().map(|dir| format!("\nlook at it with: tradewind journal show {}", dir.display()));
    format!(
        "a trade of {} on a simulated market, whose price was {mark}, in {} ms; no keys, no settings\n\n{table}\n\n\
         {left}\njournal: {} events, {}{}",
        trial.symbol,
        trial.milliseconds,
        trial.events,
        trial.journal,
        kept.unwrap_or_default(),
    )
}

fn execution(name: &str, it: &Execution) -> Vec<String> {
    let fees = field(&serde_json::json!({ "fees": it.fees }), "fees");
    cells([name, &it.side, &it.quantity, &it.price, &fees, &it.at, &it.milliseconds.to_string()])
}

fn cells(words: [&str; 7]) -> Vec<String> {
    words.map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_buy_leaves_enough_after_its_fee_to_be_sold() {
        let listed = |lot: &str| SymbolConfig { lot: lot.to_owned(), ..listed() };
        for (lot, mark, want) in [
            ("0.00001", "71902.57", "0.00009"), // eight lots are worth 5.75, and the fee costs a part of the ninth
            ("0.00001", "60000", "0.00011"),
            ("0.00001", "1", "5.51101"), // 550000 lots, and 1101 for the fee
            ("1", "100", "2"),
        ] {
            assert_eq!(smallest_buy(&listed(lot), mark).unwrap(), want, "{lot} at {mark}");
        }
        assert!(smallest_buy(&listed("0.00001"), "much").is_err());
    }

    #[test]
    fn a_directory_with_a_journal_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Place::of(Some(dir.path())).is_ok());
        std::fs::create_dir(DataDir::new(dir.path()).journal()).unwrap();
        assert_eq!(Place::of(Some(dir.path())).err().unwrap().code, "CLI-18");
        let made = Place::of(None).unwrap().path;
        assert!(!made.exists(), "{}", made.display());
    }
}
