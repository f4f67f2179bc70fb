//! Causes and effects: from the data that was seen over votes, decision and verdict to the fills, a row each.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{ClientOrderId, Sequence, Timestamp};

/// The columns of [`to_csv`].
pub const CSV_HEADER: &str = "chain,step,sequence,at_ns,source,what,cause,text";

/// One event as the export sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub sequence: Sequence,
    /// When it happened.
    pub at: Timestamp,
    /// Who said it.
    pub source: String,
    /// What it is: `bar`, `decision`, `proposal`, `approval`, `verdict`, `intent`, `fill` and so on.
    pub what: &'static str,
    /// The event that led to it.
    pub cause: Option<Sequence>,
    /// The order that it concerns.
    pub order: Option<ClientOrderId>,
    /// The event in words.
    pub text: String,
}

/// One row of the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The order that the chain led to.
    pub chain: ClientOrderId,
    /// Its place in the chain, from 1.
    pub step: usize,
    /// The event's number.
    pub sequence: Sequence,
    /// When it happened, nanoseconds UTC.
    pub at_ns: i64,
    /// Who said it.
    pub source: String,
    /// What it is.
    pub what: &'static str,
    /// The event that led to it.
    pub cause: Option<Sequence>,
    /// The event in words.
    pub text: String,
}

/// The chain of every order: all that led to it, by causes, and all that became of it, oldest first.
///
/// `links` are in the order of their numbers. Chains come in the order of the orders' first mention.
#[must_use]
pub fn chains(links: &[Link]) -> Vec<Vec<Step>> {
    let by_number: BTreeMap<Sequence, &Link> = links.iter().map(|link| (link.sequence, link)).collect();
    let mut members: BTreeMap<ClientOrderId, BTreeSet<Sequence>> = BTreeMap::new();
    let mut first: BTreeMap<ClientOrderId, Sequence> = BTreeMap::new();
    for link in links {
        let Some(order) = link.order else { continue };
        first.entry(order).or_insert(link.sequence);
        let chain = members.entry(order).or_default();
        chain.insert(link.sequence);
        let mut cause = link.cause;
        while let Some(link) = cause.and_then(|number| by_number.get(&number)) {
            if !chain.insert(link.sequence) {
                break; // what led to it is there already
            }
            cause = link.cause.filter(|cause| *cause < link.sequence); // a cause comes before its effect
        }
    }
    let mut orders: Vec<_> = first.into_iter().map(|(order, sequence)| (sequence, order)).collect();
    orders.sort_unstable();
    let chain_of = |order: ClientOrderId| -> Vec<Step> {
        let numbers = members.get(&order).into_iter().flatten();
        let links = numbers.filter_map(|number| by_number.get(number));
        links.zip(1..).map(|(link, place)| step(order, place, link)).collect()
    };
    orders.into_iter().map(|(_, order)| chain_of(order)).collect()
}

fn step(chain: ClientOrderId, step: usize, link: &Link) -> Step {
    Step {
        chain,
        step,
        sequence: link.sequence,
        at_ns: link.at.nanos(),
        source: link.source.clone(),
        what: link.what,
        cause: link.cause,
        text: link.text.clone(),
    }
}

/// A row as one line of JSON.
///
/// # Panics
/// Never: a row has text keys only.
#[must_use]
pub fn to_json_line(step: &Step) -> String {
    serde_json::to_string(step).expect("a row has text keys only")
}

/// A row as one line of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets a `'` before it.
#[must_use]
pub fn to_csv(step: &Step) -> String {
    let cause = step.cause.map(|cause| cause.to_string()).unwrap_or_default();
    let cells = [
        step.chain.to_string(),
        step.step.to_string(),
        step.sequence.to_string(),
        step.at_ns.to_string(),
        cell(&step.source),
        cell(step.what),
        cause,
        cell(&step.text),
    ];
    cells.join(",")
}

fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) || !guard.is_empty() {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
