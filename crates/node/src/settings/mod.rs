//! Settings: one schema for file, template, reference page and checks.
//!
//! A file is read once into [`Settings`]; every fault names file, line, value and what to write instead. Keys and
//! secrets are never in it: it names the file, the environment variable or the descriptor that holds them.

mod check;
mod fields;
mod governance;
mod limits;
mod names;
mod units;

pub use check::{fault_of_key, unread};
pub use fields::{Field, fields, reference_page, template};
pub use governance::{GovernanceSettings, OperatorSettings, SourceSettings};
pub use limits::{LimitSettings, Profile};
pub use units::{Amount, Percent, Seconds};

use crate::data_dir::DataDir;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tradewind_domain::{Coded, Currency, InstrumentId, Interval, Symbol};
use tradewind_engine::EvidencePolicy;
use tradewind_strategies::{Ends, Managed, Sizing, StrategyError, registry};
use tradewind_venues::{SecretSource, is_on_this_machine};

/// Everything that a node can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// See [`fields`], as for every key here.
    pub mode: NodeMode,
    /// Where journal, lock and control socket live.
    pub data_dir: PathBuf,
    /// What to trade.
    pub symbols: Vec<Symbol>,
    /// Length of the bars that strategies see.
    pub interval: Interval,
    /// What equity is counted in.
    pub base_currency: Currency,
    /// What orders by hand have of it.
    pub operator_cash: Percent,
    /// Where to trade.
    pub venue: VenueSettings,
    /// Who decides.
    pub strategy: Vec<StrategySettings>,
    /// What is allowed.
    pub limits: LimitSettings,
    /// Who may do what.
    pub governance: GovernanceSettings,
    /// The persons who may use this node; the one local user if empty.
    pub operators: Vec<OperatorSettings>,
    /// What live mode needs besides.
    pub live: LiveSettings,
    /// How the journal is kept.
    pub journal: JournalSettings,
}

/// What a node may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeMode {
    /// Watch and decide, never trade.
    Observe,
    /// Trade play money.
    #[default]
    Paper,
    /// Trade real money.
    Live,
}

/// Where to trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VenueSettings {
    /// Which protocol.
    pub name: String,
    /// Base of REST paths.
    pub rest_url: String,
    /// Base of the market streams.
    pub stream_url: String,
    /// The WebSocket API.
    pub ws_api_url: String,
    /// Where the API key is: `env:NAME`, `file:PATH` or `fd:N`.
    pub api_key: SecretSource,
    /// Where the API secret is.
    pub api_secret: SecretSource,
    /// How long the venue takes a request, by its clock.
    pub recv_window: Seconds,
    /// How often the venue's lists are compared with the books.
    pub sweep_every: Seconds,
    /// How far back the venue tells what happened.
    pub history: Seconds,
    /// How much of the venue's silence proves that an order never came.
    pub evidence: EvidenceRule,
}

/// How much of a venue's silence proves that an order never came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceRule {
    /// The venue's own numbers, but those of the local exchange where the venue is on this machine.
    #[default]
    Auto,
    /// The venue's own numbers: see [`EvidencePolicy::BINANCE_SPOT`].
    Venue,
    /// Short ones, for our own exchange: see [`EvidencePolicy::LOCAL`].
    Local,
}

impl VenueSettings {
    /// The numbers behind [`Self::evidence`].
    #[must_use]
    pub fn evidence_policy(&self) -> EvidencePolicy {
        match self.evidence {
            EvidenceRule::Local => EvidencePolicy::LOCAL,
            EvidenceRule::Auto if is_on_this_machine(&self.rest_url) => EvidencePolicy::LOCAL,
            EvidenceRule::Auto | EvidenceRule::Venue => EvidencePolicy::BINANCE_SPOT,
        }
    }
}

/// One strategy at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategySettings {
    /// Its registered name.
    pub name: String,
    /// The symbols it trades; all of them if left out.
    #[serde(default)]
    pub symbols: Vec<Symbol>,
    /// Its own parameters.
    #[serde(default)]
    pub parameters: toml::Table,
    /// The rule that its trades are sized by, with the rule's parameters; its own weights if empty.
    #[serde(default)]
    pub sizing: toml::Table,
    /// How far from the close it gives a trade up, where it does not say so itself; within [`Ends::BPS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Percent>,
    /// How far from the close it is content with a trade, where it does not say so itself; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Percent>,
}

impl StrategySettings {
    /// The strategy of this name, on its defaults, on all symbols.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            symbols: Vec::new(),
            parameters: toml::Table::new(),
            sizing: toml::Table::new(),
            stop: None,
            target: None,
        }
    }

    /// Builds it for `own`, one of `all` that it trades, with the rules that size and end its trades.
    ///
    /// # Errors
    /// [`StrategyError`] for a name or a parameter that does not exist, or a value that does not fit.
    pub fn build(&self, own: InstrumentId, all: &[InstrumentId]) -> Result<Managed, StrategyError> {
        let strategy = registry::build(&self.name, &self.parameters)?;
        let sizing = Sizing::read(&self.sizing)?.map(|sizing| sizing.among(own, all));
        let ends = Ends { stop_bps: self.stop.map(Percent::bps), target_bps: self.target.map(Percent::bps) };
        Managed::new(strategy, sizing, ends)
    }
}

/// What live mode needs besides `mode = "live"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveSettings {
    /// The switch.
    pub enabled: bool,
    /// The sentence of [`CONSENT`], typed by the person whose money it is.
    pub consent: String,
}

/// What a person types to trade real money.
pub const CONSENT: &str = "I risk my own money and accept its loss";

/// How the journal is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalSettings {
    /// How long events that led to no order may wait for the disk.
    pub sync_every: Seconds,
    /// Events between two snapshots, at least 1.
    pub snapshot_every: u64,
    /// Size of a segment file in bytes.
    pub segment_bytes: u64,
}

impl JournalSettings {
    /// How the journal makes its segments.
    #[must_use]
    pub fn options(&self) -> tradewind_journal::Options {
        let shipped = tradewind_journal::Options::default();
        let first_segment_bytes = shipped.first_segment_bytes.min(self.segment_bytes);
        tradewind_journal::Options { segment_bytes: self.segment_bytes, first_segment_bytes, ..shipped }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: NodeMode::Paper,
            data_dir: PathBuf::from(DataDir::DEFAULT),
            symbols: vec!["BTC/USDT".parse().expect("a symbol")],
            interval: Interval::MINUTE,
            base_currency: Currency::new("USDT").expect("a currency"),
            operator_cash: Percent::from_bps(2_000),
            venue: VenueSettings::default(),
            strategy: vec![StrategySettings::named("ema-trend")],
            limits: LimitSettings::default(),
            governance: GovernanceSettings::default(),
            operators: Vec::new(),
            live: LiveSettings::default(),
            journal: JournalSettings::default(),
        }
    }
}

impl Default for VenueSettings {
    fn default() -> Self {
        Self {
            name: "binance".to_owned(),
            rest_url: "https://demo-api.binance.com".to_owned(),
            stream_url: "wss://demo-stream.binance.com:9443".to_owned(),
            ws_api_url: "wss://demo-ws-api.binance.com/ws-api/v3".to_owned(),
            api_key: SecretSource::Environment("BINANCE_API_KEY".to_owned()),
            api_secret: SecretSource::Environment("BINANCE_API_SECRET".to_owned()),
            recv_window: Seconds::from_millis(2_000),
            sweep_every: Seconds::from_millis(30_000),
            history: Seconds::from_millis(90 * 86_400_000),
            evidence: EvidenceRule::Auto,
        }
    }
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { sync_every: Seconds::from_millis(100), snapshot_every: 100_000, segment_bytes: 64 << 20 }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{}:{line}: {message}{}", path.display(), shown(.text))]
    Line {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
        /// The line itself.
        text: String,
    },
    /// Two settings contradict.
    #[error("{}{}: {message}", path.display(), line.map_or_else(String::new, |line| format!(":{line}")))]
    Contradiction {
        /// Which file.
        path: PathBuf,
        /// Where one of the two stands, counted from 1, if it stands in the file.
        line: Option<usize>,
        /// What contradicts.
        message: String,
    },
}

fn shown(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" in `{}`", text.trim()) }
}

impl Coded for SettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "CFG-01",
            Self::Line { .. } => "CFG-02",
            Self::Contradiction { .. } => "CFG-03",
        }
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

impl Settings {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`SettingsError`] with file and line of the first fault.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Checks the text of a file called `path`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| check::unread(&error, text, path))?;
        check::check(&settings).map_err(|fault| fault.in_file(text, path))?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_gate::{Cap, Limits};

    fn fault(text: &str) -> String {
        let error = Settings::parse(text, Path::new("t.toml")).unwrap_err();
        assert!(!error.hint().is_empty());
        format!("{} {error}", error.code())
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Settings::parse("", Path::new("t.toml")).unwrap(), Settings::default());
    }

    #[test]
    fn the_short_numbers_of_evidence_are_for_a_venue_on_this_machine_alone() {
        for (rest_url, want) in [
            ("http://127.0.0.1:9000", EvidencePolicy::LOCAL),
            ("http://127.0.0.2:9000", EvidencePolicy::LOCAL),
            ("http://[::1]:9000", EvidencePolicy::LOCAL),
            ("http://localhost:9000", EvidencePolicy::LOCAL),
            ("https://api.binance.com", EvidencePolicy::BINANCE_SPOT),
            ("https://127.0.0.1.evil.example", EvidencePolicy::BINANCE_SPOT),
            ("https://localhost.evil.example", EvidencePolicy::BINANCE_SPOT),
        ] {
            let venue = VenueSettings { rest_url: rest_url.to_owned(), ..VenueSettings::default() };
            assert_eq!(venue.evidence_policy(), want, "{rest_url}");
        }
    }

    #[test]
    fn faults_name_file_line_value_and_remedy() {
        for (text, want) in [
            ("mode = \"paper\"\nmod = 1\n", "CFG-02 t.toml:2: unknown field `mod`"),
            (
                "mode = \"fast\"\n",
                "CFG-02 t.toml:1: unknown variant `fast`, expected one of `observe`, `paper`, `live` in",
            ),
            (
                "\n[limits]\nmax_order = \"10\"\n",
                "CFG-02 t.toml:3: `10` is not a percentage: write it with its unit, such as \"2.5%\" in",
            ),
            ("[limits]\nmax_order = \"0%\"\n", "CFG-02 t.toml:2: limit max_order cannot be"),
            ("[limits]\n\ndaily_loss = \"0%\"\n", "CFG-02 t.toml:3: limit daily_loss cannot be 0 %; "),
            ("[limits]\n\ndrawdown = \"100%\"\n", "CFG-02 t.toml:3: limit drawdown cannot be 100 %; "),
            ("[limits]\n\nmax_order_amount = \"0\"\n", "CFG-02 t.toml:3: limit max_order_amount cannot be 0; "),
            (
                "[journal]\nsnapshot_every = 0\n",
                "CFG-02 t.toml:2: journal.snapshot_every is 0: it must be at least 1 in",
            ),
            ("[limits]\ndaily_loss = \"120%\"\n", "CFG-02 t.toml:2: `120%` is more than 100%"),
            (
                "[limits]\nstale_after = 5\n",
                "CFG-02 t.toml:2: invalid type: integer `5`, expected a duration with its unit",
            ),
            ("[limits]\nstale_after = \"5 parsecs\"\n", "CFG-02 t.toml:2: `5 parsecs` is not a duration"),
            ("[limits]\nmax_order_amount = \"1e3\"\n", "CFG-02 t.toml:2: `1e3` is not a decimal number"),
            ("interval = \"1x\"\n", "CFG-02 t.toml:1: `1x` is not an interval"),
            ("symbols = [\"BTCUSDT\"]\n", "CFG-02 t.toml:1: `BTCUSDT` is not a symbol"),
            ("symbols = []\n", "CFG-02 t.toml:1: symbols is empty"),
            (
                "data_dir = \"\"\n",
                "CFG-02 t.toml:1: data_dir is `\"\"`: name a directory, such as \"tradewind-data\" in",
            ),
            ("mode = \n", "CFG-02 t.toml:1:"),
            ("interval = \"7m\"\n", "CFG-02 t.toml:1: interval is `7m`: the venue has bars of 1s, 1m,"),
            (
                "base_currency = \"usdt\"\n",
                "CFG-03 t.toml:1: base_currency is `usdt`, and no symbol is priced in it: write USDT",
            ),
            (
                "base_currency = \"BTC\"\n",
                "CFG-03 t.toml:1: base_currency is `BTC`, and no symbol is priced in it: write USDT",
            ),
            (
                "symbols = [\n\"BTC/USDT\",\n\"ETH/BTC\"]\n",
                "CFG-02 t.toml:3: symbols has ETH/BTC, and nothing says what ETH is worth in USDT, the base_currency: add ETH/USDT if the venue has it, or leave ETH/BTC out",
            ),
            (
                "[venue]\n\nrecv_window = \"1000s\"\n",
                "CFG-02 t.toml:3: venue.recv_window is `1000000 ms`: the venue takes 1 to 60000 ms",
            ),
            (
                "[venue]\nrest_url = \"nonsense\"\n",
                "CFG-02 t.toml:2: venue.rest_url is `nonsense`: it must begin with https",
            ),
            (
                "symbols = [\n  \"ETH/USDT\",\n  \"BTC/USDT:USDT\",\n]\n",
                "CFG-02 t.toml:3: symbols has `BTC/USDT:USDT`, a contract: only spot pairs are traded, such as BTC/USDT",
            ),
            ("symbols = [\"btc/usdt\"]\n", "CFG-02 t.toml:1: symbols has `btc/usdt`: the venue writes BTC/USDT"),
            ("symbols = [\n\"BTC/USDT\",\n\"BTC/USDT\"]\n", "CFG-02 t.toml:3: symbols has BTC/USDT twice"),
            (
                "[[strategy]]\nname = \"vote\"\n[strategy.parameters]\n# often\nfast = \"x\"\n",
                "CFG-02 t.toml:5: STR-03 vote: fast is \"x\"",
            ),
            ("[venue]\nname = \"mtgox\"\n", "CFG-02 t.toml:2: venue.name is `mtgox`"),
            (
                concat!(
                    "[[operators]]\nname = \"operator\"\nroles = [\"risk\"]\ntoken_sha256 = \"",
                    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n"
                ),
                "CFG-02 t.toml:2: an operator is called `operator`, which stands for what is no person",
            ),
            (
                "[[strategy]]\nname = \"ema-trend\"\nsymbols = [\"ETH/USDT\"]\n",
                "CFG-03 t.toml:3: a strategy trades ETH/USDT",
            ),
            (
                "[[strategy]]\nname = \"vote\"\n\n[[strategy]]\nname = \"nope\"\n",
                "CFG-02 t.toml:5: STR-01 no strategy is called `nope`; there are ",
            ),
            (
                "[[strategy]]\nname = \"ema-trend\"\nparameters = { fast = -3 }\n",
                "CFG-02 t.toml:3: STR-04 ema-trend: fast is -3",
            ),
            (
                "[[strategy]]\nname = \"ema-trend\"\nsizing = { rule = \"martingale\" }\n",
                "CFG-02 t.toml:3: STR-07 no sizing rule is called `martingale`",
            ),
            (
                "[[strategy]]\nname = \"ema-trend\"\nsizing = { rule = \"fixed-risk\" }\n",
                "CFG-02 t.toml:3: STR-08 fixed-risk sizes a trade by its stop, and none is set; set strategy.stop",
            ),
            (
                "[[strategy]]\nname = \"ema-trend\"\nstop = \"0%\"\n",
                "CFG-02 t.toml:3: STR-04 stop is 0%, which is outside 0.01% to 99.99%; choose a value inside the range",
            ),
            (
                "[[strategy]]\nname = \"ema-trend\"\nstop = \"2%\"\ntarget = \"100%\"\n",
                "CFG-02 t.toml:4: STR-04 target is 100%, which is outside 0.01% to 99.99%; choose a value inside the range",
            ),
            ("strategy = [{ name = \"nope\" }]\n", "CFG-02 t.toml:1: STR-01 no strategy is called `nope`"),
            (
                "[governance]\ndeny = [\n  { side = \"buy\" },\n  { symbol = \"btcusdt\" },\n]\n",
                "CFG-02 t.toml:4: a deny rule has the symbol `btcusdt`: write BTC/USDT in",
            ),
            (
                "[governance]\ndeny = [{ symbol = \"solusdt\" }]\n",
                "CFG-02 t.toml:2: a deny rule has the symbol `solusdt`: write base and quote with a stroke between",
            ),
            (
                "[[governance.deny]]\nwhy = \"no\"\nsymbol = \"sol/USDT\"\n",
                "CFG-02 t.toml:3: a deny rule has the symbol `sol/USDT`: the venue writes SOL/USDT in",
            ),
            (
                "[governance]\ndeny = [{ venue = \"Binance\" }]\n",
                "CFG-02 t.toml:2: a deny rule has the venue `Binance`: write binance in",
            ),
            (
                "[governance]\ndeny = [{ market = \"sport\" }]\n",
                "CFG-02 t.toml:2: a deny rule has the market `sport`: write spot, linear-perpetual, inverse-perpetual, \
                 dated-future, option or equity in",
            ),
            (
                "[governance]\ndeny = [{ source = \"ana\" }]\n",
                "CFG-02 t.toml:2: a deny rule has the source `ana`: nobody is called so: write strategy-0, operator or system, or an",
            ),
            (
                "[governance]\ndeny = [{ chain = \"b\u{430}se\" }]\n",
                "CFG-02 t.toml:2: a deny rule has the chain `b\\u{430}se`: it holds ",
            ),
            (
                "[governance]\nsources = { \"stratgy-0\" = { autonomy = \"research-only\" } }\n",
                "CFG-02 t.toml:2: governance.sources has `stratgy-0`: nobody is called so: write strategy-0, operator or system, or an",
            ),
            (
                "[[strategy]]\nname = \"vote\"\n[governance.sources.strategy-7]\nautonomy = \"research-only\"\n",
                "CFG-02 t.toml:3: governance.sources has `strategy-7`: nobody is called so: write strategy-0, operator or",
            ),
            (
                "[[strategy]]\nname = \"vote\"\n[governance.sources.strategy-00]\nautonomy = \"research-only\"\n",
                "CFG-02 t.toml:3: governance.sources has `strategy-00`: nobody is called so",
            ),
            (
                "[limits.sectors]\nBTC = \"majors\"\neth = \"majors\"\n",
                "CFG-02 t.toml:3: limits.sectors has the asset `eth`: the venue writes ETH in",
            ),
            (
                "[limits]\nsectors = { \"ETH/USDT\" = \"majors\" }\n",
                "CFG-02 t.toml:2: limits.sectors has the asset `ETH/USDT`: write ETH alone, its code",
            ),
            (
                "[limits]\nsectors = { ETH = \"the majors\" }\n",
                "CFG-02 t.toml:2: limits.sectors has the sector `the majors`: it holds ",
            ),
        ] {
            let got = fault(text);
            assert!(got.starts_with(want), "{text:?}\n got {got}\nwant {want}");
        }
    }

    #[test]
    fn a_pasted_secret_is_refused_and_never_printed() {
        let secret = "hV4:kQ9zPasted0Secret";
        for text in [
            format!("[venue]\napi_secret = \"{secret}\"\n"),
            format!("[venue]\napi_key = \"{secret}\"\n"),
            format!("[venue]\napi_secret = {secret}\n"),
            "[venue]\napi_secret = 4990\n".to_owned(),
            format!("[venue]\napi_secert = \"{secret}\"\n"),
            format!("[venue]\napi_secret = \"\"\"\n{secret}\n"),
            format!("[venue]\napi_secret = \"\"\"\n{secret}\n\"\"\"\n"),
            format!("venue = {{ name = \"binance\", api_secret = \"{secret}\" }}\n"),
            format!("[[operators]]\nname = \"ann\"\nroles = [\"risk\"]\ntoken_sha256 = \"{secret}\"\n"),
        ] {
            let found = fault(&text);
            assert!(found.starts_with("CFG-02 t.toml:"), "{found}");
            assert!(!found.contains("hV4") && !found.contains("Pasted") && !found.contains("4990"), "{found}");
        }
        let sound = Settings::parse("[venue]\napi_secret = \"file:/run/secret\"\n", Path::new("t.toml")).unwrap();
        assert!(toml::to_string(&sound).unwrap().contains("api_secret = \"file:/run/secret\""));
    }

    #[test]
    fn a_rule_may_name_what_is_not_traded_yet_and_whoever_speaks_here() {
        let hash = |digit: char| String::from(digit).repeat(64);
        for text in [
            "deny = [{}, { venue = \"binance\", market = \"option\", side = \"sell\" }]",
            "deny = [{ symbol = \"SOL/USDT\" }, { symbol = \"BTC/USDT:USDT-271231-70000-C\" }]",
            "deny = [{ chain = \"base\", token = \"0xabCD\", router = \"0x1\", address = \"bc1q\" }]",
            "deny = [{ source = \"strategy-1\" }, { source = \"ann.b\" }, { source = \"system\" }]",
            "sources = { operator = {}, agent-12 = {}, model-x = {}, \"ann.b\" = {}, strategy-0 = {} }",
        ] {
            let operator = format!("[[operators]]\nname = \"ann.b\"\nroles = []\ntoken_sha256 = \"{}\"\n", hash('a'));
            let strategies = "[[strategy]]\nname = \"vote\"\n".repeat(2);
            let sectors = "[limits.sectors]\nSOL = \"alts\"\n";
            let text = format!("{operator}{strategies}{sectors}[governance]\n{text}\n");
            Settings::parse(&text, Path::new("t.toml")).unwrap_or_else(|error| panic!("{text}{error}"));
        }
    }

    #[test]
    fn two_operators_with_one_token_are_refused_by_their_names_and_the_hash_is_never_printed() {
        let operator = |name: &str, hash: &str| {
            format!("[[operators]]\nname = \"{name}\"\nroles = [\"risk\"]\ntoken_sha256 = \"{hash}\"\n")
        };
        let [lower, upper, other] = ["ab", "AB", "cd"].map(|pair| pair.repeat(32));
        let text = [operator("ann", &lower), operator("ben", &other), operator("carl", &upper)].concat();
        let found = fault(&text);
        let want =
            "CFG-03 t.toml:12: the operators ann and carl have one token_sha256, so whoever holds that token is both";
        assert!(found.starts_with(want), "{found}");
        assert!(!found.to_lowercase().contains("abab"), "{found}");
        let apart = [operator("ann", &lower), operator("ben", &other)].concat();
        assert_eq!(Settings::parse(&apart, Path::new("t.toml")).unwrap().operators.len(), 2);
    }

    #[test]
    fn limits_come_from_the_profile_unless_they_are_set() {
        let text = "[limits]\nmax_order = \"2.5%\"\nmax_order_amount = \"1000\"\nstale_after = \"500ms\"\n";
        let limits = Settings::parse(text, Path::new("t.toml")).unwrap().limits.resolve();
        assert_eq!(limits.max_order, Cap { equity_bps: Some(250), amount: Some(100_000_000_000) });
        assert_eq!(limits.stale_after_nanos, Some(500_000_000));
        assert_eq!(limits.drawdown_bps, Limits::CONSERVATIVE.drawdown_bps);
    }
}
