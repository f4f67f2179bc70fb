//! From executions to round trips: a trade is what happens between flat and flat.

use crate::Tags;
use crate::costs::settlement_units;
use std::borrow::Cow;
use tradewind_domain::{
    Bar, Fill, Instrument, InstrumentId, LEDGER_DECIMALS, Money, Price, Quantity, Side, Timestamp, pow10, round_div,
};

/// One trip from flat to flat, or still open at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundTrip {
    /// Of what.
    pub instrument: InstrumentId,
    /// What its first execution was said to be for, such as `cross-up`.
    pub entry_tag: Cow<'static, str>,
    /// What its last execution was said to be for; `reversal` where that opened the opposite as well, `expiry` where its
    /// contract was settled, `end-of-data` for what is still open.
    pub exit_tag: Cow<'static, str>,
    /// When it was entered.
    pub opened_at: Timestamp,
    /// When it was left; the last bar's close if it is still open.
    pub closed_at: Timestamp,
    /// Whether it is still open.
    pub open: bool,
    /// Long or short.
    pub long: bool,
    /// Largest quantity held, unsigned, contract multiplier applied.
    pub quantity: f64,
    /// Average entry price.
    pub entry_price: f64,
    /// Average exit price; what is still open counts at the last mark.
    pub exit_price: f64,
    /// Profit after fees and funding, in the settlement currency.
    pub profit: f64,
    /// Fees, in the settlement currency; a fee taken in the asset is counted at the fill's price.
    pub fees: f64,
    /// Worst unrealised loss on the way, as a fraction of the entry price; zero or negative.
    pub mae: f64,
    /// Best unrealised gain on the way, as a fraction of the entry price; zero or positive.
    pub mfe: f64,
    /// Largest quantity held, exactly.
    pub size: Quantity,
    /// [`Self::profit`] in ledger units, rounded once.
    pub profit_units: i128,
    /// [`Self::fees`] in ledger units.
    pub fee_units: i128,
    /// Funding paid while it was open, in ledger units of the settlement currency; negative when received.
    pub funding_units: i128,
}

/// A quantity and what it is worth by [`Instrument::value`], both unsigned as a long's.
#[derive(Clone, Copy, Debug, Default)]
struct Leg {
    quantity: i64,
    value: i128,
}

#[derive(Clone, Debug)]
struct Current {
    tag: Cow<'static, str>,
    opened_at: Timestamp,
    long: bool,
    /// What is held, unsigned; less than was bought if the fee was taken in the asset.
    held: i64,
    largest: i64,
    entered: Leg,
    left: Leg,
    fees: i128,
    funding: i128,
    /// Extremes of the market since the last execution.
    high: Price,
    low: Price,
    worst: f64,
    best: f64,
}

/// Builds round trips from executions. Memory grows with trips, never with bars.
#[derive(Clone, Debug, Default)]
pub struct RoundTrips {
    current: Option<Current>,
    /// Finished trips, oldest first.
    done: Vec<RoundTrip>,
}

/// One execution, its fee in the settlement currency.
struct Execution {
    leg: Leg,
    /// How much of the asset the fee took.
    taken: i64,
    fee: i128,
}

impl RoundTrips {
    /// No trips yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { current: None, done: Vec::new() }
    }

    /// Takes in an execution of an order with these `tags`.
    pub fn fill(&mut self, instrument: &Instrument, fill: &Fill, at: Timestamp, tags: &Tags) {
        let bought = fill.side == Side::Buy;
        let it = Execution {
            leg: leg(instrument, fill.price, fill.quantity.mantissa()),
            taken: taken(instrument, fill),
            fee: settlement_units(instrument, fill.fee.0, fill.price),
        };
        let Some(current) = &mut self.current else {
            self.current = Some(Current::open(at, bought, &it, tags));
            return;
        };
        current.fold(instrument);
        if current.long == bought {
            return current.enter(&it);
        }
        let lot = instrument.spec.lot.mantissa();
        // less than a lot can be neither held nor sold: it belongs to the trip that is closed
        let rest = Some(it.leg.quantity - current.held).filter(|rest| *rest >= lot).unwrap_or(0);
        let closing = it.leg.quantity - rest;
        let closing_fee = part(it.fee, closing, it.leg.quantity);
        current.leave(leg(instrument, fill.price, closing), closing_fee);
        if current.held < lot {
            let turns = rest > 0 && tags.exit == tags.entry;
            let exit = if turns { Cow::Borrowed(Tags::REVERSAL) } else { tags.exit.clone() };
            self.done.push(current.finish(instrument, at, Some(exit)));
            let turned = Execution { leg: leg(instrument, fill.price, rest), fee: it.fee - closing_fee, ..it };
            self.current = (rest > 0).then(|| Current::open(at, bought, &turned, tags));
        }
    }

    /// Takes in a bar, for the worst and the best moment of an open trip.
    #[inline]
    pub fn bar(&mut self, bar: &Bar) {
        if let Some(current) = &mut self.current {
            // what was entered inside the bar did not live through its extremes
            let inside = current.opened_at > bar.open_time;
            let (high, low) = if inside { (bar.close, bar.close) } else { (bar.high, bar.low) };
            (current.high, current.low) = (current.high.max(high), current.low.min(low));
        }
    }

    /// Books funding on the open trip: `paid` ledger units of the settlement currency, negative when received.
    pub(crate) fn fund(&mut self, paid: i128) {
        if let Some(current) = &mut self.current {
            current.funding += paid;
        }
    }

    /// Ends the open trip with the settlement of its contract at `price`, which cost `fee`.
    pub(crate) fn settle(&mut self, instrument: &Instrument, price: Price, fee: i128, at: Timestamp) {
        let Some(mut current) = self.current.take() else { return };
        current.fold(instrument);
        let rest = leg(instrument, price, current.held);
        current.leave(rest, fee);
        self.done.push(current.finish(instrument, at, Some(Cow::Borrowed(Tags::EXPIRY))));
    }

    /// Finished trips, and the open one as it stands at `mark`.
    #[must_use]
    pub fn finish(mut self, instrument: &Instrument, at: Timestamp, mark: Price) -> Vec<RoundTrip> {
        if let Some(mut current) = self.current {
            current.fold(instrument);
            let rest = leg(instrument, mark, current.held);
            current.left =
                Leg { quantity: current.left.quantity + rest.quantity, value: current.left.value + rest.value };
            self.done.push(current.finish(instrument, at, None));
        }
        self.done
    }

    /// How many trips are finished.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.done.len()
    }
}

const NOTHING_SEEN: (Price, Price) = (Price::from_mantissa(i64::MIN), Price::from_mantissa(i64::MAX));

impl Current {
    fn open(at: Timestamp, long: bool, it: &Execution, tags: &Tags) -> Self {
        let held = it.leg.quantity - it.taken;
        Self {
            tag: tags.entry.clone(),
            opened_at: at,
            long,
            held,
            largest: held,
            entered: it.leg,
            left: Leg { quantity: 0, value: 0 },
            fees: it.fee,
            funding: 0,
            high: NOTHING_SEEN.0,
            low: NOTHING_SEEN.1,
            worst: 0.0,
            best: 0.0,
        }
    }

    fn enter(&mut self, it: &Execution) {
        self.held += it.leg.quantity - it.taken;
        self.largest = self.largest.max(self.held);
        self.entered =
            Leg { quantity: self.entered.quantity + it.leg.quantity, value: self.entered.value + it.leg.value };
        self.fees += it.fee;
    }

    fn leave(&mut self, leg: Leg, fee: i128) {
        self.held -= leg.quantity;
        self.left = Leg { quantity: self.left.quantity + leg.quantity, value: self.left.value + leg.value };
        self.fees += fee;
    }

    const fn direction(&self) -> f64 {
        if self.long { 1.0 } else { -1.0 }
    }

    /// Holds the extremes seen so far against the average entry price, which is about to change.
    fn fold(&mut self, instrument: &Instrument) {
        let (high, low) = (self.high, self.low);
        (self.high, self.low) = NOTHING_SEEN;
        if high < low {
            return; // no bar since the last execution
        }
        for price in [high, low] {
            self.look(average(instrument, self.entered), instrument.price_f64(price));
        }
    }

    fn look(&mut self, entry: f64, price: f64) {
        let gain = self.direction() * (price - entry) / entry.abs();
        if gain.is_finite() {
            (self.best, self.worst) = (self.best.max(gain), self.worst.min(gain));
        }
    }

    /// The trip as it stands at `at`; without an `exit` it is still open.
    fn finish(&mut self, instrument: &Instrument, at: Timestamp, exit: Option<Cow<'static, str>>) -> RoundTrip {
        let (entry_price, exit_price) = (average(instrument, self.entered), average(instrument, self.left));
        self.look(entry_price, exit_price);
        let cost = part(self.entered.value, self.left.quantity, self.entered.quantity);
        let gross = if self.long { self.left.value - cost } else { cost - self.left.value };
        let gross = instrument.value_units(gross).expect("the gate bounds what can fill");
        let profit_units = gross - self.fees - self.funding;
        let money = |units| Money { currency: instrument.settlement(), units }.to_f64();
        let size = Quantity::from_mantissa(self.largest);
        RoundTrip {
            instrument: instrument.id,
            entry_tag: std::mem::take(&mut self.tag),
            open: exit.is_none(),
            exit_tag: exit.unwrap_or(Cow::Borrowed(Tags::END_OF_DATA)),
            opened_at: self.opened_at,
            closed_at: at,
            long: self.long,
            quantity: instrument.quantity_f64(size) * instrument.multiplier_f64(),
            entry_price,
            exit_price,
            profit: money(profit_units),
            fees: money(self.fees),
            mae: self.worst,
            mfe: self.best,
            size,
            profit_units,
            fee_units: self.fees,
            funding_units: self.funding,
        }
    }
}

fn leg(instrument: &Instrument, price: Price, quantity: i64) -> Leg {
    let value = instrument.value(price, Quantity::from_mantissa(quantity)).expect("the gate bounds what can fill");
    Leg { quantity, value }
}

/// `numerator` of `denominator` parts of an amount, rounded once; all of it is exactly all of it.
fn part(amount: i128, numerator: i64, denominator: i64) -> i128 {
    if numerator == denominator || denominator == 0 {
        return amount;
    }
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    let (each, rest) = (amount.div_euclid(denominator), amount.rem_euclid(denominator));
    each * numerator + round_div(rest * numerator, denominator)
}

/// How much of the asset a fee took, in the quantity's decimals.
fn taken(instrument: &Instrument, fill: &Fill) -> i64 {
    let fee = fill.fee.0;
    if !instrument.is_cash() || fee.currency != instrument.spec.symbol.base || fill.side != Side::Buy {
        return 0;
    }
    let (decimals, ledger) = (u32::from(instrument.spec.quantity_decimals), u32::from(LEDGER_DECIMALS));
    let mantissa = if decimals >= ledger {
        fee.units * pow10(decimals - ledger)
    } else {
        round_div(fee.units, pow10(ledger - decimals))
    };
    i64::try_from(mantissa).unwrap_or(0)
}

/// Average price of a leg; 0 for an empty one.
fn average(instrument: &Instrument, leg: Leg) -> f64 {
    if leg.quantity == 0 || leg.value == 0 {
        return 0.0;
    }
    if instrument.is_inverse() {
        let quote = instrument.quantity_f64(Quantity::from_mantissa(leg.quantity)) * instrument.multiplier_f64();
        return quote / (-leg.value as f64 / pow10(u32::from(LEDGER_DECIMALS)) as f64);
    }
    leg.value as f64 / leg.quantity as f64 / pow10(u32::from(instrument.spec.price_decimals)) as f64
}
