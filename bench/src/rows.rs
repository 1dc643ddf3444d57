//! What is measured: the rows of the table, each run for one server at a time. A row says how much
//! work it did; the driver sees what the server used for it.

mod concurrent;
mod sessions;

use anyhow::ensure;

use crate::client::Protection::{self, Plain, Tls};
use crate::client::{Session, Target};
use crate::floor::Floor;
use crate::place::{GIB, MIB, SMALL, SMALL_FILES};
use crate::tls::Trust;
use crate::usage::{Group, Spent};

/// One row, for one server.
pub(crate) struct Load<'a> {
    pub(crate) target: &'a Target,
    pub(crate) trust: &'a Trust,
    pub(crate) group: &'a Group,
}

/// What a row's figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) enum Unit {
    /// Server CPU seconds for each GiB.
    CpuPerGib,
    /// Server CPU seconds for each 1,000 operations.
    CpuPerThousand,
    /// Server CPU milliseconds for the whole.
    CpuMilliseconds,
    /// KiB of memory (PSS) for each idle session.
    KibPerSession,
    /// Microseconds, 99th percentile.
    Microseconds,
}

/// What was done, once everybody had logged in.
pub(crate) struct Work {
    pub(crate) spent: Spent,
    /// GiB, thousands, or 1, by the unit.
    pub(crate) amount: f64,
    /// The figure itself, for rows that measure no CPU.
    pub(crate) figure: Option<f64>,
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// The most that our figure may be, as a multiple of the best other server's.
    pub(crate) bar: f64,
    /// What the same bytes cost without FTP.
    pub(crate) floor: Option<Floor>,
    /// Whether thousands of sessions stay open, which a server with a process for each can't hold here.
    pub(crate) crowded: bool,
    /// Whether the server is started anew: what it has freed before would hide what it takes.
    pub(crate) fresh: bool,
    run: fn(&Load<'_>) -> anyhow::Result<Work>,
}

impl Row {
    pub(crate) fn run(&self, load: &Load<'_>) -> anyhow::Result<Work> {
        (self.run)(load)
    }

    const fn above(mut self, floor: Floor) -> Self {
        self.floor = Some(floor);
        self
    }

    const fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    const fn crowded(mut self) -> Self {
        self.crowded = true;
        self
    }
}

const fn row(name: &'static str, unit: Unit, bar: f64, run: fn(&Load<'_>) -> anyhow::Result<Work>) -> Row {
    Row { name, unit, bar, floor: None, crowded: false, fresh: false, run }
}

/// Every row, in the order of the table.
pub(crate) const ALL: [Row; 30] = [
    row("RETR 1 GiB, plain", Unit::CpuPerGib, 1.05, |load| retrieve_large(load, Plain))
        .above(Floor::Sendfile),
    row("STOR 512 MiB, plain", Unit::CpuPerGib, 0.85, |load| store_large(load, Plain)).above(Floor::Receive),
    row("RETR 1 GiB, TLS", Unit::CpuPerGib, 0.70, |load| retrieve_large(load, Tls)).above(Floor::Encrypt),
    row("STOR 512 MiB, TLS", Unit::CpuPerGib, 0.80, |load| store_large(load, Tls)).above(Floor::Decrypt),
    row("64 x RETR 16 MiB, plain", Unit::CpuPerGib, 1.0, |load| concurrent::retrieve(load, Plain, 64, "16m")),
    row("64 x RETR 16 MiB, TLS", Unit::CpuPerGib, 0.70, |load| concurrent::retrieve(load, Tls, 64, "16m")),
    row("RETR 4 KiB, plain, 1 session", Unit::CpuPerThousand, 1.0, |load| {
        concurrent::small(load, Plain, 1, false)
    }),
    row("RETR 4 KiB, plain, 8 sessions", Unit::CpuPerThousand, 1.0, |load| {
        concurrent::small(load, Plain, 8, false)
    }),
    row("STOR 4 KiB, plain, 1 session", Unit::CpuPerThousand, 1.0, |load| {
        concurrent::small(load, Plain, 1, true)
    }),
    row("STOR 4 KiB, plain, 8 sessions", Unit::CpuPerThousand, 1.0, |load| {
        concurrent::small(load, Plain, 8, true)
    }),
    row("RETR 4 KiB, TLS, 1 session", Unit::CpuPerThousand, 0.6, |load| {
        concurrent::small(load, Tls, 1, false)
    })
    .above(Floor::Shake),
    row("RETR 4 KiB, TLS, 8 sessions", Unit::CpuPerThousand, 0.6, |load| {
        concurrent::small(load, Tls, 8, false)
    }),
    row("STOR 4 KiB, TLS, 1 session", Unit::CpuPerThousand, 0.6, |load| {
        concurrent::small(load, Tls, 1, true)
    })
    .above(Floor::Shake),
    row("STOR 4 KiB, TLS, 8 sessions", Unit::CpuPerThousand, 0.6, |load| {
        concurrent::small(load, Tls, 8, true)
    }),
    row("LIST 10,000 entries", Unit::CpuMilliseconds, 0.8, |load| list(load, "LIST", "list10000")),
    row("LIST 100,000 entries", Unit::CpuMilliseconds, 0.8, |load| list(load, "LIST", "list100000")),
    row("MLSD 10,000 entries", Unit::CpuMilliseconds, 0.8, |load| list(load, "MLSD", "list10000")),
    row("MLSD 100,000 entries", Unit::CpuMilliseconds, 0.8, |load| list(load, "MLSD", "list100000")),
    row("login, plain", Unit::CpuPerThousand, 1.0, |load| sessions::logins(load, Plain)),
    row("login, TLS", Unit::CpuPerThousand, 1.0, |load| sessions::logins(load, Tls)),
    row("idle session, plain", Unit::KibPerSession, 6.0 / 4.9, |load| sessions::idle(load, Plain)).fresh(),
    row("idle session, TLS", Unit::KibPerSession, 0.8, |load| sessions::idle(load, Tls)).fresh(),
    row("NOOP beside 5,000 idle sessions", Unit::Microseconds, 1.0, sessions::noop_latency).crowded(),
    row("1 x RETR 1 MiB, plain", Unit::CpuPerGib, 1.15, |load| concurrent::growth(load, Plain, 1)),
    row("10 x RETR 1 MiB, plain", Unit::CpuPerGib, 1.15, |load| concurrent::growth(load, Plain, 10)),
    row("100 x RETR 1 MiB, plain", Unit::CpuPerGib, 1.15, |load| concurrent::growth(load, Plain, 100)),
    row("1000 x RETR 1 MiB, plain", Unit::CpuPerGib, 1.15, |load| concurrent::growth(load, Plain, 1000))
        .crowded(),
    row("10 x RETR 1 MiB, TLS", Unit::CpuPerGib, 1.15, |load| concurrent::growth(load, Tls, 10)),
    row("100 x RETR 1 MiB, TLS", Unit::CpuPerGib, 1.15, |load| concurrent::growth(load, Tls, 100)),
    row("1000 x RETR 1 MiB, TLS", Unit::CpuPerGib, 1.15, |load| concurrent::growth(load, Tls, 1000))
        .crowded(),
];

/// Bytes as GiB.
#[expect(clippy::cast_precision_loss, reason = "figures of a few digits")]
pub(crate) fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

fn retrieve_large(load: &Load<'_>, protection: Protection) -> anyhow::Result<Work> {
    let mut session = Session::open(load.target, protection, load.trust)?;
    let (got, spent) = load.group.spent(|| session.retrieve(&load.path("1g")))?;
    ensure!(got == GIB, "{got} bytes came");
    session.quit()?;
    Ok(Work { spent, amount: gib(got), figure: None })
}

fn store_large(load: &Load<'_>, protection: Protection) -> anyhow::Result<Work> {
    let mut session = Session::open(load.target, protection, load.trust)?;
    let (sent, spent) = load.group.spent(|| session.store(&load.path("up/large"), 512 * MIB))?;
    session.quit()?;
    Ok(Work { spent, amount: gib(sent), figure: None })
}

fn list(load: &Load<'_>, command: &str, directory: &str) -> anyhow::Result<Work> {
    let mut session = Session::open(load.target, Plain, load.trust)?;
    let command = format!("{command} {}", load.path(directory));
    let (got, spent) = load.group.spent(|| session.receive(&command))?;
    // Every line names its file.
    let least = if directory == "list10000" { 10_000 } else { 100_000 } * "file-000000.bin".len() as u64;
    ensure!(got >= least, "{got} bytes are no list of all");
    session.quit()?;
    Ok(Work { spent, amount: 1.0, figure: None })
}

impl Load<'_> {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.target.directory)
    }

    /// One of the small files, the same ones for every server.
    fn small_file(&self, number: u32) -> String {
        format!("{}/small/file-{:06}.bin", self.target.directory, number % SMALL_FILES)
    }

    fn small_size() -> u64 {
        SMALL
    }
}
