//! The bytes of version 1, as the crate's page lists them: segment headers, frames, file names.

use crc32c::crc32c_append;

/// The newest on-disk format this crate reads, and the one it writes.
pub const FORMAT_VERSION: u32 = 1;
/// The largest payload of one record: 16 MiB.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// A SHA-256 chain value.
pub(crate) type Chain = [u8; 32];
/// The chain value before record 1.
pub(crate) const GENESIS: Chain = [0; 32];

pub(crate) const SEGMENT_HEADER_BYTES: usize = 64;
pub(crate) const FRAME_HEADER_BYTES: usize = 24;
pub(crate) const CHAIN_FRAME_BYTES: usize = FRAME_HEADER_BYTES + size_of::<Chain>();
pub(crate) const SPARE: &str = "next.spare";
const MAGIC: &[u8; 8] = b"TWJOURNL";
const FRAME_VERSION: u8 = 1;

/// The first 64 bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) first_seq: u64,
    pub(crate) capacity: u64,
    pub(crate) chain: Chain,
}

/// Why 64 bytes are no segment header that this version reads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderFlaw {
    Unreadable,
    Newer(u32),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        self.encode_version(FORMAT_VERSION)
    }

    fn encode_version(&self, version: u32) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.capacity.to_le_bytes());
        bytes[32..].copy_from_slice(&self.chain);
        let sum = header_sum(&bytes);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a header. The sum is checked first: it covers the version, and every version keeps this layout.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderFlaw> {
        if bytes.len() < SEGMENT_HEADER_BYTES || &bytes[..8] != MAGIC || salt_of(bytes) != header_sum(bytes) {
            return Err(HeaderFlaw::Unreadable);
        }
        match u32_at(bytes, 8) {
            FORMAT_VERSION => {}
            0 => return Err(HeaderFlaw::Unreadable),
            newer => return Err(HeaderFlaw::Newer(newer)),
        }
        let chain = bytes[32..64].try_into().expect("32 bytes");
        Ok(Self { first_seq: u64_at(bytes, 16), capacity: u64_at(bytes, 24), chain })
    }
}

/// The salt of a segment's frames, out of its encoded header.
pub(crate) fn salt_of(header: &[u8]) -> u32 {
    u32_at(header, 12)
}

fn header_sum(header: &[u8]) -> u32 {
    crc32c_append(crc32c_append(0, &header[..12]), &header[16..SEGMENT_HEADER_BYTES])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Record,
    Chain,
}

/// What a frame's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) seq: u64,
    /// Record: records before it in its sync group. Chain: records it covers.
    pub(crate) group: u32,
    pub(crate) payload_bytes: usize,
}

impl Frame {
    /// Bytes of the whole frame.
    pub(crate) fn bytes(&self) -> usize {
        frame_bytes(self.payload_bytes)
    }

    /// The last sequence number that was synced before this frame's group was written.
    pub(crate) fn synced_before(&self) -> u64 {
        let first_of_group = match self.kind {
            Kind::Record => self.seq.saturating_sub(u64::from(self.group)),
            Kind::Chain => (self.seq + 1).saturating_sub(u64::from(self.group)),
        };
        first_of_group.saturating_sub(1)
    }
}

/// What stands at the beginning of some bytes.
pub(crate) enum Decoded {
    Frame(Frame),
    /// The frame, if it is one, has this many bytes.
    Short(usize),
    Unreadable,
}

/// Bytes of a frame with that much payload.
pub(crate) fn frame_bytes(payload: usize) -> usize {
    FRAME_HEADER_BYTES + payload.next_multiple_of(8)
}

/// Appends one frame to `buffer`.
pub(crate) fn push_frame(buffer: &mut Vec<u8>, salt: u32, kind: Kind, seq: u64, group: u32, payload: &[u8]) {
    let start = buffer.len();
    let length = u32::try_from(payload.len()).expect("a payload is at most 16 MiB");
    let mut header = [0; FRAME_HEADER_BYTES];
    header[4..8].copy_from_slice(&length.to_le_bytes());
    header[8..16].copy_from_slice(&seq.to_le_bytes());
    header[16..20].copy_from_slice(&group.to_le_bytes());
    header[20] = match kind {
        Kind::Record => 1,
        Kind::Chain => 2,
    };
    header[21] = FRAME_VERSION;
    buffer.extend_from_slice(&header);
    buffer.extend_from_slice(payload);
    buffer.resize(start + frame_bytes(payload.len()), 0);
    let sum = crc32c_append(salt, &buffer[start + 4..]);
    buffer[start..start + 4].copy_from_slice(&sum.to_le_bytes());
}

/// Reads the frame at the beginning of `bytes`.
#[inline]
pub(crate) fn decode_frame(bytes: &[u8], salt: u32) -> Decoded {
    let Some(header) = bytes.first_chunk::<FRAME_HEADER_BYTES>() else { return Decoded::Short(FRAME_HEADER_BYTES) };
    let kind = match header[20..24] {
        [1, FRAME_VERSION, 0, 0] => Kind::Record,
        [2, FRAME_VERSION, 0, 0] => Kind::Chain,
        _ => return Decoded::Unreadable,
    };
    let payload_bytes = u32_at(header, 4) as usize;
    let size_fits = match kind {
        Kind::Record => payload_bytes <= RECORD_BYTES_MAX,
        Kind::Chain => payload_bytes == size_of::<Chain>(),
    };
    if !size_fits {
        return Decoded::Unreadable;
    }
    let frame = Frame { kind, seq: u64_at(header, 8), group: u32_at(header, 16), payload_bytes };
    let Some(rest) = bytes.get(4..frame.bytes()) else { return Decoded::Short(frame.bytes()) };
    if crc32c_append(salt, rest) == u32_at(header, 0) { Decoded::Frame(frame) } else { Decoded::Unreadable }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

pub(crate) fn segment_name(first_seq: u64) -> String {
    format!("{first_seq:020}.seg")
}

pub(crate) fn snapshot_name(seq: u64) -> String {
    format!("{seq:020}.snap")
}

/// The number in a file name of the form `<20 digits>.<extension>`, if it is one.
pub(crate) fn numbered(name: &str, extension: &str) -> Option<u64> {
    let digits = name.strip_suffix(extension)?.strip_suffix('.')?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader = SegmentHeader { first_seq: 7, capacity: 4096, chain: [9; 32] };

    #[test]
    fn a_newer_segment_is_told_from_a_damaged_one() {
        let newer = HEADER.encode_version(2);
        assert_eq!(SegmentHeader::decode(&newer), Err(HeaderFlaw::Newer(2)));
        let bytes = HEADER.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Ok(HEADER));
        for at in 0..bytes.len() {
            let mut flipped = bytes;
            flipped[at] ^= 1;
            assert_eq!(SegmentHeader::decode(&flipped), Err(HeaderFlaw::Unreadable), "byte {at}");
        }
    }

    #[test]
    fn a_frame_is_read_only_under_the_salt_of_its_segment() {
        let mut buffer = Vec::new();
        push_frame(&mut buffer, 5, Kind::Record, 3, 1, b"hello");
        assert_eq!(buffer.len(), 32);
        let Decoded::Frame(frame) = decode_frame(&buffer, 5) else { panic!("unreadable") };
        assert_eq!(frame, Frame { kind: Kind::Record, seq: 3, group: 1, payload_bytes: 5 });
        assert_eq!(frame.synced_before(), 1);
        assert!(matches!(decode_frame(&buffer, 6), Decoded::Unreadable));
        assert!(matches!(decode_frame(&buffer[..31], 5), Decoded::Short(32)));
    }

    #[test]
    fn only_twenty_digits_name_a_segment() {
        assert_eq!(numbered("00000000000000000012.seg", "seg"), Some(12));
        for other in ["12.seg", "00000000000000000012.snap", "0000000000000000001x.seg", "99999999999999999999.seg"] {
            assert_eq!(numbered(other, "seg"), None, "{other}");
        }
    }
}
