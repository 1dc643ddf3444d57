//! Places and their limits, who is judged, and how sessions hear of their end.

use std::net::Ipv4Addr;

use futures_util::FutureExt as _;
use wharfinger_accounts::Protocol;

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
    places[0].log_in(identity(&old));
    places[1].log_in(identity(&new));
    let mut known = registry.stamps();
    known.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(known, [new.stamp(), old.stamp()]);
    registry.review(|identity, _| match identity.user.id.as_str() {
        "old" => Verdict::End(Ending::Account),
        _ => Verdict::GoOn,
    });
    assert_eq!(places[0].ended(true).await, Ending::Account);
    assert_eq!(places[1].ended(true).now_or_never(), None);
}

#[test]
fn a_transfer_hears_of_another_version_of_its_user_and_of_the_end_first() {
    let registry = Registry::new();
    let place = registry.admit(HERE, HERE, &limits(3, 3)).unwrap();
    let old = user("alice");
    place.log_in(identity(&old));
    assert!(place.news(old.version).now_or_never().is_none());
    let new = Arc::new(User { version: old.version + 1, ..(*old).clone() });
    registry.review(|_, _| Verdict::With(Arc::clone(&new)));
    let heard = place.news(old.version).now_or_never();
    assert!(matches!(heard, Some(News::User(user)) if user.version == new.version));
    assert!(place.news(new.version).now_or_never().is_none());
    registry.end(place.id, Ending::Administrator);
    assert!(matches!(place.news(old.version).now_or_never(), Some(News::Ending(Ending::Administrator))));
}

#[test]
fn what_a_session_does_is_seen_once_as_news() {
    let registry = Registry::new();
    let place = registry.admit(HERE, HERE, &limits(3, 3)).unwrap();
    assert!(place.look().is_none(), "nobody is logged in");
    place.log_in(identity(&user("alice")));
    assert!(place.look().unwrap().changed);
    place.begin("NOOP");
    assert!(place.look().unwrap().changed);
    place.begin("NOOP");
    assert!(!place.look().unwrap().changed, "the same again is no news");
    place.note(|doing| doing.data_bound = Some(true));
    let sight = place.look().unwrap();
    assert!(sight.changed && !sight.lacks_place);
    assert_eq!((sight.doing.command, sight.doing.data_bound), ("NOOP", Some(true)));
    place.log_out();
    assert!(place.look().is_none());
}

fn identity(user: &Arc<User>) -> Identity {
    Identity {
        user: Arc::clone(user),
        protocol: Protocol::Ftps,
        by_certificate: false,
        rates: Arc::default(),
        place: None,
    }
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
