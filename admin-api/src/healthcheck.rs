//! Whether an admin API is ready, asked from outside: what `healthcheck` does, for container engines
//! and supervisors, whose images need no shell and no HTTP client for it.

mod pinned;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wharfinger_config::Config;

/// How long an API that is ready may take to say so.
const PATIENCE: Duration = Duration::from_secs(4);
/// As much of the answer as is looked at.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// Why the API does not count as ready.
#[derive(Debug, thiserror::Error)]
#[error("the admin API at {address} is not ready: {reason}")]
pub struct Unwell {
    address: SocketAddr,
    reason: String,
}

/// Ends well when an API with this configuration answers `/readyz` with 200.
pub async fn healthcheck(config: &Config) -> Result<(), Unwell> {
    let Some(listen) = config.admin.listen.first() else { return Ok(()) };
    let address = reachable(*listen);
    let unwell = |reason: String| Unwell { address, reason };
    let answer = tokio::time::timeout(PATIENCE, ask(config, address)).await;
    let answer = answer.map_err(|_| unwell(format!("no answer within {} s", PATIENCE.as_secs())))?;
    let answer = answer.map_err(|error| unwell(error.to_string()))?;
    match answer.split_ascii_whitespace().nth(1) {
        Some("200") => Ok(()),
        _ => Err(unwell(answer.lines().next_back().unwrap_or_default().to_owned())),
    }
}

async fn ask(config: &Config, address: SocketAddr) -> io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    if config.admin.certificate.as_os_str().is_empty() {
        return exchange(stream).await;
    }
    let connector = pinned::connector(&config.admin.certificate).map_err(io::Error::other)?;
    exchange(connector.connect(ServerName::IpAddress(address.ip().into()), stream).await?).await
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<String> {
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Where an API that listens everywhere is to be found from the same machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        // IPv4 first: [::] takes it too, and not every container has IPv6.
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        }
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
