//! The listeners: taking addresses, accepting connections within the limits, and beginning a
//! session for each on one of the worker threads.

mod service;
mod socket;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use wharfinger_accounts::client_network;
use wharfinger_config::Config;
use wharfinger_config::program::Sockets;

use crate::Services;
use crate::control::Control;
use crate::conversation::converse;
use crate::ftp::Ftp;
use crate::link::Link;
use crate::metrics::Endpoint;
use crate::mftp::Mftp;
use crate::proxies::Ends;
use crate::registry::{Place, Refusal};
use crate::workers::Workers;

pub(crate) use service::Service;
pub use socket::BindError;
pub(crate) use socket::explain;

/// How long accepting rests when the system is out of descriptors.
const REST: Duration = Duration::from_millis(100);

/// Headers of proxies waited for at once on one listener.
const INTRODUCTIONS: usize = 1024;

/// An address, and what is spoken there.
pub(crate) struct Listener {
    pub(crate) service: Service,
    pub(crate) address: SocketAddr,
    socket: TcpListener,
}

/// The name under which systemd hands a socket for the metrics over.
const METRICS: &str = "metrics";

/// Every name under which systemd can hand a socket over.
pub(crate) const SOCKETS: [&str; 5] =
    [Service::Ftp.socket(), Service::Ftps.socket(), Service::Mftp.socket(), Service::Mftps.socket(), METRICS];

/// Takes all configured addresses, or none; for what sockets were handed over for, these instead.
pub(crate) fn bind(config: &Config, sockets: &mut Sockets) -> Result<Vec<Listener>, BindError> {
    let mut listeners = Vec::new();
    for service in Service::ALL {
        for (address, socket) in
            socket::all(sockets.take(service.socket()), service.addresses(config), service.key())?
        {
            listeners.push(Listener { service, address, socket });
        }
    }
    Ok(listeners)
}

/// Takes all addresses where metrics are to be asked for, or none.
pub(crate) fn bind_endpoints(config: &Config, sockets: &mut Sockets) -> Result<Vec<Endpoint>, BindError> {
    let bound = socket::all(sockets.take(METRICS), &config.metrics.listen, "metrics.listen")?;
    Ok(bound.into_iter().map(|(address, socket)| Endpoint { address, socket }).collect())
}

/// Accepts on all listeners, for ever.
pub(crate) async fn accept(listeners: Vec<Listener>, services: &Arc<Services>, workers: &Workers) {
    join_all(listeners.into_iter().map(|listener| accept_on(listener, services, workers))).await;
}

async fn accept_on(listener: Listener, services: &Arc<Services>, workers: &Workers) {
    let Listener { service, socket, .. } = listener;
    // Those of proxies, until they have said whose they are. One who says nothing is in nobody's way.
    let mut introductions = FuturesUnordered::new();
    loop {
        let (stream, ends) = tokio::select! {
            Some(introduced) = introductions.next() => match introduced {
                Ok(introduced) => introduced,
                Err(error) => {
                    let error: io::Error = error;
                    tracing::info!(%error, service = service.name(), "a proxy's connection came without its header");
                    continue;
                }
            },
            accepted = socket.accept(), if introductions.len() < INTRODUCTIONS => match accepted {
                Ok((stream, peer)) if services.settings.now().proxies.trust(peer.ip()) => {
                    introductions.push(introduce(stream));
                    continue;
                }
                Ok((stream, _)) => match Ends::of(&stream) {
                    Ok(ends) => (stream, ends),
                    // Gone already.
                    Err(_) => continue,
                },
                Err(error) => {
                    // Out of descriptors or memory: sessions that end will free some.
                    tracing::error!(%error, "a connection can't be accepted");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            },
        };
        admit(stream, ends, service, services, workers).await;
    }
}

async fn introduce(mut stream: TcpStream) -> io::Result<(TcpStream, Ends)> {
    let ends = Ends::introduced(&mut stream).await?;
    Ok((stream, ends))
}

async fn admit(stream: TcpStream, ends: Ends, service: Service, services: &Arc<Services>, workers: &Workers) {
    let client = ends.client.ip();
    let place = match find_place(client, services) {
        Ok(place) => place,
        Err(refusal) => {
            services.metrics.turned_away(refusal);
            return turn_away(stream, client, service, refusal);
        }
    };
    // The worker's own runtime is to watch the socket.
    let stream = match stream.into_std() {
        Ok(stream) => stream,
        Err(error) => return tracing::error!(%error, "a connection can't be handed to a worker"),
    };
    services.metrics.connected(service.name());
    let services = Arc::clone(services);
    workers
        .begin(Box::new(move || {
            Box::pin(async move {
                if let Err(error) = serve(stream, ends, service, place, services).await {
                    tracing::debug!(%error, %client, "the connection was lost before it began");
                }
            })
        }))
        .await;
}

fn find_place(client: IpAddr, services: &Services) -> Result<Place, Refusal> {
    let settings = services.settings.now();
    let limits = &settings.config.limits;
    if services.login_limits.is_banned(client, limits, Instant::now()) {
        return Err(Refusal::Banned);
    }
    services.registry.admit(client, client_network(client), limits)
}

/// A refused connection gets one line if it can take it at once, and no task of its own.
fn turn_away(mut stream: TcpStream, client: IpAddr, service: Service, refusal: Refusal) {
    tracing::info!(%client, service = service.name(), reason = %refusal, "connection refused");
    let Some(line) = service.turned_away(refusal) else { return };
    tokio::spawn(async move {
        let say = async {
            stream.write_all(line.as_bytes()).await?;
            stream.shutdown().await
        };
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), say).await {
            tracing::debug!(%error, %client, "the refused connection was gone first");
        }
    });
}

async fn serve(
    stream: std::net::TcpStream,
    ends: Ends,
    service: Service,
    place: Place,
    services: Arc<Services>,
) -> io::Result<()> {
    let stream = TcpStream::from_std(stream)?;
    let own = stream.local_addr()?.ip().to_canonical();
    let mut control = Control::new(stream, ends, service.lines(), services.metrics.clone())?;
    let settings = services.settings.now();
    let stalled = Duration::from_secs(settings.config.limits.stalled_seconds);
    let policy = service.policy(&settings.config);
    let mut link = Link::new(&control, place.live(), services, settings, policy, own);
    tracing::debug!(session = place.id, client = %link.client, service = service.name(), "connected");
    if policy.at_once {
        let config = link.secure().map_err(io::Error::other)?.control(None);
        let secured = tokio::select! {
            biased;
            _ = place.ended(false) => return Ok(()),
            secured = Box::pin(control.start_tls(config)) => secured?,
        };
        place.note(|doing| doing.tls = Some((secured.version, secured.cipher)));
        link.protection = Some(secured);
    }
    match service {
        Service::Ftp | Service::Ftps => converse(control, Ftp::new(link), &place, stalled).await,
        Service::Mftp | Service::Mftps => converse(control, Mftp::new(link), &place, stalled).await,
    }
    tracing::debug!(session = place.id, "closed");
    Ok(())
}
