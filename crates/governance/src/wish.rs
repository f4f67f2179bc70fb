//! An order as it was asked for, whole, and the hash that an approval is bound to.

use crate::{Name, Refused, Rule, check_plain};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use tradewind_domain::{Instrument, OrderRequest, PortfolioId, Sequence, Source, TradePlan};

/// What somebody wishes for, with everything that a policy can name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Who wishes.
    pub by: Name,
    /// Where it comes from.
    pub source: Source,
    /// For whom.
    pub portfolio: PortfolioId,
    /// At which venue.
    pub venue: String,
    /// Which kind of market: `spot`, `linear-perpetual`, `option`, `equity` and so on.
    pub market: String,
    /// The unified symbol.
    pub symbol: String,
    /// On which chain, for what settles on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The token's contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The contract that routes the swap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<String>,
    /// Where value goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The order itself.
    pub request: OrderRequest,
    /// The order that goes out with it, one cancelling the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<OrderRequest>,
    /// How the order is to become other orders, if it is: the plan as the engine writes it, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Where the trade ends and how sure its proposer is, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade: Option<Box<TradePlan>>,
    /// The event that records the decision which it follows, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Sequence>,
    /// Why, in the words of whoever wishes; shown apart from the order, since a text may mislead.
    pub reason: String,
}

/// SHA-256 of a wish in hex. An approval carries the one that its giver saw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WishHash(String);

impl WishHash {
    /// A hash as somebody wrote it.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for WishHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Wish {
    /// The wish for `request` of `instrument` at its venue.
    #[must_use]
    pub fn of_order(
        by: Name,
        source: Source,
        portfolio: PortfolioId,
        instrument: &Instrument,
        request: OrderRequest,
        reason: &str,
    ) -> Self {
        Self {
            by,
            source,
            portfolio,
            venue: instrument.spec.venue.clone(),
            market: instrument.spec.kind.market().to_owned(),
            symbol: instrument.spec.symbol.to_string(),
            chain: None,
            token: None,
            router: None,
            address: None,
            request,
            other: None,
            plan: None,
            trade: None,
            decision: None,
            reason: reason.to_owned(),
        }
    }

    /// Whether both ask for the same order, whatever they say about it: another reason or decision makes no other order.
    pub(crate) fn asks_for_the_same_as(&self, other: &Self) -> bool {
        let said = Self { reason: other.reason.clone(), decision: other.decision, ..self.clone() };
        said == *other
    }

    /// SHA-256 over the canonical bytes: a version tag, then every field by name in the order of declaration, as JSON
    /// without spaces. A field added later changes no older wish's bytes, since absent fields are not written.
    ///
    /// # Panics
    /// Never: a wish has text keys only.
    #[must_use]
    pub fn hash(&self) -> WishHash {
        let bytes = serde_json::to_vec(self).expect("a wish has text keys only");
        WishHash(hex::encode(Sha256::new_with_prefix(b"tradewind wish v1\n").chain_update(bytes).finalize()))
    }

    /// Its names with the allow-list that each is looked up in.
    pub(crate) fn names(&self) -> [(Rule, Option<&str>); 7] {
        [
            (Rule::Venue, Some(&self.venue)),
            (Rule::Market, Some(&self.market)),
            (Rule::Symbol, Some(&self.symbol)),
            (Rule::Chain, self.chain.as_deref()),
            (Rule::Token, self.token.as_deref()),
            (Rule::Router, self.router.as_deref()),
            (Rule::Address, self.address.as_deref()),
        ]
    }

    /// Refuses names that deceive the eye.
    pub(crate) fn check_characters(&self) -> Result<(), Refused> {
        for (_, name) in self.names() {
            if let Some(name) = name
                && let Err(unfit) = check_plain(name)
            {
                let value = format!("{unfit} in \"{}\"", name.escape_default());
                return Err(Refused::new(Rule::Characters, value, "printable ASCII"));
            }
        }
        Ok(())
    }
}
