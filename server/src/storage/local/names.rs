//! Changes of names, one at a time: what a name stood for is looked at and then removed or replaced, and
//! nobody in this process comes between. Another process on the same directory could; what it does to the
//! very same name at the very same moment is found when the files are counted again.

use std::hash::{DefaultHasher, Hasher as _};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::enclosure::metadata_at;
use crate::storage::{Extent, Kind, StorageError};

/// Enough that two names seldom wait for each other; the same name in two directories does.
static NAMES: [Mutex<()>; 64] = [const { Mutex::new(()) }; 64];

/// Holds up everybody else who changes this name. For blocking threads.
pub(super) fn alone(name: &[u8]) -> MutexGuard<'static, ()> {
    let mut hasher = DefaultHasher::new();
    hasher.write(name);
    let number = usize::try_from(hasher.finish() % NAMES.len() as u64).unwrap_or_default();
    let [first, ..] = &NAMES;
    // The lock guards no value, so a poisoned one is still good.
    NAMES.get(number).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
}

/// What goes with a name that is removed or replaced. A link is nothing but a name.
pub(super) fn weight(directory: impl AsFd, name: &[u8]) -> Result<Extent, StorageError> {
    let standing = metadata_at(directory, name)?.filter(|standing| standing.kind == Kind::File);
    Ok(standing.map_or_else(Extent::default, |file| Extent::file(file.size)))
}
