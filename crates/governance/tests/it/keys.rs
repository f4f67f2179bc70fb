//! Idempotency: the same key and request, the same result.

use crate::support::{World, name, seconds};
use tradewind_domain::{ClientOrderId, Source};
use tradewind_governance::{Act, IdempotencyKey, KEY_LIFE_NANOS, KeyOutcome, KeyUse, Known, Register};

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
