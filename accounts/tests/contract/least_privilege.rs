//! The file server's own database login, on a MongoDB that asks for logins: the role written in
//! docs/operations.md is enough for all that a file server does, and not for changing a user.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use tempfile::TempDir;
use tokio::time::timeout;
use wharfinger_accounts::{Accounts, ChangeError, NewUser, Status, StoreError};
use wharfinger_config::Store;

use crate::place::{ALICES, create_alice, log_in, name, password};
use crate::presence::{node, session};

const PATIENCE: Duration = Duration::from_secs(20);
const NEVER: Duration = Duration::from_hours(1);

/// A server of its own, which asks for logins.
struct Guarded {
    directory: TempDir,
    port: u16,
}

impl Guarded {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        script("start", &[directory.path().to_str().unwrap(), &port.to_string(), "--auth"]);
        Self { directory, port }
    }

    fn url(&self, credential: &str) -> String {
        format!("mongodb://{credential}127.0.0.1:{}/wharfinger?replicaSet=rs0&authSource=admin", self.port)
    }

    async fn run(&self, credential: &str, database: &str, command: Document) {
        let client = Client::with_uri_str(self.url(credential)).await.unwrap();
        client.database(database).run_command(command).await.unwrap();
    }

    async fn open(&self, credential: &str) -> Accounts {
        Accounts::open(&Store::default(), &self.url(credential)).await.unwrap()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        script("stop", &[self.directory.path().to_str().unwrap()]);
    }
}

fn script(name: &str, arguments: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/mongo").join(name);
    // What it starts keeps these streams; a pipe would be waited for.
    let status = Command::new(path).args(arguments).status().unwrap();
    assert!(status.success(), "{name}: {status}");
}

/// The command on the page, as it stands there.
fn role() -> Document {
    let page = include_str!("../../../docs/operations.md");
    let command = page.split("runCommand(").nth(1).and_then(|rest| rest.split(")\n```").next()).unwrap();
    serde_json::from_str(command).unwrap_or_else(|error| panic!("{error}: {command}"))
}

#[tokio::test]
async fn the_file_server_s_role_is_enough_for_it_and_changes_no_user() {
    let mongo = Guarded::start();
    mongo.run("", "admin", doc! { "createUser": "root", "pwd": "root", "roles": ["root"] }).await;
    let admin = mongo.open("root:root@").await;
    admin.migrate().await.unwrap();
    let alice = create_alice(&admin).await;
    mongo.run("root:root@", "wharfinger", role()).await;
    let roles = doc! { "role": "wharfinger-server", "db": "wharfinger" };
    mongo.run("root:root@", "admin", doc! { "createUser": "server", "pwd": "pw", "roles": [roles] }).await;

    let server = mongo.open("server:pw@").await;
    server.ready().await.unwrap();
    let mut changes = server.changes().at_the_latest_after(NEVER);
    // Both change streams say that they are open.
    for _ in 0..2 {
        timeout(PATIENCE, changes.next()).await.expect("no change stream");
    }
    log_in(&server, "alice", ALICES).await.unwrap();
    assert!(admin.user(&alice.username).await.unwrap().activity.last_login_at.is_some());
    let presence = node(&server, "north");
    assert!(presence.beat(0).await.unwrap());
    presence.publish(&[session(&presence, 1, "alice"), session(&presence, 2, "alice")], &[]).await.unwrap();
    presence.publish(&[], &[presence.session_id(2)]).await.unwrap();
    admin.end_session(&presence.session_id(1)).await.unwrap();
    assert_eq!(presence.asked_to_end().await.unwrap(), [1]);
    drop(presence.take_place(&alice.id, 1).await.unwrap().unwrap());
    presence.give_back_places().await.unwrap();
    presence.withdraw().await.unwrap();
    admin.set_status(&alice.username, Status::Disabled, None).await.unwrap();
    assert_eq!(server.changed_since(&[alice.stamp()]).await.unwrap().len(), 1);

    let made = server.create_user(NewUser::named(name("mallory")), Some(password(ALICES))).await;
    assert!(matches!(made, Err(ChangeError::Store(StoreError::Unavailable(_)))), "{made:?}");
    let enabled = server.set_status(&alice.username, Status::Active, None).await;
    assert!(matches!(enabled, Err(StoreError::Unavailable(_))), "{enabled:?}");
    let removed = server.remove_user(&alice.username, None).await;
    assert!(matches!(removed, Err(StoreError::Unavailable(_))), "{removed:?}");
    let read = server.admin(&name("owner")).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
}
