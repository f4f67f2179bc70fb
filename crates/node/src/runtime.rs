//! A node from start to stop: safe, then reconciled, then trading.

use crate::abort::or_abort;
use crate::core::Core;
use crate::damage;
use crate::error::NodeError;
use crate::health::{Health, Running};
use crate::inbox::{Input, Progress};
use crate::operate::{OperatorReply, OperatorRequest};
use crate::recover::Recovered;
use crate::settings::Settings;
use crate::steps::{Held, Safe, Trading};
use crate::watchdog::Watchdog;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tradewind_domain::Origin;
use tradewind_engine::State;
use tradewind_venues::binance::{BinanceConfig, market_origin};

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
    held: Held,
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
    /// What was wrong with it and what was done about that, a sentence each.
    pub found: Vec<String>,
}

impl Node {
    /// Starts a node: opens and folds the journal, connects, reconciles, warms up, trades.
    ///
    /// # Errors
    /// [`NodeError`] of the step that failed; nothing is left running.
    pub async fn start(settings: Settings, surroundings: Surroundings) -> Result<Self, NodeError> {
        let started = Instant::now();
        let safe = Safe::begin(&settings, &surroundings)?;
        let recovered = note(&safe.recovered);
        let reconciled = Box::pin(safe.reconcile(&settings, &surroundings)).await?; // its state is large
        let Trading { inbox, asked, engine, tasks, held } = reconciled.trade(&settings, surroundings)?;
        Ok(Self { inbox, asked, engine, tasks, held, recovered, ready_in: started.elapsed() })
    }

    /// How each of its components is. What is returned stays readable when the node has stopped.
    #[must_use]
    pub fn health(&self) -> Health {
        self.held.health.clone()
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
        if let Err(reply) = self.held.switch.hear(&request) {
            return Ok(reply);
        }
        let stops = request.stops();
        self.inbox.send(Input::Operator(Box::new(request), reply)).await.map_err(|_| NodeError::Stopped)?;
        let answer = answer.await.map_err(|_| NodeError::Stopped)?;
        if stops && matches!(answer, OperatorReply::Done { .. }) {
            self.asked.send_replace(true);
        }
        Ok(answer)
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
        let Self { inbox, engine, mut tasks, held, .. } = self;
        let (done, stopped) = oneshot::channel();
        let asked = inbox.send(Input::Stop(done)).await;
        if asked.is_ok() && tokio::time::timeout(STOP_WITHIN, stopped).await.is_err() {
            tasks.shutdown().await; // an engine that takes too long gets nothing more to do
        }
        // first the engine, while what it cancels can still be sent; one that failed says why
        let ended = tokio::task::spawn_blocking(move || engine.join()).await;
        tasks.shutdown().await;
        drop(inbox);
        let released = tokio::task::spawn_blocking(move || drop(held)).await;
        debug_assert!(released.is_ok(), "what is held ends without a panic");
        match ended {
            Ok(Ok(core)) => core.map(|core| Ended { trade_hash: core.host.digest.hex(), state: core.host.state }),
            // a panic in the engine has aborted the process before it came here
            Ok(Err(_)) | Err(_) => Err(NodeError::Stopped),
        }
    }
}

/// Runs the engine on a thread of its own, which is `running` until it ends.
pub(crate) fn spawn_engine(
    core: Core,
    input: mpsc::Receiver<Input>,
    asked: watch::Sender<bool>,
    running: Running,
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
        drop(running);
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
    RecoveredNote {
        sequence: recovered.state.sequence,
        folded: recovered.folded,
        took: recovered.took,
        found: damage::told(&recovered.recovery),
    }
}

/// A timer event each second, for orders that expire.
pub(crate) async fn tick(inbox: mpsc::Sender<Input>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        every.tick().await;
        if inbox.send(Input::Tick).await.is_err() {
            return;
        }
    }
}
