//! For each currency, what came in is what is held and what was paid, to the last unit of the ledger.
//!
//! The engine folds what a venue tells of two pairs and two contracts; sums of the same events, which know of no position
//! and no average, must come to the same after each of them.

use crate::stage::{btc, lots, price, usdt};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::Mode;

const MAIN: PortfolioId = PortfolioId(0);
const CROSS: InstrumentId = InstrumentId(1);
const LINEAR: InstrumentId = InstrumentId(2);
const INVERSE: InstrumentId = InstrumentId(3);

fn eth() -> Currency {
    Currency::new("ETH").unwrap()
}

fn bnb() -> Currency {
    Currency::new("BNB").unwrap()
}

/// Two pairs of three currencies and a contract of either kind. A price times a quantity has six decimals, in the second
/// pair ten: two more than the ledger.
fn instruments() -> Vec<Instrument> {
    let rows = [
        ("BTC/USDT", InstrumentKind::Spot, 2, 4),
        ("ETH/BTC", InstrumentKind::Spot, 6, 4),
        ("BTC/USDT:USDT", InstrumentKind::LinearPerpetual, 2, 4),
        ("BTC/USD:BTC", InstrumentKind::InversePerpetual, 2, 0),
    ];
    let list = |(id, (symbol, kind, price_decimals, quantity_decimals)): (u32, (&str, _, _, _))| {
        let spot = InstrumentSpec::spot(symbol.parse().unwrap(), "test");
        let spec = InstrumentSpec { kind, price_decimals, quantity_decimals, ..spot };
        spec.list(InstrumentId(id)).unwrap()
    };
    (0..).zip(rows).map(list).collect()
}

/// What `signed` of an instrument at `at` is paid with, in ledger units of its settlement currency; an inverse contract
/// pays the other way round.
fn worth(id: InstrumentId, at: Price, signed: i64) -> i128 {
    let product = i128::from(at.mantissa()) * i128::from(signed);
    match id {
        CROSS => round_div(product, 100),
        INVERSE => -round_div(i128::from(signed) * pow10(10), i128::from(at.mantissa())),
        _ => product * 100,
    }
}

/// The same books by sums alone.
#[derive(Default)]
struct Sums {
    came_in: BTreeMap<Currency, i128>,
    paid: BTreeMap<Currency, i128>,
    deposited: BTreeMap<Currency, i128>,
    fees: BTreeMap<Currency, i128>,
    funding: BTreeMap<Currency, i128>,
    contracts: BTreeMap<InstrumentId, i64>,
    settled: BTreeMap<InstrumentId, Settlement>,
    booked: BTreeSet<(InstrumentId, TradeId)>,
}

impl Sums {
    fn write(&mut self, kind: &EventKind, instruments: &[Instrument]) {
        match kind {
            EventKind::Deposited(money) => {
                self.moves(money.currency, money.units);
                *self.deposited.entry(money.currency).or_default() += money.units;
            }
            EventKind::Filled(fill) if self.booked.insert((fill.instrument, fill.trade_id)) => {
                self.fill(fill, &instruments[fill.instrument.index()]);
            }
            EventKind::Funding { instrument, rate_e8, mark } => {
                let it = &instruments[instrument.index()];
                let worth = worth(*instrument, *mark, self.contracts.get(instrument).copied().unwrap_or(0));
                let notional = if it.is_inverse() { -worth } else { worth };
                let paid = round_div(notional * i128::from(*rate_e8), pow10(8));
                self.moves(it.settlement(), -paid);
                *self.funding.entry(it.settlement()).or_default() += paid;
            }
            EventKind::Settled { instrument, settlement } => {
                self.settled.entry(*instrument).or_insert(*settlement);
                self.pay_out(&instruments[instrument.index()]);
            }
            _ => (),
        }
    }

    fn fill(&mut self, fill: &Fill, it: &Instrument) {
        let signed = fill.side.sign() * fill.quantity.mantissa();
        self.moves(it.settlement(), -worth(it.id, fill.price, signed));
        if it.is_cash() {
            self.moves(it.spec.symbol.base, i128::from(signed) * 10_000);
        } else {
            *self.contracts.entry(it.id).or_default() += signed;
        }
        let Fee(fee) = fill.fee;
        self.moves(fee.currency, -fee.units);
        *self.fees.entry(fee.currency).or_default() += fee.units;
        self.pay_out(it);
    }

    /// What is held of a contract that was settled is paid out, whenever it is told of.
    fn pay_out(&mut self, it: &Instrument) {
        let Some(settlement) = self.settled.get(&it.id).copied() else { return };
        let held = self.contracts.insert(it.id, 0).unwrap_or(0);
        let worth = worth(it.id, settlement.price, held);
        let fee = round_div(worth.abs() * i128::from(settlement.fee_e8), pow10(8));
        self.moves(it.settlement(), worth - fee);
        *self.fees.entry(it.settlement()).or_default() += fee;
    }

    fn moves(&mut self, currency: Currency, units: i128) {
        let sums = if units > 0 { &mut self.came_in } else { &mut self.paid };
        *sums.entry(currency).or_default() += units.abs();
    }

    fn check(&self, state: &State) -> Result<(), TestCaseError> {
        let books = state.portfolio(MAIN);
        for currency in [usdt(), btc(), eth(), bnb()] {
            let sum = |sums: &BTreeMap<Currency, i128>| sums.get(&currency).copied().unwrap_or(0);
            // a contract is bought on credit: what a position cost is owed until it is closed
            let contracts = state.listings.iter().map(|listing| &listing.instrument);
            let settled = contracts.filter(|it| !it.is_cash() && it.settlement() == currency);
            let owed: i128 = settled.map(|it| it.value_units(books.position(it.id).cost()).unwrap()).sum();
            prop_assert_eq!(
                sum(&self.came_in) + owed,
                books.units(currency) + sum(&self.paid),
                "{} after event {}",
                currency,
                state.sequence
            );
            let told = books.holdings().iter().find(|holding| holding.currency == currency);
            let told = told.map_or((0, 0, 0), |it| (it.deposited, it.fees, it.funding));
            prop_assert_eq!(told, (sum(&self.deposited), sum(&self.fees), sum(&self.funding)), "{}", currency);
        }
        Ok(())
    }
}

/// The engine as recovery uses it, beside the sums.
struct Run {
    state: State,
    sums: Sums,
    instruments: Vec<Instrument>,
    journal: Vec<Vec<u8>>,
}

impl Run {
    fn new() -> Self {
        let instruments = instruments();
        let mut run = Self { state: State::default(), sums: Sums::default(), instruments, journal: Vec::new() };
        run.say(EventKind::Started { incarnation: Incarnation(1), mode: Mode::Paper, logic: LOGIC_VERSION });
        for instrument in run.instruments.clone() {
            run.say(EventKind::Listed(Box::new(instrument)));
        }
        run.say(EventKind::Opened { base: usdt(), name: "main".into() });
        for currency in [usdt(), btc(), eth(), bnb()] {
            run.say(EventKind::Deposited(Money::parse("10000", currency).unwrap()));
        }
        run
    }

    fn say(&mut self, kind: EventKind) {
        self.sums.write(&kind, &self.instruments);
        let event = Event::new(self.state.sequence + 1, Timestamp::from_millis(0), Source::Venue, kind);
        self.journal.push(encode(&event, &self.state));
        apply(&mut self.state, &event);
    }

    /// Makes the orders known, and gives back the executions that fill them, in order.
    fn orders(&mut self, wishes: &[Wish]) -> Vec<Fill> {
        let mut fills: Vec<Fill> = Vec::new();
        for (nth, (id, buys, parts)) in (1..).zip(wishes) {
            let (instrument, side) = (InstrumentId(*id), if *buys { Side::Buy } else { Side::Sell });
            let total: i64 = parts.iter().map(|part| part.0).sum();
            let client_id = ClientOrderId::from_u128(nth);
            let request = OrderRequest::market(instrument, side, lots(total));
            self.say(EventKind::Judged(Verdict::Approved(Order::as_worked(MAIN, client_id, request))));
            for (quantity, at, asset, units) in parts {
                // a venue counts the trades of each instrument
                let earlier = fills.iter().filter(|fill| fill.instrument == instrument).count();
                fills.push(Fill {
                    client_id,
                    instrument,
                    trade_id: TradeId(earlier as u128),
                    side,
                    price: price(*at),
                    quantity: lots(*quantity),
                    liquidity: Liquidity::Taker,
                    fee: Fee(Money { currency: self.fee_asset(instrument, side, *asset), units: *units }),
                });
            }
        }
        fills
    }

    /// What was bought, what was sold, or a third asset; a contract's fee is in its settlement currency or the third.
    fn fee_asset(&self, instrument: InstrumentId, side: Side, asset: usize) -> Currency {
        let it = &self.instruments[instrument.index()];
        let pair = (it.spec.symbol.base, it.spec.symbol.quote);
        let (bought, sold) = match side {
            _ if !it.is_cash() => (it.settlement(), it.settlement()),
            Side::Buy => pair,
            Side::Sell => (pair.1, pair.0),
        };
        [bought, sold, bnb()][asset]
    }
}

/// An order: of what, whether it buys, and its executions: quantity, price, which asset its fee is in, and that fee.
type Wish = (u32, bool, Vec<(i64, i64, usize, i128)>);

fn any_wishes() -> impl Strategy<Value = Vec<Wish>> {
    let part = (1_i64..60_000, 5_000_i64..15_000, 0_usize..3, -5_000_i128..50_000);
    let parts = proptest::collection::vec(part, 1..4);
    proptest::collection::vec((0_u32..4, any::<bool>(), parts), 1..12)
}

/// What may happen between two executions: nothing, funding of a contract or its end, or money from outside.
fn any_pause() -> impl Strategy<Value = Option<EventKind>> {
    let funding = (any::<bool>(), -50_000_i64..50_000, 5_000_i64..15_000);
    let end = (any::<bool>(), 5_000_i64..15_000, 0_i64..50_000);
    prop_oneof![
        4 => Just(None),
        4 => funding.prop_map(|(linear, rate_e8, mark)| {
            let instrument = if linear { LINEAR } else { INVERSE };
            Some(EventKind::Funding { instrument, rate_e8, mark: price(mark) })
        }),
        1 => end.prop_map(|(linear, at, fee_e8)| {
            let instrument = if linear { LINEAR } else { INVERSE };
            Some(EventKind::Settled { instrument, settlement: Settlement { price: price(at), fee_e8 } })
        }),
        2 => (0_usize..4, -1_000_000_i128..1_000_000).prop_map(|(which, units)| {
            let currency = [usdt(), btc(), eth(), bnb()][which];
            Some(EventKind::Deposited(Money { currency, units }))
        }),
    ]
}

proptest! {
    /// Two pairs of three currencies, a linear and an inverse contract with funding and an end, fees in what was bought, in what was
    /// sold and in a third asset, executions in any order and told again: every currency conserves after every event.
    #[test]
    fn every_currency_conserves_over_pairs_and_contracts_in_any_order(
        wishes in any_wishes(),
        picks in proptest::collection::vec((any::<prop::sample::Index>(), any_pause()), 0..40),
    ) {
        let mut run = Run::new();
        let fills = run.orders(&wishes);
        for (pick, pause) in &picks {
            run.say(EventKind::Filled(*pick.get(&fills)));
            run.sums.check(&run.state)?;
            if let Some(kind) = pause {
                run.say(kind.clone());
                run.sums.check(&run.state)?;
            }
        }
        for fill in fills.iter().rev() {
            run.say(EventKind::Filled(*fill));
            run.sums.check(&run.state)?;
        }
        let counters = run.state.counters;
        prop_assert_eq!((counters.fills, counters.duplicates), (fills.len() as u64, picks.len() as u64));
        prop_assert_eq!((counters.contradictions, &run.state.halted), (0, &None));
        let mut folded = State::default();
        run.journal.iter().for_each(|record| apply(&mut folded, &decode(record).unwrap()));
        prop_assert_eq!(&folded, &run.state);
    }
}
