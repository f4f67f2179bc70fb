//! Who stands behind what an order with a plan leads to.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Mode, Proposal};
use tradewind_governance::{Name, Policy};

/// Who stands behind the bracket of an order with a plan that `source` proposed, spoken for by `by`.
fn behind(source: Source, by: Option<&str>) -> Option<String> {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    if source == Source::Operator {
        host.spoken = Some(Spoken { by: by.map(|by| Name::new(by).unwrap()), key: None });
    }
    let price = |mantissa| Some(Price::from_mantissa(mantissa));
    let plan = TradePlan { stop: price(9_000), target: price(11_000), ..TradePlan::default() };
    let proposal = Proposal {
        plan: Some(Box::new(plan)),
        source,
        portfolio: PortfolioId(0),
        request: buy(1_000),
        reason: "it looks cheap".into(),
    };
    host.say(1, source, EventKind::Proposed(proposal));
    assert_eq!(host.sent.len(), 1, "{}", host.refusal_text());
    host.check();
    host.parent().behind.as_ref().map(|it| it.by.to_string())
}

#[test]
fn a_named_person_stands_behind_the_bracket_of_an_order_and_a_source_stands_for_itself() {
    assert_eq!(behind(Source::Operator, Some("anna")).as_deref(), Some("anna"));
    assert_eq!(behind(Source::Operator, Some("ben")).as_deref(), Some("ben"));
    assert_eq!(behind(Source::Strategy(0), None), None);
}
