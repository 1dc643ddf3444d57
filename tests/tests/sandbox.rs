//! The kernel holds a program to its own files, and where it can't, the program says so.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;
use wharfinger_tests::authority::{Authority, Key};
use wharfinger_tests::deployment::environment;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::{Environment, PATIENCE};
use wharfinger_tests::{Deployment, Ftp, Mode, Program, Setup, Shape, Store, Tls, Version, tools};

/// Their numbers are the same on all machines.
const OPENAT2: u32 = 437;
const LANDLOCK_CREATE_RULESET: u32 = 444;

const SETTING: &str = "WHARFINGER_SANDBOX__LANDLOCK";

/// Whether this machine's kernel offers what the programs need.
fn offered() -> bool {
    let ask = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1))";
    let version = tools::run("python3", &["-c", ask]).succeeded();
    version.trim().parse::<i32>().unwrap() >= 2
}

/// What makes a program run as on a kernel that lacks this system call.
fn without(call: u32) -> [String; 3] {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/without_system_call.py");
    ["python3".to_owned(), script.to_owned(), call.to_string()]
}

fn start(landlock: &str) -> Deployment {
    Setup::new(Shape::AllInOne, Store::Sqlite).set(SETTING, landlock).start()
}

#[test]
fn nothing_out_of_reach_is_opened_whatever_leads_there() {
    for (landlock, confined) in [("auto", offered()), ("off", false)] {
        let deployment = start(landlock);
        let mut ftp = deployment.session(&deployment.admin.create("alice"));
        ftp.send_file(Mode::Epsv, "STOR file", b"content");
        // The session holds its home open; now that home lies elsewhere.
        let (outside, home) = (TempDir::new().unwrap(), deployment.directory().join("data/files/alice"));
        let moved = outside.path().join("alice");
        fs::rename(&home, &moved).unwrap();
        if confined {
            for command in ["RETR file", "NLST"] {
                let offer = ftp.offer(Mode::Epsv);
                let code = ftp.command(command).code;
                assert!([450, 550, 553].contains(&code), "{landlock}: {command}: {code}");
                drop(offer);
            }
            for command in ["MKD made", "DELE file"] {
                ftp.expect(command, 550);
            }
            fs::rename(&moved, &home).unwrap();
        }
        assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), b"content", "{landlock}");
    }
}

#[test]
fn a_certificate_out_of_reach_is_refused_and_the_old_one_stays() {
    for (landlock, confined) in [("auto", offered()), ("off", false)] {
        let (inside, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let authority = Authority::new(outside.path());
        let (first, newer) =
            (authority.server(&["localhost"], Key::Ecdsa), authority.server(&["localhost"], Key::Ecdsa));
        let (certificate, key) = (inside.path().join("server.pem"), inside.path().join("server.key"));
        fs::copy(&first.certificate, &certificate).unwrap();
        fs::copy(&first.key, &key).unwrap();
        let configured = |certificate: &Path, key: &Path| {
            format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", certificate.display(), key.display())
        };
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite).file(&configured(&certificate, &key));
        let deployment = setup.set(SETTING, landlock).start();
        let shown = || {
            let mut ftp = Ftp::connect(deployment.ftp(), Tls::new(&authority.certificate, Version::Tls13));
            ftp.secure();
            ftp.certificate()
        };
        for (link, target) in [(&certificate, &newer.certificate), (&key, &newer.key)] {
            fs::remove_file(link).unwrap();
            symlink(target, link).unwrap();
        }
        let server = &deployment.programs()[0];
        if confined {
            server.logs(&["the old ones stay in use", "permission denied"]);
            deployment.reload(&configured(&newer.certificate, &newer.key));
            server.logs(&["the old one stays in use", "lies outside"]);
            assert_eq!(shown(), Some(first.der()));
        } else {
            eventually("the newer certificate", PATIENCE, || (shown() == Some(newer.der())).then_some(()));
        }
    }
}

#[test]
fn what_a_server_does_all_day_works_confined() {
    let deployment = start(if offered() { "required" } else { "auto" });
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    ftp.send_file(Mode::Epsv, "STOR file", b"content");
    ftp.send_file(Mode::Epsv, "APPE file", b" and more");
    ftp.expect("MKD directory", 257);
    ftp.expect("RNFR file", 350);
    ftp.expect("RNTO directory/renamed", 250);
    ftp.expect("SITE CPFR directory/renamed", 350);
    ftp.expect("SITE CPTO copy", 200);
    ftp.expect("SITE CHMOD 600 copy", 200);
    ftp.expect("MFMT 20200101000000 copy", 213);
    assert_eq!(ftp.receive(Mode::Epsv, "RETR copy"), b"content and more");
    ftp.expect("DELE directory/renamed", 250);
    ftp.expect("RMD directory", 250);
    let counted = || deployment.admin.get("/api/v1/users/alice").body["usage"]["recounted_at"].is_string();
    deployment.admin.post("/api/v1/users/alice/recount", serde_json::json!({}));
    eventually("the recount", PATIENCE, || counted().then_some(()));
    deployment.admin.delete("/api/v1/users/alice?files=delete");
    let home = deployment.home(&alice);
    eventually("the home's removal", PATIENCE, || (!home.exists()).then_some(()));
}

#[test]
fn without_landlock_auto_says_so_and_required_does_not_start() {
    for name in ["wharfinger", "wharfinger-server", "wharfinger-admin"] {
        let directory = TempDir::new().unwrap();
        let start = |landlock: &str| {
            let mut environment: Environment = environment(directory.path());
            environment.insert(SETTING.to_owned(), landlock.to_owned());
            Program::start_under(&without(LANDLOCK_CREATE_RULESET), name, &[], directory.path(), &environment)
        };
        let refused = start("required").end();
        assert_eq!(refused.code, Some(2), "{name}: {}", refused.err);
        assert!(refused.err.contains("sandbox.landlock"), "{name}: {}", refused.err);
        let running = start("auto");
        running.logs(&["not confined"]);
        // The file server alone waits for a store that was migrated.
        running.logs(&[if name == "wharfinger-server" { "waiting for the store" } else { "listening" }]);
        let ended = running.stop();
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.err);
    }
}

#[test]
fn without_openat2_no_file_server_starts() {
    let directory = TempDir::new().unwrap();
    let environment = environment(directory.path());
    let ended =
        Program::start_under(&without(OPENAT2), "wharfinger", &[], directory.path(), &environment).end();
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.contains("openat2"), "{}", ended.err);
}
