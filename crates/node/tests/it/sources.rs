//! Words that are no order, from whoever asks.

use crate::support::{Stage, ask, exchange_config, status, words};
use tradewind_domain::Side;
use tradewind_node::{OperatorRequest, OrderWords};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i02_words_that_are_no_numbers_or_no_symbol_are_refused_with_a_code_and_leave_no_trace() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let before = status(&node).await["sequence"].clone();
    let sound = || words(Side::Buy, "0.001", Some("30000"));
    let mut garbage: Vec<OrderWords> = Vec::new();
    for text in [
        "NaN",
        "nan",
        "inf",
        "-inf",
        "1e308",
        "1e-308",
        "1E5",
        "-1",
        "-0.001",
        "0x10",
        "1_000",
        "1,000",
        "+1",
        "",
        " ",
        "1 ",
        "١٢",
        "１２３",
        "0.٣",
        "1\u{200b}",
        "99999999999999999999999999",
        "0.0000000000000000001",
        "--1",
        "1.2.3",
        "½",
    ] {
        garbage.push(OrderWords { quantity: text.to_owned(), ..sound() });
        garbage.push(OrderWords { price: Some(text.to_owned()), ..sound() });
    }
    for symbol in ["", "btc/usdt", "ВТС/USDT", "BTC/USDT\u{200b}", "\u{202e}TDSU/CTB", "BTC/USDT; drop", "ETH/USDT"]
    {
        garbage.push(OrderWords { symbol: symbol.to_owned(), ..sound() });
    }
    for words in garbage {
        let shown = format!("{words:?}");
        let (code, message) = ask(&node, OperatorRequest::OrderPlace(words)).await.expect_err(&shown);
        assert!(!code.is_empty() && !message.is_empty(), "{shown}");
    }
    let seen = status(&node).await;
    assert_eq!((&seen["open_orders"], &seen["unknown_orders"]), (&0.into(), &0.into()));
    assert_eq!(stage.venue_orders().await.len(), 0, "the venue never heard of any");
    let judged = seen["sequence"].as_u64().unwrap() - before.as_u64().unwrap();
    eprintln!("{judged} events of the market and the gate meanwhile");
    ask(&node, OperatorRequest::OrderPlace(sound())).await.unwrap();
    node.stop().await.unwrap();
}
