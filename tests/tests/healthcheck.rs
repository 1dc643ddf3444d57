//! `healthcheck` of every program: well while the services are at work, unwell and saying why when not.

use wharfinger_tests::program::{Ended, Environment};
use wharfinger_tests::{Deployment, Program, Setup, Shape, Store};

#[test]
fn services_at_work_are_well_and_stopped_ones_are_not() {
    for shape in [Shape::AllInOne, Shape::TwoPrograms] {
        let mut deployment = Setup::new(shape, Store::Sqlite).start();
        let found = found(&deployment);
        let programs: &[&str] = match shape {
            Shape::AllInOne => &["wharfinger"],
            Shape::TwoPrograms => &["wharfinger-server", "wharfinger-admin"],
        };
        for name in programs {
            let ended = check(&deployment, name, &found);
            assert_eq!(ended.code, Some(0), "{name}: {}", ended.err);
        }
        deployment.server().kill();
        let ended = check(&deployment, programs[0], &found);
        assert_eq!(ended.code, Some(1), "{shape:?}");
        assert!(ended.err.contains("does not answer at 127.0.0.1"), "{}", ended.err);
    }
}

/// Where the running services are, as the configuration of `healthcheck`.
fn found(deployment: &Deployment) -> Environment {
    let [ftp, admin] = [deployment.ftp(), deployment.admin_address].map(|address| address.to_string());
    let found = [("WHARFINGER_FTP__LISTEN", ftp), ("WHARFINGER_ADMIN__LISTEN", admin)];
    found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn check(deployment: &Deployment, program: &str, settings: &Environment) -> Ended {
    Program::start(program, &["healthcheck"], deployment.directory(), settings).end()
}
