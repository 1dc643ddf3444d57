//! No half file under the final name: uploads that break, to servers that show files while they
//! are being written. They go to another name first, and what stays there is gone on with.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use wharfinger_tests::peers::{Kind, Peer};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::wharf::{Wharf, is_part, names};
use wharfinger_tests::{Deployment, Setup, Shape, Store, content};

const SIZE: usize = 1_000_000;
const LIMIT: u64 = 400_000;

/// Has an upload break for want of room there. pyftpdlib never says so, which takes the time-out.
fn break_one(peer: &Peer, wharf: &Wharf) {
    peer.limit_files(Some(LIMIT));
    let broken = wharf.run(&["--retries", "0", "--timeout", "3", "put", "large", &peer.url("")]);
    assert!(matches!(broken.code, Some(3 | 6)), "{broken:?}");
    peer.limit_files(None);
}

/// What an upload has left, its bytes; fails unless that is one part.
fn part_of(directory: &std::path::Path) -> u64 {
    let names = names(directory);
    assert!(names.len() == 1 && is_part(&names[0]), "{names:?}");
    fs::metadata(directory.join(&names[0])).unwrap().len()
}

fn resume(wharf: &Wharf, url: &str) -> u64 {
    let told = wharf.run(&["--json", "--resume", "put", "large", url]).succeeded();
    serde_json::from_str::<Value>(&told).unwrap()["bytes"].as_u64().unwrap()
}

#[test]
fn an_upload_that_breaks_there_stands_under_another_name_and_is_resumed() {
    for kind in Kind::ALL {
        let peer = Peer::start(kind);
        let wharf = peer.client();
        let bytes = content::bytes(SIZE, 5);
        fs::write(wharf.file("large"), &bytes).unwrap();
        break_one(&peer, &wharf);
        let kept = part_of(&peer.files());
        assert!(kept > 0 && kept <= LIMIT, "{kind:?}: {kept}");
        assert_eq!(resume(&wharf, &peer.url("")), SIZE as u64 - kept, "{kind:?}: only the rest goes");
        assert_eq!(names(&peer.files()), ["large"], "{kind:?}");
        assert!(fs::read(peer.files().join("large")).unwrap() == bytes, "{kind:?}");
    }
}

#[test]
fn the_old_version_stays_until_the_new_one_is_whole() {
    for kind in Kind::ALL {
        let peer = Peer::start(kind);
        let wharf = peer.client();
        fs::write(wharf.file("large"), content::bytes(SIZE, 5)).unwrap();
        fs::write(peer.files().join("large"), "old").unwrap();
        break_one(&peer, &wharf);
        assert_eq!(fs::read(peer.files().join("large")).unwrap(), b"old", "{kind:?}");
        wharf.run(&["put", "large", &peer.url("")]).succeeded();
        assert_eq!(names(&peer.files()), ["large"], "{kind:?}");
        assert!(fs::read(peer.files().join("large")).unwrap() == content::bytes(SIZE, 5), "{kind:?}");
    }
}

#[test]
fn ctrl_c_in_an_upload_leaves_a_part_on_every_server() {
    for kind in Kind::ALL {
        let peer = Peer::start(kind);
        let wharf = peer.client();
        fs::File::create(wharf.file("endless")).unwrap().set_len(20 << 30).unwrap();
        let child = wharf.start(&["put", "endless", &peer.url("")]);
        eventually("bytes arrive", PATIENCE, || {
            let mut entries = fs::read_dir(peer.files()).ok()?.flatten();
            entries.any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0)).then_some(())
        });
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{kind:?}: {output:?}");
        assert!(part_of(&peer.files()) > 0, "{kind:?}");
    }
}

#[test]
fn what_is_left_of_another_version_is_not_gone_on_with() {
    let peer = Peer::start(Kind::Pyftpdlib);
    let wharf = peer.client();
    fs::write(wharf.file("large"), content::bytes(SIZE, 5)).unwrap();
    break_one(&peer, &wharf);
    assert!(part_of(&peer.files()) > 0);
    let changed = content::bytes(SIZE + 1, 6);
    fs::write(wharf.file("large"), &changed).unwrap();
    assert_eq!(resume(&wharf, &peer.url("")), changed.len() as u64, "all of it goes");
    assert!(fs::read(peer.files().join("large")).unwrap() == changed);
}

#[test]
fn where_nothing_may_be_renamed_direct_is_named_and_works() {
    let peer = Peer::start_dropbox();
    let wharf = peer.client();
    fs::write(wharf.file("one"), "content").unwrap();
    let refused = wharf.fails(&["put", "one", &peer.url("")], 6, "--direct");
    assert!(refused.err.contains("all of it is there, as .one."), "{refused:?}");
    assert!(!peer.files().join("one").exists());
    wharf.run(&["--direct", "put", "one", &peer.url("")]).succeeded();
    assert_eq!(fs::read(peer.files().join("one")).unwrap(), b"content");
}

#[test]
fn a_server_that_replaces_nothing_gets_the_old_version_out_of_the_way() {
    let peer = Peer::start_unreplacing();
    let wharf = peer.client();
    for content in ["old", "new one"] {
        fs::write(wharf.file("one"), content).unwrap();
        wharf.run(&["put", "one", &peer.url("")]).succeeded();
        assert_eq!(fs::read_to_string(peer.files().join("one")).unwrap(), content);
        assert_eq!(names(&peer.files()), ["one"]);
    }
}

#[test]
fn a_directory_of_that_name_is_told_before_the_first_byte() {
    for kind in Kind::ALL {
        let peer = Peer::start(kind);
        let wharf = peer.client();
        fs::create_dir(peer.files().join("photos")).unwrap();
        fs::write(wharf.file("one"), "content").unwrap();
        wharf.fails(&["put", "one", &peer.url("photos")], 2, "photos/ puts the file into it");
        assert_eq!(names(&peer.files()), ["photos"], "{kind:?}");
        wharf.run(&["put", "one", &peer.url("photos/")]).succeeded();
        assert_eq!(names(&peer.files().join("photos")), ["one"], "{kind:?}");
    }
}

#[test]
fn mirrors_leave_unfinished_transfers_where_they_are() {
    let peer = Peer::start(Kind::Pyftpdlib);
    let wharf = peer.client();
    fs::create_dir(wharf.file("tree")).unwrap();
    for directory in [wharf.file("tree"), peer.files()] {
        fs::write(directory.join(".large.1f2e3d4c.part"), "half").unwrap();
    }
    let up = wharf.run(&["mirror", "tree", &peer.url("tree")]);
    assert!(up.out.contains("0 copied") && up.err.contains("not finished"), "{up:?}");
    let down = wharf.run(&["mirror", &peer.url(""), "back"]);
    assert!(down.out.contains("0 copied") && down.err.contains("not finished"), "{down:?}");
}

#[test]
fn the_shell_goes_on_with_what_ctrl_c_left() {
    let peer = Peer::start(Kind::Proftpd);
    let wharf = peer.client();
    let bytes = content::bytes(SIZE, 5);
    fs::write(wharf.file("large"), &bytes).unwrap();
    break_one(&peer, &wharf);
    let kept = part_of(&peer.files());
    let said = wharf.run_shell(&[&peer.url("")], "put large\nquit\n").succeeded();
    assert!(said.contains(&format!("{} bytes", SIZE as u64 - kept)), "{said}");
    assert!(fs::read(peer.files().join("large")).unwrap() == bytes);
}

#[test]
fn our_own_server_says_whether_it_publishes_whole_files() {
    for (uploads, staged) in [("atomic-resumable", false), ("atomic", false), ("direct", true)] {
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_STORAGE__UPLOADS", uploads);
        let deployment: Deployment = setup.start();
        let user = deployment.admin.create("alice");
        let features = deployment.session(&user).expect("FEAT", 211);
        assert_eq!(features.contains("\n STOR ATOMIC"), !staged, "{features}");
        let wharf = Wharf::new(&deployment, &user);
        let url = format!("ftpes://alice@localhost:{}/", deployment.ftp().port());
        fs::File::create(wharf.file("endless")).unwrap().set_len(20 << 30).unwrap();
        let child = wharf.start(&["put", "endless", &url]);
        let begun = eventually("bytes arrive", PATIENCE, || {
            let mut entries = fs::read_dir(deployment.home(&user)).ok()?.flatten();
            let begun = entries.find(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0))?;
            Some(begun.file_name().into_string().unwrap())
        });
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
        assert_eq!(begun.starts_with(".endless."), staged, "{begun}");
        assert!(!deployment.home(&user).join("endless").exists());
    }
}
