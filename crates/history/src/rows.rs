//! Raw rows: what every format is turned into before anything is judged.

use crate::defects::Defects;
use crate::moment::Stamp;
use crate::number::Number;
use crate::{Format, ImportError, QuoteSide};

/// One data row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRow {
    /// Data row in the file, from 1.
    pub(crate) row: u64,
    /// When, as the file says.
    pub(crate) stamp: Stamp,
    /// Open, high, low, close.
    pub(crate) prices: [Number; 4],
    /// Volume; `None` where the row gives none.
    pub(crate) volume: Option<Number>,
}

/// Names of the price columns, in the order of [`RawRow::prices`].
pub(crate) const PRICES: [&str; 4] = ["open", "high", "low", "close"];

/// A file that gives one row after the other.
pub(crate) trait RowSource {
    /// The next row that can be read; those that cannot are logged and counted.
    fn next_row(&mut self, log: &mut Defects) -> Result<Option<RawRow>, ImportError>;
    /// How the file is written, for the record.
    fn shape(&self) -> &Shape;
    /// Data rows seen so far, readable or not.
    fn rows(&self) -> u64;
}

/// How a file is written.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) format: Format,
    pub(crate) member: Option<String>,
    /// `open=Open` and so on.
    pub(crate) columns: Vec<String>,
    /// The file's own names of time, open, high, low, close, volume, for defects.
    pub(crate) names: [String; 6],
    pub(crate) time_format: String,
    pub(crate) quote_side: Option<QuoteSide>,
    /// Whether there is a column of volumes, or of sizes.
    pub(crate) has_volume: bool,
    /// The file's own name of a column beside that of volumes which counts ticks.
    pub(crate) ticks: Option<String>,
    /// Whether the layout is LEAN's without header, so that whole prices with whole volumes are equities x 10000.
    pub(crate) lean: bool,
}

impl Shape {
    /// Whether a row says how much was traded. Beside a count of ticks a 0 does not: MetaTrader 5 writes it where it knows no
    /// volume, as of currencies.
    #[inline]
    pub(crate) fn tells_volume(&self, row: &RawRow) -> bool {
        row.volume.is_some_and(|volume| volume.mantissa != 0 || self.ticks.is_none())
    }

    /// How a cell that holds nothing reads, for defects.
    pub(crate) const fn empty_cell(&self) -> &'static str {
        if matches!(self.format, Format::Feather | Format::Parquet) { "null" } else { "" }
    }
}

/// Finds the columns by name: index of time, open, high, low, close, and volume. Of two of one name nobody knows which is
/// meant.
pub(crate) fn find_columns(names: &[String]) -> Result<([usize; 5], Option<usize>), String> {
    const TIME: &[&str] = &[
        "opentime",
        "timestamputc",
        "timestamp",
        "datetime",
        "date",
        "time",
        "ts",
        "tsevent",
        "unix",
        "localtime",
        "gmttime",
        "starttime",
        "begin",
        "t",
    ];
    const VOLUME: &[&str] =
        &["volume", "volumefrom", "vol", "basevolume", "volumebase", "tickvolume", "amount", "size", "v"];
    let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
    let find = |aliases: &[&str]| aliases.iter().find_map(|alias| plain.iter().position(|name| name == alias));
    let need = |what: &str, aliases: &[&str]| {
        find(aliases).ok_or_else(|| format!("no column `{what}` among {}", names.join(", ")))
    };
    let columns = [
        need("time", TIME)?,
        need("open", &["open", "o", "openprice"])?,
        need("high", &["high", "h", "highprice"])?,
        need("low", &["low", "l", "lowprice"])?,
        need("close", &["close", "c", "closeprice", "last"])?,
    ];
    let volume = find(VOLUME);
    let is_twice = |place: &usize| plain.iter().filter(|name| **name == plain[*place]).count() > 1;
    match columns.iter().chain(&volume).find(|place| is_twice(place)) {
        Some(place) => Err(format!("two columns `{}` among {}", names[*place], names.join(", "))),
        None => Ok((columns, volume)),
    }
}

/// The name of a column that counts ticks, beside the column of volumes.
pub(crate) fn ticks_beside(names: &[String], volume: Option<usize>) -> Option<String> {
    let ticks = names.iter().position(|name| matches!(plain_name(name).as_str(), "tickvol" | "tickvolume"))?;
    volume.is_some_and(|volume| volume != ticks).then(|| names[ticks].clone())
}

/// Lower case, letters and digits only.
pub(crate) fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
