//! Stops and targets: what protects a position, and how far a trade went for and against it.

use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, Price, Quantity, Side};

/// How protection is placed. Distances are in basis points of the entry price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionRules {
    /// Distance of the stop where the average true range is not known.
    pub stop_bps: i64,
    /// Distance of the target where it is not known.
    pub target_bps: i64,
    /// Distance of the stop in average true ranges, in ten-thousandths.
    pub stop_ranges: i64,
    /// Distance of the target in distances of the stop, in ten-thousandths.
    pub target_stops: i64,
    /// Least distance of a stop.
    pub stop_min_bps: i64,
    /// Greatest distance of a stop.
    pub stop_max_bps: i64,
    /// How far the stop follows behind the best price; `None` leaves it where it is.
    pub trailing_bps: Option<i64>,
}

impl ProtectionRules {
    /// What ships: 2 % and 4 %, or 1.5 ranges and twice that within 0.5 % to 5 %; the stop follows 5 % behind.
    pub const SHIPPED: Self = Self {
        stop_bps: 200,
        target_bps: 400,
        stop_ranges: 15_000,
        target_stops: 20_000,
        stop_min_bps: 50,
        stop_max_bps: 500,
        trailing_bps: Some(500),
    };
}

/// How far a trade went for and against its holder since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excursion {
    /// Entry price.
    pub entry: Price,
    /// Best price seen by a long, worst by a short.
    pub highest: Price,
    /// Worst price seen by a long, best by a short.
    pub lowest: Price,
}

impl Excursion {
    /// A trade that was just opened.
    #[must_use]
    pub const fn new(entry: Price) -> Self {
        Self { entry, highest: entry, lowest: entry }
    }
    /// Takes in a price.
    pub fn push(&mut self, price: Price) {
        self.highest = self.highest.max(price);
        self.lowest = self.lowest.min(price);
    }
    /// The best price so far for a position that `side` opened.
    #[must_use]
    pub const fn best(&self, side: Side) -> Price {
        match side {
            Side::Buy => self.highest,
            Side::Sell => self.lowest,
        }
    }
    /// Maximum favourable excursion: the most that the trade was ahead, in basis points of its entry.
    #[must_use]
    pub fn favourable_bps(&self, side: Side) -> i64 {
        self.away_bps(self.best(side))
    }
    /// Maximum adverse excursion: the most that it was behind, in basis points of its entry.
    #[must_use]
    pub fn adverse_bps(&self, side: Side) -> i64 {
        self.away_bps(self.best(side.opposite()))
    }
    fn away_bps(&self, price: Price) -> i64 {
        let away = i128::from(price.mantissa().abs_diff(self.entry.mantissa())) * 10_000;
        i64::try_from(away / i128::from(self.entry.mantissa().max(1))).unwrap_or(i64::MAX)
    }
}

/// A position as protection sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The position, signed and not zero.
    pub quantity: Quantity,
    /// Where it was opened and what it saw since.
    pub excursion: Excursion,
    /// Average true range, if it is known.
    pub atr: Option<Price>,
    /// Where its stop is now, if it has one.
    pub stop: Option<Price>,
}

/// The protective orders that a position needs: both reduce it by all of it, and one cancels the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// The side that closes it.
    pub side: Side,
    /// How much, in whole lots.
    pub quantity: Quantity,
    /// Trigger of the stop, on a tick.
    pub stop: Price,
    /// Price of the target, on a tick.
    pub target: Price,
    /// Whether the stop follows the best price and has left its first place.
    pub is_trailing: bool,
}

/// What protects `standing` under `rules`; `None` for a flat position, one of less than a lot, or prices below zero.
///
/// The distance of the stop is 1.5 average true ranges within the rules' bounds, or the fallback. A stop only ever
/// moves towards the price: neither a new range nor a fall back loosens it.
#[must_use]
pub fn protection(instrument: &Instrument, standing: &Standing, rules: &ProtectionRules) -> Option<Protection> {
    let opened_by = if standing.quantity > Quantity::ZERO { Side::Buy } else { Side::Sell };
    let quantity = instrument.whole_lots(standing.quantity.abs());
    let entry = standing.excursion.entry;
    if quantity.is_zero() || entry.mantissa() <= 0 {
        return None;
    }
    let part = |of: Price, bps: i64| i128::from(of.mantissa()) * i128::from(bps) / 10_000;
    let distance = match standing.atr.filter(|atr| atr.mantissa() > 0) {
        Some(atr) => {
            part(atr, rules.stop_ranges).clamp(part(entry, rules.stop_min_bps), part(entry, rules.stop_max_bps))
        }
        None => part(entry, rules.stop_bps),
    };
    let reach = match standing.atr {
        Some(_) => distance * i128::from(rules.target_stops) / 10_000,
        None => part(entry, rules.target_bps),
    };
    let sign = opened_by.sign();
    let shifted = |from: Price, by: i128| {
        let by = i64::try_from(by).ok()?;
        from.mantissa().checked_add(sign.checked_mul(by)?).map(Price::from_mantissa)
    };
    let first = shifted(entry, -distance)?;
    let best = standing.excursion.best(opened_by);
    let trailed = rules.trailing_bps.and_then(|bps| shifted(best, -part(best, bps)));
    // "further" is higher for a long and lower for a short
    let further = |a: Price, b: Price| if (a > b) == (sign > 0) { a } else { b };
    let stop = [trailed, standing.stop].into_iter().flatten().fold(first, further);
    let target = shifted(entry, reach)?;
    let on_tick = |price: Price| if sign > 0 { instrument.tick_down(price) } else { instrument.tick_up(price) };
    let (stop, target) = (on_tick(stop), on_tick(target));
    (stop.mantissa() > 0 && target.mantissa() > 0).then_some(Protection {
        side: opened_by.opposite(),
        quantity,
        stop,
        target,
        is_trailing: stop != on_tick(first),
    })
}

/// Whether a position is protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "coverage")]
pub enum Coverage {
    /// There is nothing to protect.
    Flat,
    /// Open protective orders close all of it.
    Covered,
    /// This is missing.
    Missing(Protection),
    /// A person said that it goes without, and why: that is recorded.
    Exempt {
        /// Why.
        reason: String,
    },
}

/// Judges whether open protective orders of `protected` quantity cover the position, or a recorded exemption does.
///
/// A position of less than a lot cannot be closed by an order: it counts as exempt, being dust.
#[must_use]
pub fn coverage(
    instrument: &Instrument,
    standing: &Standing,
    protected: Quantity,
    exemption: Option<&str>,
    rules: &ProtectionRules,
) -> Coverage {
    if standing.quantity.is_zero() {
        return Coverage::Flat;
    }
    if let Some(reason) = exemption {
        return Coverage::Exempt { reason: reason.to_owned() };
    }
    match protection(instrument, standing, rules) {
        Some(needed) if protected >= needed.quantity => Coverage::Covered,
        Some(needed) => Coverage::Missing(needed),
        None => Coverage::Exempt { reason: "less than a lot, or no price to place a stop at".to_owned() },
    }
}
