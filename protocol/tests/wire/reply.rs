//! Replies: the forms of RFC 959 §4.2, quoting, and reading back.

use proptest::prelude::*;
use wharfinger_protocol::{
    ftp::{
        Code, Reply,
        reply::{ReplyError, ReplyReader, quote_path, quoted_path},
    },
    line::Lines,
};

fn printed(reply: &Reply) -> Vec<u8> {
    let mut wire = Vec::new();
    reply.write_to(&mut wire);
    wire
}

fn read(lines: &[&str]) -> Result<Option<Reply>, ReplyError> {
    let mut reader = ReplyReader::default();
    let mut last = Ok(None);
    for line in lines {
        last = reader.push(line.as_bytes());
    }
    last
}

#[test]
fn one_line_has_a_space_after_its_code() {
    assert_eq!(printed(&Reply::new(Code::OK, "Type set to I.")), b"200 Type set to I.\r\n");
}

#[test]
fn many_lines_have_a_hyphen_after_the_first_code() {
    // RFC 959 §4.2, with the line that begins with a number padded.
    let reply = Reply::new(Code::from_number(123).unwrap(), "First line")
        .line("Second line")
        .line("234 A line beginning with numbers")
        .line("The last line");
    assert_eq!(
        printed(&reply),
        b"123-First line\r\nSecond line\r\n 234 A line beginning with numbers\r\n123 The last line\r\n"
    );
}

#[test]
fn two_lines_have_no_middle() {
    assert_eq!(printed(&Reply::new(Code::READY, "a").line("b")), b"220-a\r\n220 b\r\n");
}

#[test]
fn a_name_can_not_forge_a_reply() {
    let name = b"a\r\n230 Logged in\0\x7F\xE9".to_vec();
    assert_eq!(printed(&Reply::new(Code::PATH, name.clone())), b"257 a??230 Logged in??\xE9\r\n");
    let many = Reply::new(Code::FILE_STATUS, "x").line(name).line("End");
    assert_eq!(printed(&many), b"213-x\r\na??230 Logged in??\xE9\r\n213 End\r\n");
}

#[test]
fn quotes_in_a_path_are_doubled() {
    // RFC 959, Appendix II.
    assert_eq!(quote_path(b"/usr/dm/foo\"bar"), b"\"/usr/dm/foo\"\"bar\"");
    assert_eq!(quoted_path(b"\"/usr/dm/foo\"\"bar\" directory created"), Some(b"/usr/dm/foo\"bar".to_vec()));
    assert_eq!(quoted_path(b"\"open"), None);
    assert_eq!(quoted_path(b"no quotes"), None);
}

#[test]
fn a_reply_goes_on_to_its_own_code_and_a_space() {
    let reply =
        read(&["211-Features:", " SIZE", "211-more", "212 not the end", "2110", "211 End"]).unwrap().unwrap();
    let lines: Vec<_> = reply.lines().collect();
    assert_eq!(reply.code(), Code::SYSTEM_STATUS);
    assert_eq!(lines, [&b"Features:"[..], b" SIZE", b" 211-more", b" 212 not the end", b" 2110", b"End"]);
}

#[test]
fn a_bare_code_is_a_reply() {
    assert_eq!(read(&["200"]), Ok(Some(Reply::new(Code::OK, ""))));
}

#[test]
fn what_begins_with_no_code_is_refused() {
    for line in ["", "20", "2000 x", "abc x", "099 x", "600 x", "SSH-2.0-x", "200x"] {
        assert_eq!(read(&[line]), Err(ReplyError::NoCode), "{line:?}");
    }
}

#[test]
fn an_endless_reply_is_refused() {
    let mut reader = ReplyReader::default();
    let mut last = reader.push(b"220-Welcome");
    for _ in 0..1000 {
        if last.is_ok() {
            last = reader.push(&[b'x'; 1000]);
        }
    }
    assert_eq!(last, Err(ReplyError::TooLarge));
}

#[test]
fn codes_say_how_it_went() {
    assert!(Code::OPENING_DATA.is_preliminary());
    assert!(!Code::OK.is_preliminary() && !Code::PENDING.is_failure());
    assert!(Code::UNAVAILABLE.is_failure() && Code::FILE_UNAVAILABLE.is_failure());
    assert_eq!(Code::LOCAL_ERROR.to_string(), "451");
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    // Without 0xFF: what a server sends is not Telnet's to escape.
    prop_oneof![
        prop::collection::vec(0..0xFFu8, 0..40),
        "[0-9]{3}[ -][a-z]{0,5}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn a_printed_reply_is_read_back_the_same(
        code in 100..=599u16,
        first in line(),
        more in prop::collection::vec(line(), 0..6),
    ) {
        let code = Code::from_number(code).unwrap();
        let reply = more.into_iter().fold(Reply::new(code, first), Reply::line);
        let mut wire = printed(&reply);
        let text = wire.clone();
        prop_assert!(text.split(|&byte| byte == b'\n').rev().skip(1).all(|line| line.ends_with(b"\r")));
        let mut reader = ReplyReader::default();
        let mut found = Vec::new();
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            found.extend(reader.push(line.strip_suffix(b"\r\n").unwrap()).unwrap());
        }
        prop_assert_eq!(found, [reply]);
        prop_assert!(Lines::default().next(&mut wire).is_some());
    }

    #[test]
    fn a_quoted_path_is_read_back_the_same(path in prop::collection::vec(any::<u8>(), 0..40), after in "[ a-z][a-z \"]{0,8}") {
        let text = [quote_path(&path), after.into_bytes()].concat();
        prop_assert_eq!(quoted_path(&text), Some(path));
    }

    #[test]
    fn no_line_makes_the_reader_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6)) {
        let mut reader = ReplyReader::default();
        for line in lines {
            let _ = reader.push(&line);
            let _ = quoted_path(&line);
        }
    }
}
