//! Lines: their ends, their bound, Telnet sequences, and cuts anywhere.

use proptest::prelude::*;
use wharfinger_protocol::line::{LONGEST_LINE, Lines, TooLong};

type Split = Vec<Result<Vec<u8>, TooLong>>;

/// Feeds the pieces one by one and collects all lines.
fn split<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Split, bool) {
    let mut lines = Lines::default();
    let mut buffer = Vec::new();
    let mut found = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Some(line) = lines.next(&mut buffer) {
            found.push(line.map(<[u8]>::to_vec));
        }
        assert!(buffer.len() <= LONGEST_LINE, "an unfinished line is bounded");
    }
    let rest = lines.has_rest(&buffer);
    (found, rest)
}

fn lines_of(input: &[u8]) -> Split {
    split([input]).0
}

#[test]
fn a_line_ends_in_cr_lf_or_in_lf_alone() {
    assert_eq!(
        lines_of(b"USER a\r\nPASS b\n\r\nQUIT"),
        [Ok(b"USER a".to_vec()), Ok(b"PASS b".to_vec()), Ok(Vec::new()),]
    );
}

#[test]
fn only_one_cr_belongs_to_the_line_end() {
    assert_eq!(lines_of(b"RETR a\r\r\nRETR b\rc\r\n"), [Ok(b"RETR a\r".to_vec()), Ok(b"RETR b\rc".to_vec())]);
}

#[test]
fn without_telnet_every_byte_is_itself() {
    let mut lines = Lines::without_telnet();
    for input in [&b"RETR \xFF\xF4\xFF\xFF\xFF\xFB\x01a"[..], b"\xF2NOOP", b"\xFF"] {
        let mut buffer = [input, b"\r\nrest"].concat();
        assert_eq!(lines.next(&mut buffer), Some(Ok(input)));
        assert!(lines.has_rest(&buffer));
        lines = lines.anew();
    }
    assert!(!lines.has_rest(b""), "anew, nothing has been read");
}

#[test]
fn telnet_sequences_are_taken_out() {
    for (input, line) in [
        // RFC 959 §4.1.3: IAC IP and IAC DM before ABOR.
        (&b"\xFF\xF4\xFF\xF2ABOR\r\n"[..], &b"ABOR"[..]),
        // The urgent byte was not delivered in line: the IAC, or the DM, stands alone.
        (b"\xFF\xF4\xFFABOR\r\n", b"ABOR"),
        (b"\xFF\xF4\xF2ABOR\r\n", b"ABOR"),
        (b"\xFF\xFB\x01NOOP\r\n", b"NOOP"),
        (b"\xFF\xFE\nNO\xFF\xF1OP\r\n", b"NOOP"),
        (b"RETR \xFF\xFF\r\n", b"RETR \xFF"),
        (b"RETR \xFF\xFF\xFF\xF1\xFF\xFF\r\n", b"RETR \xFF\xFF"),
        // A client that does not know Telnet sends a name in Latin-1.
        (b"RETR \xFFa\r\n", b"RETR \xFFa"),
        (b"RETR \xFF\r\n", b"RETR \xFF"),
    ] {
        assert_eq!(lines_of(input), [Ok(line.to_vec())], "{input:?}");
    }
}

#[test]
fn a_line_of_4096_bytes_is_the_longest() {
    let longest = [vec![b'a'; LONGEST_LINE - 2], b"\r\n".to_vec()].concat();
    assert_eq!(lines_of(&longest), [Ok(vec![b'a'; LONGEST_LINE - 2])]);
    let longer = [&b"a"[..], &longest, b"NOOP\r\n"].concat();
    assert_eq!(lines_of(&longer), [Err(TooLong), Ok(b"NOOP".to_vec())]);
}

#[test]
fn a_line_without_an_end_is_refused_once_and_held_never() {
    let mut lines = Lines::default();
    let mut buffer = Vec::new();
    let mut refusals = 0;
    for _ in 0..1000 {
        buffer.extend_from_slice(&[b'x'; 1000]);
        while let Some(line) = lines.next(&mut buffer) {
            assert_eq!(line, Err(TooLong));
            refusals += 1;
        }
        assert!(buffer.len() <= LONGEST_LINE);
    }
    buffer.extend_from_slice(b"\nQUIT\n");
    assert_eq!(lines.next(&mut buffer), Some(Ok(&b"QUIT"[..])));
    assert_eq!(lines.next(&mut buffer), None);
    assert_eq!((refusals, buffer.len()), (1, 0));
}

#[test]
fn endless_telnet_sequences_are_a_line_too_long() {
    assert_eq!(lines_of(&b"\xFF\xF1".repeat(LONGEST_LINE)), [Err(TooLong)]);
}

#[test]
fn bytes_after_the_line_auth_are_seen() {
    let mut lines = Lines::default();
    let mut buffer = b"AUTH TLS\r\nUSER eve\r\n".to_vec();
    assert_eq!(lines.next(&mut buffer), Some(Ok(&b"AUTH TLS"[..])));
    assert!(lines.has_rest(&buffer));

    let mut lines = Lines::default();
    let mut buffer = b"AUTH TLS\r\n".to_vec();
    assert_eq!(lines.next(&mut buffer), Some(Ok(&b"AUTH TLS"[..])));
    assert!(!lines.has_rest(&buffer));
}

/// Bytes in which what matters to the splitter is frequent.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => any::<u8>(),
        2 => Just(b'\n'),
        1 => Just(b'\r'),
        2 => Just(0xFF),
        1 => 0xF0..=0xFEu8,
    ];
    let long = (b'a'..=b'c', 4000..4200usize).prop_map(|(byte, count)| vec![byte; count]);
    let piece = prop_oneof![8 => prop::collection::vec(byte, 0..40), 1 => long];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_lines_are_the_same_however_the_input_is_cut(input in bytes(), cuts in prop::collection::vec(1..60usize, 1..20)) {
        let mut pieces = Vec::new();
        let mut rest = &input[..];
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(split(pieces), split([&input[..]]));
    }

    #[test]
    fn the_lines_are_the_same_byte_by_byte(input in bytes()) {
        prop_assert_eq!(split(input.chunks(1)), split([&input[..]]));
    }

    #[test]
    fn an_escaped_line_comes_out_as_it_was(line in prop::collection::vec(any::<u8>().prop_filter("no line end", |byte| !b"\r\n".contains(byte)), 0..200)) {
        // What no verb begins with is dropped at the beginning, so one is put there.
        let line = [b"X", &line[..]].concat();
        let mut wire: Vec<u8> = line.iter().flat_map(|&byte| if byte == 0xFF { vec![byte; 2] } else { vec![byte] }).collect();
        wire.extend_from_slice(b"\r\n");
        prop_assert_eq!(lines_of(&wire), [Ok(line)]);
    }
}

#[test]
fn an_answer_may_hold_the_longest_path_behind_its_code() {
    let answer = [&b"AOK 200 /"[..], &[b'n'; 4094], b"\r\n"].concat();
    let mut buffer = answer.clone();
    assert_eq!(Lines::of_answers().next(&mut buffer), Some(Ok(&answer[..answer.len() - 2])));
    let mut endless = vec![b'n'; 100_000];
    assert_eq!(Lines::of_answers().next(&mut endless), Some(Err(TooLong)));
}
