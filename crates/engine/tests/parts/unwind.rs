//! What must go is asked for until it is gone, and what must be closed until it is closed.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::Limits;
use tradewind_governance::{Act, Kind, Latch, Principal};
use tradewind_risk::{RiskMode, Scope};

fn refuse(stage: &mut Stage, client_id: ClientOrderId) {
    stage.venue(EventKind::CancelRefused { client_id, reason: "VEN-13: no connection".into() });
}

fn tick(stage: &mut Stage, millis: i64) {
    stage.millis = millis;
    stage.host(EventKind::Timer);
}

fn latched() -> EventKind {
    let at = Timestamp::from_millis(0);
    let reason = "odd fills".to_owned();
    let latch = Latch { by: Principal::operator().name, kind: Kind::Person, tripped_by: None, at, reason };
    EventKind::Governance(Box::new(Act::Latched { scope: "source:strategy-0".parse().unwrap(), latch }))
}

fn stops() -> [(&'static str, EventKind); 4] {
    let tripped = RiskAct::Restricted { scope: Scope::Account, mode: RiskMode::ReduceOnly, reason: "a test".into() };
    [
        ("halted", EventKind::Halted(Halt { reason: "lunch".into() })),
        ("restricted", EventKind::Restricted { reason: "a gap".into() }),
        ("latched", latched()),
        ("tripped", EventKind::Risk(Box::new(tripped))),
    ]
}

#[test]
fn whatever_stops_trading_asks_for_a_cancel_until_the_order_is_gone() {
    for (what, stop) in stops() {
        let mut stage = Stage::new(Limits::RESEARCH);
        stage.holding(1_000);
        let adds = stage.working(limit(Side::Buy, 100, 9_900));
        let protects = stage.working(limit(Side::Sell, 100, 10_100));
        stage.operator(stop);
        tick(&mut stage, 1);
        assert_eq!(stage.cancels, [adds], "{what}");
        refuse(&mut stage, adds);
        for (millis, asked) in [(4_999, 1), (5_001, 2), (10_001, 3), (15_001, 3), (69_000, 3), (70_001, 4)] {
            tick(&mut stage, millis);
            assert_eq!(stage.cancels.len(), asked, "{what}, at {millis} ms");
            if stage.status(adds) == "pending_cancel" {
                refuse(&mut stage, adds);
            }
        }
        stage.venue(EventKind::Cancelled { client_id: adds, reason: "on request".into() });
        tick(&mut stage, 200_000);
        assert_eq!((stage.cancels.len(), stage.status(protects)), (4, "open"), "{what}");
        stage.check_journal();
    }
}

#[test]
fn an_order_that_arrives_after_its_cancel_was_refused_is_cancelled_all_the_same() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.propose(limit(Side::Buy, 100, 9_900)).unwrap();
    stage.host(EventKind::Sent { client_id: id });
    stage.operator(EventKind::Halted(Halt { reason: "lunch".into() }));
    assert_eq!(stage.cancels, [id]);
    refuse(&mut stage, id); // the venue does not know it yet
    tick(&mut stage, 6_000);
    assert_eq!(stage.cancels, [id], "there is nothing to cancel as far as anybody knows");
    stage.accept(id);
    assert_eq!(stage.cancels, [id, id]);
    stage.check_journal();
}

#[test]
fn a_cancel_whose_answer_is_awaited_is_asked_for_again_only_after_a_minute() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 100, 9_900));
    stage.operator(EventKind::Halted(Halt { reason: "lunch".into() }));
    for (millis, asked) in [(6_000, 1), (59_999, 1), (60_000, 2)] {
        tick(&mut stage, millis);
        assert_eq!(stage.cancels.len(), asked, "at {millis} ms");
    }
    assert_eq!(stage.status(id), "pending_cancel");
}

#[test]
fn a_wish_to_be_flat_takes_every_order_off_and_outlives_the_process() {
    let wished = || {
        let (by, reason) = ("anna".to_owned(), "enough".to_owned());
        EventKind::Risk(Box::new(RiskAct::ExitWished { instrument: BTC, by, reason }))
    };
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let protects = stage.working(limit(Side::Sell, 100, 10_100));
    stage.say_for(PortfolioId(0), Source::Strategy(0), wished());
    assert!(stage.state.exits_due.is_empty(), "a person's to wish");
    stage.operator(wished());
    let due = |state: &State| state.exits_due.iter().map(|it| (it.portfolio, it.instrument)).collect::<Vec<_>>();
    assert_eq!(due(&stage.state), [(PortfolioId(0), BTC)]);
    tick(&mut stage, 1);
    assert_eq!(stage.cancels, [protects]);
    refuse(&mut stage, protects);
    stage.start(10);
    assert_eq!(due(&stage.folded(State::default(), 0)), [(PortfolioId(0), BTC)]);
    tick(&mut stage, 5_001);
    assert_eq!(stage.cancels, [protects, protects]);
    stage.venue(EventKind::Cancelled { client_id: protects, reason: "on request".into() });
    // the way out itself stays
    let exit = OrderRequest { reduce_only: true, ..market(Side::Sell, 1_000) };
    let way_out = stage.working(exit);
    tick(&mut stage, 20_000);
    assert_eq!((stage.cancels.len(), stage.status(way_out)), (2, "open"));
    let mut ended = stage.folded(State::default(), 0);
    let said = |kind| Event::new(ended.sequence + 1, ended.now, Source::Operator, kind);
    let resumed = said(EventKind::Resumed { reason: "go on".into() });
    let over = said(EventKind::Risk(Box::new(RiskAct::ExitEnded { instrument: BTC, reason: "flat".into() })));
    for word in [resumed, over] {
        ended.clone_from(&stage.state);
        apply(&mut ended, &word);
        assert_eq!(due(&ended), [], "{:?}", word.kind);
    }
    stage.check_journal();
}

#[test]
fn what_an_adopted_order_had_filled_before_the_books_began_is_counted_and_never_booked() {
    let (venue_id, at) = (VenueOrderId("77".into()), Timestamp::from_millis(1_000));
    let listed = |filled: i64, updated| VenueOrder {
        client_text: "by hand".to_owned(),
        venue_id: venue_id.clone(),
        instrument: BTC,
        side: Side::Buy,
        price: Some(price(9_900)),
        quantity: lots(1_000),
        filled: lots(filled),
        open: true,
        waits: false,
        terms: VenueTerms::default(),
        updated,
    };
    let mut stage = Stage::new(Limits::RESEARCH);
    for (filled, at_start) in [(400, true), (500, false)] {
        let seen = Seen { asked: at, at_start, open: vec![listed(filled, at)], trades_from: at, ..Seen::default() };
        for (_, kind) in compare(&stage.state, &Basis::of(&stage.state), &seen).facts {
            stage.venue(kind);
        }
    }
    let foreign = stage.state.foreign.values().next().unwrap().clone();
    assert_eq!((foreign.filled, foreign.earlier), (lots(500), lots(400)), "what it began with stays what it was");
    stage.is_unjudged = true; // its simple books begin at nothing
    let (client_id, request) = (foreign.client_id, limit(Side::Buy, 1_000, 9_900));
    let order = Order::as_worked(PortfolioId(0), client_id, request);
    stage.operator(EventKind::Adopted(Box::new(Adoption { order, venue_id, earlier: foreign.earlier })));
    let record = stage.state.open[&client_id].clone();
    assert_eq!((record.filled, record.booked(), record.open_quantity()), (lots(400), lots(0), lots(600)));
    assert_eq!(stage.state.open_quantities(PortfolioId(0), BTC).0, lots(600), "only what may still fill counts");

    // the venue tells of all executions: only the later ones are news
    let mut execution = |millis, quantity| {
        let fill = Fill { side: Side::Buy, ..stage.execution(client_id, quantity, 9_900) };
        (Timestamp::from_millis(millis), fill)
    };
    let fills = vec![execution(900, 100), execution(100, 300), execution(2_000, 100)];
    let standing = Standing {
        venue_id: VenueOrderId("77".into()),
        stand: Stand::Open,
        price: Some(price(9_900)),
        quantity: lots(1_000),
        filled: lots(500),
        updated: at,
    };
    for (_, kind) in (Evidence::Found { standing, fills }).facts(&record, Doubt::Order) {
        stage.venue(kind);
    }
    let record = &stage.state.open[&client_id];
    assert_eq!((stage.position(), record.filled, record.booked()), (100, lots(500), lots(100)));
    assert_eq!(record.average_price(), Some(9_900.0));
}
