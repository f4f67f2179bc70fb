//! A target and a stop in a person's words: two orders of which one cancels the other.

use crate::core::Core;
use crate::error::NodeError;
use crate::operate::{OperatorReply, done, failed, refused};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    Coded, Instrument, OcoGroup, OrderKind, OrderRecord, OrderRequest, OrderState, Outcome, PortfolioId, Price, Side,
    Source,
};
use tradewind_engine::{EventKind, Verdict};
use tradewind_gate::Proposal;

/// A target and a stop of one size, in a person's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcoWords {
    /// Unified symbol.
    pub symbol: String,
    /// Buy or sell, both of them.
    pub side: Side,
    /// Decimal text, of each: only one of them trades.
    pub quantity: String,
    /// Limit price at which to be content: above the market to sell, below it to buy.
    pub target: String,
    /// Trigger price at which to give in: below the market to sell, above it to buy.
    pub stop: String,
    /// Limit price of the stop once it is triggered; a market order without.
    #[serde(default)]
    pub stop_limit: Option<String>,
    /// May only shrink a position.
    #[serde(default)]
    pub reduce_only: bool,
    /// Which portfolio, by name; people's own without.
    #[serde(default)]
    pub portfolio: Option<String>,
}

/// Reads the words for `instrument`, the target first; what cannot be read is the answer.
fn read_pair(instrument: &Instrument, words: &OcoWords) -> Result<[OrderRequest; 2], Box<OperatorReply>> {
    let coded = |error: &dyn Coded| Box::new(failed(error.code(), error.to_string(), error.hint()));
    let price =
        |text: &str| -> Result<Price, Box<OperatorReply>> { instrument.price(text).map_err(|error| coded(&error)) };
    let quantity = instrument.quantity(&words.quantity).map_err(|error| coded(&error))?;
    let (target, trigger) = (price(&words.target)?, price(&words.stop)?);
    let stop = match words.stop_limit.as_deref().map(price).transpose()? {
        Some(price) => OrderKind::StopLimit { trigger, price },
        None => OrderKind::Stop { trigger },
    };
    let alike = OrderRequest {
        reduce_only: words.reduce_only,
        ..OrderRequest::limit(instrument.id, words.side, quantity, target)
    };
    Ok([OrderRequest { post_only: true, ..alike }, OrderRequest { kind: stop, ..alike }])
}

impl Core {
    pub(crate) fn place_pair(&mut self, words: &OcoWords) -> Result<OperatorReply, NodeError> {
        let portfolio = match self.portfolio_named(words.portfolio.as_deref()) {
            Ok(portfolio) => portfolio,
            Err(reply) => return Ok(*reply),
        };
        let pair = match self.host.state.find(&words.symbol) {
            Some(instrument) => read_pair(instrument, words),
            None => Err(Box::new(self.no_such_symbol(&words.symbol))),
        };
        match pair {
            Ok(pair) => self.propose_pair(portfolio, pair),
            Err(reply) => Ok(*reply),
        }
    }

    fn propose_pair(&mut self, portfolio: PortfolioId, pair: [OrderRequest; 2]) -> Result<OperatorReply, NodeError> {
        let [target, stop] = pair;
        let proposal = |request, reason: &'static str| Proposal {
            plan: None,
            source: Source::Operator,
            portfolio,
            request,
            reason: reason.into(),
        };
        let pair = Box::new([proposal(target, "an operator's target"), proposal(stop, "an operator's stop")]);
        let id = self.host.state.sequence + 1;
        let kind = EventKind::ProposedPair { pair };
        let verdict = self.verdict_on(portfolio, kind)?;
        if let (None, Some(held)) = (&verdict, self.held_reply(id)) {
            return Ok(held); // it waits for people
        }
        Ok(match verdict {
            Some(Verdict::Refused(refusal)) => refused(&refusal),
            Some(Verdict::Approved(order)) => self.pair_placed(portfolio, order.request().oco),
            _ => failed("NODE-06", "the gate gave no verdict", "look at the journal"),
        })
    }

    /// Both orders of the group that the engine has just given to a pair, the target first.
    pub(crate) fn pair_placed(&self, portfolio: PortfolioId, group: Option<OcoGroup>) -> OperatorReply {
        let state = &self.host.state;
        let of_pair = |it: &&OrderRecord| it.order.portfolio() == portfolio && it.order.request().oco == group;
        let mut pair: Vec<&OrderRecord> = state.open.values().chain(&state.closed).filter(of_pair).collect();
        pair.sort_by_key(|it| it.order.kind().trigger().is_some());
        if pair.iter().any(|it| it.state == (OrderState::Closed { outcome: Outcome::NotSent })) {
            let message = "the pair was approved and not sent";
            return failed("NODE-14", message, "see its last events: `tradewind journal tail`");
        }
        done(&pair.into_iter().map(|record| self.view(record)).collect::<Vec<_>>())
    }
}
