//! A file server and its MongoDB with a cable between them that is cut: packets go lost, and nobody is told.

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::json;
use tempfile::TempDir;
use wharfinger_tests::mongo::Server;
use wharfinger_tests::network::{CLIENT, Host, Network};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Mode, Setup, Shape, Store, content};

use crate::aftermath::{self, SOON};

const SIZE: usize = 2 << 20;

#[test]
fn a_server_cut_off_from_its_store_goes_on_with_what_it_has_and_finds_the_store_again() {
    let Some(network) = Network::new() else { return };
    let scratch = TempDir::new().unwrap();
    let mongo = Server::new(scratch.path());
    let store = network.on(Host::Client, || {
        mongo.start();
        reach_from_outside(([127, 0, 0, 1], mongo.port()).into())
    });
    network.on(Host::Server, || {
        let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite)
            .set("WHARFINGER_STORE__URL", &format!("mongodb://{store}/wharfinger?directConnection=true"))
            .set("WHARFINGER_STORE__TIMEOUT_SECONDS", "2")
            .start();
        let (alice, body) = (deployment.admin.create("alice"), content::bytes(SIZE, 1));
        let (mut session, mut other) = (deployment.session(&alice), deployment.session(&alice));
        let mut upload = other.begin(Mode::Epsv, "STOR through");
        upload.write_all(&body[..SIZE / 2]).unwrap();

        network.cut();
        session.send_file(Mode::Epsv, "STOR meanwhile", &body);
        assert!(session.receive(Mode::Epsv, "RETR meanwhile") == body);
        let login = deployment.log_in(&alice.name, &alice.password);
        assert_eq!(login.code, 421, "{login:?}");
        assert_eq!(deployment.admin.get("/api/v1/users/alice").status, 503);
        upload.write_all(&body[SIZE / 2..]).unwrap();
        upload.finish().unwrap();
        other.expect_reply(226);

        network.mend();
        eventually("logins come back", SOON, || {
            (deployment.log_in(&alice.name, &alice.password).code == 230).then_some(())
        });
        eventually("the admin API comes back", SOON, || {
            (deployment.admin.get("/readyz").status == 200).then_some(())
        });
        for name in ["meanwhile", "through"] {
            assert!(std::fs::read(deployment.home(&alice).join(name)).unwrap() == body, "{name}");
        }
        aftermath::quota_is_right(&deployment, &alice);
        // The watch over changes is back as well.
        deployment.admin.act(&alice, "disable", json!({}));
        session.replies_until_closed(SOON);
        aftermath::audit_is_intact(&deployment);
    });
}

/// A MongoDB of the tests listens on its host's loopback address: this lets others in, from the cable.
fn reach_from_outside(mongo: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((CLIENT, 0)).unwrap();
    let outside = listener.local_addr().unwrap();
    thread::spawn(move || {
        for caller in listener.incoming() {
            // Once the test is over there is no MongoDB any more, and nobody who calls.
            let (Ok(caller), Ok(mongo)) = (caller, TcpStream::connect(mongo)) else { continue };
            for (mut from, mut to) in
                [(caller.try_clone().unwrap(), mongo.try_clone().unwrap()), (mongo, caller)]
            {
                thread::spawn(move || {
                    let _ended = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    outside
}
