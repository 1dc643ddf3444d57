//! Every metric of the admin API, in the text that Prometheus reads. It counts by route, never by
//! path or name, so that what clients send makes no new series.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::error::ApiError;
use crate::service::Service;

/// Where requests and logins are counted; a clone counts in the same place.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram>,
    logins: Family<Login, Counter>,
    store_up: Gauge,
    store_latency: Gauge<f64, AtomicU64>,
    hashes_running: Gauge,
    hashes_waiting: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Login {
    result: &'static str,
}

/// Seconds; from a look at the store to an import's head.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// A scrape waits no longer for the store.
const PATIENCE: Duration = Duration::from_secs(3);

impl Metrics {
    pub(crate) fn new() -> Self {
        let (requests, logins) = (Family::default(), Family::default());
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let (store_up, store_latency) = (Gauge::default(), Gauge::<f64, AtomicU64>::default());
        let (hashes_running, hashes_waiting) = (Gauge::default(), Gauge::default());
        let mut registry = Registry::with_prefix("wharfinger_admin");
        registry.register("requests", "Requests by route and status", requests.clone());
        let about = "How long requests took to be answered";
        registry.register_with_unit("request_duration", about, Unit::Seconds, durations.clone());
        registry.register("logins", "Logins of admins by result", logins.clone());
        registry.register("store_up", "Whether the store answered just now", store_up.clone());
        let about = "How long the store took to answer just now";
        registry.register_with_unit("store_latency", about, Unit::Seconds, store_latency.clone());
        registry.register("hashes_running", "Passwords being hashed", hashes_running.clone());
        registry.register("hashes_waiting", "Passwords waiting to be hashed", hashes_waiting.clone());
        Self(Arc::new(Inner {
            registry,
            requests,
            durations,
            logins,
            store_up,
            store_latency,
            hashes_running,
            hashes_waiting,
        }))
    }

    /// An answered request; `route` is the pattern of the path, none if no route has it.
    pub(crate) fn request(&self, method: &str, route: Option<&str>, status: u16, took: Duration) {
        let method = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"]
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or("other");
        let route = route.unwrap_or("none").to_owned();
        self.0.durations.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.0.requests.get_or_create(&Request { method, route, status }).inc();
    }

    /// A login that came to an end.
    pub(crate) fn login(&self, result: &'static str) {
        self.0.logins.get_or_create(&Login { result }).inc();
    }

    async fn look(&self, service: &Service) {
        let start = Instant::now();
        let ready = tokio::time::timeout(PATIENCE, service.accounts.ready()).await;
        self.0.store_up.set(i64::from(matches!(ready, Ok(Ok(())))));
        self.0.store_latency.set(start.elapsed().as_secs_f64());
        let (running, waiting) = service.accounts.hash_queue();
        self.0.hashes_running.set(i64::try_from(running).unwrap_or(i64::MAX));
        self.0.hashes_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}

/// Metrics for Prometheus
///
/// `OpenMetrics` text. Names no user and no admin.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "service",
    responses((status = 200, description = "The metrics", body = String,
        content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(service): State<Service>) -> Result<Response, ApiError> {
    service.metrics.look(&service).await;
    let mut text = String::new();
    encode(&mut text, &service.metrics.0.registry).map_err(|error| ApiError::Internal(error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
