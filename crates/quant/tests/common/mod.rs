//! Reads the recorded reference values where they are kept.

use std::path::PathBuf;
use tradewind_quant::EquityAccumulator;

/// Simple returns between successive prices.
#[allow(dead_code, reason = "each test file uses its part")]
pub(crate) fn simple_returns(prices: &[f64]) -> Vec<f64> {
    prices.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()
}

/// An account that begins with 1 and earns each return in one day.
#[allow(dead_code, reason = "each test file uses its part")]
pub(crate) fn account(returns: &[f64]) -> EquityAccumulator {
    let mut equity = EquityAccumulator::new();
    equity.push(1, 1.0, 0.0).unwrap();
    let mut wealth = 1.0;
    for (day, r) in (1_i64..).zip(returns) {
        wealth *= 1.0 + r;
        equity.push(day * 86_400_000_000_000, wealth, 0.0).unwrap();
    }
    equity
}

/// How deep that account fell.
#[allow(dead_code, reason = "each test file uses its part")]
pub(crate) fn max_drawdown(returns: &[f64]) -> Option<f64> {
    Some(account(returns).deepest_drawdown().map_or(0.0, |fall| fall.depth))
}

/// The folder of risk references; `None`, with a line on stderr, where there are no recordings.
pub(crate) fn risk_folder(test: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var("TRADEWIND_RECORDINGS").unwrap_or_else(|_| default.to_owned());
    let folder = PathBuf::from(root).join("risk");
    if folder.is_dir() {
        return Some(folder);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no recordings for {test} at {}", folder.display());
    eprintln!("no recordings: {test}");
    None
}

/// A table of numbers with named columns and a date (or name) in front of each row.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<Option<f64>>)>,
}

impl Table {
    pub(crate) fn read(path: PathBuf) -> Self {
        let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let columns = reader.headers().unwrap().iter().skip(1).map(|name| name.trim().to_owned()).collect();
        let row = |record: csv::StringRecord| {
            (record[0].to_owned(), record.iter().skip(1).map(|cell| cell.parse().ok()).collect())
        };
        Self { columns, rows: reader.records().map(|record| row(record.unwrap())).collect() }
    }

    fn place(&self, column: &str) -> usize {
        self.columns.iter().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"))
    }

    /// The values that a column has, oldest first.
    pub(crate) fn column(&self, column: &str) -> Vec<f64> {
        let place = self.place(column);
        self.rows.iter().filter_map(|row| row.1[place]).collect()
    }

    /// The values of rows in which both columns have one.
    #[allow(dead_code, reason = "not every test file compares two columns")]
    pub(crate) fn pairs(&self, left: &str, right: &str) -> (Vec<f64>, Vec<f64>) {
        let (left, right) = (self.place(left), self.place(right));
        self.rows.iter().filter_map(|row| row.1[left].zip(row.1[right])).unzip()
    }

    /// The rows in which a column has a value: date and value.
    #[allow(dead_code, reason = "not every test file reads dates")]
    pub(crate) fn dated(&self, column: &str) -> Vec<(String, f64)> {
        let place = self.place(column);
        self.rows.iter().filter_map(|row| Some((row.0.clone(), row.1[place]?))).collect()
    }
}

/// What R printed: statements (`>` and `+` lines, white space collapsed) with the lines that followed.
#[allow(dead_code, reason = "not every test file reads what R printed")]
pub(crate) struct Snapshot(Vec<(String, Vec<String>)>);

#[allow(dead_code, reason = "as its struct")]
impl Snapshot {
    /// Reads one section of the recorded console output.
    pub(crate) fn section(text: &str, name: &str) -> Self {
        let heading = format!("# Snapshot for {name}");
        let lines = text.lines().skip_while(|line| *line != heading).skip(1);
        let mut statements: Vec<(String, Vec<String>)> = Vec::new();
        for line in lines.take_while(|line| !line.starts_with("# Snapshot")).map(str::trim) {
            if let Some(call) = line.strip_prefix("> ") {
                statements.push((call.trim().to_owned(), Vec::new()));
            } else if let (Some(more), Some((call, printed))) = (line.strip_prefix("+ "), statements.last_mut())
                && printed.is_empty()
            {
                *call = format!("{call} {}", more.trim());
            } else if let Some((_, printed)) = statements.last_mut() {
                printed.push(line.to_owned());
            }
        }
        assert!(!statements.is_empty(), "no section {name}");
        Self(statements)
    }

    /// The numbers that the statement printed behind `label`, the blocks of a wrapped table joined.
    pub(crate) fn row(&self, call: &str, label: &str) -> Vec<f64> {
        let found = self.0.iter().find(|statement| statement.0 == call);
        let printed = &found.unwrap_or_else(|| panic!("no statement {call}")).1;
        let cells = printed.iter().filter_map(|line| line.strip_prefix(label)).flat_map(str::split_whitespace);
        cells.filter_map(|cell| cell.parse().ok()).collect()
    }
}
