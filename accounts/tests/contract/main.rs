//! What `Accounts` promises, tried on every store: each case runs on SQLite and on a real MongoDB.
//! A case gets a `Place`, an empty store of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise; the settings for tests reach only #[test] functions"
)]

mod admins;
mod audit;
mod audit_tampering;
mod changes;
mod editing;
mod edits;
mod failover;
mod keys;
mod least_privilege;
mod logins;
mod outage;
mod owners;
mod place;
mod places;
mod presence;
mod rehash;
mod rotation;
mod unreadable;
mod upkeep;
mod usage;
mod users;

/// Runs each of a module's cases on both stores.
macro_rules! on_both_stores {
    ($($case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $case() {
                let place = crate::place::Place::sqlite();
                super::$case(&place).await;
                place.clear().await;
            })+
        }
        mod on_mongodb {
            $(#[tokio::test]
            async fn $case() {
                let place = crate::place::Place::mongodb().await;
                super::$case(&place).await;
                place.clear().await;
            })+
        }
    };
}
pub(crate) use on_both_stores;
