//! What a parent is asked to do, checked against its instrument before it lives.

use super::{Participation, Schedule};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    ClientOrderId, Coded, Instrument, OrderKind, OrderRequest, PortfolioId, Price, Quantity, Sequence, Side, Source,
    TimeInForce, TradePlan, round_div,
};
use tradewind_governance::Name;

/// A parent of this risk domain, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParentId(pub u64);

impl std::fmt::Display for ParentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p{}", self.0)
    }
}

/// Somebody's wish for a parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentWish {
    /// Who wishes.
    pub source: Source,
    /// For whom.
    pub portfolio: PortfolioId,
    /// What, in all: the children's quantities sum to at most this one's.
    pub request: OrderRequest,
    /// How.
    pub plan: Plan,
    /// Why, in words for the audit.
    pub reason: String,
    /// The order that a bracket guards, where its entry went to the venue before it: what fills of that is protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<ClientOrderId>,
    /// Where the trade ends and how sure its proposer is, for plans that enter by several orders: the gate judges it with
    /// the whole, and one protection guards all that those orders fill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade: Option<Box<TradePlan>>,
}

/// Who stands behind a parent, where its source alone does not say: every child is judged by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// Who.
    pub by: Name,
    /// How many persons approved it as a whole: a child that needs no more of them is asked about no more.
    #[serde(default, skip_serializing_if = "is_none")]
    pub approvals: u8,
    /// The proposal that it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Sequence>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_none(approvals: &u8) -> bool {
    *approvals == 0
}

/// How a wish turns into children.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "plan")]
pub enum Plan {
    /// Wait for the price that the request's own kind names, then send what it stands for once awake: for venues that
    /// do not keep such orders themselves.
    Wait,
    /// Send the request; protect what fills of it with a target and a stop of which one cancels the other.
    Bracket(Protection),
    /// Take the place of another order once that one can no longer fill. The request's quantity is the new total: what
    /// the old order filled counts towards it.
    Replace {
        /// The order that goes.
        old: ClientOrderId,
    },
    /// Show only so much at a time.
    Iceberg {
        /// How much.
        display: Quantity,
    },
    /// Slices at fixed moments: even ones (TWAP), or along a volume curve (VWAP).
    Schedule(Schedule),
    /// A fixed part of the volume that trades (VWAP by participation).
    Participate(Participation),
    /// Limit orders at several prices, for scaling in or out.
    Ladder {
        /// One order each.
        rungs: Vec<Rung>,
    },
}

/// Where a position is left again; at least one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// With a profit, by a limit order.
    pub target: Option<Price>,
    /// With a loss, by a stop.
    pub stop: Option<Price>,
    /// The worst price that the stop accepts once awake; any without.
    pub stop_limit: Option<Price>,
}

/// One order of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
}

impl Plan {
    /// The word for it on every surface.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Bracket(_) => "bracket",
            Self::Replace { .. } => "replace",
            Self::Iceberg { .. } => "iceberg",
            Self::Schedule(schedule) if schedule.weights.is_empty() => "twap",
            Self::Schedule(_) | Self::Participate(_) => "vwap",
            Self::Ladder { .. } => "scale",
        }
    }

    /// A ladder of `count` rungs from `from` to `to`, evenly spaced on the tick and of equal size in whole lots; what
    /// does not divide goes to the last rung. `None` for no rungs, or more than there are lots.
    #[must_use]
    pub fn even_ladder(instrument: &Instrument, total: Quantity, from: Price, to: Price, count: u32) -> Option<Self> {
        let steps = i128::from(count.checked_sub(1)?).max(1);
        let each = instrument.whole_lots(Quantity::from_mantissa(total.mantissa() / i64::from(count)));
        if each <= Quantity::ZERO {
            return None;
        }
        let (low, span) = (i128::from(from.mantissa()), i128::from(to.mantissa()) - i128::from(from.mantissa()));
        let price = |nth: u32| {
            let exact = low + span * i128::from(nth) / steps;
            i64::try_from(exact).ok().map(|mantissa| instrument.tick_down(Price::from_mantissa(mantissa)))
        };
        let mut rungs =
            (0..count).map(|nth| Some(Rung { price: price(nth)?, quantity: each })).collect::<Option<Vec<_>>>()?;
        let placed = Quantity::from_mantissa(each.mantissa() * i64::from(count));
        rungs.last_mut()?.quantity += total - placed;
        Some(Self::Ladder { rungs })
    }
}

/// Why a wish is no parent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {plan} cannot have {what}")]
pub struct PlanError {
    /// Which plan.
    pub plan: &'static str,
    /// The value that does not fit, and why.
    pub what: String,
}

impl Coded for PlanError {
    fn code(&self) -> &'static str {
        "ENG-10"
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

impl ParentWish {
    /// Checks that the plan means something for its request and instrument. What each child may be is the gate's.
    ///
    /// # Errors
    /// [`PlanError`] names the value that does not fit.
    pub fn check(&self, it: &Instrument) -> Result<(), PlanError> {
        let bad = |what: String| Err(PlanError { plan: self.plan.word(), what });
        let request = &self.request;
        let total = request.quantity;
        if total <= Quantity::ZERO || it.whole_lots(total) != total {
            return bad(format!("a quantity of {}: it takes whole lots", it.quantity_text(total)));
        }
        if request.oco.is_some() {
            return bad("a group of its own: its children would cancel one another".to_owned());
        }
        let waits = matches!(
            request.kind,
            OrderKind::Touched { .. } | OrderKind::LimitTouched { .. } | OrderKind::Trailing { .. }
        );
        let limit = matches!(request.kind, OrderKind::Limit { .. });
        let plain = limit || matches!(request.kind, OrderKind::Market);
        let sendable = it.spec.native.has(&request.kind);
        if let Some(no) = self.trade.as_ref().and_then(|_| self.takes_no_trade()) {
            return bad(no.to_owned());
        }
        match &self.plan {
            Plan::Bracket(_) | Plan::Replace { .. } if !sendable => {
                bad(format!("a {} order: the venue does not keep those", request.kind.word()))
            }
            Plan::Wait if !waits => bad(format!("a {} order: nothing to wait for", request.kind.word())),
            Plan::Iceberg { .. } | Plan::Ladder { .. } if !limit => bad("no limit price".to_owned()),
            Plan::Iceberg { .. } | Plan::Ladder { .. } if is_immediate(request) => {
                bad("orders that cannot rest".to_owned())
            }
            Plan::Schedule(_) | Plan::Participate(_) if !plain => {
                bad(format!("{} orders: market or limit", request.kind.word()))
            }
            Plan::Iceberg { display } if *display <= Quantity::ZERO || it.whole_lots(*display) != *display => {
                bad(format!("a display of {}: it takes whole lots", it.quantity_text(*display)))
            }
            Plan::Schedule(schedule) => schedule.check().or_else(|what| bad(what.to_owned())),
            Plan::Participate(part) => part.check(self.request.quantity).or_else(|what| bad(what.to_owned())),
            Plan::Ladder { rungs } => check_rungs(rungs, total).or_else(|what| bad(what.to_owned())),
            Plan::Bracket(protection) => check_protection(request, protection).or_else(|what| bad(what.to_owned())),
            Plan::Wait | Plan::Replace { .. } | Plan::Iceberg { .. } => Ok(()),
        }
    }

    /// Why it cannot say where its trade ends, if it cannot.
    const fn takes_no_trade(&self) -> Option<&'static str> {
        match self.plan {
            Plan::Bracket(_) => Some("a plan of the trade beside its own target and stop"),
            Plan::Wait | Plan::Replace { .. } => Some("a plan of the trade"),
            _ if self.request.reduce_only => Some("a plan of the trade: it only reduces"),
            Plan::Iceberg { .. } | Plan::Schedule(_) | Plan::Participate(_) | Plan::Ladder { .. } => None,
        }
    }

    /// Checks where its trade ends against every price at which it may enter.
    ///
    /// # Errors
    /// [`PlanError`] names the price that does not fit.
    pub(crate) fn check_trade(&self) -> Result<(), PlanError> {
        let Some(protection) = self.protection() else { return Ok(()) };
        let bad = |what: &str| Err(PlanError { plan: self.plan.word(), what: format!("a trade with {what}") });
        if [protection.stop, protection.target].into_iter().flatten().any(|price| price.mantissa() <= 0) {
            return bad("an end at zero or below");
        }
        let at = |price| OrderRequest { kind: OrderKind::Limit { price }, ..self.request };
        let entries = match &self.plan {
            Plan::Ladder { rungs } => rungs.iter().map(|rung| at(rung.price)).collect(),
            _ => vec![self.request],
        };
        entries.iter().try_for_each(|entry| check_protection(entry, &protection)).or_else(bad)
    }

    /// Where what its orders enter is left again, if its plan of the trade says so.
    #[must_use]
    pub fn protection(&self) -> Option<Protection> {
        let trade = self.trade.as_deref().filter(|trade| trade.has_end())?;
        Some(Protection { target: trade.target, stop: trade.stop, stop_limit: None })
    }

    /// Whether what it guards is bounded by what its portfolio holds, and makes way for exits by other orders.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.entry.is_some() || self.protection().is_some()
    }

    /// The order that its plan of the trade is judged by: all of it, a ladder at the mean price of its rungs.
    #[must_use]
    pub(crate) fn as_one_order(&self) -> OrderRequest {
        let Plan::Ladder { rungs } = &self.plan else { return self.request };
        let worth = |rung: &Rung| i128::from(rung.price.mantissa()) * i128::from(rung.quantity.mantissa());
        let sum: i128 = rungs.iter().map(worth).sum();
        let mean = round_div(sum, i128::from(self.request.quantity.mantissa().max(1)));
        let price = Price::from_mantissa(i64::try_from(mean).unwrap_or(i64::MAX));
        OrderRequest { kind: OrderKind::Limit { price }, ..self.request }
    }
}

/// The prices of a plan on the tick: rounded away from the entry for the stop and towards it for the target.
pub(crate) fn on_tick(it: &Instrument, side: Side, plan: &TradePlan) -> TradePlan {
    let rounded = |price: Price| match side {
        Side::Buy => it.tick_down(price),
        Side::Sell => it.tick_up(price),
    };
    TradePlan { stop: plan.stop.map(rounded), target: plan.target.map(rounded), ..*plan }
}

fn is_immediate(request: &OrderRequest) -> bool {
    matches!(request.time_in_force, TimeInForce::Ioc | TimeInForce::Fok)
}

fn check_rungs(rungs: &[Rung], total: Quantity) -> Result<(), &'static str> {
    let sum: i128 = rungs.iter().map(|rung| i128::from(rung.quantity.mantissa())).sum();
    if rungs.is_empty() || rungs.len() > 100 {
        return Err("fewer than 1 or more than 100 rungs");
    }
    if rungs.iter().any(|rung| rung.quantity <= Quantity::ZERO) {
        return Err("a rung of nothing");
    }
    if sum != i128::from(total.mantissa()) { Err("rungs that do not sum to its quantity") } else { Ok(()) }
}

/// For a bought position the stop lies below the entry and the target above; for a sold one the other way round.
fn check_protection(request: &OrderRequest, protection: &Protection) -> Result<(), &'static str> {
    let sign = request.side.sign();
    let level = |price: Price| price.mantissa().saturating_mul(sign);
    let Protection { target, stop, stop_limit } = protection;
    let entry = request.kind.limit().or(request.kind.trigger());
    let crossed = |below: Option<Price>, above: Option<Price>| match (below, above) {
        (Some(below), Some(above)) => level(below) >= level(above),
        _ => false,
    };
    match (target, stop) {
        (None, None) => Err("neither a target nor a stop"),
        (_, None) if stop_limit.is_some() => Err("a stop limit without a stop"),
        _ if request.reduce_only => Err("an entry that only reduces"),
        _ if crossed(*stop, *target) => Err("a stop on the wrong side of its target"),
        _ if crossed(*stop, entry) => Err("a stop on the wrong side of its entry"),
        _ if crossed(entry, *target) => Err("a target on the wrong side of its entry"),
        _ if crossed(*stop_limit, *stop) && stop_limit != stop => Err("a stop limit that is better than its stop"),
        _ => Ok(()),
    }
}
