//! A MongoDB that goes away and comes back: no answer becomes an error in time, and what worked before
//! works again by itself. The network between is a relay that can be cut.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use wharfinger_accounts::{Accounts, LoginError, NotReady, StoreError};
use wharfinger_config::Store;

use crate::audit::{PATIENCE, event, record};
use crate::place::{ALICES, Place, Raw, create_alice, log_in};

/// What the relay does with the bytes.
#[derive(Clone, Copy, PartialEq)]
enum Wire {
    /// Passes them on.
    Whole,
    /// Keeps connections open and passes nothing.
    Silent,
    /// Closes every connection at once.
    Cut,
}

struct Relay {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
}

impl Relay {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = watch::Sender::new(Wire::Whole);
        let state = wire.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, server.clone(), state.clone()));
            }
        });
        Self { address, wire }
    }
}

/// One connection, until it ends or the wire is cut.
async fn relay(mut client: TcpStream, server: String, mut state: watch::Receiver<Wire>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    loop {
        let now = *state.borrow_and_update();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server), if now == Wire::Whole => return,
            changed = state.changed(), if now != Wire::Cut => {
                if changed.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

/// A store whose wire can be cut.
async fn behind_a_relay(place: &Place) -> (Relay, Accounts) {
    let Raw::Mongo(database) = &place.raw else { unreachable!() };
    let rest = place.url.strip_prefix("mongodb://").unwrap();
    let server = rest.split(['/', '?', ',']).next().unwrap().to_owned();
    let relay = Relay::to(server).await;
    let settings = Store { timeout_seconds: 2, ..Store::default() };
    let url = format!("mongodb://{}/{}?directConnection=true", relay.address, database.name());
    let accounts = Accounts::open(&settings, &url).await.unwrap();
    accounts.migrate().await.unwrap();
    (relay, accounts)
}

#[tokio::test]
async fn a_mongodb_that_goes_away_is_unavailable_and_comes_back_by_itself() {
    let place = Place::mongodb().await;
    let (relay, accounts) = behind_a_relay(&place).await;
    create_alice(&accounts).await;
    for fault in [Wire::Silent, Wire::Cut] {
        relay.wire.send_replace(fault);
        let start = Instant::now();
        let failed = log_in(&accounts, "alice", ALICES).await;
        assert!(matches!(failed, Err(LoginError::Unavailable(StoreError::Unavailable(_)))), "{failed:?}");
        let not_ready = accounts.ready().await;
        assert!(matches!(not_ready, Err(NotReady::Store(StoreError::Unavailable(_)))), "{not_ready:?}");
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
        relay.wire.send_replace(Wire::Whole);
        let start = Instant::now();
        while let Err(error) = log_in(&accounts, "alice", ALICES).await {
            assert!(matches!(error, LoginError::Unavailable(_)), "{error:?}");
            assert!(start.elapsed() < Duration::from_secs(30), "it does not come back");
        }
    }
    place.clear().await;
}

/// The store hears of the records and its answers are lost: what is tried again is there already.
#[tokio::test]
async fn an_outage_loses_and_doubles_no_record() {
    let place = Place::mongodb().await;
    let (relay, accounts) = behind_a_relay(&place).await;
    let trail = accounts.begin_trail("host").unwrap();
    for fault in [Wire::Silent, Wire::Cut] {
        record(&trail, &["before"]).await;
        for _ in 0..700 {
            trail.note(event("during"));
        }
        relay.wire.send_replace(fault);
        for _ in 0..700 {
            trail.note(event("during"));
        }
        let waiting = trail.place().await.unwrap().fill(event("waited for"));
        assert!(!waiting.written(Duration::from_secs(3)).await, "nothing gets through");
        relay.wire.send_replace(Wire::Whole);
        record(&trail, &["after"]).await;
    }
    assert!(trail.close(PATIENCE).await);
    let verified = accounts.verify_audit().await.unwrap();
    assert_eq!((verified.records, verified.first_broken), (2 + 2 * (1_400 + 3), None));
    place.clear().await;
}
