//! [`Ledger`]: what the journal says was executed, and what the venue says, until both have said the same.

use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{Currency, Fill, Instrument, InstrumentId, Money, Side, Timestamp, TradeId, TradeIdSet};
use tradewind_engine::{Drift, Event, EventKind, State};
use tradewind_venues::AssetBalance;

/// Both sides keep what is nearer than this to the edge of what is compared, and are not judged by it: their times differ.
const EDGE: i64 = 60_000_000_000;

/// An execution that the venue numbers once in each instrument.
type Key = (InstrumentId, TradeId);

/// An execution as one side tells it.
#[derive(Clone, Copy, Debug)]
struct Told {
    fill: Fill,
    /// When it happened, as that side says.
    at: Timestamp,
}

/// The executions of both sides, and the money that those of the journal come to.
///
/// It reckons by itself: of the engine it takes the words of the journal, and none of its sums, but where retention has
/// removed the beginning of the journal. There it begins with what a snapshot holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Executions before this moment are not compared.
    from: Timestamp,
    /// Whether something may have happened before that.
    is_cut: bool,
    /// What was listed, by the journal's number of it.
    pub(super) instruments: BTreeMap<InstrumentId, Instrument>,
    /// Up to which execution the balances at the beginning hold everything.
    baselines: BTreeMap<InstrumentId, TradeId>,
    /// Executions that were booked, each once.
    booked: BTreeMap<InstrumentId, TradeIdSet>,
    /// What was taken back by the venue.
    reversed: BTreeSet<Key>,
    books: BTreeMap<Key, Told>,
    venue: BTreeMap<Key, Told>,
    /// What deposits, executions and fees of our orders come to.
    cash: BTreeMap<Currency, i128>,
    /// Executions of other hands that nobody has adopted.
    foreign: BTreeMap<Key, Fill>,
    /// What our orders bought less what they sold and what went to fees, in ledger units of the asset.
    held: BTreeMap<InstrumentId, i128>,
    /// Whether anything is a contract: its money moves by more than executions.
    has_contracts: bool,
    /// Executions and payments that the journal told so far.
    moves: u64,
}

impl Ledger {
    /// Compares executions from `from` on; `is_cut` where there may have been others before.
    pub(super) fn new(from: Timestamp, is_cut: bool) -> Self {
        Self { from, is_cut, ..Self::default() }
    }

    /// Begins with what a snapshot holds, as the records before it are gone.
    pub(super) fn after(state: &State, from: Timestamp) -> Self {
        let mut ledger = Self::new(from, true);
        for listing in &state.listings {
            let id = listing.instrument.id;
            ledger.list(&listing.instrument);
            ledger.booked.insert(id, listing.booked.clone());
            ledger.baselines.extend(listing.before.map(|through| (id, through)));
        }
        for portfolio in &state.portfolios {
            for holding in portfolio.holdings() {
                *ledger.cash.entry(holding.currency).or_default() += holding.units;
            }
            for (id, it) in &ledger.instruments {
                *ledger.held.entry(*id).or_default() += it.asset_units(portfolio.position(*id).quantity());
            }
        }
        let foreign = state.foreign_fills.iter().map(|fill| ((fill.instrument, fill.trade_id), *fill));
        ledger.foreign.extend(foreign);
        ledger
    }

    fn list(&mut self, instrument: &Instrument) {
        self.has_contracts |= !instrument.is_cash();
        self.instruments.insert(instrument.id, instrument.clone());
    }

    /// Takes in what the journal says.
    pub(super) fn books(&mut self, event: &Event) {
        self.moves += 1;
        match &event.kind {
            EventKind::Listed(instrument) => self.list(instrument),
            EventKind::Baseline { instrument, through } => _ = self.baselines.insert(*instrument, *through),
            EventKind::Deposited(money) | EventKind::Adjusted { money, .. } => self.pay(money.currency, money.units),
            EventKind::Filled(fill) => self.booked(fill, event.at),
            EventKind::ForeignFilled(fill) => self.foreign(fill, event.at),
            EventKind::Reversed(fill) => self.reversed(fill),
            _ => self.moves -= 1, // no execution and no money
        }
    }

    fn pay(&mut self, currency: Currency, units: i128) {
        *self.cash.entry(currency).or_default() += units;
    }

    fn booked(&mut self, fill: &Fill, at: Timestamp) {
        let key = (fill.instrument, fill.trade_id);
        self.foreign.remove(&key); // its order was adopted
        if self.booked.entry(fill.instrument).or_default().insert(fill.trade_id) {
            self.post(fill, 1);
            self.told(key, fill, at);
        }
    }

    fn foreign(&mut self, fill: &Fill, at: Timestamp) {
        let key = (fill.instrument, fill.trade_id);
        if !self.booked.get(&fill.instrument).is_some_and(|booked| booked.contains(fill.trade_id)) {
            self.foreign.insert(key, *fill);
            self.told(key, fill, at);
        }
    }

    fn told(&mut self, key: Key, fill: &Fill, at: Timestamp) {
        if at >= self.from {
            self.books.entry(key).or_insert(Told { fill: *fill, at });
        }
    }

    fn reversed(&mut self, fill: &Fill) {
        let key = (fill.instrument, fill.trade_id);
        if self.reversed.insert(key) {
            self.post(fill, -1);
        }
    }

    /// Books both legs and the fee of an execution, or takes them back.
    fn post(&mut self, fill: &Fill, sign: i128) {
        let Some(it) = self.instruments.get(&fill.instrument).filter(|it| it.is_cash()) else { return };
        let (base, fee) = (it.spec.symbol.base, fill.fee.0);
        let taken = if fee.currency == base { fee.units } else { 0 };
        let bought = it.asset_units(fill.side.signed(fill.quantity));
        *self.held.entry(it.id).or_default() += (bought - taken) * sign;
        legs(it, fill).into_iter().for_each(|(currency, units)| self.pay(currency, units * sign));
    }

    /// Takes in what the venue says.
    pub(super) fn venue(&mut self, fill: Fill, at: Timestamp) {
        let before = self.baselines.get(&fill.instrument).is_some_and(|through| fill.trade_id <= *through);
        if !before && at >= self.from {
            self.venue.insert((fill.instrument, fill.trade_id), Told { fill, at });
        }
    }

    /// Forgets what both sides told alike and happened before `at`.
    pub(super) fn forget(&mut self, at: Timestamp) {
        let agreed = |key: &Key, books: &Told, venue: &BTreeMap<Key, Told>| {
            venue.get(key).is_some_and(|venue| books.at.max(venue.at) < at && is_same(&books.fill, &venue.fill))
        };
        let over: Vec<Key> =
            self.books.iter().filter(|(key, told)| agreed(key, told, &self.venue)).map(|(key, _)| *key).collect();
        for key in over {
            self.books.remove(&key);
            self.venue.remove(&key);
        }
        self.is_cut |= at > self.from;
        self.from = self.from.max(at);
    }

    /// Lets go of every execution before `at`, whoever told it.
    pub(super) fn trim(&mut self, at: Timestamp) {
        self.books.retain(|_, told| told.at >= at);
        self.venue.retain(|_, told| told.at >= at);
        self.is_cut |= at > self.from;
        self.from = self.from.max(at);
    }

    /// Executions and payments that the journal told so far.
    pub(super) const fn moves(&self) -> u64 {
        self.moves
    }

    /// Executions of the venue in the time that is compared.
    pub(super) fn compared(&self) -> usize {
        self.venue.len()
    }

    /// Executions that the two sides do not tell alike.
    pub(super) fn differences(&self) -> Vec<Drift> {
        let judged_from = if self.is_cut { self.from.plus_nanos(EDGE) } else { self.from };
        let is_judged = |told: &&Told| told.at >= judged_from;
        let keys: BTreeSet<&Key> = self.books.keys().chain(self.venue.keys()).collect();
        let differing = keys.into_iter().filter(|key| !self.reversed.contains(*key)).filter_map(|key: &Key| {
            let (ours, venue) = (self.books.get(key), self.venue.get(key));
            match (ours, venue) {
                (Some(ours), Some(venue)) if is_same(&ours.fill, &venue.fill) => None,
                (Some(_), Some(_)) => Some((key, ours, venue)),
                _ => ours.or(venue).filter(is_judged).map(|_| (key, ours, venue)),
            }
        });
        let words = |told: Option<&Told>| told.map_or("none".to_owned(), |told| self.words(&told.fill));
        let drift = |(key, ours, venue): (&Key, Option<&Told>, Option<&Told>)| Drift {
            what: format!("execution {} of {}", key.1.0, self.name(key.0)),
            ours: words(ours),
            venue: words(venue),
        };
        differing.map(drift).collect()
    }

    fn name(&self, id: InstrumentId) -> String {
        self.instruments.get(&id).map_or_else(|| format!("instrument {}", id.0), |it| it.spec.symbol.to_string())
    }

    fn words(&self, fill: &Fill) -> String {
        let Some(it) = self.instruments.get(&fill.instrument) else { return format!("{fill:?}") };
        let (quantity, price) = (it.quantity_text(fill.quantity), it.price_text(fill.price));
        let side = if fill.side == Side::Buy { "buy" } else { "sell" };
        format!("{side} {quantity} at {price}, fee {}", fill.fee.0)
    }

    /// Balances that are not what the journal comes to. Executions of other hands that nobody has adopted may be in
    /// them or not: a person books them by one of two ways.
    pub(super) fn balances(&self, held: &[AssetBalance]) -> Vec<Drift> {
        if self.has_contracts {
            return Vec::new(); // funding and unrealised profit move them too
        }
        let mut with_others = self.cash.clone();
        let foreign =
            self.foreign.values().filter_map(|fill| Some(legs(self.instruments.get(&fill.instrument)?, fill)));
        foreign.flatten().for_each(|(currency, units)| *with_others.entry(currency).or_default() += units);
        let venue: BTreeMap<Currency, i128> =
            held.iter().map(|it| (it.currency, it.free.units + it.locked.units)).collect();
        let currencies: BTreeSet<&Currency> = self.cash.keys().chain(with_others.keys()).chain(venue.keys()).collect();
        let differing = currencies.into_iter().filter(|currency| {
            let venue = units(&venue, currency);
            venue != units(&self.cash, currency) && venue != units(&with_others, currency)
        });
        let text = |units, currency: &Currency| Money { currency: *currency, units }.amount();
        let drift = |currency: &Currency| Drift {
            what: format!("balance {currency}"),
            ours: text(units(&self.cash, currency), currency),
            venue: text(units(&venue, currency), currency),
        };
        differing.map(drift).collect()
    }

    /// What our orders hold of an instrument, in its asset.
    pub(super) fn held(&self, it: &Instrument) -> Money {
        Money { currency: it.spec.symbol.base, units: self.held.get(&it.id).copied().unwrap_or_default() }
    }
}

/// What an execution on spot adds to each currency: of both legs, and of the fee.
fn legs(it: &Instrument, fill: &Fill) -> [(Currency, i128); 3] {
    let signed = fill.side.signed(fill.quantity);
    let paid = it.value(fill.price, signed).ok().and_then(|value| it.value_units(value)).unwrap_or_default();
    let fee = fill.fee.0;
    [(it.settlement(), -paid), (it.spec.symbol.base, it.asset_units(signed)), (fee.currency, -fee.units)]
}

fn units(of: &BTreeMap<Currency, i128>, currency: &Currency) -> i128 {
    of.get(currency).copied().unwrap_or_default()
}

/// Whether both sides tell the same execution. The venue names its order by another name.
fn is_same(one: &Fill, other: &Fill) -> bool {
    (one.side, one.price, one.quantity, one.fee) == (other.side, other.price, other.quantity, other.fee)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{ClientOrderId, Fee, InstrumentSpec, Liquidity, PortfolioId, Source};

    const SECOND: i64 = 1_000_000_000;

    fn instrument() -> Instrument {
        InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "binance").list(InstrumentId(0)).unwrap()
    }

    fn money(code: &str, amount: &str) -> Money {
        Money::parse(amount, Currency::new(code).unwrap()).unwrap()
    }

    fn fill(trade: u128, side: Side, price: &str, fee: Money) -> Fill {
        let it = instrument();
        Fill {
            client_id: ClientOrderId::from_u128(7),
            instrument: it.id,
            trade_id: TradeId(trade),
            side,
            price: it.price(price).unwrap(),
            quantity: it.quantity("0.5").unwrap(),
            liquidity: Liquidity::Taker,
            fee: Fee(fee),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_nanos(second * SECOND)
    }

    /// A ledger whose journal lists an instrument and a deposit of 1,000 USDT.
    fn opened(from: i64, is_cut: bool) -> Ledger {
        let mut ledger = Ledger::new(at(from), is_cut);
        say(&mut ledger, 0, EventKind::Listed(Box::new(instrument())));
        say(&mut ledger, 0, EventKind::Deposited(money("USDT", "1000")));
        ledger
    }

    fn say(ledger: &mut Ledger, second: i64, kind: EventKind) {
        let event = Event::new(1, at(second), Source::Venue, kind);
        ledger.books(&Event { portfolio: PortfolioId(0), ..event });
    }

    fn balance(money: Money) -> AssetBalance {
        AssetBalance { currency: money.currency, free: money, locked: Money::zero(money.currency) }
    }

    fn whats(drifts: &[Drift]) -> Vec<(&str, &str, &str)> {
        drifts.iter().map(|it| (it.what.as_str(), it.ours.as_str(), it.venue.as_str())).collect()
    }

    #[test]
    fn an_execution_is_one_whoever_tells_it_first_and_however_often() {
        let mut ledger = opened(0, false);
        let bought = fill(1, Side::Buy, "100", money("BTC", "0.001"));
        ledger.venue(bought, at(10));
        assert_eq!(
            whats(&ledger.differences()),
            [("execution 1 of BTC/USDT", "none", "buy 0.5 at 100, fee 0.001 BTC")]
        );
        say(&mut ledger, 11, EventKind::Filled(bought));
        say(&mut ledger, 12, EventKind::Filled(bought));
        ledger.venue(bought, at(10));
        assert_eq!(whats(&ledger.differences()), []);
        let right = [balance(money("USDT", "950")), balance(money("BTC", "0.499"))];
        assert_eq!(whats(&ledger.balances(&right)), []);
        assert_eq!(ledger.held(&instrument()), money("BTC", "0.499"));
        let wrong = [balance(money("USDT", "950.01")), balance(money("BTC", "0.499"))];
        assert_eq!(whats(&ledger.balances(&wrong)), [("balance USDT", "950", "950.01")]);
    }

    #[test]
    fn price_side_quantity_and_fee_must_be_the_same() {
        let mut ledger = opened(0, false);
        let bought = fill(1, Side::Buy, "100", money("USDT", "0.05"));
        say(&mut ledger, 10, EventKind::Filled(bought));
        assert_eq!(ledger.differences()[0].venue, "none");
        for other in [
            fill(1, Side::Sell, "100", bought.fee.0),
            fill(1, Side::Buy, "101", bought.fee.0),
            fill(1, Side::Buy, "100", money("USDT", "0.06")),
            Fill { quantity: instrument().quantity("0.4").unwrap(), ..bought },
        ] {
            ledger.venue(other, at(10));
            let found = ledger.differences();
            assert_eq!(found.len(), 1, "{other:?}");
            assert_ne!(found[0].ours, found[0].venue);
        }
    }

    #[test]
    fn what_other_hands_did_may_be_in_the_balances_or_booked_by_a_person_until_it_is_adopted() {
        let mut ledger = opened(0, false);
        let bought = fill(1, Side::Buy, "100", money("USDT", "0"));
        say(&mut ledger, 10, EventKind::ForeignFilled(bought));
        ledger.venue(bought, at(10));
        assert_eq!(whats(&ledger.differences()), []);
        let with = [balance(money("USDT", "950")), balance(money("BTC", "0.5"))];
        assert_eq!(whats(&ledger.balances(&with)), []);
        assert_eq!(whats(&ledger.balances(&[balance(money("USDT", "1000"))])), []);
        assert!(ledger.held(&instrument()).units == 0);
        say(&mut ledger, 12, EventKind::Filled(bought)); // its order was adopted
        say(&mut ledger, 13, EventKind::ForeignFilled(bought)); // told late
        assert_eq!(whats(&ledger.balances(&with)), []);
        assert_eq!(ledger.balances(&[balance(money("USDT", "1000"))]).len(), 2);
        assert_eq!(ledger.held(&instrument()), money("BTC", "0.5"));
    }

    #[test]
    fn what_the_venue_took_back_is_asked_of_neither_side() {
        let mut ledger = opened(0, false);
        let bought = fill(1, Side::Buy, "100", money("USDT", "0.05"));
        say(&mut ledger, 10, EventKind::Filled(bought));
        say(&mut ledger, 11, EventKind::Reversed(bought));
        say(&mut ledger, 11, EventKind::Reversed(bought));
        assert_eq!(whats(&ledger.differences()), []);
        assert_eq!(whats(&ledger.balances(&[balance(money("USDT", "1000"))])), []);
        ledger.venue(bought, at(10));
        assert_eq!(whats(&ledger.differences()), []);
    }

    #[test]
    fn what_came_before_the_books_or_the_window_is_not_asked_after() {
        let mut ledger = opened(0, false);
        say(&mut ledger, 1, EventKind::Baseline { instrument: InstrumentId(0), through: TradeId(5) });
        ledger.venue(fill(5, Side::Buy, "100", money("USDT", "0")), at(500));
        assert_eq!(whats(&ledger.differences()), []);
        ledger.venue(fill(6, Side::Buy, "100", money("USDT", "0")), at(500));
        assert_eq!(ledger.differences().len(), 1);

        let mut ledger = opened(1_000, true);
        ledger.venue(fill(1, Side::Buy, "100", money("USDT", "0")), at(999));
        ledger.venue(fill(2, Side::Buy, "100", money("USDT", "0")), at(1_059)); // the other side may have told it earlier
        assert_eq!(whats(&ledger.differences()), []);
        ledger.venue(fill(3, Side::Buy, "100", money("USDT", "0")), at(1_060));
        assert_eq!(ledger.differences().len(), 1);
    }

    #[test]
    fn only_what_both_told_alike_is_forgotten() {
        let mut ledger = opened(0, false);
        for (trade, told) in [(1, true), (2, false)] {
            let bought = fill(trade, Side::Buy, "100", money("USDT", "0"));
            say(&mut ledger, 10, EventKind::Filled(bought));
            if told {
                ledger.venue(bought, at(10));
            }
        }
        ledger.forget(at(1_000));
        assert_eq!((ledger.books.len(), ledger.venue.len()), (1, 0));
        ledger.trim(at(1_000));
        assert_eq!(ledger.books.len(), 0);
    }
}
