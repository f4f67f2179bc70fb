//! Whose a wish is, under which key, and what nobody may say.

use crate::stage::*;

/// What may stand between who speaks and what is asked: nothing, the hash that every 10,000th record is followed by, or
/// what a moment that passes leads to.
fn between() -> [Option<EventKind>; 3] {
    [None, Some(EventKind::StateHash { hash: "0".repeat(64), logic: 0 }), Some(EventKind::Timer)]
}

#[test]
fn who_asks_and_under_which_key_stands_in_the_request_whatever_is_recorded_before_it() {
    for (place, between) in between().into_iter().enumerate() {
        let approvals = vec![Threshold { from: 10 * UNIT, quorum: 1 }];
        let mut host = Host::new(Mode::Paper, Some(Policy { approvals, ..Policy::default() }));
        let payload = KeyUse::payload_of(b"buy");
        let ask = |host: &mut Host, second: i64, request| {
            let key = IdempotencyKey::new(&anna().name, &format!("k{second}")).unwrap();
            host.act(second, Act::Speaks { by: anna() });
            host.act(second, Act::KeyClaimed { key: key.clone(), payload: payload.clone() });
            if let Some(kind) = &between {
                host.say(second, Source::Host, kind.clone());
            }
            host.spoken = Some(Spoken { by: Some(anna().name), key: Some(key.clone()) });
            let id = host.propose(second, Source::Operator, request);
            (id, host.state.governance.key(&key, &payload, host.state.now))
        };
        let (_, known) = ask(&mut host, 1, buy(100));
        let client_id = host.sent[0].client_id();
        assert_eq!(known, Known::Same(KeyOutcome::Order { client_id }), "{place}");
        let (id, known) = ask(&mut host, 2, buy(1_000));
        assert_eq!(known, Known::Same(KeyOutcome::Held { proposal: id }), "{place}");
        assert_eq!(host.held(id).wish.by, anna().name, "{place}");
        host.approve(3, id, anna());
        assert_eq!(host.held(id).state, ProposalState::Proposed, "nobody is its own second: {place}");
        host.approve(4, id, ben());
        assert_eq!((host.held(id).state, host.sent.len()), (ProposalState::Submitted, 2), "{place}");
        host.check();
    }
}

#[test]
fn where_persons_are_named_nobody_stands_behind_a_wish_without_a_name() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    for spoken in [Spoken::default(), Spoken { by: Some(Name::new("carl").unwrap()), key: None }] {
        host.spoken = Some(spoken);
        host.propose(1, Source::Operator, buy(100));
        assert_eq!((host.refusal(), host.sent.len()), (Some((Guard::Policy, Some(Rule::Identity))), 0));
    }
    host.check();
}

#[test]
fn a_person_of_risk_who_does_not_trade_may_reduce_and_nothing_else() {
    let mut host = Host::holding(Policy::default());
    let exits = person("rita", &[Role::Risk]);
    let (operators, tokens) = (vec![anna(), exits.clone(), person("olga", &[Role::Approver])], Default::default());
    host.act(2, Act::OperatorsSet { operators, tokens });
    for (by, request, want) in [
        ("rita", buy(100), Some((Guard::Policy, Some(Rule::Identity)))),
        ("olga", OrderRequest { reduce_only: true, ..sell(50) }, Some((Guard::Policy, Some(Rule::Identity)))),
        ("rita", OrderRequest { reduce_only: true, ..sell(50) }, None),
    ] {
        host.spoken = Some(Spoken { by: Some(Name::new(by).unwrap()), key: None });
        host.propose(3, Source::Operator, request);
        assert_eq!(host.refusal(), want, "{by}");
    }
    host.check();
}

#[test]
fn i05_no_word_and_no_fact_of_governance_is_heard_of_what_decides_in_whose_name_ever() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let proposal = host.propose(1, AGENT, buy(1_000));
    let (hash, by) = (host.held(proposal).hash.clone(), ben());
    let latch =
        Latch { by: anna().name, kind: Kind::Person, tripped_by: None, at: Timestamp::default(), reason: "x".into() };
    let scope: Scope = "venue:other".parse().unwrap();
    host.act(2, Act::Latched { scope: scope.clone(), latch: latch.clone() });
    let limits = host.state.portfolios[0].limits;
    let changed = |name: &str, new| Changed::Limit {
        portfolio: PortfolioId(0),
        name: name.into(),
        tighter: Tighter::Lower,
        old: Some(100),
        new,
    };
    let change = host.state.sequence + 1;
    host.act(3, Act::ChangeSaid { changed: changed("drawdown_bps", Some(200)), by: anna(), reason: "x".into() });
    assert_eq!(host.state.governance.changes[&change].state, ChangeState::Asked);
    let (done, reason) = (ChangeState::Done { approver: Some(by.name.clone()) }, "I am sure".to_owned());
    let key = IdempotencyKey::new(&anna().name, "k").unwrap();
    let wants = Change {
        id: 900,
        changed: changed("daily_loss_bps", None),
        by: anna().name,
        asked_at: Timestamp::default(),
        reason: reason.clone(),
        state: done.clone(),
    };
    let model = Principal { kind: Kind::Model, ..person("model-1", &[Role::Approver, Role::Risk]) };
    let acts = |by: &Principal| -> Vec<Act> {
        let (by, name, reason) = (by.clone(), by.name.clone(), reason.clone());
        vec![
            Act::OperatorsSet { operators: vec![by.clone()], tokens: Default::default() },
            Act::Held(Box::new(host.held(proposal).clone())),
            Act::ApprovalSaid { proposal, hash: hash.clone(), by: by.clone() },
            Act::Approved { proposal, by: name.clone() },
            Act::RejectionSaid { proposal, by: by.clone(), reason: reason.clone(), changes: false },
            Act::Moved { proposal, to: ProposalState::Approved, order: None, other: None, note: String::new() },
            Act::ChangeSaid { changed: changed("drawdown_bps", Some(1)), by: by.clone(), reason: reason.clone() },
            Act::ChangeAsked(wants.clone()),
            Act::ChangeAnswered { change, by: by.clone(), yes: true },
            Act::ChangeMoved { change, to: done.clone() },
            Act::Latched { scope: Scope::Global, latch: latch.clone() },
            Act::ClearSaid { scope: scope.clone(), by: by.clone(), reason: reason.clone() },
            Act::Cleared { scope: scope.clone(), by: name.clone(), reason },
            Act::Speaks { by },
            Act::KeyClaimed { key: key.clone(), payload: KeyUse::payload_of(b"x") },
            Act::KeyDone { key: key.clone(), outcome: KeyOutcome::Open },
            Act::DecisionNamed(NamedDecision { by: name.clone(), id: DecisionId::new("idea") }),
            Act::HaltCalled { issued_at: 1, nonce: "n".into() },
            Act::Spent { by: name, units: 1 },
        ]
    };
    let acts: Vec<Act> = [by, model].iter().flat_map(acts).collect();
    let before = host.state.governance.clone();
    for act in acts {
        for source in [AGENT, Source::Strategy(0), Source::Venue, Source::Market, Source::Timer] {
            let records = host.journal.len();
            host.say(4, source, EventKind::Governance(Box::new(act.clone())));
            assert_eq!(host.state.governance, before, "{source:?} {act:?}");
            assert_eq!(host.journal.len(), records + 1, "nothing follows: {source:?} {act:?}");
        }
    }
    assert_eq!((host.state.portfolios[0].limits, host.sent.len()), (limits, 0));
    host.check();
}

#[test]
fn a_key_remembers_the_order_that_its_request_became() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let key = IdempotencyKey::new(&anna().name, "k1").unwrap();
    let payload = KeyUse::payload_of(b"buy 100");
    host.act(1, Act::Speaks { by: anna() });
    host.act(1, Act::KeyClaimed { key: key.clone(), payload: payload.clone() });
    host.propose(1, Source::Operator, buy(100));
    let outcome = KeyOutcome::Order { client_id: host.sent[0].client_id() };
    let known = |host: &Host| host.state.governance.key(&key, &payload, host.state.now);
    assert_eq!(known(&host), Known::Same(outcome.clone()));
    host.start(2, 12, Mode::Paper);
    assert_eq!(known(&host), Known::Same(outcome));
    host.check();
}

#[test]
fn a_key_remembers_the_parent_that_its_request_became() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let key = IdempotencyKey::new(&anna().name, "k1").unwrap();
    let payload = KeyUse::payload_of(b"twap");
    host.act(1, Act::Speaks { by: anna() });
    host.act(1, Act::KeyClaimed { key: key.clone(), payload: payload.clone() });
    host.wish(1, Source::Operator, buy(300), twap(1, 30, 3));
    let known = |host: &Host, payload: &str| host.state.governance.key(&key, payload, host.state.now);
    assert_eq!(known(&host, &payload), Known::Same(KeyOutcome::Parent { parent: 1 }));
    host.start(2, 12, Mode::Paper);
    assert_eq!(known(&host, &payload), Known::Same(KeyOutcome::Parent { parent: 1 }));
    assert!(matches!(known(&host, &KeyUse::payload_of(b"another")), Known::Conflict(_)));
    host.check();
}

#[test]
fn a_journal_that_does_not_tell_who_stands_behind_its_orders_still_replays() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    host.act(1, Act::Speaks { by: anna() });
    host.wish(1, Source::Operator, buy(300), twap(1, 30, 3));
    let replayed = |journal: &[Vec<u8>]| {
        let mut replay = Replay::default();
        journal.iter().for_each(|record| replay.feed(&decode(record).unwrap()));
        replay.divergence().cloned()
    };
    let older = |record: &Vec<u8>| {
        let mut value: serde_json::Value = serde_json::from_slice(record).unwrap();
        let kind = &mut value["event"]["kind"];
        if kind["type"] == "judged" || kind["step"] == "opened" {
            let object = kind.as_object_mut().unwrap();
            object.remove("source");
            object.remove("behind");
        }
        let text = serde_json::to_string(&value["event"]).unwrap();
        let decimals = value["decimals"].clone();
        format!("{{\"v\":1,\"decimals\":{decimals},\"event\":{text}}}").into_bytes()
    };
    let journal: Vec<Vec<u8>> = host.journal.iter().map(older).collect();
    let told: Vec<_> = journal.iter().map(|record| decode(record).unwrap()).collect();
    assert!(
        told.iter().any(|it| matches!(&it.kind, EventKind::Judged(Verdict::Approved(it)) if it.source().is_none()))
    );
    assert_eq!(replayed(&journal), None);
    // but another order is another order
    let other = |record: &Vec<u8>| {
        let text = String::from_utf8(record.clone()).unwrap();
        if text.contains("\"judged\"") {
            text.replace("\"side\":\"buy\"", "\"side\":\"sell\"").into()
        } else {
            record.clone()
        }
    };
    let forged: Vec<Vec<u8>> = journal.iter().map(other).collect();
    assert!(replayed(&forged).is_some());
}
