//! Opens a file and tells by its first bytes what it is.

use crate::ImportError;
use flate2::CrcReader;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use zip::CompressionMethod;

/// Memory that an xz file may ask for, in KiB: what `xz -9` makes needs 65 MiB, and a damaged head might say anything.
const XZ_MEMORY_KIB: u32 = 1 << 18;

/// Bytes that are held at once, of a format that cannot be read piece by piece.
pub(crate) const WHOLE_MAX: u64 = 1 << 30;

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Gzip,
    Xz,
    Zip,
    Feather,
    Parquet,
}

/// Opens `path` and tells its kind.
pub(crate) fn open(path: &Path) -> Result<(File, Kind), ImportError> {
    let io = |source| ImportError::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    let mut head = [0_u8; 8];
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]).map_err(io)? {
            0 => break,
            count => filled += count,
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let head = &head[..filled];
    if head.is_empty() {
        return Err(ImportError::unfit("HIS-06", path, "the file is empty"));
    }
    let unknown = |what: &str| Err(ImportError::unfit("HIS-02", path, format!("the file is {what}")));
    match head {
        [0x1f, 0x8b, ..] => Ok((file, Kind::Gzip)),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Ok((file, Kind::Xz)),
        [b'P', b'K', 3, 4, ..] => Ok((file, Kind::Zip)),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Ok((file, Kind::Feather)),
        [b'P', b'A', b'R', b'1', ..] => Ok((file, Kind::Parquet)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => unknown("compressed with zstd (as Databento's DBN is)"),
        [b'F', b'E', b'A', b'1', ..] => unknown("Feather v1"),
        [0xff, 0xff, 0xff, 0xff, ..] => unknown("an Arrow stream, not an Arrow file"),
        [b'S', b'Q', b'L', b'i', ..] => unknown("an SQLite database"),
        [0x89, b'H', b'D', b'F', ..] => unknown("HDF5"),
        _ if head.contains(&0) => unknown("binary, of no known kind"),
        _ => Ok((file, Kind::Text)),
    }
}

/// A decompressing reader of a gzip file.
pub(crate) fn gunzip<R: Read>(reader: R) -> impl Read + use<R> {
    MultiGzDecoder::new(BufReader::with_capacity(1 << 17, reader))
}

/// A decompressing reader of an xz file.
pub(crate) fn unxz<R: Read>(reader: R) -> impl Read + use<R> {
    XzReader::new_mem_limit(BufReader::with_capacity(1 << 17, reader), true, XZ_MEMORY_KIB)
}

/// The only text file in a zip archive: its name, and its content as it is unpacked.
pub(crate) fn unzip(path: &Path, file: impl Read + Seek + 'static) -> Result<(String, Member), ImportError> {
    let damaged = |what: String| ImportError::unfit("HIS-03", path, what);
    let mut archive =
        zip::ZipArchive::new(file).map_err(|error| damaged(format!("not a whole zip archive: {error}")))?;
    if archive.len() != 1 {
        let what = format!("the archive holds {} entries, one file is wanted", archive.len());
        return Err(ImportError::unfit("HIS-02", path, what));
    }
    let (name, method, start, length, sum) = {
        let member = archive.by_index(0).map_err(|error| damaged(error.to_string()))?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        (name, member.compression(), member.data_start(), member.compressed_size(), member.crc32())
    };
    let start = start.ok_or_else(|| damaged("the archive does not say where its file begins".to_owned()))?;
    let mut file = archive.into_inner();
    file.seek(SeekFrom::Start(start)).map_err(|source| ImportError::io(path, source))?;
    let packed = BufReader::with_capacity(1 << 17, file.take(length));
    let content: Box<dyn Read> = match method {
        CompressionMethod::Stored => Box::new(packed),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(packed)),
        other => return Err(ImportError::unfit("HIS-02", path, format!("the archive is packed by {other}"))),
    };
    Ok((name, Member { content: CrcReader::new(content), sum }))
}

/// A file of an archive as it is unpacked; at its end it must have the check sum that the archive states.
pub(crate) struct Member {
    content: CrcReader<Box<dyn Read>>,
    sum: u32,
}

impl Read for Member {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.content.read(buffer)?;
        if count == 0 && !buffer.is_empty() && self.content.crc().sum() != self.sum {
            return Err(std::io::Error::new(ErrorKind::InvalidData, "the check sum is not that of the archive"));
        }
        Ok(count)
    }
}

/// Reads what is left, if no more than `limit` bytes are; whether that was so.
pub(crate) fn read_whole(reader: impl Read, content: &mut Vec<u8>, limit: u64) -> std::io::Result<bool> {
    Ok(reader.take(limit.saturating_add(1)).read_to_end(content)? as u64 <= limit)
}

/// More than [`WHOLE_MAX`].
pub(crate) fn too_long(path: &Path) -> ImportError {
    ImportError::unfit("HIS-02", path, "it unpacks to more than a gibibyte, which is not held at once: use CSV.gz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_is_read() {
        for (limit, whole, read) in [(3, true, 3), (4, true, 3), (2, false, 3), (1, false, 2), (0, false, 1)] {
            let mut content = Vec::new();
            let got = read_whole([1_u8, 2, 3].as_slice(), &mut content, limit).unwrap();
            assert_eq!((got, content.len()), (whole, read), "{limit}");
        }
    }
}
