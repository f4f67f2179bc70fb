//! What fails, is doubted, paused or restarted.

use super::*;

#[test]
fn a_cancel_that_nobody_answers_is_asked_for_again_for_as_long_as_the_order_stands() {
    use Step::{Cancel, Wait};
    check(
        wish(Side::Buy, 10, LIMIT, Plan::Iceberg { display: lots(10) }),
        &[Step::Ask(Ask::Cancel), Wait(5), Wait(5), Wait(5), Wait(45), Wait(10), Wait(60), Cancel(0), Wait(1)],
        expect![[r#"
            0s 0: Slice(0) buy 10 limit 90
            0s cancel 0
            5s cancel 0
            10s cancel 0
            70s cancel 0
            130s cancel 0
            130s Over { end: Cancelled, reason: "on request" }
        "#]],
    );
}

#[test]
fn what_was_cancelled_during_a_pause_is_put_back() {
    use Step::{Cancel, Fill, Wait};
    let ladder = Plan::even_ladder(&it(), lots(9), price(90), price(80), 3).unwrap();
    check(
        wish(Side::Buy, 9, LIMIT, ladder),
        &[
            Step::Ask(Ask::Pause),
            Fill(0, 1),
            Cancel(0),
            Cancel(1),
            Wait(5),
            Step::Ask(Ask::Resume),
            Wait(1),
            Cancel(2),
            Wait(5),
        ],
        expect![[r#"
            0s 0: Rung(0) buy 3 limit 90
            0s 1: Rung(1) buy 3 limit 85
            0s 2: Rung(2) buy 3 limit 80
            5s 3: Rung(0) buy 2 limit 90
            5s 4: Rung(1) buy 3 limit 85
        "#]],
    );
}

#[test]
fn a_failed_child_is_tried_once_more_and_then_the_parent_pauses() {
    use Step::{Reject, Wait};
    check(
        wish(Side::Buy, 10, LIMIT, Plan::Iceberg { display: lots(5) }),
        &[Reject(0), Wait(1), Reject(1), Wait(60), Step::Ask(Ask::Resume), Step::Fill(2, 5)],
        expect![[r#"
            0s 0: Slice(0) buy 5 limit 90
            1s 1: Slice(1) buy 5 limit 90
            1s Paused { reason: "the venue rejected it" }
            61s 2: Slice(2) buy 5 limit 90
            61s 3: Slice(3) buy 5 limit 90
        "#]],
    );
    check(
        wish(Side::Buy, 10, OrderKind::Market, twap(10, 1)),
        &[Step::Refuse, Wait(10), Reject(0), Wait(10)],
        expect![[r#"
            0s 0: Slice(0) buy 10
            20s refused: Slice(2) buy 10
            20s Paused { reason: "too large" }
        "#]],
    );
}

#[test]
fn what_was_refused_is_forgotten_after_a_second_but_for_the_slices_of_a_schedule() {
    let iceberg = || wish(Side::Buy, 10, LIMIT, Plan::Iceberg { display: lots(5) });
    let schedule = wish(Side::Buy, 10, OrderKind::Market, twap(10, 2));
    for (wish, role, gone) in [
        (iceberg(), Role::Exit, 64),
        (iceberg(), Role::Slice(0), 64),
        (iceberg(), Role::Entry, 0),
        (schedule, Role::Slice(0), 0),
    ] {
        let (mut it, at) = (World::new(wish).parent().clone(), Timestamp::from_nanos(0));
        let request = OrderRequest::market(InstrumentId(0), Side::Sell, lots(10));
        for name in 0..64 {
            it.ask(role, ClientOrderId::from_u128(name), &request, at);
            it.refused("too large", Refused::ForNow, at);
        }
        assert_eq!(it.forget_spent(at.plus_nanos(RETRY_AFTER - 1)).len(), 0, "{role:?}: its name is not free yet");
        assert_eq!(it.forget_spent(at.plus_nanos(RETRY_AFTER)).len(), gone, "{role:?}");
        assert_eq!(it.proposed(), 64);
    }
}

#[test]
fn a_child_of_unknown_outcome_counts_in_full_and_stops_the_rest() {
    use Step::{Accept, Fill, Lose, Wait};
    check(
        wish(Side::Buy, 9, OrderKind::Market, twap(30, 3)),
        &[Lose(0), Wait(10), Wait(10), Accept(0), Fill(0, 3), Wait(10), Fill(1, 6)],
        expect![[r#"
            0s 0: Slice(0) buy 3
            20s 1: Slice(2) buy 6
            30s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn a_restart_changes_nothing() {
    use Step::{Fill, Restart, Wait};
    check(
        wish(Side::Buy, 9, OrderKind::Market, twap(30, 3)),
        &[Restart, Fill(0, 3), Wait(10), Restart, Fill(1, 3), Wait(10), Restart, Fill(2, 3)],
        expect![[r#"
            0s 0: Slice(0) buy 3
            10s 1: Slice(1) buy 3
            20s 2: Slice(2) buy 3
            20s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn what_a_fill_long_after_its_cancel_makes_too_much_is_taken_back() {
    use Step::{Accept, Cancel, Fill, Wait};
    // the tip was cancelled by the venue with nothing filled; its successor stands when the old one fills after all
    check(
        wish(Side::Buy, 10, LIMIT, Plan::Iceberg { display: lots(10) }),
        &[Accept(0), Cancel(0), Wait(5), Accept(1), Fill(0, 4), Cancel(1), Wait(5), Fill(2, 6), Wait(5)],
        expect![[r#"
            0s 0: Slice(0) buy 10 limit 90
            5s 1: Slice(1) buy 10 limit 90
            5s cancel 1
            5s 2: Slice(2) buy 6 limit 90
            10s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn only_as_much_is_taken_back_as_is_too_much_and_also_of_a_paused_parent() {
    use Step::{Accept, Ask as Say, Cancel, Fill, Wait};
    let rung = |at, quantity| Rung { price: price(at), quantity: lots(quantity) };
    let rungs = vec![rung(90, 4), rung(85, 3), rung(80, 3)];
    check(
        wish(Side::Buy, 10, LIMIT, Plan::Ladder { rungs }),
        &[
            Accept(0),
            Accept(1),
            Accept(2),
            Say(Ask::Pause),
            Cancel(0),
            Wait(2),
            Say(Ask::Resume),
            Accept(3),
            Say(Ask::Pause),
            Fill(0, 2),
            Wait(1),
            Cancel(3),
            Wait(9),
        ],
        expect![[r#"
            0s 0: Rung(0) buy 4 limit 90
            0s 1: Rung(1) buy 3 limit 85
            0s 2: Rung(2) buy 3 limit 80
            2s 3: Rung(0) buy 4 limit 90
            2s cancel 3
        "#]],
    );
}
