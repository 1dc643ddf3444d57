//! The data connection that the server makes, in clear: RFC 959's oldest way, and with it the
//! minimum implementation of its §5.1. Under TLS real clients try it elsewhere.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use wharfinger_tests::ftp::Offer;
use wharfinger_tests::{Ftp, Mode};

use crate::place::{BOUND, Place, Protection};

#[test]
fn the_minimum_implementation_is_enough_to_move_files() {
    let place = Place::new(Protection::Clear);
    let mut ftp = place.connect();
    ftp.expect(&format!("USER {}", place.user.name), 331);
    ftp.expect(&format!("PASS {}", place.user.password), 230);
    for command in ["TYPE A N", "MODE S", "STRU F", "NOOP"] {
        ftp.expect(command, 200);
    }
    send(&mut ftp, Mode::Port, "STOR file", b"first\r\nsecond\r\n");
    assert_eq!(fs::read(place.home().join("file")).unwrap(), b"first\nsecond\n");
    assert_eq!(receive(&mut ftp, Mode::Port, "RETR file"), b"first\r\nsecond\r\n");
    ftp.expect("QUIT", 221);
}

#[test]
fn port_and_eprt_make_a_data_connection_for_every_transfer() {
    let place = Place::new(Protection::Clear);
    let mut ftp = place.session();
    for mode in [Mode::Port, Mode::Eprt] {
        send(&mut ftp, mode, "STOR file", b"content");
        send(&mut ftp, mode, "APPE file", b", and more");
        assert_eq!(receive(&mut ftp, mode, "RETR file"), b"content, and more");
        assert_eq!(receive(&mut ftp, mode, "NLST"), b"file\r\n");
        assert!(receive(&mut ftp, mode, "LIST").ends_with(b" file\r\n"));
        assert!(receive(&mut ftp, mode, "MLSD").ends_with(b"; file\r\n"));
    }
}

#[test]
fn a_client_that_does_not_listen_gets_425() {
    let place = Place::new(Protection::Clear);
    let mut ftp = place.session();
    for mode in [Mode::Port, Mode::Eprt] {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        ftp.active(mode, closed);
        ftp.expect("NLST", 150);
        assert_eq!(ftp.reply_within(BOUND).code, 425);
        ftp.expect("NOOP", 200);
    }
    assert_eq!(receive(&mut ftp, Mode::Port, "NLST"), b"");
}

fn receive(ftp: &mut Ftp, mode: Mode, command: &str) -> Vec<u8> {
    let offer: Offer = ftp.offer(mode);
    ftp.expect(command, 150);
    let mut all = Vec::new();
    offer.accept().read_to_end(&mut all).unwrap();
    ftp.expect_reply(226);
    all
}

fn send(ftp: &mut Ftp, mode: Mode, command: &str, bytes: &[u8]) {
    let offer = ftp.offer(mode);
    ftp.expect(command, 150);
    let mut data = offer.accept();
    data.write_all(bytes).unwrap();
    data.finish().unwrap();
    ftp.expect_reply(226);
}
