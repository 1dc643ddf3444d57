//! Puts a reply together from the lines a server sends: the client's side.
//!
//! It takes lines that `line::Lines` has cut, so it knows no line ends, and it
//! bounds how much a server can make a client hold.

use crate::ftp::{Code, Reply};

/// The most bytes of text a reply may have.
const LARGEST_REPLY: usize = 64 * 1024;

/// Reads replies, one line after another.
#[derive(Debug, Default)]
pub struct ReplyReader {
    begun: Option<Reply>,
    size: usize,
}

/// Why a server's bytes are no reply. The connection is of no use after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The first line does not begin with a code and a space or a hyphen.
    #[error("the line does not begin with a reply code")]
    NoCode,
    /// There is more text than a client should hold.
    #[error("the reply is larger than {LARGEST_REPLY} bytes")]
    TooLarge,
}

impl ReplyReader {
    /// Takes the next line, without its line end. `Some` when a reply is whole.
    pub fn push(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        self.size += line.len() + 1;
        if self.size > LARGEST_REPLY {
            return Err(ReplyError::TooLarge);
        }
        match self.begun.take() {
            None => self.first(line),
            Some(reply) => Ok(self.following(reply, line)),
        }
    }

    fn first(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let (code, mark, text) = marked(line).ok_or(ReplyError::NoCode)?;
        let reply = Reply::new(code, text.to_vec());
        if mark == b'-' {
            self.begun = Some(reply);
            return Ok(None);
        }
        self.size = 0;
        Ok(Some(reply))
    }

    fn following(&mut self, reply: Reply, line: &[u8]) -> Option<Reply> {
        match marked(line) {
            Some((code, b' ', text)) if code == reply.code() => {
                self.size = 0;
                Some(reply.line(text.to_vec()))
            }
            _ => {
                self.begun = Some(reply.line(line.to_vec()));
                None
            }
        }
    }
}

/// Code, space or hyphen, and text. A bare code counts as one with a space.
fn marked(line: &[u8]) -> Option<(Code, u8, &[u8])> {
    let (&digits, rest) = line.split_first_chunk::<3>()?;
    let code = Code::from_digits(digits)?;
    match rest.split_first() {
        None => Some((code, b' ', rest)),
        Some((&mark @ (b' ' | b'-'), text)) => Some((code, mark, text)),
        Some(_) => None,
    }
}
