//! Orders that become other orders wait as a whole.

use crate::stage::*;

#[test]
fn a_parent_of_a_source_that_needs_approval_waits_as_a_whole_and_its_children_run_without_asking_again() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let id = host.wish(1, AGENT, buy(1_000), twap(1, 20, 2));
    let held = host.held(id).clone();
    assert_eq!((held.state, host.sent.len(), &host.verdict), (ProposalState::Proposed, 0, &None));
    assert_eq!(held.wish.request, buy(1_000));
    let mut other = held.wish.clone();
    other.plan = Some(serde_json::to_string(&twap(1, 20, 1)).unwrap());
    host.act(2, Act::ApprovalSaid { proposal: id, hash: other.hash(), by: anna() });
    assert_eq!(host.held(id).state, ProposalState::Proposed, "another plan is another hash");
    host.approve(3, id, anna());
    assert_eq!((host.held(id).state, host.sent.len()), (ProposalState::Submitted, 1));
    let behind = host.parent().behind.clone().unwrap();
    assert_eq!((behind.by.as_str(), behind.approvals, behind.proposal), ("agent-0", 1, Some(id)));
    host.fill_last(3);
    host.start(5, 12, Mode::Paper); // what was approved goes on after a restart: it is an order by now
    host.timer(12);
    assert_eq!(host.sent.len(), 2, "the second slice asks nobody");
    assert_eq!(host.sent[1].source(), Some(AGENT));
    host.fill_last(12);
    host.timer(13);
    assert!(host.parent().is_over());
    assert_eq!(host.held(id).state, ProposalState::Filled);
    host.check();
}

#[test]
fn where_its_trade_ends_is_part_of_what_people_approve() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let price = |mantissa| Some(Price::from_mantissa(mantissa));
    let trade = TradePlan { stop: price(9_000), target: price(11_000), ..TradePlan::default() };
    let id = host.wish_of_trade(1, AGENT, buy(1_000), twap(1, 20, 2), Some(trade));
    let mut other = host.held(id).wish.clone();
    assert_eq!(other.trade.as_deref(), Some(&trade));
    other.trade.as_mut().unwrap().stop = price(8_000);
    host.act(2, Act::ApprovalSaid { proposal: id, hash: other.hash(), by: anna() });
    assert_eq!(host.held(id).state, ProposalState::Proposed, "another stop is another hash");
    host.approve(3, id, anna());
    host.fill_last(3);
    let pair: Vec<_> = host.sent[1..].iter().map(|order| (order.kind().word(), order.quantity().mantissa())).collect();
    assert_eq!(pair, [("limit", 500), ("stop", 500)], "and what guards asks nobody");
    host.check();
}

#[test]
fn the_gate_is_asked_again_for_a_parent_at_its_release_and_for_each_child() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let id = host.wish(1, AGENT, buy(1_000), twap(1, 20, 2));
    host.say(2, Source::Operator, EventKind::Halted(Halt { reason: "look".into() }));
    host.approve(3, id, anna());
    assert_eq!((host.held(id).state, host.refusal()), (ProposalState::Rejected, Some((Guard::Halt, None))));
    host.say(4, Source::Operator, EventKind::Resumed { reason: "fine".into() });
    let id = host.wish(5, AGENT, buy(1_000), twap(5, 20, 2));
    host.approve(6, id, anna());
    host.fill_last(6);
    // from now on the agent may order nothing: the second child meets the policy of its own moment
    let rule = SourceRule { autonomy: Some(Autonomy::ResearchOnly), ..SourceRule::default() };
    let mut policy = Policy::default();
    policy.sources.insert(Principal::of_source(AGENT).name, rule);
    host.set_policy(7, policy);
    host.timer(16);
    assert_eq!((host.refusal(), host.sent.len()), (Some((Guard::Policy, Some(Rule::Autonomy))), 1));
    host.check();
}

#[test]
fn a_parent_is_asked_about_by_its_whole_size_and_slicing_evades_no_threshold() {
    let approvals = vec![Threshold { from: 10 * UNIT, quorum: 1 }, Threshold { from: 20 * UNIT, quorum: 2 }];
    let mut host = Host::new(Mode::Paper, Some(Policy { approvals, ..Policy::default() }));
    host.wish(1, Source::Strategy(0), buy(999), twap(1, 20, 10));
    assert_eq!(host.sent.len(), 1, "below every threshold it opens at once");
    host.fill_last(1);
    let id = host.wish(2, Source::Strategy(0), buy(2_000), twap(2, 20, 10));
    assert_eq!(host.held(id).quorum, 2);
    host.approve(3, id, anna());
    assert_eq!(host.held(id).state, ProposalState::Proposed);
    host.approve(4, id, ben());
    assert_eq!(host.held(id).state, ProposalState::Submitted);
    // at twice the price the whole needs two where one has said yes
    let id = host.wish(5, Source::Strategy(0), buy(1_500), twap(5, 20, 10));
    assert_eq!(host.held(id).quorum, 1);
    host.trade(6, 20_000);
    host.approve(7, id, anna());
    let held = host.held(id);
    assert_eq!(held.state, ProposalState::Rejected);
    assert!(held.note.contains("2 to be asked"), "{}", held.note);
    host.check();
}

#[test]
fn a_parent_that_nobody_could_approve_is_refused() {
    let approvals = vec![Threshold { from: 10 * UNIT, quorum: 3 }];
    let mut host = Host::new(Mode::Paper, Some(Policy { approvals, ..Policy::default() }));
    host.wish(1, Source::Strategy(0), buy(1_000), twap(1, 20, 2));
    assert_eq!(host.refusal(), Some((Guard::Approval, Some(Rule::SecondPerson))));
    assert!(host.state.governance.proposals.is_empty());
    host.check();
}

#[test]
fn an_order_that_waits_for_its_price_waits_for_people_first() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let touched = OrderRequest { kind: OrderKind::Touched { trigger: Price::from_mantissa(9_000) }, ..buy(100) };
    let id = host.propose(2, AGENT, touched);
    assert_eq!((host.held(id).state, host.state.parents.is_empty()), (ProposalState::Proposed, true));
    host.approve(3, id, anna());
    assert_eq!((host.held(id).state, host.sent.len()), (ProposalState::Submitted, 0));
    host.trade(4, 9_000);
    assert_eq!(host.sent.len(), 1);
    host.check();
}

#[test]
fn children_are_judged_and_counted_under_the_name_of_whoever_asked_for_the_parent() {
    let mut policy = Policy::default();
    policy.caps.orders_day = Some(100);
    let own = Caps { orders_day: Some(2), ..Caps::default() };
    policy.sources.insert(ben().name, SourceRule { autonomy: None, caps: own });
    let mut host = Host::new(Mode::Paper, Some(policy));
    host.act(1, Act::Speaks { by: ben() });
    host.wish(1, Source::Operator, buy(300), twap(1, 30, 3));
    assert_eq!(host.parent().behind.as_ref().map(|it| it.by.as_str()), Some("ben"));
    host.fill_last(1);
    host.timer(11);
    host.fill_last(11);
    let spent = &host.state.governance.spent.as_ref().unwrap().by;
    assert_eq!((spent.len(), spent[&ben().name].orders), (1, 2));
    host.timer(21);
    assert_eq!((host.refusal(), host.sent.len()), (Some((Guard::Policy, Some(Rule::OrderCount))), 2));
    // somebody whom the settings name no more: its parent keeps its name
    host.act(22, Act::OperatorsSet { operators: vec![anna()], tokens: Default::default() });
    host.timer(23);
    assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::OrderCount))));
    host.check();
}
