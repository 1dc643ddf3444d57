//! Uploads: where one can be resumed, and the names that the server chooses.

use wharfinger_accounts::Action;

use super::Place;
use crate::files::FilesError;
use crate::storage::{Start, StorageError};

#[tokio::test]
async fn the_size_of_an_aborted_upload_is_where_it_can_be_resumed() {
    let place = Place::new(&[("/", &Action::ALL)]).await;
    let upload =
        place.files.upload(b"/here/new", Start::Beginning, true).await.unwrap().open().await.unwrap();
    std::io::Write::write_all(&mut upload.file(), b"01234").unwrap();
    drop(upload);
    assert_eq!(place.files.size(b"/here/new").await.unwrap(), 5);
    let resumed = place.files.upload(b"/here/new", Start::At(5), true).await.unwrap().open().await.unwrap();
    std::io::Write::write_all(&mut resumed.file(), b"56789").unwrap();
    resumed.finish().await.unwrap();
    assert_eq!(std::fs::read_to_string(place.disk("here/new")).unwrap(), "0123456789");
    let missing = place.files.size(b"/here/missing").await;
    assert!(matches!(missing, Err(FilesError::Storage(StorageError::NotFound))), "{missing:?}");
}

#[tokio::test]
async fn a_unique_upload_never_takes_a_name_in_use() {
    let place = Place::new(&[("/", &Action::ALL)]).await;
    let free = place.files.unique_upload(Some(b"/here/new"), true).await.unwrap();
    assert_eq!(free.path().as_bytes(), b"/here/new");
    for taken in [&b"/here/file"[..], b"/here/directory"] {
        let other = place.files.unique_upload(Some(taken), true).await.unwrap();
        assert!(other.path().as_bytes().starts_with(&[taken, b"-"].concat()), "{:?}", other.path());
        other.open().await.unwrap().finish().await.unwrap();
    }
    let (one, two) = (
        place.files.unique_upload(None, true).await.unwrap(),
        place.files.unique_upload(None, true).await.unwrap(),
    );
    assert_ne!(one.path(), two.path());
    assert_eq!(std::fs::read_to_string(place.disk("here/file")).unwrap(), "content");
}

#[tokio::test]
async fn a_unique_upload_needs_the_permission_for_the_name_it_gets() {
    let place = Place::new(&[("/here/file", &Action::ALL), ("/upload", &Action::ALL)]).await;
    for proposed in [Some(&b"/here/file"[..]), None] {
        let refused = place.files.unique_upload(proposed, true).await.map(|intent| intent.path().clone());
        assert!(matches!(refused, Err(FilesError::Denied(Action::Upload))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_aborted_upload_that_was_converted_leaves_nothing_to_resume() {
    let place = Place::new(&[("/", &Action::ALL)]).await;
    let upload = place.files.upload(b"/here/new", Start::Beginning, false).await.unwrap();
    let upload = upload.open().await.unwrap();
    std::io::Write::write_all(&mut upload.file(), b"01234").unwrap();
    drop(upload);
    let missing = place.files.size(b"/here/new").await;
    assert!(matches!(missing, Err(FilesError::Storage(StorageError::NotFound))), "{missing:?}");
}
