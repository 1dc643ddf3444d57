//! The doctor: what it says of servers that are well, of one that is not, and that it leaves nothing.

use serde_json::Value;
use wharfinger_tests::Deployment;
use wharfinger_tests::peers::{Kind, Peer};
use wharfinger_tests::wharf::{Wharf, names};

use super::hostile;

/// What each step came to.
fn report(wharf: &Wharf, url: &str, code: i32) -> Vec<(String, String, String)> {
    let finished = wharf.run(&["--json", "doctor", url]);
    assert_eq!(finished.code, Some(code), "{finished:?}");
    // A failure follows as an object of its own.
    let first =
        serde_json::Deserializer::from_str(&finished.out).into_iter::<Value>().next().unwrap().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = first.as_array().unwrap().iter();
    all.map(|one| {
        (
            text(&one["step"]),
            text(&one["verdict"]),
            format!("{} -> {}", text(&one["told"]), text(&one["advice"])),
        )
    })
    .collect()
}

fn verdict<'a>(report: &'a [(String, String, String)], step: &str) -> &'a str {
    let found = report.iter().find(|(name, _, _)| name == step);
    &found.unwrap_or_else(|| panic!("no {step}: {report:#?}")).1
}

#[test]
fn our_server_is_well_by_default_and_nothing_is_left_on_it() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let wharf = Wharf::new(&deployment, &user);
    let url = format!("ftpes://alice@localhost:{}", deployment.ftp().port());
    let report = report(&wharf, &url, 0);
    for step in [
        "connection",
        "TLS",
        "fingerprint",
        "certificate",
        "login",
        "features",
        "PASV",
        "PASV port",
        "EPSV",
        "EPSV port",
        "list",
        "session reuse",
        "upload",
        "clock",
        "UTF-8",
        "download",
        "close_notify",
        "resume",
        "clean-up",
        "active mode",
    ] {
        assert_eq!(verdict(&report, step), "ok", "{step}: {report:#?}");
    }
    assert_eq!(names(&deployment.home(&user)), [] as [&str; 0]);
}

#[test]
fn a_wrong_public_address_is_found_and_the_setting_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // The address is of a network for documentation; the port is right.
    let port = hostile::server(&[("PASV", "227 There (192,0,2,7,{port})\r\n"), ("STOR", "550 No\r\n")], b"");
    let report = report(&hostile::client(directory.path()), &hostile::url(port, ""), 10);
    let (_, verdict, told) = report.iter().find(|(step, _, _)| step == "PASV").unwrap();
    assert_eq!(verdict, "bad");
    assert!(told.contains("192.0.2.7") && told.contains("ftp.public_address"), "{told}");
    assert!(report.iter().any(|(step, verdict, _)| step == "TLS" && verdict == "bad"), "{report:#?}");
}

#[test]
fn no_password_goes_to_a_server_that_nobody_trusts() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let wharf = Wharf { trust: Vec::new(), ..Wharf::new(&deployment, &user) };
    let url = format!("ftpes://alice@localhost:{}", deployment.ftp().port());
    let report = report(&wharf, &url, 4);
    assert_eq!(verdict(&report, "certificate"), "ok", "it is told of all the same: {report:#?}");
    assert!(!report.iter().any(|(step, _, _)| step == "login"), "{report:#?}");
    let told = &report.last().unwrap().2;
    assert!(told.contains("signed by nobody trusted"), "{told}");
}

#[test]
fn other_peoples_servers_are_examined_too() {
    for kind in Kind::ALL {
        let peer = Peer::start(kind);
        let report = report(&peer.client(), &peer.url(""), 10);
        for step in
            ["TLS", "login", "PASV port", "list", "upload", "clean-up", "download", "resume", "active mode"]
        {
            assert_eq!(verdict(&report, step), "ok", "{kind:?}: {report:#?}");
        }
        assert_eq!(verdict(&report, "session reuse"), "ok", "{kind:?}: {report:#?}");
        // The certificate is good for two days only.
        assert_eq!(verdict(&report, "certificate"), "bad");
        assert_eq!(names(&peer.files()), [] as [&str; 0], "{kind:?}");
    }
}
