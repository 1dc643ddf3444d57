//! The confinement: a directory descriptor whose paths the kernel resolves beneath it, whatever
//! links stand there and however they are swapped meanwhile (`openat2(2)`, Linux 5.6).
//! No other file of this backend opens a path of more than one name.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::blocking;
use crate::path::VirtualPath;
use crate::storage::{FileTime, Kind, Metadata, StorageError};

/// A directory that nothing opened through it leads out of.
#[derive(Clone)]
pub(super) struct Enclosure(Arc<OwnedFd>);

/// Links are followed as long as they stay beneath; `/proc`'s magic ones never.
const CONFINED: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// A pipe without a peer must not hold up the opener, nor a terminal become ours.
const ALWAYS: OFlags = OFlags::CLOEXEC.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// `..` in a link is refused with EAGAIN while anything on this machine is renamed: the kernel
/// can't rule out that it led outside (openat2(2)).
const ATTEMPTS: usize = 32;

impl Enclosure {
    /// The operator's own path, followed as it stands. Where nothing can be opened beneath it, that is
    /// known at once rather than at somebody's login.
    pub(super) fn of(root: &Path) -> Result<Self, StorageError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = Self(Arc::new(rustix::fs::openat(CWD, root, flags, Mode::empty())?));
        match root.attempt(&VirtualPath::root(), flags, Mode::empty(), ResolveFlags::empty()) {
            Err(Errno::NOSYS | Errno::PERM) => Err(StorageError::NoConfinement),
            _ => Ok(root),
        }
    }

    /// A smaller enclosure within this one.
    pub(super) fn enter(&self, path: &VirtualPath) -> Result<Self, StorageError> {
        Ok(Self(Arc::new(self.open_directory(path)?)))
    }

    /// Opens at once what the kernel has in memory, and the rest on a blocking thread.
    pub(super) async fn open(&self, path: &VirtualPath, flags: OFlags) -> Result<OwnedFd, StorageError> {
        match self.attempt(path, flags, Mode::empty(), ResolveFlags::CACHED) {
            // EINVAL: the kernel is older than the flag (5.12).
            Err(Errno::AGAIN | Errno::INTR | Errno::INVAL) => {
                let (inside, path) = (self.clone(), path.clone());
                blocking(move || inside.open_waiting(&path, flags, Mode::empty())).await
            }
            opened => Ok(opened?),
        }
    }

    /// Opens a directory to work in: only for names in it, not for reading it.
    pub(super) fn open_directory(&self, path: &VirtualPath) -> Result<OwnedFd, StorageError> {
        self.open_waiting(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
    }

    /// Opens, waiting for the disk where that is needed. `mode` is that of a file made.
    pub(super) fn open_waiting(
        &self,
        path: &VirtualPath,
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd, StorageError> {
        for _ in 0..ATTEMPTS {
            match self.attempt(path, flags, mode, ResolveFlags::empty()) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                opened => return Ok(opened?),
            }
        }
        Err(StorageError::Busy)
    }

    /// What an entry of the directory at `path` is when its link is followed; none if that leads
    /// nowhere or outside.
    pub(super) fn target_of(&self, path: &VirtualPath, name: &[u8]) -> Option<Metadata> {
        let target = path.join(name).ok()?;
        metadata_of(self.open_waiting(&target, OFlags::PATH, Mode::empty()).ok()?).ok()
    }

    fn attempt(
        &self,
        path: &VirtualPath,
        flags: OFlags,
        mode: Mode,
        cached: ResolveFlags,
    ) -> Result<OwnedFd, Errno> {
        let relative = match path.as_bytes() {
            [b'/', rest @ ..] if !rest.is_empty() => rest,
            _ => b".",
        };
        // O_PATH opens nothing, so it can't wait, and the kernel takes few flags beside it.
        let flags = if flags.contains(OFlags::PATH) { flags | OFlags::CLOEXEC } else { flags | ALWAYS };
        rustix::fs::openat2(&self.0, relative, flags, mode, CONFINED | cached)
    }
}

/// Opens one name in a directory; a link under that name is refused, not followed.
pub(super) fn open_name(
    directory: impl AsFd,
    name: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(directory, name, flags | ALWAYS | OFlags::NOFOLLOW, mode)
}

/// What an open descriptor is.
pub(super) fn metadata_of(file: impl AsFd) -> Result<Metadata, StorageError> {
    Ok(metadata(&rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, WANTED)?))
}

/// What stands under a name of a directory; a link is a link.
pub(super) fn metadata_at(directory: impl AsFd, name: &[u8]) -> Result<Option<Metadata>, StorageError> {
    match status_at(directory, name) {
        Err(Errno::NOENT) => Ok(None),
        status => Ok(Some(metadata(&status?))),
    }
}

pub(super) fn status_at(directory: impl AsFd, name: &[u8]) -> Result<Statx, Errno> {
    rustix::fs::statx(directory, name, AtFlags::SYMLINK_NOFOLLOW, WANTED)
}

pub(super) fn is_link(status: &Statx) -> bool {
    FileType::from_raw_mode(status.stx_mode.into()) == FileType::Symlink
}

const WANTED: StatxFlags = StatxFlags::TYPE
    .union(StatxFlags::MODE)
    .union(StatxFlags::NLINK)
    .union(StatxFlags::SIZE)
    .union(StatxFlags::MTIME)
    .union(StatxFlags::INO);

pub(super) fn metadata(status: &Statx) -> Metadata {
    let mode = u32::from(status.stx_mode);
    Metadata {
        kind: match FileType::from_raw_mode(mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            _ => Kind::Other,
        },
        size: status.stx_size,
        modified: FileTime { seconds: status.stx_mtime.tv_sec, nanoseconds: status.stx_mtime.tv_nsec },
        mode: mode & 0o7777,
        links: status.stx_nlink.into(),
        device: rustix::fs::makedev(status.stx_dev_major, status.stx_dev_minor),
        inode: status.stx_ino,
    }
}
