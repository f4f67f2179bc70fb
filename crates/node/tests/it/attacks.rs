//! What somebody may try against a node that needs no network face: impersonation, disguise, and keys that leak.

use crate::governance::{said, signed, start, token, two_persons};
use crate::support::{KEY, SECRET, Stage, ask, check_journal, exchange_config, until, words};
use std::path::Path;
use tradewind_domain::Side::Buy;
use tradewind_node::{GovernRequest, OperatorRequest, Token};

/// Every file below `dir` that holds `secret`.
fn files_with(dir: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, secret));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(secret.len()).any(|it| it == secret.as_bytes()))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn s4_46_no_key_and_no_token_leaves_through_the_journal_the_trail_or_an_answer() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let mut answers = String::new();
    for symbol in ["BTC/USDT", KEY, SECRET] {
        let order = OperatorRequest::OrderPlace(tradewind_node::OrderWords {
            symbol: symbol.to_owned(),
            ..words(Buy, "0.001", None)
        });
        answers += &format!("{:?}", said(&node, "anna", order).await.map_err(|(code, _)| code));
    }
    for request in [OperatorRequest::Status, OperatorRequest::OrderList, OperatorRequest::Govern(GovernRequest::Limits)]
    {
        answers += &ask(&node, request).await.unwrap().to_string();
    }
    let wrong = said(&node, "anna", OperatorRequest::Resume { reason: "x".to_owned() });
    answers += &format!("{:?}", wrong.await);
    until(&node, "it filled", |it| it["counters"]["fills"].as_u64() > Some(0)).await;
    node.stop().await.unwrap();
    for secret in [SECRET, KEY, &token("anna"), &token("ben")] {
        assert!(!answers.contains(secret), "an answer tells {secret}");
        assert_eq!(files_with(stage.dir.path(), secret), Vec::<String>::new(), "{secret}");
    }
    let here = "BTC/USDT"; // the search itself finds what is there
    assert!(!files_with(stage.dir.path(), here).is_empty());
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn s4_48_nobody_speaks_for_somebody_else() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(two_persons(&stage)).await;
    let order = || OperatorRequest::OrderPlace(words(Buy, "0.001", None));
    let OperatorRequest::Signed(honest) = signed("anna", None, order()) else { unreachable!() };
    for (by, token) in [
        (Some("ben"), honest.token.clone()),
        (Some("ANNA"), honest.token.clone()),
        (Some("anna "), honest.token.clone()),
        (Some("\u{430}nna"), honest.token.clone()), // a Cyrillic letter
        (Some("operator"), honest.token.clone()),
        (Some("agent-0"), honest.token.clone()),
        (Some("anna"), None),
        (Some("anna"), Some(Token(String::new()))),
    ] {
        let mut forged = honest.clone();
        (forged.by, forged.token) = (by.map(str::to_owned), token);
        assert_eq!(ask(&node, OperatorRequest::Signed(forged)).await.unwrap_err().0, "NODE-30", "{by:?}");
    }
    // a person within a person is no way around it either
    let nested = signed("anna", None, signed("ben", None, order()));
    assert_eq!(ask(&node, nested).await.unwrap_err().0, "NODE-13");
    assert!(stage.venue_orders().await.is_empty());
    ask(&node, signed("anna", None, order())).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn s4_49_a_disguised_symbol_is_none_that_is_traded() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    for symbol in [
        "\u{412}TC/USDT",   // a Cyrillic B
        "BTC\u{200B}/USDT", // nothing wide
        "\u{202E}TDSU/CTB", // right to left
        "\u{FF22}TC/USDT",  // full width
        "QlRDL1VTRFQ=",     // base64 of BTC/USDT
        "BTC/USDT\0",
        " BTC/USDT",
    ] {
        let order = tradewind_node::OrderWords { symbol: symbol.to_owned(), ..words(Buy, "0.001", None) };
        let refused = ask(&node, OperatorRequest::OrderPlace(order)).await.unwrap_err();
        assert_eq!(refused.0, "NODE-01", "{}", symbol.escape_unicode());
    }
    assert!(stage.venue_orders().await.is_empty());
    node.stop().await.unwrap();
}
