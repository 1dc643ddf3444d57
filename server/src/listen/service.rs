//! What can be listened for: a dialect, and from when on it is under TLS. One match for each
//! question about it, so a new one does not compile until it has answered all of them.

use std::net::SocketAddr;

use wharfinger_config::{ClientCertificate, Config, Requirement};
use wharfinger_protocol::line::Lines;

use crate::ftp;
use crate::link::TlsPolicy;
use crate::mftp;
use crate::registry::Refusal;
use crate::tls::Spoken;

/// What a listener's clients are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// FTP in clear until the client asks for TLS.
    Ftp,
    /// FTP under TLS from the first byte on.
    Ftps,
    /// MFTP in clear, for as long as the connection lasts.
    Mftp,
    /// MFTP under TLS from the first byte on.
    Mftps,
}

impl Service {
    pub(crate) const ALL: [Self; 4] = [Self::Ftp, Self::Ftps, Self::Mftp, Self::Mftps];

    /// The addresses configured for it.
    pub(crate) fn addresses(self, config: &Config) -> &[SocketAddr] {
        match self {
            Self::Ftp => &config.ftp.listen,
            Self::Ftps => &config.ftp.implicit_tls_listen,
            Self::Mftp => &config.mftp.listen,
            Self::Mftps => &config.mftp.tls_listen,
        }
    }

    /// The key they stand under.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Ftp => "ftp.listen",
            Self::Ftps => "ftp.implicit_tls_listen",
            Self::Mftp => "mftp.listen",
            Self::Mftps => "mftp.tls_listen",
        }
    }

    /// The name under which systemd hands a socket for it over.
    pub(crate) const fn socket(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::Ftps => "ftp-implicit",
            Self::Mftp => "mftp",
            Self::Mftps => "mftp-tls",
        }
    }

    /// Its name in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ftp => "ftp",
            Self::Ftps => "ftps",
            Self::Mftp => "mftp",
            Self::Mftps => "mftps",
        }
    }

    /// How its lines are cut.
    pub(super) fn lines(self) -> Lines {
        match self {
            Self::Ftp | Self::Ftps => Lines::default(),
            Self::Mftp | Self::Mftps => Lines::without_telnet(),
        }
    }

    /// Whether all that passes stays readable to whoever is on the way.
    pub(crate) fn is_always_in_clear(self) -> bool {
        self == Self::Mftp
    }

    /// What must be under TLS.
    pub(super) fn policy(self, config: &Config) -> TlsPolicy {
        let (spoken, at_once, client_certificate) = match self {
            Self::Ftp => (Spoken::FTP, false, config.ftp.client_certificate),
            Self::Ftps => (Spoken::FTP, true, config.ftp.implicit_tls_client_certificate),
            Self::Mftp => (Spoken::MFTP, false, ClientCertificate::None),
            Self::Mftps => (Spoken::MFTP, true, config.mftp.client_certificate),
        };
        let (control, data) = if self.is_always_in_clear() {
            // Who asks for this listener by its name has asked for what it is.
            (Requirement::Optional, Requirement::Optional)
        } else {
            (config.tls.control, config.tls.data)
        };
        TlsPolicy { spoken, at_once, control, data, client_certificate }
    }

    /// What a client hears who is not taken on; where TLS comes first, nothing.
    pub(super) fn turned_away(self, refusal: Refusal) -> Option<&'static str> {
        match self {
            Self::Ftp => Some(ftp::turned_away(refusal)),
            Self::Mftp => Some(mftp::turned_away(refusal)),
            Self::Ftps | Self::Mftps => None,
        }
    }
}
