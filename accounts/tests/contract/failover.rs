//! How changes are heard of when MongoDB's primary dies, and where a MongoDB has no change streams.

use std::time::Duration;

use tokio::time::timeout;
use wharfinger_accounts::{Accounts, Changed, Status, StoreError, User};
use wharfinger_config::Store;
use wharfinger_tests::mongo::{ReplicaSet, Server};

use crate::place::{create_alice, name};

/// For an election on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Long enough that only a signal of the store's can wake within a test's patience.
const NEVER: Duration = Duration::from_hours(1);

async fn open(url: &str) -> Accounts {
    Accounts::open(&Store::default(), url).await.unwrap()
}

/// Disables or enables Alice; tried again for as long as there is no primary.
async fn set_status(accounts: &Accounts, status: Status) -> User {
    let trying = async {
        loop {
            match accounts.set_status(&name("alice"), status, None).await {
                Ok(changed) => return changed.after.user,
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    timeout(PATIENCE, trying).await.expect("no primary")
}

#[tokio::test]
async fn change_streams_go_on_after_the_primary_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let set = ReplicaSet::start(directory.path());
    let (server, admin) = (open(&set.url()).await, open(&set.url()).await);
    admin.migrate().await.unwrap();
    let alice = create_alice(&admin).await;
    let mut changes = server.changes().at_the_latest_after(NEVER);
    let mut wakes = async || timeout(PATIENCE, changes.next()).await.expect("no wake-up");
    // The first signal says that the streams are open.
    wakes().await;
    set.kill_primary();
    set.allow_elections();
    // More often than signals may come that are none of a change's, as when streams are opened again.
    for status in [Status::Disabled, Status::Active, Status::Disabled, Status::Active, Status::Disabled] {
        set_status(&admin, status).await;
        wakes().await;
    }
    let changed = server.changed_since(&[alice.stamp()]).await.unwrap();
    let [Changed::Updated(user)] = changed.as_slice() else { panic!("{changed:?}") };
    assert_eq!(user.status, Status::Disabled);
}

#[tokio::test]
async fn a_mongodb_without_change_streams_is_polled() {
    let directory = tempfile::tempdir().unwrap();
    let mongo = Server::new(directory.path());
    let url = mongo.start_alone();
    let (server, admin) = (open(&url).await, open(&url).await);
    admin.migrate().await.unwrap();
    let alice = create_alice(&admin).await;
    let mut changes = server.changes().at_the_latest_after(NEVER);
    let disabled = set_status(&admin, Status::Disabled).await;
    let signalled = timeout(Duration::from_secs(1), changes.next()).await;
    assert!(signalled.is_err(), "there is a change stream after all");
    let mut changes = server.changes();
    timeout(PATIENCE, changes.next()).await.expect("nothing wakes by itself");
    let changed = server.changed_since(&[alice.stamp()]).await.unwrap();
    assert_eq!(changed, [Changed::Updated(disabled.into())]);
}
