//! A directory copied with all below it, to a server or from one: what is new or changed, over one
//! connection or several. Nothing is ever removed.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

use crate::{
    download,
    failure::Failure,
    names::shown,
    progress::Progress,
    remote::Remote,
    session::Session,
    site::Site,
    tree::{self, Job, Plan},
    upload::{self, Cargo, Resume, Way},
};

/// Which way the files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the server.
    Down,
    /// To the server.
    Up,
}

/// How it is done.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) direction: Direction,
    pub(crate) resume: bool,
    pub(crate) direct: bool,
    pub(crate) retries: u32,
    pub(crate) parallel: usize,
    pub(crate) progress: Progress,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) copied: usize,
    pub(crate) bytes: u64,
    pub(crate) same: usize,
    pub(crate) skipped: Vec<String>,
    /// Each with what it concerns; the first one decides the exit code.
    pub(crate) failures: Vec<Failure>,
}

/// What the other directory lacks.
pub(crate) fn plan(
    remote: &mut dyn Remote,
    local: &Path,
    path: &[u8],
    direction: Direction,
) -> Result<Plan, Failure> {
    match direction {
        Direction::Down => tree::plan_download(remote, path, local),
        Direction::Up => tree::plan_upload(remote, local, path),
    }
}

/// Copies it, each file over a connection of one of several workers.
pub(crate) fn run(site: &Site, local: &Path, manner: &Manner) -> Result<Outcome, Failure> {
    let mut session = Session::new(site, manner.retries, &manner.progress);
    let plan = session.run(|remote, _| plan(remote, local, &site.target.path, manner.direction))?;
    let workers = manner.parallel.min(plan.jobs.len()).max(1);
    let outcome = Outcome { same: plan.same, skipped: plan.skipped, ..Outcome::default() };
    let shared = Shared { jobs: Mutex::new(plan.jobs.into_iter()), outcome: Mutex::new(outcome) };
    thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(|| shared.work(Session::new(site, manner.retries, &manner.progress), manner));
        }
        shared.work(session, manner);
    });
    Ok(shared.outcome.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What the workers share.
struct Shared {
    jobs: Mutex<std::vec::IntoIter<Job>>,
    outcome: Mutex<Outcome>,
}

impl Shared {
    /// Takes one job after another. A file that fails does not stop the others, unless nothing
    /// can go on.
    fn work(&self, mut session: Session<'_>, manner: &Manner) {
        while let Some(job) = self.next() {
            let mut bytes = 0;
            let mut copying = Copying::new(&job);
            let result = session.run(|remote, again| {
                bytes = copying.run(remote, manner.direction, manner.way(again), &manner.progress)?;
                Ok(())
            });
            let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(()) => {
                    outcome.copied += 1;
                    outcome.bytes += bytes;
                }
                Err(failure) => {
                    let over = failure.breaks_connection() || matches!(failure, Failure::Interrupted);
                    outcome.failures.push(failure);
                    if over {
                        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
                    }
                }
            }
        }
    }

    fn next(&self) -> Option<Job> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

impl Manner {
    /// How a file is copied, at first or in another attempt.
    fn way(&self, again: bool) -> Way {
        let resume = match (self.resume, again) {
            (true, _) => Resume::Wanted,
            (false, true) => Resume::IfKnown,
            (false, false) => Resume::Never,
        };
        Way { direct: self.direct, resume }
    }
}

/// One file on its way, over as many attempts as it takes.
pub(crate) struct Copying<'a> {
    job: &'a Job,
    /// Opened once, so that all attempts are of the same file.
    cargo: Option<Cargo>,
}

impl<'a> Copying<'a> {
    pub(crate) fn new(job: &'a Job) -> Copying<'a> {
        Copying { job, cargo: None }
    }

    /// Copies the file and gives it the time of its source; says how many bytes that took.
    pub(crate) fn run(
        &mut self,
        remote: &mut dyn Remote,
        direction: Direction,
        way: Way,
        progress: &Progress,
    ) -> Result<u64, Failure> {
        let job = self.job;
        let mut meter = progress.begin(&shown(&job.remote), job.version.size);
        match direction {
            Direction::Down => {
                // A part here always tells of which version it is.
                let resume = way.resume != Resume::Never;
                download::download(remote, &job.remote, &job.local, job.version, resume, &mut meter)?;
            }
            Direction::Up => {
                let cargo = match &mut self.cargo {
                    Some(cargo) => cargo,
                    none => none.insert(Cargo::open(&job.local)?),
                };
                upload::upload(remote, cargo, &job.remote, way, &mut meter)?;
                if let Some(time) = cargo.modified {
                    remote.set_modified(&job.remote, time)?;
                }
            }
        }
        Ok(meter.bytes())
    }
}
