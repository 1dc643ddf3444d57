//! What is forgotten when a session begins anew: REIN and AUTH leave nothing of what was said
//! before them (RFC 959 §4.1.1, RFC 4217 §13).

use std::net::{SocketAddr, TcpStream};

use wharfinger_tests::{Ftp, Mode};

use crate::place::{BOTH, BOUND, Place, Protection};

#[test]
fn rein_forgets_the_user() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.connect();
        ftp.expect(&format!("USER {}", place.user.name), 331);
        ftp.expect("REIN", 220);
        assert_eq!(ftp.command(&format!("PASS {}", place.user.password)).code, 503);
        place.log_in(&mut ftp);
        ftp.expect("REIN", 220);
        ftp.expect("CWD /", 530);
        assert_eq!(ftp.command(&format!("PASS {}", place.user.password)).code, 503);
        place.log_in(&mut ftp);
        ftp.expect("PWD", 257);
    }
}

#[test]
fn rein_forgets_everything_a_session_was_told() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        let port = fill(&place, &mut ftp);
        ftp.expect("REIN", 220);
        assert_port_closes(port);
        place.log_in(&mut ftp);
        assert_forgotten(&place, &mut ftp);
    }
}

#[test]
fn rein_takes_back_the_protection_of_data_connections() {
    let place = Place::new(Protection::Tls);
    let mut ftp = place.session();
    ftp.expect("REIN", 220);
    ftp.expect("PROT P", 503);
    assert_eq!(ftp.log_in(&place.user.name, &place.user.password).code, 230);
    assert_eq!(ftp.command("LIST").code, 522, "PROT C is the default (RFC 2228 §3)");
    ftp.expect("PROT P", 503);
    ftp.expect("PBSZ 0", 200);
    ftp.expect("PROT P", 200);
    assert_eq!(place.receive(&mut ftp, b"NLST"), b"");
}

#[test]
fn quit_closes_the_passive_port_whatever_the_client_does() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        let port = ftp.passive(Mode::Epsv);
        ftp.expect("QUIT", 221);
        // The server has closed its end; the client keeps its own open.
        assert_eq!(ftp.replies_until_closed(BOUND), []);
        assert_port_closes(port);
    }
}

#[test]
fn rein_takes_back_epsv_all() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        ftp.expect("EPSV ALL", 200);
        ftp.expect("PASV", 501);
        ftp.expect("REIN", 220);
        place.log_in(&mut ftp);
        ftp.expect("PASV", 227);
    }
}

#[test]
fn auth_forgets_the_user() {
    let place = Place::new(Protection::Clear);
    let mut ftp = place.connect();
    ftp.expect(&format!("USER {}", place.user.name), 331);
    ftp.secure();
    assert_eq!(ftp.command(&format!("PASS {}", place.user.password)).code, 503);
}

#[test]
fn auth_forgets_everything_a_session_was_told() {
    let place = Place::new(Protection::Clear);
    let mut ftp = place.session();
    let port = fill(&place, &mut ftp);
    ftp.secure();
    assert_port_closes(port);
    ftp.expect("CWD /", 530);
    ftp.expect("PROT P", 503);
    // Data connections stay in clear, as this server allows, until PROT says otherwise.
    place.log_in(&mut ftp);
    assert_forgotten(&place, &mut ftp);
}

#[test]
fn a_second_auth_is_refused_and_changes_nothing() {
    let place = Place::new(Protection::Tls);
    let mut ftp = place.session();
    ftp.expect("CWD /", 250);
    ftp.expect("AUTH TLS", 503);
    ftp.expect("PWD", 257);
    assert_eq!(place.receive(&mut ftp, b"NLST"), b"");
}

#[test]
fn rest_and_rnfr_hold_for_the_next_command_only() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        std::fs::write(place.home().join("file"), "content").unwrap();
        for (between, code) in [("NOOP", 200), ("CWD", 501), ("NONSENSE", 500), ("RNFR missing", 550)] {
            ftp.expect("RNFR file", 350);
            ftp.expect(between, code);
            ftp.expect("RNTO renamed", 503);
        }
        ftp.expect("REST 3", 350);
        assert_eq!(place.receive(&mut ftp, b"RETR file"), b"tent", "agreeing on a connection is no command");
        assert_eq!(place.receive(&mut ftp, b"RETR file"), b"content");
        for (between, code) in [("NOOP", 200), ("CWD", 501), ("NONSENSE", 500), ("RETR missing", 550)] {
            ftp.expect("REST 3", 350);
            ftp.expect(between, code);
            assert_eq!(place.receive(&mut ftp, b"RETR file"), b"content", "after {between}");
        }
    }
}

/// Tells the session everything that it can remember; the port it listens on.
fn fill(place: &Place, ftp: &mut Ftp) -> SocketAddr {
    std::fs::write(place.home().join("file"), "one\ntwo\n").unwrap();
    std::fs::create_dir_all(place.home().join("folder")).unwrap();
    ftp.expect("TYPE I", 200);
    ftp.expect("OPTS MLST size;", 200);
    ftp.expect("CWD folder", 250);
    let port = ftp.passive(Mode::Epsv);
    ftp.expect("RNFR /file", 350);
    ftp.expect("REST 4", 350);
    port
}

fn assert_forgotten(place: &Place, ftp: &mut Ftp) {
    assert!(ftp.expect("PWD", 257).contains("\"/\""), "the working directory");
    ftp.expect("RNTO renamed", 503);
    assert_eq!(ftp.command("RETR file").code, 425, "the agreed data connection");
    assert!(ftp.expect("MLST file", 250).to_lowercase().contains("type=file;"), "the facts of MLST");
    // Neither REST 4 nor TYPE I.
    assert_eq!(place.receive(ftp, b"RETR file"), b"one\r\ntwo\r\n");
}

fn assert_port_closes(port: SocketAddr) {
    assert!(TcpStream::connect(port).is_err(), "{port} is still open");
}
