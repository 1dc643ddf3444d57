//! curl: a process for each step.

use std::fs;

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Deployment, Mode, Version, content, tools};

use crate::round::{Client, Heard, listed};
use crate::step::Step;
use crate::way::{EPRT, EPRT6, EPSV, EPSV6, Link, PASV, PORT, Server};

const CURL: Client = Client { name: "curl", can: |_| true, run };

#[test]
fn curl_works_in_every_way() {
    let active: &[Link] = if active_curl_has_tls() { &[PORT, EPRT, EPRT6] } else { &[] };
    CURL.works(&[
        Server::Default.by(&[PASV, EPSV, EPSV6]),
        Server::Default.by(active),
        Server::InClear.by(&[PASV, PORT, EPRT, EPRT6]),
        Server::Bound.by(&[EPSV]),
    ]);
}

/// curl 7.87 and 7.88 forget TLS on active data connections (curl/curl#10666), Debian 12's among
/// them. What would go out in clear is refused, and nothing is stored.
#[test]
fn a_curl_that_forgets_tls_is_refused() {
    if active_curl_has_tls() {
        return;
    }
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let file = deployment.directory().join("content");
    fs::write(&file, content::bytes(300_000, 1)).unwrap();
    for (mode, version) in [(Mode::Port, Version::Tls12), (Mode::Eprt, Version::Tls13)] {
        let site = Site { mode, version: Some(version), ..Site::new(&deployment, &user) };
        let upload = site.curl("one", &["--upload-file", file.to_str().unwrap()]);
        assert_ne!(upload.code, Some(0), "{upload:?}");
        assert!(!deployment.home(&user).join("one").exists());
    }
}

#[test]
fn curl_resumes_downloads_and_asks_for_facts() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let site = Site::new(&deployment, &user);
    let whole = content::bytes(300_000, 1);
    let (file, back) = (site.directory.join("content"), site.directory.join("back"));
    fs::write(&file, &whole).unwrap();
    site.curl("made/one", &["--ftp-create-dirs", "--upload-file", file.to_str().unwrap()]).succeeded();
    // The first part is there: curl asks for the rest with REST.
    fs::write(&back, &whole[..100_000]).unwrap();
    site.curl("made/one", &["--continue-at", "-", "--output", back.to_str().unwrap()]).succeeded();
    assert_eq!(fs::read(&back).unwrap(), whole);
    assert_eq!(site.curl("made/", &["--list-only"]).succeeded().trim(), "one");
    let facts = site.curl("made/", &["--request", "MLSD"]).succeeded();
    assert!(facts.to_lowercase().contains("size=300000;"), "{facts}");
    let head = site.curl("made/one", &["--head"]).succeeded();
    assert!(head.contains("Content-Length: 300000") && head.contains("Last-Modified: "), "{head}");
}

fn active_curl_has_tls() -> bool {
    let version = tools::run("curl", &["--version"]).succeeded();
    !["curl 7.87.", "curl 7.88."].iter().any(|broken| version.starts_with(broken))
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let mut heard = Heard::default();
    for step in steps {
        let finished = match step {
            Step::MakeDirectory(path) => quote(site, &[format!("MKD {path}")]),
            Step::Upload { from, to } => site.curl(&encoded(to), &["--upload-file", from.to_str().unwrap()]),
            Step::List(path) => site.curl(&format!("{}/", encoded(path)), &[]),
            Step::Download { from, to } => site.curl(&encoded(from), &["--output", to.to_str().unwrap()]),
            Step::Rename { from, to } => quote(site, &[format!("RNFR {from}"), format!("RNTO {to}")]),
            Step::Delete(path) => quote(site, &[format!("DELE {path}")]),
            Step::RemoveDirectory(path) => quote(site, &[format!("RMD {path}")]),
        };
        heard.said += &finished.err;
        let out = finished.succeeded();
        if matches!(step, Step::List(_)) {
            heard.names = listed(&out);
        }
    }
    heard
}

/// Commands as they are, without a transfer.
fn quote(site: &Site, commands: &[String]) -> tools::Finished {
    let mut options: Vec<&str> = commands.iter().flat_map(|command| ["--quote", command]).collect();
    options.push("--head");
    site.curl("", &options)
}

/// A path as a URL has it.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'/';
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}
