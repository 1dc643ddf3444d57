//! The services' own database logins, on a MongoDB that asks for logins: the roles that migrating makes
//! are enough for all that a file server and an admin API do, and not for what is another's to do.

use std::fmt::Debug;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::error::ErrorKind;
use tempfile::TempDir;
use tokio::time::timeout;
use wharfinger_accounts::{Accounts, ChangeError, NewUser, Role, Settlement, Status, StoreError, UserQuery};
use wharfinger_config::Store;

use crate::audit::{DAY, record};
use crate::place::{ALICES, TestClock, create_alice, log_in, name, password};
use crate::presence::{node, session};
use crate::rehash::hashed;

const PATIENCE: Duration = Duration::from_secs(20);
const UNAUTHORIZED: i32 = 13;
const NEVER: Duration = Duration::from_hours(1);

const ROOT: &str = "root:pw@";
const SERVER: &str = "server:pw@";
const ADMIN_API: &str = "admin-api:pw@";

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

    /// Migrated by a login that owns the database, with one login for each of the services.
    async fn migrated() -> Self {
        let mongo = Self::start();
        let login = |name: &str, role: Document| doc! { "createUser": name, "pwd": "pw", "roles": [role] };
        let on = |database: &str, role: &str| doc! { "role": role, "db": database };
        mongo.run("", login("root", on("admin", "root"))).await;
        mongo.run(ROOT, login("migrate", on("wharfinger", "dbOwner"))).await;
        mongo.open("migrate:pw@").await.migrate().await.unwrap();
        mongo.run(ROOT, login("server", on("wharfinger", "wharfinger-server"))).await;
        mongo.run(ROOT, login("admin-api", on("wharfinger", "wharfinger-admin"))).await;
        mongo
    }

    fn url(&self, credential: &str) -> String {
        format!("mongodb://{credential}127.0.0.1:{}/wharfinger?replicaSet=rs0&authSource=admin", self.port)
    }

    async fn run(&self, credential: &str, command: Document) {
        let client = Client::with_uri_str(self.url(credential)).await.unwrap();
        client.database("admin").run_command(command).await.unwrap();
    }

    /// The code with which this login's command is refused, if it is.
    async fn refusal(&self, credential: &str, command: Document) -> Option<i32> {
        let client = Client::with_uri_str(self.url(credential)).await.unwrap();
        let error = client.database("wharfinger").run_command(command).await.err()?;
        match *error.kind {
            ErrorKind::Command(refused) => Some(refused.code),
            other => panic!("{other:?}"),
        }
    }

    async fn count(&self, command: Document) -> i32 {
        let client = Client::with_uri_str(self.url(ROOT)).await.unwrap();
        client.database("wharfinger").run_command(command).await.unwrap().get_i32("n").unwrap()
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

#[tokio::test]
async fn the_file_server_s_role_is_enough_for_it_and_changes_no_user() {
    let mongo = Guarded::migrated().await;
    let admin = mongo.open(ADMIN_API).await;
    let alice = create_alice(&admin).await;
    let server = mongo.open(SERVER).await;
    server.ready().await.unwrap();
    let mut changes = server.changes().at_the_latest_after(NEVER);
    // The first signal says that the change streams are open.
    timeout(PATIENCE, changes.next()).await.expect("no change stream");
    log_in(&server, "alice", ALICES).await.unwrap();
    assert!(admin.user(&alice.username).await.unwrap().activity.last_login_at.is_some());
    a_weak_hash_lets_in_all_the_same(&mongo).await;
    keep_a_trail(&server).await;
    let presence = node(&server, "north");
    assert!(presence.beat(0).await.unwrap());
    presence.publish(&[session(&presence, 1, "alice"), session(&presence, 2, "alice")], &[]).await.unwrap();
    presence.publish(&[], &[presence.session_id(2)]).await.unwrap();
    admin.end_session(&presence.session_id(1)).await.unwrap();
    assert_eq!(presence.asked_to_end().await.unwrap(), [1]);
    drop(presence.take_place(&alice.id, 1).await.unwrap().unwrap());
    presence.give_back_places().await.unwrap();
    let told = Settlement { step: 1, open: true, made: true, ..Settlement::default() };
    presence.settle(&alice.home, &told).await.unwrap();
    admin.ask_recount(&alice.username).await.unwrap();
    assert_eq!(presence.claim_recount().await.unwrap(), Some(alice.home.clone()));
    let bob = admin.create_user(NewUser::named(name("bob")), Some(password(ALICES))).await.unwrap().0;
    admin.remove_user_and_files(&bob.username, None).await.unwrap();
    let (going, _) = presence.claim_removal().await.unwrap().unwrap();
    assert_eq!(going, bob.home);
    presence.end_removal(&going).await.unwrap();
    presence.withdraw().await.unwrap();
    admin.set_status(&alice.username, Status::Disabled, None).await.unwrap();
    assert_eq!(server.changed_since(&[alice.stamp()]).await.unwrap().len(), 1);

    let made = server.create_user(NewUser::named(name("mallory")), Some(password(ALICES))).await;
    assert!(matches!(made, Err(ChangeError::Store(StoreError::Unavailable(_)))), "{made:?}");
    assert_not_allowed(&server.set_status(&alice.username, Status::Active, None).await);
    assert_not_allowed(&server.remove_user(&alice.username, None).await);
    assert_not_allowed(&server.unlock(&alice.username).await);
    assert_not_allowed(&server.admin(&name("owner")).await);
    assert_not_allowed(&server.keys(None, 10).await);
    for (collection, command) in [
        (
            "users",
            doc! { "update": "users", "updates": [{ "q": {}, "u": { "$set": { "user.status": "active" } } }] },
        ),
        ("audit", doc! { "delete": "audit", "deletes": [{ "q": {}, "limit": 0 }] }),
        ("audit", doc! { "update": "audit", "updates": [{ "q": {}, "u": { "$set": { "user": "eve" } } }] }),
        ("users", doc! { "drop": "users" }),
    ] {
        assert_eq!(mongo.refusal(SERVER, command).await, Some(UNAUTHORIZED), "{collection}");
    }
}

#[tokio::test]
async fn the_admin_api_s_role_is_enough_for_it_and_changes_no_history() {
    let mongo = Guarded::migrated().await;
    let (admin, clock) = TestClock::of(&mongo.open(ADMIN_API).await);
    // What it does at each start, where there is nothing left to do and roles are not its own to change.
    admin.migrate().await.unwrap();
    let alice = create_alice(&admin).await;
    log_in(&mongo.open(SERVER).await, "alice", ALICES).await.unwrap();
    admin.set_status(&alice.username, Status::Disabled, None).await.unwrap();
    admin.unlock(&alice.username).await.unwrap();
    assert_eq!(admin.users(UserQuery::default()).await.unwrap().items.len(), 1);
    admin.remove_user(&alice.username, None).await.unwrap();
    for owner in ["owner", "second"] {
        admin.create_admin(name(owner), Role::Owner, Some(password(ALICES))).await.unwrap();
    }
    admin.admin_log_in("owner", &password(ALICES)).await.unwrap();
    let new = admin.new_key(&name("owner"), "of a test".parse().unwrap(), Role::Auditor, None).await.unwrap();
    let (key, text) = admin.create_key(new).await.unwrap();
    assert!(admin.check_key(&text).await.unwrap().is_some());
    admin.remove_key(&key.id).await.unwrap();
    admin.remove_admin(&name("second"), None).await.unwrap();
    assert!(admin.nodes().await.unwrap().is_empty());
    keep_a_trail(&admin).await;
    clock.advance(38 * DAY);
    let trail = admin.begin_trail("another").unwrap();
    record(&trail, &["carol"]).await;
    assert!(admin.expire_audit(30 * DAY, &trail).await.unwrap() > 0);
    trail.close(PATIENCE).await;
    admin.verify_audit().await.unwrap();

    for command in [
        doc! { "update": "audit", "updates": [{ "q": {}, "u": { "$set": { "user": "eve" } } }] },
        doc! { "update": "migrations", "updates": [{ "q": {}, "u": { "$set": { "applied_at": "" } } }] },
        doc! { "drop": "users" },
        doc! { "grantRolesToUser": "admin-api", "roles": ["dbOwner"] },
    ] {
        assert_eq!(mongo.refusal(ADMIN_API, command.clone()).await, Some(UNAUTHORIZED), "{command}");
    }
}

#[tokio::test]
async fn migrating_gives_a_role_what_it_has_come_to_need() {
    let mongo = Guarded::migrated().await;
    let poorer = doc! { "updateRole": "wharfinger-server", "privileges": [] };
    assert_eq!(mongo.refusal(ROOT, poorer).await, None);
    assert!(mongo.open(SERVER).await.ready().await.is_err());
    mongo.open("migrate:pw@").await.migrate().await.unwrap();
    mongo.open(SERVER).await.ready().await.unwrap();
}

/// A file server that may not write users can't make it stronger, and whoever may does.
async fn a_weak_hash_lets_in_all_the_same(mongo: &Guarded) {
    let weak = doc! { "$set": { "passwords.current": hashed(ALICES, 64, 1) } };
    let weaken = doc! { "update": "users", "updates": [{ "q": { "_id": "alice" }, "u": weak.clone() }] };
    assert_eq!(mongo.refusal(ROOT, weaken).await, None);
    let still_weak = doc! { "count": "users", "query": weak.get_document("$set").unwrap() };
    for (login, left) in [(SERVER, 1), (ADMIN_API, 0)] {
        log_in(&mongo.open(login).await, "alice", ALICES).await.unwrap();
        assert_eq!(mongo.count(still_weak.clone()).await, left, "{login}");
    }
}

/// Records, each with the hash of the one before, and what it saw of others' chains.
async fn keep_a_trail(accounts: &Accounts) {
    let trail = accounts.begin_trail("a test").unwrap();
    record(&trail, &["alice", "bob"]).await;
    assert!(trail.close(PATIENCE).await);
}

#[track_caller]
fn assert_not_allowed<T: Debug>(done: &Result<T, StoreError>) {
    let Err(StoreError::Unavailable(reason)) = done else { panic!("{done:?}") };
    assert!(reason.contains("not authorized"), "{reason}");
}
