//! Floods of connections, from one address and from many: each limit holds, memory is bounded, and who
//! has a session goes on with it.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use wharfinger_tests::neighbours::connect_from;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Mode, Setup, Shape, Store};

const SESSIONS: usize = 150;
const FROM_ONE: usize = 20;
/// Much less than a session's memory for each connection of the flood.
const GROWTH: u64 = 64 << 20;

#[test]
fn floods_of_connections_stay_within_the_limits_and_sessions_go_on() {
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_LIMITS__MAX_SESSIONS", &SESSIONS.to_string())
        .set("WHARFINGER_LIMITS__MAX_SESSIONS_PER_ADDRESS", &FROM_ONE.to_string())
        .set("WHARFINGER_LIMITS__LOGIN_SECONDS", "600")
        .start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    session.send_file(Mode::Epsv, "STOR file", b"content");
    let server = &deployment.programs()[0];
    let before = server.begin_measuring_memory();
    let connect = |client| connect_from(client, deployment.ftp());

    let mut one: Vec<TcpStream> = (0..300).map(|_| connect(Ipv4Addr::new(127, 0, 0, 9))).collect();
    assert_eq!(greeted(&mut one), FROM_ONE, "sessions of one address");
    session.expect("NOOP", 200);
    let client = |number: u8| connect(Ipv4Addr::new(127, 0, 1, number));
    let mut many: Vec<TcpStream> = (0..=250).flat_map(|number| [client(number), client(number)]).collect();
    assert_eq!(greeted(&mut many), SESSIONS - FROM_ONE - 1, "sessions of all addresses");
    session.expect("NOOP", 200);
    assert_eq!(session.receive(Mode::Epsv, "RETR file"), b"content");
    let grown = server.peak_memory().saturating_sub(before);
    println!("{} connections at once took {grown} bytes", one.len() + many.len());
    assert!(grown < GROWTH, "{grown} bytes more");

    drop((one, many));
    eventually("a login after the flood", Duration::from_mins(1), || {
        let mut ftp =
            wharfinger_tests::Ftp::dial(deployment.ftp(), deployment.tls(wharfinger_tests::Version::Tls13));
        (ftp.reply().code == 220).then_some(())
    });
    session.send_file(Mode::Epsv, "STOR file", b"content");
}

/// How many of them are let in; the others are refused, in words or without.
fn greeted(connections: &mut [TcpStream]) -> usize {
    let is_greeted = |connection: &mut TcpStream| {
        let mut code = [0; 4];
        let came = connection.read_exact(&mut code);
        assert!(came.is_err() || [b"220 ", b"421 "].contains(&&code), "{}", code.escape_ascii());
        came.is_ok() && &code == b"220 "
    };
    connections.iter_mut().filter_map(|connection| is_greeted(connection).then_some(())).count()
}
