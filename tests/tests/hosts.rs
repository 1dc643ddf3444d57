//! HOST and LANG, said on the wire word by word.

use wharfinger_tests::Deployment;

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
    ftp.expect("HOST ftp.example.com", 220);
    ftp.expect("USER alice", 331);
    ftp.expect("HOST ftp.example.com", 503);
    ftp.expect(&format!("PASS {}", user.password), 230);
    ftp.expect("HOST ftp.example.com", 503);
    ftp.expect("REIN", 220);
    ftp.expect("HOST ftp.example.org", 220);
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
