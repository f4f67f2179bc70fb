//! What the tasks around the venue know together: whether the user stream is whole, which orders are being asked
//! about, and when the venue should be asked anew.

use crate::health::{Component, Health};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tradewind_domain::{ClientOrderId, Timestamp};
use tradewind_engine::Doubt;
use tradewind_venues::binance::Connection;

/// Shared by the listener, the driver and the sweep.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// What each of them says of itself.
    pub(crate) health: Health,
    known: Mutex<Known>,
    wake: Notify,
}

/// What is in doubt about an order, and the window of the request in doubt, where it is not that of the order itself.
pub(crate) type Doubted = (Doubt, Option<(Timestamp, Timestamp)>);

#[derive(Debug, Default)]
struct Known {
    /// Since when the user stream is whole; `None` while it is away.
    stream_since: Option<Instant>,
    /// Orders that are being asked about.
    asked: BTreeSet<ClientOrderId>,
    /// Of those, orders that are in doubt themselves although their cancel was asked about.
    doubted: BTreeSet<ClientOrderId>,
    /// Of those, what else came into doubt meanwhile: it is asked about next.
    next: BTreeMap<ClientOrderId, Doubted>,
    /// Refusals in a row because of the time stamp.
    clock_refusals: u32,
}

impl Watch {
    pub(crate) fn new(health: Health) -> Self {
        Self { health, ..Self::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock panics")
    }

    /// The user stream is whole from now on; what happened before must be read.
    pub(crate) fn stream_up(&self) {
        self.known().stream_since = Some(Instant::now());
        self.health.ok(Component::UserStream);
        self.sweep_soon();
    }
    /// The user stream is away.
    pub(crate) fn stream_down(&self, why: &str) {
        self.known().stream_since = None;
        self.health.failed(Component::UserStream, why);
    }
    pub(crate) fn stream_since(&self) -> Option<Instant> {
        self.known().stream_since
    }

    /// Asks for a sweep of the venue's lists, at once.
    pub(crate) fn sweep_soon(&self) {
        self.wake.notify_one();
    }
    /// Waits until somebody asks for a sweep, but no longer than `most`.
    pub(crate) async fn until_sweep(&self, most: Duration) {
        let _ = tokio::time::timeout(most, self.wake.notified()).await; // either will do
    }

    /// Begins an inquiry about an order. `None` if one is under way: that asks about the order itself from now on, or, once
    /// it has ended, about its cancel or its amendment. It ends when the guard is dropped.
    pub(crate) fn begin(&self, client_id: ClientOrderId, doubted: Doubted) -> Option<Asking<'_>> {
        let mut known = self.known();
        if known.asked.insert(client_id) {
            drop(known);
            return Some(Asking { watch: self, client_id, is_over: false });
        }
        match doubted.0 {
            Doubt::Order => _ = known.doubted.insert(client_id),
            Doubt::Cancel | Doubt::Amend => _ = known.next.insert(client_id, doubted),
        }
        None
    }
    pub(crate) fn is_order_doubted(&self, client_id: ClientOrderId) -> bool {
        self.known().doubted.contains(&client_id)
    }

    /// The venue took a request, so it agrees with our time stamps.
    pub(crate) fn clock_agrees(&self) {
        self.known().clock_refusals = 0;
    }
    /// The venue refused a time stamp; how often in a row.
    pub(crate) fn clock_refused(&self) -> u32 {
        let mut known = self.known();
        known.clock_refusals += 1;
        known.clock_refusals
    }
}

/// An inquiry that is under way.
pub(crate) struct Asking<'a> {
    watch: &'a Watch,
    client_id: ClientOrderId,
    is_over: bool,
}

impl Asking<'_> {
    /// What came into doubt while something else was asked; without anything this inquiry is over.
    pub(crate) fn next(&mut self) -> Option<Doubted> {
        let mut known = self.watch.known();
        let next = known.next.remove(&self.client_id);
        if next.is_none() {
            known.end(self.client_id);
            self.is_over = true;
        }
        next
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.watch.known().end(self.client_id);
        }
    }
}

impl Known {
    fn end(&mut self, client_id: ClientOrderId) {
        self.asked.remove(&client_id);
        self.doubted.remove(&client_id);
        self.next.remove(&client_id);
    }
}

/// The venue's time as it was once, moved on by the monotonic clock alone: it never jumps.
///
/// While the machine is suspended it stands still, so whoever waits by it waits longer, never shorter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SteadyClock {
    began: Instant,
    venue: Timestamp,
    error: i64,
}

/// Most that a machine's quartz is off, in parts per million.
const DRIFT_PPM: i64 = 500;

impl SteadyClock {
    /// Begins at the venue's time, once that is known.
    pub(crate) async fn of(connection: &Connection) -> Self {
        loop {
            if let Some((venue, error)) = connection.venue_time() {
                return Self { began: Instant::now(), venue, error };
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.venue.plus_nanos(nanos(self.began.elapsed()))
    }
    /// When `moment` was; a moment before this clock began counts as its beginning.
    pub(crate) fn at(&self, moment: Instant) -> Timestamp {
        self.venue.plus_nanos(nanos(moment.saturating_duration_since(self.began)))
    }
    /// By how much it may be wrong now, in nanoseconds.
    pub(crate) fn error(&self) -> i64 {
        self.error.saturating_add(nanos(self.began.elapsed()) / 1_000_000 * DRIFT_PPM)
    }
    /// How long it is until `moment`.
    pub(crate) fn until(&self, moment: Timestamp) -> Duration {
        Duration::from_nanos(u64::try_from(moment.since(self.now())).unwrap_or(0))
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_asked_about_once_at_a_time() {
        let watch = Watch::default();
        let id = ClientOrderId::from_u128(1);
        let begin = |doubt| watch.begin(id, (doubt, None));
        let first = begin(Doubt::Cancel);
        assert!(first.is_some() && !watch.is_order_doubted(id));
        assert!(watch.begin(ClientOrderId::from_u128(2), (Doubt::Order, None)).is_some());
        assert!(begin(Doubt::Order).is_none() && watch.is_order_doubted(id));
        drop(first);
        assert!(begin(Doubt::Order).is_some() && !watch.is_order_doubted(id), "a new inquiry is a new doubt");
    }

    #[test]
    fn a14_what_comes_into_doubt_while_the_order_is_asked_about_is_asked_about_next() {
        let watch = Watch::default();
        let (id, window) = (ClientOrderId::from_u128(1), Some((Timestamp::from_millis(1), Timestamp::from_millis(2))));
        let mut first = watch.begin(id, (Doubt::Order, None)).unwrap();
        assert!(watch.begin(id, (Doubt::Cancel, window)).is_none());
        assert_eq!(first.next(), Some((Doubt::Cancel, window)));
        assert!(watch.begin(id, (Doubt::Amend, None)).is_none(), "it goes on");
        assert_eq!(first.next(), Some((Doubt::Amend, None)));
        assert_eq!(first.next(), None);
        let second = watch.begin(id, (Doubt::Cancel, window));
        drop(first);
        assert!(
            second.is_some() && watch.begin(id, (Doubt::Cancel, window)).is_none(),
            "one that is over ends no other"
        );
    }

    #[test]
    fn a_stream_that_broke_is_whole_only_since_it_came_back() {
        let watch = Watch::default();
        assert_eq!(watch.stream_since(), None);
        watch.stream_up();
        let first = watch.stream_since().unwrap();
        watch.stream_down("a test");
        assert_eq!(watch.stream_since(), None);
        watch.stream_up();
        assert!(watch.stream_since().unwrap() >= first);
    }

    #[test]
    fn refusals_of_the_time_stamp_are_counted_in_a_row() {
        let watch = Watch::default();
        assert_eq!((watch.clock_refused(), watch.clock_refused()), (1, 2));
        watch.clock_agrees();
        assert_eq!(watch.clock_refused(), 1);
    }
}
