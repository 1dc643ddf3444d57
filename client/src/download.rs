//! One file from a server to here.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    names::{last_part, local_name, shown},
    part::{Part, Version},
    progress::Meter,
    remote::{Ending, Remote},
};

/// Where a file from the server goes: what was named, or into the directory that was named, under
/// its own name.
pub(crate) fn destination(path: &[u8], local: Option<&Path>) -> Result<PathBuf, Failure> {
    let directory = match local {
        Some(local) if !local.is_dir() => return Ok(local.to_owned()),
        Some(directory) => directory,
        None => Path::new(""),
    };
    let name = last_part(path);
    match local_name(name) {
        Some(name) => Ok(directory.join(name)),
        None => Err(Failure::Usage(format!("'{}' can't be a file's name here; name a file", shown(path)))),
    }
}

/// What is known of the file before it is fetched.
pub(crate) fn version(remote: &mut dyn Remote, path: &[u8]) -> Result<Version, Failure> {
    Ok(Version { size: remote.size(path)?, modified: remote.modified(path)? })
}

/// Fetches a file into `target`, which appears when it is whole.
pub(crate) fn download(
    remote: &mut dyn Remote,
    path: &[u8],
    target: &Path,
    version: Version,
    resume: bool,
    meter: &mut Meter,
) -> Result<(), Failure> {
    let mut part = Part::open(target, version, resume)?;
    match fetch(remote, path, &mut part, version, meter) {
        Ok(()) => part.finish(version.modified),
        Err(failure) => {
            part.leave();
            Err(failure)
        }
    }
}

fn fetch(
    remote: &mut dyn Remote,
    path: &[u8],
    part: &mut Part,
    version: Version,
    meter: &mut Meter,
) -> Result<(), Failure> {
    if part.length() > 0 && version.size == Some(part.length()) {
        return Ok(());
    }
    let begin = part.length();
    meter.start_at(begin);
    let mut take = |part: &mut Part, remote: &mut dyn Remote, offset| {
        remote.retrieve(path, offset, &mut |bytes| {
            meter.add(bytes.len());
            part.write(bytes)
        })
    };
    let ending = match take(part, remote, begin) {
        // A server that knows no REST has sent nothing.
        Err(Failure::Refused { answer, .. }) if begin > 0 && answer.is_unknown_command() => {
            part.restart()?;
            take(part, remote, 0)?
        }
        other => other?,
    };
    check(path, part, version, ending)
}

/// Whether what came is all of it.
fn check(path: &[u8], part: &Part, version: Version, ending: Ending) -> Result<(), Failure> {
    match version.size {
        Some(size) if size != part.length() => Err(Failure::Incomplete(format!(
            "{}: {} of {size} bytes came; they are kept in {}",
            shown(path),
            part.length(),
            part.path().display()
        ))),
        None if ending == Ending::BrokenOff => Err(Failure::Incomplete(format!(
            "{}: the file may be cut off: its TLS connection ended without close_notify; what came is kept in {}",
            shown(path),
            part.path().display()
        ))),
        _ => Ok(()),
    }
}

/// Prints a file to standard output, without a part; so it can't be resumed.
pub(crate) fn print(remote: &mut dyn Remote, path: &[u8], meter: &mut Meter) -> Result<(), Failure> {
    let size = remote.size(path)?;
    let mut out = io::stdout().lock();
    let unwritten = |error| Failure::Local { path: "standard output".into(), error };
    let mut count = 0;
    let ending = remote.retrieve(path, 0, &mut |bytes| {
        meter.add(bytes.len());
        count += bytes.len() as u64;
        out.write_all(bytes).map_err(unwritten)
    })?;
    out.flush().map_err(unwritten)?;
    let whole = size.map_or(ending != Ending::BrokenOff, |size| size == count);
    if whole { Ok(()) } else { Err(Failure::Incomplete(format!("{}: only {count} bytes came", shown(path)))) }
}
