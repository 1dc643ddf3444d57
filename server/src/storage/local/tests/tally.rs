//! What storage tells of its changes adds up to what lies on the disk, whatever is done.

use std::sync::{Arc, Mutex};

use wharfinger_config::Uploads;

use super::super::LocalStorage;
use super::{at, send};
use crate::storage::{Extent, Start, Storage, StorageError, Tally, Tree, Upload, UploadPlan};

#[derive(Default)]
struct Sum(Mutex<Extent>);

impl Tally for Sum {
    fn changed(&self, by: Extent) {
        let mut sum = self.0.lock().unwrap();
        *sum = *sum + by;
    }
}

struct Counted {
    storage: LocalStorage,
    tree: Arc<dyn Tree>,
    sum: Arc<Sum>,
    _root: tempfile::TempDir,
}

impl Counted {
    async fn new(uploads: Uploads) -> Self {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::open(root.path(), uploads, false).unwrap();
        let sum = Arc::new(Sum::default());
        let tree = storage.open_tree("alice", sum.clone()).await.unwrap();
        Self { storage, tree, sum, _root: root }
    }

    async fn begin(&self, path: &str, offset: Start) -> Upload {
        let plan = UploadPlan { offset, may_overwrite: true, owner: Some("alice") };
        self.tree.request_upload(&at(path), plan).await.unwrap().open().await.unwrap()
    }

    /// Writes, and tells of what it wrote as a server does.
    fn write(&self, upload: &Upload, content: &str) {
        send(upload, content);
        self.sum.changed(Extent::bytes(content.len() as u64));
    }

    async fn upload(&self, path: &str, offset: Start, content: &str) {
        let upload = self.begin(path, offset).await;
        self.write(&upload, content);
        upload.finish().await.unwrap();
    }

    async fn agrees(&self, what: &str) {
        let measured = self.storage.measure("alice").await.unwrap();
        assert_eq!(*self.sum.0.lock().unwrap(), measured, "after {what}");
    }
}

async fn adds_up(uploads: Uploads) {
    let it = Counted::new(uploads).await;
    it.upload("a", Start::Beginning, "0123456789").await;
    it.agrees("a new file").await;
    it.upload("a", Start::Beginning, "01234").await;
    it.agrees("a file replaced by a smaller one").await;
    it.upload("a", Start::End, "56789").await;
    it.agrees("an append").await;
    it.upload("a", Start::At(3), "345").await;
    it.agrees("going on in the midst of a file").await;
    drop(it.begin("nothing", Start::Beginning).await);
    it.agrees("an upload of which nothing came").await;
    let broken = it.begin("b", Start::Beginning).await;
    it.write(&broken, "0123");
    it.agrees("half an upload").await;
    drop(broken);
    it.agrees("an aborted upload").await;
    if uploads == Uploads::AtomicResumable {
        it.upload("b", Start::At(2), "23456").await;
        it.agrees("a resumed upload").await;
    }
    it.upload("c", Start::Beginning, "01").await;
    it.tree.rename(&at("a"), &at("c"), true).await.unwrap();
    it.agrees("a file renamed over another").await;
    it.tree.rename(&at("c"), &at("c"), true).await.unwrap();
    it.agrees("a file renamed to itself").await;
    it.tree.remove_file(&at("c"), "alice").await.unwrap();
    it.agrees("a removed file").await;
    it.tree.make_directory(&at("d")).await.unwrap();
    let inside = it.begin("d/e", Start::Beginning).await;
    it.write(&inside, "0123");
    drop(inside);
    if uploads != Uploads::Direct {
        it.tree.remove_directory(&at("d")).await.unwrap();
    }
    it.agrees("a removed directory").await;
}

#[tokio::test]
async fn what_is_told_adds_up_to_what_is_there() {
    for uploads in [Uploads::Atomic, Uploads::AtomicResumable, Uploads::Direct] {
        adds_up(uploads).await;
    }
}

#[tokio::test]
async fn uploads_that_replace_the_same_file_free_each_other() {
    let it = Counted::new(Uploads::Atomic).await;
    it.upload("file", Start::Beginning, "01").await;
    let (one, other) = (it.begin("file", Start::Beginning).await, it.begin("file", Start::Beginning).await);
    it.write(&one, "0123456");
    it.write(&other, "012");
    one.finish().await.unwrap();
    it.agrees("the first").await;
    other.finish().await.unwrap();
    it.agrees("the second").await;
}

#[tokio::test]
async fn an_upload_on_credit_needs_the_file_it_replaces_and_leaves_nothing() {
    let it = Counted::new(Uploads::AtomicResumable).await;
    it.upload("file", Start::Beginning, "01234").await;
    for finish in [true, false] {
        let mut upload = it.begin("file", Start::Beginning).await;
        it.write(&upload, "0123456789");
        upload.overdraw(Extent { bytes: 6, files: 1 });
        if finish {
            let refused = upload.finish().await;
            assert!(matches!(refused, Err(StorageError::OverQuota)), "{refused:?}");
        } else {
            drop(upload);
        }
        it.agrees("an upload on credit that was not finished").await;
        assert_eq!(it.storage.measure("alice").await.unwrap(), Extent::file(5));
    }
    let mut upload = it.begin("file", Start::Beginning).await;
    it.write(&upload, "0123456789");
    upload.overdraw(Extent { bytes: 5, files: 1 });
    upload.finish().await.unwrap();
    assert_eq!(it.storage.measure("alice").await.unwrap(), Extent::file(10));
}
