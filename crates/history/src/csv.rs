//! Delimited text: tells the layout from the first lines, then reads row by row from a fixed buffer.

use crate::defect::{Defect, DefectLog, Effect, Severity};
use crate::moment::{Clock, Unit, read_text, whole_number};
use crate::number::{self, Number};
use crate::rows::{PRICES, RawRow, RowSource, Shape, find_columns};
use crate::{Format, ImportError, ImportOptions, QuoteSide};
use jiff::tz::TimeZone;
use std::io::Read;
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 18;
/// The longest line that is read; a longer one is no bar.
const LINE_MAX: usize = 1 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Skip,
    Time,
    Price(usize),
    Volume,
    Bid(usize),
    Ask(usize),
}

/// Lines of a reader, one at a time from a buffer that stays small.
pub(crate) struct Lines<R> {
    reader: R,
    path: PathBuf,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

/// Where a line lies in the buffer, and whether the file ends it.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    from: usize,
    to: usize,
    pub(crate) terminated: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(path: &Path, reader: R) -> Self {
        Self { reader, path: path.to_owned(), buffer: vec![0; BUFFER], start: 0, end: 0, ended: false }
    }

    pub(crate) fn text(&self, line: Line) -> &[u8] {
        let text = &self.buffer[line.from..line.to];
        text.strip_suffix(b"\r").unwrap_or(text)
    }

    /// The first lines that are not blank, without taking them.
    fn peek(&mut self) -> Result<Vec<Vec<u8>>, ImportError> {
        while !self.ended && self.end < BUFFER / 4 {
            self.fill()?;
        }
        let lines = self.buffer[..self.end].split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
        Ok(lines.take(18).map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect())
    }

    /// The next line that is not blank.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line>, ImportError> {
        loop {
            let Some(line) = self.any_line()? else { return Ok(None) };
            if !self.text(line).trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    #[inline]
    fn any_line(&mut self) -> Result<Option<Line>, ImportError> {
        let mut searched = self.start;
        loop {
            if let Some(at) = self.buffer[searched..self.end].iter().position(|b| *b == b'\n') {
                let line = Line { from: self.start, to: searched + at, terminated: true };
                self.start = searched + at + 1;
                return Ok(Some(line));
            }
            if self.ended {
                let line = Line { from: self.start, to: self.end, terminated: false };
                self.start = self.end;
                return Ok((line.from < line.to).then_some(line));
            }
            let kept = self.end - self.start;
            self.fill()?;
            searched = self.start + kept;
        }
    }

    fn fill(&mut self) -> Result<(), ImportError> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == self.buffer.len() {
            if self.end >= LINE_MAX {
                return Err(ImportError::unfit("HIS-02", &self.path, "a line is longer than a megabyte"));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let count = self.reader.read(&mut self.buffer[self.end..]).map_err(|error| self.broken(error))?;
        self.ended = count == 0;
        self.end += count;
        Ok(())
    }

    fn broken(&self, error: std::io::Error) -> ImportError {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match error.kind() {
            UnexpectedEof => ImportError::unfit("HIS-03", &self.path, "the compressed data end too early"),
            InvalidData | InvalidInput => {
                ImportError::unfit("HIS-03", &self.path, format!("the compressed data are damaged: {error}"))
            }
            _ => ImportError::io(&self.path, error),
        }
    }
}

/// The rows of a delimited file.
pub(crate) struct CsvRows<R> {
    lines: Lines<R>,
    delimiter: u8,
    roles: Vec<Role>,
    side: Option<QuoteSide>,
    clock: Clock,
    zone: Option<TimeZone>,
    shape: Shape,
    row: u64,
    /// Whether the container vouches for the end of the file with a check sum.
    vouched: bool,
}

/// Opens delimited text. `name` is the name to take a date from: the member of an archive, or the file.
pub(crate) fn open<R: Read>(
    path: &Path,
    reader: R,
    format: Format,
    member: Option<String>,
    options: &ImportOptions,
) -> Result<CsvRows<R>, ImportError> {
    let zone = zone_of(path, options)?;
    let mut lines = Lines::new(path, reader);
    let first = lines.peek()?;
    let name = member.clone().unwrap_or_else(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let mut csv = sniff(path, &first, &name, options)?;
    csv.shape.format = format;
    csv.shape.member = member;
    for _ in 0..csv.skipped {
        lines.next_line()?;
    }
    Ok(CsvRows {
        lines,
        delimiter: csv.delimiter,
        roles: csv.roles,
        side: csv.shape.quote_side,
        clock: csv.clock,
        zone,
        shape: csv.shape,
        row: 0,
        vouched: format != Format::Csv,
    })
}

/// The zone that the options name.
pub(crate) fn zone_of(path: &Path, options: &ImportOptions) -> Result<Option<TimeZone>, ImportError> {
    let Some(name) = options.zone.as_deref().filter(|name| *name != "UTC") else { return Ok(None) };
    let unknown = |_| ImportError::needs("HIS-35", path, format!("zone: `{name}` is no IANA time zone"));
    TimeZone::get(name).map(Some).map_err(unknown)
}

struct Sniffed {
    delimiter: u8,
    roles: Vec<Role>,
    clock: Clock,
    shape: Shape,
    skipped: usize,
}

fn sniff(path: &Path, lines: &[Vec<u8>], name: &str, options: &ImportOptions) -> Result<Sniffed, ImportError> {
    let Some(mut head) = lines.first() else {
        return Err(ImportError::unfit("HIS-06", path, "the file holds no lines"));
    };
    let mut skipped = 0;
    let mut delimiter = delimiter_of(head);
    if let (1, Some(second)) = (split(head, delimiter).len(), lines.get(1)) {
        (delimiter, head, skipped) = (delimiter_of(second), second, 1); // a banner line above the header
    }
    let names: Vec<String> =
        split(head, delimiter).iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    let headed = !names.iter().any(|name| name.parse::<f64>().is_ok() && !name.eq_ignore_ascii_case("nan"));
    let mut roles = vec![Role::Skip; names.len()];
    if headed {
        let (columns, volume) = find_columns(&names).map_err(|what| ImportError::unfit("HIS-05", path, what))?;
        skipped += 1;
        roles[columns[0]] = Role::Time;
        (0..4).for_each(|i| roles[columns[i + 1]] = Role::Price(i));
        if let Some(volume) = volume {
            roles[volume] = Role::Volume;
        }
    } else {
        roles = roles_by_width(names.len()).ok_or_else(|| {
            let text = String::from_utf8_lossy(head);
            ImportError::unfit(
                "HIS-05",
                path,
                format!("no header, and {} columns are of no known layout: `{text}`", names.len()),
            )
        })?;
    }
    let time_column = roles.iter().position(|role| *role == Role::Time).unwrap_or(0);
    let clock = clock_of(path, &lines[skipped.min(lines.len())..], delimiter, time_column, headed, name)?;
    let title = |role: Role, plain: &str| match roles.iter().position(|r| *r == role) {
        Some(at) if headed => names[at].clone(),
        _ => plain.to_owned(),
    };
    let mut titles = ["", "", "", "", "", ""].map(str::to_owned);
    titles[0] = title(Role::Time, "time");
    (0..4).for_each(|i| titles[i + 1] = title(Role::Price(i), PRICES[i]));
    titles[5] = title(Role::Volume, "volume");
    let quotes = roles.contains(&Role::Bid(0));
    let has_volume = roles.contains(&Role::Volume);
    let shape = Shape {
        format: Format::Csv,
        member: None,
        columns: described(&titles, has_volume, headed),
        names: titles,
        time_format: clock.name().to_owned(),
        quote_side: quotes.then_some(options.quote_side),
        has_volume,
        lean: !headed && roles.len() == 6 && !matches!(clock, Clock::Unix(_)),
    };
    Ok(Sniffed { delimiter, roles, clock, shape, skipped })
}

fn described(titles: &[String; 6], has_volume: bool, headed: bool) -> Vec<String> {
    let plain = ["time", "open", "high", "low", "close", "volume"];
    let used = plain.iter().zip(titles).take(if has_volume { 6 } else { 5 });
    used.map(|(plain, title)| if headed { format!("{plain}={title}") } else { format!("{plain}=by position") })
        .collect()
}

/// Layouts without header: time, open, high, low, close and volume (5 or 6 columns, LEAN and others); LEAN's bars of
/// bid and ask (11); the candle files of Binance's archive (12).
fn roles_by_width(width: usize) -> Option<Vec<Role>> {
    use Role::{Ask, Bid, Price, Skip, Time, Volume};
    let mut roles = vec![Time, Price(0), Price(1), Price(2), Price(3), Volume];
    match width {
        5 => drop(roles.pop()),
        6 => {}
        11 => roles = vec![Time, Bid(0), Bid(1), Bid(2), Bid(3), Skip, Ask(0), Ask(1), Ask(2), Ask(3), Skip],
        12 => roles.resize(12, Skip),
        _ => return None,
    }
    Some(roles)
}

fn clock_of(
    path: &Path,
    lines: &[Vec<u8>],
    delimiter: u8,
    column: usize,
    headed: bool,
    name: &str,
) -> Result<Clock, ImportError> {
    let cells = || lines.iter().filter_map(|line| split(line, delimiter).get(column).map(|cell| cell.to_vec()));
    let Some(first) = cells().next() else {
        return Err(ImportError::unfit("HIS-06", path, "the file holds a header and no rows"));
    };
    let of_day = |cell: &[u8]| whole_number(cell).is_some_and(|ms| ms < 86_400_000 && cell.len() != 8);
    if !headed && of_day(&first) {
        if let Some(midnight) = date_in(name).or_else(|| date_in(&path.to_string_lossy())) {
            return Ok(Clock::SinceMidnight(midnight));
        }
    }
    cells().find_map(|cell| Clock::of(&cell)).ok_or_else(|| {
        let text = String::from_utf8_lossy(&first).into_owned();
        match whole_number(&first) {
            Some(_) => ImportError::unfit(
                "HIS-11",
                path,
                format!("row 1: `{text}` is a Unix time of no unit between 1980 and 2100"),
            ),
            None => ImportError::unfit("HIS-10", path, format!("row 1: `{text}` is no time")),
        }
    })
}

/// Local midnight of the eight digits in a name such as `20180404_btcusd_minute_trade.csv`.
fn date_in(name: &str) -> Option<i64> {
    let parts = name.split(|c: char| !c.is_ascii_digit());
    parts.filter(|part| part.len() == 8).find_map(|part| read_text(part.as_bytes())).map(|(midnight, _)| midnight)
}

fn delimiter_of(line: &[u8]) -> u8 {
    let count = |mark: u8| line.iter().filter(|b| **b == mark).count();
    *[b',', b';', b'\t', b'|'].iter().rev().max_by_key(|mark| count(**mark)).unwrap_or(&b',')
}

/// The cells of a line, without the quotes around them.
pub(crate) fn split(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    let (mut cells, mut from, mut quoted) = (Vec::with_capacity(12), 0, false);
    for (at, byte) in line.iter().enumerate() {
        if *byte == b'"' {
            quoted = !quoted;
        } else if *byte == delimiter && !quoted {
            cells.push(unquoted(&line[from..at]));
            from = at + 1;
        }
    }
    cells.push(unquoted(&line[from..]));
    cells
}

fn unquoted(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    let cell = cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell); // byte order mark
    cell.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(cell).trim_ascii()
}

impl<R: Read> RowSource for CsvRows<R> {
    fn next_row(&mut self, log: &mut DefectLog) -> Result<Option<RawRow>, ImportError> {
        loop {
            let Some(line) = self.lines.next_line()? else { return Ok(None) };
            self.row += 1;
            let found = match self.fast(self.lines.text(line)).filter(|_| line.terminated) {
                Some(row) => Some(row),
                None => {
                    let text = self.lines.text(line).to_vec();
                    self.read(&text, line.terminated, log)
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    fn shape(&self) -> &Shape {
        &self.shape
    }
    fn rows(&self) -> u64 {
        self.row
    }
}

impl<R: Read> CsvRows<R> {
    /// Reads a line of plain numbers in one pass; `None` sends it to [`Self::read`], which judges it.
    #[inline]
    fn fast(&self, line: &[u8]) -> Option<RawRow> {
        let mut row = RawRow {
            row: self.row,
            stamp: crate::moment::Stamp { utc: 0, offset: 0 },
            prices: [Number::default(); 4],
            volume: None,
        };
        let mut at = 0;
        for (index, role) in self.roles.iter().enumerate() {
            if index > 0 {
                if line.get(at) != Some(&self.delimiter) {
                    return None;
                }
                at += 1;
            }
            let rest = line.get(at..)?;
            match role {
                Role::Price(which) => {
                    let (number, used) = number::parse_prefix(rest)?;
                    row.prices[*which] = number;
                    at += used;
                }
                Role::Volume => {
                    let (number, used) = number::parse_prefix(rest)?;
                    row.volume = Some(number);
                    at += used;
                }
                Role::Time | Role::Skip => {
                    let used = rest.iter().position(|b| *b == self.delimiter).unwrap_or(rest.len());
                    if *role == Role::Time {
                        row.stamp = self.clock.read(&rest[..used], self.zone.as_ref())?;
                    } else if rest[..used].contains(&b'"') {
                        return None;
                    }
                    at += used;
                }
                Role::Bid(_) | Role::Ask(_) => return None,
            }
        }
        (at == line.len()).then_some(row)
    }

    /// Reads a line with every check; `None` if nothing can stand for it, which is logged.
    fn read(&self, line: &[u8], terminated: bool, log: &mut DefectLog) -> Option<RawRow> {
        let cells = split(line, self.delimiter);
        if cells.len() != self.roles.len() {
            let code = if terminated { "HIS-26" } else { "HIS-04" };
            let what = format!("{} cells where {} are expected", cells.len(), self.roles.len());
            let text = String::from_utf8_lossy(line).chars().take(200).collect::<String>();
            log.push(Defect::error(code, self.row, "", text).saying(what).with(Effect::LeftOut));
            return None;
        }
        if !terminated && !self.vouched && self.row > 1 {
            let last = String::from_utf8_lossy(cells.last().copied().unwrap_or_default()).into_owned();
            let what = "the file ends without a line end: its last number may be cut";
            log.push(Defect::new("HIS-04", Severity::Warning, self.row, "", last).saying(what));
        }
        let mut stamp = None;
        let mut sides = [[None; 4]; 2];
        let mut volume = None;
        let mut whole = true;
        for (role, cell) in self.roles.iter().zip(&cells) {
            match *role {
                Role::Skip => {}
                Role::Time => {
                    stamp = self.time(cell, log);
                    whole &= stamp.is_some();
                }
                Role::Price(which) | Role::Bid(which) => {
                    sides[0][which] = self.price(cell, which, log);
                    whole &= sides[0][which].is_some();
                }
                Role::Ask(which) => {
                    sides[1][which] = self.price(cell, which, log);
                    whole &= sides[1][which].is_some();
                }
                Role::Volume => match self.volume(cell, log) {
                    Ok(found) => volume = found,
                    Err(()) => whole = false,
                },
            }
        }
        if !whole {
            return None;
        }
        let prices = self.chosen(sides)?;
        Some(RawRow { row: self.row, stamp: stamp?, prices, volume })
    }

    fn time(&self, cell: &[u8], log: &mut DefectLog) -> Option<crate::moment::Stamp> {
        let stamp = self.clock.read(cell, self.zone.as_ref());
        if stamp.is_none() {
            let text = String::from_utf8_lossy(cell).into_owned();
            let (code, what) = match (whole_number(cell), &self.clock) {
                (Some(count), Clock::Unix(unit)) => match Unit::of(count) {
                    Some(other) => ("HIS-11", format!("{} where the file has {}", other.name(), unit.name())),
                    None => ("HIS-11", "a Unix time of no unit between 1980 and 2100".to_owned()),
                },
                _ if cell.is_empty() => ("HIS-09", "the time is empty".to_owned()),
                _ => ("HIS-10", format!("not {}", self.clock.name())),
            };
            log.push(Defect::error(code, self.row, &self.shape.names[0], text).saying(what).with(Effect::LeftOut));
        }
        stamp
    }

    fn price(&self, cell: &[u8], which: usize, log: &mut DefectLog) -> Option<Number> {
        let column = &self.shape.names[which + 1];
        match number::parse(cell) {
            Ok((number, quality)) => {
                log.quality(quality, self.row, column, || String::from_utf8_lossy(cell).into_owned());
                Some(number)
            }
            Err(fault) => {
                let text = String::from_utf8_lossy(cell).into_owned();
                log.push(Defect::error(fault.code(), self.row, column, text).with(Effect::LeftOut));
                None
            }
        }
    }

    fn volume(&self, cell: &[u8], log: &mut DefectLog) -> Result<Option<Number>, ()> {
        let column = &self.shape.names[5];
        match number::parse(cell) {
            Ok((number, quality)) => {
                log.quality(quality, self.row, column, || String::from_utf8_lossy(cell).into_owned());
                Ok(Some(number))
            }
            Err(fault) => {
                let text = String::from_utf8_lossy(cell).into_owned();
                log.push(Defect::error(fault.code(), self.row, column, text).with(Effect::LeftOut));
                Err(())
            }
        }
    }

    fn chosen(&self, sides: [[Option<Number>; 4]; 2]) -> Option<[Number; 4]> {
        let mut prices = [Number::default(); 4];
        for (which, price) in prices.iter_mut().enumerate() {
            let (bid, ask) = (sides[0][which], sides[1][which]);
            *price = match self.side {
                None | Some(QuoteSide::Bid) => bid?,
                Some(QuoteSide::Ask) => ask?,
                Some(QuoteSide::Mid) => middle(bid?, ask?)?,
            };
        }
        Some(prices)
    }
}

/// Half of the sum, exactly.
fn middle(bid: Number, ask: Number) -> Option<Number> {
    let decimals = bid.decimals.max(ask.decimals);
    let sum = bid.at(decimals)?.checked_add(ask.at(decimals)?)?;
    Some(Number::new(sum.checked_mul(5)?, decimals + 1).trimmed())
}
