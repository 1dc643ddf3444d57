//! GNU Wget, which only downloads and lists: a process for each file.

use std::fs;

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Version, tools};

use crate::round::{Client, Heard, listed};
use crate::step::Step;
use crate::way::{EPRT6, EPSV6, PASV, PORT, Server};

const WGET: Client =
    Client { name: "wget", can: |step| matches!(step, Step::List(_) | Step::Download { .. }), run };

#[test]
fn wget_works_in_every_way() {
    // It chooses by address family: PASV and PORT for IPv4, EPSV and EPRT for IPv6.
    WGET.works(&[
        Server::Default.by(&[PASV, PORT, EPSV6, EPRT6]),
        Server::InClear.by(&[PASV, PORT, EPSV6, EPRT6]),
        Server::Bound.by(&[PASV]),
    ]);
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let mut heard = Heard::default();
    for step in steps {
        match step {
            Step::List(path) => {
                let page = site.directory.join("index.html");
                heard.said += &fetch(site, &format!("{path}/"), page.to_str().unwrap());
                heard.names = listed(&fs::read_to_string(site.directory.join(".listing")).unwrap());
            }
            Step::Download { from, to } => heard.said += &fetch(site, from, to.to_str().unwrap()),
            other => panic!("wget can't do {other:?}"),
        }
    }
    heard
}

fn fetch(site: &Site, path: &str, to: &str) -> String {
    // The scheme stands for AUTH TLS, not for implicit TLS.
    let scheme = if site.version.is_some() { "ftps" } else { "ftp" };
    let priorities = match site.version {
        Some(Version::Tls12) => "NORMAL:-VERS-ALL:+VERS-TLS1.2",
        _ => "NORMAL:-VERS-ALL:+VERS-TLS1.3",
    };
    let url = format!("{scheme}://{}/{path}", site.address);
    let certificate = format!("--ca-certificate={}", site.certificate.display());
    let (user, password) = (&site.user.name, &site.user.password);
    let (user, password) = (format!("--user={user}"), format!("--password={password}"));
    let ciphers = format!("--ciphers={priorities}");
    // On a very busy machine a data connection under TLS 1.3 was once not resumed, perhaps because
    // GnuTLS does not wait long for a ticket. wget then tries again, by itself up to twenty times.
    let mut options = vec!["--debug", "--no-config", "--tries=3", "--timeout=20", "--no-remove-listing"];
    options.extend([&certificate, &user, &password, &ciphers, "-O", to]);
    if site.is_active() {
        options.push("--no-passive-ftp");
    }
    options.push(&url);
    let finished = tools::run_in(&site.directory, "wget", &options);
    let said = finished.err.clone();
    finished.succeeded();
    said
}
