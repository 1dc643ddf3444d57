//! From a command to its line: what a client sends, and what the round-trip
//! properties hold the parser to.

use std::ops::RangeInclusive;

use super::Command;
use crate::{
    ftp::{
        Verb, address,
        parameter::{
            Allocation, ExtendedPassive, Family, Form, Mechanism, Mode, Options, Protection, Structure, Type,
        },
    },
    line::IAC,
    time,
};

/// An argument holds a control byte, so no line can carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the argument of {0} holds a control byte")]
pub struct ControlByte(Verb);

pub(super) fn command(command: &Command, out: &mut Vec<u8>) -> Result<(), ControlByte> {
    let verb = verb(command);
    let mut text = Vec::new();
    argument(command, &mut text);
    if text.iter().any(u8::is_ascii_control) {
        return Err(ControlByte(verb));
    }
    out.extend_from_slice(verb.name().as_bytes());
    if !text.is_empty() {
        out.push(b' ');
    }
    for byte in text {
        out.push(byte);
        if byte == IAC {
            out.push(IAC);
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn argument(command: &Command, out: &mut Vec<u8>) {
    match command {
        Command::Rein
        | Command::Quit
        | Command::Ccc
        | Command::Cdup
        | Command::Pwd
        | Command::Abor
        | Command::Pasv
        | Command::Syst
        | Command::Noop
        | Command::Feat => {}
        Command::User(text)
        | Command::Cwd(text)
        | Command::Mkd(text)
        | Command::Rmd(text)
        | Command::Smnt(text)
        | Command::Retr(text)
        | Command::Stor(text)
        | Command::Appe(text)
        | Command::Rnfr(text)
        | Command::Rnto(text)
        | Command::Dele(text)
        | Command::Size(text)
        | Command::Mdtm(text)
        | Command::Hash(text)
        | Command::Clnt(text) => out.extend_from_slice(text),
        Command::Stou(text)
        | Command::Mlsd(text)
        | Command::Mlst(text)
        | Command::Avbl(text)
        | Command::Lang(text)
        | Command::Help(text) => {
            out.extend_from_slice(text.as_deref().unwrap_or_default());
        }
        Command::List(path) | Command::Nlst(path) | Command::Stat(path) => {
            listed(out, path.as_deref().unwrap_or_default());
        }
        Command::Pass(secret) | Command::Acct(secret) => out.extend_from_slice(secret.as_bytes()),
        Command::Auth(mechanism) => out.extend_from_slice(mechanism_name(*mechanism)),
        Command::Prot(level) => out.push(protection_letter(*level)),
        Command::Pbsz(size) => digits(out, u64::from(*size)),
        Command::Rest(offset) => digits(out, *offset),
        Command::Rang(range) => ranged(out, range.as_ref()),
        Command::Allo(allocation) => allocated(out, *allocation),
        Command::Mfmt(time, path) => {
            time::write(out, *time);
            out.push(b' ');
            out.extend_from_slice(path);
        }
        Command::Mff(attributes, path) => {
            attributes.write_to(out);
            out.push(b' ');
            out.extend_from_slice(path);
        }
        Command::Host(name) => out.extend_from_slice(name.as_bytes()),
        Command::Site(site) => site.write_to(out),
        Command::Xcrc(portion)
        | Command::Xmd5(portion)
        | Command::Xsha1(portion)
        | Command::Xsha256(portion)
        | Command::Xsha512(portion) => portion.write_to(out),
        Command::Type(value) => file_type(out, *value),
        Command::Stru(structure) => out.push(structure_letter(*structure)),
        Command::Mode(mode) => out.push(mode_letter(*mode)),
        Command::Port(address) => address::write_port(out, *address),
        Command::Eprt(address) => address::write_extended(out, *address),
        Command::Epsv(argument) => out.extend_from_slice(extended_passive(*argument)),
        Command::Opts(value) => options(out, *value),
    }
}

/// A path that begins with a hyphen would be taken for options, by any server.
fn listed(out: &mut Vec<u8>, path: &[u8]) {
    if path.trim_ascii_start().starts_with(b"-") {
        out.extend_from_slice(b"./");
    }
    out.extend_from_slice(path);
}

fn digits(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

/// `1 0`, which is no range, takes the one before back.
fn ranged(out: &mut Vec<u8>, range: Option<&RangeInclusive<u64>>) {
    let (first, last) = range.map_or((1, 0), |range| (*range.start(), *range.end()));
    digits(out, first);
    out.push(b' ');
    digits(out, last);
}

fn allocated(out: &mut Vec<u8>, allocation: Allocation) {
    digits(out, allocation.bytes);
    if let Some(record) = allocation.record {
        out.extend_from_slice(b" R ");
        digits(out, record);
    }
}

fn file_type(out: &mut Vec<u8>, value: Type) {
    let form = |form| match form {
        Form::NonPrint => b" N",
        Form::Telnet => b" T",
        Form::CarriageControl => b" C",
    };
    match value {
        Type::Ascii(control) => out.extend([b"A", &form(control)[..]].concat()),
        Type::Ebcdic(control) => out.extend([b"E", &form(control)[..]].concat()),
        Type::Image => out.push(b'I'),
        Type::Local(bits) => {
            out.extend_from_slice(b"L ");
            digits(out, u64::from(bits));
        }
    }
}

const fn structure_letter(structure: Structure) -> u8 {
    match structure {
        Structure::File => b'F',
        Structure::Record => b'R',
        Structure::Page => b'P',
    }
}

const fn mode_letter(mode: Mode) -> u8 {
    match mode {
        Mode::Stream => b'S',
        Mode::Block => b'B',
        Mode::Compressed => b'C',
        Mode::Deflate => b'Z',
    }
}

const fn mechanism_name(mechanism: Mechanism) -> &'static [u8] {
    match mechanism {
        Mechanism::Tls => b"TLS",
        Mechanism::TlsC => b"TLS-C",
        Mechanism::Ssl => b"SSL",
        Mechanism::TlsP => b"TLS-P",
    }
}

const fn protection_letter(protection: Protection) -> u8 {
    match protection {
        Protection::Clear => b'C',
        Protection::Safe => b'S',
        Protection::Confidential => b'E',
        Protection::Private => b'P',
    }
}

const fn extended_passive(argument: ExtendedPassive) -> &'static [u8] {
    match argument {
        ExtendedPassive::Any => b"",
        ExtendedPassive::Family(Family::V4) => b"1",
        ExtendedPassive::Family(Family::V6) => b"2",
        ExtendedPassive::All => b"ALL",
    }
}

fn options(out: &mut Vec<u8>, value: Options) {
    match value {
        Options::Utf8(on) => out.extend_from_slice(if on { b"UTF8 ON" } else { b"UTF8 OFF" }),
        Options::Mlst(facts) => {
            out.extend_from_slice(b"MLST ");
            facts.write_to(out);
        }
        Options::DeflateLevel(level) => out.extend_from_slice(format!("MODE Z LEVEL {level}").as_bytes()),
        Options::Hash(None) => out.extend_from_slice(b"HASH"),
        Options::Hash(Some(algorithm)) => out.extend([b"HASH ", algorithm.name().as_bytes()].concat()),
    }
}

pub(super) const fn verb(command: &Command) -> Verb {
    match command {
        Command::User(..) => Verb::User,
        Command::Pass(..) => Verb::Pass,
        Command::Acct(..) => Verb::Acct,
        Command::Rein => Verb::Rein,
        Command::Quit => Verb::Quit,
        Command::Auth(..) => Verb::Auth,
        Command::Pbsz(..) => Verb::Pbsz,
        Command::Prot(..) => Verb::Prot,
        Command::Ccc => Verb::Ccc,
        Command::Cwd(..) => Verb::Cwd,
        Command::Cdup => Verb::Cdup,
        Command::Pwd => Verb::Pwd,
        Command::Mkd(..) => Verb::Mkd,
        Command::Rmd(..) => Verb::Rmd,
        Command::Smnt(..) => Verb::Smnt,
        Command::Retr(..) => Verb::Retr,
        Command::Stor(..) => Verb::Stor,
        Command::Stou(..) => Verb::Stou,
        Command::Appe(..) => Verb::Appe,
        Command::Allo(..) => Verb::Allo,
        Command::Rest(..) => Verb::Rest,
        Command::Rang(..) => Verb::Rang,
        Command::Rnfr(..) => Verb::Rnfr,
        Command::Rnto(..) => Verb::Rnto,
        Command::Dele(..) => Verb::Dele,
        Command::Abor => Verb::Abor,
        Command::List(..) => Verb::List,
        Command::Nlst(..) => Verb::Nlst,
        Command::Mlsd(..) => Verb::Mlsd,
        Command::Mlst(..) => Verb::Mlst,
        Command::Stat(..) => Verb::Stat,
        Command::Size(..) => Verb::Size,
        Command::Mdtm(..) => Verb::Mdtm,
        Command::Mfmt(..) => Verb::Mfmt,
        Command::Mff(..) => Verb::Mff,
        Command::Avbl(..) => Verb::Avbl,
        Command::Hash(..) => Verb::Hash,
        Command::Xcrc(..) => Verb::Xcrc,
        Command::Xmd5(..) => Verb::Xmd5,
        Command::Xsha1(..) => Verb::Xsha1,
        Command::Xsha256(..) => Verb::Xsha256,
        Command::Xsha512(..) => Verb::Xsha512,
        Command::Type(..) => Verb::Type,
        Command::Stru(..) => Verb::Stru,
        Command::Mode(..) => Verb::Mode,
        Command::Port(..) => Verb::Port,
        Command::Pasv => Verb::Pasv,
        Command::Eprt(..) => Verb::Eprt,
        Command::Epsv(..) => Verb::Epsv,
        Command::Opts(..) => Verb::Opts,
        Command::Lang(..) => Verb::Lang,
        Command::Host(..) => Verb::Host,
        Command::Syst => Verb::Syst,
        Command::Noop => Verb::Noop,
        Command::Help(..) => Verb::Help,
        Command::Feat => Verb::Feat,
        Command::Clnt(..) => Verb::Clnt,
        Command::Site(..) => Verb::Site,
    }
}
