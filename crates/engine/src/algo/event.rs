//! What is said of parents, and what is decided about them, as events.

use super::{Ask, Behind, ParentId, ParentState, ParentWish, Role};
use serde::{Deserialize, Serialize};
use tradewind_domain::{InstrumentId, PortfolioId, Sequence};
use tradewind_gate::{Correction, Proposal};

/// Something about a parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum ParentEvent {
    /// Somebody wishes for one. A refusal is the gate's word as on any proposal.
    Wished {
        /// What is wished.
        wish: ParentWish,
    },
    /// It lives from here on.
    Opened {
        /// Under this name.
        parent: ParentId,
        /// What is wished.
        wish: ParentWish,
        /// Who stands behind it, where its source does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<Behind>,
        /// The event that records the decision which it follows, where it names one: its children name it too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Sequence>,
        /// What the gate put right in its plan of the trade.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        corrections: Vec<Correction>,
    },
    /// It proposes a child; the gate's word follows.
    Child {
        /// Which parent.
        parent: ParentId,
        /// How many children it proposed before.
        slot: u32,
        /// What the child is for.
        role: Role,
        /// What is proposed.
        proposal: Proposal,
    },
    /// It proposes two children of which one cancels the other; the gate's words follow.
    Pair {
        /// Which parent.
        parent: ParentId,
        /// How many children it proposed before.
        slot: u32,
        /// What the children are for.
        roles: [Role; 2],
        /// What is proposed, the dearer first.
        pair: Box<[Proposal; 2]>,
    },
    /// Somebody asks something of it.
    Asked {
        /// Which parent.
        parent: ParentId,
        /// What.
        ask: Ask,
        /// Why.
        reason: String,
    },
    /// It stands differently from here on.
    Moved {
        /// Which parent.
        parent: ParentId,
        /// Where it stands.
        to: ParentState,
    },
}

impl ParentEvent {
    /// Whether it is the engine's own decision rather than somebody's wish.
    #[must_use]
    pub const fn is_decision(&self) -> bool {
        match self {
            Self::Wished { .. } | Self::Asked { .. } => false,
            Self::Opened { .. } | Self::Child { .. } | Self::Pair { .. } | Self::Moved { .. } => true,
        }
    }

    /// Whether it proposes what protects, or brings back, what a bracket entered, or what a waiting order that only
    /// reduces has become.
    #[must_use]
    pub fn protects(&self) -> bool {
        match self {
            Self::Child { role: Role::Awake, proposal, .. } => proposal.request.reduce_only,
            Self::Child { role, .. } => role.protects(),
            Self::Pair { roles, .. } => roles.iter().all(|role| role.protects()),
            Self::Wished { .. } | Self::Opened { .. } | Self::Asked { .. } | Self::Moved { .. } => false,
        }
    }

    /// Of what and for whom, where the event itself says so.
    #[must_use]
    pub const fn concerns(&self) -> Option<(InstrumentId, PortfolioId)> {
        match self {
            Self::Wished { wish } | Self::Opened { wish, .. } => Some((wish.request.instrument, wish.portfolio)),
            Self::Child { proposal, .. } => Some((proposal.request.instrument, proposal.portfolio)),
            Self::Pair { pair, .. } => Some((pair[0].request.instrument, pair[0].portfolio)),
            Self::Asked { .. } | Self::Moved { .. } => None,
        }
    }

    /// Which parent, once it has a name.
    #[must_use]
    pub const fn parent(&self) -> Option<ParentId> {
        match self {
            Self::Wished { .. } => None,
            Self::Opened { parent, .. }
            | Self::Child { parent, .. }
            | Self::Pair { parent, .. }
            | Self::Asked { parent, .. }
            | Self::Moved { parent, .. } => Some(*parent),
        }
    }
}
