//! What stood against trading: too few bars to decide on, what was wanted and too small to order, what no bar had volume for,
//! and what the gate refused.

use std::collections::BTreeMap;
use tradewind_book::FillPolicy;
use tradewind_domain::{Instrument, Money, Price, Quantity};
use tradewind_gate::Refusal;

/// What stood against trading: for as long as nothing was traded, and all that the gate refused.
#[derive(Clone, Debug, Default)]
pub struct Idle {
    /// Targets that made no order: what was missing was less than one, or the limits left no room for more.
    pub too_small: u64,
    /// The largest of these targets, unsigned.
    pub wanted: Quantity,
    /// The largest volume of a bar.
    pub volume: Quantity,
    /// Bars that the strategy is shown before anything that it says is acted upon.
    pub warm_up: usize,
    /// Refusals by their code: how many, and the first one's sentence.
    refusals: BTreeMap<&'static str, (u64, String)>,
}

impl Idle {
    /// Nothing yet, for a strategy that looks at `warm_up` bars first.
    pub(crate) fn after(warm_up: usize) -> Self {
        Self { warm_up, ..Self::default() }
    }

    /// Takes in a target that made no order.
    pub(crate) fn too_small(&mut self, target: Quantity) {
        self.too_small += 1;
        self.wanted = self.wanted.max(target.abs());
    }

    /// Takes in an order that the gate refused.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.refusals.entry(refusal.code()).or_insert_with(|| (0, refusal.sentence())).0 += 1;
    }

    /// Takes in what a bar traded.
    #[inline]
    pub(crate) fn traded(&mut self, volume: Quantity) {
        self.volume = self.volume.max(volume);
    }

    /// Why nothing was traded on `bars` bars, in sentences: that the strategy was still warming up, what the smallest order is
    /// worth at `close` and what `deposit` buys of it, that `policy` left less than a lot of every bar, and the most frequent
    /// refusal. None where orders could have been and nothing was wanted.
    pub(crate) fn reasons(
        &self,
        bars: u64,
        it: &Instrument,
        policy: Option<FillPolicy>,
        deposit: Money,
        close: Price,
    ) -> Vec<String> {
        let starved = policy.and_then(|policy| self.of_volume(it, policy));
        let cold = self.of_warm_up(bars).into_iter();
        cold.chain(self.of_size(it, deposit, close)).chain(starved).chain(self.of_the_gate()).collect()
    }

    fn of_warm_up(&self, bars: u64) -> Option<String> {
        let (warm_up, s) = (self.warm_up, if self.warm_up == 1 { "" } else { "s" });
        (bars <= warm_up as u64).then(|| {
            format!("The strategy looks at {warm_up} bar{s} before it decides anything, and the run has {bars}.")
        })
    }

    fn of_volume(&self, it: &Instrument, policy: FillPolicy) -> Option<String> {
        let is_starved = policy.budget(it, self.volume).is_zero();
        is_starved.then(|| {
            if self.volume.is_zero() {
                return "Every bar has a volume of 0, and an order may take a part of a bar's volume only: none could fill."
                    .to_owned();
            }
            format!(
                "No bar traded enough: what an order may take of the largest volume, {}, is less than a lot of {}.",
                it.quantity_text(self.volume),
                it.quantity_text(it.spec.lot),
            )
        })
    }

    fn of_size(&self, it: &Instrument, deposit: Money, close: Price) -> Option<String> {
        let least = it.spec.lot.max(it.spec.min_quantity);
        let worth = it.notional(close, least).ok()?;
        let comparable = worth.units > 0 && worth.currency == deposit.currency;
        // a target of nothing is too small to order as well, and no reason where more could be bought
        let was_wanted = !self.wanted.is_zero() || deposit.units < worth.units;
        let bought = format!("{:.6}", it.quantity_f64(least) * (deposit.to_f64() / worth.to_f64()));
        let bought = bought.trim_end_matches('0').trim_end_matches('.');
        (self.too_small > 0 && comparable && was_wanted).then(|| {
            format!(
                "What was wanted, or what the limits left of it, was too small to order on {} bar{}: an order is at least \
                 {}, worth {worth} at the last close, and the deposit of {deposit} buys {bought}.",
                self.too_small,
                if self.too_small == 1 { "" } else { "s" },
                it.quantity_text(least),
            )
        })
    }

    /// What the gate refused, in a sentence: how much, and what most often. None where that was nothing.
    pub(crate) fn of_the_gate(&self) -> Option<String> {
        let all: u64 = self.refusals.values().map(|(count, _)| count).sum();
        let (code, (count, sentence)) = self.refusals.iter().max_by_key(|(_, (count, _))| *count)?;
        let s = if all == 1 { "" } else { "s" };
        Some(format!("The gate refused {all} order{s}, {count} of them by {code}, at first: {sentence}."))
    }
}
