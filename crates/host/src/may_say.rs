//! What a decider can say at all. The rest of its words never become events, whoever asks for it.

use tradewind_domain::Source;
use tradewind_engine::{EventKind, RiskAct};

/// Whether an event of this kind may come from this source.
///
/// A strategy or an agent gives its reasons, proposes, cancels, halts and tightens. Limits, balances, executions and the
/// end of a halt are not its to tell; what it says within governance is judged there, by who it is.
pub(crate) fn may_say(source: Source, kind: &EventKind) -> bool {
    match source {
        Source::Strategy(_) | Source::Agent(_) => match kind {
            EventKind::Decided(_)
            | EventKind::Proposed(_)
            | EventKind::ProposedPair { .. }
            | EventKind::Parent(_)
            | EventKind::CancelProposed { .. }
            | EventKind::Halted(_)
            | EventKind::Restricted { .. }
            | EventKind::Governance(_) => true,
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
