//! Connections: accepted up to a bound, given a time for each request's head, and ended in peace.
//! Written on hyper, since axum's own loop has no such time-outs. It knows no route.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use futures_util::future::join_all;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

/// Most connections at once, over all listeners; further ones wait in the system's queue.
const MOST_CONNECTIONS: usize = 1024;
/// How long a request's head may take, and how long a connection may be idle between two.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Serves until `shutdown`, then waits for running requests, at most for `grace`.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let connections = GracefulShutdown::new();
    // Dropped at the end, which ends the connections that are left.
    let (open, ending) = watch::channel(());
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let accept = |listener| accept(listener, &router, &places, &connections, &ending);
    let accepting = join_all(listeners.into_iter().map(accept));
    // Whichever ends the race, the listeners are closed after it.
    tokio::select! {
        _ = accepting => {}
        () = shutdown => {}
    }
    if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
        tracing::warn!("requests still running after the grace time are cut off");
    }
    drop(open);
}

async fn accept(
    listener: TcpListener,
    router: &Router,
    places: &Arc<Semaphore>,
    connections: &GracefulShutdown,
    ending: &watch::Receiver<()>,
) {
    while let Ok(place) = Arc::clone(places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let served = connections.watch(connection(stream, peer, router.clone()));
                tokio::spawn(until_ended(served, peer, ending.clone(), place));
            }
            Err(error) => after_failed_accept(&error).await,
        }
    }
}

/// A client that gave up in the queue is no reason to wait; a lack of descriptors or memory is,
/// or the loop would spin until there are some.
async fn after_failed_accept(error: &io::Error) {
    if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        return;
    }
    tracing::warn!(%error, "a connection to the admin API can't be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can't be set");
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service)
}

/// The place is somebody else's when the connection has ended.
async fn until_ended(
    served: impl Future<Output = Result<(), hyper::Error>>,
    peer: SocketAddr,
    mut ending: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
) {
    tokio::select! {
        result = served => if let Err(error) = result {
            tracing::debug!(address = %peer.ip(), %error, "a connection broke");
        },
        _ = ending.changed() => {}
    }
}
