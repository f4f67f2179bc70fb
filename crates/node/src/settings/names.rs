//! Names that a rule is to be found by: one that matches nothing would switch its guard off in silence.

use super::Settings;
use super::check::Fault;
use tradewind_domain::{Currency, InstrumentKind, Symbol};
use tradewind_governance::{Deny, Name, check_plain};
use tradewind_venues::binance::VENUE;

/// Finds the first name in `[governance]` deny rules and sources, or in the sectors of `[limits]`, that nothing has.
pub(super) fn check(settings: &Settings) -> Result<(), Fault> {
    for (nth, deny) in settings.governance.deny.iter().enumerate() {
        check_deny(settings, deny)
            .map_err(|(key, message)| Fault::new(format!("governance.deny.{nth}.{key}"), message))?;
    }
    for name in settings.governance.sources.keys() {
        let wrong = |message: String| Fault::new(format!("governance.sources.{name}"), message);
        check_source(settings, name).map_err(|why| wrong(format!("governance.sources has `{name}`: {why}")))?;
    }
    for (asset, sector) in &settings.limits.sectors {
        check_sector(asset, sector).map_err(|message| Fault::new(format!("limits.sectors.{asset}"), message))?;
    }
    Ok(())
}

fn check_deny(settings: &Settings, deny: &Deny) -> Result<(), (&'static str, String)> {
    let names = [
        ("venue", &deny.venue),
        ("market", &deny.market),
        ("symbol", &deny.symbol),
        ("chain", &deny.chain),
        ("token", &deny.token),
        ("router", &deny.router),
        ("address", &deny.address),
    ];
    for (key, name) in names {
        let Some(name) = name else { continue };
        let wrong = |why: String| (key, format!("a deny rule has the {key} `{}`: {why}", name.escape_default()));
        check_plain(name).map_err(|unfit| wrong(format!("it holds {unfit}")))?;
        match key {
            "venue" => one_of(name, &[VENUE]).map_err(wrong)?,
            "market" => one_of(name, &InstrumentKind::MARKETS).map_err(wrong)?,
            "symbol" => check_symbol(name, &settings.symbols).map_err(wrong)?,
            _ => (), // no venue here names one yet
        }
    }
    let Some(source) = &deny.source else { return Ok(()) };
    check_source(settings, source).map_err(|why| ("source", format!("a deny rule has the source `{source}`: {why}")))
}

fn one_of(name: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&name) { Ok(()) } else { Err(format!("write {}", listed(known))) }
}

/// Whether `text` is a symbol as a venue lists it; it need not be traded here.
fn check_symbol(text: &str, traded: &[Symbol]) -> Result<(), String> {
    let capitals = text.to_uppercase();
    match capitals.parse::<Symbol>() {
        Ok(symbol) if symbol.to_string() == text => Ok(()),
        Ok(symbol) => Err(format!("the venue writes {symbol}")),
        Err(_) => match traded.iter().find(|symbol| symbol.joined() == capitals) {
            Some(symbol) => Err(format!("write {symbol}")),
            None => Err("write base and quote with a stroke between, such as BTC/USDT".to_owned()),
        },
    }
}

/// Whether anybody is called so: a person of `[[operators]]`, a strategy by its place in the settings, an agent or a model by
/// its number or name, or what stands for whoever says no name and for the program.
fn check_source(settings: &Settings, name: &Name) -> Result<(), String> {
    let is_number = |place: &str| place.parse::<u16>().is_ok_and(|number| number.to_string() == place);
    let text = name.as_str();
    let is_known = match text.split_once('-') {
        Some(("strategy", place)) => {
            is_number(place) && place.parse().is_ok_and(|place: usize| place < settings.strategy.len())
        }
        Some(("agent", place)) => is_number(place),
        Some(("model", called)) => !called.is_empty(),
        _ => ["operator", "system"].contains(&text),
    };
    if is_known || settings.operators.iter().any(|it| it.name == *name) {
        return Ok(());
    }
    let strategies = (0..settings.strategy.len()).map(|place| format!("strategy-{place}"));
    let persons = settings.operators.iter().map(|it| it.name.to_string());
    let known: Vec<String> = strategies.chain(persons).chain(["operator".to_owned(), "system".to_owned()]).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Err(format!("nobody is called so: write {}, or an agent's such as agent-0", listed(&known)))
}

/// Whether an asset is written as venues write it, and its sector in characters that do not deceive; it need not be traded
/// here.
fn check_sector(asset: &str, sector: &str) -> Result<(), String> {
    let wrong = |why: String| Err(format!("limits.sectors has the asset `{}`: {why}", asset.escape_default()));
    match asset.parse::<Symbol>() {
        Ok(symbol) => return wrong(format!("write {} alone, its code", symbol.base)),
        Err(_) if Currency::new(asset).is_err() => return wrong("write its code, such as BTC".to_owned()),
        Err(_) if asset != asset.to_uppercase() => return wrong(format!("the venue writes {}", asset.to_uppercase())),
        Err(_) => (),
    }
    check_plain(sector)
        .map_err(|unfit| format!("limits.sectors has the sector `{}`: it holds {unfit}", sector.escape_default()))
}

/// Names for a message, the last after an "or".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
