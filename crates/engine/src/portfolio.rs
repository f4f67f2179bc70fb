//! The books of one portfolio: cash and assets by currency, positions, fees, funding, equity.
//!
//! Money is in ledger units (10⁻⁸) of each currency. Equity is kept current at every mark at constant cost:
//! each asset knows its value, and a new mark changes one value.

use crate::Settlement;
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    Currency, Fee, Fill, Instrument, InstrumentId, LEDGER_DECIMALS, Money, Position, Price, Quantity, Timestamp, pow10,
    round_div,
};
use tradewind_gate::Limits;

/// What is held of one currency or asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Of what.
    pub currency: Currency,
    /// How much.
    pub units: i128,
    /// Its worth in base currency at the newest mark; 0 until a pair prices it.
    pub value: i128,
    /// Fees charged in it so far.
    pub fees: i128,
    /// Funding paid in it so far, negative when received.
    pub funding: i128,
    /// Profit realised in it so far, before fees.
    pub realised: i128,
    /// What came in from outside, less what went out.
    pub deposited: i128,
    /// Of that, what came in before anything priced it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    unpriced: i128,
}

/// A position and what it is worth beyond what the assets already count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    position: Position,
    /// Unrealised profit of a contract in base currency; 0 for cash instruments, whose assets count.
    unrealised: i128,
    /// Which holding this instrument prices, if it is a cash pair into the base currency.
    prices: Option<u16>,
    /// Funding paid for it so far in its settlement currency, negative when received.
    #[serde(default, skip_serializing_if = "is_nothing")]
    funding: i128,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_nothing(units: &i128) -> bool {
    *units == 0
}

/// The books of one portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portfolio {
    /// Its name.
    pub name: String,
    /// What equity is counted in.
    pub base: Currency,
    /// What it may do.
    pub limits: Limits,
    holdings: Vec<Holding>,
    held: Vec<Held>,
    equity: i128,
    day: i64,
    day_equity: i128,
    peak_equity: i128,
}

impl Portfolio {
    pub(crate) fn new(name: String, base: Currency, instruments: &[Instrument]) -> Self {
        let mut portfolio = Self {
            name,
            base,
            limits: Limits::AT_OPENING,
            holdings: Vec::new(),
            held: Vec::new(),
            equity: 0,
            day: i64::MIN,
            day_equity: 0,
            peak_equity: 0,
        };
        portfolio.holding_index(base);
        for instrument in instruments {
            portfolio.list(instrument);
        }
        portfolio
    }

    pub(crate) fn list(&mut self, instrument: &Instrument) {
        let index = instrument.id.index();
        if self.held.len() <= index {
            self.held.resize(index + 1, Held::default());
        }
        let symbol = &instrument.spec.symbol;
        let first = instrument.is_cash() && symbol.quote == self.base && symbol.base != self.base;
        if first {
            let holding = self.holding_index(symbol.base);
            let priced = self.held.iter().any(|held| held.prices == Some(holding));
            self.held[index].prices = self.held[index].prices.or((!priced).then_some(holding));
        }
    }

    fn holding_index(&mut self, currency: Currency) -> u16 {
        let place = self.holdings.iter().position(|holding| holding.currency == currency).unwrap_or_else(|| {
            self.holdings.push(Holding {
                currency,
                units: 0,
                value: 0,
                fees: 0,
                funding: 0,
                realised: 0,
                deposited: 0,
                unpriced: 0,
            });
            self.holdings.len() - 1
        });
        u16::try_from(place).expect("a portfolio holds fewer than 65,536 currencies")
    }

    fn holding_mut(&mut self, currency: Currency) -> &mut Holding {
        let index = self.holding_index(currency);
        &mut self.holdings[usize::from(index)]
    }

    /// What is held, in the order in which it was first met; the base currency comes first.
    #[must_use]
    pub fn holdings(&self) -> &[Holding] {
        &self.holdings
    }

    /// What is held of `currency`, in ledger units.
    #[must_use]
    pub fn units(&self, currency: Currency) -> i128 {
        self.holdings.iter().find(|holding| holding.currency == currency).map_or(0, |holding| holding.units)
    }

    /// The position in `instrument`.
    #[must_use]
    #[inline]
    pub fn position(&self, instrument: InstrumentId) -> Position {
        self.held.get(instrument.index()).map_or_else(Position::default, |held| held.position)
    }

    /// How much of the position there is to close: all of it, but where nothing may be borrowed nothing of one below zero.
    /// What was sold there beyond what was bought was in the account before, and nobody is short of it.
    #[must_use]
    pub fn to_close(&self, instrument: &Instrument) -> Quantity {
        let held = self.position(instrument.id).quantity();
        let owes = !instrument.is_cash() || self.limits.borrow;
        if owes { held } else { held.max(Quantity::ZERO) }
    }

    /// What is held of each asset beyond what positions in it account for, in its ledger units, with the cash pair that
    /// values it: what was there before the first start, what came in since, or what a sale in a cross pair was paid with.
    /// The base currency is none of them, and neither is what nothing values.
    pub(crate) fn coins<'a>(
        &self,
        instruments: impl Iterator<Item = &'a Instrument>,
    ) -> impl Iterator<Item = (&'a Instrument, i128)> {
        let mut coins: Vec<(Option<&Instrument>, i128)> = self.holdings.iter().map(|it| (None, it.units)).collect();
        for it in instruments.filter(|it| it.is_cash()) {
            let priced = self.held.get(it.id.index()).and_then(|held| held.prices).map(usize::from);
            if let Some(place) = priced {
                coins[place].0 = Some(it);
            }
            let position = self.to_close(it);
            if position.is_zero() {
                continue;
            }
            let of_base = |holding: &Holding| holding.currency == it.spec.symbol.base;
            if let Some(place) = priced.or_else(|| self.holdings.iter().position(of_base)) {
                coins[place].1 -= it.asset_units(position);
            }
        }
        coins.into_iter().filter_map(|(pair, units)| Some((pair?, units))).filter(|(_, units)| *units > 0)
    }

    /// Funding paid for `instrument` so far, in ledger units of its settlement currency; negative when received.
    #[must_use]
    pub fn funding_paid(&self, instrument: InstrumentId) -> i128 {
        self.held.get(instrument.index()).map_or(0, |held| held.funding)
    }

    /// Cash and assets at their marks, with unrealised profit, in ledger units of the base currency.
    #[must_use]
    pub const fn equity(&self) -> i128 {
        self.equity
    }
    /// Equity when the current UTC day began.
    #[must_use]
    pub const fn day_equity(&self) -> i128 {
        self.day_equity
    }
    /// Highest equity so far.
    #[must_use]
    pub const fn peak_equity(&self) -> i128 {
        self.peak_equity
    }

    /// Takes a new mark into the equity. Constant cost, whatever was traded before. Gives back what came in from outside
    /// and is valued for the first time. `third` is what a contract's settlement in a third currency is worth.
    #[inline]
    pub(crate) fn mark(
        &mut self,
        instrument: &Instrument,
        price: Price,
        third: Option<(i128, i128)>,
        at: Timestamp,
    ) -> i128 {
        let Some(held) = self.held.get(instrument.id.index()) else { return 0 };
        let came_in = held.prices.map_or(0, |place| {
            let unit = pow10(u32::from(instrument.spec.price_decimals));
            self.value(usize::from(place), |units| share(units, i128::from(price.mantissa()), unit))
        });
        let held = &mut self.held[instrument.id.index()];
        if !instrument.is_cash() && (!held.position.quantity().is_zero() || held.unrealised != 0) {
            let unrealised = unrealised_in(self.base, instrument, &held.position, price, third);
            self.equity += unrealised - held.unrealised;
            held.unrealised = unrealised;
        }
        self.turn_day(at);
        came_in
    }

    /// Values a holding by what its units are `worth`. Gives back what of it came in from outside and is valued for the
    /// first time.
    #[inline]
    fn value(&mut self, place: usize, worth: impl Fn(i128) -> i128) -> i128 {
        let holding = &mut self.holdings[place];
        if holding.units == 0 && holding.value == 0 && holding.unpriced == 0 {
            return 0;
        }
        let value = worth(holding.units);
        self.equity += value - holding.value;
        holding.value = value;
        if holding.unpriced == 0 {
            return 0;
        }
        let came_in = worth(std::mem::take(&mut holding.unpriced));
        self.day_equity += came_in;
        self.peak_equity += came_in;
        came_in
    }

    /// Values what is held of `currency`, of which something was booked, at its `rate`; see [`Self::mark`].
    pub(crate) fn revalue(&mut self, currency: Currency, (numerator, denominator): (i128, i128)) -> i128 {
        let place = self.holding_index(currency);
        self.value(usize::from(place), |units| share(units, numerator, denominator))
    }

    /// The same for the asset of a cash pair that nothing prices yet: at the `price` of an execution in that pair, and the
    /// `rate` of what it was paid in.
    pub(crate) fn value_by(&mut self, pair: &Instrument, price: Price, (numerator, denominator): (i128, i128)) -> i128 {
        let place = self.holding_index(pair.spec.symbol.base);
        let unit = pow10(u32::from(pair.spec.price_decimals));
        let paid = |units| share(units, i128::from(price.mantissa()), unit);
        self.value(usize::from(place), |units| share(paid(units), numerator, denominator))
    }

    /// Whether a mark of `id` values what is held of `currency`, or nothing has to.
    pub(crate) fn is_valued_by(&self, currency: Currency, id: InstrumentId) -> bool {
        let prices = || self.held.get(id.index())?.prices.map(|place| self.holdings[usize::from(place)].currency);
        currency == self.base || prices() == Some(currency)
    }

    #[inline]
    fn turn_day(&mut self, at: Timestamp) {
        let day = at.utc_day();
        if day > self.day {
            (self.day, self.day_equity) = (day, self.equity);
        }
        self.peak_equity = self.peak_equity.max(self.equity);
    }

    /// Adds `units` of `currency`; what they are worth, if it is not the base currency, is for [`Self::revalue`] to say.
    fn post(&mut self, currency: Currency, units: i128) {
        let base = self.base;
        let holding = self.holding_mut(currency);
        holding.units += units;
        if currency == base {
            holding.value += units;
            self.equity += units;
        }
    }

    /// Books money from outside, which is neither profit nor loss: every reference point moves with what it is worth.
    /// `rate` is its currency's in the base currency; without one that waits for the first mark.
    pub(crate) fn deposit(&mut self, money: Money, rate: Option<(i128, i128)>, at: Timestamp) {
        self.post(money.currency, money.units);
        let is_base = money.currency == self.base;
        let worth = worth(money.units, rate);
        let holding = self.holding_mut(money.currency);
        holding.deposited += money.units;
        match worth {
            None => holding.unpriced += money.units,
            Some(worth) => {
                if !is_base {
                    holding.value += worth;
                    self.equity += worth;
                }
                self.day_equity += worth;
                self.peak_equity += worth;
                if self.day == i64::MIN {
                    (self.day, self.day_equity) = (at.utc_day(), self.equity);
                }
            }
        }
    }

    pub(crate) fn fee(&mut self, fee: Fee) {
        self.post(fee.0.currency, -fee.0.units);
        self.holding_mut(fee.0.currency).fees += fee.0.units;
    }

    /// Whether an execution fits these books: the position stays within 64 bits, its cost within 128.
    #[must_use]
    pub(crate) fn can_book(&self, instrument: &Instrument, fill: &Fill) -> bool {
        let position = self.position(instrument.id);
        let signed = fill.side.signed(fill.quantity);
        let bought = instrument.is_cash() && fill.fee.0.currency == instrument.spec.symbol.base;
        let taken = if bought { asset_quantity(instrument, fill.fee.0.units) } else { Some(Quantity::ZERO) };
        let held = taken.and_then(|taken| position.quantity().checked_add(signed)?.checked_add(-taken));
        let cost = instrument.value(fill.price, signed).ok().and_then(|value| position.cost().checked_add(value));
        held.is_some() && cost.is_some()
    }

    /// Books an execution: both legs, the fee in whatever it was taken in, and the position; its price is yet to be
    /// taken into the equity. Returns what it realised before fees, in ledger units of the settlement currency.
    pub(crate) fn fill(&mut self, instrument: &Instrument, fill: &Fill) -> i128 {
        let signed = fill.side.signed(fill.quantity);
        let value = instrument.value(fill.price, signed).expect("the gate bounds what can fill");
        let change = self.held[instrument.id.index()].position.apply(signed, value);
        let units = |value| instrument.value_units(value).expect("the gate bounds what can fill");
        let (realised, settlement) = (units(change.realised), instrument.settlement());
        if instrument.is_cash() {
            self.post(settlement, -units(value));
            self.post(instrument.spec.symbol.base, instrument.asset_units(signed));
        } else {
            self.post(settlement, realised);
        }
        self.holding_mut(settlement).realised += realised;
        if instrument.is_cash() && fill.fee.0.currency == instrument.spec.symbol.base {
            // a fee taken in the bought asset leaves less of it to sell
            let taken = asset_quantity(instrument, fill.fee.0.units).unwrap_or(Quantity::from_mantissa(i64::MAX));
            let change = self.held[instrument.id.index()].position.adjust(-taken);
            self.holding_mut(settlement).realised += units(change.realised);
        }
        self.fee(fill.fee);
        realised
    }

    /// Books a funding payment on the position held now; longs pay a positive rate. `false` if it leaves the ledger.
    #[must_use]
    pub(crate) fn funding(&mut self, instrument: &Instrument, rate_e8: i64, mark: Price) -> bool {
        let quantity = self.position(instrument.id).quantity();
        let Ok(paid) = crate::funding_payment(instrument, quantity, mark, rate_e8) else { return false };
        self.post(paid.currency, -paid.units);
        self.holding_mut(paid.currency).funding += paid.units;
        if let Some(held) = self.held.get_mut(instrument.id.index()) {
            held.funding += paid.units;
        }
        true
    }

    /// Closes the whole position at the price of its settlement and takes the fee for it; its price is yet to be taken into
    /// the equity. Returns what it realised before the fee, in ledger units of the settlement currency; `None`, and nothing
    /// is changed, if that leaves the ledger.
    #[must_use]
    pub(crate) fn settle(&mut self, instrument: &Instrument, settlement: Settlement) -> Option<i128> {
        let mut position = self.position(instrument.id);
        let closing = Quantity::from_mantissa(position.quantity().mantissa().checked_neg()?);
        let value = instrument.value(settlement.price, closing).ok()?;
        position.cost().checked_add(value)?; // what is realised is their sum
        let realised = instrument.value_units(position.apply(closing, value).realised)?;
        let fee = settlement.fee(instrument, closing).ok()?;
        self.held.get_mut(instrument.id.index())?.position = position;
        self.post(instrument.settlement(), realised);
        self.holding_mut(instrument.settlement()).realised += realised;
        self.fee(Fee(fee));
        Some(realised)
    }
}

/// What `units` are worth at `rate`, rounded once.
pub(crate) fn worth(units: i128, rate: Option<(i128, i128)>) -> Option<i128> {
    rate.map(|(numerator, denominator)| share(units, numerator, denominator))
}

/// `units × numerator ÷ denominator`, rounded once. A venue may tell of more coins than anything is worth: what leaves 128
/// bits on the way counts as all that they hold.
fn share(units: i128, numerator: i128, denominator: i128) -> i128 {
    round_div(units.saturating_mul(numerator).clamp(-MOST, MOST), denominator)
}

/// Far above all that is worth anything, and far enough from the end of 128 bits to be added to.
const MOST: i128 = i128::MAX / 4;

/// Ledger units of the asset as a quantity; `None` past 64 bits.
pub(crate) fn asset_quantity(instrument: &Instrument, units: i128) -> Option<Quantity> {
    let decimals = u32::from(instrument.spec.quantity_decimals);
    let ledger = u32::from(LEDGER_DECIMALS);
    let mantissa =
        if decimals >= ledger { units * pow10(decimals - ledger) } else { round_div(units, pow10(ledger - decimals)) };
    i64::try_from(mantissa).ok().map(Quantity::from_mantissa)
}

/// Unrealised profit of a contract in `base`. An inverse contract's is in its coin, worth `price` each; that of one which
/// settles in a third currency is worth what `third` says, and nothing without: then the gate refuses to add to it.
fn unrealised_in(
    base: Currency,
    instrument: &Instrument,
    position: &Position,
    price: Price,
    third: Option<(i128, i128)>,
) -> i128 {
    let Ok(profit) = instrument.unrealised(position, price) else { return 0 };
    let symbol = &instrument.spec.symbol;
    if profit.currency == base {
        profit.units
    } else if profit.currency == symbol.base && symbol.quote == base {
        round_div(profit.units * i128::from(price.mantissa()), pow10(u32::from(instrument.spec.price_decimals)))
    } else {
        third.map_or(0, |(worth, of)| round_div(profit.units * worth, of))
    }
}
