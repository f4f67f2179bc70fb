//! The words and facts of governance.

use crate::{
    Change, ChangeState, Changed, Held, IdempotencyKey, KeyOutcome, Latch, Name, NamedDecision, Principal,
    ProposalState, Refused, Scope, WishHash,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tradewind_domain::{ClientOrderId, Sequence};

/// A word or a fact of governance. Words are marked; everything else is a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
pub enum Act {
    /// Who the persons are, by the settings. Empty is the one local user.
    OperatorsSet {
        /// All of them.
        operators: Vec<Principal>,
        /// SHA-256 of each one's token, in lower-case hex.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tokens: BTreeMap<Name, String>,
    },
    /// An order waits for people.
    Held(Box<Held>),
    /// Word: a person approves what it saw.
    ApprovalSaid {
        /// Which proposal.
        proposal: Sequence,
        /// The hash that was shown.
        hash: WishHash,
        /// Who.
        by: Principal,
    },
    /// An approval counts.
    Approved {
        /// Which proposal.
        proposal: Sequence,
        /// Whose.
        by: Name,
    },
    /// Word: somebody rejects a proposal, sends it back, or withdraws it.
    RejectionSaid {
        /// Which proposal.
        proposal: Sequence,
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
        /// Whether a changed one would do.
        changes: bool,
    },
    /// A proposal goes to its next state.
    Moved {
        /// Which proposal.
        proposal: Sequence,
        /// Where to.
        to: ProposalState,
        /// The order that it became.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<ClientOrderId>,
        /// The order that goes with it, of a pair.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other: Option<ClientOrderId>,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// A word that changed nothing, and why.
    Refused(Refused),
    /// Word: somebody wants a limit or the policy changed.
    ChangeSaid {
        /// What from, and what to.
        changed: Changed,
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    },
    /// A change that holds already, or waits for its second person.
    ChangeAsked(Change),
    /// Word: somebody approves a change, or rejects it.
    ChangeAnswered {
        /// Which change.
        change: Sequence,
        /// Who.
        by: Principal,
        /// Yes or no.
        yes: bool,
    },
    /// A change goes to its next state.
    ChangeMoved {
        /// Which change.
        change: Sequence,
        /// Where to.
        to: ChangeState,
    },
    /// A kill switch was thrown. Anybody may.
    Latched {
        /// What it covers.
        scope: Scope,
        /// Who, when, why.
        latch: Latch,
    },
    /// Word: somebody wants it cleared.
    ClearSaid {
        /// What it covers.
        scope: Scope,
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    },
    /// It is cleared.
    Cleared {
        /// What it covered.
        scope: Scope,
        /// By whom.
        by: Name,
        /// Why.
        reason: String,
    },
    /// Who says the next thing: a person's proposal follows at once, or after the claim of its key.
    Speaks {
        /// Who.
        by: Principal,
    },
    /// A key was used for the first time; the very next event is the request.
    KeyClaimed {
        /// The key.
        key: IdempotencyKey,
        /// SHA-256 of the request, in hex.
        payload: String,
    },
    /// What became of the request under a key, where it is no order and no proposal.
    KeyDone {
        /// The key.
        key: IdempotencyKey,
        /// Its outcome.
        outcome: KeyOutcome,
    },
    /// Somebody names the decision that its next order follows. The order names this event as its cause.
    DecisionNamed(NamedDecision),
    /// The kill switch was thrown by a signed call, which counts once. Heard of the operators' door alone.
    HaltCalled {
        /// When it was signed, in milliseconds since 1970.
        issued_at: i64,
        /// What no other call has.
        nonce: String,
    },
    /// The journal is signed with this key: whoever verifies it from here on finds signatures by it, or they are gone.
    TrailSigned {
        /// The public key, in hex.
        key: String,
    },
    /// An order was approved that counts towards the caps of the day. Kept even if it is never filled.
    Spent {
        /// Whose.
        by: Name,
        /// Notional in ledger units of the base currency.
        units: i64,
    },
}
