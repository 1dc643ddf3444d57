//! `limits.max_sessions`: as many places as it says, over all nodes, whoever asks when, and each is
//! free again when its session has ended in whatever way.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use wharfinger_accounts::Presence;

use crate::place::Place;
use crate::presence::node;

crate::on_both_stores!(
    there_are_as_many_places_as_the_limit_says_over_all_nodes,
    nodes_that_race_for_the_last_place_do_not_both_get_it,
    a_place_that_was_left_is_free_again,
    a_client_that_comes_back_while_its_old_session_ends_gets_the_place,
    a_dead_node_s_places_are_free,
    a_session_from_before_the_limit_counts,
    a_node_taken_for_dead_claims_its_places_again,
);

async fn there_are_as_many_places_as_the_limit_says_over_all_nodes(place: &Place) {
    let accounts = place.open().await;
    let (north, south) = (node(&accounts, "north"), node(&accounts, "south"));
    let first = north.take_place("alice", 2).await.unwrap();
    let second = south.take_place("alice", 2).await.unwrap();
    assert!(first.is_some() && second.is_some());
    for presence in [&north, &south] {
        assert!(presence.take_place("alice", 2).await.unwrap().is_none());
    }
    assert!(north.take_place("bob", 1).await.unwrap().is_some(), "another user has places of their own");
    assert!(north.take_place("carol", 0).await.unwrap().is_none());
    assert!(south.take_place("alice", 3).await.unwrap().is_some(), "the limit was raised");
    assert!(south.take_place("alice", 1).await.unwrap().is_none(), "the limit was lowered");
}

async fn nodes_that_race_for_the_last_place_do_not_both_get_it(place: &Place) {
    const MOST: u32 = 5;
    let accounts = place.open().await;
    let nodes: Vec<Arc<Presence>> =
        ["north", "south", "east"].iter().map(|name| Arc::new(node(&accounts, name))).collect();
    let contenders = (0..24).map(|number| {
        let presence = Arc::clone(&nodes[number % nodes.len()]);
        tokio::spawn(async move { presence.take_place("alice", MOST).await.unwrap() })
    });
    let taken: Vec<_> = join_all(contenders).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken.len(), MOST as usize);
}

async fn a_place_that_was_left_is_free_again(place: &Place) {
    let accounts = place.open().await;
    let (north, south) = (node(&accounts, "north"), node(&accounts, "south"));
    let first = north.take_place("alice", 1).await.unwrap().unwrap();
    drop(first);
    north.place_left().await;
    north.give_back_places().await.unwrap();
    let second = south.take_place("alice", 1).await.unwrap();
    assert!(second.is_some());
    north.give_back_places().await.unwrap();
    assert!(north.take_place("alice", 1).await.unwrap().is_none(), "given back once only");
}

async fn a_client_that_comes_back_while_its_old_session_ends_gets_the_place(place: &Place) {
    let accounts = place.open().await;
    let presence = node(&accounts, "north");
    for _ in 0..3 {
        assert!(presence.take_place("alice", 1).await.unwrap().is_some());
    }
}

async fn a_dead_node_s_places_are_free(place: &Place) {
    let accounts = place.open().await;
    let dead = node(&accounts, "north").alive_for(Duration::ZERO);
    let _lost = dead.take_place("alice", 1).await.unwrap().unwrap();
    let presence = node(&accounts, "south");
    let _held = presence.take_place("alice", 1).await.unwrap().unwrap();
    assert!(presence.take_place("alice", 1).await.unwrap().is_none());
}

async fn a_session_from_before_the_limit_counts(place: &Place) {
    let accounts = place.open().await;
    let presence = node(&accounts, "north");
    let _early = [presence.add_place("alice").await.unwrap(), presence.add_place("alice").await.unwrap()];
    assert!(presence.take_place("alice", 2).await.unwrap().is_none());
    let _third = presence.take_place("alice", 3).await.unwrap().unwrap();
}

async fn a_node_taken_for_dead_claims_its_places_again(place: &Place) {
    let accounts = place.open().await;
    let (north, south) = (node(&accounts, "north").alive_for(Duration::ZERO), node(&accounts, "south"));
    let _held = north.take_place("alice", 1).await.unwrap().unwrap();
    let theirs = south.take_place("alice", 1).await.unwrap().unwrap();
    let north = north.alive_for(Duration::from_mins(1));
    north.beat(1).await.unwrap();
    north.claim_places().await.unwrap();
    drop(theirs);
    assert!(south.take_place("alice", 1).await.unwrap().is_none());
}
