//! What is asked, and in whose name.

use crate::operate::OperatorRequest;
use crate::stages::StageMove;
use serde::{Deserialize, Serialize};
use std::fmt;
use tradewind_domain::Sequence;

/// A person's token. Shows nothing of itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A request of somebody who says who it is, or that must not be carried out twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Who; the local user without.
    #[serde(default)]
    pub by: Option<String>,
    /// What proves it.
    #[serde(default)]
    pub token: Option<Token>,
    /// The idempotency key.
    #[serde(default)]
    pub key: Option<String>,
    /// The name of the decision that the order follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What is asked for.
    #[serde(rename = "asks")]
    pub request: Box<OperatorRequest>,
}

/// What concerns who may do what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "govern", deny_unknown_fields)]
pub enum GovernRequest {
    /// List proposals, newest first.
    ProposalList,
    /// Show one as it is, with its hash.
    ProposalShow {
        /// Its number.
        id: Sequence,
    },
    /// Approve what was shown.
    ProposalApprove {
        /// Its number.
        id: Sequence,
        /// The hash that was shown.
        hash: String,
    },
    /// Reject it, send it back, or withdraw one's own.
    ProposalReject {
        /// Its number.
        id: Sequence,
        /// Why.
        reason: String,
        /// Whether a changed one would do.
        changes: bool,
    },
    /// Limits in force, changes that wait, kill switches that are on.
    Limits,
    /// Change a limit: downwards at once, upwards with a second person.
    LimitSet {
        /// Its name in the settings, such as `max_order`.
        name: String,
        /// As in the settings, such as `5%`; `none` for no limit.
        value: String,
        /// Whose; every portfolio's without.
        portfolio: Option<String>,
        /// Whether it is a limit of the account, which holds for all portfolios together.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        account: bool,
        /// Why.
        reason: String,
    },
    /// Say which sector an asset counts to: into one at once, out of one with a second person.
    SectorSet {
        /// The asset's code, or a symbol, of which its base is meant.
        asset: String,
        /// The sector; none without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sector: Option<String>,
        /// Why.
        reason: String,
    },
    /// The staged roll-out: its stage, and what was seen since it began.
    Stage,
    /// Move the roll-out.
    StageMove {
        /// Where to.
        to: StageMove,
        /// To which earlier stage, by name; the one before without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<String>,
        /// Why.
        reason: String,
    },
    /// Say yes or no to a change that waits.
    LimitAnswer {
        /// Its number.
        id: Sequence,
        /// Yes or no.
        yes: bool,
    },
    /// Throw the kill switch of one venue, account or source.
    Latch {
        /// What it covers.
        scope: String,
        /// Why.
        reason: String,
    },
    /// Clear it.
    Clear {
        /// What it covers.
        scope: String,
        /// Why.
        reason: String,
    },
}

impl OperatorRequest {
    /// Whether it throws the kill switch over everything.
    pub(crate) fn halts(&self) -> bool {
        match self {
            Self::Halt { .. } | Self::HaltSigned(_) => true,
            Self::Signed(signed) => matches!(*signed.request, Self::Halt { .. }),
            _ => false,
        }
    }

    /// Whether it asks for the end of the node.
    pub(crate) fn stops(&self) -> bool {
        match self {
            Self::Stop => true,
            Self::Signed(signed) => matches!(*signed.request, Self::Stop),
            _ => false,
        }
    }

    /// Whether it places an order that must not be placed twice, and that may follow a decision.
    pub(super) const fn takes_key(&self) -> bool {
        matches!(self, Self::OrderPlace(_) | Self::OrderOco(_) | Self::OrderParent(_) | Self::OrderReplace(_))
    }

    /// What anybody with access to the socket may do: look, and stop orders.
    pub(super) fn is_open_to_all(&self) -> bool {
        match self {
            Self::Halt { .. } | Self::HaltSigned(_) => true,
            Self::Signed(_) => false,
            _ => self.only_looks(),
        }
    }

    /// Whether it does nothing but look, whoever asks.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Status | Self::OrderList | Self::ParentList | Self::PositionList => true,
            Self::Signed(signed) => signed.request.only_looks(),
            Self::Govern(request) => matches!(
                request,
                GovernRequest::ProposalList
                    | GovernRequest::ProposalShow { .. }
                    | GovernRequest::Limits
                    | GovernRequest::Stage
            ),
            _ => false,
        }
    }
}
