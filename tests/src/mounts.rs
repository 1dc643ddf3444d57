//! File systems of the tests' own, which only root can mount.

use std::path::{Path, PathBuf};

use crate::tools;

/// A file system that is mounted until this is dropped.
pub struct Mount(PathBuf);

impl Mount {
    /// Mounts at this directory, as mount(8) does with these arguments.
    pub fn new(arguments: &[&str], at: &Path) -> Mount {
        tools::run("mount", &[arguments, &[at.to_str().unwrap()]].concat()).succeeded();
        Mount(at.to_owned())
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: somebody who is just ending may still have a file open.
        tools::run("umount", &["--lazy", self.0.to_str().unwrap()]);
    }
}

/// Whether this is root, on a machine that has all of these; if not, says what is not tested.
pub fn can(what: &str, devices: &[&str]) -> bool {
    let can = rustix::process::geteuid().is_root() && devices.iter().all(|device| Path::new(device).exists());
    if !can {
        eprintln!("NOT TESTED: {what} takes root and {devices:?}");
    }
    can
}
