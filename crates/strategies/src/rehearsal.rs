//! A strategy on bars with the real engine and gate, and the simplest fills there are.

use crate::{Desk, Outcome, Strategy};
use std::collections::VecDeque;
use tradewind_domain::{
    Bar, Fill, Incarnation, Instrument, InstrumentId, Liquidity, Money, Order, OrderKind, Origin, PortfolioId,
    Quantity, Source, TradeId, VenueOrderId,
};
use tradewind_engine::{Command, Decision, Event, EventKind, LOGIC_VERSION, State, Verdict, is_asked_for, step};
use tradewind_gate::{Action, Limits, Mode};

const INSTRUMENT: InstrumentId = InstrumentId(0);
const PORTFOLIO: PortfolioId = PortfolioId(0);

/// Shows a strategy bar after bar and lets it trade, to see what it decides: for diagnosis and for tests.
///
/// Market orders that the gate approves fill whole at the next bar's open, at the instrument's taker fee, without
/// slippage; other orders rest and never fill. What a strategy earns is for a backtest to say.
pub struct Rehearsal {
    desk: Desk,
    state: State,
    queue: VecDeque<(Source, EventKind)>,
    waiting: Vec<Order>,
    trades: u128,
    refusal: Option<String>,
}

/// What one bar brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// What the desk made of the strategy's opinion.
    pub outcome: Outcome,
    /// The same as a record, with everything that the strategy saw.
    pub decision: Decision,
    /// What was held when it decided, signed.
    pub position: Quantity,
    /// Why the gate refused, if it did.
    pub refusal: Option<String>,
}

impl Rehearsal {
    /// Sets the scene: a portfolio in the currency of `deposit`, and nothing held.
    #[must_use]
    pub fn new(strategy: Box<dyn Strategy>, instrument: &Instrument, deposit: Money, limits: Limits) -> Self {
        let mut rehearsal = Self {
            desk: Desk::new(strategy, Source::Strategy(0), PORTFOLIO, INSTRUMENT),
            state: State::default(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            trades: 0,
            refusal: None,
        };
        let instrument = Instrument { id: INSTRUMENT, spec: instrument.spec.clone() };
        let beginning = tradewind_domain::Timestamp::from_nanos(0);
        for kind in [
            EventKind::Started { incarnation: Incarnation(0), mode: Mode::Backtest, logic: LOGIC_VERSION },
            EventKind::Listed(Box::new(instrument)),
            EventKind::Opened { base: deposit.currency, name: "rehearsal".to_owned() },
            EventKind::LimitsSet(Box::new(limits)),
            EventKind::Deposited(deposit),
        ] {
            rehearsal.say(beginning, Source::Host, kind);
        }
        rehearsal
    }

    /// Fills what waits at the bar's open, closes the bar, and asks the strategy. Bars come in the order of time.
    pub fn bar(&mut self, bar: &Bar) -> Scene {
        let bar = Bar { instrument: INSTRUMENT, ..*bar };
        for order in std::mem::take(&mut self.waiting) {
            self.fill(&order, &bar);
        }
        let at = bar.close_time();
        self.say(at, Source::Market, EventKind::BarClosed { bar, origin: Origin::Recorded });
        let position = self.state.portfolio(PORTFOLIO).position(INSTRUMENT).quantity();
        let outcome = self.desk.on_bar(&self.state, &bar);
        let decision = self.desk.explain(&outcome);
        self.say(at, self.desk.source(), EventKind::Decided(Box::new(decision.clone())));
        self.refusal = None;
        for proposed in EventKind::of_proposals(outcome.proposals.clone()) {
            self.say(at, self.desk.source(), proposed);
        }
        Scene { outcome, decision, position, refusal: self.refusal.take() }
    }

    /// The engine's state as it stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The strategy.
    #[must_use]
    pub fn strategy(&self) -> &dyn Strategy {
        self.desk.strategy()
    }

    /// What is traded.
    #[must_use]
    pub fn instrument(&self) -> &Instrument {
        &self.state.listing(INSTRUMENT).instrument
    }

    fn fill(&mut self, order: &Order, bar: &Bar) {
        self.trades += 1;
        let (side, quantity) = (order.side(), order.quantity());
        let fee = self.instrument().fee(side, bar.open, quantity, Liquidity::Taker);
        let fill = Fill {
            client_id: order.client_id(),
            instrument: INSTRUMENT,
            trade_id: TradeId(self.trades),
            side,
            price: bar.open,
            quantity,
            liquidity: Liquidity::Taker,
            fee: fee.expect("the gate bounds what can fill"),
        };
        self.say(bar.open_time, Source::Venue, EventKind::Filled(fill));
    }

    /// Steps an event and everything that the engine makes of it.
    fn say(&mut self, at: tradewind_domain::Timestamp, source: Source, kind: EventKind) {
        let mut commands = Vec::new();
        self.queue.push_back((source, kind));
        while let Some((source, kind)) = self.queue.pop_front() {
            if let EventKind::Judged(Verdict::Refused(refusal)) = &kind {
                self.refusal = Some(refusal.to_string());
            }
            let event = Event::new(self.state.sequence + 1, at, source, kind);
            step(&mut self.state, &event, &mut commands);
            for command in commands.drain(..) {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, self.queue.iter().map(|(_, kind)| kind)) => (),
                    Command::Record(kind, _) => self.queue.push_back((Source::Host, kind)),
                    Command::Send(approved) => match approved.action() {
                        Action::Submit(_) | Action::SubmitPair(_) => {
                            approved.action().orders().iter().for_each(|order| self.submit(order));
                        }
                        Action::Cancel { client_id, .. } => {
                            let reason = "on request".into();
                            let cancelled = EventKind::Cancelled { client_id: *client_id, reason };
                            self.queue.push_back((Source::Venue, cancelled));
                        }
                        Action::Amend { .. } => (), // nobody asks for it here
                    },
                }
            }
        }
    }

    fn submit(&mut self, order: &Order) {
        if *order.kind() == OrderKind::Market {
            self.waiting.push(*order);
        }
        let client_id = order.client_id();
        let venue_id = VenueOrderId(self.state.intents.to_string().into());
        self.queue.push_back((Source::Host, EventKind::Sent { client_id }));
        self.queue.push_back((Source::Venue, EventKind::Accepted { client_id, venue_id }));
    }
}
