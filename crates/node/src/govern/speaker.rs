//! Who speaks: identities, what they may ask for, and once under one key.

use super::no;
use super::requests::Signed;
use crate::core::Core;
use crate::error::NodeError;
use crate::operate::{OperatorReply, OperatorRequest, done, failed};
use crate::parents::parent_view;
use serde_json::json;
use sha2::{Digest, Sha256};
use tradewind_engine::algo::ParentId;
use tradewind_governance::{
    Act, DecisionId, IdempotencyKey, KeyOutcome, KeyUse, Known, Name, NamedDecision, Principal, Refused, Register,
    Role, Rule,
};

/// Whoever says nothing of itself: the one local user, or, where persons are named, nobody.
fn unnamed(register: &Register) -> Principal {
    if register.operators.is_empty() { Principal::operator() } else { Principal::nobody() }
}

/// The person that a request names, if its token proves it. Persons and tokens are those on record: what an edited
/// settings file says of them holds once it was agreed to.
pub(super) fn identify(register: &Register, signed: &Signed) -> Result<Principal, OperatorReply> {
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
        // who stops the node stands in the record of its end: on a full disk there is room for that
        let names = self.names_persons() && !request.is_open_to_all() && !request.stops();
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
}
