//! What other hands do on the same account: seen, counted in exposure, and adopted when a person says so.
//!
//! An order entered by hand, by another program, or by the venue itself (a liquidation, an automatic deleveraging) is
//! never booked in silence: until a person adopts it, its open quantity and its executions count against every
//! portfolio's limits, it is one of the open orders of the account, and strategies add nothing in its instrument.

use crate::State;
use crate::decide::fresh_groups;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tradewind_domain::{
    ClientOrderId, Currency, Fill, InstrumentId, Liquidity, OcoGroup, Order, OrderKind, OrderRequest, PortfolioId,
    Price, Quantity, Side, VenueOrderId,
};

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_not(it: &bool) -> bool {
    !*it
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_nothing(quantity: &Quantity) -> bool {
    quantity.is_zero()
}

/// What a venue tells of an order beyond its side, its size and its limit price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueTerms {
    /// Its kind, where it is neither a market nor a limit order: what it waits for, or waited for until it woke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<OrderKind>,
    /// The venue's own words for its kind, where there is no such kind here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// The venue's number of the list that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<u64>,
}

impl VenueTerms {
    const fn is_nothing(&self) -> bool {
        self.kind.is_none() && self.other.is_none() && self.list.is_none()
    }
}

/// An order of the account that this program did not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignOrder {
    /// Our name of it, made from the venue's: see [`ClientOrderId::foreign`].
    pub client_id: ClientOrderId,
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
    /// How much was executed, by the venue's count.
    pub filled: Quantity,
    /// How much of that before these books began: their first balance holds it, and nobody books it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub earlier: Quantity,
    /// Whether it may still fill.
    pub open: bool,
    /// Whether it is not on the book yet: it waits for its trigger, and nothing can meet it.
    #[serde(default, skip_serializing_if = "is_not")]
    pub waits: bool,
    /// What else the venue tells of it; nothing in older journals.
    #[serde(default, skip_serializing_if = "VenueTerms::is_nothing")]
    pub terms: VenueTerms,
}

impl ForeignOrder {
    /// How it meets the market: one that waits does so for its trigger, one that is on the book is a limit or a market order.
    /// `None` for an open one whose kind is not known here.
    #[must_use]
    pub fn kind(&self) -> Option<OrderKind> {
        let plain = self.price.map_or(OrderKind::Market, |price| OrderKind::Limit { price });
        match (self.open, self.waits) {
            (false, _) => Some(self.terms.kind.unwrap_or(plain)),
            (true, true) => self.terms.kind,
            (true, false) if self.terms.other.is_some() => None,
            (true, false) => Some(self.terms.kind.map_or(plain, |kind| kind.awake())),
        }
    }

    /// Whether it belongs to one list of its venue with `other`.
    #[must_use]
    pub fn is_listed_with(&self, other: &Self) -> bool {
        let list = |it: &Self| it.terms.list.map(|list| (it.instrument, list));
        list(self).is_some() && list(self) == list(other)
    }

    /// What it is of where of its list one order takes the others off: an entry and what leaves it again are none.
    fn list(&self) -> Option<VenueList> {
        self.terms.list.map(|list| (self.instrument, self.side, list))
    }

    /// What may still fill.
    #[must_use]
    pub fn open_quantity(&self) -> Quantity {
        let left = self.quantity.mantissa().saturating_sub(self.filled.mantissa()).max(0);
        if self.open { Quantity::from_mantissa(left) } else { Quantity::ZERO }
    }
}

/// Orders of a list at a venue of which one takes the others off: instrument, side, and the venue's number of the list.
pub type VenueList = (InstrumentId, Side, u64);

/// A person takes a foreign order over: from here on it is one of a portfolio's, with all that happens to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// The order as the venue works it.
    pub order: Order,
    /// The venue's name of it.
    pub venue_id: VenueOrderId,
    /// How much was executed before these books began.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub earlier: Quantity,
}

/// What foreign orders and executions mean for one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForeignExposure {
    /// What they may still add, or have added.
    pub buys: Quantity,
    /// What they may still take, or have taken.
    pub sells: Quantity,
}

impl ForeignExposure {
    /// What they may take, or have taken, of a position that orders of `side` enter.
    pub(crate) const fn against(self, side: Side) -> Quantity {
        match side {
            Side::Buy => self.sells,
            Side::Sell => self.buys,
        }
    }
}

impl State {
    /// The group that each list of a venue becomes, once those of `orders` that belong to it are adopted: one for a list.
    ///
    /// # Panics
    /// If every number of a group was used up.
    #[must_use]
    pub fn groups_of<'a>(&self, orders: impl IntoIterator<Item = &'a ForeignOrder>) -> BTreeMap<VenueList, OcoGroup> {
        let mut fresh = fresh_groups(self);
        let mut groups = BTreeMap::new();
        for list in orders.into_iter().filter_map(ForeignOrder::list) {
            groups.entry(list).or_insert_with(|| fresh.next().expect("orders are far from using up u64"));
        }
        groups
    }

    /// What a person adopts with `foreign`, for `portfolio`: the order as its venue works it, in the group that its list has
    /// among `groups`. It only reduces where all that is left of it closes what the portfolio holds.
    ///
    /// `None` where [`ForeignOrder::kind`] is not known.
    #[must_use]
    pub fn adoption(
        &self,
        portfolio: PortfolioId,
        foreign: &ForeignOrder,
        groups: &BTreeMap<VenueList, OcoGroup>,
    ) -> Option<Adoption> {
        let request = OrderRequest {
            kind: foreign.kind()?,
            reduce_only: self.only_closes(portfolio, foreign),
            oco: foreign.list().and_then(|list| groups.get(&list).copied()),
            ..OrderRequest::market(foreign.instrument, foreign.side, foreign.quantity)
        };
        let order = Order::as_worked(portfolio, foreign.client_id, request);
        Some(Adoption { order, venue_id: foreign.venue_id.clone(), earlier: foreign.earlier })
    }

    /// Whether all that is left of an open order closes what `portfolio` holds: its position, or, where nothing is owed,
    /// coins that were there before anything was traded.
    fn only_closes(&self, portfolio: PortfolioId, order: &ForeignOrder) -> bool {
        let (books, it) = (self.portfolio(portfolio), &self.listing(order.instrument).instrument);
        let left = order.open_quantity();
        let against = -order.side.signed(books.to_close(it));
        let sells_coins = it.is_cash() && order.side == Side::Sell;
        let has_coins = || it.asset_units(left) <= books.units(it.spec.symbol.base);
        left > Quantity::ZERO && (left <= against || sells_coins && has_coins())
    }

    /// What foreign orders and executions that nobody adopted mean for `instrument`, at the worst. What comes to more than
    /// a quantity holds counts as the largest there is.
    #[must_use]
    pub fn foreign_exposure(&self, instrument: InstrumentId) -> ForeignExposure {
        let mut exposure = ForeignExposure::default();
        let mut add = |side: Side, quantity: Quantity| match side {
            Side::Buy => exposure.buys = exposure.buys.saturating_add(quantity),
            Side::Sell => exposure.sells = exposure.sells.saturating_add(quantity),
        };
        for order in self.foreign.values().filter(|it| it.instrument == instrument) {
            add(order.side, order.open_quantity());
        }
        for fill in self.foreign_fills.iter().filter(|it| it.instrument == instrument) {
            add(fill.side, fill.quantity);
        }
        exposure
    }

    /// Why strategies should leave `instrument` alone, if another hand trades it.
    #[must_use]
    pub fn foreign_hand(&self, instrument: InstrumentId) -> Option<&'static str> {
        let orders = self.foreign.values().any(|it| it.instrument == instrument);
        let fills = self.foreign_fills.iter().any(|it| it.instrument == instrument);
        (orders || fills).then_some("another hand trades this instrument: see `foreign` in the status")
    }

    /// By how much the executions of foreign orders changed what the account holds of `currency`, in ledger units.
    #[must_use]
    pub fn foreign_units(&self, currency: Currency) -> i128 {
        self.foreign_fills.iter().map(|fill| self.effect(fill, currency)).sum()
    }

    /// What foreign orders hold, and foreign executions have taken, of the `currency` that pays for new orders.
    pub(crate) fn foreign_hold(&self, currency: Currency) -> i128 {
        if self.foreign.is_empty() && self.foreign_fills.is_empty() {
            return 0; // nearly always
        }
        let open = |order: &ForeignOrder| {
            let listing = self.listing(order.instrument);
            let it = &listing.instrument;
            match order.side {
                Side::Sell if it.spec.symbol.base == currency => it.asset_units(order.open_quantity()),
                Side::Buy if it.is_cash() && it.settlement() == currency => {
                    let price = order.price.or(listing.mark.map(|mark| mark.price)).unwrap_or_default();
                    let notional = it.notional(price, order.open_quantity()).map_or(0, |money| money.units);
                    notional + it.spec.fees.on(notional, currency, Liquidity::Taker).0.units.max(0)
                }
                Side::Buy | Side::Sell => 0,
            }
        };
        self.foreign.values().map(open).sum::<i128>() - self.foreign_units(currency).min(0)
    }

    /// What `fill` does to the account's `currency`, fee included, in ledger units.
    fn effect(&self, fill: &Fill, currency: Currency) -> i128 {
        let it = &self.listing(fill.instrument).instrument;
        let fee = if fill.fee.0.currency == currency { fill.fee.0.units } else { 0 };
        if !it.is_cash() {
            return -fee;
        }
        let signed = fill.side.signed(fill.quantity);
        let paid = it.value(fill.price, signed).ok().and_then(|value| it.value_units(value)).unwrap_or(0);
        let cash = if it.settlement() == currency { -paid } else { 0 };
        let asset = if it.spec.symbol.base == currency { it.asset_units(signed) } else { 0 };
        cash + asset - fee
    }
}
