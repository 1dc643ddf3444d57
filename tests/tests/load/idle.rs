//! Idle sessions by the hundred, under `tests/soak` by the thousand, and what others get meanwhile.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, content, soak};

const IDLE: usize = 200;
const IDLE_IN_A_SOAK: usize = 5_000;
const AT_ONCE: usize = 64;
/// What an idle session under TLS may take, in bytes; a build without optimisation takes more than others.
const EACH: u64 = 128 << 10;

#[test]
fn beside_idle_sessions_others_log_in_and_transfer() {
    let count = if soak::span(Duration::ZERO).is_zero() { IDLE } else { IDLE_IN_A_SOAK };
    allow_descriptors(2 * count as u64 + 1_000);
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_LIMITS__MAX_SESSIONS_PER_ADDRESS", "9999")
        .set("WHARFINGER_LIMITS__IDLE_SECONDS", "7200")
        .start();
    let (alice, bob) = (deployment.admin.create("alice"), deployment.admin.create("bob"));
    let server = &deployment.programs()[0];
    // What all sessions share is there before it is measured.
    drop(open(&deployment, &alice, 8));
    let before = server.memory("VmRSS");
    let mut idle = open(&deployment, &alice, count);
    let each = server.memory("VmRSS").saturating_sub(before) / count as u64;
    println!("{count} idle sessions under TLS, {each} bytes each");
    assert!(each < EACH, "each of {count} idle sessions takes {each} bytes");

    move_at_once(&deployment, &bob);
    let started = std::time::Instant::now();
    let mut logins = 0;
    while logins < 10 || started.elapsed() < soak::span(Duration::ZERO) {
        let mut session = deployment.session(&bob);
        session.send_file(Mode::Epsv, "STOR file", &content::bytes(100_000, logins));
        assert!(session.receive(Mode::Epsv, "RETR file") == content::bytes(100_000, logins));
        session.expect("QUIT", 221);
        logins += 1;
    }
    println!("{logins} logins, uploads and downloads beside them");
    for session in &mut idle {
        session.expect("NOOP", 200);
    }
}

/// As many sessions, opened by a few clients at a time.
fn open(deployment: &Deployment, user: &User, count: usize) -> Vec<Ftp> {
    thread::scope(|scope| {
        let open = || (0..count / 4).map(|_| deployment.session(user)).collect::<Vec<Ftp>>();
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Uploads and downloads, all begun before any has ended.
fn move_at_once(deployment: &Deployment, user: &User) {
    let body = content::bytes(200_000, 1);
    let mut sessions: Vec<Ftp> = (0..AT_ONCE).map(|_| deployment.session(user)).collect();
    sessions[0].send_file(Mode::Epsv, "STOR down", &body);
    let begin = |(number, session): (usize, &mut Ftp)| {
        let command = if number % 2 == 0 { format!("STOR up-{number}") } else { "RETR down".to_owned() };
        session.begin(Mode::Epsv, &command)
    };
    let wires: Vec<_> = sessions.iter_mut().enumerate().map(begin).collect();
    for (number, mut wire) in wires.into_iter().enumerate() {
        if number % 2 == 0 {
            wire.write_all(&body).unwrap();
            wire.finish().unwrap();
        } else {
            let mut received = Vec::new();
            wire.read_to_end(&mut received).unwrap();
            assert!(received == body, "a download");
        }
        sessions[number].expect_reply(226);
        if number % 2 == 0 {
            let stored = std::fs::read(deployment.home(user).join(format!("up-{number}"))).unwrap();
            assert!(stored == body, "an upload");
        }
    }
}

/// For this process and those that it starts.
fn allow_descriptors(count: u64) {
    let now = getrlimit(Resource::Nofile);
    if now.current.is_some_and(|current| current < count) {
        let most = now.maximum.map(|maximum| maximum.max(count));
        setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most })
            .unwrap_or_else(|error| panic!("{count} open files are needed ({error}): ulimit -n {count}"));
    }
}
