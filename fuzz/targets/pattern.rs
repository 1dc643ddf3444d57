//! Patterns of names: what matches goes on matching when the pattern allows more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_fuzz::in_two;
use wharfinger_protocol::pattern::Pattern;

fuzz_target!(|bytes: &[u8]| {
    let (text, name) = in_two(bytes);
    let Some(pattern) = Pattern::parse(text) else {
        assert!(text.len() > 255 || !text.iter().any(|byte| matches!(byte, b'*' | b'?')));
        return;
    };
    let matches = pattern.matches(name);
    let matched = |text: &[u8]| Pattern::parse(text).expect("a pattern").matches(name);
    assert!(!matches || matched(&[b"*", text].concat()) && matched(&[text, b"*"].concat()));
    assert_eq!(matched(&text.to_vec().iter().flat_map(double_star).collect::<Vec<_>>()), matches);
});

/// Two stars are one.
fn double_star(byte: &u8) -> Vec<u8> {
    if *byte == b'*' { b"**".to_vec() } else { vec![*byte] }
}
