//! Other people's FTP servers on loopback, each with a directory, a certificate and ports of its
//! own: what `tests/peers/fetch` has unpacked, started without being installed.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::polling::eventually;
use crate::program::PATIENCE;
use crate::tools;
use crate::wharf::Wharf;

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// vsftpd, for anonymous users who may write.
    Vsftpd,
    /// `ProFTPD` with its own file of users; it wants TLS sessions resumed.
    Proftpd,
    /// pyftpdlib.
    Pyftpdlib,
}

/// A running server; dropping it ends it.
pub struct Peer {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its user.
    pub user: &'static str,
    directory: TempDir,
}

const PASSWORD: &str = "secret";

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Vsftpd, Kind::Proftpd, Kind::Pyftpdlib];
}

impl Peer {
    /// Starts a server and waits until it answers.
    pub fn start(kind: Kind) -> Peer {
        Peer::start_with(kind, &[])
    }

    /// vsftpd where files may be left, and neither renamed nor replaced nor removed.
    pub fn start_dropbox() -> Peer {
        Peer::start_with(Kind::Vsftpd, &[("anon_other_write_enable", "NO")])
    }

    /// pyftpdlib that gives nothing a name that something has already.
    pub fn start_unreplacing() -> Peer {
        Peer::start_with(Kind::Pyftpdlib, &[("RENAMES_TO_FREE_NAMES", "YES")])
    }

    fn start_with(kind: Kind, settings: &[(&str, &str)]) -> Peer {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("files")).unwrap();
        fs::create_dir(directory.path().join("client")).unwrap();
        make_certificate(directory.path());
        let address = free_address();
        let (mut command, user) = match kind {
            Kind::Vsftpd => (vsftpd(directory.path(), address.port(), settings), "anonymous"),
            Kind::Proftpd => (proftpd(directory.path(), address.port()), "tester"),
            Kind::Pyftpdlib => (pyftpdlib(directory.path(), address.port()), "tester"),
        };
        command.envs(settings.iter().copied());
        let log = fs::File::create(directory.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child =
            command.spawn().unwrap_or_else(|error| panic!("{kind:?}: {error}: run tests/peers/fetch"));
        let mut peer = Peer { child, address, user, directory };
        if peer.listens() {
            return peer;
        }
        // Somebody else was quicker to take the port.
        let log = fs::read_to_string(peer.directory.path().join("log")).unwrap();
        assert!(log.to_lowercase().contains("in use"), "{kind:?} does not start:\n{log}");
        Peer::start_with(kind, settings)
    }

    /// Lets no file grow beyond this many bytes from now on, as a full disk would; none: any size.
    /// A server that forks holds its sessions to be to that.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let arguments = [format!("--pid={}", self.child.id()), format!("--fsize={limit}:unlimited")];
        tools::run("prlimit", &arguments).succeeded();
    }

    /// A client that trusts this server.
    pub fn client(&self) -> Wharf {
        let certificate = self.directory.path().join("cert.pem");
        Wharf {
            directory: self.directory.path().join("client"),
            trust: vec!["--ca".to_owned(), certificate.to_str().unwrap().to_owned()],
            password: Some(PASSWORD.to_owned()),
        }
    }

    /// A URL of this path.
    pub fn url(&self, path: &str) -> String {
        format!("ftpes://{}@localhost:{}/{path}", self.user, self.address.port())
    }

    /// Its files on the disk.
    pub fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    fn listens(&mut self) -> bool {
        let (child, address) = (&mut self.child, self.address);
        eventually("the server listens or ends", PATIENCE, || {
            if child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            TcpStream::connect(address).is_ok().then_some(true)
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.directory.path().join("log")).unwrap_or_default());
        }
    }
}

fn vsftpd(directory: &Path, port: u16, more: &[(&str, &str)]) -> Command {
    let config = directory.join("vsftpd.conf");
    let files = directory.join("files");
    let settings = [
        ("anonymous_enable", "YES"),
        ("anon_upload_enable", "YES"),
        ("anon_mkdir_write_enable", "YES"),
        ("anon_other_write_enable", "YES"),
        ("anon_umask", "022"),
        ("write_enable", "YES"),
        ("allow_writeable_chroot", "YES"),
        ("anon_world_readable_only", "NO"),
        ("run_as_launching_user", "YES"),
        ("listen", "YES"),
        ("background", "NO"),
        ("seccomp_sandbox", "NO"),
        ("isolate", "NO"),
        ("isolate_network", "NO"),
        ("ssl_enable", "YES"),
        ("allow_anon_ssl", "YES"),
        ("force_anon_logins_ssl", "YES"),
        ("force_anon_data_ssl", "YES"),
        ("ssl_ciphers", "HIGH"),
        ("vsftpd_log_file", "/dev/null"),
    ];
    let mut text = format!("ftp_username={}\n", id("-un"));
    for (key, value) in settings.iter().chain(more) {
        writeln!(text, "{key}={value}").unwrap();
    }
    writeln!(text, "anon_root={}\nsecure_chroot_dir={}", files.display(), directory.display()).unwrap();
    writeln!(text, "listen_address=127.0.0.1\nlisten_port={port}").unwrap();
    for (key, file) in [("rsa_cert_file", "cert.pem"), ("rsa_private_key_file", "key.pem")] {
        writeln!(text, "{key}={}", directory.join(file).display()).unwrap();
    }
    fs::write(&config, text).unwrap();
    unpacked("sbin/vsftpd", &[config.to_str().unwrap()])
}

fn proftpd(directory: &Path, port: u16) -> Command {
    let config = directory.join("proftpd.conf");
    let path = |name: &str| directory.join(name).display().to_string();
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let (owner, group) = (id("-un"), id("-gn"));
    let hash = tools::run("openssl", &["passwd", "-6", PASSWORD]).succeeded();
    let user = format!("tester:{}:{uid}:{gid}::{}:/bin/sh\n", hash.trim(), path("files"));
    for (name, text) in [("users", user), ("groups", format!("tester:x:{gid}:\n"))] {
        let file = directory.join(name);
        fs::write(&file, text).unwrap();
        // ProFTPD refuses what others can read.
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let modules = tools_directory().join("peers/usr/lib/proftpd");
    let text = format!(
        "ModulePath {}\nLoadModule mod_tls.c\nServerName peer\nServerType standalone\nDefaultAddress 127.0.0.1\n\
         Port {port}\nUser {owner}\nGroup {group}\nPidFile {}\nScoreboardFile {}\nDelayTable none\n\
         DefaultRoot ~\nRequireValidShell off\nAuthOrder mod_auth_file.c\nAuthUserFile {}\nAuthGroupFile {}\n\
         AllowOverwrite on\nAllowStoreRestart on\nAllowRetrieveRestart on\nWtmpLog off\nTransferLog none\nRootLogin on\n\
         TLSEngine on\nTLSRequired on\nTLSProtocol TLSv1.2 TLSv1.3\nTLSRSACertificateFile {}\n\
         TLSRSACertificateKeyFile {}\nUseReverseDNS off\n",
        modules.display(),
        path("pid"),
        path("scoreboard"),
        path("users"),
        path("groups"),
        path("cert.pem"),
        path("key.pem"),
    );
    fs::write(&config, text).unwrap();
    unpacked("sbin/proftpd", &["--nodaemon", "--config", config.to_str().unwrap()])
}

fn pyftpdlib(directory: &Path, port: u16) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/pyftpdlib_server.py");
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", tools_directory().join("pyftpdlib"));
    command.arg(script).arg(directory).args([&port.to_string(), "tester", PASSWORD]);
    command
}

fn unpacked(program: &str, arguments: &[&str]) -> Command {
    let root = tools_directory().join("peers");
    let libraries = [
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/aarch64-linux-gnu",
        "lib/x86_64-linux-gnu",
        "lib/aarch64-linux-gnu",
    ];
    let libraries: Vec<String> = libraries.iter().map(|path| root.join(path).display().to_string()).collect();
    // The signal that comes with `limit_files` is ignored, as a full disk sends none.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(root.join("usr").join(program));
    command.env("LD_LIBRARY_PATH", libraries.join(":")).args(arguments);
    command
}

fn tools_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools")
}

/// Who runs the tests.
fn id(what: &str) -> String {
    tools::run("id", &[what]).succeeded().trim().to_owned()
}

fn make_certificate(directory: &Path) {
    let arguments = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
                     -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    tools::run_in(directory, "openssl", &arguments).succeeded();
}

/// An address that nobody listens at; somebody else may take it, which the server then says.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
