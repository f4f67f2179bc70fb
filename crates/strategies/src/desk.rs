//! One strategy at work on one instrument: from its opinion to proposals, the same in a backtest and live.

use crate::{Expectation, Market, Opinion, Strategy, Target};
use std::borrow::Cow;
use tradewind_domain::{
    Bar, ClientOrderId, Currency, FeeAsset, Instrument, InstrumentId, Money, OrderKind, OrderRecord, OrderRequest,
    OrderState, PortfolioId, Position, Quantity, Side, Source,
};
use tradewind_engine::{Decision, DecisionKind, Forecast, State};
use tradewind_gate::{Mark, Proposal};

/// Why nothing is held by weight where equity is gone.
pub(crate) const NO_EQUITY: &str = "there is no equity to hold anything with";
/// Why nothing is held by weight where equity cannot be counted in what the instrument settles in.
pub(crate) const NO_RATE: &str = "nothing says what the currency that it settles in is worth";

/// A strategy, the instrument it watches and the portfolio it trades for.
pub struct Desk {
    strategy: Box<dyn Strategy>,
    source: Source,
    portfolio: PortfolioId,
    instrument: InstrumentId,
    seen: usize,
    warm_up: usize,
}

/// What came of one bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// More, less or nothing.
    pub kind: DecisionKind,
    /// The position wanted, signed; `None` for no opinion.
    pub target: Option<Quantity>,
    /// Why.
    pub reason: Cow<'static, str>,
    /// Why in one word, as [`Opinion::tag`] has it.
    pub tag: &'static str,
    /// Orders of the desk that are to be taken back first: they still fill against the new target.
    pub cancels: Vec<ClientOrderId>,
    /// What to put to the gate, in order.
    pub proposals: Vec<Proposal>,
}

impl Desk {
    /// Puts `strategy` to work; `source` is its name in events.
    #[must_use]
    pub fn new(strategy: Box<dyn Strategy>, source: Source, portfolio: PortfolioId, instrument: InstrumentId) -> Self {
        let warm_up = strategy.warm_up();
        Self { strategy, source, portfolio, instrument, seen: 0, warm_up }
    }

    /// What it watches.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        self.instrument
    }
    /// Whom it trades for.
    #[must_use]
    pub const fn portfolio(&self) -> PortfolioId {
        self.portfolio
    }
    /// Its name in events.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }
    /// The strategy itself.
    #[must_use]
    pub fn strategy(&self) -> &dyn Strategy {
        self.strategy.as_ref()
    }

    /// How many of the newest closed bars of `instrument` it wants to be shown before it trades.
    #[must_use]
    pub fn bars_wanted(&self, instrument: InstrumentId) -> usize {
        if instrument == self.instrument { self.warm_up } else { self.strategy.warm_up_of_others() }
    }

    /// Shows a closed bar of another instrument that is followed.
    #[inline]
    pub fn on_other_bar(&mut self, bar: &Bar) {
        self.strategy.on_other_bar(bar);
    }

    /// Shows a bar of the past, to warm up: whatever is said is not acted upon.
    pub fn warm(&mut self, state: &State, bar: &Bar) {
        self.seen += 1;
        self.strategy.on_bar(&self.market(state), bar);
    }

    /// Shows a closed bar, already applied to `state`, and turns the opinion into proposals.
    ///
    /// A target becomes one market order for the difference to what is held and already on its way, in whole
    /// lots; a difference too small to order is a hold, with that reason, and so is a weight where there is no equity.
    /// Where an earlier order of the desk still fills against the new target it is taken back first, so that no more is
    /// sold than is held.
    pub fn on_bar(&mut self, state: &State, bar: &Bar) -> Outcome {
        let opinion = self.ask(state, bar);
        if self.seen <= self.warm_up {
            return hold(Cow::Borrowed("warming up"));
        }
        if opinion.is_hold() { hold(opinion.reason) } else { self.act(state, bar, opinion) }
    }

    /// Shows a bar that was missed and is told now: to act on it would be to trade on an old price.
    pub fn on_missed_bar(&mut self, state: &State, bar: &Bar) -> Outcome {
        self.warm(state, bar);
        hold(Cow::Borrowed("the bar was missed: another has closed since"))
    }

    /// As [`Self::on_bar`], but `None` for a plain hold: for those who do not ask why.
    #[inline]
    pub fn act_on_bar(&mut self, state: &State, bar: &Bar) -> Option<Outcome> {
        let opinion = self.ask(state, bar);
        (self.seen > self.warm_up && !opinion.is_hold()).then(|| self.act(state, bar, opinion))
    }

    #[inline]
    fn ask(&mut self, state: &State, bar: &Bar) -> Opinion {
        self.seen += 1;
        let market = self.market(state);
        self.strategy.on_bar(&market, bar)
    }

    /// The record of an outcome, with everything that the strategy saw.
    #[must_use]
    pub fn explain(&self, outcome: &Outcome) -> Decision {
        Decision {
            instrument: self.instrument,
            decider: self.strategy.name().to_owned(),
            kind: outcome.kind,
            target: outcome.target,
            reason: outcome.reason.clone(),
            tag: (!outcome.proposals.is_empty()).then_some(Cow::Borrowed(outcome.tag)),
            signals: self.strategy.signals(),
            version: self.strategy.version(),
            forecast: self.expects().map(|it| forecast(&it, outcome)),
        }
    }

    /// What the strategy expects after the newest bar: no value while it warms up.
    #[must_use]
    pub fn expects(&self) -> Option<Expectation> {
        let expected = self.strategy.expects()?;
        let is_warm = self.seen > self.warm_up;
        Some(if is_warm { expected } else { Expectation { value: None, confidence: None, ..expected } })
    }

    #[inline]
    fn market<'a>(&self, state: &'a State) -> Market<'a> {
        let (instrument, portfolio) = (&state.listing(self.instrument).instrument, state.portfolio(self.portfolio));
        let position = portfolio.position(self.instrument);
        let tradable = tradable(instrument, position.quantity(), state.listing(self.instrument).mark);
        Market {
            instrument,
            position: tradable,
            books: if tradable.is_zero() { Position::default() } else { position },
            equity: Money { currency: portfolio.base, units: portfolio.equity() },
            unit: worth_of_settlement(state, instrument, portfolio.base),
        }
    }

    fn act(&self, state: &State, bar: &Bar, opinion: Opinion) -> Outcome {
        let market = self.market(state);
        let target = opinion.target.map(|target| quantity_of(&market, bar, target));
        let mut proposals = Vec::with_capacity(1 + opinion.orders.len());
        let mut cancels = Vec::new();
        let mut kind = DecisionKind::Hold;
        if let Some(Ok(target)) = target {
            let (buys, sells) = state.open_wishes(self.portfolio, self.instrument);
            let can_be_ordered =
                |missing: Quantity| !missing.is_zero() && missing.abs() >= market.instrument.spec.min_quantity;
            let mut missing = target - market.position - buys + sells;
            if can_be_ordered(market.instrument.whole_lots(missing)) {
                (cancels, missing) = self.take_back(state, missing);
            }
            let missing = market.instrument.whole_lots(self.fit(state, market.position, missing));
            if can_be_ordered(missing) {
                let side = if missing > Quantity::ZERO { Side::Buy } else { Side::Sell };
                kind = if side == Side::Buy { DecisionKind::Buy } else { DecisionKind::Sell };
                let request = OrderRequest::market(self.instrument, side, missing.abs());
                let adds = market.position.mantissa().signum() * missing.mantissa().signum() >= 0;
                // what takes back a wish for more does not open what the plan is of
                let opens = adds && target.mantissa().signum() == missing.mantissa().signum();
                let plan = opinion.plan.clone().filter(|_| opens);
                proposals.push(Proposal { plan, ..self.proposal(request, opinion.reason.clone()) });
            }
        }
        for request in opinion.orders {
            let of_side = if request.side == Side::Buy { DecisionKind::Buy } else { DecisionKind::Sell };
            kind = if kind == DecisionKind::Hold { of_side } else { kind };
            proposals.push(self.proposal(request, opinion.reason.clone()));
        }
        let reason = match (target, proposals.is_empty()) {
            (Some(Err(why)), true) => Cow::Borrowed(why),
            (_, true) if !cancels.is_empty() => Cow::Borrowed("what was still to fill is taken back"),
            (_, true) => Cow::Borrowed("the difference to the target is too small to order"),
            (_, false) => opinion.reason,
        };
        Outcome { kind, target: target.and_then(Result::ok), reason, tag: opinion.tag, cancels, proposals }
    }

    /// The orders that still fill against the signed quantity `wanted`, and what is wanted once they are taken back.
    ///
    /// Only market orders that this desk sent for an earlier target, whether or not a bracket guards what they fill: what
    /// it priced itself it meant to rest, and schedules take their own back.
    fn take_back(&self, state: &State, wanted: Quantity) -> (Vec<ClientOrderId>, Quantity) {
        let mine = |record: &&OrderRecord| {
            let order = &record.order;
            order.side().sign() * wanted.mantissa().signum() < 0
                && (order.portfolio(), order.instrument()) == (self.portfolio, self.instrument)
                && order.source() == Some(self.source)
                && matches!(order.kind(), OrderKind::Market)
                && matches!(record.state, OrderState::Working | OrderState::PendingCancel)
                && (!state.parents.knows(order.client_id()) || state.parents.is_entry(order.client_id()))
        };
        let (mut cancels, mut missing) = (Vec::new(), wanted);
        for record in state.open.values().filter(mine) {
            missing += record.order.side().signed(record.open_quantity());
            cancels.extend((record.state == OrderState::Working).then_some(record.order.client_id()));
        }
        (cancels, missing)
    }

    /// Cuts what would add to a position to what the portfolio's limits leave room for: a limit is no reason to do
    /// nothing. The gate judges all the same.
    fn fit(&self, state: &State, held: Quantity, missing: Quantity) -> Quantity {
        let reduces = held.mantissa().signum() * missing.mantissa().signum() < 0;
        let side = if missing > Quantity::ZERO { Side::Buy } else { Side::Sell };
        match state.room(self.portfolio, self.instrument, side) {
            Some(room) if !reduces => side.signed(missing.abs().min(room)),
            _ => missing,
        }
    }

    fn proposal(&self, request: OrderRequest, reason: Cow<'static, str>) -> Proposal {
        Proposal { plan: None, source: self.source, portfolio: self.portfolio, request, reason }
    }
}

/// An expectation as a record has it; how sure the plan of the order is counts before what the strategy says of itself.
#[allow(clippy::cast_possible_truncation, reason = "cut to 0 to 10,000")]
fn forecast(expected: &Expectation, outcome: &Outcome) -> Forecast {
    let planned = outcome.proposals.iter().find_map(|proposal| proposal.plan.as_ref()?.confidence_bps);
    let own = expected.confidence.filter(|part| part.is_finite());
    Forecast {
        horizon_bars: expected.horizon_bars,
        value: expected.value.map(|value| format!("{value:.8}")),
        confidence_bps: planned.or(own.map(|part| (part.clamp(0.0, 1.0) * 10_000.0).round() as i64)),
    }
}

const fn hold(reason: Cow<'static, str>) -> Outcome {
    let tag = Opinion::SIGNAL;
    Outcome { kind: DecisionKind::Hold, target: None, reason, tag, cancels: Vec::new(), proposals: Vec::new() }
}

/// What of `held` could be traded away: whole lots, and nothing below the smallest order. A fee taken in the bought
/// asset leaves less than a lot behind, which is no position that a strategy could act on; other fees leave none.
#[inline]
fn tradable(instrument: &Instrument, held: Quantity, mark: Option<Mark>) -> Quantity {
    if held.is_zero() || instrument.spec.fees.asset == FeeAsset::Quote {
        return held;
    }
    let is_dust = instrument.is_dust(held, mark.map(|mark| mark.price));
    if is_dust { Quantity::ZERO } else { instrument.whole_lots(held) }
}

/// What one of the currency that `instrument` settles in is worth in `base`: by the mark of an inverse contract, which is
/// the price of its coin, else by that of a listed cash pair.
#[inline]
fn worth_of_settlement(state: &State, instrument: &Instrument, base: Currency) -> Option<f64> {
    let (settlement, quote) = (instrument.settlement(), instrument.spec.symbol.quote);
    if settlement == base {
        return Some(1.0);
    }
    if instrument.is_inverse() && quote == base {
        return Some(instrument.price_f64(state.listing(instrument.id).mark?.price));
    }
    state.rate(settlement, base).map(|(worth, of)| worth as f64 / of as f64)
}

/// The target in quantity, or why there is none.
fn quantity_of(market: &Market<'_>, bar: &Bar, target: Target) -> Result<Quantity, &'static str> {
    let it = market.instrument;
    match target {
        Target::Flat | Target::Weight(0.0) => Ok(Quantity::ZERO), // of whatever equity
        Target::Quantity(quantity) => Ok(quantity),
        Target::Weight(weight) => {
            let equity = market.equity_settled().ok_or(NO_RATE)?;
            if equity <= 0.0 {
                return Err(NO_EQUITY); // a part of what is below zero would lie on the other side
            }
            let quantity = it.quantity_worth(weight * equity, it.price_f64(bar.close));
            in_steps(it, market.position, quantity).ok_or("the target is not a number that can be ordered")
        }
    }
}

/// The signed quantity `wanted` in steps of the instrument: towards zero, so that no more is opened than what it stands for.
///
/// Where that leaves less than `held` it is the nearest: for less than half a step nothing is sold, to be bought back a bar
/// later. `None` for NaN or past 64 bits.
pub(crate) fn in_steps(it: &Instrument, held: Quantity, wanted: f64) -> Option<Quantity> {
    const NOISE: f64 = 1e-12; // of the floats behind it: 0.09999999999999999 is meant as 0.1
    let near = it.quantity_near(wanted)?;
    let (sign, beyond) = (near.mantissa().signum(), it.quantity_f64(near).abs() > wanted.abs() * (1.0 + NOISE));
    let is_held = held.mantissa().signum() == sign && near.abs() <= held.abs();
    Some(if beyond && !is_held { near - Quantity::from_mantissa(sign) } else { near })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{FeeSchedule, InstrumentKind, InstrumentSpec, Origin, Timestamp};

    #[test]
    fn what_a_fee_leaves_below_the_smallest_order_is_no_position() {
        let mut spec = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test");
        spec.fees = FeeSchedule { asset: FeeAsset::Received, ..FeeSchedule::bps(10, 10) };
        (spec.lot, spec.min_quantity) = (Quantity::from_mantissa(1_000), Quantity::from_mantissa(1_000));
        spec.min_notional.units = 500_000_000; // 5 USDT
        let mut it = spec.list(InstrumentId(0)).unwrap();
        let price = it.price("50000").unwrap();
        let mark = Some(Mark { price, at: Timestamp::default(), origin: Origin::Recorded });
        for (held, seen) in [("0", "0"), ("0.000005", "0"), ("0.00009", "0"), ("0.0001", "0.0001"), ("1.0000099", "1")]
        {
            let held = it.quantity(held).unwrap();
            assert_eq!(it.quantity_text(tradable(&it, held, mark)), seen);
            assert_eq!(
                it.quantity_text(tradable(&it, -held, mark)),
                if seen == "0" { seen.to_owned() } else { format!("-{seen}") }
            );
        }
        it.spec.fees.asset = FeeAsset::Quote;
        assert_eq!(tradable(&it, Quantity::from_mantissa(1), mark).mantissa(), 1, "nothing is left over by such fees");
    }

    #[test]
    fn an_inverse_position_is_held_against_the_smallest_order_in_its_quote() {
        let mut spec = InstrumentSpec::spot("BTC/USD:BTC".parse().unwrap(), "test");
        spec.kind = InstrumentKind::InversePerpetual;
        spec.fees = FeeSchedule { asset: FeeAsset::Received, ..FeeSchedule::bps(2, 5) };
        spec.min_notional.units = 10_000_000_000; // 100 USD
        let it = spec.list(InstrumentId(0)).unwrap();
        let mark = Some(Mark { price: it.price("50000").unwrap(), at: Timestamp::default(), origin: Origin::Recorded });
        for (held, seen) in [("99", "0"), ("-100", "-100"), ("250", "250")] {
            assert_eq!(it.quantity_text(tradable(&it, it.quantity(held).unwrap(), mark)), seen);
        }
    }
}
