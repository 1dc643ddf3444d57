//! Line ends of ASCII transfers.

use proptest::prelude::*;
use wharfinger_protocol::text::{FromWire, ToWire};

fn to_wire<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut codec, mut out) = (ToWire::default(), Vec::new());
    for piece in pieces {
        codec.push(piece, &mut out);
    }
    out
}

fn from_wire<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut codec, mut out) = (FromWire::default(), Vec::new());
    for piece in pieces {
        codec.push(piece, &mut out);
    }
    codec.finish(&mut out);
    out
}

#[test]
fn lf_becomes_cr_lf_and_cr_lf_stays_one() {
    for (file, wire) in [
        (&b""[..], &b""[..]),
        (b"a\nb", b"a\r\nb"),
        (b"\n\n", b"\r\n\r\n"),
        (b"a\r\nb\n", b"a\r\nb\r\n"),
        (b"a\rb\r", b"a\rb\r"),
        (b"\r\r\n", b"\r\r\n"),
        (b"\n\r", b"\r\n\r"),
    ] {
        assert_eq!(to_wire([file]), wire, "{file:?}");
        assert_eq!(to_wire(file.chunks(1)), wire, "{file:?} byte by byte");
    }
}

#[test]
fn cr_lf_becomes_lf_and_a_lone_cr_stays() {
    for (wire, file) in [
        (&b""[..], &b""[..]),
        (b"a\r\nb", b"a\nb"),
        (b"\r\n\r\n", b"\n\n"),
        (b"a\rb\r", b"a\rb\r"),
        (b"\r\r\n", b"\r\n"),
        (b"\r\r", b"\r\r"),
        (b"a\nb", b"a\nb"),
    ] {
        assert_eq!(from_wire([wire]), file, "{wire:?}");
        assert_eq!(from_wire(wire.chunks(1)), file, "{wire:?} byte by byte");
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200)
}

proptest! {
    #[test]
    fn cuts_make_no_difference(input in bytes(), size in 1..20usize) {
        prop_assert_eq!(to_wire(input.chunks(size)), to_wire([&input[..]]));
        prop_assert_eq!(from_wire(input.chunks(size)), from_wire([&input[..]]));
    }

    #[test]
    fn a_text_with_lf_line_ends_comes_back_the_same(input in bytes()) {
        let text: Vec<u8> = input.into_iter().filter(|&byte| byte != b'\r').collect();
        prop_assert_eq!(from_wire([&to_wire([&text[..]])[..]]), text);
    }

    #[test]
    fn on_the_wire_every_lf_has_its_cr(input in bytes()) {
        let wire = to_wire([&input[..]]);
        let lone = wire.iter().zip(std::iter::once(&b'x').chain(&wire)).any(|(&byte, &before)| byte == b'\n' && before != b'\r');
        prop_assert!(!lone);
        prop_assert!(wire.len() <= 2 * input.len());
    }
}
