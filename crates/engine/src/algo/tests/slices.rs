//! Schedules, participation, icebergs and ladders, step by step.

use super::*;

#[test]
fn a_twap_sends_even_slices_and_the_last_takes_the_rest() {
    use Step::{Fill, Wait};
    check(
        wish(Side::Buy, 11, OrderKind::Market, twap(40, 4)),
        &[Fill(0, 2), Wait(9), Wait(1), Fill(1, 3), Wait(10), Fill(2, 3), Wait(10), Fill(3, 3)],
        expect![[r#"
            0s 0: Slice(0) buy 2
            10s 1: Slice(1) buy 3
            20s 2: Slice(2) buy 3
            30s 3: Slice(3) buy 3
            30s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn a_vwap_follows_its_curve() {
    use Step::{Fill, Wait};
    let curve = Schedule { weights: vec![1, 5, 2, 2], ..Schedule::even(Timestamp::from_nanos(0), 40 * SECOND, 4) };
    check(
        wish(Side::Sell, 100, OrderKind::Market, Plan::Schedule(curve)),
        &[Fill(0, 10), Wait(10), Fill(1, 50), Wait(10), Fill(2, 20), Wait(10), Fill(3, 20)],
        expect![[r#"
            0s 0: Slice(0) sell 10
            10s 1: Slice(1) sell 50
            20s 2: Slice(2) sell 20
            30s 3: Slice(3) sell 20
            30s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn an_outage_is_not_made_good_by_one_large_order() {
    use Step::{Fill, Wait};
    check(
        wish(Side::Buy, 100, OrderKind::Market, twap(100, 10)),
        &[Fill(0, 10), Wait(65), Fill(1, 30), Wait(5), Fill(2, 30), Wait(10), Fill(3, 20), Wait(10), Fill(4, 10)],
        expect![[r#"
            0s 0: Slice(0) buy 10
            65s 1: Slice(6) buy 30
            70s 2: Slice(7) buy 30
            80s 3: Slice(8) buy 20
            90s 4: Slice(9) buy 10
            90s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn a_participation_stays_behind_the_volume_that_it_saw() {
    use Step::{Fill, Volume, Wait};
    let part = Participation { rate_bps: 1_000, clip: lots(5), until: Timestamp::from_nanos(60 * SECOND) };
    check(
        wish(Side::Buy, 20, OrderKind::Market, Plan::Participate(part)),
        &[Volume(40), Volume(10), Fill(0, 5), Volume(100), Fill(1, 10), Volume(40), Wait(60)],
        expect![[r#"
            0s 0: Slice(0) buy 5
            0s 1: Slice(1) buy 10
            60s Ending { end: Expired, reason: "its time is up" }
            60s Over { end: Expired, reason: "its time is up" }
        "#]],
    );
}

#[test]
fn an_iceberg_shows_its_tip_and_hides_no_dust() {
    use Step::{Fill, Wait};
    check(
        wish(Side::Buy, 11, LIMIT, Plan::Iceberg { display: lots(5) }),
        &[Fill(0, 3), Fill(0, 2), Wait(1), Fill(1, 6)],
        expect![[r#"
              0s 0: Slice(0) buy 5 limit 90
              0s 1: Slice(1) buy 6 limit 90
              1s Over { end: Finished, reason: "all of it" }
        "#]],
    );
}

#[test]
fn a_ladder_stands_at_every_price_and_cancels_cleanly() {
    use Step::{Cancel, Fill, Wait};
    let ladder = Plan::even_ladder(&it(), lots(10), price(90), price(80), 3).unwrap();
    check(
        wish(Side::Buy, 10, LIMIT, ladder),
        &[Fill(1, 3), Step::Ask(Ask::Cancel), Cancel(0), Cancel(2), Wait(1)],
        expect![[r#"
            0s 0: Rung(0) buy 3 limit 90
            0s 1: Rung(1) buy 3 limit 85
            0s 2: Rung(2) buy 4 limit 80
            0s cancel 0
            0s cancel 2
            0s Over { end: Cancelled, reason: "on request" }
        "#]],
    );
}
