//! What an inquiry asks, when silence is proof, and that neither lag, gaps nor failures ever prove what is not so.

#![allow(clippy::unwrap_used)] // a test may

use proptest::prelude::*;
use tradewind_domain::*;
use tradewind_engine::*;

const SECOND: i64 = 1_000_000_000;
const POLICY: EvidencePolicy = EvidencePolicy::BINANCE_SPOT;
/// The window of the request that every test asks about.
const FROM: Timestamp = Timestamp::from_millis(1_000_000);
const FENCE: Timestamp = Timestamp::from_millis(1_002_000);

fn instrument() -> Instrument {
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
    };
    spec.list(InstrumentId(0)).unwrap()
}

fn record() -> OrderRecord {
    let it = instrument();
    let kind = OrderKind::Limit { price: it.price("100").unwrap() };
    let request = OrderRequest { kind, ..OrderRequest::market(it.id, Side::Buy, it.quantity("1").unwrap()) };
    let order = Order::new(&it, PortfolioId(0), ClientOrderId::from_u128(1), request, None).unwrap();
    let mut record = OrderRecord::new(order, FROM);
    (record.times.intended, record.times.not_before, record.times.fence) = (Some(FROM), Some(FROM), Some(FENCE));
    record
}

fn venue_id() -> VenueOrderId {
    VenueOrderId("77".into())
}

fn standing(stand: Stand, filled: &str) -> Standing {
    let it = instrument();
    Standing {
        venue_id: venue_id(),
        stand,
        price: Some(it.price("100").unwrap()),
        quantity: it.quantity("1").unwrap(),
        filled: it.quantity(filled).unwrap(),
        updated: FROM.plus_nanos(SECOND),
    }
}

fn fill(number: u128, quantity: &str) -> (Timestamp, Fill) {
    let it = instrument();
    let fill = Fill {
        client_id: ClientOrderId::from_u128(1),
        instrument: it.id,
        trade_id: TradeId(number),
        side: Side::Buy,
        price: it.price("100").unwrap(),
        quantity: it.quantity(quantity).unwrap(),
        liquidity: Liquidity::Taker,
        fee: Fee(Money { currency: Currency::new("USDT").unwrap(), units: 0 }),
    };
    (FROM.plus_nanos(i64::try_from(number).unwrap()), fill)
}

fn inquiry(doubt: Doubt) -> Inquiry {
    let mut inquiry = Inquiry::new(&record(), doubt, POLICY, FROM, 0);
    inquiry.stream_is_whole(FROM);
    inquiry
}

/// Drives an inquiry for at most `seconds`; `answer` is the venue. Gives back what was asked, when, and how it ended.
fn drive(
    inquiry: &mut Inquiry,
    seconds: i64,
    mut answer: impl FnMut(&Question, Timestamp) -> Answer,
) -> (Vec<(i64, Question)>, Option<Evidence>) {
    let (mut now, mut asked) = (FROM, Vec::new());
    for _ in 0..200_000 {
        if now.since(FROM) > seconds * SECOND {
            return (asked, None);
        }
        match inquiry.next(now) {
            Step::Ask(question) => {
                asked.push((now.since(FROM) / SECOND, question.clone()));
                let answered = answer(&question, now);
                now = now.plus_nanos(SECOND / 100); // the venue's answer takes a moment
                inquiry.answered(now, answered);
            }
            Step::WaitUntil(until) => {
                assert!(until > now, "it waits for the past");
                now = until;
                let _ = inquiry.alarm(now);
            }
            Step::Done(evidence) => return (asked, Some(evidence)),
        }
    }
    panic!("it asks without end");
}

#[test]
fn silence_of_all_four_lists_for_a_minute_after_the_fence_is_proof() {
    let mut inquiry = inquiry(Doubt::Order);
    let (asked, evidence) = drive(&mut inquiry, 3_600, |_, _| Answer::Lacks);
    let Some(Evidence::Absent(proof)) = evidence else { panic!("{evidence:?}") };
    assert!(proof.fulfils(&POLICY), "{proof:?}");
    assert_eq!(proof.quiet(), Timestamp::from_millis(1_012_000), "fence + 10 s of the backend");
    assert_eq!((proof.history.count, proof.trades.count, proof.open_orders.count), (3, 3, 3));
    let last = asked.last().unwrap().0;
    assert!((72..76).contains(&last), "a minute after the quiet began, not sooner and not much later: {last} s");
    let before = asked.iter().filter(|(at, question)| *at < 12 && *question != Question::Order).count();
    assert_eq!(before, 0, "the dear questions wait until they count");
    assert!(asked.len() < 80, "{} questions are too many for one order", asked.len());
    assert_eq!(
        Evidence::Absent(proof.clone()).facts(&record(), Doubt::Order),
        [(None, EventKind::Expired { client_id: ClientOrderId::from_u128(1), evidence: Some(proof) })]
    );
}

#[test]
fn without_an_agreement_of_trades_and_history_it_takes_fifteen_minutes() {
    let mut seen = 0;
    let (asked, evidence) = drive(&mut inquiry(Doubt::Order), 3_600, |question, _| match question {
        Question::History => {
            seen += 1;
            if seen == 1 { Answer::Lacks } else { Answer::Failed { retry_after: None } }
        }
        _ => Answer::Lacks,
    });
    // the round never ends while the history fails, so there is no proof at all, however long it takes
    assert_eq!(evidence, None);
    assert!(asked.len() > 1_000, "it goes on asking");
    let patient = EvidencePolicy { agreed: 1_000, ..POLICY };
    let mut inquiry = Inquiry::new(&record(), Doubt::Order, patient, FROM, 0);
    inquiry.stream_is_whole(FROM);
    let (asked, evidence) = drive(&mut inquiry, 3_600, |_, _| Answer::Lacks);
    assert!(matches!(evidence, Some(Evidence::Absent(_))));
    assert!((912..960).contains(&asked.last().unwrap().0), "{:?}", asked.last());
}

#[test]
fn an_order_that_the_lists_show_late_is_found_and_never_declared_absent() {
    for lag in [1, 22, 62, 70] {
        let (_, evidence) = drive(&mut inquiry(Doubt::Order), 3_600, |question, now| match question {
            Question::Order if now.since(FROM) >= lag * SECOND => Answer::Standing(standing(Stand::Open, "0")),
            _ => Answer::Lacks,
        });
        assert_eq!(evidence, Some(Evidence::Found { standing: standing(Stand::Open, "0"), fills: vec![] }), "{lag} s");
    }
}

#[test]
fn a_trade_of_nobody_known_is_asked_after_before_anything_is_concluded() {
    // the order is in no list yet, but it traded: the venue's own number leads to it
    let (asked, evidence) = drive(&mut inquiry(Doubt::Order), 3_600, |question, _| match question {
        Question::Trades => Answer::Strangers(vec![VenueOrderId("5".into()), venue_id()]),
        Question::Name(id) if *id == venue_id() => Answer::Standing(standing(Stand::Filled, "1")),
        Question::Name(_) => Answer::Another,
        Question::Fills(_) => Answer::Fills(vec![fill(2, "0.4"), fill(1, "0.6"), fill(2, "0.4")]),
        _ => Answer::Lacks,
    });
    let evidence = evidence.unwrap();
    let Evidence::Found { fills, .. } = &evidence else { panic!("{evidence:?}") };
    assert_eq!(fills.len(), 2, "each execution once");
    assert!(asked.iter().any(|(_, question)| *question == Question::Name(VenueOrderId("5".into()))));
    let facts = evidence.facts(&record(), Doubt::Order);
    let kinds: Vec<_> = facts.iter().map(|(_, kind)| kind.clone()).collect();
    assert!(
        matches!(&kinds[..], [EventKind::Filled(a), EventKind::Filled(b), EventKind::Accepted { .. }]
            if a.trade_id == TradeId(1) && b.trade_id == TradeId(2)),
        "{kinds:?}"
    );
    assert!(facts.is_sorted_by_key(|(at, _)| *at), "{facts:?}");

    // all strangers are others': the trades then count as read
    let (_, evidence) = drive(&mut inquiry(Doubt::Order), 3_600, |question, _| match question {
        Question::Trades => Answer::Strangers(vec![VenueOrderId("5".into()), VenueOrderId("6".into())]),
        Question::Name(_) => Answer::Another,
        _ => Answer::Lacks,
    });
    assert!(matches!(evidence, Some(Evidence::Absent(_))));
}

#[test]
fn executions_that_lag_behind_the_count_are_waited_for() {
    let mut asked_for_fills = 0;
    let (_, evidence) = drive(&mut inquiry(Doubt::Order), 60, |question, _| match question {
        Question::Fills(_) => {
            asked_for_fills += 1;
            Answer::Fills(if asked_for_fills < 3 { vec![fill(1, "0.5")] } else { vec![fill(1, "0.5"), fill(2, "0.5")] })
        }
        _ => Answer::Standing(standing(Stand::Filled, "1")),
    });
    let Some(Evidence::Found { fills, .. }) = evidence else { panic!("{evidence:?}") };
    assert_eq!((fills.len(), asked_for_fills), (2, 3));
}

#[test]
fn a_broken_user_stream_holds_the_proof_back_until_everything_was_read_again() {
    let mut inquiry = inquiry(Doubt::Order);
    inquiry.stream_broke();
    let (asked, evidence) = drive(&mut inquiry, 300, |_, _| Answer::Lacks);
    assert_eq!(evidence, None, "the user stream is away");
    assert!(asked.len() > 10);
    let back = FROM.plus_nanos(300 * SECOND);
    inquiry.stream_is_whole(back);
    let mut now = back;
    let mut again = 0;
    loop {
        match inquiry.next(now) {
            Step::Ask(_) => {
                again += 1;
                inquiry.answered(now, Answer::Lacks);
            }
            Step::WaitUntil(until) => now = until,
            Step::Done(Evidence::Absent(proof)) => {
                assert!(proof.trades.last >= back && proof.stream_since == back && again >= 4);
                return;
            }
            Step::Done(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_doubt_about_a_cancel_ends_with_the_venues_word_on_the_order() {
    let (asked, evidence) = drive(&mut inquiry(Doubt::Cancel), 60, |_, _| Answer::Standing(standing(Stand::Open, "0")));
    let facts = evidence.unwrap().facts(&record(), Doubt::Cancel);
    assert!(matches!(&facts[..], [(_, EventKind::Accepted { .. }), (None, EventKind::CancelRefused { .. })]));
    assert!((12..16).contains(&asked.last().unwrap().0), "the cancel may still come until then");
    let (asked, evidence) =
        drive(&mut inquiry(Doubt::Cancel), 60, |_, _| Answer::Standing(standing(Stand::Cancelled, "0")));
    assert!(matches!(&evidence.unwrap().facts(&record(), Doubt::Cancel)[..], [(Some(_), EventKind::Cancelled { .. })]));
    assert_eq!(asked.len(), 1);
    // an amendment is done once the quantity is another, and refused once it can no longer come
    let ordered = record().order.quantity();
    let less = Standing { quantity: ordered - Quantity::from_mantissa(1), ..standing(Stand::Open, "0") };
    let (asked, evidence) = drive(&mut inquiry(Doubt::Amend), 60, |_, _| Answer::Standing(less.clone()));
    assert_eq!(asked.len(), 1);
    assert!(matches!(&evidence.unwrap().facts(&record(), Doubt::Amend)[..], [(_, EventKind::Accepted { .. })]));
    let same = Standing { quantity: ordered, ..standing(Stand::Open, "0") };
    let (asked, evidence) = drive(&mut inquiry(Doubt::Amend), 60, |_, _| Answer::Standing(same.clone()));
    assert!(asked.len() > 1);
    let facts = evidence.unwrap().facts(&record(), Doubt::Amend);
    assert!(matches!(facts.last(), Some((None, EventKind::Amend { said: Amend::Refused { .. }, .. }))), "{facts:?}");

    let (_, evidence) = drive(&mut inquiry(Doubt::Cancel), 3_600, |_, _| Answer::Lacks);
    assert_eq!(evidence, None, "an order that was there is never proven absent");
}

#[test]
fn an_unknown_outcome_raises_one_alarm() {
    let mut inquiry = inquiry(Doubt::Order);
    assert_eq!(inquiry.alarm(FROM.plus_nanos(29 * SECOND)), None);
    assert_eq!(inquiry.alarm(FROM.plus_nanos(30 * SECOND)), Some(30 * SECOND));
    assert_eq!(inquiry.alarm(FROM.plus_nanos(31 * SECOND)), None);
}

#[test]
fn an_intent_of_an_older_journal_is_given_the_widest_window() {
    let mut old = record();
    (old.times.not_before, old.times.fence) = (None, None);
    let inquiry = Inquiry::new(&old, Doubt::Order, POLICY, FROM, 250_000_000);
    assert_eq!(inquiry.quiet(), FROM.plus_nanos(70 * SECOND + 250_000_000));
    assert!(inquiry.not_before() <= FROM.plus_nanos(-60 * SECOND));
}

/// What can happen to a question: nothing, a failure, a gap of the stream.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    None,
    Fails,
    Gap,
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![6 => Just(Mishap::None), 1 => Just(Mishap::Fails), 1 => Just(Mishap::Gap)]
}

proptest! {
    /// A request that never came is proven absent, and a proof fulfils its policy whatever went wrong on the way; one
    /// that came inside its fence is found, however late each list shows it, as long as the trades list is no later
    /// than the proof's own patience.
    #[test]
    fn no_mishap_proves_what_is_not_so(
        mishaps in proptest::collection::vec(mishap(), 1..60),
        came in proptest::option::of(0_i64..12),
        lag in proptest::array::uniform3(0_i64..60),
        error in 0_i64..SECOND,
    ) {
        let mut inquiry = Inquiry::new(&record(), Doubt::Order, POLICY, FROM, error);
        inquiry.stream_is_whole(FROM);
        let (mut now, mut step) = (FROM, 0);
        let evidence = loop {
            prop_assert!(now.since(FROM) < 3_600 * SECOND, "no end");
            inquiry.clock_may_err(error + now.since(FROM) / 2_000); // a quartz that is 500 ppm off
            match inquiry.next(now) {
                Step::WaitUntil(until) => now = until,
                Step::Done(evidence) => break evidence,
                Step::Ask(question) => {
                    let mishap = mishaps.get(step).copied().unwrap_or(Mishap::None);
                    step += 1;
                    if matches!(mishap, Mishap::Gap) {
                        inquiry.stream_broke();
                        inquiry.stream_is_whole(now);
                    }
                    let shown = |place: usize| came.is_some_and(|at| now.since(FROM) >= (at + lag[place]) * SECOND);
                    let answer = match &question {
                        _ if matches!(mishap, Mishap::Fails) => Answer::Failed { retry_after: Some(SECOND / 2) },
                        Question::Order if shown(0) => Answer::Standing(standing(Stand::Open, "0")),
                        Question::OpenOrders if shown(1) => Answer::Standing(standing(Stand::Open, "0")),
                        Question::History if shown(2) => Answer::Standing(standing(Stand::Open, "0")),
                        Question::Fills(_) => Answer::Fills(vec![]),
                        _ => Answer::Lacks,
                    };
                    now = now.plus_nanos(SECOND / 50);
                    inquiry.answered(now, answer);
                }
            }
        };
        match evidence {
            Evidence::Absent(proof) => {
                prop_assert!(came.is_none(), "it came {came:?} and was declared absent: {proof:?}");
                prop_assert!(proof.fulfils(&POLICY) && proof.order.first >= FENCE.plus_nanos(10 * SECOND + error));
            }
            Evidence::Found { .. } => prop_assert!(came.is_some()),
        }
    }
}

#[test]
fn a_doubt_about_a_cancel_becomes_one_about_the_order_whose_answer_was_lost_after_it() {
    let cancel = FROM.plus_nanos(SECOND);
    let mut inquiry = inquiry(Doubt::Cancel).within(cancel, cancel.plus_nanos(2 * SECOND));
    let silence = |question: &Question, _| match question {
        Question::Trades => Answer::Strangers(Vec::new()),
        _ => Answer::Lacks,
    };
    let (_, evidence) = drive(&mut inquiry, 600, silence);
    assert_eq!(evidence, None, "that a cancel is not found proves nothing about its order");
    let mut unknown = record();
    unknown.state = OrderState::Unknown { since: cancel };
    inquiry.widen(&unknown, cancel);
    assert_eq!((inquiry.doubt(), inquiry.not_before()), (Doubt::Cancel, FROM), "what is found answers the cancel");
    let (_, evidence) = drive(&mut inquiry, 1_200, silence);
    let Some(Evidence::Absent(absence)) = evidence else { panic!("{evidence:?}") };
    assert!(absence.fulfils(&POLICY) && absence.fence >= FENCE);
}

#[test]
fn a14_a_change_in_doubt_is_answered_although_the_order_itself_came_into_doubt_meanwhile() {
    for (doubt, state) in [(Doubt::Cancel, OrderState::PendingCancel), (Doubt::Amend, OrderState::PendingReplace)] {
        let mut working = record();
        (working.state, working.venue_id) = (state, Some(venue_id()));
        let change = FROM.plus_nanos(600 * SECOND);
        let mut inquiry =
            Inquiry::new(&working, doubt, POLICY, change, 0).within(change, change.plus_nanos(2 * SECOND));
        inquiry.widen(&working, change); // a list of the venue lacked it for a moment
        let (_, evidence) = drive(&mut inquiry, 1_200, |_, _| Answer::Standing(standing(Stand::Open, "0")));
        let facts = evidence.unwrap().facts(&working, inquiry.doubt());
        let refused = |kind: &EventKind| match doubt {
            Doubt::Cancel => matches!(kind, EventKind::CancelRefused { .. }),
            _ => matches!(kind, EventKind::Amend { said: Amend::Refused { .. }, .. }),
        };
        assert!(facts.iter().any(|(_, kind)| refused(kind)), "{facts:?}");
    }
}

#[test]
fn trades_are_strange_until_their_order_is_named_or_they_are_booked() {
    let id = |name: &str| VenueOrderId(name.into());
    let one = instrument().quantity("1").unwrap();
    let (mut record, known) = (record(), [id("8")].into());
    let trades = [(id("7"), one), (id("8"), one), (id("77"), one), (id("77"), one)];
    assert_eq!(strangers(&record, &known, &trades), [id("7"), id("77")], "whose 77 is nobody knows");
    record.venue_id = Some(id("77"));
    assert_eq!(strangers(&record, &known, &trades), [id("7"), id("77")], "its own trades are not booked");
    record.filled = one + one;
    assert_eq!(strangers(&record, &known, &trades), [id("7")]);
}

#[test]
fn an_order_that_a_list_named_is_asked_for_only_where_the_books_lack_executions_of_it() {
    let none: [(i64, Question); 0] = [];
    for (filled, booked, questions) in
        [("0", "0", &none[..]), ("0.4", "0.4", &none), ("0.4", "0.1", &[(0, Question::Fills(venue_id()))])]
    {
        let mut inquiry = inquiry(Doubt::Order);
        inquiry.listed(FROM, standing(Stand::Open, filled), instrument().quantity(booked).unwrap());
        let (asked, evidence) = drive(&mut inquiry, 60, |_, _| Answer::Fills(vec![fill(1, "0.1"), fill(2, "0.3")]));
        assert_eq!(asked, questions, "{filled} executed, {booked} booked");
        let Some(Evidence::Found { standing, fills }) = evidence else { panic!("{evidence:?}") };
        assert_eq!((standing.stand, fills.len()), (Stand::Open, questions.len() * 2));
    }
}

#[test]
fn a15_an_order_that_the_venue_worked_smaller_and_filled_is_over_with_what_it_filled() {
    let standing = Standing { quantity: instrument().quantity("0.4").unwrap(), ..standing(Stand::Filled, "0.4") };
    let evidence = Evidence::Found { standing, fills: vec![fill(1, "0.4")] };
    for doubt in [Doubt::Order, Doubt::Amend] {
        let facts: Vec<_> = evidence.facts(&record(), doubt).into_iter().map(|(_, kind)| kind).collect();
        assert!(matches!(&facts[..], [EventKind::Filled(_), EventKind::Cancelled { .. }]), "{facts:?}");
    }
}

#[test]
fn what_the_venue_says_of_an_order_that_is_over_is_recorded_as_it_ended() {
    let client_id = ClientOrderId::from_u128(1);
    for (stand, want) in [
        (Stand::Expired, EventKind::Cancelled { client_id, reason: "by the venue".into() }),
        (Stand::Cancelled, EventKind::Cancelled { client_id, reason: "on request".into() }),
        (Stand::Rejected, EventKind::Rejected { client_id, reason: "by the venue".into() }),
    ] {
        let (_, evidence) = drive(&mut inquiry(Doubt::Order), 60, |_, _| Answer::Standing(standing(stand, "0")));
        let facts = evidence.unwrap().facts(&record(), Doubt::Order);
        assert_eq!(facts, [(Some(FROM.plus_nanos(SECOND)), want)], "{stand:?}");
    }
}

#[test]
fn an_inquiry_about_the_order_itself_is_not_widened() {
    let mut inquiry = inquiry(Doubt::Order);
    let (quiet, mut later) = (inquiry.quiet(), record());
    later.times.fence = Some(FENCE.plus_nanos(60 * SECOND));
    inquiry.widen(&later, FROM);
    assert_eq!((inquiry.doubt(), inquiry.quiet()), (Doubt::Order, quiet));
}

#[test]
fn an_answer_to_another_question_proves_nothing() {
    // a stranger's name is asked for, and answered with a list: the question stays
    let mut named = 0;
    let (asked, evidence) = drive(&mut inquiry(Doubt::Order), 120, |question, _| match question {
        Question::Trades => Answer::Strangers(vec![VenueOrderId("9".into())]),
        Question::Name(_) => {
            named += 1;
            if named % 2 == 1 { Answer::Strangers(Vec::new()) } else { Answer::Another }
        }
        _ => Answer::Lacks,
    });
    let Some(Evidence::Absent(proof)) = evidence else { panic!("{evidence:?}") };
    assert_eq!(named, 2 * proof.trades.count, "each time asked again: {asked:?}");
}

#[test]
fn silence_of_the_local_exchange_is_proof_after_three_rounds_over_two_seconds() {
    let mut inquiry = Inquiry::new(&record(), Doubt::Order, EvidencePolicy::LOCAL, FROM, 0);
    inquiry.stream_is_whole(FROM);
    let (asked, evidence) = drive(&mut inquiry, 60, |_, _| Answer::Lacks);
    let Some(Evidence::Absent(proof)) = evidence else { panic!("{evidence:?}") };
    assert_eq!([proof.order.count, proof.open_orders.count, proof.history.count, proof.trades.count], [3; 4]);
    let last = asked.last().unwrap().0;
    assert_eq!(last, 5, "2 s until the fence, 1 s for the exchange, and a round each second");
}

#[test]
fn a_proof_is_none_where_any_part_of_it_falls_short_of_the_policy() {
    /// A proof that just does, since history and trades agree.
    fn proof() -> Absence {
        let quiet = FENCE.plus_nanos(POLICY.backend_timeout);
        let reads = |count| Reads { count, first: quiet, last: quiet.plus_nanos(POLICY.spread) };
        Absence {
            not_before: FROM,
            fence: FENCE,
            backend_timeout: POLICY.backend_timeout,
            clock_error: 0,
            stream_since: FROM,
            order: reads(POLICY.reads),
            open_orders: reads(POLICY.reads),
            history: reads(POLICY.agreed),
            trades: reads(POLICY.agreed),
            policy: String::new(),
        }
    }
    /// History and trades do not agree, and the order was last asked for so long after the quiet began.
    fn settled(it: &mut Absence, nanos: i64) {
        (it.history.count, it.order.last) = (1, it.quiet().plus_nanos(nanos));
    }
    fn earlier(reads: &mut Reads) {
        reads.first = reads.first.plus_nanos(-1);
    }
    assert!(proof().fulfils(&POLICY));
    let short: [fn(&mut Absence); 17] = [
        |it| it.backend_timeout -= 1,
        |it| it.clock_error = -1,
        |it| it.clock_error = 1, // then the quiet begins later
        |it| earlier(&mut it.order),
        |it| earlier(&mut it.open_orders),
        |it| earlier(&mut it.history),
        |it| earlier(&mut it.trades),
        |it| it.order.count -= 1,
        |it| it.open_orders.count -= 1,
        |it| it.order.last = it.order.last.plus_nanos(-1),
        |it| it.open_orders.last = it.open_orders.last.plus_nanos(-1),
        |it| it.history.count -= 1,
        |it| it.trades.count -= 1,
        |it| settled(it, POLICY.settle - 1),
        |it| {
            settled(it, POLICY.settle);
            it.trades.count = 0; // nobody ever looked
        },
        // the stream began after the window, and one list was not read since
        |it| (it.stream_since, it.trades.last) = (it.order.last, it.order.last.plus_nanos(-1)),
        |it| it.stream_since = it.order.last.plus_nanos(1),
    ];
    for (nth, change) in short.into_iter().enumerate() {
        let mut it = proof();
        change(&mut it);
        assert!(!it.fulfils(&POLICY), "{nth}: {it:?}");
    }
    let enough: [fn(&mut Absence); 4] = [
        |it| settled(it, POLICY.settle),
        |it| it.stream_since = it.order.last, // every list was read since
        |it| (it.stream_since, it.trades.last) = (it.not_before, it.trades.first),
        |it| (it.history.last, it.trades.last) = (it.history.first, it.trades.first),
    ];
    for (nth, change) in enough.into_iter().enumerate() {
        let mut it = proof();
        change(&mut it);
        assert!(it.fulfils(&POLICY), "{nth}: {it:?}");
    }
}
