//! All users out, and many in: NDJSON, streamed, line by line.

use std::io;

use axum::body::{Body, Bytes, to_bytes};
use futures_util::stream;
use serde_json::{Value, json};

use crate::harness::{Api, PASSWORD, request};

const EXPORT: &str = "/api/v1/users:export";
const IMPORT: &str = "/api/v1/users:import";

async fn lines_of(api: &Api, request: axum::http::Request<Body>) -> Vec<Value> {
    let response = api.head_of(request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn import(api: &Api, owner: &str, query: &str, body: impl Into<Body>) -> Vec<Value> {
    let request =
        request("POST", &format!("{IMPORT}{query}"), owner).header("content-type", "application/x-ndjson");
    lines_of(api, request.body(body.into()).unwrap()).await
}

async fn export(api: &Api, owner: &str) -> Vec<Value> {
    lines_of(api, request("GET", EXPORT, owner).body(Body::empty()).unwrap()).await
}

fn results(report: &[Value]) -> Vec<&str> {
    report.iter().filter_map(|line| line["result"].as_str()).collect()
}

#[tokio::test]
async fn an_export_can_be_imported_elsewhere() {
    let (here, owner) = Api::with_owner().await;
    for name in ["alice", "bob"] {
        here.create(name, &owner).await;
    }
    here.patch("/api/v1/users/bob", &owner, json!({"quota": {"max_bytes": 7}})).await;
    let exported = export(&here, &owner).await;
    assert_eq!(exported.len(), 2);
    assert_eq!(exported[1], here.get("/api/v1/users/bob", &owner).await.body);
    assert!(!format!("{exported:?}").contains("argon2"));

    let (there, owner) = Api::with_owner().await;
    let text = exported.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let dry = import(&there, &owner, "?dry_run=true", text.clone()).await;
    assert_eq!(results(&dry), ["would-create", "would-create"]);
    assert!(export(&there, &owner).await.is_empty(), "nothing was done");
    let report = import(&there, &owner, "", text.clone()).await;
    assert_eq!(results(&report), ["created", "created"]);
    assert!(report[0]["password"].as_str().unwrap().len() >= 22, "generated, and shown once");
    assert_eq!(report[2]["summary"]["created"], 2);
    assert_eq!(there.get("/api/v1/users/bob", &owner).await.body["quota"]["max_bytes"], 7);
    assert_eq!(results(&import(&there, &owner, "", text).await), ["exists", "exists"]);
}

#[tokio::test]
async fn each_line_is_judged_for_itself() {
    let (api, owner) = Api::with_owner().await;
    let body = [
        &json!({"username": "alice", "password": PASSWORD}).to_string(),
        "",
        "no json",
        r#"{"username":"a b","quota":{"max_byte":1}}"#,
        r#"{"username":"weak","password":"short"}"#,
        &json!({"username": "zoe", "password": PASSWORD}).to_string(),
    ]
    .join("\n");
    let report = import(&api, &owner, "", body).await;
    assert_eq!(results(&report), ["created", "invalid", "invalid", "invalid", "created"]);
    let numbers: Vec<u64> = report.iter().filter_map(|line| line["line"].as_u64()).collect();
    assert_eq!(numbers, [1, 3, 4, 5, 6]);
    let pointers = |line: &Value| -> Vec<String> {
        let errors = line["errors"].as_array().unwrap().iter();
        errors.map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(pointers(&report[2]), ["/username", "/quota/max_byte"]);
    assert_eq!(pointers(&report[3]), ["/password"]);
    let summary = &report[5]["summary"];
    assert_eq!(
        (&summary["created"], &summary["invalid"], &summary["complete"]),
        (&json!(2), &json!(3), &json!(true))
    );
    assert!(!format!("{report:?}").contains("short"), "what was sent is not repeated");
}

#[tokio::test]
async fn an_import_is_larger_than_any_other_body() {
    let (api, owner) = Api::with_owner().await;
    let line = Bytes::from(format!("{{\"username\":\"x y\",\"description\":\"{}\"}}\n", "d".repeat(100_000)));
    let body = stream::iter((0..40).map(move |_| Ok::<_, io::Error>(line.clone())));
    let report = import(&api, &owner, "", Body::from_stream(body)).await;
    assert_eq!(report.last().unwrap()["summary"]["invalid"], 40);
}

#[tokio::test]
async fn an_import_that_breaks_off_says_where() {
    let (api, owner) = Api::with_owner().await;
    let good = json!({"username": "alice", "password": PASSWORD}).to_string() + "\n{\"user";
    let body = stream::iter([Ok(Bytes::from(good)), Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
    let report = import(&api, &owner, "", Body::from_stream(body)).await;
    assert_eq!(results(&report), ["created", "failed"]);
    assert_eq!(report[2]["summary"]["complete"], false);
    assert_eq!(export(&api, &owner).await.len(), 1, "no half of a user");
}

#[tokio::test]
async fn an_import_must_say_what_it_is() {
    let (api, owner) = Api::with_owner().await;
    api.post_text(IMPORT, &owner, "{}").await.is_problem(415, "not-ndjson");
    let request = request("POST", "/api/v1/users:import?dry=true", &owner);
    let answer =
        api.send(request.header("content-type", "application/x-ndjson").body(Body::empty()).unwrap()).await;
    answer.is_invalid_at(&[""]);
}
