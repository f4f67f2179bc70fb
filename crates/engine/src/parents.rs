//! Parents in the flow of events: folding what happens into them, and recording what they want done.
//!
//! One proposal at a time: after each the gate's word is awaited, so that every child is judged with the last one
//! counted, whichever parent it came from.

use crate::algo::{
    Behind, Due, LIVE_MAX, Look, Parent, ParentEnd, ParentEvent, ParentId, ParentState, ParentWish, Plan, Refused,
    Role, Told, on_tick,
};
use crate::decide::{approve, excluding, judge_pair, names, refuse, view};
use crate::{Command, Event, EventKind, State, Verdict};
use crate::{governance, keeping};
use tradewind_domain::{
    ClientOrderId, Coded, Fill, InstrumentId, LEDGER_DECIMALS, OrderRecord, OrderRequest, PortfolioId, Quantity, Side,
    Source, pow10,
};
use tradewind_gate::{Correction, Guard, Mode, Proposal, Refusal, View, review, review_plan};
use tradewind_governance::{Held, Principal, Ruling};

/// Folds what an event, just applied to everything else, means for parents. `booked` says that it was an execution which
/// was not booked before, or not taken back: one that is told twice takes its fee once, and gives it back once.
pub(crate) fn fold(state: &mut State, event: &Event, booked: bool) {
    if event.source != Source::Host {
        state.parents.outside();
    }
    let at = event.at;
    match &event.kind {
        EventKind::BarClosed { bar, .. } => state.parents.on_bar(bar),
        EventKind::Traded { trade, .. } => {
            state.parents.on_trade(trade.instrument, trade.price, trade.quantity, at);
        }
        EventKind::Quoted { quote, .. } => state.parents.on_quote(quote),
        EventKind::Decided(_) | EventKind::Timer | EventKind::StateHash { .. } => (),
        EventKind::Parent(said) => fold_said(state, said, event),
        // by the clock that the wait for an answer is measured by: what is found in a list happened long ago
        EventKind::CancelProposed { client_id } => state.parents.cancel_asked(*client_id, state.now),
        EventKind::Judged(Verdict::Refused(refusal)) => {
            let how = match (refusal.is_too_soon(), refusal.is_of_the_moment()) {
                (true, _) => Refused::TooSoon,
                (false, true) => Refused::ForNow,
                (false, false) => Refused::ForGood,
            };
            state.parents.refused(&refusal.to_string(), how, at);
        }
        EventKind::Filled(fill) => {
            if booked {
                let taken = taken_by_fee(state, fill);
                state.parents.fee_taken(fill.client_id, taken);
            }
            refresh(state, event, Some(fill.client_id));
            governance::note_left(state);
        }
        EventKind::Reversed(fill) => {
            if booked {
                let taken = taken_by_fee(state, fill);
                state.parents.fee_taken(fill.client_id, -taken);
            }
            refresh(state, event, Some(fill.client_id));
        }
        EventKind::Started { .. } => {
            refresh(state, event, None);
            state.parents.restarted(at);
        }
        _ => refresh(state, event, None),
    }
}

/// Shows parents what became of their orders.
fn refresh(state: &mut State, event: &Event, also: Option<ClientOrderId>) {
    let told = match &event.kind {
        EventKind::Started { .. } => Told::Restarted,
        EventKind::Expired { evidence: Some(_), .. } => Told::Absent,
        _ => Told::Plainly,
    };
    let mut ids: Vec<ClientOrderId> = also.into_iter().collect();
    for parent in state.parents.live() {
        ids.extend(parent.children.iter().filter(|child| child.may_fill()).map(|child| child.client_id));
    }
    for id in ids {
        let found = state.open.get(&id).or_else(|| state.closed.iter().rev().find(|it| it.order.client_id() == id));
        if let Some(record) = found {
            state.parents.order(record, event.at, told);
        }
    }
}

/// How much of what an execution bought its fee took.
fn taken_by_fee(state: &State, fill: &Fill) -> Quantity {
    let it = &state.listings[fill.instrument.index()].instrument;
    let fee = fill.fee.0;
    if fill.side != Side::Buy || !it.is_cash() || fee.currency != it.spec.symbol.base || fee.units <= 0 {
        return Quantity::ZERO;
    }
    let (decimals, ledger) = (u32::from(it.spec.quantity_decimals), u32::from(LEDGER_DECIMALS));
    // rounded up: what a fee may have taken is not sold
    let mantissa = if decimals >= ledger {
        fee.units * pow10(decimals - ledger)
    } else {
        let unit = pow10(ledger - decimals);
        (fee.units + unit - 1) / unit
    };
    Quantity::from_mantissa(i64::try_from(mantissa).unwrap_or(i64::MAX))
}

fn fold_said(state: &mut State, said: &ParentEvent, event: &Event) {
    match said {
        ParentEvent::Wished { .. } => (),
        ParentEvent::Opened { wish, behind, decision, .. } => {
            let found = match (&wish.plan, wish.entry) {
                (Plan::Replace { old }, _) => state.open.get(old).map(|record| (Role::Replaced, record)),
                (Plan::Bracket(_), Some(entry)) => state.order(entry).map(|record| (Role::Entry, record)),
                _ => None,
            };
            let found = found.map(|(role, record)| (role, record.clone()));
            let id = state.parents.open(wish.clone(), event.at, found.as_ref().map(|(role, record)| (*role, record)));
            state.parents.stand_behind(id, behind.clone(), *decision);
            if wish.entry.is_none() {
                governance::note_parent(state, event.cause, id); // else the request led to the order
            }
        }
        ParentEvent::Child { parent, slot, role, proposal } => {
            let [name, _] = names(state, event.at, proposal.portfolio);
            state.parents.ask(*parent, *slot, &[(*role, name, proposal.request)], (event.at, event.sequence));
        }
        ParentEvent::Pair { parent, slot, roles, pair } => {
            let mut names = names(state, event.at, pair[0].portfolio);
            names.sort_unstable();
            let children = [(roles[0], names[0], pair[0].request), (roles[1], names[1], pair[1].request)];
            state.parents.ask(*parent, *slot, &children, (event.at, event.sequence));
        }
        ParentEvent::Asked { parent, ask, reason } => {
            let Some(instrument) = state.parents.get(*parent).map(|it| it.wish.request.instrument) else { return };
            let it = &state.listings[instrument.index()].instrument;
            state.parents.asked(*parent, *ask, reason, event.at, it);
        }
        ParentEvent::Moved { parent, to } => {
            state.parents.moved(*parent, to);
            governance::note_parent_moved(state, *parent, to);
        }
    }
}

/// Decides about something that was said of a parent.
pub(crate) fn decide(state: &State, event: &Event, said: &ParentEvent, commands: &mut Vec<Command>) {
    match said {
        ParentEvent::Wished { wish } => open(state, event, wish, commands),
        ParentEvent::Child { parent, slot, proposal, .. }
            if state.parents.is_asking(*parent, *slot, 1, event.sequence) =>
        {
            let [name] = asked_names(state, *parent, *slot);
            judge(state, event, proposal, name, commands);
        }
        ParentEvent::Pair { parent, slot, pair, .. } if state.parents.is_asking(*parent, *slot, 2, event.sequence) => {
            judge_pair(state, event, pair, asked_names(state, *parent, *slot), commands);
        }
        ParentEvent::Child { .. }
        | ParentEvent::Pair { .. }
        | ParentEvent::Opened { .. }
        | ParentEvent::Asked { .. }
        | ParentEvent::Moved { .. } => (),
    }
}

/// What the children that a parent has just asked for will be called.
fn asked_names<const N: usize>(state: &State, parent: ParentId, slot: u32) -> [ClientOrderId; N] {
    let parent = state.parents.get(parent).expect("whoever asks is there");
    let place = (slot - parent.forgotten) as usize;
    std::array::from_fn(|nth| parent.children[place + nth].client_id)
}

/// The gate's word on a child. It is not held for approval: the whole parent was, if anything of it had to be.
fn judge(state: &State, event: &Event, proposal: &Proposal, name: ClientOrderId, commands: &mut Vec<Command>) {
    let ruling = governance::ruling(state, event, proposal);
    match review(&view(state, event, proposal, ruling.as_ref()), proposal, name) {
        Ok(approved) => {
            approve(approved, proposal.portfolio, commands);
            governance::spend(state, event, proposal, None, commands);
        }
        Err(refusal) => refuse(refusal, proposal.portfolio, commands),
    }
}

/// A proposal that its venue does not keep waits here instead.
pub(crate) fn waits(state: &State, proposal: &Proposal) -> Option<ParentWish> {
    let native = state.listing(proposal.request.instrument).instrument.spec.native;
    (!native.has(&proposal.request.kind)).then(|| ParentWish {
        source: proposal.source,
        portfolio: proposal.portfolio,
        request: proposal.request,
        plan: Plan::Wait,
        reason: proposal.reason.clone().into_owned(),
        entry: None,
        trade: None,
    })
}

/// Opens a parent if its plan means something and its first child would pass the gate now; each child is judged again,
/// in full, when it is due. What needs people's approval waits for it as a whole.
pub(crate) fn open(state: &State, event: &Event, wish: &ParentWish, commands: &mut Vec<Command>) {
    let by = governance::proposer(state, event, wish.source);
    match check(state, event, wish, &by, 0) {
        Ok(settled) => {
            let named = wish.source == Source::Operator && by.name != Principal::operator().name;
            let behind = named.then_some(Behind { by: by.name, approvals: 0, proposal: None });
            commands.push(opened(state, event, settled, behind));
        }
        Err((refusal, Some(quorum))) if refusal.guard == Guard::Approval => {
            governance::hold_parent(state, event, &by, wish, quorum, commands);
        }
        Err((refusal, _)) => refuse(refusal, wish.portfolio, commands),
    }
}

/// A wish as it may live, and what was put right in its plan of the trade.
struct Settled {
    wish: ParentWish,
    corrections: Vec<Correction>,
}

fn opened(state: &State, event: &Event, settled: Settled, behind: Option<Behind>) -> Command {
    let Settled { wish, corrections } = settled;
    let (parent, decision) = (state.parents.next_id(), governance::decision(state, event));
    let portfolio = wish.portfolio;
    let opened = ParentEvent::Opened { parent, wish, behind, decision, corrections };
    Command::Record(EventKind::Parent(Box::new(opened)), portfolio)
}

/// Opens a parent that people have approved as a whole, if the gate, asked once more, still takes it.
pub(crate) fn release(
    state: &State,
    event: &Event,
    wish: &ParentWish,
    by: &Principal,
    held: &Held,
) -> Result<Command, Box<Refusal>> {
    let approvals = u8::try_from(held.approvals.len()).unwrap_or(u8::MAX);
    let settled = check(state, event, wish, by, approvals).map_err(|(refusal, _)| refusal)?;
    Ok(opened(state, event, settled, Some(Behind { by: by.name.clone(), approvals, proposal: Some(held.id) })))
}

/// What says no to a parent, with the quorum that would make it a yes, if one would.
type No = (Box<Refusal>, Option<u8>);

fn check(state: &State, event: &Event, wish: &ParentWish, by: &Principal, approvals: u8) -> Result<Settled, No> {
    let no = |value: String, limit: &str| (no(value, limit), None);
    let it = &state.listing(wish.request.instrument).instrument;
    wish.check(it).map_err(|error| no(format!("{}: {error}", error.code()), error.hint()))?;
    if state.parents.live().count() >= LIVE_MAX {
        return Err(no(format!("{} parents live", LIVE_MAX), "cancel one first"));
    }
    if wish.entry.is_some() {
        return Err(no("an entry that stands already".to_owned(), "a wish for the entry as well"));
    }
    let replaced = match wish.plan {
        Plan::Replace { old } => Some(replaceable(state, wish, old).map_err(|what| no(what, "an open order"))?),
        _ => None,
    };
    let first = first_child(state, wish, replaced);
    let sample = proposal(wish, first, "would be its first child".to_owned());
    let whole = match wish.plan {
        Plan::Replace { .. } => sample.clone(),
        _ => proposal(wish, wish.request, wish.reason.clone()),
    };
    let ruling = governance::ruling_of_parent(state, event, by, [&sample, &whole], approvals);
    let mut view = view(state, event, &sample, ruling.as_ref());
    if let Some(record) = replaced {
        excluding(&mut view, state, record);
    }
    if let Some(risk) = &mut view.risk {
        risk.may_shrink = false; // a parent asks for what it needs
    }
    let [name, _] = names(state, event.at, wish.portfolio);
    let quorum = match ruling {
        Some(Ruling::NeedsApproval { quorum }) => Some(quorum),
        _ => None,
    };
    let sampled = review(&view, &sample, name).map(|_| ());
    if let Err(refusal) = &sampled
        && refusal.guard != Guard::Approval
    {
        return Err((refusal.clone(), quorum));
    }
    let settled = settle(&view, wish).map_err(|refusal| (refusal, None))?; // nobody is asked about what could not be
    sampled.map(|()| settled).map_err(|refusal| (refusal, quorum))
}

/// The wish with its plan of the trade as it may be traded: judged for all of it, put right, on the tick. What only
/// reduces has none.
fn settle(view: &View<'_>, wish: &ParentWish) -> Result<Settled, Box<Refusal>> {
    let mut wish = wish.clone();
    let Some(trade) = wish.trade.take() else { return Ok(Settled { wish, corrections: Vec::new() }) };
    let whole = Proposal { plan: Some(trade.clone()), ..proposal(&wish, wish.as_one_order(), wish.reason.clone()) };
    if view.reduces(&whole) {
        return Ok(Settled { wish, corrections: Vec::new() });
    }
    let (trade, corrections) = match review_plan(view, &whole)? {
        Some(audited) => (audited.plan, audited.corrections),
        None => (*trade, Vec::new()),
    };
    wish.trade = Some(Box::new(on_tick(view.instrument, wish.request.side, &trade)));
    wish.check_trade().map_err(|error| no(format!("{}: {error}", error.code()), error.hint()))?;
    Ok(Settled { wish, corrections })
}

fn no(value: String, limit: &str) -> Box<Refusal> {
    Box::new(Refusal { guard: Guard::Order, value, limit: limit.to_owned(), rule: None, breach: None })
}

/// The order to be replaced: open, not being replaced already, of the same instrument, portfolio and side.
fn replaceable<'a>(state: &'a State, wish: &ParentWish, old: ClientOrderId) -> Result<&'a OrderRecord, String> {
    let Some(record) = state.open.get(&old) else { return Err(format!("order {old} is not open")) };
    let (order, request) = (&record.order, &wish.request);
    let same = order.portfolio() == wish.portfolio
        && order.instrument() == request.instrument
        && order.side() == request.side
        && order.request().reduce_only == request.reduce_only;
    if !same {
        return Err(format!("order {old} is another order: side, instrument and portfolio stay"));
    }
    if order.request().oco.is_some() {
        return Err(format!("order {old} belongs to a group of which one cancels the others"));
    }
    match state.parents.live().find(|parent| parent.children.iter().any(|child| child.client_id == old)) {
        Some(parent) => Err(format!("order {old} is a child of {} {}", parent.wish.plan.word(), parent.id)),
        None => Ok(record),
    }
}

/// What the first child would be, or one like it.
fn first_child(state: &State, wish: &ParentWish, replaced: Option<&OrderRecord>) -> OrderRequest {
    let listing = state.listing(wish.request.instrument);
    let (it, total) = (&listing.instrument, wish.request.quantity);
    let quantity = match &wish.plan {
        Plan::Wait | Plan::Bracket(_) => total,
        Plan::Replace { .. } => total - replaced.map_or(Quantity::ZERO, |record| record.filled),
        Plan::Iceberg { display } => *display,
        Plan::Schedule(schedule) => schedule.target(0, total, it),
        Plan::Participate(part) => part.clip.max(it.spec.min_quantity),
        Plan::Ladder { rungs } => rungs[0].quantity,
    };
    let kind = match &wish.plan {
        Plan::Ladder { rungs } => tradewind_domain::OrderKind::Limit { price: rungs[0].price },
        _ => wish.request.kind,
    };
    let dust = it.is_dust(quantity, listing.mark.map(|mark| mark.price));
    OrderRequest { quantity: if dust { total } else { quantity.min(total) }, kind, ..wish.request }
}

fn proposal(wish: &ParentWish, request: OrderRequest, reason: String) -> Proposal {
    Proposal { plan: None, source: wish.source, portfolio: wish.portfolio, request, reason: reason.into() }
}

/// Whether a parent may want something else after this event. Not after what a host notes while it sends: the next
/// event is its own.
pub(crate) const fn wakes(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::CancelProposed { .. }
            | EventKind::Started { .. }
            | EventKind::Stopped
            | EventKind::StateHash { .. }
            | EventKind::Decided(_)
            | EventKind::Proposed(_)
            | EventKind::ProposedPair { .. }
            | EventKind::Intended(_)
            | EventKind::Sent { .. }
            | EventKind::CancelSent { .. }
            | EventKind::Settled { .. } // its own parents are told first that they are over
            | EventKind::Risk(_)
    )
}

/// Records the next thing that any parent wants done.
pub(crate) fn drive(state: &State, commands: &mut Vec<Command>) {
    let Some((parent, due)) = state.parents.due(|parent| look(state, parent)) else { return };
    let (id, wish) = (parent.id, &parent.wish);
    let slot = parent.proposed();
    let said = match due {
        Due::One(role, request) => {
            let proposal = proposal(wish, request, reason(parent, role));
            ParentEvent::Child { parent: id, slot, role, proposal }
        }
        Due::Pair([(one, first), (other, second)]) => {
            let pair = [proposal(wish, first, reason(parent, one)), proposal(wish, second, reason(parent, other))];
            ParentEvent::Pair { parent: id, slot, roles: [one, other], pair: Box::new(pair) }
        }
        Due::Cancel(client_id) => {
            return commands.push(Command::Record(EventKind::CancelProposed { client_id }, wish.portfolio));
        }
        Due::Move(to) => ParentEvent::Moved { parent: id, to },
    };
    commands.push(Command::Record(EventKind::Parent(Box::new(said)), wish.portfolio));
}

fn reason(parent: &Parent, role: Role) -> String {
    format!("{} {}, {role:?}: {}", parent.wish.plan.word(), parent.id, parent.wish.reason)
}

/// The world as a parent may look at it now. It may not propose while its instrument does not trade or its market is closed, on a mark that the
/// gate would call stale, or, unless it only guards a position, while a kill switch is on over it or beside an order of
/// unknown outcome: it waits for better rather than have its children refused.
fn look<'a>(state: &'a State, parent: &Parent) -> Look<'a> {
    let request = &parent.wish.request;
    let (listing, books) = (state.listing(request.instrument), state.portfolio(parent.wish.portfolio));
    let guards = parent.wish.plan == Plan::Wait && request.reduce_only;
    let (_, _, unknown) = state.open_quantities(parent.wish.portfolio, request.instrument);
    let fresh = listing
        .mark
        .is_some_and(|mark| books.limits.stale_after_nanos.is_none_or(|limit| state.now.since(mark.at) < limit));
    let (room, position) = (wish_room(state, parent), books.position(request.instrument).quantity());
    let others = state.foreign_exposure(request.instrument).against(request.side).min(position.abs());
    let by = parent.behind.as_ref().map(|behind| &behind.by);
    let stopped = state.halted.is_some() || governance::is_latched(state, parent.wish.source, by, request.instrument);
    let open = state.mode == Mode::Backtest || listing.instrument.spec.calendar.is_open(state.now);
    let clear = listing.is_trading() && open && fresh;
    Look {
        now: state.now,
        instrument: &listing.instrument,
        mark: listing.mark.map(|mark| mark.price),
        quote: listing.quote.map(|quote| (quote.bid, quote.ask)),
        position,
        room,
        others,
        may_propose: clear && (!stopped || guards) && (unknown == 0 || request.reduce_only),
        may_guard: clear,
    }
}

/// For a parent that guards no more than is held: what of the position on its side no other order is to close.
fn wish_room(state: &State, parent: &Parent) -> Option<Quantity> {
    if !parent.wish.keeps() {
        return None;
    }
    let (portfolio, request) = (parent.wish.portfolio, &parent.wish.request);
    let position = state.portfolio(portfolio).position(request.instrument).quantity();
    let held = position.mantissa().saturating_mul(request.side.sign());
    let leaves = |record: &&OrderRecord| {
        let order = &record.order;
        let own = || parent.children.iter().any(|child| child.client_id == order.client_id());
        order.portfolio() == portfolio
            && order.instrument() == request.instrument
            && order.side() != request.side
            && !own()
            && state.is_counted(record, None)
    };
    let others = state.open.values().filter(leaves).map(tradewind_domain::OrderRecord::open_quantity);
    let others = others.fold(Quantity::ZERO, Quantity::saturating_add);
    Some(Quantity::from_mantissa(held.saturating_sub(others.mantissa()).max(0)))
}

impl State {
    /// Whether some parent with a plan of the trade holds what nothing guards yet: it sees to that within seconds.
    #[must_use]
    pub fn is_bare_for_now(&self) -> bool {
        self.parents.live().any(|parent| keeping::is_bare(parent, &look(self, parent)))
    }

    /// Why an order that was to guard what `parent` holds, or to leave it, did not work, or is not asked for.
    #[must_use]
    pub fn guard_fault<'a>(&self, parent: &'a Parent) -> Option<&'a str> {
        let is_left_to_others = || {
            self.foreign_hand(parent.wish.request.instrument).is_some()
                && keeping::is_left_to_others(parent, &look(self, parent))
        };
        parent.guard_fault().or_else(|| is_left_to_others().then_some("another hand may take it"))
    }

    /// Whether what guards a position has yet to close a part of it that it was asked to.
    #[must_use]
    pub fn is_leaving(&self, portfolio: PortfolioId, instrument: InstrumentId) -> bool {
        let it = &self.listing(instrument).instrument;
        let owes = |parent: &Parent| parent.owed().is_some_and(|owed| !it.whole_lots(owed).is_zero());
        let is_of = |wish: &ParentWish| (wish.portfolio, wish.request.instrument) == (portfolio, instrument);
        self.parents.live().any(|parent| is_of(&parent.wish) && owes(parent))
    }
}

/// An instrument that is gone takes its parents with it; their orders are cancelled.
pub(crate) fn end_all(
    state: &State,
    instrument: InstrumentId,
    end: ParentEnd,
    reason: &str,
    commands: &mut Vec<Command>,
) {
    for parent in state.parents.live().filter(|parent| parent.wish.request.instrument == instrument) {
        if !matches!(parent.state, ParentState::Ending { .. } | ParentState::Over { .. }) {
            let to = ParentState::Ending { end, reason: reason.to_owned() };
            let moved = ParentEvent::Moved { parent: parent.id, to };
            commands.push(Command::Record(EventKind::Parent(Box::new(moved)), parent.wish.portfolio));
        }
    }
}
