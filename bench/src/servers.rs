//! The servers side by side: each started in a control group of its own, with the same files, the
//! same certificate, and tuned as its manual says. How each is started stands in a file of its own.

mod ours;
mod proftpd;
mod pure_ftpd;
mod pyftpdlib;
mod unftp;
mod vsftpd;

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::client::Target;
use crate::place::Place;
use crate::usage::Group;

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) target: Target,
    pub(crate) group: Group,
    child: Child,
}

/// How to start one.
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    /// Whether each session is a process, or several.
    pub(crate) forks: bool,
    start: fn(&Place) -> anyhow::Result<Server>,
}

/// Ours first; the others in the order of the table.
pub(crate) const ALL: [Recipe; 6] = [
    Recipe { name: ours::NAME, forks: false, start: ours::start },
    Recipe { name: vsftpd::NAME, forks: true, start: vsftpd::start },
    Recipe { name: proftpd::NAME, forks: true, start: proftpd::start },
    Recipe { name: pure_ftpd::NAME, forks: true, start: pure_ftpd::start },
    Recipe { name: pyftpdlib::NAME, forks: false, start: pyftpdlib::start },
    Recipe { name: unftp::NAME, forks: false, start: unftp::start },
];

impl Recipe {
    pub(crate) fn start(&self, place: &Place) -> anyhow::Result<Server> {
        (self.start)(place).with_context(|| {
            let log = fs::read_to_string(log_of(place, self.name)).unwrap_or_default();
            format!("{} can't be started; it said:\n{log}", self.name)
        })
    }
}

/// What a recipe says of its server.
struct Start<'a> {
    name: &'static str,
    version: String,
    program: &'a Path,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    target: Target,
}

impl Start<'_> {
    /// Starts it and waits until it listens.
    fn go(self, place: &Place) -> anyhow::Result<Server> {
        let group = Group::create(self.name)?;
        let log = File::create(log_of(place, self.name))?;
        let child = group
            .command(self.program)
            .args(self.arguments)
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut server = Server { name: self.name, version: self.version, target: self.target, group, child };
        server.wait_until_listening(server.target.address)?;
        Ok(server)
    }
}

impl Server {
    /// Ends it and starts it anew, in the state in which it was at first.
    pub(crate) fn restart(&mut self, recipe: &Recipe, place: &Place) -> anyhow::Result<()> {
        self.group.end()?;
        self.child.wait()?;
        *self = recipe.start(place)?;
        Ok(())
    }

    fn wait_until_listening(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended at once: {status}");
            }
            if Instant::now() > end {
                bail!("it does not listen on {address}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.group.end().and_then(|()| self.child.wait().map_err(Into::into)) {
            eprintln!("{} can't be ended: {error}", self.name);
        }
    }
}

fn log_of(place: &Place, name: &str) -> PathBuf {
    place.scratch.join(format!("{name}.log"))
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Where the libraries of the unpacked packages are.
fn libraries(place: &Place) -> (&'static str, String) {
    ("LD_LIBRARY_PATH", place.programs.peers.join("usr/lib/x86_64-linux-gnu").display().to_string())
}

/// Writes a server's configuration, and says where it is.
fn write(place: &Place, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = place.scratch.join(name);
    fs::write(&path, text)?;
    Ok(path)
}

/// The first line that a program prints of its version.
fn version(place: &Place, program: &Path, argument: &str) -> anyhow::Result<String> {
    let output = Command::new(program).envs([libraries(place)]).arg(argument).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("{} can't be run", program.display()))?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
}
