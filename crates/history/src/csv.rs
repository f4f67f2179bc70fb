//! Delimited text, row by row from a fixed buffer.

use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::layout::{Role, Undated, sniff, split};
use crate::lines::Lines;
use crate::moment::{Clock, Stamp, Unit, YearLast, read_in_two, whole_number, year_last};
use crate::number::{self, Number, NumberFault};
use crate::rows::{RawRow, RowSource, Shape};
use crate::{Format, ImportError, ImportOptions, QuoteSide};
use jiff::tz::TimeZone;
use std::io::Read;
use std::path::Path;

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
    let clock = match csv.clock {
        Ok(clock) => clock,
        Err(first) => return Err(refused_dates(path, &mut lines, csv.delimiter, &csv.shape.names[0], first)),
    };
    Ok(CsvRows {
        lines,
        delimiter: csv.delimiter,
        roles: csv.roles,
        side: csv.shape.quote_side,
        clock,
        zone,
        shape: csv.shape,
        row: 0,
        vouched: format != Format::Csv,
    })
}

/// Refuses dates that end with their year, of which `first` is one, by the first of the file that shows whether the day or the
/// month comes first; by `first` where none does.
fn refused_dates<R: Read>(
    path: &Path,
    lines: &mut Lines<R>,
    delimiter: u8,
    column: &str,
    first: Undated,
) -> ImportError {
    let (mut row, mut shown, mut order) = (0, (first.row, first.cell), YearLast::Open);
    while order == YearLast::Open {
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return error,
        };
        row += 1;
        let cells = split(lines.text(line), delimiter);
        let Some(cell) = cells.get(first.column) else { continue };
        if let Some(told @ (YearLast::Day | YearLast::Month)) = year_last(cell) {
            (shown, order) = ((row, cell.to_vec()), told);
        }
    }
    let what = match order {
        YearLast::Day => "the day comes first and the year last: write the year first",
        YearLast::Month => "the month comes first and the year last: write the year first",
        YearLast::Open => "the year comes last, and no row tells the day from the month: write the year first",
    };
    let text = String::from_utf8_lossy(&shown.1).into_owned();
    let defect = Defect::error("HIS-10", shown.0, column, text).saying(what).with(Effect::LeftOut);
    ImportError::Defective {
        path: path.to_owned(),
        first: Box::new(defect.clone()),
        defects: Box::new([defect].into_iter().collect()),
        rows: row,
        to_end: false,
    }
}

/// The zone that the options name.
pub(crate) fn zone_of(path: &Path, options: &ImportOptions) -> Result<Option<TimeZone>, ImportError> {
    let Some(name) = options.zone.as_deref().filter(|name| *name != "UTC") else { return Ok(None) };
    let unknown = |_| ImportError::needs("HIS-35", path, format!("zone: `{name}` is no IANA time zone"));
    TimeZone::get(name).map(Some).map_err(unknown)
}

impl<R: Read> RowSource for CsvRows<R> {
    fn next_row(&mut self, log: &mut Defects) -> Result<Option<RawRow>, ImportError> {
        loop {
            if let Some((row, used)) = self.fast(self.lines.window()) {
                self.row += 1;
                self.lines.advance(used);
                return Ok(Some(row));
            }
            let Some(line) = self.lines.next_line()? else { return Ok(None) };
            self.row += 1;
            let text = self.lines.text(line).to_vec();
            let found = self.read(&text, line.terminated, log);
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
    /// Reads a line of plain numbers from the front of `window` in one pass: the row, and how long the line is with its
    /// end. `None` sends the line to [`Self::read`], which judges it: when it is not whole, or has anything unusual.
    #[inline]
    fn fast(&self, window: &[u8]) -> Option<(RawRow, usize)> {
        let stamp = Stamp { utc: 0, offset: 0 };
        let mut row = RawRow { row: self.row + 1, stamp, prices: [Number::default(); 4], volume: None };
        let (mut date, mut time_of_day): (&[u8], Option<&[u8]>) = (b"", None);
        let mut at = 0;
        for (index, role) in self.roles.iter().enumerate() {
            if index > 0 {
                if window.get(at) != Some(&self.delimiter) {
                    return None;
                }
                at += 1;
            }
            let rest = window.get(at..)?;
            at += match (role, &self.clock) {
                (Role::Price(which), _) => {
                    let (number, used) = number::parse_prefix(rest)?;
                    row.prices[*which] = number;
                    used
                }
                (Role::Volume, _) => {
                    let (number, used) = number::parse_prefix(rest)?;
                    row.volume = Some(number);
                    used
                }
                (Role::Time, Clock::Unix(unit)) if *unit != Unit::Nanos => {
                    let (number, used) = number::parse_prefix(rest).filter(|(number, _)| number.decimals == 0)?;
                    row.stamp.utc = unit.read(number.mantissa)?;
                    used
                }
                (Role::Time, clock) => {
                    let used = rest.iter().position(|b| *b == self.delimiter || *b == b'\n')?;
                    row.stamp = clock.read(rest[..used].trim_ascii_end(), self.zone.as_ref())?;
                    used
                }
                (Role::Date, _) => {
                    let used = rest.iter().position(|b| *b == self.delimiter || *b == b'\n')?;
                    date = rest[..used].trim_ascii_end();
                    used
                }
                (Role::TimeOfDay, _) => {
                    let used = rest.iter().position(|b| *b == self.delimiter || *b == b'\n')?;
                    time_of_day = Some(rest[..used].trim_ascii_end());
                    used
                }
                (Role::Skip, _) => {
                    let used = rest.iter().position(|b| *b == self.delimiter || *b == b'\n')?;
                    if rest[..used].contains(&b'"') {
                        return None;
                    }
                    used
                }
                (Role::Bid(_) | Role::Ask(_), _) => return None,
            };
        }
        if let Some(time_of_day) = time_of_day {
            row.stamp = read_in_two(date, time_of_day, self.zone.as_ref())?;
        }
        match window.get(at..)? {
            [b'\n', ..] => Some((row, at + 1)),
            [b'\r', b'\n', ..] => Some((row, at + 2)),
            _ => None,
        }
    }

    /// Reads a line with every check; `None` if nothing can stand for it, which is logged.
    fn read(&self, line: &[u8], terminated: bool, log: &mut Defects) -> Option<RawRow> {
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
        let (mut date, mut time_of_day): (&[u8], Option<&[u8]>) = (b"", None);
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
                Role::Date => date = cell,
                Role::TimeOfDay => time_of_day = Some(*cell),
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
        if let Some(time_of_day) = time_of_day {
            stamp = self.time_in_two(date, time_of_day, log);
            whole &= stamp.is_some();
        }
        if !whole {
            return None;
        }
        let prices = self.chosen(sides)?;
        Some(RawRow { row: self.row, stamp: stamp?, prices, volume })
    }

    fn time(&self, cell: &[u8], log: &mut Defects) -> Option<Stamp> {
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

    fn time_in_two(&self, date: &[u8], time_of_day: &[u8], log: &mut Defects) -> Option<Stamp> {
        let stamp = read_in_two(date, time_of_day, self.zone.as_ref());
        if stamp.is_none() {
            let text = [String::from_utf8_lossy(date), String::from_utf8_lossy(time_of_day)].join(" ");
            let (code, what) = if date.is_empty() || time_of_day.is_empty() {
                ("HIS-09", "the date or the time is empty")
            } else {
                ("HIS-10", "not a date and a time of day")
            };
            log.push(Defect::error(code, self.row, &self.shape.names[0], text).saying(what).with(Effect::LeftOut));
        }
        stamp
    }

    fn price(&self, cell: &[u8], which: usize, log: &mut Defects) -> Option<Number> {
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

    /// `Err` where nothing can stand for the cell, which is logged.
    fn volume(&self, cell: &[u8], log: &mut Defects) -> Result<Option<Number>, ()> {
        let column = &self.shape.names[5];
        match number::parse(cell) {
            Ok((number, quality)) => {
                log.quality(quality, self.row, column, || String::from_utf8_lossy(cell).into_owned());
                Ok(Some(number))
            }
            Err(NumberFault::Empty) => Ok(None), // judged when it is known whether any row has one
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
