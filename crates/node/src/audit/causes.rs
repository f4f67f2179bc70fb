//! From cause to effect: the chains that an audit exports.

use crate::error::NodeError;
use crate::recover::events;
use std::collections::BTreeMap;
use std::path::Path;
use tradewind_domain::{ClientOrderId, InstrumentId, Sequence, Source, Timestamp};
use tradewind_engine::algo::{ParentEvent, ParentId};
use tradewind_engine::{Event, EventKind, Spoken, Verdict};
use tradewind_governance::audit::{Link, Step, chains};
use tradewind_governance::{Act, Name};

/// From every order back to what led to it, and on to what became of it. A decision has no cause on record: it was
/// made on the bar before it, and the proposals of its source follow it.
///
/// # Errors
/// [`NodeError`] if the journal cannot be read.
pub fn audit_chains(data_dir: &Path) -> Result<Vec<Vec<Step>>, NodeError> {
    let mut causes = Causes::default();
    let links: Vec<Link> = events(data_dir)?.filter_map(|event| causes.link(&event)).collect();
    Ok(chains(&links))
}

/// What lately happened, for events whose cause is not on record.
#[derive(Default)]
struct Causes {
    bars: BTreeMap<InstrumentId, Sequence>,
    decisions: BTreeMap<(Source, InstrumentId), (Timestamp, Sequence)>,
    /// Who spoke last, or under which key.
    spoke: Option<Sequence>,
    /// The name of who spoke last.
    speaker: Option<Name>,
    /// Where each parent was opened.
    parents: BTreeMap<ParentId, Sequence>,
}

/// What the event says, and which person says it.
fn text(event: &Event) -> String {
    let Some(by) = event.spoken.as_ref().and_then(|spoken| spoken.by.as_ref()) else {
        return serde_json::to_string(&event.kind).unwrap_or_default();
    };
    let mut said = serde_json::to_value(&event.kind).unwrap_or_default();
    said["by"] = serde_json::json!(by);
    said.to_string()
}

const fn is_child(said: &ParentEvent) -> bool {
    matches!(said, ParentEvent::Child { .. } | ParentEvent::Pair { .. })
}

impl Causes {
    /// The word with which whoever asks for `event` said who it is, or under which key: the last one, where that was of
    /// the person or of a key that the event names, or else the one right before it.
    fn identity(&self, event: &Event) -> Option<Sequence> {
        let is_of = |spoken: &Spoken| match &spoken.by {
            Some(by) => self.speaker.as_ref() == Some(by),
            None => spoken.key.is_some(),
        };
        let is_named = event.spoken.as_deref().is_some_and(is_of);
        self.spoke.filter(|spoke| is_named || spoke + 1 == event.sequence)
    }

    fn link(&mut self, event: &Event) -> Option<Link> {
        let (what, order, cause) = self.kind(event)?;
        // a child came of its parent, whatever the moment was at which it was due; and a person's order of the word
        // right before it, from which who spoke leads back to the decision
        let is_child = matches!(&event.kind, EventKind::Parent(said) if is_child(said));
        let is_persons = event.source == Source::Operator && what == "proposal";
        let cause = if is_child || is_persons { cause.or(event.cause) } else { event.cause.or(cause) };
        let text = text(event);
        let source = serde_json::to_value(event.source).map(|it| it.to_string().replace('"', "")).unwrap_or_default();
        Some(Link { sequence: event.sequence, at: event.at, source, what, cause, order, text })
    }

    fn kind(&mut self, event: &Event) -> Option<(&'static str, Option<ClientOrderId>, Option<Sequence>)> {
        let of = |what, id: ClientOrderId| Some((what, Some(id), None));
        match &event.kind {
            EventKind::BarClosed { bar, .. } => {
                self.bars.insert(bar.instrument, event.sequence);
                Some(("data", None, None))
            }
            EventKind::Decided(decision) => {
                let key = (event.source, decision.instrument);
                self.decisions.insert(key, (event.at, event.sequence));
                Some(("decision", None, self.bars.get(&decision.instrument).copied()))
            }
            EventKind::Proposed(proposal) => {
                let decided = self.decisions.get(&(event.source, proposal.request.instrument));
                let decided = decided.filter(|(at, _)| *at == event.at).map(|(_, sequence)| *sequence);
                Some(("proposal", None, decided.or_else(|| self.identity(event))))
            }
            EventKind::ProposedPair { .. } => Some(("proposal", None, self.identity(event))),
            EventKind::Parent(said) => match &**said {
                ParentEvent::Wished { .. } => Some(("proposal", None, self.identity(event))),
                ParentEvent::Opened { parent, .. } => {
                    self.parents.insert(*parent, event.sequence);
                    Some(("parent", None, None))
                }
                ParentEvent::Child { parent, .. } | ParentEvent::Pair { parent, .. } => {
                    Some(("proposal", None, self.parents.get(parent).copied()))
                }
                ParentEvent::Asked { .. } | ParentEvent::Moved { .. } => None,
            },
            EventKind::Governance(act) => match &**act {
                // a proposal is named after the event that made it
                Act::ApprovalSaid { proposal, .. } | Act::RejectionSaid { proposal, .. } => {
                    Some(("approval", None, Some(*proposal)))
                }
                Act::Speaks { .. } | Act::KeyClaimed { .. } => {
                    if let Act::Speaks { by } = &**act {
                        self.speaker = Some(by.name.clone());
                    }
                    let before = self.spoke.replace(event.sequence);
                    Some(("identity", None, before.filter(|before| before + 1 == event.sequence)))
                }
                Act::DecisionNamed(_) => {
                    self.spoke = Some(event.sequence);
                    Some(("decision", None, None))
                }
                _ => Some(("governance", None, None)),
            },
            EventKind::Judged(Verdict::Approved(order)) => of("verdict", order.client_id()),
            EventKind::Intended(intent) => of("intent", intent.client_id),
            EventKind::Sent { client_id } => of("sent", *client_id),
            EventKind::NotSent { client_id, .. } => of("not-sent", *client_id),
            EventKind::AnswerLost { client_id, .. } => of("answer-lost", *client_id),
            EventKind::Accepted { client_id, .. } => of("accepted", *client_id),
            EventKind::Rejected { client_id, .. } => of("rejected", *client_id),
            EventKind::Filled(fill) => of("fill", fill.client_id),
            EventKind::CancelSent { client_id } => of("cancel-sent", *client_id),
            EventKind::Cancelled { client_id, .. } => of("cancelled", *client_id),
            EventKind::Expired { client_id, .. } => of("expired", *client_id),
            _ => None,
        }
    }
}
