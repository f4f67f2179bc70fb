//! What people, policies and stages mean for orders beyond the plain yes and no.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Limits, Proposal};
use tradewind_governance::{Act, Caps, Change, ChangeState, Changed, Name, Policy, Principal, ProposalState, Role};

const UNIT: i64 = 100_000_000;

fn anna() -> Principal {
    Principal::person(Name::new("anna").unwrap(), [Role::Trader, Role::Approver, Role::Risk])
}

/// A stage with these persons and this policy.
fn governed(operators: Vec<Principal>, policy: Policy) -> Stage {
    holding(0, operators, policy)
}

/// The same with a position that was bought before there was a policy.
fn holding(quantity: i64, operators: Vec<Principal>, policy: Policy) -> Stage {
    let mut stage = Stage::new(Limits::RESEARCH);
    if quantity > 0 {
        stage.holding(quantity);
    }
    act(&mut stage, Act::OperatorsSet { operators, tokens: Default::default() });
    let changed = Changed::Policy { old: Box::default(), new: Box::new(policy) };
    let (by, reason) = (Principal::of_source(Source::Host).name, "test".to_owned());
    let id = stage.state.sequence + 1;
    let asked_at = Timestamp::from_millis(stage.millis);
    act(
        &mut stage,
        Act::ChangeAsked(Change { id, changed, by, asked_at, reason, state: ChangeState::Done { approver: None } }),
    );
    stage
}

fn act(stage: &mut Stage, act: Act) {
    stage.operator(EventKind::Governance(Box::new(act)));
}

/// An agent proposes; the number of the event.
fn asks(stage: &mut Stage, request: OrderRequest) -> u64 {
    let (id, source) = (stage.state.sequence + 1, Source::Agent(0));
    let proposal = Proposal { plan: None, source, portfolio: PortfolioId(0), request, reason: "it looks cheap".into() };
    stage.say_for(PortfolioId(0), source, EventKind::Proposed(proposal));
    id
}

fn asks_for_two(stage: &mut Stage, requests: [OrderRequest; 2]) -> u64 {
    let (id, source) = (stage.state.sequence + 1, Source::Agent(0));
    let pair = requests.map(|request| Proposal {
        plan: None,
        source,
        portfolio: PortfolioId(0),
        request,
        reason: "a way out".into(),
    });
    stage.say_for(PortfolioId(0), source, EventKind::ProposedPair { pair: Box::new(pair) });
    id
}

fn approve(stage: &mut Stage, proposal: u64) {
    let hash = stage.state.governance.proposals[&proposal].hash.clone();
    act(stage, Act::ApprovalSaid { proposal, hash, by: anna() });
}

/// A target at 110 and a stop at 90.
fn around(quantity: i64) -> [OrderRequest; 2] {
    let target = OrderRequest { post_only: true, ..limit(Side::Sell, quantity, 11_000) };
    [target, OrderRequest { kind: OrderKind::Stop { trigger: price(9_000) }, ..market(Side::Sell, quantity) }]
}

#[test]
fn a_proposal_ends_as_its_order_does() {
    let end = |end: &dyn Fn(ClientOrderId) -> EventKind| {
        let mut stage = governed(vec![anna()], Policy::default());
        let id = asks(&mut stage, limit(Side::Buy, 1_000, 9_900));
        approve(&mut stage, id);
        let client_id = stage.sent[0].client_id();
        stage.host(EventKind::Sent { client_id });
        stage.venue(end(client_id));
        stage.check_journal();
        stage.state.governance.proposals[&id].state
    };
    let reason = || "-2010".into();
    assert_eq!(end(&|client_id| EventKind::Rejected { client_id, reason: reason() }), ProposalState::Rejected);
    assert_eq!(end(&|client_id| EventKind::Cancelled { client_id, reason: reason() }), ProposalState::Cancelled);
    assert_eq!(end(&|client_id| EventKind::Expired { client_id, evidence: None }), ProposalState::Expired);
    assert_eq!(
        end(&|client_id| EventKind::CancelRefused { client_id, reason: String::new() }),
        ProposalState::Submitted
    );
}

#[test]
fn of_a_pair_the_proposal_ends_with_its_last_order_or_with_a_fill() {
    let mut stage = governed(vec![anna()], Policy::default());
    stage.holding(1_000);
    let before = stage.sent.len();
    let id = asks_for_two(&mut stage, around(1_000));
    approve(&mut stage, id);
    let pair = [0, 1].map(|nth| stage.sent[before + nth].client_id());
    let state = |stage: &Stage| stage.state.governance.proposals[&id].state;
    let open = state(&stage);
    stage.venue(EventKind::Cancelled { client_id: pair[0], reason: "by the venue".into() });
    assert_eq!(state(&stage), open, "the other may still do what was asked");
    stage.fill(pair[1], 1_000, 9_000);
    assert_eq!(state(&stage), ProposalState::Filled);
}

#[test]
fn nobody_is_asked_where_too_few_are_there_to_answer() {
    let trader = Principal::person(Name::new("tim").unwrap(), [Role::Trader]);
    let mut stage = holding(1_000, vec![trader], Policy::default());
    let before = stage.sent.len();
    asks(&mut stage, limit(Side::Buy, 100, 9_900));
    assert!(stage.last_refusal().contains("0 persons beside agent-0 may approve"), "{}", stage.last_refusal());
    let refused = stage.refusals.len();
    asks_for_two(&mut stage, around(1_000));
    assert_eq!(stage.refusals.len(), refused + 1);
    assert!(stage.last_refusal().contains("allowed: 1 persons"), "{}", stage.last_refusal());
    assert!(stage.state.governance.proposals.is_empty() && stage.sent.len() == before);
    stage.check_journal();
}

#[test]
fn a_pair_of_which_one_is_denied_is_denied_and_nobody_is_asked() {
    // a stop sells at its trigger or at the mark, whichever is more: 100 a coin; the target at 110
    let caps = Caps { order: Some(105 * UNIT / 10), ..Caps::default() };
    let mut stage = governed(vec![anna()], Policy { caps, ..Policy::default() });
    stage.propose(market(Side::Buy, 1_000));
    for refusal in 0..2 {
        // nothing is held, so that neither order of the pair is a way out
        let [target, stop] = around(1_000);
        let pair = if refusal == 0 { [target, stop] } else { [stop, target] };
        asks_for_two(&mut stage, pair);
        assert_eq!(stage.refusals.len(), 2 * (refusal + 1), "both, with one reason");
        assert!(stage.last_refusal().starts_with("GOV-"), "{}", stage.last_refusal());
    }
    assert!(stage.state.governance.proposals.is_empty());
}

#[test]
fn a_stage_counts_everything_that_is_held_and_open_in_the_whole_account() {
    let policy = Policy { stage: tradewind_governance::Stage::shipped(0), ..Policy::default() };
    let mut stage = governed(Vec::new(), policy);
    stage.holding(4_000); // 40 of 100 at the mark
    let open = stage.propose_for(1, limit(Side::Buy, 3_000, 9_000)); // 30, of the other portfolio
    assert!(open.is_some(), "{}", stage.last_refusal());
    assert_eq!(stage.propose(limit(Side::Buy, 3_001, 9_000)), None);
    let text = stage.last_refusal();
    assert!(text.contains("100.01; allowed: 100 at stage 100"), "{text}");
    assert!(stage.propose(limit(Side::Buy, 3_000, 9_000)).is_some(), "{}", stage.last_refusal());
    assert_eq!(stage.propose(limit(Side::Buy, 1, 9_000)), None, "to the last lot");
    stage.mark(9_000); // now 90 of 100
    assert!(stage.propose(limit(Side::Buy, 1_000, 8_000)).is_some(), "{}", stage.last_refusal());
    stage.check_journal();
}

#[test]
fn a_stage_refuses_where_an_exposure_has_no_price() {
    let mut stage =
        governed(Vec::new(), Policy { stage: tradewind_governance::Stage::shipped(0), ..Policy::default() });
    crate::orders::list(&mut stage, InstrumentId(1), "ETH/USDT");
    let request = OrderRequest { instrument: InstrumentId(1), ..limit(Side::Buy, 100, 5_000) };
    let order = Order::as_worked(PortfolioId(1), ClientOrderId::from_u128(5), request);
    stage.host(EventKind::Judged(Verdict::Approved(order)));
    assert_eq!(stage.propose(limit(Side::Buy, 100, 9_900)), None);
    assert!(stage.last_refusal().contains("an exposure that cannot be known"), "{}", stage.last_refusal());
}
