//! The venue's word against the books: at the start, after a gap of the user stream, and for a lost answer.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::inbox::{Fact, Input};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tradewind_domain::{
    ClientOrderId, Coded, Currency, Instrument, InstrumentId, LEDGER_DECIMALS, OrderState, PortfolioId, Quantity,
    Source, Timestamp, format_decimal,
};
use tradewind_engine::{Drift, EventKind, State};
use tradewind_venues::binance::Connection;
use tradewind_venues::binance::convert::{OrderStanding, StandingState};
use tradewind_venues::{AssetBalance, QueryError};

/// First and longest wait between two questions about an order in doubt.
const ASK_FIRST: Duration = Duration::from_millis(100);
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How often the start asks anew while the venue's lists lag behind one another, and how long between.
const START_TRIES: u32 = 10;
const START_WAIT: Duration = Duration::from_millis(200);

/// What is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Whether the venue has the order.
    Order,
    /// Whether the venue took the cancel.
    Cancel,
}

/// What the venue says became of orders.
#[derive(Debug, Default)]
struct Findings {
    /// Fills and ends, in the order in which the venue saw them; a fill before the word that closes its order.
    events: Vec<(Timestamp, EventKind)>,
    /// Orders that the venue does not find.
    absent: Vec<ClientOrderId>,
    /// Orders that the venue still works.
    open: Vec<ClientOrderId>,
    /// Orders of which it counts more executions than it lists yet.
    lagging: Vec<ClientOrderId>,
}

/// Asks the venue what became of things.
#[derive(Clone)]
pub(crate) struct Reconciler {
    pub(crate) connection: Connection,
    pub(crate) instruments: Vec<Instrument>,
    /// How long after a request the venue's not finding an order proves that it never came. Until the request's window
    /// closed it may still arrive, and afterwards the venue's lists may lag.
    pub(crate) absent_after: Duration,
}

impl Reconciler {
    /// Before trading: explains every order that the last run left open, books missed fills, compares balances. Gives
    /// back the orders that stay in doubt.
    ///
    /// A difference that remains halts trading until a person resumes it.
    pub(crate) async fn at_start(&self, core: &mut Core) -> Result<Vec<(ClientOrderId, InstrumentId)>, NodeError> {
        let mut drifts = Vec::new();
        for attempt in 1..=START_TRIES {
            let settled = self.explain_open(core).await?;
            let account = self.connection.account().await.map_err(|source| self.failed(source))?;
            drifts = balance_drifts(&core.host.state, &account.balances);
            drifts.extend(self.foreign_orders(&core.host.state).await?);
            if settled && drifts.is_empty() {
                break;
            }
            if attempt < START_TRIES {
                tokio::time::sleep(START_WAIT).await; // an execution may lie between two of the questions
            }
        }
        let now = core.now();
        core.record(now, wall(), Source::Venue, PortfolioId(0), EventKind::Reconciled { drifts })?;
        let unknown = core.host.state.open.values().filter(|it| matches!(it.state, OrderState::Unknown { .. }));
        Ok(unknown.map(|it| (it.order.client_id(), it.order.instrument())).collect())
    }

    /// Records what became of the open orders; false while the venue's lists lag behind one another.
    async fn explain_open(&self, core: &mut Core) -> Result<bool, NodeError> {
        let open: Vec<_> =
            core.host.state.open.values().map(|it| (it.order.client_id(), it.order.instrument())).collect();
        let found = self.explain(&open).await.map_err(|source| self.failed(source))?;
        for (at, kind) in found.events {
            core.record(at, wall(), Source::Venue, PortfolioId(0), kind)?;
        }
        for client_id in found.open {
            // whether the last run's cancel left is unknown; if it did, the venue will say so
            if core.host.state.open.get(&client_id).is_some_and(|it| it.state == OrderState::PendingCancel) {
                let reason = "the venue still works the order".to_owned();
                let refused = EventKind::CancelRefused { client_id, reason };
                core.record(core.now(), wall(), Source::Venue, PortfolioId(0), refused)?;
            }
        }
        Ok(found.lagging.is_empty())
    }

    fn failed(&self, source: QueryError) -> NodeError {
        NodeError::Venue { url: self.connection.rest_url().to_owned(), source: Box::new(source) }
    }

    /// Asks what became of `orders`.
    async fn explain(&self, orders: &[(ClientOrderId, InstrumentId)]) -> Result<Findings, QueryError> {
        let mut found = Findings::default();
        for (client_id, id) in orders {
            let standing = match self.connection.order(*id, *client_id).await {
                Ok(standing) => standing,
                Err(QueryError::NotFound { .. }) => {
                    found.absent.push(*client_id);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut listed = Quantity::ZERO;
            if standing.filled > Quantity::ZERO {
                for fill in self.connection.fills_of(*id, &standing.venue_id).await? {
                    let booked = fill.fill(*client_id)?;
                    listed += booked.quantity;
                    found.events.push((fill.at, EventKind::Filled(booked)));
                }
            }
            if listed < standing.filled {
                found.lagging.push(*client_id); // its end is told once all its executions are
                continue;
            }
            if standing.state == StandingState::Open {
                found.open.push(*client_id);
            }
            found.events.push((standing.updated_at, word_on(*client_id, &standing)));
        }
        found.events.sort_by_key(|(at, _)| *at);
        Ok(found)
    }

    /// After a gap of the user stream: asks for every order that might have changed.
    pub(crate) async fn reread(&self, inbox: &mpsc::Sender<Input>) {
        let mut wait = ASK_FIRST;
        loop {
            let (reply, answer) = oneshot::channel();
            let asked = inbox.send(Input::OpenOrders(reply)).await;
            let (Ok(()), Ok(open)) = (asked, answer.await) else { return }; // the engine has ended
            match self.explain(&open).await {
                Ok(found) => {
                    let settled = found.lagging.is_empty();
                    tell(inbox, found.events).await;
                    if settled {
                        return;
                    }
                }
                Err(error) => {
                    notice(inbox, format!("{}: the gap of the user stream cannot be read: {error}", error.code()))
                        .await;
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(ASK_EVERY);
        }
    }

    /// For a lost answer: asks until the venue says what became of the order, or its silence is proof.
    ///
    /// Until then the order stays unknown, counts in full and blocks what it could double.
    pub(crate) async fn resolve(
        &self,
        client_id: ClientOrderId,
        id: InstrumentId,
        doubt: Doubt,
        inbox: &mpsc::Sender<Input>,
    ) {
        let began = Instant::now();
        let mut wait = ASK_FIRST;
        let mut last_error = "";
        loop {
            tokio::time::sleep(wait).await;
            if inbox.is_closed() {
                return;
            }
            wait = (wait * 2).min(ASK_EVERY);
            let late = began.elapsed() >= self.absent_after; // taken before the question
            match self.explain(&[(client_id, id)]).await {
                Ok(found) if !found.lagging.is_empty() => tell(inbox, found.events).await,
                Ok(found) if found.absent.is_empty() => {
                    let open = !found.open.is_empty();
                    tell(inbox, found.events).await;
                    match doubt {
                        Doubt::Cancel if open && !late => continue,
                        Doubt::Cancel if open => {
                            let reason = "the venue still works the order".to_owned();
                            return tell_now(inbox, EventKind::CancelRefused { client_id, reason }).await;
                        }
                        Doubt::Cancel | Doubt::Order => return,
                    }
                }
                Ok(_) if !late => (),
                Ok(_) if doubt == Doubt::Order => return tell_now(inbox, EventKind::Expired { client_id, evidence: None }).await,
                Ok(_) => {
                    let text = format!("the venue does not find order {client_id} any more: look at the venue");
                    return notice(inbox, text).await;
                }
                Err(error) => {
                    if last_error != error.code() {
                        notice(inbox, format!("{}: order {client_id} cannot be asked for: {error}", error.code()))
                            .await;
                    }
                    last_error = error.code();
                }
            }
        }
    }

    /// Open orders at the venue that are not ours.
    async fn foreign_orders(&self, state: &State) -> Result<Vec<Drift>, NodeError> {
        let mut drifts = Vec::new();
        for instrument in &self.instruments {
            let standings = self.connection.open_orders(instrument.id).await.map_err(|source| self.failed(source))?;
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

async fn tell(inbox: &mpsc::Sender<Input>, events: Vec<(Timestamp, EventKind)>) {
    for (at, kind) in events {
        let _ = inbox.send(Input::Fact(Fact::of_venue(Some(at), kind))).await; // an engine that ended asks at its next start
    }
}

async fn tell_now(inbox: &mpsc::Sender<Input>, kind: EventKind) {
    let _ = inbox.send(Input::Fact(Fact::of_venue(None, kind))).await;
}

async fn notice(inbox: &mpsc::Sender<Input>, text: String) {
    let _ = inbox.send(Input::Notice(text)).await;
}

/// What a standing says beyond its fills.
fn word_on(client_id: ClientOrderId, standing: &OrderStanding) -> EventKind {
    match standing.state {
        StandingState::Open | StandingState::Filled => {
            EventKind::Accepted { client_id, venue_id: standing.venue_id.clone() }
        }
        StandingState::Cancelled => EventKind::Cancelled { client_id, reason: "on request".into() },
        StandingState::Expired => EventKind::Cancelled { client_id, reason: "by the venue".into() },
        StandingState::Rejected => EventKind::Rejected { client_id, reason: "by the venue".into() },
    }
}

/// Balances that differ by more than the ledger's last unit.
fn balance_drifts(state: &State, balances: &[AssetBalance]) -> Vec<Drift> {
    let mut ours: BTreeMap<Currency, i128> = BTreeMap::new();
    for holding in state.portfolios.iter().flat_map(tradewind_engine::Portfolio::holdings) {
        *ours.entry(holding.currency).or_default() += holding.units;
    }
    let mut theirs: BTreeMap<Currency, i128> = BTreeMap::new();
    for balance in balances {
        *theirs.entry(balance.currency).or_default() += balance.free.units + balance.locked.units;
    }
    let all: BTreeSet<Currency> = ours.keys().chain(theirs.keys()).copied().collect();
    let drift = |currency: &Currency| {
        let units = |side: &BTreeMap<Currency, i128>| side.get(currency).copied().unwrap_or(0);
        let (mine, venue) = (units(&ours), units(&theirs));
        let text = |units| format_decimal(units, LEDGER_DECIMALS);
        let what = || format!("balance {currency}");
        ((mine - venue).abs() > 1).then(|| Drift { what: what(), ours: text(mine), venue: text(venue) })
    };
    all.iter().filter_map(drift).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::Money;
    use tradewind_engine::{Event, apply};

    /// Two portfolios that own `ours` together, and an account that holds `theirs` (free and locked).
    fn check(ours: [(&str, i128); 2], theirs: &[(&str, i128, i128)], want: &[&str]) {
        let currency = |code: &str| Currency::new(code).unwrap();
        let mut state = State::default();
        for (place, (code, units)) in (0_u16..).zip(ours) {
            for kind in [
                EventKind::Opened { base: currency("USDT"), name: place.to_string() },
                EventKind::Deposited(Money { currency: currency(code), units }),
            ] {
                let event = Event::new(state.sequence + 1, Timestamp::from_millis(1), Source::Host, kind);
                apply(&mut state, &Event { portfolio: PortfolioId(place), ..event });
            }
        }
        let account: Vec<AssetBalance> = theirs
            .iter()
            .map(|(code, free, locked)| {
                let money = |units| Money { currency: currency(code), units };
                AssetBalance { currency: currency(code), free: money(*free), locked: money(*locked) }
            })
            .collect();
        let drifts = balance_drifts(&state, &account);
        let got: Vec<String> = drifts.iter().map(|it| format!("{}: {} / {}", it.what, it.ours, it.venue)).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn balances_agree_in_sum_to_the_last_unit() {
        check([("USDT", 70), ("USDT", 30)], &[("USDT", 60, 40)], &[]);
        check([("USDT", 70), ("USDT", 30)], &[("USDT", 101, 0)], &[]); // one unit is rounding
        check([("USDT", 70), ("BTC", 0)], &[("USDT", 70, 0), ("ETH", 1, 0)], &[]);
    }

    #[test]
    fn a_difference_names_currency_and_both_amounts() {
        check([("USDT", 70), ("USDT", 30)], &[("USDT", 102, 0)], &["balance USDT: 0.000001 / 0.00000102"]);
        check(
            [("USDT", 500_000_000), ("BTC", 7)],
            &[("USDT", 0, 300_000_000)],
            &["balance BTC: 0.00000007 / 0", "balance USDT: 5 / 3"],
        );
        check([("USDT", 1), ("USDT", 1)], &[("USDT", 2, 0), ("BNB", 5, 0)], &["balance BNB: 0 / 0.00000005"]);
    }
}
