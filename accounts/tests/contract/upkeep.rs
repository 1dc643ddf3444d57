//! The store itself: migrated once by any number of programs, refused when newer, given up on when it
//! does not answer.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use mongodb::bson::{DateTime, Document, doc};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::net::TcpListener;
use wharfinger_accounts::{
    Accounts, ChangeError, MigrateError, Migration, NewUser, NotReady, Role, StoreError,
};
use wharfinger_config::Store;

use crate::place::{ALICES, Place, Raw, create_alice, log_in, name, password};

crate::on_both_stores!(
    a_store_is_ready_once_it_is_migrated,
    programs_that_migrate_at_the_same_time_do_it_once,
    a_newer_store_is_refused,
);

const NEWEST: u32 = 6;
const NEWER: u32 = NEWEST + 1;

async fn a_store_is_ready_once_it_is_migrated(place: &Place) {
    let accounts = place.open_as_it_is().await;
    let not_ready = accounts.ready().await;
    assert!(matches!(not_ready, Err(NotReady::Behind { store: 0, program: NEWEST })), "{not_ready:?}");
    assert_eq!(accounts.migrate().await.unwrap(), Migration { from: 0, to: NEWEST });
    accounts.ready().await.unwrap();
    create_alice(&accounts).await;
    assert_eq!(accounts.migrate().await.unwrap(), Migration { from: NEWEST, to: NEWEST });
    log_in(&accounts, "alice", ALICES).await.unwrap();
}

async fn programs_that_migrate_at_the_same_time_do_it_once(place: &Place) {
    let programs = (0..8).map(|_| {
        let (settings, url) = (place.settings.clone(), place.url.clone());
        tokio::spawn(async move {
            let accounts = Accounts::open(&settings, &url).await.unwrap();
            let migration = accounts.migrate().await.unwrap();
            accounts.ready().await.unwrap();
            migration
        })
    });
    let done = futures_util::future::join_all(programs).await;
    let migrations: Vec<Migration> = done.into_iter().map(|program| program.unwrap()).collect();
    assert_eq!(migrations.iter().filter(|migration| migration.from == 0).count(), 1, "{migrations:?}");
}

async fn a_newer_store_is_refused(place: &Place) {
    let accounts = place.open().await;
    place.pretend_version(NEWER).await;
    let refused = accounts.migrate().await;
    assert!(matches!(refused, Err(MigrateError::Newer { store: NEWER, program: NEWEST })), "{refused:?}");
    let refused = accounts.ready().await;
    assert!(matches!(refused, Err(NotReady::Newer { store: NEWER, program: NEWEST })), "{refused:?}");
}

/// A store as the first version left it, with an owner in it.
#[tokio::test]
async fn an_owner_of_the_first_version_is_kept() {
    let place = Place::sqlite();
    let Raw::Sqlite { path, .. } = &place.raw else { unreachable!() };
    drop(place.open_as_it_is().await);
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await.unwrap();
    let table =
        "CREATE TABLE migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL) STRICT";
    sqlx::query(table).execute(&pool).await.unwrap();
    sqlx::raw_sql(include_str!("../../../migrations/sqlite/0001_users.sql")).execute(&pool).await.unwrap();
    let now = "2026-01-01T00:00:00Z";
    let owner = serde_json::json!({
        "admin": {
            "id": "1f", "username": "owner", "role": "owner", "status": "active", "version": 3,
            "created_at": now, "updated_at": now, "password_changed_at": now,
        },
        "password": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    });
    let insert = sqlx::query("INSERT INTO admins (username, document) VALUES ('owner', ?)");
    insert.bind(owner.to_string()).execute(&pool).await.unwrap();
    pool.close().await;
    place.pretend_version(1).await;

    let accounts = place.open_as_it_is().await;
    assert_eq!(accounts.migrate().await.unwrap(), Migration { from: 1, to: NEWEST });
    let owner = accounts.admin(&name("owner")).await.unwrap();
    assert_eq!((owner.id.as_str(), owner.role, owner.version), ("1f", Role::Owner, 3));
    assert_eq!(accounts.remove_admin(&name("owner"), None).await, Err(StoreError::LastOwner));
}

const SQLITE: [&str; NEWEST as usize] = [
    include_str!("../../../migrations/sqlite/0001_users.sql"),
    include_str!("../../../migrations/sqlite/0002_audit.sql"),
    include_str!("../../../migrations/sqlite/0003_admins.sql"),
    include_str!("../../../migrations/sqlite/0004_presence.sql"),
    include_str!("../../../migrations/sqlite/0005_usage.sql"),
    include_str!("../../../migrations/sqlite/0006_removal.sql"),
];
const MONGODB: [&str; NEWEST as usize] = [
    include_str!("../../../migrations/mongodb/0001_users.json"),
    include_str!("../../../migrations/mongodb/0002_audit.json"),
    include_str!("../../../migrations/mongodb/0003_admins.json"),
    include_str!("../../../migrations/mongodb/0004_presence.json"),
    include_str!("../../../migrations/mongodb/0005_usage.json"),
    include_str!("../../../migrations/mongodb/0006_removal.json"),
];

#[tokio::test]
async fn an_sqlite_store_of_every_earlier_version_is_upgraded() {
    for version in 1..NEWEST {
        let place = Place::sqlite();
        let Raw::Sqlite { path, .. } = &place.raw else { unreachable!() };
        drop(place.open_as_it_is().await);
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(path)).await.unwrap();
        let table =
            "CREATE TABLE migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL) STRICT";
        sqlx::query(table).execute(&pool).await.unwrap();
        for sql in SQLITE.into_iter().take(version as usize) {
            sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        }
        pool.close().await;
        is_upgraded(&place, version).await;
    }
}

#[tokio::test]
async fn a_mongodb_store_of_every_earlier_version_is_upgraded() {
    for version in 1..NEWEST {
        let place = Place::mongodb().await;
        let Raw::Mongo(database) = &place.raw else { unreachable!() };
        for json in MONGODB.into_iter().take(version as usize) {
            let commands: Vec<Document> = serde_json::from_str(json).unwrap();
            for command in commands {
                database.run_command(command).await.unwrap();
            }
        }
        is_upgraded(&place, version).await;
        place.clear().await;
    }
}

/// And works then.
async fn is_upgraded(place: &Place, version: u32) {
    place.pretend_version(version).await;
    let accounts = place.open_as_it_is().await;
    assert_eq!(accounts.migrate().await.unwrap(), Migration { from: version, to: NEWEST });
    accounts.ready().await.unwrap();
    create_alice(&accounts).await;
    log_in(&accounts, "alice", ALICES).await.unwrap();
    accounts.create_admin(name("owner"), Role::Owner, Some(password(ALICES))).await.unwrap();
    assert!(accounts.nodes().await.unwrap().is_empty());
}

/// Fails as unavailable, within the time-out and a little.
async fn gives_up(url: &str) {
    let settings = Store { timeout_seconds: 1, ..Store::default() };
    let start = Instant::now();
    let opened = Accounts::open(&settings, url).await;
    assert!(matches!(opened.map(drop), Err(StoreError::Unavailable(_))));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_mongodb_that_is_not_there_is_given_up_on() {
    // Bound and dropped: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    gives_up(&format!("mongodb://127.0.0.1:{port}/wharfinger")).await;
}

#[tokio::test]
async fn a_mongodb_that_does_not_answer_is_given_up_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    gives_up(&format!("mongodb://127.0.0.1:{port}/wharfinger?directConnection=true")).await;
}

#[tokio::test]
async fn an_sqlite_file_that_cannot_be_made_is_given_up_on() {
    gives_up("sqlite:///dev/null/wharfinger.db").await;
    gives_up("postgres://127.0.0.1/wharfinger").await;
    gives_up("mongodb://").await;
}

#[tokio::test]
async fn an_sqlite_file_another_program_keeps_locked_is_given_up_on() {
    let mut place = Place::sqlite();
    place.settings.timeout_seconds = 1;
    let accounts = place.open().await;
    let Raw::Sqlite { path, .. } = &place.raw else { unreachable!() };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let create = async || accounts.create_user(NewUser::named(name("alice")), Some(password(ALICES))).await;
    let refused = create().await;
    assert!(matches!(refused, Err(ChangeError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    lock.rollback().await.unwrap();
    create().await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn an_sqlite_file_is_its_owners_only() {
    let place = Place::sqlite();
    let accounts = place.open().await;
    create_alice(&accounts).await;
    let Raw::Sqlite { path, .. } = &place.raw else { unreachable!() };
    let files: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 2, "the file and its log: {files:?}");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn a_mongodb_migration_cut_short_is_completed() {
    let place = Place::mongodb().await;
    let Raw::Mongo(database) = &place.raw else { unreachable!() };
    // A program that died while it migrated: a collection without its rules, and its lock.
    database.create_collection("users").await.unwrap();
    let locks = database.collection::<Document>("migration_lock");
    let died = doc! { "_id": "lock", "holder": "gone", "expires_at": DateTime::from_millis(0) };
    locks.insert_one(died).await.unwrap();
    let accounts = place.open().await;
    accounts.ready().await.unwrap();
    assert_eq!(locks.count_documents(doc! {}).await.unwrap(), 0, "the lock is given back");
    create_alice(&accounts).await;
    let users = database.collection::<Document>("users");
    assert!(users.insert_one(doc! { "_id": "mallory" }).await.is_err(), "the rules are in force");
    let renamed = users.update_one(doc! {}, doc! { "$set": { "user.username": "root" } }).await;
    assert!(renamed.is_err(), "name and document stay together");
    place.clear().await;
}
