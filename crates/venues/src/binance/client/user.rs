//! The WebSocket API: one socket that carries orders out, and their answers and the user stream in.

use super::config::BinanceConfig;
use super::dial::dial;
use super::orders::{self, Answer, Order};
use super::rest::Rest;
use crate::answer::{AnswerError, read_json};
use crate::backoff::Backoff;
use crate::binance::convert::Instruments;
use crate::binance::protocol::{self, UserFrame};
use crate::binance::rules::Endpoint;
use crate::binance::sign::Signer;
use crate::binance::wire::{ApiResponse, RequestId, Subscribed};
use crate::budget::Purpose;
use crate::outcome::{NotSentReason, TransportFault};
use crate::outlet::{Outlet, ReaderGone};
use crate::report::{Stream, VenueEvent};
use crate::socket::{Socket, wall_clock};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tradewind_domain::{Money, Timestamp};
use tradewind_journal::failpoint;

/// How often it is looked whether the venue is silent.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long at most a session that is given up is read on. Orders wait meanwhile, so it is short.
const HAND_OVER_WITHIN: Duration = Duration::from_secs(1);

/// How many transfers are remembered.
const TRANSFERS_KEPT: usize = 64;

/// An order on its way to the socket.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) order: Order,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// An order that is out and unanswered.
#[derive(Debug)]
struct Pending {
    order: Order,
    reply: oneshot::Sender<Answer>,
    sent_at: Timestamp,
    sent: Instant,
}

/// A socket that is connected and subscribed.
#[derive(Debug)]
struct Session {
    socket: Socket,
    since: Instant,
    heard: Instant,
    heard_at: Timestamp,
    probed: bool,
}

/// Why a session ended.
enum End {
    /// It broke, or the venue ended it.
    Broke(String),
    /// The connection was dropped, or nobody reads any more.
    Closed,
}

impl From<ReaderGone> for End {
    fn from(_: ReaderGone) -> Self {
        Self::Closed
    }
}

/// The task. It ends when the last handle is dropped or the reader of events is gone.
pub(crate) struct UserTask {
    pub(crate) config: Arc<BinanceConfig>,
    pub(crate) signer: Signer,
    pub(crate) rest: Rest,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) closed: watch::Receiver<()>,
    pub(crate) outlet: Outlet,
    pub(crate) next_id: i64,
    /// The newest transfers, which have no number: two sessions that overlap both tell of one.
    pub(crate) transfers: VecDeque<(Money, Timestamp, Option<Timestamp>)>,
}

impl UserTask {
    /// Keeps a session up for as long as somebody listens.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::of_connections(super::seed());
        let mut whole_until = None;
        loop {
            match self.open().await {
                Ok(session) => {
                    let up = Instant::now();
                    if self.announce(whole_until).await.is_err() {
                        return;
                    }
                    let (end, heard) = self.serve(session).await;
                    whole_until = Some(heard);
                    let End::Broke(why) = end else { return };
                    if up.elapsed() > Duration::from_secs(10) {
                        backoff.reset();
                    }
                    if self.down(why).await.is_err() {
                        return;
                    }
                }
                Err(why) => {
                    if self.down(why).await.is_err() {
                        return;
                    }
                }
            }
            // a venue that bans us is not tried before the ban ends
            let Ok(told) = self.outlet.left_in_peace(self.rest.budgets.told()).await else { return };
            if self.wait(backoff.next_wait() + told).await.is_err() {
                return;
            }
        }
    }

    /// Connects and subscribes.
    async fn open(&mut self) -> Result<Session, String> {
        self.next_id += 1;
        open_session(&self.config, &self.signer, &self.rest, self.next_id).await
    }

    async fn announce(&mut self, whole_until: Option<Timestamp>) -> Result<(), ReaderGone> {
        tracing::info!(stream = "user", "up");
        self.outlet.vital(VenueEvent::Up { stream: Stream::User, at: wall_clock() }).await?;
        match whole_until {
            Some(since) => self.outlet.vital(VenueEvent::UserStreamGap { since }).await,
            None => Ok(()),
        }
    }

    async fn down(&mut self, why: String) -> Result<(), ReaderGone> {
        tracing::warn!(stream = "user", why, "down");
        self.outlet.vital(VenueEvent::Down { stream: Stream::User, why, at: wall_clock() }).await
    }

    /// Waits before the next attempt; orders that come meanwhile go back unsent.
    async fn wait(&mut self, wait: Duration) -> Result<(), ()> {
        let until = tokio::time::sleep(wait);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return Ok(()),
                _ = self.closed.changed() => return Err(()),
                request = self.requests.recv() => match request {
                    Some(request) => {
                        let reason = NotSentReason::NotConnected("the order socket is being connected".to_owned());
                        let _ = request.reply.send(Answer::NotSent(reason, Box::new(request.order)));
                    }
                    None => return Err(()),
                },
            }
        }
    }

    /// Serves one session until it ends; gives the moment when it was last known to be whole.
    async fn serve(&mut self, mut session: Session) -> (End, Timestamp) {
        let mut pending = BTreeMap::new();
        let mut successor: Option<tokio::task::JoinHandle<Result<Session, String>>> = None;
        let mut tick = tokio::time::interval(LOOK_EVERY);
        let (mut retire, mut retry_at) = (false, Instant::now());
        let renewals = self.rest.renewals.load(Ordering::SeqCst);
        let end = loop {
            let step = tokio::select! {
                biased;
                _ = self.closed.changed() => Err(End::Closed),
                frame = session.socket.next() => match frame {
                    Ok((text, at)) => {
                        (session.heard, session.heard_at, session.probed) = (Instant::now(), at, false);
                        self.on_frame(&text, at, &mut pending, &mut retire).await
                    }
                    Err(why) => Err(End::Broke(why)),
                },
                request = self.requests.recv() => match request {
                    Some(request) => self.write(request, &mut session, &mut pending).await,
                    None => Err(End::Closed),
                },
                _ = tick.tick() => {
                    expire(&mut pending, self.config.answer_time);
                    if self.rest.renewals.load(Ordering::SeqCst) == renewals {
                        self.probe(&mut session).await
                    } else {
                        Err(End::Broke("it is made anew on request".to_owned()))
                    }
                }
            };
            if let Err(end) = step {
                break end;
            }
            // a new session is made before the old one is given up, so that nothing falls between
            let old = retire || session.since.elapsed() > self.config.replace_after;
            if old && successor.is_none() && Instant::now() >= retry_at {
                retry_at = Instant::now() + Duration::from_secs(1);
                successor = Some(self.spawn_successor());
                retire = false;
            }
            if pending.is_empty() && successor.as_ref().is_some_and(tokio::task::JoinHandle::is_finished) {
                match successor.take().expect("looked at above").await {
                    Ok(Ok(fresh)) => match self.hand_over(session, &mut pending).await {
                        Ok(()) => session = fresh,
                        Err(end) => return (end, fresh.heard_at),
                    },
                    Ok(Err(why)) => {
                        retire = true; // it is tried anew
                        tracing::warn!(why, "the new session failed");
                    }
                    Err(_) => break End::Broke("the new session's task failed".to_owned()),
                }
            }
        };
        for (_, left) in pending {
            let why = match &end {
                End::Broke(why) => why.clone(),
                End::Closed => "the connection was closed".to_owned(),
            };
            let _ = left.reply.send(Answer::Unknown(TransportFault::Broke(why)));
        }
        (end, session.heard_at)
    }

    /// Gives `old` up for a session that is subscribed: reads what the venue had written to it, up to the answer of a
    /// ping behind all that. What was then on its way to it alone is in the lists, so they are to be read.
    async fn hand_over(&mut self, mut old: Session, pending: &mut BTreeMap<i64, Pending>) -> Result<(), End> {
        let since = old.heard_at;
        self.next_id += 1;
        let id = self.next_id;
        let until = tokio::time::Instant::now() + HAND_OVER_WITHIN;
        let mut open = old.socket.send(ping(id)).await.is_ok();
        while open {
            let Ok(Ok((text, at))) = tokio::time::timeout_at(until, old.socket.next()).await else { break };
            open = !matches!(protocol::read_user_frame(&self.instruments, &text, at), Ok(UserFrame::Answer(it)) if it == id);
            match self.on_frame(&text, at, pending, &mut false).await {
                Err(End::Closed) => return Err(End::Closed),
                Err(End::Broke(_)) => break, // it was to end
                Ok(()) => (),
            }
        }
        Ok(self.outlet.vital(VenueEvent::UserStreamGap { since }).await?)
    }

    fn spawn_successor(&mut self) -> tokio::task::JoinHandle<Result<Session, String>> {
        self.next_id += 1;
        let (config, signer, rest, id) = (self.config.clone(), self.signer.clone(), self.rest.clone(), self.next_id);
        tokio::spawn(async move { open_session(&config, &signer, &rest, id).await })
    }

    /// The last checks, then the write: nothing lies in between.
    async fn write(
        &mut self,
        request: Request,
        session: &mut Session,
        pending: &mut BTreeMap<i64, Pending>,
    ) -> Result<(), End> {
        let Request { order, reply } = request;
        self.next_id += 1;
        let id = self.next_id;
        let text = orders::ws_text(&self.signer, &order, id);
        if let Err(reason) = orders::last_checks(&self.config, &self.rest, &order, Duration::ZERO) {
            let _ = reply.send(Answer::NotSent(reason, Box::new(order)));
            return Ok(());
        }
        failpoint("venue.request.checked");
        match session.socket.send(text).await {
            Ok(sent_at) => {
                failpoint("venue.request.written");
                pending.insert(id, Pending { order, reply, sent_at, sent: Instant::now() });
                Ok(())
            }
            Err(why) => {
                // a part may have left
                let _ = reply.send(Answer::Unknown(TransportFault::Broke(why.clone())));
                Err(End::Broke(why))
            }
        }
    }

    /// Whether an event is a transfer that another session told already.
    fn is_told_again(&mut self, event: &VenueEvent) -> bool {
        let VenueEvent::Transferred { delta, cleared, stamps } = event else { return false };
        let transfer = (*delta, *cleared, stamps.event);
        if self.transfers.contains(&transfer) {
            return true;
        }
        self.transfers.truncate(TRANSFERS_KEPT - 1);
        self.transfers.push_front(transfer);
        false
    }

    /// Asks whether the venue lives when it was silent, and gives up when it stays so.
    async fn probe(&mut self, session: &mut Session) -> Result<(), End> {
        let silent = session.heard.elapsed();
        if silent + LOOK_EVERY > self.config.dead_after {
            return Err(End::Broke(format!("silent for {silent:.1?}")));
        }
        if silent > self.config.probe_after && !session.probed {
            session.probed = true;
            self.next_id += 1;
            session.socket.send(ping(self.next_id)).await.map_err(End::Broke)?;
        }
        self.outlet.flush().map_err(End::from)
    }

    async fn on_frame(
        &mut self,
        text: &str,
        received: Timestamp,
        pending: &mut BTreeMap<i64, Pending>,
        retire: &mut bool,
    ) -> Result<(), End> {
        let frame = match protocol::read_user_frame(&self.instruments, text, received) {
            Ok(frame) => frame,
            // whatever this was, an order may have been answered by it
            Err(fault) => {
                for (_, left) in std::mem::take(pending) {
                    let _ = left.reply.send(Answer::Unknown(fault.clone()));
                }
                return Err(End::Broke(fault.to_string()));
            }
        };
        match frame {
            UserFrame::Answer(id) => {
                let Some(left) = pending.remove(&id) else {
                    // a late answer, or one to a probe; but nobody answers what was never asked
                    return match id <= self.next_id {
                        true => Ok(()),
                        false => Err(End::Broke(format!("an answer to request {id}, which was never sent"))),
                    };
                };
                let answer = orders::ws_answer(&self.rest, text, &left.order, left.sent_at, received);
                let swapped =
                    matches!(&answer, Answer::Unknown(TransportFault::Answer(AnswerError::OtherRequest { .. })));
                let _ = left.reply.send(answer);
                if swapped {
                    return Err(End::Broke("an answer belonged to another request".to_owned()));
                }
            }
            UserFrame::Events(events) => {
                for event in events {
                    if self.is_told_again(&event) {
                        continue;
                    }
                    if let VenueEvent::Fault { code, message, .. } = &event {
                        tracing::warn!(code, message, "a message of the user stream could not be used");
                    }
                    self.outlet.vital(event).await?;
                }
            }
            UserFrame::ClosesSoon => *retire = true,
            UserFrame::Ended => return Err(End::Broke("the venue ended the user stream".to_owned())),
            UserFrame::Nothing => (),
        }
        Ok(())
    }
}

fn ping(id: i64) -> String {
    format!(r#"{{"id":{id},"method":"ping"}}"#)
}

/// Orders whose answer did not come in time are unknown; a late answer is ignored, the user stream tells.
fn expire(pending: &mut BTreeMap<i64, Pending>, answer_time: Duration) {
    let late: Vec<i64> = pending.iter().filter(|(_, p)| p.sent.elapsed() > answer_time).map(|(id, _)| *id).collect();
    for id in late {
        if let Some(left) = pending.remove(&id) {
            let _ = left.reply.send(Answer::Unknown(TransportFault::TimedOut(answer_time)));
        }
    }
}

async fn open_session(config: &BinanceConfig, signer: &Signer, rest: &Rest, id: i64) -> Result<Session, String> {
    rest.budgets.take(Endpoint::Subscribe, Purpose::Vital).map_err(|wait| format!("no connection is tried: {wait}"))?;
    let mut socket = dial(config, rest, &config.ws_api_url).await?;
    let Some((now, _)) = rest.clock.now() else { return Err("the venue's clock is not known yet".to_owned()) };
    let text = protocol::subscribe_text(signer, now, config.recv_window.as_millis(), id);
    socket.send(text).await?;
    let deadline = Instant::now() + config.answer_time;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let next = tokio::time::timeout(left, socket.next()).await;
        let (text, at) = next.map_err(|_| "no answer to the subscription".to_owned())??;
        let answer: ApiResponse<Subscribed> = match read_json(text.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => return Err(error.to_string()),
        };
        if answer.id != Some(RequestId::Number(id)) {
            continue;
        }
        return match (answer.result, answer.error) {
            (Some(_), _) => {
                let now = Instant::now();
                Ok(Session { socket, since: now, heard: now, heard_at: at, probed: false })
            }
            (None, error) => {
                if error.as_ref().is_some_and(|body| body.code == -1021) {
                    rest.clock.forget(); // measured anew before the next attempt
                }
                let body = error.map_or_else(String::new, |body| format!("{}: {}", body.code, body.msg));
                if answer.status == 418 || answer.status == 429 {
                    rest.budgets.told_to_wait(None, answer.status == 418);
                }
                Err(format!("the subscription was refused ({}, {body})", answer.status))
            }
        };
    }
}
