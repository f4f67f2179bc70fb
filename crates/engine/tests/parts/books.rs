//! What a portfolio's books tell: money, fees, profit, funding, and equity at the marks, by hand.

use crate::orders::{WIDE, list, perpetual};
use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::*;
use tradewind_gate::{Cap, Limits};

const MAIN: PortfolioId = PortfolioId(0);
const SECOND: InstrumentId = InstrumentId(1);
const DAY: i64 = 86_400_000;

/// A stage that lets everything pass, and whose judge, who knows no contracts and no such fees, looks away.
fn wide() -> Stage {
    let mut stage = Stage::new(WIDE);
    stage.is_unjudged = true;
    stage
}

fn money(amount: &str, currency: Currency) -> Money {
    Money::parse(amount, currency).unwrap()
}

/// Buys or sells at the market, filled at once with this fee.
fn filled(stage: &mut Stage, instrument: InstrumentId, side: Side, quantity: i64, at: i64, fee: Money) {
    let request = OrderRequest { instrument, ..market(side, quantity) };
    let id = stage.propose(request).unwrap_or_else(|| panic!("{}", stage.last_refusal()));
    let whole = stage.execution(id, quantity, at);
    stage.venue(EventKind::Filled(Fill { instrument, fee: Fee(fee), ..whole }));
}

fn trades_at(stage: &mut Stage, instrument: InstrumentId, at: i64) {
    let id = TradeId(1_000_000 + u128::from(stage.state.sequence));
    let trade = Trade { instrument, price: price(at), quantity: lots(1), aggressor: Side::Buy, id };
    stage.say_for(MAIN, Source::Market, EventKind::Traded { trade, origin: Origin::Recorded });
}

/// Amounts of one currency: held, fees, funding, realised.
fn told(stage: &Stage, currency: Currency) -> [String; 4] {
    let holdings = stage.state.portfolio(MAIN).holdings();
    let holding = holdings.iter().find(|holding| holding.currency == currency).unwrap();
    [holding.units, holding.fees, holding.funding, holding.realised].map(|units| Money { currency, units }.amount())
}

/// Equity now, when the day began, and at its highest, in USDT.
fn equity(stage: &Stage) -> [String; 3] {
    let books = stage.state.portfolio(MAIN);
    [books.equity(), books.day_equity(), books.peak_equity()].map(|units| Money { currency: usdt(), units }.amount())
}

#[test]
fn a_fee_in_what_was_bought_leaves_less_of_it_at_the_same_cost() {
    let mut stage = wide();
    filled(&mut stage, BTC, Side::Buy, 10_000, MARK, money("0.001", btc()));
    assert_eq!(told(&stage, usdt()), ["9900", "0", "0", "0"]);
    assert_eq!(told(&stage, btc()), ["0.999", "0.001", "0", "0"]);
    assert_eq!(stage.position(), 9_990);
    trades_at(&mut stage, BTC, 11_000);
    assert_eq!(equity(&stage)[0], "10009.89", "9,900 and 0.999 at 110");
    filled(&mut stage, BTC, Side::Sell, 5_000, 11_000, money("0.055", usdt()));
    // what is left of 0.999 cost 100, so 0.5 of it cost 50.05005
    assert_eq!(told(&stage, usdt()), ["9954.945", "0.055", "0", "4.94995"]);
    assert_eq!(equity(&stage)[0], "10009.835", "9,954.945 and 0.499 at 110");
    filled(&mut stage, BTC, Side::Sell, 4_980, 11_000, money("0", usdt()));
    filled(&mut stage, BTC, Side::Buy, 10, 11_000, money("0.002", btc())); // more than all that is held
    assert_eq!(stage.position(), 0);
    // what empties a position hands its cost out
    assert_eq!(told(&stage, usdt())[3], "9.67", "109.78 for what cost 100 and 0.11");
}

#[test]
fn a_fee_is_known_as_a_quantity_of_whatever_decimals() {
    let mut stage = wide();
    let spec = InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 10,
        ..InstrumentSpec::spot("ETH/USDT".parse().unwrap(), "test")
    };
    stage.host(EventKind::Listed(Box::new(spec.list(SECOND).unwrap())));
    trades_at(&mut stage, SECOND, MARK);
    filled(&mut stage, SECOND, Side::Buy, 10_000_000_000, MARK, money("0.001", Currency::new("ETH").unwrap()));
    let held = stage.state.portfolio(MAIN).position(SECOND).quantity();
    assert_eq!(held, lots(9_990_000_000));
}

#[test]
fn a_day_begins_with_the_equity_at_its_first_price_and_the_peak_is_never_lowered() {
    let mut stage = wide();
    filled(&mut stage, BTC, Side::Buy, 100_000, MARK, money("0", usdt())); // 10 of them
    assert_eq!(equity(&stage), ["10000", "10000", "10000"]);
    trades_at(&mut stage, BTC, 11_000);
    assert_eq!(equity(&stage), ["10100", "10000", "10100"]);
    trades_at(&mut stage, BTC, 9_000);
    assert_eq!(equity(&stage), ["9900", "10000", "10100"]);
    stage.millis += DAY;
    trades_at(&mut stage, BTC, 9_500);
    assert_eq!(equity(&stage), ["9950", "9950", "10100"]);
    trades_at(&mut stage, BTC, 9_400);
    assert_eq!(equity(&stage), ["9940", "9950", "10100"]);
}

#[test]
fn a_contract_is_worth_what_it_would_realise_and_funding_is_told_by_contract_and_currency() {
    let mut stage = wide();
    perpetual(&mut stage, "BTC/USDT:USDT");
    filled(&mut stage, SECOND, Side::Buy, 10_000, MARK, money("0.04", usdt()));
    assert_eq!(told(&stage, usdt()), ["9999.96", "0.04", "0", "0"], "nothing is paid for a contract");
    trades_at(&mut stage, SECOND, 11_000);
    assert_eq!(equity(&stage)[0], "10009.96");
    filled(&mut stage, SECOND, Side::Sell, 4_000, 11_000, money("0", usdt()));
    assert_eq!(told(&stage, usdt()), ["10003.96", "0.04", "0", "4"]);
    assert_eq!(equity(&stage)[0], "10009.96", "a profit is not counted twice");
    let settled = |stage: &mut Stage, rate_e8| {
        stage.venue(EventKind::Funding { instrument: SECOND, rate_e8, mark: price(11_000) });
        let units = stage.state.portfolio(MAIN).funding_paid(SECOND);
        Money { currency: usdt(), units }.amount()
    };
    assert_eq!(settled(&mut stage, 10_000), "0.0066", "0.6 at 110 at 0.01 %");
    assert_eq!(settled(&mut stage, -30_000), "-0.0132", "three times as much came back");
    assert_eq!(told(&stage, usdt()), ["10003.9732", "0.04", "-0.0132", "4"]);
    assert_eq!(stage.state.portfolio(MAIN).funding_paid(BTC), 0);
    assert_eq!(equity(&stage)[0], "10009.9732");
}

#[test]
fn a_contract_that_settles_in_a_third_currency_is_worth_what_that_is_worth() {
    let mut stage = wide();
    let spot = InstrumentId(2);
    perpetual(&mut stage, "BTC/USDC:USDC");
    list(&mut stage, spot, "USDC/USDT");
    trades_at(&mut stage, spot, 98);
    let usdc = Currency::new("USDC").unwrap();
    filled(&mut stage, SECOND, Side::Buy, 10_000, MARK, money("0", usdc));
    trades_at(&mut stage, SECOND, 9_000);
    assert_eq!(equity(&stage)[0], "9990.2", "a loss of 10 USDC at 0.98");
    trades_at(&mut stage, spot, 50);
    trades_at(&mut stage, SECOND, 9_000);
    assert_eq!(equity(&stage)[0], "9995", "of 10 at 0.50");
    filled(&mut stage, SECOND, Side::Sell, 10_000, 9_000, money("0", usdc));
    trades_at(&mut stage, SECOND, 9_000);
    trades_at(&mut stage, spot, 50);
    assert_eq!(told(&stage, usdc), ["-10", "0", "0", "-10"]);
    assert_eq!(equity(&stage)[0], "9995", "realised, it is a debt of 10 USDC at the same rate");
}

#[test]
fn an_execution_at_the_marks_costs_its_fee_whichever_pair_it_is_in_and_whichever_price_comes_next() {
    let (eth, bnb) = (Currency::new("ETH").unwrap(), Currency::new("BNB").unwrap());
    let [in_usdt, in_btc, of_fees] = [1, 2, 3].map(InstrumentId);
    for next in [[BTC, in_usdt, in_btc], [in_usdt, in_btc, BTC]] {
        let mut stage = wide();
        list(&mut stage, in_usdt, "ETH/USDT");
        list(&mut stage, in_btc, "ETH/BTC");
        list(&mut stage, of_fees, "BNB/USDT");
        let price = |id: InstrumentId| if id == BTC { MARK } else { [0, 500, 5, 200][id.index()] };
        [BTC, in_usdt, in_btc, of_fees].into_iter().for_each(|id| trades_at(&mut stage, id, price(id)));
        stage.say_for(MAIN, Source::Host, EventKind::Deposited(money("10", bnb)));
        filled(&mut stage, BTC, Side::Buy, 10_000, MARK, money("1", bnb));
        assert_eq!(equity(&stage), ["10018", "10020", "10020"], "a fee of 1 BNB at 2");
        filled(&mut stage, in_btc, Side::Buy, 100_000, 5, money("0.01", btc()));
        assert_eq!((told(&stage, eth)[0].as_str(), told(&stage, btc())[0].as_str()), ("10", "0.49"));
        assert_eq!(equity(&stage), ["10017", "10020", "10020"], "10 ETH for 0.5 BTC, and 0.01 BTC at 100");
        for id in next {
            trades_at(&mut stage, id, price(id));
            assert_eq!(equity(&stage), ["10017", "10020", "10020"], "{id:?} says nothing new");
        }
        filled(&mut stage, in_btc, Side::Sell, 100_000, 5, money("1", bnb));
        assert_eq!(equity(&stage), ["10015", "10020", "10020"]);
    }
}

#[test]
fn what_has_no_price_of_its_own_yet_is_worth_what_was_paid_for_it() {
    let (eth, in_usdt, in_btc) = (Currency::new("ETH").unwrap(), InstrumentId(1), InstrumentId(2));
    let mut stage = wide();
    list(&mut stage, in_usdt, "ETH/USDT");
    list(&mut stage, in_btc, "ETH/BTC");
    trades_at(&mut stage, BTC, MARK);
    trades_at(&mut stage, in_btc, 5);
    filled(&mut stage, BTC, Side::Buy, 10_000, MARK, money("0", usdt()));
    filled(&mut stage, in_btc, Side::Buy, 100_000, 5, money("0", btc()));
    assert_eq!(equity(&stage), ["10000", "10000", "10000"], "10 ETH for 0.5 BTC at 100");
    trades_at(&mut stage, in_usdt, 600);
    assert_eq!(equity(&stage), ["10010", "10000", "10010"], "at 6.00 they are worth 10 more");

    // what came in unpriced and was sold before it had a price: the price is of what came in, and no profit
    let mut stage = wide();
    list(&mut stage, in_usdt, "ETH/USDT");
    list(&mut stage, in_btc, "ETH/BTC");
    trades_at(&mut stage, BTC, MARK);
    trades_at(&mut stage, in_btc, 5);
    stage.say_for(MAIN, Source::Host, EventKind::Deposited(money("10", eth)));
    filled(&mut stage, in_btc, Side::Sell, 100_000, 5, money("0", btc()));
    assert_eq!(equity(&stage), ["10050", "10050", "10050"], "0.5 BTC for what came from outside");
    trades_at(&mut stage, in_usdt, 500);
    assert_eq!(equity(&stage), ["10050", "10050", "10050"]);
}

#[test]
fn what_comes_in_before_it_has_a_price_is_no_profit_once_it_has_one() {
    let mut stage = wide();
    let eth = Currency::new("ETH").unwrap();
    list(&mut stage, SECOND, "ETH/BTC"); // a price in bitcoin is none in USDT
    stage.say_for(MAIN, Source::Host, EventKind::Deposited(money("10", eth)));
    trades_at(&mut stage, SECOND, 5);
    assert_eq!(equity(&stage), ["10000", "10000", "10000"]);
    list(&mut stage, InstrumentId(2), "ETH/USDT");
    trades_at(&mut stage, InstrumentId(2), 500);
    assert_eq!(equity(&stage), ["10050", "10050", "10050"], "10 at 5.00, from outside");
    list(&mut stage, InstrumentId(3), "ETH/USDT"); // the same pair at another venue prices nothing again
    trades_at(&mut stage, InstrumentId(3), 600);
    assert_eq!(equity(&stage), ["10050", "10050", "10050"]);
    trades_at(&mut stage, InstrumentId(2), 600);
    assert_eq!(equity(&stage), ["10060", "10050", "10060"], "from here on it is profit");
}

#[test]
fn coins_that_were_there_before_are_sold_and_nobody_is_short_of_them() {
    let cap = Cap { equity_bps: None, amount: Some(500_000_000) };
    let mut stage = Stage::new(Limits { max_order: Cap::NONE, max_position: cap, ..Limits::RESEARCH });
    stage.is_unjudged = true;
    let (none, to_close) = (money("0", usdt()), |stage: &Stage| {
        let it = &stage.state.listing(BTC).instrument;
        stage.state.portfolio(MAIN).to_close(it).mantissa()
    });
    stage.say_for(MAIN, Source::Host, EventKind::Deposited(money("1", btc())));
    filled(&mut stage, BTC, Side::Buy, 200, MARK, none);
    assert_eq!((stage.position(), to_close(&stage), stage.state.guarded().len()), (200, 200, 1));
    filled(&mut stage, BTC, Side::Sell, 5_000, MARK, none); // 50 USDT, ten times what a position may be worth
    assert_eq!((stage.position(), to_close(&stage)), (-4_800, 0));
    assert_eq!(stage.state.guarded(), [], "no stop would close anything");
    assert_eq!(told(&stage, btc())[0], "0.52");
    // a purchase is bounded by itself
    assert!(stage.propose(market(Side::Buy, 600)).is_none());
    assert!(stage.last_refusal().contains("GATE-08"), "{}", stage.last_refusal());
    let back = OrderRequest { reduce_only: true, ..market(Side::Buy, 400) };
    assert!(stage.propose(back).is_none(), "nothing to reduce: {}", stage.last_refusal());
    filled(&mut stage, BTC, Side::Buy, 400, MARK, none);
    assert_eq!((stage.position(), to_close(&stage)), (-4_400, 0), "it fills up what was sold before");
    // where coins are lent a sale is a short position
    let lent = Limits { borrow: true, ..Limits::RESEARCH };
    stage.say_for(MAIN, Source::Host, EventKind::LimitsSet(Box::new(lent)));
    assert_eq!((to_close(&stage), stage.state.guarded().len()), (-4_400, 1));
}

#[test]
fn more_coins_than_anything_is_worth_do_not_stop_the_engine() {
    let mut stage = wide();
    let units = 2 * 10_i128.pow(24); // the most that the border lets in, free and locked
    stage.say_for(MAIN, Source::Host, EventKind::Deposited(Money { currency: btc(), units }));
    trades_at(&mut stage, BTC, 1 << 60);
    let most = stage.state.portfolio(MAIN).equity();
    trades_at(&mut stage, BTC, 1 << 59);
    assert_eq!(stage.state.portfolio(MAIN).equity(), most, "both leave 128 bits");
    trades_at(&mut stage, BTC, MARK);
    assert_eq!(equity(&stage)[0], "2000000000000010000");
}
