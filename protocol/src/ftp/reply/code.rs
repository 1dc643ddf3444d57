//! Reply codes by name: those of RFC 959 §4.2.1 and of the RFCs after it that
//! this server answers with.
//!
//! The first digit says how it went; which code a command may get is the
//! server's business.

use std::fmt;

/// A reply code: three digits, the first from 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u16);

macro_rules! codes {
    ($($name:ident $number:literal $meaning:literal;)*) => {
        impl Code {
            $(#[doc = concat!("`", stringify!($number), "` ", $meaning)] pub const $name: Code = Code($number);)*
        }
    };
}

codes! {
    RESTART_MARKER 110 "restart marker";
    READY_LATER 120 "service ready in some minutes";
    TRANSFER_STARTING 125 "data connection already open; transfer starting";
    OPENING_DATA 150 "file status okay; about to open the data connection";
    OK 200 "command okay";
    SUPERFLUOUS 202 "command not implemented, superfluous here";
    SYSTEM_STATUS 211 "system status, or FEAT's list (RFC 2389)";
    DIRECTORY_STATUS 212 "directory status";
    FILE_STATUS 213 "file status; SIZE and MDTM (RFC 3659)";
    HELP 214 "help message";
    SYSTEM_TYPE 215 "system type";
    READY 220 "service ready for a new user";
    CLOSING 221 "service closes the control connection";
    DATA_OPEN 225 "data connection open; no transfer in progress";
    DATA_CLOSED 226 "data connection closed; transfer or abort done";
    ENTERING_PASSIVE 227 "entering passive mode";
    ENTERING_EXTENDED_PASSIVE 229 "entering extended passive mode (RFC 2428)";
    LOGGED_IN 230 "user logged in";
    LOGGED_IN_BY_CERTIFICATE 232 "user logged in, authorised by the security exchange (RFC 2228)";
    SECURITY_ACCEPTED 234 "security exchange begins (RFC 2228)";
    DONE 250 "requested file action done";
    PATH 257 "a path, made or asked for";
    NEED_PASSWORD 331 "user name okay, password needed";
    NEED_ACCOUNT 332 "account needed to log in";
    PENDING 350 "requested file action waits for more";
    UNAVAILABLE 421 "service not available; the control connection is closed";
    CANT_OPEN_DATA 425 "can't open the data connection";
    TRANSFER_ABORTED 426 "connection closed; transfer aborted";
    SECURITY_UNAVAILABLE 431 "a resource needed for security is not available (RFC 2228)";
    BUSY 450 "file action not taken; file busy";
    LOCAL_ERROR 451 "action aborted; local error";
    NO_SPACE 452 "action not taken; not enough space";
    UNRECOGNISED 500 "syntax error, command unrecognised";
    BAD_ARGUMENT 501 "syntax error in an argument";
    NOT_IMPLEMENTED 502 "command not implemented";
    BAD_SEQUENCE 503 "bad sequence of commands";
    BAD_PARAMETER 504 "command not implemented for that parameter";
    PROTECTION_UNUSABLE 521 "data connection can't be opened with this PROT setting (RFC 4217)";
    UNSUPPORTED_FAMILY 522 "network protocol not supported (RFC 2428)";
    DATA_NOT_SECURE 522 "data connection not secured as the server requires (RFC 4217)";
    NOT_LOGGED_IN 530 "not logged in";
    NEED_ACCOUNT_TO_STORE 532 "account needed to store files";
    PROTECTION_DENIED 533 "command protection level denied for policy (RFC 2228)";
    POLICY_DENIED 534 "request denied for policy (RFC 2228)";
    SECURITY_FAILED 535 "failed security check (RFC 2228)";
    PROTECTION_UNSUPPORTED 536 "PROT level not supported by the mechanism (RFC 2228)";
    FILE_UNAVAILABLE 550 "action not taken; file not found or no access";
    PAGE_TYPE_UNKNOWN 551 "action aborted; page type unknown";
    QUOTA_EXCEEDED 552 "file action aborted; storage allocation exceeded";
    NAME_NOT_ALLOWED 553 "action not taken; file name not allowed";
}

impl Code {
    /// The code with this number, if it can be one.
    pub const fn from_number(number: u16) -> Option<Code> {
        match number {
            100..=599 => Some(Code(number)),
            _ => None,
        }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether the server has more to say to this command (1yz).
    pub const fn is_preliminary(self) -> bool {
        self.0 < 200
    }

    /// Whether the command failed, for now (4yz) or for good (5yz).
    pub const fn is_failure(self) -> bool {
        self.0 >= 400
    }

    /// The three digits as they stand on the wire.
    pub(crate) fn digits(self) -> [u8; 3] {
        let digit = |number: u16| b"0123456789".get(usize::from(number % 10)).copied().unwrap_or(b'0');
        [digit(self.0 / 100), digit(self.0 / 10), digit(self.0)]
    }

    pub(crate) fn from_digits(digits: [u8; 3]) -> Option<Code> {
        digits.iter().all(u8::is_ascii_digit).then_some(())?;
        Code::from_number(digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
