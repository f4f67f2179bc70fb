//! What contracts want set aside, and how far the mark is from liquidation.

use crate::Controls;
use tradewind_domain::{Instrument, MarginTier, MarginTiers, Price};

/// What stands behind a contract, in ledger units of the judged portfolio's base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// With cross margin the equity of the margin account; with isolated margin what is set aside for this position,
    /// its unrealised profit included.
    pub collateral: i128,
    /// Maintenance margin of every other position that shares the collateral; 0 for isolated margin.
    pub others_maintenance: i128,
    /// Initial margin of every other position that shares the collateral, with its open orders.
    pub others_initial: i128,
    /// One unit of the contract's settlement currency in base currency, as a fraction.
    pub rate: (i128, i128),
}

/// By what terms a contract is held: its venue's brackets, or what the limits reckon with where those are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    tiers: &'a MarginTiers,
    maintenance_e8: i128,
    initial_bps: i64,
    rate: (i128, i128),
    is_inverse: bool,
}

const E8: i128 = 100_000_000;
/// No ledger holds a notional beyond this: it is taken for liquidated, rather than for a number.
const MOST: i128 = 1 << 72;

impl<'a> Terms<'a> {
    /// The terms of a contract whose settlement currency is worth `rate` in the base currency.
    #[must_use]
    pub fn of(instrument: &'a Instrument, controls: &Controls, rate: (i128, i128)) -> Self {
        Self {
            tiers: &instrument.spec.margin,
            maintenance_e8: i128::from(controls.maintenance_bps.unwrap_or(0)) * 10_000,
            initial_bps: controls.initial_bps.unwrap_or(10_000),
            rate,
            is_inverse: instrument.is_inverse(),
        }
    }

    /// Initial margin of `notional` in base currency: at the leverage that the limit `initial_margin` stands for, or at
    /// the largest of its bracket where that is less. Without either it is paid in full.
    #[must_use]
    pub fn initial(&self, notional: i128) -> i128 {
        let size = notional.saturating_abs();
        let scaled = size.saturating_mul(self.initial_bps.into());
        let own = scaled / 10_000 + i128::from(scaled % 10_000 > 0);
        let settled = self.settled(size);
        let bracket = self.tiers.at(settled).or(self.tiers.as_slice().last());
        bracket.map_or(own, |tier| own.max(self.in_base(tier.initial(settled))))
    }

    /// Maintenance margin of `notional` in base currency: by its bracket, or by the limit `maintenance_margin`.
    #[must_use]
    pub fn maintenance(&self, notional: i128) -> i128 {
        let settled = self.settled(notional);
        match self.tiers.at(settled).or(self.tiers.as_slice().last()) {
            Some(tier) => self.in_base(tier.maintenance(settled)),
            None => {
                let part = notional.saturating_abs().saturating_mul(self.maintenance_e8);
                part / E8 + i128::from(part % E8 > 0)
            }
        }
    }

    /// The largest notional in base currency that the venue lets a position have, where that is known.
    #[must_use]
    pub fn most(&self) -> Option<i128> {
        self.tiers.most().map(|most| self.in_base(most.into()))
    }

    fn settled(&self, base: i128) -> i128 {
        if self.rate.0 == self.rate.1 { base } else { base.saturating_mul(self.rate.1) / self.rate.0.max(1) }
    }

    fn in_base(&self, settled: i128) -> i128 {
        if self.rate.0 == self.rate.1 { settled } else { settled.saturating_mul(self.rate.0) / self.rate.1.max(1) }
    }
}

/// How far the mark may move against a position of signed `notional` before it is liquidated, in hundred-millionths of
/// the mark; 0 when it would be at once, `None` when no move does it.
///
/// Liquidation is where collateral after the move equals the maintenance margin: `E ∓ n x = m n (1 ∓ x) - a` for a linear
/// contract, long above, with `n` the notional at the mark, `m` the rate and `a` the amount of a bracket, so that
/// `x = (E + a - m n) / (n (1 ∓ m))`. For an inverse contract, whose notional in coin moves against its price,
/// `x = (E + a - m n) / (E + a + n)` long and `x = (E + a - m n) / (n - E - a)` short. Maintenance margin is the largest
/// of what the brackets say, so the nearest of their answers is the one at which it is met: that of the bracket which
/// the position is in by then. Positions that share the collateral keep their price, and their maintenance margin is set
/// aside first.
///
/// Source: Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" and the page of that name for
/// COIN-M contracts, solved for the distance.
#[must_use]
pub fn liquidation_distance_e8(notional: i128, margin: &Margin, terms: &Terms<'_>) -> Option<i64> {
    let size = notional.saturating_abs();
    if size == 0 {
        return None;
    }
    let free = margin.collateral.saturating_sub(margin.others_maintenance);
    if size > MOST || free.saturating_abs() > MOST {
        return Some(0);
    }
    let is_long = notional > 0;
    let line = |rate_e8: i128, amount: i128| distance(size, is_long, terms.is_inverse, free + amount, rate_e8);
    match terms.tiers.as_slice() {
        [] => line(terms.maintenance_e8, 0),
        tiers => {
            let of = |tier: &MarginTier| line(tier.maintenance_e8.into(), terms.in_base(tier.amount.into()));
            tiers.iter().filter_map(of).min()
        }
    }
}

/// The same in basis points, rounded down.
#[must_use]
pub fn liquidation_distance_bps(notional: i128, margin: &Margin, terms: &Terms<'_>) -> Option<i64> {
    liquidation_distance_e8(notional, margin, terms).map(|distance| distance / 10_000)
}

/// The price at which a position of signed `notional` at `mark` is liquidated, rounded towards the mark; `None` where no
/// price above zero does it.
#[must_use]
pub fn liquidation_price(mark: Price, notional: i128, margin: &Margin, terms: &Terms<'_>) -> Option<Price> {
    let distance = i128::from(liquidation_distance_e8(notional, margin, terms)?);
    let away = i128::from(mark.mantissa()).checked_mul(distance)? / E8;
    let away = i64::try_from(away).ok()?;
    let price = if notional > 0 { mark.mantissa().checked_sub(away) } else { mark.mantissa().checked_add(away) };
    price.filter(|price| *price > 0).map(Price::from_mantissa)
}

/// Where the line of one bracket is met.
fn distance(size: i128, is_long: bool, is_inverse: bool, free: i128, rate_e8: i128) -> Option<i64> {
    let collateral = free * E8;
    let cushion = (collateral - size * rate_e8).max(0);
    let per = match (is_inverse, is_long) {
        (false, true) => size * (E8 - rate_e8),
        (false, false) => size * (E8 + rate_e8),
        (true, true) => collateral + size * E8,
        (true, false) => size * E8 - collateral,
    };
    if per <= 0 {
        return if cushion == 0 { Some(0) } else { None };
    }
    let distance = cushion * E8 / per;
    (!is_long || distance < E8).then(|| i64::try_from(distance).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_domain::{InstrumentId, InstrumentKind, InstrumentSpec};

    const UNIT: i64 = 100_000_000;

    fn tier(floor: i64, cap: i64, leverage: u32, bps: i64, amount: i64) -> MarginTier {
        let (floor, cap, amount) = (floor * UNIT, cap * UNIT, amount * UNIT);
        MarginTier { floor, cap, leverage, maintenance_e8: bps * 10_000, amount }
    }

    /// A perpetual with one rate by the limits, or with the first brackets of a large one.
    fn contract(is_inverse: bool, has_brackets: bool) -> Instrument {
        let (symbol, kind) = match is_inverse {
            false => ("BTC/USDT:USDT", InstrumentKind::LinearPerpetual),
            true => ("BTC/USD:BTC", InstrumentKind::InversePerpetual),
        };
        let tiers = vec![
            tier(0, 50_000, 125, 40, 0),
            tier(50_000, 600_000, 100, 50, 50),
            tier(600_000, 3_000_000, 75, 100, 3_050),
        ];
        let margin = if has_brackets { MarginTiers::new(tiers).unwrap() } else { MarginTiers::default() };
        let spec = InstrumentSpec { kind, margin, ..InstrumentSpec::spot(symbol.parse().unwrap(), "test") };
        spec.list(InstrumentId(0)).unwrap()
    }

    fn controls() -> Controls {
        Controls { maintenance_bps: Some(100), initial_bps: Some(1_000), ..Controls::default() }
    }

    fn margin(collateral: i128, others_maintenance: i128) -> Margin {
        Margin { collateral, others_maintenance, others_initial: 0, rate: (1, 1) }
    }

    fn distance(notional: i128, collateral: i128, is_inverse: bool, others: i128) -> Option<i64> {
        let (it, controls) = (contract(is_inverse, false), controls());
        liquidation_distance_bps(notional, &margin(collateral, others), &Terms::of(&it, &controls, (1, 1)))
    }

    #[test]
    fn hand_worked_cases() {
        // ten times leverage, 1 % maintenance: 9 of 99 are left for the fall, 9 of 101 for the rise
        assert_eq!(distance(100_000, 10_000, false, 0), Some(909));
        assert_eq!(distance(-100_000, 10_000, false, 0), Some(891));
        assert_eq!(distance(100_000, 10_000, false, 5_000), Some(404), "what the others need is set aside first");
        assert_eq!(distance(100_000, 100_000, false, 0), None, "paid in full");
        assert_eq!(distance(100_000, 1_000, false, 0), Some(0), "maintenance margin and no more");
        assert_eq!(distance(100_000, -5, false, 0), Some(0));
        assert_eq!(distance(0, 1, false, 0), None);
        // inverse: 9 of 110 and 9 of 90
        assert_eq!(distance(100_000, 10_000, true, 0), Some(818));
        assert_eq!(distance(-100_000, 10_000, true, 0), Some(1_000));
        assert_eq!(distance(-100_000, 100_000, true, 0), None, "a short that its own coin covers");
        assert_eq!(distance(100_000, -200_000, true, 0), Some(0), "a long that lost more than it is worth");
        assert_eq!(distance(i128::MAX / 4, i128::MAX / 4, false, 0), Some(0), "beyond every ledger");
    }

    #[test]
    fn liquidation_is_reckoned_in_the_bracket_that_it_happens_in() {
        let (it, controls) = (contract(false, true), controls());
        let terms = Terms::of(&it, &controls, (1, 1));
        let unit = i128::from(UNIT);
        for (notional, collateral, want, price) in [
            // within the second: (6,000 + 50 - 300) of 60,000 x 0.995
            (60_000, 6_000, 9_631_490, "90368.51"),
            // falls from the second into the first: (5,200 - 208) of 52,000 x 0.996
            (52_000, 5_200, 9_638_554, "90361.45"),
            // rises from the second into the third: (59,000 + 3,050 - 5,900) of 590,000 x 1.01
            (-590_000, 59_000, 9_422_721, "109422.72"),
            // at an edge and beside it: (5,000 - 200) of 50,000 x 0.996
            (50_000, 5_000, 9_638_554, "90361.45"),
            // ten times as much: (60,100 + 3,050 - 6,010) of 601,000 x 0.99 in the third, nearer by the second:
            // (60,100 + 50 - 3,005) of 601,000 x 0.995
            (601_000, 60_100, 9_556_099, "90443.90"),
        ] {
            let (notional, margin) = (notional * unit, margin(collateral * unit, 0));
            assert_eq!(liquidation_distance_e8(notional, &margin, &terms), Some(want), "{notional}");
            let mark = it.price("100000").unwrap();
            let found = liquidation_price(mark, notional, &margin, &terms).unwrap();
            assert_eq!(format!("{:.2}", it.price_f64(found)), price);
        }
        let near =
            |more: i128| liquidation_distance_e8(50_000 * unit + more, &margin(5_000 * unit, 0), &terms).unwrap();
        assert!((near(1) - near(0)).abs() <= 1, "{} {}", near(0), near(1));
        assert_eq!(liquidation_price(Price::from_mantissa(5), 100, &margin(200, 0), &terms), None);
    }

    #[test]
    fn initial_margin_is_the_dearer_of_the_limit_and_the_bracket() {
        let (it, one_rate) = (contract(false, true), contract(false, false));
        let unit = i128::from(UNIT);
        let with = |bps, it| {
            Terms::of(it, &Controls { initial_bps: bps, ..Controls::default() }, (1, 1)).initial(60_000 * unit)
        };
        assert_eq!(with(Some(1_000), &it), 6_000 * unit, "ten times by the limit");
        assert_eq!(with(Some(50), &it), 600 * unit, "a hundred times at most in its bracket");
        assert_eq!(with(Some(50), &one_rate), 300 * unit);
        assert_eq!(with(None, &one_rate), 60_000 * unit, "in full where nothing is known");
    }

    #[test]
    fn brackets_count_in_the_settlement_currency() {
        // a settlement currency worth two of the base: 50,000 of it are 100,000
        let (it, controls) = (contract(false, true), controls());
        let terms = Terms::of(&it, &controls, (2, 1));
        let unit = i128::from(UNIT);
        assert_eq!(terms.maintenance(100_000 * unit), 400 * unit);
        assert_eq!(terms.maintenance(120_000 * unit), 500 * unit, "0.5 % less twice 50");
        assert_eq!(terms.most(), Some(6_000_000 * unit));
    }

    proptest! {
        /// At the distance found the collateral meets the maintenance margin, reckoned the long way round in f64.
        #[test]
        fn at_that_distance_the_margin_is_just_met(size in 1_000_000_i64..1_000_000_000, share in 2_i64..90, long: bool, inverse: bool) {
            let collateral = size * share / 100;
            let notional = if long { size } else { -size };
            let found = distance(notional.into(), collateral.into(), inverse, 0);
            let Some(bps) = found else { return Ok(()) };
            #[expect(clippy::cast_precision_loss)]
            let (n, e, x) = (size as f64, collateral as f64, bps as f64 / 1e4);
            let sign = if long { 1.0 } else { -1.0 };
            let price = 1.0 - sign * x;
            let (left, needed) = if inverse {
                (e + sign * n * (1.0 - 1.0 / price), 0.01 * n / price)
            } else {
                (e - n * x, 0.01 * n * price)
            };
            // the distance is cut to a basis point, which an inverse contract magnifies by the price squared
            let cut = 1.5e-4 * (1.0 / (price * price)).max(1.0);
            prop_assert!((left - needed).abs() / n < cut, "{left} {needed}");
        }

        /// With brackets the collateral after the move is the maintenance margin of the bracket that the position is in
        /// by then, and one hundredth of a basis point before it is more.
        #[test]
        fn at_that_distance_the_bracket_is_just_met(size in 1_000_i128..2_000_000, share in 3_i128..90, long: bool) {
            let (it, controls) = (contract(false, true), controls());
            let terms = Terms::of(&it, &controls, (1, 1));
            let size = size * i128::from(UNIT);
            let collateral = size * share / 100;
            let notional = if long { size } else { -size };
            let Some(found) = liquidation_distance_e8(notional, &margin(collateral, 0), &terms) else { return Ok(()) };
            let spare = |distance: i128| {
                let moved = size * distance / E8;
                let then = if long { size - moved } else { size + moved };
                collateral - moved - terms.maintenance(then)
            };
            let found = i128::from(found);
            prop_assert!(spare(found).abs() <= size / 10_000_000, "{} of {size}", spare(found));
            prop_assert!(found < 100 || spare(found - 100) > 0);
        }

        /// A larger position is nearer to its end, and never by a jump, brackets or not.
        #[test]
        fn more_is_nearer_without_a_jump(size in 10_000_i128..2_000_000, long: bool, brackets: bool) {
            let (it, controls) = (contract(false, brackets), controls());
            let terms = Terms::of(&it, &controls, (1, 1));
            let sign = if long { 1 } else { -1 };
            let at = |size: i128| liquidation_distance_e8(sign * size, &margin(5_000 * i128::from(UNIT), 0), &terms).unwrap_or(i64::MAX);
            let size = size * i128::from(UNIT);
            let (less, more) = (at(size), at(size + i128::from(UNIT)));
            prop_assert!(more <= less && (less - more <= 60_000 || less > 100_000_000 - 60_000), "{less} {more}");
        }
    }
}
