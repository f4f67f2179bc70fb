//! Wishes that are more than one order: pairs, parents, and changes of orders that rest.

use crate::chance::Chance;
use crate::chaos::{away, lots_worth};
use crate::orders::SECOND;
use crate::setup::MAX_ORDER;
use tradewind_domain::{
    ClientOrderId, Instrument, OrderKind, OrderRecord, OrderRequest, OrderState, PortfolioId, Price, Quantity, Side,
    Source, TimeInForce, TradePlan, TrailingOffset,
};
use tradewind_engine::algo::{Ask, ParentEvent, ParentWish, Participation, Plan, Protection, Schedule};
use tradewind_engine::{Amend, EventKind, State};
use tradewind_gate::Proposal;

/// For whom something is wished, of what, and what it costs now.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) state: &'a State,
    pub(crate) portfolio: PortfolioId,
    pub(crate) it: &'a Instrument,
    pub(crate) held: Quantity,
    pub(crate) bid: Price,
    pub(crate) ask: Price,
}

impl Scene<'_> {
    fn source(&self) -> Source {
        Source::Strategy(self.portfolio.0)
    }

    /// Orders of the portfolio that rest, and belong to nothing larger.
    fn alone(&self) -> Vec<&OrderRecord> {
        let alone = |record: &&OrderRecord| {
            let order = &record.order;
            order.portfolio() == self.portfolio
                && record.state == OrderState::Working
                && order.request().oco.is_none()
                && !order.client_id().is_foreign()
                && self.state.parents.parent_of(order.client_id()).is_none()
        };
        self.state.open.values().filter(alone).collect()
    }
}

/// Somebody makes a resting order smaller.
pub(crate) fn amend(mood: &mut Chance, scene: &Scene<'_>) -> Option<EventKind> {
    let alone = scene.alone();
    let record = (!alone.is_empty()).then(|| *mood.pick(&alone))?;
    let it = &scene.state.listing(record.order.instrument()).instrument;
    let open = record.open_quantity().mantissa();
    let quantity = it.whole_lots(record.filled + Quantity::from_mantissa(mood.between(0, open)));
    let client_id: ClientOrderId = record.order.client_id();
    Some(EventKind::Amend { client_id, said: Amend::Proposed { quantity } })
}

/// A target and a stop: out of what is held, or into a position from either side.
pub(crate) fn pair(mood: &mut Chance, scene: &Scene<'_>) -> EventKind {
    let it = scene.it;
    let sells = scene.held >= it.spec.min_quantity && mood.happens(700);
    let side = if sells { Side::Sell } else { Side::Buy };
    let price = if sells { scene.bid } else { scene.ask };
    let mut quantity = lots_worth(it, mood.between(20, MAX_ORDER / 2), price);
    if sells {
        quantity = quantity.min(scene.held);
    }
    let target = away(it, side, price, -mood.between(3, 30));
    let trigger = away(it, side, price, mood.between(3, 30));
    let alike = OrderRequest::limit(it.id, side, quantity, target);
    let stop = match mood.happens(500) {
        true => OrderKind::Stop { trigger },
        false => OrderKind::StopLimit { trigger, price: away(it, side, trigger, 20) },
    };
    let proposal = |request| Proposal {
        plan: None,
        source: scene.source(),
        portfolio: scene.portfolio,
        request,
        reason: "chaos in a pair".into(),
    };
    let requests = [OrderRequest { post_only: true, ..alike }, OrderRequest { kind: stop, ..alike }];
    EventKind::ProposedPair { pair: Box::new(requests.map(proposal)) }
}

/// A wish for orders over time.
pub(crate) fn parent(mood: &mut Chance, scene: &Scene<'_>) -> Option<EventKind> {
    let (it, now) = (scene.it, scene.state.now);
    let side = if scene.held >= it.spec.min_quantity && mood.happens(500) { Side::Sell } else { Side::Buy };
    let price = if side == Side::Buy { scene.ask } else { scene.bid };
    let mut quantity = lots_worth(it, mood.between(200, MAX_ORDER - 200), price);
    if side == Side::Sell {
        quantity = quantity.min(scene.held);
    }
    let at_market = OrderRequest::market(it.id, side, quantity);
    let resting = OrderRequest::limit(it.id, side, quantity, away(it, side, price, -mood.between(3, 30)));
    let (request, plan) = match mood.below(7) {
        0 => {
            let slices = u32::try_from(mood.between(2, 8)).unwrap_or(2);
            (at_market, Plan::Schedule(Schedule::even(now, mood.between(20, 400) * SECOND, slices)))
        }
        1 => {
            let display = it.whole_lots(Quantity::from_mantissa(quantity.mantissa() / mood.between(2, 6)));
            (resting, Plan::Iceberg { display })
        }
        2 => {
            let to = away(it, side, price, -mood.between(31, 90));
            (resting, Plan::even_ladder(it, quantity, resting.kind.limit()?, to, 4)?)
        }
        3 => {
            let target = Some(away(it, Side::Sell, scene.bid, -mood.between(5, 40)));
            let stop = Some(away(it, Side::Sell, scene.bid, mood.between(5, 40)));
            let entry = OrderRequest::market(it.id, Side::Buy, lots_worth(it, mood.between(50, 3_000), scene.ask));
            (entry, Plan::Bracket(Protection { target, stop, stop_limit: None }))
        }
        4 => return replacement(mood, scene),
        5 => {
            let rate_bps = u32::try_from(mood.between(100, 2_000)).unwrap_or(100);
            let until = now.plus_nanos(mood.between(60, 400) * SECOND);
            let clip = lots_worth(it, 50, price);
            (at_market, Plan::Participate(Participation { rate_bps, clip, until }))
        }
        _ => {
            let trigger = away(it, side, price, -mood.between(2, 20));
            let end = now.plus_nanos(mood.between(60, 600) * SECOND);
            let kind = match mood.below(3) {
                0 => OrderKind::Touched { trigger },
                1 => OrderKind::LimitTouched { trigger, price: away(it, side, trigger, 20) },
                _ => OrderKind::Trailing {
                    offset: TrailingOffset::Bps(u32::try_from(mood.between(2, 20)).unwrap_or(2)),
                    activation: mood.happens(500).then_some(trigger),
                },
            };
            (OrderRequest { kind, time_in_force: TimeInForce::Gtd(end), ..at_market }, Plan::Wait)
        }
    };
    let enters = side == Side::Buy && !matches!(plan, Plan::Wait | Plan::Bracket(_));
    let trade = (enters && mood.happens(500)).then(|| trade(mood, scene, &request, &plan));
    Some(wished(scene, request, plan, trade))
}

/// Where a trade that buys ends: below and above all that it may be entered at, and mostly so that the gate takes it.
fn trade(mood: &mut Chance, scene: &Scene<'_>, request: &OrderRequest, plan: &Plan) -> Box<TradePlan> {
    let highest = request.kind.limit().unwrap_or(scene.ask);
    let lowest = match plan {
        Plan::Ladder { rungs } => rungs.last().map_or(highest, |rung| rung.price),
        _ => highest,
    };
    let at = |price: Price, bps: i64| Some(away(scene.it, Side::Sell, price, bps));
    let (stop, near, far) = (mood.between(48, 120), -mood.between(5, 40), -mood.between(300, 500));
    let (stop, target) = match mood.below(3) {
        0 => (at(lowest, stop), None),
        1 => (None, at(highest, near)),
        _ => (at(lowest, stop), at(highest, far)),
    };
    Box::new(TradePlan { stop, target, ..TradePlan::default() })
}

/// Other terms for an order that rests.
fn replacement(mood: &mut Chance, scene: &Scene<'_>) -> Option<EventKind> {
    let alone = scene.alone();
    let record = (!alone.is_empty()).then(|| *mood.pick(&alone))?;
    let it = &scene.state.listing(record.order.instrument()).instrument;
    let request = *record.order.request();
    let price = away(it, request.side, request.kind.limit()?, mood.between(-30, 10));
    let quantity = it.whole_lots(Quantity::from_mantissa(request.quantity.mantissa() / 10 * mood.between(5, 15)));
    let kind = OrderKind::Limit { price };
    let old = record.order.client_id();
    Some(wished(scene, OrderRequest { kind, quantity, ..request }, Plan::Replace { old }, None))
}

fn wished(scene: &Scene<'_>, request: OrderRequest, plan: Plan, trade: Option<Box<TradePlan>>) -> EventKind {
    let (source, portfolio, reason) = (scene.source(), scene.portfolio, "chaos at length".to_owned());
    let wish = ParentWish { entry: None, trade, source, portfolio, request, plan, reason };
    EventKind::Parent(Box::new(ParentEvent::Wished { wish }))
}

/// Something is asked of a parent that lives.
pub(crate) fn ask(mood: &mut Chance, scene: &Scene<'_>) -> Option<EventKind> {
    let live: Vec<_> = scene.state.parents.live().map(|parent| parent.id).collect();
    let parent = (!live.is_empty()).then(|| *mood.pick(&live))?;
    let ask = *mood.pick(&[Ask::Cancel, Ask::Abandon, Ask::Pause, Ask::Resume]);
    let said = ParentEvent::Asked { parent, ask, reason: "chaos changed its mind".to_owned() };
    Some(EventKind::Parent(Box::new(said)))
}
