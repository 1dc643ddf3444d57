//! Uploads that go on where something ends: an aborted one, or the file itself.

use std::time::{Duration, SystemTime};

use super::{Place, assert_fails, at, send};
use crate::storage::{Start, StorageError, UploadPlan};

#[tokio::test]
async fn an_aborted_upload_is_resumed_where_it_ended() {
    let place = Place::new().await;
    place.abort("file", "0123456789").await;
    assert_eq!(place.tree.partial_size(&at("file"), "alice").await.unwrap(), Some(10));
    let upload = place.begin("file", Start::At(10)).await.unwrap();
    assert_eq!(upload.start(), 10);
    send(&upload, "abc");
    upload.finish().await.unwrap();
    assert_eq!(place.content("file"), "0123456789abc");
    assert_eq!(place.names_on_disk(""), ["file"]);
}

#[tokio::test]
async fn an_aborted_upload_is_resumed_before_its_end() {
    let place = Place::new().await;
    place.abort("file", "0123456789").await;
    place.upload("file", Start::At(4), "abc").await.unwrap();
    assert_eq!(place.content("file"), "0123abc");
}

#[tokio::test]
async fn resuming_prefers_the_owners_part_to_the_file() {
    let place = Place::new().await;
    place.write("file", "old old old");
    place.abort("file", "new ").await;
    assert_eq!(place.tree.partial_size(&at("file"), "alice").await.unwrap(), None);
    place.upload("file", Start::At(4), "version").await.unwrap();
    assert_eq!(place.content("file"), "new version");
}

#[tokio::test]
async fn without_a_part_an_upload_is_resumed_from_the_file() {
    let place = Place::new().await;
    place.write("file", "0123456789");
    let upload = place.begin("file", Start::At(4)).await.unwrap();
    assert_eq!(upload.start(), 4);
    send(&upload, "abc");
    assert_eq!(place.content("file"), "0123456789");
    upload.finish().await.unwrap();
    assert_eq!(place.content("file"), "0123abc");
}

#[tokio::test]
async fn nobody_resumes_another_owners_upload() {
    let place = Place::new().await;
    place.abort("file", "alice's").await;
    assert_eq!(place.tree.partial_size(&at("file"), "bob").await.unwrap(), None);
    let upload = place.begin_as("bob", "file", Start::At(3), true).await;
    assert_fails!(upload, StorageError::RestartBeyondEnd);
    place.upload("file", Start::At(7), " file").await.unwrap();
    assert_eq!(place.content("file"), "alice's file");
}

#[tokio::test]
async fn a_restart_beyond_the_end_is_refused_and_leaves_no_trace() {
    let place = Place::new().await;
    assert_fails!(place.begin("new", Start::At(1)).await, StorageError::RestartBeyondEnd);
    assert_eq!(place.names_on_disk(""), [""; 0]);
    place.write("file", "0123456789");
    assert_fails!(place.begin("file", Start::At(11)).await, StorageError::RestartBeyondEnd);
    assert_fails!(place.begin("file", Start::At(u64::MAX)).await, StorageError::RestartBeyondEnd);
    place.upload("file", Start::At(10), "!").await.unwrap();
    assert_eq!(place.content("file"), "0123456789!");
    place.abort("part", "0123").await;
    assert_fails!(place.begin("part", Start::At(5)).await, StorageError::RestartBeyondEnd);
    assert_eq!(place.tree.partial_size(&at("part"), "alice").await.unwrap(), Some(4));
}

#[tokio::test]
async fn an_append_goes_on_after_the_file() {
    let place = Place::new().await;
    place.upload("log", Start::End, "one ").await.unwrap();
    let upload = place.begin("log", Start::End).await.unwrap();
    assert_eq!(upload.start(), 4);
    send(&upload, "two");
    assert_eq!(place.content("log"), "one ");
    upload.finish().await.unwrap();
    assert_eq!(place.content("log"), "one two");
}

#[tokio::test]
async fn an_append_without_a_file_goes_on_after_the_owners_part() {
    let place = Place::new().await;
    place.abort("log", "one ").await;
    place.upload("log", Start::End, "two").await.unwrap();
    assert_eq!(place.content("log"), "one two");
}

#[tokio::test]
async fn an_append_never_replaces_a_file_it_has_not_read() {
    let place = Place::new().await;
    let upload = place.begin("log", Start::End).await.unwrap();
    send(&upload, "mine");
    place.write("log", "another's");
    assert_fails!(upload.finish().await, StorageError::Exists);
    assert_eq!(place.content("log"), "another's");
}

#[tokio::test]
async fn beginning_again_forgets_the_part() {
    let place = Place::new().await;
    place.abort("file", "0123456789").await;
    place.upload("file", Start::Beginning, "ab").await.unwrap();
    assert_eq!(place.content("file"), "ab");
}

#[tokio::test]
async fn an_upload_still_running_can_not_be_resumed() {
    let place = Place::new().await;
    let running = place.begin("file", Start::Beginning).await.unwrap();
    send(&running, "0123");
    assert_fails!(place.begin("file", Start::At(4)).await, StorageError::Busy);
    assert_fails!(place.begin("file", Start::End).await, StorageError::Busy);
    assert_eq!(place.names_on_disk("").len(), 1);
    drop(running);
    place.upload("file", Start::At(4), "4567").await.unwrap();
    assert_eq!(place.content("file"), "01234567");
}

#[tokio::test]
async fn versions_are_never_mixed() {
    let place = Place::new().await;
    place.write("file", "old old old");
    place.abort("file", "new ").await;
    for offset in [Start::At(5), Start::At(11), Start::End] {
        let plan = UploadPlan { offset, may_overwrite: true, owner: Some("alice") };
        let requested = place.tree.request_upload(&at("file"), plan).await;
        assert_fails!(requested, StorageError::RestartBeyondEnd);
    }
    place.upload("file", Start::At(4), "version").await.unwrap();
    assert_eq!(place.content("file"), "new version");
}

#[tokio::test]
async fn a_part_older_than_the_file_is_ignored() {
    for (offset, content) in [(Start::At(4), "0123!"), (Start::End, "0123456789!")] {
        let place = Place::new().await;
        place.abort("file", "stale part").await;
        place.write("file", "0123456789");
        let later = SystemTime::now() + Duration::from_hours(1);
        std::fs::File::options().write(true).open(place.disk("file")).unwrap().set_modified(later).unwrap();
        place.upload("file", offset, "!").await.unwrap();
        assert_eq!(place.content("file"), content);
    }
}

#[tokio::test]
async fn an_aborted_append_to_a_file_leaves_nothing() {
    let place = Place::new().await;
    place.write("log", "one ");
    send(&place.begin("log", Start::End).await.unwrap(), "two");
    assert_eq!(place.names_on_disk(""), ["log"]);
    assert_eq!(place.content("log"), "one ");
}
