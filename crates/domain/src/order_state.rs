//! The life of an order as this process knows it.
//!
//! ```text
//! Intended ──sent──▶ InFlight ──accepted──▶ Working ──┬─ filled ────▶ Closed(Filled)
//!    │                │    │                │    │    ├─ cancelled ─▶ Closed(Cancelled)
//! not sent      answer│    │refused   cancel│    │    └─ expired ───▶ Closed(Expired)
//!    ▼           lost │    ▼            sent│    │replacement sent
//! Closed(NotSent)     │  Closed(Rejected)   │    └──▶ PendingReplace ──ended──▶ Working
//!                     ▼                     └───────▶ PendingCancel ──refused─▶ Working
//!                  Unknown
//!                     └─ evidence: shown ─▶ Working; refused ─▶ Closed(Rejected); absent ─▶ Closed(Expired)
//! ```
//!
//! Filled, cancelled and expired lead to the end from every open state, since reports overtake one another. An order's
//! replacement is an order of its own; `PendingReplace` is for venues that change an order under its name.

use crate::error::hint_of;
use crate::{Coded, Fill, Order, Quantity, TimeInForce, Timestamp, VenueOrderId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What this process knows of an order at its venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum OrderState {
    /// Durably meant, not yet sent.
    Intended,
    /// Sent and unanswered.
    InFlight {
        /// When the bytes were handed to the socket.
        sent_at: Timestamp,
    },
    /// Sent, and the answer was lost: it may be live. Only evidence leads out of here.
    Unknown {
        /// Since when we have not known.
        since: Timestamp,
    },
    /// On the venue's book, perhaps partly filled.
    Working,
    /// On the venue's book; a cancel is on its way.
    PendingCancel,
    /// On the venue's book; a replacement is on its way.
    PendingReplace,
    /// Over.
    Closed {
        /// How it ended.
        outcome: Outcome,
    },
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All of it.
    Filled,
    /// The venue said no.
    Rejected,
    /// On request, or because the rest could not fill at once.
    Cancelled,
    /// By time, or proven never to have reached the venue in time.
    Expired,
    /// Provably no byte left this process.
    NotSent,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderInput {
    /// Its bytes were handed to the socket.
    Sent,
    /// Provably no byte left this process.
    NotSent,
    /// The answer was lost.
    AnswerLost,
    /// The venue has it on its book (or had: it may have filled since).
    Accepted,
    /// The venue said no.
    Rejected,
    /// A fill that leaves something open.
    FilledPartly,
    /// A fill that completes it.
    FilledWholly,
    /// A cancel was handed to the socket.
    CancelSent,
    /// The venue would not cancel, or the cancel provably was not sent.
    CancelRefused,
    /// A replacement was handed to the socket.
    ReplaceSent,
    /// The replacement ended, either way; the order works on.
    ReplaceEnded,
    /// It is off the book on request.
    Cancelled,
    /// It is off the book by time, or proven absent.
    Expired,
}

impl fmt::Display for OrderState {
    /// What is to be said of an order in it: "was cancelled".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intended => "was not sent yet",
            Self::InFlight { .. } => "was sent and has no answer yet",
            Self::Unknown { .. } => "is of unknown outcome",
            Self::Working => "is open at the venue",
            Self::PendingCancel => "is being cancelled",
            Self::PendingReplace => "is being replaced",
            Self::Closed { outcome } => match outcome {
                Outcome::Filled => "was filled",
                Outcome::Rejected => "was rejected",
                Outcome::Cancelled => "was cancelled",
                Outcome::Expired => "has expired",
                Outcome::NotSent => "was never sent",
            },
        })
    }
}

impl fmt::Display for OrderInput {
    /// What is done to an order by it: "filled in part".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::NotSent => "held back unsent",
            Self::AnswerLost => "left without an answer",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::FilledPartly => "filled in part",
            Self::FilledWholly => "filled",
            Self::CancelSent => "asked to be cancelled",
            Self::CancelRefused => "kept from being cancelled",
            Self::ReplaceSent => "asked to be replaced",
            Self::ReplaceEnded => "done with being replaced",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        })
    }
}

/// An input that the state machine does not allow: the venue, or our log, contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order that {from} cannot be {input}")]
pub struct IllegalTransition {
    /// Where it was.
    pub from: OrderState,
    /// What was claimed.
    pub input: OrderInput,
}

impl Coded for IllegalTransition {
    fn code(&self) -> &'static str {
        "DOM-10"
    }
    fn hint(&self) -> &'static str {
        hint_of("DOM-10")
    }
}

impl OrderState {
    /// Where `input` leads at `at`.
    ///
    /// Reports overtake one another, so a fill may come before its acceptance and after a cancel; none of that
    /// is illegal, and a closed order never opens again.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the input contradicts the state, such as a fill of a rejected order.
    pub fn on(self, input: OrderInput, at: Timestamp) -> Result<Self, IllegalTransition> {
        use OrderInput as In;
        use OrderState::{Closed, InFlight, Intended, PendingCancel, PendingReplace, Unknown, Working};
        let closed = |outcome| Ok(Closed { outcome });
        match (self, input) {
            (Closed { outcome }, input) => {
                Self::after_close(outcome, input).ok_or(IllegalTransition { from: self, input })
            }
            (Intended, In::Sent) => Ok(InFlight { sent_at: at }),
            (Intended | InFlight { .. }, In::NotSent) => closed(Outcome::NotSent),
            // an intent without a recorded send may have been sent by a process that died
            (Intended | InFlight { .. }, In::AnswerLost) => Ok(Unknown { since: at }),
            (Unknown { since }, In::AnswerLost | In::CancelSent | In::CancelRefused) => Ok(Unknown { since }),
            (InFlight { sent_at }, In::CancelSent | In::CancelRefused) => Ok(InFlight { sent_at }),
            (Working | PendingCancel | PendingReplace, In::AnswerLost | In::Accepted) => Ok(self),
            (Intended | InFlight { .. } | Unknown { .. }, In::Accepted | In::FilledPartly) => Ok(Working),
            (Working | PendingCancel | PendingReplace, In::FilledPartly) => Ok(self),
            (Working | PendingCancel, In::CancelSent) | (PendingReplace, In::CancelSent) => Ok(PendingCancel),
            (PendingCancel | Working, In::CancelRefused) => Ok(Working),
            (Working, In::ReplaceSent) => Ok(PendingReplace),
            (PendingReplace | Working, In::ReplaceEnded) => Ok(Working),
            (PendingCancel, In::ReplaceEnded) => Ok(PendingCancel),
            (Intended | InFlight { .. } | Unknown { .. }, In::Rejected) => closed(Outcome::Rejected),
            (_, In::FilledWholly) => closed(Outcome::Filled),
            (_, In::Cancelled) => closed(Outcome::Cancelled),
            (_, In::Expired) => closed(Outcome::Expired),
            (
                _,
                In::Sent
                | In::NotSent
                | In::Rejected
                | In::CancelSent
                | In::CancelRefused
                | In::ReplaceSent
                | In::ReplaceEnded,
            ) => Err(IllegalTransition { from: self, input }),
        }
    }

    /// What a report that comes after the end does: late fills complete, repetitions change nothing.
    fn after_close(outcome: Outcome, input: OrderInput) -> Option<Self> {
        use OrderInput as In;
        let next = match (outcome, input) {
            (Outcome::Cancelled | Outcome::Expired | Outcome::Filled, In::FilledWholly) => Outcome::Filled,
            (Outcome::Cancelled | Outcome::Expired, In::FilledPartly) => outcome,
            (Outcome::Filled | Outcome::Cancelled | Outcome::Expired, In::Accepted | In::AnswerLost) => outcome,
            (Outcome::Filled | Outcome::Cancelled | Outcome::Expired, In::Cancelled | In::Expired) => outcome,
            (_, In::CancelSent | In::CancelRefused | In::ReplaceEnded) => outcome,
            (Outcome::Rejected, In::Rejected | In::AnswerLost) | (Outcome::NotSent, In::NotSent) => outcome,
            _ => return None,
        };
        Some(Self::Closed { outcome: next })
    }

    /// Whether it may still fill: everything but a closed order counts at its open quantity.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Closed { .. })
    }
}

/// When things happened to an order; each is missing until it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTimes {
    /// When the gate approved it.
    pub created: Timestamp,
    /// When its exact bytes were recorded; before that, provably nothing was sent.
    pub intended: Option<Timestamp>,
    /// From when on the venue takes those bytes, by its clock; not known of intents of older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Until when the venue takes them, by its clock; not known of intents of older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Timestamp>,
    /// When its bytes were handed to the socket.
    pub sent: Option<Timestamp>,
    /// When the venue was first heard to accept it, to reject it or to fill some of it, whichever came first.
    ///
    /// An end sets nothing: it stays `None` for an order of which the first word was that it was cancelled or had expired,
    /// and for one that was proven absent.
    pub acknowledged: Option<Timestamp>,
    /// When its cancel was last asked for or refused; noted only of orders that are good till a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_asked: Option<Timestamp>,
    /// When anything last changed.
    pub updated: Timestamp,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_nothing(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

/// An order and all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// What was meant.
    pub order: Order,
    /// What is known of it.
    #[serde(flatten)]
    pub state: OrderState,
    /// The venue's name of it, once heard.
    pub venue_id: Option<VenueOrderId>,
    /// How much of it filled.
    pub filled: Quantity,
    /// What the fills cost: the sum of price mantissa × quantity mantissa, without [`Self::earlier`].
    #[serde(with = "crate::text128")]
    pub cost: i128,
    /// How much of it filled before the books began: counted in [`Self::filled`], and booked nowhere.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub earlier: Quantity,
    /// When things happened.
    #[serde(flatten)]
    pub times: OrderTimes,
}

impl OrderRecord {
    /// A fresh intent.
    #[must_use]
    pub const fn new(order: Order, at: Timestamp) -> Self {
        let times = OrderTimes {
            created: at,
            intended: None,
            not_before: None,
            fence: None,
            sent: None,
            acknowledged: None,
            cancel_asked: None,
            updated: at,
        };
        Self {
            order,
            state: OrderState::Intended,
            venue_id: None,
            filled: Quantity::ZERO,
            cost: 0,
            earlier: Quantity::ZERO,
            times,
        }
    }

    /// Applies what happened.
    ///
    /// # Errors
    /// [`IllegalTransition`]; the record is then unchanged.
    pub fn on(&mut self, input: OrderInput, at: Timestamp) -> Result<(), IllegalTransition> {
        self.state = self.state.on(input, at)?;
        self.times.updated = at;
        match input {
            OrderInput::Sent => self.times.sent = Some(at),
            OrderInput::Accepted | OrderInput::Rejected | OrderInput::FilledPartly | OrderInput::FilledWholly => {
                self.times.acknowledged.get_or_insert(at);
            }
            OrderInput::CancelSent | OrderInput::CancelRefused if self.good_till().is_some() => {
                self.times.cancel_asked = Some(at);
            }
            _ => (),
        }
        Ok(())
    }

    /// Books a fill that was not booked before. The caller keeps the set of trade ids.
    ///
    /// # Errors
    /// [`IllegalTransition`] if the order cannot fill; the record is then unchanged.
    ///
    /// # Panics
    /// If the fill is of another order.
    pub fn fill(&mut self, fill: &Fill, at: Timestamp) -> Result<(), IllegalTransition> {
        assert!(fill.client_id == self.order.client_id(), "a fill is booked on its own order");
        let filled = self.filled + fill.quantity;
        let whole = filled >= self.order.quantity();
        self.on(if whole { OrderInput::FilledWholly } else { OrderInput::FilledPartly }, at)?;
        self.filled = filled;
        self.cost += i128::from(fill.price.mantissa()) * i128::from(fill.quantity.mantissa());
        Ok(())
    }

    /// The moment until which it is good, if it is good till one.
    #[must_use]
    pub const fn good_till(&self) -> Option<Timestamp> {
        match self.order.request().time_in_force {
            TimeInForce::Gtd(end) => Some(end),
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => None,
        }
    }

    /// Whether the end of which a venue tells now is that of a market order which found no more at its worst price: it was
    /// bounded by one, and nobody had asked for its cancel.
    #[must_use]
    pub const fn ends_at_worst(&self) -> bool {
        self.order.worst().is_some() && !matches!(self.state, OrderState::PendingCancel)
    }

    /// What may still fill: zero once closed, never negative.
    #[must_use]
    pub fn open_quantity(&self) -> Quantity {
        if self.state.is_open() { (self.order.quantity() - self.filled).max(Quantity::ZERO) } else { Quantity::ZERO }
    }

    /// Whether more filled than was meant: the venue and these books contradict each other.
    #[must_use]
    pub fn is_overfilled(&self) -> bool {
        self.filled > self.order.quantity()
    }

    /// How much of it filled by fills that were booked.
    #[must_use]
    pub fn booked(&self) -> Quantity {
        self.filled - self.earlier
    }

    /// Average fill price in price mantissas, for people and statistics; `None` before the first fill that was booked.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn average_price(&self) -> Option<f64> {
        (!self.booked().is_zero()).then(|| self.cost as f64 / self.booked().mantissa() as f64)
    }

    /// The public status word that the ecosystem expects. One that was never sent counts as rejected: it was on no book.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.state {
            OrderState::Intended | OrderState::InFlight { .. } => "new",
            OrderState::Unknown { .. } => "unknown",
            OrderState::Working if self.filled.is_zero() => "open",
            OrderState::Working => "partially_filled",
            OrderState::PendingCancel => "pending_cancel",
            OrderState::PendingReplace => "pending_update",
            OrderState::Closed { outcome } => match outcome {
                Outcome::Filled => "filled",
                Outcome::Rejected | Outcome::NotSent => "rejected",
                Outcome::Cancelled => "canceled",
                Outcome::Expired => "expired",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;
    use expect_test::expect;
    use proptest::prelude::*;

    const INPUTS: [OrderInput; 13] = [
        OrderInput::Sent,
        OrderInput::NotSent,
        OrderInput::AnswerLost,
        OrderInput::Accepted,
        OrderInput::Rejected,
        OrderInput::FilledPartly,
        OrderInput::FilledWholly,
        OrderInput::CancelSent,
        OrderInput::CancelRefused,
        OrderInput::ReplaceSent,
        OrderInput::ReplaceEnded,
        OrderInput::Cancelled,
        OrderInput::Expired,
    ];

    fn name(state: OrderState) -> String {
        match state {
            OrderState::InFlight { .. } => "InFlight".to_owned(),
            OrderState::Unknown { .. } => "Unknown".to_owned(),
            OrderState::Closed { outcome } => format!("{outcome:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_whole_table_of_transitions_stands_here() {
        let zero = Timestamp::default();
        let closed = |outcome| OrderState::Closed { outcome };
        let mut table = String::new();
        for from in [
            OrderState::Intended,
            OrderState::InFlight { sent_at: zero },
            OrderState::Unknown { since: zero },
            OrderState::Working,
            OrderState::PendingCancel,
            OrderState::PendingReplace,
            closed(Outcome::Filled),
            closed(Outcome::Rejected),
            closed(Outcome::Cancelled),
            closed(Outcome::Expired),
            closed(Outcome::NotSent),
        ] {
            let row = INPUTS.map(|input| match from.on(input, zero) {
                Ok(to) if to == from => "=".to_owned(),
                Ok(to) => name(to),
                Err(error) => {
                    assert_eq!(error.code(), "DOM-10");
                    assert_eq!(error.to_string(), format!("an order that {from} cannot be {input}"));
                    let plain = |text: &str| text.chars().all(|it| it.is_ascii_lowercase() || it == ' ');
                    assert!(plain(&error.to_string()), "{error} is for people");
                    "-".to_owned()
                }
            });
            table.push_str(&format!("{:14} {}\n", name(from), row.join(" ")));
        }
        expect![[r#"
            Intended       InFlight NotSent Unknown Working Rejected Working Filled - - - - Cancelled Expired
            InFlight       - NotSent Unknown Working Rejected Working Filled = = - - Cancelled Expired
            Unknown        - - = Working Rejected Working Filled = = - - Cancelled Expired
            Working        - - = = - = Filled PendingCancel = PendingReplace = Cancelled Expired
            PendingCancel  - - = = - = Filled = Working - = Cancelled Expired
            PendingReplace - - = = - = Filled PendingCancel - - Working Cancelled Expired
            Filled         - - = = - - = = = - = = =
            Rejected       - - = - = - - = = - = - -
            Cancelled      - - = = - = Filled = = - = = =
            Expired        - - = = - = Filled = = - = = =
            NotSent        - = - - - - - = = - = - -
        "#]]
        .assert_eq(&table);
    }

    fn record(quantity: i64) -> OrderRecord {
        let it = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test").list(InstrumentId(0)).unwrap();
        let request = OrderRequest::market(it.id, Side::Buy, Quantity::from_mantissa(quantity));
        let order = Order::new(&it, PortfolioId(0), ClientOrderId::from_u128(1), request, None).unwrap();
        OrderRecord::new(order, Timestamp::default())
    }

    fn fill(id: u128, quantity: i64, price: i64) -> Fill {
        Fill {
            client_id: ClientOrderId::from_u128(1),
            instrument: InstrumentId(0),
            trade_id: TradeId(id),
            side: Side::Buy,
            price: Price::from_mantissa(price),
            quantity: Quantity::from_mantissa(quantity),
            liquidity: Liquidity::Taker,
            fee: Fee(Money::zero(Currency::new("USDT").unwrap())),
        }
    }

    #[test]
    fn the_word_for_an_order_says_where_it_stands_and_whether_some_of_it_filled() {
        let zero = Timestamp::default();
        let closed = |outcome| OrderState::Closed { outcome };
        for (state, filled, word) in [
            (OrderState::Intended, 0, "new"),
            (OrderState::InFlight { sent_at: zero }, 0, "new"),
            (OrderState::Unknown { since: zero }, 0, "unknown"),
            (OrderState::Working, 0, "open"),
            (OrderState::Working, 1, "partially_filled"),
            (OrderState::PendingCancel, 1, "pending_cancel"),
            (OrderState::PendingReplace, 1, "pending_update"),
            (closed(Outcome::Filled), 10, "filled"),
            (closed(Outcome::Rejected), 0, "rejected"),
            (closed(Outcome::Cancelled), 1, "canceled"),
            (closed(Outcome::Expired), 1, "expired"),
            (closed(Outcome::NotSent), 0, "rejected"),
        ] {
            let record = OrderRecord { state, filled: Quantity::from_mantissa(filled), ..record(10) };
            assert_eq!(record.status(), word, "{state:?} with {filled} filled");
            let open = if state.is_open() { 10 - filled } else { 0 };
            assert_eq!(record.open_quantity().mantissa(), open, "{state:?} with {filled} filled");
        }
    }

    #[test]
    fn an_order_that_filled_beyond_its_quantity_says_so_and_has_nothing_left_open() {
        let mut record = record(10);
        for (id, quantity, beyond) in [(1, 9, false), (2, 1, false), (3, 1, true)] {
            record.fill(&fill(id, quantity, 5), Timestamp::default()).unwrap();
            assert_eq!(record.is_overfilled(), beyond, "{:?} of 10", record.filled);
        }
        assert!(
            OrderRecord { state: OrderState::Working, ..record }.open_quantity().is_zero(),
            "never less than nothing"
        );
    }

    #[test]
    fn what_filled_before_the_books_began_is_in_no_average() {
        let mut record = record(10);
        assert_eq!(record.average_price(), None);
        (record.filled, record.earlier) = (Quantity::from_mantissa(4), Quantity::from_mantissa(4));
        assert_eq!((record.booked(), record.average_price()), (Quantity::ZERO, None));
        record.fill(&fill(1, 2, 7), Timestamp::default()).unwrap();
        record.fill(&fill(2, 4, 10), Timestamp::default()).unwrap();
        assert_eq!((record.booked().mantissa(), record.average_price()), (6, Some(9.0)));
    }

    #[test]
    fn an_acknowledgement_is_an_acceptance_a_rejection_or_a_fill_and_the_first_of_them_stays() {
        use OrderInput as In;
        let (first, later) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
        let in_flight = OrderState::InFlight { sent_at: Timestamp::default() };
        for input in INPUTS {
            let (state, noted) = match input {
                In::Sent | In::NotSent => (OrderState::Intended, None),
                In::Accepted | In::Rejected | In::FilledPartly | In::FilledWholly => (in_flight, Some(first)),
                In::AnswerLost | In::CancelSent | In::CancelRefused | In::Cancelled | In::Expired => (in_flight, None),
                In::ReplaceSent => (OrderState::Working, None),
                In::ReplaceEnded => (OrderState::PendingReplace, None),
            };
            let mut record = OrderRecord { state, ..record(10) };
            record.on(input, first).unwrap();
            assert_eq!((record.times.acknowledged, record.times.updated), (noted, first), "{input}");
        }
        let mut record = record(10);
        for (input, at) in [(In::Sent, first), (In::Accepted, first), (In::FilledPartly, later), (In::Cancelled, later)]
        {
            record.on(input, at).unwrap();
        }
        assert_eq!((record.times.acknowledged, record.times.updated), (Some(first), later));
    }

    #[test]
    fn when_a_cancel_was_asked_for_is_noted_of_what_has_an_end_alone() {
        let (end, asked) = (Timestamp::from_millis(9), Timestamp::from_millis(1));
        for (time_in_force, good_till) in
            [(TimeInForce::Gtd(end), Some(end)), (TimeInForce::Gtc, None), (TimeInForce::Ioc, None)]
        {
            let mut record = record(10);
            let request = OrderRequest { time_in_force, ..*record.order.request() };
            record.order = Order::as_worked(PortfolioId(0), record.order.client_id(), request);
            assert_eq!(record.good_till(), good_till);
            record.on(OrderInput::Accepted, Timestamp::default()).unwrap();
            assert_eq!(record.times.cancel_asked, None);
            for input in [OrderInput::CancelSent, OrderInput::CancelRefused] {
                record.times.cancel_asked = None;
                record.on(input, asked).unwrap();
                assert_eq!(record.times.cancel_asked, good_till.and(Some(asked)), "{input} with {time_in_force:?}");
            }
        }
    }

    proptest! {
        /// Fills aggregate to the same quantity and cost in any order, with duplicates, on any path of reports.
        #[test]
        fn fills_aggregate_in_any_order_with_duplicates(
            parts in proptest::collection::vec((1_i64..50, 1_i64..1_000), 1..12),
            picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let total: i64 = parts.iter().map(|(q, _)| q).sum();
            let (mut record, mut seen) = (record(total), TradeIdSet::default());
            let all = (0..parts.len()).chain(picks.iter().map(|p| p.index(parts.len())));
            let order: Vec<_> = picks.iter().map(|p| p.index(parts.len())).chain(all).collect();
            for i in order {
                let (quantity, price) = parts[i];
                if seen.insert(TradeId(i as u128)) {
                    record.fill(&fill(i as u128, quantity, price), Timestamp::default()).unwrap();
                }
                prop_assert!(record.filled <= record.order.quantity());
            }
            prop_assert_eq!(record.filled.mantissa(), total);
            prop_assert_eq!(record.cost, parts.iter().map(|(q, p)| i128::from(q * p)).sum::<i128>());
            prop_assert_eq!(record.status(), "filled");
            prop_assert!(record.open_quantity().is_zero());
        }

        /// No sequence of inputs opens a closed order again, and time stamps only ever appear.
        #[test]
        fn a_closed_order_stays_closed(inputs in proptest::collection::vec(0_usize..INPUTS.len(), 0..40)) {
            let mut record = record(10);
            for (at, input) in inputs.into_iter().enumerate() {
                let before = record.clone();
                let moved = record.on(INPUTS[input], Timestamp::from_nanos(at as i64));
                if moved.is_err() {
                    prop_assert_eq!(&record, &before);
                }
                prop_assert!(before.state.is_open() || !record.state.is_open());
                prop_assert!(before.times.sent.is_none() || record.times.sent.is_some());
            }
        }
    }
}
