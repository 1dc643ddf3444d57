//! The control connection: lines out, answers in, each of them bounded.

use std::io::{Read as _, Write as _};

use wharfinger_protocol::{line::Lines, mftp};

use crate::{answer::Answer, failure::Failure, names::shown, remote::flow::Pace, tls::is_timeout};

use super::Wire;

/// Lines over a connection.
pub(super) struct Control {
    wire: Wire,
    lines: Lines,
    buffer: Vec<u8>,
    pace: Pace,
}

impl Control {
    pub(super) fn new(wire: Wire, pace: Pace) -> Control {
        Control { wire, lines: Lines::of_answers(), buffer: Vec::new(), pace }
    }

    /// Sends a whole line.
    pub(super) fn send(&mut self, line: &[u8]) -> Result<(), Failure> {
        let sent = self.wire.write_all(line).and_then(|()| self.wire.flush());
        sent.map_err(|error| self.broken(&error))
    }

    /// Waits for an answer.
    pub(super) fn answer(&mut self) -> Result<Answer, Failure> {
        let mut fresh = [0; 4096];
        loop {
            match self.lines.next(&mut self.buffer) {
                Some(Ok(line)) => return read(line),
                Some(Err(error)) => return Err(Failure::Protocol(format!("an answer has no end: {error}"))),
                None => {}
            }
            match self.wire.read(&mut fresh) {
                Ok(0) => return Err(Failure::Connection("the server has closed the connection".to_owned())),
                Ok(size) => self.buffer.extend_from_slice(fresh.get(..size).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    fn broken(&self, error: &std::io::Error) -> Failure {
        if let Err(interrupted) = self.pace.interrupt.check() {
            return interrupted;
        }
        let seconds = self.pace.timeout.as_secs();
        Failure::Connection(if is_timeout(error) {
            format!("the server does not answer within {seconds} s")
        } else {
            format!("the connection broke: {error}")
        })
    }
}

fn read(line: &[u8]) -> Result<Answer, Failure> {
    let answer = mftp::Answer::parse(line).map_err(|_| {
        let begin = shown(line.get(..60).unwrap_or(line));
        Failure::Protocol(format!("the server does not speak MFTP; it said: {begin}"))
    })?;
    Ok(Answer::new(answer.code().number(), vec![answer.text().to_vec()]))
}
