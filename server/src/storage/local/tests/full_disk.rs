//! A file system without space: a small tmpfs, which only root can mount. As another user there is
//! nothing to test here, and the test says so.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use wharfinger_config::Uploads;

use super::super::LocalStorage;
use super::{assert_fails, at, send};
use crate::storage::{Start, Storage, StorageError, UploadPlan};

/// A tmpfs of 1 MiB, unmounted in the end.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(at: &Path) -> Self {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(at).output();
        let mount = mount.expect("mount(8) is needed: apt-get install mount");
        assert!(mount.status.success(), "root can't mount a tmpfs here: {}", mount.stderr.escape_ascii());
        Self(at.to_owned())
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a test that fails may still hold files open.
        let status = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(std::thread::panicking() || status.is_ok_and(|status| status.success()));
    }
}

#[tokio::test]
async fn a_full_disk_leaves_the_old_version_and_no_half_file() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: a full disk takes root, to mount a small tmpfs");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let _tmpfs = Tmpfs::mount(place.path());
    let storage = LocalStorage::open(place.path(), Uploads::AtomicResumable, true).unwrap();
    let tree = storage.open_tree("alice", Arc::new(())).await.unwrap();
    let plan = |offset| UploadPlan { offset, may_overwrite: true, owner: Some("alice") };
    let old = "old".repeat(200_000);
    let upload =
        tree.request_upload(&at("file"), plan(Start::Beginning)).await.unwrap().open().await.unwrap();
    send(&upload, &old);
    upload.finish().await.unwrap();

    let upload =
        tree.request_upload(&at("file"), plan(Start::Beginning)).await.unwrap().open().await.unwrap();
    let written = upload.file().write_all(&vec![b'n'; 2 << 20]).map_err(StorageError::from);
    assert_fails!(written, StorageError::Full);
    drop(upload);
    assert_eq!(std::fs::read_to_string(place.path().join("alice/file")).unwrap(), old);
    // Begun anew and left empty, the part is gone; an append copies the file first.
    drop(tree.request_upload(&at("file"), plan(Start::Beginning)).await.unwrap().open().await.unwrap());
    let append = tree.request_upload(&at("file"), plan(Start::End)).await.unwrap();
    assert_fails!(append.open().await, StorageError::Full);

    // What the copy needed is given back, so that there is space for something smaller.
    let upload =
        tree.request_upload(&at("file"), plan(Start::Beginning)).await.unwrap().open().await.unwrap();
    send(&upload, "new");
    upload.finish().await.unwrap();
    assert_eq!(std::fs::read_to_string(place.path().join("alice/file")).unwrap(), "new");
    assert_eq!(std::fs::read_dir(place.path().join("alice")).unwrap().count(), 1);
}
