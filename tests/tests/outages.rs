//! The store goes away and comes back: what was begun goes on, what can't be decided is refused
//! for the time being, and everything recovers by itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use wharfinger_tests::deployment::{OWNER_PASSWORD, environment};
use wharfinger_tests::mongo::Server;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::{Environment, PATIENCE};
use wharfinger_tests::{Admin, Answer, Deployment, Mode, Program, Setup, Shape, Store, tools};

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

#[test]
fn a_store_that_dies_in_mid_request_leaves_nothing_half_done() {
    lost_in_mid_request(Server::stop, Server::start);
}

#[test]
fn a_store_that_freezes_in_mid_request_leaves_nothing_half_done() {
    lost_in_mid_request(Server::freeze, Server::thaw);
}

/// Users are made one after the other, by several at once, while the store goes; whatever was answered,
/// each of them is there, whole, or can be made.
fn lost_in_mid_request(lose: fn(&Server), regain: fn(&Server)) {
    let scratch = TempDir::new().unwrap();
    let mongo = Server::new(scratch.path());
    mongo.start();
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite)
        .set("WHARFINGER_STORE__URL", &mongo.url())
        .set("WHARFINGER_STORE__TIMEOUT_SECONDS", "2")
        .set("WHARFINGER_ADMIN__REQUESTS_PER_SECOND", "0")
        .start();
    let answers = create_until_refused(&deployment, || lose(&mongo));
    regain(&mongo);
    eventually("the admin API comes back", PATIENCE, || {
        (deployment.admin.get("/readyz").status == 200).then_some(())
    });

    for (name, answer) in &answers {
        if answer.status != 201 {
            assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{name}: {answer:?}");
            // Done or not done; what was on its way may be done only now.
            eventually("it is there or can be made", PATIENCE, || {
                matches!(deployment.admin.post("/api/v1/users", body(name)).status, 201 | 409).then_some(())
            });
        }
        let user = deployment.admin.get(&format!("/api/v1/users/{name}"));
        assert_eq!((user.status, &user.body["version"]), (200, &json!(1)), "{user:?}");
        eventually("its password is whole, too", PATIENCE, || {
            (deployment.log_in(name, &password(name)).code == 230).then_some(())
        });
    }
    let refused = |name: &str| answers.get(name).is_some_and(|answer| answer.status == 503);
    let records = deployment.admin.get("/api/v1/audit?action=change&limit=1000").body;
    for record in records["items"].as_array().unwrap() {
        let unknown = record["detail"]["outcome"] == "unknown";
        assert!(!unknown || refused(record["user"].as_str().unwrap()), "{record}");
    }
    assert_eq!(deployment.admin.get("/api/v1/audit/verify").body["intact"], true);
}

fn create_until_refused(deployment: &Deployment, lose: impl FnOnce()) -> HashMap<String, Answer> {
    let (asked, created, over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut answers = HashMap::new();
        while !over.load(Ordering::Relaxed) {
            let name = format!("user-{}", asked.fetch_add(1, Ordering::Relaxed));
            let answer = deployment.admin.post("/api/v1/users", body(&name));
            if answer.status == 201 {
                created.fetch_add(1, Ordering::Relaxed);
            } else {
                over.store(true, Ordering::Relaxed);
            }
            answers.insert(name, answer);
        }
        answers
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        eventually("some users", PATIENCE, || (created.load(Ordering::Relaxed) >= 4).then_some(()));
        lose();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn password(name: &str) -> String {
    format!("password of {name}")
}

fn body(name: &str) -> serde_json::Value {
    json!({ "username": name, "password": password(name) })
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
