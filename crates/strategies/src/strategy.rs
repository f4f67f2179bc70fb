//! The trait that a strategy implements, and what it may say.

use std::borrow::Cow;
use tradewind_domain::{Bar, Instrument, Money, OrderRequest, Position, Quantity, TradePlan};
use tradewind_engine::Signal;

/// What a strategy sees besides the bar. Numbers for sizing are floats; money itself stays exact in the engine.
#[derive(Clone, Copy, Debug)]
pub struct Market<'a> {
    /// What is traded.
    pub instrument: &'a Instrument,
    /// What is held of it, signed, as far as it could be traded away: what a fee in the asset leaves below the smallest
    /// order is none.
    pub position: Quantity,
    pub(crate) books: Position,
    pub(crate) equity: Money,
}

impl Market<'_> {
    /// Average entry price; `None` when flat.
    #[must_use]
    pub fn entry_price(&self) -> Option<f64> {
        self.instrument.average_price(&self.books)
    }

    /// Equity of the portfolio in its base currency.
    #[must_use]
    #[inline]
    pub fn equity(&self) -> f64 {
        self.equity.to_f64()
    }
}

/// What to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Nothing.
    Flat,
    /// This signed quantity.
    Quantity(Quantity),
    /// This signed part of equity at the bar's close: 0.95 is nearly all of it, long.
    Weight(f64),
}

/// A strategy's word on one bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// What to hold from now on; `None` leaves everything as it is.
    pub target: Option<Target>,
    /// Orders to place besides, such as a stop with a target in one OCO group.
    pub orders: Vec<OrderRequest>,
    /// Why, in words.
    pub reason: Cow<'static, str>,
    /// Where the trade ends and how sure the strategy is: it goes with the order that leads to `target`, the gate judges
    /// it, and what fills is protected by it.
    pub plan: Option<Box<TradePlan>>,
}

impl Opinion {
    /// Whether it leaves everything as it is.
    #[must_use]
    #[inline]
    pub const fn is_hold(&self) -> bool {
        self.target.is_none() && self.orders.is_empty()
    }

    /// Leaves everything as it is, because of `reason`.
    #[must_use]
    #[inline]
    pub const fn hold(reason: &'static str) -> Self {
        Self { target: None, orders: Vec::new(), reason: Cow::Borrowed(reason), plan: None }
    }
    /// The same, with where the trade ends and how sure the strategy is.
    #[must_use]
    pub fn with_plan(self, plan: TradePlan) -> Self {
        Self { plan: Some(Box::new(plan)), ..self }
    }
    /// Wants to hold `target`, because of `reason`.
    #[must_use]
    #[inline]
    pub const fn target(target: Target, reason: &'static str) -> Self {
        Self { target: Some(target), orders: Vec::new(), reason: Cow::Borrowed(reason), plan: None }
    }
}

/// A decider on bars of one instrument.
///
/// It must depend on nothing but the bars it was shown, its parameters and [`Market`]: no clock, no chance, no
/// I/O. The look-ahead test runs every registered strategy on truncated and shuffled futures.
pub trait Strategy: Send {
    /// Its name in configuration and records, such as `ema-trend`.
    fn name(&self) -> &'static str;

    /// How many bars it must see before its opinions mean something. It is shown them like any other.
    fn warm_up(&self) -> usize;

    /// Looks at a closed bar and says what to hold.
    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion;

    /// What it saw on the last bar, for the record and for `tradewind diagnose`: each signal with its value,
    /// its weight and its distance to the threshold.
    fn signals(&self) -> Vec<Signal>;
}
