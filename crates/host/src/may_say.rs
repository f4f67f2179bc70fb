//! What a decider can say at all. The rest of its words never become events, whoever asks for it.

use tradewind_domain::Source;
use tradewind_engine::{EventKind, RiskAct, may_govern};

/// Whether an event of this kind may come from this source.
///
/// A strategy or an agent gives its reasons, proposes, cancels, halts and tightens. Limits, balances, executions and the
/// end of a halt are not its to tell; of governance it may say what [`may_govern`] lets it.
pub(crate) fn may_say(source: Source, kind: &EventKind) -> bool {
    if let EventKind::Governance(act) = kind {
        return may_govern(source, act);
    }
    match source {
        Source::Strategy(_) | Source::Agent(_) => match kind {
            EventKind::Decided(_)
            | EventKind::Proposed(_)
            | EventKind::ProposedPair { .. }
            | EventKind::Parent(_)
            | EventKind::CancelProposed { .. }
            | EventKind::Halted(_)
            | EventKind::Restricted { .. } => true,
            EventKind::Risk(act) => matches!(**act, RiskAct::Restricted { .. }),
            _ => false,
        },
        Source::Host | Source::Timer | Source::Market | Source::Venue | Source::Operator => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{Currency, Money};
    use tradewind_engine::Halt;
    use tradewind_gate::Limits;

    #[test]
    fn i05_a_decider_says_no_word_and_no_fact_of_governance() {
        let acts = [
            r#"{"act":"approved","proposal":3,"by":"anna"}"#,
            r#"{"act":"cleared","scope":"global","by":"anna","reason":"fine"}"#,
            r#"{"act":"operators_set","operators":[]}"#,
            r#"{"act":"change_moved","change":3,"to":{"state":"done","approver":"anna"}}"#,
            r#"{"act":"approval_said","proposal":3,"hash":"h","by":{"name":"anna","kind":"person","roles":["approver"]}}"#,
        ];
        for act in acts {
            let kind = EventKind::Governance(serde_json::from_str(act).unwrap());
            for source in [Source::Agent(0), Source::Strategy(3), Source::Venue, Source::Market, Source::Timer] {
                assert!(!may_say(source, &kind), "{source:?} {act}");
            }
            assert!(may_say(Source::Operator, &kind) && may_say(Source::Host, &kind), "{act}");
        }
    }

    #[test]
    fn i05_a_decider_can_tighten_and_cannot_loosen() {
        let money = Money::parse("1", Currency::new("USDT").unwrap()).unwrap();
        let tightens = EventKind::Halted(Halt { reason: "it looks wrong".to_owned() });
        let loosens = [
            EventKind::LimitsSet(Box::new(Limits::RESEARCH)),
            EventKind::Risk(Box::new(RiskAct::Reset { guard: None, reason: "please".to_owned() })),
            EventKind::Resumed { reason: "please".to_owned() },
            EventKind::Deposited(money),
            EventKind::Adjusted { money, reason: "please".to_owned() },
        ];
        for source in [Source::Agent(0), Source::Strategy(3)] {
            assert!(may_say(source, &tightens));
            for kind in &loosens {
                assert!(!may_say(source, kind), "{kind:?}");
                assert!(may_say(Source::Operator, kind), "{kind:?}");
            }
        }
    }
}
