//! The audit trail over the API: every change is recorded with who made it and what it changed, and
//! nothing secret; it can be filtered, paged and verified by those who may.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wharfinger_accounts::Role;

use crate::harness::{Api, PASSWORD};

/// The records that match, as soon as there are so many: they are written behind the answers.
pub(crate) async fn records(api: &Api, query: &str, count: usize, token: &str) -> Vec<Value> {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = api.get(&format!("/api/v1/audit?{query}"), token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let items = answer.body["items"].as_array().unwrap();
        if items.len() >= count || Instant::now() > give_up {
            return items.clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn every_change_of_a_user_is_recorded_with_who_made_it_and_what_it_changed() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    api.post("/api/v1/users/alice/disable", &owner, Value::Null).await;
    api.post("/api/v1/users/alice/rotate-password", &owner, json!({"grace_seconds": 60})).await;
    api.delete("/api/v1/users/alice", &owner).await;
    let records = records(&api, "user=alice", 4, &owner).await;
    let changes: Vec<&str> =
        records.iter().rev().map(|record| record["detail"]["change"].as_str().unwrap()).collect();
    assert_eq!(changes, ["create", "disable", "rotate-password", "remove"]);
    for record in &records {
        assert_eq!((&record["action"], &record["actor"]), (&json!("change"), &json!("owner")));
        let detail = &record["detail"];
        assert_eq!((&detail["kind"], &detail["name"]), (&json!("user"), &json!("alice")));
        assert_eq!((&detail["outcome"], &detail["address"]), (&json!("done"), &json!("192.0.2.1")));
        assert!(detail["request_id"].as_str().is_some_and(|id| id.len() == 32));
    }
    let disabled = &records[2]["detail"];
    assert_eq!(disabled["before"]["status"], "active");
    assert_eq!(disabled["after"]["status"], "disabled");
    assert!(disabled["after"]["home"].is_null(), "only what differs: {disabled}");
    assert_eq!(records[3]["detail"]["after"]["home"], "alice");
    assert_eq!(records[0]["detail"]["before"]["home"], "alice");
}

#[tokio::test]
async fn nothing_secret_is_recorded() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let made = api.post("/api/v1/users", &owner, json!({"username": "bob"})).await;
    let generated = made.body["password"].as_str().unwrap().to_owned();
    let rotated = api.post("/api/v1/users/alice/rotate-password", &owner, json!({})).await;
    let rotated = rotated.body["password"].as_str().unwrap().to_owned();
    let login = json!({"username": "owner", "password": PASSWORD});
    let token = api.post("/api/v1/auth/token", "", login).await.body["access_token"].clone();
    let all = Value::from(records(&api, "limit=1000", 4, &owner).await).to_string();
    for secret in [PASSWORD, &generated, &rotated, token.as_str().unwrap(), "argon2"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn logins_and_refusals_of_admins_are_recorded() {
    let (api, owner) = Api::with_owner().await;
    let log_in = |name: &'static str, password: &'static str| {
        api.post("/api/v1/auth/token", "", json!({"username": name, "password": password}))
    };
    log_in("owner", PASSWORD).await;
    log_in("owner", "a wrong password").await;
    log_in("a password typed as a name", "x").await;
    let good = records(&api, "action=admin-login", 1, &owner).await;
    assert_eq!((good.len(), &good[0]["actor"]), (1, &json!("owner")));
    let refused = records(&api, "action=admin-login-refused", 2, &owner).await;
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[1]["detail"]["reason"], "wrong password");
    assert_eq!(refused[1]["actor"], "owner");
    assert_eq!(refused[0]["actor"], Value::Null, "what is no name may be a password");
}

#[tokio::test]
async fn what_is_refused_for_the_role_is_recorded_and_what_is_merely_wrong_is_not() {
    let (api, owner) = Api::with_owner().await;
    let auditor = api.token(Role::Auditor).await;
    api.post("/api/v1/users", &auditor, json!({"username": "eve"})).await.is_problem(403, "role-may-not");
    api.post("/api/v1/users", &owner, json!({"username": ".."})).await.is_problem(422, "invalid");
    let changes = records(&api, "action=change", 1, &owner).await;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(
        (&changes[0]["detail"]["outcome"], &changes[0]["actor"]),
        (&json!("refused"), &json!("auditor"))
    );
}

#[tokio::test]
async fn the_trail_is_paged_and_filtered_and_bad_filters_are_refused() {
    let (api, owner) = Api::with_owner().await;
    for name in ["a1", "a2", "a3"] {
        api.create(name, &owner).await;
    }
    let first = api.get("/api/v1/audit?action=change&limit=2", &owner).await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = api.get(&format!("/api/v1/audit?action=change&limit=2&cursor={cursor}"), &owner).await.body;
    let users = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["user"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((users(&first), users(&second)), (vec!["a3".into(), "a2".into()], vec!["a1".to_owned()]));
    assert_eq!(second["next_cursor"], Value::Null);
    assert!(records(&api, "until=2020-01-01T00:00:00Z", 0, &owner).await.is_empty());
    assert_eq!(records(&api, "actor=owner&since=2020-01-01T00:00:00Z", 3, &owner).await.len(), 3);
    for (query, pointer) in [
        ("until=", "/until"),
        ("since=yesterday", "/since"),
        ("until=1", "/until"),
        ("limit=0", "/limit"),
        ("cursor=616263", "/cursor"),
        ("usr=alice", ""),
    ] {
        api.get(&format!("/api/v1/audit?{query}"), &owner).await.is_invalid_at(&[pointer]);
    }
}

#[tokio::test]
async fn an_intact_trail_is_verified_as_such() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let found = api.get("/api/v1/audit/verify", &owner).await.body;
    assert_eq!((&found["records"], &found["intact"]), (&json!(2), &json!(true)));
    assert_eq!(found["first_broken"], Value::Null);
    assert_eq!(found["heads"][0]["sequence"], 2);
}

#[tokio::test]
async fn a_user_manager_does_not_read_the_trail() {
    let (api, _) = Api::with_owner().await;
    let manager = api.token(Role::UserManager).await;
    api.get("/api/v1/audit", &manager).await.is_problem(403, "role-may-not");
    api.get("/api/v1/audit/verify", &manager).await.is_problem(403, "role-may-not");
    let auditor = api.token(Role::Auditor).await;
    assert_eq!(api.get("/api/v1/audit", &auditor).await.status, 200);
}

#[tokio::test]
async fn without_a_place_for_its_record_nothing_is_changed() {
    let (api, owner) = Api::with_owner().await;
    assert!(api.trail.close(std::time::Duration::from_secs(30)).await);
    let answer = api.post("/api/v1/users", &owner, json!({"username": "alice", "password": PASSWORD})).await;
    answer.is_problem(503, "store-down");
    api.get("/api/v1/users/alice", &owner).await.is_problem(404, "no-such-user");
}
