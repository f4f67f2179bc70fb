//! Two orders of which one cancels the other: proposed, judged and sent as one.

#![allow(clippy::unwrap_used)] // a test may

use std::collections::VecDeque;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Action, Guard, Limits, Mode, Proposal};

const IT: InstrumentId = InstrumentId(0);
const MAIN: PortfolioId = PortfolioId(0);

/// A host without a disk: steps events, keeps them as records, and what would be sent.
#[derive(Default)]
struct Host {
    state: State,
    records: Vec<Vec<u8>>,
    verdicts: Vec<Verdict>,
    sent: Vec<Action>,
}

impl Host {
    /// One bitcoin and 10,000 USDT, bitcoin at 100.
    fn new() -> Self {
        let mut host = Self::default();
        let usdt = Currency::new("USDT").unwrap();
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals: 4,
            ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
        };
        let started = EventKind::Started { incarnation: Incarnation(9), mode: Mode::Paper, logic: LOGIC_VERSION };
        host.say(Source::Host, started);
        host.say(Source::Host, EventKind::Listed(Box::new(spec.list(IT).unwrap())));
        host.say(Source::Host, EventKind::Opened { base: usdt, name: "main".into() });
        host.say(Source::Host, EventKind::LimitsSet(Box::new(Limits::RESEARCH)));
        for text in [("10000", usdt), ("1", Currency::new("BTC").unwrap())] {
            host.say(Source::Host, EventKind::Deposited(Money::parse(text.0, text.1).unwrap()));
        }
        let trade = Trade {
            instrument: IT,
            id: TradeId(1),
            price: Price::from_mantissa(10_000),
            quantity: Quantity::from_mantissa(1),
            aggressor: Side::Buy,
        };
        host.say(Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
        host
    }

    fn say(&mut self, source: Source, kind: EventKind) {
        let mut queue = VecDeque::from([(source, kind, MAIN)]);
        while let Some((source, kind, portfolio)) = queue.pop_front() {
            if let EventKind::Judged(verdict) = &kind {
                self.verdicts.push(verdict.clone());
            }
            let mut event = Event::new(self.state.sequence + 1, Timestamp::from_millis(60_000), source, kind);
            event.portfolio = portfolio;
            self.records.push(encode(&event, &self.state));
            let mut commands = Vec::new();
            step(&mut self.state, &event, &mut commands);
            for command in commands {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|waiting| &waiting.1)) => (),
                    Command::Record(kind, portfolio) => queue.push_back((Source::Host, kind, portfolio)),
                    Command::Send(approved) => self.sent.push(match approved.action() {
                        Action::Submit(order) => Action::Submit(*order),
                        Action::SubmitPair(pair) => Action::SubmitPair(pair.clone()),
                        Action::Amend { .. } => continue,
                        Action::Cancel { client_id, instrument, venue_id } => Action::Cancel {
                            client_id: *client_id,
                            instrument: *instrument,
                            venue_id: venue_id.clone(),
                        },
                    }),
                }
            }
        }
    }

    /// Proposes and returns the orders that were sent together.
    fn propose(&mut self, requests: [OrderRequest; 2]) -> Option<[Order; 2]> {
        let before = self.sent.len();
        self.say(Source::Operator, EventKind::ProposedPair { pair: Box::new(requests.map(proposal)) });
        match self.sent.get(before..) {
            Some([Action::SubmitPair(pair)]) => Some(**pair),
            Some([]) => None,
            other => panic!("{other:?}"),
        }
    }

    fn fill(&mut self, order: &Order, quantity: i64) {
        let fill = Fill {
            client_id: order.client_id(),
            instrument: IT,
            trade_id: TradeId(u128::from(self.state.sequence)),
            side: order.side(),
            price: Price::from_mantissa(11_000),
            quantity: Quantity::from_mantissa(quantity),
            liquidity: Liquidity::Maker,
            fee: Fee(Money::zero(Currency::new("USDT").unwrap())),
        };
        self.say(Source::Venue, EventKind::Filled(fill));
    }

    /// Reads every record back, and decides everything again.
    fn check_replay(&self) {
        let mut replay = Replay::default();
        for record in &self.records {
            replay.feed(&decode(record).unwrap());
        }
        assert_eq!((replay.divergence(), replay.state()), (None, &self.state));
    }
}

fn proposal(request: OrderRequest) -> Proposal {
    Proposal { plan: None, source: Source::Operator, portfolio: MAIN, request, reason: "test".into() }
}

/// A target and a stop of one size.
fn legs(side: Side, quantity: i64, target: i64, trigger: i64) -> [OrderRequest; 2] {
    let target = OrderRequest::limit(IT, side, Quantity::from_mantissa(quantity), Price::from_mantissa(target));
    [target, OrderRequest { kind: OrderKind::Stop { trigger: Price::from_mantissa(trigger) }, ..target }]
}

#[test]
fn a_pair_is_approved_twice_and_sent_once() {
    let mut host = Host::new();
    let [first, second] = host.propose(legs(Side::Sell, 10_000, 11_000, 9_000)).unwrap();
    assert!(
        matches!(host.verdicts.as_slice(), [Verdict::Approved(a), Verdict::Approved(b)] if (*a, *b) == (first, second))
    );
    assert!(first.client_id() < second.client_id());
    assert!(first.request().oco.is_some() && first.request().oco == second.request().oco);
    let (buys, sells, _) = host.state.open_quantities(MAIN, IT);
    assert_eq!((buys.mantissa(), sells.mantissa()), (0, 10_000), "only one of the two can trade");
    assert_eq!((host.state.counters.orders, host.state.intents), (2, 2));
    assert!(host.propose(legs(Side::Sell, 1, 11_000, 9_000)).is_none(), "the bitcoin is promised already");
    host.check_replay();
}

#[test]
fn every_pair_has_a_group_of_its_own() {
    let mut host = Host::new();
    let group = |pair: Option<[Order; 2]>| pair.unwrap()[0].request().oco.unwrap();
    let given = legs(Side::Sell, 2_000, 11_000, 9_000).map(|it| OrderRequest { oco: Some(OcoGroup(3)), ..it });
    assert_eq!(group(host.propose(given)), OcoGroup(3));
    let one = group(host.propose(legs(Side::Sell, 2_000, 11_000, 9_000)));
    let other = group(host.propose(legs(Side::Sell, 2_000, 11_000, 9_000)));
    assert!(one != OcoGroup(3) && other != OcoGroup(3) && one != other, "{one:?} {other:?}");
    host.check_replay();
}

#[test]
fn a_refusal_refuses_both_with_its_reason() {
    let mut host = Host::new();
    assert_eq!(host.propose(legs(Side::Sell, 10_000, 9_000, 8_000)), None);
    for verdict in &host.verdicts {
        let Verdict::Refused(refusal) = verdict else { panic!("{verdict:?}") };
        assert_eq!((refusal.guard, refusal.value.as_str()), (Guard::Pair, "a target at 90"));
    }
    assert_eq!((host.verdicts.len(), host.state.counters.veto, host.state.open.len()), (2, 2, 0));
    host.say(Source::Operator, EventKind::Halted(Halt { reason: "kill switch".into() }));
    assert_eq!(host.propose(legs(Side::Buy, 1_000, 9_000, 11_000)), None);
    host.check_replay();
}

#[test]
fn the_first_fill_of_either_cancels_the_other() {
    let mut host = Host::new();
    let [target, stop] = host.propose(legs(Side::Sell, 10_000, 11_000, 9_000)).unwrap();
    assert!(target.kind().trigger().is_none(), "the target is the dearer one");
    host.fill(&target, 4_000);
    assert!(matches!(host.sent.last(), Some(Action::Cancel { client_id, .. }) if *client_id == stop.client_id()));
    // the venue was faster: the cancel finds nothing, and nothing is odd about that
    host.say(Source::Venue, EventKind::Cancelled { client_id: stop.client_id(), reason: "by the venue".into() });
    let refused = EventKind::CancelRefused { client_id: stop.client_id(), reason: "-2011".into() };
    host.say(Source::Venue, refused);
    host.fill(&target, 6_000);
    assert_eq!((host.state.open.len(), host.state.counters.contradictions, &host.state.halted), (0, 0, &None));
    host.check_replay();
}

#[test]
fn a_pair_to_buy_holds_the_funds_of_the_dearer_order() {
    let mut host = Host::new();
    // 45 bitcoin at 90 are 4,050 USDT, at 110 they are 4,950
    let [first, second] = host.propose(legs(Side::Buy, 450_000, 9_000, 11_000)).unwrap();
    assert_eq!((first.kind().trigger().is_some(), second.kind().trigger().is_some()), (true, false));
    let limit =
        |quantity| OrderRequest::limit(IT, Side::Buy, Quantity::from_mantissa(quantity), Price::from_mantissa(10_000));
    let mut verdict = |quantity| {
        host.say(Source::Operator, EventKind::Proposed(proposal(limit(quantity))));
        host.verdicts.last().cloned().unwrap()
    };
    assert!(matches!(verdict(510_000), Verdict::Refused(refusal) if refusal.guard == Guard::Funds));
    assert!(matches!(verdict(500_000), Verdict::Approved(_)));
    host.check_replay();
}

#[test]
fn what_adds_exposure_goes_at_a_halt_and_what_protects_stays() {
    let mut host = Host::new();
    host.say(
        Source::Operator,
        EventKind::Proposed(proposal(OrderRequest::market(IT, Side::Buy, Quantity::from_mantissa(10_000)))),
    );
    let Some(Action::Submit(bought)) = host.sent.pop() else { panic!("{:?}", host.verdicts) };
    host.fill(&bought, 10_000);
    let buys = host.propose(legs(Side::Buy, 1_000, 9_000, 11_000)).unwrap();
    host.propose(legs(Side::Sell, 10_000, 11_000, 9_000)).unwrap();
    let before = host.sent.len();
    host.say(Source::Operator, EventKind::Halted(Halt { reason: "kill switch".into() }));
    let cancelled: Vec<_> = host.sent[before..].iter().flat_map(Action::client_ids).collect();
    assert_eq!(cancelled, buys.map(|it| it.client_id()), "the pair that sells what is held stays");
    host.check_replay();
}

#[test]
fn a_target_and_a_stop_of_one_group_in_a_row_are_a_pair() {
    let [target, stop] = legs(Side::Sell, 1, 11_000, 9_000);
    let of = |group, request| OrderRequest { oco: Some(OcoGroup(group)), ..request };
    let check = |requests: &[OrderRequest], want: &[usize]| {
        let sizes = EventKind::of_proposals(requests.iter().copied().map(proposal)).map(|kind| match kind {
            EventKind::Proposed(_) => 1,
            EventKind::ProposedPair { .. } => 2,
            other => panic!("{other:?}"),
        });
        assert_eq!(sizes.collect::<Vec<_>>(), want, "{requests:?}");
    };
    check(&[], &[]);
    check(&[target, stop], &[1, 1]);
    check(&[of(1, target), of(1, stop)], &[2]);
    check(&[target, of(1, stop), of(1, target), stop], &[1, 2, 1]);
    check(&[of(1, target), of(2, stop), of(2, target)], &[1, 2]);
    check(&[of(1, target), of(1, stop), of(1, stop)], &[2, 1]);
    // groups that no venue takes as one request stay single orders, of which the engine cancels the rest
    check(&[of(1, target), of(1, target)], &[1, 1]);
    check(&[of(1, target), of(1, OrderRequest { side: Side::Buy, ..stop })], &[1, 1]);
    check(&[of(1, target), of(1, OrderRequest { quantity: Quantity::from_mantissa(2), ..stop })], &[1, 1]);
}
