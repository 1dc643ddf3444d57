//! Addresses of PORT, EPRT and of the replies to PASV and EPSV.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_protocol::ftp::address::{
    parse_extended, parse_extended_passive, parse_passive, parse_port, write_extended, write_port,
};

fuzz_target!(|text: &[u8]| {
    if let Some(address) = parse_port(text) {
        let mut printed = Vec::new();
        write_port(&mut printed, address);
        assert_eq!(parse_port(&printed), Some(address));
        assert_eq!(parse_passive(&[b"(", &printed[..], b")"].concat()), Some(address));
    }
    if let Ok(address) = parse_extended(text) {
        let mut printed = Vec::new();
        write_extended(&mut printed, address);
        assert_eq!(parse_extended(&printed), Ok(address));
    }
    parse_passive(text);
    if let Some(port) = parse_extended_passive(text) {
        assert_eq!(parse_extended_passive(format!("(|||{port}|)").as_bytes()), Some(port));
    }
});
