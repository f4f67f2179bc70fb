//! Instruments: what can be traded, how fine, at which cost.

use crate::decimal::{format_decimal, parse_decimal, pow10, round_div, to_f64};
use crate::error::hint_of;
use crate::{
    Calendar, Coded, Currency, Fee, FeeAsset, FeeSchedule, InstrumentId, InstrumentKind, LEDGER_DECIMALS, Liquidity,
    MarginTiers, Money, NativeKinds, NumberError, Position, Price, Quantity, Side, Symbol, Timestamp,
};
use serde::{Deserialize, Serialize};

/// Everything about an instrument except its place in the list.
///
/// Decimals are fixed for the life of the id and finer than tick and lot; tick and lot may change by event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentSpec {
    /// The unified symbol.
    pub symbol: Symbol,
    /// Where it trades, such as `binance`.
    pub venue: String,
    /// The venue's own text for it, such as `BTCUSDT`.
    pub venue_symbol: String,
    /// What kind of thing it is.
    #[serde(flatten)]
    pub kind: InstrumentKind,
    /// Decimals that a [`Price`] carries.
    pub price_decimals: u8,
    /// Decimals that a [`Quantity`] carries.
    pub quantity_decimals: u8,
    /// Smallest step of an order's price.
    pub tick: Price,
    /// Smallest step of an order's quantity.
    pub lot: Quantity,
    /// Smallest quantity of an order.
    pub min_quantity: Quantity,
    /// Largest quantity of an order.
    pub max_quantity: Quantity,
    /// Smallest notional of an order, in the quote currency.
    pub min_notional: Money,
    /// What one unit of quantity stands for, as mantissa and decimals; 1 for spot.
    pub multiplier: (i64, u8),
    /// What it costs to trade.
    pub fees: FeeSchedule,
    /// When it trades.
    pub calendar: Calendar,
    /// Which contingent orders the venue keeps itself.
    #[serde(default, skip_serializing_if = "NativeKinds::is_none")]
    pub native: NativeKinds,
    /// What the venue wants set aside for a contract, by its notional; empty where that is not known, and for what is
    /// paid in full.
    #[serde(default, skip_serializing_if = "MarginTiers::is_none")]
    pub margin: MarginTiers,
}

/// A listed instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its place in the order of listing.
    pub id: InstrumentId,
    /// What it is.
    #[serde(flatten)]
    pub spec: InstrumentSpec,
}

/// An instrument that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{symbol}: {what}")]
pub struct InstrumentError {
    /// Which.
    pub symbol: String,
    /// Which field, and its value.
    pub what: String,
}

impl Coded for InstrumentError {
    fn code(&self) -> &'static str {
        "DOM-11"
    }
    fn hint(&self) -> &'static str {
        hint_of("DOM-11")
    }
}

impl InstrumentSpec {
    /// A spot pair with eight decimals of price and quantity, one-satoshi steps, and no fees.
    #[must_use]
    pub fn spot(symbol: Symbol, venue: &str) -> Self {
        Self {
            min_notional: Money::zero(symbol.quote),
            venue: venue.to_owned(),
            venue_symbol: symbol.joined(),
            symbol,
            kind: InstrumentKind::Spot,
            price_decimals: 8,
            quantity_decimals: 8,
            tick: Price::from_mantissa(1),
            lot: Quantity::from_mantissa(1),
            min_quantity: Quantity::from_mantissa(1),
            max_quantity: Quantity::from_mantissa(i64::MAX),
            multiplier: (1, 0),
            fees: FeeSchedule::default(),
            calendar: Calendar::Continuous,
            native: NativeKinds::default(),
            margin: MarginTiers::default(),
        }
    }

    /// Gives it its place in the list.
    ///
    /// # Errors
    /// [`InstrumentError`] for steps that are not positive, bounds that cross, or decimals past 12.
    pub fn list(self, id: InstrumentId) -> Result<Instrument, InstrumentError> {
        let fault = if self.price_decimals > 12 || self.quantity_decimals > 12 {
            format!(
                "price_decimals {} and quantity_decimals {} may be at most 12",
                self.price_decimals, self.quantity_decimals
            )
        } else if self.tick.mantissa() <= 0 {
            format!("tick {} is not positive", self.tick.mantissa())
        } else if self.lot.mantissa() <= 0 {
            format!("lot {} is not positive", self.lot.mantissa())
        } else if self.min_quantity > self.max_quantity {
            format!(
                "min_quantity {} is above max_quantity {}",
                self.min_quantity.mantissa(),
                self.max_quantity.mantissa()
            )
        } else if self.multiplier.0 <= 0 || self.multiplier.1 > 8 {
            format!("multiplier {:?} is not positive or finer than 8 decimals", self.multiplier)
        } else if self.min_notional.currency != self.symbol.quote {
            format!(
                "min_notional is in {}, not in the quote currency {}",
                self.min_notional.currency, self.symbol.quote
            )
        } else if !self.margin.is_none() && matches!(self.kind, InstrumentKind::Spot | InstrumentKind::Equity) {
            "margin brackets of what is paid in full".to_owned()
        } else if let Some(fault) = self.kind.contradicts(&self.symbol) {
            fault.to_owned()
        } else if let Some(fault) = self.calendar.fault() {
            format!("calendar: {fault}")
        } else {
            return Ok(Instrument { id, spec: self });
        };
        Err(InstrumentError { symbol: self.symbol.to_string(), what: fault })
    }
}

impl Instrument {
    /// Reads the decimal text that a venue or a person wrote, such as `"101.25"`. Off-tick prices are fine here.
    ///
    /// # Errors
    /// [`NumberError`] if it is no number, or has more decimals than this instrument carries.
    pub fn price(&self, text: &str) -> Result<Price, NumberError> {
        parse_decimal(text, self.spec.price_decimals).map(Price::from_mantissa)
    }
    /// Reads a quantity from decimal text. Off-lot quantities are fine here.
    ///
    /// # Errors
    /// As [`Self::price`].
    pub fn quantity(&self, text: &str) -> Result<Quantity, NumberError> {
        parse_decimal(text, self.spec.quantity_decimals).map(Quantity::from_mantissa)
    }
    /// Writes a price as decimal text.
    #[must_use]
    pub fn price_text(&self, price: Price) -> String {
        format_decimal(i128::from(price.mantissa()), self.spec.price_decimals)
    }
    /// Writes a quantity as decimal text.
    #[must_use]
    pub fn quantity_text(&self, quantity: Quantity) -> String {
        format_decimal(i128::from(quantity.mantissa()), self.spec.quantity_decimals)
    }
    /// A price for statistics and indicators.
    #[must_use]
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub fn price_f64(&self, price: Price) -> f64 {
        price.mantissa() as f64 / F64_POW10[usize::from(self.spec.price_decimals)]
    }
    /// A quantity for statistics and indicators.
    #[must_use]
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub fn quantity_f64(&self, quantity: Quantity) -> f64 {
        quantity.mantissa() as f64 / F64_POW10[usize::from(self.spec.quantity_decimals)]
    }
    /// The nearest price to a float, such as a level that a model asks for; `None` for NaN or past 64 bits.
    #[must_use]
    pub fn price_near(&self, value: f64) -> Option<Price> {
        near(value, self.spec.price_decimals).map(Price::from_mantissa)
    }
    /// The nearest quantity to a float; `None` for NaN or past 64 bits.
    #[must_use]
    pub fn quantity_near(&self, value: f64) -> Option<Quantity> {
        near(value, self.spec.quantity_decimals).map(Quantity::from_mantissa)
    }
    /// The quantity cut towards zero to a whole number of lots: what can be ordered of it.
    #[must_use]
    pub fn whole_lots(&self, quantity: Quantity) -> Quantity {
        Quantity::from_mantissa(quantity.mantissa() - quantity.mantissa() % self.spec.lot.mantissa())
    }
    /// Whether `quantity` is too little for any order: below a lot, the smallest quantity, or, at `price`, the
    /// smallest notional. Dust is a state, not a position: it stays until more comes or the venue converts it.
    #[must_use]
    pub fn is_dust(&self, quantity: Quantity, price: Option<Price>) -> bool {
        let lots = self.whole_lots(quantity).abs();
        let too_cheap = |price| self.below_minimum(price, lots).is_ok_and(|below| below.is_some());
        lots.is_zero() || lots < self.spec.min_quantity || price.is_some_and(too_cheap)
    }
    /// The worth of `quantity` at `price` in the quote currency where that is below the smallest notional of an order.
    ///
    /// # Errors
    /// As [`Self::notional`].
    pub fn below_minimum(&self, price: Price, quantity: Quantity) -> Result<Option<Money>, NumberError> {
        let min = self.spec.min_notional;
        let worth = if self.is_inverse() {
            // the quantity of an inverse contract counts its quote currency already
            let (multiplier, decimals) = self.spec.multiplier;
            let quote = i128::from(quantity.mantissa()).checked_mul(i128::from(multiplier));
            let units = quote.and_then(|quote| to_ledger(quote, self.spec.quantity_decimals + decimals));
            let units = units.ok_or_else(|| NumberError::TooLarge(self.quantity_text(quantity)))?;
            Money { currency: self.spec.symbol.quote, units }
        } else {
            self.notional(price, quantity)?
        };
        Ok((worth.currency == min.currency && worth.units < min.units).then_some(worth))
    }
    /// The nearest tick at or below `price`.
    #[must_use]
    pub fn tick_down(&self, price: Price) -> Price {
        Price::from_mantissa(price.mantissa() - price.mantissa().rem_euclid(self.spec.tick.mantissa()))
    }
    /// The nearest tick at or above `price`.
    #[must_use]
    pub fn tick_up(&self, price: Price) -> Price {
        let down = self.tick_down(price);
        if down == price { price } else { Price::from_mantissa(down.mantissa() + self.spec.tick.mantissa()) }
    }

    /// Whether a fill moves both assets, as for spot and shares, rather than opening a contract.
    #[must_use]
    pub const fn is_cash(&self) -> bool {
        matches!(self.spec.kind, InstrumentKind::Spot | InstrumentKind::Equity)
    }
    /// When it ends, if it does.
    #[must_use]
    pub const fn expiry(&self) -> Option<Timestamp> {
        match self.spec.kind {
            InstrumentKind::DatedFuture { expiry, .. } | InstrumentKind::Option { expiry, .. } => Some(expiry),
            _ => None,
        }
    }
    /// Whether quantity counts quote currency and profit is paid in base.
    #[must_use]
    pub const fn is_inverse(&self) -> bool {
        matches!(self.spec.kind, InstrumentKind::InversePerpetual | InstrumentKind::DatedFuture { inverse: true, .. })
    }
    /// The currency that fees on notional, profit and funding are counted in.
    #[must_use]
    pub fn settlement(&self) -> Currency {
        match &self.spec.symbol.contract {
            Some(contract) => contract.settle,
            None => self.spec.symbol.quote,
        }
    }

    /// What one of its quantity stands for, for statistics; 1 for spot.
    #[must_use]
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub fn multiplier_f64(&self) -> f64 {
        let (multiplier, decimals) = self.spec.multiplier;
        multiplier as f64 / F64_POW10[usize::from(decimals)]
    }
    /// What `quantity` exposes to the market at `price`, in the settlement currency: [`Self::notional`] for statistics.
    ///
    /// Price × quantity × multiplier; for inverse contracts quantity × multiplier ÷ price, in base, and infinite at a price
    /// of zero. Signed like the quantity at a price above zero.
    #[must_use]
    #[inline]
    pub fn exposure_f64(&self, price: f64, quantity: f64) -> f64 {
        if self.is_inverse() {
            return quantity * self.multiplier_f64() / price;
        }
        price * quantity * self.multiplier_f64()
    }
    /// The quantity that exposes `exposure` of the settlement currency at `price`: what [`Self::exposure_f64`] undoes.
    ///
    /// Exposure ÷ price ÷ multiplier; for inverse contracts exposure × price ÷ multiplier, with the exposure in base. Signed
    /// like the exposure at a price above zero, in fractions of a lot; no finite number for a linear instrument at zero.
    #[must_use]
    #[inline]
    pub fn quantity_worth(&self, exposure: f64, price: f64) -> f64 {
        let units = if self.is_inverse() { exposure * price } else { exposure / price };
        units / self.multiplier_f64()
    }

    /// Price × quantity × multiplier in the settlement currency, rounded once, half to even.
    ///
    /// For inverse contracts quantity × multiplier ÷ price, in base. Signed like the quantity.
    ///
    /// # Errors
    /// [`NumberError::TooLarge`] if it leaves the ledger, or if an inverse contract's price is not positive.
    #[inline]
    pub fn notional(&self, price: Price, quantity: Quantity) -> Result<Money, NumberError> {
        let units = if self.is_inverse() {
            self.inverse_units(price, quantity)
        } else {
            i128::from(price.mantissa())
                .checked_mul(i128::from(quantity.mantissa()))
                .and_then(|product| self.ledger_units(product))
        };
        let units = units.ok_or_else(|| {
            NumberError::TooLarge(format!("{} x {}", self.price_text(price), self.quantity_text(quantity)))
        })?;
        Ok(Money { currency: self.settlement(), units })
    }

    /// Turns price mantissa × quantity mantissa of a linear instrument into ledger units; `None` past 128 bits.
    #[must_use]
    #[inline]
    pub fn ledger_units(&self, product: i128) -> Option<i128> {
        let (multiplier, multiplier_decimals) = self.spec.multiplier;
        let product = if multiplier == 1 { product } else { product.checked_mul(i128::from(multiplier))? };
        to_ledger(product, self.spec.price_decimals + self.spec.quantity_decimals + multiplier_decimals)
    }

    fn inverse_units(&self, price: Price, quantity: Quantity) -> Option<i128> {
        let (multiplier, multiplier_decimals) = self.spec.multiplier;
        if price.mantissa() <= 0 {
            return None;
        }
        let quote = i128::from(quantity.mantissa()).checked_mul(i128::from(multiplier))?;
        let up = i32::from(LEDGER_DECIMALS) + i32::from(self.spec.price_decimals)
            - i32::from(self.spec.quantity_decimals)
            - i32::from(multiplier_decimals);
        let scaled = match u32::try_from(up) {
            Ok(up) => quote.checked_mul(pow10(up))?,
            Err(_) => round_div(quote, pow10(up.unsigned_abs())),
        };
        Some(round_div(scaled, i128::from(price.mantissa())))
    }

    /// What `signed` at `price` is worth in the unit that [`Position`] keeps its cost in: price mantissa ×
    /// quantity mantissa, exact, for linear instruments; minus the notional in base, rounded once, for inverse
    /// ones, whose long loses base when the price falls.
    ///
    /// # Errors
    /// As [`Self::notional`].
    #[inline]
    pub fn value(&self, price: Price, signed: Quantity) -> Result<i128, NumberError> {
        if self.is_inverse() {
            return self.notional(price, signed).map(|money| -money.units);
        }
        Ok(i128::from(price.mantissa()) * i128::from(signed.mantissa()))
    }

    /// Turns a difference of values (see [`Self::value`]) into ledger units of the settlement currency.
    #[must_use]
    #[inline]
    pub fn value_units(&self, value: i128) -> Option<i128> {
        if self.is_inverse() { Some(value) } else { self.ledger_units(value) }
    }

    /// What an execution costs by this instrument's own schedule, in whichever asset it is taken.
    ///
    /// # Errors
    /// As [`Self::notional`].
    pub fn fee(&self, side: Side, price: Price, quantity: Quantity, liquidity: Liquidity) -> Result<Fee, NumberError> {
        let fees = &self.spec.fees;
        if fees.asset == FeeAsset::Received && side == Side::Buy && self.is_cash() {
            return Ok(fees.on(self.asset_units(quantity), self.spec.symbol.base, liquidity));
        }
        let notional = self.notional(price, quantity)?;
        Ok(fees.on(notional.units, notional.currency, liquidity))
    }

    /// Unrealised profit of `position` at `mark`, in the settlement currency.
    ///
    /// # Errors
    /// [`NumberError::TooLarge`] past the ledger.
    pub fn unrealised(&self, position: &Position, mark: Price) -> Result<Money, NumberError> {
        let profit = position.unrealised(self.value(mark, position.quantity())?);
        let units = self.value_units(profit).ok_or_else(|| NumberError::TooLarge(self.price_text(mark)))?;
        Ok(Money { currency: self.settlement(), units })
    }

    /// What this option is worth at its end while its underlying stands at `underlying`: what that is above the strike of a
    /// call or below that of a put, and nothing otherwise; divided by `underlying` where the coin itself is paid. Rounded
    /// once, half to even, to the decimals of its prices.
    ///
    /// `None` for what is no option, past 64 bits, and for a coin that is worth nothing.
    #[must_use]
    pub fn intrinsic(&self, underlying: Price) -> Option<Price> {
        let InstrumentKind::Option { strike, right, .. } = self.spec.kind else { return None };
        let (underlying, strike) = (i128::from(underlying.mantissa()), i128::from(strike.mantissa()));
        let worth = match right {
            crate::OptionRight::Call => underlying - strike,
            crate::OptionRight::Put => strike - underlying,
        };
        let worth = if self.settlement() == self.spec.symbol.base {
            if underlying <= 0 {
                return None;
            }
            round_div(worth.max(0) * pow10(u32::from(self.spec.price_decimals)), underlying)
        } else {
            worth.max(0)
        };
        i64::try_from(worth).ok().map(Price::from_mantissa)
    }

    /// Average entry price of `position`, for people and statistics; `None` when flat.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn average_price(&self, position: &Position) -> Option<f64> {
        let quantity = position.quantity();
        if quantity.is_zero() {
            return None;
        }
        if self.is_inverse() {
            let (multiplier, decimals) = self.spec.multiplier;
            let quote = self.quantity_f64(quantity) * multiplier as f64 / F64_POW10[usize::from(decimals)];
            return Some(quote / (-position.cost() as f64 / F64_POW10[usize::from(LEDGER_DECIMALS)]));
        }
        let mean = to_f64(position.cost()) / quantity.mantissa() as f64;
        Some(mean / F64_POW10[usize::from(self.spec.price_decimals)])
    }

    /// Average entry price of `position` as decimal text, exact but for one rounding (half to even) at
    /// [`AVERAGE_DECIMALS_MORE`] decimals beyond the instrument's price decimals; `None` when flat, or where an inverse
    /// contract's numbers leave 128 bits.
    #[must_use]
    pub fn average_price_text(&self, position: &Position) -> Option<String> {
        let decimals = self.spec.price_decimals + AVERAGE_DECIMALS_MORE;
        if !self.is_inverse() {
            return self.mean_price_text(position.cost(), position.quantity());
        }
        let (multiplier, multiplier_decimals) = self.spec.multiplier;
        let quote = i128::from(position.quantity().mantissa()).checked_mul(multiplier.into())?;
        let paid = position.cost().checked_neg()?; // ledger units of the base, below zero for a short
        let (quote, paid) = if paid < 0 { (quote.checked_neg()?, paid.checked_neg()?) } else { (quote, paid) };
        let up = u32::from(LEDGER_DECIMALS + decimals);
        let down = u32::from(self.spec.quantity_decimals + multiplier_decimals);
        let (quote, paid) = if up >= down {
            (quote.checked_mul(pow10(up - down))?, paid)
        } else {
            (quote, paid.checked_mul(pow10(down - up))?)
        };
        (paid > 0).then(|| format_decimal(round_div(quote, paid), decimals))
    }

    /// `cost` (price mantissa × quantity mantissa) per `quantity` as decimal text, rounded as
    /// [`Self::average_price_text`] is; `None` for no quantity.
    #[must_use]
    pub fn mean_price_text(&self, cost: i128, quantity: Quantity) -> Option<String> {
        let quantity = i128::from(quantity.mantissa());
        let (cost, quantity) = if quantity < 0 { (-cost, -quantity) } else { (cost, quantity) };
        if quantity == 0 {
            return None;
        }
        // whole mantissas apart from the rest: neither part leaves 128 bits, and an even factor keeps half-to-even exact
        let scale = pow10(u32::from(AVERAGE_DECIMALS_MORE));
        let units = cost.div_euclid(quantity) * scale + round_div(cost.rem_euclid(quantity) * scale, quantity);
        Some(format_decimal(units, self.spec.price_decimals + AVERAGE_DECIMALS_MORE))
    }

    /// A quantity in ledger units of its asset: what buying it adds to the balance.
    #[must_use]
    pub fn asset_units(&self, quantity: Quantity) -> i128 {
        let mantissa = i128::from(quantity.mantissa());
        if self.spec.quantity_decimals >= LEDGER_DECIMALS {
            round_div(mantissa, pow10(u32::from(self.spec.quantity_decimals - LEDGER_DECIMALS)))
        } else {
            mantissa * pow10(u32::from(LEDGER_DECIMALS - self.spec.quantity_decimals))
        }
    }
}

/// Decimals of an average price beyond those of the instrument's prices.
pub const AVERAGE_DECIMALS_MORE: u8 = 4;

const F64_POW10: [f64; 13] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

#[allow(clippy::cast_possible_truncation)]
fn near(value: f64, decimals: u8) -> Option<i64> {
    let scaled = (value * F64_POW10[usize::from(decimals)]).round();
    (scaled.abs() < 9.2e18).then_some(scaled as i64) // NaN compares false
}

/// A mantissa of so many decimals in ledger units, rounded half to even; `None` past 128 bits.
#[inline]
fn to_ledger(mantissa: i128, decimals: u8) -> Option<i128> {
    if decimals >= LEDGER_DECIMALS {
        Some(round_div(mantissa, pow10(u32::from(decimals - LEDGER_DECIMALS))))
    } else {
        mantissa.checked_mul(pow10(u32::from(LEDGER_DECIMALS - decimals)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(symbol: &str, kind: InstrumentKind) -> Instrument {
        let spec = InstrumentSpec {
            kind,
            price_decimals: 2,
            quantity_decimals: 3,
            ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
        };
        spec.list(InstrumentId(0)).unwrap()
    }

    #[test]
    fn notional_is_counted_in_what_settles() {
        for (symbol, kind, price, quantity, want) in [
            ("BTC/USDT", InstrumentKind::Spot, "65000.12", "0.5", "32500.06 USDT"),
            ("BTC/USDT:USDT", InstrumentKind::LinearPerpetual, "65000", "-2", "-130000 USDT"),
            ("BTC/USD:BTC", InstrumentKind::InversePerpetual, "50000", "100", "0.002 BTC"),
            ("AAPL/USD", InstrumentKind::Equity, "190.5", "10", "1905 USD"),
        ] {
            let it = listed(symbol, kind);
            let money = it.notional(it.price(price).unwrap(), it.quantity(quantity).unwrap()).unwrap();
            assert_eq!(money.to_string(), want);
        }
    }

    #[test]
    fn profit_of_long_and_short_is_counted_in_what_settles() {
        for (symbol, kind, quantity, want) in [
            ("BTC/USDT", InstrumentKind::Spot, "2", "20000 USDT"),
            ("BTC/USDT:USDT", InstrumentKind::LinearPerpetual, "-2", "-20000 USDT"),
            ("BTC/USD:BTC", InstrumentKind::InversePerpetual, "60000", "0.2 BTC"), // 60000/50000 - 60000/60000
            ("BTC/USD:BTC", InstrumentKind::InversePerpetual, "-60000", "-0.2 BTC"),
        ] {
            let it = listed(symbol, kind);
            let (entry, mark, quantity) =
                (it.price("50000").unwrap(), it.price("60000").unwrap(), it.quantity(quantity).unwrap());
            let mut position = Position::default();
            position.apply(quantity, it.value(entry, quantity).unwrap());
            assert_eq!(it.unrealised(&position, mark).unwrap().to_string(), want);
            assert!((it.average_price(&position).unwrap() - 50_000.0).abs() < 1e-6);
            let change = position.apply(-quantity, it.value(mark, -quantity).unwrap());
            let realised = Money { currency: it.settlement(), units: it.value_units(change.realised).unwrap() };
            assert_eq!(realised.to_string(), want);
        }
    }

    #[test]
    fn an_average_price_is_exact_text_rounded_once() {
        let it = listed("BTC/USDT", InstrumentKind::Spot);
        let text = |cost: i128, quantity| it.mean_price_text(cost, Quantity::from_mantissa(quantity));
        let decimals = usize::from(it.spec.price_decimals + AVERAGE_DECIMALS_MORE);
        let place = |units: i128| crate::format_decimal(units, u8::try_from(decimals).unwrap());
        assert_eq!(text(5, 0), None);
        for (cost, quantity, units) in [
            (10, 3, 33_333),
            (20, 3, 66_667),
            (-10, -3, 33_333),
            (1, 20_000, 0), // half a unit goes to the even one
            (3, 20_000, 2),
            (20_003, 20_000, 10_002),
            (i128::from(i64::MAX) * i128::from(i64::MAX), i64::MAX, i128::from(i64::MAX) * 10_000),
        ] {
            assert_eq!(text(cost, quantity), Some(place(units)), "{cost} / {quantity}");
        }
    }

    #[test]
    fn an_inverse_position_averages_in_its_quote() {
        let it = listed("BTC/USD:BTC", InstrumentKind::InversePerpetual);
        for (quantity, want) in [("60000", "50000"), ("-60000", "50000"), ("0", "none")] {
            let quantity = it.quantity(quantity).unwrap();
            let mut position = Position::default();
            position.apply(quantity, it.value(it.price("50000").unwrap(), quantity).unwrap());
            assert_eq!(it.average_price_text(&position).unwrap_or_else(|| "none".to_owned()), want);
        }
    }

    #[test]
    fn an_impossible_price_of_an_inverse_contract_is_an_error() {
        let it = listed("BTC/USD:BTC", InstrumentKind::InversePerpetual);
        assert_eq!(it.notional(Price::from_mantissa(0), Quantity::from_mantissa(1)).unwrap_err().code(), "DOM-03");
    }

    #[test]
    fn a_spec_that_contradicts_itself_is_refused() {
        let good = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test");
        let usd = Currency::new("USD").unwrap();
        let tier = crate::MarginTier { floor: 0, cap: 1, leverage: 1, maintenance_e8: 1, amount: 0 };
        let brackets = MarginTiers::new(vec![tier]).unwrap();
        for bad in [
            InstrumentSpec { tick: Price::from_mantissa(0), ..good.clone() },
            InstrumentSpec { lot: Quantity::from_mantissa(-1), ..good.clone() },
            InstrumentSpec {
                min_quantity: Quantity::from_mantissa(5),
                max_quantity: Quantity::from_mantissa(4),
                ..good.clone()
            },
            InstrumentSpec { price_decimals: 13, ..good.clone() },
            InstrumentSpec { multiplier: (0, 0), ..good.clone() },
            InstrumentSpec { min_notional: Money::zero(usd), ..good.clone() },
            InstrumentSpec { margin: brackets.clone(), ..good.clone() },
        ] {
            assert_eq!(bad.list(InstrumentId(0)).unwrap_err().code(), "DOM-11");
        }
        assert!(good.list(InstrumentId(0)).is_ok());
    }

    #[test]
    fn a_symbol_says_what_kind_it_is_and_when_it_ends() {
        let expiry = Timestamp::from_millis(1_743_206_400_000); // 2025-03-29T00:00:00Z, the end of the 28th
        let strike = |mantissa, right| InstrumentKind::Option { expiry, strike: Price::from_mantissa(mantissa), right };
        let dated = |inverse| Some(InstrumentKind::DatedFuture { expiry, inverse });
        for (symbol, want) in [
            ("BTC/USDT", Some(InstrumentKind::Spot)),
            ("BTC/USDT:USDT", Some(InstrumentKind::LinearPerpetual)),
            ("BTC/USD:BTC", Some(InstrumentKind::InversePerpetual)),
            ("BTC/USDT:USDT-250328", dated(false)),
            ("BTC/USD:BTC-250328", dated(true)),
            ("BTC/USDT:USDT-250328-50000.25-C", Some(strike(5_000_025, crate::OptionRight::Call))),
            ("BTC/USD:BTC-250328-50000-P", Some(strike(5_000_000, crate::OptionRight::Put))),
            ("BTC/USDT:USDT-250328-50000.125-C", None), // a strike finer than the prices
            ("BTC/USDT:ETH", None),                     // paid in neither of its currencies
        ] {
            let symbol: Symbol = symbol.parse().unwrap();
            assert_eq!(InstrumentKind::of(&symbol, 2), want, "{symbol}");
            let Some(kind) = want else { continue };
            let spec = InstrumentSpec { kind, price_decimals: 2, ..InstrumentSpec::spot(symbol.clone(), "test") };
            let listed = spec.list(InstrumentId(0)).unwrap();
            assert_eq!(listed.expiry(), symbol.contract.and_then(|it| it.expiry).map(|_| expiry));
        }
    }

    #[test]
    fn a_kind_that_its_symbol_contradicts_is_refused() {
        let expiry = Timestamp::from_millis(1_743_206_400_000);
        let option = InstrumentKind::Option { expiry, strike: Price::from_mantissa(1), right: crate::OptionRight::Put };
        let dated = |inverse| InstrumentKind::DatedFuture { expiry, inverse };
        for (symbol, kind) in [
            ("BTC/USDT:USDT", InstrumentKind::Spot),
            ("BTC/USDT:USDT-250328", InstrumentKind::Equity),
            ("BTC/USDT:USDT-250328", InstrumentKind::LinearPerpetual),
            ("BTC/USDT:USDT", dated(false)),
            ("BTC/USDT:USDT", option),
            ("BTC/USDT:USDT-250328-50000-C", dated(false)),
            ("BTC/USDT:USDT-250328", option),
            ("BTC/USD:BTC", InstrumentKind::LinearPerpetual),
            ("BTC/USDT:USDT", InstrumentKind::InversePerpetual),
            ("BTC/USDT:ETH", InstrumentKind::LinearPerpetual),
            ("BTC/USD:BTC-250328", dated(false)),
            ("BTC/USDT:USDT-250328", dated(true)),
            ("BTC/USDT:ETH-250328-50000-P", option),
        ] {
            let spec = InstrumentSpec { kind, ..InstrumentSpec::spot(symbol.parse().unwrap(), "test") };
            assert_eq!(spec.list(InstrumentId(0)).unwrap_err().code(), "DOM-11", "{symbol} as {kind:?}");
        }
    }

    #[test]
    fn an_option_is_worth_at_its_end_what_its_underlying_is_beyond_the_strike() {
        let worth = |symbol: &str, price_decimals: u8, underlying: &str| {
            let symbol: Symbol = symbol.parse().unwrap();
            let kind = InstrumentKind::of(&symbol, price_decimals).unwrap();
            let spec = InstrumentSpec { kind, price_decimals, ..InstrumentSpec::spot(symbol, "test") };
            let it = spec.list(InstrumentId(0)).unwrap();
            it.intrinsic(it.price(underlying).unwrap()).map(|price| it.price_text(price))
        };
        for (symbol, decimals, underlying, want) in [
            ("BTC/USDT:USDT-250328-50000-C", 2, "50012.34", Some("12.34")),
            ("BTC/USDT:USDT-250328-50000-C", 2, "49999.99", Some("0")),
            ("BTC/USDT:USDT-250328-50000-P", 2, "49000.5", Some("999.5")),
            ("BTC/USDT:USDT-250328-50000-P", 2, "50000", Some("0")),
            ("BTC/USDT:USDT-250328-50000-P", 2, "0", Some("50000")),
            ("BTC/USD:BTC-250328-50000-C", 4, "62500", Some("0.2")),
            ("BTC/USD:BTC-250328-50000-C", 4, "51000", Some("0.0196")), // 1,000 / 51,000
            ("BTC/USD:BTC-250328-50000-P", 4, "40000", Some("0.25")),
            ("BTC/USD:BTC-250328-50000-P", 4, "60000", Some("0")),
            ("BTC/USD:BTC-250328-50000-P", 4, "0", None), // no number of worthless coins is worth anything
            ("BTC/USDT:USDT-250328", 2, "50000", None),
        ] {
            assert_eq!(worth(symbol, decimals, underlying).as_deref(), want, "{symbol} at {underlying}");
        }
    }

    #[test]
    fn one_contract_stands_for_as_much_as_its_multiplier_says() {
        let with = |symbol: &str, kind| {
            let mut it = listed(symbol, kind);
            it.spec.multiplier = (125, 1); // 12.5
            it
        };
        let linear = with("BTC/USDT:USDT", InstrumentKind::LinearPerpetual);
        let worth = |it: &Instrument, price: &str, quantity: &str| {
            it.notional(it.price(price).unwrap(), it.quantity(quantity).unwrap()).unwrap().amount()
        };
        let profit = |it: &Instrument, from: &str, to: &str, quantity: &str| {
            let (quantity, mut position) = (it.quantity(quantity).unwrap(), Position::default());
            position.apply(quantity, it.value(it.price(from).unwrap(), quantity).unwrap());
            it.unrealised(&position, it.price(to).unwrap()).unwrap().amount()
        };
        assert_eq!(worth(&linear, "100", "2"), "2500");
        assert_eq!(profit(&linear, "100", "104", "2"), "100", "2 x 12.5 x 4");
        assert_eq!(profit(&linear, "100", "104", "-2"), "-100");
        let inverse = with("BTC/USD:BTC", InstrumentKind::InversePerpetual);
        assert_eq!(worth(&inverse, "50", "2"), "0.5", "25 dollars at 50");
        assert_eq!(profit(&inverse, "50", "100", "2"), "0.25", "25/50 - 25/100");
    }

    #[test]
    fn the_quantity_that_is_worth_so_much_and_what_a_quantity_is_worth_undo_one_another() {
        let check = |symbol: &str, multiplier: (i64, u8), price: &str, quantity: &str, exposure: f64| {
            let kind = InstrumentKind::of(&symbol.parse().unwrap(), 2).unwrap();
            let mut it = listed(symbol, kind);
            it.spec.multiplier = multiplier;
            let (exact, quantity) = (it.price(price).unwrap(), it.quantity(quantity).unwrap());
            let price = it.price_f64(exact);
            let close = |got: f64, want: f64| (got - want).abs() <= 1e-9 * want.abs();
            let got = it.exposure_f64(price, it.quantity_f64(quantity));
            assert!(close(got, exposure), "{symbol}: {got} is not {exposure}");
            assert!(close(it.notional(exact, quantity).unwrap().to_f64(), exposure), "{symbol}: as in the ledger");
            assert_eq!(it.quantity_near(it.quantity_worth(exposure, price)), Some(quantity), "{symbol}");
        };
        check("BTC/USDT", (1, 0), "65000.12", "0.5", 32_500.06);
        check("BTC/USDT:USDT", (1, 0), "65000", "-2", -130_000.0);
        check("BTC/USDT:USDT", (1, 3), "65000", "3", 195.0); // a thousandth of a coin each
        check("BTC/USDT:USDT-250328", (125, 1), "100", "2", 2_500.0);
        check("BTC/USDT:USDT-250328-50000-C", (10, 0), "120.5", "4", 4_820.0); // its premium, not its underlying
        check("BTC/USD:BTC", (1, 0), "50000", "100", 0.002);
        check("BTC/USD:BTC", (100, 0), "50000", "-5000", -10.0);
        check("BTC/USD:BTC-250328", (125, 1), "50", "2", 0.5);
        let share = listed("AAPL/USD", InstrumentKind::Equity);
        assert!((share.exposure_f64(190.5, 10.0) - 1_905.0).abs() < 1e-9);
        let coin = listed("BTC/USD:BTC", InstrumentKind::InversePerpetual);
        assert!(coin.exposure_f64(0.0, 1.0).is_infinite());
        assert_eq!(share.quantity_near(share.quantity_worth(1.0, 0.0)), None);
    }

    #[test]
    fn without_a_multiplier_nothing_is_rounded_by_it() {
        let it = listed("BTC/USDT:USDT", InstrumentKind::LinearPerpetual);
        for (price, number) in [(65_000.12, 0.1), (0.3, 1e7 / 3.0), (1e-7, -9.7)] {
            assert_eq!(it.exposure_f64(price, number).to_bits(), (price * number).to_bits());
            assert_eq!(it.quantity_worth(number, price).to_bits(), (number / price).to_bits());
        }
    }

    #[test]
    fn the_smallest_notional_is_in_the_quote_currency_of_inverse_contracts_too() {
        let check = |symbol: &str, kind, multiplier, price: &str, least: &str, less: &str| {
            let mut it = listed(symbol, kind);
            it.spec.multiplier = multiplier;
            it.spec.min_notional = Money::parse("100", it.spec.symbol.quote).unwrap();
            let price = it.price(price).unwrap();
            let [least, less] = [least, less].map(|text| it.quantity(text).unwrap());
            assert_eq!((it.below_minimum(price, least), it.is_dust(least, Some(price))), (Ok(None), false), "{symbol}");
            let below = it.below_minimum(price, less).unwrap().unwrap();
            assert!(
                below.currency == it.spec.symbol.quote && below.units < it.spec.min_notional.units,
                "{symbol}: {below:?}"
            );
            assert!(it.is_dust(less, Some(price)), "{symbol}");
        };
        check("BTC/USDT", InstrumentKind::Spot, (1, 0), "50", "2", "1.999");
        check("BTC/USDT:USDT", InstrumentKind::LinearPerpetual, (1, 1), "50", "20", "19.999");
        check("BTC/USD:BTC", InstrumentKind::InversePerpetual, (1, 0), "50000", "100", "99.999");
        check("BTC/USD:BTC", InstrumentKind::InversePerpetual, (10, 0), "50000", "10", "9.999");
    }

    #[test]
    fn ticks_and_lots_are_found() {
        let mut it = listed("BTC/USDT", InstrumentKind::Spot);
        it.spec.tick = Price::from_mantissa(10);
        it.spec.lot = Quantity::from_mantissa(100);
        let price = |m| Price::from_mantissa(m);
        assert_eq!(
            (it.tick_down(price(1234)), it.tick_up(price(1234)), it.tick_up(price(1230))),
            (price(1230), price(1240), price(1230))
        );
        assert_eq!(it.tick_down(price(-1)), price(-10));
        assert_eq!(it.whole_lots(Quantity::from_mantissa(-1_999)).mantissa(), -1_900);
        assert_eq!(it.price_near(f64::NAN), None);
    }
}
