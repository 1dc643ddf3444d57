//! Replies: a code and lines of text, printed and read back (RFC 959 §4.2).
//!
//! This is the one place that writes a reply's bytes, so no name in a text can
//! end its line and forge another. Which reply a command gets is not known here.

use crate::words::{IntoText, Text, clean};

mod code;
mod reader;

pub use code::Code;
pub use reader::{ReplyError, ReplyReader};

/// A reply of one or more lines.
///
/// Texts are bytes: UTF-8 by rule, but a file name is sent as it is on disk.
/// Control bytes in them are printed as `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: Code,
    first: Text,
    more: Vec<Text>,
}

impl Reply {
    /// A reply of one line.
    pub fn new(code: Code, text: impl IntoText) -> Reply {
        Reply { code, first: clean(text.into_text()), more: Vec::new() }
    }

    /// The reply with another line. All lines but the first and the last stand
    /// on the wire as they are: FEAT's and MLST's need their space in front,
    /// and one that could be taken for a reply line is given one.
    #[must_use]
    pub fn line(mut self, text: impl IntoText) -> Reply {
        let text = clean(text.into_text());
        self.more.push(if looks_like_reply(&text) { [b" ", &*text].concat().into() } else { text });
        self
    }

    /// The reply's code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The lines' texts, at least one.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.first).chain(&self.more).map(|text| &**text)
    }

    /// Appends the reply's bytes, line ends included.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let Some((last, middle)) = self.more.split_last() else {
            return self.write_marked(out, b' ', &self.first);
        };
        self.write_marked(out, b'-', &self.first);
        for text in middle {
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
        self.write_marked(out, b' ', last);
    }

    fn write_marked(&self, out: &mut Vec<u8>, mark: u8, text: &[u8]) {
        out.extend_from_slice(&self.code.digits());
        out.push(mark);
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    }
}

/// A path in the double quotes of a 257, with each quote in it doubled (RFC 959, Appendix II).
pub fn quote_path(path: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(path.len() + 2);
    quoted.push(b'"');
    for &byte in path {
        quoted.push(byte);
        if byte == b'"' {
            quoted.push(b'"');
        }
    }
    quoted.push(b'"');
    quoted
}

/// The path in a 257's text, with its quotes undone. `None` if it has none.
pub fn quoted_path(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = text.strip_prefix(b"\"")?.iter().copied().peekable();
    let mut path = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
            return Some(path);
        }
        path.push(byte);
    }
    None
}

/// A middle line that begins with three digits must be padded (RFC 959 §4.2).
fn looks_like_reply(text: &[u8]) -> bool {
    text.get(..3).is_some_and(|start| start.iter().all(u8::is_ascii_digit))
}
