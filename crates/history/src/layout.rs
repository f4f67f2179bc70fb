//! Tells the layout of delimited text from its first lines.

use crate::model::BY_POSITION;
use crate::moment::{Clock, read_in_two, read_text, whole_number, year_last};
use crate::rows::{PRICES, Shape, find_columns, plain_name, ticks_beside};
use crate::{Format, ImportError, ImportOptions};
use std::path::Path;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Skip,
    /// When the bar began or ended, whole.
    Time,
    /// The date of that alone.
    Date,
    /// The time of day that belongs to a date.
    TimeOfDay,
    Price(usize),
    Volume,
    Bid(usize),
    Ask(usize),
}

/// The layout of a delimited file.
pub(crate) struct Layout {
    pub(crate) delimiter: u8,
    pub(crate) roles: Vec<Role>,
    /// How its times are written, or the first of those that end with their year.
    pub(crate) clock: Result<Clock, Undated>,
    pub(crate) shape: Shape,
    /// Lines above the first row.
    pub(crate) skipped: usize,
}

/// A cell whose date ends with its year, so that day and month cannot be told apart.
pub(crate) struct Undated {
    /// Its data row, from 1, and its column.
    pub(crate) row: u64,
    pub(crate) column: usize,
    pub(crate) cell: Vec<u8>,
}

/// Tells the layout from the first lines; `name` is where a date may stand.
pub(crate) fn sniff(
    path: &Path,
    lines: &[Vec<u8>],
    name: &str,
    options: &ImportOptions,
) -> Result<Layout, ImportError> {
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
    let mut ticks = None;
    if headed {
        let (columns, volume) = find_columns(&names).map_err(|what| ImportError::unfit("HIS-05", path, what))?;
        skipped += 1;
        roles[columns[0]] = Role::Time;
        if let Some(time_of_day) = time_of_day(&names, columns[0], lines.get(skipped..).unwrap_or_default(), delimiter)
        {
            (roles[columns[0]], roles[time_of_day]) = (Role::Date, Role::TimeOfDay);
        }
        (0..4).for_each(|i| roles[columns[i + 1]] = Role::Price(i));
        if let Some(volume) = volume {
            roles[volume] = Role::Volume;
        }
        ticks = ticks_beside(&names, volume);
    } else {
        let text = String::from_utf8_lossy(head);
        let unnamed = |why: &str| {
            let what = format!("no header, and {} columns {why}: `{text}`", names.len());
            ImportError::unfit("HIS-46", path, what)
        };
        roles = roles_by_width(names.len()).ok_or_else(|| unnamed("are of no known layout"))?;
        if !are_bars(lines, delimiter) {
            return Err(unnamed("that are no prices of a bar; name the columns"));
        }
    }
    let time_column = roles.iter().position(|role| matches!(role, Role::Time | Role::Date)).unwrap_or(0);
    let clock = clock_of(path, &lines[skipped.min(lines.len())..], delimiter, time_column, headed, name)?;
    let title = |role: Role, plain: &str| match roles.iter().position(|r| *r == role) {
        Some(at) if headed => names[at].clone(),
        _ => plain.to_owned(),
    };
    let mut titles = ["", "", "", "", "", ""].map(str::to_owned);
    let is_in_two = roles.contains(&Role::TimeOfDay);
    titles[0] = if is_in_two {
        format!("{} {}", title(Role::Date, "date"), title(Role::TimeOfDay, "time"))
    } else {
        title(Role::Time, "time")
    };
    (0..4).for_each(|i| titles[i + 1] = title(Role::Price(i), PRICES[i]));
    titles[5] = title(Role::Volume, "volume");
    let quotes = roles.contains(&Role::Bid(0));
    let has_volume = roles.contains(&Role::Volume);
    let shape = Shape {
        format: Format::Csv,
        member: None,
        columns: described(&titles, has_volume, headed),
        names: titles,
        time_format: match &clock {
            Ok(_) if is_in_two => "date text and time of day".to_owned(),
            Ok(clock) => clock.name().to_owned(),
            Err(_) => String::new(), // the file is refused
        },
        quote_side: quotes.then_some(options.quote_side),
        has_volume,
        ticks,
        lean: !headed && roles.len() == 6 && !matches!(clock, Ok(Clock::Unix(_))),
    };
    Ok(Layout { delimiter, roles, clock, shape, skipped })
}

fn described(titles: &[String; 6], has_volume: bool, headed: bool) -> Vec<String> {
    let plain = ["time", "open", "high", "low", "close", "volume"];
    let used = plain.iter().zip(titles).take(if has_volume { 6 } else { 5 });
    used.map(|(plain, title)| format!("{plain}={}", if headed { title.as_str() } else { BY_POSITION })).collect()
}

/// The column of times of day that belongs to a column of dates, if the first rows have both.
fn time_of_day(names: &[String], dates: usize, lines: &[Vec<u8>], delimiter: u8) -> Option<usize> {
    let column = names.iter().position(|name| plain_name(name) == "time")?;
    let is_in_two = |line: &Vec<u8>| {
        let cells = split(line, delimiter);
        let (date, time_of_day) = (cells.get(dates)?, cells.get(column)?);
        read_in_two(date, time_of_day, None)
    };
    (plain_name(&names[dates]) == "date" && lines.iter().any(|line| is_in_two(line).is_some())).then_some(column)
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

/// Whether at least half of the first rows with four numbers behind a time are open, high, low and close: bids and asks
/// with their sizes are not, nor are trades, and nothing else would tell them from bars.
fn are_bars(lines: &[Vec<u8>], delimiter: u8) -> bool {
    let prices = |line: &Vec<u8>| -> Option<(usize, [f64; 4])> {
        let cells = split(line, delimiter);
        let numbers = cells.get(1..5)?.iter().map(|cell| std::str::from_utf8(cell).ok()?.parse().ok());
        Some((cells.len(), numbers.collect::<Option<Vec<f64>>>()?.try_into().ok()?))
    };
    let is_bar = |(width, [open, high, low, close]): &(usize, [f64; 4])| {
        let around = low <= open && low <= close && high >= open && high >= close;
        let is_calm = *low < 0.0 || *high <= 2.0 * low; // asked of few columns, which may be anything
        around && (is_calm || *width > 6)
    };
    let rows: Vec<(usize, [f64; 4])> = lines.iter().filter_map(prices).collect();
    rows.iter().filter(|row| is_bar(row)).count() * 2 >= rows.len()
}

fn clock_of(
    path: &Path,
    lines: &[Vec<u8>],
    delimiter: u8,
    column: usize,
    headed: bool,
    name: &str,
) -> Result<Result<Clock, Undated>, ImportError> {
    let cells = || lines.iter().filter_map(|line| split(line, delimiter).get(column).map(|cell| cell.to_vec()));
    let Some(first) = cells().next() else {
        return Err(ImportError::unfit("HIS-06", path, "the file holds a header and no rows"));
    };
    let of_day = |cell: &[u8]| read_text(cell).is_none() && whole_number(cell).is_some_and(|ms| ms < 86_400_000);
    let date =
        if !headed && of_day(&first) { date_in(name).or_else(|| date_in(&path.to_string_lossy())) } else { None };
    if let Some(midnight) = date {
        return Ok(Ok(Clock::SinceMidnight(midnight)));
    }
    if let Some(clock) = cells().find_map(|cell| Clock::of(&cell)) {
        return Ok(Ok(clock));
    }
    if let Some((row, cell)) = (1..).zip(cells()).find(|(_, cell)| year_last(cell).is_some()) {
        return Ok(Err(Undated { row, column, cell }));
    }
    let text = String::from_utf8_lossy(&first).into_owned();
    Err(match whole_number(&first) {
        Some(_) => {
            let what = format!("row 1: `{text}` is a Unix time of no unit between 1980 and 2100");
            ImportError::unfit("HIS-11", path, what)
        }
        None => ImportError::unfit("HIS-10", path, format!("row 1: `{text}` is no time")),
    })
}

/// Local midnight of the eight digits in a name such as `20180404_btcusd_minute_trade.csv`.
fn date_in(name: &str) -> Option<i64> {
    let parts = name.split(|c: char| !c.is_ascii_digit());
    parts.filter(|part| part.len() == 8).find_map(|part| read_text(part.as_bytes())).map(|(midnight, _)| midnight)
}

pub(crate) fn delimiter_of(line: &[u8]) -> u8 {
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
