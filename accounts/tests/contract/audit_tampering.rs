//! Whatever is done to the audit trail behind the program's back is found and named: each case writes
//! into the store directly.

use mongodb::bson::{Bson, Document, doc};
use serde_json::{Value, json};
use wharfinger_accounts::{Accounts, Break};

use crate::audit::{DAY, PATIENCE, all, record};
use crate::place::{Place, Raw, TestClock, pool};

crate::on_both_stores!(
    a_changed_member_is_found_whichever_it_is,
    a_removed_record_is_found,
    removed_last_records_are_found,
    a_removed_chain_is_found,
    an_inserted_record_is_found,
    records_that_changed_places_are_found,
    a_foreign_chain_is_found,
    a_rewritten_end_is_found_by_who_saw_it,
    records_removed_from_the_beginning_are_found,
    a_foreign_record_ahead_does_not_stop_the_trail,
);

/// A chain of records 1 to 5, which has ended; its name.
async fn chain(accounts: &Accounts) -> String {
    let trail = accounts.begin_trail("victim").unwrap();
    record(&trail, &["alice", "bob", "carol"]).await;
    assert!(trail.close(PATIENCE).await);
    let verified = accounts.verify_audit().await.unwrap();
    assert_eq!((verified.records, verified.first_broken), (5, None));
    all(accounts).await[0].chain.clone()
}

async fn broken(accounts: &Accounts) -> (String, u64, &'static str) {
    let verified = accounts.verify_audit().await.unwrap();
    let Break { chain, sequence, reason } = verified.first_broken.expect("it is found");
    (chain, sequence, reason)
}

fn id(chain: &str, sequence: u64) -> String {
    format!("{chain}/{sequence:016x}")
}

/// Gives a member of a record another value, or puts the old one back.
async fn set(place: &Place, chain: &str, sequence: u64, member: &str, value: &Value) -> Value {
    match &place.raw {
        Raw::Sqlite { path, .. } => {
            let pool = pool(path).await;
            let old = format!("SELECT json_array({member}) FROM audit WHERE chain = ? AND sequence = ?");
            let old = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(old));
            let old = old.bind(chain).bind(sequence.cast_signed()).fetch_one(&pool).await.unwrap();
            let update = format!(
                "UPDATE audit SET {member} = json_extract(json(?), '$[0]') WHERE chain = ? AND sequence = ?"
            );
            let new = json!([value]).to_string();
            let update =
                sqlx::query(sqlx::AssertSqlSafe(update)).bind(new).bind(chain).bind(sequence.cast_signed());
            assert_eq!(update.execute(&pool).await.unwrap().rows_affected(), 1);
            pool.close().await;
            let old: Value = serde_json::from_str(&old).unwrap();
            old[0].clone()
        }
        Raw::Mongo(database) => {
            let audit = database.collection::<Document>("audit");
            let value: Bson = serde_json::from_value(value.clone()).unwrap();
            let update = audit
                .find_one_and_update(doc! { "_id": id(chain, sequence) }, doc! { "$set": { member: value } })
                .bypass_document_validation(true);
            serde_json::to_value(update.await.unwrap().unwrap().get(member).unwrap()).unwrap()
        }
    }
}

async fn remove(place: &Place, chain: &str, from: u64, to: u64) {
    match &place.raw {
        Raw::Sqlite { path, .. } => {
            let pool = pool(path).await;
            let delete = "DELETE FROM audit WHERE chain = ? AND sequence BETWEEN ? AND ?";
            let delete = sqlx::query(delete).bind(chain).bind(from.cast_signed()).bind(to.cast_signed());
            assert!(delete.execute(&pool).await.unwrap().rows_affected() > 0);
            pool.close().await;
        }
        Raw::Mongo(database) => {
            let range = doc! { "_id": { "$gte": id(chain, from), "$lte": id(chain, to) } };
            let done = database.collection::<Document>("audit").delete_many(range).await.unwrap();
            assert!(done.deleted_count > 0);
        }
    }
}

/// Stores a copy of a record under another place.
async fn copy(place: &Place, from: (&str, u64), to: (&str, u64)) {
    match &place.raw {
        Raw::Sqlite { path, .. } => {
            let pool = pool(path).await;
            let copy = "INSERT INTO audit SELECT ?, ?, at, action, user, actor, detail, previous, hash
                        FROM audit WHERE chain = ? AND sequence = ?";
            let copy =
                sqlx::query(copy).bind(to.0).bind(to.1.cast_signed()).bind(from.0).bind(from.1.cast_signed());
            assert_eq!(copy.execute(&pool).await.unwrap().rows_affected(), 1);
            pool.close().await;
        }
        Raw::Mongo(database) => {
            let audit = database.collection::<Document>("audit");
            let mut record = audit.find_one(doc! { "_id": id(from.0, from.1) }).await.unwrap().unwrap();
            record.insert("_id", id(to.0, to.1));
            audit.insert_one(record).await.unwrap();
        }
    }
}

async fn a_changed_member_is_found_whichever_it_is(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    let changes: [(&str, Value); 7] = [
        ("at", 1.into()),
        ("action", "login".into()),
        ("user", "mallory".into()),
        ("user", Value::Null),
        ("actor", "owner".into()),
        ("detail", r#"{"lost":1}"#.into()),
        ("hash", "0".repeat(64).into()),
    ];
    for (member, value) in changes {
        let old = set(place, &chain, 3, member, &value).await;
        assert_eq!(broken(&accounts).await, (chain.clone(), 3, "the record was changed"), "{member}");
        set(place, &chain, 3, member, &old).await;
        assert!(accounts.verify_audit().await.unwrap().intact(), "put back: {member}");
    }
}

async fn a_removed_record_is_found(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    remove(place, &chain, 3, 3).await;
    assert_eq!(broken(&accounts).await, (chain, 3, "the record is missing"));
}

async fn removed_last_records_are_found(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    remove(place, &chain, 4, 5).await;
    assert_eq!(broken(&accounts).await, (chain, 4, "the chain's last records are missing"));
}

async fn a_removed_chain_is_found(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    remove(place, &chain, 1, 5).await;
    assert_eq!(broken(&accounts).await, (chain, 1, "the whole chain is missing"));
}

async fn an_inserted_record_is_found(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    copy(place, (&chain, 3), (&chain, 6)).await;
    assert_eq!(broken(&accounts).await, (chain, 6, "the record was changed"));
}

async fn records_that_changed_places_are_found(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    copy(place, (&chain, 3), (&chain, 9)).await;
    remove(place, &chain, 3, 3).await;
    copy(place, (&chain, 4), (&chain, 3)).await;
    remove(place, &chain, 4, 4).await;
    copy(place, (&chain, 9), (&chain, 4)).await;
    remove(place, &chain, 9, 9).await;
    assert_eq!(broken(&accounts).await, (chain, 3, "the record was changed"));
}

async fn a_foreign_chain_is_found(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    copy(place, (&chain, 1), ("aaa~forged", 1)).await;
    assert_eq!(broken(&accounts).await, ("aaa~forged".to_owned(), 1, "no process began this chain"));
}

/// Somebody who removes a chain's end and makes the store's own account of it fit.
async fn a_rewritten_end_is_found_by_who_saw_it(place: &Place) {
    let accounts = place.open().await;
    let chain = chain(&accounts).await;
    let witness = accounts.begin_trail("witness").unwrap();
    record(&witness, &["dave"]).await;
    witness.close(PATIENCE).await;
    let kept = all(&accounts).await.into_iter().find(|it| it.chain == chain && it.sequence == 3).unwrap();
    remove(place, &chain, 4, 5).await;
    match &place.raw {
        Raw::Sqlite { path, .. } => {
            let pool = pool(path).await;
            let update = "UPDATE audit_chains SET sequence = 3, hash = ? WHERE chain = ?";
            sqlx::query(update).bind(&kept.hash).bind(&chain).execute(&pool).await.unwrap();
            pool.close().await;
        }
        Raw::Mongo(database) => {
            let update = doc! { "$set": { "sequence": 3_i64, "hash": &kept.hash } };
            let chains = database.collection::<Document>("audit_chains");
            chains.update_one(doc! { "_id": &chain }, update).await.unwrap();
        }
    }
    assert_eq!(broken(&accounts).await, (chain, 5, "the record is missing; another chain has seen it"));
}

/// What retention does, but done by somebody else.
async fn records_removed_from_the_beginning_are_found(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let trail = accounts.begin_trail("host").unwrap();
    record(&trail, &["alice"]).await;
    clock.advance(31 * DAY);
    record(&trail, &["bob"; 3]).await;
    accounts.expire_audit(30 * DAY, &trail).await.unwrap();
    assert!(accounts.verify_audit().await.unwrap().intact());
    let chain = all(&accounts).await[0].chain.clone();
    remove(place, &chain, 3, 3).await;
    assert_eq!(broken(&accounts).await, (chain, 3, "the record is missing"));
    trail.close(PATIENCE).await;
}

async fn a_foreign_record_ahead_does_not_stop_the_trail(place: &Place) {
    let accounts = place.open().await;
    let trail = accounts.begin_trail("host").unwrap();
    record(&trail, &["alice"]).await;
    let chain = all(&accounts).await[0].chain.clone();
    copy(place, (&chain, 2), (&chain, 3)).await;
    record(&trail, &["bob", "carol"]).await;
    trail.close(PATIENCE).await;
    assert_eq!(broken(&accounts).await, (chain.clone(), 3, "the record was changed"));
    let others = all(&accounts).await.into_iter().filter(|it| it.chain != chain).collect::<Vec<_>>();
    let users: Vec<_> = others.iter().rev().filter_map(|it| it.user.as_deref()).collect();
    assert_eq!(users, ["bob", "carol"]);
}
