//! Partial uploads: nobody sees them, nobody names them, and they don't lie about for ever.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::super::sweep;
use super::{Place, assert_fails, at, send};
use crate::path::{PathError, VirtualPath};
use crate::storage::{Extent, Start, StorageError};

const WEEK: Duration = Duration::from_hours(7 * 24);

/// Sets the time of all partial uploads of a directory.
fn age(place: &Place, path: &str, age: Duration) {
    for entry in std::fs::read_dir(place.disk(path)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().as_bytes().starts_with(b".wharfinger-") {
            let file = std::fs::File::options().write(true).open(entry.path()).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
    }
}

#[tokio::test]
async fn a_partial_upload_is_neither_listed_nor_addressed() {
    let place = Place::new().await;
    place.write(".hidden", "");
    place.abort("file", "content").await;
    let parts: Vec<_> =
        place.names_on_disk("").into_iter().filter(|name| name.starts_with(".wharfinger-")).collect();
    assert_eq!(parts.len(), 1);
    assert_eq!(place.names("/").await, [".hidden"]);
    assert_eq!(VirtualPath::root().join(parts[0].as_bytes()), Err(PathError::Reserved));
}

#[tokio::test]
async fn a_sweep_removes_old_parts_only() {
    let place = Place::new().await;
    std::fs::create_dir_all(place.disk("deep/deeper")).unwrap();
    place.abort("deep/deeper/old", "old").await;
    age(&place, "deep/deeper", WEEK + Duration::from_mins(1));
    place.abort("old", "old").await;
    age(&place, "", WEEK + Duration::from_mins(1));
    place.abort("young", "young").await;
    place.write(".wharfinger-notes", "not a part");
    place.write("file.part", "a user's own");
    for mine in [".wharfinger-notes", "file.part"] {
        let file = std::fs::File::options().write(true).open(place.disk(mine)).unwrap();
        file.set_modified(SystemTime::now() - 2 * WEEK).unwrap();
    }
    let mut removed = sweep(place.root.path(), WEEK).unwrap();
    removed.sort_by_key(|(path, _)| path.clone());
    let freed = Extent::file(3);
    assert_eq!(removed, [(at("/homes/alice"), freed), (at("/homes/alice/deep/deeper"), freed)]);
    assert_eq!(place.names("/").await, ["deep", "file.part"]);
    assert_eq!(place.names_on_disk("deep/deeper"), [""; 0]);
    assert_eq!(place.tree.partial_size(&at("young"), "alice").await.unwrap(), Some(5));
    assert_eq!(place.tree.partial_size(&at("old"), "alice").await.unwrap(), None);
}

#[tokio::test]
async fn a_sweep_leaves_an_upload_that_is_running() {
    let place = Place::new().await;
    let upload = place.begin("file", Start::Beginning).await.unwrap();
    send(&upload, "content");
    age(&place, "", 2 * WEEK);
    assert_eq!(sweep(place.root.path(), WEEK).unwrap(), []);
    upload.finish().await.unwrap();
    assert_eq!(place.content("file"), "content");
}

#[tokio::test]
async fn a_sweep_follows_no_link() {
    let place = Place::new().await;
    place.abort("old", "old").await;
    age(&place, "", 2 * WEEK);
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(place.home(), elsewhere.path().join("link")).unwrap();
    assert_eq!(sweep(elsewhere.path(), WEEK).unwrap(), []);
    assert_eq!(place.names_on_disk("").len(), 1);
}

#[tokio::test]
async fn a_directory_that_looks_empty_can_be_removed() {
    let place = Place::new().await;
    std::fs::create_dir(place.disk("dir")).unwrap();
    place.abort("dir/file", "content").await;
    place.tree.remove_directory(&at("dir")).await.unwrap();
    assert!(!place.disk("dir").exists());
}

#[tokio::test]
async fn a_directory_that_is_being_uploaded_to_can_not_be_removed() {
    let place = Place::new().await;
    std::fs::create_dir(place.disk("dir")).unwrap();
    let upload = place.begin("dir/file", Start::Beginning).await.unwrap();
    assert_fails!(place.tree.remove_directory(&at("dir")).await, StorageError::Busy);
    upload.finish().await.unwrap();
    place.abort("dir/other", "content").await;
    assert_fails!(place.tree.remove_directory(&at("dir")).await, StorageError::NotEmpty);
    assert_eq!(place.tree.partial_size(&at("dir/other"), "alice").await.unwrap(), Some(7));
}

#[tokio::test]
async fn removing_a_file_forgets_its_owner_s_part_and_no_other() {
    let place = Place::new().await;
    place.write("file", "content");
    place.abort("file", "part").await;
    let other = place.begin_as("bob", "file", Start::Beginning, true).await.unwrap();
    send(&other, "bob's");
    drop(other);
    place.tree.remove_file(&at("file"), "alice").await.unwrap();
    assert_eq!(place.tree.partial_size(&at("file"), "alice").await.unwrap(), None);
    assert_eq!(place.tree.partial_size(&at("file"), "bob").await.unwrap(), Some(5));
    assert_fails!(place.tree.remove_file(&at("file"), "alice").await, StorageError::NotFound);
}

#[tokio::test]
async fn a_part_that_could_not_be_published_can_be_opened_again() {
    let place = Place::new().await;
    place.write("file", "old");
    std::fs::set_permissions(place.disk("file"), PermissionsExt::from_mode(0o444)).unwrap();
    let upload = place.begin("file", Start::Beginning).await.unwrap();
    send(&upload, "new");
    std::fs::remove_file(place.disk("file")).unwrap();
    std::fs::create_dir(place.disk("file")).unwrap();
    assert_fails!(upload.finish().await, StorageError::IsADirectory);
    let part = place.names_on_disk("").into_iter().find(|name| name.starts_with(".wharfinger-")).unwrap();
    let mode = place.disk(&part).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}
