//! What every request and answer gets, whatever the route: an id, a time limit, security
//! headers, a problem document where something failed, and one line in the access log.
//! It knows no route and no user.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::admin::Actor;
use crate::error::{self, ApiError};
use crate::metrics::Metrics;
use crate::throttle::RequestRate;
use crate::token_key::to_hex;

/// How long a request may take.
const TIME: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For answers that are data, for programs: nothing to cache, to frame or to run.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// The request's id, in its extensions.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The outermost layer.
pub(crate) async fn envelope(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = request_id(request.headers());
    let actor = Actor::default();
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(actor.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let address = request.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());

    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let span = tracing::info_span!("request", id);
    let response = next.run(request).instrument(span).await;

    let mut response = error::render(response, &id);
    for (name, value) in SECURITY_HEADERS {
        // The page for people has a policy of its own.
        response.headers_mut().entry(name).or_insert(value);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    metrics.request(method.as_str(), route.as_deref(), response.status().as_u16(), start.elapsed());
    tracing::info!(
        request_id = id,
        method = method.as_str(),
        path,
        status = response.status().as_u16(),
        milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        address = address.map(tracing::field::display),
        actor = actor.name(),
        "request"
    );
    response
}

/// Turns away who asks too often. Probes may ask as often as they like: they cost little, and a busy
/// neighbour must not make the service look dead.
pub(crate) async fn in_moderation(
    State(rate): State<Arc<RequestRate>>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
    let probe = matches!(request.uri().path(), "/healthz" | "/readyz");
    match peer.filter(|_| !probe).map(|peer| rate.admit(peer, Instant::now())) {
        Some(Err(wait)) => ApiError::TooManyRequests(wait).into_response(),
        Some(Ok(())) | None => next.run(request).await,
    }
}

/// Ends a request that takes too long.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TooSlow.into_response(),
    }
}

/// The answer to a request whose handler broke; the others go on.
pub(crate) fn after_panic(cause: &(dyn Any + Send)) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("of no text");
    ApiError::Internal(format!("panic: {text}")).into_response()
}

/// The client's own id if it is one that fits into a log line, else a fresh one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let fits = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
    };
    given.filter(fits).map_or_else(fresh_id, str::to_owned)
}

fn fresh_id() -> String {
    let mut random = [0; 16];
    match getrandom::fill(&mut random) {
        Ok(()) => to_hex(&random),
        // An id only helps to find a log line: a request is not refused for want of one.
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(given: &str) -> String {
        request_id(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(given).unwrap())]))
    }

    #[test]
    fn a_clients_request_id_is_kept() {
        assert_eq!(id_for("01J8-a.b:c_d"), "01J8-a.b:c_d");
    }

    #[test]
    fn a_request_id_that_does_not_fit_is_replaced() {
        for given in ["", "a b", "a\"b", "<x>", &"a".repeat(129)] {
            let id = id_for(given);
            assert_eq!(id.len(), 32, "{given}");
            assert!(id.bytes().all(|b| b.is_ascii_hexdigit()));
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
