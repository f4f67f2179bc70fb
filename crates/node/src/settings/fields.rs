//! Every key of the settings with its type, default and meaning: the template and the reference page come from here.

use super::limits::written;
use std::borrow::Cow;
use tradewind_risk::{LIMITS, Limit, Profile, Unit};

/// One key.
#[derive(Clone, Debug)]
pub struct Field {
    /// Table it stands in; empty for the top of the file.
    pub table: &'static str,
    /// Its name.
    pub key: &'static str,
    /// Its default as written in a file; `None` if it is left out by default.
    pub default: Option<&'static str>,
    /// An example as written in a file, where there is no default.
    pub example: Cow<'static, str>,
    /// What it means, with its unit and range.
    pub meaning: Cow<'static, str>,
}

const fn key(table: &'static str, key: &'static str, default: &'static str, meaning: &'static str) -> Field {
    Field { table, key, default: Some(default), example: Cow::Borrowed(default), meaning: Cow::Borrowed(meaning) }
}

const fn optional(table: &'static str, key: &'static str, example: &'static str, meaning: &'static str) -> Field {
    Field { table, key, default: None, example: Cow::Borrowed(example), meaning: Cow::Borrowed(meaning) }
}

/// Every key, in the order of the template: those below, and the table of limits after its profile.
#[must_use]
pub fn fields() -> Vec<Field> {
    let mut fields = FIELDS.to_vec();
    let place = fields.iter().position(|field| field.key == "sectors").expect("it stands below");
    fields.splice(place..place, LIMITS.iter().map(of_limit));
    fields
}

fn of_limit(limit: &Limit) -> Field {
    let shipped = Profile::ALL.iter().position(|profile| *profile == Profile::default()).unwrap_or(0);
    let example = limit.values[shipped].or(limit.values[0]).unwrap_or(match limit.unit {
        Unit::Amount => 100_000_000_000,
        _ => 1,
    });
    Field {
        table: "limits",
        key: limit.name,
        default: None,
        example: written(limit, example).into(),
        meaning: limit.bounds.into(),
    }
}

const FIELDS: &[Field] = &[
    key("", "mode", "\"paper\"", "what the node may do: \"observe\", \"paper\" or \"live\""),
    key("", "data_dir", "\"tradewind-data\"", "where journal, lock and control socket live"),
    key("", "symbols", "[\"BTC/USDT\"]", "what to trade, as unified symbols"),
    key("", "interval", "\"1m\"", "length of the bars that strategies see: a number and s, m, h, d or w"),
    key("", "base_currency", "\"USDT\"", "what equity and limits are counted in"),
    key(
        "",
        "operator_cash",
        "\"20%\"",
        "part of the base currency that orders by hand may spend, from their own portfolio; the strategies share the rest",
    ),
    key(
        "",
        "operators",
        "[]",
        "the persons who may use this node, each a table of name, token_sha256 and roles (\"trader\", \"approver\", \"risk\"); the one local user if empty",
    ),
    key("venue", "name", "\"binance\"", "which protocol"),
    key(
        "venue",
        "rest_url",
        "\"https://demo-api.binance.com\"",
        "base of REST paths; this is the venue's demo mode, with made-up money. paper mode refuses the addresses of real money, such as https://api.binance.com",
    ),
    key(
        "venue",
        "stream_url",
        "\"wss://demo-stream.binance.com:9443\"",
        "base of the market streams; for real money wss://stream.binance.com:9443",
    ),
    key(
        "venue",
        "ws_api_url",
        "\"wss://demo-ws-api.binance.com/ws-api/v3\"",
        "the WebSocket API, for orders and the user stream; for real money wss://ws-api.binance.com:443/ws-api/v3",
    ),
    key(
        "venue",
        "api_key",
        "\"env:BINANCE_API_KEY\"",
        "where the API key is: env:NAME, file:PATH or fd:N; never the key itself",
    ),
    key(
        "venue",
        "api_secret",
        "\"env:BINANCE_API_SECRET\"",
        "where the API secret (HMAC) or private key (Ed25519 PEM) is",
    ),
    key(
        "venue",
        "recv_window",
        "\"2s\"",
        "how long the venue takes a request, by its own clock; the send fence; at most 60s",
    ),
    key(
        "venue",
        "sweep_every",
        "\"30s\"",
        "how often open orders and executions at the venue are compared with the books; balances every other time",
    ),
    key(
        "venue",
        "history",
        "\"90d\"",
        "how far back the venue tells what happened; after a longer absence only reducing orders pass until you resume",
    ),
    key(
        "venue",
        "evidence",
        "\"auto\"",
        "how much silence proves that an order never came: \"venue\" as the venue documents, \"local\" for an exchange of \
         ours, \"auto\" the latter where the venue is on this machine",
    ),
    key(
        "strategy",
        "name",
        "\"ema-trend\"",
        "a registered strategy, see `tradewind strategy list`; the table may be repeated",
    ),
    key("strategy", "symbols", "[]", "what it trades; all symbols if empty"),
    optional(
        "strategy",
        "stop",
        "\"2%\"",
        "distance from the close at which its trades are given up, above 0% and below 100%, where it says none itself: a stop at the venue for what fills",
    ),
    optional(
        "strategy",
        "target",
        "\"4%\"",
        "distance from the close at which its trades are content, above 0% and below 100%, where it says none itself: a limit order beside the stop",
    ),
    key("strategy", "parameters", "{}", "its own parameters, see `tradewind strategy show NAME`"),
    key(
        "strategy",
        "sizing",
        "{}",
        "the rule that its trades are sized by, with its parameters, see `tradewind strategy sizing`; its own weights if empty",
    ),
    key(
        "limits",
        "profile",
        "\"conservative\"",
        "the limits to start from: \"conservative\", \"moderate\", \"demo\" or \"research\"; what follows overrides it",
    ),
    key("limits", "sectors", "{}", "which sector an asset belongs to, a table such as {BTC=\"majors\"}"),
    optional(
        "governance",
        "cap_order",
        "\"500\"",
        "largest order of any source, in base currency; live mode wants one",
    ),
    optional(
        "governance",
        "cap_day",
        "\"25000\"",
        "notional of all orders of a UTC day, in base currency; live mode wants one",
    ),
    optional("governance", "cap_orders_day", "50", "orders of one source in a UTC day"),
    optional(
        "governance",
        "approve_from",
        "\"1000\"",
        "notional from which an order waits for a person beside the one who asks",
    ),
    optional("governance", "approve_two_from", "\"10000\"", "notional from which it waits for two"),
    key("governance", "venues", "[]", "venues that may be named; empty allows all on paper and none live"),
    key("governance", "markets", "[]", "kinds of market, such as \"spot\"; empty allows all on paper and none live"),
    key("governance", "symbols", "[]", "symbols, compared byte for byte; empty allows all on paper and none live"),
    key("governance", "chains", "[]", "chains; empty allows all on paper and none live"),
    key("governance", "tokens", "[]", "tokens by contract; empty allows all on paper and none live"),
    key("governance", "routers", "[]", "routers by contract; empty allows all on paper and none live"),
    key(
        "governance",
        "addresses",
        "[]",
        "destinations of value; each counts 24 hours after it was listed, none if empty",
    ),
    key(
        "governance",
        "stage",
        "\"\"",
        "stage of a roll-out: \"100\", \"1000\" or \"10000\" of exposure in base currency; none if empty",
    ),
    key(
        "governance",
        "require_decision",
        "\"off\"",
        "whose orders must name the decision that they follow: \"agents\", or \"all\" for strategies and persons too; a person may always reduce",
    ),
    key(
        "governance",
        "audit_key",
        "\"\"",
        "file of the key that signs audit checkpoints, readable by its owner alone; made in the data directory if empty",
    ),
    key(
        "governance",
        "kill_key",
        "\"\"",
        "file of the key that signs `tradewind halt --kill-key`, readable by its owner alone; no signed call is taken if empty",
    ),
    key(
        "governance",
        "deny",
        "[]",
        "what is never done, each a table of source, kind, venue, market, symbol, chain, token, router, address, side and why",
    ),
    key(
        "governance",
        "sources",
        "{}",
        "by source (strategy-0, agent-0, a person's name): autonomy \"research-only\", \"human-approval\" or \"bounded\", cap_order, cap_day, cap_orders_day",
    ),
    key("live", "enabled", "false", "the switch for real money"),
    key("live", "consent", "\"\"", "the sentence that `tradewind doctor` shows, typed by the person whose money it is"),
    key("journal", "sync_every", "\"100ms\"", "how long events that led to no order may wait for the disk"),
    key("journal", "snapshot_every", "100000", "events between two snapshots, at least 1"),
    key("journal", "segment_bytes", "67108864", "size of a segment file in bytes: 16384 to 1073741824"),
];

/// A file with every key at its default, each with its meaning.
#[must_use]
pub fn template() -> String {
    let mut text = String::from(
        "# Tradewind settings. Every key is shown with its default; a key in comments is left out by default.\n",
    );
    let mut table = "";
    for field in fields() {
        if field.table != table {
            table = field.table;
            let head = if table == "strategy" { "[[strategy]]".to_owned() } else { format!("[{table}]") };
            text.push_str(&format!("\n{head}\n"));
        }
        let off = if field.default.is_some() { "" } else { "# " };
        text.push_str(&format!("# {}\n{off}{} = {}\n", field.meaning, field.key, field.example));
    }
    text
}

/// The reference page of the book.
#[must_use]
pub fn reference_page() -> String {
    let mut text = String::from(
        "# Settings\n\nGenerated by `tradewind config template --reference`; the test suite compares it with the code.\n\n\
         | key | default | meaning |\n|---|---|---|\n",
    );
    for field in fields() {
        let dot = if field.table.is_empty() { "" } else { "." };
        let default = field.default.map_or_else(|| format!("unset, such as `{}`", field.example), |d| format!("`{d}`"));
        text.push_str(&format!("| `{}{dot}{}` | {default} | {} |\n", field.table, field.key, field.meaning));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_template_is_the_default() {
        assert_eq!(Settings::parse(&template(), Path::new("t.toml")).unwrap(), Settings::default());
    }

    #[test]
    fn the_template_works_with_every_comment_taken_off() {
        let text = template()
            .lines()
            .map(|l| l.strip_prefix("# ").filter(|l| l.contains(" = \"")).unwrap_or(l))
            .collect::<Vec<_>>()
            .join("\n");
        let settings = Settings::parse(&text, Path::new("t.toml")).unwrap();
        assert!(settings.limits.are_explicit());
    }

    #[test]
    fn every_key_of_the_schema_is_documented_and_every_documented_key_exists() {
        let all_limits = |text: String, limit: &Limit| {
            text.replace(&format!("\n# {} = ", limit.name), &format!("\n{} = ", limit.name))
        };
        let text = ["cap", "approve", "stop =", "target ="]
            .iter()
            .fold(LIMITS.iter().fold(template(), all_limits), |text, key| {
                text.replace(&format!("\n# {key}"), &format!("\n{key}"))
            });
        let settings = Settings::parse(&text, Path::new("t.toml")).unwrap();
        let table: toml::Table = toml::from_str(&toml::to_string(&settings).unwrap()).unwrap();
        let mut keys = BTreeSet::new();
        for (name, value) in &table {
            let inner = value
                .as_table()
                .or_else(|| value.as_array().and_then(|list| list.first()).and_then(|first| first.as_table()));
            match inner {
                Some(inner) => keys.extend(inner.keys().map(|key| format!("{name}.{key}"))),
                None => drop(keys.insert(name.clone())),
            }
        }
        let documented: BTreeSet<_> = fields()
            .iter()
            .map(|f| if f.table.is_empty() { f.key.to_owned() } else { format!("{}.{}", f.table, f.key) })
            .collect();
        assert_eq!(keys, documented);
    }
}
