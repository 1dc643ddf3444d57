//! basic-ftp, the FTP library of Node. It has no active mode. An empty file often ends before its TLS
//! handshake does, and then Node closes the connection without `close_notify`, which looks like a
//! truncated upload and is refused; so it is not asked for empty files.

use crate::round::Client;
use crate::script;
use crate::step::Step;
use crate::way::{EPSV, EPSV6, PASV, Server};

const BASIC_FTP: Client = Client {
    name: "basic-ftp",
    can: |step| !matches!(step, Step::Upload { to, .. } if to.ends_with("/empty")),
    run: |site, steps| script::run("node", "basic_ftp_steps.js", site, steps),
};

#[test]
fn basic_ftp_works_in_every_way() {
    BASIC_FTP.works(&[
        Server::Default.by(&[PASV, EPSV, EPSV6]),
        Server::InClear.by(&[PASV, EPSV, EPSV6]),
        Server::Bound.by(&[EPSV]),
    ]);
}
