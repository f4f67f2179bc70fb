//! What became of an order whose outcome is unknown: which questions lead to evidence, and when silence is proof.
//!
//! An [`Inquiry`] is one such question from beginning to end. It knows no clock and asks nobody itself: a host asks
//! [`Inquiry::next`] what to do, does it, and says what came of it with [`Inquiry::answered`]. A host on real sockets
//! and a simulated one therefore reach the same conclusions. Nothing here ever sends an order again.

use crate::EventKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use tradewind_domain::{
    ClientOrderId, Fill, InstrumentId, OrderRecord, Price, Quantity, Timestamp, TradeId, VenueOrderId,
};

const SECOND: i64 = 1_000_000_000;

/// How much of a venue's silence proves that an order never came. Durations are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidencePolicy {
    /// Where the numbers come from.
    pub source: &'static str,
    /// How long after the fence the venue may still be busy with a request that it took in time.
    pub backend_timeout: i64,
    /// The widest send window that the venue takes: bounds the fence of an intent that recorded none.
    pub widest_window: i64,
    /// How often the order and the open orders must have been asked for in vain after that.
    pub reads: u32,
    /// Over at least this long.
    pub spread: i64,
    /// How often the history and the trades must both lack it, for the spread to be enough.
    pub agreed: u32,
    /// With fewer of those agreements: how long the order must stay unfound.
    pub settle: i64,
    /// First wait between two questions; each wait doubles.
    pub first_wait: i64,
    /// Longest wait between two questions.
    pub longest_wait: i64,
    /// An outcome unknown for longer raises an alarm, once.
    pub alarm_after: i64,
}

impl EvidencePolicy {
    /// Binance spot. A client id is unique among open orders only (class C), so nothing may be sent again.
    pub const BINANCE_SPOT: Self = Self {
        source: "binance-spot-api-docs, errors.md (-1007: 10 s timeout of the backend) and rest-api.md (recvWindow at \
                 most 60 s); live orders were reported missing for up to 10 minutes (Mike-Mercer/Binance-REST-Test)",
        backend_timeout: 10 * SECOND,
        widest_window: 60 * SECOND,
        reads: 3,
        spread: 60 * SECOND,
        agreed: 2,
        settle: 15 * 60 * SECOND,
        first_wait: SECOND / 10,
        longest_wait: 2 * SECOND,
        alarm_after: 30 * SECOND,
    };

    /// Our own exchange on this machine: its matching engine answers within the request, and its lists never lag.
    pub const LOCAL: Self = Self {
        source: "the local exchange carries a request out while it is answered",
        backend_timeout: SECOND,
        widest_window: 60 * SECOND,
        reads: 3,
        spread: 2 * SECOND,
        agreed: 2,
        settle: 30 * SECOND,
        first_wait: SECOND / 10,
        longest_wait: SECOND,
        alarm_after: 30 * SECOND,
    };

    /// How long after a round of questions the next one follows.
    const fn round_wait(&self) -> i64 {
        let gaps = if self.reads > 1 { self.reads as i64 - 1 } else { 1 };
        let even = (self.spread + gaps - 1) / gaps;
        if even > self.first_wait { even } else { self.first_wait }
    }
}

/// What is not known of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Whether the venue has it.
    Order,
    /// Whether the venue took its cancel.
    Cancel,
    /// Whether the venue made it smaller.
    Amend,
}

/// A question to the venue, always about the order of the inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// How does the order with our client id stand?
    Order,
    /// Is it among the open orders of its instrument?
    OpenOrders,
    /// Is it among all orders of its instrument that were placed since [`Inquiry::not_before`]?
    History,
    /// Did anything that cannot be named trade in its instrument since [`Inquiry::not_before`]?
    Trades,
    /// Whose is the order that the venue calls so?
    Name(VenueOrderId),
    /// Which executions does the order that the venue calls so have, all of them?
    Fills(VenueOrderId),
}

/// What the venue said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The order, found under our client id.
    Standing(Standing),
    /// A whole answer, every page of it, without our order.
    Lacks,
    /// To [`Question::Trades`]: executions of orders that the asker cannot name.
    Strangers(Vec<VenueOrderId>),
    /// To [`Question::Name`]: it is another's.
    Another,
    /// To [`Question::Fills`]: every execution, with its time.
    Fills(Vec<(Timestamp, Fill)>),
    /// No usable answer came; the venue may have named a wait in nanoseconds.
    Failed {
        /// The earliest next question, from now on.
        retry_after: Option<i64>,
    },
}

/// How an order stands at its venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The venue's name of it.
    pub venue_id: VenueOrderId,
    /// Where it stands.
    pub stand: Stand,
    /// The limit price that the venue works it at, if it has one.
    pub price: Option<Price>,
    /// The quantity that the venue works.
    pub quantity: Quantity,
    /// How much was executed, by the venue's count.
    pub filled: Quantity,
    /// When it last changed, by the venue's clock.
    pub updated: Timestamp,
}

/// Where an order stands at its venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// On the book, or waiting for its trigger.
    Open,
    /// All of it was executed.
    Filled,
    /// Off the book on request.
    Cancelled,
    /// Off the book by its own terms or by the venue.
    Expired,
    /// Never accepted.
    Rejected,
}

/// What to do next about an inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask this, then say what came of it.
    Ask(Question),
    /// Nothing before this moment.
    WaitUntil(Timestamp),
    /// It is known.
    Done(Evidence),
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The venue has it, or had it.
    Found {
        /// How it stands.
        standing: Standing,
        /// Every execution of it, with its time.
        fills: Vec<(Timestamp, Fill)>,
    },
    /// It never came, and cannot come any more.
    Absent(Box<Absence>),
}

/// Repeated answers that all lacked an order. The moments are those of the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// How many.
    pub count: u32,
    /// The first one.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
}

/// The proof that an order never reached its venue, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// From when on the request could have been taken.
    pub not_before: Timestamp,
    /// Until when the venue could have taken it.
    pub fence: Timestamp,
    /// How long it may have worked on it after that, in nanoseconds.
    pub backend_timeout: i64,
    /// By how much the venue's clock may have been misjudged, in nanoseconds.
    pub clock_error: i64,
    /// Since when the user stream was whole.
    pub stream_since: Timestamp,
    /// Questions for the order itself.
    pub order: Reads,
    /// Questions for the open orders.
    pub open_orders: Reads,
    /// Questions for the order history.
    pub history: Reads,
    /// Questions for the trades.
    pub trades: Reads,
    /// Whose numbers were applied.
    pub policy: String,
}

impl Absence {
    /// From when on an answer counts: the fence and all that the venue may still do about it have passed.
    #[must_use]
    pub const fn quiet(&self) -> Timestamp {
        self.fence.plus_nanos(self.backend_timeout + self.clock_error)
    }

    /// Whether the proof fulfils `policy`; the machine that made it need not be trusted.
    #[must_use]
    pub fn fulfils(&self, policy: &EvidencePolicy) -> bool {
        let all = [self.order, self.open_orders, self.history, self.trades];
        let often = |reads: Reads| reads.count >= policy.reads && reads.last.since(reads.first) >= policy.spread;
        let agreed = self.history.count >= policy.agreed && self.trades.count >= policy.agreed;
        let settled = self.order.last >= self.quiet().plus_nanos(policy.settle);
        self.backend_timeout >= policy.backend_timeout
            && self.clock_error >= 0
            && all.iter().all(|reads| reads.count > 0 && reads.first >= self.quiet())
            && (self.stream_since <= self.not_before || all.iter().all(|reads| reads.last >= self.stream_since))
            && often(self.order)
            && often(self.open_orders)
            && (agreed || settled)
    }
}

/// One order in doubt, from the doubt to the evidence.
///
/// All moments are of one clock that shows the venue's time and never jumps.
#[derive(Clone, Debug)]
pub struct Inquiry {
    client_id: ClientOrderId,
    instrument: InstrumentId,
    /// What it began with: an end must answer that.
    doubt: Doubt,
    /// What is in doubt now: of an order that may not be there, its cancel or amendment is the smaller doubt.
    asks: Doubt,
    /// What the order was in all when the inquiry began.
    quantity: Quantity,
    policy: EvidencePolicy,
    not_before: Timestamp,
    fence: Timestamp,
    clock_error: i64,
    since: Timestamp,
    stream_since: Option<Timestamp>,
    alarmed: bool,
    wait: i64,
    due: Timestamp,
    round_due: Timestamp,
    round: VecDeque<Question>,
    asked: Option<(Question, Timestamp)>,
    strangers: BTreeSet<VenueOrderId>,
    traded: Option<Timestamp>,
    standing: Option<Standing>,
    reads: [Option<Reads>; 4],
    evidence: Option<Evidence>,
}

impl Inquiry {
    /// Begins to ask what became of `record` at `now`. `clock_error` bounds the error of `now` in nanoseconds.
    ///
    /// The user stream counts as interrupted until [`Self::stream_is_whole`] says otherwise. For a doubt about a cancel
    /// name its window with [`Self::within`].
    #[must_use]
    pub fn new(record: &OrderRecord, doubt: Doubt, policy: EvidencePolicy, now: Timestamp, clock_error: i64) -> Self {
        let (not_before, fence) = window_of(record, &policy, now);
        Self {
            client_id: record.order.client_id(),
            instrument: record.order.instrument(),
            doubt,
            asks: doubt,
            quantity: record.order.quantity(),
            policy,
            not_before,
            fence,
            clock_error: clock_error.max(0),
            since: now,
            stream_since: None,
            alarmed: false,
            wait: policy.first_wait,
            due: now.plus_nanos(policy.first_wait),
            round_due: Timestamp::from_nanos(i64::MIN),
            round: VecDeque::new(),
            asked: None,
            strangers: BTreeSet::new(),
            traded: None,
            standing: None,
            reads: [None; 4],
            evidence: None,
        }
    }

    /// The same inquiry about a request that could be taken from `not_before` to `fence`, by the venue's clock.
    #[must_use]
    pub const fn within(mut self, not_before: Timestamp, fence: Timestamp) -> Self {
        (self.not_before, self.fence) = (not_before, fence);
        self
    }

    /// The outcome of the order itself turned out to be unknown while its cancel was in doubt: from here on the question
    /// is whether the venue has it at all, within the order's own window. Nothing for an inquiry about the order.
    pub fn widen(&mut self, record: &OrderRecord, now: Timestamp) {
        if self.asks == Doubt::Order || self.evidence.is_some() {
            return;
        }
        let (not_before, fence) = window_of(record, &self.policy, now);
        (self.not_before, self.fence) = (not_before.min(self.not_before), fence.max(self.fence));
        (self.asks, self.reads) = (Doubt::Order, [None; 4]);
        self.round.clear();
    }

    /// Which order.
    #[must_use]
    pub const fn client_id(&self) -> ClientOrderId {
        self.client_id
    }
    /// Of what.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        self.instrument
    }
    /// What was not known of it at first; what it leads to is told as an answer to that.
    #[must_use]
    pub const fn doubt(&self) -> Doubt {
        self.doubt
    }
    /// From when on history and trades are asked for.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// From when on an answer without the order counts.
    #[must_use]
    pub const fn quiet(&self) -> Timestamp {
        self.fence.plus_nanos(self.policy.backend_timeout + self.clock_error)
    }

    /// The user stream broke off, or may have lost something.
    pub const fn stream_broke(&mut self) {
        self.stream_since = None;
    }

    /// The user stream is whole since `since`, at the latest.
    pub fn stream_is_whole(&mut self, since: Timestamp) {
        self.stream_since.get_or_insert(since);
    }

    /// The venue's time may be wrong by `nanos` now. The largest error counts that was told before the first answer that
    /// counts: whether the fence had passed is judged then.
    pub fn clock_may_err(&mut self, nanos: i64) {
        if self.reads.iter().all(Option::is_none) {
            self.clock_error = self.clock_error.max(nanos);
        }
    }

    /// For how long the outcome has been unknown, once, when that is alarmingly long.
    pub fn alarm(&mut self, now: Timestamp) -> Option<i64> {
        let age = now.since(self.since);
        if self.alarmed || age < self.policy.alarm_after {
            return None;
        }
        self.alarmed = true;
        Some(age)
    }

    /// What to do at `now`. Asked again before an answer was given, it gives the question again.
    pub fn next(&mut self, now: Timestamp) -> Step {
        if let Some(evidence) = &self.evidence {
            return Step::Done(evidence.clone());
        }
        if now < self.due {
            let alarm = self.since.plus_nanos(self.policy.alarm_after);
            let first = if self.alarmed || alarm <= now { self.due } else { self.due.min(alarm) };
            return Step::WaitUntil(first);
        }
        let question = self.question(now);
        self.asked = Some((question.clone(), now));
        Step::Ask(question)
    }

    fn question(&mut self, now: Timestamp) -> Question {
        if let Some(standing) = &self.standing {
            return Question::Fills(standing.venue_id.clone());
        }
        if let Some(stranger) = self.strangers.first() {
            return Question::Name(stranger.clone());
        }
        if self.round.is_empty() && now >= self.quiet() && now >= self.round_due {
            self.round = [Question::Order, Question::OpenOrders, Question::History, Question::Trades].into();
            self.round_due = now.plus_nanos(self.policy.round_wait());
        }
        self.round.front().cloned().unwrap_or(Question::Order)
    }

    /// Takes the answer to the last question. An answer that nobody asked for is ignored.
    pub fn answered(&mut self, now: Timestamp, answer: Answer) {
        let Some((question, asked)) = self.asked.take() else { return };
        self.due = now;
        match answer {
            Answer::Standing(standing) => self.stands(now, standing),
            Answer::Fills(fills) => self.filled(now, fills),
            Answer::Another => {
                if let Question::Name(id) = question {
                    self.strangers.remove(&id);
                }
                if self.strangers.is_empty()
                    && let Some(asked) = self.traded.take()
                {
                    self.lacks(now, &Question::Trades, asked);
                }
            }
            Answer::Strangers(ids) if question == Question::Trades && !ids.is_empty() => {
                self.strangers.extend(ids);
                self.traded = Some(asked);
            }
            Answer::Strangers(_) => self.lacks(now, &question, asked),
            // a trade's order that cannot be found is a list that lags, not an answer
            Answer::Lacks if matches!(question, Question::Name(_) | Question::Fills(_)) => self.again(now, None),
            Answer::Lacks => self.lacks(now, &question, asked),
            Answer::Failed { retry_after } => self.again(now, retry_after),
        }
    }

    /// The venue named the order in a list before it was asked for it. `booked` is what the books hold of it: executions
    /// that are booked are not asked for again.
    pub fn listed(&mut self, now: Timestamp, standing: Standing, booked: Quantity) {
        self.due = now;
        self.stands(now, standing);
        if let Some(standing) = self.standing.take_if(|it| it.filled <= booked) {
            self.evidence = Some(Evidence::Found { standing, fills: Vec::new() });
        }
    }

    fn again(&mut self, now: Timestamp, retry_after: Option<i64>) {
        self.due = now.plus_nanos(self.wait.max(retry_after.unwrap_or(0)));
        self.wait = (self.wait * 2).min(self.policy.longest_wait);
    }

    fn stands(&mut self, now: Timestamp, standing: Standing) {
        self.round.clear();
        self.strangers.clear();
        self.reads = [None; 4];
        let is_done = match self.doubt {
            Doubt::Order => true,
            Doubt::Cancel => standing.stand != Stand::Open,
            Doubt::Amend => standing.stand != Stand::Open || standing.quantity != self.quantity,
        };
        if !is_done && now < self.quiet() {
            self.again(now, None); // the request may still come
        } else if standing.filled.is_zero() {
            self.evidence = Some(Evidence::Found { standing, fills: Vec::new() });
        } else {
            self.standing = Some(standing);
        }
    }

    fn filled(&mut self, now: Timestamp, fills: Vec<(Timestamp, Fill)>) {
        let Some(standing) = self.standing.take() else { return };
        let mut seen: BTreeSet<TradeId> = BTreeSet::new();
        let fills: Vec<_> = fills.into_iter().filter(|(_, fill)| seen.insert(fill.trade_id)).collect();
        let listed = fills.iter().fold(Quantity::ZERO, |sum, (_, fill)| sum + fill.quantity);
        if listed < standing.filled {
            self.again(now, None); // its end is told once all its executions are
        } else {
            self.evidence = Some(Evidence::Found { standing, fills });
        }
    }

    fn lacks(&mut self, now: Timestamp, question: &Question, asked: Timestamp) {
        let place = match question {
            Question::Order => 0,
            Question::OpenOrders => 1,
            Question::History => 2,
            Question::Trades => 3,
            Question::Name(_) | Question::Fills(_) => return,
        };
        if asked >= self.quiet() {
            let reads = self.reads[place].get_or_insert(Reads { count: 0, first: asked, last: asked });
            (reads.count, reads.last) = (reads.count + 1, asked);
        }
        if self.round.front() == Some(question) {
            self.round.pop_front();
        }
        if self.round.is_empty() {
            self.evidence = self.proof().map(|absence| Evidence::Absent(Box::new(absence)));
            let next = now.plus_nanos(self.wait).min(self.round_due.max(self.quiet()));
            self.due = if next > now { next } else { now.plus_nanos(self.policy.first_wait) };
            self.wait = (self.wait * 2).min(self.policy.longest_wait);
        }
    }

    /// The proof of absence, once there is one. A doubt about a cancel has none: the order was there.
    fn proof(&self) -> Option<Absence> {
        let [Some(order), Some(open_orders), Some(history), Some(trades)] = self.reads else { return None };
        let absence = Absence {
            not_before: self.not_before,
            fence: self.fence,
            backend_timeout: self.policy.backend_timeout,
            clock_error: self.clock_error,
            stream_since: self.stream_since?,
            order,
            open_orders,
            history,
            trades,
            policy: self.policy.source.to_owned(),
        };
        (self.asks == Doubt::Order && absence.fulfils(&self.policy)).then_some(absence)
    }
}

/// Whose trades, among those of an instrument, nobody can name yet: not those of `others`, and not the order's own as far
/// as they were booked. Each trade is the venue's name of its order, and how much was traded.
#[must_use]
pub fn strangers(
    record: &OrderRecord,
    others: &BTreeSet<VenueOrderId>,
    trades: &[(VenueOrderId, Quantity)],
) -> Vec<VenueOrderId> {
    let own = |id: &VenueOrderId| record.venue_id.as_ref() == Some(id);
    let traded = trades.iter().filter(|(id, _)| own(id)).fold(Quantity::ZERO, |sum, (_, quantity)| sum + *quantity);
    let is_known = |id: &VenueOrderId| others.contains(id) || (own(id) && traded <= record.filled);
    let mut strange: Vec<_> = trades.iter().map(|(id, _)| id).filter(|id| !is_known(id)).cloned().collect();
    strange.dedup();
    strange
}

/// How many of the first executions came before the books began: they are in the balance that the books began with.
fn earlier(order: &OrderRecord, fills: &[(Timestamp, Fill)]) -> usize {
    let mut sorted: Vec<_> = fills.iter().map(|(at, fill)| (*at, fill.quantity)).collect();
    sorted.sort_by_key(|(at, _)| *at);
    let sums = sorted.iter().scan(Quantity::ZERO, |sum, (_, quantity)| {
        *sum += *quantity;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= order.earlier).count()
}

/// From when until when the venue could take the order. An intent of an older journal has no fence of its own: the widest
/// window bounds it.
fn window_of(record: &OrderRecord, policy: &EvidencePolicy, now: Timestamp) -> (Timestamp, Timestamp) {
    let intended = record.times.intended.unwrap_or(now);
    let fence = record.times.fence.unwrap_or(intended.plus_nanos(policy.widest_window));
    (record.times.not_before.unwrap_or(record.times.created.plus_nanos(-policy.widest_window)), fence)
}

impl Evidence {
    /// What is to be recorded of `order`, in this order, each with its time by the venue; without one it is true now.
    ///
    /// A fill comes before the word that ends its order. The venue's terms count where they are not what was meant.
    #[must_use]
    pub fn facts(&self, order: &OrderRecord, doubt: Doubt) -> Vec<(Option<Timestamp>, EventKind)> {
        let client_id = order.order.client_id();
        let (standing, fills) = match self {
            Self::Absent(absence) => {
                return vec![(None, EventKind::Expired { client_id, evidence: Some(absence.clone()) })];
            }
            Self::Found { standing, fills } => (standing, fills),
        };
        let mut facts: Vec<_> = fills.iter().map(|(at, fill)| (Some(*at), EventKind::Filled(*fill))).collect();
        facts.sort_by_key(|(at, _)| *at);
        facts.drain(..earlier(order, fills));
        let venue_id = standing.venue_id.clone();
        let word = match standing.stand {
            // the venue worked less than was meant, all of it was executed, and nothing else will tell the end
            Stand::Filled if standing.filled < order.order.quantity() => {
                EventKind::Cancelled { client_id, reason: "by the venue, which worked a smaller order".into() }
            }
            Stand::Open | Stand::Filled => EventKind::Accepted { client_id, venue_id },
            Stand::Cancelled => EventKind::Cancelled { client_id, reason: "on request".into() },
            Stand::Expired => EventKind::Cancelled { client_id, reason: "by the venue".into() },
            Stand::Rejected => EventKind::Rejected { client_id, reason: "by the venue".into() },
        };
        let last = facts.last().and_then(|(at, _)| *at).unwrap_or(standing.updated);
        facts.push((Some(standing.updated.max(last)), word));
        if doubt == Doubt::Cancel && standing.stand == Stand::Open {
            let reason = "the venue still works the order".to_owned();
            facts.push((None, EventKind::CancelRefused { client_id, reason }));
        }
        if doubt == Doubt::Amend && standing.stand == Stand::Open && standing.quantity == order.order.quantity() {
            let reason = "the venue works the order as it was".to_owned();
            facts.push((None, EventKind::Amend { client_id, said: crate::Amend::Refused { reason } }));
        }
        facts
    }
}
