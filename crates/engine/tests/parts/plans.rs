//! Plans: what may be asked of them, and what the gate is shown before any of it begins.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{ParentEvent, ParentState};
use tradewind_engine::algo::{ParentId, ParentWish, Participation, Plan, Protection, Role, Rung, Schedule};
use tradewind_engine::*;
use tradewind_gate::{Cap, Limits, Proposal};

const SECOND: i64 = 1_000_000_000;

fn wish(request: OrderRequest, plan: Plan) -> ParentWish {
    ParentWish {
        entry: None,
        trade: None,
        source: Source::Operator,
        portfolio: PortfolioId(0),
        request,
        plan,
        reason: "a test".to_owned(),
    }
}

fn twap() -> Plan {
    Plan::Schedule(Schedule::even(Timestamp::from_nanos(0), 40 * SECOND, 4))
}

#[test]
fn a_plan_that_its_order_cannot_follow_is_named_with_its_value() {
    let stage = Stage::new(Limits::RESEARCH);
    let it = &stage.state.listing(BTC).instrument;
    let resting = limit(Side::Buy, 1_000, 9_900);
    let rung = |quantity| Rung { price: price(9_900), quantity: lots(quantity) };
    let stop = OrderRequest { kind: OrderKind::Stop { trigger: price(9_000) }, ..market(Side::Sell, 1_000) };
    let protection = Protection { target: Some(price(11_000)), stop: Some(price(9_000)), stop_limit: None };
    let part = Participation { rate_bps: 100, clip: lots(1_001), until: Timestamp::from_nanos(SECOND) };
    for (request, plan, want) in [
        (OrderRequest { oco: Some(OcoGroup(1)), ..resting }, twap(), "a twap cannot have a group of its own"),
        (
            OrderRequest { time_in_force: TimeInForce::Ioc, ..resting },
            Plan::Iceberg { display: lots(100) },
            "a iceberg cannot have orders that cannot rest",
        ),
        (
            OrderRequest { time_in_force: TimeInForce::Fok, ..resting },
            Plan::Ladder { rungs: vec![rung(1_000)] },
            "a scale cannot have orders that cannot rest",
        ),
        (stop, twap(), "a twap cannot have stop orders: market or limit"),
        (stop, Plan::Participate(Participation { clip: lots(1), ..part }), "a vwap cannot have stop orders"),
        (resting, Plan::Participate(part), "a vwap cannot have a clip below zero or above its quantity"),
        (resting, Plan::Ladder { rungs: Vec::new() }, "a scale cannot have fewer than 1 or more than 100 rungs"),
        (resting, Plan::Ladder { rungs: vec![rung(10); 101] }, "a scale cannot have fewer than 1 or more than 100"),
        (resting, Plan::Ladder { rungs: vec![rung(1_000), rung(0)] }, "a scale cannot have a rung of nothing"),
        (
            OrderRequest { reduce_only: true, ..resting },
            Plan::Bracket(protection),
            "a bracket cannot have an entry that only reduces",
        ),
        (
            resting,
            Plan::Bracket(Protection { stop_limit: Some(price(9_100)), ..protection }),
            "a bracket cannot have a stop limit that is better than its stop",
        ),
    ] {
        let error = wish(request, plan).check(it).unwrap_err();
        assert!(error.to_string().starts_with(want), "{error}");
        assert_eq!(error.code(), "ENG-10");
        assert!(error.hint().contains("tradewind order --help"));
    }
    let exact = Plan::Bracket(Protection { stop_limit: Some(price(9_000)), ..protection });
    assert_eq!(wish(resting, exact).check(it), Ok(()), "a stop limit at its stop");
    assert_eq!(wish(resting, Plan::Participate(Participation { clip: lots(1_000), ..part })).check(it), Ok(()));
    assert_eq!(wish(resting, Plan::Ladder { rungs: vec![rung(10); 100] }).check(it), Ok(()));
}

#[test]
fn an_even_ladder_needs_a_rung_and_a_lot_for_each() {
    let stage = Stage::new(Limits::RESEARCH);
    let it = &stage.state.listing(BTC).instrument;
    let ladder = |total, count| Plan::even_ladder(it, lots(total), price(9_900), price(9_800), count);
    assert_eq!((ladder(10, 0), ladder(2, 3)), (None, None));
    let rung = |at, quantity| Rung { price: price(at), quantity: lots(quantity) };
    assert_eq!(ladder(1, 1), Some(Plan::Ladder { rungs: vec![rung(9_900, 1)] }));
    assert_eq!(ladder(11, 3), Some(Plan::Ladder { rungs: vec![rung(9_900, 3), rung(9_850, 3), rung(9_800, 5)] }));
}

#[test]
fn the_gate_judges_the_first_child_and_not_the_whole() {
    // 1,000 USDT an order: 100,000 lots at 100
    let limits = Limits { max_position: Cap::NONE, ..TIGHT };
    let total = limit(Side::Buy, 300_000, MARK);
    let rung = |quantity| Rung { price: price(MARK), quantity: lots(quantity) };
    let part = |clip| {
        Plan::Participate(Participation { rate_bps: 100, clip: lots(clip), until: Timestamp::from_nanos(90 * SECOND) })
    };
    let slices = |count| Plan::Schedule(Schedule::even(Timestamp::from_nanos(SECOND), 40 * SECOND, count));
    for (fits, too_large) in [
        (Plan::Iceberg { display: lots(100_000) }, Plan::Iceberg { display: lots(100_001) }),
        (
            Plan::Ladder { rungs: vec![rung(100_000), rung(200_000)] },
            Plan::Ladder { rungs: vec![rung(100_001), rung(199_999)] },
        ),
        (part(100_000), part(100_001)),
        (slices(3), slices(2)),
    ] {
        for (plan, opens) in [(fits, true), (too_large, false)] {
            let mut stage = Stage::new(limits);
            let text = format!("{plan:?}");
            stage.operator(EventKind::Parent(Box::new(ParentEvent::Wished { wish: wish(total, plan) })));
            assert_eq!(stage.state.parents.is_unused(), !opens, "{text}: {}", stage.last_refusal());
            assert!(opens || stage.last_refusal().starts_with("GATE-07"), "{text}: {}", stage.last_refusal());
        }
    }
}

#[test]
fn what_is_already_part_of_something_is_not_replaced() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let say = |stage: &mut Stage, wish| {
        stage.operator(EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
    };
    say(&mut stage, wish(limit(Side::Buy, 1_000, 9_900), Plan::Iceberg { display: lots(100) }));
    let child = stage.sent.last().unwrap().client_id();
    say(&mut stage, wish(limit(Side::Buy, 50, 9_900), Plan::Replace { old: child }));
    assert!(stage.last_refusal().contains("is a child of iceberg p1"), "{}", stage.last_refusal());
    let of_group = OrderRequest { oco: Some(OcoGroup(7)), ..limit(Side::Sell, 1_000, 10_100) };
    let old = stage.working(of_group);
    say(&mut stage, wish(limit(Side::Sell, 900, 10_100), Plan::Replace { old }));
    assert!(stage.last_refusal().contains("belongs to a group"), "{}", stage.last_refusal());
    assert!(stage.cancels.is_empty());
    stage.check_journal();
}

#[test]
fn so_many_parents_live_and_no_more() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let kind = OrderKind::Touched { trigger: price(5_000) };
    let waits = OrderRequest { kind, ..market(Side::Buy, 10) };
    for _ in 0..256 {
        stage.propose(waits);
    }
    assert_eq!(stage.state.parents.live().count(), 256, "{}", stage.last_refusal());
    stage.propose(waits);
    assert_eq!(stage.state.parents.live().count(), 256);
    assert!(stage.last_refusal().contains("256 parents live"), "{}", stage.last_refusal());
}

#[test]
fn every_word_about_a_parent_says_whose_decision_it_is_and_about_what() {
    let it = wish(limit(Side::Buy, 1_000, 9_900), twap());
    let proposal = Proposal {
        plan: None,
        source: Source::Host,
        portfolio: PortfolioId(1),
        request: market(Side::Buy, 1),
        reason: "".into(),
    };
    let (parent, role, pair) = (ParentId(3), Role::Exit, Box::new([proposal.clone(), proposal.clone()]));
    let ask = tradewind_engine::algo::Ask::Cancel;
    let to = ParentState::Working;
    for (said, decision, names, concerns) in [
        (ParentEvent::Wished { wish: it.clone() }, false, None, Some((BTC, PortfolioId(0)))),
        (ParentEvent::Asked { parent, ask, reason: String::new() }, false, Some(parent), None),
        (
            ParentEvent::Opened { parent, wish: it, behind: None, decision: None, corrections: vec![] },
            true,
            Some(parent),
            Some((BTC, PortfolioId(0))),
        ),
        (ParentEvent::Child { parent, slot: 0, role, proposal }, true, Some(parent), Some((BTC, PortfolioId(1)))),
        (
            ParentEvent::Pair { parent, slot: 0, roles: [role; 2], pair },
            true,
            Some(parent),
            Some((BTC, PortfolioId(1))),
        ),
        (ParentEvent::Moved { parent, to }, true, Some(parent), None),
    ] {
        assert_eq!((said.is_decision(), said.parent(), said.concerns()), (decision, names, concerns), "{said:?}");
    }
}
