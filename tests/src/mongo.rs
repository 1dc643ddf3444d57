//! MongoDB for the tests: a database of its own for each test on the server that `tests/run`
//! started, and a whole server or a replica set of its own for tests that take it away.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::polling::eventually;
use crate::program::PATIENCE;
use crate::tools;

/// A database that no other test uses, dropped at the end.
pub struct Database {
    port: String,
    name: String,
    /// Its connection string.
    pub url: String,
}

impl Database {
    /// A new name on the server of `TEST_MONGODB_URL`.
    pub fn new(name: &str) -> Database {
        let url = std::env::var("TEST_MONGODB_URL")
            .expect("TEST_MONGODB_URL is not set: run ./tests/run, which starts a MongoDB for the tests");
        Database::on(&url, name)
    }

    fn on(server: &str, name: &str) -> Database {
        let name = format!("e2e_{}_{name}", std::process::id());
        let (address, options) = server.split_once("/?").expect("the URL has options");
        let port = address.rsplit_once(':').expect("the URL has a port").1.to_owned();
        Database { url: format!("{address}/{name}?{options}"), port, name }
    }

    /// Runs a command on it, as somebody who may write all of it.
    pub fn command(&self, command: &str) {
        tools::run(&script("command"), &[&self.port, command, "--database", &self.name]).succeeded();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = [&self.port, r#"{"dropDatabase": 1}"#, "--database", &self.name];
        tools::run(&script("command"), &drop);
    }
}

/// A server of its own, which can be stopped and started again.
pub struct Server {
    directory: PathBuf,
    port: String,
}

impl Server {
    /// Chooses a port; nothing listens there until `start`.
    pub fn new(directory: &Path) -> Server {
        Server { directory: directory.join("mongodb"), port: free_ports(1).remove(0) }
    }

    /// The connection string, good whenever the server runs. A short time-out keeps the tests short.
    pub fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/wharfinger?replicaSet=rs0", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port.parse().unwrap()
    }

    /// Starts it with the data it had, and waits until it takes writes.
    pub fn start(&self) {
        tools::run(&script("start"), &[self.directory.to_str().unwrap(), &self.port]).succeeded();
    }

    /// Starts it as no replica set, which has no change streams; its connection string.
    pub fn start_alone(&self) -> String {
        let arguments = [self.directory.to_str().unwrap(), &self.port, "--alone"];
        tools::run(&script("start"), &arguments).succeeded();
        format!("mongodb://127.0.0.1:{}/wharfinger", self.port)
    }

    /// Runs a command on it.
    pub fn command(&self, command: &str) {
        tools::run(&script("command"), &[&self.port, command]).succeeded();
    }

    /// Stops it in the midst of what it does: it keeps its connections, and answers nobody.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = std::fs::read_to_string(self.directory.join("mongod.pid")).unwrap();
        kill_process(Pid::from_raw(pid.trim().parse().unwrap()).unwrap(), signal).unwrap();
    }

    /// Ends it as a crash would.
    pub fn stop(&self) {
        if self.directory.is_dir() {
            tools::run(&script("stop"), &[self.directory.to_str().unwrap()]).succeeded();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A replica set of three members of its own. Its primary can be killed, and nobody takes its place
/// before they may, so that a test need not be quicker than an election.
pub struct ReplicaSet {
    directory: PathBuf,
    ports: Vec<String>,
}

impl ReplicaSet {
    /// Starts it, and waits until it is whole.
    pub fn start(directory: &Path) -> ReplicaSet {
        // Somebody may be quicker with a port that was free a moment ago.
        for attempt in 1..=3 {
            let set = ReplicaSet { directory: directory.join(format!("set{attempt}")), ports: free_ports(3) };
            let directory = [set.directory.to_str().unwrap().to_owned()];
            let started = tools::run(&script("start3"), &[&directory[..], &set.ports].concat());
            if started.code == Some(0) {
                return set;
            }
            eprintln!("{started:?}");
        }
        panic!("no replica set could be started");
    }

    /// The connection string, good whoever is primary.
    pub fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/wharfinger?replicaSet=rs0", self.ports.join(",127.0.0.1:"))
    }

    /// Ends the primary as a crash would. Nobody takes its place.
    pub fn kill_primary(&self) {
        // Held before it is killed, or somebody might be elected in between.
        let primary = eventually("a primary", PATIENCE, || {
            let primary = self.primary()?;
            let others = (0..self.ports.len()).filter(|member| *member != primary);
            // Refused by one that was elected meanwhile.
            others.into_iter().all(|member| self.freeze(member, 3600)).then_some(primary)
        });
        self.stop(primary);
    }

    /// Lets those who are left choose another primary.
    pub fn allow_elections(&self) {
        for member in 0..self.ports.len() {
            // Refused by the dead one alone.
            self.freeze(member, 0);
        }
    }

    fn primary(&self) -> Option<usize> {
        (0..self.ports.len()).find(|member| {
            let told = self.command(*member, r#"{"hello": 1}"#);
            let told: Value = serde_json::from_str(&told.out).unwrap_or_default();
            told["isWritablePrimary"] == true
        })
    }

    /// Has a member stand for no election for so many seconds; whether it agrees.
    fn freeze(&self, member: usize, seconds: u32) -> bool {
        self.command(member, &format!(r#"{{"replSetFreeze": {seconds}}}"#)).code == Some(0)
    }

    fn command(&self, member: usize, command: &str) -> tools::Finished {
        tools::run(&script("command"), &[&self.ports[member], command])
    }

    fn stop(&self, member: usize) {
        let directory = self.directory.join(member.to_string());
        if directory.is_dir() {
            tools::run(&script("stop"), &[directory.to_str().unwrap()]).succeeded();
        }
    }
}

impl Drop for ReplicaSet {
    fn drop(&mut self) {
        for member in 0..self.ports.len() {
            self.stop(member);
        }
    }
}

/// So many that are free now.
fn free_ports(count: usize) -> Vec<String> {
    let free: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    free.iter().map(|listener| listener.local_addr().unwrap().port().to_string()).collect()
}

fn script(name: &str) -> String {
    format!("{}/mongo/{name}", env!("CARGO_MANIFEST_DIR"))
}
