//! Protection: what the plan of an order leads to, exits that make way for it, and positions that stand without any.
//!
//! # From a plan to orders
//! A proposal may say where its trade ends. Once the gate has approved the order, a bracket is put around it: whatever
//! fills is protected at the venue by a target and a stop. An order that becomes several others keeps its plan and guards
//! what they fill itself. That does not depend on any limit, so a strategy with a plan
//! does the same in a backtest as live. What the gate put right in the plan is recorded with it.
//!
//! # Exits
//! What protects a position also holds it: a venue sells nothing twice. A market order that closes what brackets guard
//! therefore goes through them: they take their pairs back, close so much at once, and guard what is left. One that waits
//! for people leaves the pairs where they are until it is released, and waits as an order that only reduces: what the pairs
//! close meanwhile it does not close again.
//!
//! # Positions without a stop
//! Where limits ask for no stop, a position that is opened without one is noted as exempt by them, once. Where the limit
//! `unprotected` is set, every position must have a stop that stands (or a trailing one that this engine
//! keeps), or a person's exemption. The monitor is told of those that have neither, and counts how long.

use crate::algo::{
    Ask, Behind, LIVE_MAX, Parent, ParentEvent, ParentId, ParentState, ParentWish, Plan, Protection, on_tick,
};
use crate::decide::approve as approve_plain;
use crate::risk::note;
use crate::{Command, Event, EventKind, Exemption, RiskAct, RiskBook, State};
use std::borrow::Cow;
use std::collections::BTreeMap;
use tradewind_domain::{
    Coded, InstrumentId, OrderKind, OrderRecord, OrderRequest, OrderState, PortfolioId, Price, Quantity, Sequence,
    Side, Source, Timestamp,
};
use tradewind_gate::{Approved, Guard, Limits, Proposal, Refusal};
use tradewind_governance::Ruling;
use tradewind_risk::{Coverage, Excursion, Fact, ProtectionRules, Standing, coverage};

/// The bracket that the plan of an approved order calls for; `None` where there is no plan with an end, or the order only
/// reduces.
///
/// # Errors
/// A refusal for a plan that no bracket can be made of: an order with a plan goes out with it or not at all.
pub(crate) fn guard_of(
    state: &State,
    event: &Event,
    approved: &Approved,
    proposal: &Proposal,
    behind: Option<Behind>,
) -> Result<Option<ParentEvent>, Box<Refusal>> {
    let Some(plan) = proposal.plan.as_deref().filter(|plan| plan.has_end()) else { return Ok(None) };
    if crate::decide::view(state, event, proposal, None).reduces(proposal) {
        return Ok(None);
    }
    let plan = approved.audited().map_or(plan, |audited| &audited.plan);
    let it = &state.listing(proposal.request.instrument).instrument;
    let plan = on_tick(it, proposal.request.side, plan);
    let protection = Protection { target: plan.target, stop: plan.stop, stop_limit: None };
    let wish = ParentWish {
        source: proposal.source,
        portfolio: proposal.portfolio,
        request: proposal.request,
        plan: Plan::Bracket(protection),
        reason: format!("the plan of the order: {}", proposal.reason),
        entry: approved.action().client_ids().next(),
        trade: None,
    };
    let below_zero = |price: Option<Price>| price.is_some_and(|price| price.mantissa() <= 0);
    if below_zero(protection.stop) || below_zero(protection.target) {
        return Err(no("a plan that ends at zero or below".to_owned(), "prices above zero"));
    }
    wish.check(it).map_err(|error| no(format!("{}: {error}", error.code()), error.hint()))?;
    if state.parents.live().count() >= LIVE_MAX {
        return Err(no(format!("{LIVE_MAX} parents live"), "cancel one first"));
    }
    let decision = crate::governance::decision(state, event);
    let parent = state.parents.next_id();
    Ok(Some(ParentEvent::Opened { parent, wish, behind, decision, corrections: Vec::new() }))
}

/// The refusal of a plan beside an order that its venue does not keep: what wakes here later is another order.
pub(crate) fn unkept(proposal: &Proposal) -> Box<Refusal> {
    let value = format!("a plan with a {} order, which waits in this engine", proposal.request.kind.word());
    no(value, "a plan with an order that the venue takes at once")
}

fn no(value: String, limit: &str) -> Box<Refusal> {
    Box::new(Refusal { guard: Guard::Order, value, limit: limit.to_owned(), rule: None, breach: None })
}

/// As [`crate::decide::approve`], with the plan on record and its bracket around the order before that is sent.
pub(crate) fn approve(
    approved: Approved,
    guard: Option<ParentEvent>,
    proposal: &Proposal,
    commands: &mut Vec<Command>,
) {
    let planned = proposal.plan.as_deref().zip(approved.action().client_ids().next()).map(|(plan, client_id)| {
        let audited = approved.audited();
        RiskAct::Planned {
            client_id,
            plan: audited.map_or(*plan, |it| it.plan),
            corrections: audited.map(|it| it.corrections.clone()).unwrap_or_default(),
        }
    });
    approve_plain(approved, proposal.portfolio, commands);
    let Some(planned) = planned else { return };
    let send = commands.pop().expect("an approval ends in a send");
    commands.push(Command::Record(EventKind::Risk(Box::new(planned)), proposal.portfolio));
    if let Some(opened) = guard {
        commands.push(Command::Record(EventKind::Parent(Box::new(opened)), proposal.portfolio));
    }
    commands.push(send);
}

/// What brackets leave at once for an exit, and what is left of it for the gate.
pub(crate) struct Way<'a> {
    /// Which bracket leaves how much.
    asks: Vec<(ParentId, Quantity)>,
    /// The part of the proposal that no bracket sees to; `None` where nothing is.
    pub(crate) rest: Option<Cow<'a, Proposal>>,
}

impl<'a> Way<'a> {
    /// Of what no bracket sees to.
    pub(crate) const fn of_none(proposal: &'a Proposal) -> Self {
        Self { asks: Vec::new(), rest: Some(Cow::Borrowed(proposal)) }
    }

    /// Whether brackets see to none of it.
    pub(crate) const fn is_of_none(&self) -> bool {
        self.asks.is_empty()
    }

    /// Asks the brackets to leave. `whole` is the proposal that people have approved, where no other order tells what
    /// became of it.
    pub(crate) fn ask(&self, proposal: &Proposal, whole: Option<Sequence>, commands: &mut Vec<Command>) {
        for (parent, quantity) in &self.asks {
            let reason = format!("an exit goes before its protection: {}", proposal.reason);
            let ask = Ask::Leave { quantity: *quantity, proposal: whole };
            let asked = ParentEvent::Asked { parent: *parent, ask, reason };
            commands.push(Command::Record(EventKind::Parent(Box::new(asked)), proposal.portfolio));
        }
    }
}

/// How the brackets that guard what `proposal` would close make way for it.
///
/// Market orders only, and only where the policy does not say no and nothing is halted, or a person asks to reduce: a bracket
/// takes its pair back for an exit that will come.
pub(crate) fn way<'a>(state: &State, event: &Event, proposal: &'a Proposal, ruling: Option<&Ruling>) -> Way<'a> {
    let request = &proposal.request;
    let whole = || Way::of_none(proposal);
    let may = may_go_before(request)
        && !state.parents.is_empty()
        && !matches!(ruling, Some(Ruling::Denied(_)))
        && (proposal.source == Source::Operator && request.reduce_only
            || state.halted.is_none() && crate::governance::latched(state, event, proposal).is_none());
    if !may {
        return whole();
    }
    let listing = state.listing(request.instrument);
    let held = state.portfolio(proposal.portfolio).to_close(&listing.instrument).mantissa();
    let after = request.quantity.mantissa().saturating_add(held.saturating_mul(request.side.sign()));
    let beyond = Quantity::from_mantissa(after);
    let turns = beyond > Quantity::ZERO && !listing.instrument.is_dust(beyond, listing.mark.map(|mark| mark.price));
    if turns && !listing.instrument.is_cash() {
        return whole(); // it opens the other side, which is no exit
    }
    let exit = Exit::by(state, proposal);
    // in whole lots: what is held is of none where fees were taken from it, and nobody can sell that part
    let whole_lots = |quantity| listing.instrument.whole_lots(quantity);
    let mut missing = (request.quantity - whole_lots(exit.free(exit.foreign()))).max(Quantity::ZERO);
    let (mut rest, mut asks) = (request.quantity, Vec::new());
    for parent in exit.guards() {
        let all = missing.min(parent.may_leave());
        let quantity = whole_lots(all);
        if quantity > Quantity::ZERO {
            (missing, rest) = (missing - quantity, rest - all);
            asks.push((parent.id, quantity));
        }
    }
    if asks.is_empty() {
        return whole();
    }
    let rest = whole_lots(rest.max(Quantity::ZERO));
    if rest.is_zero() || listing.instrument.is_dust(rest, listing.mark.map(|mark| mark.price)) {
        return Way { asks, rest: None };
    }
    let mut left = proposal.clone();
    left.request.quantity = rest;
    Way { asks, rest: Some(Cow::Owned(left)) }
}

/// Whether brackets may make way for an order like this; what is no order at all is the gate's to refuse.
fn may_go_before(request: &OrderRequest) -> bool {
    matches!(request.kind, OrderKind::Market) && request.oco.is_none() && request.quantity > Quantity::ZERO
}

/// Whether `proposal` can only bring its position nearer to zero, once what guards that position has made way for it. What
/// other hands may take is not asked: an exit of all that is held is one whatever they do.
pub(crate) fn reduces(state: &State, event: &Event, proposal: &Proposal) -> bool {
    let (request, exit) = (&proposal.request, Exit::by(state, proposal));
    let is_guarded = || exit.guards().next().is_some();
    let fits = || request.quantity <= exit.may_leave(Quantity::ZERO);
    may_go_before(request) && is_guarded() && fits()
        || crate::decide::view(state, event, proposal, None).reduces(proposal)
}

/// One position, as orders of one side close it.
#[derive(Clone, Copy)]
pub(crate) struct Exit<'a> {
    state: &'a State,
    portfolio: PortfolioId,
    instrument: InstrumentId,
    /// Of the orders that close it.
    side: Side,
}

impl<'a> Exit<'a> {
    pub(crate) const fn new(state: &'a State, portfolio: PortfolioId, instrument: InstrumentId, side: Side) -> Self {
        Self { state, portfolio, instrument, side }
    }

    /// As `proposal` would close it.
    const fn by(state: &'a State, proposal: &Proposal) -> Self {
        Self::new(state, proposal.portfolio, proposal.request.instrument, proposal.request.side)
    }

    /// The brackets that guard it.
    fn guards(self) -> impl Iterator<Item = &'a Parent> {
        self.state.parents.live().filter(move |parent| {
            let wish = &parent.wish;
            parent.makes_way()
                && (wish.portfolio, wish.request.instrument) == (self.portfolio, self.instrument)
                && wish.request.side != self.side
        })
    }

    /// What other hands may take from it.
    pub(crate) fn foreign(self) -> Quantity {
        self.state.foreign_exposure(self.instrument).against(self.side.opposite())
    }

    /// How much of it no open order of ours closes yet, beside what `others` may take.
    fn free(self, others: Quantity) -> Quantity {
        let instrument = &self.state.listing(self.instrument).instrument;
        let held = self.state.portfolio(self.portfolio).to_close(instrument).mantissa();
        let (buys, sells, _) = self.state.open_quantities(self.portfolio, self.instrument);
        let open = if self.side == Side::Sell { sells } else { buys };
        let leaving = open.saturating_add(self.owed(None)).saturating_add(others);
        Quantity::from_mantissa((-held.saturating_mul(self.side.sign())).saturating_sub(leaving.mantissa()).max(0))
    }

    /// What guards were asked to close and have not proposed yet, `own` apart, beyond what the pairs close that stand until
    /// then: those are open orders.
    pub(crate) fn owed(self, own: Option<ParentId>) -> Quantity {
        let others = self.guards().filter(|parent| Some(parent.id) != own);
        let beside_pairs = |parent: &Parent| Some(parent.owed()? - parent.in_pairs());
        others.filter_map(beside_pairs).fold(Quantity::ZERO, |sum, more| sum.saturating_add(more.max(Quantity::ZERO)))
    }

    /// How much of it a market order may close: what no open order closes yet, beside what `others` may take, and what
    /// brackets guard, which make way for it.
    pub(crate) fn may_leave(self, others: Quantity) -> Quantity {
        self.guards().map(|parent| parent.may_leave()).fold(self.free(others), |sum, more| sum + more)
    }
}

/// Folds a person's word that a position may stand without a stop, or may no longer.
pub(crate) fn exempt(state: &mut State, event: &Event, act: &RiskAct) {
    let (portfolio, at) = (event.portfolio, event.at);
    let (instrument, exemption) = match act {
        RiskAct::Exempted { instrument, by, reason } => {
            let (instrument, by, reason) = (*instrument, by.clone(), reason.clone());
            (instrument, Some(Exemption { portfolio, instrument, by, reason, at }))
        }
        RiskAct::ExemptionEnded { instrument, .. } => (*instrument, None),
        _ => return,
    };
    if event.source != Source::Operator {
        return;
    }
    let risk = state.risk.get_or_insert_default();
    risk.exempt.retain(|it| (it.portfolio, it.instrument) != (portfolio, instrument));
    risk.exempt.extend(exemption);
}

/// Tells the monitor which positions stand without a stop, after events that may change that.
pub(crate) fn watch(state: &mut State, event: &Event) {
    let matters = matches!(
        event.kind,
        EventKind::Filled(_)
            | EventKind::Accepted { .. }
            | EventKind::AnswerLost { .. }
            | EventKind::CancelSent { .. }
            | EventKind::CancelRefused { .. }
            | EventKind::Cancelled { .. }
            | EventKind::Expired { .. }
            | EventKind::Rejected { .. }
            | EventKind::NotSent { .. }
            | EventKind::Started { .. }
            | EventKind::LimitsSet(_)
            | EventKind::Adopted(_)
            | EventKind::Adjusted { .. }
            | EventKind::Reversed(_)
            | EventKind::Settled { .. }
            | EventKind::Governance(_)
            | EventKind::Parent(_)
            | EventKind::Risk(_)
            | EventKind::Timer
    );
    if !matters {
        return;
    }
    forget_closed(state);
    let Some(risk) = state.risk.as_deref() else { return };
    let cares = |limits: &Limits| limits.controls.is_some_and(|it| it.unprotected_nanos.is_some());
    let idle = risk.monitor.bare_positions().is_empty() && risk.exempt.is_empty();
    if idle && !state.portfolios.iter().any(|books| cares(&books.limits)) {
        return;
    }
    let mut facts: BTreeMap<(PortfolioId, InstrumentId), bool> =
        risk.monitor.bare_positions().iter().map(|it| ((it.portfolio, it.instrument), false)).collect();
    let guarded = state.guarded();
    for it in &guarded {
        if cares(&state.portfolio(it.portfolio).limits) {
            facts.insert((it.portfolio, it.instrument), matches!(it.coverage, Coverage::Missing(_)));
        }
    }
    for ((portfolio, instrument), is_bare) in facts {
        let fact = if is_bare { Fact::Bare { portfolio, instrument } } else { Fact::Covered { portfolio, instrument } };
        note(state, event.at, portfolio, &[fact]);
    }
    // an exemption is of a position: it ends with it
    let risk = state.risk.as_mut().expect("it was there above");
    let stands = |it: &Exemption| guarded.iter().any(|g| (g.portfolio, g.instrument) == (it.portfolio, it.instrument));
    risk.exempt.retain(stands);
}

/// What the limits exempt is a position: the next one is noted anew.
fn forget_closed(state: &mut State) {
    let Some(risk) = state.risk.as_mut().filter(|risk| !risk.exempt_by_limits.is_empty()) else { return };
    let is_held = |(portfolio, instrument): &(PortfolioId, InstrumentId)| {
        let listing = &state.listings[instrument.index()];
        let held = state.portfolios[portfolio.index()].to_close(&listing.instrument);
        !listing.instrument.is_dust(held, listing.mark.map(|mark| mark.price))
    };
    risk.exempt_by_limits.retain(is_held);
}

/// Notes that a fill has led to a position without a stop, where the limits ask for none and no bracket is about to
/// guard it.
pub(crate) fn note_bare(state: &State, event: &Event, risk: &RiskBook, commands: &mut Vec<Command>) {
    let EventKind::Filled(fill) = &event.kind else { return };
    let instrument = fill.instrument;
    let portfolio = state.order(fill.client_id).map_or(event.portfolio, |record| record.order.portfolio());
    let limits = &state.portfolio(portfolio).limits;
    let asks_none = limits.controls.is_some_and(|controls| controls.unprotected_nanos.is_none());
    if !asks_none || risk.exempt_by_limits.contains(&(portfolio, instrument)) {
        return;
    }
    let is_it = |p: PortfolioId, i: InstrumentId| (p, i) == (portfolio, instrument);
    let guards = |parent: &Parent| {
        let wish = &parent.wish;
        (matches!(wish.plan, Plan::Bracket(_)) || wish.keeps()) && is_it(wish.portfolio, wish.request.instrument)
    };
    let is_bare = |it: &Guarded| is_it(it.portfolio, it.instrument) && matches!(it.coverage, Coverage::Missing(_));
    if !state.parents.live().any(guards) && state.guarded().iter().any(is_bare) {
        let act = RiskAct::ExemptByLimits { instrument };
        commands.push(Command::Record(EventKind::Risk(Box::new(act)), portfolio));
    }
}

/// A position, and what protects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// Whose.
    pub portfolio: PortfolioId,
    /// In what.
    pub instrument: InstrumentId,
    /// How much of it stops close: those that stand at the venue, and trailing ones that the engine keeps.
    pub protected: Quantity,
    /// Whether that is enough, what would be, or who said that it need not be.
    pub coverage: Coverage,
    /// Since when the limit on such positions has counted it; `None` where it does not.
    pub bare_since: Option<Timestamp>,
}

impl State {
    /// Every position that is more than dust, with what protects it.
    #[must_use]
    pub fn guarded(&self) -> Vec<Guarded> {
        let mut guarded = Vec::new();
        for (place, books) in self.portfolios.iter().enumerate() {
            let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
            for listing in &self.listings {
                let (it, position) = (&listing.instrument, books.position(listing.instrument.id));
                let quantity = books.to_close(it);
                if quantity.is_zero() || it.is_dust(quantity, listing.mark.map(|mark| mark.price)) {
                    continue;
                }
                let side = if quantity > Quantity::ZERO { Side::Sell } else { Side::Buy };
                let protected = self.protected(portfolio, it.id, side);
                let entry = i64::try_from(position.cost() / i128::from(quantity.mantissa())).unwrap_or(0);
                let entry = if it.is_inverse() { listing.mark.map(|mark| mark.price) } else { None }
                    .unwrap_or(Price::from_mantissa(entry));
                let standing = Standing { quantity, excursion: Excursion::new(entry), atr: None, stop: None };
                let risk = self.risk.as_deref();
                let same = |p: PortfolioId, i: InstrumentId| (p, i) == (portfolio, it.id);
                let exemption = risk.and_then(|risk| risk.exempt.iter().find(|e| same(e.portfolio, e.instrument)));
                let reason = exemption.map(|it| it.reason.as_str());
                let coverage = coverage(it, &standing, protected, reason, &ProtectionRules::SHIPPED);
                let bare = risk.map(|risk| risk.monitor.bare_positions()).unwrap_or_default();
                let bare_since = bare.iter().find(|b| same(b.portfolio, b.instrument)).map(|b| b.since);
                guarded.push(Guarded { portfolio, instrument: it.id, protected, coverage, bare_since });
            }
        }
        guarded
    }

    /// How much stops of `side` close: those that stand, and trailing ones that wait in this engine.
    fn protected(&self, portfolio: PortfolioId, instrument: InstrumentId, side: Side) -> Quantity {
        let stands = |record: &&OrderRecord| {
            let order = &record.order;
            let is_stop = matches!(
                order.kind(),
                OrderKind::Stop { .. } | OrderKind::StopLimit { .. } | OrderKind::Trailing { .. }
            );
            (order.portfolio(), order.instrument(), order.side()) == (portfolio, instrument, side)
                && is_stop
                && matches!(record.state, OrderState::Working | OrderState::PendingReplace)
        };
        let waits = |parent: &&Parent| {
            let (wish, request) = (&parent.wish, &parent.wish.request);
            (wish.portfolio, request.instrument, request.side) == (portfolio, instrument, side)
                && wish.plan == Plan::Wait
                && matches!(request.kind, OrderKind::Trailing { .. })
                && parent.state == ParentState::Working
                && !parent.seen.woke
        };
        let orders = self.open.values().filter(stands).map(OrderRecord::open_quantity);
        let parents = self.parents.live().filter(waits).map(|parent| parent.wish.request.quantity);
        orders.chain(parents).fold(Quantity::ZERO, Quantity::saturating_add)
    }

    /// What open orders of `portfolio` in `instrument` are meant to add and take: as [`Self::open_quantities`], without
    /// what only guards a position, and with what brackets were asked to leave at once.
    #[must_use]
    pub fn open_wishes(&self, portfolio: PortfolioId, instrument: InstrumentId) -> (Quantity, Quantity) {
        let (mut buys, mut sells, _) = self.open_quantities(portfolio, instrument);
        let mine = |it: &&Parent| {
            it.wish.keeps() && (it.wish.portfolio, it.wish.request.instrument) == (portfolio, instrument)
        };
        for parent in self.parents.live().filter(mine) {
            let guards =
                |record: &&OrderRecord| parent.is_guard(record.order.client_id()) && self.is_counted(record, None);
            let guarding = self.open.values().filter(guards).map(OrderRecord::open_quantity);
            let guarding = guarding.fold(Quantity::ZERO, Quantity::saturating_add);
            let owed = parent.owed().unwrap_or_default();
            let leaving = if parent.wish.request.side == Side::Buy { &mut sells } else { &mut buys };
            *leaving = (*leaving - guarding).saturating_add(owed);
        }
        (buys, sells)
    }
}
