//! The ways a client and the server can be brought together: a row of the tests' table each.

use std::fmt;

use serde_json::json;
use wharfinger_tests::{Deployment, Mode, Setup, Shape, Store, User, Version};

/// How the server is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// With its defaults.
    Default,
    /// TLS is the client's choice, and the client chooses none.
    InClear,
    /// Data connections must resume the control connection's TLS session.
    Bound,
}

/// How a data connection comes about, over which family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) ipv6: bool,
    pub(crate) mode: Mode,
}

pub(crate) const PASV: Link = Link { ipv6: false, mode: Mode::Pasv };
pub(crate) const EPSV: Link = Link { ipv6: false, mode: Mode::Epsv };
pub(crate) const PORT: Link = Link { ipv6: false, mode: Mode::Port };
pub(crate) const EPRT: Link = Link { ipv6: false, mode: Mode::Eprt };
pub(crate) const EPSV6: Link = Link { ipv6: true, mode: Mode::Epsv };
pub(crate) const EPRT6: Link = Link { ipv6: true, mode: Mode::Eprt };

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) server: Server,
    pub(crate) version: Option<Version>,
    pub(crate) link: Link,
}

impl Server {
    pub(crate) const ALL: [Server; 3] = [Server::Default, Server::InClear, Server::Bound];

    /// These links in every protection that this server asks for.
    pub(crate) fn by(self, links: &[Link]) -> Vec<Way> {
        let versions: &[_] = match self {
            Server::InClear => &[None],
            Server::Default | Server::Bound => &[Some(Version::Tls12), Some(Version::Tls13)],
        };
        let pairs = links.iter().flat_map(|link| versions.iter().map(move |version| (*link, *version)));
        pairs.map(|(link, version)| Way { server: self, version, link }).collect()
    }

    /// The same under TLS 1.3 alone.
    pub(crate) fn by_tls13(self, links: &[Link]) -> Vec<Way> {
        self.by(links).into_iter().filter(|way| way.version == Some(Version::Tls13)).collect()
    }

    /// The same under TLS 1.2 alone.
    pub(crate) fn by_tls12(self, links: &[Link]) -> Vec<Way> {
        self.by(links).into_iter().filter(|way| way.version == Some(Version::Tls12)).collect()
    }

    /// The running server, and a user who may log in without TLS where the server lets them.
    pub(crate) fn start(self) -> (Deployment, User) {
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
        let setup = match self {
            Server::Default => setup,
            Server::InClear => {
                setup.set("WHARFINGER_TLS__CONTROL", "optional").set("WHARFINGER_TLS__DATA", "optional")
            }
            Server::Bound => setup.set("WHARFINGER_TLS__DATA_BINDING", "required"),
        };
        let deployment = setup.start();
        let user = User { name: "alice".to_owned(), password: "password of alice".to_owned() };
        let account = json!({"username": user.name, "password": user.password, "protocols": ["ftp", "ftps"]});
        let answer = deployment.admin.post("/api/v1/users", account);
        assert_eq!(answer.status, 201, "{answer:?}");
        (deployment, user)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.link.ipv6 { "IPv6" } else { "IPv4" };
        write!(f, "{:?} over {family} × ", self.link.mode)?;
        f.write_str(match self.version {
            None => "in clear",
            Some(Version::Tls12) => "TLS 1.2",
            Some(Version::Tls13) => "TLS 1.3",
        })?;
        f.write_str(if self.server == Server::Bound { " × binding required" } else { "" })
    }
}
