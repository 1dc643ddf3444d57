//! rclone. It has no active mode. Like all programs in Go it trusts what `SSL_CERT_FILE` names.

use std::collections::BTreeSet;
use std::net::IpAddr;

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Mode, Version, tools};

use crate::round::{Client, Heard};
use crate::step::Step;
use crate::way::{EPSV, EPSV6, PASV, Server};

const RCLONE: Client = Client { name: "rclone", can: |_| true, run };

#[test]
fn rclone_works_in_every_way() {
    RCLONE.works(&[
        Server::Default.by(&[PASV, EPSV, EPSV6]),
        Server::InClear.by(&[PASV, EPSV]),
        Server::Bound.by(&[EPSV]),
    ]);
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let mut heard = Heard::default();
    // One process takes a whole directory.
    for alike in steps.chunk_by(|one, next| std::mem::discriminant(one) == std::mem::discriminant(next)) {
        let finished = rclone(site, &words(&alike[0]));
        heard.said += &finished.err;
        let out = finished.succeeded();
        if let Step::List(_) = alike[0] {
            heard.names = Some(out.lines().map(str::to_owned).collect::<BTreeSet<_>>());
        }
    }
    heard
}

/// The command for this step and its like: each run of transfers or deletions is all of one directory.
fn words(step: &Step) -> Vec<String> {
    let remote = |path: &str| format!(":ftp:{path}");
    let place = |path: &str| remote(path.rsplit_once('/').unwrap().0);
    let local = |path: &std::path::Path| path.parent().unwrap().to_str().unwrap().to_owned();
    let (verb, arguments) = match step {
        Step::MakeDirectory(path) => ("mkdir", vec![remote(path)]),
        Step::Upload { from, to } => ("copy", vec![local(from), place(to)]),
        Step::List(path) => ("lsf", vec![remote(path)]),
        Step::Download { from, to } => ("copy", vec![place(from), local(to)]),
        Step::Rename { from, to } => ("moveto", vec![remote(from), remote(to)]),
        Step::Delete(path) => ("delete", vec![place(path)]),
        Step::RemoveDirectory(path) => ("rmdir", vec![remote(path)]),
    };
    [vec![verb.to_owned()], arguments].concat()
}

fn rclone(site: &Site, words: &[String]) -> tools::Finished {
    let host = match site.address.ip() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let port = site.address.port().to_string();
    let password = tools::run_in(&site.directory, "rclone", &["obscure", &site.user.password]).succeeded();
    let mut options: Vec<&str> = words.iter().map(String::as_str).collect();
    // Sessions of different connections can't resume each other's: one at a time.
    options.extend(["-vv", "--dump", "headers", "--retries", "1", "--transfers", "1", "--checkers", "1"]);
    options.extend(["--ftp-host", &host, "--ftp-port", &port, "--ftp-user", &site.user.name]);
    options.extend(["--ftp-pass", password.trim()]);
    options.extend(site.version.map(|_| "--ftp-explicit-tls"));
    options.extend((site.version == Some(Version::Tls12)).then_some("--ftp-disable-tls13"));
    options.extend((site.mode == Mode::Pasv).then_some("--ftp-disable-epsv"));
    let mut command = tools::command_in(&site.directory, "rclone");
    command.env("SSL_CERT_FILE", &site.certificate).env("RCLONE_CONFIG", "/dev/null");
    tools::finish("rclone", &options, &mut command)
}
