//! Lines of a reader, one at a time from a buffer that stays small.

use crate::{ImportError, container};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 18;
/// The longest line that is read; a longer one is no bar.
const LINE_MAX: usize = 1 << 20;

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
    pub(crate) fn peek(&mut self) -> Result<Vec<Vec<u8>>, ImportError> {
        while !self.ended && self.end < BUFFER / 4 {
            self.fill()?;
        }
        let lines = self.buffer[..self.end].split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
        Ok(lines.take(18).map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect())
    }

    /// What is in the buffer and not yet taken.
    #[inline]
    pub(crate) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes `count` bytes of the window.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.start += count;
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> Result<Vec<u8>, ImportError> {
        let mut all = self.buffer[self.start..self.end].to_vec();
        self.start = self.end;
        let whole = container::read_whole(&mut self.reader, &mut all, container::WHOLE_MAX);
        if whole.map_err(|error| self.broken(error))? { Ok(all) } else { Err(container::too_long(&self.path)) }
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

    /// A decoder's own errors carry no code of the system: of those the file is to blame.
    fn broken(&self, error: std::io::Error) -> ImportError {
        match error.kind() {
            _ if error.raw_os_error().is_some() => ImportError::io(&self.path, error),
            ErrorKind::UnexpectedEof => ImportError::unfit("HIS-03", &self.path, "the compressed data end too early"),
            _ => ImportError::unfit("HIS-03", &self.path, format!("the compressed data are damaged: {error}")),
        }
    }
}
