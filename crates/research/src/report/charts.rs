//! The drawings: price with trades, equity beside the market, the way under water, daily returns.
//!
//! Lines live in an SVG that is stretched to the page and keep their width; labels are text beside it, so they stay
//! readable on a telephone.

use super::scale::{Axis, SIDE, TimeAxis};
use super::text::{count, escape, percent, value_of};
use super::{CurveRow, Report, RoundTripRow};
use std::fmt::Write;

/// Trips up to which a line joins entry and exit.
const JOINED: usize = 250;
/// Bars up to which candles are drawn instead of a line in its range.
const CANDLES: usize = 180;
/// Columns in which at most one mark of a kind is drawn.
const COLUMNS: usize = 400;

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
        "<span class=\"key price\">{}</span><span class=\"key entry\">entry</span><span class=\"key won\">exit with profit</span>\
         <span class=\"key lost\">exit with loss</span>{missing}",
        if rows.len() <= CANDLES { "bars" } else { "close, in the range of the bars" },
    );
    let label = format!("Price of {} with entries and exits", escape(&report.symbol));
    let plot = plot("tall", &drawing, &axis, time, &label, true) + &exposure(&report.round_trip_list, time);
    figure("Price and trades", axis.log, &legend, "price", &plot)
}

fn candles(drawing: &mut String, rows: &[CurveRow], time: &TimeAxis, axis: &Axis) {
    for row in rows {
        let (left, right) = (time.x(row.from_ms), time.x(row.to_ms));
        let (middle, width) = (f64::midpoint(left, right), (right - left) * 0.6);
        let tone = if row.close >= row.open { "up" } else { "down" };
        let (top, bottom) = (axis.y(row.open.max(row.close)), axis.y(row.open.min(row.close)));
        let _ = write!(
            drawing,
            "<path class=\"wick {tone}\" d=\"M{middle:.1} {:.1}V{:.1}\"/><rect class={tone} x={:.1} y={top:.1} \
             width={width:.1} height={:.1} />",
            axis.y(row.high),
            axis.y(row.low),
            middle - width / 2.0,
            (bottom - top).max(1.0),
        );
    }
}

/// Draws entries and exits; returns how many trips have both of theirs.
fn marks(drawing: &mut String, trips: &[RoundTripRow], time: &TimeAxis, axis: &Axis) -> usize {
    let mut taken = vec![[false; 3]; COLUMNS + 1];
    let [mut entries, mut won, mut lost] = [const { String::new() }; 3];
    let (mut joins, mut shown) = (String::new(), 0);
    for trip in trips {
        let gained = value_of(&trip.profit) >= 0.0;
        let entry = (time.x(trip.at_ns.0 / 1_000_000), axis.y(trip.entry_price));
        let exit = (time.x(trip.at_ns.1 / 1_000_000), axis.y(trip.exit_price));
        let exits = if gained { (1, &mut won) } else { (2, &mut lost) };
        let new_entry = !std::mem::replace(&mut taken[column(entry.0)][0], true);
        let new_exit = trip.open || !std::mem::replace(&mut taken[column(exit.0)][exits.0], true);
        if new_entry {
            let _ = write!(entries, "M{:.1} {:.1}h0", entry.0, entry.1);
        }
        if new_exit && !trip.open {
            let _ = write!(exits.1, "M{:.1} {:.1}h0", exit.0, exit.1);
        }
        if trips.len() <= JOINED {
            let tone = if gained { "won" } else { "lost" };
            let _ = write!(
                joins,
                "<path class=\"join {tone}\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
                entry.0, entry.1, exit.0, exit.1
            );
        }
        shown += usize::from(new_entry && new_exit);
    }
    drawing.push_str(&joins);
    for (class, marks) in [("entry", entries), ("won", won), ("lost", lost)] {
        if !marks.is_empty() {
            let dense = if trips.len() > JOINED { " dense" } else { "" };
            let _ = write!(drawing, "<path class=\"mark {class}{dense}\" d=\"{marks}\"/>");
        }
    }
    shown
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "x lies between 0 and SIDE")]
fn column(x: f64) -> usize {
    (x / SIDE * COLUMNS as f64) as usize
}

/// A strip that says when the account was long and when short, the paler the shorter within its column.
fn exposure(trips: &[RoundTripRow], time: &TimeAxis) -> String {
    let mut held = [(0.0, 0.0); COLUMNS]; // parts of the column spent long and short
    for trip in trips {
        let at = |ns: i64| time.x(ns / 1_000_000) / SIDE * COLUMNS as f64;
        let (from, to) = (at(trip.at_ns.0), at(trip.at_ns.1));
        let last = column(time.x(trip.at_ns.1 / 1_000_000)).min(COLUMNS - 1);
        for place in column(time.x(trip.at_ns.0 / 1_000_000))..=last {
            let part = (to.min(place as f64 + 1.0) - from.max(place as f64)).max(0.0);
            let side = if trip.direction == "long" { &mut held[place].0 } else { &mut held[place].1 };
            *side += part;
        }
    }
    let mut drawing = String::new();
    let width = SIDE / COLUMNS as f64;
    for (place, (long, short)) in held.iter().enumerate() {
        for (side, part) in [("long", *long), ("short", *short)] {
            if part > 0.01 {
                let (x, depth) = (place as f64 * width, part.min(1.0));
                let _ = write!(
                    drawing,
                    "<rect class={side} x={x:.1} y=0 width={:.1} height=1000 opacity={depth:.2} />",
                    width + 0.1
                );
            }
        }
    }
    format!(
        "<div class=\"plot strip\" title=\"when the account was long (blue) or short (amber)\"><svg viewBox=\"0 0 1000 1000\" \
         preserveAspectRatio=none role=img aria-label=\"When the account held a position\">{drawing}</svg></div>"
    )
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
    let axis = Axis::between(-(deepest.max(0.001) * 1.08), 0.0);
    let depth = || rows.iter().map(|row| (time.x(row.to_ms), axis.y(-row.drawdown)));
    let mut drawing = String::new();
    path(&mut drawing, "area drawdown", std::iter::once((0.0, 0.0)).chain(depth()).chain([(SIDE, 0.0)]));
    path(&mut drawing, "line drawdown", depth());
    let label = format!("Drawdown, at most {}", percent(deepest, 1));
    plot("low", &drawing, &Percent(axis), time, &label, true)
}

/// How often the account gained and lost how much in a day.
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
    let note = format!(
        "{} days, {} of them without a change left out; the outermost bars hold all beyond",
        count(returns.len() as u64),
        count(quiet as u64)
    );
    Some(format!(
        "<figure class=chart><figcaption><h2>Daily returns</h2><span class=note>{note}</span></figcaption>\
         <div class=\"plot low flush\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=none role=img \
         aria-label=\"Histogram of daily returns\">{drawing}</svg>{ticks}</div></figure>"
    ))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bins")]
fn bin(part: f64, bins: usize) -> usize {
    (f64::midpoint(part.clamp(-1.0, 1.0), 1.0) * (bins - 1) as f64).round() as usize
}

/// An axis that writes its labels in its own way.
trait Labelled {
    fn axis(&self) -> &Axis;
    fn text(&self, value: f64) -> String;
}

impl Labelled for Axis {
    fn axis(&self) -> &Axis {
        self
    }
    fn text(&self, value: f64) -> String {
        self.label(value)
    }
}

struct Percent(Axis);

impl Labelled for Percent {
    fn axis(&self) -> &Axis {
        &self.0
    }
    fn text(&self, value: f64) -> String {
        percent(value, usize::from(self.0.ticks().iter().any(|tick| (tick * 100.0).fract().abs() > 1e-9)))
    }
}

fn path(drawing: &mut String, class: &str, points: impl Iterator<Item = (f64, f64)>) {
    let _ = write!(drawing, "<path class=\"{class}\" d=\"");
    for (place, (x, y)) in points.enumerate() {
        let _ = write!(drawing, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' });
    }
    drawing.push_str("\"/>");
}

/// A drawing with its axes. `dated` writes the moments below it.
fn plot(height: &str, drawing: &str, axis: &impl Labelled, time: &TimeAxis, label: &str, dated: bool) -> String {
    let (mut grid, mut labels) = (String::new(), String::new());
    for value in axis.axis().ticks() {
        let y = axis.axis().y(value);
        let _ = write!(grid, "M0 {y:.1}H1000");
        let _ = write!(labels, "<span class=y style=\"top:{:.2}%\">{}</span>", y / 10.0, axis.text(value));
    }
    for (place, (at, text)) in time.ticks().into_iter().enumerate() {
        let x = time.x(at);
        let _ = write!(grid, "M{x:.1} 0V1000");
        if dated {
            let alternate = if place % 2 == 1 { " alt" } else { "" };
            let _ = write!(labels, "<span class=\"x{alternate}\" style=\"left:{:.2}%\">{text}</span>", x / 10.0);
        }
    }
    format!(
        "<div class=\"plot {height}{}\" data-plot tabindex=0><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=none \
         role=img aria-label=\"{label}\"><path class=grid d=\"{grid}\"/>{drawing}</svg>{labels}<i class=cross></i></div>",
        if dated { " dated" } else { "" },
    )
}

fn figure(title: &str, log: bool, legend: &str, name: &str, plots: &str) -> String {
    let scale = if log { "<span class=note>logarithmic scale</span>" } else { "" };
    format!(
        "<figure class=chart><figcaption><h2>{title}</h2><div class=legend>{legend}{scale}</div>\
         <output data-readout={name}></output></figcaption>{plots}</figure>"
    )
}
