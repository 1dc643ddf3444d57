//! Hashes made with weaker parameters than today's, as an earlier version of the program may have left
//! them: a login makes them anew, and nothing else does or is changed by it.

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use serde_json::json;
use wharfinger_accounts::{Password, Refusal, Role, Rotation, Status};

use crate::place::{ALICES, Place, create_alice, log_in, name, password, refusal};

crate::on_both_stores!(
    a_login_makes_a_weaker_hash_anew,
    no_other_login_does,
    a_stronger_hash_is_left_as_it_is,
    an_admin_s_login_makes_a_weaker_hash_anew,
);

const OURS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// As a PHC string.
pub(crate) fn hashed(text: &str, memory: u32, passes: u32) -> String {
    let params = Params::new(memory, passes, 1, None).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(text.as_bytes()).unwrap().to_string()
}

async fn stored(place: &Place) -> String {
    place.stored("users", "alice").await["passwords"]["current"].as_str().unwrap().to_owned()
}

async fn a_login_makes_a_weaker_hash_anew(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    place.tamper("alice", "passwords.current", json!(hashed(ALICES, 64, 1))).await;
    assert_eq!(*log_in(&accounts, "alice", ALICES).await.unwrap(), alice);
    let renewed = stored(place).await;
    assert!(renewed.starts_with(OURS), "{renewed}");
    assert_eq!(accounts.user(&alice.username).await.unwrap().user, alice, "nothing of the user has changed");
    assert!(accounts.changed_since(&[alice.stamp()]).await.unwrap().is_empty());
    let another_program = place.open().await;
    assert_eq!(refusal(log_in(&another_program, "alice", "something else").await), Refusal::WrongPassword);
    log_in(&another_program, "alice", ALICES).await.unwrap();
    assert_eq!(stored(place).await, renewed, "once is enough");
}

async fn no_other_login_does(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    let weak = hashed(ALICES, 64, 1);
    place.tamper("alice", "passwords.current", json!(weak)).await;
    assert_eq!(refusal(log_in(&accounts, "alice", "something else").await), Refusal::WrongPassword);
    assert_eq!(stored(place).await, weak);
    accounts.set_status(&alice.username, Status::Disabled, None).await.unwrap();
    assert_eq!(refusal(log_in(&accounts, "alice", ALICES).await), Refusal::Disabled);
    assert_eq!(stored(place).await, weak);
    // The one before, while it is still good, goes soon anyway.
    accounts.set_status(&alice.username, Status::Active, None).await.unwrap();
    let grace = Some(std::time::Duration::from_mins(1));
    let to = Some(Password::new("the password after that"));
    let rotation = Rotation { grace, password: to, ..Rotation::default() };
    accounts.rotate_password(&alice.username, rotation, None).await.unwrap();
    let rotated = stored(place).await;
    log_in(&accounts, "alice", ALICES).await.unwrap();
    let document = place.stored("users", "alice").await;
    assert_eq!(document["passwords"]["current"], json!(rotated));
    assert_eq!(document["passwords"]["previous"], json!(weak));
}

async fn a_stronger_hash_is_left_as_it_is(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    let strong = hashed(ALICES, 20_000, 3);
    place.tamper("alice", "passwords.current", json!(strong)).await;
    log_in(&accounts, "alice", ALICES).await.unwrap();
    assert_eq!(stored(place).await, strong);
}

async fn an_admin_s_login_makes_a_weaker_hash_anew(place: &Place) {
    let accounts = place.open().await;
    let (owner, _) = accounts.create_admin(name("owner"), Role::Owner, Some(password(ALICES))).await.unwrap();
    place.tamper_with("admins", "owner", "password", json!(hashed(ALICES, 64, 1))).await;
    assert_eq!(refusal(accounts.admin_log_in("owner", &password("wrong")).await), Refusal::WrongPassword);
    for _first_then_renewed in 0..2 {
        assert_eq!(accounts.admin_log_in("owner", &password(ALICES)).await.unwrap(), owner);
        let stored = place.stored("admins", "owner").await;
        assert!(stored["password"].as_str().unwrap().starts_with(OURS), "{stored}");
    }
    assert_eq!(accounts.admin(&owner.username).await.unwrap(), owner, "tokens stay good");
}
