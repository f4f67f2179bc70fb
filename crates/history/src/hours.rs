//! The hours of the market that bars are of, and what a hole in them lacks.

use tradewind_domain::{Calendar, Currency, InstrumentKind, InstrumentSpec, Interval, Timestamp};

/// Currencies of states that are traded against one another.
const STATE_CURRENCIES: [&str; 20] = [
    "USD", "EUR", "JPY", "GBP", "CHF", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "SGD", "HKD", "CNH", "MXN", "ZAR",
    "TRY", "PLN", "CZK", "HUF",
];

/// Coins that tell a market of coins on either side of a symbol.
const COINS: [&str; 9] = ["BTC", "XBT", "ETH", "BNB", "USDT", "USDC", "BUSD", "FDUSD", "TUSD"];

/// Venues that trade everything round the clock.
const ROUND_THE_CLOCK: [&str; 8] = ["binance", "bybit", "coinbase", "kraken", "okx", "bitmex", "bitstamp", "deribit"];

/// Futures on share indices of the CME by their codes: the S&P 500, the Nasdaq-100, the Russell 2000, each as E-mini and as
/// Micro E-mini, and the S&P MidCap 400.
const SHARE_INDICES: [&str; 7] = ["ES", "MES", "NQ", "MNQ", "RTY", "M2K", "EMD"];

/// The usual hours of an instrument's market: those that it is listed with, or those that its venue and its currencies
/// tell. `None` where nothing tells them, as of shares in a plain table.
///
/// Two state currencies are foreign exchange, but on a venue that trades them round the clock beside its coins.
#[must_use]
pub fn hours_of(spec: &InstrumentSpec) -> Option<Calendar> {
    if spec.calendar != Calendar::Continuous {
        return Some(spec.calendar.clone());
    }
    let is_of_a_state = |currency: Currency| STATE_CURRENCIES.contains(&currency.code());
    let is_a_coin = |currency: Currency| COINS.contains(&currency.code());
    let (base, quote) = (spec.symbol.base, spec.symbol.quote);
    let is_exchange = spec.kind == InstrumentKind::Spot && is_of_a_state(base) && is_of_a_state(quote);
    match spec.venue.as_str() {
        "xcme" if SHARE_INDICES.contains(&base.code()) => Some(Calendar::cme_equity_index()),
        "xcme" => Some(Calendar::cme_globex()),
        "oanda" | "fxcm" | "unstated" if is_exchange => Some(Calendar::foreign_exchange()),
        venue if ROUND_THE_CLOCK.contains(&venue) => Some(Calendar::Continuous),
        _ if is_a_coin(base) || is_a_coin(quote) => Some(Calendar::Continuous),
        _ => None,
    }
}

/// How many bars of `interval` that would begin from `from` until `until` have a session of `calendar` in them.
///
/// A bar of a day or longer has those that close in it: the evening before a Monday is no day of its own. A shorter one has
/// those that are open for a part of it.
pub(crate) fn bars_of_sessions(calendar: &Calendar, interval: Interval, from: Timestamp, until: Timestamp) -> u64 {
    let length = interval.nanos();
    if *calendar == Calendar::Continuous {
        return (until.since(from) / length).unsigned_abs();
    }
    let mut count = 0_i64;
    let mut next = 0_i64; // the first bar of which it is not known yet, counted from `from`
    for (opens, closes) in calendar.sessions(from, until) {
        let last = (closes.min(until).since(from) - 1) / length;
        let first = if interval < Interval::DAY {
            opens.max(from).since(from) / length
        } else if closes <= until {
            last
        } else {
            continue;
        };
        count += (last + 1 - first.max(next)).max(0);
        next = next.max(last + 1);
    }
    count.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_nanos(i64::try_from(moment.as_nanosecond()).unwrap())
    }

    fn lacking(calendar: &Calendar, interval: &str, from: &str, until: &str) -> u64 {
        bars_of_sessions(calendar, interval.parse().unwrap(), at(from), at(until))
    }

    #[test]
    fn a_weekend_or_a_holiday_lacks_no_bar_and_a_day_between_them_does() {
        let new_york = Calendar::new_york_stocks();
        for (interval, from, until, want) in [
            ("1d", "2024-11-28T00:00:00Z", "2024-11-29T00:00:00Z", 0), // Thanksgiving
            ("1d", "2024-11-30T00:00:00Z", "2024-12-02T00:00:00Z", 0), // a weekend
            ("1d", "2024-11-27T00:00:00Z", "2024-11-29T00:00:00Z", 1),
            ("1d", "2024-11-27T00:00:00Z", "2024-12-03T00:00:00Z", 3),
            ("1h", "2024-11-29T18:00:00Z", "2024-12-02T14:00:00Z", 0), // behind a half day
            ("1h", "2024-11-29T17:00:00Z", "2024-12-02T14:00:00Z", 1),
            ("1h", "2024-12-02T21:00:00Z", "2024-12-04T14:00:00Z", 7), // all of 3 December: 09:30 lies in its first hour
            ("30m", "2024-12-03T15:00:00Z", "2024-12-03T17:00:00Z", 4),
            ("1w", "2024-11-25T00:00:00Z", "2024-12-09T00:00:00Z", 2),
        ] {
            assert_eq!(lacking(&new_york, interval, from, until), want, "{interval} {from} {until}");
        }
        let currencies = Calendar::foreign_exchange();
        for (interval, from, until, want) in [
            ("1h", "2024-11-08T22:00:00Z", "2024-11-10T22:00:00Z", 0),
            ("1h", "2024-11-08T21:00:00Z", "2024-11-10T23:00:00Z", 2),
            ("1d", "2024-11-09T00:00:00Z", "2024-11-11T00:00:00Z", 0), // no bar of the Sunday evening
            ("1d", "2024-11-08T22:00:00Z", "2024-11-10T22:00:00Z", 0), // days from 17:00 to 17:00 in New York
            ("1d", "2024-11-10T22:00:00Z", "2024-11-11T22:00:00Z", 1),
            ("4h", "2024-11-11T20:00:00Z", "2024-11-12T04:00:00Z", 2), // from one session into the next
            ("1h", "2024-12-24T22:00:00Z", "2024-12-25T22:00:00Z", 0), // Christmas
            ("1h", "2024-12-24T21:00:00Z", "2024-12-25T23:00:00Z", 2), // an hour on either side of it
            ("1d", "2024-12-25T00:00:00Z", "2024-12-26T00:00:00Z", 0),
        ] {
            assert_eq!(lacking(&currencies, interval, from, until), want, "{interval} {from} {until}");
        }
        assert_eq!(lacking(&Calendar::Continuous, "1h", "2024-11-09T00:00:00Z", "2024-11-10T00:00:00Z"), 24);
    }

    #[test]
    fn venue_and_currencies_tell_the_hours_of_a_market() {
        let continuous = || Some(Calendar::Continuous);
        for (symbol, venue, want) in [
            ("EUR/USD", "oanda", Some(Calendar::foreign_exchange())),
            ("EUR/USD", "unstated", Some(Calendar::foreign_exchange())),
            ("EUR/USD", "kraken", continuous()),
            ("EUR/USD", "xcme", Some(Calendar::cme_globex())),
            ("ES/USD", "xcme", Some(Calendar::cme_equity_index())),
            ("BTC/USD", "unstated", continuous()),
            ("PEPE/USDT", "unstated", continuous()),
            ("XRP/ETH", "alpaca", continuous()),
            ("SPY/USD", "alpaca", None),
            ("SPY/USD", "unstated", None),
            ("XAU/USD", "oanda", None),
        ] {
            let spec = InstrumentSpec::spot(symbol.parse().unwrap(), venue);
            assert_eq!(hours_of(&spec), want, "{symbol} of {venue}");
        }
        let shares = InstrumentSpec {
            calendar: Calendar::new_york_stocks(),
            ..InstrumentSpec::spot("SPY/USD".parse().unwrap(), "unstated")
        };
        assert_eq!(hours_of(&shares), Some(Calendar::new_york_stocks()));
    }
}
