//! SHA-256 of the chain and of snapshots, by the assembly of AWS-LC: on a processor without instructions for it portable
//! code takes three times as long, and then a large group costs more to hash than to sync.

use aws_lc_rs::digest::{Context, SHA256};

use crate::format::Chain;

/// A hash under way.
pub(crate) struct Hash(Context);

impl Hash {
    /// Begins with these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Context::new(&SHA256)).and(bytes)
    }

    /// Goes on with these.
    pub(crate) fn and(mut self, bytes: &[u8]) -> Self {
        self.update(bytes);
        self
    }

    /// Goes on with these.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// What it comes to.
    pub(crate) fn end(self) -> Chain {
        self.0.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sha_256_of_fips_180_4() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(Hash::of(b"a").and(b"").and(b"bc").end()), abc);
        let two_blocks = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        assert_eq!(
            hex::encode(Hash::of(b"abcdbcdecdefdefgefghfghighijhijkijkljklm").and(b"klmnlmnomnopnopq").end()),
            two_blocks
        );
    }
}
