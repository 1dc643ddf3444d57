//! Patterns of names: against a table, against a matcher that tries everything, and against names
//! that make such a matcher slow.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use wharfinger_protocol::pattern::Pattern;

fn matches(pattern: &str, name: &str) -> bool {
    Pattern::parse(pattern.as_bytes()).is_some_and(|pattern| pattern.matches(name.as_bytes()))
}

#[test]
fn a_star_is_any_number_of_characters_and_a_question_mark_is_one() {
    for (pattern, yes, no) in [
        ("*", &["", "a", ".hidden", "caf\u{e9}", "**"][..], &[][..]),
        ("*.txt", &[".txt", "a.txt", "a.txt.txt"], &["txt", "a.txt.gz", "A.TXT"]),
        ("a*", &["a", "ab"], &["", "ba"]),
        ("a*b*c", &["abc", "aXbXbc", "abcbc"], &["ab", "acb", "abcd"]),
        ("?", &["a", "\u{e9}", "\u{1f980}", "?", "*"], &["", "ab"]),
        ("??", &["ab", "\u{e9}a", "\u{65e5}\u{672c}"], &["a", "\u{e9}", "abc"]),
        ("a?c*", &["abc", "a\u{e9}cd"], &["ac", "abbc"]),
        ("*?", &["a", "\u{e9}", "ab"], &[""]),
        ("**a**", &["a", "bab"], &["", "b"]),
        // No other character is special, as it is in a shell.
        ("[a]*\\{b}", &["[a]\\{b}", "[a] \\{b}"], &["a{b}"]),
    ] {
        assert!(yes.iter().all(|name| matches(pattern, name)), "{pattern}");
        assert!(!no.iter().any(|name| matches(pattern, name)), "{pattern}");
    }
}

#[test]
fn in_a_name_that_is_not_utf_8_a_byte_is_a_character() {
    let one = Pattern::parse(b"caf?").unwrap();
    assert!(one.matches(b"caf\xe9") && one.matches(b"caf\x80"));
    assert!(!one.matches(b"caf\xe9\xe9"));
    assert!(Pattern::parse(b"\xff*").unwrap().matches(b"\xff\xfe"));
}

#[test]
fn a_plain_name_is_no_pattern_nor_is_what_no_name_is_long_enough_for() {
    for text in ["", "name", "[a-z]", "a.b"] {
        assert!(Pattern::parse(text.as_bytes()).is_none(), "{text}");
    }
    let longest = [b'?'; 255];
    assert!(Pattern::parse(&longest).unwrap().matches(&[b'a'; 255]));
    assert!(!Pattern::parse(&longest).unwrap().matches(&[b'a'; 254]));
    assert!(Pattern::parse(&[b'?'; 256]).is_none());
}

/// What a matcher that goes back and tries again would take longer than a lifetime for.
#[test]
fn no_pattern_takes_long_whatever_the_name() {
    let name = [b'a'; 255];
    let patterns =
        ["a*".repeat(127) + "b", "*a".repeat(127) + "?b", "*".repeat(4000) + "b", "?*".repeat(200)];
    let begun = Instant::now();
    for pattern in &patterns {
        let pattern = Pattern::parse(pattern.as_bytes()).unwrap();
        for _ in 0..10_000 {
            std::hint::black_box(pattern.matches(&name));
        }
    }
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(20), "{taken:?} for forty thousand names");
}

/// The definition itself, by trying everything.
fn tried(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', pattern @ ..], _) => {
            (0..=name.len()).filter_map(|skipped| name.get(skipped..)).any(|name| tried(pattern, name))
        }
        (['?', pattern @ ..], [_, name @ ..]) => tried(pattern, name),
        ([wanted, pattern @ ..], [found, name @ ..]) => wanted == found && tried(pattern, name),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn it_matches_what_trying_everything_matches(text in "[ab\u{e9}\u{df}*?]{1,8}", name in "[ab\u{e9}\u{df}\u{3b2}]{0,8}") {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        match Pattern::parse(text.as_bytes()) {
            Some(pattern) => prop_assert_eq!(pattern.matches(name.as_bytes()), tried(&characters(&text), &characters(&name))),
            None => prop_assert!(!text.contains(['*', '?'])),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..600), name in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Some(pattern) = Pattern::parse(&text) {
            pattern.matches(&name);
        }
    }
}
