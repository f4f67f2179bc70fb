//! Contracts that come near their liquidation: the monitor is told at every mark, and the engine itself makes a position
//! smaller before its venue would.
//!
//! # Two distances
//! Below `liquidation_alert` the instrument is cautious in that portfolio, and a person is told. Below `deleverage` only
//! what reduces passes, and the engine proposes a reduce-only market order that is just large enough to bring the distance
//! back to `liquidation_buffer`, at which entries are judged. It takes the same gate as every order.
//!
//! # What it leaves alone
//! What open orders already close, and everything while a kill switch is on: whoever threw it decides what is closed then.
//! It proposes one order at a time, and none for the same position within a minute.

use crate::protect::Exit;
use crate::risk::note;
use crate::{Command, Event, EventKind, RiskAct, State, governance};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Instrument, InstrumentId, OrderRequest, PortfolioId, Price, Quantity, Side, Source, Timestamp};
use tradewind_gate::Proposal;
use tradewind_risk::{
    Controls, Fact, Guard, Margin, RiskMode, Scope, Terms, Trip, liquidation_distance_bps, liquidation_price,
};

/// How long a position is left alone after the engine proposed to make it smaller: 60 seconds in nanoseconds.
const REST_NANOS: i64 = 60_000_000_000;

/// A position that the engine proposed to make smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleverage {
    /// Whose.
    pub portfolio: PortfolioId,
    /// In what.
    pub instrument: InstrumentId,
    /// When.
    pub at: Timestamp,
}

/// How far a contract that is held is from its liquidation, all of them sharing their portfolio's equity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidation {
    /// Whose.
    pub portfolio: PortfolioId,
    /// In what.
    pub instrument: InstrumentId,
    /// How far the mark may move against it, in basis points of the mark; `None` where no move liquidates it.
    pub distance_bps: Option<i64>,
    /// The mark at which it is liquidated.
    pub price: Option<Price>,
}

/// A contract that is held and can be valued.
struct Contract<'a> {
    it: &'a Instrument,
    mark: Price,
    held: Quantity,
    /// Signed, in the portfolio's base currency, as `maintenance` is.
    notional: i128,
    maintenance: i128,
    rate: (i128, i128),
    terms: Terms<'a>,
}

impl Contract<'_> {
    fn distance_bps(&self, margin: &Margin) -> Option<i64> {
        liquidation_distance_bps(self.notional, margin, &self.terms)
    }
}

/// What a portfolio holds in contracts. One that no mark or rate values is left out: nothing is invented for it, and the
/// gate lets nothing be added meanwhile.
fn contracts<'a>(state: &'a State, portfolio: PortfolioId, controls: &Controls) -> Vec<Contract<'a>> {
    let books = state.portfolio(portfolio);
    let contract = |listing: &'a crate::Listing| {
        let it = &listing.instrument;
        if it.is_cash() {
            return None;
        }
        let held = books.position(it.id).quantity();
        let mark = listing.mark.filter(|_| !held.is_zero())?.price;
        let rate = state.rate(it.settlement(), books.base)?;
        let notional = it.notional(mark, held).ok()?.units.checked_mul(rate.0)? / rate.1;
        let terms = Terms::of(it, controls, rate);
        Some(Contract { it, mark, held, notional, maintenance: terms.maintenance(notional), rate, terms })
    };
    state.listings.iter().filter_map(contract).collect()
}

/// What stands behind one of `all`: the equity of the portfolio, less what the others need.
fn margin_of(equity: i128, contract: &Contract<'_>, all: &[Contract<'_>]) -> Margin {
    let sum: i128 = all.iter().map(|it| it.maintenance).sum();
    let others_maintenance = sum - contract.maintenance;
    Margin { collateral: equity, others_maintenance, others_initial: 0, rate: contract.rate }
}

impl State {
    /// Every contract that `portfolio` holds, with how far it is from liquidation by the limits' terms and its venue's
    /// brackets.
    ///
    /// # Panics
    /// If the portfolio was never opened.
    #[must_use]
    pub fn liquidations(&self, portfolio: PortfolioId) -> Vec<Liquidation> {
        let books = self.portfolio(portfolio);
        let all = contracts(self, portfolio, &books.limits.controls.unwrap_or_default());
        let of = |it: &Contract<'_>| {
            let margin = margin_of(books.equity(), it, &all);
            let price = liquidation_price(it.mark, it.notional, &margin, &it.terms);
            Liquidation { portfolio, instrument: it.it.id, distance_bps: it.distance_bps(&margin), price }
        };
        all.iter().map(of).collect()
    }
}

/// The distance below which `controls` want to hear of a position; `None` where no limit asks.
fn bound(controls: &Controls) -> Option<i64> {
    controls.liquidation_alert_bps.max(controls.deleverage_bps)
}

/// Whether an event may bring a position nearer to its liquidation.
const fn moves(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::BarClosed { .. }
            | EventKind::Traded { .. }
            | EventKind::Quoted { .. }
            | EventKind::Funding { .. }
            | EventKind::Settled { .. }
            | EventKind::Filled(_)
            | EventKind::Deposited(_)
            | EventKind::Adjusted { .. }
            | EventKind::LimitsSet(_)
            | EventKind::Timer
    )
}

/// Tells the monitor which contracts are near their liquidation, where a limit asks.
pub(crate) fn watch(state: &mut State, event: &Event) {
    if !moves(&event.kind) {
        return;
    }
    for place in 0..state.portfolios.len() {
        let controls = state.portfolios[place].limits.controls;
        let Some((controls, bound)) = controls.and_then(|it| Some((it, bound(&it)?))) else { continue };
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        let all = contracts(state, portfolio, &controls);
        let equity = if all.is_empty() { continue } else { state.portfolios[place].equity() };
        let near = |it: &Contract<'_>| {
            let bps = it.distance_bps(&margin_of(equity, it, &all)).filter(|bps| *bps < bound)?;
            Some(Fact::NearLiquidation { portfolio, instrument: it.it.id, distance_bps: bps })
        };
        let facts: Vec<Fact> = all.iter().filter_map(near).collect();
        note(state, event.at, portfolio, &facts);
    }
}

/// Remembers that the engine proposed to make a position smaller.
pub(crate) fn note_proposed(state: &mut State, event: &Event, instrument: InstrumentId) {
    let (portfolio, at) = (event.portfolio, event.at);
    if let Some(risk) = &mut state.risk {
        risk.deleveraged.retain(|it| at.since(it.at) < REST_NANOS);
        risk.deleveraged.push(Deleverage { portfolio, instrument, at });
    }
}

/// Proposes to make the first position smaller that is too near. A fill does not lead to it: what it led to comes first.
pub(crate) fn decide(state: &State, event: &Event, trips: &[Trip], commands: &mut Vec<Command>) {
    let acts = moves(&event.kind) && !matches!(event.kind, EventKind::Filled(_));
    let pair = |trip: &Trip| match trip.scope {
        Scope::Pair(portfolio, instrument) if trip.guard == Guard::NearLiquidation => {
            (trip.mode >= RiskMode::ReduceOnly).then_some((portfolio, instrument))
        }
        _ => None,
    };
    let mut near = trips.iter().filter(|_| acts).filter_map(pair);
    let Some((act, proposal)) = near.find_map(|(portfolio, instrument)| deleverage(state, portfolio, instrument))
    else {
        return;
    };
    let portfolio = proposal.portfolio;
    commands.push(Command::Record(EventKind::Risk(Box::new(act)), portfolio));
    commands.push(Command::Record(EventKind::Proposed(proposal), portfolio));
}

/// The order that brings a position away from its liquidation, with what is recorded of it.
fn deleverage(state: &State, portfolio: PortfolioId, instrument: InstrumentId) -> Option<(RiskAct, Proposal)> {
    let books = state.portfolio(portfolio);
    let controls = books.limits.controls?;
    let bound = controls.deleverage_bps?;
    let rests = |it: &Deleverage| {
        (it.portfolio, it.instrument) == (portfolio, instrument) && state.now.since(it.at) < REST_NANOS
    };
    let risk = state.risk.as_ref()?;
    if state.halted.is_some()
        || governance::is_latched(state, Source::Host, None, instrument)
        || risk.deleveraged.iter().any(rests)
    {
        return None;
    }
    let all = contracts(state, portfolio, &controls);
    let contract = all.iter().find(|it| it.it.id == instrument)?;
    let margin = margin_of(books.equity(), contract, &all);
    let distance_bps = contract.distance_bps(&margin).filter(|bps| *bps < bound)?;
    let target_bps = controls.liquidation_buffer_bps.unwrap_or(bound).max(bound);
    let side = if contract.held > Quantity::ZERO { Side::Sell } else { Side::Buy };
    let exit = Exit::new(state, portfolio, instrument, side);
    let most = exit.may_leave(exit.foreign());
    let quantity = least_reduction(contract, &margin, target_bps).min(most).min(contract.it.spec.max_quantity);
    let quantity = contract.it.whole_lots(quantity);
    if quantity < contract.it.spec.min_quantity || quantity.is_zero() {
        return None;
    }
    let request = OrderRequest { reduce_only: true, ..OrderRequest::market(instrument, side, quantity) };
    let reason = "liquidation is too near: the position is made smaller".into();
    let proposal = Proposal { plan: None, source: Source::Host, portfolio, request, reason };
    Some((RiskAct::Deleveraged { instrument, quantity, distance_bps, limit_bps: bound, target_bps }, proposal))
}

/// The fewest whole lots to close at the mark so that what is left keeps `target_bps`: all, where nothing less does, or
/// where what is left would be too little for any order.
fn least_reduction(contract: &Contract<'_>, margin: &Margin, target_bps: i64) -> Quantity {
    let (it, held) = (contract.it, contract.held.abs());
    let lot = it.spec.lot.mantissa().max(1);
    let keeps = |lots: i64| {
        let left = Quantity::from_mantissa(held.mantissa() - lots * lot);
        let signed = if contract.held > Quantity::ZERO { left } else { -left };
        let Ok(notional) = it.notional(contract.mark, signed) else { return false };
        let notional = notional.units.saturating_mul(contract.rate.0) / contract.rate.1;
        liquidation_distance_bps(notional, margin, &contract.terms).is_none_or(|distance| distance >= target_bps)
    };
    let (mut low, mut high) = (0, held.mantissa() / lot);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if keeps(middle) { high = middle } else { low = middle }
    }
    let least = Quantity::from_mantissa(high * lot).max(it.spec.min_quantity);
    if least > held || it.is_dust(held - least, Some(contract.mark)) { it.whole_lots(held) } else { least }
}
