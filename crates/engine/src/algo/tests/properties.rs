//! Whatever happens: never more than the parent, and what was entered is covered.

use super::*;

fn any_step() -> impl Strategy<Value = Step> {
    let nth = 0_usize..12;
    prop_oneof![
        4 => (0_i64..20).prop_map(Step::Wait),
        1 => Just(Step::Refuse),
        4 => (nth.clone(), 1_i64..20).prop_map(|(nth, quantity)| Step::Fill(nth, quantity)),
        1 => nth.clone().prop_map(Step::Accept),
        1 => nth.clone().prop_map(Step::Reject),
        2 => nth.clone().prop_map(Step::Cancel),
        1 => nth.prop_map(Step::Lose),
        2 => (1_i64..200).prop_map(Step::Volume),
        1 => (80_i64..120).prop_map(Step::Trade),
        1 => Just(Step::Restart),
        1 => prop_oneof![Just(Ask::Cancel), Just(Ask::Pause), Just(Ask::Resume)].prop_map(Step::Ask),
    ]
}

fn any_plan() -> impl Strategy<Value = (OrderKind, Plan)> {
    let part = Participation { rate_bps: 2_000, clip: lots(3), until: Timestamp::from_nanos(200 * SECOND) };
    prop_oneof![
        (1_u32..8).prop_map(|slices| (OrderKind::Market, twap(80, slices))),
        (1_u32..8).prop_map(|slices| (LIMIT, twap(80, slices))),
        Just((OrderKind::Market, Plan::Participate(part))),
        (2_i64..20).prop_map(|display| (LIMIT, Plan::Iceberg { display: lots(display) })),
        (1_u32..6).prop_map(|n| (LIMIT, Plan::even_ladder(&it(), lots(40), price(90), price(80), n).unwrap())),
        Just((OrderKind::Touched { trigger: price(95) }, Plan::Wait)),
    ]
}

/// The venue confirms every cancel that it was asked for.
fn cancel_what_is_asked_for(world: &mut World) {
    while let Some(place) = world.parent().children.iter().position(|it| it.is_open() && it.cancel_asked.is_some()) {
        world.step(Step::Cancel(place));
    }
}

proptest! {
    /// However children fill, fail, are cancelled or lost, and whenever the process restarts: what all of them may
    /// still come to is never more than was asked, unless a fill came after the end of its order; and a parent that
    /// is over asks for nothing.
    #[test]
    fn children_never_exceed_their_parent(plan in any_plan(), steps in proptest::collection::vec(any_step(), 0..60)) {
        let (kind, plan) = plan;
        let mut world = World::new(wish(Side::Buy, 40, kind, plan));
        world.run();
        for step in steps {
            if let Step::Fill(nth, _) = step {
                let late = |record: &OrderRecord| {
                    let id = record.order.client_id();
                    world.parent().children.iter().any(|child| child.client_id == id && !child.may_fill())
                };
                if world.records.get(nth).is_some_and(late) {
                    continue; // the books book it, and it is nobody's budget
                }
            }
            let proposed = world.records.len();
            let closed = matches!(world.parent().state, ParentState::Over { .. } | ParentState::Ending { .. });
            world.step(step);
            prop_assert!(world.parent().committed() <= lots(40), "{:#?}", world.log);
            prop_assert!(!closed || world.records.len() == proposed, "{:#?}", world.log);
        }
    }

    /// A market TWAP whose children fill at once is never further from its schedule than a slice and a lot.
    #[test]
    fn a_twap_keeps_its_schedule(total in 20_i64..10_000, slices in 1_u32..10, waits in proptest::collection::vec(1_i64..9, 0..40)) {
        let mut world = World::new(wish(Side::Buy, total, OrderKind::Market, twap(i64::from(slices) * 10, slices)));
        world.run();
        let mut filled = 0;
        for wait in std::iter::once(0).chain(waits) {
            world.step(Step::Wait(wait));
            while filled < world.records.len() {
                world.step(Step::Fill(filled, i64::MAX));
                filled += 1;
            }
            let seconds = world.now.nanos() / SECOND;
            let slice = (seconds / 10 + 1).min(i64::from(slices));
            let ideal = total * slice / i64::from(slices);
            prop_assert!((world.parent().filled().mantissa() - ideal).abs() <= 2, "{:#?}", world.log);
        }
    }

    /// A bracket never leaves more than it entered, and what it entered is covered within six seconds of its last fill:
    /// what is small beside four pairs waits for more.
    #[test]
    fn a_bracket_covers_what_it_entered(fills in proptest::collection::vec((1_i64..20, 0_i64..4), 1..12)) {
        let entry = OrderKind::Limit { price: price(100) };
        let mut world = World::new(wish(Side::Buy, 40, entry, Plan::Bracket(PROTECTION)));
        world.run();
        for (quantity, wait) in fills {
            world.step(Step::Fill(0, quantity));
            world.step(Step::Wait(wait));
            cancel_what_is_asked_for(&mut world);
            let possible: i64 = world
                .parent()
                .children
                .iter()
                .filter(|child| matches!(child.role, Role::Stop(_)))
                .map(|child| child.possible().mantissa())
                .sum();
            prop_assert!(possible <= world.parent().children[0].filled.mantissa(), "{:#?}", world.log);
        }
        world.step(Step::Wait(5));
        cancel_what_is_asked_for(&mut world);
        world.step(Step::Wait(1));
        let parent = world.parent();
        let stops = parent.children.iter().filter(|child| matches!(child.role, Role::Stop(_)));
        let covered: i64 = stops.map(|child| child.possible().mantissa()).sum();
        let open = parent.children[0].filled.mantissa() - covered;
        prop_assert!(open < 2, "{open} uncovered: {:#?}", world.log);
    }
}
