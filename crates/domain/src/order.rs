//! Orders: what we mean to do, valid by construction.

use crate::error::hint_of;
use crate::{
    ClientOrderId, Coded, Instrument, InstrumentId, Money, OcoGroup, PortfolioId, Price, Quantity, Sequence, Source,
    Timestamp, TrailingOffset,
};
use serde::{Deserialize, Serialize};

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Adds to the position.
    Buy,
    /// Takes from the position.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
    /// +1 for buy, −1 for sell.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
    /// `quantity` with the sign of this side.
    #[must_use]
    pub const fn signed(self, quantity: Quantity) -> Quantity {
        Quantity::from_mantissa(quantity.mantissa().saturating_mul(self.sign()))
    }
}

/// How an order meets the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "order_type")]
pub enum OrderKind {
    /// At whatever the book gives.
    Market,
    /// At `price` or better.
    Limit {
        /// The worst price accepted.
        price: Price,
    },
    /// A market order once the market reaches `trigger`.
    Stop {
        /// Where it wakes.
        trigger: Price,
    },
    /// A limit order at `price` once the market reaches `trigger`.
    StopLimit {
        /// Where it wakes.
        trigger: Price,
        /// The worst price accepted then.
        price: Price,
    },
    /// A market order once the market comes to `trigger` in the order's favour: down for a buy, up for a sell.
    Touched {
        /// Where it wakes.
        trigger: Price,
    },
    /// A limit order at `price` once the market comes to `trigger` in the order's favour.
    LimitTouched {
        /// Where it wakes.
        trigger: Price,
        /// The worst price accepted then.
        price: Price,
    },
    /// A market order once the market turns against the order by `offset` from its best price since.
    Trailing {
        /// How far it must turn.
        offset: TrailingOffset,
        /// From which price on it follows, in the direction of profit; at once without.
        activation: Option<Price>,
    },
}

impl OrderKind {
    /// The limit price, if it has one.
    #[must_use]
    pub const fn limit(&self) -> Option<Price> {
        match self {
            Self::Limit { price } | Self::StopLimit { price, .. } | Self::LimitTouched { price, .. } => Some(*price),
            Self::Market | Self::Stop { .. } | Self::Touched { .. } | Self::Trailing { .. } => None,
        }
    }
    /// The trigger price, if it has a fixed one: a trailing stop's moves.
    #[must_use]
    pub const fn trigger(&self) -> Option<Price> {
        match self {
            Self::Stop { trigger }
            | Self::StopLimit { trigger, .. }
            | Self::Touched { trigger }
            | Self::LimitTouched { trigger, .. } => Some(*trigger),
            Self::Market | Self::Limit { .. } | Self::Trailing { .. } => None,
        }
    }
    /// Whether an order of `side` wakes when the market rises to its trigger, rather than when it falls to it: a stop
    /// buys after a rise, an order that waits to be touched sells after one.
    #[must_use]
    pub const fn wakes_on_rise(&self, side: Side) -> bool {
        let buys = matches!(side, Side::Buy);
        match self {
            Self::Touched { .. } | Self::LimitTouched { .. } => !buys,
            Self::Market | Self::Limit { .. } | Self::Stop { .. } | Self::StopLimit { .. } | Self::Trailing { .. } => {
                buys
            }
        }
    }
    /// What it is once it woke: a limit or a market order.
    #[must_use]
    pub const fn awake(&self) -> Self {
        match self.limit() {
            Some(price) => Self::Limit { price },
            None => Self::Market,
        }
    }
    /// The word for it on every surface, such as `stop-limit` or `trailing-stop`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit { .. } => "limit",
            Self::Stop { .. } => "stop",
            Self::StopLimit { .. } => "stop-limit",
            Self::Touched { .. } => "market-if-touched",
            Self::LimitTouched { .. } => "limit-if-touched",
            Self::Trailing { .. } => "trailing-stop",
        }
    }
}

/// How long an order may live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeInForce {
    /// Good till cancelled.
    #[default]
    Gtc,
    /// Immediate or cancel: what does not fill at once is cancelled.
    Ioc,
    /// Fill or kill: all at once or nothing.
    Fok,
    /// Good till the given moment.
    Gtd(Timestamp),
}

/// What somebody asks for, before it is checked against an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    /// Of what.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// How much, positive.
    pub quantity: Quantity,
    /// How it meets the market.
    #[serde(flatten)]
    pub kind: OrderKind,
    /// How long it may live.
    #[serde(default)]
    pub time_in_force: TimeInForce,
    /// Rest or be rejected.
    #[serde(default)]
    pub post_only: bool,
    /// May only shrink a position.
    #[serde(default)]
    pub reduce_only: bool,
    /// One cancels the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oco: Option<OcoGroup>,
}

impl OrderRequest {
    /// A market order.
    #[must_use]
    pub const fn market(instrument: InstrumentId, side: Side, quantity: Quantity) -> Self {
        Self {
            instrument,
            side,
            quantity,
            kind: OrderKind::Market,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: false,
            oco: None,
        }
    }
    /// A limit order that rests till cancelled.
    #[must_use]
    pub const fn limit(instrument: InstrumentId, side: Side, quantity: Quantity, price: Price) -> Self {
        Self { kind: OrderKind::Limit { price }, ..Self::market(instrument, side, quantity) }
    }
}

/// A valid order of a known portfolio, under the one name it will ever have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    client_id: ClientOrderId,
    portfolio: PortfolioId,
    /// Whose wish it was; not recorded by older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    /// The event that records the decision which it follows, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Sequence>,
    /// The worst price that a market order may fill at, where its limits bound it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worst: Option<Price>,
    #[serde(flatten)]
    request: OrderRequest,
}

/// Why a request is not an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The price lies between two ticks: rounding is a trading decision, never the parser's.
    #[error("price {price} is not a multiple of the tick {tick}")]
    OffTick {
        /// As text.
        price: String,
        /// As text.
        tick: String,
    },
    /// The quantity lies between two lots.
    #[error("quantity {quantity} is not a multiple of the lot {lot}")]
    OffLot {
        /// As text.
        quantity: String,
        /// As text.
        lot: String,
    },
    /// Zero, negative, too small or too large.
    #[error("quantity {quantity} is outside {min}..={max}")]
    QuantityOutOfBounds {
        /// As text.
        quantity: String,
        /// Smallest allowed.
        min: String,
        /// Largest allowed.
        max: String,
    },
    /// Worth too little.
    #[error("notional {notional} is below the minimum {min}")]
    TooSmall {
        /// What it is worth.
        notional: Money,
        /// What the venue wants.
        min: Money,
    },
    /// Not above zero where it must be.
    #[error("price {price} is not positive")]
    PriceNotPositive {
        /// As text.
        price: String,
    },
    /// Two fields disagree.
    #[error("{0}")]
    Contradiction(&'static str),
    /// The numbers leave the ledger.
    #[error(transparent)]
    Number(#[from] crate::NumberError),
}

impl Coded for OrderError {
    fn code(&self) -> &'static str {
        match self {
            Self::OffTick { .. } => "DOM-04",
            Self::OffLot { .. } => "DOM-05",
            Self::QuantityOutOfBounds { .. } => "DOM-06",
            Self::TooSmall { .. } => "DOM-07",
            Self::Contradiction(_) => "DOM-08",
            Self::PriceNotPositive { .. } => "DOM-14",
            Self::Number(inner) => inner.code(),
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

impl Order {
    /// Checks `request` against its instrument: tick, lot, bounds, minimum notional, and that no two fields
    /// contradict. The notional of a market order is judged at `reference`, if there is one.
    ///
    /// # Errors
    /// [`OrderError`] names the first rule that is broken and the value that breaks it.
    ///
    /// # Panics
    /// If `instrument` is not the one that the request names.
    pub fn new(
        instrument: &Instrument,
        portfolio: PortfolioId,
        client_id: ClientOrderId,
        request: OrderRequest,
        reference: Option<Price>,
    ) -> Result<Self, OrderError> {
        assert!(instrument.id == request.instrument, "an order is checked against its own instrument");
        check_prices(instrument, &request.kind)?;
        check_quantity(instrument, request.quantity)?;
        check_flags(&request)?;
        check_notional(instrument, &request, reference)?;
        Ok(Self { client_id, portfolio, source: None, decision: None, worst: None, request })
    }

    /// An order that the venue works already, with the venue's terms: nothing is checked, nobody can send it.
    #[must_use]
    pub const fn as_worked(portfolio: PortfolioId, client_id: ClientOrderId, request: OrderRequest) -> Self {
        Self { client_id, portfolio, source: None, decision: None, worst: None, request }
    }

    /// The same order at the terms at which the venue works it: nothing is checked, nobody can send it.
    #[must_use]
    pub const fn with_terms(self, request: OrderRequest) -> Self {
        Self { request, ..self }
    }

    /// The same order as the wish of `source`.
    #[must_use]
    pub const fn from_source(self, source: Option<Source>) -> Self {
        Self { source, ..self }
    }

    /// The same order as what follows from the decision that the event `decision` records.
    #[must_use]
    pub const fn following(self, decision: Option<Sequence>) -> Self {
        Self { decision, ..self }
    }

    /// The same order, to fill at `worst` or better: for a market order alone, any other has its price. `None` leaves it as
    /// it is.
    #[must_use]
    pub const fn no_worse_than(self, worst: Option<Price>) -> Self {
        match (worst, self.request.kind) {
            (Some(_), OrderKind::Market) => Self { worst, ..self },
            _ => self,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn client_id(&self) -> ClientOrderId {
        self.client_id
    }
    /// Whose it is.
    #[must_use]
    pub const fn portfolio(&self) -> PortfolioId {
        self.portfolio
    }
    /// The event that records the decision which it follows; `None` where it names none.
    #[must_use]
    pub const fn decision(&self) -> Option<Sequence> {
        self.decision
    }
    /// Whose wish it was; `None` for an order of another hand, and for one of a journal that does not tell.
    #[must_use]
    pub const fn source(&self) -> Option<Source> {
        self.source
    }
    /// What was asked.
    #[must_use]
    pub const fn request(&self) -> &OrderRequest {
        &self.request
    }
    /// The worst price that a market order may fill at; `None` where nothing bounds it, and for every other order.
    #[must_use]
    pub const fn worst(&self) -> Option<Price> {
        self.worst
    }
    /// What a venue is asked for: a market order with a worst price is a limit order there that never rests, immediate or
    /// cancel unless it is fill or kill. Every other order is sent as it was asked for.
    #[must_use]
    pub const fn terms(&self) -> OrderRequest {
        let Some(price) = self.worst else { return self.request };
        let time_in_force = match self.request.time_in_force {
            TimeInForce::Fok => TimeInForce::Fok,
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Gtd(_) => TimeInForce::Ioc,
        };
        OrderRequest { kind: OrderKind::Limit { price }, time_in_force, ..self.request }
    }
    /// Of what.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        self.request.instrument
    }
    /// Which way.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.request.side
    }
    /// How much.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.request.quantity
    }
    /// How it meets the market.
    #[must_use]
    pub const fn kind(&self) -> &OrderKind {
        &self.request.kind
    }
}

fn check_prices(instrument: &Instrument, kind: &OrderKind) -> Result<(), OrderError> {
    let (distance, activation) = match kind {
        OrderKind::Trailing { offset, .. } if !offset.is_usable() => {
            return Err(OrderError::Contradiction("a trailing offset is above zero and below the whole price"));
        }
        OrderKind::Trailing { offset: TrailingOffset::Price(distance), activation } => (Some(*distance), *activation),
        OrderKind::Trailing { offset: TrailingOffset::Bps(_), activation } => (None, *activation),
        _ => (None, None),
    };
    for price in [kind.limit(), kind.trigger(), distance, activation].into_iter().flatten() {
        if price.mantissa() % instrument.spec.tick.mantissa() != 0 {
            let (price, tick) = (instrument.price_text(price), instrument.price_text(instrument.spec.tick));
            return Err(OrderError::OffTick { price, tick });
        }
        if price.mantissa() <= 0 {
            return Err(OrderError::PriceNotPositive { price: instrument.price_text(price) });
        }
    }
    Ok(())
}

fn check_quantity(instrument: &Instrument, quantity: Quantity) -> Result<(), OrderError> {
    let spec = &instrument.spec;
    if quantity <= Quantity::ZERO || quantity < spec.min_quantity || quantity > spec.max_quantity {
        return Err(OrderError::QuantityOutOfBounds {
            quantity: instrument.quantity_text(quantity),
            min: instrument.quantity_text(spec.min_quantity),
            max: instrument.quantity_text(spec.max_quantity),
        });
    }
    if quantity.mantissa() % spec.lot.mantissa() != 0 {
        let (quantity, lot) = (instrument.quantity_text(quantity), instrument.quantity_text(spec.lot));
        return Err(OrderError::OffLot { quantity, lot });
    }
    Ok(())
}

fn check_flags(request: &OrderRequest) -> Result<(), OrderError> {
    let immediate = matches!(request.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
    let rests = request.kind.limit().is_some();
    let contradiction = match (request.post_only, rests, immediate) {
        (true, false, _) => "post_only needs a limit price",
        (true, true, true) => "post_only must rest, ioc and fok must not",
        _ if request.oco.is_some() && immediate => "an order in an oco group must be able to wait",
        _ if matches!(request.time_in_force, TimeInForce::Gtd(_)) && matches!(request.kind, OrderKind::Market) => {
            "a market order cannot be good till a date"
        }
        _ => return Ok(()),
    };
    Err(OrderError::Contradiction(contradiction))
}

fn check_notional(instrument: &Instrument, request: &OrderRequest, reference: Option<Price>) -> Result<(), OrderError> {
    let Some(price) = request.kind.limit().or(request.kind.trigger()).or(reference) else { return Ok(()) };
    match instrument.below_minimum(price, request.quantity)? {
        Some(notional) => Err(OrderError::TooSmall { notional, min: instrument.spec.min_notional }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Currency, InstrumentSpec};

    fn bitcoin() -> Instrument {
        let symbol: crate::Symbol = "BTC/USDT".parse().unwrap();
        InstrumentSpec {
            tick: Price::from_mantissa(1_000_000),
            lot: Quantity::from_mantissa(1_000),
            min_quantity: Quantity::from_mantissa(1_000),
            max_quantity: Quantity::from_mantissa(900_000_000_000),
            min_notional: Money::parse("5", Currency::new("USDT").unwrap()).unwrap(),
            ..InstrumentSpec::spot(symbol, "binance")
        }
        .list(InstrumentId(0))
        .unwrap()
    }

    fn check(quantity: &str, kind: OrderKind, change: impl FnOnce(&mut OrderRequest), want: Result<(), &str>) {
        let it = bitcoin();
        let mut request =
            OrderRequest { kind, ..OrderRequest::market(it.id, Side::Buy, it.quantity(quantity).unwrap()) };
        change(&mut request);
        let id = ClientOrderId::from_u128(7);
        let order = Order::new(&it, PortfolioId(0), id, request, Some(it.price("100").unwrap()));
        assert_eq!(order.map(|_| ()).map_err(|e| e.code()), want, "{request:?}");
    }

    #[test]
    fn a_market_order_with_a_worst_price_is_sent_as_a_limit_that_never_rests() {
        let it = bitcoin();
        let (worst, quantity) = (it.price("101").unwrap(), it.quantity("0.1").unwrap());
        let order = |change: fn(&mut OrderRequest)| {
            let mut request = OrderRequest::market(it.id, Side::Buy, quantity);
            change(&mut request);
            let order = Order::new(&it, PortfolioId(0), ClientOrderId::from_u128(7), request, None).unwrap();
            (request, order.no_worse_than(Some(worst)))
        };
        let at =
            |time_in_force, asked| OrderRequest { kind: OrderKind::Limit { price: worst }, time_in_force, ..asked };
        let (asked, plain) = order(|_| ());
        assert_eq!((plain.terms(), *plain.request()), (at(TimeInForce::Ioc, asked), asked));
        let (asked, whole) = order(|it| it.time_in_force = TimeInForce::Fok);
        assert_eq!(whole.terms(), at(TimeInForce::Fok, asked));
        let (asked, other) = order(|it| it.kind = OrderKind::Stop { trigger: Price::from_mantissa(9_900_000_000) });
        assert_eq!((other.worst(), other.terms()), (None, asked), "only a market order has one");
        let text = serde_json::to_string(&plain).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), plain);
        let unbounded = serde_json::to_string(&other).unwrap();
        assert!(!unbounded.contains("worst"), "{unbounded}");
    }

    #[test]
    fn only_valid_orders_exist() {
        let limit = |text: &str| OrderKind::Limit { price: bitcoin().price(text).unwrap() };
        let stop = |text: &str| OrderKind::Stop { trigger: bitcoin().price(text).unwrap() };
        check("0.1", OrderKind::Market, |_| (), Ok(()));
        check("0.1", limit("100.25"), |_| (), Ok(()));
        check("0.1", limit("100.255"), |_| (), Err("DOM-04"));
        check("0.1", stop("100.255"), |_| (), Err("DOM-04"));
        check("0.1", limit("-100"), |_| (), Err("DOM-14"));
        let price = |text: &str| bitcoin().price(text).unwrap();
        let trailing =
            |offset, activation: Option<&str>| OrderKind::Trailing { offset, activation: activation.map(price) };
        check("0.1", OrderKind::Touched { trigger: price("99") }, |_| (), Ok(()));
        check("0.1", OrderKind::Touched { trigger: price("99.001") }, |_| (), Err("DOM-04"));
        check("0.01", OrderKind::Touched { trigger: price("99") }, |_| (), Err("DOM-07"));
        check("0.1", OrderKind::LimitTouched { trigger: price("99"), price: price("98.5") }, |_| (), Ok(()));
        check("0.1", OrderKind::LimitTouched { trigger: price("99"), price: price("-1") }, |_| (), Err("DOM-14"));
        check("0.1", trailing(TrailingOffset::Bps(100), None), |_| (), Ok(()));
        check("0.1", trailing(TrailingOffset::Bps(0), None), |_| (), Err("DOM-08"));
        check("0.1", trailing(TrailingOffset::Bps(10_000), None), |_| (), Err("DOM-08"));
        check("0.1", trailing(TrailingOffset::Price(price("1.5")), Some("110")), |_| (), Ok(()));
        check("0.1", trailing(TrailingOffset::Price(price("0")), None), |_| (), Err("DOM-08"));
        check("0.1", trailing(TrailingOffset::Price(price("1.505")), None), |_| (), Err("DOM-04"));
        check("0.1", trailing(TrailingOffset::Bps(100), Some("110.001")), |_| (), Err("DOM-04"));
        check("0.01", trailing(TrailingOffset::Bps(100), None), |_| (), Err("DOM-07"));
        check("0.100001", OrderKind::Market, |r| r.quantity = Quantity::from_mantissa(10_000_001), Err("DOM-05"));
        check("0", OrderKind::Market, |_| (), Err("DOM-06"));
        check("-1", OrderKind::Market, |_| (), Err("DOM-06"));
        check("9001", OrderKind::Market, |_| (), Err("DOM-06"));
        check("0.01", limit("100"), |_| (), Err("DOM-07"));
        check("0.01", OrderKind::Market, |_| (), Err("DOM-07"));
        check("0.1", OrderKind::Market, |r| r.post_only = true, Err("DOM-08"));
        check("0.1", limit("100"), |r| r.post_only = true, Ok(()));
        let rests_and_does_not = |r: &mut OrderRequest| (r.post_only, r.time_in_force) = (true, TimeInForce::Ioc);
        check("0.1", limit("100"), rests_and_does_not, Err("DOM-08"));
        let waits_and_does_not =
            |r: &mut OrderRequest| (r.oco, r.time_in_force) = (Some(OcoGroup(1)), TimeInForce::Fok);
        check("0.1", limit("100"), waits_and_does_not, Err("DOM-08"));
        let dated = |r: &mut OrderRequest| r.time_in_force = TimeInForce::Gtd(Timestamp::from_millis(1));
        check("0.1", OrderKind::Market, dated, Err("DOM-08"));
        check("0.1", limit("100"), dated, Ok(()));
    }
}
