//! What should now be done: verdicts on proposals, cancels of siblings, of what expired and of what adds exposure.

use crate::algo::{Behind, ParentEnd, ParentEvent, ParentId, Role};
use crate::protect::Exit;
use crate::{
    Amend, Event, EventKind, ListingStatus, RiskAct, State, Verdict, amend, collar, contingent, governance, parents,
    protect, risk, unwind,
};
use std::borrow::Cow;
use tradewind_domain::{
    ClientOrderId, InstrumentId, Liquidity, OcoGroup, OrderRecord, OrderState, Outcome, PortfolioId, Quantity, Side,
    Source, Timestamp,
};
use tradewind_gate::{Approved, Guard, Proposal, Refusal, View, review, review_cancel, review_pair};
use tradewind_governance::{Act, Principal, Ruling};

/// What the host should do next, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Append this as the next event, caused by the one just stepped, for this portfolio, and step it.
    Record(EventKind, PortfolioId),
    /// Record the intent, sync it, and hand the permit to the venue's driver.
    Send(Approved),
}

/// Whether `kind` need not be recorded, because the same cancel is among what waits to be: whatever is stepped before that
/// asks for it once more.
#[must_use]
pub fn is_asked_for<'a>(kind: &EventKind, mut waiting: impl Iterator<Item = &'a EventKind>) -> bool {
    matches!(kind, EventKind::CancelProposed { .. }) && waiting.any(|it| it == kind)
}

/// Notes in `commands` what `event`, just applied to `state`, calls for.
#[inline]
pub fn decide(state: &State, event: &Event, commands: &mut Vec<Command>) {
    if let Some(book) = &state.risk {
        risk::decide(state, event, book, commands);
    }
    match &event.kind {
        EventKind::BarClosed { .. } if state.open.is_empty() => (), // by far the most frequent
        _ => decide_rest(state, event, commands),
    }
    if !state.parents.is_empty() && parents::wakes(&event.kind) && !commands.iter().any(leads_to_an_order) {
        parents::drive(state, commands);
    }
}

/// Whether the gate is asked about something else first: a name is given to one order at a time.
pub(crate) fn leads_to_an_order(command: &Command) -> bool {
    match command {
        Command::Record(EventKind::Proposed(_) | EventKind::ProposedPair { .. }, _) => true,
        Command::Record(EventKind::Governance(act), _) => matches!(**act, Act::Approved { .. }),
        Command::Record(..) | Command::Send(_) => false,
    }
}

fn decide_rest(state: &State, event: &Event, commands: &mut Vec<Command>) {
    match &event.kind {
        EventKind::Proposed(proposal) => judge(state, event, proposal, commands),
        EventKind::ProposedPair { pair } => {
            let names = names(state, event.at, pair[0].portfolio);
            judge_pair(state, event, pair, names, commands);
        }
        EventKind::CancelProposed { client_id } => judge_cancel(state, *client_id, commands),
        EventKind::BarClosed { .. } => {
            cancel_expired(state, commands);
            governance::expire(state, commands);
        }
        EventKind::Timer => {
            cancel_expired(state, commands);
            unwind::cancel_what_must_go(state, commands);
            collar::ask_again(state, commands);
            governance::expire(state, commands);
        }
        EventKind::Accepted { .. } | EventKind::CancelRefused { .. } => unwind::cancel_what_must_go(state, commands),
        EventKind::Governance(act) => governance::decide(state, event, act, commands),
        EventKind::Filled(fill) => {
            cancel_siblings(state, fill.client_id, commands);
            bring_back(state, fill.client_id, commands);
        }
        EventKind::Halted(_) => cancel_what_adds_exposure(state, commands),
        EventKind::Compared { .. } | EventKind::GapFound { .. } | EventKind::Restricted { .. } => {
            if state.reduce_only.is_some() {
                cancel_what_adds_exposure(state, commands);
            }
        }
        EventKind::Amend { client_id, said: Amend::Proposed { quantity } } => {
            amend::judge(state, *client_id, *quantity, commands);
        }
        EventKind::Parent(said) => parents::decide(state, event, said, commands),
        EventKind::ListingChanged { instrument, status } => leave(state, *instrument, *status, commands),
        EventKind::Settled { instrument, .. } if state.listing(*instrument).settled.is_some() => {
            parents::end_all(state, *instrument, ParentEnd::Expired, "the contract was settled", commands);
        }
        EventKind::Settled { .. } // refused: what is held stays, and what guards it
        | EventKind::Started { .. }
        | EventKind::Stopped
        | EventKind::Listed(_)
        | EventKind::Opened { .. }
        | EventKind::LimitsSet(_)
        | EventKind::Deposited(_)
        | EventKind::Quoted { .. }
        | EventKind::Deepened { .. }
        | EventKind::Traded { .. }
        | EventKind::Decided(_)
        | EventKind::Judged(_)
        | EventKind::Intended(_)
        | EventKind::Sent { .. }
        | EventKind::NotSent { .. }
        | EventKind::AnswerLost { .. }
        | EventKind::Rejected { .. }
        | EventKind::Triggered { .. }
        | EventKind::CancelSent { .. }
        | EventKind::Amend { .. }
        | EventKind::Cancelled { .. }
        | EventKind::Expired { .. }
        | EventKind::Funding { .. }
        | EventKind::Resumed { .. }
        | EventKind::Reconciled { .. }
        | EventKind::Foreign(_)
        | EventKind::ForeignFilled(_)
        | EventKind::Adopted(_)
        | EventKind::Adjusted { .. }
        | EventKind::Reworked { .. }
        | EventKind::Reversed(_)
        | EventKind::Baseline { .. }
        | EventKind::Risk(_)
        | EventKind::StateHash { .. } => (),
    }
}

/// The names of the next two orders: no other order has them, nor a child that some parent once asked for in vain.
pub(crate) fn names(state: &State, at: Timestamp, portfolio: PortfolioId) -> [ClientOrderId; 2] {
    let mut nth = state.intents;
    let is_taken = |name| !state.parents.is_unused() && (state.parents.knows(name) || state.order(name).is_some());
    let mut free = || loop {
        nth += 1;
        let name = ClientOrderId::derive(at, state.incarnation, portfolio, nth);
        if !is_taken(name) {
            return name;
        }
    };
    [free(), free()]
}

/// A proposal that its venue does not keep itself becomes a parent that waits.
fn judge(state: &State, event: &Event, proposal: &Proposal, commands: &mut Vec<Command>) {
    if let Some(wish) = parents::waits(state, proposal) {
        if proposal.plan.is_some() {
            return refuse(protect::unkept(proposal), proposal.portfolio, commands);
        }
        return parents::open(state, event, &wish, commands);
    }
    let portfolio = proposal.portfolio;
    let [client_id, _] = names(state, event.at, portfolio);
    let ruling = governance::ruling(state, event, proposal);
    let way = protect::way(state, event, proposal, ruling.as_ref());
    let quorum = match ruling {
        Some(Ruling::NeedsApproval { quorum }) => Some(quorum),
        _ => None,
    };
    if quorum.is_none() {
        way.ask(proposal, None, commands);
    }
    let Some(rest) = way.rest.as_deref() else {
        if let Some(quorum) = quorum {
            governance::hold(state, event, proposal, quorum, commands);
        }
        return;
    };
    match (review(&view(state, event, rest, ruling.as_ref()), rest, client_id), quorum) {
        (Ok(approved), _) => {
            let proposal = &*as_approved(rest, &approved);
            match protect::guard_of(state, event, &approved, proposal, named(state, event, proposal)) {
                Ok(guard) => {
                    protect::approve(approved, guard, proposal, commands);
                    governance::spend(state, event, proposal, None, commands);
                }
                Err(refusal) => refuse(refusal, portfolio, commands),
            }
        }
        (Err(refusal), Some(quorum)) if refusal.guard == Guard::Approval => {
            governance::hold(state, event, proposal, quorum, commands);
        }
        (Err(refusal), _) => refuse(refusal, portfolio, commands),
    }
}

/// The proposal of the order that was approved: the gate may have made it smaller.
fn as_approved<'a>(proposal: &'a Proposal, approved: &Approved) -> Cow<'a, Proposal> {
    match (approved.resized(), approved.action().orders()) {
        (Some(_), [order]) => Cow::Owned(Proposal { request: *order.request(), ..proposal.clone() }),
        _ => Cow::Borrowed(proposal),
    }
}

/// The person behind a proposal, where its source does not say.
fn named(state: &State, event: &Event, proposal: &Proposal) -> Option<Behind> {
    proposal.plan.as_ref()?;
    let by = governance::proposer(state, event, proposal.source);
    let named = proposal.source == Source::Operator && by.name != Principal::operator().name;
    named.then_some(Behind { by: by.name, approvals: 0, proposal: None })
}

pub(crate) fn approve(approved: Approved, portfolio: PortfolioId, commands: &mut Vec<Command>) {
    for order in approved.action().orders() {
        commands.push(Command::Record(EventKind::Judged(Verdict::Approved(*order)), portfolio));
    }
    if let (Some(correction), [order]) = (approved.resized(), approved.action().orders()) {
        let resized = RiskAct::Resized { client_id: order.client_id(), correction: correction.clone() };
        commands.push(Command::Record(EventKind::Risk(Box::new(resized)), portfolio));
    }
    commands.push(Command::Send(approved));
}

pub(crate) fn refuse(refusal: Box<Refusal>, portfolio: PortfolioId, commands: &mut Vec<Command>) {
    commands.push(Command::Record(EventKind::Judged(Verdict::Refused(refusal)), portfolio));
}

pub(crate) fn judge_pair(
    state: &State,
    event: &Event,
    pair: &[Proposal; 2],
    mut names: [ClientOrderId; 2],
    commands: &mut Vec<Command>,
) {
    let asked = pair;
    let pair = in_one_group(state, pair.clone());
    let portfolio = pair[0].portfolio;
    names.sort_unstable();
    let ruling = pair.each_ref().map(|it| governance::ruling(state, event, it));
    let stricter = governance::stricter(&ruling);
    // what a parent asks for is not held: the whole parent was, if anything of it had to be
    let may_wait = matches!(event.kind, EventKind::ProposedPair { .. });
    match (review_pair(&view(state, event, &pair[0], stricter), &pair, names), stricter) {
        (Ok(approved), _) => {
            approve(approved, portfolio, commands);
            pair.iter().for_each(|it| governance::spend(state, event, it, None, commands));
        }
        (Err(refusal), Some(Ruling::NeedsApproval { quorum })) if may_wait && refusal.guard == Guard::Approval => {
            governance::hold_pair(state, event, asked, *quorum, commands);
        }
        (Err(refusal), _) => {
            refuse(refusal.clone(), portfolio, commands);
            refuse(refusal, portfolio, commands);
        }
    }
}

/// Two orders of one group, in the order in which they are judged: of equals the first by name is the one that counts,
/// and the dearer needs the funds.
pub(crate) fn in_one_group(state: &State, mut pair: [Proposal; 2]) -> [Proposal; 2] {
    let group = pair[0].request.oco.or(pair[1].request.oco).unwrap_or_else(|| fresh_group(state));
    pair.iter_mut().for_each(|proposal| _ = proposal.request.oco.get_or_insert(group));
    pair.sort_by_key(|it| std::cmp::Reverse(it.request.kind.limit().or(it.request.kind.trigger())));
    pair
}

/// A group that no order still remembered belongs to.
fn fresh_group(state: &State) -> OcoGroup {
    fresh_groups(state).next().expect("intents are far from using up u64")
}

/// The groups that no order still remembered belongs to.
pub(crate) fn fresh_groups(state: &State) -> impl Iterator<Item = OcoGroup> {
    (state.intents + 1..).map(OcoGroup).filter(move |group| {
        let mut records = state.open.values().chain(&state.closed);
        !records.any(|record| record.order.request().oco == Some(*group))
    })
}

/// Whether the engine itself asks for it, or a bracket for what both its ways out closed: that was sold once too often,
/// whoever had it before.
fn brings_back(event: &Event, proposal: &Proposal) -> bool {
    let is_excess = |said: &ParentEvent| matches!(said, ParentEvent::Child { role: Role::Excess, .. });
    proposal.source == Source::Host || matches!(&event.kind, EventKind::Parent(said) if is_excess(said))
}

pub(crate) fn view<'a>(state: &'a State, event: &Event, proposal: &Proposal, ruling: Option<&'a Ruling>) -> View<'a> {
    let listing = state.listing(proposal.request.instrument);
    let portfolio = state.portfolio(proposal.portfolio);
    let (id, joined) = (listing.instrument.id, proposal.request.oco);
    let (open_buys, open_sells, unknown_orders) = state.open_quantities_without(proposal.portfolio, id, joined);
    let foreign = state.foreign_exposure(id);
    let [owed_buys, owed_sells] =
        [Side::Buy, Side::Sell].map(|side| Exit::new(state, proposal.portfolio, id, side).owed(parent_of(&event.kind)));
    let (day_equity, peak_equity) = risk::reference_points(state, proposal.portfolio);
    View {
        now: event.at,
        halted: state.halted.as_deref().or_else(|| governance::latched(state, event, proposal)),
        protects: matches!(&event.kind, EventKind::Parent(said) if said.protects()),
        restricted: restricted(state, proposal),
        mode: state.mode,
        ruling,
        decision: governance::decision(state, event),
        limits: &portfolio.limits,
        instrument: &listing.instrument,
        mark: listing.mark,
        quote: listing.quote.as_ref(),
        position: match brings_back(event, proposal) {
            true => portfolio.position(id).quantity(),
            false => portfolio.to_close(&listing.instrument),
        },
        open_buys: open_buys.saturating_add(foreign.buys).saturating_add(owed_buys),
        open_sells: open_sells.saturating_add(foreign.sells).saturating_add(owed_sells),
        unknown_orders,
        rate: state.rate(listing.instrument.settlement(), portfolio.base),
        equity: portfolio.equity(),
        day_equity,
        peak_equity,
        free_funds: free_funds(state, proposal, owed_sells),
        risk: risk::view(state, event),
    }
}

/// The parent whose child an event proposes.
fn parent_of(kind: &EventKind) -> Option<ParentId> {
    let EventKind::Parent(said) = kind else { return None };
    match &**said {
        ParentEvent::Child { parent, .. } | ParentEvent::Pair { parent, .. } => Some(*parent),
        _ => None,
    }
}

/// Why the proposal must reduce, if it must: venue and books differ, or another hand trades what a strategy wants.
fn restricted<'a>(state: &'a State, proposal: &Proposal) -> Option<&'a str> {
    let by_policy =
        || if proposal.source == Source::Operator { None } else { state.foreign_hand(proposal.request.instrument) };
    let listing = state.listing(proposal.request.instrument).restriction();
    state.reduce_only.as_deref().or(listing).or_else(by_policy)
}

/// Takes an open order out of a view: what is judged is to stand in its place.
pub(crate) fn excluding(view: &mut View<'_>, state: &State, record: &OrderRecord) {
    let open = record.open_quantity();
    match record.order.side() {
        Side::Buy => view.open_buys -= open,
        Side::Sell => view.open_sells -= open,
    }
    view.unknown_orders -= u32::from(matches!(record.state, OrderState::Unknown { .. }));
    let it = view.instrument;
    let pays = if record.order.side() == Side::Buy { it.settlement() } else { it.spec.symbol.base };
    view.free_funds += reserved(state, record, pays);
}

/// An instrument that its venue takes off: every open order in it is cancelled.
fn leave(state: &State, instrument: InstrumentId, status: ListingStatus, commands: &mut Vec<Command>) {
    if status != ListingStatus::Delisted {
        return;
    }
    let gone = |it: &&OrderRecord| it.order.instrument() == instrument && is_cancellable(it);
    state.open.values().filter(gone).for_each(|record| propose_cancel(record, commands));
    parents::end_all(state, instrument, ParentEnd::Failed, "the venue has delisted the instrument", commands);
}

/// What pays for the proposed order, less what open orders of its side hold already.
fn free_funds(state: &State, proposal: &Proposal, owed_sells: Quantity) -> i128 {
    let (portfolio, side) = (proposal.portfolio, proposal.request.side);
    let it = &state.listing(proposal.request.instrument).instrument;
    let pays = match side {
        Side::Buy => it.settlement(),
        Side::Sell => it.spec.symbol.base,
    };
    let own = |record: &&OrderRecord| {
        let order = &record.order;
        order.portfolio() == portfolio && order.side() == side && state.is_counted(record, proposal.request.oco)
    };
    let held: i128 = state.open.values().filter(own).map(|record| reserved(state, record, pays)).sum();
    let owed = if side == Side::Sell && it.is_cash() { it.asset_units(owed_sells) } else { 0 };
    state.portfolio(portfolio).units(pays) - held - owed - state.foreign_hold(pays)
}

fn reserved(state: &State, record: &OrderRecord, pays: tradewind_domain::Currency) -> i128 {
    let listing = state.listing(record.order.instrument());
    let it = &listing.instrument;
    match record.order.side() {
        Side::Sell if it.spec.symbol.base == pays => it.asset_units(record.open_quantity()),
        Side::Buy if it.is_cash() && it.settlement() == pays => {
            let kind = record.order.terms().kind; // a market order holds what its worst price would cost
            let price = kind.limit().or(kind.trigger()).or(listing.mark.map(|mark| mark.price)).unwrap_or_default();
            let notional = it.notional(price, record.open_quantity()).map_or(0, |money| money.units);
            notional + it.spec.fees.on(notional, pays, Liquidity::Taker).0.units.max(0)
        }
        Side::Buy | Side::Sell => 0,
    }
}

fn judge_cancel(state: &State, client_id: ClientOrderId, commands: &mut Vec<Command>) {
    let Some(record) = state.open.get(&client_id) else {
        let reason = if state.order(client_id).is_some() { "it is closed" } else { "there is no such order" };
        let verdict = Verdict::CancelRefused { client_id, reason: reason.into() };
        return commands.push(Command::Record(EventKind::Judged(verdict), PortfolioId(0)));
    };
    let portfolio = record.order.portfolio();
    commands.push(Command::Record(EventKind::Judged(Verdict::CancelApproved { client_id }), portfolio));
    commands.push(Command::Send(review_cancel(client_id, record.order.instrument(), record.venue_id.clone())));
}

fn propose_cancel(record: &OrderRecord, commands: &mut Vec<Command>) {
    let client_id = record.order.client_id();
    commands.push(Command::Record(EventKind::CancelProposed { client_id }, record.order.portfolio()));
}

fn is_cancellable(record: &OrderRecord) -> bool {
    !matches!(record.state, OrderState::PendingCancel | OrderState::Closed { .. })
}

/// How long at least, and at most, before the cancel of an expired order is asked for again.
const EXPIRED_AGAIN: (i64, i64) = (5_000_000_000, 60_000_000_000);

/// Cancels what is past its date. One that stays open is asked for again, each time after as long as it is over by then.
fn cancel_expired(state: &State, commands: &mut Vec<Command>) {
    let is_due = |record: &&OrderRecord| {
        let Some(end) = record.good_till().filter(|end| *end <= state.now) else { return false };
        record
            .times
            .cancel_asked
            .is_none_or(|asked| state.now.since(asked) >= asked.since(end).clamp(EXPIRED_AGAIN.0, EXPIRED_AGAIN.1))
    };
    for record in state.open.values().filter(is_due).filter(|record| is_cancellable(record)) {
        propose_cancel(record, commands);
    }
}

/// Two orders of which one should have cancelled the other both filled: what that did too much is flattened, through
/// the gate and with its reason on record.
fn bring_back(state: &State, filled: ClientOrderId, commands: &mut Vec<Command>) {
    let Some((portfolio, request)) = contingent::group_excess(state, filled) else { return };
    let reason = "both orders of a group filled: what is too much is brought back".into();
    let proposal = Proposal { plan: None, source: Source::Host, portfolio, request, reason };
    commands.push(Command::Record(EventKind::Proposed(proposal), portfolio));
}

/// One cancels the other: once any of a group fills, the rest go.
fn cancel_siblings(state: &State, filled: ClientOrderId, commands: &mut Vec<Command>) {
    let Some(record) = state.order(filled) else { return };
    let Some(group) = record.order.request().oco else { return };
    let siblings = |it: &&OrderRecord| is_sibling(it, record, group);
    state.open.values().filter(siblings).for_each(|sibling| propose_cancel(sibling, commands));
}

fn is_sibling(candidate: &OrderRecord, record: &OrderRecord, group: OcoGroup) -> bool {
    candidate.order.client_id() != record.order.client_id()
        && candidate.order.request().oco == Some(group)
        && candidate.order.portfolio() == record.order.portfolio()
        && is_cancellable(candidate)
        && !matches!(record.state, OrderState::Closed { outcome: Outcome::Rejected })
}

/// Protective orders stay: whatever can only reduce a position is left to do so.
fn cancel_what_adds_exposure(state: &State, commands: &mut Vec<Command>) {
    cancel_adding(state, |_| true, commands);
}

/// Cancels what adds exposure among the orders that `covers` names.
pub(crate) fn cancel_adding(state: &State, covers: impl Fn(&OrderRecord) -> bool, commands: &mut Vec<Command>) {
    let goes = |record: &&OrderRecord| is_cancellable(record) && state.adds_exposure(record) && covers(record);
    for record in state.open.values().filter(goes) {
        propose_cancel(record, commands);
    }
}
