//! Candlestick patterns, singly or all at once.

pub use crate::from_ta::pattern::*;

use crate::catalog::{self, Definition, DynIndicator, Group, Parameters};
use crate::{Candle, IndicatorError};

/// A pattern that the newest bar completes.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Which one.
    pub pattern: &'static Definition,
    /// Above zero bullish, below zero bearish; 100 in size unless the pattern grades.
    pub strength: f64,
}

/// Looks for every pattern of the catalogue at once, with their defaults.
pub struct Scanner {
    patterns: Vec<(&'static Definition, Box<dyn DynIndicator>)>,
    hits: Vec<Hit>,
}

impl Scanner {
    /// Builds it, cold.
    ///
    /// # Errors
    /// None in practice: every pattern accepts its own defaults.
    pub fn new() -> Result<Self, IndicatorError> {
        let mut patterns = Vec::new();
        for definition in catalog::all().iter().filter(|definition| definition.group == Group::Pattern) {
            patterns.push((definition, definition.build(&Parameters::new())?));
        }
        Ok(Self { hits: Vec::with_capacity(patterns.len()), patterns })
    }

    /// Takes the next closed bar and returns the patterns that it completes, in the catalogue's order.
    ///
    /// # Errors
    /// [`IndicatorError::NotFinite`]; no pattern has then moved.
    pub fn update(&mut self, candle: &Candle) -> Result<&[Hit], IndicatorError> {
        candle.check()?;
        self.hits.clear();
        for (pattern, indicator) in &mut self.patterns {
            let mut strength = [0.0];
            if indicator.update(candle, &mut strength)? && strength[0] != 0.0 {
                self.hits.push(Hit { pattern, strength: strength[0] });
            }
        }
        Ok(&self.hits)
    }
}
