//! The cost of one verdict: 100 positions, 1,000 open orders, every limit of the moderate profile, value at risk included.
//!
//! `gate [ROUNDS] [METHOD]` builds such an account through the engine, then times `decide` on a proposal that passes every
//! guard, and prints one line of JSON with quantiles in microseconds. `METHOD` is a word of the limit `var_method`. The
//! state does not change between rounds.

use serde_json::json;
use std::process::ExitCode;
use std::time::Instant;
use tradewind_domain::{
    Currency, Fee, Fill, Incarnation, InstrumentId, InstrumentSpec, Liquidity, Money, Order, OrderRequest, Origin,
    PortfolioId, Price, Quantity, Side, Source, Timestamp, Trade, TradeId,
};
use tradewind_engine::{Command, Event, EventKind, LOGIC_VERSION, RiskAct, State, Verdict, decide, step};
use tradewind_gate::{Limits, Mode, Proposal};
use tradewind_risk::{AccountCaps, Controls, Limit, Profile, VarMethod};

const POSITIONS: u32 = 100;
const ORDERS_EACH: i64 = 10;
const MINUTES: i64 = 250;
const ONE: i64 = 100_000_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let method = std::env::args().nth(2).unwrap_or_else(|| VarMethod::Historical.name().to_owned());
    match run(rounds, &method) {
        #[expect(clippy::print_stdout, reason = "the result is this program's output")]
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// An account under construction.
struct Account {
    state: State,
    minute: i64,
    usdt: Currency,
}

impl Account {
    fn event(&self, kind: EventKind) -> Event {
        let at = Timestamp::from_millis(self.minute * 60_000);
        Event::new(self.state.sequence + 1, at, Source::Operator, kind)
    }

    /// Steps an event and everything that the engine records on its account; the orders that it would send.
    fn say(&mut self, kind: EventKind) -> Vec<Order> {
        let (mut queue, mut sent) = (std::collections::VecDeque::from([kind]), Vec::new());
        while let Some(kind) = queue.pop_front() {
            let (event, mut commands) = (self.event(kind), Vec::new());
            step(&mut self.state, &event, &mut commands);
            for command in commands {
                match command {
                    Command::Record(kind, _) => queue.push_back(kind),
                    Command::Send(approved) => sent.extend(approved.action().orders()),
                }
            }
        }
        sent
    }

    fn mark(&mut self, id: u32) {
        let (wave, trend) = ((self.minute * 7_919 + i64::from(id) * 104_729) % 199 - 99, self.minute % 7 - 3);
        let trade = Trade {
            instrument: InstrumentId(id),
            price: Price::from_mantissa(100 * ONE + wave * 10_000 + trend * 5_000),
            quantity: Quantity::from_mantissa(ONE),
            aggressor: Side::Buy,
            id: TradeId(u128::from(id) + 1),
        };
        self.say(EventKind::Traded { trade, origin: Origin::Recorded });
    }
}

fn proposed(request: OrderRequest) -> EventKind {
    let (source, portfolio) = (Source::Operator, PortfolioId(0));
    EventKind::Proposed(Proposal { plan: None, source, portfolio, request, reason: "bench".into() })
}

fn build(method: &str) -> Result<Account, Failure> {
    let usdt = Currency::new("USDT")?;
    let mut account = Account { state: State::default(), minute: 0, usdt };
    account.say(EventKind::Started { incarnation: Incarnation(1), mode: Mode::Paper, logic: LOGIC_VERSION });
    for id in 0..POSITIONS {
        let spec = InstrumentSpec::spot(format!("C{id}/USDT").parse()?, "bench");
        account.say(EventKind::Listed(Box::new(spec.list(InstrumentId(id))?)));
    }
    account.say(EventKind::Opened { base: usdt, name: "bench".to_owned() });
    account.say(EventKind::LimitsSet(Box::new(Limits { controls: Some(Controls::default()), ..Limits::OPEN })));
    account.say(EventKind::Deposited(Money::parse("1000000", usdt)?));
    for id in 0..POSITIONS {
        account.mark(id);
        let request = OrderRequest::market(InstrumentId(id), Side::Buy, Quantity::from_mantissa(10 * ONE));
        let kind = proposed(request);
        let order = *account.say(kind).first().ok_or("an unlimited order was refused")?;
        account.say(EventKind::Filled(Fill {
            client_id: order.client_id(),
            instrument: order.instrument(),
            trade_id: TradeId(1_000_000 + u128::from(id)),
            side: Side::Buy,
            price: Price::from_mantissa(100 * ONE),
            quantity: order.quantity(),
            liquidity: Liquidity::Taker,
            fee: Fee(Money::zero(account.usdt)),
        }));
    }
    for id in 0..POSITIONS {
        for nth in 0..ORDERS_EACH {
            let price = Price::from_mantissa(99 * ONE - nth * ONE / 100);
            let quantity = Quantity::from_mantissa(ONE / 10);
            let kind = proposed(OrderRequest::limit(InstrumentId(id), Side::Buy, quantity, price));
            account.say(kind);
        }
    }
    for _ in 0..MINUTES {
        account.minute += 1;
        (0..POSITIONS).for_each(|id| account.mark(id));
    }
    limit(&mut account, method)?;
    Ok(account)
}

/// Every limit of the moderate profile, those that this account is beyond by its size alone at what it needs.
fn limit(account: &mut Account, method: &str) -> Result<(), Failure> {
    let wide = Some(1_000_000);
    let mut limits = Profile::Moderate.limits();
    let controls =
        Controls { open_positions: wide, correlation_bps: Some(10_000), ..limits.controls.unwrap_or_default() };
    limits.controls = Some(controls);
    account.say(EventKind::LimitsSet(Box::new(limits)));
    let mut of_account = Profile::Moderate.account();
    of_account.caps = AccountCaps {
        positions: wide,
        open_orders: wide,
        strategy_bps: wide,
        net_bps: wide,
        venue_bps: wide,
        class_bps: wide,
        gross_bps: wide,
        var_bps: wide,
        cvar_bps: wide,
        var_method: Some(Limit::find("var_method").and_then(|it| it.unit.parse(method)).ok_or("no such method")?),
        ..of_account.caps
    };
    account.say(EventKind::Risk(Box::new(RiskAct::AccountLimits { limits: Box::new(of_account) })));
    Ok(())
}

fn run(rounds: usize, method: &str) -> Result<serde_json::Value, Failure> {
    let account = build(method)?;
    let request = OrderRequest::market(InstrumentId(7), Side::Buy, Quantity::from_mantissa(ONE));
    let event = account.event(proposed(request));
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let mut commands = Vec::new();
        let begin = Instant::now();
        decide(&account.state, &event, &mut commands);
        times.push(begin.elapsed());
        if let Some(Command::Record(EventKind::Judged(Verdict::Refused(refusal)), _)) = commands.first() {
            return Err(format!("refused: {refusal}").into());
        }
    }
    times.sort_unstable();
    let micros = |part: usize| {
        let place = (times.len() - 1) * part / 1_000;
        times[place].as_secs_f64() * 1e6
    };
    let books = account.state.portfolio(PortfolioId(0));
    let held = |id: &u32| books.position(InstrumentId(*id)).quantity() != Quantity::from_mantissa(0);
    Ok(json!({
        "positions": (0..POSITIONS).filter(held).count(),
        "open_orders": account.state.open.len(),
        "rounds": rounds,
        "var_method": method,
        "p50_us": micros(500),
        "p99_us": micros(990),
        "p999_us": micros(999),
    }))
}
