//! What files of ticks have in common: how they are opened, and how the cells of a row are read.

use crate::build::moment;
use crate::container::{self, Kind};
use crate::defect::{Defect, DefectLog, Effect, Severity};
use crate::feather::{self, Batches};
use crate::lines::Lines;
use crate::moment::{Clock, Stamp, whole_number};
use crate::number::{self, Number};
use crate::rows::Shape;
use crate::{Format, ImportError, ImportOptions, parquet};
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
    /// Feather or Parquet: names of the columns, and the batches.
    Columns(Format, Vec<String>, Batches),
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
            let (names, batches) = feather::batches(path, file, progress)?;
            return Ok(Opened::Columns(Format::Feather, names, batches));
        }
        Kind::Parquet => {
            let (names, batches) = parquet::batches(path, file, progress)?;
            return Ok(Opened::Columns(Format::Parquet, names, batches));
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
    let first = lines.peek()?.into_iter().next();
    let first = first.ok_or_else(|| ImportError::unfit("HIS-06", path, "the file holds no lines"))?;
    let packing = |format| Packing { format, member };
    Ok(match first.trim_ascii_start() {
        [b'[', b'[', ..] => Opened::JsonArray(lines, packing(Format::Json)),
        [b'{', ..] => Opened::JsonLines(lines, packing(Format::JsonLines)),
        [b'0'..=b'9', ..] if first.windows(2).any(|two| two == b" {") => {
            Opened::Messages(lines, packing(Format::Messages))
        }
        _ => Opened::Text(lines, packing(format)),
    })
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
}

impl Messages {
    pub(crate) fn new(lines: TextLines, packing: Packing) -> Self {
        Self { lines, member: packing.member, row: 0 }
    }

    /// The next message; those that are cut or have no receive time are logged.
    pub(crate) fn next(&mut self, log: &mut DefectLog) -> Result<Option<Message>, ImportError> {
        while let Some(line) = self.lines.next_line()? {
            self.row += 1;
            let text = String::from_utf8_lossy(self.lines.text(line));
            let (time, body) = text.split_once(' ').unwrap_or((&text, ""));
            let cut = Defect::error("HIS-04", self.row, "", shown(&text)).with(Effect::LeftOut);
            if !body.ends_with('}') {
                log.push(cut.saying("the message is cut"));
            } else if let Some(received) = received(time) {
                return Ok(Some(Message { row: self.row, received, body: body.to_owned() }));
            } else {
                log.push(Defect::error("HIS-10", self.row, "", shown(time)).with(Effect::LeftOut));
            }
        }
        Ok(None)
    }
}

fn received(time: &str) -> Option<i64> {
    let time = time.trim_end_matches(':');
    let whole = time.split_once('.').map_or(time, |(seconds, _)| seconds);
    Clock::of(whole.as_bytes())?.read(whole.as_bytes(), None).map(|stamp| stamp.utc)
}

/// The beginning of a text, for a defect.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// Notes a message or line that is not the JSON that it should be.
pub(crate) fn no_json(row: u64, body: &str, error: &serde_json::Error, log: &mut DefectLog) {
    let code = if error.is_eof() { "HIS-04" } else { "HIS-07" };
    log.push(Defect::error(code, row, "", shown(body)).saying(error.to_string()).with(Effect::LeftOut));
}

/// One row of texts, and where to note what cannot be read of it.
pub(crate) struct Cells<'a> {
    pub(crate) row: u64,
    pub(crate) cells: &'a [String],
    pub(crate) titles: &'a [String],
    pub(crate) log: &'a mut DefectLog,
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
pub(crate) fn number(row: u64, title: &str, text: &str, log: &mut DefectLog) -> Option<Number> {
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
pub(crate) fn mantissa(number: Number, places: u8, row: u64, title: &str, log: &mut DefectLog) -> Option<i64> {
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
pub(crate) fn judge_price(number: Number, row: u64, title: &str, log: &mut DefectLog) {
    if number.mantissa <= 0 {
        log.push(Defect::error("HIS-18", row, title, number.text()));
    }
}

/// Notes each row that is earlier than one before it; `effect` says what becomes of it.
pub(crate) fn judge_order(rows: impl Iterator<Item = (u64, Stamp)>, title: &str, effect: Effect, log: &mut DefectLog) {
    let mut latest = i64::MIN;
    for (row, stamp) in rows {
        if stamp.utc < latest {
            let what = format!("earlier than a row before it, of {}", Timestamp::from_nanos(latest));
            let defect = Defect::new("HIS-12", Severity::Warning, row, title, moment(stamp));
            log.push(defect.saying(what).with(effect));
        }
        latest = latest.max(stamp.utc);
    }
}
