//! Who may do what: policy, approvals, changes of limits, idempotency, latches and the audit trail.
//!
//! # Where it sits
//! Floor 2, over the domain alone. The gate asks [`judge_policy`]; the engine folds [`Act`]s into a [`Register`] and
//! asks it what a word calls for. Knows no clock, network, disk or chance: time and identities come in as arguments.
//!
//! # Start here
//! [`judge_policy`] judges one [`Wish`]; [`Register::judge`] and [`Register::apply`] are the life of everything that
//! waits for a second person; [`RULES`] lists every reason to say no; [`audit::verify`] checks a journal's signatures.
//!
//! # What always holds
//! * Deny rules are asked first and nothing overrides them. In live mode an empty allow-list allows nothing.
//! * An approval counts for the exact bytes that were seen, once, within 120 seconds, in the run that asked for it.
//! * Only a person approves, never the one who asked, and a person with two roles is one person.
//! * A limit is lowered at once by anyone who may; it is raised only by two.
//! * Whatever order approvals come in, a proposal is released at most once.

pub mod audit;
mod change;
mod decision;
mod identity;
mod keys;
mod latch;
mod policy;
mod proposal;
mod register;
mod rollout;
mod rule;
mod text;
mod wish;

pub use change::{CHANGE_WINDOW_NANOS, Change, ChangeState, Changed, Tighter, loosens};
pub use decision::{DecisionId, NamedDecision, RequireDecision};
pub use identity::{Kind, Name, NameError, Principal, Role, Roster};
pub use keys::{IdempotencyKey, KEY_LIFE_NANOS, KeyOutcome, KeyUse, Known};
pub use latch::{Latch, Scope};
pub use policy::{
    ADDRESS_DELAY_NANOS, AllowLists, Autonomy, Caps, Deny, Mode, Policy, Ruling, SourceRule, Threshold, Usage,
    judge_policy,
};
pub use proposal::{Held, PROPOSAL_LIFE_NANOS, ProposalState};
pub use register::{Act, At, DaySpent, HALT_CALLS_KEPT, OPEN_PROPOSALS_MAX, Register, Spent};
pub use rollout::{Criteria, Criterion, Rollout, STAGES, Stage, TrackRecord, Unmet};
pub use rule::{CODES, RULES, Refused, Rule, RuleInfo};
pub use text::{Unfit, check_plain};
pub use wish::{Wish, WishHash};
