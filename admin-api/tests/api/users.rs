//! What the users' routes do when all is well, and when the user isn't there or has changed.

use std::collections::BTreeSet;

use axum::body::Body;
use serde_json::{Value, json};
use wharfinger_accounts::{Attempt, LoginError, Password, Proof, Protocol};

use crate::harness::{Answer, Api, PASSWORD, request};

const MEMBERS: [&str; 20] = [
    "username",
    "status",
    "description",
    "home",
    "permissions",
    "quota",
    "usage",
    "limits",
    "allowed_networks",
    "protocols",
    "client_certificate",
    "expires_at",
    "password_changed_at",
    "password_expires_at",
    "must_change_by",
    "previous_password",
    "last_login_at",
    "created_at",
    "updated_at",
    "version",
];

async fn logs_in(api: &Api, name: &str, password: &str) -> bool {
    let (password, address) = (Password::new(password), [192, 0, 2, 9].into());
    let attempt =
        Attempt { username: name, proof: Proof::Password(&password), address, protocol: Protocol::Ftps };
    match api.accounts.log_in(attempt).await {
        Ok(_) => true,
        Err(LoginError::Refused(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

async fn if_match(api: &Api, (method, path): (&str, &str), token: &str, tags: &str) -> Answer {
    api.send(request(method, path, token).header("if-match", tags).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_user_with_only_a_name_gets_the_defaults_and_a_password() {
    let (api, owner) = Api::with_owner().await;
    let answer = api.post("/api/v1/users", &owner, json!({"username": "alice"})).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), "/api/v1/users/alice");
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("content-type"), "application/json");

    let mut user = answer.body;
    let password = user.as_object_mut().unwrap().remove("password").unwrap();
    assert!(logs_in(&api, "alice", password.as_str().unwrap()).await);
    let members: BTreeSet<&str> = user.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(MEMBERS));
    for time in ["password_changed_at", "created_at", "updated_at"] {
        let text = user[time].as_str().unwrap();
        assert!(text.ends_with('Z') && text.parse::<wharfinger_accounts::Timestamp>().is_ok(), "{text}");
        user[time] = Value::Null;
    }
    let expected = json!({
        "username": "alice", "status": "active", "description": "", "home": "alice",
        "permissions": [{"path": "/", "allow": ["list", "download", "upload", "overwrite", "append", "rename",
            "delete", "make_directory", "remove_directory", "set_attributes"]}],
        "quota": {"max_bytes": null, "max_files": null},
        "usage": {"bytes": 0, "files": 0, "recounted_at": null},
        "limits": {"max_sessions": null, "download_bytes_per_second": null, "upload_bytes_per_second": null},
        "allowed_networks": [], "protocols": ["ftps"], "client_certificate": "none",
        "expires_at": null, "password_changed_at": null, "password_expires_at": null, "must_change_by": null,
        "previous_password": {"valid_until": null, "last_used_at": null},
        "last_login_at": null, "created_at": null, "updated_at": null, "version": 1,
    });
    assert_eq!(user, expected);
}

#[tokio::test]
async fn a_user_with_everything_chosen_comes_back_as_chosen() {
    let (api, owner) = Api::with_owner().await;
    let chosen = json!({
        "username": "camera-7@gate.example", "status": "disabled", "description": "Kamera am Tor, ä",
        "home": "cameras/7", "permissions": [{"path": "/", "allow": ["list"]}, {"path": "/in", "allow": ["upload"]}],
        "quota": {"max_bytes": 9_007_199_254_740_993_u64, "max_files": 10},
        "limits": {"max_sessions": 2, "download_bytes_per_second": 1, "upload_bytes_per_second": 1_000_000},
        "allowed_networks": ["192.0.2.0/24", "2001:db8::/32"], "protocols": ["ftps", "ftp", "mftp"],
        "client_certificate": "optional", "expires_at": "2090-01-01T00:00:00Z",
        "password_expires_at": "2089-01-01T00:00:00Z", "must_change_by": "2088-01-01T00:00:00Z",
    });
    let mut sent = chosen.clone();
    sent["password"] = json!(PASSWORD);
    let created = api.post("/api/v1/users", &owner, sent).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert!(created.body.get("password").is_none());
    let read = api.get("/api/v1/users/camera-7@gate.example", &owner).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.body, created.body);
    assert_eq!(read.header("etag"), created.header("etag"));
    for (member, value) in chosen.as_object().unwrap() {
        assert_eq!(&read.body[member], value, "{member}");
    }
}

#[tokio::test]
async fn an_address_is_taken_as_a_network_of_one_and_a_time_with_offset_becomes_utc() {
    let (api, owner) = Api::with_owner().await;
    let body = json!({
        "username": "alice", "password": PASSWORD,
        "allowed_networks": ["192.0.2.1"], "expires_at": "2090-01-01T02:00:00+02:00",
    });
    let answer = api.post("/api/v1/users", &owner, body).await;
    assert_eq!(answer.body["allowed_networks"], json!(["192.0.2.1/32"]));
    assert_eq!(answer.body["expires_at"], "2090-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_and_leaves_the_user_as_it_was() {
    let (api, owner) = Api::with_owner().await;
    let first = api.create("alice", &owner).await;
    let body = json!({"username": "alice", "description": "second"});
    api.post("/api/v1/users", &owner, body).await.is_problem(409, "name-taken");
    assert_eq!(api.get("/api/v1/users/alice", &owner).await.body, first.body);
    assert_eq!(api.create("Alice", &owner).await.body["home"], "Alice");
}

#[tokio::test]
async fn of_many_who_create_one_name_at_once_exactly_one_succeeds() {
    let (api, owner) = Api::with_owner().await;
    let create = || api.post("/api/v1/users", &owner, json!({"username": "alice", "password": PASSWORD}));
    let answers = tokio::join!(create(), create(), create(), create(), create(), create());
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 5);
}

#[tokio::test]
async fn disabling_keeps_the_user_out_and_enabling_lets_them_in() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let disabled = api.post("/api/v1/users/alice/disable", &owner, json!({})).await;
    assert_eq!((disabled.status.as_u16(), disabled.header("etag")), (200, "\"2\""));
    assert_eq!((&disabled.body["status"], &disabled.body["version"]), (&json!("disabled"), &json!(2)));
    assert!(!logs_in(&api, "alice", PASSWORD).await);
    let enabled = api.post("/api/v1/users/alice/enable", &owner, json!({})).await;
    assert_eq!((enabled.status.as_u16(), &enabled.body["status"]), (200, &json!("active")));
    assert!(logs_in(&api, "alice", PASSWORD).await);
}

#[tokio::test]
async fn a_rotation_without_a_body_generates_a_password_and_ends_the_old_one() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let path = "/api/v1/users/alice/rotate-password";
    let answer = api.send(request("POST", path, &owner).body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    let members: BTreeSet<&str> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["username", "password"]));
    assert!(!logs_in(&api, "alice", PASSWORD).await);
    assert!(logs_in(&api, "alice", answer.body["password"].as_str().unwrap()).await);
}

#[tokio::test]
async fn a_rotation_with_a_grace_time_leaves_both_passwords_working() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let body = json!({"password": "another good password", "grace_seconds": 3600, "end_sessions": true});
    let answer = api.post("/api/v1/users/alice/rotate-password", &owner, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["username"], "alice");
    assert!(answer.body.get("password").is_none());
    assert!(logs_in(&api, "alice", PASSWORD).await);
    assert!(logs_in(&api, "alice", "another good password").await);
    let user = api.get("/api/v1/users/alice", &owner).await.body;
    assert_eq!(user["previous_password"]["valid_until"], answer.body["previous_valid_until"]);
    assert!(user["previous_password"]["last_used_at"].is_string());
    assert!(user["last_login_at"].is_string());
}

#[tokio::test]
async fn a_removed_user_is_gone_and_the_name_is_free() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    api.create("bob", &owner).await;
    let answer = api.delete("/api/v1/users/alice", &owner).await;
    assert_eq!((answer.status.as_u16(), &answer.body), (204, &Value::Null));
    assert_eq!(api.delete("/api/v1/users/bob?files=keep", &owner).await.status, 204);
    api.get("/api/v1/users/alice", &owner).await.is_problem(404, "no-such-user");
    assert!(!logs_in(&api, "alice", PASSWORD).await);
    api.create("alice", &owner).await;
}

#[tokio::test]
async fn a_user_whose_files_go_too_leaves_a_home_that_nobody_is_given() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    api.create("bob", &owner).await;
    api.delete("/api/v1/users/alice?files=all", &owner).await.is_invalid_at(&["/files"]);
    api.delete("/api/v1/users/alice?file=keep", &owner).await.is_invalid_at(&[""]);
    assert_eq!(api.get("/api/v1/users/alice", &owner).await.status, 200);
    assert_eq!(api.delete("/api/v1/users/alice?files=delete", &owner).await.status, 204);
    let again = api.post("/api/v1/users", &owner, json!({"username": "alice"})).await;
    again.is_problem(409, "home-is-going");
    let below = api.patch("/api/v1/users/bob", &owner, json!({"home": "alice/below"})).await;
    below.is_problem(409, "home-is-going");
    let elsewhere = json!({"username": "alice", "home": "elsewhere"});
    assert_eq!(api.post("/api/v1/users", &owner, elsewhere).await.status, 201);
}

#[tokio::test]
async fn who_is_not_there_is_not_found_whatever_is_asked() {
    let (api, owner) = Api::with_owner().await;
    for name in ["nobody", "..%2Fetc", "%00", "%FF", "a%20b", &"a".repeat(65)] {
        let path = format!("/api/v1/users/{name}");
        api.get(&path, &owner).await.is_problem(404, "no-such-user");
        api.delete(&path, &owner).await.is_problem(404, "no-such-user");
        for change in ["disable", "enable", "rotate-password"] {
            let path = format!("{path}/{change}");
            api.post(&path, &owner, json!({})).await.is_problem(404, "no-such-user");
        }
    }
}

#[tokio::test]
async fn a_stale_if_match_changes_nothing() {
    let (api, owner) = Api::with_owner().await;
    let before = api.create("alice", &owner).await.body;
    let routes = [
        ("POST", "/api/v1/users/alice/disable"),
        ("POST", "/api/v1/users/alice/enable"),
        ("POST", "/api/v1/users/alice/rotate-password"),
        ("DELETE", "/api/v1/users/alice"),
    ];
    for route in routes {
        for tags in ["\"2\"", "W/\"1\"", "\"x\"", "\"7\", \"8\""] {
            if_match(&api, route, &owner, tags).await.is_problem(412, "version-differs");
        }
        if_match(&api, route, &owner, "1").await.is_problem(400, "malformed");
    }
    assert_eq!(api.get("/api/v1/users/alice", &owner).await.body, before);
    assert!(logs_in(&api, "alice", PASSWORD).await);
}

#[tokio::test]
async fn a_fitting_if_match_lets_the_change_through() {
    let (api, owner) = Api::with_owner().await;
    let tag = api.create("alice", &owner).await.header("etag").to_owned();
    let answer = if_match(&api, ("POST", "/api/v1/users/alice/disable"), &owner, &tag).await;
    assert_eq!(answer.status, 200);
    if_match(&api, ("POST", "/api/v1/users/alice/enable"), &owner, &tag)
        .await
        .is_problem(412, "version-differs");
    let tags = format!("\"9\", {}", answer.header("etag"));
    let answer = if_match(&api, ("POST", "/api/v1/users/alice/rotate-password"), &owner, &tags).await;
    assert_eq!(answer.status, 200);
    assert_eq!(if_match(&api, ("DELETE", "/api/v1/users/alice"), &owner, "*").await.status, 204);
}
