//! A pair is one proposal.

use crate::stage::*;

#[test]
fn a_pair_waits_as_one_proposal_whose_hash_covers_both_orders_and_is_released_together() {
    let mut host = Host::holding(Policy::default());
    let id = host.propose_pair(2, AGENT, target_and_stop(1_000));
    assert_eq!((host.held(id).state, host.sent.len(), &host.verdict), (ProposalState::Proposed, 0, &None));
    assert_eq!(host.held(id).wish.reason, "a target; a stop");
    let mut other = host.held(id).wish.clone();
    other.other.as_mut().unwrap().kind = OrderKind::Stop { trigger: Price::from_mantissa(8_999) };
    host.act(3, Act::ApprovalSaid { proposal: id, hash: other.hash(), by: anna() });
    assert_eq!((host.held(id).state, host.sent.len()), (ProposalState::Proposed, 0), "another stop is another hash");
    host.approve(3, id, anna());
    assert_eq!((host.held(id).state, host.sent.len()), (ProposalState::Submitted, 2));
    let groups: Vec<_> = host.sent.iter().map(|order| order.request().oco).collect();
    assert!(groups[0].is_some() && groups[0] == groups[1]);
    let (mut told, mut known) = (
        [host.held(id).order, host.held(id).other_order].map(Option::unwrap),
        [host.sent[0].client_id(), host.sent[1].client_id()],
    );
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
    host.approve(4, id, ben());
    assert_eq!(host.sent.len(), 2, "once is once");
    for order in host.sent.clone() {
        host.say(4, Source::Host, EventKind::Sent { client_id: order.client_id() });
    }
    let stop = *host.sent.iter().find(|order| order.kind().trigger().is_some()).unwrap();
    let venue_gone = EventKind::Expired { client_id: stop.client_id(), evidence: None };
    host.say(5, Source::Venue, venue_gone);
    assert_eq!(host.held(id).state, ProposalState::Submitted, "the target may still fill");
    let target = *host.sent.iter().find(|order| order.kind().trigger().is_none()).unwrap();
    host.fill(6, target);
    assert_eq!(host.held(id).state, ProposalState::Filled);
    host.check();
}

#[test]
fn a_pair_is_judged_again_in_full_at_release_and_both_orders_stay_if_one_may_not_go() {
    let mut host = Host::holding(Policy::default());
    let id = host.propose_pair(2, AGENT, target_and_stop(1_000));
    host.trade(3, 8_900); // the stop now lies above the market
    host.approve(4, id, anna());
    assert_eq!((host.refusal(), host.sent.len()), (Some((Guard::Pair, None)), 0));
    assert_eq!(host.held(id).state, ProposalState::Rejected);
    host.trade(5, 10_000);
    let id = host.propose_pair(6, AGENT, target_and_stop(1_000));
    host.say(7, Source::Operator, EventKind::Halted(Halt { reason: "look".into() }));
    host.say(7, Source::Operator, EventKind::Resumed { reason: "fine".into() });
    host.propose(8, Source::Strategy(0), sell(500)); // half of what the pair would sell is on its way out
    host.approve(9, id, anna());
    assert_eq!((host.held(id).state, host.sent.len()), (ProposalState::Rejected, 1), "{}", host.held(id).note);
    host.check();
}

#[test]
fn a_pair_waits_for_the_larger_quorum_of_its_two_orders() {
    // a tenth of a bitcoin is worth 10 at the mark, which is more than the target's price, and 11 at the stop's
    let approvals = vec![Threshold { from: 10 * UNIT, quorum: 1 }, Threshold { from: 11 * UNIT, quorum: 2 }];
    let mut host = Host::new(Mode::Paper, Some(Policy { approvals, ..Policy::default() }));
    let (price, quantity) = (Price::from_mantissa(9_000), Quantity::from_mantissa(1_000));
    let target = OrderRequest::limit(InstrumentId(0), Side::Buy, quantity, price);
    let kind = OrderKind::Stop { trigger: Price::from_mantissa(11_000) };
    let pair = [OrderRequest { post_only: true, ..target }, OrderRequest { kind, ..target }];
    let id = host.propose_pair(2, AGENT, pair);
    assert_eq!(host.held(id).quorum, 2);
    host.approve(3, id, anna());
    assert_eq!(host.sent.len(), 0);
    host.approve(4, id, ben());
    assert_eq!(host.sent.len(), 2);
    host.check();
}
