//! MongoDB for the tests: a database of its own for each test on the server that `tests/run`
//! started, and a whole server of its own for tests that take it away.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

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
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        Server { directory: directory.join("mongodb"), port }
    }

    /// The connection string, good whenever the server runs. A short time-out keeps the tests short.
    pub fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/wharfinger?replicaSet=rs0", self.port)
    }

    /// Starts it with the data it had, and waits until it takes writes.
    pub fn start(&self) {
        tools::run(&script("start"), &[self.directory.to_str().unwrap(), &self.port]).succeeded();
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

fn script(name: &str) -> String {
    format!("{}/mongo/{name}", env!("CARGO_MANIFEST_DIR"))
}
