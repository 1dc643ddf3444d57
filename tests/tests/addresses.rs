//! Which addresses and ports data connections have: what clients are told of ours, where ours come
//! from, and who shares one.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

use wharfinger_tests::ftp::Offer;
use wharfinger_tests::neighbours::{connect_from, session_from};
use wharfinger_tests::tools;
use wharfinger_tests::{Ftp, Mode, Setup, Shape, Store, Version};

#[test]
fn pasv_tells_the_clients_of_each_network_their_own_address() {
    let overrides = "127.0.0.0/8=203.0.113.5, 127.0.0.2/32=own, 127.0.0.3/32=203.0.113.9";
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_FTP__PUBLIC_ADDRESS", "203.0.113.1")
        .set("WHARFINGER_FTP__PUBLIC_ADDRESS_OVERRIDES", overrides);
    let deployment = setup.start();
    let alice = deployment.admin.create("alice");
    for (client, told) in [(1, "203,0,113,5,"), (2, "127,0,0,1,"), (3, "203,0,113,9,"), (4, "203,0,113,5,")] {
        let mut ftp = session_from(&deployment, Ipv4Addr::new(127, 0, 0, client), &alice);
        let reply = ftp.expect("PASV", 227);
        assert!(reply.contains(&format!("({told}")), "127.0.0.{client}: {reply}");
        // EPSV names no address, so nothing can be wrong with it.
        ftp.expect("EPSV", 229);
    }
}

#[test]
fn active_data_connections_come_from_the_configured_port() {
    come_from(free_port(5_000..9_000));
}

/// RFC 959 §3.2. It takes a privilege; who hasn't it tries in a namespace, where everybody is root.
#[test]
fn active_data_connections_come_from_port_20() {
    if TcpListener::bind("127.0.0.1:20").is_ok() {
        return come_from(20);
    }
    let script = r#"ip link set lo up && exec "$0" --exact active_data_connections_come_from_port_20"#;
    let this = std::env::current_exe().unwrap();
    let unshare = ["--map-root-user", "--net", "bash", "-c", script, this.to_str().unwrap()];
    let said = tools::run("unshare", &unshare).succeeded();
    assert!(said.contains("1 passed"), "{said}");
}

fn come_from(port: u16) {
    let setup =
        Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_FTP__ACTIVE_PORT", &port.to_string());
    let deployment = setup.start();
    let alice = deployment.admin.create("alice");
    let mut sessions = [deployment.session(&alice), deployment.session(&alice)];
    let mut transfers = Vec::new();
    // Two at the same time, and each session twice.
    for _ in 0..2 {
        for ftp in &mut sessions {
            for mode in [Mode::Port, Mode::Eprt] {
                let offer = ftp.offer(mode);
                ftp.expect("NLST", 150);
                let wire = offer.accept();
                assert_eq!(wire.socket().peer_addr().unwrap(), SocketAddr::from(([127, 0, 0, 1], port)));
                let mut data = wire.secured(ftp.tls());
                data.read_to_end(&mut Vec::new()).unwrap();
                ftp.expect_reply(226);
                transfers.push(data);
            }
        }
    }
    let mut ftp = deployment.session_at(deployment.ftp6(), Version::Tls13, &alice);
    let offer = ftp.offer(Mode::Eprt);
    ftp.expect("NLST", 150);
    assert_eq!(offer.accept().socket().peer_addr().unwrap().port(), port);
}

#[test]
fn clients_of_different_addresses_share_the_only_port_at_the_same_time() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_FTP__PASSIVE_PORTS", &free_port(9_000..10_000).to_string());
    let deployment = setup.start();
    let alice = deployment.admin.create("alice");
    let clients: Vec<Ipv4Addr> = (2..12).map(|last| Ipv4Addr::new(127, 0, 0, last)).collect();
    let mut sessions: Vec<Ftp> =
        clients.iter().map(|client| session_from(&deployment, *client, &alice)).collect();
    for (ftp, client) in sessions.iter_mut().zip(&clients) {
        std::fs::write(deployment.home(&alice).join(client.to_string()), client.to_string()).unwrap();
        ftp.expect("CWD /", 250);
    }
    let mut second = session_from(&deployment, clients[0], &alice);
    let offers: Vec<Offer> = sessions
        .iter_mut()
        .zip(&clients)
        .map(|(ftp, client)| Offer::Connected(connect_from(*client, ftp.passive(Mode::Epsv))))
        .collect();
    assert_eq!(second.command("EPSV").code, 425, "two sessions of one address never share");
    for ((ftp, client), offer) in sessions.iter_mut().zip(&clients).zip(offers) {
        ftp.expect(&format!("RETR {client}"), 150);
        let mut received = String::new();
        offer.accept().secured(ftp.tls()).read_to_string(&mut received).unwrap();
        ftp.expect_reply(226);
        assert_eq!(received, client.to_string());
    }
    second.passive(Mode::Epsv);
}

/// Below the ports that the system gives to whoever asks for any.
fn free_port(mut among: Range<u16>) -> u16 {
    among.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}
