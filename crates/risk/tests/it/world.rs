//! One order and the world that it meets, with everything in order until a test changes it.

use tradewind_domain::*;
use tradewind_risk::*;

pub(crate) const UNIT: i128 = 100_000_000;
/// A Saturday, 12:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_779_019_200_000 - 86_400_000);

/// 10,000 USDT, bitcoin at 100 on `binance`, a market buy of one, an account that holds nothing.
pub(crate) struct World {
    pub(crate) limits: LimitSet,
    pub(crate) monitor: Monitor,
    pub(crate) now: Timestamp,
    pub(crate) source: Source,
    pub(crate) request: OrderRequest,
    pub(crate) instrument: Instrument,
    pub(crate) reduces: bool,
    pub(crate) sells_owned: bool,
    pub(crate) is_slice: bool,
    pub(crate) position: Quantity,
    pub(crate) reference: Reference,
    pub(crate) quote: Option<Quote>,
    pub(crate) depth: Option<tradewind_quant::impact::SideDepth>,
    pub(crate) notional: i128,
    pub(crate) equity: i128,
    pub(crate) account_equity: i128,
    pub(crate) lines: Vec<(u16, Instrument, i128, i128)>,
    /// Coins beside the positions: whose, the pair that values them, their worth.
    pub(crate) coins: Vec<(u16, Instrument, i128)>,
    pub(crate) unvalued: i64,
    pub(crate) open_orders_symbol: i64,
    pub(crate) open_orders: i64,
    pub(crate) own_opposite: Option<Price>,
    pub(crate) foreign_opposite: Option<Price>,
    pub(crate) margin: Option<Margin>,
    pub(crate) plan: Option<Plan>,
}

pub(crate) fn instrument(id: u32, symbol: &str, venue: &str) -> Instrument {
    let symbol: Symbol = symbol.parse().unwrap();
    let kind = if symbol.contract.is_some() { InstrumentKind::LinearPerpetual } else { InstrumentKind::Spot };
    InstrumentSpec {
        kind,
        price_decimals: 4,
        tick: Price::from_mantissa(1),
        lot: Quantity::from_mantissa(100_000),
        ..InstrumentSpec::spot(symbol, venue)
    }
    .list(InstrumentId(id))
    .unwrap()
}

pub(crate) fn price(text: &str) -> Price {
    Price::from_mantissa(parse_decimal(text, 4).unwrap())
}

pub(crate) fn quantity(text: &str) -> Quantity {
    Quantity::from_mantissa(parse_decimal(text, 8).unwrap())
}

pub(crate) fn world(profile: Profile) -> World {
    let bitcoin = instrument(0, "BTC/USDT", "binance");
    World {
        limits: LimitSet::of(profile),
        monitor: Monitor::default(),
        now: NOW,
        source: Source::Strategy(0),
        request: OrderRequest::market(bitcoin.id, Side::Buy, quantity("1")),
        reduces: false,
        sells_owned: false,
        is_slice: false,
        position: Quantity::ZERO,
        reference: Reference { price: price("100"), at: NOW },
        quote: Some(quote("99.99", "100.01")),
        depth: None,
        notional: 100 * UNIT,
        equity: 10_000 * UNIT,
        account_equity: 10_000 * UNIT,
        lines: Vec::new(),
        coins: Vec::new(),
        unvalued: 0,
        open_orders_symbol: 0,
        open_orders: 0,
        own_opposite: None,
        foreign_opposite: None,
        margin: None,
        plan: None,
        instrument: bitcoin,
    }
}

/// Coins beside a portfolio's positions that are worth so much.
pub(crate) const fn coins(portfolio: u16, pair: &Instrument, held: i128) -> Line<'_> {
    let portfolio = PortfolioId(portfolio);
    Line { portfolio, instrument: pair, is_coins: true, rate: (1, 1), held, low: held, high: held }
}

pub(crate) fn quote(bid: &str, ask: &str) -> Quote {
    let (bid_size, ask_size) = (quantity("10"), quantity("10"));
    Quote { instrument: InstrumentId(0), bid: price(bid), bid_size, ask: price(ask), ask_size }
}

impl World {
    pub(crate) fn fold(&mut self, at: Timestamp, fact: Fact) {
        self.monitor.fold(1, at, &fact, &self.limits.limits, &self.limits.account);
    }

    /// Adds a stake of `share` basis points of the account's equity, signed.
    pub(crate) fn hold(&mut self, portfolio: u16, instrument: Instrument, share_bps: i128) {
        let held = self.account_equity * share_bps / 10_000;
        self.lines.push((portfolio, instrument, held, held));
    }

    /// The guard that refuses, if one does.
    pub(crate) fn refusal(&self) -> Option<Guard> {
        self.check().err().map(|breach| breach.guard)
    }

    pub(crate) fn check(&self) -> Result<(), Box<Breach>> {
        let line = |(portfolio, instrument, low, high): &(u16, Instrument, i128, i128)| {
            (PortfolioId(*portfolio), instrument.clone(), *low, *high)
        };
        let owned: Vec<_> = self.lines.iter().map(line).collect();
        let mut lines: Vec<Line<'_>> = owned
            .iter()
            .map(|(portfolio, instrument, low, high)| Line {
                portfolio: *portfolio,
                instrument,
                is_coins: false,
                rate: (1, 1),
                held: if low == high { *low } else { 0 },
                low: *low,
                high: *high,
            })
            .collect();
        lines.extend(self.coins.iter().map(|(portfolio, pair, held)| coins(*portfolio, pair, *held)));
        check(&self.limits.limits, &self.limits.account, &self.monitor, &self.situation(&lines)).map(|_| ())
    }

    /// The worst price of a market order under the world's limits.
    pub(crate) fn worst(&self) -> Option<Price> {
        let collar = self.limits.limits.controls.and_then(|it| it.market_collar_bps)?;
        let reach = Reach {
            instrument: &self.instrument,
            side: self.request.side,
            quantity: self.request.quantity,
            reduces: self.reduces,
            mark: self.reference.price,
            quote: self.quote.as_ref(),
        };
        (self.request.kind == OrderKind::Market).then(|| worst_price(&reach, collar))
    }

    pub(crate) fn situation<'a>(&'a self, lines: &'a [Line<'a>]) -> Situation<'a> {
        Situation {
            now: self.now,
            portfolio: PortfolioId(0),
            source: self.source,
            instrument: &self.instrument,
            request: &self.request,
            reduces: self.reduces,
            sells_owned: self.sells_owned,
            is_slice: self.is_slice,
            position: self.position,
            reference: self.reference,
            worst: self.worst(),
            quote: self.quote,
            depth: self.depth,
            depth_source: DepthSource::Book,
            notional: self.notional,
            equity: self.equity,
            account_equity: self.account_equity,
            lines,
            unvalued: self.unvalued,
            open_orders_symbol: self.open_orders_symbol,
            open_orders: self.open_orders,
            own_opposite: self.own_opposite,
            foreign_opposite: self.foreign_opposite,
            margin: self.margin,
            plan: self.plan.as_ref(),
        }
    }
}
