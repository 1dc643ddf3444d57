//! Connections: accepted up to a bound, given a time for the TLS handshake and for each request's
//! head, and ended in peace. Written on hyper, since axum's own loop has no such time-outs. It knows
//! no route.

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
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use wharfinger_config::program::Current;

use crate::tls;

/// Most connections at once, over all listeners; further ones wait in the system's queue.
const MOST_CONNECTIONS: usize = 1024;
/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a request's head may take, and how long a connection may be idle between two.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// What every connection is given.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) router: Router,
    /// What takes connections to TLS now.
    pub(crate) tls: watch::Receiver<Option<TlsAcceptor>>,
}

/// Serves until `shutdown`, then waits for running requests, as long as the configuration says then.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    service: Service,
    shutdown: impl Future<Output = ()>,
    mut current: Current,
) {
    let connections = GracefulShutdown::new();
    // Dropped at the end, which ends the connections that are left.
    let (open, ending) = watch::channel(());
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let accept = |listener| accept(listener, &service, &places, &connections, &ending);
    let accepting = join_all(listeners.into_iter().map(accept));
    // Whichever ends the race, the listeners are closed after it.
    tokio::select! {
        _ = accepting => {}
        () = shutdown => {}
    }
    let grace = Duration::from_secs(current.get().shutdown.grace_seconds);
    if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
        tracing::warn!("requests still running after the grace time are cut off");
    }
    drop(open);
}

async fn accept(
    listener: TcpListener,
    service: &Service,
    places: &Arc<Semaphore>,
    connections: &GracefulShutdown,
    ending: &watch::Receiver<()>,
) {
    while let Ok(place) = Arc::clone(places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let served = attend(stream, peer, service.clone(), connections.watcher());
                tokio::spawn(until_ended(served, ending.clone(), place));
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

/// The handshake is part of the connection's own task: a slow one keeps nobody waiting.
async fn attend(stream: TcpStream, peer: SocketAddr, Service { router, tls }: Service, watcher: Watcher) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can't be set");
    }
    let Some(tls) = tls.borrow().clone() else { return answer(stream, peer, router, watcher).await };
    match tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => answer(stream, peer, router, watcher).await,
        Ok(Err(error)) => tls::broken(&error),
        Err(_) => tls::broken(&io::ErrorKind::TimedOut.into()),
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(address = %peer.ip(), %error, "a connection broke");
    }
}

/// The place is somebody else's when the connection has ended.
async fn until_ended(
    served: impl Future<Output = ()>,
    mut ending: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
) {
    tokio::select! {
        () = served => {}
        _ = ending.changed() => {}
    }
}
