//! Market streams: subscribe, keep books in step, hand on, connect anew.

use super::config::BinanceConfig;
use super::rest::Rest;
use super::subscribe::open;
use crate::answer::{quote, read_json};
use crate::backoff::Backoff;
use crate::binance::convert::{self, Instruments};
use crate::binance::protocol::{MarketFrame, Unusable, read_market_event};
use crate::binance::rules::{BookSync, Doubt, Endpoint, Numbered, Numbers, Prices, Rhythm, Sync};
use crate::binance::wire::{Depth, DepthEvent, StreamResponse};
use crate::outlet::{Outlet, ReaderGone};
use crate::report::{BookChange, BookLevels, Levels, Stamps, Stream, VenueEvent};
use crate::socket::{Socket, wall_clock};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tradewind_domain::{Instrument, InstrumentId, Price, Timestamp};

/// Levels of a snapshot on each side.
const SNAPSHOT_LEVELS: u32 = 1_000;
/// How often it is looked whether the venue, or one of its feeds, is silent.
const LOOK_EVERY: Duration = Duration::from_millis(100);

type Snapshot = (InstrumentId, Result<BookLevels, String>);

/// The task. It ends when the last handle is dropped or the reader of events is gone.
pub(crate) struct MarketTask {
    pub(crate) config: Arc<BinanceConfig>,
    pub(crate) rest: Rest,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) closed: watch::Receiver<()>,
    pub(crate) outlet: Outlet,
}

enum End {
    Broke(String),
    Closed,
}

impl From<ReaderGone> for End {
    fn from(_: ReaderGone) -> Self {
        Self::Closed
    }
}

/// What is known of the feeds while they are up.
struct Feed {
    books: BTreeMap<InstrumentId, BookSync>,
    /// Books whose snapshot is being fetched again and again.
    fetches: BTreeMap<InstrumentId, Backoff>,
    prices: BTreeMap<InstrumentId, Prices>,
    quotes: BTreeMap<InstrumentId, Numbers>,
    trades: BTreeMap<InstrumentId, Numbers>,
    rhythms: BTreeMap<InstrumentId, Rhythm>,
    snapshots: mpsc::Sender<Snapshot>,
    began: Instant,
    /// Since when this session is up, and when it was last heard.
    since: Instant,
    heard: Instant,
    probed: bool,
    /// The venue is about to end this session.
    retires: bool,
    /// Before that no other session is tried.
    retry_at: Instant,
    renewals: u64,
}

/// What is to be done with a message.
enum Judged {
    Good,
    Old,
    BeganAnew,
    Doubted(Doubt),
}

impl Feed {
    fn new(snapshots: mpsc::Sender<Snapshot>, renewals: u64) -> Self {
        let now = Instant::now();
        Self {
            books: BTreeMap::new(),
            fetches: BTreeMap::new(),
            prices: BTreeMap::new(),
            quotes: BTreeMap::new(),
            trades: BTreeMap::new(),
            rhythms: BTreeMap::new(),
            snapshots,
            began: now,
            since: now,
            heard: now,
            probed: false,
            retires: false,
            retry_at: now,
            renewals,
        }
    }

    /// Another session goes on where the last one was.
    fn renewed(&mut self) {
        let now = Instant::now();
        (self.since, self.heard, self.probed, self.retires) = (now, now, false, false);
    }

    fn is_old(&self, config: &BinanceConfig) -> bool {
        self.retires || self.since.elapsed() > config.replace_after
    }

    fn now(&self) -> i64 {
        nanos(self.began.elapsed())
    }

    /// A feed spoke.
    fn beat(&mut self, id: InstrumentId) {
        let now = self.now();
        self.rhythms.entry(id).or_default().heard(now);
    }

    /// Whether a message is new and can be believed; `number` is the one that it carries.
    fn judge(&mut self, id: InstrumentId, number: Option<u64>, event: &VenueEvent, received: Timestamp) -> Judged {
        let numbers = match event {
            VenueEvent::Quote { .. } => self.quotes.entry(id).or_default(),
            VenueEvent::Trade { .. } => self.trades.entry(id).or_default(),
            _ => &mut Numbers::default(),
        };
        match number.map(|number| numbers.note(number)) {
            Some(Numbered::Old) => return Judged::Old,
            Some(Numbered::BeganAnew) => return Judged::BeganAnew,
            Some(Numbered::New) | None => (),
        }
        self.beat(id);
        let prices = self.prices.entry(id).or_default();
        let judged = match event {
            VenueEvent::Quote { quote, .. } => prices.quote(quote, received),
            VenueEvent::Trade { trade, .. } => prices.trade(trade, received),
            VenueEvent::Bar { bar, .. } => prices.bar(bar, received),
            _ => Ok(()),
        };
        judged.map_or_else(Judged::Doubted, |()| Judged::Good)
    }
}

impl MarketTask {
    /// Keeps the streams up for as long as somebody listens.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::of_connections(super::seed());
        loop {
            let started = Instant::now();
            let why = match open(&self.config, &self.rest, &self.instruments).await {
                Ok(socket) => match self.serve(socket).await {
                    End::Broke(why) => why,
                    End::Closed => return,
                },
                Err(why) => why,
            };
            tracing::warn!(code = "VEN-24", stream = "market", why, "down");
            if started.elapsed() > Duration::from_secs(10) {
                backoff.reset();
            }
            let down = VenueEvent::Down { stream: Stream::Market, why, at: wall_clock() };
            if self.outlet.vital(down).await.is_err() {
                return;
            }
            // a venue that bans us is not tried before the ban ends
            let Ok(told) = self.outlet.left_in_peace(self.rest.budgets.told()).await else { return };
            tokio::select! {
                () = tokio::time::sleep(backoff.next_wait() + told) => (),
                _ = self.closed.changed() => return,
            }
        }
    }

    /// Serves one session, and the ones that replace it in time, until the last one ends.
    async fn serve(&mut self, mut socket: Socket) -> End {
        let (sender, mut snapshots) = mpsc::channel(self.instruments.iter().count().max(1));
        let mut feed = Feed::new(sender, self.rest.renewals.load(Ordering::SeqCst));
        let mut successor: Option<JoinHandle<Result<Socket, String>>> = None;
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tracing::info!(stream = "market", "up");
        if self.outlet.vital(VenueEvent::Up { stream: Stream::Market, at: wall_clock() }).await.is_err() {
            return End::Closed;
        }
        let end = loop {
            let step = tokio::select! {
                biased;
                _ = self.closed.changed() => Err(End::Closed),
                Some((instrument, snapshot)) = snapshots.recv() => {
                    self.on_snapshot(instrument, snapshot, &mut feed).await
                }
                frame = socket.next() => match frame {
                    Ok((text, at)) => {
                        (feed.heard, feed.probed) = (Instant::now(), false);
                        self.on_frame(&text, at, &mut feed).await
                    }
                    Err(why) => Err(End::Broke(why)),
                },
                _ = tick.tick() => self.look(&mut socket, &mut feed).await,
            };
            if let Err(end) = step {
                break end;
            }
            // the next session is up before this one is given up, so that nothing falls between; what both tell is
            // told apart by its numbers
            if feed.is_old(&self.config) && successor.is_none() && Instant::now() >= feed.retry_at {
                feed.retry_at = Instant::now() + Duration::from_secs(1);
                successor = Some(self.spawn_successor());
            }
            if successor.as_ref().is_some_and(JoinHandle::is_finished) {
                match successor.take().expect("looked at above").await {
                    Ok(Ok(fresh)) => {
                        socket = fresh;
                        feed.renewed();
                    }
                    Ok(Err(why)) => tracing::warn!(why, "the new session failed"),
                    Err(_) => break End::Broke("the new session's task failed".to_owned()),
                }
            }
        };
        // what was known of any book counts no more
        for instrument in feed.books.into_keys() {
            if self.lost(instrument).await.is_err() {
                return End::Closed;
            }
        }
        end
    }

    fn spawn_successor(&self) -> JoinHandle<Result<Socket, String>> {
        let (config, rest, instruments) = (self.config.clone(), self.rest.clone(), self.instruments.clone());
        tokio::spawn(async move { open(&config, &rest, &instruments).await })
    }

    /// What is done every moment: does the venue live, does each feed speak, is there room for what was kept back?
    async fn look(&mut self, socket: &mut Socket, feed: &mut Feed) -> Result<(), End> {
        let silent = feed.heard.elapsed();
        if self.rest.renewals.load(Ordering::SeqCst) != feed.renewals {
            return Err(End::Broke("it is made anew on request".to_owned()));
        }
        if silent + LOOK_EVERY > self.config.dead_after {
            return Err(End::Broke(format!("silent for {silent:.1?}")));
        }
        if silent > self.config.probe_after && !feed.probed {
            feed.probed = true;
            let text = r#"{"method":"LIST_SUBSCRIPTIONS","id":0}"#.to_owned();
            socket.send(text).await.map_err(End::Broke)?;
        }
        self.look_for_frozen(feed).await?;
        Ok(self.outlet.flush()?)
    }

    /// A feed may be frozen although the connection lives. Its book counts no more, and after a while it is asked for
    /// on another connection.
    async fn look_for_frozen(&mut self, feed: &mut Feed) -> Result<(), End> {
        // looks are apart: what would be too long at the next one is too long now
        let now = feed.now() + nanos(LOOK_EVERY);
        let frozen: Vec<(InstrumentId, i64)> =
            feed.rhythms.iter_mut().filter_map(|(id, rhythm)| Some((*id, rhythm.newly_silent(now)?))).collect();
        for (id, silent) in frozen {
            let symbol = self.instruments.id(id).map_or("", |it| &it.spec.venue_symbol);
            let text = format!("the feed of {symbol} is frozen for {} ms", silent / 1_000_000);
            self.fault("VEN-24", text, wall_clock()).await?;
            if let Some(book) = feed.books.get_mut(&id) {
                book.reset();
                self.lost(id).await?;
            }
        }
        let most = nanos(self.config.dead_after);
        let gone = feed.rhythms.values().find_map(|rhythm| rhythm.strange_silence(now).filter(|silent| *silent > most));
        match gone {
            Some(silent) => Err(End::Broke(format!("a feed is frozen for {} s", silent / 1_000_000_000))),
            None => Ok(()),
        }
    }

    async fn lost(&mut self, instrument: InstrumentId) -> Result<(), ReaderGone> {
        let stamps = Stamps { event: None, received: wall_clock() };
        self.outlet.vital(VenueEvent::Book { change: BookChange::Lost { instrument }, stamps }).await
    }

    async fn on_frame(&mut self, text: &str, received: Timestamp, feed: &mut Feed) -> Result<(), End> {
        let Some(frame) = MarketFrame::read(text) else {
            return match read_json::<StreamResponse>(text.as_bytes()) {
                Ok(_) => Ok(()), // an answer to a probe
                Err(error) => Err(End::Broke(error.to_string())),
            };
        };
        match frame.kind() {
            "depth@100ms" | "depth" => return self.on_depth(&frame, received, feed).await,
            "!serverShutdown" => {
                feed.retires = true;
                return Ok(());
            }
            _ => (),
        }
        let event = match read_market_event(&self.instruments, frame.kind(), frame.data(), received) {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(()), // never asked for
            Err(Unusable(code, message)) => return self.fault(code, message, received).await,
        };
        let Some(id) = instrument_of(&event) else { return Ok(()) };
        let symbol = self.instruments.id(id).map_or("", |it| &it.spec.venue_symbol);
        if !frame.is_of(symbol) {
            let message = format!("a message about {symbol} came as one of `{}`", frame.stream());
            return self.fault("VEN-34", message, received).await;
        }
        match feed.judge(id, frame.number(), &event, received) {
            Judged::Good => (),
            Judged::Old => return Ok(()),
            Judged::BeganAnew => return Err(End::Broke(format!("the numbers of {symbol} began anew"))),
            Judged::Doubted(Doubt::OneSided) => return Ok(()), // the mark grows old by itself
            Judged::Doubted(doubt) => {
                return self
                    .fault("VEN-34", format!("{symbol}: {doubt}: `{}`", quote(frame.data().as_bytes())), received)
                    .await;
            }
        }
        match event {
            VenueEvent::Bar { closed: true, .. } => Ok(self.outlet.vital(event).await?),
            event => Ok(self.outlet.offer(event).map(|_| ())?),
        }
    }

    async fn on_depth(&mut self, frame: &MarketFrame<'_>, received: Timestamp, feed: &mut Feed) -> Result<(), End> {
        let read = || -> Result<_, Unusable> {
            let event: DepthEvent = read_json(frame.data().as_bytes())?;
            let diff = convert::depth_diff(self.instruments.symbol(&event.symbol)?, &event)?;
            let at = convert::moment("E", &event.symbol, event.event_time)?;
            match frame.is_of(&event.symbol) {
                true => Ok((diff, at)),
                false => {
                    let message = format!("a change of {} came as one of `{}`", event.symbol, frame.stream());
                    Err(Unusable("VEN-34", message))
                }
            }
        };
        match read() {
            Ok((diff, at)) => {
                let instrument = diff.levels.instrument;
                feed.beat(instrument);
                let step = feed.books.entry(instrument).or_default().on_diff(diff);
                self.carry_out(instrument, step, Stamps { event: Some(at), received }, feed).await
            }
            Err(Unusable(code, message)) => {
                self.fault(code, message, received).await?;
                Err(End::Broke("a change of a book could not be read".to_owned()))
            }
        }
    }

    async fn on_snapshot(
        &mut self,
        instrument: InstrumentId,
        snapshot: Result<BookLevels, String>,
        feed: &mut Feed,
    ) -> Result<(), End> {
        let stamps = Stamps { event: None, received: wall_clock() };
        let step = match snapshot {
            Ok(levels) => feed.books.entry(instrument).or_default().on_snapshot(levels),
            Err(message) => {
                self.fault("VEN-23", message, stamps.received).await?;
                Sync::Fetch
            }
        };
        self.carry_out(instrument, step, stamps, feed).await
    }

    async fn carry_out(
        &mut self,
        instrument: InstrumentId,
        step: Sync,
        stamps: Stamps,
        feed: &mut Feed,
    ) -> Result<(), End> {
        match step {
            Sync::Wait => Ok(()),
            Sync::Fetch => {
                self.fetch(instrument, feed);
                Ok(())
            }
            Sync::Lost { expected, got } => {
                tracing::warn!(instrument = instrument.0, expected, got, "a book lost messages");
                self.lost(instrument).await?;
                self.fetch(instrument, feed);
                Ok(())
            }
            Sync::Emit(changes) => {
                feed.fetches.remove(&instrument);
                for change in changes {
                    if !self.outlet.offer(VenueEvent::Book { change, stamps })? {
                        // the reader missed a change: its book is worthless, start over
                        feed.books.entry(instrument).or_default().reset();
                        self.lost(instrument).await?;
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Asks for a snapshot beside the stream; the answer comes back as a message. The first one at once, each further
    /// one of the same book later than the one before.
    fn fetch(&self, instrument: InstrumentId, feed: &mut Feed) {
        let Some(it) = self.instruments.id(instrument).cloned() else { return };
        let (rest, answer) = (self.rest.clone(), feed.snapshots.clone());
        let wait = match feed.fetches.entry(instrument) {
            Entry::Vacant(first) => {
                first.insert(Backoff::new(Duration::from_millis(100), Duration::from_secs(5), super::seed()));
                Duration::ZERO
            }
            Entry::Occupied(mut again) => again.get_mut().next_wait(),
        };
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let snapshot = fetch_snapshot(&rest, &it).await;
            let _ = answer.send((it.id, snapshot)).await; // the session may have ended
        });
    }

    async fn fault(&mut self, code: &'static str, message: String, at: Timestamp) -> Result<(), End> {
        tracing::warn!(code, message, "a message of the market stream could not be used");
        Ok(self.outlet.vital(VenueEvent::Fault { code, message, at }).await?)
    }
}

async fn fetch_snapshot(rest: &Rest, it: &Instrument) -> Result<BookLevels, String> {
    let pairs = [("symbol", it.spec.venue_symbol.clone()), ("limit", SNAPSHOT_LEVELS.to_string())];
    let depth: Depth =
        rest.get(Endpoint::Depth(SNAPSHOT_LEVELS), "/api/v3/depth", &pairs).await.map_err(|error| error.to_string())?;
    let levels =
        convert::book_levels(it, depth.last_update_id, &depth.bids, &depth.asks).map_err(|error| error.to_string())?;
    let best = |levels: &Levels, better: fn(Price, Price) -> Price| levels.iter().map(|level| level.0).reduce(better);
    match (best(&levels.bids, Price::max), best(&levels.asks, Price::min)) {
        (Some(bid), Some(ask)) if bid >= ask => {
            let (symbol, bid, ask) = (&it.spec.venue_symbol, it.price_text(bid), it.price_text(ask));
            Err(format!("the snapshot of {symbol} is crossed: bid {bid}, ask {ask}"))
        }
        _ => Ok(levels),
    }
}

/// What a message of a market stream is about.
const fn instrument_of(event: &VenueEvent) -> Option<InstrumentId> {
    match event {
        VenueEvent::Quote { quote, .. } => Some(quote.instrument),
        VenueEvent::Trade { trade, .. } => Some(trade.instrument),
        VenueEvent::Bar { bar, .. } => Some(bar.instrument),
        _ => None,
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
