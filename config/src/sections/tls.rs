//! TLS: certificates, and what must be protected how.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[tls]`: certificate and policy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, PEM; empty: a self-signed one in the data directory.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The authorities whose certificates clients may show, PEM; empty: none.
    pub client_ca: PathBuf,
    /// Whether a login needs TLS.
    pub control: Requirement,
    /// Whether a transfer needs TLS.
    pub data: Requirement,
    /// Whether a data connection must resume the control connection's TLS session.
    pub data_binding: Binding,
    /// Whether a client may take TLS off its control connection after the login (CCC).
    pub allow_ccc: bool,
    /// Whether an upload that ends without TLS `close_notify` counts as whole.
    pub tolerate_missing_close_notify: bool,
}

/// `[[hosts]]`: a further certificate, for the names that stand in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The text of the 220 greeting for who asks for one of the names; empty: `ftp.banner`.
    #[serde(default)]
    pub banner: String,
}

/// Whether clients are asked for a TLS certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// Not asked for.
    #[default]
    None,
    /// Who shows one of a trusted authority may log in with it; who shows none may not.
    Optional,
    /// No TLS without one.
    Required,
}

/// Whether TLS is demanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// Refused without TLS.
    #[default]
    Required,
    /// The client's choice.
    Optional,
}

/// Whether a data connection must belong to the control connection's TLS session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// Only a connection that resumes this very session carries a file.
    Required,
    /// A full handshake from the control connection's address is accepted too.
    #[default]
    Preferred,
    /// No tickets are given; every handshake is a full one.
    Off,
}
