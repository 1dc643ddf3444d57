//! `GET /api/v1/users`: order, pages, filters.

use serde_json::{Value, json};

use crate::harness::{Answer, Api, PASSWORD};

fn names(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["items"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

async fn api_with(names: &[&str]) -> (Api, String) {
    let (api, owner) = Api::with_owner().await;
    for name in names {
        let body = json!({"username": name, "password": PASSWORD, "description": format!("Machine {name}")});
        assert_eq!(api.post("/api/v1/users", &owner, body).await.status, 201);
    }
    (api, owner)
}

#[tokio::test]
async fn an_empty_store_gives_an_empty_page() {
    let (api, owner) = Api::with_owner().await;
    let answer = api.get("/api/v1/users", &owner).await;
    assert_eq!(answer.body, json!({"items": [], "next_cursor": null}));
    let counted = api.get("/api/v1/users?count=true", &owner).await;
    assert_eq!(counted.body, json!({"items": [], "next_cursor": null, "total": 0}));
}

#[tokio::test]
async fn pages_follow_each_other_by_name_without_gap_or_repetition() {
    let (api, owner) = api_with(&["d", "B", "a", "c@x", "_"]).await;
    let mut seen: Vec<String> = Vec::new();
    let mut pages = 0;
    let mut cursor = String::new();
    loop {
        let answer = api.get(&format!("/api/v1/users?limit=2&count=true&cursor={cursor}"), &owner).await;
        seen.extend(names(&answer).into_iter().map(str::to_owned));
        assert_eq!(answer.body["total"], 5);
        pages += 1;
        match &answer.body["next_cursor"] {
            Value::String(next) => cursor.clone_from(next),
            _ => break,
        }
    }
    assert_eq!(seen, ["B", "_", "a", "c@x", "d"]);
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn an_item_is_the_whole_user() {
    let (api, owner) = api_with(&["alice"]).await;
    let list = api.get("/api/v1/users", &owner).await.body;
    assert_eq!(list["items"][0], api.get("/api/v1/users/alice", &owner).await.body);
}

#[tokio::test]
async fn filters_hold_together() {
    let (api, owner) = api_with(&["camera-1", "camera-2", "scanner"]).await;
    api.post("/api/v1/users/camera-2/disable", &owner, json!({})).await;
    for (query, expected) in [
        ("status=active", vec!["camera-1", "scanner"]),
        ("status=disabled", vec!["camera-2"]),
        ("q=CAMERA", vec!["camera-1", "camera-2"]),
        ("q=machine+s", vec!["scanner"]),
        ("q=camera&status=active", vec!["camera-1"]),
        ("q=100%25", vec![]),
        ("q=_", vec![]),
        ("q=&status=", vec!["camera-1", "camera-2", "scanner"]),
    ] {
        let answer = api.get(&format!("/api/v1/users?{query}&count=true"), &owner).await;
        assert_eq!(names(&answer), expected, "{query}");
        assert_eq!(answer.body["total"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let (api, owner) = api_with(&["a", "b"]).await;
    let cursor =
        api.get("/api/v1/users?limit=1", &owner).await.body["next_cursor"].as_str().unwrap().to_owned();
    let long = format!("q={}", "x".repeat(257));
    let (cut, longer) = (format!("cursor={}", &cursor[1..]), format!("cursor={cursor}00"));
    for (query, pointers) in [
        ("limit=0", &["/limit"][..]),
        ("limit=1001", &["/limit"]),
        ("limit=-1", &["/limit"]),
        ("limit=ten", &["/limit"]),
        ("status=gone", &["/status"]),
        ("count=yes", &["/count"]),
        (long.as_str(), &["/q"]),
        ("cursor=a", &["/cursor"]),
        ("cursor=61", &["/cursor"]),
        (cut.as_str(), &["/cursor"]),
        (longer.as_str(), &["/cursor"]),
        ("stauts=active", &[""]),
        ("limit=1&limit=2", &["/limit"]),
        ("limit=0&count=1&page=2", &["/limit", "/count", ""]),
    ] {
        api.get(&format!("/api/v1/users?{query}"), &owner).await.is_invalid_at(pointers);
    }
    assert_eq!(names(&api.get("/api/v1/users?limit=1000", &owner).await), ["a", "b"]);
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_even_when_that_user_is_gone() {
    let (api, owner) = api_with(&["a", "b", "c"]).await;
    let cursor =
        api.get("/api/v1/users?limit=2", &owner).await.body["next_cursor"].as_str().unwrap().to_owned();
    api.delete("/api/v1/users/b", &owner).await;
    assert_eq!(names(&api.get(&format!("/api/v1/users?cursor={cursor}"), &owner).await), ["c"]);
}
