//! The local backend on real directories: each test has its own, with things outside the tree
//! that nobody may reach.

mod attributes;
mod confinement;
mod directories;
mod full_disk;
mod leftovers;
mod resuming;
mod tally;
mod uploads;

use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use wharfinger_config::Uploads;

use super::LocalStorage;
use crate::path::VirtualPath;
use crate::storage::{Start, Storage, StorageError, Tree, Upload, UploadPlan};

/// One user's tree at `root/homes/alice`, beside `root/outside` with a secret in it.
struct Place {
    root: TempDir,
    tree: Arc<dyn Tree>,
}

impl Place {
    async fn new() -> Self {
        Self::with(Uploads::AtomicResumable, false).await
    }

    async fn with(uploads: Uploads, durable: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("outside")).unwrap();
        std::fs::write(root.path().join("outside/secret"), "secret").unwrap();
        let storage = LocalStorage::open(&root.path().join("homes"), uploads, durable).unwrap();
        let tree = storage.open_tree("alice", Arc::new(())).await.unwrap();
        Self { root, tree }
    }

    fn home(&self) -> PathBuf {
        self.root.path().join("homes/alice")
    }

    /// Where a path of the tree is on the disk.
    fn disk(&self, path: &str) -> PathBuf {
        self.home().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        std::fs::write(self.disk(path), content).unwrap();
    }

    fn content(&self, path: &str) -> String {
        std::fs::read_to_string(self.disk(path)).unwrap()
    }

    fn link(&self, target: impl AsRef<Path>, path: &str) {
        std::os::unix::fs::symlink(target, self.disk(path)).unwrap();
    }

    async fn read(&self, path: &str) -> Result<String, StorageError> {
        let (mut file, _) = self.tree.open_read(&at(path)).await?;
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        Ok(content)
    }

    async fn begin(&self, path: &str, offset: Start) -> Result<Upload, StorageError> {
        self.begin_as("alice", path, offset, true).await
    }

    async fn begin_as(
        &self,
        owner: &str,
        path: &str,
        offset: Start,
        may_overwrite: bool,
    ) -> Result<Upload, StorageError> {
        self.tree
            .request_upload(&at(path), UploadPlan { offset, may_overwrite, owner: Some(owner) })
            .await?
            .open()
            .await
    }

    /// Uploads all of it, and leaves it at that.
    async fn abort(&self, path: &str, content: &str) {
        send(&self.begin(path, Start::Beginning).await.unwrap(), content);
    }

    async fn upload(&self, path: &str, offset: Start, content: &str) -> Result<(), StorageError> {
        let upload = self.begin(path, offset).await?;
        send(&upload, content);
        upload.finish().await
    }

    /// What lies in a directory on the disk, partial uploads among it.
    fn names_on_disk(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.disk(path)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().as_bytes().escape_ascii().to_string()).collect();
        names.sort();
        names
    }

    async fn names(&self, path: &str) -> Vec<String> {
        let mut listing = self.tree.list(&at(path)).await.unwrap();
        let mut names = Vec::new();
        while listing.fill(100, &mut |entry| names.push(entry.name.escape_ascii().to_string())).unwrap() {}
        names.sort();
        names
    }
}

fn at(path: &str) -> VirtualPath {
    VirtualPath::root().join(path.as_bytes()).unwrap()
}

fn send(upload: &Upload, content: &str) {
    upload.file().write_all(content.as_bytes()).unwrap();
}

/// The error, without what it stands around.
macro_rules! assert_fails {
    ($result:expr, $error:pat) => {
        match $result {
            Err($error) => {}
            Err(other) => panic!("{}: {other:?}, not {}", stringify!($result), stringify!($error)),
            Ok(_) => panic!("{}: done, not {}", stringify!($result), stringify!($error)),
        }
    };
}
use assert_fails;

#[tokio::test]
async fn a_home_is_made_with_its_parents_at_the_first_login() {
    let root = tempfile::tempdir().unwrap();
    let storage =
        LocalStorage::open(&root.path().join("new/files"), Uploads::AtomicResumable, false).unwrap();
    storage.open_tree("customers/north/alice", Arc::new(())).await.unwrap();
    assert!(root.path().join("new/files/customers/north/alice").is_dir());
    storage.open_tree("customers/north/alice", Arc::new(())).await.unwrap();
}

#[tokio::test]
async fn a_home_can_not_lie_outside_the_root() {
    let root = tempfile::tempdir().unwrap();
    let storage = LocalStorage::open(&root.path().join("files"), Uploads::AtomicResumable, false).unwrap();
    std::os::unix::fs::symlink(root.path(), root.path().join("files/link")).unwrap();
    for home in ["../other", "..", "a/../../b", "link", "link/deeper"] {
        assert_fails!(storage.open_tree(home, Arc::new(())).await, StorageError::OutsideTree);
    }
    assert!(!root.path().join("other").exists());
    assert!(!root.path().join("deeper").exists());
}
