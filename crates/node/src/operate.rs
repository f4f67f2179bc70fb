//! What a person can do to a running node. Everything that trades goes through the gate like any proposal.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::status::{OrderView, order_view, positions, status};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    ClientOrderId, Instrument, OcoGroup, OrderKind, OrderRequest, PortfolioId, Quantity, Side, Source, TimeInForce,
    Timestamp,
};
use tradewind_engine::{EventKind, Halt, Verdict};
use tradewind_gate::Proposal;

/// A person's request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "request", deny_unknown_fields)]
pub enum OperatorRequest {
    /// How are things?
    Status,
    /// Propose an order. Prices and sizes are decimal text.
    OrderPlace(OrderWords),
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
    /// Cancel every order and propose to close every position. Works while halted.
    Flatten,
    /// Stop every new order but exits.
    Halt {
        /// Why, for the record.
        reason: String,
    },
    /// Allow trading again.
    Resume {
        /// Why, for the record.
        reason: String,
    },
    /// End the node in order.
    Stop,
}

/// An order in a person's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderWords {
    /// Unified symbol.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Decimal text.
    pub quantity: String,
    /// Limit price; a market order without.
    #[serde(default)]
    pub price: Option<String>,
    /// Trigger price of a stop.
    #[serde(default)]
    pub trigger: Option<String>,
    /// `gtc`, `ioc`, `fok` or RFC 3339 text for good till a date.
    #[serde(default)]
    pub time_in_force: Option<String>,
    /// Rest or be rejected.
    #[serde(default)]
    pub post_only: bool,
    /// May only shrink a position.
    #[serde(default)]
    pub reduce_only: bool,
    /// Group of which one cancels the others.
    #[serde(default)]
    pub oco: Option<u64>,
    /// Which portfolio, by name; the first one without.
    #[serde(default)]
    pub portfolio: Option<String>,
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

fn done(data: &impl Serialize) -> OperatorReply {
    OperatorReply::Done { data: serde_json::to_value(data).unwrap_or(serde_json::Value::Null) }
}

fn failed(code: &str, message: impl Into<String>, hint: &str) -> OperatorReply {
    OperatorReply::Failed { code: code.to_owned(), message: message.into(), hint: hint.to_owned() }
}

impl Core {
    /// Carries out a person's request.
    pub(crate) fn operate(&mut self, request: OperatorRequest) -> Result<OperatorReply, NodeError> {
        Ok(match request {
            OperatorRequest::Status => done(&status(self)),
            OperatorRequest::OrderList => done(&self.order_views()),
            OperatorRequest::PositionList => done(&positions(&self.state)),
            OperatorRequest::OrderPlace(words) => self.place(&words)?,
            OperatorRequest::OrderCancel { client_id } => self.cancel(client_id)?,
            OperatorRequest::PositionClose { symbol } => self.close(&symbol)?,
            OperatorRequest::Flatten => self.flatten()?,
            OperatorRequest::Halt { reason } => {
                self.say(PortfolioId(0), EventKind::Halted(Halt { reason }))?;
                done(&status(self))
            }
            OperatorRequest::Resume { reason } => {
                self.say(PortfolioId(0), EventKind::Resumed { reason })?;
                done(&status(self))
            }
            OperatorRequest::Stop => failed("NODE-08", "stop is not the engine's to do", "use the control socket"),
        })
    }

    fn order_views(&self) -> Vec<OrderView> {
        let state = &self.state;
        state.open.values().chain(state.closed.iter().rev()).map(|record| order_view(state, record)).collect()
    }

    fn say(&mut self, portfolio: PortfolioId, kind: EventKind) -> Result<(), NodeError> {
        let now = self.clock.now().max(self.state.now);
        self.record(now, wall(), Source::Operator, portfolio, kind)
    }

    fn place(&mut self, words: &OrderWords) -> Result<OperatorReply, NodeError> {
        let portfolio = match self.portfolio_named(words.portfolio.as_deref()) {
            Ok(portfolio) => portfolio,
            Err(reply) => return Ok(*reply),
        };
        let request = match self.state.find(&words.symbol) {
            Some(instrument) => read_order(instrument, words),
            None => Err(Box::new(self.no_such_symbol(&words.symbol))),
        };
        match request {
            Ok(request) => self.propose(portfolio, request, "an operator's order"),
            Err(reply) => Ok(*reply),
        }
    }

    fn no_such_symbol(&self, symbol: &str) -> OperatorReply {
        let known: Vec<String> = self.state.listings.iter().map(|it| it.instrument.spec.symbol.to_string()).collect();
        failed("NODE-01", format!("`{symbol}` is not traded here"), &format!("one of {}", known.join(", ")))
    }

    fn portfolio_named(&self, name: Option<&str>) -> Result<PortfolioId, Box<OperatorReply>> {
        let Some(name) = name else { return Ok(PortfolioId(0)) };
        let names: Vec<&str> = self.state.portfolios.iter().map(|portfolio| portfolio.name.as_str()).collect();
        let place = names.iter().position(|known| *known == name).and_then(|place| u16::try_from(place).ok());
        place.map(PortfolioId).ok_or_else(|| {
            let hint = format!("one of {}", names.join(", "));
            Box::new(failed("NODE-09", format!("there is no portfolio `{name}`"), &hint))
        })
    }

    fn propose(
        &mut self,
        portfolio: PortfolioId,
        request: OrderRequest,
        reason: &'static str,
    ) -> Result<OperatorReply, NodeError> {
        let proposal = Proposal { source: Source::Operator, portfolio, request, reason: reason.into() };
        let before = self.state.intents;
        let refused = self.verdict_of(portfolio, EventKind::Proposed(proposal))?;
        let newest = self.state.open.values().chain(self.state.closed.iter()).max_by_key(|record| record.times.created);
        Ok(match (refused, newest) {
            (Some(Verdict::Refused(refusal)), _) => {
                let info = refusal.info();
                failed(
                    info.code,
                    format!("{:?}: {} against {}", refusal.guard, refusal.value, refusal.limit),
                    info.clear,
                )
            }
            (_, Some(record)) if self.state.intents > before => done(&order_view(&self.state, record)),
            _ => failed("NODE-06", "the gate gave no verdict", "look at the journal"),
        })
    }

    /// Says something and returns the refusal that it led to, if it did.
    fn verdict_of(&mut self, portfolio: PortfolioId, kind: EventKind) -> Result<Option<Verdict>, NodeError> {
        self.last_refusal = None;
        self.say(portfolio, kind)?;
        Ok(self.last_refusal.take())
    }

    fn cancel(&mut self, client_id: ClientOrderId) -> Result<OperatorReply, NodeError> {
        match self.verdict_of(PortfolioId(0), EventKind::CancelProposed { client_id })? {
            Some(Verdict::CancelRefused { reason, .. }) => Ok(failed(
                "NODE-10",
                format!("order {client_id} cannot be cancelled: {reason}"),
                "see `tradewind order list`",
            )),
            _ => Ok(match self.state.order(client_id) {
                Some(record) => done(&order_view(&self.state, record)),
                None => failed("NODE-10", format!("there is no order {client_id}"), "see `tradewind order list`"),
            }),
        }
    }

    fn close(&mut self, symbol: &str) -> Result<OperatorReply, NodeError> {
        let Some(instrument) = self.state.find(symbol).cloned() else { return Ok(self.no_such_symbol(symbol)) };
        let mut replies = Vec::new();
        for place in 0..self.state.portfolios.len() {
            let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
            if let Some(request) = self.exit(portfolio, &instrument) {
                replies.push(self.propose(portfolio, request, "an operator closes the position")?);
            }
        }
        Ok(match replies.iter().find(|reply| matches!(reply, OperatorReply::Failed { .. })) {
            Some(failure) => failure.clone(),
            None if replies.is_empty() => {
                failed("NODE-11", format!("nothing is held of {symbol}"), "see `tradewind position list`")
            }
            None => done(&replies),
        })
    }

    fn flatten(&mut self) -> Result<OperatorReply, NodeError> {
        let open: Vec<ClientOrderId> = self.state.open.keys().copied().collect();
        for client_id in &open {
            self.say(PortfolioId(0), EventKind::CancelProposed { client_id: *client_id })?;
        }
        let instruments: Vec<Instrument> = self.state.listings.iter().map(|it| it.instrument.clone()).collect();
        let mut exits = Vec::new();
        for place in 0..self.state.portfolios.len() {
            let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
            for instrument in &instruments {
                if let Some(request) = self.exit(portfolio, instrument) {
                    exits.push(self.propose(portfolio, request, "an operator flattens")?);
                }
            }
        }
        Ok(done(&serde_json::json!({ "cancels": open.len(), "exits": exits })))
    }

    /// The reduce-only market order that closes what is held, in whole lots; `None` for nothing or dust.
    fn exit(&self, portfolio: PortfolioId, instrument: &Instrument) -> Option<OrderRequest> {
        let held = self.state.portfolio(portfolio).position(instrument.id).quantity();
        let (buys, sells, _) = self.state.open_quantities(portfolio, instrument.id);
        let leaving = if held > Quantity::ZERO { sells } else { -buys };
        let lots = instrument.whole_lots(held - leaving);
        let same_side = lots.mantissa().signum() == held.mantissa().signum();
        if !same_side || lots.abs() < instrument.spec.min_quantity || lots.is_zero() {
            return None;
        }
        let side = if held > Quantity::ZERO { Side::Sell } else { Side::Buy };
        Some(OrderRequest { reduce_only: true, ..OrderRequest::market(instrument.id, side, lots.abs()) })
    }
}

fn read_order(instrument: &Instrument, words: &OrderWords) -> Result<OrderRequest, Box<OperatorReply>> {
    let coded = |error: &dyn tradewind_domain::Coded| Box::new(failed(error.code(), error.to_string(), error.hint()));
    let price = |text: &Option<String>| match text {
        Some(text) => instrument.price(text).map(Some).map_err(|error| coded(&error)),
        None => Ok(None),
    };
    let kind = match (price(&words.trigger)?, price(&words.price)?) {
        (None, None) => OrderKind::Market,
        (None, Some(price)) => OrderKind::Limit { price },
        (Some(trigger), None) => OrderKind::Stop { trigger },
        (Some(trigger), Some(price)) => OrderKind::StopLimit { trigger, price },
    };
    Ok(OrderRequest {
        instrument: instrument.id,
        side: words.side,
        quantity: instrument.quantity(&words.quantity).map_err(|error| coded(&error))?,
        kind,
        time_in_force: time_in_force(words.time_in_force.as_deref())?,
        post_only: words.post_only,
        reduce_only: words.reduce_only,
        oco: words.oco.map(OcoGroup),
    })
}

fn time_in_force(text: Option<&str>) -> Result<TimeInForce, Box<OperatorReply>> {
    match text {
        None | Some("gtc") => Ok(TimeInForce::Gtc),
        Some("ioc") => Ok(TimeInForce::Ioc),
        Some("fok") => Ok(TimeInForce::Fok),
        Some(date) => {
            let moment: Result<jiff::Timestamp, _> = date.parse();
            let nanos = moment.ok().and_then(|moment| i64::try_from(moment.as_nanosecond()).ok());
            nanos.map(|nanos| TimeInForce::Gtd(Timestamp::from_nanos(nanos))).ok_or_else(|| {
                let hint = "gtc, ioc, fok or a moment such as 2026-12-31T23:59:00Z";
                Box::new(failed("NODE-12", format!("`{date}` is not a time in force"), hint))
            })
        }
    }
}
