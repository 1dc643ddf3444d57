//! A directory, read in bounded memory and without sorting: one `getdents` for as many entries as
//! 64 KiB hold, one `statx` an entry.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::{RawDir, SeekFrom};
use rustix::io::Errno;

use super::enclosure::{Enclosure, is_link, metadata, status_at};
use crate::path::{RESERVED_PREFIX, VirtualPath};
use crate::storage::{DirectoryStream, Entry, Metadata, StorageError};

/// Bytes of the buffer for names.
const BUFFER: usize = 64 * 1024;

/// A directory being read.
pub(super) struct LocalListing {
    directory: OwnedFd,
    /// To follow links from: they may lead anywhere in the tree.
    inside: Enclosure,
    path: VirtualPath,
    buffer: Box<[MaybeUninit<u8>]>,
}

impl LocalListing {
    pub(super) fn new(inside: Enclosure, path: VirtualPath, directory: OwnedFd) -> Self {
        Self { directory, inside, path, buffer: Box::new_uninit_slice(BUFFER) }
    }
}

impl DirectoryStream for LocalListing {
    fn fill(&mut self, most: usize, each: &mut dyn FnMut(&Entry<'_>)) -> Result<bool, StorageError> {
        let mut entries = RawDir::new(&self.directory, &mut self.buffer);
        let mut given = 0;
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if let Some(metadata) = look_at(&self.directory, &self.inside, &self.path, name)? {
                each(&Entry { name, metadata });
                given += 1;
            }
            let next = entry.next_entry_cookie();
            if given >= most {
                // The rest of the buffer is read again by the next call.
                if !entries.is_buffer_empty() {
                    rustix::fs::seek(&self.directory, SeekFrom::Start(next))?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What the entry is; none if it is not to be shown, or gone.
fn look_at(
    directory: &OwnedFd,
    inside: &Enclosure,
    path: &VirtualPath,
    name: &[u8],
) -> Result<Option<Metadata>, StorageError> {
    if matches!(name, b"." | b"..") || name.starts_with(RESERVED_PREFIX) {
        return Ok(None);
    }
    match status_at(directory, name) {
        Err(Errno::NOENT) => Ok(None),
        Ok(status) if is_link(&status) => {
            Ok(Some(inside.target_of(path, name).unwrap_or_else(|| metadata(&status))))
        }
        status => Ok(Some(metadata(&status?))),
    }
}
