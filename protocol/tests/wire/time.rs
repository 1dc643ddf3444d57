//! RFC 3659's times.

use jiff::Timestamp;
use proptest::prelude::*;
use wharfinger_protocol::time;

#[test]
fn the_examples_of_rfc_3659_are_read() {
    for (text, expected) in [
        // §2.3 and §3.4.
        ("19990929003355.237", "1999-09-29T00:33:55.237Z"),
        ("19990929003355", "1999-09-29T00:33:55Z"),
        ("19980615100045.014", "1998-06-15T10:00:45.014Z"),
        ("20001231235960", "2000-12-31T23:59:59Z"),
        ("20240229000000.1234567891", "2024-02-29T00:00:00.123456789Z"),
    ] {
        assert_eq!(time::parse(text.as_bytes()), Some(expected.parse().unwrap()), "{text}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        ".",
        "1999092900335",
        "199909290033555",
        "19990929003355.",
        "19990929003355.x",
        "19991329003355",
        "19990230003355",
        "19990929243355",
        "19990929006055",
        "19990929003361",
        "+9990929003355",
        "1999092900335５",
    ] {
        assert_eq!(time::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_time_is_written_with_its_fraction_only_if_it_has_one() {
    for (time, expected) in [
        ("1998-06-15T10:00:45Z", "19980615100045"),
        ("1998-06-15T10:00:45.014Z", "19980615100045.014"),
        ("1969-12-31T23:59:59.25Z", "19691231235959.25"),
    ] {
        let mut text = Vec::new();
        time::write(&mut text, time.parse().unwrap());
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}

#[test]
fn seconds_beyond_the_calendar_are_written_as_its_end() {
    let mut text = Vec::new();
    time::write_seconds(&mut text, i64::MAX);
    assert_eq!(text.len(), 14);
    assert!(text.starts_with(b"9999"));
}

proptest! {
    #[test]
    fn a_written_time_is_read_back_the_same(seconds in -62_000_000_000..253_000_000_000i64, nanoseconds in 0..1_000_000_000i32) {
        let time = Timestamp::new(seconds, nanoseconds).unwrap();
        let mut text = Vec::new();
        time::write(&mut text, time);
        prop_assert_eq!(time::parse(&text), Some(time));
    }

    #[test]
    fn whole_seconds_are_read_back_the_same(seconds in -62_000_000_000..253_000_000_000i64) {
        let mut text = Vec::new();
        time::write_seconds(&mut text, seconds);
        prop_assert_eq!(time::parse(&text).map(Timestamp::as_second), Some(seconds));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(text in prop::collection::vec(prop_oneof![b'0'..=b'9', any::<u8>()], 0..20), seconds in any::<i64>()) {
        let _ = time::parse(&text);
        time::write_seconds(&mut Vec::new(), seconds);
    }
}
