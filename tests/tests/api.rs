//! The admin API whole, on both stores, as people and programs use it: with curl.

use std::time::Duration;

use serde_json::{Value, json};
use wharfinger_tests::deployment::{Deployment, OWNER_PASSWORD, Setup, Shape, Store};
use wharfinger_tests::{Admin, Ftp, Version, polling, tools};

const PLACES: [(Shape, Store); 2] = [(Shape::AllInOne, Store::Sqlite), (Shape::TwoPrograms, Store::MongoDb)];

/// curl with a credential: an answer as JSON, and its status.
fn curl(deployment: &Deployment, credential: &str, arguments: &[&str], path: &str) -> (u16, Value) {
    let url = format!("http://{}{path}", deployment.admin_address);
    let bearer = format!("Authorization: Bearer {credential}");
    let mut all = vec!["-sS", "-w", "\n%{http_code}", "-H", &bearer, "-H", "Content-Type: application/json"];
    all.extend(arguments);
    all.push(&url);
    let told = tools::run("curl", &all).succeeded();
    let (body, status) = told.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

fn token(deployment: &Deployment, name: &str, password: &str) -> String {
    let login = json!({"username": name, "password": password}).to_string();
    let (status, answer) = curl(deployment, "", &["-d", &login], "/api/v1/auth/token");
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn an_owner_hands_out_roles_and_keys_and_takes_them_back() {
    for (shape, store) in PLACES {
        let deployment = Setup::new(shape, store).start();
        let owner = token(&deployment, "owner", OWNER_PASSWORD);
        let bob = r#"{"username":"bob","role":"user-manager","password":"a password for bob"}"#;
        assert_eq!(curl(&deployment, &owner, &["-d", bob], "/api/v1/admins").0, 201);
        let bobs = token(&deployment, "bob", "a password for bob");
        let alice = r#"{"username":"alice","password":"a dozen letters"}"#;
        assert_eq!(curl(&deployment, &bobs, &["-d", alice], "/api/v1/users").0, 201);
        let (_, key) =
            curl(&deployment, &owner, &["-d", r#"{"name":"scan","role":"auditor"}"#], "/api/v1/api-keys");
        let secret = key["key"].as_str().unwrap();
        assert_eq!(curl(&deployment, secret, &[], "/api/v1/users/alice").0, 200);
        assert_eq!(curl(&deployment, secret, &["-X", "DELETE"], "/api/v1/users/alice").0, 403);

        let demote = ["-X", "PATCH", "-d", r#"{"role":"auditor"}"#];
        assert_eq!(curl(&deployment, &owner, &demote, "/api/v1/admins/owner").0, 409, "the last owner");
        assert_eq!(curl(&deployment, &owner, &demote, "/api/v1/admins/bob").0, 200);
        assert_eq!(curl(&deployment, &bobs, &[], "/api/v1/users").0, 401, "the token died");
        let id = key["id"].as_str().unwrap();
        let path = format!("/api/v1/api-keys/{id}");
        assert_eq!(curl(&deployment, &owner, &["-X", "DELETE"], &path).0, 204);
        assert_eq!(curl(&deployment, secret, &[], "/api/v1/users").0, 401);
    }
}

#[test]
fn a_patch_reaches_the_server_and_an_explanation_agrees_with_it() {
    for (shape, store) in PLACES {
        let deployment = Setup::new(shape, store).start();
        let alice = deployment.admin.create("alice");
        let owner = token(&deployment, "owner", OWNER_PASSWORD);
        let explain = |question: &str| {
            let (status, answer) =
                curl(&deployment, &owner, &["-d", question], "/api/v1/users/alice/explain");
            assert_eq!(status, 200, "{answer}");
            (answer["allowed"].as_bool().unwrap(), answer["decided_by"].as_str().unwrap().to_owned())
        };
        let login = r#"{"action":"login","client_address":"127.0.0.1"}"#;
        assert!(explain(login).0);
        assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);

        let patch = ["-X", "PATCH", "-d", r#"{"allowed_networks":["192.0.2.0/24"]}"#];
        assert_eq!(curl(&deployment, &owner, &patch, "/api/v1/users/alice").0, 200);
        assert_eq!(explain(login), (false, "allowed_networks".to_owned()));
        assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 530);

        let stale = ["-X", "PATCH", "-H", "If-Match: \"1\"", "-d", r#"{"allowed_networks":[]}"#];
        assert_eq!(curl(&deployment, &owner, &stale, "/api/v1/users/alice").0, 412);
        let fresh = ["-X", "PATCH", "-H", "If-Match: \"2\"", "-d", r#"{"allowed_networks":[]}"#];
        assert_eq!(curl(&deployment, &owner, &fresh, "/api/v1/users/alice").0, 200);
        assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);
    }
}

#[test]
fn an_unlock_reaches_the_server_that_locked() {
    for (shape, store) in PLACES {
        let setup = Setup::new(shape, store).set("WHARFINGER_LIMITS__LOGIN_FAILURES", "2");
        let deployment = setup.set("WHARFINGER_LIMITS__BAN_SECONDS", "3600").start();
        let alice = deployment.admin.create("alice");
        for _ in 0..2 {
            assert_eq!(deployment.log_in(&alice.name, "a wrong password").code, 530);
        }
        assert_eq!(greeting(&deployment), 421, "the address is banned");
        deployment.admin.act(&alice, "unlock", json!({}));
        polling::eventually("the lock is lifted", Duration::from_secs(30), || {
            (greeting(&deployment) == 220).then_some(())
        });
        assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);
    }
}

fn greeting(deployment: &Deployment) -> u16 {
    Ftp::dial(deployment.ftp(), deployment.tls(Version::Tls13)).reply().code
}

#[test]
fn users_move_from_one_store_to_the_other() {
    let here = Setup::new(Shape::AllInOne, Store::Sqlite).start();
    let there = Setup::new(Shape::TwoPrograms, Store::MongoDb).start();
    for name in ["alice", "bob", "carol"] {
        here.admin.create(name);
    }
    let old = token(&here, "owner", OWNER_PASSWORD);
    let new = token(&there, "owner", OWNER_PASSWORD);
    there.admin.create("bob");
    let pipe = format!(
        "curl -sSf -H 'Authorization: Bearer {old}' http://{}/api/v1/users:export | \
         curl -sS -T - -X POST -H 'Content-Type: application/x-ndjson' \
         -H 'Authorization: Bearer {new}' http://{}/api/v1/users:import",
        here.admin_address, there.admin_address
    );
    let told = tools::run("sh", &["-c", &pipe]).succeeded();
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let results: Vec<&str> = lines.iter().filter_map(|line| line["result"].as_str()).collect();
    assert_eq!(results, ["created", "exists", "created"], "{told}");
    assert_eq!(lines[3]["summary"]["complete"], true, "{told}");
    let password = lines[0]["password"].as_str().expect("generated, and shown once");
    assert_eq!(there.log_in("alice", password).code, 230);
}

#[test]
fn metrics_count_requests_and_logins() {
    let deployment = Deployment::start();
    Admin::stranger(deployment.admin_address).get("/api/v1/users");
    let url = format!("http://{}/metrics", deployment.admin_address);
    let told = tools::run("curl", &["-sS", &url]).succeeded();
    for line in [
        "wharfinger_admin_logins_total{result=\"ok\"} 1",
        "wharfinger_admin_requests_total{method=\"GET\",route=\"/api/v1/users\",status=\"401\"} 1",
        "wharfinger_admin_store_up 1",
        "wharfinger_admin_hashes_waiting 0",
    ] {
        assert!(told.lines().any(|found| found == line), "{line} is not in\n{told}");
    }
}

#[test]
fn who_asks_too_often_is_told_to_wait_and_probes_are_not() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_ADMIN__REQUESTS_PER_SECOND", "1").start();
    let stranger = Admin::stranger(deployment.admin_address);
    let told: Vec<u16> = (0..6).map(|_| stranger.get("/api/v1/users").status).collect();
    assert!(told.contains(&429), "{told:?}");
    assert!((0..6).all(|_| stranger.get("/healthz").status == 200));
}
