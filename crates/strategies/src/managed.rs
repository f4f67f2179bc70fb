//! A strategy whose trades are sized, and end, by rules that stand beside it.

use crate::desk::{NO_RATE, in_steps};
use crate::seen::Seen;
use crate::sizing::{Entry, Sizing};
use crate::{Expectation, Market, Opinion, Strategy, StrategyError, Target};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use tradewind_domain::{Bar, Instrument, Price, Quantity, Side, TradePlan, format_decimal};
use tradewind_engine::Signal;

/// Where trades end whose strategy does not say it, in basis points of the close that they were decided on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// How far below a long's entry, or above a short's, to give up.
    pub stop_bps: Option<u32>,
    /// How far on the other side to be content.
    pub target_bps: Option<u32>,
}

impl Ends {
    /// What a distance may be: without any a trade is over as it begins, and with all of the price the end is at none.
    pub const BPS: RangeInclusive<u32> = 1..=9_999;

    /// Holds both distances against [`Self::BPS`].
    fn check(self) -> Result<(), StrategyError> {
        let percent = |bps: u32| format!("{}%", format_decimal(bps.into(), 2));
        for (end, bps) in [("stop", self.stop_bps), ("target", self.target_bps)] {
            if let Some(bps) = bps.filter(|bps| !Self::BPS.contains(bps)) {
                let range = format!("{} to {}", percent(*Self::BPS.start()), percent(*Self::BPS.end()));
                return Err(StrategyError::Distance { end, value: percent(bps), range });
            }
        }
        Ok(())
    }

    /// The plan of a trade that `side` opens at about `price`; `None` where neither distance is set.
    ///
    /// Both prices are rounded once, to the tick towards the entry's losing side, as stops and targets at a venue are.
    #[must_use]
    pub fn plan(&self, it: &Instrument, side: Side, price: Price) -> Option<TradePlan> {
        let tick = i128::from(it.spec.tick.mantissa());
        let away = |bps: u32, sign: i64| {
            let exact = i128::from(price.mantissa()) * (10_000 + i128::from(bps) * i128::from(sign)); // times 10,000
            let down = |exact: i128| exact.div_euclid(10_000 * tick) * tick;
            let rounded = if side == Side::Buy { down(exact) } else { -down(-exact) };
            i64::try_from(rounded).ok().map(Price::from_mantissa)
        };
        let stop = self.stop_bps.and_then(|bps| away(bps, -side.sign()));
        let target = self.target_bps.and_then(|bps| away(bps, side.sign()));
        let plan = TradePlan { stop, target, ..TradePlan::default() };
        plan.has_end().then_some(plan)
    }
}

/// A strategy, with a rule for the size of its trades and distances at which they end.
///
/// A weight that the strategy names becomes the quantity that the rule allows, at most that weight; a quantity that it
/// names is its own word and stays. What a plan of its own says of the end counts before the distances.
pub struct Managed {
    strategy: Box<dyn Strategy>,
    sizing: Option<Sizing>,
    ends: Ends,
    /// What was asked for on the last bar and what the rule made of it, as parts of equity.
    sized: Option<[f64; 2]>,
}

impl Managed {
    /// Puts `sizing` and `ends` beside `strategy`.
    ///
    /// # Errors
    /// [`StrategyError::NoStop`] for a rule that sizes by the stop where `ends` has none: not every trade brings its own.
    /// [`StrategyError::Distance`] for one of `ends` outside [`Ends::BPS`].
    pub fn new(strategy: Box<dyn Strategy>, sizing: Option<Sizing>, ends: Ends) -> Result<Self, StrategyError> {
        ends.check()?;
        match &sizing {
            Some(sizing) if sizing.wants_stop() && ends.stop_bps.is_none() => {
                Err(StrategyError::NoStop { rule: sizing.name() })
            }
            _ => Ok(Self { strategy, sizing, ends, sized: None }),
        }
    }

    /// The target as a quantity, where a rule sizes it. What goes the other way than what is held is closed even where
    /// nobody can tell how large the new trade would be.
    fn size(
        &mut self,
        market: &Market<'_>,
        price: f64,
        target: Target,
        stop: Option<Price>,
    ) -> Result<Target, Cow<'static, str>> {
        let (Some(sizing), Target::Weight(asked)) = (&self.sizing, target) else { return Ok(target) };
        if asked == 0.0 || !asked.is_finite() {
            return Ok(target);
        }
        let (instrument, stop) = (market.instrument, stop.map(|stop| market.instrument.price_f64(stop)));
        let sized = market.equity_settled().ok_or(Cow::Borrowed(NO_RATE)).and_then(|equity| {
            let quantity = sizing.quantity(&Entry { instrument, equity, price, stop, asked })?;
            Ok((quantity.copysign(asked), equity))
        });
        match sized {
            Ok((signed, equity)) => {
                self.sized = Some([asked, instrument.exposure_f64(price, signed) / equity]);
                // what is no quantity of the instrument is told by the weight
                Ok(in_steps(instrument, market.position, signed).map_or(Target::Weight(f64::NAN), Target::Quantity))
            }
            Err(_) if side_of(target) == Some(side(market.position).opposite()) && !market.position.is_zero() => {
                Ok(Target::Flat)
            }
            Err(reason) => Err(reason),
        }
    }
}

/// The side of a position of `target`; `None` for none.
fn side_of(target: Target) -> Option<Side> {
    match target {
        Target::Weight(weight) if weight > 0.0 => Some(Side::Buy),
        Target::Weight(weight) if weight < 0.0 => Some(Side::Sell),
        Target::Quantity(quantity) if !quantity.is_zero() => Some(side(quantity)),
        Target::Flat | Target::Weight(_) | Target::Quantity(_) => None,
    }
}

fn side(held: Quantity) -> Side {
    if held < Quantity::ZERO { Side::Sell } else { Side::Buy }
}

impl Strategy for Managed {
    fn name(&self) -> &'static str {
        self.strategy.name()
    }

    fn warm_up(&self) -> usize {
        self.strategy.warm_up().max(self.sizing.as_ref().map_or(0, Sizing::warm_up))
    }

    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        let price = market.instrument.price_f64(bar.close);
        self.sized = None;
        if let Some(sizing) = &mut self.sizing {
            sizing.see(bar, price);
        }
        let mut opinion = self.strategy.on_bar(market, bar);
        let Some(target) = opinion.target else { return opinion };
        if let (None, Some(side)) = (&opinion.plan, side_of(target)) {
            opinion.plan = self.ends.plan(market.instrument, side, bar.close).map(Box::new);
        }
        match self.size(market, price, target, opinion.plan.as_ref().and_then(|plan| plan.stop)) {
            Ok(target) => Opinion { target: Some(target), ..opinion },
            Err(reason) => Opinion { target: None, reason, ..opinion },
        }
    }

    fn on_other_bar(&mut self, bar: &Bar) {
        self.strategy.on_other_bar(bar);
        if let Some(sizing) = &mut self.sizing {
            sizing.see_other(bar);
        }
    }

    fn warm_up_of_others(&self) -> usize {
        self.strategy.warm_up_of_others().max(self.sizing.as_ref().map_or(0, Sizing::warm_up_of_others))
    }

    fn signals(&self) -> Vec<Signal> {
        let mut signals = self.strategy.signals();
        if let (Some(sizing), Some([asked, sized])) = (&self.sizing, self.sized) {
            let seen = Seen::default().value("weight asked", asked);
            signals.extend(seen.value(format!("weight by {}", sizing.name()), sized).signals());
        }
        signals
    }

    fn version(&self) -> Option<String> {
        let own = self.strategy.version();
        let Some(sizing) = &self.sizing else { return own };
        Some(format!("{} {} {}", own.as_deref().unwrap_or("?"), sizing.name(), sizing.version()))
    }

    fn expects(&self) -> Option<Expectation> {
        self.strategy.expects()
    }
}
