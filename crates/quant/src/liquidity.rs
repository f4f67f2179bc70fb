//! How well a book can take an order: depth around the mid, spread, imbalance, a score and a class.
//!
//! Source of classes, multipliers and bands: capability GPT-15.

use crate::error::{QuantError, check_range};
use crate::impact::{BookLevel, SideDepth, fraction};

/// The bands around the mid price in which depth is summed, in per cent.
pub const BANDS_PERCENT: [u32; 3] = [1, 5, 10];

/// Modelled impact above which an order should be sliced, in basis points.
pub const SLICE_ABOVE_BPS: f64 = 50.0;

/// What kind of book it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BookKind {
    /// Bids below asks.
    TwoSided,
    /// No level on either side.
    Empty,
    /// Levels on one side alone.
    OneSided,
    /// The best bid is at or above the best ask: stale or broken data.
    Crossed,
}

/// From the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LiquidityClass {
    /// Score of 80 or more.
    Excellent,
    /// Score of 60 or more.
    Good,
    /// Score of 40 or more.
    Fair,
    /// Score of 20 or more.
    Poor,
    /// Less than 20, or no two-sided book.
    Critical,
}

impl LiquidityClass {
    /// By what modelled impact is multiplied.
    pub fn impact_multiplier(self) -> f64 {
        match self {
            Self::Excellent => 0.5,
            Self::Good => 1.0,
            Self::Fair => 1.5,
            Self::Poor => 2.0,
            Self::Critical => 3.0,
        }
    }

    fn of(score: f64) -> Self {
        match score {
            score if score >= 80.0 => Self::Excellent,
            score if score >= 60.0 => Self::Good,
            score if score >= 40.0 => Self::Fair,
            score if score >= 20.0 => Self::Poor,
            _ => Self::Critical,
        }
    }
}

/// Notional resting within one band of the mid price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BandDepth {
    /// Half width of the band in per cent of the mid.
    pub percent: u32,
    /// Sum of price times quantity of bids, in whole price and quantity units.
    pub bids: i128,
    /// The same of asks.
    pub asks: i128,
}

/// A book judged.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Liquidity {
    /// What kind of book it is; all but a two-sided one are critical.
    pub kind: BookKind,
    /// Best ask less best bid over the mid, in basis points; negative for a crossed book, missing without both sides.
    pub spread_bps: Option<f64>,
    /// Depth in each of [`BANDS_PERCENT`]; zeros without both sides, for there is no mid.
    pub depth: [BandDepth; 3],
    /// Bids less asks over their sum within 5 %, in `[-1, 1]`; missing where nothing rests there.
    pub imbalance: Option<f64>,
    /// 0 to 100, never lower when more rests on either side.
    pub score: f64,
    /// The score in words.
    pub class: LiquidityClass,
}

/// Judges a book, levels best first. Levels without quantity are skipped, a price of zero or below is out of range.
///
/// The score is the mean of four parts of 0 to 100: one for the spread (100 up to 1 bp, then 80, 60, 40, 20 up to 5, 10,
/// 20, 50 bps, else 0), twice the depth within 1 % and once that within 5 %. Depth is that of the **thinner** side over
/// `enough`, at most 1: so a lopsided book scores low, yet more depth never lowers the score.
///
/// `enough` is the notional that one order of ours may well take, in whole price units times quantity units.
///
/// # Errors
/// [`QuantError::OutOfRange`] for a price that is not positive, or an `enough` that is not.
pub fn judge_book(bids: &[BookLevel], asks: &[BookLevel], enough: f64) -> Result<Liquidity, QuantError> {
    check_range("enough notional", enough, enough > 0.0, "above 0")?;
    for level in bids.iter().chain(asks) {
        check_range("price", fraction(i128::from(level.price)), level.price > 0, "above 0")?;
    }
    let best = |levels: &[BookLevel]| levels.iter().find(|level| level.quantity > 0).map(|level| level.price);
    let (bid, ask) = match (best(bids), best(asks)) {
        (None, None) => return Ok(critical(BookKind::Empty, None)),
        (None, Some(_)) | (Some(_), None) => return Ok(critical(BookKind::OneSided, None)),
        (Some(bid), Some(ask)) => (i128::from(bid), i128::from(ask)),
    };
    let spread_bps = 20_000.0 * fraction(ask - bid) / fraction(ask + bid);
    if bid >= ask {
        return Ok(critical(BookKind::Crossed, Some(spread_bps)));
    }
    let depth = BANDS_PERCENT.map(|percent| BandDepth {
        percent,
        bids: within(bids, bid + ask, percent),
        asks: within(asks, bid + ask, percent),
    });
    let part = |band: &BandDepth| 100.0 * (fraction(band.bids.min(band.asks)) / enough).min(1.0);
    let score = (spread_part(spread_bps) + 2.0 * part(&depth[0]) + part(&depth[1])) / 4.0;
    let (bid_side, ask_side) = (fraction(depth[1].bids), fraction(depth[1].asks));
    let imbalance = (bid_side + ask_side > 0.0).then(|| (bid_side - ask_side) / (bid_side + ask_side));
    let class = LiquidityClass::of(score);
    Ok(Liquidity { kind: BookKind::TwoSided, spread_bps: Some(spread_bps), depth, imbalance, score, class })
}

fn critical(kind: BookKind, spread_bps: Option<f64>) -> Liquidity {
    let depth = BANDS_PERCENT.map(|percent| BandDepth { percent, bids: 0, asks: 0 });
    Liquidity { kind, spread_bps, depth, imbalance: None, score: 0.0, class: LiquidityClass::Critical }
}

/// Notional of the levels not farther than `percent` from half of `twice_mid`, exact.
fn within(levels: &[BookLevel], twice_mid: i128, percent: u32) -> i128 {
    let near = |level: &&BookLevel| {
        let distance = (2 * i128::from(level.price) - twice_mid).abs();
        distance * 100 <= twice_mid * i128::from(percent)
    };
    let notional = |level: &BookLevel| i128::from(level.price) * i128::from(level.quantity);
    levels.iter().filter(near).fold(0, |sum: i128, level| sum.saturating_add(notional(level)))
}

fn spread_part(spread_bps: f64) -> f64 {
    let steps = [(1.0, 100.0), (5.0, 80.0), (10.0, 60.0), (20.0, 40.0), (50.0, 20.0)];
    steps.iter().find(|(most, _)| spread_bps <= *most).map_or(0.0, |(_, part)| *part)
}

/// Whether and how to slice an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlicingAdvice {
    /// Modelled impact times the multiplier of the book's class.
    pub impact_bps: f64,
    /// The largest slice that stays within [`SLICE_ABOVE_BPS`], where the whole order does not; 0 if not one
    /// increment does.
    pub slice: Option<u64>,
}

/// Impact of an order in a book of this class, and the slice to cut it into beyond [`SLICE_ABOVE_BPS`].
///
/// # Errors
/// [`QuantError::OutOfRange`] for an increment of 0.
pub fn advise_slicing(
    size: u64,
    depth: &SideDepth,
    class: LiquidityClass,
    increment: u64,
) -> Result<SlicingAdvice, QuantError> {
    use crate::impact::{ImpactRule, SizingMode, calculate_impact_aware_size};
    let multiplier = class.impact_multiplier();
    let impact_bps = depth.impact_bps(size) * multiplier;
    let limit_bps = SLICE_ABOVE_BPS / multiplier;
    let rule = ImpactRule { limit_bps, extra_bps: 0.0, increment, mode: SizingMode::Conservative };
    let fits = calculate_impact_aware_size(size, depth, &rule)?.size;
    Ok(SlicingAdvice { impact_bps, slice: (impact_bps > SLICE_ABOVE_BPS).then_some(fits) })
}
