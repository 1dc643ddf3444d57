//! The header of a proxy: never more is taken than was said to be missing, and its end is found.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_protocol::proxy::{missing, read};

fuzz_target!(|bytes: &[u8]| {
    let mut taken = 0;
    loop {
        match missing(&bytes[..taken]) {
            Ok(0) => break,
            Ok(more) if taken + more <= bytes.len() => taken += more,
            _ => return,
        }
        assert!(taken <= 16 + 2048, "a header that does not end");
    }
    if read(&bytes[..taken]).is_ok() {
        assert_eq!(missing(&bytes[..taken]), Ok(0));
    }
});
