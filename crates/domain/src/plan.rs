//! What somebody who proposes an order says of the trade: where it ends, and how sure they are.

use crate::Price;
use serde::{Deserialize, Serialize};

/// How a trade stands to the market that it is meant for, as its proposer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanRegime {
    /// The market trends, and the trade goes with it.
    WithTrend,
    /// The market moves between bounds.
    Range,
    /// The trade goes against the trend, or the market is too wild to have one.
    Counter,
}

impl PlanRegime {
    /// Every regime.
    pub const ALL: [Self; 3] = [Self::WithTrend, Self::Range, Self::Counter];

    /// Its name in records and commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WithTrend => "with-trend",
            Self::Range => "range",
            Self::Counter => "counter",
        }
    }

    /// The regime of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|regime| regime.name() == name)
    }
}

/// What an agent, a strategy or a person says of the trade that they propose. What is left out is not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradePlan {
    /// Whether its last word is to do nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hold: bool,
    /// How sure it is, in basis points: 10,000 is certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_bps: Option<i64>,
    /// Where it gives up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    /// Where it takes its profit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Price>,
    /// Average true range, if it is known: how far the price usually moves in one bar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atr: Option<Price>,
    /// How it stands to the market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime: Option<PlanRegime>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_false(value: &bool) -> bool {
    !*value
}

impl TradePlan {
    /// Whether it says where the trade ends, on either side.
    #[must_use]
    pub const fn has_end(&self) -> bool {
        self.stop.is_some() || self.target.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_its_regime_in_the_words_of_records_and_an_old_one_says_none() {
        for regime in PlanRegime::ALL {
            assert_eq!(serde_json::to_value(regime).unwrap(), regime.name());
            assert_eq!(PlanRegime::find(regime.name()), Some(regime));
        }
        assert_eq!(PlanRegime::find("sideways"), None);
        let old = r#"{"confidence_bps":6000}"#;
        let plan: TradePlan = serde_json::from_str(old).unwrap();
        assert_eq!((plan.regime, serde_json::to_string(&plan).unwrap().as_str()), (None, old));
    }
}
