//! What came of a session that a journal remembers, in the same shape as a backtest's outcome.

use crate::outcomes::FollowUps;
use crate::{Costs, Curve, MarketPath, Outcome, PlanError, RoundTrips};
use tradewind_book::FillPolicy;
use tradewind_domain::{Bar, InstrumentId, Money, Origin, PortfolioId, Price, Timestamp};
use tradewind_engine::{Counters, DecisionKind, Event, EventKind, State, TradeDigest, Verdict, apply};
use tradewind_quant::EquityAccumulator;

/// Folds `events` and follows the portfolio and the instrument that it first decided on.
///
/// `None` if nothing was ever decided for the portfolio. Costs are those that the venue reported; the venue tells no
/// price before slippage, so slippage reads as none.
///
/// # Errors
/// [`PlanError`] if the equity cannot be followed.
///
/// # Panics
/// If the events are not those of one journal from its beginning.
pub fn outcome(events: impl IntoIterator<Item = Event>, portfolio: PortfolioId) -> Result<Option<Outcome>, PlanError> {
    let mut session = Session::new(portfolio);
    for event in events {
        session.take(&event)?;
    }
    Ok(session.finish())
}

struct Session {
    state: State,
    portfolio: PortfolioId,
    watched: Option<(InstrumentId, String)>,
    counters: Counters,
    digest: TradeDigest,
    round_trips: RoundTrips,
    equity: EquityAccumulator,
    curve: Curve,
    market: MarketPath,
    costs: Costs,
    origin: Origin,
    follow_ups: FollowUps,
    bars: u64,
    first: Option<Bar>,
    last: Option<Bar>,
}

impl Session {
    fn new(portfolio: PortfolioId) -> Self {
        Self {
            state: State::default(),
            portfolio,
            watched: None,
            counters: Counters::default(),
            digest: TradeDigest::default(),
            round_trips: RoundTrips::new(),
            equity: EquityAccumulator::new(),
            curve: Curve::new(),
            market: MarketPath::default(),
            costs: Costs::default(),
            origin: Origin::Live,
            follow_ups: FollowUps::default(),
            bars: 0,
            first: None,
            last: None,
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), PlanError> {
        let fills = self.state.counters.fills;
        let owner = match &event.kind {
            EventKind::Filled(fill) => self.state.order(fill.client_id).map(|record| record.order.portfolio()),
            _ => Some(event.portfolio),
        };
        apply(&mut self.state, event);
        if owner != Some(self.portfolio) && !matches!(event.kind, EventKind::BarClosed { .. }) {
            return Ok(());
        }
        match &event.kind {
            EventKind::Decided(decision) => {
                let watched = self.watched.get_or_insert_with(|| (decision.instrument, decision.decider.clone()));
                if (watched.0, &watched.1) == (decision.instrument, &decision.decider) {
                    self.follow_ups.decided(decision);
                }
                match decision.kind {
                    DecisionKind::Buy => self.counters.buy += 1,
                    DecisionKind::Sell => self.counters.sell += 1,
                    DecisionKind::Hold => self.counters.hold += 1,
                }
            }
            EventKind::Judged(Verdict::Approved(_)) => self.counters.orders += 1,
            EventKind::Judged(Verdict::Refused(_)) => self.counters.veto += 1,
            EventKind::Rejected { .. } => self.counters.rejected += 1,
            EventKind::Filled(fill) if self.state.counters.fills > fills => {
                let instrument = &self.state.listing(fill.instrument).instrument;
                self.counters.fills += 1;
                self.costs.fill(instrument, fill, fill.price);
                self.digest.add(instrument, fill, event.at);
                self.round_trips.fill(instrument, fill, event.at);
            }
            EventKind::BarClosed { bar, origin } => {
                self.origin = *origin;
                return self.bar(bar, event.at);
            }
            _ => (),
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)]
    fn bar(&mut self, bar: &Bar, at: Timestamp) -> Result<(), PlanError> {
        // before the first decision nothing is watched, and there is nothing to draw
        let Some((instrument, _)) = &self.watched else { return Ok(()) };
        let later = self.last.is_none_or(|last| bar.open_time > last.open_time);
        if bar.instrument != *instrument || !later || self.portfolio.index() >= self.state.portfolios.len() {
            return Ok(());
        }
        let portfolio = self.state.portfolio(self.portfolio);
        let (it, equity) = (&self.state.listing(bar.instrument).instrument, portfolio.equity() as f64 / 1e8);
        let gross = crate::costs::exposure(it, portfolio.position(bar.instrument).quantity(), bar.close);
        if self.first.is_none() {
            let deposited = portfolio.holdings().iter().find(|holding| holding.currency == portfolio.base);
            let deposit = deposited.map_or(0.0, |holding| holding.deposited as f64 / 1e8);
            let at = bar.open_time;
            self.equity.push(at.nanos(), deposit, 0.0).map_err(|source| PlanError::Equity { at, source })?;
            self.market.open(at, bar.open);
            self.first = Some(*bar);
        }
        self.equity.push(at.nanos(), equity, gross).map_err(|source| PlanError::Equity { at, source })?;
        self.market.close(at, bar.close, self.equity.days().len());
        self.curve.push(bar, equity);
        self.round_trips.bar(bar);
        self.follow_ups.bar(it, bar);
        self.last = Some(*bar);
        self.bars += 1;
        Ok(())
    }

    fn finish(self) -> Option<Outcome> {
        let (id, strategy) = self.watched?;
        let instrument = self.state.listing(id).instrument.clone();
        let end = self.last.map_or((Timestamp::default(), Price::default()), |bar| (bar.close_time(), bar.close));
        let notional = Money { currency: instrument.settlement(), units: self.costs.notional };
        Some(Outcome {
            portfolio: self.portfolio,
            counters: self.counters,
            holds: self.counters.hold,
            bars: self.bars,
            digest: self.digest,
            round_trips: self.round_trips.finish(&instrument, end.0, end.1),
            equity: self.equity,
            traded_notional: notional.to_f64(),
            curve: self.curve.finish(),
            market: self.market,
            costs: self.costs,
            fill_policy: None::<FillPolicy>,
            origin: self.origin,
            first: self.first,
            last: self.last,
            strategy,
            signals: self.follow_ups.finish(),
            state: self.state,
            instrument,
        })
    }
}
