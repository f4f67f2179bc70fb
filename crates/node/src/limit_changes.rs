//! Changes of limits in a person's words: how they are asked for, and how they read.

use crate::core::Core;
use crate::error::NodeError;
use crate::govern::differences;
use crate::holds::holds;
use crate::operate::{OperatorReply, done, failed};
use crate::stages::stage_name;
use serde_json::{Value, json};
use tradewind_domain::{Coded, Currency, PortfolioId, Sequence, Source};
use tradewind_engine::{State, account_limit_values, limit_values, set_account_limit, set_limit};
use tradewind_governance::{
    Act, CHANGE_WINDOW_NANOS, Change, ChangeState, Changed, Name, Principal, Roster, Rule, check_plain,
};
use tradewind_risk::{AccountLimits, Limit, LimitScope, Unit};

impl Core {
    /// Asks for a limit of one portfolio, of all of them, or of the account to be changed, and tells what came of it.
    pub(crate) fn set_limit(
        &mut self,
        name: &str,
        value: &str,
        portfolio: Option<&str>,
        account: bool,
        reason: &str,
    ) -> Result<OperatorReply, NodeError> {
        let changes = match (account, portfolio) {
            (true, Some(_)) => {
                let message = "a limit of the account is no portfolio's";
                return Ok(failed("NODE-34", message, "leave --portfolio or --account out"));
            }
            (true, None) => self.account_change(name, value),
            (false, portfolio) => self.portfolio_changes(name, value, portfolio),
        };
        let changes = match changes {
            Ok(changes) => changes,
            Err(reply) => return Ok(*reply),
        };
        let mut told = Vec::new();
        for changed in changes {
            let word = Act::ChangeSaid { changed, by: self.speaker.clone(), reason: reason.to_owned() };
            if let Err(reply) = self.word(word)? {
                return Ok(reply);
            }
            told.extend(self.host.state.governance.changes.keys().next_back().copied());
        }
        Ok(self.changes_told(&told))
    }

    /// Asks for an asset to count to another sector, and tells what came of it.
    pub(crate) fn set_sector(
        &mut self,
        asset: &str,
        sector: Option<&str>,
        reason: &str,
    ) -> Result<OperatorReply, NodeError> {
        let asset = asset.split('/').next().unwrap_or_default();
        let hint = "write the asset's code, such as BTC, and a sector in letters, digits and signs without spaces";
        if Currency::new(asset).is_err() {
            return Ok(failed("NODE-34", format!("`{}` is no asset", asset.escape_debug()), hint));
        }
        if sector.is_some() && asset != asset.to_uppercase() {
            let message = format!("`{asset}` is no asset: the venue writes {}", asset.to_uppercase());
            return Ok(failed("NODE-34", message, hint));
        }
        if let Some((name, unfit)) = sector.and_then(|name| Some((name, check_plain(name).err()?))) {
            return Ok(failed("NODE-34", format!("`{}` is no sector: {unfit}", name.escape_debug()), hint));
        }
        let known = self.host.state.risk.as_ref().and_then(|risk| risk.account.sectors.get(asset));
        let changed = Changed::Sector { asset: asset.to_owned(), old: known.cloned(), new: sector.map(str::to_owned) };
        if known.map(String::as_str) == sector {
            return Ok(self.changes_told(&[]));
        }
        let word = Act::ChangeSaid { changed, by: self.speaker.clone(), reason: reason.to_owned() };
        if let Err(reply) = self.word(word)? {
            return Ok(reply);
        }
        let told: Vec<Sequence> = self.host.state.governance.changes.keys().next_back().copied().into_iter().collect();
        Ok(self.changes_told(&told))
    }

    /// The changes of these numbers, as a person sees them.
    pub(crate) fn changes_told(&self, ids: &[Sequence]) -> OperatorReply {
        let state = &self.host.state;
        let changes = ids.iter().filter_map(|id| state.governance.changes.get(id));
        let changes: Vec<Value> = changes.map(|change| change_view(state, change)).collect();
        done(&json!({ "changes": changes, "holds": holds(self) }))
    }

    /// The no to an answer to a change that is decided already, with how.
    pub(crate) fn decided_change(&self, id: Sequence) -> Option<OperatorReply> {
        let state = &self.host.state;
        let change = state.governance.changes.get(&id).filter(|change| change.state != ChangeState::Asked)?;
        let message = format!("change {id} is decided: {}", standing(state, change));
        let hint = "a change is decided once: ask for it again; `tradewind limits show` lists them";
        Some(failed(Rule::Used.info().code, message, hint))
    }

    /// What would change of the account; nothing if it is so already.
    fn account_change(&self, name: &str, value: &str) -> Result<Vec<Changed>, Box<OperatorReply>> {
        let (name, new) = read_named(name, value, LimitScope::Account).map_err(unfit)?;
        let mut account = self.host.state.risk.as_ref().map_or(AccountLimits::NONE, |risk| risk.account.clone());
        let row = account_limit_values(&account).into_iter().find(|row| row.0 == name);
        let Some((_, tighter, old)) = row else { return Ok(Vec::new()) };
        set_account_limit(&mut account, name, new);
        if let Err(error) = account.caps.validate() {
            return Err(Box::new(failed(error.code(), error.to_string(), error.hint())));
        }
        let changed = Changed::AccountLimit { name: name.to_owned(), tighter, old, new };
        Ok(if old == new { Vec::new() } else { vec![changed] })
    }

    /// What would change of one portfolio or of all; those where it is so already are left out.
    fn portfolio_changes(
        &self,
        name: &str,
        value: &str,
        portfolio: Option<&str>,
    ) -> Result<Vec<Changed>, Box<OperatorReply>> {
        let (number, new) = read_limit(name, value).map_err(unfit)?;
        let portfolios = match portfolio {
            Some(name) => vec![self.portfolio_named(Some(name))?],
            None => (0_u16..).map(PortfolioId).take(self.host.state.portfolios.len()).collect(),
        };
        let mut changes = Vec::new();
        for portfolio in portfolios {
            let mut limits = self.host.state.portfolio(portfolio).limits;
            let row = limit_values(&limits).into_iter().find(|row| row.0 == number);
            let Some((_, tighter, old)) = row.filter(|row| row.2 != new) else { continue };
            if !set_limit(&mut limits, number, new) {
                return Err(unfit(Unfit::Value(format!("`{}` is too large for {name}", value.escape_debug()))));
            }
            if let Err(error) = limits.validate() {
                return Err(Box::new(failed(error.code(), error.to_string(), error.hint())));
            }
            changes.push(Changed::Limit { portfolio, name: number.to_owned(), tighter, old, new });
        }
        Ok(changes)
    }
}

/// Why a limit cannot be set to what was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is none of this name; these there are.
    Name(String, Vec<&'static str>),
    /// It has this name and another owner, or is not changed at run time; how to go on.
    Elsewhere(String, &'static str),
    /// The value is none of it: the message says how one is written.
    Value(String),
}

fn unfit(unfit: Unfit) -> Box<OperatorReply> {
    Box::new(match unfit {
        Unfit::Name(message, names) => failed("NODE-34", message, &format!("one of {}", names.join(", "))),
        Unfit::Elsewhere(message, hint) => failed("NODE-34", message, hint),
        Unfit::Value(message) => {
            failed("NODE-34", message, "write it as in the settings; see `tradewind config reference limits`")
        }
    })
}

fn portfolio_names() -> Vec<&'static str> {
    LIMITS.iter().map(|row| row.0).chain(controls().map(|limit| limit.name)).collect()
}

fn account_names() -> Vec<&'static str> {
    let of_account = tradewind_risk::LIMITS.iter().filter(|limit| limit.scope == LimitScope::Account);
    of_account.filter(|limit| limit.is_control()).map(|limit| limit.name).collect()
}

/// The name in the settings of one of [`limit_values`].
pub(crate) fn settings_name(number: &str) -> &str {
    LIMITS.iter().find(|row| row.1 == number).map_or(number, |row| row.0)
}

/// A change as a person reads it, and as a program does: `old` and `new` are the bare numbers.
pub(crate) fn change_view(state: &State, change: &Change) -> Value {
    let mut view = json!({
        "change": change.id, "by": change.by, "asked_at": change.asked_at.to_string(), "reason": change.reason,
        "state": change.state, "standing": standing(state, change),
    });
    let (of, name, tighter, old, new) = match &change.changed {
        Changed::Limit { portfolio, name, tighter, old, new } => {
            let of = state.portfolios.get(portfolio.index()).map_or("", |portfolio| &portfolio.name);
            (of, settings_name(name), tighter, old, new)
        }
        Changed::AccountLimit { name, tighter, old, new } => ("account", name.as_str(), tighter, old, new),
        Changed::Sector { asset, old, new } => {
            view["what"] = json!("sector");
            view["of"] = json!("account");
            view["limit"] = json!(format!("sector of {asset}"));
            view["direction"] = json!(if change.changed.loosens() { "looser" } else { "tighter" });
            (view["old"], view["new"]) = (json!(old), json!(new));
            let text = |sector: &Option<String>| sector.clone().unwrap_or_else(|| "none".to_owned());
            (view["from"], view["to"]) = (json!(text(old)), json!(text(new)));
            return view;
        }
        Changed::Stage { old, new } => {
            let names = [old, new].map(|stage| stage_name(stage.as_deref()));
            let capitals = [old, new].map(|stage| stage.as_ref().map(|stage| stage.capital));
            view["what"] = json!("stage");
            view["of"] = json!("account");
            view["limit"] = json!("stage");
            let same = if old == new { "the same" } else { "tighter" };
            view["direction"] = json!(if change.changed.loosens() { "looser" } else { same });
            (view["old"], view["new"]) = (json!(capitals[0]), json!(capitals[1]));
            (view["from"], view["to"]) = (json!(names[0]), json!(names[1]));
            return view;
        }
        Changed::Operators { old, new } => {
            view["what"] = json!("operators");
            view["of"] = json!("account");
            view["limit"] = json!("operators");
            view["direction"] = json!("looser");
            (view["from"], view["to"]) = (json!(persons_text(old)), json!(persons_text(new)));
            let other = |it: &&Name| old.tokens.get(*it).is_some_and(|token| new.tokens.get(*it) != Some(token));
            let others: Vec<&Name> = new.tokens.keys().filter(other).collect();
            view["other_tokens"] = json!(others);
            if !others.is_empty() {
                let names: Vec<&str> = others.iter().map(|name| name.as_str()).collect();
                view["to"] = json!(format!("{}; another token: {}", persons_text(new), names.join(", ")));
            }
            return view;
        }
        Changed::Resume { holds } => {
            view["what"] = json!("resume");
            view["of"] = json!("account");
            view["limit"] = json!("resume");
            view["direction"] = json!("looser");
            (view["from"], view["to"]) = (json!(holds.join("; ")), json!("trading"));
            return view;
        }
        Changed::Policy { old, new } => {
            view["what"] = json!("policy");
            view["of"] = json!("policy");
            view["direction"] = json!(if change.changed.loosens() { "looser" } else { "tighter" });
            view["looser"] = json!(new.looser_than(old));
            view["differences"] = json!(differences(old, new));
            return view;
        }
    };
    let text = |value: Option<i64>| Limit::find(name).map_or_else(|| format!("{value:?}"), |limit| limit.text(value));
    view["what"] = json!("limit");
    view["of"] = json!(of);
    view["limit"] = json!(name);
    view["direction"] = json!(if tradewind_governance::loosens(*tighter, *old, *new) { "looser" } else { "tighter" });
    (view["old"], view["new"]) = (json!(old), json!(new));
    (view["from"], view["to"]) = (json!(text(*old)), json!(text(*new)));
    view
}

/// Such as `anna (trader, risk), ben (approver)`.
fn persons_text(roster: &Roster) -> String {
    let person = |it: &Principal| {
        let roles: Vec<String> = it.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
        format!("{} ({})", it.name, roles.join(", "))
    };
    let persons: Vec<String> = roster.operators.iter().map(person).collect();
    if persons.is_empty() { "nobody".to_owned() } else { persons.join(", ") }
}

/// Where it stands, in plain words.
fn standing(state: &State, change: &Change) -> String {
    let is_resume = matches!(change.changed, Changed::Resume { .. });
    let other_holds = matches!(&change.changed, Changed::Resume { holds } if state.holds() != *holds);
    match (&change.state, state.governance.overtaken_by(change)) {
        (ChangeState::Asked, Some(later)) => return format!("stale: changed again by {later}; ask for it again"),
        (ChangeState::Asked, None) if other_holds => {
            return "stale: something else holds now; ask for it again".to_owned();
        }
        (ChangeState::Done { approver }, _) if is_resume => {
            return approver.as_ref().map_or_else(|| "done".to_owned(), |name| format!("done, approved by {name}"));
        }
        (ChangeState::Done { approver }, Some(later)) => {
            let by = approver.as_ref().map(|name| format!("approved by {name}, and ")).unwrap_or_default();
            return format!("{by}over: changed again by {later}");
        }
        _ => (),
    }
    match &change.state {
        ChangeState::Asked if state.now.since(change.asked_at) >= CHANGE_WINDOW_NANOS => {
            "lapsed: nobody approved it within 24 h".to_owned()
        }
        ChangeState::Asked if change.by == Principal::of_source(Source::Host).name => {
            "waits for two persons".to_owned()
        }
        ChangeState::Asked => "waits for another person".to_owned(),
        ChangeState::Done { approver: Some(name) } if !is_in_force(state, &change.changed) => {
            format!("approved by {name}, and over: another value counts now")
        }
        ChangeState::Done { approver: None } if !is_in_force(state, &change.changed) => {
            "over: another value counts now".to_owned()
        }
        ChangeState::Done { approver: Some(name) } => format!("in force, approved by {name}"),
        ChangeState::Done { approver: None } => "in force".to_owned(),
        ChangeState::Rejected { rejected_by } => format!("rejected by {rejected_by}"),
    }
}

/// Whether a limit is what it was changed to; what is no limit counts as it was settled.
fn is_in_force(state: &State, changed: &Changed) -> bool {
    let is = |rows: Vec<(&'static str, tradewind_governance::Tighter, Option<i64>)>, name: &str, new: Option<i64>| {
        rows.into_iter().any(|row| row.0 == name && row.2 == new)
    };
    match changed {
        Changed::Limit { portfolio, name, new, .. } => {
            is(limit_values(&state.portfolio(*portfolio).limits), name, *new)
        }
        Changed::AccountLimit { name, new, .. } => {
            let account = state.risk.as_ref().map_or(AccountLimits::NONE, |risk| risk.account.clone());
            is(account_limit_values(&account), name, *new)
        }
        Changed::Sector { .. }
        | Changed::Stage { .. }
        | Changed::Operators { .. }
        | Changed::Resume { .. }
        | Changed::Policy { .. } => true,
    }
}

/// The limits of a portfolio beyond the first: they go by their names in the table of limits.
fn controls() -> impl Iterator<Item = &'static Limit> {
    tradewind_risk::LIMITS.iter().filter(|limit| limit.scope == LimitScope::Portfolio && limit.is_control())
}

/// The first limits by their name in the settings, and the number that each is.
const LIMITS: [(&str, &str); 7] = [
    ("max_order", "max_order.equity_bps"),
    ("max_order_amount", "max_order.amount"),
    ("max_position", "max_position.equity_bps"),
    ("max_position_amount", "max_position.amount"),
    ("daily_loss", "daily_loss_bps"),
    ("drawdown", "drawdown_bps"),
    ("stale_after", "stale_after_nanos"),
];

/// A limit's number and value from its name and text in the settings' words.
pub(crate) fn read_limit(name: &str, value: &str) -> Result<(&'static str, Option<i64>), Unfit> {
    let first = LIMITS.iter().find(|row| row.0 == name);
    match first.and_then(|(_, number)| Some((number, Limit::find(name)?))) {
        Some((number, limit)) => Ok((number, read_value(limit, value)?)),
        None => read_named(name, value, LimitScope::Portfolio),
    }
}

/// As [`read_limit`] for the limits that go by their names in the table of limits.
fn read_named(name: &str, value: &str, scope: LimitScope) -> Result<(&'static str, Option<i64>), Unfit> {
    let of_account = scope == LimitScope::Account;
    let runs = |limit: &Limit| limit.is_control() || LIMITS.iter().any(|row| row.0 == limit.name);
    match Limit::find(name) {
        Some(limit) if limit.scope == scope && limit.is_control() => Ok((limit.name, read_value(limit, value)?)),
        Some(limit) if !runs(limit) => {
            let message = format!("`{name}` is not changed while a node runs");
            Err(Unfit::Elsewhere(message, "set it in the settings: it counts from the next start"))
        }
        Some(_) if of_account => {
            Err(Unfit::Elsewhere(format!("`{name}` is a limit of each portfolio"), "leave --account out"))
        }
        Some(_) => Err(Unfit::Elsewhere(format!("`{name}` is a limit of the account"), "add --account")),
        None => {
            let (whose, names) =
                if of_account { ("the account", account_names()) } else { ("a portfolio", portfolio_names()) };
            Err(Unfit::Name(format!("there is no limit `{}` of {whose}", name.escape_debug()), names))
        }
    }
}

/// The value of a limit as it is written, which no profile's is too large for; `none` is no limit.
fn read_value(limit: &Limit, value: &str) -> Result<Option<i64>, Unfit> {
    let no_value =
        |words: String| Unfit::Value(format!("`{}` is no value of {}: {words}", value.escape_debug(), limit.name));
    if let Unit::Choice(words) = limit.unit {
        return limit.unit.parse(value).map(Some).ok_or_else(|| no_value(format!("one of {}", words.join(", "))));
    }
    if limit.unit == Unit::Flag {
        return match value {
            "true" | "yes" => Ok(Some(1)),
            "false" | "no" | "none" => Ok(None),
            _ => Err(no_value("true or false".to_owned())),
        };
    }
    if value == "none" {
        return Ok(None);
    }
    let read = limit.unit.parse(value).filter(|value| *value > 0);
    read.map(Some).ok_or_else(|| {
        let example = limit.text(limit.values.into_iter().flatten().next()).replace(' ', "");
        no_value(format!("write it like {example}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_the_words_of_the_settings() {
        for (name, value, want) in [
            ("max_order", "5%", Ok(("max_order.equity_bps", Some(500)))),
            ("max_order", "150%", Ok(("max_order.equity_bps", Some(15_000)))), // as in the profile `demo`
            ("max_order_amount", "12.5", Ok(("max_order.amount", Some(1_250_000_000)))),
            ("stale_after", "2s", Ok(("stale_after_nanos", Some(2_000_000_000)))),
            ("drawdown", "none", Ok(("drawdown_bps", None))),
        ] {
            assert_eq!(read_limit(name, value), want);
        }
        for (name, value) in [
            ("max_order", "5"),
            ("max_order", "NaN%"),
            ("max_order", "-1%"),
            ("max_order_amount", "1e9"),
            ("max_order_amount", "99999999999999999999"),
            ("stale_after", "-2s"),
            ("borrow", "1"),
            ("", "1"),
        ] {
            assert!(read_limit(name, value).is_err(), "{name} {value}");
        }
    }

    #[test]
    fn a_limit_of_the_account_is_read_with_its_own_unit_and_is_no_portfolios() {
        let of_account = |name, value| read_named(name, value, LimitScope::Account);
        assert_eq!(of_account("gross", "80%"), Ok(("gross", Some(8_000))));
        assert_eq!(of_account("account_positions", "5"), Ok(("account_positions", Some(5))));
        assert_eq!(of_account("hard_order_amount", "none"), Ok(("hard_order_amount", None)));
        assert_eq!(of_account("var_method", "largest"), Ok(("var_method", Some(4))));
        let words = "`none` is no value of var_method: one of historical, parametric, monte-carlo, largest";
        assert_eq!(of_account("var_method", "none"), Err(Unfit::Value(words.to_owned())));
        for (name, value) in
            [("gross", "80"), ("gross", "-1%"), ("gross", "0%"), ("max_order", "1%"), ("leverage", "2x")]
        {
            assert!(of_account(name, value).is_err(), "{name} {value}");
        }
        let elsewhere = |unfit| match unfit {
            Err(Unfit::Elsewhere(_, hint)) => hint,
            other => panic!("{other:?}"),
        };
        assert_eq!(elsewhere(read_limit("gross", "80%")), "add --account");
        assert_eq!(elsewhere(of_account("max_order", "1%")), "leave --account out");
        for borrow in [read_limit("borrow", "true"), of_account("borrow", "true")] {
            assert!(elsewhere(borrow).starts_with("set it in the settings"));
        }
        for (value, want) in [("true", Some(1)), ("yes", Some(1)), ("false", None), ("none", None)] {
            assert_eq!(of_account("no_self_match", value), Ok(("no_self_match", want)));
        }
        assert!(matches!(of_account("no_self_match", "1"), Err(Unfit::Value(_))));
        assert!(matches!(of_account("nonsense", "1"), Err(Unfit::Name(_, names)) if names.contains(&"gross")));
    }

    #[test]
    fn every_number_of_a_portfolio_and_of_the_account_has_its_line_in_the_table() {
        let numbers = limit_values(&tradewind_gate::Limits::CONSERVATIVE).into_iter().map(|row| settings_name(row.0));
        let of_account = account_limit_values(&AccountLimits::NONE).into_iter().map(|row| row.0);
        for name in numbers.chain(of_account) {
            assert!(Limit::find(name).is_some(), "{name}");
        }
    }
}
