//! The values that arguments of commands may take, as types: representation,
//! structure, mode, protection, TLS mechanism, network family, options.
//!
//! They hold what the standards define. What of it this server does is not
//! said here.

use crate::{digest::Algorithm, ftp::facts::FactSet};

/// The argument of TYPE (RFC 959 §3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text, with CR LF line ends on the wire.
    Ascii(Form),
    /// Text in EBCDIC.
    Ebcdic(Form),
    /// Bytes as they are.
    Image,
    /// Bytes of this many bits.
    Local(u8),
}

/// Vertical format control of text (RFC 959 §3.1.1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `N`: none; the default.
    #[default]
    NonPrint,
    /// `T`: Telnet's control characters.
    Telnet,
    /// `C`: Fortran's first column (ASA).
    CarriageControl,
}

/// The argument of STRU (RFC 959 §3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Structure {
    /// `F`: a string of bytes; the default.
    #[default]
    File,
    /// `R`: a sequence of records.
    Record,
    /// `P`: indexed pages.
    Page,
}

/// The argument of MODE (RFC 959 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// `S`: bytes until the connection ends; the default.
    #[default]
    Stream,
    /// `B`: blocks with headers.
    Block,
    /// `C`: run-length compression.
    Compressed,
    /// `Z`: a zlib stream (draft-preston-ftpext-deflate).
    Deflate,
}

/// The argument of AUTH (RFC 4217 §2, and the older words clients still send).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// `TLS`.
    Tls,
    /// `TLS-C`, the same as `TLS`.
    TlsC,
    /// `SSL`, the same as `TLS-P`.
    Ssl,
    /// `TLS-P`: TLS with data connections private from the start.
    TlsP,
}

impl Mechanism {
    /// Whether data connections are private (PROT P) without PROT being sent.
    pub const fn protects_data(self) -> bool {
        matches!(self, Mechanism::Ssl | Mechanism::TlsP)
    }
}

/// The argument of PROT (RFC 2228 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protection {
    /// `C`: none; the default.
    #[default]
    Clear,
    /// `S`: integrity only.
    Safe,
    /// `E`: confidentiality only.
    Confidential,
    /// `P`: both.
    Private,
}

/// A network protocol by its number in RFC 2428 §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `1`.
    V4,
    /// `2`.
    V6,
}

/// The argument of EPSV (RFC 2428 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtendedPassive {
    /// None: the family of the control connection.
    Any,
    /// This family.
    Family(Family),
    /// `ALL`: no other command will set up a data connection from now on.
    All,
}

/// The argument of ALLO (RFC 959 §4.1.3), in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocation {
    /// The size of the file to come.
    pub bytes: u64,
    /// The size of its longest record.
    pub record: Option<u64>,
}

/// The arguments of OPTS that are known (RFC 2389 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Options {
    /// `UTF8 ON` and `UTF8 OFF`; `UTF8` alone is `ON`.
    Utf8(bool),
    /// `MLST` with the facts to send from now on (RFC 3659 §7.9). Unknown facts are left out.
    Mlst(FactSet),
    /// `HASH` with the algorithm to use from now on; without one it asks which that is.
    Hash(Option<Algorithm>),
    /// `MODE Z LEVEL` with zlib's level, 0 to 9.
    DeflateLevel(u8),
}
