//! The table: for each row the median of every server, ours against the best other one and against
//! the floor. Ratios are medians of the ratios inside a round, since a machine's speed drifts.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::rows::{ALL, Row, Unit};
use crate::servers::Server;

/// Our own name in the table.
const OURS: &str = "wharfinger";
/// The floor's.
pub(crate) const FLOOR: &str = "floor";

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) row: &'static str,
    pub(crate) server: &'static str,
    pub(crate) round: u32,
    pub(crate) figure: f64,
    pub(crate) wall_seconds: f64,
    /// GiB, thousands of operations, or runs.
    pub(crate) amount: f64,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) versions: BTreeMap<&'static str, String>,
    pub(crate) rounds: u32,
    pub(crate) samples: Vec<Sample>,
    /// Which servers could not do which rows in one round or in two, and why.
    pub(crate) missing: BTreeMap<&'static str, BTreeMap<&'static str, Vec<String>>>,
}

impl Report {
    /// Of those who take part, before anything is measured.
    pub(crate) fn begin<'a>(servers: impl Iterator<Item = &'a Server>, rounds: u32) -> Self {
        let versions = servers.map(|server| (server.name, server.version.clone())).collect();
        Self { versions, rounds, samples: Vec::new(), missing: BTreeMap::new() }
    }

    /// As a table in Markdown.
    pub(crate) fn table(&self) -> String {
        let servers: Vec<_> = self.servers();
        let head = format!("| row | unit | {} | best other | ratio | bar |\n", servers.join(" | "));
        let rule = format!("|---|---|{}---|---|---|\n", "---|".repeat(servers.len()));
        let measured = ALL.iter().filter(|row| self.samples.iter().any(|sample| sample.row == row.name));
        [head, rule].into_iter().chain(measured.map(|row| self.line(row, &servers))).collect()
    }

    fn line(&self, row: &Row, servers: &[&'static str]) -> String {
        let figures: Vec<_> = servers.iter().map(|server| (*server, self.median(row.name, server))).collect();
        let others = figures.iter().filter(|(server, _)| *server != OURS && *server != FLOOR);
        let best = others.filter_map(|(server, figure)| figure.map(|figure| (*server, figure)));
        let best = best.min_by(|one, other| one.1.total_cmp(&other.1));
        let ratio = best.and_then(|(server, _)| self.ratio(row.name, server));
        let cells: Vec<_> = figures.iter().map(|(_, figure)| figure.map_or("–".to_owned(), number)).collect();
        let verdict = match ratio {
            Some(ratio) if ratio <= row.bar => format!("{ratio:.2}"),
            Some(ratio) => format!("**{ratio:.2}**"),
            None => "–".to_owned(),
        };
        format!(
            "| {} | {} | {} | {} | {verdict} | {:.2} |\n",
            row.name,
            unit(row.unit),
            cells.join(" | "),
            best.map_or("–", |(server, _)| server),
            row.bar,
        )
    }

    fn servers(&self) -> Vec<&'static str> {
        let mut servers = Vec::new();
        for sample in &self.samples {
            if !servers.contains(&sample.server) {
                servers.push(sample.server);
            }
        }
        servers
    }

    fn median(&self, row: &str, server: &str) -> Option<f64> {
        median(self.of(row, server).map(|sample| sample.figure).collect())
    }

    /// Ours divided by another's, round by round.
    fn ratio(&self, row: &str, other: &str) -> Option<f64> {
        let pairs = self.of(row, OURS).filter_map(|ours| {
            let theirs = self.of(row, other).find(|theirs| theirs.round == ours.round)?;
            (theirs.figure > 0.0).then_some(ours.figure / theirs.figure)
        });
        median(pairs.collect())
    }

    fn of<'a>(&'a self, row: &'a str, server: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.row == row && sample.server == server)
    }
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let (low, high) = (figures.len().checked_sub(1)? / 2, figures.len() / 2);
    Some(f64::midpoint(*figures.get(low)?, *figures.get(high)?))
}

/// Three digits that count.
fn number(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure if figure >= 1.0 => format!("{figure:.2}"),
        figure => format!("{figure:.3}"),
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::CpuPerGib => "CPU s/GiB",
        Unit::CpuPerThousand => "CPU s/1000",
        Unit::CpuMilliseconds => "CPU ms",
        Unit::KibPerSession => "PSS KiB",
        Unit::Microseconds => "p99 µs",
    }
}
