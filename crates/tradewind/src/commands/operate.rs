//! What a person does to a running node, over its control socket.

use super::govern::{change_lines, hold_rows, signed};
use super::parents;
use crate::cli::{AdoptArgs, HaltArgs, NodeArgs, OcoArgs, OrderCommand, PlaceArgs, PositionCommand, ReasonArgs};
use crate::output::{self, Failure, Format};
use crate::plans::TradeArgs;
use crate::signals;
use serde_json::Value;
use std::process::ExitCode;
use tradewind_domain::{ClientOrderId, Side};
use tradewind_engine::algo::Ask;
use tradewind_node::{
    AdoptWords, GovernRequest, KillKey, KindWords, OcoWords, OperatorReply, OperatorRequest, OrderWords, TradeWords,
    request, wall,
};

pub(crate) fn ask(node: &NodeArgs, asked: &OperatorRequest) -> Result<Value, Failure> {
    let asked = signed(asked, &node.who, None)?;
    if !asked.only_looks() {
        signals::asking_a_node();
    }
    match request(&node.data_dir, &asked)? {
        OperatorReply::Done { data } => Ok(data),
        OperatorReply::Failed { code, message, hint } => Err(Failure::new(&code, message, hint)),
    }
}

pub(crate) fn ask_and_print(
    node: &NodeArgs,
    asked: &OperatorRequest,
    format: Format,
    text: impl FnOnce(&Value) -> String,
) -> Result<ExitCode, Failure> {
    let data = ask(node, asked)?;
    output::print(format, &data, || text(&data));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn order(command: &OrderCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        OrderCommand::Place(args) => {
            let words = OperatorRequest::OrderPlace(words(args)?);
            let words = signed(&words, &args.node.who, Some(&args.request))?;
            ask_and_print(&args.node, &words, format, |placed| match placed["parent"].as_str() {
                _ if placed["proposal"].is_u64() => waits(placed),
                Some(name) if placed["client_id"].is_null() && args.waits() => {
                    format!("the venue keeps no such orders: {name} waits for its price in this node")
                }
                Some(name) if placed["client_id"].is_null() => {
                    format!("{name} guards what this closes, and closes it itself; see `tradewind order parents`")
                }
                guard => {
                    let guard = guard.map(|name| format!("\n{name} guards what fills; see `tradewind order parents`"));
                    let asked = placed["asked"].as_str();
                    let smaller = asked
                        .map(|asked| format!("\n{asked} were asked for; `tradewind journal show` says why it is less"));
                    let after = [guard, smaller].map(Option::unwrap_or_default).concat();
                    orders(&Value::Array(vec![placed.clone()])) + &after
                }
            })
        }
        OrderCommand::Bracket(args) => parents::bracket(args, format),
        OrderCommand::Twap(args) => parents::twap(args, format),
        OrderCommand::Vwap(args) => parents::vwap(args, format),
        OrderCommand::Iceberg(args) => parents::iceberg(args, format),
        OrderCommand::Scale(args) => parents::scale(args, format),
        OrderCommand::Replace(args) => parents::replace(args, format),
        OrderCommand::Parents(node) => parents::list(node, format),
        OrderCommand::Pause(args) => parents::ask(args, Ask::Pause, format),
        OrderCommand::Continue(args) => parents::ask(args, Ask::Resume, format),
        OrderCommand::End(args) => parents::ask(args, Ask::Cancel, format),
        OrderCommand::Abandon(args) => parents::ask(args, Ask::Abandon, format),
        OrderCommand::Oco(args) => {
            let asked = signed(&OperatorRequest::OrderOco(pair(args)?), &args.node.who, Some(&args.request))?;
            ask_and_print(&args.node, &asked, format, |pair| match pair["proposal"].is_u64() {
                true => waits(pair),
                false => orders(pair),
            })
        }
        OrderCommand::Cancel { client_id, node } => {
            let asked = OperatorRequest::OrderCancel { client_id: order_name(client_id)? };
            ask_and_print(node, &asked, format, |order| orders(&Value::Array(vec![order.clone()])))
        }
        OrderCommand::List(node) => ask_and_print(node, &OperatorRequest::OrderList, format, orders),
    }
}

/// Reads the name of an order.
pub(crate) fn order_name(text: &str) -> Result<ClientOrderId, Failure> {
    ClientOrderId::parse(text).ok_or_else(|| {
        let message = format!("`{text}` is not an order's name");
        Failure::new("CLI-10", message, "copy it from `tradewind order list`")
    })
}

pub(crate) fn side(text: &str) -> Result<Side, Failure> {
    match text.to_ascii_lowercase().as_str() {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        other => Err(Failure::new("CLI-10", format!("--side `{other}` is unknown"), "write buy or sell")),
    }
}

fn pair(args: &OcoArgs) -> Result<OcoWords, Failure> {
    Ok(OcoWords {
        symbol: args.symbol.clone(),
        side: side(&args.side)?,
        quantity: args.quantity.clone(),
        target: args.target.clone(),
        stop: args.stop.clone(),
        stop_limit: args.stop_limit.clone(),
        reduce_only: args.reduce_only,
        portfolio: args.portfolio.clone(),
    })
}

/// The plan of an order, if any of it was given.
pub(super) fn trade(args: &TradeArgs) -> Option<Box<TradeWords>> {
    let (stop, target) = (args.stop.clone(), args.target.clone());
    let (confidence, atr, regime) = (args.confidence.clone(), args.atr.clone(), args.regime.clone());
    let words = TradeWords { stop, target, confidence, atr, regime };
    (words != TradeWords::default()).then(|| Box::new(words))
}

fn words(args: &PlaceArgs) -> Result<OrderWords, Failure> {
    Ok(OrderWords {
        plan: trade(&args.trade),
        symbol: args.symbol.clone(),
        side: side(&args.side)?,
        quantity: args.quantity.clone(),
        price: args.price.clone(),
        trigger: args.trigger.clone(),
        kind: match (args.kind.as_deref(), &args.offset) {
            (Some("trailing"), Some(offset)) => {
                Some(KindWords::Trailing { offset: offset.clone(), activation: args.activation.clone() })
            }
            (Some(_), _) => Some(KindWords::Touched),
            (None, _) => None,
        },
        time_in_force: args.time_in_force.clone(),
        post_only: args.post_only,
        reduce_only: args.reduce_only,
        portfolio: args.portfolio.clone(),
    })
}

pub(crate) fn position(command: &PositionCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        PositionCommand::List(node) => ask_and_print(node, &OperatorRequest::PositionList, format, positions),
        PositionCommand::Close { symbol, node } => {
            let asked = OperatorRequest::PositionClose { symbol: symbol.clone() };
            ask_and_print(node, &asked, format, |done| closing(symbol, done))
        }
        PositionCommand::Exempt { symbol, node, reason, portfolio, end } => {
            let (symbol, reason) = (symbol.clone(), reason.clone());
            let asked = OperatorRequest::PositionExempt { symbol, portfolio: portfolio.clone(), reason, end: *end };
            ask_and_print(node, &asked, format, positions)
        }
    }
}

/// What closes at once, and what must be taken back before the rest can be.
fn closing(symbol: &str, done: &Value) -> String {
    let mut text = format!("closing {symbol}; see `tradewind position list`");
    for it in done.as_array().into_iter().flatten().map(|reply| &reply["data"]).filter(|it| !it["left"].is_null()) {
        let of = |what: &str| it[what].as_array().map_or(0, Vec::len);
        let some = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (portfolio, left, exit) = (field(it, "portfolio"), field(it, "left"), field(it, "exit"));
        text.push_str(&format!("\n{portfolio}: the exit of {left} goes out {exit}"));
        if of("cancels") + of("parents") > 0 {
            let (orders, plans) = (some(of("cancels"), "order"), some(of("parents"), "plan"));
            text.push_str(&format!(" (taken back: {orders} and {plans})"));
        }
    }
    text
}

/// What a flatten leaves to a person who wants to stay flat.
const ENTERS_AGAIN: &str = "\nstrategies may enter again at their next bar: `tradewind halt` first keeps it flat";

pub(crate) fn flatten(node: &NodeArgs, format: Format) -> Result<ExitCode, Failure> {
    ask_and_print(node, &OperatorRequest::Flatten, format, |done| {
        let (refused, exits): (Vec<_>, Vec<_>) =
            done["exits"].as_array().into_iter().flatten().partition(|reply| reply["code"].is_string());
        let exits = exits.len();
        let later = done["exits_after_cancels"].as_u64().filter(|later| *later > 0);
        let later = later.map_or_else(String::new, |later| format!("; {later} more when the cancels are through"));
        let mut text = format!("{} cancels and {exits} exits are on their way{later}", done["cancels"]);
        for it in refused {
            let (code, message) = (field(it, "code"), field(it, "message"));
            text.push_str(&format!("\nan exit was refused and is tried again: {code}: {message}"));
        }
        for it in done["kept_by_others"].as_array().into_iter().flatten() {
            let (portfolio, symbol, exit) = (field(it, "portfolio"), field(it, "symbol"), field(it, "exit"));
            text.push_str(&format!("\n{portfolio}: all of {symbol} goes out {exit}"));
        }
        if done["halted"] != true {
            text.push_str(ENTERS_AGAIN);
        }
        text
    })
}

/// An order that waits for people.
pub(crate) fn waits(held: &Value) -> String {
    let rows = super::govern::proposal_rows(&Value::Array(vec![held.clone()]));
    if held["state"] == "proposed" {
        return format!("it waits for {} to approve it within 120 s\n{rows}", field(held, "quorum"));
    }
    format!("it was asked for before, under this key\n{rows}")
}

pub(crate) fn adopt(args: &AdoptArgs, format: Format) -> Result<ExitCode, Failure> {
    let words = AdoptWords { order: args.order.clone(), balances: args.balances };
    ask_and_print(&args.node, &OperatorRequest::Adopt(words), format, |done| {
        let orders = done["orders"].as_array().map_or(0, Vec::len);
        let mut text = format!("{orders} orders and {} executions adopted", done["executions"]);
        for why in done["left"].as_object().into_iter().flatten().filter_map(|(_, why)| why.as_str()) {
            text.push_str(&format!("\nleft to the other hand: {why}"));
        }
        for (currency, amount) in done["balances"].as_object().into_iter().flatten() {
            text.push_str(&format!("\n{currency} {} booked", amount.as_str().unwrap_or_default()));
        }
        if let Some(why) = done["restricted"].as_str() {
            text.push_str(&format!("\nonly what reduces is still allowed: {why}; `tradewind resume` ends it"));
        }
        text
    })
}

pub(crate) fn halt(args: &HaltArgs, format: Format) -> Result<ExitCode, Failure> {
    let (args, kill_key) = (&args.why, &args.kill_key);
    if let Some(scope) = &args.scope {
        let latch = GovernRequest::Latch { scope: scope.clone(), reason: args.reason.clone() };
        return ask_and_print(&args.node, &OperatorRequest::Govern(latch), format, |_| format!("{scope} is halted"));
    }
    let asked = match kill_key {
        Some(path) => OperatorRequest::HaltSigned(KillKey::read(path)?.sign(&args.reason, wall())?),
        None => OperatorRequest::Halt { reason: args.reason.clone() },
    };
    ask_and_print(&args.node, &asked, format, |_| {
        "halted: no new orders but exits; `tradewind resume` ends it, `tradewind flatten` closes positions".to_owned()
    })
}

pub(crate) fn resume(args: &ReasonArgs, format: Format) -> Result<ExitCode, Failure> {
    if let Some(scope) = &args.scope {
        let clear = GovernRequest::Clear { scope: scope.clone(), reason: args.reason.clone() };
        return ask_and_print(&args.node, &OperatorRequest::Govern(clear), format, |answer| {
            resumed(&format!("{scope} is free"), answer)
        });
    }
    let asked = OperatorRequest::Resume { reason: args.reason.clone() };
    ask_and_print(&args.node, &asked, format, |answer| match answer["changes"][0]["state"]["state"].as_str() {
        Some("asked") => change_lines(answer),
        _ => resumed("it was resumed", answer),
    })
}

/// What `done` leaves on, with how to clear it; without any of that everything trades again.
fn resumed(done: &str, answer: &Value) -> String {
    match answer["holds"].as_array() {
        Some(holds) if !holds.is_empty() => {
            format!("{done}; what still holds trading:\n{}", hold_rows(&answer["holds"]))
        }
        _ => "trading again".to_owned(),
    }
}

pub(crate) fn stop(node: &NodeArgs, format: Format) -> Result<ExitCode, Failure> {
    ask_and_print(node, &OperatorRequest::Stop, format, |_| "stopping".to_owned())
}

pub(crate) fn status(node: &NodeArgs, format: Format) -> Result<ExitCode, Failure> {
    ask_and_print(node, &OperatorRequest::Status, format, status_text)
}

pub(crate) fn field(row: &Value, name: &str) -> String {
    match row.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        // an average is a quotient: its noise behind the eighth decimal is for JSON alone
        Some(Value::Number(number)) if number.is_f64() => {
            let rounded = format!("{:.8}", number.as_f64().unwrap_or(f64::NAN));
            rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Some(Value::Object(amounts)) if amounts.is_empty() => "-".to_owned(),
        Some(Value::Object(amounts)) if amounts.values().all(Value::is_string) => {
            let amount = |(currency, units): (&String, &Value)| format!("{} {currency}", units.as_str().unwrap_or("-"));
            amounts.iter().map(amount).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

pub(crate) fn columns(rows: &Value, names: &[&str], empty: &str) -> String {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return empty.to_owned();
    }
    output::table(names, rows.iter().map(|row| names.iter().map(|name| field(row, name)).collect()))
}

pub(crate) fn orders(rows: &Value) -> String {
    let mut rows = rows.clone();
    for row in rows.as_array_mut().into_iter().flatten() {
        let terms = terms(row);
        if let Value::Object(row) = row {
            row.insert("terms".to_owned(), terms.into());
        }
    }
    let names = [
        "client_id",
        "symbol",
        "side",
        "order_type",
        "status",
        "amount",
        "filled",
        "price",
        "trigger",
        "terms",
        "average",
        "cost",
        "fees",
        "closed_reason",
        "decision_id",
    ];
    columns(&rows, &names, "no orders")
}

/// What bounds an order, where it is not just good till cancelled.
fn terms(order: &Value) -> Option<String> {
    let time = order["time_in_force"].as_str().filter(|time| *time != "gtc");
    let flags = [("post_only", "post only"), ("reduce_only", "reduce only")];
    let flags = flags.into_iter().filter(|(name, _)| order[name] == true).map(|(_, words)| words);
    let all: Vec<&str> = time.into_iter().chain(flags).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn positions(rows: &Value) -> String {
    columns(
        rows,
        &["portfolio", "symbol", "quantity", "entry_price", "mark", "unrealised", "fees", "dust", "protection"],
        "no positions",
    )
}

/// How well a book can take our orders, in one line.
fn liquidity(instrument: &Value) -> String {
    let it = &instrument["liquidity"];
    let number = |name: &str, digits: usize| it[name].as_f64().map(|value| format!("{value:.digits$}"));
    let spread = number("spread_bps", 1).map_or_else(|| "no spread".to_owned(), |bps| format!("a spread of {bps} bps"));
    let beyond = |name: &str, verb: &str| it[name].as_str().map(|size| format!("{verb} of more than {size}"));
    let sliced: Vec<String> =
        [beyond("buy_up_to", "a buy"), beyond("sell_up_to", "a sell")].into_iter().flatten().collect();
    let advice = if sliced.is_empty() { String::new() } else { format!("; slice {}", sliced.join(", ")) };
    format!(
        "\nliquidity of {}: {} ({} of 100), {spread}{advice}",
        field(instrument, "symbol"),
        field(it, "class"),
        number("score", 0).unwrap_or_default(),
    )
}

fn status_text(status: &Value) -> String {
    let halted = status["halted"].as_str().map_or_else(|| "no".to_owned(), |why| format!("yes, {why}"));
    let counters = &status["counters"];
    let mut text = format!(
        "mode {}, halted: {halted}, risk mode: {}\n{}\n\nevents {}, orders {}, fills {}, vetoes {}, open orders {}, unknown {}, without a decision {}\n\n",
        field(status, "mode"),
        field(status, "risk_mode"),
        hold_rows(&status["holds"]),
        status["sequence"],
        counters["orders"],
        counters["fills"],
        counters["veto"],
        status["open_orders"],
        status["unknown_orders"],
        status["orders_without_decision"],
    );
    text.push_str(&columns(&status["portfolios"], &["name", "equity", "day_profit", "base"], "no portfolios"));
    text.push_str("\n\n");
    text.push_str(&columns(&status["instruments"], &["symbol", "mark", "mark_at", "origin"], "no instruments"));
    for it in status["instruments"].as_array().into_iter().flatten().filter(|it| it["liquidity"].is_object()) {
        text.push_str(&liquidity(it));
    }
    text.push_str("\n\nlatency in microseconds\n");
    let latency = ["frame_to_decision", "decision_to_bytes", "frame_to_bytes"].map(|name| {
        let row = &status["latency"][name];
        vec![
            name.replace('_', " "),
            field(row, "count"),
            field(row, "p50_us"),
            field(row, "p99_us"),
            field(row, "max_us"),
            octaves(row),
        ]
    });
    text.push_str(&output::table(&["", "count", "p50", "p99", "max", "a bar for each doubling"], latency));
    for position in status["unprotected"].as_array().into_iter().flatten() {
        text.push_str(&format!(
            "\nwithout a stop: {} in {} for {} s; after {} s only reducing orders of it pass",
            field(position, "symbol"),
            field(position, "portfolio"),
            position["age_seconds"],
            position["limit_seconds"],
        ));
    }
    for contract in status["liquidations"].as_array().into_iter().flatten() {
        text.push_str(&format!(
            "\nliquidation of {} in {}: {} away, at {}",
            field(contract, "symbol"),
            field(contract, "portfolio"),
            field(contract, "distance"),
            field(contract, "price"),
        ));
    }
    text.push_str("\n\n");
    let columns_of = ["component", "state", "since", "last_success", "why"];
    text.push_str(&columns(&status["components"], &columns_of, "no components"));
    for notice in status["notices"].as_array().into_iter().flatten() {
        text.push_str(&format!("\nnotice: {}", notice.as_str().unwrap_or_default()));
    }
    text
}

/// The buckets of a histogram as a line of bars, one for each doubling of the time, from the shortest to the longest.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn octaves(row: &Value) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let mut counts = std::collections::BTreeMap::<i32, u64>::new();
    for bucket in row["buckets"].as_array().into_iter().flatten() {
        let (Some(below), Some(count)) = (bucket["below_us"].as_f64(), bucket["count"].as_u64()) else { continue };
        *counts.entry(below.log2().ceil() as i32).or_default() += count;
    }
    let (Some(first), Some(last)) = (counts.keys().next(), counts.keys().next_back()) else { return "-".to_owned() };
    let most = counts.values().copied().max().unwrap_or(1);
    let bar = |power: i32| match counts.get(&power) {
        None => ' ',
        Some(count) => BARS[(*count as f64 / most as f64 * 7.0).round() as usize],
    };
    let bars: String = (*first..=*last).map(bar).collect();
    format!("{bars} up to {} us", 2_f64.powi(*last))
}
