//! What a server answers in either dialect: a code and words. The words are only ever shown, so
//! they are made harmless for a terminal here, once.

use std::fmt;

use crate::names::shown;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    /// At least one line, as it came, without the code.
    lines: Vec<Vec<u8>>,
}

impl Answer {
    pub(crate) fn new(code: u16, lines: Vec<Vec<u8>>) -> Answer {
        Answer { code, lines }
    }

    /// Reads an FTP reply as it stands on the wire, all its lines. The last line's code counts:
    /// some servers begin with another one.
    pub(crate) fn from_ftp(bytes: &[u8]) -> Option<Answer> {
        let lines: Vec<&[u8]> = bytes.trim_ascii_end().split(|&byte| byte == b'\n').collect();
        let digits = str::from_utf8(lines.last()?.get(..3)?).ok()?;
        let code = digits.parse().ok().filter(|code| (100..600).contains(code))?;
        let text = |line: &&[u8]| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let marked = line.get(..3).is_some_and(|start| start.iter().all(u8::is_ascii_digit))
                && line.get(3).is_none_or(|mark| matches!(mark, b' ' | b'-'));
            if marked { line.get(4..).unwrap_or_default().to_vec() } else { line.to_vec() }
        };
        Some(Answer::new(code, lines.iter().map(text).collect()))
    }

    /// The lines' texts as they came.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(Vec::as_slice)
    }

    /// The first line's text as it came.
    pub(crate) fn text(&self) -> &[u8] {
        self.lines.first().map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the server refuses, for now or for good.
    pub(crate) fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    /// Whether the refusal is one that passes: a data connection that did not come about, a file
    /// that is busy. 452, a full disk, is not among them.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.code, 421 | 425 | 426 | 450 | 451)
    }

    /// Whether the server does not know the command or its parameter at all.
    pub(crate) fn is_unknown_command(&self) -> bool {
        matches!(self.code, 202 | 500..=504)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.lines().map(|line| shown(line).trim().to_owned()).collect();
        write!(formatter, "{} {}", self.code, words.join("\n    "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_several_lines_is_read_with_its_last_code() {
        let answer = Answer::from_ftp(b"211-Features:\r\n UTF8\r\n MLST type*;\r\n211 End\r\n").unwrap();
        assert_eq!(answer.code, 211);
        let lines: Vec<&[u8]> = answer.lines().collect();
        assert_eq!(lines, [&b"Features:"[..], b" UTF8", b" MLST type*;", b"End"]);
    }

    #[test]
    fn what_is_no_reply_is_not_read() {
        for bytes in [&b""[..], b"hello", b"99 too low\r\n", b"700 too high\r\n", b"2x0 what\r\n"] {
            assert_eq!(Answer::from_ftp(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn words_can_not_steer_the_terminal() {
        let answer = Answer::from_ftp(b"550 \x1b[2Jgone\x07\r\n").unwrap();
        assert_eq!(answer.to_string(), "550 ?[2Jgone?");
    }
}
