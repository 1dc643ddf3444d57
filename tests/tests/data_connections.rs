//! A data connection belongs to its control connection: who may connect, to whom the server
//! connects, and what TLS must prove.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use wharfinger_tests::ftp::active_command;
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, Version, content};

#[test]
fn a_stranger_on_the_passive_port_is_turned_away_and_the_transfer_goes_on() {
    let (deployment, alice) = deployment_with_file();
    for mode in [Mode::Pasv, Mode::Epsv] {
        let mut ftp = deployment.session(&alice);
        let address = ftp.passive(mode);
        let mut stranger = connect_from(Ipv4Addr::new(127, 0, 0, 2), address);
        let own = TcpStream::connect(address).unwrap();
        ftp.send("RETR file");
        ftp.expect_reply(150);
        let mut data = wharfinger_tests::wire::Wire::new(own).secured(ftp.tls());
        let mut received = Vec::new();
        data.read_to_end(&mut received).unwrap();
        ftp.expect_reply(226);
        assert_eq!(received, b"content");
        let got = stranger.read(&mut [0; 100]);
        assert!(!matches!(got, Ok(1..)), "the stranger received something");
        assert!(
            !matches!(&got, Err(error) if error.kind() == ErrorKind::WouldBlock),
            "it is still connected"
        );
    }
}

#[test]
fn port_and_eprt_to_a_third_party_are_refused_and_nobody_is_connected_to() {
    let (deployment, alice) = deployment_with_file();
    let mut ftp = deployment.session(&alice);
    let third = TcpListener::bind("127.0.0.2:0").unwrap();
    third.set_nonblocking(true).unwrap();
    for mode in [Mode::Port, Mode::Eprt] {
        let reply = ftp.command(&active_command(mode, third.local_addr().unwrap()));
        assert!([500, 501, 504].contains(&reply.code), "{reply:?}");
        let reply = ftp.command("RETR file");
        assert!([425, 503].contains(&reply.code), "{reply:?}");
    }
    assert_eq!(third.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "the server connected");
}

#[test]
fn port_and_eprt_to_privileged_ports_are_refused() {
    let (deployment, alice) = deployment_with_file();
    let mut ftp = deployment.session(&alice);
    for port in [0, 1, 22, 1023] {
        for mode in [Mode::Port, Mode::Eprt] {
            let reply = ftp.command(&active_command(mode, SocketAddr::from(([127, 0, 0, 1], port))));
            assert!([500, 501, 504].contains(&reply.code), "{reply:?}");
        }
    }
}

#[test]
fn a_transfer_in_clear_is_refused_in_every_way() {
    let (deployment, alice) = deployment_with_file();
    for mode in [Mode::Pasv, Mode::Epsv, Mode::Port, Mode::Eprt] {
        for command in ["RETR file", "STOR other", "LIST", "NLST", "MLSD"] {
            let mut ftp = deployment.session(&alice);
            ftp.expect("PROT C", 200);
            clear_transfer_is_refused(&mut ftp, mode, command);
        }
    }
    assert!(!deployment.home(&alice).join("other").exists());
}

/// The refusal may come for the data connection already, or for the transfer; no byte moves.
fn clear_transfer_is_refused(ftp: &mut Ftp, mode: Mode, command: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let agree = match mode {
        Mode::Pasv => "PASV".to_owned(),
        Mode::Epsv => "EPSV".to_owned(),
        Mode::Port | Mode::Eprt => active_command(mode, listener.local_addr().unwrap()),
    };
    let reply = ftp.command(&agree);
    assert!([200, 227, 229, 522].contains(&reply.code), "{reply:?}");
    assert_eq!(ftp.command(command).code, 522, "{command} after {agree}");
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "the server connected");
}

#[test]
fn a_session_that_never_asked_for_protection_transfers_nothing() {
    let (deployment, alice) = deployment_with_file();
    let mut ftp = deployment.connect();
    ftp.secure();
    ftp.log_in(&alice.name, &alice.password);
    clear_transfer_is_refused(&mut ftp, Mode::Epsv, "RETR file");
}

#[test]
fn bytes_in_clear_on_a_protected_data_connection_are_no_upload() {
    let (deployment, alice) = deployment_with_file();
    let mut ftp = deployment.session(&alice);
    let offer = ftp.offer(Mode::Epsv);
    ftp.expect("STOR other", 150);
    let mut data = offer.accept();
    data.write_all(b"in clear, not a handshake at all").unwrap();
    let reply = ftp.reply();
    assert!([425, 426, 522].contains(&reply.code), "{reply:?}");
    assert!(!deployment.home(&alice).join("other").exists());
    assert_eq!(ftp.receive_text(Mode::Epsv, "NLST"), "file\r\n", "and the session goes on");
}

#[test]
fn by_default_a_full_handshake_from_the_same_address_is_accepted() {
    let (deployment, alice) = deployment_with_file();
    for version in Version::ALL {
        let mut ftp = deployment.session_at(deployment.ftp(), version, &alice);
        ftp.set_tls(ftp.tls().forgetful());
        assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), b"content");
    }
}

/// aioftp does so; others send the command first, and are told by it which way the bytes go.
#[test]
fn a_client_that_does_its_handshake_before_it_sends_the_command_is_served() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_TLS__DATA_BINDING", "required").start();
    let alice = deployment.admin.create("alice");
    for version in Version::ALL {
        let mut ftp = deployment.session_at(deployment.ftp(), version, &alice);
        let mut data = shaken(&mut ftp);
        ftp.expect("STOR new", 150);
        data.write_all(b"content").unwrap();
        data.finish().unwrap();
        assert_eq!(ftp.reply().code, 226);

        let mut data = shaken(&mut ftp);
        ftp.expect("RETR new", 150);
        let mut received = Vec::new();
        data.read_to_end(&mut received).unwrap();
        assert_eq!((ftp.reply().code, received), (226, b"content".to_vec()), "{version:?}");
    }
}

/// A data connection whose handshake is done, and has resumed the session.
fn shaken(ftp: &mut Ftp) -> Wire {
    let mut data = ftp.offer(Mode::Epsv).accept().secured(ftp.tls());
    data.shake_hands().unwrap();
    assert!(data.resumed());
    data
}

#[test]
fn where_binding_is_required_only_this_session_s_own_ticket_opens_a_data_connection() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_TLS__DATA_BINDING", "required").start();
    let alice = deployment.admin.create("alice");
    for version in Version::ALL {
        let mut ftp = deployment.session_at(deployment.ftp(), version, &alice);
        std::fs::write(deployment.home(&alice).join("file"), "content").unwrap();
        let own = ftp.tls().clone();
        let another = deployment.session_at(deployment.ftp(), version, &alice);
        for (foreign, whose) in [(own.forgetful(), "no ticket"), (another.tls().clone(), "another's ticket")]
        {
            ftp.set_tls(foreign);
            assert_eq!(refused_download(&mut ftp), 522, "{version:?}: {whose}");
        }
        ftp.set_tls(own);
        assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), b"content", "{version:?}: its own ticket");
        ftp.send_file(Mode::Epsv, "STOR other", b"content");
    }
}

/// More uploads in a row than the control connection brings tickets.
#[test]
fn where_binding_is_required_a_client_that_uses_each_ticket_once_and_reads_new_ones_may_go_on_uploading() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_TLS__DATA_BINDING", "required").start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session_at(deployment.ftp(), Version::Tls13, &alice);
    for number in 0..40 {
        let mut data = ftp.begin(Mode::Epsv, &format!("STOR {number}"));
        assert!(data.resumed(), "upload {number}");
        data.write_all(b"content").unwrap();
        data.end().unwrap();
        data.drain();
        ftp.expect_reply(226);
    }
    assert_eq!(ftp.receive(Mode::Epsv, "RETR 39"), b"content");
}

/// The final reply to a download whose data connection proves nothing; no byte comes.
fn refused_download(ftp: &mut Ftp) -> u16 {
    let offer = ftp.offer(Mode::Epsv);
    ftp.expect("RETR file", 150);
    let mut data = offer.accept().secured(ftp.tls());
    let mut received = Vec::new();
    let _ = data.read_to_end(&mut received);
    assert!(received.is_empty(), "it was served");
    ftp.reply().code
}

#[test]
fn a_new_pasv_closes_the_connection_of_the_one_before() {
    let (deployment, alice) = deployment_with_file();
    let mut ftp = deployment.session(&alice);
    let mut first = TcpStream::connect(ftp.passive(Mode::Epsv)).unwrap();
    first.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), b"content");
    let got = first.read(&mut [0; 100]);
    assert!(!matches!(got, Ok(1..)), "the connection before received something");
    assert!(!matches!(&got, Err(error) if error.kind() == ErrorKind::WouldBlock), "it is still connected");
}

#[test]
fn a_data_connection_that_never_comes_is_given_up() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_LIMITS__DATA_SECONDS", "1").start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    ftp.passive(Mode::Epsv);
    ftp.send("LIST");
    let mut reply = ftp.reply();
    if reply.code == 150 {
        reply = ftp.reply();
    }
    assert_eq!(reply.code, 425, "{reply:?}");
    ftp.expect("NOOP", 200);
}

#[test]
fn a_tiny_range_of_ports_serves_one_session_after_another() {
    // Below the ports that the system gives to whoever asks for any.
    let mut ports = 20_000..30_000;
    let port = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_FTP__PASSIVE_PORTS", &port.to_string()).start();
    let alice = deployment.admin.create("alice");
    let (mut first, mut second) = (deployment.session(&alice), deployment.session(&alice));
    first.passive(Mode::Epsv);
    let reply = second.command("EPSV");
    assert_eq!(reply.code, 425, "the only port is taken: {reply:?}");
    first.expect("QUIT", 221);
    assert!(first.replies_until_closed(Duration::from_secs(2)).is_empty());
    second.send_file(Mode::Epsv, "STOR file", &content::bytes(1000, 1));
    second.send_file(Mode::Epsv, "STOR file", &content::bytes(1000, 2));
}

fn deployment_with_file() -> (Deployment, User) {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    deployment.session(&alice);
    std::fs::write(deployment.home(&alice).join("file"), "content").unwrap();
    (deployment, alice)
}

fn connect_from(source: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.into()
}
