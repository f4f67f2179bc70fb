//! What goes into the matching core and what comes out.

use serde::{Deserialize, Serialize};
use tradewind_domain::{Coded, OcoGroup, OrderKind, Price, Quantity, Side, TimeInForce, Timestamp};

/// What happens when an order would trade with a resting one of the same owner; the incoming order's rule counts.
///
/// The same words as Binance's self-trade prevention modes, and the same effects: `faqs/stp_faq.md` of
/// `binance/binance-spot-api-docs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SelfTrade {
    /// They trade.
    #[default]
    None,
    /// The incoming order loses all that is left of it.
    ExpireTaker,
    /// The resting order loses all that is left of it, and the incoming one goes on.
    ExpireMaker,
    /// Both lose all that is left of them.
    ExpireBoth,
    /// Both lose what would have traded: the smaller one all that is left of it, and the larger one goes on with less.
    Decrement,
}

impl SelfTrade {
    /// What the resting and the incoming order lose where they would trade with so much left of each; `None` where they
    /// trade. One of the two loses all.
    pub(super) fn losses(self, maker_open: Quantity, taker_open: Quantity) -> Option<(Quantity, Quantity)> {
        match self {
            Self::None => None,
            Self::ExpireTaker => Some((Quantity::ZERO, taker_open)),
            Self::ExpireMaker => Some((maker_open, Quantity::ZERO)),
            Self::ExpireBoth => Some((maker_open, taker_open)),
            Self::Decrement => {
                let smaller = maker_open.min(taker_open);
                Some((smaller, smaller))
            }
        }
    }
}

/// An order as it reaches the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The market's own name of it; unique among open orders.
    pub id: u64,
    /// Whose it is, for self-trade rules and OCO groups.
    pub owner: u32,
    /// Which way.
    pub side: Side,
    /// How it meets the market.
    pub kind: OrderKind,
    /// How long it may live.
    pub time_in_force: TimeInForce,
    /// Rest or be rejected.
    pub post_only: bool,
    /// How much, positive.
    pub quantity: Quantity,
    /// What to do instead of trading with oneself.
    pub self_trade: SelfTrade,
    /// One cancels the other, among orders of one owner.
    pub oco: Option<OcoGroup>,
}

impl NewOrder {
    /// A market order without further rules.
    #[must_use]
    pub const fn market(id: u64, owner: u32, side: Side, quantity: Quantity) -> Self {
        Self {
            id,
            owner,
            side,
            kind: OrderKind::Market,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            quantity,
            self_trade: SelfTrade::None,
            oco: None,
        }
    }
    /// A limit order that rests till cancelled.
    #[must_use]
    pub const fn limit(id: u64, owner: u32, side: Side, quantity: Quantity, price: Price) -> Self {
        Self { kind: OrderKind::Limit { price }, ..Self::market(id, owner, side, quantity) }
    }
}

/// One trade between two orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchTrade {
    /// Counted from 1, or as [`MatchingCore::number_trades_from`](super::MatchingCore::number_trades_from) says.
    pub trade_id: u64,
    /// The resting order's price.
    pub price: Price,
    /// How much, positive.
    pub quantity: Quantity,
    /// Who rested.
    pub maker: u64,
    /// Whose the resting order was.
    pub maker_owner: u32,
    /// What is left of it.
    pub maker_open: Quantity,
    /// Who crossed.
    pub taker: u64,
    /// Whose the crossing order was.
    pub taker_owner: u32,
    /// What is left of it.
    pub taker_open: Quantity,
    /// The crossing order's side.
    pub aggressor: Side,
}

/// Two orders of one owner that did not trade, as the incoming one's [`SelfTrade`] says. One with nothing left is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreventedMatch {
    /// The resting order's price.
    pub price: Price,
    /// How much would have traded, positive.
    pub quantity: Quantity,
    /// Who rested.
    pub maker: u64,
    /// What the resting order lost by it.
    pub maker_prevented: Quantity,
    /// What is left of it.
    pub maker_open: Quantity,
    /// Who crossed.
    pub taker: u64,
    /// What the crossing order lost by it.
    pub taker_prevented: Quantity,
    /// What is left of it.
    pub taker_open: Quantity,
}

/// What happened, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchEvent {
    /// The order is in.
    Accepted {
        /// Which.
        id: u64,
    },
    /// The order never was in.
    Rejected {
        /// Which.
        id: u64,
        /// Why.
        reason: RejectReason,
    },
    /// Two orders traded.
    Trade(MatchTrade),
    /// Two orders of one owner did not.
    Prevented(PreventedMatch),
    /// It is on the book now, behind all others at its price.
    Rested {
        /// Which.
        id: u64,
        /// Where.
        price: Price,
        /// How much of it.
        open: Quantity,
    },
    /// A stop woke up.
    Triggered {
        /// Which.
        id: u64,
    },
    /// A resting order was changed; if it lost its place, `Rested` or trades follow.
    Replaced {
        /// Which.
        id: u64,
        /// Where it is or goes.
        price: Price,
        /// How much of it is open.
        open: Quantity,
        /// Whether it kept its place in the queue.
        kept_priority: bool,
    },
    /// It is over with something left.
    Cancelled {
        /// Which.
        id: u64,
        /// What was left.
        open: Quantity,
        /// Why.
        reason: CancelReason,
    },
    /// Its time was up.
    Expired {
        /// Which.
        id: u64,
        /// What was left.
        open: Quantity,
    },
}

/// Why an order ended with something left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelReason {
    /// Its owner asked.
    Requested,
    /// Immediate or cancel: nobody (else) to trade with.
    Immediate,
    /// Fill or kill: not all at once.
    Kill,
    /// A market order met an empty book.
    NoLiquidity,
    /// Another order of its group traded, or woke where the rules say so.
    Oco,
    /// A post-only stop limit woke where it would have crossed.
    WouldCross,
}

/// Why an order never was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectReason {
    /// An open order has this id.
    DuplicateId,
    /// Zero or negative.
    Quantity,
    /// Post only, and it would have crossed.
    WouldCross,
    /// Good till a moment that is past.
    Expired,
    /// Post-only without resting, fill-or-kill in an OCO group, or a trailing stop: whoever owns the book follows it.
    Contradiction,
}

/// Why an order was not replaced; it stands as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaceError {
    /// No open order has this id.
    Unknown(u64),
    /// It is a stop that has not woken: cancel it and send another.
    Asleep(u64),
    /// Zero or negative.
    Quantity(Quantity),
    /// Post only, and it would cross at this price.
    WouldCross(Price),
}

impl std::fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "no open order has the id {id}"),
            Self::Asleep(id) => write!(f, "order {id} is a stop that has not woken"),
            Self::Quantity(quantity) => write!(f, "the new quantity {} is not positive", quantity.mantissa()),
            Self::WouldCross(price) => write!(f, "post only, and {} would cross", price.mantissa()),
        }
    }
}
impl std::error::Error for ReplaceError {}
impl Coded for ReplaceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "BOK-01",
            Self::Asleep(_) => "BOK-02",
            Self::Quantity(_) => "BOK-03",
            Self::WouldCross(_) => "BOK-04",
        }
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

/// All orders at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthLevel {
    /// The price.
    pub price: Price,
    /// The sum of their open quantities; stays at the largest number where it would not fit.
    pub quantity: Quantity,
    /// How many.
    pub orders: usize,
}

/// One order on the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingOrder {
    /// Its name.
    pub id: u64,
    /// Whose it is.
    pub owner: u32,
    /// Which way.
    pub side: Side,
    /// Where.
    pub price: Price,
    /// What is left of it.
    pub open: Quantity,
    /// Until when, if not for ever.
    pub until: Option<Timestamp>,
}
