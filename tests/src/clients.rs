//! curl, lftp and Python's ftplib, told to do one thing in one way, each with the server's own
//! certificate as the only one it trusts.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::admin::User;
use crate::deployment::Deployment;
use crate::ftp::Mode;
use crate::tls::Version;
use crate::tools::{self, Finished};

/// Who connects where, and how.
#[derive(Clone, Debug)]
pub struct Site {
    /// `ftp`, or `ftps` where TLS comes first.
    pub scheme: &'static str,
    /// The server.
    pub address: SocketAddr,
    /// As whom.
    pub user: User,
    /// With which TLS version.
    pub version: Version,
    /// With which data connections.
    pub mode: Mode,
    /// The certificate to trust.
    pub certificate: PathBuf,
    /// Where the client runs and keeps its files.
    pub directory: PathBuf,
}

impl Site {
    /// The usual way: IPv4, TLS 1.3, passive.
    pub fn new(deployment: &Deployment, user: &User) -> Site {
        Site {
            scheme: "ftp",
            address: deployment.ftp(),
            user: user.clone(),
            version: Version::Tls13,
            mode: Mode::Epsv,
            certificate: deployment.certificate(),
            directory: deployment.directory().to_owned(),
        }
    }

    /// Every TLS version with every way to a data connection, over IPv4 and IPv6.
    pub fn every_way(deployment: &Deployment, user: &User) -> Vec<Site> {
        let (v4, v6) = (deployment.ftp(), deployment.ftp6());
        let ways = [
            (v4, Mode::Pasv),
            (v4, Mode::Epsv),
            (v4, Mode::Port),
            (v4, Mode::Eprt),
            (v6, Mode::Epsv),
            (v6, Mode::Eprt),
        ];
        let versions = Version::ALL.into_iter();
        versions
            .flat_map(|version| {
                ways.map(|(address, mode)| Site { address, version, mode, ..Site::new(deployment, user) })
            })
            .collect()
    }

    /// Runs curl on a path of the site ("" for none), with these options besides.
    pub fn curl(&self, path: &str, options: &[&str]) -> Finished {
        let mut arguments = vec!["--silent", "--show-error", "--verbose", "--ssl-reqd"];
        arguments.extend(["--cacert", text(&self.certificate)]);
        arguments.extend(match self.version {
            Version::Tls12 => ["--tlsv1.2", "--tls-max", "1.2"],
            Version::Tls13 => ["--tlsv1.3", "--tls-max", "1.3"],
        });
        arguments.extend(match self.mode {
            Mode::Pasv => &["--disable-epsv"] as &[&str],
            Mode::Epsv => &[],
            Mode::Port => &["--ftp-port", "-", "--disable-eprt"],
            Mode::Eprt => &["--ftp-port", "-"],
        });
        let login = format!("{}:{}", self.user.name, self.user.password);
        let url = format!("{}://{}/{path}", self.scheme, self.address);
        arguments.extend(["--user", &login]);
        arguments.extend(options);
        arguments.push(&url);
        tools::run_in(&self.directory, "curl", &arguments)
    }

    /// Runs lftp with this script after the login; fails unless all of it succeeds. What it
    /// printed, and what it said to the server.
    pub fn lftp(&self, script: &str) -> (String, String) {
        let log = self.directory.join("lftp.log");
        let script = format!("{}\ndebug -o {} 9\n{script}\nquit\n", self.lftp_settings(), text(&log));
        let file = self.directory.join("script.lftp");
        fs::write(&file, script).unwrap();
        let finished = tools::run_in(&self.directory, "lftp", &["--norc", "-f", text(&file)]);
        let said = fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(finished.code, Some(0), "{finished:?}\n{said}");
        fs::remove_file(log).unwrap();
        (finished.out, said)
    }

    /// Runs one of the Python scripts in `tests/clients`; it fails when what it does fails.
    pub fn python(&self, script: &str) {
        let script = format!("{}/clients/{script}", env!("CARGO_MANIFEST_DIR"));
        let (host, port) = (self.address.ip().to_string(), self.address.port().to_string());
        let version = if self.version == Version::Tls12 { "1.2" } else { "1.3" };
        let active = if matches!(self.mode, Mode::Port | Mode::Eprt) { "active" } else { "passive" };
        let certificate = text(&self.certificate);
        let arguments =
            [&script, &host, &port, &self.user.name, &self.user.password, certificate, version, active];
        tools::run_in(&self.directory, "python3", &arguments).succeeded();
    }

    fn lftp_settings(&self) -> String {
        let version = if self.version == Version::Tls12 { "1.2" } else { "1.3" };
        let passive = matches!(self.mode, Mode::Pasv | Mode::Epsv);
        format!(
            "set cmd:fail-exit true\nset net:max-retries 1\nset net:timeout 20\n\
             set ssl:ca-file {}\nset ssl:priority NORMAL:-VERS-ALL:+VERS-TLS{version}\n\
             set ftp:ssl-force true\nset ftp:ssl-protect-data true\nset ftp:ssl-protect-list true\n\
             set ftp:passive-mode {passive}\nset ftp:prefer-epsv {}\n\
             open -u '{},{}' {}://{}",
            text(&self.certificate),
            self.mode == Mode::Epsv,
            self.user.name,
            self.user.password,
            self.scheme,
            self.address,
        )
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
