//! The store goes away and comes back: what was begun goes on, what can't be decided is refused
//! for the time being, and everything recovers by itself.

use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use wharfinger_tests::deployment::{OWNER_PASSWORD, environment};
use wharfinger_tests::mongo::Server;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::{Environment, PATIENCE};
use wharfinger_tests::{Admin, Deployment, Mode, Program, Setup, Shape, Store, tools};

#[test]
fn the_all_in_one_program_waits_for_its_store_and_says_so() {
    let directory = TempDir::new().unwrap();
    let (mongo, settings) = store_to_come(&directory);
    let mut program = Program::start("wharfinger", &[], directory.path(), &settings);
    program.logs(&["store"]);
    assert!(program.runs());
    mongo.start();
    let admin = Admin::log_in(program.addresses("admin", 1)[0], "owner", OWNER_PASSWORD);
    admin.create("alice");
    program.addresses("ftp", 2);
}

#[test]
fn two_programs_wait_for_their_store_and_for_its_migration() {
    let directory = TempDir::new().unwrap();
    let (mongo, settings) = store_to_come(&directory);
    let start = |name, arguments: &[&str]| Program::start(name, arguments, directory.path(), &settings);
    let (mut server, mut admin) = (start("wharfinger-server", &[]), start("wharfinger-admin", &[]));
    server.logs(&["store"]);
    admin.logs(&["store"]);
    assert!(server.runs() && admin.runs());
    mongo.start();
    let migration = start("wharfinger-admin", &["migrate"]).end();
    assert_eq!(migration.code, Some(0), "{}", migration.err);
    server.addresses("ftp", 2);
    Admin::log_in(admin.addresses("admin", 1)[0], "owner", OWNER_PASSWORD).create("alice");
}

#[test]
fn sessions_outlive_an_outage_and_logins_come_back_after_it() {
    for shape in [Shape::AllInOne, Shape::TwoPrograms] {
        let scratch = TempDir::new().unwrap();
        let mongo = Server::new(scratch.path());
        mongo.start();
        let deployment = Setup::new(shape, Store::Sqlite)
            .set("WHARFINGER_STORE__URL", &mongo.url())
            .set("WHARFINGER_STORE__TIMEOUT_SECONDS", "2")
            .start();
        let alice = deployment.admin.create("alice");
        let mut session = deployment.session(&alice);
        session.send_file(Mode::Epsv, "STOR before", b"content");

        mongo.stop();
        session.expect("NOOP", 200);
        session.send_file(Mode::Epsv, "STOR meanwhile", b"content");
        assert_eq!(session.receive(Mode::Epsv, "RETR before"), b"content");
        let login = deployment.log_in(&alice.name, &alice.password);
        assert_eq!(login.code, 421, "{login:?}");
        assert_admin_says_503(&deployment);
        assert_admin_is_unwell(&deployment);
        let metrics = format!("http://{}/metrics", deployment.addresses("metrics", 1)[0]);
        let told = tools::run("curl", &["-sSf", &metrics]).succeeded();
        assert!(told.contains("\nwharfinger_server_store_up 0\n"), "{told}");
        session.expect("NOOP", 200);

        mongo.start();
        eventually("logins come back", PATIENCE, || {
            (deployment.log_in(&alice.name, &alice.password).code == 230).then_some(())
        });
        eventually("the admin API comes back", PATIENCE, || {
            (deployment.admin.get("/api/v1/users/alice").status == 200).then_some(())
        });
        assert_eq!(deployment.admin.get("/readyz").status, 200);
        session.expect("NOOP", 200);
        // And the watch over changes is back as well.
        deployment.admin.act(&alice, "disable", json!({}));
        session.replies_until_closed(Duration::from_secs(2));
    }
}

fn assert_admin_says_503(deployment: &Deployment) {
    let answers = [
        deployment.admin.get("/api/v1/users"),
        deployment.admin.post("/api/v1/users", json!({"username": "bob"})),
        deployment.admin.get("/readyz"),
    ];
    for answer in answers {
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    assert_eq!(deployment.admin.get("/healthz").status, 200);
}

fn assert_admin_is_unwell(deployment: &Deployment) {
    let listen = ("WHARFINGER_ADMIN__LISTEN".to_owned(), deployment.admin_address.to_string());
    let settings = Environment::from([listen]);
    let ended = Program::start("wharfinger-admin", &["healthcheck"], deployment.directory(), &settings).end();
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("is not ready"), "{}", ended.err);
}

/// A MongoDB that does not run yet, and the settings of programs that want it.
fn store_to_come(directory: &TempDir) -> (Server, Environment) {
    let mongo = Server::new(directory.path());
    let mut settings = environment(directory.path());
    let own = [
        ("WHARFINGER_STORE__URL", mongo.url()),
        ("WHARFINGER_STORE__TIMEOUT_SECONDS", "2".to_owned()),
        ("WHARFINGER_ADMIN_PASSWORD", OWNER_PASSWORD.to_owned()),
    ];
    settings.extend(own.map(|(variable, value)| (variable.to_owned(), value)));
    (mongo, settings)
}
