//! FileZilla, which has no command line worth the name: it runs on a screen of its own, finds its
//! transfers in its queue, and is told to start them with Ctrl+P. Its log tells how they went. In
//! `trustedcerts.xml` it notes whether the server lets data connections resume TLS sessions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use wharfinger_tests::clients::Site;
use wharfinger_tests::lines::Lines;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::{Version, tools};

use crate::round::{Client, Heard};
use crate::script;
use crate::step::Step;
use crate::way::{EPSV6, PASV, PORT, Server};

const FILEZILLA: Client = Client {
    name: "FileZilla",
    can: |step| matches!(step, Step::Upload { .. } | Step::Download { .. }),
    run,
};

/// For the whole queue, on a slow machine.
const LIMIT: Duration = Duration::from_mins(2);

/// The key is lost when it comes before the window is ready for it.
const BETWEEN_PRESSES: Duration = Duration::from_secs(10);

#[test]
fn filezilla_works_in_every_way() {
    // It chooses by address family: PASV and PORT for IPv4, EPSV for IPv6.
    FILEZILLA.works(&[
        Server::Default.by(&[PASV]),
        Server::Default.by_tls13(&[PORT]),
        Server::InClear.by(&[EPSV6]),
        Server::Bound.by(&[PASV]),
    ]);
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let home = Home::new(site, steps);
    let screen = Screen::start(home.directory.path());
    let mut program = home.command("filezilla", &screen);
    program.stderr(fs::File::create(home.file("errors")).unwrap());
    let mut program = Ended(program.spawn().expect("./tests/run installs filezilla"));
    eventually("FileZilla's window", LIMIT, || {
        let search = ["search", "--onlyvisible", "--name", "^FileZilla$"];
        let status = home.command("xdotool", &screen).args(search).status().unwrap();
        let ended = program.0.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}: {}", fs::read_to_string(home.file("errors")).unwrap());
        status.success().then_some(())
    });
    let mut pressed: Option<Instant> = None;
    eventually("FileZilla starts its queue", LIMIT, || {
        if home.log().contains("Status: Connecting to ") {
            return Some(());
        }
        if pressed.is_none_or(|then| then.elapsed() > BETWEEN_PRESSES) {
            home.command("xdotool", &screen).args(["key", "--clearmodifiers", "ctrl+p"]).status().unwrap();
            pressed = Some(Instant::now());
        }
        None
    });
    let said = eventually("FileZilla ends its queue", LIMIT, || {
        let log = home.log();
        assert!(!log.contains("Error:"), "{log}");
        (log.matches("File transfer successful").count() == steps.len()).then_some(log)
    });
    if site.version.is_some() {
        let resumes =
            format!("<Entry Host=\"{}\" Port=\"{}\">true</Entry>", site.address.ip(), site.address.port());
        eventually("FileZilla notes that sessions are resumed", PATIENCE, || {
            let trusted = fs::read_to_string(home.file(".config/filezilla/trustedcerts.xml")).unwrap();
            trusted.contains(&resumes).then_some(())
        });
    }
    Heard { names: None, said }
}

/// A home directory with FileZilla's settings and its queue.
struct Home {
    directory: TempDir,
    version: Option<Version>,
}

impl Home {
    fn new(site: &Site, steps: &[Step]) -> Home {
        let directory = tempfile::tempdir_in(&site.directory).unwrap();
        let home = Home { directory, version: site.version };
        let Value::Object(mut job) = script::job(site, steps) else { unreachable!("a job is an object") };
        job.insert("home".to_owned(), json!(home.directory.path()));
        job.insert("log".to_owned(), json!(home.file("log")));
        let file = home.file("job.json");
        fs::write(&file, Value::Object(job).to_string()).unwrap();
        let script = format!("{}/clients/filezilla_home.py", env!("CARGO_MANIFEST_DIR"));
        tools::run_in(home.directory.path(), "python3", &[&script, file.to_str().unwrap()]).succeeded();
        // FileZilla can't be told to leave TLS 1.3 alone, but GnuTLS can.
        fs::write(home.file("gnutls"), "[overrides]\ndisabled-version = tls1.3\n").unwrap();
        home
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// A program on this screen, silent, without the desktop that this test may have been started on.
    fn command(&self, program: &str, screen: &Screen) -> Command {
        let mut command = tools::command_in(self.directory.path(), program);
        command.env("DISPLAY", &screen.display).env("GDK_BACKEND", "x11").env("NO_AT_BRIDGE", "1");
        for variable in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY"] {
            command.env_remove(variable);
        }
        if self.version == Some(Version::Tls12) {
            command.env("GNUTLS_SYSTEM_PRIORITY_FILE", self.file("gnutls"));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// A screen that nobody sees.
struct Screen {
    display: String,
    _server: Ended,
}

impl Screen {
    fn start(directory: &Path) -> Screen {
        let mut command = tools::command_in(directory, "Xvfb");
        // Without -noreset it would begin anew, and turn others away, when its first client has gone.
        command.args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().expect("./tests/run installs Xvfb");
        // The server says which number was free once it can be used.
        let lines = Lines::follow(server.stdout.take().unwrap());
        let server = Ended(server);
        let number = lines.wait_for(PATIENCE, |lines| lines.first().cloned()).expect("Xvfb has a display");
        Screen { display: format!(":{}", number.trim()), _server: server }
    }
}

/// A child process that ends with what it was needed for.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
