//! The steps of a start, in order: safe, then reconciled. Each gives back something that ends what it began when it is
//! dropped, so a step that fails leaves nothing of those before it.

use crate::clock::wall;
use crate::core::Core;
use crate::deposits;
use crate::error::NodeError;
use crate::govern::settings_words;
use crate::kill_switch::Latched;
use crate::limit_changes::settings_name;
use crate::portfolios::Portfolios;
use crate::runtime::Surroundings;
use crate::settings::{NodeMode, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::mpsc;
use tradewind_domain::{
    Bar, Coded, Currency, FeeSchedule, Incarnation, Instrument, InstrumentId, Origin, PortfolioId, Source, Symbol,
    Timestamp, TradeId,
};
use tradewind_engine::{
    EventKind, Halt, LOGIC_VERSION, RiskAct, State, account_limit_values, limit_values, set_account_limit, set_limit,
};
use tradewind_gate::{Limits, Mode};
use tradewind_governance::{Act, CHANGE_WINDOW_NANOS, Change, ChangeState, Changed, Principal, Tighter, loosens};
use tradewind_host::Draft;
use tradewind_journal::AppendError;
use tradewind_risk::AccountLimits;
use tradewind_strategies::Desk;
use tradewind_venues::binance::convert::ConvertError;
use tradewind_venues::binance::sign::Signer;
use tradewind_venues::binance::{AccountState, BinanceConfig, Connection, Subscriptions, listings};
use tradewind_venues::{ApiKey, ApiSecret, QueryError, Stream, VenueEvent};

/// How long the start waits for the user stream.
const STREAM_WITHIN: Duration = Duration::from_secs(8);

pub(crate) fn signer(settings: &Settings, surroundings: &Surroundings) -> Result<Signer, NodeError> {
    let (key, secret) = match &surroundings.key {
        Some((key, secret)) => (ApiKey::new(key), ApiSecret::new(secret)),
        None => (ApiKey::read(&settings.venue.api_key)?, ApiSecret::read(&settings.venue.api_secret)?),
    };
    Ok(Signer::new(key, secret)?)
}

pub(crate) fn venue_config(settings: &Settings, signer: Signer, halted: Arc<AtomicBool>) -> BinanceConfig {
    let venue = &settings.venue;
    let books = settings.limits.resolve().controls.is_some_and(|controls| controls.impact_by_book.is_some());
    BinanceConfig {
        signer: Some(signer),
        recv_window: venue.recv_window.duration(),
        subscriptions: Subscriptions { quotes: true, trades: false, books, bars: vec![settings.interval] },
        halted,
        ..BinanceConfig::at(&venue.rest_url, &venue.stream_url, &venue.ws_api_url)
    }
}

/// A connection with its events, those that came while it was being made, and what is traded over it.
pub(crate) struct Connected {
    pub(crate) connection: Connection,
    pub(crate) events: mpsc::Receiver<VenueEvent>,
    pub(crate) early: Vec<VenueEvent>,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) opening: Opening,
}

/// The account as it was found.
pub(crate) struct Opening {
    pub(crate) account: AccountState,
    /// The newest execution of each instrument that the balances hold; read only before the first order.
    through: Vec<(InstrumentId, TradeId)>,
}

/// How often the account is read anew at the first start while somebody trades on it.
const OPENING_TRIES: u32 = 10;

impl Opening {
    /// Reads balances and executions until none of these came in between. Where somebody trades without a pause, the
    /// comparison that follows finds the difference.
    async fn at_rest(
        connection: &Connection,
        instruments: &[Instrument],
        needed: &BTreeSet<Currency>,
    ) -> Result<Self, QueryError> {
        let mut through = newest_fills(connection, instruments).await?;
        for _ in 1..OPENING_TRIES {
            let account = account_of(connection, needed).await?;
            let after = newest_fills(connection, instruments).await?;
            if after == through {
                return Ok(Self { account, through });
            }
            through = after;
        }
        Ok(Self { account: account_of(connection, needed).await?, through })
    }
}

/// The account as it is now.
///
/// # Errors
/// What is wrong with the balance of an asset that is `needed`: one that cannot be read is not zero.
async fn account_of(connection: &Connection, needed: &BTreeSet<Currency>) -> Result<AccountState, QueryError> {
    let account = connection.account().await?;
    let is_needed = |fault: &&ConvertError| Currency::new(fault.symbol()).is_ok_and(|it| needed.contains(&it));
    let fault = account.unreadable.iter().find(is_needed).cloned();
    fault.map_or(Ok(account), |fault| Err(fault.into()))
}

async fn newest_fills(
    connection: &Connection,
    instruments: &[Instrument],
) -> Result<Vec<(InstrumentId, TradeId)>, QueryError> {
    let mut all = Vec::new();
    for instrument in instruments {
        all.extend(connection.newest_fill(instrument.id).await?.map(|newest| (instrument.id, newest)));
    }
    Ok(all)
}

/// Connects, and waits until the user stream is up: from then on no report about an order is missed.
pub(crate) async fn connect(config: BinanceConfig, settings: &Settings, state: &State) -> Result<Connected, NodeError> {
    let url = config.rest_url.clone();
    let failed = |source| NodeError::Venue { url: url.clone(), source: Box::new(source) };
    let mut instruments = instruments(&config, settings, state).await?;
    let (connection, mut events) = Connection::connect(config, instruments.clone()).await.map_err(failed)?;
    let traded = settings.symbols.iter().flat_map(|symbol| [symbol.base, symbol.quote]);
    let needed: BTreeSet<Currency> = traded.chain([settings.base_currency]).collect();
    let account = account_of(&connection, &needed).await.map_err(failed)?;
    for instrument in &mut instruments {
        instrument.spec.fees = account.fees; // the account's: listings do not tell
    }
    let mut early = user_stream_up(&mut events, &settings.venue.ws_api_url).await?;
    let mut opening = Opening { account, through: Vec::new() };
    if state.intents == 0 {
        opening = Opening::at_rest(&connection, &instruments, &needed).await.map_err(failed)?;
        early.extend(std::iter::from_fn(|| events.try_recv().ok()));
        // the balances that were just read hold them
        early.retain(|event| !matches!(event, VenueEvent::Transferred { .. }));
    }
    Ok(Connected { connection, events, early, instruments, opening })
}

async fn user_stream_up(events: &mut mpsc::Receiver<VenueEvent>, url: &str) -> Result<Vec<VenueEvent>, NodeError> {
    let mut early = Vec::new();
    let mut reason = "it is silent".to_owned();
    let deadline = tokio::time::Instant::now() + STREAM_WITHIN;
    while let Ok(Some(event)) = tokio::time::timeout_at(deadline, events.recv()).await {
        match event {
            VenueEvent::Up { stream: Stream::User, .. } => return Ok(early),
            VenueEvent::Down { stream: Stream::User, why, .. } => reason = why,
            event => early.push(event),
        }
    }
    Err(NodeError::UserStream { url: url.to_owned(), reason })
}

/// What is to be traded, as the venue lists it today, under the ids that the journal gave.
async fn instruments(config: &BinanceConfig, settings: &Settings, state: &State) -> Result<Vec<Instrument>, NodeError> {
    let venue_symbols: Vec<String> = settings.symbols.iter().map(Symbol::joined).collect();
    let names: Vec<&str> = venue_symbols.iter().map(String::as_str).collect();
    let failed = |source| NodeError::Venue { url: settings.venue.rest_url.clone(), source: Box::new(source) };
    let listed = listings(config, &names, FeeSchedule::default()).await.map_err(failed)?;
    let mut specs = Vec::new();
    for listing in listed {
        specs.push(listing.map_err(|fault| failed(fault.into()))?.spec);
    }
    let mut next = u32::try_from(state.listings.len()).unwrap_or(u32::MAX);
    let mut found = Vec::new();
    for symbol in &settings.symbols {
        let spec = specs.iter().find(|spec| spec.symbol == *symbol);
        let spec = spec.ok_or_else(|| NodeError::Listing(format!("the venue does not list {symbol}")))?.clone();
        let known = state.listings.iter().find(|it| it.instrument.spec.symbol == *symbol).map(|it| it.instrument.id);
        let id = known.unwrap_or_else(|| {
            next += 1;
            InstrumentId(next - 1)
        });
        found.push(spec.list(id).map_err(|error| NodeError::Listing(error.to_string()))?);
    }
    Ok(found)
}

/// One desk for each strategy and instrument; each strategy has a portfolio of its own.
pub(crate) fn desks(
    settings: &Settings,
    instruments: &[Instrument],
    portfolios: &Portfolios,
) -> Result<Vec<Desk>, NodeError> {
    let mut desks = Vec::new();
    for ((place, strategy), portfolio) in (0_u16..).zip(&settings.strategy).zip(&portfolios.strategies) {
        let mine = |it: &&Instrument| strategy.symbols.is_empty() || strategy.symbols.contains(&it.spec.symbol);
        let all: Vec<InstrumentId> = instruments.iter().filter(mine).map(|it| it.id).collect();
        for instrument in &all {
            let built = strategy
                .build(*instrument, &all)
                .map_err(|error| NodeError::Strategy(format!("{}: {error}; {}", error.code(), error.hint())))?;
            desks.push(Desk::new(Box::new(built), Source::Strategy(place), *portfolio, *instrument));
        }
    }
    Ok(desks)
}

/// Records the start, what is new or changed in the listing, portfolios, their limits, and the cash they begin with.
pub(crate) fn introduce(
    core: &mut Core,
    settings: &Settings,
    instruments: &[Instrument],
    portfolios: &Portfolios,
    opening: &Opening,
) -> Result<(), NodeError> {
    let now = core.now();
    let note = |core: &mut Core, portfolio, kind| core.record(now, wall(), Source::Host, portfolio, kind);
    let mut incarnation = [0; 8];
    getrandom::fill(&mut incarnation).map_err(|error| NodeError::Random(error.to_string()))?;
    let mode = match settings.mode {
        NodeMode::Observe => Mode::Observe,
        NodeMode::Paper => Mode::Paper,
        NodeMode::Live => Mode::Live,
    };
    let started =
        EventKind::Started { incarnation: Incarnation(u64::from_le_bytes(incarnation)), mode, logic: LOGIC_VERSION };
    note(core, PortfolioId(0), started)?;
    for instrument in instruments {
        let known = core.host.state.listings.get(instrument.id.index()).map(|listing| &listing.instrument);
        if known != Some(instrument) {
            note(core, PortfolioId(0), EventKind::Listed(Box::new(instrument.clone())))?;
        }
    }
    for name in &portfolios.to_open {
        let opened = EventKind::Opened { base: settings.base_currency, name: name.clone() };
        note(core, portfolio(core.host.state.portfolios.len()), opened)?;
    }
    for word in settings_words(&core.host.state.governance, &settings.operators, &settings.governance.policy()) {
        let waits = |changed: &Changed| core.host.state.governance.awaits(changed, now);
        if !matches!(&word, Act::ChangeSaid { changed, .. } if waits(changed)) {
            note(core, PortfolioId(0), EventKind::Governance(Box::new(word)))?;
        }
    }
    tell_pending_persons(core);
    for place in 0..core.host.state.portfolios.len() {
        set_limits(core, settings, portfolio(place))?;
    }
    set_account_limits(core, settings)?;
    let by_hand = settings.operator_cash.bps();
    let base = settings.base_currency;
    for (instrument, through) in &opening.through {
        let kind = EventKind::Baseline { instrument: *instrument, through: *through };
        core.record(now, wall(), Source::Venue, PortfolioId(0), kind)?;
    }
    let balances = &opening.account.balances;
    for (portfolio, money) in deposits::missing(&core.host.state, balances, base, portfolios, by_hand) {
        core.record(now, wall(), Source::Venue, portfolio, EventKind::Deposited(money))?;
    }
    Ok(())
}

/// Says that the settings name other persons than those who count.
fn tell_pending_persons(core: &mut Core) {
    let now = core.now();
    let waits = |it: &&Change| {
        it.state == ChangeState::Asked
            && matches!(it.changed, Changed::Operators { .. })
            && now.since(it.asked_at) < CHANGE_WINDOW_NANOS
    };
    if let Some(id) = core.host.state.governance.changes.values().find(waits).map(|change| change.id) {
        core.note(format!(
            "alarm: the settings name other operators than those on record, who count until two of them with the role \
             risk say yes: tradewind limits approve {id}"
        ));
    }
}

/// A limit that was changed at run time and that the settings know as well.
struct Twice {
    tighter: Tighter,
    /// What the settings want.
    wanted: Option<i64>,
    /// What it was changed to.
    changed: Option<i64>,
    /// What it was before people began to change it.
    before: Option<Option<i64>>,
    /// What it is now.
    in_force: Option<i64>,
}

impl Twice {
    /// The value that counts from this start on: while the settings still say what they said before, what people agreed
    /// to; of anything else the tighter one.
    fn counts(&self) -> Option<i64> {
        let stands = self.in_force == self.changed && self.before == Some(self.wanted);
        if stands || loosens(self.tighter, self.changed, self.wanted) { self.changed } else { self.wanted }
    }
}

/// Says that the settings are tighter than what a limit was changed to at run time.
fn tell_tighter(core: &mut Core, of: &str, names: &[&str]) {
    for name in names {
        let name = settings_name(name);
        core.note(format!("{name} of {of}: the settings are tighter than what was set at run time, and count"));
    }
}

/// Brings a portfolio's limits up to the settings. What was changed at run time stays so while the settings still say
/// what they said before, else the tighter value counts; where two
/// persons are wanted, what the settings loosen waits for two of them.
fn set_limits(core: &mut Core, settings: &Settings, portfolio: PortfolioId) -> Result<(), NodeError> {
    let (now, state) = (core.now(), &core.host.state);
    let current = state.portfolio(portfolio).limits;
    let is_new = current == Limits::AT_OPENING;
    let of = state.portfolio(portfolio).name.clone();
    let mut limits = settings.limits.resolve();
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    for (name, tighter, mut wanted) in limit_values(&limits) {
        let old = limit_values(&current).into_iter().find(|row| row.0 == name).and_then(|row| row.2);
        if let Some(changed) = state.governance.overridden(portfolio, name) {
            let before = state.governance.before_changes(portfolio, name);
            wanted = Twice { tighter, wanted, changed, before, in_force: old }.counts();
            set_limit(&mut limits, name, wanted);
            told.extend((wanted != changed).then_some(name));
        }
        if !is_new && state.governance.two_persons() && loosens(tighter, old, wanted) {
            set_limit(&mut limits, name, old);
            asked.push(Changed::Limit { portfolio, name: name.to_owned(), tighter, old, new: wanted });
        }
    }
    if current != limits {
        tell_tighter(core, &of, &told);
        core.record(now, wall(), Source::Host, portfolio, EventKind::LimitsSet(Box::new(limits)))?;
    }
    ask_second(core, portfolio, asked)
}

/// As [`set_limits`] for what holds for all portfolios together.
fn set_account_limits(core: &mut Core, settings: &Settings) -> Result<(), NodeError> {
    let (now, state) = (core.now(), &core.host.state);
    let known = state.risk.as_ref().map(|risk| &risk.account);
    let current = known.map_or(AccountLimits::NONE, AccountLimits::clone);
    let mut limits = settings.limits.set().account;
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    for (name, tighter, mut wanted) in account_limit_values(&limits) {
        let old = account_limit_values(&current).into_iter().find(|row| row.0 == name).and_then(|row| row.2);
        if let Some(changed) = state.governance.overridden_account(name) {
            let before = state.governance.before_changes_of_account(name);
            wanted = Twice { tighter, wanted, changed, before, in_force: old }.counts();
            set_account_limit(&mut limits, name, wanted);
            told.extend((wanted != changed).then_some(name));
        }
        if known.is_some() && state.governance.two_persons() && loosens(tighter, old, wanted) {
            set_account_limit(&mut limits, name, old);
            asked.push(Changed::AccountLimit { name: name.to_owned(), tighter, old, new: wanted });
        }
    }
    limits.sectors = sectors(state, known.is_some(), &current, limits.sectors, &mut asked);
    if current != limits {
        tell_tighter(core, "the account", &told);
        let limits = EventKind::Risk(Box::new(RiskAct::AccountLimits { limits: Box::new(limits) }));
        core.record(now, wall(), Source::Host, PortfolioId(0), limits)?;
    }
    ask_second(core, PortfolioId(0), asked)
}

/// The sectors to begin with: as changed at run time, or else as the settings want them. An asset that they take out of a
/// sector stays in it until a second person agrees, where two are wanted.
fn sectors(
    state: &State,
    are_known: bool,
    current: &AccountLimits,
    wanted: BTreeMap<String, String>,
    asked: &mut Vec<Changed>,
) -> BTreeMap<String, String> {
    let assets: BTreeSet<&String> = current.sectors.keys().chain(wanted.keys()).collect();
    let mut sectors = BTreeMap::new();
    for asset in assets.into_iter().chain(state.governance.sectors.keys()) {
        let (old, new) = (current.sectors.get(asset).cloned(), wanted.get(asset).cloned());
        let changed = Changed::Sector { asset: asset.clone(), old: old.clone(), new: new.clone() };
        let sector = match state.governance.overridden_sector(asset) {
            Some(changed) => changed.map(str::to_owned),
            None if are_known && state.governance.two_persons() && changed.loosens() => {
                asked.push(changed);
                old
            }
            None => new,
        };
        if let Some(sector) = sector {
            sectors.insert(asset.clone(), sector);
        }
    }
    sectors
}

/// What the settings loosen waits for a second person; what waits already is not asked for again.
fn ask_second(core: &mut Core, portfolio: PortfolioId, mut asked: Vec<Changed>) -> Result<(), NodeError> {
    let now = core.now();
    asked.retain(|it| !core.host.state.governance.awaits(it, now));
    for changed in asked {
        let by = Principal::of_source(Source::Host);
        let word = Act::ChangeSaid { changed, by, reason: "the settings at start".to_owned() };
        core.record(now, wall(), Source::Host, portfolio, EventKind::Governance(Box::new(word)))?;
    }
    Ok(())
}

/// Kill switches that the journal's state does not know of, but their files or the audit trail do.
pub(crate) fn keep_halted(core: &mut Core, latched: Latched) -> Result<(), NodeError> {
    let now = core.now();
    let mut kinds = Vec::new();
    core.since.halted = latched.thrown;
    if core.host.state.halted.is_none() {
        kinds.extend(latched.halted.map(|reason| EventKind::Halted(Halt { reason })));
    }
    for (scope, latch) in latched.scopes {
        if !core.host.state.governance.latches.contains_key(&scope) {
            kinds.push(EventKind::Governance(Box::new(Act::Latched { scope, latch })));
        }
    }
    for kind in kinds {
        core.record(now, wall(), Source::Host, PortfolioId(0), kind)?;
    }
    core.latch()
}

fn portfolio(place: usize) -> PortfolioId {
    PortfolioId(u16::try_from(place).unwrap_or(u16::MAX))
}

/// Shows the desks what the market did before; the newest bar sets the mark and is recorded.
///
/// Gives back the newest bar of each instrument by its open time.
pub(crate) fn warm_up(
    core: &mut Core,
    history: &[Vec<Bar>],
    origin: Origin,
) -> Result<Vec<(InstrumentId, Timestamp)>, NodeError> {
    let mut last = Vec::new();
    for bars in history {
        let Some(newest) = bars.last() else { continue };
        let draft = Draft {
            source: Source::Market,
            ..Draft::of_host(newest.close_time(), wall(), PortfolioId(0), EventKind::BarClosed { bar: *newest, origin })
        };
        match core.host.follow(draft) {
            // the node comes up all the same, for cancels, exits and the kill switch; without a mark no order is taken
            Err(AppendError::NoRoom(fault)) => core.say_that_there_is_no_room(&fault),
            other => other?,
        }
        last.push((newest.instrument, newest.open_time));
        let state = &core.host.state;
        for desk in &mut core.desks {
            let is_own = desk.instrument() == newest.instrument;
            bars.iter().for_each(|bar| if is_own { desk.warm(state, bar) } else { desk.on_other_bar(bar) });
        }
    }
    Ok(last)
}
