//! Other protocols' first words: who hears them on a control connection is spoken to by a browser
//! or a mail program that somebody has sent to the wrong server (ALPACA), and hangs up.

/// Whether HTTP or SMTP begins a line with this word.
pub(crate) fn is_foreign(name: &[u8]) -> bool {
    FOREIGN.iter().any(|verb| verb.eq_ignore_ascii_case(name))
}

/// Verbs with which HTTP and SMTP begin a line, less those that are ours.
const FOREIGN: [&[u8]; 18] = [
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"DELETE",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PATCH",
    b"PRI",
    b"HELO",
    b"EHLO",
    b"LHLO",
    b"MAIL",
    b"RCPT",
    b"DATA",
    b"BDAT",
    b"STARTTLS",
];
