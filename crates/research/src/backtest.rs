//! The loop of a backtest: bars in, the engine's own events through it, executions by the bar matcher.

use crate::delivery::Closing;
use crate::outcomes::FollowUp;
use crate::tags::{TagBook, word_of};
use crate::{Costs, Curve, Delivery, Idle, MarketPath, Point, RoundTrips, SignalOutcomes};
use std::collections::VecDeque;
use tradewind_book::{BarCancel, BarEvent, BarMatcher, FillPolicy};
use tradewind_domain::{
    Bar, ClientOrderId, Currency, Fill, Incarnation, Instrument, Money, Order, OrderRecord, OrderState, Origin,
    PortfolioId, Price, Source, Timestamp, TradeId, VenueOrderId,
};
use tradewind_engine::algo::{ParentEvent, ParentWish};
use tradewind_engine::{
    Amend, Command, Counters, DecisionKind, Event, EventKind, LOGIC_VERSION, State, TradeDigest, Verdict, is_asked_for,
    step, with_worst_price,
};
use tradewind_gate::{Action, Approved, Limits, Mode, Proposal};
use tradewind_quant::EquityAccumulator;
use tradewind_strategies::{Desk, Strategy};

const PORTFOLIO: PortfolioId = PortfolioId(0);
const DAY_NS: i64 = 86_400_000_000_000;

/// What to run.
pub struct Plan {
    /// What is traded; its id must be the first.
    pub instrument: Instrument,
    /// Where the bars come from.
    pub origin: Origin,
    /// Opening cash; its currency is the portfolio's base.
    pub deposit: Money,
    /// What the gate allows.
    pub limits: Limits,
    /// How orders meet bars.
    pub fill_policy: FillPolicy,
    /// Who decides.
    pub strategy: Box<dyn Strategy>,
}

/// Why a plan cannot run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The bars are of another instrument.
    #[error("a bar of instrument {found} was fed to a backtest of instrument {expected}")]
    OtherInstrument {
        /// The plan's instrument.
        expected: u32,
        /// The bar's.
        found: u32,
    },
    /// A bar is not later than the one before it.
    #[error("the bar at {found} is not later than the one at {last}")]
    OutOfOrder {
        /// Open time of the bar before.
        last: Timestamp,
        /// Open time of this bar.
        found: Timestamp,
    },
    /// A bar is later than the end of its contract.
    #[error("the bar at {found} closes after its contract ended at {expiry}")]
    Ended {
        /// When the contract ended.
        expiry: Timestamp,
        /// Open time of this bar.
        found: Timestamp,
    },
    /// Equity is no number that statistics can use.
    #[error("equity cannot be followed at {at}")]
    Equity {
        /// Close time of the bar.
        at: Timestamp,
        /// What statistics say.
        #[source]
        source: tradewind_quant::QuantError,
    },
}

impl tradewind_domain::Coded for PlanError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherInstrument { .. } => "BT-01",
            Self::OutOfOrder { .. } => "BT-02",
            Self::Equity { .. } => "BT-03",
            Self::Ended { .. } => "BT-05",
        }
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

/// Where events go besides the engine. The silent one costs nothing.
pub trait Sink {
    /// Takes an event before it is applied, as a journal would.
    fn take(&mut self, event: &Event, state: &State);

    /// Whether every decision shall be an event with its reason and signals; proposals always are.
    const EXPLAINS: bool = false;
}

/// Keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Sink for Silent {
    #[inline]
    fn take(&mut self, _event: &Event, _state: &State) {}
}

/// Hands every event, holds included, to a function as its journal record.
pub struct Recorder<F: FnMut(&Event, Vec<u8>)>(pub F);

impl<F: FnMut(&Event, Vec<u8>)> Sink for Recorder<F> {
    fn take(&mut self, event: &Event, state: &State) {
        (self.0)(event, tradewind_engine::encode(event, state));
    }

    const EXPLAINS: bool = true;
}

/// A backtest under way.
pub struct Backtest<S: Sink = Silent> {
    state: State,
    desk: Desk,
    matcher: BarMatcher,
    origin: Origin,
    sink: S,
    commands: Vec<Command>,
    executions: Vec<BarEvent>,
    queue: VecDeque<(Source, EventKind)>,
    /// Orders that the venue may turn away when they arrive, with the numbers it gives them.
    unanswered: Vec<(ClientOrderId, u64)>,
    digest: TradeDigest,
    round_trips: RoundTrips,
    tags: TagBook,
    equity: EquityAccumulator,
    curve: Curve,
    market: MarketPath,
    costs: Costs,
    idle: Idle,
    tally: Tally,
    follow_up: Option<Box<FollowUp>>,
    delivery: Delivery,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    bars: u64,
    held: u64,
    bought: u64,
    sold: u64,
    trades: u64,
    first: Option<Bar>,
    last: Option<Bar>,
}

/// What came of a backtest.
pub struct Outcome {
    /// The engine's state at the end.
    pub state: State,
    /// Whose books these are.
    pub portfolio: PortfolioId,
    /// How often things happened for this portfolio.
    pub counters: Counters,
    /// Bars fed.
    pub bars: u64,
    /// Decisions to do nothing, warm-up included.
    pub holds: u64,
    /// Every execution, as one hash.
    pub digest: TradeDigest,
    /// From flat to flat.
    pub round_trips: Vec<crate::RoundTrip>,
    /// Equity over time.
    pub equity: EquityAccumulator,
    /// Sum of the executions' notionals, in the settlement currency.
    pub traded_notional: f64,
    /// Price, equity and drawdown for drawing.
    pub curve: Vec<Point>,
    /// What buying at the first open and holding would have brought.
    pub market: MarketPath,
    /// What trading cost.
    pub costs: Costs,
    /// What stood against trading.
    pub idle: Idle,
    /// The price that was given for the end of the contract; for an option, that of its underlying.
    pub settlement_price: Option<Price>,
    /// How orders met bars; `None` where a venue filled them.
    pub fill_policy: Option<FillPolicy>,
    /// Where the bars came from.
    pub origin: Origin,
    /// The first bar fed.
    pub first: Option<Bar>,
    /// The last bar fed.
    pub last: Option<Bar>,
    /// What is traded.
    pub instrument: Instrument,
    /// The name of what decided.
    pub strategy: String,
    /// What became of its signals, each version by itself; empty where nobody asked or it says nothing about direction.
    pub signals: Vec<SignalOutcomes>,
}

impl Backtest<Silent> {
    /// Sets up a run that keeps no events.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self::with_sink(plan, Silent)
    }
}

impl<S: Sink> Backtest<S> {
    /// Sets up a run whose events go to `sink` as well.
    #[must_use]
    pub fn with_sink(plan: Plan, sink: S) -> Self {
        let instrument = plan.instrument.clone();
        let desk = Desk::new(plan.strategy, Source::Strategy(0), PORTFOLIO, instrument.id);
        let idle = Idle::after(desk.bars_wanted(instrument.id));
        let mut run = Self {
            state: State::default(),
            desk,
            matcher: BarMatcher::new(instrument.clone(), plan.fill_policy),
            origin: plan.origin,
            sink,
            commands: Vec::with_capacity(8),
            executions: Vec::with_capacity(8),
            queue: VecDeque::with_capacity(8),
            unanswered: Vec::new(),
            digest: TradeDigest::default(),
            round_trips: RoundTrips::new(),
            tags: TagBook::default(),
            equity: EquityAccumulator::new(),
            curve: Curve::new(),
            market: MarketPath::default(),
            costs: Costs::default(),
            idle,
            tally: Tally::default(),
            follow_up: None,
            delivery: Delivery::default(),
        };
        run.open(instrument, plan.deposit, plan.limits);
        run
    }

    /// The same run, which also holds the strategy's forecasts and decisions against what followed them; see
    /// [`Outcome::signals`]. It changes nothing that is decided.
    #[must_use]
    pub fn judging_signals(mut self) -> Self {
        let strategy = self.desk.strategy();
        let follow = |horizon| Box::new(FollowUp::new(strategy.name(), strategy.version(), horizon));
        self.follow_up = strategy.expects().map(|it| follow(it.horizon_bars));
        self
    }

    /// The same run, which settles a contract that ends within it as `delivery` says.
    ///
    /// It ends within the run if a bar closes with it. Where `delivery` gives a price the last bar need only close on the
    /// contract's last day: a symbol knows that day, and its venue the hour.
    #[must_use]
    pub fn settling(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    fn open(&mut self, instrument: Instrument, deposit: Money, limits: Limits) {
        let start = Timestamp::from_nanos(0); // before any bar; the run's own clock starts with the first one
        let base: Currency = deposit.currency;
        for kind in [
            EventKind::Started { incarnation: Incarnation(0), mode: Mode::Backtest, logic: LOGIC_VERSION },
            EventKind::Listed(Box::new(instrument)),
            EventKind::Opened { base, name: "backtest".to_owned() },
            EventKind::LimitsSet(Box::new(limits)),
            EventKind::Deposited(deposit),
        ] {
            self.say(start, Source::Host, kind);
        }
    }

    /// Feeds the next bar: executions of what waited, then the close, then what the strategy says to it, and then the
    /// settlement, if the contract ends with it.
    ///
    /// # Errors
    /// [`PlanError`] for a bar that does not belong here.
    #[inline]
    pub fn feed(&mut self, bar: &Bar) -> Result<(), PlanError> {
        let ends = self.check(bar)?;
        let at = bar.close_time();
        self.execute(bar);
        self.close(bar, at);
        self.round_trips.bar(bar);
        let kind = self.decide(bar, at);
        if self.follow_up.is_some() {
            self.follow_up(bar, kind);
        }
        self.note_equity(bar, at)?;
        if ends { self.end(bar, at) } else { Ok(()) }
    }

    /// Settles the contract, which ends at `at`, after the equity at the last close was taken in.
    #[cold]
    fn end(&mut self, bar: &Bar, at: Timestamp) -> Result<(), PlanError> {
        self.settle(bar, at);
        let equity = self.follow_equity(bar, at)?;
        self.curve.end(equity);
        Ok(())
    }

    /// Whether the contract ends with `bar`, which belongs here.
    #[inline]
    fn check(&mut self, bar: &Bar) -> Result<bool, PlanError> {
        if bar.instrument != self.desk.instrument() {
            return Err(PlanError::OtherInstrument { expected: self.desk.instrument().0, found: bar.instrument.0 });
        }
        if let Some(last) = self.tally.last.filter(|last| bar.open_time <= last.open_time) {
            return Err(PlanError::OutOfOrder { last: last.open_time, found: bar.open_time });
        }
        let expiry = self.state.listing(bar.instrument).instrument.expiry();
        if let Some(expiry) = expiry.filter(|expiry| bar.close_time() > *expiry) {
            return Err(PlanError::Ended { expiry, found: bar.open_time });
        }
        if self.tally.first.is_none() {
            self.begin(bar)?;
        }
        self.tally.last = Some(*bar);
        self.tally.bars += 1;
        Ok(expiry == Some(bar.close_time()))
    }

    /// Equity begins with the deposit at the first open, where buying and holding begins as well.
    fn begin(&mut self, bar: &Bar) -> Result<(), PlanError> {
        let (at, portfolio) = (bar.open_time, self.state.portfolio(PORTFOLIO));
        let deposit = Money { currency: portfolio.base, units: portfolio.equity() };
        let instrument = &self.state.listing(bar.instrument).instrument;
        self.equity
            .push(at.nanos(), deposit.to_f64(), 0.0)
            .and_then(|()| self.market.open(instrument, at, bar.open, deposit))
            .map_err(|source| PlanError::Equity { at, source })?;
        self.tally.first = Some(*bar);
        Ok(())
    }

    /// Lets `bar` meet the waiting orders: at its open, then those that came of that, then inside.
    #[inline]
    fn execute(&mut self, bar: &Bar) {
        let mut executions = std::mem::take(&mut self.executions);
        let turn = self.matcher.on_open(bar, &mut executions);
        if self.tally.trades == 0 {
            self.idle.traded(bar.volume);
        }
        if let Some(turn) = turn {
            let before = self.costs.notional;
            self.tell(bar, &mut executions);
            self.matcher.on_inside(bar, turn, &mut executions);
            self.tell(bar, &mut executions);
            let traded = self.costs.notional - before;
            if traded > 0 {
                self.costs.share(&self.state.listing(bar.instrument).instrument, bar, traded);
            }
        }
        self.executions = executions;
    }

    /// Says what the matcher did with one half of `bar`.
    fn tell(&mut self, bar: &Bar, executions: &mut Vec<BarEvent>) {
        if !self.unanswered.is_empty() {
            self.answer(bar, executions);
        }
        for execution in executions.drain(..) {
            self.report(bar, execution);
        }
    }

    /// Says of the orders that arrived with `bar` that the venue has them, unless it turned them away.
    fn answer(&mut self, bar: &Bar, executions: &[BarEvent]) {
        for (client_id, number) in std::mem::take(&mut self.unanswered) {
            let turned_away =
                |it: &BarEvent| matches!(it, BarEvent::Rejected { client_id: id, .. } if *id == client_id);
            if self.state.open.contains_key(&client_id) && !executions.iter().any(turned_away) {
                self.say(bar.open_time, Source::Venue, accepted(client_id, number));
            }
        }
    }

    fn report(&mut self, bar: &Bar, execution: BarEvent) {
        match execution {
            BarEvent::Fill { client_id, side, price, basis, quantity, liquidity, at } => {
                self.tally.trades += 1;
                let instrument = &self.state.listing(bar.instrument).instrument;
                let fee = instrument.fee(side, price, quantity, liquidity).expect("the gate bounds what can fill");
                let (instrument, trade_id) = (instrument.id, TradeId(u128::from(self.tally.trades)));
                let fill = Fill { client_id, instrument, trade_id, side, price, quantity, liquidity, fee };
                self.fill(fill, basis, at);
            }
            BarEvent::Cancelled { client_id, reason, at } => {
                self.costs.expired += u64::from(reason == BarCancel::Expired);
                let ended = EventKind::Cancelled { client_id, reason: reason.text().into() };
                self.say(at, Source::Venue, with_worst_price(&self.state, ended));
            }
            BarEvent::Rejected { client_id, reason, at } => {
                let reason = reason.text().into();
                let arrives = |it: &OrderRecord| matches!(it.state, OrderState::InFlight { .. });
                let kind = match self.state.open.get(&client_id).is_some_and(arrives) {
                    true => EventKind::Rejected { client_id, reason },
                    false => EventKind::Cancelled { client_id, reason }, // it was on the book, and woke
                };
                self.say(at, Source::Venue, kind);
            }
            BarEvent::Triggered { client_id, at } => {
                self.say(at, Source::Venue, EventKind::Triggered { client_id });
            }
        }
    }

    /// Takes in an execution where the market showed `basis`.
    fn fill(&mut self, fill: Fill, basis: Price, at: Timestamp) {
        let instrument = &self.state.listing(fill.instrument).instrument;
        self.costs.fill(instrument, &fill);
        self.costs.frictions(instrument, &fill, basis, self.matcher.policy());
        self.digest.add(instrument, &fill, at);
        self.round_trips.fill(instrument, &fill, at, self.tags.of(fill.client_id));
        self.say(at, Source::Venue, EventKind::Filled(fill));
    }

    fn follow_up(&mut self, bar: &Bar, kind: DecisionKind) {
        let close = self.state.listing(bar.instrument).instrument.price_f64(bar.close);
        let forecast = self.desk.expects().and_then(|it| it.value);
        if let Some(follow_up) = &mut self.follow_up {
            follow_up.bar(close, forecast, kind);
        }
    }

    #[inline]
    fn decide(&mut self, bar: &Bar, at: Timestamp) -> DecisionKind {
        let mut decided = None;
        let outcome = if S::EXPLAINS {
            decided = Some(self.state.sequence + 1);
            let outcome = self.desk.on_bar(&self.state, bar);
            let decision = Box::new(self.desk.explain(&outcome));
            self.say(at, self.desk.source(), EventKind::Decided(decision));
            outcome
        } else {
            let Some(outcome) = self.desk.act_on_bar(&self.state, bar) else {
                self.tally.held += 1;
                return DecisionKind::Hold;
            };
            outcome
        };
        if self.tally.trades == 0
            && outcome.proposals.is_empty()
            && self.state.open.is_empty()
            && let Some(target) = outcome.target
        {
            self.idle.too_small(target);
        }
        match outcome.kind {
            DecisionKind::Hold => self.tally.held += 1,
            DecisionKind::Buy => self.tally.bought += 1,
            DecisionKind::Sell => self.tally.sold += 1,
        }
        for client_id in outcome.cancels {
            self.say_because(at, self.desk.source(), EventKind::CancelProposed { client_id }, decided);
        }
        self.tags.saying = Some(outcome.tag);
        let first = self.state.parents.next_id();
        for proposed in EventKind::of_proposals(outcome.proposals) {
            self.say_because(at, self.desk.source(), proposed, decided);
        }
        self.tags.opened(&self.state, first);
        self.tags.saying = None;
        outcome.kind
    }

    #[inline]
    fn note_equity(&mut self, bar: &Bar, at: Timestamp) -> Result<(), PlanError> {
        let equity = self.follow_equity(bar, at)?;
        self.curve.push(bar, equity);
        Ok(())
    }

    /// Takes in the equity as it stands at `at`, when `bar` is the last that closed.
    #[inline]
    fn follow_equity(&mut self, bar: &Bar, at: Timestamp) -> Result<f64, PlanError> {
        let portfolio = self.state.portfolio(PORTFOLIO);
        let instrument = &self.state.listing(bar.instrument).instrument;
        let held = portfolio.position(bar.instrument).quantity();
        let gross = crate::costs::exposure(instrument, held, bar.close);
        let equity = Money { currency: portfolio.base, units: portfolio.equity() }.to_f64();
        self.equity
            .push(at.nanos(), equity, gross)
            .and_then(|()| self.market.close(at, bar.close))
            .map_err(|source| PlanError::Equity { at, source })?;
        Ok(equity)
    }

    /// Settles the contract, which ends at `at`, where it is known at which price. What rests has expired either way.
    fn settle(&mut self, bar: &Bar, at: Timestamp) {
        let instrument = self.state.listing(bar.instrument).instrument.clone();
        let Some(settlement) = self.delivery.settlement(&instrument, bar.close) else {
            let open: Vec<ClientOrderId> = self.state.open.keys().copied().collect();
            self.costs.expired += open.len() as u64;
            for client_id in open {
                self.say(at, Source::Venue, EventKind::Expired { client_id, evidence: None });
            }
            return;
        };
        let closing = Closing::of(&self.state, PORTFOLIO, bar.instrument, settlement);
        self.say(at, Source::Venue, EventKind::Settled { instrument: bar.instrument, settlement });
        self.costs.expired += closing.orders;
        if let Some(fee) = closing.fee(&self.state) {
            self.costs.settle(fee);
            self.round_trips.settle(&instrument, settlement.price, fee, at);
        }
    }

    /// Settles at the price that was given a contract whose bars end on its last day, before that day does.
    fn settle_late(&mut self) {
        let expiry = self.state.listing(self.desk.instrument()).instrument.expiry();
        let (Some(_), Some(bar), Some(expiry)) = (self.delivery.price, self.tally.last, expiry) else { return };
        if (1..DAY_NS).contains(&expiry.since(bar.close_time())) {
            self.end(&bar, expiry).expect("it is later than the last close, and a number");
        }
    }

    /// Steps the close of a bar. As [`Self::say`], but the event is made where it is read: moving it costs more than
    /// all that a bar without orders does.
    #[inline]
    fn close(&mut self, bar: &Bar, at: Timestamp) {
        let kind = EventKind::BarClosed { bar: *bar, origin: self.origin };
        let event = Event { kind, ..Event::new(self.state.sequence + 1, at, Source::Market, EventKind::Timer) };
        self.sink.take(&event, &self.state);
        step(&mut self.state, &event, &mut self.commands);
        if !self.commands.is_empty() {
            self.follow(at, event.sequence);
        }
        std::mem::forget(event); // the close of a bar owns nothing: there is nothing to look for and free
    }

    /// Steps an event and everything that the engine makes of it.
    fn say(&mut self, at: Timestamp, source: Source, kind: EventKind) {
        self.say_because(at, source, kind, None);
    }

    /// As [`Self::say`] for what follows from the event `cause`.
    fn say_because(&mut self, at: Timestamp, source: Source, kind: EventKind, cause: Option<u64>) {
        let event = Event { cause, ..Event::new(self.state.sequence + 1, at, source, kind) };
        self.sink.take(&event, &self.state);
        step(&mut self.state, &event, &mut self.commands);
        self.follow(at, event.sequence);
    }

    /// Carries out what the engine asked for, and steps what comes of it, until nothing is left.
    fn follow(&mut self, at: Timestamp, mut cause: u64) {
        loop {
            self.obey(at);
            let Some((source, kind)) = self.queue.pop_front() else { return };
            let event = Event { cause: Some(cause), ..Event::new(self.state.sequence + 1, at, source, kind) };
            cause = event.sequence;
            if let EventKind::Parent(said) = &event.kind {
                self.tags.said(said);
            }
            if let EventKind::Judged(Verdict::Refused(refusal)) = &event.kind {
                self.idle.refused(refusal);
            }
            self.sink.take(&event, &self.state);
            step(&mut self.state, &event, &mut self.commands);
        }
    }

    fn obey(&mut self, at: Timestamp) {
        if self.commands.is_empty() {
            return;
        }
        let mut commands = std::mem::take(&mut self.commands);
        for command in commands.drain(..) {
            match command {
                Command::Record(kind, _) if is_asked_for(&kind, self.queue.iter().map(|(_, kind)| kind)) => (),
                Command::Record(kind, _) => self.queue.push_back((Source::Host, kind)),
                Command::Send(approved) => self.send(&approved, at),
            }
        }
        self.commands = commands;
    }

    /// Hands an approved action to the matcher; a backtest has no wire to lose it on.
    fn send(&mut self, approved: &Approved, at: Timestamp) {
        match approved.action() {
            Action::Submit(order) => self.submit(order, at, self.state.intents, order.request().post_only),
            Action::SubmitPair(pair) => {
                let waits = pair.iter().any(|order| order.request().post_only);
                self.submit(&pair[0], at, self.state.intents - 1, waits);
                self.submit(&pair[1], at, self.state.intents, waits);
            }
            Action::Cancel { client_id, .. } => {
                let client_id = *client_id;
                let kind = if self.matcher.cancel(client_id) {
                    EventKind::Cancelled { client_id, reason: "on request".into() }
                } else {
                    EventKind::CancelRefused { client_id, reason: "it is not on the book".to_owned() }
                };
                self.queue.push_back((Source::Venue, kind));
            }
            // the matcher behind a backtest knows no amendments: the order stays as it is
            Action::Amend { client_id, .. } => {
                let said = Amend::Refused { reason: "a backtest makes no order smaller".to_owned() };
                self.queue.push_back((Source::Venue, EventKind::Amend { client_id: *client_id, said }));
            }
        }
    }

    /// Hands an order to the matcher. What `waits` may be turned away, so its answer comes when it arrives: with the next bar.
    fn submit(&mut self, order: &Order, at: Timestamp, number: u64, waits: bool) {
        let client_id = order.client_id();
        self.tags.sent(&self.state, order);
        self.matcher.submit(order, at);
        self.queue.push_back((Source::Host, EventKind::Sent { client_id }));
        match waits {
            true => self.unanswered.push((client_id, number)),
            false => self.queue.push_back((Source::Venue, accepted(client_id, number))),
        }
    }

    /// Says at the close of the last bar that somebody wishes for an order that becomes other orders: a bracket, a
    /// schedule, a ladder. The engine carries it out on the bars to come.
    pub fn wish(&mut self, wish: ParentWish) {
        let at = self.tally.last.map_or(self.state.now, |bar| bar.close_time());
        let (source, first) = (wish.source, self.state.parents.next_id());
        self.tags.saying = Some(word_of(source));
        self.say(at, source, EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
        self.tags.opened(&self.state, first);
        self.tags.saying = None;
    }

    /// Proposes an order at the close of the last bar, as a person would beside the strategy.
    pub fn propose(&mut self, proposal: Proposal) {
        let at = self.tally.last.map_or(self.state.now, |bar| bar.close_time());
        let (source, first) = (proposal.source, self.state.parents.next_id());
        self.tags.saying = Some(word_of(source));
        self.say(at, source, EventKind::Proposed(proposal));
        self.tags.opened(&self.state, first);
        self.tags.saying = None;
    }

    /// Books the funding of a perpetual contract at `at`, after the bars that closed until then: longs pay a positive
    /// `rate_e8`, in parts per 10⁸ of the notional at `mark`. It belongs to the trade that is open.
    pub fn settle_funding(&mut self, at: Timestamp, rate_e8: i64, mark: Price) {
        let instrument = self.desk.instrument();
        let before = self.state.portfolio(PORTFOLIO).funding_paid(instrument);
        self.say(at, Source::Venue, EventKind::Funding { instrument, rate_e8, mark });
        self.round_trips.fund(self.state.portfolio(PORTFOLIO).funding_paid(instrument) - before);
    }

    /// The state as it stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Ends the run. A position that is still open is valued at the last close.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.settle_late();
        debug_assert_eq!(self.state.counters.contradictions, 0, "no order is told what it cannot be");
        let instrument = self.state.listing(self.desk.instrument()).instrument.clone();
        let end = self.tally.last.map_or((Timestamp::default(), Price::default()), |bar| (bar.close_time(), bar.close));
        let notional = Money { currency: instrument.settlement(), units: self.costs.notional };
        Outcome {
            bars: self.tally.bars,
            holds: self.tally.held,
            digest: self.digest,
            round_trips: self.round_trips.finish(&instrument, end.0, end.1),
            equity: self.equity,
            traded_notional: notional.to_f64(),
            curve: self.curve.finish(),
            market: self.market,
            costs: self.costs,
            idle: self.idle,
            settlement_price: self.delivery.price,
            fill_policy: Some(*self.matcher.policy()),
            origin: self.origin,
            first: self.tally.first,
            last: self.tally.last,
            strategy: self.desk.strategy().name().to_owned(),
            signals: self.follow_up.map(|it| it.finish()).into_iter().collect(),
            portfolio: PORTFOLIO,
            counters: Counters {
                buy: self.tally.bought,
                sell: self.tally.sold,
                hold: self.tally.held,
                ..self.state.counters
            },
            state: self.state,
            instrument,
        }
    }
}

fn accepted(client_id: ClientOrderId, number: u64) -> EventKind {
    EventKind::Accepted { client_id, venue_id: VenueOrderId(number.to_string().into()) }
}
