//! Candles: built from trades, kept for a while, folded into longer ones.

use std::collections::VecDeque;
use tradewind_domain::{Price, Quantity, Side};

/// One candle as the venue publishes it. Times are milliseconds; amounts of base and quote are `10^-8`: what a day trades
/// of a coin worth a millionth of a dollar does not fit the 64 bits of one order's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candle {
    pub(crate) open_time: i64,
    pub(crate) open: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) close: Price,
    pub(crate) volume: i128,
    pub(crate) quote_volume: i128,
    pub(crate) taker_buy: i128,
    pub(crate) taker_buy_quote: i128,
    pub(crate) first_trade: i64,
    pub(crate) last_trade: i64,
    pub(crate) trades: u64,
}

impl Candle {
    /// Nothing traded: a dash at the last price.
    pub(crate) const fn flat(open_time: i64, price: Price) -> Self {
        Self {
            open_time,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0,
            quote_volume: 0,
            taker_buy: 0,
            taker_buy_quote: 0,
            first_trade: -1,
            last_trade: -1,
            trades: 0,
        }
    }

    /// Adds one trade, or the sum of `count` trades with ids from `first` to `last`.
    pub(crate) fn add(&mut self, price: Price, quantity: Quantity, quote: i128, taker: Side, id: i64) {
        if self.trades == 0 {
            (self.open, self.high, self.low) = (price, price, price);
            self.first_trade = id;
        }
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.close = price;
        let units = i128::from(quantity.mantissa());
        self.volume += units;
        self.quote_volume += quote;
        if taker == Side::Buy {
            self.taker_buy += units;
            self.taker_buy_quote += quote;
        }
        self.last_trade = id;
        self.trades += 1;
    }

    /// Appends a later candle to this one.
    fn extend(&mut self, later: &Self) {
        if self.trades == 0 {
            let open_time = self.open_time;
            *self = Self { open_time, ..*later };
            return;
        }
        if later.trades > 0 {
            self.high = self.high.max(later.high);
            self.low = self.low.min(later.low);
            self.close = later.close;
            self.last_trade = later.last_trade;
        }
        self.volume += later.volume;
        self.quote_volume += later.quote_volume;
        self.taker_buy += later.taker_buy;
        self.taker_buy_quote += later.taker_buy_quote;
        self.trades += later.trades;
    }
}

/// A candle length in the venue's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    /// Milliseconds; 0 for the calendar month.
    millis: i64,
}

const SPANS: [Span; 16] = [
    Span { name: "1s", millis: 1_000 },
    Span { name: "1m", millis: 60_000 },
    Span { name: "3m", millis: 180_000 },
    Span { name: "5m", millis: 300_000 },
    Span { name: "15m", millis: 900_000 },
    Span { name: "30m", millis: 1_800_000 },
    Span { name: "1h", millis: 3_600_000 },
    Span { name: "2h", millis: 7_200_000 },
    Span { name: "4h", millis: 14_400_000 },
    Span { name: "6h", millis: 21_600_000 },
    Span { name: "8h", millis: 28_800_000 },
    Span { name: "12h", millis: 43_200_000 },
    Span { name: "1d", millis: 86_400_000 },
    Span { name: "3d", millis: 259_200_000 },
    Span { name: "1w", millis: 604_800_000 },
    Span { name: "1M", millis: 0 },
];

impl Span {
    /// Reads `1m`, `1h`, … as the venue writes them.
    pub(crate) fn named(name: &str) -> Option<Self> {
        SPANS.into_iter().find(|span| span.name == name)
    }
    /// All of them, shortest first.
    pub(crate) const fn all() -> [Self; 16] {
        SPANS
    }
    /// Whether candles of `base` milliseconds add up to it.
    pub(crate) const fn is_made_of(self, base: i64) -> bool {
        self.millis == 0 || (self.millis >= base && self.millis % base == 0)
    }
    /// When the candle that holds `millis` opened. Weeks open on Monday.
    pub(crate) fn open_of(self, millis: i64) -> i64 {
        match self.millis {
            0 => month_start(millis, 0),
            604_800_000 => millis - (millis - 345_600_000).rem_euclid(604_800_000),
            length => millis - millis.rem_euclid(length),
        }
    }
    /// When the candle after the one opening at `open` opens.
    pub(crate) fn next_open(self, open: i64) -> i64 {
        if self.millis == 0 { month_start(open, 1) } else { open + self.millis }
    }
}

/// Midnight of the first day of the month of `millis`, `later` months on.
///
/// Source of the calendar: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013.
fn month_start(millis: i64, later: i64) -> i64 {
    let days = millis.div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153 + later;
    let (march_year, march_month) = (year_of_era + era * 400 + march_month.div_euclid(12), march_month.rem_euclid(12));
    let (era, year) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_era = year * 365 + year / 4 - year / 100 + (153 * march_month + 2) / 5;
    (era * 146_097 + day_of_era - 719_468) * 86_400_000
}

/// Candles of one base length: closed ones, newest last, and the one being built.
#[derive(Clone, Debug)]
pub(crate) struct Candles {
    pub(crate) base: i64,
    kept: usize,
    closed: VecDeque<Candle>,
    open: Option<Candle>,
}

impl Candles {
    /// Of `base` milliseconds each, keeping the newest `kept`.
    pub(crate) fn new(base: i64, kept: usize) -> Self {
        Self { base, kept, closed: VecDeque::new(), open: None }
    }

    /// Appends a finished candle.
    pub(crate) fn push(&mut self, candle: Candle) {
        if self.closed.len() == self.kept {
            self.closed.pop_front();
        }
        self.closed.push_back(candle);
    }

    /// Opens the candle of `now` at the last price, if none is open.
    pub(crate) fn begin(&mut self, now: i64, price: Price) {
        self.open.get_or_insert_with(|| Candle::flat(now - now.rem_euclid(self.base), price));
    }

    /// The candle being built.
    pub(crate) fn current(&self) -> Option<&Candle> {
        self.open.as_ref()
    }

    pub(crate) fn add(&mut self, price: Price, quantity: Quantity, quote: i128, taker: Side, id: i64) {
        if let Some(candle) = self.open.as_mut() {
            candle.add(price, quantity, quote, taker, id);
        }
    }

    /// Closes what ended at or before `now`; the closed candles, oldest first.
    pub(crate) fn roll(&mut self, now: i64) -> Vec<Candle> {
        let mut done = Vec::new();
        while let Some(candle) = self.open.filter(|candle| candle.open_time + self.base <= now) {
            self.push(candle);
            done.push(candle);
            self.open = Some(Candle::flat(candle.open_time + self.base, candle.close));
        }
        done
    }

    /// Puts another candle in the place of the one being built.
    pub(crate) fn replace_current(&mut self, candle: Candle) {
        self.open = Some(candle);
    }

    /// Closes the candle being built and opens none.
    pub(crate) fn finish(&mut self) -> Option<Candle> {
        let candle = self.open.take()?;
        self.push(candle);
        Some(candle)
    }

    /// All candles from `from` on, oldest first, the one being built included.
    pub(crate) fn since(&self, from: i64) -> impl DoubleEndedIterator<Item = &Candle> {
        let skip = self.closed.partition_point(|candle| candle.open_time < from);
        self.closed.range(skip..).chain(self.open.as_ref().filter(|candle| candle.open_time >= from))
    }

    /// Candles of `span` whose open time lies in `from..=to`, at most `limit`: the oldest if `from` is given,
    /// else the newest.
    pub(crate) fn fold(&self, span: Span, from: Option<i64>, to: Option<i64>, limit: usize) -> Vec<Candle> {
        let mut folded: Vec<Candle> = Vec::new();
        let start = from.map_or(i64::MIN, |from| from.max(0));
        for candle in self.since(if from.is_some() { span.open_of(start) } else { i64::MIN }) {
            let open_time = span.open_of(candle.open_time);
            match folded.last_mut() {
                Some(last) if last.open_time == open_time => last.extend(candle),
                _ => folded.push(Candle { open_time, ..*candle }),
            }
        }
        folded.retain(|candle| candle.open_time >= start && to.is_none_or(|to| candle.open_time <= to));
        if from.is_some() {
            folded.truncate(limit);
        } else {
            folded.drain(..folded.len().saturating_sub(limit));
        }
        folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_first_day() {
        let month = Span::named("1M").unwrap();
        for (millis, open, next) in [
            (1_709_164_800_000, 1_706_745_600_000, 1_709_251_200_000), // 2024-02-29 → 02-01, 03-01
            (1_735_603_200_000, 1_733_011_200_000, 1_735_689_600_000), // 2024-12-31 → 12-01, 2025-01-01
            (0, 0, 2_678_400_000),
        ] {
            assert_eq!((month.open_of(millis), month.next_open(millis)), (open, next), "{millis}");
        }
        assert_eq!(Span::named("1w").unwrap().open_of(1_709_164_800_000), 1_708_905_600_000); // Monday 02-26
    }

    #[test]
    fn long_candles_are_the_fold_of_short_ones() {
        let mut candles = Candles::new(60_000, 10);
        let price = Price::from_mantissa;
        candles.begin(0, price(100));
        for (at, p, q, side) in [
            (0, 100, 1, Side::Buy),
            (30_000, 90, 2, Side::Sell),
            (61_000, 120, 3, Side::Buy),
            (250_000, 110, 4, Side::Sell),
        ] {
            candles.roll(at);
            candles.add(price(p), Quantity::from_mantissa(q), i128::from(p * q), side, at);
        }
        let three = candles.fold(Span::named("3m").unwrap(), None, None, 10);
        assert_eq!(three.len(), 2);
        let first = three[0];
        assert_eq!((first.open, first.high, first.low, first.close), (price(100), price(120), price(90), price(120)));
        assert_eq!((first.volume, first.quote_volume, first.trades), (6, 640, 3));
        assert_eq!((first.taker_buy, first.first_trade, first.last_trade), (4, 0, 61_000));
        assert_eq!((three[1].open, three[1].volume), (price(110), 4));
        let flat = candles.fold(Span::named("1m").unwrap(), Some(120_000), Some(120_000), 10);
        assert_eq!((flat.len(), flat[0].open, flat[0].trades), (1, price(120), 0));
    }
}
