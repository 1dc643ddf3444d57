//! Admins and API keys as an owner manages them, and what becomes of their credentials.

use axum::body::Body;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, PASSWORD, request};

const ADMINS: &str = "/api/v1/admins";
const KEYS: &str = "/api/v1/api-keys";
const LOGIN: &str = "/api/v1/auth/token";

async fn log_in(api: &Api, name: &str, password: &str) -> Answer {
    api.post(LOGIN, "", json!({"username": name, "password": password})).await
}

/// A token got with the password, as a person gets one.
async fn token_of(api: &Api, name: &str, password: &str) -> String {
    let answer = log_in(api, name, password).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["access_token"].as_str().unwrap().to_owned()
}

async fn make_key(api: &Api, owner: &str, role: &str) -> (String, String) {
    let answer = api.post(KEYS, owner, json!({"name": "a test's", "role": role})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let text = |member: &str| answer.body[member].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

#[tokio::test]
async fn an_admin_is_created_with_a_password_given_or_shown_once() {
    let (api, owner) = Api::with_owner().await;
    let body = json!({"username": "bob", "role": "user-manager", "password": "a password for bob"});
    let answer = api.post(ADMINS, &owner, body.clone()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!((answer.header("location"), answer.header("etag")), ("/api/v1/admins/bob", "\"1\""));
    assert_eq!((&answer.body["role"], &answer.body["status"]), (&json!("user-manager"), &json!("active")));
    assert!(answer.body.get("password").is_none());
    api.post(ADMINS, &owner, body).await.is_problem(409, "name-taken");
    let answer = api.post(ADMINS, &owner, json!({"username": "eve", "role": "auditor"})).await;
    let generated = answer.body["password"].as_str().unwrap();
    assert!(generated.len() >= 22);
    token_of(&api, "eve", generated).await;
    assert!(!api.get(ADMINS, &owner).await.body.to_string().contains("argon2"));
}

#[tokio::test]
async fn bad_admins_are_refused_with_their_pointers() {
    let (api, owner) = Api::with_owner().await;
    for (body, pointers) in [
        (json!({}), vec!["/username", "/role"]),
        (json!({"username": "../x", "role": "root"}), vec!["/username", "/role"]),
        (json!({"username": "bob", "role": "owner", "status": "active"}), vec!["/status"]),
        (json!({"username": "bob", "role": "owner", "password": "short"}), vec!["/password"]),
    ] {
        api.post(ADMINS, &owner, body).await.is_invalid_at(&pointers);
    }
    api.create_admin("bob", &owner).await;
    for (body, pointer) in [
        (json!({"role": null}), "/role"),
        (json!({"status": null}), "/status"),
        (json!({"username": "eve"}), "/username"),
        (json!([]), ""),
    ] {
        api.patch("/api/v1/admins/bob", &owner, body).await.is_invalid_at(&[pointer]);
    }
    for path in ["/api/v1/admins/nobody", "/api/v1/admins/a%00b", "/api/v1/admins/%2e%2e"] {
        api.patch(path, &owner, json!({})).await.is_problem(404, "no-such-admin");
        api.delete(path, &owner).await.is_problem(404, "no-such-admin");
    }
}

#[tokio::test]
async fn admins_are_listed_in_pages() {
    let (api, owner) = Api::with_owner().await;
    for name in ["anna", "zoe"] {
        api.create_admin(name, &owner).await;
    }
    let first = api.get("/api/v1/admins?limit=2", &owner).await.body;
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["anna", "owner"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/api/v1/admins?cursor={cursor}"), &owner).await.body;
    assert_eq!((names(&rest), &rest["next_cursor"]), (vec!["zoe".to_owned()], &Value::Null));
    for path in [
        "/api/v1/admins?cursor=x",
        &format!("/api/v1/users?cursor={cursor}"),
        &format!("{KEYS}?cursor={cursor}"),
    ] {
        api.get(path, &owner).await.is_invalid_at(&["/cursor"]);
    }
    api.get("/api/v1/admins?q=x", &owner).await.is_invalid_at(&[""]);
}

#[tokio::test]
async fn any_change_to_an_admin_ends_the_admins_tokens() {
    let (api, owner) = Api::with_owner().await;
    for change in [
        ("PATCH", "", json!({"role": "auditor"})),
        ("PATCH", "", json!({"status": "disabled"})),
        ("POST", "/rotate-password", json!({"password": "another good password"})),
        ("DELETE", "", Value::Null),
    ] {
        api.create_admin("bob", &owner).await;
        let token = token_of(&api, "bob", PASSWORD).await;
        assert_eq!(api.get("/api/v1/users", &token).await.status, 200);
        let (method, action, body) = change;
        let path = format!("/api/v1/admins/bob{action}");
        let request = request(method, &path, &owner).header("content-type", "application/json");
        let done = api.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert!(done.status.is_success(), "{method}: {}", done.body);
        api.get("/api/v1/users", &token).await.is_problem(401, "bad-token");
        api.delete("/api/v1/admins/bob", &owner).await;
    }
}

#[tokio::test]
async fn the_last_enabled_owner_stays() {
    let (api, owner) = Api::with_owner().await;
    for body in [json!({"status": "disabled"}), json!({"role": "user-manager"})] {
        api.patch("/api/v1/admins/owner", &owner, body).await.is_problem(409, "last-owner");
    }
    api.delete("/api/v1/admins/owner", &owner).await.is_problem(409, "last-owner");
    assert_eq!(api.get(ADMINS, &owner).await.status, 200);
}

#[tokio::test]
async fn changes_to_admins_honour_if_match() {
    let (api, owner) = Api::with_owner().await;
    api.create_admin("bob", &owner).await;
    let send = async |method: &str, action: &str, tag: &str, body: &str| {
        let path = format!("/api/v1/admins/bob{action}");
        let request = request(method, &path, &owner).header("content-type", "application/json");
        api.send(request.header("if-match", tag).body(Body::from(body.to_owned())).unwrap()).await
    };
    send("PATCH", "", "\"2\"", r#"{"role":"auditor"}"#).await.is_problem(412, "version-differs");
    send("POST", "/rotate-password", "\"2\"", "{}").await.is_problem(412, "version-differs");
    send("DELETE", "", "\"2\", \"3\"", "").await.is_problem(412, "version-differs");
    let changed = send("PATCH", "", "\"1\", \"9\"", r#"{"role":"auditor"}"#).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    assert_eq!(send("DELETE", "", "\"2\"", "").await.status, 204);
}

#[tokio::test]
async fn an_api_key_does_what_its_role_may_and_is_shown_once() {
    let (api, owner) = Api::with_owner().await;
    let (id, key) = make_key(&api, &owner, "user-manager").await;
    assert!(key.starts_with(&format!("whk_{id}_")), "{key}");
    assert_eq!(api.get("/api/v1/users", &key).await.status, 200);
    api.create("alice", &key).await;
    api.get(ADMINS, &key).await;
    api.post(ADMINS, &key, json!({"username": "eve", "role": "owner"})).await.is_problem(403, "role-may-not");
    api.post(KEYS, &key, json!({"name": "x", "role": "auditor"})).await.is_problem(403, "role-may-not");
    let listed = api.get(KEYS, &owner).await.body;
    assert_eq!(listed["items"][0]["created_by"], "owner");
    assert!(listed["items"][0]["last_used_at"].is_string());
    assert!(!listed.to_string().contains(&key[37..]), "only a digest of it is kept");
    assert_eq!(api.delete(&format!("{KEYS}/{id}"), &owner).await.status, 204);
    api.get("/api/v1/users", &key).await.is_problem(401, "bad-token");
    api.delete(&format!("{KEYS}/{id}"), &owner).await.is_problem(404, "no-such-key");
}

#[tokio::test]
async fn a_key_of_a_removed_admin_is_refused() {
    let (api, owner) = Api::with_owner().await;
    let body = json!({"username": "second", "role": "owner", "password": PASSWORD});
    api.post(ADMINS, &owner, body).await;
    let second = token_of(&api, "second", PASSWORD).await;
    let (_, key) = make_key(&api, &second, "auditor").await;
    let password = json!({"password": "another good password"});
    api.post("/api/v1/admins/second/rotate-password", &owner, password).await;
    assert_eq!(api.get("/api/v1/users", &key).await.status, 200, "a new password leaves keys alone");
    assert_eq!(api.delete("/api/v1/admins/second", &owner).await.status, 204);
    api.get("/api/v1/users", &key).await.is_problem(401, "bad-token");
}

#[tokio::test]
async fn bad_keys_are_refused_with_their_pointers() {
    let (api, owner) = Api::with_owner().await;
    for (body, pointers) in [
        (json!({}), vec!["/name", "/role"]),
        (json!({"name": "", "role": "god"}), vec!["/name", "/role"]),
        (json!({"name": "a\nb", "role": "auditor"}), vec!["/name"]),
        (json!({"name": "x", "role": "auditor", "expires_at": "2020-01-01T00:00:00Z"}), vec!["/expires_at"]),
        (json!({"name": "x", "role": "auditor", "expires": "2040-01-01T00:00:00Z"}), vec!["/expires"]),
    ] {
        api.post(KEYS, &owner, body).await.is_invalid_at(&pointers);
    }
    for key in ["whk_", "whk_0_0", "whk_zz", &format!("whk_{}_{}", "0".repeat(32), "0".repeat(64))] {
        api.get("/api/v1/users", key).await.is_problem(401, "bad-token");
    }
}
