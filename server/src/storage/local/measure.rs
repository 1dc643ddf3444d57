//! How much a home holds, found by looking at every file: no link is followed, and what vanishes meanwhile
//! is not there. It takes as long as the tree is large: for a blocking thread.

use rustix::fs::{Mode, OFlags};

use super::enclosure::Enclosure;
use super::names::weight;
use super::sweep::each_name;
use crate::path::VirtualPath;
use crate::storage::{Extent, StorageError};

/// All files of the enclosure.
pub(super) fn measure(inside: &Enclosure) -> Result<Extent, StorageError> {
    let mut found = Extent::default();
    let mut pending = vec![VirtualPath::root()];
    while let Some(path) = pending.pop() {
        found = found + directory(inside, &path, &mut pending)?;
    }
    Ok(found)
}

fn directory(
    inside: &Enclosure,
    path: &VirtualPath,
    pending: &mut Vec<VirtualPath>,
) -> Result<Extent, StorageError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let directory = match inside.open_waiting(path, flags, Mode::empty()) {
        // Removed, or replaced by something else, since its name was read.
        Err(StorageError::NotFound | StorageError::NotADirectory | StorageError::OutsideTree) => {
            return Ok(Extent::default());
        }
        opened => opened?,
    };
    let mut found = Extent::default();
    each_name(&directory, |name, is_directory| {
        if !is_directory {
            found = found + weight(&directory, name)?;
        } else if let Ok(below) = path.join(name) {
            // One whose path is too long for a command holds nothing that a command could have put there.
            pending.push(below);
        }
        Ok(())
    })?;
    Ok(found)
}
