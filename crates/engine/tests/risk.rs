//! Limits and breakers in the order path: events in, verdicts and cancels out.

#![allow(clippy::unwrap_used)] // a test may

use std::collections::VecDeque;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Action, Cap, Limits, Mode, Proposal, Refusal};
use tradewind_governance::{Act, Changed, Name, Principal, Role};
use tradewind_risk::{AccountLimits, Controls, Guard, Profile, RiskMode, Scope};

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
const DAY: i64 = 86_400_000;

/// A host without a disk: numbers events, steps them, records what comes back, keeps what would be sent.
#[derive(Default)]
struct Host {
    state: State,
    journal: Vec<Vec<u8>>,
    sent: Vec<Order>,
    cancels: Vec<ClientOrderId>,
    refusals: Vec<Refusal>,
    tripped: Vec<Guard>,
    trades: u128,
    millis: i64,
}

fn usdt() -> Currency {
    Currency::new("USDT").unwrap()
}

/// Two portfolios of 10,000 USDT each; bitcoin at 100 and ether at 50.
fn host(limits: Limits, account: Option<AccountLimits>) -> Host {
    let mut host = Host::default();
    let started = EventKind::Started { incarnation: Incarnation(9), mode: Mode::Paper, logic: LOGIC_VERSION };
    host.say(Source::Host, started);
    for (id, symbol) in [(BTC, "BTC/USDT"), (ETH, "ETH/USDT")] {
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals: 4,
            ..InstrumentSpec::spot(symbol.parse().unwrap(), "test")
        };
        host.say(Source::Host, EventKind::Listed(Box::new(spec.list(id).unwrap())));
    }
    for portfolio in [PortfolioId(0), PortfolioId(1)] {
        host.say_for(portfolio, Source::Host, EventKind::Opened { base: usdt(), name: format!("p{}", portfolio.0) });
        host.say_for(portfolio, Source::Host, EventKind::LimitsSet(Box::new(limits)));
        let money = Money::parse("10000", usdt()).unwrap();
        host.say_for(portfolio, Source::Host, EventKind::Deposited(money));
    }
    if let Some(limits) = account {
        host.say(Source::Operator, EventKind::Risk(Box::new(RiskAct::AccountLimits { limits: Box::new(limits) })));
    }
    host.mark(BTC, 10_000);
    host.mark(ETH, 5_000);
    host
}

fn demo() -> Host {
    host(Limits::DEMO, Some(Profile::Demo.account()))
}

impl Host {
    fn say(&mut self, source: Source, kind: EventKind) {
        self.say_for(PortfolioId(0), source, kind);
    }

    fn say_for(&mut self, portfolio: PortfolioId, source: Source, kind: EventKind) {
        let mut queue = VecDeque::from([(source, kind, portfolio)]);
        while let Some((source, kind, portfolio)) = queue.pop_front() {
            let at = Timestamp::from_millis(self.millis);
            let mut event = Event::new(self.state.sequence + 1, at, source, kind);
            event.portfolio = portfolio;
            self.journal.push(encode(&event, &self.state));
            match &event.kind {
                EventKind::Judged(Verdict::Refused(refusal)) => self.refusals.push((**refusal).clone()),
                EventKind::Risk(act) => {
                    if let RiskAct::Tripped { guard, .. } = **act {
                        self.tripped.push(guard);
                    }
                }
                _ => (),
            }
            let mut commands = Vec::new();
            step(&mut self.state, &event, &mut commands);
            for command in commands {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|waiting| &waiting.1)) => (),
                    Command::Record(kind, portfolio) => queue.push_back((Source::Host, kind, portfolio)),
                    Command::Send(approved) => match approved.action() {
                        Action::Cancel { client_id, .. } => self.cancels.push(*client_id),
                        Action::Amend { .. } => (),
                        action => self.sent.extend(action.orders()),
                    },
                }
            }
        }
    }

    fn mark(&mut self, instrument: InstrumentId, price: i64) {
        self.traded(instrument, price, Origin::Recorded);
    }

    fn traded(&mut self, instrument: InstrumentId, price: i64, origin: Origin) {
        self.trades += 1;
        let trade = Trade {
            instrument,
            price: Price::from_mantissa(price),
            quantity: Quantity::from_mantissa(1),
            aggressor: Side::Buy,
            id: TradeId(self.trades),
        };
        self.say(Source::Market, EventKind::Traded { trade, origin });
    }

    /// The best prices, as a node tells them that hears of no trades.
    fn quote(&mut self, instrument: InstrumentId, bid: i64, ask: i64) {
        let (bid, ask, size) =
            (Price::from_mantissa(bid), Price::from_mantissa(ask), Quantity::from_mantissa(100_000_000));
        let quote = Quote { instrument, bid, bid_size: size, ask, ask_size: size };
        self.say(Source::Market, EventKind::Quoted { quote, origin: Origin::Live, marks: true });
    }

    /// Quotes of so many minutes, `price` tells each one's; no bar closes meanwhile.
    fn minutes(&mut self, count: i64, price: impl Fn(i64) -> i64) {
        for minute in 0..count {
            self.millis += 60_000;
            let (btc, eth) = (price(minute), 5_000);
            self.quote(BTC, btc - 1, btc + 1);
            self.quote(ETH, eth - 1, eth + 1);
        }
    }

    /// Proposes for `portfolio`; the order's name, if it was approved.
    fn propose(&mut self, portfolio: u16, request: OrderRequest) -> Result<Order, Option<Guard>> {
        let (sent, portfolio) = (self.sent.len(), PortfolioId(portfolio));
        let proposal = Proposal { plan: None, source: Source::Strategy(0), portfolio, request, reason: "test".into() };
        self.say_for(portfolio, Source::Strategy(0), EventKind::Proposed(proposal));
        match self.sent.get(sent) {
            Some(order) => Ok(*order),
            None => Err(self.refusals.last().unwrap().breach),
        }
    }

    /// The venue takes the order and fills it at `price`.
    fn fill(&mut self, order: &Order, price: i64) {
        let client_id = order.client_id();
        self.say(Source::Host, EventKind::Sent { client_id });
        self.say(Source::Venue, EventKind::Accepted { client_id, venue_id: VenueOrderId("1".into()) });
        self.trades += 1;
        let fill = Fill {
            client_id,
            instrument: order.instrument(),
            trade_id: TradeId(1_000_000 + self.trades),
            side: order.side(),
            price: Price::from_mantissa(price),
            quantity: order.quantity(),
            liquidity: Liquidity::Taker,
            fee: Fee(Money::zero(usdt())),
        };
        self.say_for(order.portfolio(), Source::Venue, EventKind::Filled(fill));
    }

    fn bought(&mut self, portfolio: u16, lots: i64, price: i64) -> Order {
        let order = self.propose(portfolio, market(BTC, Side::Buy, lots)).unwrap();
        self.fill(&order, price);
        order
    }
}

fn market(instrument: InstrumentId, side: Side, lots: i64) -> OrderRequest {
    OrderRequest::market(instrument, side, Quantity::from_mantissa(lots))
}

fn limit(instrument: InstrumentId, side: Side, lots: i64, price: i64) -> OrderRequest {
    OrderRequest::limit(instrument, side, Quantity::from_mantissa(lots), Price::from_mantissa(price))
}

fn recovered(journal: &[Vec<u8>]) -> State {
    let mut state = State::default();
    journal.iter().for_each(|record| apply(&mut state, &decode(record).unwrap()));
    state
}

#[test]
fn a_loss_trips_once_cancels_what_adds_and_lets_what_protects_stand() {
    let mut host = demo();
    host.bought(0, 500_000, 10_000); // 50 bitcoin for 5,000
    let entry = host.propose(0, limit(BTC, Side::Buy, 10_000, 9_900)).unwrap();
    let exit = host.propose(0, limit(BTC, Side::Sell, 500_000, 10_100)).unwrap();
    host.mark(BTC, 8_990); // 505 of 10,000 are gone
    assert_eq!(host.tripped, [Guard::DailyLoss]);
    assert_eq!(host.cancels, [entry.client_id()], "the exit {} stays", exit.client_id());
    host.mark(BTC, 8_980);
    assert_eq!((host.tripped.len(), host.cancels.len()), (1, 1), "once");
    host.millis += 1_000;
    host.mark(BTC, 9_990); // what was lost is nearly back: the breaker holds
    host.mark(ETH, 5_000);
    assert_eq!(host.propose(0, market(ETH, Side::Buy, 10_000)), Err(Some(Guard::DailyLoss)));
    let text = host.refusals.last().unwrap().to_string();
    assert!(
        text.starts_with(
            "RSK-02 DailyLoss: the loss since UTC midnight tripped its breaker: reduce-only: 5.05 % since"
        ),
        "{text}"
    );
    assert!(host.propose(1, market(ETH, Side::Buy, 10_000)).is_ok(), "the other portfolio trades on");
    host.millis += DAY;
    host.mark(BTC, 9_990);
    host.mark(ETH, 5_000);
    assert!(host.propose(0, market(ETH, Side::Buy, 10_000)).is_ok(), "a new day");
    assert_eq!(recovered(&host.journal).hash(), host.state.hash());
    let mut replay = Replay::default();
    host.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
    assert_eq!((replay.divergence(), replay.state()), (None, &host.state));
}

#[test]
fn an_operator_clears_a_drawdown_and_a_strategy_does_not() {
    let mut host = demo();
    host.bought(0, 900_000, 10_000);
    host.millis += 1;
    host.mark(BTC, 8_800); // 1,080 of 10,000
    assert_eq!(host.tripped, [Guard::DailyLoss, Guard::WeeklyLoss, Guard::Drawdown]);
    host.millis += DAY;
    host.mark(BTC, 8_800);
    host.mark(ETH, 5_000);
    let small = market(ETH, Side::Buy, 1_000);
    assert_eq!(host.propose(0, small), Err(None), "the gate's own guard of the drawdown is asked first");
    let reset = |guard| EventKind::Risk(Box::new(RiskAct::Reset { guard, reason: "seen".into() }));
    host.say(Source::Strategy(0), reset(None));
    assert_eq!(host.propose(0, small), Err(None));
    host.say(Source::Operator, reset(Some(Guard::Drawdown)));
    assert_eq!(host.propose(0, small), Err(Some(Guard::WeeklyLoss)));
    host.say(Source::Operator, EventKind::Resumed { reason: "accepted".into() });
    assert!(host.propose(0, small).is_ok(), "measured anew from here, by the gate too");
}

#[test]
fn where_two_persons_answer_for_risk_both_end_a_breaker_over_losses() {
    let mut host = demo();
    host.bought(0, 900_000, 10_000);
    host.millis += 1;
    let person = |name: &str| Principal::person(Name::new(name).unwrap(), [Role::Risk]);
    let say = |host: &mut Host, act: Act| {
        let word = host.state.sequence + 1;
        host.say(Source::Operator, EventKind::Governance(Box::new(act)));
        word
    };
    let asks = |by: &str, holds: Vec<String>| Act::ChangeSaid {
        changed: Changed::Resume { holds },
        by: person(by),
        reason: "seen".into(),
    };
    let agrees = |by: &str, change| Act::ChangeAnswered { change, by: person(by), yes: true };
    say(&mut host, Act::OperatorsSet { operators: vec![person("anna"), person("ben")], tokens: [].into() });
    assert_eq!(host.state.holds(), Vec::<String>::new());
    host.mark(BTC, 9_400); // 540 of 10,000
    let seen = host.state.holds();
    assert!(seen.len() == 1 && seen[0].starts_with("RSK-02 DailyLoss of p0: reduce-only since"), "{seen:?}");
    let first = say(&mut host, asks("anna", seen.clone()));
    assert_eq!(host.state.holds(), seen, "one word is not enough");
    say(&mut host, agrees("anna", first));
    host.millis += 1;
    host.mark(BTC, 8_800);
    say(&mut host, agrees("ben", first));
    assert_eq!(host.state.holds().len(), 3, "what tripped since then nobody has agreed to");
    let seen = host.state.holds();
    let second = say(&mut host, asks("ben", seen));
    say(&mut host, agrees("anna", second));
    assert_eq!(host.state.holds(), Vec::<String>::new());
    host.mark(ETH, 5_000);
    assert!(host.propose(0, market(ETH, Side::Buy, 1_000)).is_ok());
    assert_eq!(recovered(&host.journal).hash(), host.state.hash());
    let mut replay = Replay::default();
    host.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
    assert_eq!((replay.divergence(), replay.state()), (None, &host.state));
}

#[test]
fn exposure_counts_every_portfolio_and_every_open_order() {
    let account = AccountLimits {
        caps: tradewind_risk::AccountCaps { asset_bps: Some(5_000), ..Default::default() },
        ..AccountLimits::NONE
    };
    let mut host = host(Limits::RESEARCH, Some(account));
    host.bought(0, 500_000, 10_000); // 5,000 of 20,000
    let resting = host.propose(1, limit(BTC, Side::Buy, 400_000, 9_900)).unwrap(); // 4,000 at the mark
    assert_eq!(host.propose(1, limit(BTC, Side::Buy, 110_000, 9_900)), Err(Some(Guard::Asset)));
    host.say(Source::Host, EventKind::AnswerLost { client_id: resting.client_id(), reason: "timeout".into() });
    assert_eq!(host.propose(0, limit(BTC, Side::Buy, 110_000, 9_800)), Err(Some(Guard::Asset)), "unknown counts");
    assert!(host.propose(0, limit(BTC, Side::Buy, 100_000, 9_800)).is_ok());
}

#[test]
fn orders_of_our_own_do_not_meet_and_the_same_order_is_not_sent_twice() {
    let controls = Controls { duplicate_window_nanos: Some(2_000_000_000), ..Controls::of(Profile::Demo) };
    let limits = Limits { controls: Some(controls), ..Limits::DEMO };
    let mut host = host(limits, Some(Profile::Demo.account()));
    let resting = host.propose(0, limit(BTC, Side::Buy, 10_000, 9_950)).unwrap();
    assert_eq!(host.propose(1, limit(BTC, Side::Sell, 10_000, 9_950)), Err(None), "a sell needs what it sells");
    host.bought(1, 20_000, 10_000);
    assert_eq!(host.propose(1, limit(BTC, Side::Sell, 10_000, 9_950)), Err(Some(Guard::SelfMatch)));
    assert!(host.propose(1, limit(BTC, Side::Sell, 10_000, 9_960)).is_ok());
    assert_eq!(host.propose(0, *resting.request()), Err(Some(Guard::Duplicate)));
    host.millis += 2_000;
    assert!(host.propose(0, *resting.request()).is_ok());
}

#[test]
fn orders_of_other_hands_are_open_orders_of_the_account_and_none_of_ours_meets_them() {
    let mut account = Profile::Demo.account();
    (account.caps.open_orders, account.caps.open_orders_symbol) = (Some(4), Some(3));
    let mut host = host(Limits { stale_after_nanos: None, ..Limits::DEMO }, Some(account));
    let theirs = |number: u8, instrument, side, price: i64, waits| {
        let order = ForeignOrder {
            client_id: ClientOrderId::foreign("test", "any", &number.to_string()),
            client_text: format!("web_{number}"),
            venue_id: VenueOrderId(number.to_string().into()),
            instrument,
            side,
            price: Some(Price::from_mantissa(price)),
            quantity: Quantity::from_mantissa(1_000),
            filled: Quantity::ZERO,
            earlier: Quantity::ZERO,
            open: true,
            waits,
            terms: VenueTerms::default(),
        };
        EventKind::Foreign(Box::new(order))
    };
    let by_hand = |host: &mut Host, request| {
        host.millis += 3_000;
        let (sent, proposal) = (
            host.sent.len(),
            Proposal {
                plan: None,
                source: Source::Operator,
                portfolio: PortfolioId(0),
                request,
                reason: "test".into(),
            },
        );
        host.say(Source::Operator, EventKind::Proposed(proposal));
        host.sent.get(sent).copied().ok_or_else(|| host.refusals.last().unwrap().to_string())
    };
    host.bought(0, 20_000, 10_000);
    host.say(Source::Venue, theirs(1, BTC, Side::Sell, 9_950, true)); // a stop with a limit: it sleeps
    assert!(by_hand(&mut host, market(BTC, Side::Buy, 1_000)).is_ok(), "nothing meets what sleeps");
    host.say(Source::Venue, theirs(1, BTC, Side::Sell, 9_950, false)); // it woke
    let no = by_hand(&mut host, limit(BTC, Side::Buy, 1_000, 9_960)).unwrap_err();
    assert!(no.starts_with("RSK-22") && no.contains("another hand's order on the account at 99.5"), "{no}");
    assert!(by_hand(&mut host, limit(BTC, Side::Buy, 1_000, 9_800)).is_ok());
    host.say(Source::Venue, theirs(2, BTC, Side::Buy, 9_999, false));
    let exit = OrderRequest { reduce_only: true, ..market(BTC, Side::Sell, 1_000) };
    by_hand(&mut host, exit).expect("no way out waits for another hand");
    // theirs 1 and 2, ours 1 in bitcoin that rests, and the two market orders that nobody answered yet
    let filled: Vec<Order> = host.sent.iter().filter(|it| matches!(it.kind(), OrderKind::Market)).copied().collect();
    filled[1..].iter().for_each(|order| host.fill(order, 10_000));
    let used = |host: &Host, name: &str| {
        let rows = host.state.limits_in_use(PortfolioId(0));
        rows.iter().find(|row| row.limit.name == name).unwrap().used
    };
    assert_eq!((used(&host, "open_orders"), used(&host, "open_orders_symbol")), (Some(3), Some(3)));
    let no = by_hand(&mut host, limit(BTC, Side::Buy, 1_000, 9_790)).unwrap_err();
    assert!(no.starts_with("RSK-20") && no.contains("open order number 4 of the instrument"), "{no}");
    assert!(by_hand(&mut host, limit(ETH, Side::Buy, 1_000, 4_900)).is_ok(), "the fourth of the account");
    let no = by_hand(&mut host, limit(ETH, Side::Buy, 1_000, 4_890)).unwrap_err();
    assert!(no.starts_with("RSK-21") && no.contains("open order number 5 of the account"), "{no}");
    let mut replay = Replay::default();
    host.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
    assert_eq!((replay.divergence(), replay.state()), (None, &host.state));
}

#[test]
fn failures_and_rejections_pause_and_time_resumes() {
    let mut host = demo();
    let start = host.millis;
    for lots in 1..=5 {
        host.millis += 1_000;
        host.mark(BTC, 10_000);
        let order = host.propose(0, market(BTC, Side::Buy, lots * 1_000)).unwrap();
        let client_id = order.client_id();
        host.say(Source::Host, EventKind::Sent { client_id });
        host.say(Source::Venue, EventKind::Rejected { client_id, reason: "-2010".into() });
    }
    assert_eq!(host.tripped, [Guard::FailedTrades, Guard::OrderFailures]);
    assert_eq!(host.propose(0, market(BTC, Side::Buy, 9_000)), Err(Some(Guard::FailedTrades)));
    host.millis = start + 3 * 3_600_000;
    host.say(Source::Timer, EventKind::Timer);
    host.mark(BTC, 10_000);
    assert!(host.propose(0, market(BTC, Side::Buy, 9_000)).is_ok());
}

#[test]
fn a_person_restricts_one_instrument() {
    let mut host = demo();
    let (scope, mode) = (Scope::Instrument(BTC), RiskMode::ReduceOnly);
    let resting = host.propose(0, limit(BTC, Side::Buy, 10_000, 9_900)).unwrap();
    let act = RiskAct::Restricted { scope, mode, reason: "an announcement".into() };
    host.say(Source::Operator, EventKind::Risk(Box::new(act)));
    assert_eq!(host.cancels, [resting.client_id()]);
    assert_eq!(host.propose(0, market(BTC, Side::Buy, 1_000)), Err(Some(Guard::Operator)));
    assert!(host.propose(0, market(ETH, Side::Buy, 1_000)).is_ok());
}

#[test]
fn the_hard_cap_shrinks_the_room_that_strategies_see() {
    let account = Profile::Moderate.account();
    let mut host = host(Limits::RESEARCH, None);
    let lots = |host: &Host| host.state.room(PortfolioId(0), BTC, Side::Buy).unwrap().mantissa();
    assert_eq!(lots(&host), 1_050_000);
    host.say(Source::Operator, EventKind::Risk(Box::new(RiskAct::AccountLimits { limits: Box::new(account) })));
    assert_eq!(lots(&host), 100_000, "1,000 USDT at 100");
}

#[test]
fn what_is_in_use_is_told_with_what_is_left() {
    let mut host = host(Limits::MODERATE, Some(Profile::Moderate.account()));
    let used = |host: &Host, portfolio, name: &str| {
        let rows = host.state.limits_in_use(PortfolioId(portfolio));
        let row = *rows.iter().find(|row| row.limit.name == name).unwrap();
        (row.used, row.distance())
    };
    assert_eq!(used(&host, 0, "gross"), (Some(0), Some(9_000)));
    host.bought(0, 20_000, 10_000); // 2 bitcoin for 200 of 20,000
    host.propose(1, limit(BTC, Side::Buy, 10_000, 9_900)).unwrap(); // 100 at the mark
    host.mark(BTC, 9_000);
    assert_eq!(used(&host, 0, "gross"), (Some(135), Some(8_865)), "270 of 19,980");
    assert_eq!(used(&host, 0, "asset"), (Some(135), Some(2_865)));
    assert_eq!(used(&host, 0, "max_position"), (Some(180), Some(820)), "180 of 9,980");
    assert_eq!(used(&host, 0, "daily_loss"), (Some(20), Some(280)));
    assert_eq!(used(&host, 1, "daily_loss"), (Some(0), Some(300)));
    assert_eq!(used(&host, 0, "open_orders"), (Some(1), Some(199)));
    assert_eq!(used(&host, 0, "account_positions"), (Some(1), Some(19)));
    assert_eq!(used(&host, 0, "orders_per_second"), (Some(1), Some(4)));
    assert_eq!(used(&host, 0, "value_at_risk"), (None, None), "too few minutes were seen");
    assert_eq!(used(&host, 0, "collar"), (None, None), "asked of each order alone");
}

#[test]
fn without_limits_nothing_is_kept_and_old_states_read_as_they_were() {
    let host = host(Limits::RESEARCH, None);
    assert_eq!(host.state.risk, None);
    let text = serde_json::to_string(&host.state).unwrap();
    assert!(!text.contains("\"risk\"") && !text.contains("controls"), "{text}");
    let limits = Limits { controls: Some(Controls::default()), max_order: Cap::NONE, ..Limits::RESEARCH };
    let mut state = host.state.clone();
    let mut event =
        Event::new(state.sequence + 1, Timestamp::from_millis(1), Source::Host, EventKind::LimitsSet(Box::new(limits)));
    event.portfolio = PortfolioId(1);
    apply(&mut state, &event);
    assert!(state.risk.is_some());
}

fn deepened(asks: [i64; 2], bids: [i64; 2]) -> EventKind {
    let pair = |[best, ten]: [i64; 2]| [Quantity::from_mantissa(best), Quantity::from_mantissa(ten)];
    let depth = Depth { instrument: BTC, bids: pair(bids), asks: pair(asks) };
    EventKind::Deepened { depth, origin: Origin::Recorded }
}

#[test]
fn impact_is_judged_by_the_book_while_it_is_fresh_and_else_by_the_quote() {
    let controls = Controls { impact_bps: Some(25), impact_by_book: Some(1), ..Controls::default() };
    let limits = Limits { controls: Some(controls), stale_after_nanos: Some(2_000_000_000), ..Limits::RESEARCH };
    let mut host = host(limits, None);
    let judged = |host: &mut Host, side, lots| {
        let found = host.propose(0, market(BTC, side, lots));
        found.map(|_| String::new()).map_err(|_| host.refusals.last().unwrap().value.clone())
    };
    host.bought(0, 100_000, 10_000); // no book and no quote: nothing is invented, nothing is refused
    host.say(Source::Market, deepened([10_000, 50_000], [10_000, 20_000]));
    assert!(judged(&mut host, Side::Buy, 50_000).is_ok(), "all ten levels: 25 bps");
    assert_eq!(judged(&mut host, Side::Buy, 50_001), Err("1 % by ten levels of the book".into()));
    assert!(judged(&mut host, Side::Sell, 90_000).is_ok(), "what reduces is let out");
    // two seconds later the book is too old, and the quote is all there is
    let (bid_size, ask_size) = (Quantity::from_mantissa(3_000), Quantity::from_mantissa(4_000));
    let (bid, ask) = (Price::from_mantissa(9_999), Price::from_mantissa(10_001));
    host.millis += 2_000;
    host.mark(BTC, 10_000);
    let quote = Quote { instrument: BTC, bid, bid_size, ask, ask_size };
    host.say(Source::Market, EventKind::Quoted { quote, origin: Origin::Recorded, marks: false });
    assert!(judged(&mut host, Side::Buy, 4_000).is_ok());
    assert_eq!(judged(&mut host, Side::Buy, 4_001), Err("1 % by the quote's size alone".into()));
    // a book that contradicts itself is none
    host.say(Source::Market, deepened([10_000, 50], [-1, i64::MIN]));
    assert_eq!(judged(&mut host, Side::Buy, 4_001), Err("1 % by the quote's size alone".into()));
    // an empty one holds nothing
    host.say(Source::Market, deepened([0, 0], [0, 0]));
    assert_eq!(judged(&mut host, Side::Buy, 1), Err("1 % by ten levels of the book".into()));
    assert_eq!(recovered(&host.journal).hash(), host.state.hash());
}

#[test]
fn without_the_limit_no_book_and_no_quote_size_refuses() {
    let mut host = host(Limits::DEMO, Some(Profile::Demo.account()));
    host.say(Source::Market, deepened([1, 1], [1, 1]));
    assert!(host.propose(0, market(BTC, Side::Buy, 10_000)).is_ok());
}

#[test]
fn a_changed_configuration_allows_only_what_reduces_until_a_person_resumes() {
    let mut host = demo();
    host.bought(0, 10_000, 10_000);
    let parts = std::collections::BTreeMap::from([("limits".to_owned(), "1".to_owned())]);
    host.say(Source::Host, EventKind::Risk(Box::new(RiskAct::Configured { parts: parts.clone() })));
    assert_eq!(host.state.risk.as_ref().unwrap().config, parts);
    assert!(host.propose(0, market(BTC, Side::Buy, 2_000)).is_ok());
    host.say(Source::Host, EventKind::Risk(Box::new(RiskAct::Drifted { reason: "limits".into() })));
    assert_eq!(host.tripped, [Guard::ConfigDrift]);
    assert_eq!(host.propose(0, market(BTC, Side::Buy, 3_000)), Err(Some(Guard::ConfigDrift)));
    assert!(host.propose(0, market(BTC, Side::Sell, 3_000)).is_ok());
    host.say(Source::Operator, EventKind::Resumed { reason: "meant".into() });
    assert!(host.propose(0, market(BTC, Side::Buy, 4_000)).is_ok());
    let mut unlimited = self::host(Limits::RESEARCH, None);
    unlimited.say(Source::Host, EventKind::Risk(Box::new(RiskAct::Configured { parts })));
    assert_eq!(unlimited.state.risk, None, "where nothing is limited nothing is kept");
}

#[test]
fn a_loss_inside_a_long_bar_trips_by_its_quotes() {
    let mut host = demo();
    host.bought(0, 500_000, 10_000); // 50 bitcoin for 5,000
    host.millis += 60_000;
    host.quote(BTC, 9_050, 9_052);
    assert_eq!(host.tripped, []);
    host.quote(BTC, 8_988, 8_990); // 505 of 10,000 are gone
    assert_eq!(host.tripped, [Guard::DailyLoss]);
    assert_eq!(host.state.listing(BTC).mark.unwrap().price.mantissa(), 8_990);
    assert_eq!(recovered(&host.journal).hash(), host.state.hash());
}

#[test]
fn a_market_that_runs_wild_inside_a_long_bar_trips_by_its_quotes() {
    let mut host = host(Limits::MODERATE, Some(Profile::Moderate.account()));
    let zigzag = |minute: i64| if minute % 2 == 0 { 10_000 } else { 10_060 };
    host.minutes(20, zigzag);
    assert_eq!(host.tripped, []);
    host.minutes(3, zigzag);
    assert_eq!(host.tripped, [Guard::Volatility], "0.6 % a minute are 22 % a day");
    assert_eq!(host.state.risk.as_ref().unwrap().monitor.mode(PortfolioId(0), ETH), RiskMode::Normal);
}

#[test]
fn value_at_risk_inside_long_bars_is_that_of_their_quotes() {
    let judged = |fall: i64| {
        let mut account = Profile::Moderate.account();
        account.caps.volatility_caution_bps = None;
        (account.caps.volatility_reduce_bps, account.caps.volatility_halt_bps) = (None, None);
        (account.caps.asset_bps, account.caps.strategy_bps, account.caps.hard_order_amount) = (None, None, None);
        let mut host =
            host(Limits { max_order: Cap::NONE, max_position: Cap::NONE, ..Limits::MODERATE }, Some(account));
        // up slowly nine times in ten, and down at once
        host.minutes(240, |minute| 10_000 + minute % 10 * fall / 9 - minute % 10 / 9 * fall);
        host.propose(0, market(BTC, Side::Buy, 600_000)).map(|_| ())
    };
    assert_eq!(judged(0), Ok(()), "6,000 of 20,000 in a market that stands");
    assert_eq!(judged(90), Err(Some(Guard::ValueAtRisk)));
}

#[test]
fn what_a_day_may_cost_counts_coins_that_were_there_before() {
    for has_coins in [false, true] {
        let mut account = Profile::Moderate.account();
        account.caps.volatility_caution_bps = None;
        (account.caps.volatility_reduce_bps, account.caps.volatility_halt_bps) = (None, None);
        (account.caps.asset_bps, account.caps.hard_order_amount) = (None, None);
        let mut host = host(Limits { max_order: Cap::NONE, ..Limits::MODERATE }, Some(account));
        if has_coins {
            let coins = Money::parse("100", Currency::new("BTC").unwrap()).unwrap(); // 10,000 of 30,000
            host.say(Source::Venue, EventKind::Deposited(coins));
        }
        host.minutes(240, |minute| 10_000 + minute % 10 * 10 - minute % 10 / 9 * 90);
        let rows = host.state.limits_in_use(PortfolioId(0));
        let used = rows.iter().find(|row| row.limit.name == "value_at_risk").unwrap().used;
        assert_eq!(used.is_some_and(|bps| bps > 400), has_coins, "{used:?}");
        let bought = host.propose(0, market(BTC, Side::Buy, 10_000)).map(|_| ());
        assert_eq!(bought, if has_coins { Err(Some(Guard::ValueAtRisk)) } else { Ok(()) });
        if has_coins {
            assert!(host.propose(0, market(BTC, Side::Sell, 10_000)).is_ok(), "{:?}", host.refusals.last());
        }
    }
}

#[test]
fn a_short_sale_that_rests_makes_no_room_for_a_purchase_of_what_moves_with_it() {
    let judged = |hedge: Option<bool>| {
        let mut account = AccountLimits::NONE;
        account.caps.var_bps = Some(400);
        let limits = Limits { max_order: Cap::NONE, max_position: Cap::NONE, borrow: true, ..Limits::RESEARCH };
        let mut host = host(limits, Some(account));
        for minute in 0..240 {
            // up slowly nine times in ten, and down at once; ether as bitcoin
            let price = 10_000 + minute % 10 * 10 - minute % 10 / 9 * 90;
            host.millis += 60_000;
            host.quote(BTC, price - 2, price + 2);
            host.quote(ETH, price / 2 - 1, price / 2 + 1);
        }
        if let Some(is_filled) = hedge {
            let short = host.propose(0, limit(ETH, Side::Sell, 1_200_000, 5_010)).unwrap();
            if is_filled {
                host.fill(&short, 5_010);
            }
        }
        host.propose(0, market(BTC, Side::Buy, 600_000)).map(|_| ())
    };
    assert_eq!(judged(None), Err(Some(Guard::ValueAtRisk)), "6,000 of 20,000");
    assert_eq!(judged(Some(false)), Err(Some(Guard::ValueAtRisk)), "it may never fill");
    assert_eq!(judged(Some(true)), Ok(()), "6,000 against 6,000");
}

#[test]
fn a_quote_moves_the_mark_into_the_spread_and_what_contradicts_itself_or_comes_late_moves_nothing() {
    let mut host = demo();
    let mark =
        |host: &Host| host.state.listing(BTC).mark.map(|mark| (mark.price.mantissa(), mark.at.millis())).unwrap();
    host.millis += 10_000;
    for (bid, ask, want) in
        [(9_990, 10_010, 10_000), (10_020, 10_022, 10_020), (5_000, 10_021, 10_020), (9_000, 9_001, 9_001)]
    {
        host.quote(BTC, bid, ask);
        assert_eq!(mark(&host), (want, 10_000), "{bid} to {ask}");
    }
    host.millis += 1_000;
    for (bid, ask) in [(9_100, 9_000), (0, 9_000), (-2, -1)] {
        host.quote(BTC, bid, ask);
        assert_eq!(mark(&host), (9_001, 10_000), "{bid} to {ask} is no market");
    }
    host.quote(BTC, 9_001, 9_002);
    let equity = host.state.portfolio(PortfolioId(0)).equity();
    host.millis -= 1_001;
    host.traded(BTC, 8_000, Origin::Live);
    assert_eq!(mark(&host), (9_001, 11_000), "told too late");
    assert_eq!(host.state.portfolio(PortfolioId(0)).equity(), equity);
    host.millis += 1;
    host.traded(BTC, 9_005, Origin::Live);
    assert_eq!(mark(&host), (9_005, 11_000), "of one moment the last word counts");
    host.traded(BTC, 9_100, Origin::Recorded);
    assert_eq!(mark(&host), (9_100, 10_000), "another recording may be of another day");
}

#[test]
fn a_breaker_that_becomes_stricter_behind_a_stricter_one_acts_all_the_same() {
    let mut host = demo();
    let bitcoin = host.propose(0, limit(BTC, Side::Buy, 10_000, 9_900)).unwrap().client_id();
    let ether = host.propose(0, limit(ETH, Side::Buy, 10_000, 4_900)).unwrap().client_id();
    let mut restrict = |instrument, mode| {
        host.millis += 1_000;
        let act = RiskAct::Restricted { scope: Scope::Instrument(instrument), mode, reason: "test".into() };
        host.say(Source::Operator, EventKind::Risk(Box::new(act)));
        (host.tripped.len(), host.cancels.clone())
    };
    assert_eq!(restrict(BTC, RiskMode::Caution), (1, vec![]));
    assert_eq!(restrict(ETH, RiskMode::Caution), (2, vec![]));
    assert_eq!(restrict(ETH, RiskMode::ReduceOnly), (3, vec![ether]));
    assert_eq!(restrict(BTC, RiskMode::ReduceOnly).0, 4, "it is recorded");
    assert_eq!(restrict(BTC, RiskMode::ReduceOnly).0, 4, "once");
    assert!(host.cancels.contains(&bitcoin), "and what adds is cancelled");
}

#[test]
fn what_is_sent_in_or_taken_out_in_another_asset_is_neither_profit_nor_loss() {
    let bitcoin = |text| EventKind::Deposited(Money::parse(text, Currency::new("BTC").unwrap()).unwrap());
    let losses = |host: &Host| host.state.risk.as_ref().unwrap().monitor.equity_of(PortfolioId(0)).unwrap().losses();
    let mut host = demo();
    host.say(Source::Venue, bitcoin("100")); // 10,000 more
    let books = |host: &Host| {
        let books = host.state.portfolio(PortfolioId(0));
        [books.equity(), books.day_equity(), books.peak_equity()].map(|units| units / 100_000_000)
    };
    assert_eq!(books(&host), [20_000; 3]);
    host.mark(BTC, 9_010);
    assert_eq!((losses(&host).day_bps, host.tripped.len()), (495, 0), "990 of 20,000");
    host.mark(BTC, 10_000);
    host.say(Source::Venue, bitcoin("-50"));
    assert_eq!(books(&host), [15_000; 3]);
    host.mark(BTC, 10_000);
    assert_eq!((losses(&host).peak_bps, host.tripped.len()), (0, 0), "a quarter of it left, and nothing was lost");
    assert_eq!(recovered(&host.journal).hash(), host.state.hash());
}

#[test]
fn what_came_in_before_it_had_a_price_is_no_profit_when_it_gets_one() {
    let mut host = demo();
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot("SOL/USDT".parse().unwrap(), "test")
    };
    host.say(Source::Host, EventKind::Listed(Box::new(spec.list(InstrumentId(2)).unwrap())));
    host.say(Source::Venue, EventKind::Deposited(Money::parse("100", Currency::new("SOL").unwrap()).unwrap()));
    host.mark(InstrumentId(2), 10_000);
    let books = host.state.portfolio(PortfolioId(0));
    assert_eq!([books.equity(), books.day_equity(), books.peak_equity()], [2_000_000_000_000; 3]);
    let equity = host.state.risk.as_ref().unwrap().monitor.equity_of(PortfolioId(0)).unwrap();
    assert_eq!((equity.day_start(), equity.peak()), (Some(2_000_000_000_000), Some(2_000_000_000_000)));
    assert_eq!(recovered(&host.journal).hash(), host.state.hash());
}

#[test]
fn a_position_without_a_stop_that_the_limits_ask_none_of_is_noted_once() {
    let noted = |host: &Host| {
        let text = |record: &&Vec<u8>| String::from_utf8_lossy(record).contains("exempt_by_limits");
        host.journal.iter().filter(text).count()
    };
    let mut host = demo();
    host.bought(0, 10_000, 10_000);
    host.bought(0, 20_000, 10_000);
    assert_eq!(noted(&host), 1);
    host.bought(1, 10_000, 10_000);
    assert_eq!(noted(&host), 2, "of another portfolio");
    let exit = host.propose(0, market(BTC, Side::Sell, 30_000)).unwrap();
    host.fill(&exit, 10_000);
    assert_eq!(noted(&host), 2);
    host.bought(0, 10_000, 10_000);
    assert_eq!(noted(&host), 3, "the next position");
    assert_eq!(host.state.risk.as_ref().unwrap().exempt_by_limits.len(), 2);
    assert_eq!(recovered(&host.journal).hash(), host.state.hash());
    let mut replay = Replay::default();
    host.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
    assert_eq!(replay.divergence(), None);

    let mut asked = self::host(Limits { max_order: Cap::NONE, ..Limits::MODERATE }, None);
    asked.bought(0, 10_000, 10_000);
    assert_eq!(noted(&asked), 0, "where a stop is asked for its absence is counted");
}
