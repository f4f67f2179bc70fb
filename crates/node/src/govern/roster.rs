//! What the settings say about persons and policy.

use crate::settings::OperatorSettings;
use crate::stages::with_stage;
use tradewind_domain::Source;
use tradewind_governance::{Act, Changed, Name, Policy, Principal, Register, Roster};

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

pub(super) fn roster_of(operators: &[OperatorSettings]) -> Roster {
    let token = |it: &OperatorSettings| (it.name.clone(), it.token_sha256.to_ascii_lowercase());
    Roster {
        operators: operators.iter().map(OperatorSettings::principal).collect(),
        tokens: operators.iter().map(token).collect(),
    }
}

/// Brings the register up to the persons of the settings. Who they are for the first time is the owner's word; from then
/// on it is a change like one of a limit, which two of those on record must want where there are two. Journals of before
/// tokens were on record learn those of the persons that they know.
pub(super) fn roster_words(register: &Register, wanted: Roster) -> Vec<Act> {
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
