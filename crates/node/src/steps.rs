//! The steps of a start: safe, reconciled, trading.
//!
//! Each step is a value that holds what it began and ends that when it is dropped. A step that fails therefore leaves
//! nothing of itself or of those before it: no lock, no socket, no thread, no connection.

use crate::abort::or_abort_async;
use crate::audit::Auditor;
use crate::books::Books;
use crate::clock::Clock;
use crate::control::{self, ControlSocket};
use crate::core::{Core, Parts};
use crate::damage;
use crate::drift;
use crate::driver;
use crate::error::NodeError;
use crate::health::{Component, Health, Running};
use crate::inbox::Input;
use crate::inquire::Reconciler;
use crate::key_lock::KeyLock;
use crate::kill_call::KillCalls;
use crate::kill_switch::{KillSwitch, LatchFile, Latched, watch_file, watch_signal};
use crate::listener::Listener;
use crate::live;
use crate::outgoing::{Latency, Wire};
use crate::portfolios::Portfolios;
use crate::quotes::Quotes;
use crate::recover::{Recovered, recover};
use crate::runtime::{Surroundings, spawn_engine, tick};
use crate::settings::Settings;
use crate::start::{self, Connected};
use crate::warm_up::closed_bars;
use crate::watch::Watch;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tradewind_domain::{ClientOrderId, InstrumentId, Timestamp};
use tradewind_engine::Doubt;
use tradewind_host::Outgoing;
use tradewind_journal::{DiskStorage, Journal, Storage as _, failpoint};
use tradewind_venues::VenueEvent;
use tradewind_venues::binance::{BinanceConfig, Connection};

/// Inputs that may wait for the engine.
const INBOX_ROOM: usize = 8_192;
/// Requests that may wait for the driver.
const OUTBOX_ROOM: usize = 256;

/// What holds the data directory and the key for this process, and lets people ask. Ends in this order.
pub(crate) struct Held {
    auditor: Auditor,
    socket: ControlSocket,
    _key_lock: KeyLock,
    pub(crate) switch: KillSwitch,
    pub(crate) health: Health,
}

/// Safe: nothing has left this process yet. Settings and keys are read, the journal is folded, the locks are held.
pub(crate) struct Safe {
    listener: UnixListener,
    held: Held,
    /// What must stay stopped, although the journal does not say so.
    latched: Latched,
    latch: LatchFile,
    signal: Signal,
    durable: Arc<AtomicU64>,
    config: BinanceConfig,
    pub(crate) recovered: Recovered,
    running: Running,
    journal: Journal,
}

impl Safe {
    pub(crate) fn begin(settings: &Settings, surroundings: &Surroundings) -> Result<Self, NodeError> {
        live::check_settings(settings)?;
        let kill_key = settings.governance.kill_key()?;
        let signer = start::signer(settings, surroundings)?;
        let dir = &settings.data_dir;
        DiskStorage::new(dir).create_dir().map_err(|source| NodeError::DataDir { path: dir.clone(), source })?;
        let signal = signal(SignalKind::user_defined1()).map_err(NodeError::Latch)?; // until it trades one waits
        let health = Health::default();
        let (journal, recovered) = recover(dir, settings.journal.options())?;
        let running = health.started(Component::Journal);
        failpoint("node.start.recovered");
        let key_lock = KeyLock::take(signer.key().expose(), &settings.venue.rest_url)?;
        let (listener, socket) = control::listen(dir)?;
        let (latch, latched) = LatchFile::open(dir);
        let calls = KillCalls::new(kill_key, recovered.state.governance.halt_calls.clone());
        let switch = KillSwitch::new(recovered.state.halted.is_some() || latched.halted.is_some()).with_calls(calls);
        let durable = Arc::new(AtomicU64::new(recovered.state.sequence));
        let audit_key = &settings.governance.audit_key;
        let (auditor, rolled_back) =
            Auditor::start(dir, audit_key, recovered.state.sequence, durable.clone(), &health)?;
        let config = start::venue_config(settings, signer, switch.flag());
        let held = Held { auditor, socket, _key_lock: key_lock, switch, health };
        let latched = Latched { halted: latched.halted.or(rolled_back), ..latched };
        Ok(Self { listener, held, latched, latch, signal, durable, config, recovered, running, journal })
    }

    /// Connects, asks the venue what became of everything, and shows the strategies the past.
    pub(crate) async fn reconcile(
        self,
        settings: &Settings,
        surroundings: &Surroundings,
    ) -> Result<Reconciled, NodeError> {
        let Self { listener, held, latched, latch, signal, durable, config, recovered, running, journal } = self;
        let Connected { connection, events, early, instruments, opening } =
            start::connect(config, settings, &recovered.state).await?;
        failpoint("node.start.connected");
        live::check_account(settings, &connection, &opening.account).await?;
        let portfolios = Portfolios::plan(&recovered.state, &settings.strategy);
        let desks = start::desks(settings, &instruments, &portfolios)?;
        let mut clock = Clock::new(surroundings.origin, connection.venue_time().map(|(venue, _)| venue));
        let mut history = Vec::new();
        for instrument in &instruments {
            let bars = closed_bars(&connection, instrument, settings.interval, &desks).await;
            let bars = bars.map_err(|source| NodeError::Venue {
                url: settings.venue.rest_url.clone(),
                source: Box::new(source),
            })?;
            bars.last().into_iter().for_each(|bar| clock.note(bar.close_time()));
            history.push(bars);
        }
        let watch = Arc::new(Watch::new(held.health.clone()));
        watch.stream_up(); // the start has waited for it
        let (outbox, outgoing) = mpsc::channel(OUTBOX_ROOM);
        let wire = Wire {
            connection: connection.clone(),
            outbox,
            switch: held.switch.clone(),
            last_no: None,
            latency: Latency::default(),
            watch: watch.clone(),
        };
        let reconciler = Reconciler {
            connection: connection.clone(),
            instruments: instruments.clone(),
            policy: settings.venue.evidence_policy(),
            sweep_every: settings.venue.sweep_every.duration(),
            history: settings.venue.history.duration(),
            watch,
        };
        let Recovered { state, endings, fees, recovery, .. } = recovered;
        let (sync_every, snapshot_every) = (settings.journal.sync_every.duration(), settings.journal.snapshot_every);
        let pace = surroundings.after_bar.clone();
        let mut core = Core::new(Parts {
            state,
            journal,
            desks,
            wire,
            latch,
            signs: held.auditor.signs(),
            durable,
            clock,
            sync_every,
            snapshot_every,
            pace,
            running,
        });
        (core.host.endings, core.host.fees) = (endings, fees);
        damage::told(&recovery).into_iter().for_each(|text| core.note(text));
        start::introduce(&mut core, settings, &instruments, &portfolios, &opening)?;
        core.resume_listings()?;
        start::keep_halted(&mut core, latched)?;
        damage::restrict(&mut core, &recovery)?;
        core.say_who_signs()?;
        drift::compare(&mut core, settings)?;
        failpoint("node.start.introduced");
        let doubtful = reconciler.at_start(&mut core).await?;
        failpoint("node.start.reconciled");
        let last_bars = start::warm_up(&mut core, &history, surroundings.origin)?;
        Ok(Reconciled {
            listener,
            signal,
            connection,
            events,
            early,
            outgoing,
            reconciler,
            doubtful,
            last_bars,
            core,
            held,
        })
    }
}

/// Reconciled: books and venue agree, or only what reduces is allowed. Nothing was proposed yet.
pub(crate) struct Reconciled {
    listener: UnixListener,
    signal: Signal,
    connection: Connection,
    events: mpsc::Receiver<VenueEvent>,
    early: Vec<VenueEvent>,
    outgoing: mpsc::Receiver<Outgoing>,
    reconciler: Reconciler,
    doubtful: Vec<(ClientOrderId, Doubt)>,
    last_bars: Vec<(InstrumentId, Timestamp)>,
    core: Core,
    held: Held,
}

/// Trading: everything runs.
pub(crate) struct Trading {
    pub(crate) inbox: mpsc::Sender<Input>,
    pub(crate) asked: watch::Sender<bool>,
    pub(crate) engine: JoinHandle<Result<Core, NodeError>>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) held: Held,
}

impl Reconciled {
    /// Starts the engine's thread, and the tasks around it.
    pub(crate) fn trade(self, settings: &Settings, surroundings: Surroundings) -> Result<Trading, NodeError> {
        let Self { listener, signal, connection, events, early, outgoing, reconciler, doubtful, last_bars, core, held } =
            self;
        let owner = control::owner_of(&held.socket)?;
        let (inbox, input) = mpsc::channel(INBOX_ROOM);
        let asked = watch::Sender::new(false);
        let engine = spawn_engine(core, input, asked.clone(), held.health.started(Component::Engine))?;
        let mut tasks = JoinSet::new();
        let listening = Listener {
            inbox: inbox.clone(),
            connection: connection.clone(),
            watch: reconciler.watch.clone(),
            origin: surroundings.origin,
            interval: settings.interval,
            last_bars,
            told: Vec::new(),
            quotes: Quotes::default(),
            books: Books::default(),
        };
        tasks.spawn(or_abort_async("reconciler", reconciler.clone().sweep(inbox.clone())));
        let driven = driver::drive(outgoing, connection, inbox.clone(), reconciler, doubtful);
        tasks.spawn(or_abort_async("driver", driven));
        tasks.spawn(or_abort_async("listener", listening.listen(early, events)));
        tasks.spawn(or_abort_async("timer", tick(inbox.clone())));
        tasks.spawn(watch_file(settings.data_dir.clone(), held.switch.clone(), inbox.clone()));
        tasks.spawn(watch_signal(signal, held.switch.clone(), inbox.clone()));
        if let Some(file) = surroundings.settings_file {
            tasks.spawn(drift::watch(file, inbox.clone()));
        }
        let (admits, at_work) = (move |peer| control::is_owner(peer, owner), held.health.started(Component::Control));
        let serving = control::serve(listener, inbox.clone(), asked.clone(), held.switch.clone(), admits);
        tasks.spawn(async move {
            let _running = at_work;
            serving.await;
        });
        Ok(Trading { inbox, asked, engine, tasks, held })
    }
}
