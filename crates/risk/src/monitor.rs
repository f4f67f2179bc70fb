//! What happened lately, as far as limits care: throttles, losses, breakers, and the prices of every minute.

use crate::window::Window;
use crate::{AccountCaps, AccountLimits, Equity, Exit, Guard, Input, Limits, RiskMode, Tape, breaker_rule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use tradewind_domain::{InstrumentId, PortfolioId, Price, Quantity, Sequence, Side, Source, Timestamp};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// Orders that the duplicate check remembers of one portfolio.
const RECENT: usize = 256;

/// What a breaker applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everything.
    Account,
    /// One portfolio.
    Portfolio(PortfolioId),
    /// One instrument in every portfolio.
    Instrument(InstrumentId),
    /// One instrument in one portfolio.
    Pair(PortfolioId, InstrumentId),
}

impl Scope {
    /// Whether it covers what `portfolio` does in `instrument`.
    #[must_use]
    pub fn covers(self, portfolio: PortfolioId, instrument: InstrumentId) -> bool {
        match self {
            Self::Account => true,
            Self::Portfolio(own) => own == portfolio,
            Self::Instrument(own) => own == instrument,
            Self::Pair(own, of) => own == portfolio && of == instrument,
        }
    }
}

/// A breaker that tripped and was not left yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trip {
    /// Which guard reports it.
    pub guard: Guard,
    /// What it applies to.
    pub scope: Scope,
    /// Where it has led.
    pub mode: RiskMode,
    /// When it tripped last.
    pub at: Timestamp,
    /// What it found, in the unit of its limit.
    pub value: i64,
    /// What it would have allowed.
    pub limit: i64,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An order was approved and is about to be sent.
    Ordered {
        /// Whose.
        portfolio: PortfolioId,
        /// Of what.
        instrument: InstrumentId,
        /// Which way.
        side: Side,
        /// How much.
        quantity: Quantity,
        /// Its limit or trigger, if it has one.
        price: Option<Price>,
    },
    /// An order got its first fill.
    Filled {
        /// Whose.
        portfolio: PortfolioId,
        /// Of what.
        instrument: InstrumentId,
        /// Which way.
        side: Side,
    },
    /// A position was closed, wholly or in part.
    Realised {
        /// Whose.
        portfolio: PortfolioId,
        /// Whether it lost; one that came out even is neither a loss nor a win and changes nothing.
        profit: i128,
    },
    /// The venue took an order.
    Accepted {
        /// Whose.
        portfolio: PortfolioId,
    },
    /// The venue rejected an order.
    Rejected {
        /// Whose.
        portfolio: PortfolioId,
    },
    /// An order failed on the way, or its answer was lost.
    Failed {
        /// Whose.
        portfolio: PortfolioId,
    },
    /// The venue's interface failed.
    ApiError,
    /// The newest price.
    Marked {
        /// Of what.
        instrument: InstrumentId,
        /// The price.
        price: Price,
    },
    /// The newest equity, in ledger units of the portfolio's base currency.
    Equity {
        /// Whose.
        portfolio: PortfolioId,
        /// How much.
        units: i128,
    },
    /// Money came in or, negative, went out.
    Deposited {
        /// Whose.
        portfolio: PortfolioId,
        /// How much, in the base currency.
        units: i128,
    },
    /// A position stands without a stop and without an exemption.
    Bare {
        /// Whose.
        portfolio: PortfolioId,
        /// In what.
        instrument: InstrumentId,
    },
    /// A position is protected, exempt or gone.
    Covered {
        /// Whose.
        portfolio: PortfolioId,
        /// In what.
        instrument: InstrumentId,
    },
    /// A contract is this near to its liquidation.
    NearLiquidation {
        /// Whose.
        portfolio: PortfolioId,
        /// Which.
        instrument: InstrumentId,
        /// How far its mark may move against it, in basis points of the mark.
        distance_bps: i64,
    },
    /// The configuration or the program is not what it was when positions were opened.
    Drifted,
    /// A person restricts trading. It only tightens; [`Fact::Reset`] loosens.
    Restricted {
        /// What.
        scope: Scope,
        /// To what.
        mode: RiskMode,
    },
    /// Somebody asks for breakers to be cleared.
    Reset {
        /// Who. Only an operator clears anything.
        by: Source,
        /// Which; `None` for all.
        guard: Option<Guard>,
    },
    /// A moment passed.
    Tick,
}

/// An order that was just sent, for the duplicate check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Recent {
    pub(crate) at: Timestamp,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) quantity: Quantity,
    pub(crate) price: Option<Price>,
}

/// What one portfolio did lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Desk {
    equity: Equity,
    orders: Window,
    rejected: Window,
    failures_in_a_row: i64,
    losses_in_a_row: i64,
    recent: VecDeque<Recent>,
    fills: BTreeMap<u32, [Window; 2]>,
}

/// A position that stands without a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bare {
    /// Whose.
    pub portfolio: PortfolioId,
    /// In what.
    pub instrument: InstrumentId,
    /// Since when.
    pub since: Timestamp,
    /// For how many nanoseconds it may.
    pub limit: i64,
}

/// Everything that limits need to remember. Journalled with the state of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Monitor {
    now: Timestamp,
    /// The event that tripped a breaker last, or made one stricter; 0 before any did.
    tripped: Sequence,
    trips: Vec<Trip>,
    orders: Window,
    api_errors: Window,
    desks: BTreeMap<u16, Desk>,
    tapes: BTreeMap<u32, Tape>,
    /// In the order of portfolios and instruments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bare: Vec<Bare>,
}

impl Monitor {
    /// Folds one fact in. `limits` are those of the portfolio that it concerns, or of any where it concerns none.
    ///
    /// Time never goes back: a fact from before the newest one counts as if it happened then.
    pub fn fold(&mut self, sequence: Sequence, at: Timestamp, fact: &Fact, limits: &Limits, account: &AccountLimits) {
        self.now = self.now.max(at);
        let before = self.trips.clone(); // nearly always empty
        match *fact {
            Fact::Ordered { portfolio, instrument, side, quantity, price } => {
                self.ordered(portfolio, Recent { at: self.now, instrument, side, quantity, price });
            }
            Fact::Filled { portfolio, instrument, side } => self.filled(portfolio, instrument, side, limits),
            Fact::Realised { portfolio, profit } => self.realised(portfolio, profit, limits),
            Fact::Accepted { portfolio } => self.desk(portfolio).failures_in_a_row = 0,
            Fact::Rejected { portfolio } => {
                self.rejected(portfolio, limits);
                self.failed(portfolio, limits);
            }
            Fact::Failed { portfolio } => self.failed(portfolio, limits),
            Fact::ApiError => self.api_error(&account.caps),
            Fact::Marked { instrument, price } => self.marked(instrument, price, &account.caps),
            Fact::Equity { portfolio, units } => self.equity(portfolio, units, limits),
            Fact::Deposited { portfolio, units } => self.desk(portfolio).equity.deposit(units),
            Fact::Bare { portfolio, instrument } => self.bare(portfolio, instrument, limits),
            Fact::Covered { portfolio, instrument } => self.covered(portfolio, instrument),
            Fact::NearLiquidation { portfolio, instrument, distance_bps } => {
                self.near_liquidation(Scope::Pair(portfolio, instrument), distance_bps, limits);
            }
            Fact::Drifted => self.trip(Guard::ConfigDrift, Scope::Account, RiskMode::ReduceOnly, 1, 0),
            Fact::Restricted { scope, mode } => self.trip(Guard::Operator, scope, mode, 0, 0),
            Fact::Reset { by, guard } => self.reset(by, guard),
            Fact::Tick => (),
        }
        self.cool_down();
        self.count_bare();
        let same = |one: &Trip, other: &Trip| (one.guard, one.scope) == (other.guard, other.scope);
        let is_new = |trip: &Trip| !before.iter().any(|old| same(old, trip) && old.mode >= trip.mode);
        if self.trips.iter().any(is_new) {
            self.tripped = sequence;
        }
    }

    /// The newest moment seen.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }
    /// The event that tripped a breaker last, or made one stricter; 0 before any did.
    #[must_use]
    pub const fn tripped(&self) -> Sequence {
        self.tripped
    }
    /// The breakers that are tripped, in the order of the guards.
    #[must_use]
    pub fn trips(&self) -> &[Trip] {
        &self.trips
    }
    /// The strictest mode of any breaker, whatever it applies to.
    #[must_use]
    pub fn worst(&self) -> RiskMode {
        self.trips.iter().map(|trip| trip.mode).max().unwrap_or_default()
    }
    /// The breaker that restricts `portfolio` in `instrument` most, the first of equals; `None` for normal.
    #[must_use]
    pub fn strictest(&self, portfolio: PortfolioId, instrument: InstrumentId) -> Option<&Trip> {
        let covering = self.trips.iter().filter(|trip| trip.scope.covers(portfolio, instrument));
        covering.fold(None, |strictest: Option<&Trip>, trip| match strictest {
            Some(other) if other.mode >= trip.mode => Some(other),
            _ => Some(trip),
        })
    }
    /// The mode of `portfolio` in `instrument`.
    #[must_use]
    pub fn mode(&self, portfolio: PortfolioId, instrument: InstrumentId) -> RiskMode {
        self.strictest(portfolio, instrument).map_or(RiskMode::Normal, |trip| trip.mode)
    }
    /// The reference points of a portfolio's losses; `None` before its equity was seen.
    #[must_use]
    pub fn equity_of(&self, portfolio: PortfolioId) -> Option<&Equity> {
        self.desks.get(&portfolio.0).map(|desk| &desk.equity).filter(|equity| equity.peak().is_some())
    }
    /// The prices of every minute of an instrument.
    #[must_use]
    pub fn tape(&self, instrument: InstrumentId) -> Option<&Tape> {
        self.tapes.get(&instrument.0)
    }
    /// Orders that `portfolio` sent within the last second.
    #[must_use]
    pub fn orders_last_second(&self, portfolio: PortfolioId, now: Timestamp) -> i64 {
        let now = self.now.max(now);
        self.desks.get(&portfolio.0).map_or(0, |desk| desk.orders.count(now, SECOND))
    }
    /// Orders that all portfolios sent within the last second.
    #[must_use]
    pub fn account_orders_last_second(&self, now: Timestamp) -> i64 {
        self.orders.count(self.now.max(now), SECOND)
    }
    /// Losing trades of `portfolio` in a row, rejected orders within the hour, failed orders in a row.
    #[must_use]
    pub fn streaks(&self, portfolio: PortfolioId) -> (i64, i64, i64) {
        self.desks.get(&portfolio.0).map_or((0, 0, 0), |desk| {
            (desk.losses_in_a_row, desk.rejected.count(self.now, HOUR), desk.failures_in_a_row)
        })
    }
    /// Errors of the venue's interface within the last minute.
    #[must_use]
    pub fn api_errors_last_minute(&self) -> i64 {
        self.api_errors.count(self.now, MINUTE)
    }

    /// The positions that stand without a stop and without an exemption, where a limit cares.
    #[must_use]
    pub fn bare_positions(&self) -> &[Bare] {
        &self.bare
    }

    /// How long ago `portfolio` sent the same order, if that was less than `window` nanoseconds ago.
    pub(crate) fn duplicate(&self, portfolio: PortfolioId, like: &Recent, window: i64) -> Option<i64> {
        let now = self.now.max(like.at);
        let same = |it: &&Recent| Recent { at: like.at, ..**it } == *like;
        let last = self.desks.get(&portfolio.0)?.recent.iter().rev().find(same)?;
        let age = now.since(last.at);
        (age < window).then_some(age)
    }

    fn desk(&mut self, portfolio: PortfolioId) -> &mut Desk {
        self.desks.entry(portfolio.0).or_default()
    }

    fn ordered(&mut self, portfolio: PortfolioId, recent: Recent) {
        self.orders.push(recent.at, SECOND);
        let desk = self.desk(portfolio);
        desk.orders.push(recent.at, SECOND);
        if desk.recent.len() == RECENT {
            desk.recent.pop_front();
        }
        desk.recent.push_back(recent);
    }

    fn filled(&mut self, portfolio: PortfolioId, instrument: InstrumentId, side: Side, limits: &Limits) {
        let now = self.now;
        let windows = self.desk(portfolio).fills.entry(instrument.0).or_default();
        let window = &mut windows[usize::from(side == Side::Sell)];
        window.push(now, MINUTE);
        let count = window.count(now, MINUTE);
        if let Some(limit) = limits.controls.and_then(|it| it.repeated_fills).filter(|limit| count >= *limit) {
            windows.iter_mut().for_each(Window::clear);
            let scope = Scope::Pair(portfolio, instrument);
            self.trip(Guard::RepeatedFills, scope, RiskMode::ReduceOnly, count, limit);
        }
    }

    fn realised(&mut self, portfolio: PortfolioId, profit: i128, limits: &Limits) {
        let desk = self.desk(portfolio);
        match profit.signum() {
            -1 => desk.losses_in_a_row += 1,
            1 => desk.losses_in_a_row = 0,
            _ => (),
        }
        let count = desk.losses_in_a_row;
        if let Some(limit) = limits.controls.and_then(|it| it.consecutive_losses).filter(|limit| count >= *limit) {
            let scope = Scope::Portfolio(portfolio);
            self.trip(Guard::ConsecutiveLosses, scope, RiskMode::ReduceOnly, count, limit);
        }
    }

    fn rejected(&mut self, portfolio: PortfolioId, limits: &Limits) {
        let now = self.now;
        let desk = self.desk(portfolio);
        desk.rejected.push(now, HOUR);
        let count = desk.rejected.count(now, HOUR);
        if let Some(limit) = limits.controls.and_then(|it| it.failed_trades).filter(|limit| count >= *limit) {
            self.trip(Guard::FailedTrades, Scope::Portfolio(portfolio), RiskMode::ReduceOnly, count, limit);
        }
    }

    fn failed(&mut self, portfolio: PortfolioId, limits: &Limits) {
        let desk = self.desk(portfolio);
        desk.failures_in_a_row += 1;
        let count = desk.failures_in_a_row;
        if let Some(limit) = limits.controls.and_then(|it| it.order_failures).filter(|limit| count >= *limit) {
            self.trip(Guard::OrderFailures, Scope::Portfolio(portfolio), RiskMode::ReduceOnly, count, limit);
        }
    }

    fn api_error(&mut self, caps: &AccountCaps) {
        self.api_errors.push(self.now, MINUTE);
        let count = self.api_errors.count(self.now, MINUTE);
        if let Some(limit) = caps.api_errors.filter(|limit| count >= *limit) {
            self.trip(Guard::ApiErrors, Scope::Account, RiskMode::ReduceOnly, count, limit);
        }
    }

    fn marked(&mut self, instrument: InstrumentId, price: Price, caps: &AccountCaps) {
        let now = self.now;
        let tape = self.tapes.entry(instrument.0).or_default();
        if !tape.push(price, now) {
            return; // volatility is of whole minutes
        }
        let Some(volatility) = tape.volatility_bps() else { return };
        let stages = [
            (caps.volatility_halt_bps, RiskMode::Halted),
            (caps.volatility_reduce_bps, RiskMode::ReduceOnly),
            (caps.volatility_caution_bps, RiskMode::Caution),
        ];
        for (limit, mode) in stages {
            if let Some(limit) = limit.filter(|limit| volatility >= *limit) {
                return self.trip(Guard::Volatility, Scope::Instrument(instrument), mode, volatility, limit);
            }
        }
    }

    fn equity(&mut self, portfolio: PortfolioId, units: i128, limits: &Limits) {
        let now = self.now;
        let equity = &mut self.desk(portfolio).equity;
        let rolled = equity.push(units, now);
        let losses = equity.losses();
        let scope = Scope::Portfolio(portfolio);
        if rolled {
            self.move_all(|trip| trip.scope == scope, Input::DayRolled);
        }
        let controls = limits.controls.unwrap_or_default();
        let stages = [
            (Guard::DailyLoss, losses.day_bps, limits.daily_loss_bps.map(i64::from)),
            (Guard::WeeklyLoss, losses.week_bps, controls.weekly_loss_bps),
            (Guard::Drawdown, losses.peak_bps, limits.drawdown_bps.map(i64::from)),
            (Guard::DrawdownHalt, losses.peak_bps, controls.drawdown_halt_bps),
        ];
        for (guard, value, limit) in stages {
            if let Some(limit) = limit.filter(|limit| value >= *limit) {
                self.trip(guard, scope, breaker_rule(guard).entry, value, limit);
            }
        }
    }

    fn bare(&mut self, portfolio: PortfolioId, instrument: InstrumentId, limits: &Limits) {
        let Some(limit) = limits.controls.and_then(|it| it.unprotected_nanos) else { return };
        let place = self.bare.partition_point(|it| (it.portfolio, it.instrument) < (portfolio, instrument));
        match self.bare.get_mut(place).filter(|it| (it.portfolio, it.instrument) == (portfolio, instrument)) {
            Some(known) => known.limit = limit,
            None => self.bare.insert(place, Bare { portfolio, instrument, since: self.now, limit }),
        }
    }

    fn covered(&mut self, portfolio: PortfolioId, instrument: InstrumentId) {
        self.bare.retain(|it| (it.portfolio, it.instrument) != (portfolio, instrument));
        let scope = Scope::Pair(portfolio, instrument);
        self.move_all(|trip| trip.guard == Guard::Unprotected && trip.scope == scope, Input::Gone);
    }

    fn near_liquidation(&mut self, scope: Scope, distance_bps: i64, limits: &Limits) {
        let controls = limits.controls.unwrap_or_default();
        let stages =
            [(controls.deleverage_bps, RiskMode::ReduceOnly), (controls.liquidation_alert_bps, RiskMode::Caution)];
        for (limit, mode) in stages {
            if let Some(limit) = limit.filter(|limit| distance_bps < *limit) {
                return self.trip(Guard::NearLiquidation, scope, mode, distance_bps, limit);
            }
        }
    }

    /// Trips for every position that has stood without a stop for too long.
    fn count_bare(&mut self) {
        for place in 0..self.bare.len() {
            let Bare { portfolio, instrument, since, limit } = self.bare[place];
            let stood = self.now.since(since);
            if stood >= limit {
                let scope = Scope::Pair(portfolio, instrument);
                self.trip(Guard::Unprotected, scope, RiskMode::ReduceOnly, stood, limit);
            }
        }
    }

    /// Trips a breaker, or makes it stricter. One about losses trips once: it says when and where it began until a person
    /// clears it. One that cools down begins its cool-down anew.
    fn trip(&mut self, guard: Guard, scope: Scope, mode: RiskMode, value: i64, limit: i64) {
        let (at, exit) = (self.now, breaker_rule(guard).exit);
        if let Some(trip) = self.trips.iter_mut().find(|trip| trip.guard == guard && trip.scope == scope) {
            let tighter = trip.mode.on(Input::Trip(mode), exit);
            if tighter > trip.mode {
                (trip.mode, trip.at, trip.value, trip.limit) = (tighter, at, value, limit);
            }
            if matches!(exit, Exit::Timed(_)) {
                trip.at = at;
            }
            return;
        }
        let mode = RiskMode::Normal.on(Input::Trip(mode), exit);
        if mode > RiskMode::Normal {
            let place = self.trips.partition_point(|trip| (trip.guard, trip.scope) < (guard, scope));
            self.trips.insert(place, Trip { guard, scope, mode, at, value, limit });
        }
    }

    fn reset(&mut self, by: Source, guard: Option<Guard>) {
        let before = self.trips.clone();
        self.move_all(|trip| guard.is_none_or(|it| it == trip.guard), Input::Reset(by));
        for trip in before {
            if !self.trips.contains(&trip) {
                self.begin_anew(&trip);
            }
        }
    }

    /// What a person cleared is measured from here on: the loss is accepted, the count starts over.
    fn begin_anew(&mut self, trip: &Trip) {
        let (Scope::Portfolio(portfolio) | Scope::Pair(portfolio, _)) = trip.scope else {
            if trip.guard == Guard::ApiErrors {
                self.api_errors.clear();
            }
            return;
        };
        if trip.guard == Guard::Unprotected {
            let now = self.now;
            let same = |it: &&mut Bare| Scope::Pair(it.portfolio, it.instrument) == trip.scope;
            self.bare.iter_mut().filter(same).for_each(|it| it.since = now);
            return;
        }
        let desk = self.desk(portfolio);
        match trip.guard {
            Guard::DailyLoss => desk.equity.rebase_day(),
            Guard::WeeklyLoss => desk.equity.rebase_week(),
            Guard::Drawdown | Guard::DrawdownHalt => desk.equity.rebase_peak(),
            Guard::ConsecutiveLosses => desk.losses_in_a_row = 0,
            Guard::FailedTrades => desk.rejected.clear(),
            Guard::OrderFailures => desk.failures_in_a_row = 0,
            _ => (),
        }
    }

    fn cool_down(&mut self) {
        let now = self.now;
        for trip in &mut self.trips {
            let exit = breaker_rule(trip.guard).exit;
            let Exit::Timed(nanos) = exit else { continue };
            while trip.mode > RiskMode::Normal && now.since(trip.at) >= nanos {
                (trip.mode, trip.at) = (trip.mode.on(Input::CooledDown, exit), trip.at.plus_nanos(nanos));
            }
        }
        self.trips.retain(|trip| trip.mode > RiskMode::Normal);
    }

    fn move_all(&mut self, which: impl Fn(&Trip) -> bool, input: Input) {
        for trip in self.trips.iter_mut().filter(|trip| which(trip)) {
            trip.mode = trip.mode.on(input, breaker_rule(trip.guard).exit);
        }
        self.trips.retain(|trip| trip.mode > RiskMode::Normal);
    }
}
