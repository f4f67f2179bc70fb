//! Fills and the account: what was executed, for what fee, and what else moves money.

use crate::stage::{BTC, MARK, Stage, btc, limit, lots, market, price, usdt};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::Limits;

const DAY: i64 = 86_400_000;

impl Stage {
    /// What the account holds if the venue agrees with the books.
    fn balances(&self) -> BTreeMap<Currency, i128> {
        let mut all = BTreeMap::new();
        for holding in self.state.portfolios.iter().flat_map(Portfolio::holdings) {
            *all.entry(holding.currency).or_default() += holding.units;
        }
        all
    }

    /// Where a venue that holds `balances` differs from the books.
    fn drifts(&self, balances: BTreeMap<Currency, i128>) -> Vec<Drift> {
        let seen = Seen { balances: Some(balances), ..Seen::default() };
        compare(&self.state, &Basis::of(&self.state), &seen).drifts
    }
}

#[test]
fn b01_an_execution_is_booked_once_now_after_thirty_days_and_after_restarts() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.working(limit(Side::Buy, 100, MARK));
    let first = stage.fill(id, 40, MARK);
    stage.venue(EventKind::Filled(first));
    let last = stage.fill(id, 60, MARK);
    for n in 0..600 {
        let id = stage.working(limit(Side::Buy, 1 + n % 7, 9_000)); // the order itself is forgotten meanwhile
        stage.venue(EventKind::Cancelled { client_id: id, reason: "on request".into() });
    }
    assert!(stage.state.order(id).is_none());
    stage.millis += 30 * DAY;
    stage.start(10);
    for fill in [first, last] {
        stage.venue(EventKind::Filled(fill));
    }
    assert_eq!((stage.position(), stage.state.counters.fills, stage.state.counters.duplicates), (100, 2, 3));
    assert_eq!((&stage.state.halted, stage.state.counters.contradictions), (&None, 0));
    let text = serde_json::to_string(&stage.state).unwrap();
    stage.state = serde_json::from_str(&text).unwrap();
    stage.venue(EventKind::Filled(first));
    assert_eq!(stage.position(), 100, "a snapshot remembers it too");
}

#[test]
fn b02_a_fill_before_its_acknowledgement_is_booked_and_the_acknowledgement_still_counts() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let id = stage.propose(limit(Side::Buy, 100, MARK)).unwrap();
    stage.fill(id, 40, MARK); // even before the host noted that it was sent
    assert_eq!((stage.status(id), stage.position()), ("partially_filled", 40));
    stage.accept(id);
    assert_eq!(stage.state.order(id).unwrap().venue_id, Some(VenueOrderId("1".into())));
    stage.fill(id, 60, MARK);
    stage.accept(id);
    assert_eq!((stage.status(id), stage.position(), stage.state.counters.contradictions), ("filled", 100, 0));
}

proptest! {
    /// Executions may come in any order, again and again: each trade id counts once, and nothing is taken back.
    #[test]
    fn b03_fills_in_any_order_sum_to_the_same(
        parts in proptest::collection::vec((1_i64..50, 9_000_i64..11_000), 1..8),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut stage = Stage::new(Limits::RESEARCH);
        let total: i64 = parts.iter().map(|(quantity, _)| quantity).sum();
        let id = stage.working(limit(Side::Buy, total, 11_000));
        let fills: Vec<_> = parts.iter().map(|(quantity, at)| stage.execution(id, *quantity, *at)).collect();
        let mut filled = 0;
        for fill in picks.iter().map(|pick| &fills[pick.index(fills.len())]).chain(&fills) {
            stage.venue(EventKind::Filled(*fill));
            let now = stage.state.order(id).unwrap().filled.mantissa();
            prop_assert!(now >= filled, "the count never goes back");
            filled = now;
        }
        let cost: i128 = parts.iter().map(|(quantity, at)| i128::from(quantity * at)).sum();
        let record = stage.state.order(id).unwrap();
        prop_assert_eq!((record.status(), record.filled.mantissa(), record.cost), ("filled", total, cost));
    }

    /// A fee is booked in whatever it was taken in, a rebate is paid in, and what can be sold is what is there.
    #[test]
    fn b07_a_fee_is_booked_in_its_own_asset_and_what_is_left_can_be_sold(
        quantity in 100_i64..90_000, units in -50_000_i128..50_000, asset in 0_usize..3,
    ) {
        let mut stage = Stage::new(Limits::RESEARCH);
        let bnb = Currency::new("BNB").unwrap();
        stage.say_for(PortfolioId(0), Source::Host, EventKind::Deposited(Money::parse("1", bnb).unwrap()));
        let currency = [btc(), usdt(), bnb][asset];
        let id = stage.working(market(Side::Buy, quantity));
        let before = stage.state.portfolio(PortfolioId(0)).units(currency);
        let fill = Fill { fee: Fee(Money { currency, units }), ..stage.execution(id, quantity, MARK) };
        stage.venue(EventKind::Filled(fill));
        let books = stage.state.portfolio(PortfolioId(0));
        let moved = match asset {
            0 => i128::from(quantity) * 10_000,
            1 => -i128::from(quantity) * i128::from(MARK) * 100,
            _ => 0,
        };
        prop_assert_eq!(books.units(currency), before + moved - units);
        let fees = books.holdings().iter().find(|it| it.currency == currency).unwrap().fees;
        prop_assert_eq!(fees, units);
        // what can be sold: never more than there is, and all but less than a lot of it
        let there = books.units(btc());
        let position = books.position(BTC).quantity().mantissa();
        prop_assert!((i128::from(position) * 10_000 - there).abs() < 10_000, "{position} lots and {there} units");
        prop_assert!(stage.propose(market(Side::Sell, i64::try_from(there / 10_000).unwrap())).is_some());
        prop_assert!(stage.propose(market(Side::Sell, 1)).is_none(), "nothing is left to sell");
    }
}

#[test]
fn b06_an_execution_taken_back_is_booked_the_other_way_round_and_a_corrected_fee_is_an_entry() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let opening = stage.balances();
    let id = stage.working(limit(Side::Buy, 100, MARK));
    let fee = Fee(Money { currency: usdt(), units: 12_345 });
    let kept = Fill { fee, ..stage.execution(id, 40, MARK) };
    let taken = Fill { fee, ..stage.execution(id, 60, MARK + 5) };
    stage.venue(EventKind::Filled(kept));
    let before = (stage.balances(), stage.position());
    stage.venue(EventKind::Filled(taken));
    stage.venue(EventKind::Reversed(taken));
    assert_eq!((stage.balances(), stage.position()), before, "to the last unit, the fee included");
    assert_eq!(stage.state.order(id).unwrap().filled, lots(40));
    stage.venue(EventKind::Reversed(taken));
    stage.venue(EventKind::Filled(taken));
    assert_eq!((stage.balances(), stage.position()), before, "neither again");
    stage.venue(EventKind::Reversed(kept));
    assert_eq!(stage.balances()[&usdt()], opening[&usdt()]);
    // a fee corrected later is money of its own; the execution stays as it was booked
    let money = Money { currency: usdt(), units: 345 };
    stage.operator(EventKind::Adjusted { money, reason: "the venue corrected a fee".into() });
    assert_eq!(stage.balances()[&usdt()], opening[&usdt()] + 345);
    assert_eq!((stage.state.counters.contradictions, stage.state.counters.duplicates), (1, 1));
    stage.check_journal();
}

#[test]
fn b08_the_same_trade_id_of_another_instrument_is_another_execution() {
    let mut stage = Stage::new(Limits::RESEARCH);
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot("ETH/USDT".parse().unwrap(), "test")
    };
    let ether = InstrumentId(1);
    stage.host(EventKind::Listed(Box::new(spec.list(ether).unwrap())));
    let bar = Trade { instrument: ether, price: price(MARK), quantity: lots(1), aggressor: Side::Buy, id: TradeId(5) };
    stage.say_for(PortfolioId(0), Source::Market, EventKind::Traded { trade: bar, origin: Origin::Recorded });
    let one = stage.working(limit(Side::Buy, 100, MARK));
    let other = stage.working(OrderRequest { instrument: ether, ..limit(Side::Buy, 100, MARK) });
    let fill = stage.fill(one, 100, MARK);
    let twin = Fill { client_id: other, instrument: ether, ..fill };
    stage.venue(EventKind::Filled(twin));
    stage.venue(EventKind::Filled(twin));
    assert_eq!((stage.status(one), stage.status(other)), ("filled", "filled"));
    assert_eq!((stage.state.counters.fills, stage.state.counters.duplicates), (2, 1));
    // a venue may count from zero
    let zero = Fill { trade_id: TradeId(0), ..fill };
    stage.judge.overfills = true;
    stage.venue(EventKind::Filled(zero));
    stage.venue(EventKind::Filled(zero));
    assert_eq!((stage.state.counters.fills, stage.state.counters.duplicates), (3, 2), "zero is an id like any other");
    assert!(stage.state.halted.as_deref().is_some_and(|why| why.ends_with("filled beyond its quantity")));
}

#[test]
fn b11_money_that_moves_without_a_trade_is_an_entry_and_no_difference() {
    let mut stage = Stage::new(Limits::RESEARCH);
    stage.holding(50_000);
    let bnb = Currency::new("BNB").unwrap();
    let mut venue = stage.balances();
    let money = |units, currency| Money { currency, units };
    // a deposit, a withdrawal, a reward in a third coin, and dust turned into that coin, as the stream tells them
    for told in [money(500, usdt()), money(-200, usdt()), money(77, bnb), money(-9, btc()), money(3, bnb)] {
        *venue.entry(told.currency).or_default() += told.units;
        assert!(!stage.drifts(venue.clone()).is_empty(), "before it is told it is a difference");
        stage.venue(EventKind::Deposited(told));
        assert_eq!(stage.drifts(venue.clone()), [], "{told}");
    }
    let books = stage.state.portfolio(PortfolioId(0));
    let deposited = |currency| books.holdings().iter().find(|it| it.currency == currency).unwrap().deposited;
    assert_eq!((deposited(usdt()), deposited(bnb), deposited(btc())), (10_000 * 100_000_000 + 300, 80, -9));
    let (day, equity) = (books.day_equity(), books.equity());
    stage.venue(EventKind::Deposited(money(-1_000_000, usdt())));
    let books = stage.state.portfolio(PortfolioId(0));
    assert_eq!((books.day_equity(), books.equity()), (day - 1_000_000, equity - 1_000_000), "neither profit nor loss");
    stage.check_journal();
}

#[test]
fn b11_funding_is_an_entry_of_its_own() {
    let mut stage = Stage::new(Limits::OPEN);
    let spec = InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        price_decimals: 2,
        quantity_decimals: 4,
        ..InstrumentSpec::spot("BTC/USDT:USDT".parse().unwrap(), "test")
    };
    let perpetual = InstrumentId(1);
    stage.host(EventKind::Listed(Box::new(spec.list(perpetual).unwrap())));
    let before = stage.state.portfolio(PortfolioId(0)).units(usdt());
    stage.venue(EventKind::Funding { instrument: perpetual, rate_e8: 10_000, mark: price(MARK) });
    assert_eq!(stage.state.portfolio(PortfolioId(0)).units(usdt()), before, "nothing is held, nothing is paid");
    assert_eq!(stage.state.portfolio(PortfolioId(0)).holdings()[0].funding, 0);
}
