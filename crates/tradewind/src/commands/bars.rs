//! What backtest and diagnose share: a file of bars, a span of time, a strategy with its parameters.

use crate::cli::{BarsArgs, StrategyArgs};
use crate::output::{self, Failure};
use crate::signals;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;
use tradewind_domain::{
    Bar, Calendar, Coded, FeeAsset, FeeSchedule, Instrument, InstrumentId, InstrumentKind, InstrumentSpec,
    LEDGER_DECIMALS, Money, NumberError, Origin, Price, Quantity, Symbol, SymbolError, Timestamp, parse_decimal,
};
use tradewind_history::{
    BarSeries, BarStream, Defects, FactorFile, ImportOptions, OnDefect, Severity, SourceInfo, adjust, hours_of,
    read_bars, stream_bars,
};
use tradewind_node::settings::{fault_of_key, unread};
use tradewind_strategies::{Ends, Managed, Sizing, Strategy, StrategyError, registry};

/// Bars of a file, ready to be fed.
pub(crate) struct Bars {
    pub(crate) instrument: Instrument,

    source: Source,
    finer: Finer,
    /// What `--tick` says, if it was given.
    given_tick: Option<Price>,
    from: Timestamp,
    until: Timestamp,
}

enum Source {
    Stream(Box<BarStream>),
    Whole(Box<BarSeries>),
}

/// What is known of a file once it was read.
pub(crate) struct Finished {
    pub(crate) source: SourceInfo,
    pub(crate) gaps: u64,
    pub(crate) missing_bars: u64,
    pub(crate) defects: u64,
}

impl Bars {
    pub(crate) fn open(args: &BarsArgs, fees: FeeSchedule) -> Result<Self, Failure> {
        let symbol = symbol(&args.symbol)?;
        let options = ImportOptions {
            symbol: Some(symbol),
            stamp: args.times.stamp.into(),
            interval: args.times.interval,
            on_defect: if args.accept_defects { OnDefect::Report } else { OnDefect::Refuse },
            origin: if args.simulated { Origin::Simulated } else { Origin::Recorded },
            hash: true,
            ..ImportOptions::default()
        };
        let source = match &args.factors {
            None => Source::Stream(Box::new(stream_bars(&args.data, &options)?)),
            Some(factors) => {
                let mut series = read_bars(&args.data, &options)?;
                adjust(&mut series, &FactorFile::read(factors)?)?;
                Source::Whole(Box::new(series))
            }
        };
        let spec = match &source {
            Source::Stream(stream) => stream.instrument().clone(),
            Source::Whole(series) => series.instrument.clone(),
        };
        let (spec, quantities) = with_fees(with_hours(spec), fees)?;
        let instrument = spec.list(InstrumentId(0))?;
        let from = moment(args.from.as_deref(), Timestamp::from_nanos(i64::MIN))?;
        let until = moment(args.until.as_deref(), Timestamp::from_nanos(i64::MAX))?;
        if from >= until {
            let message = format!("no bar lies from {from} until {until}");
            return Err(Failure::new("CLI-03", message, "--from must be before --until"));
        }
        let finer = Finer { prices: None, quantities };
        let bars = Self { instrument, source, finer, given_tick: None, from, until };
        bars.in_ticks(args.tick.as_deref())?.in_lots(args.lot.as_deref())
    }

    /// The same bars of an instrument with this tick, if one is given.
    ///
    /// Its prices then carry the ledger's decimals, so that nothing depends on how fine the rows are; those of a file that is
    /// finer still stay as they are.
    fn in_ticks(self, tick: Option<&str>) -> Result<Self, Failure> {
        let Some(tick) = tick else { return Ok(self) };
        step(tick, "--tick", LEDGER_DECIMALS)?; // what is wrong with it counts before the rows
        let bars = self.with_price_decimals(LEDGER_DECIMALS, Asker::Tick)?;
        let spec = &bars.instrument.spec;
        let tick = Price::from_mantissa(step(tick, "--tick", spec.price_decimals)?);
        let instrument = InstrumentSpec { tick, ..spec.clone() }.list(bars.instrument.id)?;
        Ok(Self { instrument, given_tick: Some(tick), ..bars })
    }

    /// The same bars of an instrument with this lot, if one is given. Decimals of quantities are as with [`Self::in_ticks`].
    fn in_lots(self, lot: Option<&str>) -> Result<Self, Failure> {
        let Some(lot) = lot else { return Ok(self) };
        step(lot, "--lot", LEDGER_DECIMALS)?;
        let (spec, quantities) = in_ledger_quantities(self.instrument.spec.clone(), Asker::Lot)?;
        let lot = Quantity::from_mantissa(step(lot, "--lot", spec.quantity_decimals)?);
        let instrument = InstrumentSpec { lot, min_quantity: lot, ..spec }.list(self.instrument.id)?;
        let finer = Finer { quantities: self.finer.quantities.or(quantities), ..self.finer };
        Ok(Self { instrument, finer, ..self })
    }

    /// From where the tick and the lot came, in a sentence.
    pub(crate) fn steps(&self, args: &BarsArgs) -> String {
        const READ: &str = "was read from the finest decimal of the whole file, later rows included";
        let it = &self.instrument;
        let (tick, lot) = (it.price_text(it.spec.tick), it.quantity_text(it.spec.lot));
        let tick_came = match (&args.tick, &args.factors) {
            (Some(_), _) => "was given".to_owned(),
            (None, Some(_)) => "is the ledger's, as prices are adjusted; --tick fixes another".to_owned(),
            (None, None) => format!("{READ}; --tick fixes it"),
        };
        let lot_came = match &args.lot {
            Some(_) => "was given".to_owned(),
            None if !self.has_volume() => "is what a file without volumes has; --lot fixes another".to_owned(),
            None => format!("{READ}; --lot fixes it"),
        };
        format!("Tick {tick} {tick_came}. Lot {lot} {lot_came}.")
    }

    /// The same bars of an instrument whose prices carry the decimals of `price` too, up to those of the ledger. Tick and
    /// strike stay as they are.
    pub(crate) fn made_as_fine_as(self, price: &str) -> Result<Self, Failure> {
        self.with_price_decimals(decimals_of(price).min(LEDGER_DECIMALS), Asker::Settlement)
    }

    /// The same bars of an instrument whose prices carry at least `decimals`, for which `asker` asks.
    fn with_price_decimals(self, decimals: u8, asker: Asker) -> Result<Self, Failure> {
        let spec = &self.instrument.spec;
        if decimals <= spec.price_decimals {
            return Ok(self);
        }
        let scale = Scale { by: 10_i64.pow(u32::from(decimals - spec.price_decimals)), asker };
        let finer = |price: Price, what: &str| scale.of(price.mantissa(), &what).map(Price::from_mantissa);
        let kind = match spec.kind {
            InstrumentKind::Option { expiry, strike, right } => {
                InstrumentKind::Option { expiry, strike: finer(strike, "the strike")?, right }
            }
            kind => kind,
        };
        let tick = finer(spec.tick, "the tick")?;
        let spec = InstrumentSpec { price_decimals: decimals, tick, kind, ..spec.clone() };
        let instrument = spec.list(self.instrument.id)?;
        let before = self.finer.prices.map_or(1, |it| it.by);
        let finer = Finer { prices: Some(Scale { by: scale.by * before, asker }), ..self.finer };
        Ok(Self { instrument, finer, ..self })
    }

    /// Where the bars come from.
    fn source(&self) -> SourceInfo {
        match &self.source {
            Source::Stream(stream) => stream.source(),
            Source::Whole(series) => series.source.clone(),
        }
    }

    /// Whether a market made them or a simulation.
    pub(crate) fn origin(&self) -> Origin {
        self.source().origin
    }

    /// Whether the file says how much was traded.
    pub(crate) fn has_volume(&self) -> bool {
        self.source().has_volume()
    }

    /// Feeds each bar of the span, oldest first, and tells what was read.
    pub(crate) fn feed(self, mut take: impl FnMut(&Bar) -> Result<(), Failure>) -> Result<Finished, Failure> {
        let (from, until, finer, given_tick) = (self.from, self.until, self.finer, self.given_tick);
        let mut count = 0_u64;
        let mut feed = |bar: &Bar| {
            if bar.open_time < from || bar.open_time >= until {
                return Ok(());
            }
            if signals::interrupted() {
                let failure = Failure::new("CLI-12", format!("interrupted at {}", bar.open_time), "there is no result");
                return Err(Failure { exit: signals::EXIT_INTERRUPTED, ..failure });
            }
            count += 1;
            let bar = if finer.is_as_the_file() { *bar } else { finer.bar(bar)? };
            if given_tick.is_some_and(|tick| bar.low < tick) {
                let message = format!("--tick is above the price at {}, and prices are rounded to it", bar.open_time);
                return Err(Failure::new(
                    "CLI-05",
                    message,
                    "write the smallest step of the market's prices, such as 0.01",
                ));
            }
            take(&bar)
        };
        let (source, gaps, found) = match self.source {
            Source::Stream(mut stream) => {
                for bar in &mut *stream {
                    feed(&bar?)?;
                }
                (stream.source(), stream.gaps().to_vec(), stream.defects().clone())
            }
            Source::Whole(series) => {
                series.bars.iter().try_for_each(feed)?;
                (series.source, series.gaps, series.defects)
            }
        };
        tell_defects(Path::new(&source.path), &found);
        if count == 0 {
            let message = format!("no bar of {} lies between --from and --until", source.path);
            return Err(Failure::new("CLI-03", message, "`tradewind data check FILE -o json` prints first and last"));
        }
        let missing = gaps.iter().filter(|gap| gap.kind == tradewind_history::GapKind::Missing);
        let (gaps, missing_bars) = missing.fold((0, 0), |(count, bars), gap| (count + 1, bars + gap.bars));
        Ok(Finished { source, gaps, missing_bars, defects: found.count() })
    }
}

/// By how much the numbers of an instrument are finer than its file's, where they are.
#[derive(Clone, Copy)]
struct Finer {
    prices: Option<Scale>,
    quantities: Option<Scale>,
}

impl Finer {
    const fn is_as_the_file(self) -> bool {
        self.prices.is_none() && self.quantities.is_none()
    }

    fn bar(self, bar: &Bar) -> Result<Bar, Failure> {
        let at = bar.open_time;
        let price = |price: Price| {
            scaled(self.prices, price.mantissa(), &format_args!("a price at {at}")).map(Price::from_mantissa)
        };
        let volume = scaled(self.quantities, bar.volume.mantissa(), &format_args!("the volume at {at}"));
        let volume = volume.map(Quantity::from_mantissa)?;
        let (open, high, low, close) = (price(bar.open)?, price(bar.high)?, price(bar.low)?, price(bar.close)?);
        Ok(Bar { open, high, low, close, volume, ..*bar })
    }
}

fn scaled(scale: Option<Scale>, mantissa: i64, what: &dyn Display) -> Result<i64, Failure> {
    scale.map_or(Ok(mantissa), |scale| scale.of(mantissa, what))
}

/// A power of ten by which numbers are finer than a file's.
#[derive(Clone, Copy)]
struct Scale {
    by: i64,
    asker: Asker,
}

impl Scale {
    /// The same number in the finer unit.
    fn of(self, mantissa: i64, what: &dyn Display) -> Result<i64, Failure> {
        mantissa.checked_mul(self.by).ok_or_else(|| self.asker.too_large(what))
    }
}

/// The option that asks for more decimals than a file has.
#[derive(Clone, Copy)]
enum Asker {
    Tick,
    Settlement,
    Lot,
    FeeAsset,
}

impl Asker {
    /// Why `what` cannot be counted so finely, and what to leave out.
    fn too_large(self, what: &dyn Display) -> Failure {
        let (option, numbers, hint) = match self {
            Self::Tick => ("--tick", "prices", "leave --tick out"),
            Self::Settlement => ("--settlement", "prices", "write --settlement with fewer decimals"),
            Self::Lot => ("--lot", "quantities", "leave --lot out"),
            Self::FeeAsset => ("--fee-asset received", "quantities", "leave --fee-asset out"),
        };
        let message =
            format!("{option} counts {numbers} in more decimals than the file, and {what} is too large for them");
        Failure::new("CLI-05", message, hint)
    }
}

/// A step of orders that was given as `text`, in units of `decimals`: those of the ledger, or finer ones.
fn step(text: &str, option: &str, decimals: u8) -> Result<i64, Failure> {
    let wrong = |error: NumberError| {
        let failure = Failure::from_coded(error);
        Failure { message: format!("{option}: {}", failure.message), ..failure }
    };
    if parse_decimal(text, LEDGER_DECIMALS).map_err(wrong)? <= 0 {
        return Err(Failure::new("CLI-05", format!("{option} `{text}` is not above zero"), "write 0.01 or 1"));
    }
    parse_decimal(text, decimals).map_err(wrong)
}

/// The instrument with this tick and this lot, and decimals as fine as these where it has fewer.
pub(super) fn in_steps(spec: InstrumentSpec, tick: &str, lot: &str) -> Result<InstrumentSpec, Failure> {
    let price_decimals = decimals_of(tick).clamp(spec.price_decimals, LEDGER_DECIMALS);
    let quantity_decimals = decimals_of(lot).clamp(spec.quantity_decimals, LEDGER_DECIMALS);
    let tick = Price::from_mantissa(step(tick, "--tick", price_decimals)?);
    let lot = Quantity::from_mantissa(step(lot, "--lot", quantity_decimals)?);
    Ok(InstrumentSpec { price_decimals, quantity_decimals, tick, lot, min_quantity: lot, ..spec })
}

/// How many decimals a text has, without zeros at its end.
fn decimals_of(text: &str) -> u8 {
    let decimals = text.split_once('.').map_or("", |(_, decimals)| decimals.trim_end_matches('0'));
    u8::try_from(decimals.len()).unwrap_or(u8::MAX)
}

/// The instrument with the usual hours of its market, where its file says none; round the clock where nothing tells them.
fn with_hours(spec: InstrumentSpec) -> InstrumentSpec {
    let calendar = hours_of(&spec).unwrap_or(Calendar::Continuous);
    InstrumentSpec { calendar, ..spec }
}

/// The instrument with `fees`, and by how much its quantities are finer than before, where they are.
///
/// A fee taken in the asset leaves fractions of a lot: quantities then carry the ledger's decimals, as a venue lists
/// them, so that what is held is what the books hold.
fn with_fees(spec: InstrumentSpec, fees: FeeSchedule) -> Result<(InstrumentSpec, Option<Scale>), Failure> {
    let spec = InstrumentSpec { fees, ..spec };
    if fees.asset == FeeAsset::Quote { Ok((spec, None)) } else { in_ledger_quantities(spec, Asker::FeeAsset) }
}

/// The instrument with quantities of at least the ledger's decimals, for which `asker` asks, and by how much they are finer
/// than before, where they are.
fn in_ledger_quantities(spec: InstrumentSpec, asker: Asker) -> Result<(InstrumentSpec, Option<Scale>), Failure> {
    if spec.quantity_decimals >= LEDGER_DECIMALS {
        return Ok((spec, None));
    }
    let scale = Scale { by: 10_i64.pow(u32::from(LEDGER_DECIMALS - spec.quantity_decimals)), asker };
    let finer = |quantity: Quantity, what: &str| scale.of(quantity.mantissa(), &what).map(Quantity::from_mantissa);
    let lot = finer(spec.lot, "the lot")?;
    let min_quantity = finer(spec.min_quantity, "the smallest order")?;
    let max_quantity = Quantity::from_mantissa(spec.max_quantity.mantissa().saturating_mul(scale.by));
    let spec = InstrumentSpec { quantity_decimals: LEDGER_DECIMALS, lot, min_quantity, max_quantity, ..spec };
    Ok((spec, Some(scale)))
}

/// Says on stderr how many rows of a file are not as they should be.
pub(super) fn tell_defects(path: &Path, found: &Defects) {
    let errors = found.count_of(Severity::Error);
    if errors > 0 {
        let (path, s) = (path.display(), if errors == 1 { "" } else { "s" });
        output::note(&format!("{errors} defect{s} in {path}: `tradewind data check {path}` says what became of each"));
    }
}

/// Reads a symbol in capitals, as markets write it: in small letters it would name currencies that nobody else has.
pub(super) fn symbol(text: &str) -> Result<Symbol, Failure> {
    let symbol: Symbol = text.parse().map_err(Failure::from_coded::<SymbolError>)?;
    let capitals = text.to_uppercase();
    if text == capitals {
        return Ok(symbol);
    }
    let failure = Failure::from_coded(SymbolError(text.to_owned()));
    Err(Failure { message: format!("{}: the market writes {capitals}", failure.message), ..failure })
}

/// Reads a date or a moment; `absent` without a text.
fn moment(text: Option<&str>, absent: Timestamp) -> Result<Timestamp, Failure> {
    let Some(text) = text else { return Ok(absent) };
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let moment: Result<jiff::Timestamp, _> = full.parse();
    let nanos = moment.ok().and_then(|moment| i64::try_from(moment.as_nanosecond()).ok());
    nanos.map(Timestamp::from_nanos).ok_or_else(|| {
        Failure::new("CLI-03", format!("`{text}` is not a moment"), "write 2024-01-31 or 2024-01-31T12:00:00Z")
    })
}

/// Opening cash in the instrument's quote currency.
pub(crate) fn deposit(args: &BarsArgs, instrument: &Instrument) -> Result<Money, Failure> {
    let wrong = |error| {
        let failure = Failure::from_coded(error);
        Failure { message: format!("--deposit: {}", failure.message), ..failure }
    };
    let money = Money::parse(&args.deposit, instrument.settlement()).map_err(wrong)?;
    if i64::try_from(money.units).is_err() {
        return Err(wrong(NumberError::TooLarge(args.deposit.clone()))); // its product with any price fits the ledger
    }
    if money.units <= 0 {
        let message = format!("--deposit `{}` is not above zero", args.deposit);
        return Err(Failure::new("CLI-05", message, "write 10000 or 2500.50"));
    }
    Ok(money)
}

/// The parameters in a file, and its text: what is wrong with one of them is named with its line.
struct ParametersFile<'a> {
    path: &'a Path,
    text: String,
    table: toml::Table,
}

impl<'a> ParametersFile<'a> {
    fn read(path: &'a Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        let table = text.parse::<toml::Table>().map_err(|error| {
            Failure::new("CLI-04", unread(&error, &text, path).to_string(), "see `tradewind strategy show NAME`")
        })?;
        Ok(Self { path, text, table })
    }

    /// Why the strategy was not built: with file and line where the parameter at fault is the file's, and none that `set`
    /// put in its place.
    fn fault(&self, error: StrategyError, set: &toml::Table) -> Failure {
        let key = match &error {
            StrategyError::UnknownParameter { parameter, .. } | StrategyError::WrongType { parameter, .. } => {
                parameter.clone()
            }
            StrategyError::OutOfRange { parameter, .. } => (*parameter).to_owned(),
            StrategyError::Conflict { .. } if set.is_empty() => {
                let failure = Failure::from(error);
                return Failure { message: format!("{}: {}", self.path.display(), failure.message), ..failure };
            }
            _ => return Failure::from(error),
        };
        let failure = Failure::from(error);
        if set.contains_key(&key) || !self.table.contains_key(&key) {
            return failure;
        }
        let message = fault_of_key(&self.text, self.path, &key, &failure.message).to_string();
        Failure { message, ..failure }
    }
}

/// Writes each NAME=VALUE into `table`.
fn assign(table: &mut toml::Table, pairs: &[String], hint: &'static str) -> Result<(), Failure> {
    for pair in pairs {
        let wrong = || Failure::new("CLI-04", format!("`{pair}` is not NAME=VALUE"), hint);
        let (name, value) = pair.split_once('=').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(wrong)?;
        // what is no value in TOML is a text, and the strategy says what it wanted instead
        let line: Option<toml::Table> = pair.parse().ok().filter(|line: &toml::Table| line.len() == 1);
        let text = || toml::Value::String(value.trim().to_owned());
        let value = line.and_then(|line| line.into_iter().next()).map_or_else(text, |(_, value)| value);
        table.insert(name.trim().to_owned(), value);
    }
    Ok(())
}

/// The strategy that was asked for, on `instrument`, with the rules beside it; and everything that it was told.
pub(crate) fn strategy(
    args: &StrategyArgs,
    instrument: InstrumentId,
) -> Result<(Box<dyn Strategy>, toml::Table), Failure> {
    let file = args.parameters_file.as_deref().map(ParametersFile::read).transpose()?;
    let mut set = toml::Table::new();
    assign(&mut set, &args.parameters, "write --set fast=12")?;
    let mut told = file.as_ref().map_or_else(toml::Table::new, |file| file.table.clone());
    told.extend(set.clone());
    let strategy = registry::build(&args.name, &told).map_err(|error| match &file {
        Some(file) => file.fault(error, &set),
        None => Failure::from(error),
    })?;
    let mut rule = toml::Table::new();
    assign(&mut rule, &args.size, "write --size risk=0.01")?;
    rule.extend(args.sizing.iter().map(|name| ("rule".to_owned(), name.as_str().into())));
    let sizing = Sizing::read(&rule)?.map(|sizing| sizing.among(instrument, &[instrument]));
    let end = |text: &Option<String>, option| text.as_deref().map(|text| distance(text, option)).transpose();
    let ends = Ends { stop_bps: end(&args.stop, "--stop")?, target_bps: end(&args.target, "--target")? };
    if sizing.is_none() && ends == Ends::default() {
        return Ok((strategy, told)); // as fast as it can be
    }
    told.extend(rule.into_iter().map(|(name, value)| (format!("sizing.{name}"), value)));
    for (name, distance) in [("stop", &args.stop), ("target", &args.target)] {
        told.extend(distance.iter().map(|percent| (name.to_owned(), format!("{percent} %").into())));
    }
    Ok((Box::new(Managed::new(strategy, sizing, ends)?), told))
}

/// A share above nothing, in percent with up to two decimals, as basis points.
pub(super) fn percent(text: &str, option: &str) -> Result<u32, Failure> {
    percent_within(1..=10_000, text, option, "above 0 and up to 100")
}

/// How far from the close a trade ends, likewise.
fn distance(text: &str, option: &str) -> Result<u32, Failure> {
    percent_within(Ends::BPS, text, option, "above 0 and below 100")
}

fn percent_within(range: RangeInclusive<u32>, text: &str, option: &str, allowed: &str) -> Result<u32, Failure> {
    let wrong = || {
        let message = format!("{option} `{text}` is no percentage {allowed}");
        Failure::new("CLI-05", message, "write 10 or 2.5")
    };
    let bps = parse_decimal(text, 2).ok().and_then(|bps| u32::try_from(bps).ok());
    bps.filter(|bps| range.contains(bps)).ok_or_else(wrong)
}

impl Failure {
    /// As the conversion, for places where inference needs the name.
    pub(crate) fn from_coded<E: Coded>(error: E) -> Self {
        Self::from(error)
    }
}
