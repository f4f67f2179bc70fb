//! The drawings: price with trades, equity beside the market, the way under water, daily returns.
//!
//! Lines live in an SVG that is stretched to the page and keep their width; labels are text beside it, so they stay
//! readable on a telephone.

use super::Report;
use super::marks::{candles, exposure, marks};
use super::plot::{Percent, figure, path, plot};
use super::scale::{Axis, SIDE, TimeAxis};
use super::text::{count, escape, percent, value_of};
use std::fmt::Write;

/// Bars up to which candles are drawn instead of a line in its range.
const CANDLES: usize = 180;

/// The time that all drawings share.
pub(super) fn time_axis(report: &Report) -> Option<TimeAxis> {
    let (first, last) = (report.curve.first()?, report.curve.last()?);
    Some(TimeAxis { from_ms: first.from_ms, to_ms: last.to_ms })
}

/// Price, the range of the bars, and where trades were entered and left.
pub(super) fn price(report: &Report, time: &TimeAxis) -> String {
    let rows = &report.curve;
    let axis = Axis::around(rows.iter().flat_map(|row| [row.high, row.low]));
    let mut drawing = String::new();
    if rows.len() <= CANDLES {
        candles(&mut drawing, rows, time, &axis);
    } else {
        let top = rows.iter().map(|row| (time.x(row.to_ms), axis.y(row.high)));
        let bottom = rows.iter().rev().map(|row| (time.x(row.to_ms), axis.y(row.low)));
        path(&mut drawing, "range", top.chain(bottom));
        path(&mut drawing, "line price", rows.iter().map(|row| (time.x(row.to_ms), axis.y(row.close))));
    }
    let shown = marks(&mut drawing, &report.round_trip_list, time, &axis);
    let all = report.round_trip_list.len();
    let missing = if shown < all {
        format!(
            "<span>marks of {} of {} trades, one of a kind per column</span>",
            count(shown as u64),
            count(all as u64)
        )
    } else {
        String::new()
    };
    let legend = format!(
        "<span class=\"key price\">{}</span><span class=\"key entry\">entry</span>\
         <span class=\"key won\">exit with profit</span>\
         <span class=\"key lost\">exit with loss</span>{missing}",
        if rows.len() <= CANDLES { "bars" } else { "close, in the range of the bars" },
    );
    let label = format!("Price of {} with entries and exits", escape(&report.symbol));
    let plot = plot("tall", &drawing, &axis, time, &label, true) + &exposure(&report.round_trip_list, time);
    figure("Price and trades", axis.log, &legend, "price", &plot)
}

/// Equity beside buy and hold, and below it how far under water.
pub(super) fn equity(report: &Report, time: &TimeAxis) -> String {
    let rows = &report.curve;
    let deposit = value_of(&report.deposit);
    let hold = rows.iter().filter_map(|row| row.hold);
    let axis = Axis::around(rows.iter().map(|row| row.equity).chain(hold).chain([deposit]));
    let start = || std::iter::once((0.0, axis.y(deposit)));
    let mut drawing = format!("<path class=zero d=\"M0 {0:.1}H1000\"/>", axis.y(deposit));
    let held = rows.iter().filter_map(|row| Some((time.x(row.to_ms), axis.y(row.hold?))));
    if report.benchmark.is_some() {
        path(&mut drawing, "line hold", start().chain(held));
    }
    let ours = || start().chain(rows.iter().map(|row| (time.x(row.to_ms), axis.y(row.equity))));
    path(&mut drawing, "area equity", ours().chain([(SIDE, SIDE), (0.0, SIDE)]));
    path(&mut drawing, "line equity", ours());
    let legend = "<span class=\"key equity\">equity</span><span class=\"key hold\">buy and hold</span>\
                  <span class=\"key drawdown\">drawdown, below</span>";
    let label = format!("Equity in {} beside buy and hold", escape(&report.currency));
    let plots = plot("tall", &drawing, &axis, time, &label, false) + &underwater(report, time);
    figure("Equity and drawdown", axis.log, legend, "equity", &plots)
}

fn underwater(report: &Report, time: &TimeAxis) -> String {
    let rows = &report.curve;
    let deepest = rows.iter().fold(0.0_f64, |deepest, row| deepest.max(row.drawdown));
    let axis = Axis::between(if deepest > 0.0 { -deepest * 1.08 } else { -0.01 }, 0.0);
    let depth = || rows.iter().map(|row| (time.x(row.to_ms), axis.y(-row.drawdown)));
    let mut drawing = String::new();
    path(&mut drawing, "area drawdown", std::iter::once((0.0, 0.0)).chain(depth()).chain([(SIDE, 0.0)]));
    path(&mut drawing, "line drawdown", depth());
    let label = format!("Drawdown, at most {}", percent(deepest, 1));
    plot("low", &drawing, &Percent(axis), time, &label, true)
}

/// How often the account gained and lost how much in a day, or in a bar that is longer.
pub(super) fn histogram(report: &Report) -> Option<String> {
    const BINS: usize = 41;
    let returns: Vec<f64> = report.statistics.breakdown.day.iter().filter_map(|day| day.period_return).collect();
    let mut sizes: Vec<f64> = returns.iter().map(|value| value.abs()).filter(|size| *size > 0.0).collect();
    if sizes.len() < 20 {
        return None;
    }
    sizes.sort_by(f64::total_cmp);
    let bound = sizes[(sizes.len() - 1) * 98 / 100];
    let quiet = returns.len() - sizes.len();
    let mut bins = [0_u32; BINS];
    for value in returns.iter().filter(|value| **value != 0.0) {
        bins[bin(*value / bound, BINS)] += 1;
    }
    let most = f64::from(bins.iter().copied().max().unwrap_or(1));
    let width = SIDE / BINS as f64;
    let mut drawing = String::new();
    for (place, days) in bins.iter().enumerate().filter(|(_, days)| **days > 0) {
        let tone = if place < BINS / 2 {
            "down"
        } else if place > BINS / 2 {
            "up"
        } else {
            "flat"
        };
        let height = f64::from(*days) / most * SIDE * 0.96;
        let _ = write!(
            drawing,
            "<rect class={tone} x={:.1} y={:.1} width={:.1} height={height:.1} />",
            place as f64 * width + width * 0.08,
            SIDE - height,
            width * 0.84,
        );
    }
    let ticks: String = [-1.0, -0.5, 0.0, 0.5, 1.0]
        .iter()
        .map(|part| {
            format!("<span class=x style=\"left:{:.1}%\">{}</span>", 50.0 + part * 48.8, percent(part * bound, 1))
        })
        .collect();
    let period = report.period();
    let note = format!(
        "{} {}, {} of them without a change left out; the outermost bars hold all beyond",
        count(returns.len() as u64),
        period.told("days"),
        count(quiet as u64)
    );
    let (title, label) = (period.told("Daily returns"), period.told("Histogram of daily returns"));
    Some(format!(
        "<figure class=chart><figcaption><h2>{title}</h2><span class=note>{note}</span></figcaption>\
         <div class=\"plot low flush\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=none role=img \
         aria-label=\"{label}\">{drawing}</svg>{ticks}</div></figure>"
    ))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bins")]
fn bin(part: f64, bins: usize) -> usize {
    (f64::midpoint(part.clamp(-1.0, 1.0), 1.0) * (bins - 1) as f64).round() as usize
}
