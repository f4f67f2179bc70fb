use super::roster::{roster_of, roster_words, settings_words};
use super::speaker::identify;
use super::{GovernRequest, Signed, Token};
use crate::operate::{OperatorReply, OperatorRequest};
use crate::settings::OperatorSettings;
use sha2::{Digest, Sha256};
use tradewind_governance::{Act, Changed, Name, Policy, Register, Role, Roster};

fn register(operators: &[OperatorSettings]) -> Register {
    let Roster { operators, tokens } = roster_of(operators);
    Register { operators, tokens, ..Register::default() }
}

fn operators() -> Vec<OperatorSettings> {
    let token_sha256 = hex::encode(Sha256::digest(b"open sesame"));
    vec![OperatorSettings { name: Name::new("anna").unwrap(), token_sha256, roles: [Role::Trader].into() }]
}

fn check(by: Option<&str>, token: Option<&str>, operators: &[OperatorSettings], want: Result<&str, &str>) {
    let signed = Signed {
        by: by.map(str::to_owned),
        token: token.map(|token| Token(token.to_owned())),
        key: None,
        decision: None,
        request: Box::new(OperatorRequest::Status),
    };
    let found = identify(&register(operators), &signed);
    let found = found.as_ref().map(|it| it.name.as_str()).map_err(|reply| match reply {
        OperatorReply::Failed { code, .. } => code.as_str(),
        OperatorReply::Done { .. } => "done",
    });
    assert_eq!(found, want, "{by:?}");
    assert!(!format!("{signed:?}").contains("sesame")); // a token is never shown
}

#[test]
fn an_identity_is_proven_by_its_token_and_by_nothing_else() {
    check(Some("anna"), Some("open sesame"), &operators(), Ok("anna"));
    check(Some("anna"), Some("open sesame\n"), &operators(), Ok("anna")); // as a file ends
    for token in [None, Some(""), Some("open"), Some("OPEN SESAME")] {
        check(Some("anna"), token, &operators(), Err("NODE-30"));
    }
    check(Some("ben"), Some("open sesame"), &operators(), Err("NODE-30"));
    check(Some("anna"), Some("open sesame"), &[], Err("NODE-30"));
    check(None, None, &[], Ok("operator"));
    check(None, None, &operators(), Ok("operator")); // without a single role
}

#[test]
fn who_looks_changes_nothing_under_whatever_name() {
    let signed = |request| {
        let request = Box::new(request);
        OperatorRequest::Signed(Signed { by: None, token: None, key: Some("k".to_owned()), decision: None, request })
    };
    for (request, looks) in [
        (OperatorRequest::Status, true),
        (OperatorRequest::OrderList, true),
        (OperatorRequest::Govern(GovernRequest::ProposalShow { id: 7 }), true),
        (OperatorRequest::Govern(GovernRequest::LimitAnswer { id: 7, yes: true }), false),
        (OperatorRequest::Flatten, false),
        (OperatorRequest::Halt { reason: "x".to_owned() }, false),
    ] {
        assert_eq!(request.only_looks(), looks, "{request:?}");
        assert_eq!(signed(request.clone()).only_looks(), looks, "{request:?}");
        assert!(!signed(request).is_open_to_all());
    }
}

#[test]
fn a_signed_request_is_read_as_it_was_written() {
    let inner = [
        OperatorRequest::Halt { reason: "x".to_owned() },
        OperatorRequest::Govern(GovernRequest::ProposalApprove { id: 7, hash: "h".to_owned() }),
        OperatorRequest::Govern(GovernRequest::Limits),
    ];
    for request in inner {
        let (by, key) = (Some("anna".to_owned()), Some("k".to_owned()));
        let token = Some(Token("t".to_owned()));
        let decision = Some("idea-7".to_owned());
        let signed = OperatorRequest::Signed(Signed { by, token, key, decision, request: Box::new(request) });
        let text = serde_json::to_string(&signed).unwrap();
        assert_eq!(serde_json::from_str::<OperatorRequest>(&text).unwrap(), signed, "{text}");
    }
}

#[test]
fn journals_of_before_tokens_were_on_record_learn_those_of_the_persons_that_they_know() {
    let anna = roster_of(&operators());
    let register = Register { operators: anna.operators.clone(), ..Register::default() };
    let learns = Act::OperatorsSet { operators: anna.operators.clone(), tokens: anna.tokens.clone() };
    assert_eq!(roster_words(&register, anna.clone()), std::slice::from_ref(&learns));
    let mut both = operators();
    both.push(OperatorSettings { name: Name::new("ben").unwrap(), ..both[0].clone() });
    let words = roster_words(&register, roster_of(&both));
    let (old, new) = (Box::new(anna), Box::new(roster_of(&both)));
    assert!(matches!(&words[..], [first, Act::ChangeSaid { changed, .. }]
        if *first == learns && *changed == Changed::Operators { old, new }));
}

#[test]
fn settings_are_told_once() {
    let mut register = Register::default();
    let policy = Policy::default();
    assert!(settings_words(&register, &[], &policy).is_empty());
    let words = settings_words(&register, &operators(), &policy);
    assert_eq!(words.len(), 1);
    let at = tradewind_governance::At {
        sequence: 1,
        now: tradewind_domain::Timestamp::from_millis(1),
        incarnation: tradewind_domain::Incarnation(1),
    };
    register.apply(&words[0], at);
    assert!(settings_words(&register, &operators(), &policy).is_empty());
}
