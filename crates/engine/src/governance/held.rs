//! What waits for people: put aside, released after the whole gate, or ended.

use super::decision;
use super::ruling::{known, proposer, spend, usage, wish};
use crate::algo::{Behind, ParentWish, Plan};
use crate::decide::{approve, refuse, view};
use crate::protect::Way;
use crate::{Command, Event, EventKind, State, parents};
use tradewind_domain::ClientOrderId;
use tradewind_gate::{Guard, Proposal, Refusal, review, review_pair};
use tradewind_governance::{Act, Held, Principal, ProposalState, Ruling, Wish, judge_policy};

/// Puts an order aside until people have said yes, if enough of them are there to say so and not too much waits already.
/// An exit waits as an order that only reduces: it is not to turn over what has become of its position meanwhile.
pub(crate) fn hold(state: &State, event: &Event, proposal: &Proposal, quorum: u8, commands: &mut Vec<Command>) {
    let by = proposer(state, event, proposal.source);
    let mut wish = wish(state, event, &by, proposal);
    wish.request.reduce_only |= crate::protect::reduces(state, event, proposal);
    put_aside(state, event, wish, quorum, commands);
}

/// As [`hold`] for two orders of which one cancels the other: one proposal, one hash over both.
pub(crate) fn hold_pair(state: &State, event: &Event, pair: &[Proposal; 2], quorum: u8, commands: &mut Vec<Command>) {
    let [first, second] = pair;
    let mut wish = wish(state, event, &proposer(state, event, first.source), first);
    wish.other = Some(second.request);
    if second.reason != first.reason {
        wish.reason = format!("{}; {}", first.reason, second.reason);
    }
    put_aside(state, event, wish, quorum, commands);
}

/// As [`hold`] for an order that becomes other orders: one proposal, one hash over its total and its whole plan.
pub(crate) fn hold_parent(
    state: &State,
    event: &Event,
    by: &Principal,
    parent: &ParentWish,
    quorum: u8,
    commands: &mut Vec<Command>,
) {
    let instrument = &state.listing(parent.request.instrument).instrument;
    let (name, source, portfolio) = (by.name.clone(), parent.source, parent.portfolio);
    let mut wish = Wish::of_order(name, source, portfolio, instrument, parent.request, &parent.reason);
    wish.decision = decision(state, event);
    wish.plan = Some(serde_json::to_string(&parent.plan).expect("a plan has text keys only"));
    wish.trade.clone_from(&parent.trade);
    put_aside(state, event, wish, quorum, commands);
}

fn put_aside(state: &State, event: &Event, wish: Wish, quorum: u8, commands: &mut Vec<Command>) {
    let portfolio = wish.portfolio;
    let register = &state.governance;
    let may = register.check_reachable(&wish.by, quorum).and_then(|()| register.check_crowd(&wish, event.at));
    if let Err(no) = may {
        let refusal =
            Refusal { guard: Guard::Approval, value: no.value, limit: no.limit, rule: Some(no.rule), breach: None };
        return refuse(Box::new(refusal), portfolio, commands);
    }
    let held = Held::new(event.sequence, wish, quorum, event.at, state.incarnation);
    commands.push(Command::Record(EventKind::Governance(Box::new(Act::Held(Box::new(held)))), portfolio));
}

/// The strictest of two rulings: a no before a wait, and the larger quorum of two that wait.
pub(crate) fn stricter(rulings: &[Option<Ruling>; 2]) -> Option<&Ruling> {
    let weight = |ruling: &&Ruling| match ruling {
        Ruling::Allowed => 0,
        Ruling::NeedsApproval { quorum } => u32::from(*quorum),
        Ruling::Denied(_) => u32::MAX,
    };
    let [first, second] = rulings.each_ref().map(Option::as_ref);
    match (first, second) {
        (Some(first), Some(second)) if weight(&second) > weight(&first) => Some(second),
        (first, second) => first.or(second),
    }
}

/// What the policy says to the wish `held`, now that people have approved it.
fn ruling_at_release(state: &State, event: &Event, held: &Held, by: &Principal, proposal: &Proposal) -> Ruling {
    let policy = state.governance.policy.clone().unwrap_or_default();
    match judge_policy(&policy, by, &held.wish, &usage(state, event, by, proposal)) {
        Ruling::NeedsApproval { quorum } if usize::from(quorum) <= held.approvals.len() => Ruling::Allowed,
        other => other,
    }
}

/// Asks the gate once more, in full, and makes an order of what passes: of a pair both, or neither.
pub(super) fn release(state: &State, event: &Event, held: &Held, commands: &mut Vec<Command>) {
    assert!(held.wish.hash() == held.hash, "what is released is what was approved");
    let wish = &held.wish;
    let reason = wish.reason.clone().into();
    let (source, portfolio, plan) = (wish.source, wish.portfolio, wish.trade.clone());
    let proposal = Proposal { source, portfolio, request: wish.request, reason, plan };
    let by = Principal { name: wish.by.clone(), ..known(state, &wish.by, wish.source) };
    let portfolio = proposal.portfolio;
    if let Some(plan) = &wish.plan {
        return release_parent(state, event, held, &by, plan, commands);
    }
    let way = make_way(state, event, held, &by, &proposal);
    let Some(rest) = way.rest.as_deref() else {
        way.ask(&proposal, Some(held.id), commands);
        let note = "what protects it makes way, and closes it at once".to_owned();
        return commands.push(moved(held, ProposalState::Submitted, [None; 2], note));
    };
    let proposals: Vec<Proposal> = match wish.other {
        Some(request) => {
            crate::decide::in_one_group(state, [rest.clone(), Proposal { request, ..rest.clone() }]).into()
        }
        None => vec![rest.clone()],
    };
    let names = crate::decide::names(state, event.at, portfolio);
    let verdict = match proposals.as_slice() {
        [first, second] => {
            let rulings = [first, second].map(|it| Some(ruling_at_release(state, event, held, &by, it)));
            let view = view(state, event, first, stricter(&rulings));
            let mut names = names;
            names.sort_unstable();
            review_pair(&view, &[first.clone(), second.clone()], names)
        }
        of_one => {
            let proposal = &of_one[0];
            let ruling = ruling_at_release(state, event, held, &by, proposal);
            review(&view(state, event, proposal, Some(&ruling)), proposal, names[0])
        }
    };
    let moved = |to, orders, note| moved(held, to, orders, note);
    let approvals = u8::try_from(held.approvals.len()).unwrap_or(u8::MAX);
    let behind = Some(Behind { by: by.name.clone(), approvals, proposal: None });
    let verdict = verdict.and_then(|approved| match proposals.as_slice() {
        [lone] => crate::protect::guard_of(state, event, &approved, lone, behind).map(|guard| (approved, Some(guard))),
        _ => Ok((approved, None)),
    });
    match verdict {
        Ok((approved, guard)) => {
            let orders: Vec<ClientOrderId> = approved.action().client_ids().collect();
            let orders = [orders.first().copied(), orders.get(1).copied()];
            way.ask(&proposal, None, commands);
            match guard {
                Some(guard) => crate::protect::approve(approved, guard, &proposals[0], commands),
                None => approve(approved, portfolio, commands),
            }
            let send = commands.pop().expect("an approval ends in a send");
            commands.push(moved(ProposalState::Submitted, orders, String::new()));
            proposals.iter().for_each(|it| spend(state, event, it, Some(&by), commands));
            commands.push(send);
        }
        Err(refusal) if way.is_of_none() => reject(held, refusal, commands),
        Err(refusal) => {
            way.ask(&proposal, Some(held.id), commands);
            let note = format!("as far as it is guarded; the rest was refused: {refusal}");
            refuse(refusal, portfolio, commands);
            commands.push(moved(ProposalState::Submitted, [None; 2], note));
        }
    }
}

/// How the brackets that guard what an approved exit closes make way for it.
fn make_way<'a>(state: &State, event: &Event, held: &Held, by: &Principal, proposal: &'a Proposal) -> Way<'a> {
    let ruling = ruling_at_release(state, event, held, by, proposal);
    if held.wish.other.is_some() || ruling != Ruling::Allowed {
        return Way::of_none(proposal);
    }
    crate::protect::way(state, event, proposal, Some(&ruling))
}

/// As [`release`] for an order that becomes other orders: it lives from here on, and each child is judged when due.
fn release_parent(state: &State, event: &Event, held: &Held, by: &Principal, plan: &str, commands: &mut Vec<Command>) {
    let plan: Plan = serde_json::from_str(plan).expect("it was written by `hold_parent`, and its hash was checked");
    let Wish { source, portfolio, request, ref reason, ref trade, .. } = held.wish;
    let (reason, trade) = (reason.clone(), trade.clone());
    let wish = ParentWish { entry: None, trade, source, portfolio, request, plan, reason };
    match parents::release(state, event, &wish, by, held) {
        Ok(opened) => {
            commands.push(moved(held, ProposalState::Submitted, [None; 2], String::new()));
            commands.push(opened);
        }
        Err(refusal) => reject(held, refusal, commands),
    }
}

/// The gate's no to what people have approved.
fn reject(held: &Held, mut refusal: Box<Refusal>, commands: &mut Vec<Command>) {
    if refusal.guard == Guard::Approval {
        refusal.rule = Some(tradewind_governance::Rule::MoreApprovals);
    }
    let note = refusal.to_string();
    refuse(refusal, held.wish.portfolio, commands);
    commands.push(moved(held, ProposalState::Rejected, [None; 2], note));
}

fn moved(held: &Held, to: ProposalState, [order, other]: [Option<ClientOrderId>; 2], note: String) -> Command {
    let act = Act::Moved { proposal: held.id, to, order, other, note };
    Command::Record(EventKind::Governance(Box::new(act)), held.wish.portfolio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_governance::{Refused, Rule};

    #[test]
    fn of_two_rulings_a_no_comes_before_a_wait_the_larger_quorum_before_the_smaller_and_of_equals_the_first() {
        let denied = |value: &str| Some(Ruling::Denied(Refused::new(Rule::Denied, value, "no such order")));
        let waits = |quorum| Some(Ruling::NeedsApproval { quorum });
        let allowed = || Some(Ruling::Allowed);
        for (first, second, want) in [
            (None, None, None),
            (None, allowed(), allowed()),
            (allowed(), None, allowed()),
            (allowed(), waits(1), waits(1)),
            (waits(1), allowed(), waits(1)),
            (waits(1), waits(2), waits(2)),
            (waits(2), waits(1), waits(2)),
            (waits(u8::MAX), denied("one"), denied("one")),
            (denied("one"), waits(u8::MAX), denied("one")),
            (denied("one"), denied("two"), denied("one")),
        ] {
            assert_eq!(stricter(&[first.clone(), second.clone()]), want.as_ref(), "{first:?} and {second:?}");
        }
    }
}
