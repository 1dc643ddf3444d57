//! Python's ftplib, as it comes and with the class of docs/clients.md that resumes TLS sessions.

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Deployment, Version};

use crate::round::Client;
use crate::script;
use crate::step::Step;
use crate::way::{EPRT6, EPSV6, PASV, PORT, Server};

const FTPLIB: Client = Client {
    name: "ftplib",
    can: |_| true,
    run: |site, steps| script::run("python3", "ftplib_steps.py", site, steps),
};

const RESUMING: Client = Client {
    name: "ftplib that resumes sessions",
    can: |_| true,
    run: |site, steps| script::run("python3", "ftplib_resuming_steps.py", site, steps),
};

#[test]
fn ftplib_works_in_every_way() {
    // ftplib chooses by address family: PASV and PORT for IPv4, EPSV and EPRT for IPv6.
    FTPLIB.works(&[
        Server::Default.by(&[PASV, PORT, EPSV6, EPRT6]),
        Server::InClear.by(&[PASV, PORT, EPSV6, EPRT6]),
    ]);
}

#[test]
fn ftplib_that_resumes_sessions_works_in_every_way() {
    RESUMING.works(&[Server::Default.by(&[PASV]), Server::Bound.by(&[PASV, PORT])]);
}

#[test]
fn ftplib_as_it_comes_is_refused_where_sessions_must_be_resumed() {
    let (deployment, user) = Server::Bound.start();
    for version in Version::ALL {
        let site = Site { version: Some(version), ..Site::new(&deployment, &user) };
        let upload = Step::Upload { from: deployment.certificate(), to: "stored".to_owned() };
        let upload = script::end("python3", "ftplib_steps.py", &site, &[upload]);
        assert!(upload.code != Some(0) && upload.err.contains("STOR stored"), "{upload:?}");
        assert!(!deployment.home(&user).join("stored").exists());
    }
}

#[test]
fn ftplib_aborts_resumes_and_converts() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    for version in Version::ALL {
        let site = Site { version: Some(version), ..Site::new(&deployment, &user) };
        script::run("python3", "ftplib_extras.py", &site, &[]);
    }
}
