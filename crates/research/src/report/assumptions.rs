//! What was assumed, what was done, and where the bars came from.

use super::Report;
use super::text::{count, escape, percent};
use std::fmt::Write;
use tradewind_domain::Origin;

/// Fill policy, limits, decisions, benchmark, data and hashes.
pub(super) fn assumptions(report: &Report) -> String {
    let mut page = String::from("<dl>");
    let mut line = |name: &str, value: &str| {
        let _ = write!(page, "<dt>{name}<dd>{value}");
    };
    line("Fill policy", &escape(&report.fill_policy_text));
    let limits = &report.limits;
    let loss = |bps: Option<u32>| bps.map_or_else(|| "none".to_owned(), |bps| percent(f64::from(bps) / 10_000.0, 2));
    line(
        "Limits of the gate",
        &format!(
            "order {}; position {}; daily loss {}; drawdown {}; borrowing {}",
            escape(&limits.max_order.text()),
            escape(&limits.max_position.text()),
            loss(limits.daily_loss_bps),
            loss(limits.drawdown_bps),
            if limits.borrow { "allowed" } else { "not allowed" },
        ),
    );
    let decisions = &report.decisions;
    line(
        "Decisions",
        &format!(
            "{} to buy, {} to sell, {} to hold; {} proposals vetoed by the gate",
            count(decisions.buy),
            count(decisions.sell),
            count(decisions.hold),
            count(decisions.veto)
        ),
    );
    line(
        "Orders",
        &format!(
            "{} approved, {} executions, {} rejected, {} timed out",
            count(report.orders),
            count(report.trades),
            count(report.rejected),
            count(report.timed_out)
        ),
    );
    if let Some(benchmark) = &report.benchmark {
        line("Benchmark", benchmark.description);
    }
    data_lines(report, &mut line);
    line("Trade hash", &format!("<code>{}</code>", escape(&report.trade_hash)));
    line("State hash", &format!("<code>{}</code>", escape(&report.state_hash)));
    line("Made by", &format!("tradewind {}, decision logic {}", escape(report.version), report.logic));
    page + "</dl>"
}

fn data_lines(report: &Report, line: &mut impl FnMut(&str, &str)) {
    let data = &report.data;
    let origin = match report.origin {
        Origin::Recorded => "recorded from a market",
        Origin::Simulated => "simulated, not from any market",
        Origin::Live => "live",
    };
    let mut parts = vec![origin.to_owned()];
    if !data.format.is_empty() {
        parts.push(escape(&data.format));
    }
    if data.rows > 0 {
        parts.push(format!("{} rows", count(data.rows)));
    }
    if !data.stamp.is_empty() {
        parts.push(format!("stamped by {}", escape(&data.stamp)));
    }
    parts.push(format!("{} gaps with {} missing bars", count(data.gaps), count(data.missing_bars)));
    parts.push(format!("{} defects", count(data.defects)));
    parts.extend(data.steps.iter().map(|step| escape(step)));
    let path = if data.path.is_empty() { "bars were handed over in memory".to_owned() } else { escape(&data.path) };
    line("Data", &format!("{path}<br>{}", parts.join("; ")));
    if let Some(sha256) = &data.sha256 {
        line("SHA-256 of the data", &format!("<code>{}</code>", escape(sha256)));
    }
}
