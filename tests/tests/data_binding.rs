//! Whether data connections must resume their session's TLS: the setting, and what holds for the
//! clients of some networks instead.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};

use wharfinger_tests::neighbours::{connect_from, session_from};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, Version};

const CONTENT: &[u8] = b"content";

/// A client at 127.0.0.`last`.
fn client(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, last)
}

fn begin(ftp: &mut Ftp, last: u8) -> TcpStream {
    let socket = connect_from(client(last), ftp.passive(Mode::Epsv));
    ftp.expect("RETR file", 150);
    socket
}

/// Downloads with a full handshake; the reply's code.
fn unbound(ftp: &mut Ftp, last: u8) -> u16 {
    let socket = begin(ftp, last);
    // A server that refuses ends the connection within the handshake or behind it.
    let _ = ftp.tls().forgetful().secure(socket).read_to_end(&mut Vec::new());
    ftp.reply().code
}

/// Downloads as a client does that resumes if it can; whether it did.
fn resumed(ftp: &mut Ftp, last: u8) -> bool {
    let mut data = Wire::new(begin(ftp, last)).secured(ftp.tls());
    let mut received = Vec::new();
    data.read_to_end(&mut received).unwrap();
    assert_eq!(received, CONTENT);
    ftp.expect_reply(226);
    data.resumed()
}

fn start(file: &str) -> (Deployment, User) {
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite).file(file).start();
    let alice = deployment.admin.create("alice");
    drop(deployment.session(&alice));
    fs::write(deployment.home(&alice).join("file"), CONTENT).unwrap();
    (deployment, alice)
}

#[test]
fn each_network_has_its_own_and_the_narrowest_decides() {
    let (deployment, alice) = start(
        "[tls]\ndata_binding = \"required\"\n\
         data_binding_overrides = [\"127.0.0.0/29=preferred\", \"127.0.0.4/31=off\", \"127.0.0.5/32=required\"]\n",
    );
    for (last, code, resumes) in [(8, 522, true), (1, 226, true), (4, 226, false), (5, 522, true)] {
        let mut ftp = session_from(&deployment, client(last), &alice);
        assert_eq!(resumed(&mut ftp, last), resumes, "127.0.0.{last}");
        assert_eq!(unbound(&mut ftp, last), code, "127.0.0.{last}");
    }
    // IPv6 is none of these networks.
    let mut ftp = deployment.session_at(deployment.ftp6(), Version::Tls13, &alice);
    ftp.set_tls(ftp.tls().forgetful());
    let offer = ftp.offer(Mode::Epsv);
    ftp.expect("RETR file", 150);
    let _ = offer.accept().secured(ftp.tls()).read_to_end(&mut Vec::new());
    ftp.expect_reply(522);
}

#[test]
fn a_reload_changes_it_for_sessions_to_come() {
    let (deployment, alice) = start("");
    let mut before = session_from(&deployment, client(2), &alice);
    assert_eq!(unbound(&mut before, 2), 226);
    deployment.reload("[tls]\ndata_binding_overrides = \"127.0.0.2/32=required\"\n");
    eventually("the binding is required", PATIENCE, || {
        (unbound(&mut session_from(&deployment, client(2), &alice), 2) == 522).then_some(())
    });
    assert_eq!(unbound(&mut before, 2), 226, "a session keeps what it began with");
    assert_eq!(unbound(&mut session_from(&deployment, client(3), &alice), 3), 226);
    deployment.reload("[tls]\ndata_binding_overrides = \"127.0.0.2/32=always\"\n");
    deployment.programs()[0].logs(&["the old one stays in use", "127.0.0.2/32=always"]);
    assert_eq!(unbound(&mut session_from(&deployment, client(2), &alice), 2), 522);
}
