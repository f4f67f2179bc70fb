//! What settings must be beyond their types, and the line of the key that is not so.

use super::{Settings, SettingsError, names};
use crate::data_dir::DataDir;
use std::path::Path;
use toml::de::{DeTable, DeValue};
use tradewind_domain::{Coded, Currency, InstrumentId, Symbol};
use tradewind_strategies::StrategyError;
use tradewind_venues::QueryError;
use tradewind_venues::binance::{BinanceConfig, Subscriptions};

/// What is wrong, and where.
pub(super) struct Fault {
    /// The key from the top of the file down, with points between; the elements of a list are counted from 0.
    at: String,
    message: String,
    /// Whether it takes another setting to be wrong.
    contradicts: bool,
}

impl Fault {
    pub(super) fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into(), contradicts: false }
    }

    /// What another setting makes wrong: its line is named and not shown.
    pub(super) fn contradiction(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { contradicts: true, ..Self::new(at, message) }
    }

    /// With the line of its key in `text`, which is the file at `path`.
    pub(super) fn in_file(self, text: &str, path: &Path) -> SettingsError {
        let (path, message) = (path.to_owned(), self.message);
        match line_of(text, &self.at) {
            Some(line) if !self.contradicts => {
                SettingsError::Line { path, line, message, text: shown_line(text, line) }
            }
            line => SettingsError::Contradiction { path, line, message },
        }
    }
}

/// What the parser says to `text`, the TOML file at `path`: with the line, never with a secret.
#[must_use]
pub fn unread(error: &toml::de::Error, text: &str, path: &Path) -> SettingsError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text[..start].matches('\n').count() + 1;
    SettingsError::Line {
        path: path.to_owned(),
        line,
        message: error.message().to_owned(),
        text: shown_line(text, line),
    }
}

/// The fault `message` of a key of `text`, the TOML file at `path`: with its line, where it stands there.
///
/// `at` is the key from the top of the file down, with points between.
#[must_use]
pub fn fault_of_key(text: &str, path: &Path, at: &str, message: &str) -> SettingsError {
    Fault::new(at, message).in_file(text, path)
}

/// A line as it stands; none of what follows a word that a secret may stand behind, up to the next key.
fn shown_line(text: &str, line: usize) -> String {
    let hides = |line: &&str| {
        let line = line.to_lowercase();
        ["key", "sec", "token", "pass"].iter().any(|word| line.contains(word))
    };
    let upto: Vec<&str> = text.lines().take(line).collect();
    let from = upto.iter().rposition(|line| begins_a_key(line));
    let behind_a_secret = upto[from.unwrap_or(0)..].iter().any(hides);
    upto.last().filter(|_| !behind_a_secret).copied().unwrap_or_default().to_owned()
}

fn begins_a_key(line: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.\" ".contains(c);
    let value = |value: &str| !value.trim().is_empty() && !value.starts_with('=');
    line.split_once('=').is_some_and(|(key, rest)| key.chars().all(plain) && value(rest))
}

/// The line of the key at `at`, or of the innermost table on the way to it that is there.
fn line_of(text: &str, at: &str) -> Option<usize> {
    let document = DeValue::Table(DeTable::parse(text).ok()?.into_inner());
    let (mut inside, mut start) = (&document, None);
    for step in at.split('.') {
        let found = match inside {
            DeValue::Table(table) => {
                table.iter().find(|(key, _)| key.get_ref() == step).map(|(key, value)| (key.span().start, value))
            }
            DeValue::Array(list) => {
                step.parse().ok().and_then(|place: usize| list.get(place)).map(|value| (value.span().start, value))
            }
            _ => None,
        };
        let Some((place, value)) = found else { break };
        (start, inside) = (Some(place), value.get_ref());
    }
    start.map(|start| text[..start].matches('\n').count() + 1)
}

/// Finds the first fault.
pub(super) fn check(settings: &Settings) -> Result<(), Fault> {
    if settings.data_dir.as_os_str().is_empty() {
        let message = format!("data_dir is `\"\"`: name a directory, such as {:?}", DataDir::DEFAULT);
        return Err(Fault::new("data_dir", message));
    }
    symbols(settings)?;
    if settings.venue.name != "binance" {
        let message = format!("venue.name is `{}`: only `binance` is there", settings.venue.name);
        return Err(Fault::new("venue.name", message));
    }
    venue(settings)?;
    let bytes = settings.journal.segment_bytes;
    if !(16 << 10..=1 << 30).contains(&bytes) {
        let message = format!("journal.segment_bytes is {bytes}: it must lie between 16384 and 1073741824");
        return Err(Fault::new("journal.segment_bytes", message));
    }
    if settings.journal.snapshot_every == 0 {
        return Err(Fault::new("journal.snapshot_every", "journal.snapshot_every is 0: it must be at least 1"));
    }
    let of_limit = |error: tradewind_risk::LimitsError| {
        Fault::new(format!("limits.{}", error.name), format!("{error}; {}", error.hint()))
    };
    settings.limits.validate().map_err(of_limit)?;
    settings.governance.check(&settings.operators)?;
    names::check(settings)?;
    strategies(settings)
}

fn symbols(settings: &Settings) -> Result<(), Fault> {
    let symbols = &settings.symbols;
    if symbols.is_empty() {
        return Err(Fault::new("symbols", "symbols is empty: name at least one, such as \"BTC/USDT\""));
    }
    for (place, symbol) in symbols.iter().enumerate() {
        let (text, pair) = (symbol.to_string(), Symbol { contract: None, ..symbol.clone() }.to_string());
        let message = if symbol.contract.is_some() {
            format!("symbols has `{text}`, a contract: only spot pairs are traded, such as {pair}")
        } else if text != text.to_uppercase() {
            format!("symbols has `{text}`: the venue writes {}", text.to_uppercase())
        } else if symbols[..place].contains(symbol) {
            format!("symbols has {text} twice: name it once")
        } else {
            continue;
        };
        return Err(Fault::new(format!("symbols.{place}"), message));
    }
    let base = settings.base_currency;
    let values =
        |base: Currency, it: Currency| it == base || symbols.iter().any(|pair| pair.base == it && pair.quote == base);
    if !symbols.iter().any(|symbol| symbol.quote == base) {
        let values_all =
            |quote: &Currency| symbols.iter().all(|it| values(*quote, it.base) && values(*quote, it.quote));
        let fits = symbols.iter().map(|symbol| symbol.quote).find(values_all).unwrap_or(symbols[0].quote);
        let at = "base_currency".to_owned();
        let message = format!("base_currency is `{base}`, and no symbol is priced in it: write {fits}");
        return Err(Fault { at, message, contradicts: true });
    }
    for (place, symbol) in symbols.iter().enumerate() {
        if let Some(worthless) = [symbol.base, symbol.quote].into_iter().find(|it| !values(base, *it)) {
            let message = format!(
                "symbols has {symbol}, and nothing says what {worthless} is worth in {base}, the base_currency: add \
                 {worthless}/{base} if the venue has it, or leave {symbol} out"
            );
            return Err(Fault::new(format!("symbols.{place}"), message));
        }
    }
    Ok(())
}

/// Whether the connection would take what it is told, asked before there is one.
fn venue(settings: &Settings) -> Result<(), Fault> {
    let venue = &settings.venue;
    let config = BinanceConfig {
        recv_window: venue.recv_window.duration(),
        subscriptions: Subscriptions { bars: vec![settings.interval], ..Subscriptions::default() },
        ..BinanceConfig::at(&venue.rest_url, &venue.stream_url, &venue.ws_api_url)
    };
    config.validate().map_err(|error| match error {
        QueryError::Configuration { field, value, why } => {
            let at = if field == "interval" { field.to_owned() } else { format!("venue.{field}") };
            let message = format!("{at} is `{value}`: {why}");
            Fault::new(at, message)
        }
        other => Fault::new("venue", other.to_string()),
    })
}

/// Builds each strategy once, so that a name or a parameter that does not exist is found before a venue is asked.
fn strategies(settings: &Settings) -> Result<(), Fault> {
    for (nth, strategy) in settings.strategy.iter().enumerate() {
        if let Some((place, stray)) = strategy.symbols.iter().enumerate().find(|(_, it)| !settings.symbols.contains(it))
        {
            let message = format!("a strategy trades {stray}, which is not among symbols");
            return Err(Fault { at: format!("strategy.{nth}.symbols.{place}"), message, contradicts: true });
        }
        if let Err(error) = strategy.build(InstrumentId(0), &[]) {
            let at = match &error {
                StrategyError::Unknown { .. } => "name".to_owned(),
                StrategyError::UnknownSizing { .. } | StrategyError::NoStop { .. } => "sizing.rule".to_owned(),
                StrategyError::UnknownParameter { parameter, .. } | StrategyError::WrongType { parameter, .. } => {
                    table_of(strategy, parameter)
                }
                StrategyError::OutOfRange { parameter, .. } => table_of(strategy, parameter),
                StrategyError::Distance { end, .. } => (*end).to_owned(),
                StrategyError::Conflict { .. } | StrategyError::Indicator(_) | StrategyError::Name { .. } => {
                    "parameters".to_owned()
                }
            };
            let message = format!("{} {error}; {}", error.code(), error.hint());
            return Err(Fault::new(format!("strategy.{nth}.{at}"), message));
        }
    }
    Ok(())
}

fn table_of(strategy: &super::StrategySettings, parameter: &str) -> String {
    let table = if strategy.sizing.contains_key(parameter) { "sizing" } else { "parameters" };
    format!("{table}.{parameter}")
}
