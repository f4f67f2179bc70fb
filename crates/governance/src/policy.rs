//! What each source may do: deny rules, allow-lists, caps, autonomy, and how many persons an order needs.

use crate::{Kind, Name, Principal, Refused, RequireDecision, Rule, Stage, Wish};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{LEDGER_DECIMALS, Side, Timestamp, format_decimal};

/// A destination counts this long after it was listed: 24 hours in nanoseconds.
pub const ADDRESS_DELAY_NANOS: i64 = 24 * 3_600 * 1_000_000_000;

/// What the process is allowed to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Watch and decide, never trade.
    #[default]
    Observe,
    /// Trade in a backtest.
    Backtest,
    /// Trade play money.
    Paper,
    /// Trade real money.
    Live,
}

/// How much a source may do by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Autonomy {
    /// It may say what it thinks; no order comes of it.
    ResearchOnly,
    /// Each order waits for a person.
    HumanApproval,
    /// It trades within its caps.
    Bounded,
}

/// Sizes that are not exceeded. Amounts are ledger units (10⁻⁸) of the portfolio's base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// Notional of one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// Notional of all orders of a UTC day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<i64>,
    /// Number of orders of a UTC day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_day: Option<u32>,
}

/// What one source may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceRule {
    /// How much by itself; what its kind may, if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autonomy: Option<Autonomy>,
    /// How much in all.
    #[serde(flatten)]
    pub caps: Caps,
}

/// From this notional on an order needs that many persons beside the one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// Ledger units of the base currency.
    pub from: i64,
    /// How many persons.
    pub quorum: u8,
}

/// What is never done: a wish to which all that is said here applies. One that says nothing applies to everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deny {
    /// Whose wish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Name>,
    /// Of which kind of source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// At which venue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// In which kind of market.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// Which symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// On which chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// Which token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Through which router.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router: Option<String>,
    /// To which address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Which way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Why, for whoever is refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// What may be named. An empty list allows everything on paper and nothing in live mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AllowLists {
    /// Venues.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub venues: BTreeSet<String>,
    /// Kinds of market.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub markets: BTreeSet<String>,
    /// Unified symbols.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub symbols: BTreeSet<String>,
    /// Chains.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub chains: BTreeSet<String>,
    /// Tokens by contract.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tokens: BTreeSet<String>,
    /// Routers by contract.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub routers: BTreeSet<String>,
    /// Destinations, and when each was listed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<String, Timestamp>,
}

/// The whole policy of a risk domain. It only denies: what it does not name is left to the risk limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Asked first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Deny>,
    /// Asked next.
    pub allow: AllowLists,
    /// By source, such as `strategy-0` or a person's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<Name, SourceRule>,
    /// Of all sources together.
    pub caps: Caps,
    /// By size, in any order; the largest quorum that applies holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Threshold>,
    /// The stage of a roll-out, if one is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Whose orders must name the decision that they follow.
    #[serde(skip_serializing_if = "RequireDecision::is_off")]
    pub require_decision: RequireDecision,
}

/// What a wish meets: circumstances that change between asking and releasing, and so are no part of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The moment of judgement.
    pub now: Timestamp,
    /// What the process is allowed to do.
    pub mode: Mode,
    /// What the order is worth now, in ledger units of the base currency; `None` when it cannot be known.
    pub notional: Option<i128>,
    /// Whether it can only bring a position nearer to zero.
    pub reduces: bool,
    /// Gross notional held and open before it; `None` when it cannot be known.
    pub exposure: Option<i128>,
    /// Notional that this source has ordered this UTC day.
    pub source_day: i128,
    /// Orders of this source this UTC day.
    pub source_orders: u32,
    /// Notional that all sources have ordered this UTC day.
    pub day: i128,
}

/// The policy's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It may go on to the risk checks.
    Allowed,
    /// As [`Ruling::Allowed`], once that many persons beside the proposer say so.
    NeedsApproval {
        /// How many persons.
        quorum: u8,
    },
    /// It may not.
    Denied(Refused),
}

/// Judges `wish` of `by` under `policy`: characters, identity, deny rules, autonomy, decision, allow-lists, caps, stage, quorum.
///
/// An order that only reduces a position passes allow-lists, caps and stage, so that nobody is locked into a position;
/// a person's also needs no approval. Characters, deny rules and research-only hold for it like for any other.
#[must_use]
pub fn judge_policy(policy: &Policy, by: &Principal, wish: &Wish, usage: &Usage) -> Ruling {
    match check(policy, by, wish, usage) {
        Ok(0) => Ruling::Allowed,
        Ok(quorum) => Ruling::NeedsApproval { quorum },
        Err(refused) => Ruling::Denied(refused),
    }
}

fn check(policy: &Policy, by: &Principal, wish: &Wish, usage: &Usage) -> Result<u8, Refused> {
    wish.check_characters()?;
    if !by.may_propose(usage.reduces) {
        let role = if usage.reduces { "the role trader or risk" } else { "the role trader" };
        return Err(Refused::new(Rule::Identity, by.name.as_str(), role));
    }
    if let Some(deny) = policy.deny.iter().find(|deny| deny.applies(by, wish)) {
        let why = if deny.why.is_empty() { "a deny rule" } else { &deny.why };
        return Err(Refused::new(Rule::Denied, format!("{} {} at {}", by.name, wish.symbol, wish.venue), why));
    }
    let autonomy = policy.autonomy(by);
    if autonomy == Autonomy::ResearchOnly {
        return Err(Refused::new(Rule::Autonomy, format!("{} is research-only", by.name), "human-approval or bounded"));
    }
    check_decision(policy.require_decision, by, wish, usage)?;
    if !usage.reduces {
        check_lists(&policy.allow, wish, usage)?;
        check_caps(policy, by, usage)?;
        check_stage(policy.stage.as_ref(), usage)?;
    }
    quorum(policy, autonomy, by, usage)
}

impl Deny {
    fn applies(&self, by: &Principal, wish: &Wish) -> bool {
        let names = [
            (&self.venue, Some(&wish.venue)),
            (&self.market, Some(&wish.market)),
            (&self.symbol, Some(&wish.symbol)),
            (&self.chain, wish.chain.as_ref()),
            (&self.token, wish.token.as_ref()),
            (&self.router, wish.router.as_ref()),
            (&self.address, wish.address.as_ref()),
        ];
        names.into_iter().all(|(rule, found)| rule.is_none() || rule.as_ref() == found)
            && self.source.as_ref().is_none_or(|source| *source == by.name)
            && self.kind.is_none_or(|kind| kind == by.kind)
            && self.side.is_none_or(|side| side == wish.request.side)
    }
}

impl Policy {
    /// How much `by` may do by itself: what its own rule says, else what its kind may. Agents and models wait for a
    /// person unless they are named.
    #[must_use]
    pub fn autonomy(&self, by: &Principal) -> Autonomy {
        let own = self.sources.get(&by.name).and_then(|rule| rule.autonomy);
        own.unwrap_or(match by.kind {
            Kind::Person | Kind::Strategy | Kind::System => Autonomy::Bounded,
            Kind::Agent | Kind::Model => Autonomy::HumanApproval,
        })
    }

    /// How many persons beside `by` an order of `usage` needs, whatever else the policy says to it.
    ///
    /// # Errors
    /// [`Rule::OrderCap`] where that depends on a notional that cannot be known.
    pub fn quorum(&self, by: &Principal, usage: &Usage) -> Result<u8, Refused> {
        quorum(self, self.autonomy(by), by, usage)
    }

    fn caps_of(&self, by: &Principal) -> Caps {
        self.sources.get(&by.name).map_or(Caps::default(), |rule| rule.caps)
    }

    /// Whether it counts what is ordered in a day.
    #[must_use]
    pub fn counts_usage(&self) -> bool {
        let counts = |caps: &Caps| caps.day.is_some() || caps.orders_day.is_some();
        counts(&self.caps) || self.sources.values().any(|rule| counts(&rule.caps))
    }
}

/// A person who only reduces needs no decision on record: nobody is locked into a position.
fn check_decision(required: RequireDecision, by: &Principal, wish: &Wish, usage: &Usage) -> Result<(), Refused> {
    let is_exit = usage.reduces && by.kind == Kind::Person;
    if wish.decision.is_some() || is_exit || !required.covers(by.kind) {
        return Ok(());
    }
    Err(Refused::new(Rule::Decision, format!("{} names no decision", by.name), "a decision on record"))
}

fn check_lists(allow: &AllowLists, wish: &Wish, usage: &Usage) -> Result<(), Refused> {
    for (rule, name) in wish.names() {
        let Some(name) = name else { continue };
        let list = match rule {
            Rule::Venue => &allow.venues,
            Rule::Market => &allow.markets,
            Rule::Symbol => &allow.symbols,
            Rule::Chain => &allow.chains,
            Rule::Token => &allow.tokens,
            Rule::Router => &allow.routers,
            _ => {
                check_address(allow, name, usage)?;
                continue;
            }
        };
        let listed = if list.is_empty() { usage.mode != Mode::Live } else { list.contains(name) };
        if !listed {
            return Err(Refused::new(rule, name, listing(list.iter().map(String::as_str))));
        }
    }
    Ok(())
}

/// Value leaves for a destination: an empty list allows none, on paper either, and a new entry waits a day.
fn check_address(allow: &AllowLists, address: &str, usage: &Usage) -> Result<(), Refused> {
    match allow.addresses.get(address) {
        None => Err(Refused::new(Rule::Address, address, listing(allow.addresses.keys().map(String::as_str)))),
        Some(since) if usage.now.since(*since) < ADDRESS_DELAY_NANOS => {
            let hours = usage.now.since(*since).max(0) / 3_600_000_000_000;
            Err(Refused::new(Rule::AddressDelay, format!("{address} listed {hours} h ago"), "24 h"))
        }
        Some(_) => Ok(()),
    }
}

/// The first entries of a list, for a message.
fn listing<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.peekable();
    if names.peek().is_none() {
        return "an empty list".to_owned();
    }
    let mut text: Vec<&str> = names.by_ref().take(5).collect();
    if names.peek().is_some() {
        text.push("…");
    }
    text.join(", ")
}

fn amount(units: i128) -> String {
    format_decimal(units, LEDGER_DECIMALS)
}

fn check_caps(policy: &Policy, by: &Principal, usage: &Usage) -> Result<(), Refused> {
    let own = policy.caps_of(by);
    let unbounded = usage.mode == Mode::Live && by.kind != Kind::Person;
    if unbounded && (own.order.or(policy.caps.order).is_none() || own.day.or(policy.caps.day).is_none()) {
        let rule = if own.order.or(policy.caps.order).is_none() { Rule::OrderCap } else { Rule::SourceDayCap };
        return Err(Refused::new(rule, format!("{} without a cap", by.name), "a cap, which live mode wants"));
    }
    if let Some(count) = own.orders_day.into_iter().chain(policy.caps.orders_day).min()
        && usage.source_orders >= count
    {
        return Err(Refused::new(Rule::OrderCount, format!("{} orders today", usage.source_orders), count.to_string()));
    }
    let order = own.order.into_iter().chain(policy.caps.order).min();
    for (rule, cap, before) in [
        (Rule::OrderCap, order, 0),
        (Rule::SourceDayCap, own.day, usage.source_day),
        (Rule::DayCap, policy.caps.day, usage.day),
    ] {
        let Some(cap) = cap.map(i128::from) else { continue };
        let Some(notional) = usage.notional else {
            return Err(Refused::new(rule, "a notional that cannot be known", amount(cap)));
        };
        let after = before.checked_add(notional).filter(|_| notional >= 0);
        match after {
            Some(after) if after <= cap => (),
            Some(after) => return Err(Refused::new(rule, amount(after), amount(cap))),
            None => return Err(Refused::new(rule, "a notional past every bound", amount(cap))),
        }
    }
    Ok(())
}

fn check_stage(stage: Option<&Stage>, usage: &Usage) -> Result<(), Refused> {
    let Some(stage) = stage else { return Ok(()) };
    let limit = format!("{} at stage {}", amount(stage.capital.into()), stage.name);
    let after = usage.exposure.zip(usage.notional).and_then(|(held, notional)| held.checked_add(notional));
    match after {
        Some(after) if after <= i128::from(stage.capital) => Ok(()),
        Some(after) => Err(Refused::new(Rule::Stage, amount(after), limit)),
        None => Err(Refused::new(Rule::Stage, "an exposure that cannot be known", limit)),
    }
}

fn quorum(policy: &Policy, autonomy: Autonomy, by: &Principal, usage: &Usage) -> Result<u8, Refused> {
    if usage.reduces && by.kind == Kind::Person {
        return Ok(0);
    }
    let by_autonomy = u8::from(autonomy == Autonomy::HumanApproval);
    if usage.reduces || policy.approvals.is_empty() {
        return Ok(by_autonomy);
    }
    let Some(notional) = usage.notional else {
        let lowest = policy.approvals.iter().map(|threshold| threshold.from).min().unwrap_or(0);
        return Err(Refused::new(Rule::OrderCap, "a notional that cannot be known", amount(lowest.into())));
    };
    let due = policy.approvals.iter().filter(|threshold| notional >= i128::from(threshold.from));
    Ok(due.map(|threshold| threshold.quorum).max().unwrap_or(0).max(by_autonomy))
}
