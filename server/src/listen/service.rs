//! What can be listened for: a dialect, and from when on it is under TLS. One match for each
//! question about it, so a new one does not compile until it has answered all of them.

use std::net::SocketAddr;

use wharfinger_config::Config;
use wharfinger_protocol::line::Lines;

use crate::ftp;
use crate::link::TlsPolicy;
use crate::registry::Refusal;

/// What a listener's clients are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// FTP in clear until the client asks for TLS.
    Ftp,
}

impl Service {
    pub(super) const ALL: [Self; 1] = [Self::Ftp];

    /// The addresses configured for it.
    pub(super) fn addresses(self, config: &Config) -> &[SocketAddr] {
        match self {
            Self::Ftp => &config.ftp.listen,
        }
    }

    /// The key they stand under.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Ftp => "ftp.listen",
        }
    }

    /// Its name in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
        }
    }

    /// How its lines are cut.
    pub(super) fn lines(self) -> Lines {
        match self {
            Self::Ftp => Lines::default(),
        }
    }

    /// Whether TLS begins with the first byte.
    pub(super) fn tls_at_once(self) -> bool {
        match self {
            Self::Ftp => false,
        }
    }

    /// What must be under TLS.
    pub(super) fn policy(self, config: &Config) -> TlsPolicy {
        match self {
            Self::Ftp => TlsPolicy { control: config.tls.control, data: config.tls.data },
        }
    }

    /// What a client hears who is not taken on; where TLS comes first, nothing.
    pub(super) fn turned_away(self, refusal: Refusal) -> Option<&'static str> {
        match self {
            Self::Ftp => Some(ftp::turned_away(refusal)),
        }
    }
}
