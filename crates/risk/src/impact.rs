//! What an order does to the price, and what the limit `impact_mode` makes of one that does too much.

use crate::Controls;
use tradewind_domain::{Instrument, Quantity};
use tradewind_quant::impact::{ImpactRule, SideDepth, SizingMode, calculate_impact_aware_size};

/// What becomes of an order whose modelled impact is beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpactMode {
    /// It is refused.
    Strict,
    /// It is made as small as the limit wants.
    Conservative,
    /// It goes as it is while ten levels of the book hold it, and is made small enough beyond them.
    Aggressive,
}

impl ImpactMode {
    /// Their names in settings; the limit keeps the place in this list, from 1. Each allows more than the one before.
    pub const NAMES: [&'static str; 3] = ["strict", "conservative", "aggressive"];

    /// The mode that the limit names: strict where it is not set, and for a number beyond the names.
    #[must_use]
    pub const fn of(limit: Option<i64>) -> Self {
        match limit {
            Some(2) => Self::Conservative,
            Some(3) => Self::Aggressive,
            _ => Self::Strict,
        }
    }

    const fn sizing(self) -> SizingMode {
        match self {
            Self::Strict => SizingMode::Strict,
            Self::Conservative => SizingMode::Conservative,
            Self::Aggressive => SizingMode::Aggressive,
        }
    }

    /// Whether an order of that impact may go as it is. Impacts are in whole basis points, rounded up.
    pub(crate) fn takes_all(self, size: u64, impact: i64, limit: i64, depth: &SideDepth) -> bool {
        impact <= limit || self == Self::Aggressive && size <= depth.top10()
    }
}

/// The largest quantity of whole lots, up to `asked`, that an order may take from this `depth` under the limits; `None` where
/// that is all of it, nothing at all, or where no order is made smaller.
#[must_use]
pub fn fitting(controls: &Controls, it: &Instrument, asked: Quantity, depth: &SideDepth) -> Option<Quantity> {
    let mode = ImpactMode::of(controls.impact_mode);
    if mode == ImpactMode::Strict {
        return None;
    }
    let positive = |quantity: Quantity| u64::try_from(quantity.mantissa()).ok();
    let limit_bps = i32::try_from(controls.impact_bps?).ok()?.into();
    let rule = ImpactRule { limit_bps, extra_bps: 0.0, increment: positive(it.spec.lot)?, mode: mode.sizing() };
    let found = calculate_impact_aware_size(positive(asked)?, depth, &rule).ok()?;
    let fits = Quantity::from_mantissa(i64::try_from(found.size).ok()?);
    (fits > Quantity::ZERO && fits < asked).then_some(fits)
}

/// A modelled impact of at most 100 basis points, rounded up.
#[expect(clippy::cast_possible_truncation, reason = "the model ends at 100")]
pub(crate) fn whole_bps(impact: f64) -> i64 {
    impact.ceil() as i64
}
