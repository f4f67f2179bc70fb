//! What holds after every event, whatever happens in whatever order. The judge of the stage checks double entry, fills,
//! trade ids, closed orders, cancels and the way out of the unknown each time; here are the storms that it judges.

use crate::judge::worst;
use crate::stage::{BTC, MARK, Stage, TIGHT, lots, price, usdt};
use proptest::prelude::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Limits, Mode};
use tradewind_risk::{AccountCaps, AccountLimits, Guard};

/// One throw of the dice: what happens, to which order, and three numbers that it may use.
type Throw = (u8, prop::sample::Index, u8, u16, u16);

fn throws(most: usize) -> impl Strategy<Value = Vec<Throw>> {
    proptest::collection::vec(
        (0_u8..40, any::<prop::sample::Index>(), any::<u8>(), any::<u16>(), any::<u16>()),
        1..most,
    )
}

/// A venue that does everything a venue may do, and a few things it may not.
struct Storm {
    stage: Stage,
    told: Vec<Fill>,
    incarnation: u64,
    /// Executions of orders that are off the book, reversals, other hands, new prices: what no gate can foresee.
    acts_of_god: bool,
}

impl Storm {
    fn new(limits: Limits, acts_of_god: bool) -> Self {
        Self { stage: Stage::new(limits), told: Vec::new(), incarnation: 9, acts_of_god }
    }

    fn pick(&self, index: &prop::sample::Index) -> Option<Order> {
        (!self.stage.sent.is_empty()).then(|| *index.get(&self.stage.sent))
    }

    /// What may still fill of an order, by the venue: it does not execute what it refused or never saw.
    fn left(&self, order: &Order) -> i64 {
        let Some(record) = self.stage.state.order(order.client_id()) else { return 0 };
        let left = record.order.quantity().mantissa() - record.filled.mantissa();
        match record.state {
            OrderState::Closed { outcome: Outcome::Cancelled } if self.acts_of_god => left,
            OrderState::Closed { .. } => 0,
            _ => left,
        }
    }

    fn throw(&mut self, (what, index, which, one, other): &Throw) {
        self.stage.millis += i64::from(*which) * 7;
        match what {
            0..=11 => self.propose(*which, *one, *other),
            12..=14 => self.outside(*what, *which, *one),
            15 if self.acts_of_god => self.stage.mark(9_000 + i64::from(one % 2_000)),
            16 if self.acts_of_god => {
                if let Some(fill) = index_of(&self.told, index) {
                    self.stage.venue(EventKind::Reversed(fill));
                }
            }
            17 => {
                if let Some(fill) = index_of(&self.told, index) {
                    self.stage.venue(EventKind::Filled(fill));
                }
            }
            _ => {
                if let Some(order) = self.pick(index) {
                    self.of_order(*what, &order, *one);
                }
            }
        }
    }

    fn propose(&mut self, which: u8, one: u16, other: u16) {
        let side = if which & 1 == 0 { Side::Buy } else { Side::Sell };
        let quantity = lots(i64::from(one % 12_000) * 10 + 1);
        let at = price(9_000 + i64::from(other % 2_000));
        let request = match which % 5 {
            0 => OrderRequest::market(BTC, side, quantity),
            1 => OrderRequest { reduce_only: true, ..OrderRequest::limit(BTC, side, quantity, at) },
            // of a group only the larger counts towards limits; what happens when both fill is a20
            2 if self.acts_of_god => {
                let group = Some(OcoGroup(1 + u64::from(other % 4)));
                OrderRequest { oco: group, ..OrderRequest::limit(BTC, side, quantity, at) }
            }
            3 => OrderRequest { kind: OrderKind::Stop { trigger: at }, ..OrderRequest::market(BTC, side, quantity) },
            _ => OrderRequest::limit(BTC, side, quantity, at),
        };
        self.stage.propose_for(u16::from(which & 2) / 2, request);
    }

    fn outside(&mut self, what: u8, which: u8, one: u16) {
        match (what, which % 4) {
            (12, 0) => {
                self.incarnation += 1;
                self.stage.start(self.incarnation);
            }
            (12, 1) => self.stage.operator(EventKind::Halted(Halt { reason: "a person says so".into() })),
            (12, _) => self.stage.operator(EventKind::Resumed { reason: "all is well".into() }),
            (13, 0) => {
                let units = i128::from(one) - 30_000;
                self.stage.venue(EventKind::Deposited(Money { currency: usdt(), units }));
            }
            (13, 1) => {
                let money = Money { currency: usdt(), units: i128::from(one) - 30_000 };
                self.stage.operator(EventKind::Adjusted { money, reason: "a corrected fee".into() });
            }
            (14, 0) => {
                let drift = Drift { what: "balance BTC".into(), ours: "1".into(), venue: "2".into() };
                let drifts = if one.is_multiple_of(3) { Vec::new() } else { vec![drift] };
                let through = Timestamp::from_millis(self.stage.millis);
                self.stage.venue(EventKind::Compared { through, drifts, at_start: false });
            }
            _ => self.stage.say_for(PortfolioId(0), Source::Timer, EventKind::Timer),
        }
    }

    fn of_order(&mut self, what: u8, order: &Order, one: u16) {
        let client_id = order.client_id();
        let stage = &mut self.stage;
        match what {
            18..=20 => stage.host(EventKind::Sent { client_id }),
            21..=23 => stage.accept(client_id),
            24 => stage.venue(EventKind::AnswerLost { client_id, reason: "lost".into() }),
            25 => stage.venue(EventKind::Rejected { client_id, reason: "-2010".into() }),
            26 => stage.venue(EventKind::Cancelled { client_id, reason: "on request".into() }),
            27 => stage.venue(EventKind::CancelRefused { client_id, reason: "-2011".into() }),
            28 => stage.operator(EventKind::CancelProposed { client_id }),
            29 => stage.venue(EventKind::Expired { client_id, evidence: None }),
            30 if !self.acts_of_god => stage.host(EventKind::NotSent { client_id, reason: "no socket".into() }),
            31 => {
                let least = stage.state.order(client_id).map_or(0, |record| record.filled.mantissa());
                let most = stage.state.order(client_id).map_or(0, |record| record.order.quantity().mantissa());
                let quantity = lots((most - i64::from(one % 50)).max(least + 1).min(most));
                stage.venue(EventKind::Reworked { client_id, price: None, quantity });
            }
            _ => {
                let part = i64::from(one).min(self.left(order));
                if part > 0 {
                    let at = if self.acts_of_god { MARK - 500 + i64::from(one % 1_000) } else { MARK };
                    self.told.push(self.stage.fill(client_id, part, at));
                }
            }
        }
    }
}

fn index_of(fills: &[Fill], index: &prop::sample::Index) -> Option<Fill> {
    (!fills.is_empty()).then(|| *index.get(fills))
}

proptest! {
    /// Double entry to the last unit, sums of fills, each trade id and each name once, nothing closed opens again, cancels
    /// add nothing, unknown until named: all of it by the judge, after every event. And then: decided again, folded from
    /// the beginning, and folded from a snapshot taken anywhere, the journal comes to the same state.
    #[test]
    fn invariants_01_03_04_06_07_10_19_24_hold_in_any_storm(
        throws in throws(160), cut in any::<prop::sample::Index>(),
    ) {
        let mut storm = Storm::new(Limits::RESEARCH, true);
        throws.iter().for_each(|throw| storm.throw(throw));
        let stage = storm.stage;
        stage.check_journal();
        let cut = cut.index(stage.journal.len());
        let mut early = State::default();
        stage.journal[..cut].iter().for_each(|record| apply(&mut early, &decode(record).unwrap()));
        let snapshot: State = serde_json::from_str(&serde_json::to_string(&early).unwrap()).unwrap();
        prop_assert_eq!(snapshot.hash(), early.hash());
        prop_assert_eq!(stage.folded(snapshot, cut).hash(), stage.state.hash());
    }

    /// Nothing that the gate let pass takes a position beyond its limit, at any event: counting what is held, what is
    /// open and what nobody knows of, with prices at rest and a venue that keeps to its own words.
    #[test]
    fn invariant_11_position_open_and_unknown_stay_within_the_limit_at_every_event(throws in throws(160)) {
        let mut storm = Storm::new(TIGHT, false);
        storm.stage.holding(90_000);
        storm.stage.holding(90_000);
        for throw in &throws {
            storm.throw(throw);
            for (low, high) in worst(&storm.stage.state) {
                prop_assert!(high <= 250_000, "{high} lots of 2,500 USDT at 100 after {throw:?}");
                prop_assert!(low >= 0, "{low}: nothing is sold that is not there, after {throw:?}");
            }
        }
        let fits = |order: &Order| order.side() == Side::Sell || order.quantity() <= lots(100_000);
        prop_assert!(storm.stage.sent.iter().all(fits), "what adds is at most 1,000 USDT");
    }

    /// A process that dies while it recovers, or right after, finds the same state again.
    #[test]
    fn invariant_21_recovering_again_comes_to_the_same(throws in throws(60), cut in any::<prop::sample::Index>()) {
        let mut storm = Storm::new(Limits::RESEARCH, true);
        throws.iter().for_each(|throw| storm.throw(throw));
        let journal = &storm.stage.journal[..=cut.index(storm.stage.journal.len())];
        let fold = || {
            let mut state = State::default();
            journal.iter().for_each(|record| apply(&mut state, &decode(record).unwrap()));
            state
        };
        let restart = |mut state: State, sequence: u64| {
            let kind = EventKind::Started { incarnation: Incarnation(77), mode: Mode::Paper, logic: LOGIC_VERSION };
            let event = Event::new(sequence, state.now, Source::Host, kind);
            apply(&mut state, &event);
            state
        };
        prop_assert_eq!(fold().hash(), fold().hash());
        let next = fold().sequence + 1;
        let once = restart(fold(), next);
        prop_assert_eq!(once.hash(), restart(fold(), next).hash());
        let mut twice = restart(once.clone(), next);
        twice.now = once.now;
        prop_assert_eq!(twice.hash(), once.hash(), "what is unknown stays so, and nothing else changes");
        let unsent = |it: &OrderRecord| matches!(it.state, OrderState::Intended | OrderState::InFlight { .. });
        prop_assert!(!once.open.values().any(unsent), "sent or not is a question for the venue now");
    }
}

/// Every state, every input: what is legal stands in the table of the domain; here is what must never be.
#[test]
fn invariant_07_no_input_opens_a_closed_order_and_the_unknown_ends_by_evidence_alone() {
    use OrderInput as In;
    let zero = Timestamp::default();
    let inputs = [
        In::Sent,
        In::NotSent,
        In::AnswerLost,
        In::Accepted,
        In::Rejected,
        In::FilledPartly,
        In::FilledWholly,
        In::CancelSent,
        In::CancelRefused,
        In::ReplaceSent,
        In::ReplaceEnded,
        In::Cancelled,
        In::Expired,
    ];
    let ends = [Outcome::Filled, Outcome::Rejected, Outcome::Cancelled, Outcome::Expired, Outcome::NotSent];
    let states = [
        OrderState::Intended,
        OrderState::InFlight { sent_at: zero },
        OrderState::Unknown { since: zero },
        OrderState::Working,
        OrderState::PendingCancel,
        OrderState::PendingReplace,
    ];
    let all: Vec<_> = states.into_iter().chain(ends.map(|outcome| OrderState::Closed { outcome })).collect();
    for from in &all {
        for input in inputs {
            let to = match from.on(input, zero) {
                Ok(to) => to,
                Err(error) => {
                    assert_eq!((error.from, error.input), (*from, input));
                    continue;
                }
            };
            assert!(from.is_open() || !to.is_open(), "{from:?} by {input:?}");
            if let (OrderState::Unknown { .. }, false) = (from, from == &to) {
                let evidence =
                    [In::Accepted, In::Rejected, In::FilledPartly, In::FilledWholly, In::Cancelled, In::Expired];
                assert!(evidence.contains(&input), "unknown ends by {input:?}");
            }
            if to == OrderState::Intended {
                assert_eq!(*from, OrderState::Intended, "an intent is made once");
            }
            if matches!(to, OrderState::InFlight { .. }) && !matches!(from, OrderState::InFlight { .. }) {
                assert_eq!((*from, input), (OrderState::Intended, In::Sent), "sent once, and only what was meant");
            }
            let rejected = OrderState::Closed { outcome: Outcome::Rejected };
            if to == rejected && *from != rejected {
                assert!(!matches!(from, OrderState::Working | OrderState::PendingCancel), "{from:?} was on the book");
            }
        }
    }
}

/// Children of a parent, whatever becomes of them: what they may fill together stays within what was asked.
#[test]
fn invariant_09_children_never_come_to_more_than_their_parent() {
    use tradewind_engine::algo::{Plan, Schedule};
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(96));
    let slices = 2_u32..8;
    runner
        .run(&(slices, throws(120)), |(slices, throws)| {
            let mut storm = Storm::new(Limits::RESEARCH, false);
            let total = 5_000;
            let plan = Plan::Schedule(Schedule::even(Timestamp::from_millis(0), 60_000_000_000, slices));
            storm.stage.wish(OrderRequest::limit(BTC, Side::Buy, lots(total), price(9_900)), plan);
            for throw in &throws {
                if throw.0 >= 12 {
                    storm.throw(throw);
                }
                storm.stage.millis += 300;
                storm.stage.say_for(PortfolioId(0), Source::Timer, EventKind::Timer);
                for parent in storm.stage.state.parents.live() {
                    prop_assert!(parent.committed() <= lots(total), "{:?}", parent.children);
                }
                let most: i64 = storm
                    .stage
                    .sent
                    .iter()
                    .map(|order| {
                        let record = storm.stage.state.order(order.client_id()).unwrap();
                        record.filled.mantissa() + record.open_quantity().mantissa()
                    })
                    .sum();
                prop_assert!(most <= total, "{most} of {total}");
            }
            Ok(())
        })
        .unwrap();
}

/// A throttle and a daily loss do not forget by a restart, nor by a clock that jumps.
#[test]
fn invariant_16_throttles_and_losses_hold_across_restarts_and_jumps_of_the_clock() {
    let mut stage = Stage::new(Limits { daily_loss_bps: Some(100), ..Limits::RESEARCH });
    stage.millis = 12 * 3_600_000;
    stage.mark(MARK);
    let caps = AccountCaps { orders_per_second: Some(3), ..AccountCaps::default() };
    let limits = AccountLimits { caps, ..AccountLimits::NONE };
    stage.operator(EventKind::Risk(Box::new(RiskAct::AccountLimits { limits: Box::new(limits) })));
    let buy = |stage: &mut Stage| stage.propose(OrderRequest::limit(BTC, Side::Buy, lots(1_000), price(9_000)));
    for _ in 0..3 {
        let client_id = buy(&mut stage).unwrap();
        stage.venue(EventKind::Cancelled { client_id, reason: "on request".into() });
    }
    let noon = stage.millis;
    for (millis, incarnation) in [(noon, None), (noon + 999, Some(10)), (noon - 3_600_000, None), (noon - 1, Some(11))]
    {
        stage.millis = millis;
        if let Some(incarnation) = incarnation {
            stage.start(incarnation);
        }
        stage.mark(MARK);
        assert_eq!(buy(&mut stage), None, "at {millis}");
        let refusal = stage.refusals.last().unwrap();
        assert_eq!(refusal.breach, Some(Guard::AccountOrderRate), "{refusal}");
    }
    stage.millis = noon + 1_000;
    let client_id = buy(&mut stage).expect("a second later");
    stage.venue(EventKind::Cancelled { client_id, reason: "on request".into() });

    stage.holding(500_000);
    stage.millis += 10_000;
    stage.mark(9_700); // 150 of 10,000 are gone
    for millis in [noon + 20_000, noon - 3_600_000, noon + 30_000] {
        stage.millis = millis;
        stage.start(12);
        stage.mark(9_700);
        assert_eq!(buy(&mut stage), None, "{}", stage.last_refusal());
        assert!(stage.last_refusal().contains("DailyLoss"), "{}", stage.last_refusal());
    }
    stage.check_journal();
}
