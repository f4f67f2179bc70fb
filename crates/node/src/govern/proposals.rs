//! A proposal as a page for the person who decides: all that its hash binds, and what it may come to at worst.

use super::no;
use crate::core::Core;
use crate::operate::{OperatorReply, done};
use crate::parents::{parent_plan, plan_words};
use serde_json::{Value, json};
use tradewind_domain::{
    Instrument, Money, OrderKind, OrderRequest, Price, Sequence, TimeInForce, Timestamp, TradePlan, TrailingOffset,
};
use tradewind_engine::algo::{Parent, Plan};
use tradewind_engine::{Listing, State};
use tradewind_governance::{Held, Refused, Rule};
use tradewind_risk::{Reach, Unit, worst_price};

impl Core {
    pub(super) fn shown(&self, id: Sequence) -> OperatorReply {
        match self.host.state.governance.proposals.get(&id) {
            Some(held) => done(&self.whole_view(held)),
            None => no(&Refused::new(Rule::NoProposal, id.to_string(), "a listed proposal")),
        }
    }

    /// The proposal as a page for a person who decides: made from what the hash binds alone; what its source says about
    /// it stands apart, as a quotation, since a text may mislead.
    pub(super) fn whole_view(&self, held: &Held) -> Value {
        let (state, wish) = (&self.host.state, &held.wish);
        let mut view = proposal_view(state, held);
        let became = |parent: &&Parent| parent.behind.as_ref().is_some_and(|it| it.proposal == Some(held.id));
        let parents = &state.parents;
        view["parent_id"] = json!(parents.live().chain(parents.over()).find(became).map(|it| it.id.to_string()));
        view["seconds_left"] = json!(held.state.is_open().then(|| seconds_left(held, self.now())));
        view["order"] = order_words(state, held, &wish.request);
        if let Some(other) = &wish.other {
            view["other_order"] = order_words(state, held, other);
        }
        if let Some(plan) = &wish.plan {
            view["plan"] = plan_words(state, wish.request.instrument, plan);
            view["plan_whole"] = serde_json::from_str(plan).unwrap_or_else(|_| json!(plan));
        }
        if let (Some(trade), Some(listing)) = (&wish.trade, state.listings.get(wish.request.instrument.index())) {
            view["trade"] = trade_words(&listing.instrument, trade);
        }
        view["worth_now"] = json!(worth_at_most(state, held).map(|money| money.to_string()));
        view
    }
}

fn proposal_view(state: &State, held: &Held) -> Value {
    let wish = &held.wish;
    let decision = wish.decision.and_then(|decision| state.governance.decisions.get(&decision));
    json!({
        "proposal": held.id,
        "state": held.state,
        "by": wish.by,
        "portfolio": state.portfolios.get(wish.portfolio.index()).map(|portfolio| &portfolio.name),
        "symbol": wish.symbol,
        "side": wish.request.side,
        "chain": wish.chain,
        "token": wish.token,
        "router": wish.router,
        "address": wish.address,
        "quorum": held.quorum,
        "approvals": held.approvals,
        "asked_at": held.asked_at.to_string(),
        "expires_at": held.expires_at().to_string(),
        "hash": held.hash,
        "order_id": held.order,
        "other_order_id": held.other_order,
        "note": held.note,
        "decision": wish.decision,
        "decision_id": decision.and_then(|it| it.id.as_ref()),
        "its_source_says": wish.reason,
    })
}

/// Seconds until it is dead, whole ones.
fn seconds_left(held: &Held, now: Timestamp) -> i64 {
    held.expires_at().since(now).max(0).div_euclid(1_000_000_000)
}

/// An order as it is proposed, whole, with what it is worth now and the worst price that a market order would have now.
fn order_words(state: &State, held: &Held, request: &OrderRequest) -> Value {
    let Some(listing) = state.listings.get(request.instrument.index()) else { return Value::Null };
    let it = &listing.instrument;
    let price = |price: Option<Price>| price.map(|price| it.price_text(price));
    let (offset, activation) = match request.kind {
        OrderKind::Trailing { offset: TrailingOffset::Price(by), activation } => (Some(it.price_text(by)), activation),
        OrderKind::Trailing { offset: TrailingOffset::Bps(bps), activation } => {
            (Some(Unit::Percent.text(bps.into())), activation)
        }
        _ => (None, None),
    };
    json!({
        "venue": held.wish.venue, "market": held.wish.market, "symbol": held.wish.symbol,
        "side": request.side, "quantity": it.quantity_text(request.quantity),
        "order_type": request.kind.word(),
        "limit": price(request.kind.limit()), "trigger": price(request.kind.trigger()),
        "offset": offset, "activation": price(activation),
        "time_in_force": time_in_force(request.time_in_force),
        "worst": price(worst(state, held, listing, request)),
        "mark": price(listing.mark.map(|mark| mark.price)),
        "reduce_only": request.reduce_only, "post_only": request.post_only,
        "worth_now": worth(state, held, listing, request).map(|money| money.to_string()),
    })
}

/// How long an order may live, in the words of requests; a moment as `gtd` and its time.
pub(crate) fn time_in_force(it: TimeInForce) -> String {
    match it {
        TimeInForce::Gtc => "gtc".to_owned(),
        TimeInForce::Ioc => "ioc".to_owned(),
        TimeInForce::Fok => "fok".to_owned(),
        TimeInForce::Gtd(until) => format!("gtd {until}"),
    }
}

/// Where the trade ends and how sure its proposer is.
fn trade_words(it: &Instrument, trade: &TradePlan) -> Value {
    let price = |price: Option<Price>| price.map(|price| it.price_text(price));
    json!({
        "stop": price(trade.stop), "target": price(trade.target), "atr": price(trade.atr),
        "confidence": trade.confidence_bps.map(|bps| Unit::Percent.text(bps)),
        "regime": trade.regime.map(|regime| regime.name()), "hold": trade.hold,
    })
}

/// The worst price with which a market order would leave now, where the limits of its portfolio bound it.
fn worst(state: &State, held: &Held, listing: &Listing, request: &OrderRequest) -> Option<Price> {
    let books = state.portfolios.get(held.wish.portfolio.index())?;
    let collar = books.limits.controls?.market_collar_bps?;
    let (OrderKind::Market, mark) = (request.kind, listing.mark?.price) else { return None };
    let position = books.to_close(&listing.instrument).mantissa();
    let signed = request.side.signed(request.quantity).mantissa();
    let reduces = position.signum() * signed.signum() < 0 && signed.unsigned_abs() <= position.unsigned_abs();
    let (instrument, quote) = (&listing.instrument, listing.quote.as_ref());
    let reach = Reach { instrument, side: request.side, quantity: request.quantity, reduces, mark, quote };
    Some(worst_price(&reach, collar))
}

/// The largest price at which the gate may have to judge the order: its own, where that is beyond the mark, or the worst
/// one of a market order.
fn judged_price(state: &State, held: &Held, listing: &Listing, request: &OrderRequest) -> Option<Price> {
    let activation = match request.kind {
        OrderKind::Trailing { activation, .. } => activation,
        _ => None,
    };
    let own = [request.kind.limit(), request.kind.trigger(), activation, worst(state, held, listing, request)];
    own.into_iter().flatten().chain(listing.mark.map(|mark| mark.price)).max()
}

fn worth(state: &State, held: &Held, listing: &Listing, request: &OrderRequest) -> Option<Money> {
    let price = judged_price(state, held, listing, request)?;
    listing.instrument.notional(price, request.quantity).ok()
}

/// What it comes to at most: of two orders of which one cancels the other the larger, of a ladder each rung at its price.
fn worth_at_most(state: &State, held: &Held) -> Option<Money> {
    let wish = &held.wish;
    let listing = state.listings.get(wish.request.instrument.index())?;
    if let Some(Plan::Ladder { rungs }) = wish.plan.as_deref().and_then(parent_plan) {
        let mark = listing.mark.map(|mark| mark.price);
        let of = |price: Price| mark.map_or(price, |mark| mark.max(price));
        let mut each = rungs.iter().map(|rung| listing.instrument.notional(of(rung.price), rung.quantity).ok());
        let first = each.next()??;
        return each.try_fold(first, |sum, next| Some(Money { units: sum.units.checked_add(next?.units)?, ..sum }));
    }
    let both = [Some(&wish.request), wish.other.as_ref()].into_iter().flatten();
    both.filter_map(|request| worth(state, held, listing, request)).max_by_key(|money| money.units)
}
