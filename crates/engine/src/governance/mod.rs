//! Where governance meets the order path: what the policy says to a proposal, who is asked, and what is released.

mod held;
mod limit_names;
mod ruling;

pub(crate) use held::{hold, hold_pair, hold_parent, stricter};
pub use limit_names::{account_limit_values, limit_values, set_account_limit, set_limit};
pub(crate) use ruling::{proposer, ruling, ruling_of_parent, spend};

use crate::algo::{Parent, ParentEnd, ParentEvent, ParentId, ParentState};
use crate::decide::cancel_adding;
use crate::{Command, Event, EventKind, Spoken, State};
use held::release;
use tradewind_domain::{
    AccountId, ClientOrderId, InstrumentId, OrderRecord, OrderState, Outcome, PortfolioId, Sequence, Source,
};
use tradewind_gate::Proposal;
use tradewind_governance::{
    Act, At, Changed, KeyOutcome, Name, NamedDecision, Principal, ProposalState, Refused, Rule, Ruling, Scope,
};

/// Whether `source` may say `act` at all. Words and facts about approvals, changes, persons, keys and kill switches are
/// the operators' door's and the program's own: no strategy, agent or model says them, in whose name ever. What decides
/// may name the decision that it follows and claim a key, as itself; calls of the kill switch are heard of the door alone.
#[must_use]
pub fn may_govern(source: Source, act: &Act) -> bool {
    match source {
        Source::Operator => true,
        Source::Host => !matches!(act, Act::HaltCalled { .. } | Act::DecisionNamed(_)),
        Source::Strategy(_) | Source::Agent(_) => match act {
            Act::DecisionNamed(decision) => decision.by == name_of(source),
            Act::KeyClaimed { key, .. } => key.is_of(&name_of(source)),
            _ => false,
        },
        Source::Timer | Source::Market | Source::Venue => false,
    }
}

/// Folds a word or a fact of governance.
pub(crate) fn apply(state: &mut State, event: &Event, act: &Act) {
    if !may_govern(event.source, act) {
        return;
    }
    match state.governance.apply(act, at(state, event)) {
        Some(Changed::Limit { portfolio, name, new, .. }) => {
            let limits = &mut state.portfolios[portfolio.index()].limits;
            set_limit(limits, &name, new);
            let limits = *limits;
            crate::risk::begin(state, &limits);
        }
        Some(Changed::AccountLimit { name, new, .. }) => {
            let limits = &mut state.risk.get_or_insert_default().account;
            set_account_limit(limits, &name, new);
        }
        Some(Changed::Sector { asset, new, .. }) => {
            let sectors = &mut state.risk.get_or_insert_default().account.sectors;
            match new {
                Some(sector) => _ = sectors.insert(asset, sector),
                None => _ = sectors.remove(&asset),
            }
        }
        Some(Changed::Resume { .. }) => {
            crate::apply::resume(state);
            crate::risk::reset(state, event.at, Source::Operator);
        }
        Some(Changed::Stage { .. } | Changed::Operators { .. } | Changed::Policy { .. }) | None => (),
    }
}

fn at(state: &State, event: &Event) -> At {
    At { sequence: event.sequence, now: event.at, incarnation: state.incarnation }
}

fn name_of(source: Source) -> Name {
    Principal::of_source(source).name
}

/// Remembers a decision that orders will have to name.
pub(crate) fn note_decided(state: &mut State, event: &Event) {
    if state.governance.requires_decisions() {
        let decision = NamedDecision { by: name_of(event.source), id: None };
        state.governance.note_decision(event.sequence, decision);
    }
}

/// The event that records the decision which `event` follows: what a proposal names as its cause, what the parent of a
/// child followed, or what people saw of the proposal that they approved.
pub(crate) fn decision(state: &State, event: &Event) -> Option<Sequence> {
    match &event.kind {
        EventKind::Proposed(_) | EventKind::ProposedPair { .. } if event.source != Source::Host => event.cause,
        EventKind::Parent(said) => match &**said {
            ParentEvent::Wished { .. } => event.cause,
            said => state.parents.get(said.parent()?)?.decision,
        },
        EventKind::Governance(_) => state.governance.released_by(event.sequence)?.wish.decision,
        _ => None,
    }
}

/// The no to a proposal that names as its decision what is none of its proposer's, where decisions are required.
fn stray(state: &State, event: &Event, by: &Principal) -> Option<Ruling> {
    if !state.governance.requires_decisions() || event.source == Source::Host {
        return None;
    }
    let decision = decision(state, event)?;
    state.governance.check_decision(&by.name, decision).err().map(Ruling::Denied)
}

/// Remembers who asks with `event`, and under which key: what follows of it names this event as its cause.
pub(crate) fn note_spoken(state: &mut State, event: &Event, spoken: &Spoken) {
    if let Some(key) = &spoken.key {
        state.governance.note_request(key, event.sequence);
    }
    if let Some(by) = &spoken.by {
        state.governance.asked = Some((event.sequence, by.clone()));
    }
}

/// An order was approved: what its idempotency key, if it has one, led to, and whose it is.
pub(crate) fn note_order(state: &mut State, request: Option<Sequence>, client_id: ClientOrderId) {
    let Some(request) = request else { return };
    if state.governance.claim.is_some() {
        state.governance.note_outcome(request, &KeyOutcome::Order { client_id });
    }
    state.governance.note_placed(request, client_id);
}

/// A parent was opened: what its idempotency key, if it has one, led to.
pub(crate) fn note_parent(state: &mut State, request: Option<Sequence>, parent: ParentId) {
    if let (Some(request), true) = (request, state.governance.claim.is_some()) {
        state.governance.note_outcome(request, &KeyOutcome::Parent { parent: parent.0 });
    }
}

/// What the end of a parent means for the proposal that it came from.
pub(crate) fn note_parent_moved(state: &mut State, parent: ParentId, to: &ParentState) {
    let ParentState::Over { end, reason } = to else { return };
    let to = match end {
        ParentEnd::Finished => ProposalState::Filled,
        ParentEnd::Cancelled => ProposalState::Cancelled,
        ParentEnd::Expired => ProposalState::Expired,
        ParentEnd::Failed => ProposalState::Rejected,
    };
    let left: Vec<_> = state.parents.get(parent).into_iter().flat_map(Parent::leaves_for).collect();
    for (proposal, has_exited) in left {
        if let Some(has_exited) = state.parents.left_for(proposal, has_exited) {
            // where its guards were there first nothing was left to close
            let to = if has_exited { ProposalState::Filled } else { ProposalState::Cancelled };
            state.governance.proposal_over(proposal, to, reason);
        }
    }
    let behind = state.parents.get(parent).and_then(|parent| parent.behind.as_ref());
    if let Some(proposal) = behind.and_then(|behind| behind.proposal) {
        state.governance.proposal_over(proposal, to, reason);
    }
}

/// Notes the exits that people approved and brackets have carried out: a proposal is filled once its last bracket has left.
pub(crate) fn note_left(state: &mut State) {
    let done: Vec<_> = state.parents.leaving().filter(|(_, _, done)| *done).collect();
    for (parent, proposal, _) in done {
        state.parents.forget_leave(parent);
        if state.parents.left_for(proposal, true).is_some() {
            let note = state.governance.proposals.get(&proposal).map(|held| held.note.clone()).unwrap_or_default();
            state.governance.proposal_over(proposal, ProposalState::Filled, &note);
        }
    }
}

/// What a closed order means for the proposal that it came from.
pub(crate) fn note_closed(state: &mut State, client_id: ClientOrderId, order: OrderState) {
    let OrderState::Closed { outcome } = order else { return };
    state.governance.placed.remove(&client_id);
    let to = match outcome {
        Outcome::Filled => ProposalState::Filled,
        Outcome::Rejected | Outcome::NotSent => ProposalState::Rejected,
        Outcome::Expired => ProposalState::Expired,
        Outcome::Cancelled => ProposalState::Cancelled,
    };
    let Some(held) = state.governance.proposal_of(client_id) else { return };
    let rests = |id: &ClientOrderId| *id != client_id && state.open.contains_key(id);
    if to != ProposalState::Filled && [held.order, held.other_order].iter().flatten().any(rests) {
        return; // the other order of the pair may still do what was asked
    }
    state.governance.order_moved(client_id, to);
}

/// Answers a word with facts, and releases what the last approval completed.
pub(crate) fn decide(state: &State, event: &Event, act: &Act, commands: &mut Vec<Command>) {
    if !may_govern(event.source, act) {
        return;
    }
    let facts = match stale_resume(state, act) {
        Some(stale) => vec![stale],
        None => state.governance.judge(act, at(state, event)),
    };
    for fact in facts {
        commands.push(Command::Record(EventKind::Governance(Box::new(fact)), event.portfolio));
    }
    if let Act::Latched { scope, .. } = act {
        cancel_adding(state, |record| covers(state, event.account, scope, record), commands);
    }
    if let Some(held) = state.governance.released_by(event.sequence) {
        release(state, event, held, commands);
    }
}

/// The no to whoever agrees that trading goes on when what holds it is not what the first person saw any more.
fn stale_resume(state: &State, act: &Act) -> Option<Act> {
    let Act::ChangeAnswered { change, yes: true, .. } = act else { return None };
    let Changed::Resume { holds } = &state.governance.changes.get(change)?.changed else { return None };
    let now = state.holds();
    (now != *holds).then(|| Act::Refused(Refused::new(Rule::ChangeStale, now.join("; "), holds.join("; "))))
}

/// The person who asked for an order, for its parent, or for the proposal that became it, where that is on record.
fn person_behind(state: &State, order: ClientOrderId) -> Option<&Name> {
    let register = &state.governance;
    let of_parent = || state.parents.parent_of(order)?.behind.as_ref().map(|behind| &behind.by);
    let of_proposal = || register.proposal_of(order).map(|held| &held.wish.by);
    register.placed.get(&order).or_else(of_parent).or_else(of_proposal)
}

fn covers(state: &State, account: AccountId, scope: &Scope, record: &OrderRecord) -> bool {
    let venue = &state.listing(record.order.instrument()).instrument.spec.venue;
    let by = person_behind(state, record.order.client_id());
    match (scope, record.order.source()) {
        (_, Some(source)) => scope.covers(source, by, account, venue),
        (Scope::Source(_), None) => false, // another hand's, or of a journal that does not tell
        (_, None) => scope.covers(Source::Host, None, account, venue),
    }
}

/// Whether a scoped kill switch is on over an open order.
pub(crate) fn is_stopped(state: &State, record: &OrderRecord) -> bool {
    state.governance.latches.keys().any(|scope| covers(state, AccountId(0), scope, record))
}

/// Why a kill switch stops `proposal`, if one does.
pub(crate) fn latched<'a>(state: &'a State, event: &Event, proposal: &Proposal) -> Option<&'a str> {
    if state.governance.latches.is_empty() {
        return None;
    }
    let venue = &state.listing(proposal.request.instrument).instrument.spec.venue;
    let by = proposer(state, event, proposal.source).name;
    let (_, latch) = state.governance.latched(proposal.source, Some(&by), event.account, venue)?;
    Some(&latch.reason)
}

/// Whether a scoped kill switch is on over what `source`, or the person `by` behind it, does in `instrument`.
pub(crate) fn is_latched(state: &State, source: Source, by: Option<&Name>, instrument: InstrumentId) -> bool {
    let venue = || &state.listing(instrument).instrument.spec.venue;
    let register = &state.governance;
    !register.latches.is_empty() && register.latched(source, by, AccountId(0), venue()).is_some()
}

/// Ends what waited for people for too long.
pub(crate) fn expire(state: &State, commands: &mut Vec<Command>) {
    if state.governance.proposals.is_empty() {
        return;
    }
    for fact in state.governance.expire(state.now) {
        commands.push(Command::Record(EventKind::Governance(Box::new(fact)), PortfolioId(0)));
    }
}
