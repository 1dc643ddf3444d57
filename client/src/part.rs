//! A download on its way: bytes go to a file beside the target, which gets the target's name when
//! it is whole. What an interrupted run leaves is found again by the next one, if the file on the
//! server is still the same. Uploads use such names as well.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek as _, SeekFrom, Write as _},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::failure::Failure;

/// What a file on the server is known by, so that two versions of it are not mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<Timestamp>,
}

/// An unfinished download.
#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    path: PathBuf,
    target: PathBuf,
    length: u64,
}

/// Names of files are at most 255 bytes long.
const LONGEST_STEM: usize = 200;

impl Part {
    /// Opens the part of this target, with what an earlier run left in it if that is wanted.
    pub(crate) fn open(target: &Path, version: Version, resume: bool) -> Result<Part, Failure> {
        check(target)?;
        let path = beside(target, version);
        let failed = |error| Failure::Local { path: path.clone(), error };
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(io::Error::other("another wharf is downloading this file")));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut part = Part { file, path: path.clone(), target: target.to_owned(), length: 0 };
        part.length = part.file.metadata().map_err(failed)?.len();
        if !resume || version.size.is_some_and(|size| part.length > size) {
            part.restart()?;
        }
        Ok(part)
    }

    /// How many bytes are there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins anew.
    pub(crate) fn restart(&mut self) -> Result<(), Failure> {
        let empty = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)).map(drop));
        self.length = 0;
        empty.map_err(|error| self.failure(error))
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| self.failure(error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Gives it its name, and the time the server says.
    pub(crate) fn finish(self, modified: Option<Timestamp>) -> Result<(), Failure> {
        if let Some(time) = modified {
            self.file.set_modified(time.into()).map_err(|error| self.failure(error))?;
        }
        // It may have become something else meanwhile.
        check(&self.target)?;
        fs::rename(&self.path, &self.target)
            .map_err(|error| Failure::Local { path: self.target.clone(), error })
    }

    /// Removes it if there is nothing in it worth keeping.
    pub(crate) fn leave(self) {
        if self.length == 0 {
            // It is in nobody's way if it stays.
            let _ = fs::remove_file(&self.path);
        }
    }

    fn failure(&self, error: io::Error) -> Failure {
        Failure::Local { path: self.path.clone(), error }
    }
}

/// Only a regular file is replaced: not a directory, and not a device, which a rename would remove.
fn check(target: &Path) -> Result<(), Failure> {
    let refused =
        |why: &str| Err(Failure::Local { path: target.to_owned(), error: io::Error::other(why.to_owned()) });
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_dir() => refused("is a directory"),
        Ok(metadata) if !metadata.is_file() && !metadata.is_symlink() => {
            refused("is neither a file nor a directory; `-` is standard output")
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::Local { path: target.to_owned(), error }),
    }
}

fn beside(target: &Path, version: Version) -> PathBuf {
    let name = name(target.file_name().unwrap_or_default().as_bytes(), version);
    target.with_file_name(OsString::from_vec(name))
}

/// How the name of every part ends.
pub(crate) const SUFFIX: &[u8] = b".part";

/// `.NAME.1f2e3d4c.part`, where the digits stand for the name and the version.
pub(crate) fn name(name: &[u8], version: Version) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name);
    hasher
        .update(format!("\0{:?}\0{:?}", version.size, version.modified.map(Timestamp::as_second)).as_bytes());
    let digits: String = hasher.finalize().to_hex().chars().take(8).collect();
    let stem = name.get(..LONGEST_STEM).unwrap_or(name);
    [b".", stem, b".", digits.as_bytes(), SUFFIX].concat()
}

/// Whether a file with this name is an unfinished transfer.
pub(crate) fn is_name(name: &[u8]) -> bool {
    let digits = name.strip_suffix(SUFFIX).and_then(|stem| stem.rsplit(|&byte| byte == b'.').next());
    name.starts_with(b".")
        && digits.is_some_and(|digits| digits.len() == 8 && digits.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version { size: Some(6), modified: None };

    #[test]
    fn the_target_appears_when_the_part_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("file");
        fs::write(&target, "old").unwrap();
        let mut part = Part::open(&target, VERSION, false).unwrap();
        part.write(b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        part.write(b"er!").unwrap();
        part.finish(None).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"newer!");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_part_is_resumed_for_the_same_version_only() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("file");
        let mut part = Part::open(&target, VERSION, true).unwrap();
        part.write(b"abc").unwrap();
        part.leave();
        assert_eq!(Part::open(&target, VERSION, true).unwrap().length(), 3);
        let changed = Version { size: Some(7), ..VERSION };
        assert_eq!(Part::open(&target, changed, true).unwrap().length(), 0);
        assert_eq!(Part::open(&target, VERSION, false).unwrap().length(), 0);
    }

    #[test]
    fn two_downloads_do_not_share_a_part() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("file");
        let _first = Part::open(&target, VERSION, true).unwrap();
        assert!(Part::open(&target, VERSION, true).unwrap_err().to_string().contains("another wharf"));
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        for target in [Path::new("/dev/null"), directory.path()] {
            assert_eq!(Part::open(target, VERSION, false).unwrap_err().exit_code(), 7);
        }
        assert!(!Path::new("/dev/null").is_file());
    }

    #[test]
    fn the_name_of_a_part_is_known() {
        assert!(is_name(&name(b"file", VERSION)) && is_name(&name(&[b'n'; 255], VERSION)));
        for other in [&b"file"[..], b"file.1f2e3d4c.part", b".file.part", b".file.1f2e3d4.part", b".part"] {
            assert!(!is_name(other), "{other:?}");
        }
    }

    #[test]
    fn the_longest_name_has_a_part() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("n".repeat(255));
        Part::open(&target, VERSION, false).unwrap().finish(None).unwrap();
        assert!(target.is_file());
    }
}
