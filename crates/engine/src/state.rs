//! The whole state of a risk domain: everything that [`crate::step`] reads and writes.

use crate::algo::Parents;
use crate::{ExitDue, ForeignOrder, Portfolio, Settlement, Tried, Unfilled};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tradewind_domain::{
    ClientOrderId, Currency, Depth, Fill, Incarnation, Instrument, InstrumentId, LEDGER_DECIMALS, OcoGroup,
    OrderRecord, OrderState, PortfolioId, Quantity, Quote, Sequence, Side, Timestamp, TradeId, TradeIdSet, pow10,
};
use tradewind_gate::{Cap, Mark, Mode};
use tradewind_governance::Register;

/// Version of the decision logic: raised whenever the same events would lead to other decisions.
///
/// What a journal says happened is folded whoever decided it; [`Replay`](crate::Replay) decides again only what this
/// version decided. 2: a fee that an execution told twice took counts once; a bracket goes on guarding what it holds
/// under a halt, and its stop-limit price is checked on the right side; people approve a parent as a whole.
/// 3: decision 7. 4: a market order has a worst price. 5: decision 9. 6: decision 11. 7: decision 12. 8: decision 13.
/// 9: decision 15. 10: decision 16.
pub const LOGIC_VERSION: u32 = 10;

/// Closed orders that are still remembered for late reports and for the order list.
const CLOSED_KEPT: usize = 512;

/// Everything known of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Its rules.
    pub instrument: Instrument,
    /// Its newest price.
    pub mark: Option<Mark>,
    /// Its best bid and ask.
    pub quote: Option<Quote>,
    /// What rests near the market, where that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<KnownDepth>,
    /// Which fills were booked already.
    pub booked: TradeIdSet,
    /// The newest execution that the balances held already which the books began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<TradeId>,
    /// How it trades.
    #[serde(default, skip_serializing_if = "ListingStatus::is_trading")]
    pub status: ListingStatus,
    /// How it was settled at its end, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settlement>,
}

/// What rests near the market, and when it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDepth {
    /// What.
    pub depth: Depth,
    /// When.
    pub at: Timestamp,
}

/// How an instrument trades, as its venue says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListingStatus {
    /// As usual.
    #[default]
    Trading,
    /// Not for now: orders stay, nothing new is proposed but what reduces.
    Paused,
    /// No more: open orders are cancelled, positions may only be reduced.
    Delisted,
}

impl Listing {
    /// Why only what reduces may be proposed, if so.
    pub(crate) fn restriction(&self) -> Option<&'static str> {
        self.settled.map(|_| "the contract was settled").or(self.status.restriction())
    }

    /// Whether its venue lets it trade at all.
    pub(crate) const fn is_trading(&self) -> bool {
        self.status.is_trading() && self.settled.is_none()
    }
}

impl ListingStatus {
    /// Whether it trades as usual.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
    pub const fn is_trading(&self) -> bool {
        matches!(self, Self::Trading)
    }
    /// Why only what reduces may be proposed, if so.
    #[must_use]
    pub const fn restriction(self) -> Option<&'static str> {
        match self {
            Self::Trading => None,
            Self::Paused => Some("the venue has paused the instrument"),
            Self::Delisted => Some("the venue has delisted the instrument"),
        }
    }
}

/// How often things happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Decisions to buy.
    pub buy: u64,
    /// Decisions to sell.
    pub sell: u64,
    /// Decisions to do nothing.
    pub hold: u64,
    /// Proposals that the gate refused.
    pub veto: u64,
    /// Orders that the gate approved.
    pub orders: u64,
    /// Fills booked.
    pub fills: u64,
    /// Fills reported again and not booked again.
    pub duplicates: u64,
    /// Orders that the venue rejected.
    pub rejected: u64,
    /// Reports that contradict what was known.
    pub contradictions: u64,
    /// Of the approved orders, those that name the decision which they follow.
    #[serde(default, skip_serializing_if = "is_none")]
    pub decided: u64,
}

impl Counters {
    /// Approved orders that name no decision: those of before decisions were named, of people who name none, and what
    /// the engine itself does to put an accident right.
    #[must_use]
    pub const fn orders_without_decision(&self) -> u64 {
        self.orders.saturating_sub(self.decided)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// A moment up to which venue and books agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// The moment, by the venue's clock.
    pub through: Timestamp,
    /// Fills booked until then.
    pub fills: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The state of one risk domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The last event applied.
    pub sequence: Sequence,
    /// The newest event time seen.
    pub now: Timestamp,
    /// This run.
    pub incarnation: Incarnation,
    /// What the process may do.
    pub mode: Mode,
    /// Why trading is halted, if it is.
    pub halted: Option<String>,
    /// Why only what reduces is allowed, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce_only: Option<String>,
    /// Comparisons with the venue in a row that found a difference.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub drifting: u32,
    /// The last comparison with the venue that found none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
    /// Orders of other hands on the account that nobody adopted, by our name of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign: BTreeMap<ClientOrderId, ForeignOrder>,
    /// Executions of orders of other hands that nobody adopted, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_fills: Vec<Fill>,
    /// Executions that the venue took back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reversed: BTreeSet<(InstrumentId, TradeId)>,
    /// Open orders that the venue was asked to make smaller, with what they are to be in all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub amending: BTreeMap<ClientOrderId, Quantity>,
    /// Open orders whose cancel was asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cancels: BTreeMap<ClientOrderId, Tried>,
    /// What a person wants nothing to be held of: every order of it goes, and then what is held is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits_due: Vec<ExitDue>,
    /// What the engine itself wanted to reduce and its worst price left open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfilled: Vec<Unfilled>,
    /// Intents so far: each order's own number.
    pub intents: u64,
    /// How often things happened.
    pub counters: Counters,
    /// By instrument id.
    pub listings: Vec<Listing>,
    /// By portfolio id.
    pub portfolios: Vec<Portfolio>,
    /// Orders that may still fill.
    pub open: BTreeMap<ClientOrderId, OrderRecord>,
    /// The newest closed orders, oldest first.
    pub closed: VecDeque<OrderRecord>,
    /// Orders that become other orders over time.
    #[serde(default, skip_serializing_if = "Parents::is_unused")]
    pub parents: Parents,
    /// The account's limits, and what the limits of account and portfolios need to remember; `None` as long as none
    /// of them is set, as in a backtest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Box<crate::RiskBook>>,
    /// Policy, proposals, changes of limits, latches, idempotency keys.
    #[serde(default, skip_serializing_if = "Register::is_empty")]
    pub governance: Register,
}

impl Default for State {
    fn default() -> Self {
        Self {
            sequence: 0,
            now: Timestamp::from_nanos(i64::MIN),
            incarnation: Incarnation(0),
            mode: Mode::Observe,
            halted: None,
            reduce_only: None,
            drifting: 0,
            whole: None,
            foreign: BTreeMap::new(),
            foreign_fills: Vec::new(),
            reversed: BTreeSet::new(),
            amending: BTreeMap::new(),
            cancels: BTreeMap::new(),
            exits_due: Vec::new(),
            unfilled: Vec::new(),
            intents: 0,
            counters: Counters::default(),
            listings: Vec::new(),
            portfolios: Vec::new(),
            open: BTreeMap::new(),
            closed: VecDeque::new(),
            parents: Parents::default(),
            risk: None,
            governance: Register::default(),
        }
    }
}

impl State {
    /// The rules and prices of an instrument.
    ///
    /// # Panics
    /// If it was never listed: ids come from this state alone.
    #[must_use]
    #[inline]
    pub fn listing(&self, id: InstrumentId) -> &Listing {
        &self.listings[id.index()]
    }

    /// A portfolio's books.
    ///
    /// # Panics
    /// If it was never opened.
    #[must_use]
    #[inline]
    pub fn portfolio(&self, id: PortfolioId) -> &Portfolio {
        &self.portfolios[id.index()]
    }

    /// Finds an instrument by unified symbol or by the venue's own text.
    #[must_use]
    pub fn find(&self, symbol: &str) -> Option<&Instrument> {
        let named = |it: &&Listing| {
            it.instrument.spec.symbol.to_string() == symbol || it.instrument.spec.venue_symbol == symbol
        };
        self.listings.iter().find(named).map(|it| &it.instrument)
    }

    /// An order, open or lately closed.
    #[must_use]
    pub fn order(&self, id: ClientOrderId) -> Option<&OrderRecord> {
        self.open.get(&id).or_else(|| self.closed.iter().rev().find(|record| record.order.client_id() == id))
    }

    /// What open orders of `portfolio` in `instrument` may still add and take, and how many of them are of
    /// unknown outcome. Of a group of which one cancels the others only the largest counts.
    #[must_use]
    pub fn open_quantities(&self, portfolio: PortfolioId, instrument: InstrumentId) -> (Quantity, Quantity, u32) {
        self.open_quantities_without(portfolio, instrument, None)
    }

    /// As [`Self::open_quantities`], leaving out the group that a new order is to join.
    pub(crate) fn open_quantities_without(
        &self,
        portfolio: PortfolioId,
        instrument: InstrumentId,
        joined: Option<OcoGroup>,
    ) -> (Quantity, Quantity, u32) {
        let (mut buys, mut sells, mut unknown) = (Quantity::ZERO, Quantity::ZERO, 0);
        let own = |r: &&OrderRecord| r.order.portfolio() == portfolio && r.order.instrument() == instrument;
        for record in self.open.values().filter(own) {
            unknown += u32::from(matches!(record.state, OrderState::Unknown { .. }));
            if self.is_counted(record, joined) {
                match record.order.side() {
                    Side::Buy => buys = buys.saturating_add(record.open_quantity()),
                    Side::Sell => sells = sells.saturating_add(record.open_quantity()),
                }
            }
        }
        (buys, sells, unknown)
    }

    /// Whether an open order may add to a position or turn it over; one that can only reduce it is protective.
    #[must_use]
    pub fn adds_exposure(&self, record: &OrderRecord) -> bool {
        let instrument = &self.listing(record.order.instrument()).instrument;
        let position = self.portfolio(record.order.portfolio()).to_close(instrument);
        let signed = record.order.side().signed(record.open_quantity());
        let after = position.mantissa().saturating_add(signed.mantissa());
        let reduces = position.mantissa().signum() * signed.mantissa().signum() < 0
            && after.signum() * position.mantissa().signum() >= 0;
        !reduces && !record.order.request().reduce_only
    }

    /// Whether an open order counts towards exposure: every one does, but of a group only its largest of a side, the
    /// first of equals, and none of the group that a new order is to join.
    pub(crate) fn is_counted(&self, record: &OrderRecord, joined: Option<OcoGroup>) -> bool {
        let Some(group) = record.order.request().oco else { return true };
        let rank = |it: &OrderRecord| (std::cmp::Reverse(it.open_quantity()), it.order.client_id());
        let in_front = |it: &OrderRecord| {
            it.order.request().oco == Some(group)
                && it.order.portfolio() == record.order.portfolio()
                && it.order.side() == record.order.side()
                && rank(it) < rank(record)
        };
        joined != Some(group) && !self.open.values().any(in_front)
    }

    /// One unit of `currency` in units of `base`, as a fraction, by the marks of listed cash pairs.
    #[must_use]
    pub fn rate(&self, currency: Currency, base: Currency) -> Option<(i128, i128)> {
        if currency == base {
            return Some((1, 1));
        }
        let listing = self.listings.iter().find(|listing| {
            let spec = &listing.instrument.spec;
            listing.instrument.is_cash() && spec.symbol.base == currency && spec.symbol.quote == base
        })?;
        let price = listing.mark?.price.mantissa();
        let unit = tradewind_domain::pow10(u32::from(listing.instrument.spec.price_decimals));
        (price > 0).then_some((i128::from(price), unit))
    }

    /// The largest quantity that an order of `side` may add under the portfolio's caps, at the mark and with all open
    /// orders filled; `None` where nothing caps it, or for inverse contracts and unknown rates.
    #[must_use]
    pub fn room(&self, portfolio: PortfolioId, instrument: InstrumentId, side: Side) -> Option<Quantity> {
        let (books, listing) = (self.portfolio(portfolio), self.listing(instrument));
        let (it, limits) = (&listing.instrument, &books.limits);
        if limits.max_order == Cap::NONE && limits.max_position == Cap::NONE || it.is_inverse() {
            return None;
        }
        let (numerator, denominator) = self.rate(it.settlement(), books.base)?;
        let price = i128::from(listing.mark?.price.mantissa());
        let quantity = |cap: i128| {
            let (multiplier, decimals) = it.spec.multiplier;
            let up = u32::from(it.spec.price_decimals + it.spec.quantity_decimals + decimals);
            let scaled = cap.checked_mul(denominator)?.checked_mul(pow10(up))?;
            let unit = price.checked_mul(i128::from(multiplier))?.checked_mul(numerator)?;
            (unit > 0).then(|| scaled / unit / pow10(u32::from(LEDGER_DECIMALS)))
        };
        let (buys, sells, _) = self.open_quantities(portfolio, instrument);
        let open = if side == Side::Buy { buys } else { sells };
        let held = i128::from(books.to_close(it).mantissa()) * i128::from(side.sign());
        let hard = self.risk.as_ref().and_then(|risk| risk.account.caps.hard_order_amount).map(i128::from);
        let order = [limits.max_order.units(books.equity()), hard].into_iter().flatten().min().and_then(quantity);
        let position = limits.max_position.units(books.equity()).and_then(quantity);
        let position = position.map(|cap| cap - held - i128::from(open.mantissa()));
        let room = [order, position].into_iter().flatten().min()?.max(0);
        Some(Quantity::from_mantissa(i64::try_from(room).unwrap_or(i64::MAX)))
    }

    /// SHA-256 of the state in hex, with the versions of logic and encoding mixed in.
    ///
    /// # Panics
    /// Never: the state has text keys only, so it always serialises.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(LOGIC_VERSION.to_le_bytes());
        hasher.update(crate::SCHEMA.to_le_bytes());
        hasher.update(serde_json::to_vec(self).expect("a state has text keys only"));
        hex::encode(hasher.finalize())
    }

    pub(crate) fn close(&mut self, id: ClientOrderId) {
        if let Some(record) = self.open.remove(&id) {
            if self.closed.len() == CLOSED_KEPT {
                self.closed.pop_front();
            }
            if !self.governance.proposals.is_empty() || !self.governance.placed.is_empty() {
                crate::governance::note_closed(self, id, record.state);
            }
            self.closed.push_back(record);
            if !self.amending.is_empty() {
                self.amending.remove(&id);
            }
            if !self.cancels.is_empty() {
                self.cancels.remove(&id);
            }
        }
    }
}
