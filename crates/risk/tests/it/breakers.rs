//! Breakers trip once, hold across restarts and clock jumps, and leave as documented.

use crate::reach::minutes;
use crate::world::*;
use proptest::prelude::*;
use tradewind_domain::*;
use tradewind_risk::*;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;
const DESK: PortfolioId = PortfolioId(0);

struct Run {
    monitor: Monitor,
    set: LimitSet,
    sequence: u64,
}

fn run() -> Run {
    Run { monitor: Monitor::default(), set: LimitSet::of(Profile::Conservative), sequence: 0 }
}

impl Run {
    fn fold(&mut self, after: i64, fact: Fact) -> &mut Self {
        self.sequence += 1;
        self.monitor.fold(self.sequence, NOW.plus_nanos(after), &fact, &self.set.limits, &self.set.account);
        self
    }
    fn equity(&mut self, after: i64, units: i64) -> &mut Self {
        self.fold(after, Fact::Equity { portfolio: DESK, units: i128::from(units) * UNIT })
    }
    fn mode(&self) -> RiskMode {
        self.monitor.mode(DESK, InstrumentId(0))
    }
    fn guards(&self) -> Vec<Guard> {
        self.monitor.trips().iter().map(|trip| trip.guard).collect()
    }
}

#[test]
fn a_daily_loss_trips_once_and_ends_with_the_day() {
    let mut run = run();
    run.equity(0, 10_000).equity(1, 9_700);
    assert_eq!((run.mode(), run.monitor.tripped()), (RiskMode::ReduceOnly, 2));
    run.equity(2, 9_600).equity(3, 9_900);
    assert_eq!((run.mode(), run.monitor.tripped()), (RiskMode::ReduceOnly, 2), "once, and gains do not clear it");
    assert_eq!(run.monitor.trips()[0].value, 300, "what tripped it, not what came after");
    run.equity(DAY, 9_900);
    assert_eq!((run.mode(), run.guards()), (RiskMode::Normal, vec![]));
    run.equity(DAY + 1, 9_600);
    assert_eq!((run.guards(), run.monitor.tripped()), (vec![Guard::DailyLoss], 6), "a new day, a new loss");
}

#[test]
fn losses_are_cleared_by_an_operator_alone_and_measured_anew() {
    let mut run = run();
    run.equity(0, 10_000).equity(1, 7_900);
    let all = vec![Guard::DailyLoss, Guard::WeeklyLoss, Guard::Drawdown, Guard::DrawdownHalt];
    assert_eq!((run.guards(), run.mode()), (all.clone(), RiskMode::Halted));
    for by in [Source::Host, Source::Strategy(0), Source::Agent(0), Source::Timer, Source::Venue, Source::Market] {
        run.fold(2, Fact::Reset { by, guard: None });
        assert_eq!(run.guards(), all, "{by:?}");
    }
    run.equity(5 * DAY, 7_900);
    assert_eq!(run.guards(), all[1..], "a day ends the daily loss and nothing else");
    run.fold(5 * DAY, Fact::Reset { by: Source::Operator, guard: Some(Guard::DrawdownHalt) }).equity(5 * DAY, 7_899);
    assert_eq!((run.mode(), run.guards()), (RiskMode::ReduceOnly, vec![Guard::WeeklyLoss, Guard::Drawdown]));
    run.fold(5 * DAY, Fact::Reset { by: Source::Operator, guard: None }).equity(5 * DAY, 7_899);
    assert_eq!(run.mode(), RiskMode::Normal, "the loss is accepted");
    run.equity(5 * DAY, 7_200);
    assert!(run.guards().contains(&Guard::DailyLoss));
}

#[test]
fn infrastructure_recovers_step_by_step_with_time() {
    let mut run = run();
    (0..3).for_each(|i| {
        run.fold(i, Fact::ApiError);
    });
    assert_eq!((run.mode(), run.monitor.tripped()), (RiskMode::ReduceOnly, 3));
    run.fold(5 * MINUTE - 1, Fact::Tick);
    assert_eq!(run.mode(), RiskMode::ReduceOnly);
    run.fold(5 * MINUTE + 2, Fact::Tick);
    assert_eq!(run.mode(), RiskMode::Caution);
    run.fold(10 * MINUTE + 2, Fact::Tick);
    assert_eq!(run.mode(), RiskMode::Normal);
    run.fold(10 * MINUTE + 3, Fact::ApiError);
    assert_eq!(run.mode(), RiskMode::Normal, "the window is empty again");
}

#[test]
fn a_streak_ends_with_a_success() {
    let mut run = run();
    let failed = Fact::Failed { portfolio: DESK };
    (0..4).for_each(|i| {
        run.fold(i, failed);
    });
    run.fold(5, Fact::Accepted { portfolio: DESK }).fold(6, failed);
    assert_eq!((run.mode(), run.monitor.streaks(DESK)), (RiskMode::Normal, (0, 0, 1)));
    let closed = |profit| Fact::Realised { portfolio: DESK, profit };
    (0..9).for_each(|i| {
        run.fold(10 + i, closed(-1));
    });
    run.fold(20, closed(0)).fold(21, closed(1)).fold(22, closed(-1));
    assert_eq!((run.mode(), run.monitor.streaks(DESK).0), (RiskMode::Normal, 1), "even is neither");
}

#[test]
fn a_burst_of_volatility_passes_the_stages_in_order_and_cools_down_in_order() {
    let mut world = world(Profile::Conservative);
    let mut seen = Vec::new();
    let zigzag = |strength: i64| (0..40).map(|i| if i % 2 == 0 { strength } else { -strength }).collect::<Vec<i64>>();
    for strength in [100, 3_000, 4_200, 6_000] {
        world.monitor = Monitor::default();
        minutes(&mut world, &[(0, &zigzag(strength))]);
        seen.push(world.monitor.mode(DESK, InstrumentId(0)));
        assert_eq!(world.monitor.mode(DESK, InstrumentId(1)), RiskMode::Normal, "the other instrument trades on");
    }
    assert_eq!(seen, RiskMode::ALL);
    let mut modes = Vec::new();
    for minute in 0..100_i64 {
        let at = NOW.plus_nanos(minute * MINUTE);
        world.fold(at, Fact::Marked { instrument: InstrumentId(0), price: Price::from_mantissa(1_000_000_000) });
        let mode = world.monitor.mode(DESK, InstrumentId(0));
        if modes.last() != Some(&mode) {
            modes.push(mode);
        }
    }
    assert_eq!(modes, [RiskMode::Halted, RiskMode::ReduceOnly, RiskMode::Caution, RiskMode::Normal]);
}

#[test]
fn a_clock_that_goes_back_frees_nothing_and_one_that_jumps_ahead_keeps_losses() {
    let mut run = run();
    let order = |size: i64| Fact::Ordered {
        portfolio: DESK,
        instrument: InstrumentId(0),
        side: Side::Buy,
        quantity: Quantity::from_mantissa(size),
        price: None,
    };
    (1..=5).for_each(|i| {
        run.fold(0, order(i));
    });
    run.equity(0, 10_000).equity(0, 8_900);
    let trips = run.monitor.trips().to_vec();
    run.fold(-DAY, Fact::Tick);
    assert_eq!(run.monitor.now(), NOW);
    assert_eq!(run.monitor.orders_last_second(DESK, NOW.plus_nanos(-DAY)), 5, "still within the second");
    assert_eq!(run.monitor.trips(), trips);
    run.fold(400 * DAY, Fact::Tick);
    assert_eq!(run.monitor.orders_last_second(DESK, NOW), 0);
    assert_eq!(run.monitor.trips(), trips, "no time clears a loss");
}

#[test]
fn a_deposit_is_no_profit_and_a_withdrawal_no_loss() {
    let mut run = run();
    run.equity(0, 10_000);
    run.fold(1, Fact::Deposited { portfolio: DESK, units: -5_000 * UNIT }).equity(2, 5_000);
    assert_eq!(run.mode(), RiskMode::Normal);
    run.equity(3, 4_850);
    assert_eq!(run.guards(), [Guard::DailyLoss]);
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let (portfolio, instrument) = (DESK, InstrumentId(0));
    prop_oneof![
        (1_i64..4).prop_map(move |size| Fact::Ordered {
            portfolio,
            instrument,
            side: Side::Buy,
            quantity: Quantity::from_mantissa(size),
            price: None
        }),
        Just(Fact::Filled { portfolio, instrument, side: Side::Sell }),
        (-1_i128..2).prop_map(move |profit| Fact::Realised { portfolio, profit }),
        Just(Fact::Accepted { portfolio }),
        Just(Fact::Rejected { portfolio }),
        Just(Fact::Failed { portfolio }),
        Just(Fact::ApiError),
        (90_i64..110).prop_map(move |price| Fact::Marked { instrument, price: Price::from_mantissa(price) }),
        (5_000_i128..15_000).prop_map(move |units| Fact::Equity { portfolio, units }),
        Just(Fact::Drifted),
        Just(Fact::Tick),
        Just(Fact::Reset { by: Source::Agent(0), guard: None }),
    ]
}

proptest! {
    /// A restart at any point changes nothing, and nothing but time and an operator ever loosens.
    #[test]
    fn a_restart_changes_nothing_and_only_time_loosens(facts in prop::collection::vec((any_fact(), -10_i64..600), 1..120), cut in 0_usize..120) {
        let (mut run, mut other, mut at) = (run(), run(), 0);
        for (place, (fact, seconds)) in facts.iter().enumerate() {
            at += seconds * SECOND;
            let (before, time) = (run.monitor.worst(), run.monitor.now());
            run.fold(at, *fact);
            other.fold(at, *fact);
            if run.monitor.now() == time {
                prop_assert!(run.monitor.worst() >= before, "no time passed");
            }
            if place == cut {
                let text = serde_json::to_string(&other.monitor).unwrap();
                other.monitor = serde_json::from_str(&text).unwrap();
            }
            prop_assert_eq!(&run.monitor, &other.monitor);
            prop_assert!(run.monitor.now() >= time);
        }
    }
}
