//! MFTP's lines: the specification's own examples, what it leaves open, and as properties: what is
//! printed is read back the same, and no bytes make a parser panic.

use std::net::SocketAddr;

use proptest::{prelude::*, strategy::Union};
use wharfinger_protocol::{
    Secret,
    line::Lines,
    mftp::{
        Answer, Code, Command, ParseError, Verb,
        answer::NoAnswer,
        listing::{Kind, parse_line, write_line},
    },
};

fn printed(answer: &Answer) -> Vec<u8> {
    let mut wire = Vec::new();
    answer.write_to(&mut wire);
    wire
}

fn path(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

#[test]
fn every_verb_is_read_in_any_case() {
    for &verb in Verb::ALL {
        let mixed: String = verb
            .name()
            .chars()
            .enumerate()
            .map(|(at, c)| if at % 2 == 0 { c.to_ascii_lowercase() } else { c })
            .collect();
        assert_eq!(Verb::from_name(mixed.as_bytes()), Some(verb));
        assert!(verb.syntax().starts_with(verb.name()));
    }
    assert_eq!(Command::parse(b"pwdr"), Ok(Command::Pwrd), "the twin spelling");
    assert_eq!(Verb::ALL.len(), 18);
}

#[test]
fn commands_are_read_with_their_arguments() {
    for (line, command) in [
        (&b"LIST"[..], Command::List),
        (b"LIST  ", Command::List),
        (b"RETR a  b ", Command::Retr(path("a  b "))),
        (b"STOR  a", Command::Stor(path(" a"))),
        (b"DELE \xFF\xE9", Command::Dele(b"\xFF\xE9".to_vec())),
        (b"USER username", Command::User(path("username"))),
        (b"PASS wrong-password", Command::Pass(Secret::from(path("wrong-password")))),
        (b"RNME dirname:new-dirname", Command::Rnme { old: path("dirname"), new: path("new-dirname") }),
        (b"RNME a\\:b\\\\:c d", Command::Rnme { old: path("a:b\\"), new: path("c d") }),
    ] {
        assert_eq!(Command::parse(line), Ok(command), "{}", line.escape_ascii());
    }
}

#[test]
fn what_is_no_command_is_refused_for_its_reason() {
    for (line, error) in [
        (&b""[..], ParseError::Unknown),
        (b" LIST", ParseError::Unknown),
        (b"PASV", ParseError::Unknown),
        (b"LIST\tx", ParseError::Unknown),
        (b"GET / HTTP/1.1", ParseError::Foreign),
        (b"RETR", ParseError::Missing(Verb::Retr)),
        (b"RETR ", ParseError::Missing(Verb::Retr)),
        (b"PASS", ParseError::Missing(Verb::Pass)),
        (b"LIST -la", ParseError::Unexpected(Verb::List)),
        (b"RETR a\0b", ParseError::Invalid(Verb::Retr)),
        (b"QUIT \x07", ParseError::Invalid(Verb::Quit)),
        (b"RNME", ParseError::Missing(Verb::Rnme)),
        (b"RNME a", ParseError::Invalid(Verb::Rnme)),
        (b"RNME a:", ParseError::Invalid(Verb::Rnme)),
        (b"RNME :b", ParseError::Invalid(Verb::Rnme)),
        (b"RNME a:b:c", ParseError::Invalid(Verb::Rnme)),
        (b"RNME a\\:b", ParseError::Invalid(Verb::Rnme)),
        (b"RNME a\\b:c", ParseError::Invalid(Verb::Rnme)),
        (b"RNME a:c\\", ParseError::Invalid(Verb::Rnme)),
    ] {
        assert_eq!(Command::parse(line), Err(error), "{}", line.escape_ascii());
    }
}

#[test]
fn an_mftp_argument_with_a_line_end_is_not_printed() {
    let mut wire = Vec::new();
    let error = Command::Retr(path("a\r\nDELE b")).write_to(&mut wire).unwrap_err();
    assert_eq!((error.to_string().as_str(), wire.len()), ("the argument of RETR holds a control byte", 0));
}

#[test]
fn a_printed_password_is_on_the_wire_and_in_no_debug() {
    let mut wire = Vec::new();
    let command = Command::Pass(Secret::from(path("open sesame")));
    command.write_to(&mut wire).unwrap();
    assert_eq!(wire, b"PASS open sesame\r\n");
    assert_eq!(format!("{command:?}"), "Pass(Secret)");
}

#[test]
fn the_specification_s_sample_exchange_is_printed_and_read() {
    for (line, answer) in [
        (
            &b"AOK 120 ([127.0.0.1]:45032) Opening data channel\r\n"[..],
            Answer::opening("127.0.0.1:45032".parse().unwrap()),
        ),
        (b"AOK 320 Closing data channel\r\n", Answer::new(Code::CLOSED, "Closing data channel")),
        (b"ERR 530 Not logged in\r\n", Answer::new(Code::NOT_LOGGED_IN, "Not logged in")),
        // The table has 630 for this; a client takes both.
        (
            b"AOK 331 Password required for username\r\n",
            Answer::new(Code::from_number(331).unwrap(), "Password required for username"),
        ),
    ] {
        assert_eq!(printed(&answer), line);
        assert_eq!(Answer::parse(line.strip_suffix(b"\r\n").unwrap()), Ok(answer));
    }
}

#[test]
fn an_opening_tells_where_the_data_channel_is() {
    for address in ["127.0.0.1:45032", "[::1]:1", "[2001:db8::1]:65535"] {
        let address: SocketAddr = address.parse().unwrap();
        assert_eq!(Answer::opening(address).data_channel(), Some(address));
    }
    assert_eq!(Answer::parse(b"AOK 120 ([::1]:45032)").unwrap().data_channel(), "[::1]:45032".parse().ok());
    for text in [
        "",
        "(",
        "([",
        "([::1]:1",
        "([::1]:)",
        "([::1]:+1)",
        "([::1]:65536)",
        "([::1]1)",
        "(::1:1)",
        "([host]:1)",
        "([127.0.0.1]:1 )",
        " ([127.0.0.1]:1)",
    ] {
        assert_eq!(Answer::new(Code::OPENING, text).data_channel(), None, "{text}");
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    for line in [
        &b""[..],
        b"AOK",
        b"AOK ",
        b"AOK 22",
        b"AOK 2200",
        b"AOK 220x",
        b"AOK 099",
        b"AOK 700 x",
        b"aok 220 Ready",
        b"220 Ready",
        b"ERR 220 Ready",
        b"AOK 500 No",
        b"AOK  220",
        b"AOK\t220",
        b"ERR -20",
        b"ERR +50 x",
    ] {
        assert_eq!(Answer::parse(line), Err(NoAnswer), "{}", line.escape_ascii());
    }
}

#[test]
fn a_name_can_not_forge_an_answer_or_an_entry() {
    let name = path("a\r\nAOK 230 Logged in\t\0");
    assert_eq!(printed(&Answer::new(Code::DATA, name.clone())), b"AOK 200 a??AOK 230 Logged in??\r\n");
    let mut line = Vec::new();
    write_line(&mut line, Kind::Other, &name);
    assert_eq!(line, b"OTHER\ta??AOK 230 Logged in??\r\n");
}

#[test]
fn what_is_no_entry_is_refused() {
    for line in [&b""[..], b"FILE", b"FILE\t", b"FILE a", b"file\ta", b"FILES\ta", b"\ta"] {
        assert_eq!(parse_line(line), None, "{}", line.escape_ascii());
    }
    assert_eq!(parse_line(b"FILE\ta b"), Some((Kind::File, &b"a b"[..])));
}

#[test]
fn the_page_for_people_who_write_a_client_names_every_command_and_every_code() {
    let page = include_str!("../../../docs/mftp.md");
    for verb in Verb::ALL {
        assert!(page.contains(&format!("\n| `{}` |", verb.syntax())), "docs/mftp.md: {}", verb.syntax());
    }
    for code in Code::ALL {
        assert!(page.contains(&format!("\n| {code} |")), "docs/mftp.md: {code}");
    }
    let codes = page
        .lines()
        .filter(|line| line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(char::is_numeric)));
    assert_eq!(codes.count(), Code::ALL.len());
}

/// Bytes that a line can carry.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("no control byte", |byte| !byte.is_ascii_control());
    // More colons and backslashes than chance would give.
    let byte = prop_oneof![4 => byte, 1 => prop::sample::select(b":\\ ".to_vec())];
    prop::collection::vec(byte, 1..60)
}

fn command(verb: Verb) -> BoxedStrategy<Command> {
    match verb {
        Verb::List => Just(Command::List).boxed(),
        Verb::Retr => text().prop_map(Command::Retr).boxed(),
        Verb::Stor => text().prop_map(Command::Stor).boxed(),
        Verb::Dele => text().prop_map(Command::Dele).boxed(),
        Verb::Rmdr => text().prop_map(Command::Rmdr).boxed(),
        Verb::Mkdr => text().prop_map(Command::Mkdr).boxed(),
        Verb::Chwd => text().prop_map(Command::Chwd).boxed(),
        Verb::Size => text().prop_map(Command::Size).boxed(),
        Verb::User => text().prop_map(Command::User).boxed(),
        Verb::Pass => text().prop_map(|text| Command::Pass(Secret::from(text))).boxed(),
        Verb::Quit => Just(Command::Quit).boxed(),
        Verb::Rnme => (text(), text()).prop_map(|(old, new)| Command::Rnme { old, new }).boxed(),
        Verb::Noop => Just(Command::Noop).boxed(),
        Verb::Abor => Just(Command::Abor).boxed(),
        Verb::Mdtm => text().prop_map(Command::Mdtm).boxed(),
        Verb::Feat => Just(Command::Feat).boxed(),
        Verb::Pwrd => Just(Command::Pwrd).boxed(),
        Verb::Wami => Just(Command::Wami).boxed(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_printed_mftp_command_is_read_back_the_same(
        command in Union::new(Verb::ALL.iter().map(|&verb| command(verb)))
    ) {
        let mut wire = Vec::new();
        command.write_to(&mut wire).unwrap();
        let mut lines = Lines::without_telnet();
        let line = lines.next(&mut wire).unwrap().unwrap();
        prop_assert_eq!(Command::parse(line), Ok(command));
        prop_assert_eq!(lines.next(&mut wire), None);
    }

    #[test]
    fn a_printed_answer_is_read_back_the_same(
        code in 100..=699u16,
        text in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let answer = Answer::new(Code::from_number(code).unwrap(), text);
        let mut wire = printed(&answer);
        let mut lines = Lines::without_telnet();
        let line = lines.next(&mut wire).unwrap().unwrap();
        prop_assert_eq!(Answer::parse(line), Ok(answer));
        prop_assert_eq!(lines.next(&mut wire), None);
    }

    #[test]
    fn a_told_data_channel_is_read_back_the_same(address in any::<SocketAddr>()) {
        let address = SocketAddr::new(address.ip(), address.port());
        prop_assert_eq!(Answer::opening(address).data_channel(), Some(address));
    }

    #[test]
    fn a_printed_entry_is_read_back_the_same(kind in prop::sample::select(Kind::ALL.to_vec()), name in text()) {
        let mut line = Vec::new();
        write_line(&mut line, kind, &name);
        prop_assert_eq!(parse_line(line.strip_suffix(b"\r\n").unwrap()), Some((kind, name.as_slice())));
    }

    #[test]
    fn no_line_makes_a_reader_of_mftp_panic(
        line in prop::collection::vec(any::<u8>(), 0..40),
        verb in prop::sample::select(Verb::ALL.to_vec()),
        word in prop::sample::select(vec!["AOK 120 ([", "ERR ", "FILE\t", ""]),
    ) {
        let _ = Command::parse(&line);
        let _ = Command::parse(&[verb.name().as_bytes(), b" ", &line].concat());
        let line = [word.as_bytes(), &line].concat();
        let _ = Answer::parse(&line).map(|answer| answer.data_channel());
        let _ = parse_line(&line);
    }
}
