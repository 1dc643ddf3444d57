//! One file from here to a server.

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
    progress::Meter,
    remote::Remote,
};

/// A file here, about to be sent.
#[derive(Debug)]
pub(crate) struct Cargo {
    file: File,
    path: std::path::PathBuf,
    pub(crate) size: u64,
    pub(crate) modified: Option<Timestamp>,
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
        Ok(Cargo { file, path: path.to_owned(), size: metadata.len(), modified })
    }

    fn failure(&self, error: io::Error) -> Failure {
        Failure::Local { path: self.path.clone(), error }
    }
}

/// Where a file from here goes: what was named, or into the directory that was named.
pub(crate) fn destination(local: &Path, path: &[u8]) -> Result<Vec<u8>, Failure> {
    if !path.is_empty() && !path.ends_with(b"/") {
        return Ok(path.to_vec());
    }
    let name = local.file_name().ok_or_else(|| Failure::Usage(format!("{} has no name", local.display())))?;
    Ok(join(path, name.as_bytes()))
}

/// Sends a file, from where an earlier attempt stopped if that is wanted, and makes sure that all
/// of it arrived.
pub(crate) fn upload(
    remote: &mut dyn Remote,
    cargo: &mut Cargo,
    path: &[u8],
    resume: bool,
    meter: &mut Meter,
) -> Result<(), Failure> {
    let there = if resume { remote.size(path)?.unwrap_or(0) } else { 0 };
    let offset = if there <= cargo.size { there } else { 0 };
    if offset == 0 || offset < cargo.size {
        send(remote, cargo, path, offset, meter)?;
    }
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
        let size = cargo.file.read(buffer).map_err(|error| cargo.failure(error))?;
        meter.add(size);
        Ok(size)
    })
}
