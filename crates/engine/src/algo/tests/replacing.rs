//! The new order takes what the old one left.

use super::*;

fn replacing(old: i64, new: i64) -> World {
    let id = ClientOrderId::from_u128(1);
    let request = OrderRequest { kind: LIMIT, ..OrderRequest::market(InstrumentId(0), Side::Buy, lots(old)) };
    let order = Order::new(&it(), PortfolioId(0), id, request, None).unwrap();
    let mut record = OrderRecord::new(order, Timestamp::from_nanos(0));
    for input in [OrderInput::Sent, OrderInput::Accepted] {
        record.on(input, Timestamp::from_nanos(0)).unwrap();
    }
    let wish = wish(Side::Buy, new, OrderKind::Limit { price: price(95) }, Plan::Replace { old: id });
    let mut parents = Parents::default();
    parents.open(wish, Timestamp::from_nanos(0), Some((Role::Replaced, &record)));
    World::of(parents, vec![record])
}

fn check_replace(old: i64, new: i64, steps: &[Step], want: &Expect) {
    let mut world = replacing(old, new);
    world.run();
    for step in steps {
        world.step(*step);
        let most = world.parent().committed();
        assert!(most <= lots(old.max(new)), "{most:?} may fill after {step:?}");
    }
    want.assert_eq(&(world.log.join("\n") + "\n"));
}

#[test]
fn a_replacement_waits_for_the_end_of_the_old_order_and_takes_what_it_left() {
    use Step::{Cancel, Fill, Lose, Wait};
    let clean = expect![[r#"
        0s cancel 0
        0s 1: Replacement buy 8 limit 95
        1s Over { end: Finished, reason: "all of it" }
    "#]];
    check_replace(10, 8, &[Cancel(0), Wait(1), Fill(1, 8)], &clean);
    let raced = expect![[r#"
        0s cancel 0
        0s 1: Replacement buy 11 limit 95
    "#]];
    check_replace(10, 15, &[Fill(0, 4), Cancel(0), Wait(1)], &raced);
    let filled = expect![[r#"
          0s cancel 0
          0s Over { end: Finished, reason: "all of it" }
    "#]];
    check_replace(10, 8, &[Fill(0, 10)], &filled);
    let unknown = expect![[r#"
        0s cancel 0
        30s cancel 0
        60s cancel 0
        60s 1: Replacement buy 5 limit 95
    "#]];
    check_replace(10, 5, &[Lose(0), Wait(30), Wait(30), Cancel(0), Wait(1)], &unknown);
    let rejected = expect![[r#"
        0s cancel 0
        0s 1: Replacement buy 8 limit 95
        2s 2: Replacement buy 8 limit 95
        2s Paused { reason: "the venue rejected it" }
    "#]];
    check_replace(10, 8, &[Cancel(0), Wait(1), Step::Reject(1), Wait(1), Step::Reject(2), Wait(9)], &rejected);
}
