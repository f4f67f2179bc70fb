//! Turns what the venue says into inputs of the engine.

use crate::books::Books;
use crate::clock::wall;
use crate::health::Component;
use crate::inbox::{Fact, Input};
use crate::watch::Watch;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tradewind_domain::{Bar, Coded, InstrumentId, Interval, Origin, PortfolioId, Source, Timestamp};
use tradewind_engine::{EventKind, ListingStatus};
use tradewind_host::{end_of, fact_of, is_told_too_early};
use tradewind_venues::binance::Connection;
use tradewind_venues::{Relisting, Stream, VenueEvent, VenueReport};

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
    /// Those bars themselves, of the ones that came while it listened.
    pub(crate) told: Vec<Bar>,
    pub(crate) quoted: Vec<(InstrumentId, Instant)>,
    pub(crate) books: Books,
}

impl Listener {
    /// Listens until the connection or the engine ends; `early` came while the node was starting.
    pub(crate) async fn listen(mut self, early: Vec<VenueEvent>, mut events: mpsc::Receiver<VenueEvent>) {
        let health = self.watch.health.clone();
        let _market = health.started(Component::MarketData);
        let _user = health.started(Component::UserStream);
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
            VenueEvent::Bar { bar, closed: true, stamps } => {
                self.watch.health.worked(Component::MarketData);
                return self.bar(bar, stamps.received).await;
            }
            VenueEvent::Up { stream: Stream::Market, .. } => {
                self.watch.health.ok(Component::MarketData);
                return self.fill_gap().await;
            }
            VenueEvent::UserStreamGap { .. } | VenueEvent::Up { stream: Stream::User, .. } => {
                return self.watch.stream_up();
            }
            VenueEvent::Quote { quote, stamps } => {
                if !self.is_due(quote.instrument) {
                    return;
                }
                self.watch.health.worked(Component::MarketData);
                let kind = EventKind::Quoted { quote, origin: self.origin, marks: true }; // it hears of no trades
                Input::Fact(Fact {
                    at: stamps.event,
                    received: stamps.received,
                    source: Source::Market,
                    portfolio: PortfolioId(0),
                    kind,
                })
            }
            VenueEvent::Book { change, stamps } => {
                let now = Instant::now();
                let Some(depth) = self.books.follow(change, now) else { return };
                if let Some(book) = self.books.levels(depth.instrument, now) {
                    self.pass(Input::Book(depth.instrument, Box::new(book))).await;
                }
                let (at, received) = (stamps.event, stamps.received);
                let kind = EventKind::Deepened { depth, origin: self.origin };
                Input::Fact(Fact { at, received, source: Source::Market, portfolio: PortfolioId(0), kind })
            }
            VenueEvent::Report { report, .. } => {
                self.watch.health.worked(Component::UserStream);
                return self.report(report).await;
            }
            VenueEvent::Relisted { instrument, how, at } => return self.relisted(instrument, how, at).await,
            VenueEvent::Down { stream, why, .. } => {
                match stream {
                    Stream::User => self.watch.stream_down(&why),
                    Stream::Market => self.watch.health.failed(Component::MarketData, why.as_str()),
                }
                Input::Notice(format!("the {stream:?} stream is down: {why}"))
            }
            VenueEvent::Fault { code, message, .. } => Input::Notice(format!("{code}: {message}")),
            VenueEvent::Skipped { count } => Input::Notice(format!("{count} market messages were left out")),
            VenueEvent::Transferred { delta, .. } => Input::Fact(Fact::of_venue(None, EventKind::Deposited(delta))),
            VenueEvent::Bar { closed: false, .. } | VenueEvent::Trade { .. } | VenueEvent::Balances { .. } => return,
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
        let Some((client_id, executed)) = end_of(report) else { return false };
        let (reply, answer) = oneshot::channel();
        self.pass(Input::Order(client_id, reply)).await;
        matches!(answer.await, Ok(Some(record)) if is_told_too_early(&record, executed))
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

    /// Passes a closed bar on, once and in order; those that are missing before it are asked for first.
    async fn bar(&mut self, bar: Bar, received: Timestamp) {
        let last = self.last_bars.iter().find(|(id, _)| *id == bar.instrument).map(|(_, open_time)| *open_time);
        if last.is_some_and(|last| bar.open_time.since(last) > self.interval.nanos()) {
            self.fill_gap_of(bar.instrument, Some(bar.open_time)).await;
        }
        self.pass_bar(bar, received).await;
    }

    async fn pass_bar(&mut self, bar: Bar, received: Timestamp) {
        match self.last_bars.iter_mut().find(|(id, _)| *id == bar.instrument) {
            Some((_, open_time)) if bar.open_time <= *open_time => return self.compare_bar(&bar).await,
            Some((_, open_time)) => *open_time = bar.open_time,
            None => self.last_bars.push((bar.instrument, bar.open_time)),
        }
        self.told.retain(|it| it.instrument != bar.instrument);
        self.told.push(bar);
        self.pass(Input::Bar { bar, received, origin: self.origin }).await;
    }

    /// A bar that was told before. What was decided on the first one stays decided; that the venue now says something
    /// else is told.
    async fn compare_bar(&self, bar: &Bar) {
        let same_time = |it: &&Bar| (it.instrument, it.open_time) == (bar.instrument, bar.open_time);
        if self.told.iter().find(same_time).is_some_and(|first| first != bar) {
            let text = format!(
                "alarm: the venue revised the bar of instrument {} that opened at {}: what was told first stays",
                bar.instrument.0, bar.open_time
            );
            self.pass(Input::Notice(text)).await;
        }
    }

    /// After a reconnect: asks for the bars that closed meanwhile.
    async fn fill_gap(&mut self) {
        for (id, _) in self.last_bars.clone() {
            self.fill_gap_of(id, None).await;
        }
    }

    /// Asks for bars that closed since the last one, page after page, up to the one that opens at `before`.
    async fn fill_gap_of(&mut self, id: InstrumentId, before: Option<Timestamp>) {
        let Some((_, mut open_time)) = self.last_bars.iter().copied().find(|(of, _)| *of == id) else { return };
        loop {
            let from = open_time.plus_nanos(self.interval.nanos());
            let mut bars = match self.connection.bars(id, self.interval, from).await {
                Ok(bars) => bars,
                Err(error) => {
                    let text = format!("{}: missed bars cannot be read: {error}", error.code());
                    return self.pass(Input::Notice(text)).await;
                }
            };
            match before {
                Some(before) => bars.retain(|bar| bar.open_time < before),
                // the newest one is still growing; of a full page it comes again with the next one
                None => drop(bars.pop()),
            }
            let Some(last) = bars.last() else { return };
            open_time = last.open_time;
            for bar in bars {
                self.pass_bar(bar, wall()).await;
            }
        }
    }

    /// The venue lists an instrument otherwise than before.
    async fn relisted(&self, instrument: InstrumentId, how: Relisting, at: Timestamp) {
        let (status, text) = match how {
            Relisting::Rules(spec) => return self.pass(Input::Rules(instrument, spec)).await,
            Relisting::Trading => (ListingStatus::Trading, "it trades".to_owned()),
            Relisting::Paused(word) => (ListingStatus::Paused, format!("it takes no orders ({word})")),
            Relisting::Gone => (ListingStatus::Delisted, "it is no longer listed".to_owned()),
            Relisting::OtherSteps(why) => (ListingStatus::Paused, format!("{why}; stop and start again to trade it")),
        };
        self.pass(Input::Notice(format!("alarm: the listing of instrument {} changed: {text}", instrument.0))).await;
        let kind = EventKind::ListingChanged { instrument, status };
        let portfolio = PortfolioId(0);
        self.pass(Input::Fact(Fact { at: None, received: at, source: Source::Venue, portfolio, kind })).await;
    }
}
