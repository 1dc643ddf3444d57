//! Claims on ports, strangers, and the sharing of a range that is too small.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn nobody() -> Proxies {
    Proxies::new(&[])
}

fn other(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

/// A range of as many ports, all free now.
fn range(ports: u16) -> PortRange {
    loop {
        let listener = std::net::TcpListener::bind((HERE, 0)).unwrap();
        let first = listener.local_addr().unwrap().port();
        let free = |port| std::net::TcpListener::bind((HERE, port)).is_ok();
        if first < 65_000 && (first + 1..=first + ports).all(free) {
            return PortRange { first: first + 1, last: first + ports };
        }
    }
}

async fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    socket.connect(to).await.unwrap()
}

#[tokio::test]
async fn each_claim_has_a_port_of_its_own_while_there_are_any() {
    let ports = PassivePorts::new(range(3));
    let claims: Vec<_> = (0..3).map(|_| ports.claim(HERE, HERE, &nobody()).unwrap()).collect();
    let mut numbers: Vec<_> = claims.iter().map(|claim| claim.address().port()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 3);
    assert!(matches!(ports.claim(HERE, HERE, &nobody()), Err(NoPort::Exhausted)));
    drop(claims);
    assert!(ports.claim(HERE, HERE, &nobody()).is_ok());
}

#[tokio::test]
async fn a_strangers_connection_is_closed_and_the_wait_goes_on() {
    let ports = PassivePorts::new(range(1));
    let mut claim = ports.claim(HERE, HERE, &nobody()).unwrap();
    let mut stranger = connect(other(2), claim.address()).await;
    let mut client = connect(HERE, claim.address()).await;
    client.write_all(b"mine").await.unwrap();
    let mut accepted = claim.accept().await.unwrap();
    let mut bytes = [0; 4];
    accepted.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"mine");
    assert_eq!(stranger.read(&mut bytes).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn sessions_of_different_addresses_share_a_port_and_get_their_own_connections() {
    let ports = PassivePorts::new(range(1));
    let mut one = ports.claim(HERE, other(2), &nobody()).unwrap();
    let mut two = ports.claim(HERE, other(3), &nobody()).unwrap();
    assert_eq!(one.address(), two.address());
    assert!(matches!(ports.claim(HERE, other(2), &nobody()), Err(NoPort::Exhausted)));
    let clients = (connect(other(3), one.address()).await, connect(other(2), one.address()).await);
    let (first, second) = tokio::join!(one.accept(), two.accept());
    assert_eq!(first.unwrap().peer_addr().unwrap(), clients.1.local_addr().unwrap());
    assert_eq!(second.unwrap().peer_addr().unwrap(), clients.0.local_addr().unwrap());
}

/// Claims a port, lets the client in, and gives the port back.
async fn use_one(ports: &PassivePorts) -> SocketAddr {
    let mut claim = ports.claim(HERE, HERE, &nobody()).unwrap();
    let address = claim.address();
    let _client = connect(HERE, address).await;
    claim.accept().await.unwrap();
    address
}

/// What a claim left behind rests, and is the next one's; who came in the meantime is not.
#[tokio::test]
async fn a_port_that_rests_is_claimed_again_without_those_who_came_meanwhile() {
    let ports = PassivePorts::new(range(2));
    let address = use_one(&ports).await;
    assert_eq!(ports.in_use(), 0);
    let mut late = connect(HERE, address).await;
    let mut claim = ports.claim(HERE, HERE, &nobody()).unwrap();
    assert_eq!(claim.address(), address);
    assert_eq!(late.read(&mut [0]).await.unwrap_or(0), 0);
    let mut client = connect(HERE, address).await;
    client.write_all(b"!").await.unwrap();
    let mut accepted = claim.accept().await.unwrap();
    assert_eq!(accepted.read_u8().await.unwrap(), b'!');
}

#[tokio::test]
async fn no_port_is_a_clients_for_all_of_its_files() {
    let ports = PassivePorts::new(range(4));
    let mut claimed = std::collections::HashSet::new();
    for _ in 0..600 {
        claimed.insert(use_one(&ports).await);
    }
    assert_eq!(claimed.len(), 3);
}

#[tokio::test]
async fn a_port_that_nobody_came_in_by_is_closed_at_once() {
    let ports = PassivePorts::new(range(1));
    let address = ports.claim(HERE, HERE, &nobody()).unwrap().address();
    assert!(std::net::TcpListener::bind(address).is_ok());
}

#[tokio::test]
async fn a_port_rests_some_seconds_and_is_closed() {
    let ports = PassivePorts::new(range(1));
    let address = use_one(&ports).await;
    assert!(std::net::TcpStream::connect(address).is_ok());
    tokio::time::pause();
    let tidied = tokio::time::timeout(std::time::Duration::from_secs(11), ports.tidy());
    assert!(tidied.await.is_err());
    assert!(std::net::TcpStream::connect(address).is_err());
}
