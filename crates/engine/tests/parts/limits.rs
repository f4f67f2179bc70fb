//! What the account's limits see of the market, of groups and of contracts.

use crate::orders::{WIDE, foreign_order, list, perpetual};
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

fn trades_at(stage: &mut Stage, instrument: InstrumentId, at: i64) {
    let id = TradeId(1_000_000 + u128::from(stage.state.sequence));
    let trade = Trade { instrument, price: price(at), quantity: lots(1), aggressor: Side::Buy, id };
    stage.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
}

/// How much of each of these limits is in use, as people are told.
fn used<const N: usize>(stage: &Stage, names: [&str; N]) -> [Option<i64>; N] {
    let all = stage.state.limits_in_use(PortfolioId(0));
    names.map(|name| all.iter().find(|it| it.limit.name == name).unwrap().used)
}

/// A stage whose first portfolio has so many bitcoin that were there before its first order, with these caps on the account.
fn with_coins(limits: Limits, amount: &str, caps: AccountCaps) -> Stage {
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, ..limits });
    stage.say_for(PortfolioId(0), Source::Host, EventKind::Deposited(Money::parse(amount, btc()).unwrap()));
    stage.operator(account(caps));
    stage
}

const EXPOSURE: [&str; 5] = ["asset", "net", "gross", "venue", "class"];
const POSITIONS: [&str; 5] = ["max_position", "leverage", "strategy", "open_positions", "account_positions"];

#[test]
fn coins_that_were_there_before_are_exposure_and_no_position() {
    let half = AccountCaps { asset_bps: Some(5_000), ..AccountCaps::default() };
    let mut stage = with_coins(Limits::RESEARCH, "100", half);
    assert_eq!(used(&stage, EXPOSURE), [Some(3_333); 5], "10,000 of 30,000");
    assert_eq!(used(&stage, POSITIONS), [Some(0); 5]);
    assert_eq!(stage.propose(market(Side::Buy, 500_100)), None);
    assert_eq!(guard(&stage), Some(Guard::Asset), "{}", stage.last_refusal());
    stage.holding(500_000);
    assert_eq!(used(&stage, EXPOSURE), [Some(5_000); 5], "and 5,000 of a position");
    assert_eq!(used(&stage, POSITIONS), [Some(2_500), Some(2_500), Some(1_666), Some(1), Some(1)]);
    assert_eq!(stage.propose(market(Side::Buy, 100)), None);
    let sale = stage.propose(market(Side::Sell, 1_000_000)).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    assert_eq!(used(&stage, EXPOSURE), [Some(5_000); 5], "it is open");
    stage.fill(sale, 1_000_000, MARK);
    assert_eq!(stage.position(), -500_000);
    assert_eq!(used(&stage, EXPOSURE), [Some(1_666); 5], "fifty of them are left");
    assert_eq!(used(&stage, POSITIONS), [Some(0); 5]);
    stage.check_journal();
}

#[test]
fn resting_sales_of_coins_are_no_short_position_where_nobody_can_be_short() {
    let tenth = AccountCaps { asset_bps: Some(1_000), ..AccountCaps::default() };
    let mut stage = with_coins(Limits::RESEARCH, "40", tenth);
    assert_eq!(used(&stage, EXPOSURE), [Some(1_666); 5], "4,000 of 24,000, above the limit");
    for at in [10_100, 10_200, 10_300] {
        assert!(stage.propose(limit(Side::Sell, 130_000, at)).is_some(), "{}", stage.last_refusal());
        assert_eq!(used(&stage, EXPOSURE), [Some(1_666); 5], "none of them may fill");
    }
    assert_eq!(stage.propose(limit(Side::Sell, 130_000, 10_400)), None, "no more are there");
    assert!(stage.last_refusal().starts_with("GATE-09"), "{}", stage.last_refusal());
    assert_eq!(stage.propose(limit(Side::Buy, 100, 9_900)), None);
    assert_eq!(guard(&stage), Some(Guard::Asset), "{}", stage.last_refusal());
    stage.check_journal();

    let mut lent = with_coins(WIDE, "0", tenth);
    assert!(lent.propose(limit(Side::Sell, 100_000, 10_100)).is_some(), "{}", lent.last_refusal());
    assert_eq!(used(&lent, EXPOSURE), [Some(500); 5], "1,000 of 20,000, short");
    assert_eq!(lent.propose(limit(Side::Sell, 100_000, 10_200)), None);
    assert_eq!(guard(&lent), Some(Guard::Asset), "{}", lent.last_refusal());
}

#[test]
fn what_other_hands_sell_is_short_only_where_something_may_be_borrowed() {
    for (limits, side, want) in
        [(Limits::RESEARCH, Side::Sell, 0), (Limits::RESEARCH, Side::Buy, 500), (WIDE, Side::Sell, 500)]
    {
        let mut stage = with_coins(limits, "0", AccountCaps::default());
        stage.venue(EventKind::Foreign(Box::new(foreign_order(BTC, side, 100_000, 0))));
        assert_eq!(used(&stage, EXPOSURE), [Some(want); 5], "{side:?} 1,000 of 20,000");
    }
}

#[test]
fn coins_that_may_be_sold_hedge_a_short_contract_no_more() {
    let controls = Controls::default();
    let mut stage = with_coins(Limits { controls: Some(controls), ..Limits::RESEARCH }, "100", AccountCaps::default());
    stage.is_unjudged = true; // its books know no contracts
    perpetual(&mut stage, "BTC/USDT:USDT");
    let id = stage.propose(OrderRequest { instrument: SECOND, ..market(Side::Sell, 1_000_000) }).unwrap();
    let whole = stage.execution(id, 1_000_000, MARK);
    stage.venue(EventKind::Filled(Fill { instrument: SECOND, ..whole }));
    assert_eq!(used(&stage, ["net", "asset", "gross"]), [Some(0), Some(0), Some(6_666)], "100 against 100");
    assert!(stage.propose(limit(Side::Sell, 600_000, 10_100)).is_some(), "{}", stage.last_refusal());
    assert_eq!(used(&stage, ["net", "asset", "gross"]), [Some(2_000), Some(2_000), Some(6_666)], "forty may be left");
}

#[test]
fn coins_are_what_positions_in_every_pair_of_their_asset_do_not_account_for() {
    let caps = AccountCaps { gross_bps: Some(5_000), ..AccountCaps::default() }; // 15,000 of 30,000
    let mut stage = with_coins(Limits::RESEARCH, "100", caps);
    let [ether, cross, other] = [1, 2, 3].map(InstrumentId);
    list(&mut stage, ether, "ETH/USDT");
    list(&mut stage, cross, "ETH/BTC");
    trades_at(&mut stage, ether, 500);
    trades_at(&mut stage, cross, 5);
    let buy = |instrument| OrderRequest { instrument, ..market(Side::Buy, 12_000_000) };
    assert_eq!(stage.propose(buy(ether)), None, "6,000 of cash on top of 10,000");
    assert_eq!(guard(&stage), Some(Guard::Gross), "{}", stage.last_refusal());
    let id = stage.propose(buy(cross)).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    assert_eq!(used(&stage, ["gross"]), [Some(5_333)], "as long as it is open the coins are still there");
    let whole = stage.execution(id, 12_000_000, 5);
    stage.venue(EventKind::Filled(Fill { instrument: cross, ..whole }));
    assert_eq!(used(&stage, ["gross", "asset"]), [Some(3_333), Some(2_000)], "6,000 of ether and 4,000 of bitcoin");
    assert_eq!(used(&stage, ["max_position", "open_positions"]), [Some(3_000), Some(1)]);
    list(&mut stage, other, "BTC/USDT"); // the same coin at another venue
    trades_at(&mut stage, other, MARK);
    let id = stage.propose(OrderRequest { instrument: other, ..market(Side::Buy, 100_000) }).unwrap();
    let whole = stage.execution(id, 100_000, MARK);
    stage.venue(EventKind::Filled(Fill { instrument: other, ..whole }));
    assert_eq!(used(&stage, ["gross", "open_positions"]), [Some(3_666), Some(2)], "1,000 more");
    stage.check_journal();
}

#[test]
fn coins_that_nothing_values_or_nothing_could_be_sold_of_are_no_exposure() {
    let mut stage = with_coins(Limits::RESEARCH, "0", AccountCaps::default());
    let ether = Currency::new("ETH").unwrap();
    let more = |stage: &mut Stage, amount: &str| {
        let money = Money::parse(amount, ether).unwrap();
        stage.say_for(PortfolioId(0), Source::Host, EventKind::Deposited(money));
    };
    more(&mut stage, "10");
    assert_eq!(used(&stage, EXPOSURE), [Some(0); 5], "no pair of it is listed");
    list(&mut stage, SECOND, "ETH/USDT");
    assert_eq!(used(&stage, EXPOSURE), [Some(0); 5], "it has no price");
    assert!(stage.propose(market(Side::Buy, 100)).is_some(), "{}", stage.last_refusal());
    trades_at(&mut stage, SECOND, 10_000);
    assert_eq!(used(&stage, ["gross", "account_positions"]), [Some(476), Some(1)], "1,000 beside an order of 1");
    more(&mut stage, "-9.99995");
    trades_at(&mut stage, SECOND, 100_000_000);
    assert_eq!(used(&stage, ["asset"]), [Some(0)], "half a lot of it, worth 50");
}
