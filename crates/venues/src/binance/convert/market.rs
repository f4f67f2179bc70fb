//! Market data: quotes, trades, bars and books.

use super::{ConvertError, moment, price, quantity};
use crate::binance::rules::DepthDiff;
use crate::binance::wire::{BookTickerEvent, DepthEvent, Kline, KlineEvent, Level, TradeEvent};
use crate::report::{BookLevels, Levels};
use tradewind_domain::{Bar, Instrument, Interval, Quote, Side, Trade, TradeId};

/// Best bid and ask. The venue gives no event time with it.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn quote(it: &Instrument, event: &BookTickerEvent) -> Result<Quote, ConvertError> {
    Ok(Quote {
        instrument: it.id,
        bid: price(it, "b", &event.bid_price)?,
        bid_size: quantity(it, "B", &event.bid_qty)?,
        ask: price(it, "a", &event.ask_price)?,
        ask_size: quantity(it, "A", &event.ask_qty)?,
    })
}

/// A trade of the stream.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn trade(it: &Instrument, event: &TradeEvent) -> Result<Trade, ConvertError> {
    Ok(Trade {
        instrument: it.id,
        price: price(it, "p", &event.price)?,
        quantity: quantity(it, "q", &event.quantity)?,
        aggressor: if event.is_buyer_maker { Side::Sell } else { Side::Buy },
        id: TradeId(event.trade_id.into()),
    })
}

/// A bar of `GET /api/v3/klines`. Binance stamps a bar with its opening.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit, or the rule that the bar breaks.
pub fn bar(it: &Instrument, interval: Interval, row: &Kline) -> Result<Bar, ConvertError> {
    let texts = [&row.open, &row.high, &row.low, &row.close];
    checked_bar(it, interval, row.open_time, texts, &row.volume)
}

/// A bar of the stream, and whether it is closed.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit, or the rule that the bar breaks.
pub fn bar_of_event(it: &Instrument, event: &KlineEvent) -> Result<(Bar, bool), ConvertError> {
    let body = &event.kline;
    let interval = body.interval.parse().map_err(|_| ConvertError::Value {
        field: "i",
        symbol: event.symbol.clone(),
        value: body.interval.clone(),
        why: "is not an interval",
    })?;
    let texts = [&body.open, &body.high, &body.low, &body.close];
    checked_bar(it, interval, body.start_time, texts, &body.volume).map(|bar| (bar, body.is_closed))
}

fn checked_bar(
    it: &Instrument,
    interval: Interval,
    open_time: i64,
    [open, high, low, close]: [&String; 4],
    volume: &str,
) -> Result<Bar, ConvertError> {
    let bar = Bar {
        instrument: it.id,
        interval,
        open_time: moment("open time", &it.spec.venue_symbol, open_time)?,
        open: price(it, "open", open)?,
        high: price(it, "high", high)?,
        low: price(it, "low", low)?,
        close: price(it, "close", close)?,
        volume: quantity(it, "volume", volume)?,
    };
    match bar.validate() {
        Ok(()) => Ok(bar),
        Err(error) => Err(ConvertError::Value {
            field: "kline",
            symbol: it.spec.venue_symbol.clone(),
            value: format!("{open}/{high}/{low}/{close}"),
            why: error.what,
        }),
    }
}

/// A change of the book.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn depth_diff(it: &Instrument, event: &DepthEvent) -> Result<DepthDiff, ConvertError> {
    let levels = book_levels(it, event.final_update_id, &event.bids, &event.asks)?;
    Ok(DepthDiff { first: event.first_update_id, levels })
}

/// Levels of a snapshot or a change.
///
/// # Errors
/// [`ConvertError`] names the field that does not fit.
pub fn book_levels(
    it: &Instrument,
    update_id: u64,
    bids: &[Level],
    asks: &[Level],
) -> Result<BookLevels, ConvertError> {
    let read = |levels: &[Level]| -> Result<Levels, ConvertError> {
        let level = |(p, q): &Level| {
            let level = (price(it, "level price", p)?, quantity(it, "level quantity", q)?);
            match level.0.mantissa() > 0 && level.1.mantissa() >= 0 {
                true => Ok(level),
                false => Err(ConvertError::Value {
                    field: "level",
                    symbol: it.spec.venue_symbol.clone(),
                    value: format!("{q} at {p}"),
                    why: "is no level of a book",
                }),
            }
        };
        levels.iter().map(level).collect()
    };
    Ok(BookLevels { instrument: it.id, update_id, bids: read(bids)?, asks: read(asks)? })
}
