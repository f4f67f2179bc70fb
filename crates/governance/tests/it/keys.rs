//! Idempotency: the same key and request, the same result.

use crate::support::{World, name, person, seconds};
use tradewind_domain::{ClientOrderId, Source};
use tradewind_governance::{
    Act, DecisionId, IdempotencyKey, KEY_LIFE_NANOS, KeyOutcome, KeyUse, Known, NamedDecision, Register, Role,
};

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(&name("anna"), text).unwrap()
}

fn claim(world: &mut World, text: &str, request: &str, second: i64) {
    world.say(Act::KeyClaimed { key: key(text), payload: KeyUse::payload_of(request.as_bytes()) }, second);
}

fn ask(register: &Register, text: &str, request: &str, second: i64) -> Result<Option<KeyOutcome>, String> {
    match register.key(&key(text), &KeyUse::payload_of(request.as_bytes()), seconds(second)) {
        Known::Fresh => Ok(None),
        Known::Same(outcome) => Ok(Some(outcome)),
        Known::Conflict(refused) => Err(refused.info().code.to_owned()),
    }
}

#[test]
fn the_same_request_has_the_same_result_and_another_one_conflicts() {
    let mut world = World::new(Vec::new());
    assert_eq!(ask(&world.register, "k", "buy 1", 0), Ok(None));
    claim(&mut world, "k", "buy 1", 0);
    assert_eq!(ask(&world.register, "k", "buy 1", 1), Ok(Some(KeyOutcome::Open)));
    let order = KeyOutcome::Order { client_id: ClientOrderId::from_u128(3) };
    world.register.note_outcome(world.sequence + 2, &order); // not the request that followed the claim
    assert_eq!(ask(&world.register, "k", "buy 1", 1), Ok(Some(KeyOutcome::Open)));
    world.register.note_outcome(world.sequence + 1, &order);
    assert_eq!(ask(&world.register, "k", "buy 1", 1), Ok(Some(order.clone())));
    assert_eq!(ask(&world.register, "k", "buy 2", 1), Err("GOV-32".into()));
    assert_eq!(ask(&world.register, "other", "buy 1", 1), Ok(None));
    // across a restart, which is a fold of the same facts
    let text = serde_json::to_string(&world.register).unwrap();
    let mut again: Register = serde_json::from_str(&text).unwrap();
    again.restarted();
    assert_eq!(ask(&again, "k", "buy 1", 2), Ok(Some(order)));
}

#[test]
fn a_held_or_refused_request_is_an_outcome_too() {
    let mut world = World::new(Vec::new());
    claim(&mut world, "held", "buy 1", 0);
    let id = world.hold(Source::Agent(0), 1, 0);
    assert_eq!(ask(&world.register, "held", "buy 1", 1), Ok(Some(KeyOutcome::Held { proposal: id })));
    claim(&mut world, "refused", "buy 1", 0);
    let refused = KeyOutcome::Refused { code: "GATE-07".into(), message: "no".into(), hint: "smaller".into() };
    world.say(Act::KeyDone { key: key("refused"), outcome: refused.clone() }, 1);
    assert_eq!(ask(&world.register, "refused", "buy 1", 1), Ok(Some(refused)));
}

#[test]
fn keys_of_two_persons_never_meet_and_unfit_ones_do_not_exist() {
    assert_ne!(key("k"), IdempotencyKey::new(&name("ben"), "k").unwrap());
    for text in ["", "a b", "\u{200B}", "é", &"k".repeat(65)] {
        assert_eq!(IdempotencyKey::new(&name("anna"), text), None, "{text}");
    }
}

#[test]
fn a_key_is_remembered_for_a_day_and_then_forgotten() {
    let mut world = World::new(Vec::new());
    claim(&mut world, "old", "buy 1", 0);
    let day = KEY_LIFE_NANOS / 1_000_000_000;
    assert_eq!(ask(&world.register, "old", "buy 1", day - 1), Ok(Some(KeyOutcome::Open)));
    assert_eq!(ask(&world.register, "old", "buy 1", day), Ok(None));
    claim(&mut world, "new", "buy 1", day);
    assert_eq!(world.register.keys.len(), 1); // memory is bounded by time
}

#[test]
fn the_outcome_of_a_request_is_that_of_the_event_that_named_its_key() {
    let mut world = World::new(Vec::new());
    assert!(world.register.is_empty());
    claim(&mut world, "k", "buy 1", 0);
    assert!(!world.register.is_empty());
    let far = world.sequence + 5; // other events came in between
    world.register.note_request(&key("k"), far);
    world.register.note_request(&key("k"), far + 1); // the first one it was
    world.register.note_request(&key("unknown"), far);
    let order = KeyOutcome::Order { client_id: ClientOrderId::from_u128(4) };
    world.register.note_outcome(far + 1, &order);
    assert_eq!(ask(&world.register, "k", "buy 1", 1), Ok(Some(KeyOutcome::Open)));
    world.register.note_outcome(far, &order);
    assert_eq!(ask(&world.register, "k", "buy 1", 1), Ok(Some(order)));
    assert!(key("k").is_of(&name("anna")) && !key("k").is_of(&name("ann")));
}

#[test]
fn who_spoke_is_the_person_right_before_the_request_or_before_the_claim_of_its_key() {
    let mut world = World::new(Vec::new());
    let anna = person("anna", &[Role::Trader]);
    world.say(Act::Speaks { by: anna.clone() }, 0);
    let spoke = world.sequence;
    assert_eq!(world.register.spoke_before(spoke + 1), Some(anna.clone()));
    assert_eq!(world.register.spoke_before(spoke + 2), None, "something else came in between");
    claim(&mut world, "k", "buy 1", 0);
    assert_eq!(world.register.spoke_before(spoke + 2), Some(anna), "the claim stands between them");
    assert_eq!(world.register.spoke_before(spoke + 3), None);
}

#[test]
fn an_order_follows_a_decision_of_its_own_source_that_is_still_remembered() {
    let mut world = World::new(Vec::new());
    let named = |by: &str| NamedDecision { by: name(by), id: DecisionId::new("idea-7") };
    world.say(Act::DecisionNamed(named("anna")), 0);
    let decision = world.sequence;
    let check = |world: &World, by: &str, decision| {
        world.register.check_decision(&name(by), decision).map_err(|refused| refused.info().code)
    };
    assert_eq!(check(&world, "anna", decision), Ok(()));
    let refused = check(&world, "ben", decision).unwrap_err();
    assert_eq!(check(&world, "anna", decision + 1), Err(refused), "no decision at all");
    (0..256).for_each(|_| drop(world.say(Act::DecisionNamed(named("ben")), 0)));
    assert_eq!(check(&world, "anna", decision), Err(refused), "256 later ones push it out");
    assert!(!world.register.requires_decisions());
}
