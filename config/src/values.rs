//! Values that are more than a number or a word: port ranges, addresses, secrets, and lists of them.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{BindingOverride, Host, network};

/// A closed range of TCP ports, written `FIRST-LAST` or as one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port, never below `first`.
    pub last: u16,
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refusal = || format!("'{text}' is not a port range such as 50000-50099");
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let first: u16 = first.trim().parse().map_err(|_| refusal())?;
        let last: u16 = last.trim().parse().map_err(|_| refusal())?;
        if first == 0 || last < first {
            return Err(refusal());
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What PASV advertises to the clients of one network, written `NETWORK=ADDRESS`; as the address,
/// `own` is the one that the client connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressOverride {
    /// Whom it is for.
    pub clients: Clients,
    /// What they are told; none: the control connection's own.
    pub address: Option<Ipv4Addr>,
}

/// Which clients an override is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// Whose address lies in it.
    Network(Ipv4Net),
    /// Who comes in by this machine's default gateway: behind a container's published ports, that is
    /// who is on the machine itself. Which address it has, the network's setup decides each time.
    Gateway,
}

impl AddressOverride {
    const OWN: &str = "own";
    const GATEWAY: &str = "gateway";
}

impl FromStr for AddressOverride {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (clients, address) = text.split_once('=').ok_or(())?;
        let address = match address.trim() {
            Self::OWN => None,
            address => Some(address.parse().map_err(drop)?),
        };
        let clients = match clients.trim() {
            Self::GATEWAY => Clients::Gateway,
            text => match network(text) {
                Some(IpNet::V4(network)) => Clients::Network(network),
                Some(IpNet::V6(_)) | None => return Err(()),
            },
        };
        Ok(Self { clients, address })
    }
}

impl fmt::Display for AddressOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.clients {
            Clients::Network(network) => write!(f, "{network}=")?,
            Clients::Gateway => write!(f, "{}=", Self::GATEWAY)?,
        }
        match self.address {
            Some(address) => write!(f, "{address}"),
            None => f.write_str(Self::OWN),
        }
    }
}

impl Serialize for AddressOverride {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A word that no log and no error shows.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The word itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Serialize for Secret {
    /// Serialising is for showing the configuration, so the word stays out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

/// Reads a list of tables, or one string `CERTIFICATE:KEY,…` (which is how the environment
/// writes a list).
pub(crate) fn hosts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Host>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Pairs(String),
        Tables(Vec<Host>),
    }
    let pairs = match Written::deserialize(deserializer)? {
        Written::Tables(hosts) => return Ok(hosts),
        Written::Pairs(pairs) => pairs,
    };
    let written = pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    written
        .map(|pair| match pair.split_once(':') {
            Some((certificate, key)) => {
                Ok(Host { certificate: certificate.into(), key: key.into(), banner: String::new() })
            }
            None => Err(D::Error::custom(format!("'{pair}' is not CERTIFICATE:KEY"))),
        })
        .collect()
}

/// What can stand in a list.
pub(crate) trait Item: Sized {
    /// Said to whoever has written something else.
    const WANTED: &str;

    fn read(text: &str) -> Option<Self>;
}

impl Item for SocketAddr {
    const WANTED: &str = "an address such as 127.0.0.1:2121 or [::]:2121";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Item for IpNet {
    const WANTED: &str = "a network such as 10.0.0.0/8 or an address such as 192.0.2.7";

    fn read(text: &str) -> Option<Self> {
        network(text)
    }
}

impl Item for AddressOverride {
    const WANTED: &str = "an IPv4 network and address such as 10.0.0.0/8=10.0.0.5 or 10.0.0.0/8=own";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Item for BindingOverride {
    const WANTED: &str = "a network and a binding such as 10.0.0.0/8=required (or preferred, or off)";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Reads a list, or one item, or several in one string with commas between (which is how the
/// environment writes a list).
pub(crate) fn one_or_many<'de, D: Deserializer<'de>, T: Item>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let wrong = |word: &str| D::Error::custom(format!("'{word}' is not {}", T::WANTED));
    words(deserializer)?.iter().map(|word| T::read(word).ok_or_else(|| wrong(word))).collect()
}

/// Reads a list of words, written in any of these ways.
pub(crate) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        Many(Vec<String>),
    }
    let words = match Written::deserialize(deserializer)? {
        Written::One(text) => text.split(',').map(str::to_owned).collect(),
        Written::Many(words) => words,
    };
    Ok(words.iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
}
