//! The venue's word against the books: at the start, after a gap of the user stream, and for a lost answer.

use crate::clock::wall;
use crate::core::{Core, Fact, Input};
use crate::error::NodeError;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tradewind_domain::{
    ClientOrderId, Coded, Currency, Instrument, InstrumentId, LEDGER_DECIMALS, PortfolioId, Source, Timestamp,
    VenueOrderId, format_decimal,
};
use tradewind_engine::{Drift, EventKind, State};
use tradewind_venues::QueryError;
use tradewind_venues::binance::convert::{OrderStanding, StandingState};
use tradewind_venues::binance::{AccountState, Connection};

/// How often a lost order is asked for, and how long between.
const ASK_TIMES: u32 = 60;
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Asks the venue what became of things.
#[derive(Clone)]
pub(crate) struct Reconciler {
    pub(crate) connection: Connection,
    pub(crate) instruments: Vec<Instrument>,
}

impl Reconciler {
    /// Before trading: explains every order that the last run left open, books missed fills, compares balances.
    ///
    /// A difference that remains halts trading until a person resumes it.
    pub(crate) async fn at_start(&self, core: &mut Core, account: &AccountState) -> Result<(), NodeError> {
        let since = core.state.open.values().map(|record| record.times.created).min();
        if let Some(since) = since {
            for (at, kind) in self.events_since(since, &core.state).await? {
                core.record(at, wall(), Source::Venue, PortfolioId(0), kind)?;
            }
        }
        let mut drifts = balance_drifts(&core.state, account);
        drifts.extend(self.foreign_orders(&core.state).await?);
        let now = core.state.now;
        core.record(now, wall(), Source::Venue, PortfolioId(0), EventKind::Reconciled { drifts })
    }

    fn venue_error(source: QueryError) -> NodeError {
        NodeError::Venue { url: "reconciliation".to_owned(), source: Box::new(source) }
    }

    /// Orders and fills since `since`, as events in the order in which the venue saw them.
    async fn events_since(&self, since: Timestamp, state: &State) -> Result<Vec<(Timestamp, EventKind)>, NodeError> {
        let mut events = Vec::new();
        let since = since.plus_nanos(-60_000_000_000); // our clock and the market's may differ
        for instrument in &self.instruments {
            let ours: Vec<ClientOrderId> = state.open.keys().copied().collect();
            events.extend(self.reread_one(instrument.id, since, &ours).await.map_err(Self::venue_error)?);
        }
        events.sort_by_key(|(at, _)| *at);
        Ok(events)
    }

    /// What became of `ours` in one instrument. Fills come before the word that closes their order.
    async fn reread_one(
        &self,
        id: InstrumentId,
        since: Timestamp,
        ours: &[ClientOrderId],
    ) -> Result<Vec<(Timestamp, EventKind)>, QueryError> {
        let mut standings: BTreeMap<VenueOrderId, OrderStanding> = BTreeMap::new();
        for client_id in ours {
            match self.connection.order(id, *client_id).await {
                Ok(standing) => drop(standings.insert(standing.venue_id.clone(), standing)),
                Err(QueryError::NotFound { .. }) => (), // proves nothing by itself
                Err(error) => return Err(error),
            }
        }
        if standings.is_empty() {
            return Ok(Vec::new());
        }
        let mut events = Vec::new();
        for fill in self.connection.fills_since(id, since).await? {
            let owner = standings.get(&fill.venue_id).and_then(|standing| standing.client_id);
            if let Some(client_id) = owner {
                events.push((fill.at, EventKind::Filled(fill.fill(client_id)?)));
            }
        }
        events.extend(standings.values().filter_map(|standing| closing_event(standing)));
        Ok(events)
    }

    /// After a gap of the user stream: asks for every order that might have changed.
    pub(crate) async fn reread(&self, since: Timestamp, inbox: &mpsc::Sender<Input>) {
        for instrument in &self.instruments {
            let told = async {
                let standings = self.connection.orders_since(instrument.id, since.plus_nanos(-60_000_000_000)).await?;
                let ours: Vec<ClientOrderId> = standings.iter().filter_map(|standing| standing.client_id).collect();
                self.reread_one(instrument.id, since.plus_nanos(-60_000_000_000), &ours).await
            };
            match told.await {
                Ok(events) => {
                    for (at, kind) in events {
                        let _ = inbox.send(Input::Fact(Fact::of_venue(at, kind))).await;
                    }
                }
                Err(error) => {
                    let text = format!("{}: the gap of the user stream cannot be read: {error}", error.code());
                    let _ = inbox.send(Input::Notice(text)).await;
                }
            }
        }
    }

    /// For a lost answer: asks until the venue knows the order. Not finding it proves nothing, so the order stays
    /// unknown until it is found, and blocks what it could double.
    pub(crate) async fn resolve(&self, client_id: ClientOrderId, id: InstrumentId, inbox: &mpsc::Sender<Input>) {
        for _ in 0..ASK_TIMES {
            tokio::time::sleep(ASK_EVERY).await;
            let since = wall().plus_nanos(-24 * 3_600_000_000_000);
            match self.reread_one(id, since, &[client_id]).await {
                Ok(events) if events.is_empty() => (),
                Ok(events) => {
                    for (at, kind) in events {
                        let _ = inbox.send(Input::Fact(Fact::of_venue(at, kind))).await;
                    }
                    return;
                }
                Err(error) => {
                    let text = format!("{}: order {client_id} cannot be asked for: {error}", error.code());
                    let _ = inbox.send(Input::Notice(text)).await;
                }
            }
        }
        let text =
            format!("order {client_id} is still of unknown outcome: look at the venue, then restart to reconcile");
        let _ = inbox.send(Input::Notice(text)).await;
    }

    /// Open orders at the venue that are not ours.
    async fn foreign_orders(&self, state: &State) -> Result<Vec<Drift>, NodeError> {
        let mut drifts = Vec::new();
        for instrument in &self.instruments {
            let standings = self.connection.open_orders(instrument.id).await.map_err(Self::venue_error)?;
            for standing in standings {
                if !standing.client_id.is_some_and(|id| state.open.contains_key(&id)) {
                    drifts.push(Drift {
                        what: format!("open order {}", standing.client_text),
                        ours: "none".to_owned(),
                        venue: instrument.quantity_text(standing.quantity),
                    });
                }
            }
        }
        Ok(drifts)
    }
}

/// What a standing says beyond its fills.
fn closing_event(standing: &OrderStanding) -> Option<(Timestamp, EventKind)> {
    let client_id = standing.client_id?;
    let venue_id = standing.venue_id.clone();
    let kind = match standing.state {
        StandingState::Open | StandingState::Filled => EventKind::Accepted { client_id, venue_id },
        StandingState::Cancelled => EventKind::Cancelled { client_id, reason: "on request".into() },
        StandingState::Expired => EventKind::Cancelled { client_id, reason: "by the venue".into() },
        StandingState::Rejected => EventKind::Rejected { client_id, reason: "by the venue".into() },
    };
    Some((standing.updated_at, kind))
}

/// Balances that differ by more than the ledger's last unit.
fn balance_drifts(state: &State, account: &AccountState) -> Vec<Drift> {
    let mut ours: BTreeMap<Currency, i128> = BTreeMap::new();
    for holding in state.portfolios.iter().flat_map(tradewind_engine::Portfolio::holdings) {
        *ours.entry(holding.currency).or_default() += holding.units;
    }
    let mut theirs: BTreeMap<Currency, i128> = BTreeMap::new();
    for balance in &account.balances {
        *theirs.entry(balance.currency).or_default() += balance.free.units + balance.locked.units;
    }
    let all: std::collections::BTreeSet<Currency> = ours.keys().chain(theirs.keys()).copied().collect();
    let text = |units: Option<&i128>| format_decimal(units.copied().unwrap_or(0), LEDGER_DECIMALS);
    let drift = |currency: &Currency| {
        let (mine, venue) = (ours.get(currency), theirs.get(currency));
        let differs = (mine.copied().unwrap_or(0) - venue.copied().unwrap_or(0)).abs() > 1;
        differs.then(|| Drift { what: format!("balance {currency}"), ours: text(mine), venue: text(venue) })
    };
    all.iter().filter_map(drift).collect()
}
