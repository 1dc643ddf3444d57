//! A home that goes with its user: taken out of its place by one rename, under a name at the root that is
//! no home's, and then emptied in slices. No link is followed. Whoever is interrupted, or another server,
//! goes on where it was.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, RenameFlags};
use rustix::io::Errno;

use super::enclosure::{Enclosure, metadata_at, open_name};
use crate::path::VirtualPath;
use crate::storage::{Kind, StorageError};

/// Entries that one call removes.
const SLICE: usize = 2_000;

/// Removes some of it; true when there is more.
pub(super) fn remove(root: &Enclosure, home: &VirtualPath, id: &str) -> Result<bool, StorageError> {
    let top = root.open_directory(&VirtualPath::root())?;
    let name = format!(".wharfinger-removed-{id}");
    take_out(root, home, &top, &name)?;
    match metadata_at(&top, name.as_bytes())?.map(|found| found.kind) {
        None => return Ok(false),
        Some(Kind::Directory) => {}
        // A home may have been a link to another one; that is not the link's to remove.
        Some(Kind::File | Kind::Other) => {
            rustix::fs::unlinkat(&top, name.as_str(), AtFlags::empty())?;
            return Ok(false);
        }
    }
    let removed = open_directory(&top, name.as_bytes())?;
    let mut slice = SLICE;
    empty(&removed, &removed, &mut slice)?;
    match rustix::fs::unlinkat(&top, name.as_str(), AtFlags::REMOVEDIR) {
        Err(Errno::NOTEMPTY) => Ok(true),
        gone => Ok(gone.map(|()| false)?),
    }
}

/// What was taken out before stays as it is.
fn take_out(root: &Enclosure, home: &VirtualPath, top: &OwnedFd, name: &str) -> Result<(), StorageError> {
    let parent = match root.open_directory(&home.parent()) {
        Err(StorageError::NotFound | StorageError::NotADirectory) => return Ok(()),
        opened => opened?,
    };
    match rustix::fs::renameat_with(parent, home.name(), top, name, RenameFlags::NOREPLACE) {
        Err(Errno::NOENT | Errno::EXIST) => Ok(()),
        Err(Errno::XDEV) => Err(StorageError::AnotherFileSystem),
        taken => Ok(taken?),
    }
}

/// Removes entries of a directory. Directories in it go too if it is the outermost one; those in them are
/// moved there first, so that no tree is too deep.
fn empty(directory: &OwnedFd, outermost: &OwnedFd, slice: &mut usize) -> Result<(), StorageError> {
    let mut buffer = [MaybeUninit::uninit(); 8 * 1024];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        if *slice == 0 {
            return Ok(());
        }
        *slice -= 1;
        match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) if std::ptr::eq(directory, outermost) => {
                empty(&open_directory(directory, name)?, outermost, slice)?;
                match rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR) {
                    // The slice ended in there.
                    Err(Errno::NOTEMPTY) => return Ok(()),
                    gone => gone?,
                }
            }
            Err(Errno::ISDIR | Errno::PERM) => up(directory, name, outermost)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn up(directory: &OwnedFd, name: &[u8], outermost: &OwnedFd) -> Result<(), StorageError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| StorageError::Failed(std::io::Error::other(error.to_string())))?;
    let free = format!("{:032x}", u128::from_be_bytes(random));
    Ok(rustix::fs::renameat_with(directory, name, outermost, free.as_str(), RenameFlags::NOREPLACE)?)
}

fn open_directory(parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    open_name(parent, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
}
