//! What is recorded where it is hard: of imports, of requests whose client is gone, of changes made at the
//! same time, and of those whose outcome nobody knows.

use std::io;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Map, Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::audit::records;
use crate::harness::{Api, PASSWORD, request};

const NDJSON: &str = "application/x-ndjson";

fn import(owner: &str, body: impl Into<Body>) -> axum::http::Request<Body> {
    let request = request("POST", "/api/v1/users:import", owner).header("content-type", NDJSON);
    request.header("x-request-id", "the-import").body(body.into()).unwrap()
}

fn line(name: &str) -> String {
    json!({"username": name, "password": PASSWORD}).to_string() + "\n"
}

/// The records of one kind of change, as soon as there are so many.
async fn changes(api: &Api, change: &str, count: usize, owner: &str) -> Vec<Value> {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let mut found = records(api, "action=change&limit=1000", 0, owner).await;
        found.retain(|record| record["detail"]["change"] == change);
        if found.len() >= count || Instant::now() > give_up {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_user_an_import_creates_has_a_record_and_the_import_has_one() {
    let (api, owner) = Api::with_owner().await;
    api.create("bob", &owner).await;
    let body = line("alice") + &line("bob") + "no json\n" + &line("zoe");
    let answer = api.head_of(import(&owner, body)).await;
    let report = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert!(!report.is_empty());
    let whole = changes(&api, "import", 1, &owner).await;
    assert_eq!(whole.len(), 1, "{whole:?}");
    let detail = &whole[0]["detail"];
    assert_eq!(
        (&detail["outcome"], &detail["name"], &whole[0]["user"]),
        (&json!("done"), &json!(""), &Value::Null)
    );
    let totals = &detail["after"];
    assert_eq!(
        (&totals["created"], &totals["exists"], &totals["invalid"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!((&totals["complete"], &totals["dry_run"]), (&json!(true), &json!(false)));
    for name in ["alice", "zoe"] {
        let one = records(&api, &format!("user={name}"), 1, &owner).await;
        assert_eq!(one.len(), 1, "{one:?}");
        let detail = &one[0]["detail"];
        assert_eq!((&one[0]["actor"], &detail["change"]), (&json!("owner"), &json!("create")));
        assert_eq!((&detail["address"], &detail["request_id"]), (&json!("192.0.2.1"), &json!("the-import")));
        assert_eq!((&detail["outcome"], &detail["after"]["home"]), (&json!("done"), &json!(name)));
    }
    assert_eq!(records(&api, "user=bob", 1, &owner).await.len(), 1, "bob was there before");
    let all = Value::from(records(&api, "limit=1000", 1, &owner).await).to_string();
    assert!(!all.contains(PASSWORD) && !all.contains("argon2"), "{all}");
}

#[tokio::test]
async fn what_an_import_has_begun_is_recorded_though_nobody_reads_on() {
    let (api, owner) = Api::with_owner().await;
    // More is to come, and never does: what ends this import is that its report has no reader.
    let lines = (0..6).map(|n| Ok::<_, io::Error>(Bytes::from(line(&format!("user-{n}")))));
    let body = Body::from_stream(stream::iter(lines).chain(stream::pending()));
    let mut report = api.head_of(import(&owner, body)).await.into_body().into_data_stream();
    assert!(report.next().await.is_some());
    drop(report);
    let whole = changes(&api, "import", 1, &owner).await;
    let totals = &whole[0]["detail"]["after"];
    assert_eq!(totals["complete"], false, "{totals}");
    let users = api.get("/api/v1/users?limit=1000", &owner).await.body;
    let users: Vec<&str> =
        users["items"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert!(!users.is_empty());
    assert_eq!(totals["created"], users.len(), "{totals}");
    let mut recorded = changes(&api, "create", users.len(), &owner).await;
    recorded.sort_by_key(|record| record["user"].to_string());
    let recorded: Vec<&str> = recorded.iter().map(|record| record["user"].as_str().unwrap()).collect();
    assert_eq!(recorded, users);
}

#[tokio::test]
async fn what_a_client_has_asked_for_is_recorded_though_it_hangs_up() {
    let (api, owner) = Api::with_owner().await;
    let body = json!({"username": "alice", "password": PASSWORD}).to_string();
    let post = request("POST", "/api/v1/users", &owner).header("content-type", "application/json");
    let mut answer = Box::pin(api.head_of(post.body(body.into()).unwrap()));
    // It has been handed over, and its client is gone.
    assert!(answer.as_mut().now_or_never().is_none());
    drop(answer);
    let found = records(&api, "user=alice", 1, &owner).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["detail"]["outcome"], "done");
    assert_eq!(api.get("/api/v1/users/alice", &owner).await.status, 200);
}

#[tokio::test]
async fn records_of_changes_made_at_the_same_time_join_without_a_gap() {
    let (api, owner) = Api::with_owner().await;
    let made = api.create("alice", &owner).await.body;
    let patches = (0..8).map(|n| {
        let (api, owner) = (&api, &owner);
        async move {
            let body = json!({"description": format!("{n}"), "quota": {"max_files": n}});
            let answer = api.patch("/api/v1/users/alice", owner, body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    });
    join_all(patches).await;
    let mut records = changes(&api, "change", 8, &owner).await;
    assert_eq!(records.len(), 8);
    records.sort_by_key(|record| record["detail"]["before"]["version"].as_u64());
    let members = |of: &Value| of.as_object().unwrap().clone();
    let mut user: Map<String, Value> = members(&made);
    for record in records {
        let (before, after) = (members(&record["detail"]["before"]), members(&record["detail"]["after"]));
        for (member, value) in &before {
            assert_eq!(&user[member], value, "{member} before {record}");
        }
        user.extend(after);
    }
    assert_eq!(Value::from(user), api.get("/api/v1/users/alice", &owner).await.body);
}

#[tokio::test]
async fn what_nobody_knows_the_outcome_of_is_recorded_with_whom_it_was_about() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    api.create_admin("bob", &owner).await;
    let key = json!({"name": "old", "role": "auditor"});
    let old = api.post("/api/v1/api-keys", &owner, key).await.body["id"].as_str().unwrap().to_owned();
    let file = api.config.store_url().replace("sqlite://", "");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    // Reading goes on; nothing can be written.
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let (user, admin) = (
        json!({"username": "carol", "password": PASSWORD}),
        json!({"username": "dave", "role": "auditor", "password": PASSWORD}),
    );
    let old_key = format!("/api/v1/api-keys/{old}");
    let answers = tokio::join!(
        api.post("/api/v1/users", &owner, user),
        api.patch("/api/v1/users/alice", &owner, json!({"description": "new"})),
        api.post("/api/v1/admins", &owner, admin),
        api.delete("/api/v1/admins/bob", &owner),
        api.post("/api/v1/api-keys", &owner, json!({"name": "new", "role": "auditor"})),
        api.delete(&old_key, &owner),
    );
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4, answers.5];
    for answer in &answers {
        answer.is_problem(503, "store-down");
        assert!(answer.headers.contains_key("retry-after"));
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    let found = records(&api, "action=change", 9, &owner).await;
    let unknown: Vec<_> = found.iter().filter(|record| record["detail"]["outcome"] == "unknown").collect();
    assert_eq!(unknown.len(), 6, "{found:?}");
    let named = |kind: &str, change: &str| -> &str {
        let of_it = |it: &&&Value| it["detail"]["kind"] == kind && it["detail"]["change"] == change;
        unknown.iter().find(of_it).expect(kind)["detail"]["name"].as_str().unwrap()
    };
    assert_eq!((named("user", "create"), named("user", "change")), ("carol", "alice"));
    assert_eq!((named("admin", "create"), named("admin", "remove")), ("dave", "bob"));
    assert_eq!((named("api-key", "create").len(), named("api-key", "remove")), (32, old.as_str()));
    assert!(unknown.iter().all(|record| record["actor"] == "owner"));
}
