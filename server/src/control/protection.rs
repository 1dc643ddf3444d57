//! What TLS tells of the control connection's peer.

use rustls::ServerConnection;

use crate::tls::names;

/// How the control connection is protected, and what the client has told and shown.
#[derive(Clone, Debug)]
pub(crate) struct Protection {
    pub(crate) version: &'static str,
    pub(crate) cipher: &'static str,
    /// The name that the client knows this server by, if it told (SNI).
    pub(crate) server_name: Option<String>,
    /// Whom the client's certificate is for, if it showed one; a trusted authority says so.
    certified: Vec<String>,
}

impl Protection {
    /// Of a session whose handshake is done.
    pub(super) fn of(session: &ServerConnection) -> Self {
        let shown = session.peer_certificates().and_then(<[_]>::first);
        Self {
            version: session.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS"),
            cipher: session
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or("unknown"),
            server_name: session.server_name().map(str::to_owned),
            certified: shown.map(|certificate| names::of_client(certificate)).unwrap_or_default(),
        }
    }

    /// Whether the client has shown a certificate for this user.
    pub(crate) fn certifies(&self, user: &[u8]) -> bool {
        self.certified.iter().any(|name| name.as_bytes() == user)
    }
}
