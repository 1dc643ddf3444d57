//! The digests and checksums that a client can ask for, by name.
//!
//! Computing them is not known here, nor in which words they are asked for.

/// A digest or checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// FIPS 180; the default.
    #[default]
    Sha256,
    /// FIPS 180.
    Sha512,
    /// FIPS 180; against mishaps only.
    Sha1,
    /// RFC 1321; against mishaps only.
    Md5,
    /// That of IEEE 802.3 and ZIP; against mishaps only.
    Crc32,
}

impl Algorithm {
    /// All of them, in the order in which FEAT shows them.
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Sha256, Algorithm::Sha512, Algorithm::Sha1, Algorithm::Md5, Algorithm::Crc32];

    /// The name on the wire, as IANA has it where it has one; its case does not matter there.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
            Algorithm::Sha1 => "SHA-1",
            Algorithm::Md5 => "MD5",
            Algorithm::Crc32 => "CRC32",
        }
    }

    /// The algorithm with this name.
    pub fn from_name(name: &[u8]) -> Option<Algorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().as_bytes().eq_ignore_ascii_case(name))
    }
}
