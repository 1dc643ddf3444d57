//! Clearing away what aborted uploads left: the old parts of all users, and those in a directory
//! that is to be removed. Parts being written are never touched.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom};
use tracing::warn;

use super::enclosure::{Enclosure, metadata_at, open_name};
use super::part;
use crate::path::VirtualPath;
use crate::storage::{Extent, Kind, StorageError, Tally};

/// Removes all parts below `root` that nobody has written to for `older_than`; tells of each directory
/// what that freed there. It follows no link, and what it can't deal with is left, and logged. It takes as
/// long as the tree is large: for a blocking thread.
pub(crate) fn sweep(root: &Path, older_than: Duration) -> Result<Vec<(VirtualPath, Extent)>, StorageError> {
    let inside = Enclosure::of(root)?;
    let before = SystemTime::now().checked_sub(older_than).unwrap_or(UNIX_EPOCH);
    let before = before.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let mut removed = Vec::new();
    let mut pending = vec![VirtualPath::root()];
    while let Some(path) = pending.pop() {
        let mut freed = Extent::default();
        if let Err(error) = sweep_directory(&inside, &path, before, &mut pending, &mut freed) {
            warn!(%path, %error, "a directory could not be swept");
        }
        if freed.files > 0 {
            removed.push((path, freed));
        }
    }
    Ok(removed)
}

fn sweep_directory(
    inside: &Enclosure,
    path: &VirtualPath,
    before: i64,
    pending: &mut Vec<VirtualPath>,
    freed: &mut Extent,
) -> Result<(), StorageError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let directory = match inside.open_waiting(path, flags, Mode::empty()) {
        // Removed since its name was read.
        Err(StorageError::NotFound) => return Ok(()),
        opened => opened?,
    };
    each_name(&directory, |name, is_directory| {
        if is_directory {
            match path.join(name) {
                Ok(path) => pending.push(path),
                Err(error) => {
                    warn!(%path, %error, "a directory could not be swept");
                }
            }
        } else if part::is_part(name) {
            match part::remove_idle(&directory, name, Some(before)) {
                Ok(gone) => *freed = *freed + gone.unwrap_or_default(),
                Err(error) => {
                    warn!(%path, %error, "a partial upload could not be removed");
                }
            }
        }
        Ok(())
    })
}

/// Removes the parts from a directory that holds nothing else.
pub(super) fn clear_parts(parent: &OwnedFd, name: &[u8], tally: &dyn Tally) -> Result<(), StorageError> {
    let directory = open_name(parent, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
    each_name(&directory, |name, _| if part::is_part(name) { Ok(()) } else { Err(StorageError::NotEmpty) })?;
    rustix::fs::seek(&directory, SeekFrom::Start(0))?;
    each_name(&directory, |name, _| {
        let freed = part::remove_idle(&directory, name, None)?.ok_or(StorageError::Busy)?;
        tally.changed(-freed);
        Ok(())
    })
}

/// Every name in the directory but `.` and `..`, and whether it is a directory's.
pub(super) fn each_name(
    directory: &OwnedFd,
    mut each: impl FnMut(&[u8], bool) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let mut buffer = [MaybeUninit::uninit(); 8 * 1024];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let is_directory = match entry.file_type() {
            FileType::Unknown => metadata_at(directory, name)?.is_some_and(|it| it.kind == Kind::Directory),
            known => known == FileType::Directory,
        };
        each(name, is_directory)?;
    }
    Ok(())
}
