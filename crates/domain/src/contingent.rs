//! What an order waits for: a price to be touched, or a price to turn by some distance.

use crate::{OrderKind, Price, Side};
use serde::{Deserialize, Serialize};

/// How far the market must turn from its best price before a trailing stop wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrailingOffset {
    /// By this much.
    Price(Price),
    /// By this part of the best price, in basis points: 1 to 9,999.
    Bps(u32),
}

impl TrailingOffset {
    /// Where a stop of `side` stands when the best price since it began to follow is `best`: below it for a sell, above
    /// it for a buy. A fraction of a mantissa falls away from the market, so a whole price reaches the level exactly
    /// when it reaches the fraction. Saturates at 64 bits.
    #[must_use]
    pub fn level(self, side: Side, best: Price) -> Price {
        let best = i128::from(best.mantissa());
        let level = match (self, side) {
            (Self::Price(distance), Side::Sell) => best - i128::from(distance.mantissa()),
            (Self::Price(distance), Side::Buy) => best + i128::from(distance.mantissa()),
            (Self::Bps(bps), Side::Sell) => (best * (10_000 - i128::from(bps))).div_euclid(10_000),
            (Self::Bps(bps), Side::Buy) => -((-best * (10_000 + i128::from(bps))).div_euclid(10_000)),
        };
        let limit = if level < 0 { i64::MIN } else { i64::MAX };
        Price::from_mantissa(i64::try_from(level).unwrap_or(limit))
    }

    /// Whether the distance means something: above zero, and a part below the whole.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        match self {
            Self::Price(distance) => distance.mantissa() > 0,
            Self::Bps(bps) => bps > 0 && bps < 10_000,
        }
    }
}

/// A trailing stop as it follows the market: its level only ever comes nearer, it never loosens.
///
/// It follows from the first price on, or, with an activation, from the first price at or beyond it in the direction
/// of profit: at or above for a sell, at or below for a buy.
///
/// Source: the rules of Binance spot's `trailingDelta` (Spot Trailing Stop order FAQ): the best price is that of a
/// trade since the order was placed, or since its activation was met; the trade that meets it sets the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// The best price since it began to follow: the highest for a sell, the lowest for a buy.
    pub best: Option<Price>,
}

impl Trail {
    /// Shows the next trade price; `true` if the stop wakes.
    pub fn on_price(&mut self, side: Side, offset: TrailingOffset, activation: Option<Price>, price: Price) -> bool {
        let better = |than: Price| if side == Side::Sell { price >= than } else { price <= than };
        match self.best {
            None if activation.is_none_or(better) => self.best = Some(price),
            None => return false,
            Some(best) if better(best) => self.best = Some(price),
            Some(_) => (),
        }
        self.level(side, offset).is_some_and(|level| Self::is_past(side, level, price))
    }

    /// Shows a bar, of whose inside only the four prices are known; `true` if the stop wakes in it.
    ///
    /// The open is a trade. Inside, the worst is assumed of what may have come first: the level that stood at the open
    /// is tested against the adverse end, then the best end moves the level and the close, which came after it for
    /// certain, is tested against that.
    pub fn on_bar(
        &mut self,
        side: Side,
        offset: TrailingOffset,
        activation: Option<Price>,
        [open, high, low, close]: [Price; 4],
    ) -> bool {
        let (adverse, kind) = if side == Side::Sell { (low, high) } else { (high, low) };
        if self.on_price(side, offset, activation, open) {
            return true;
        }
        let stood = self.level(side, offset);
        if stood.is_some_and(|level| Self::is_past(side, level, adverse)) {
            return true;
        }
        self.on_price(side, offset, activation, kind);
        self.best.is_some() && self.on_price(side, offset, activation, close)
    }

    /// Where the stop stands; `None` while it waits for its activation or for a first price.
    #[must_use]
    pub fn level(&self, side: Side, offset: TrailingOffset) -> Option<Price> {
        self.best.map(|best| offset.level(side, best))
    }

    fn is_past(side: Side, level: Price, price: Price) -> bool {
        if side == Side::Sell { price <= level } else { price >= level }
    }
}

/// Which contingent kinds a venue keeps itself for an instrument; the engine waits for the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NativeKinds {
    /// Market-if-touched.
    pub touched: bool,
    /// Limit-if-touched.
    pub limit_touched: bool,
    /// Trailing stops by basis points.
    pub trailing_bps: bool,
    /// Trailing stops by a distance in price.
    pub trailing_price: bool,
}

impl NativeKinds {
    /// What the engine may rely on where there is no venue at all: every kind, as a bar matcher fills them.
    pub const ALL: Self = Self { touched: true, limit_touched: true, trailing_bps: true, trailing_price: true };

    /// Whether the venue keeps none of them.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        !self.touched && !self.limit_touched && !self.trailing_bps && !self.trailing_price
    }

    /// Whether an order of this kind can be sent as it is.
    #[must_use]
    pub const fn has(&self, kind: &OrderKind) -> bool {
        match kind {
            OrderKind::Market | OrderKind::Limit { .. } | OrderKind::Stop { .. } | OrderKind::StopLimit { .. } => true,
            OrderKind::Touched { .. } => self.touched,
            OrderKind::LimitTouched { .. } => self.limit_touched,
            OrderKind::Trailing { offset: TrailingOffset::Bps(_), .. } => self.trailing_bps,
            OrderKind::Trailing { offset: TrailingOffset::Price(_), .. } => self.trailing_price,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn price(mantissa: i64) -> Price {
        Price::from_mantissa(mantissa)
    }

    fn check(side: Side, offset: TrailingOffset, activation: Option<i64>, prices: &[i64], wakes_at: Option<i64>) {
        let mut trail = Trail::default();
        let woke = prices.iter().find(|p| trail.on_price(side, offset, activation.map(price), price(**p)));
        assert_eq!(woke.copied(), wakes_at, "{side:?} {offset:?} from {activation:?} over {prices:?}");
    }

    #[test]
    fn a_trailing_stop_follows_and_wakes_where_the_venue_says() {
        let bps = TrailingOffset::Bps;
        // scenarios A to E of the venue's FAQ; A and B wait for a price against them, which a resting stop does instead
        check(Side::Buy, bps(500), None, &[44_000, 46_000, 42_000, 44_099, 44_100], Some(44_100));
        check(Side::Sell, bps(1_000), None, &[39_000, 37_000, 41_000, 36_901, 36_900], Some(36_900));
        check(Side::Buy, bps(850), Some(38_000), &[42_000, 38_000, 37_000, 40_144, 40_145], Some(40_145));
        check(
            Side::Sell,
            bps(750),
            Some(42_000),
            &[41_500, 39_000, 45_000, 44_000, 46_500, 43_013, 43_012],
            Some(43_012),
        );
        check(Side::Sell, bps(700), None, &[40_000, 42_000, 39_500, 45_500, 42_316, 42_315], Some(42_315));
        // a distance in price, both ways, and one that is never met
        check(Side::Sell, TrailingOffset::Price(price(10)), None, &[100, 105, 96, 95], Some(95));
        check(Side::Buy, TrailingOffset::Price(price(10)), None, &[100, 90, 99, 100], Some(100));
        check(Side::Sell, TrailingOffset::Price(price(10)), Some(110), &[100, 80, 50], None);
    }

    #[test]
    fn inside_a_bar_the_worst_is_assumed() {
        let wakes = |best: Option<i64>, side, bar: [i64; 4]| {
            let mut trail = Trail { best: best.map(price) };
            trail.on_bar(side, TrailingOffset::Price(price(10)), None, bar.map(price))
        };
        for (best, side, bar, woke) in [
            (Some(100), Side::Sell, [95, 96, 91, 92], false),
            (Some(100), Side::Sell, [89, 96, 88, 95], true),   // a gap
            (Some(100), Side::Sell, [95, 120, 90, 119], true), // the low may have come first
            (Some(100), Side::Sell, [95, 120, 94, 110], true), // the close came after the high
            (Some(100), Side::Sell, [95, 120, 94, 111], false),
            (None, Side::Sell, [100, 104, 95, 95], false),
            (None, Side::Sell, [100, 105, 95, 95], true),
            (Some(100), Side::Buy, [105, 109, 104, 106], false),
            (Some(100), Side::Buy, [105, 110, 104, 106], true),
            (Some(100), Side::Buy, [105, 106, 90, 100], true),
        ] {
            assert_eq!(wakes(best, side, bar), woke, "{best:?} {side:?} {bar:?}");
        }
    }

    proptest! {
        /// Whatever the market does, the level only comes nearer to the market.
        #[test]
        fn a_trailing_stop_never_loosens(
            sells: bool,
            bps in 1_u32..9_999,
            distance in 1_i64..10_000,
            by_part: bool,
            prices in proptest::collection::vec(1_i64..1_000_000, 1..100),
        ) {
            let side = if sells { Side::Sell } else { Side::Buy };
            let offset = if by_part { TrailingOffset::Bps(bps) } else { TrailingOffset::Price(price(distance)) };
            let (mut trail, mut before) = (Trail::default(), None);
            for next in prices {
                trail.on_price(side, offset, None, price(next));
                let level = trail.level(side, offset).unwrap();
                if let Some(before) = before {
                    let nearer = if sells { level >= before } else { level <= before };
                    prop_assert!(nearer, "{level:?} after {before:?}");
                }
                before = Some(level);
            }
        }

        /// The level is reached exactly when the part of the best price is.
        #[test]
        fn the_level_is_exact(best in 1_i64..1_000_000_000, bps in 1_u32..9_999, at in 1_i64..2_000_000_000) {
            let (wide, part) = (i128::from(at) * 10_000, i128::from(bps));
            let sell = TrailingOffset::Bps(bps).level(Side::Sell, price(best)).mantissa();
            prop_assert_eq!(at <= sell, wide <= i128::from(best) * (10_000 - part));
            let buy = TrailingOffset::Bps(bps).level(Side::Buy, price(best)).mantissa();
            prop_assert_eq!(at >= buy, wide >= i128::from(best) * (10_000 + part));
        }
    }
}
