//! What a server has used: CPU seconds of all its processes, dead ones too, by a control group of its
//! own (cgroup v1 or v2); memory of the living ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How long a server may take to come to rest.
const REST: Duration = Duration::from_mins(1);
/// Time over which one at rest uses less CPU than this.
const GLANCE: Duration = Duration::from_millis(150);
const NEXT_TO_NOTHING: Duration = Duration::from_millis(1);

/// Groups made: a server started anew gets a new one.
static GROUPS: AtomicU32 = AtomicU32::new(0);

/// A control group in which one server runs.
pub(crate) struct Group {
    directory: PathBuf,
    version: Version,
}

/// Time on the wall, and CPU time of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

impl Group {
    /// Needs root, or a delegated group.
    pub(crate) fn create(name: &str) -> anyhow::Result<Self> {
        let (root, version) = if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
            ("/sys/fs/cgroup", Version::Two)
        } else if Path::new("/sys/fs/cgroup/cpuacct").exists() {
            ("/sys/fs/cgroup/cpuacct", Version::One)
        } else {
            bail!("no control groups with CPU accounting at /sys/fs/cgroup");
        };
        let number = GROUPS.fetch_add(1, Ordering::Relaxed);
        let directory = format!("wharfinger-bench-{}-{number}-{name}", std::process::id());
        let directory = Path::new(root).join(directory);
        fs::create_dir(&directory)
            .with_context(|| format!("the control group {} can't be made (as root?)", directory.display()))?;
        Ok(Self { directory, version })
    }

    /// A command whose process, and all it starts, belong to the group.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ >\"$0\" && exec \"$@\""]);
        command.arg(self.directory.join("cgroup.procs")).arg(program);
        command
    }

    /// CPU time used since the group was made, user and system.
    fn cpu(&self) -> anyhow::Result<Duration> {
        match self.version {
            Version::One => {
                let nanoseconds = fs::read_to_string(self.directory.join("cpuacct.usage"))?;
                Ok(Duration::from_nanos(nanoseconds.trim().parse()?))
            }
            Version::Two => {
                let stat = fs::read_to_string(self.directory.join("cpu.stat"))?;
                let micros = stat.lines().find_map(|line| line.strip_prefix("usage_usec "));
                Ok(Duration::from_micros(micros.context("no usage_usec in cpu.stat")?.parse()?))
            }
        }
    }

    /// What some work takes, from rest to rest: what is still done behind the last reply belongs to it,
    /// and what was done before does not.
    pub(crate) fn spent<T>(&self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Spent)> {
        self.rest()?;
        let (before, begun) = (self.cpu()?, Instant::now());
        let done = work()?;
        let wall = begun.elapsed();
        self.rest()?;
        Ok((done, Spent { wall, cpu: self.cpu()?.saturating_sub(before) }))
    }

    /// Waits until nothing is done any more: neither what began before, nor what is left to do behind
    /// the last reply.
    fn rest(&self) -> anyhow::Result<()> {
        let end = Instant::now() + REST;
        let mut before = self.cpu()?;
        while Instant::now() < end {
            std::thread::sleep(GLANCE);
            let now = self.cpu()?;
            if now.saturating_sub(before) < NEXT_TO_NOTHING {
                return Ok(());
            }
            before = now;
        }
        bail!("it does not come to rest");
    }

    /// Memory that only this server's processes keep in use, and their share of what they have in
    /// common with others (PSS), KiB.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        self.processes()?.iter().map(|pid| pss(pid)).sum()
    }

    /// Ends every process of the group.
    pub(crate) fn end(&self) -> anyhow::Result<()> {
        for _ in 0..500 {
            let processes = self.processes()?;
            if processes.is_empty() {
                return Ok(());
            }
            let pids = processes.iter().filter_map(|pid| pid.parse().ok());
            for pid in pids.filter_map(rustix::process::Pid::from_raw) {
                // It may have ended by itself in the meantime.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("processes of {} do not end", self.directory.display())
    }

    fn processes(&self) -> anyhow::Result<Vec<String>> {
        let pids = fs::read_to_string(self.directory.join("cgroup.procs"))?;
        Ok(pids.lines().map(str::to_owned).collect())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Err(error) = self.end().and_then(|()| fs::remove_dir(&self.directory).map_err(Into::into)) {
            eprintln!("the control group {} stays behind: {error}", self.directory.display());
        }
    }
}

fn pss(pid: &str) -> anyhow::Result<u64> {
    let Ok(rollup) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { return Ok(0) };
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no Pss in smaps_rollup")?;
    Ok(number.trim().parse()?)
}
