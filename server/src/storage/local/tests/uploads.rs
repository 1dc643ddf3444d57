//! Uploads: whole or not at all, and two at once.

use std::os::unix::fs::PermissionsExt;

use wharfinger_config::Uploads;

use super::{Place, assert_fails, at, send};
use crate::storage::{Start, StorageError, UploadPlan};

#[tokio::test]
async fn nothing_stands_under_the_name_before_the_finish() {
    let place = Place::new().await;
    let upload = place.begin("file", Start::Beginning).await.unwrap();
    send(&upload, "content");
    assert_fails!(place.read("file").await, StorageError::NotFound);
    assert_eq!(place.names("/").await, [""; 0]);
    upload.finish().await.unwrap();
    assert_eq!(place.read("file").await.unwrap(), "content");
    assert_eq!(place.names_on_disk(""), ["file"]);
}

#[tokio::test]
async fn a_request_makes_and_changes_nothing() {
    for uploads in [Uploads::AtomicResumable, Uploads::Atomic, Uploads::Direct] {
        let place = Place::with(uploads, false).await;
        place.write("file", "content");
        for (path, offset) in [("file", Start::Beginning), ("file", Start::At(3)), ("new", Start::End)] {
            let plan = UploadPlan { offset, may_overwrite: true, owner: Some("alice") };
            place.tree.request_upload(&at(path), plan).await.unwrap();
        }
        let beyond = UploadPlan { offset: Start::At(8), may_overwrite: true, owner: Some("alice") };
        let beyond = place.tree.request_upload(&at("file"), beyond).await;
        assert_fails!(beyond, StorageError::RestartBeyondEnd);
        assert_eq!((place.names_on_disk(""), place.content("file")), (vec!["file".into()], "content".into()));
    }
}

#[tokio::test]
async fn the_old_version_stands_until_the_new_one_is_whole() {
    let place = Place::new().await;
    place.write("file", "old");
    let upload = place.begin("file", Start::Beginning).await.unwrap();
    send(&upload, "new and longer");
    assert_eq!(place.content("file"), "old");
    drop(upload);
    assert_eq!(place.content("file"), "old");
    place.upload("file", Start::Beginning, "newer").await.unwrap();
    assert_eq!(place.content("file"), "newer");
}

#[tokio::test]
async fn a_reader_of_the_old_version_reads_it_to_its_end() {
    let place = Place::new().await;
    place.write("file", "old");
    let (old, _) = place.tree.open_read(&at("file")).await.unwrap();
    place.upload("file", Start::Beginning, "new").await.unwrap();
    assert_eq!(std::io::read_to_string(old).unwrap(), "old");
}

#[tokio::test]
async fn an_empty_upload_makes_an_empty_file_and_leaves_nothing_when_aborted() {
    let place = Place::new().await;
    place.upload("empty", Start::Beginning, "").await.unwrap();
    assert_eq!(place.content("empty"), "");
    place.abort("aborted", "").await;
    assert_eq!(place.names_on_disk(""), ["empty"]);
}

#[tokio::test]
async fn of_two_uploads_of_one_name_each_is_whole() {
    let place = Place::new().await;
    let first = place.begin("file", Start::Beginning).await.unwrap();
    let second = place.begin("file", Start::Beginning).await.unwrap();
    send(&first, "first");
    send(&second, "second");
    send(&first, " of two");
    second.finish().await.unwrap();
    assert_eq!(place.content("file"), "second");
    first.finish().await.unwrap();
    assert_eq!(place.content("file"), "first of two");
    assert_eq!(place.names_on_disk(""), ["file"]);
}

#[tokio::test]
async fn the_second_of_two_uploads_leaves_nothing_when_aborted() {
    let place = Place::new().await;
    let first = place.begin("file", Start::Beginning).await.unwrap();
    let second = place.begin("file", Start::Beginning).await.unwrap();
    send(&first, "first");
    send(&second, "second");
    drop(second);
    drop(first);
    assert_eq!(place.tree.partial_size(&at("file"), "alice").await.unwrap(), Some(5));
    assert_eq!(place.names_on_disk("").len(), 1);
}

#[tokio::test]
async fn many_uploads_of_one_name_at_once_end_in_one_whole_file() {
    let place = std::sync::Arc::new(Place::new().await);
    let mut uploads = tokio::task::JoinSet::new();
    for digit in "0123456789abcdef".chars() {
        let place = std::sync::Arc::clone(&place);
        uploads.spawn(async move {
            for _ in 0..20 {
                place.upload("file", Start::Beginning, &digit.to_string().repeat(100)).await.unwrap();
            }
        });
    }
    while let Some(done) = uploads.join_next().await {
        done.unwrap();
    }
    let content = place.content("file");
    assert_eq!(content, content[..1].repeat(100));
    assert_eq!(place.names_on_disk(""), ["file"]);
}

#[tokio::test]
async fn without_leave_to_overwrite_a_file_stays() {
    let place = Place::new().await;
    place.write("file", "old");
    for offset in [Start::Beginning, Start::At(2), Start::End] {
        assert_fails!(place.begin_as("alice", "file", offset, false).await, StorageError::Exists);
    }
    assert_eq!(place.names_on_disk(""), ["file"]);
}

#[tokio::test]
async fn without_leave_to_overwrite_the_first_to_finish_wins() {
    let place = Place::new().await;
    let first = place.begin_as("alice", "file", Start::Beginning, false).await.unwrap();
    let second = place.begin_as("bob", "file", Start::Beginning, false).await.unwrap();
    send(&first, "first");
    send(&second, "second");
    second.finish().await.unwrap();
    assert_fails!(first.finish().await, StorageError::Exists);
    assert_eq!(place.content("file"), "second");
}

#[tokio::test]
async fn a_directory_is_never_replaced() {
    let place = Place::new().await;
    std::fs::create_dir(place.disk("dir")).unwrap();
    assert_fails!(place.begin("dir", Start::Beginning).await, StorageError::IsADirectory);
    assert_fails!(place.begin("/", Start::Beginning).await, StorageError::IsADirectory);
    let upload = place.begin("later", Start::Beginning).await.unwrap();
    std::fs::create_dir(place.disk("later")).unwrap();
    assert_fails!(upload.finish().await, StorageError::IsADirectory);
}

#[tokio::test]
async fn the_mode_of_the_old_version_is_kept() {
    let place = Place::new().await;
    place.write("file", "old");
    for mode in [0o600, 0o444, 0o755] {
        std::fs::set_permissions(place.disk("file"), PermissionsExt::from_mode(mode)).unwrap();
        place.upload("file", Start::Beginning, "new").await.unwrap();
        assert_eq!(place.disk("file").metadata().unwrap().permissions().mode() & 0o7777, mode);
    }
}

#[tokio::test]
async fn a_part_of_a_private_file_is_private() {
    let place = Place::new().await;
    place.write("file", "old");
    std::fs::set_permissions(place.disk("file"), PermissionsExt::from_mode(0o600)).unwrap();
    let upload = place.begin("file", Start::Beginning).await.unwrap();
    assert_eq!(upload.file().metadata().unwrap().permissions().mode() & 0o7777, 0o600);
}

#[tokio::test]
async fn a_missing_directory_is_not_made() {
    let place = Place::new().await;
    place.write("file", "");
    assert_fails!(place.begin("missing/file", Start::Beginning).await, StorageError::NotFound);
    assert_fails!(place.begin("file/file", Start::Beginning).await, StorageError::NotADirectory);
}

#[tokio::test]
async fn atomic_uploads_leave_nothing_to_resume() {
    let place = Place::with(Uploads::Atomic, false).await;
    place.abort("file", "0123456789").await;
    assert_eq!(place.names_on_disk(""), [""; 0]);
    assert_fails!(place.begin("file", Start::At(10)).await, StorageError::RestartBeyondEnd);
    place.upload("file", Start::Beginning, "0123456789").await.unwrap();
    place.upload("file", Start::At(4), "abc").await.unwrap();
    place.upload("file", Start::End, "def").await.unwrap();
    assert_eq!(place.content("file"), "0123abcdef");
}

#[tokio::test]
async fn direct_uploads_are_there_from_the_first_byte() {
    let place = Place::with(Uploads::Direct, false).await;
    place.abort("file", "0123456789").await;
    assert_eq!(place.content("file"), "0123456789");
    place.upload("file", Start::At(4), "abc").await.unwrap();
    place.upload("file", Start::End, "def").await.unwrap();
    assert_eq!(place.content("file"), "0123abcdef");
    assert_fails!(place.begin("file", Start::At(11)).await, StorageError::RestartBeyondEnd);
    assert_fails!(place.begin("new", Start::At(1)).await, StorageError::RestartBeyondEnd);
    assert_fails!(place.begin_as("a", "file", Start::Beginning, false).await, StorageError::Exists);
    assert_eq!(place.names_on_disk(""), ["file"]);
}

#[tokio::test]
async fn durable_uploads_end_alike() {
    for uploads in [Uploads::AtomicResumable, Uploads::Atomic, Uploads::Direct] {
        let place = Place::with(uploads, true).await;
        place.upload("file", Start::Beginning, "content").await.unwrap();
        assert_eq!(place.content("file"), "content");
        assert_eq!(place.names_on_disk(""), ["file"]);
    }
}
