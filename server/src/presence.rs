//! Tells the store who is logged in here, once a second and only what has changed, beside the
//! sessions and never in their way: where the store does not answer, they go on, and everything is
//! told when it does again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use wharfinger_accounts::{LiveSession, LiveTransfer, SessionTls, StoreError};

use crate::Services;
use crate::registry::{Live, Sight, Underway};

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// How long the store may take to hear that this node stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Publishes for ever.
pub(crate) async fn publish(services: Arc<Services>) {
    let mut publisher = Publisher::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            _ = ticks.tick() => publisher.round(&services).await,
            // Whoever comes back at once is not to wait for the next second.
            () = services.presence.place_left() => services.presence.give_back_places().await,
        };
        publisher.report(done);
    }
}

/// Takes everything back, because this node stops.
pub(crate) async fn withdraw(services: &Services) {
    let withdrawn = timeout(FAREWELL, services.presence.withdraw()).await;
    if !matches!(withdrawn, Ok(Ok(()))) {
        tracing::debug!("the store did not hear that this node stops; it will notice");
    }
}

struct Publisher {
    /// What the store knows.
    published: HashSet<u64>,
    progress: HashMap<u64, Progress>,
    next_beat: Instant,
    /// The store may know less, or other things, than it was told.
    behind: bool,
}

/// How far a session's transfer was when last looked at.
struct Progress {
    transfer: Arc<dyn Underway>,
    bytes: u64,
    at: Instant,
}

impl Publisher {
    fn new() -> Self {
        Self { published: HashSet::new(), progress: HashMap::new(), next_beat: Instant::now(), behind: false }
    }

    fn report(&mut self, done: Result<(), StoreError>) {
        match done {
            Err(error) if !self.behind => {
                tracing::warn!(%error, "the live sessions can't be published; they go on");
                self.behind = true;
            }
            Ok(()) | Err(_) => {}
        }
    }

    async fn round(&mut self, services: &Services) -> Result<(), StoreError> {
        let presence = &services.presence;
        let lives = services.registry.all();
        let seen: Vec<(Arc<Live>, Sight)> =
            lives.into_iter().filter_map(|live| live.look().map(|sight| (live, sight))).collect();
        if self.behind || Instant::now() >= self.next_beat {
            if presence.beat(seen.len() as u64).await? {
                self.published.clear();
            }
            self.next_beat = Instant::now() + presence.interval();
        }
        if self.behind {
            presence.claim_places().await?;
            self.published.clear();
        }
        for (live, sight) in seen.iter().filter(|(_, sight)| sight.lacks_place) {
            live.seat(&sight.user, presence.add_place(&sight.user.id).await?);
        }
        self.tell(services, &seen).await?;
        presence.give_back_places().await?;
        if std::mem::take(&mut self.behind) {
            tracing::info!("the store is back; live sessions are published again");
        }
        Ok(())
    }

    async fn tell(&mut self, services: &Services, seen: &[(Arc<Live>, Sight)]) -> Result<(), StoreError> {
        let here: HashSet<u64> = seen.iter().map(|(live, _)| live.id).collect();
        self.progress.retain(|id, _| here.contains(id));
        let gone =
            self.published.difference(&here).map(|id| services.presence.session_id(*id)).collect::<Vec<_>>();
        let mut changed = Vec::new();
        for (live, sight) in seen {
            let transfer = self.transfer(live.id, sight.doing.transfer.as_ref());
            if sight.changed || transfer.is_some() || !self.published.contains(&live.id) {
                changed.push(describe(services, live, sight, transfer));
            }
        }
        if !changed.is_empty() || !gone.is_empty() {
            services.presence.publish(&changed, &gone).await?;
        }
        self.published = here;
        Ok(())
    }

    fn transfer(&mut self, session: u64, transfer: Option<&Arc<dyn Underway>>) -> Option<LiveTransfer> {
        let Some(transfer) = transfer else {
            self.progress.remove(&session);
            return None;
        };
        let (bytes, now) = (transfer.bytes(), Instant::now());
        let before = self.progress.get(&session).filter(|before| Arc::ptr_eq(&before.transfer, transfer));
        let (moved, time) = match before {
            Some(before) => (bytes.saturating_sub(before.bytes), now - before.at),
            None => (bytes, transfer.begun().elapsed()),
        };
        self.progress.insert(session, Progress { transfer: Arc::clone(transfer), bytes, at: now });
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
        let bytes_per_second = moved.saturating_mul(1_000) / milliseconds;
        Some(LiveTransfer { direction: transfer.direction(), path: transfer.path(), bytes, bytes_per_second })
    }
}

fn describe(services: &Services, live: &Live, sight: &Sight, transfer: Option<LiveTransfer>) -> LiveSession {
    let doing = &sight.doing;
    let tls = doing.tls.map(|(version, cipher)| SessionTls {
        version: version.to_owned(),
        cipher: cipher.to_owned(),
        data_bound: doing.data_bound,
    });
    LiveSession {
        id: services.presence.session_id(live.id),
        node: services.presence.name().to_owned(),
        user: sight.user.username.clone(),
        protocol: sight.protocol,
        tls,
        client_address: live.client,
        started_at: live.started_at,
        last_command: doing.command.to_owned(),
        transfer,
    }
}
