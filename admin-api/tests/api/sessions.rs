//! `/api/v1/sessions` and `/api/v1/nodes`: what is shown of each, pages and filters, who may end one.

use serde_json::{Value, json};
use wharfinger_accounts::{
    Accounts, Direction, LiveSession, LiveTransfer, Presence, Protocol, Role, SessionTls,
};

use crate::harness::Api;

/// A node with these users' sessions, numbered from 1.
async fn node(accounts: &Accounts, name: &str, users: &[&str]) -> Presence {
    let presence = accounts.presence(name, "1.2.3").unwrap();
    presence.beat(users.len() as u64).await.unwrap();
    let sessions: Vec<LiveSession> =
        users.iter().zip(1..).map(|(user, number)| session(&presence, number, user)).collect();
    presence.publish(&sessions, &[]).await.unwrap();
    presence
}

fn session(presence: &Presence, number: u64, user: &str) -> LiveSession {
    LiveSession {
        id: presence.session_id(number),
        node: presence.name().to_owned(),
        user: user.parse().unwrap(),
        protocol: Protocol::Ftps,
        tls: None,
        client_address: "192.0.2.7".parse().unwrap(),
        started_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        last_command: String::new(),
        transfer: None,
    }
}

#[tokio::test]
async fn a_session_is_shown_member_by_member() {
    let (api, owner) = Api::with_owner().await;
    let presence = node(&api.accounts, "north", &[]).await;
    let (version, cipher) = ("TLSv1_3".to_owned(), "TLS13_AES_256_GCM_SHA384".to_owned());
    let transfer =
        LiveTransfer { direction: Direction::Upload, path: "/a".to_owned(), bytes: 5, bytes_per_second: 2 };
    let shown = LiveSession {
        tls: Some(SessionTls { version, cipher, data_bound: Some(true) }),
        last_command: "STOR".to_owned(),
        transfer: Some(transfer),
        ..session(&presence, 7, "alice")
    };
    presence.publish(&[shown], &[]).await.unwrap();
    let answer = api.get("/api/v1/sessions", &owner).await;
    let expected = json!({
        "id": presence.session_id(7), "node": "north", "user": "alice", "protocol": "ftps",
        "tls": {"version": "TLSv1_3", "cipher": "TLS13_AES_256_GCM_SHA384", "data_bound": true},
        "client_address": "192.0.2.7", "started_at": "2026-01-01T00:00:00Z", "last_command": "STOR",
        "transfer": {"direction": "upload", "path": "/a", "bytes": 5, "bytes_per_second": 2},
    });
    assert_eq!(answer.body, json!({"items": [expected], "next_cursor": null}));
}

#[tokio::test]
async fn sessions_are_filtered_and_paged() {
    let (api, owner) = Api::with_owner().await;
    node(&api.accounts, "north", &["alice", "bob"]).await;
    node(&api.accounts, "south", &["alice"]).await;
    let count = async |query: &str| {
        let answer = api.get(&format!("/api/v1/sessions{query}"), &owner).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["items"].as_array().unwrap().len()
    };
    let counts =
        [("", 3), ("?user=alice", 2), ("?node=south", 1), ("?user=bob&node=south", 0), ("?node=x", 0)];
    for (query, expected) in counts {
        assert_eq!(count(query).await, expected, "{query}");
    }
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page = api.get(&format!("/api/v1/sessions?limit=1&cursor={cursor}"), &owner).await.body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.is_sorted());
    for query in ["?user=.", "?limit=0", "?cursor=x", "?users=alice", "?node=a&node=b"] {
        assert_eq!(api.get(&format!("/api/v1/sessions{query}"), &owner).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn a_session_is_ended_by_who_manages_users_and_by_nobody_else() {
    let (api, _) = Api::with_owner().await;
    let presence = node(&api.accounts, "north", &["alice"]).await;
    let path = format!("/api/v1/sessions/{}", presence.session_id(1));
    let auditor = api.token(Role::Auditor).await;
    assert_eq!(api.delete(&path, &auditor).await.status, 403);
    assert_eq!(presence.asked_to_end().await.unwrap(), [0_u64; 0]);
    let manager = api.token(Role::UserManager).await;
    let answer = api.delete(&path, &manager).await;
    assert_eq!((answer.status.as_u16(), answer.body), (202, Value::Null));
    assert_eq!(presence.asked_to_end().await.unwrap(), [1]);
    for id in ["0", "%00", "%ff", &presence.session_id(2)] {
        let answer = api.delete(&format!("/api/v1/sessions/{id}"), &manager).await;
        assert_eq!(answer.status, 404, "{id}");
        assert_eq!(answer.body["type"], "urn:wharfinger:problem:no-such-session");
    }
}

#[tokio::test]
async fn nodes_are_listed_by_name() {
    let (api, owner) = Api::with_owner().await;
    node(&api.accounts, "south", &["alice", "bob"]).await;
    node(&api.accounts, "north", &[]).await;
    let answer = api.get("/api/v1/nodes", &owner).await;
    let nodes = answer.body["items"].as_array().unwrap();
    let told: Vec<_> = nodes.iter().map(|node| (node["name"].as_str().unwrap(), &node["sessions"])).collect();
    assert_eq!(told, [("north", &json!(0)), ("south", &json!(2))]);
    for node in nodes {
        assert_eq!(node["version"], "1.2.3");
        assert!(node["started_at"].is_string() && node["last_seen_at"].is_string(), "{node}");
    }
}
