//! What holds for the service as a whole: probes, unknown paths and methods, headers, the access
//! log, a store that fails, time-outs.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use wharfinger_accounts::{Accounts, Role};

use crate::harness::{Api, PASSWORD, request};

#[tokio::test]
async fn probes_answer_without_a_credential() {
    let api = Api::start().await;
    let answer = api.get("/healthz", "").await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, json!({"status": "alive"})));
    let answer = api.get("/readyz", "").await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, json!({"status": "ready"})));
}

#[tokio::test]
async fn a_store_that_was_not_migrated_is_not_ready() {
    let api = Api::start().await;
    let url = format!("sqlite://{}", api.config.data_dir.join("fresh.db").display());
    let fresh = Accounts::open(&api.config.store, &url).await.unwrap();
    let fresh = api.over(fresh);
    let answer = fresh.get("/readyz", "").await;
    answer.is_problem(503, "not-ready");
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(fresh.get("/healthz", "").await.status, 200);
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let api = Api::start().await;
    for path in ["/", "/api", "/api/v1", "/api/v1/users/", "/api/v2/users", "/api/v1/users/a/b"] {
        api.get(path, "").await.is_problem(404, "no-such-path");
    }
}

#[tokio::test]
async fn a_method_that_is_not_offered_names_those_that_are() {
    let api = Api::start().await;
    for (method, path, allow) in [
        ("PUT", "/api/v1/users", "GET,HEAD,POST"),
        ("OPTIONS", "/api/v1/users", "GET,HEAD,POST"),
        ("POST", "/api/v1/users/alice", "GET,HEAD,PATCH,DELETE"),
        ("GET", "/api/v1/auth/token", "POST"),
        ("GET", "/api/v1/users/alice/disable", "POST"),
        ("POST", "/healthz", "GET,HEAD"),
    ] {
        let answer = api.send(request(method, path, "").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.is_problem(405, "no-such-method").header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_has_security_headers_and_the_request_id() {
    let api = Api::start().await;
    for path in ["/healthz", "/nothing", "/api/v1/users"] {
        let request = request("GET", path, "").header("x-request-id", "test-17");
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        for (name, value) in [
            ("x-request-id", "test-17"),
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn a_store_that_can_not_be_written_is_unavailable_until_it_can() {
    let (api, owner) = Api::with_owner().await;
    let path = api.config.data_dir.join("wharfinger.db");
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let body = json!({"username": "alice", "password": PASSWORD});
    let answer = api.post("/api/v1/users", &owner, body.clone()).await;
    answer.is_problem(503, "store-down");
    assert!(answer.headers.contains_key("retry-after"));
    let text = answer.body.to_string().to_lowercase();
    assert!(["sql", "lock", "database"].iter().all(|word| !text.contains(word)), "{text}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(api.post("/api/v1/users", &owner, body).await.status, 201);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for_forever() {
    let api = Api::start().await;
    tokio::time::pause();
    let never = futures_util::stream::pending::<Result<Bytes, io::Error>>();
    let answer = api.post_text("/api/v1/auth/token", "", Body::from_stream(never)).await;
    answer.is_problem(408, "body-too-slow");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_bad_request() {
    let api = Api::start().await;
    let broken = futures_util::stream::iter([
        Ok(Bytes::from_static(b"{\"username\":")),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]);
    api.post_text("/api/v1/auth/token", "", Body::from_stream(broken)).await.is_problem(400, "malformed");
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What was logged of these requests.
    fn of(&self, requests: &[String]) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let own = text.lines().filter(|line| requests.iter().any(|request| line.contains(request)));
        own.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn the_access_log_names_who_did_what_and_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
    // For all threads: what is logged first on another test's would never be logged on this one.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let api = Api::start().await;
    let auditor = api.token(Role::Auditor).await;
    let login = json!({"username": "auditor", "password": PASSWORD});
    let wrong = json!({"username": "my secret typed as name", "password": "not the password"});
    let answers = [
        api.post("/api/v1/auth/token", "", login).await,
        api.post("/api/v1/auth/token", "", wrong).await,
        api.post("/api/v1/users", &auditor, json!({"username": "alice"})).await,
    ];
    let statuses = answers.each_ref().map(|answer| answer.status.as_u16());
    assert_eq!(statuses, [200, 401, 403]);

    let logged = log.of(&answers.map(|answer| answer.header("x-request-id").to_owned()));
    let lines: Vec<&Value> = logged.iter().filter(|line| line["message"] == "request").collect();
    let told: Vec<_> = lines.iter().map(|line| (&line["path"], &line["status"], &line["actor"])).collect();
    assert_eq!(
        told,
        [
            (&json!("/api/v1/auth/token"), &json!(200), &json!("auditor")),
            (&json!("/api/v1/auth/token"), &json!(401), &json!("")),
            (&json!("/api/v1/users"), &json!(403), &json!("auditor")),
        ]
    );
    assert!(lines.iter().all(|line| line["address"] == "192.0.2.1" && line["request_id"].is_string()));
    let text = Value::from(logged).to_string();
    for secret in [PASSWORD, "not the password", "my secret", auditor.as_str()] {
        assert!(!text.contains(secret), "{text}");
    }
}
