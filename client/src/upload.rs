//! One file from here to a server.
//!
//! No half file may stand under the final name. Servers that see to that themselves are given the
//! file under its own name; for any other it goes under another one first ([`staged`]).

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

use jiff::Timestamp;

use crate::{
    failure::Failure,
    names::{join, shown},
    part::Version,
    progress::Meter,
    remote::Remote,
};

mod staged;

/// A file here, about to be sent.
#[derive(Debug)]
pub(crate) struct Cargo {
    file: File,
    path: std::path::PathBuf,
    pub(crate) size: u64,
    pub(crate) modified: Option<Timestamp>,
    /// Whether the server has begun to store it, so that what it has of it is from here.
    begun: bool,
}

impl Cargo {
    /// Opens a regular file.
    pub(crate) fn open(path: &Path) -> Result<Cargo, Failure> {
        let failed = |error| Failure::Local { path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(io::Error::other("is not a file; directories are for mirror")));
        }
        let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        Ok(Cargo { file, path: path.to_owned(), size: metadata.len(), modified, begun: false })
    }

    fn version(&self) -> Version {
        Version { size: Some(self.size), modified: self.modified }
    }

    fn failure(&self, error: io::Error) -> Failure {
        Failure::Local { path: self.path.clone(), error }
    }
}

/// How a file is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// To its own name from the first byte, whatever the server shows of it meanwhile.
    pub(crate) direct: bool,
    pub(crate) resume: Resume,
}

/// What is made of that which an earlier run has left on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Nothing.
    Never,
    /// It is gone on with if its name says that it is the beginning of this very file.
    IfKnown,
    /// It is gone on with, as somebody has asked for.
    Wanted,
}

/// Where a file from here goes: what was named, or into the directory that was named.
pub(crate) fn destination(local: &Path, path: &[u8]) -> Result<Vec<u8>, Failure> {
    if !path.is_empty() && !path.ends_with(b"/") {
        return Ok(path.to_vec());
    }
    let name = local.file_name().ok_or_else(|| Failure::Usage(format!("{} has no name", local.display())))?;
    Ok(join(path, name.as_bytes()))
}

/// Refuses a destination that is a directory. A server where the file is sent to it says so before
/// the first byte, any other after the last one only.
pub(crate) fn refuse_directory(remote: &mut dyn Remote, path: &[u8], way: Way) -> Result<(), Failure> {
    if way.direct || remote.publishes_whole() {
        return Ok(());
    }
    let here = match remote.directory() {
        Err(Failure::Refused { .. }) => return Ok(()),
        here => here?,
    };
    match remote.change_directory(path) {
        Err(Failure::Refused { answer, .. }) if answer.code != 421 => return Ok(()),
        changed => changed?,
    }
    remote.change_directory(&here)?;
    Err(Failure::Usage(format!("{0} is a directory; {0}/ puts the file into it", shown(path))))
}

/// Sends a file, from where an earlier attempt stopped if that is wanted, and makes sure that all
/// of it arrived.
pub(crate) fn upload(
    remote: &mut dyn Remote,
    cargo: &mut Cargo,
    path: &[u8],
    way: Way,
    meter: &mut Meter,
) -> Result<(), Failure> {
    let wanted = cargo.begun || way.resume == Resume::Wanted;
    if way.direct {
        let offset = if wanted { stored(remote, cargo, path)? } else { 0 };
        send_rest(remote, cargo, path, offset, meter)
    } else if remote.publishes_whole() {
        // What can be seen there is whole: another version, to which nothing of this one belongs.
        let unfinished = wanted && remote.modified(path)?.is_none();
        let offset = if unfinished { stored(remote, cargo, path)? } else { 0 };
        // Even if all of it is there: the end is what makes it a file.
        send(remote, cargo, path, offset, meter)?;
        check(remote, cargo, path)
    } else {
        staged::upload(remote, cargo, path, wanted || way.resume == Resume::IfKnown, meter)
    }
}

/// How much of the file is there already.
fn stored(remote: &mut dyn Remote, cargo: &Cargo, path: &[u8]) -> Result<u64, Failure> {
    Ok(remote.size(path)?.filter(|size| *size <= cargo.size).unwrap_or(0))
}

/// Sends what is missing of the file, if anything is.
fn send_rest(
    remote: &mut dyn Remote,
    cargo: &mut Cargo,
    path: &[u8],
    offset: u64,
    meter: &mut Meter,
) -> Result<(), Failure> {
    if offset == 0 || offset < cargo.size {
        send(remote, cargo, path, offset, meter)?;
    }
    check(remote, cargo, path)
}

/// Whether all of it has arrived, as far as the server can say.
fn check(remote: &mut dyn Remote, cargo: &Cargo, path: &[u8]) -> Result<(), Failure> {
    match remote.size(path)? {
        Some(size) if size != cargo.size => {
            Err(Failure::Incomplete(format!("{}: {size} of {} bytes arrived", shown(path), cargo.size)))
        }
        _ => Ok(()),
    }
}

/// How often an upload is tried when its data connection could not resume the TLS session.
const BINDING_ATTEMPTS: usize = 3;

/// A server that requires resumption gives few tickets, or none, with uploads: a client that only
/// writes might not read them. The connection that it refuses for that (522, ProFTPD: 425) brings
/// the next ones. Nothing has been stored then.
fn send(
    remote: &mut dyn Remote,
    cargo: &mut Cargo,
    path: &[u8],
    offset: u64,
    meter: &mut Meter,
) -> Result<(), Failure> {
    for attempt in 1.. {
        match send_once(remote, cargo, path, offset, meter) {
            Err(Failure::Refused { answer, .. })
                if matches!(answer.code, 425 | 522)
                    && remote.resumed() == Some(false)
                    && attempt < BINDING_ATTEMPTS => {}
            Err(Failure::Refused { answer, .. }) if offset > 0 && answer.is_unknown_command() => {
                return send_once(remote, cargo, path, 0, meter);
            }
            result => return result,
        }
    }
    Ok(())
}

fn send_once(
    remote: &mut dyn Remote,
    cargo: &mut Cargo,
    path: &[u8],
    offset: u64,
    meter: &mut Meter,
) -> Result<(), Failure> {
    cargo.file.seek(SeekFrom::Start(offset)).map_err(|error| cargo.failure(error))?;
    meter.start_at(offset);
    remote.store(path, offset, &mut |buffer| {
        cargo.begun = true;
        let size = cargo.file.read(buffer).map_err(|error| cargo.failure(error))?;
        meter.add(size);
        Ok(size)
    })
}
