//! Orders that become other orders: brackets, schedules, icebergs, ladders, replacements.

use super::govern::signed;
use super::operate::{ask_and_print, columns, order_name, side, waits};
use crate::cli::NodeArgs;
use crate::output::{Failure, Format};
use crate::plans::{
    BracketArgs, IcebergArgs, ParentArgs, ReplaceArgs, ScaleArgs, TradeArgs, TwapArgs, VwapArgs, WishArgs,
};
use serde_json::Value;
use std::process::ExitCode;
use tradewind_engine::algo::Ask;
use tradewind_node::{OperatorRequest, OrderWords, ParentWords, PlanWords, ReplaceWords};

fn place(
    wish: &WishArgs,
    trade: Option<&TradeArgs>,
    trigger: Option<String>,
    plan: PlanWords,
    format: Format,
) -> Result<ExitCode, Failure> {
    let order = OrderWords {
        plan: trade.and_then(super::operate::trade),
        symbol: wish.symbol.clone(),
        side: side(&wish.side)?,
        quantity: wish.quantity.clone(),
        price: wish.price.clone(),
        trigger,
        kind: None,
        time_in_force: None,
        post_only: false,
        reduce_only: wish.reduce_only,
        portfolio: wish.portfolio.clone(),
    };
    let request = OperatorRequest::OrderParent(ParentWords { order, plan });
    ask_and_print(&wish.node, &signed(&request, &wish.node.who, Some(&wish.request))?, format, opened)
}

pub(crate) fn bracket(args: &BracketArgs, format: Format) -> Result<ExitCode, Failure> {
    let (target, stop, stop_limit) = (args.target.clone(), args.stop.clone(), args.stop_limit.clone());
    place(&args.wish, None, args.trigger.clone(), PlanWords::Bracket { target, stop, stop_limit }, format)
}

pub(crate) fn twap(args: &TwapArgs, format: Format) -> Result<ExitCode, Failure> {
    place(&args.wish, Some(&args.trade), None, PlanWords::Twap { seconds: args.over, slices: args.slices }, format)
}

pub(crate) fn vwap(args: &VwapArgs, format: Format) -> Result<ExitCode, Failure> {
    let seconds = args.over;
    let plan = match (&args.curve, args.rate) {
        (Some(weights), _) => PlanWords::VwapCurve { seconds, weights: weights.clone() },
        (None, rate) => PlanWords::VwapRate { seconds, rate_bps: rate.unwrap_or(0), clip: args.clip.clone() },
    };
    place(&args.wish, Some(&args.trade), None, plan, format)
}

pub(crate) fn iceberg(args: &IcebergArgs, format: Format) -> Result<ExitCode, Failure> {
    place(&args.wish, Some(&args.trade), None, PlanWords::Iceberg { display: args.display.clone() }, format)
}

pub(crate) fn scale(args: &ScaleArgs, format: Format) -> Result<ExitCode, Failure> {
    let plan = PlanWords::Scale { from: args.from.clone(), to: args.to.clone(), orders: args.orders };
    place(&args.wish, Some(&args.trade), None, plan, format)
}

pub(crate) fn replace(args: &ReplaceArgs, format: Format) -> Result<ExitCode, Failure> {
    let (price, trigger, quantity) = (args.price.clone(), args.trigger.clone(), args.quantity.clone());
    let words = ReplaceWords { client_id: order_name(&args.client_id)?, price, trigger, quantity };
    let request = signed(&OperatorRequest::OrderReplace(words), &args.node.who, Some(&args.request))?;
    ask_and_print(&args.node, &request, format, replaced)
}

/// The parent, or the proposal that it waits as.
fn opened(answer: &Value) -> String {
    if answer["proposal"].is_u64() { waits(answer) } else { parent(answer) }
}

/// What takes the order's place, or the order itself where the venue makes it smaller.
fn replaced(answer: &Value) -> String {
    if answer["proposal"].is_u64() || answer.get("plan").is_some() {
        opened(answer)
    } else {
        super::operate::orders(&Value::Array(vec![answer.clone()]))
    }
}

pub(crate) fn list(node: &NodeArgs, format: Format) -> Result<ExitCode, Failure> {
    ask_and_print(node, &OperatorRequest::ParentList, format, |rows| columns(rows, &NAMES, "none"))
}

pub(crate) fn ask(args: &ParentArgs, ask: Ask, format: Format) -> Result<ExitCode, Failure> {
    let number = args.parent.strip_prefix('p').and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        let message = format!("`{}` is not the name of a bracket, schedule or ladder", args.parent);
        Failure::new("CLI-10", message, "copy it from `tradewind order parents`, such as p7")
    })?;
    let asked = OperatorRequest::ParentAsk { parent: number, ask, reason: args.reason.clone() };
    ask_and_print(&args.node, &asked, format, parent)
}

const NAMES: [&str; 9] = ["parent", "plan", "symbol", "side", "order_type", "amount", "filled", "status", "reason"];

/// A parent and its orders.
fn parent(row: &Value) -> String {
    let mut text = columns(&Value::Array(vec![row.clone()]), &NAMES, "none");
    let orders = columns(&row["orders"], &["client_id", "role", "status", "amount", "filled"], "no orders yet");
    text.push_str("\n\n");
    text.push_str(&orders);
    if let Some(fault) = row["fault"].as_str() {
        text.push_str(&format!("\n\nits last order did not work: {fault}"));
    }
    text
}
