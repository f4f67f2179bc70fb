//! Market streams: subscribe, keep books in step, hand on, connect anew.

use super::config::BinanceConfig;
use super::rest::Rest;
use crate::answer::{quote as quote_text, read_json};
use crate::backoff::Backoff;
use crate::binance::convert::{self, Instruments};
use crate::binance::protocol::{MarketFrame, Unusable, read_market_event};
use crate::binance::rules::{BookSync, Endpoint, Sync};
use crate::binance::wire::{Depth, DepthEvent, RequestId, StreamRequest, StreamResponse};
use crate::outlet::{Outlet, ReaderGone};
use crate::report::{BookChange, BookLevels, Stamps, Stream, VenueEvent};
use crate::socket::{Socket, wall_clock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tradewind_domain::{Instrument, InstrumentId, Timestamp};

/// Levels of a snapshot on each side.
const SNAPSHOT_LEVELS: u32 = 1_000;
/// Streams named in one subscription message.
const STREAMS_A_MESSAGE: usize = 100;
/// The venue takes five messages a second.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(250);

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

/// The books of one connection.
struct Books {
    sync: BTreeMap<InstrumentId, BookSync>,
    snapshots: mpsc::Sender<Snapshot>,
}

impl MarketTask {
    /// Keeps the streams up for as long as somebody listens.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10), super::seed());
        loop {
            let started = Instant::now();
            let why = match self.open().await {
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
            tokio::select! {
                () = tokio::time::sleep(backoff.next_wait()) => (),
                _ = self.closed.changed() => return,
            }
        }
    }

    /// The names of the streams that are wanted.
    fn streams(&self) -> Vec<String> {
        let wanted = &self.config.subscriptions;
        let mut names = Vec::new();
        for it in self.instruments.iter() {
            let symbol = it.spec.venue_symbol.to_lowercase();
            if wanted.quotes {
                names.push(format!("{symbol}@bookTicker"));
            }
            if wanted.trades {
                names.push(format!("{symbol}@trade"));
            }
            if wanted.books {
                names.push(format!("{symbol}@depth@100ms"));
            }
            names.extend(wanted.bars.iter().map(|interval| format!("{symbol}@kline_{interval}")));
        }
        names
    }

    /// Connects and subscribes; every subscription is confirmed.
    async fn open(&self) -> Result<Socket, String> {
        let url = format!("{}/stream", self.config.stream_url);
        let mut socket = Socket::connect(&url, self.config.connect_time).await?;
        for (id, names) in (1_i64..).zip(self.streams().chunks(STREAMS_A_MESSAGE)) {
            if id > 1 {
                tokio::time::sleep(BETWEEN_MESSAGES).await;
            }
            let request = StreamRequest {
                method: "SUBSCRIBE".to_owned(),
                params: names.iter().map(|name| name.clone().into()).collect(),
                id: RequestId::Number(id),
            };
            let text = serde_json::to_string(&request).map_err(|error| error.to_string())?;
            socket.send(text).await?;
            self.confirm(&mut socket, id).await?;
        }
        Ok(socket)
    }

    async fn confirm(&self, socket: &mut Socket, id: i64) -> Result<(), String> {
        let deadline = Instant::now() + self.config.answer_time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let next = tokio::time::timeout(left, socket.next()).await;
            let (text, _) = next.map_err(|_| "no answer to the subscription".to_owned())??;
            if MarketFrame::read(&text).is_some() {
                continue; // data of the streams that are on already; books start with their next change
            }
            let answer: StreamResponse = read_json(text.as_bytes()).map_err(|error| error.to_string())?;
            return match (answer.id, answer.error) {
                (Some(RequestId::Number(answered)), None) if answered == id => Ok(()),
                (_, Some(error)) => Err(format!("the subscription was refused ({}: {})", error.code, error.msg)),
                (_, None) => Err(format!("the subscription was refused: `{}`", quote_text(text.as_bytes()))),
            };
        }
    }

    async fn serve(&mut self, mut socket: Socket) -> End {
        let (sender, mut snapshots) = mpsc::channel(self.instruments.iter().count().max(1));
        let mut books = Books { sync: BTreeMap::new(), snapshots: sender };
        let since = Instant::now();
        let (mut heard, mut probed) = (since, false);
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        let renewals = self.rest.renewals.load(Ordering::SeqCst);
        tracing::info!(stream = "market", "up");
        if self.outlet.vital(VenueEvent::Up { stream: Stream::Market, at: wall_clock() }).await.is_err() {
            return End::Closed;
        }
        let end = loop {
            let step = tokio::select! {
                biased;
                _ = self.closed.changed() => Err(End::Closed),
                Some((instrument, snapshot)) = snapshots.recv() => {
                    self.on_snapshot(instrument, snapshot, &mut books).await
                }
                frame = socket.next() => match frame {
                    Ok((text, at)) => {
                        (heard, probed) = (Instant::now(), false);
                        self.on_frame(&text, at, &mut books).await
                    }
                    Err(why) => Err(End::Broke(why)),
                },
                _ = tick.tick() => {
                    let silent = heard.elapsed();
                    if self.rest.renewals.load(Ordering::SeqCst) != renewals {
                        Err(End::Broke("it is made anew on request".to_owned()))
                    } else if since.elapsed() > self.config.replace_after {
                        Err(End::Broke("the connection is as old as the venue allows".to_owned()))
                    } else if silent > self.config.dead_after {
                        Err(End::Broke(format!("silent for {silent:.1?}")))
                    } else if silent > self.config.probe_after && !probed {
                        probed = true;
                        let text = r#"{"method":"LIST_SUBSCRIPTIONS","id":0}"#.to_owned();
                        socket.send(text).await.map(|_| ()).map_err(End::Broke)
                    } else {
                        self.outlet.flush().map_err(End::from)
                    }
                }
            };
            if let Err(end) = step {
                break end;
            }
        };
        // what was known of any book counts no more
        for instrument in books.sync.into_keys() {
            if self.lost(instrument).await.is_err() {
                return End::Closed;
            }
        }
        end
    }

    async fn lost(&mut self, instrument: InstrumentId) -> Result<(), ReaderGone> {
        let stamps = Stamps { event: None, received: wall_clock() };
        self.outlet.vital(VenueEvent::Book { change: BookChange::Lost { instrument }, stamps }).await
    }

    async fn on_frame(&mut self, text: &str, received: Timestamp, books: &mut Books) -> Result<(), End> {
        let Some(frame) = MarketFrame::read(text) else {
            return match read_json::<StreamResponse>(text.as_bytes()) {
                Ok(_) => Ok(()), // an answer to a probe
                Err(error) => Err(End::Broke(error.to_string())),
            };
        };
        match frame.kind() {
            "depth@100ms" | "depth" => return self.on_depth(frame.data(), received, books).await,
            "!serverShutdown" => return Err(End::Broke("the venue shuts this server down".to_owned())),
            _ => (),
        }
        match read_market_event(&self.instruments, frame.kind(), frame.data(), received) {
            Ok(Some(event @ VenueEvent::Bar { closed: true, .. })) => Ok(self.outlet.vital(event).await?),
            Ok(Some(event)) => Ok(self.outlet.offer(event).map(|_| ())?),
            Ok(None) => Ok(()), // never asked for
            Err(Unusable(code, message)) => self.fault(code, message, received).await,
        }
    }

    async fn on_depth(&mut self, data: &str, received: Timestamp, books: &mut Books) -> Result<(), End> {
        let read = || -> Result<_, Unusable> {
            let event: DepthEvent = read_json(data.as_bytes())?;
            let diff = convert::depth_diff(self.instruments.symbol(&event.symbol)?, &event)?;
            Ok((diff, Timestamp::from_millis(event.event_time)))
        };
        match read() {
            Ok((diff, at)) => {
                let instrument = diff.levels.instrument;
                let step = books.sync.entry(instrument).or_default().on_diff(diff);
                self.carry_out(instrument, step, Stamps { event: Some(at), received }, books).await
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
        books: &mut Books,
    ) -> Result<(), End> {
        let stamps = Stamps { event: None, received: wall_clock() };
        let step = match snapshot {
            Ok(levels) => books.sync.entry(instrument).or_default().on_snapshot(levels),
            Err(message) => {
                self.fault("VEN-23", message, stamps.received).await?;
                Sync::Fetch
            }
        };
        self.carry_out(instrument, step, stamps, books).await
    }

    async fn carry_out(
        &mut self,
        instrument: InstrumentId,
        step: Sync,
        stamps: Stamps,
        books: &mut Books,
    ) -> Result<(), End> {
        match step {
            Sync::Wait => Ok(()),
            Sync::Fetch => {
                self.fetch(instrument, books);
                Ok(())
            }
            Sync::Lost { expected, got } => {
                tracing::warn!(instrument = instrument.0, expected, got, "a book lost messages");
                self.lost(instrument).await?;
                self.fetch(instrument, books);
                Ok(())
            }
            Sync::Emit(changes) => {
                for change in changes {
                    if !self.outlet.offer(VenueEvent::Book { change, stamps })? {
                        // the reader missed a change: its book is worthless, start over
                        books.sync.entry(instrument).or_default().reset();
                        self.lost(instrument).await?;
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Asks for a snapshot beside the stream; the answer comes back as a message.
    fn fetch(&self, instrument: InstrumentId, books: &Books) {
        let Some(it) = self.instruments.id(instrument).cloned() else { return };
        let (rest, answer) = (self.rest.clone(), books.snapshots.clone());
        tokio::spawn(async move {
            let snapshot = fetch_snapshot(&rest, &it).await;
            if snapshot.is_err() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let _ = answer.send((it.id, snapshot)).await;
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
    convert::book_levels(it, depth.last_update_id, &depth.bids, &depth.asks).map_err(|error| error.to_string())
}
