//! Logging in: `POST /api/v1/auth/token`.

use std::collections::HashSet;

use serde_json::json;
use wharfinger_accounts::Role;

use crate::harness::{Api, PASSWORD};

const PATH: &str = "/api/v1/auth/token";

#[tokio::test]
async fn the_right_password_gives_a_token_that_works() {
    let api = Api::start().await;
    api.admin(Role::Owner).await;
    let answer = api.post(PATH, "", json!({"username": "owner", "password": PASSWORD})).await;
    assert_eq!(answer.status, 200);
    let members: HashSet<&str> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, HashSet::from(["access_token", "token_type", "expires_in"]));
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 900);
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.body["access_token"].as_str().unwrap();
    assert_eq!(api.get("/api/v1/users", token).await.status, 200);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_alike() {
    let api = Api::start().await;
    api.admin(Role::Owner).await;
    let strange = "x".repeat(10_000);
    let mut bodies = Vec::new();
    for name in ["owner", "nobody", "", "../etc", strange.as_str()] {
        let mut answer = api.post(PATH, "", json!({"username": name, "password": "wrong password"})).await;
        answer.is_problem(401, "wrong-password");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"wharfinger\"");
        answer.body["instance"].take();
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_user_of_the_file_server_is_no_admin() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let answer = api.post(PATH, "", json!({"username": "alice", "password": PASSWORD})).await;
    answer.is_problem(401, "wrong-password");
}

#[tokio::test]
async fn too_many_failures_have_to_wait_even_with_the_right_password() {
    let api = Api::start().await;
    api.admin(Role::Owner).await;
    for _ in 0..5 {
        let answer = api.post(PATH, "", json!({"username": "owner", "password": "wrong password"})).await;
        answer.is_problem(401, "wrong-password");
    }
    let answer = api.post(PATH, "", json!({"username": "owner", "password": PASSWORD})).await;
    answer.is_problem(429, "too-many-logins");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=31).contains(&wait), "{wait}");
}

#[tokio::test]
async fn successful_logins_are_not_throttled() {
    let api = Api::start().await;
    api.admin(Role::Owner).await;
    for _ in 0..8 {
        let answer = api.post(PATH, "", json!({"username": "owner", "password": PASSWORD})).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_login_body_is_checked_like_any_other() {
    let api = Api::start().await;
    api.post(PATH, "", json!({})).await.is_invalid_at(&["/username", "/password"]);
    let extra = json!({"username": "owner", "password": 5, "otp": "1"});
    api.post(PATH, "", extra).await.is_invalid_at(&["/password", "/otp"]);
    api.post_text(PATH, "", "{").await.is_problem(400, "malformed");
}
