//! The names a server goes by, told by SNI or by HOST, and the certificates for them; and LANG.

use wharfinger_tests::authority::{Authority, Issued, Key};
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, Tls, Version, tools};

#[test]
fn a_host_is_named_before_user_only() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.connect();
    assert!(ftp.expect("FEAT", 211).contains("\n HOST\n"));
    ftp.expect("HOST ftp.example.com", 220);
    ftp.expect("HOST [::1]", 220);
    ftp.expect("HOST ftp.example.com:21", 501);
    ftp.expect("HOST", 501);
    ftp.secure();
    // TLS was begun with the name localhost.
    ftp.expect("HOST ftp.example.com", 504);
    ftp.expect("HOST localhost", 220);
    ftp.expect("USER alice", 331);
    ftp.expect("HOST ftp.example.com", 503);
    ftp.expect(&format!("PASS {}", user.password), 230);
    ftp.expect("HOST ftp.example.com", 503);
    ftp.expect("REIN", 220);
    ftp.expect("HOST localhost", 220);
}

#[test]
fn replies_are_in_english() {
    let deployment = Deployment::start();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    assert!(ftp.expect("FEAT", 211).contains("\n LANG EN*\n"));
    for language in ["LANG", "LANG EN", "LANG en-gb"] {
        ftp.expect(language, 200);
    }
    ftp.expect("LANG FR", 504);
}

#[test]
fn the_name_that_a_client_asks_for_chooses_certificate_and_banner() {
    let place = Hosts::start();
    for (name, issued) in [
        ("localhost", &place.default),
        ("ftp.partners.example", &place.partners),
        ("FTP.Partners.Example", &place.partners),
        ("any.cameras.example", &place.cameras),
    ] {
        for version in Version::ALL {
            let mut ftp = place.connect(place.tls(version).named(name));
            ftp.secure();
            assert_eq!(ftp.certificate(), Some(issued.der()), "{name}");
        }
    }
    let partners = place.tls(Version::Tls13).named("ftp.partners.example");
    let mut ftp = Ftp::dial(place.implicit(), partners);
    ftp.shake_hands().unwrap();
    assert!(ftp.expect_reply(220).contains("Partners only."));
}

#[test]
fn data_connections_show_the_certificate_of_their_control_connection() {
    let place = Hosts::start();
    let alice = place.deployment.admin.create("alice");
    for version in Version::ALL {
        // Without SNI, HOST in clear says which; the data connections can't even say that.
        let mut ftp = place.connect(place.tls(version).named("127.0.0.1"));
        assert!(ftp.expect("HOST ftp.partners.example", 220).contains("Partners only."));
        ftp.secure();
        assert_eq!(ftp.certificate(), Some(place.partners.der()));
        assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230);
        ftp.expect("PBSZ 0", 200);
        ftp.expect("PROT P", 200);
        ftp.set_tls(ftp.tls().forgetful());
        let mut data = ftp.begin(Mode::Epsv, "NLST");
        assert!(!data.resumed());
        assert_eq!(data.certificate(), Some(place.partners.der()), "{version:?}");
        data.drain();
        ftp.expect_reply(226);
    }
}

#[test]
fn host_takes_the_configured_names_and_none_but_that_of_sni() {
    let place = Hosts::start();
    let mut ftp = place.connect(place.tls(Version::Tls13).named("ftp.partners.example"));
    for known in ["localhost", "127.0.0.1", "FTP.partners.example", "one.cameras.example"] {
        ftp.expect(&format!("HOST {known}"), 220);
    }
    for unknown in ["example.org", "partners.example", "a.b.cameras.example", "cameras.example", "192.0.2.1"]
    {
        ftp.expect(&format!("HOST {unknown}"), 504);
    }
    ftp.secure();
    assert_eq!(ftp.certificate(), Some(place.partners.der()), "what was said in clear does not outweigh SNI");
    ftp.expect("HOST localhost", 504);
    ftp.expect("HOST ftp.partners.example", 220);
}

#[test]
fn a_client_gets_the_kind_of_certificate_it_can_use() {
    let place = Hosts::start();
    let address = place.deployment.ftp().to_string();
    for (schemes, kind) in [("rsa_pss_rsae_sha256", "RSA-PSS"), ("ecdsa_secp256r1_sha256", "ECDSA")] {
        let options = ["s_client", "-brief", "-starttls", "ftp", "-connect", &address, "-sigalgs", schemes];
        let options = [&options[..], &["-servername", "ftp.partners.example"]].concat();
        let seen = tools::run("openssl", &options);
        assert!(seen.err.contains(&format!("ignature type: {kind}")), "{seen:?}");
    }
}

/// A server with three names, and two certificates for one of them.
struct Hosts {
    deployment: Deployment,
    authority: Authority,
    default: Issued,
    partners: Issued,
    cameras: Issued,
}

impl Hosts {
    fn start() -> Hosts {
        let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
        let authority = Authority::new(setup.directory());
        let default = authority.server(&["localhost", "127.0.0.1"], Key::Ecdsa);
        let partners = authority.server(&["ftp.partners.example", "127.0.0.1"], Key::Ecdsa);
        let partners_rsa = authority.server(&["ftp.partners.example"], Key::Rsa);
        let cameras = authority.server(&["*.cameras.example"], Key::Ecdsa);
        let host = |issued: &Issued, banner: &str| {
            let (certificate, key) = (issued.certificate.display(), issued.key.display());
            format!("[[hosts]]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n{banner}\n")
        };
        let file = [
            format!(
                "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
                default.certificate.display(),
                default.key.display()
            ),
            host(&partners, "banner = \"Partners only.\""),
            host(&partners_rsa, ""),
            host(&cameras, ""),
        ];
        let setup = setup.set("WHARFINGER_FTP__IMPLICIT_TLS_LISTEN", "127.0.0.1:0").file(&file.concat());
        Hosts { deployment: setup.start(), authority, default, partners, cameras }
    }

    fn implicit(&self) -> std::net::SocketAddr {
        self.deployment.programs()[0].addresses("ftps", 1)[0]
    }

    fn tls(&self, version: Version) -> Tls {
        Tls::new(&self.authority.certificate, version)
    }

    fn connect(&self, tls: Tls) -> Ftp {
        Ftp::connect(self.deployment.ftp(), tls)
    }
}
