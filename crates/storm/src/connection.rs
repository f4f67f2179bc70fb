//! The session that carries orders out and news in: how it ends, and how it begins anew.

use crate::orders::{MILLI, SECOND};
use crate::queue::{Back, What};
use crate::setup;
use crate::storm::Storm;
use tradewind_venues::binance::protocol;
use tradewind_venues::binance::rules::Endpoint;
use tradewind_venues::{Purpose, TransportFault};

impl Storm {
    /// The node notices that a session is gone.
    pub(crate) fn lost(&mut self, session: u64) {
        self.link.kill(session, self.now);
        let Some(process) = self.node.process.as_mut() else { return };
        if process.session.id != session {
            return;
        }
        process.session.up = false;
        process.session.failures += 1;
        let wait = backoff(process.session.failures);
        self.all_unknown(&TransportFault::Broke("the connection broke".to_owned()));
        self.connect_at(self.now + wait);
    }

    /// Connects at `time`, or sooner if that was meant already.
    pub(crate) fn connect_at(&mut self, time: i64) {
        let life = self.node.life;
        if let Some(process) = self.node.process.as_mut().filter(|it| it.connect_due > time) {
            process.connect_due = time;
            self.queue.at(time, What::Connect { life });
        }
    }

    pub(crate) fn connect(&mut self) {
        let now = self.now;
        let (up, delay) = (self.link.up(now), self.chance.between(5, 40) * MILLI);
        let Some(process) = self.node.process.as_mut() else { return };
        if now < process.connect_due {
            return; // tried sooner
        }
        process.connect_due = i64::MAX;
        if process.session.up {
            return;
        }
        let clock = process.host.outside.clock.at(process.monotonic(now));
        let weight = Endpoint::Subscribe.weight();
        let may_ask = up && process.weight.take(weight, Purpose::Vital, process.budget_time(now)).is_ok();
        let (Some((venue, _)), true) = (clock, may_ask) else {
            process.session.failures += 1;
            let wait = backoff(process.session.failures);
            return self.connect_at(now + wait);
        };
        self.node.next_session += 1;
        let session = self.node.next_session;
        process.next_id += 1;
        (process.session.id, process.session.subscribing) = (session, process.next_id);
        let window = u128::try_from(setup::WINDOW_MILLIS).unwrap_or(0);
        let signer = &process.host.outside.codec.signer;
        let text = protocol::subscribe_text(signer, venue, window, process.next_id);
        let (carried_out, back) = (true, Back::Whole);
        self.queue.at(now + delay, What::VenueFrame { session, text, carried_out, hold: 0, back });
        self.connect_at(now + 3 * SECOND); // tried again unless it is up by then
    }
}

/// How long to wait before connecting anew.
fn backoff(failures: u32) -> i64 {
    ((100 * MILLI) << failures.min(7)).min(10 * SECOND)
}
