//! What files of ticks have in common: how they are opened, and how the cells of a row are read.

use crate::build::moment;
use crate::container::{self, Kind};
use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::feather::{self, Batches};
use crate::lines::Lines;
use crate::moment::{Clock, Stamp, whole_number};
use crate::number::{self, Number};
use crate::rows::Shape;
use crate::{Format, ImportError, ImportOptions, OnDefect, parquet};
use arrow_schema::SchemaRef;
use jiff::tz::TimeZone;
use std::io::Read;
use std::path::Path;
use tradewind_domain::{Side, Timestamp};

/// Characters of a line that a defect shows.
const SHOWN: usize = 200;

/// Lines of a file, whatever it is packed in.
pub(crate) type TextLines = Lines<Box<dyn Read>>;

/// A file that was opened and told by its first bytes and its first line.
pub(crate) enum Opened {
    /// Delimited text.
    Text(TextLines, Packing),
    /// Messages of a venue as JSON, one a line.
    JsonLines(TextLines, Packing),
    /// One JSON array.
    JsonArray(TextLines, Packing),
    /// Raw messages behind their receive times.
    Messages(TextLines, Packing),
    /// Feather or Parquet: the columns, and the batches.
    Columns(Format, SchemaRef, Batches),
}

/// What text was packed in.
pub(crate) struct Packing {
    pub(crate) format: Format,
    pub(crate) member: Option<String>,
}

/// Opens a file of ticks.
pub(crate) fn open(path: &Path, options: &ImportOptions) -> Result<Opened, ImportError> {
    let (file, kind) = container::open(path)?;
    let progress = &options.progress;
    let (reader, format, member): (Box<dyn Read>, Format, Option<String>) = match kind {
        Kind::Feather => {
            let (schema, batches) = feather::batches(path, file, progress)?;
            return Ok(Opened::Columns(Format::Feather, schema, batches));
        }
        Kind::Parquet => {
            let (schema, batches) = parquet::batches(path, file, progress)?;
            return Ok(Opened::Columns(Format::Parquet, schema, batches));
        }
        Kind::Text => (Box::new(progress.watch(file)), Format::Csv, None),
        Kind::Gzip => (Box::new(container::gunzip(progress.watch(file))), Format::CsvGz, None),
        Kind::Xz => (Box::new(container::unxz(progress.watch(file))), Format::CsvXz, None),
        Kind::Zip => {
            let (member, content) = container::unzip(path, progress.watch(file))?;
            (Box::new(content), Format::CsvZip, Some(member))
        }
    };
    let mut lines = Lines::new(path, reader);
    let begin = lines.peek()?;
    let first = begin.first().ok_or_else(|| ImportError::unfit("HIS-06", path, "the file holds no lines"))?;
    let next = begin.get(1).map_or(&[][..], |line| line.trim_ascii());
    let packing = |format| Packing { format, member };
    Ok(match first.trim_ascii() {
        [b'[', inner @ ..] if is_of(b'[', inner, next) => Opened::JsonArray(lines, packing(Format::Json)),
        [b'[', inner @ ..] if is_of(b'{', inner, next) => return Err(spread(path, "an array of JSON objects")),
        [b'{', inner @ ..] if goes_on(inner, next) => return Err(spread(path, "a JSON object over several lines")),
        [b'{', ..] => Opened::JsonLines(lines, packing(Format::JsonLines)),
        [b'0'..=b'9', ..] if first.windows(2).any(|two| two == b" {") => {
            Opened::Messages(lines, packing(Format::Messages))
        }
        _ => Opened::Text(lines, packing(format)),
    })
}

/// Whether a JSON array is one of values that begin with `mark`: behind its bracket stands the rest of the line, or the next.
fn is_of(mark: u8, rest: &[u8], next: &[u8]) -> bool {
    let inner = if rest.is_empty() { next } else { rest.trim_ascii_start() };
    inner.first() == Some(&mark)
}

/// Whether a JSON object goes on in the next line: there a key stands, or the end of it.
fn goes_on(rest: &[u8], next: &[u8]) -> bool {
    rest.is_empty() || matches!(next, [b'"' | b'}', ..])
}

fn spread(path: &Path, what: &str) -> ImportError {
    ImportError::unfit("HIS-47", path, format!("{what}, where one message a line is read"))
}

/// How a file of ticks is written; `columns` are pairs of what is meant and the file's own name.
pub(crate) fn shape(format: Format, member: Option<String>, columns: &[(&str, &str)], time_format: &str) -> Shape {
    Shape {
        format,
        member,
        columns: columns.iter().map(|(plain, title)| format!("{plain}={title}")).collect(),
        names: Default::default(),
        time_format: time_format.to_owned(),
        quote_side: None,
        has_volume: true,
        ticks: None,
        lean: false,
    }
}

/// A raw message of a file: its line, when it was received, and its JSON.
pub(crate) struct Message {
    pub(crate) row: u64,
    /// Nanoseconds since 1970 UTC.
    pub(crate) received: i64,
    pub(crate) body: String,
}

/// The lines `receive time {json}` of a recording, one after the other.
pub(crate) struct Messages {
    lines: TextLines,
    pub(crate) member: Option<String>,
    pub(crate) row: u64,
    /// How the times of receipt are written, told by the first of them.
    clock: Option<Clock>,
    instrument: OneInstrument,
}

impl Messages {
    pub(crate) fn new(lines: TextLines, packing: Packing) -> Self {
        Self { lines, member: packing.member, row: 0, clock: None, instrument: OneInstrument::default() }
    }

    /// The next message; those that are cut, have no receive time or are of another instrument are logged.
    pub(crate) fn next(&mut self, log: &mut Defects) -> Result<Option<Message>, ImportError> {
        while let Some(line) = self.lines.next_line()? {
            self.row += 1;
            let text = String::from_utf8_lossy(self.lines.text(line));
            let (time, body) = text.split_once(' ').unwrap_or((&text, ""));
            let of_text = |code, text: &str| Defect::error(code, self.row, "", shown(text)).with(Effect::LeftOut);
            if !body.ends_with('}') {
                log.push_of_any_kind(of_text("HIS-04", &text).saying("the message is cut"));
                continue;
            }
            let received = match received(time, &mut self.clock) {
                Ok(received) => received,
                Err(code) => {
                    log.push_of_any_kind(of_text(code, time));
                    continue;
                }
            };
            let other = instrument_of(body).and_then(|name| self.instrument.other(self.row, "stream", name));
            if let Some(defect) = other {
                log.push_of_any_kind(defect);
                continue;
            }
            return Ok(Some(Message { row: self.row, received, body: body.to_owned() }));
        }
        Ok(None)
    }
}

/// Nanoseconds of a time of receipt; the first tells how the others are written. Else the code of what is wrong with it.
fn received(time: &str, clock: &mut Option<Clock>) -> Result<i64, &'static str> {
    let time = time.trim_end_matches(':');
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let is_number = whole_number(whole.as_bytes()).is_some() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = if is_number { (whole, fraction) } else { (time, "") };
    if clock.is_none() {
        *clock = Clock::of(whole.as_bytes());
    }
    let clock = clock.as_ref().ok_or("HIS-10")?;
    let other = if is_number && matches!(clock, Clock::Unix(_)) { "HIS-11" } else { "HIS-10" };
    let stamp = clock.read(whole.as_bytes(), None).ok_or(other)?;
    match clock {
        Clock::Unix(unit) => Ok(stamp.utc + unit.fraction(fraction)),
        Clock::SinceMidnight(_) | Clock::Text => Ok(stamp.utc),
    }
}

/// The instrument whose ticks a message of Binance tells, as the name of its stream has it: `btcusdt@trade`.
fn instrument_of(body: &str) -> Option<&str> {
    let (_, stream) = body.split_once("\"stream\":\"")?;
    let (name, kind) = stream.split_once('"')?.0.split_once('@')?;
    let of_ticks = ["trade", "aggTrade", "bookTicker", "depth"].iter().any(|ticks| kind.starts_with(ticks));
    of_ticks.then_some(name)
}

/// The instrument of a file: the one that its first row names.
#[derive(Default)]
pub(crate) struct OneInstrument(Option<String>);

impl OneInstrument {
    /// What is wrong with a row that names this instrument, if it is another than the first row named.
    pub(crate) fn other(&mut self, row: u64, column: &str, name: &str) -> Option<Defect> {
        let first = self.0.get_or_insert_with(|| name.to_owned());
        (first != name).then(|| {
            let what = format!("the row is of another instrument than the rows before it, which are of `{first}`");
            Defect::error("HIS-44", row, column, shown(name)).saying(what).with(Effect::LeftOut)
        })
    }
}

/// Refuses a series of so many `rows` with errors, if that is wanted, and a file that holds nothing of a kind: neither a row
/// nor a faulty one.
pub(crate) fn must_hold(
    path: &Path,
    options: &ImportOptions,
    defects: &Defects,
    rows: u64,
    missing: Option<&str>,
) -> Result<(), ImportError> {
    if options.on_defect == OnDefect::Refuse {
        ImportError::refuse(path, defects, rows)?;
    }
    match missing {
        Some(what) if defects.count_of(Severity::Error) <= defects.errors_of_any_kind() => {
            Err(ImportError::unfit("HIS-06", path, format!("the file holds no {what} that can be read")))
        }
        _ => Ok(()),
    }
}

/// The beginning of a text, for a defect.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// Notes a message or line that is not the JSON that it should be.
pub(crate) fn no_json(row: u64, body: &str, error: &serde_json::Error, log: &mut Defects) {
    let code = if error.is_eof() { "HIS-04" } else { "HIS-07" };
    log.push(Defect::error(code, row, "", shown(body)).saying(error.to_string()).with(Effect::LeftOut));
}

/// One row of texts, and where to note what cannot be read of it.
pub(crate) struct Cells<'a> {
    pub(crate) row: u64,
    pub(crate) cells: &'a [String],
    pub(crate) titles: &'a [String],
    pub(crate) log: &'a mut Defects,
}

impl Cells<'_> {
    pub(crate) fn text(&self, column: usize) -> &str {
        &self.cells[column]
    }

    /// Notes that the cell leaves the row out.
    pub(crate) fn fault(&mut self, code: &'static str, column: usize, what: Option<&str>) {
        let title = self.titles.get(column).map_or("", String::as_str);
        let defect = Defect::error(code, self.row, title, shown(&self.cells[column])).with(Effect::LeftOut);
        self.log.push(match what {
            Some(what) => defect.saying(what),
            None => defect,
        });
    }

    /// A time; the first that can be read tells the clock of the file.
    pub(crate) fn time(&mut self, column: usize, clock: &mut Option<Clock>, zone: Option<&TimeZone>) -> Option<Stamp> {
        let cell = self.cells[column].as_bytes();
        if clock.is_none() {
            *clock = Clock::of(cell);
        }
        let stamp = clock.as_ref().and_then(|clock| clock.read(cell, zone));
        if stamp.is_none() {
            let other_unit = matches!(clock, Some(Clock::Unix(_))) && whole_number(cell).is_some();
            self.fault(if other_unit { "HIS-11" } else { "HIS-10" }, column, None);
        }
        stamp
    }

    pub(crate) fn number(&mut self, column: usize) -> Option<Number> {
        let title = self.titles.get(column).map_or("", String::as_str);
        number(self.row, title, &self.cells[column], self.log)
    }

    /// The side whose orders rest or act there.
    pub(crate) fn side(&mut self, column: usize) -> Option<Side> {
        let side = side(&self.cells[column]);
        if side.is_none() {
            self.fault("HIS-36", column, Some("no side"));
        }
        side
    }
}

/// Reads a number and notes how it was read.
pub(crate) fn number(row: u64, title: &str, text: &str, log: &mut Defects) -> Option<Number> {
    match number::parse(text.as_bytes()) {
        Ok((number, quality)) => {
            log.quality(quality, row, title, || text.to_owned());
            Some(number)
        }
        Err(fault) => {
            log.push(Defect::error(fault.code(), row, title, shown(text)).with(Effect::LeftOut));
            None
        }
    }
}

pub(crate) fn side(text: &str) -> Option<Side> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["bid", "b", "buy"]) {
        Some(Side::Buy)
    } else if is(&["ask", "a", "sell", "s", "offer"]) {
        Some(Side::Sell)
    } else {
        None
    }
}

/// A whole number, or the 128 bits of a UUID.
pub(crate) fn id(text: &str) -> Option<u128> {
    if text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4 {
        return u128::from_str_radix(&text.replace('-', ""), 16).ok();
    }
    text.parse().ok()
}

/// The mantissa at the decimals of the series; what does not fit is noted.
pub(crate) fn mantissa(number: Number, places: u8, row: u64, title: &str, log: &mut Defects) -> Option<i64> {
    let mantissa = number.at(places);
    if mantissa.is_none() {
        let finer = number.trimmed().decimals > places;
        let (code, what) = if finer {
            ("HIS-32", format!("more than the {places} decimals of the instrument"))
        } else {
            ("HIS-22", format!("too large for 64 bits at {places} decimals"))
        };
        log.push(Defect::error(code, row, title, number.text()).saying(what).with(Effect::LeftOut));
    }
    mantissa
}

/// Notes a price that is not positive.
pub(crate) fn judge_price(number: Number, row: u64, title: &str, log: &mut Defects) {
    if number.mantissa <= 0 {
        log.push(Defect::error("HIS-18", row, title, number.text()));
    }
}

/// Turns rows round that are newest first, and notes it (HIS-23): more of them are earlier than the row before them than
/// later, and that more than once. Rows of one moment are turned round as well. Says whether they were.
pub(crate) fn turn_round<T>(rows: &mut [T], stamp: impl Fn(&T) -> Stamp, log: &mut Defects) -> bool {
    let (mut rises, mut falls) = (0, 0);
    for pair in rows.windows(2) {
        let (was, is) = (stamp(&pair[0]).utc, stamp(&pair[1]).utc);
        rises += usize::from(is > was);
        falls += usize::from(is < was);
    }
    let is_turned = falls > rises && (falls > 1 || rows.len() == 2);
    let ([first, .., last], true) = (&*rows, is_turned) else { return false };
    let text = format!("{} .. {}", moment(stamp(first)), moment(stamp(last)));
    log.push(Defect::new("HIS-23", Severity::Note, 1, "time", text).with(Effect::Sorted));
    rows.reverse();
    true
}

/// Notes each row that is earlier than one before it, or than one behind it in a file that was `newest_first` and turned
/// round; `effect` says what becomes of it.
pub(crate) fn judge_order(
    rows: impl Iterator<Item = (u64, Stamp)>,
    newest_first: bool,
    effect: Effect,
    log: &mut Defects,
) {
    let side = if newest_first { "behind" } else { "before" };
    let mut latest = i64::MIN;
    for (row, stamp) in rows {
        if stamp.utc < latest {
            let what = format!("earlier than a row {side} it, of {}", Timestamp::from_nanos(latest));
            let defect = Defect::new("HIS-12", Severity::Warning, row, "time", moment(stamp));
            log.push(defect.saying(what).with(effect));
        }
        latest = latest.max(stamp.utc);
    }
}
