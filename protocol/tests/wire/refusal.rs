//! Lines that are no command, and why.

use proptest::prelude::*;
use wharfinger_protocol::ftp::{Command, ParseError, Verb};

fn error(line: &str) -> ParseError {
    match Command::parse(line.as_bytes()) {
        Err(error) => error,
        Ok(command) => unreachable!("{line:?} is {command:?}"),
    }
}

#[test]
fn what_is_no_verb_is_unknown() {
    for line in ["", " ", " NOOP", "NOOPS", "NOOP\t", "\x1b[A", "LANG\0"] {
        assert_eq!(error(line), ParseError::Unknown, "{line:?}");
    }
}

#[test]
fn http_and_smtp_are_foreign() {
    for line in ["GET / HTTP/1.1", "post /", "EHLO mail.example", "MAIL FROM:<a@b>", "DATA"] {
        assert_eq!(error(line), ParseError::Foreign, "{line:?}");
    }
}

#[test]
fn an_argument_must_be_there() {
    for verb in [
        Verb::User,
        Verb::Acct,
        Verb::Auth,
        Verb::Pbsz,
        Verb::Prot,
        Verb::Cwd,
        Verb::Mkd,
        Verb::Rmd,
        Verb::Smnt,
        Verb::Retr,
        Verb::Stor,
        Verb::Appe,
        Verb::Allo,
        Verb::Rest,
        Verb::Rang,
        Verb::Rnfr,
        Verb::Rnto,
        Verb::Dele,
        Verb::Size,
        Verb::Mdtm,
        Verb::Mfmt,
        Verb::Mff,
        Verb::Hash,
        Verb::Xcrc,
        Verb::Xmd5,
        Verb::Xsha1,
        Verb::Xsha256,
        Verb::Xsha512,
        Verb::Type,
        Verb::Stru,
        Verb::Mode,
        Verb::Port,
        Verb::Eprt,
        Verb::Opts,
        Verb::Host,
        Verb::Clnt,
        Verb::Site,
    ] {
        assert_eq!(error(verb.name()), ParseError::Missing(verb));
        assert_eq!(error(&format!("{verb} ")), ParseError::Missing(verb));
    }
    assert_eq!(error("MFMT 20020717210715"), ParseError::Missing(Verb::Mfmt));
    assert_eq!(error("MFMT 20020717210715 "), ParseError::Missing(Verb::Mfmt));
    assert_eq!(error("MFF UNIX.mode=644;"), ParseError::Missing(Verb::Mff));
    for line in ["SITE CPFR", "SITE CPTO ", "SITE CHMOD", "SITE CHMOD 644", "SITE UTIME 200207172107"] {
        assert_eq!(error(line), ParseError::Missing(Verb::Site), "{line}");
    }
}

#[test]
fn an_argument_must_not_be_there() {
    for verb in [
        Verb::Rein,
        Verb::Quit,
        Verb::Ccc,
        Verb::Cdup,
        Verb::Pwd,
        Verb::Abor,
        Verb::Pasv,
        Verb::Syst,
        Verb::Noop,
        Verb::Feat,
    ] {
        assert_eq!(error(&format!("{verb} x")), ParseError::Unexpected(verb));
    }
}

#[test]
fn a_control_byte_in_an_argument_is_invalid() {
    for byte in (0..0x20).chain([0x7F]).filter(|byte| *byte != b'\n') {
        let line = [b"RETR a", &[byte][..], b"b"].concat();
        assert_eq!(Command::parse(&line), Err(ParseError::Invalid(Verb::Retr)), "{byte:#x}");
    }
    assert_eq!(error("PASS a\0b"), ParseError::Invalid(Verb::Pass));
}

#[test]
fn an_argument_badly_written_is_invalid() {
    for (line, verb) in [
        ("PBSZ +0", Verb::Pbsz),
        ("PBSZ 4294967296", Verb::Pbsz),
        ("REST -1", Verb::Rest),
        ("REST 18446744073709551616", Verb::Rest),
        ("REST 1 2", Verb::Rest),
        ("RANG 5", Verb::Rang),
        ("RANG 5 4", Verb::Rang),
        ("RANG 2 0", Verb::Rang),
        ("RANG 0 -1", Verb::Rang),
        ("RANG 0 1 2", Verb::Rang),
        ("RANG 0 18446744073709551616", Verb::Rang),
        ("ALLO x", Verb::Allo),
        ("ALLO 1 R", Verb::Allo),
        ("ALLO 1 R 2 3", Verb::Allo),
        ("PORT 1,2,3,4,5", Verb::Port),
        ("PORT 1,2,3,4,5,6,7", Verb::Port),
        ("PORT 256,2,3,4,5,6", Verb::Port),
        ("PORT 1,2,3,4,,6", Verb::Port),
        ("PORT +1,2,3,4,5,6", Verb::Port),
        ("EPRT |1|1.2.3.4|65536|", Verb::Eprt),
        ("EPRT |1|::1|1|", Verb::Eprt),
        ("EPRT |2|1.2.3.4|1|", Verb::Eprt),
        ("EPRT |2|fe80::1%eth0|1|", Verb::Eprt),
        ("EPRT |1|1.2.3.4|1", Verb::Eprt),
        ("EPRT |1|1.2.3.4|1||", Verb::Eprt),
        ("EPRT |||1|", Verb::Eprt),
        ("EPSV some", Verb::Epsv),
        ("TYPE L", Verb::Type),
        ("TYPE L 0", Verb::Type),
        ("TYPE I N", Verb::Type),
        ("OPTS RETR x", Verb::Opts),
        ("OPTS UTF8 MAYBE", Verb::Opts),
        ("MFMT 20021317210715 a", Verb::Mfmt),
        ("MFF modify=20021317210715; a", Verb::Mff),
        ("MFF UNIX.mode=644 a", Verb::Mff),
        ("MFF ; a", Verb::Mff),
        ("HOST ftp.example.com:21", Verb::Host),
        ("HOST a b", Verb::Host),
        ("HOST ::1", Verb::Host),
        ("HOST [::1", Verb::Host),
        ("HOST [a.b]", Verb::Host),
        ("HOST a..b", Verb::Host),
        ("HOST -a", Verb::Host),
        ("OPTS HASH TIGER", Verb::Opts),
        ("OPTS MODE Z LEVEL 10", Verb::Opts),
        ("OPTS MODE Z LEVEL", Verb::Opts),
        ("OPTS MODE Z ENGINE LZO", Verb::Opts),
        ("XMD5 a 2 1", Verb::Xmd5),
        ("XMD5 \"a\" x", Verb::Xmd5),
        ("XMD5 \"a\" 1 2 3", Verb::Xmd5),
        ("XMD5 \"\"", Verb::Xmd5),
        ("MFF UNIX.mode=4755; a", Verb::Mff),
        ("SITE CHMOD 4755 a", Verb::Site),
        ("SITE CHMOD u+x a", Verb::Site),
        ("SITE CHMOD 00644 a", Verb::Site),
        ("SITE UTIME a b", Verb::Site),
        ("SITE UTIME 20021301000000 a", Verb::Site),
    ] {
        assert_eq!(error(line), ParseError::Invalid(verb), "{line:?}");
    }
}

#[test]
fn a_parameter_nobody_defines_is_unsupported() {
    for (line, verb) in [
        ("AUTH GSSAPI", Verb::Auth),
        ("PROT X", Verb::Prot),
        ("TYPE X", Verb::Type),
        ("TYPE ASCII", Verb::Type),
        ("TYPE A X", Verb::Type),
        ("STRU X", Verb::Stru),
        ("MODE SS", Verb::Mode),
        ("MFF create=20020717210715; a", Verb::Mff),
        ("MFF UNIX.mode=0644;size=1; a", Verb::Mff),
        ("SITE EXEC ls", Verb::Site),
    ] {
        assert_eq!(error(line), ParseError::Unsupported(verb), "{line:?}");
    }
}

#[test]
fn a_network_protocol_nobody_speaks_is_told_apart() {
    assert_eq!(error("EPRT |3|1.2.3.4|1|"), ParseError::Family(Verb::Eprt));
    assert_eq!(error("EPSV 3"), ParseError::Family(Verb::Epsv));
    assert_eq!(error("EPSV 3").verb(), Some(Verb::Epsv));
}

#[test]
fn an_error_says_what_the_syntax_is() {
    assert_eq!(error("RETR").to_string(), "An argument is missing. Syntax: RETR <SP> <file>");
    assert_eq!(
        error("TYPE X").to_string(),
        "TYPE has no such parameter. Syntax: TYPE <SP> (A [<SP> N] | I | L <SP> 8)"
    );
}

proptest! {
    #[test]
    fn no_line_makes_the_parser_panic(line in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Command::parse(&line);
    }

    #[test]
    fn no_argument_makes_the_parser_panic_and_the_verb_is_kept(
        verb in prop::sample::select(Verb::ALL),
        argument in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let line = [verb.name().as_bytes(), b" ", &argument].concat();
        match Command::parse(&line) {
            Ok(command) => prop_assert_eq!(command.verb(), verb),
            Err(error) => prop_assert_eq!(error.verb(), Some(verb)),
        }
    }
}
