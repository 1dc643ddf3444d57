//! Clients that are as slow as they can be, in every phase there is: each is cut off when its time is
//! over, and meanwhile others are served.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use wharfinger_tests::authority::{Authority, Key};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Admin, Deployment, Ftp, Mode, Setup, Shape, Store, Tls, User, Version};

/// Of the configured limits, in seconds; what can't be configured has 30 at the most.
const LIMIT: &str = "4";
/// When a slow client must have been cut off.
const SOON: Duration = Duration::from_secs(80);
/// The beginning of a TLS record that is longer, and of a `ClientHello` in it.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03half of it";

#[test]
fn a_client_that_is_slow_in_any_phase_is_cut_off_and_others_are_served() {
    let limits = ["LOGIN_SECONDS", "IDLE_SECONDS", "DATA_SECONDS", "STALLED_SECONDS"];
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_FTP__IMPLICIT_TLS_LISTEN", "127.0.0.1:0")
        .set("WHARFINGER_MFTP__LISTEN", "127.0.0.1:0")
        .set("WHARFINGER_MFTP__TLS_LISTEN", "127.0.0.1:0");
    let setup =
        limits.iter().fold(setup, |setup, name| setup.set(&format!("WHARFINGER_LIMITS__{name}"), LIMIT));
    let deployment = setup.start();
    let (alice, bob) = (deployment.admin.create("alice"), deployment.admin.create("bob"));
    drop(deployment.session(&alice));
    std::fs::write(deployment.home(&alice).join("file"), vec![1; 1 << 20]).unwrap();
    let service = |name| deployment.addresses(name, 1)[0];
    let (ftp, ftps, mftp, mftps) = (deployment.ftp(), service("ftps"), service("mftp"), service("mftps"));
    let admin = deployment.admin_address;
    let slow_ones: Vec<(&str, SocketAddr, &[u8])> = vec![
        ("only connects", ftp, b""),
        ("sends half a line", ftp, b"USE"),
        ("says AUTH and no more", ftp, b"AUTH TLS\r\n"),
        ("sends half a hello behind AUTH", ftp, &[b"AUTH TLS\r\n", HALF_A_HELLO].concat().leak()[..]),
        ("only connects where TLS comes first", ftps, b""),
        ("sends half a hello where TLS comes first", ftps, HALF_A_HELLO),
        ("only connects to MFTP", mftp, b""),
        ("sends half a line of MFTP", mftp, b"US"),
        ("sends half a hello to MFTP", mftps, HALF_A_HELLO),
        ("only connects to the admin API", admin, b""),
        ("sends half a head", admin, b"GET /healthz HTTP/1.1\r\nHost: lo"),
        ("sends half a body", admin, HALF_A_BODY),
    ];
    let left = AtomicUsize::new(slow_ones.len() + 4);
    thread::scope(|scope| {
        for (what, address, bytes) in slow_ones {
            let left = Leaves(&left);
            scope.spawn(move || {
                let _left = left;
                waits_for_its_end(what, address, bytes);
            });
        }
        for slow in [drips, connects_for_data, shakes_half_a_hand, stops_in_an_upload] {
            let (left, deployment, alice) = (Leaves(&left), &deployment, &alice);
            scope.spawn(move || {
                let _left = left;
                slow(deployment, alice);
            });
        }
        let mut served = 0;
        while left.load(Ordering::Relaxed) > 0 {
            deployment.session(&bob).send_file(Mode::Epsv, "STOR file", b"content");
            assert_eq!(deployment.admin.get("/healthz").status, 200);
            served += 1;
        }
        println!("{served} logins, uploads and requests beside the slow ones");
        assert!(served > 2);
    });
}

/// Counts one slow client less when it is dropped, however that comes about.
struct Leaves<'a>(&'a AtomicUsize);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

const HALF_A_BODY: &[u8] = b"POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\n\
    Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"username\":";

fn waits_for_its_end(what: &str, address: SocketAddr, bytes: &[u8]) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket.write_all(bytes).unwrap();
    let ended = socket.read_to_end(&mut Vec::new());
    let waits = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!waits, "a client that {what} is still connected after {SOON:?}");
}

/// A byte again and again, and never a whole line.
fn drips(deployment: &Deployment, _: &User) {
    let mut socket = TcpStream::connect(deployment.ftp()).unwrap();
    let started = Instant::now();
    while socket.write_all(b"A").is_ok() {
        assert!(started.elapsed() < SOON, "a client that drips is still connected");
        thread::sleep(Duration::from_millis(200));
    }
}

fn connects_for_data(deployment: &Deployment, alice: &User) {
    comes_to_nothing(deployment, alice, b"");
}

fn shakes_half_a_hand(deployment: &Deployment, alice: &User) {
    comes_to_nothing(deployment, alice, HALF_A_HELLO);
}

/// A data connection that is no more than these bytes.
fn comes_to_nothing(deployment: &Deployment, alice: &User, bytes: &[u8]) {
    let mut ftp = deployment.session(alice);
    let mut data = TcpStream::connect(ftp.passive(Mode::Epsv)).unwrap();
    ftp.expect("RETR file", 150);
    data.write_all(bytes).unwrap();
    assert_eq!(ftp.reply_within(SOON).code, 425);
    is_idle_until_it_is_cut_off(ftp);
}

fn stops_in_an_upload(deployment: &Deployment, alice: &User) {
    let mut ftp = deployment.session(alice);
    let mut data = ftp.begin(Mode::Epsv, "STOR upload");
    data.write_all(b"a").unwrap();
    data.flush().unwrap();
    assert_eq!(ftp.reply_within(SOON).code, 426);
    is_idle_until_it_is_cut_off(ftp);
}

fn is_idle_until_it_is_cut_off(mut ftp: Ftp) {
    let codes: Vec<u16> = ftp.replies_until_closed(SOON).iter().map(|reply| reply.code).collect();
    assert_eq!(codes, [421]);
}

#[test]
fn commands_are_answered_while_a_data_connection_is_in_its_handshake() {
    // So long that an answer which waits for its end does not come in time.
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_LIMITS__DATA_SECONDS", "600");
    let deployment = setup.start();
    let alice = deployment.admin.create("alice");
    let mut ftp = Ftp::connect(deployment.ftp(), deployment.tls(Version::Tls12));
    ftp.secure();
    assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230);
    for line in ["PBSZ 0", "PROT P", "TYPE I"] {
        ftp.expect(line, 200);
    }
    for command in ["STOR file", "NLST", "MLSD"] {
        let mut data = TcpStream::connect(ftp.passive(Mode::Epsv)).unwrap();
        ftp.expect(command, 150);
        data.write_all(HALF_A_HELLO).unwrap();
        ftp.expect("NOOP", 200);
        ftp.expect("STAT", 211);
        ftp.expect("ABOR", 426);
        ftp.expect_reply(226);
    }
}

#[test]
fn a_slow_handshake_with_the_admin_api_is_cut_off_and_keeps_nobody_waiting() {
    let setup = Setup::new(Shape::TwoPrograms, Store::Sqlite).file("");
    let authority = Authority::new(setup.directory());
    let issued = authority.server(&["localhost"], Key::Ecdsa);
    let deployment = setup.start();
    let (address, tls) = (deployment.admin_address, Tls::new(&authority.certificate, Version::Tls13));
    deployment.reload(&issued.for_the_admin_api());
    let served = || Admin::certificate(address, &tls);
    eventually("HTTPS", SOON, served);
    let slow_ones: Vec<&[u8]> = [b"".as_slice(), HALF_A_HELLO].repeat(20);
    let left = AtomicUsize::new(slow_ones.len());
    thread::scope(|scope| {
        for bytes in slow_ones {
            let left = Leaves(&left);
            scope.spawn(move || {
                let _left = left;
                waits_for_its_end("does not finish its handshake", address, bytes);
            });
        }
        let mut requests = 0;
        while left.load(Ordering::Relaxed) > 0 {
            assert!(served().is_some());
            requests += 1;
        }
        assert!(requests > 2, "{requests} requests beside the slow ones");
    });
}
