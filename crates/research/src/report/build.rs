//! From an [`Outcome`] to a [`Report`].

use super::{
    Attribution, Benchmark, Chances, CostLines, CurveRow, Decisions, Groups, Meta, Report, ReportError, RoundTripRow,
};
use crate::{Outcome, RoundTrip, Tags};
use std::collections::BTreeMap;
use tradewind_domain::{Calendar, Instrument, InstrumentKind, LEDGER_DECIMALS, Money, Timestamp, format_decimal};
use tradewind_engine::{LOGIC_VERSION, Portfolio};
use tradewind_quant::calendar::DailyReturn;
use tradewind_quant::{
    Conventions, EquityAccumulator, OrderCounts, Period, SHORTEST_FOR_A_YEAR_DAYS, Summary, SummaryInputs, TradeRecord,
    catalog_of,
};

const VENUE_FILLS: &str = "Filled by the venue, at its prices and sizes.";
const HOLD: &str = "buy and hold: the whole deposit in the instrument at the first open, without leverage and costs, \
                    in fractions of a lot, valued at closes";

/// Days a year from which a market counts as one that never closes: a recording may have lost a few.
const OPEN_ALL_YEAR: f64 = 350.0;

/// Decimals of an average price beyond those of the instrument's prices, as lists of orders and positions have them.
const AVERAGE_DECIMALS: usize = 4;

pub(super) fn report(outcome: &Outcome, meta: Meta) -> Result<Report, ReportError> {
    let (spec, portfolio) = (&outcome.instrument.spec, outcome.state.portfolio(outcome.portfolio));
    let deposit = Money { currency: portfolio.base, units: deposited(portfolio) };
    let interval = outcome.first.map(|bar| bar.interval);
    let period = super::period_of(interval);
    let year = Year::of(outcome, period);
    let own = Conventions { periods_per_year: year.periods, ..Conventions::crypto() };
    let (conventions, year) = meta.conventions.map_or((own, Some(year)), |conventions| (conventions, None));
    let conventions = Conventions { days_per_period: period.days(), ..conventions };
    let hold = outcome.market.equity();
    let statistics = statistics(outcome, hold, conventions)?;
    let counters = &outcome.counters;
    Ok(Report {
        symbol: spec.symbol.to_string(),
        venue: spec.venue.clone(),
        strategy: outcome.strategy.clone(),
        parameters: meta.parameters,
        interval,
        start: outcome.first.map(|bar| bar.open_time.to_string()),
        end: outcome.last.map(|bar| bar.close_time().to_string()),
        origin: outcome.origin,
        bars: outcome.bars,
        trades: outcome.digest.fills(),
        round_trips: statistics.trades.trades,
        decisions: Decisions { buy: counters.buy, sell: counters.sell, hold: outcome.holds, veto: counters.veto },
        orders: counters.orders,
        rejected: counters.rejected,
        timed_out: outcome.costs.expired,
        currency: portfolio.base.to_string(),
        deposit: deposit.amount(),
        equity_final: ledger(portfolio.equity()),
        fees: ledger(outcome.costs.fees),
        fees_by_currency: by_currency(portfolio, |holding| holding.fees),
        costs: costs(outcome, portfolio),
        attribution: Attribution::of(&outcome.round_trips),
        groups: Groups::of(outcome),
        chances: Chances::of(&outcome.round_trips, deposit.to_f64()),
        fill_policy: outcome.fill_policy,
        fill_policy_text: outcome.fill_policy.map_or_else(|| VENUE_FILLS.to_owned(), |policy| policy.describe()),
        limits: portfolio.limits,
        notes: notes(outcome, portfolio, year.map(|year| (year, period)), meta.notes),
        data: meta.data,
        signals: outcome.signals.clone(),
        benchmark: hold.map(|equity| benchmark(outcome, equity, deposit, conventions)).transpose()?,
        statistics,
        catalog: catalog_of(period),
        round_trip_list: outcome.round_trips.iter().map(|trip| row(outcome, trip)).collect(),
        curve: curve(outcome),
        trade_hash: outcome.digest.hex(),
        state_hash: outcome.state.hash(),
        version: env!("CARGO_PKG_VERSION"),
        logic: LOGIC_VERSION,
    })
}

/// How many returns make a year, and whence that is known where they are not those of every day.
#[derive(Clone, Copy)]
struct Year {
    periods: f64,
    why: Option<&'static str>,
}

impl Year {
    /// Days by the instrument's calendar; without one, as longer periods, as the data show, once they span a month.
    #[allow(clippy::cast_precision_loss)]
    fn of(outcome: &Outcome, period: Period) -> Self {
        let calendar = &outcome.instrument.spec.calendar;
        if *calendar != Calendar::Continuous && period == Period::DAY {
            return Self { periods: calendar.days_per_year(), why: Some("by the calendar of the instrument") };
        }
        let span = outcome.equity.elapsed_days().filter(|days| *days >= SHORTEST_FOR_A_YEAR_DAYS);
        // the open that a run begins with stands beside the bars that close on later days, which tells where they are few
        let closes = outcome.equity.days().len().saturating_sub(usize::from(period != Period::DAY));
        let seen = span.map(|span| (closes as f64 / span * 365.25).round());
        match seen.filter(|periods| (1.0..OPEN_ALL_YEAR).contains(periods)) {
            Some(periods) => Self { periods, why: Some("as many as the data show") },
            None => Self { periods: Calendar::Continuous.days_per_year() / period.days(), why: None },
        }
    }
}

pub(super) fn ledger(units: i128) -> String {
    format_decimal(units, LEDGER_DECIMALS)
}

fn deposited(portfolio: &Portfolio) -> i128 {
    portfolio.holdings().iter().find(|holding| holding.currency == portfolio.base).map_or(0, |it| it.deposited)
}

fn by_currency(portfolio: &Portfolio, of: fn(&tradewind_engine::Holding) -> i128) -> BTreeMap<String, String> {
    let paid = portfolio.holdings().iter().filter(|holding| of(holding) != 0);
    paid.map(|holding| (holding.currency.to_string(), ledger(of(holding)))).collect()
}

fn statistics(
    outcome: &Outcome,
    hold: Option<&EquityAccumulator>,
    conventions: Conventions,
) -> Result<Summary, ReportError> {
    let closed: Vec<TradeRecord> = outcome.round_trips.iter().filter(|trip| !trip.open).map(record).collect();
    let benchmark: Vec<DailyReturn> = hold.map(EquityAccumulator::daily_returns).unwrap_or_default();
    Ok(Summary::compute(&SummaryInputs {
        equity: &outcome.equity,
        trades: &closed,
        benchmark: &benchmark,
        participation: outcome.costs.shares(),
        traded_notional: Some(outcome.traded_notional),
        orders: Some(OrderCounts { rejected: outcome.counters.rejected, timed_out: outcome.costs.expired }),
        conventions,
    })?)
}

pub(super) fn record(trip: &RoundTrip) -> TradeRecord {
    let put_in = trip.quantity * trip.entry_price.abs();
    TradeRecord {
        opened_at_ns: trip.opened_at.nanos(),
        closed_at_ns: trip.closed_at.nanos(),
        long: trip.long,
        quantity: trip.quantity,
        entry_price: trip.entry_price,
        exit_price: trip.exit_price,
        profit: trip.profit,
        fees: trip.fees,
        mae: Some(trip.mae.abs() * put_in),
        mfe: Some(trip.mfe * put_in),
    }
}

/// What a trip traded. The run's own instrument stands for one that the state does not list.
fn traded<'a>(outcome: &'a Outcome, trip: &RoundTrip) -> &'a Instrument {
    outcome.state.listings.get(trip.instrument.index()).map_or(&outcome.instrument, |listing| &listing.instrument)
}

pub(super) fn symbol(outcome: &Outcome, trip: &RoundTrip) -> String {
    traded(outcome, trip).spec.symbol.to_string()
}

fn row(outcome: &Outcome, trip: &RoundTrip) -> RoundTripRow {
    let instrument = traded(outcome, trip);
    let decimals = usize::from(instrument.spec.price_decimals) + AVERAGE_DECIMALS;
    let rounded = |price: f64| format!("{price:.decimals$}").parse().unwrap_or(price);
    RoundTripRow {
        opened_at: trip.opened_at.to_string(),
        closed_at: trip.closed_at.to_string(),
        open: trip.open,
        symbol: instrument.spec.symbol.to_string(),
        direction: if trip.long { "long" } else { "short" },
        entry_tag: trip.entry_tag.to_string(),
        exit_tag: trip.exit_tag.to_string(),
        quantity: instrument.quantity_text(trip.size),
        entry_price: rounded(trip.entry_price),
        exit_price: rounded(trip.exit_price),
        profit: ledger(trip.profit_units),
        fees: ledger(trip.fee_units),
        funding: ledger(trip.funding_units),
        profit_fraction: record(trip).profit_fraction(),
        mae: trip.mae,
        mfe: trip.mfe,
        seconds: trip.closed_at.since(trip.opened_at) / 1_000_000_000,
        at_ns: (trip.opened_at.nanos(), trip.closed_at.nanos()),
    }
}

fn costs(outcome: &Outcome, portfolio: &Portfolio) -> CostLines {
    let (costs, settlement) = (&outcome.costs, outcome.instrument.settlement());
    let funding = portfolio.holdings().iter().find(|it| it.currency == settlement).map_or(0, |it| it.funding);
    let total = costs.fees + costs.spread + costs.slippage + costs.impact + funding;
    let itemised = |units| outcome.fill_policy.map(|_| ledger(units));
    let money = |units| Money { currency: settlement, units }.to_f64();
    let fees = &outcome.instrument.spec.fees;
    CostLines {
        currency: settlement.to_string(),
        fees: ledger(costs.fees),
        settlement: costs.settlement.map(ledger),
        spread: itemised(costs.spread),
        slippage: itemised(costs.slippage),
        impact: itemised(costs.impact),
        funding: by_currency(portfolio, |holding| holding.funding),
        total: ledger(total),
        traded_notional: ledger(costs.notional),
        total_bps: (costs.notional > 0).then(|| money(total) / money(costs.notional) * 10_000.0),
        maker_bps: f64::from(fees.maker_centi_bps) / 100.0,
        taker_bps: f64::from(fees.taker_centi_bps) / 100.0,
        maker_trades: costs.makers,
        taker_trades: costs.takers,
    }
}

fn benchmark(
    outcome: &Outcome,
    equity: &EquityAccumulator,
    deposit: Money,
    conventions: Conventions,
) -> Result<Benchmark, ReportError> {
    let Summary { growth, drawdown, ratios, distribution, .. } = Summary::compute(&SummaryInputs {
        equity,
        trades: &[],
        benchmark: &[],
        participation: &[],
        traded_notional: None,
        orders: None,
        conventions,
    })?;
    let worth = outcome.market.worth().unwrap_or(deposit);
    Ok(Benchmark { description: HOLD, equity_final: worth.amount(), growth, drawdown, ratios, distribution })
}

fn curve(outcome: &Outcome) -> Vec<CurveRow> {
    let price = |price| outcome.instrument.price_f64(price);
    let row = |point: &crate::Point| CurveRow {
        from_ms: point.opened_at.millis(),
        to_ms: point.closed_at.millis(),
        open: price(point.open),
        high: price(point.high),
        low: price(point.low),
        close: price(point.close),
        equity: point.equity,
        drawdown: point.drawdown,
        hold: outcome.market.value(point.closed_at, point.close),
    };
    outcome.curve.iter().map(row).collect()
}

/// What the figures alone would not tell.
fn notes(
    outcome: &Outcome,
    portfolio: &Portfolio,
    year: Option<(Year, Period)>,
    mut notes: Vec<String>,
) -> Vec<String> {
    let instrument = &outcome.instrument;
    if outcome.bars == 0 {
        notes.push("There were no bars: nothing was decided and nothing can be said.".to_owned());
    } else if outcome.digest.fills() == 0 {
        notes.push("Nothing was traded: every statistic of trades is missing on purpose.".to_owned());
        let deposit = Money { currency: portfolio.base, units: deposited(portfolio) };
        let close = outcome.last.map(|bar| bar.close);
        notes.extend(
            close
                .into_iter()
                .flat_map(|at| outcome.idle.reasons(outcome.bars, instrument, outcome.fill_policy, deposit, at)),
        );
    } else {
        notes.extend(outcome.idle.of_the_gate());
    }
    if let Some(days) = outcome.equity.elapsed_days().filter(|days| (0.0..365.0).contains(days) && outcome.bars > 0) {
        let span = super::text::duration(days * 86_400.0).replace('\u{202f}', " ");
        notes.push(if days < SHORTEST_FOR_A_YEAR_DAYS {
            format!("The run spans {span}, too short for a CAGR: other yearly figures such as Sharpe are rough.")
        } else {
            format!("The run spans {span}: yearly figures such as CAGR and Sharpe extrapolate from them.")
        });
    }
    if let Some((Year { periods, why: Some(why) }, period)) = year {
        notes.push(format!("Yearly figures count {periods:.0} {} a year, {why}.", period.told("days")));
    }
    if let Some(open) = outcome.round_trips.iter().find(|trip| trip.open) {
        let since: Timestamp = open.opened_at;
        notes.push(format!(
            "A position was still open at the end, since {since}. Equity counts it at the last close; the statistics \
             of trades leave it out."
        ));
    }
    notes.extend(end_of_contract(outcome));
    if matches!(instrument.spec.kind, InstrumentKind::LinearPerpetual | InstrumentKind::InversePerpetual)
        && portfolio.holdings().iter().all(|holding| holding.funding == 0)
    {
        notes.push("No funding was paid or received: no funding rates were given.".to_owned());
    }
    if outcome.fill_policy == Some(tradewind_book::FillPolicy::default()) && outcome.digest.fills() > 0 {
        notes.push("Fills are frictionless: no spread, slippage, impact or size limit was assumed.".to_owned());
    }
    if outcome.costs.stride() > 1 {
        let stride = outcome.costs.stride();
        notes.push(format!("The capacity estimate looks at every {stride}th bar traded in, to keep memory flat."));
    }
    if let Some(reason) = &outcome.state.halted {
        notes.push(format!("Trading was halted: {reason}."));
    }
    if instrument.settlement() != portfolio.base {
        let (settled, base) = (instrument.settlement(), portfolio.base);
        notes.push(format!("Trades and costs are counted in {settled}, equity in {base}."));
    }
    notes
}

/// What became at the end of the contract of what was held, or why nothing did.
fn end_of_contract(outcome: &Outcome) -> Option<String> {
    let it = &outcome.instrument;
    let (expiry, last) = (it.expiry()?, outcome.last?.close_time());
    let given = outcome.settlement_price.map(|price| it.price_text(price));
    let is_option = matches!(it.spec.kind, InstrumentKind::Option { .. });
    if let Some(settled) = outcome.state.listing(it.id).settled {
        let why = match given {
            Some(given) if is_option => format!("its underlying was given as {given}"),
            Some(_) => "as was given".to_owned(),
            None if !is_option && outcome.last.is_some_and(|last| last.close == settled.price) => {
                "the last close".to_owned()
            }
            None => "as its venue said".to_owned(),
        };
        let price = it.price_text(settled.price);
        let is_held = outcome.round_trips.iter().any(|trip| trip.exit_tag == Tags::EXPIRY);
        return is_held.then(|| format!("The contract was settled at its end, {expiry}, at {price}: {why}."));
    }
    outcome.round_trips.iter().find(|trip| trip.open)?;
    let on_last_day = expiry.since(last) < super::DAY_NS;
    Some(match given {
        Some(given) if !on_last_day => {
            format!(
                "The data end at {last}, before the contract does at {expiry}: its settlement at {given} is not reckoned."
            )
        }
        None if on_last_day && is_option => {
            let symbol = &it.spec.symbol;
            let (base, quote) = (symbol.base, symbol.quote);
            format!(
                "The option ended at {expiry} and is not settled: the price of {base} in {quote} by then was not given."
            )
        }
        None if on_last_day => {
            format!("The data end at {last}, before the contract does at {expiry}, and no settlement price was given.")
        }
        _ => format!("The data end at {last}, before the contract does at {expiry}: it is not settled."),
    })
}
