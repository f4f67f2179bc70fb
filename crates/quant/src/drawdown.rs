//! How far it fell: underwater series, drawdown episodes, ulcer index.

use serde::Serialize;

use crate::numeric::{count, finite, ratio};

/// One fall from a highest equity and the way back, depth as a fraction of the peak in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Drawdown {
    /// When the peak was seen, UTC nanoseconds.
    pub peak_at_ns: i64,
    /// When equity was lowest, UTC nanoseconds.
    pub trough_at_ns: i64,
    /// When the peak was reached again, UTC nanoseconds; missing while it has not been.
    pub recovered_at_ns: Option<i64>,
    /// Equity at the peak.
    pub peak: f64,
    /// Equity at the trough.
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

/// All drawdown episodes of an equity curve, oldest first; the last may be unrecovered.
///
/// `equity` holds (UTC nanoseconds, equity), oldest first. A peak that is touched again counts as recovered.
/// `None` if the first equity is not positive or a value is not finite; empty for an empty curve.
///
/// Source: M. Magdon-Ismail and A. Atiya, "Maximum Drawdown", Risk, 2004.
pub fn drawdowns(equity: &[(i64, f64)]) -> Option<Vec<Drawdown>> {
    let Some((first, rest)) = equity.split_first() else { return Some(Vec::new()) };
    if first.1 <= 0.0 || equity.iter().any(|point| !point.1.is_finite()) {
        return None;
    }
    let mut tracker = DrawdownTracker::new(first.0, first.1);
    let mut episodes: Vec<Drawdown> = rest.iter().filter_map(|point| tracker.push(point.0, point.1)).collect();
    episodes.extend(tracker.current());
    Some(episodes)
}

/// The deepest episode of an equity curve, the earlier of two equals; `None` where [`drawdowns`] has none.
pub fn deepest_drawdown(equity: &[(i64, f64)]) -> Option<Drawdown> {
    drawdowns(equity)?.into_iter().reduce(|worst, next| if next.depth > worst.depth { next } else { worst })
}

/// Depth below the highest wealth so far after each return, in [0, 1]: `1 - w_t / max(1, w_1 .. w_t)`.
///
/// Wealth starts at 1 before the first return, so a loss in the first period counts. `None` if a return is not finite
/// or the wealth overflows.
///
/// Source: Bacon 2008, ch. 4. Sign: positive, unlike empyrical, whose series is negative.
pub fn underwater(returns: &[f64]) -> Option<Vec<f64>> {
    let (mut wealth, mut peak) = (1.0_f64, 1.0_f64);
    let step = |r: &f64| {
        wealth = finite(wealth * (1.0 + r))?;
        peak = peak.max(wealth);
        Some(depth_below(peak, wealth))
    };
    returns.iter().map(step).collect()
}

/// The deepest fall of compounded returns, in [0, 1]; `None` for no returns.
///
/// Source: Magdon-Ismail and Atiya 2004. Equals `maxDrawdown` of PerformanceAnalytics, minus `max_drawdown` of empyrical.
pub fn max_drawdown(returns: &[f64]) -> Option<f64> {
    underwater(returns)?.into_iter().reduce(f64::max)
}

/// Ulcer index: root mean square of the underwater series, a fraction (0.05 is 5 %); `None` for no returns.
///
/// Source: P. G. Martin and B. McCann, "The Investor's Guide to Fidelity Funds", 1989.
/// Equals `UlcerIndex` of PerformanceAnalytics.
pub fn ulcer_index(returns: &[f64]) -> Option<f64> {
    let depths = underwater(returns)?;
    ratio(depths.iter().map(|depth| depth * depth).sum(), count(depths.len())).map(f64::sqrt)
}
