//! Proposals: who may say yes to what, until when, and what becomes of it.

use crate::support::{World, bitcoin, code, person, seconds, wish};
use proptest::prelude::*;
use std::sync::Mutex;
use tradewind_domain::{ClientOrderId, Incarnation, OrderRequest, PortfolioId, Quantity, Side, Source, Timestamp};
use tradewind_governance::{Act, OPEN_PROPOSALS_MAX, Principal, ProposalState, Role, Wish, WishHash};

const AGENT: Source = Source::Agent(0);

fn anna() -> Principal {
    person("anna", &[Role::Trader, Role::Approver, Role::Risk])
}
fn ben() -> Principal {
    person("ben", &[Role::Approver])
}
fn world() -> World {
    World::new(vec![anna(), ben(), person("carl", &[Role::Trader])])
}

#[test]
fn a_proposal_is_released_by_the_person_who_completes_the_quorum_once() {
    let mut world = world();
    let id = world.hold(AGENT, 2, 0);
    assert_eq!(world.approve(id, &anna(), 1), Ok(()));
    assert_eq!((world.held(id).state, world.released.len()), (ProposalState::Proposed, 0));
    assert_eq!(world.approve(id, &anna(), 2), Err("GOV-26".into())); // one person counts once
    assert_eq!(world.approve(id, &ben(), 3), Ok(()));
    assert_eq!((world.held(id).state, &world.released), (ProposalState::Approved, &vec![id]));
    assert_eq!(world.approve(id, &ben(), 4), Err("GOV-20".into())); // single use
}

#[test]
fn attack_19_the_proposer_never_counts_and_roles_add_no_person() {
    let mut world = world();
    let id = world.sequence + 1;
    let mut wish = wish(Source::Operator);
    wish.by = anna().name;
    let held = tradewind_governance::Held::new(id, wish, 1, crate::support::seconds(0), world.incarnation);
    world.say(Act::Held(Box::new(held)), 0);
    assert_eq!(world.approve(id, &anna(), 1), Err("GOV-23".into()));
    assert_eq!(world.approve(id, &person("carl", &[Role::Trader]), 1), Err("GOV-25".into()));
    assert_eq!(world.approve(id, &ben(), 1), Ok(()));
}

#[test]
fn s4_48_an_agent_or_model_never_approves_whatever_roles_it_claims() {
    let mut world = world();
    let id = world.hold(AGENT, 1, 0);
    for source in [Source::Agent(1), Source::Strategy(0), Source::Host] {
        let posing = Principal { roles: [Role::Approver].into(), ..Principal::of_source(source) };
        assert_eq!(world.approve(id, &posing, 1), Err("GOV-24".into()));
    }
}

#[test]
fn an_approval_lives_less_than_120_seconds() {
    for (second, want) in [(119, Ok(())), (120, Err("GOV-19".to_owned())), (100_000, Err("GOV-19".to_owned()))] {
        let mut world = world();
        let id = world.hold(AGENT, 1, 0);
        assert_eq!(world.approve(id, &anna(), second), want, "{second}");
    }
    let mut world = world();
    assert!(!world.register.is_waiting(), "nothing to end yet");
    let id = world.hold(AGENT, 1, 0);
    let now = |second| crate::support::seconds(second);
    assert!(world.register.is_waiting() && world.register.expire(now(119)).is_empty());
    let ends = world.register.expire(now(120));
    world.say(ends[0].clone(), 120);
    assert_eq!(world.held(id).state, ProposalState::Expired);
    assert!(world.register.expire(now(121)).is_empty() && !world.register.is_waiting());
}

#[test]
fn attack_20_an_approval_is_bound_to_the_exact_bytes() {
    let mut world = world();
    let id = world.hold(AGENT, 1, 0);
    let mut edited = world.held(id).wish.clone();
    edited.request.side = Side::Sell;
    for hash in [edited.hash(), WishHash::of_text(""), WishHash::of_text("0".repeat(64))] {
        let facts = world.say(Act::ApprovalSaid { proposal: id, hash, by: anna() }, 1);
        assert_eq!(code(&facts), Err("GOV-22".into()));
    }
    assert_eq!(world.approve(id, &anna(), 1), Ok(()));
}

#[test]
fn every_field_of_a_wish_is_in_its_hash() {
    let plain = wish(AGENT);
    let changes: [fn(&mut tradewind_governance::Wish); 12] = [
        |wish| wish.by = crate::support::name("other"),
        |wish| wish.source = Source::Operator,
        |wish| wish.portfolio.0 = 1,
        |wish| wish.venue = "kraken".into(),
        |wish| wish.market = "option".into(),
        |wish| wish.symbol = "BTC/USDC".into(),
        |wish| wish.chain = Some("base".into()),
        |wish| wish.address = Some("0x1".into()),
        |wish| wish.request.quantity = tradewind_domain::Quantity::from_mantissa(1_001),
        |wish| wish.request.reduce_only = true,
        |wish| {
            wish.request.kind = tradewind_domain::OrderKind::Limit { price: tradewind_domain::Price::from_mantissa(1) }
        },
        |wish| wish.reason = "another reason".into(),
    ];
    let mut seen = std::collections::BTreeSet::from([plain.hash()]);
    for change in changes {
        let mut other = plain.clone();
        change(&mut other);
        assert!(seen.insert(other.hash()), "{other:?}");
    }
    // moved text is other bytes: fields do not run into each other
    let mut moved = plain;
    (moved.venue, moved.market) = ("binan".into(), "cespot".into());
    assert!(seen.insert(moved.hash()));
}

#[test]
fn after_a_restart_proposals_are_listed_and_void() {
    let mut world = world();
    let id = world.hold(AGENT, 2, 0);
    assert_eq!(world.approve(id, &anna(), 1), Ok(()));
    world.incarnation = Incarnation(8);
    world.register.restarted();
    assert_eq!(world.held(id).state, ProposalState::Void);
    assert_eq!(world.approve(id, &ben(), 2), Err("GOV-21".into()));
    assert!(world.released.is_empty());
}

#[test]
fn a_proposal_of_another_run_is_void_even_where_the_restart_was_not_recorded() {
    let mut world = world();
    let id = world.hold(AGENT, 1, 0);
    world.incarnation = Incarnation(9);
    assert_eq!(world.approve(id, &anna(), 1), Err("GOV-21".into()));
}

#[test]
fn attack_21_a_proposal_that_is_not_there_or_over_is_not_approved() {
    let mut world = world();
    let hash = WishHash::of_text("x");
    let facts = world.say(Act::ApprovalSaid { proposal: 99, hash, by: anna() }, 1);
    assert_eq!(code(&facts), Err("GOV-18".into()));
    let reject = |id, by: Principal, changes| Act::RejectionSaid { proposal: id, by, reason: "no".into(), changes };
    for (by, changes, state, told) in [
        (ben(), false, ProposalState::Rejected, "was rejected"),
        (ben(), true, ProposalState::NeedsChanges, "was sent back to be changed"),
        // whoever asked may withdraw
        (Principal::of_source(AGENT), false, ProposalState::Cancelled, "was withdrawn, or its order cancelled"),
    ] {
        let id = world.hold(AGENT, 1, 10);
        let facts = world.say(reject(id, by, changes), 11);
        assert_eq!(code(&facts), Ok(()));
        assert_eq!(world.held(id).state, state);
        assert_eq!(world.approve(id, &anna(), 12), Err("GOV-20".into()));
        let hash = world.held(id).hash.clone();
        let no =
            world.register.judge(&Act::ApprovalSaid { proposal: id, hash, by: anna() }, crate::support::at(99, 12));
        let [Act::Refused(no)] = no.as_slice() else { panic!("{no:?}") };
        assert_eq!(
            (no.value.as_str(), no.limit.as_str()),
            (&*format!("proposal {id} {told}"), "one that waits for people")
        );
    }
    let id = world.hold(AGENT, 1, 20);
    let facts = world.say(reject(id, person("carl", &[Role::Trader]), false), 21);
    assert_eq!(code(&facts), Err("GOV-25".into()));
}

#[test]
fn its_order_tells_what_became_of_it() {
    let order = ClientOrderId::from_u128(5);
    for end in [ProposalState::Filled, ProposalState::Cancelled, ProposalState::Rejected, ProposalState::Expired] {
        let mut world = world();
        let id = world.hold(AGENT, 1, 0);
        world.approve(id, &anna(), 1).unwrap();
        let moved = Act::Moved {
            proposal: id,
            to: ProposalState::Submitted,
            order: Some(order),
            other: None,
            note: String::new(),
        };
        world.say(moved, 1);
        world.register.order_moved(order, end);
        assert_eq!((world.held(id).state, world.held(id).order), (end, Some(order)));
        world.register.order_moved(order, ProposalState::Submitted);
        assert_eq!(world.held(id).state, end); // what is over stays over
    }
}

#[test]
fn nothing_leads_out_of_an_end_or_around_an_approval() {
    for from in ProposalState::ALL {
        for to in ProposalState::ALL {
            let may = from.may_become(to);
            let over_since_logic_5 = from == ProposalState::NeedsChanges; // older journals go on from it
            if !from.is_open() && from != ProposalState::Submitted && !over_since_logic_5 {
                assert!(!may, "{from:?} -> {to:?}");
            }
            if to == ProposalState::Submitted {
                assert_eq!(may, from == ProposalState::Approved, "{from:?} -> {to:?}");
            }
            if to == ProposalState::Filled {
                assert_eq!(may, from == ProposalState::Submitted, "{from:?} -> {to:?}");
            }
            assert!(!may || from != to);
        }
    }
}

#[test]
fn a_quorum_that_nobody_could_reach_is_told_at_once() {
    let alone = World::new(Vec::new());
    let operator = Principal::operator().name;
    assert!(alone.register.check_reachable(&crate::support::name("agent-0"), 1).is_ok());
    assert_eq!(alone.register.check_reachable(&operator, 1).unwrap_err().info().code, "GOV-28");
    let three = world();
    assert!(three.register.check_reachable(&anna().name, 1).is_ok());
    assert!(three.register.check_reachable(&anna().name, 2).is_err());
    assert!(three.register.check_reachable(&crate::support::name("agent-0"), 2).is_ok());
}

#[test]
fn attack_22_a_hundred_threads_race_and_one_order_comes_of_it() {
    let persons: Vec<Principal> = (0..100).map(|n| person(&format!("p{n}"), &[Role::Approver])).collect();
    for quorum in [1, 2, 50] {
        let mut first = World::new(persons.clone());
        let id = first.hold(AGENT, quorum, 0);
        let shared = Mutex::new(first);
        std::thread::scope(|scope| {
            for person in &persons {
                let shared = &shared;
                scope.spawn(move || {
                    for second in 1..4 {
                        let _ = shared.lock().unwrap().approve(id, person, second);
                    }
                });
            }
        });
        assert_eq!(shared.into_inner().unwrap().released, vec![id]);
    }
}

proptest! {
    /// Words that were all said before the first fact was recorded: still one release, and by exactly the quorum.
    #[test]
    fn one_release_in_whatever_order_words_and_facts_come(
        quorum in 1_u8..6,
        words in proptest::collection::vec(0_usize..100, 1..120),
        delays in proptest::collection::vec(0_usize..20, 120),
    ) {
        let persons: Vec<Principal> = (0..100).map(|n| person(&format!("p{n}"), &[Role::Approver])).collect();
        let mut world = World::new(persons.clone());
        let id = world.hold(AGENT, quorum, 0);
        let hash = world.held(id).hash.clone();
        let mut waiting: Vec<(usize, Act)> = Vec::new();
        for (turn, who) in words.iter().enumerate() {
            let word = Act::ApprovalSaid { proposal: id, hash: hash.clone(), by: persons[*who].clone() };
            let facts = world.register.judge(&word, crate::support::at(1_000 + turn as u64, 1));
            waiting.extend(facts.into_iter().map(|fact| (turn + delays[turn], fact)));
            let (due, later): (Vec<_>, Vec<_>) = waiting.drain(..).partition(|(when, _)| *when <= turn);
            waiting = later;
            due.into_iter().for_each(|(_, fact)| drop(world.say(fact, 1)));
        }
        waiting.drain(..).for_each(|(_, fact)| drop(world.say(fact, 1)));
        let mut voters = words.clone();
        voters.sort_unstable();
        voters.dedup();
        prop_assert_eq!(world.released.len(), usize::from(voters.len() >= usize::from(quorum)));
        prop_assert!(world.held(id).approvals.len() <= usize::from(quorum));
    }
}

#[test]
fn registers_of_any_content_are_read_as_they_were_written() {
    let mut world = world();
    let id = world.hold(AGENT, 1, 0);
    world.approve(id, &anna(), 1).unwrap();
    let text = serde_json::to_string(&world.register).unwrap();
    assert_eq!(serde_json::from_str::<tradewind_governance::Register>(&text).unwrap(), world.register);
    assert_eq!(serde_json::to_string(&tradewind_governance::Register::default()).unwrap(), "{}");
    assert_eq!(world.held(id).expires_at(), Timestamp::from_nanos(1_700_000_120_000_000_000));
}

#[test]
fn a_source_waits_with_no_order_twice_and_with_twenty_at_most() {
    let mut world = World::new(Vec::new());
    let agent = Source::Agent(0);
    let check = |world: &World, wish: &Wish, second: i64| {
        world.register.check_crowd(wish, seconds(second)).map_err(|refused| refused.info().code)
    };
    let first = wish(agent);
    assert_eq!(check(&world, &first, 0), Ok(()));
    world.hold(agent, 1, 0);
    let same = check(&world, &first, 1).unwrap_err();
    assert_eq!(check(&world, &wish(Source::Agent(1)), 1), Ok(()), "another one's");
    assert_eq!(check(&world, &first, 121), Ok(()), "its time is over");
    for _ in 1..OPEN_PROPOSALS_MAX {
        world.hold(agent, 1, 0);
    }
    let it = bitcoin();
    let request = OrderRequest::market(it.id, Side::Buy, Quantity::from_mantissa(2_000));
    let by = Principal::of_source(agent).name;
    let other = Wish::of_order(by, agent, PortfolioId(0), &it, request, "it looks cheaper");
    let crowd = check(&world, &other, 1).unwrap_err();
    assert!(crowd != same, "{crowd}");
    assert_eq!(check(&world, &other, 121), Ok(()));
}
