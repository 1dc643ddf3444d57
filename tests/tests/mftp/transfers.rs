//! Transfers: whole or not at all, over a data channel that belongs to its session.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use socket2::{Domain, SockRef, Socket, Type};
use wharfinger_tests::mftp::data_channel;
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Mftp, content};

use crate::place::{BOTH, Place, Protection, connect, setup};

#[test]
fn a_file_comes_back_as_it_went() {
    for protection in BOTH {
        let place = Place::new();
        let bytes = content::bytes(5_000_000, 7);
        let mut mftp = place.session(protection);
        mftp.send_file("STOR photo", &bytes);
        assert!(mftp.receive("RETR photo") == bytes, "{protection:?}: other bytes came back");
        assert_eq!(mftp.command("SIZE photo"), "AOK 200 5000000");
        assert_eq!(mftp.receive("LIST"), b"FILE\tphoto\r\n");
    }
}

#[test]
fn lists_tell_files_directories_and_the_rest_apart() {
    let place = Place::new();
    std::fs::create_dir(place.home().join("folder")).unwrap();
    std::fs::write(place.home().join("a file"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.home().join("away")).unwrap();
    let text = String::from_utf8(place.session(Protection::Clear).receive("LIST")).unwrap();
    let mut lines: Vec<&str> = text.split_terminator("\r\n").collect();
    lines.sort_unstable();
    assert_eq!(lines, ["DIRECTORY\tfolder", "FILE\ta file", "OTHER\taway"]);
}

#[test]
fn over_ipv6_the_address_stands_bare_in_its_brackets() {
    let place = Place::new();
    let listeners = place.deployment.addresses("mftp", 2);
    let address = *listeners.iter().find(|address| address.is_ipv6()).unwrap();
    let mut mftp = Mftp::connect(address, None);
    mftp.log_in(&place.user.name, &place.user.password);
    mftp.send("LIST");
    let text = mftp.expect_answer("AOK 120");
    assert!(text.starts_with("([::1]:"), "{text}");
    assert_eq!(mftp.data(data_channel(&text)).drain(), 0);
    mftp.expect_answer("AOK 320");
}

#[test]
fn an_upload_is_seen_when_it_is_whole_and_never_before() {
    for protection in BOTH {
        let place = Place::new();
        let mut mftp = place.session(protection);
        mftp.send_file("STOR report", b"old");
        let mut data = mftp.open("STOR report");
        data.write_all(&content::bytes(500_000, 1)).unwrap();
        assert_eq!(std::fs::read(place.home().join("report")).unwrap(), b"old");
        data.finish().unwrap();
        mftp.expect_answer("AOK 320");
        assert_eq!(std::fs::metadata(place.home().join("report")).unwrap().len(), 500_000);
    }
}

#[test]
fn an_aborted_upload_leaves_nothing() {
    for protection in BOTH {
        let place = Place::new();
        let mut mftp = place.session(protection);
        let mut data = mftp.open("STOR report");
        data.write_all(&content::bytes(500_000, 1)).unwrap();
        assert_eq!(mftp.command("ABOR"), "AOK 320 Closing data channel");
        data.drain();
        assert_eq!(std::fs::read_dir(place.home()).unwrap().count(), 0, "{protection:?}");
        assert_eq!(mftp.command("NOOP"), "AOK 220 Ready");
    }
}

#[test]
fn an_upload_whose_connection_breaks_is_421_and_leaves_nothing() {
    for protection in BOTH {
        let place = Place::new();
        let mut mftp = place.session(protection);
        let mut data = mftp.open("STOR report");
        data.write_all(&content::bytes(500_000, 1)).unwrap();
        match protection {
            Protection::Clear => SockRef::from(data.socket()).set_linger(Some(Duration::ZERO)).unwrap(),
            // TCP's end without TLS's.
            Protection::Tls => data.flush().unwrap(),
        }
        drop(data);
        mftp.expect_answer("ERR 421");
        assert_eq!(std::fs::read_dir(place.home()).unwrap().count(), 0, "{protection:?}");
    }
}

#[test]
fn a_download_that_is_cut_short_is_421_and_the_session_goes_on() {
    for protection in BOTH {
        let place = Place::new();
        place.make_big_file();
        let mut mftp = place.session(protection);
        let mut data = mftp.open("RETR big");
        data.read_exact(&mut [0; 1000]).unwrap();
        drop(data);
        mftp.expect_answer("ERR 421");
        assert_eq!(mftp.command("NOOP"), "AOK 220 Ready");
    }
}

#[test]
fn a_client_that_is_gone_takes_its_transfer_with_it() {
    let place = Place::new();
    let mut mftp = place.session(Protection::Clear);
    let mut data = mftp.open("STOR report");
    data.write_all(b"half").unwrap();
    mftp.cut();
    data.drain();
    assert_eq!(std::fs::read_dir(place.home()).unwrap().count(), 0);
}

#[test]
fn nobody_at_the_data_channel_is_420_and_a_transfer_that_stands_still_421() {
    let setup = setup().set("WHARFINGER_LIMITS__DATA_SECONDS", "1");
    let place = Place::on(Arc::new(setup.set("WHARFINGER_LIMITS__STALLED_SECONDS", "1").start()));
    for command in ["LIST", "STOR report"] {
        let mut mftp = place.session(Protection::Clear);
        mftp.expect(command, "AOK 120");
        mftp.expect_answer("ERR 420");
        let _data = mftp.open("STOR report");
        mftp.expect_answer("ERR 421");
        assert_eq!(mftp.command("NOOP"), "AOK 220 Ready");
    }
}

#[test]
fn a_stranger_at_the_data_channel_gets_nothing_and_the_transfer_goes_on() {
    let place = Place::new();
    std::fs::write(place.home().join("secret"), "for one only").unwrap();
    let mut mftp = place.session(Protection::Clear);
    mftp.send("RETR secret");
    let address = data_channel(&mftp.expect_answer("AOK 120"));
    assert_eq!(Wire::new(from_elsewhere(address)).drain(), 0);
    let mut received = String::new();
    mftp.data(address).read_to_string(&mut received).unwrap();
    assert_eq!(received, "for one only");
    mftp.expect_answer("AOK 320");
}

#[test]
fn bytes_in_clear_on_a_channel_under_tls_are_no_upload() {
    let place = Place::new();
    let mut mftp = place.session(Protection::Tls);
    mftp.set_tls(None);
    let mut data = mftp.open("STOR report");
    // It may be closed on us while we write.
    let _ = data.write_all(b"in clear, and longer than the head of any TLS record");
    data.drain();
    mftp.expect_answer("ERR 420");
    assert_eq!(std::fs::read_dir(place.home()).unwrap().count(), 0);
}

#[test]
fn where_binding_is_required_only_this_session_opens_its_data_channel() {
    let deployment = setup().set("WHARFINGER_TLS__DATA_BINDING", "required").start();
    let place = Place::on(Arc::new(deployment));
    let mut mftp = place.session(Protection::Tls);
    mftp.send_file("STOR report", b"whole");
    assert_eq!(mftp.receive("RETR report"), b"whole");
    let forgetful = place.deployment.tls(wharfinger_tests::Version::Tls13).forgetful();
    mftp.set_tls(Some(forgetful));
    mftp.send("RETR report");
    let address = data_channel(&mftp.expect_answer("AOK 120"));
    assert_eq!(mftp.data(address).drain(), 0, "another session's handshake");
    mftp.expect_answer("ERR 420");
}

#[test]
fn what_the_user_may_not_do_is_430() {
    let place = Place::new();
    let user = json!({
        "username": "reader", "password": "the reader of the place", "protocols": ["mftp"],
        "permissions": [{"path": "/", "allow": ["list"]}, {"path": "/in", "allow": ["upload"]}],
    });
    let answer = place.deployment.admin.post("/api/v1/users", user);
    assert!([201, 409].contains(&answer.status), "{answer:?}");
    let mut mftp = connect(&place.deployment, Protection::Clear);
    mftp.log_in("reader", "the reader of the place");
    assert_eq!(mftp.receive("LIST"), b"");
    for command in
        ["RETR a", "STOR a", "DELE a", "MKDR a", "RMDR a", "RNME a:b", "RETR in/a", "DELE in/a", "SIZE in/a"]
    {
        assert_eq!(mftp.command(command), "ERR 430 Permission denied.", "{command}");
    }
}

/// A connection from another address of this machine.
fn from_elsewhere(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.2:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}
