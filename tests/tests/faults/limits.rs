//! A file server that gets no more descriptors or no more memory from its system: who is there goes on,
//! who comes has to wait or is refused, and all are served again when there is room.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, prlimit};
use wharfinger_tests::neighbours::connect_from;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, Version, content};

use crate::aftermath;

/// Descriptors that are left, and connections that want one.
const LEFT: u64 = 20;
const CROWD: usize = 60;
/// How long the server is watched while it has none.
const WATCHED: Duration = Duration::from_secs(2);

fn start() -> Deployment {
    Setup::new(Shape::TwoPrograms, Store::Sqlite).set("WHARFINGER_LIMITS__LOGIN_SECONDS", "600").start()
}

fn limit(deployment: &Deployment, resource: Resource, most: u64) {
    let most = Rlimit { current: Some(most), maximum: Some(most) };
    prlimit(Some(deployment.programs()[0].pid()), resource, most).unwrap();
}

#[test]
fn out_of_descriptors_sessions_go_on_and_who_waits_is_served_when_some_are_free() {
    let deployment = start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    let file = content::bytes(100_000, 1);
    session.send_file(Mode::Epsv, "STOR file", &file);
    let server = &deployment.programs()[0];
    limit(&deployment, Resource::Nofile, server.descriptors() + LEFT);

    let crowd: Vec<TcpStream> = (0..CROWD).map(|_| TcpStream::connect(deployment.ftp()).unwrap()).collect();
    server.logs(&["a connection can't be accepted"]);
    let mut late = TcpStream::connect(deployment.ftp()).unwrap();
    let computed = server.time_computed();
    thread::sleep(WATCHED);
    let computed = server.time_computed().saturating_sub(computed);
    assert!(computed < WATCHED / 2, "it computed for {computed:?} while it could do nothing");
    session.expect("NOOP", 200);
    let code = session.attempt_upload("STOR another", &file);
    assert!(code.is_some(), "an upload gets an answer");
    session.expect("NOOP", 200);

    drop(crowd);
    late.set_read_timeout(Some(aftermath::SOON)).unwrap();
    let mut greeting = [0; 4];
    late.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"220 ", "who waited is served");
    aftermath::is_back(&deployment, &alice);
    assert!(session.receive(Mode::Epsv, "RETR file") == file);
    session.send_file(Mode::Epsv, "STOR another", &file);
    aftermath::audit_is_intact(&deployment);
}

/// Each hash takes 19 MiB: all at once they would not fit.
#[test]
fn with_little_memory_a_crowd_of_logins_is_refused_one_by_one_and_the_server_lives() {
    const GUESSERS: u8 = 150;
    let mut deployment = start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    let memory = deployment.server().memory("VmData");
    limit(&deployment, Resource::Data, memory + (256 << 20));

    let mut guessers: Vec<Ftp> = (1..=GUESSERS).map(|number| guesser(&deployment, number)).collect();
    for (number, guesser) in guessers.iter_mut().enumerate() {
        guesser.expect(&format!("USER guessed-{number}"), 331);
        guesser.send("PASS a wrong password");
    }
    session.expect("NOOP", 200);
    let (mut refused, mut busy) = (0, 0);
    for guesser in &mut guessers {
        match guesser.reply_within(aftermath::SOON).code {
            530 => refused += 1,
            421 => busy += 1,
            code => panic!("a guess is answered by {code}"),
        }
    }
    println!("{refused} passwords were looked at, {busy} logins were too many");
    assert!(refused > 0);
    assert!(deployment.server().runs());
    session.send_file(Mode::Epsv, "STOR file", b"content");
    aftermath::is_back(&deployment, &alice);
}

/// From an address of its own, so that no other one's failures are told against it.
fn guesser(deployment: &Deployment, number: u8) -> Ftp {
    let socket = connect_from(Ipv4Addr::new(127, 0, 1, number), deployment.ftp());
    let mut ftp = Ftp::over(socket, deployment.tls(Version::Tls13));
    ftp.expect_reply(220);
    ftp.secure();
    ftp
}
