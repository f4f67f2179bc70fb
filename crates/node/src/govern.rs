//! Identities, approvals, changes of limits, scoped kill switches and idempotency keys, as a person uses them.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::limit_changes::change_view;
use crate::operate::{OperatorReply, OperatorRequest, done, failed};
use crate::parents::{parent_view, plan_words};
use crate::settings::OperatorSettings;
use crate::stages::{StageMove, stage_view, with_stage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use tradewind_domain::{AccountId, Coded, OrderRequest, PortfolioId, Sequence, Source, Timestamp};
use tradewind_engine::algo::{Parent, ParentId};
use tradewind_engine::{EventKind, limit_values};
use tradewind_governance::{
    Act, Changed, DecisionId, Held, IdempotencyKey, KeyOutcome, KeyUse, Kind, Known, Latch, Name, NamedDecision,
    Policy, Principal, Refused, Register, Role, Roster, Rule, Scope, WishHash,
};
use tradewind_host::Draft;
use tradewind_strategies::Desk;

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

    /// Whether it asks for the end of the node, in whose name ever: whoever reaches the socket may.
    pub(crate) fn stops(&self) -> bool {
        match self {
            Self::Stop => true,
            Self::Signed(signed) => matches!(*signed.request, Self::Stop),
            _ => false,
        }
    }

    /// Whether it places an order that must not be placed twice, and that may follow a decision.
    const fn takes_key(&self) -> bool {
        matches!(self, Self::OrderPlace(_) | Self::OrderOco(_) | Self::OrderParent(_) | Self::OrderReplace(_))
    }

    /// What anybody with access to the socket may do: look, stop orders, end the node.
    fn is_open_to_all(&self) -> bool {
        match self {
            Self::Status
            | Self::OrderList
            | Self::ParentList
            | Self::PositionList
            | Self::Halt { .. }
            | Self::HaltSigned(_)
            | Self::Stop => true,
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

fn no(refused: &Refused) -> OperatorReply {
    failed(refused.code(), format!("{} against {}", refused.value, refused.limit), refused.hint())
}

/// Whoever says nothing of itself: the one local user, or, where persons are named, nobody.
fn unnamed(register: &Register) -> Principal {
    if register.operators.is_empty() { Principal::operator() } else { Principal::nobody() }
}

/// The person that a request names, if its token proves it. Persons and tokens are those on record: what an edited
/// settings file says of them holds once it was agreed to.
fn identify(register: &Register, signed: &Signed) -> Result<Principal, OperatorReply> {
    let Some(by) = &signed.by else { return Ok(unnamed(register)) };
    let digest = hex::encode(Sha256::digest(signed.token.as_ref().map_or("", |token| token.0.trim()).as_bytes()));
    let known = register.operators.iter().find(|it| it.name.as_str() == by);
    // an unknown name costs the same comparison as a wrong token, and gets the same answer
    let wanted = known.and_then(|it| register.tokens.get(&it.name)).cloned().unwrap_or_else(|| "0".repeat(64));
    let differs = digest.bytes().zip(wanted.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    match known {
        Some(it) if differs == 0 && signed.token.is_some() => Ok(it.clone()),
        _ => Err(failed(
            "NODE-30",
            format!("`{}` is not proven", by.escape_debug()),
            "name an operator of the settings with --as and the file of its token with --token-file",
        )),
    }
}

/// The decision that a request names, if it can be one.
fn read_decision(signed: &Signed) -> Result<Option<DecisionId>, Box<OperatorReply>> {
    let Some(text) = &signed.decision else { return Ok(None) };
    let unfit = |message: String| {
        let hint = "1 to 64 printable ASCII characters without spaces, with a command that places or replaces orders";
        Err(Box::new(failed("NODE-42", message, hint)))
    };
    match DecisionId::new(text) {
        None => unfit(format!("the decision `{}` cannot be used", text.escape_debug())),
        Some(_) if !signed.request.takes_key() => unfit("this request follows no decision".to_owned()),
        Some(id) => Ok(Some(id)),
    }
}

impl Core {
    /// Carries out a request as the person that it names, once per key.
    pub(crate) fn operate_signed(&mut self, signed: &Signed) -> Result<OperatorReply, NodeError> {
        if matches!(*signed.request, OperatorRequest::Signed(_) | OperatorRequest::HaltSigned(_)) {
            return Ok(failed("NODE-13", "a request within a signed request", "sign it once"));
        }
        let by = match identify(&self.host.state.governance, signed) {
            Ok(by) => by,
            Err(reply) => return Ok(reply),
        };
        let decision = match read_decision(signed) {
            Ok(decision) => decision,
            Err(reply) => return Ok(*reply),
        };
        self.speaker = by;
        let reply = match &signed.key {
            Some(key) => self.once(key, &signed.request, decision),
            None => self.operate_spoken(&signed.request, decision),
        };
        (self.speaker, self.decision, self.key) = (self.unnamed(), None, None);
        reply
    }

    /// Whoever says nothing of itself.
    pub(crate) fn unnamed(&self) -> Principal {
        unnamed(&self.host.state.governance)
    }

    /// The name of the person who speaks, where persons are named and it is one of them.
    pub(crate) fn named_speaker(&self) -> Option<Name> {
        let is_known = self.host.state.governance.operators.contains(&self.speaker);
        is_known.then(|| self.speaker.name.clone())
    }

    fn names_persons(&self) -> bool {
        !self.host.state.governance.operators.is_empty()
    }

    /// Names the decision that the next order follows.
    fn decide(&mut self, decision: Option<DecisionId>) -> Result<(), NodeError> {
        if let Some(id) = decision {
            self.decision = Some(self.host.state.sequence + 1);
            self.act(Act::DecisionNamed(NamedDecision { by: self.speaker.name.clone(), id: Some(id) }))?;
        }
        Ok(())
    }

    /// Whether the person who speaks may ask for `request` at all.
    pub(crate) fn check_speaker(&self, request: &OperatorRequest) -> Result<(), OperatorReply> {
        if self.names_persons() && self.named_speaker().is_none() && !request.is_open_to_all() {
            return Err(failed(
                "NODE-31",
                "this node knows its operators by name",
                "say who you are with --as NAME and --token-file FILE; `tradewind halt` needs no name",
            ));
        }
        let role = match request {
            OperatorRequest::Resume { .. } | OperatorRequest::Adopt(_) | OperatorRequest::PositionExempt { .. } => {
                Role::Risk
            }
            _ => return Ok(()),
        };
        if self.speaker.has(role) {
            return Ok(());
        }
        Err(no(&Refused::new(Rule::NoRole, self.speaker.name.as_str(), "the role risk")))
    }

    /// Notes who says the next thing, where that is not the one local user.
    fn operate_spoken(
        &mut self,
        request: &OperatorRequest,
        decision: Option<DecisionId>,
    ) -> Result<OperatorReply, NodeError> {
        if self.check_speaker(request).is_ok() {
            self.decide(decision)?;
        }
        self.speak(request)?;
        self.operate(request.clone())
    }

    fn speak(&mut self, request: &OperatorRequest) -> Result<(), NodeError> {
        let names = self.names_persons() && !request.is_open_to_all();
        if names && !matches!(request, OperatorRequest::Govern(_)) && self.check_speaker(request).is_ok() {
            self.act_after(self.decision, Act::Speaks { by: self.speaker.clone() })?;
        }
        Ok(())
    }

    /// Carries out a request once under its key; the same again gives the same result.
    fn once(
        &mut self,
        key: &str,
        request: &OperatorRequest,
        decision: Option<DecisionId>,
    ) -> Result<OperatorReply, NodeError> {
        let Some(key) = IdempotencyKey::new(&self.speaker.name, key) else {
            return Ok(failed(
                "NODE-32",
                "the key cannot be used",
                "1 to 64 printable ASCII characters without spaces",
            ));
        };
        if !request.takes_key() {
            return Ok(failed(
                "NODE-32",
                "this request takes no key",
                "requests that place or replace orders take one",
            ));
        }
        let bytes = match &decision {
            None => serde_json::to_vec(request),
            Some(decision) => serde_json::to_vec(&(request, decision)), // another decision is another request
        };
        let payload = KeyUse::payload_of(&bytes.unwrap_or_default());
        match self.host.state.governance.key(&key, &payload, self.now()) {
            Known::Same(outcome) => return Ok(self.reply_of(&outcome, request)),
            Known::Conflict(refused) => return Ok(no(&refused)),
            Known::Fresh => (),
        }
        if let Err(reply) = self.check_speaker(request) {
            return Ok(reply);
        }
        self.decide(decision)?;
        let before = self.host.state.sequence;
        self.speak(request)?;
        let spoke = Some(before + 1).filter(|_| self.host.state.sequence > before).or(self.decision);
        self.act_after(spoke, Act::KeyClaimed { key: key.clone(), payload })?;
        self.key = Some(key.clone());
        let reply = self.operate(request.clone())?;
        let is_open = |used: &KeyUse| used.outcome == KeyOutcome::Open;
        if self.host.state.governance.keys.get(&key).is_some_and(is_open)
            && let OperatorReply::Failed { code, message, hint } = &reply
        {
            let outcome = KeyOutcome::Refused { code: code.clone(), message: message.clone(), hint: hint.clone() };
            self.act(Act::KeyDone { key, outcome })?;
        }
        Ok(reply)
    }

    fn reply_of(&self, outcome: &KeyOutcome, request: &OperatorRequest) -> OperatorReply {
        match outcome {
            KeyOutcome::Open => no(&Refused::new(Rule::KeyOpen, "no outcome yet", "an outcome")),
            KeyOutcome::Parent { parent } => match self.host.state.parents.get(ParentId(*parent)) {
                Some(parent) => done(&parent_view(&self.host.state, parent)),
                None => done(&json!({ "parent": ParentId(*parent).to_string(), "status": "over" })),
            },
            KeyOutcome::Order { client_id } => match self.host.state.order(*client_id) {
                Some(record) if matches!(request, OperatorRequest::OrderOco(_)) => {
                    self.pair_placed(record.order.portfolio(), record.order.request().oco)
                }
                Some(record) => done(&self.view(record)),
                None => done(&json!({ "client_id": client_id, "status": "closed" })),
            },
            KeyOutcome::Held { proposal } => match self.host.state.governance.proposals.get(proposal) {
                Some(held) => done(&self.whole_view(held)),
                None => done(&json!({ "proposal": proposal, "state": "over" })),
            },
            KeyOutcome::Refused { code, message, hint } => failed(code, message.clone(), hint),
        }
    }

    /// Records a word or a fact, and what follows from it.
    pub(crate) fn act(&mut self, act: Act) -> Result<(), NodeError> {
        self.act_after(None, act)
    }

    /// As [`Self::act`] for what follows from the event `cause`.
    fn act_after(&mut self, cause: Option<Sequence>, act: Act) -> Result<(), NodeError> {
        let draft = Draft::of_host(self.now(), wall(), PortfolioId(0), EventKind::Governance(Box::new(act)));
        self.follow(Draft { source: Source::Operator, cause, ..draft })
    }

    /// Says a word of which the answer is a fact or a no.
    pub(crate) fn word(&mut self, act: Act) -> Result<Result<(), OperatorReply>, NodeError> {
        self.host.outside.last_no = None;
        self.act(act)?;
        Ok(self.host.outside.last_no.take().map_or(Ok(()), |refused| Err(no(&refused))))
    }

    /// The proposal that the event `id` was put aside as, as the one who asked sees it.
    pub(crate) fn held_reply(&self, id: Sequence) -> Option<OperatorReply> {
        self.host.state.governance.proposals.get(&id).map(|held| done(&self.whole_view(held)))
    }

    /// What concerns who may do what.
    pub(crate) fn govern(&mut self, request: GovernRequest) -> Result<OperatorReply, NodeError> {
        let by = self.speaker.clone();
        let said = match request {
            GovernRequest::ProposalList => {
                let held = self.host.state.governance.proposals.values().rev();
                return Ok(done(&held.map(|held| self.whole_view(held)).collect::<Vec<_>>()));
            }
            GovernRequest::ProposalShow { id } => return Ok(self.shown(id)),
            GovernRequest::Limits => return Ok(done(&self.limits_view())),
            GovernRequest::LimitSet { name, value, portfolio, account, reason } => {
                return self.set_limit(&name, &value, portfolio.as_deref(), account, &reason);
            }
            GovernRequest::SectorSet { asset, sector, reason } => {
                return self.set_sector(&asset, sector.as_deref(), &reason);
            }
            GovernRequest::Stage => return Ok(done(&stage_view(&self.host.state))),
            GovernRequest::StageMove { to, stage, reason } => return self.move_stage(to, stage.as_deref(), &reason),
            GovernRequest::ProposalApprove { id, hash } => {
                let word = Act::ApprovalSaid { proposal: id, hash: WishHash::of_text(hash), by };
                (self.word(word)?, Some(id))
            }
            GovernRequest::ProposalReject { id, reason, changes } => {
                (self.word(Act::RejectionSaid { proposal: id, by, reason, changes })?, Some(id))
            }
            GovernRequest::LimitAnswer { id, yes } => {
                let said = self.word(Act::ChangeAnswered { change: id, by, yes })?;
                return Ok(said.map_or_else(|reply| reply, |()| self.changes_told(&[id])));
            }
            GovernRequest::Latch { scope, reason } => match scope.parse::<Scope>() {
                Ok(scope) => {
                    if let Err(reply) = self.check_scope(&scope) {
                        return Ok(*reply);
                    }
                    let (tripped_by, kind, at) = (self.named_speaker(), Kind::Person, self.now());
                    let latch = Latch { by: by.name, kind, tripped_by, at, reason };
                    (self.word(Act::Latched { scope, latch })?, None)
                }
                Err(error) => return Ok(failed("NODE-33", error.to_string(), "for everything leave --scope out")),
            },
            GovernRequest::Clear { scope, reason } => match scope.parse::<Scope>() {
                Ok(scope) => (self.word(Act::ClearSaid { scope, by, reason })?, None),
                Err(error) => return Ok(failed("NODE-33", error.to_string(), "see `tradewind limits show`")),
            },
        };
        Ok(match said {
            (Err(reply), _) => reply,
            (Ok(()), Some(id)) => self.shown(id),
            (Ok(()), None) => done(&self.limits_view()),
        })
    }

    /// Whether `scope` names something that is here: a kill switch over nothing would say that it stopped something.
    fn check_scope(&self, scope: &Scope) -> Result<(), Box<OperatorReply>> {
        let (state, register) = (&self.host.state, &self.host.state.governance);
        let mut known = BTreeSet::from([Scope::Global, Scope::Account(AccountId(0))]);
        known.extend(state.listings.iter().map(|it| Scope::Venue(it.instrument.spec.venue.clone())));
        let own = [Source::Operator, Source::Host].into_iter().chain(self.desks.iter().map(Desk::source));
        let orders = state.open.values().filter_map(|record| record.order.source());
        let parents = state.parents.live().map(|parent| parent.wish.source);
        let sources = own.chain(orders).chain(parents).map(|source| Principal::of_source(source).name);
        let agents = register.policy.iter().flat_map(|policy| policy.sources.keys().cloned());
        let persons = register.operators.iter().map(|person| person.name.clone());
        known.extend(sources.chain(agents).chain(persons).map(Scope::Source));
        if known.contains(scope) {
            return Ok(());
        }
        let names: Vec<String> = known.iter().skip(1).map(Scope::to_string).collect();
        let hint = format!("one of {}; for everything leave --scope out", names.join(", "));
        Err(Box::new(failed("NODE-49", format!("the scope {scope} covers nothing here"), &hint)))
    }

    fn shown(&self, id: Sequence) -> OperatorReply {
        match self.host.state.governance.proposals.get(&id) {
            Some(held) => done(&self.whole_view(held)),
            None => no(&Refused::new(Rule::NoProposal, id.to_string(), "a listed proposal")),
        }
    }

    /// The proposal as a page for a person who decides: made from the order alone; what its source says about it
    /// stands apart, as a quotation, since a text may mislead.
    fn whole_view(&self, held: &Held) -> Value {
        let mut view = proposal_view(held);
        let became = |parent: &&Parent| parent.behind.as_ref().is_some_and(|it| it.proposal == Some(held.id));
        let parents = &self.host.state.parents;
        view["parent_id"] = json!(parents.live().chain(parents.over()).find(became).map(|it| it.id.to_string()));
        view["seconds_left"] = json!(held.state.is_open().then(|| seconds_left(held, self.now())));
        view["order"] = self.order_words(held, &held.wish.request);
        if let Some(plan) = &held.wish.plan {
            view["plan"] = plan_words(&self.host.state, held.wish.request.instrument, plan);
        }
        if let Some(other) = &held.wish.other {
            view["other_order"] = self.order_words(held, other);
        }
        view
    }

    /// An order as it is proposed, with what it is worth at its own price.
    fn order_words(&self, held: &Held, request: &OrderRequest) -> Value {
        let Some(listing) = self.host.state.listings.get(request.instrument.index()) else { return Value::Null };
        let it = &listing.instrument;
        let price = |price: Option<_>| price.map(|price| it.price_text(price));
        let judged = request.kind.limit().or(request.kind.trigger()).or(listing.mark.map(|mark| mark.price));
        let worst = judged.and_then(|price| it.notional(price, request.quantity).ok());
        json!({
            "venue": held.wish.venue, "market": held.wish.market, "symbol": held.wish.symbol,
            "side": request.side, "quantity": it.quantity_text(request.quantity),
            "limit": price(request.kind.limit()), "trigger": price(request.kind.trigger()),
            "mark": price(listing.mark.map(|mark| mark.price)),
            "reduce_only": request.reduce_only, "post_only": request.post_only,
            "worth_now": worst.map(|money| money.to_string()),
        })
    }

    fn limits_view(&self) -> Value {
        let state = &self.host.state;
        let rows = state.portfolios.iter().map(|portfolio| {
            let values = limit_values(&portfolio.limits);
            let values: serde_json::Map<String, Value> =
                values.into_iter().map(|(name, _, value)| (name.to_owned(), json!(value))).collect();
            json!({ "portfolio": portfolio.name, "limits": values })
        });
        let waiting = state.governance.changes.values().rev().map(|change| change_view(state, change));
        let latches = state.governance.latches.iter();
        let latches = latches.map(|(scope, it)| json!({ "scope": scope, "by": it.by, "reason": it.reason }));
        json!({
            "portfolios": rows.collect::<Vec<_>>(),
            "limits": crate::limits_view::limits(state),
            "breakers": crate::limits_view::breakers(state),
            "sectors": state.risk.as_ref().map(|risk| &risk.account.sectors),
            "mode": crate::limits_view::mode(state),
            "changes": waiting.collect::<Vec<_>>(),
            "latches": latches.collect::<Vec<_>>(),
            "halted": state.halted,
            "stage": stage_view(state),
            "policy": state.governance.policy,
        })
    }
}

/// Seconds until it is dead, whole ones.
fn seconds_left(held: &Held, now: Timestamp) -> i64 {
    held.expires_at().since(now).max(0).div_euclid(1_000_000_000)
}

fn proposal_view(held: &Held) -> Value {
    json!({
        "proposal": held.id,
        "state": held.state,
        "by": held.wish.by,
        "portfolio": held.wish.portfolio,
        "symbol": held.wish.symbol,
        "side": held.wish.request.side,
        "quorum": held.quorum,
        "approvals": held.approvals,
        "asked_at": held.asked_at.to_string(),
        "expires_at": held.expires_at().to_string(),
        "hash": held.hash,
        "order_id": held.order,
        "other_order_id": held.other_order,
        "note": held.note,
        "decision": held.wish.decision,
        "its_source_says": held.wish.reason,
    })
}

/// What the settings say about persons and policy, as the words that bring the register up to them.
pub(crate) fn settings_words(register: &Register, operators: &[OperatorSettings], policy: &Policy) -> Vec<Act> {
    let mut words = Vec::new();
    words.extend(roster_words(register, roster_of(operators)));
    let (policy, stage) = with_stage(register, policy);
    words.extend(stage);
    let old = Policy { stage: policy.stage.clone(), ..register.policy.clone().unwrap_or_default() };
    if !same_but_times(&old, &policy) {
        let changed = Changed::Policy { old: Box::new(old), new: Box::new(policy) };
        let by = Principal::of_source(Source::Host);
        words.push(Act::ChangeSaid { changed, by, reason: "the settings at start".to_owned() });
    }
    words
}

fn roster_of(operators: &[OperatorSettings]) -> Roster {
    let token = |it: &OperatorSettings| (it.name.clone(), it.token_sha256.to_ascii_lowercase());
    Roster {
        operators: operators.iter().map(OperatorSettings::principal).collect(),
        tokens: operators.iter().map(token).collect(),
    }
}

/// Brings the register up to the persons of the settings. Who they are for the first time is the owner's word; from then
/// on it is a change like one of a limit, which two of those on record must want where there are two. Journals of before
/// tokens were on record learn those of the persons that they know.
fn roster_words(register: &Register, wanted: Roster) -> Vec<Act> {
    let mut known = register.roster();
    let mut words = Vec::new();
    if known.operators.is_empty() && !wanted.operators.is_empty() {
        return vec![Act::OperatorsSet { operators: wanted.operators, tokens: wanted.tokens }];
    }
    if known.tokens.is_empty() && !known.operators.is_empty() {
        let is_known = |name: &Name| known.operators.iter().any(|person| person.name == *name);
        let tokens = wanted.tokens.iter().filter(|(name, _)| is_known(name));
        known.tokens = tokens.map(|(name, token)| (name.clone(), token.clone())).collect();
        words.push(Act::OperatorsSet { operators: known.operators.clone(), tokens: known.tokens.clone() });
    }
    if known != wanted {
        let changed = Changed::Operators { old: Box::new(known), new: Box::new(wanted) };
        let by = Principal::of_source(Source::Host);
        words.push(Act::ChangeSaid { changed, by, reason: "the settings at start".to_owned() });
    }
    words
}

fn same_but_times(old: &Policy, new: &Policy) -> bool {
    let mut old = old.clone();
    let listed = old.allow.addresses.keys().eq(new.allow.addresses.keys());
    old.allow.addresses.clone_from(&new.allow.addresses);
    listed && old == *new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(operators: &[OperatorSettings]) -> Register {
        let Roster { operators, tokens } = roster_of(operators);
        Register { operators, tokens, ..Register::default() }
    }

    fn operators() -> Vec<OperatorSettings> {
        let token_sha256 = hex::encode(Sha256::digest(b"open sesame"));
        vec![OperatorSettings { name: Name::new("anna").unwrap(), token_sha256, roles: [Role::Trader].into() }]
    }

    fn check(by: Option<&str>, token: Option<&str>, operators: &[OperatorSettings], want: Result<&str, &str>) {
        let signed = Signed {
            by: by.map(str::to_owned),
            token: token.map(|token| Token(token.to_owned())),
            key: None,
            decision: None,
            request: Box::new(OperatorRequest::Status),
        };
        let found = identify(&register(operators), &signed);
        let found = found.as_ref().map(|it| it.name.as_str()).map_err(|reply| match reply {
            OperatorReply::Failed { code, .. } => code.as_str(),
            OperatorReply::Done { .. } => "done",
        });
        assert_eq!(found, want, "{by:?}");
        assert!(!format!("{signed:?}").contains("sesame")); // a token is never shown
    }

    #[test]
    fn an_identity_is_proven_by_its_token_and_by_nothing_else() {
        check(Some("anna"), Some("open sesame"), &operators(), Ok("anna"));
        check(Some("anna"), Some("open sesame\n"), &operators(), Ok("anna")); // as a file ends
        for token in [None, Some(""), Some("open"), Some("OPEN SESAME")] {
            check(Some("anna"), token, &operators(), Err("NODE-30"));
        }
        check(Some("ben"), Some("open sesame"), &operators(), Err("NODE-30"));
        check(Some("anna"), Some("open sesame"), &[], Err("NODE-30"));
        check(None, None, &[], Ok("operator"));
        check(None, None, &operators(), Ok("operator")); // without a single role
    }

    #[test]
    fn a_signed_request_is_read_as_it_was_written() {
        let inner = [
            OperatorRequest::Halt { reason: "x".to_owned() },
            OperatorRequest::Govern(GovernRequest::ProposalApprove { id: 7, hash: "h".to_owned() }),
            OperatorRequest::Govern(GovernRequest::Limits),
        ];
        for request in inner {
            let (by, key) = (Some("anna".to_owned()), Some("k".to_owned()));
            let token = Some(Token("t".to_owned()));
            let decision = Some("idea-7".to_owned());
            let signed = OperatorRequest::Signed(Signed { by, token, key, decision, request: Box::new(request) });
            let text = serde_json::to_string(&signed).unwrap();
            assert_eq!(serde_json::from_str::<OperatorRequest>(&text).unwrap(), signed, "{text}");
        }
    }

    #[test]
    fn journals_of_before_tokens_were_on_record_learn_those_of_the_persons_that_they_know() {
        let anna = roster_of(&operators());
        let register = Register { operators: anna.operators.clone(), ..Register::default() };
        let learns = Act::OperatorsSet { operators: anna.operators.clone(), tokens: anna.tokens.clone() };
        assert_eq!(roster_words(&register, anna.clone()), std::slice::from_ref(&learns));
        let mut both = operators();
        both.push(OperatorSettings { name: Name::new("ben").unwrap(), ..both[0].clone() });
        let words = roster_words(&register, roster_of(&both));
        let (old, new) = (Box::new(anna), Box::new(roster_of(&both)));
        assert!(matches!(&words[..], [first, Act::ChangeSaid { changed, .. }]
            if *first == learns && *changed == Changed::Operators { old, new }));
    }

    #[test]
    fn settings_are_told_once() {
        let mut register = Register::default();
        let policy = Policy::default();
        assert!(settings_words(&register, &[], &policy).is_empty());
        let words = settings_words(&register, &operators(), &policy);
        assert_eq!(words.len(), 1);
        let at = tradewind_governance::At {
            sequence: 1,
            now: tradewind_domain::Timestamp::from_millis(1),
            incarnation: tradewind_domain::Incarnation(1),
        };
        register.apply(&words[0], at);
        assert!(settings_words(&register, &operators(), &policy).is_empty());
    }
}
