//! Asks the venue what became of orders, one question at a time, until there is evidence.
//!
//! What to ask and when it is enough is decided by [`Inquiry`]; here are only the questions' words and the waiting.

use crate::abort::or_abort_async;
use crate::inbox::{Fact, Input};
use crate::watch::{SteadyClock, Watch};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tradewind_domain::{
    ClientOrderId, Coded, Instrument, InstrumentId, OrderRecord, OrderState, Timestamp, VenueOrderId,
};
use tradewind_engine::{Answer, Doubt, Evidence, EvidencePolicy, Inquiry, Question, Step};
use tradewind_host::{InDoubt, standing_of};
use tradewind_venues::QueryError;
use tradewind_venues::binance::Connection;
use tradewind_venues::binance::convert::OrderStanding;

/// How long a question that cannot be asked now is put off at most, while the engine may end or the streams tell.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Asks the venue what became of things.
#[derive(Clone)]
pub(crate) struct Reconciler {
    pub(crate) connection: Connection,
    pub(crate) instruments: Vec<Instrument>,
    /// How much of the venue's silence is proof.
    pub(crate) policy: EvidencePolicy,
    /// How often the venue's lists are compared with the books.
    pub(crate) sweep_every: Duration,
    /// How far back the venue tells of executions.
    pub(crate) history: Duration,
    pub(crate) watch: Arc<Watch>,
}

/// One order in doubt, and the clocks by which it is asked about.
pub(crate) struct Asked {
    pub(crate) about: InDoubt,
    pub(crate) clock: SteadyClock,
    stream: Option<Instant>,
}

impl Asked {
    pub(crate) fn new(
        reconciler: &Reconciler,
        clock: SteadyClock,
        record: OrderRecord,
        doubt: Doubt,
        window: Option<(Timestamp, Timestamp)>,
    ) -> Self {
        let mut inquiry = Inquiry::new(&record, doubt, reconciler.policy, clock.now(), clock.error());
        if let Some((not_before, fence)) = window {
            inquiry = inquiry.within(not_before, fence);
        }
        Self { about: InDoubt::new(record, inquiry), clock, stream: None }
    }

    /// Looks for the order among `open`, a list that the venue gave of its own.
    pub(crate) fn listed(&mut self, open: &[OrderStanding]) {
        if let Some(standing) = open.iter().find(|it| self.about.is_it(it)) {
            let booked = self.about.record.filled;
            self.about.inquiry.listed(self.clock.now(), standing_of(standing.clone()), booked);
        }
    }

    /// Takes note of how the user stream and the clock are.
    pub(crate) fn look(&mut self, watch: &Watch) {
        let since = watch.stream_since();
        if since != self.stream {
            self.about.inquiry.stream_broke();
            self.stream = since;
        }
        if let Some(since) = since {
            self.about.inquiry.stream_is_whole(self.clock.at(since));
        }
        self.about.inquiry.clock_may_err(self.clock.error());
    }
}

impl Reconciler {
    /// Asks until the venue says what became of the order, or its silence is proof. Until then the order stays as it
    /// is: of unknown outcome, counted in full.
    ///
    /// `window` is that of the request in doubt, where it is not that of the order itself.
    pub(crate) async fn resolve(
        &self,
        client_id: ClientOrderId,
        doubt: Doubt,
        window: Option<(Timestamp, Timestamp)>,
        inbox: &mpsc::Sender<Input>,
    ) {
        let Some(mut asking) = self.watch.begin(client_id, (doubt, window)) else { return };
        let mut next = Some((doubt, window));
        while let Some((doubt, window)) = next {
            or_abort_async("reconciler", self.ask_until_known(client_id, doubt, window, inbox)).await;
            next = asking.next();
        }
    }

    async fn ask_until_known(
        &self,
        client_id: ClientOrderId,
        doubt: Doubt,
        window: Option<(Timestamp, Timestamp)>,
        inbox: &mpsc::Sender<Input>,
    ) {
        let Some(record) = record_of(inbox, client_id).await else { return };
        let was_unknown = is_unknown(&record);
        let clock = SteadyClock::of(&self.connection).await;
        let mut asked = Asked::new(self, clock, record, doubt, window);
        let mut last_error = "";
        loop {
            let Some(record) = record_of(inbox, client_id).await else { return };
            let told = was_unknown && !is_unknown(&record) && asked.about.inquiry.doubt() == Doubt::Order;
            let amended = doubt == Doubt::Amend && record.state != OrderState::PendingReplace;
            if !record.state.is_open() || told || amended {
                return; // the streams were faster
            }
            asked.about.record = record;
            // its own answer was lost after its cancel's, or the venue does not list it any more
            if matches!(asked.about.record.state, OrderState::Unknown { .. }) || self.watch.is_order_doubted(client_id)
            {
                asked.about.inquiry.widen(&asked.about.record, asked.clock.now());
            }
            asked.look(&self.watch);
            if let Some(age) = asked.about.inquiry.alarm(asked.clock.now()) {
                let age = age / 1_000_000_000;
                notice(inbox, format!("alarm: the outcome of order {client_id} is unknown for {age} s")).await;
            }
            match asked.about.inquiry.next(asked.clock.now()) {
                Step::WaitUntil(until) => tokio::time::sleep(asked.clock.until(until).min(LOOK_AGAIN)).await,
                Step::Ask(question) => {
                    let answer = match self.ask(&mut asked, &question).await {
                        Ok(answer) => answer,
                        Err(error) => {
                            if last_error != error.code() {
                                let text = format!("{}: order {client_id} cannot be asked for: {error}", error.code());
                                notice(inbox, text).await;
                            }
                            last_error = error.code();
                            Answer::Failed { retry_after: wait_of(&error) }
                        }
                    };
                    asked.about.inquiry.answered(asked.clock.now(), answer);
                }
                Step::Done(evidence) => return self.conclude(&asked, &evidence, inbox).await,
            }
        }
    }

    async fn conclude(&self, asked: &Asked, evidence: &Evidence, inbox: &mpsc::Sender<Input>) {
        if let Evidence::Found { standing, .. } = evidence {
            let (client_id, price, quantity) = (asked.about.inquiry.client_id(), standing.price, standing.quantity);
            let _ = inbox.send(Input::Terms { client_id, price, quantity }).await; // an engine that ended asks anew
        }
        for (at, kind) in evidence.facts(&asked.about.record, asked.about.inquiry.doubt()) {
            let _ = inbox.send(Input::Fact(Fact::of_venue(at, kind))).await;
        }
    }

    /// Puts a question to the venue.
    pub(crate) async fn ask(&self, asked: &mut Asked, question: &Question) -> Result<Answer, QueryError> {
        let about = &mut asked.about;
        let (id, client_id, since) = (about.inquiry.instrument(), about.inquiry.client_id(), about.lists_from());
        match question {
            Question::Order => self.ask_order(id, client_id, about.record.venue_id.as_ref()).await,
            Question::OpenOrders => Ok(about.among(self.connection.open_orders(id).await?)),
            Question::History => Ok(about.among(self.connection.orders_since(id, since).await?)),
            Question::Trades => {
                let trades = self.connection.fills_since(id, since).await?;
                let traded =
                    trades.into_iter().map(|trade| Ok((trade.venue_id.clone(), trade.fill(client_id)?.quantity)));
                let traded = traded.collect::<Result<Vec<_>, QueryError>>()?;
                Ok(about.traded(&traded))
            }
            Question::Name(venue_id) => match self.connection.order_named(id, venue_id).await {
                Ok(standing) => Ok(about.named(standing)),
                Err(QueryError::NotFound { .. }) => Ok(Answer::Lacks),
                Err(error) => Err(error),
            },
            Question::Fills(venue_id) => {
                let rows = self.connection.fills_of(id, venue_id).await?;
                let fills = rows.iter().map(|row| Ok((row.at, row.fill(client_id)?)));
                Ok(Answer::Fills(fills.collect::<Result<_, QueryError>>()?))
            }
        }
    }

    /// The venue does not know our name of an order that we adopted: that one is asked for by the venue's own.
    async fn ask_order(
        &self,
        id: InstrumentId,
        client_id: ClientOrderId,
        venue_id: Option<&VenueOrderId>,
    ) -> Result<Answer, QueryError> {
        let asked = match venue_id {
            Some(venue_id) if client_id.is_foreign() => self.connection.order_named(id, venue_id).await,
            _ => self.connection.order(id, client_id).await,
        };
        match asked {
            Ok(standing) => Ok(Answer::Standing(standing_of(standing))),
            Err(QueryError::NotFound { .. }) => Ok(Answer::Lacks),
            Err(error) => Err(error),
        }
    }
}

/// How long the venue asked to wait, in nanoseconds.
fn wait_of(error: &QueryError) -> Option<i64> {
    let wait = match error {
        QueryError::Budget(wait) | QueryError::Banned(wait) => *wait,
        QueryError::Refused(rejection) => rejection.retry_after?,
        _ => return None,
    };
    i64::try_from(wait.as_nanos()).ok()
}

const fn is_unknown(record: &OrderRecord) -> bool {
    matches!(record.state, OrderState::Intended | OrderState::InFlight { .. } | OrderState::Unknown { .. })
}

/// What the engine knows of an order now; `None` if it has forgotten it or has ended.
async fn record_of(inbox: &mpsc::Sender<Input>, client_id: ClientOrderId) -> Option<OrderRecord> {
    let (reply, answer) = oneshot::channel();
    inbox.send(Input::Order(client_id, reply)).await.ok()?;
    answer.await.ok().flatten().map(|record| *record)
}

pub(crate) async fn notice(inbox: &mpsc::Sender<Input>, text: String) {
    let _ = inbox.send(Input::Notice(text)).await; // an engine that ended shows nothing
}
