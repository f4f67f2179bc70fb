//! Where limits and breakers meet the order path: what is folded into the monitor, what a trip calls for, and how the
//! account looks to the gate.
//!
//! There is no monitor before some limit calls for one, so a backtest pays one comparison an event.

use crate::decide::cancel_adding;
use crate::liquidation::{self, Deleverage};
use crate::portfolio::{asset_quantity, worth as worth_at};
use crate::{Command, Event, EventKind, Portfolio, State, Verdict};
use crate::{protect, unwind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tradewind_domain::{
    ClientOrderId, Currency, Fill, Instrument, InstrumentId, OcoGroup, OrderKind, OrderRecord, PortfolioId, Price,
    Quantity, Side, Source, Timestamp, TradePlan, pow10,
};
use tradewind_gate::{Books, Limits, Proposal, RiskView, Survey};
use tradewind_risk::{
    Account, AccountLimits, Correction, DepthSource, Equity, Exit, Fact, Guard, LIMITS, LimitSet, LimitUse, Line,
    Margin, Monitor, RiskMode, Scope, SideDepth, Terms, Trip, breaker_rule,
};

/// Stakes of other hands on the account count for nobody's portfolio.
const OTHER_HANDS: PortfolioId = PortfolioId(u16::MAX);

/// The limits of the account, and what happened lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskBook {
    /// What all portfolios together may do.
    pub account: AccountLimits,
    /// Throttles, losses, breakers, prices of every minute.
    pub monitor: Monitor,
    /// Positions that a person lets stand without a stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<Exemption>,
    /// Positions that the engine proposed to make smaller within the last minute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleveraged: Vec<Deleverage>,
    /// Positions without a stop that their limits ask for none of: noted once each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt_by_limits: Vec<(PortfolioId, InstrumentId)>,
    /// What the program runs with, part by part as hashes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
}

/// A position that a person lets stand without a stop, until it is closed or the person takes that back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// Whose.
    pub portfolio: PortfolioId,
    /// In what.
    pub instrument: InstrumentId,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A word or a fact about limits and breakers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum RiskAct {
    /// The account's limits were set.
    AccountLimits {
        /// To these.
        limits: Box<AccountLimits>,
    },
    /// A person restricts trading; it only tightens.
    Restricted {
        /// What.
        scope: Scope,
        /// To which mode.
        mode: RiskMode,
        /// Why.
        reason: String,
    },
    /// Somebody asks for breakers to be cleared; only an operator clears any.
    Reset {
        /// Which; `None` for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guard: Option<Guard>,
        /// Why.
        reason: String,
    },
    /// The configuration or the program is not what it was when positions were opened.
    Drifted {
        /// What differs.
        reason: String,
    },
    /// A person lets a position of the event's portfolio stand without a stop, until it is closed.
    Exempted {
        /// In what.
        instrument: InstrumentId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person takes that back.
    ExemptionEnded {
        /// In what.
        instrument: InstrumentId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person wants the event's portfolio to hold nothing of it: its orders go, then what is held is closed.
    ExitWished {
        /// In what.
        instrument: InstrumentId,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// It holds nothing of it any more, or nothing that could be closed.
    ExitEnded {
        /// In what.
        instrument: InstrumentId,
        /// Why.
        reason: String,
    },
    /// A position of the event's portfolio was opened without a stop, and its limits ask for none: the engine's own note,
    /// once a position.
    ExemptByLimits {
        /// In what.
        instrument: InstrumentId,
    },
    /// What the program runs with, part by part as hashes: the next start compares.
    Configured {
        /// A hash of each part, by its name.
        parts: BTreeMap<String, String>,
    },
    /// The plan that an approved order goes out with: the engine's own note, with what was put right in it.
    Planned {
        /// Which order.
        client_id: ClientOrderId,
        /// The plan as it is traded.
        plan: TradePlan,
        /// What was put right.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        corrections: Vec<Correction>,
    },
    /// An approved order is smaller than it was proposed: the gate's own note.
    Resized {
        /// Which order.
        client_id: ClientOrderId,
        /// Both sizes, and why.
        correction: Correction,
    },
    /// The engine proposes to make a contract of the event's portfolio smaller, which its liquidation is too near to: its
    /// own note, right before the proposal.
    Deleveraged {
        /// Which.
        instrument: InstrumentId,
        /// By how much.
        quantity: Quantity,
        /// How far its mark was from liquidation, in basis points.
        distance_bps: i64,
        /// How far it has to be.
        limit_bps: i64,
        /// How far it is to be again.
        target_bps: i64,
    },
    /// A breaker tripped: the engine's own note of what the events before it led to.
    Tripped {
        /// Which.
        guard: Guard,
        /// What it applies to.
        scope: Scope,
        /// Where it has led.
        mode: RiskMode,
        /// What it found, in the unit of its limit.
        value: i64,
        /// What it would have allowed.
        limit: i64,
    },
}

/// Makes the monitor once some limit calls for it.
pub(crate) fn begin(state: &mut State, limits: &Limits) {
    if limits.controls.is_some() {
        state.risk.get_or_insert_default();
    }
}

/// Folds a word about limits and breakers.
pub(crate) fn apply(state: &mut State, event: &Event, act: &RiskAct) {
    let fact = match act {
        RiskAct::AccountLimits { limits } => {
            return state.risk.get_or_insert_default().account.clone_from(limits.as_ref());
        }
        RiskAct::Restricted { scope, mode, .. } => Fact::Restricted { scope: *scope, mode: *mode },
        RiskAct::Reset { guard, .. } => Fact::Reset { by: event.source, guard: *guard },
        RiskAct::Drifted { .. } => Fact::Drifted,
        RiskAct::Configured { parts } => {
            if let Some(risk) = &mut state.risk {
                risk.config.clone_from(parts);
            }
            return;
        }
        RiskAct::Tripped { .. } | RiskAct::Planned { .. } | RiskAct::Resized { .. } => return,
        RiskAct::ExemptByLimits { instrument } => {
            if let Some(risk) = &mut state.risk {
                risk.exempt_by_limits.push((event.portfolio, *instrument));
            }
            return;
        }
        RiskAct::Deleveraged { instrument, .. } => return liquidation::note_proposed(state, event, *instrument),
        RiskAct::Exempted { .. } | RiskAct::ExemptionEnded { .. } => return protect::exempt(state, event, act),
        RiskAct::ExitWished { .. } | RiskAct::ExitEnded { .. } => return unwind::apply(state, event, act),
    };
    state.risk.get_or_insert_default();
    note(state, event.at, PortfolioId(0), &[fact]);
}

/// Folds what an event, just applied to everything else, means for limits. Fills are noted by [`filled`].
pub(crate) fn fold(state: &mut State, event: &Event) {
    liquidation::watch(state, event);
    let of_order = |id: ClientOrderId| state.order(id).map(|record| record.order.portfolio());
    match &event.kind {
        EventKind::BarClosed { bar, .. } => marked(state, event, bar.instrument),
        EventKind::Traded { trade, .. } => marked(state, event, trade.instrument),
        EventKind::Quoted { quote, .. } => marked(state, event, quote.instrument),
        EventKind::Funding { instrument, .. } => marked(state, event, *instrument),
        EventKind::Judged(Verdict::Approved(order)) => {
            let (portfolio, instrument) = (order.portfolio(), order.instrument());
            let price = order.kind().limit().or(order.kind().trigger());
            let (side, quantity) = (order.side(), order.quantity());
            note(state, event.at, portfolio, &[Fact::Ordered { portfolio, instrument, side, quantity, price }]);
        }
        EventKind::Accepted { client_id, .. } => {
            if let Some(portfolio) = of_order(*client_id) {
                note(state, event.at, portfolio, &[Fact::Accepted { portfolio }]);
            }
        }
        EventKind::Rejected { client_id, .. } => {
            if let Some(portfolio) = of_order(*client_id) {
                note(state, event.at, portfolio, &[Fact::Rejected { portfolio }]);
            }
        }
        EventKind::NotSent { client_id, .. } | EventKind::AnswerLost { client_id, .. } => {
            if let Some(portfolio) = of_order(*client_id) {
                note(state, event.at, portfolio, &[Fact::Failed { portfolio }, Fact::ApiError]);
            }
        }
        EventKind::Deposited(money) | EventKind::Adjusted { money, .. } => {
            let portfolio = event.portfolio;
            let rate = state.rate(money.currency, state.portfolio(portfolio).base);
            if let Some(units) = worth_at(money.units, rate) {
                let equity = Fact::Equity { portfolio, units: state.portfolio(portfolio).equity() };
                note(state, event.at, portfolio, &[Fact::Deposited { portfolio, units }, equity]);
            }
        }
        EventKind::Resumed { .. } => reset(state, event.at, event.source),
        EventKind::Timer => note(state, event.at, PortfolioId(0), &[Fact::Tick]),
        _ => (),
    }
    protect::watch(state, event);
}

/// Folds that breakers are cleared; only an operator's word does anything.
pub(crate) fn reset(state: &mut State, at: Timestamp, by: Source) {
    note(state, at, PortfolioId(0), &[Fact::Reset { by, guard: None }]);
}

impl State {
    /// What holds trading until people say otherwise, in words: the kill switch, and every breaker that time does not
    /// clear. Empty where one person's `resume` ends all there is to end.
    #[must_use]
    pub fn holds(&self) -> Vec<String> {
        let of = |scope: Scope| match scope {
            Scope::Account => "the account".to_owned(),
            Scope::Portfolio(id) => self.portfolio(id).name.clone(),
            Scope::Instrument(id) => self.listing(id).instrument.spec.symbol.to_string(),
            Scope::Pair(id, it) => {
                format!("{} in {}", self.listing(it).instrument.spec.symbol, self.portfolio(id).name)
            }
        };
        let trips = self.risk.iter().flat_map(|risk| risk.monitor.trips());
        let waits = |trip: &&Trip| matches!(breaker_rule(trip.guard).exit, Exit::Person | Exit::Day);
        let text = |trip: &Trip| {
            let (code, mode, since) = (trip.guard.code(), trip.mode.name(), trip.at);
            format!("{code} {:?} of {}: {mode} since {since}", trip.guard, of(trip.scope))
        };
        let halted = self.halted.iter().map(|reason| format!("halted: {reason}"));
        halted.chain(trips.filter(waits).map(text)).collect()
    }
}

/// Folds an execution: how often a side fills, whether the trade lost, and what is left.
pub(crate) fn filled(state: &mut State, fill: &Fill, portfolio: PortfolioId, realised: i128, at: Timestamp) {
    let (instrument, side) = (fill.instrument, fill.side);
    let is_first = state.order(fill.client_id).is_none_or(|record| record.filled == fill.quantity);
    if is_first {
        note(state, at, portfolio, &[Fact::Filled { portfolio, instrument, side }]);
    }
    closed(state, portfolio, realised, at);
}

/// Folds that something was closed, by an execution or by a settlement: whether the trade lost, and what is left.
pub(crate) fn closed(state: &mut State, portfolio: PortfolioId, realised: i128, at: Timestamp) {
    let equity = Fact::Equity { portfolio, units: state.portfolio(portfolio).equity() };
    match realised {
        0 => note(state, at, portfolio, &[equity]),
        profit => note(state, at, portfolio, &[Fact::Realised { portfolio, profit }, equity]),
    }
}

/// Folds that what came in earlier is worth this much: the first mark tells.
#[cold]
pub(crate) fn came_in(state: &mut State, place: usize, units: i128, at: Timestamp) {
    let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
    note(state, at, portfolio, &[Fact::Deposited { portfolio, units }]);
}

fn marked(state: &mut State, event: &Event, instrument: InstrumentId) {
    let Some(mark) = state.listing(instrument).mark else { return };
    note(state, event.at, PortfolioId(0), &[Fact::Marked { instrument, price: mark.price }]);
    for place in 0..state.portfolios.len() {
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        let units = state.portfolios[place].equity();
        note(state, event.at, portfolio, &[Fact::Equity { portfolio, units }]);
    }
}

pub(crate) fn note(state: &mut State, at: Timestamp, portfolio: PortfolioId, facts: &[Fact]) {
    let limits = state.portfolios.get(portfolio.index()).map_or(&Limits::OPEN, |books| &books.limits);
    let Some(risk) = &mut state.risk else { return };
    for fact in facts {
        risk.monitor.fold(state.sequence, at, fact, limits, &risk.account);
    }
}

/// Records the breakers that this event tripped, and cancels what they no longer allow.
pub(crate) fn decide(state: &State, event: &Event, risk: &RiskBook, commands: &mut Vec<Command>) {
    if !risk.monitor.trips().is_empty() {
        liquidation::decide(state, event, risk.monitor.trips(), commands);
    }
    protect::note_bare(state, event, risk, commands);
    if risk.monitor.tripped() != event.sequence {
        return;
    }
    for trip in risk.monitor.trips().iter().filter(|trip| trip.at == risk.monitor.now()) {
        let (guard, scope, mode) = (trip.guard, trip.scope, trip.mode);
        let act = RiskAct::Tripped { guard, scope, mode, value: trip.value, limit: trip.limit };
        commands.push(Command::Record(EventKind::Risk(Box::new(act)), event.portfolio));
    }
    cancel_adding(state, |record| is_stopped(state, record), commands);
}

/// Whether a breaker lets only what reduces pass where an open order stands.
pub(crate) fn is_stopped(state: &State, record: &OrderRecord) -> bool {
    let (portfolio, instrument) = (record.order.portfolio(), record.order.instrument());
    state.risk.as_ref().is_some_and(|risk| risk.monitor.mode(portfolio, instrument) >= RiskMode::ReduceOnly)
}

/// What the gate needs for the guards of the risk crate; `None` where no limit calls for them.
///
/// Only what was proposed as an order is made smaller: people have approved what is released, and a parent counts on the size
/// of what it asks for.
pub(crate) fn view<'a>(state: &'a State, event: &Event) -> Option<RiskView<'a>> {
    let is_slice = matches!(event.kind, EventKind::Parent(_));
    let may_shrink = matches!(event.kind, EventKind::Proposed(_));
    state.risk.as_ref().map(|_| RiskView { books: state, is_slice, may_shrink })
}

/// Equity at the last UTC midnight and at its highest, as a person's last reset left them.
pub(crate) fn reference_points(state: &State, portfolio: PortfolioId) -> (i128, i128) {
    let books = state.portfolio(portfolio);
    let kept = state.risk.as_ref().and_then(|risk| risk.monitor.equity_of(portfolio));
    (
        kept.and_then(Equity::day_start).unwrap_or_else(|| books.day_equity()),
        kept.and_then(Equity::peak).unwrap_or_else(|| books.peak_equity()),
    )
}

impl State {
    /// Every limit of a portfolio and of its account: what it is set to, and how much of it is in use.
    ///
    /// # Panics
    /// If the portfolio was never opened.
    #[must_use]
    pub fn limits_in_use(&self, portfolio: PortfolioId) -> Vec<LimitUse> {
        let books = self.portfolio(portfolio);
        let empty = RiskBook::default();
        let risk = self.risk.as_deref().unwrap_or(&empty);
        let (lines, _) = lines(self, books.base, None);
        let mut open_orders = BTreeMap::new();
        let ours = self.open.values().map(|record| record.order.instrument());
        let theirs = self.foreign.values().filter(|it| it.open).map(|it| it.instrument);
        for instrument in ours.chain(theirs) {
            *open_orders.entry(instrument).or_default() += 1;
        }
        let account = Account {
            portfolio,
            equity: books.equity(),
            initial_margin: initial_margin(self, portfolio, &lines),
            nearest_liquidation: self.liquidations(portfolio).iter().filter_map(|it| it.distance_bps).min(),
            account_equity: account_equity(self, books.base),
            lines: &lines,
            open_orders: &open_orders,
            limits: &risk.account,
            monitor: &risk.monitor,
        };
        let set = LimitSet { limits: books.limits, account: risk.account.clone() };
        LIMITS.iter().map(|limit| LimitUse { limit, value: limit.get(&set), used: account.in_use(limit) }).collect()
    }
}

impl Books for State {
    fn survey(&self, proposal: &Proposal) -> Survey<'_> {
        let risk = self.risk.as_ref().expect("the gate surveys only what `view` gave it");
        let base = self.portfolio(proposal.portfolio).base;
        let id = proposal.request.instrument;
        let (lines, unvalued) = lines(self, base, proposal.request.oco);
        let margin = margin_of(self, proposal, &lines);
        let (depth, depth_source) = depth_of(self, proposal).unzip();
        let depth_source = depth_source.unwrap_or_default();
        let (mut open_orders, mut open_orders_symbol) = (0, 0);
        let (mut own_opposite, mut foreign_opposite) = (None, None);
        for record in self.open.values() {
            open_orders += 1;
            let (order, request) = (&record.order, record.order.request());
            if order.instrument() != id {
                continue;
            }
            open_orders_symbol += 1;
            let joined = request.oco.is_some() && request.oco == proposal.request.oco;
            if let (OrderKind::Limit { price }, true) = (request.kind, order.side() != proposal.request.side && !joined)
            {
                own_opposite = Some(nearer(own_opposite, price, order.side()));
            }
        }
        for order in self.foreign.values().filter(|it| it.open) {
            open_orders += 1;
            if order.instrument != id {
                continue;
            }
            open_orders_symbol += 1;
            if let (Some(price), true) = (order.price, order.side != proposal.request.side && !order.waits) {
                foreign_opposite = Some(nearer(foreign_opposite, price, order.side));
            }
        }
        Survey {
            account: &risk.account,
            monitor: &risk.monitor,
            account_equity: account_equity(self, base),
            lines,
            unvalued,
            depth,
            depth_source,
            open_orders_symbol,
            open_orders,
            own_opposite,
            foreign_opposite,
            margin,
        }
    }
}

/// From this age on what rested in a book says nothing any more, where no limit on the age of marks says less.
const DEPTH_LASTS: i64 = 5_000_000_000;

/// What the order would take from, where a limit asks for it: ten levels of the book while they are fresh, or else the
/// size of the quote; `None` where neither is known.
fn depth_of(state: &State, proposal: &Proposal) -> Option<(SideDepth, DepthSource)> {
    let limits = &state.portfolio(proposal.portfolio).limits;
    limits.controls?.impact_by_book?;
    let (listing, side) = (state.listing(proposal.request.instrument), proposal.request.side);
    let lasts = limits.stale_after_nanos.unwrap_or(DEPTH_LASTS);
    let whole = |quantity: Quantity| u64::try_from(quantity.mantissa()).ok();
    let of_book = || {
        let known = listing.depth.filter(|known| state.now.since(known.at) < lasts)?;
        let [best, ten] = known.depth.taken_by(side);
        Some((SideDepth::new(whole(best)?, whole(ten)?).ok()?, DepthSource::Book))
    };
    let of_quote = || {
        let quote = listing.quote?;
        let size = whole(if side == Side::Buy { quote.ask_size } else { quote.bid_size })?;
        Some((SideDepth::new(size, size).ok()?, DepthSource::Quote))
    };
    of_book().or_else(of_quote)
}

/// Of two prices of resting orders of `side` the one that the other side meets first.
fn nearer(best: Option<Price>, price: Price, side: Side) -> Price {
    best.map_or(price, |best| if side == Side::Sell { best.min(price) } else { best.max(price) })
}

/// Equity of all portfolios in `base`; one whose currency has no rate counts nothing, which only tightens.
fn account_equity(state: &State, base: Currency) -> i128 {
    let portfolios = state.portfolios.iter();
    portfolios.filter_map(|books| in_currency(state, books.equity(), books.base, base)).sum()
}

fn in_currency(state: &State, units: i128, from: Currency, to: Currency) -> Option<i128> {
    at_rate(units, state.rate(from, to)?)
}

fn at_rate(units: i128, (numerator, denominator): (i128, i128)) -> Option<i128> {
    if numerator == denominator { Some(units) } else { Some(units.checked_mul(numerator)? / denominator) }
}

/// Quantities that open orders of one portfolio in one instrument may add and take.
type OpenQuantities = BTreeMap<(PortfolioId, InstrumentId), (i128, i128)>;

/// What open orders may take of assets beyond what positions in them account for, in ledger units.
type Taken = BTreeMap<(PortfolioId, Currency), i128>;

/// What every portfolio holds and may come to hold, in `base`, and how many stakes cannot be valued.
fn lines(state: &State, base: Currency, joined: Option<OcoGroup>) -> (Vec<Line<'_>>, i64) {
    let open = stakes(state, joined);
    let (mut lines, mut unvalued, mut taken) = (Vec::with_capacity(open.len()), 0, Taken::new());
    for ((portfolio, id), (buys, sells)) in open {
        let (it, books) = (&state.listing(id).instrument, state.portfolios.get(portfolio.index()));
        let held = i128::from(books.map_or(0, |books| books.to_close(it).mantissa()));
        let least = if may_be_short(state, books, it) { held - sells } else { (held - sells).max(0) };
        let takes = books.map(|books| taken_by(state, books, it, (buys, sells))).unwrap_or_default();
        for (asset, units) in takes.into_iter().flatten() {
            *taken.entry((portfolio, asset)).or_default() += units;
        }
        let line = state.rate(it.settlement(), base).and_then(|rate| {
            let value = |quantity: i128| worth(state, it, quantity, rate);
            let (held, low, high) = (value(held)?, value(least)?, value(held + buys)?);
            Some(Line { portfolio, instrument: it, is_coins: false, rate, held, low, high })
        });
        match line {
            Some(line) => lines.push(line),
            None => unvalued += 1,
        }
    }
    for (place, books) in state.portfolios.iter().enumerate() {
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        lines.extend(coins(state, portfolio, books, base, &taken));
    }
    (lines, unvalued)
}

/// What may be added to and taken from each stake: of what is held, and of what orders are open for. One pass over the open
/// orders: of a group only its largest order of a side counts, and none of the group `joined`.
fn stakes(state: &State, joined: Option<OcoGroup>) -> OpenQuantities {
    let mut open = OpenQuantities::new();
    let mut groups: BTreeMap<(PortfolioId, OcoGroup, InstrumentId, Side), i128> = BTreeMap::new();
    for record in state.open.values() {
        let (order, quantity) = (&record.order, i128::from(record.open_quantity().mantissa()));
        let key = (order.portfolio(), order.instrument());
        match order.request().oco {
            Some(group) if joined == Some(group) => (),
            Some(group) => {
                let largest = groups.entry((key.0, group, key.1, order.side())).or_default();
                *largest = quantity.max(*largest);
            }
            None => add(&mut open, key, order.side(), quantity),
        }
    }
    for ((portfolio, _, instrument, side), quantity) in groups {
        add(&mut open, (portfolio, instrument), side, quantity);
    }
    for listing in &state.listings {
        let (id, foreign) = (listing.instrument.id, state.foreign_exposure(listing.instrument.id));
        add(&mut open, (OTHER_HANDS, id), Side::Buy, foreign.buys.mantissa().into());
        add(&mut open, (OTHER_HANDS, id), Side::Sell, foreign.sells.mantissa().into());
    }
    for (place, books) in state.portfolios.iter().enumerate() {
        let portfolio = PortfolioId(u16::try_from(place).unwrap_or(u16::MAX));
        for listing in &state.listings {
            let (held, mark) = (books.to_close(&listing.instrument), listing.mark.map(|mark| mark.price));
            if !listing.instrument.is_dust(held, mark) {
                open.entry((portfolio, listing.instrument.id)).or_default();
            }
        }
    }
    open
}

/// Whether a position in `it` may be below zero: in what is paid in full only where something may be borrowed, by other hands
/// wherever any portfolio may.
fn may_be_short(state: &State, books: Option<&Portfolio>, it: &Instrument) -> bool {
    let any = || state.portfolios.iter().any(|books| books.limits.borrow);
    !it.is_cash() || books.map_or_else(any, |books| books.limits.borrow)
}

/// What open buys and sells in one instrument may take of assets beyond what positions in them account for: of its base
/// where more is to be sold than is held, and in a cross pair of what is to be paid.
fn taken_by(
    state: &State,
    books: &Portfolio,
    it: &Instrument,
    (buys, sells): (i128, i128),
) -> [Option<(Currency, i128)>; 2] {
    if !it.is_cash() {
        return [None; 2];
    }
    let beyond = if books.limits.borrow { 0 } else { sells - i128::from(books.to_close(it).mantissa()) };
    let sold = it.asset_units(Quantity::from_mantissa(i64::try_from(beyond.max(0)).unwrap_or(i64::MAX)));
    let paid = if it.settlement() == books.base { None } else { worth(state, it, buys, (1, 1)) };
    [(it.spec.symbol.base, sold), (it.settlement(), paid.unwrap_or(0))]
        .map(|taken| Some(taken).filter(|(_, units)| *units > 0))
}

/// More than any coins are worth, and few enough to be added up: a venue may tell of as many as it likes.
const MOST_COINS: i128 = 1 << 96;

/// What a portfolio holds of assets beyond its positions, in `base`: at the least what is left once open orders have taken
/// theirs. What has no mark or no rate counts in no equity either, and what is too little for any order is no stake.
fn coins<'a>(
    state: &'a State,
    portfolio: PortfolioId,
    books: &Portfolio,
    base: Currency,
    taken: &Taken,
) -> Vec<Line<'a>> {
    let Some(rate) = state.rate(books.base, base) else { return Vec::new() };
    let line = |(pair, units): (&'a Instrument, i128)| {
        let price = state.listing(pair.id).mark?.price;
        if asset_quantity(pair, units).is_some_and(|quantity| pair.is_dust(quantity, Some(price))) {
            return None;
        }
        let each = (i128::from(price.mantissa()), pow10(u32::from(pair.spec.price_decimals)));
        let value = |units: i128| at_rate(worth_at(units, Some(each))?.clamp(0, MOST_COINS), rate);
        let left = units - taken.get(&(portfolio, pair.spec.symbol.base)).copied().unwrap_or(0);
        let (held, low) = (value(units)?, value(left.max(0))?);
        Some(Line { portfolio, instrument: pair, is_coins: true, rate, held, low, high: held })
    };
    books.coins(state.listings.iter().map(|listing| &listing.instrument)).filter_map(line).collect()
}

fn add(open: &mut OpenQuantities, key: (PortfolioId, InstrumentId), side: Side, quantity: i128) {
    if quantity == 0 {
        return;
    }
    let (buys, sells) = open.entry(key).or_default();
    *(if side == Side::Buy { buys } else { sells }) += quantity;
}

/// What a signed quantity is worth at its mark, at a `rate` of its settlement currency.
fn worth(state: &State, instrument: &Instrument, quantity: i128, rate: (i128, i128)) -> Option<i128> {
    if quantity == 0 {
        return Some(0);
    }
    let mark = state.listing(instrument.id).mark?;
    let quantity = Quantity::from_mantissa(i64::try_from(quantity).ok()?);
    at_rate(instrument.notional(mark.price, quantity).ok()?.units, rate)
}

/// Initial margin of a portfolio's contracts with their open orders.
fn initial_margin(state: &State, portfolio: PortfolioId, lines: &[Line<'_>]) -> i128 {
    let books = state.portfolio(portfolio);
    let controls = books.limits.controls.unwrap_or_default();
    let mine = lines.iter().filter(|line| line.portfolio == portfolio && !line.instrument.is_cash());
    mine.map(|line| Terms::of(line.instrument, &controls, line.rate).initial(line.worst())).sum()
}

/// Contracts share their portfolio's equity as collateral: cross margin, the worse of the two cases. `None` where no limit
/// asks for it. A stake that no rate values is not among the lines, and lets nothing be added meanwhile.
fn margin_of(state: &State, proposal: &Proposal, lines: &[Line<'_>]) -> Option<Margin> {
    let it = &state.listing(proposal.request.instrument).instrument;
    let books = state.portfolio(proposal.portfolio);
    let controls = books.limits.controls.filter(|it| it.liquidation_buffer_bps.or(it.margin_used_bps).is_some())?;
    if it.is_cash() {
        return None;
    }
    let rate = state.rate(it.settlement(), books.base)?;
    let mut margin = Margin { collateral: books.equity(), others_maintenance: 0, others_initial: 0, rate };
    for line in lines {
        let other = line.instrument;
        if line.portfolio != proposal.portfolio || other.id == it.id || other.is_cash() {
            continue;
        }
        let terms = Terms::of(other, &controls, line.rate);
        margin.others_maintenance += terms.maintenance(line.worst());
        margin.others_initial += terms.initial(line.worst());
    }
    Some(margin)
}
