//! Strategies that propose anything at all: sound orders, cancels, and orders that must never leave.

use crate::chance::Chance;
use crate::larger::{self, Scene};
use crate::setup::{MAX_ORDER, MAX_POSITION, PORTFOLIOS, in_quote};
use crate::storm::Storm;
use tradewind_domain::{
    ClientOrderId, Instrument, InstrumentId, OrderKind, OrderRequest, PortfolioId, Price, Quantity, Side, Source,
    TimeInForce,
};
use tradewind_engine::{EventKind, State};
use tradewind_gate::Proposal;

/// Of so many quotes in a thousand a portfolio makes a proposal.
const PROPOSES: u64 = 45;

impl Storm {
    /// Lets the proposers of an instrument speak after a quote.
    pub(crate) fn propose(&mut self, id: InstrumentId, bid: Price, ask: Price) {
        if self.now >= self.calm_from {
            return;
        }
        for portfolio in 0..PORTFOLIOS - 1 {
            if !self.mood.happens(PROPOSES) {
                continue;
            }
            let Some(process) = self.node.process.as_ref() else { return };
            let state = &process.host.state;
            let wishes = wishes(&mut self.mood, state, PortfolioId(portfolio), id, (bid, ask));
            let at = process.market_time(self.now);
            for wish in wishes {
                self.tally.proposals += 1;
                let (source, kind) = match wish {
                    Wish::Order(source, request) => {
                        let (portfolio, reason) = (PortfolioId(portfolio), "chaos".into());
                        (source, EventKind::Proposed(Proposal { plan: None, source, portfolio, request, reason }))
                    }
                    Wish::Cancel(client_id) => (Source::Strategy(portfolio), EventKind::CancelProposed { client_id }),
                    Wish::Larger(kind @ EventKind::Amend { .. }) => (Source::Operator, kind), // a strategy may not
                    Wish::Larger(kind) => (Source::Strategy(portfolio), kind),
                };
                self.record(at, source, PortfolioId(portfolio), kind);
            }
        }
    }
}

enum Wish {
    Order(Source, OrderRequest),
    Cancel(ClientOrderId),
    /// More than an order.
    Larger(EventKind),
}

fn wishes(
    mood: &mut Chance,
    state: &State,
    portfolio: PortfolioId,
    id: InstrumentId,
    (bid, ask): (Price, Price),
) -> Vec<Wish> {
    let it = &state.listing(id).instrument;
    let held = it.whole_lots(state.portfolio(portfolio).position(id).quantity());
    let side = if held >= it.spec.min_quantity && mood.happens(500) { Side::Sell } else { Side::Buy };
    let price = if side == Side::Buy { ask } else { bid };
    let worth = mood.between(20, MAX_ORDER - 200);
    let mut quantity = lots_worth(it, worth, price);
    if side == Side::Sell {
        quantity = quantity.min(held);
    }
    let scene = Scene { state, portfolio, it, held, bid, ask };
    let strategy = Source::Strategy(portfolio.0);
    let larger = |kind: Option<EventKind>| kind.map(Wish::Larger).into_iter().collect();
    match mood.below(100) {
        0..=29 => vec![Wish::Order(strategy, OrderRequest::market(id, side, quantity))],
        30..=46 => {
            let request = OrderRequest::limit(id, side, quantity, away(it, side, price, 5));
            vec![Wish::Order(strategy, OrderRequest { time_in_force: TimeInForce::Ioc, ..request })]
        }
        47..=65 => {
            let request = OrderRequest::limit(id, side, quantity, away(it, side, price, -mood.between(5, 60)));
            vec![Wish::Order(strategy, OrderRequest { post_only: mood.happens(500), ..request })]
        }
        66..=71 => larger(larger::amend(mood, &scene)),
        72..=75 => larger(Some(larger::pair(mood, &scene))),
        76..=79 => larger(larger::parent(mood, &scene)),
        80 => larger(larger::ask(mood, &scene)),
        81..=83 => vec![Wish::Order(Source::Agent(portfolio.0), OrderRequest::market(id, side, quantity))],
        84..=92 => {
            let mine = |record: &&tradewind_domain::OrderRecord| record.order.portfolio() == portfolio;
            let open: Vec<_> = state.open.values().filter(mine).map(|it| it.order.client_id()).collect();
            if open.is_empty() { Vec::new() } else { vec![Wish::Cancel(*mood.pick(&open))] }
        }
        _ => nasty(mood, strategy, it, (side, quantity, price)),
    }
}

/// What no gate may let pass, and what it may let pass once.
fn nasty(
    mood: &mut Chance,
    source: Source,
    it: &Instrument,
    (side, quantity, price): (Side, Quantity, Price),
) -> Vec<Wish> {
    let id = it.id;
    let huge = Quantity::from_mantissa(i64::MAX / 2);
    let order = match mood.below(9) {
        0 => OrderRequest::market(id, side, huge),
        1 => OrderRequest::market(id, side, -quantity),
        2 => OrderRequest::market(id, side, Quantity::ZERO),
        3 => OrderRequest::limit(id, side, quantity, Price::from_mantissa(price.mantissa() + 1)),
        4 => OrderRequest { reduce_only: true, ..OrderRequest::market(id, Side::Buy, quantity) },
        5 => OrderRequest::market(id, Side::Buy, lots_worth(it, MAX_ORDER + 500, price)),
        6 => OrderRequest::limit(id, Side::Buy, lots_worth(it, MAX_POSITION * 3, price), price),
        7 => OrderRequest {
            kind: OrderKind::Limit { price: Price::from_mantissa(i64::MAX) },
            ..OrderRequest::market(id, side, quantity)
        },
        _ => {
            // the same again and again: what passes once must not pass beyond the limits
            let request = OrderRequest::market(id, Side::Buy, lots_worth(it, MAX_ORDER - 300, price));
            return (0..4).map(|_| Wish::Order(source, request)).collect();
        }
    };
    vec![Wish::Order(source, order)]
}

pub(crate) fn lots_worth(it: &Instrument, whole: i64, price: Price) -> Quantity {
    let units = in_quote(it, whole) * 100_000_000 / i128::from(price.mantissa().max(1));
    let quantity = Quantity::from_mantissa(i64::try_from(units).unwrap_or(i64::MAX));
    it.whole_lots(quantity).max(it.spec.min_quantity)
}

/// `price` moved by basis points: towards the other side for positive ones.
pub(crate) fn away(it: &Instrument, side: Side, price: Price, bps: i64) -> Price {
    let moved = price.mantissa() + price.mantissa() / 10_000 * bps * side.sign();
    let moved = Price::from_mantissa(moved.max(it.spec.tick.mantissa()));
    if side == Side::Buy { it.tick_down(moved) } else { it.tick_up(moved) }
}
