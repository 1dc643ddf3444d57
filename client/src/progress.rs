//! How far a transfer is: a bar on a terminal, nothing elsewhere.

use std::{
    io::{self, IsTerminal as _},
    time::Instant,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Where bars are drawn, if anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Option<MultiProgress>);

/// One transfer's bar and counts.
#[derive(Debug)]
pub(crate) struct Meter {
    bar: Option<ProgressBar>,
    begin: Instant,
    bytes: u64,
}

impl Progress {
    /// Bars on standard error, if it is a terminal and nobody wants quiet.
    pub(crate) fn new(wanted: bool) -> Progress {
        Progress((wanted && io::stderr().is_terminal()).then(MultiProgress::new))
    }

    /// Begins a transfer of `size` bytes, as far as that is known.
    pub(crate) fn begin(&self, name: &str, size: Option<u64>) -> Meter {
        let bar = self.0.as_ref().map(|all| {
            let bar = all.add(size.map_or_else(ProgressBar::no_length, ProgressBar::new));
            bar.set_style(style(size.is_some()));
            bar.set_message(name.to_owned());
            bar
        });
        Meter { bar, begin: Instant::now(), bytes: 0 }
    }

    /// Prints a line to standard error, above the bars.
    pub(crate) fn warn(&self, line: &str) {
        match &self.0 {
            Some(all) => all.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }
}

impl Meter {
    /// The file's first `offset` bytes are there already.
    pub(crate) fn start_at(&mut self, offset: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(offset);
        }
    }

    /// So many bytes more.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if let Some(bar) = &self.bar {
            bar.inc(bytes as u64);
        }
    }

    /// Bytes moved, all attempts together.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Since the beginning.
    pub(crate) fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(sized: bool) -> ProgressStyle {
    let template = if sized {
        "{msg:30!} {wide_bar} {bytes:>11}/{total_bytes:11} {bytes_per_sec:>12} {eta:>5}"
    } else {
        "{msg:30!} {spinner} {bytes:>11} {bytes_per_sec:>12}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
