//! What the account's limits see of the market, of groups and of contracts.

use crate::orders::{WIDE, list, perpetual};
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Cap, Limits};
use tradewind_risk::{AccountCaps, AccountLimits, Controls, Guard, RiskMode};

const SECOND: InstrumentId = InstrumentId(1);

fn account(caps: AccountCaps) -> EventKind {
    let limits = Box::new(AccountLimits { caps, ..AccountLimits::NONE });
    EventKind::Risk(Box::new(RiskAct::AccountLimits { limits }))
}

fn worst(stage: &Stage) -> RiskMode {
    stage.state.risk.as_ref().unwrap().monitor.worst()
}

fn guard(stage: &Stage) -> Option<Guard> {
    stage.refusals.last().and_then(|refusal| refusal.breach)
}

#[test]
fn every_way_in_which_a_price_is_told_moves_the_equity_that_breakers_watch() {
    let limits = Limits { daily_loss_bps: Some(500), controls: Some(Controls::default()), ..Limits::RESEARCH };
    let size = lots(1);
    let quote = |at| Quote { instrument: SECOND, bid: price(at), bid_size: size, ask: price(at), ask_size: size };
    let bar = |at| tradewind_domain::Bar {
        instrument: SECOND,
        interval: Interval::MINUTE,
        open_time: Timestamp::from_millis(0),
        open: price(at),
        high: price(at),
        low: price(at),
        close: price(at),
        volume: size,
    };
    let trade =
        |at| Trade { instrument: SECOND, price: price(at), quantity: size, aggressor: Side::Buy, id: TradeId(9) };
    let origin = Origin::Recorded;
    // held: 50 of a second instrument at 100; a quote is its first price, anything else a fall by 11
    let cases = [
        ("a bar", EventKind::BarClosed { bar: bar(8_900), origin }, RiskMode::ReduceOnly),
        ("a trade", EventKind::Traded { trade: trade(8_900), origin }, RiskMode::ReduceOnly),
        ("a small fall", EventKind::Traded { trade: trade(9_100), origin }, RiskMode::Normal),
        (
            "a quote, which moves no mark",
            EventKind::Quoted { quote: quote(8_900), origin, marks: false },
            RiskMode::Normal,
        ),
    ];
    for (what, kind, want) in cases {
        let mut stage = Stage::new(limits);
        list(&mut stage, SECOND, "ETH/USDT");
        stage.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade: trade(10_000), origin });
        let id = stage.propose(OrderRequest { instrument: SECOND, ..market(Side::Buy, 500_000) }).unwrap();
        let fill = Fill { instrument: SECOND, ..stage.execution(id, 500_000, 10_000) };
        stage.venue(EventKind::Filled(fill));
        stage.say_for(PortfolioId(0), Source::Market, kind);
        assert_eq!(worst(&stage), want, "{what}");
        stage.check_journal();
    }
}

#[test]
fn funding_that_costs_the_days_loss_trips_like_any_other() {
    let limits = Limits { daily_loss_bps: Some(500), controls: Some(Controls::default()), ..Limits::RESEARCH };
    for (rate_e8, want) in [(9_000_000, RiskMode::Normal), (10_000_000, RiskMode::ReduceOnly)] {
        let mut stage = Stage::new(limits);
        stage.holding(500_000); // 5,000 at 100: ten percent of it are 500 of 10,000
        let mut state = stage.state.clone();
        let kind = EventKind::Funding { instrument: BTC, rate_e8, mark: price(MARK) };
        let event = Event::new(state.sequence + 1, state.now, Source::Venue, kind);
        apply(&mut state, &event);
        assert_eq!(state.risk.unwrap().monitor.worst(), want, "{rate_e8} e-8");
    }
}

#[test]
fn a_configuration_that_drifted_lets_only_what_reduces_pass() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(1_000);
    let resting = stage.working(limit(Side::Buy, 100, 9_900));
    stage.host(EventKind::Risk(Box::new(RiskAct::Drifted { reason: "another program".to_owned() })));
    assert_eq!(stage.propose(market(Side::Buy, 100)), None);
    assert_eq!(guard(&stage), Some(Guard::ConfigDrift), "{}", stage.last_refusal());
    assert_eq!(stage.cancels, [resting]);
    assert!(stage.propose(market(Side::Sell, 1_000)).is_some());
    stage.check_journal();
}

#[test]
fn losses_in_a_row_are_those_of_closed_trades() {
    let controls = Controls { consecutive_losses: Some(2), ..Controls::default() };
    let mut stage = Stage::new(Limits { controls: Some(controls), ..Limits::RESEARCH });
    for (sold_at, want) in
        [(9_990, RiskMode::Normal), (10_010, RiskMode::Normal), (9_990, RiskMode::Normal), (9_990, RiskMode::Halted)]
    {
        let trip = |stage: &Stage| stage.state.risk.as_ref().unwrap().monitor.worst();
        stage.holding(1_000);
        let id = stage.working(market(Side::Sell, 1_000));
        stage.fill(id, 1_000, sold_at);
        stage.mark(MARK);
        let got = trip(&stage);
        assert_eq!(got > RiskMode::Normal, want > RiskMode::Normal, "after a sale at {sold_at}: {got:?}");
    }
}

#[test]
fn of_a_group_only_its_largest_order_counts_and_of_its_own_none() {
    let caps = AccountCaps { asset_bps: Some(1_000), ..AccountCaps::default() }; // 2,000 of 20,000
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, ..Limits::RESEARCH });
    stage.operator(account(caps));
    let of_group = |quantity, at| OrderRequest { oco: Some(OcoGroup(7)), ..limit(Side::Buy, quantity, at) };
    assert!(stage.propose(of_group(100_000, 9_900)).is_some(), "{}", stage.last_refusal());
    assert!(stage.propose(of_group(150_000, 9_800)).is_some(), "beside its own group: {}", stage.last_refusal());
    assert_eq!(stage.propose(limit(Side::Buy, 60_000, 9_700)), None, "1,500 are open, not 2,500 and not 1,000");
    assert_eq!(guard(&stage), Some(Guard::Asset), "{}", stage.last_refusal());
    assert!(stage.propose(limit(Side::Buy, 50_000, 9_700)).is_some(), "{}", stage.last_refusal());
    stage.check_journal();
}

#[test]
fn a_stake_that_nothing_values_refuses_what_adds() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.operator(account(AccountCaps { gross_bps: Some(9_000), ..AccountCaps::default() }));
    list(&mut stage, SECOND, "ETH/USDT"); // which never had a price
    let request = OrderRequest { instrument: SECOND, ..limit(Side::Buy, 100, 5_000) };
    let order = Order::as_worked(PortfolioId(1), ClientOrderId::from_u128(5), request);
    assert!(stage.propose(market(Side::Buy, 100)).is_some(), "{}", stage.last_refusal());
    stage.host(EventKind::Judged(Verdict::Approved(order)));
    assert_eq!(stage.propose(market(Side::Buy, 200)), None);
    assert_eq!(guard(&stage), Some(Guard::Data), "{}", stage.last_refusal());
    assert!(stage.last_refusal().contains("1 stakes without a mark or a rate"), "{}", stage.last_refusal());
}

#[test]
fn a_contract_keeps_its_distance_from_liquidation_beside_every_other_contract() {
    let controls = Controls { liquidation_buffer_bps: Some(2_000), maintenance_bps: Some(500), ..Controls::default() };
    let mut stage = Stage::new(Limits { controls: Some(controls), ..WIDE });
    perpetual(&mut stage, "BTC/USDT:USDT");
    let buy = |quantity| OrderRequest { instrument: SECOND, ..market(Side::Buy, quantity) };
    // with n the size and 5 % of it set aside: (10,000 - n/20) / (19/20 n) >= 20 % up to n = 41,666
    assert_eq!(stage.propose(buy(4_170_000)), None);
    assert_eq!(guard(&stage), Some(Guard::Liquidation), "{}", stage.last_refusal());
    assert!(stage.propose(buy(4_160_000)).is_some(), "{}", stage.last_refusal());
}

#[test]
fn margin_counts_positions_open_orders_and_every_other_contract() {
    let controls = Controls { margin_used_bps: Some(9_500), initial_bps: Some(5_000), ..Controls::default() };
    let mut stage = Stage::new(Limits { controls: Some(controls), ..WIDE });
    perpetual(&mut stage, "BTC/USDT:USDT");
    stage.is_unjudged = true;
    let contract = |side, quantity, at| OrderRequest { instrument: SECOND, ..limit(side, quantity, at) };
    // half of the notional is margin, 95 % of 10,000 are free: 19,000 in all, and 10,000 of them are held
    let id = stage.propose(OrderRequest { instrument: SECOND, ..market(Side::Buy, 1_000_000) }).unwrap();
    let fill = Fill { instrument: SECOND, ..stage.execution(id, 1_000_000, MARK) };
    stage.venue(EventKind::Filled(fill));
    assert!(stage.propose(contract(Side::Buy, 500_000, 10_000)).is_some(), "{}", stage.last_refusal());
    assert_eq!(stage.propose(contract(Side::Buy, 400_100, 10_000)), None, "5,000 are open");
    assert_eq!(guard(&stage), Some(Guard::MarginUsed), "{}", stage.last_refusal());
    assert!(
        stage
            .last_refusal()
            .contains("initial margin would be 95.01 % of an equity of 10000; limits.margin_used allows 95 %"),
        "{}",
        stage.last_refusal()
    );
    assert!(stage.propose(contract(Side::Sell, 2_900_000, 10_000)).is_some(), "a hedge counts on its worse side only");
    assert!(stage.propose(market(Side::Buy, 100)).is_some(), "spot is paid in full: {}", stage.last_refusal());
    let in_use = |name: &str| {
        let all = stage.state.limits_in_use(PortfolioId(0));
        all.iter().find(|it| it.limit.name == name).unwrap().used
    };
    assert_eq!(in_use("margin_used"), Some(9_500));
    stage.check_journal();
}
