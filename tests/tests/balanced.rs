//! Two file servers on one MongoDB behind `HAProxy`, as docker/haproxy/haproxy.cfg sets them up: one
//! address for clients, sessions spread over both nodes, listed, limited and ended across them.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use wharfinger_tests::deployment::Node;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, Version};

/// Where clients connect to; they come from 127.0.0.1.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 100);
/// Where the proxy connects to the nodes from.
const PROXY: &str = "127.0.0.9";
const NORTH: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The two nodes and the proxy in front.
struct Balanced {
    deployment: Deployment,
    south: Node,
    haproxy: Child,
    ftp: SocketAddr,
}

impl Balanced {
    fn start() -> Self {
        let (north_range, south_range) = (free_range(0), free_range(1));
        let trusted = format!("{PROXY}/32");
        let deployment = Setup::new(Shape::TwoPrograms, Store::MongoDb)
            .set("WHARFINGER_NODE__NAME", "north")
            .set("WHARFINGER_PROXY__TRUSTED", &trusted)
            .set("WHARFINGER_FTP__PASSIVE_PORTS", &written(&north_range))
            .start();
        // Clients can't tell which node they reach: both show one certificate.
        let tls = deployment.directory().join("data/tls");
        let (certificate, key) = (tls.join("server.pem"), tls.join("server.key"));
        let south = deployment.start_node_with(
            "south",
            &[
                ("WHARFINGER_FTP__PASSIVE_PORTS", &written(&south_range)),
                ("WHARFINGER_TLS__CERTIFICATE", certificate.to_str().unwrap()),
                ("WHARFINGER_TLS__KEY", key.to_str().unwrap()),
            ],
        );
        let ftp = SocketAddr::from((PUBLIC, free_port()));
        let mut haproxy = Command::new("haproxy");
        haproxy
            .args(["-db", "-f"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/haproxy/haproxy.cfg"))
            .env("PUBLIC_ADDRESS", PUBLIC.to_string())
            .env("FTP_PORT", ftp.port().to_string())
            .env("PROXY_ADDRESS", PROXY)
            .envs([("NORTH", NORTH.to_string()), ("SOUTH", NORTH.to_string())])
            .env("NORTH_FTP_PORT", deployment.ftp().port().to_string())
            .env("SOUTH_FTP_PORT", south.ftp().port().to_string())
            .envs([("NORTH_PASSIVE", written(&north_range)), ("SOUTH_PASSIVE", written(&south_range))])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let haproxy = haproxy.spawn().expect("haproxy is installed: ./tests/run sees to it");
        let balanced = Self { deployment, south, haproxy, ftp };
        eventually("the proxy passes on", PATIENCE, || balanced.greeting());
        balanced
    }

    /// The first reply through the proxy, if there is one.
    fn greeting(&self) -> Option<()> {
        let mut socket = TcpStream::connect(self.ftp).ok()?;
        socket.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        let mut reply = [0; 3];
        socket.read_exact(&mut reply).ok()?;
        (reply == *b"220").then_some(())
    }

    fn log_in(&self, user: &User) -> (Ftp, u16) {
        let mut ftp = Ftp::connect(self.ftp, self.deployment.tls(Version::Tls13));
        ftp.secure();
        let code = ftp.log_in(&user.name, &user.password).code;
        (ftp, code)
    }

    fn session(&self, user: &User) -> Ftp {
        let (mut ftp, code) = self.log_in(user);
        assert_eq!(code, 230);
        for line in ["PBSZ 0", "PROT P", "TYPE I"] {
            ftp.expect(line, 200);
        }
        ftp
    }

    /// The user's sessions once there are so many, by node.
    fn listed(&self, user: &User, count: usize) -> Vec<Value> {
        let mut listed = eventually(&format!("{count} sessions of {}", user.name), PATIENCE, || {
            let answer = self.deployment.admin.get(&format!("/api/v1/sessions?user={}", user.name));
            let items = answer.body["items"].as_array()?.clone();
            (items.len() == count).then_some(items)
        });
        listed.sort_by_key(|session| session["node"].to_string());
        listed
    }
}

impl Drop for Balanced {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.haproxy.kill();
        let _ = self.haproxy.wait();
    }
}

#[test]
fn sessions_are_spread_over_two_nodes_and_are_one_user_s_all_the_same() {
    let balanced = Balanced::start();
    let alice = balanced.deployment.admin.create_with("alice", json!({"limits": {"max_sessions": 2}}));
    let mut sessions = [balanced.session(&alice), balanced.session(&alice)];
    let listed = balanced.listed(&alice, 2);
    let nodes: Vec<_> = listed.iter().map(|session| session["node"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["north", "south"], "one each");
    for session in &listed {
        assert_eq!(session["client_address"], "127.0.0.1", "the client's and not the proxy's");
    }
    for (number, ftp) in sessions.iter_mut().enumerate() {
        for mode in [Mode::Epsv, Mode::Pasv] {
            let name = format!("{number}-{mode:?}");
            ftp.send_file(mode, &format!("STOR {name}"), name.as_bytes());
            assert_eq!(ftp.receive(mode, &format!("RETR {name}")), name.as_bytes());
        }
    }
    assert_eq!(balanced.log_in(&alice).1, 421, "two sessions are all she may have, wherever they are");

    let south = listed[1]["id"].as_str().unwrap();
    assert_eq!(balanced.deployment.admin.delete(&format!("/api/v1/sessions/{south}")).status, 202);
    assert_eq!(balanced.listed(&alice, 1)[0]["node"], "north");
    // The first connection went to one node and the second to the other; the one on north goes on.
    let ended: Vec<bool> = sessions.iter_mut().map(is_told_to_leave).collect();
    assert_eq!(ended.iter().filter(|ended| **ended).count(), 1, "{ended:?}");
    eventually("the place of the ended session", PATIENCE, || {
        (balanced.log_in(&alice).1 == 230).then_some(())
    });
    let noted = eventually("the logins in the audit trail", PATIENCE, || {
        let found = balanced.deployment.admin.get("/api/v1/audit?action=login&user=alice").body;
        found["items"].as_array().filter(|items| items.len() >= 3).cloned()
    });
    for record in noted {
        assert!(record["detail"].to_string().contains("\"127.0.0.1\""), "{record}");
    }
}

#[test]
fn who_comes_after_a_node_has_died_is_served_by_the_other() {
    let mut balanced = Balanced::start();
    let alice = balanced.deployment.admin.create("alice");
    let mut before = balanced.session(&alice);
    before.send_file(Mode::Epsv, "STOR file", b"content");
    balanced.south.program.kill();
    // Until the proxy has noticed, it tries the other node by itself, or drops a connection.
    eventually("the other node", PATIENCE, || balanced.greeting());
    for _ in 0..3 {
        balanced.session(&alice).send_file(Mode::Epsv, "STOR file", b"content");
    }
    let last = balanced.session(&alice);
    eventually("sessions on the other node only", PATIENCE, || {
        let answer = balanced.deployment.admin.get("/api/v1/sessions?user=alice");
        let items = answer.body["items"].as_array()?;
        (!items.is_empty() && items.iter().all(|session| session["node"] == "north")).then_some(())
    });
    drop(last);
}

/// Whether the session was ended; else it still answers.
fn is_told_to_leave(ftp: &mut Ftp) -> bool {
    ftp.send("NOOP");
    ftp.reply().code == 421
}

/// Ports of this number's part that are free where the proxy and where a node is to listen. They lie
/// below those that the system gives out by itself.
fn free_range(part: u16) -> RangeInclusive<u16> {
    const PORTS: u16 = 6;
    let seed = u16::try_from(std::process::id() % 500).unwrap();
    let starts = (0..500).map(|step| 20_000 + part * 6_000 + (seed + step) % 500 * (PORTS + 6));
    let free = |port: u16| [PUBLIC, NORTH].iter().all(|address| TcpListener::bind((*address, port)).is_ok());
    let found = starts.map(|first| first..=first + PORTS - 1).find(|range| range.clone().all(free));
    found.expect("free ports")
}

fn free_port() -> u16 {
    TcpListener::bind((PUBLIC, 0)).unwrap().local_addr().unwrap().port()
}

fn written(range: &RangeInclusive<u16>) -> String {
    format!("{}-{}", range.start(), range.end())
}
