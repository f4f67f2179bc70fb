//! Folding facts into state. Nothing here decides anything, so recovery can use it alone.

use crate::{
    DecisionKind, Event, EventKind, KnownDepth, Listing, ListingStatus, Portfolio, Settlement, State, Verdict,
};
use crate::{account, amend, collar, governance, parents, risk, rollout, unwind};
use tradewind_domain::{
    ClientOrderId, Currency, Fill, Instrument, InstrumentId, Money, OrderInput, OrderRecord, OrderState, Origin,
    Outcome, PortfolioId, Price, Quantity, Quote, Timestamp, TradeIdSet,
};
use tradewind_gate::Mark;

/// A price from this much before the mark, in nanoseconds, is as new as it: what happens at one moment is told over several
/// streams, one after the other.
const ONE_MOMENT: i64 = 1_000_000_000;

/// Folds one event into `state`.
///
/// # Panics
/// If the event names an instrument or portfolio that was never introduced: the journal is then not ours.
#[inline]
pub fn apply(state: &mut State, event: &Event) {
    state.sequence = event.sequence;
    state.now = state.now.max(event.at);
    let before = rollout::before(state);
    let (fills, reversed) = (state.counters.fills, state.reversed.len());
    match &event.kind {
        // by far the most frequent in a backtest: worth being inlined into its loop, which the rest is not
        EventKind::BarClosed { bar, origin } => set_mark(state, bar.instrument, bar.close, event.at, *origin),
        _ => apply_rest(state, event),
    }
    if !state.parents.is_unused() || matches!(event.kind, EventKind::Parent(_)) {
        parents::fold(state, event, state.counters.fills > fills || state.reversed.len() > reversed);
    }
    if state.risk.is_some() {
        risk::fold(state, event);
    }
    if state.governance.rollout.is_some() {
        rollout::fold(state, event, before.as_ref());
    }
}

fn apply_rest(state: &mut State, event: &Event) {
    let at = event.at;
    if let Some(spoken) = &event.spoken {
        governance::note_spoken(state, event, spoken);
    }
    match &event.kind {
        EventKind::Traded { trade, origin } => set_mark(state, trade.instrument, trade.price, at, *origin),
        EventKind::Quoted { quote, origin, marks } => set_quote(state, *quote, at, *origin, *marks),
        EventKind::Deepened { depth, .. } => {
            state.listings[depth.instrument.index()].depth = Some(KnownDepth { depth: *depth, at });
        }
        EventKind::Decided(decision) => {
            match decision.kind {
                DecisionKind::Buy => state.counters.buy += 1,
                DecisionKind::Sell => state.counters.sell += 1,
                DecisionKind::Hold => state.counters.hold += 1,
            }
            governance::note_decided(state, event);
        }
        EventKind::Judged(verdict) => {
            judged(state, verdict, at);
            match verdict {
                Verdict::Approved(order) => governance::note_order(state, event.cause, order.client_id()),
                Verdict::AmendApproved { client_id, .. } => governance::note_order(state, event.cause, *client_id),
                _ => (),
            }
        }
        EventKind::Governance(act) => governance::apply(state, event, act),
        EventKind::Filled(fill) => filled(state, fill, event.portfolio, at),
        EventKind::Intended(intent) => {
            if let Some(record) = state.open.get_mut(&intent.client_id) {
                record.times.intended = Some(at);
                if let Some(not_before) = intent.not_before {
                    (record.times.not_before, record.times.fence) = (Some(not_before), Some(intent.fence));
                }
            }
        }
        EventKind::Sent { client_id } => move_order(state, *client_id, OrderInput::Sent, at),
        EventKind::NotSent { client_id, .. } => move_order(state, *client_id, OrderInput::NotSent, at),
        EventKind::AnswerLost { client_id, .. } => move_order(state, *client_id, OrderInput::AnswerLost, at),
        EventKind::Accepted { client_id, venue_id } => {
            if let Some(record) = state.open.get_mut(client_id) {
                record.venue_id = Some(venue_id.clone());
            }
            move_order(state, *client_id, OrderInput::Accepted, at);
        }
        EventKind::Rejected { client_id, .. } => {
            state.counters.rejected += 1;
            move_order(state, *client_id, OrderInput::Rejected, at);
        }
        EventKind::CancelSent { client_id } => move_order(state, *client_id, OrderInput::CancelSent, at),
        EventKind::CancelRefused { client_id, .. } => move_order(state, *client_id, OrderInput::CancelRefused, at),
        EventKind::Amend { client_id, said } => amend::apply(state, *client_id, said, at),
        EventKind::Cancelled { client_id, .. } => cancelled(state, *client_id, at),
        EventKind::Expired { client_id, .. } => move_order(state, *client_id, OrderInput::Expired, at),
        EventKind::Listed(instrument) => listed(state, instrument),
        EventKind::Opened { base, name } => {
            let known: Vec<_> = state.listings.iter().map(|listing| listing.instrument.clone()).collect();
            assert!(event.portfolio.index() == state.portfolios.len(), "portfolios are opened in order");
            state.portfolios.push(Portfolio::new(name.clone(), *base, &known));
        }
        EventKind::LimitsSet(limits) => {
            state.portfolios[event.portfolio.index()].limits = **limits;
            risk::begin(state, limits);
        }
        EventKind::Risk(act) => risk::apply(state, event, act),
        EventKind::Deposited(money) => deposit(state, event.portfolio, *money, at),
        EventKind::Funding { instrument, rate_e8, mark } => {
            let mut booked = true;
            for place in 0..state.portfolios.len() {
                let listing = &state.listings[instrument.index()];
                let changed = [listing.instrument.settlement()];
                booked &= state.portfolios[place].funding(&listing.instrument, *rate_e8, *mark);
                revalue(state, place, *instrument, &changed, at);
            }
            if !booked {
                state.counters.contradictions += 1;
                state.halted.get_or_insert_with(|| "a funding payment is past the ledger".to_owned());
            }
        }
        EventKind::Settled { instrument, settlement } => settled(state, *instrument, *settlement, at),
        EventKind::Started { incarnation, mode, .. } => {
            (state.incarnation, state.mode) = (*incarnation, *mode);
            state.governance.restarted();
            doubt_open_orders(state, at);
        }
        EventKind::Halted(halt) => state.halted = Some(halt.reason.clone()),
        EventKind::Resumed { .. } => resume(state),
        EventKind::CancelProposed { client_id } => unwind::note_asked(state, *client_id),
        EventKind::Compared { .. }
        | EventKind::GapFound { .. }
        | EventKind::Restricted { .. }
        | EventKind::Foreign(_)
        | EventKind::ForeignFilled(_)
        | EventKind::Adopted(_)
        | EventKind::Adjusted { .. }
        | EventKind::Reworked { .. }
        | EventKind::Reversed(_)
        | EventKind::Baseline { .. } => account::apply(state, event),
        EventKind::Reconciled { drifts } => {
            if let Some(first) = drifts.first() {
                let text = format!("{} is {} here and {} at the venue", first.what, first.ours, first.venue);
                state.halted.get_or_insert(text);
            }
        }
        EventKind::ListingChanged { instrument, status } => state.listings[instrument.index()].status = *status,
        EventKind::BarClosed { .. } // taken above
        | EventKind::Parent(_) // folded after everything else
        | EventKind::Proposed(_)
        | EventKind::ProposedPair { .. }
        | EventKind::Triggered { .. }
        | EventKind::Timer
        | EventKind::Stopped
        | EventKind::StateHash { .. } => (),
    }
    collar::apply(state, event);
}

/// Trading goes on: neither a halt nor a restriction holds, and nobody wants everything flat any more.
pub(crate) fn resume(state: &mut State) {
    (state.halted, state.reduce_only, state.drifting) = (None, None, 0);
    state.exits_due.clear();
}

/// Takes a price as the mark. A live market's never goes back in time: what is told late moves nothing. A local exchange
/// may play another day than the one before.
#[inline]
fn set_mark(state: &mut State, id: InstrumentId, price: Price, at: Timestamp, origin: Origin) {
    let listing = &mut state.listings[id.index()];
    let newest = match listing.mark {
        Some(mark) if matches!(origin, Origin::Live) => {
            if mark.at.since(at) > ONE_MOMENT {
                return;
            }
            mark.at.max(at)
        }
        _ => at,
    };
    listing.mark = Some(Mark { price, at: newest, origin });
    for place in 0..state.portfolios.len() {
        mark_books(state, place, id, price, at);
    }
}

/// Takes a new price into the books of one portfolio.
#[inline]
fn mark_books(state: &mut State, place: usize, id: InstrumentId, price: Price, at: Timestamp) {
    let third = third_rate(state, id, state.portfolios[place].base);
    let came_in = state.portfolios[place].mark(&state.listings[id.index()].instrument, price, third, at);
    if came_in != 0 {
        risk::came_in(state, place, came_in, at);
    }
}

/// Values at its mark what an execution or a payment of `id` has changed, where the mark of `id` itself does not.
#[inline]
fn revalue(state: &mut State, place: usize, id: InstrumentId, changed: &[Currency], at: Timestamp) {
    for currency in changed {
        let books = &state.portfolios[place];
        if books.is_valued_by(*currency, id) {
            continue;
        }
        let Some(rate) = state.rate(*currency, books.base) else { continue };
        let came_in = state.portfolios[place].revalue(*currency, rate);
        if came_in != 0 {
            risk::came_in(state, place, came_in, at);
        }
    }
}

/// Values what was bought by what was paid for it, as long as no pair of its own has a price.
#[inline]
fn value_by_execution(state: &mut State, place: usize, fill: &Fill, at: Timestamp) {
    let books = &state.portfolios[place];
    let instrument = &state.listings[fill.instrument.index()].instrument;
    let (asset, base) = (instrument.spec.symbol.base, books.base);
    if !instrument.is_cash() || books.is_valued_by(asset, fill.instrument) || state.rate(asset, base).is_some() {
        return;
    }
    let Some(rate) = state.rate(instrument.settlement(), base) else { return };
    let came_in = state.portfolios[place].value_by(instrument, fill.price, rate);
    if came_in != 0 {
        risk::came_in(state, place, came_in, at);
    }
}

/// What a contract's settlement is worth in `base`, where it is neither that nor the coin of the contract.
#[inline]
fn third_rate(state: &State, id: InstrumentId, base: Currency) -> Option<(i128, i128)> {
    let instrument = &state.listings[id.index()].instrument;
    let (symbol, settlement) = (&instrument.spec.symbol, instrument.settlement());
    let is_own = settlement == base || settlement == symbol.base && symbol.quote == base;
    if instrument.is_cash() || is_own { None } else { state.rate(settlement, base) }
}

/// A quote keeps the mark fresh. One that marks moves it no further than into the spread: the median of bid, ask and
/// last mark, so that one side of the book that is gone for a moment does not move it. Any other is the mark only until
/// the first trade. One that contradicts itself says nothing of the price.
fn set_quote(state: &mut State, quote: Quote, at: Timestamp, origin: Origin, marks: bool) {
    let listing = &mut state.listings[quote.instrument.index()];
    listing.quote = Some(quote);
    let makes_sense = quote.bid <= quote.ask && quote.bid.mantissa() > 0;
    match &mut listing.mark {
        _ if marks && !makes_sense => (),
        Some(mark) if marks => {
            let price = mark.price.clamp(quote.bid, quote.ask);
            set_mark(state, quote.instrument, price, at, origin);
        }
        Some(mark) => mark.at = mark.at.max(at),
        None => {
            let middle = quote.bid.mantissa() / 2 + quote.ask.mantissa() / 2;
            set_mark(state, quote.instrument, Price::from_mantissa(middle), at, origin);
        }
    }
}

/// Money from outside, valued at the mark.
pub(crate) fn deposit(state: &mut State, portfolio: PortfolioId, money: Money, at: Timestamp) {
    let rate = state.rate(money.currency, state.portfolio(portfolio).base);
    state.portfolios[portfolio.index()].deposit(money, rate, at);
}

fn listed(state: &mut State, instrument: &Instrument) {
    let index = instrument.id.index();
    match state.listings.get_mut(index) {
        Some(listing) => listing.instrument = instrument.clone(),
        None => {
            assert!(index == state.listings.len(), "instruments are listed in order");
            state.listings.push(Listing {
                instrument: instrument.clone(),
                mark: None,
                quote: None,
                depth: None,
                booked: TradeIdSet::default(),
                before: None,
                status: ListingStatus::Trading,
                settled: None,
            });
        }
    }
    for portfolio in &mut state.portfolios {
        portfolio.list(instrument);
    }
}

fn judged(state: &mut State, verdict: &Verdict, at: Timestamp) {
    match verdict {
        Verdict::Approved(order) => {
            state.intents += 1;
            state.counters.orders += 1;
            state.counters.decided += u64::from(order.decision().is_some());
            state.open.insert(order.client_id(), OrderRecord::new(*order, at));
        }
        Verdict::Refused(_) => state.counters.veto += 1,
        Verdict::CancelApproved { .. }
        | Verdict::CancelRefused { .. }
        | Verdict::AmendApproved { .. }
        | Verdict::AmendRefused { .. } => (),
    }
}

/// What is cancelled past its date has expired: no venue needs to know the date. So has a market order of which its venue
/// found no more at its worst price.
fn cancelled(state: &mut State, id: ClientOrderId, at: Timestamp) {
    let Some(record) = state.open.get(&id) else { return move_order(state, id, OrderInput::Cancelled, at) };
    let past_its_date = record.good_till().is_some_and(|end| end <= state.now);
    if record.ends_at_worst() {
        let record = record.clone();
        collar::note_end(state, &record);
    } else if !past_its_date {
        return move_order(state, id, OrderInput::Cancelled, at);
    }
    move_order(state, id, OrderInput::Expired, at);
}

pub(crate) fn move_order(state: &mut State, id: ClientOrderId, input: OrderInput, at: Timestamp) {
    let moved = match state.open.get_mut(&id) {
        Some(record) => record.on(input, at).map(|()| !record.state.is_open()),
        None => match state.closed.iter_mut().rev().find(|record| record.order.client_id() == id) {
            Some(record) => record.on(input, at).map(|()| false),
            None => return state.counters.contradictions += 1, // not ours, or long forgotten
        },
    };
    match moved {
        Ok(true) => state.close(id),
        Ok(false) => (),
        Err(_) if has_ended_with_its_contract(state, id, input) => (),
        Err(_) => state.counters.contradictions += 1,
    }
}

/// Whether `input` is what was still on its way to be said of an order when its contract was settled, which ended it: that
/// contradicts nothing.
fn has_ended_with_its_contract(state: &State, id: ClientOrderId, input: OrderInput) -> bool {
    let is_of_its_start = matches!(input, OrderInput::Sent | OrderInput::NotSent | OrderInput::Rejected);
    let has_ended = |record: &OrderRecord| {
        record.state == OrderState::Closed { outcome: Outcome::Expired }
            && state.listing(record.order.instrument()).settled.is_some()
    };
    is_of_its_start && state.order(id).is_some_and(has_ended)
}

/// Books an execution once. An execution that contradicts its order is booked all the same, because the venue
/// moved the money, and halts trading, because something is wrong.
pub(crate) fn filled(state: &mut State, fill: &Fill, reported_for: PortfolioId, at: Timestamp) {
    let listing = &mut state.listings[fill.instrument.index()];
    if !listing.booked.insert(fill.trade_id) {
        state.counters.duplicates += 1;
        return;
    }
    account::is_booked(state, fill);
    let id = fill.client_id;
    let known = state.order(id).map(|record| (record.order.portfolio(), record.filled));
    let (portfolio, before) = known.unwrap_or((reported_for, Quantity::ZERO));
    let instrument = &state.listings[fill.instrument.index()].instrument;
    let fits = before.checked_add(fill.quantity).is_some();
    if !fits || !state.portfolios[portfolio.index()].can_book(instrument, fill) {
        // no word of a venue may end the process: it would be read again at every start
        let text = format!("execution {} in {} is too large for the books", fill.trade_id.0, instrument.spec.symbol);
        state.halted.get_or_insert(text);
        state.counters.contradictions += 1;
        return;
    }
    state.counters.fills += 1;
    let closed = |it: &&mut OrderRecord| it.order.client_id() == id;
    let record = match state.open.get_mut(&id) {
        Some(record) => Some(record),
        None => state.closed.iter_mut().rev().find(closed),
    };
    let fault = match record {
        Some(record) => {
            let fault = record
                .fill(fill, at)
                .err()
                .map(|error| format!("execution {} of order {id}: {error}", fill.trade_id.0));
            fault.or_else(|| record.is_overfilled().then(|| format!("order {id} filled beyond its quantity")))
        }
        None => Some(format!("a fill of the unknown order {id}")),
    };
    if state.open.get(&id).is_some_and(|record| !record.state.is_open()) {
        state.close(id);
    }
    if let Some(fault) = fault {
        state.counters.contradictions += 1;
        state.halted.get_or_insert(fault);
    }
    let realised = booked(state, portfolio, fill, at);
    if state.risk.is_some() {
        risk::filled(state, fill, portfolio, realised, at);
    }
}

/// Books an execution at its price. Returns what it realised before fees, in ledger units of the settlement currency.
pub(crate) fn booked(state: &mut State, portfolio: PortfolioId, fill: &Fill, at: Timestamp) -> i128 {
    let (place, id) = (portfolio.index(), fill.instrument);
    let instrument = &state.listings[id.index()].instrument;
    let changed = [instrument.spec.symbol.base, instrument.settlement(), fill.fee.0.currency];
    let realised = state.portfolios[place].fill(instrument, fill);
    revalue(state, place, id, &changed, at);
    value_by_execution(state, place, fill, at);
    mark_books(state, place, id, fill.price, at);
    if state.listings[id.index()].settled.is_some() {
        pay_out(state, portfolio, id, at); // told after the settlement that it came before
    }
    realised
}

/// Settles a contract: from here on nothing is held of it and no order in it is open.
fn settled(state: &mut State, id: InstrumentId, settlement: Settlement, at: Timestamp) {
    let listing = &mut state.listings[id.index()];
    if listing.settled.is_some() {
        return;
    }
    if listing.instrument.is_cash() {
        return state.counters.contradictions += 1; // what is held of it was paid for, and stays
    }
    let pays = |books: &Portfolio| {
        books.position(id).quantity().is_zero() || books.clone().settle(&listing.instrument, settlement).is_some()
    };
    if !state.portfolios.iter().all(pays) {
        state.counters.contradictions += 1;
        state.halted.get_or_insert_with(|| "a settlement is past the ledger".to_owned());
        return; // nothing is settled by it, and another one may be
    }
    listing.settled = Some(settlement);
    let open = state.open.values().filter(|record| record.order.instrument() == id);
    let open: Vec<ClientOrderId> = open.map(|record| record.order.client_id()).collect();
    open.into_iter().for_each(|client_id| move_order(state, client_id, OrderInput::Expired, at));
    for place in 0..state.portfolios.len() {
        pay_out(state, PortfolioId(u16::try_from(place).unwrap_or(u16::MAX)), id, at);
    }
}

/// Pays out what a portfolio holds of a contract that was settled.
fn pay_out(state: &mut State, portfolio: PortfolioId, id: InstrumentId, at: Timestamp) {
    let (place, listing) = (portfolio.index(), &state.listings[id.index()]);
    let is_held = !state.portfolios[place].position(id).quantity().is_zero();
    let Some(settlement) = listing.settled.filter(|_| is_held) else { return };
    let Some(realised) = state.portfolios[place].settle(&listing.instrument, settlement) else {
        state.counters.contradictions += 1;
        state.halted.get_or_insert_with(|| "a settlement is past the ledger".to_owned());
        return;
    };
    let instrument = &state.listings[id.index()].instrument;
    let changed = [instrument.settlement()];
    revalue(state, place, id, &changed, at);
    mark_books(state, place, id, settlement.price, at);
    if state.risk.is_some() {
        risk::closed(state, portfolio, realised, at);
    }
}

/// A new process knows of the old one's orders only what was recorded: without a recorded intent nothing was
/// sent, with one anything may have happened.
fn doubt_open_orders(state: &mut State, at: Timestamp) {
    let open: Vec<_> = state.open.iter().map(|(id, record)| (*id, record.times.intended.is_some())).collect();
    for (id, may_be_live) in open {
        move_order(state, id, if may_be_live { OrderInput::AnswerLost } else { OrderInput::NotSent }, at);
    }
}
