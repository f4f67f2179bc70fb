//! Bars and trades in the drawing of the price.

use super::scale::{Axis, SIDE, TimeAxis};
use super::text::value_of;
use super::{CurveRow, RoundTripRow};
use std::fmt::Write;

/// Trips up to which a line joins entry and exit.
const JOINED: usize = 250;
/// Columns in which at most one mark of a kind is drawn.
const COLUMNS: usize = 400;

/// Draws each bar as a candle.
pub(super) fn candles(drawing: &mut String, rows: &[CurveRow], time: &TimeAxis, axis: &Axis) {
    for row in rows {
        let (left, right) = (time.x(row.from_ms), time.x(row.to_ms));
        let (middle, width) = (f64::midpoint(left, right), ((right - left) * 0.6).min(30.0));
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
pub(super) fn marks(drawing: &mut String, trips: &[RoundTripRow], time: &TimeAxis, axis: &Axis) -> usize {
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
            let _ = write!(entries, "M{:.1} {:.1}h.1", entry.0, entry.1);
        }
        if new_exit && !trip.open {
            let _ = write!(exits.1, "M{:.1} {:.1}h.1", exit.0, exit.1);
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
pub(super) fn exposure(trips: &[RoundTripRow], time: &TimeAxis) -> String {
    let mut held = [(0.0, 0.0); COLUMNS]; // parts of the column spent long and short
    for trip in trips {
        let at = |ns: i64| time.x(ns / 1_000_000) / SIDE * COLUMNS as f64;
        let (from, to) = (at(trip.at_ns.0), at(trip.at_ns.1));
        let last = column(time.x(trip.at_ns.1 / 1_000_000)).min(COLUMNS - 1);
        let first = column(time.x(trip.at_ns.0 / 1_000_000)).min(last);
        for (column, sides) in held[first..=last].iter_mut().enumerate() {
            let left = (first + column) as f64;
            let part = (to.min(left + 1.0) - from.max(left)).max(0.0);
            *(if trip.direction == "long" { &mut sides.0 } else { &mut sides.1 }) += part;
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
        "<div class=\"plot strip\" title=\"when the account was long (blue) or short (amber)\">\
         <svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=none role=img \
         aria-label=\"When the account held a position\">{drawing}</svg></div>"
    )
}
