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
    /// What one of the currency that the instrument settles in is worth in that of `equity`; `None` where nobody knows.
    pub(crate) unit: Option<f64>,
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

    /// Equity of the portfolio in the currency that the instrument settles in: what a weight is a part of. `None` where
    /// nothing says what that currency is worth.
    #[must_use]
    #[inline]
    pub fn equity_settled(&self) -> Option<f64> {
        self.unit.map(|unit| self.equity.to_f64() / unit)
    }
}

/// What to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Nothing.
    Flat,
    /// This signed quantity.
    Quantity(Quantity),
    /// What exposes this signed part of equity at the bar's close: 0.95 is nearly all of it, long. Without equity there is no
    /// such quantity, and nothing changes; 0 is nothing all the same.
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
    /// Why, in one short word that stays the same, such as `cross-up`: reports gather trades by the word that entered them
    /// and by the one that left them. [`Self::SIGNAL`] where nothing better was said.
    pub tag: &'static str,
}

impl Opinion {
    /// The tag of what carries none of its own.
    pub const SIGNAL: &'static str = "signal";

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
        Self { target: None, orders: Vec::new(), reason: Cow::Borrowed(reason), plan: None, tag: Self::SIGNAL }
    }
    /// The same under a tag of its own.
    #[must_use]
    #[inline]
    pub fn tagged(self, tag: &'static str) -> Self {
        Self { tag, ..self }
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
        let reason = Cow::Borrowed(reason);
        Self { target: Some(target), orders: Vec::new(), reason, plan: None, tag: Self::SIGNAL }
    }
}

/// What a strategy expects of the market after a bar, beside what it wants to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// Over how many bars after it.
    pub horizon_bars: u32,
    /// Above zero a rise, below zero a fall, the larger the stronger, in a unit of its own; `None` until it knows.
    pub value: Option<f64>,
    /// How clear its word on the bar is, be it to trade or to hold, from 0 to 1, as [`Self::sure_by`] has it or by a measure
    /// of its own; `None` where it does not say. It is no chance: how often such words came true is for reports to tell.
    pub confidence: Option<f64>,
}

impl Expectation {
    /// Expects `value` over so many bars; what is no number is not known yet.
    #[must_use]
    pub fn over(horizon_bars: usize, value: f64) -> Self {
        let horizon_bars = u32::try_from(horizon_bars).unwrap_or(u32::MAX);
        Self { horizon_bars, value: value.is_finite().then_some(value), confidence: None }
    }

    /// The same, as sure as the distance of a measure from the threshold that decides makes it: `beyond` it the word is to
    /// trade, and `-beyond` inside it to hold. `unit` is a clear distance in the same measure, and the confidence is
    /// `|beyond| / (|beyond| + unit)`.
    ///
    /// So 0 at the threshold, one half a unit away from it on either side and never more than 1; without a unit whatever
    /// lies off the threshold is sure. No confidence for a unit below zero, or where either is no finite number, such as
    /// before the measure is known.
    ///
    /// ```
    /// let expected = tradewind_strategies::Expectation::over(20, 0.01);
    /// assert_eq!(expected.sure_by(0.5, 2.0).confidence, Some(0.2)); // of a trade
    /// assert_eq!(expected.sure_by(-0.5, 2.0).confidence, Some(0.2)); // of a hold
    /// assert_eq!(expected.sure_by(0.0, 2.0).confidence, Some(0.0));
    /// assert_eq!(expected.sure_by(f64::NAN, 2.0).confidence, None);
    /// ```
    #[must_use]
    pub fn sure_by(self, beyond: f64, unit: f64) -> Self {
        let distance = beyond.abs();
        let is_told = distance.is_finite() && unit.is_finite() && unit >= 0.0;
        let part = if distance > 0.0 { distance / (distance + unit) } else { 0.0 }; // whatever the unit
        Self { confidence: is_told.then_some(part), ..self }
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

    /// Looks at a closed bar of another instrument that is followed: before [`Self::on_bar`] of what closes at the same time,
    /// or after it, as the market tells. Most strategies do not care.
    fn on_other_bar(&mut self, _bar: &Bar) {}

    /// How many closed bars of the other instruments it wants to be shown beforehand.
    fn warm_up_of_others(&self) -> usize {
        0
    }

    /// What it saw on the last bar, for the record and for `tradewind diagnose`: each signal with its value,
    /// its weight and its distance to the threshold.
    fn signals(&self) -> Vec<Signal>;

    /// Which version of it this is: a number that changes with its rule, and a hash of its parameters. It stands in each
    /// decision's record. `None` for a strategy that does not say.
    fn version(&self) -> Option<String> {
        None
    }

    /// What it expects of the market after the last bar. Reports and `tradewind diagnose` hold it against what then
    /// happened; nobody tells a strategy. One that says nothing about direction names no value, and nothing at all before
    /// its first bar: it is not judged.
    fn expects(&self) -> Option<Expectation> {
        None
    }
}
