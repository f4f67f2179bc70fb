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
        // from 0.3 to 2.3 times `mean`, most near 1.3 times
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
    use crate::config::{Flow, SymbolConfig};

    const MOODS: [Mood; 4] = [Mood::Rising, Mood::Falling, Mood::Ranging, Mood::Bursting];
    /// Minutes.
    const DAY: u32 = 1_440;
    /// Steps in a minute. A tenth of one is so short that noise, which grows with the root of time, outweighs drift, which
    /// grows with time.
    const FINE: u32 = 10;

    /// The market that an exchange opens with unless it is told otherwise.
    fn shipped(seed: u64) -> Fair {
        let symbols = SymbolConfig::defaults();
        Fair::new(seed, symbols.iter().map(|symbol| symbol.start_price), Flow::default().volatility)
    }

    /// One step; gives back the return of each symbol.
    fn returns(fair: &mut Fair, minutes: f64) -> Vec<f64> {
        let before: Vec<f64> = fair.symbols.iter().map(|(price, _)| *price).collect();
        fair.step(minutes);
        before.iter().zip(&fair.symbols).map(|(before, (price, _))| price / before - 1.0).collect()
    }

    /// The moods that made the last step: the market's, then each symbol's.
    fn moods(fair: &Fair) -> Vec<Mood> {
        std::iter::once(fair.common.mood).chain(fair.symbols.iter().map(|(_, own)| own.mood)).collect()
    }

    fn place(mood: Mood) -> usize {
        MOODS.iter().position(|it| *it == mood).unwrap()
    }

    #[allow(clippy::cast_precision_loss)]
    fn mean(list: &[f64]) -> f64 {
        list.iter().sum::<f64>() / list.len() as f64
    }

    /// The root of the mean square.
    fn size(list: &[f64]) -> f64 {
        mean(&list.iter().map(|it| it * it).collect::<Vec<f64>>()).sqrt()
    }

    /// The correlation of returns whose means are nothing beside their sizes.
    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        mean(&a.iter().zip(b).map(|(x, y)| x * y).collect::<Vec<f64>>()) / (size(a) * size(b))
    }

    #[test]
    fn a_day_of_any_seed_has_every_mood_and_the_market_and_each_symbol_come_to_all_of_them() {
        let mut seen = [[false; 4]; 4]; // of the market and of three symbols
        for seed in 0..10 {
            let (mut fair, mut today) = (shipped(seed), [false; 4]);
            for _ in 0..DAY {
                fair.step(1.0);
                for (who, mood) in moods(&fair).into_iter().enumerate() {
                    (seen[who][place(mood)], today[place(mood)]) = (true, true);
                }
            }
            assert_eq!(today, [true; 4], "seed {seed}");
        }
        assert_eq!(seen, [[true; 4]; 4]);
    }

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn each_mood_is_drawn_as_often_and_lasts_as_long_as_its_numbers_say() {
        // Three in ten rise, fall and range each, one in ten bursts. The share among 20,000 strays by less than
        // sqrt(0.25 / 20,000) = 0.0035. A mood lasts 0.3 to 2.3 times its mean, 1.3 times on average, of which the
        // deviation is a third of its mean: for 2,000 bursts that average is known to 0.6 %.
        let (mut chance, mut lasted) = (Chance::new(1, 0), <[Vec<f64>; 4]>::default());
        for _ in 0..20_000 {
            let drawn = Regime::draw(&mut chance);
            lasted[place(drawn.mood)].push(drawn.minutes_left);
        }
        let said: [(f64, f64); 4] = [(0.3, 14.0), (0.3, 14.0), (0.3, 10.0), (0.1, 2.0)];
        for (minutes, (share, typical)) in lasted.iter().zip(said) {
            let found = minutes.len() as f64 / 20_000.0;
            assert!((found - share).abs() < 0.015, "{found} of {share}");
            let found = mean(minutes) / typical;
            assert!((found / 1.3 - 1.0).abs() < 0.03, "{found} times {typical}");
            assert!(minutes.iter().all(|it| (0.3 * typical..=2.3 * typical).contains(it)), "{typical}");
        }
    }

    #[test]
    fn a_burst_moves_a_multiple_of_a_calm_stretch() {
        // The first symbol follows the market one to one and has noise of its own. Least is added where that alone bursts:
        // sqrt(4² + 12²) against sqrt(4² + 3²), 2.5 times; where the market bursts it is 3.3 times, where both do it is all
        // of the factor. The drift of calm trends takes 5 % off, chance 2 % of some 4,000 steps.
        let least = VOLATILITY_COMMON.hypot(BURST * VOLATILITY_OWN) / VOLATILITY_COMMON.hypot(VOLATILITY_OWN);
        let (mut calm, mut burst) = (Vec::new(), Vec::new());
        for seed in 0..8 {
            let mut fair = shipped(seed);
            for _ in 0..DAY * FINE {
                let first = returns(&mut fair, 1.0 / f64::from(FINE))[0];
                let is_burst = moods(&fair)[..2].contains(&Mood::Bursting);
                let list = if is_burst { &mut burst } else { &mut calm };
                list.push(first);
            }
        }
        let times = size(&burst) / size(&calm);
        assert!((0.85 * least..BURST).contains(&times), "{times} times, at least {least}");
    }

    /// How far a mood comes in `minutes`, in the noise of that time, by each of 200 seeds.
    fn ways(mood: Mood, minutes: u32) -> Vec<f64> {
        let noise = VOLATILITY_COMMON * f64::from(minutes).sqrt();
        let way = |seed| {
            let mut chance = Chance::new(seed, 0);
            let mut regime = Regime { mood, minutes_left: f64::INFINITY, strayed: 0.0 };
            let step = |_| regime.step(&mut chance, VOLATILITY_COMMON, 1.0 / f64::from(FINE));
            (0..minutes * FINE).map(step).sum::<f64>() / noise
        };
        (0..200).map(way).collect()
    }

    #[test]
    fn a_trend_goes_as_far_as_its_drift_and_a_range_stays_where_it_began() {
        // In the 14 minutes of a trend its drift comes to 3.7 times the noise; the mean of 200 is known to 1/sqrt(200), or
        // 0.07. Noise alone goes 0.80 times its size on average, a range sqrt(1 / (2 x pull x minutes)) of that, 0.30, known
        // to 0.016.
        let drifted = DRIFT * 14.0_f64.sqrt() / VOLATILITY_COMMON;
        let [rising, falling, ranging] = [Mood::Rising, Mood::Falling, Mood::Ranging].map(|mood| ways(mood, 14));
        for (found, want) in [(mean(&rising), drifted), (mean(&falling), -drifted)] {
            assert!((found / want - 1.0).abs() < 0.1, "{found} of {want}");
        }
        let strayed = mean(&ranging.iter().map(|way| way.abs()).collect::<Vec<f64>>());
        assert!(strayed < 0.4, "half of what noise alone does: {strayed}");
        assert!(mean(&rising) > 5.0 * strayed && mean(&falling) < -5.0 * strayed);
    }

    #[test]
    fn symbols_of_one_market_move_together_as_their_betas_say_and_those_of_two_do_not() {
        // While nobody bursts, the part that two symbols share is beta x beta x the market's variance: 0.68, 0.72 and 0.76
        // of the whole. Drift moves that by 0.01, chance by 0.002 of 80,000 steps.
        let (common, own) = (VOLATILITY_COMMON.powi(2), VOLATILITY_OWN.powi(2));
        let shared = |a: f64, b: f64| a * b * common / ((a * a * common + own) * (b * b * common + own)).sqrt();
        let mut calm = <[Vec<f64>; 3]>::default();
        for seed in 0..6 {
            let mut fair = shipped(seed);
            for _ in 0..DAY * FINE {
                let now = returns(&mut fair, 1.0 / f64::from(FINE));
                if !moods(&fair).contains(&Mood::Bursting) {
                    calm.iter_mut().zip(now).for_each(|(list, change)| list.push(change));
                }
            }
        }
        for (a, b, want) in [(0, 1, shared(1.0, 1.2)), (0, 2, shared(1.0, 1.5)), (1, 2, shared(1.2, 1.5))] {
            let found = correlation(&calm[a], &calm[b]);
            assert!((found - want).abs() < 0.04 && found > 0.6, "{a} and {b}: {found} of {want}");
        }
        // the same symbol in markets of two seeds: a day of 14,400 steps correlates by chance to 0.009
        let [one, other] = [7, 8].map(|seed| {
            let mut fair = shipped(seed);
            (0..DAY * FINE).map(|_| returns(&mut fair, 1.0 / f64::from(FINE))[0]).collect::<Vec<f64>>()
        });
        let found = correlation(&one, &other);
        assert!(found.abs() < 0.06, "{found}");
    }

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
