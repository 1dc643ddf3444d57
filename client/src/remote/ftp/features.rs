//! What a server says it can do (RFC 2389).

use crate::{answer::Answer, names::shown};

/// FEAT's lines. A server without FEAT has none.
#[derive(Debug, Default, Clone)]
pub(crate) struct Features(Vec<String>);

impl Features {
    /// Reads the answer to FEAT.
    pub(super) fn read(answer: &Answer) -> Features {
        let lines = answer.lines().filter(|line| line.starts_with(b" ") && answer.code == 211);
        Features(lines.map(|line| shown(line.trim_ascii()).to_ascii_uppercase()).collect())
    }

    /// Whether this line is among them.
    pub(crate) fn says(&self, line: &str) -> bool {
        self.0.iter().any(|one| one == line)
    }

    /// Whether a line begins with this word.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|line| line.split_ascii_whitespace().next() == Some(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_found_by_their_first_word() {
        let reply = b"211-Extensions:\r\n EPSV\r\n mlst type*;size*;\r\n REST STREAM\r\n211 END\r\n";
        let features = Features::read(&Answer::from_ftp(reply).unwrap());
        assert!(features.has("EPSV") && features.has("MLST"));
        assert!(!features.has("UTF8") && !features.has("END") && !features.has("REST STREAM"));
        assert!(!Features::read(&Answer::from_ftp(b"500 What?\r\n").unwrap()).has("EPSV"));
    }
}
