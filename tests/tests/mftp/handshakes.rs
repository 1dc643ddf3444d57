//! What TLS tells of the client before the first command: the protocol it means to speak, and a
//! certificate that is as good as a password.

use std::net::SocketAddr;

use serde_json::json;
use wharfinger_tests::authority::{Authority, Issued};
use wharfinger_tests::{Deployment, Mftp, User, Version};

use crate::place::{Place, setup};

/// A server that asks for certificates, or demands them.
struct Asking {
    deployment: Deployment,
    authority: Authority,
    address: SocketAddr,
}

impl Asking {
    fn start(policy: &str) -> Asking {
        let setup = setup();
        let authority = Authority::new(setup.directory());
        let deployment = setup
            .set("WHARFINGER_TLS__CLIENT_CA", authority.certificate.to_str().unwrap())
            .set("WHARFINGER_MFTP__CLIENT_CERTIFICATE", policy)
            .start();
        let address = deployment.programs()[0].addresses("mftps", 1)[0];
        Asking { deployment, authority, address }
    }

    fn user(&self, name: &str, certificate: &str) -> User {
        let user = User { name: name.to_owned(), password: format!("a word of {name}") };
        let body = json!({"username": name, "password": user.password, "protocols": ["mftp"],
                          "client_certificate": certificate});
        assert_eq!(self.deployment.admin.post("/api/v1/users", body).status, 201);
        user
    }

    fn connect(&self, version: Version, shown: Option<&Issued>) -> Mftp {
        let tls = self.deployment.tls(version);
        Mftp::connect(
            self.address,
            Some(shown.map_or_else(|| tls.clone(), |issued| tls.clone().showing(issued))),
        )
    }
}

#[test]
fn a_client_that_speaks_another_protocol_is_refused_on_both_connections() {
    let place = Place::new();
    std::fs::write(place.home().join("file"), "content").unwrap();
    let address = place.deployment.addresses("mftps", 1)[0];
    for version in Version::ALL {
        let tls = place.deployment.tls(version);
        for foreign in [&["http/1.1"][..], &["ftp"], &["ftp-data"], &["h2", "ftp"]] {
            assert!(Mftp::is_turned_away(address, &tls.clone().offering(foreign)), "{version:?} {foreign:?}");
            let mut mftp = Mftp::connect(address, Some(tls.clone()));
            assert_eq!(mftp.log_in(&place.user.name, &place.user.password), "AOK 230 Logged in");
            mftp.send("RETR file");
            let channel = wharfinger_tests::mftp::data_channel(&mftp.expect_answer("AOK 120"));
            let foreign = tls.clone().offering(foreign);
            let mut wire = foreign.secure(std::net::TcpStream::connect(channel).unwrap());
            assert!(std::io::Read::read(&mut wire, &mut [0; 10]).is_err(), "{version:?}");
            mftp.expect_answer("ERR 420");
        }
        for own in [&[][..], &["mftp"], &["http/1.1", "mftp"]] {
            let mut mftp = Mftp::connect(address, Some(tls.clone().offering(own)));
            assert_eq!(mftp.log_in(&place.user.name, &place.user.password), "AOK 230 Logged in");
            assert_eq!(mftp.receive("RETR file"), b"content");
        }
    }
}

#[test]
fn a_certificate_that_carries_the_username_logs_in_without_a_password() {
    let asking = Asking::start("optional");
    asking.user("alice", "optional");
    asking.user("bob", "required");
    for version in Version::ALL {
        for name in ["alice", "bob"] {
            let mut mftp = asking.connect(version, Some(&asking.authority.user(name)));
            assert_eq!(mftp.command(&format!("USER {name}")), "AOK 230 Logged in");
            mftp.send_file("STOR file", b"content");
            assert_eq!(mftp.receive("RETR file"), b"content");
            // In a session as before one.
            assert_eq!(mftp.command(&format!("USER {name}")), "AOK 230 Logged in");
            assert_eq!(mftp.command("WAMI"), format!("AOK 200 {name}"));
        }
    }
}

#[test]
fn no_other_certificate_helps_and_where_one_is_needed_no_password_does() {
    let asking = Asking::start("optional");
    let alice = asking.user("alice", "optional");
    let bob = asking.user("bob", "required");
    let carol = asking.user("carol", "none");
    let mut mftp = asking.connect(Version::Tls13, Some(&asking.authority.user("bob")));
    mftp.expect("USER alice", "AOK 630");
    mftp.expect("PASS a wrong password", "ERR 530");
    assert_eq!(mftp.log_in(&alice.name, &alice.password), "AOK 230 Logged in");
    for shown in [None, Some(asking.authority.user("alice"))] {
        let mut mftp = asking.connect(Version::Tls13, shown.as_ref());
        let needed = mftp.log_in(&bob.name, &bob.password);
        assert!(needed.starts_with("ERR 530"), "{needed}");
        assert_eq!(needed, mftp.log_in(&carol.name, "a wrong password"));
    }
    let mut mftp = asking.connect(Version::Tls13, Some(&asking.authority.user("carol")));
    assert_eq!(mftp.log_in(&carol.name, &carol.password), "AOK 230 Logged in");
}

#[test]
fn a_listener_that_requires_a_certificate_has_no_tls_without_one() {
    let asking = Asking::start("required");
    asking.user("alice", "optional");
    for version in Version::ALL {
        let tls = asking.deployment.tls(version);
        assert!(Mftp::is_turned_away(asking.address, &tls), "{version:?}");
        let mut mftp = asking.connect(version, Some(&asking.authority.user("alice")));
        assert_eq!(mftp.command("USER alice"), "AOK 230 Logged in");
    }
}
