//! TLS certificates of clients: a login with one, the policies of listener and user, and that
//! nobody gets further with somebody else's.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::SanType;
use serde_json::{Value, json};
use wharfinger_tests::authority::{Authority, Issued};
use wharfinger_tests::clients::Site;
use wharfinger_tests::wire::READ_LIMIT;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, Version, polling};

#[test]
fn a_certificate_that_carries_the_username_logs_in_without_a_password() {
    let place = Place::start();
    let mail = SanType::Rfc822Name("carol@example.org".try_into().unwrap());
    let shown = [
        (place.user("alice", json!({"client_certificate": "optional"})), place.authority.user("alice")),
        (place.user("bob", json!({"client_certificate": "required"})), place.authority.user("bob")),
        (
            place.user("carol@example.org", json!({"client_certificate": "optional"})),
            place.authority.user_beside(vec![mail]),
        ),
        (
            place.user("device.example.org", json!({"client_certificate": "optional"})),
            place.authority.user_beside(vec![SanType::DnsName("device.example.org".try_into().unwrap())]),
        ),
    ];
    for version in Version::ALL {
        for (user, certificate) in &shown {
            let mut ftp = place.connect(version, Some(certificate));
            ftp.expect(&format!("USER {}", user.name), 232);
            ftp.expect("PBSZ 0", 200);
            ftp.expect("PROT P", 200);
            ftp.send_file(Mode::Epsv, "STOR file", b"content");
            let mut data = ftp.begin(Mode::Epsv, "RETR file");
            assert!(data.resumed(), "{version:?}");
            assert_eq!(data.drain(), 7);
            ftp.expect_reply(226);
        }
    }
    place.deployment.programs()[0].logs(&["\"logged in\"", "alice", "\"by\":\"certificate\""]);
}

#[test]
fn where_a_user_needs_a_certificate_the_right_password_is_refused_like_a_wrong_one() {
    let place = Place::start();
    let bob = place.user("bob", json!({"client_certificate": "required"}));
    let alice = place.user("alice", json!({}));
    let foreign = place.authority.user("alice");
    for shown in [None, Some(&foreign)] {
        let mut ftp = place.connect(Version::Tls13, shown);
        let needed = ftp.log_in(&bob.name, &bob.password);
        let wrong = ftp.log_in(&alice.name, "a wrong password");
        assert_eq!((needed.code, &needed.text), (530, &wrong.text));
    }
}

#[test]
fn another_user_s_certificate_never_helps() {
    let place = Place::start();
    let alice = place.user("alice", json!({"client_certificate": "optional"}));
    let bobs = place.authority.user("bob");
    let mut ftp = place.connect(Version::Tls13, Some(&bobs));
    ftp.expect("USER alice", 331);
    ftp.expect("PASS a wrong password", 530);
    // Nor does one whose name only looks alike.
    for name in ["Alice", "alice ", "alice.example.org", "ali", "alice\0"] {
        let mut ftp = place.connect(Version::Tls13, Some(&place.authority.user(name)));
        ftp.expect("USER alice", 331);
    }
    // And it takes nothing away from who has the password.
    assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230);
}

#[test]
fn who_may_show_a_certificate_need_not_and_who_may_not_gains_nothing() {
    let place = Place::start();
    let alice = place.user("alice", json!({"client_certificate": "optional"}));
    let carol = place.user("carol", json!({"client_certificate": "none"}));
    assert_eq!(place.connect(Version::Tls12, None).log_in(&alice.name, &alice.password).code, 230);
    let mut ftp = place.connect(Version::Tls12, Some(&place.authority.user("carol")));
    ftp.expect("USER carol", 331);
    ftp.expect(&format!("PASS {}", carol.password), 230);
}

#[test]
fn a_user_s_policy_holds_whatever_certificate_is_shown() {
    let place = Place::start();
    let policies = [
        ("disabled", json!({"status": "disabled"})),
        ("elsewhere", json!({"allowed_networks": ["192.0.2.0/24"]})),
        ("other-protocol", json!({"protocols": ["mftp"]})),
    ];
    for (name, mut policy) in policies {
        policy["client_certificate"] = json!("optional");
        let user = place.user(name, policy);
        let mut ftp = place.connect(Version::Tls13, Some(&place.authority.user(name)));
        ftp.expect(&format!("USER {name}"), 331);
        ftp.expect(&format!("PASS {}", user.password), 530);
    }
}

#[test]
fn a_user_who_has_expired_is_refused_whatever_certificate_is_shown() {
    let place = Place::start();
    let soon = Timestamp::now() + Duration::from_secs(3);
    let user = place.user("alice", json!({"client_certificate": "optional", "expires_at": soon.to_string()}));
    let issued = place.authority.user("alice");
    polling::eventually("the user has expired", Duration::from_mins(1), || {
        let mut ftp = place.connect(Version::Tls13, Some(&issued));
        (ftp.command("USER alice").code == 331).then_some(())
    });
    let mut ftp = place.connect(Version::Tls13, Some(&issued));
    ftp.expect("USER alice", 331);
    ftp.expect(&format!("PASS {}", user.password), 530);
}

#[test]
fn a_certificate_that_is_not_trusted_ends_the_handshake() {
    let place = Place::start();
    fs::create_dir(place.deployment.directory().join("stranger")).unwrap();
    let stranger = Authority::new(&place.deployment.directory().join("stranger"));
    let untrusted = [stranger.user("alice"), place.authority.user_until("alice", (2020, 1, 1))];
    for version in Version::ALL {
        for issued in &untrusted {
            assert!(place.is_turned_away(version, Some(issued), place.deployment.ftp()));
        }
    }
}

#[test]
fn a_listener_that_requires_a_certificate_has_no_tls_without_one() {
    let place = Place::start();
    place.user("alice", json!({"client_certificate": "optional"}));
    let issued = place.authority.user("alice");
    for version in Version::ALL {
        assert!(place.is_turned_away(version, None, place.implicit));
        let tls = place.deployment.tls(version).showing(&issued);
        Ftp::connect_under_tls(place.implicit, tls).expect("USER alice", 232);
    }
}

#[test]
fn curl_and_lftp_log_in_with_a_certificate() {
    let place = Place::start();
    let alice = place.user("alice", json!({"client_certificate": "required"}));
    let issued = place.authority.user("alice");
    let (certificate, key) = (issued.certificate.to_str().unwrap(), issued.key.to_str().unwrap());
    fs::write(place.deployment.directory().join("original"), "content").unwrap();
    for version in Version::ALL {
        let user = User { password: "of no use".to_owned(), ..alice.clone() };
        let site = Site { version: Some(version), ..Site::new(&place.deployment, &user) };
        let done = site.curl("by-curl", &["--cert", certificate, "--key", key, "--upload-file", "original"]);
        assert!(done.err.contains("< 232 "), "{done:?}");
        done.succeeded();
        let (_, said) = site.lftp(&format!(
            "set ssl:cert-file {certificate}\nset ssl:key-file {key}\nput original -o by-lftp\ncls -1"
        ));
        assert!(said.contains("<--- 232 "), "{said}");
        for copy in ["by-curl", "by-lftp"] {
            let copy = place.deployment.home(&alice).join(copy);
            assert_eq!(fs::read(&copy).unwrap(), b"content");
            fs::remove_file(copy).unwrap();
        }
    }
}

/// A server that takes certificates, and where TLS comes first demands them.
struct Place {
    deployment: Deployment,
    authority: Authority,
    implicit: SocketAddr,
}

impl Place {
    fn start() -> Place {
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
        let authority = Authority::new(setup.directory());
        let deployment = setup
            .set("WHARFINGER_TLS__CLIENT_CA", authority.certificate.to_str().unwrap())
            .set("WHARFINGER_FTP__CLIENT_CERTIFICATE", "optional")
            .set("WHARFINGER_FTP__IMPLICIT_TLS_LISTEN", "127.0.0.1:0")
            .set("WHARFINGER_FTP__IMPLICIT_TLS_CLIENT_CERTIFICATE", "required")
            .start();
        let implicit = deployment.programs()[0].addresses("ftps", 1)[0];
        Place { deployment, authority, implicit }
    }

    fn user(&self, name: &str, mut policy: Value) -> User {
        let user = User { name: name.to_owned(), password: format!("a word of {name}") };
        policy["username"] = json!(user.name);
        policy["password"] = json!(user.password);
        let answer = self.deployment.admin.post("/api/v1/users", policy);
        assert_eq!(answer.status, 201, "{answer:?}");
        user
    }

    fn connect(&self, version: Version, shown: Option<&Issued>) -> Ftp {
        let tls = self.deployment.tls(version);
        let tls = shown.map_or_else(|| tls.clone(), |issued| tls.clone().showing(issued));
        let mut ftp = Ftp::connect(self.deployment.ftp(), tls);
        ftp.secure();
        ftp
    }

    /// Whether the server ends the connection instead of the handshake. Under TLS 1.3 the client
    /// hears of it when it thinks that all is done.
    fn is_turned_away(&self, version: Version, shown: Option<&Issued>, address: SocketAddr) -> bool {
        let tls = self.deployment.tls(version);
        let tls = shown.map_or_else(|| tls.clone(), |issued| tls.clone().showing(issued));
        let mut ftp = Ftp::dial(address, tls);
        if address != self.implicit {
            ftp.expect_reply(220);
            ftp.expect("AUTH TLS", 234);
        }
        ftp.shake_hands().is_err() || ftp.replies_until_closed(READ_LIMIT).is_empty()
    }
}
