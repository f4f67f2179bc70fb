//! What guards a position, when gate, venue or wire would not have it.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{Child, Parent, ParentId, ParentState, Plan, Protection, Role};
use tradewind_engine::*;
use tradewind_gate::Limits;

const PROTECTION: Protection = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };

/// A bracket around 1,000 lots of whose entry so much has filled; the entry is the first order, its pair the next two.
fn entered(filled: i64) -> Stage {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.wish(limit(Side::Buy, 1_000, MARK), Plan::Bracket(PROTECTION));
    let entry = stage.sent[0].client_id();
    stage.accept(entry);
    stage.fill(entry, filled, MARK);
    assert_eq!(stage.sent.len(), 3);
    stage
}

/// The newest two orders are a pair that meets `fate`, told of each as a driver does.
fn fails(stage: &mut Stage, fate: impl Fn(ClientOrderId) -> EventKind) {
    let pair: Vec<ClientOrderId> = stage.sent.iter().rev().take(2).rev().map(Order::client_id).collect();
    for client_id in &pair {
        stage.host(EventKind::Sent { client_id: *client_id });
    }
    pair.into_iter().for_each(|client_id| stage.venue(fate(client_id)));
}

fn rejected(client_id: ClientOrderId) -> EventKind {
    EventKind::Rejected { client_id, reason: "VEN-11 -1013: Filter failure: MAX_NUM_ALGO_ORDERS".into() }
}

fn unsent(client_id: ClientOrderId) -> EventKind {
    EventKind::NotSent { client_id, reason: "VEN-13: no connection".into() }
}

fn parent(stage: &Stage) -> &Parent {
    stage.state.parents.get(ParentId(1)).unwrap()
}

fn child(stage: &Stage, role: Role) -> &Child {
    parent(stage).children.iter().find(|child| child.role == role).unwrap()
}

fn tick(stage: &mut Stage, millis: i64) {
    stage.millis = millis;
    stage.mark(MARK);
    stage.host(EventKind::Timer);
}

#[test]
fn a_position_whose_pair_the_venue_rejects_is_left_at_market() {
    let mut stage = entered(1_000);
    fails(&mut stage, rejected);
    assert_eq!((parent(&stage).faults.failures, parent(&stage).guard_fault()), (1, Some("the venue rejected it")));
    tick(&mut stage, 1_000);
    let exit = *stage.sent.last().unwrap();
    assert_eq!((stage.sent.len(), *exit.kind(), exit.quantity()), (4, OrderKind::Market, lots(1_000)));
    // the way out is tried for as long as it takes, ever more rarely
    let mut millis = 1_000;
    let count = |stage: &Stage, is: fn(&OrderKind) -> bool| stage.sent.iter().filter(|it| is(it.kind())).count();
    let told = |stage: &Stage| {
        [count(stage, |kind| *kind == OrderKind::Market), count(stage, |kind| matches!(kind, OrderKind::Stop { .. }))]
    };
    let mut answered = stage.sent.len() - 1;
    let mut reject = |stage: &mut Stage| {
        while let Some(order) = stage.sent.get(answered) {
            let id = order.client_id();
            answered += 1;
            assert!(answered < 40, "each that is rejected leads to another at once");
            stage.venue(rejected(id));
        }
    };
    for wait in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000] {
        let [exits, stops] = told(&stage);
        reject(&mut stage);
        tick(&mut stage, millis + wait - 1);
        reject(&mut stage); // the stop alone, which was to stand meanwhile
        assert_eq!(told(&stage), [exits, stops + 1], "after {wait} ms");
        millis += wait;
        tick(&mut stage, millis);
        assert_eq!(told(&stage), [exits + 1, stops + 1], "after {wait} ms");
        assert_eq!(parent(&stage).state, ParentState::Working);
    }
    let id = stage.sent.iter().rev().find(|it| *it.kind() == OrderKind::Market).unwrap().client_id();
    stage.fill(id, 1_000, MARK);
    assert!(stage.position() == 0 && parent(&stage).is_over(), "{:?}", parent(&stage));
    stage.check_journal();
}

#[test]
fn a_pair_that_was_not_sent_is_tried_again_until_it_stands() {
    let mut stage = entered(1_000);
    let mut millis = 0;
    for wait in [1_000, 2_000, 4_000, 8_000] {
        fails(&mut stage, unsent);
        millis += wait;
        tick(&mut stage, millis);
        let pair: Vec<_> = stage.sent.iter().rev().take(2).map(|order| order.kind().word()).collect();
        assert_eq!(pair, ["stop", "limit"], "after {wait} ms");
    }
    assert_eq!(parent(&stage).faults.failures, 4);
    let [target, stop] = [stage.sent[9].client_id(), stage.sent[10].client_id()];
    stage.accept(target);
    stage.accept(stop);
    stage.fill(stop, 1_000, 9_000);
    assert_eq!((stage.position(), parent(&stage).guard_fault()), (0, None));
    stage.check_journal();
}

#[test]
fn what_cannot_be_protected_does_not_go_on_filling() {
    for (fate, exits) in [(rejected as fn(ClientOrderId) -> EventKind, 1), (unsent, 0)] {
        let mut stage = entered(400);
        let entry = stage.sent[0].client_id();
        fails(&mut stage, fate);
        assert_eq!(stage.cancels, [entry], "at once");
        stage.fill(entry, 100, MARK); // it was on its way
        tick(&mut stage, 2_000);
        let markets = stage.sent[3..].iter().filter(|order| *order.kind() == OrderKind::Market).count();
        assert_eq!(markets, exits);
        let covered: i64 = match exits {
            0 => child(&stage, Role::Stop(1)).quantity.mantissa(),
            _ => child(&stage, Role::Exit).quantity.mantissa(),
        };
        assert_eq!(covered, 500, "with what filled meanwhile");
        stage.check_journal();
    }
}

#[test]
fn while_it_is_not_known_whether_a_guard_stands_nothing_more_is_entered_and_the_rest_is_guarded() {
    let mut stage = entered(400);
    let (entry, pair) = (stage.sent[0].client_id(), [stage.sent[1].client_id(), stage.sent[2].client_id()]);
    for client_id in pair {
        stage.host(EventKind::Sent { client_id });
    }
    for client_id in pair {
        stage.venue(EventKind::AnswerLost { client_id, reason: "no answer".into() });
    }
    assert_eq!(stage.cancels, [entry]);
    stage.millis = 1_500;
    stage.fill(entry, 100, MARK);
    assert_eq!(stage.sent.len(), 5, "a pair of its own");
    assert_eq!(child(&stage, Role::Stop(1)).quantity, lots(100));
    stage.venue(EventKind::Cancelled { client_id: entry, reason: "on request".into() });
    assert!(!parent(&stage).is_over());
    stage.check_journal();
}

#[test]
fn a_trailing_stop_that_only_reduces_goes_on_guarding_while_trading_is_halted() {
    let trailing = |reduce_only| OrderRequest {
        kind: OrderKind::Trailing { offset: TrailingOffset::Price(price(500)), activation: None },
        reduce_only,
        ..market(Side::Sell, 600)
    };
    for reduce_only in [true, false] {
        let mut stage = Stage::new(Limits::RESEARCH);
        stage.holding(1_000);
        assert_eq!(stage.propose(trailing(reduce_only)), None, "it waits");
        stage.operator(EventKind::Halted(Halt { reason: "look".into() }));
        for at in [10_200, 9_701, 9_700] {
            assert_eq!(stage.sent.len(), 1, "above {at}");
            stage.mark(at);
        }
        assert_eq!(stage.sent.len(), 1 + usize::from(reduce_only), "{}", stage.last_refusal());
        if reduce_only {
            // it does not give up while there is something to sell
            for millis in [1_000, 3_000, 7_000] {
                let client_id = stage.sent.last().unwrap().client_id();
                let before = stage.sent.len();
                stage.venue(unsent(client_id));
                assert_eq!(parent(&stage).guard_fault(), Some("it was not sent"));
                tick(&mut stage, millis);
                assert_eq!(stage.sent.len(), before + 1, "at {millis} ms");
            }
            let id = stage.sent.last().unwrap().client_id();
            stage.fill(id, 600, 9_700);
            assert!(parent(&stage).is_over() && stage.position() == 400);
        }
        stage.check_journal();
    }
}

#[test]
fn a_waiting_order_that_has_nothing_left_to_close_gives_up() {
    let touched = OrderRequest {
        kind: OrderKind::Touched { trigger: price(10_500) },
        reduce_only: true,
        ..market(Side::Sell, 1_000)
    };
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    assert_eq!(stage.propose(touched), None);
    let sale = stage.working(market(Side::Sell, 1_000));
    stage.fill(sale, 1_000, MARK);
    for millis in [1_000, 3_000] {
        stage.millis = millis;
        stage.mark(10_500);
    }
    stage.host(EventKind::Timer);
    assert!(matches!(parent(&stage).state, ParentState::Paused { .. }), "{:?}", parent(&stage));
    stage.check_journal();
}

#[test]
fn other_terms_leave_an_order_its_portfolio_its_source_and_its_decision() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 1_000, 9_900));
    let record = stage.state.open.get_mut(&id).unwrap();
    record.order = record.order.following(Some(3));
    let whose = |stage: &Stage| {
        let order = stage.state.open[&id].order;
        (order.portfolio(), order.source(), order.decision(), order.quantity())
    };
    stage.host(EventKind::Amend { client_id: id, said: Amend::Sent { quantity: lots(700) } });
    stage.venue(EventKind::Amend { client_id: id, said: Amend::Confirmed { quantity: lots(700) } });
    assert_eq!(whose(&stage), (PortfolioId(0), Some(Source::Strategy(0)), Some(3), lots(700)));
    stage.venue(EventKind::Reworked { client_id: id, price: Some(price(9_800)), quantity: lots(600) });
    assert_eq!(whose(&stage), (PortfolioId(0), Some(Source::Strategy(0)), Some(3), lots(600)));
}

#[test]
fn an_order_that_fills_beyond_its_quantity_is_booked_counted_and_halts() {
    for last in [5, 15] {
        let mut stage = Stage::new(Limits::RESEARCH);
        let id = stage.working(limit(Side::Buy, 10, MARK));
        stage.judge.overfills = true;
        for quantity in [10, 5] {
            stage.fill(id, quantity.min(last), MARK);
        }
        let wrong = u64::from(last == 15);
        assert_eq!(stage.position(), if wrong == 1 { 15 } else { 10 }, "the venue moved the money");
        assert_eq!((stage.state.counters.contradictions, stage.state.halted.is_some()), (wrong, wrong == 1));
        stage.check_journal();
    }
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 10, MARK));
    stage.judge.overfills = true;
    stage.fill(id, 15, MARK); // in one go
    assert!(stage.state.halted.as_deref().unwrap().ends_with("filled beyond its quantity"));
}
