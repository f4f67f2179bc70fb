//! The guards, in the order in which they are asked. Each is a plain function over plain data.

use crate::{Guard, Mode, Proposal, Refusal, Survey, View};
use tradewind_domain::{
    ClientOrderId, Coded, LEDGER_DECIMALS, Liquidity, Order, OrderKind, Origin, Price, Quantity, Side, TimeInForce,
    format_decimal,
};
use tradewind_governance::Ruling;
use tradewind_risk::{Audited, Breach, Reach, Reference, Situation, worst_price};

type Verdict = Result<(), Box<Refusal>>;

pub(crate) fn refuse(guard: Guard, value: impl Into<String>, limit: impl Into<String>) -> Box<Refusal> {
    Box::new(Refusal { guard, value: value.into(), limit: limit.into(), rule: None, breach: None })
}

pub(crate) fn halt(view: &View<'_>, proposal: &Proposal) -> Verdict {
    match view.halted {
        Some(why) if !view.is_operator_exit(proposal) && !view.is_protection(proposal) => {
            Err(refuse(Guard::Halt, why, "an operator's reduce-only order"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn mode(view: &View<'_>, _proposal: &Proposal) -> Verdict {
    match (view.mode, view.mark.map(|mark| mark.origin)) {
        (Mode::Observe, _) => Err(refuse(Guard::Mode, "observe", "backtest, paper or live")),
        (Mode::Live, Some(origin @ (Origin::Simulated | Origin::Recorded))) => {
            Err(refuse(Guard::Mode, format!("live on {origin:?} data"), "live on live data"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn policy(view: &View<'_>) -> Verdict {
    match view.ruling {
        Some(Ruling::Denied(no)) => {
            let (value, limit) = (no.value.clone(), no.limit.clone());
            Err(Box::new(Refusal { guard: Guard::Policy, value, limit, rule: Some(no.rule), breach: None }))
        }
        Some(Ruling::Allowed | Ruling::NeedsApproval { .. }) | None => Ok(()),
    }
}

pub(crate) fn approval(view: &View<'_>) -> Verdict {
    match view.ruling {
        Some(Ruling::NeedsApproval { quorum }) => {
            Err(refuse(Guard::Approval, format!("{quorum} to be asked"), "none to be asked"))
        }
        Some(Ruling::Allowed | Ruling::Denied(_)) | None => Ok(()),
    }
}

pub(crate) fn order(view: &View<'_>, proposal: &Proposal, client_id: ClientOrderId) -> Result<Order, Box<Refusal>> {
    let reference = view.mark.map(|mark| mark.price);
    Order::new(view.instrument, proposal.portfolio, client_id, proposal.request, reference)
        .map(|order| order.from_source(Some(proposal.source)).following(view.decision))
        .map_err(|error| refuse(Guard::Order, format!("{}: {error}", error.code()), error.hint()))
}

/// An order that is good until a moment that has passed would be over as soon as it is there.
pub(crate) fn date(view: &View<'_>, proposal: &Proposal) -> Verdict {
    match proposal.request.time_in_force {
        TimeInForce::Gtd(until) if until <= view.now => {
            Err(refuse(Guard::Dated, format!("good till {until}"), format!("later than {}", view.now)))
        }
        _ => Ok(()),
    }
}

/// While its market is closed an order may only rest: a limit or a stop that is good beyond the next opening. A contract
/// that has ended takes none.
pub(crate) fn session(view: &View<'_>, proposal: &Proposal) -> Verdict {
    if let Some(expiry) = view.instrument.expiry().filter(|expiry| *expiry <= view.now) {
        return Err(refuse(Guard::Closed, format!("asked at {}", view.now), format!("it ended at {expiry}")));
    }
    if !view.is_closed() {
        return Ok(());
    }
    let opens = view.instrument.spec.calendar.next_open(view.now);
    let request = &proposal.request;
    let rests = match request.time_in_force {
        TimeInForce::Ioc | TimeInForce::Fok => false,
        TimeInForce::Gtd(until) if opens.is_none_or(|opens| until <= opens) => false,
        _ => !matches!(request.kind, OrderKind::Market),
    };
    if rests && opens.is_some() {
        return Ok(());
    }
    let opens = opens.map_or_else(|| "no opening within 60 days".to_owned(), |opens| format!("open from {opens}"));
    Err(refuse(Guard::Closed, format!("closed at {}", view.now), opens))
}

pub(crate) fn data(view: &View<'_>, proposal: &Proposal) -> Verdict {
    let Some(mark) = view.mark else { return Err(refuse(Guard::StaleData, "no mark", "a mark")) };
    if mark.price.mantissa() <= 0 {
        return Err(refuse(
            Guard::StaleData,
            format!("a mark of {}", view.instrument.price_text(mark.price)),
            "a positive mark",
        ));
    }
    let (Some(limit), age) = (view.limits.stale_after_nanos, view.now.since(mark.at)) else { return Ok(()) };
    if age < limit || view.is_operator_exit(proposal) || view.is_closed() {
        return Ok(());
    }
    Err(refuse(
        Guard::StaleData,
        format!("a mark that is {} s old", format_decimal(age.into(), 9)),
        format!("one younger than {} s", format_decimal(limit.into(), 9)),
    ))
}

/// The worst price with which a market order is sent, where the limits bound it.
pub(crate) fn worst(view: &View<'_>, proposal: &Proposal) -> Option<Price> {
    let collar = view.limits.controls.as_ref()?.market_collar_bps?;
    let (OrderKind::Market, mark) = (proposal.request.kind, view.mark?.price) else { return None };
    let reach = Reach {
        instrument: view.instrument,
        side: proposal.request.side,
        quantity: proposal.request.quantity,
        reduces: view.reduces(proposal),
        mark,
        quote: view.quote,
    };
    Some(worst_price(&reach, collar))
}

pub(crate) fn unknown(view: &View<'_>, proposal: &Proposal) -> Verdict {
    if view.unknown_orders == 0 || view.reduces(proposal) {
        return Ok(());
    }
    Err(refuse(Guard::UnknownOrder, view.unknown_orders.to_string(), "0"))
}

pub(crate) fn restricted(view: &View<'_>, proposal: &Proposal) -> Verdict {
    match view.restricted {
        Some(why) if !view.reduces(proposal) => Err(refuse(Guard::Restricted, why, "what reduces a position")),
        _ => Ok(()),
    }
}

pub(crate) fn reduce_only(view: &View<'_>, proposal: &Proposal) -> Verdict {
    if !proposal.request.reduce_only || view.reduces(proposal) {
        return Ok(());
    }
    let (asked, held) = (proposal.request.quantity, view.instrument.quantity_text(view.position));
    let text = format!("{:?} {}", proposal.request.side, view.instrument.quantity_text(asked));
    Err(refuse(Guard::ReduceOnly, text, format!("a position of {held}")))
}

/// The price that an order is judged at: its limit or trigger for a buy where that is worse than the mark.
fn judged_price(view: &View<'_>, proposal: &Proposal) -> Price {
    let mark = view.mark.map_or(Price::default(), |mark| mark.price);
    let kind = &proposal.request.kind;
    kind.limit().or(kind.trigger()).map_or(mark, |own| own.max(mark))
}

/// Notional of `quantity` in base currency; `None` when it cannot be known.
fn in_base(view: &View<'_>, price: Price, quantity: i128) -> Option<i128> {
    let quantity = Quantity::from_mantissa(i64::try_from(quantity).ok()?);
    let notional = view.instrument.notional(price, quantity).ok()?.units;
    let (numerator, denominator) = view.rate?;
    if numerator == denominator { Some(notional) } else { Some(notional.checked_mul(numerator)? / denominator) }
}

fn amount(units: i128) -> String {
    format_decimal(units, LEDGER_DECIMALS)
}

pub(crate) fn size(view: &View<'_>, proposal: &Proposal) -> Verdict {
    let Some(cap) = view.limits.max_order.units(view.equity) else { return Ok(()) };
    if view.reduces(proposal) {
        return Ok(());
    }
    match in_base(view, judged_price(view, proposal), proposal.request.quantity.mantissa().into()) {
        Some(notional) if notional <= cap => Ok(()),
        Some(notional) => Err(refuse(Guard::MaxOrder, amount(notional), amount(cap))),
        None => Err(refuse(Guard::MaxOrder, "an amount that cannot be known", amount(cap))),
    }
}

pub(crate) fn position(view: &View<'_>, proposal: &Proposal) -> Verdict {
    let Some(cap) = view.limits.max_position.units(view.equity) else { return Ok(()) };
    if view.reduces(proposal) || view.sells_what_is_owned(proposal) {
        return Ok(());
    }
    let after = view.position_after(proposal.request.side.signed(proposal.request.quantity)).abs();
    match in_base(view, judged_price(view, proposal), after) {
        Some(notional) if notional <= cap => Ok(()),
        Some(notional) => Err(refuse(Guard::MaxPosition, amount(notional), amount(cap))),
        None => Err(refuse(Guard::MaxPosition, "an amount that cannot be known", amount(cap))),
    }
}

/// Spot and shares are paid in full: a buy from quote cash, fee included; a sell from the asset itself. A market order is
/// paid for at its `worst` price: so much the venue sets aside.
pub(crate) fn funds(view: &View<'_>, proposal: &Proposal, worst: Option<Price>) -> Verdict {
    if view.limits.borrow || !view.instrument.is_cash() {
        return Ok(());
    }
    let quantity = proposal.request.quantity;
    let needed = match proposal.request.side {
        Side::Sell => view.instrument.asset_units(quantity),
        Side::Buy => {
            let price = worst.map_or(judged_price(view, proposal), |worst| worst.max(judged_price(view, proposal)));
            let notional = view.instrument.notional(price, quantity);
            let Ok(notional) = notional else {
                return Err(refuse(Guard::Funds, "more than the ledger holds", amount(view.free_funds)));
            };
            let resting = matches!(proposal.request.kind, OrderKind::Limit { .. }) && proposal.request.post_only;
            let liquidity = if resting { Liquidity::Maker } else { Liquidity::Taker };
            notional.units + view.instrument.spec.fees.on(notional.units, notional.currency, liquidity).0.units.max(0)
        }
    };
    if needed <= view.free_funds {
        return Ok(());
    }
    Err(refuse(Guard::Funds, amount(needed), amount(view.free_funds)))
}

pub(crate) fn losses(view: &View<'_>, proposal: &Proposal) -> Verdict {
    if view.reduces(proposal) {
        return Ok(());
    }
    for (guard, limit, from) in [
        (Guard::DailyLoss, view.limits.daily_loss_bps, view.day_equity),
        (Guard::Drawdown, view.limits.drawdown_bps, view.peak_equity),
    ] {
        let Some(limit) = limit else { continue };
        let lost = from - view.equity;
        if from <= 0 || lost * 10_000 >= from * i128::from(limit) {
            let share = if from > 0 { lost * 10_000 / from } else { 10_000 };
            return Err(refuse(
                guard,
                format!("{} %", format_decimal(share, 2)),
                format!("{} %", format_decimal(limit.into(), 2)),
            ));
        }
    }
    Ok(())
}

/// Everything that the risk crate asks, about the account as it would stand after the order. Gives back its plan as it
/// may be traded; `None` where it has none, or none was judged.
pub(crate) fn risk(
    view: &View<'_>,
    proposal: &Proposal,
    worst: Option<Price>,
) -> Result<Option<Box<Audited>>, Box<Refusal>> {
    with_situation(view, proposal, worst, |survey, situation| {
        tradewind_risk::check(view.limits, survey.account, survey.monitor, situation)
    })
}

/// What the risk crate asks of a plan alone.
pub(crate) fn plan(view: &View<'_>, proposal: &Proposal) -> Result<Option<Box<Audited>>, Box<Refusal>> {
    with_situation(view, proposal, None, |_, situation| tradewind_risk::check_plan(view.limits, situation))
}

/// Asks the risk crate about the account as it would stand after the order; `None` where no limit calls for it.
fn with_situation(
    view: &View<'_>,
    proposal: &Proposal,
    worst: Option<Price>,
    judge: impl FnOnce(&Survey<'_>, &Situation<'_>) -> Result<Option<Audited>, Box<Breach>>,
) -> Result<Option<Box<Audited>>, Box<Refusal>> {
    let (Some(risk), Some(mark)) = (view.risk, view.mark) else { return Ok(None) };
    let survey = risk.books.survey(proposal);
    let quantity = proposal.request.quantity.mantissa();
    let Some(notional) = in_base(view, judged_price(view, proposal), quantity.into()) else {
        return Err(refuse(Guard::Risk, "an order whose worth cannot be known", "a worth that the ledger holds"));
    };
    let situation = Situation {
        now: view.now,
        portfolio: proposal.portfolio,
        source: proposal.source,
        instrument: view.instrument,
        request: &proposal.request,
        reduces: view.reduces(proposal),
        sells_owned: view.sells_what_is_owned(proposal),
        is_slice: risk.is_slice,
        position: view.position,
        reference: Reference { price: mark.price, at: mark.at },
        worst,
        quote: view.quote.copied(),
        depth: survey.depth,
        depth_source: survey.depth_source,
        notional,
        equity: view.equity,
        account_equity: survey.account_equity,
        lines: &survey.lines,
        unvalued: survey.unvalued,
        open_orders_symbol: survey.open_orders_symbol,
        open_orders: survey.open_orders,
        own_opposite: survey.own_opposite,
        foreign_opposite: survey.foreign_opposite,
        margin: survey.margin,
        plan: proposal.plan.as_deref(),
    };
    judge(&survey, &situation).map(|audited| audited.map(Box::new)).map_err(|breach| {
        let Breach { guard, value, limit } = *breach;
        Box::new(Refusal { guard: Guard::Risk, value, limit, rule: None, breach: Some(guard) })
    })
}
