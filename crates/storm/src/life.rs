//! How a node's process starts and ends.

use crate::node::{Process, Session, budgets};
use crate::orders::{MILLI, SECOND};
use crate::people::operators;
use crate::queue::What;
use crate::setup::{PORTFOLIOS, START_MILLIS, deposits, key, limits, signer};
use crate::storm::Storm;
use crate::sweep::SWEEP_EVERY;
use crate::wire::{Codec, Wire};
use std::collections::BTreeMap;
use std::sync::Arc;
use tradewind_domain::{
    Currency, FeeSchedule, Incarnation, Instrument, InstrumentId, Money, Origin, PortfolioId, Source, TradeId,
};
use tradewind_engine::{EventKind, LOGIC_VERSION, State, limit_values, set_limit};
use tradewind_exchange::RestRequest;
use tradewind_gate::{Limits, Mode};
use tradewind_governance::Act;
use tradewind_host::{Host, MarketClock, recover};
use tradewind_journal::{Crash, Options};
use tradewind_strategies::{Desk, registry};
use tradewind_venues::binance::convert::{Instruments, fee_schedule, list_symbol};
use tradewind_venues::binance::protocol::{ClockEstimate, Query, read_answer};
use tradewind_venues::binance::rules::Command;
use tradewind_venues::binance::wire::{Account, ExchangeInfo, ServerTime};

const JOURNAL: Options = Options { segment_bytes: 1 << 20, first_segment_bytes: 1 << 18, prepare_in_background: false };
/// Events between two snapshots, at a state hash.
const SNAPSHOT_EVERY: u64 = 10_000;

impl Storm {
    /// The process starts: recovered, reconciled, trading.
    pub(crate) fn start(&mut self) {
        if self.node.process.is_some() {
            return;
        }
        if !self.link.up(self.now) {
            return self.queue.at(self.now + SECOND, What::Start); // no venue, no start
        }
        if self.used_weight() > 3_000 {
            return self.queue.at(self.now + 10 * SECOND, What::Start); // the start itself asks for much
        }
        let (journal, recovered) = match recover(self.node.storage.clone(), JOURNAL) {
            Ok(found) => found,
            Err(error) if self.disk_spoilt => {
                self.note(&format!("the journal does not open yet: {error}"));
                return self.queue.at(self.now + 5 * SECOND, What::Start);
            }
            Err(error) => return self.violate(format!("the journal does not open: {error}")),
        };
        let mut watchdog = self.node.watchdog.take().unwrap_or_default();
        let last = recovered.state.sequence;
        watchdog.take_back(last, &recovered.state);
        let state = &recovered.state;
        self.judge.forgets(|listing, trade| {
            let trade = u128::try_from(trade).map(TradeId).unwrap_or(TradeId(0));
            state.listings.get(listing).is_some_and(|it| it.booked.contains(trade))
        });
        let codec = self.list();
        let (weight, orders) = budgets();
        let wire = Wire {
            codec,
            clock: ClockEstimate::default(),
            wall: self.wall(),
            monotonic: 0,
            outbox: Vec::new(),
            watchdog,
            in_a_row: 0,
            log: self.log.is_some().then(Vec::new),
        };
        let host = Host::new(recovered.state, journal, wire, SNAPSHOT_EVERY);
        let drift_ppm = self.chance.between(-400, 400);
        self.node.process = Some(Process {
            host,
            desks: desks(self.symbols.len()),
            session: Session::default(),
            pending: BTreeMap::new(),
            next_id: 0,
            inquiries: BTreeMap::new(),
            put_off: Vec::new(),
            tickets: BTreeMap::new(),
            sweep: None,
            weight,
            orders,
            began: self.now,
            drift_ppm,
            market: MarketClock::new(Origin::Live, self.wall(), 0),
            restricted_since: None,
            clock_refusals: 0,
            clock_due: i64::MAX,
            connect_due: i64::MAX,
            last_bars: BTreeMap::new(),
        });
        self.read_clock_now();
        self.introduce();
        self.compare_at_start();
        self.begin_missing_inquiries();
        self.doubt_changes();
        let life = self.node.life;
        self.connect_at(self.now + MILLI);
        self.queue.at(self.now + SECOND, What::Tick { life });
        self.queue.at(self.now + SWEEP_EVERY, What::Sweep { life });
        self.read_clock_at(self.now + 60 * SECOND);
    }

    /// What the venue lists, read through the codec once: it does not change.
    fn list(&mut self) -> Arc<Codec> {
        if let Some(codec) = &self.codec {
            return codec.clone();
        }
        let millis = self.now / MILLI;
        let names: Vec<String> = self.symbols.iter().map(|name| format!("%22{name}%22")).collect();
        let query = format!("symbols=%5B{}%5D", names.join("%2C"));
        let info = self.ask_now::<ExchangeInfo>("/api/v3/exchangeInfo", &query, None);
        let signer = signer();
        let now = tradewind_domain::Timestamp::from_millis(millis);
        let text = Query::account().signed(&signer, now, crate::setup::WINDOW_MILLIS);
        let account = self.ask_now::<Account>("/api/v3/account", &text, Some(key()));
        let fees = fee_schedule(&account).unwrap_or(FeeSchedule::bps(10, 10));
        let (mut instruments, mut rules) = (Vec::new(), BTreeMap::new());
        for (index, name) in (0_u32..).zip(&self.symbols) {
            let symbol = info.symbols.iter().find(|it| it.symbol == *name).expect("the storm's venue lists its pairs");
            let listing = list_symbol(symbol, fees).expect("the storm's venue lists usable pairs");
            let instrument = listing.spec.list(InstrumentId(index)).expect("a listed pair is an instrument");
            rules.insert(instrument.id, listing.rules);
            instruments.push(instrument);
        }
        let codec = Arc::new(Codec { instruments: Instruments::new(instruments), rules, signer });
        self.codec = Some(codec.clone());
        codec
    }

    /// How much weight this minute has used, by a question that costs least: an earlier life may have asked a lot.
    fn used_weight(&mut self) -> u32 {
        let request = RestRequest { method: "GET", path: "/api/v3/time", query: "", body: "", key: None };
        self.house.ask(&request, self.now / MILLI).used_weight.unwrap_or(u32::MAX)
    }

    fn ask_now<T: serde::de::DeserializeOwned>(&mut self, path: &str, query: &str, key: Option<&str>) -> T {
        let request = RestRequest { method: "GET", path, query, body: "", key };
        let reply = self.house.ask(&request, self.now / MILLI);
        match read_answer(Command::Query, reply.status, reply.body.as_bytes(), None).0 {
            Ok(read) => read,
            Err(refusal) => panic!("the storm's venue does not answer {path}: {refusal:?}"),
        }
    }

    /// Asks for the time and gets it at once, as a start does before anything else.
    fn read_clock_now(&mut self) {
        let time = self.ask_now::<ServerTime>("/api/v3/time", "", None);
        let (now, wall) = (self.now, self.wall());
        let Some(process) = self.node.process.as_mut() else { return };
        let monotonic = process.monotonic(now);
        process.host.outside.clock.look(monotonic, wall);
        process.host.outside.clock.note(monotonic - 4 * MILLI, monotonic, time.server_time);
        process.read_venue_time(now);
        (process.host.outside.wall, process.host.outside.monotonic) = (wall, monotonic);
    }

    /// The start, what is new in the listing, portfolios, limits, and the cash they begin with.
    fn introduce(&mut self) {
        let now = self.now;
        let Some(process) = self.node.process.as_ref() else { return };
        let at = process.market_time(now);
        let state = &process.host.state;
        let mut facts: Vec<(PortfolioId, Source, EventKind)> = Vec::new();
        let incarnation = Incarnation(self.chance.next());
        facts.push((
            PortfolioId(0),
            Source::Host,
            EventKind::Started { incarnation, mode: Mode::Paper, logic: LOGIC_VERSION },
        ));
        facts.extend(unlisted(state, &process.host.outside.codec));
        if state.governance.operators != operators() {
            let operators = EventKind::Governance(Box::new(Act::OperatorsSet {
                operators: operators(),
                tokens: Default::default(),
            }));
            facts.push((PortfolioId(0), Source::Host, operators));
        }
        let cash = Currency::new("USDT").expect("a code of four letters");
        for place in 0..PORTFOLIOS {
            let portfolio = PortfolioId(place);
            if state.portfolios.len() <= portfolio.index() {
                facts.push((portfolio, Source::Host, EventKind::Opened { base: cash, name: place.to_string() }));
            }
        }
        for place in 0..PORTFOLIOS {
            let portfolio = PortfolioId(place);
            let books = state.portfolios.get(portfolio.index());
            let wanted = limits_of(state, portfolio);
            if books.is_none_or(|books| books.limits != wanted) {
                facts.push((portfolio, Source::Host, EventKind::LimitsSet(Box::new(wanted))));
            }
            let has = |asset| {
                books.is_some_and(|it| it.holdings().iter().any(|it| it.currency == asset && it.deposited != 0))
            };
            for (currency, units) in deposits(self.seed).filter(|(asset, _)| !has(*asset)) {
                let money = Money { currency, units: i128::from(units) };
                facts.push((portfolio, Source::Venue, EventKind::Deposited(money)));
            }
        }
        for (portfolio, source, kind) in facts {
            self.record(at, source, portfolio, kind);
        }
    }

    /// The process is gone, with whatever was not written. Half of what it had sent is on its way still.
    pub(crate) fn die(&mut self, how: Crash, back_after: i64) {
        let Some(mut process) = self.node.process.take() else { return };
        self.node.watchdog = Some(std::mem::take(&mut process.host.outside.watchdog));
        let session = process.session.id;
        drop(process);
        self.node.storage = self.node.storage.crash(how);
        self.node.life += 1;
        self.node.crashes += 1;
        self.link.kill(session, self.now);
        self.settled = None;
        self.queue.at(self.now + back_after, What::Start);
    }

    /// `kill -9`: the machine lives on, so whatever was written arrives.
    pub(crate) fn kill(&mut self, lot: u64) {
        let back = 200 * MILLI + i64::try_from(lot % 20_000).unwrap_or(0) * MILLI;
        self.die(Crash::KeepUnsynced, back);
    }

    /// The power fails.
    pub(crate) fn power_fails(&mut self, lot: u64) {
        let how = match lot % 5 {
            0 => Crash::LoseUnsynced,
            1 => Crash::KeepBytes(usize::try_from(lot / 5 % 4_096).unwrap_or(0)),
            2 => Crash::KeepSectors(lot),
            _ => Crash::Seeded(lot),
        };
        self.die(how, 2 * SECOND + i64::try_from(lot % 60).unwrap_or(0) * SECOND);
    }
}

/// The storm's limits, and in their place what people changed while it ran.
fn limits_of(state: &State, portfolio: PortfolioId) -> Limits {
    let mut wanted = limits();
    for (name, ..) in limit_values(&limits()) {
        if let Some(changed) = state.governance.overridden(portfolio, name) {
            set_limit(&mut wanted, name, changed);
        }
    }
    wanted
}

fn unlisted(state: &State, codec: &Codec) -> Vec<(PortfolioId, Source, EventKind)> {
    let mut all: Vec<&Instrument> = codec.instruments.iter().collect();
    all.sort_by_key(|it| it.id);
    let known = |it: &Instrument| state.listings.get(it.id.index()).map(|listing| &listing.instrument) == Some(it);
    let listed = |it: &Instrument| EventKind::Listed(Box::new(it.clone()));
    all.into_iter().filter(|it| !known(it)).map(|it| (PortfolioId(0), Source::Host, listed(it))).collect()
}

/// The third portfolio's strategies: those that ship, on short bars, one a pair.
fn desks(pairs: usize) -> Vec<Desk> {
    let texts = [
        ("ema-trend", "fast = 2\nslow = 4\nweight = 0.03"),
        ("mean-reversion", "period = 5\nentry_z = 0.7\nrsi_period = 3\nrsi_low = 50.0\natr_period = 3\nweight = 0.03"),
    ];
    let portfolio = PORTFOLIOS - 1;
    let build = |(place, (name, text)): (u32, (&str, &str))| {
        let table = toml::from_str(text).expect("the storm's own parameters are TOML");
        let strategy = registry::build(name, &table).expect("the storm's own parameters are in range");
        Desk::new(strategy, Source::Strategy(portfolio), PortfolioId(portfolio), InstrumentId(place))
    };
    (0..u32::try_from(pairs).unwrap_or(0)).zip(texts.into_iter().cycle()).map(build).collect()
}

/// When the storm begins, in nanoseconds.
pub(crate) const START: i64 = START_MILLIS * MILLI;
