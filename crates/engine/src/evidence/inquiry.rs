//! One order in doubt: what to ask next, and what the answers come to.

use super::{Absence, Answer, Doubt, Evidence, EvidencePolicy, Question, Reads, Stand, Standing, Step};
use std::collections::{BTreeSet, VecDeque};
use tradewind_domain::{ClientOrderId, Fill, InstrumentId, OrderRecord, Quantity, Timestamp, TradeId, VenueOrderId};

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

/// From when until when the venue could take the order. An intent of an older journal has no fence of its own: the widest
/// window bounds it.
fn window_of(record: &OrderRecord, policy: &EvidencePolicy, now: Timestamp) -> (Timestamp, Timestamp) {
    let intended = record.times.intended.unwrap_or(now);
    let fence = record.times.fence.unwrap_or(intended.plus_nanos(policy.widest_window));
    (record.times.not_before.unwrap_or(record.times.created.plus_nanos(-policy.widest_window)), fence)
}
