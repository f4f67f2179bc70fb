//! Recorded books, played through our own: what they end as is what the venue's own quotes say.

use crate::common::{recordings, stated};
use tradewind_book::{OrderBook, QueueBook, QueuedOrder};
use tradewind_domain::{Price, Quantity, Side, format_decimal};
use tradewind_history::{DepthSeries, ImportOptions, OnDefect, OrderAction, read_depth, read_orders, read_quotes};

fn reported() -> ImportOptions {
    ImportOptions { on_defect: OnDefect::Report, hash: false, ..stated() }
}

/// Plays depth: the book at its end, and how many updates left it crossed.
fn play(series: &DepthSeries) -> (OrderBook, usize) {
    let mut book = OrderBook::new(Price::from_mantissa(1));
    let mut crossed = 0;
    for update in series.playable() {
        if update.snapshot {
            book.clear();
        }
        for level in &update.levels {
            book.set(level.side, level.price, level.size).unwrap();
        }
        crossed += usize::from(book.is_crossed());
    }
    (book, crossed)
}

#[test]
fn every_recorded_depth_plays_to_a_sound_book() {
    let Some(root) = recordings("every_recorded_depth_plays_to_a_sound_book") else { return };
    let mut got = String::new();
    for name in [
        "binance-spot-btcusdt_20240808.gz",
        "binance-usdm-btcusdt_20240808.gz",
        "nautilus/binance-btcusdt-depth-snap.csv",
        "nautilus/binance-btcusdt-depth-update.csv",
        "nautilus/bybit-xrpusdt-ob500.data.zip",
        "tardis/binance-futures_book_snapshot_25_BTCUSDT.csv",
        "tardis/deribit_incremental_book_L2_BTC-PERPETUAL.csv",
    ] {
        let series = read_depth(&root.join("ticks").join(name), &reported()).unwrap();
        let (book, crossed) = play(&series);
        let decimals = series.instrument.price_decimals;
        let best = |level: Option<(Price, Quantity)>| {
            level.map_or_else(|| "-".to_owned(), |(price, _)| format_decimal(price.mantissa().into(), decimals))
        };
        let levels = [Side::Buy, Side::Sell].map(|side| book.len(side));
        got += &format!(
            "{name}: {} of {} updates, {crossed} crossed, ends {} / {}, {levels:?} levels\n",
            series.playable().len(),
            series.updates.len(),
            best(book.best_bid()),
            best(book.best_ask()),
        );
    }
    expect_test::expect_file!["golden/played.txt"].assert_eq(&got);
}

#[test]
fn a_played_book_ends_at_the_last_recorded_quote() {
    let Some(root) = recordings("a_played_book_ends_at_the_last_recorded_quote") else { return };
    for (name, bid, ask) in [
        ("binance-spot-btcusdt_20240808.gz", 6_168_599, 6_168_600),
        ("binance-usdm-btcusdt_20240808.gz", 616_597, 616_598),
    ] {
        let path = root.join("ticks").join(name);
        let (book, _) = play(&read_depth(&path, &reported()).unwrap());
        let quotes = read_quotes(&path, &reported()).unwrap().quotes;
        let (_, last) = quotes[quotes.len() - 1];
        let touch = |level: Option<(Price, Quantity)>| level.unwrap().0.mantissa();
        assert_eq!((touch(book.best_bid()), touch(book.best_ask())), (bid, ask), "{name}");
        assert_eq!((last.bid.mantissa(), last.ask.mantissa()), (bid, ask), "{name}");
    }
}

#[test]
fn recorded_orders_play_through_a_book_of_queues() {
    let Some(root) = recordings("recorded_orders_play_through_a_book_of_queues") else { return };
    let series = read_orders(&root.join("ticks/bitstamp-L3-orders-2015-05-01.csv.xz"), &reported()).unwrap();
    let mut book = QueueBook::new();
    let (mut strangers, mut crossed) = (0, 0);
    for (_, event) in &series.events {
        let order = QueuedOrder { id: event.id, side: event.side, price: event.price, size: event.size };
        let done = match event.action {
            OrderAction::Added => book.add(order),
            OrderAction::Changed => book.change(event.id, event.price, event.size).or_else(|_| book.add(order)),
            OrderAction::Deleted => book.delete(event.id).map(|_| ()),
        };
        strangers += usize::from(done.is_err());
        crossed += usize::from(book.is_crossed());
    }
    let bids = book.orders(Side::Buy).count();
    assert_eq!((series.events.len(), strangers, bids, book.len()), (50_414, 205, bids, 185));
    // takers stand on the book until their fills are told, and some deletions were never recorded
    assert_eq!(crossed, 19_819);
}
