//! Files in a directory of this machine. Each user's tree is a descriptor, and every path is
//! opened beneath it by the kernel (`enclosure`); names are only ever used in a directory opened so.
//! What can't block is done where it is asked for, the rest on a blocking thread.

mod enclosure;
mod listing;
mod measure;
mod names;
mod part;
mod removal;
mod sweep;
#[cfg(test)]
mod tests;
mod upload;

use std::fs::{DirBuilder, File};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use wharfinger_config::Uploads;

use self::enclosure::{Enclosure, metadata_at, metadata_of};
use self::listing::LocalListing;
use self::upload::{Found, Request};
use super::{
    Extent, FileTime, Kind, Listing, Metadata, Storage, StorageError, Tally, Tree, UploadPlan, UploadRequest,
};
use crate::path::VirtualPath;

pub(crate) use self::sweep::sweep;

/// All homes below one directory.
pub(crate) struct LocalStorage {
    root: Enclosure,
    uploads: Uploads,
    durable: bool,
}

impl LocalStorage {
    /// Opens the directory, making it if it is not there. With `durable`, an upload is on the disk
    /// before its `finish` returns.
    pub(crate) fn open(root: &Path, uploads: Uploads, durable: bool) -> Result<Self, StorageError> {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(root)?;
        Ok(Self { root: Enclosure::of(root)?, uploads, durable })
    }

    /// Enters the home, making what is missing of it on the way; whether it was itself.
    fn make_home(root: &Enclosure, home: &VirtualPath) -> Result<(Enclosure, bool), StorageError> {
        let mut directory = VirtualPath::root();
        let mut made = false;
        for name in home.as_bytes().split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            let parent = root.open_directory(&directory)?;
            match rustix::fs::mkdirat(parent, name, Mode::from(DIRECTORY_MODE)) {
                Ok(()) => made = true,
                Err(rustix::io::Errno::EXIST) => made = false,
                Err(error) => return Err(error.into()),
            }
            directory = directory.join(name).map_err(|_| StorageError::OutsideTree)?;
        }
        Ok((root.enter(home)?, made))
    }
}

fn parse_home(home: &str) -> Result<VirtualPath, StorageError> {
    VirtualPath::root().join(home.as_bytes()).map_err(|_| StorageError::OutsideTree)
}

#[async_trait]
impl Storage for LocalStorage {
    async fn open_tree(&self, home: &str, tally: Arc<dyn Tally>) -> Result<Arc<dyn Tree>, StorageError> {
        let home = parse_home(home)?;
        let root = self.root.clone();
        let (inside, made) = blocking(move || match root.enter(&home) {
            Err(StorageError::NotFound) => Self::make_home(&root, &home),
            entered => Ok((entered?, false)),
        })
        .await?;
        if made {
            tally.made();
        }
        Ok(Arc::new(LocalTree { inside, tally, uploads: self.uploads, durable: self.durable }))
    }

    async fn remove_home(&self, home: &str, id: &str) -> Result<bool, StorageError> {
        let (root, home, id) = (self.root.clone(), parse_home(home)?, id.to_owned());
        blocking(move || removal::remove(&root, &home, &id)).await
    }

    async fn measure(&self, home: &str) -> Result<Extent, StorageError> {
        let (root, home) = (self.root.clone(), parse_home(home)?);
        blocking(move || match root.enter(&home) {
            Err(StorageError::NotFound) => Ok(Extent::default()),
            entered => measure::measure(&entered?),
        })
        .await
    }

    fn publishes_whole(&self) -> bool {
        self.uploads != Uploads::Direct
    }
}

/// One user's home.
struct LocalTree {
    inside: Enclosure,
    tally: Arc<dyn Tally>,
    uploads: Uploads,
    durable: bool,
}

/// New directories: everybody on this machine may look, only the server may write.
pub(crate) const DIRECTORY_MODE: u32 = 0o755;

#[async_trait]
impl Tree for LocalTree {
    async fn metadata(&self, path: &VirtualPath) -> Result<Metadata, StorageError> {
        metadata_of(self.inside.open(path, OFlags::PATH).await?)
    }

    async fn open_read(&self, path: &VirtualPath) -> Result<(File, Metadata), StorageError> {
        let file = self.inside.open(path, OFlags::RDONLY).await?;
        let metadata = metadata_of(&file)?;
        match metadata.kind {
            Kind::File => Ok((file.into(), metadata)),
            Kind::Directory => Err(StorageError::IsADirectory),
            Kind::Other => Err(StorageError::NotAFile),
        }
    }

    async fn request_upload(
        &self,
        path: &VirtualPath,
        plan: UploadPlan<'_>,
    ) -> Result<UploadRequest, StorageError> {
        if path.is_root() {
            return Err(StorageError::IsADirectory);
        }
        let directory = self.inside.open(&path.parent(), OFlags::PATH | OFlags::DIRECTORY).await?;
        let mut request = Request {
            found: Found::default(),
            inside: self.inside.clone(),
            tally: Arc::clone(&self.tally),
            directory,
            path: path.clone(),
            offset: plan.offset,
            may_overwrite: plan.may_overwrite,
            owner: plan.owner.map(str::to_owned),
            uploads: self.uploads,
            durable: self.durable,
        };
        request.found = request.check()?;
        Ok(Box::new(request))
    }

    async fn list(&self, path: &VirtualPath) -> Result<Listing, StorageError> {
        let directory = self.inside.open(path, OFlags::RDONLY | OFlags::DIRECTORY).await?;
        Ok(Box::new(LocalListing::new(self.inside.clone(), path.clone(), directory)))
    }

    async fn make_directory(&self, path: &VirtualPath) -> Result<(), StorageError> {
        self.in_parent(path, StorageError::Exists, |parent, name| {
            Ok(rustix::fs::mkdirat(parent, name, Mode::from(DIRECTORY_MODE))?)
        })
        .await
    }

    async fn remove_directory(&self, path: &VirtualPath) -> Result<(), StorageError> {
        let tally = Arc::clone(&self.tally);
        self.in_parent(path, StorageError::Denied, move |parent, name| {
            match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
                // What is left of aborted uploads is not to be seen, so it must not be in the way.
                Err(rustix::io::Errno::NOTEMPTY) => {
                    sweep::clear_parts(parent, name, &*tally)?;
                    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
                }
                removed => Ok(removed?),
            }
        })
        .await
    }

    async fn remove_file(&self, path: &VirtualPath, owner: &str) -> Result<(), StorageError> {
        let part = part::name_for(owner, path.name());
        let tally = Arc::clone(&self.tally);
        self.in_parent(path, StorageError::IsADirectory, move |parent, name| {
            let removed = remove(parent, name, &*tally);
            if !matches!(removed, Ok(()) | Err(StorageError::NotFound)) {
                return removed;
            }
            match part::remove_idle(parent, part.as_bytes(), None)? {
                Some(freed) => {
                    tally.changed(-freed);
                    Ok(())
                }
                None => removed,
            }
        })
        .await
    }

    async fn rename(
        &self,
        from: &VirtualPath,
        to: &VirtualPath,
        may_overwrite: bool,
    ) -> Result<(), StorageError> {
        if from.is_root() || to.is_root() {
            return Err(StorageError::Denied);
        }
        if to != from && to.is_within(from) {
            return Err(StorageError::IntoItself);
        }
        let (inside, tally) = (self.inside.clone(), Arc::clone(&self.tally));
        let (from, to) = (from.clone(), to.clone());
        blocking(move || rename(&inside, &*tally, (&from, &to), may_overwrite)).await
    }

    async fn set_modified(&self, path: &VirtualPath, time: FileTime) -> Result<(), StorageError> {
        let file = self.inside.open(path, OFlags::PATH).await?;
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
            last_modification: Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() },
        };
        Ok(rustix::fs::utimensat(file, c"", &times, AtFlags::EMPTY_PATH)?)
    }

    async fn set_mode(&self, path: &VirtualPath, mode: u32) -> Result<(), StorageError> {
        let file = self.inside.open(path, OFlags::PATH).await?;
        if metadata_of(&file)?.kind == Kind::Other {
            return Err(StorageError::NotAFile);
        }
        // Before Linux 6.6 no system call changes the mode of a file that is not opened for reading
        // or writing, and its mode may forbid both; but the kernel's name for the descriptor leads
        // to that very file.
        let name = format!("/proc/self/fd/{}", file.as_raw_fd());
        Ok(rustix::fs::chmodat(CWD, name, Mode::from(mode), AtFlags::empty())?)
    }

    async fn free_space(&self, directory: &VirtualPath) -> Result<u64, StorageError> {
        let directory = self.inside.open(directory, OFlags::PATH | OFlags::DIRECTORY).await?;
        let status = rustix::fs::fstatvfs(directory)?;
        Ok(status.f_bavail.saturating_mul(status.f_frsize))
    }

    async fn partial_size(&self, path: &VirtualPath, owner: &str) -> Result<Option<u64>, StorageError> {
        let directory = self.inside.open(&path.parent(), OFlags::PATH | OFlags::DIRECTORY).await?;
        if path.is_root() || self.uploads != Uploads::AtomicResumable {
            return Ok(None);
        }
        if metadata_at(&directory, path.name())?.is_some() {
            return Ok(None);
        }
        let part = part::name_for(owner, path.name());
        Ok(metadata_at(&directory, part.as_bytes())?.map(|metadata| metadata.size))
    }
}

impl LocalTree {
    /// Opens the directory that `path` stands in and does `work` with the name in there, on a
    /// blocking thread. The root stands in no directory: that is `at_root`.
    async fn in_parent(
        &self,
        path: &VirtualPath,
        at_root: StorageError,
        work: impl FnOnce(&OwnedFd, &[u8]) -> Result<(), StorageError> + Send + 'static,
    ) -> Result<(), StorageError> {
        if path.is_root() {
            return Err(at_root);
        }
        let (inside, path) = (self.inside.clone(), path.clone());
        blocking(move || work(&inside.open_directory(&path.parent())?, path.name())).await
    }
}

fn remove(parent: &OwnedFd, name: &[u8], tally: &dyn Tally) -> Result<(), StorageError> {
    let _alone = names::alone(name);
    let freed = names::weight(parent, name)?;
    rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
    tally.changed(-freed);
    Ok(())
}

fn rename(
    inside: &Enclosure,
    tally: &dyn Tally,
    (from, to): (&VirtualPath, &VirtualPath),
    may_overwrite: bool,
) -> Result<(), StorageError> {
    let source = inside.open_directory(&from.parent())?;
    let target = inside.open_directory(&to.parent())?;
    let flags = if may_overwrite { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    let _alone = names::alone(to.name());
    let freed = replaced(&source, from.name(), &target, to.name())?;
    match rustix::fs::renameat_with(source, from.name(), target, to.name(), flags) {
        Err(rustix::io::Errno::XDEV) => return Err(StorageError::AnotherFileSystem),
        renamed => renamed?,
    }
    tally.changed(-freed);
    Ok(())
}

/// What goes when the one gets the other's name; nothing where both are names of one file.
fn replaced(source: &OwnedFd, from: &[u8], target: &OwnedFd, to: &[u8]) -> Result<Extent, StorageError> {
    let (moved, standing) = (metadata_at(source, from)?, metadata_at(target, to)?);
    let same = moved
        .zip(standing)
        .is_some_and(|(one, other)| (one.device, one.inode) == (other.device, other.inode));
    match standing {
        Some(file) if file.kind == Kind::File && !same => Ok(Extent::file(file.size)),
        Some(_) | None => Ok(Extent::default()),
    }
}

/// Runs what may wait for a disk where it holds up no other session.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => Err(StorageError::Failed(std::io::Error::other(stopped))),
    }
}
