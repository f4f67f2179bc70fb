//! What a file's name and folders say: symbol, venue, and whether a simulation made it.

use std::path::Path;
use tradewind_domain::{Currency, Origin, Symbol};

/// Quote currencies that end a symbol without a mark between, longest first.
const QUOTES: &[&str] = &[
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "NZD", "BTC", "ETH",
    "BNB",
];

/// Bases beside the currencies of [`QUOTES`] by which a symbol without a mark is split where two quotes would end it.
const BASES: &[&str] = &[
    "XBT", "XRP", "SOL", "ADA", "DOGE", "DOT", "LTC", "LINK", "BCH", "TRX", "AVAX", "MATIC", "POL", "UNI", "ATOM",
    "XLM", "ETC", "EOS", "XMR", "FIL", "NEAR", "APT", "ARB", "OP", "SUI", "AAVE", "ALGO", "SHIB", "PEPE", "LUNA",
    "1INCH", "DAI",
];

/// Venues that are known by a word in the path.
const VENUES: &[&str] = &[
    "binance", "bybit", "coinbase", "oanda", "fxcm", "xcme", "kraken", "okx", "bitmex", "bitstamp", "deribit", "alpaca",
];

/// The venue that a whole word of the path names, in the name of the file or else the nearest folder; or `unstated`.
pub(crate) fn venue(path: &Path) -> &'static str {
    let text = path.to_string_lossy().to_ascii_lowercase();
    let mut words = text.rsplit(|letter: char| !letter.is_ascii_alphanumeric());
    words.find_map(|word| VENUES.iter().find(|venue| **venue == word)).map_or("unstated", |venue| venue)
}

/// The symbol that a file's name shows, as [`crate::read_bars`] takes it where it is told none; `None` where it shows none.
pub(crate) fn symbol_of(path: &Path) -> Option<Symbol> {
    symbol(path, None, false)
}

/// Who made a file: a simulation where `simulated` is a word of its name, as of `btc-usdt-1h-simulated.csv`; else whoever
/// the caller was `told` of.
#[must_use]
pub fn origin_of(path: &Path, told: Origin) -> Origin {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let says_so = name.split(['.', '-', '_']).any(|word| word == "simulated");
    if says_so { Origin::Simulated } else { told }
}

/// The symbol that the file's name shows: `BTC_USDT-1h.feather`, `BTC_USDT_USDT-1h-futures.feather` (linear
/// perpetual), `BNBUSDT_1m.parquet`, `coinbase-1h-btc-usd.csv`, `oanda-hour-eurusd.zip`; `aapl.zip` for LEAN shares.
pub(crate) fn symbol(path: &Path, member: Option<&str>, stocks: bool) -> Option<Symbol> {
    let name = path.file_name()?.to_string_lossy().to_ascii_uppercase();
    let stem = name.split('.').next()?;
    if stocks {
        let member = member.map(str::to_ascii_uppercase);
        let ticker = member.as_deref().unwrap_or(stem).split(['.', '_', '-']).next()?;
        return pair(ticker, "USD");
    }
    let head = stem.split('-').next()?;
    let parts: Vec<&str> = head.split('_').collect();
    match parts.as_slice() {
        [base, quote, settle] if is_quote(quote) && quote == settle => {
            return format!("{base}/{quote}:{settle}").parse().ok();
        }
        [base, quote] | [base, quote, _] if is_quote(quote) => return pair(base, quote),
        _ => {}
    }
    let words: Vec<&str> = stem.split(['-', '_']).collect();
    let apart = words.windows(2).find(|two| is_quote(two[1]) && is_code(two[0])).and_then(|two| pair(two[0], two[1]));
    apart.or_else(|| words.iter().find_map(|word| joined(word)))
}

/// The symbol of a word without a mark between: the longest base that is known, or the only split that there is. `XBTUSD`
/// is XBT in USD and not XB in TUSD; which of the two `ABCTUSD` is nobody can tell.
fn joined(word: &str) -> Option<Symbol> {
    let split = |quote: &&'static str| word.strip_suffix(*quote).map(|base| (base, *quote));
    let splits: Vec<_> = QUOTES.iter().filter_map(split).filter(|(base, _)| is_code(base)).collect();
    let is_known = |base: &str| QUOTES.contains(&base) || BASES.contains(&base);
    let known = splits.iter().filter(|(base, _)| is_known(base)).max_by_key(|(base, _)| base.len());
    let only = if let [one] = splits.as_slice() { Some(one) } else { None };
    known.or(only).and_then(|(base, quote)| pair(base, quote))
}

fn is_quote(word: &str) -> bool {
    QUOTES.contains(&word)
}

fn is_code(word: &str) -> bool {
    (2..=10).contains(&word.len()) && word.chars().any(|c| c.is_ascii_alphabetic()) && !is_interval(word)
}

fn is_interval(word: &str) -> bool {
    word.len() < 5 && word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(['M', 'H', 'D', 'W'])
}

/// A spot pair; `None` of a currency in itself, which no symbol is.
fn pair(base: &str, quote: &str) -> Option<Symbol> {
    let (base, quote) = (Currency::new(base).ok()?, Currency::new(quote).ok()?);
    (base != quote).then_some(Symbol { base, quote, contract: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_told_by_the_files_name() {
        for (name, stocks, want) in [
            ("binance-spot-1h/BTC_USDT-1h.feather", false, Some("BTC/USDT")),
            ("BTC_USDT_USDT-1h-futures.feather", false, Some("BTC/USDT:USDT")),
            ("XRP_ETH-1m.feather", false, Some("XRP/ETH")),
            ("XRP_ETH-trades.json.gz", false, Some("XRP/ETH")),
            ("BNBUSDT_1m.parquet", false, Some("BNB/USDT")),
            ("coinbase-1h-btc-usd.csv", false, Some("BTC/USD")),
            ("daily-btcusd_trade.zip", false, Some("BTC/USD")),
            ("minute-btcusd-20180404_quote.zip", false, Some("BTC/USD")),
            ("oanda-hour-eurusd.zip", false, Some("EUR/USD")),
            ("gbpusd-m1-bid-2012.csv", false, Some("GBP/USD")),
            ("aapl.zip", true, Some("AAPL/USD")),
            ("usd.zip", true, None),
            ("BTC_BTC.csv", false, None),
            ("BTC_BTC-1h.feather", false, None),
            ("usd-usd.csv", false, None),
            ("bars_1m.csv", false, None),
            ("6EH4.XCME_1min_bars_20240101_20240131.csv.gz", false, None),
            ("data.csv", false, None),
        ] {
            let got = symbol(Path::new(name), None, stocks).map(|symbol| symbol.to_string());
            assert_eq!(got.as_deref(), want, "{name}");
        }
    }

    #[test]
    fn a_symbol_without_a_mark_is_split_behind_a_known_base_or_not_at_all() {
        for (name, want) in [
            ("BTCUSDT", Some("BTC/USDT")),
            ("ETHBTC", Some("ETH/BTC")),
            ("XBTUSD", Some("XBT/USD")),
            ("BTCTUSD", Some("BTC/TUSD")),
            ("1INCHUSDT", Some("1INCH/USDT")),
            ("USDCUSDT", Some("USDC/USDT")),
            ("LUNAUSDT", Some("LUNA/USDT")),
            ("TUSDUSDT", Some("TUSD/USDT")),
            ("BTCBUSD", Some("BTC/BUSD")),
            ("ETHFDUSD", Some("ETH/FDUSD")),
            ("BNBUSD", Some("BNB/USD")),
            ("USDTUSD", Some("USDT/USD")),
            ("ABCUSDT", Some("ABC/USDT")), // one split alone
            ("ABCTUSD", None),             // ABC in TUSD, or ABCT in USD
            ("ABCBUSD", None),
        ] {
            let got = symbol(Path::new(&format!("bitmex_trades_{name}.csv")), None, false);
            assert_eq!(got.map(|symbol| symbol.to_string()).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn a_file_whose_name_says_simulated_is_of_no_market() {
        for (name, simulated) in [
            ("examples/data/btc-usdt-1h-simulated.csv", true),
            ("Simulated_BTC_USDT.csv.gz", true),
            ("simulated/BTC_USDT-1h.feather", false), // its folder is not its name
            ("unsimulated-btc-usdt.csv", false),
        ] {
            let want = |told| if simulated { Origin::Simulated } else { told };
            for told in [Origin::Recorded, Origin::Simulated] {
                assert_eq!(origin_of(Path::new(name), told), want(told), "{name}");
            }
        }
    }

    #[test]
    fn the_last_venue_in_the_path_wins() {
        assert_eq!(venue(Path::new("archive/okx/lean-coinbase/btcusd.zip")), "coinbase");
        assert_eq!(venue(Path::new("okx/bookxchange/a.csv")), "okx"); // a venue is a whole word
        assert_eq!(venue(Path::new("bookxchange/a.csv")), "unstated");
        assert_eq!(venue(Path::new("a.csv")), "unstated");
    }
}
