//! Commands of MFTP: one line each, `<COMMAND>[ data]`, read and printed.

use crate::{Secret, foreign::is_foreign, mftp::Verb};

/// A path as the client wrote it: relative or absolute, never empty, any bytes
/// but control bytes.
pub type Path = Vec<u8>;

/// A command, one variant a [`Verb`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant's verb says what it is")]
pub enum Command {
    List,
    Retr(Path),
    Stor(Path),
    Dele(Path),
    Rmdr(Path),
    Mkdr(Path),
    Chwd(Path),
    Size(Path),
    User(Vec<u8>),
    Pass(Secret),
    Quit,
    /// In `old:new` a colon in a name is written `\:`, and a backslash `\\`.
    Rnme {
        old: Path,
        new: Path,
    },
    Noop,
    Abor,
    Mdtm(Path),
    Feat,
    Pwrd,
    Wami,
}

/// Why a line is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No verb of ours: 500.
    #[error("There is no such command")]
    Unknown,
    /// A line of HTTP or SMTP: somebody is made to speak to the wrong server. To be hung up on
    /// before the login.
    #[error("This is an MFTP server")]
    Foreign,
    /// An argument is missing: 501.
    #[error("An argument is missing: {}", .0.syntax())]
    Missing(Verb),
    /// An argument where there is none: 502.
    #[error("{0} takes no argument")]
    Unexpected(Verb),
    /// An argument not written as it should be, or a control byte in it: 502.
    #[error("The argument is not valid: {}", .0.syntax())]
    Invalid(Verb),
}

/// An argument holds a control byte, so no line can carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the argument of {0} holds a control byte")]
pub struct ControlByte(Verb);

impl ParseError {
    /// The line's verb, if it had one of ours.
    pub const fn verb(self) -> Option<Verb> {
        match self {
            ParseError::Unknown | ParseError::Foreign => None,
            ParseError::Missing(verb) | ParseError::Unexpected(verb) | ParseError::Invalid(verb) => {
                Some(verb)
            }
        }
    }
}

impl Command {
    /// Reads one line, without its line end. What stands behind the first space is the argument,
    /// with all of its own spaces.
    pub fn parse(line: &[u8]) -> Result<Command, ParseError> {
        let end = memchr::memchr(b' ', line).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let argument = rest.get(1..).unwrap_or_default();
        let verb = Verb::from_name(name).ok_or_else(|| unknown(name))?;
        if argument.iter().any(u8::is_ascii_control) {
            return Err(ParseError::Invalid(verb));
        }
        with_argument(verb, argument)
    }

    /// Appends the command's line with CR LF. Nothing is written if an argument
    /// holds a control byte, which could end the line and begin another.
    pub fn write_to(&self, out: &mut Vec<u8>) -> Result<(), ControlByte> {
        let argument = self.argument();
        if argument.iter().any(u8::is_ascii_control) {
            return Err(ControlByte(self.verb()));
        }
        out.extend_from_slice(self.verb().name().as_bytes());
        if !argument.is_empty() {
            out.push(b' ');
            out.extend_from_slice(&argument);
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// The command's verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Command::List => Verb::List,
            Command::Retr(_) => Verb::Retr,
            Command::Stor(_) => Verb::Stor,
            Command::Dele(_) => Verb::Dele,
            Command::Rmdr(_) => Verb::Rmdr,
            Command::Mkdr(_) => Verb::Mkdr,
            Command::Chwd(_) => Verb::Chwd,
            Command::Size(_) => Verb::Size,
            Command::User(_) => Verb::User,
            Command::Pass(_) => Verb::Pass,
            Command::Quit => Verb::Quit,
            Command::Rnme { .. } => Verb::Rnme,
            Command::Noop => Verb::Noop,
            Command::Abor => Verb::Abor,
            Command::Mdtm(_) => Verb::Mdtm,
            Command::Feat => Verb::Feat,
            Command::Pwrd => Verb::Pwrd,
            Command::Wami => Verb::Wami,
        }
    }

    fn argument(&self) -> Vec<u8> {
        match self {
            Command::Retr(text)
            | Command::Stor(text)
            | Command::Dele(text)
            | Command::Rmdr(text)
            | Command::Mkdr(text)
            | Command::Chwd(text)
            | Command::Size(text)
            | Command::User(text)
            | Command::Mdtm(text) => text.clone(),
            Command::Pass(secret) => secret.as_bytes().to_vec(),
            Command::Rnme { old, new } => [&escaped(old)[..], b":", &escaped(new)].concat(),
            Command::List
            | Command::Quit
            | Command::Noop
            | Command::Abor
            | Command::Feat
            | Command::Pwrd
            | Command::Wami => Vec::new(),
        }
    }
}

/// One line a verb.
fn with_argument(verb: Verb, text: &[u8]) -> Result<Command, ParseError> {
    let some = || if text.is_empty() { Err(ParseError::Missing(verb)) } else { Ok(text.to_vec()) };
    let none = |command| {
        if text.trim_ascii().is_empty() { Ok(command) } else { Err(ParseError::Unexpected(verb)) }
    };
    match verb {
        Verb::List => none(Command::List),
        Verb::Retr => some().map(Command::Retr),
        Verb::Stor => some().map(Command::Stor),
        Verb::Dele => some().map(Command::Dele),
        Verb::Rmdr => some().map(Command::Rmdr),
        Verb::Mkdr => some().map(Command::Mkdr),
        Verb::Chwd => some().map(Command::Chwd),
        Verb::Size => some().map(Command::Size),
        Verb::User => some().map(Command::User),
        Verb::Pass => some().map(|text| Command::Pass(Secret::from(text))),
        Verb::Quit => none(Command::Quit),
        Verb::Rnme => two_names(&some()?).ok_or(ParseError::Invalid(verb)),
        Verb::Noop => none(Command::Noop),
        Verb::Abor => none(Command::Abor),
        Verb::Mdtm => some().map(Command::Mdtm),
        Verb::Feat => none(Command::Feat),
        Verb::Pwrd => none(Command::Pwrd),
        Verb::Wami => none(Command::Wami),
    }
}

/// `old:new`. A second colon or a backslash that is not written as it should be leaves open what
/// is meant, and a rename must not guess.
fn two_names(text: &[u8]) -> Option<Command> {
    let mut names = vec![Vec::new()];
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b':' => {
                names.push(Vec::new());
                continue;
            }
            b'\\' => bytes.next().filter(|byte| matches!(byte, b':' | b'\\'))?,
            other => other,
        };
        names.last_mut()?.push(byte);
    }
    let [old, new] = <[Path; 2]>::try_from(names).ok()?;
    (!old.is_empty() && !new.is_empty()).then_some(Command::Rnme { old, new })
}

fn escaped(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    for &byte in name {
        if matches!(byte, b':' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text
}

fn unknown(name: &[u8]) -> ParseError {
    if is_foreign(name) { ParseError::Foreign } else { ParseError::Unknown }
}
