//! Rate limits: what a user's transfers move in a second, together, both ways, in clear and under
//! TLS, and that it flows.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Deployment, Mode, Setup, Shape, Store, User, content};

/// Bytes per second.
const RATE: u64 = 1_000_000;
const SIZE: u64 = 4 << 20;

fn limited(deployment: &Deployment, limit: &str) -> User {
    deployment.admin.create_with("alice", json!({"limits": {limit: RATE}}))
}

/// Not faster than the rate, but for the moment that may be saved up; a busy machine may be slower.
fn assert_paced(bytes: u64, took: Duration) {
    let least = Duration::from_millis((bytes * 1_000 / RATE).saturating_sub(400));
    assert!(took >= least, "{bytes} bytes in {took:?}");
    assert!(took < least * 4, "{bytes} bytes in {took:?}");
}

#[test]
fn a_download_under_tls_keeps_to_the_rate_and_flows() {
    let deployment = Deployment::start();
    let alice = limited(&deployment, "download_bytes_per_second");
    let mut session = deployment.session(&alice);
    content::file(&deployment.home(&alice).join("big"), SIZE, 1);
    let start = Instant::now();
    let most = steady(session.begin(Mode::Epsv, "RETR big"));
    session.expect_reply(226);
    assert_paced(SIZE, start.elapsed());
    assert!(most <= RATE / 2, "{most} bytes in a tenth of a second");
}

/// Reads to the end; the most bytes that came within one tenth of a second.
fn steady(mut wire: Wire) -> u64 {
    let (mut buffer, start, mut tenths) = (vec![0; 1 << 16], Instant::now(), Vec::new());
    loop {
        let size = wire.read(&mut buffer).unwrap();
        if size == 0 {
            return tenths.into_iter().max().unwrap();
        }
        let tenth = usize::try_from(start.elapsed().as_millis() / 100).unwrap();
        tenths.resize(tenths.len().max(tenth + 1), 0);
        tenths[tenth] += size as u64;
    }
}

#[test]
fn an_upload_under_tls_keeps_to_the_rate() {
    let deployment = Deployment::start();
    let alice = limited(&deployment, "upload_bytes_per_second");
    let mut session = deployment.session(&alice);
    let bytes = content::bytes(usize::try_from(SIZE).unwrap(), 1);
    let start = Instant::now();
    session.send_file(Mode::Epsv, "STOR big", &bytes);
    assert_paced(SIZE, start.elapsed());
    assert_eq!(std::fs::read(deployment.home(&alice).join("big")).unwrap(), bytes);
}

#[test]
fn in_clear_both_ways_keep_to_the_rate() {
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_TLS__CONTROL", "optional")
        .set("WHARFINGER_TLS__DATA", "optional")
        .start();
    let limits = json!({"download_bytes_per_second": RATE, "upload_bytes_per_second": RATE});
    let alice = deployment.admin.create_with("alice", json!({"limits": limits, "protocols": ["ftp"]}));
    let mut session = deployment.connect();
    assert_eq!(session.log_in(&alice.name, &alice.password).code, 230);
    session.expect("TYPE I", 200);
    let bytes = content::bytes(usize::try_from(SIZE).unwrap(), 1);
    let start = Instant::now();
    let offer = session.offer(Mode::Epsv);
    session.expect("STOR big", 150);
    let mut wire = offer.accept();
    wire.write_all(&bytes).unwrap();
    wire.finish().unwrap();
    session.expect_reply(226);
    assert_paced(SIZE, start.elapsed());

    let start = Instant::now();
    let offer = session.offer(Mode::Epsv);
    session.expect("RETR big", 150);
    let mut received = Vec::new();
    offer.accept().read_to_end(&mut received).unwrap();
    session.expect_reply(226);
    assert_paced(SIZE, start.elapsed());
    assert!(received == bytes);
}

#[test]
fn all_sessions_of_a_user_share_the_rate_fairly_and_nobody_else_does() {
    let deployment = Deployment::start();
    let alice = limited(&deployment, "download_bytes_per_second");
    let bob = deployment.admin.create("bob");
    let sessions = [deployment.session(&alice), deployment.session(&alice)];
    let mut other = deployment.session(&bob);
    content::file(&deployment.home(&alice).join("big"), SIZE / 2, 1);
    content::file(&deployment.home(&bob).join("big"), SIZE * 10, 1);
    let start = Instant::now();
    let downloads: Vec<_> = sessions
        .into_iter()
        .map(|mut session| {
            thread::spawn(move || {
                session.receive(Mode::Epsv, "RETR big");
                start.elapsed()
            })
        })
        .collect();
    assert_eq!(other.receive(Mode::Epsv, "RETR big").len() as u64, SIZE * 10);
    let unlimited = start.elapsed();
    let took: Vec<Duration> = downloads.into_iter().map(|download| download.join().unwrap()).collect();
    assert_paced(SIZE, *took.iter().max().unwrap());
    let (first, last) = (took.iter().min().unwrap(), took.iter().max().unwrap());
    assert!(*first * 2 > *last, "one had to wait for the other: {took:?}");
    assert!(unlimited < *last, "{unlimited:?} for ten times as much without a limit, {took:?} with one");
}

#[test]
fn compressed_transfers_keep_to_the_rate_of_what_is_sent() {
    const SLOW: u64 = RATE / 10;
    let deployment = Deployment::start();
    let limits = json!({"download_bytes_per_second": SLOW});
    let alice = deployment.admin.create_with("alice", json!({"limits": limits}));
    let mut session = deployment.session(&alice);
    let write = |name: &str, bytes: &[u8]| std::fs::write(deployment.home(&alice).join(name), bytes).unwrap();
    // Noise, which does not become smaller, and zeros, which nearly vanish.
    write("noise", &content::bytes(400_000, 1));
    write("zeros", &vec![0; 4_000_000]);
    session.expect("MODE Z", 200);
    let start = Instant::now();
    session.receive(Mode::Epsv, "RETR noise");
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    let start = Instant::now();
    let packed = session.receive(Mode::Epsv, "RETR zeros");
    assert!(packed.len() < 100_000);
    assert!(start.elapsed() < Duration::from_secs(30), "not the forty seconds of what it unpacks to");
}

#[test]
fn a_limit_of_one_byte_is_slow_and_not_endless() {
    let deployment = Deployment::start();
    let limits = json!({"download_bytes_per_second": 1});
    let alice = deployment.admin.create_with("alice", json!({"limits": limits}));
    let mut session = deployment.session(&alice);
    std::fs::write(deployment.home(&alice).join("tiny"), b"ab").unwrap();
    assert_eq!(session.receive(Mode::Epsv, "RETR tiny"), b"ab");
}
