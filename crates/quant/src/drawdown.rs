//! How far it fell: one drawdown, and who follows a curve to find them.

use serde::Serialize;

use crate::numeric::finite;

/// One fall from a highest equity and the way back, depth as a fraction of the peak in [0, 1]. A peak that is touched again
/// counts as recovered.
///
/// Source: M. Magdon-Ismail and A. Atiya, "Maximum Drawdown", Risk, 2004.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Drawdown {
    /// When the peak was seen, UTC nanoseconds.
    pub peak_at_ns: i64,
    /// When equity was lowest, UTC nanoseconds.
    pub trough_at_ns: i64,
    /// When the peak was reached again, UTC nanoseconds; missing while it has not been.
    pub recovered_at_ns: Option<i64>,
    /// Equity at the peak; decimal text where it is written.
    #[serde(serialize_with = "crate::amount::money")]
    pub peak: f64,
    /// Equity at the trough; decimal text where it is written.
    #[serde(serialize_with = "crate::amount::money")]
    pub trough: f64,
    /// `min(1, (peak - trough) / peak)`; an account below zero has lost everything, not more than everything.
    pub depth: f64,
}

impl Drawdown {
    /// What was lost from peak to trough, in the account's currency; `None` if it overflows.
    pub fn amount(&self) -> Option<f64> {
        finite(self.peak - self.trough)
    }

    /// Nanoseconds from the peak to the trough.
    pub fn fall_ns(&self) -> i64 {
        self.trough_at_ns.saturating_sub(self.peak_at_ns)
    }

    /// Nanoseconds from the trough back to the peak; `None` while the loss stands.
    pub fn recovery_ns(&self) -> Option<i64> {
        self.recovered_at_ns.map(|at| at.saturating_sub(self.trough_at_ns))
    }
}

/// Depth below `peak` as a fraction of it, in [0, 1]; the peak is positive.
pub(crate) fn depth_below(peak: f64, equity: f64) -> f64 {
    (1.0 - equity / peak).clamp(0.0, 1.0)
}

/// Follows one equity curve and remembers its peak and the fall under way: constant memory.
#[derive(Clone, Copy, Debug)]
pub struct DrawdownTracker {
    peak_at_ns: i64,
    peak: f64,
    current: Option<Drawdown>,
}

impl DrawdownTracker {
    /// Starts at the first equity, which must be positive and finite.
    pub fn new(at_ns: i64, equity: f64) -> Self {
        Self { peak_at_ns: at_ns, peak: equity, current: None }
    }

    /// Takes the next equity; returns an episode when this observation ends it (equity at or above the old peak).
    pub fn push(&mut self, at_ns: i64, equity: f64) -> Option<Drawdown> {
        if equity >= self.peak {
            (self.peak_at_ns, self.peak) = (at_ns, equity);
            return self.current.take().map(|fall| Drawdown { recovered_at_ns: Some(at_ns), ..fall });
        }
        let depth = depth_below(self.peak, equity);
        match &mut self.current {
            Some(fall) if equity >= fall.trough => {}
            Some(fall) => (fall.trough_at_ns, fall.trough, fall.depth) = (at_ns, equity, depth),
            None => {
                self.current = Some(Drawdown {
                    peak_at_ns: self.peak_at_ns,
                    trough_at_ns: at_ns,
                    recovered_at_ns: None,
                    peak: self.peak,
                    trough: equity,
                    depth,
                });
            }
        }
        None
    }

    /// The fall that is under way, if equity is below its peak.
    pub fn current(&self) -> Option<Drawdown> {
        self.current
    }

    /// The highest equity so far.
    pub fn peak(&self) -> f64 {
        self.peak
    }
}
