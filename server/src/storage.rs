//! Where the files are: the trait the server sees, one tree a user, and what can go wrong there.
//! A backend is one file below `storage/`; all of them take parsed paths only.
//! It knows no user, no permission, no protocol and no TLS.

mod error;
pub(crate) mod local;

use std::fs::File;
use std::ops::{Add, Neg};
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use error::StorageError;

use crate::path::VirtualPath;

/// All users' files.
#[async_trait]
pub(crate) trait Storage: Send + Sync {
    /// The tree below `home`, a relative path of `/`-separated names; made at the first login. `tally`
    /// hears of all that changes in it through this tree.
    async fn open_tree(&self, home: &str, tally: Arc<dyn Tally>) -> Result<Arc<dyn Tree>, StorageError>;

    /// Whether an upload stands under its name when it is whole, and not before.
    fn publishes_whole(&self) -> bool;

    /// Takes a home out of its place, if it is there, and removes some of what it held; true when there is
    /// more. `id` names what has been taken out, so that another server can go on with it.
    async fn remove_home(&self, home: &str, id: &str) -> Result<bool, StorageError>;

    /// Counts all files of a home, what is left of aborted uploads too; none where there is no home.
    async fn measure(&self, home: &str) -> Result<Extent, StorageError>;
}

/// Bytes in files, and files; as a change, less where it is negative. Directories and links weigh nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) bytes: i64,
    pub(crate) files: i64,
}

impl Extent {
    pub(crate) fn file(size: u64) -> Self {
        Self { bytes: i64::try_from(size).unwrap_or(i64::MAX), files: 1 }
    }

    pub(crate) fn bytes(bytes: u64) -> Self {
        Self { bytes: i64::try_from(bytes).unwrap_or(i64::MAX), files: 0 }
    }
}

impl Add for Extent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(other.bytes), files: self.files.saturating_add(other.files) }
    }
}

impl Neg for Extent {
    type Output = Self;

    fn neg(self) -> Self {
        Self { bytes: self.bytes.saturating_neg(), files: self.files.saturating_neg() }
    }
}

/// Hears of what changes in a tree at the moment it does, also where nobody waits for it any more.
/// Only bytes written to an upload's file are left out: who writes them knows.
pub(crate) trait Tally: Send + Sync {
    fn changed(&self, by: Extent);

    /// The tree was made just now, and is empty.
    fn made(&self) {}
}

/// Of files that nobody counts.
impl Tally for () {
    fn changed(&self, _by: Extent) {}
}

/// One user's files. No path leads out of it, through symbolic links or otherwise.
#[async_trait]
pub(crate) trait Tree: Send + Sync {
    async fn metadata(&self, path: &VirtualPath) -> Result<Metadata, StorageError>;

    /// Opens a regular file for reading, at its beginning.
    async fn open_read(&self, path: &VirtualPath) -> Result<(File, Metadata), StorageError>;

    /// Finds out whether an upload could be begun, and neither makes nor changes anything.
    async fn request_upload(
        &self,
        path: &VirtualPath,
        plan: UploadPlan<'_>,
    ) -> Result<UploadRequest, StorageError>;

    async fn list(&self, path: &VirtualPath) -> Result<Listing, StorageError>;

    async fn make_directory(&self, path: &VirtualPath) -> Result<(), StorageError>;

    async fn remove_directory(&self, path: &VirtualPath) -> Result<(), StorageError>;

    /// Removes anything but a directory; of a symbolic link the link itself. What is left of an
    /// aborted upload by `owner` goes with it, or alone where nothing else stands.
    async fn remove_file(&self, path: &VirtualPath, owner: &str) -> Result<(), StorageError>;

    async fn rename(
        &self,
        from: &VirtualPath,
        to: &VirtualPath,
        may_overwrite: bool,
    ) -> Result<(), StorageError>;

    async fn set_modified(&self, path: &VirtualPath, time: FileTime) -> Result<(), StorageError>;

    /// Sets the permission bits, 0o777 at the most, of a file or directory.
    async fn set_mode(&self, path: &VirtualPath, mode: u32) -> Result<(), StorageError>;

    /// Bytes that can still be stored in a directory, as far as the file system knows.
    async fn free_space(&self, directory: &VirtualPath) -> Result<u64, StorageError>;

    /// Bytes left of an aborted upload by `owner` that was to stand at `path`; none if there is no
    /// such upload, or if a file stands there (whose size is then the one that counts).
    async fn partial_size(&self, path: &VirtualPath, owner: &str) -> Result<Option<u64>, StorageError>;
}

/// An upload that nothing speaks against, as far as can be told before it is begun.
pub(crate) type UploadRequest = Box<dyn RequestedUpload>;

#[async_trait]
pub(crate) trait RequestedUpload: Send + Sync {
    /// Whether a file stood under the name when it was requested.
    fn replaces(&self) -> bool;

    /// What opening it adds at once: a file where there is none yet, and what is copied.
    fn ahead(&self) -> Extent;

    /// What goes when it is finished: the file under the name, where that is another one.
    fn credit(&self) -> Extent;

    /// Begins it: opens what is to be written.
    async fn open(self: Box<Self>) -> Result<Upload, StorageError>;
}

/// An upload on its way. Dropped without `finish`, it is aborted: what stood under the name before
/// still stands there (unless uploads are configured to be direct).
pub(crate) type Upload = Box<dyn PendingUpload>;

#[async_trait]
pub(crate) trait PendingUpload: Send + Sync {
    /// Where the bytes go; its position is `start`.
    fn file(&self) -> &File;

    /// The offset of the first byte to write.
    fn start(&self) -> u64;

    /// So much of it is there on account of the file it replaces: nothing is kept of it if it is aborted,
    /// and it is not finished (`OverQuota`) unless that file frees so much.
    fn overdraw(&mut self, owed: Extent);

    /// Puts the file under its name, whole. Only then is 226 true.
    async fn finish(self: Box<Self>) -> Result<(), StorageError>;
}

/// How an upload begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadPlan<'a> {
    pub(crate) offset: Start,
    /// Whether what stands under the name may be replaced; else it is `Exists`, at once or at the
    /// finish.
    pub(crate) may_overwrite: bool,
    /// Whoever resumes must be the one who began; without an owner nobody can.
    pub(crate) owner: Option<&'a str>,
}

/// Where an upload's first byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// STOR.
    Beginning,
    /// REST n, then STOR or APPE: after the first n bytes of what is there.
    At(u64),
    /// APPE: after all of what is there.
    End,
}

/// A directory being read, in the order the file system has it.
pub(crate) type Listing = Box<dyn DirectoryStream>;

pub(crate) trait DirectoryStream: Send {
    /// Hands at most `most` entries to `each`; true when there may be more. Entries that vanish
    /// meanwhile, `.`, `..` and partial uploads are left out.
    fn fill(&mut self, most: usize, each: &mut dyn FnMut(&Entry<'_>)) -> Result<bool, StorageError>;
}

/// One line of a listing.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a [u8],
    /// Of a symbolic link: its target's if that lies inside the tree, else the link's own with
    /// kind `Other`.
    pub(crate) metadata: Metadata,
}

/// What is known of a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) kind: Kind,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) modified: FileTime,
    /// The twelve permission bits, as `chmod` takes them.
    pub(crate) mode: u32,
    /// Hard links.
    pub(crate) links: u64,
    /// With `inode`: the same file is the same pair.
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl Metadata {
    /// The size of what has one: a file.
    pub(crate) fn file_size(&self) -> Result<u64, StorageError> {
        match self.kind {
            Kind::File => Ok(self.size),
            Kind::Directory => Err(StorageError::IsADirectory),
            Kind::Other => Err(StorageError::NotAFile),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    /// A pipe, a socket, a device, a link that leads nowhere or out of the tree.
    Other,
}

/// A point in time since 1970-01-01T00:00:00Z; before it `seconds` is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileTime {
    pub(crate) seconds: i64,
    /// 0..1,000,000,000.
    pub(crate) nanoseconds: u32,
}
