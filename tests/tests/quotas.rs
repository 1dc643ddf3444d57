//! Quotas: what a user may store, to the byte, however it is sent, by however many sessions on however many
//! servers at once; and the usage that the API shows.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Ftp, Mftp, Mode, Setup, Shape, Store, User, content};

/// For what is told twice a second, on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// A dead server is noticed after ten seconds.
const DEAD: Duration = Duration::from_secs(40);

const QUOTA: usize = 100_000;

/// Runs each case with two programs on both stores.
macro_rules! on_both_stores {
    ($($case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $case() { super::$case(super::setup(super::Store::Sqlite)); })+
        }
        mod on_mongodb {
            $(#[test] fn $case() { super::$case(super::setup(super::Store::MongoDb)); })+
        }
    };
}

on_both_stores!(
    what_fits_exactly_is_stored_and_one_byte_more_is_refused,
    the_number_of_files_is_limited,
    many_servers_fill_a_quota_exactly,
    many_servers_never_exceed_a_quota,
    a_quota_that_is_lowered_stops_an_upload,
    a_quota_that_is_lowered_ends_slow_and_stalled_uploads,
    a_recount_finds_what_was_changed_behind_the_server_s_back,
    what_a_killed_server_left_is_counted,
);

fn setup(store: Store) -> Setup {
    let setup = Setup::new(Shape::TwoPrograms, store).set("WHARFINGER_NODE__NAME", "north");
    let files = setup.directory().join("data/files").to_str().unwrap().to_owned();
    setup.set("WHARFINGER_STORAGE__ROOT", &files)
}

#[expect(clippy::needless_pass_by_value, reason = "callers write it in place with json!")]
fn alice(deployment: &Deployment, quota: Value) -> User {
    deployment.admin.create_with("alice", json!({ "quota": quota }))
}

fn usage(deployment: &Deployment) -> Value {
    deployment.admin.get("/api/v1/users/alice").body["usage"].clone()
}

fn shows(deployment: &Deployment, bytes: usize, files: usize) {
    eventually(&format!("{bytes} bytes in {files} files"), SOON, || {
        let usage = usage(deployment);
        (usage["bytes"] == bytes && usage["files"] == files && usage["recounted_at"].is_string())
            .then_some(())
    });
}

/// The final reply to an upload, whether or not all of it was taken.
fn send(session: &mut Ftp, command: &str, bytes: &[u8]) -> u16 {
    let mut wire = session.begin(Mode::Epsv, command);
    // The server closes when it has had enough.
    let _ = wire.write_all(bytes).and_then(|()| wire.finish());
    session.reply().code
}

/// Bytes of all files on the disk, half ones too.
fn on_disk(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten().map(Result::unwrap);
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => on_disk(&entry.path()),
        // Renamed or removed meanwhile: then it is another moment's.
        found => found.map_or(0, |found| usize::try_from(found.len()).unwrap()),
    });
    sizes.sum()
}

fn what_fits_exactly_is_stored_and_one_byte_more_is_refused(setup: Setup) {
    let deployment = setup.start();
    let alice = alice(&deployment, json!({ "max_bytes": QUOTA }));
    let mut session = deployment.session(&alice);
    let bytes = content::bytes(QUOTA + 1, 1);
    assert_eq!(send(&mut session, "STOR a", &bytes[..QUOTA]), 226);
    assert_eq!(send(&mut session, "STOR b", &bytes[..1]), 552);
    shows(&deployment, QUOTA, 1);
    session.expect("DELE a", 250);
    assert_eq!(send(&mut session, "STOR b", &bytes[..QUOTA]), 226, "what was removed makes room");
    session.expect("RNFR b", 350);
    session.expect("RNTO a", 250);
    assert_eq!(send(&mut session, "STOR a", &bytes), 552);
    assert_eq!(
        std::fs::read(deployment.home(&alice).join("a")).unwrap(),
        &bytes[..QUOTA],
        "the old one stays"
    );
    assert_eq!(send(&mut session, "STOR a", &bytes[..QUOTA]), 226, "there need not be room for both");
    assert_eq!(send(&mut session, "STOR a", &bytes[..30_000]), 226);
    shows(&deployment, 30_000, 1);
    assert_eq!(send(&mut session, "APPE a", &bytes[30_000..QUOTA]), 226);
    assert_eq!(send(&mut session, "APPE a", &bytes[..1]), 552);
    session.expect("REST 10", 350);
    assert_eq!(send(&mut session, "STOR a", &bytes[10..60_000]), 226);
    shows(&deployment, 60_000, 1);
    session.expect("SITE CPFR a", 350);
    session.expect("SITE CPTO b", 501);
    assert_eq!(send(&mut session, "STOU", &bytes[..40_000]), 226);
    shows(&deployment, QUOTA, 2);
    assert_eq!(on_disk(&deployment.home(&alice)), QUOTA);
}

fn the_number_of_files_is_limited(setup: Setup) {
    let deployment = setup.start();
    let alice = alice(&deployment, json!({ "max_files": 2 }));
    let mut session = deployment.session(&alice);
    for (name, code) in [("a", 226), ("b", 226), ("c", 552), ("a", 226), ("b", 226)] {
        assert_eq!(send(&mut session, &format!("STOR {name}"), b"some"), code, "{name}");
    }
    session.expect("MKD directories", 257);
    session.expect("RNFR a", 350);
    session.expect("RNTO b", 250);
    assert_eq!(send(&mut session, "STOR c", b""), 226, "one was replaced by the other");
    assert_eq!(send(&mut session, "STOR d", b""), 552);
    shows(&deployment, 4, 2);
}

/// Sessions on both servers at once, each of which does `work` with its number.
fn at_once(setup: Setup, sessions: usize, work: fn(usize, &mut Ftp)) -> Deployment {
    let deployment = setup.start();
    let south = deployment.start_node("south");
    let alice = alice(&deployment, json!({ "max_bytes": QUOTA }));
    let barrier = Arc::new(Barrier::new(sessions));
    let threads: Vec<_> = (0..sessions)
        .map(|number| {
            let mut session =
                if number % 2 == 0 { deployment.session(&alice) } else { south.session(&alice) };
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                barrier.wait();
                work(number, &mut session);
            })
        })
        .collect();
    let home = deployment.home(&alice);
    while threads.iter().any(|thread| !thread.is_finished()) {
        assert!(on_disk(&home) <= QUOTA, "{} bytes", on_disk(&home));
        thread::sleep(Duration::from_millis(5));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    deployment
}

fn many_servers_fill_a_quota_exactly(setup: Setup) {
    let deployment = at_once(setup, 10, |number, session| {
        for file in 0..5 {
            let bytes = content::bytes(QUOTA / 50, 1);
            assert_eq!(send(session, &format!("STOR {number}-{file}"), &bytes), 226, "there is room for it");
        }
    });
    shows(&deployment, QUOTA, 50);
    let alice = User { name: "alice".to_owned(), password: "password of alice".to_owned() };
    assert_eq!(send(&mut deployment.session(&alice), "STOR more", b"1"), 552);
}

fn many_servers_never_exceed_a_quota(setup: Setup) {
    let deployment = at_once(setup, 8, |number, session| {
        let bytes = content::bytes(QUOTA / 4, 1);
        let codes: Vec<u16> =
            (0..2).map(|file| send(session, &format!("STOR {number}-{file}"), &bytes)).collect();
        assert!(codes.iter().all(|code| [226, 552].contains(code)), "{codes:?}");
    });
    let home = deployment.directory().join("data/files/alice");
    // What is left of those that were refused can be resumed, and counts.
    assert_eq!(on_disk(&home), QUOTA);
    shows(&deployment, QUOTA, std::fs::read_dir(home).unwrap().count());
}

fn a_quota_that_is_lowered_stops_an_upload(setup: Setup) {
    let deployment = setup.start();
    // Slow enough not to fill the disk, and the server's buffer several times a second.
    let limits = json!({ "upload_bytes_per_second": 1_000_000 });
    let members = json!({ "quota": { "max_bytes": 1_000_000_000 }, "limits": limits });
    let alice = deployment.admin.create_with("alice", members);
    let mut session = deployment.session(&alice);
    let mut wire = session.begin(Mode::Epsv, "STOR endless");
    let bytes = content::bytes(QUOTA, 1);
    wire.write_all(&bytes).unwrap();
    let path = "/api/v1/users/alice";
    let answer = deployment.admin.patch(path, json!({ "quota": { "max_bytes": QUOTA } }));
    assert_eq!(answer.status, 200);
    // Goes on until the server closes.
    let writer = thread::spawn(move || while wire.write_all(&bytes).is_ok() {});
    assert_eq!(session.reply_within(SOON).code, 552);
    writer.join().unwrap();
    session.expect("NOOP", 200);
}

fn a_quota_that_is_lowered_ends_slow_and_stalled_uploads(setup: Setup) {
    let deployment = setup.start();
    let alice = alice(&deployment, json!({ "max_bytes": 1_000_000_000 }));
    let (mut stalled, mut slow) = (deployment.session(&alice), deployment.session(&alice));
    // More than the server's buffer holds, so that some of it is written, and then nothing.
    let mut silent = stalled.begin(Mode::Epsv, "STOR stalled");
    silent.write_all(&content::bytes(300_000, 1)).unwrap();
    let mut dripping = slow.begin(Mode::Epsv, "STOR slow");
    dripping.write_all(b"a little").unwrap();
    let answer = deployment.admin.patch("/api/v1/users/alice", json!({ "quota": { "max_bytes": 1 } }));
    assert_eq!(answer.status, 200);
    let drip = thread::spawn(move || {
        while dripping.write_all(b".").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    for session in [&mut stalled, &mut slow] {
        assert_eq!(session.reply_within(SOON).code, 552);
        session.expect("NOOP", 200);
    }
    drip.join().unwrap();
}

fn a_recount_finds_what_was_changed_behind_the_server_s_back(setup: Setup) {
    let deployment = setup.start();
    let home = deployment.directory().join("data/files/alice");
    std::fs::create_dir_all(home.join("deep/deeper")).unwrap();
    std::fs::write(home.join("deep/deeper/early"), vec![0; 60_000]).unwrap();
    let alice = alice(&deployment, json!({ "max_bytes": QUOTA }));
    let mut session = deployment.session(&alice);
    assert_eq!(send(&mut session, "STOR much", &vec![0; 40_001]), 552, "what was there before counts");
    session.expect("DELE much", 250);
    shows(&deployment, 60_000, 1);
    std::fs::write(home.join("late"), vec![0; 30_000]).unwrap();
    std::os::unix::fs::symlink("late", home.join("link")).unwrap();
    let answer = deployment.admin.post("/api/v1/users/alice/recount", json!({}));
    assert_eq!(answer.status, 202, "{answer:?}");
    shows(&deployment, 90_000, 2);
    assert_eq!(send(&mut session, "STOR little", &[0; 10_001]), 552);
    assert_eq!(send(&mut session, "STOR little", &[0; 10_000]), 226);
}

fn what_a_killed_server_left_is_counted(setup: Setup) {
    /// Twice what the server collects before it writes.
    const HALF: usize = 512 * 1024;
    let deployment = setup.start();
    let mut south = deployment.start_node("south");
    let alice = alice(&deployment, json!({ "max_bytes": 2 * HALF }));
    let mut lost = south.session(&alice);
    let mut wire = lost.begin(Mode::Epsv, "STOR half");
    wire.write_all(&vec![0; HALF]).unwrap();
    let home = deployment.home(&alice);
    eventually("the half file", SOON, || (on_disk(&home) == HALF).then_some(()));
    south.program.kill();
    let mut session = deployment.session(&alice);
    eventually("what the dead server held", DEAD, || {
        (send(&mut session, "STOR rest", &vec![0; HALF]) == 226).then_some(())
    });
    assert_eq!(send(&mut session, "STOR more", &[0; 1]), 552);
    shows(&deployment, 2 * HALF, 2);
}

#[test]
fn mftp_has_the_same_quota() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_MFTP__TLS_LISTEN", "127.0.0.1:0");
    let deployment = setup.start();
    let members = json!({ "quota": { "max_bytes": 10 }, "protocols": ["mftp"] });
    let alice = deployment.admin.create_with("alice", members);
    let tls = deployment.tls(wharfinger_tests::Version::Tls13);
    let mut session = Mftp::connect(deployment.addresses("mftps", 1)[0], Some(tls));
    session.log_in(&alice.name, &alice.password);
    session.send_file("STOR a", b"0123456789");
    let mut wire = session.open("STOR b");
    let _ = wire.write_all(b"1").and_then(|()| wire.finish());
    session.expect_answer("ERR 411");
    shows(&deployment, 10, 1);
}

#[test]
fn allo_and_avbl_tell_what_is_left() {
    let deployment = Deployment::start();
    let alice = alice(&deployment, json!({ "max_bytes": 1_000 }));
    let mut session = deployment.session(&alice);
    assert_eq!(send(&mut session, "STOR a", &[0; 400]), 226);
    assert_eq!(session.expect("AVBL", 213), "213 600");
    assert!(session.expect("ALLO 600", 200).contains("600"));
    assert!(session.expect("ALLO 601", 504).contains("600"));
    let bob = deployment.admin.create("bob");
    deployment.session(&bob).expect("ALLO 1000000", 202);
}
