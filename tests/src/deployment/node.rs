//! A further file server beside a deployment's own.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::admin::User;
use crate::ftp::Ftp;
use crate::program::Program;
use crate::tls::{Tls, Version};

/// Another file server on the same store, with files and a certificate of its own.
pub struct Node {
    /// Its program.
    pub program: Program,
    ftp: SocketAddr,
    certificate: PathBuf,
}

impl Node {
    pub(super) fn new(program: Program, certificate: PathBuf) -> Node {
        let addresses = program.addresses("ftp", 2);
        let ftp = *addresses.iter().find(|address| address.is_ipv4()).unwrap();
        Node { program, ftp, certificate }
    }

    /// Where it listens, IPv4.
    pub fn ftp(&self) -> SocketAddr {
        self.ftp
    }

    /// A session ready for binary transfers.
    pub fn session(&self, user: &User) -> Ftp {
        ready(self.connect(), user)
    }

    /// The reply to this user's login, on a connection of its own.
    pub fn log_in(&self, user: &User) -> crate::Reply {
        let mut ftp = self.connect();
        ftp.secure();
        ftp.log_in(&user.name, &user.password)
    }

    fn connect(&self) -> Ftp {
        Ftp::connect(self.ftp, Tls::new(&self.certificate, Version::Tls13))
    }
}

/// Secures, logs in, and sets what binary transfers need.
pub(super) fn ready(mut ftp: Ftp, user: &User) -> Ftp {
    ftp.secure();
    let reply = ftp.log_in(&user.name, &user.password);
    assert_eq!(reply.code, 230, "{}", reply.text);
    ftp.expect("PBSZ 0", 200);
    ftp.expect("PROT P", 200);
    ftp.expect("TYPE I", 200);
    ftp
}
