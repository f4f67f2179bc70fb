//! Turns what the venue says into inputs of the engine.

use crate::clock::wall;
use crate::inbox::{Fact, Input};
use crate::watch::Watch;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tradewind_domain::{Bar, Coded, InstrumentId, Interval, Origin, PortfolioId, Source, Timestamp};
use tradewind_engine::EventKind;
use tradewind_venues::binance::Connection;
use tradewind_venues::{Stream, VenueEvent, VenueReport};

/// The engine sees conflated quotes: enough to know that the feed lives.
const QUOTE_EVERY: Duration = Duration::from_millis(500);

/// Everything that the listening task holds.
pub(crate) struct Listener {
    pub(crate) inbox: mpsc::Sender<Input>,
    pub(crate) connection: Connection,
    pub(crate) watch: Arc<Watch>,
    pub(crate) origin: Origin,
    pub(crate) interval: Interval,
    /// The newest closed bar of each instrument, by its open time.
    pub(crate) last_bars: Vec<(InstrumentId, Timestamp)>,
    pub(crate) quoted: Vec<(InstrumentId, Instant)>,
}

impl Listener {
    /// Listens until the connection or the engine ends; `early` came while the node was starting.
    pub(crate) async fn listen(mut self, early: Vec<VenueEvent>, mut events: mpsc::Receiver<VenueEvent>) {
        for event in early {
            self.hear(event).await;
        }
        while let Some(event) = events.recv().await {
            if self.inbox.is_closed() {
                return;
            }
            self.hear(event).await;
        }
    }

    async fn hear(&mut self, event: VenueEvent) {
        let input = match event {
            VenueEvent::Bar { bar, closed: true, stamps } => return self.bar(bar, stamps.received).await,
            VenueEvent::Up { stream: Stream::Market, .. } => return self.fill_gap().await,
            VenueEvent::UserStreamGap { .. } | VenueEvent::Up { stream: Stream::User, .. } => {
                return self.watch.stream_up();
            }
            VenueEvent::Quote { quote, stamps } => {
                if !self.is_due(quote.instrument) {
                    return;
                }
                let kind = EventKind::Quoted { quote, origin: self.origin };
                Input::Fact(Fact {
                    at: stamps.event,
                    received: stamps.received,
                    source: Source::Market,
                    portfolio: PortfolioId(0),
                    kind,
                })
            }
            VenueEvent::Report { report, .. } => return self.report(report).await,
            VenueEvent::Down { stream, why, .. } => {
                if stream == Stream::User {
                    self.watch.stream_down();
                }
                Input::Notice(format!("the {stream:?} stream is down: {why}"))
            }
            VenueEvent::Fault { code, message, .. } => Input::Notice(format!("{code}: {message}")),
            VenueEvent::Skipped { count } => Input::Notice(format!("{count} market messages were left out")),
            VenueEvent::Transferred { delta, .. } => Input::Fact(Fact::of_venue(None, EventKind::Deposited(delta))),
            VenueEvent::Bar { closed: false, .. }
            | VenueEvent::Trade { .. }
            | VenueEvent::Book { .. }
            | VenueEvent::Balances { .. } => return,
        };
        self.pass(input).await;
    }

    /// What happened to an order: an event, and where the venue works it at other terms than were meant, a correction.
    async fn report(&self, report: VenueReport) {
        if matches!(report, VenueReport::Foreign(_)) {
            return self.watch.sweep_soon(); // its whole story is in the lists
        }
        if self.is_told_too_early(&report).await {
            return self.watch.sweep_soon();
        }
        let terms = match &report {
            VenueReport::Accepted { client_id, price, quantity, .. } => Some((*client_id, *price, *quantity)),
            VenueReport::Amended { client_id, quantity, .. } => Some((*client_id, None, *quantity)),
            _ => None,
        };
        if let Some((at, kind)) = fact_of(report) {
            self.pass(Input::Fact(Fact::of_venue(Some(at), kind))).await;
        }
        if let Some((client_id, price, quantity)) = terms {
            self.pass(Input::Terms { client_id, price, quantity }).await;
        }
    }

    /// The end of an order of which the venue executed more than was booked: some executions are still on their way, or
    /// lost. Until the venue's lists have told them, the order counts in full; they tell its end as well.
    async fn is_told_too_early(&self, report: &VenueReport) -> bool {
        let (VenueReport::Cancelled { client_id, cumulative, .. } | VenueReport::Expired { client_id, cumulative, .. }) =
            report
        else {
            return false;
        };
        let (reply, answer) = oneshot::channel();
        self.pass(Input::Order(*client_id, reply)).await;
        let Ok(Some(record)) = answer.await else { return false };
        record.state.is_open() && record.filled < *cumulative
    }

    /// An engine that ended takes nothing more; the listening then ends with the next event.
    async fn pass(&self, input: Input) {
        let _ = self.inbox.send(input).await;
    }

    fn is_due(&mut self, id: InstrumentId) -> bool {
        match self.quoted.iter_mut().find(|(quoted, _)| *quoted == id) {
            Some((_, at)) if at.elapsed() < QUOTE_EVERY => return false,
            Some((_, at)) => *at = Instant::now(),
            None => self.quoted.push((id, Instant::now())),
        }
        true
    }

    /// Passes a closed bar on, once and in order.
    async fn bar(&mut self, bar: Bar, received: Timestamp) {
        match self.last_bars.iter_mut().find(|(id, _)| *id == bar.instrument) {
            Some((_, open_time)) if bar.open_time <= *open_time => return,
            Some((_, open_time)) => *open_time = bar.open_time,
            None => self.last_bars.push((bar.instrument, bar.open_time)),
        }
        self.pass(Input::Bar { bar, received, origin: self.origin }).await;
    }

    /// After a reconnect: asks for the bars that closed meanwhile, page after page.
    async fn fill_gap(&mut self) {
        for (id, mut open_time) in self.last_bars.clone() {
            loop {
                let from = open_time.plus_nanos(self.interval.nanos());
                let mut bars = match self.connection.bars(id, self.interval, from).await {
                    Ok(bars) => bars,
                    Err(error) => {
                        let text = format!("{}: missed bars cannot be read: {error}", error.code());
                        self.pass(Input::Notice(text)).await;
                        break;
                    }
                };
                bars.pop(); // the newest one is still growing; of a full page it comes again with the next one
                let Some(last) = bars.last() else { break };
                open_time = last.open_time;
                for bar in bars {
                    self.bar(bar, wall()).await;
                }
            }
        }
    }
}

/// A venue's report as an event, with its time; `None` for what changes nothing here.
fn fact_of(report: VenueReport) -> Option<(Timestamp, EventKind)> {
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
        VenueReport::Amended { .. } | VenueReport::Foreign(_) => return None,
    })
}
