//! Settings and certificates replaced while the server runs: what begins afterwards has the new
//! ones, what lives goes on with the old, and rubbish changes nothing.

use std::fs;
use std::io::{Read, Write};

use serde_json::json;
use wharfinger_tests::authority::{Authority, Issued, Key};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::source::connect_from;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, Tls, Version, content};

#[test]
fn a_replaced_certificate_is_used_for_new_sessions_while_a_running_transfer_goes_on() {
    for version in Version::ALL {
        let place = Place::start("");
        let alice = place.deployment.admin.create("alice");
        let mut ftp = place.session(version, &alice);
        let home = place.deployment.home(&alice);
        content::file(&home.join("big"), 32 << 20, 1);
        let mut download = ftp.begin(Mode::Epsv, "RETR big");
        let newer = place.authority.server(&["localhost"], Key::Rsa);
        place.issued.replace_with(&newer);
        place.wait_for_certificate(&newer);

        let mut received = Vec::new();
        download.read_to_end(&mut received).unwrap();
        ftp.expect_reply(226);
        assert!(received == fs::read(home.join("big")).unwrap(), "{version:?}: something else was received");
        let mut another = ftp.begin(Mode::Epsv, "NLST");
        assert!(another.resumed(), "{version:?}: the session's tickets are good to its end");
        another.drain();
        ftp.expect_reply(226);
        assert_eq!(ftp.certificate(), Some(place.before.clone()));
    }
}

#[test]
fn rubbish_in_a_certificate_s_place_is_refused_and_the_old_one_stays() {
    let place = Place::start("");
    let newer = place.authority.server(&["localhost"], Key::Ecdsa);
    // A key that is another's, and then no key at all.
    let not_its_own = fs::read(&newer.key).unwrap();
    for (rubbish, told) in
        [(not_its_own, "do not work"), (b"no key at all".to_vec(), "cannot read the private key")]
    {
        fs::write(&place.issued.key, rubbish).unwrap();
        place.deployment.programs()[0].logs(&["the old ones stay in use", told]);
        assert_eq!(place.certificate(), Some(place.before.clone()));
    }
    place.deployment.reload("");
    place.deployment.programs()[0].logs(&["the configuration can't be reloaded", "key"]);
    assert_eq!(place.certificate(), Some(place.before.clone()));
    place.issued.replace_with(&newer);
    place.wait_for_certificate(&newer);
}

#[test]
fn a_rubbish_configuration_is_refused_by_every_program_and_the_old_one_stays() {
    let setup = Setup::new(Shape::TwoPrograms, Store::Sqlite).file("[ftp]\nbanner = \"the first\"\n");
    let deployment = setup.start();
    for (text, told) in [
        ("[ftp]\nbanner = ", "toml"),
        ("[ftp]\nbaner = \"another\"\n", "'ftp.banner'"),
        ("[limits]\nidle_seconds = \"soon\"\n", "expected u64"),
        ("[log]\nlevel = \"no=such=level\"\n", "log.level"),
    ] {
        deployment.reload(text);
        for program in deployment.programs() {
            program.logs(&["the configuration can't be reloaded; the old one stays in use", told]);
        }
        assert!(greeting(&deployment).contains("the first"));
    }
    deployment.reload("[ftp]\nbanner = \"the second\"\n");
    eventually("the banner", PATIENCE, || greeting(&deployment).contains("the second").then_some(()));
}

#[test]
fn the_level_of_the_log_can_be_changed() {
    for shape in [Shape::AllInOne, Shape::TwoPrograms] {
        let deployment = Setup::new(shape, Store::Sqlite).file("").start();
        drop(deployment.connect());
        let server = &deployment.programs()[0];
        assert!(!server.log.text().contains("DEBUG"), "{}", server.log.text());
        deployment.reload("[log]\nlevel = \"debug\"\n");
        for program in deployment.programs() {
            program.logs(&["the configuration was reloaded"]);
        }
        drop(deployment.connect());
        server.logs(&["\"debug\"", "\"message\":\"connected\""]);
    }
}

#[test]
fn a_changed_limit_holds_for_who_comes_next() {
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite).file("").start();
    let (mut first, second) = (deployment.connect(), deployment.connect());
    deployment.reload("[limits]\nmax_sessions_per_address = 2\nlogin_failures_per_session = 1\n");
    deployment.programs()[0].logs(&["new sessions use new settings"]);
    let mut third = Ftp::dial(deployment.ftp(), deployment.tls(Version::Tls13));
    third.expect_reply(421);
    first.expect("QUIT", 221);
    assert!(first.replies_until_closed(PATIENCE).is_empty());
    let fourth = eventually("a place", PATIENCE, || {
        let mut ftp = Ftp::dial(deployment.ftp(), deployment.tls(Version::Tls13));
        (ftp.reply().code == 220).then_some(ftp)
    });
    for (mut ftp, code) in [(fourth, 421), (second, 530)] {
        ftp.secure();
        assert_eq!(ftp.log_in("nobody", "a password").code, code);
    }
}

#[test]
fn authorities_hosts_and_public_addresses_are_those_of_the_new_configuration() {
    let place = Place::start("");
    let alice = place.deployment.admin.create_with("alice", json!({"client_certificate": "optional"}));
    let showing = place.tls(Version::Tls13).showing(&place.authority.user("alice"));
    let user = |tls: &Tls| {
        let mut ftp = Ftp::connect(place.deployment.ftp(), tls.clone());
        ftp.secure();
        ftp.command("USER alice").code
    };
    let partners = place.authority.server(&["ftp.partners.example"], Key::Ecdsa);
    let named = place.tls(Version::Tls13).named("ftp.partners.example");
    let shown = || {
        let mut ftp = Ftp::connect(place.deployment.ftp(), place.tls(Version::Tls13));
        ftp.set_tls(named.clone());
        ftp.send("AUTH TLS");
        ftp.expect_reply(234);
        ftp.shake_hands().ok().and_then(|()| ftp.certificate())
    };
    let mut before = place.session(Version::Tls13, &alice);
    assert_eq!((user(&showing), shown()), (331, None));
    place.deployment.reload(&format!(
        "[ftp]\nclient_certificate = \"optional\"\npublic_address_overrides = \"127.0.0.0/8=203.0.113.5\"\n\
         [tls]\nclient_ca = \"{}\"\n[[hosts]]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        place.authority.certificate.display(),
        partners.certificate.display(),
        partners.key.display(),
    ));
    eventually("the authority", PATIENCE, || (user(&showing) == 232).then_some(()));
    assert_eq!(shown(), Some(partners.der()));
    assert!(place.session(Version::Tls13, &alice).expect("PASV", 227).contains("(203,0,113,5,"));
    assert!(before.expect("PASV", 227).contains("(127,0,0,1,"), "a session keeps what it began with");
    place.deployment.reload("[tls]\nclient_ca = \"no/such/file\"\n");
    place.deployment.programs()[0].logs(&["the old one stays in use", "no/such/file"]);
    assert_eq!((user(&showing), shown()), (232, Some(partners.der())));
    place.deployment.reload("");
    eventually("no authority", PATIENCE, || (user(&showing) == 331).then_some(()));
}

#[test]
fn proxies_and_the_public_address_are_those_of_the_new_configuration() {
    const HEADER: &[u8] = b"PROXY TCP4 198.51.100.7 198.51.100.1 50000 21\r\n";
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite).file("").start();
    let alice = deployment.admin.create("alice");
    let proxied = || {
        let mut socket = connect_from(9, deployment.ftp());
        socket.write_all(HEADER).unwrap();
        let mut ftp = Ftp::over(socket, deployment.tls(Version::Tls13));
        ftp.expect_reply(220);
        // A header that is not believed is a command, and its answer comes first.
        (ftp.command("FEAT").code == 211).then_some(ftp)
    };
    assert!(proxied().is_none(), "it was trusted already");
    let session = |address: &str| {
        deployment
            .reload(&format!("[proxy]\ntrusted = \"127.0.0.9\"\n[ftp]\npublic_address = \"{address}\"\n"));
        eventually(address, PATIENCE, || {
            let mut ftp = proxied()?;
            ftp.secure();
            assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230);
            ftp.expect("PBSZ 0", 200);
            ftp.expect("PROT P", 200);
            let told = ftp.expect("PASV", 227);
            told.contains(&address.replace('.', ",")).then_some(ftp)
        })
    };
    let mut before = session("203.0.113.5");
    session("203.0.113.6");
    assert!(before.expect("PASV", 227).contains("(203,0,113,5,"), "a session keeps what it began with");
}

#[test]
fn a_setting_that_needs_a_restart_is_named() {
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite).file("").start();
    deployment.reload("[storage]\ndurable = true\n[ftp]\nbanner = \"changed\"\n[store]\npool_size = 3\n");
    for program in deployment.programs() {
        program.logs(&["after a restart only", "storage.durable, store.pool_size\""]);
    }
    eventually("the banner", PATIENCE, || greeting(&deployment).contains("changed").then_some(()));
}

/// A server with a certificate that the test can replace.
struct Place {
    deployment: Deployment,
    authority: Authority,
    issued: Issued,
    /// The certificate at the start.
    before: Vec<u8>,
}

impl Place {
    fn start(file: &str) -> Place {
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite).file(file);
        let authority = Authority::new(setup.directory());
        let issued = authority.server(&["localhost"], Key::Ecdsa);
        let deployment = setup
            .set("WHARFINGER_TLS__CERTIFICATE", issued.certificate.to_str().unwrap())
            .set("WHARFINGER_TLS__KEY", issued.key.to_str().unwrap())
            .start();
        let before = issued.der();
        Place { deployment, authority, issued, before }
    }

    fn tls(&self, version: Version) -> Tls {
        Tls::new(&self.authority.certificate, version)
    }

    fn session(&self, version: Version, user: &wharfinger_tests::User) -> Ftp {
        let mut ftp = Ftp::connect(self.deployment.ftp(), self.tls(version));
        ftp.secure();
        assert_eq!(ftp.log_in(&user.name, &user.password).code, 230);
        for command in ["PBSZ 0", "PROT P", "TYPE I"] {
            ftp.expect(command, 200);
        }
        ftp
    }

    /// What a new session is shown.
    fn certificate(&self) -> Option<Vec<u8>> {
        let mut ftp = Ftp::connect(self.deployment.ftp(), self.tls(Version::Tls13));
        ftp.secure();
        ftp.certificate()
    }

    fn wait_for_certificate(&self, issued: &Issued) {
        eventually("the newer certificate", PATIENCE, || {
            (self.certificate() == Some(issued.der())).then_some(())
        });
    }
}

fn greeting(deployment: &Deployment) -> String {
    let mut ftp = Ftp::dial(deployment.ftp(), deployment.tls(Version::Tls13));
    ftp.expect_reply(220)
}
