//! How much of a contract is closed before its venue would: lots, what venues take at least, and when it is asked again.

use crate::orders::{WIDE, perpetual};
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::Limits;
use tradewind_risk::{Controls, RiskMode};

const PERP: InstrumentId = InstrumentId(1);
const MAIN: PortfolioId = PortfolioId(0);
const BUFFERED: Controls = Controls {
    liquidation_buffer_bps: Some(1_500),
    maintenance_bps: Some(250),
    liquidation_alert_bps: Some(2_000),
    deleverage_bps: Some(1_275),
    ..Controls::of(tradewind_risk::Profile::Demo)
};

fn limits(controls: Controls) -> Limits {
    Limits {
        controls: Some(Controls {
            market_collar_bps: None,
            collar_bps: None,
            leverage: None,
            margin_used_bps: None,
            drawdown_halt_bps: None,
            weekly_loss_bps: None,
            consecutive_losses: None,
            ..controls
        }),
        ..WIDE
    }
}

/// 250 of a perpetual at 100, against 10,000, in lots and least quantities as `change` makes them: liquidated below 61.54.
fn stage(controls: Controls, change: impl FnOnce(&mut InstrumentSpec)) -> Stage {
    let mut stage = Stage::new(limits(controls));
    stage.is_unjudged = true; // its books know no contracts
    perpetual(&mut stage, "BTC/USDT:USDT");
    let mut spec = stage.state.listing(PERP).instrument.spec.clone();
    change(&mut spec);
    stage.host(EventKind::Listed(Box::new(spec.list(PERP).unwrap())));
    let request = OrderRequest { instrument: PERP, ..market(Side::Buy, 2_500_000) };
    let id = stage.propose(request).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    let whole = stage.execution(id, 2_500_000, MARK);
    stage.venue(EventKind::Filled(Fill { instrument: PERP, ..whole }));
    stage.sent.clear();
    stage
}

fn price_is(stage: &mut Stage, at: i64) {
    let id = TradeId(1_000_000 + u128::from(stage.state.sequence));
    let trade = Trade { instrument: PERP, price: price(at), quantity: lots(1), aggressor: Side::Buy, id };
    stage.say_for(MAIN, Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
}

fn mode(stage: &Stage) -> RiskMode {
    stage.state.risk.as_ref().unwrap().monitor.mode(MAIN, PERP)
}

fn closed(stage: &Stage) -> Vec<i64> {
    stage.sent.iter().map(|order| order.quantity().mantissa()).collect()
}

#[test]
fn a_distance_that_is_just_the_limit_is_far_enough() {
    // at 76.93 the distance is 20.007 %, which is 2,000 basis points; at 70.54 it is 12.761 %
    for (controls, at, want) in [
        (Controls { liquidation_alert_bps: Some(2_000), ..BUFFERED }, 7_693, RiskMode::Normal),
        (Controls { liquidation_alert_bps: Some(2_001), ..BUFFERED }, 7_693, RiskMode::Caution),
        (Controls { deleverage_bps: Some(1_276), ..BUFFERED }, 7_054, RiskMode::Caution),
        (Controls { deleverage_bps: Some(1_277), ..BUFFERED }, 7_054, RiskMode::ReduceOnly),
        (Controls { liquidation_alert_bps: None, deleverage_bps: Some(1_276), ..BUFFERED }, 7_054, RiskMode::Normal),
    ] {
        let mut stage = stage(controls, |_| ());
        price_is(&mut stage, at);
        assert_eq!(mode(&stage), want, "at {at}");
        assert_eq!(stage.sent.len(), usize::from(want == RiskMode::ReduceOnly));
    }
}

#[test]
fn what_is_closed_is_the_fewest_whole_lots_that_bring_the_buffer_back() {
    let sold = |change: fn(&mut InstrumentSpec)| {
        let mut stage = stage(BUFFERED, change);
        price_is(&mut stage, 7_052);
        closed(&stage)
    };
    // 2,630 are left: 15 % need (2,630 - 0.025 n) / 0.975 n, so 217.7774 may stay
    assert_eq!(sold(|_| ()), [322_226]);
    assert_eq!(sold(|it| it.lot = lots(1_000)), [323_000]);
    assert_eq!(sold(|it| it.lot = lots(100_000)), [400_000]);
    assert_eq!(sold(|it| it.min_quantity = lots(500_000)), [500_000], "no order is smaller");
    assert_eq!(sold(|it| it.min_quantity = lots(2_300_000)), [2_500_000], "what would be left is too little to close");
    assert_eq!(sold(|it| it.max_quantity = lots(2_500_000)), [322_226]);
}

#[test]
fn less_than_an_order_may_be_is_not_proposed() {
    for (least, want) in [(100_000, vec![100_000]), (100_001, vec![])] {
        let mut stage = stage(BUFFERED, |it| it.min_quantity = lots(least));
        // all but 100,000 is about to be closed by a stop
        let kind = OrderKind::Stop { trigger: price(6_500) };
        let request = OrderRequest { instrument: PERP, reduce_only: true, kind, ..market(Side::Sell, 2_400_000) };
        assert!(stage.propose(request).is_some(), "{}", stage.last_refusal());
        stage.sent.clear();
        price_is(&mut stage, 7_000);
        assert_eq!((closed(&stage), stage.refusals.len()), (want, 0), "an order is at least {least}");
    }
}

#[test]
fn a_position_is_left_alone_for_a_minute_and_what_was_proposed_before_that_is_forgotten() {
    for (rest, want) in [(59_999, 1), (60_000, 2), (61_000, 2)] {
        let mut stage = stage(BUFFERED, |_| ());
        price_is(&mut stage, 7_000);
        assert_eq!(stage.sent.len(), 1);
        stage.millis += rest;
        price_is(&mut stage, 6_800);
        assert_eq!(stage.sent.len(), want, "{rest} ms later: {}", stage.last_refusal());
        let noted = &stage.state.risk.as_ref().unwrap().deleveraged;
        assert_eq!(noted.len(), 1, "{rest} ms later");
        stage.check_journal();
    }
}

#[test]
fn of_two_positions_that_rest_each_is_remembered() {
    let mut stage = stage(BUFFERED, |_| ());
    stage.say_for(PortfolioId(1), Source::Host, EventKind::LimitsSet(Box::new(limits(BUFFERED))));
    let request = OrderRequest { instrument: PERP, ..market(Side::Buy, 2_400_000) };
    let id = stage.propose_for(1, request).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    let whole = stage.execution(id, 2_400_000, MARK);
    stage.say_for(PortfolioId(1), Source::Venue, EventKind::Filled(Fill { instrument: PERP, ..whole }));
    stage.sent.clear();
    price_is(&mut stage, 7_000);
    stage.millis += 1_000;
    price_is(&mut stage, 6_700);
    let of: Vec<PortfolioId> = stage.sent.iter().map(Order::portfolio).collect();
    assert_eq!(of, [MAIN, PortfolioId(1)], "{}", stage.last_refusal());
    assert_eq!(stage.state.risk.as_ref().unwrap().deleveraged.len(), 2);
    stage.millis += 1_000;
    price_is(&mut stage, 6_700);
    assert_eq!(stage.sent.len(), 2, "each has its minute");
    stage.check_journal();
}

#[test]
fn a_fill_that_leads_too_near_is_told_and_met_at_the_next_price() {
    let mut stage = stage(BUFFERED, |_| ());
    // on the book while there was room; when it fills the position is larger by a fifth
    let id = stage.propose(OrderRequest { instrument: PERP, ..limit(Side::Buy, 500_000, 7_300) });
    let id = id.unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    stage.accept(id);
    stage.sent.truncate(1);
    price_is(&mut stage, 7_300);
    assert_eq!(stage.sent.len(), 1);
    let fill = Fill { instrument: PERP, side: Side::Buy, ..stage.execution(id, 500_000, 7_300) };
    stage.venue(EventKind::Filled(fill));
    assert_eq!((mode(&stage), stage.sent.len()), (RiskMode::ReduceOnly, 1), "what it led to comes first");
    price_is(&mut stage, 7_300);
    assert_eq!(stage.sent.len(), 2, "{}", stage.last_refusal());
    stage.check_journal();
}
