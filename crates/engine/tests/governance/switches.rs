//! What a kill switch stops and cancels.

use crate::stage::*;

#[test]
fn a_kill_switch_of_one_venue_stops_its_orders_and_cancels_what_adds() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let price = Price::from_mantissa(9_000);
    host.propose(
        1,
        Source::Strategy(0),
        OrderRequest::limit(InstrumentId(0), Side::Buy, Quantity::from_mantissa(100), price),
    );
    host.say(1, Source::Host, EventKind::Sent { client_id: host.sent[0].client_id() });
    let latch = |reason: &str| Latch {
        by: anna().name,
        kind: Kind::Person,
        tripped_by: None,
        at: Timestamp::from_millis(2_000),
        reason: reason.into(),
    };
    host.act(2, Act::Latched { scope: "venue:other".parse().unwrap(), latch: latch("not here") });
    host.propose(2, Source::Strategy(0), buy(100));
    assert_eq!((host.sent.len(), host.cancels), (2, 0));
    host.act(3, Act::Latched { scope: "venue:test".parse().unwrap(), latch: latch("odd fills") });
    host.propose(3, Source::Strategy(0), buy(100));
    assert_eq!((host.refusal(), host.sent.len(), host.cancels), (Some((Guard::Halt, None)), 2, 2));
    host.start(4, 11, Mode::Paper);
    host.propose(4, Source::Strategy(0), buy(100));
    assert_eq!(host.sent.len(), 2); // it outlives a restart
    host.act(5, Act::ClearSaid { scope: "venue:test".parse().unwrap(), by: ben(), reason: "explained".into() });
    assert!(host.state.governance.latched(AGENT, None, AccountId(0), "test").is_none());
    host.check();
}

#[test]
fn a_kill_switch_of_one_source_cancels_what_it_added_and_leaves_protection_and_others_alone() {
    let mut host = Host::holding(Policy::default());
    let bid = |quantity| {
        OrderRequest::limit(InstrumentId(0), Side::Buy, Quantity::from_mantissa(quantity), Price::from_mantissa(9_000))
    };
    let stop = OrderRequest { kind: OrderKind::Stop { trigger: Price::from_mantissa(8_000) }, ..sell(100) };
    host.propose(2, Source::Strategy(0), bid(100));
    host.propose(2, Source::Strategy(1), bid(200));
    host.propose(2, Source::Strategy(0), OrderRequest { reduce_only: true, ..stop });
    host.propose(2, Source::Operator, bid(300));
    for order in host.sent.clone() {
        host.say(2, Source::Host, EventKind::Sent { client_id: order.client_id() });
    }
    let sources: Vec<_> = host.sent.iter().map(|order| order.source()).collect();
    let strategy = |place| Some(Source::Strategy(place));
    assert_eq!(sources, [strategy(0), strategy(1), strategy(0), Some(Source::Operator)]);
    let latch = Latch {
        by: anna().name,
        kind: Kind::Person,
        tripped_by: None,
        at: Timestamp::from_millis(3_000),
        reason: "odd fills".into(),
    };
    host.act(3, Act::Latched { scope: "source:strategy-0".parse().unwrap(), latch });
    let asked = |host: &Host| -> Vec<ClientOrderId> {
        let records = host.journal.iter().map(|record| decode(record).unwrap().kind);
        let asked = records.filter_map(|kind| match kind {
            EventKind::CancelProposed { client_id } => Some(client_id),
            _ => None,
        });
        asked.collect()
    };
    assert_eq!(asked(&host), [host.sent[0].client_id()], "its bid, and neither its stop nor another's bid");
    host.propose(4, Source::Strategy(0), bid(100));
    assert_eq!(host.refusal(), Some((Guard::Halt, None)));
    host.propose(4, Source::Strategy(1), bid(100));
    assert_eq!(host.sent.len(), 5);
    host.check();
}

#[test]
fn a_kill_switch_over_a_person_cancels_what_it_added_and_stops_it_and_nobody_else() {
    let mut host = Host::holding(Policy::default());
    let bid = |quantity| {
        OrderRequest::limit(InstrumentId(0), Side::Buy, Quantity::from_mantissa(quantity), Price::from_mantissa(9_000))
    };
    let by = |host: &mut Host, person: Principal| host.spoken = Some(Spoken { by: Some(person.name), key: None });
    let before = host.sent.len();
    host.propose(2, Source::Operator, bid(100));
    by(&mut host, ben());
    host.propose(2, Source::Operator, bid(200));
    by(&mut host, ben());
    host.wish(2, Source::Operator, bid(300), twap(2, 30, 3));
    let ours: Vec<ClientOrderId> = host.sent[before..].iter().map(|order| order.client_id()).collect();
    for client_id in ours.clone() {
        host.say(2, Source::Host, EventKind::Sent { client_id });
    }
    assert_eq!(ours.len(), 3);
    let latch =
        Latch { by: anna().name, kind: Kind::Person, tripped_by: None, at: Timestamp::default(), reason: "x".into() };
    host.act(3, Act::Latched { scope: "source:ben".parse().unwrap(), latch });
    let records = host.journal.iter().map(|record| decode(record).unwrap().kind);
    let asked: std::collections::BTreeSet<_> = records
        .filter_map(|kind| match kind {
            EventKind::CancelProposed { client_id } => Some(client_id),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ours[1..].iter().copied().collect(), "what ben added, his schedule's included");
    by(&mut host, ben());
    host.propose(4, Source::Operator, bid(100));
    assert_eq!(host.refusal(), Some((Guard::Halt, None)));
    let sent = host.sent.len();
    host.propose(4, Source::Operator, bid(100));
    assert_eq!((host.refusal(), host.sent.len()), (None, sent + 1), "anna's goes");
    host.check();
}

#[test]
fn a_parent_stands_still_while_a_kill_switch_is_on_over_its_source() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    host.wish(1, Source::Strategy(0), buy(300), twap(1, 30, 3));
    host.fill_last(1);
    let scope: Scope = "source:strategy-0".parse().unwrap();
    let latch =
        Latch { by: anna().name, kind: Kind::Person, tripped_by: None, at: Timestamp::default(), reason: "x".into() };
    host.act(2, Act::Latched { scope: scope.clone(), latch });
    host.timer(12);
    host.timer(14);
    assert_eq!((host.sent.len(), host.parent().faults.failures), (1, 0), "it waits rather than be refused");
    host.act(15, Act::ClearSaid { scope, by: ben(), reason: "explained".into() });
    host.timer(16);
    assert_eq!(host.sent.len(), 2);
    host.check();
}
