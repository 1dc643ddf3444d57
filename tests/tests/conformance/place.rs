//! Where a test takes place: a server shared with the tests that run beside it, a user of the
//! test's own, and connections that are in clear or under TLS as the test was told.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::json;
use socket2::{Domain, Socket, Type};
use wharfinger_tests::wire::Wire;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, Version};

/// How long any reply may take; only a failed login is made to wait, and not as long.
pub(crate) const BOUND: Duration = Duration::from_secs(10);

/// Whether a test's connections are in clear or under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Clear,
    Tls,
}

pub(crate) const BOTH: [Protection; 2] = [Protection::Clear, Protection::Tls];

/// A server and a user of one test.
pub(crate) struct Place {
    pub(crate) protection: Protection,
    pub(crate) user: User,
    servers: Arc<Servers>,
}

/// One that lets clients choose, and one that demands TLS, as it is by default. Both let in who has
/// no account, with the name alone, to read `welcome` and to leave something in `incoming`.
struct Servers {
    clear: Deployment,
    tls: Deployment,
}

impl Place {
    /// With a user of its own, whose home is made.
    pub(crate) fn new(protection: Protection) -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("user-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let servers = Servers::shared();
        let user = User { password: format!("password of {name}"), name };
        let body = json!({"username": user.name, "password": user.password, "protocols": ["ftp", "ftps"]});
        let place = Place { protection, user, servers };
        let answer = place.deployment().admin.post("/api/v1/users", body);
        assert_eq!(answer.status, 201, "{answer:?}");
        // The first login makes the home.
        place.session();
        place
    }

    /// The server.
    pub(crate) fn deployment(&self) -> &Deployment {
        match self.protection {
            Protection::Clear => &self.servers.clear,
            Protection::Tls => &self.servers.tls,
        }
    }

    /// The user's files on the disk.
    pub(crate) fn home(&self) -> PathBuf {
        self.deployment().home(&self.user)
    }

    /// A connection before the login, TLS on if this place has it.
    pub(crate) fn connect(&self) -> Ftp {
        let mut ftp = Ftp::connect(self.deployment().ftp(), self.deployment().tls(Version::Tls13));
        if self.protection == Protection::Tls {
            ftp.secure();
        }
        ftp
    }

    /// A session ready for binary transfers.
    pub(crate) fn session(&self) -> Ftp {
        let mut ftp = self.connect();
        self.log_in(&mut ftp);
        ftp.expect("TYPE I", 200);
        ftp
    }

    /// The login, and what data connections need after it.
    pub(crate) fn log_in(&self, ftp: &mut Ftp) {
        let reply = ftp.log_in(&self.user.name, &self.user.password);
        assert_eq!(reply.code, 230, "{reply:?}");
        self.protect_data(ftp);
    }

    /// What data connections need where they are to be protected.
    pub(crate) fn protect_data(&self, ftp: &mut Ftp) {
        if self.protection == Protection::Tls {
            ftp.expect("PBSZ 0", 200);
            ftp.expect("PROT P", 200);
        }
    }

    /// The data connection of a transfer that has begun, hands shaken. It takes little at a time,
    /// so that a transfer nobody reads stays unfinished.
    pub(crate) fn data(&self, ftp: &Ftp, address: SocketAddr) -> Wire {
        self.protected(ftp, Wire::new(narrow(address)))
    }

    /// The same connection, under TLS if this place has it.
    pub(crate) fn protected(&self, ftp: &Ftp, wire: Wire) -> Wire {
        match self.protection {
            Protection::Clear => wire,
            Protection::Tls => {
                let mut wire = wire.secured(ftp.tls());
                wire.shake_hands().expect("a TLS handshake on the data connection");
                wire
            }
        }
    }

    /// A transfer up to its 150.
    pub(crate) fn begin(&self, ftp: &mut Ftp, command: &[u8]) -> Wire {
        let address = ftp.passive(Mode::Epsv);
        ftp.send_bytes(&[command, b"\r\n"].concat());
        ftp.expect_reply(150);
        self.data(ftp, address)
    }

    /// A transfer to the client, to its 226.
    pub(crate) fn receive(&self, ftp: &mut Ftp, command: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        let mut data = self.begin(ftp, command);
        std::io::Read::read_to_end(&mut data, &mut all).expect("the data connection ends in good order");
        ftp.expect_reply(226);
        all
    }

    /// A transfer to the server, to its 226.
    pub(crate) fn send(&self, ftp: &mut Ftp, command: &[u8], bytes: &[u8]) {
        let mut data = self.begin(ftp, command);
        std::io::Write::write_all(&mut data, bytes).unwrap();
        data.finish().unwrap();
        ftp.expect_reply(226);
    }

    /// A sparse file too large for any socket's buffers.
    pub(crate) fn make_big_file(&self) {
        std::fs::File::create(self.home().join("big")).unwrap().set_len(BIG).unwrap();
    }
}

/// Bytes of the file that a transfer does not finish unless it is read.
pub(crate) const BIG: u64 = 10 << 20;

impl Servers {
    /// The same for all tests that run at the same time; the last of them ends them.
    fn shared() -> Arc<Servers> {
        static RUNNING: Mutex<Weak<Servers>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(servers) = running.upgrade() {
            return servers;
        }
        // Ports in turn from large ranges: one that was closed is not another test's at once.
        let setup = |ports: &str| {
            Setup::new(Shape::AllInOne, Store::Sqlite)
                .set("WHARFINGER_FTP__PASSIVE_PORTS", ports)
                .set("WHARFINGER_ANONYMOUS__ENABLED", "true")
                .set("WHARFINGER_ANONYMOUS__ASK_PASSWORD", "false")
                .set("WHARFINGER_ANONYMOUS__INCOMING", "incoming")
        };
        let clear = setup("10000-19999")
            .set("WHARFINGER_TLS__CONTROL", "optional")
            .set("WHARFINGER_TLS__DATA", "optional");
        let tls = setup("20000-29999");
        let servers = Arc::new(Servers { clear: clear.start(), tls: tls.start() });
        for server in [&servers.clear, &servers.tls] {
            std::fs::write(server.directory().join("data/anonymous/welcome"), "one\ntwo\n").unwrap();
        }
        *running = Arc::downgrade(&servers);
        servers
    }
}

fn narrow(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}
