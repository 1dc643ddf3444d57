//! Replies that inform: FEAT, HELP, STAT, SYST, OPTS, SITE HELP.

use wharfinger_protocol::digest::Algorithm;
use wharfinger_protocol::ftp::digest::hash_feature;
use wharfinger_protocol::ftp::facts::FactSet;
use wharfinger_protocol::ftp::parameter::Options;
use wharfinger_protocol::ftp::{Code, Reply, Site, Verb};

use crate::ftp::Link;
use crate::ftp::session::Session;

/// Entries in a line of HELP.
const HELP_COLUMNS: usize = 8;

/// RFC 959 §4.1.3 and what every client expects, since it decides how LIST is read.
pub(in crate::ftp) fn system() -> Reply {
    Reply::new(Code::SYSTEM_TYPE, "UNIX Type: L8")
}

/// RFC 2389 §3: each feature's line begins with a space. MLST's names the facts on offer, with
/// an asterisk at those that are on (RFC 3659 §7.8), HASH's the algorithms. STOR's tells a client
/// that it need not upload under another name first.
pub(in crate::ftp) fn features(link: &Link, facts: FactSet, algorithm: Algorithm) -> Reply {
    let mut reply = Reply::new(Code::SYSTEM_STATUS, "Features:");
    for verb in Verb::ALL {
        reply = match (verb, verb.feature()) {
            (_, None) => reply,
            (Verb::Stor, _) if !link.services.storage.publishes_whole() => reply,
            (Verb::Mlst, Some(_)) => {
                let mut line = b" ".to_vec();
                facts.write_feature(&mut line);
                reply.line(line)
            }
            (Verb::Hash, Some(_)) => reply.line(format!(" {}", hash_feature(algorithm))),
            (_, Some(name)) => reply.line(format!(" {name}")),
        };
    }
    reply.line("End.")
}

/// All verbs, or the syntax of one. RFC 959's table has 502 for a word that is none.
pub(in crate::ftp) fn help(topic: Option<&[u8]>) -> Reply {
    let Some(topic) = topic else {
        let mut reply = Reply::new(Code::HELP, "The commands are:");
        for row in Verb::ALL.chunks(HELP_COLUMNS) {
            let names: Vec<_> = row.iter().map(|verb| verb.name()).collect();
            reply = reply.line(format!(" {}", names.join(" ")));
        }
        return reply.line("HELP and a command gives its syntax.");
    };
    match Verb::from_name(topic.trim_ascii()) {
        Some(verb) => Reply::new(Code::HELP, format!("Syntax: {}", verb.help())),
        None => Reply::new(Code::NOT_IMPLEMENTED, "There is no such command."),
    }
}

/// LANG (RFC 2640 §4.1): replies are in English, of whatever country; no language is the default.
pub(in crate::ftp) fn language(asked_for: Option<&[u8]>) -> Reply {
    let primary = asked_for.and_then(|tag| tag.split(|&byte| byte == b'-').next()).unwrap_or(b"EN");
    if primary.eq_ignore_ascii_case(b"EN") {
        Reply::new(Code::OK, "Replies are in English.")
    } else {
        Reply::new(Code::BAD_PARAMETER, "Replies are in English only.")
    }
}

/// RFC 2389 §4. UTF-8 is always on, so asking for it is granted and asking against it is not.
pub(in crate::ftp) fn options(options: Options) -> Reply {
    match options {
        Options::Utf8(true) => Reply::new(Code::OK, "UTF-8 is always on."),
        Options::Utf8(false) => Reply::new(Code::BAD_ARGUMENT, "UTF-8 can't be turned off."),
        Options::Mlst(facts) => {
            let mut text = b"MLST OPTS ".to_vec();
            facts.write_to(&mut text);
            Reply::new(Code::OK, text)
        }
        Options::DeflateLevel(level) => Reply::new(Code::OK, format!("MODE Z LEVEL {level}")),
        Options::Hash(asked_for) => algorithm(asked_for.unwrap_or_default()),
    }
}

/// OPTS HASH: the algorithm that is on now (draft-bryan-ftpext-hash §3.1).
pub(in crate::ftp) fn algorithm(algorithm: Algorithm) -> Reply {
    Reply::new(Code::OK, algorithm.name())
}

/// SITE HELP: the syntax of all its commands, or of one. RFC 959's table has no 214 for SITE.
pub(in crate::ftp) fn site_help(word: Option<&[u8]>) -> Reply {
    let Some(word) = word else {
        let reply = Reply::new(Code::OK, "SITE has these commands:");
        return Site::SYNTAX
            .iter()
            .fold(reply, |reply, syntax| reply.line(format!(" {syntax}")))
            .line("End.");
    };
    let mut names = Site::SYNTAX.iter().filter_map(|syntax| Some((syntax.split(' ').nth(1)?, syntax)));
    match names.find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word)) {
        Some((_, syntax)) => Reply::new(Code::OK, format!("Syntax: {syntax}")),
        None => Reply::new(Code::BAD_ARGUMENT, "SITE has no such command."),
    }
}

pub(in crate::ftp) fn status_before_login(link: &Link) -> Reply {
    status_lines(link).line("Not logged in.").line("End of status.")
}

pub(in crate::ftp) fn status(session: &Session, link: &Link) -> Reply {
    let kind = if session.representation.text { "ASCII" } else { "image" };
    let mode = if session.representation.deflate { "deflate" } else { "stream" };
    let structure = if session.representation.records { "record" } else { "file" };
    let data = if link.private { "with TLS" } else { "in clear" };
    status_lines(link)
        .line(format!(" Logged in as {}.", session.user().username))
        .line(format!(" TYPE {kind}, STRU {structure}, MODE {mode}, data connections {data}."))
        .line("End of status.")
}

/// STAT during a transfer (RFC 959 §4.1.3).
pub(in crate::ftp) fn progress(bytes: u64) -> Reply {
    Reply::new(Code::SYSTEM_STATUS, format!("Transfer in progress: {bytes} bytes so far."))
}

fn status_lines(link: &Link) -> Reply {
    let protection = match &link.protection {
        Some(protection) => {
            format!(" Control connection: {} with {}.", protection.version, protection.cipher)
        }
        None => " Control connection: in clear.".to_owned(),
    };
    Reply::new(Code::SYSTEM_STATUS, "Wharfinger status:")
        .line(format!(" Connected from {}.", link.client.ip()))
        .line(protection)
}
