//! The order path: what the venue, the wire and two events at once can do to one order.

use crate::stage::{BTC, MARK, Stage, limit, lots, market, price, usdt};
use proptest::prelude::*;
use tradewind_domain::*;
use tradewind_engine::algo::Plan;
use tradewind_engine::*;
use tradewind_gate::{Guard, Limits, Proposal};

/// A position of 5 bitcoin with a target and a stop for all of it, both working.
fn protected() -> (Stage, [ClientOrderId; 2]) {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(50_000);
    let leg = |kind| OrderRequest { kind, reduce_only: true, ..market(Side::Sell, 50_000) };
    let pair = [leg(OrderKind::Limit { price: price(12_000) }), leg(OrderKind::Stop { trigger: price(9_000) })];
    let propose = |request| Proposal {
        plan: None,
        source: Source::Strategy(0),
        portfolio: PortfolioId(0),
        request,
        reason: "protection".into(),
    };
    let sent = stage.sent.len();
    stage.host(EventKind::ProposedPair { pair: Box::new(pair.map(propose)) });
    let ids = [stage.sent[sent].client_id(), stage.sent[sent + 1].client_id()];
    (stage, ids)
}

#[test]
fn a11_of_two_orders_sent_as_one_each_has_its_own_fate() {
    let (mut stage, [one, other]) = protected();
    for client_id in [one, other] {
        stage.host(EventKind::Sent { client_id });
        stage.venue(EventKind::AnswerLost { client_id, reason: "half an answer".into() });
    }
    assert_eq!((stage.status(one), stage.status(other)), ("unknown", "unknown"));
    stage.accept(one);
    assert_eq!((stage.status(one), stage.status(other)), ("open", "unknown"), "the one says nothing of the other");
    assert_eq!(stage.propose(market(Side::Buy, 1_000)), None);
    assert_eq!(stage.refusals.last().unwrap().guard, Guard::UnknownOrder, "one that is unknown still blocks");
    stage.venue(EventKind::Rejected { client_id: other, reason: "-1013 Filter failure: LOT_SIZE".into() });
    assert_eq!((stage.status(one), stage.status(other)), ("open", "rejected"));
    assert!(stage.propose(market(Side::Buy, 1_000)).is_some());
    stage.check_journal();
}

/// A resting order of 8 bitcoin that is to become one of 5 at another price.
fn replacing() -> (Stage, ClientOrderId) {
    let mut stage = Stage::new(Limits::RESEARCH);
    let old = stage.working(limit(Side::Buy, 80_000, 9_900));
    stage.wish(limit(Side::Buy, 50_000, 9_950), Plan::Replace { old });
    assert_eq!(stage.cancels, [old], "first the old one goes");
    (stage, old)
}

impl Stage {
    /// What may be bought of both the old and the new order, and what was.
    fn bought_at_most(&self) -> i64 {
        let (buys, _, _) = self.state.open_quantities(PortfolioId(0), BTC);
        self.position() + buys.mantissa()
    }

    fn passes(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.millis += 1_000;
            self.say_for(PortfolioId(0), Source::Timer, EventKind::Timer);
            assert!(self.bought_at_most() <= 80_000, "never more than the larger of the two");
        }
    }
}

#[test]
fn a12_a_replacement_done_by_half_never_stands_at_more_than_the_larger_order() {
    // the cancel was taken and the new order was not
    let (mut stage, old) = replacing();
    stage.venue(EventKind::Cancelled { client_id: old, reason: "on request".into() });
    stage.passes(5);
    assert_eq!(stage.sent.len(), 2);
    let mut refused = 0;
    while let Some(new) = stage.sent.get(1 + refused).map(Order::client_id) {
        assert_eq!(stage.state.open.len(), 1, "one at a time");
        stage.host(EventKind::Sent { client_id: new });
        stage.venue(EventKind::Rejected { client_id: new, reason: "-2010 no".into() });
        refused += 1;
        stage.passes(120);
    }
    assert_eq!((refused, stage.bought_at_most()), (2, 0), "tried once more by a new decision, then left alone");
    stage.check_journal();

    // what became of the new order is not known: it counts in full, and nothing stands in for it
    let (mut stage, old) = replacing();
    stage.venue(EventKind::Cancelled { client_id: old, reason: "on request".into() });
    stage.passes(5);
    let new = stage.sent[1].client_id();
    stage.host(EventKind::Sent { client_id: new });
    stage.venue(EventKind::AnswerLost { client_id: new, reason: "409".into() });
    stage.passes(60);
    assert_eq!((stage.sent.len(), stage.bought_at_most()), (2, 50_000));
    stage.check_journal();

    // the cancel was not taken, or nobody knows: the new order waits for the old one's end
    let (mut stage, old) = replacing();
    stage.passes(60);
    assert_eq!((stage.sent.len(), stage.bought_at_most()), (1, 80_000));
    stage.fill(old, 60_000, 9_900); // all but 2 bitcoin race the cancel
    stage.venue(EventKind::Cancelled { client_id: old, reason: "on request".into() });
    stage.passes(60);
    assert_eq!((stage.position(), stage.bought_at_most()), (60_000, 60_000), "more was bought than was wanted");
    stage.check_journal();
}

/// What the venue tells of an order of 10 bitcoin that executes `parts` of it and is cancelled meanwhile.
fn told(stage: &mut Stage, id: ClientOrderId, parts: &[i64]) -> Vec<EventKind> {
    let mut all: Vec<_> = parts.iter().map(|part| EventKind::Filled(stage.execution(id, *part, MARK - part))).collect();
    all.push(EventKind::Accepted { client_id: id, venue_id: VenueOrderId("7".into()) });
    all.push(EventKind::CancelSent { client_id: id });
    all.push(EventKind::Cancelled { client_id: id, reason: "on request".into() });
    all
}

proptest! {
    /// Whatever overtakes whatever, twice or once: every execution is booked, and the end is the same.
    #[test]
    fn a13_a_fill_that_crosses_a_cancel_is_booked_in_any_order(
        parts in proptest::collection::vec(1_i64..25, 1..5),
        keys in proptest::collection::vec(any::<u32>(), 16),
    ) {
        let mut stage = Stage::new(Limits::RESEARCH);
        let id = stage.propose(limit(Side::Buy, 100, MARK)).unwrap();
        stage.host(EventKind::Sent { client_id: id });
        let once = told(&mut stage, id, &parts);
        let mut all: Vec<_> = once.iter().cycle().take(once.len() + keys.len() % once.len()).zip(keys).collect();
        all.sort_by_key(|(_, key)| *key);
        all.into_iter().for_each(|(kind, _)| stage.venue(kind.clone()));
        let filled: i64 = parts.iter().sum();
        prop_assert_eq!(stage.position(), filled);
        prop_assert_eq!(stage.status(id), if filled == 100 { "filled" } else { "canceled" });
        prop_assert_eq!((&stage.state.halted, stage.state.counters.contradictions), (&None, 0));
        prop_assert!(stage.state.open.is_empty());
    }

    /// The venue cuts an order down while it executes: what fills stays within what was last confirmed.
    #[test]
    fn a15_an_order_fills_up_to_the_quantity_that_was_confirmed_last(
        cuts in proptest::collection::vec((1_i64..40, 0_i64..30), 1..6),
    ) {
        let mut stage = Stage::new(Limits::RESEARCH);
        let id = stage.working(limit(Side::Buy, 200, MARK));
        let (mut quantity, mut filled) = (200, 0);
        for (part, cut) in cuts {
            let part = part.min(quantity - filled);
            if part > 0 && stage.state.open.contains_key(&id) {
                stage.fill(id, part, MARK);
                filled += part;
            }
            if stage.state.open.contains_key(&id) {
                quantity = (quantity - cut).max(filled + 1);
                stage.venue(EventKind::Reworked { client_id: id, price: None, quantity: lots(quantity) });
                prop_assert_eq!(stage.state.order(id).unwrap().open_quantity().mantissa(), quantity - filled);
            }
        }
        if stage.state.open.contains_key(&id) {
            stage.fill(id, quantity - filled, MARK);
        }
        prop_assert_eq!((stage.status(id), stage.position()), ("filled", quantity));
        prop_assert_eq!(stage.state.counters.contradictions, 0);
    }
}

#[test]
fn a14_a_cancel_nobody_answered_is_pending_until_the_order_is_seen_and_may_be_asked_again() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 100, 9_900));
    stage.operator(EventKind::CancelProposed { client_id: id });
    assert_eq!((stage.status(id), stage.cancels.len()), ("pending_cancel", 1));
    stage.venue(EventKind::AnswerLost { client_id: id, reason: "cut".into() });
    stage.millis += 3_600_000;
    stage.say_for(PortfolioId(0), Source::Timer, EventKind::Timer);
    assert_eq!((stage.status(id), stage.cancels.len()), ("pending_cancel", 1), "it counts, and nothing is guessed");
    assert_eq!(stage.state.order(id).unwrap().open_quantity(), lots(100));
    stage.operator(EventKind::CancelProposed { client_id: id });
    assert_eq!((stage.status(id), stage.cancels.len()), ("pending_cancel", 2), "asking twice does no harm");
    // the venue does not know the order any more, because the first cancel was taken
    stage.venue(EventKind::CancelRefused { client_id: id, reason: "-2011 Unknown order sent.".into() });
    assert_eq!(stage.status(id), "open", "that alone ends nothing");
    stage.venue(EventKind::Cancelled { client_id: id, reason: "on request".into() });
    stage.operator(EventKind::CancelProposed { client_id: id });
    assert_eq!((stage.status(id), stage.cancels.len()), ("canceled", 2));
    assert_eq!(stage.state.counters.contradictions, 0);
    stage.check_journal();
}

#[test]
fn a15_an_order_made_smaller_in_its_place_counts_in_full_until_the_venue_confirms() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 100, 9_900));
    let amend = |said| EventKind::Amend { client_id: id, said };
    let open = |stage: &Stage| stage.state.open_quantities(PortfolioId(0), BTC).0;
    stage.venue(EventKind::Halted(Halt { reason: "a halt lets what only takes away pass".to_owned() }));
    assert_eq!(stage.status(id), "pending_cancel", "a halt cancels what adds exposure");
    stage.venue(EventKind::CancelRefused { client_id: id, reason: "-2011".into() });
    stage.operator(amend(Amend::Proposed { quantity: lots(40) }));
    assert_eq!((stage.status(id), open(&stage)), ("pending_update", lots(100)));
    stage.venue(EventKind::AnswerLost { client_id: id, reason: "cut".into() });
    assert_eq!((stage.status(id), open(&stage)), ("pending_update", lots(100)), "nothing is guessed");
    stage.fill(id, 30, 9_900);
    assert_eq!(open(&stage), lots(70), "what races it is booked");
    stage.venue(amend(Amend::Confirmed { quantity: lots(40) }));
    assert_eq!((stage.status(id), open(&stage), stage.state.amending.len()), ("partially_filled", lots(10), 0));
    stage.operator(amend(Amend::Proposed { quantity: lots(35) }));
    stage.venue(amend(Amend::Refused { reason: "-2038".to_owned() }));
    assert_eq!((stage.status(id), open(&stage)), ("partially_filled", lots(10)), "it stays as it was");
    stage.operator(amend(Amend::Proposed { quantity: lots(35) }));
    stage.fill(id, 10, 9_900);
    assert_eq!((stage.status(id), stage.position(), stage.state.amending.len()), ("filled", 40, 0));
    stage.venue(amend(Amend::Refused { reason: "-2013".to_owned() }));
    assert_eq!((stage.status(id), stage.state.counters.contradictions), ("filled", 0));
    stage.check_journal();
}

#[test]
fn only_less_of_a_limit_order_that_stands_alone_is_asked_for() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 100, 9_900));
    stage.fill(id, 30, 9_900);
    for quantity in [100, 150, 30, 20, 0, -5] {
        stage.operator(EventKind::Amend { client_id: id, said: Amend::Proposed { quantity: lots(quantity) } });
        assert_eq!(stage.status(id), "partially_filled", "{quantity}");
    }
    let unknown = ClientOrderId::from_u128(77);
    stage.operator(EventKind::Amend { client_id: unknown, said: Amend::Proposed { quantity: lots(1) } });
    let (mut protected, [target, stop]) = protected();
    for leg in [target, stop] {
        let before = protected.status(leg);
        protected.operator(EventKind::Amend { client_id: leg, said: Amend::Proposed { quantity: lots(1_000) } });
        assert_eq!((protected.status(leg), protected.state.amending.len()), (before, 0));
    }
    assert_eq!((stage.state.amending.len(), stage.state.counters.contradictions), (0, 0));
    stage.check_journal();
}

#[test]
fn a16_a_rejection_by_new_rules_is_final_and_the_next_decision_obeys_them() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let request = limit(Side::Buy, 105, 9_905);
    let id = stage.propose(request).unwrap();
    stage.host(EventKind::Sent { client_id: id });
    stage.venue(EventKind::Rejected { client_id: id, reason: "VEN-09 -1013: Filter failure: LOT_SIZE".into() });
    stage.millis += 60_000;
    stage.say_for(PortfolioId(0), Source::Timer, EventKind::Timer);
    assert_eq!((stage.status(id), stage.sent.len()), ("rejected", 1), "nothing tries again by itself");
    let mut spec = stage.state.listing(BTC).instrument.spec.clone();
    (spec.lot, spec.min_quantity, spec.tick) = (lots(10), lots(10), price(10));
    stage.venue(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
    assert_eq!(stage.propose(request), None, "the same order would break the same rule");
    assert_eq!(stage.refusals.last().unwrap().guard, Guard::Order);
    assert_eq!(stage.propose(limit(Side::Buy, 100, 9_905)), None, "{}", stage.last_refusal());
    assert!(stage.propose(limit(Side::Buy, 100, 9_900)).is_some());
    stage.check_journal();
}

#[test]
fn a17_an_order_that_would_have_met_our_own_ends_with_the_venues_reason_and_no_fault() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 100, MARK));
    stage.fill(id, 30, MARK);
    stage.venue(EventKind::Cancelled { client_id: id, reason: "EXPIRED_IN_MATCH".into() });
    assert_eq!((stage.status(id), stage.position()), ("canceled", 30));
    let counters = stage.state.counters;
    assert_eq!((counters.rejected, counters.contradictions, &stage.state.halted), (0, 0, &None));
    assert_eq!(stage.state.open_quantities(PortfolioId(0), BTC), (lots(0), lots(0), 0));
}

#[test]
fn a18_an_order_worked_at_other_terms_counts_at_the_venues() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 100, 9_900));
    let reworked = EventKind::Reworked { client_id: id, price: Some(price(9_800)), quantity: lots(250) };
    stage.venue(reworked);
    let record = stage.state.order(id).unwrap();
    assert_eq!((record.order.kind().limit(), record.open_quantity()), (Some(price(9_800)), lots(250)));
    assert_eq!(stage.state.open_quantities(PortfolioId(0), BTC).0, lots(250), "the gate sees what may fill");
    stage.fill(id, 250, 9_800);
    assert_eq!((stage.status(id), stage.position()), ("filled", 250));
    assert_eq!(stage.state.counters.contradictions, 0);
    stage.check_journal();
}

#[test]
fn a19_an_order_that_had_to_fill_at_once_and_did_not_is_over_however_the_venue_says_it() {
    let id = ClientOrderId::from_u128(0);
    for end in [
        EventKind::Rejected { client_id: id, reason: "-2010 Order would not fill at once.".into() },
        EventKind::Cancelled { client_id: id, reason: "EXPIRED".into() },
        EventKind::Expired { client_id: id, evidence: None },
    ] {
        for force in [TimeInForce::Ioc, TimeInForce::Fok] {
            let mut stage = Stage::new(Limits::RESEARCH);
            let request = OrderRequest { time_in_force: force, ..limit(Side::Buy, 900_000, 9_900) };
            let id = stage.propose(request).unwrap();
            stage.host(EventKind::Sent { client_id: id });
            let end = match &end {
                EventKind::Rejected { reason, .. } => EventKind::Rejected { client_id: id, reason: reason.clone() },
                EventKind::Cancelled { reason, .. } => EventKind::Cancelled { client_id: id, reason: reason.clone() },
                _ => EventKind::Expired { client_id: id, evidence: None },
            };
            stage.venue(end);
            let record = stage.state.order(id).unwrap();
            assert!(!record.state.is_open() && record.filled.is_zero() && stage.position() == 0);
            let cash = stage.state.portfolio(PortfolioId(0)).units(usdt());
            assert_eq!(cash, 10_000 * 100_000_000);
            assert!(stage.propose(request).is_some(), "its money is free again");
        }
    }
}

#[test]
fn a20_when_target_and_stop_both_fill_the_surplus_is_shown_and_brought_back() {
    let (mut stage, [target, stop]) = protected();
    for id in [target, stop] {
        stage.host(EventKind::Sent { client_id: id });
        stage.accept(id);
    }
    stage.fill(target, 50_000, 12_000);
    assert_eq!((stage.cancels.as_slice(), &stage.state.reduce_only), (&[stop][..], &None));
    let sent = stage.sent.len();
    stage.fill(stop, 50_000, 9_000); // in the same instant: the cancel came too late
    assert_eq!(stage.position(), -50_000, "nothing is hidden");
    let back = stage.sent[sent];
    assert_eq!((back.side(), back.quantity(), back.request().reduce_only), (Side::Buy, lots(50_000), true));
    let proposed = |record: &Vec<u8>| match decode(record).unwrap().kind {
        EventKind::Proposed(proposal) if proposal.source == Source::Host => Some(proposal.reason.into_owned()),
        _ => None,
    };
    let reasons: Vec<_> = stage.journal.iter().filter_map(proposed).collect();
    assert_eq!(reasons, ["both orders of a group filled: what is too much is brought back"], "said once, aloud");
    stage.fill(back.client_id(), 50_000, 9_010);
    assert_eq!((stage.position(), stage.sent.len()), (0, sent + 1));
    stage.check_journal();

    // a part of each, together no more than was to be sold: that is no surplus
    let (mut stage, [target, stop]) = protected();
    for id in [target, stop] {
        stage.host(EventKind::Sent { client_id: id });
        stage.accept(id);
    }
    stage.fill(target, 20_000, 12_000);
    stage.fill(stop, 30_000, 9_000);
    assert_eq!((stage.position(), stage.sent.len()), (0, 3), "the entry, and the two");
}
