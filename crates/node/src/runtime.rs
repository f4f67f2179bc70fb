//! A node from start to stop: safe, then reconciled, then trading.

use crate::abort::{or_abort, or_abort_async};
use crate::audit::Auditor;
use crate::books::Books;
use crate::clock::Clock;
use crate::control::{self, ControlSocket};
use crate::core::{Core, Parts};
use crate::drift;
use crate::driver;
use crate::error::NodeError;
use crate::inbox::{Input, Progress};
use crate::inquire::Reconciler;
use crate::key_lock::KeyLock;
use crate::kill_call::KillCalls;
use crate::kill_switch::{KillSwitch, LatchFile};
use crate::listener::Listener;
use crate::live;
use crate::operate::{OperatorReply, OperatorRequest};
use crate::outgoing::{Latency, Wire};
use crate::portfolios::Portfolios;
use crate::recover::{Recovered, recover};
use crate::settings::Settings;
use crate::start::{self, Connected};
use crate::warm_up::closed_bars;
use crate::watch::Watch;
use crate::watchdog::Watchdog;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tradewind_domain::Origin;
use tradewind_engine::State;
use tradewind_journal::failpoint;
use tradewind_venues::binance::{BinanceConfig, market_origin};

/// Inputs that may wait for the engine.
const INBOX_ROOM: usize = 8_192;
/// Requests that may wait for the driver.
const OUTBOX_ROOM: usize = 256;
/// How long the engine may take to end.
const STOP_WITHIN: Duration = Duration::from_millis(2_800);

/// What the composition root knows and the settings do not.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where the market data come from: live from a venue, recorded or simulated from a local exchange.
    pub origin: Origin,
    /// A key pair given directly, such as that of a local exchange; otherwise the settings say where to read it.
    pub key: Option<(String, String)>,
    /// Told how far the node is after each closed bar that was decided on and each change of its orders, but never
    /// while an order is without its answer: the pace-maker of a tape in lockstep.
    pub after_bar: Option<mpsc::UnboundedSender<Progress>>,
    /// The file that the settings were read from, to notice when it changes.
    pub settings_file: Option<PathBuf>,
}

/// What the node ended with.
#[derive(Debug)]
pub struct Ended {
    /// The final state.
    pub state: State,
    /// Hash of this run's executions.
    pub trade_hash: String,
}

/// A running node. Dropping it ends its tasks, and the engine in order, without waiting for either.
pub struct Node {
    inbox: mpsc::Sender<Input>,
    asked: watch::Sender<bool>,
    engine: std::thread::JoinHandle<Result<Core, NodeError>>,
    tasks: JoinSet<()>,
    socket: ControlSocket,
    _key_lock: KeyLock,
    switch: KillSwitch,
    auditor: Auditor,
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
        // safe: nothing has left this process yet
        live::check_settings(&settings)?;
        let kill_key = settings.governance.kill_key()?;
        let signer = start::signer(&settings, &surroundings)?;
        std::fs::create_dir_all(&settings.data_dir)
            .map_err(|source| NodeError::DataDir { path: settings.data_dir.clone(), source })?;
        let (journal, recovered) = recover(&settings.data_dir, settings.journal.options())?;
        failpoint("node.start.recovered");
        let key_lock = KeyLock::take(signer.key().expose(), &settings.venue.rest_url)?;
        let note = note(&recovered);
        let (listener, socket) = control::listen(&settings.data_dir)?;
        let (latch, latched) = LatchFile::open(&settings.data_dir);
        let calls = KillCalls::new(kill_key, recovered.state.governance.halt_calls.clone());
        let switch = KillSwitch::new(recovered.state.halted.is_some() || latched.is_some()).with_calls(calls);
        let durable = Arc::new(AtomicU64::new(recovered.state.sequence));
        let key_path = &settings.governance.audit_key;
        let (auditor, rolled_back) =
            Auditor::start(&settings.data_dir, key_path, recovered.state.sequence, durable.clone())?;
        let config = start::venue_config(&settings, signer, switch.flag());
        let venue_error = |source| NodeError::Venue { url: settings.venue.rest_url.clone(), source: Box::new(source) };

        // reconciled: the venue's word against the books
        let Connected { connection, events, early, instruments, opening } =
            start::connect(config, &settings, &recovered.state).await?;
        failpoint("node.start.connected");
        live::check_account(&settings, &connection, &opening.account).await?;
        let portfolios = Portfolios::plan(&recovered.state, &settings.strategy);
        let desks = start::desks(&settings, &instruments, &portfolios)?;
        let mut clock = Clock::new(surroundings.origin, connection.venue_time().map(|(venue, _)| venue));
        let mut history = Vec::new();
        for instrument in &instruments {
            let bars = closed_bars(&connection, instrument, settings.interval, &desks).await.map_err(venue_error)?;
            bars.last().into_iter().for_each(|bar| clock.note(bar.close_time()));
            history.push(bars);
        }
        let (outbox, outgoing) = mpsc::channel(OUTBOX_ROOM);
        let watch = Arc::<Watch>::default();
        watch.stream_up(); // the start has waited for it
        let mut core = Core::new(Parts {
            state: recovered.state,
            journal,
            desks,
            wire: Wire {
                connection: connection.clone(),
                outbox,
                switch: switch.clone(),
                last_no: None,
                latency: Latency::default(),
                watch: watch.clone(),
            },
            latch,
            durable,
            clock,
            sync_every: settings.journal.sync_every.duration(),
            snapshot_every: settings.journal.snapshot_every,
            pace: surroundings.after_bar,
        });
        core.host.endings = recovered.endings;
        let reconciler = Reconciler {
            connection: connection.clone(),
            instruments: instruments.clone(),
            policy: settings.venue.evidence_policy(),
            sweep_every: settings.venue.sweep_every.duration(),
            history: settings.venue.history.duration(),
            watch: watch.clone(),
        };
        start::introduce(&mut core, &settings, &instruments, &portfolios, &opening)?;
        core.resume_listings()?;
        start::keep_halted(&mut core, [latched, rolled_back])?;
        drift::compare(&mut core, &settings)?;
        failpoint("node.start.introduced");
        let doubtful = reconciler.at_start(&mut core).await?;
        failpoint("node.start.reconciled");
        let last_bars = start::warm_up(&mut core, &history, surroundings.origin)?;

        // trading
        let (inbox, input) = mpsc::channel(INBOX_ROOM);
        let asked = watch::Sender::new(false);
        let engine = spawn_engine(core, input, asked.clone())?;
        let mut tasks = JoinSet::new();
        tasks.spawn(or_abort_async("reconciler", reconciler.clone().sweep(inbox.clone())));
        let driven = driver::drive(outgoing, connection.clone(), inbox.clone(), reconciler, doubtful);
        tasks.spawn(or_abort_async("driver", driven));
        let listening = Listener {
            inbox: inbox.clone(),
            connection,
            watch,
            origin: surroundings.origin,
            interval: settings.interval,
            last_bars,
            told: Vec::new(),
            quoted: Vec::new(),
            books: Books::default(),
        };
        tasks.spawn(or_abort_async("listener", listening.listen(early, events)));
        tasks.spawn(or_abort_async("timer", tick(inbox.clone())));
        if let Some(file) = surroundings.settings_file {
            tasks.spawn(drift::watch(file, inbox.clone()));
        }
        let owner = control::owner_of(&socket)?;
        let admits = move |peer| control::is_owner(peer, owner);
        tasks.spawn(control::serve(listener, inbox.clone(), asked.clone(), switch.clone(), admits));
        Ok(Self {
            inbox,
            asked,
            engine,
            tasks,
            socket,
            _key_lock: key_lock,
            switch,
            auditor,
            recovered: note,
            ready_in: started.elapsed(),
        })
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
    ///
    /// # Errors
    /// [`NodeError::Stopped`] if the engine has ended.
    pub async fn request(&self, request: OperatorRequest) -> Result<OperatorReply, NodeError> {
        let (reply, answer) = oneshot::channel();
        if let Err(reply) = self.switch.hear(&request) {
            return Ok(reply);
        }
        self.inbox.send(Input::Operator(Box::new(request), reply)).await.map_err(|_| NodeError::Stopped)?;
        answer.await.map_err(|_| NodeError::Stopped)
    }

    /// Waits until a person asks for the end on the control socket, or the engine ends by itself.
    pub async fn stop_asked(&self) {
        // the sender lives as long as `self`, so waiting cannot fail
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }

    /// Stops in order within three seconds: cancels what could add to a position, leaves protective orders at the
    /// venue, writes hash and snapshot.
    ///
    /// # Errors
    /// [`NodeError`] that ended the engine, if one did.
    pub async fn stop(self) -> Result<Ended, NodeError> {
        let Self { inbox, engine, mut tasks, socket, auditor, .. } = self;
        let (done, stopped) = oneshot::channel();
        if inbox.send(Input::Stop(done)).await.is_ok() {
            let _ = tokio::time::timeout(STOP_WITHIN, stopped).await; // an engine that failed says why when it is joined
        }
        tasks.shutdown().await;
        drop((inbox, socket));
        let join = move || {
            let ended = engine.join();
            auditor.finish();
            ended
        };
        match tokio::task::spawn_blocking(join).await {
            Ok(Ok(core)) => core.map(|core| Ended { trade_hash: core.host.digest.hex(), state: core.host.state }),
            // a panic in the engine has aborted the process before it came here
            Ok(Err(_)) | Err(_) => Err(NodeError::Stopped),
        }
    }
}

fn spawn_engine(
    core: Core,
    input: mpsc::Receiver<Input>,
    asked: watch::Sender<bool>,
) -> Result<std::thread::JoinHandle<Result<Core, NodeError>>, NodeError> {
    let run = move || {
        let watched = || {
            let _watchdog = Watchdog::over(core.pulse.clone(), core.host.journal.on_disk())?;
            core.run(input)
        };
        let ended = or_abort("engine", watched);
        if let Err(error) = &ended {
            tracing::error!(%error, "the engine stops: nothing leaves that is not remembered");
        }
        asked.send_replace(true);
        ended
    };
    std::thread::Builder::new().name("engine".to_owned()).spawn(run).map_err(NodeError::Thread)
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

/// A timer event each second, for orders that expire.
async fn tick(inbox: mpsc::Sender<Input>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        every.tick().await;
        if inbox.send(Input::Tick).await.is_err() {
            return;
        }
    }
}
