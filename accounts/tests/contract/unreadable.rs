//! What cannot be understood is refused, never guessed: a policy somebody broke in the database lets
//! nobody in, ends sessions, and can still be removed.

use serde_json::json;
use wharfinger_accounts::{Changed, Refusal, StoreError};

use crate::place::{ALICES, Place, create_alice, log_in, refusal};

crate::on_both_stores!(
    a_policy_that_cannot_be_read_fails_closed,
    a_document_under_another_name_is_refused,
    a_hash_that_cannot_be_read_matches_no_password,
);

async fn a_policy_that_cannot_be_read_fails_closed(place: &Place) {
    let accounts = place.open().await;
    let broken = [
        ("user.permissions", json!([{ "path": "/", "allow": ["everything"] }])),
        ("user.permissions", json!([{ "path": "../", "allow": [] }])),
        ("user.permissions", json!([{ "path": "/", "allow": [], "deny": [] }])),
        ("user.home", json!("../../etc")),
        ("user.allowed_networks", json!(["10.0.0.0/33"])),
        ("user.expires_at", json!("tomorrow")),
        ("user.quota", json!({ "max_bytes": -1, "max_files": null })),
        ("user.protocols", json!(["telnet"])),
        ("user.must_have_two_factors", json!(true)),
    ];
    for (field, value) in broken {
        let alice = create_alice(&accounts).await;
        log_in(&accounts, "alice", ALICES).await.unwrap();
        place.tamper("alice", field, value).await;
        assert_eq!(refusal(log_in(&accounts, "alice", ALICES).await), Refusal::Unreadable, "{field}");
        let read = accounts.user(&alice.username).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{field}: {read:?}");
        let mut stale = alice.stamp();
        stale.version = 0;
        let changed = accounts.changed_since(std::slice::from_ref(&stale)).await.unwrap();
        assert_eq!(changed, [Changed::Removed(stale)], "{field}");
        accounts.remove_user(&alice.username, None).await.unwrap();
    }
}

async fn a_document_under_another_name_is_refused(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    match &place.raw {
        crate::place::Raw::Mongo(_) => {
            place.tamper("alice", "user.username", json!("root")).await;
            assert_eq!(refusal(log_in(&accounts, "alice", ALICES).await), Refusal::Unreadable);
        }
        // The table's own check keeps name and document together.
        crate::place::Raw::Sqlite { path, .. } => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
            let update = "UPDATE users SET document = json_set(document, '$.user.username', 'root')";
            let refused = sqlx::query(update).execute(&pool).await.unwrap_err();
            assert!(refused.into_database_error().unwrap().is_check_violation());
            pool.close().await;
        }
    }
}

async fn a_hash_that_cannot_be_read_matches_no_password(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    for broken in ["", "alices own password", "$argon2id$"] {
        place.tamper("alice", "passwords.current", json!(broken)).await;
        assert_eq!(refusal(log_in(&accounts, "alice", ALICES).await), Refusal::WrongPassword);
        assert_eq!(refusal(log_in(&accounts, "alice", broken).await), Refusal::WrongPassword);
    }
}
