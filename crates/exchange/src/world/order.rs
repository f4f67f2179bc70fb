//! Orders as the exchange keeps them.

use tradewind_book::PreventedMatch;
use tradewind_domain::{Currency, Price, Quantity, Side};

/// An order type in the venue's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Limit,
    Market,
    LimitMaker,
    StopLoss,
    StopLossLimit,
    TakeProfit,
    TakeProfitLimit,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Limit,
        Self::LimitMaker,
        Self::Market,
        Self::StopLoss,
        Self::StopLossLimit,
        Self::TakeProfit,
        Self::TakeProfitLimit,
    ];
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Limit => "LIMIT",
            Self::Market => "MARKET",
            Self::LimitMaker => "LIMIT_MAKER",
            Self::StopLoss => "STOP_LOSS",
            Self::StopLossLimit => "STOP_LOSS_LIMIT",
            Self::TakeProfit => "TAKE_PROFIT",
            Self::TakeProfitLimit => "TAKE_PROFIT_LIMIT",
        }
    }
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
    /// Whether it waits for a price before it goes to the book.
    pub(crate) const fn is_contingent(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit | Self::TakeProfit | Self::TakeProfitLimit)
    }
    /// Whether it carries a limit price.
    pub(crate) const fn has_price(self) -> bool {
        matches!(self, Self::Limit | Self::LimitMaker | Self::StopLossLimit | Self::TakeProfitLimit)
    }
    /// Whether it must say how long it lives.
    pub(crate) const fn has_time_in_force(self) -> bool {
        matches!(self, Self::Limit | Self::StopLossLimit | Self::TakeProfitLimit)
    }
    /// Whether `last` wakes an order of this kind with `stop` on `side`.
    pub(crate) fn wakes(self, side: Side, stop: Price, last: Price) -> bool {
        match (self, side) {
            (Self::StopLoss | Self::StopLossLimit, Side::Buy)
            | (Self::TakeProfit | Self::TakeProfitLimit, Side::Sell) => last >= stop,
            (Self::StopLoss | Self::StopLossLimit, Side::Sell)
            | (Self::TakeProfit | Self::TakeProfitLimit, Side::Buy) => last <= stop,
            _ => false,
        }
    }
}

/// How long an order may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    Gtc,
    Ioc,
    Fok,
}

impl Force {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Ioc => "IOC",
            Self::Fok => "FOK",
        }
    }
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Gtc, Self::Ioc, Self::Fok].into_iter().find(|force| force.name() == name)
    }
}

/// What happens when an account would trade with itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelfTrade {
    Allow,
    ExpireTaker,
    ExpireMaker,
    ExpireBoth,
    Decrement,
}

impl SelfTrade {
    pub(crate) const ALL: [Self; 5] =
        [Self::Allow, Self::ExpireTaker, Self::ExpireMaker, Self::ExpireBoth, Self::Decrement];
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allow => "NONE",
            Self::ExpireTaker => "EXPIRE_TAKER",
            Self::ExpireMaker => "EXPIRE_MAKER",
            Self::ExpireBoth => "EXPIRE_BOTH",
            Self::Decrement => "DECREMENT",
        }
    }
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Where an order stands, in the venue's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
    ExpiredInMatch,
}

impl Status {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::ExpiredInMatch => "EXPIRED_IN_MATCH",
        }
    }
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
}

/// What a customer asks for, syntactically right.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub(crate) listing: usize,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) force: Force,
    /// Absent for market orders by quote amount.
    pub(crate) quantity: Option<Quantity>,
    /// Amount of quote to spend or receive, in `10^-8`.
    pub(crate) quote_quantity: Option<i128>,
    pub(crate) price: Option<Price>,
    pub(crate) stop: Option<Price>,
    pub(crate) client_id: Option<String>,
    pub(crate) self_trade: SelfTrade,
}

/// One order for its whole life.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) account: usize,
    pub(crate) listing: usize,
    pub(crate) client_id: String,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) force: Force,
    /// Zero for orders without one.
    pub(crate) price: Price,
    /// Zero for orders without one.
    pub(crate) stop: Price,
    pub(crate) quantity: Quantity,
    /// Zero for orders by quantity.
    pub(crate) quote_quantity: i128,
    pub(crate) executed: Quantity,
    pub(crate) quote_executed: i128,
    /// What it lost by not trading with orders of its own account.
    pub(crate) prevented: Quantity,
    /// The last time that it lost something so.
    pub(crate) prevented_match: Option<u64>,
    pub(crate) status: Status,
    pub(crate) self_trade: SelfTrade,
    /// Milliseconds.
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// When it went to the book; absent while it waits for its trigger.
    pub(crate) working: Option<i64>,
    /// The order list it belongs to.
    pub(crate) list: Option<u64>,
    /// What is still set aside for it.
    pub(crate) locked: i128,
}

impl Row {
    /// What may still be executed.
    pub(crate) fn remaining(&self) -> Quantity {
        self.quantity - self.executed - self.prevented
    }
}

/// One fill of a customer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnTrade {
    pub(crate) id: i64,
    pub(crate) order: u64,
    pub(crate) listing: usize,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) quote: i128,
    pub(crate) fee: i128,
    pub(crate) fee_asset: Currency,
    pub(crate) at: i64,
    pub(crate) side: Side,
    pub(crate) maker: bool,
}

/// Two orders of one account that did not trade with each other: a prevented match, in the venue's words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prevention {
    /// Counted per pair, from 0 as in the venue's examples.
    pub(crate) id: u64,
    pub(crate) listing: usize,
    /// Of the order that came.
    pub(crate) mode: SelfTrade,
    pub(crate) told: PreventedMatch,
    /// What they would have traded for.
    pub(crate) quote: i128,
    pub(crate) at: i64,
}

impl Prevention {
    /// What one of the two orders lost by it, and the number of the other.
    pub(crate) fn of(&self, order: u64) -> (Quantity, u64) {
        let told = &self.told;
        if order == told.maker { (told.maker_prevented, told.taker) } else { (told.taker_prevented, told.maker) }
    }
}

/// Why a report is sent, in the venue's words.
#[derive(Clone, Debug)]
pub(crate) enum Execution {
    New,
    Trade(OwnTrade),
    Canceled {
        /// The id the cancel request was given.
        client_id: String,
    },
    /// Made smaller in its place.
    Replaced {
        /// What it was called before.
        before: String,
    },
    Expired,
    /// Self-trade prevention took from it, and ended it if nothing is left.
    TradePrevention(Prevention),
}
