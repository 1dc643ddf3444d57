//! What clients get wrong, on purpose or not: bodies, values, addresses.

use axum::body::Body;
use serde_json::{Value, json};

use crate::harness::{Api, PASSWORD, request};

const USERS: &str = "/api/v1/users";

/// A body for alice with one more member.
fn alice_with(member: &str, value: Value) -> Value {
    let mut body = json!({"username": "alice", "password": PASSWORD});
    body[member] = value;
    body
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_bad_request() {
    let (api, owner) = Api::with_owner().await;
    for body in
        ["", "{", "username=alice", "{\"username\":\"alice\"} x", "{\"username\":\"a\",\"username\":\"b\"}"]
    {
        api.post_text(USERS, &owner, body).await.is_problem(400, "malformed");
    }
    api.post_text(USERS, &owner, &b"{\"username\":\"\xff\"}"[..]).await.is_problem(400, "malformed");
    api.post_text(USERS, &owner, "[".repeat(100_000)).await.is_problem(400, "malformed");
}

#[tokio::test]
async fn a_document_that_is_no_object_is_invalid() {
    let (api, owner) = Api::with_owner().await;
    for body in ["[]", "null", "\"alice\"", "1"] {
        api.post_text(USERS, &owner, body).await.is_invalid_at(&[""]);
    }
}

#[tokio::test]
async fn unknown_members_are_refused_wherever_they_are() {
    let (api, owner) = Api::with_owner().await;
    for (body, pointer) in [
        (alice_with("pasword", json!("x")), "/pasword"),
        (alice_with("a/b~", json!("x")), "/a~1b~0"),
        (alice_with("quota", json!({"max_byte": 1})), "/quota/max_byte"),
        (alice_with("limits", json!({"sessions": 1})), "/limits/sessions"),
        (alice_with("permissions", json!([{"path": "/", "allow": [], "deny": []}])), "/permissions/0/deny"),
    ] {
        api.post(USERS, &owner, body).await.is_invalid_at(&[pointer]);
    }
    api.get("/api/v1/users/alice", &owner).await.is_problem(404, "no-such-user");
}

#[tokio::test]
async fn members_set_by_the_service_are_refused() {
    let (api, owner) = Api::with_owner().await;
    let read_only = [
        "usage",
        "password_changed_at",
        "previous_password",
        "last_login_at",
        "created_at",
        "updated_at",
        "version",
    ];
    for member in read_only {
        let answer = api.post(USERS, &owner, alice_with(member, Value::Null)).await;
        answer.is_invalid_at(&[&format!("/{member}")]);
    }
}

#[tokio::test]
async fn wrong_types_are_refused() {
    let (api, owner) = Api::with_owner().await;
    for (member, value, pointer) in [
        ("username", json!(7), "/username"),
        ("username", Value::Null, "/username"),
        ("password", json!(["x"]), "/password"),
        ("password", Value::Null, "/password"),
        ("status", json!(true), "/status"),
        ("status", json!("Active"), "/status"),
        ("description", Value::Null, "/description"),
        ("home", json!({}), "/home"),
        ("permissions", json!({"/": ["list"]}), "/permissions"),
        ("permissions", json!([{"path": "/"}]), "/permissions/0/allow"),
        ("permissions", json!([{"path": 1, "allow": []}]), "/permissions/0/path"),
        ("quota", json!({"max_bytes": "1 GB"}), "/quota/max_bytes"),
        ("quota", json!({"max_bytes": -1}), "/quota/max_bytes"),
        ("quota", json!({"max_files": 1.5}), "/quota/max_files"),
        ("quota", Value::Null, "/quota"),
        ("limits", json!({"max_sessions": 4_294_967_296_u64}), "/limits/max_sessions"),
        ("allowed_networks", json!("192.0.2.0/24"), "/allowed_networks"),
        ("allowed_networks", json!(["192.0.2.0/24", "192.0.2.0/33"]), "/allowed_networks/1"),
        ("protocols", json!(["ftps", "sftp"]), "/protocols/1"),
        ("client_certificate", json!("sometimes"), "/client_certificate"),
        ("expires_at", json!("tomorrow"), "/expires_at"),
        ("password_expires_at", json!(1_900_000_000), "/password_expires_at"),
        ("must_change_by", json!("2030-13-01T00:00:00Z"), "/must_change_by"),
    ] {
        api.post(USERS, &owner, alice_with(member, value)).await.is_invalid_at(&[pointer]);
    }
}

#[tokio::test]
async fn everything_wrong_is_said_at_once() {
    let (api, owner) = Api::with_owner().await;
    let body = json!({"status": "on", "quota": {"max_bytes": -1, "x": 1}, "version": 3, "zzz": 1});
    let expected = ["/username", "/status", "/quota/max_bytes", "/quota/x", "/version", "/zzz"];
    api.post(USERS, &owner, body).await.is_invalid_at(&expected);
}

#[tokio::test]
async fn names_outside_the_rules_are_refused() {
    let (api, owner) = Api::with_owner().await;
    let long = "a".repeat(65);
    for name in ["", ".", "..", "a b", "a/b", "../etc", "ä", "a\0", "a\n", "a:b", &long] {
        let body = json!({"username": name, "password": PASSWORD});
        api.post(USERS, &owner, body).await.is_invalid_at(&["/username"]);
    }
}

#[tokio::test]
async fn homes_outside_the_storage_root_are_refused() {
    let (api, owner) = Api::with_owner().await;
    for home in ["", "/", "/etc", "..", "../other", "a/../../etc", "a/./b", "a//b", "a\0b", ".wharfinger-x"] {
        api.post(USERS, &owner, alice_with("home", json!(home))).await.is_invalid_at(&["/home"]);
    }
}

#[tokio::test]
async fn permissions_that_are_not_known_or_doubtful_are_refused() {
    let (api, owner) = Api::with_owner().await;
    for (grants, pointer) in [
        (json!([{"path": "/", "allow": ["list", "everything"]}]), "/permissions/0/allow/1"),
        (json!([{"path": "/", "allow": ["List"]}]), "/permissions/0/allow/0"),
        (json!([{"path": "in", "allow": []}]), "/permissions"),
        (json!([{"path": "/a/..", "allow": []}]), "/permissions"),
        (json!([{"path": "/a", "allow": []}, {"path": "/a", "allow": ["list"]}]), "/permissions"),
    ] {
        api.post(USERS, &owner, alice_with("permissions", grants)).await.is_invalid_at(&[pointer]);
    }
}

#[tokio::test]
async fn weak_passwords_are_refused_at_creation_and_rotation() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice.of.the.gate", &owner).await;
    let long = "x7".repeat(513);
    for password in ["", "short", "alice.of.the.gate", "123456789012", "with\nline end", &long] {
        let body = json!({"username": "alice.of.the.gate", "password": password});
        let answer = api.post(USERS, &owner, body).await;
        answer.is_invalid_at(&["/password"]);
        assert!(password.is_empty() || !answer.body.to_string().contains(password));
        let path = "/api/v1/users/alice.of.the.gate/rotate-password";
        api.post(path, &owner, json!({"password": password})).await.is_invalid_at(&["/password"]);
    }
}

#[tokio::test]
async fn values_too_large_for_any_store_are_refused() {
    let (api, owner) = Api::with_owner().await;
    let quota = alice_with("quota", json!({"max_bytes": u64::MAX}));
    api.post(USERS, &owner, quota).await.is_invalid_at(&["/quota/max_bytes"]);
    let description = alice_with("description", json!("d".repeat(2000)));
    api.post(USERS, &owner, description).await.is_invalid_at(&["/description"]);
}

#[tokio::test]
async fn a_rotation_is_checked_like_a_creation() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let path = "/api/v1/users/alice/rotate-password";
    for (body, pointer) in [
        (json!({"grace": 5}), "/grace"),
        (json!({"grace_seconds": -5}), "/grace_seconds"),
        (json!({"grace_seconds": u64::MAX}), "/grace_seconds"),
        (json!({"end_sessions": "yes"}), "/end_sessions"),
        (json!({"password": null}), "/password"),
        (json!([]), ""),
    ] {
        api.post(path, &owner, body).await.is_invalid_at(&[pointer]);
    }
    api.post_text(path, &owner, "{").await.is_problem(400, "malformed");
    let undeclared = request("POST", path, &owner).body(Body::from("{}")).unwrap();
    api.send(undeclared).await.is_problem(415, "not-json");
    assert_eq!(api.get("/api/v1/users/alice", &owner).await.body["version"], 1);
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let (api, owner) = Api::with_owner().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", "*/*"] {
        let request = request("POST", USERS, &owner).header("content-type", kind);
        let answer = api.send(request.body(Body::from("{\"username\":\"alice\"}")).unwrap()).await;
        answer.is_problem(415, "not-json");
    }
    let request = request("POST", USERS, &owner).header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(api.send(request.body(Body::from("{\"username\":\"alice\"}")).unwrap()).await.status, 201);
}

#[tokio::test]
async fn a_body_beyond_a_mebibyte_is_refused() {
    let (api, owner) = Api::with_owner().await;
    let fill = |size: usize| {
        let start = r#"{"username":"alice","description":""#;
        format!("{start}{}\"}}", "x".repeat(size - start.len() - 2))
    };
    api.post_text(USERS, &owner, fill(1024 * 1024 + 1)).await.is_problem(413, "body-too-large");
    api.post_text(USERS, &owner, fill(1024 * 1024)).await.is_invalid_at(&["/description"]);
}

#[tokio::test]
async fn errors_do_not_repeat_what_was_sent() {
    let (api, owner) = Api::with_owner().await;
    let script = "<script>alert(1)</script>";
    for body in [
        json!({"username": script}),
        json!({"username": "alice", "status": script, "protocols": [script], "expires_at": script}),
        json!({"username": "alice", "home": format!("/{script}"), "allowed_networks": [script]}),
    ] {
        let answer = api.post(USERS, &owner, body).await;
        answer.is_problem(422, "invalid");
        assert!(!answer.body.to_string().contains("script"), "{}", answer.body);
    }
    let answer = api.get("/api/v1/users?status=script&limit=script&script=1&cursor=script", &owner).await;
    assert!(!answer.body.to_string().contains("script"), "{}", answer.body);
}
