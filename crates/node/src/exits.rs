//! The ways out: closing one position, and flattening everything.
//!
//! A venue sells nothing twice, so whatever rests keeps a part of the position. Where something does, its cancel goes
//! first, the wish to hold nothing is recorded, and the exit is proposed once nothing is open any more: exposure never
//! doubles, and the next run goes on with what this one did not finish.

use crate::core::Core;
use crate::error::NodeError;
use crate::operate::{OperatorReply, done, failed};
use tradewind_domain::{
    ClientOrderId, Instrument, InstrumentId, OrderKind, OrderRecord, OrderRequest, OrderState, Outcome, PortfolioId,
    Quantity, Side,
};
use tradewind_engine::algo::{Ask, Parent, ParentId, ask_again_after};
use tradewind_engine::{EventKind, ExitDue, RiskAct, Tried, ask_again_at_worst_after};

/// Why exits are proposed that a person asked for with [`crate::OperatorRequest::Flatten`].
const FLATTENS: &str = "an operator flattens";
/// Why they are with [`crate::OperatorRequest::PositionClose`].
const CLOSES: &str = "an operator closes the position";
/// Why they are later, until nothing is held.
const WISHED: &str = "an operator wished to hold nothing";
/// What becomes of the part of a position that orders of another hand may still take.
const KEPT: &str = "once no order of another hand keeps it: adopt it, or take it back at the venue";

impl Core {
    /// Closes all that is held of `symbol`. Brackets that came with a plan make way for the exit; any other order or plan
    /// that keeps a part of the position goes first, and the exit follows once the venue has confirmed that.
    pub(crate) fn close(&mut self, symbol: &str) -> Result<OperatorReply, NodeError> {
        let Some(instrument) = self.host.state.find(symbol).cloned() else { return Ok(self.no_such_symbol(symbol)) };
        let mut replies = Vec::new();
        for place in 0..self.host.state.portfolios.len() {
            let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
            if self.is_flat(portfolio, &instrument) {
                continue;
            }
            if self.is_kept(portfolio, instrument.id) {
                replies.push(self.clear_and_leave(portfolio, &instrument)?);
            } else if let Some(request) = self.exit(portfolio, &instrument) {
                replies.extend(self.leave_at_once(portfolio, &instrument, request)?);
            } else if self.is_kept_by_others(portfolio, &instrument) {
                self.wish_exit(portfolio, instrument.id, CLOSES)?;
                replies.push(done(&self.exit_note(portfolio, &instrument, KEPT)));
            } else {
                replies.push(done(&self.exit_note(portfolio, &instrument, "already: an order for it is on its way")));
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

    /// Proposes the exit, and notes that what it leaves is due as well: what its worst price or another hand's order keeps.
    fn leave_at_once(
        &mut self,
        portfolio: PortfolioId,
        it: &Instrument,
        request: OrderRequest,
    ) -> Result<Vec<OperatorReply>, NodeError> {
        self.wish_exit(portfolio, it.id, CLOSES)?;
        let mut replies = vec![self.leave(portfolio, request, CLOSES)?];
        if let OperatorReply::Failed { code, .. } = &replies[0] {
            let ended = RiskAct::ExitEnded { instrument: it.id, reason: format!("it was refused: {code}") };
            self.say(portfolio, EventKind::Risk(Box::new(ended)))?;
        } else if self.is_kept_by_others(portfolio, it) {
            replies.push(done(&self.exit_note(portfolio, it, KEPT)));
        }
        Ok(replies)
    }

    /// Records that nothing is to be held, until nothing is.
    fn wish_exit(&mut self, portfolio: PortfolioId, instrument: InstrumentId, reason: &str) -> Result<(), NodeError> {
        let (by, reason) = (self.speaker.name.as_str().to_owned(), reason.to_owned());
        self.say(portfolio, EventKind::Risk(Box::new(RiskAct::ExitWished { instrument, by, reason })))
    }

    /// Whether orders or executions of another hand may still take a part of what is held: nobody sells it twice.
    fn is_kept_by_others(&self, portfolio: PortfolioId, it: &Instrument) -> bool {
        let others = self.host.state.foreign_exposure(it.id);
        let held = self.host.state.portfolio(portfolio).to_close(it);
        let takes = if held > Quantity::ZERO { others.sells } else { others.buys };
        !takes.is_zero() && !self.is_flat(portfolio, it)
    }

    /// Whether nothing is held, or too little to order.
    fn is_flat(&self, portfolio: PortfolioId, it: &Instrument) -> bool {
        let lots = it.whole_lots(self.host.state.portfolio(portfolio).to_close(it));
        it.is_dust(lots, self.host.state.listing(it.id).mark.map(|mark| mark.price))
    }

    /// Whether an order that rests, or a plan that goes on, would be left over when the position is closed at once. An
    /// exit on its way is none, and neither is a bracket that makes way for one.
    fn is_kept(&self, portfolio: PortfolioId, instrument: InstrumentId) -> bool {
        let state = &self.host.state;
        let mine =
            |parent: &&Parent| (parent.wish.portfolio, parent.wish.request.instrument) == (portfolio, instrument);
        let makes_way = |record: &OrderRecord| {
            state.parents.live().filter(mine).any(|parent| parent.is_guard(record.order.client_id()))
        };
        state.parents.live().filter(mine).any(|parent| parent.wish.entry.is_none())
            || state.open.values().any(|it| is_of(it, portfolio, instrument) && !is_way_out(it) && !makes_way(it))
    }

    /// Takes back all that stands in the way, and notes that the exit is due then, as [`Self::flatten`] does.
    fn clear_and_leave(&mut self, portfolio: PortfolioId, it: &Instrument) -> Result<OperatorReply, NodeError> {
        let state = &self.host.state;
        let mine = |parent: &&Parent| (parent.wish.portfolio, parent.wish.request.instrument) == (portfolio, it.id);
        let parents: Vec<u64> = state.parents.live().filter(mine).map(|parent| parent.id.0).collect();
        let rests = state.open.values().filter(|record| is_of(record, portfolio, it.id) && !is_way_out(record));
        let rests: Vec<ClientOrderId> = rests.map(|record| record.order.client_id()).collect();
        for parent in &parents {
            self.ask_parent(*parent, Ask::Abandon, CLOSES)?;
        }
        for client_id in &rests {
            let state = &self.host.state;
            // what an abandoned plan placed, it has asked for already
            if state.open.contains_key(client_id) && !state.cancels.contains_key(client_id) {
                self.say(portfolio, EventKind::CancelProposed { client_id: *client_id })?;
            }
        }
        self.wish_exit(portfolio, it.id, CLOSES)?;
        let mut said = self.exit_note(portfolio, it, "once what keeps the position is off the book");
        said["cancels"] = rests.iter().map(ToString::to_string).collect();
        said["parents"] = parents.iter().map(|id| ParentId(*id).to_string()).collect();
        Ok(done(&said))
    }

    /// What is left of a position, and when its exit goes out.
    fn exit_note(&self, portfolio: PortfolioId, it: &Instrument, exit: &str) -> serde_json::Value {
        let books = self.host.state.portfolio(portfolio);
        let (portfolio, left) = (&books.name, it.quantity_text(books.position(it.id).quantity()));
        serde_json::json!({ "portfolio": portfolio, "symbol": it.spec.symbol.to_string(), "left": left, "exit": exit })
    }

    /// Cancels every order and closes every position. What a resting order may still take of a position is closed once
    /// the venue has confirmed that the order is gone, and what an order of another hand may once nobody else can.
    pub(crate) fn flatten(&mut self) -> Result<OperatorReply, NodeError> {
        self.abandon_parents(FLATTENS)?;
        let open: Vec<ClientOrderId> = self.host.state.open.keys().copied().collect();
        for client_id in &open {
            self.say(PortfolioId(0), EventKind::CancelProposed { client_id: *client_id })?;
        }
        let (mut exits, mut waiting, mut kept) = (Vec::new(), 0, Vec::new());
        for place in 0..self.host.state.portfolios.len() {
            let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
            for index in 0..self.host.state.listings.len() {
                let instrument = self.host.state.listings[index].instrument.clone();
                let (rests, exit) = (self.rests(portfolio, instrument.id), self.exit(portfolio, &instrument));
                let is_kept = self.is_kept_by_others(portfolio, &instrument);
                if rests || is_kept || exit.is_some() {
                    self.wish_exit(portfolio, instrument.id, FLATTENS)?;
                }
                match exit.filter(|_| !rests) {
                    Some(request) => exits.push(self.leave(portfolio, request, FLATTENS)?),
                    None => waiting += usize::from(rests),
                }
                if is_kept {
                    kept.push(self.exit_note(portfolio, &instrument, KEPT));
                }
            }
        }
        let said = serde_json::json!({
            "cancels": open.len(), "exits": exits, "exits_after_cancels": waiting, "kept_by_others": kept,
            "halted": self.host.state.halted.is_some(),
        });
        Ok(done(&said))
    }

    fn rests(&self, portfolio: PortfolioId, instrument: InstrumentId) -> bool {
        self.host.state.open.values().any(|record| is_of(record, portfolio, instrument))
    }

    /// Proposes the exits that somebody wished for, where no order is open any more, until nothing is held: one that
    /// was refused, rejected or not sent is tried again, ever more rarely.
    pub(crate) fn exit_if_due(&mut self) -> Result<(), NodeError> {
        if self.host.state.exits_due.is_empty() {
            self.exits_tried.clear();
            return Ok(());
        }
        let due = self.host.state.exits_due.clone();
        self.exits_tried.retain(|place, _| due.iter().any(|it| (it.portfolio, it.instrument) == *place));
        for ExitDue { portfolio, instrument: id, by } in due {
            if self.rests(portfolio, id) {
                continue;
            }
            let known = self.host.state.governance.operators.iter().find(|it| it.name.as_str() == by).cloned();
            self.speaker = known.unwrap_or_else(|| self.unnamed());
            let instrument = self.host.state.listing(id).instrument.clone();
            let Some(request) = self.exit(portfolio, &instrument) else {
                if self.is_kept_by_others(portfolio, &instrument) || self.host.state.is_leaving(portfolio, id) {
                    continue;
                }
                let ended = RiskAct::ExitEnded { instrument: id, reason: "nothing is left to close".to_owned() };
                self.say(portfolio, EventKind::Risk(Box::new(ended)))?;
                continue;
            };
            let tried = self.exits_tried.get(&(portfolio, id));
            let again_after = |tried: &Tried| match self.ended_at_worst(portfolio, id) {
                true => ask_again_at_worst_after(&self.host.state.portfolio(portfolio).limits),
                false => ask_again_after(tried.times),
            };
            if tried.is_some_and(|tried| self.now().since(tried.at) < again_after(tried)) {
                continue;
            }
            let is_first_trouble = tried.is_none_or(|tried| tried.times == 1);
            if let OperatorReply::Failed { code, message, .. } = self.leave(portfolio, request, WISHED)?
                && is_first_trouble
            {
                let symbol = &instrument.spec.symbol;
                self.note(format!("alarm: the exit of {symbol} is tried again, {code}: {message}"));
            }
        }
        self.speaker = self.unnamed();
        Ok(())
    }

    /// Whether the last order that only reduced there found no more at its worst price: there is another one by now.
    fn ended_at_worst(&self, portfolio: PortfolioId, instrument: InstrumentId) -> bool {
        let reduced = |it: &&OrderRecord| is_of(it, portfolio, instrument) && it.order.request().reduce_only;
        let last = self.host.state.closed.iter().rev().find(reduced);
        let expired = OrderState::Closed { outcome: Outcome::Expired };
        last.is_some_and(|it| it.order.worst().is_some() && it.state == expired)
    }

    /// Proposes an exit that somebody wished for.
    fn leave(
        &mut self,
        portfolio: PortfolioId,
        request: OrderRequest,
        why: &'static str,
    ) -> Result<OperatorReply, NodeError> {
        let at = self.now();
        let tried = self.exits_tried.entry((portfolio, request.instrument)).or_insert(Tried { at, times: 0 });
        (tried.at, tried.times) = (at, tried.times.saturating_add(1));
        self.propose(portfolio, request, why)
    }

    /// The reduce-only market order that closes what is held and no open order of anybody takes, in whole lots; `None` for
    /// nothing or dust.
    fn exit(&self, portfolio: PortfolioId, instrument: &Instrument) -> Option<OrderRequest> {
        let held = self.host.state.portfolio(portfolio).to_close(instrument);
        let (buys, sells) = self.host.state.open_wishes(portfolio, instrument.id);
        let others = self.host.state.foreign_exposure(instrument.id);
        let leaving =
            if held > Quantity::ZERO { sells.saturating_add(others.sells) } else { -buys.saturating_add(others.buys) };
        let lots = instrument.whole_lots(held - leaving);
        let same_side = lots.mantissa().signum() == held.mantissa().signum();
        let mark = self.host.state.listing(instrument.id).mark.map(|mark| mark.price);
        if !same_side || instrument.is_dust(lots, mark) {
            return None;
        }
        let side = if held > Quantity::ZERO { Side::Sell } else { Side::Buy };
        Some(OrderRequest { reduce_only: true, ..OrderRequest::market(instrument.id, side, lots.abs()) })
    }
}

fn is_of(record: &OrderRecord, portfolio: PortfolioId, instrument: InstrumentId) -> bool {
    (record.order.portfolio(), record.order.instrument()) == (portfolio, instrument)
}

/// Whether it closes a position at once and cannot do more.
fn is_way_out(record: &OrderRecord) -> bool {
    record.order.request().reduce_only && *record.order.kind() == OrderKind::Market
}
