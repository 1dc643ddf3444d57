//! TLS of one session: its control connection and the data connections that resume it.
//!
//! It is given to `suppaftp` as its way to TLS, and used by MFTP as it is, so both know how each
//! handshake went, and both end a stream as a stream must end.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, StreamOwned};
use rustls_pki_types::ServerName;
use suppaftp::{FtpError, FtpResult, TlsConnector, TlsStream};

use crate::{
    failure::Failure,
    trust::{Shown, Trust},
};

/// How long the other side may take to end a stream that was ended here.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(2);
/// What may still come in then: TLS 1.3 tickets, no more.
const MOST_AT_THE_END: usize = 256 * 1024;

/// One session's TLS; clones are the same session.
#[derive(Clone)]
pub(crate) struct SessionTls {
    config: Arc<ClientConfig>,
    host: String,
    timeout: Duration,
    shown: Shown,
    record: Arc<Mutex<Record>>,
}

/// How the handshakes of a session went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) control: Option<Handshake>,
    /// The last one.
    pub(crate) data: Option<Handshake>,
    /// Why the control connection's failed, with its advice.
    failure: Option<String>,
}

/// What a handshake agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub(crate) version: &'static str,
    pub(crate) suite: String,
    pub(crate) resumed: bool,
}

/// A connection under TLS. Dropping it ends it in good order, unless it was abandoned.
pub(crate) struct Secured {
    stream: StreamOwned<ClientConnection, TcpStream>,
    is_data: bool,
    abandoned: bool,
}

impl SessionTls {
    /// For FTP.
    pub(crate) fn for_ftp(trust: &Trust, host: &str, timeout: Duration) -> Result<SessionTls, Failure> {
        Self::new("ftp", trust, host, timeout)
    }

    /// For MFTP.
    pub(crate) fn for_mftp(trust: &Trust, host: &str, timeout: Duration) -> Result<SessionTls, Failure> {
        Self::new("mftp", trust, host, timeout)
    }

    fn new(protocol: &str, trust: &Trust, host: &str, timeout: Duration) -> Result<SessionTls, Failure> {
        let shown = Shown::default();
        let config = Arc::new(trust.config(protocol, &shown)?);
        Ok(SessionTls { config, host: host.to_owned(), timeout, shown, record: Arc::default() })
    }

    /// How the handshakes went so far.
    pub(crate) fn record(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The certificates the server has shown.
    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Why the control connection could not be secured; `otherwise` if that is not known here.
    pub(crate) fn failure(&self, otherwise: &str) -> Failure {
        Failure::Tls(self.record().failure.unwrap_or_else(|| otherwise.to_owned()))
    }

    /// The control connection's handshake.
    pub(crate) fn control(&self, socket: TcpStream) -> Result<Secured, Failure> {
        let mut secured = self.begin(socket, false)?;
        if let Err(error) = secured.shake_hands() {
            let reason = self.explain(&error);
            self.change(|record| record.failure = Some(reason.clone()));
            return Err(Failure::Tls(reason));
        }
        self.change(|record| record.control = secured.handshake());
        Ok(secured)
    }

    /// A data connection's handshake. If it fails, the first read or write tells: the server has
    /// something to say about it on the control connection, and that is heard first.
    pub(crate) fn data(&self, socket: TcpStream) -> Result<Secured, Failure> {
        let mut secured = self.begin(socket, true)?;
        let done = secured.shake_hands();
        self.change(|record| record.data = done.ok().and_then(|()| secured.handshake()));
        Ok(secured)
    }

    fn begin(&self, socket: TcpStream, is_data: bool) -> Result<Secured, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::Tls(format!("{}: {error}", self.host));
        let name = ServerName::try_from(self.host.clone()).map_err(|error| failed(&error))?;
        let connection =
            ClientConnection::new(Arc::clone(&self.config), name).map_err(|error| failed(&error))?;
        set_timeouts(&socket, self.timeout).map_err(|error| failed(&error))?;
        Ok(Secured { stream: StreamOwned::new(connection, socket), is_data, abandoned: false })
    }

    fn explain(&self, error: &io::Error) -> String {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(reason) => self.shown.explain(reason, &self.host),
            None if is_timeout(error) => {
                "the server does not answer in TLS; ftpes:// is for servers that greet in clear, ftps:// for \
                 those with TLS from the first byte"
                    .to_owned()
            }
            None => format!("the TLS handshake failed: {error}"),
        }
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Secured {
    /// Ends without the `close_notify` that would make a broken upload look whole.
    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
    }

    fn shake_hands(&mut self) -> io::Result<()> {
        while self.stream.conn.is_handshaking() {
            self.stream.conn.complete_io(&mut self.stream.sock)?;
        }
        Ok(())
    }

    fn handshake(&self) -> Option<Handshake> {
        let connection = &self.stream.conn;
        Some(Handshake {
            version: match connection.protocol_version()? {
                ProtocolVersion::TLSv1_2 => "TLS 1.2",
                ProtocolVersion::TLSv1_3 => "TLS 1.3",
                _ => "TLS of an unknown version",
            },
            suite: format!("{:?}", connection.negotiated_cipher_suite()?.suite()),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
        })
    }

    /// Waits for the other side's end, and takes the tickets that come with it. A connection that
    /// is closed with something unread in it is reset, and a reset can overtake the last bytes.
    fn drain(&mut self) -> io::Result<()> {
        self.stream.sock.shutdown(Shutdown::Write)?;
        set_timeouts(&self.stream.sock, PATIENCE_AT_THE_END)?;
        let mut buffer = vec![0; 16 * 1024];
        let mut count = 0;
        while count < MOST_AT_THE_END {
            match self.stream.read(&mut buffer)? {
                0 => break,
                size => count += size,
            }
        }
        Ok(())
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        if self.abandoned || self.stream.conn.is_handshaking() {
            return;
        }
        self.stream.conn.send_close_notify();
        // What fails here fails because the other side has gone, and it says so on the control connection.
        let ended = set_timeouts(&self.stream.sock, PATIENCE_AT_THE_END).and_then(|()| self.stream.flush());
        if ended.is_ok() && self.is_data {
            let _ = self.drain();
        }
    }
}

impl TlsStream for Secured {
    type InnerStream = StreamOwned<ClientConnection, TcpStream>;

    fn tcp_stream(mut self) -> FtpResult<TcpStream> {
        self.abandoned = true;
        self.stream.sock.try_clone().map_err(FtpError::ConnectionError)
    }

    fn get_ref(&self) -> &TcpStream {
        &self.stream.sock
    }

    fn mut_ref(&mut self) -> &mut Self::InnerStream {
        &mut self.stream
    }
}

impl TlsConnector for SessionTls {
    type Stream = Secured;

    /// The first connection of a session is its control connection.
    fn connect(&self, _: &str, socket: TcpStream) -> FtpResult<Secured> {
        let secured = if self.record().control.is_none() { self.control(socket) } else { self.data(socket) };
        secured.map_err(|failure| FtpError::SecureError(failure.to_string()))
    }
}

impl std::fmt::Debug for SessionTls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SessionTls")
    }
}

impl std::fmt::Debug for Secured {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secured")
    }
}

impl Handshake {
    /// For people: `TLS 1.3, TLS13_AES_256_GCM_SHA384`.
    pub(crate) fn describe(&self) -> String {
        format!("{}, {}", self.version, self.suite)
    }
}

/// How long a read or a write may wait.
pub(crate) fn set_timeouts(socket: &TcpStream, timeout: Duration) -> io::Result<()> {
    socket.set_read_timeout(Some(timeout))?;
    socket.set_write_timeout(Some(timeout))
}

/// Whether a read or write waited for as long as it may.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
