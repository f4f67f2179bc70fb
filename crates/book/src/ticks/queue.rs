//! Where in the queue a resting order stands, as far as a feed without order ids can tell.

/// How a shrinking level is shared between those ahead of us and those behind.
///
/// A trade at our price always comes off those ahead. When a level shrinks by more than its trades, somebody
/// cancelled; the models differ in whom they suspect. A growing level grows behind us.
///
/// Sources: the probability models are those of hftbacktest ("Order Fill", queue models), after E. Rigter, "Estimating
/// order queue position", rigtorp.se, 2013. Weights are computed by multiplication alone, except [`Self::Log`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueModel {
    /// Cancels are all behind us, until the level is smaller than what was ahead: the least fills.
    #[default]
    RiskAverse,
    /// Those behind cancel with probability `bⁿ ÷ (aⁿ + bⁿ)`, `a` and `b` the sizes ahead and behind.
    Power(u32),
    /// The same with the weights `ln(1 + a)` and `ln(1 + b)` of the sizes in lots.
    Log,
    /// Those behind cancel with probability `1 − (a ÷ (a + b))ⁿ`.
    PowerAhead(u32),
}

/// What is known of one resting order's place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Estimated size ahead, in lots; below zero: that much has traded past us.
    ahead: f64,
    /// Traded at our price since the level was last shown, so that its next change is not counted twice.
    traded: f64,
}

impl Place {
    /// At the end of a queue of `size` lots.
    #[allow(clippy::cast_precision_loss)]
    pub(super) const fn last_of(size: i64) -> Self {
        Self { ahead: size as f64, traded: 0.0 }
    }

    /// A trade of `size` lots at our price; returns how many of them are past those ahead of us, to the nearest lot
    /// (the estimate has fractions).
    #[inline]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    pub(super) fn traded(&mut self, size: i64) -> i64 {
        self.traded += size as f64;
        self.ahead -= size as f64;
        let past = (-self.ahead).round() as i64;
        if past > 0 {
            self.ahead = 0.0;
        }
        past.max(0)
    }

    /// The level now shows `new` lots instead of `old`.
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn shown(&mut self, model: QueueModel, old: i64, new: i64) {
        let (old, new) = (old as f64, new as f64);
        let cancelled = old - new - self.traded;
        self.traded = 0.0;
        if cancelled > 0.0 {
            let behind = (old - self.ahead).max(0.0);
            let probability = model.cancelled_behind(self.ahead.max(0.0), behind);
            // what those behind cannot have cancelled was cancelled ahead
            let from_behind = (probability * cancelled).min(behind);
            self.ahead -= cancelled - from_behind;
            self.ahead = self.ahead.max(0.0);
        }
        self.ahead = self.ahead.min(new);
    }

    #[cfg(test)]
    pub(super) const fn ahead(&self) -> f64 {
        self.ahead
    }
}

impl QueueModel {
    fn cancelled_behind(self, ahead: f64, behind: f64) -> f64 {
        let share = |a: f64, b: f64| if a + b > 0.0 { b / (a + b) } else { 1.0 };
        match self {
            Self::RiskAverse => 1.0,
            Self::Power(n) => share(power(ahead, n), power(behind, n)),
            Self::Log => share(ahead.ln_1p(), behind.ln_1p()),
            Self::PowerAhead(n) => 1.0 - power(share(behind, ahead), n),
        }
    }
}

/// `base` to the `exponent`, by multiplication, the same on every machine.
fn power(base: f64, exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * base)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order that joined behind 60 lots, with 40 more behind it since; the level then falls from 100 to `new`.
    fn after(model: QueueModel, traded: i64, new: i64) -> f64 {
        let mut place = Place::last_of(60);
        place.shown(model, 60, 100);
        place.traded(traded);
        place.shown(model, 100, new);
        place.ahead()
    }

    #[test]
    fn each_queue_model_shares_cancels_as_it_says() {
        let table = [
            (QueueModel::RiskAverse, 0, 80, 60.0),    // 20 cancelled, all behind us
            (QueueModel::RiskAverse, 0, 50, 50.0),    // only 50 are left: no more can be ahead
            (QueueModel::RiskAverse, 20, 80, 40.0),   // the change is the trade's, not a cancel
            (QueueModel::RiskAverse, 20, 70, 40.0),   // 10 cancelled behind us
            (QueueModel::Power(1), 0, 80, 48.0),      // 40 % behind: 12 of 20 are ahead
            (QueueModel::Power(2), 0, 48, 24.0),      // 16/52 behind: 16 of 52; 36 of 52 ahead
            (QueueModel::PowerAhead(1), 0, 80, 48.0), // 1 - 60 %
            (QueueModel::PowerAhead(2), 0, 75, 51.0), // 64 % behind: 9 of 25 ahead
            (QueueModel::Power(1), 60, 0, 0.0),
        ];
        for (model, traded, new, want) in table {
            let ahead = after(model, traded, new);
            assert!((ahead - want).abs() < 1e-9, "{model:?}, {traded} traded, {new} left: {ahead}");
        }
        let log = after(QueueModel::Log, 0, 80);
        let weights = (61_f64.ln(), 41_f64.ln());
        assert!((log - (60.0 - 20.0 * weights.0 / (weights.0 + weights.1))).abs() < 1e-9, "{log}");
    }

    #[test]
    fn a_trade_past_those_ahead_reaches_us_lot_by_lot() {
        let mut place = Place::last_of(10);
        assert_eq!((place.traded(4), place.traded(6), place.traded(3), place.traded(2)), (0, 0, 3, 2));
    }

    #[test]
    fn a_growing_level_grows_behind_us() {
        let mut place = Place::last_of(10);
        place.shown(QueueModel::Power(2), 10, 500);
        assert!((place.ahead() - 10.0).abs() < f64::EPSILON);
    }
}
