//! The same with other people's servers: vsftpd, ProFTPD, which wants TLS sessions resumed, and
//! pyftpdlib.

use std::fs;

use serde_json::Value;
use wharfinger_tests::content;
use wharfinger_tests::peers::{Kind, Peer};

#[test]
fn every_command_works_with_vsftpd() {
    works_with(Kind::Vsftpd);
}

#[test]
fn every_command_works_with_proftpd() {
    works_with(Kind::Proftpd);
}

#[test]
fn every_command_works_with_pyftpdlib() {
    works_with(Kind::Pyftpdlib);
}

fn works_with(kind: Kind) {
    let peer = Peer::start(kind);
    let wharf = peer.client();
    let bytes = content::bytes(2_000_000, 5);
    fs::write(wharf.file("one"), &bytes).unwrap();
    for how in [&[][..], &["--active"]] {
        let run = |arguments: &[&str]| wharf.run(&[how, &["--retries", "0"], arguments].concat()).succeeded();
        run(&["put", "one", &peer.url("")]);
        assert!(fs::read(peer.files().join("one")).unwrap() == bytes, "{kind:?} {how:?}");
        let list: Value = serde_json::from_str(&run(&["--json", "ls", &peer.url("")])).unwrap();
        assert_eq!((&list[0]["name"], &list[0]["size"]), (&"one".into(), &2_000_000.into()), "{kind:?}");
        run(&["get", &peer.url("one"), "back"]);
        assert!(fs::read(wharf.file("back")).unwrap() == bytes, "{kind:?} {how:?}");
        run(&["rm", &peer.url("one")]);
        assert!(!peer.files().join("one").exists());
    }
    wharf.fails(&["--retries", "0", "get", &peer.url("missing")], 6, "550");
    fs::create_dir_all(wharf.file("tree/sub")).unwrap();
    for number in 0..8 {
        fs::write(wharf.file(&format!("tree/sub/{number}")), content::bytes(30_000, number)).unwrap();
    }
    wharf.run(&["--retries", "0", "mirror", "--parallel", "2", "tree", &peer.url("tree")]).succeeded();
    wharf.run(&["--retries", "0", "mirror", &peer.url("tree"), "tree-back"]).succeeded();
    for number in 0..8 {
        let copy = fs::read(wharf.file(&format!("tree-back/sub/{number}"))).unwrap();
        assert!(copy == content::bytes(30_000, number), "{kind:?}");
    }
    let script = "mkdir made\ncd made\nput ../one two\nsize two\nrename two three\nget three\ncd ..\n\
                  delete made/three\nrmdir made\nstatus\nquit\n"
        .replace("../one", "one");
    let said = wharf.run_shell(&[&peer.url("")], &script).succeeded();
    assert!(said.lines().any(|line| line.trim() == "2000000"), "{said}");
    assert!(fs::read(wharf.file("three")).unwrap() == bytes, "{said}");
    assert!(said.contains("TLS session of the last one: resumed"), "{kind:?}: {said}");
}

#[test]
fn a_download_is_resumed_from_each_of_them() {
    for kind in Kind::ALL {
        let peer = Peer::start(kind);
        let wharf = peer.client();
        let bytes = content::bytes(1_000_000, 5);
        fs::write(peer.files().join("large"), &bytes).unwrap();
        let part = wharf.interrupted(&peer.url("large"), "large");
        let length = fs::metadata(&part).unwrap().len();
        assert!(length > 0 && length < 1_000_000, "{length}");
        let told = wharf.run(&["--json", "--resume", "get", &peer.url("large")]).succeeded();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["bytes"], 1_000_000 - length, "{kind:?}");
        assert!(fs::read(wharf.file("large")).unwrap() == bytes, "{kind:?}");
    }
}
