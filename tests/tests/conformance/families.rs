//! The commands that agree on a data connection, over a control connection of either IP version:
//! PASV and PORT are IPv4's (RFC 959), EPSV and EPRT name the version they can do (RFC 2428).

use wharfinger_tests::{Deployment, Mode, Version};

#[test]
fn over_ipv6_only_the_extended_commands_make_a_data_connection() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session_at(deployment.ftp6(), Version::Tls13, &alice);
    // RFC 959 §5.4: of the two, only PASV may be 502.
    ftp.expect("PASV", 502);
    ftp.expect("PORT 127,0,0,1,200,10", 501);
    assert!(ftp.expect("EPRT |1|127.0.0.1|51210|", 522).contains("(2)"));
    assert!(ftp.expect("EPSV 1", 522).contains("(2)"));
    ftp.expect("EPSV 2", 229);
    ftp.expect("EPRT |2|::1|51210|", 200);
    ftp.expect("EPRT |2|::2|51210|", 501);
    ftp.expect("EPRT |2|::1|21|", 501);
    for mode in [Mode::Epsv, Mode::Eprt] {
        assert_eq!(ftp.receive(mode, "NLST"), b"");
    }
    ftp.expect("EPSV ALL", 200);
    ftp.expect("EPRT |2|::1|51210|", 501);
    assert_eq!(ftp.receive(Mode::Epsv, "NLST"), b"");
}
