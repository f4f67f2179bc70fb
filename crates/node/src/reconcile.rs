//! The venue's word against the books: at the start, every half minute, and whenever a stream was away.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::health::Component;
use crate::inbox::{Comparison, Input};
use crate::inquire::{Asked, Reconciler, notice};
use crate::watch::SteadyClock;
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tradewind_domain::{
    ClientOrderId, Coded, Currency, InstrumentId, OrderState, PortfolioId, Source, Timestamp, VenueOrderId,
};
use tradewind_engine::{Answer, Basis, Doubt, EventKind, Evidence, Findings, Seen, Step, VenueTrade, compare};
use tradewind_host::{since, venue_order};
use tradewind_venues::QueryError;
use tradewind_venues::binance::convert::{ConvertError, OrderStanding};

/// How often the start asks anew while the venue's lists lag behind one another, and how long between.
const START_TRIES: u32 = 10;
const START_WAIT: Duration = Duration::from_millis(200);
/// How many orders the start asks for at once.
const AT_ONCE: usize = 8;
/// Balances are compared with every second sweep, and sooner after a difference.
const BALANCES_EVERY: u32 = 2;
const AFTER_DRIFT: Duration = Duration::from_secs(10);
/// Sweeps that are asked for in quick succession are one.
const PAUSE: Duration = Duration::from_millis(50);
/// The venue answers for at most this long a stretch at once.
///
/// Source: `rest-api.md`, "Account trade list": at most 24 hours between start and end.
const STRETCH: i64 = 24 * 3_600 * 1_000_000_000;

impl Reconciler {
    /// Before trading: explains every order that the last run left open, books missed fills, compares balances and open
    /// orders. Gives back the orders that stay in doubt.
    ///
    /// A difference that remains allows only what reduces, until a person adopts or resumes.
    pub(crate) async fn at_start(&self, core: &mut Core) -> Result<Vec<(ClientOrderId, Doubt)>, NodeError> {
        let clock = SteadyClock::of(&self.connection).await;
        let mut found = Findings::default();
        for attempt in 1..=START_TRIES {
            let settled = self.explain_open(core, clock).await?;
            let asked = core.now();
            found = self.compare_at_start(core, asked).await?;
            if settled && found.drifts.is_empty() && found.ask.is_empty() {
                break;
            }
            if attempt < START_TRIES {
                tokio::time::sleep(START_WAIT).await; // an execution may lie between two of the questions
            }
        }
        found.explained.drain(..).for_each(|text| core.note(format!("explained at the start: {text}")));
        core.off = found.off;
        if (found.ask.is_empty() && found.unread.is_empty()) || !found.drifts.is_empty() {
            let (now, drifts) = (core.now(), found.drifts);
            let kind = EventKind::Compared { through: now, drifts, at_start: true };
            core.record(now, wall(), Source::Venue, PortfolioId(0), kind)?;
        } else if !found.ask.is_empty() {
            // an agreement would end the asking for executions whose order the venue does not name yet
            core.note(format!("{} executions cannot be named yet: the next comparison asks again", found.ask.len()));
        }
        let doubts = core.host.state.open.values().map(|it| (it.order.client_id(), doubt_of(it.state)));
        Ok(doubts.filter_map(|(id, doubt)| Some((id, doubt?))).collect())
    }

    fn failed(&self, source: QueryError) -> NodeError {
        NodeError::Venue { url: self.connection.rest_url().to_owned(), source: Box::new(source) }
    }

    /// Records what became of the open orders; false while the venue's lists lag behind one another. What the venue does
    /// not find stays in doubt.
    async fn explain_open(&self, core: &mut Core, clock: SteadyClock) -> Result<bool, NodeError> {
        let open = core.host.state.open.values().cloned();
        let asked: Vec<_> = open.map(|record| Asked::new(self, clock, record, Doubt::Order, None)).collect();
        let listed = self.list_open(&asked).await.map_err(|source| self.failed(source))?;
        let mut words = stream::iter(asked)
            .map(|mut asked| async {
                asked.listed(&listed);
                let word = self.first_word(&mut asked).await;
                (asked, word)
            })
            .buffered(AT_ONCE);
        let mut settled = true;
        while let Some((asked, word)) = words.next().await {
            match word.map_err(|source| self.failed(source))? {
                FirstWord::Known(evidence) => self.record_evidence(core, &asked, &evidence)?,
                FirstWord::Lags => settled = false,
                FirstWord::NotFound => (),
            }
        }
        Ok(settled)
    }

    /// The open orders of the instruments of `asked`: what they name need not be asked for one by one.
    async fn list_open(&self, asked: &[Asked]) -> Result<Vec<OrderStanding>, QueryError> {
        let instruments: BTreeSet<_> = asked.iter().map(|it| it.about.inquiry.instrument()).collect();
        let mut listed = Vec::new();
        for id in instruments {
            listed.extend(self.connection.open_orders(id).await?);
        }
        Ok(listed)
    }

    /// What the venue says of an order at once.
    async fn first_word(&self, asked: &mut Asked) -> Result<FirstWord, QueryError> {
        loop {
            asked.look(&self.watch);
            let question = match asked.about.inquiry.next(asked.clock.now()) {
                Step::WaitUntil(until) => {
                    tokio::time::sleep(asked.clock.until(until)).await;
                    continue;
                }
                Step::Done(evidence) => return Ok(FirstWord::Known(evidence)),
                Step::Ask(question) => question,
            };
            let answer = self.ask(asked, &question).await?;
            let (lacks, fills) = (answer == Answer::Lacks, matches!(answer, Answer::Fills(_)));
            asked.about.inquiry.answered(asked.clock.now(), answer);
            let known = matches!(asked.about.inquiry.next(asked.clock.now()), Step::Done(_));
            match (lacks, fills && !known) {
                (true, _) => return Ok(FirstWord::NotFound),
                (_, true) => return Ok(FirstWord::Lags),
                _ => (),
            }
        }
    }

    fn record_evidence(&self, core: &mut Core, asked: &Asked, evidence: &Evidence) -> Result<(), NodeError> {
        if let Evidence::Found { standing, .. } = evidence {
            core.check_terms(asked.about.inquiry.client_id(), standing.price, standing.quantity)?;
        }
        // whether the last run's request left is unknown; if it did, the venue will say so
        let doubt = doubt_of(asked.about.record.state).unwrap_or(Doubt::Order);
        for (at, kind) in evidence.facts(&asked.about.record, doubt) {
            let at = at.unwrap_or_else(|| core.now());
            core.record(at, wall(), Source::Venue, PortfolioId(0), kind)?;
        }
        Ok(())
    }

    async fn compare_at_start(&self, core: &mut Core, asked: Timestamp) -> Result<Findings, NodeError> {
        let from = since(&core.host.state, asked);
        let basis = Basis::of(&core.host.state);
        let mut seen = self.look(asked, from).await.map_err(|source| self.failed(source))?;
        let unread = self.weigh(&mut seen).await.map_err(|source| self.failed(source))?;
        seen.at_start = true;
        let mut findings = compare(&core.host.state, &basis, &seen);
        if !findings.ask.is_empty() {
            self.name(&findings.ask, &mut seen).await.map_err(|source| self.failed(source))?;
            findings = compare(&core.host.state, &basis, &seen);
        }
        core.tell_unread(&unread, &findings.unread);
        core.record_findings(&findings)?;
        Ok(findings)
    }

    /// Compares the venue's lists with the books, again and again, until the engine ends.
    pub(crate) async fn sweep(self, inbox: mpsc::Sender<Input>) {
        let health = self.watch.health.clone();
        let _running = health.started(Component::Reconciliation);
        let mut inquiries = JoinSet::new();
        let (mut round, mut wait, mut last_error) = (0_u32, self.sweep_every, "");
        loop {
            self.watch.until_sweep(wait).await;
            tokio::time::sleep(PAUSE).await;
            while inquiries.try_join_next().is_some() {}
            round += 1;
            let balances = round.is_multiple_of(BALANCES_EVERY) || wait != self.sweep_every;
            match self.sweep_once(&inbox, balances).await {
                Ok(Some(findings)) => {
                    last_error = "";
                    let trouble = trouble(&findings);
                    wait = if trouble.is_none() { self.sweep_every } else { AFTER_DRIFT.min(self.sweep_every) };
                    match trouble {
                        Some(why) => health.degraded(Component::Reconciliation, why),
                        None if !findings.balanced && balances => health.worked(Component::Reconciliation),
                        None => health.ok(Component::Reconciliation),
                    }
                    for client_id in findings.doubtful {
                        let (reconciler, inbox) = (self.clone(), inbox.clone());
                        inquiries.spawn(async move { reconciler.resolve(client_id, Doubt::Order, None, &inbox).await });
                    }
                }
                Ok(None) => return, // the engine has ended
                Err(error) => {
                    if last_error != error.code() {
                        notice(&inbox, format!("{}: the venue's lists cannot be read: {error}", error.code())).await;
                    }
                    health.failed(Component::Reconciliation, format!("{}: {error}", error.code()));
                    last_error = error.code();
                    wait = AFTER_DRIFT.min(self.sweep_every);
                }
            }
        }
    }

    async fn sweep_once(&self, inbox: &mpsc::Sender<Input>, balances: bool) -> Result<Option<Findings>, QueryError> {
        let Some((mut basis, now, from)) = known(inbox).await else { return Ok(None) };
        let (mut seen, mut unread) = (self.look(now, from).await?, Vec::new());
        if balances {
            let Some((newer, ..)) = known(inbox).await else { return Ok(None) };
            basis.fills = newer.fills;
            unread = self.weigh(&mut seen).await?;
        }
        let mut last = false;
        loop {
            let (reply, answer) = oneshot::channel();
            let comparison = Comparison { basis: basis.clone(), seen: seen.clone(), unread: unread.clone(), last };
            let sent = inbox.send(Input::Compare(Box::new(comparison), reply)).await;
            let (Ok(()), Ok(findings)) = (sent, answer.await) else { return Ok(None) };
            if findings.ask.is_empty() || last {
                return Ok(Some(*findings));
            }
            self.name(&findings.ask, &mut seen).await?;
            last = true;
        }
    }

    /// Reads the venue's lists: open orders first, then what was executed.
    async fn look(&self, asked: Timestamp, from: Timestamp) -> Result<Seen, QueryError> {
        let history = i64::try_from(self.history.as_nanos()).unwrap_or(i64::MAX);
        let from = from.max(asked.plus_nanos(-history));
        let mut seen = Seen { asked, trades_from: from, ..Seen::default() };
        for instrument in &self.instruments {
            let listed = self.connection.open_orders(instrument.id).await?;
            seen.open.extend(listed.into_iter().map(venue_order));
            let mut start = from;
            while start <= asked {
                for row in self.connection.fills_since(instrument.id, start).await? {
                    let fill = row.fill(ClientOrderId::from_u128(0))?;
                    seen.trades.push(VenueTrade { venue_id: row.venue_id, at: row.at, fill });
                }
                start = start.plus_nanos(STRETCH);
            }
        }
        Ok(seen)
    }

    /// Reads what the account holds of each currency, free and locked. Gives back what of it cannot be read.
    async fn weigh(&self, seen: &mut Seen) -> Result<Vec<ConvertError>, QueryError> {
        let account = self.connection.account().await?;
        let mut held = BTreeMap::new();
        for balance in account.balances {
            *held.entry(balance.currency).or_default() += balance.free.units + balance.locked.units;
        }
        seen.balances = Some(held);
        // what has no code that the books could know is none of theirs
        seen.unread = account.unreadable.iter().filter_map(|fault| Currency::new(fault.symbol()).ok()).collect();
        Ok(account.unreadable)
    }

    /// Asks whose orders these are. One that the venue does not find yet stays nameless.
    async fn name(&self, ask: &[(InstrumentId, VenueOrderId)], seen: &mut Seen) -> Result<(), QueryError> {
        for (id, venue_id) in ask {
            match self.connection.order_named(*id, venue_id).await {
                Ok(standing) => seen.named.push(venue_order(standing)),
                Err(QueryError::NotFound { .. }) => (),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What the books know now, when that is, and from when on executions are asked for; `None` once the engine has ended.
async fn known(inbox: &mpsc::Sender<Input>) -> Option<(Basis, Timestamp, Timestamp)> {
    let (reply, answer) = oneshot::channel();
    inbox.send(Input::Basis(reply)).await.ok()?;
    answer.await.ok()
}

/// What is wrong with the account, if a comparison found anything.
fn trouble(found: &Findings) -> Option<String> {
    let unread = || found.unread.first().map(|currency| format!("the balance of {currency} cannot be read"));
    let differs =
        found.drifts.first().map(|it| format!("{} is {} here and {} at the venue", it.what, it.ours, it.venue));
    differs.or_else(unread)
}

/// What is not known of an order after a start, if anything is not.
const fn doubt_of(state: OrderState) -> Option<Doubt> {
    match state {
        OrderState::Unknown { .. } => Some(Doubt::Order),
        OrderState::PendingCancel => Some(Doubt::Cancel),
        OrderState::PendingReplace => Some(Doubt::Amend),
        _ => None,
    }
}

/// What the venue says of an order when it is asked for the first time.
enum FirstWord {
    /// All there is to know.
    Known(Evidence),
    /// It does not find it: that proves nothing yet.
    NotFound,
    /// It counts more executions than it lists.
    Lags,
}
