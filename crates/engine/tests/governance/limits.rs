//! Limits go down alone and up by two.

use crate::stage::*;

#[test]
fn a_limit_changed_by_two_comes_into_force_and_holds_in_the_fold() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let ask = |new| Act::ChangeSaid {
        changed: Changed::Limit {
            portfolio: PortfolioId(0),
            name: "max_order.amount".into(),
            tighter: Tighter::Lower,
            old: None,
            new: Some(new),
        },
        by: anna(),
        reason: "smaller".into(),
    };
    host.act(1, ask(5 * UNIT));
    assert_eq!(host.state.portfolios[0].limits.max_order.amount, Some(5 * UNIT));
    host.propose(2, Source::Strategy(0), buy(501));
    assert_eq!(host.refusal(), Some((Guard::MaxOrder, None)));
    let id = host.state.sequence + 1;
    let raise = Changed::Limit {
        portfolio: PortfolioId(0),
        name: "max_order.amount".into(),
        tighter: Tighter::Lower,
        old: Some(5 * UNIT),
        new: Some(9 * UNIT),
    };
    host.act(3, Act::ChangeSaid { changed: raise, by: anna(), reason: "larger".into() });
    assert_eq!(host.state.portfolios[0].limits.max_order.amount, Some(5 * UNIT));
    host.act(4, Act::ChangeAnswered { change: id, by: ben(), yes: true });
    assert_eq!(host.state.portfolios[0].limits.max_order.amount, Some(9 * UNIT));
    host.check();
}

#[test]
fn a_limit_of_the_account_goes_down_alone_and_up_by_two() {
    let mut host = Host::new(Mode::Paper, Some(Policy::default()));
    let change = |old, new| {
        let name = "hard_order_amount".to_owned();
        let changed = Changed::AccountLimit { name, tighter: Tighter::Lower, old, new };
        Act::ChangeSaid { changed, by: anna(), reason: "smaller".into() }
    };
    let set = |host: &Host| host.state.risk.as_ref().and_then(|risk| risk.account.caps.hard_order_amount);
    host.act(1, change(None, Some(5 * UNIT)));
    assert_eq!(set(&host), Some(5 * UNIT));
    host.propose(2, Source::Strategy(0), buy(501));
    assert_eq!((host.refusal(), host.sent.len()), (Some((Guard::Risk, None)), 0));
    let id = host.state.sequence + 1;
    host.act(3, change(Some(5 * UNIT), Some(9 * UNIT)));
    assert_eq!(set(&host), Some(5 * UNIT));
    host.act(4, Act::ChangeAnswered { change: id, by: anna(), yes: true });
    assert_eq!(set(&host), Some(5 * UNIT), "nobody is its own second");
    host.act(5, Act::ChangeAnswered { change: id, by: ben(), yes: true });
    assert_eq!(set(&host), Some(9 * UNIT));
    host.propose(6, Source::Strategy(0), buy(501));
    assert_eq!(host.sent.len(), 1);
    let change = &host.state.governance.changes[&id];
    assert_eq!((change.by.as_str(), change.reason.as_str()), ("anna", "smaller"));
    assert_eq!(change.state, ChangeState::Done { approver: Some(ben().name) });
    assert_eq!(host.state.governance.overridden_account("hard_order_amount"), Some(Some(9 * UNIT)));
    host.check();
}
