//! What all connections share.

use crate::binance::calls::{Context, Route};
use crate::binance::door::{self, Key, Keys};
use crate::binance::limits::Counters;
use crate::binance::params::Params;
use crate::binance::scarcity::Wanted;
use crate::binance::streams::Hub;
use crate::config::{Limits, Pace};
use crate::faults::Faults;
use crate::world::World;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// For how long the market may be moved at a time, while callers wait.
const CATCH_UP: Duration = Duration::from_millis(50);
/// So much market time passes between two looks at the clock.
const SLICE_MS: i64 = 1_000;

/// The exchange as every task sees it.
pub(crate) struct Shared {
    world: Mutex<World>,
    pub(crate) hub: Mutex<Hub>,
    pub(crate) counters: Mutex<Counters>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) keys: Keys,
    pub(crate) limits: Limits,
    pub(crate) pace: Pace,
    pub(crate) seed: u64,
    /// `simulated` or `recorded`.
    pub(crate) origin: &'static str,
    began: Instant,
    market_start: i64,
    /// Milliseconds of market time that this machine could not keep up with.
    lost: AtomicI64,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) done: watch::Sender<bool>,
    /// When the last step was taken, for a tape in lockstep.
    pub(crate) stepped: Mutex<Instant>,
}

/// What is needed to build it.
pub(crate) struct Parts {
    pub(crate) world: World,
    pub(crate) keys: Keys,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) pace: Pace,
    pub(crate) seed: u64,
    pub(crate) origin: &'static str,
}

/// Takes a lock whose holders never panic half-way: a panic there has ended the exchange already.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let market_start = parts.world.now();
        Self {
            world: Mutex::new(parts.world),
            hub: Mutex::new(Hub::default()),
            counters: Mutex::new(Counters::new(parts.limits)),
            faults: Mutex::new(parts.faults),
            keys: parts.keys,
            limits: parts.limits,
            pace: parts.pace,
            seed: parts.seed,
            origin: parts.origin,
            began: Instant::now(),
            market_start,
            lost: AtomicI64::new(0),
            stop: watch::Sender::new(false),
            done: watch::Sender::new(false),
            stepped: Mutex::new(Instant::now()),
        }
    }

    /// The server's clock in milliseconds: the wall clock, whatever the speed of the market.
    pub(crate) fn server_time(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Where market time should be now, in milliseconds.
    #[allow(clippy::cast_possible_truncation)] // f64 to i64 saturates
    fn market_time(&self) -> i64 {
        let elapsed = self.began.elapsed().as_secs_f64() * 1_000.0 * self.pace.speed();
        self.market_start.saturating_add(elapsed as i64).saturating_sub(self.lost())
    }

    /// Milliseconds of market time that this machine could not keep up with: so much slower than asked the market ran.
    pub(crate) fn lost(&self) -> i64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Moves the market to where it should be, as far as that takes no longer than [`CATCH_UP`]: what is left then is
    /// given up, so that a market that runs too fast for its machine is slow and never deaf.
    fn catch_up(&self, world: &mut World) {
        let (began, target) = (Instant::now(), self.market_time());
        loop {
            let next = world.now().saturating_add(SLICE_MS);
            if next >= target {
                return world.advance(target);
            }
            world.advance(next);
            if world.now() < next {
                return; // a tape of bars, which has a task of its own
            }
            if began.elapsed() > CATCH_UP {
                self.lost.fetch_add(target.saturating_sub(next), Ordering::Relaxed);
                return;
            }
        }
    }

    /// Brings the world up to date, does something in it, and tells everybody what happened.
    pub(crate) fn act<T>(&self, what: impl FnOnce(&mut World) -> T) -> T {
        self.act_and_tell(|world, _| what(world), |_, _| ())
    }

    /// As [`Self::act`], with the hub at hand: first before, then after the events are told.
    pub(crate) fn act_and_tell<T>(
        &self,
        what: impl FnOnce(&mut World, &mut Hub) -> T,
        after: impl FnOnce(&mut World, &mut Hub),
    ) -> T {
        let mut world = lock(&self.world);
        self.catch_up(&mut world);
        let mut hub = lock(&self.hub);
        let result = what(&mut world, &mut hub);
        let events = world.take_events();
        hub.tell(&world, &events, &|event| lock(&self.faults).next("FRAME", event).map(|fault| fault.kind));
        after(&mut world, &mut hub);
        result
    }

    /// Leaves an order that is about to be carried out only what a fault says.
    pub(crate) fn thin_out(&self, world: &mut World, route: &Route, params: &Params) {
        let Some(wanted) = Wanted::read(world, route, params) else { return };
        let found = lock(&self.faults).next_partial(wanted.symbol(world));
        if let Some(percent) = found {
            wanted.thin_out(world, percent);
        }
    }

    /// What a call may know of its caller.
    pub(crate) fn context(&self, key: Option<&Key>) -> Context<'_> {
        door::context(&self.limits, &lock(&self.counters), key, self.server_time())
    }
}
