//! Who is where: what nodes publish is seen by all, as long as they live; a request to end a session
//! reaches its node and no other.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use wharfinger_accounts::{
    Accounts, Direction, LiveSession, LiveTransfer, Presence, Protocol, SessionQuery, SessionTls, StoreError,
};

use crate::place::{Place, name};

crate::on_both_stores!(
    what_a_node_publishes_everybody_sees,
    sessions_are_listed_by_user_node_and_page,
    a_dead_node_s_sessions_do_not_count_and_it_comes_back,
    a_node_started_again_clears_away_what_it_left,
    two_nodes_of_one_name_both_stay,
    a_node_that_stops_takes_back_its_sessions,
    a_request_to_end_reaches_the_session_s_node,
    a_request_outlives_what_is_published_later,
    a_session_nobody_has_can_not_be_ended,
);

/// A node that is dead as soon as nothing more is heard of it.
const NEVER_ALIVE: Duration = Duration::ZERO;

pub(crate) fn node(accounts: &Accounts, name: &str) -> Presence {
    accounts.presence(name, "1.2.3").unwrap()
}

pub(crate) fn session(presence: &Presence, number: u64, user: &str) -> LiveSession {
    LiveSession {
        id: presence.session_id(number),
        node: presence.name().to_owned(),
        user: name(user),
        protocol: Protocol::Ftps,
        tls: Some(SessionTls {
            version: "TLSv1_3".to_owned(),
            cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
            data_bound: None,
        }),
        client_address: "2001:db8::1".parse().unwrap(),
        started_at: Timestamp::from_second(1_790_000_000).unwrap(),
        last_command: String::new(),
        transfer: None,
    }
}

async fn listed(accounts: &Accounts, query: SessionQuery) -> Vec<LiveSession> {
    accounts.live_sessions(&query).await.unwrap().items
}

async fn all(accounts: &Accounts) -> Vec<LiveSession> {
    listed(accounts, SessionQuery { limit: 100, ..SessionQuery::default() }).await
}

async fn what_a_node_publishes_everybody_sees(place: &Place) {
    let (server, admin) = (place.open().await, place.open().await);
    let presence = node(&server, "$north");
    assert!(presence.beat(0).await.unwrap(), "nobody knew it");
    let mut first = session(&presence, 1, "alice");
    presence.publish(std::slice::from_ref(&first), &[]).await.unwrap();
    assert_eq!(all(&admin).await, [first.clone()]);
    "STOR".clone_into(&mut first.last_command);
    first.transfer = Some(LiveTransfer {
        direction: Direction::Upload,
        path: "/a\u{fffd}b".to_owned(),
        bytes: 1 << 40,
        bytes_per_second: 7,
    });
    let second = LiveSession { tls: None, protocol: Protocol::Ftp, ..session(&presence, 2, "bob") };
    presence.publish(&[first.clone(), second.clone()], &[]).await.unwrap();
    assert_eq!(all(&admin).await, [first.clone(), second]);
    presence.publish(&[], &[presence.session_id(2), presence.session_id(99)]).await.unwrap();
    assert_eq!(all(&admin).await, [first]);
    assert!(!presence.beat(1).await.unwrap(), "it is known");
    let nodes = admin.nodes().await.unwrap();
    let [north] = nodes.as_slice() else { panic!("{nodes:?}") };
    assert_eq!((north.name.as_str(), north.version.as_str(), north.sessions), ("$north", "1.2.3", 1));
    assert!(north.started_at <= north.last_seen_at + Duration::from_secs(1));
}

async fn sessions_are_listed_by_user_node_and_page(place: &Place) {
    let accounts = place.open().await;
    let (north, south) = (node(&accounts, "north"), node(&accounts, "south"));
    for presence in [&north, &south] {
        presence.beat(0).await.unwrap();
        let sessions: Vec<_> = (1..=3)
            .map(|number| session(presence, number, if number == 2 { "bob" } else { "alice" }))
            .collect();
        presence.publish(&sessions, &[]).await.unwrap();
    }
    let every = SessionQuery { limit: 100, ..SessionQuery::default() };
    let of = |user: Option<&str>, node: Option<&str>| SessionQuery {
        user: user.map(name),
        node: node.map(str::to_owned),
        ..every.clone()
    };
    assert_eq!(listed(&accounts, of(Some("bob"), None)).await.len(), 2);
    assert_eq!(listed(&accounts, of(None, Some("south"))).await.len(), 3);
    assert_eq!(listed(&accounts, of(Some("alice"), Some("north"))).await.len(), 2);
    assert_eq!(listed(&accounts, of(Some("carol"), None)).await, []);
    let mut query = SessionQuery { limit: 4, ..SessionQuery::default() };
    let first = accounts.live_sessions(&query).await.unwrap();
    query.after = first.next;
    let second = accounts.live_sessions(&query).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (4, 2, None));
    assert_eq!([first.items, second.items].concat(), all(&accounts).await);
}

async fn a_dead_node_s_sessions_do_not_count_and_it_comes_back(place: &Place) {
    let accounts = place.open().await;
    let presence = node(&accounts, "north").alive_for(NEVER_ALIVE);
    presence.beat(0).await.unwrap();
    let here = session(&presence, 1, "alice");
    presence.publish(std::slice::from_ref(&here), &[]).await.unwrap();
    presence.beat(1).await.unwrap();
    assert_eq!(all(&accounts).await, []);
    assert_eq!(accounts.end_session(&here.id).await, Err(StoreError::NotFound));
    let nodes = accounts.nodes().await.unwrap();
    assert_eq!(nodes[0].sessions, 0, "named, but without its sessions: {nodes:?}");
    let presence = presence.alive_for(Duration::from_mins(1));
    assert!(!presence.beat(1).await.unwrap(), "it is still known");
    assert_eq!(all(&accounts).await, [here]);
}

async fn a_node_started_again_clears_away_what_it_left(place: &Place) {
    let accounts = place.open().await;
    let (before, other) = (node(&accounts, "north"), node(&accounts, "south"));
    for presence in [&before, &other] {
        presence.beat(0).await.unwrap();
        presence.publish(&[session(presence, 1, "alice")], &[]).await.unwrap();
    }
    let _lost = before.take_place("id of alice", 1).await.unwrap().unwrap();
    let after = node(&accounts, "north");
    assert_ne!(before.session_id(1), after.session_id(1));
    after.beat(0).await.unwrap();
    assert_eq!(all(&accounts).await, [session(&other, 1, "alice")]);
    assert_eq!(accounts.nodes().await.unwrap().len(), 2);
    assert!(after.take_place("id of alice", 1).await.unwrap().is_some(), "its places are free");
}

async fn two_nodes_of_one_name_both_stay(place: &Place) {
    let accounts = place.open().await;
    let (first, second) = (node(&accounts, "north"), node(&accounts, "north"));
    first.beat(0).await.unwrap();
    second.beat(0).await.unwrap();
    assert!(first.beat(0).await.unwrap(), "it was cleared away, and publishes all of its sessions again");
    assert!(first.beat(0).await.unwrap() || second.beat(0).await.unwrap());
}

async fn a_node_that_stops_takes_back_its_sessions(place: &Place) {
    let accounts = place.open().await;
    let presence = node(&accounts, "north");
    presence.beat(0).await.unwrap();
    presence.publish(&[session(&presence, 1, "alice")], &[]).await.unwrap();
    presence.withdraw().await.unwrap();
    assert_eq!(all(&accounts).await, []);
    assert_eq!(accounts.nodes().await.unwrap(), []);
}

async fn a_request_to_end_reaches_the_session_s_node(place: &Place) {
    let (server, admin) = (place.open().await, place.open().await);
    let (north, south) = (node(&server, "north"), node(&server, "south"));
    for presence in [&north, &south] {
        presence.beat(0).await.unwrap();
        presence.publish(&[session(presence, 7, "alice"), session(presence, 8, "alice")], &[]).await.unwrap();
    }
    assert_eq!(north.asked_to_end().await.unwrap(), [0_u64; 0]);
    admin.end_session(&south.session_id(8)).await.unwrap();
    admin.end_session(&south.session_id(8)).await.unwrap();
    assert_eq!(south.asked_to_end().await.unwrap(), [8]);
    assert_eq!(north.asked_to_end().await.unwrap(), [0_u64; 0]);
    south.publish(&[], &[south.session_id(8)]).await.unwrap();
    assert_eq!(south.asked_to_end().await.unwrap(), [0_u64; 0]);
    assert_eq!(admin.end_session(&south.session_id(8)).await, Err(StoreError::NotFound));
}

async fn a_request_outlives_what_is_published_later(place: &Place) {
    let accounts = place.open().await;
    let presence = node(&accounts, "north");
    presence.beat(0).await.unwrap();
    let sessions = [session(&presence, 1, "alice")];
    presence.publish(&sessions, &[]).await.unwrap();
    accounts.end_session(&sessions[0].id).await.unwrap();
    presence.publish(&sessions, &[]).await.unwrap();
    assert_eq!(presence.asked_to_end().await.unwrap(), [1]);
}

async fn a_session_nobody_has_can_not_be_ended(place: &Place) {
    let accounts = place.open().await;
    let presence = node(&accounts, "north");
    presence.beat(0).await.unwrap();
    for id in ["", "1", "$ne", &presence.session_id(1)] {
        assert_eq!(accounts.end_session(id).await, Err(StoreError::NotFound), "{id:?}");
    }
}

#[tokio::test]
async fn a_change_stream_tells_of_sessions_to_end_and_not_of_every_session() {
    const NEVER: Duration = Duration::from_hours(1);
    const PATIENCE: Duration = Duration::from_secs(20);
    let place = Place::mongodb().await;
    let (server, admin) = (place.open().await, place.open().await);
    let presence = node(&server, "north");
    presence.beat(0).await.unwrap();
    let mut changes = server.changes().at_the_latest_after(NEVER);
    // The first signal says that the streams are open.
    timeout(PATIENCE, changes.next()).await.expect("no wake-up");
    let mut here = session(&presence, 1, "alice");
    presence.publish(std::slice::from_ref(&here), &[]).await.unwrap();
    "NOOP".clone_into(&mut here.last_command);
    presence.publish(std::slice::from_ref(&here), &[]).await.unwrap();
    admin.end_session(&here.id).await.unwrap();
    timeout(PATIENCE, changes.next()).await.expect("no wake-up");
    assert_eq!(presence.asked_to_end().await.unwrap(), [1], "what is published wakes nobody");
    place.clear().await;
}
