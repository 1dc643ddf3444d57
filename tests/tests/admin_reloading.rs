//! The admin API's settings and certificate replaced while it runs, alone and in one process with
//! the file server; rubbish changes nothing.

use std::fs;

use serde_json::json;
use wharfinger_tests::authority::{Authority, Key};
use wharfinger_tests::deployment::OWNER_PASSWORD;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::{Admin, Deployment, Setup, Shape, Store, Tls, Version, tools};

const SHAPES: [Shape; 2] = [Shape::AllInOne, Shape::TwoPrograms];

/// How long a token is good that is issued now.
fn token_seconds(deployment: &Deployment) -> u64 {
    let login = json!({"username": "owner", "password": OWNER_PASSWORD});
    let answer = Admin::stranger(deployment.admin_address).post("/api/v1/auth/token", login);
    answer.body["expires_in"].as_u64().unwrap_or_default()
}

#[test]
fn tokens_and_requests_go_by_the_new_settings() {
    for shape in SHAPES {
        let deployment = Setup::new(shape, Store::Sqlite).file("").start();
        assert_eq!(token_seconds(&deployment), 900);
        deployment.reload("[admin]\ntoken_seconds = 77\n");
        eventually("the tokens' life", PATIENCE, || (token_seconds(&deployment) == 77).then_some(()));
        assert_eq!(deployment.admin.get("/api/v1/users").status, 200, "an older token stays good");
        deployment.reload("[admin]\nrequests_per_second = 1\n");
        eventually("too many requests", PATIENCE, || {
            (deployment.admin.get("/api/v1/users").status == 429).then_some(())
        });
        deployment.reload("[admin]\nrequests_per_second = \"many\"\n");
        deployment.programs().last().unwrap().logs(&["the old one stays in use", "line 2"]);
        deployment.reload("[admin]\nrequests_per_second = 0\n");
        eventually("any number of requests", PATIENCE, || {
            (0..20).all(|_| deployment.admin.get("/api/v1/users").status == 200).then_some(())
        });
        assert_eq!(token_seconds(&deployment), 900, "what is left out has its default again");
    }
}

#[test]
fn a_new_certificate_is_shown_and_rubbish_in_its_place_is_refused() {
    for shape in SHAPES {
        let setup = Setup::new(shape, Store::Sqlite).file("");
        let authority = Authority::new(setup.directory());
        let [first, second] = [Key::Ecdsa, Key::Rsa].map(|key| authority.server(&["localhost"], key));
        let deployment = setup.start();
        let (address, tls) = (deployment.admin_address, Tls::new(&authority.certificate, Version::Tls13));
        assert_eq!(Admin::certificate(address, &tls), None, "it is not under TLS yet");
        for issued in [&first, &second] {
            deployment.reload(&issued.for_the_admin_api());
            let shown = || (Admin::certificate(address, &tls) == Some(issued.der())).then_some(());
            eventually("the certificate", PATIENCE, shown);
        }
        fs::write(&first.key, "no key at all").unwrap();
        deployment.reload(&first.for_the_admin_api());
        deployment.programs().last().unwrap().logs(&["the old one stays in use", "as pem"]);
        assert_eq!(Admin::certificate(address, &tls), Some(second.der()));
        deployment.reload("");
        eventually("plain HTTP again", PATIENCE, || {
            Admin::certificate(address, &tls).is_none().then_some(())
        });
    }
}

#[test]
fn a_certificate_that_is_replaced_on_the_disk_is_shown_without_a_signal_and_rubbish_is_not() {
    let setup = Setup::new(Shape::TwoPrograms, Store::Sqlite).file("");
    let authority = Authority::new(setup.directory());
    let [first, second] = [Key::Ecdsa, Key::Rsa].map(|key| authority.server(&["localhost"], key));
    let deployment = setup.start();
    let (address, tls) = (deployment.admin_address, Tls::new(&authority.certificate, Version::Tls13));
    let shown = || Admin::certificate(address, &tls);
    deployment.reload(&first.for_the_admin_api());
    let before = first.der();
    eventually("the certificate", PATIENCE, || (shown() == Some(before.clone())).then_some(()));
    for (rubbish, told) in
        [(fs::read(&second.key).unwrap(), "certificate can't be used"), (b"no key".to_vec(), "as pem")]
    {
        fs::write(&first.key, rubbish).unwrap();
        deployment.programs().last().unwrap().logs(&["file was changed", "the old ones stay in use", told]);
        assert_eq!(shown(), Some(before.clone()));
    }
    first.replace_with(&second);
    eventually("the newer certificate", PATIENCE, || (shown() == Some(second.der())).then_some(()));
}

#[test]
fn records_go_that_are_too_old_for_the_new_configuration() {
    let deployment =
        Setup::new(Shape::TwoPrograms, Store::Sqlite).file("[audit]\nretention_days = 0\n").start();
    deployment.admin.create("alice");
    let changes = || {
        let answer = deployment.admin.get("/api/v1/audit?action=change&user=alice");
        answer.body["items"].as_array().unwrap().len()
    };
    assert_eq!(changes(), 1);
    let age = ["-cmd", ".timeout 30000", "data/wharfinger.db", "UPDATE audit SET at = at / 2"];
    tools::run_in(deployment.directory(), "sqlite3", &age).succeeded();
    deployment.reload("[audit]\nretention_days = 1\n");
    eventually("no old record", PATIENCE, || (changes() == 0).then_some(()));
}
