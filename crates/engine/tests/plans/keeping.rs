//! Plans of trades that are entered in several orders: one protection for all that fills.

use super::*;
use tradewind_engine::algo::{Participation, Role, Rung};
use tradewind_risk::Controls;

impl Host {
    /// A schedule of so many slices of 1,000 each, a minute apart, in a shipped profile that wants every position guarded.
    fn planned(count: u32) -> Self {
        shipped(Profile::Moderate).with_slices(count)
    }

    fn bought(&self) -> usize {
        self.sent.iter().filter(|order| order.side() == Side::Buy).count()
    }
}

#[test]
fn all_slices_are_guarded_by_at_most_four_pairs_and_the_trade_ends_at_its_target() {
    let mut host = Host::planned(8);
    let mut most_bare = 0;
    for slice in 1..=8 {
        assert_eq!(host.bought(), slice);
        host.buys_fill();
        for _ in 0..60 {
            assert!(host.stops().len() <= 4, "{:?}", host.stops());
            host.cancels_are_done();
            most_bare = most_bare.max(host.held() - host.stops().iter().sum::<i64>());
            host.seconds(1);
        }
        assert_eq!(host.stops().iter().sum::<i64>(), host.held(), "after slice {slice}");
    }
    // the newest thousand and the smallest of four pairs are bare while that is cancelled, and merged at once
    assert_eq!((host.stops(), most_bare), (vec![2_000; 4], 0));
    assert!(matches!(host.parent().state, ParentState::Guarding { end: ParentEnd::Finished, .. }));
    let targets: Vec<Order> = host.state.open.values().map(|record| record.order).collect();
    for target in targets.iter().filter(|order| order.kind().limit().is_some()) {
        host.fill(target, 2_000, ENDS[1]);
    }
    host.seconds(3);
    assert_eq!((host.held(), host.over()), (0, (ParentEnd::Finished, "all of it: 0.8 entered and left")));
    host.check_journal();
}

#[test]
fn nothing_more_is_entered_once_its_stop_was_hit() {
    let mut host = Host::planned(5);
    host.buys_fill();
    host.seconds(60);
    host.buys_fill();
    host.seconds(2);
    let stops: Vec<Order> =
        host.sent.iter().filter(|it| matches!(it.kind(), OrderKind::Stop { .. })).copied().collect();
    host.mark(ENDS[0]);
    host.fill(&stops[0], 1_000, ENDS[0]);
    let why = |host: &Host| match &host.parent().state {
        ParentState::Guarding { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&host), "its stop was hit");
    host.mark(10_000); // back again: the trade is over all the same
    host.seconds(120);
    assert_eq!((host.bought(), host.stops()), (2, vec![1_000]));
    host.fill(&stops[1], 1_000, ENDS[0]);
    host.seconds(2);
    assert_eq!(host.over(), (ParentEnd::Finished, "its stop was hit: 0.2 entered and left"));
    host.check_journal();
}

#[test]
fn what_the_venue_would_not_guard_is_left_and_nothing_more_is_entered() {
    let mut host = Host::planned(5);
    host.fate = Fate::Rejected;
    host.buys_fill();
    host.fate = Fate::Taken;
    host.seconds(3);
    let exit = host.newest_exit();
    assert_eq!(exit.quantity(), lots(1_000));
    host.fill(&exit, 1_000, 10_000);
    host.seconds(120);
    assert_eq!((host.held(), host.bought()), (0, 1));
    let (end, reason) = host.over();
    assert_eq!(end, ParentEnd::Failed);
    assert_eq!(reason, "what was to guard it did not work: the venue rejected it: 0.1 entered and left");
    host.check_journal();
}

#[test]
fn slices_wait_while_a_guard_was_not_sent_or_nobody_knows_of_it() {
    for fate in [Fate::NotSent, Fate::AnswerLost] {
        let mut host = host(Limits::RESEARCH, None).with_slices(5); // without breakers over failed orders
        host.seconds(55);
        host.fate = fate;
        host.buys_fill();
        host.seconds(6);
        assert_eq!(host.bought(), 1, "{fate:?}: the second slice waits");
        host.fate = Fate::Taken;
        host.open_orders_are_seen();
        host.seconds(5);
        assert_eq!((host.bought(), host.stops()), (2, vec![1_000]), "{fate:?}: it stands, and the slice goes");
        host.check_journal();
    }
    let mut host = Host::planned(5);
    host.fate = Fate::NotSent;
    host.buys_fill();
    host.seconds(30);
    assert!(matches!(host.parent().state, ParentState::Guarding { end: ParentEnd::Failed, .. }), "it does not last");
    host.fate = Fate::Taken;
    host.seconds(40);
    assert_eq!((host.bought(), host.stops()), (1, vec![1_000]), "what it holds is guarded all the same");
}

#[test]
fn a_resting_tip_is_taken_off_while_nobody_knows_of_a_guard_and_comes_again_once_it_stands() {
    let mut host = host(Limits::RESEARCH, None);
    let whole = OrderRequest::limit(BTC, Side::Buy, lots(3_000), price(9_950));
    host.wish(whole, How::Iceberg { display: lots(1_000) }, ends()).unwrap();
    host.seconds(1);
    host.buys_fill();
    host.seconds(3);
    let [tip, stop] = [Side::Buy, Side::Sell].map(|side| {
        let of_side = host.state.open.values().filter(|it| it.order.side() == side);
        of_side.map(|it| it.order).max_by_key(|order| order.kind().trigger().is_some()).unwrap()
    });
    host.fate = Fate::AnswerLost;
    host.fill(&tip, 400, 9_950);
    host.seconds(3);
    assert_eq!(host.bought(), 2, "no third tip");
    assert!(!host.state.open.contains_key(&tip.client_id()), "600 of the second were taken off");
    assert!(host.state.open.contains_key(&stop.client_id()), "what guards the first thousand stays");
    host.fate = Fate::Taken;
    let unknown = |it: &&OrderRecord| matches!(it.state, OrderState::Unknown { .. });
    let unknown: Vec<_> = host.state.open.values().filter(unknown).map(|it| it.order.client_id()).collect();
    assert_eq!(unknown.len(), 2);
    for client_id in unknown {
        host.say(Source::Venue, EventKind::Accepted { client_id, venue_id: VenueOrderId("found".into()) });
    }
    host.seconds(3);
    assert_eq!(
        (host.stops(), host.newest(|kind| kind.limit() == Some(price(9_950))).quantity()),
        (vec![400, 1_000], lots(1_000))
    );
    host.check_journal();
}

#[test]
fn cancelled_it_keeps_guarding_and_abandoned_it_takes_all_back() {
    let mut host = Host::planned(5);
    host.buys_fill();
    host.seconds(2);
    host.ask(Ask::Cancel);
    host.seconds(200);
    assert_eq!((host.bought(), host.stops()), (1, vec![1_000]));
    let stop = host.newest_stop();
    host.fill(&stop, 1_000, ENDS[0]);
    host.seconds(2);
    assert_eq!(host.over(), (ParentEnd::Cancelled, "on request: 0.1 entered and left"));

    let mut host = Host::planned(5);
    host.buys_fill();
    host.seconds(2);
    host.ask(Ask::Abandon);
    host.seconds(5);
    assert_eq!((host.held(), host.standing()), (1_000, vec![]));
    assert_eq!(host.over().0, ParentEnd::Cancelled);
    host.check_journal();
}

#[test]
fn a_pause_holds_back_what_enters_and_not_what_guards() {
    let mut host = shipped(Profile::Moderate);
    let rung = |price, quantity| Rung { price: self::price(price), quantity: lots(quantity) };
    let how = How::Ladder { rungs: vec![rung(9_990, 1_000), rung(9_980, 2_000), rung(9_970, 3_000)] };
    let whole = OrderRequest::limit(BTC, Side::Buy, lots(6_000), price(9_990));
    host.wish(whole, how, ends()).unwrap();
    host.ask(Ask::Pause);
    let rungs = host.sent.clone();
    assert_eq!(rungs.len(), 3);
    host.fill(&rungs[0], 1_000, 9_990);
    host.fill(&rungs[1], 500, 9_980);
    host.seconds(3);
    assert_eq!(host.stops(), [500, 1_000]);
    host.ask(Ask::Resume);
    host.fill(&rungs[1], 1_500, 9_980);
    host.seconds(3);
    host.fill(&rungs[2], 3_000, 9_970);
    host.seconds(3);
    assert_eq!((host.stops(), host.held()), (vec![500, 1_000, 1_500, 3_000], 6_000));
    host.check_journal();
}

#[test]
fn crumbs_wait_for_one_pair_and_what_is_guarded_stays_so() {
    let mut host = shipped(Profile::Moderate);
    let whole = OrderRequest::limit(BTC, Side::Buy, lots(20_000), price(9_990));
    host.wish(whole, How::Iceberg { display: lots(20_000) }, ends()).unwrap();
    let tip = host.sent[0];
    for _ in 0..4 {
        host.fill(&tip, 2_000, 9_990);
        host.seconds(2);
    }
    assert_eq!(host.stops(), [2_000; 4]);
    let sent = host.sent.len();
    for _ in 0..3 {
        assert_eq!(host.stops(), [2_000; 4], "less than a tenth waits five seconds");
        host.fill(&tip, 100, 9_990);
        host.seconds(1);
    }
    host.seconds(2);
    assert_eq!((host.stops(), host.sent.len()), (vec![2_000, 2_000, 2_000, 2_300], sent + 2));
    host.fill(&tip, 1_000, 9_990);
    host.seconds(2);
    assert_eq!(host.stops(), [2_000, 2_000, 2_300, 3_000], "more than a tenth does not wait");
    host.check_journal();
}

#[test]
fn it_goes_on_after_a_crash_at_any_record_and_guards_what_it_holds() {
    let mut host = Host::planned(6);
    for _ in 0..5 {
        host.buys_fill();
        host.seconds(60);
    }
    let opened = 7;
    for records in (opened..=host.journal.len()).step_by(7) {
        let mut second = host.restarted_after(records);
        if second.state.parents.is_unused() {
            continue;
        }
        second.start();
        second.open_orders_are_seen();
        second.mark(10_000);
        for _ in 0..12 {
            second.buys_fill();
            second.seconds(40);
        }
        assert_eq!((second.held(), second.parent().done()), (6_000, lots(6_000)), "after {records} records");
        assert_eq!(second.stops().iter().sum::<i64>(), 6_000, "after {records} records");
        assert!(second.stops().len() <= 4);
        second.check_journal();
    }
}

#[test]
fn exits_by_other_orders_go_before_its_protection() {
    let mut host = Host::planned(5);
    host.buys_fill();
    host.seconds(60);
    host.buys_fill();
    host.seconds(5);
    assert_eq!(host.state.open_wishes(MAIN, BTC), (lots(0), lots(0)), "protection is nobody's wish to sell");
    host.propose(sell(500), None).unwrap();
    host.seconds(3);
    let exit = host.newest_exit();
    assert_eq!((exit.quantity(), exit.request().reduce_only), (lots(500), true));
    host.fill(&exit, 500, 10_000);
    host.seconds(3);
    assert_eq!(host.stops(), [1_500]);
    host.seconds(60);
    assert_eq!(host.bought(), 3, "a part of it was closed: the rest goes on");
    host.buys_fill();
    host.seconds(3);
    host.propose_as(Source::Operator, sell(2_500), None).unwrap();
    host.seconds(3);
    host.exit_fills(2_500);
    host.seconds(120);
    assert_eq!((host.held(), host.bought()), (0, 3), "all of it was: nothing more is entered");
    assert_eq!(host.over().0, ParentEnd::Cancelled);
    host.check_journal();
}

#[test]
fn an_exit_on_its_way_is_not_asked_for_again() {
    let mut host = host(Limits::RESEARCH, None).with_slices(4);
    host.buys_fill();
    host.seconds(3);
    host.trade(buy(2_000), None); // what it must not leave
    let exits = |host: &Host| -> Vec<i64> {
        let exits = host.parent().children.iter().filter(|child| child.role == Role::Exit);
        exits.map(|child| child.quantity.mantissa()).collect()
    };
    host.leave(600);
    host.seconds(3);
    assert_eq!((exits(&host), host.stops()), (vec![600], vec![400]));
    host.leave(1_000);
    host.seconds(3);
    assert_eq!((exits(&host), host.stops()), (vec![600, 400], vec![]), "all of it, of which 600 are on their way");
    host.leave(1_000);
    host.seconds(3);
    assert_eq!(exits(&host), [600, 400]);
    host.propose_as(Source::Operator, sell(2_500), None).unwrap_err(); // 2,000 are not leaving yet
    for exit in host.sent.iter().filter(is_exit).copied().collect::<Vec<Order>>() {
        host.fill(&exit, exit.quantity().mantissa(), 10_000);
    }
    host.seconds(120);
    assert_eq!((host.held(), host.bought(), host.over().0), (2_000, 2, ParentEnd::Cancelled));
    host.check_journal();
}

#[test]
fn an_exit_of_all_that_can_be_sold_ends_what_enters_where_a_fee_has_left_a_part_of_a_lot() {
    let mut host = host(Limits::RESEARCH, None);
    host.trades_in_lots_of_ten();
    let mut host = host.with_slices(3);
    let slice = host.sent[0];
    host.fill_less_fee(&slice, 1_000, 10_000, "0.0007");
    host.seconds(3);
    assert_eq!((host.held(), host.stops()), (993, vec![990]));
    host.propose_as(Source::Operator, sell(990), None).unwrap();
    host.seconds(3);
    let exit = host.newest_exit();
    assert_eq!(exit.quantity(), lots(990));
    host.fill(&exit, 990, 10_000);
    host.seconds(120);
    assert_eq!((host.held(), host.bought(), host.over().0), (3, 1, ParentEnd::Cancelled));
    host.check_journal();
}

#[test]
fn a_pace_at_which_nothing_goes_out_pauses_after_a_minute() {
    let mut host = host(Limits::RESEARCH, None);
    let whole = OrderRequest::limit(BTC, Side::Buy, lots(3_000), price(9_950));
    host.wish(whole, How::Iceberg { display: lots(1_000) }, ends()).unwrap();
    let controls = Controls { orders_per_second: Some(0), ..Controls::default() };
    let stopped = Limits { controls: Some(controls), ..Limits::RESEARCH };
    host.say(Source::Host, EventKind::LimitsSet(Box::new(stopped)));
    host.buys_fill();
    host.seconds(45);
    assert_eq!((host.parent().state.clone(), host.stops()), (ParentState::Working, vec![1_000]));
    host.seconds(75);
    assert!(matches!(&host.parent().state, ParentState::Paused { reason } if reason.contains("RSK-")));
    assert_eq!(host.refusals.len(), 60, "one a second for a minute");
    assert!(host.refusals.iter().all(|it| it.breach == Some(Guard::OrderRate)), "{:?}", host.refusals);
    host.say(Source::Host, EventKind::LimitsSet(Box::new(Limits::RESEARCH)));
    host.ask(Ask::Resume);
    host.seconds(2);
    assert_eq!((host.bought(), &host.parent().state), (2, &ParentState::Working));
    host.check_journal();
}

#[test]
fn a_ladder_of_more_rungs_than_may_go_out_in_a_second_goes_at_that_pace() {
    let mut account = AccountLimits::NONE;
    account.caps.orders_per_second = Some(5);
    let mut host = host(Limits::RESEARCH, Some(account));
    let rungs: Vec<Rung> = (0..12).map(|nth| Rung { price: price(9_990 - nth), quantity: lots(100) }).collect();
    let whole = OrderRequest::limit(BTC, Side::Buy, lots(1_200), price(9_990));
    let refusal = host.wish(whole, How::Ladder { rungs }, ends()).unwrap_err();
    assert_eq!((refusal.breach, host.bought()), (Some(Guard::AccountOrderRate), 5));
    host.seconds(10);
    assert_eq!((host.bought(), &host.parent().state), (12, &ParentState::Working));
    assert_eq!((host.parent().faults.failures, host.standing().len()), (0, 12));
    host.check_journal();
}

#[test]
fn a_schedule_goes_on_where_what_no_guard_was_sent_for_is_closed_by_hand() {
    let mut host = host(Limits::RESEARCH, None).with_slices(4);
    host.fate = Fate::NotSent;
    host.buys_fill();
    host.fate = Fate::Taken;
    let exit = host.propose_as(Source::Operator, sell(1_000), None).unwrap();
    host.fill(&exit, 1_000, 10_000);
    assert_eq!(host.held(), 0);
    host.seconds(70);
    assert_eq!(host.bought(), 2, "nothing is held that a guard would have to stand for");
    host.buys_fill();
    host.seconds(3);
    assert_eq!(host.stops(), [1_000]);
    host.check_journal();
}

#[test]
fn what_an_order_beside_it_closes_is_taken_out_of_its_pairs() {
    let contract = host_on(CONTRACT, Limits::RESEARCH, None);
    let mut host = contract.with_slices(4);
    host.buys_fill();
    host.seconds(2);
    let beside = host.propose(OrderRequest::limit(BTC, Side::Sell, lots(400), price(10_100)), None).unwrap();
    host.seconds(4);
    assert_eq!(host.stops(), [600]);
    host.fill(&beside, 400, 10_100);
    host.seconds(60);
    host.buys_fill();
    host.seconds(3);
    assert_eq!((host.held(), host.stops()), (1_600, vec![600, 1_000]), "the schedule goes on");
    host.check_journal();
}

#[test]
fn the_gate_judges_where_the_whole_trade_ends() {
    let mut host = shipped(Profile::Demo);
    let mut breach = |quantity: i64, trade: TradePlan| {
        host.seconds(5);
        let how = slices(&host, 200, 60);
        host.wish(buy(quantity), how, trade).err().map(|refusal| (refusal.breach, refusal.value))
    };
    let of = |guard| Some(Some(guard));
    assert_eq!(breach(400_000, TradePlan { hold: true, ..ends() }).map(|it| it.0), of(Guard::Plan));
    let unsure = TradePlan { confidence_bps: Some(5_999), ..ends() };
    assert_eq!(breach(400_000, unsure).map(|it| it.0), of(Guard::Confidence));
    assert_eq!(breach(400_000, plan(9_499, 11_000)).map(|it| it.0), of(Guard::StopDistance));
    assert_eq!(breach(400_000, plan(9_800, 10_299)).map(|it| it.0), of(Guard::RewardRisk));
    // 2 % of 10,000 may be lost at the stop: 5 % of 4,000, and not of 4,002, whatever a slice of it would lose
    let (guard, value) = breach(400_200, plan(9_500, 11_000)).unwrap();
    assert_eq!((guard, value.as_str()), (Some(Guard::OrderRisk), "200.1 of an equity of 10000"));
    assert_eq!(breach(400_000, plan(9_500, 11_000)), None);
    host.check_journal();
}

#[test]
fn what_was_put_right_in_it_is_recorded_and_traded() {
    let mut host = shipped(Profile::Conservative);
    let how = slices(&host, 4, 60);
    let wrong = TradePlan { atr: Some(price(100)), ..plan(10_100, 10_400) };
    host.wish(buy(4_000), how, wrong).unwrap();
    let opened = host.journal.iter().find_map(|record| match decode(record).unwrap().kind {
        EventKind::Parent(said) => match *said {
            ParentEvent::Opened { corrections, .. } => Some(corrections),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(opened.unwrap()[0].to, "98.5");
    host.buys_fill();
    assert_eq!(host.standing(), ["sell 1000 limit 10400", "sell 1000 stop 9850"]);
}

#[test]
fn odd_plans_of_parents_are_refused_by_name() {
    let mut host = host(Limits::RESEARCH, None);
    let limit = OrderRequest::limit(BTC, Side::Buy, lots(4_000), price(9_990));
    let bracket = How::Bracket(Protection { target: None, stop: Some(price(9_800)), stop_limit: None });
    let rung = |price, quantity| Rung { price: self::price(price), quantity: lots(quantity) };
    let ladder = How::Ladder { rungs: vec![rung(9_990, 2_000), rung(9_790, 2_000)] };
    let even = slices(&host, 4, 60);
    for (request, how, trade, want) in [
        (limit, bracket, ends(), "a bracket cannot have a plan of the trade beside its own target and stop"),
        (
            OrderRequest { reduce_only: true, ..limit },
            even.clone(),
            ends(),
            "a twap cannot have a plan of the trade: it only reduces",
        ),
        (limit, ladder, ends(), "a scale cannot have a trade with a stop on the wrong side of its entry"),
        (
            buy(4_000),
            even.clone(),
            plan(10_300, 9_800),
            "a twap cannot have a trade with a stop on the wrong side of its target",
        ),
        (buy(4_000), even.clone(), plan(-1, 10_300), "a twap cannot have a trade with an end at zero or below"),
        (limit, even, plan(9_800, 9_985), "a twap cannot have a trade with a target on the wrong side of its entry"),
    ] {
        let refusal = host.wish(request, how, trade).unwrap_err();
        assert_eq!(refusal.value, format!("ENG-10: {want}"));
    }
    assert!(host.sent.is_empty());
}

#[test]
fn what_only_reduces_needs_no_protection() {
    let mut host = host(Limits::RESEARCH, None);
    host.trade(buy(8_000), None);
    let how = slices(&host, 2, 60);
    host.wish(sell(8_000), how, plan(10_200, 9_600)).unwrap();
    assert!(host.parent().wish.trade.is_none(), "a way out is its own protection");
    let slice = *host.sent.last().unwrap();
    host.fill(&slice, 4_000, 10_000);
    host.seconds(5);
    assert_eq!(host.standing(), Vec::<String>::new());
}

#[test]
fn what_a_fee_took_is_not_guarded_and_a_part_of_the_volume_is() {
    let mut host = shipped(Profile::Moderate);
    let until = Timestamp::from_millis(600_000);
    let how = How::Participate(Participation { rate_bps: 5_000, clip: lots(1_000), until });
    host.wish(buy(4_000), how, ends()).unwrap();
    host.market_trades(2_000, 10_000);
    let clip = *host.sent.last().unwrap();
    assert_eq!(clip.quantity(), lots(1_000));
    host.fill_less_fee(&clip, 1_000, 10_000, "0.0001");
    assert_eq!((host.held(), host.stops()), (999, vec![999]));
    let guards = host.parent().children.iter().filter(|child| child.role.protects()).count();
    assert_eq!((guards, host.parent().done()), (2, lots(1_000)));
    assert!(host.parent().children.iter().any(|child| child.role == Role::Stop(0)));
    host.check_journal();
}

#[test]
fn a_market_past_its_stop_is_not_entered() {
    let mut host = shipped(Profile::Moderate);
    let start = Timestamp::from_millis(30_000);
    let how = How::Schedule(Schedule { start, every_nanos: 60 * SECOND, slices: 4, weights: Vec::new() });
    host.wish(buy(4_000), how, ends()).unwrap();
    host.seconds(10);
    host.mark(ENDS[0] - 1);
    host.seconds(3);
    assert_eq!((host.bought(), host.over()), (0, (ParentEnd::Cancelled, "the market was past its stop")));
    host.check_journal();
}

#[test]
fn what_fills_past_its_stop_is_left_at_once() {
    let mut host = Host::planned(4);
    host.mark(ENDS[0] - 10);
    host.buys_fill();
    let exit = host.exit_of(1_000);
    host.fill(&exit, 1_000, ENDS[0] - 10);
    host.mark(10_000);
    host.seconds(130);
    assert_eq!(host.over(), (ParentEnd::Cancelled, "the market was past its stop: 0.1 entered and left"));
    assert_eq!(host.bought(), 1);
    host.check_journal();
}

/// How the venue treats what was asked of it, second by second.
#[derive(Clone, Copy, Debug)]
enum Move {
    Fill(usize, i64),
    Fate(Fate),
    Ask(Ask),
    Mark(i64),
    Wait(usize),
    Restart,
}

fn any_move() -> impl Strategy<Value = Move> {
    let fate = prop_oneof![4 => Just(Fate::Taken), 1 => Just(Fate::Rejected), 1 => Just(Fate::NotSent)];
    let ask = prop_oneof![Just(Ask::Pause), Just(Ask::Resume), Just(Ask::Cancel)];
    prop_oneof![
        8 => (0_usize..6, 1_i64..4_000).prop_map(|(nth, quantity)| Move::Fill(nth, quantity)),
        1 => fate.prop_map(Move::Fate),
        1 => ask.prop_map(Move::Ask),
        1 => (9_700_i64..10_500).prop_map(Move::Mark),
        6 => (1_usize..40).prop_map(Move::Wait),
        1 => Just(Move::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However its orders fill, fail or are told of: it never enters more than was asked nor sells more than it entered, no
    /// more than four stops stand, and once venue and market let it, what it holds is guarded or left within seconds.
    #[test]
    fn what_it_holds_is_guarded_whatever_happens(
        resting in any::<bool>(), moves in proptest::collection::vec(any_move(), 0..50),
    ) {
        let mut host = shipped(Profile::Moderate);
        let whole = if resting { OrderRequest::limit(BTC, Side::Buy, lots(20_000), price(9_990)) } else { buy(20_000) };
        let how = if resting { How::Iceberg { display: lots(7_000) } } else { slices(&host, 5, 30) };
        host.wish(whole, how, ends()).unwrap();
        for it in moves {
            match it {
                Move::Fill(nth, quantity) => {
                    let order = host.state.open.values().nth(nth).map(|record| (record.order, record.open_quantity()));
                    if let Some((order, open)) = order {
                        host.fill(&order, quantity.min(open.mantissa()), 10_000);
                    }
                }
                Move::Fate(fate) => host.fate = fate,
                Move::Ask(ask) => host.ask(ask),
                Move::Mark(at) => host.mark(at),
                Move::Wait(count) => host.seconds(count),
                Move::Restart => {
                    host.start();
                    host.open_orders_are_seen();
                }
            }
            prop_assert!(host.parent().done() <= lots(20_000) && host.held() >= 0);
            prop_assert!(host.stops().len() <= 4, "{:?}", host.stops());
        }
        host.fate = Fate::Taken;
        host.mark(10_000);
        host.ask(Ask::Cancel);
        for _ in 0..8 {
            host.seconds(10);
            let exits: Vec<Order> = host.state.open.values().map(|it| it.order).collect();
            for exit in exits.iter().filter(is_exit) {
                let rest = host.state.open[&exit.client_id()].open_quantity().mantissa();
                host.fill(exit, rest, 10_000);
            }
        }
        let guarded: i64 = host.stops().iter().sum();
        let enough = |held: i64| guarded == held || held - guarded <= 5; // what is too little to order
        prop_assert!(enough(host.held()), "{guarded} of {} guarded: {:#?}", host.held(), host.parent());
        host.check_journal();
    }
}
