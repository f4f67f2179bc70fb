//! The words of the trade: instruments, prices, orders, fills, bars, time, ids, errors.
//!
//! # Where it sits
//! Floor 1: every other crate speaks these words. Knows no I/O, no clock, no venue's own vocabulary.
//!
//! # Start here
//! [`Instrument`] says what can be traded and turns decimal text into [`Price`] and [`Quantity`];
//! [`Order::new`] is the only maker of a valid order; [`OrderState::on`] is its life cycle.
//!
//! # What always holds
//! * Prices, quantities and money are integers of a stated decimal; nothing here rounds in silence.
//! * An order that is off tick, off lot, too small or contradictory does not exist.
//! * Every error carries a stable code, the offending value and a hint ([`Coded`]).

mod calendar;
mod contingent;
mod decimal;
mod error;
mod fill;
mod holidays;
mod ids;
mod instrument;
mod instrument_kind;
mod margin;
mod market;
mod money;
mod order;
mod order_state;
mod plan;
mod position;
mod schedule;
mod source;
mod symbol;
mod time;

pub use calendar::{Calendar, SessionHours};
pub use contingent::{NativeKinds, Trail, TrailingOffset};
pub use decimal::{NumberError, format_decimal, parse_decimal, pow10, push_decimal, round_div};
pub use error::{CODES, Coded, ErrorCode, with_causes};
pub use fill::{Fee, FeeAsset, FeeSchedule, Fill, Liquidity};
pub use holidays::HolidayRule;
pub use ids::{
    AccountId, ClientOrderId, Incarnation, InstrumentId, OcoGroup, PortfolioId, Sequence, TradeId, TradeIdSet,
    VenueOrderId,
};
pub use instrument::{AVERAGE_DECIMALS_MORE, Instrument, InstrumentError, InstrumentSpec};
pub use instrument_kind::InstrumentKind;
pub use margin::{MarginTier, MarginTiers, MarginTiersError};
pub use market::{Bar, BarError, Depth, Origin, Quote, Trade};
pub use money::{Currency, LEDGER_DECIMALS, Money, text128};
pub use order::{Order, OrderError, OrderKind, OrderRequest, Side, TimeInForce};
pub use order_state::{IllegalTransition, OrderInput, OrderRecord, OrderState, OrderTimes, Outcome};
pub use plan::{PlanRegime, TradePlan};
pub use position::{Position, PositionChange};
pub use schedule::{FiredSlots, Schedule, ScheduleDays};
pub use source::Source;
pub use symbol::{Contract, OptionRight, Symbol, SymbolError};
pub use time::{Interval, IntervalError, Timestamp};

mod quantities;
pub use quantities::{Price, Quantity};
