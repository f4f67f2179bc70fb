//! Questions: what the venue knows of the market, the account and its orders.

use super::{Connection, read_clock};
use crate::answer::{AnswerError, quote};
use crate::binance::convert::{
    self, ConvertError, OrderStanding, fee_schedule, fill_of_trade, standing, time_of_trade,
};
use crate::binance::rules::Endpoint;
use crate::binance::wire::{Account, AccountTrade, Depth, KeyRights, Kline, OrderReport, OrderStatus, QueryOrder};
use crate::outcome::{QueryError, TransportFault};
use crate::report::{AssetBalance, BookLevels};
use crate::socket::wall_clock;
use tradewind_domain::{
    Bar, ClientOrderId, FeeSchedule, Fill, Instrument, InstrumentId, Interval, Timestamp, TradeId, VenueOrderId,
};

/// Rows of one page of bars or of executions.
const PAGE: u32 = 1_000;

/// The account as a query finds it.
#[derive(Clone, Debug)]
pub struct AccountState {
    /// Assets that it holds.
    pub balances: Vec<AssetBalance>,
    /// What it pays.
    pub fees: FeeSchedule,
    /// Whether it may trade.
    pub can_trade: bool,
    /// Whether this key's account may withdraw; the key's own right is a setting of the key.
    pub can_withdraw: bool,
    /// What could not be read of it, an entry for each asset. Nothing is known of what it holds of these: they are not among
    /// the balances, and that does not mean zero.
    pub unreadable: Vec<ConvertError>,
}

/// An execution of an order whose client id the caller must know: the venue names it by its own id only.
#[derive(Clone, Debug)]
pub struct AccountFill {
    /// The venue's name of the order.
    pub venue_id: VenueOrderId,
    /// When, by the venue's clock.
    pub at: Timestamp,
    instrument: Instrument,
    row: AccountTrade,
}

impl AccountFill {
    /// The execution, as one of the order `client_id`.
    ///
    /// # Errors
    /// [`QueryError::Value`] names the field that does not fit.
    pub fn fill(&self, client_id: ClientOrderId) -> Result<Fill, QueryError> {
        Ok(fill_of_trade(&self.instrument, client_id, &self.row)?)
    }
    /// The venue's number of the execution; the next page starts after the highest one.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.row.id
    }
}

impl Connection {
    fn instrument(&self, id: InstrumentId) -> Result<&Instrument, QueryError> {
        self.instruments.id(id).ok_or(QueryError::UnknownInstrument(id.0))
    }

    /// Reads the venue's clock anew.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn refresh_clock(&self) -> Result<(), QueryError> {
        read_clock(&self.rest).await
    }

    /// Closed and growing bars from `from` on, oldest first, at most one page of 1,000.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn bars(&self, id: InstrumentId, interval: Interval, from: Timestamp) -> Result<Vec<Bar>, QueryError> {
        let it = self.instrument(id)?;
        let pairs = [
            ("symbol", it.spec.venue_symbol.clone()),
            ("interval", interval.to_string()),
            ("startTime", from.millis().to_string()),
            ("limit", PAGE.to_string()),
        ];
        let rows: Vec<Kline> = self.rest.get(Endpoint::Klines, "/api/v3/klines", &pairs).await?;
        Ok(rows.iter().map(|row| convert::bar(it, interval, row)).collect::<Result<_, _>>()?)
    }

    /// The newest `count` bars, at most 1,000, oldest first; the last one is still growing.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn newest_bars(&self, id: InstrumentId, interval: Interval, count: u32) -> Result<Vec<Bar>, QueryError> {
        let it = self.instrument(id)?;
        let pairs = [
            ("symbol", it.spec.venue_symbol.clone()),
            ("interval", interval.to_string()),
            ("limit", count.min(PAGE).to_string()),
        ];
        let rows: Vec<Kline> = self.rest.get(Endpoint::Klines, "/api/v3/klines", &pairs).await?;
        Ok(rows.iter().map(|row| convert::bar(it, interval, row)).collect::<Result<_, _>>()?)
    }

    /// Whether the key itself may withdraw: a key that a program holds should not.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn key_may_withdraw(&self) -> Result<bool, QueryError> {
        let path = "/sapi/v1/account/apiRestrictions";
        let rights: KeyRights = self.rest.get_signed(Endpoint::KeyRights, path, &[]).await?;
        Ok(rights.enable_withdrawals)
    }

    /// The book, `levels` deep on each side, best first.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn book(&self, id: InstrumentId, levels: u32) -> Result<BookLevels, QueryError> {
        let it = self.instrument(id)?;
        let pairs = [("symbol", it.spec.venue_symbol.clone()), ("limit", levels.to_string())];
        let depth: Depth = self.rest.get(Endpoint::Depth(levels), "/api/v3/depth", &pairs).await?;
        Ok(convert::book_levels(it, depth.last_update_id, &depth.bids, &depth.asks)?)
    }

    /// The account's balances and fees.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn account(&self) -> Result<AccountState, QueryError> {
        let pairs = [("omitZeroBalances", "true".to_owned())];
        let account: Account = self.rest.get_signed(Endpoint::Account, "/api/v3/account", &pairs).await?;
        let (balances, unreadable) = convert::balances(&account);
        Ok(AccountState {
            balances,
            fees: fee_schedule(&account)?,
            can_trade: account.can_trade,
            can_withdraw: account.can_withdraw,
            unreadable,
        })
    }

    /// Open orders of one instrument, ours and others'.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn open_orders(&self, id: InstrumentId) -> Result<Vec<OrderStanding>, QueryError> {
        let pairs = [("symbol", self.instrument(id)?.spec.venue_symbol.clone())];
        let rows: Vec<OrderReport> = self.rest.get_signed(Endpoint::OpenOrders, "/api/v3/openOrders", &pairs).await?;
        self.is_of(&pairs[0].1, rows.iter().map(|row| row.symbol.as_str()))?;
        self.standings(&rows)
    }

    /// Orders of one instrument placed since `from`, open and closed, oldest first: all of them, page after page.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came; pages that came before are then lost and asked for again.
    pub async fn orders_since(&self, id: InstrumentId, from: Timestamp) -> Result<Vec<OrderStanding>, QueryError> {
        let symbol = &self.instrument(id)?.spec.venue_symbol;
        let mut all: Vec<OrderReport> = Vec::new();
        loop {
            // the first page by time, the following ones by number: several orders share a millisecond
            let place = match all.last() {
                None => ("startTime", from.millis().to_string()),
                Some(last) => ("orderId", (last.order_id + 1).to_string()),
            };
            let pairs = [("symbol", symbol.clone()), place, ("limit", PAGE.to_string())];
            let rows: Vec<OrderReport> = self.rest.get_signed(Endpoint::AllOrders, "/api/v3/allOrders", &pairs).await?;
            self.is_of(symbol, rows.iter().map(|row| row.symbol.as_str()))?;
            let full = rows.len() == PAGE as usize;
            let newest = all.last().map(|last| last.order_id);
            all.extend(rows.into_iter().filter(|row| newest.is_none_or(|n| row.order_id > n)));
            all.sort_by_key(|row| row.order_id);
            if !full || all.last().map(|last| last.order_id) == newest {
                return self.standings(&all);
            }
        }
    }

    fn standings(&self, rows: &[OrderReport]) -> Result<Vec<OrderStanding>, QueryError> {
        let received = wall_clock();
        Ok(rows.iter().map(|row| standing(&self.instruments, row, received)).collect::<Result<_, _>>()?)
    }

    /// How one of our orders stands.
    ///
    /// # Errors
    /// [`QueryError::NotFound`] alone proves nothing: the venue's memory lags behind its matching engine.
    pub async fn order(&self, id: InstrumentId, client_id: ClientOrderId) -> Result<OrderStanding, QueryError> {
        let query = QueryOrder {
            symbol: self.instrument(id)?.spec.venue_symbol.clone(),
            order_id: None,
            orig_client_order_id: Some(client_id.to_string()),
        };
        let row: OrderReport = self.rest.get_signed(Endpoint::Order, "/api/v3/order", &query.pairs()).await?;
        let asked = client_id.to_string();
        self.is_of(&query.symbol, [row.symbol.as_str()])?;
        if row.status != OrderStatus::Canceled {
            // a cancel may have given it another name
            self.is_of(&asked, [row.client_order_id.as_str()])?;
        }
        Ok(standing(&self.instruments, &row, wall_clock())?)
    }

    /// Whether an answer is about what was asked: otherwise it belongs to another request, and so may every other
    /// answer on the same connection.
    fn is_of<'a>(&self, asked: &str, answered: impl IntoIterator<Item = &'a str>) -> Result<(), QueryError> {
        let Some(other) = answered.into_iter().find(|answered| *answered != asked) else { return Ok(()) };
        self.rest.mistrust();
        let why = format!("it is about {}, not {asked}", quote(other.as_bytes()));
        Err(TransportFault::from(AnswerError::OtherRequest { why, quote: quote(other.as_bytes()) }).into())
    }

    /// How the order stands that the venue calls `order`, whoever sent it.
    ///
    /// # Errors
    /// As [`Self::order`].
    pub async fn order_named(&self, id: InstrumentId, order: &VenueOrderId) -> Result<OrderStanding, QueryError> {
        let pairs = [("symbol", self.instrument(id)?.spec.venue_symbol.clone()), ("orderId", order.0.to_string())];
        let row: OrderReport = self.rest.get_signed(Endpoint::Order, "/api/v3/order", &pairs).await?;
        self.is_of(&pairs[0].1, [row.symbol.as_str()])?;
        self.is_of(&order.0, [row.order_id.to_string().as_str()])?;
        Ok(standing(&self.instruments, &row, wall_clock())?)
    }

    /// Executions of one order, oldest first: all of them, page after page, each once.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came; pages that came before are then lost and asked for again.
    pub async fn fills_of(&self, id: InstrumentId, order: &VenueOrderId) -> Result<Vec<AccountFill>, QueryError> {
        let it = self.instrument(id)?;
        let mut all: Vec<AccountFill> = Vec::new();
        loop {
            let from = all.last().map_or(0, |last| last.row.id + 1); // without one the newest page comes first
            let pairs = [
                ("symbol", it.spec.venue_symbol.clone()),
                ("orderId", order.0.to_string()),
                ("fromId", from.to_string()),
                ("limit", PAGE.to_string()),
            ];
            let rows: Vec<AccountTrade> = self.rest.get_signed(Endpoint::MyTrades, "/api/v3/myTrades", &pairs).await?;
            self.is_of(&it.spec.venue_symbol, rows.iter().map(|row| row.symbol.as_str()))?;
            let full = rows.len() == PAGE as usize;
            let newest = all.last().map(|last| last.row.id);
            all.extend(rows.into_iter().filter(|row| newest.is_none_or(|n| row.id > n)).map(|row| fill_of(it, row)));
            all.sort_by_key(|fill| fill.row.id);
            if !full || all.last().map(|last| last.row.id) == newest {
                return Ok(all);
            }
        }
    }

    /// The number of the account's newest execution in one instrument; `None` if it has none.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came.
    pub async fn newest_fill(&self, id: InstrumentId) -> Result<Option<TradeId>, QueryError> {
        let symbol = &self.instrument(id)?.spec.venue_symbol;
        let pairs = [("symbol", symbol.clone()), ("limit", "1".to_owned())]; // without a start the newest come first
        let rows: Vec<AccountTrade> = self.rest.get_signed(Endpoint::MyTrades, "/api/v3/myTrades", &pairs).await?;
        self.is_of(symbol, rows.iter().map(|row| row.symbol.as_str()))?;
        Ok(rows.iter().map(|row| TradeId(row.id.into())).max())
    }

    /// Executions of one instrument since `from`, oldest first: all of them, page after page, each once.
    ///
    /// # Errors
    /// [`QueryError`] if no usable answer came; pages that came before are then lost and asked for again.
    pub async fn fills_since(&self, id: InstrumentId, from: Timestamp) -> Result<Vec<AccountFill>, QueryError> {
        let it = self.instrument(id)?;
        let mut all: Vec<AccountFill> = Vec::new();
        loop {
            // the first page by time, the following ones by number: several executions share a millisecond
            let place = match all.last() {
                None => ("startTime", from.millis().to_string()),
                Some(last) => ("fromId", (last.row.id + 1).to_string()),
            };
            let pairs = [("symbol", it.spec.venue_symbol.clone()), place, ("limit", PAGE.to_string())];
            let rows: Vec<AccountTrade> = self.rest.get_signed(Endpoint::MyTrades, "/api/v3/myTrades", &pairs).await?;
            self.is_of(&it.spec.venue_symbol, rows.iter().map(|row| row.symbol.as_str()))?;
            let full = rows.len() == PAGE as usize;
            let newest = all.last().map(|last| last.row.id);
            all.extend(rows.into_iter().filter(|row| newest.is_none_or(|n| row.id > n)).map(|row| fill_of(it, row)));
            all.sort_by_key(|fill| fill.row.id);
            if !full || all.last().map(|last| last.row.id) == newest {
                return Ok(all);
            }
        }
    }
}

fn fill_of(it: &Instrument, row: AccountTrade) -> AccountFill {
    AccountFill {
        venue_id: VenueOrderId(row.order_id.to_string().into_boxed_str()),
        at: time_of_trade(&row, wall_clock()),
        instrument: it.clone(),
        row,
    }
}
