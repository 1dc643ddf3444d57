//! The systemd units are well formed and confine what they start, and every program tells systemd how
//! it is, in systemd's own words.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use wharfinger_tests::program::built;
use wharfinger_tests::wire::READ_LIMIT;
use wharfinger_tests::{Setup, Shape, Store, tools};

const UNITS: [&str; 3] = ["wharfinger", "wharfinger-server", "wharfinger-admin"];

#[test]
fn the_units_are_well_formed_and_confine_what_they_start() {
    let scratch = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let file = format!("{unit}.service");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd").join(&file);
        let text = fs::read_to_string(source).unwrap();
        assert!(!text.contains("\nRestrictSUIDSGID"), "{unit}: no openat2, and so no home can be opened");
        // What is not installed here is looked for where it was built.
        let installed = format!("/usr/bin/{unit} ");
        assert!(text.contains(&installed), "{text}");
        let text = text.replace(&installed, &format!("{} ", built(unit).display()));
        fs::write(scratch.path().join(&file), text).unwrap();
        let verify = ["verify", "--man=no", "--recursive-errors=no", &file];
        let said = tools::run_in(scratch.path(), "systemd-analyze", &verify);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{unit}: {}", said.out);
        // 0 is nothing allowed, 100 is everything.
        let security = ["security", "--offline=yes", "--threshold=20", &file];
        tools::run_in(scratch.path(), "systemd-analyze", &security).succeeded();
    }
}

#[test]
fn systemd_hears_that_a_program_is_ready_reloads_and_stops() {
    for (shape, said) in [(Shape::AllInOne, 1), (Shape::TwoPrograms, 2)] {
        let setup = Setup::new(shape, Store::Sqlite);
        let socket = setup.directory().join("notify");
        let heard = UnixDatagram::bind(&socket).unwrap();
        heard.set_read_timeout(Some(READ_LIMIT)).unwrap();
        let next = || {
            let mut text = [0; 512];
            let length = heard.recv(&mut text).expect("systemd is told");
            String::from_utf8(text[..length].to_vec()).unwrap()
        };
        let mut deployment = setup.set("NOTIFY_SOCKET", socket.to_str().unwrap()).start();
        for _ in 0..said {
            assert_eq!(next().trim_end(), "READY=1");
        }
        deployment.server().hang_up();
        let reloading = next();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(next().trim_end(), "READY=1");
        deployment.server().terminate();
        assert_eq!(next().trim_end(), "STOPPING=1");
    }
}
