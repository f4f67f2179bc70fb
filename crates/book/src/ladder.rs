//! One side of an L2 book: a window of sizes around the best price, and a map for what lies far away.

use std::collections::BTreeMap;

/// Levels of one side by height: the higher the better, so an ask's height is its tick turned round.
///
/// Heights in `base..base + WIDTH` live in an array with a bit per used level, 64 to a word, and a bit per used word;
/// finding the best after a removal takes two bit scans. Everything in `far` lies below the window.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    base: i64,
    sizes: Box<[i64; WIDTH]>,
    words: [u64; WIDTH / 64],
    summary: u64,
    /// Index of the best level; [`NONE`] if the side is empty.
    best: usize,
    far: BTreeMap<i64, i64>,
    levels: usize,
}

const WIDTH: usize = 4096;
/// Where the best stands in a window that was just moved: most of the room is below, where the book is.
const SEAT: i64 = 3072;
/// Below this index the window moves down to follow the best.
const LOW: usize = 1024;
const NONE: usize = usize::MAX;

impl Ladder {
    pub(crate) fn new() -> Self {
        let sizes = vec![0; WIDTH].into_boxed_slice().try_into().expect("the slice has the array's length");
        Self { base: 0, sizes, words: [0; WIDTH / 64], summary: 0, best: NONE, far: BTreeMap::new(), levels: 0 }
    }

    /// The best height and its size.
    #[inline]
    pub(crate) fn best(&self) -> Option<(i64, i64)> {
        if self.best == NONE { None } else { Some((self.height(self.best), self.sizes[self.best & (WIDTH - 1)])) }
    }

    #[inline]
    pub(crate) fn size(&self, height: i64) -> i64 {
        match self.index(height) {
            Some(index) => self.sizes[index],
            None if height < self.base => self.far.get(&height).copied().unwrap_or(0),
            None => 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.levels
    }

    /// Sets the size of a level, zero to remove it; returns the size it had.
    #[inline]
    pub(crate) fn set(&mut self, height: i64, size: i64) -> i64 {
        let Some(index) = self.index(height) else { return self.set_outside(height, size) };
        let old = std::mem::replace(&mut self.sizes[index], size);
        if size != 0 {
            if old == 0 {
                self.mark(index);
            }
        } else if old != 0 {
            self.unmark(index);
        }
        old
    }

    pub(crate) fn clear(&mut self) {
        self.sizes.fill(0);
        (self.words, self.summary, self.best, self.levels) = ([0; WIDTH / 64], 0, NONE, 0);
        self.far.clear();
    }

    /// Every level, best first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        let near = std::iter::successors(Some(self.best).filter(|best| *best != NONE), |index| self.below(*index));
        near.map(|index| (self.height(index), self.sizes[index]))
            .chain(self.far.iter().rev().map(|(height, size)| (*height, *size)))
    }

    #[inline]
    #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
    const fn index(&self, height: i64) -> Option<usize> {
        let index = height.wrapping_sub(self.base) as u64;
        if index < WIDTH as u64 { Some(index as usize) } else { None }
    }

    #[inline]
    #[allow(clippy::cast_possible_wrap)]
    const fn height(&self, index: usize) -> i64 {
        self.base + index as i64
    }

    #[inline]
    const fn mark(&mut self, index: usize) {
        self.words[index / 64] |= 1 << (index % 64);
        self.summary |= 1 << (index / 64);
        self.levels += 1;
        if self.best == NONE || index > self.best {
            self.best = index;
        }
    }

    #[inline]
    fn unmark(&mut self, index: usize) {
        let word = index / 64;
        self.words[word] &= !(1 << (index % 64));
        if self.words[word] == 0 {
            self.summary &= !(1 << word);
        }
        self.levels -= 1;
        if index == self.best {
            self.best = self.below(index).unwrap_or(NONE);
            if self.best < LOW || self.best == NONE {
                self.follow();
            }
        }
    }

    /// The next used level under `index`.
    #[inline]
    const fn below(&self, index: usize) -> Option<usize> {
        let (word, bit) = (index / 64, index % 64);
        let rest = self.words[word] & ((1 << bit) - 1);
        if rest != 0 {
            return Some(word * 64 + 63 - rest.leading_zeros() as usize);
        }
        let words = self.summary & ((1 << word) - 1);
        if words == 0 {
            return None;
        }
        let word = 63 - words.leading_zeros() as usize;
        Some(word * 64 + 63 - self.words[word].leading_zeros() as usize)
    }

    #[cold]
    fn set_outside(&mut self, height: i64, size: i64) -> i64 {
        if self.best == NONE && size != 0 {
            self.move_to(height); // an empty side has an empty `far`
            return self.set(height, size);
        }
        if height < self.base {
            let old = if size == 0 { self.far.remove(&height) } else { self.far.insert(height, size) };
            match (old, size) {
                (None, 1..) => self.levels += 1,
                (Some(_), 0) => self.levels -= 1,
                _ => (),
            }
            return old.unwrap_or(0);
        }
        if size != 0 {
            self.move_to(height);
            self.set(height, size);
        }
        0
    }

    /// Moves the window down after the best, if there is anything below it.
    #[cold]
    fn follow(&mut self) {
        let Some((highest, _)) = self.far.last_key_value() else { return };
        let best = if self.best == NONE { *highest } else { self.height(self.best) };
        self.move_to(best);
    }

    /// Moves the window so that `best`, the best height or the one that is about to be, has its seat.
    fn move_to(&mut self, best: i64) {
        let mut at = (self.best != NONE).then_some(self.best);
        while let Some(index) = at {
            self.far.insert(self.height(index), self.sizes[index]);
            self.sizes[index] = 0;
            at = self.below(index);
        }
        (self.words, self.summary, self.best) = ([0; WIDTH / 64], 0, NONE);
        self.base = best.saturating_sub(SEAT).min(i64::MAX - (WIDTH as i64 - 1));
        for (height, size) in self.far.split_off(&self.base) {
            let index = self.index(height).expect("nothing is better than the best");
            self.sizes[index] = size;
            self.levels -= 1; // marking counts it again
            self.mark(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The ladder answers like a plain map, wherever its window stands.
        #[test]
        fn a_ladder_is_a_map(acts in proptest::collection::vec(
            (prop_oneof![
                6 => -40_i64..40,
                3 => -9_000_i64..9_000,
                1 => Just(i64::MIN), 1 => Just(i64::MAX), 1 => Just(i64::MAX - 4_000)
            ], 0_i64..4), 0..200)) {
            let (mut ladder, mut map) = (Ladder::new(), BTreeMap::new());
            for (height, size) in acts {
                let old = if size == 0 { map.remove(&height) } else { map.insert(height, size) };
                prop_assert_eq!(ladder.set(height, size), old.unwrap_or(0));
                prop_assert_eq!(ladder.best(), map.last_key_value().map(|(height, size)| (*height, *size)));
                prop_assert_eq!(ladder.len(), map.len());
                prop_assert_eq!(ladder.size(height), size);
            }
            let all: Vec<_> = map.iter().rev().map(|(height, size)| (*height, *size)).collect();
            prop_assert_eq!(ladder.iter().collect::<Vec<_>>(), all);
            ladder.clear();
            prop_assert_eq!((ladder.best(), ladder.len(), ladder.iter().count()), (None, 0, 0));
        }
    }
}
