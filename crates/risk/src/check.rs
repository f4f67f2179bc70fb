//! The way in: every guard over one order, in the order of the table.

use crate::impact::whole_bps;
use crate::monitor::Recent;
use crate::usage::Seen;
use crate::{
    AccountLimits, Audited, Breach, Controls, Guard, ImpactMode, LIMITS, Limits, Line, Margin, Monitor, Returns,
    RiskMode, Situation, Terms, Totals, Trip, Unit, VarMethod, audit, liquidation_distance_bps,
};
use tradewind_domain::{LEDGER_DECIMALS, OrderKind, Price, Side, Source, format_decimal};

type Verdict = Result<(), Box<Breach>>;

/// A quote from further ahead of us than this was not seen yet: one of the clocks is wrong.
const AHEAD: i64 = 1_000_000_000;

/// Judges an order against everything that this crate knows.
///
/// An order that only reduces passes every guard but the throttle of the account, the duplicate check, the price
/// collar on its own bad side and the check against meeting our own orders: those can be cancelled from here. What another
/// hand has resting cannot, so no way out waits for it; the venue's own prevention keeps the two apart. One that sells what
/// is owned leaves less exposed, and is asked nothing about exposure, margin and what a day may cost.
///
/// Gives back the proposal's plan as it may be traded, with what was put right in it; `None` where it has none, or only
/// reduces.
///
/// # Errors
/// The first guard of [`crate::GUARDS`] that refuses, with its value and its limit.
pub fn check(
    limits: &Limits,
    account: &AccountLimits,
    monitor: &Monitor,
    situation: &Situation<'_>,
) -> Result<Option<Audited>, Box<Breach>> {
    let judge = Judge {
        limits,
        controls: limits.controls.as_ref().unwrap_or(&Controls::NONE),
        account,
        monitor,
        it: situation,
    };
    judge.breakers()?;
    judge.caution()?;
    judge.data()?;
    judge.collars()?;
    judge.duplicate()?;
    judge.pace()?;
    judge.open_orders()?;
    judge.self_match()?;
    if situation.reduces {
        return Ok(None);
    }
    judge.size()?;
    judge.taking()?;
    judge.reversal()?;
    if !situation.sells_owned {
        judge.exposure()?;
        judge.liquidation()?;
        judge.margin_used()?;
        judge.tails()?;
    }
    judge.plan()
}

/// Judges only the plan of an order that adds exposure, as where it becomes several orders that are judged when they are
/// due. Gives back the plan as [`check`] does.
///
/// # Errors
/// As [`audit`].
pub fn check_plan(limits: &Limits, situation: &Situation<'_>) -> Result<Option<Audited>, Box<Breach>> {
    let controls = limits.controls.as_ref().unwrap_or(&Controls::NONE);
    situation.plan.filter(|_| !situation.reduces).map(|plan| audit(plan, situation, controls)).transpose()
}

struct Judge<'a> {
    limits: &'a Limits,
    controls: &'a Controls,
    account: &'a AccountLimits,
    monitor: &'a Monitor,
    it: &'a Situation<'a>,
}

fn refuse(guard: Guard, value: impl Into<String>, limit: impl Into<String>) -> Verdict {
    Err(Box::new(Breach::new(guard, value, limit)))
}

fn money(units: i128) -> String {
    format_decimal(units, LEDGER_DECIMALS)
}

fn percent(bps: i64) -> String {
    Unit::Percent.text(bps)
}

/// Refuses a count from its limit on: the order would be one more.
fn at_most(guard: Guard, count: i64, limit: Option<i64>) -> Verdict {
    match limit {
        Some(limit) if count >= limit => refuse(guard, (count + 1).to_string(), limit.to_string()),
        _ => Ok(()),
    }
}

/// `part` of `whole` in basis points, rounded up so that a limit is never passed by a fraction; `None` for no whole.
fn share_bps(part: i128, whole: i128) -> Option<i64> {
    if whole <= 0 {
        return None;
    }
    let scaled = part.saturating_mul(10_000);
    i64::try_from(scaled / whole + i128::from(scaled % whole > 0)).ok()
}

fn distance_bps(price: Price, from: Price) -> i64 {
    let (price, from) = (i128::from(price.mantissa()), i128::from(from.mantissa()));
    share_bps((price - from).abs(), from).unwrap_or(i64::MAX)
}

impl Judge<'_> {
    fn breakers(&self) -> Verdict {
        let Some(trip) = self.monitor.strictest(self.it.portfolio, self.it.instrument.id) else { return Ok(()) };
        let explicit_exit = self.it.reduces && (self.it.request.reduce_only || self.it.source == Source::Operator);
        let passes = match trip.mode {
            RiskMode::Normal | RiskMode::Caution => true,
            RiskMode::ReduceOnly => self.it.reduces,
            RiskMode::Halted => explicit_exit,
        };
        if passes { Ok(()) } else { refuse(trip.guard, tripped(trip), bound(trip)) }
    }

    fn caution(&self) -> Verdict {
        let mode = self.monitor.mode(self.it.portfolio, self.it.instrument.id);
        let (RiskMode::Caution, false) = (mode, self.it.reduces) else { return Ok(()) };
        match self.limits.max_order.units(self.it.equity) {
            Some(cap) if self.it.notional > cap / 2 => refuse(Guard::Caution, money(self.it.notional), money(cap / 2)),
            _ => Ok(()),
        }
    }

    fn data(&self) -> Verdict {
        let (it, mark) = (self.it, self.it.reference);
        if it.reduces {
            return Ok(());
        }
        if mark.at.since(it.now) > AHEAD {
            return refuse(Guard::Data, format!("a mark from {}", mark.at), format!("{} at most", it.now));
        }
        if it.unvalued > 0 {
            return refuse(Guard::Data, format!("{} stakes without a mark or a rate", it.unvalued), "a value for each");
        }
        let Some(quote) = it.quote else { return Ok(()) };
        let text = |price| it.instrument.price_text(price);
        if quote.bid > quote.ask || quote.bid.mantissa() <= 0 {
            let value = format!("bid {} and ask {}", text(quote.bid), text(quote.ask));
            return refuse(Guard::Data, value, "a bid above zero and not above the ask");
        }
        let Some(collar) = self.controls.collar_bps else { return Ok(()) };
        let away = if mark.price < quote.bid {
            distance_bps(quote.bid, mark.price)
        } else if mark.price > quote.ask {
            distance_bps(quote.ask, mark.price)
        } else {
            0
        };
        if away <= collar {
            return Ok(());
        }
        refuse(Guard::Data, format!("a book {} from the mark", percent(away)), format!("{} at most", percent(collar)))
    }

    fn collars(&self) -> Verdict {
        let (it, mark) = (self.it, self.it.reference.price);
        if let (Some(limit), Some(price)) = (self.controls.collar_bps, it.request.kind.limit()) {
            let away = distance_bps(price, mark);
            // an exit may rest far on its good side
            let harmless = it.reduces && (price > mark) == (it.request.side == Side::Sell);
            if away > limit && !harmless {
                return refuse(Guard::Collar, format!("{} from the mark", percent(away)), percent(limit));
            }
        }
        let (Some(limit), OrderKind::Market, false) = (self.controls.market_collar_bps, it.request.kind, it.reduces)
        else {
            return Ok(());
        };
        let meets = it.best_opposite().unwrap_or(mark);
        let away = distance_bps(meets, mark);
        if away <= limit {
            return Ok(());
        }
        refuse(Guard::MarketCollar, format!("{} from the mark", percent(away)), percent(limit))
    }

    fn duplicate(&self) -> Verdict {
        let (it, Some(window)) = (self.it, self.controls.duplicate_window_nanos) else { return Ok(()) };
        let like = Recent {
            at: it.now,
            instrument: it.instrument.id,
            side: it.request.side,
            quantity: it.request.quantity,
            price: it.request.kind.limit().or(it.request.kind.trigger()),
        };
        let Some(age) = self.monitor.duplicate(it.portfolio, &like, window).filter(|_| !it.is_slice) else {
            return Ok(());
        };
        let what = it.instrument.quantity_text(like.quantity);
        let value = format!("{:?} {what} again after {}", like.side, Unit::Duration.text(age));
        refuse(Guard::Duplicate, value, Unit::Duration.text(window))
    }

    fn pace(&self) -> Verdict {
        let it = self.it;
        if !it.reduces {
            let sent = self.monitor.orders_last_second(it.portfolio, it.now);
            at_most(Guard::OrderRate, sent, self.controls.orders_per_second)?;
        }
        if it.reduces && it.source == Source::Operator {
            return Ok(());
        }
        let sent = self.monitor.account_orders_last_second(it.now);
        at_most(Guard::AccountOrderRate, sent, self.account.caps.orders_per_second)
    }

    fn open_orders(&self) -> Verdict {
        if self.it.reduces {
            return Ok(());
        }
        at_most(Guard::OpenOrdersSymbol, self.it.open_orders_symbol, self.account.caps.open_orders_symbol)?;
        at_most(Guard::OpenOrders, self.it.open_orders, self.account.caps.open_orders)
    }

    fn self_match(&self) -> Verdict {
        let (it, Some(_)) = (self.it, self.account.caps.self_match) else { return Ok(()) };
        let theirs = it.foreign_opposite.filter(|_| !it.reduces);
        for (whose, at) in [("our own order", it.own_opposite), ("another hand's order on the account", theirs)] {
            if let Some(at) = at.filter(|at| self.reaches(*at)) {
                let value = format!("{whose} at {}", it.instrument.price_text(at));
                return refuse(Guard::SelfMatch, value, "none that it reaches");
            }
        }
        Ok(())
    }

    /// Whether the order would trade with one that rests at `price` on the other side.
    fn reaches(&self, price: Price) -> bool {
        let it = self.it;
        match (it.request.kind, it.request.side) {
            (OrderKind::Market, Side::Buy) => it.worst.is_none_or(|worst| worst >= price),
            (OrderKind::Market, Side::Sell) => it.worst.is_none_or(|worst| worst <= price),
            (OrderKind::Limit { price: limit }, Side::Buy) => limit >= price,
            (OrderKind::Limit { price: limit }, Side::Sell) => limit <= price,
            _ => false, // it sleeps; what it meets when it wakes is the venue's own check
        }
    }

    fn size(&self) -> Verdict {
        match self.account.caps.hard_order_amount.map(i128::from) {
            Some(cap) if self.it.notional > cap => refuse(Guard::HardCap, money(self.it.notional), money(cap)),
            _ => Ok(()),
        }
    }

    fn taking(&self) -> Verdict {
        let it = self.it;
        if !it.takes() {
            return Ok(());
        }
        if let (Some(limit), Some(quote)) = (self.controls.spread_bps, it.quote) {
            let spread = distance_bps(quote.ask, quote.bid);
            if spread > limit {
                return refuse(Guard::Spread, percent(spread), percent(limit));
            }
        }
        let (Some(limit), Some(depth)) = (self.controls.impact_bps, it.depth) else { return Ok(()) };
        let size = it.request.quantity.mantissa().max(0).unsigned_abs();
        let impact = whole_bps(depth.impact_bps(size));
        if ImpactMode::of(self.controls.impact_mode).takes_all(size, impact, limit, &depth) {
            return Ok(());
        }
        refuse(Guard::Impact, it.depth_source.told(&percent(impact)), percent(limit))
    }

    fn reversal(&self) -> Verdict {
        let (it, Some(_)) = (self.it, self.controls.reversal) else { return Ok(()) };
        let held = i128::from(it.position.mantissa());
        let signed = i128::from(it.request.side.signed(it.request.quantity).mantissa());
        if held == 0 || (held + signed).signum() != -held.signum() {
            return Ok(());
        }
        let text = it.instrument.quantity_text(it.position);
        refuse(Guard::Reversal, format!("a position of {text} turned over"), "close first, then open")
    }

    fn exposure(&self) -> Verdict {
        let (it, caps) = (self.it, &self.account.caps);
        let totals = Totals::after(it, self.account);
        for (guard, count, limit) in [
            (Guard::OpenPositions, totals.own_positions, self.controls.open_positions),
            (Guard::AccountPositions, totals.positions, caps.positions),
        ] {
            if let Some(limit) = limit.filter(|limit| count > *limit) {
                return refuse(guard, count.to_string(), limit.to_string());
            }
        }
        self.part(Guard::Leverage, totals.strategy, it.equity, self.controls.leverage, Unit::Multiple)?;
        for (guard, part, limit) in [
            (Guard::Asset, totals.asset, caps.asset_bps),
            (Guard::Sector, totals.sector, caps.sector_bps),
            (Guard::Strategy, totals.strategy, caps.strategy_bps),
            (Guard::Net, totals.net, caps.net_bps),
            (Guard::Venue, totals.venue, caps.venue_bps),
            (Guard::Class, totals.class, caps.class_bps),
            (Guard::Gross, totals.gross, caps.gross_bps),
        ] {
            self.part(guard, part, it.account_equity, limit, Unit::Percent)?;
        }
        Ok(())
    }

    fn part(&self, guard: Guard, part: i128, equity: i128, limit: Option<i64>, unit: Unit) -> Verdict {
        let Some(limit) = limit else { return Ok(()) };
        match share_bps(part, equity) {
            Some(share) if share <= limit => Ok(()),
            Some(share) => {
                refuse(guard, format!("{} of an equity of {}", unit.text(share), money(equity)), unit.text(limit))
            }
            None => refuse(guard, format!("more than all of an equity of {}", money(equity)), unit.text(limit)),
        }
    }

    fn liquidation(&self) -> Verdict {
        let (Some(buffer), Some(margin)) = (self.controls.liquidation_buffer_bps, self.it.margin) else {
            return Ok(());
        };
        let terms = Terms::of(self.it.instrument, self.controls, margin.rate);
        let stake = self.it.stake_after();
        if let Some(most) = terms.most().filter(|most| stake.abs() > *most) {
            let value = format!("a notional of {}, beyond the venue's brackets", money(stake.abs()));
            return refuse(Guard::Liquidation, value, money(most));
        }
        let distance = |notional| liquidation_distance_bps(notional, &margin, &terms);
        match distance(stake) {
            Some(after) if after < buffer => {
                let before = distance(self.it.line_before().held).map_or_else(|| "none".to_owned(), percent);
                refuse(
                    Guard::Liquidation,
                    format!("{} to liquidation, before {before}", percent(after)),
                    percent(buffer),
                )
            }
            _ => self.liquidation_of_others(buffer, &margin, &terms),
        }
    }

    /// Contracts share their collateral: what the order's own needs is taken from every other one of the portfolio. One that
    /// the order brings no nearer to its liquidation is no reason to refuse it.
    fn liquidation_of_others(&self, buffer: i64, margin: &Margin, terms: &Terms<'_>) -> Verdict {
        let it = self.it;
        let needed = |own: Line<'_>| margin.others_maintenance.saturating_add(terms.maintenance(own.worst()));
        let (before, after) = (needed(it.line_before()), needed(it.line_after()));
        let others = it.lines.iter().filter(|line| line.portfolio == it.portfolio && !it.is_own(line));
        for line in others.filter(|line| !line.instrument.is_cash()) {
            let terms = Terms::of(line.instrument, self.controls, line.rate);
            let own = terms.maintenance(line.worst());
            let distance = |needed: i128| {
                let margin = Margin { others_maintenance: needed.saturating_sub(own), ..*margin };
                liquidation_distance_bps(line.worst_signed(), &margin, &terms)
            };
            let (was, Some(is)) = (distance(before), distance(after)) else { continue };
            if is < buffer && was.is_none_or(|was| is < was) {
                let (name, was) = (&line.instrument.spec.symbol, was.map_or_else(|| "none".to_owned(), percent));
                let value = format!("{} to liquidation of {name}, before {was}", percent(is));
                return refuse(Guard::Liquidation, value, percent(buffer));
            }
        }
        Ok(())
    }

    /// Initial margin of every contract that shares the collateral, the order and all open ones counted on the worse side.
    fn margin_used(&self) -> Verdict {
        let (Some(_), Some(margin)) = (self.controls.margin_used_bps, self.it.margin) else { return Ok(()) };
        let terms = Terms::of(self.it.instrument, self.controls, margin.rate);
        let used = margin.others_initial.saturating_add(terms.initial(self.it.line_after().worst()));
        self.part(Guard::MarginUsed, used, margin.collateral, self.controls.margin_used_bps, Unit::Percent)
    }

    /// Correlation, value at risk and expected shortfall over the minutes that all instruments concerned were seen in.
    fn tails(&self) -> Verdict {
        let caps = &self.account.caps;
        if self.controls.correlation_bps.is_none() && caps.var_bps.is_none() && caps.cvar_bps.is_none() {
            return Ok(());
        }
        let seen = Seen::of(self.it.lines_after(), self.monitor);
        let returns = seen.returns();
        if let Some(returns) = &returns
            && seen.lines.first().is_some_and(|first| self.it.is_own(first))
        {
            self.correlation(returns, &seen.lines)?;
        }
        self.tail_of(&seen, returns.as_ref())
    }

    fn correlation(&self, returns: &Returns<'_>, lines: &[Line<'_>]) -> Verdict {
        let Some(limit) = self.controls.correlation_bps else { return Ok(()) };
        if self.it.line_before().held != 0 {
            return Ok(()); // it is no new position
        }
        let sign = i64::try_from(self.it.stake_after().signum()).unwrap_or(0);
        for (place, line) in lines.iter().enumerate().skip(1) {
            let is_beside = line.is_coins || line.instrument.id == self.it.instrument.id;
            if is_beside || line.portfolio != self.it.portfolio {
                continue;
            }
            let other = i64::try_from(line.worst_signed().signum()).unwrap_or(0);
            let Some(together) = returns.correlation_bps(0, place).map(|bps| bps * sign * other) else { continue };
            if together > limit {
                let name = &line.instrument.spec.symbol;
                let (value, limit) = (format_decimal(together.into(), 4), format_decimal(limit.into(), 4));
                return refuse(Guard::Correlation, format!("{value} with {name}"), limit);
            }
        }
        Ok(())
    }

    fn tail_of(&self, seen: &Seen<'_>, returns: Option<&Returns<'_>>) -> Verdict {
        let caps = &self.account.caps;
        if caps.var_bps.is_none() && caps.cvar_bps.is_none() {
            return Ok(());
        }
        let method = VarMethod::of(caps.var_method);
        let found = seen.day_risk(returns, self.it.account_equity, method, &[self.it.request.side]);
        let Some(day) = found else { return Ok(()) };
        for (guard, found, limit) in
            [(Guard::ValueAtRisk, day.at_risk, caps.var_bps), (Guard::ExpectedShortfall, day.shortfall, caps.cvar_bps)]
        {
            let Some(limit) = limit.filter(|limit| found.bps > *limit) else { continue };
            let silent = match seen.silent {
                0 => String::new(),
                silent => format!(", with {} that nobody has priced for 20 minutes", money(silent)),
            };
            let value = format!("{} a day by the {} method{silent}", percent(found.bps), found.by.name());
            return refuse(guard, value, percent(limit));
        }
        Ok(())
    }

    fn plan(&self) -> Result<Option<Audited>, Box<Breach>> {
        self.it.plan.map(|plan| audit(plan, self.it, self.controls)).transpose()
    }
}

/// What tripped a breaker, in words.
fn tripped(trip: &Trip) -> String {
    let since = trip.at;
    match unit_of(trip.guard) {
        Some(unit) => format!("{}: {} since {since}", trip.mode.name(), unit.text(trip.value)),
        None => format!("{} since {since}", trip.mode.name()),
    }
}

fn bound(trip: &Trip) -> String {
    match unit_of(trip.guard) {
        Some(unit) => unit.text(trip.limit),
        None => "a person resets it".to_owned(),
    }
}

fn unit_of(guard: Guard) -> Option<Unit> {
    LIMITS.iter().find(|limit| limit.guard == Some(guard)).map(|limit| limit.unit)
}
