//! Addresses in arguments and replies.

use std::net::{SocketAddr, SocketAddrV4};

use proptest::prelude::*;
use wharfinger_protocol::ftp::{
    Code, Reply,
    address::{
        extended_passive_reply, parse_extended, parse_extended_passive, parse_passive, parse_port,
        passive_reply, write_extended, write_port,
    },
};

fn printed(reply: &Reply) -> String {
    let mut wire = Vec::new();
    reply.write_to(&mut wire);
    String::from_utf8_lossy(&wire).into_owned()
}

fn text(reply: &Reply) -> Vec<u8> {
    reply.lines().flatten().copied().collect()
}

#[test]
fn pasv_is_answered_in_the_form_clients_look_for() {
    let reply = passive_reply("192.0.2.7:40001".parse().unwrap());
    assert_eq!(printed(&reply), "227 Entering Passive Mode (192,0,2,7,156,65).\r\n");
    assert_eq!(reply.code(), Code::ENTERING_PASSIVE);
}

#[test]
fn epsv_is_answered_as_in_rfc_2428() {
    assert_eq!(printed(&extended_passive_reply(6446)), "229 Entering Extended Passive Mode (|||6446|)\r\n");
    assert_eq!(parse_extended_passive(b"Entering Extended Passive Mode (|||6446|)"), Some(6446));
    assert_eq!(parse_extended_passive(b"ok (!!!6446!)."), Some(6446));
}

#[test]
fn any_printable_delimiter_will_do() {
    assert_eq!(parse_extended(b"!1!132.235.1.2!6275!"), Ok("132.235.1.2:6275".parse().unwrap()));
    assert!(parse_extended(b" 1 132.235.1.2 6275 ").is_err());
}

#[test]
fn a_227_without_brackets_is_understood() {
    // RFC 1123 §4.1.2.6.
    for text in ["Entering Passive Mode (1,2,3,4,5,6).", "Entering Passive Mode 1,2,3,4,5,6", "=1,2,3,4,5,6"]
    {
        assert_eq!(parse_passive(text.as_bytes()), Some("1.2.3.4:1286".parse().unwrap()), "{text}");
    }
    for text in ["", "Entering Passive Mode", "(1,2,3,4,5)", "(1,2,3,4,5,6", "(1,2,3,4,5,256)", "(|||1|)"] {
        let expected = text.starts_with("(1,2,3,4,5,6").then(|| "1.2.3.4:1286".parse().unwrap());
        assert_eq!(parse_passive(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_229_must_leave_family_and_address_empty() {
    for text in ["(|1|1.2.3.4|6446|)", "(|||65536|)", "(||||)", "|||6446|", ")(", "(|||6446)"] {
        assert_eq!(parse_extended_passive(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn addresses_are_read_back_the_same(v4 in any::<SocketAddrV4>(), any in any::<SocketAddr>(), port in any::<u16>()) {
        let (mut short, mut extended) = (Vec::new(), Vec::new());
        write_port(&mut short, v4);
        prop_assert_eq!(parse_port(&short), Some(v4));
        prop_assert_eq!(parse_passive(&text(&passive_reply(v4))), Some(v4));
        write_extended(&mut extended, any);
        prop_assert_eq!(parse_extended(&extended), Ok(SocketAddr::new(any.ip(), any.port())));
        prop_assert_eq!(parse_extended_passive(&text(&extended_passive_reply(port))), Some(port));
    }

    #[test]
    fn no_bytes_make_the_parsers_panic(text in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'|'), Just(b','), Just(b'('), Just(b')'), Just(b'1')], 0..40)) {
        let _ = (parse_port(&text), parse_extended(&text), parse_passive(&text), parse_extended_passive(&text));
    }
}
