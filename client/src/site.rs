//! A server and how to get into it: all that is needed to connect, once or again and again, in
//! this thread or in several.

use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use crate::{
    credentials::Login,
    failure::Failure,
    interrupt::Interrupt,
    remote::{Remote, flow::Pace, ftp::Ftp, mftp::Mftp},
    target::{Scheme, Target},
    trust::Trust,
};

/// A server as the command line names it.
pub(crate) struct Site {
    pub(crate) target: Target,
    pub(crate) login: Login,
    pub(crate) trust: Trust,
    /// Whether FTP may go without TLS.
    pub(crate) clear: bool,
    /// Whether the server is to connect to this machine for data.
    pub(crate) active: bool,
    pub(crate) timeout: Duration,
    pub(crate) interrupt: Interrupt,
}

impl Site {
    /// Connects and logs in.
    pub(crate) fn connect(&self) -> Result<Box<dyn Remote>, Failure> {
        match self.target.scheme {
            Scheme::Ftp | Scheme::Ftps => Ok(Box::new(Ftp::log_in(self)?)),
            Scheme::Mftp | Scheme::Mftps => Ok(Box::new(Mftp::log_in(self)?)),
        }
    }

    /// The waits of a transfer.
    pub(crate) fn pace(&self) -> Pace {
        Pace { timeout: self.timeout, interrupt: self.interrupt.clone() }
    }

    /// A TCP connection to the server, trying each of its addresses.
    pub(crate) fn dial(&self) -> Result<TcpStream, Failure> {
        let mut last = None;
        for address in self.addresses()? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(socket) => {
                    self.interrupt.watch(&socket);
                    return Ok(socket);
                }
                Err(error) => last = Some(error),
            }
            self.interrupt.check()?;
        }
        let why = last.map_or_else(|| "the name has no address".to_owned(), |error| error.to_string());
        Err(self.unreachable(&why))
    }

    /// The server's addresses.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let found = (self.target.host.as_str(), self.target.port).to_socket_addrs();
        found.map(Iterator::collect).map_err(|error| self.unreachable(&error.to_string()))
    }

    pub(crate) fn unreachable(&self, why: &str) -> Failure {
        Failure::Connection(format!("cannot reach {}: {why}", self.target.server()))
    }
}
