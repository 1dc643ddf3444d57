//! One of the project's programs as a child process: started from the build's own folder with an
//! environment made for it, its log followed, ended with the test that started it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::lines::Lines;

/// Long enough for a slow machine that compiles beside it; nothing waits this long in the good case.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The environment a program is started with.
pub type Environment = BTreeMap<String, String>;

/// A running program; dropping it ends it.
pub struct Program {
    name: String,
    child: Child,
    /// Its standard output.
    pub out: Lines,
    /// Its standard error: the log, one JSON object a line.
    pub log: Lines,
}

/// What is left of a program that has ended.
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub out: String,
    /// All of its standard error.
    pub err: String,
}

impl Program {
    /// Starts a program of this project in `directory`.
    pub fn start(name: &str, arguments: &[&str], directory: &Path, environment: &Environment) -> Program {
        Program::start_under(&[], name, arguments, directory, environment)
    }

    /// The same under another program, such as `prlimit --nofile=64`, which has to become this one.
    pub fn start_under(
        under: &[String],
        name: &str,
        arguments: &[&str],
        directory: &Path,
        environment: &Environment,
    ) -> Program {
        let mut command = under_command(under, name);
        // A setting of whoever runs the tests must not reach the program under test.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("WHARFINGER_") {
                command.env_remove(variable);
            }
        }
        let mut child = command
            .args(arguments)
            .current_dir(directory)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
        let out = Lines::follow(child.stdout.take().unwrap());
        let log = Lines::follow(child.stderr.take().unwrap());
        Program { name: name.to_owned(), child, out, log }
    }

    /// Waits until the service ("ftp" or "admin") listens at `count` addresses, and returns them.
    pub fn addresses(&self, service: &str, count: usize) -> Vec<SocketAddr> {
        let found = self.log.wait_for(PATIENCE, |lines| {
            let addresses: Vec<_> = lines.iter().filter_map(|line| listening(line, service)).collect();
            (addresses.len() >= count).then_some(addresses)
        });
        found.unwrap_or_else(|| panic!("{} never listened as {service}:\n{}", self.name, self.log.text()))
    }

    /// Waits for an event of the log whose line holds every one of these texts (in any case).
    pub fn logs(&self, texts: &[&str]) {
        let found = self.log.wait_for(PATIENCE, |lines| {
            let mut lower = lines.iter().map(|line| line.to_lowercase());
            lower.any(|line| texts.iter().all(|text| line.contains(text))).then_some(())
        });
        assert!(found.is_some(), "{} never logged {texts:?}:\n{}", self.name, self.log.text());
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Begins to look for its largest memory anew; what it takes now, in bytes.
    pub fn begin_measuring_memory(&self) -> u64 {
        std::fs::write(self.kept_by_the_kernel("clear_refs"), "5").unwrap();
        self.peak_memory()
    }

    /// The most memory it has taken since it was begun to be measured, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.memory("VmHWM")
    }

    /// Its number.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> u64 {
        std::fs::read_dir(self.kept_by_the_kernel("fd")).unwrap().count() as u64
    }

    /// How long it has computed, on all cores together.
    pub fn time_computed(&self) -> Duration {
        let line = std::fs::read_to_string(self.kept_by_the_kernel("stat")).unwrap();
        let fields: Vec<&str> = line.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
    }

    /// This line of its `status`, such as `VmHWM`, in bytes.
    pub fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(self.kept_by_the_kernel("status")).unwrap();
        let line = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':')).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// How many of its descriptors are of this file.
    pub fn times_open(&self, file: &Path) -> usize {
        self.open_files().iter().filter(|open| *open == file).count()
    }

    /// How many of its connections lead to this port.
    pub fn connections_to(&self, port: u16) -> usize {
        let own = self.open_files();
        let port = format!(":{port:04X}");
        let all = std::fs::read_to_string(self.kept_by_the_kernel("net/tcp")).unwrap();
        // Local address, remote address, state; the tenth is the number under which it is a descriptor.
        let all = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let there = all.filter(|words| words[2].ends_with(&port) && words[3] == "01");
        there.filter(|words| own.contains(&PathBuf::from(format!("socket:[{}]", words[9])))).count()
    }

    /// What its descriptors are of.
    fn open_files(&self) -> Vec<PathBuf> {
        let open = std::fs::read_dir(self.kept_by_the_kernel("fd")).unwrap();
        // One may be closed while they are read.
        open.filter_map(|descriptor| std::fs::read_link(descriptor.ok()?.path()).ok()).collect()
    }

    fn kept_by_the_kernel(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }

    /// Ends it as a crash would (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it that its terminal has gone (SIGHUP).
    pub fn hang_up(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    /// Asks it to stop (SIGTERM).
    pub fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub fn stop(mut self) -> Ended {
        self.terminate();
        self.wait()
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until it ends by itself.
    pub fn end(mut self) -> Ended {
        self.wait()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> Ended {
        let closed = self.log.wait_for_end(PATIENCE) && self.out.wait_for_end(PATIENCE);
        assert!(closed, "{} does not end:\n{}", self.name, self.log.text());
        let status: ExitStatus = self.child.wait().unwrap();
        Ended { code: status.code(), out: self.out.text(), err: self.log.text() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}\n{}\n---", self.name, self.out.text(), self.log.text());
        }
    }
}

fn under_command(under: &[String], name: &str) -> Command {
    let Some((first, rest)) = under.split_first() else { return Command::new(built(name)) };
    let mut command = Command::new(first);
    command.args(rest).arg(built(name));
    command
}

/// The program as `cargo build` left it, beside the folder of the running test.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.is_file(), "{} is missing: run cargo build --workspace first", path.display());
    path
}

fn listening(line: &str, service: &str) -> Option<SocketAddr> {
    let event: Value = serde_json::from_str(line).ok()?;
    let matches = event["message"] == "listening" && event["service"] == service;
    if matches { event["address"].as_str()?.parse().ok() } else { None }
}
