//! How a control connection comes about: in clear, turned to TLS, or under TLS from the first
//! byte; and how data connections are dialled.

use std::{
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use suppaftp::{FtpError, FtpResult, Status};

use crate::{answer::Answer, failure::Failure, remote::flow, site::Site, tls::SessionTls};

use super::{
    Stream,
    trouble::{broken, no_reply},
};

/// In clear, with the greeting heard.
pub(super) fn greeted(site: &Site) -> Result<Stream, Failure> {
    let socket = site.dial()?;
    crate::tls::set_timeouts(&socket, site.timeout).map_err(|error| site.unreachable(&error.to_string()))?;
    Stream::connect_with_stream(socket).map_err(|error| match error {
        FtpError::UnexpectedResponse(response) => match Answer::from_ftp(&response.body) {
            Some(answer) => Failure::Refused { what: site.target.server(), answer },
            None => no_reply(&response.body),
        },
        other => broken(other, &site.pace()),
    })
}

/// AUTH TLS, PBSZ and PROT P (RFC 4217), before anything is said that matters.
pub(super) fn explicit(site: &Site, tls: &SessionTls) -> Result<Stream, Failure> {
    greeted(site)?.into_secure(tls.clone(), &site.target.host).map_err(|error| match error {
        FtpError::UnexpectedResponse(response) => {
            let answer =
                Answer::from_ftp(&response.body).map_or_else(String::new, |answer| answer.to_string());
            Failure::Tls(format!(
                "the server refuses TLS: {answer}\n  With --clear wharf goes on without it, and everybody on \
                 the way can read the password and the files."
            ))
        }
        FtpError::SecureError(text) => tls.failure(&text),
        other => broken(other, &site.pace()),
    })
}

/// TLS from the first byte. `suppaftp` connects by itself and waits without end; so it does that
/// in a thread, which is left behind when the time is over.
pub(super) fn implicit(site: &Site, tls: &SessionTls) -> Result<Stream, Failure> {
    let addresses = site.addresses()?;
    let (done, waiting) = mpsc::channel();
    let (connector, host) = (tls.clone(), site.target.host.clone());
    thread::spawn(move || {
        let connected = Stream::connect_secure_implicit(addresses.as_slice(), connector, &host);
        // Nobody waits any more if the time is over.
        let _ = done.send(connected);
    });
    // The time for TCP, for TLS and for the greeting.
    let connected = waiting.recv_timeout(site.timeout * 3);
    let stream = match connected.map_err(|_| site.unreachable("it does not answer"))? {
        Ok(stream) => stream,
        Err(FtpError::SecureError(text)) => return Err(tls.failure(&text)),
        Err(FtpError::UnexpectedResponse(response)) => {
            return Err(match Answer::from_ftp(&response.body) {
                Some(answer) => Failure::Refused { what: site.target.server(), answer },
                None => no_reply(&response.body),
            });
        }
        Err(FtpError::ConnectionError(error)) => return Err(site.unreachable(&error.to_string())),
        Err(other) => return Err(broken(other, &site.pace())),
    };
    site.interrupt.watch(&stream.get_ref());
    let mut stream = stream;
    for line in ["PBSZ 0", "PROT P"] {
        if let Err(error) = stream.custom_command(line, &[Status::CommandOk]) {
            return Err(Failure::Tls(format!("the server does not protect data connections: {error}")));
        }
    }
    Ok(stream)
}

pub(super) fn data_dialer(timeout: Duration) -> impl Fn(SocketAddr) -> FtpResult<TcpStream> + Send + Sync {
    move |address| {
        let socket = TcpStream::connect_timeout(&address, timeout).map_err(FtpError::ConnectionError)?;
        flow::prepare(&socket).map_err(FtpError::ConnectionError)?;
        Ok(socket)
    }
}
