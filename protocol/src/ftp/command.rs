//! Commands with their arguments as types: what one line of a control
//! connection means, read by `parse` and written by `print`.
//!
//! Reading decides only what the standards' syntax decides. Whether a command
//! may run, and what it does, is not known here.

use std::net::{SocketAddr, SocketAddrV4};
use std::ops::RangeInclusive;

use jiff::Timestamp;

use crate::Secret;
use crate::ftp::{
    Site, Verb,
    attributes::Attributes,
    digest::Portion,
    parameter::{Allocation, ExtendedPassive, Mechanism, Mode, Options, Protection, Structure, Type},
};

mod parse;
mod print;

pub use parse::ParseError;
pub use print::ControlByte;

/// A path as the client wrote it: relative or absolute, never empty, any bytes
/// but control bytes.
pub type Path = Vec<u8>;

/// A command, one variant a [`Verb`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant's verb says what it is")]
pub enum Command {
    User(Vec<u8>),
    /// Empty if the client gave none, as some do for anonymous logins.
    Pass(Secret),
    Acct(Secret),
    Rein,
    Quit,
    Auth(Mechanism),
    Pbsz(u32),
    Prot(Protection),
    Ccc,
    Cwd(Path),
    Cdup,
    Pwd,
    Mkd(Path),
    Rmd(Path),
    Smnt(Path),
    Retr(Path),
    Stor(Path),
    /// With a name if the client proposes one, as BSD's `ftp` does.
    Stou(Option<Path>),
    Appe(Path),
    Allo(Allocation),
    Rest(u64),
    /// The offsets of the first and the last byte; none takes an earlier RANG back.
    Rang(Option<RangeInclusive<u64>>),
    Rnfr(Path),
    Rnto(Path),
    Dele(Path),
    Abor,
    /// Without the options (`-la`) that clients send; so NLST and STAT.
    List(Option<Path>),
    Nlst(Option<Path>),
    Mlsd(Option<Path>),
    Mlst(Option<Path>),
    /// With options but no path it asks for a list too, of `.`.
    Stat(Option<Path>),
    Size(Path),
    Mdtm(Path),
    Mfmt(Timestamp, Path),
    Mff(Attributes, Path),
    Avbl(Option<Path>),
    Hash(Path),
    Xcrc(Portion),
    Xmd5(Portion),
    Xsha1(Portion),
    Xsha256(Portion),
    Xsha512(Portion),
    Type(Type),
    Stru(Structure),
    Mode(Mode),
    Port(SocketAddrV4),
    Pasv,
    Eprt(SocketAddr),
    Epsv(ExtendedPassive),
    Opts(Options),
    /// Without a language it asks for the default one.
    Lang(Option<Vec<u8>>),
    /// A name or an address, as RFC 7151 §3.1 writes it.
    Host(String),
    Syst,
    Noop,
    /// With the word help is wanted on, which need not be a verb.
    Help(Option<Vec<u8>>),
    Feat,
    Clnt(Vec<u8>),
    Site(Site),
}

impl Command {
    /// Reads one line, without its line end.
    pub fn parse(line: &[u8]) -> Result<Command, ParseError> {
        parse::command(line)
    }

    /// Appends the command's line with CR LF. Nothing is written if an argument
    /// holds a control byte, which could end the line and begin another.
    pub fn write_to(&self, out: &mut Vec<u8>) -> Result<(), ControlByte> {
        print::command(self, out)
    }

    /// The command's verb.
    pub fn verb(&self) -> Verb {
        print::verb(self)
    }
}
