//! The venue's word against the books, as a plain function: what to record, whom to ask about, where they differ.
//!
//! A host asks the venue, fills a [`Seen`], and hands it to [`compare`] together with the state. Whatever happened
//! while it asked is known from the [`Basis`] that it took before its first question, so an answer that is older than
//! what came over the streams meanwhile is never mistaken for the truth.

use crate::{Drift, EventKind, ForeignOrder, State, VenueTerms};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{
    ClientOrderId, Currency, Fill, InstrumentId, LEDGER_DECIMALS, OrderRecord, OrderState, Price, Quantity, Side,
    Timestamp, VenueOrderId, format_decimal,
};

/// What was known before the venue was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// Orders that could still fill, with what each was in all if the venue had confirmed it.
    pub open: BTreeMap<ClientOrderId, Option<Quantity>>,
    /// Foreign orders that could still fill.
    pub foreign: BTreeSet<ClientOrderId>,
    /// Fills booked when the balances were asked for: a busy account is quiet for one question, and hardly for all of them.
    pub fills: u64,
}

impl Basis {
    /// What `state` knows now.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let confirmed = |record: &OrderRecord| works(record).then(|| record.order.quantity());
        Self {
            open: state.open.iter().map(|(id, record)| (*id, confirmed(record))).collect(),
            foreign: state.foreign.values().filter(|it| it.open).map(|it| it.client_id).collect(),
            fills: state.counters.fills,
        }
    }
}

/// Whether the venue has confirmed that it has the order.
const fn works(record: &OrderRecord) -> bool {
    matches!(record.state, OrderState::Working | OrderState::PendingCancel | OrderState::PendingReplace)
}

/// An order as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueOrder {
    /// What its sender called it.
    pub client_text: String,
    /// The venue's name of it.
    pub venue_id: VenueOrderId,
    /// Of what.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// Its limit price, if it has one.
    pub price: Option<Price>,
    /// How much was asked.
    pub quantity: Quantity,
    /// How much was executed.
    pub filled: Quantity,
    /// Whether it may still fill.
    pub open: bool,
    /// Whether it is not on the book yet: it waits for its trigger.
    pub waits: bool,
    /// What else the venue tells of it.
    pub terms: VenueTerms,
    /// When it last changed, by the venue's clock.
    pub updated: Timestamp,
}

/// An execution as the venue lists it: under its own name of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueTrade {
    /// The venue's name of the order.
    pub venue_id: VenueOrderId,
    /// When, by the venue's clock.
    pub at: Timestamp,
    /// The execution. Whose it is, [`compare`] finds out; its client id is not read.
    pub fill: Fill,
}

/// What the venue said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// When it was asked, by its clock.
    pub asked: Timestamp,
    /// Whether nothing was traded yet: a difference then has no innocent cause.
    pub at_start: bool,
    /// Every open order of every instrument.
    pub open: Vec<VenueOrder>,
    /// Every execution since [`Self::trades_from`].
    pub trades: Vec<VenueTrade>,
    /// From when on the executions are all there.
    pub trades_from: Timestamp,
    /// Orders that an earlier comparison asked about.
    pub named: Vec<VenueOrder>,
    /// What the account holds of each currency, free and locked, in ledger units; missing currencies are zero, but for those
    /// of [`Self::unread`].
    pub balances: Option<BTreeMap<Currency, i128>>,
    /// Currencies of which the venue's word cannot be read: how much the account holds of them is not known.
    pub unread: BTreeSet<Currency>,
    /// Positions in contracts, signed; missing ones are flat. `None` where the venue has none.
    pub positions: Option<BTreeMap<InstrumentId, Quantity>>,
}

/// What follows from a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What to record, each with its time by the venue, in this order.
    pub facts: Vec<(Timestamp, EventKind)>,
    /// Whose orders are these? Ask, add the answers to [`Seen::named`] and compare again before recording anything.
    pub ask: Vec<(InstrumentId, VenueOrderId)>,
    /// Orders of ours that the venue works no longer, never did, or works in another quantity: begin an inquiry about
    /// each.
    pub doubtful: Vec<ClientOrderId>,
    /// Where venue and books differ.
    pub drifts: Vec<Drift>,
    /// Differences that have a known cause, in words.
    pub explained: Vec<String>,
    /// Currencies that the books hold or trade, and that were left out because the venue's word on them cannot be read.
    pub unread: Vec<Currency>,
    /// Whether balances were compared: they were asked for, nothing moved meanwhile, and nothing was left out.
    pub balanced: bool,
    /// By how much the venue holds more than the books, in ledger units, for each balance among the drifts.
    pub off: Vec<(Currency, i128)>,
}

/// Compares what the venue said with the books.
#[must_use]
pub fn compare(state: &State, basis: &Basis, seen: &Seen) -> Findings {
    let unread = seen.unread.iter().copied().filter(|currency| deals_in(state, *currency)).collect();
    let mut findings = Findings { unread, ..Findings::default() };
    let mut names = Names::new(state, seen);
    orders(state, basis, seen, &mut findings);
    trades(state, seen, &mut names, &mut findings);
    if findings.ask.is_empty() {
        gap(state, seen, &mut findings);
        if let Some(balances) = &seen.balances {
            money(state, basis, seen, balances, &mut findings);
        }
        if let Some(positions) = &seen.positions {
            contracts(state, positions, &mut findings);
        }
    }
    findings.facts.sort_by_key(|(at, kind)| {
        let fill = match kind {
            EventKind::Filled(fill) | EventKind::ForeignFilled(fill) => Some(fill.trade_id),
            _ => None,
        };
        (*at, fill.is_some(), fill)
    });
    findings
}

/// Whether an event moves what the books hold of `currency`: a difference found before it is none to be adopted after it.
#[must_use]
pub fn moves_balance(state: &State, kind: &EventKind, currency: Currency) -> bool {
    match kind {
        EventKind::Deposited(money) | EventKind::Adjusted { money, .. } => money.currency == currency,
        EventKind::Filled(fill) | EventKind::ForeignFilled(fill) | EventKind::Reversed(fill) => {
            let symbol = &state.listing(fill.instrument).instrument.spec.symbol;
            [symbol.base, symbol.quote, fill.fee.0.currency].contains(&currency)
        }
        EventKind::Funding { instrument, .. } | EventKind::Settled { instrument, .. } => {
            state.listing(*instrument).instrument.settlement() == currency
        }
        _ => false,
    }
}

/// Whose an order is.
enum Whose {
    Ours(ClientOrderId),
    Foreign(ClientOrderId),
    NotKnown,
}

/// Who is behind the venue's names of orders.
struct Names<'a> {
    ours: BTreeMap<(InstrumentId, &'a str), ClientOrderId>,
    told: BTreeMap<(InstrumentId, &'a str), &'a VenueOrder>,
    foreign: BTreeSet<ClientOrderId>,
}

impl<'a> Names<'a> {
    fn new(state: &'a State, seen: &'a Seen) -> Self {
        let records = state.open.values().chain(&state.closed);
        let named = |record: &'a tradewind_domain::OrderRecord| {
            let venue_id: &str = &record.venue_id.as_ref()?.0;
            Some(((record.order.instrument(), venue_id), record.order.client_id()))
        };
        let told = seen.open.iter().chain(&seen.named).map(|it| ((it.instrument, &*it.venue_id.0), it));
        Self {
            ours: records.filter_map(named).collect(),
            told: told.collect(),
            foreign: state.foreign.keys().copied().collect(),
        }
    }

    fn whose(&self, state: &State, instrument: InstrumentId, venue_id: &VenueOrderId) -> Whose {
        let place = (instrument, &*venue_id.0);
        let foreign = foreign_id(state, instrument, venue_id);
        match (self.ours.get(&place), self.told.get(&place)) {
            (Some(ours), _) => Whose::Ours(*ours),
            (None, Some(order)) => own_id(state, order).map_or(Whose::Foreign(foreign), Whose::Ours),
            (None, None) if self.foreign.contains(&foreign) => Whose::Foreign(foreign),
            (None, None) => Whose::NotKnown,
        }
    }
}

/// Our name of an order that we sent ourselves and still remember.
fn own_id(state: &State, order: &VenueOrder) -> Option<ClientOrderId> {
    let id = ClientOrderId::parse(&order.client_text)?;
    state.order(id).map(|_| id)
}

/// Our name of another's order.
fn foreign_id(state: &State, instrument: InstrumentId, venue_id: &VenueOrderId) -> ClientOrderId {
    let spec = &state.listing(instrument).instrument.spec;
    ClientOrderId::foreign(&spec.venue, &spec.venue_symbol, &venue_id.0)
}

fn orders(state: &State, basis: &Basis, seen: &Seen, findings: &mut Findings) {
    let mut listed = BTreeSet::new();
    for order in seen.open.iter().chain(&seen.named) {
        if let Some(id) = own_id(state, order) {
            listed.extend(order.open.then_some(id));
            if order.open && is_worked_otherwise(state, basis, order, id) {
                findings.doubtful.push(id);
            }
            let ended = !state.open.contains_key(&id) && !basis.open.contains_key(&id);
            if order.open && ended {
                let (ours, venue) = ("closed".to_owned(), "open".to_owned());
                findings.drifts.push(Drift { what: format!("order {id}"), ours, venue });
            }
            continue;
        }
        let client_id = foreign_id(state, order.instrument, &order.venue_id);
        listed.extend(order.open.then_some(client_id));
        if state.order(client_id).is_none() {
            foreign_order(state, order, client_id, seen.at_start, findings);
        }
    }
    if seen.at_start {
        let untold = |it: &&ForeignOrder| !seen.open.iter().chain(&seen.named).any(|told| told.venue_id == it.venue_id);
        let waits = |it: &&ForeignOrder| state.foreign_fills.iter().any(|fill| fill.client_id == it.client_id);
        let lost = state.foreign.values().filter(waits).filter(untold);
        findings.drifts.extend(lost.filter_map(|it| not_in_journal(&it.client_text, &it.venue_id)));
    }
    for (id, confirmed) in &basis.open {
        if confirmed.is_some() && !listed.contains(id) && state.open.get(id).is_some_and(works) {
            findings.doubtful.push(*id);
        }
    }
    let gone = |it: &&ForeignOrder| it.open && basis.foreign.contains(&it.client_id);
    for order in state.foreign.values().filter(gone).filter(|it| !listed.contains(&it.client_id)) {
        let told = seen.named.iter().any(|it| it.instrument == order.instrument && it.venue_id == order.venue_id);
        if !told {
            findings.ask.push((order.instrument, order.venue_id.clone()));
        }
    }
}

/// Whether the venue lists an order of ours in another quantity than the books had before it was asked and have now: the
/// word of the change was lost. While a change is on its way nothing is wrong yet.
fn is_worked_otherwise(state: &State, basis: &Basis, order: &VenueOrder, id: ClientOrderId) -> bool {
    let before = basis.open.get(&id).copied().flatten();
    state.open.get(&id).is_some_and(|record| {
        let settled = matches!(record.state, OrderState::Working) && before == Some(record.order.quantity());
        settled && record.order.quantity() != order.quantity
    })
}

fn foreign_order(state: &State, order: &VenueOrder, client_id: ClientOrderId, at_start: bool, findings: &mut Findings) {
    let known = state.foreign.get(&client_id);
    // before the first order the balances are read with all that was executed until then: nobody books that
    let is_first = at_start && state.intents == 0;
    let earlier = if is_first { order.filled } else { known.map_or(Quantity::ZERO, |known| known.earlier) };
    let foreign = ForeignOrder {
        client_id,
        client_text: order.client_text.clone(),
        venue_id: order.venue_id.clone(),
        instrument: order.instrument,
        side: order.side,
        price: order.price,
        quantity: order.quantity,
        filled: order.filled,
        earlier,
        open: order.open,
        waits: order.waits,
        terms: order.terms.clone(),
    };
    let news = match known {
        Some(known) => *known != foreign,
        None => foreign.open || !foreign.filled.is_zero(),
    };
    let lives = foreign.open || !foreign.filled.is_zero();
    if lives && (known.is_none() || at_start) {
        findings.drifts.extend(not_in_journal(&order.client_text, &order.venue_id));
    }
    if news {
        findings.facts.push((order.updated, EventKind::Foreign(Box::new(foreign))));
    }
}

/// The difference that an order makes which nobody here remembers, although only this program and its copies write such
/// names: the journal is older than the venue. `None` for a name of another hand.
fn not_in_journal(client_text: &str, venue_id: &VenueOrderId) -> Option<Drift> {
    ClientOrderId::parse(client_text)?;
    Some(Drift {
        what: format!("order {client_text} of this program"),
        ours: "not in the journal, as after a restored backup".to_owned(),
        venue: venue_id.0.to_string(),
    })
}

fn trades(state: &State, seen: &Seen, names: &mut Names<'_>, findings: &mut Findings) {
    let mut asked = BTreeSet::new();
    let waiting = |fill: &Fill| {
        state.foreign_fills.iter().any(|it| (it.instrument, it.trade_id) == (fill.instrument, fill.trade_id))
    };
    for trade in &seen.trades {
        let id = trade.fill.instrument;
        let listing = state.listing(id);
        let is_old = listing.before.is_some_and(|before| trade.fill.trade_id <= before);
        if is_old || listing.booked.contains(trade.fill.trade_id) || waiting(&trade.fill) {
            continue;
        }
        let kind = match names.whose(state, id, &trade.venue_id) {
            Whose::Ours(client_id) => EventKind::Filled(Fill { client_id, ..trade.fill }),
            Whose::Foreign(client_id) if state.order(client_id).is_some() => {
                EventKind::Filled(Fill { client_id, ..trade.fill })
            }
            Whose::Foreign(client_id) => EventKind::ForeignFilled(Fill { client_id, ..trade.fill }),
            Whose::NotKnown => {
                if asked.insert((id, trade.venue_id.clone())) {
                    findings.ask.push((id, trade.venue_id.clone()));
                }
                continue;
            }
        };
        findings.facts.push((trade.at, kind));
    }
}

/// The venue no longer tells what happened in a part of the time that we were away.
fn gap(state: &State, seen: &Seen, findings: &mut Findings) {
    let Some(whole) = state.whole else { return };
    if seen.trades_from > whole.through {
        findings.facts.push((seen.asked, EventKind::GapFound { from: whole.through, to: seen.trades_from }));
    }
}

fn money(state: &State, basis: &Basis, seen: &Seen, balances: &BTreeMap<Currency, i128>, findings: &mut Findings) {
    let moved = |kind: &EventKind| matches!(kind, EventKind::Filled(_) | EventKind::ForeignFilled(_));
    if state.counters.fills != basis.fills || findings.facts.iter().any(|(_, kind)| moved(kind)) {
        return; // the balances are of another moment than the books: the next comparison tells
    }
    findings.balanced = findings.unread.is_empty();
    let mut ours: BTreeMap<Currency, i128> = BTreeMap::new();
    for holding in state.portfolios.iter().flat_map(crate::Portfolio::holdings) {
        *ours.entry(holding.currency).or_default() += holding.units;
    }
    let all: BTreeSet<Currency> = ours.keys().chain(balances.keys()).copied().collect();
    for currency in all {
        let mine = ours.get(&currency).copied().unwrap_or(0) + state.foreign_units(currency);
        let venue = balances.get(&currency).copied().unwrap_or(0);
        let off = venue - mine;
        if off == 0 || in_doubt(state, currency) || seen.unread.contains(&currency) {
            continue; // what an order of unknown outcome did is not known to either side, nor what cannot be read
        }
        let text = |units| format_decimal(units, LEDGER_DECIMALS);
        let what = format!("balance {currency}");
        if off.abs() <= roundings(state) {
            findings.explained.push(format!("{what}: {} by rounding", text(off)));
        } else if seen.at_start && is_dust(state, currency, off) {
            findings.explained.push(format!("{what}: {} is dust", text(off)));
        } else {
            findings.drifts.push(Drift { what, ours: text(mine), venue: text(venue) });
            findings.off.push((currency, off));
        }
    }
}

/// Whether the books hold `currency`, or could by an order.
fn deals_in(state: &State, currency: Currency) -> bool {
    let trades = |it: &crate::Listing| {
        let symbol = &it.instrument.spec.symbol;
        symbol.base == currency || symbol.quote == currency
    };
    let mut holdings = state.portfolios.iter().flat_map(crate::Portfolio::holdings);
    state.listings.iter().any(trades) || holdings.any(|holding| holding.currency == currency)
}

/// Whether an order of unknown outcome may have moved `currency`.
fn in_doubt(state: &State, currency: Currency) -> bool {
    let touches = |record: &&tradewind_domain::OrderRecord| {
        let spec = &state.listing(record.order.instrument()).instrument.spec;
        spec.symbol.base == currency || spec.symbol.quote == currency
    };
    let doubtful =
        |state| matches!(state, OrderState::Intended | OrderState::InFlight { .. } | OrderState::Unknown { .. });
    state.open.values().filter(|record| doubtful(record.state)).any(|record| touches(&record))
}

/// What roundings of notionals may add up to since the last agreement: one unit a fill, where a price times a quantity
/// has more decimals than the ledger.
fn roundings(state: &State) -> i128 {
    let rounds = |listing: &crate::Listing| {
        let spec = &listing.instrument.spec;
        u32::from(spec.price_decimals) + u32::from(spec.quantity_decimals) > u32::from(LEDGER_DECIMALS)
    };
    let agreed = state.whole.map_or(0, |whole| whole.fills);
    if state.listings.iter().any(rounds) { i128::from(state.counters.fills.saturating_sub(agreed)) } else { 0 }
}

/// Whether `units` of an asset are too few to be traded in any of its instruments, as after a conversion of dust.
fn is_dust(state: &State, currency: Currency, units: i128) -> bool {
    let of_asset = |it: &&crate::Listing| it.instrument.spec.symbol.base == currency;
    let mut listings = state.listings.iter().filter(of_asset).peekable();
    let fits = |it: &crate::Listing| units.abs() < it.instrument.asset_units(it.instrument.spec.lot);
    listings.peek().is_some() && listings.all(fits)
}

fn contracts(state: &State, positions: &BTreeMap<InstrumentId, Quantity>, findings: &mut Findings) {
    for listing in state.listings.iter().filter(|it| !it.instrument.is_cash()) {
        let it = &listing.instrument;
        let foreign = |fill: &&Fill| fill.instrument == it.id;
        let own = state.portfolios.iter().fold(Quantity::ZERO, |sum, books| sum + books.position(it.id).quantity());
        let waiting = state.foreign_fills.iter().filter(foreign);
        let mine = waiting.fold(own, |sum, fill| sum.saturating_add(fill.side.signed(fill.quantity)));
        let venue = positions.get(&it.id).copied().unwrap_or_default();
        let doubtful = |record: &tradewind_domain::OrderRecord| {
            record.order.instrument() == it.id && matches!(record.state, OrderState::Unknown { .. })
        };
        if mine != venue && !state.open.values().any(doubtful) {
            findings.drifts.push(Drift {
                what: format!("position {}", it.spec.symbol),
                ours: it.quantity_text(mine),
                venue: it.quantity_text(venue),
            });
        }
    }
}
