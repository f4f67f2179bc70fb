//! The hidden fair price: regimes, a common factor, and each symbol's own way.

use super::chance::Chance;

/// Drift of a trend, in fractions a minute.
const DRIFT: f64 = 4.0e-4;
/// Volatility of the common factor and of a symbol alone, in fractions per square root of a minute.
const VOLATILITY_COMMON: f64 = 4.0e-4;
const VOLATILITY_OWN: f64 = 3.0e-4;
/// How busy a symbol is in a burst, where 1 is usual.
pub(crate) const BUSIEST: f64 = 3.0;
/// How much faster everything moves in a burst.
const BURST: f64 = 4.0;
/// Part of the distance to its anchor that a range takes back in a minute.
const PULL: f64 = 0.25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Rising,
    Falling,
    Ranging,
    Bursting,
}

/// One way of moving, for some minutes.
#[derive(Clone, Debug)]
struct Regime {
    mood: Mood,
    minutes_left: f64,
    /// Sum of returns since a range began.
    strayed: f64,
}

impl Regime {
    fn draw(chance: &mut Chance) -> Self {
        let (mood, mean) = match chance.below(10) {
            0..=2 => (Mood::Rising, 14.0),
            3..=5 => (Mood::Falling, 14.0),
            6..=8 => (Mood::Ranging, 10.0),
            _ => (Mood::Bursting, 2.0),
        };
        // between a third and three times the mean, most of it near the mean
        let spread = (chance.uniform() + chance.uniform() + chance.uniform()) / 1.5;
        Self { mood, minutes_left: mean * (0.3 + spread), strayed: 0.0 }
    }

    /// The return of one step of `minutes`.
    fn step(&mut self, chance: &mut Chance, volatility: f64, minutes: f64) -> f64 {
        self.minutes_left -= minutes;
        if self.minutes_left <= 0.0 {
            *self = Self::draw(chance);
        }
        let noise = volatility * minutes.sqrt() * chance.normal();
        let change = match self.mood {
            Mood::Rising => DRIFT * minutes + noise,
            Mood::Falling => noise - DRIFT * minutes,
            Mood::Ranging => noise - PULL * minutes * self.strayed,
            Mood::Bursting => noise * BURST,
        };
        self.strayed += change;
        change
    }
}

/// Fair prices of all symbols, moving together.
#[derive(Clone, Debug)]
pub(crate) struct Fair {
    chance: Chance,
    common: Regime,
    symbols: Vec<(f64, Regime)>,
    /// How many times as far everything moves by chance.
    volatility: f64,
}

impl Fair {
    pub(crate) fn new(seed: u64, prices: impl IntoIterator<Item = f64>, volatility: u32) -> Self {
        let mut chance = Chance::new(seed, 0);
        let common = Regime::draw(&mut chance);
        let symbols = prices.into_iter().map(|price| (price, Regime::draw(&mut chance))).collect();
        Self { chance, common, symbols, volatility: f64::from(volatility) }
    }

    /// Moves every price by one step of `minutes`.
    pub(crate) fn step(&mut self, minutes: f64) {
        let common = self.common.step(&mut self.chance, VOLATILITY_COMMON * self.volatility, minutes);
        for (index, (price, regime)) in self.symbols.iter_mut().enumerate() {
            let own = regime.step(&mut self.chance, VOLATILITY_OWN * self.volatility, minutes);
            let beta = [1.0, 1.2, 1.5][index % 3];
            *price *= 1.0 + (beta * common + own).clamp(-0.05, 0.05);
        }
    }

    /// A size around one, for trades before the opening.
    pub(crate) fn size(&mut self) -> f64 {
        self.chance.size()
    }

    /// An even chance, for the side of trades before the opening.
    pub(crate) fn heads(&mut self) -> bool {
        self.chance.happens(0.5)
    }

    /// The fair price of a symbol.
    pub(crate) fn price(&self, symbol: usize) -> f64 {
        self.symbols[symbol].0
    }

    /// How busy a symbol is: 1 usually, 3 in a burst of its own or of the market.
    pub(crate) fn activity(&self, symbol: usize) -> f64 {
        let bursting = self.common.mood == Mood::Bursting || self.symbols[symbol].1.mood == Mood::Bursting;
        if bursting { BUSIEST } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn symbols_move_together_and_by_a_market_like_amount() {
        let mut fair = Fair::new(7, [60_000.0, 3_000.0], 1);
        let mut returns = [Vec::new(), Vec::new()];
        for _ in 0..4_000 {
            let before = [fair.price(0), fair.price(1)];
            fair.step(1.0);
            for (symbol, list) in returns.iter_mut().enumerate() {
                list.push(fair.price(symbol) / before[symbol] - 1.0);
            }
        }
        let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
        let cross = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(x, y)| (x - mean(a)) * (y - mean(b))).sum::<f64>() / a.len() as f64
        };
        let [a, b] = &returns;
        let deviation = cross(a, a).sqrt();
        assert!((4e-4..2e-3).contains(&deviation), "{deviation} per minute");
        let correlation = cross(a, b) / (cross(a, a) * cross(b, b)).sqrt();
        assert!((0.4..0.95).contains(&correlation), "correlation {correlation}");
    }
}
