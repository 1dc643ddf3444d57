//! A part: the file an upload is written to until it is whole. It stands beside its final name
//! under a reserved one, which is the same for the same owner and file, so that its owner can
//! resume it; a lock says that it is being written.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use std::sync::Arc;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use tracing::warn;

use super::enclosure::{metadata_at, metadata_of, open_name};
use super::names;
use crate::path::RESERVED_PREFIX;
use crate::storage::{Extent, Kind, Metadata, StorageError, Tally};

/// A part that is ours to write. Dropped before `publish`, it stays if it is to be kept and holds
/// anything, else it is removed.
pub(super) struct Part {
    pub(super) file: File,
    /// Bytes it held when it was claimed.
    pub(super) held: u64,
    directory: OwnedFd,
    name: String,
    /// Whether it stays when the upload is aborted.
    pub(super) keep: bool,
    pub(super) tally: Arc<dyn Tally>,
    published: bool,
}

/// Whose part to take, for which file.
pub(super) struct Claim<'a> {
    pub(super) owner: Option<&'a str>,
    pub(super) name: &'a [u8],
    /// Of a file made.
    pub(super) mode: Mode,
}

impl Part {
    /// Takes the part that `owner` can resume for the file `name`. While somebody is writing that
    /// one, and without an owner, it is one that nobody can resume: empty, and not to be kept.
    pub(super) fn claim(
        directory: OwnedFd,
        tally: Arc<dyn Tally>,
        claimed: &Claim<'_>,
    ) -> Result<Self, StorageError> {
        if let Some(owner) = claimed.owner {
            let name = name_for(owner, claimed.name);
            if let Some((file, held)) = claim(&directory, &name, claimed.mode, &*tally)? {
                return Ok(Self { file, held, directory, name, keep: true, tally, published: false });
            }
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| StorageError::Failed(io::Error::other(error.to_string())))?;
        let name = name_of(random);
        match claim(&directory, &name, claimed.mode, &*tally)? {
            Some((file, held)) => {
                Ok(Self { file, held, directory, name, keep: false, tally, published: false })
            }
            None => Err(StorageError::Busy),
        }
    }

    pub(super) fn size(&self) -> Result<u64, StorageError> {
        Ok(metadata_of(&self.file)?.size)
    }

    /// Keeps the first bytes only.
    pub(super) fn cut(&self, length: u64) -> Result<(), StorageError> {
        let before = self.size()?;
        self.file.set_len(length)?;
        self.tally.changed(Extent::bytes(length) + -Extent::bytes(before));
        Ok(())
    }

    /// Gives the part its final name; with `replace` in place of what stands there, else only if
    /// nothing does. What stood there must free what is `owed`.
    pub(super) fn publish(&mut self, name: &[u8], replace: bool, owed: Extent) -> Result<(), StorageError> {
        let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        let _alone = names::alone(name);
        let freed = if replace { names::weight(&self.directory, name)? } else { Extent::default() };
        if freed.bytes < owed.bytes || freed.files < owed.files {
            return Err(StorageError::OverQuota);
        }
        rustix::fs::renameat_with(&self.directory, self.name.as_str(), &self.directory, name, flags)?;
        self.published = true;
        self.tally.changed(-freed);
        Ok(())
    }

    /// Brings the directory's entries to the disk.
    pub(super) fn sync_directory(&self) -> Result<(), StorageError> {
        let directory = open_name(&self.directory, b".", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        Ok(rustix::fs::fsync(directory)?)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        let size = self.size().unwrap_or_default();
        if self.keep && size > 0 {
            return;
        }
        match rustix::fs::unlinkat(&self.directory, self.name.as_str(), AtFlags::empty()) {
            Ok(()) => self.tally.changed(-Extent::file(size)),
            Err(error) => warn!(part = self.name, %error, "an aborted upload could not be removed"),
        }
    }
}

/// Where `owner`'s upload of the file `name` stands until it is whole.
pub(super) fn name_for(owner: &str, name: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    // The name can't hold a NUL, so no two pairs are the same bytes.
    hasher.update(owner.as_bytes()).update(b"\0").update(name);
    let mut digest = [0; 16];
    hasher.finalize_xof().fill(&mut digest);
    name_of(digest)
}

fn name_of(digest: [u8; 16]) -> String {
    format!(".wharfinger-{:032x}.part", u128::from_be_bytes(digest))
}

pub(super) fn is_part(name: &[u8]) -> bool {
    name.starts_with(RESERVED_PREFIX) && name.ends_with(b".part")
}

/// Removes a part that nobody is writing, if it was last written before `before` (seconds since
/// 1970; none: at any time). What that freed; none if it did not.
pub(super) fn remove_idle(
    directory: impl AsFd,
    name: &[u8],
    before: Option<i64>,
) -> Result<Option<Extent>, StorageError> {
    // Whatever its mode was to become, it may no longer be ours to write; a lock takes reading only.
    let file = match open_name(&directory, name, OFlags::RDONLY, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        opened => opened?,
    };
    let opened = metadata_of(&file)?;
    let old = before.is_none_or(|before| opened.modified.seconds < before);
    if opened.kind != Kind::File || !old {
        return Ok(None);
    }
    let Some(locked) = lock(&directory, name, &file, &opened)? else { return Ok(None) };
    rustix::fs::unlinkat(directory, name, AtFlags::empty())?;
    Ok(Some(Extent::file(locked.size)))
}

/// Opens the part, making it if need be, and locks it; the file and its size, or none if somebody else
/// has it.
fn claim(
    directory: &OwnedFd,
    name: &str,
    mode: Mode,
    tally: &dyn Tally,
) -> Result<Option<(File, u64)>, StorageError> {
    // Whoever had it may publish or remove it between our open and our lock; then the name is
    // free again, and it takes somebody as quick for this to happen twice.
    for _ in 0..4 {
        let file = match open_name(directory, name.as_bytes(), OFlags::WRONLY, mode) {
            Err(Errno::NOENT) => match make(directory, name, mode, tally) {
                Err(Errno::EXIST) => continue,
                made => made?,
            },
            opened => opened?,
        };
        let opened = metadata_of(&file)?;
        if opened.kind != Kind::File {
            return Err(StorageError::NotAFile);
        }
        if let Some(locked) = lock(directory, name.as_bytes(), &file, &opened)? {
            return Ok(Some((file.into(), locked.size)));
        }
    }
    Ok(None)
}

fn make(directory: &OwnedFd, name: &str, mode: Mode, tally: &dyn Tally) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let file = open_name(directory, name.as_bytes(), flags, mode)?;
    tally.changed(Extent::file(0));
    Ok(file)
}

/// Takes the lock without waiting; what it is under the lock, or none if somebody has it, or if the
/// file opened no longer has this name.
fn lock(
    directory: impl AsFd,
    name: &[u8],
    file: &OwnedFd,
    opened: &Metadata,
) -> Result<Option<Metadata>, StorageError> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(None),
        locked => locked?,
    }
    let same = |named: &Metadata| (named.device, named.inode) == (opened.device, opened.inode);
    Ok(metadata_at(directory, name)?.filter(same))
}
