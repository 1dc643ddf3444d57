//! What the admin API refuses, and that it says why in the same form each time.

use serde_json::json;
use wharfinger_tests::{Admin, Answer, Deployment};

#[test]
fn what_is_not_a_user_is_refused_and_nothing_is_created() {
    let deployment = Deployment::start();
    let bodies = [
        r#"{"username":"alice","password":"a dozen letters""#,
        r#"["alice"]"#,
        "",
        r#"{"password":"a dozen letters"}"#,
        r#"{"username":"alice","password":"a dozen letters","permisions":[]}"#,
        r#"{"username":"alice","password":"a dozen letters","quota":{"max_byte":1}}"#,
        r#"{"username":"alice","password":"a dozen letters","home":"../alice"}"#,
        r#"{"username":"alice","password":"a dozen letters","home":"/etc"}"#,
        r#"{"username":"alice","password":"a dozen letters","home":"a/../../b"}"#,
        r#"{"username":"alice","password":"a dozen letters","home":""}"#,
        r#"{"username":"alice","password":"short"}"#,
        r#"{"username":"alice-and-bob","password":"alice-and-bob"}"#,
        r#"{"username":"..","password":"a dozen letters"}"#,
        r#"{"username":"al ice","password":"a dozen letters"}"#,
        r#"{"username":"","password":"a dozen letters"}"#,
        r#"{"username":"alice","password":"a dozen letters","permissions":[{"path":"/","allow":["fly"]}]}"#,
        r#"{"username":"alice","password":"a dozen letters","allowed_networks":["anywhere"]}"#,
        r#"{"username":"alice","password":"a dozen letters","expires_at":"tomorrow"}"#,
    ];
    for body in bodies {
        let answer = deployment.admin.post_bytes("/api/v1/users", body.as_bytes());
        assert!([400, 422].contains(&answer.status), "{body}: {answer:?}");
        assert_problem(&answer);
    }
    let long = format!(r#"{{"username":"{}","password":"a dozen letters"}}"#, "a".repeat(65));
    assert_eq!(deployment.admin.post_bytes("/api/v1/users", long.as_bytes()).status, 422);
    assert_eq!(deployment.admin.get("/api/v1/users").body["items"], json!([]));
}

#[test]
fn a_422_names_the_member_that_is_wrong() {
    let deployment = Deployment::start();
    let user = json!({"username": "alice", "password": "a dozen letters", "home": "../out"});
    let answer = deployment.admin.post("/api/v1/users", user);
    assert_eq!(answer.status, 422, "{answer:?}");
    assert_eq!(answer.body["errors"][0]["pointer"], "/home", "{answer:?}");
}

#[test]
fn a_taken_name_is_refused_and_its_user_stays_as_they_were() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let again = json!({"username": "alice", "password": "another password"});
    let answer = deployment.admin.post("/api/v1/users", again);
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_problem(&answer);
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);
}

#[test]
fn nothing_is_answered_without_a_valid_token() {
    let deployment = Deployment::start();
    let stranger = Admin::stranger(deployment.admin_address);
    let answers = [
        stranger.get("/api/v1/users"),
        stranger.get("/api/v1/users/alice"),
        stranger.delete("/api/v1/users/alice"),
        stranger.post("/api/v1/users", json!({"username": "alice"})),
        stranger.post("/api/v1/users/alice/disable", json!({})),
        stranger.post("/api/v1/users/alice/rotate-password", json!({})),
    ];
    for answer in &answers {
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_problem(answer);
    }
    let wrong =
        stranger.post("/api/v1/auth/token", json!({"username": "owner", "password": "not the password"}));
    let unknown =
        stranger.post("/api/v1/auth/token", json!({"username": "nobody", "password": "not the password"}));
    assert_eq!(wrong.status, 401, "{wrong:?}");
    assert_eq!((unknown.status, &unknown.body["detail"]), (401, &wrong.body["detail"]));
}

#[test]
fn who_is_not_there_is_not_found() {
    let deployment = Deployment::start();
    let answers = [
        deployment.admin.get("/api/v1/users/nobody"),
        deployment.admin.delete("/api/v1/users/nobody"),
        deployment.admin.post("/api/v1/users/nobody/disable", json!({})),
        deployment.admin.post("/api/v1/users/nobody/enable", json!({})),
        deployment.admin.post("/api/v1/users/nobody/rotate-password", json!({})),
        deployment.admin.get("/api/v1/nothing"),
    ];
    for answer in &answers {
        assert_eq!(answer.status, 404, "{answer:?}");
        assert_problem(answer);
    }
}

#[test]
fn a_body_above_a_mebibyte_is_refused() {
    let deployment = Deployment::start();
    let description = "x".repeat(1 << 20);
    let user = json!({"username": "alice", "password": "a dozen letters", "description": description});
    let answer = deployment.admin.post("/api/v1/users", user);
    assert_eq!(answer.status, 413, "{answer:?}");
}

fn assert_problem(answer: &Answer) {
    assert!(answer.content_type.starts_with("application/problem+json"), "{answer:?}");
    assert_eq!(answer.body["status"], answer.status, "{answer:?}");
    assert!(answer.body["title"].is_string() && answer.body["type"].is_string(), "{answer:?}");
    let text = answer.body.to_string().to_lowercase();
    for leak in ["sqlx", "mongodb", "panicked", ".rs:"] {
        assert!(!text.contains(leak), "{leak} is told to the client: {answer:?}");
    }
}
