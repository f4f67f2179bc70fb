//! Contracts that come near their liquidation: who is told, and what the engine does about it itself.

use crate::orders::{WIDE, perpetual};
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::Limits;
use tradewind_risk::{Controls, Guard, RiskMode};

const PERP: InstrumentId = InstrumentId(1);
const MINUTE: i64 = 60_000;

/// What conservative says of liquidation, without what it says of size.
const NEAR: Controls = Controls {
    liquidation_buffer_bps: Some(1_500),
    maintenance_bps: Some(250),
    liquidation_alert_bps: Some(2_000),
    deleverage_bps: Some(1_275),
    ..Controls::of(tradewind_risk::Profile::Demo)
};

/// 250 of a perpetual at 100, against 10,000: liquidated below 61.54 if long, above 136.58 if short.
fn stage(side: Side, change: impl FnOnce(&mut Controls)) -> Stage {
    let mut controls = Controls {
        market_collar_bps: None,
        collar_bps: None,
        leverage: None,
        margin_used_bps: None,
        drawdown_halt_bps: None,
        weekly_loss_bps: None,
        consecutive_losses: None,
        ..NEAR
    };
    change(&mut controls);
    let mut stage = Stage::new(Limits { controls: Some(controls), ..WIDE });
    stage.is_unjudged = true;
    perpetual(&mut stage, "BTC/USDT:USDT");
    let request = OrderRequest { instrument: PERP, ..market(side, 2_500_000) };
    let id = stage.propose(request).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    fill(&mut stage, id, MARK);
    stage.sent.clear();
    stage
}

fn fill(stage: &mut Stage, id: ClientOrderId, at: i64) {
    let order = *stage.sent.iter().find(|order| order.client_id() == id).unwrap();
    let whole = stage.execution(id, order.quantity().mantissa(), at);
    stage.venue(EventKind::Filled(Fill { instrument: PERP, ..whole }));
}

/// The next price of the perpetual, a second later.
fn price_is(stage: &mut Stage, at: i64) {
    stage.millis += 1_000;
    let id = TradeId(1_000_000 + u128::from(stage.state.sequence));
    let trade = Trade { instrument: PERP, price: price(at), quantity: lots(1), aggressor: Side::Buy, id };
    stage.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
}

fn mode(stage: &Stage) -> RiskMode {
    stage.state.risk.as_ref().unwrap().monitor.mode(PortfolioId(0), PERP)
}

fn distance(stage: &Stage) -> i64 {
    stage.state.liquidations(PortfolioId(0))[0].distance_bps.unwrap()
}

fn tripped(stage: &Stage) -> Vec<(Guard, RiskMode, i64, i64)> {
    let of = |record: &Vec<u8>| match decode(record).unwrap().kind {
        EventKind::Risk(act) => match *act {
            RiskAct::Tripped { guard, mode, value, limit, .. } => Some((guard, mode, value, limit)),
            _ => None,
        },
        _ => None,
    };
    stage.journal.iter().filter_map(of).collect()
}

#[test]
fn a_fall_is_told_then_met_by_a_smaller_position_and_nothing_happens_on_the_other_side() {
    let mut stage = stage(Side::Buy, |_| ());
    price_is(&mut stage, 7_700); // 1 - 61.5385 / 77 = 20.079 %
    assert_eq!((mode(&stage), distance(&stage), stage.sent.len()), (RiskMode::Normal, 2_007, 0));
    price_is(&mut stage, 7_690); // 19.98 %
    assert_eq!((mode(&stage), distance(&stage), stage.sent.len()), (RiskMode::Caution, 1_997, 0));
    price_is(&mut stage, 7_054); // 12.76 %
    assert_eq!((mode(&stage), distance(&stage), stage.sent.len()), (RiskMode::Caution, 1_276, 0));
    price_is(&mut stage, 7_052); // 12.74 %
    assert_eq!((mode(&stage), distance(&stage)), (RiskMode::ReduceOnly, 1_273));
    let trips = tripped(&stage);
    let near = Guard::NearLiquidation;
    assert_eq!(trips, [(near, RiskMode::Caution, 1_997, 2_000), (near, RiskMode::ReduceOnly, 1_273, 1_275)]);

    // 2,630 are left: 15 % need (2,630 - 0.025 n) / 0.975 n, so 15,357.66 of notional: 217.7774 may stay
    let [order] = stage.sent[..] else { panic!("{:?}", stage.sent) };
    let request = order.request();
    assert_eq!((request.side, request.quantity, request.reduce_only), (Side::Sell, lots(322_226), true));
    assert!(matches!(request.kind, OrderKind::Market) && order.source() == Some(Source::Host));
    fill(&mut stage, order.client_id(), 7_052);
    assert_eq!(distance(&stage), 1_500, "back at what an entry has to keep");
    for _ in 0..120 {
        price_is(&mut stage, 7_052);
    }
    assert_eq!(stage.sent.len(), 1, "once");
    stage.check_journal();
}

#[test]
fn a_short_is_made_smaller_by_buying() {
    let mut stage = stage(Side::Sell, |_| ());
    price_is(&mut stage, 12_113); // 136.585 / 121.13 - 1 = 12.76 %
    assert_eq!((mode(&stage), distance(&stage), stage.sent.len()), (RiskMode::Caution, 1_275, 0));
    price_is(&mut stage, 12_115);
    let [order] = stage.sent[..] else { panic!("{:?}", stage.sent) };
    assert!(order.side() == Side::Buy && order.request().reduce_only);
    fill(&mut stage, order.client_id(), 12_115);
    assert_eq!(distance(&stage), 1_500);
    stage.check_journal();
}

#[test]
fn while_the_order_is_on_its_way_and_for_a_minute_nothing_more_is_proposed() {
    let mut stage = stage(Side::Buy, |_| ());
    price_is(&mut stage, 7_000);
    assert_eq!(stage.sent.len(), 1);
    let first = stage.sent[0].quantity();
    for at in [6_900, 6_800] {
        price_is(&mut stage, at);
    }
    assert_eq!(stage.sent.len(), 1, "a minute's rest");
    stage.millis += MINUTE;
    price_is(&mut stage, 6_800);
    let [_, second] = stage.sent[..] else { panic!("{:?}", stage.sent) };
    assert!(first + second.quantity() <= lots(2_500_000), "both fill: {first:?} {second:?}");
    let (one, two) = (stage.sent[0].client_id(), second.client_id());
    fill(&mut stage, one, 6_800);
    fill(&mut stage, two, 6_800);
    assert!(stage.state.portfolio(PortfolioId(0)).position(PERP).quantity() >= Quantity::ZERO);
    stage.check_journal();
}

#[test]
fn what_brackets_or_stops_close_already_is_left_to_them() {
    let mut stage = stage(Side::Buy, |_| ());
    let stop = OrderKind::Stop { trigger: price(6_500) };
    let request = OrderRequest { instrument: PERP, reduce_only: true, kind: stop, ..market(Side::Sell, 2_400_000) };
    assert!(stage.propose(request).is_some(), "{}", stage.last_refusal());
    price_is(&mut stage, 7_000);
    let [_, order] = stage.sent[..] else { panic!("{:?}", stage.sent) };
    assert_eq!(order.quantity(), lots(100_000), "ten of 250 are free");
    stage.check_journal();
}

#[test]
fn a_kill_switch_is_stronger_and_a_halt_by_losses_is_not() {
    let mut stage = stage(Side::Buy, |_| ());
    stage.operator(EventKind::Halted(Halt { reason: "a person looks".to_owned() }));
    price_is(&mut stage, 7_000);
    assert_eq!((mode(&stage), stage.sent.len(), stage.refusals.len()), (RiskMode::ReduceOnly, 0, 0), "told, no more");
    stage.operator(EventKind::Resumed { reason: "seen".to_owned() });
    price_is(&mut stage, 7_000);
    assert_eq!(stage.sent.len(), 1, "{}", stage.last_refusal());
    stage.check_journal();

    let mut stage = self::stage(Side::Buy, |controls| controls.drawdown_halt_bps = Some(2_000));
    price_is(&mut stage, 7_000);
    assert_eq!(mode(&stage), RiskMode::Halted);
    assert_eq!(stage.sent.len(), 1, "an explicit exit: {}", stage.last_refusal());
    stage.check_journal();
}

#[test]
fn without_the_limits_nothing_watches() {
    let mut stage = stage(Side::Buy, |it| (it.liquidation_alert_bps, it.deleverage_bps) = (None, None));
    price_is(&mut stage, 6_200);
    assert_eq!((mode(&stage), stage.sent.len()), (RiskMode::Normal, 0));
    assert_eq!(distance(&stage), 74, "it can be looked up all the same");
}

#[test]
fn the_venues_brackets_decide_where_an_instrument_carries_them() {
    let mut stage = stage(Side::Buy, |_| ());
    let unit = 100_000_000;
    let tier = |floor: i64, cap: i64, leverage, maintenance_e8, amount: i64| MarginTier {
        floor: floor * unit,
        cap: cap * unit,
        leverage,
        maintenance_e8,
        amount: amount * unit,
    };
    let tiers = vec![tier(0, 10_000, 20, 1_000_000, 0), tier(10_000, 50_000, 10, 10_000_000, 900)];
    let mut instrument = stage.state.listing(PERP).instrument.clone();
    instrument.spec.margin = MarginTiers::new(tiers).unwrap();
    stage.host(EventKind::Listed(Box::new(instrument)));
    // 10 % less 900 of 20,000 are 1,100: (5,000 + 900 - 2,000) / (20,000 x 0.9) = 21.66 %
    price_is(&mut stage, 8_000);
    assert_eq!((mode(&stage), distance(&stage)), (RiskMode::Normal, 2_166));
    let all = stage.state.liquidations(PortfolioId(0));
    assert_eq!(all[0].price, Some(price(6_267)), "62.667, towards the mark");
    // 10 % less 900 of 19,250 are 1,025: (4,250 + 900 - 1,925) / (19,250 x 0.9) = 18.61 %; by 2.5 % it would be 20.08 %
    price_is(&mut stage, 7_700);
    assert_eq!((mode(&stage), distance(&stage)), (RiskMode::Caution, 1_861));
    stage.check_journal();
}
