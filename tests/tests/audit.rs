//! The audit trail of the real programs, on both stores: what people do is in it, nothing secret is, and a
//! record that somebody with the database's password has changed is found and named.

use std::time::Duration;

use serde_json::{Value, json};
use wharfinger_tests::deployment::{Deployment, OWNER_PASSWORD, Setup, Shape, Store, environment};
use wharfinger_tests::program::{Ended, Program};
use wharfinger_tests::{Mode, polling, tools};

const PLACES: [(Shape, Store); 2] = [(Shape::AllInOne, Store::Sqlite), (Shape::TwoPrograms, Store::MongoDb)];

/// All records of an action, the oldest first.
fn records(deployment: &Deployment, action: &str) -> Vec<Value> {
    let answer = deployment.admin.get(&format!("/api/v1/audit?action={action}&limit=1000"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().iter().rev().cloned().collect()
}

/// The one record of an action; a file server's comes a moment after its reply.
fn record(deployment: &Deployment, action: &str) -> Value {
    let mut found = polling::eventually(action, Duration::from_secs(30), || {
        Some(records(deployment, action)).filter(|found| !found.is_empty())
    });
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// What `wharfinger-admin verify-audit` says beside the running programs.
fn verified(deployment: &Deployment) -> Ended {
    let mut environment = environment(deployment.directory());
    if let Some(database) = deployment.database() {
        environment.insert("WHARFINGER_STORE__URL".to_owned(), database.url.clone());
    }
    Program::start("wharfinger-admin", &["verify-audit"], deployment.directory(), &environment).end()
}

/// Changes the details of the records of an action in the database itself.
fn tamper(deployment: &Deployment, action: &str, detail: &str) {
    if let Some(database) = deployment.database() {
        let update = json!({"q": {"action": action}, "u": {"$set": {"detail": detail}}});
        database.command(&json!({"update": "audit", "updates": [update]}).to_string());
    } else {
        let file = deployment.directory().join("data/wharfinger.db");
        let program = "import sqlite3, sys\n\
                       with sqlite3.connect(sys.argv[1], timeout=30) as database:\n \
                       changed = database.execute('UPDATE audit SET detail = ? WHERE action = ?', sys.argv[2:])\n \
                       assert changed.rowcount == 1";
        let arguments = ["-c", program, file.to_str().unwrap(), detail, action];
        tools::run("python3", &arguments).succeeded();
    }
}

#[test]
fn what_people_do_is_in_the_trail_with_who_where_and_what() {
    for (shape, store) in PLACES {
        let deployment = Setup::new(shape, store).start();
        let alice = deployment.admin.create("alice");
        assert_eq!(deployment.log_in(&alice.name, "not her password").code, 530);
        let mut ftp = deployment.session(&alice);
        ftp.send_file(Mode::Epsv, "STOR draft", b"content");
        ftp.expect("RNFR draft", 350);
        ftp.expect("RNTO final", 250);
        ftp.expect("QUIT", 221);
        deployment.admin.act(&alice, "disable", json!({}));

        for (action, expected) in [
            ("login", json!({"protocol": "ftps"})),
            ("login-refused", json!({"protocol": "ftps", "reason": "wrong password"})),
            ("upload", json!({"path": "/draft", "bytes": 7, "result": "complete"})),
            ("rename", json!({"from": "/draft", "to": "/final"})),
        ] {
            let record = record(&deployment, action);
            assert_eq!((&record["user"], &record["actor"]), (&json!("alice"), &Value::Null), "{record}");
            assert_eq!(record["detail"]["address"], "127.0.0.1", "{record}");
            assert!(record["detail"]["session"].is_u64(), "{record}");
            for (member, value) in expected.as_object().unwrap() {
                assert_eq!(&record["detail"][member], value, "{member} of {record}");
            }
        }
        let changes = records(&deployment, "change");
        let disabled = changes.last().unwrap();
        assert_eq!((&disabled["user"], &disabled["actor"]), (&json!("alice"), &json!("owner")), "{disabled}");
        let detail = &disabled["detail"];
        assert_eq!((&detail["change"], &detail["outcome"]), (&json!("disable"), &json!("done")), "{detail}");
        assert_eq!((&detail["kind"], &detail["address"]), (&json!("user"), &json!("127.0.0.1")), "{detail}");
        assert_eq!(detail["before"]["status"], "active", "{detail}");
        assert_eq!(detail["after"]["status"], "disabled", "{detail}");

        let all = deployment.admin.get("/api/v1/audit?limit=1000").body.to_string();
        for secret in [alice.password.as_str(), "not her password", OWNER_PASSWORD, "$argon2"] {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
    }
}

#[test]
fn who_ended_a_session_is_in_the_trail_and_so_is_that_it_ended_for_that() {
    for (shape, store) in PLACES {
        let deployment = Setup::new(shape, store).start();
        let alice = deployment.admin.create("alice");
        let mut ftp = deployment.session(&alice);
        let id = polling::eventually("the session in the list", Duration::from_secs(30), || {
            let listed = deployment.admin.get("/api/v1/sessions?user=alice").body;
            listed["items"][0]["id"].as_str().map(str::to_owned)
        });
        assert_eq!(deployment.admin.delete(&format!("/api/v1/sessions/{id}")).status, 202);
        ftp.replies_until_closed(Duration::from_secs(30));
        let logout = record(&deployment, "logout");
        let detail = &logout["detail"];
        assert_eq!(
            (&logout["user"], &detail["reason"]),
            (&json!("alice"), &json!("administrator")),
            "{logout}"
        );
        assert!(id.ends_with(&format!("-{}", detail["session"])), "{id}: {logout}");
        let changes = records(&deployment, "change");
        let ended = changes.last().unwrap();
        let detail = &ended["detail"];
        assert_eq!((&ended["actor"], &detail["kind"]), (&json!("owner"), &json!("session")), "{ended}");
        assert_eq!((&detail["name"], &detail["change"]), (&json!(id), &json!("remove")), "{ended}");
        assert_eq!(
            (&detail["outcome"], &detail["address"]),
            (&json!("done"), &json!("127.0.0.1")),
            "{ended}"
        );
    }
}

#[test]
fn a_record_that_was_changed_in_the_database_is_found_and_named() {
    for (shape, store) in PLACES {
        let deployment = Setup::new(shape, store).start();
        let alice = deployment.admin.create("alice");
        let mut ftp = deployment.session(&alice);
        ftp.send_file(Mode::Epsv, "STOR secret-plans", b"content");
        let upload = record(&deployment, "upload");
        let intact = deployment.admin.get("/api/v1/audit/verify").body;
        assert_eq!((&intact["intact"], &intact["first_broken"]), (&json!(true), &Value::Null), "{intact}");
        let told = verified(&deployment);
        assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
        assert!(told.out.contains("all as they were written"), "{}", told.out);

        let harmless = upload["detail"].to_string().replace("secret-plans", "holiday");
        tamper(&deployment, "upload", &harmless);
        assert_eq!(record(&deployment, "upload")["detail"]["path"], "/holiday", "the change is there");
        let broken = deployment.admin.get("/api/v1/audit/verify").body;
        assert_eq!(broken["intact"], false, "{broken}");
        assert_eq!(broken["first_broken"]["chain"], upload["chain"], "{broken}");
        assert_eq!(broken["first_broken"]["sequence"], upload["sequence"], "{broken}");
        let told = verified(&deployment);
        assert_eq!(told.code, Some(1), "{}{}", told.out, told.err);
        let named = format!("record {} of {}", upload["sequence"], upload["chain"].as_str().unwrap());
        assert!(told.err.contains(&named), "{}", told.err);
    }
}
