//! The venue's enumerations. A word that is not listed is kept as text in `Other`.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// A word that this build does not know.
            Other(Box<str>),
        }
        impl $name {
            /// Every word that this build knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];
            /// The venue's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<str>::deserialize(deserializer).map(|text| Self::from(&*text))
            }
        }
    )*};
}

words! {
    /// `side`.
    OrderSide { Buy = "BUY", Sell = "SELL" }
    /// `type` of an order.
    OrderType {
        Limit = "LIMIT", Market = "MARKET", LimitMaker = "LIMIT_MAKER", StopLoss = "STOP_LOSS",
        StopLossLimit = "STOP_LOSS_LIMIT", TakeProfit = "TAKE_PROFIT", TakeProfitLimit = "TAKE_PROFIT_LIMIT",
    }
    /// `timeInForce`.
    TimeInForceWord { Gtc = "GTC", Ioc = "IOC", Fok = "FOK" }
    /// `status` of an order.
    OrderStatus {
        New = "NEW", PendingNew = "PENDING_NEW", PartiallyFilled = "PARTIALLY_FILLED", Filled = "FILLED",
        Canceled = "CANCELED", PendingCancel = "PENDING_CANCEL", Rejected = "REJECTED", Expired = "EXPIRED",
        ExpiredInMatch = "EXPIRED_IN_MATCH",
    }
    /// `x` of an execution report: what has just happened to the order.
    ExecutionType {
        New = "NEW", Canceled = "CANCELED", Replaced = "REPLACED", Rejected = "REJECTED", Trade = "TRADE",
        Expired = "EXPIRED", TradePrevention = "TRADE_PREVENTION",
    }
    /// `newOrderRespType`.
    NewOrderRespType { Ack = "ACK", Result = "RESULT", Full = "FULL" }
    /// `selfTradePreventionMode`.
    SelfTradePrevention {
        None = "NONE", ExpireMaker = "EXPIRE_MAKER", ExpireTaker = "EXPIRE_TAKER", ExpireBoth = "EXPIRE_BOTH",
        Decrement = "DECREMENT", Transfer = "TRANSFER",
    }
    /// `status` of a symbol.
    SymbolStatus { Trading = "TRADING", EndOfDay = "END_OF_DAY", Halt = "HALT", Break = "BREAK" }
    /// `rateLimitType`.
    RateLimitType {
        RequestWeight = "REQUEST_WEIGHT", Orders = "ORDERS", RawRequests = "RAW_REQUESTS",
        Connections = "CONNECTIONS",
    }
    /// `interval` of a rate limit.
    RateLimitInterval { Second = "SECOND", Minute = "MINUTE", Hour = "HOUR", Day = "DAY" }
}

impl RateLimitInterval {
    /// The letter in header names such as `X-MBX-USED-WEIGHT-1M`; `None` for an unknown word.
    #[must_use]
    pub const fn letter(&self) -> Option<char> {
        match self {
            Self::Second => Some('S'),
            Self::Minute => Some('M'),
            Self::Hour => Some('H'),
            Self::Day => Some('D'),
            Self::Other(_) => None,
        }
    }
    /// How long `count` of it last; `None` for an unknown word, and for none of it.
    #[must_use]
    pub fn times(&self, count: u32) -> Option<Duration> {
        let seconds = match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Other(_) => return None,
        };
        (count > 0).then(|| Duration::from_secs(seconds * u64::from(count)))
    }
}
