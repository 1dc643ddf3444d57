//! Copies: both ends' permissions, and that nothing is copied onto itself.

use std::sync::Arc;

use wharfinger_accounts::Action;
use wharfinger_config::Uploads;

use super::{Place, copy, files, user};
use crate::files::FilesError;
use crate::storage::local::LocalStorage;
use crate::storage::{Storage, StorageError};

#[tokio::test]
async fn each_end_of_a_copy_needs_its_own_permission() {
    let place = Place::new(&[("/here", &[Action::Download]), ("/there", &[Action::Upload])]).await;
    copy(&place.files, b"/here/file", b"/there/new").await.unwrap();
    let refused = copy(&place.files, b"/here/file", b"/there/file").await;
    assert!(matches!(refused, Err(FilesError::Denied(Action::Overwrite))), "{refused:?}");
    let refused = copy(&place.files, b"/there/file", b"/there/new").await;
    assert!(matches!(refused, Err(FilesError::Denied(Action::Download))), "{refused:?}");
    let refused = copy(&place.files, b"/here/file", b"/here/new").await;
    assert!(matches!(refused, Err(FilesError::Denied(Action::Upload))), "{refused:?}");
}

#[tokio::test]
async fn a_permission_lost_between_cpfr_and_cpto_is_missing() {
    let mut place = Place::new(&[("/", &Action::ALL)]).await;
    let from = place.files.copy_from(b"/here/file").await.unwrap();
    place.files.set_user(user(&[("/", &Action::ALL), ("/here", &[Action::List])]));
    let refused = place.files.copy_to(from, b"/there/new").await.map(drop);
    assert!(matches!(refused, Err(FilesError::Denied(Action::Download))), "{refused:?}");
}

#[tokio::test]
async fn only_a_file_is_copied() {
    let place = Place::new(&[("/", &Action::ALL)]).await;
    let refused = copy(&place.files, b"/here/directory", b"/here/new").await;
    assert!(matches!(refused, Err(FilesError::Storage(StorageError::IsADirectory))), "{refused:?}");
    let refused = copy(&place.files, b"/here/file", b"/here/directory").await;
    assert!(matches!(refused, Err(FilesError::Storage(StorageError::IsADirectory))), "{refused:?}");
    let refused = copy(&place.files, b"/here/missing", b"/here/new").await;
    assert!(matches!(refused, Err(FilesError::Storage(StorageError::NotFound))), "{refused:?}");
}

/// A direct upload would empty the file before it is read.
#[tokio::test]
async fn a_file_is_not_copied_onto_itself_by_whatever_name() {
    let place = Place::new(&[("/", &Action::ALL)]).await;
    let storage = LocalStorage::open(place.root.path(), Uploads::Direct, false).unwrap();
    let (files, _) =
        files(storage.open_tree("alice", Arc::new(())).await.unwrap(), user(&[("/", &Action::ALL)]));
    std::os::unix::fs::symlink("file", place.disk("here/link")).unwrap();
    std::fs::hard_link(place.disk("here/file"), place.disk("here/hard")).unwrap();
    for to in [&b"/here/file"[..], b"/here/link", b"/here/hard"] {
        let refused = copy(&files, b"/here/file", to).await;
        assert!(matches!(refused, Err(FilesError::Storage(StorageError::SameFile))), "{refused:?}");
    }
    assert_eq!(std::fs::read_to_string(place.disk("here/file")).unwrap(), "content");
}
