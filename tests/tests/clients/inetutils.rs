//! The `ftp` of GNU inetutils. It speaks no TLS.

use wharfinger_tests::clients::Site;
use wharfinger_tests::tools;

use crate::round::{Client, Heard, listed};
use crate::step::Step;
use crate::tnftp::interactive;
use crate::way::{EPRT6, EPSV6, PASV, PORT, Server};

const INETUTILS: Client = Client { name: "inetutils ftp", can: |_| true, run };

#[test]
fn inetutils_ftp_works_in_every_way() {
    // It chooses by address family: PASV and PORT for IPv4, EPSV and EPRT for IPv6.
    INETUTILS.works(&[Server::InClear.by(&[PASV, PORT, EPSV6, EPRT6])]);
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let mut options = vec!["-n", "-i", "-d", "-v"];
    options.push(if site.is_active() { "-A" } else { "-p" });
    let out = tools::feed(&site.directory, "inetutils-ftp", &options, &interactive(site, steps)).succeeded();
    Heard { names: listed(&out), said: out }
}
