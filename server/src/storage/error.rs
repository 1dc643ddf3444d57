//! What can go wrong with files, and whose fault it is: the one place where the system's error
//! numbers become ours. It knows no reply code; the front ends choose those.

use std::borrow::Cow;
use std::io;

use rustix::io::Errno;
use thiserror::Error;

/// Why storage did not do it.
#[derive(Debug, Error)]
pub(crate) enum StorageError {
    #[error("there is no such file or directory")]
    NotFound,
    #[error("something stands under that name")]
    Exists,
    #[error("it is not a directory")]
    NotADirectory,
    #[error("it is a directory")]
    IsADirectory,
    /// A pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotAFile,
    #[error("the directory is not empty")]
    NotEmpty,
    /// By the file system's own rights, not by the user's permissions.
    #[error("the file system refuses it")]
    Denied,
    #[error("it leads out of the tree")]
    OutsideTree,
    #[error("a directory can't be moved into itself")]
    IntoItself,
    #[error("source and target are the same file")]
    SameFile,
    #[error("it can't be moved to another file system")]
    AnotherFileSystem,
    #[error("the name is too long")]
    TooLong,
    /// The file system or its owner's quota on it.
    #[error("there is no space left")]
    Full,
    /// More than the owner of the tree may store there.
    #[error("the quota is used up")]
    OverQuota,
    #[error("the file would be larger than the file system allows")]
    TooLarge,
    #[error("the file system is read-only")]
    ReadOnly,
    /// Nothing else keeps a user in the home.
    #[error(
        "openat2(2) is missing: it needs Linux 5.6 or newer, a container's seccomp profile that allows it, \
         and under systemd a unit without RestrictSUIDSGID="
    )]
    NoConfinement,
    /// Worth trying again later.
    #[error("it is in use, or the server is short of means")]
    Busy,
    #[error("the restart offset lies beyond the end")]
    RestartBeyondEnd,
    #[error("input or output failed: {0}")]
    Failed(#[source] io::Error),
}

impl StorageError {
    /// In words for a client: the system's own phrases where there is one, as clients look for them.
    pub(crate) fn words(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotFound => "No such file or directory.",
            Self::Exists => "File exists.",
            Self::NotADirectory => "Not a directory.",
            Self::IsADirectory => "Is a directory.",
            Self::NotAFile => "Not a regular file.",
            Self::NotEmpty => "Directory not empty.",
            Self::Denied => "Permission denied.",
            Self::Full => "No space left.",
            Self::OverQuota => "The quota is used up.",
            Self::ReadOnly => "Read-only file system.",
            // The cause is logged; a client learns nothing of the machine from it.
            Self::Failed(_) => "The file system failed.",
            other => return Cow::Owned(format!("{other}.")),
        })
    }
}

impl From<Errno> for StorageError {
    fn from(number: Errno) -> Self {
        match number {
            Errno::NOENT => Self::NotFound,
            Errno::EXIST => Self::Exists,
            Errno::NOTDIR => Self::NotADirectory,
            Errno::ISDIR => Self::IsADirectory,
            Errno::NXIO | Errno::NODEV => Self::NotAFile,
            Errno::NOTEMPTY => Self::NotEmpty,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            // What openat2 answers to a link that leads out, and to one that leads to itself.
            Errno::XDEV | Errno::LOOP => Self::OutsideTree,
            Errno::NAMETOOLONG => Self::TooLong,
            Errno::NOSPC | Errno::DQUOT => Self::Full,
            Errno::FBIG => Self::TooLarge,
            Errno::ROFS => Self::ReadOnly,
            Errno::BUSY | Errno::TXTBSY | Errno::AGAIN | Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
                Self::Busy
            }
            other => Self::Failed(other.into()),
        }
    }
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(number) => number.into(),
            None => Self::Failed(error),
        }
    }
}
