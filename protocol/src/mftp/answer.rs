//! Answers of MFTP: one line each, `AOK|ERR <code>[ data][ message]`, printed and read.
//!
//! Data and message are told apart by the code alone: behind 200 all of the
//! text is data, and behind 120 it begins with the data connection's address.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use crate::{
    number::{decimal, literal},
    words::{IntoText, Text, clean},
};

/// An answer.
///
/// The text is bytes: UTF-8 by rule, but a file name is sent as it is on disk.
/// Control bytes in it are printed as `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    code: Code,
    text: Text,
}

/// An answer's code: three digits, the first from 1 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u16);

/// A line is no answer. The connection is of no use after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line is no answer: it must begin with AOK or ERR and the code that goes with it")]
pub struct NoAnswer;

macro_rules! codes {
    ($($name:ident $number:literal $meaning:literal;)*) => {
        impl Code {
            /// Every code that this server gives.
            pub const ALL: &[Code] = &[$(Code::$name,)*];
            $(#[doc = concat!("`", stringify!($number), "` ", $meaning)] pub const $name: Code = Code($number);)*
        }
    };
}

codes! {
    OPENING 120 "opening the data channel";
    DATA 200 "success, with what was asked for";
    DONE 210 "success in the file system";
    READY 220 "ready";
    LOGGED_IN 230 "logged in";
    CLOSED 320 "data channel closed: the transfer is complete, or was aborted by ABOR";
    GOODBYE 321 "the connection is closed, after QUIT";
    READ_FAILED 410 "a file or a directory can't be read";
    WRITE_FAILED 411 "a file can't be written";
    FILE_SYSTEM_FAILED 412 "anything else in the file system that failed";
    NO_DATA_CHANNEL 420 "no data channel came about";
    TRANSFER_ABORTED 421 "the transfer was aborted, and not by ABOR";
    TRANSFER_RUNNING 422 "another transfer is running";
    UNAVAILABLE 423 "the server can't or won't go on; the connection is closed";
    FORBIDDEN 430 "the action is forbidden";
    UNKNOWN 500 "there is no such command";
    NO_ARGUMENT 501 "the command needs an argument";
    BAD_ARGUMENT 502 "the command's argument, or the line, is not valid";
    SWITCHED_OFF 503 "this server does not offer the command";
    OUT_OF_ORDER 504 "the command is not expected now";
    NOT_LOGGED_IN 530 "not logged in";
    NEED_PASSWORD 630 "the name is taken; the password is needed";
}

impl Code {
    /// The code with this number, from 100 to 699.
    pub const fn from_number(number: u16) -> Option<Code> {
        if number >= 100 && number < 700 { Some(Code(number)) } else { None }
    }

    /// The three digits as a number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether it says that something is wrong.
    pub const fn is_error(self) -> bool {
        matches!(self.0 / 100, 4 | 5)
    }

    /// The word in front of it.
    const fn word(self) -> &'static str {
        if self.is_error() { "ERR" } else { "AOK" }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Answer {
    /// An answer with this data or message, or both.
    pub fn new(code: Code, text: impl IntoText) -> Answer {
        Answer { code, text: clean(text.into_text()) }
    }

    /// The 120 that tells where the data channel is; an IPv6 scope has no place in it.
    pub fn opening(address: SocketAddr) -> Answer {
        let text = format!("([{}]:{}) Opening data channel", address.ip(), address.port());
        Answer::new(Code::OPENING, text)
    }

    /// Reads one line, without its line end.
    pub fn parse(line: &[u8]) -> Result<Answer, NoAnswer> {
        let (word, rest) = line.split_first_chunk::<4>().ok_or(NoAnswer)?;
        let (digits, text) = rest.split_first_chunk::<3>().ok_or(NoAnswer)?;
        let code = decimal(digits).and_then(Code::from_number).ok_or(NoAnswer)?;
        if word.strip_suffix(b" ") != Some(code.word().as_bytes()) {
            return Err(NoAnswer);
        }
        match text.split_first() {
            None => Ok(Answer::new(code, "")),
            Some((b' ', text)) => Ok(Answer::new(code, text.to_vec())),
            Some(_) => Err(NoAnswer),
        }
    }

    /// Appends the answer's line with CR LF.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{} {}", self.code.word(), self.code).as_bytes());
        if !self.text.is_empty() {
            out.push(b' ');
            out.extend_from_slice(&self.text);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// The answer's code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Data and message, as sent.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where the data channel is, as a 120 tells it: `([ADDRESS]:PORT)`.
    pub fn data_channel(&self) -> Option<SocketAddr> {
        let inner = self.text.strip_prefix(b"([")?;
        let end = memchr::memchr(b')', inner)?;
        let inner = inner.get(..end)?;
        let bracket = memchr::memchr(b']', inner)?;
        let (address, port) = inner.split_at(bracket);
        let port = decimal(port.strip_prefix(b"]:")?)?;
        Some(SocketAddr::new(literal::<IpAddr>(address)?, port))
    }
}
