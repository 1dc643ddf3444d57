//! Who connects where, and how; and curl and lftp told to do one thing in that way, with the
//! server's own certificate as the only one they trust.

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
    /// With which TLS version; `None` is in clear.
    pub version: Option<Version>,
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
            version: Some(Version::Tls13),
            mode: Mode::Epsv,
            certificate: deployment.certificate(),
            directory: deployment.directory().to_owned(),
        }
    }

    /// Runs curl on a path of the site ("" for none), with these options besides.
    pub fn curl(&self, path: &str, options: &[&str]) -> Finished {
        let mut arguments = vec!["--silent", "--show-error", "--verbose"];
        arguments.extend(["--cacert", text(&self.certificate)]);
        arguments.extend(match self.version {
            None => &[] as &[&str],
            Some(Version::Tls12) => &["--ssl-reqd", "--tlsv1.2", "--tls-max", "1.2"],
            Some(Version::Tls13) => &["--ssl-reqd", "--tlsv1.3", "--tls-max", "1.3"],
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

    /// Whether the server connects to the client.
    pub fn is_active(&self) -> bool {
        matches!(self.mode, Mode::Port | Mode::Eprt)
    }

    fn lftp_settings(&self) -> String {
        let tls = self.version.is_some();
        let versions = match self.version {
            Some(Version::Tls12) => "+VERS-TLS1.2",
            _ => "+VERS-TLS1.3",
        };
        format!(
            "set cmd:fail-exit true\nset net:max-retries 1\nset net:timeout 20\n\
             set ssl:ca-file {}\nset ssl:priority NORMAL:-VERS-ALL:{versions}\n\
             set ftp:ssl-allow {tls}\nset ftp:ssl-force {tls}\n\
             set ftp:ssl-protect-data {tls}\nset ftp:ssl-protect-list {tls}\n\
             set ftp:passive-mode {}\nset ftp:prefer-epsv {}\n\
             open -u '{},{}' {}://{}",
            text(&self.certificate),
            !self.is_active(),
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
