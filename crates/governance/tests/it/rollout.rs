//! The staged roll-out: on by evidence and two persons, back by one, the same again by one.

use crate::support::{World, code, name, person, seconds};
use tradewind_domain::Source;
use tradewind_governance::{Act, Caps, ChangeState, Changed, Policy, Principal, Role, STAGES, Stage, TrackRecord};

fn anna() -> Principal {
    person("anna", &[Role::Risk])
}
fn ben() -> Principal {
    person("ben", &[Role::Risk])
}
fn system() -> Principal {
    Principal::of_source(Source::Host)
}

fn shipped(place: Option<usize>) -> Option<Stage> {
    place.and_then(Stage::shipped)
}

/// Asks for a stage by its place; gives back the change's number.
fn ask(world: &mut World, old: Option<usize>, new: Option<usize>, by: &Principal) -> Result<u64, String> {
    let changed = Changed::Stage { old: shipped(old).map(Box::new), new: shipped(new).map(Box::new) };
    let facts = world.say(Act::ChangeSaid { changed, by: by.clone(), reason: "because".into() }, 0);
    code(&facts)?;
    let id = facts.iter().find_map(|fact| if let Act::ChangeAsked(change) = fact { Some(change.id) } else { None });
    Ok(id.unwrap())
}

fn answer(world: &mut World, change: u64, by: &Principal) -> Result<(), String> {
    code(&world.say(Act::ChangeAnswered { change, by: by.clone(), yes: true }, 1))
}

fn begun(operators: Vec<Principal>, place: usize) -> World {
    let mut world = World::new(operators);
    ask(&mut world, None, Some(place), &system()).unwrap();
    world
}

/// Shows the register exactly what stage `place` wants to have seen.
fn good(world: &mut World, place: usize) {
    let wanted = STAGES[place].2;
    world.register.rollout.as_mut().unwrap().seen = TrackRecord {
        days: wanted.days,
        fills: wanted.fills,
        drawdown_bps: wanted.drawdown_bps,
        result_bps: wanted.result_bps,
        incidents: wanted.incidents,
    };
}

fn stage(world: &World) -> Option<&str> {
    world.register.stage().map(|stage| stage.name.as_str())
}

#[test]
fn a_stage_is_left_with_every_criterion_met_and_two_persons_and_not_otherwise() {
    let mut world = begun(vec![anna(), ben()], 0);
    for (place, next) in [(0, Some("1000")), (1, Some("10000")), (2, None)] {
        let (old, new) = (Some(place), Some(place + 1).filter(|next| *next < 3));
        assert_eq!(ask(&mut world, old, new, &anna()), Err("GOV-36".into()), "nothing was seen yet");
        good(&mut world, place);
        let id = ask(&mut world, old, new, &anna()).unwrap();
        assert_eq!(stage(&world), Some(STAGES[place].0), "it waits");
        assert_eq!(answer(&mut world, id, &anna()), Err("GOV-23".into()), "nobody is their own second");
        assert_eq!(answer(&mut world, id, &Principal::of_source(Source::Agent(0))), Err("GOV-24".into()));
        world.register.rollout.as_mut().unwrap().incident();
        assert_eq!(answer(&mut world, id, &ben()), Err("GOV-36".into()), "an incident meanwhile counts");
        good(&mut world, place);
        answer(&mut world, id, &ben()).unwrap();
        assert_eq!(stage(&world), next);
        let rollout = world.register.rollout.as_ref().unwrap();
        assert_eq!((rollout.change, rollout.since, rollout.seen), (id, seconds(1), TrackRecord::default()));
        let change = &world.register.changes[&id];
        assert_eq!((change.by.as_str(), change.reason.as_str()), ("anna", "because"));
        assert_eq!(change.state, ChangeState::Done { approver: Some(name("ben")) });
    }
    // over: a new one may begin at any stage, by one person, since that only tightens
    ask(&mut world, None, Some(1), &ben()).unwrap();
    assert_eq!(stage(&world), Some("1000"));
}

#[test]
fn no_stage_is_skipped_and_what_was_asked_for_another_stage_is_stale() {
    let mut world = begun(vec![anna(), ben()], 0);
    good(&mut world, 0);
    assert_eq!(ask(&mut world, Some(0), Some(2), &anna()), Err("GOV-36".into()));
    assert_eq!(ask(&mut world, Some(0), None, &anna()), Err("GOV-36".into()));
    assert_eq!(ask(&mut world, Some(1), Some(2), &anna()), Err("GOV-31".into()));
    assert_eq!(ask(&mut world, None, Some(2), &anna()), Err("GOV-31".into()));
    let id = ask(&mut world, Some(0), Some(1), &anna()).unwrap();
    ask(&mut world, Some(0), Some(0), &ben()).unwrap(); // begun anew meanwhile
    assert_eq!(answer(&mut world, id, &ben()), Err("GOV-31".into()));
    assert_eq!(stage(&world), Some("100"));
}

#[test]
fn one_person_goes_back_or_begins_anew_and_alone_never_on() {
    let mut world = begun(Vec::new(), 2);
    let operator = Principal::operator();
    good(&mut world, 2);
    assert_eq!(ask(&mut world, Some(2), None, &operator), Err("GOV-28".into()));
    ask(&mut world, Some(2), Some(2), &operator).unwrap();
    assert_eq!(world.register.rollout.as_ref().unwrap().seen, TrackRecord::default());
    ask(&mut world, Some(2), Some(0), &operator).unwrap();
    assert_eq!(stage(&world), Some("100"));
    good(&mut world, 0);
    assert_eq!(ask(&mut world, Some(0), Some(1), &operator), Err("GOV-28".into()));
    let trader = person("tina", &[Role::Trader]);
    assert_eq!(ask(&mut world, Some(0), Some(0), &trader), Err("GOV-25".into()));
    assert_eq!(ask(&mut world, Some(0), Some(0), &Principal::of_source(Source::Strategy(0))), Err("GOV-24".into()));
}

#[test]
fn another_policy_leaves_the_stage_where_it_is() {
    let mut world = begun(Vec::new(), 1);
    let old = world.register.policy.clone().unwrap();
    let caps = Caps { order: Some(7), ..Caps::default() };
    let new = Policy { caps, stage: None, ..old.clone() };
    let changed = Changed::Policy { old: Box::new(old), new: Box::new(new) };
    code(&world.say(Act::ChangeSaid { changed, by: system(), reason: "settings".into() }, 0)).unwrap();
    assert_eq!(stage(&world), Some("1000"));
    assert_eq!(world.register.policy.as_ref().unwrap().caps.order, Some(7));
}

#[test]
fn a_stage_of_an_older_journal_is_left_only_after_its_evidence_began() {
    let mut world = World::new(vec![anna(), ben()]);
    world.register.policy = Some(Policy { stage: Stage::shipped(0), ..Policy::default() });
    assert_eq!(ask(&mut world, Some(0), Some(1), &anna()), Err("GOV-36".into()));
    ask(&mut world, Some(0), Some(0), &system()).unwrap();
    good(&mut world, 0);
    let id = ask(&mut world, Some(0), Some(1), &anna()).unwrap();
    answer(&mut world, id, &ben()).unwrap();
    assert_eq!(stage(&world), Some("1000"));
}

#[test]
fn a_change_of_the_stage_is_written_and_read_whole() {
    let mut world = begun(Vec::new(), 1);
    for changed in [
        Changed::Stage { old: shipped(Some(1)).map(Box::new), new: shipped(Some(0)).map(Box::new) },
        Changed::Stage { old: None, new: shipped(Some(0)).map(Box::new) },
    ] {
        let text = serde_json::to_string(&changed).unwrap();
        assert_eq!(serde_json::from_str::<Changed>(&text).unwrap(), changed, "{text}");
    }
    ask(&mut world, Some(1), Some(0), &Principal::operator()).unwrap();
    let text = serde_json::to_string(&world.register).unwrap();
    assert_eq!(serde_json::from_str::<tradewind_governance::Register>(&text).unwrap(), world.register);
}
