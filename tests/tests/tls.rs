//! What TLS lets in: versions, application protocols, and TLS from the first byte on.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use wharfinger_tests::clients::Site;
use wharfinger_tests::wire::READ_LIMIT;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, Version, content};

#[test]
fn tls_before_1_2_is_refused_with_an_alert() {
    let (deployment, implicit) = with_implicit_tls();
    for version in [[3, 1], [3, 2]] {
        for (address, explicit) in [(deployment.ftp(), true), (implicit, false)] {
            let mut socket = TcpStream::connect(address).unwrap();
            socket.set_read_timeout(Some(READ_LIMIT)).unwrap();
            if explicit {
                let mut greeting = [0; 200];
                assert!(socket.read(&mut greeting).unwrap() > 0);
                socket.write_all(b"AUTH TLS\r\n").unwrap();
                assert!(greeting_line(&mut socket).starts_with("234"));
            }
            socket.write_all(&old_client_hello(version)).unwrap();
            let mut answer = Vec::new();
            socket.read_to_end(&mut answer).unwrap();
            // One record: an alert, two bytes long, fatal: handshake_failure or protocol_version.
            let [21, _, _, 0, 2, 2, reason] = answer[..] else { panic!("{version:?}: {answer:?}") };
            assert!([40, 70].contains(&reason), "{version:?}: {reason}");
        }
    }
}

#[test]
fn a_client_that_speaks_another_protocol_over_tls_is_refused_on_the_control_connection() {
    let (deployment, implicit) = with_implicit_tls();
    for version in Version::ALL {
        for foreign in [&["http/1.1"][..], &["h2", "http/1.1"], &["imap"], &["ftp-data"]] {
            for address in [deployment.ftp(), implicit] {
                let mut ftp = Ftp::dial(address, deployment.tls(version).offering(foreign));
                if address == deployment.ftp() {
                    ftp.expect_reply(220);
                    ftp.expect("AUTH TLS", 234);
                }
                assert_refused_protocol(ftp.shake_hands(), foreign);
            }
        }
        for own in [&[][..], &["ftp"], &["http/1.1", "ftp"]] {
            let mut ftp = Ftp::connect(deployment.ftp(), deployment.tls(version).offering(own));
            ftp.secure();
            ftp.expect("NOOP", 200);
        }
    }
}

#[test]
fn a_client_that_speaks_another_protocol_over_tls_is_refused_on_a_data_connection() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    for version in Version::ALL {
        let mut ftp = deployment.session_at(deployment.ftp(), version, &alice);
        fs::write(deployment.home(&alice).join("file"), "content").unwrap();
        let own = ftp.tls().clone();
        ftp.set_tls(own.clone().offering(&["http/1.1"]));
        let offer = ftp.offer(Mode::Epsv);
        ftp.expect("RETR file", 150);
        let mut data = offer.accept().secured(ftp.tls());
        assert_refused_protocol(data.shake_hands(), &["http/1.1"]);
        drop(data);
        ftp.expect_reply(425);
        for offered in [&[][..], &["ftp"], &["ftp-data"]] {
            ftp.set_tls(own.clone().offering(offered));
            assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), b"content", "{version:?} {offered:?}");
        }
    }
}

#[test]
fn another_protocol_s_verb_under_tls_closes_the_connection() {
    let (deployment, implicit) = with_implicit_tls();
    for line in ["GET / HTTP/1.1\r\nHost: localhost", "POST / HTTP/1.1", "EHLO example.org"] {
        let mut ftp = Ftp::connect_under_tls(implicit, deployment.tls(Version::Tls13));
        ftp.send(line);
        let replies = ftp.replies_until_closed(READ_LIMIT);
        assert!(matches!(replies.as_slice(), [only] if only.code == 421), "{line}: {replies:?}");
    }
}

#[test]
fn where_tls_comes_first_the_dialect_is_the_same_and_data_is_private_from_the_start() {
    let (deployment, implicit) = with_implicit_tls();
    let alice = deployment.admin.create("alice");
    for version in Version::ALL {
        let mut ftp = Ftp::connect_under_tls(implicit, deployment.tls(version));
        ftp.expect("AUTH TLS", 503);
        ftp.expect("PROT C", 503);
        for first in [true, false] {
            assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230);
            ftp.send_file(Mode::Epsv, "STOR file", b"content");
            let mut data = ftp.begin(Mode::Pasv, "RETR file");
            // The client's TLS keeps few tickets.
            assert!(data.resumed() || !first, "{version:?}");
            assert_eq!(data.drain(), 7);
            ftp.expect_reply(226);
            ftp.expect("AUTH TLS", 503);
            ftp.expect("PBSZ 0", 200);
            ftp.expect("PROT C", 200);
            assert_eq!(ftp.command("LIST").code, 522);
            // The session begins anew, and with it what was said of data connections.
            ftp.expect("REIN", 220);
        }
    }
}

#[test]
fn where_tls_comes_first_a_silent_or_clear_client_holds_nobody_up() {
    let (deployment, implicit) = with_implicit_tls();
    let silent: Vec<_> = (0..20).map(|_| TcpStream::connect(implicit).unwrap()).collect();
    let mut clear = TcpStream::connect(implicit).unwrap();
    clear.set_read_timeout(Some(READ_LIMIT)).unwrap();
    clear.write_all(b"USER alice\r\nPASS a password\r\n").unwrap();
    let mut ftp = Ftp::connect_under_tls(implicit, deployment.tls(Version::Tls13));
    ftp.expect("NOOP", 200);
    let mut answer = Vec::new();
    let ended = clear.read_to_end(&mut answer);
    assert!(!matches!(&ended, Err(error) if error.kind() == ErrorKind::WouldBlock), "it is still connected");
    assert!(!answer.starts_with(b"2") && !answer.starts_with(b"3"), "it was answered in clear");
    // The handshake has twenty seconds.
    for mut socket in silent {
        socket.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let ended = socket.read(&mut [0; 10]);
        assert!(
            !matches!(&ended, Err(error) if error.kind() == ErrorKind::WouldBlock),
            "it is still connected"
        );
    }
}

#[test]
fn curl_and_lftp_transfer_where_tls_comes_first() {
    let (deployment, implicit) = with_implicit_tls();
    let alice = deployment.admin.create("alice");
    let original = deployment.directory().join("original");
    fs::write(&original, content::bytes(300_000, 1)).unwrap();
    for (version, mode) in [(Version::Tls12, Mode::Epsv), (Version::Tls13, Mode::Pasv)] {
        let usual = Site::new(&deployment, &alice);
        let site = Site { scheme: "ftps", address: implicit, version: Some(version), mode, ..usual };
        round(&site, &deployment, &alice);
    }
}

fn round(site: &Site, deployment: &Deployment, alice: &User) {
    let (directory, home) = (deployment.directory(), deployment.home(alice));
    let original = fs::read(directory.join("original")).unwrap();
    site.curl("by-curl", &["--upload-file", "original"]).succeeded();
    site.curl("by-curl", &["--output", "curled"]).succeeded();
    site.lftp("put original -o by-lftp\nget by-lftp -o lftped\ncls -1");
    for copy in
        [home.join("by-curl"), home.join("by-lftp"), directory.join("curled"), directory.join("lftped")]
    {
        assert!(fs::read(&copy).unwrap() == original, "{} differs", copy.display());
        fs::remove_file(copy).unwrap();
    }
}

/// A deployment that also listens where TLS comes first, and where that is.
fn with_implicit_tls() -> (Deployment, SocketAddr) {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_FTP__IMPLICIT_TLS_LISTEN", "127.0.0.1:0").start();
    let address = deployment.programs()[0].addresses("ftps", 1)[0];
    (deployment, address)
}

fn assert_refused_protocol(shaken: std::io::Result<()>, offered: &[&str]) {
    let error = shaken.expect_err("another protocol was let in");
    assert!(error.to_string().contains("NoApplicationProtocol"), "{offered:?}: {error}");
}

fn greeting_line(socket: &mut TcpStream) -> String {
    let mut bytes = [0; 200];
    let count = socket.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

/// The first message of a client that knows no newer version than this: RFC 2246 and RFC 4346,
/// §7.4.1.2, with two suites that such clients have.
fn old_client_hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0xc0, 0x13, 0x00, 0x2f];
    let body = [&version[..], &[7; 32], &[0], &[0, 4], &suites, &[1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    let message = [&[1, 0, 0, length], &body[..]].concat();
    [&[22], &version[..], &[0, length + 4], &message].concat()
}
