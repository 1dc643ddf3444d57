//! The driver of bench/run: starts every server, runs every row for each of them round by round, and
//! prints one table. It measures what a server uses, not what the load generator does.

mod client;
mod floor;
mod place;
mod report;
mod rows;
mod servers;
mod tls;
mod usage;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use clap::Parser;

use place::{Place, Programs};
use report::{FLOOR, Report, Sample};
use rows::{Load, Row, Unit, Work};
use servers::{Recipe, Server};
use tls::Trust;

/// Measures Wharfinger side by side with other servers; bench/run prepares what it needs
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Run and print the table
    Run(Run),
    /// Move bytes without FTP (started by `run`)
    #[command(hide = true)]
    Floor { files: PathBuf, certificate: PathBuf, key: PathBuf },
}

#[derive(clap::Args)]
struct Run {
    #[command(flatten)]
    programs: Programs,
    /// How often each row is run for each server; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Only rows whose name contains one of these
    #[arg(long, value_name = "TEXT")]
    row: Vec<String>,
    /// Only these servers; ours is always among them
    #[arg(long, value_name = "NAME")]
    server: Vec<String>,
    /// A directory on a file system in memory, with 2 GiB to spare
    #[arg(long, default_value = "/dev/shm")]
    memory: PathBuf,
    /// Where the figures are written as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Floor { files, certificate, key } => floor::serve(&files, &certificate, &key),
        Command::Run(run) => measure(&run),
    }
}

fn measure(run: &Run) -> anyhow::Result<()> {
    let place = Place::make(&run.memory, run.programs.clone())?;
    let trust = Trust::of(&place.certificate)?;
    let floor = floor::Process::start(&place)?;
    let wanted = servers::ALL.iter().filter(|recipe| run.wants(recipe));
    let mut running: Vec<(&Recipe, Server)> =
        wanted.map(|recipe| Ok((recipe, recipe.start(&place)?))).collect::<anyhow::Result<_>>()?;
    let mut report = Report::begin(running.iter().map(|(_, server)| server), run.rounds);
    for round in 1..=run.rounds {
        for row in rows::ALL.iter().filter(|row| run.names(row)) {
            eprint!("round {round} of {}: {}:", run.rounds, row.name);
            for (recipe, server) in &mut running {
                let begun = Instant::now();
                if row.fresh {
                    server.restart(recipe, &place)?;
                }
                measure_row(&mut report, row, server, recipe, &trust, round);
                place.clear_uploads()?;
                eprint!(" {} {:.1} s", server.name, begun.elapsed().as_secs_f64());
            }
            eprintln!();
            if let Some(kind) = row.floor {
                let work = floor.run(kind, &trust)?;
                report.samples.push(sample(row, FLOOR, round, &work));
                place.clear_uploads()?;
            }
            // Whoever interrupts a long run keeps what was measured.
            if let Some(path) = &run.json {
                std::fs::write(path, serde_json::to_vec_pretty(&report)?)
                    .with_context(|| path.display().to_string())?;
            }
        }
    }
    for (server, rows) in &report.missing {
        for (row, why) in rows {
            eprintln!("not measured: {server}, {row}: {}", why.join("; "));
        }
    }
    println!("{}", report.table());
    Ok(())
}

/// What a server could not do twice, it isn't asked again.
fn measure_row(report: &mut Report, row: &Row, server: &Server, recipe: &Recipe, trust: &Trust, round: u32) {
    let failures = report.missing.get(server.name).and_then(|rows| rows.get(row.name));
    if failures.is_some_and(|failures| failures.len() >= 2) {
        return;
    }
    let load = Load { target: &server.target, trust, group: &server.group };
    let done = if row.crowded && recipe.forks {
        Err(anyhow!("thousands of processes do not fit"))
    } else {
        row.run(&load)
    };
    match done {
        Ok(work) => report.samples.push(sample(row, server.name, round, &work)),
        Err(error) => {
            let rows = report.missing.entry(server.name).or_default();
            rows.entry(row.name).or_default().push(format!("{error:#}"));
        }
    }
}

fn sample(row: &Row, server: &'static str, round: u32, work: &Work) -> Sample {
    let cpu = work.spent.cpu;
    let per_unit = match row.unit {
        Unit::CpuMilliseconds => cpu.as_secs_f64() * 1000.0,
        _ => cpu.as_secs_f64() / work.amount,
    };
    let figure = work.figure.unwrap_or(per_unit);
    Sample {
        row: row.name,
        server,
        round,
        figure,
        wall_seconds: work.spent.wall.as_secs_f64(),
        amount: work.amount,
    }
}

impl Run {
    fn names(&self, row: &Row) -> bool {
        self.row.is_empty() || self.row.iter().any(|text| row.name.contains(text.as_str()))
    }

    fn wants(&self, recipe: &Recipe) -> bool {
        recipe.name == "wharfinger"
            || self.server.is_empty()
            || self.server.iter().any(|name| name == recipe.name)
    }
}
