//! `[governance]` and `[[operators]]`: who may do what.

use super::Amount;
use super::check::Fault;
use crate::error::NodeError;
use crate::kill_call::KillKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tradewind_domain::Timestamp;
use tradewind_governance::{
    AllowLists, Autonomy, Caps, Deny, Name, Policy, Principal, RequireDecision, Role, STAGES, SourceRule, Stage,
    Threshold,
};

/// A person who may use this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorSettings {
    /// Its name.
    pub name: Name,
    /// SHA-256 of its token, in hex; the token itself is in a file of its own.
    pub token_sha256: String,
    /// What it may do.
    pub roles: BTreeSet<Role>,
}

impl OperatorSettings {
    /// The person behind it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal::person(self.name.clone(), self.roles.iter().copied())
    }
}

/// What each source may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GovernanceSettings {
    /// Largest order, in base currency.
    pub cap_order: Option<Amount>,
    /// Notional of all orders of a UTC day, in base currency.
    pub cap_day: Option<Amount>,
    /// Orders of one source in a UTC day.
    pub cap_orders_day: Option<u32>,
    /// From this notional on an order needs one person beside the one who asks.
    pub approve_from: Option<Amount>,
    /// From this notional on it needs two.
    pub approve_two_from: Option<Amount>,
    /// Venues that may be named.
    pub venues: BTreeSet<String>,
    /// Kinds of market that may be named.
    pub markets: BTreeSet<String>,
    /// Symbols that may be named.
    pub symbols: BTreeSet<String>,
    /// Chains that may be named.
    pub chains: BTreeSet<String>,
    /// Tokens that may be named.
    pub tokens: BTreeSet<String>,
    /// Routers that may be named.
    pub routers: BTreeSet<String>,
    /// Destinations that value may be sent to, a day after they were listed.
    pub addresses: BTreeSet<String>,
    /// The stage of a roll-out: `100`, `1000` or `10000`; none if empty.
    pub stage: String,
    /// Whose orders must name the decision that they follow.
    pub require_decision: RequireDecision,
    /// Where the key is that signs audit checkpoints; in the data directory if empty.
    pub audit_key: PathBuf,
    /// Where the key is that signs calls of the kill switch; none is taken if empty.
    pub kill_key: PathBuf,
    /// What is never done.
    pub deny: Vec<Deny>,
    /// By source, such as `strategy-0`, `agent-0` or a person's name.
    pub sources: BTreeMap<Name, SourceSettings>,
}

/// What one source may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSettings {
    /// How much by itself.
    pub autonomy: Option<Autonomy>,
    /// Largest order, in base currency.
    pub cap_order: Option<Amount>,
    /// Notional of a UTC day, in base currency.
    pub cap_day: Option<Amount>,
    /// Orders of a UTC day.
    pub cap_orders_day: Option<u32>,
}

fn caps(order: Option<Amount>, day: Option<Amount>, orders_day: Option<u32>) -> Caps {
    Caps { order: order.map(Amount::units), day: day.map(Amount::units), orders_day }
}

impl GovernanceSettings {
    /// The policy that the gate works with. The journal knows when each address was listed first.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let threshold = |from: Option<Amount>, quorum| from.map(|from| Threshold { from: from.units(), quorum });
        let rule = |it: &SourceSettings| SourceRule {
            autonomy: it.autonomy,
            caps: caps(it.cap_order, it.cap_day, it.cap_orders_day),
        };
        let never = Timestamp::from_nanos(0); // replaced when the policy comes into force
        Policy {
            deny: self.deny.clone(),
            allow: AllowLists {
                venues: self.venues.clone(),
                markets: self.markets.clone(),
                symbols: self.symbols.clone(),
                chains: self.chains.clone(),
                tokens: self.tokens.clone(),
                routers: self.routers.clone(),
                addresses: self.addresses.iter().map(|address| (address.clone(), never)).collect(),
            },
            sources: self.sources.iter().map(|(name, it)| (name.clone(), rule(it))).collect(),
            caps: caps(self.cap_order, self.cap_day, self.cap_orders_day),
            approvals: [threshold(self.approve_from, 1), threshold(self.approve_two_from, 2)]
                .into_iter()
                .flatten()
                .collect(),
            require_decision: self.require_decision,
            stage: STAGES.iter().position(|(name, ..)| *name == self.stage).and_then(Stage::shipped),
        }
    }

    /// Reads the key that signs calls of the kill switch, if one is named.
    ///
    /// # Errors
    /// As [`KillKey::read`].
    pub fn kill_key(&self) -> Result<Option<KillKey>, NodeError> {
        let named = !self.kill_key.as_os_str().is_empty();
        named.then(|| KillKey::read(&self.kill_key)).transpose()
    }

    /// Whether live mode has the lists and caps that it wants.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        let lists = [&self.venues, &self.markets, &self.symbols];
        lists.iter().all(|list| !list.is_empty()) && self.cap_order.is_some() && self.cap_day.is_some()
    }

    /// Finds the first fault.
    pub(super) fn check(&self, operators: &[OperatorSettings]) -> Result<(), Fault> {
        let hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        for (nth, it) in operators.iter().enumerate() {
            let at = |key: &str| format!("operators.{nth}.{key}");
            if !hex(&it.token_sha256) {
                let message = format!(
                    "the operator {} has no token_sha256 of 64 hex digits: write what `sha256sum` prints for its token file",
                    it.name
                );
                return Err(Fault::new(at("token_sha256"), message));
            }
            if Principal::is_reserved(&it.name) {
                let message = format!(
                    "an operator is called `{}`, which stands for what is no person: choose another name than \
                     operator, system, strategy-*, agent-* and model-*",
                    it.name
                );
                return Err(Fault::new(at("name"), message));
            }
            if operators[..nth].iter().any(|other| other.name == it.name) {
                let message = format!("two operators are called `{}`: list a person once, with all its roles", it.name);
                return Err(Fault::new(at("name"), message));
            }
            let same_token = |other: &&OperatorSettings| other.token_sha256.eq_ignore_ascii_case(&it.token_sha256);
            if let Some(other) = operators[..nth].iter().find(same_token) {
                let message = format!(
                    "the operators {} and {} have one token_sha256, so whoever holds that token is both: make a token of \
                     its own for one of them, and write what `sha256sum` prints for its file",
                    other.name, it.name
                );
                return Err(Fault::contradiction(at("token_sha256"), message));
            }
        }
        if !self.stage.is_empty() && STAGES.iter().all(|(name, ..)| *name != self.stage) {
            let known: Vec<&str> = STAGES.iter().map(|(name, ..)| *name).collect();
            let message = format!("governance.stage is `{}`: one of {}, or none", self.stage, known.join(", "));
            return Err(Fault::new("governance.stage", message));
        }
        let lists = [
            ("venues", &self.venues),
            ("markets", &self.markets),
            ("symbols", &self.symbols),
            ("chains", &self.chains),
            ("tokens", &self.tokens),
            ("routers", &self.routers),
            ("addresses", &self.addresses),
        ];
        for (list, names) in lists {
            let unfit = names.iter().find_map(|name| Some((name, tradewind_governance::check_plain(name).err()?)));
            if let Some((name, why)) = unfit {
                let message = format!("`{}` in an allow-list holds {why}", name.escape_default());
                return Err(Fault::new(format!("governance.{list}"), message));
            }
        }
        Ok(())
    }
}
