//! Orders that wait for a price, and what guards what they entered.

use super::*;

#[test]
fn a_waiting_order_becomes_an_order_when_its_price_is_met() {
    use Step::{Fill, Trade, Wait};
    check(
        wish(Side::Buy, 5, OrderKind::Touched { trigger: price(95) }, Plan::Wait),
        &[Trade(100), Trade(96), Trade(94), Trade(99), Fill(0, 5)],
        expect![[r#"
              0s 0: Awake buy 5
              0s Over { end: Finished, reason: "all of it" }
        "#]],
    );
    let limit = OrderKind::LimitTouched { trigger: price(105), price: price(104) };
    check(
        wish(Side::Sell, 5, limit, Plan::Wait),
        &[Trade(104), Trade(105), Step::Refuse, Wait(1)],
        expect![[r#"
              0s 0: Awake sell 5 limit 104
        "#]],
    );
    let trailing = OrderKind::Trailing { offset: TrailingOffset::Price(price(10)), activation: Some(price(110)) };
    check(
        wish(Side::Sell, 5, trailing, Plan::Wait),
        &[Trade(90), Trade(110), Trade(130), Trade(121), Trade(120), Fill(0, 5)],
        expect![[r#"
              0s 0: Awake sell 5
              0s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn a_bracket_protects_what_filled_and_no_more() {
    use Step::{Cancel, Fill, Position, Wait};
    check(
        wish(Side::Buy, 10, OrderKind::Limit { price: price(100) }, Plan::Bracket(PROTECTION)),
        &[Fill(0, 4), Fill(0, 3), Wait(1), Fill(0, 3), Wait(1), Position(10), Fill(1, 4), Cancel(2), Wait(5)],
        expect![[r#"
              0s 0: Entry buy 10 limit 100
              0s 1: Target(0) sell 4 limit 110
              0s 2: Stop(0) sell 4 stop 90
              1s 3: Target(1) sell 3 limit 110
              1s 4: Stop(1) sell 3 stop 90
              1s 5: Target(2) sell 3 limit 110
              1s 6: Stop(2) sell 3 stop 90
        "#]],
    );
}

#[test]
fn a_bracket_cancelled_before_it_fills_never_protects() {
    use Step::{Cancel, Wait};
    check(
        wish(Side::Buy, 10, OrderKind::Limit { price: price(100) }, Plan::Bracket(PROTECTION)),
        &[Step::Ask(Ask::Cancel), Cancel(0), Wait(1), Wait(10)],
        expect![[r#"
            0s 0: Entry buy 10 limit 100
            0s cancel 0
            0s Over { end: Cancelled, reason: "its entry ended without a fill" }
        "#]],
    );
}

#[test]
fn a_fill_that_races_the_cancel_of_its_bracket_is_still_protected() {
    use Step::{Cancel, Fill, Wait};
    check(
        wish(Side::Buy, 10, OrderKind::Limit { price: price(100) }, Plan::Bracket(PROTECTION)),
        &[Step::Ask(Ask::Cancel), Fill(0, 4), Cancel(0), Wait(2), Fill(2, 4), Cancel(1), Wait(1)],
        expect![[r#"
            0s 0: Entry buy 10 limit 100
            0s cancel 0
            0s 1: Target(0) sell 4 limit 110
            0s 2: Stop(0) sell 4 stop 90
            2s cancel 1
            2s Over { end: Finished, reason: "4 entered and left" }
        "#]],
    );
}

#[test]
fn a_fee_taken_from_what_was_bought_is_not_sold() {
    use Step::{Fee, Fill};
    check(
        wish(Side::Buy, 10, OrderKind::Market, Plan::Bracket(PROTECTION)),
        &[Fee(0, 1), Fill(0, 10)],
        expect![[r#"
              0s 0: Entry buy 10
              0s 1: Target(0) sell 9 limit 110
              0s 2: Stop(0) sell 9 stop 90
        "#]],
    );
}

#[test]
fn what_is_left_of_a_target_gets_a_stop_again() {
    use Step::{Cancel, Fill, Wait};
    check(
        wish(Side::Buy, 10, OrderKind::Market, Plan::Bracket(PROTECTION)),
        &[Fill(0, 10), Fill(1, 4), Cancel(2), Wait(1), Cancel(1), Wait(1), Fill(4, 6), Cancel(3), Wait(1)],
        expect![[r#"
            0s 0: Entry buy 10
            0s 1: Target(0) sell 10 limit 110
            0s 2: Stop(0) sell 10 stop 90
            0s cancel 1
            1s 3: Target(1) sell 6 limit 110
            1s 4: Stop(1) sell 6 stop 90
            2s cancel 3
            2s Over { end: Finished, reason: "10 entered and left" }
        "#]],
    );
}

#[test]
fn a_market_past_the_stop_is_left_at_once() {
    use Step::{Fill, Mark};
    check(
        wish(Side::Buy, 10, OrderKind::Market, Plan::Bracket(PROTECTION)),
        &[Mark(89), Fill(0, 10), Fill(1, 10)],
        expect![[r#"
            0s 0: Entry buy 10
            0s 1: Exit sell 10
            0s Over { end: Finished, reason: "10 entered and left" }
        "#]],
    );
}

#[test]
fn a_target_and_a_stop_that_both_fill_are_brought_back_or_named() {
    use Step::{Fill, Position, Wait};
    check(
        wish(Side::Buy, 10, OrderKind::Market, Plan::Bracket(PROTECTION)),
        &[Fill(0, 10), Position(-10), Fill(1, 10), Fill(2, 10), Position(0), Fill(3, 10), Wait(1)],
        expect![[r#"
            0s 0: Entry buy 10
            0s 1: Target(0) sell 10 limit 110
            0s 2: Stop(0) sell 10 stop 90
            0s 3: Excess buy 10
            0s Over { end: Finished, reason: "10 entered and left" }
        "#]],
    );
    check(
        wish(Side::Buy, 10, OrderKind::Market, Plan::Bracket(PROTECTION)),
        &[Fill(0, 10), Position(30), Fill(1, 10), Fill(2, 10), Wait(1)],
        expect![[r#"
              0s 0: Entry buy 10
              0s 1: Target(0) sell 10 limit 110
              0s 2: Stop(0) sell 10 stop 90
              0s Paused { reason: "target and stop both filled: 10 more was left than was entered" }
        "#]],
    );
}

#[test]
fn an_entry_that_never_worked_ends_its_bracket() {
    check(
        wish(Side::Buy, 10, OrderKind::Market, Plan::Bracket(PROTECTION)),
        &[Step::Reject(0), Step::Wait(5)],
        expect![[r#"
            0s 0: Entry buy 10
            5s Over { end: Failed, reason: "the venue rejected it" }
        "#]],
    );
}
