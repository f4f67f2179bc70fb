//! The world before the storm: twenty pairs, in some storms two more that are counted in bitcoin, one account, three
//! portfolios.

use crate::bundle::{Bundle, Knob};
use crate::chance::Chance;
use std::time::Duration;
use tradewind_domain::{Currency, Instrument, Symbol, Timestamp, format_decimal};
use tradewind_exchange::{AccountConfig, Crash, ExchangeConfig, FeeRates, Flow, SymbolConfig};
use tradewind_gate::{Cap, Limits};
use tradewind_risk::{Controls, Profile};
use tradewind_venues::binance::sign::Signer;
use tradewind_venues::{ApiKey, ApiSecret};

/// When every storm begins, in milliseconds: an ordinary day.
pub(crate) const START_MILLIS: i64 = 1_700_000_000_000;
/// How long a signed request stays valid: what ships.
pub(crate) const WINDOW_MILLIS: i64 = 2_000;
/// One step of the simulated market, and the age of a quote at most.
pub(crate) const FLOW_SECONDS: u64 = 10;
/// Between which seconds after the beginning the first crash begins.
const FIRST_CRASH: (u64, u64) = (120, 660);
/// Portfolios, each with a strategy on every pair.
pub(crate) const PORTFOLIOS: u16 = 3;
/// Cash of each portfolio.
const CASH: i64 = 300_000;

const KEY: &str = "storm";
const SECRET: &str = "storm-secret";

/// Pair, tick, lot, first price, typical size of others' orders.
const PAIRS: [(&str, &str, &str, f64, f64); 20] = [
    ("BTC/USDT", "0.01", "0.00001", 60_000.0, 0.05),
    ("ETH/USDT", "0.01", "0.0001", 3_000.0, 0.8),
    ("SOL/USDT", "0.01", "0.001", 150.0, 12.0),
    ("BNB/USDT", "0.1", "0.001", 600.0, 4.0),
    ("XRP/USDT", "0.0001", "1", 0.6, 3_000.0),
    ("ADA/USDT", "0.0001", "0.1", 0.5, 4_000.0),
    ("DOGE/USDT", "0.00001", "1", 0.15, 15_000.0),
    ("AVAX/USDT", "0.01", "0.01", 30.0, 70.0),
    ("DOT/USDT", "0.001", "0.01", 6.0, 350.0),
    ("LINK/USDT", "0.01", "0.01", 15.0, 150.0),
    ("LTC/USDT", "0.01", "0.001", 80.0, 25.0),
    ("BCH/USDT", "0.1", "0.001", 400.0, 5.0),
    ("ATOM/USDT", "0.001", "0.01", 8.0, 250.0),
    ("NEAR/USDT", "0.001", "0.1", 5.0, 400.0),
    ("UNI/USDT", "0.001", "0.01", 9.0, 220.0),
    ("APT/USDT", "0.01", "0.01", 9.0, 220.0),
    ("ARB/USDT", "0.0001", "0.1", 0.9, 2_200.0),
    ("FIL/USDT", "0.001", "0.01", 5.0, 400.0),
    ("TRX/USDT", "0.00001", "0.1", 0.12, 16_000.0),
    ("XLM/USDT", "0.0001", "1", 0.11, 18_000.0),
];

/// Pairs that are counted in bitcoin.
const CROSSES: [(&str, &str, &str, f64, f64); 2] =
    [("ETH/BTC", "0.00001", "0.001", 0.05, 0.8), ("SOL/BTC", "0.0000001", "0.1", 0.0025, 12.0)];
/// Coins with which each portfolio of a storm with such pairs begins, in ledger units: a tenth of its cash.
const COINS: i64 = 50_000_000;
/// What a coin costs, in whole units of cash: near enough to make up an order of a size.
const COIN: i64 = 60_000;

/// Whether a storm has pairs that are counted in bitcoin: one in ten has.
const fn is_crossed(seed: u64) -> bool {
    seed % 10 == 2
}

fn pairs(seed: u64) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str, f64, f64)> {
    PAIRS.iter().chain(CROSSES.iter().filter(move |_| is_crossed(seed)))
}

/// What each portfolio begins with, in ledger units.
pub(crate) fn deposits(seed: u64) -> impl Iterator<Item = (Currency, i64)> {
    let code = |text| Currency::new(text).expect("a code of a few letters");
    let coins = is_crossed(seed).then(|| (code("BTC"), COINS));
    [(code("USDT"), CASH * 100_000_000)].into_iter().chain(coins)
}

/// So many whole units of cash in ledger units of what a pair is counted in, about.
pub(crate) fn in_quote(it: &Instrument, whole: i64) -> i128 {
    let price = if it.spec.symbol.quote.code() == "BTC" { COIN } else { 1 };
    i128::from(whole) * 100_000_000 / i128::from(price)
}

/// The venue, and the market as the bundle has it.
pub(crate) fn exchange(seed: u64, bundle: Option<Bundle>) -> ExchangeConfig {
    let symbols = pairs(seed).map(|(pair, tick, lot, price, size)| SymbolConfig {
        min_notional: if pair.ends_with("BTC") { "0.0001" } else { "5" }.to_owned(),
        max_quantity: "9000000".to_owned(),
        max_market_quantity: "900000".to_owned(),
        ..SymbolConfig::new(pair, tick, lot, *price, *size)
    });
    let in_all = |units: i64| format_decimal(i128::from(units) * i128::from(PORTFOLIOS), 8);
    let all: Vec<_> = deposits(seed).map(|(asset, units)| (asset, in_all(units))).collect();
    let balances: Vec<_> = all.iter().map(|(asset, amount)| (asset.code(), amount.as_str())).collect();
    ExchangeConfig {
        seed,
        symbols: symbols.collect(),
        accounts: vec![AccountConfig::hmac(KEY, SECRET, &balances)],
        fees: FeeRates::default(),
        start: Some(Timestamp::from_millis(START_MILLIS)),
        history_bars: 0,
        flow: flow(seed, bundle.unwrap_or(Bundle::Normal)),
        ..ExchangeConfig::default()
    }
}

fn flow(seed: u64, bundle: Bundle) -> Flow {
    let seconds = |knob| Duration::from_secs(bundle.figure(knob).into());
    let (earliest, latest) = FIRST_CRASH;
    let first = Duration::from_secs(earliest + Chance::new(seed, 5).below(latest - earliest));
    let crash = Crash {
        first,
        every: seconds(Knob::CrashEvery),
        depth_bps: bundle.figure(Knob::CrashDepth) * 100,
        fall: seconds(Knob::CrashFall),
        back: seconds(Knob::CrashBack),
    };
    Flow {
        step: Duration::from_secs(FLOW_SECONDS),
        levels: 5,
        seconds: false,
        spread: bundle.figure(Knob::Spread),
        volatility: bundle.figure(Knob::Volatility),
        crash: (crash.depth_bps > 0).then_some(crash),
    }
}

pub(crate) fn signer() -> Signer {
    Signer::new(ApiKey::new(KEY), ApiSecret::new(SECRET)).expect("an HMAC secret may be any text")
}

pub(crate) fn key() -> &'static str {
    KEY
}

/// Venue symbols, such as `BTCUSDT`, in the order of the instrument ids.
pub(crate) fn venue_symbols(seed: u64) -> impl Iterator<Item = String> {
    pairs(seed).map(|(pair, ..)| pair.parse::<Symbol>().expect("each pair is written as a symbol").joined())
}

/// Largest notional of one order and of one position, in whole units of cash: amounts, so that a judge can check them
/// without knowing how equity is counted.
pub(crate) const MAX_ORDER: i64 = 6_000;
pub(crate) const MAX_POSITION: i64 = 15_000;
/// From this age on a price is too old to trade on.
pub(crate) const STALE_NANOS: i64 = 5_000_000_000;

/// How far from the market a market order may fill.
pub(crate) const COLLAR_BPS: i64 = 100;

/// The controls that ship, less the breakers: a storm is one long run of failures, and must go on.
pub(crate) fn limits() -> Limits {
    let amount = |whole: i64| Cap { equity_bps: None, amount: Some(whole * 100_000_000) };
    let controls = Controls {
        open_positions: None,
        order_failures: None,
        failed_trades: None,
        consecutive_losses: None,
        weekly_loss_bps: None,
        unprotected_nanos: None,
        market_collar_bps: Some(COLLAR_BPS),
        ..Controls::of(Profile::Conservative)
    };
    Limits {
        max_order: amount(MAX_ORDER),
        max_position: amount(MAX_POSITION),
        daily_loss_bps: None,
        drawdown_bps: None,
        stale_after_nanos: Some(STALE_NANOS),
        controls: Some(controls),
        ..Limits::CONSERVATIVE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Storm;
    use crate::life::START;
    use crate::orders::SECOND;
    use crate::plan::Plan;
    use tradewind_domain::TradeId;

    #[test]
    fn a_storm_with_pairs_in_bitcoin_trades_them() {
        let booked = |seed: u64| {
            let mut storm = Storm::new(seed, 600 * SECOND, Plan::default());
            storm.run_until(START + 600 * SECOND);
            assert!(storm.violations.is_empty(), "{:?}", storm.violations);
            let state = storm.node.process.expect("nothing kills it").host.state;
            let has = |place: usize| (0..1_000).any(|trade| state.listings[place].booked.contains(TradeId(trade)));
            (PAIRS.len()..state.listings.len()).map(has).collect::<Vec<bool>>()
        };
        assert_eq!((booked(2), booked(3)), (vec![true, true], vec![]));
    }
}
