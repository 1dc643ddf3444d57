//! Record structure in stream mode.

use proptest::prelude::*;
use wharfinger_protocol::record::{FromRecords, RecordError, ToRecords};

fn to_records<'a>(text: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut codec, mut out) = (ToRecords::new(text), Vec::new());
    for piece in pieces {
        codec.push(piece, &mut out);
    }
    codec.finish(&mut out);
    out
}

fn from_records<'a>(text: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, RecordError> {
    let (mut codec, mut out) = (FromRecords::new(text), Vec::new());
    for piece in pieces {
        codec.push(piece, &mut out)?;
    }
    codec.finish(&mut out)?;
    Ok(out)
}

#[test]
fn each_line_is_a_record_and_the_end_is_marked() {
    for (file, wire) in [
        (&b""[..], &b"\xFF\x02"[..]),
        (b"a\nb\n", b"a\xFF\x01b\xFF\x01\xFF\x02"),
        (b"a\nb", b"a\xFF\x01b\xFF\x02"),
        (b"\n\n", b"\xFF\x01\xFF\x01\xFF\x02"),
        (b"\xFF\xFFx", b"\xFF\xFF\xFF\xFFx\xFF\x02"),
        (b"a\rb\r", b"a\rb\r\xFF\x02"),
    ] {
        for text in [true, false] {
            assert_eq!(to_records(text, [file]), wire, "{file:?}");
            assert_eq!(to_records(text, file.chunks(1)), wire, "{file:?} byte by byte");
            assert_eq!(from_records(text, [wire]).as_deref(), Ok(file), "{wire:?}");
            assert_eq!(from_records(text, wire.chunks(1)).as_deref(), Ok(file), "{wire:?} byte by byte");
        }
    }
}

#[test]
fn the_cr_of_a_line_end_is_data_in_an_image_only() {
    assert_eq!(to_records(true, [&b"a\r\n"[..]]), b"a\xFF\x01\xFF\x02");
    assert_eq!(to_records(true, b"a\r\n".chunks(1)), b"a\xFF\x01\xFF\x02");
    assert_eq!(to_records(false, [&b"a\r\n"[..]]), b"a\r\xFF\x01\xFF\x02");
    assert_eq!(from_records(true, [&b"a\r\nb\xFF\x03"[..]]), Ok(b"a\nb\n".to_vec()));
    assert_eq!(from_records(false, [&b"a\r\nb\xFF\x03"[..]]), Ok(b"a\r\nb\n".to_vec()));
}

#[test]
fn record_and_file_may_end_with_one_mark() {
    assert_eq!(from_records(false, [&b"a\xFF\x01b\xFF\x03"[..]]), Ok(b"a\nb\n".to_vec()));
}

#[test]
fn what_is_not_whole_is_no_file() {
    for wire in [&b""[..], b"a", b"a\xFF\x01", b"a\xFF", b"\xFF\xFF"] {
        assert_eq!(from_records(false, [wire]), Err(RecordError::NoEnd), "{wire:?}");
    }
    assert_eq!(from_records(false, [&b"a\xFF\x02b"[..]]), Err(RecordError::AfterEnd));
    for code in (0..=0xFE).filter(|code| !matches!(code, 1..=3)) {
        let wire = [b'a', 0xFF, code, 0xFF, 2];
        assert_eq!(from_records(true, [&wire[..]]), Err(RecordError::UnknownCode(code)));
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\r'), Just(b'\n'), Just(0xFF), 0..4u8, any::<u8>()];
    prop::collection::vec(byte, 0..200)
}

proptest! {
    #[test]
    fn cuts_make_no_difference(input in bytes(), size in 1..20usize, text: bool) {
        prop_assert_eq!(to_records(text, input.chunks(size)), to_records(text, [&input[..]]));
        prop_assert_eq!(from_records(text, input.chunks(size)), from_records(text, [&input[..]]));
    }

    #[test]
    fn any_image_comes_back_the_same(input in bytes(), size in 1..20usize) {
        let wire = to_records(false, [&input[..]]);
        prop_assert_eq!(from_records(false, wire.chunks(size)), Ok(input));
    }

    #[test]
    fn a_text_with_lf_line_ends_comes_back_the_same(input in bytes()) {
        let text: Vec<u8> = input.into_iter().filter(|&byte| byte != b'\r').collect();
        let wire = to_records(true, [&text[..]]);
        prop_assert_eq!(from_records(true, [&wire[..]]), Ok(text));
    }

    #[test]
    fn the_wire_grows_to_twice_the_file_at_the_most(input in bytes(), text: bool) {
        prop_assert!(to_records(text, [&input[..]]).len() <= 2 * input.len() + 2);
    }
}
