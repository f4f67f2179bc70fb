//! Margin terms of a contract: what its venue wants set aside, bracket of notional by bracket.

use serde::{Deserialize, Serialize};

/// Rates are whole numbers of this part.
const E8: i128 = 100_000_000;

/// One bracket of a position's notional. Amounts are ledger units (10⁻⁸) of the settlement currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarginTier {
    /// Notional above which it holds; 0 for the first.
    pub floor: i64,
    /// Notional up to which it holds, itself included.
    pub cap: i64,
    /// The largest leverage in it: initial margin is notional divided by it.
    pub leverage: u32,
    /// Maintenance margin rate, in hundred-millionths.
    pub maintenance_e8: i64,
    /// What is taken off notional times rate, so that crossing a floor costs nothing at once; Binance says `cum`.
    pub amount: i64,
}

/// Why brackets cannot be one table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("margin bracket {place}: {what}")]
pub struct MarginTiersError {
    /// Which bracket, counted from 1.
    pub place: usize,
    /// Which field, and its value.
    pub what: String,
}

/// The brackets of a contract, smallest notional first; empty where the venue's are not known.
///
/// They leave no gap, rates never fall and leverage never rises, and maintenance margin is continuous from one to the
/// next. It is therefore the largest of what each bracket's line says, at any notional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<MarginTier>", into = "Vec<MarginTier>")]
pub struct MarginTiers(Vec<MarginTier>);

impl TryFrom<Vec<MarginTier>> for MarginTiers {
    type Error = MarginTiersError;
    fn try_from(tiers: Vec<MarginTier>) -> Result<Self, MarginTiersError> {
        Self::new(tiers)
    }
}

impl From<MarginTiers> for Vec<MarginTier> {
    fn from(tiers: MarginTiers) -> Self {
        tiers.0
    }
}

impl MarginTiers {
    /// Checks a venue's brackets.
    ///
    /// # Errors
    /// [`MarginTiersError`] names the first bracket that leaves a gap, is empty, lowers the rate, raises the leverage,
    /// wants all or nothing set aside, or whose amount is not the one that makes maintenance margin continuous.
    pub fn new(tiers: Vec<MarginTier>) -> Result<Self, MarginTiersError> {
        let mut before = MarginTier { floor: 0, cap: 0, leverage: u32::MAX, maintenance_e8: 0, amount: 0 };
        for (place, tier) in tiers.iter().enumerate() {
            if let Some(what) = fault(tier, &before, place == 0) {
                return Err(MarginTiersError { place: place + 1, what });
            }
            before = *tier;
        }
        Ok(Self(tiers))
    }

    /// Whether no bracket is known.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The brackets, smallest notional first.
    #[must_use]
    pub fn as_slice(&self) -> &[MarginTier] {
        &self.0
    }

    /// The bracket of a position of that notional, whatever its sign; `None` where no bracket is known, or beyond the
    /// last, where the venue lets no position grow.
    #[must_use]
    pub fn at(&self, notional: i128) -> Option<&MarginTier> {
        let size = notional.saturating_abs();
        self.0.iter().find(|tier| size <= i128::from(tier.cap))
    }

    /// The largest notional that the venue lets a position have; `None` where no bracket is known.
    #[must_use]
    pub fn most(&self) -> Option<i64> {
        self.0.last().map(|tier| tier.cap)
    }
}

fn fault(tier: &MarginTier, before: &MarginTier, is_first: bool) -> Option<String> {
    if tier.floor != before.cap {
        return Some(format!("floor {} where {} is expected", tier.floor, before.cap));
    }
    if tier.cap <= tier.floor {
        return Some(format!("cap {} is not above its floor {}", tier.cap, tier.floor));
    }
    let whole = i64::try_from(E8).unwrap_or(i64::MAX);
    if tier.maintenance_e8 < before.maintenance_e8.max(1) || tier.maintenance_e8 >= whole {
        return Some(format!("maintenance rate {} e-8 is below the one before, nothing, or all", tier.maintenance_e8));
    }
    if tier.leverage == 0 || tier.leverage > before.leverage {
        return Some(format!("leverage {} is none, or above the one before", tier.leverage));
    }
    let steeper = i128::from(tier.maintenance_e8 - before.maintenance_e8);
    let continuous = if is_first { 0 } else { i128::from(before.amount) + i128::from(tier.floor) * steeper / E8 };
    (i128::from(tier.amount) != continuous).then(|| format!("amount {} where {continuous} is continuous", tier.amount))
}

impl MarginTier {
    /// Maintenance margin of a position in this bracket: notional times rate less the amount, rounded up.
    ///
    /// Source: Binance, "Leverage and Margin of USDⓈ-M Futures": notional position value × maintenance margin rate −
    /// maintenance amount.
    #[must_use]
    pub fn maintenance(&self, notional: i128) -> i128 {
        let part = notional.saturating_abs().saturating_mul(self.maintenance_e8.into());
        part / E8 + i128::from(part % E8 > 0) - i128::from(self.amount)
    }

    /// Initial margin of a position in this bracket at its largest leverage, rounded up.
    #[must_use]
    pub fn initial(&self, notional: i128) -> i128 {
        let (size, leverage) = (notional.saturating_abs(), i128::from(self.leverage));
        size / leverage + i128::from(size % leverage > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNIT: i64 = 100_000_000;

    /// Whole units of currency, and rates in basis points.
    fn tier(floor: i64, cap: i64, leverage: u32, bps: i64, amount: i64) -> MarginTier {
        let (floor, cap, amount) = (floor * UNIT, cap * UNIT, amount * UNIT);
        MarginTier { floor, cap, leverage, maintenance_e8: bps * 10_000, amount }
    }

    /// The first brackets of a large perpetual: 0.4 % up to 50,000, 0.5 % up to 600,000, 1 % up to 3 million.
    fn brackets() -> [MarginTier; 3] {
        [tier(0, 50_000, 125, 40, 0), tier(50_000, 600_000, 100, 50, 50), tier(600_000, 3_000_000, 75, 100, 3_050)]
    }

    #[test]
    fn maintenance_margin_is_continuous_at_each_edge() {
        let tiers = MarginTiers::new(brackets().to_vec()).unwrap();
        let maintenance = |notional: i128| tiers.at(notional).map(|tier| tier.maintenance(notional));
        let unit = i128::from(UNIT);
        for (notional, want) in [
            (0, 0),
            (50_000 * unit, 200 * unit),
            (50_000 * unit + 200, 200 * unit + 1),    // 0.5 % of 200 units is one
            (600_000 * unit, 2_950 * unit),           // 3,000 - 50
            (600_000 * unit + 100, 2_950 * unit + 1), // 6,000 - 3,050, and 1 % of 100 units
            (-3_000_000 * unit, 26_950 * unit),       // 30,000 - 3,050, a short as a long
        ] {
            assert_eq!(maintenance(notional), Some(want), "{notional}");
        }
        assert_eq!(maintenance(3_000_000 * unit + 1), None, "beyond the last bracket");
        assert_eq!((tiers.most(), MarginTiers::default().most()), (Some(3_000_000 * UNIT), None));
        assert_eq!(tiers.at(50_000 * unit).unwrap().initial(50_000 * unit), 400 * unit);
        assert_eq!(tiers.at(50_000 * unit + 1).unwrap().initial(50_000 * unit + 1), 500 * unit + 1);
    }

    #[test]
    fn brackets_that_are_no_table_are_refused_by_place_and_value() {
        let [one, two, three] = brackets();
        for (tiers, place, what) in [
            (vec![two], 1, "floor 5000000000000 where 0"),
            (vec![one, three], 2, "floor"),
            (vec![MarginTier { cap: 0, ..one }], 1, "cap 0 is not above"),
            (vec![one, MarginTier { maintenance_e8: 399_999, ..two }], 2, "maintenance rate 399999"),
            (vec![MarginTier { maintenance_e8: 100_000_000, ..one }], 1, "maintenance rate"),
            (vec![MarginTier { leverage: 0, ..one }], 1, "leverage 0"),
            (vec![one, MarginTier { leverage: 126, ..two }], 2, "leverage 126"),
            (vec![MarginTier { amount: 1, ..one }], 1, "amount 1 where 0"),
            (
                vec![one, two, MarginTier { amount: three.amount - 1, ..three }],
                3,
                "amount 304999999999 where 305000000000",
            ),
        ] {
            let error = MarginTiers::new(tiers).unwrap_err();
            assert!(error.place == place && error.what.starts_with(what), "{error}");
        }
        let text = serde_json::to_string(&MarginTiers::new(vec![one, two, three]).unwrap()).unwrap();
        assert!(serde_json::from_str::<MarginTiers>(&text).is_ok());
        assert!(serde_json::from_str::<MarginTiers>(&text.replace("\"amount\":305000000000", "\"amount\":1")).is_err());
    }

    proptest! {
        /// The bracket that a notional is in wants the most of all brackets: the table is their upper edge.
        #[test]
        fn its_own_bracket_wants_the_most(notional in 0_i128..300_000_000_000_000) {
            let tiers = MarginTiers::new(brackets().to_vec()).unwrap();
            let own = tiers.at(notional).unwrap().maintenance(notional);
            let most = tiers.as_slice().iter().map(|tier| tier.maintenance(notional)).max();
            prop_assert_eq!(Some(own), most);
        }
    }
}
