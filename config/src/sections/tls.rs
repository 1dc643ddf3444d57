//! TLS: certificates, and what must be protected how.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};

use crate::network;
use crate::values::one_or_many;

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
    /// The same for the clients of some networks, `NETWORK=BINDING`.
    #[serde(deserialize_with = "one_or_many")]
    pub data_binding_overrides: Vec<BindingOverride>,
    /// Whether a client may take TLS off its control connection after the login (CCC).
    pub allow_ccc: bool,
    /// Whether an upload that ends without TLS `close_notify` counts as whole.
    pub tolerate_missing_close_notify: bool,
}

impl Tls {
    /// What holds for a client: what is said of the narrowest network that its address lies in, else
    /// what is said of all.
    pub fn binding_of(&self, client: IpAddr) -> Binding {
        let client = client.to_canonical();
        let holding = self.data_binding_overrides.iter().filter(|one| one.clients.contains(&client));
        let narrowest = holding.max_by_key(|one| one.clients.prefix_len());
        narrowest.map_or(self.data_binding, |one| one.binding)
    }
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

impl Binding {
    const ALL: [(&str, Self); 3] =
        [("required", Self::Required), ("preferred", Self::Preferred), ("off", Self::Off)];
}

/// The binding of the clients of one network, written `NETWORK=BINDING`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingOverride {
    /// Whose address lies in it.
    pub clients: IpNet,
    /// What holds for them.
    pub binding: Binding,
}

impl FromStr for BindingOverride {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (clients, word) = text.split_once('=').ok_or(())?;
        let known = Binding::ALL.iter().find(|(name, _)| *name == word.trim());
        let (_, binding) = known.ok_or(())?;
        Ok(Self { clients: network(clients.trim()).ok_or(())?, binding: *binding })
    }
}

impl fmt::Display for BindingOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Binding::ALL.iter().find(|(_, binding)| *binding == self.binding);
        write!(f, "{}={}", self.clients, known.map_or("", |(name, _)| name))
    }
}

impl Serialize for BindingOverride {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(text: &str, client: &str) -> Binding {
        let tls: Tls = toml::from_str(text).unwrap();
        // What is printed is read as the same.
        let again: Tls = toml::from_str(&toml::to_string(&tls).unwrap()).unwrap();
        assert_eq!(again.data_binding_overrides, tls.data_binding_overrides);
        tls.binding_of(client.parse().unwrap())
    }

    #[test]
    fn the_narrowest_network_decides_and_without_one_the_setting_for_all() {
        let text = r#"
            data_binding = "required"
            data_binding_overrides = ["10.0.0.0/8=off", "10.1.0.0/16=preferred", "2001:db8::/32=off",
                                      "10.1.0.9=required"]
        "#;
        assert_eq!(binding(text, "192.0.2.1"), Binding::Required);
        assert_eq!(binding(text, "10.2.0.1"), Binding::Off);
        assert_eq!(binding(text, "10.1.0.1"), Binding::Preferred);
        assert_eq!(binding(text, "::ffff:10.1.0.1"), Binding::Preferred);
        assert_eq!(binding(text, "10.1.0.9"), Binding::Required);
        assert_eq!(binding(text, "2001:db8::1"), Binding::Off);
        assert_eq!(binding(text, "2001:db9::1"), Binding::Required);
    }

    #[test]
    fn what_is_no_network_with_a_binding_is_refused() {
        for wrong in ["10.0.0.0/8", "10.0.0.0/8=on", "10.0.0.0/33=off", "=off", "all=off"] {
            let text = format!("data_binding_overrides = [\"{wrong}\"]");
            assert!(toml::from_str::<Tls>(&text).unwrap_err().to_string().contains(wrong), "{wrong}");
        }
    }
}
