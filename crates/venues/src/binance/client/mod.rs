//! The connector: real sockets, one handle, and tasks that end with it.

mod clock;
mod config;
mod dial;
mod listing;
mod market;
mod orders;
mod queries;
mod rest;
mod subscribe;
mod user;

pub use config::{BinanceConfig, OrderPath, Subscriptions};
pub use queries::{AccountFill, AccountState};

use crate::binance::convert::{ConvertError, Instruments, Listing, ListingRules, list_symbol};
use crate::binance::protocol;
use crate::binance::rules::Endpoint;
use crate::binance::wire::ServerTime;
use crate::budget::Wait;
use crate::names::is_on_this_machine;
use crate::outcome::{Ack, NotSentReason, Prepared, QueryError, SubmitError, TransportFault};
use crate::outlet::Outlet;
use crate::report::VenueEvent;
use listing::{Rules, exchange_info, read_rules};
use orders::{Answer, Order};
use rest::Rest;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tradewind_domain::{FeeSchedule, Instrument, InstrumentId, Origin, Timestamp};
use tradewind_gate::{Action, Approved};
use tradewind_journal::Permit;

/// Orders that may wait for the socket.
const REQUEST_ROOM: usize = 256;
/// How often the venue's clock is read anew; drift adds 30 ms in this time.
const CLOCK_EVERY: Duration = Duration::from_secs(60);

/// A running connection. Cheap to clone; its tasks end with the last handle.
#[derive(Clone, Debug)]
pub struct Connection {
    config: Arc<BinanceConfig>,
    rest: Rest,
    instruments: Arc<Instruments>,
    rules: Rules,
    requests: mpsc::Sender<user::Request>,
    _alive: Arc<watch::Sender<()>>,
}

/// What the venue lists of `symbols`, such as `BTCUSDT`; each fails or succeeds by itself.
///
/// `fees` is what the account pays ([`AccountState::fees`]); listings do not tell.
///
/// # Errors
/// [`QueryError`] if no usable answer came.
pub async fn listings(
    config: &BinanceConfig,
    symbols: &[&str],
    fees: FeeSchedule,
) -> Result<Vec<Result<Listing, ConvertError>>, QueryError> {
    config.validate()?;
    let info = exchange_info(&Rest::new(config)?, symbols).await?;
    Ok(info.symbols.iter().map(|symbol| list_symbol(symbol, fees)).collect())
}

/// Where the market behind `config` comes from: a venue's is live, a local exchange says itself what it plays.
///
/// # Errors
/// [`QueryError`] if a server on this machine does not say.
pub async fn market_origin(config: &BinanceConfig) -> Result<Origin, QueryError> {
    #[derive(serde::Deserialize)]
    struct Status {
        origin: Origin,
    }
    if !is_on_this_machine(&config.rest_url) {
        return Ok(Origin::Live);
    }
    config.validate()?;
    let status: Status = Rest::new(config)?.get(Endpoint::Time, "/tradewind/v1/status", &[]).await?;
    Ok(status.origin)
}

impl Connection {
    /// Reads the venue's clock, limits and listing, then starts the streams.
    ///
    /// Events come out of the receiver: market data from the moment of [`VenueEvent::Up`], and, with a key, what
    /// happens to orders and balances. A slow reader loses market data, never reports.
    ///
    /// # Errors
    /// [`QueryError`] if the configuration is not usable, the venue does not answer, or lists an instrument
    /// otherwise than it is known here.
    pub async fn connect(
        config: BinanceConfig,
        instruments: Vec<Instrument>,
    ) -> Result<(Self, mpsc::Receiver<VenueEvent>), QueryError> {
        config.validate()?;
        let rest = Rest::new(&config)?;
        for _ in 0..3 {
            read_clock(&rest).await?;
        }
        let instruments = Arc::new(Instruments::new(instruments));
        let rules: Rules = Arc::new(RwLock::new(read_rules(&rest, &instruments).await?));
        let config = Arc::new(config);
        let (alive, closed) = watch::channel(());
        let (events, reader) = mpsc::channel(config.event_room);
        let (requests, incoming) = mpsc::channel(REQUEST_ROOM);
        tokio::spawn(keep_clock(rest.clone(), closed.clone()));
        if !instruments.is_empty() {
            let task = listing::ListingTask {
                config: config.clone(),
                rest: rest.clone(),
                instruments: instruments.clone(),
                rules: rules.clone(),
                closed: closed.clone(),
                events: events.clone(),
            };
            tokio::spawn(task.run());
        }
        if config.subscriptions != Subscriptions::default() && !instruments.is_empty() {
            let task = market::MarketTask {
                config: config.clone(),
                rest: rest.clone(),
                instruments: instruments.clone(),
                closed: closed.clone(),
                outlet: Outlet::new(events.clone()),
            };
            tokio::spawn(task.run());
        }
        if let Some(signer) = config.signer.clone() {
            let task = user::UserTask {
                config: config.clone(),
                signer,
                rest: rest.clone(),
                instruments: instruments.clone(),
                requests: incoming,
                closed,
                outlet: Outlet::new(events),
                next_id: 0,
                transfers: std::collections::VecDeque::new(),
            };
            tokio::spawn(task.run());
        }
        Ok((Self { config, rest, instruments, rules, requests, _alive: Arc::new(alive) }, reader))
    }

    /// Builds the request for an approved action, for the journal and for [`Connection::submit`]. Sends nothing.
    ///
    /// # Errors
    /// [`NotSentReason`] if the venue does not take such an order, or its clock is not known.
    pub fn prepare(&self, action: &Action) -> Result<Prepared, NotSentReason> {
        let (now, _) = self.rest.clock.now().ok_or(NotSentReason::ClockUnknown)?;
        let window = i64::try_from(self.config.recv_window.as_millis()).unwrap_or(i64::MAX);
        self.prepare_at(action, now, window)
    }

    fn prepare_at(&self, action: &Action, now: Timestamp, window: i64) -> Result<Prepared, NotSentReason> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        protocol::prepare(&self.instruments, &rules, action, now, window)
    }

    /// Sends what is permitted, once, and waits for the venue's acknowledgement.
    ///
    /// `prepared` must be what [`Connection::prepare`] gave for the same action. Dropping the future does not take
    /// the request back: it may still be sent and become live.
    ///
    /// # Errors
    /// [`SubmitError`]: rejected for good, provably not sent (the permit comes back), or unknown.
    pub async fn submit(&self, permit: Permit<Approved>, prepared: Prepared) -> Result<Ack, SubmitError> {
        let order = Order { permit, prepared };
        let again =
            self.prepare_at(order.permit.get().action(), order.prepared.not_before(), order.prepared.recv_window);
        match again {
            Ok(again) if again == order.prepared => (),
            Ok(_) => {
                let body = order.prepared.body().to_owned();
                return Err(not_sent(NotSentReason::OtherBody(body), order));
            }
            Err(reason) => return Err(not_sent(reason, order)),
        }
        let answer = match self.config.order_path {
            OrderPath::Rest => orders::send_by_rest(&self.config, &self.rest, order).await,
            OrderPath::WebSocket => {
                let (reply, answer) = oneshot::channel();
                match self.requests.send(user::Request { order, reply }).await {
                    Ok(()) => answer.await.unwrap_or(Answer::Unknown(TransportFault::TaskEnded)),
                    Err(mpsc::error::SendError(request)) => Answer::NotSent(
                        NotSentReason::NotConnected("its task has ended".to_owned()),
                        Box::new(request.order),
                    ),
                }
            }
        };
        match answer {
            Answer::Ack(ack) => Ok(ack),
            Answer::Rejected(rejection) => Err(SubmitError::Rejected(rejection)),
            Answer::NotSent(reason, order) => Err(not_sent(reason, *order)),
            Answer::Unknown(fault) => Err(SubmitError::Unknown(fault)),
        }
    }

    /// Base of the REST API that it talks to.
    #[must_use]
    pub fn rest_url(&self) -> &str {
        &self.config.rest_url
    }

    /// The venue's time and by how much it may be wrong, in nanoseconds.
    #[must_use]
    pub fn venue_time(&self) -> Option<(Timestamp, i64)> {
        self.rest.clock.now()
    }

    /// For how long the venue wants to be left in peace, if it does: nothing leaves meanwhile.
    #[must_use]
    pub fn told_to_wait(&self) -> Option<Wait> {
        self.rest.budgets.told()
    }

    /// The largest error of the venue's clock, in nanoseconds, with which orders leave.
    #[must_use]
    pub fn most_clock_error(&self) -> i64 {
        i64::try_from(self.config.most_clock_error.as_nanos()).unwrap_or(i64::MAX)
    }

    /// Trusts nothing that was known before, as after a suspension of the machine: the venue's clock is measured anew
    /// before the next order leaves, and every session is made anew.
    pub fn renew(&self) {
        self.rest.clock.forget();
        self.rest.renewals.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }

    /// The rules of an instrument, beside those that it carries itself.
    #[must_use]
    pub fn rules(&self, instrument: InstrumentId) -> Option<ListingRules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).get(&instrument).cloned()
    }
}

fn not_sent(reason: NotSentReason, order: Order) -> SubmitError {
    SubmitError::NotSent { reason, permit: Box::new(order.permit), prepared: Box::new(order.prepared) }
}

async fn read_clock(rest: &Rest) -> Result<(), QueryError> {
    let asked = Instant::now();
    let time: ServerTime = rest.get(Endpoint::Time, "/api/v3/time", &[]).await?;
    rest.clock.note(asked, Instant::now(), time.server_time);
    if let Some((venue, error)) = rest.clock.now() {
        rest.budgets.align(venue.plus_nanos(-error));
    }
    Ok(())
}

/// Reads the clock now and then, and at once when the venue disagreed with it.
async fn keep_clock(rest: Rest, mut closed: watch::Receiver<()>) {
    let mut read = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(200)) => (),
            _ = closed.changed() => return,
        }
        if read.elapsed() > CLOCK_EVERY || rest.clock.now().is_none() {
            read = Instant::now();
            if let Err(error) = read_clock(&rest).await {
                tracing::warn!(%error, "the venue's clock could not be read");
            }
        }
    }
}

/// A number that differs from process to process, for jitter.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::hash::RandomState::new().build_hasher().finish()
}
