//! Errors and states into words and codes: the only file of this dialect that chooses them.
//! Which codes a command may get is RFC 959 §5.4's table.

mod errors;
mod information;

use std::net::SocketAddr;

use wharfinger_protocol::ftp::{Code, ParseError, Reply, Verb};

use super::Link;
use crate::channel::NoChannel;
use crate::conversation::Notice;
use crate::registry::{Ending, Refusal};

pub(super) use errors::{refused, transfer_failed};
pub(super) use information::{
    algorithm, features, help, language, options, progress, site_help, status, status_before_login, system,
};

pub(super) fn noop() -> Reply {
    Reply::new(Code::OK, "OK.")
}

pub(super) fn goodbye() -> Reply {
    Reply::new(Code::CLOSING, "Goodbye.")
}

pub(super) fn ready_again() -> Reply {
    Reply::new(Code::READY, "Ready for a new user.")
}

pub(super) fn superfluous() -> Reply {
    Reply::new(Code::SUPERFLUOUS, "Not needed here.")
}

pub(super) fn not_implemented(verb: Verb) -> Reply {
    Reply::new(Code::NOT_IMPLEMENTED, format!("{verb} is not offered here."))
}

/// A line that is no command, or whose argument is wrong.
pub(super) fn misread(error: ParseError) -> Reply {
    let code = match error {
        ParseError::Unknown
        | ParseError::Foreign
        // RFC 959's table has no 504 for SITE.
        | ParseError::Unsupported(Verb::Site)
        // Nor a 501 for these three.
        | ParseError::Unexpected(Verb::Noop | Verb::Quit | Verb::Rein)
        | ParseError::Invalid(Verb::Noop | Verb::Quit | Verb::Rein) => Code::UNRECOGNISED,
        ParseError::Missing(_)
        | ParseError::Unexpected(_)
        | ParseError::Invalid(_)
        // RFC 2389 §4: OPTS knows 501 alone for what it can't do.
        | ParseError::Unsupported(Verb::Opts) => Code::BAD_ARGUMENT,
        ParseError::Unsupported(_) => Code::BAD_PARAMETER,
        ParseError::Family(_) => Code::UNSUPPORTED_FAMILY,
    };
    Reply::new(code, error.to_string())
}

/// Said to HTTP and SMTP before the connection is closed.
pub(super) fn foreign() -> Reply {
    Reply::new(Code::UNAVAILABLE, ParseError::Foreign.to_string())
}

/// RFC 959's table has no 530 for PWD.
pub(super) fn not_logged_in(verb: Verb) -> Reply {
    let code = if verb == Verb::Pwd { Code::FILE_UNAVAILABLE } else { Code::NOT_LOGGED_IN };
    Reply::new(code, "Log in with USER and PASS first.")
}

pub(super) fn tls_needed(verb: Verb) -> Reply {
    let code = match verb {
        Verb::Pwd => Code::FILE_UNAVAILABLE,
        // RFC 4217 §8 and §9: out of sequence before AUTH.
        Verb::Pbsz | Verb::Prot => Code::BAD_SEQUENCE,
        // RFC 2228 §3: there is no protection to leave.
        Verb::Ccc => Code::PROTECTION_DENIED,
        // RFC 959's table has no 530 for REIN.
        Verb::Rein => Code::NOT_IMPLEMENTED,
        _ => Code::NOT_LOGGED_IN,
    };
    Reply::new(code, "This server needs TLS: send AUTH TLS first.")
}

pub(super) fn too_late_for_host() -> Reply {
    Reply::new(Code::BAD_SEQUENCE, "HOST comes before USER.")
}

pub(super) fn unknown_host() -> Reply {
    Reply::new(Code::BAD_PARAMETER, "This server does not go by that name here.")
}

pub(super) fn certified() -> Reply {
    Reply::new(Code::LOGGED_IN_BY_CERTIFICATE, "Logged in by certificate.")
}

pub(super) fn login_failed() -> Reply {
    Reply::new(Code::NOT_LOGGED_IN, "Login incorrect.")
}

pub(super) fn too_many_failures() -> Reply {
    Reply::new(Code::UNAVAILABLE, "Login incorrect; too many failures, closing.")
}

pub(super) fn banned() -> Reply {
    Reply::new(Code::UNAVAILABLE, "Too many failed logins from your address; try again later.")
}

/// Told to nobody without the right password. Not 530, which clients take for a wrong password and
/// ask the user for another.
pub(super) fn too_many_sessions() -> Reply {
    Reply::new(Code::UNAVAILABLE, "You have as many sessions as you may; close one and try again.")
}

pub(super) fn login_unavailable() -> Reply {
    Reply::new(Code::UNAVAILABLE, "Logins are temporarily unavailable; try again later.")
}

pub(super) fn logged_in_already() -> Reply {
    // RFC 959's table has no 503 for USER.
    Reply::new(Code::NOT_LOGGED_IN, "You are logged in; send REIN to change the user.")
}

pub(super) fn in_clear_now() -> Reply {
    Reply::new(Code::OK, "The control connection goes on in clear.")
}

/// CCC (RFC 2228 §3, RFC 4217) before the login, or where the operator does not allow it.
pub(super) fn ccc_refused(link: &Link) -> Reply {
    match link.protection {
        Some(_) => Reply::new(Code::POLICY_DENIED, "The control connection stays protected."),
        None => Reply::new(Code::PROTECTION_DENIED, "The control connection is not protected."),
    }
}

/// A refusal of an address says the same whatever the reason.
pub(super) fn no_channel(refusal: NoChannel, link: &Link) -> Reply {
    match refusal {
        NoChannel::Unprotected => {
            Reply::new(Code::DATA_NOT_SECURE, "Data connections need TLS: send PBSZ 0 and PROT P first.")
        }
        NoChannel::NotAgreed => Reply::new(Code::CANT_OPEN_DATA, "Send EPSV, PASV, EPRT or PORT first."),
        NoChannel::NoPort => {
            Reply::new(Code::CANT_OPEN_DATA, "No port for a data connection is free; try again later.")
        }
        NoChannel::OtherFamily => other_family(link.local),
        NoChannel::Elsewhere => {
            Reply::new(Code::BAD_ARGUMENT, "Only your own address and ports from 1024 on.")
        }
    }
}

pub(super) fn no_tls() -> Reply {
    Reply::new(Code::SECURITY_UNAVAILABLE, "TLS can't be begun now.")
}

pub(super) fn only_extended_passive() -> Reply {
    Reply::new(Code::BAD_ARGUMENT, "After EPSV ALL there is only EPSV.")
}

/// RFC 959's table has no 522 for PORT.
pub(super) fn port_is_for_ipv4() -> Reply {
    Reply::new(Code::BAD_ARGUMENT, "PORT is for IPv4; use EPRT.")
}

/// RFC 2428 §2: 522 names the families that would do.
pub(super) fn other_family(local: SocketAddr) -> Reply {
    let family = if local.is_ipv4() { 1 } else { 2 };
    Reply::new(Code::UNSUPPORTED_FAMILY, format!("Network protocol not supported, use ({family})."))
}

pub(super) fn aborted() -> Reply {
    Reply::new(Code::TRANSFER_ABORTED, "Transfer aborted.")
}

pub(super) fn abort_done() -> Reply {
    Reply::new(Code::DATA_CLOSED, "Abort done.")
}

pub(super) fn nothing_to_abort() -> Reply {
    Reply::new(Code::DATA_OPEN, "No transfer to abort.")
}

/// Instead of a greeting.
pub(crate) fn turned_away(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Banned => "421 Too many failed logins from your address; try again later.\r\n",
        Refusal::Full => "421 Too many sessions; try again later.\r\n",
        Refusal::FullForAddress => "421 Too many sessions from your address; close one.\r\n",
        Refusal::Draining => "421 The server is stopping.\r\n",
    }
}

/// What the connection has come to, outside of any command.
pub(super) fn notice(notice: Notice) -> Reply {
    match notice {
        Notice::LineTooLong => Reply::new(Code::UNRECOGNISED, "The line is too long."),
        Notice::ClearTextAfterUpgrade => {
            Reply::new(Code::BAD_SEQUENCE, "Commands in clear behind AUTH; nothing of them was run. Closing.")
        }
        Notice::TransferEnded => Reply::new(Code::TRANSFER_ABORTED, "Transfer ended by the server."),
        Notice::Ended(Ending::Account) => {
            Reply::new(Code::UNAVAILABLE, "The account may not be used any more.")
        }
        Notice::Ended(Ending::Administrator) => {
            Reply::new(Code::UNAVAILABLE, "An administrator has ended the session.")
        }
        Notice::Ended(Ending::Draining | Ending::Stopping) => {
            Reply::new(Code::UNAVAILABLE, "The server is stopping.")
        }
        Notice::Idle => Reply::new(Code::UNAVAILABLE, "Nothing heard for too long, closing."),
        Notice::LoginTimeout => Reply::new(Code::UNAVAILABLE, "No login in time, closing."),
    }
}
