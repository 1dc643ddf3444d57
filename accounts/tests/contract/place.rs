//! An empty store for one test, the ways to tamper with it behind the program's back, and a clock.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use mongodb::bson::{Bson, Document, doc};
use mongodb::{Client, Database};
use sqlx::SqlitePool;
use tempfile::TempDir;
use wharfinger_accounts::{
    Accounts, Attempt, Caller, LoginError, NewUser, Password, Proof, Protocol, Refusal, User, Username,
};
use wharfinger_config::Store;

/// One test's own store.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) settings: Store,
    pub(crate) raw: Raw,
}

/// The store without the program.
pub(crate) enum Raw {
    Sqlite { path: PathBuf, _directory: TempDir },
    Mongo(Database),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data/wharfinger.db");
        let url = format!("sqlite://{}", path.display());
        Self { url, settings: Store::default(), raw: Raw::Sqlite { path, _directory: directory } }
    }

    pub(crate) async fn mongodb() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let server = std::env::var("TEST_MONGODB_URL")
            .expect("TEST_MONGODB_URL names no MongoDB: run ./tests/run, which starts one");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("contract-{}-{number}", std::process::id());
        let (host, query) = server.split_once("/?").unwrap_or((server.trim_end_matches('/'), ""));
        let url = format!("{host}/{name}?{query}");
        let database = Client::with_uri_str(&url).await.unwrap().database(&name);
        database.drop().await.unwrap();
        Self { url, settings: Store::default(), raw: Raw::Mongo(database) }
    }

    /// A program on this store, ready.
    pub(crate) async fn open(&self) -> Accounts {
        let accounts = self.open_as_it_is().await;
        accounts.migrate().await.unwrap();
        accounts
    }

    pub(crate) async fn open_as_it_is(&self) -> Accounts {
        Accounts::open(&self.settings, &self.url).await.unwrap()
    }

    pub(crate) async fn clear(self) {
        if let Raw::Mongo(database) = self.raw {
            database.drop().await.unwrap();
        }
    }

    /// Changes a field of a user's document, as somebody with a database shell might.
    pub(crate) async fn tamper(&self, name: &str, field: &str, value: serde_json::Value) {
        self.tamper_with("users", name, field, value).await;
    }

    /// The same of anybody's, in the table or collection named.
    pub(crate) async fn tamper_with(&self, whose: &str, name: &str, field: &str, value: serde_json::Value) {
        match &self.raw {
            Raw::Sqlite { path, .. } => {
                let update = format!(
                    "UPDATE {whose} SET document = json_set(document, '$.' || ?, json(?)) WHERE username = ?"
                );
                let pool = pool(path).await;
                let update = sqlx::query(sqlx::AssertSqlSafe(update));
                let update = update.bind(field).bind(value.to_string()).bind(name);
                assert_eq!(update.execute(&pool).await.unwrap().rows_affected(), 1);
                pool.close().await;
            }
            Raw::Mongo(database) => {
                let value: Bson = serde_json::from_value(value).unwrap();
                let collection = database.collection::<Document>(whose);
                let update = collection
                    .update_one(doc! { "_id": name }, doc! { "$set": { field: value } })
                    .bypass_document_validation(true);
                assert_eq!(update.await.unwrap().matched_count, 1);
            }
        }
    }

    /// A document as it is stored.
    pub(crate) async fn stored(&self, whose: &str, name: &str) -> serde_json::Value {
        match &self.raw {
            Raw::Sqlite { path, .. } => {
                let pool = pool(path).await;
                let select = format!("SELECT document FROM {whose} WHERE username = ?");
                let select = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).bind(name);
                let document: String = select.fetch_one(&pool).await.unwrap();
                pool.close().await;
                serde_json::from_str(&document).unwrap()
            }
            Raw::Mongo(database) => {
                let found = database.collection::<Document>(whose).find_one(doc! { "_id": name }).await;
                serde_json::to_value(found.unwrap().unwrap()).unwrap()
            }
        }
    }

    /// Makes the store look migrated up to `version`.
    pub(crate) async fn pretend_version(&self, version: u32) {
        let now = Timestamp::now().to_string();
        match &self.raw {
            Raw::Sqlite { path, .. } => {
                let pool = pool(path).await;
                let insert = sqlx::query("INSERT INTO migrations (version, applied_at) VALUES (?, ?)");
                insert.bind(version).bind(now).execute(&pool).await.unwrap();
                pool.close().await;
            }
            Raw::Mongo(database) => {
                let record = doc! { "_id": i64::from(version), "applied_at": now };
                database.collection::<Document>("migrations").insert_one(record).await.unwrap();
            }
        }
    }
}

/// The file without the program.
pub(crate) async fn pool(path: &std::path::Path) -> SqlitePool {
    SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(path)).await.unwrap()
}

/// A time of day that moves when it is told to.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// `accounts` with a clock of their own, which starts now.
    pub(crate) fn of(accounts: &Accounts) -> (Accounts, Self) {
        let clock = Self(Arc::new(AtomicI64::new(Timestamp::now().as_millisecond())));
        (clock.on(accounts), clock)
    }

    /// Other accounts with this clock.
    pub(crate) fn on(&self, accounts: &Accounts) -> Accounts {
        let clock = self.clone();
        accounts.with_clock(Arc::new(move || clock.now()))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

pub(crate) fn name(name: &str) -> Username {
    name.parse().unwrap()
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text)
}

/// A client over FTPS from an address nobody has ruled out.
pub(crate) const ANYWHERE: Caller = Caller {
    address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    protocol: Protocol::Ftps,
    by_certificate: false,
};

pub(crate) const ALICES: &str = "alices own password";

/// Alice, with the defaults and the password [`ALICES`].
pub(crate) async fn create_alice(accounts: &Accounts) -> User {
    let (user, generated) =
        accounts.create_user(NewUser::named(name("alice")), Some(password(ALICES))).await.unwrap();
    assert!(generated.is_none());
    user
}

/// Logs in over FTPS from an address nobody has ruled out.
pub(crate) async fn log_in(accounts: &Accounts, name: &str, text: &str) -> Result<Arc<User>, LoginError> {
    log_in_from(accounts, name, text, "192.0.2.7", Protocol::Ftps).await
}

pub(crate) async fn log_in_from(
    accounts: &Accounts,
    username: &str,
    text: &str,
    address: &str,
    protocol: Protocol,
) -> Result<Arc<User>, LoginError> {
    let address: IpAddr = address.parse().unwrap();
    accounts.log_in(Attempt { username, proof: Proof::Password(&password(text)), address, protocol }).await
}

/// The reason of a refused login.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, LoginError>) -> Refusal {
    match result {
        Err(LoginError::Refused(refusal)) => refusal,
        other => panic!("not a refusal: {other:?}"),
    }
}
