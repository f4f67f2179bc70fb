//! A policy as rows, so that whoever agrees to another one sees each key with what it is and what it is to be.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{LEDGER_DECIMALS, format_decimal};
use tradewind_governance::{Caps, Policy};

/// One key of a policy that is to change, in the words of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    pub(crate) key: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Every key in which two policies differ. When an address was listed is no part of what people ask for.
pub(crate) fn differences(old: &Policy, new: &Policy) -> Vec<Difference> {
    let (old, new) = (rows(old), rows(new));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let row = |key: &String| Difference { key: key.clone(), from: set(&old, key), to: set(&new, key) };
    keys.into_iter().map(row).filter(|row| row.from != row.to).collect()
}

fn set(rows: &BTreeMap<String, String>, key: &str) -> String {
    rows.get(key).cloned().unwrap_or_else(|| "none".to_owned())
}

/// The keys that are set. A list that is empty is said to be so: it allows everything on paper and nothing in live mode.
fn rows(policy: &Policy) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    let allow = &policy.allow;
    for (key, list) in [
        ("venues", &allow.venues),
        ("markets", &allow.markets),
        ("symbols", &allow.symbols),
        ("chains", &allow.chains),
        ("tokens", &allow.tokens),
        ("routers", &allow.routers),
    ] {
        rows.insert(key.to_owned(), listed(list.iter()));
    }
    rows.insert("addresses".to_owned(), listed(allow.addresses.keys()));
    caps(&mut rows, "", &policy.caps);
    for (name, rule) in &policy.sources {
        let prefix = format!("sources.{name}.");
        if let Some(autonomy) = rule.autonomy {
            rows.insert(format!("{prefix}autonomy"), word(&autonomy));
        }
        caps(&mut rows, &prefix, &rule.caps);
    }
    for threshold in &policy.approvals {
        let key = match threshold.quorum {
            1 => "approve_from".to_owned(),
            2 => "approve_two_from".to_owned(),
            more => format!("approvals by {more} from"),
        };
        rows.insert(key, amount(threshold.from));
    }
    if let Some(stage) = &policy.stage {
        rows.insert("stage".to_owned(), format!("{} (at most {})", stage.name, amount(stage.capital)));
    }
    rows.insert("require_decision".to_owned(), word(&policy.require_decision));
    if !policy.deny.is_empty() {
        let rules = policy.deny.iter().map(|deny| serde_json::to_string(deny).unwrap_or_default());
        rows.insert("deny".to_owned(), rules.collect::<Vec<_>>().join(", "));
    }
    rows
}

fn caps(rows: &mut BTreeMap<String, String>, prefix: &str, caps: &Caps) {
    let amounts = [("cap_order", caps.order.map(amount)), ("cap_day", caps.day.map(amount))];
    let count = ("cap_orders_day", caps.orders_day.map(|count| count.to_string()));
    for (key, value) in amounts.into_iter().chain([count]) {
        rows.extend(value.map(|value| (format!("{prefix}{key}"), value)));
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "an empty list".to_owned() } else { names.join(", ") }
}

fn amount(units: i64) -> String {
    format_decimal(units.into(), LEDGER_DECIMALS)
}

/// The word of the settings for a choice.
fn word(choice: &impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_governance::{Autonomy, Deny, Name, RequireDecision, SourceRule, Stage, Threshold};

    fn check(change: impl FnOnce(&mut Policy), want: &[(&str, &str, &str)]) {
        let old = Policy {
            caps: Caps { orders_day: Some(3), ..Caps::default() },
            approvals: vec![Threshold { from: 10_000_000_000, quorum: 1 }],
            ..Policy::default()
        };
        let mut new = old.clone();
        change(&mut new);
        let found = differences(&old, &new);
        let rows: Vec<_> = found.iter().map(|it| (it.key.as_str(), it.from.as_str(), it.to.as_str())).collect();
        assert_eq!(rows, want);
    }

    #[test]
    fn whatever_a_policy_changes_is_a_row_with_what_it_is_and_what_it_is_to_be() {
        check(|_| (), &[]);
        check(|it| it.caps.orders_day = Some(9), &[("cap_orders_day", "3", "9")]);
        check(|it| it.caps.orders_day = None, &[("cap_orders_day", "3", "none")]);
        check(|it| it.caps.order = Some(150_000_000), &[("cap_order", "none", "1.5")]);
        check(|it| it.approvals[0].from = 50_000_000_000, &[("approve_from", "100", "500")]);
        check(|it| it.approvals[0].quorum = 2, &[("approve_from", "100", "none"), ("approve_two_from", "none", "100")]);
        check(|it| it.require_decision = RequireDecision::All, &[("require_decision", "off", "all")]);
        check(|it| it.stage = Stage::shipped(0), &[("stage", "none", "100 (at most 100)")]);
        check(|it| _ = it.allow.symbols.insert("BTC/USDT".to_owned()), &[("symbols", "an empty list", "BTC/USDT")]);
        let bounded = SourceRule { autonomy: Some(Autonomy::Bounded), ..SourceRule::default() };
        check(
            |it| _ = it.sources.insert(Name::new("agent-0").unwrap(), bounded),
            &[("sources.agent-0.autonomy", "none", "bounded")],
        );
        let deny = Deny { symbol: Some("BTC/USDT".to_owned()), ..Deny::default() };
        check(|it| it.deny.push(deny), &[("deny", "none", "{\"symbol\":\"BTC/USDT\"}")]);
    }
}
