//! Listening sockets that systemd has opened for the program (`LISTEN_FDS`), by the name that their
//! unit gives them (`FileDescriptorName=`). A program that is handed its ports needs no right to
//! open them, and who connects while it restarts waits instead of being refused.

use std::env;
use std::net::TcpListener;

use listenfd::ListenFd;

/// Sockets that nobody serves yet.
#[derive(Debug, Default)]
pub struct Sockets(Vec<(String, TcpListener)>);

/// A socket that the program has no use for: its unit is wrong, and serving without it would hide that.
#[derive(Debug, thiserror::Error)]
pub(super) enum SocketError {
    #[error(
        "systemd hands over a socket named '{name}', but this program takes {known}: set FileDescriptorName= \
         in the .socket unit"
    )]
    Name { name: String, known: String },
    #[error(
        "the socket '{name}' that systemd hands over can't be served ({reason}): its unit needs ListenStream= \
         with a port or an address and a port, and Accept=no"
    )]
    Kind { name: String, reason: String },
}

impl Sockets {
    /// Those that systemd has opened for this process; each must have one of these names. To be called
    /// before there is another thread, since the environment is changed.
    pub(super) fn inherited(known: &[&str]) -> Result<Self, SocketError> {
        // Whoever is meant is named, or the numbers could mean any file.
        if env::var_os("LISTEN_PID").is_none() {
            return Ok(Self::default());
        }
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut handed = ListenFd::from_env();
        let mut names = names.split(':');
        let mut sockets = Vec::new();
        for number in 0..handed.len() {
            let name = names.next().filter(|name| !name.is_empty()).unwrap_or("unknown").to_owned();
            if !known.contains(&name.as_str()) {
                return Err(SocketError::Name { name, known: known.join(", ") });
            }
            match taken(&mut handed, number) {
                Ok(socket) => sockets.push((name, socket)),
                Err(reason) => return Err(SocketError::Kind { name, reason }),
            }
        }
        Ok(Self(sockets))
    }

    /// Those of this name, to be served in the place of the addresses that are configured.
    pub fn take(&mut self, name: &str) -> Vec<TcpListener> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(own, _)| own == name);
        self.0 = left;
        let taken: Vec<(String, TcpListener)> = taken;
        taken.into_iter().map(|(_, socket)| socket).collect()
    }
}

fn taken(handed: &mut ListenFd, number: usize) -> Result<TcpListener, String> {
    let taken = handed.take_tcp_listener(number).map_err(|error| error.to_string())?;
    let socket = taken.ok_or("it is taken already")?;
    match rustix::net::sockopt::socket_acceptconn(&socket) {
        Ok(true) => {}
        Ok(false) => return Err("nobody can connect to it".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    socket.set_nonblocking(true).map_err(|error| error.to_string())?;
    Ok(socket)
}
