//! What a node shows of itself.

use crate::adopt::foreign_orders;
use crate::clock::wall;
use crate::core::Core;
use crate::govern::time_in_force;
use crate::health::ComponentHealth;
use crate::holds::{HoldView, holds};
use crate::latency::Quantiles;
use crate::liquidity::{LiquidityView, liquidity};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    Instrument, InstrumentKind, LEDGER_DECIMALS, Money, OrderRecord, OrderState, Outcome, PortfolioId, Timestamp,
    format_decimal,
};
use tradewind_engine::{Counters, ForeignOrder, Guarded, Portfolio, State};
use tradewind_gate::Mode;
use tradewind_host::Fees;
use tradewind_risk::{Coverage, Unit};

/// A node at a glance. Money and sizes are decimal text.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// What it may do.
    pub mode: Mode,
    /// Whether it trades, or is starting or stopping.
    pub trading: bool,
    /// Why trading is halted, if it is.
    pub halted: Option<String>,
    /// Why only what reduces is allowed, if so.
    pub restricted: Option<String>,
    /// The strictest mode of any breaker: `normal`, or what it leaves.
    pub risk_mode: &'static str,
    /// Everything that holds trading, these two included: who, since when, why, and what ends it.
    pub holds: Vec<HoldView>,
    /// Events in the journal.
    pub sequence: u64,
    /// How often things happened.
    pub counters: Counters,
    /// Approved orders that name no decision: see `governance.require_decision`.
    pub orders_without_decision: u64,
    /// What is owned.
    pub portfolios: Vec<PortfolioView>,
    /// What is watched.
    pub instruments: Vec<InstrumentView>,
    /// Orders that may still fill.
    pub open_orders: usize,
    /// Orders whose outcome is unknown.
    pub unknown_orders: usize,
    /// Those orders, the oldest doubt first.
    pub unknown: Vec<UnknownView>,
    /// Comparisons with the venue in a row that found a difference; the third allows only what reduces.
    pub drifting: u32,
    /// When venue and books last agreed, by the market's time.
    pub agreed_at: Option<String>,
    /// Positions without a stop and without an exemption, where the limit on those is set.
    pub unprotected: Vec<UnprotectedView>,
    /// Contracts that are held, with how far each is from its liquidation.
    pub liquidations: Vec<LiquidationView>,
    /// What other hands do on the account and nobody adopted.
    pub foreign: Vec<ForeignView>,
    /// The venue's clock; missing until it was measured.
    pub clock: Option<ClockView>,
    /// Hash of this run's executions.
    pub trade_hash: String,
    /// Frame read → decided, decided → bytes out, frame read → bytes out.
    pub latency: LatencyView,
    /// How each component is.
    pub components: Vec<ComponentHealth>,
    /// Newest troubles, oldest first, each with its time; an alarm after which somebody resumed says so.
    pub notices: Vec<String>,
}

/// An order whose outcome is unknown.
#[derive(Clone, Debug, Serialize)]
pub struct UnknownView {
    /// Our name of it.
    pub client_id: String,
    /// Unified symbol.
    pub symbol: String,
    /// Since when.
    pub since: String,
    /// For how many seconds.
    pub age_seconds: i64,
}

/// A position without a stop and without an exemption.
#[derive(Clone, Debug, Serialize)]
pub struct UnprotectedView {
    /// Which portfolio.
    pub portfolio: String,
    /// Unified symbol.
    pub symbol: String,
    /// Since when.
    pub since: String,
    /// For how many seconds.
    pub age_seconds: i64,
    /// After how many only reducing orders of it pass.
    pub limit_seconds: i64,
}

/// A contract that is held, and its liquidation.
#[derive(Clone, Debug, Serialize)]
pub struct LiquidationView {
    /// Which portfolio.
    pub portfolio: String,
    /// Unified symbol.
    pub symbol: String,
    /// How far its mark may move against it, as a part of the mark; missing where no move liquidates it.
    pub distance: Option<String>,
    /// The mark at which it is liquidated.
    pub price: Option<String>,
}

/// An order that another hand placed on the account.
#[derive(Clone, Debug, Serialize)]
pub struct ForeignView {
    /// What its sender called it.
    pub order: String,
    /// The venue's name of it.
    pub venue_id: String,
    /// Unified symbol.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// How much was asked.
    pub amount: String,
    /// How much was executed.
    pub filled: String,
    /// Whether it may still fill.
    pub open: bool,
}

/// What is known of the venue's clock.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClockView {
    /// By how much it is ahead of ours, in milliseconds.
    pub offset_ms: i64,
    /// By how much that may be wrong, in milliseconds.
    pub error_ms: i64,
    /// Whether that is good enough for orders to leave.
    pub orders_leave: bool,
}

/// How long the parts of a decision take.
#[derive(Clone, Debug, Serialize)]
pub struct LatencyView {
    /// From the frame read to the decision made.
    pub frame_to_decision: Quantiles,
    /// From the decision to the last byte handed to the socket; the journal's sync lies in it.
    pub decision_to_bytes: Quantiles,
    /// Both.
    pub frame_to_bytes: Quantiles,
}

/// A portfolio at a glance.
#[derive(Clone, Debug, Serialize)]
pub struct PortfolioView {
    /// Its name.
    pub name: String,
    /// What equity is counted in.
    pub base: String,
    /// Cash and assets at their marks.
    pub equity: String,
    /// Equity since UTC midnight.
    pub day_profit: String,
    /// What is held of each currency.
    pub balances: std::collections::BTreeMap<String, String>,
    /// Fees so far by currency.
    pub fees: std::collections::BTreeMap<String, String>,
    /// Funding paid so far by currency, negative when received; empty where nothing perpetual is traded.
    pub funding: std::collections::BTreeMap<String, String>,
}

/// An instrument at a glance.
#[derive(Clone, Debug, Serialize)]
pub struct InstrumentView {
    /// Unified symbol.
    pub symbol: String,
    /// Its newest price.
    pub mark: Option<String>,
    /// When that was true.
    pub mark_at: Option<String>,
    /// Where it comes from.
    pub origin: Option<tradewind_domain::Origin>,
    /// How well its book can take our orders; missing where no limit asks for the book, or it is old.
    pub liquidity: Option<LiquidityView>,
}

/// An order as people list it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderView {
    /// Our name of it.
    pub client_id: String,
    /// The venue's name of it, once heard.
    pub venue_id: Option<String>,
    /// Where it trades.
    pub exchange: String,
    /// Which kind of market that is, in the words of policies, such as `spot`.
    #[serde(default)]
    pub market_type: String,
    /// Unified symbol.
    pub symbol: String,
    /// Which portfolio.
    pub portfolio: String,
    /// `buy` or `sell`.
    pub side: String,
    /// `market`, `limit`, `stop`, `stop-limit`, `market-if-touched`, `limit-if-touched` or `trailing-stop`.
    pub order_type: String,
    /// `new`, `open`, `partially_filled`, `filled`, `canceled`, `rejected`, `expired`, `unknown`, `pending_cancel`, `pending_update`.
    pub status: String,
    /// How much was asked.
    pub amount: String,
    /// How much filled.
    pub filled: String,
    /// How much may still fill.
    pub remaining: String,
    /// How long it may live: `gtc`, `ioc`, `fok`, or `gtd` and the moment.
    #[serde(default)]
    pub time_in_force: String,
    /// Rest or be rejected.
    #[serde(default)]
    pub post_only: bool,
    /// May only shrink a position.
    #[serde(default)]
    pub reduce_only: bool,
    /// Limit price.
    pub price: Option<String>,
    /// The worst price of a market order, where its limits bound it: it goes to the venue as a limit order at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<String>,
    /// Trigger price.
    pub trigger: Option<String>,
    /// Average fill price: decimal text, rounded half to even at four decimals beyond the instrument's prices.
    pub average: Option<String>,
    /// What its executions came to: the exact sum of price × quantity of those that [`Self::average`] is of, in what its
    /// price is counted in; of a contract without its multiplier.
    #[serde(default)]
    pub cost: String,
    /// What was charged for it so far, by currency; missing where it filled before an upgrade to a version that counts.
    #[serde(default)]
    pub fees: Option<std::collections::BTreeMap<String, String>>,
    /// Why it ended without being filled, in the words of whoever ended it: of a rejection the venue's code and text, or
    /// `not sent` and why, or `it never reached the venue` and what proves it.
    #[serde(default)]
    pub closed_reason: Option<String>,
    /// The record of the journal that holds the decision which it follows, where it names one.
    #[serde(default)]
    pub decision: Option<u64>,
    /// What that decision is called, where a person or an agent named it; forgotten after 256 later decisions.
    #[serde(default)]
    pub decision_id: Option<String>,
    /// When it was approved.
    pub created_at: String,
    /// When its bytes left.
    pub sent_at: Option<String>,
    /// When the venue first accepted or rejected it, or told of a fill; null where all that was heard is its end.
    pub acknowledged_at: Option<String>,
    /// When it last changed.
    pub updated_at: String,
}

/// A position as people list it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PositionView {
    /// Which portfolio.
    pub portfolio: String,
    /// Unified symbol.
    pub symbol: String,
    /// Signed.
    pub quantity: String,
    /// Average entry price, as text like an order's `average`.
    pub entry_price: Option<String>,
    /// Newest price.
    pub mark: Option<String>,
    /// Profit not realised, in the settlement currency.
    pub unrealised: Option<String>,
    /// What was charged so far for trading it in this portfolio, by currency; missing where some of that was before an
    /// upgrade to a version that counts.
    #[serde(default)]
    pub fees: Option<std::collections::BTreeMap<String, String>>,
    /// Funding paid for it so far in the settlement currency, negative when received; nothing for what pays none.
    #[serde(default)]
    pub funding: Option<String>,
    /// Whether it is too little to order: what fees and odd lots leave behind counts as no position.
    #[serde(default)]
    pub dust: bool,
    /// How much of it stops close.
    #[serde(default)]
    pub protected: Option<String>,
    /// `covered`, `missing` with where a stop would stand by the usual distances, or `exempt` and why.
    #[serde(default)]
    pub protection: Option<String>,
}

pub(crate) fn status(core: &Core) -> Status {
    core.report_health();
    let state = &core.host.state;
    Status {
        mode: state.mode,
        trading: core.trading,
        halted: state.halted.clone(),
        restricted: state.reduce_only.clone(),
        risk_mode: crate::limits_view::mode(state),
        holds: holds(core),
        sequence: state.sequence,
        counters: state.counters,
        orders_without_decision: state.counters.orders_without_decision(),
        portfolios: state.portfolios.iter().map(portfolio_view).collect(),
        instruments: state.listings.iter().map(|listing| instrument_view(core, listing)).collect(),
        open_orders: state.open.len(),
        unknown_orders: state.open.values().filter(|record| record.status() == "unknown").count(),
        unknown: unknown(core),
        drifting: state.drifting,
        agreed_at: state.whole.map(|whole| whole.through.to_string()),
        unprotected: unprotected(core),
        liquidations: liquidations(state),
        foreign: foreign_orders(state).iter().map(|order| foreign_view(state, order)).collect(),
        clock: clock(core),
        trade_hash: core.host.digest.hex(),
        latency: LatencyView {
            frame_to_decision: core.host.outside.latency.frame_to_decision.quantiles(),
            decision_to_bytes: core.host.outside.latency.decision_to_bytes.quantiles(),
            frame_to_bytes: core.host.outside.latency.frame_to_bytes.quantiles(),
        },
        components: core.host.outside.watch.health.components(),
        notices: core.notices.iter().cloned().collect(),
    }
}

fn unknown(core: &Core) -> Vec<UnknownView> {
    let (state, now) = (&core.host.state, core.now());
    let mut views: Vec<_> = state
        .open
        .values()
        .filter_map(|record| match record.state {
            OrderState::Unknown { since } => Some((since, record)),
            _ => None,
        })
        .collect();
    views.sort_by_key(|(since, _)| *since);
    let view = |(since, record): (Timestamp, &OrderRecord)| UnknownView {
        client_id: record.order.client_id().to_string(),
        symbol: state.listing(record.order.instrument()).instrument.spec.symbol.to_string(),
        since: since.to_string(),
        age_seconds: now.since(since) / 1_000_000_000,
    };
    views.into_iter().map(view).collect()
}

fn unprotected(core: &Core) -> Vec<UnprotectedView> {
    let (state, now) = (&core.host.state, core.now());
    let bare = state.risk.as_deref().map(|risk| risk.monitor.bare_positions()).unwrap_or_default();
    let view = |it: &tradewind_risk::Bare| UnprotectedView {
        portfolio: state.portfolio(it.portfolio).name.clone(),
        symbol: state.listing(it.instrument).instrument.spec.symbol.to_string(),
        since: it.since.to_string(),
        age_seconds: now.since(it.since) / 1_000_000_000,
        limit_seconds: it.limit / 1_000_000_000,
    };
    bare.iter().map(view).collect()
}

fn liquidations(state: &State) -> Vec<LiquidationView> {
    let portfolios = (0_u16..).map(PortfolioId).zip(&state.portfolios);
    let of = |(id, books): (PortfolioId, &Portfolio)| {
        let view = |it: tradewind_engine::Liquidation| {
            let instrument = &state.listing(it.instrument).instrument;
            LiquidationView {
                portfolio: books.name.clone(),
                symbol: instrument.spec.symbol.to_string(),
                distance: it.distance_bps.map(|bps| Unit::Percent.text(bps)),
                price: it.price.map(|price| instrument.price_text(price)),
            }
        };
        state.liquidations(id).into_iter().map(view).collect::<Vec<_>>()
    };
    portfolios.flat_map(of).collect()
}

fn foreign_view(state: &State, order: &ForeignOrder) -> ForeignView {
    let it = &state.listing(order.instrument).instrument;
    ForeignView {
        order: order.client_text.clone(),
        venue_id: order.venue_id.0.to_string(),
        symbol: it.spec.symbol.to_string(),
        side: if order.side == tradewind_domain::Side::Buy { "buy" } else { "sell" }.to_owned(),
        amount: it.quantity_text(order.quantity),
        filled: it.quantity_text(order.filled),
        open: order.open,
    }
}

fn clock(core: &Core) -> Option<ClockView> {
    let connection = &core.host.outside.connection;
    let (venue, error) = connection.venue_time()?;
    Some(ClockView {
        offset_ms: venue.since(wall()) / 1_000_000,
        error_ms: error / 1_000_000,
        orders_leave: error <= connection.most_clock_error(),
    })
}

fn portfolio_view(portfolio: &tradewind_engine::Portfolio) -> PortfolioView {
    let text = |units| format_decimal(units, LEDGER_DECIMALS);
    let by_currency = |pick: fn(&tradewind_engine::Holding) -> i128| {
        let held = portfolio.holdings().iter().filter(|holding| pick(holding) != 0);
        held.map(|holding| (holding.currency.to_string(), text(pick(holding)))).collect()
    };
    PortfolioView {
        name: portfolio.name.clone(),
        base: portfolio.base.to_string(),
        equity: text(portfolio.equity()),
        day_profit: text(portfolio.equity() - portfolio.day_equity()),
        balances: by_currency(|holding| holding.units),
        fees: by_currency(|holding| holding.fees),
        funding: by_currency(|holding| holding.funding),
    }
}

fn instrument_view(core: &Core, listing: &tradewind_engine::Listing) -> InstrumentView {
    let it = &listing.instrument;
    let liquidity = core.books.get(&it.id).and_then(|book| liquidity(&core.host.state, it, book));
    InstrumentView {
        liquidity,
        symbol: listing.instrument.spec.symbol.to_string(),
        mark: listing.mark.map(|mark| listing.instrument.price_text(mark.price)),
        mark_at: listing.mark.map(|mark| mark.at.to_string()),
        origin: listing.mark.map(|mark| mark.origin),
    }
}

/// Why an order ended, by the words that ended it: whether it was on a venue's book at all stands before them.
fn closed_reason_text(state: OrderState, words: Option<&str>) -> Option<String> {
    match (state, words) {
        (OrderState::Closed { outcome: Outcome::NotSent }, Some(why)) => Some(format!("not sent: {why}")),
        (OrderState::Closed { outcome: Outcome::NotSent }, None) => Some("not sent".to_owned()),
        (_, words) => words.map(str::to_owned),
    }
}

/// Amounts that are not zero, by currency.
fn amounts(charged: &[Money]) -> std::collections::BTreeMap<String, String> {
    let charged = charged.iter().filter(|money| money.units != 0);
    charged.map(|money| (money.currency.to_string(), money.amount())).collect()
}

/// An order as people list it.
pub(crate) fn order_view(state: &State, record: &OrderRecord, closed_reason: Option<&str>, fees: &Fees) -> OrderView {
    let instrument = &state.listing(record.order.instrument()).instrument;
    let request = record.order.request();
    let kind = &request.kind;
    let order_type = kind.word();
    let decision = record.order.decision();
    let known = decision.and_then(|decision| state.governance.decisions.get(&decision));
    OrderView {
        client_id: record.order.client_id().to_string(),
        venue_id: record.venue_id.as_ref().map(|id| id.0.to_string()),
        exchange: instrument.spec.venue.clone(),
        market_type: instrument.spec.kind.market().to_owned(),
        symbol: instrument.spec.symbol.to_string(),
        portfolio: state.portfolio(record.order.portfolio()).name.clone(),
        side: if record.order.side() == tradewind_domain::Side::Buy { "buy" } else { "sell" }.to_owned(),
        order_type: order_type.to_owned(),
        status: record.status().to_owned(),
        amount: instrument.quantity_text(record.order.quantity()),
        filled: instrument.quantity_text(record.filled),
        remaining: instrument.quantity_text(record.open_quantity()),
        time_in_force: time_in_force(request.time_in_force),
        post_only: request.post_only,
        reduce_only: request.reduce_only,
        price: kind.limit().map(|price| instrument.price_text(price)),
        worst: record.order.worst().map(|price| instrument.price_text(price)),
        trigger: kind.trigger().map(|price| instrument.price_text(price)),
        average: instrument.mean_price_text(record.cost, record.booked()),
        cost: format_decimal(record.cost, instrument.spec.price_decimals + instrument.spec.quantity_decimals),
        fees: fees.of_order(record).map(amounts),
        closed_reason: closed_reason_text(record.state, closed_reason),
        decision,
        decision_id: known.and_then(|it| it.id.as_ref()).map(ToString::to_string),
        created_at: record.times.created.to_string(),
        sent_at: record.times.sent.map(|at| at.to_string()),
        acknowledged_at: record.times.acknowledged.map(|at| at.to_string()),
        updated_at: record.times.updated.to_string(),
    }
}

fn protection_text(it: &Instrument, coverage: &Coverage) -> String {
    match coverage {
        Coverage::Flat => "flat".to_owned(),
        Coverage::Covered => "covered".to_owned(),
        Coverage::Missing(needed) => format!("missing: a stop at {} would do", it.price_text(needed.stop)),
        Coverage::Exempt { reason } => format!("exempt: {reason}"),
    }
}

/// Whether longs and shorts of it pay each other.
const fn is_perpetual(it: &Instrument) -> bool {
    matches!(it.spec.kind, InstrumentKind::LinearPerpetual | InstrumentKind::InversePerpetual)
}

/// Every position that is not flat.
pub(crate) fn positions(state: &State, fees: &Fees) -> Vec<PositionView> {
    let (mut views, guarded) = (Vec::new(), state.guarded());
    for (id, portfolio) in (0..).map(PortfolioId).zip(&state.portfolios) {
        for listing in &state.listings {
            let of = |it: &&Guarded| it.portfolio == id && it.instrument == listing.instrument.id;
            let guard = guarded.iter().find(of);
            let position = portfolio.position(listing.instrument.id);
            if position.quantity().is_zero() {
                continue;
            }
            let it = &listing.instrument;
            views.push(PositionView {
                portfolio: portfolio.name.clone(),
                symbol: it.spec.symbol.to_string(),
                quantity: it.quantity_text(position.quantity()),
                entry_price: it.average_price_text(&position),
                mark: listing.mark.map(|mark| it.price_text(mark.price)),
                unrealised: listing
                    .mark
                    .and_then(|mark| it.unrealised(&position, mark.price).ok())
                    .map(|money| money.amount()),
                fees: fees.of_position(id, it.id).map(amounts),
                funding: is_perpetual(it).then(|| format_decimal(portfolio.funding_paid(it.id), LEDGER_DECIMALS)),
                dust: it.is_dust(position.quantity(), listing.mark.map(|mark| mark.price)),
                protected: guard.map(|guard| it.quantity_text(guard.protected)),
                protection: guard.map(|guard| protection_text(it, &guard.coverage)),
            });
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{
        ClientOrderId, Currency, Fee, Fill, InstrumentId, InstrumentSpec, Liquidity, Origin, Price, Quantity, Side,
        Source, Trade, TradeId,
    };
    use tradewind_engine::{Event, EventKind, apply};

    const ID: InstrumentId = InstrumentId(0);
    const HUNDRED: Price = Price::from_mantissa(10_000);

    /// A portfolio with 10,000 that has bought `quantity` of `spec` at 100, and whatever happened then.
    fn bought(spec: &InstrumentSpec, quantity: &str, then: impl IntoIterator<Item = EventKind>) -> State {
        let (usdt, instrument) = (Currency::new("USDT").unwrap(), spec.clone().list(ID).unwrap());
        let fill = Fill {
            client_id: ClientOrderId::from_u128(1),
            instrument: ID,
            trade_id: TradeId(1),
            side: Side::Buy,
            price: HUNDRED,
            quantity: instrument.quantity(quantity).unwrap(),
            liquidity: Liquidity::Taker,
            fee: Fee(Money::zero(usdt)),
        };
        let begin = [
            EventKind::Listed(Box::new(instrument)),
            EventKind::Opened { base: usdt, name: "main".to_owned() },
            EventKind::LimitsSet(Box::new(tradewind_gate::Limits::CONSERVATIVE)),
            EventKind::Deposited(Money::parse("10000", usdt).unwrap()),
            EventKind::Filled(fill),
        ];
        let mut state = State::default();
        for (kind, sequence) in begin.into_iter().chain(then).zip(1..) {
            apply(&mut state, &Event::new(sequence, Timestamp::from_millis(1), Source::Host, kind));
        }
        state
    }

    /// As [`bought`], one unit that met these rates, in parts per 10^8 of the notional at 100.
    fn after(spec: InstrumentSpec, rates: &[i64]) -> State {
        let funding = |rate_e8: &i64| EventKind::Funding { instrument: ID, rate_e8: *rate_e8, mark: HUNDRED };
        bought(&spec, "1", rates.iter().map(funding))
    }

    fn spec(kind: InstrumentKind) -> InstrumentSpec {
        let spot = InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test");
        InstrumentSpec { kind, price_decimals: 2, quantity_decimals: 3, ..spot }
    }

    #[test]
    fn an_order_that_was_never_sent_says_so_before_why() {
        let closed = |outcome| OrderState::Closed { outcome };
        for (state, words, want) in [
            (closed(Outcome::NotSent), Some("VEN-14: no clock"), Some("not sent: VEN-14: no clock")),
            (closed(Outcome::NotSent), None, Some("not sent")),
            (closed(Outcome::Rejected), Some("-2010 no"), Some("-2010 no")),
            (OrderState::Working, None, None),
        ] {
            assert_eq!(closed_reason_text(state, words).as_deref(), want, "{state:?}");
        }
    }

    #[test]
    fn funding_is_shown_by_position_and_by_portfolio_where_something_pays_it() {
        let perpetual = || spec(InstrumentKind::LinearPerpetual);
        for (rates, want) in [
            (&[][..], "0"),
            (&[10_000][..], "0.01"),           // a hundredth of a percent of 100
            (&[10_000, -30_000][..], "-0.02"), // received more than paid
        ] {
            let state = after(perpetual(), rates);
            assert_eq!(positions(&state, &Fees::default())[0].funding.as_deref(), Some(want));
            let paid = portfolio_view(&state.portfolios[0]).funding;
            assert_eq!(paid.get("USDT").map_or("0", String::as_str), want);
        }
        let spot = after(spec(InstrumentKind::Spot), &[]);
        assert_eq!(positions(&spot, &Fees::default())[0].funding, None);
        assert!(portfolio_view(&spot.portfolios[0]).funding.is_empty());
        let before: State = serde_json::from_value(serde_json::to_value(&spot).unwrap()).unwrap();
        assert_eq!(before.hash(), spot.hash(), "what pays none is written as before");
        assert!(!serde_json::to_string(&spot.portfolios[0]).unwrap().contains("\"funding\":0,\"position"));
    }

    #[test]
    fn a_contract_that_is_held_is_shown_with_its_liquidation() {
        let spec = InstrumentSpec { quantity_decimals: 4, ..spec(InstrumentKind::LinearPerpetual) };
        let size = Quantity::from_mantissa(1);
        let trade = Trade { instrument: ID, price: HUNDRED, quantity: size, aggressor: Side::Buy, id: TradeId(2) };
        let marked = EventKind::Traded { trade, origin: Origin::Recorded };
        assert!(liquidations(&bought(&spec, "0.0001", [])).is_empty(), "without a mark nothing is told");
        // 250 at 100 against 10,000, by 2.5 %: (10,000 - 625) / (25,000 x 0.975)
        let shown = serde_json::to_value(liquidations(&bought(&spec, "250", [marked]))).unwrap();
        let want = serde_json::json!([
            {"portfolio": "main", "symbol": "BTC/USDT", "distance": "38.46 %", "price": "61.54"}
        ]);
        assert_eq!(shown, want);
    }
}
