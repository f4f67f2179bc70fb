//! Makers and takers of one symbol: what they send to the book in one step.

use super::chance::Chance;
use crate::config::Flow;
use std::collections::BTreeMap;
use tradewind_domain::{Instrument, Price, Quantity, Side};

/// Distance of the first order from the fair price, and between orders, in an ordinary market, as fractions.
const HALF_SPREAD: f64 = 0.6e-4;
const GAP: f64 = 0.5e-4;
/// Taker orders a second in quiet times.
const TAKERS_PER_SECOND: f64 = 1.6;
/// How far a taker goes beyond the best price.
const REACH: f64 = 4.0e-4;

/// One thing that the simulated participants do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Rest an order.
    Quote { side: Side, price: Price, quantity: Quantity },
    /// Take up to `price`, and cancel the rest.
    Take { side: Side, price: Price, quantity: Quantity },
    /// Withdraw an order.
    Withdraw { id: u64 },
}

/// The simulated participants of one symbol.
#[derive(Clone, Debug)]
pub(crate) struct Agents {
    chance: Chance,
    typical_size: f64,
    /// Orders that makers keep on each side.
    levels: usize,
    /// Distance of the first order from the fair price, and between orders, as fractions.
    half_spread: f64,
    gap: f64,
    resting: [BTreeMap<u64, Price>; 2],
}

impl Agents {
    pub(crate) fn new(seed: u64, symbol: usize, typical_size: f64, flow: Flow) -> Self {
        Self {
            chance: Chance::new(seed, 1 + symbol as u64),
            typical_size,
            levels: flow.levels,
            half_spread: HALF_SPREAD * f64::from(flow.spread),
            gap: GAP * f64::from(flow.spread),
            resting: Default::default(),
        }
    }

    /// Notes that one of their orders rests under `id`.
    pub(crate) fn rests(&mut self, id: u64, side: Side, price: Price) {
        self.resting[side_index(side)].insert(id, price);
    }

    /// Their orders on one side.
    pub(crate) fn resting(&self, side: Side) -> Vec<u64> {
        self.resting[side_index(side)].keys().copied().collect()
    }

    /// Notes that one of their orders is gone.
    pub(crate) fn gone(&mut self, id: u64) {
        for side in &mut self.resting {
            side.remove(&id);
        }
    }

    /// The ladder that the market opens with.
    pub(crate) fn opening(&mut self, instrument: &Instrument, fair: f64) -> Vec<Act> {
        let mut acts = Vec::with_capacity(2 * self.levels);
        for level in 0..self.levels {
            for side in [Side::Buy, Side::Sell] {
                acts.extend(self.quote(instrument, side, fair, level));
            }
        }
        acts
    }

    /// Everything they do in one step of `seconds`; `best` holds the best bid and ask.
    pub(crate) fn step(
        &mut self,
        instrument: &Instrument,
        fair: f64,
        best: [Option<Price>; 2],
        activity: f64,
        seconds: f64,
    ) -> Vec<Act> {
        let mut acts = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            self.withdraw(instrument, side, fair, &mut acts);
            let missing = self.levels.saturating_sub(self.resting[side_index(side)].len());
            let wanted = if missing > 0 { 1 + self.chance.below(missing.min(4)) } else { 0 };
            for _ in 0..wanted {
                let level = (0..3).map(|_| self.chance.below(self.levels)).min().unwrap_or(0); // near the top mostly
                acts.extend(self.quote(instrument, side, fair, level));
            }
        }
        for _ in 0..self.chance.rare(TAKERS_PER_SECOND * activity * seconds) {
            acts.extend(self.take(instrument, fair, best));
        }
        acts
    }

    /// Withdraws most quotes that are too near or too far now, and a few for no reason.
    fn withdraw(&mut self, instrument: &Instrument, side: Side, fair: f64, acts: &mut Vec<Act>) {
        #[allow(clippy::cast_precision_loss)]
        let far = self.half_spread + self.gap * (self.levels as f64) * 1.5;
        for (id, price) in &self.resting[side_index(side)] {
            let distance = match side {
                Side::Buy => 1.0 - instrument.price_f64(*price) / fair,
                Side::Sell => instrument.price_f64(*price) / fair - 1.0,
            };
            let probability = if distance < self.half_spread * 0.5 {
                0.35
            } else if distance > far {
                0.5
            } else {
                0.002
            };
            if self.chance.happens(probability) {
                acts.push(Act::Withdraw { id: *id });
            }
        }
    }

    fn quote(&mut self, instrument: &Instrument, side: Side, fair: f64, level: usize) -> Option<Act> {
        #[allow(clippy::cast_precision_loss)]
        let distance = self.half_spread + self.gap * (level as f64 + self.chance.uniform());
        let price = match side {
            Side::Buy => instrument.tick_down(instrument.price_near(fair * (1.0 - distance))?),
            Side::Sell => instrument.tick_up(instrument.price_near(fair * (1.0 + distance))?),
        };
        #[allow(clippy::cast_precision_loss)]
        let deeper = 1.0 + level as f64 / 3.0;
        let quantity = self.lots(instrument, deeper)?;
        Some(Act::Quote { side, price, quantity })
    }

    fn take(&mut self, instrument: &Instrument, fair: f64, best: [Option<Price>; 2]) -> Option<Act> {
        let [bid, ask] = best;
        let (bid, ask) = (bid?, ask?);
        let middle = (instrument.price_f64(bid) + instrument.price_f64(ask)) / 2.0;
        let lean = ((fair / middle - 1.0) / self.half_spread * 0.25).clamp(-0.4, 0.4);
        let quantity = self.lots(instrument, 0.6)?;
        let act = if self.chance.happens(0.5 + lean) {
            let price = instrument.tick_up(instrument.price_near(instrument.price_f64(ask) * (1.0 + REACH))?);
            Act::Take { side: Side::Buy, price, quantity }
        } else {
            let price = instrument.tick_down(instrument.price_near(instrument.price_f64(bid) * (1.0 - REACH))?);
            Act::Take { side: Side::Sell, price, quantity }
        };
        Some(act)
    }

    fn lots(&mut self, instrument: &Instrument, scale: f64) -> Option<Quantity> {
        let wanted = instrument.quantity_near(self.typical_size * scale * self.chance.size())?;
        Some(instrument.whole_lots(wanted).max(instrument.spec.min_quantity))
    }
}

/// 0 for bids, 1 for asks.
pub(crate) const fn side_index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fair::BUSIEST;
    use super::*;
    use tradewind_domain::{InstrumentId, InstrumentSpec};

    /// How many takers come in 20,000 steps of a tenth of a second.
    fn takers(activity: f64) -> usize {
        let spec = InstrumentSpec {
            tick: Price::from_mantissa(1_000_000),
            lot: Quantity::from_mantissa(1_000),
            ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
        };
        let instrument = spec.list(InstrumentId(0)).unwrap();
        let best = [59_990.0, 60_010.0].map(|price| instrument.price_near(price));
        let mut agents = Agents::new(7, 0, 0.05, Flow { levels: 0, ..Flow::default() });
        let mut count = 0;
        for _ in 0..20_000 {
            let acts = agents.step(&instrument, 60_000.0, best, activity, 0.1);
            count += acts.iter().filter(|act| matches!(act, Act::Take { .. })).count();
        }
        count
    }

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn takers_come_as_often_as_is_said_and_in_a_burst_as_much_more_often() {
        // 3,200 and three times as many are known to their roots: to less than 2 %
        let usual = TAKERS_PER_SECOND * 0.1 * 20_000.0;
        for activity in [1.0, BUSIEST] {
            let found = takers(activity) as f64 / (usual * activity);
            assert!((found - 1.0).abs() < 0.1, "{found} of what is meant, {activity} times as busy");
        }
    }
}
