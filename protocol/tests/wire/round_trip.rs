//! Every command printed, cut into lines and read again is the same command.

use std::net::{SocketAddr, SocketAddrV4};

use jiff::Timestamp;
use proptest::{prelude::*, strategy::Union};
use wharfinger_protocol::{
    Secret,
    digest::Algorithm,
    ftp::{
        Command, Site, Verb,
        attributes::Attributes,
        digest::Portion,
        facts::{Fact, FactSet},
        parameter::{
            Allocation, ExtendedPassive, Family, Form, Mechanism, Mode, Options, Protection, Structure, Type,
        },
    },
    line::Lines,
};

/// Bytes that a line can carry.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("no control byte", |byte| !byte.is_ascii_control());
    prop::collection::vec(byte, 1..60)
}

/// Text without spaces around it, which are not part of a word.
fn word() -> impl Strategy<Value = Vec<u8>> {
    text().prop_map(|text| [b"w", &text[..], b"w"].concat())
}

fn listed() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop::option::of(text().prop_filter("no option", |path| {
        let word = path.trim_ascii_start();
        !word.is_empty() && !word.starts_with(b"-")
    }))
}

fn time() -> impl Strategy<Value = Timestamp> {
    // The years 0 to 9999, which four digits can write.
    (-62_167_219_200..=253_402_207_200i64, 0..1_000_000_000i32)
        .prop_filter_map("in jiff's range", |(seconds, nanoseconds)| {
            Timestamp::new(seconds, nanoseconds).ok()
        })
        .prop_filter("not before the year 0", |time| time.as_second() > -62_167_219_200)
}

fn file_type() -> impl Strategy<Value = Type> {
    let form = || prop::sample::select(vec![Form::NonPrint, Form::Telnet, Form::CarriageControl]);
    prop_oneof![
        form().prop_map(Type::Ascii),
        form().prop_map(Type::Ebcdic),
        Just(Type::Image),
        (1..=u8::MAX).prop_map(Type::Local),
    ]
}

fn facts() -> impl Strategy<Value = FactSet> {
    prop::sample::subsequence(Fact::ALL.to_vec(), 0..=Fact::ALL.len())
        .prop_map(|facts| facts.into_iter().fold(FactSet::NONE, FactSet::with))
}

fn attributes() -> impl Strategy<Value = Attributes> {
    (prop::option::of(time()), prop::option::of(0..=0o777u32))
        .prop_map(|(modified, mode)| Attributes { modified, mode })
        .prop_filter("something to set", |attributes| *attributes != Attributes::default())
}

fn site() -> impl Strategy<Value = Site> {
    prop_oneof![
        prop::option::of(word()).prop_map(Site::Help),
        (0..=0o777u32, text()).prop_map(|(mode, path)| Site::Chmod(mode, path)),
        (time(), text()).prop_map(|(time, path)| Site::Utime(time, path)),
        text().prop_map(Site::CopyFrom),
        text().prop_map(Site::CopyTo),
    ]
}

fn portion() -> impl Strategy<Value = Portion> {
    (text(), any::<u64>(), prop::option::of(any::<u64>())).prop_map(|(path, start, end)| Portion {
        path,
        start,
        end: end.map(|end| end.max(start)),
    })
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(Algorithm::ALL.to_vec())
}

/// Any argument of this verb. Exhaustive, so that a new verb is tried too.
fn command(verb: Verb) -> BoxedStrategy<Command> {
    let secret = || text().prop_map(Secret::from);
    match verb {
        Verb::User => text().prop_map(Command::User).boxed(),
        Verb::Pass => prop_oneof![Just(Secret::default()), secret()].prop_map(Command::Pass).boxed(),
        Verb::Acct => secret().prop_map(Command::Acct).boxed(),
        Verb::Rein => Just(Command::Rein).boxed(),
        Verb::Quit => Just(Command::Quit).boxed(),
        Verb::Auth => {
            let all = vec![Mechanism::Tls, Mechanism::TlsC, Mechanism::Ssl, Mechanism::TlsP];
            prop::sample::select(all).prop_map(Command::Auth).boxed()
        }
        Verb::Pbsz => any::<u32>().prop_map(Command::Pbsz).boxed(),
        Verb::Prot => {
            let all =
                vec![Protection::Clear, Protection::Safe, Protection::Confidential, Protection::Private];
            prop::sample::select(all).prop_map(Command::Prot).boxed()
        }
        Verb::Ccc => Just(Command::Ccc).boxed(),
        Verb::Cwd => text().prop_map(Command::Cwd).boxed(),
        Verb::Cdup => Just(Command::Cdup).boxed(),
        Verb::Pwd => Just(Command::Pwd).boxed(),
        Verb::Mkd => text().prop_map(Command::Mkd).boxed(),
        Verb::Rmd => text().prop_map(Command::Rmd).boxed(),
        Verb::Smnt => text().prop_map(Command::Smnt).boxed(),
        Verb::Retr => text().prop_map(Command::Retr).boxed(),
        Verb::Stor => text().prop_map(Command::Stor).boxed(),
        Verb::Stou => prop::option::of(text()).prop_map(Command::Stou).boxed(),
        Verb::Appe => text().prop_map(Command::Appe).boxed(),
        Verb::Allo => (any::<u64>(), any::<Option<u64>>())
            .prop_map(|(bytes, record)| Command::Allo(Allocation { bytes, record }))
            .boxed(),
        Verb::Rest => any::<u64>().prop_map(Command::Rest).boxed(),
        Verb::Rang => prop::option::of((any::<u64>(), any::<u64>()))
            .prop_map(|range| Command::Rang(range.map(|(one, two)| one.min(two)..=one.max(two))))
            .boxed(),
        Verb::Rnfr => text().prop_map(Command::Rnfr).boxed(),
        Verb::Rnto => text().prop_map(Command::Rnto).boxed(),
        Verb::Dele => text().prop_map(Command::Dele).boxed(),
        Verb::Abor => Just(Command::Abor).boxed(),
        Verb::List => listed().prop_map(Command::List).boxed(),
        Verb::Nlst => listed().prop_map(Command::Nlst).boxed(),
        Verb::Mlsd => prop::option::of(text()).prop_map(Command::Mlsd).boxed(),
        Verb::Mlst => prop::option::of(text()).prop_map(Command::Mlst).boxed(),
        Verb::Stat => listed().prop_map(Command::Stat).boxed(),
        Verb::Size => text().prop_map(Command::Size).boxed(),
        Verb::Mdtm => text().prop_map(Command::Mdtm).boxed(),
        Verb::Mfmt => (time(), text()).prop_map(|(time, path)| Command::Mfmt(time, path)).boxed(),
        Verb::Mff => (attributes(), text()).prop_map(|(facts, path)| Command::Mff(facts, path)).boxed(),
        Verb::Avbl => prop::option::of(text()).prop_map(Command::Avbl).boxed(),
        Verb::Hash => text().prop_map(Command::Hash).boxed(),
        Verb::Xcrc => portion().prop_map(Command::Xcrc).boxed(),
        Verb::Xmd5 => portion().prop_map(Command::Xmd5).boxed(),
        Verb::Xsha1 => portion().prop_map(Command::Xsha1).boxed(),
        Verb::Xsha256 => portion().prop_map(Command::Xsha256).boxed(),
        Verb::Xsha512 => portion().prop_map(Command::Xsha512).boxed(),
        Verb::Type => file_type().prop_map(Command::Type).boxed(),
        Verb::Stru => {
            let all = vec![Structure::File, Structure::Record, Structure::Page];
            prop::sample::select(all).prop_map(Command::Stru).boxed()
        }
        Verb::Mode => {
            let all = vec![Mode::Stream, Mode::Block, Mode::Compressed, Mode::Deflate];
            prop::sample::select(all).prop_map(Command::Mode).boxed()
        }
        Verb::Port => any::<SocketAddrV4>().prop_map(Command::Port).boxed(),
        Verb::Pasv => Just(Command::Pasv).boxed(),
        Verb::Eprt => any::<SocketAddr>()
            // Flow and scope have no place in EPRT.
            .prop_map(|address| Command::Eprt(SocketAddr::new(address.ip(), address.port())))
            .boxed(),
        Verb::Epsv => {
            let families = [Family::V4, Family::V6].map(ExtendedPassive::Family);
            let all =
                [ExtendedPassive::Any, ExtendedPassive::All].into_iter().chain(families).collect::<Vec<_>>();
            prop::sample::select(all).prop_map(Command::Epsv).boxed()
        }
        Verb::Opts => prop_oneof![
            any::<bool>().prop_map(Options::Utf8),
            facts().prop_map(Options::Mlst),
            prop::option::of(algorithm()).prop_map(Options::Hash),
            (0..=9u8).prop_map(Options::DeflateLevel)
        ]
        .prop_map(Command::Opts)
        .boxed(),
        Verb::Lang => prop::option::of(word()).prop_map(Command::Lang).boxed(),
        Verb::Host => {
            "[a-z0-9]{1,20}(\\.[a-z0-9_]{1,20}){0,3}|\\[::[0-9a-f]{1,4}\\]".prop_map(Command::Host).boxed()
        }
        Verb::Syst => Just(Command::Syst).boxed(),
        Verb::Noop => Just(Command::Noop).boxed(),
        Verb::Help => prop::option::of(word()).prop_map(Command::Help).boxed(),
        Verb::Feat => Just(Command::Feat).boxed(),
        Verb::Clnt => word().prop_map(Command::Clnt).boxed(),
        Verb::Site => site().prop_map(Command::Site).boxed(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_printed_command_is_read_back_the_same(command in Union::new(Verb::ALL.iter().map(|&verb| command(verb)))) {
        let mut wire = Vec::new();
        command.write_to(&mut wire).unwrap();
        let mut lines = Lines::default();
        let line = lines.next(&mut wire).unwrap().unwrap();
        prop_assert_eq!(Command::parse(line), Ok(command));
        prop_assert_eq!(lines.next(&mut wire), None);
    }
}

#[test]
fn an_argument_with_a_line_end_is_not_printed() {
    let mut wire = Vec::new();
    let error = Command::Retr(b"a\r\nDELE b".to_vec()).write_to(&mut wire).unwrap_err();
    assert_eq!((error.to_string().as_str(), wire.len()), ("the argument of RETR holds a control byte", 0));
}

#[test]
fn a_listed_path_is_not_taken_for_options() {
    let mut wire = Vec::new();
    Command::List(Some(b"-a".to_vec())).write_to(&mut wire).unwrap();
    assert_eq!(wire, b"LIST ./-a\r\n");
}
