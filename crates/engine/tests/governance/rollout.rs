//! The stages of a roll-out, and what counts against them.

use crate::stage::*;

#[test]
fn a_stage_caps_gross_exposure_to_the_lot_at_every_stage() {
    // one unit of the smallest quantity costs a hundredth
    for (place, lots) in [(0, 10_000), (1, 100_000)] {
        let mut host = Host::new(Mode::Paper, Some(Policy::default()));
        let half = lots / 2;
        host.stage(1, None, Some(place), Principal::of_source(Source::Host));
        host.propose(2, Source::Operator, buy(half));
        host.fill(2, host.sent[0]);
        host.propose(3, Source::Operator, buy(half + 1));
        assert_eq!((host.refusal(), host.sent.len()), (Some((Guard::Policy, Some(Rule::Stage))), 1), "stage {place}");
        host.propose(4, Source::Operator, buy(half));
        assert_eq!(host.sent.len(), 2, "to the last lot of stage {place}");
        host.propose(5, Source::Strategy(0), buy(1));
        assert_eq!(host.refusal(), Some((Guard::Policy, Some(Rule::Stage))), "open orders count");
        host.fill(5, host.sent[1]);
        host.start(6, 10, Mode::Paper);
        host.propose(7, Source::Operator, buy(1));
        assert!(host.refusal().is_some(), "it outlives a restart");
        host.propose(8, Source::Operator, OrderRequest { reduce_only: true, ..sell(half) });
        assert_eq!(host.sent.len(), 3, "nobody is locked in");
        host.check();
    }
}

#[test]
fn what_a_rollout_sees_is_folded_from_the_events_and_opens_the_next_stage() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    host.stage(1, None, Some(0), Principal::of_source(Source::Host));
    assert_eq!(host.seen(), TrackRecord::default());
    let usdt = Currency::new("USDT").unwrap();
    host.say(1, Source::Venue, EventKind::Deposited(Money::parse("500", usdt).unwrap()));
    assert_eq!(host.seen().result_bps, 0, "money that came in is no gain");
    for day in 0..7 {
        let second = 10 + day * 86_400;
        for _ in 0..3 {
            host.propose(second, Source::Operator, buy(100));
            host.fill(second, *host.sent.last().unwrap());
        }
    }
    // 2,100 lots, a hundredth each: up a tenth and down to where it began, a fifth of it up again
    host.trade(7 * 86_400, 11_000);
    host.trade(7 * 86_400, 10_000);
    host.trade(7 * 86_400, 10_200);
    let want = TrackRecord { days: 7, fills: 21, drawdown_bps: 205, result_bps: 42, incidents: 0 };
    assert_eq!(host.seen(), want);
    let id = host.stage(7 * 86_400, Some(0), Some(1), anna());
    assert_eq!(host.state.governance.stage().unwrap().name, "100");
    host.act(7 * 86_400 + 1, Act::ChangeAnswered { change: id, by: ben(), yes: true });
    assert_eq!(host.state.governance.stage().unwrap().name, "1000");
    assert_eq!(host.seen(), TrackRecord::default());
    host.check();
}

#[test]
fn halts_kill_switches_drifts_and_orders_of_other_hands_are_incidents_each_once() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    host.say(1, Source::Operator, EventKind::Halted(Halt { reason: "before".into() }));
    host.say(1, Source::Operator, EventKind::Resumed { reason: "before".into() });
    host.stage(1, None, Some(0), Principal::of_source(Source::Host));
    let drift = || vec![Drift { what: "balance BTC".into(), ours: "1".into(), venue: "2".into() }];
    let latch =
        Latch { by: anna().name, kind: Kind::Person, tripped_by: None, at: Timestamp::default(), reason: "x".into() };
    let halt = || EventKind::Halted(Halt { reason: "look".into() });
    let compared = |drifts| EventKind::Compared { through: Timestamp::from_millis(0), drifts, at_start: false };
    let scope = "venue:other".parse().unwrap();
    let foreign = ForeignOrder {
        client_id: ClientOrderId::from_u128(77),
        client_text: "typed".into(),
        venue_id: VenueOrderId("9".into()),
        instrument: InstrumentId(0),
        side: Side::Buy,
        price: None,
        quantity: Quantity::from_mantissa(1),
        filled: Quantity::ZERO,
        earlier: Quantity::ZERO,
        open: true,
        waits: false,
        terms: VenueTerms::default(),
    };
    let mut incidents = 0;
    for (kind, more) in [
        (halt(), 1),
        (halt(), 0), // it is halted already
        (EventKind::Resumed { reason: "fine".into() }, 0),
        (compared(Vec::new()), 0),
        (compared(drift()), 1),
        (EventKind::Reconciled { drifts: Vec::new() }, 0),
        (EventKind::Reconciled { drifts: drift() }, 1),
        (EventKind::Governance(Box::new(Act::Latched { scope, latch })), 1),
        (EventKind::Foreign(Box::new(foreign.clone())), 1),
        (EventKind::Foreign(Box::new(foreign)), 0), // the same one again
    ] {
        incidents += more;
        let text = format!("{kind:?}");
        host.say(2, Source::Venue, kind);
        assert_eq!(host.seen().incidents, incidents, "{text}");
    }
    host.stage(3, Some(0), Some(0), Principal::of_source(Source::Host));
    assert_eq!(host.seen().incidents, 0, "begun anew");
    host.check();
}
