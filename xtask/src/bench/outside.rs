//! An exchange in a process of its own, for a program that is measured as it trades on a venue elsewhere.

use crate::{env, process};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the settings of a node on the exchange are called.
const SETTINGS: &str = "tradewind.toml";

/// A running exchange. It ends when this is dropped.
pub(super) struct Exchange {
    /// The variables that a node takes its key from.
    pub(super) keys: [(&'static str, String); 2],
    _program: Ending,
}

/// A program that ends when this is dropped.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.kill().ok(); // it may have ended by itself
        self.0.wait().ok();
    }
}

impl Exchange {
    /// Starts it by `words`, waits until it says where it listens, and writes [`SETTINGS`] into `folder`: a node with
    /// one strategy, whose data lie beside them.
    ///
    /// # Errors
    /// If it cannot be started or says something else, or the settings cannot be written.
    pub(super) fn start(words: &[String], folder: &Path) -> Result<Self> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut program = Ending(process::spawn(&mut command)?);
        let stdout = program.0.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("reading what the exchange says")?;
        let shown = process::shown(&command);
        let said: Value = serde_json::from_str(&line).with_context(|| format!("`{shown}` said `{}`", line.trim()))?;
        let field = |name: &str| {
            said[name].as_str().map(str::to_string).with_context(|| format!("`{shown}` does not tell its {name}"))
        };
        let path = folder.join(SETTINGS);
        let text = settings(&field("url")?, &folder.join("data"));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        let keys = [("BINANCE_API_KEY", field("api_key")?), ("BINANCE_API_SECRET", field("api_secret")?)];
        Ok(Self { keys, _program: program })
    }
}

fn settings(url: &str, data_dir: &Path) -> String {
    let sockets = url.replacen("http", "ws", 1);
    let data_dir = json!(env::text(data_dir)); // TOML reads a text as JSON writes it
    format!(
        "data_dir = {data_dir}\n[venue]\nrest_url = \"{url}\"\nstream_url = \"{sockets}\"\n\
         ws_api_url = \"{sockets}/ws-api/v3\"\n[[strategy]]\nname = \"ema-trend\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::programs::{emptied, tried};

    fn start(name: &str, said: &str) -> Result<(Exchange, String)> {
        let folder = tried(name);
        emptied(&folder).unwrap();
        let words = ["sh", "-c", &format!("echo '{said}'; exec sleep 600")].map(str::to_string);
        let started = Exchange::start(&words, &folder);
        let settings = fs::read_to_string(folder.join(SETTINGS)).unwrap_or_default();
        fs::remove_dir_all(&folder).unwrap();
        Ok((started?, settings))
    }

    #[test]
    fn a_node_is_told_where_the_exchange_listens_and_by_which_key() {
        let said = r#"{"url":"http://127.0.0.1:4711","api_key":"k","api_secret":"s"}"#;
        let (exchange, settings) = start("told", said).unwrap();
        assert_eq!(exchange.keys.clone().map(|(_, value)| value), ["k", "s"]);
        let settings: toml::Table = settings.parse().unwrap();
        let venue = |name: &str| settings["venue"][name].as_str().unwrap();
        assert_eq!(venue("rest_url"), "http://127.0.0.1:4711");
        assert_eq!(venue("stream_url"), "ws://127.0.0.1:4711");
        assert_eq!(venue("ws_api_url"), "ws://127.0.0.1:4711/ws-api/v3");
        assert!(settings["data_dir"].as_str().unwrap().ends_with("/data"));
    }

    #[test]
    fn an_exchange_that_says_something_else_is_an_error_that_shows_it() {
        let error = start("untold", "no port is free").err().unwrap();
        assert!(format!("{error:#}").contains("no port is free"), "{error:#}");
    }
}
