//! Two hosts of the test's own, joined by a cable that can lose packets: network namespaces with a
//! veth pair between them, and nftables as the weather. Nothing of it is left when this is dropped.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::polling::eventually;
use crate::program::PATIENCE;
use crate::{mounts, tools};

/// The server's end of the cable.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The client's end.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

/// The hosts and their cable.
pub struct Network {
    server: Child,
    client: Child,
}

/// One end of the cable.
#[derive(Clone, Copy, Debug)]
pub enum Host {
    /// Where the programs run.
    Server,
    /// Where their clients run.
    Client,
}

impl Network {
    /// Nothing, where it can't be made: then it says so.
    pub fn new() -> Option<Network> {
        mounts::can("a network that loses packets", &["/proc/self/ns/net"]).then(|| {
            let network = Network { server: hold(), client: hold() };
            let peer = network.client.id().to_string();
            let cable = ["link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", &peer];
            network.run(Host::Server, "ip", &cable);
            for (host, address) in [(Host::Server, SERVER), (Host::Client, CLIENT)] {
                network.run(host, "ip", &["link", "set", "lo", "up"]);
                network.run(host, "ip", &["address", "add", &format!("{address}/24"), "dev", "cable"]);
                network.run(host, "ip", &["link", "set", "cable", "up"]);
            }
            network
        })
    }

    /// Does this work on that host, with the programs that it starts.
    pub fn on<T: Send>(&self, host: Host, work: impl FnOnce() -> T + Send) -> T {
        let place = self.namespace(host);
        thread::scope(|scope| {
            let worker = scope.spawn(move || {
                move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Loses so many of a hundred packets from now on, both ways.
    pub fn lose(&self, percent: u32) {
        self.weather(&format!("numgen random mod 100 < {percent} drop"));
    }

    /// Loses all packets from now on.
    pub fn cut(&self) {
        self.weather("drop");
    }

    /// Loses nothing any more.
    pub fn mend(&self) {
        self.weather("accept");
    }

    fn weather(&self, rule: &str) {
        let rules = format!(
            "add table inet weather; delete table inet weather; add table inet weather; \
             add chain inet weather input {{ type filter hook input priority 0 ; }}; \
             add rule inet weather input iifname cable {rule}"
        );
        for host in [Host::Server, Host::Client] {
            self.run(host, "nft", &[&rules]);
        }
    }

    fn run(&self, host: Host, program: &str, arguments: &[&str]) {
        self.on(host, || tools::run(program, arguments).succeeded());
    }

    fn namespace(&self, host: Host) -> File {
        let holder = match host {
            Host::Server => &self.server,
            Host::Client => &self.client,
        };
        File::open(format!("/proc/{}/ns/net", holder.id())).unwrap()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for holder in [&mut self.server, &mut self.client] {
            // Fails only where it has ended already.
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

/// A process in a network namespace of its own, which ends with this one at the latest: then nobody
/// holds its input open any more.
fn hold() -> Child {
    let mut command = Command::new("unshare");
    let holder = command.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let holder = holder.expect("unshare can't be started: ./tests/run says what to install");
    let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    eventually("a network namespace", PATIENCE, || {
        (namespace(&holder.id().to_string())? != namespace("self")?).then_some(())
    });
    holder
}
