//! Exits that people approve: the pair stands until then, and what waits is told how it ended.

use super::*;
use tradewind_governance::{
    Act as Word, Autonomy, Change, ChangeState, Changed, Policy, Principal, ProposalState, SourceRule, Threshold,
};

const AGENT: Source = Source::Agent(0);

impl Host {
    /// An agent asks, and waits; gives back the number of what waits.
    fn held_for(&mut self, request: OrderRequest, plan: Option<TradePlan>) -> u64 {
        let (id, refused) = (self.state.sequence + 1, self.refusals.len());
        let plan = plan.map(Box::new);
        let proposal = Proposal { source: AGENT, portfolio: MAIN, request, reason: "test".into(), plan };
        self.say(AGENT, EventKind::Proposed(proposal));
        assert_eq!(self.refusals.get(refused), None);
        assert_eq!(self.waiting(id).0, ProposalState::Proposed);
        id
    }

    fn waiting(&self, id: u64) -> (ProposalState, String) {
        let held = &self.state.governance.proposals[&id];
        (held.state, held.note.clone())
    }

    fn approve(&mut self, id: u64) {
        let hash = self.state.governance.proposals[&id].hash.clone();
        let act = Word::ApprovalSaid { proposal: id, hash, by: Principal::operator() };
        self.say(Source::Operator, EventKind::Governance(Box::new(act)));
    }

    /// An agent asks, and people approve; gives back the number of what they approved.
    fn approved(&mut self, request: OrderRequest, plan: Option<TradePlan>) -> u64 {
        let id = self.held_for(request, plan);
        self.approve(id);
        id
    }

    /// An agent's order to buy is approved and fills whole.
    fn buys_for_an_agent(&mut self, quantity: i64, plan: Option<TradePlan>) {
        self.approved(buy(quantity), plan);
        let bought = *self.sent.last().unwrap();
        self.fill(&bought, quantity, 10_000);
    }

    /// As people's policy from here on.
    fn set_policy(&mut self, policy: Policy) {
        let (old, new) = (Box::new(Policy::default()), Box::new(policy));
        let change = Change {
            id: self.state.sequence + 1,
            changed: Changed::Policy { old, new },
            by: Principal::of_source(Source::Host).name,
            asked_at: Timestamp::from_millis(self.millis),
            reason: "test".into(),
            state: ChangeState::Done { approver: None },
        };
        self.say(Source::Operator, EventKind::Governance(Box::new(Word::ChangeAsked(change))));
    }

    /// An agent holds 5,000 that a pair protects, all of it approved.
    fn guarded_for_an_agent(market: (&str, InstrumentKind)) -> Self {
        let mut host = host_on(market, Limits::RESEARCH, None);
        host.buys_for_an_agent(5_000, Some(plan(9_800, 10_300)));
        assert_eq!(host.standing(), PAIR);
        host.millis += 1_500;
        host.mark(10_000);
        host
    }

    fn sold(&self) -> i64 {
        let records = self.state.closed.iter().chain(self.state.open.values());
        records.filter(|it| it.order.side() == Side::Sell).map(|it| it.filled.mantissa()).sum()
    }
}

const PAIR: [&str; 2] = ["sell 5000 limit 10300", "sell 5000 stop 9800"];

#[test]
fn an_exit_that_people_approve_goes_before_its_protection_which_stands_until_then() {
    for (quantity, left) in [(5_000, &[][..]), (2_000, &["sell 3000 limit 10300", "sell 3000 stop 9800"][..])] {
        let mut host = Host::guarded_for_an_agent(SPOT);
        let id = host.held_for(sell(quantity), None);
        assert_eq!((host.standing().as_slice(), host.cancels.len()), (&PAIR.map(String::from)[..], 0));
        assert!(host.state.governance.proposals[&id].wish.request.reduce_only, "it waits as a way out");
        host.approve(id);
        assert_eq!(host.waiting(id).0, ProposalState::Submitted);
        assert_eq!((host.sent.len(), host.cancels.is_empty()), (3, false), "the pair goes first");
        host.settle();
        let exit = host.newest_exit();
        assert_eq!((exit.quantity(), exit.request().reduce_only), (lots(quantity), true));
        host.fill(&exit, quantity, 10_000);
        assert_eq!(host.waiting(id).0, ProposalState::Filled);
        host.settle();
        assert_eq!(
            (host.held(), host.standing().as_slice()),
            (5_000 - quantity, &left.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..])
        );
        assert_eq!(host.sold(), quantity);
        host.check_journal();
    }
}

#[test]
fn an_exit_that_waits_never_sells_what_its_protection_has_sold() {
    for market in [SPOT, CONTRACT] {
        // the stop fills while people think
        let mut host = Host::guarded_for_an_agent(market);
        let id = host.held_for(sell(5_000), None);
        let stop = host.newest_stop();
        host.fill(&stop, 5_000, 9_800);
        host.approve(id);
        host.settle();
        assert_eq!((host.held(), host.sold(), host.waiting(id).0), (0, 5_000, ProposalState::Rejected));
        assert!(host.waiting(id).1.starts_with("GATE-06"), "{}", host.waiting(id).1);
        host.check_journal();
        // the target fills between the approval and the cancel
        let mut host = Host::guarded_for_an_agent(market);
        let id = host.approved(sell(5_000), None);
        let target = host.newest(|kind| matches!(kind, OrderKind::Limit { .. }));
        host.fill(&target, 5_000, 10_300);
        host.settle();
        assert_eq!((host.held(), host.sold(), host.waiting(id).0), (0, 5_000, ProposalState::Cancelled));
        host.check_journal();
    }
}

#[test]
fn an_approved_exit_larger_than_its_protection_leaves_as_both() {
    let mut host = Host::guarded_for_an_agent(SPOT);
    host.buys_for_an_agent(1_000, None);
    let id = host.approved(sell(6_000), None);
    let rest = host.exit_of(1_000);
    assert_eq!(host.waiting(id).0, ProposalState::Submitted);
    host.fill(&rest, 1_000, 10_000);
    host.settle();
    let exit = host.exit_of(5_000);
    host.fill(&exit, 5_000, 10_000);
    assert_eq!((host.held(), host.sold(), host.waiting(id).0), (0, 6_000, ProposalState::Filled));
    host.check_journal();
}

#[test]
fn exits_that_people_approve_one_after_the_other_are_all_told_of_once_their_guard_has_left() {
    let approved = || {
        let mut host = Host::guarded_for_an_agent(SPOT);
        let exits = [2_000, 3_000].map(|quantity| host.held_for(sell(quantity), None));
        exits.into_iter().for_each(|id| host.approve(id));
        (host, exits)
    };
    let (mut host, exits) = approved();
    host.settle();
    let exit = host.exit_of(5_000);
    host.fill(&exit, 2_000, 10_000);
    assert_eq!(exits.map(|id| host.waiting(id).0), [ProposalState::Submitted; 2]);
    host.fill(&exit, 3_000, 10_000);
    assert_eq!((host.held(), exits.map(|id| host.waiting(id).0)), (0, [ProposalState::Filled; 2]));
    host.check_journal();
    // and where the guard was there first
    let (mut host, exits) = approved();
    let stop = host.newest_stop();
    host.fill(&stop, 5_000, 9_800);
    host.settle();
    assert_eq!((host.held(), exits.map(|id| host.waiting(id).0)), (0, [ProposalState::Cancelled; 2]));
    host.check_journal();
}

#[test]
fn an_approved_exit_whose_rest_is_refused_goes_as_far_as_it_is_guarded() {
    let mut host = Host::guarded_for_an_agent(SPOT);
    host.buys_for_an_agent(1_000, None);
    let id = host.held_for(sell(6_000), None);
    let sold = host.propose_as(Source::Operator, sell(1_000), None).unwrap();
    host.fill(&sold, 1_000, 10_000); // while people think
    host.approve(id);
    let (state, note) = host.waiting(id);
    assert_eq!(state, ProposalState::Submitted, "{note}");
    assert!(note.contains("the rest was refused: GATE-"), "{note}");
    host.settle();
    let exit = host.exit_of(5_000);
    host.fill(&exit, 5_000, 10_000);
    assert_eq!((host.held(), host.sold(), host.waiting(id)), (0, 6_000, (ProposalState::Filled, note)));
    host.check_journal();
}

#[test]
fn an_approved_exit_of_two_guards_is_over_once_neither_has_anything_left_to_close() {
    for stop_first in [true, false] {
        let mut host = Host::guarded_for_an_agent(SPOT);
        host.buys_for_an_agent(2_000, Some(plan(9_700, 10_400)));
        host.millis += 1_500;
        host.mark(10_000);
        let stops: Vec<Order> =
            host.sent.iter().filter(|order| matches!(order.kind(), OrderKind::Stop { .. })).copied().collect();
        let id = host.approved(sell(7_000), None);
        if stop_first {
            host.fill(&stops[0], 5_000, 9_800);
            host.settle();
        } else {
            let of_first = |host: &Host, id| host.state.parents.parent_of(id).is_some_and(|it| it.id == ParentId(1));
            let asked = std::mem::take(&mut host.cancels);
            for client_id in asked.into_iter().filter(|id| of_first(&host, *id)).collect::<Vec<_>>() {
                host.cancelled(client_id);
            }
            host.pass(1_500);
        }
        let closes = if stop_first { 2_000 } else { 5_000 };
        let exit = host.exit_of(closes);
        assert_eq!(host.waiting(id).0, ProposalState::Submitted, "the other guard has yet to leave");
        host.fill(&exit, closes, 10_000);
        if !stop_first {
            assert_eq!(host.waiting(id).0, ProposalState::Submitted);
            host.fill(&stops[1], 2_000, 9_700);
            host.settle();
        }
        assert_eq!((host.held(), host.waiting(id).0), (0, ProposalState::Filled));
        host.check_journal();
    }
}

#[test]
fn an_approved_exit_whose_guard_was_there_first_is_cancelled_whatever_was_closed_before() {
    let mut host = Host::guarded_for_an_agent(SPOT);
    host.propose_as(Source::Operator, sell(2_000), None).unwrap();
    host.settle();
    host.exit_fills(2_000);
    host.settle();
    assert_eq!(host.standing(), ["sell 3000 limit 10300", "sell 3000 stop 9800"]);
    let id = host.approved(sell(3_000), None);
    let stop = host.newest_stop();
    host.fill(&stop, 3_000, 9_800);
    host.settle();
    assert_eq!((host.held(), host.waiting(id).0), (0, ProposalState::Cancelled));
    host.check_journal();
}

#[test]
fn an_approved_exit_of_all_that_can_be_sold_is_filled_where_a_fee_has_left_a_part_of_a_lot() {
    let mut host = host(Limits::RESEARCH, None);
    host.trades_in_lots_of_ten();
    host.approved(buy(5_000), Some(plan(9_800, 10_300)));
    let entry = host.sent[0];
    host.fill_less_fee(&entry, 5_000, 10_000, "0.0007");
    assert_eq!((host.held(), host.standing().len()), (4_993, 2));
    host.millis += 1_500;
    host.mark(10_000);
    let id = host.approved(sell(4_990), None);
    host.settle();
    let exit = host.exit_of(4_990);
    host.fill(&exit, 4_990, 10_000);
    assert_eq!((host.held(), host.waiting(id).0), (3, ProposalState::Filled));
    assert!(!host.state.is_leaving(MAIN, BTC));
    host.check_journal();
}

#[test]
fn a_persons_way_out_of_all_that_is_held_is_one_whatever_another_hand_may_take() {
    let mut host = host_on(CONTRACT, Limits::RESEARCH, None);
    host.trade(buy(5_000), Some(plan(9_800, 10_300)));
    host.trade(buy(1_000), None);
    let approvals = vec![Threshold { from: 40 * 100_000_000, quorum: 1 }];
    host.set_policy(Policy { approvals, ..Policy::default() });
    host.other_hand_sells(1_000, true);
    let rest = host.propose_as(Source::Operator, sell(6_000), None).unwrap();
    assert!(host.state.governance.proposals.is_empty(), "a person is never locked in");
    assert_eq!((rest.quantity(), host.parent().seen.leave), (lots(1_000), lots(5_000)));
    host.check_journal();
}

#[test]
fn what_is_no_order_at_all_is_refused_beside_a_guarded_position() {
    for quantity in [i64::MIN, -1, 0, i64::MAX] {
        for source in [AGENT, ME, Source::Operator] {
            let mut host = Host::guarded_for_an_agent(SPOT);
            host.propose_as(source, sell(quantity), None).unwrap_err();
            assert_eq!(host.standing(), PAIR, "{quantity} of {source:?}");
            host.check_journal();
        }
    }
}

#[test]
fn nobody_is_asked_about_the_guard_of_a_position_or_a_persons_way_out_of_one() {
    // an order of 40 or more needs a person, and so does every order of the strategy
    let mut host = host(Limits::RESEARCH, None);
    let order = host.propose(buy(5_000), Some(plan(9_800, 10_300))).unwrap();
    let rule = SourceRule { autonomy: Some(Autonomy::HumanApproval), ..SourceRule::default() };
    let sources = [(Principal::of_source(ME).name, rule)].into();
    let approvals = vec![Threshold { from: 40 * 100_000_000, quorum: 1 }];
    host.set_policy(Policy { sources, approvals, ..Policy::default() });
    host.fill(&order, 5_000, 10_000);
    assert_eq!(host.standing(), PAIR, "what stands was to be guarded");
    host.millis += 1_500;
    host.mark(10_000);
    host.propose_as(Source::Operator, sell(5_000), None).unwrap();
    assert!(host.state.governance.proposals.is_empty(), "a person is never locked in");
    host.settle();
    let exit = *host.sent.last().unwrap();
    host.fill(&exit, 5_000, 10_000);
    assert_eq!((host.held(), host.sold()), (0, 5_000));
    host.check_journal();
}
