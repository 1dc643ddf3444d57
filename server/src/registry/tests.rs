//! Places and their limits, who is judged, and how sessions hear of their end.

use std::net::Ipv4Addr;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn limits(max_sessions: u32, max_sessions_per_address: u32) -> Limits {
    Limits { max_sessions, max_sessions_per_address, ..Limits::default() }
}

#[test]
fn an_address_has_its_own_limit_and_a_place_is_given_back() {
    let (registry, limits) = (Registry::new(), limits(3, 2));
    let places = [registry.admit(HERE, HERE, &limits).unwrap(), registry.admit(HERE, HERE, &limits).unwrap()];
    assert_eq!(registry.admit(HERE, HERE, &limits).err(), Some(Refusal::FullForAddress));
    let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let third = registry.admit(other, other, &limits).unwrap();
    assert_eq!(registry.admit(other, other, &limits).err(), Some(Refusal::Full));
    drop(places);
    assert_eq!(registry.count(), 1);
    drop(third);
    assert!(registry.admit(HERE, HERE, &limits).is_ok());
    assert_eq!(registry.count(), 0);
}

#[tokio::test]
async fn a_user_made_again_under_the_same_name_is_judged_alone() {
    let (registry, limits) = (Registry::new(), limits(3, 3));
    let places = [registry.admit(HERE, HERE, &limits).unwrap(), registry.admit(HERE, HERE, &limits).unwrap()];
    let (old, new) = (user("old"), user("new"));
    places[0].set_user(Some(Arc::clone(&old)));
    places[1].set_user(Some(Arc::clone(&new)));
    let mut known = registry.stamps();
    known.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(known, [new.stamp(), old.stamp()]);
    registry.review("old", |_| Verdict::End(Ending::Account));
    assert_eq!(places[0].ended(true).await, Ending::Account);
    assert_eq!(lock(&places[1].state).ending, None);
}

fn user(id: &str) -> Arc<User> {
    let user = crate::files::tests::user(&[]);
    Arc::new(User { id: id.to_owned(), ..(*user).clone() })
}

#[tokio::test]
async fn draining_waits_for_a_transfer_and_stopping_does_not() {
    let (registry, limits) = (Registry::new(), limits(3, 3));
    let place = registry.admit(HERE, HERE, &limits).unwrap();
    registry.end_all(Ending::Draining);
    assert_eq!(place.ended(false).await, Ending::Draining);
    let live = place.live();
    let transferring = tokio::spawn(async move { live.ended(true).await });
    registry.end_all(Ending::Stopping);
    assert_eq!(transferring.await.unwrap(), Ending::Stopping);
    assert_eq!(registry.admit(HERE, HERE, &limits).err(), Some(Refusal::Draining));
}
