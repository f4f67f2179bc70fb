//! How much of each limit is in use: for people, before an order meets it.

use crate::tape::Tape;
use crate::{
    AccountLimits, Class, DayRisk, Guard, Limit, LimitScope, Line, Monitor, Returns, Tighter, Unit, VarMethod,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use tradewind_domain::{InstrumentId, PortfolioId, Side};

/// An account as it stands, seen from one portfolio. Amounts are ledger units of that portfolio's base currency.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Whose limits are looked at.
    pub portfolio: PortfolioId,
    /// Its equity.
    pub equity: i128,
    /// Initial margin of its contracts with their open orders.
    pub initial_margin: i128,
    /// How far the nearest of its contracts is from liquidation, in basis points of its mark; `None` without any.
    pub nearest_liquidation: Option<i64>,
    /// Equity of all portfolios together.
    pub account_equity: i128,
    /// What is held and may come to be held.
    pub lines: &'a [Line<'a>],
    /// Open orders by instrument.
    pub open_orders: &'a BTreeMap<InstrumentId, i64>,
    /// The account's limits, for its sectors.
    pub limits: &'a AccountLimits,
    /// What happened lately.
    pub monitor: &'a Monitor,
}

impl Account<'_> {
    /// How much of `limit` is in use, in its own unit; `None` for what is asked of each order alone, and for what is
    /// not known yet. Of a limit on each of several things the fullest is told.
    #[must_use]
    pub fn in_use(&self, limit: &Limit) -> Option<i64> {
        let now = self.monitor.now();
        let (losses, rejections, failures) = self.monitor.streaks(self.portfolio);
        let lost = self.monitor.equity_of(self.portfolio).map(crate::Equity::losses);
        match limit.guard {
            None => self.base(limit.name),
            _ if matches!(limit.unit, Unit::Choice(_)) => None,
            _ if matches!(limit.name, "liquidation_alert" | "deleverage") => self.nearest_liquidation,
            Some(Guard::DailyLoss) => lost.map(|lost| lost.day_bps),
            Some(Guard::WeeklyLoss) => lost.map(|lost| lost.week_bps),
            Some(Guard::Drawdown | Guard::DrawdownHalt) => lost.map(|lost| lost.peak_bps),
            Some(Guard::ConsecutiveLosses) => Some(losses),
            Some(Guard::FailedTrades) => Some(rejections),
            Some(Guard::OrderFailures) => Some(failures),
            Some(Guard::ApiErrors) => Some(self.monitor.api_errors_last_minute()),
            Some(Guard::OrderRate) => Some(self.monitor.orders_last_second(self.portfolio, now)),
            Some(Guard::AccountOrderRate) => Some(self.monitor.account_orders_last_second(now)),
            Some(Guard::Unprotected) => {
                let own = self.monitor.bare_positions().iter().filter(|it| it.portfolio == self.portfolio);
                Some(own.map(|it| now.since(it.since)).max().unwrap_or(0))
            }
            Some(Guard::OpenOrders) => Some(self.open_orders.values().sum()),
            Some(Guard::OpenOrdersSymbol) => Some(self.open_orders.values().copied().max().unwrap_or(0)),
            Some(Guard::Caution | Guard::Volatility) => self.tapes().filter_map(Tape::volatility_bps).max(),
            Some(Guard::ValueAtRisk) => self.tail().map(|day| day.at_risk.bps),
            Some(Guard::ExpectedShortfall) => self.tail().map(|day| day.shortfall.bps),
            Some(Guard::OpenPositions) => Some(count(self.own())),
            Some(Guard::AccountPositions) => Some(count(self.positions())),
            Some(Guard::Leverage) => part(self.own().map(Line::worst).sum(), self.equity),
            Some(Guard::MarginUsed) if limit.name == "margin_used" => part(self.initial_margin, self.equity),
            Some(Guard::Gross) => self.share(self.held().map(Line::worst).sum()),
            Some(Guard::Net) => self.share(worst(self.held())),
            Some(Guard::Asset) => {
                self.share(fullest(self.held(), |line| Some(line.instrument.spec.symbol.base), worst))
            }
            Some(Guard::Strategy) => self.share(fullest(self.positions(), |line| Some(line.portfolio), gross)),
            Some(Guard::Class) => self.share(fullest(self.held(), |line| Some(Class::of(line.instrument)), gross)),
            Some(Guard::Venue) => {
                self.share(fullest(self.held(), |line| Some(line.instrument.spec.venue.as_str()), gross))
            }
            Some(Guard::Sector) => {
                let sector = |line: &Line<'_>| self.limits.sectors.get(line.instrument.spec.symbol.base.code());
                self.share(fullest(self.held(), |line| sector(line).map(String::as_str), gross))
            }
            Some(_) => None,
        }
    }

    fn base(&self, name: &str) -> Option<i64> {
        let largest = self.own().map(Line::worst).max().unwrap_or(0);
        match name {
            "max_position" => part(largest, self.equity),
            "max_position_amount" => i64::try_from(largest).ok(),
            _ => None,
        }
    }

    /// All that is exposed to a price, coins beside the positions with them.
    fn held(&self) -> impl Iterator<Item = &Line<'_>> {
        self.lines.iter().filter(|line| line.worst() != 0)
    }

    fn positions(&self) -> impl Iterator<Item = &Line<'_>> {
        self.held().filter(|line| !line.is_coins)
    }

    /// The positions of the portfolio whose limits are looked at.
    fn own(&self) -> impl Iterator<Item = &Line<'_>> {
        self.positions().filter(|line| line.portfolio == self.portfolio)
    }

    fn share(&self, units: i128) -> Option<i64> {
        part(units, self.account_equity)
    }

    fn tapes(&self) -> impl Iterator<Item = &Tape> {
        self.positions().filter_map(|line| self.monitor.tape(line.instrument.id))
    }

    fn tail(&self) -> Option<DayRisk> {
        let seen = Seen::of(self.held().copied(), self.monitor);
        let (method, sides) = (VarMethod::of(self.limits.caps.var_method), [Side::Buy, Side::Sell]);
        seen.day_risk(seen.returns().as_ref(), self.account_equity, method, &sides)
    }
}

/// Stakes with the minutes that their prices were seen in.
///
/// One with fewer than 60 of them is left out: nothing is invented for it. One whose price nobody has told for more than
/// 20 minutes is not among the lines either, and does not shorten what is known of the others: it counts as if it could
/// be lost whole. Of a market that is closed the minutes before its close count.
pub(crate) struct Seen<'a> {
    /// Those of which enough was seen.
    pub(crate) lines: Vec<Line<'a>>,
    tapes: Vec<Cow<'a, Tape>>,
    /// Notional of those that went silent.
    pub(crate) silent: i128,
}

impl<'a> Seen<'a> {
    pub(crate) fn of(lines: impl Iterator<Item = Line<'a>>, monitor: &'a Monitor) -> Self {
        let mut seen = Self { lines: Vec::new(), tapes: Vec::new(), silent: 0 };
        for line in lines {
            let Some(tape) = monitor.tape(line.instrument.id) else { continue };
            let is_open = line.instrument.spec.calendar.is_open(monitor.now());
            match if is_open { tape.at(monitor.now()) } else { Some(tape.closed_at(monitor.now())) } {
                None => seen.silent = seen.silent.saturating_add(line.worst()),
                Some(tape) if tape.seen().0 >= tape.seen().1 => {
                    seen.lines.push(line);
                    seen.tapes.push(tape);
                }
                Some(_) => (),
            }
        }
        seen
    }

    /// Their returns in the same minutes.
    pub(crate) fn returns(&self) -> Option<Returns<'_>> {
        Returns::common(&self.tapes.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    }

    /// What a day may cost of all of them together at an equity of so much; `None` where nothing is known.
    ///
    /// An order that never fills hedges nothing, and one that fills may be the hedge. So of these the largest counts, for
    /// each figure on its own: what is held; each stake on its worse side, with every open order filled; and what stands
    /// if of all open orders those of one of `sides` fill and no others.
    pub(crate) fn day_risk(
        &self,
        returns: Option<&Returns<'_>>,
        equity: i128,
        method: VarMethod,
        sides: &[Side],
    ) -> Option<DayRisk> {
        let equity = equity.max(1);
        let known = returns.and_then(|returns| {
            let of = |stakes: &Vec<i128>| {
                let weights: Vec<f64> = stakes.iter().map(|units| to_f64(*units) / to_f64(equity)).collect();
                returns.day_risk(&weights, method)
            };
            let each: Option<Vec<DayRisk>> = self.outcomes(sides).iter().map(of).collect();
            each?.into_iter().reduce(DayRisk::or_larger)
        });
        if known.is_none() && self.silent == 0 {
            return None;
        }
        let silent = i64::try_from(self.silent.saturating_mul(10_000) / equity).unwrap_or(i64::MAX);
        Some(known.unwrap_or(DayRisk::none(method)).with_lost(silent))
    }

    /// What may be held of each of the lines, in every way that [`Self::day_risk`] looks at: each once, since mostly they
    /// are one.
    fn outcomes(&self, sides: &[Side]) -> Vec<Vec<i128>> {
        let mut outcomes = vec![self.stakes(|line| line.held), self.stakes(|line| line.worst_signed())];
        outcomes.extend(sides.iter().map(|side| self.stakes(|line| line.filled(*side))));
        outcomes.sort_unstable();
        outcomes.dedup();
        outcomes
    }

    fn stakes(&self, of: impl Fn(&Line<'_>) -> i128) -> Vec<i128> {
        self.lines.iter().map(of).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a weight for statistics: money never comes back from it")]
fn to_f64(units: i128) -> f64 {
    units as f64
}

fn part(units: i128, of: i128) -> Option<i64> {
    (of > 0).then(|| i64::try_from(units.saturating_mul(10_000) / of).ok())?
}

fn count<'a>(lines: impl Iterator<Item = &'a Line<'a>>) -> i64 {
    let instruments: std::collections::BTreeSet<u32> = lines.map(|line| line.instrument.id.0).collect();
    i64::try_from(instruments.len()).unwrap_or(i64::MAX)
}

fn gross<'a>(lines: impl Iterator<Item = &'a Line<'a>>) -> i128 {
    lines.map(Line::worst).sum()
}

fn worst<'a>(lines: impl Iterator<Item = &'a Line<'a>>) -> i128 {
    let (low, high) = lines.fold((0, 0), |(low, high): (i128, i128), line| (low + line.low, high + line.high));
    low.abs().max(high.abs())
}

/// The largest sum over the groups that `key` makes.
fn fullest<'a, K: Ord>(
    lines: impl Iterator<Item = &'a Line<'a>>,
    key: impl Fn(&'a Line<'a>) -> Option<K>,
    sum: impl Fn(std::vec::IntoIter<&'a Line<'a>>) -> i128,
) -> i128 {
    let mut groups: BTreeMap<K, Vec<&'a Line<'a>>> = BTreeMap::new();
    for line in lines {
        if let Some(key) = key(line) {
            groups.entry(key).or_default().push(line);
        }
    }
    groups.into_values().map(|lines| sum(lines.into_iter())).max().unwrap_or(0)
}

/// One limit as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUse {
    /// Which.
    pub limit: &'static Limit,
    /// What it is set to; `None` is no limit.
    pub value: Option<i64>,
    /// How much of it is in use; `None` for what is asked of each order alone, or is not known yet.
    pub used: Option<i64>,
}

impl LimitUse {
    /// What is left of it; negative where it is exceeded, which of a floor is where less than it is there.
    #[must_use]
    pub fn distance(&self) -> Option<i64> {
        let (value, used) = (self.value?, self.used?);
        match self.limit.tighter {
            Tighter::Higher => used.checked_sub(value),
            Tighter::Lower | Tighter::Absent | Tighter::Same => value.checked_sub(used),
        }
    }
    /// Whether the account has it, rather than the portfolio.
    #[must_use]
    pub fn is_of_account(&self) -> bool {
        self.limit.scope == LimitScope::Account
    }
}
