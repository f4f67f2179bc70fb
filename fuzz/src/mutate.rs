//! Spoils inputs: bytes as a broken line would, and words and numbers as a venue of bad will would.

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// Longer inputs are cut: what they would find a shorter one finds sooner.
const LONGEST: usize = 1 << 16;
/// Words that are known, of all seeds together.
const MOST_WORDS: usize = 4_000;
/// Words that break readers: the ends of number ranges, other forms of numbers, other kinds of values, other alphabets.
const WORDS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "00",
    "0.0",
    "1e400",
    "-1e-400",
    "1E5",
    "NaN",
    "Infinity",
    "0x10",
    "2147483647",
    "-2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211455",
    "0.00000001",
    "0.000000001",
    "0.1234567890123456789",
    "99999999999.99999999",
    "92233720368.54775807",
    "1700000000000",
    "null",
    "true",
    "false",
    "\"\"",
    "\"0\"",
    "\"-1\"",
    "[]",
    "{}",
    "[[]]",
    "\u{feff}",
    "\u{202e}",
    "×",
    "\\u0000",
    "\\ud800",
    ",",
    ":",
    "\"",
    "\n",
    "\r\n",
    "\0",
    " ",
];

/// Makes inputs out of those that it was given.
pub(crate) struct Mutator {
    rng: ChaCha8Rng,
    inputs: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    /// `seed` decides all that it makes of `inputs`.
    pub(crate) fn new(seed: u64, mut inputs: Vec<Vec<u8>>) -> Self {
        inputs.iter_mut().for_each(|input| input.truncate(LONGEST));
        if inputs.is_empty() {
            inputs.push(Vec::new());
        }
        let mut words: Vec<Vec<u8>> = Vec::new();
        for input in &inputs {
            let mut at = 0;
            while at < input.len() && words.len() < MOST_WORDS {
                let word = word_at(input, at);
                at = word.end.max(at + 1);
                if word.len() > 1 && word.len() <= 64 {
                    words.push(input[word].to_vec());
                }
            }
        }
        words.sort();
        words.dedup();
        Self { rng: ChaCha8Rng::seed_from_u64(seed), inputs, words }
    }

    /// How many inputs it makes others of.
    pub(crate) fn len(&self) -> usize {
        self.inputs.len()
    }

    /// From now on makes inputs out of this one too.
    pub(crate) fn keep(&mut self, input: Vec<u8>) {
        self.inputs.push(input);
    }

    /// Another input: a known one with one to six changes.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let place = self.below(self.inputs.len());
        let mut input = self.inputs[place].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        match self.below(12) {
            0 => self.flip(input),
            1 => {
                let (at, byte) = (self.place(input), self.byte());
                input.insert(at, byte);
            }
            2 => {
                let gone = self.range(input);
                input.drain(gone);
            }
            3 => {
                let (again, at) = (self.range(input), self.place(input));
                let again = input[again].to_vec();
                input.splice(at..at, again);
            }
            4 => {
                let end = self.place(input);
                input.truncate(end);
            }
            5 => self.splice(input),
            6 | 7 => {
                let word = WORDS[self.below(WORDS.len())].as_bytes().to_vec();
                self.replace(input, word);
            }
            8 | 9 if !self.words.is_empty() => {
                let place = self.below(self.words.len());
                let word = self.words[place].clone();
                self.replace(input, word);
            }
            10 => self.digit(input),
            _ => self.swap(input),
        }
    }

    fn flip(&mut self, input: &mut [u8]) {
        if !input.is_empty() {
            let (at, bit) = (self.below(input.len()), self.below(8));
            input[at] ^= 1 << bit;
        }
    }

    /// The rest of another input from some place on.
    fn splice(&mut self, input: &mut Vec<u8>) {
        let other = self.below(self.inputs.len());
        let from = self.rng.random_range(0..=self.inputs[other].len());
        let at = self.place(input);
        input.truncate(at);
        input.extend_from_slice(&self.inputs[other][from..]);
    }

    /// `word` in the place of one that stands there.
    fn replace(&mut self, input: &mut Vec<u8>, word: Vec<u8>) {
        let at = self.place(input);
        input.splice(word_at(input, at), word);
    }

    /// Another digit: the number stays one.
    fn digit(&mut self, input: &mut [u8]) {
        let from = self.below(input.len().max(1));
        let digit = b'0' + u8::try_from(self.below(10)).unwrap_or(0);
        if let Some(at) = (from..input.len()).find(|at| input[*at].is_ascii_digit()) {
            input[at] = digit;
        }
    }

    /// Two words change places.
    fn swap(&mut self, input: &mut Vec<u8>) {
        let (one, other) = (self.place(input), self.place(input));
        let (first, second) = (word_at(input, one.min(other)), word_at(input, one.max(other)));
        if first.end <= second.start {
            let (before, behind) = (input[first.clone()].to_vec(), input[second.clone()].to_vec());
            input.splice(second, before);
            input.splice(first, behind);
        }
    }

    /// A few bytes in a row, now and then many.
    fn range(&mut self, input: &[u8]) -> Range<usize> {
        let (from, most) = (self.place(input), if self.below(8) == 0 { 1_024 } else { 16 });
        from..(from + self.below(most) + 1).min(input.len())
    }

    fn place(&mut self, input: &[u8]) -> usize {
        self.rng.random_range(0..=input.len())
    }

    fn byte(&mut self) -> u8 {
        self.rng.next_u32().to_le_bytes()[0]
    }

    /// Below `end`, which is not zero.
    fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }
}

/// The letters and digits, signs and points around a place; empty between two other characters.
fn word_at(input: &[u8], at: usize) -> Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'_');
    let before = input[..at].iter().rev().take_while(|byte| is_word(byte)).count();
    let behind = input[at..].iter().take_while(|byte| is_word(byte)).count();
    at - before..at + behind
}
