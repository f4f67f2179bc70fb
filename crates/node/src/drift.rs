//! Whether what runs is what ran when positions were opened: the settings of this start against those of the last one, and
//! the settings file against what runs.
//!
//! Only what decides is compared: addresses, directories and keys may change, the program's version may not.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::inbox::Input;
use crate::settings::Settings;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tradewind_domain::{PortfolioId, Source};
use tradewind_engine::{EventKind, LOGIC_VERSION, RiskAct};

/// How often the settings file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A hash of each part of the settings that decides, and of the program, by name.
fn parts(settings: &Settings) -> BTreeMap<String, String> {
    let hash = |part: &dyn erased::Json| {
        let digest = Sha256::digest(part.json().as_bytes());
        hex::encode(&digest[..8])
    };
    let program = (env!("CARGO_PKG_VERSION"), LOGIC_VERSION);
    let rows: [(&str, &dyn erased::Json); 10] = [
        ("program", &program),
        ("mode", &settings.mode),
        ("symbols", &settings.symbols),
        ("interval", &settings.interval),
        ("base_currency", &settings.base_currency),
        ("operator_cash", &settings.operator_cash),
        ("strategy", &settings.strategy),
        ("limits", &settings.limits),
        ("governance", &settings.governance),
        ("operators", &settings.operators),
    ];
    rows.into_iter().map(|(name, part)| (name.to_owned(), hash(part))).collect()
}

mod erased {
    //! Anything that can be written as JSON, behind one pointer.

    pub(super) trait Json {
        fn json(&self) -> String;
    }

    impl<T: super::Serialize> Json for T {
        fn json(&self) -> String {
            serde_json::to_string(self).unwrap_or_default()
        }
    }
}

/// The names of the parts that differ, for people.
fn difference(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Option<String> {
    let differ = new.iter().filter(|(name, hash)| old.get(*name) != Some(*hash)).map(|(name, _)| name.as_str());
    let names: Vec<&str> = differ.collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Compares this start with the last one, where a limit is set: what changed while positions are open allows only what
/// reduces, until a person says otherwise.
pub(crate) fn compare(core: &mut Core, settings: &Settings) -> Result<(), NodeError> {
    let Some(risk) = &core.host.state.risk else { return Ok(()) };
    let (known, new) = (&risk.config, parts(settings));
    if *known == new {
        return Ok(());
    }
    if let Some(what) = difference(known, &new).filter(|_| !known.is_empty()) {
        core.drifted(&format!("{what} since the last run"))?;
    }
    core.say_of_risk(RiskAct::Configured { parts: new })
}

/// Looks at the settings file, and tells the engine once of each change that would decide otherwise than the file that this
/// start found.
pub(crate) async fn watch(file: PathBuf, inbox: mpsc::Sender<Input>) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    let (mut seen, mut told, mut first) = (None, None, None);
    loop {
        every.tick().await;
        let path = file.clone();
        let text = tokio::task::spawn_blocking(move || std::fs::read_to_string(path).unwrap_or_default()).await.ok();
        let Some(text) = text.filter(|text| seen.as_ref() != Some(text)) else { continue };
        let what = match (Settings::parse(&text, &file), &first) {
            (Ok(settings), None) => {
                first = Some(parts(&settings));
                None
            }
            (Ok(settings), Some(first)) => {
                difference(first, &parts(&settings)).map(|what| format!("{what} in the settings file"))
            }
            (Err(error), _) => Some(format!("the settings file cannot be used any more: {error}")),
        };
        seen = Some(text);
        if let Some(what) = what.clone().filter(|_| what != told)
            && inbox.send(Input::Drifted(what)).await.is_err()
        {
            return;
        }
        told = what;
    }
}

impl Core {
    /// Something that decides is not what it was: with positions open that is a breaker's matter, without a notice's.
    pub(crate) fn drifted(&mut self, what: &str) -> Result<(), NodeError> {
        let holds = !self.host.state.guarded().is_empty();
        if self.host.state.risk.is_some() && holds {
            return self.say_of_risk(RiskAct::Drifted { reason: format!("changed: {what}") });
        }
        self.note(format!("changed: {what}; nothing is held, so nothing is restricted"));
        Ok(())
    }

    fn say_of_risk(&mut self, act: RiskAct) -> Result<(), NodeError> {
        let now = self.now();
        self.record(now, wall(), Source::Host, PortfolioId(0), EventKind::Risk(Box::new(act)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{LimitSettings, Profile};

    #[test]
    fn what_decides_counts_and_where_things_are_does_not() {
        let shipped = parts(&Settings::default());
        let mut other = Settings { data_dir: "elsewhere".into(), ..Settings::default() };
        other.venue.rest_url = "http://127.0.0.1:1".to_owned();
        assert_eq!(difference(&shipped, &parts(&other)), None);
        other.limits = LimitSettings::of(Profile::Demo);
        other.strategy.clear();
        assert_eq!(difference(&shipped, &parts(&other)).as_deref(), Some("limits, strategy"));
    }
}
