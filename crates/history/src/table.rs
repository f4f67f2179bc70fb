//! Tables of named columns as rows of text: delimited text, Feather and Parquet alike.

use crate::columns;
use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::feather::{self, Batches};
use crate::layout::{delimiter_of, split};
use crate::rows::plain_name;
use crate::ticks::{OneInstrument, Packing, TextLines, shown};
use crate::{Format, ImportError};
use arrow_schema::{DataType, Schema};
use std::path::{Path, PathBuf};

/// A table whose rows are read one after the other.
pub(crate) struct Table {
    path: PathBuf,
    /// The names of the columns; empty for a table without a header.
    pub(crate) names: Vec<String>,
    /// Their types; none of text.
    kinds: Vec<DataType>,
    pub(crate) format: Format,
    pub(crate) member: Option<String>,
    /// Rows read so far, readable or not.
    pub(crate) row: u64,
    /// The column that names the instrument, and the instrument.
    named: Option<usize>,
    instrument: OneInstrument,
    rows: Rows,
}

enum Rows {
    Text(Box<TextRows>),
    Columns { batches: Batches, ready: std::vec::IntoIter<Vec<String>> },
}

/// Rows of delimited text.
struct TextRows {
    lines: TextLines,
    delimiter: u8,
    width: usize,
    /// The first row, if it was read to look for a header.
    first: Option<Vec<String>>,
    /// The first rows, where there is no header.
    probe: Vec<Vec<String>>,
}

impl Table {
    /// A table of delimited text; its first line is a header unless a cell of it is a number.
    pub(crate) fn of_text(path: &Path, mut lines: TextLines, packing: Packing) -> Result<Self, ImportError> {
        let probe = lines.peek()?;
        let head = lines.next_line()?.map(|line| lines.text(line).to_vec()).unwrap_or_default();
        let delimiter = delimiter_of(&head);
        let cells = cells_of(&head, delimiter);
        let headed = !cells.iter().any(|cell| cell.parse::<f64>().is_ok() && !cell.eq_ignore_ascii_case("nan"));
        let width = cells.len();
        let (names, first) = if headed { (cells, None) } else { (Vec::new(), Some(cells)) };
        let probe = if headed { Vec::new() } else { probe.iter().map(|line| cells_of(line, delimiter)).collect() };
        let rows = Rows::Text(Box::new(TextRows { lines, delimiter, width, first, probe }));
        Ok(Self::new(path, names, packing.format, packing.member, rows))
    }

    /// A table of Arrow record batches.
    pub(crate) fn of_columns(path: &Path, format: Format, schema: &Schema, batches: Batches) -> Self {
        let rows = Rows::Columns { batches, ready: Vec::new().into_iter() };
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        let kinds = schema.fields().iter().map(|field| field.data_type().clone()).collect();
        Self { kinds, ..Self::new(path, names, format, None, rows) }
    }

    fn new(path: &Path, names: Vec<String>, format: Format, member: Option<String>, rows: Rows) -> Self {
        let (path, instrument) = (path.to_owned(), OneInstrument::default());
        let kinds = Vec::new();
        let mut table = Self { path, names, kinds, format, member, row: 0, named: None, instrument, rows };
        table.named = table.column(&["symbol", "instrument", "instrumentid"]);
        table
    }

    /// The first rows of a table without a header, without taking them; `None` where there is a header.
    pub(crate) fn headless(&self) -> Option<&[Vec<String>]> {
        match &self.rows {
            Rows::Text(text) => Some(text.probe.as_slice()).filter(|rows| !rows.is_empty()),
            Rows::Columns { .. } => None,
        }
    }

    /// The column of the first of these names that there is, in lower case with letters and digits alone.
    pub(crate) fn column(&self, aliases: &[&str]) -> Option<usize> {
        let plain = |alias: &&str| self.names.iter().position(|name| plain_name(name) == *alias);
        aliases.iter().find_map(plain)
    }

    /// As [`Self::column`].
    ///
    /// # Errors
    /// HIS-05, saying that there is no `what`; HIS-46 for a table without a header; as [`Self::must_be_read`].
    pub(crate) fn need(&self, what: &str, aliases: &[&str]) -> Result<usize, ImportError> {
        let column = self.column(aliases).ok_or_else(|| {
            if self.names.is_empty() {
                return ImportError::unfit("HIS-46", &self.path, format!("no header, and so no column `{what}`"));
            }
            let names = shown(&self.names.join(", "));
            ImportError::unfit("HIS-05", &self.path, format!("no column `{what}` among {names}"))
        })?;
        self.must_be_read([column]).map(|()| column)
    }

    /// Refuses a column that is wanted and of a type that is not read.
    ///
    /// # Errors
    /// HIS-48, with the column and its type.
    pub(crate) fn must_be_read(&self, columns: impl IntoIterator<Item = usize>) -> Result<(), ImportError> {
        let is_unread = |column: &usize| self.kinds.get(*column).is_some_and(|kind| !columns::is_read(kind));
        columns.into_iter().find(is_unread).map_or(Ok(()), |column| {
            let (name, kind) = (&self.names[column], &self.kinds[column]);
            Err(ImportError::unfit("HIS-48", &self.path, format!("column `{name}` is of the type {kind}")))
        })
    }

    /// The next row that has a cell for every column and is of the file's instrument; others are logged.
    pub(crate) fn next_row(&mut self, log: &mut Defects) -> Result<Option<Vec<String>>, ImportError> {
        while let Some(cells) = self.any_row(log)? {
            let name = self.named.map(|column| (column, cells[column].as_str())).filter(|(_, name)| !name.is_empty());
            match name.and_then(|(column, name)| self.instrument.other(self.row, &self.names[column], name)) {
                Some(defect) => log.push(defect),
                None => return Ok(Some(cells)),
            }
        }
        Ok(None)
    }

    fn any_row(&mut self, log: &mut Defects) -> Result<Option<Vec<String>>, ImportError> {
        match &mut self.rows {
            Rows::Text(text) => text.next_row(&mut self.row, self.format, log),
            Rows::Columns { batches, ready } => loop {
                if let Some(cells) = ready.next() {
                    self.row += 1;
                    return Ok(Some(cells));
                }
                let Some(batch) = batches.next() else { return Ok(None) };
                let batch = batch.map_err(|error| feather::damaged(&self.path, &error))?;
                *ready = rows_of(&self.path, &self.names, &batch)?.into_iter();
            },
        }
    }
}

impl TextRows {
    fn next_row(
        &mut self,
        row: &mut u64,
        format: Format,
        log: &mut Defects,
    ) -> Result<Option<Vec<String>>, ImportError> {
        if let Some(first) = self.first.take() {
            *row += 1;
            return Ok(Some(first));
        }
        while let Some(line) = self.lines.next_line()? {
            *row += 1;
            let text = self.lines.text(line);
            let cells = cells_of(text, self.delimiter);
            if cells.len() == self.width {
                if !line.terminated && format == Format::Csv {
                    log.push(without_end(*row, &cells));
                }
                return Ok(Some(cells));
            }
            let code = if line.terminated { "HIS-26" } else { "HIS-04" };
            let what = format!("{} cells where {} are expected", cells.len(), self.width);
            let value = shown(&String::from_utf8_lossy(text));
            log.push(Defect::error(code, *row, "", value).saying(what).with(Effect::LeftOut));
        }
        Ok(None)
    }
}

/// Only a packed file vouches for its end with a check sum.
fn without_end(row: u64, cells: &[String]) -> Defect {
    let last = cells.last().map_or("", String::as_str);
    let what = "the file ends without a line end: its last number may be cut";
    Defect::new("HIS-04", Severity::Warning, row, "", shown(last)).saying(what)
}

fn cells_of(line: &[u8], delimiter: u8) -> Vec<String> {
    split(line, delimiter).into_iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

/// The rows of a batch; a column that is neither times nor numbers nor texts is empty.
fn rows_of(path: &Path, names: &[String], batch: &arrow_array::RecordBatch) -> Result<Vec<Vec<String>>, ImportError> {
    let count = batch.num_rows();
    let mut columns: Vec<std::vec::IntoIter<String>> = Vec::with_capacity(names.len());
    for (column, name) in batch.columns().iter().zip(names) {
        let cells = columns::cells(column);
        if cells.as_ref().is_some_and(|cells| cells.len() != count) {
            return Err(ImportError::unfit("HIS-03", path, format!("column `{name}` is of another length")));
        }
        columns.push(cells.unwrap_or_else(|| vec![String::new(); count]).into_iter());
    }
    Ok((0..count).map(|_| columns.iter_mut().map(|column| column.next().unwrap_or_default()).collect()).collect())
}
