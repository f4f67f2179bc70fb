//! Every reason to say no: its code, what it asks, and how a person clears it.

use serde::{Deserialize, Serialize};
use tradewind_domain::{Coded, ErrorCode};

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $code:literal $asks:literal $clear:literal;)*) => {
        /// What says no, in the order of their codes; the first part is asked of every wish, in this order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        /// Every rule, in the order of [`Rule`].
        pub const RULES: &[RuleInfo] =
            &[$(RuleInfo { rule: Rule::$rule, code: $code, asks: $asks, clear: $clear }),*];

        /// Every code of this crate, in order; the book's error page is generated from such lists.
        pub const CODES: &[ErrorCode] =
            &[$(ErrorCode { code: $code, meaning: concat!("no to: ", $asks), hint: $clear }),*];
    };
}

/// One line of the generated table of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Which rule.
    pub rule: Rule,
    /// Its stable code.
    pub code: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// How a person clears it.
    pub clear: &'static str,
}

rules! {
    /// A name holds a character that can deceive the eye.
    Characters "GOV-01" "does every name hold plain characters only?" "type the name yourself: it holds a character that looks like another or like nothing";
    /// Whoever asks may not propose.
    Identity "GOV-02" "may this identity propose?" "give it the role `trader` under [[operators]], or use another --as; the role `risk` may only reduce";
    /// A deny rule matches.
    Denied "GOV-03" "does no deny rule match?" "change governance.deny; a deny rule is never overridden";
    /// The source may only research.
    Autonomy "GOV-04" "may this source trade at all?" "set its autonomy to human-approval or bounded under [governance.sources]";
    /// The venue is not listed.
    Venue "GOV-05" "is the venue on the allow-list?" "add it to governance.allow.venues";
    /// The kind of market is not listed.
    Market "GOV-06" "is the market type on the allow-list?" "add it to governance.allow.markets";
    /// The symbol is not listed.
    Symbol "GOV-07" "is the symbol on the allow-list, byte for byte?" "add it to governance.allow.symbols";
    /// The chain is not listed.
    Chain "GOV-08" "is the chain on the allow-list?" "add it to governance.allow.chains";
    /// The token is not listed.
    Token "GOV-09" "is the token on the allow-list?" "add its address to governance.allow.tokens";
    /// The router is not listed.
    Router "GOV-10" "is the router on the allow-list?" "add its address to governance.allow.routers";
    /// The destination is not listed.
    Address "GOV-11" "is the destination on the allow-list?" "add it to governance.allow.addresses; it counts a day later";
    /// The destination is listed, but too lately.
    AddressDelay "GOV-12" "is the destination listed for a day?" "wait until 24 hours after it was added";
    /// The order is too large for its source.
    OrderCap "GOV-13" "is the order within its cap?" "split it, or raise the order cap under [governance] with a second person";
    /// The source has used up its day.
    SourceDayCap "GOV-14" "is the source within its cap for the day?" "wait for the next UTC day, or raise the source's day cap with a second person";
    /// All sources together have used up the day.
    DayCap "GOV-15" "are all sources together within the cap for the day?" "wait for the next UTC day, or raise governance.cap_day with a second person";
    /// The source has placed too many orders today.
    OrderCount "GOV-16" "is the source within its number of orders for the day?" "wait for the next UTC day, or raise cap_orders_day with a second person";
    /// The roll-out stage allows no more.
    Stage "GOV-17" "is the exposure within the roll-out stage's capital?" "reduce first, or meet the stage's criteria and `tradewind limits stage advance`";
    /// There is no such proposal.
    NoProposal "GOV-18" "is there such a proposal?" "see `tradewind proposals list`";
    /// It lived its 120 seconds.
    Expired "GOV-19" "is the proposal still alive?" "propose it again: a proposal lives 120 seconds";
    /// It was decided already.
    Used "GOV-20" "does the proposal, or the change of a limit, still wait for a decision?" "it is decided once, and that stands: place the order, or ask for the change, anew";
    /// It was made in an earlier run, or edited.
    Void "GOV-21" "is the proposal of this run and unchanged?" "propose it again: a restart or an edit makes a proposal void";
    /// The approval saw other bytes.
    Changed "GOV-22" "is this the order that was seen?" "look at it again with `tradewind proposals show` and approve the hash shown there";
    /// The one who asked approves.
    OwnProposal "GOV-23" "does somebody else approve?" "ask another person: who proposes never counts as approver";
    /// Not a person.
    NotAPerson "GOV-24" "does a person say so?" "a strategy, agent or model never approves";
    /// The role is missing.
    NoRole "GOV-25" "has this person the role for it?" "give the role under [[operators]], or ask somebody who has it";
    /// This person has approved already.
    SaidAlready "GOV-26" "is it this person's first word?" "ask another person: each counts once";
    /// The price moved and the order now needs more approvals.
    MoreApprovals "GOV-27" "do the approvals suffice for the order as it is worth now?" "propose it again: it now needs more persons";
    /// Only one person is known.
    SecondPerson "GOV-28" "is there a second person who could approve?" "add a second person under [[operators]]; lowering a limit needs none";
    /// There is no such change.
    NoChange "GOV-29" "is there such a change?" "see `tradewind limits show`";
    /// The 24 hours are over.
    ChangeExpired "GOV-30" "was the change asked for within 24 hours?" "ask for it again";
    /// The limit has another value by now.
    ChangeStale "GOV-31" "is the limit still what it was when the change was asked for?" "ask for it again: the limit has moved since";
    /// The key was used for another request.
    KeyConflict "GOV-32" "was the key used for this very request?" "use a fresh key: this one belongs to another request";
    /// The request under this key has no outcome yet.
    KeyOpen "GOV-33" "has the request under this key an outcome?" "see `tradewind order list`; nothing was sent twice";
    /// A latch covers it.
    Latched "GOV-34" "is no kill switch latched over it?" "find out why (`tradewind status` names every kill switch), then `tradewind resume --scope SCOPE`";
    /// This identity may not clear the latch.
    Clearer "GOV-35" "may this person clear the latch?" "ask another person with the role `risk`";
    /// The stage's criteria are not met.
    Criteria "GOV-36" "are the stage's criteria met?" "trade on at this stage until they are; `tradewind limits stage show` lists them";
    /// Nothing is latched there.
    NotLatched "GOV-37" "is there such a latch?" "see `tradewind status`";
    /// The order follows no decision on record.
    Decision "GOV-38" "does the order name the decision that it follows?" "record the decision first and name it: `--decision ID` of `tradewind order`; governance.require_decision says whose orders need one";
    /// Too many orders of one source wait for people.
    OpenProposals "GOV-39" "may one more order of this source wait for people?" "decide some, `tradewind proposals list`, or wait until they expire (120 seconds); whoever asked may withdraw its own: `tradewind proposals reject ID`";
    /// The same order of the same source waits already.
    SameProposal "GOV-40" "does no order just like it wait already?" "that one is decided first: see `tradewind proposals list`";
    /// One token would prove two persons.
    SharedToken "GOV-41" "has each person a token of its own?" "make another token for one of the two and write its SHA-256 under [[operators]]: whoever holds a token is the person that it proves";
}

/// A no: which rule, what it found, what it would have allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {value} against {limit}", self.info().code)]
pub struct Refused {
    /// Which rule.
    pub rule: Rule,
    /// What it found.
    pub value: String,
    /// What it would have allowed.
    pub limit: String,
}

impl Refused {
    /// A no of `rule`.
    pub fn new(rule: Rule, value: impl Into<String>, limit: impl Into<String>) -> Self {
        Self { rule, value: value.into(), limit: limit.into() }
    }
    /// The line of [`RULES`] that says no.
    #[must_use]
    pub fn info(&self) -> &'static RuleInfo {
        self.rule.info()
    }
}

impl Rule {
    /// Its line of [`RULES`].
    #[must_use]
    pub fn info(self) -> &'static RuleInfo {
        &RULES[self as usize]
    }
}

impl Coded for Refused {
    fn code(&self) -> &'static str {
        self.info().code
    }
    fn hint(&self) -> &'static str {
        self.info().clear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_rules_and_says_something() {
        for (place, info) in RULES.iter().enumerate() {
            assert_eq!(info.rule as usize, place);
            assert_eq!(info.code, format!("GOV-{:02}", place + 1));
            assert!(info.asks.ends_with('?') && !info.clear.is_empty());
            assert_eq!(Refused::new(info.rule, "a", "b").to_string(), format!("{}: a against b", info.code));
            assert_eq!(CODES[place].code, info.code);
        }
    }
}
