//! Cuts a control connection's bytes into lines, however they arrive, and
//! takes the Telnet sequences out (RFC 959 §3, RFC 854).
//!
//! The caller owns the byte buffer, so that an idle session need hold none.
//! A line is bounded and never copied: what is handed out borrows the buffer.
//! Nothing here knows what a line means.

use std::ops::{Range, RangeInclusive};

use memchr::{memchr, memchr2};

/// The longest line of a command in bytes, with its line end and its Telnet sequences.
pub const LONGEST_LINE: usize = 4096;
/// The longest line of an answer: a path that a command made step by step may fill a command's line
/// by itself, and stands behind a code.
const LONGEST_ANSWER: usize = LONGEST_LINE + 512;

/// Telnet's "interpret as command" byte (RFC 854).
pub(crate) const IAC: u8 = 0xFF;
/// The first byte value that is a Telnet command after an IAC (RFC 854: SE).
const FIRST_TELNET_COMMAND: u8 = 0xF0;
/// WILL, WON'T, DO and DON'T are followed by one option byte.
const NEGOTIATIONS: RangeInclusive<u8> = 0xFB..=0xFE;

/// A line was longer than lines may be; the rest of it will be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line is too long")]
pub struct TooLong;

/// Where the splitting of one connection's bytes stands.
///
/// Between two calls of [`Lines::next`] the caller may append to the buffer,
/// and do nothing else to it.
#[derive(Debug, Clone)]
pub struct Lines {
    /// The current line's cleaned bytes are `start..written`; those before it were handed out.
    start: usize,
    written: usize,
    /// The first byte not looked at yet. `written..read` is a hole that Telnet bytes left.
    read: usize,
    /// Bytes of the current line as they came, Telnet sequences included.
    length: usize,
    telnet: Telnet,
    skipping: bool,
    /// How long a line may be.
    longest: usize,
}

impl Default for Lines {
    fn default() -> Lines {
        let (telnet, skipping, longest) = (Telnet::Data, false, LONGEST_LINE);
        Lines { start: 0, written: 0, read: 0, length: 0, telnet, skipping, longest }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telnet {
    Data,
    Command,
    Option,
    /// The protocol is not built on Telnet: every byte is itself.
    Unused,
}

impl Lines {
    /// For a protocol that is not built on Telnet, where 0xFF is a byte as any other.
    pub fn without_telnet() -> Lines {
        Lines { telnet: Telnet::Unused, ..Lines::default() }
    }

    /// For the answers of such a protocol.
    pub fn of_answers() -> Lines {
        Lines { longest: LONGEST_ANSWER, ..Lines::without_telnet() }
    }

    /// The same kind of lines, with nothing read yet.
    #[must_use]
    pub fn anew(&self) -> Lines {
        let telnet = if self.telnet == Telnet::Unused { Telnet::Unused } else { Telnet::Data };
        Lines { telnet, longest: self.longest, ..Lines::default() }
    }

    /// The next whole line, without its line end (CR LF, or LF alone) and
    /// without Telnet sequences. `None`: more bytes are needed; all that was
    /// handed out has then left the buffer.
    ///
    /// A line that is too long gives [`TooLong`] once, as soon as that is
    /// known; the rest of it is dropped as it comes.
    pub fn next<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Option<Result<&'b [u8], TooLong>> {
        while self.read < buffer.len() {
            match self.advance(buffer) {
                Progress::More => {}
                Progress::TooLong => return Some(Err(TooLong)),
                Progress::Line(range) => {
                    let line = buffer.get(range)?;
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    return Some(Ok(if self.telnet == Telnet::Unused { line } else { trimmed(line) }));
                }
            }
        }
        self.compact(buffer);
        None
    }

    /// Whether bytes have come that were not handed out as lines. After the
    /// line `AUTH TLS` there must be none: what stands there came in clear.
    pub fn has_rest(&self, buffer: &[u8]) -> bool {
        let within_telnet = matches!(self.telnet, Telnet::Command | Telnet::Option);
        self.written > self.start || self.read < buffer.len() || within_telnet || self.skipping
    }

    /// Takes the next run of bytes up to a line end, an IAC or the end of what has come.
    fn advance(&mut self, buffer: &mut [u8]) -> Progress {
        let room = self.longest.saturating_sub(self.length);
        let end = if self.skipping { buffer.len() } else { buffer.len().min(self.read + room) };
        if self.read >= end {
            return self.overflow();
        }
        match self.telnet {
            Telnet::Data | Telnet::Unused => self.take_data(buffer, end),
            Telnet::Command => self.take_command(buffer),
            Telnet::Option => {
                self.consume(1);
                self.telnet = Telnet::Data;
                Progress::More
            }
        }
    }

    fn take_data(&mut self, buffer: &mut [u8], end: usize) -> Progress {
        let fresh = buffer.get(self.read..end).unwrap_or_default();
        let found = match self.telnet {
            Telnet::Unused => memchr(b'\n', fresh),
            _ => memchr2(b'\n', IAC, fresh),
        };
        let run = found.unwrap_or(fresh.len());
        let at = found.and_then(|at| fresh.get(at)).copied();
        self.keep(buffer, run);
        match at {
            None => Progress::More,
            // Kept until the next byte tells what it was.
            Some(IAC) => {
                self.keep(buffer, 1);
                self.telnet = Telnet::Command;
                Progress::More
            }
            Some(_) => {
                self.consume(1);
                self.finish_line()
            }
        }
    }

    /// The byte after an IAC: a command is dropped; IAC IAC is one 0xFF; before
    /// any other byte the IAC was meant as itself, by a client that knows no Telnet.
    fn take_command(&mut self, buffer: &[u8]) -> Progress {
        let byte = buffer.get(self.read).copied().unwrap_or_default();
        self.telnet = if NEGOTIATIONS.contains(&byte) { Telnet::Option } else { Telnet::Data };
        if (FIRST_TELNET_COMMAND..IAC).contains(&byte) && !self.skipping {
            self.written -= 1;
        }
        if byte >= FIRST_TELNET_COMMAND {
            self.consume(1);
        }
        Progress::More
    }

    /// Takes `count` bytes into the line.
    fn keep(&mut self, buffer: &mut [u8], count: usize) {
        if !self.skipping {
            if self.written != self.read {
                buffer.copy_within(self.read..self.read + count, self.written);
            }
            self.written += count;
        }
        self.consume(count);
    }

    /// Passes over `count` bytes.
    fn consume(&mut self, count: usize) {
        self.read += count;
        self.length += count;
    }

    fn finish_line(&mut self) -> Progress {
        let line = self.start..self.written;
        let skipped = self.skipping;
        self.start_line();
        if skipped { Progress::More } else { Progress::Line(line) }
    }

    fn overflow(&mut self) -> Progress {
        self.written = self.start;
        self.skipping = true;
        Progress::TooLong
    }

    fn start_line(&mut self) {
        self.start = self.read;
        self.written = self.read;
        self.length = 0;
        self.skipping = false;
    }

    /// Drops what was handed out or passed over; only an unfinished line stays.
    fn compact(&mut self, buffer: &mut Vec<u8>) {
        buffer.truncate(self.written);
        buffer.drain(..self.start.min(buffer.len()));
        self.start = 0;
        self.written = buffer.len();
        self.read = buffer.len();
    }
}

enum Progress {
    More,
    Line(Range<usize>),
    TooLong,
}

/// Without what is left of a Telnet sequence when its urgent byte was lost on the way: no verb
/// begins with such a byte.
fn trimmed(line: &[u8]) -> &[u8] {
    let garbage = line.iter().take_while(|&&byte| byte >= FIRST_TELNET_COMMAND).count();
    line.get(garbage..).unwrap_or_default()
}
