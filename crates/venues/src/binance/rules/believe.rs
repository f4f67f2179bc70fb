//! Whether a price that came over a market stream may be believed: numbered in order, possible, and not far from the
//! last one. What is not believed is left out, so that the mark grows old and the gate refuses to price from it.

use std::fmt;
use tradewind_domain::{Bar, Price, Quantity, Quote, Timestamp, Trade};

/// A price of more than so many times the last one, or of less than that part of it, is doubted.
const MOST_JUMP: i64 = 2;
/// A doubted price is believed after all when prices have stayed near it for so long, in nanoseconds.
const HELD: i64 = 10_000_000_000;
/// Near: within a tenth.
const NEAR: i64 = 10;
/// A quote says where the market is for so long, in nanoseconds; an execution that comes later is not compared with it.
const FRESH: i64 = 2_000_000_000;
/// So many numbers in a row that are not new: the venue began to count anew.
const MOST_OLD: u32 = 10;

/// Why a price is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A price or a size that is not positive.
    NotPositive,
    /// One side of the book is empty: there is no price between bid and ask, and nothing is wrong.
    OneSided,
    /// The bid is not below the ask.
    Crossed,
    /// Too far from the price that was believed last.
    Outlier {
        /// The price that was believed last.
        last: Price,
        /// The price that came.
        came: Price,
    },
    /// Quotes and executions have told different prices for too long: nobody knows which of the two is right.
    Apart {
        /// The edge of the quote that is nearer.
        quoted: Price,
        /// The execution.
        traded: Price,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive => f.write_str("a price or a size is not positive"),
            Self::OneSided => f.write_str("one side of the book is empty"),
            Self::Crossed => f.write_str("the bid is not below the ask"),
            Self::Outlier { last, came } => {
                write!(f, "the price went from {} to {} at once", last.mantissa(), came.mantissa())
            }
            Self::Apart { quoted, traded } => {
                write!(f, "quotes say {} and executions {}", quoted.mantissa(), traded.mantissa())
            }
        }
    }
}

/// What was last believed of one instrument's price.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prices {
    last: Option<Price>,
    /// The first of the doubted prices that are near one another, and when it came.
    doubted: Option<(Price, Timestamp)>,
    /// Best bid and ask as they were told last, and when they came.
    quoted: Option<(Price, Price, Timestamp)>,
    /// The bar that was told last, by its opening and how much was traded in it.
    bar: Option<(Timestamp, Quantity)>,
    /// The execution that was the first of those that lay far from the quotes, as they came, and the newest of them.
    apart: Option<Apart>,
}

/// Two feeds of one instrument that disagree.
#[derive(Clone, Copy, Debug)]
struct Apart {
    since: Timestamp,
    newest: Timestamp,
    quoted: Price,
    traded: Price,
}

impl Apart {
    /// Whether they have disagreed for as long as a new price is doubted.
    fn is_sure(self) -> bool {
        self.newest.since(self.since) >= HELD
    }
}

impl Prices {
    /// Judges best bid and ask that came at `received`.
    ///
    /// # Errors
    /// [`Doubt`] says why they are left out.
    pub fn quote(&mut self, quote: &Quote, received: Timestamp) -> Result<(), Doubt> {
        let zero = Price::from_mantissa(0);
        let is_empty = |price: Price, size: Quantity| price == zero && size.is_zero();
        if is_empty(quote.bid, quote.bid_size) || is_empty(quote.ask, quote.ask_size) {
            return Err(Doubt::OneSided);
        }
        let sizes = !quote.bid_size.is_zero() && !quote.ask_size.is_zero();
        if quote.bid <= zero
            || quote.ask <= zero
            || !sizes
            || quote.bid_size.mantissa().min(quote.ask_size.mantissa()) < 0
        {
            return Err(Doubt::NotPositive);
        }
        if quote.bid >= quote.ask {
            return Err(Doubt::Crossed);
        }
        self.quoted = Some((quote.bid, quote.ask, received));
        self.agrees()?;
        let middle = quote.bid.mantissa() + (quote.ask.mantissa() - quote.bid.mantissa()) / 2;
        self.near(Price::from_mantissa(middle), received)
    }

    /// Judges a trade of the public tape that came at `received`.
    ///
    /// # Errors
    /// [`Doubt`] says why it is left out.
    pub fn trade(&mut self, trade: &Trade, received: Timestamp) -> Result<(), Doubt> {
        if trade.price.mantissa() <= 0 || trade.quantity.mantissa() <= 0 {
            return Err(Doubt::NotPositive);
        }
        self.compare(trade.price, received);
        self.agrees()?;
        self.near(trade.price, received)
    }

    /// Judges a bar, whose prices are in order already, that came at `received`.
    ///
    /// # Errors
    /// [`Doubt`] says why it is left out.
    pub fn bar(&mut self, bar: &Bar, received: Timestamp) -> Result<(), Doubt> {
        if bar.low.mantissa() <= 0 || bar.volume.mantissa() < 0 {
            return Err(Doubt::NotPositive);
        }
        let told = (bar.open_time, bar.volume);
        if self.bar.replace(told) != Some(told) && !bar.volume.is_zero() {
            self.compare(bar.close, received); // somebody has traded since the last one
        }
        self.agrees()?;
        self.near(bar.close, received)
    }

    /// Takes note of whether an execution lies where the quotes say that the market is. One within the quote, or near it,
    /// ends all doubt.
    fn compare(&mut self, traded: Price, received: Timestamp) {
        let Some((bid, ask, at)) = self.quoted else { return };
        if received.since(at) > FRESH {
            return;
        }
        let quoted = traded.clamp(bid, ask.max(bid));
        self.apart = if is_near(quoted, traded) {
            None
        } else {
            let since = self.apart.map_or(received, |apart| apart.since);
            Some(Apart { since, newest: received, quoted, traded })
        };
    }

    fn agrees(&self) -> Result<(), Doubt> {
        match self.apart.filter(|apart| apart.is_sure()) {
            Some(Apart { quoted, traded, .. }) => Err(Doubt::Apart { quoted, traded }),
            None => Ok(()),
        }
    }

    fn near(&mut self, came: Price, received: Timestamp) -> Result<(), Doubt> {
        let Some(last) = self.last else {
            self.last = Some(came);
            return Ok(());
        };
        let (low, high) = (last.min(came).mantissa(), last.max(came).mantissa());
        if i128::from(high) <= i128::from(low) * i128::from(MOST_JUMP) {
            (self.last, self.doubted) = (Some(came), None);
            return Ok(());
        }
        match self.doubted {
            Some((first, since)) if is_near(first, came) => {
                if received.since(since) >= HELD {
                    (self.last, self.doubted) = (Some(came), None);
                    return Ok(());
                }
            }
            _ => self.doubted = Some((came, received)),
        }
        Err(Doubt::Outlier { last, came })
    }
}

fn is_near(one: Price, other: Price) -> bool {
    let apart = (i128::from(one.mantissa()) - i128::from(other.mantissa())).abs();
    apart * i128::from(NEAR) <= i128::from(one.mantissa())
}

/// The numbers of one stream, which only rise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    last: Option<u64>,
    older: u32,
}

/// What a number says of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// It is new.
    New,
    /// It was there before: leave it out.
    Old,
    /// So many in a row were there before that the venue must have begun to count anew: nothing that is known counts.
    BeganAnew,
}

impl Numbers {
    /// Takes note of the number of a message.
    pub const fn note(&mut self, number: u64) -> Numbered {
        match self.last {
            Some(last) if number <= last => {
                self.older += 1;
                if self.older < MOST_OLD { Numbered::Old } else { Numbered::BeganAnew }
            }
            Some(_) | None => {
                (self.last, self.older) = (Some(number), 0);
                Numbered::New
            }
        }
    }
}

/// How often one instrument's streams speak, and from when on their silence is strange although the connection lives.
///
/// Moments are nanoseconds of any monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rhythm {
    heard: i64,
    /// Mean time between two messages, the newer ones counting more; zero before the second one.
    gap: i64,
    count: u32,
    told: bool,
}

/// Messages before a rhythm is known.
const BEATS: u32 = 10;
/// Silence shorter than this is never strange.
const LEAST_SILENCE: i64 = 2_000_000_000;
/// Silence of so many mean gaps is.
const MOST_GAPS: i64 = 12;

impl Rhythm {
    /// A message came; true if silence had been told before.
    pub fn heard(&mut self, now: i64) -> bool {
        let gap = now.saturating_sub(self.heard).max(0);
        match self.count {
            0 => (),
            1 => self.gap = gap,
            _ => self.gap += (gap - self.gap) / 8,
        }
        self.count = self.count.saturating_add(1);
        self.heard = now;
        std::mem::take(&mut self.told)
    }

    /// How long it has been silent, if that is longer than its rhythm explains.
    #[must_use]
    pub fn strange_silence(&self, now: i64) -> Option<i64> {
        let silent = now.saturating_sub(self.heard);
        let most = LEAST_SILENCE.max(self.gap.saturating_mul(MOST_GAPS));
        (self.count >= BEATS && silent >= most).then_some(silent)
    }

    /// As [`Self::strange_silence`], but only once until it is heard again.
    pub fn newly_silent(&mut self, now: i64) -> Option<i64> {
        let silent = self.strange_silence(now)?;
        (!std::mem::replace(&mut self.told, true)).then_some(silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use tradewind_domain::{InstrumentId, Interval, Side, TradeId};

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_new_price_level_is_believed_once_it_has_held() {
        let mut prices = Prices::default();
        let mut near = |price, second: i64| {
            prices.near(Price::from_mantissa(price), Timestamp::from_nanos(second * SECOND)).is_ok()
        };
        assert!(near(100, 0) && near(190, 1) && near(100, 2), "up to twice and half");
        assert!(!near(1_000, 3) && near(101, 4), "an outlier, and back");
        assert!(!near(1_000, 5) && !near(300, 6) && !near(1_000, 7) && !near(1_050, 16));
        assert!(near(1_040, 17), "ten seconds near one another");
        assert!(near(1_100, 18) && !near(100, 19));
    }

    #[test]
    fn c13_while_quotes_and_executions_disagree_neither_is_believed() {
        let at = |second: i64| Timestamp::from_nanos(second * SECOND);
        let quote = |middle: i64| Quote {
            instrument: InstrumentId(0),
            bid: Price::from_mantissa(middle - 1),
            bid_size: Quantity::from_mantissa(1),
            ask: Price::from_mantissa(middle + 1),
            ask_size: Quantity::from_mantissa(1),
        };
        let trade = |price: i64| Trade {
            instrument: InstrumentId(0),
            price: Price::from_mantissa(price),
            quantity: Quantity::from_mantissa(1),
            aggressor: Side::Buy,
            id: TradeId(1),
        };
        let mut prices = Prices::default();
        let mut say = |quoted: i64, traded: i64, second: i64| {
            [prices.quote(&quote(quoted), at(second)).is_ok(), prices.trade(&trade(traded), at(second)).is_ok()]
        };
        assert_eq!(say(1_000, 1_100, 0), [true, true], "a tenth apart is near");
        assert_eq!(say(1_000, 1_200, 1), [true, true], "a moment may be");
        assert_eq!(say(1_200, 1_200, 5), [true, true], "one feed was late");
        assert_eq!(say(1_000, 1_200, 6), [true, true]);
        assert_eq!(say(1_000, 1_200, 15), [true, true], "nine seconds");
        assert_eq!(say(1_000, 1_200, 16), [true, false], "ten: nobody knows which is right");
        assert_eq!(say(1_000, 1_200, 17), [false, false]);
        assert!(prices.quote(&quote(1_200), at(18)).is_err(), "a quote alone proves nothing");
        assert!(prices.trade(&trade(1_200), at(30)).is_err(), "nor an execution beside an old quote");
        assert!(prices.quote(&quote(1_190), at(31)).is_err() && prices.trade(&trade(1_200), at(31)).is_ok());
        assert!(prices.quote(&quote(1_190), at(32)).is_ok(), "they agree again");
        let bar = |volume: i64, close: i64| {
            let close = Price::from_mantissa(close);
            let (volume, open_time) = (Quantity::from_mantissa(volume), at(0));
            let (open, high, low) = (close, close, close);
            Bar { instrument: InstrumentId(0), interval: Interval::MINUTE, open_time, open, high, low, close, volume }
        };
        let mut prices = Prices::default();
        for second in 0..60 {
            assert!(prices.quote(&quote(1_000), at(second)).is_ok());
            assert!(
                prices.bar(&bar(1, 1_200), at(second)).is_ok(),
                "an old close told again and again is no execution"
            );
        }
        assert!(prices.bar(&bar(2, 1_200), at(59)).is_err(), "and now somebody has traded there again");
        assert!(prices.quote(&quote(1_000), at(60)).is_err());
    }

    #[test]
    fn silence_is_strange_by_what_was_usual() {
        let mut lively = Rhythm::default();
        let mut quiet = Rhythm::default();
        for beat in 0..20 {
            lively.heard(beat * SECOND / 10);
            quiet.heard(beat * SECOND);
        }
        let ended = 19 * SECOND / 10;
        assert_eq!(lively.newly_silent(ended + 2 * SECOND - 1), None);
        assert_eq!(lively.newly_silent(ended + 2 * SECOND), Some(2 * SECOND));
        assert_eq!(lively.newly_silent(ended + 3 * SECOND), None, "told once");
        assert!(lively.heard(ended + 4 * SECOND), "and it was told");
        assert_eq!(quiet.newly_silent(19 * SECOND + 11 * SECOND), None, "a quiet market is no frozen one");
        assert!(quiet.newly_silent(19 * SECOND + 12 * SECOND).is_some());
        assert_eq!(Rhythm::default().newly_silent(i64::MAX), None, "no rhythm is known");
    }

    #[test]
    fn numbers_that_begin_anew_are_seen_after_ten() {
        let mut numbers = Numbers::default();
        assert_eq!(
            [5, 6, 6, 7].map(|it| numbers.note(it)),
            [Numbered::New, Numbered::New, Numbered::Old, Numbered::New]
        );
        for number in 1..8 {
            assert_eq!(numbers.note(number), Numbered::Old);
        }
        assert_eq!(numbers.note(8), Numbered::New, "it overtook");
        for number in 1..10 {
            assert_eq!(numbers.note(number % 8), Numbered::Old);
        }
        assert_eq!(numbers.note(4), Numbered::BeganAnew);
    }
}
