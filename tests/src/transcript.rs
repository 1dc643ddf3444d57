//! What the lines of a transcript mean: bytes that stand for themselves, and patterns of what the
//! server may say.

use regex::bytes::Regex;

/// A line of text as it is on the data connection.
pub fn with_end(line: &str) -> String {
    line.strip_suffix('\\').map_or_else(|| format!("{line}\\x0D\\x0A"), str::to_owned)
}

/// Literal text with regular expressions between tildes, matching the whole.
pub fn pattern(words: &str) -> Regex {
    let mut expression = "(?s)^".to_owned();
    for (number, part) in words.split('~').enumerate() {
        if number % 2 == 1 {
            expression.push_str(part);
        } else {
            expression.extend(unescaped(part).iter().map(|byte| format!("(?-u:\\x{byte:02x})")));
        }
    }
    Regex::new(&format!("{expression}$")).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// `\xNN` as the byte it stands for.
pub fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
