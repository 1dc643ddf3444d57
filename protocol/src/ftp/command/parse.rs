//! From one line's bytes to a command.
//!
//! The verb is found first and stays in every error, so that the server can
//! say "not logged in" before it says what is wrong with an argument.

mod argument;

use argument::{
    allocation, attributes_and_path, extended, extended_passive, file_type, host, mechanism, mode, number,
    options, port, protection, range, structure, time_and_path, without_options,
};

use crate::Secret;
use crate::foreign::is_foreign;
use crate::ftp::{Command, Site, Verb, digest::Portion};

/// Why a line is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No verb of ours: 500.
    #[error("Command not recognised.")]
    Unknown,
    /// A line of HTTP or SMTP: somebody is made to speak to the wrong server
    /// (ALPACA, or a form posted to port 21). To be hung up on before login.
    #[error("This is an FTP server.")]
    Foreign,
    /// An argument is missing: 501.
    #[error("An argument is missing. Syntax: {}", .0.help())]
    Missing(Verb),
    /// An argument where there is none: 501.
    #[error("{0} takes no argument.")]
    Unexpected(Verb),
    /// An argument not written as it should be, or a control byte in it: 501.
    #[error("The argument is not valid. Syntax: {}", .0.help())]
    Invalid(Verb),
    /// A parameter that no standard defines, or that is defined but unknown here: 504.
    #[error("{} has no such parameter. Syntax: {}", .0, .0.help())]
    Unsupported(Verb),
    /// EPRT or EPSV with a network protocol that is neither 1 nor 2: 522.
    #[error("Network protocol not supported, use (1,2).")]
    Family(Verb),
}

impl ParseError {
    /// The line's verb, if it had one of ours.
    pub const fn verb(self) -> Option<Verb> {
        match self {
            ParseError::Unknown | ParseError::Foreign => None,
            ParseError::Missing(verb)
            | ParseError::Unexpected(verb)
            | ParseError::Invalid(verb)
            | ParseError::Unsupported(verb)
            | ParseError::Family(verb) => Some(verb),
        }
    }
}

pub(super) fn command(line: &[u8]) -> Result<Command, ParseError> {
    let (name, argument) = match memchr::memchr(b' ', line) {
        Some(space) => {
            let (name, rest) = line.split_at(space);
            (name, rest.get(1..).unwrap_or_default())
        }
        None => (line, &b""[..]),
    };
    let verb = Verb::from_name(name).ok_or_else(|| unknown(name))?;
    if argument.iter().any(u8::is_ascii_control) {
        return Err(ParseError::Invalid(verb));
    }
    with_argument(verb, argument)
}

/// One line a verb. What is a path or free text keeps its spaces.
fn with_argument(verb: Verb, text: &[u8]) -> Result<Command, ParseError> {
    let word = text.trim_ascii();
    let required =
        |text: &[u8]| if text.is_empty() { Err(ParseError::Missing(verb)) } else { Ok(text.to_vec()) };
    let path = || required(text);
    let parameter = || if word.is_empty() { Err(ParseError::Missing(verb)) } else { Ok(word) };
    let none = |command| if word.is_empty() { Ok(command) } else { Err(ParseError::Unexpected(verb)) };
    Ok(match verb {
        Verb::User => Command::User(path()?),
        Verb::Pass => Command::Pass(Secret::from(text.to_vec())),
        Verb::Acct => Command::Acct(Secret::from(path()?)),
        Verb::Rein => none(Command::Rein)?,
        Verb::Quit => none(Command::Quit)?,
        Verb::Auth => Command::Auth(mechanism(parameter()?)?),
        Verb::Pbsz => Command::Pbsz(number(verb, parameter()?)?),
        Verb::Prot => Command::Prot(protection(parameter()?)?),
        Verb::Ccc => none(Command::Ccc)?,
        Verb::Cwd => Command::Cwd(path()?),
        Verb::Cdup => none(Command::Cdup)?,
        Verb::Pwd => none(Command::Pwd)?,
        Verb::Mkd => Command::Mkd(path()?),
        Verb::Rmd => Command::Rmd(path()?),
        Verb::Smnt => Command::Smnt(path()?),
        Verb::Retr => Command::Retr(path()?),
        Verb::Stor => Command::Stor(path()?),
        Verb::Stou => Command::Stou(optional(text)),
        Verb::Appe => Command::Appe(path()?),
        Verb::Allo => Command::Allo(allocation(parameter()?)?),
        Verb::Rest => Command::Rest(number(verb, parameter()?)?),
        Verb::Rang => Command::Rang(range(parameter()?)?),
        Verb::Rnfr => Command::Rnfr(path()?),
        Verb::Rnto => Command::Rnto(path()?),
        Verb::Dele => Command::Dele(path()?),
        Verb::Abor => none(Command::Abor)?,
        Verb::List => Command::List(optional(without_options(text))),
        Verb::Nlst => Command::Nlst(optional(without_options(text))),
        Verb::Mlsd => Command::Mlsd(optional(text)),
        Verb::Mlst => Command::Mlst(optional(text)),
        Verb::Stat => Command::Stat(stat_path(text)),
        Verb::Size => Command::Size(path()?),
        Verb::Mdtm => Command::Mdtm(path()?),
        Verb::Mfmt => time_and_path(&path()?).map(|(time, path)| Command::Mfmt(time, path))?,
        Verb::Mff => attributes_and_path(&path()?).map(|(facts, path)| Command::Mff(facts, path))?,
        Verb::Avbl => Command::Avbl(optional(text)),
        Verb::Hash => Command::Hash(path()?),
        Verb::Xcrc => Command::Xcrc(Portion::parse(verb, text)?),
        Verb::Xmd5 => Command::Xmd5(Portion::parse(verb, text)?),
        Verb::Xsha1 => Command::Xsha1(Portion::parse(verb, text)?),
        Verb::Xsha256 => Command::Xsha256(Portion::parse(verb, text)?),
        Verb::Xsha512 => Command::Xsha512(Portion::parse(verb, text)?),
        Verb::Type => Command::Type(file_type(parameter()?)?),
        Verb::Stru => Command::Stru(structure(parameter()?)?),
        Verb::Mode => Command::Mode(mode(parameter()?)?),
        Verb::Port => Command::Port(port(parameter()?)?),
        Verb::Pasv => none(Command::Pasv)?,
        Verb::Eprt => Command::Eprt(extended(parameter()?)?),
        Verb::Epsv => Command::Epsv(extended_passive(word)?),
        Verb::Opts => Command::Opts(options(parameter()?)?),
        Verb::Lang => Command::Lang(optional(word)),
        Verb::Host => Command::Host(host(parameter()?)?),
        Verb::Syst => none(Command::Syst)?,
        Verb::Noop => none(Command::Noop)?,
        Verb::Help => Command::Help(optional(word)),
        Verb::Feat => none(Command::Feat)?,
        Verb::Clnt => Command::Clnt(required(word)?),
        Verb::Site => Command::Site(Site::parse(&required(text.trim_ascii_start())?)?),
    })
}

fn optional(text: &[u8]) -> Option<Vec<u8>> {
    (!text.is_empty()).then(|| text.to_vec())
}

/// `STAT -l` is a list of the working directory, `STAT` alone the session's state.
fn stat_path(text: &[u8]) -> Option<Vec<u8>> {
    optional(match without_options(text) {
        b"" if !text.trim_ascii().is_empty() => b".",
        path => path,
    })
}

fn unknown(name: &[u8]) -> ParseError {
    if is_foreign(name) { ParseError::Foreign } else { ParseError::Unknown }
}
