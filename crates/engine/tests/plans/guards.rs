//! What guards a position that one order entered: while it fails, is refused, makes way or has nothing left to guard.

use super::*;
use tradewind_engine::algo::Role;

impl Host {
    /// A bracket around an order of 1,000, whose pair stands.
    fn with_bracket(mut self) -> Self {
        self.trade(buy(1_000), Some(ends()));
        self.seconds(3);
        self
    }

    /// A purchase of the same account that a way out would meet, which the gate refuses however often it is asked.
    fn purchase_beside(&mut self) -> Order {
        let beside = OrderRequest::limit(BTC, Side::Buy, lots(100), price(9_990));
        self.propose_as(Source::Operator, beside, None).unwrap()
    }

    /// So many seconds pass; gives back at the end of how many of them no stop stood.
    fn bare_seconds(&mut self, count: usize) -> usize {
        let mut bare = 0;
        for _ in 0..count {
            self.seconds(1);
            bare += usize::from(self.stops().is_empty());
        }
        bare
    }

    /// Forty minutes pass; gives back the most orders that its plan kept meanwhile.
    fn most_orders(&mut self) -> usize {
        let kept = (0..60).map(|_| {
            self.seconds(40);
            self.parent().children.len()
        });
        kept.max().unwrap()
    }

    /// The execution that was told last.
    fn newest_fill(&self) -> Fill {
        let booked = |record: &Vec<u8>| match decode(record).unwrap().kind {
            EventKind::Filled(fill) => Some(fill),
            _ => None,
        };
        self.journal.iter().rev().find_map(booked).unwrap()
    }
}

#[test]
fn what_a_guard_was_asked_to_close_is_not_sold_beside_it() {
    let mut host = host(Limits::RESEARCH, None).with_bracket();
    assert_eq!(host.stops(), [1_000]);
    host.propose(sell(1_000), None).unwrap();
    assert!(host.exits().is_empty(), "while the pair may fill");
    host.propose(sell(1_000), None).unwrap_err();
    host.cancels_are_done();
    assert_eq!(
        (host.standing(), host.exits()),
        (vec!["sell 1000 market".to_owned()], vec![1_000]),
        "as soon as it is gone"
    );
    host.propose(sell(1_000), None).unwrap_err();
    host.exit_fills(1_000);
    host.seconds(3);
    assert_eq!((host.held(), host.over().0), (0, ParentEnd::Finished));
    host.check_journal();
}

#[test]
fn it_is_over_where_another_order_closed_what_it_was_asked_to() {
    let mut host = host_on(CONTRACT, Limits::RESEARCH, None).with_bracket();
    let beside = host.propose(OrderRequest::limit(BTC, Side::Sell, lots(1_000), price(10_100)), None).unwrap();
    host.leave(1_000);
    host.cancels_are_done();
    host.fill(&beside, 1_000, 10_100);
    host.seconds(5);
    assert_eq!((host.held(), host.over().0), (0, ParentEnd::Finished));
    host.trade(buy(1_000), None);
    host.seconds(5);
    assert_eq!(host.held(), 1_000, "it does not sell what is bought later");
    assert!(host.exits().is_empty());
    host.check_journal();
}

#[test]
fn an_order_that_turns_a_contract_over_is_no_exit() {
    let mut host = host_on(CONTRACT, Limits::RESEARCH, None);
    host.trade(buy(700), Some(ends()));
    host.seconds(3);
    let turned = host.propose(sell(1_400), None).unwrap();
    assert_eq!(turned.quantity(), lots(1_400), "judged as a whole");
    assert_eq!(host.stops(), [700], "and no guard was asked to make way");
}

#[test]
fn guards_stand_while_no_exit_could_be_asked_for() {
    let mut host = shipped(Profile::Moderate).with_bracket();
    host.millis += 60_000; // the market feed is gone
    host.leave(1_000);
    host.cancels_are_done();
    assert_eq!(host.stops(), [1_000], "no exit goes on an old price");
    host.seconds(4); // it is back
    assert_eq!((host.stops(), host.newest_exit().quantity()), (vec![], lots(1_000)));
    host.check_journal();
}

#[test]
fn a_pair_stands_again_until_a_refused_exit_is_tried_again() {
    for keeper in [false, true] {
        let mut host = shipped(Profile::Moderate);
        if keeper {
            host = host.with_slices(1);
            host.buys_fill();
        } else {
            host.trade(buy(1_000), Some(ends()));
        }
        host.seconds(3);
        let beside = host.purchase_beside();
        host.leave(1_000);
        let bare = host.bare_seconds(60);
        assert_eq!(host.refusals.pop().map(|it| it.breach), Some(Some(Guard::SelfMatch)));
        assert!(bare <= 6, "{bare} of 60 seconds without a stop");
        assert_eq!((host.held(), host.stops()), (1_000, vec![1_000]));
        assert!(host.parent().guard_fault().is_some_and(|why| why.contains("RSK-22")), "{:?}", host.parent().exit);
        host.cancelled(beside.client_id());
        host.seconds(40);
        assert_eq!((host.newest_exit().quantity(), host.stops()), (lots(1_000), vec![]));
        host.exit_fills(1_000);
        host.seconds(3);
        assert_eq!((host.held(), host.parent().guard_fault()), (0, None));
        host.check_journal();
    }
}

#[test]
fn what_another_hand_may_sell_is_neither_guarded_nor_left_a_second_time() {
    let mut host = host(Limits::RESEARCH, None);
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.other_hand_sells(300, true);
    host.fill(&entry, 1_000, 10_000);
    host.seconds(3);
    assert_eq!((host.stops(), host.exits()), (vec![700], vec![]));
    host.leave(1_000);
    host.seconds(3);
    assert_eq!((host.exits(), host.stops()), (vec![700], vec![]));
    host.exit_fills(700);
    host.seconds(5);
    assert_eq!((host.held(), host.exits(), host.standing()), (300, vec![700], vec![]), "the other hand has the rest");
    host.other_hand_sells(300, false);
    host.seconds(3);
    assert_eq!(host.exits(), [700, 300], "it was taken back");
    host.exit_fills(300);
    host.seconds(3);
    assert_eq!((host.held(), host.over().0), (0, ParentEnd::Finished));
    assert!(host.refusals.is_empty(), "nothing was asked for twice: {:?}", host.refusals);
    host.check_journal();
}

#[test]
fn what_nothing_guards_because_another_hand_may_take_it_is_told() {
    let mut host = host(Limits::RESEARCH, None);
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.other_hand_sells(1_000, true);
    host.fill(&entry, 1_000, 10_000);
    host.seconds(3);
    assert_eq!((host.stops(), host.state.guard_fault(host.parent())), (vec![], Some("another hand may take it")));
    host.other_hand_sells(1_000, false);
    host.seconds(3);
    assert_eq!((host.stops(), host.state.guard_fault(host.parent())), (vec![1_000], None));
    host.other_hand_sells(1_000, true);
    assert_eq!(host.state.guard_fault(host.parent()), None, "a pair stands for it");
    host.check_journal();
}

#[test]
fn a_pair_that_stands_is_not_taken_back_for_another_hand() {
    let mut host = host(Limits::RESEARCH, None).with_bracket();
    host.other_hand_sells(300, true);
    host.seconds(10);
    assert_eq!(host.stops(), [1_000]);
    host.leave(400);
    host.seconds(3);
    let exit = host.newest_exit();
    host.fill(&exit, exit.quantity().mantissa(), 10_000);
    host.seconds(3);
    assert_eq!((host.exits(), host.stops(), host.held()), (vec![400], vec![300], 600));
    host.other_hand_sells(300, false);
    host.seconds(3);
    assert_eq!(host.stops(), [300, 300], "what it does not sell is guarded");
    host.other_hand_sells(600, true);
    host.leave(600);
    host.seconds(10);
    assert_eq!((host.stops(), host.exits()), (vec![300, 300], vec![400]), "there is nothing to leave for");
    host.check_journal();
}

#[test]
fn what_a_reversed_execution_gives_back_is_guarded_again() {
    let mut host = host(Limits::RESEARCH, None);
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.fill(&entry, 400, 10_000);
    host.seconds(3);
    let stop = host.newest_stop();
    host.fill(&entry, 600, 10_000);
    host.seconds(3);
    assert_eq!(host.stops(), [400, 600]);
    host.fill(&stop, 400, ENDS[0]);
    host.seconds(3);
    assert_eq!((host.held(), host.stops()), (600, vec![600]));
    let fill = host.newest_fill();
    host.say(Source::Venue, EventKind::Reversed(fill));
    host.seconds(3);
    assert_eq!((host.held(), host.stops(), host.exits()), (1_000, vec![400, 600], vec![]));
    host.check_journal();
}

#[test]
fn what_a_fee_took_of_an_execution_that_is_reversed_is_there_again() {
    let mut host = host(Limits::RESEARCH, None);
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.fill_less_fee(&entry, 400, 10_000, "0.0010");
    let taken = |host: &Host| host.parent().children[0].fee_taken;
    assert_eq!((host.held(), taken(&host)), (390, lots(10)));
    let fill = host.newest_fill();
    for _ in 0..2 {
        host.say(Source::Venue, EventKind::Reversed(fill)); // told twice, it is taken back once
        assert_eq!((host.held(), taken(&host)), (0, lots(0)));
    }
    host.seconds(3);
    host.fill(&entry, 1_000, 10_000);
    host.seconds(3);
    assert_eq!((host.held(), host.stops()), (1_000, vec![1_000]));
    host.check_journal();
}

#[test]
fn an_exit_that_stays_refused_leaves_no_more_than_so_many_orders_with_its_plan() {
    let mut host = shipped(Profile::Moderate).with_bracket();
    let beside = host.purchase_beside();
    host.leave(1_000);
    let most = host.most_orders();
    assert!(most <= 70, "{most} orders of {}", host.parent().proposed());
    assert!(host.parent().proposed() > 150, "{} were asked for", host.parent().proposed());
    assert_eq!((host.held(), host.exits()), (1_000, vec![]));
    host.cancelled(beside.client_id());
    host.seconds(40);
    assert_eq!((host.exits(), host.stops()), (vec![1_000], vec![]));
    host.check_journal();
}

#[test]
fn an_exit_that_the_venue_goes_on_rejecting_leaves_no_more_than_so_many_orders_with_its_plan() {
    let mut host = host(Limits::RESEARCH, None).with_bracket();
    host.fate = Fate::Rejected;
    host.leave(1_000);
    let most = host.most_orders();
    assert!(most <= 70, "{most} orders of {}", host.parent().proposed());
    assert!(host.parent().proposed() > 120, "{} were asked for", host.parent().proposed());
    host.fate = Fate::Taken;
    host.seconds(40);
    assert_eq!((host.held(), host.standing()), (1_000, vec!["sell 1000 market".to_owned()]));
    host.check_journal();
}

/// The proof that an order never came to the venue.
fn absence() -> Box<Absence> {
    let at = Timestamp::from_millis(0);
    let reads = Reads { count: 3, first: at, last: at };
    Box::new(Absence {
        not_before: at,
        fence: at,
        backend_timeout: 0,
        clock_error: 0,
        stream_since: at,
        order: reads,
        open_orders: reads,
        history: reads,
        trades: reads,
        policy: "test".to_owned(),
    })
}

#[test]
fn a_pair_that_is_proven_absent_is_asked_for_again_and_nothing_is_left() {
    let mut host = host(Limits::RESEARCH, None);
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.fate = Fate::AnswerLost;
    host.fill(&entry, 1_000, 10_000);
    host.fate = Fate::Taken;
    host.seconds(3);
    let unknown: Vec<_> = host.state.open.keys().copied().collect();
    assert_eq!(unknown.len(), 2);
    for client_id in unknown {
        host.say(Source::Host, EventKind::Expired { client_id, evidence: Some(absence()) });
    }
    host.seconds(4);
    assert_eq!((host.held(), host.stops(), host.exits()), (1_000, vec![1_000], vec![]));
    host.check_journal();
}

#[test]
fn a_stop_stands_alone_where_the_venue_would_not_have_the_pair_and_the_way_out_is_refused() {
    for keeper in [false, true] {
        let mut host = shipped(Profile::Moderate);
        let entry = if keeper {
            host = host.with_slices(1);
            host.sent[0]
        } else {
            host.propose(buy(1_000), Some(ends())).unwrap()
        };
        let beside = host.purchase_beside();
        host.fate = Fate::Rejected;
        host.fill(&entry, 1_000, 10_000);
        host.fate = Fate::Taken;
        let bare = host.bare_seconds(60);
        assert_eq!(host.refusals.pop().map(|it| it.breach), Some(Some(Guard::SelfMatch)));
        assert!(bare <= 8, "{bare} of 60 seconds without a stop");
        assert_eq!((host.held(), host.exits()), (1_000, vec![]));
        host.cancelled(beside.client_id());
        host.seconds(40);
        assert_eq!((host.exits(), host.stops()), (vec![1_000], vec![]));
        host.exit_fills(1_000);
        host.seconds(3);
        assert_eq!((host.held(), host.standing()), (0, vec![]));
        host.check_journal();
    }
}

/// A bracket of 1,000 whose pair the venue would not have, beside a purchase of the same account that its way out would meet.
fn rejected_and_shut_in(mut host: Host) -> Host {
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.purchase_beside();
    host.fate = Fate::Rejected;
    host.fill(&entry, 1_000, 10_000);
    host.fate = Fate::Taken;
    host.seconds(28); // until well between two attempts
    assert_eq!((host.held(), host.stops(), host.exits()), (1_000, vec![1_000], vec![]));
    host
}

#[test]
fn a_stop_that_stands_alone_makes_room_for_another_order_and_stands_for_the_rest() {
    let mut account = AccountLimits::NONE;
    account.caps.self_match = Some(1);
    let contract = host_on(CONTRACT, Limits::RESEARCH, Some(account));
    let mut host = rejected_and_shut_in(contract);
    let sale = OrderRequest::limit(BTC, Side::Sell, lots(300), price(10_300));
    host.propose_as(Source::Operator, sale, None).unwrap();
    host.seconds(4);
    assert_eq!((host.stops(), host.exits()), (vec![700], vec![]));
    host.check_journal();
}

#[test]
fn a_stop_that_was_to_stand_alone_when_its_process_ended_stands_within_seconds_of_the_next_start() {
    let host = rejected_and_shut_in(shipped(Profile::Moderate));
    let asks = |record: &Vec<u8>| match decode(record).unwrap().kind {
        EventKind::Parent(said) => matches!(*said, ParentEvent::Child { role: Role::Stop(_), .. }),
        _ => false,
    };
    let asked = host.journal.iter().rposition(asks).unwrap();
    let mut second = host.restarted_after(asked + 1);
    second.start();
    second.open_orders_are_seen();
    second.mark(10_000);
    second.seconds(5);
    assert_eq!((second.held(), second.stops(), second.exits()), (1_000, vec![1_000], vec![]));
    second.check_journal();
}

#[test]
fn a_way_out_that_fills_forgives_the_guards_before_it() {
    let mut host = host(Limits::RESEARCH, None);
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.fill(&entry, 400, 10_000);
    host.seconds(3);
    assert_eq!(host.stops(), [400]);
    host.fate = Fate::Rejected;
    host.fill(&entry, 600, 10_000);
    host.fate = Fate::Taken;
    host.seconds(4);
    assert_eq!(host.exits(), [600], "what the venue would not guard is left");
    host.exit_fills(600);
    host.leave(100);
    host.seconds(3);
    host.exit_fills(100);
    host.seconds(3);
    assert_eq!((host.exits(), host.stops()), (vec![600, 100], vec![300]), "no more than was asked for");
    host.check_journal();
}

#[test]
fn a_bracket_whose_guards_were_not_sent_twice_is_over_once_it_has_left() {
    let mut host = host(Limits::RESEARCH, None);
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.fate = Fate::NotSent;
    host.fill(&entry, 1_000, 10_000);
    host.seconds(2);
    host.fate = Fate::Taken;
    host.seconds(8);
    assert_eq!(host.stops(), [1_000]);
    host.leave(1_000);
    host.seconds(3);
    host.exit_fills(1_000);
    host.seconds(3);
    assert_eq!((host.held(), host.over().0), (0, ParentEnd::Finished));
    host.check_journal();
}

#[test]
fn closing_a_position_leaves_its_guards_to_make_way_by_themselves() {
    let mut host = shipped(Profile::Moderate).with_bracket();
    let beside = host.purchase_beside();
    let wished = RiskAct::ExitWished { instrument: BTC, by: "operator".to_owned(), reason: "test".to_owned() };
    host.say(Source::Operator, EventKind::Risk(Box::new(wished)));
    host.leave(1_000);
    let (before, mut bare) = (host.sent.len(), 0);
    // an order elsewhere keeps it from leaving: here its cancel is never done
    for _ in 0..60 {
        host.cancels.retain(|it| *it != beside.client_id());
        bare += host.bare_seconds(1);
    }
    assert!(bare <= 6, "{bare} of 60 seconds without a stop");
    assert!(host.sent.len() - before <= 16, "{} orders in a minute", host.sent.len() - before);
    assert_eq!((host.held(), host.stops()), (1_000, vec![1_000]));
    host.check_journal();
}

#[test]
fn what_stands_until_a_refused_exit_is_tried_again_takes_no_others_room() {
    let mut host = shipped(Profile::Moderate).with_bracket();
    host.purchase_beside();
    host.leave(1_000);
    host.seconds(12);
    assert_eq!(host.stops(), [1_000]);
    host.trade(buy(500), Some(ends()));
    host.seconds(2);
    assert_eq!(host.stops().iter().sum::<i64>(), 1_500, "{:?}", host.refusals.last());
    assert!(host.exits().is_empty());
    host.check_journal();
}

#[test]
fn a_pair_stands_while_an_exit_is_not_sent_again_and_again() {
    let mut host = host(Limits::RESEARCH, None).with_bracket();
    host.leave(1_000);
    host.fate = Fate::NotSent;
    host.seconds(20);
    host.fate = Fate::Taken;
    let mut bare = 0;
    for _ in 0..30 {
        host.seconds(1);
        bare += i32::from(host.stops().is_empty() && host.exits().is_empty());
    }
    assert!(bare <= 3, "{bare} seconds without a stop or an exit after the line was there again");
    host.check_journal();
}

#[test]
fn a_guard_that_is_refused_for_the_moment_is_asked_for_again_and_nothing_is_left() {
    let mut account = Profile::Moderate.account();
    account.caps.orders_per_second = Some(2);
    let mut host = host(Profile::Moderate.limits(), Some(account));
    let entry = host.propose(buy(1_000), Some(ends())).unwrap();
    host.propose(buy(900), Some(ends())).unwrap();
    host.fill(&entry, 1_000, 10_000);
    assert_eq!(host.refusals.pop().map(|it| it.breach), Some(Some(Guard::AccountOrderRate)));
    host.seconds(3);
    assert_eq!((host.held(), host.stops()), (1_000, vec![1_000]));
    assert!(host.exits().is_empty());
    host.check_journal();
}

#[test]
fn a_plain_bracket_whose_position_is_gone_is_over_and_sells_no_later_one() {
    let mut host = host_on(CONTRACT, Limits::RESEARCH, None);
    let protection = Protection { target: Some(price(ENDS[1])), stop: Some(price(ENDS[0])), stop_limit: None };
    let (request, plan, reason) = (buy(1_000), How::Bracket(protection), "test".to_owned());
    let wish = ParentWish { entry: None, source: ME, portfolio: MAIN, request, plan, reason, trade: None };
    host.say(ME, EventKind::Parent(Box::new(ParentEvent::Wished { wish })));
    host.buys_fill();
    host.seconds(3);
    assert_eq!(host.stops(), [1_000]);
    host.trade(sell(1_000), None);
    let legs: Vec<_> = host.state.open.keys().copied().collect();
    legs.into_iter().for_each(|leg| host.cancelled(leg)); // another hand took them off
    host.seconds(5);
    assert_eq!((host.held(), host.over().0), (0, ParentEnd::Finished));
    host.trade(buy(1_000), None);
    host.seconds(40);
    assert_eq!((host.held(), host.standing()), (1_000, vec![]));
    host.check_journal();
}
