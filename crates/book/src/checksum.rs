//! [`CheckedBook`]: a book whose venue sends a checksum with each update, and which is believed only while the two agree.

use crate::error::hint_of;
use crate::{BookError, OrderBook};
use std::iter::successors;
use tradewind_domain::{Coded, Price, Quantity, Side};

/// How many levels of each side a checksum covers.
const COVERED: usize = 10;

/// A book that follows a feed with checksums.
///
/// Nobody can price from it between a mismatch and the next snapshot: [`Self::book`] gives nothing then.
#[derive(Clone, Debug)]
pub struct CheckedBook {
    book: OrderBook,
    depth: usize,
    is_sound: bool,
    resyncs: u64,
}

/// Why an update was not taken. The book is empty from then on, and wants a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// A level does not fit.
    Level(BookError),
    /// What rests here is not what rests at the venue.
    Mismatch {
        /// The checksum of what rests here.
        ours: u32,
        /// The venue's.
        venue: u32,
    },
    /// No snapshot was taken since the book was made or last found wrong.
    Unsynced,
}

impl std::fmt::Display for CheckError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Level(error) => error.fmt(f),
            Self::Mismatch { ours, venue } => write!(f, "the book's checksum is {ours}, the venue's {venue}"),
            Self::Unsynced => f.write_str("the book waits for a snapshot"),
        }
    }
}
impl std::error::Error for CheckError {}
impl Coded for CheckError {
    fn code(&self) -> &'static str {
        match self {
            Self::Level(error) => error.code(),
            Self::Mismatch { .. } | Self::Unsynced => "BOK-08",
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

impl CheckedBook {
    /// An empty book with this step between levels, which waits for its snapshot. Of each side the feed keeps `depth`
    /// levels: it does not say when one falls out of that, so what lies beyond is dropped after each update.
    ///
    /// # Panics
    /// If `tick` is not positive.
    #[must_use]
    pub fn new(tick: Price, depth: usize) -> Self {
        Self { book: OrderBook::new(tick), depth, is_sound: false, resyncs: 0 }
    }

    /// The book, while it is the venue's.
    #[must_use]
    pub fn book(&self) -> Option<&OrderBook> {
        self.is_sound.then_some(&self.book)
    }

    /// How often it was found wrong and thrown away.
    #[must_use]
    pub const fn resyncs(&self) -> u64 {
        self.resyncs
    }

    /// Takes a snapshot, which ends a mismatch.
    ///
    /// # Errors
    /// [`CheckError::Level`] of the first level that does not fit.
    pub fn load(&mut self, levels: impl IntoIterator<Item = (Side, Price, Quantity)>) -> Result<(), CheckError> {
        self.is_sound = false;
        self.book.load(levels).map_err(CheckError::Level)?;
        self.is_sound = true;
        Ok(())
    }

    /// Takes all levels of one update, each absolute, and compares the book with the venue's `checksum`.
    ///
    /// # Errors
    /// [`CheckError`]; the book is thrown away, counted, and nothing is priced from it before the next [`Self::load`].
    pub fn update(
        &mut self,
        levels: impl IntoIterator<Item = (Side, Price, Quantity)>,
        checksum: u32,
    ) -> Result<(), CheckError> {
        if !self.is_sound {
            return Err(CheckError::Unsynced);
        }
        let checked = self.applied(levels).and_then(|()| match top_checksum(&self.book) {
            ours if ours == checksum => Ok(()),
            ours => Err(CheckError::Mismatch { ours, venue: checksum }),
        });
        if checked.is_err() {
            self.book.clear();
            self.is_sound = false;
            self.resyncs += 1;
        }
        checked
    }

    fn applied(&mut self, levels: impl IntoIterator<Item = (Side, Price, Quantity)>) -> Result<(), CheckError> {
        for (side, price, size) in levels {
            self.book.set(side, price, size).map_err(CheckError::Level)?;
        }
        for side in [Side::Buy, Side::Sell] {
            if self.book.len(side) > self.depth {
                let beyond: Vec<Price> = self.book.levels(side).skip(self.depth).map(|(price, _)| price).collect();
                for price in beyond {
                    self.book.set(side, price, Quantity::ZERO).map_err(CheckError::Level)?;
                }
            }
        }
        Ok(())
    }
}

/// The checksum of the best ten asks, then the best ten bids, best first: CRC-32 over price and size of each level, both
/// at the decimals of the wire, without the point and without leading zeros. Those are the digits of their mantissas, so
/// the instrument's decimals must be the feed's.
///
/// Source: Kraken, "Book checksum (WebSocket v2)" and "(WebSocket v1)", read in 2026.
#[must_use]
pub fn top_checksum(book: &OrderBook) -> u32 {
    let top = [Side::Sell, Side::Buy].into_iter().flat_map(|side| book.levels(side).take(COVERED));
    let crc = top.fold(u32::MAX, |crc, (price, size)| digits(digits(crc, price.mantissa()), size.mantissa()));
    !crc
}

/// Goes on with the decimal digits of a number that is not negative.
fn digits(crc: u32, number: i64) -> u32 {
    let number = number.unsigned_abs();
    let highest = successors(Some(1_u64), |place| place.checked_mul(10).filter(|next| *next <= number)).last();
    let places = successors(highest, |place| (*place > 1).then_some(place / 10));
    places.fold(crc, |crc, place| {
        let digit = u8::try_from(number / place % 10).expect("one decimal digit");
        step(crc, b'0' + digit)
    })
}

/// One byte of CRC-32 with the reversed polynomial of ITU-T V.42.
fn step(crc: u32, byte: u8) -> u32 {
    let index = (crc ^ u32::from(byte)) & 0xff;
    (crc >> 8) ^ TABLE[index as usize]
}

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0_u32; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let (mut crc, mut bit) = (byte, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte as usize] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_polynomial_comes_out() {
        // "123456789", the check value that catalogues of CRCs list for CRC-32
        assert_eq!(!digits(u32::MAX, 123_456_789), 0xcbf4_3926);
        assert_eq!(!digits(u32::MAX, 0), !step(u32::MAX, b'0'), "nothing is one digit");
    }

    #[test]
    fn c04_a_book_that_is_not_the_venues_is_thrown_away_counted_and_wants_a_snapshot() {
        let (price, size) = (Price::from_mantissa, Quantity::from_mantissa);
        let mut checked = CheckedBook::new(price(1), 2);
        assert_eq!(checked.update([], 0), Err(CheckError::Unsynced));
        let snapshot = [(Side::Buy, price(99), size(5)), (Side::Sell, price(101), size(7))];
        checked.load(snapshot).unwrap();
        let ours = top_checksum(checked.book().unwrap());
        assert_eq!(checked.update([], ours), Ok(()));
        let lost = checked.update([(Side::Buy, price(98), size(1))], ours);
        assert!(matches!(lost, Err(CheckError::Mismatch { venue, .. }) if venue == ours), "{lost:?}");
        assert_eq!((checked.book().is_none(), checked.resyncs()), (true, 1));
        assert_eq!(checked.update([], ours), Err(CheckError::Unsynced), "nothing mends it but a snapshot");
        checked.load(snapshot).unwrap();
        assert_eq!((checked.update([], ours), checked.resyncs()), (Ok(()), 1));
        let unfit = checked.update([(Side::Buy, price(98), size(-1))], ours);
        assert!(matches!(unfit, Err(CheckError::Level(_))) && checked.book().is_none() && checked.resyncs() == 2);
    }

    #[test]
    fn what_lies_beyond_the_depth_of_the_feed_is_dropped() {
        let (price, size) = (Price::from_mantissa, Quantity::from_mantissa);
        let mut checked = CheckedBook::new(price(1), 2);
        checked.load([(Side::Buy, price(99), size(5)), (Side::Buy, price(97), size(5))]).unwrap();
        let mut right = OrderBook::new(price(1));
        right.load([(Side::Buy, price(99), size(5)), (Side::Buy, price(98), size(1))]).unwrap();
        checked.update([(Side::Buy, price(98), size(1))], top_checksum(&right)).unwrap();
        assert_eq!(checked.book().unwrap().len(Side::Buy), 2);
    }
}
