//! The metrics that are looked at when somebody asks for them: what there is now.

use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Level, Metrics, number};
use crate::Services;

/// Whoever asks waits no longer for the store.
const PATIENCE: Duration = Duration::from_secs(3);

/// What there was when it was last looked at.
#[derive(Default)]
pub(super) struct Seen {
    sessions: Gauge,
    logged_in: Gauge,
    passive_ports: Gauge,
    passive_ports_in_use: Gauge,
    hashes_running: Gauge,
    hashes_waiting: Gauge,
    store_up: Gauge,
    store_latency: Level,
    certificate_expiry: Family<Certificate, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Certificate {
    certificate: String,
}

impl Metrics {
    /// Looks at everything, and tells it with what was counted.
    pub(super) async fn look(&self, services: &Services) -> Result<String, std::fmt::Error> {
        let seen = &self.0.seen;
        let start = Instant::now();
        let ready = tokio::time::timeout(PATIENCE, services.accounts.ready()).await;
        seen.store_up.set(i64::from(matches!(ready, Ok(Ok(())))));
        seen.store_latency.set(start.elapsed().as_secs_f64());
        let sessions = services.registry.all();
        seen.sessions.set(number(sessions.len()));
        seen.logged_in.set(number(sessions.iter().filter(|live| live.user().is_some()).count()));
        seen.passive_ports.set(number(services.passive_ports.count()));
        seen.passive_ports_in_use.set(number(services.passive_ports.in_use()));
        let (running, waiting) = services.accounts.hash_queue();
        seen.hashes_running.set(number(running));
        seen.hashes_waiting.set(number(waiting));
        seen.certificate_expiry.clear();
        for (path, expiry) in services.settings.now().tls.hosts.expiries() {
            let certificate = Certificate { certificate: path.display().to_string() };
            seen.certificate_expiry.get_or_create(&certificate).set(expiry);
        }
        self.text()
    }
}

impl Seen {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("sessions", "Control connections now", self.sessions.clone());
        registry.register("sessions_logged_in", "Those of them that are logged in", self.logged_in.clone());
        registry.register("passive_ports", "Passive ports there are", self.passive_ports.clone());
        let about = "Passive ports that sessions have open";
        registry.register("passive_ports_in_use", about, self.passive_ports_in_use.clone());
        registry.register("hashes_running", "Passwords being hashed", self.hashes_running.clone());
        registry.register("hashes_waiting", "Passwords waiting to be hashed", self.hashes_waiting.clone());
        registry.register("store_up", "Whether the store answered just now", self.store_up.clone());
        let about = "How long the store took to answer just now";
        registry.register_with_unit("store_latency", about, Unit::Seconds, self.store_latency.clone());
        let about = "When a certificate in use expires, in seconds since 1970";
        let expiry = self.certificate_expiry.clone();
        registry.register_with_unit("certificate_expiry_timestamp", about, Unit::Seconds, expiry);
    }
}
