//! Where governance meets the order path: what the policy says to a proposal, who is asked, and what is released.

use crate::algo::{Behind, ParentEnd, ParentEvent, ParentId, ParentState, ParentWish, Plan};
use crate::decide::{approve, cancel_adding, refuse, view};
use crate::{Command, Event, EventKind, Spoken, State, parents};
use std::borrow::Cow;
use tradewind_domain::{
    AccountId, ClientOrderId, InstrumentId, OrderRecord, OrderState, Outcome, PortfolioId, Price, Quantity, Sequence,
    Source,
};
use tradewind_gate::{Cap, Guard, Limits, Mode, Proposal, Refusal, review, review_pair};
use tradewind_governance::{
    Act, At, Changed, Held, KeyOutcome, Name, NamedDecision, Policy, Principal, ProposalState, Ruling, Scope, Tighter,
    Usage, Wish, judge_policy,
};
use tradewind_risk::{AccountLimits, LIMITS, Limit, LimitScope, LimitSet};

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
    let behind = state.parents.get(parent).and_then(|parent| parent.behind.as_ref());
    if let Some(proposal) = behind.and_then(|behind| behind.proposal) {
        state.governance.proposal_over(proposal, to, reason);
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
    for fact in state.governance.judge(act, at(state, event)) {
        commands.push(Command::Record(EventKind::Governance(Box::new(fact)), event.portfolio));
    }
    if let Act::Latched { scope, .. } = act {
        cancel_adding(state, |record| covers(state, event.account, scope, record), commands);
    }
    if let Some(held) = state.governance.released_by(event.sequence) {
        release(state, event, held, commands);
    }
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

/// What the policy says to `proposal`; `None` where nothing is governed, as in a backtest. Without a policy the empty
/// one judges: on paper people and strategies trade and agents wait for a person; live, only what reduces goes.
pub(crate) fn ruling(state: &State, event: &Event, proposal: &Proposal) -> Option<Ruling> {
    let by = proposer(state, event, proposal.source);
    let approvals = behind(state, event).map_or(0, |behind| behind.approvals);
    match ruling_of(state, event, &by, proposal)? {
        Ruling::NeedsApproval { quorum } if quorum <= approvals => Some(Ruling::Allowed), // as a whole it was approved
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
fn known(state: &State, name: &Name, source: Source) -> Principal {
    let known = state.governance.operators.iter().find(|person| person.name == *name);
    known.cloned().unwrap_or_else(|| Principal { name: name.clone(), ..Principal::of_source(source) })
}

fn wish(state: &State, event: &Event, by: &Principal, proposal: &Proposal) -> Wish {
    let instrument = &state.listing(proposal.request.instrument).instrument;
    let (source, portfolio) = (proposal.source, proposal.portfolio);
    let wish = Wish::of_order(by.name.clone(), source, portfolio, instrument, proposal.request, &proposal.reason);
    Wish { trade: proposal.plan.clone(), decision: decision(state, event), ..wish }
}

fn usage(state: &State, event: &Event, by: &Principal, proposal: &Proposal) -> Usage {
    let usage = Usage {
        now: event.at,
        mode: state.mode,
        notional: notional(state, proposal),
        reduces: view(state, event, proposal, None).reduces(proposal),
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

/// Puts an order aside until people have said yes, if enough of them are there to say so.
pub(crate) fn hold(state: &State, event: &Event, proposal: &Proposal, quorum: u8, commands: &mut Vec<Command>) {
    let by = proposer(state, event, proposal.source);
    put_aside(state, event, wish(state, event, &by, proposal), quorum, commands);
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
    put_aside(state, event, wish, quorum, commands);
}

fn put_aside(state: &State, event: &Event, wish: Wish, quorum: u8, commands: &mut Vec<Command>) {
    let portfolio = wish.portfolio;
    if let Err(no) = state.governance.check_reachable(&wish.by, quorum) {
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
fn release(state: &State, event: &Event, held: &Held, commands: &mut Vec<Command>) {
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
    let proposals: Vec<Proposal> = match wish.other {
        Some(request) => {
            crate::decide::in_one_group(state, [proposal.clone(), Proposal { request, ..proposal }]).into()
        }
        None => vec![proposal],
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
            match guard {
                Some(guard) => crate::protect::approve(approved, guard, &proposals[0], commands),
                None => approve(approved, portfolio, commands),
            }
            let send = commands.pop().expect("an approval ends in a send");
            commands.push(moved(ProposalState::Submitted, orders, String::new()));
            proposals.iter().for_each(|it| spend(state, event, it, Some(&by), commands));
            commands.push(send);
        }
        Err(refusal) => reject(held, refusal, commands),
    }
}

/// As [`release`] for an order that becomes other orders: it lives from here on, and each child is judged when due.
fn release_parent(state: &State, event: &Event, held: &Held, by: &Principal, plan: &str, commands: &mut Vec<Command>) {
    let plan: Plan = serde_json::from_str(plan).expect("it was written by `hold_parent`, and its hash was checked");
    let Wish { source, portfolio, request, ref reason, .. } = held.wish;
    let wish = ParentWish { entry: None, source, portfolio, request, plan, reason: reason.clone() };
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

/// Every number of `limits` by name, with the way in which it gets tighter; `None` is no limit.
#[must_use]
pub fn limit_values(limits: &Limits) -> Vec<(&'static str, Tighter, Option<i64>)> {
    let cap = |cap: &Cap| (cap.equity_bps.map(i64::from), cap.amount);
    let ((order_bps, order), (position_bps, position)) = (cap(&limits.max_order), cap(&limits.max_position));
    let rows = [
        ("max_order.equity_bps", order_bps),
        ("max_order.amount", order),
        ("max_position.equity_bps", position_bps),
        ("max_position.amount", position),
        ("daily_loss_bps", limits.daily_loss_bps.map(i64::from)),
        ("drawdown_bps", limits.drawdown_bps.map(i64::from)),
        ("stale_after_nanos", limits.stale_after_nanos),
        ("borrow", Some(i64::from(limits.borrow))),
    ];
    let base = rows.into_iter().map(|(name, value)| (name, Tighter::Lower, value));
    let set = LimitSet { limits: *limits, account: AccountLimits::NONE };
    base.chain(controls().map(|limit| (limit.name, way(limit), limit.get(&set)))).collect()
}

/// Every number of the account's limits by name, with the way in which it gets tighter; `None` is no limit.
#[must_use]
pub fn account_limit_values(account: &AccountLimits) -> Vec<(&'static str, Tighter, Option<i64>)> {
    let set = LimitSet { limits: Limits::OPEN, account: account.clone() };
    let of_account = LIMITS.iter().filter(|limit| limit.scope == LimitScope::Account);
    of_account.map(|limit| (limit.name, way(limit), limit.get(&set))).collect()
}

const fn way(limit: &Limit) -> Tighter {
    match limit.tighter {
        tradewind_risk::Tighter::Lower | tradewind_risk::Tighter::Absent => Tighter::Lower,
        tradewind_risk::Tighter::Higher => Tighter::Higher,
    }
}

/// Sets one number of the account's limits by name; `false` if there is no such number or it is negative.
pub fn set_account_limit(account: &mut AccountLimits, name: &str, value: Option<i64>) -> bool {
    let limit = Limit::find(name).filter(|limit| limit.scope == LimitScope::Account);
    let Some(limit) = limit.filter(|_| value.is_none_or(|value| value >= 0)) else { return false };
    let mut set = LimitSet { limits: Limits::OPEN, account: std::mem::take(account) };
    let fits = limit.set(&mut set, value).is_ok();
    *account = set.account;
    fits
}

/// The limits of a portfolio beyond the first: they go by their names in the table of limits.
fn controls() -> impl Iterator<Item = &'static Limit> {
    LIMITS.iter().filter(|limit| limit.scope == LimitScope::Portfolio && limit.is_control())
}

/// Numbers that fit 32 bits, as basis points do.
const SMALL: [&str; 5] =
    ["max_order.equity_bps", "max_position.equity_bps", "daily_loss_bps", "drawdown_bps", "borrow"];

/// Sets one number of `limits` by name; `false` if there is no such number or the value does not fit it.
pub fn set_limit(limits: &mut Limits, name: &str, value: Option<i64>) -> bool {
    let small = match value.map(u32::try_from).transpose() {
        Ok(small) => small,
        Err(_) if SMALL.contains(&name) => return false,
        Err(_) => return set_large(limits, name, value),
    };
    match name {
        "max_order.equity_bps" => limits.max_order.equity_bps = small,
        "max_position.equity_bps" => limits.max_position.equity_bps = small,
        "daily_loss_bps" => limits.daily_loss_bps = small,
        "drawdown_bps" => limits.drawdown_bps = small,
        "borrow" => limits.borrow = small == Some(1),
        _ => return set_large(limits, name, value),
    }
    true
}

fn set_large(limits: &mut Limits, name: &str, value: Option<i64>) -> bool {
    match name {
        "max_order.amount" => limits.max_order.amount = value,
        "max_position.amount" => limits.max_position.amount = value,
        "stale_after_nanos" => limits.stale_after_nanos = value,
        _ => return set_control(limits, name, value),
    }
    true
}

fn set_control(limits: &mut Limits, name: &str, value: Option<i64>) -> bool {
    let Some(limit) = controls().find(|limit| limit.name == name) else { return false };
    if value.is_some_and(|value| value < 0) {
        return false;
    }
    if limits.controls.is_some() || value.is_some() {
        let mut set = LimitSet { limits: *limits, account: AccountLimits::NONE };
        if limit.set(&mut set, value).is_err() {
            return false;
        }
        *limits = set.limits;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_account_is_read_and_set_by_its_name() {
        let mut account = AccountLimits::NONE;
        for (place, (name, _, none)) in account_limit_values(&AccountLimits::NONE).into_iter().enumerate() {
            let value = i64::try_from(place).unwrap() + 7;
            assert!(none.is_none() && set_account_limit(&mut account, name, Some(value)), "{name}");
            let set = account_limit_values(&account).into_iter().filter(|row| row.2.is_some()).count();
            assert_eq!(set, place + 1, "{name} sets one number");
            assert_eq!(account_limit_values(&account)[place].2, Some(value));
        }
        assert!(!set_account_limit(&mut account, "leverage", Some(1)), "a portfolio's");
        assert!(!set_account_limit(&mut account, "gross", Some(-1)));
    }

    #[test]
    fn every_number_of_the_limits_is_read_and_set_by_its_name() {
        let mut limits = Limits::CONSERVATIVE;
        for (place, (name, ..)) in limit_values(&limits).into_iter().enumerate() {
            let value = if name == "borrow" { 1 } else { i64::try_from(place).unwrap() + 7 };
            assert!(set_limit(&mut limits, name, Some(value)), "{name}");
            let now = limit_values(&limits).into_iter().find(|row| row.0 == name).unwrap();
            assert_eq!(now.2, Some(value));
            let others = limit_values(&Limits::CONSERVATIVE).into_iter().skip(place + 1);
            assert!(others.zip(limit_values(&limits).into_iter().skip(place + 1)).all(|(a, b)| a == b), "{name}");
        }
        assert!(!set_limit(&mut limits, "no such", Some(1)));
        assert!(!set_limit(&mut limits, "daily_loss_bps", Some(i64::MAX)));
        assert!(!set_limit(&mut limits, "daily_loss_bps", Some(-1)));
        assert!(!set_limit(&mut limits, "leverage", Some(-1)));
        let mut plain = Limits::RESEARCH;
        assert!(set_limit(&mut plain, "leverage", None) && plain == Limits::RESEARCH, "nothing is made of nothing");
    }
}
