//! What a person can do to a running node. Everything that trades goes through the gate like any proposal.

use crate::adopt::AdoptWords;
use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::govern::{GovernRequest, Signed};
use crate::kill_call::SignedHalt;
use crate::oco::OcoWords;
use crate::parents::{ParentWords, ReplaceWords};
use crate::portfolios::operators;
use crate::status::{OrderView, order_view, positions, status};
use crate::words::{OrderWords, read_order, read_trade_plan};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    ClientOrderId, Coded, OrderRecord, OrderRequest, OrderState, Outcome, PortfolioId, Source, TradePlan,
};
use tradewind_engine::algo::{Ask, ParentEvent};
use tradewind_engine::{EventKind, Halt, RiskAct, Spoken, Verdict};
use tradewind_gate::{Proposal, Refusal};
use tradewind_governance::{Act, Changed};
use tradewind_host::Draft;

/// A person's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "request", deny_unknown_fields)]
pub enum OperatorRequest {
    /// How are things?
    Status,
    /// Propose an order. Prices and sizes are decimal text.
    OrderPlace(OrderWords),
    /// Propose a target and a stop of which one cancels the other.
    OrderOco(OcoWords),
    /// Propose an order that becomes other orders.
    OrderParent(ParentWords),
    /// Propose new terms for an open order.
    OrderReplace(ReplaceWords),
    /// List orders that become other orders, living ones first.
    ParentList,
    /// Ask something of one of them.
    ParentAsk {
        /// Its number.
        parent: u64,
        /// What.
        ask: Ask,
        /// Why, for the record.
        reason: String,
    },
    /// Propose a cancel.
    OrderCancel {
        /// The order's name, 32 hex digits.
        client_id: ClientOrderId,
    },
    /// List orders, open ones first.
    OrderList,
    /// List positions.
    PositionList,
    /// Propose to close what is held of a symbol.
    PositionClose {
        /// Unified symbol.
        symbol: String,
    },
    /// Let a position stand without a stop until it is closed, or take that back.
    PositionExempt {
        /// Unified symbol.
        symbol: String,
        /// Which portfolio, by name; people's own without.
        #[serde(default)]
        portfolio: Option<String>,
        /// Why, for the record.
        reason: String,
        /// Whether an exemption ends rather than begins.
        #[serde(default)]
        end: bool,
    },
    /// Cancel every order and propose to close every position. Works while halted.
    Flatten,
    /// Take over what other hands did on the account.
    Adopt(AdoptWords),
    /// Stop every new order but exits.
    Halt {
        /// Why, for the record.
        reason: String,
    },
    /// The same by a signed call, which needs no person's token.
    HaltSigned(SignedHalt),
    /// Allow trading again.
    Resume {
        /// Why, for the record.
        reason: String,
    },
    /// Who may do what: proposals, limits, scoped kill switches.
    Govern(GovernRequest),
    /// A request of a named person, or under an idempotency key.
    Signed(Signed),
    /// End the node in order.
    Stop,
}

/// The answer to a person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum OperatorReply {
    /// Done, with what there is to show.
    Done {
        /// What there is to show.
        data: serde_json::Value,
    },
    /// Not done.
    Failed {
        /// Stable code.
        code: String,
        /// In words, with the offending value.
        message: String,
        /// What to do.
        hint: String,
    },
}

/// An order that went out, and the bracket that its plan put around it.
#[derive(Serialize)]
struct Placed {
    #[serde(flatten)]
    order: OrderView,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// The quantity that was asked for, where the gate made the order smaller.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
}

pub(crate) fn done(data: &impl Serialize) -> OperatorReply {
    OperatorReply::Done { data: serde_json::to_value(data).unwrap_or(serde_json::Value::Null) }
}

pub(crate) fn failed(code: &str, message: impl Into<String>, hint: &str) -> OperatorReply {
    OperatorReply::Failed { code: code.to_owned(), message: message.into(), hint: hint.to_owned() }
}

/// Whether it is a wish for orders, which may follow a decision.
fn proposes(kind: &EventKind) -> bool {
    match kind {
        EventKind::Proposed(_) | EventKind::ProposedPair { .. } => true,
        EventKind::Parent(said) => matches!(**said, ParentEvent::Wished { .. }),
        _ => false,
    }
}

/// The gate's no, as a person reads it.
pub(crate) fn refused(refusal: &Refusal) -> OperatorReply {
    failed(refusal.code(), format!("{}: {}", refusal.name(), refusal.sentence()), refusal.clear())
}

impl Core {
    /// Carries out a person's request.
    pub(crate) fn operate(&mut self, request: OperatorRequest) -> Result<OperatorReply, NodeError> {
        let reads =
            matches!(request, OperatorRequest::Status | OperatorRequest::OrderList | OperatorRequest::PositionList);
        if !self.trading && !reads && !request.stops() {
            let stopped = NodeError::Stopped;
            return Ok(failed(stopped.code(), "the node is stopping", stopped.hint()));
        }
        if let OperatorRequest::Signed(signed) = &request {
            return self.operate_signed(signed);
        }
        if let Err(reply) = self.check_speaker(&request) {
            return Ok(reply);
        }
        Ok(match request {
            OperatorRequest::Govern(request) => self.govern(request)?,
            OperatorRequest::Signed(_) => failed("NODE-13", "a request within a signed request", "sign it once"),
            OperatorRequest::Status => done(&status(self)),
            OperatorRequest::OrderList => done(&self.order_views()),
            OperatorRequest::PositionList => done(&positions(&self.host.state, &self.host.fees)),
            OperatorRequest::OrderPlace(words) => self.place(&words)?,
            OperatorRequest::OrderOco(words) => self.place_pair(&words)?,
            OperatorRequest::OrderParent(words) => self.place_parent(&words)?,
            OperatorRequest::OrderReplace(words) => self.replace(&words)?,
            OperatorRequest::ParentList => done(&self.parent_views()),
            OperatorRequest::ParentAsk { parent, ask, reason } => self.ask_parent(parent, ask, &reason)?,
            OperatorRequest::OrderCancel { client_id } => self.cancel(client_id)?,
            OperatorRequest::PositionClose { symbol } => self.close(&symbol)?,
            OperatorRequest::PositionExempt { symbol, portfolio, reason, end } => {
                self.exempt(&symbol, portfolio.as_deref(), reason, end)?
            }
            OperatorRequest::Flatten => self.flatten()?,
            OperatorRequest::Adopt(words) => self.adopt(&words)?,
            OperatorRequest::Halt { reason } => {
                self.since.throws =
                    Some(self.named_speaker().map_or_else(|| "no name".to_owned(), |it| it.to_string()));
                self.say(PortfolioId(0), EventKind::Halted(Halt { reason }))?;
                done(&status(self))
            }
            OperatorRequest::HaltSigned(call) => self.halt_called(call)?,
            OperatorRequest::Resume { reason } => self.resume(reason)?,
            OperatorRequest::Stop => {
                // whoever handed it in ends the node once this is said
                self.stopped_by = self.named_speaker();
                done(&serde_json::json!({ "stopping": true, "by": self.stopped_by }))
            }
        })
    }

    /// Halts by a call that the door has let through, and remembers it: it counts once. The halt comes first.
    fn halt_called(&mut self, call: SignedHalt) -> Result<OperatorReply, NodeError> {
        let SignedHalt { reason, issued_at, nonce, .. } = call;
        let reason = format!("{reason} (signed call {nonce})");
        self.since.throws = Some("a signed call".to_owned());
        self.say(PortfolioId(0), EventKind::Halted(Halt { reason }))?;
        self.act(Act::HaltCalled { issued_at, nonce })?;
        Ok(done(&status(self)))
    }

    /// Lets trading go on. What a kill switch or a breaker over losses holds takes two of the persons on record, where
    /// there are two: the first one's word waits, and the second one's (the same again, or a yes to the first) ends it.
    fn resume(&mut self, reason: String) -> Result<OperatorReply, NodeError> {
        let (state, holds) = (&self.host.state, self.host.state.holds());
        if holds.is_empty() || !state.governance.two_persons() {
            self.say(PortfolioId(0), EventKind::Resumed { reason })?;
            self.note_resumed();
            return Ok(done(&status(self)));
        }
        let (now, changed, by) = (self.now(), Changed::Resume { holds }, self.speaker.clone());
        let waiting = state.governance.awaiting(&changed, now).map(|change| (change.id, change.by.clone()));
        let (word, known) = match waiting {
            Some((id, first)) if first == by.name => return Ok(self.changes_told(&[id])),
            Some((change, _)) => (Act::ChangeAnswered { change, by, yes: true }, Some(change)),
            None => (Act::ChangeSaid { changed, by, reason }, None),
        };
        if let Err(reply) = self.word(word)? {
            return Ok(reply);
        }
        self.note_resumed();
        let newest = self.host.state.governance.changes.keys().next_back().copied();
        Ok(self.changes_told(known.or(newest).as_slice()))
    }

    fn order_views(&self) -> Vec<OrderView> {
        let state = &self.host.state;
        state.open.values().chain(state.closed.iter().rev()).map(|record| self.view(record)).collect()
    }

    /// An order with the words that ended it and what it was charged.
    pub(crate) fn view(&self, record: &OrderRecord) -> OrderView {
        let (endings, fees) = (&self.host.endings, &self.host.fees);
        order_view(&self.host.state, record, endings.of(record.order.client_id()), fees)
    }

    pub(crate) fn say(&mut self, portfolio: PortfolioId, kind: EventKind) -> Result<(), NodeError> {
        let cause = if proposes(&kind) { self.decision } else { None };
        let draft = Draft::of_host(self.now(), wall(), portfolio, kind);
        let spoken = self.spoken();
        self.follow(Draft { source: Source::Operator, cause, correlation: cause, spoken, ..draft })
    }

    /// Who speaks, and under which key, as the record of a request tells it.
    pub(crate) fn spoken(&self) -> Option<Box<Spoken>> {
        let spoken = Spoken { by: self.named_speaker(), key: self.key.clone() };
        (spoken != Spoken::default()).then(|| Box::new(spoken))
    }

    fn place(&mut self, words: &OrderWords) -> Result<OperatorReply, NodeError> {
        let portfolio = match self.portfolio_named(words.portfolio.as_deref()) {
            Ok(portfolio) => portfolio,
            Err(reply) => return Ok(*reply),
        };
        let request = match self.host.state.find(&words.symbol) {
            Some(instrument) => {
                read_order(instrument, words).and_then(|order| Ok((order, read_trade_plan(instrument, words)?)))
            }
            None => Err(Box::new(self.no_such_symbol(&words.symbol))),
        };
        match request {
            Ok((request, plan)) => self.propose_planned(portfolio, request, plan, "an operator's order"),
            Err(reply) => Ok(*reply),
        }
    }

    pub(crate) fn no_such_symbol(&self, symbol: &str) -> OperatorReply {
        let known: Vec<String> =
            self.host.state.listings.iter().map(|it| it.instrument.spec.symbol.to_string()).collect();
        failed("NODE-01", format!("`{symbol}` is not traded here"), &format!("one of {}", known.join(", ")))
    }

    pub(crate) fn portfolio_named(&self, name: Option<&str>) -> Result<PortfolioId, Box<OperatorReply>> {
        let Some(name) = name else { return Ok(operators(&self.host.state)) };
        let names: Vec<&str> = self.host.state.portfolios.iter().map(|portfolio| portfolio.name.as_str()).collect();
        let place = names.iter().position(|known| *known == name).and_then(|place| u16::try_from(place).ok());
        place.map(PortfolioId).ok_or_else(|| {
            let hint = format!("one of {}", names.join(", "));
            Box::new(failed("NODE-09", format!("there is no portfolio `{name}`"), &hint))
        })
    }

    pub(crate) fn propose(
        &mut self,
        portfolio: PortfolioId,
        request: OrderRequest,
        reason: &'static str,
    ) -> Result<OperatorReply, NodeError> {
        self.propose_planned(portfolio, request, None, reason)
    }

    fn propose_planned(
        &mut self,
        portfolio: PortfolioId,
        request: OrderRequest,
        plan: Option<Box<TradePlan>>,
        reason: &'static str,
    ) -> Result<OperatorReply, NodeError> {
        let proposal = Proposal { plan, source: Source::Operator, portfolio, request, reason: reason.into() };
        let parent = self.host.state.parents.next_id();
        let id = self.host.state.sequence + 1;
        let kind = EventKind::Proposed(proposal);
        let verdict = self.verdict_on(portfolio, kind)?;
        if let (None, Some(held)) = (&verdict, self.held_reply(id)) {
            return Ok(held); // it waits for people
        }
        let guard = self.host.state.parents.get(parent).map(|opened| opened.id);
        if guard.is_some() && !matches!(verdict, Some(Verdict::Approved(_))) {
            return Ok(self.parent_opened(parent, verdict)); // the venue does not keep such orders: the engine waits
        }
        let judged = matches!(verdict, Some(Verdict::Approved(_) | Verdict::Refused(_)));
        if let (false, Some(leaving)) = (judged, self.leaving(portfolio, &request)) {
            return Ok(leaving); // what guards the position closes it
        }
        Ok(match verdict {
            Some(Verdict::Refused(refusal)) => refused(&refusal),
            Some(Verdict::Approved(order)) => match self.host.state.order(order.client_id()) {
                Some(record) if record.state == (OrderState::Closed { outcome: Outcome::NotSent }) => {
                    let message = format!("order {} was approved and not sent", order.client_id());
                    failed("NODE-14", message, "see its last events: `tradewind journal show`")
                }
                Some(record) => {
                    let it = &self.host.state.listing(request.instrument).instrument;
                    let asked = (order.quantity() < request.quantity).then(|| it.quantity_text(request.quantity));
                    done(&Placed { order: self.view(record), parent: guard.map(|it| it.to_string()), asked })
                }
                None => failed("NODE-06", "the order was approved and is not known", "look at the journal"),
            },
            _ => failed("NODE-06", "the gate gave no verdict", "look at the journal"),
        })
    }

    /// Says something and returns the gate's word on it.
    pub(crate) fn verdict_on(&mut self, portfolio: PortfolioId, kind: EventKind) -> Result<Option<Verdict>, NodeError> {
        self.host.last_verdict = None;
        self.say(portfolio, kind)?;
        Ok(self.host.last_verdict.take())
    }

    fn cancel(&mut self, client_id: ClientOrderId) -> Result<OperatorReply, NodeError> {
        let verdict = self.verdict_on(PortfolioId(0), EventKind::CancelProposed { client_id })?;
        let list = "see `tradewind order list`";
        Ok(match (verdict, self.host.state.order(client_id)) {
            (Some(Verdict::CancelRefused { reason, .. }), _) => {
                failed("NODE-10", format!("order {client_id} cannot be cancelled: {reason}"), list)
            }
            (_, Some(record)) => done(&self.view(record)),
            (_, None) => failed("NODE-10", format!("there is no order {client_id}"), list),
        })
    }

    /// Lets a position stand without a stop, or takes that back.
    fn exempt(
        &mut self,
        symbol: &str,
        portfolio: Option<&str>,
        reason: String,
        end: bool,
    ) -> Result<OperatorReply, NodeError> {
        let portfolio = match self.portfolio_named(portfolio) {
            Ok(portfolio) => portfolio,
            Err(reply) => return Ok(*reply),
        };
        let Some(instrument) = self.host.state.find(symbol).map(|it| it.id) else {
            return Ok(self.no_such_symbol(symbol));
        };
        if !self.host.state.guarded().iter().any(|it| (it.portfolio, it.instrument) == (portfolio, instrument)) {
            return Ok(failed("NODE-11", format!("nothing is held of {symbol}"), "see `tradewind position list`"));
        }
        let by = self.speaker.name.as_str().to_owned();
        let act = match end {
            false => RiskAct::Exempted { instrument, by, reason },
            true => RiskAct::ExemptionEnded { instrument, by, reason },
        };
        self.say(portfolio, EventKind::Risk(Box::new(act)))?;
        Ok(done(&positions(&self.host.state, &self.host.fees)))
    }
}
