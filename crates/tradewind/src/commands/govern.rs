//! `tradewind proposals`, `tradewind limits` and `tradewind audit`.

use crate::cli::{
    AuditCommand, Checking, LimitsCommand, NodeArgs, ProposalsCommand, RequestArgs, StageCommand, WhoArgs,
};
use crate::commands::operate::{ask, ask_and_print, columns, field};
use crate::output::{self, Failure, Format};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use tradewind_domain::Coded;
use tradewind_governance::audit::{CSV_HEADER, to_csv, to_json_line};
use tradewind_node::AuditStatistics;
use tradewind_node::{GovernRequest, OperatorRequest, Signed, StageMove, Token, audit, audit_chains, audit_statistics};

/// `request` as the person that `who` names, under `key` if there is one.
pub(crate) fn signed(
    request: &OperatorRequest,
    who: &WhoArgs,
    with: Option<&RequestArgs>,
) -> Result<OperatorRequest, Failure> {
    let (key, decision) = (with.and_then(|it| it.key.clone()), with.and_then(|it| it.decision.clone()));
    if who.by.is_none() && key.is_none() && decision.is_none() || matches!(request, OperatorRequest::Signed(_)) {
        return Ok(request.clone());
    }
    let token = match &who.token_file {
        Some(path) => Some(Token(std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?)),
        None => None,
    };
    Ok(OperatorRequest::Signed(Signed { by: who.by.clone(), token, key, decision, request: Box::new(request.clone()) }))
}

pub(crate) fn proposals(command: &ProposalsCommand, format: Format) -> Result<ExitCode, Failure> {
    let ask_for = |node: &NodeArgs, request, text: fn(&Value) -> String| {
        ask_and_print(node, &OperatorRequest::Govern(request), format, text)
    };
    match command {
        ProposalsCommand::List(node) => ask_for(node, GovernRequest::ProposalList, proposal_rows),
        ProposalsCommand::Show { id, node } => ask_for(node, GovernRequest::ProposalShow { id: *id }, proposal_page),
        ProposalsCommand::Approve { id, hash, node } => {
            let hash = match hash {
                Some(hash) => hash.clone(),
                None => seen(node, *id)?,
            };
            let request = OperatorRequest::Govern(GovernRequest::ProposalApprove { id: *id, hash });
            ask_and_print(node, &request, format, proposal_page)
        }
        ProposalsCommand::Reject { id, reason, changes, node } => {
            let request = GovernRequest::ProposalReject { id: *id, reason: reason.clone(), changes: *changes };
            ask_and_print(node, &OperatorRequest::Govern(request), format, proposal_page)
        }
    }
}

/// Shows the proposal on stderr and gives back the hash of what was shown: that, and nothing else, is approved.
fn seen(node: &NodeArgs, id: u64) -> Result<String, Failure> {
    let page = ask(node, &OperatorRequest::Govern(GovernRequest::ProposalShow { id }))?;
    output::note(&format!("{}\n", proposal_page(&page)));
    Ok(page["hash"].as_str().unwrap_or_default().to_owned())
}

/// What somebody wrote, so that it can neither leave its quotation nor deceive the eye: what is not printable ASCII is
/// shown as its number, and a quotation mark as two apostrophes.
fn quotation(text: &str) -> String {
    let plain = |letter: char| match letter {
        '"' => "''".to_owned(),
        ' '..='~' => letter.to_string(),
        other => other.escape_unicode().to_string(),
    };
    text.chars().map(plain).collect()
}

pub(crate) fn proposal_rows(rows: &Value) -> String {
    let names = [
        "proposal",
        "state",
        "by",
        "symbol",
        "side",
        "quantity",
        "limit",
        "trigger",
        "worth at most",
        "quorum",
        "seconds left",
        "order_id",
        "note",
    ];
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.is_empty() {
        return "no proposals".to_owned();
    }
    output::table(&names, rows.iter().map(|row| names.iter().map(|name| proposal_cell(row, name)).collect()))
}

/// What stands in the row of a proposal: of a pair the limit of its target, the trigger of its stop, and the larger worth.
fn proposal_cell(row: &Value, name: &str) -> String {
    let orders = [&row["order"], &row["other_order"]];
    let of_either = |name| orders.map(|order| field(order, name)).into_iter().find(|cell| cell != "-");
    match name {
        "quantity" | "limit" | "trigger" => of_either(name).unwrap_or_else(|| "-".to_owned()),
        "worth at most" => field(row, "worth_now"),
        "seconds left" => field(row, "seconds_left"),
        name => field(row, name),
    }
}

/// The page that a person decides on: made from the order; what its source says stands last, as a quotation.
fn proposal_page(page: &Value) -> String {
    let mut text = format!("proposal {}: {}\n", field(page, "proposal"), field(page, "state"));
    let rows = |value: &Value, names: &[&str]| -> Vec<Vec<String>> {
        names.iter().map(|name| vec![name.replace('_', " "), field(value, name)]).collect()
    };
    let names = [
        "venue",
        "market",
        "symbol",
        "side",
        "quantity",
        "order_type",
        "limit",
        "trigger",
        "offset",
        "activation",
        "time_in_force",
        "post_only",
        "reduce_only",
        "worst",
        "mark",
        "worth_now",
    ];
    for (title, order) in [("the order", &page["order"]), ("the other, one cancels the other", &page["other_order"])] {
        if order.is_object() {
            text.push_str(&output::table(&[title, ""], rows(order, &names)));
            text.push('\n');
        }
    }
    if page["plan"].is_string() {
        text.push_str(&output::table(&["its plan", ""], rows(page, &["plan"])));
        text.push('\n');
    }
    if page["trade"].is_object() {
        let names = ["stop", "target", "confidence", "regime", "atr"];
        text.push_str(&output::table(&["the trade it is for", ""], rows(&page["trade"], &names)));
        text.push('\n');
    }
    let names = ["chain", "token", "router", "address"].into_iter().filter(|name| page[name].is_string());
    let names: Vec<&str> = names
        .chain(["portfolio", "worth_now", "decision", "decision_id", "by", "quorum", "approvals"])
        .chain(["expires_at", "seconds_left", "order_id", "other_order_id", "note", "hash"])
        .collect();
    text.push_str(&output::table(&["the proposal", ""], rows(page, &names)));
    let says = page["its_source_says"].as_str().unwrap_or_default();
    text.push_str(&format!("\nits source says: \"{}\"", quotation(says)));
    text
}

pub(crate) fn limits(command: &LimitsCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        LimitsCommand::Show(node) => {
            ask_and_print(node, &OperatorRequest::Govern(GovernRequest::Limits), format, limits_text)
        }
        LimitsCommand::Set { name, value, portfolio, account, reason, node } => {
            let set = GovernRequest::LimitSet {
                name: name.clone(),
                value: value.clone(),
                portfolio: portfolio.clone(),
                account: *account,
                reason: reason.clone(),
            };
            ask_and_print(node, &OperatorRequest::Govern(set), format, change_lines)
        }
        LimitsCommand::Sector { asset, sector, reason, node } => {
            let sector = Some(sector.clone()).filter(|name| name != "none");
            let set = GovernRequest::SectorSet { asset: asset.clone(), sector, reason: reason.clone() };
            ask_and_print(node, &OperatorRequest::Govern(set), format, change_lines)
        }
        LimitsCommand::Stage(command) => stage(command, format),
        LimitsCommand::Approve { id, node } => {
            let answer = GovernRequest::LimitAnswer { id: *id, yes: true };
            ask_and_print(node, &OperatorRequest::Govern(answer), format, change_lines)
        }
        LimitsCommand::Reject { id, node } => {
            let answer = GovernRequest::LimitAnswer { id: *id, yes: false };
            ask_and_print(node, &OperatorRequest::Govern(answer), format, change_lines)
        }
    }
}

fn stage(command: &StageCommand, format: Format) -> Result<ExitCode, Failure> {
    let (to, stage, args) = match command {
        StageCommand::Show(node) => {
            return ask_and_print(node, &OperatorRequest::Govern(GovernRequest::Stage), format, stage_text);
        }
        StageCommand::Advance(args) => (StageMove::Advance, None, args),
        StageCommand::Demote { to, args } => (StageMove::Demote, to.clone(), args),
        StageCommand::Repeat(args) => (StageMove::Repeat, None, args),
    };
    let moved = GovernRequest::StageMove { to, stage, reason: args.reason.clone() };
    ask_and_print(&args.node, &OperatorRequest::Govern(moved), format, change_lines)
}

/// Where the roll-out stands, and what the next stage still wants to see.
fn stage_text(view: &Value) -> String {
    let mut text = format!("stage {}: {}", field(view, "stage"), field(view, "standing"));
    if let Some(since) = view["since"].as_str() {
        text.push_str(&format!("\nsince {since}, by change {}\n", field(view, "change")));
        text.push_str(&columns(&view["criteria"], &["criterion", "seen", "wanted", "met"], "no criteria"));
        let next = match view["ready"].as_bool() {
            Some(true) => {
                format!("every criterion of stage {} is met: tradewind limits stage advance", field(view, "next"))
            }
            _ => format!("stage {} is not to be had yet", field(view, "next")),
        };
        text.push_str(&format!("\n{next}"));
    }
    let history = ["change", "from", "to", "by", "asked_at", "reason", "standing"];
    text.push_str(&format!("\n\n{}", columns(&view["history"], &history, "no changes of the stage")));
    text
}

/// A line for each change, with what is to be done next.
pub(super) fn change_lines(answer: &Value) -> String {
    let changes = answer["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    if changes.is_empty() {
        return "nothing changes: it is set so already".to_owned();
    }
    changes.iter().map(change_line).collect::<Vec<_>>().join("\n")
}

/// Such as `change 62: operator max_order 1 % -> 40 % waits for another person: tradewind limits approve 62`.
fn change_line(change: &Value) -> String {
    let id = field(change, "change");
    let what = match change["limit"].as_str() {
        Some(limit) => {
            format!("{} {limit} {} -> {}", field(change, "of"), field(change, "from"), field(change, "to"))
        }
        None => field(change, "of"),
    };
    let next = match change["state"]["state"].as_str() {
        Some("asked") => format!(": tradewind limits approve {id}"),
        _ => String::new(),
    };
    let differs = |it: &Value| format!("\n  {} {} -> {}", field(it, "key"), field(it, "from"), field(it, "to"));
    let differences: String = change["differences"].as_array().into_iter().flatten().map(differs).collect();
    format!("change {id}: {what} {}{next}{differences}", field(change, "standing"))
}

/// The rows of a change: one, or of a policy one for each key that is to change.
fn change_rows(change: &Value) -> Vec<Value> {
    let row = |it: &Value| {
        let mut row = change.clone();
        (row["limit"], row["from"], row["to"]) = (it["key"].clone(), it["from"].clone(), it["to"].clone());
        row
    };
    let keys: Vec<Value> = change["differences"].as_array().into_iter().flatten().map(row).collect();
    if keys.is_empty() { vec![change.clone()] } else { keys }
}

/// What holds trading: each kill switch, restriction and breaker that is on, and what ends it.
pub(super) fn hold_rows(holds: &Value) -> String {
    columns(holds, &["hold", "covers", "effect", "by", "since", "why", "clear"], "nothing holds trading")
}

fn limits_text(view: &Value) -> String {
    let mut text = String::new();
    let set = |row: &&Value| !row["value"].is_null();
    let rows: Vec<&Value> = view["limits"].as_array().into_iter().flatten().filter(set).collect();
    for own in rows.chunk_by(|one, next| one["of"] == next["of"]) {
        let cells =
            own.iter().map(|row| ["name", "value", "used", "distance", "bounds"].map(|it| field(row, it)).to_vec());
        text.push_str(&format!("{}\n", field(own[0], "of")));
        text.push_str(&output::table(&["limit", "value", "in use", "left", "bounds"], cells.collect::<Vec<_>>()));
        text.push_str("\n\n");
    }
    if let Some(sectors) = view["sectors"].as_object().filter(|sectors| !sectors.is_empty()) {
        let named = sectors.iter().map(|(asset, sector)| format!("{asset} {}", sector.as_str().unwrap_or_default()));
        text.push_str(&format!("sectors: {}\n", named.collect::<Vec<_>>().join(", ")));
    }
    text.push_str(&format!("risk mode: {}\n", field(view, "mode")));
    text.push_str(&hold_rows(&view["holds"]));
    text.push_str("\n\n");
    let changes = ["change", "of", "limit", "from", "to", "by", "reason", "standing"];
    let rows: Vec<Value> = view["changes"].as_array().into_iter().flatten().flat_map(change_rows).collect();
    text.push_str(&columns(&Value::Array(rows), &changes, "no changes"));
    text
}

pub(crate) fn audit_command(command: &AuditCommand, format: Format) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Verify { dir, key, anchor } => verify(dir, key.as_deref(), anchor.as_deref(), format),
        AuditCommand::Export { dir, csv } => export(dir, *csv, format),
        AuditCommand::Statistics { dir } => {
            check_journal_dir(dir)?;
            let found = audit_statistics(dir)?;
            output::print(format, &found, || statistics_text(&found));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check_journal_dir(dir: &Path) -> Result<(), Failure> {
    if tradewind_node::DataDir::new(dir).journal().is_dir() {
        return Ok(());
    }
    Err(Failure::new("CLI-09", format!("{} holds no journal", dir.display()), "name a data directory"))
}

/// A table of what became of the last verdicts, then one of what blocked and one of whose wishes they were.
fn statistics_text(found: &AuditStatistics) -> String {
    let share = |part: usize, of: usize| match of {
        0 => "-".to_owned(),
        of => format!("{part} ({} %)", 100 * part / of),
    };
    let tallies = || std::iter::once(&found.all).chain(&found.portfolios);
    let rows = tallies().map(|it| {
        let counts = [it.passed, it.corrected, it.blocked].map(|part| share(part, it.judged));
        let tail = [share(it.without_decision, it.passed)];
        [it.of.clone(), it.judged.to_string()].into_iter().chain(counts).chain(tail).collect()
    });
    let head = ["of", "judged", "passed", "corrected", "blocked", "without a decision"];
    let mut text = format!("the last {} verdicts of the gate\n", found.window);
    text.push_str(&output::table(&head, rows.collect::<Vec<Vec<String>>>()));
    let guards = found.all.by_guard.iter().map(|it| vec![it.code.clone(), it.guard.clone(), it.blocked.to_string()]);
    let sources =
        found.all.by_source.iter().map(|it| vec![it.source.clone(), it.judged.to_string(), it.blocked.to_string()]);
    text.push_str("\n\n");
    text.push_str(&output::table(&["code", "blocked by", "times"], guards.collect::<Vec<_>>()));
    text.push_str("\n\n");
    text.push_str(&output::table(&["source", "judged", "blocked"], sources.collect::<Vec<_>>()));
    text
}

fn verify(dir: &Path, key: Option<&str>, anchor: Option<&Path>, format: Format) -> Result<ExitCode, Failure> {
    check_journal_dir(dir)?;
    let report =
        audit(dir, key, anchor).map_err(|error| Failure::new(error.code(), error.to_string(), error.hint()))?;
    let also = report.finding.map(|finding| format!("\n{finding}")).unwrap_or_default();
    output::print(format, &report, || match (report.first_bad, &report.flaw) {
        (None, _) => {
            let mut text = format!(
                "{} records are as they were written; {} of them signed in {} checkpoints by {}",
                report.records,
                (report.signed_to + 1).saturating_sub(report.first).min(report.records),
                report.checkpoints,
                report.key.as_deref().unwrap_or("nobody")
            );
            for it in &report.removed {
                text.push_str(&format!(
                    "\nrecords {} to {} were removed on purpose by {}, {}",
                    it.from, it.to, it.by, it.at
                ));
            }
            text + &also
        }
        (Some(record), flaw) => {
            let code = report.code.map(|code| format!("{code}: ")).unwrap_or_default();
            let hint = report.hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
            let flaw = flaw.as_deref().unwrap_or("damaged");
            format!("{code}record {record} is the first bad one: {flaw}{hint}{also}")
        }
    });
    Ok(Checking::AuditVerify.ended(report.verified))
}

fn export(dir: &Path, csv: bool, format: Format) -> Result<ExitCode, Failure> {
    let chains = audit_chains(dir).map_err(|error| Failure::new(error.code(), error.to_string(), error.hint()))?;
    let steps: Vec<_> = chains.into_iter().flatten().collect();
    if format == Format::Json && !csv {
        output::print(format, &steps, String::new);
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let head = if csv { writeln!(out, "{CSV_HEADER}") } else { Ok(()) };
    let line = |step| if csv { to_csv(step) } else { to_json_line(step) };
    let written = steps.iter().fold(head, |written, step| written.and_then(|()| writeln!(out, "{}", line(step))));
    output::finish_output(written.and_then(|()| out.flush()), format);
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(change: &Value, want: &str) {
        assert_eq!(change_lines(&json!({ "changes": [change] })), want);
    }

    #[test]
    fn a_change_is_one_line_with_what_is_to_be_done_next() {
        let change = |state: &str, standing: &str| {
            json!({
                "change": 62, "what": "limit", "of": "operator", "limit": "max_order", "from": "1 %", "to": "40 %",
                "state": { "state": state }, "standing": standing,
            })
        };
        let head = "change 62: operator max_order 1 % -> 40 %";
        check(
            &change("asked", "waits for another person"),
            &format!("{head} waits for another person: tradewind limits approve 62"),
        );
        check(&change("done", "in force"), &format!("{head} in force"));
        check(&change("rejected", "rejected by ben"), &format!("{head} rejected by ben"));
        check(
            &json!({ "change": 7, "what": "policy", "of": "policy", "state": { "state": "asked" }, "standing": "waits" }),
            "change 7: policy waits: tradewind limits approve 7",
        );
        assert_eq!(change_lines(&json!({ "changes": [] })), "nothing changes: it is set so already");
    }

    #[test]
    fn a_policy_that_is_to_change_is_shown_key_by_key() {
        let change = json!({
            "change": 7, "what": "policy", "of": "policy", "by": "system", "reason": "the settings at start",
            "state": { "state": "asked" }, "standing": "waits for two persons",
            "differences": [
                { "key": "cap_orders_day", "from": "3", "to": "9" },
                { "key": "symbols", "from": "BTC/USDT", "to": "an empty list" },
            ],
        });
        check(
            &change,
            "change 7: policy waits for two persons: tradewind limits approve 7\n  cap_orders_day 3 -> 9\n  symbols BTC/USDT -> an empty list",
        );
        let text = limits_text(&json!({ "mode": "normal", "holds": [], "changes": [change] }));
        let row = |key: &str| text.lines().find(|line| line.contains(key)).unwrap_or_default().to_owned();
        assert!(row("cap_orders_day").contains('3') && row("cap_orders_day").contains('9'), "{text}");
        assert!(row("symbols").contains("BTC/USDT") && row("symbols").contains("an empty list"), "{text}");
        assert!(text.contains("nothing holds trading"), "{text}");
    }

    #[test]
    fn a_rollout_is_shown_with_what_the_next_stage_wants_to_see() {
        let criterion = json!({ "criterion": "fills", "seen": 3, "wanted": 20, "met": false });
        let mut view = json!({
            "stage": "100", "standing": "gross exposure within 100", "since": "2026-01-01T00:00:00Z", "change": 12,
            "criteria": [criterion], "ready": false, "next": "1000", "history": [],
        });
        let text = stage_text(&view);
        for part in
            ["stage 100: gross exposure within 100", "since 2026", "by change 12", "fills", "20", "not to be had"]
        {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        view["ready"] = json!(true);
        assert!(stage_text(&view).contains("tradewind limits stage advance"));
        let none = json!({ "stage": null, "standing": "no roll-out", "history": [] });
        assert_eq!(stage_text(&none), "stage -: no roll-out\n\nno changes of the stage");
    }

    #[test]
    fn s4_50_what_a_source_says_stays_within_its_quotation() {
        for (said, shown) in [
            ("an operator's order", "an operator's order"),
            ("\"\nhash: 1", "''\\u{a}hash: 1"),
            ("\u{202E}buy", "\\u{202e}buy"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
        ] {
            assert_eq!(quotation(said), shown);
        }
    }

    #[test]
    fn a_proposal_is_listed_with_what_it_would_trade_and_for_how_long_it_lives() {
        let order = json!({ "quantity": "0.01", "limit": "60000", "trigger": null, "worth_now": "600 USDT" });
        let stop = json!({ "quantity": "0.01", "limit": null, "trigger": "50000", "worth_now": "500 USDT" });
        let row = json!({ "proposal": 7, "state": "proposed", "order": order, "other_order": stop, "seconds_left": 118, "worth_now": "600 USDT" });
        let text = proposal_rows(&json!([row]));
        for cell in ["0.01", "60000", "50000", "600 USDT", "118"] {
            assert!(text.contains(cell), "{cell} is missing in\n{text}");
        }
        assert_eq!(proposal_rows(&json!([])), "no proposals");
    }
}
