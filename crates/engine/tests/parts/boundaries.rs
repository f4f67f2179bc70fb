//! Where two conditions meet: what still counts when one of them holds and the other does not.

use crate::orders::{list, perpetual};
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{ParentId, ParentState, Participation, Plan, Schedule};
use tradewind_engine::*;
use tradewind_gate::{Cap, Limits};
use tradewind_risk::Controls;

const MAIN: PortfolioId = PortfolioId(0);
const MINUTE: i64 = 60_000;

/// Research with these controls on top.
fn under(controls: Controls) -> Limits {
    Limits { controls: Some(controls), ..Limits::RESEARCH }
}

fn set_limits(stage: &mut Stage, limits: Limits) {
    stage.host(EventKind::LimitsSet(Box::new(limits)));
}

fn tick(stage: &mut Stage, millis: i64) {
    stage.millis += millis;
    stage.host(EventKind::Timer);
}

#[test]
fn once_no_limit_asks_for_a_stop_no_position_counts_as_bare() {
    let asks = under(Controls { unprotected_nanos: Some(60_000_000_000), ..Controls::default() });
    let mut stage = Stage::new(asks);
    stage.holding(1_000);
    let bare = |stage: &Stage| stage.state.risk.as_ref().unwrap().monitor.bare_positions().len();
    assert_eq!(bare(&stage), 1);
    set_limits(&mut stage, under(Controls::default()));
    assert_eq!(bare(&stage), 0);
    tick(&mut stage, 10 * MINUTE);
    assert_eq!(stage.state.risk.as_ref().unwrap().monitor.trips(), []);
    stage.check_journal();
}

#[test]
fn a_persons_exemption_ends_with_its_position_where_no_limit_asks_for_a_stop_too() {
    let mut stage = Stage::new(under(Controls::default()));
    stage.holding(1_000);
    let exempted = RiskAct::Exempted { instrument: BTC, by: "ada".to_owned(), reason: "a hedge".to_owned() };
    stage.operator(EventKind::Risk(Box::new(exempted)));
    let exempt = |stage: &Stage| stage.state.risk.as_ref().unwrap().exempt.len();
    assert_eq!(exempt(&stage), 1);
    let exit = stage.working(market(Side::Sell, 1_000));
    stage.fill(exit, 400, MARK);
    assert_eq!(exempt(&stage), 1, "a part of it is still held");
    stage.fill(exit, 600, MARK);
    assert_eq!(exempt(&stage), 0);
    stage.check_journal();
}

#[test]
fn liquidation_is_reckoned_in_the_portfolios_own_currency() {
    let controls = Controls {
        maintenance_bps: Some(250),
        liquidation_buffer_bps: Some(1_500),
        deleverage_bps: Some(1_275),
        ..Controls::default()
    };
    let (max_order, max_position, borrow) = (Cap::NONE, Cap::NONE, true);
    let mut stage = Stage::new(Limits { max_order, max_position, borrow, ..under(controls) });
    stage.is_unjudged = true; // the judge's books know no contracts
    perpetual(&mut stage, "BTC/USDC:USDC");
    list(&mut stage, InstrumentId(2), "USDC/USDT");
    let price_is = |stage: &mut Stage, id, at| {
        stage.millis += 1_000;
        let number = TradeId(1_000_000 + u128::from(stage.state.sequence));
        let trade = Trade {
            instrument: InstrumentId(id),
            price: price(at),
            quantity: lots(1),
            aggressor: Side::Buy,
            id: number,
        };
        stage.say_for(MAIN, Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
    };
    price_is(&mut stage, 2, 200); // two of ours for one of theirs
    let request = OrderRequest { instrument: InstrumentId(1), ..market(Side::Buy, 1_000_000) };
    let id = stage.propose(request).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    let whole = stage.execution(id, 1_000_000, MARK);
    stage.venue(EventKind::Filled(Fill { instrument: InstrumentId(1), ..whole }));
    let distance = |stage: &Stage| stage.state.liquidations(MAIN)[0].distance_bps;
    // 100 at 100 of theirs are 20,000 of ours: (10,000 - 500) / (20,000 x 0.975)
    assert_eq!(distance(&stage), Some(4_871));
    price_is(&mut stage, 2, 700); // 70,000 now: (10,000 - 1,750) / (70,000 x 0.975)
    assert_eq!(distance(&stage), Some(1_208));
    // 15 % need (10,000 - 0.025 n) / 0.975 n: 58,394.16 may stay, 83.4202 of the contract
    let order = stage.sent[1];
    assert_eq!((order.side(), order.quantity()), (Side::Sell, lots(165_798)));
    stage.check_journal();
}

#[test]
fn a_limited_schedule_has_until_one_interval_after_its_last_slice() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let start = Timestamp::from_millis(0);
    stage.wish(limit(Side::Buy, 1_000, MARK), Plan::Schedule(Schedule::even(start, 2 * MINUTE * 1_000_000, 2)));
    let parent = |stage: &Stage| stage.state.parents.get(ParentId(1)).unwrap().state.clone();
    assert_eq!(stage.sent.len(), 1, "{} {:?}", stage.last_refusal(), stage.state.parents.get(ParentId(1)));
    let first = stage.sent[0].client_id();
    stage.accept(first);
    stage.venue(EventKind::Cancelled { client_id: first, reason: "by the venue".into() });
    tick(&mut stage, 2 * MINUTE); // past both slices, which began at 0 and 1 minutes
    assert_eq!(parent(&stage), ParentState::Working);
    assert_eq!(
        stage.sent.iter().map(|order| order.quantity().mantissa()).collect::<Vec<_>>(),
        [500, 1_000],
        "the rest"
    );
    stage.accept(stage.sent[1].client_id());
    tick(&mut stage, MINUTE - 1);
    assert_eq!(parent(&stage), ParentState::Working);
    tick(&mut stage, 1);
    assert!(matches!(parent(&stage), ParentState::Ending { .. }), "{:?}", parent(&stage));
    stage.check_journal();
}

#[test]
fn a_clip_may_be_nothing_or_all_of_it_and_a_rate_from_its_least_to_its_most() {
    let opens = |rate_bps, clip| {
        let mut stage = Stage::new(Limits::RESEARCH);
        let part = Participation { rate_bps, clip: lots(clip), until: Timestamp::from_millis(60 * MINUTE) };
        stage.wish(market(Side::Buy, 1_000), Plan::Participate(part));
        stage.state.parents.get(ParentId(1)).is_some()
    };
    for (rate, clip, want) in [
        (100, 0, true),
        (100, -1, false),
        (100, 1_000, true),
        (100, 1_001, false),
        (0, 100, false),
        (1, 100, true),
        (5_000, 100, true),
        (5_001, 100, false),
    ] {
        assert_eq!(opens(rate, clip), want, "{rate} bps in clips of {clip}");
    }
}

#[test]
fn a_fill_cancels_the_other_orders_of_its_group_and_portfolio_once_and_no_others() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(3_000);
    let sell = |group: Option<u64>, at| OrderRequest { oco: group.map(OcoGroup), ..limit(Side::Sell, 500, at) };
    let filling = stage.working(sell(Some(7), 10_100));
    let sibling = stage.working(sell(Some(7), 10_200));
    for other in [sell(Some(8), 10_300), sell(None, 10_400)] {
        stage.working(other);
    }
    let theirs = OrderRequest { oco: Some(OcoGroup(7)), ..limit(Side::Buy, 500, 9_900) };
    let theirs = stage.propose_for(1, theirs).expect("the gate lets it pass");
    stage.accept(theirs);
    for _ in 0..2 {
        stage.fill(filling, 100, 10_100);
        assert_eq!(stage.cancels, [sibling], "once, however often the first one fills");
    }
    stage.check_journal();
}
