//! Whether a file server is at work, asked from outside: what `healthcheck` does, for container
//! engines and supervisors, whose images need no shell and no other program for it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use wharfinger_config::Config;

use crate::listen::Service;
use crate::proxies::Proxies;

/// How long a server that is well may take to say its first line.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest first line that is waited for.
const LONGEST_GREETING: u64 = 4096;
/// What a proxy says that speaks for itself, as this program has to where proxies come from this host.
const SELF: &[u8] = b"PROXY UNKNOWN\r\n";

/// Why the server does not count as well.
#[derive(Debug, thiserror::Error)]
#[error("the file server does not answer at {address}: {reason}")]
pub struct Unwell {
    address: SocketAddr,
    reason: String,
}

/// Ends well when a server with this configuration says its first line, whatever that is: one
/// that is full or stopping is at work all the same. Where it has nothing to say in clear, being let
/// in is enough.
pub async fn healthcheck(config: &Config) -> Result<(), Unwell> {
    let Some((service, address)) = first_listener(config) else { return Ok(()) };
    let unwell = |reason: String| Unwell { address, reason };
    let introduction = Proxies::new(&config.proxy.trusted).trust(address.ip()).then_some(SELF);
    match tokio::time::timeout(PATIENCE, call(service, address, introduction)).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(unwell("it closed without a word".to_owned())),
        Ok(Err(error)) => Err(unwell(error.to_string())),
        Err(_) => Err(unwell(format!("not a word within {} s", PATIENCE.as_secs()))),
    }
}

fn first_listener(config: &Config) -> Option<(Service, SocketAddr)> {
    let first = |service: &Service| Some((*service, reachable(*service.addresses(config).first()?)));
    Service::ALL.iter().find_map(first)
}

/// Whether it was at home.
async fn call(service: Service, address: SocketAddr, introduction: Option<&[u8]>) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    if let Some(introduction) = introduction {
        stream.write_all(introduction).await?;
    }
    if service != Service::Ftp {
        return Ok(true);
    }
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_GREETING)).read_line(&mut line).await?;
    Ok(line.ends_with('\n'))
}

/// Where a server that listens everywhere is to be found from the same machine.
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
