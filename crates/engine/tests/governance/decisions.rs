//! Orders name the decision that they follow.

use crate::stage::*;

/// A policy that lets agents trade by themselves, and asks so much for decisions.
fn requires(require_decision: RequireDecision) -> Policy {
    let bounded = SourceRule { autonomy: Some(Autonomy::Bounded), ..SourceRule::default() };
    let sources = [(Principal::of_source(AGENT).name, bounded)].into();
    Policy { sources, require_decision, ..Policy::default() }
}

#[test]
fn an_order_without_a_decision_is_refused_where_its_source_must_name_one_and_counted_everywhere() {
    use RequireDecision::{Agents, All, Off};
    let strategy = Source::Strategy(0);
    for (rule, source, passes) in [
        (Off, AGENT, true),
        (Off, strategy, true),
        (Off, Source::Operator, true),
        (Agents, AGENT, false),
        (Agents, strategy, true),
        (Agents, Source::Operator, true),
        (All, AGENT, false),
        (All, strategy, false),
        (All, Source::Operator, false),
    ] {
        let mut host = Host::new(Mode::Paper, Some(requires(rule)));
        let by = if source == Source::Operator { anna().name } else { Principal::of_source(source).name };
        host.propose(1, source, buy(1_000));
        let no = Some((Guard::Policy, Some(Rule::Decision)));
        assert_eq!(
            (host.refusal(), host.sent.len()),
            (if passes { None } else { no }, usize::from(passes)),
            "{rule:?}"
        );
        assert_eq!(host.state.counters.orders_without_decision(), u64::from(passes));
        let decision = host.name_decision(2, source, by.as_str(), "idea-7");
        host.propose_after(Some(decision), 2, source, buy(2_000));
        let last = host.sent.last().unwrap();
        assert_eq!((host.refusal(), last.decision(), *last.request()), (None, Some(decision), buy(2_000)), "{rule:?}");
        assert_eq!(
            (host.state.counters.decided, host.state.counters.orders_without_decision()),
            (1, u64::from(passes))
        );
        host.check();
    }
}

#[test]
fn no_order_passes_with_the_decision_of_another_or_with_none_at_all() {
    let mut host = Host::new(Mode::Paper, Some(requires(RequireDecision::All)));
    let stranger = host.name_decision(1, Source::Agent(1), "agent-1", "its-own");
    let forged = host.name_decision(1, Source::Agent(1), "agent-0", "in-another-name");
    let sent = host.state.sequence;
    for decision in [stranger, forged, 1, sent, sent + 1, 0, u64::MAX] {
        host.propose_after(Some(decision), 2, AGENT, buy(1_000));
        assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::Decision))), "{decision}");
    }
    let own = host.name_decision(3, AGENT, "agent-0", "own");
    for n in 0..255 {
        host.name_decision(3, AGENT, "agent-0", &format!("later-{n}"));
    }
    host.propose_after(Some(own), 4, AGENT, buy(1_000));
    assert_eq!(host.refusal(), None, "the oldest of 256");
    host.name_decision(5, AGENT, "agent-0", "one-more");
    host.propose_after(Some(own), 5, AGENT, buy(1_000));
    assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::Decision))), "of too long ago");
    assert!(host.state.governance.decisions.len() <= 256);
    host.check();
}

#[test]
fn what_a_strategy_decided_is_a_decision_and_a_person_may_reduce_without_one() {
    let mut host = Host::new(Mode::Paper, Some(requires(RequireDecision::All)));
    let strategy = Source::Strategy(0);
    let decision = Decision {
        instrument: InstrumentId(0),
        decider: "test".into(),
        kind: DecisionKind::Buy,
        target: None,
        reason: "it rises".into(),
        tag: None,
        signals: Vec::new(),
        version: None,
        forecast: None,
    };
    let decided = host.state.sequence + 1;
    host.say(1, strategy, EventKind::Decided(Box::new(decision)));
    host.propose_after(Some(decided), 1, Source::Strategy(1), buy(1_000));
    assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::Decision))), "it is another strategy's");
    host.propose_after(Some(decided), 1, strategy, buy(1_000));
    host.fill(2, host.sent[0]);
    host.propose(3, strategy, sell(500));
    assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::Decision))), "a strategy names one for an exit too");
    host.propose(4, Source::Operator, OrderRequest { reduce_only: true, ..sell(500) });
    assert_eq!((host.refusal(), host.sent.len()), (None, 2));
    host.check();
}

#[test]
fn what_people_approve_and_what_becomes_other_orders_follows_its_decision_to_the_last_child() {
    let policy = Policy { require_decision: RequireDecision::All, ..Policy::default() };
    let mut host = Host::new(Mode::Paper, Some(policy));
    let decision = host.name_decision(1, AGENT, "agent-0", "idea-7");
    let id = host.propose_after(Some(decision), 1, AGENT, buy(1_000));
    let held = host.held(id);
    assert_eq!((held.wish.decision, held.state), (Some(decision), ProposalState::Proposed));
    let other = Wish { decision: Some(decision + 1), ..held.wish.clone() };
    assert_ne!(other.hash(), held.hash, "whoever approves, approves the decision too");
    host.approve(2, id, anna());
    assert_eq!(host.sent[0].decision(), Some(decision));

    let idea = host.name_decision(3, Source::Operator, "anna", "idea-8");
    let schedule =
        Schedule { start: Timestamp::from_millis(4_000), every_nanos: 20_000_000_000, slices: 3, weights: Vec::new() };
    let wish = ParentWish {
        source: Source::Operator,
        portfolio: PortfolioId(0),
        request: buy(3_000),
        plan: Plan::Schedule(schedule),
        reason: "test".into(),
        entry: None,
        trade: None,
    };
    let wished = || EventKind::Parent(Box::new(ParentEvent::Wished { wish: wish.clone() }));
    host.say(3, Source::Operator, wished());
    assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::Decision))));
    host.say_after(Some(idea), 3, Source::Operator, wished());
    for second in [4, 30, 50] {
        host.trade(second, 10_000);
        host.say(second, Source::Timer, EventKind::Timer);
        host.fill(second, *host.sent.last().unwrap());
    }
    let children: Vec<_> = host.sent[1..].iter().map(Order::decision).collect();
    assert_eq!(children, vec![Some(idea); 3], "nobody is asked about a slice again");
    assert_eq!(host.state.counters.orders_without_decision(), 0);
    host.check();
}
