//! A drawing with its axes and its caption.

use super::scale::{Axis, TimeAxis};
use super::text::percent;
use std::fmt::Write;

/// An axis that writes its labels in its own way.
pub(super) trait Labelled {
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

/// Labels a fraction in percent.
pub(super) struct Percent(pub(super) Axis);

impl Labelled for Percent {
    fn axis(&self) -> &Axis {
        &self.0
    }
    fn text(&self, value: f64) -> String {
        percent(value, self.0.decimals(100.0))
    }
}

/// Draws a line through `points`.
pub(super) fn path(drawing: &mut String, class: &str, points: impl Iterator<Item = (f64, f64)>) {
    let _ = write!(drawing, "<path class=\"{class}\" d=\"");
    for (place, (x, y)) in points.enumerate() {
        let _ = write!(drawing, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' });
    }
    drawing.push_str("\"/>");
}

/// A drawing with its axes. `dated` writes the moments below it.
pub(super) fn plot(
    height: &str,
    drawing: &str,
    axis: &impl Labelled,
    time: &TimeAxis,
    label: &str,
    dated: bool,
) -> String {
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
         role=img aria-label=\"{label}\"><path class=grid d=\"{grid}\"/>{drawing}</svg>{labels}\
         <i class=cross></i></div>",
        if dated { " dated" } else { "" },
    )
}

/// A captioned figure; `name` is where the crosshair writes.
pub(super) fn figure(title: &str, log: bool, legend: &str, name: &str, plots: &str) -> String {
    let scale = if log { "<span class=note>logarithmic scale</span>" } else { "" };
    format!(
        "<figure class=chart><figcaption><h2>{title}</h2><div class=legend>{legend}{scale}</div>\
         <output data-readout={name}></output></figcaption>{plots}</figure>"
    )
}
