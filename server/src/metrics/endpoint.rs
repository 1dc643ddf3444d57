//! Where the metrics are asked for: `GET /metrics` over plain HTTP, and nothing else. Few connections
//! at once, each with a short time for what it wants.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::Services;

/// Whoever asks beyond that waits.
const MOST_CONNECTIONS: usize = 16;
/// How long a connection may take for its question, and be idle until the next.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a connection may be there in all.
const LONGEST: Duration = Duration::from_mins(5);
/// How long accepting rests when the system is out of descriptors.
const REST: Duration = Duration::from_millis(100);

/// An address where the metrics can be asked for.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) socket: TcpListener,
}

/// Answers at all endpoints, for ever.
pub(crate) async fn serve(endpoints: Vec<Endpoint>, services: Arc<Services>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    join_all(endpoints.into_iter().map(|endpoint| accept(endpoint.socket, &places, &services))).await;
}

async fn accept(socket: TcpListener, places: &Arc<Semaphore>, services: &Arc<Services>) {
    while let Ok(place) = Arc::clone(places).acquire_owned().await {
        match socket.accept().await {
            Ok((stream, _)) => {
                let services = Arc::clone(services);
                tokio::spawn(async move {
                    let _place = place;
                    if let Ok(Err(error)) = tokio::time::timeout(LONGEST, attend(stream, services)).await {
                        tracing::debug!(%error, "a connection that asked for metrics broke");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the metrics can't be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, services: Arc<Services>) -> Result<(), hyper::Error> {
    let service = service_fn(move |request| {
        let services = Arc::clone(&services);
        async move { Ok::<_, Infallible>(answer(&request, &services).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer(request: &Request<Incoming>, services: &Services) -> Response<String> {
    let refused = |status, text: &str| {
        let mut response = Response::new(text.to_owned());
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != "/metrics" {
        return refused(StatusCode::NOT_FOUND, "There is only /metrics here.\n");
    }
    if request.method() != Method::GET {
        return refused(StatusCode::METHOD_NOT_ALLOWED, "Metrics can only be read: GET.\n");
    }
    match services.metrics.look(services).await {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            let kind = hyper::header::HeaderValue::from_static(kind);
            let mut response = Response::new(text);
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &io::Error::other(error).to_string()),
    }
}
