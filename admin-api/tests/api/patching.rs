//! Users changed by merge patches, and the questions asked about them.

use axum::body::Body;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, PASSWORD, request};

const ALICE: &str = "/api/v1/users/alice";

async fn with_alice() -> (Api, String) {
    let (api, owner) = Api::with_owner().await;
    let body = json!({
        "username": "alice", "password": PASSWORD, "description": "Camera 7",
        "quota": {"max_bytes": 1000, "max_files": 10}, "limits": {"max_sessions": 2},
        "expires_at": "2090-01-01T00:00:00Z", "allowed_networks": ["192.0.2.0/24"],
    });
    assert_eq!(api.post("/api/v1/users", &owner, body).await.status, 201);
    (api, owner)
}

#[tokio::test]
async fn what_is_left_out_stays() {
    let (api, owner) = with_alice().await;
    let before = api.get(ALICE, &owner).await.body;
    let answer = api.patch(ALICE, &owner, json!({"quota": {"max_bytes": 5}})).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(answer.body["quota"], json!({"max_bytes": 5, "max_files": 10}));
    let mut expected = before.clone();
    for member in ["quota", "version", "updated_at"] {
        expected[member] = answer.body[member].clone();
    }
    assert_eq!(answer.body, expected);
    assert_eq!(api.patch(ALICE, &owner, json!({})).await.body["version"], 2, "nothing to change");
}

#[tokio::test]
async fn null_removes_what_may_be_absent() {
    let (api, owner) = with_alice().await;
    let patch = json!({"quota": {"max_files": null}, "limits": {"max_sessions": null}, "expires_at": null});
    let body = api.patch(ALICE, &owner, patch).await.body;
    assert_eq!(body["quota"], json!({"max_bytes": 1000, "max_files": null}));
    assert_eq!((&body["limits"]["max_sessions"], &body["expires_at"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn null_removes_nothing_that_every_user_has() {
    let (api, owner) = with_alice().await;
    for member in [
        "username",
        "status",
        "description",
        "home",
        "permissions",
        "quota",
        "limits",
        "allowed_networks",
        "protocols",
        "client_certificate",
        "usage",
        "version",
        "password",
        "password_changed_at",
    ] {
        let answer = api.patch(ALICE, &owner, json!({member: null})).await;
        answer.is_invalid_at(&[&format!("/{member}")]);
    }
    assert_eq!(api.get(ALICE, &owner).await.body["version"], 1);
}

#[tokio::test]
async fn a_patch_is_checked_like_a_creation() {
    let (api, owner) = with_alice().await;
    for (patch, pointer) in [
        (json!({"pasword": "x"}), "/pasword"),
        (json!({"quota": {"max_byte": 1}}), "/quota/max_byte"),
        (json!({"quota": {"max_bytes": -1}}), "/quota/max_bytes"),
        (json!({"quota": {"max_bytes": u64::MAX}}), "/quota/max_bytes"),
        (json!({"home": "../other"}), "/home"),
        (json!({"permissions": [{"path": "/", "allow": ["everything"]}]}), "/permissions/0/allow/0"),
        (json!({"allowed_networks": ["192.0.2.0/33"]}), "/allowed_networks/0"),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
        (json!({"password_expires_at": "2020-01-01T00:00:00Z"}), "/password_expires_at"),
        (json!({"must_change_by": "2020-01-01T00:00:00Z"}), "/must_change_by"),
        (json!({"description": "d".repeat(2000)}), "/description"),
        (json!([{"op": "remove", "path": "/quota"}]), ""),
    ] {
        api.patch(ALICE, &owner, patch).await.is_invalid_at(&[pointer]);
    }
    assert_eq!(api.get(ALICE, &owner).await.body["version"], 1);
}

async fn conditional(api: &Api, owner: &str, (method, path): (&str, &str), tag: &str, body: &str) -> Answer {
    let request = request(method, path, owner).header("content-type", "application/json");
    api.send(request.header("if-match", tag).body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_stale_patch_and_a_stale_rotation_change_nothing() {
    let (api, owner) = with_alice().await;
    api.patch(ALICE, &owner, json!({"description": "Camera 8"})).await;
    let before = api.get(ALICE, &owner).await.body;
    let rotate = ("POST", "/api/v1/users/alice/rotate-password");
    for (request, body) in [(("PATCH", ALICE), r#"{"description":"Camera 9"}"#), (rotate, "{}")] {
        for stale in ["\"1\"", "\"1\", \"7\"", "W/\"2\"", "\"x\""] {
            conditional(&api, &owner, request, stale, body).await.is_problem(412, "version-differs");
        }
    }
    assert_eq!(api.get(ALICE, &owner).await.body, before);
    assert_eq!(conditional(&api, &owner, ("PATCH", ALICE), "\"2\"", "{}").await.status, 200);
    assert_eq!(conditional(&api, &owner, rotate, "\"2\"", "{}").await.header("etag"), "\"3\"");
}

#[tokio::test]
async fn a_patch_may_call_itself_a_merge_patch_and_a_creation_may_not() {
    let (api, owner) = with_alice().await;
    let send = async |method: &str, path: &str, body: Value| {
        let request = request(method, path, &owner).header("content-type", "application/merge-patch+json");
        api.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    assert_eq!(send("PATCH", ALICE, json!({"description": "x"})).await.status, 200);
    send("POST", "/api/v1/users", json!({"username": "bob"})).await.is_problem(415, "not-json");
    let plain = request("PATCH", ALICE, &owner).header("content-type", "text/plain");
    api.send(plain.body(Body::from("{}")).unwrap()).await.is_problem(415, "not-json");
}

#[tokio::test]
async fn an_explanation_names_the_rule_that_decided() {
    let (api, owner) = with_alice().await;
    let path = "/api/v1/users/alice/explain";
    let ask = async |question: Value| {
        let answer = api.post(path, &owner, question).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        (answer.body["allowed"].as_bool().unwrap(), answer.body["decided_by"].as_str().unwrap().to_owned())
    };
    let allowed = |rule: &str| (true, rule.to_owned());
    let refused = |rule: &str| (false, rule.to_owned());
    assert_eq!(ask(json!({"action": "login"})).await, allowed("certificate_accepted"));
    assert_eq!(
        ask(json!({"action": "login", "client_address": "198.51.100.1"})).await,
        refused("allowed_networks")
    );
    assert_eq!(ask(json!({"action": "login", "tls": false})).await, refused("protocols"));
    assert_eq!(ask(json!({"action": "login", "protocol": "mftp"})).await, refused("protocols"));
    let upload = json!({"action": "upload", "path": "/in/a", "client_address": "192.0.2.9"});
    assert_eq!(ask(upload.clone()).await, allowed("permissions"));
    api.patch(ALICE, &owner, json!({"permissions": [{"path": "/in", "allow": ["list"]}]})).await;
    assert_eq!(ask(upload.clone()).await, refused("permissions"));
    api.patch(ALICE, &owner, json!({"status": "disabled"})).await;
    assert_eq!(ask(upload).await, refused("status"));
}

#[tokio::test]
async fn a_question_that_is_none_is_refused() {
    let (api, owner) = with_alice().await;
    let path = "/api/v1/users/alice/explain";
    for (question, pointer) in [
        (json!({}), "/action"),
        (json!({"action": "fly"}), "/action"),
        (json!({"action": "upload"}), "/path"),
        (json!({"action": "upload", "path": "in"}), "/path"),
        (json!({"action": "upload", "path": "/a/../b"}), "/path"),
        (json!({"action": "login", "client_address": "alice.example"}), "/client_address"),
        (json!({"action": "login", "protocol": "sftp"}), "/protocol"),
        (json!({"action": "login", "when": "now"}), "/when"),
    ] {
        api.post(path, &owner, question).await.is_invalid_at(&[pointer]);
    }
    let nobody = api.post("/api/v1/users/nobody/explain", &owner, json!({"action": "login"})).await;
    nobody.is_problem(404, "no-such-user");
}

#[tokio::test]
async fn an_unlock_is_noted_for_the_servers() {
    let (api, owner) = with_alice().await;
    let answer =
        api.send(request("POST", "/api/v1/users/alice/unlock", &owner).body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["username"]), (200, &json!("alice")));
    let unlocks = api.accounts.unlocks().await.unwrap();
    assert_eq!(unlocks.iter().map(|unlock| unlock.username.as_str()).collect::<Vec<_>>(), ["alice"]);
    let request = request("POST", "/api/v1/users/nobody/unlock", &owner).body(Body::empty()).unwrap();
    api.send(request).await.is_problem(404, "no-such-user");
}
