//! Two directories compared, one of them on a server: what has to be copied from one to the other.

use std::{
    fmt, fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::{
    failure::Failure,
    names::{join, local_name, shown},
    part::{self, Version},
    remote::{Entry, Kind, Remote},
};

/// A file to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) local: PathBuf,
    pub(crate) remote: Vec<u8>,
    pub(crate) version: Version,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) jobs: Vec<Job>,
    /// Files that are the same already.
    pub(crate) same: usize,
    /// What is left out, and why.
    pub(crate) skipped: Vec<String>,
}

/// Deeper trees are no trees: a server can invent directories without end.
const DEEPEST: usize = 64;

/// What has to come from the server, with the local directories made for it.
pub(crate) fn plan_download(remote: &mut dyn Remote, from: &[u8], to: &Path) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    let mut open = vec![(from.to_vec(), to.to_owned(), 0)];
    while let Some((from, to, depth)) = open.pop() {
        make_directory(&to)?;
        for entry in remote.list(&from)? {
            let path = join(&from, &entry.name);
            let Some(name) = local_name(&entry.name) else {
                return Err(Failure::Protocol(format!(
                    "the server sent a name that leads out of the directory: {}",
                    shown(&entry.name)
                )));
            };
            let local = to.join(name);
            if part::is_name(&entry.name) {
                plan.skipped.push(unfinished(&shown(&path)));
                continue;
            }
            match entry.kind {
                Kind::Directory if depth >= DEEPEST => return Err(too_deep(&path)),
                Kind::Directory => open.push((path, local, depth + 1)),
                Kind::File => plan.take(remote, &entry, path, local)?,
                Kind::Other => plan.skipped.push(format!("{}: neither a file nor a directory", shown(&path))),
            }
        }
    }
    Ok(plan)
}

/// What has to go to the server, with the directories made there for it.
pub(crate) fn plan_upload(remote: &mut dyn Remote, from: &Path, to: &[u8]) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    let mut open = vec![(from.to_owned(), to.to_vec(), 0)];
    while let Some((from, to, depth)) = open.pop() {
        let there = list_or_make(remote, &to)?;
        for entry in sorted_entries(&from)? {
            let metadata = entry.metadata().map_err(|error| failed(&entry.path(), error))?;
            let (local, name) = (entry.path(), entry.file_name());
            let path = join(&to, name.as_bytes());
            if part::is_name(name.as_bytes()) {
                plan.skipped.push(unfinished(&local.display()));
            } else if metadata.is_dir() && depth >= DEEPEST {
                return Err(too_deep(&path));
            } else if metadata.is_dir() {
                open.push((local, path, depth + 1));
            } else if metadata.is_file() {
                let here = Version { size: Some(metadata.len()), modified: modified(&metadata) };
                let other = there.iter().find(|entry| entry.name == name.as_bytes());
                plan.give(remote, other, Job { local, remote: path, version: here })?;
            } else {
                plan.skipped.push(format!("{}: neither a file nor a directory", local.display()));
            }
        }
    }
    Ok(plan)
}

impl Plan {
    /// Whether a file on the server has to be fetched.
    fn take(
        &mut self,
        remote: &mut dyn Remote,
        entry: &Entry,
        path: Vec<u8>,
        local: PathBuf,
    ) -> Result<(), Failure> {
        let there = known(remote, entry, &path)?;
        let here = match fs::symlink_metadata(&local) {
            Ok(metadata) if metadata.is_file() => {
                Some(Version { size: Some(metadata.len()), modified: modified(&metadata) })
            }
            Ok(_) => {
                self.skipped.push(format!("{}: something else has this name here", local.display()));
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&local, error)),
        };
        self.decide(there, here, Job { local, remote: path, version: there });
        Ok(())
    }

    /// Whether a file here has to be sent.
    fn give(&mut self, remote: &mut dyn Remote, there: Option<&Entry>, job: Job) -> Result<(), Failure> {
        let there = match there {
            Some(entry) if entry.kind == Kind::File => Some(known(remote, entry, &job.remote)?),
            Some(_) => {
                self.skipped.push(format!("{}: something else has this name there", shown(&job.remote)));
                return Ok(());
            }
            None => None,
        };
        self.decide(job.version, there, job);
        Ok(())
    }

    fn decide(&mut self, source: Version, target: Option<Version>, job: Job) {
        if target.is_some_and(|target| is_same(source, target)) {
            self.same += 1;
        } else {
            self.jobs.push(job);
        }
    }
}

/// Of the same size, and the source is not newer. Servers tell whole seconds.
fn is_same(source: Version, target: Version) -> bool {
    let newer = match (source.modified, target.modified) {
        (Some(source), Some(target)) => source.as_second() > target.as_second(),
        _ => false,
    };
    source.size == target.size && !newer
}

/// Size and time of a file there: a list may not have them, or have them in whole minutes.
fn known(remote: &mut dyn Remote, entry: &Entry, path: &[u8]) -> Result<Version, Failure> {
    let exact = entry.modified.filter(|time| time.as_second() % 60 != 0);
    Ok(Version {
        size: entry.size.map_or_else(|| remote.size(path), |size| Ok(Some(size)))?,
        modified: exact
            .map_or_else(|| Ok(remote.modified(path)?.or(entry.modified)), |time| Ok(Some(time)))?,
    })
}

fn list_or_make(remote: &mut dyn Remote, path: &[u8]) -> Result<Vec<Entry>, Failure> {
    match remote.list(path) {
        Err(Failure::Refused { .. }) if !path.is_empty() => {
            remote.make_directory(path.strip_suffix(b"/").unwrap_or(path))?;
            remote.list(path)
        }
        // vsftpd gives an empty list of what isn't there; a refusal means that it is.
        Ok(list) if list.is_empty() && !path.is_empty() => {
            match remote.make_directory(path.strip_suffix(b"/").unwrap_or(path)) {
                Ok(()) | Err(Failure::Refused { .. }) => Ok(list),
                Err(failure) => Err(failure),
            }
        }
        list => list,
    }
}

/// A directory of our own making or one that is there; never a link, which leads elsewhere.
fn make_directory(path: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(failed(path, io::Error::other("is in the way: it is not a directory"))),
        Err(_) => fs::create_dir_all(path).map_err(|error| failed(path, error)),
    }
}

fn sorted_entries(path: &Path) -> Result<Vec<fs::DirEntry>, Failure> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|error| failed(path, error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

fn modified(metadata: &fs::Metadata) -> Option<Timestamp> {
    metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok())
}

fn failed(path: &Path, error: io::Error) -> Failure {
    Failure::Local { path: path.to_owned(), error }
}

/// A part is of use to whoever left it only.
fn unfinished(path: &dyn fmt::Display) -> String {
    format!("{path}: a transfer that is not finished")
}

fn too_deep(path: &[u8]) -> Failure {
    Failure::Protocol(format!("{}: directories lie deeper than {DEEPEST} levels", shown(path)))
}
