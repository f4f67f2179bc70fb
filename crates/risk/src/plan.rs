//! What a proposal says of its own stop, target and confidence, and whether that may be traded.

use crate::{Breach, Controls, Guard, Plan, Situation, Unit};
use serde::{Deserialize, Serialize};
use tradewind_domain::{LEDGER_DECIMALS, PlanRegime, Price, Side, format_decimal, round_div};

/// Something in a plan that was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// What, such as `stop`.
    pub what: String,
    /// What it said, as decimal text.
    pub from: String,
    /// What it says now, as decimal text.
    pub to: String,
    /// Why.
    pub reason: String,
}

/// A plan that may be traded, and what had to be put right first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// The plan as it is now.
    pub plan: Plan,
    /// What was put right, for the record.
    pub corrections: Vec<Correction>,
}

/// Audits the plan of an order that adds exposure. Entry is the order's limit or trigger, or else the mark.
///
/// A stop on the wrong side of the entry is moved 1.5 average true ranges to the right one, which is a correction and
/// is recorded as one; without a range it is refused. A missing stop, target or confidence is not judged here: how long a
/// position may stand without a stop is the limit `unprotected`'s to say.
///
/// # Errors
/// [`Breach`] by the first rule that refuses: hold, confidence, confidence for its regime, prices above zero, stop distance, reward against risk,
/// loss at the stop, a target on the losing side.
pub fn audit(plan: &Plan, it: &Situation<'_>, controls: &Controls) -> Result<Audited, Box<Breach>> {
    if plan.hold {
        return Err(Box::new(Breach::new(Guard::Plan, "hold", "buy or sell")));
    }
    confidence(plan, controls)?;
    for (guard, price) in [(Guard::StopDistance, plan.stop), (Guard::RewardRisk, plan.target)] {
        if let Some(price) = price.filter(|price| price.mantissa() <= 0) {
            return Err(Box::new(Breach::new(guard, it.instrument.price_text(price), "a price above zero")));
        }
    }
    let entry = it.request.kind.limit().or(it.request.kind.trigger()).unwrap_or(it.reference.price);
    let mut audited = Audited { plan: *plan, corrections: Vec::new() };
    if let Some(stop) = plan.stop {
        let stop = right_side(stop, entry, it, plan, &mut audited)?;
        stop_distance(stop, entry, controls)?;
        reward_risk(stop, entry, plan, it.request.side, controls)?;
        order_risk(stop, entry, it, controls)?;
    }
    if let Some(target) = plan.target.filter(|target| against(*target, entry, it.request.side) >= 0) {
        let text = |price| it.instrument.price_text(price);
        let value = format!("a target at {} for an entry at {}", text(target), text(entry));
        return Err(Box::new(Breach::new(Guard::RewardRisk, value, "a target on the winning side")));
    }
    Ok(audited)
}

/// A confidence is a part of certainty, at least what the limit asks for, and more where the stated regime wants more.
fn confidence(plan: &Plan, controls: &Controls) -> Result<(), Box<Breach>> {
    let text = |bps| Unit::Percent.text(bps);
    let Some(found) = plan.confidence_bps else { return Ok(()) };
    if !(0..=10_000).contains(&found) {
        return Err(Box::new(Breach::new(Guard::Confidence, text(found), "between 0 % and 100 %")));
    }
    let regime = plan.regime.and_then(|regime| Some((regime, least_in(regime, controls)?)));
    match (controls.confidence_bps, regime) {
        (Some(least), _) if found < least => Err(Box::new(Breach::new(Guard::Confidence, text(found), text(least)))),
        (_, Some((regime, least))) if found < least => {
            Err(Box::new(Breach::new(Guard::Regime, format!("{} in {}", text(found), regime.name()), text(least))))
        }
        _ => Ok(()),
    }
}

/// The confidence that a stated regime asks for; with the trend none beyond the plain one.
const fn least_in(regime: PlanRegime, controls: &Controls) -> Option<i64> {
    match regime {
        PlanRegime::WithTrend => None,
        PlanRegime::Range => controls.confidence_range_bps,
        PlanRegime::Counter => controls.confidence_counter_bps,
    }
}

/// How far `price` lies on the losing side of `entry`; negative on the winning side.
fn against(price: Price, entry: Price, side: Side) -> i128 {
    i128::from(side.sign()) * (i128::from(entry.mantissa()) - i128::from(price.mantissa()))
}

fn right_side(
    stop: Price,
    entry: Price,
    it: &Situation<'_>,
    plan: &Plan,
    audited: &mut Audited,
) -> Result<Price, Box<Breach>> {
    let side = it.request.side;
    if against(stop, entry, side) > 0 {
        return Ok(stop);
    }
    let text = |price| it.instrument.price_text(price);
    let atr = plan.atr.filter(|atr| atr.mantissa() > 0);
    let moved = atr.and_then(|atr| {
        let distance = atr.mantissa().checked_mul(3)? / 2;
        let raw = Price::from_mantissa(entry.mantissa().checked_sub(side.sign() * distance)?);
        let tick = if side == Side::Buy { it.instrument.tick_down(raw) } else { it.instrument.tick_up(raw) };
        (tick.mantissa() > 0 && against(tick, entry, side) > 0).then_some(tick)
    });
    let Some(moved) = moved else {
        let value = format!("a stop at {} for an entry at {}", text(stop), text(entry));
        return Err(Box::new(Breach::new(Guard::StopDistance, value, "a stop on the losing side")));
    };
    let reason = "it stood on the winning side; moved to 1.5 average true ranges".to_owned();
    audited.corrections.push(Correction { what: "stop".to_owned(), from: text(stop), to: text(moved), reason });
    audited.plan.stop = Some(moved);
    Ok(moved)
}

fn stop_distance(stop: Price, entry: Price, controls: &Controls) -> Result<(), Box<Breach>> {
    let away = i128::from(entry.mantissa().abs_diff(stop.mantissa())) * 10_000;
    let entry = i128::from(entry.mantissa().max(1));
    let text = |bps| Unit::Percent.text(bps);
    let bps = i64::try_from(away / entry).unwrap_or(i64::MAX);
    if let Some(least) = controls.stop_min_bps.filter(|least| away < entry * i128::from(*least)) {
        return Err(Box::new(Breach::new(Guard::StopDistance, text(bps), format!("{} at least", text(least)))));
    }
    if let Some(most) = controls.stop_max_bps.filter(|most| away > entry * i128::from(*most)) {
        return Err(Box::new(Breach::new(Guard::StopDistance, text(bps), format!("{} at most", text(most)))));
    }
    Ok(())
}

fn reward_risk(stop: Price, entry: Price, plan: &Plan, side: Side, controls: &Controls) -> Result<(), Box<Breach>> {
    let (Some(least), Some(target)) = (controls.reward_risk, plan.target) else { return Ok(()) };
    let (risk, reward) = (against(stop, entry, side), -against(target, entry, side));
    if reward * 10_000 >= risk * i128::from(least) {
        return Ok(());
    }
    let found = i64::try_from(reward * 10_000 / risk.max(1)).unwrap_or(i64::MIN);
    Err(Box::new(Breach::new(Guard::RewardRisk, Unit::Multiple.text(found), Unit::Multiple.text(least))))
}

fn order_risk(stop: Price, entry: Price, it: &Situation<'_>, controls: &Controls) -> Result<(), Box<Breach>> {
    let Some(most) = controls.order_risk_bps else { return Ok(()) };
    let entry_mantissa = i128::from(entry.mantissa().max(1));
    let at_risk = it.notional.saturating_mul(against(stop, entry, it.request.side));
    let loss = round_div(at_risk, entry_mantissa);
    if loss.saturating_mul(10_000) <= it.equity.saturating_mul(most.into()) {
        return Ok(());
    }
    let value = format!(
        "{} of an equity of {}",
        format_decimal(loss, LEDGER_DECIMALS),
        format_decimal(it.equity, LEDGER_DECIMALS)
    );
    Err(Box::new(Breach::new(Guard::OrderRisk, value, Unit::Percent.text(most))))
}
