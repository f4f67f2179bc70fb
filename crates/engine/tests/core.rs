//! What the core promises, through the door that hosts use: events in, state and commands out.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)] // a test may

use proptest::prelude::*;
use std::collections::VecDeque;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Action, Limits, Mode, Proposal};

/// A host without a disk: numbers events, steps them, records what comes back, keeps what would be sent.
#[derive(Default)]
struct Host {
    state: State,
    journal: Vec<Vec<u8>>,
    sent: Vec<Action>,
}

fn usdt() -> Currency {
    Currency::new("USDT").unwrap()
}

impl Host {
    fn trading(limits: Limits) -> Self {
        let mut host = Self::default();
        host.say(
            0,
            Source::Host,
            EventKind::Started { incarnation: Incarnation(9), mode: Mode::Paper, logic: LOGIC_VERSION },
        );
        let spec = InstrumentSpec {
            price_decimals: 2,
            quantity_decimals: 4,
            fees: FeeSchedule { asset: FeeAsset::Received, ..FeeSchedule::bps(10, 10) },
            ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
        };
        host.say(0, Source::Host, EventKind::Listed(Box::new(spec.list(InstrumentId(0)).unwrap())));
        host.say(0, Source::Host, EventKind::Opened { base: usdt(), name: "main".into() });
        host.say(0, Source::Host, EventKind::LimitsSet(Box::new(limits)));
        host.say(0, Source::Host, EventKind::Deposited(Money::parse("10000", usdt()).unwrap()));
        host
    }

    fn say(&mut self, millis: i64, source: Source, kind: EventKind) {
        let mut queue = VecDeque::from([(source, kind, PortfolioId(0))]);
        while let Some((source, kind, portfolio)) = queue.pop_front() {
            let mut event = Event::new(self.state.sequence + 1, Timestamp::from_millis(millis), source, kind);
            event.portfolio = portfolio;
            self.journal.push(encode(&event, &self.state));
            let mut commands = Vec::new();
            step(&mut self.state, &event, &mut commands);
            for command in commands {
                match command {
                    Command::Record(kind, _) if is_asked_for(&kind, queue.iter().map(|waiting| &waiting.1)) => (),
                    Command::Record(kind, portfolio) => queue.push_back((Source::Host, kind, portfolio)),
                    Command::Send(approved) => self.sent.push(match approved.action() {
                        Action::Submit(order) => Action::Submit(*order),
                        Action::SubmitPair(pair) => Action::SubmitPair(pair.clone()),
                        Action::Amend { .. } => continue,
                        Action::Cancel { client_id, instrument, venue_id } => Action::Cancel {
                            client_id: *client_id,
                            instrument: *instrument,
                            venue_id: venue_id.clone(),
                        },
                    }),
                }
            }
        }
    }

    fn bar(&mut self, minute: i64, close: i64) {
        let price = Price::from_mantissa(close);
        let bar = Bar {
            instrument: InstrumentId(0),
            interval: Interval::MINUTE,
            open_time: Timestamp::from_millis((minute - 1) * 60_000),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Quantity::from_mantissa(1),
        };
        self.say(minute * 60_000, Source::Market, EventKind::BarClosed { bar, origin: Origin::Recorded });
    }

    /// Proposes and returns the client id of what the gate approved.
    fn propose(&mut self, minute: i64, request: OrderRequest) -> Option<ClientOrderId> {
        let before = self.sent.len();
        let proposal = Proposal {
            plan: None,
            source: Source::Strategy(0),
            portfolio: PortfolioId(0),
            request,
            reason: "test".into(),
        };
        self.say(minute * 60_000, Source::Strategy(0), EventKind::Proposed(proposal));
        match self.sent.get(before) {
            Some(Action::Submit(order)) => Some(order.client_id()),
            _ => None,
        }
    }

    fn fill(&mut self, minute: i64, client_id: ClientOrderId, trade: u128, side: Side, quantity: i64, price: i64) {
        let (price, quantity) = (Price::from_mantissa(price), Quantity::from_mantissa(quantity));
        let instrument = self.state.listing(InstrumentId(0)).instrument.clone();
        let notional = instrument.notional(price, quantity).unwrap();
        let fee = match side {
            Side::Buy => {
                instrument.spec.fees.on(instrument.asset_units(quantity), instrument.spec.symbol.base, Liquidity::Taker)
            }
            Side::Sell => instrument.spec.fees.on(notional.units, notional.currency, Liquidity::Taker),
        };
        let fill = Fill {
            client_id,
            instrument: instrument.id,
            trade_id: TradeId(trade),
            side,
            price,
            quantity,
            liquidity: Liquidity::Taker,
            fee,
        };
        self.say(minute * 60_000, Source::Venue, EventKind::Filled(fill));
    }

    fn replay(&self) -> Replay {
        let mut replay = Replay::default();
        self.journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
        replay
    }

    fn recover(&self, records: usize) -> State {
        let mut state = State::default();
        self.journal[..records].iter().for_each(|record| apply(&mut state, &decode(record).unwrap()));
        state
    }
}

fn buy(quantity: i64) -> OrderRequest {
    OrderRequest::market(InstrumentId(0), Side::Buy, Quantity::from_mantissa(quantity))
}

fn sell(quantity: i64) -> OrderRequest {
    OrderRequest::market(InstrumentId(0), Side::Sell, Quantity::from_mantissa(quantity))
}

/// A day of trading: a buy in two fills, one of them told twice, a refusal, a stop with a target, a halt.
fn a_day() -> Host {
    let mut host = Host::trading(Limits::RESEARCH);
    host.bar(1, 10_000);
    let id = host.propose(1, buy(50_000)).unwrap();
    let venue_id = VenueOrderId("77".into());
    host.say(60_001, Source::Venue, EventKind::Accepted { client_id: id, venue_id });
    host.fill(2, id, 1, Side::Buy, 20_000, 10_010);
    host.fill(2, id, 1, Side::Buy, 20_000, 10_010);
    host.fill(2, id, 2, Side::Buy, 30_000, 10_020);
    host.bar(2, 11_000);
    assert_eq!(host.propose(2, buy(5_000_000)), None); // more than all equity
    let group = Some(OcoGroup(1));
    let stop =
        OrderRequest { kind: OrderKind::Stop { trigger: Price::from_mantissa(9_000) }, oco: group, ..sell(40_000) };
    let target = OrderRequest {
        oco: group,
        ..OrderRequest::limit(InstrumentId(0), Side::Sell, Quantity::from_mantissa(9_000), Price::from_mantissa(12_000))
    };
    let stop = host.propose(2, stop).unwrap();
    let target = host.propose(2, target).unwrap();
    host.fill(3, target, 3, Side::Sell, 9_000, 12_000);
    let reason = "one cancels the other".into();
    host.say(180_000, Source::Venue, EventKind::Cancelled { client_id: stop, reason });
    host.bar(3, 12_000);
    let hash = host.state.hash();
    host.say(180_001, Source::Host, EventKind::StateHash { hash, logic: LOGIC_VERSION });
    host
}

#[test]
fn a_day_of_trading_adds_up() {
    let host = a_day();
    let portfolio = host.state.portfolio(PortfolioId(0));
    let btc = Currency::new("BTC").unwrap();
    // 10,000 − 2 × 100.10 − 3 × 100.20 + 0.9 × 120 × 0.999 and 5 − 0.005 − 0.9 bitcoin
    assert_eq!(Money { currency: usdt(), units: portfolio.units(usdt()) }.to_string(), "9607.092 USDT");
    assert_eq!(Money { currency: btc, units: portfolio.units(btc) }.to_string(), "4.095 BTC");
    assert_eq!(portfolio.position(InstrumentId(0)).quantity().mantissa(), 40_950);
    assert_eq!(Money { currency: usdt(), units: portfolio.equity() }.to_string(), "10098.492 USDT");
    let counters = host.state.counters;
    assert_eq!((counters.fills, counters.duplicates, counters.veto, counters.orders), (3, 1, 1, 3));
    assert!(host.state.open.is_empty() && host.state.halted.is_none());
}

#[test]
fn when_one_of_a_group_fills_the_other_is_cancelled() {
    let host = a_day();
    assert!(matches!(host.sent.last(), Some(Action::Cancel { .. })));
}

#[test]
fn a_stop_and_a_target_of_the_whole_position_pass_as_one_exposure() {
    let mut host = Host::trading(Limits::AT_OPENING);
    host.bar(1, 10_000);
    let id = host.propose(1, buy(90_000)).unwrap();
    host.fill(1, id, 1, Side::Buy, 90_000, 10_000);
    let held = host.state.portfolio(PortfolioId(0)).position(InstrumentId(0)).quantity();
    let leg =
        |kind, group| OrderRequest { kind, oco: Some(OcoGroup(group)), reduce_only: true, quantity: held, ..sell(1) };
    let stop = OrderKind::Stop { trigger: Price::from_mantissa(9_000) };
    let target = OrderKind::Limit { price: Price::from_mantissa(12_000) };
    assert!(host.propose(1, leg(stop, 1)).is_some());
    assert!(host.propose(1, leg(target, 1)).is_some(), "one cancels the other: only one of them can sell");
    let (_, sells, _) = host.state.open_quantities(PortfolioId(0), InstrumentId(0));
    assert_eq!(sells, held);
    assert!(host.propose(1, leg(target, 2)).is_none(), "another group would sell what is promised already");
}

#[test]
fn recovery_folds_facts_to_the_same_state_and_replay_agrees() {
    let host = a_day();
    assert_eq!(host.recover(host.journal.len()), host.state);
    let replay = host.replay();
    assert_eq!((replay.divergence(), replay.hashes_compared()), (None, 1));
    assert_eq!(replay.state(), &host.state);
    let json = serde_json::to_string(&host.state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&json).unwrap(), host.state);
}

#[test]
fn what_another_logic_decided_is_taken_as_it_was() {
    let mut host = a_day();
    let ours = format!("\"logic\":{LOGIC_VERSION}");
    for record in &mut host.journal {
        let text = String::from_utf8(record.clone()).unwrap();
        *record = text.replace(&ours, "\"logic\":0").replace("max-order", "funds").into_bytes();
    }
    let replay = host.replay();
    assert_eq!((replay.divergence(), replay.hashes_compared()), (None, 0));
    assert!(replay.not_compared() > 0, "the verdicts of that day");
    assert_eq!(a_day().replay().not_compared(), 0);
}

#[test]
fn replay_names_the_first_verdict_that_comes_out_differently() {
    let mut host = a_day();
    let judged = |record: &&mut Vec<u8>| String::from_utf8_lossy(record).contains("\"refused\"");
    let record = host.journal.iter_mut().find(judged).unwrap();
    let text = String::from_utf8(record.clone()).unwrap().replace("max-order", "funds");
    *record = text.into_bytes();
    let replay = host.replay();
    assert!(replay.divergence().unwrap().decided.contains("MaxOrder"), "{:?}", replay.divergence());
}

#[test]
fn replay_notices_a_missing_verdict_and_a_wrong_hash() {
    let mut host = a_day();
    host.journal.retain(|record| !String::from_utf8_lossy(record).contains("\"refused\""));
    assert!(host.replay().divergence().is_some());
    let mut host = a_day();
    let last = host.journal.last_mut().unwrap();
    let at = last.windows(8).position(|w| w == b"\"hash\":\"").unwrap() + 8;
    last[at] = if last[at] == b'0' { b'1' } else { b'0' };
    assert!(host.replay().divergence().is_some());
}

#[test]
fn a_crash_makes_sent_orders_unknown_and_unsent_ones_impossible() {
    let mut host = Host::trading(Limits::RESEARCH);
    host.bar(1, 10_000);
    let sent = host.propose(1, buy(10_000)).unwrap();
    let unsent = host.propose(1, buy(10_000)).unwrap();
    let intent =
        Intent { client_id: sent, body_sha256: "00".into(), fence: Timestamp::from_millis(62_000), not_before: None };
    host.say(60_001, Source::Host, EventKind::Intended(intent));
    host.say(
        90_000,
        Source::Host,
        EventKind::Started { incarnation: Incarnation(10), mode: Mode::Paper, logic: LOGIC_VERSION },
    );
    assert_eq!(host.state.order(sent).unwrap().status(), "unknown");
    assert_eq!(host.state.order(unsent).unwrap().status(), "rejected");
    host.bar(2, 10_000);
    assert_eq!(host.propose(2, buy(10_000)), None, "an unknown order blocks what it could double");
    host.fill(2, sent, 5, Side::Buy, 10_000, 10_000);
    assert!(host.propose(2, buy(10_000)).is_some(), "evidence unblocks");
}

#[test]
fn a_halt_cancels_what_adds_and_keeps_what_protects() {
    let mut host = Host::trading(Limits::RESEARCH);
    host.bar(1, 10_000);
    let id = host.propose(1, buy(10_000)).unwrap();
    host.fill(1, id, 1, Side::Buy, 10_000, 10_000);
    let limit = |side, price| {
        OrderRequest::limit(InstrumentId(0), side, Quantity::from_mantissa(5_000), Price::from_mantissa(price))
    };
    let adds = host.propose(1, limit(Side::Buy, 9_000)).unwrap();
    let protects = host.propose(1, limit(Side::Sell, 11_000)).unwrap();
    host.say(61_000, Source::Operator, EventKind::Halted(Halt { reason: "kill switch".into() }));
    let cancelled = host.sent.iter().filter_map(|action| match action {
        Action::Cancel { client_id, .. } => Some(*client_id),
        Action::Submit(_) | Action::SubmitPair(_) | Action::Amend { .. } => None,
    });
    assert_eq!(cancelled.collect::<Vec<_>>(), vec![adds]);
    assert!(host.state.open.contains_key(&protects));
    assert_eq!(host.propose(2, buy(1_000)), None);
    host.say(62_000, Source::Operator, EventKind::Resumed { reason: "checked".into() });
    assert!(host.propose(2, buy(1_000)).is_some());
}

#[test]
fn a_fill_that_contradicts_its_order_is_booked_and_halts() {
    let mut host = Host::trading(Limits::RESEARCH);
    host.bar(1, 10_000);
    let id = host.propose(1, buy(10_000)).unwrap();
    host.say(60_001, Source::Venue, EventKind::Rejected { client_id: id, reason: "-2010".into() });
    host.fill(2, id, 1, Side::Buy, 10_000, 10_000);
    assert_eq!(host.state.portfolio(PortfolioId(0)).position(InstrumentId(0)).quantity().mantissa(), 9_990);
    assert!(host.state.halted.as_ref().unwrap().contains("cannot be"));
}

#[test]
fn funding_is_paid_by_longs_on_the_position_held() {
    let mut host = Host::trading(Limits::OPEN);
    let symbol: Symbol = "BTC/USDT:USDT".parse().unwrap();
    let spec = InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot(symbol, "test")
    };
    host.say(1, Source::Host, EventKind::Listed(Box::new(spec.list(InstrumentId(1)).unwrap())));
    host.bar(1, 10_000);
    let perpetual = |kind: fn(Price) -> OrderKind| OrderRequest {
        instrument: InstrumentId(1),
        kind: kind(Price::from_mantissa(10_000)),
        ..buy(20_000)
    };
    let quote = Quote {
        instrument: InstrumentId(1),
        bid: Price::from_mantissa(9_999),
        bid_size: Quantity::from_mantissa(1),
        ask: Price::from_mantissa(10_001),
        ask_size: Quantity::from_mantissa(1),
    };
    host.say(60_000, Source::Market, EventKind::Quoted { quote, origin: Origin::Recorded, marks: false });
    let id = host.propose(1, perpetual(|price| OrderKind::Limit { price })).unwrap();
    let fee = Fee(Money::zero(usdt()));
    let fill = Fill {
        client_id: id,
        instrument: InstrumentId(1),
        trade_id: TradeId(1),
        side: Side::Buy,
        price: Price::from_mantissa(10_000),
        quantity: Quantity::from_mantissa(20_000),
        liquidity: Liquidity::Maker,
        fee,
    };
    host.say(60_001, Source::Venue, EventKind::Filled(fill));
    host.say(
        60_002,
        Source::Venue,
        EventKind::Funding { instrument: InstrumentId(1), rate_e8: 10_000, mark: Price::from_mantissa(11_000) },
    );
    let portfolio = host.state.portfolio(PortfolioId(0));
    assert_eq!(portfolio.holdings()[0].funding, 2_200_000, "0.01 % of 220");
    assert_eq!(portfolio.units(usdt()), 1_000_000_000_000 - 2_200_000);
    let quote = Quote { bid: Price::from_mantissa(12_000), ask: Price::from_mantissa(12_000), ..quote };
    let trade = Trade {
        instrument: InstrumentId(1),
        price: quote.bid,
        quantity: quote.bid_size,
        aggressor: Side::Buy,
        id: TradeId(9),
    };
    host.say(60_003, Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
    let portfolio = host.state.portfolio(PortfolioId(0));
    assert_eq!(portfolio.equity(), 1_000_000_000_000 - 2_200_000 + 4_000_000_000, "2 x 20 unrealised");
}

#[test]
fn a_newer_record_is_refused_and_garbage_is_named() {
    let host = a_day();
    let text = String::from_utf8(host.journal[0].clone()).unwrap();
    assert!(text.starts_with("{\"v\":1,"), "{text}");
    let newer = text.replacen("\"v\":1", "\"v\":3", 1);
    assert_eq!(decode(newer.as_bytes()).unwrap_err().code(), "ENG-01");
    let oldest = |record: &Vec<u8>| record.starts_with(b"{\"v\":1,");
    assert!(host.journal.iter().all(oldest), "an older program reads what tells it nothing new");
    for garbage in ["", "{", "<html>", "{\"v\":1}", "[]"] {
        assert_eq!(decode(garbage.as_bytes()).unwrap_err().code(), "ENG-02", "{garbage}");
    }
    let bar = host.journal.iter().find(|r| String::from_utf8_lossy(r).contains("bar_closed")).unwrap();
    assert!(String::from_utf8_lossy(bar).starts_with("{\"v\":1,\"decimals\":[2,4],"), "a record can be read alone");
}

proptest! {
    /// Whatever is bought and sold, cash, asset, cost, profit and fees sum to the last unit.
    #[test]
    fn every_event_conserves(steps in proptest::collection::vec((any::<bool>(), 1_i64..60_000, 5_000_i64..15_000), 1..60)) {
        let mut host = Host::trading(Limits::OPEN);
        host.bar(1, 10_000);
        let (mut cash, mut asset) = (1_000_000_000_000_i128, 0_i128);
        let mut trade = 0;
        for (is_buy, quantity, price) in steps {
            let request = if is_buy { buy(quantity) } else { sell(quantity) };
            let Some(id) = host.propose(1, request) else { continue };
            trade += 1;
            host.fill(1, id, trade, request.side, quantity, price);
            let (notional, units) = (i128::from(price) * i128::from(quantity) * 100, i128::from(quantity) * 10_000);
            if is_buy {
                cash -= notional;
                asset += units - round_div(units * 1_000, 1_000_000);
            } else {
                cash += notional - round_div(notional * 1_000, 1_000_000);
                asset -= units;
            }
        }
        let portfolio = host.state.portfolio(PortfolioId(0));
        prop_assert_eq!(portfolio.units(usdt()), cash);
        prop_assert_eq!(portfolio.units(Currency::new("BTC").unwrap()), asset);
        let quote = portfolio.holdings()[0];
        let position = portfolio.position(InstrumentId(0));
        // what was paid = what is still in the position − what was realised + fees in quote
        let in_position = position.cost() * 100;
        prop_assert_eq!(quote.deposited - quote.units, in_position - quote.realised + quote.fees);
        prop_assert_eq!(&host.recover(host.journal.len()), &host.state);
    }

    /// Folding a prefix and then the rest is folding the whole.
    #[test]
    fn recovery_may_stop_anywhere(cut in any::<prop::sample::Index>()) {
        let host = a_day();
        let cut = cut.index(host.journal.len());
        let mut state = host.recover(cut);
        host.journal[cut..].iter().for_each(|record| apply(&mut state, &decode(record).unwrap()));
        prop_assert_eq!(state, host.state);
    }
}
