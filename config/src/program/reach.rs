//! What a program needs of the file system once it serves: said by each part of it, of a given
//! configuration, and made ready before the kernel holds the process to it (`confinement`).

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Directories that hold much else: of these only the file itself is reached, so one that is
/// replaced there can't be read before the next start.
const SHARED: [&str; 12] =
    ["/", "/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr", "/var", "/var/lib", "/var/tmp"];

/// What host names are looked up with.
const NAMES: [&str; 6] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/ld.so.cache",
];

/// Where the C library finds what else it looks names up with.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/// What every program reads: random numbers (`SQLite`), and how many cores it was given.
const ALWAYS: [&str; 4] = ["/dev/urandom", "/proc/self/cgroup", "/proc/self/mountinfo", "/sys/fs/cgroup"];

/// What a program needs of the file system.
#[derive(Debug)]
pub struct Reach {
    data_dir: PathBuf,
    files: Vec<PathBuf>,
    read: Vec<PathBuf>,
    written: Vec<(PathBuf, u32)>,
}

/// What may be done with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Reach {
    /// What every program needs.
    pub fn new(data_dir: &Path) -> Self {
        let read = ALWAYS.iter().map(PathBuf::from).collect();
        Self { data_dir: data_dir.to_owned(), files: Vec::new(), read, written: Vec::new() }
    }

    /// Files that are read, and read anew when they were replaced. An empty path is none.
    #[must_use]
    pub fn files(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.files.extend(paths.into_iter().filter(|path| !path.as_os_str().is_empty()));
        self
    }

    /// This one, whatever it is, with all that lies in it.
    #[must_use]
    pub fn reads(mut self, path: &str) -> Self {
        self.read.push(path.into());
        self
    }

    /// A directory in which all is read and written; made with this mode if it is missing.
    #[must_use]
    pub fn writes(mut self, directory: &Path, mode: u32) -> Self {
        let here = directory.as_os_str().is_empty();
        self.written.push((if here { Path::new(".") } else { directory }.to_owned(), mode));
        self
    }

    /// Host names, looked up.
    #[must_use]
    pub fn looks_up_names(mut self) -> Self {
        self.files.extend(NAMES.iter().map(PathBuf::from));
        self.read.extend(LIBRARIES.iter().map(PathBuf::from));
        self
    }

    /// What the one needs and what the other does.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.files.extend(other.files);
        self.read.extend(other.read);
        self.written.extend(other.written);
        self
    }

    /// Makes the directories that are missing. What can't be made is said here and refused by whoever
    /// needs it.
    pub(super) fn make(&self) {
        for (directory, mode) in &self.written {
            if let Err(error) = self.make_one(directory, *mode) {
                tracing::warn!(%error, directory = %directory.display(), "a directory can't be made");
            }
        }
    }

    fn make_one(&self, directory: &Path, mode: u32) -> io::Result<()> {
        let made = |path: &Path, mode| DirBuilder::new().recursive(true).mode(mode).create(path);
        // It holds secrets, whatever is made in it.
        if directory.starts_with(&self.data_dir) {
            made(&self.data_dir, 0o700)?;
        }
        made(directory, mode)
    }

    /// The places that these needs come to, as they stand on the disk now.
    pub(super) fn places(&self) -> Vec<(PathBuf, Access)> {
        let found = |path: &Path| path.canonicalize().ok();
        let written = self.written.iter().filter_map(|(path, _)| Some((found(path)?, Access::Write)));
        let read = self.read.iter().filter_map(|path| Some((found(path)?, Access::Read)));
        let files = self.files.iter().flat_map(|file| places_of(file)).map(|path| (path, Access::Read));
        written.chain(read).chain(files).collect()
    }

    /// A file that none of these places holds.
    pub(super) fn outside(&self, places: &[(PathBuf, Access)]) -> Option<&Path> {
        let reached = |file: &PathBuf| places.iter().any(|(place, _)| file.starts_with(place));
        // What isn't there is nobody's to reach.
        let outside = |file: &&PathBuf| file.canonicalize().is_ok_and(|file| !reached(&file));
        self.files.iter().find(outside).map(PathBuf::as_path)
    }
}

/// A file, and the directories where its successors will be: its own, and that which a link under its
/// name leads to.
fn places_of(file: &Path) -> Vec<PathBuf> {
    let directory_of = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new(".").canonicalize(),
        Some(parent) => parent.canonicalize(),
        None => path.canonicalize(),
    };
    let target = file.canonicalize().ok();
    let directories = [Some(file), target.as_deref()].into_iter().flatten();
    let directories = directories.filter_map(|path| directory_of(path).ok());
    let mut places: Vec<PathBuf> = directories.filter(|directory| !is_shared(directory)).collect();
    places.extend(target);
    places
}

/// Whether more than one program's files lie there.
fn is_shared(directory: &Path) -> bool {
    let home = directory.parent() == Some(Path::new("/home"));
    home || SHARED.iter().any(|shared| Path::new(shared) == directory)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_s_successors_are_reached_also_behind_a_link() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path().canonicalize().unwrap();
        for directory in ["live", "archive"] {
            fs::create_dir(top.join(directory)).unwrap();
        }
        for name in ["archive/1.pem", "archive/2.pem", "live/other.pem", "beside.pem"] {
            fs::write(top.join(name), "").unwrap();
        }
        symlink("../archive/1.pem", top.join("live/server.pem")).unwrap();
        let reach = |name: &str| Reach::new(&top).files([top.join(name)]);
        let places = reach("live/server.pem").places();
        for name in ["live/server.pem", "archive/2.pem", "live/other.pem", "nothing.pem"] {
            assert_eq!(reach(name).outside(&places), None, "{name}");
        }
        assert_eq!(reach("beside.pem").outside(&places), Some(top.join("beside.pem").as_path()));
    }

    #[test]
    fn a_directory_that_holds_much_else_is_not_reached_for_one_file_in_it() {
        let hosts = Reach::new(Path::new("data")).files(["/etc/passwd".into()]);
        let places = hosts.places();
        assert!(places.contains(&("/etc/passwd".into(), Access::Read)), "{places:?}");
        assert!(!places.iter().any(|(place, _)| place == Path::new("/etc")), "{places:?}");
        assert!(is_shared(Path::new("/home/alice")) && !is_shared(Path::new("/home/alice/tls")));
    }

    #[test]
    fn what_is_made_in_the_data_directory_opens_it_to_nobody() {
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("new/data");
        let files = data.join("files");
        Reach::new(&data).writes(&files, 0o755).make();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&files)), (0o700, 0o755));
    }
}
