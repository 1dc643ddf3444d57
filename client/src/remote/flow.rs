//! Moving bytes over a data connection: bounded waits, Ctrl-C heard at once, and an end that can't
//! be taken for something it isn't.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    failure::Failure,
    interrupt::Interrupt,
    remote::{Ending, Sink, Source},
    tls::{is_timeout, set_timeouts},
};

const BUFFER: usize = 256 * 1024;
/// How often a waiting transfer looks for Ctrl-C.
const TICK: Duration = Duration::from_millis(250);

/// How long a transfer may stand still, and what stops it.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    pub(crate) timeout: Duration,
    pub(crate) interrupt: Interrupt,
}

/// Why the bytes did not get through.
pub(crate) enum Broken {
    /// On this side: the sink's or the source's failure, or Ctrl-C.
    Here(Failure),
    /// On the way or on the other side. What the server says of it goes first.
    There(Failure),
}

impl Pace {
    /// Gives everything that comes to the sink.
    pub(crate) fn receive(
        &self,
        data: &mut impl Read,
        secured: bool,
        sink: &mut Sink<'_>,
    ) -> Result<Ending, Broken> {
        let _transferring = self.interrupt.transferring();
        let mut buffer = vec![0; BUFFER];
        loop {
            match self.patiently(|| data.read(&mut buffer)) {
                Ok(0) => return Ok(if secured { Ending::Marked } else { Ending::Unmarked }),
                Ok(size) => sink(buffer.get(..size).unwrap_or_default()).map_err(Broken::Here)?,
                Err(Stopped::Network(error)) if secured && error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(Ending::BrokenOff);
                }
                Err(stopped) => return Err(stopped.into()),
            }
        }
    }

    /// Sends everything the source gives.
    pub(crate) fn send(&self, data: &mut impl Write, source: &mut Source<'_>) -> Result<(), Broken> {
        let _transferring = self.interrupt.transferring();
        let mut buffer = vec![0; BUFFER];
        loop {
            let size = source(&mut buffer).map_err(Broken::Here)?;
            if size == 0 {
                return Ok(self.patiently(|| data.flush())?);
            }
            let mut rest = buffer.get(..size).unwrap_or_default();
            while !rest.is_empty() {
                let sent = self.patiently(|| data.write(rest))?;
                rest = rest.get(sent..).unwrap_or_default();
            }
        }
    }

    /// Does it, again and again while it waits, until the time is over or Ctrl-C comes.
    fn patiently<T>(&self, mut step: impl FnMut() -> io::Result<T>) -> Result<T, Stopped> {
        let begin = Instant::now();
        loop {
            self.interrupt.check().map_err(Stopped::Interrupted)?;
            match step() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) && begin.elapsed() < self.timeout => {}
                Err(error) if is_timeout(&error) => return Err(Stopped::Stalled(self.timeout)),
                result => return result.map_err(Stopped::Network),
            }
        }
    }
}

/// Why a read or a write did not come to its end.
enum Stopped {
    Interrupted(Failure),
    Stalled(Duration),
    Network(io::Error),
}

impl From<Stopped> for Broken {
    fn from(stopped: Stopped) -> Broken {
        match stopped {
            Stopped::Interrupted(failure) => Broken::Here(failure),
            Stopped::Stalled(timeout) => {
                Broken::There(Failure::Connection(format!("no data moved for {} s", timeout.as_secs())))
            }
            Stopped::Network(error) => {
                Broken::There(Failure::Connection(format!("the data connection broke: {error}")))
            }
        }
    }
}

/// Prepares a data connection for [`Pace`].
pub(crate) fn prepare(socket: &TcpStream) -> io::Result<()> {
    set_timeouts(socket, TICK)
}

/// Makes the end of this connection a reset, which no server takes for the end of a file.
pub(crate) fn reset_at_the_end(socket: &TcpStream) {
    // Fails on a socket that is gone already.
    let _ = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO));
}
