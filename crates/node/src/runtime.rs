//! A node from start to stop: safe, then reconciled, then trading.
//!
//! Each step of the start can fail, and then ends what the steps before it began: tasks end with the watch they hold,
//! the engine's thread with its inbox, the lock with the journal.

use crate::clock::wall;
use crate::control;
use crate::core::{Core, Fact, Input, Outgoing, Parts, not_sent};
use crate::error::NodeError;
use crate::live;
use crate::operate::{OperatorReply, OperatorRequest};
use crate::reconcile::Reconciler;
use crate::recover::{Recovered, recover};
use crate::settings::{NodeMode, Settings};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tradewind_domain::{
    Bar, Coded, FeeSchedule, Incarnation, Instrument, InstrumentId, Money, Origin, PortfolioId, Source, Timestamp,
};
use tradewind_engine::{EventKind, LOGIC_VERSION, State};
use tradewind_gate::{Action, Mode};
use tradewind_strategies::{Desk, registry};
use tradewind_venues::binance::sign::Signer;
use tradewind_venues::binance::{BinanceConfig, Connection, Subscriptions, listings, market_origin};
use tradewind_venues::{ApiKey, ApiSecret, SecretSource, Stream, SubmitError, VenueEvent, VenueReport};

/// Inputs that may wait for the engine.
const INBOX_ROOM: usize = 8_192;
/// Requests that may wait for the driver.
const OUTBOX_ROOM: usize = 256;

/// What the composition root knows and the settings do not.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where the market data come from: live from a venue, recorded or simulated from a local exchange.
    pub origin: Origin,
    /// A key pair given directly, such as that of a local exchange; otherwise the settings say where to read it.
    pub key: Option<(String, String)>,
    /// Told after each closed bar was decided on: the pace-maker of a tape in lockstep.
    pub after_bar: Option<mpsc::UnboundedSender<Timestamp>>,
}

/// What the node ended with.
#[derive(Debug)]
pub struct Ended {
    /// The final state.
    pub state: State,
    /// Hash of this run's executions.
    pub trade_hash: String,
}

/// A running node.
pub struct Node {
    inbox: mpsc::Sender<Input>,
    stop: watch::Sender<bool>,
    engine: std::thread::JoinHandle<Result<Core, NodeError>>,
    socket: PathBuf,
    recovered: RecoveredNote,
    ready_in: Duration,
}

/// What the start found in the journal.
#[derive(Clone, Debug)]
pub struct RecoveredNote {
    /// The last record.
    pub sequence: u64,
    /// Records folded after the snapshot.
    pub folded: u64,
    /// How long that took.
    pub took: Duration,
    /// What was cut off the end, if anything.
    pub cut: Option<String>,
}

impl Node {
    /// Starts a node: opens and folds the journal, connects, reconciles, warms up, trades.
    ///
    /// # Errors
    /// [`NodeError`] of the step that failed; nothing is left running.
    pub async fn start(settings: Settings, surroundings: Surroundings) -> Result<Self, NodeError> {
        let started = Instant::now();
        live::check_settings(&settings)?;
        let signer = signer(&settings, &surroundings)?;
        std::fs::create_dir_all(&settings.data_dir)
            .map_err(|source| NodeError::Control { path: settings.data_dir.clone(), source })?;
        let (journal, recovered) = recover(&settings.data_dir)?;
        let note = note(&recovered);
        let (listener, socket) = control::listen(&settings.data_dir)?;
        let halted = Arc::new(AtomicBool::new(recovered.state.halted.is_some()));
        let config = venue_config(&settings, signer, halted.clone());
        let url = settings.venue.rest_url.clone();
        let venue = |source| NodeError::Venue { url: url.clone(), source: Box::new(source) };

        let account = account(&config).await.map_err(&venue)?;
        live::check_account(&settings, &config, &account).await?;
        let instruments = instruments(&config, &settings, account.fees, &recovered.state).await?;
        let (connection, events) = Connection::connect(config, instruments.clone()).await.map_err(&venue)?;

        let desks = desks(&settings, &instruments)?;
        let (inbox, input) = mpsc::channel(INBOX_ROOM);
        let (outbox, outgoing) = mpsc::channel(OUTBOX_ROOM);
        let mut core = Core::new(Parts {
            state: recovered.state,
            journal,
            desks,
            connection: connection.clone(),
            outbox,
            halted,
            sync_every: settings.journal.sync_every.duration(),
            snapshot_every: settings.journal.snapshot_every,
        });
        let reconciler = Reconciler { connection: connection.clone(), instruments: instruments.clone() };
        introduce(&mut core, &settings, &instruments, &account)?;
        reconciler.at_start(&mut core, &account).await?;
        let last_bars =
            warm_up(&mut core, &connection, &settings, &instruments, surroundings.origin).await.map_err(venue)?;

        let (stop, stopping) = watch::channel(false);
        let engine = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || core.run(input))
            .map_err(|source| NodeError::Control { path: PathBuf::from("engine thread"), source })?;
        tokio::spawn(drive(outgoing, connection.clone(), inbox.clone(), reconciler.clone()));
        tokio::spawn(listen(
            events,
            Listener {
                inbox: inbox.clone(),
                connection,
                reconciler,
                origin: surroundings.origin,
                settings_interval: settings.interval,
                last_bars,
                after_bar: surroundings.after_bar,
            },
        ));
        tokio::spawn(tick(inbox.clone(), stopping));
        tokio::spawn(control::serve(listener, inbox.clone(), stop.clone()));
        Ok(Self { inbox, stop, engine, socket, recovered: note, ready_in: started.elapsed() })
    }

    /// What the start found in the journal.
    #[must_use]
    pub const fn recovered(&self) -> &RecoveredNote {
        &self.recovered
    }
    /// How long the start took.
    #[must_use]
    pub const fn ready_in(&self) -> Duration {
        self.ready_in
    }

    /// Carries out a person's request, as the control socket does.
    pub async fn request(&self, request: OperatorRequest) -> Result<OperatorReply, NodeError> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Input::Operator(request, reply)).await.map_err(|_| NodeError::Stopped)?;
        answer.await.map_err(|_| NodeError::Stopped)
    }

    /// Waits until a person asks for the end on the control socket, or the engine ends by itself.
    pub async fn stop_asked(&self) {
        let stop = self.stop.subscribe();
        let ended = async {
            while !self.engine.is_finished() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = control::told_to_stop(stop) => (),
            () = ended => (),
        }
    }

    /// Stops in order within three seconds: cancels what adds exposure, writes hash and snapshot.
    ///
    /// # Errors
    /// [`NodeError`] that ended the engine, if one did.
    pub async fn stop(self) -> Result<Ended, NodeError> {
        let (done, stopped) = oneshot::channel();
        if self.inbox.send(Input::Stop(done)).await.is_ok() {
            let _ = tokio::time::timeout(Duration::from_millis(2_800), stopped).await;
        }
        self.stop.send_replace(true);
        let _ = std::fs::remove_file(&self.socket);
        let engine = self.engine;
        let core = tokio::task::spawn_blocking(move || engine.join()).await;
        match core {
            Ok(Ok(core)) => core.map(|core| Ended { trade_hash: core.digest.hex(), state: core.state }),
            // a panic in the engine has aborted the process before it came here
            Ok(Err(_)) | Err(_) => Err(NodeError::Stopped),
        }
    }
}

/// Where the market at `rest_url` comes from: live from a venue, or what a local exchange says that it plays.
///
/// # Errors
/// [`NodeError::Venue`] if a server on this machine does not say.
pub async fn venue_origin(rest_url: &str) -> Result<Origin, NodeError> {
    let sockets = rest_url.replacen("http", "ws", 1);
    let config = BinanceConfig::at(rest_url, &sockets, &sockets);
    market_origin(&config)
        .await
        .map_err(|source| NodeError::Venue { url: rest_url.to_owned(), source: Box::new(source) })
}

fn note(recovered: &Recovered) -> RecoveredNote {
    let cut = recovered.recovery.cut.as_ref();
    RecoveredNote {
        sequence: recovered.state.sequence,
        folded: recovered.folded,
        took: recovered.took,
        cut: cut.map(|cut| format!("{} bytes of {} from offset {}", cut.bytes, cut.segment, cut.offset)),
    }
}

fn signer(settings: &Settings, surroundings: &Surroundings) -> Result<Signer, NodeError> {
    let (key, secret) = match &surroundings.key {
        Some((key, secret)) => (ApiKey::new(key), ApiSecret::new(secret)),
        None => {
            let (key, secret): (SecretSource, SecretSource) =
                (settings.venue.api_key.parse()?, settings.venue.api_secret.parse()?);
            (ApiKey::read(&key)?, ApiSecret::read(&secret)?)
        }
    };
    Ok(Signer::new(key, secret)?)
}

fn venue_config(settings: &Settings, signer: Signer, halted: Arc<AtomicBool>) -> BinanceConfig {
    let venue = &settings.venue;
    BinanceConfig {
        signer: Some(signer),
        recv_window: venue.recv_window.duration(),
        subscriptions: Subscriptions { quotes: true, trades: false, books: false, bars: vec![settings.interval] },
        halted,
        ..BinanceConfig::at(&venue.rest_url, &venue.stream_url, &venue.ws_api_url)
    }
}

/// The account, read before anything is listed: fees are the account's, not the listing's.
async fn account(
    config: &BinanceConfig,
) -> Result<tradewind_venues::binance::AccountState, tradewind_venues::QueryError> {
    let quiet =
        BinanceConfig { subscriptions: Subscriptions::default(), signer: config.signer.clone(), ..config.clone() };
    let (connection, _events) = Connection::connect(quiet, Vec::new()).await?;
    connection.account().await
}

/// What is to be traded, as the venue lists it today, under the ids that the journal gave.
async fn instruments(
    config: &BinanceConfig,
    settings: &Settings,
    fees: FeeSchedule,
    state: &State,
) -> Result<Vec<Instrument>, NodeError> {
    let venue_symbols: Vec<String> = settings.symbols.iter().map(|s| format!("{}{}", s.base, s.quote)).collect();
    let names: Vec<&str> = venue_symbols.iter().map(String::as_str).collect();
    let listed = listings(config, &names, fees)
        .await
        .map_err(|source| NodeError::Venue { url: settings.venue.rest_url.clone(), source: Box::new(source) })?;
    let mut specs = Vec::new();
    for listing in listed {
        specs.push(listing.map_err(|error| NodeError::Listing(error.to_string()))?.spec);
    }
    let mut next = u32::try_from(state.listings.len()).unwrap_or(u32::MAX);
    let mut found = Vec::new();
    for symbol in &settings.symbols {
        let spec = specs.iter().find(|spec| spec.symbol == *symbol);
        let spec = spec.ok_or_else(|| NodeError::Listing(format!("the venue does not list {symbol}")))?.clone();
        let known = state.listings.iter().find(|it| it.instrument.spec.symbol == *symbol).map(|it| it.instrument.id);
        let id = known.unwrap_or_else(|| {
            next += 1;
            InstrumentId(next - 1)
        });
        found.push(spec.list(id).map_err(|error| NodeError::Listing(error.to_string()))?);
    }
    Ok(found)
}

/// One desk for each strategy and instrument; each strategy has a portfolio of its own.
fn desks(settings: &Settings, instruments: &[Instrument]) -> Result<Vec<Desk>, NodeError> {
    let mut desks = Vec::new();
    for (place, strategy) in settings.strategy.iter().enumerate() {
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        let mine = |it: &&Instrument| strategy.symbols.is_empty() || strategy.symbols.contains(&it.spec.symbol);
        for instrument in instruments.iter().filter(mine) {
            let built = registry::build(&strategy.name, &strategy.parameters)
                .map_err(|error| NodeError::Strategy(format!("{}: {error}; {}", error.code(), error.hint())))?;
            desks.push(Desk::new(built, Source::Strategy(place), PortfolioId(place), instrument.id));
        }
    }
    Ok(desks)
}

/// Records the start, what is new or changed in the listing, and, the first time, portfolios and their cash.
fn introduce(
    core: &mut Core,
    settings: &Settings,
    instruments: &[Instrument],
    account: &tradewind_venues::binance::AccountState,
) -> Result<(), NodeError> {
    let now = core.state.now.max(wall());
    let mut incarnation = [0; 8];
    getrandom::fill(&mut incarnation).map_err(|error| NodeError::Listing(format!("no random numbers: {error}")))?;
    let mode = match settings.mode {
        NodeMode::Observe => Mode::Observe,
        NodeMode::Paper => Mode::Paper,
        NodeMode::Live => Mode::Live,
    };
    let started =
        EventKind::Started { incarnation: Incarnation(u64::from_le_bytes(incarnation)), mode, logic: LOGIC_VERSION };
    core.record(now, now, Source::Host, PortfolioId(0), started)?;
    for instrument in instruments {
        let known = core.state.listings.get(instrument.id.index()).map(|listing| &listing.instrument);
        if known != Some(instrument) {
            core.record(now, now, Source::Host, PortfolioId(0), EventKind::Listed(Box::new(instrument.clone())))?;
        }
    }
    let first_time = core.state.portfolios.is_empty();
    let count = settings.strategy.len().max(1);
    for place in core.state.portfolios.len()..count {
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        let name = settings.strategy.get(place).map_or("manual", |strategy| &strategy.name);
        let name = format!("{place}-{name}");
        core.record(now, now, Source::Host, portfolio, EventKind::Opened { base: settings.base_currency, name })?;
    }
    for place in 0..core.state.portfolios.len() {
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        let limits = settings.limits.resolve();
        if core.state.portfolio(portfolio).limits != limits {
            core.record(now, now, Source::Host, portfolio, EventKind::LimitsSet(limits))?;
        }
    }
    if first_time { deposit(core, settings, account, count, now) } else { Ok(()) }
}

/// The first time, what the account holds is what came in: cash in equal parts, anything else to the first.
fn deposit(
    core: &mut Core,
    settings: &Settings,
    account: &tradewind_venues::binance::AccountState,
    count: usize,
    now: Timestamp,
) -> Result<(), NodeError> {
    for balance in &account.balances {
        let units = balance.free.units + balance.locked.units;
        let parts = if balance.currency == settings.base_currency { count } else { 1 };
        let part = units / i128::try_from(parts).unwrap_or(1);
        for place in 0..parts {
            let units = if place == 0 { units - part * (i128::try_from(parts).unwrap_or(1) - 1) } else { part };
            let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
            let money = Money { currency: balance.currency, units };
            core.record(now, now, Source::Venue, portfolio, EventKind::Deposited(money))?;
        }
    }
    Ok(())
}

/// Shows the desks what the market did before: enough closed bars for each. The newest sets the mark.
async fn warm_up(
    core: &mut Core,
    connection: &Connection,
    settings: &Settings,
    instruments: &[Instrument],
    origin: Origin,
) -> Result<Vec<(InstrumentId, Timestamp)>, tradewind_venues::QueryError> {
    let mut last = Vec::new();
    for instrument in instruments {
        let wanted = core.desks.iter().filter(|desk| desk.instrument() == instrument.id);
        let wanted = wanted.map(|desk| desk.strategy().warm_up()).max().unwrap_or(0).clamp(1, 990);
        let newest = connection
            .newest_bars(instrument.id, settings.interval, u32::try_from(wanted + 1).unwrap_or(1_000))
            .await?;
        let closed = newest.len().saturating_sub(1); // the last one is still growing
        let bars = &newest[..closed];
        let mut desks = std::mem::take(&mut core.desks);
        for bar in bars {
            if Some(bar) == bars.last() {
                core.clock.note(bar.close_time());
                let kind = EventKind::BarClosed { bar: *bar, origin };
                let _ = core.record(bar.close_time(), wall(), Source::Market, PortfolioId(0), kind);
                last.push((instrument.id, bar.open_time));
            }
            for desk in desks.iter_mut().filter(|desk| desk.instrument() == instrument.id) {
                desk.warm(&core.state, bar);
            }
        }
        core.desks = desks;
    }
    Ok(last)
}

/// Sends what is permitted, each on a task of its own so that a slow answer holds up nobody.
async fn drive(
    mut outgoing: mpsc::Receiver<Outgoing>,
    connection: Connection,
    inbox: mpsc::Sender<Input>,
    reconciler: Reconciler,
) {
    while let Some(out) = outgoing.recv().await {
        let (connection, inbox, reconciler) = (connection.clone(), inbox.clone(), reconciler.clone());
        tokio::spawn(async move { submit(out, &connection, &inbox, &reconciler).await });
    }
}

async fn submit(out: Outgoing, connection: &Connection, inbox: &mpsc::Sender<Input>, reconciler: &Reconciler) {
    let (client_id, instrument, is_order) = match out.permit.get().action() {
        Action::Submit(order) => (order.client_id(), order.instrument(), true),
        Action::Cancel { client_id, instrument, .. } => (*client_id, *instrument, false),
    };
    let (fence, received) = (out.prepared.fence(), out.received);
    let answer = connection.submit(out.permit, out.prepared).await;
    let (at, kind) = match answer {
        Ok(ack) => {
            let _ = inbox.send(Input::BytesOut { received, sent: ack.sent_at }).await;
            if !is_order {
                return; // the cancel's effect comes as a report of the order
            }
            (ack.at, EventKind::Accepted { client_id, venue_id: ack.venue_id })
        }
        Err(SubmitError::Rejected(rejection)) => {
            let reason = format!("{} {}: {}", rejection.code, rejection.venue_code, rejection.reason);
            let kind = if is_order {
                EventKind::Rejected { client_id, reason: reason.into() }
            } else {
                EventKind::CancelRefused { client_id, reason }
            };
            (fence, kind)
        }
        Err(SubmitError::NotSent { reason, .. }) => (fence, not_sent(client_id, is_order, &reason)),
        Err(SubmitError::Unknown(fault)) => {
            let reason = format!("{}: {fault}", fault.code());
            (fence, EventKind::AnswerLost { client_id, reason })
        }
    };
    let doubtful = matches!(kind, EventKind::AnswerLost { .. } | EventKind::CancelRefused { .. });
    let _ = inbox.send(Input::Fact(Fact::of_venue(at, kind))).await;
    if doubtful {
        reconciler.resolve(client_id, instrument, inbox).await;
    }
}

/// Everything that the listening task holds.
struct Listener {
    inbox: mpsc::Sender<Input>,
    connection: Connection,
    reconciler: Reconciler,
    origin: Origin,
    settings_interval: tradewind_domain::Interval,
    last_bars: Vec<(InstrumentId, Timestamp)>,
    after_bar: Option<mpsc::UnboundedSender<Timestamp>>,
}

/// Turns what the venue says into inputs until the connection or the engine ends.
async fn listen(mut events: mpsc::Receiver<VenueEvent>, mut listener: Listener) {
    let mut quoted: Vec<(InstrumentId, Instant)> = Vec::new();
    while let Some(event) = events.recv().await {
        let input = match event {
            VenueEvent::Bar { bar, closed: true, stamps } => {
                listener.bar(bar, stamps.received).await;
                continue;
            }
            VenueEvent::Quote { quote, stamps } => {
                // the engine sees conflated quotes: enough to know that the feed lives
                let last = quoted.iter_mut().find(|(id, _)| *id == quote.instrument);
                match last {
                    Some((_, at)) if at.elapsed() < Duration::from_millis(500) => continue,
                    Some((_, at)) => *at = Instant::now(),
                    None => quoted.push((quote.instrument, Instant::now())),
                }
                let Some(at) = stamps.event.or_else(|| listener.newest()) else { continue };
                Input::Fact(Fact {
                    at,
                    received: stamps.received,
                    source: Source::Market,
                    portfolio: PortfolioId(0),
                    kind: EventKind::Quoted { quote, origin: listener.origin },
                })
            }
            VenueEvent::Report { report, .. } => match report_event(report) {
                Some((at, kind)) => Input::Fact(Fact::of_venue(at, kind)),
                None => continue,
            },
            VenueEvent::Up { stream: Stream::Market, .. } => {
                listener.fill_gap().await;
                continue;
            }
            VenueEvent::UserStreamGap { since } => {
                listener.reconciler.reread(since, &listener.inbox).await;
                continue;
            }
            VenueEvent::Down { stream, why, .. } => Input::Notice(format!("the {stream:?} stream is down: {why}")),
            VenueEvent::Fault { code, message, .. } => Input::Notice(format!("{code}: {message}")),
            VenueEvent::Skipped { count } => Input::Notice(format!("{count} market messages were left out")),
            VenueEvent::Transferred { delta, stamps } => Input::Fact(Fact {
                at: stamps.event.unwrap_or(stamps.received),
                received: stamps.received,
                source: Source::Venue,
                portfolio: PortfolioId(0),
                kind: EventKind::Deposited(delta),
            }),
            VenueEvent::Bar { closed: false, .. }
            | VenueEvent::Trade { .. }
            | VenueEvent::Book { .. }
            | VenueEvent::Balances { .. }
            | VenueEvent::Up { stream: Stream::User, .. } => continue,
        };
        if listener.inbox.send(input).await.is_err() {
            return;
        }
    }
}

impl Listener {
    fn newest(&self) -> Option<Timestamp> {
        self.last_bars.iter().map(|(_, at)| at.plus_nanos(self.settings_interval.nanos())).max()
    }

    /// Passes a closed bar on, once and in order.
    async fn bar(&mut self, bar: Bar, received: Timestamp) {
        let last = self.last_bars.iter_mut().find(|(id, _)| *id == bar.instrument);
        match last {
            Some((_, open_time)) if bar.open_time <= *open_time => return,
            Some((_, open_time)) => *open_time = bar.open_time,
            None => self.last_bars.push((bar.instrument, bar.open_time)),
        }
        let _ = self.inbox.send(Input::Bar { bar, received, origin: self.origin }).await;
        if let Some(after_bar) = &self.after_bar {
            // a question after the bar: its answer proves that the bar was decided on
            let (reply, answer) = oneshot::channel();
            let _ = self.inbox.send(Input::Operator(OperatorRequest::OrderList, reply)).await;
            let _ = answer.await;
            let _ = after_bar.send(bar.close_time());
        }
    }

    /// After a reconnect: asks for the bars that closed meanwhile.
    async fn fill_gap(&mut self) {
        for (id, open_time) in self.last_bars.clone() {
            let from = open_time.plus_nanos(self.settings_interval.nanos());
            match self.connection.bars(id, self.settings_interval, from).await {
                Ok(bars) => {
                    let closed = bars.len().saturating_sub(1);
                    for bar in &bars[..closed] {
                        self.bar(*bar, wall()).await;
                    }
                }
                Err(error) => {
                    let text = format!("{}: missed bars cannot be read: {error}", error.code());
                    let _ = self.inbox.send(Input::Notice(text)).await;
                }
            }
        }
    }
}

/// A venue's report as an event, with its time; `None` for what changes nothing here.
fn report_event(report: VenueReport) -> Option<(Timestamp, EventKind)> {
    Some(match report {
        VenueReport::Accepted { client_id, venue_id, at, .. } => (at, EventKind::Accepted { client_id, venue_id }),
        VenueReport::Rejected { client_id, code, reason, definitive, at } => {
            let reason = format!("{code}: {reason}");
            let kind = if definitive {
                EventKind::Rejected { client_id, reason: reason.into() }
            } else {
                EventKind::AnswerLost { client_id, reason }
            };
            (at, kind)
        }
        VenueReport::Filled { fill, at, .. } => (at, EventKind::Filled(fill)),
        VenueReport::Cancelled { client_id, at, .. } => {
            (at, EventKind::Cancelled { client_id, reason: "on request".into() })
        }
        VenueReport::Expired { client_id, reason, at, .. } => {
            (at, EventKind::Cancelled { client_id, reason: reason.into() })
        }
        VenueReport::Amended { .. } => return None,
        VenueReport::Foreign(foreign) => {
            let drift = tradewind_engine::Drift {
                what: format!("order {} by another hand ({})", foreign.client_id, foreign.what),
                ours: "none".to_owned(),
                venue: foreign.venue_id.0.to_string(),
            };
            (foreign.at, EventKind::Reconciled { drifts: vec![drift] })
        }
    })
}

/// A timer event each second, for orders that expire.
async fn tick(inbox: mpsc::Sender<Input>, stopping: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = every.tick() => if inbox.send(Input::Tick).await.is_err() { return },
            () = control::told_to_stop(stopping.clone()) => return,
        }
    }
}
