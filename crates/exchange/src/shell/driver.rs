//! What moves the market while nobody asks.

use super::shared::{Shared, lock};
use crate::config::Pace;
use crate::world::market::Cadence;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

/// Publishes depth, candles and tickers by the wall clock, and moves a market that runs by the clock.
pub(crate) async fn publish(shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let mut tick = interval(Duration::from_millis(10));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut fast, mut slow) = (Instant::now(), Instant::now());
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stop.changed() => return,
        }
        let now = Instant::now();
        let (fast_due, slow_due) = (now >= fast, now >= slow);
        let ended = shared.act_and_tell(
            |world, _| world.tape_ended() && !world.is_bars(),
            |world, hub| {
                let spoil = |event: &str| lock(&shared.faults).next("FRAME", event).map(|fault| fault.kind);
                if fast_due {
                    hub.tell_by_clock(world, Cadence::Fast, &spoil);
                }
                if slow_due {
                    hub.tell_by_clock(world, Cadence::Slow, &spoil);
                }
            },
        );
        if fast_due {
            fast = now + Duration::from_millis(100);
        }
        if slow_due {
            slow = now + Duration::from_secs(1);
        }
        if ended {
            shared.done.send_if_modified(|done| !std::mem::replace(done, true));
        }
    }
}

/// Plays a tape of bars by the clock: a quarter of each bar's time passes before each of its moves, and the last
/// quarter between its close and the next open.
pub(crate) async fn play_bars(shared: Arc<Shared>, speed: f64) {
    let mut stop = shared.stop.subscribe();
    let mut next = Instant::now();
    while let Some(millis) = shared.act(|world| world.open_bar()) {
        #[allow(clippy::cast_precision_loss)]
        let quarter = Duration::from_secs_f64(millis as f64 / 4_000.0 / speed);
        for part in 0..4 {
            next += quarter;
            tokio::select! {
                () = sleep_until(next) => {}
                _ = stop.changed() => return,
            }
            shared.act(|world| match part {
                0 => world.print_extreme(false),
                1 => world.print_extreme(true),
                2 => {
                    world.fill_bar();
                    world.close_bar();
                }
                _ => {} // between the close and the next open
            });
        }
    }
    shared.done.send_replace(true);
}

/// Ends a tape in lockstep whose client has stopped stepping.
pub(crate) async fn watch_steps(shared: Arc<Shared>) {
    let Pace::Lockstep { timeout } = shared.pace else { return };
    let mut stop = shared.stop.subscribe();
    loop {
        let since = lock(&shared.stepped).elapsed();
        if *shared.done.borrow() {
            return;
        }
        if since >= timeout {
            tracing::warn!(seconds = since.as_secs(), "no step in time: the tape ends here");
            shared.done.send_replace(true);
            return;
        }
        tokio::select! {
            () = sleep(timeout - since) => {}
            _ = stop.changed() => return,
        }
    }
}
