//! A running Wharfinger: one program or two, on SQLite or MongoDB, with a data directory and
//! ports of its own, and an owner who has logged in.

mod crashes;
mod node;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::admin::{Admin, User};
use crate::ftp::Ftp;
use crate::mongo::Database;
use crate::program::{Environment, Program};
use crate::tls::{Tls, Version};

pub use node::Node;

use node::ready;

/// The first owner's password in every deployment.
pub const OWNER_PASSWORD: &str = "the owner of every test";

/// Which programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `wharfinger`.
    AllInOne,
    /// `wharfinger-server` and `wharfinger-admin`, after `wharfinger-admin migrate`.
    TwoPrograms,
}

/// Where users are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file in the data directory.
    Sqlite,
    /// A database on the tests' MongoDB.
    MongoDb,
}

/// What to start, before it is started.
pub struct Setup {
    shape: Shape,
    database: Option<Database>,
    directory: TempDir,
    environment: Environment,
    has_file: bool,
    under: Vec<String>,
}

/// The configuration file's name in the deployment's directory, where there is one.
const FILE: &str = "wharfinger.toml";

/// Running programs and how to reach them. Dropping it ends them and removes what they kept.
pub struct Deployment {
    programs: Vec<Program>,
    ftp: Vec<SocketAddr>,
    /// The admin API as the owner.
    pub admin: Admin,
    /// Where the admin API listens.
    pub admin_address: SocketAddr,
    shape: Shape,
    environment: Environment,
    under: Vec<String>,
    database: Option<Database>,
    directory: TempDir,
}

impl Setup {
    /// The defaults, but for ports, paths and the owner's password.
    pub fn new(shape: Shape, store: Store) -> Setup {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let directory = tempfile::tempdir().unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let database = (store == Store::MongoDb).then(|| Database::new(&number.to_string()));
        let mut environment = environment(directory.path());
        environment.insert("WHARFINGER_ADMIN_PASSWORD".to_owned(), OWNER_PASSWORD.to_owned());
        if let Some(database) = &database {
            environment.insert("WHARFINGER_STORE__URL".to_owned(), database.url.clone());
        }
        Setup { shape, database, directory, environment, has_file: false, under: Vec::new() }
    }

    /// One setting, by its variable's name.
    #[must_use]
    pub fn set(mut self, variable: &str, value: &str) -> Setup {
        self.environment.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// A configuration file, beneath the variables.
    #[must_use]
    pub fn file(mut self, text: &str) -> Setup {
        std::fs::write(self.directory.path().join(FILE), text).unwrap();
        self.has_file = true;
        self
    }

    /// Where the deployment will keep everything, for files that have to be there before.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts the programs and waits until they listen.
    pub fn start(self) -> Deployment {
        let program = |name: &str, arguments: &[&str]| {
            let file: &[&str] = if self.has_file { &["--config", FILE] } else { &[] };
            let arguments = [arguments, file].concat();
            Program::start_under(&self.under, name, &arguments, self.directory.path(), &self.environment)
        };
        let programs = match self.shape {
            Shape::AllInOne => vec![program("wharfinger", &[])],
            Shape::TwoPrograms => {
                let migration = program("wharfinger-admin", &["migrate"]).end();
                assert_eq!(migration.code, Some(0), "{}\n{}", migration.out, migration.err);
                vec![program("wharfinger-server", &[]), program("wharfinger-admin", &[])]
            }
        };
        let ftp = programs[0].addresses("ftp", 2);
        let admin_address = programs[programs.len() - 1].addresses("admin", 1)[0];
        let admin = Admin::log_in(admin_address, "owner", OWNER_PASSWORD);
        Deployment {
            programs,
            ftp,
            admin,
            admin_address,
            shape: self.shape,
            environment: self.environment,
            under: self.under,
            database: self.database,
            directory: self.directory,
        }
    }
}

/// Where everything lies below `directory`, on ports the system chooses.
pub fn environment(directory: &Path) -> Environment {
    let data = directory.join("data").to_str().unwrap().to_owned();
    let settings = [
        ("WHARFINGER_DATA_DIR", data.as_str()),
        ("WHARFINGER_FTP__LISTEN", "127.0.0.1:0,[::1]:0"),
        ("WHARFINGER_ADMIN__LISTEN", "127.0.0.1:0"),
        ("WHARFINGER_METRICS__LISTEN", "127.0.0.1:0"),
        ("WHARFINGER_LOG__FORMAT", "json"),
    ];
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl Deployment {
    /// The default: everything in one program, on SQLite.
    pub fn start() -> Deployment {
        Setup::new(Shape::AllInOne, Store::Sqlite).start()
    }

    /// Where the file server listens, IPv4.
    pub fn ftp(&self) -> SocketAddr {
        *self.ftp.iter().find(|address| address.is_ipv4()).unwrap()
    }

    /// Where the file server listens, IPv6.
    pub fn ftp6(&self) -> SocketAddr {
        *self.ftp.iter().find(|address| address.is_ipv6()).unwrap()
    }

    /// Where the file server listens for this service.
    pub fn addresses(&self, service: &str, count: usize) -> Vec<SocketAddr> {
        self.programs[0].addresses(service, count)
    }

    /// Stops all programs in good order; what they kept stays, and they can be started again on it.
    pub fn stop(mut self) -> Setup {
        for program in self.programs.drain(..) {
            let ended = program.stop();
            assert_eq!(ended.code, Some(0), "{}", ended.err);
        }
        let has_file = self.directory.path().join(FILE).exists();
        let Deployment { shape, under, database, directory, environment, .. } = self;
        Setup { shape, database, directory, environment, has_file, under }
    }

    /// Asks the file server to stop.
    pub fn terminate(&self) {
        self.programs[0].terminate();
    }

    /// A directory for the test's own files, and the parent of everything the programs keep.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The database on MongoDB, where users are kept there.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// The server's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.directory().join("data/tls/server.pem")
    }

    /// A user's files on the disk.
    pub fn home(&self, user: &User) -> PathBuf {
        self.directory().join("data/files").join(&user.name)
    }

    /// Writes another configuration file and has every program read it.
    pub fn reload(&self, text: &str) {
        std::fs::write(self.directory().join(FILE), text).unwrap();
        for program in &self.programs {
            program.hang_up();
        }
    }

    /// Every program that runs, the file server's first.
    pub fn programs(&self) -> &[Program] {
        &self.programs
    }

    /// The file server's program.
    pub fn server(&mut self) -> &mut Program {
        &mut self.programs[0]
    }

    /// The admin API's program.
    pub fn admin_program(&mut self) -> &mut Program {
        self.programs.last_mut().unwrap()
    }

    /// Starts another file server, or one again under the name of one that has ended.
    pub fn start_node(&self, name: &str) -> Node {
        self.start_node_with(name, &[])
    }

    /// The same, with settings of its own.
    pub fn start_node_with(&self, name: &str, settings: &[(&str, &str)]) -> Node {
        let data = self.directory().join(name);
        let mut environment = self.environment.clone();
        let store = format!("sqlite://{}", self.directory().join("data/wharfinger.db").display());
        environment.entry("WHARFINGER_STORE__URL".to_owned()).or_insert(store);
        environment.insert("WHARFINGER_DATA_DIR".to_owned(), data.to_str().unwrap().to_owned());
        environment.insert("WHARFINGER_NODE__NAME".to_owned(), name.to_owned());
        for (variable, value) in settings {
            environment.insert((*variable).to_owned(), (*value).to_owned());
        }
        let program = Program::start("wharfinger-server", &[], self.directory(), &environment);
        Node::new(program, data.join("tls/server.pem"))
    }

    /// A control connection in clear, greeted.
    pub fn connect(&self) -> Ftp {
        Ftp::connect(self.ftp(), self.tls(Version::Tls13))
    }

    /// Trust in the server's certificate.
    pub fn tls(&self, version: Version) -> Tls {
        Tls::new(&self.certificate(), version)
    }

    /// A session ready for binary transfers under TLS 1.3, over IPv4.
    pub fn session(&self, user: &User) -> Ftp {
        self.session_at(self.ftp(), Version::Tls13, user)
    }

    /// A session ready for binary transfers.
    pub fn session_at(&self, address: SocketAddr, version: Version, user: &User) -> Ftp {
        ready(Ftp::connect(address, self.tls(version)), user)
    }

    /// The reply to a login of this user with this password, on a connection of its own.
    pub fn log_in(&self, name: &str, password: &str) -> crate::Reply {
        let mut ftp = self.connect();
        ftp.secure();
        ftp.log_in(name, password)
    }
}
