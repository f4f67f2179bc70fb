//! What the policy says of a wish, and what it counts.

use super::{decision, stray};
use crate::algo::Behind;
use crate::decide::view;
use crate::{Command, Event, EventKind, State};
use std::borrow::Cow;
use tradewind_domain::{PortfolioId, Price, Quantity, Source};
use tradewind_gate::{Mode, Proposal};
use tradewind_governance::{Act, Name, Policy, Principal, Ruling, Usage, Wish, judge_policy};

/// What the policy says to `proposal`; `None` where nothing is governed, as in a backtest. Without a policy the empty
/// one judges: on paper people and strategies trade and agents wait for a person; live, only what reduces goes.
pub(crate) fn ruling(state: &State, event: &Event, proposal: &Proposal) -> Option<Ruling> {
    let by = proposer(state, event, proposal.source);
    let approvals = behind(state, event).map_or(0, |behind| behind.approvals);
    match ruling_of(state, event, &by, proposal)? {
        Ruling::NeedsApproval { quorum } if quorum <= approvals => Some(Ruling::Allowed), // as a whole it was approved
        // what guards a position, or closes it before its guard, was asked about when that was
        Ruling::NeedsApproval { .. } if matches!(&event.kind, EventKind::Parent(said) if said.protects()) => {
            Some(Ruling::Allowed)
        }
        other => Some(other),
    }
}

fn ruling_of(state: &State, event: &Event, by: &Principal, proposal: &Proposal) -> Option<Ruling> {
    let policy = policy(state)?;
    let judge = || judge_policy(&policy, by, &wish(state, event, by, proposal), &usage(state, event, by, proposal));
    Some(stray(state, event, by).unwrap_or_else(judge))
}

/// The policy that judges, if anything is governed.
fn policy(state: &State) -> Option<Cow<'_, Policy>> {
    match &state.governance.policy {
        Some(policy) => Some(Cow::Borrowed(policy)),
        None if matches!(state.mode, Mode::Backtest | Mode::Observe) => None,
        None => Some(Cow::Owned(Policy::default())),
    }
}

/// What the policy says to a parent: to its first child `sample` as to any order, and of how many persons the `whole`
/// needs the approval, of whom `approvals` gave it.
pub(crate) fn ruling_of_parent(
    state: &State,
    event: &Event,
    by: &Principal,
    [sample, whole]: [&Proposal; 2],
    approvals: u8,
) -> Option<Ruling> {
    let of_sample = match ruling_of(state, event, by, sample)? {
        denied @ Ruling::Denied(_) => return Some(denied),
        Ruling::NeedsApproval { quorum } => quorum,
        Ruling::Allowed => 0,
    };
    let of_whole = match policy(state)?.quorum(by, &usage(state, event, by, whole)) {
        Ok(quorum) => quorum,
        Err(refused) => return Some(Ruling::Denied(refused)),
    };
    let quorum = of_sample.max(of_whole);
    Some(if quorum <= approvals { Ruling::Allowed } else { Ruling::NeedsApproval { quorum } })
}

/// Who stands behind what `source` says with `event`: the person whom the event names, or, in records of before events
/// named one, who spoke just before; who asked for the parent whose child it is; or whom the source stands for. Where
/// persons are named and none of them stands behind a wish, nobody does, who may do nothing.
pub(crate) fn proposer(state: &State, event: &Event, source: Source) -> Principal {
    if source != Source::Operator {
        return Principal::of_source(source);
    }
    let register = &state.governance;
    if let Some(by) = event.spoken.as_ref().and_then(|spoken| spoken.by.as_ref()) {
        let named = register.operators.iter().find(|person| person.name == *by);
        return named.cloned().unwrap_or_else(|| Principal::person(by.clone(), []));
    }
    let of_parent = || match (&event.kind, behind(state, event)) {
        (_, Some(behind)) => Some(known(state, &behind.by, source)),
        (EventKind::Parent(said), None) if said.parent().is_some() => Some(Principal::operator()), // of before there were names
        _ => None,
    };
    let spoke = register.spoke_before(event.sequence).or_else(of_parent);
    spoke.unwrap_or_else(|| if register.operators.is_empty() { Principal::operator() } else { Principal::nobody() })
}

/// Who stands behind the parent whose child `event` proposes, where its source does not say.
fn behind<'a>(state: &'a State, event: &Event) -> Option<&'a Behind> {
    let EventKind::Parent(said) = &event.kind else { return None };
    said.parent().and_then(|id| state.parents.get(id))?.behind.as_ref()
}

/// The person called `name`, with the roles that it has now; one whom the settings name no more keeps what its wishes
/// were approved for.
pub(super) fn known(state: &State, name: &Name, source: Source) -> Principal {
    let known = state.governance.operators.iter().find(|person| person.name == *name);
    known.cloned().unwrap_or_else(|| Principal { name: name.clone(), ..Principal::of_source(source) })
}

pub(super) fn wish(state: &State, event: &Event, by: &Principal, proposal: &Proposal) -> Wish {
    let instrument = &state.listing(proposal.request.instrument).instrument;
    let (source, portfolio) = (proposal.source, proposal.portfolio);
    let wish = Wish::of_order(by.name.clone(), source, portfolio, instrument, proposal.request, &proposal.reason);
    Wish { trade: proposal.plan.clone(), decision: decision(state, event), ..wish }
}

pub(super) fn usage(state: &State, event: &Event, by: &Principal, proposal: &Proposal) -> Usage {
    let usage = Usage {
        now: event.at,
        mode: state.mode,
        notional: notional(state, proposal),
        reduces: crate::protect::reduces(state, event, proposal),
        exposure: exposure(state, proposal.portfolio),
        source_day: 0,
        source_orders: 0,
        day: 0,
    };
    state.governance.with_spent(&by.name, usage)
}

/// What an order is worth in base currency: at its own limit or trigger where that is worse than the mark.
fn notional(state: &State, proposal: &Proposal) -> Option<i128> {
    let listing = state.listing(proposal.request.instrument);
    let mark = listing.mark?.price;
    let kind = &proposal.request.kind;
    let price = kind.limit().or(kind.trigger()).map_or(mark, |own| own.max(mark));
    in_base(state, proposal.portfolio, listing, price, proposal.request.quantity)
}

fn in_base(
    state: &State,
    portfolio: PortfolioId,
    listing: &crate::Listing,
    price: Price,
    quantity: Quantity,
) -> Option<i128> {
    let it = &listing.instrument;
    let units = it.notional(price, quantity).ok()?.units;
    let (numerator, denominator) = state.rate(it.settlement(), state.portfolio(portfolio).base)?;
    Some(units.checked_mul(numerator)? / denominator)
}

/// Gross notional of all positions and open orders at their marks; asked for by roll-out stages only.
fn exposure(state: &State, portfolio: PortfolioId) -> Option<i128> {
    let staged = state.governance.policy.as_ref().is_some_and(|policy| policy.stage.is_some());
    if !staged {
        return None;
    }
    let mut sum = 0_i128;
    for listing in &state.listings {
        let id = listing.instrument.id;
        let held = state.portfolios.iter().map(|it| i128::from(it.position(id).quantity().abs().mantissa()));
        let open = state.open.values().filter(|record| record.order.instrument() == id);
        let open = open.map(|record| i128::from(record.open_quantity().mantissa()));
        let quantity = i64::try_from(held.sum::<i128>() + open.sum::<i128>()).ok()?;
        if quantity != 0 {
            let price = listing.mark?.price;
            sum = sum.checked_add(in_base(state, portfolio, listing, price, Quantity::from_mantissa(quantity))?)?;
        }
    }
    Some(sum)
}

/// Notes what an approved order takes of the day's caps.
pub(crate) fn spend(
    state: &State,
    event: &Event,
    proposal: &Proposal,
    by: Option<&Principal>,
    commands: &mut Vec<Command>,
) {
    if !state.governance.policy.as_ref().is_some_and(Policy::counts_usage) {
        return;
    }
    let by = by.map_or_else(|| proposer(state, event, proposal.source).name, |by| by.name.clone());
    let reduces = view(state, event, proposal, None).reduces(proposal); // an exit takes nothing of any cap
    let units = if reduces { 0 } else { notional(state, proposal).unwrap_or(i128::from(i64::MAX)) };
    let units = i64::try_from(units).unwrap_or(i64::MAX);
    commands.push(Command::Record(EventKind::Governance(Box::new(Act::Spent { by, units })), proposal.portfolio));
}
