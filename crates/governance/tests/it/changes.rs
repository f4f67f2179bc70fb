//! Limits and policy: down at once, up by two.

use crate::support::{ONE, World, code, name, person, put, seconds};
use tradewind_domain::{PortfolioId, Source};
use tradewind_governance::{
    Act, Autonomy, Caps, Change, ChangeState, Changed, Deny, HALT_CALLS_KEPT, Latch, Policy, Principal, Role, Roster,
    Scope, SourceRule, Stage, Threshold, Tighter, loosens,
};

fn anna() -> Principal {
    person("anna", &[Role::Risk])
}
fn ben() -> Principal {
    person("ben", &[Role::Risk])
}

fn limit(old: Option<i64>, new: Option<i64>) -> Changed {
    Changed::Limit { portfolio: PortfolioId(1), name: "max_order.amount".into(), tighter: Tighter::Lower, old, new }
}

fn ask(world: &mut World, changed: Changed, by: &Principal, second: i64) -> (u64, Result<(), String>) {
    let facts = world.say(Act::ChangeSaid { changed, by: by.clone(), reason: "because".into() }, second);
    let id = facts.iter().find_map(|fact| if let Act::ChangeAsked(change) = fact { Some(change.id) } else { None });
    (id.unwrap_or(0), code(&facts))
}

fn answer(world: &mut World, change: u64, by: &Principal, yes: bool, second: i64) -> Result<(), String> {
    code(&world.say(Act::ChangeAnswered { change, by: by.clone(), yes }, second))
}

fn value(world: &World) -> Option<Option<i64>> {
    world.register.overridden(PortfolioId(1), "max_order.amount")
}

#[test]
fn a_number_loosens_away_from_its_tight_side_and_no_number_is_the_loosest() {
    for (tighter, old, new, want) in [
        (Tighter::Lower, Some(5), Some(6), true),
        (Tighter::Lower, Some(5), Some(5), false),
        (Tighter::Lower, Some(5), Some(4), false),
        (Tighter::Higher, Some(5), Some(4), true),
        (Tighter::Higher, Some(5), Some(6), false),
        (Tighter::Lower, Some(5), None, true),
        (Tighter::Lower, None, Some(5), false),
        (Tighter::Lower, None, None, false),
        (Tighter::Same, Some(1), Some(2), true),
        (Tighter::Same, Some(2), Some(1), true),
        (Tighter::Same, Some(2), Some(2), false),
    ] {
        assert_eq!(loosens(tighter, old, new), want, "{tighter:?} {old:?} {new:?}");
    }
}

#[test]
fn a_limit_goes_down_at_once_and_up_by_a_second_person_within_a_day() {
    let mut world = World::new(vec![anna(), ben()]);
    assert_eq!(ask(&mut world, limit(Some(10), Some(8)), &anna(), 0).1, Ok(()));
    assert_eq!(value(&world), Some(Some(8)));
    let (id, said) = ask(&mut world, limit(Some(8), Some(20)), &anna(), 10);
    assert_eq!((said, value(&world)), (Ok(()), Some(Some(8))));
    assert_eq!(answer(&mut world, id, &anna(), true, 11), Err("GOV-23".into()));
    assert_eq!(answer(&mut world, id, &Principal::of_source(Source::Agent(0)), true, 11), Err("GOV-24".into()));
    assert_eq!(answer(&mut world, id, &person("carl", &[Role::Approver]), true, 11), Err("GOV-25".into()));
    assert_eq!(answer(&mut world, id, &ben(), true, 10 + 86_399), Ok(()));
    assert_eq!(value(&world), Some(Some(20)));
    assert_eq!(answer(&mut world, id, &ben(), true, 10 + 86_399), Err("GOV-20".into()));
    // who, when, old, new, reason, approver
    let change = &world.register.changes[&id];
    assert_eq!((change.by.as_str(), change.asked_at, change.reason.as_str()), ("anna", seconds(10), "because"));
    assert_eq!(change.changed, limit(Some(8), Some(20)));
    assert_eq!(change.state, ChangeState::Done { approver: Some(name("ben")) });
}

#[test]
fn a_change_dies_after_a_day_by_a_no_or_by_a_later_one() {
    let mut world = World::new(vec![anna(), ben()]);
    let (late, _) = ask(&mut world, limit(Some(8), Some(20)), &anna(), 0);
    assert_eq!(answer(&mut world, late, &ben(), true, 86_400), Err("GOV-30".into()));
    let (refused, _) = ask(&mut world, limit(Some(8), Some(20)), &anna(), 0);
    assert_eq!(answer(&mut world, refused, &ben(), false, 1), Ok(()));
    assert_eq!(answer(&mut world, refused, &ben(), true, 2), Err("GOV-20".into()));
    let (stale, _) = ask(&mut world, limit(Some(8), Some(20)), &anna(), 0);
    ask(&mut world, limit(Some(8), Some(5)), &ben(), 1).1.unwrap();
    assert_eq!(answer(&mut world, stale, &ben(), true, 2), Err("GOV-31".into()));
    assert_eq!(answer(&mut world, 999, &ben(), true, 2), Err("GOV-29".into()));
    assert_eq!(value(&world), Some(Some(5)));
}

#[test]
fn a_rejected_change_says_each_name_once_and_reads_as_it_was_written_before() {
    let mut world = World::new(vec![anna(), ben()]);
    let (id, _) = ask(&mut world, limit(Some(8), Some(20)), &anna(), 0);
    answer(&mut world, id, &ben(), false, 1).unwrap();
    let change = &world.register.changes[&id];
    assert_eq!(change.state, ChangeState::Rejected { rejected_by: name("ben") });
    let text = serde_json::to_string(change).unwrap();
    assert_eq!(
        (text.matches(r#""by":"anna""#).count(), text.matches(r#""rejected_by":"ben""#).count()),
        (1, 1),
        "{text}"
    );
    assert_eq!(text.matches("by\"").count(), 2, "{text}");
    // logic 4 and before: a snapshot has the change, a record its new state alone
    let before = text.replace("rejected_by", "by");
    assert_eq!(serde_json::from_str::<Change>(&before).unwrap(), *change);
    let moved = Act::ChangeMoved { change: id, to: change.state.clone() };
    let record = serde_json::to_string(&moved).unwrap().replace("rejected_by", "by");
    assert_eq!(serde_json::from_str::<Act>(&record).unwrap(), moved);
}

#[test]
fn one_person_alone_lowers_and_does_not_raise() {
    let mut world = World::new(Vec::new());
    let operator = Principal::operator();
    assert_eq!(ask(&mut world, limit(Some(10), Some(8)), &operator, 0).1, Ok(()));
    assert_eq!(ask(&mut world, limit(Some(8), Some(9)), &operator, 1).1, Err("GOV-28".into()));
    assert_eq!(value(&world), Some(Some(8)));
    for (by, code) in [(Principal::of_source(Source::Agent(0)), "GOV-24"), (person("tina", &[Role::Trader]), "GOV-25")]
    {
        assert_eq!(ask(&mut world, limit(Some(8), Some(1)), &by, 2).1, Err(code.to_owned()));
    }
}

#[test]
fn settings_that_loosen_at_start_wait_for_two_persons_once_two_are_named() {
    let system = Principal::of_source(Source::Host);
    let mut alone = World::new(Vec::new());
    assert_eq!(ask(&mut alone, limit(Some(8), Some(9)), &system, 0).1, Ok(()));
    assert_eq!(value(&alone), Some(Some(9)));
    let mut two = World::new(vec![anna(), ben()]);
    let (id, said) = ask(&mut two, limit(Some(8), Some(9)), &system, 0);
    assert_eq!((said, value(&two)), (Ok(()), None));
    assert_eq!(answer(&mut two, id, &anna(), true, 1), Ok(()));
    assert_eq!(value(&two), None, "she may have written the settings herself");
    assert_eq!(answer(&mut two, id, &anna(), true, 2), Err("GOV-23".into()));
    assert_eq!(answer(&mut two, id, &ben(), true, 3), Ok(()));
    assert_eq!(value(&two), Some(Some(9)));
}

#[test]
fn a_policy_is_looser_in_the_parts_in_which_it_is() {
    type Change = fn(&mut Policy);
    let mut base = Policy {
        deny: vec![Deny { symbol: Some("X/Y".into()), ..Deny::default() }],
        caps: Caps { order: Some(10 * ONE), day: Some(100 * ONE), orders_day: Some(10) },
        approvals: vec![Threshold { from: 5 * ONE, quorum: 1 }, Threshold { from: 50 * ONE, quorum: 2 }],
        stage: Stage::shipped(0),
        ..Policy::default()
    };
    for list in [&mut base.allow.venues, &mut base.allow.symbols] {
        list.extend(["a".to_owned(), "b".to_owned()]);
    }
    base.allow.addresses.insert("0x1".into(), seconds(0));
    let rule = SourceRule { autonomy: Some(Autonomy::HumanApproval), caps: base.caps };
    base.sources.insert(name("agent-0"), rule);
    let of =
        |policy: &mut Policy, change: fn(&mut SourceRule)| change(policy.sources.get_mut(&name("agent-0")).unwrap());
    let looser: [(Change, &str); 16] = [
        (|policy| policy.deny.clear(), "deny"),
        (|policy| put(policy.allow.venues.insert("c".into())), "allow.venues"),
        (|policy| policy.allow.symbols.clear(), "allow.symbols"),
        (|policy| put(policy.allow.chains.insert("c".into())), "allow.chains"),
        (|policy| put(policy.allow.addresses.insert("0x2".into(), seconds(0))), "allow.addresses"),
        (|policy| policy.caps.order = Some(10 * ONE + 1), "caps.order"),
        (|policy| policy.caps.day = None, "caps.day"),
        (|policy| policy.caps.orders_day = Some(11), "caps.orders_day"),
        (|policy| policy.stage = Stage::shipped(1), "stage"),
        (|policy| policy.stage = None, "stage"),
        (|policy| policy.approvals.clear(), "approvals"),
        (|policy| policy.approvals[0].from += 1, "approvals"),
        (|policy| policy.approvals[1].quorum = 1, "approvals"),
        (|policy| policy.sources.clear(), "sources"),
        (|policy| policy.sources.values_mut().for_each(|rule| rule.autonomy = Some(Autonomy::Bounded)), "sources"),
        (|policy| policy.sources.values_mut().for_each(|rule| rule.caps.day = None), "sources"),
    ];
    for (change, part) in looser {
        let mut new = base.clone();
        change(&mut new);
        assert_eq!(new.looser_than(&base), [part]);
        assert!(Changed::Policy { old: Box::new(base.clone()), new: Box::new(new) }.loosens());
    }
    let tighter: [Change; 7] = [
        |_| (),
        |policy| policy.deny.push(Deny::default()),
        |policy| put(policy.allow.venues.remove("a")),
        |policy| policy.allow.addresses.clear(),
        |policy| policy.caps.order = Some(1),
        |policy| policy.approvals[0].from = 1,
        |policy| policy.approvals.push(Threshold { from: 7 * ONE, quorum: 3 }),
    ];
    for change in tighter {
        let mut new = base.clone();
        change(&mut new);
        assert!(new.looser_than(&base).is_empty(), "{:?}", new.looser_than(&base));
    }
    let mut new = base.clone();
    of(&mut new, |rule| rule.autonomy = Some(Autonomy::ResearchOnly));
    assert!(new.looser_than(&base).is_empty());
}

#[test]
fn a_new_address_counts_from_the_moment_it_came_into_force() {
    let mut world = World::new(Vec::new());
    let system = Principal::of_source(Source::Host);
    let with = |addresses: &[&str]| {
        let mut policy = Policy::default();
        // whatever moment the settings claim, only the journal's counts
        policy.allow.addresses.extend(addresses.iter().map(|address| ((*address).to_owned(), seconds(-1_000_000))));
        policy
    };
    let set = |world: &mut World, new: Policy, second| {
        let old = world.register.policy.clone().unwrap_or_default();
        ask(world, Changed::Policy { old: Box::new(old), new: Box::new(new) }, &system, second).1.unwrap();
    };
    set(&mut world, with(&["0x1"]), 100);
    set(&mut world, with(&["0x1", "0x2"]), 200);
    let listed = |world: &World, address: &str| world.register.policy.as_ref().unwrap().allow.addresses[address];
    assert_eq!((listed(&world, "0x1"), listed(&world, "0x2")), (seconds(100), seconds(200)));
    set(&mut world, with(&["0x2"]), 300);
    set(&mut world, with(&["0x1", "0x2"]), 400); // taken off and put on again: new
    assert_eq!((listed(&world, "0x1"), listed(&world, "0x2")), (seconds(400), seconds(200)));
}

#[test]
fn what_the_settings_loosen_takes_two_of_the_persons_on_record() {
    let roster = |persons: &[Principal], token: &str| Roster {
        operators: persons.to_vec(),
        tokens: persons.iter().map(|it| (it.name.clone(), format!("{token} of {}", it.name))).collect(),
    };
    let both = roster(&[anna(), ben()], "a");
    let with_carl = roster(&[anna(), ben(), person("carl", &[Role::Risk])], "a");
    let fewer_roles = roster(&[anna(), person("ben", &[Role::Trader])], "a");
    for new in [roster(&[anna()], "a"), roster(&[], "a"), roster(&[anna(), ben()], "b"), with_carl, fewer_roles] {
        let mut world = World::new(vec![anna(), ben()]);
        world.register.tokens = both.tokens.clone();
        let changed = Changed::Operators { old: Box::new(both.clone()), new: Box::new(new.clone()) };
        let system = Principal::of_source(Source::Host);
        let (id, said) = ask(&mut world, changed.clone(), &system, 0);
        assert_eq!((said, world.register.awaits(&changed, seconds(0))), (Ok(()), true));
        let answer = |world: &mut World, by: Principal, second| {
            code(&world.say(Act::ChangeAnswered { change: id, by, yes: true }, second))
        };
        assert_eq!(answer(&mut world, person("carl", &[Role::Approver]), 1), Err("GOV-25".into()));
        assert_eq!(answer(&mut world, anna(), 2), Ok(()));
        assert_eq!(world.register.roster(), both, "one of two has said yes");
        assert_eq!(answer(&mut world, anna(), 3), Err("GOV-23".into()));
        assert_eq!(answer(&mut world, ben(), 4), Ok(()));
        assert_eq!(world.register.roster(), new);
        let change = &world.register.changes[&id];
        assert_eq!((change.by.as_str(), &change.changed), ("anna", &changed));
    }
    // where one person alone changes limits, the settings are that person's word
    let mut world = World::new(vec![anna()]);
    let changed = Changed::Operators { old: Box::new(world.register.roster()), new: Box::new(both.clone()) };
    ask(&mut world, changed, &Principal::of_source(Source::Host), 0).1.unwrap();
    assert_eq!(world.register.roster(), both);
}

#[test]
fn persons_whom_one_token_proves_are_never_named() {
    let roster = |tokens: [&str; 2]| {
        let tokens = [anna(), ben()].into_iter().map(|it| it.name).zip(tokens.map(str::to_owned)).collect();
        Box::new(Roster { operators: vec![anna(), ben()], tokens })
    };
    let (apart, shared) = (roster(["0a", "0b"]), roster(["0a", "0A"]));
    let system = Principal::of_source(Source::Host);
    for persons in [vec![anna()], vec![anna(), ben()]] {
        let mut world = World::new(persons);
        let old = Box::new(world.register.roster());
        let changed = |new: &Roster| Changed::Operators { old: old.clone(), new: Box::new(new.clone()) };
        assert_eq!(ask(&mut world, changed(&shared), &system, 0).1, Err("GOV-41".into()));
        assert_eq!(world.register.roster(), *old);
        assert_eq!(ask(&mut world, changed(&apart), &system, 0).1, Ok(()));
    }
    // one that waits from before is not agreed to
    let mut world = World::new(vec![anna(), ben()]);
    let changed = Changed::Operators { old: Box::new(world.register.roster()), new: shared };
    let (by, reason) = (name("anna"), "because".to_owned());
    let waiting = Change { id: 7, changed, by, asked_at: seconds(0), reason, state: ChangeState::Asked };
    world.register.changes.insert(7, waiting);
    assert_eq!(answer(&mut world, 7, &ben(), true, 1), Err("GOV-41".into()));
    assert_eq!(answer(&mut world, 7, &ben(), false, 1), Ok(()));
}

#[test]
fn a_kill_switch_keeps_its_first_reason_until_somebody_who_may_clears_it() {
    let mut world = World::new(vec![anna(), ben()]);
    let latch = |reason: &str| Latch {
        by: name("strategy-0"),
        kind: tradewind_governance::Kind::Strategy,
        tripped_by: Some(name("anna")),
        at: seconds(0),
        reason: reason.into(),
    };
    let scope: Scope = "venue:binance".parse().unwrap();
    world.say(Act::Latched { scope: scope.clone(), latch: latch("first") }, 0);
    world.say(Act::Latched { scope: scope.clone(), latch: latch("second") }, 1);
    let over = |world: &World, venue| {
        let found = world.register.latched(Source::Strategy(3), None, tradewind_domain::AccountId(0), venue);
        found.map(|(_, latch)| latch.reason.clone())
    };
    assert_eq!((over(&world, "binance"), over(&world, "kraken")), (Some("first".into()), None));
    let clear = |world: &mut World, by: Principal| {
        code(&world.say(Act::ClearSaid { scope: scope.clone(), by, reason: "found it".into() }, 2))
    };
    world.register.restarted();
    assert!(over(&world, "binance").is_some()); // a restart clears nothing
    assert_eq!(clear(&mut world, anna()), Err("GOV-35".into()));
    assert_eq!(clear(&mut world, Principal::of_source(Source::Agent(0))), Err("GOV-24".into()));
    assert_eq!(clear(&mut world, ben()), Ok(()));
    assert_eq!(over(&world, "binance"), None);
    assert_eq!(clear(&mut world, ben()), Err("GOV-37".into()));
}

#[test]
fn an_asset_enters_a_sector_freely_and_leaves_it_by_two() {
    let changed = |old: Option<&str>, new: Option<&str>| Changed::Sector {
        asset: "BTC".to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    for (old, new, loosens) in [
        (None, Some("majors"), false),
        (None, None, false),
        (Some("majors"), Some("majors"), false),
        (Some("majors"), Some("alts"), true),
        (Some("majors"), None, true),
    ] {
        assert_eq!(changed(old, new).loosens(), loosens, "{old:?} {new:?}");
    }
}

#[test]
fn what_a_limit_was_before_people_changed_it_is_told_as_far_as_the_changes_follow_one_another() {
    let mut world = World::new(vec![anna(), ben()]);
    let before = |world: &World| world.register.before_changes(PortfolioId(1), "max_order.amount");
    assert_eq!(before(&world), None, "nobody changed it");
    for (second, old, new) in [(0, 10, 8), (1, 8, 5)] {
        ask(&mut world, limit(Some(old), Some(new)), &anna(), second).1.unwrap();
    }
    assert_eq!(before(&world), Some(Some(10)));
    ask(&mut world, limit(Some(5), Some(9)), &anna(), 2).1.unwrap(); // waits for ben, and counts for nothing
    assert_eq!(before(&world), Some(Some(10)));
    // new settings said 7 at a start in between: what people change since begins with that
    ask(&mut world, limit(Some(7), Some(6)), &ben(), 3).1.unwrap();
    assert_eq!(before(&world), Some(Some(7)));
    assert_eq!(world.register.before_changes(PortfolioId(2), "max_order.amount"), None, "of another portfolio");

    let gross = |old, new| Changed::AccountLimit { name: "gross".into(), tighter: Tighter::Lower, old, new };
    assert_eq!(world.register.before_changes_of_account("gross"), None);
    ask(&mut world, gross(None, Some(30)), &anna(), 4).1.unwrap();
    ask(&mut world, gross(Some(30), Some(20)), &anna(), 5).1.unwrap();
    assert_eq!(world.register.before_changes_of_account("gross"), Some(None), "there was no limit");
    assert_eq!(world.register.overridden_account("gross"), Some(Some(20)));
}

#[test]
fn a_change_is_overtaken_by_a_later_one_about_the_same_that_holds() {
    let mut world = World::new(vec![anna(), ben()]);
    let resume = |why: &str| Changed::Resume { holds: vec![why.to_owned()] };
    let roster = |name: &str| Box::new(Roster { operators: vec![person(name, &[Role::Risk])], ..Roster::default() });
    let operators = |name: &str| Changed::Operators { old: roster("anna"), new: roster(name) };
    let stage = Changed::Stage { old: None, new: Stage::shipped(0).map(Box::new) };
    let policy = Changed::Policy { old: Box::default(), new: Box::default() };
    let sector = |new: Option<&str>| Changed::Sector {
        asset: "BTC".to_owned(),
        old: Some("majors".to_owned()),
        new: new.map(str::to_owned),
    };
    let subjects = [limit(Some(5), Some(9)), sector(Some("alts")), resume("loss"), operators("ben"), stage, policy];
    for (at, changed) in (1_u64..).zip(&subjects) {
        let asked = Change {
            id: at,
            changed: changed.clone(),
            by: name("anna"),
            asked_at: seconds(0),
            reason: "because".into(),
            state: ChangeState::Asked,
        };
        world.register.changes.insert(at, asked);
    }
    let overtaken =
        |world: &World| (1..=6).map(|id| world.register.overtaken_by(&world.register.changes[&id])).collect();
    let none: Vec<Option<u64>> = overtaken(&world);
    assert_eq!(none, [None; 6]);
    for (at, changed) in (11_u64..).zip(subjects.clone()) {
        let mut later = Change { id: at, changed, ..world.register.changes[&1].clone() };
        world.register.changes.insert(at, later.clone());
        later.id += 100;
        later.state = ChangeState::Done { approver: None };
        world.register.changes.insert(at + 100, later);
    }
    let all: Vec<Option<u64>> = overtaken(&world);
    assert_eq!(all, (111..117).map(Some).collect::<Vec<_>>(), "those that only wait overtake nothing");
}

#[test]
fn a_sector_given_at_run_time_counts_and_can_be_taken_back() {
    let mut world = World::new(vec![anna(), ben()]);
    let sector = |old: Option<&str>, new: Option<&str>| Changed::Sector {
        asset: "BTC".to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    assert_eq!(world.register.overridden_sector("BTC"), None);
    ask(&mut world, sector(None, Some("majors")), &anna(), 0).1.unwrap();
    assert_eq!(world.register.overridden_sector("BTC"), Some(Some("majors")));
    let (id, said) = ask(&mut world, sector(Some("majors"), None), &anna(), 1);
    assert_eq!((said, world.register.overridden_sector("BTC")), (Ok(()), Some(Some("majors"))));
    assert_eq!(answer(&mut world, id, &ben(), true, 2), Ok(()));
    assert_eq!(world.register.overridden_sector("BTC"), Some(None), "in none, whatever the settings say");
}

#[test]
fn calls_of_the_kill_switch_are_known_again_and_the_oldest_is_forgotten_first() {
    let mut world = World::new(Vec::new());
    let call = |at: usize| Act::HaltCalled { issued_at: i64::try_from(at).unwrap(), nonce: format!("{at:032x}") };
    (0..HALT_CALLS_KEPT + 2).for_each(|at| drop(world.say(call(at), 0)));
    assert_eq!(world.register.halt_calls.len(), HALT_CALLS_KEPT);
    assert_eq!(world.register.halt_calls.first().map(|(at, _)| *at), Some(2));
    world.say(call(5), 1);
    assert_eq!(world.register.halt_calls.len(), HALT_CALLS_KEPT, "one that was heard before is no second one");
    world.say(Act::TrailSigned { key: "aa".into() }, 2);
    assert_eq!(world.register.trail_key.as_deref(), Some("aa"));
}

#[test]
fn a_change_that_says_a_thing_twice_or_is_none_does_not_read() {
    let mut world = World::new(vec![anna(), ben()]);
    let (id, _) = ask(&mut world, limit(Some(10), Some(8)), &anna(), 0);
    let text = serde_json::to_string(&world.register.changes[&id]).unwrap();
    let fault = |text: &str| serde_json::from_str::<Change>(text).unwrap_err().to_string();
    let twice = text.replacen("\"reason\"", "\"reason\":\"another\",\"reason\"", 1);
    assert!(fault(&twice).contains("duplicate field `reason`"), "{}", fault(&twice));
    assert!(fault("7").contains("expected a change"), "{}", fault("7"));
    assert!(fault(&text.replacen("\"by\"", "\"who\"", 1)).contains("missing field `by`"));
}

#[test]
fn a_limit_of_the_account_is_known_as_it_was_and_as_people_made_it() {
    let mut world = World::new(vec![anna(), ben()]);
    let gross = |old, new| Changed::AccountLimit { name: "gross".into(), tighter: Tighter::Lower, old, new };
    let known =
        |world: &World| (world.register.overridden_account("gross"), world.register.before_changes_of_account("gross"));
    assert_eq!(known(&world), (None, None));
    assert_eq!(ask(&mut world, gross(Some(15_000), Some(9_000)), &anna(), 0).1, Ok(()));
    assert_eq!(known(&world), (Some(Some(9_000)), Some(Some(15_000))));
    assert_eq!(ask(&mut world, gross(Some(9_000), Some(7_000)), &ben(), 1).1, Ok(()));
    assert_eq!(known(&world), (Some(Some(7_000)), Some(Some(15_000))));
    assert_eq!(
        (world.register.overridden_account("net"), world.register.before_changes_of_account("net")),
        (None, None)
    );
}

#[test]
fn a_change_waits_for_its_second_person_until_a_day_is_over_and_no_longer() {
    let mut world = World::new(vec![anna(), ben()]);
    let more = limit(Some(8), Some(20));
    let (id, _) = ask(&mut world, more.clone(), &anna(), 10);
    let at = |second| world.register.awaiting(&more, seconds(second)).map(|change| change.id);
    assert_eq!((at(10), at(10 + 86_399), at(10 + 86_400)), (Some(id), Some(id), None));
    assert!(
        world.register.awaits(&more, seconds(11)) && !world.register.awaits(&limit(Some(8), Some(21)), seconds(11))
    );
}
