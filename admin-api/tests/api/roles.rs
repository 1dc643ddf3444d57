//! Every route for every role: who is let through, and that who isn't changes nothing.

use axum::body::Body;
use serde_json::json;
use wharfinger_accounts::Role;

use crate::harness::{Api, request};

/// Method, path, whether it changes something, and what who may do it gets.
const ROUTES: [(&str, &str, bool, u16); 7] = [
    ("GET", "/api/v1/users", false, 200),
    ("GET", "/api/v1/users/alice", false, 200),
    ("POST", "/api/v1/users", true, 201),
    ("POST", "/api/v1/users/alice/disable", true, 200),
    ("POST", "/api/v1/users/alice/enable", true, 200),
    ("POST", "/api/v1/users/alice/rotate-password", true, 200),
    ("DELETE", "/api/v1/users/alice", true, 204),
];

async fn api_with_alice() -> (Api, String) {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    (api, owner)
}

async fn status_for(api: &Api, (method, path): (&str, &str), token: &str) -> u16 {
    let request = request(method, path, token).header("content-type", "application/json");
    let body = if path.ends_with("users") { json!({"username": "bob"}).to_string() } else { String::new() };
    let answer = api.send(request.body(Body::from(body)).unwrap()).await;
    match answer.status.as_u16() {
        401 => answer.is_problem(401, "no-credential").status.as_u16(),
        403 => answer.is_problem(403, "role-may-not").status.as_u16(),
        other => other,
    }
}

#[tokio::test]
async fn without_a_credential_nothing_is_done() {
    let (api, owner) = api_with_alice().await;
    let before = api.get("/api/v1/users", &owner).await.body;
    for (method, path, _, _) in ROUTES {
        assert_eq!(status_for(&api, (method, path), "").await, 401, "{method} {path}");
    }
    assert_eq!(api.get("/api/v1/users", &owner).await.body, before);
}

#[tokio::test]
async fn an_auditor_reads_everything_and_changes_nothing() {
    let (api, owner) = api_with_alice().await;
    let auditor = api.token(Role::Auditor).await;
    let before = api.get("/api/v1/users", &owner).await.body;
    for (method, path, changes, good) in ROUTES {
        let expected = if changes { 403 } else { good };
        assert_eq!(status_for(&api, (method, path), &auditor).await, expected, "{method} {path}");
    }
    assert_eq!(api.get("/api/v1/users", &owner).await.body, before);
}

#[tokio::test]
async fn a_user_manager_reads_and_changes_users() {
    let (api, _) = api_with_alice().await;
    let manager = api.token(Role::UserManager).await;
    for (method, path, _, good) in ROUTES {
        assert_eq!(status_for(&api, (method, path), &manager).await, good, "{method} {path}");
    }
}

#[tokio::test]
async fn an_owner_reads_and_changes_users() {
    let (api, owner) = api_with_alice().await;
    for (method, path, _, good) in ROUTES {
        assert_eq!(status_for(&api, (method, path), &owner).await, good, "{method} {path}");
    }
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_looked_at() {
    let (api, _) = api_with_alice().await;
    let auditor = api.token(Role::Auditor).await;
    api.post_text("/api/v1/users", "", "{").await.is_problem(401, "no-credential");
    api.post_text("/api/v1/users", &auditor, "{").await.is_problem(403, "role-may-not");
}
