//! aioftp, asyncio's FTP library. It has no active mode. Under TLS it does the data connection's
//! handshake before it sends the command for the transfer.

use crate::round::Client;
use crate::script;
use crate::way::{EPSV, EPSV6, PASV, Server};

const AIOFTP: Client = Client {
    name: "aioftp",
    can: |_| true,
    run: |site, steps| script::run("python3", "aioftp_steps.py", site, steps),
};

#[test]
fn aioftp_works_in_every_way() {
    AIOFTP.works(&[
        Server::Default.by_tls13(&[EPSV]),
        Server::InClear.by(&[PASV, EPSV, EPSV6]),
        Server::Bound.by_tls12(&[PASV]),
    ]);
}
