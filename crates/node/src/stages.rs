//! The staged roll-out in a person's words: where it stands, what it still lacks, and how it is moved.

use crate::core::Core;
use crate::error::NodeError;
use crate::operate::{OperatorReply, failed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_domain::{LEDGER_DECIMALS, Source, format_decimal};
use tradewind_engine::State;
use tradewind_governance::{Act, Changed, Policy, Principal, Register, STAGES, Stage};

/// Where a roll-out is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageMove {
    /// On to the next stage: every criterion must be met, and a second person must say so.
    Advance,
    /// Back to an earlier stage, at once; without a roll-out its beginning.
    Demote,
    /// The same stage again: its evidence counts from now on.
    Repeat,
}

impl Core {
    /// Moves the roll-out, or says why not.
    pub(crate) fn move_stage(
        &mut self,
        to: StageMove,
        stage: Option<&str>,
        reason: &str,
    ) -> Result<OperatorReply, NodeError> {
        let old = self.host.state.governance.stage().cloned();
        let new = match next(old.as_ref(), to, stage) {
            Ok(new) => new,
            Err(message) => {
                let hint =
                    "see `tradewind limits stage show`; a roll-out begins with `governance.stage` in the settings";
                return Ok(failed("NODE-40", message, hint));
            }
        };
        let changed = Changed::Stage { old: old.map(Box::new), new: new.map(Box::new) };
        let word = Act::ChangeSaid { changed, by: self.speaker.clone(), reason: reason.to_owned() };
        if let Err(reply) = self.word(word)? {
            return Ok(reply);
        }
        let told = self.host.state.governance.changes.keys().next_back().copied();
        Ok(self.changes_told(told.as_slice()))
    }
}

/// The stage that a move leads to; `None` is the end of the roll-out.
fn next(current: Option<&Stage>, to: StageMove, named: Option<&str>) -> Result<Option<Stage>, String> {
    let find = |name: &str| {
        let place = STAGES.iter().position(|(known, ..)| *known == name);
        let known: Vec<&str> = STAGES.iter().map(|(name, ..)| *name).collect();
        place
            .and_then(Stage::shipped)
            .ok_or_else(|| format!("there is no stage `{}`: one of {}", name.escape_debug(), known.join(", ")))
    };
    match (to, current, named) {
        (StageMove::Demote, Some(current), None) => {
            current.before().map(Some).ok_or_else(|| format!("stage {} is the first one", current.name))
        }
        (StageMove::Demote, current, Some(name)) => match (find(name)?, current) {
            (new, Some(current)) if new.capital >= current.capital => {
                Err(format!("stage {} is not before stage {}", new.name, current.name))
            }
            (new, _) => Ok(Some(new)),
        },
        (_, None, _) => Err("no roll-out is under way".to_owned()),
        (StageMove::Repeat, Some(current), _) => Ok(Some(current.clone())),
        (StageMove::Advance, Some(current), _) => {
            Ok(STAGES.iter().position(|(_, capital, _)| *capital > current.capital).and_then(Stage::shipped))
        }
    }
}

/// The roll-out as a person sees it.
pub(crate) fn stage_view(state: &State) -> Value {
    let register = &state.governance;
    let text = |units: i64| format_decimal(units.into(), LEDGER_DECIMALS);
    let shipped = STAGES.iter().map(|(name, capital, _)| json!({ "stage": name, "capital": text(*capital) }));
    let history = register.changes.values().rev().filter(|change| matches!(change.changed, Changed::Stage { .. }));
    let history = history.map(|change| crate::limit_changes::change_view(state, change));
    let mut view = json!({
        "stage": register.stage().map(|stage| &stage.name),
        "capital": register.stage().map(Stage::capital_text),
        "stages": shipped.collect::<Vec<_>>(),
        "criteria": [],
        "ready": false,
        "history": history.collect::<Vec<_>>(),
    });
    view["standing"] = json!(match (&register.rollout, register.stage()) {
        (_, Some(stage)) => format!("gross exposure within {}", stage.capital_text()),
        (Some(_), None) => "the roll-out is over: no stage caps the exposure".to_owned(),
        (None, None) => "no roll-out: no stage caps the exposure".to_owned(),
    });
    if let (Some(rollout), Some(stage)) = (&register.rollout, register.stage()) {
        let criteria = stage.judge(&rollout.seen);
        view["since"] = json!(rollout.since.to_string());
        view["change"] = json!(rollout.change);
        view["ready"] = json!(criteria.iter().all(|it| it.met));
        view["next"] = json!(stage_name(next(Some(stage), StageMove::Advance, None).ok().flatten().as_ref()));
        view["criteria"] = json!(criteria);
    }
    view
}

/// A stage's name, or the word for none.
pub(crate) fn stage_name(stage: Option<&Stage>) -> &str {
    stage.map_or("none", |stage| &stage.name)
}

/// The policy of the settings with the stage that holds, and the word that begins a roll-out, if the settings want one
/// and none was begun: from then on the journal knows its stage, and an edited settings file moves it no more.
pub(crate) fn with_stage(register: &Register, policy: &Policy) -> (Policy, Option<Act>) {
    let (mut policy, old) = (policy.clone(), register.stage().cloned());
    if let Some(rollout) = &register.rollout {
        policy.stage.clone_from(&rollout.stage);
        return (policy, None);
    }
    policy.stage = old.clone().or(policy.stage);
    let by = Principal::of_source(Source::Host);
    let word = policy.stage.clone().map(|new| {
        let changed = Changed::Stage { old: old.map(Box::new), new: Some(Box::new(new)) };
        Act::ChangeSaid { changed, by, reason: "the settings at start".to_owned() }
    });
    (policy, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_leads_one_stage_on_or_any_number_back() {
        let shipped = |place| Stage::shipped(place);
        let check = |current: Option<usize>, to, named, want: Result<Option<usize>, &str>| {
            let current = current.and_then(shipped);
            match (next(current.as_ref(), to, named), want) {
                (Ok(stage), Ok(place)) => assert_eq!(stage, place.and_then(shipped)),
                (Err(said), Err(part)) => assert!(said.contains(part), "{said}"),
                (got, want) => panic!("{got:?} for {want:?}"),
            }
        };
        check(Some(0), StageMove::Advance, None, Ok(Some(1)));
        check(Some(2), StageMove::Advance, None, Ok(None));
        check(None, StageMove::Advance, None, Err("no roll-out"));
        check(Some(1), StageMove::Repeat, None, Ok(Some(1)));
        check(None, StageMove::Repeat, None, Err("no roll-out"));
        check(Some(2), StageMove::Demote, None, Ok(Some(1)));
        check(Some(2), StageMove::Demote, Some("100"), Ok(Some(0)));
        check(Some(0), StageMove::Demote, None, Err("is the first one"));
        check(Some(1), StageMove::Demote, Some("1000"), Err("is not before"));
        check(Some(1), StageMove::Demote, Some("7\n"), Err("`7\\n`"));
        check(None, StageMove::Demote, Some("1000"), Ok(Some(1)));
        check(None, StageMove::Demote, None, Err("no roll-out"));
    }

    #[test]
    fn settings_begin_a_rollout_and_move_it_no_more() {
        let mut register = Register::default();
        let settings = |place| Policy { stage: Stage::shipped(place), ..Policy::default() };
        let say = |register: &mut Register, act: &Act, sequence| {
            let at = tradewind_governance::At {
                sequence,
                now: tradewind_domain::Timestamp::from_millis(1),
                incarnation: tradewind_domain::Incarnation(1),
            };
            register.apply(act, at);
            for fact in register.judge(act, at) {
                register.apply(&fact, at);
            }
        };
        assert_eq!(with_stage(&register, &Policy::default()), (Policy::default(), None));
        register.policy = Some(settings(0)); // as an earlier version left it
        let (policy, word) = with_stage(&register, &settings(1));
        assert_eq!(policy.stage, Stage::shipped(0), "what holds already is not loosened by the settings");
        say(&mut register, &word.unwrap(), 5);
        assert_eq!(register.rollout.as_ref().map(|it| (it.change, it.stage.clone())), Some((5, Stage::shipped(0))));
        for edited in [settings(1), settings(2), Policy::default()] {
            assert_eq!(with_stage(&register, &edited), (settings(0), None));
        }
    }
}
