//! What must hold after every event, checked at the cost of that event alone.
//!
//! The watchdog keeps books of its own: a map of orders, a set of trades, a ledger. It compares them with the engine's
//! after each event. What a crash takes back from the engine it takes back from the watchdog, too.

use crate::approvals::Approvals;
use crate::leaving::Leaving;
use crate::setup::{COLLAR_BPS, STALE_NANOS};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{
    ClientOrderId, Currency, Fill, InstrumentId, OcoGroup, Order, OrderKind, OrderState, Outcome, PortfolioId, Price,
    Quantity, Side, Symbol, Timestamp, TradeId,
};
use tradewind_engine::algo::{Parent, ParentEvent, Role};
use tradewind_engine::{Amend, Event, EventKind, EvidencePolicy, State, Verdict};

/// How many pairs guard what one parent entered: venues bound the stops of an account.
const PAIRS_MAX: usize = 4;

/// What the watchdog knows of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    portfolio: PortfolioId,
    instrument: InstrumentId,
    side: Side,
    quantity: Quantity,
    /// The orders of which only one fills.
    group: Option<OcoGroup>,
    /// The worst price of a market order.
    worst: Option<Price>,
    filled: Quantity,
    cost: i128,
    state: OrderState,
    body: Option<String>,
}

/// How to take one step back.
#[derive(Debug)]
enum Undo {
    Order(ClientOrderId, Option<Known>),
    Trade(InstrumentId, TradeId),
    Ledger((PortfolioId, Currency), i128),
    Position((PortfolioId, InstrumentId), i128),
    Halted(bool),
}

/// The watchdog.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    orders: BTreeMap<ClientOrderId, Known>,
    open: BTreeSet<ClientOrderId>,
    trades: BTreeSet<(InstrumentId, TradeId)>,
    ledger: BTreeMap<(PortfolioId, Currency), i128>,
    /// What the executions of an instrument came to, less what fees took of it.
    positions: BTreeMap<(PortfolioId, InstrumentId), i128>,
    halted: bool,
    approvals: Approvals,
    leaving: Leaving,
    undo: Vec<(u64, Undo)>,
    /// Parents that were opened since somebody last asked.
    pub(crate) parents: u64,
    /// Those of them that said where their trade ends.
    pub(crate) planned: u64,
    /// Orders that guarded or left what those had entered, since somebody last asked.
    pub(crate) guards: u64,
    /// Orders whose outcome was ever unknown.
    pub(crate) ambiguous: BTreeSet<ClientOrderId>,
    /// Orders that were proven never to have come.
    pub(crate) absent: BTreeSet<ClientOrderId>,
    /// What did not hold, in words.
    pub(crate) violations: Vec<String>,
    /// Approvals beyond a limit.
    pub(crate) breaches: u64,
    /// How often each guard refused, and how often nothing was sent, by the first word of why.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Why trading was halted or restricted.
    pub(crate) halts: Vec<String>,
    /// Trades as the engine booked them since somebody last asked.
    pub(crate) booked: Vec<Fill>,
    /// Orders that ended since somebody last asked.
    pub(crate) over: Vec<ClientOrderId>,
}

impl Watchdog {
    /// Compares after `event` was applied.
    pub(crate) fn look(&mut self, state: &State, event: &Event) {
        if let Some(wrong) = self.approvals.look(event) {
            self.violate(event, wrong);
        }
        if let Some(wrong) = self.leaving.look(state, event) {
            self.violate(event, wrong);
        }
        match &event.kind {
            EventKind::Quoted { .. } | EventKind::BarClosed { .. } | EventKind::Decided(_) | EventKind::Timer => (),
            EventKind::Proposed(_) | EventKind::StateHash { .. } | EventKind::CancelProposed { .. } => (),
            EventKind::Judged(Verdict::Approved(order)) => self.approved(state, event, order),
            EventKind::Judged(Verdict::Refused(refusal)) => {
                self.count(format!("{} {}", refusal.code(), refusal.name()));
            }
            EventKind::Judged(_) => (),
            EventKind::Filled(fill) => self.filled(state, event, fill),
            EventKind::Deposited(money) => self.post(event, event.portfolio, money.currency, money.units),
            EventKind::Adjusted { money, .. } => self.post(event, event.portfolio, money.currency, money.units),
            EventKind::Halted(halt) => {
                self.halts.push(halt.reason.clone());
                self.set_halted(event, true);
            }
            EventKind::Resumed { .. } => self.set_halted(event, false),
            EventKind::Intended(intent) => {
                let body = Some(intent.body_sha256.clone());
                self.change(event, intent.client_id, |known| known.body = body);
            }
            EventKind::Expired { client_id, evidence } => {
                let proven = evidence.as_ref().is_some_and(|it| it.fulfils(&EvidencePolicy::BINANCE_SPOT));
                if !proven {
                    self.violate(event, format!("order {client_id} expired without proof"));
                }
                self.absent.insert(*client_id);
                self.moved(state, event, *client_id);
            }
            EventKind::NotSent { client_id, reason } => {
                self.count(reason.split(':').next().unwrap_or_default().to_owned());
                self.moved(state, event, *client_id);
            }
            EventKind::Sent { client_id }
            | EventKind::AnswerLost { client_id, .. }
            | EventKind::Accepted { client_id, .. }
            | EventKind::Rejected { client_id, .. }
            | EventKind::CancelSent { client_id }
            | EventKind::CancelRefused { client_id, .. }
            | EventKind::Cancelled { client_id, .. }
            | EventKind::Triggered { client_id } => self.moved(state, event, *client_id),
            EventKind::Amend { client_id, said } => {
                if let Amend::Confirmed { quantity } = said
                    && self.orders.get(client_id).is_some_and(|known| *quantity > known.quantity)
                {
                    self.violate(event, format!("order {client_id} was amended to more than it was: {quantity:?}"));
                }
                self.worked(state, event, *client_id);
            }
            EventKind::Reworked { client_id, .. } => self.worked(state, event, *client_id),
            EventKind::Parent(said) => {
                self.parents += u64::from(matches!(**said, ParentEvent::Opened { .. }));
                self.planned += u64::from(matches!(&**said, ParentEvent::Opened { wish, .. } if wish.trade.is_some()));
            }
            EventKind::Adopted(adoption) => {
                self.known(event, &adoption.order);
                self.change(event, adoption.order.client_id(), |known| known.filled = adoption.earlier);
                self.moved(state, event, adoption.order.client_id());
            }
            EventKind::Foreign(order) => self.moved(state, event, order.client_id),
            EventKind::ForeignFilled(fill) if state.order(fill.client_id).is_some() => {
                self.filled(state, event, fill);
            }
            EventKind::Started { .. } | EventKind::Settled { .. } => {
                for client_id in self.open.clone() {
                    self.moved(state, event, client_id);
                }
            }
            _ => (),
        }
    }

    /// The hash of the body that was recorded for an order before it left.
    pub(crate) fn body_of(&self, client_id: ClientOrderId) -> Option<&str> {
        self.orders.get(&client_id)?.body.as_deref()
    }

    /// The kill switch is latched.
    pub(crate) const fn is_halted(&self) -> bool {
        self.halted
    }

    /// What is durable will never be taken back.
    pub(crate) fn synced(&mut self, through: u64) {
        if self.undo.first().is_some_and(|(sequence, _)| *sequence <= through) {
            let kept = self.undo.partition_point(|(sequence, _)| *sequence <= through);
            self.undo.drain(..kept);
        }
    }

    /// A crash took back everything after `last`.
    pub(crate) fn take_back(&mut self, last: u64, state: &State) {
        while let Some((_, undo)) = self.undo.pop_if(|(sequence, _)| *sequence > last) {
            match undo {
                Undo::Order(id, Some(known)) => {
                    if known.state.is_open() {
                        self.open.insert(id)
                    } else {
                        self.open.remove(&id)
                    };
                    self.orders.insert(id, known);
                }
                Undo::Order(id, None) => {
                    self.open.remove(&id);
                    self.orders.remove(&id);
                }
                Undo::Trade(id, trade) => drop(self.trades.remove(&(id, trade))),
                Undo::Ledger(place, units) => drop(self.ledger.insert(place, units)),
                Undo::Position(place, units) => drop(self.positions.insert(place, units)),
                Undo::Halted(halted) => self.halted = halted,
            }
        }
        self.undo.clear();
        self.approvals.take_back(last);
        self.leaving.take_back(state);
        self.compare_all(state, "after a recovery");
    }

    /// Compares everything, as after a recovery and at the end.
    pub(crate) fn compare_all(&mut self, state: &State, when: &str) {
        for ((portfolio, currency), units) in &self.ledger {
            let engine = state.portfolios.get(portfolio.index()).map_or(0, |books| books.units(*currency));
            if engine != *units {
                let text =
                    format!("{when}: portfolio {} holds {engine} of {currency}, {units} by the sum", portfolio.0);
                self.violations.push(text);
            }
        }
        let engine: BTreeSet<ClientOrderId> = state.open.keys().copied().collect();
        if engine != self.open {
            let differ: Vec<_> = engine.symmetric_difference(&self.open).map(ToString::to_string).collect();
            self.violations.push(format!("{when}: open orders differ: {}", differ.join(" ")));
        }
    }

    fn count(&mut self, what: String) {
        *self.refused.entry(what).or_default() += 1;
    }

    fn violate(&mut self, event: &Event, text: String) {
        self.violations.push(format!("event {}: {text}", event.sequence));
    }

    fn change(&mut self, event: &Event, id: ClientOrderId, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.orders.get_mut(&id) {
            self.undo.push((event.sequence, Undo::Order(id, Some(known.clone()))));
            change(known);
        }
    }

    fn set_halted(&mut self, event: &Event, halted: bool) {
        self.undo.push((event.sequence, Undo::Halted(self.halted)));
        self.halted = halted;
    }

    fn approved(&mut self, state: &State, event: &Event, order: &Order) {
        let id = order.client_id();
        if self.orders.contains_key(&id) {
            self.violate(event, format!("the name {id} was given twice"));
        }
        // a halt leaves what protects: a bracket's way out, which can only reduce
        if self.halted && !(order.request().reduce_only && self.reduces(order)) {
            self.violate(event, format!("order {id} was approved while halted"));
        }
        self.check_limits(state, event, order);
        self.check_worst(state, event, order);
        self.known(event, order);
        self.check_parent(state, event, id);
    }

    /// Whether an order can only bring what its portfolio holds nearer to zero.
    fn reduces(&self, order: &Order) -> bool {
        let held = self.position(order.portfolio(), order.instrument());
        let signed = i128::from(order.side().sign()) * i128::from(order.quantity().mantissa());
        held.signum() * signed.signum() < 0 && signed.abs() <= held.abs()
    }

    /// An order is worked at other terms from here on.
    fn worked(&mut self, state: &State, event: &Event, id: ClientOrderId) {
        if let Some(record) = state.order(id) {
            let quantity = record.order.quantity();
            self.change(event, id, |known| known.quantity = quantity);
        }
        self.moved(state, event, id);
    }

    /// What a parent's orders may come to between them is at most what was asked of it; of a replacement and the order
    /// that it replaces, at most the larger of the two. What protects a bracket's entry is bounded by the gate.
    fn check_parent(&mut self, state: &State, event: &Event, id: ClientOrderId) {
        let Some(parent) = state.parents.parent_of(id) else { return };
        let counts = |role: Role| {
            matches!(
                role,
                Role::Slice(_) | Role::Rung(_) | Role::Awake | Role::Entry | Role::Replaced | Role::Replacement
            )
        };
        let (mut sum, mut most) = (Quantity::ZERO, parent.wish.request.quantity);
        for child in parent.children.iter().filter(|child| counts(child.role)) {
            let Some(known) = self.orders.get(&child.client_id) else { continue };
            sum += if known.state.is_open() { known.quantity.max(known.filled) } else { known.filled };
            if child.role == Role::Replaced {
                most = most.max(known.quantity);
            }
        }
        if sum > most {
            let text =
                format!("the orders of {} {} may come to {sum:?} of {most:?}", parent.wish.plan.word(), parent.id);
            self.violate(event, text);
        }
        if parent.wish.trade.is_some() {
            self.check_guards(event, parent, id);
        }
    }

    /// What guards what a parent has entered, and has left it, comes to at most that; and few pairs do.
    fn check_guards(&mut self, event: &Event, parent: &Parent, id: ClientOrderId) {
        let guards = |role: Role| matches!(role, Role::Target(_) | Role::Stop(_) | Role::Exit);
        if !parent.children.iter().any(|child| child.client_id == id && guards(child.role)) {
            return;
        }
        self.guards += 1;
        let (mut entered, mut out, mut pairs) = (Quantity::ZERO, Quantity::ZERO, BTreeMap::new());
        for child in &parent.children {
            let Some(known) = self.orders.get(&child.client_id) else { continue };
            let rest =
                if known.state.is_open() { known.quantity.max(known.filled) - known.filled } else { Quantity::ZERO };
            match child.role {
                Role::Target(nth) | Role::Stop(nth) => {
                    out += known.filled;
                    let larger: &mut Quantity = pairs.entry(nth).or_default();
                    *larger = rest.max(*larger);
                }
                Role::Exit => out += known.filled + rest,
                Role::Excess => out -= known.filled,
                _ => entered += known.filled,
            }
        }
        let standing = pairs.values().filter(|rest| !rest.is_zero()).count();
        let out = pairs.values().fold(out, |sum, rest| sum + *rest);
        if out > entered || standing > PAIRS_MAX {
            let text = format!("{standing} guards of {} may leave {out:?} of {entered:?}", parent.id);
            self.violate(event, text);
        }
    }

    fn known(&mut self, event: &Event, order: &Order) {
        let id = order.client_id();
        let known = Known {
            portfolio: order.portfolio(),
            instrument: order.instrument(),
            side: order.side(),
            quantity: order.quantity(),
            group: order.request().oco,
            worst: order.worst(),
            filled: Quantity::ZERO,
            cost: 0,
            state: OrderState::Intended,
            body: None,
        };
        self.undo.push((event.sequence, Undo::Order(id, None)));
        self.orders.insert(id, known);
        self.open.insert(id);
    }

    /// Position, open orders, those of unknown outcome and this one together stay within the limits.
    fn check_limits(&mut self, state: &State, event: &Event, order: &Order) {
        let (portfolio, instrument) = (order.portfolio(), order.instrument());
        let listing = state.listing(instrument);
        let (Some(mark), Some(coin)) = (listing.mark, coin(state, listing.instrument.spec.symbol.quote)) else {
            return self.violate(event, "an order without a price".to_owned());
        };
        if event.at.since(mark.at) >= STALE_NANOS {
            self.violate(
                event,
                format!("order {} on a price that is {} ns old", order.client_id(), event.at.since(mark.at)),
            );
        }
        let price = order.kind().limit().map_or(mark.price, |limit| limit.max(mark.price));
        let worth = |price: Price, quantity: i64| {
            i128::from(price.mantissa()) * i128::from(quantity) / 100_000_000 * coin / 100_000_000
        };
        let (max_order, max_position) = self.approvals.most(portfolio);
        let cap = |units: Option<i64>| units.map_or(i128::MAX, i128::from);
        let order_worth = worth(price, order.quantity().mantissa());
        let held = i64::try_from(self.position(portfolio, instrument)).unwrap_or(i64::MAX);
        let alike = |it: &&Known| it.portfolio == portfolio && it.instrument == instrument && it.side == order.side();
        let (mut waiting, mut groups) = (0, BTreeMap::<OcoGroup, i64>::new());
        for it in self.open.iter().filter_map(|id| self.orders.get(id)).filter(alike) {
            let open = (it.quantity - it.filled).mantissa();
            match it.group {
                Some(group) if Some(group) == order.request().oco => (), // of these this one stands for all
                Some(group) => _ = groups.entry(group).and_modify(|most| *most = open.max(*most)).or_insert(open),
                None => waiting += open,
            }
        }
        waiting += groups.values().sum::<i64>();
        let after = held + order.side().sign() * (waiting + order.quantity().mantissa());
        let reduces = held != 0 && held.signum() != order.side().sign() && after * held.signum() >= 0;
        let too_large = order_worth > cap(max_order) || worth(mark.price, after.abs()) > cap(max_position);
        if too_large && !reduces {
            self.breaches += 1;
            let text = format!("order {} is worth {order_worth}, the position would be {after}", order.client_id());
            self.violate(event, text);
        }
    }

    /// A market order leaves with a worst price, a collar from the mark or, where it reduces, from the other side's best.
    fn check_worst(&mut self, state: &State, event: &Event, order: &Order) {
        let listing = state.listing(order.instrument());
        let (true, Some(mark)) = (*order.kind() == OrderKind::Market, listing.mark) else { return };
        let Some(worst) = order.worst() else {
            return self.violate(event, format!("market order {} has no worst price", order.client_id()));
        };
        let best = listing.quote.map_or(mark.price, |it| if order.side() == Side::Buy { it.ask } else { it.bid });
        let beyond = |from: Price| {
            let (worst, from) = (i128::from(worst.mantissa()), i128::from(from.mantissa()));
            i128::from(order.side().sign()) * (worst - from) * 10_000 > from * i128::from(COLLAR_BPS)
        };
        if beyond(mark.price) && (beyond(best) || !self.reduces(order)) {
            self.violate(event, format!("market order {} may go as far as {worst:?}", order.client_id()));
        }
    }

    /// An order moved: no end is left, and nothing but evidence ends doubt by time.
    fn moved(&mut self, state: &State, event: &Event, id: ClientOrderId) {
        let (Some(record), Some(known)) = (state.order(id), self.orders.get(&id)) else { return };
        let (before, now) = (known.state, record.state);
        if before == now {
            return;
        }
        if !before.is_open() && now.is_open() {
            self.violate(event, format!("order {id} left its end {before:?} for {now:?}"));
        }
        if matches!(now, OrderState::Unknown { .. }) {
            self.ambiguous.insert(id);
        }
        let unproven = matches!(before, OrderState::Unknown { .. })
            && matches!(now, OrderState::Closed { outcome: Outcome::NotSent })
            && !matches!(event.kind, EventKind::Rejected { .. });
        if unproven {
            self.violate(event, format!("order {id} left the unknown for {now:?} by {:?}", event.kind));
        }
        self.change(event, id, |known| known.state = now);
        if now.is_open() {
            self.open.insert(id);
        } else {
            self.open.remove(&id);
            self.over.push(id);
        }
    }

    fn filled(&mut self, state: &State, event: &Event, fill: &Fill) {
        if !self.trades.insert((fill.instrument, fill.trade_id)) {
            return; // told again: the ledger comparison of the next booking shows if it was booked again
        }
        self.undo.push((event.sequence, Undo::Trade(fill.instrument, fill.trade_id)));
        self.booked.push(*fill);
        let listing = state.listing(fill.instrument);
        let (base, quote) = (listing.instrument.spec.symbol.base, listing.instrument.spec.symbol.quote);
        let portfolio = self.orders.get(&fill.client_id).map_or(event.portfolio, |known| known.portfolio);
        let product = i128::from(fill.price.mantissa()) * i128::from(fill.quantity.mantissa());
        let sign = i128::from(fill.side.sign());
        if product % 100_000_000 != 0 {
            self.violate(event, format!("trade {} is worth a part of a unit", fill.trade_id.0));
        }
        let (bought, fee) = (sign * i128::from(fill.quantity.mantissa()), fill.fee.0);
        self.post(event, portfolio, base, bought);
        self.post(event, portfolio, quote, -sign * product / 100_000_000);
        self.post(event, portfolio, fee.currency, -fee.units);
        let kept = if fee.currency == base { bought - fee.units } else { bought };
        self.hold(event, (portfolio, fill.instrument), kept);
        for currency in [base, quote] {
            let sum = self.ledger.get(&(portfolio, currency)).copied().unwrap_or(0);
            let engine = state.portfolio(portfolio).units(currency);
            if sum != engine {
                self.violate(
                    event,
                    format!("portfolio {} holds {engine} of {currency}, {sum} by the sum", portfolio.0),
                );
            }
        }
        self.filled_order(state, event, fill, product);
    }

    fn filled_order(&mut self, state: &State, event: &Event, fill: &Fill, product: i128) {
        let id = fill.client_id;
        self.change(event, id, |known| {
            known.filled += fill.quantity;
            known.cost += product;
        });
        if let (Some(known), Some(record)) = (self.orders.get(&id), state.order(id)) {
            let sign = fill.side.sign();
            if known.worst.is_some_and(|worst| sign * fill.price.mantissa() > sign * worst.mantissa()) {
                self.violate(event, format!("market order {id} filled at {:?}, beyond its worst price", fill.price));
            } else if known.filled > known.quantity {
                self.violate(event, format!("order {id} filled beyond its quantity"));
            } else if (known.filled, known.cost) != (record.filled, record.cost) {
                let text = format!("order {id} counts {:?}, its fills {:?}", record.filled, known.filled);
                self.violate(event, text);
            }
        }
        self.moved(state, event, id);
    }

    fn position(&self, portfolio: PortfolioId, instrument: InstrumentId) -> i128 {
        self.positions.get(&(portfolio, instrument)).copied().unwrap_or(0)
    }

    fn hold(&mut self, event: &Event, place: (PortfolioId, InstrumentId), units: i128) {
        let position = self.positions.entry(place).or_default();
        self.undo.push((event.sequence, Undo::Position(place, *position)));
        *position += units;
    }

    fn post(&mut self, event: &Event, portfolio: PortfolioId, currency: Currency, units: i128) {
        let place = (portfolio, currency);
        let balance = self.ledger.entry(place).or_default();
        self.undo.push((event.sequence, Undo::Ledger(place, *balance)));
        *balance += units;
    }

    /// Orders whose outcome has been unknown since before `moment`.
    pub(crate) fn unknown_since(&self, moment: Timestamp) -> Option<ClientOrderId> {
        let old = |id: &&ClientOrderId| matches!(self.orders.get(id).map(|it| it.state), Some(OrderState::Unknown { since }) if since < moment);
        self.open.iter().find(old).copied()
    }
}

/// What one of a currency costs by the engine's own marks, at eight decimals.
fn coin(state: &State, currency: Currency) -> Option<i128> {
    if currency.code() == "USDT" {
        return Some(100_000_000);
    }
    let in_cash = |symbol: &Symbol| symbol.base == currency && symbol.quote.code() == "USDT";
    let listing = state.listings.iter().find(|it| in_cash(&it.instrument.spec.symbol))?;
    Some(listing.mark?.price.mantissa().into())
}
