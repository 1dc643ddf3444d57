//! lftp: one script for all the steps.

use std::fs;

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Deployment, content};

use crate::round::{Client, Heard, listed};
use crate::step::Step;
use crate::way::{EPSV, EPSV6, PASV, PORT, Server};

const LFTP: Client = Client { name: "lftp", can: |_| true, run };

#[test]
fn lftp_works_in_every_way() {
    // lftp 4.9 says PORT for IPv4, and for IPv6 EPRT with the address ::, where nobody can connect to.
    LFTP.works(&[
        Server::Default.by(&[PASV, EPSV, PORT, EPSV6]),
        Server::InClear.by(&[PASV, EPSV, PORT, EPSV6]),
        Server::Bound.by(&[PASV, PORT]),
    ]);
}

#[test]
fn lftp_resumes_transfers_and_shows_names_alone() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let site = Site::new(&deployment, &user);
    let whole = content::bytes(300_000, 1);
    fs::write(site.directory.join("content"), &whole).unwrap();
    fs::write(site.directory.join("part"), &whole[..100_000]).unwrap();
    let (out, said) = site.lftp("put content -o one\nget -c one -o part\nput -c content -o one\npwd\nnlist");
    assert!(said.contains("---> REST 100000"), "{said}");
    assert_eq!(fs::read(site.directory.join("part")).unwrap(), whole);
    assert_eq!(fs::read(deployment.home(&user).join("one")).unwrap(), whole);
    assert!(out.lines().any(|line| line == "one"), "{out}");
}

/// Its TLS library gives the address for a name, which rustls notes each time.
#[test]
fn nothing_is_logged_of_a_client_that_names_an_address() {
    let mut deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    Site::new(&deployment, &user).lftp("nlist");
    let log = deployment.server().log.text();
    assert!(log.contains("logged in") && !log.contains("rustls"), "{log}");
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let lines: Vec<String> = steps.iter().map(line).collect();
    let (out, said) = site.lftp(&lines.join("\n"));
    Heard { names: listed(&out), said }
}

fn line(step: &Step) -> String {
    match step {
        Step::MakeDirectory(path) => format!("mkdir '{path}'"),
        Step::Upload { from, to } => format!("put '{}' -o '{to}'", from.display()),
        Step::List(path) => format!("ls '{path}'"),
        Step::Download { from, to } => format!("get '{from}' -o '{}'", to.display()),
        Step::Rename { from, to } => format!("mv '{from}' '{to}'"),
        Step::Delete(path) => format!("rm '{path}'"),
        Step::RemoveDirectory(path) => format!("rmdir '{path}'"),
    }
}
