//! Every metric of the file server, by name. What happens is counted where it happens; what can be
//! looked at is looked at when somebody asks. No label carries what a client sends, so clients make
//! no new series.

mod endpoint;
mod look;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use rustls::HandshakeKind;

use crate::login::LoginRefusal;
use crate::registry::Refusal;

pub(crate) use endpoint::{Endpoint, serve};

/// Where everything is counted; a clone counts in the same place.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    counted: Counted,
    seen: look::Seen,
}

/// What is counted as it happens.
#[derive(Default)]
struct Counted {
    connections: Family<Service, Counter>,
    refused_connections: Family<Reason, Counter>,
    logins: Family<Outcome, Counter>,
    failures: Family<Code, Counter>,
    data_connections: Family<Binding, Counter>,
    no_passive_port: Counter,
    transfers: Transfers,
}

struct Transfers {
    ended: Family<Transfer, Counter>,
    bytes: Family<Direction, Counter>,
    durations: Family<Direction, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Service {
    service: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Binding {
    binding: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Transfer {
    direction: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    direction: &'static str,
}

/// Seconds; from a small file at hand to a large one over a slow line.
const BUCKETS: [f64; 9] = [0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0];

/// How a data connection proved whose it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DataBinding {
    /// By the handshake there was, if there was one.
    Accepted(Option<HandshakeKind>),
    /// It did not, where it had to.
    Refused,
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended {
    Complete,
    Failed,
    /// By its client, or with its session.
    Aborted,
}

impl Metrics {
    /// A connection was taken on.
    pub(crate) fn connected(&self, service: &'static str) {
        self.0.counted.connections.get_or_create(&Service { service }).inc();
    }

    /// A connection was turned away.
    pub(crate) fn turned_away(&self, refusal: Refusal) {
        let reason = match refusal {
            Refusal::Full => "full",
            Refusal::FullForAddress => "full-for-address",
            Refusal::Draining => "stopping",
            Refusal::Banned => "banned",
        };
        self.0.counted.refused_connections.get_or_create(&Reason { reason }).inc();
    }

    /// A login came to an end.
    pub(crate) fn login<T>(&self, outcome: &Result<T, LoginRefusal>) {
        let result = match outcome {
            Ok(_) => "accepted",
            Err(LoginRefusal::Refused) => "refused",
            Err(LoginRefusal::Banned) => "banned",
            Err(LoginRefusal::TooManySessions) => "too-many-sessions",
            Err(LoginRefusal::Unavailable) => "unavailable",
        };
        self.0.counted.logins.get_or_create(&Outcome { result }).inc();
    }

    /// Something was said to a client. Failures are counted by their codes: `4yz` and `5yz` of FTP,
    /// and those behind `ERR` of MFTP.
    pub(crate) fn said(&self, reply: &[u8]) {
        let ([b'E', b'R', b'R', b' ', code @ ..] | code @ [b'4' | b'5', ..]) = reply else { return };
        let digits = code.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(code) = digits.and_then(|digits| digits.parse().ok()) {
            self.0.counted.failures.get_or_create(&Code { code }).inc();
        }
    }

    /// A data connection was checked.
    pub(crate) fn checked(&self, binding: DataBinding) {
        let binding = match binding {
            DataBinding::Accepted(None) => "clear",
            DataBinding::Accepted(Some(HandshakeKind::Resumed)) => "resumed",
            DataBinding::Accepted(Some(_)) => "full-handshake",
            DataBinding::Refused => "refused",
        };
        self.0.counted.data_connections.get_or_create(&Binding { binding }).inc();
    }

    /// A session got no passive port, because there is none left for it.
    pub(crate) fn no_passive_port(&self) {
        self.0.counted.no_passive_port.inc();
    }

    /// A transfer has ended.
    pub(crate) fn transferred(&self, direction: &'static str, ended: Ended, bytes: u64, took: Duration) {
        let result = match ended {
            Ended::Complete => "complete",
            Ended::Failed => "failed",
            Ended::Aborted => "aborted",
        };
        let transfers = &self.0.counted.transfers;
        transfers.ended.get_or_create(&Transfer { direction, result }).inc();
        transfers.bytes.get_or_create(&Direction { direction }).inc_by(bytes);
        transfers.durations.get_or_create(&Direction { direction }).observe(took.as_secs_f64());
    }

    /// All of it, in the text that Prometheus reads.
    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("wharfinger_server");
        self.0.counted.register(&mut registry);
        self.0.seen.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

impl Counted {
    /// What is in here is shared, not copied.
    fn register(&self, registry: &mut Registry) {
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which version this is", build);
        let about = "Control connections that were taken on, by service";
        registry.register("connections", about, self.connections.clone());
        let about = "Control connections that were turned away, by reason";
        registry.register("refused_connections", about, self.refused_connections.clone());
        registry.register("logins", "Logins by result", self.logins.clone());
        registry.register("failures", "Replies that told of a failure, by code", self.failures.clone());
        let about = "Data connections, by how each proved that it belongs to its control connection";
        registry.register("data_connections", about, self.data_connections.clone());
        let about = "Times that no passive port was left for a session";
        registry.register("passive_ports_exhausted", about, self.no_passive_port.clone());
        let Transfers { ended, bytes, durations } = &self.transfers;
        registry.register("transfers", "Transfers that ended, by direction and result", ended.clone());
        let about = "What transfers moved, by direction";
        registry.register_with_unit("transferred", about, Unit::Bytes, bytes.clone());
        let about = "How long transfers took, by direction";
        registry.register_with_unit("transfer_duration", about, Unit::Seconds, durations.clone());
    }
}

impl Default for Transfers {
    fn default() -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self { ended: Family::default(), bytes: Family::default(), durations }
    }
}

/// A number of things that are there.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A gauge of something that has no whole number.
type Level = Gauge<f64, AtomicU64>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_code_in_either_dialect() {
        let metrics = Metrics::default();
        for reply in
            ["550 no\r\n", "550-more\r\n550 no\r\n", "226 done\r\n", "ERR 411 no\r\n", "AOK 200\r\n", "5"]
        {
            metrics.said(reply.as_bytes());
        }
        let text = metrics.text().unwrap();
        let counted: Vec<_> = text.lines().filter(|line| line.contains("failures_total{")).collect();
        assert_eq!(counted.len(), 2, "{counted:?}");
        assert!(counted.contains(&"wharfinger_server_failures_total{code=\"550\"} 2"), "{counted:?}");
        assert!(counted.contains(&"wharfinger_server_failures_total{code=\"411\"} 1"), "{counted:?}");
    }
}
