//! The trade hash: equal exactly when the executions are.

use tradewind_domain::*;
use tradewind_engine::TradeDigest;

fn instrument(id: u32, symbol: &str) -> Instrument {
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
    };
    spec.list(InstrumentId(id)).unwrap()
}

/// Sold 0.5 at 101.25 by crossing, for 0.05 USDT.
fn fill() -> Fill {
    Fill {
        client_id: ClientOrderId::from_u128(7),
        instrument: InstrumentId(0),
        trade_id: TradeId(1),
        side: Side::Sell,
        price: Price::from_mantissa(10_125),
        quantity: Quantity::from_mantissa(5_000),
        liquidity: Liquidity::Taker,
        fee: Fee(Money::parse("0.05", Currency::new("USDT").unwrap()).unwrap()),
    }
}

const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

fn hash_of(fills: &[(Fill, &str, Timestamp)]) -> String {
    let mut digest = TradeDigest::default();
    for (fill, symbol, at) in fills {
        digest.add(&instrument(fill.instrument.0, symbol), fill, *at);
    }
    assert_eq!(digest.fills(), fills.len() as u64);
    digest.hex()
}

#[test]
fn the_hash_is_sha_256_over_one_line_an_execution() {
    let btc = instrument(0, "BTC/USDT");
    assert_eq!(TradeDigest::line(&btc, &fill(), AT), "1700000000123 BTC/USDT sell 0.5 101.25 0.05 USDT taker");
    let bought = Fill { side: Side::Buy, liquidity: Liquidity::Maker, ..fill() };
    assert_eq!(TradeDigest::line(&btc, &bought, AT), "1700000000123 BTC/USDT buy 0.5 101.25 0.05 USDT maker");
    // printf '...\n...\n' | sha256sum, of these two lines and of none
    let both = hash_of(&[(fill(), "BTC/USDT", AT), (bought, "BTC/USDT", AT)]);
    assert_eq!(both, "dce9e6948522351977e90193255d0cc5a850f2473cc35970c09eba4785d9e9d6");
    assert_eq!(TradeDigest::default().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn every_term_of_an_execution_counts_and_names_do_not() {
    let one = |fill, symbol, at| hash_of(&[(fill, symbol, at)]);
    let plain = one(fill(), "BTC/USDT", AT);
    let fee = |units, code| Fee(Money { currency: Currency::new(code).unwrap(), units });
    for (what, other) in [
        ("side", one(Fill { side: Side::Buy, ..fill() }, "BTC/USDT", AT)),
        ("price", one(Fill { price: Price::from_mantissa(10_126), ..fill() }, "BTC/USDT", AT)),
        ("quantity", one(Fill { quantity: Quantity::from_mantissa(4_999), ..fill() }, "BTC/USDT", AT)),
        ("liquidity", one(Fill { liquidity: Liquidity::Maker, ..fill() }, "BTC/USDT", AT)),
        ("fee", one(Fill { fee: fee(5_000_001, "USDT"), ..fill() }, "BTC/USDT", AT)),
        ("its currency", one(Fill { fee: fee(5_000_000, "BNB"), ..fill() }, "BTC/USDT", AT)),
        ("symbol", one(fill(), "ETH/USDT", AT)),
        ("millisecond", one(fill(), "BTC/USDT", AT.plus_nanos(1_000_000))),
        ("order", hash_of(&[])),
    ] {
        assert_ne!(plain, other, "{what}");
    }
    let renamed = Fill { client_id: ClientOrderId::from_u128(8), trade_id: TradeId(2), ..fill() };
    assert_eq!(plain, one(renamed, "BTC/USDT", AT.plus_nanos(999)), "names and fractions of a millisecond stay out");
}

#[test]
fn the_order_of_executions_counts_across_instruments() {
    let other = Fill { instrument: InstrumentId(1), ..fill() };
    let [btc, eth] = [(fill(), "BTC/USDT", AT), (other, "ETH/USDT", AT)];
    assert_ne!(hash_of(&[btc, eth]), hash_of(&[eth, btc]));
    let lines: Vec<String> = [btc, eth, btc]
        .iter()
        .map(|(it, symbol, at)| TradeDigest::line(&instrument(0, symbol), it, *at) + "\n")
        .collect();
    assert_eq!(lines[1], "1700000000123 ETH/USDT sell 0.5 101.25 0.05 USDT taker\n");
    assert_eq!(
        hash_of(&[btc, eth, btc]),
        "bd9e284b3787dba09e96e6ed20998cdb93a598a6bb7740d030516f549e3d7770",
        "a symbol is not carried over to the next instrument"
    );
}
