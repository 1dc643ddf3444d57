//! Commands read from lines: the RFCs' examples and what clients really send.

use wharfinger_protocol::Secret;
use wharfinger_protocol::digest::Algorithm;
use wharfinger_protocol::ftp::{
    Command, Site,
    attributes::Attributes,
    digest::{Portion, hash_feature},
    facts::{Fact, FactSet},
    parameter::{
        Allocation, ExtendedPassive, Family, Form, Mechanism, Mode, Options, Protection, Structure, Type,
    },
};

fn holds(table: impl IntoIterator<Item = (&'static str, Command)>) {
    for (line, command) in table {
        assert_eq!(Command::parse(line.as_bytes()), Ok(command), "{line:?}");
    }
}

fn path(path: &str) -> Vec<u8> {
    path.as_bytes().to_vec()
}

#[test]
fn access_commands_are_read() {
    let secret = |text: &str| Secret::from(path(text));
    holds([
        ("USER anonymous", Command::User(path("anonymous"))),
        ("user Waldo", Command::User(path("Waldo"))),
        ("PASS two  words ", Command::Pass(secret("two  words "))),
        ("PASS", Command::Pass(Secret::default())),
        ("ACCT 42", Command::Acct(secret("42"))),
        ("AUTH TLS", Command::Auth(Mechanism::Tls)),
        ("AUTH tls-c", Command::Auth(Mechanism::TlsC)),
        ("AUTH SSL", Command::Auth(Mechanism::Ssl)),
        ("AUTH TLS-P", Command::Auth(Mechanism::TlsP)),
        ("PBSZ 0", Command::Pbsz(0)),
        ("PROT P", Command::Prot(Protection::Private)),
        ("PROT c", Command::Prot(Protection::Clear)),
        ("CCC", Command::Ccc),
        ("REIN", Command::Rein),
        ("QUIT ", Command::Quit),
    ]);
}

#[test]
fn a_path_is_everything_after_the_first_space() {
    holds([
        ("RETR a b ", Command::Retr(path("a b "))),
        ("RETR  a", Command::Retr(path(" a"))),
        ("STOR -x", Command::Stor(path("-x"))),
        ("XMKD d", Command::Mkd(path("d"))),
        ("STOU", Command::Stou(None)),
        ("STOU a", Command::Stou(Some(path("a")))),
        ("MLSD", Command::Mlsd(None)),
        ("AVBL", Command::Avbl(None)),
        ("AVBL a b", Command::Avbl(Some(path("a b")))),
        ("MLST é", Command::Mlst(Some(path("é")))),
        ("SIZE a", Command::Size(path("a"))),
        ("HELP site", Command::Help(Some(path("site")))),
    ]);
    assert_eq!(Command::parse(b"DELE \xE9\xFF"), Ok(Command::Dele(b"\xE9\xFF".to_vec())));
}

#[test]
fn options_of_ls_are_passed_over() {
    for (arguments, expected) in [
        ("", None),
        (" ", None),
        (" -la", None),
        (" -a -l", None),
        (" -1", None),
        (" -aLF ", None),
        (" -l dir", Some("dir")),
        (" -la  /", Some("/")),
        ("  name", Some(" name")),
        (" -a -l a b", Some("a b")),
        (" dir -l", Some("dir -l")),
        (" -", Some("-")),
        (" -old.txt", Some("-old.txt")),
        (" ./-a", Some("./-a")),
    ] {
        let expected = expected.map(path);
        assert_eq!(
            Command::parse(format!("LIST{arguments}").as_bytes()),
            Ok(Command::List(expected.clone()))
        );
        assert_eq!(Command::parse(format!("NLST{arguments}").as_bytes()), Ok(Command::Nlst(expected)));
    }
    holds([
        ("STAT", Command::Stat(None)),
        ("STAT  ", Command::Stat(None)),
        ("STAT -l", Command::Stat(Some(path(".")))),
        ("STAT -l dir", Command::Stat(Some(path("dir")))),
    ]);
}

#[test]
fn parameters_are_read() {
    holds([
        ("TYPE A", Command::Type(Type::Ascii(Form::NonPrint))),
        ("type a n", Command::Type(Type::Ascii(Form::NonPrint))),
        ("TYPE A T", Command::Type(Type::Ascii(Form::Telnet))),
        ("TYPE E C", Command::Type(Type::Ebcdic(Form::CarriageControl))),
        ("TYPE I", Command::Type(Type::Image)),
        ("TYPE L 8", Command::Type(Type::Local(8))),
        ("TYPE L36", Command::Type(Type::Local(36))),
        ("STRU R", Command::Stru(Structure::Record)),
        ("MODE s", Command::Mode(Mode::Stream)),
        ("MODE Z", Command::Mode(Mode::Deflate)),
        ("REST 18446744073709551615", Command::Rest(u64::MAX)),
        ("RANG 0 49", Command::Rang(Some(0..=49))),
        ("RANG 7  7 ", Command::Rang(Some(7..=7))),
        ("RANG 1 0", Command::Rang(None)),
        ("RANG 0 18446744073709551615", Command::Rang(Some(0..=u64::MAX))),
        ("ALLO 10", Command::Allo(Allocation { bytes: 10, record: None })),
        ("ALLO 10 R 80", Command::Allo(Allocation { bytes: 10, record: Some(80) })),
        ("OPTS UTF8 ON", Command::Opts(Options::Utf8(true))),
        ("opts utf8 on", Command::Opts(Options::Utf8(true))),
        ("OPTS UTF-8", Command::Opts(Options::Utf8(true))),
        ("OPTS UTF8 OFF", Command::Opts(Options::Utf8(false))),
    ]);
}

#[test]
fn data_addresses_are_read() {
    holds([
        ("PORT 132,235,1,2,24,131", Command::Port("132.235.1.2:6275".parse().unwrap())),
        // RFC 2428 §2.
        ("EPRT |1|132.235.1.2|6275|", Command::Eprt("132.235.1.2:6275".parse().unwrap())),
        (
            "EPRT |2|1080::8:800:200C:417A|5282|",
            Command::Eprt("[1080::8:800:200C:417A]:5282".parse().unwrap()),
        ),
        ("EPSV", Command::Epsv(ExtendedPassive::Any)),
        ("EPSV 1", Command::Epsv(ExtendedPassive::Family(Family::V4))),
        ("EPSV 2", Command::Epsv(ExtendedPassive::Family(Family::V6))),
        ("EPSV all", Command::Epsv(ExtendedPassive::All)),
    ]);
}

#[test]
fn a_time_to_set_is_followed_by_a_path() {
    holds([(
        "MFMT 20020717210715 a file",
        Command::Mfmt("2002-07-17T21:07:15Z".parse().unwrap(), path("a file")),
    )]);
}

#[test]
fn facts_to_set_are_followed_by_a_path() {
    let modified = Some("2002-07-17T21:07:15Z".parse().unwrap());
    holds([
        (
            "MFF modify=20020717210715; a file",
            Command::Mff(Attributes { modified, mode: None }, path("a file")),
        ),
        (
            "MFF Unix.MODE=0640;Modify=20020717210715; a",
            Command::Mff(Attributes { modified, mode: Some(0o640) }, path("a")),
        ),
    ]);
}

#[test]
fn the_site_s_commands_are_read() {
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    holds([
        ("SITE HELP", Command::Site(Site::Help(None))),
        ("SITE help chmod", Command::Site(Site::Help(Some(path("chmod"))))),
        ("SITE CHMOD 644 a b", Command::Site(Site::Chmod(0o644, path("a b")))),
        ("SITE chmod 0750 a", Command::Site(Site::Chmod(0o750, path("a")))),
        (
            "SITE UTIME 200207172107 a b",
            Command::Site(Site::Utime(time("2002-07-17T21:07:00Z"), path("a b"))),
        ),
        ("SITE UTIME 20020717210715 a", Command::Site(Site::Utime(time("2002-07-17T21:07:15Z"), path("a")))),
        (
            "SITE UTIME a b 20010101000000 20020717210715 20030101000000 UTC",
            Command::Site(Site::Utime(time("2002-07-17T21:07:15Z"), path("a b"))),
        ),
        ("SITE CPFR a b", Command::Site(Site::CopyFrom(path("a b")))),
        ("SITE CPTO /a", Command::Site(Site::CopyTo(path("/a")))),
    ]);
}

#[test]
fn a_part_of_a_file_can_be_named() {
    for (argument, name, start, end) in [
        ("a", "a", 0, None),
        ("a b", "a b", 0, None),
        ("a b 5", "a b", 5, None),
        ("a 5 10", "a", 5, Some(10)),
        ("1 2 3 4", "1 2", 3, Some(4)),
        ("5", "5", 0, None),
        ("\"a b 5\"", "a b 5", 0, None),
        ("\"a \"b\" 5\" 6  7", "a \"b\" 5", 6, Some(7)),
        ("\"a", "\"a", 0, None),
    ] {
        let portion = Portion { path: path(name), start, end };
        assert_eq!(Command::parse(format!("XSHA256 {argument}").as_bytes()), Ok(Command::Xsha256(portion)));
    }
    holds([
        ("HASH a 5", Command::Hash(path("a 5"))),
        ("OPTS MODE Z LEVEL 9", Command::Opts(Options::DeflateLevel(9))),
        ("OPTS HASH", Command::Opts(Options::Hash(None))),
        ("OPTS HASH sha-1", Command::Opts(Options::Hash(Some(Algorithm::Sha1)))),
    ]);
    assert_eq!(hash_feature(Algorithm::Md5), "HASH SHA-256;SHA-512;SHA-1;MD5*;CRC32");
}

#[test]
fn language_and_host_are_read() {
    let host = |name: &str| Command::Host(name.to_owned());
    holds([
        ("LANG", Command::Lang(None)),
        ("LANG en", Command::Lang(Some(path("en")))),
        ("HOST ftp.example.com", host("ftp.example.com")),
        ("HOST 192.0.2.33", host("192.0.2.33")),
        ("HOST [2001:db8::c000:201]", host("[2001:db8::c000:201]")),
    ]);
}

#[test]
fn facts_are_chosen_in_any_order_and_unknown_ones_left_out() {
    // RFC 3659 §7.9, with a fact that is not ours.
    let chosen = FactSet::NONE.with(Fact::Type).with(Fact::UnixMode);
    holds([
        ("OPTS MLST unix.mode;lang;Type;", Command::Opts(Options::Mlst(chosen))),
        ("OPTS MLST", Command::Opts(Options::Mlst(FactSet::NONE))),
    ]);
    let mut line = Vec::new();
    chosen.write_feature(&mut line);
    assert_eq!(line, b"MLST type*;size;modify;perm;unique;UNIX.mode*;");
}

#[test]
fn debug_shows_no_password() {
    let command = Command::parse(b"PASS hunter2").unwrap();
    assert_eq!(format!("{command:?}"), "Pass(Secret)");
}
