//! Made-up bars: stretches of weather one after the other, and at times a crash or a blow-off.

use serde::Serialize;
use std::collections::VecDeque;
use tradewind_domain::{Bar, Instrument, Interval, Timestamp};
use tradewind_quant::Draws;

/// Where scenarios begin.
const FIRST_PRICE: f64 = 100.0;
/// No scenario falls below this: every instrument keeps a price.
const LEAST_PRICE: f64 = 1.0;
/// Nor rises above this.
const MOST_PRICE: f64 = 100_000.0;

/// What the market does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weather {
    /// It drifts up, by a fifth of its volatility a bar.
    Rising,
    /// It drifts down, by as much.
    Falling,
    /// It is pulled back to where the stretch began, at half its volatility.
    Ranging,
    /// It goes nowhere at two and a half times its volatility.
    Volatile,
    /// It falls by 15 to 55 % within five bars and regains 30 to 70 % of that in the next ten to forty.
    Crash,
    /// It rises by 20 to 60 % over five to fifteen bars, and gives 60 to 100 % of that back within six.
    BlowOff,
}

impl Weather {
    const ORDINARY: [Self; 4] = [Self::Rising, Self::Falling, Self::Ranging, Self::Volatile];
}

/// What bars are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Climate {
    /// Bars of a scenario.
    pub bars: u32,
    /// Standard deviation of a bar's return, as a fraction.
    pub volatility: f64,
    /// How likely a crash or a blow-off begins at a bar of ordinary weather.
    pub events: f64,
}

impl Default for Climate {
    fn default() -> Self {
        Self { bars: 500, volatility: 0.01, events: 0.02 }
    }
}

/// One scenario's bars, an hour each, with the weather of each: a function of its seed alone, on every machine.
#[derive(Clone, Debug)]
pub struct Scenario<'a> {
    instrument: &'a Instrument,
    climate: Climate,
    draws: Draws,
    place: u32,
    price: f64,
    /// Where the weather began.
    anchor: f64,
    weather: Weather,
    left: usize,
    /// The returns of the event under way.
    script: VecDeque<f64>,
}

impl<'a> Scenario<'a> {
    /// The scenario of a seed.
    #[must_use]
    pub fn new(instrument: &'a Instrument, climate: Climate, seed: u64) -> Self {
        let mut scenario = Self {
            instrument,
            climate,
            draws: Draws::new(seed),
            place: 0,
            price: FIRST_PRICE,
            anchor: FIRST_PRICE,
            weather: Weather::Ranging,
            left: 0,
            script: VecDeque::new(),
        };
        scenario.turn();
        scenario
    }

    /// Begins another stretch of ordinary weather.
    fn turn(&mut self) {
        self.weather = Weather::ORDINARY[self.draws.below(Weather::ORDINARY.len())];
        self.left = 20 + self.draws.below(61);
        self.anchor = self.price;
    }

    /// The next bar's return before chance is added, and by what the volatility is multiplied.
    fn drift(&mut self) -> (f64, f64) {
        if let Some(scripted) = self.script.pop_front() {
            return (scripted, 0.5);
        }
        if self.left == 0 {
            self.turn();
        }
        if self.draws.uniform() < self.climate.events {
            self.begin_event();
            return (self.script.pop_front().unwrap_or(0.0), 0.5);
        }
        self.left -= 1;
        let volatility = self.climate.volatility;
        match self.weather {
            Weather::Rising => (volatility / 5.0, 1.0),
            Weather::Falling => (-volatility / 5.0, 1.0),
            Weather::Volatile => (0.0, 2.5),
            Weather::Ranging | Weather::Crash | Weather::BlowOff => (0.1 * (self.anchor / self.price - 1.0), 0.5),
        }
    }

    fn begin_event(&mut self) {
        let crash = self.draws.uniform() < 0.5;
        let (there, back, first, then) = if crash {
            let fall = self.between(0.15, 0.55);
            let regained = fall * self.between(0.3, 0.7);
            (-fall, regained, 1 + self.draws.below(5), 10 + self.draws.below(31))
        } else {
            let rise = self.between(0.2, 0.6);
            let given = rise * self.between(0.6, 1.0);
            (rise, -given, 5 + self.draws.below(11), 1 + self.draws.below(6))
        };
        self.weather = if crash { Weather::Crash } else { Weather::BlowOff };
        self.left = 0; // another weather follows
        self.script =
            straight(1.0, 1.0 + there, first).chain(straight(1.0 + there, 1.0 + there + back, then)).collect();
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.draws.uniform()
    }

    fn bar(&mut self) -> Option<Bar> {
        let (drift, wilder) = self.drift();
        let volatility = self.climate.volatility * wilder;
        let change = (drift + volatility * self.draws.normal()).clamp(-0.6, 0.6);
        let (open, close) = (self.price, (self.price * (1.0 + change)).clamp(LEAST_PRICE, MOST_PRICE));
        let (above, below) = (self.draws.normal().abs(), self.draws.normal().abs());
        let reach = volatility / 2.0;
        let high = open.max(close) * (1.0 + reach * above);
        let low = open.min(close) * (1.0 - (reach * below).min(0.9));
        let busy = 1_000.0 * (0.5 + self.draws.uniform() + change.abs() / self.climate.volatility.max(1e-9)).min(20.0);
        self.price = close;
        let it = self.instrument;
        let bar = Bar {
            instrument: it.id,
            interval: Interval::HOUR,
            open_time: Timestamp::from_millis(i64::from(self.place) * 3_600_000),
            open: it.price_near(open)?,
            high: it.price_near(high)?,
            low: it.price_near(low)?,
            close: it.price_near(close)?,
            volume: it.quantity_near(busy)?,
        };
        self.place += 1;
        Some(bar)
    }
}

impl Iterator for Scenario<'_> {
    type Item = (Bar, Weather);

    fn next(&mut self) -> Option<Self::Item> {
        if self.place == self.climate.bars {
            return None;
        }
        let bar = self.bar()?;
        Some((bar, self.weather))
    }
}

/// The returns of a straight way in so many bars from one price to another.
#[allow(clippy::cast_precision_loss)] // a few dozen bars
fn straight(from: f64, to: f64, bars: usize) -> impl Iterator<Item = f64> {
    let at = move |place: usize| from + (to - from) * place as f64 / bars as f64;
    (0..bars).map(move |place| at(place + 1) / at(place) - 1.0)
}
