//! The PROXY header, as a proxy sends it and as one that is none: who is believed, what is then known
//! of the client, and that nobody waits for a header that does not come.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::source::connect_from;
use wharfinger_tests::wire::READ_LIMIT;
use wharfinger_tests::{Deployment, Ftp, Mode, Program, Setup, Shape, Store, User, Version, polling};

/// Where the proxy is; the tests' other connections come from 127.0.0.1.
const PROXY: u8 = 9;
const CLIENT: &str = "192.0.2.7";

fn start() -> Deployment {
    Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_PROXY__TRUSTED", "127.0.0.9/32").start()
}

/// A connection of the proxy, with this header sent.
fn proxied(to: SocketAddr, header: &[u8]) -> TcpStream {
    let mut socket = connect_from(PROXY, to);
    socket.set_read_timeout(Some(READ_LIMIT)).unwrap();
    socket.write_all(header).unwrap();
    socket
}

fn version_1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 198.51.100.1 50000 21\r\n").into_bytes()
}

fn version_2(client: [u8; 4]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend(client);
    header.extend([198, 51, 100, 1, 0xC3, 0x50, 0, 21]);
    header
}

fn session(deployment: &Deployment, header: &[u8], user: &User) -> Ftp {
    let mut ftp = Ftp::over(proxied(deployment.ftp(), header), deployment.tls(Version::Tls13));
    ftp.expect_reply(220);
    ftp.secure();
    assert_eq!(ftp.log_in(&user.name, &user.password).code, 230);
    for line in ["PBSZ 0", "PROT P", "TYPE I"] {
        ftp.expect(line, 200);
    }
    ftp
}

#[test]
fn the_client_is_whom_the_proxy_brings() {
    let deployment = start();
    for (name, header) in [("alice", version_1(CLIENT)), ("bob", version_2([192, 0, 2, 7]))] {
        let user = deployment.admin.create(name);
        let mut ftp = session(&deployment, &header, &user);
        let listed = polling::eventually("the session in the list", PATIENCE, || {
            let found = deployment.admin.get(&format!("/api/v1/sessions?user={name}")).body;
            found["items"].get(0).cloned()
        });
        assert_eq!(listed["client_address"], CLIENT);
        // What the client connected to is what it is told to connect to.
        assert!(ftp.expect("PASV", 227).contains("198,51,100,1,"));
        ftp.expect("QUIT", 221);
        let noted = polling::eventually("the login in the audit trail", PATIENCE, || {
            let found = deployment.admin.get(&format!("/api/v1/audit?action=login&user={name}")).body;
            found["items"].get(0).cloned()
        });
        assert!(noted["detail"].to_string().contains(CLIENT), "{noted}");
    }
}

#[test]
fn a_data_connection_is_the_client_s_whom_the_header_names() {
    let deployment = start();
    let alice = deployment.admin.create("alice");
    let mut ftp = session(&deployment, &version_1(CLIENT), &alice);
    std::fs::write(deployment.home(&alice).join("file"), "content").unwrap();
    let port = ftp.passive(Mode::Epsv).port();
    let passive = SocketAddr::new(deployment.ftp().ip(), port);
    // Somebody who says nothing, a client of another address, one that comes by no proxy at all.
    let _silent = connect_from(PROXY, passive);
    let mut stranger = proxied(passive, &version_2([192, 0, 2, 8]));
    let mut direct = TcpStream::connect(passive).unwrap();
    let client = proxied(passive, &version_2([192, 0, 2, 7]));
    ftp.expect("RETR file", 150);
    let mut data = wharfinger_tests::wire::Wire::new(client).secured(ftp.tls());
    let mut content = String::new();
    data.read_to_string(&mut content).unwrap();
    assert_eq!(content, "content");
    ftp.expect_reply(226);
    for other in [&mut stranger, &mut direct] {
        other.set_read_timeout(Some(READ_LIMIT)).unwrap();
        assert_eq!(other.read(&mut [0]).unwrap_or(0), 0, "it is closed");
    }
}

#[test]
fn a_header_from_anybody_else_is_not_believed() {
    let deployment = start();
    let socket = connect_from(8, deployment.ftp());
    let mut ftp = Ftp::over(socket, deployment.tls(Version::Tls13));
    ftp.expect_reply(220);
    ftp.send_bytes(&version_1(CLIENT));
    ftp.expect_reply(500);
}

#[test]
fn what_is_no_header_ends_the_connection_and_keeps_nobody_waiting() {
    let deployment = start();
    // Says nothing for as long as the test runs.
    let _silent = connect_from(PROXY, deployment.ftp());
    for rubbish in [
        &b"USER alice\r\n"[..],
        b"PROXY TCP4 nobody nowhere 1 2\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let mut socket = proxied(deployment.ftp(), rubbish);
        assert_eq!(socket.read(&mut [0]).unwrap_or(0), 0, "{}", rubbish.escape_ascii());
    }
    // The silent one is let go too, while others are served.
    let mut late = connect_from(PROXY, deployment.ftp());
    late.set_read_timeout(Some(READ_LIMIT)).unwrap();
    assert_eq!(late.read(&mut [0]).unwrap_or(0), 0);
    deployment.connect();
}

#[test]
fn a_ban_is_the_client_s_and_not_the_proxy_s() {
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_PROXY__TRUSTED", "127.0.0.9/32")
        .set("WHARFINGER_LIMITS__LOGIN_FAILURES", "1")
        .start();
    let alice = deployment.admin.create("alice");
    let mut guesser =
        Ftp::over(proxied(deployment.ftp(), &version_1(CLIENT)), deployment.tls(Version::Tls13));
    guesser.expect_reply(220);
    guesser.secure();
    assert_eq!(guesser.log_in("alice", "a wrong password").code, 530);
    let mut again = Ftp::over(proxied(deployment.ftp(), &version_1(CLIENT)), deployment.tls(Version::Tls13));
    again.expect_reply(421);
    session(&deployment, &version_1("192.0.2.8"), &alice);
}

#[test]
fn a_server_behind_a_proxy_on_its_own_host_answers_healthcheck() {
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite)
        .set("WHARFINGER_PROXY__TRUSTED", "127.0.0.1/32")
        .start();
    let settings = [
        ("WHARFINGER_PROXY__TRUSTED".to_owned(), "127.0.0.1/32".to_owned()),
        ("WHARFINGER_FTP__LISTEN".to_owned(), deployment.ftp().to_string()),
    ];
    let check =
        Program::start("wharfinger-server", &["healthcheck"], deployment.directory(), &settings.into());
    let ended = check.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}
