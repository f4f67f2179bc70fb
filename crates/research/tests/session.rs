//! What a journal tells of a session: trades of several instruments, each by itself.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{bar, spec, usdt};
use std::collections::VecDeque;
use tradewind_domain::{
    Bar, Fill, Incarnation, InstrumentId, InstrumentSpec, Liquidity, Order, OrderRequest, Origin, PortfolioId,
    Quantity, Side, Source, Timestamp, TradeId, VenueOrderId,
};
use tradewind_engine::{Command, Decision, DecisionKind, Event, EventKind, Forecast, LOGIC_VERSION, State, step};
use tradewind_gate::{Action, Limits, Mode, Proposal};
use tradewind_research::report::{Meta, Report, html};
use tradewind_research::session;

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);

/// An engine whose orders fill at once, at the close of the newest bar.
#[derive(Default)]
struct Floor {
    state: State,
    events: Vec<Event>,
    now: Timestamp,
}

impl Floor {
    fn open() -> Self {
        let mut floor = Self::default();
        let of = |symbol: &str| InstrumentSpec { symbol: symbol.parse().unwrap(), ..spec() };
        floor.say(Source::Host, started(), None);
        for (id, symbol) in [(BTC, "BTC/USDT"), (ETH, "ETH/USDT")] {
            floor.say(Source::Host, EventKind::Listed(Box::new(of(symbol).list(id).unwrap())), None);
        }
        floor.say(Source::Host, EventKind::Opened { base: usdt("1").currency, name: "both".to_owned() }, None);
        floor.say(Source::Host, EventKind::LimitsSet(Box::new(Limits::OPEN)), None);
        floor.say(Source::Host, EventKind::Deposited(usdt("10000")), None);
        floor
    }

    /// Closes a still bar of `instrument` at `price`.
    fn bar(&mut self, instrument: InstrumentId, minute: usize, price: &str) {
        let bar = Bar { instrument, ..bar(minute, [price, price, price, price, "100"]) };
        self.now = bar.close_time();
        self.say(Source::Market, EventKind::BarClosed { bar, origin: Origin::Simulated }, None);
    }

    /// Decides under `tag` to trade one piece.
    fn trade(&mut self, instrument: InstrumentId, side: Side, tag: &'static str) {
        let quantity = self.state.listing(instrument).instrument.quantity("1").unwrap();
        let decision = Decision {
            instrument,
            decider: "both".to_owned(),
            kind: if side == Side::Buy { DecisionKind::Buy } else { DecisionKind::Sell },
            target: None,
            reason: "a test".into(),
            tag: Some(tag.into()),
            signals: Vec::new(),
            version: None,
            forecast: None,
        };
        let decided = self.say(Source::Strategy(0), EventKind::Decided(Box::new(decision)), None);
        let request = OrderRequest::market(instrument, side, quantity);
        let (source, portfolio, reason) = (Source::Strategy(0), PortfolioId(0), "a test".into());
        let proposal = Proposal { plan: None, source, portfolio, request, reason };
        self.say(source, EventKind::Proposed(proposal), Some(decided));
    }

    /// Steps an event and what comes of it; its number.
    fn say(&mut self, source: Source, kind: EventKind, cause: Option<u64>) -> u64 {
        let (first, mut commands) = (self.state.sequence + 1, Vec::new());
        let mut queue = VecDeque::from([(source, kind, cause)]);
        while let Some((source, kind, cause)) = queue.pop_front() {
            let event = Event { cause, ..Event::new(self.state.sequence + 1, self.now, source, kind) };
            step(&mut self.state, &event, &mut commands);
            for command in commands.drain(..) {
                match command {
                    Command::Record(kind, _) => queue.push_back((Source::Host, kind, Some(event.sequence))),
                    Command::Send(approved) => {
                        let Action::Submit(order) = approved.action() else { continue };
                        queue.extend(self.filled(order).map(|(source, kind)| (source, kind, None)));
                    }
                }
            }
            self.events.push(event);
        }
        first
    }

    fn filled(&self, order: &Order) -> [(Source, EventKind); 3] {
        let (client_id, listing) = (order.client_id(), self.state.listing(order.instrument()));
        let (side, quantity, price): (Side, Quantity, _) =
            (order.side(), order.quantity(), listing.mark.unwrap().price);
        let (instrument, liquidity) = (order.instrument(), Liquidity::Taker);
        let fee = listing.instrument.fee(side, price, quantity, liquidity).unwrap();
        let trade_id = TradeId(u128::from(self.state.counters.fills) + 1);
        [
            (Source::Host, EventKind::Sent { client_id }),
            (Source::Venue, EventKind::Accepted { client_id, venue_id: VenueOrderId(trade_id.0.to_string().into()) }),
            (
                Source::Venue,
                EventKind::Filled(Fill { client_id, instrument, trade_id, side, price, quantity, liquidity, fee }),
            ),
        ]
    }
}

const fn started() -> EventKind {
    EventKind::Started { incarnation: Incarnation(0), mode: Mode::Backtest, logic: LOGIC_VERSION }
}

#[test]
fn who_says_nothing_of_direction_is_not_judged() {
    let judged = |value: Option<&str>, confidence_bps: Option<i64>| {
        let mut floor = Floor::open();
        for (minute, price) in [(0, "100"), (1, "100")] {
            floor.bar(BTC, minute, price); // the first decision says which instrument is followed from there on
            floor.trade(BTC, Side::Buy, "rebalance");
        }
        floor.bar(BTC, 2, "110");
        for event in &mut floor.events {
            if let EventKind::Decided(decision) = &mut event.kind {
                let value = value.map(str::to_owned);
                decision.forecast = Some(Forecast { horizon_bars: 1, value, confidence_bps });
            }
        }
        let outcome = session::outcome(floor.events, PortfolioId(0)).unwrap().unwrap();
        outcome.signals.iter().map(|it| it.decisions.judged).collect::<Vec<_>>()
    };
    assert_eq!(judged(Some("0.5"), Some(500)), [1]);
    assert!(judged(None, Some(500)).is_empty(), "it is sure of its trade, not of a rise");
    assert!(judged(None, None).is_empty(), "it says over how many bars, and nothing else");
}

#[test]
fn trades_of_two_instruments_do_not_mix_and_the_better_one_comes_first() {
    let mut floor = Floor::open();
    floor.bar(BTC, 0, "100");
    floor.bar(ETH, 0, "10");
    floor.trade(BTC, Side::Buy, "cross-up");
    floor.trade(ETH, Side::Buy, "dip");
    floor.bar(BTC, 1, "90");
    floor.bar(ETH, 1, "15");
    floor.trade(BTC, Side::Sell, "cross-down");
    floor.bar(BTC, 2, "90");
    floor.bar(ETH, 2, "16");
    let outcome = session::outcome(floor.events, PortfolioId(0)).unwrap().unwrap();
    let report = Report::build(&outcome, Meta::default()).unwrap();
    let rows: Vec<_> = report
        .round_trip_list
        .iter()
        .map(|row| (&*row.symbol, &*row.entry_tag, &*row.exit_tag, &*row.profit, row.mae, row.mfe))
        .collect();
    // bought at 100 and sold at 90, 10 bps of each; bought at 10 and worth 16
    let want = [
        ("BTC/USDT", "cross-up", "cross-down", "-10.19", -0.1, 0.0),
        ("ETH/USDT", "dip", "end-of-data", "5.99", 0.0, 0.6),
    ];
    assert_eq!(rows, want);
    let best: Vec<_> = report.groups.instrument.iter().map(|group| &*group.name).collect();
    assert_eq!(best, ["ETH/USDT", "BTC/USDT"]);
    assert_eq!(report.groups.shown().count(), 3, "two instruments are worth a table");
    let shares: Vec<_> = outcome.costs.shares().iter().map(|it| (it.traded_notional, it.market_notional)).collect();
    assert_eq!(shares, [(100.0, 9_000.0), (90.0, 9_000.0)], "of the bars in which the first instrument was traded");
}

#[test]
fn what_a_venue_does_not_tell_of_its_prices_is_missing_and_not_zero() {
    let mut floor = Floor::open();
    floor.bar(BTC, 0, "100");
    floor.trade(BTC, Side::Buy, "cross-up");
    floor.bar(BTC, 1, "100");
    let outcome = session::outcome(floor.events, PortfolioId(0)).unwrap().unwrap();
    let report = Report::build(&outcome, Meta::default()).unwrap();
    let costs = &report.costs;
    assert!(costs.spread.is_none() && costs.slippage.is_none() && costs.impact.is_none(), "{costs:?}");
    assert_eq!((&*costs.fees, &*costs.total), ("0.1", "0.1"));
    let page = html(&report);
    assert!(page.contains("a venue tells none before them") && !page.contains("Market impact <small>"));
}
