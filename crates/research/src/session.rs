//! What came of a session that a journal remembers, in the same shape as a backtest's outcome.

use crate::delivery::Closing;
use crate::outcomes::FollowUps;
use crate::tags::{Word, gives_way, word_of};
use crate::{Costs, Curve, Idle, MarketPath, Outcome, PlanError, RoundTrip, RoundTrips, Tags};
use std::collections::BTreeMap;
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, ClientOrderId, Fill, InstrumentId, Money, OrderRecord, OrderState, Origin, Outcome as Ended, PortfolioId,
    Price, Sequence, Timestamp,
};
use tradewind_engine::algo::ParentId;
use tradewind_engine::{Counters, DecisionKind, Event, EventKind, State, TradeDigest, Verdict, apply};
use tradewind_quant::EquityAccumulator;

/// Folds `events` and follows the portfolio and the instrument that it first decided on.
///
/// `None` if nothing was ever decided for the portfolio. Costs are those that the venue reported: fees and funding. What
/// spread, slippage and impact came to lies in the prices of its fills, for it tells no price before them.
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
    round_trips: BTreeMap<InstrumentId, RoundTrips>,
    /// What decisions to trade were said to be for, by the event that records them.
    said: BTreeMap<Sequence, Word>,
    /// The newest proposal, and under which word it was made.
    proposed: Option<(Sequence, Word)>,
    /// Under which word brackets were made to give way.
    left: BTreeMap<ParentId, Word>,
    equity: EquityAccumulator,
    curve: Curve,
    market: MarketPath,
    costs: Costs,
    idle: Idle,
    /// Notional of what is watched that traded since its newest bar.
    traded: i128,
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
            round_trips: BTreeMap::new(),
            said: BTreeMap::new(),
            proposed: None,
            left: BTreeMap::new(),
            equity: EquityAccumulator::new(),
            curve: Curve::new(),
            market: MarketPath::default(),
            costs: Costs::default(),
            idle: Idle::default(),
            traded: 0,
            origin: Origin::Live,
            follow_ups: FollowUps::default(),
            bars: 0,
            first: None,
            last: None,
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), PlanError> {
        let fills = self.state.counters.fills;
        let owner_of = |id: ClientOrderId| self.state.order(id).map(|record| record.order.portfolio());
        let (owner, was_open) = match &event.kind {
            EventKind::Filled(fill) => (owner_of(fill.client_id), true),
            EventKind::Rejected { client_id, .. }
            | EventKind::Cancelled { client_id, .. }
            | EventKind::Expired { client_id, .. } => (owner_of(*client_id), self.state.open.contains_key(client_id)),
            _ => (Some(event.portfolio), true),
        };
        if let EventKind::Settled { instrument, settlement } = &event.kind {
            let closing = Closing::of(&self.state, self.portfolio, *instrument, *settlement);
            let before = self.state.listing(*instrument).settled;
            apply(&mut self.state, event);
            let is_news = before.is_none() && self.state.listing(*instrument).settled.is_some();
            return if is_news { self.settled(&closing, event.at) } else { Ok(()) }; // it concerns every portfolio
        }
        if let EventKind::Funding { instrument, .. } = &event.kind {
            let before = self.funding_paid(*instrument);
            apply(&mut self.state, event);
            let paid = self.funding_paid(*instrument) - before;
            if let Some(trips) = self.round_trips.get_mut(instrument) {
                trips.fund(paid);
            }
            return Ok(()); // so does this
        }
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
                self.said.extend(decision.tag.clone().map(|tag| (event.sequence, tag)));
                match decision.kind {
                    DecisionKind::Buy => self.counters.buy += 1,
                    DecisionKind::Sell => self.counters.sell += 1,
                    DecisionKind::Hold => self.counters.hold += 1,
                }
            }
            EventKind::Proposed(proposal) => {
                let said = event.cause.and_then(|decision| self.said.get(&decision)).cloned();
                self.proposed = Some((event.sequence, said.unwrap_or_else(|| word_of(proposal.source).into())));
            }
            EventKind::Parent(said) => {
                let of = self.proposed.as_ref().filter(|(proposal, _)| event.cause == Some(*proposal));
                self.left.extend(gives_way(said).zip(of.map(|(_, word)| word.clone())));
            }
            EventKind::Judged(Verdict::Approved(_)) => self.counters.orders += 1,
            EventKind::Judged(Verdict::Refused(refusal)) => {
                self.counters.veto += 1;
                self.idle.refused(refusal);
            }
            EventKind::Rejected { .. } if was_open => self.counters.rejected += 1,
            EventKind::Filled(fill) if self.state.counters.fills > fills => {
                self.fill(fill, event.at);
            }
            EventKind::Cancelled { client_id, .. } | EventKind::Expired { client_id, evidence: None } if was_open => {
                let expired = OrderState::Closed { outcome: Ended::Expired };
                let by_time = |record: &OrderRecord| record.state == expired && !record.ends_at_worst();
                self.costs.expired += u64::from(self.state.order(*client_id).is_some_and(by_time));
            }
            EventKind::BarClosed { bar, origin } => {
                self.origin = *origin;
                return self.bar(bar, event.at);
            }
            _ => (),
        }
        Ok(())
    }

    fn fill(&mut self, fill: &Fill, at: Timestamp) {
        let instrument = &self.state.listing(fill.instrument).instrument;
        let tags = self.state.order(fill.client_id).map_or(Tags::ELSEWHERE, |record| {
            let said = record.order.decision().and_then(|decision| self.said.get(&decision));
            Tags::of(&self.state, &record.order, said.cloned(), |parent| self.left.get(&parent).cloned())
        });
        self.counters.fills += 1;
        let before = self.costs.notional;
        self.costs.fill(instrument, fill);
        if self.watched.as_ref().is_some_and(|(watched, _)| *watched == fill.instrument) {
            self.traded += self.costs.notional - before;
        }
        self.digest.add(instrument, fill, at);
        self.round_trips.entry(fill.instrument).or_default().fill(instrument, fill, at, &tags);
    }

    fn funding_paid(&self, instrument: InstrumentId) -> i128 {
        self.state.portfolios.get(self.portfolio.index()).map_or(0, |books| books.funding_paid(instrument))
    }

    fn settled(&mut self, closing: &Closing, at: Timestamp) -> Result<(), PlanError> {
        self.costs.expired += closing.orders;
        let Some(fee) = closing.fee(&self.state) else { return Ok(()) };
        self.costs.settle(fee);
        if let Some(trips) = self.round_trips.get_mut(&closing.instrument) {
            let instrument = &self.state.listing(closing.instrument).instrument;
            trips.settle(instrument, closing.settlement.price, fee, at);
        }
        let Some(bar) = self.last else { return Ok(()) };
        let equity = self.follow_equity(&bar, at.max(bar.close_time()))?; // its venue may date it before that close
        self.curve.end(equity);
        Ok(())
    }

    fn bar(&mut self, bar: &Bar, at: Timestamp) -> Result<(), PlanError> {
        // before the first decision nothing is watched, and there is nothing to draw
        let Some((instrument, _)) = &self.watched else { return Ok(()) };
        if let Some(trips) = self.round_trips.get_mut(&bar.instrument) {
            trips.bar(bar);
        }
        let later = self.last.is_none_or(|last| bar.open_time > last.open_time);
        if bar.instrument != *instrument || !later || self.portfolio.index() >= self.state.portfolios.len() {
            return Ok(());
        }
        if self.first.is_none() {
            let portfolio = self.state.portfolio(self.portfolio);
            let deposited = portfolio.holdings().iter().find(|holding| holding.currency == portfolio.base);
            let units = deposited.map_or(0, |holding| holding.deposited);
            let (at, deposit) = (bar.open_time, Money { currency: portfolio.base, units });
            let it = &self.state.listing(bar.instrument).instrument;
            self.equity
                .push(at.nanos(), deposit.to_f64(), 0.0)
                .and_then(|()| self.market.open(it, at, bar.open, deposit))
                .map_err(|source| PlanError::Equity { at, source })?;
            self.first = Some(*bar);
        }
        let equity = self.follow_equity(bar, at)?;
        self.curve.push(bar, equity);
        let it = &self.state.listing(bar.instrument).instrument;
        self.follow_ups.bar(it, bar);
        if self.traded > 0 {
            self.costs.share(it, bar, std::mem::take(&mut self.traded));
        }
        self.last = Some(*bar);
        self.bars += 1;
        Ok(())
    }

    /// Takes in the equity as it stands at `at`, when `bar` is the last of what is watched that closed.
    #[allow(clippy::cast_precision_loss)]
    fn follow_equity(&mut self, bar: &Bar, at: Timestamp) -> Result<f64, PlanError> {
        let portfolio = self.state.portfolio(self.portfolio);
        let (it, equity) = (&self.state.listing(bar.instrument).instrument, portfolio.equity() as f64 / 1e8);
        let gross = crate::costs::exposure(it, portfolio.position(bar.instrument).quantity(), bar.close);
        self.equity
            .push(at.nanos(), equity, gross)
            .and_then(|()| self.market.close(at, bar.close))
            .map_err(|source| PlanError::Equity { at, source })?;
        Ok(equity)
    }

    fn finish(self) -> Option<Outcome> {
        let (id, strategy) = self.watched?;
        let instrument = self.state.listing(id).instrument.clone();
        let end = self.last.map_or((Timestamp::default(), Price::default()), |bar| (bar.close_time(), bar.close));
        let notional = Money { currency: instrument.settlement(), units: self.costs.notional };
        let finished = self.round_trips.into_iter().flat_map(|(of, trips)| {
            let listing = self.state.listing(of);
            let mark = if of == id { end.1 } else { listing.mark.map_or(end.1, |mark| mark.price) };
            trips.finish(&listing.instrument, end.0, mark)
        });
        let mut round_trips: Vec<RoundTrip> = finished.collect();
        round_trips.sort_by_key(|trip| (trip.open, trip.closed_at));
        Some(Outcome {
            portfolio: self.portfolio,
            counters: self.counters,
            holds: self.counters.hold,
            bars: self.bars,
            digest: self.digest,
            round_trips,
            equity: self.equity,
            traded_notional: notional.to_f64(),
            curve: self.curve.finish(),
            market: self.market,
            costs: self.costs,
            idle: self.idle,
            settlement_price: None,
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
