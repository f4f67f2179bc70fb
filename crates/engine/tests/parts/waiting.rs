//! Orders that wait here for their price: what wakes them, by bars, by quotes and by trades.

use crate::stage::*;
use tradewind_domain::*;
use tradewind_engine::algo::{ParentId, Participation, Plan};
use tradewind_engine::*;
use tradewind_gate::Limits;

const MINUTE: i64 = 60_000;

/// What the market shows next; bars are named by the minute that they open in.
#[derive(Clone, Copy, Debug)]
enum Shown {
    Bar(i64, [i64; 4]),
    Quote(i64, i64),
    Trade(i64),
}
use Shown::{Bar, Quote as Bid, Trade as At};

fn show(stage: &mut Stage, shown: Shown) {
    let kind = match shown {
        Bar(minute, [open, high, low, close]) => {
            stage.millis = stage.millis.max((minute + 1) * MINUTE);
            let bar = tradewind_domain::Bar {
                instrument: BTC,
                interval: Interval::MINUTE,
                open_time: Timestamp::from_millis(minute * MINUTE),
                open: price(open),
                high: price(high),
                low: price(low),
                close: price(close),
                volume: lots(1_000),
            };
            EventKind::BarClosed { bar, origin: Origin::Recorded }
        }
        Bid(bid, ask) => {
            let size = lots(1);
            let quote = Quote { instrument: BTC, bid: price(bid), bid_size: size, ask: price(ask), ask_size: size };
            EventKind::Quoted { quote, origin: Origin::Recorded, marks: false }
        }
        At(at) => return stage.mark(at),
    };
    stage.say_for(PortfolioId(0), Source::Market, kind);
}

/// Which of the things shown, from 1, made an order of what waits since 30 s after midnight; 0 for none.
fn woken_by(side: Side, kind: OrderKind, shown: &[Shown]) -> usize {
    let mut stage = Stage::new(Limits::OPEN);
    stage.holding(1_000);
    let before = stage.sent.len();
    stage.millis = MINUTE / 2;
    assert_eq!(stage.propose(OrderRequest { kind, ..market(side, 1_000) }), None, "it waits: {}", stage.last_refusal());
    let woke = shown.iter().position(|it| {
        show(&mut stage, *it);
        stage.sent.len() > before
    });
    stage.check_journal();
    woke.map_or(0, |place| place + 1)
}

const fn touched(at: i64) -> OrderKind {
    OrderKind::Touched { trigger: price(at) }
}
const fn trailing(offset: i64) -> OrderKind {
    OrderKind::Trailing { offset: TrailingOffset::Price(price(offset)), activation: None }
}

#[test]
fn of_a_bar_the_end_counts_that_the_order_waits_for() {
    let falls = Bar(1, [10_000, 10_100, 9_500, 10_000]);
    let rises = Bar(1, [10_000, 10_500, 9_900, 10_000]);
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[rises, falls]), 2);
    assert_eq!(woken_by(Side::Buy, touched(9_499), &[falls]), 0);
    assert_eq!(woken_by(Side::Sell, touched(10_500), &[falls, rises]), 2);
    assert_eq!(woken_by(Side::Sell, touched(10_501), &[rises]), 0);
}

#[test]
fn of_a_bar_that_began_before_the_order_only_the_close_counts() {
    let began = |close| Bar(0, [10_000, 10_600, 9_400, close]);
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[began(10_000)]), 0, "its low may have come before the wish");
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[began(9_500)]), 1);
}

#[test]
fn a_trailing_stop_follows_bars_at_their_worst() {
    let calm = Bar(1, [10_000, 10_200, 9_950, 10_150]);
    // from 10,200 a fall of 100 wakes it; the next bar's low is 10,101, then 10,100
    assert_eq!(woken_by(Side::Sell, trailing(100), &[calm, Bar(2, [10_150, 10_190, 10_101, 10_110])]), 0);
    assert_eq!(woken_by(Side::Sell, trailing(100), &[calm, Bar(2, [10_150, 10_190, 10_100, 10_180])]), 2);
    assert_eq!(
        woken_by(
            Side::Buy,
            trailing(100),
            &[Bar(1, [10_000, 10_050, 9_900, 9_950]), Bar(2, [9_950, 10_000, 9_940, 9_990])]
        ),
        2
    );
}

#[test]
fn of_a_quote_the_side_counts_that_the_order_would_trade_at() {
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[Bid(9_400, 9_501), Bid(9_490, 9_500)]), 2, "the ask");
    assert_eq!(woken_by(Side::Sell, touched(10_500), &[Bid(10_499, 10_600), Bid(10_500, 10_600)]), 2, "the bid");
}

#[test]
fn what_knows_better_prices_listens_to_no_worse_ones() {
    let falls = Bar(1, [10_000, 10_000, 9_000, 9_000]);
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[Bid(9_900, 9_910), falls]), 0, "quotes, then no bars");
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[At(9_900), Bid(9_000, 9_010)]), 0, "trades, then no quotes");
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[falls]), 1);
    assert_eq!(woken_by(Side::Buy, touched(9_500), &[Bid(9_900, 9_910), At(9_500)]), 2);
}

#[test]
fn what_waited_till_a_moment_rests_no_longer_than_that_and_a_market_order_has_no_end() {
    let end = Timestamp::from_millis(10 * MINUTE);
    for (kind, want) in [
        (touched(9_500), TimeInForce::Gtc),
        (OrderKind::LimitTouched { trigger: price(9_500), price: price(9_600) }, TimeInForce::Gtd(end)),
    ] {
        let mut stage = Stage::new(Limits::OPEN);
        let till = OrderRequest { kind, time_in_force: TimeInForce::Gtd(end), ..market(Side::Buy, 1_000) };
        assert_eq!(stage.propose(till), None);
        stage.mark(9_500);
        assert_eq!((stage.sent[0].request().time_in_force, *stage.sent[0].kind()), (want, kind.awake()));
    }
}

#[test]
fn a_participation_counts_whole_bars_that_opened_since_and_then_nothing_else() {
    let mut stage = Stage::new(Limits::OPEN);
    let part = Participation { rate_bps: 1_000, clip: lots(50), until: Timestamp::from_millis(60 * MINUTE) };
    stage.millis = MINUTE / 2;
    stage.wish(market(Side::Buy, 1_000), Plan::Participate(part));
    let seen = |stage: &Stage| stage.state.parents.get(ParentId(1)).unwrap().seen.volume.mantissa();
    show(&mut stage, Bar(0, [10_000; 4]));
    assert_eq!(seen(&stage), 0, "it began before");
    show(&mut stage, Bar(1, [10_000; 4]));
    stage.mark(10_000);
    show(&mut stage, Bar(2, [10_000; 4]));
    assert_eq!(seen(&stage), 2_000, "of bars first seen, trades count no second time");
    assert_eq!(stage.sent.iter().map(|order| order.quantity().mantissa()).collect::<Vec<_>>(), [100, 100]);
    stage.check_journal();
}
