//! Clients at other addresses of the loopback network, which a server takes for other hosts.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::{Deployment, Ftp, User, Version};

/// Logged in from there, with protected data connections.
pub fn session_from(deployment: &Deployment, client: Ipv4Addr, user: &User) -> Ftp {
    let mut ftp = Ftp::over(connect_from(client, deployment.ftp()), deployment.tls(Version::Tls13));
    ftp.expect_reply(220);
    ftp.secure();
    assert_eq!(ftp.log_in(&user.name, &user.password).code, 230);
    for command in ["PBSZ 0", "PROT P", "TYPE I"] {
        ftp.expect(command, 200);
    }
    ftp
}

/// Connects from there.
pub fn connect_from(source: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.into()
}
