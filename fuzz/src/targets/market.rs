//! What a venue says of the market: answers over HTTP, streams, books.

use super::{Feed, Target, owned, refused, way};
use crate::seeds;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use tradewind_book::{CheckedBook, OrderBook, top_checksum};
use tradewind_domain::{
    ClientOrderId, Coded as _, FeeSchedule, Instrument, InstrumentId, Interval, Price, Quantity, Side, Timestamp,
};
use tradewind_venues::binance::convert::{self, Instruments};
use tradewind_venues::binance::protocol::{MarketFrame, Refusal, read_answer, read_market_event};
use tradewind_venues::binance::rules::{BookSync, Command, Prices, Sync};
use tradewind_venues::binance::wire as w;
use tradewind_venues::{BookChange, Levels, TransportFault, VenueEvent, read_json};

/// When everything is read.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A listing of BTC/USDT as the venue writes it.
const LISTING: &str = r#"{"timezone":"UTC","serverTime":1700000000000,"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}],"exchangeFilters":[],"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":8,"quoteAssetPrecision":8,"orderTypes":["LIMIT","LIMIT_MAKER","MARKET","STOP_LOSS_LIMIT"],"isSpotTradingAllowed":true,"ocoAllowed":true,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1000000.00","tickSize":"0.01000000"},{"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},{"filterType":"MARKET_LOT_SIZE","minQty":"0","maxQty":"112.21","stepSize":"0"},{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5}],"allowedSelfTradePreventionModes":["NONE"]}]}"#;

/// BTC/USDT and ETH/USDT at eight decimals.
pub(super) fn instruments() -> Instruments {
    let listed = |id: u32, text: &str| -> Instrument {
        let info: w::ExchangeInfo = serde_json::from_str(text).expect("a listing");
        let listing = convert::list_symbol(&info.symbols[0], FeeSchedule::default()).expect("it can be traded");
        listing.spec.list(InstrumentId(id)).expect("it can be listed")
    };
    Instruments::new([listed(0, LISTING), listed(1, &LISTING.replace("BTC", "ETH"))])
}

/// Reads an answer of one kind with a status; odd for one that was read.
type Read = fn(&Instruments, u16, &[u8]) -> u64;

/// The kinds of answers, by the first letter of an input.
const KINDS: [(u8, Read); 14] = [
    (b'i', |all, status, body| asked(status, body, |it: &w::ExchangeInfo| listings(all, it))),
    (b'd', |all, status, body| asked(status, body, |it: &w::Depth| levels(all, it))),
    (b'k', |all, status, body| asked(status, body, |it: &Vec<w::Kline>| bars(all, it))),
    (b'a', |_, status, body| asked(status, body, account)),
    (b'o', |all, status, body| asked(status, body, |it: &w::OrderReport| standing(all, it))),
    (b'O', |all, status, body| {
        asked(status, body, |it: &Vec<w::OrderReport>| way(it.iter().map(|row| standing(all, row)).collect::<Vec<_>>()))
    }),
    (b't', |all, status, body| asked(status, body, |it: &Vec<w::AccountTrade>| trades(all, it))),
    (b'n', |_, status, body| asked(status, body, |it: &w::NewOrderResponse| way(it.fills.as_ref().map(Vec::len)))),
    (b'c', |_, status, body| asked(status, body, |it: &w::CancelResponse| way(it.order_id == 0))),
    (b'C', |_, status, body| asked(status, body, |it: &Vec<w::CancelledItem>| way(it.len()))),
    (b'l', |_, status, body| asked(status, body, |it: &w::OrderList| way(it.orders.len()))),
    (b's', |_, status, body| asked(status, body, |it: &w::ServerTime| way(it.server_time > 0))),
    (b'b', |_, status, body| asked(status, body, |it: &w::BookTicker| way(it.symbol.len()))),
    (b'r', |_, status, body| asked(status, body, |it: &Vec<w::RecentTrade>| way(it.len()))),
];

pub(super) const REST: Target = Target {
    name: "rest-answers",
    about: "answers over HTTP of any status, by a letter for their kind: what was read is written and read the same",
    seeds: |name| {
        let mut all: Vec<Vec<u8>> =
            owned(&["s200{\"serverTime\":1700000000000}", "o400{\"code\":-2013,\"msg\":\"no\"}"]);
        all.push(format!("i200{LISTING}").into_bytes());
        for (status, body) in [(418, ""), (429, "<html>"), (403, "<html>"), (503, "{}"), (302, ""), (200, "[]")] {
            all.push(format!("o{status}{body}").into_bytes());
        }
        for text in seeds::binance(name) {
            let all_there = instruments();
            for (letter, read) in KINDS {
                // a recording belongs to the kinds that read it
                if read(&all_there, 200, text.as_bytes()) & 1 == 1 {
                    all.push(format!("{}200{text}", char::from(letter)).into_bytes());
                }
            }
        }
        all
    },
    make: || -> Feed {
        let all = instruments();
        Box::new(move |bytes| {
            let letter = bytes.first().copied().unwrap_or(b'i');
            let status = bytes.get(1..4).and_then(|it| std::str::from_utf8(it).ok()?.parse().ok()).unwrap_or(200);
            let (_, read) =
                KINDS.iter().find(|(known, _)| *known == letter).unwrap_or(&KINDS[usize::from(letter) % 14]);
            way((letter, read(&all, status, bytes.get(4..).unwrap_or_default())))
        })
    },
};

/// Reads an answer; odd for one that was read.
fn asked<T>(status: u16, body: &[u8], convert: impl FnOnce(&T) -> u64) -> u64
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    match read_answer::<T>(Command::Query, status, body, None).0 {
        Ok(read) => {
            assert_eq!(status, 200, "only that is a yes");
            let written = serde_json::to_vec(&read).expect("it came as JSON");
            let again: Result<T, _> = serde_json::from_slice(&written);
            assert_eq!(again.ok().as_ref(), Some(&read), "{}", String::from_utf8_lossy(&written));
            convert(&read) | 1
        }
        Err(Refusal::Rejected(rejection)) => way((rejection.code, rejection.venue_code)) & !1,
        Err(Refusal::NotFound { code, .. }) => way(code) & !1,
        Err(Refusal::Fault(fault)) => faulty(&fault) & !1,
    }
}

/// The way of what nobody knows the outcome of.
pub(super) fn faulty(fault: &TransportFault) -> u64 {
    way((std::mem::discriminant(fault), fault.code()))
}

fn converted<T>(result: Result<T, convert::ConvertError>) -> u64 {
    result.map_or_else(|error| refused(&error), |_| 1)
}

fn listings(_: &Instruments, info: &w::ExchangeInfo) -> u64 {
    let each = info.symbols.iter().map(|symbol| match convert::list_symbol(symbol, FeeSchedule::default()) {
        Ok(listing) => listing.spec.list(InstrumentId(0)).map_or_else(|error| refused(&error), |_| 1),
        Err(error) => refused(&error),
    });
    way(each.collect::<Vec<_>>())
}

fn levels(all: &Instruments, depth: &w::Depth) -> u64 {
    let it = all.id(InstrumentId(0)).expect("it is listed");
    let read = convert::book_levels(it, depth.last_update_id, &depth.bids, &depth.asks);
    if let Ok(read) = &read {
        rested(&mut OrderBook::new(Price::from_mantissa(1)), &read.bids, &read.asks);
    }
    converted(read)
}

fn bars(all: &Instruments, rows: &[w::Kline]) -> u64 {
    let it = all.id(InstrumentId(0)).expect("it is listed");
    let read = |row| {
        let bar = convert::bar(it, Interval::MINUTE, row);
        if let Ok(bar) = &bar {
            assert!(bar.low <= bar.open.min(bar.close) && bar.open.max(bar.close) <= bar.high, "{bar:?}");
        }
        converted(bar)
    };
    way(rows.iter().map(read).collect::<Vec<_>>())
}

fn account(it: &w::Account) -> u64 {
    let (balances, errors) = convert::balances(it);
    let errors: Vec<u64> = errors.iter().map(refused).collect();
    way((balances.len().min(4), errors, converted(convert::fee_schedule(it))))
}

fn standing(all: &Instruments, row: &w::OrderReport) -> u64 {
    converted(convert::standing(all, row, NOW))
}

fn trades(all: &Instruments, rows: &[w::AccountTrade]) -> u64 {
    let it = all.id(InstrumentId(0)).expect("it is listed");
    let read = |row| {
        let fill = convert::fill_of_trade(it, ClientOrderId::from_u128(7), row);
        if let Ok(fill) = &fill {
            assert!(fill.price.mantissa() > 0 && fill.quantity.mantissa() > 0, "{fill:?}");
        }
        converted(fill)
    };
    way(rows.iter().map(read).collect::<Vec<_>>())
}

pub(super) const STREAM: Target = Target {
    name: "market-stream",
    about: "frames of market streams, several in a row: what is believed of prices is possible, and books stay in step or say so",
    seeds: |name| {
        let frames: Vec<String> = seeds::binance(name)
            .into_iter()
            .filter(|text| text.contains("\"stream\":") || text.contains("\"e\":"))
            .collect();
        let mut all = owned(&[
            r#"{"stream":"btcusdt@bookTicker","data":{"u":400900217,"s":"BTCUSDT","b":"50000.10","B":"3.1","a":"50000.20","A":"4.0"}}"#,
            r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000000,"s":"BTCUSDT","t":12345,"p":"50000.1","q":"0.01","T":1700000000000,"m":true,"M":true}}"#,
            r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000000,"s":"BTCUSDT","U":157,"u":160,"b":[["50000.00","10"]],"a":[["50001.00","100"]]}}"#,
            r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1700000000000,"s":"BTCUSDT","k":{"t":1699999980000,"T":1700000039999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"50000","c":"50001","h":"50002","l":"49999","v":"10","n":100,"x":true,"q":"500000","V":"5","Q":"250000","B":"0"}}}"#,
        ]);
        all.extend(frames.chunks(3).map(|some| some.join("\n").into_bytes()));
        all.extend(frames.into_iter().map(String::into_bytes));
        all
    },
    make: || -> Feed {
        let all = instruments();
        Box::new(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let book = Follower { sync: BookSync::default(), book: OrderBook::new(Price::from_mantissa(1)) };
            let mut known = Known { book, prices: Prices::default() };
            way(text.lines().map(|line| frame(&all, line, &mut known)).collect::<Vec<_>>())
        })
    },
};

fn frame(all: &Instruments, line: &str, known: &mut Known) -> u64 {
    let Some(frame) = MarketFrame::read(line) else { return 0 };
    let _ = (frame.number(), frame.is_of("BTCUSDT"), frame.stream());
    if frame.kind().starts_with("depth") {
        return depth(all, &frame, &mut known.book);
    }
    let prices = &mut known.prices;
    match read_market_event(all, frame.kind(), frame.data(), NOW) {
        Ok(None) => 1,
        Err(error) => {
            assert!(super::is_code(error.0) && !error.1.is_empty(), "{error:?}");
            way(error.0)
        }
        Ok(Some(VenueEvent::Quote { quote, .. })) => {
            let believed = prices.quote(&quote, NOW);
            let is_real = quote.bid.mantissa() > 0 && quote.bid < quote.ask;
            assert!(believed.is_err() || is_real, "believed: {quote:?}");
            way(believed.err().map(|doubt| std::mem::discriminant(&doubt)))
        }
        Ok(Some(VenueEvent::Bar { bar, closed, .. })) => {
            assert!(bar.low <= bar.open.min(bar.close) && bar.open.max(bar.close) <= bar.high, "{bar:?}");
            let believed = prices.bar(&bar, NOW);
            assert!(believed.is_err() || bar.low.mantissa() > 0, "believed: {bar:?}");
            way((closed, believed.err().map(|doubt| std::mem::discriminant(&doubt))))
        }
        Ok(Some(VenueEvent::Trade { trade, .. })) => {
            let believed = prices.trade(&trade, NOW);
            let is_real = trade.price.mantissa() > 0 && trade.quantity > Quantity::ZERO;
            assert!(believed.is_err() || is_real, "believed: {trade:?}");
            way(believed.err().map(|doubt| std::mem::discriminant(&doubt)))
        }
        Ok(Some(other)) => panic!("no market event: {other:?}"),
    }
}

fn depth(all: &Instruments, frame: &MarketFrame<'_>, book: &mut Follower) -> u64 {
    let event = match read_json::<w::DepthEvent>(frame.data().as_bytes()) {
        Ok(event) => event,
        Err(error) => return refused(&error),
    };
    let it = match all.symbol(&event.symbol) {
        Ok(it) => it,
        Err(error) => return refused(&error),
    };
    match convert::depth_diff(it, &event) {
        Ok(diff) => {
            let snapshot = diff.levels.clone();
            let step = book.sync.on_diff(diff);
            let fetched = matches!(step, Sync::Fetch | Sync::Lost { .. }).then(|| book.sync.on_snapshot(snapshot));
            way((book.takes(step), fetched.map(|step| book.takes(step))))
        }
        Err(error) => refused(&error),
    }
}

/// What a connection keeps of one instrument.
struct Known {
    book: Follower,
    /// What is believed of its price.
    prices: Prices,
}

/// A book that follows a stream.
struct Follower {
    sync: BookSync,
    book: OrderBook,
}

impl Follower {
    fn takes(&mut self, step: Sync) -> u64 {
        let Sync::Emit(changes) = step else { return way(std::mem::discriminant(&step)) };
        for change in &changes {
            match change {
                BookChange::Snapshot(levels) => {
                    self.book.clear();
                    rested(&mut self.book, &levels.bids, &levels.asks);
                }
                BookChange::Diff(levels) => rested(&mut self.book, &levels.bids, &levels.asks),
                BookChange::Lost { .. } => self.book.clear(),
            }
        }
        way(changes.len())
    }
}

/// Sets levels; what a side then holds is positive, in its order, and what was set last.
fn rested(book: &mut OrderBook, bids: &Levels, asks: &Levels) {
    for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
        for (price, size) in levels {
            match book.set(side, *price, *size) {
                Ok(_) => assert_eq!(book.size_at(side, *price), *size),
                Err(error) => drop(refused(&error)),
            }
        }
        ordered(book, side);
    }
}

fn ordered(book: &OrderBook, side: Side) {
    let levels: Vec<(Price, Quantity)> = book.levels(side).collect();
    assert!(levels.iter().all(|(_, size)| size.mantissa() > 0), "{levels:?}");
    let better = |pair: &[(Price, Quantity)]| match side {
        Side::Buy => pair[0].0 > pair[1].0,
        Side::Sell => pair[0].0 < pair[1].0,
    };
    assert!(levels.windows(2).all(better), "{levels:?}");
}

pub(super) const BOOKS: Target = Target {
    name: "books",
    about: "updates of a book with checksums, 17 bytes a level: a book that is shown is one that the checksum is of",
    seeds: |_| {
        let level = |side: u8, price: i64, size: i64| -> Vec<u8> {
            [&[side][..], &price.to_le_bytes(), &size.to_le_bytes()].concat()
        };
        let some: Vec<u8> = (0..12).flat_map(|at| level(at % 2, 5_000_000 + i64::from(at), 100)).collect();
        let gone: Vec<u8> =
            (0..12).flat_map(|at| level(at % 2, 5_000_000 + i64::from(at), i64::from(at % 3))).collect();
        vec![some.clone(), gone.clone(), [some, gone].concat(), level(0, i64::MAX, i64::MAX), level(1, -1, -1)]
    },
    make: || -> Feed { Box::new(updates) },
};

fn updates(bytes: &[u8]) -> u64 {
    let mut book = CheckedBook::new(Price::from_mantissa(1), 10);
    let mut ways = Vec::new();
    // four levels an update, and of each update's first byte one bit says whether the venue's checksum agrees
    for update in bytes.chunks(17 * 4) {
        let level = |it: &[u8]| -> Option<(Side, Price, Quantity)> {
            let number = |from: usize| Some(i64::from_le_bytes(it.get(from..from + 8)?.try_into().ok()?));
            let side = if it[0] & 1 == 0 { Side::Buy } else { Side::Sell };
            Some((side, Price::from_mantissa(number(1)?), Quantity::from_mantissa(number(9)?)))
        };
        let levels: Vec<_> = update.chunks(17).filter_map(level).collect();
        let step = if book.book().is_none() {
            book.load(levels)
        } else {
            let mut meant = book.clone();
            let agrees = update[0] & 2 == 0;
            let venue = match meant.update(levels.clone(), 0) {
                Err(tradewind_book::CheckError::Mismatch { ours, .. }) if agrees => ours,
                _ => 1,
            };
            book.update(levels, venue)
                .inspect(|()| assert_eq!(book.book().map(top_checksum), Some(venue), "it is shown, and is another"))
        };
        ways.push(match step {
            Ok(()) => {
                let shown = book.book().expect("it was taken");
                ordered(shown, Side::Buy);
                ordered(shown, Side::Sell);
                way((shown.len(Side::Buy), shown.len(Side::Sell)))
            }
            Err(error) => {
                assert!(book.book().is_none(), "nobody prices from a book that is wrong");
                refused(&error)
            }
        });
    }
    way(ways)
}
