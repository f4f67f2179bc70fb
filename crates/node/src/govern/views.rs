//! Proposals and limits as pages.

use super::no;
use crate::core::Core;
use crate::limit_changes::change_view;
use crate::operate::{OperatorReply, done};
use crate::parents::plan_words;
use crate::stages::stage_view;
use serde_json::{Value, json};
use tradewind_domain::{OrderRequest, Sequence, Timestamp};
use tradewind_engine::algo::Parent;
use tradewind_engine::limit_values;
use tradewind_governance::{Held, Refused, Rule};

impl Core {
    pub(super) fn shown(&self, id: Sequence) -> OperatorReply {
        match self.host.state.governance.proposals.get(&id) {
            Some(held) => done(&self.whole_view(held)),
            None => no(&Refused::new(Rule::NoProposal, id.to_string(), "a listed proposal")),
        }
    }

    /// The proposal as a page for a person who decides: made from the order alone; what its source says about it
    /// stands apart, as a quotation, since a text may mislead.
    pub(super) fn whole_view(&self, held: &Held) -> Value {
        let mut view = proposal_view(held);
        let became = |parent: &&Parent| parent.behind.as_ref().is_some_and(|it| it.proposal == Some(held.id));
        let parents = &self.host.state.parents;
        view["parent_id"] = json!(parents.live().chain(parents.over()).find(became).map(|it| it.id.to_string()));
        view["seconds_left"] = json!(held.state.is_open().then(|| seconds_left(held, self.now())));
        view["order"] = self.order_words(held, &held.wish.request);
        if let Some(plan) = &held.wish.plan {
            view["plan"] = plan_words(&self.host.state, held.wish.request.instrument, plan);
        }
        if let Some(other) = &held.wish.other {
            view["other_order"] = self.order_words(held, other);
        }
        view
    }

    /// An order as it is proposed, with what it is worth at its own price.
    fn order_words(&self, held: &Held, request: &OrderRequest) -> Value {
        let Some(listing) = self.host.state.listings.get(request.instrument.index()) else { return Value::Null };
        let it = &listing.instrument;
        let price = |price: Option<_>| price.map(|price| it.price_text(price));
        let judged = request.kind.limit().or(request.kind.trigger()).or(listing.mark.map(|mark| mark.price));
        let worst = judged.and_then(|price| it.notional(price, request.quantity).ok());
        json!({
            "venue": held.wish.venue, "market": held.wish.market, "symbol": held.wish.symbol,
            "side": request.side, "quantity": it.quantity_text(request.quantity),
            "limit": price(request.kind.limit()), "trigger": price(request.kind.trigger()),
            "mark": price(listing.mark.map(|mark| mark.price)),
            "reduce_only": request.reduce_only, "post_only": request.post_only,
            "worth_now": worst.map(|money| money.to_string()),
        })
    }

    pub(super) fn limits_view(&self) -> Value {
        let state = &self.host.state;
        let rows = state.portfolios.iter().map(|portfolio| {
            let values = limit_values(&portfolio.limits);
            let values: serde_json::Map<String, Value> =
                values.into_iter().map(|(name, _, value)| (name.to_owned(), json!(value))).collect();
            json!({ "portfolio": portfolio.name, "limits": values })
        });
        let waiting = state.governance.changes.values().rev().map(|change| change_view(state, change));
        let latches = state.governance.latches.iter();
        let latches = latches.map(|(scope, it)| json!({ "scope": scope, "by": it.by, "reason": it.reason }));
        json!({
            "portfolios": rows.collect::<Vec<_>>(),
            "limits": crate::limits_view::limits(state),
            "breakers": crate::limits_view::breakers(state),
            "sectors": state.risk.as_ref().map(|risk| &risk.account.sectors),
            "mode": crate::limits_view::mode(state),
            "changes": waiting.collect::<Vec<_>>(),
            "latches": latches.collect::<Vec<_>>(),
            "halted": state.halted,
            "stage": stage_view(state),
            "policy": state.governance.policy,
        })
    }
}

/// Seconds until it is dead, whole ones.
fn seconds_left(held: &Held, now: Timestamp) -> i64 {
    held.expires_at().since(now).max(0).div_euclid(1_000_000_000)
}

fn proposal_view(held: &Held) -> Value {
    json!({
        "proposal": held.id,
        "state": held.state,
        "by": held.wish.by,
        "portfolio": held.wish.portfolio,
        "symbol": held.wish.symbol,
        "side": held.wish.request.side,
        "quorum": held.quorum,
        "approvals": held.approvals,
        "asked_at": held.asked_at.to_string(),
        "expires_at": held.expires_at().to_string(),
        "hash": held.hash,
        "order_id": held.order,
        "other_order_id": held.other_order,
        "note": held.note,
        "decision": held.wish.decision,
        "its_source_says": held.wish.reason,
    })
}
