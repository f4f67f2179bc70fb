//! What a policy lets pass by itself, and what a day may cost.

use crate::stage::*;

#[test]
fn s4_44_a_drip_of_small_orders_stops_at_the_cap_of_the_day() {
    let caps = Caps { day: Some(100 * UNIT), ..Caps::default() };
    let mut host = Host::new(Mode::Paper, Some(Policy { caps, ..Policy::default() }));
    for second in 1..201 {
        host.propose(second, Source::Strategy(0), buy(100)); // one unit of money each
    }
    assert_eq!((host.sent.len(), host.refusal()), (100, Some((Guard::Policy, Some(Rule::DayCap)))));
    host.propose(86_400, Source::Strategy(0), buy(100));
    assert_eq!(host.sent.len(), 101); // a new day
    host.check();
}

#[test]
fn an_event_of_the_day_before_meets_what_was_spent_since() {
    for (caps, rule) in [
        (Caps { day: Some(UNIT), ..Caps::default() }, Rule::DayCap),
        (Caps { orders_day: Some(1), ..Caps::default() }, Rule::OrderCount),
    ] {
        let mut host = Host::new(Mode::Paper, Some(Policy { caps, ..Policy::default() }));
        host.propose(86_400, Source::Strategy(0), buy(100));
        assert_eq!(host.sent.len(), 1);
        host.propose(86_399, Source::Strategy(0), buy(100)); // a late bar, right after midnight
        assert_eq!((host.refusal(), host.sent.len()), (Some((Guard::Policy, Some(rule))), 1));
        host.check();
    }
}

#[test]
fn live_mode_without_a_policy_is_closed_but_for_what_reduces() {
    let mut host = Host::new(Mode::Live, None);
    host.propose(1, Source::Operator, buy(100));
    assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::Venue))));
    host.state.mode = Mode::Paper;
    host.propose(2, Source::Operator, buy(100));
    host.fill(3, host.sent[0]);
    host.state.mode = Mode::Live;
    host.propose(4, Source::Operator, OrderRequest { reduce_only: true, ..sell(100) });
    assert_eq!(host.sent.len(), 2);
}

#[test]
fn on_paper_without_a_policy_strategies_trade_and_agents_wait() {
    let mut host = Host::new(Mode::Paper, None);
    host.propose(1, Source::Strategy(0), buy(100));
    assert_eq!(host.sent.len(), 1);
    let id = host.propose(2, AGENT, buy(100));
    assert_eq!((host.sent.len(), host.held(id).state), (1, ProposalState::Proposed));
    host.approve(3, id, anna());
    assert_eq!(host.sent.len(), 2);
    host.check();
}

#[test]
fn nothing_is_governed_and_nothing_is_recorded_where_no_policy_is_set() {
    let mut host = Host::new(Mode::Backtest, None);
    let before = host.journal.len();
    host.propose(1, Source::Strategy(0), buy(100));
    assert_eq!((host.sent.len(), host.journal.len() - before), (1, 2)); // proposal and verdict
}
