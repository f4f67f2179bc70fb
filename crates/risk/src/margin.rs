//! How far the mark is from liquidation.

/// What stands behind a contract, in ledger units of the judged portfolio's base currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// With cross margin the equity of the margin account; with isolated margin what is set aside for this position,
    /// its unrealised profit included.
    pub collateral: i128,
    /// Signed notional of every other position that shares the collateral, added without sign; 0 for isolated margin.
    pub others: i128,
    /// Whether profit and collateral are counted in the asset itself.
    pub is_inverse: bool,
}

/// How far the mark may move against a position of signed `notional` before it is liquidated, in basis points of the
/// mark; 0 when it would be at once, `None` when no move does it.
///
/// Liquidation is where collateral after the move equals the maintenance margin: `E ∓ n x = m n (1 ∓ x)` for a linear
/// contract, long above, with `n` the notional at the mark and `m` the maintenance rate, so that
/// `x = (E - m n) / (n (1 ∓ m))`. For an inverse contract, whose notional in coin moves against its price,
/// `x = (E - m n) / (E + n)` long and `x = (E - m n) / (n - E)` short. Positions that share the collateral keep their
/// price, and their maintenance margin is set aside first.
///
/// Source: Binance, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" and the page of that name for
/// COIN-M contracts, solved for the distance, with one maintenance rate in place of the bracket table.
#[must_use]
pub fn liquidation_distance_bps(notional: i128, margin: &Margin, maintenance_bps: i64) -> Option<i64> {
    let (size, rate) = (notional.abs(), i128::from(maintenance_bps));
    if size == 0 {
        return None;
    }
    let collateral = margin.collateral * 10_000 - margin.others.abs().saturating_mul(rate);
    let cushion = (collateral - size.saturating_mul(rate)).max(0);
    let per = match (margin.is_inverse, notional > 0) {
        (false, true) => size * (10_000 - rate),
        (false, false) => size * (10_000 + rate),
        (true, true) => collateral + size * 10_000,
        (true, false) => size * 10_000 - collateral,
    };
    if per <= 0 {
        return None;
    }
    let distance = cushion.saturating_mul(10_000) / per;
    let is_long = notional > 0;
    (!is_long || distance < 10_000).then(|| i64::try_from(distance).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn distance(notional: i128, collateral: i128, is_inverse: bool, others: i128) -> Option<i64> {
        liquidation_distance_bps(notional, &Margin { collateral, others, is_inverse }, 100)
    }

    #[test]
    fn hand_worked_cases() {
        // ten times leverage, 1 % maintenance: 9 of 99 are left for the fall, 9 of 101 for the rise
        assert_eq!(distance(100_000, 10_000, false, 0), Some(909));
        assert_eq!(distance(-100_000, 10_000, false, 0), Some(891));
        assert_eq!(distance(100_000, 10_000, false, 500_000), Some(404), "1 % of the others is set aside first");
        assert_eq!(distance(100_000, 100_000, false, 0), None, "paid in full");
        assert_eq!(distance(100_000, 1_000, false, 0), Some(0), "maintenance margin and no more");
        assert_eq!(distance(100_000, -5, false, 0), Some(0));
        assert_eq!(distance(0, 1, false, 0), None);
        // inverse: 9 of 110 and 9 of 90
        assert_eq!(distance(100_000, 10_000, true, 0), Some(818));
        assert_eq!(distance(-100_000, 10_000, true, 0), Some(1_000));
        assert_eq!(distance(-100_000, 100_000, true, 0), None, "a short that its own coin covers");
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
    }
}
