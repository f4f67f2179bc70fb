//! Orders that are made smaller before they are judged, where the limit `impact_mode` says so.

use crate::{Proposal, View};
use tradewind_domain::{ClientOrderId, Order};
use tradewind_governance::Ruling;
use tradewind_risk::{Correction, ImpactMode, fitting, takes};

/// The proposal as it may be judged, and what was put right in it; `None` where it stays as it is.
///
/// Only an order that stands alone, adds exposure and would take from the book at once is made smaller, to the most that its
/// modelled impact allows, and never below what its instrument lets one order be: such a one is left to be refused. What
/// people are asked about, or have approved, is theirs to change.
pub(crate) fn fit(view: &View<'_>, proposal: &Proposal) -> Option<(Proposal, Correction)> {
    let risk = view.risk.filter(|risk| risk.may_shrink)?;
    let controls = view.limits.controls.as_ref()?;
    let (limit, mark, request) = (controls.impact_bps?, view.mark?.price, &proposal.request);
    let asks_people = matches!(view.ruling, Some(Ruling::NeedsApproval { .. }));
    if ImpactMode::of(controls.impact_mode) == ImpactMode::Strict
        || asks_people
        || request.oco.is_some()
        || view.reduces(proposal)
    {
        return None;
    }
    let survey = risk.books.survey(proposal);
    let depth = survey.depth.filter(|_| takes(request, view.quote.copied(), mark))?;
    let quantity = fitting(controls, view.instrument, request.quantity, &depth)?;
    let mut fitted = proposal.clone();
    fitted.request.quantity = quantity;
    let nameless = ClientOrderId::from_u128(0);
    Order::new(view.instrument, proposal.portfolio, nameless, fitted.request, Some(mark)).ok()?;
    let text = |quantity| view.instrument.quantity_text(quantity);
    let told = survey.depth_source.told(&format!("more would move the price further than {}", percent(limit)));
    let correction = Correction {
        what: "quantity".to_owned(),
        from: text(request.quantity),
        to: text(quantity),
        reason: format!("limits.impact_mode is {}: {told}", mode_name(controls.impact_mode)),
    };
    Some((fitted, correction))
}

fn percent(bps: i64) -> String {
    tradewind_risk::Unit::Percent.text(bps)
}

fn mode_name(limit: Option<i64>) -> &'static str {
    ImpactMode::NAMES[ImpactMode::of(limit) as usize]
}
