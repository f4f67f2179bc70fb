//! Turns what the venue says into inputs of the engine.

use crate::books::Books;
use crate::clock::wall;
use crate::health::Component;
use crate::inbox::{Fact, Input};
use crate::quotes::Quotes;
use crate::watch::Watch;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tradewind_domain::{Bar, Coded, InstrumentId, Interval, Origin, PortfolioId, Quote, Source, Timestamp};
use tradewind_engine::{EventKind, ListingStatus};
use tradewind_host::{end_of, fact_of, is_told_too_early};
use tradewind_venues::binance::Connection;
use tradewind_venues::{Relisting, Stream, VenueEvent, VenueReport};

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
    pub(crate) quotes: Quotes,
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
                if !self.quotes.is_due(quote, stamps.received, Instant::now()) {
                    return;
                }
                self.watch.health.worked(Component::MarketData);
                self.quoted(quote, stamps.event, stamps.received)
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
                    Stream::Market => {
                        self.watch.health.failed(Component::MarketData, why.as_str());
                        self.quotes = Quotes::default(); // one from before the gap says nothing after it
                    }
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

    /// A quote as an input; without a time of the venue's it is of now.
    fn quoted(&self, quote: Quote, at: Option<Timestamp>, received: Timestamp) -> Input {
        let kind = EventKind::Quoted { quote, origin: self.origin, marks: true }; // it hears of no trades
        Input::Fact(Fact { at, received, source: Source::Market, portfolio: PortfolioId(0), kind })
    }

    /// Passes a closed bar on, once and in order; those that are missing before it are asked for first.
    async fn bar(&mut self, bar: Bar, received: Timestamp) {
        let last = self.last_bars.iter().find(|(id, _)| *id == bar.instrument).map(|(_, open_time)| *open_time);
        if last.is_some_and(|last| bar.open_time.since(last) > self.interval.nanos()) {
            self.fill_gap_of(bar.instrument, Some(bar.open_time)).await;
        }
        if last.is_none_or(|last| bar.open_time > last) {
            self.pass_held_quote(&bar).await;
        }
        self.pass_bar(bar, received).await;
    }

    /// Passes on the newest quote before `bar`, if it was held back: what is decided on the bar is judged by that book, and
    /// not by one that may be many bars older. It is of the bar's close, as the mark will be: the quote of a bar that comes
    /// late makes the mark no younger.
    async fn pass_held_quote(&mut self, bar: &Bar) {
        let Some((quote, received)) = self.quotes.closed(bar.instrument, Instant::now()) else { return };
        self.pass(self.quoted(quote, Some(bar.close_time()), received)).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tradewind_domain::{Price, Quantity};
    use tradewind_exchange::{Exchange, ExchangeConfig};
    use tradewind_venues::Stamps;
    use tradewind_venues::binance::BinanceConfig;

    const BTC: InstrumentId = InstrumentId(0);
    const ETH: InstrumentId = InstrumentId(1);

    fn best(instrument: InstrumentId, bid: i64) -> Quote {
        let size = Quantity::from_mantissa(1);
        let [bid, ask] = [bid, bid + 2].map(Price::from_mantissa);
        Quote { instrument, bid, bid_size: size, ask, ask_size: size }
    }

    /// Best bid and ask, read as many milliseconds after 1970 as the bid is high.
    fn quote(instrument: InstrumentId, bid: i64) -> VenueEvent {
        let stamps = Stamps { event: None, received: Timestamp::from_millis(bid) };
        VenueEvent::Quote { quote: best(instrument, bid), stamps }
    }

    fn minute(minute: i64, price: i64) -> VenueEvent {
        let open_time = Timestamp::from_millis(minute * 60_000);
        let [open, high, low, close] = [price; 4].map(Price::from_mantissa);
        let volume = Quantity::from_mantissa(1);
        let bar = Bar { instrument: BTC, interval: Interval::MINUTE, open_time, open, high, low, close, volume };
        VenueEvent::Bar { bar, closed: true, stamps: Stamps { event: None, received: bar.close_time() } }
    }

    fn down() -> VenueEvent {
        VenueEvent::Down { stream: Stream::Market, why: "it broke".to_owned(), at: Timestamp::default() }
    }

    fn line(input: &Input) -> String {
        match input {
            Input::Fact(Fact { at: Some(at), received, kind: EventKind::Quoted { quote, .. }, .. }) => {
                format!("quote {} at {} s, read at {} ms", quote.bid.mantissa(), at.millis() / 1_000, received.millis())
            }
            Input::Bar { bar, .. } => {
                format!("bar {} at {} s", bar.close.mantissa(), bar.close_time().millis() / 1_000)
            }
            Input::Notice(_) => "notice".to_owned(),
            _ => "something else".to_owned(),
        }
    }

    /// What the engine is told of `events` after the bar of minute 1, while no quote is due by the clock.
    async fn told(connection: &Connection, events: Vec<VenueEvent>) -> Vec<String> {
        let (inbox, mut told) = mpsc::channel(64);
        let mut quotes = Quotes::default();
        for instrument in [BTC, ETH] {
            let later = Instant::now() + Duration::from_secs(3_600);
            assert!(quotes.is_due(best(instrument, 1), Timestamp::default(), later), "the first one is told");
        }
        let mut listener = Listener {
            inbox,
            connection: connection.clone(),
            watch: Arc::default(),
            origin: Origin::Recorded,
            interval: Interval::MINUTE,
            last_bars: vec![(BTC, Timestamp::from_millis(60_000))],
            told: Vec::new(),
            quotes,
            books: Books::default(),
        };
        for event in events {
            listener.hear(event).await;
        }
        drop(listener);
        let mut lines = Vec::new();
        while let Some(input) = told.recv().await {
            lines.push(line(&input));
        }
        lines
    }

    #[tokio::test]
    async fn the_newest_quote_is_told_before_the_bar_that_closes_as_of_its_close() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default(); // once a process
        let exchange = Exchange::start(ExchangeConfig::default()).await.unwrap();
        let sockets = exchange.url().replacen("http", "ws", 1);
        let config = BinanceConfig::at(&exchange.url(), &sockets, &format!("{sockets}/ws-api/v3"));
        let (connection, _events) = Connection::connect(config, Vec::new()).await.unwrap();

        let events = vec![quote(BTC, 500), quote(BTC, 770), quote(ETH, 30), minute(2, 771)];
        let lines = ["quote 770 at 180 s, read at 770 ms", "bar 771 at 180 s"];
        assert_eq!(told(&connection, events).await, lines, "not the older one, and none of another instrument");

        let events = vec![quote(BTC, 770), minute(1, 771), minute(2, 771)];
        assert_eq!(told(&connection, events).await, lines, "a bar that was told before takes none along");

        let lines = ["bar 771 at 180 s", "bar 772 at 240 s"];
        assert_eq!(told(&connection, vec![minute(2, 771), minute(3, 772)]).await, lines, "no news of the book");

        let lines = ["notice", "bar 771 at 180 s"];
        assert_eq!(
            told(&connection, vec![quote(BTC, 770), down(), minute(2, 771)]).await,
            lines,
            "it may be hours old"
        );
        exchange.shutdown().await;
    }
}
