//! Listing, making, removing and renaming.

use super::{Place, assert_fails, at};
use crate::storage::{FileTime, Kind, StorageError};

#[tokio::test]
async fn a_directory_of_20_000_entries_is_listed_in_bounded_batches() {
    let place = Place::new().await;
    for number in 0..20_000 {
        std::fs::File::create(place.disk(&format!("entry-{number:05}"))).unwrap();
    }
    let mut listing = place.tree.list(&at("/")).await.unwrap();
    let mut names = Vec::new();
    let mut more = true;
    while more {
        let before = names.len();
        more = listing.fill(333, &mut |entry| names.push(entry.name.to_vec())).unwrap();
        let batch = names.len() - before;
        assert!(batch == 333 || !more && batch < 333, "{batch}");
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 20_000);
}

#[tokio::test]
async fn a_listing_one_by_one_misses_nothing() {
    let place = Place::new().await;
    for name in ["a", "b", "c"] {
        place.write(name, name);
    }
    let mut listing = place.tree.list(&at("/")).await.unwrap();
    let mut names = Vec::new();
    while listing.fill(1, &mut |entry| names.push(entry.name.to_vec())).unwrap() {}
    names.sort();
    assert_eq!(names, [b"a", b"b", b"c"]);
}

#[tokio::test]
async fn entries_that_vanish_meanwhile_are_left_out() {
    let place = Place::new().await;
    for number in 0..10 {
        place.write(&number.to_string(), "");
    }
    let mut listing = place.tree.list(&at("/")).await.unwrap();
    let mut seen = 0;
    assert!(listing.fill(1, &mut |_| seen += 1).unwrap());
    for number in 0..10 {
        std::fs::remove_file(place.disk(&number.to_string())).unwrap();
    }
    while listing.fill(100, &mut |_| seen += 1).unwrap() {}
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn only_a_directory_is_listed() {
    let place = Place::new().await;
    place.write("file", "");
    assert_fails!(place.tree.list(&at("file")).await, StorageError::NotADirectory);
    assert_fails!(place.tree.list(&at("missing")).await, StorageError::NotFound);
    assert_fails!(place.read("/").await, StorageError::IsADirectory);
}

#[tokio::test]
async fn metadata_says_what_stands_there() {
    let place = Place::new().await;
    place.write("file", "content");
    let time = FileTime { seconds: -1, nanoseconds: 999_000_000 };
    place.tree.set_modified(&at("file"), time).await.unwrap();
    let file = place.tree.metadata(&at("file")).await.unwrap();
    assert_eq!((file.kind, file.size, file.modified, file.links), (Kind::File, 7, time, 1));
    let (_, read) = place.tree.open_read(&at("file")).await.unwrap();
    assert_eq!(read, file);
    let root = place.tree.metadata(&at("/")).await.unwrap();
    assert_eq!((root.kind, root.device), (Kind::Directory, file.device));
    assert_ne!(root.inode, file.inode);
}

#[tokio::test]
async fn directories_are_made_and_removed() {
    let place = Place::new().await;
    place.tree.make_directory(&at("dir")).await.unwrap();
    assert_fails!(place.tree.make_directory(&at("dir")).await, StorageError::Exists);
    assert_fails!(place.tree.make_directory(&at("/")).await, StorageError::Exists);
    assert_fails!(place.tree.make_directory(&at("no/dir")).await, StorageError::NotFound);
    place.write("dir/file", "");
    assert_fails!(place.tree.remove_directory(&at("dir")).await, StorageError::NotEmpty);
    assert_fails!(place.tree.remove_file(&at("dir"), "alice").await, StorageError::IsADirectory);
    assert_fails!(place.tree.remove_directory(&at("dir/file")).await, StorageError::NotADirectory);
    assert_fails!(place.tree.remove_directory(&at("/")).await, StorageError::Denied);
    assert_fails!(place.tree.remove_file(&at("/"), "alice").await, StorageError::IsADirectory);
    place.tree.remove_file(&at("dir/file"), "alice").await.unwrap();
    place.tree.remove_directory(&at("dir")).await.unwrap();
    assert_fails!(place.tree.remove_directory(&at("dir")).await, StorageError::NotFound);
}

#[tokio::test]
async fn a_rename_replaces_only_with_leave() {
    let place = Place::new().await;
    place.write("a", "a");
    place.write("b", "b");
    assert_fails!(place.tree.rename(&at("a"), &at("b"), false).await, StorageError::Exists);
    assert_eq!((place.content("a"), place.content("b")), ("a".into(), "b".into()));
    place.tree.rename(&at("a"), &at("b"), true).await.unwrap();
    assert_eq!(place.content("b"), "a");
    assert_fails!(place.read("a").await, StorageError::NotFound);
}

/// Many rename to one name at once, none with leave to replace: one of them succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_renames_to_one_name_the_first_wins() {
    let place = Place::new().await;
    for round in 0..50 {
        let mut renames = tokio::task::JoinSet::new();
        for rival in 0..8 {
            let from = format!("{round}-{rival}");
            place.write(&from, &from);
            let (tree, to) = (place.tree.clone(), at(&format!("{round}")));
            renames.spawn(async move { tree.rename(&at(&from), &to, false).await });
        }
        let mut won = 0;
        while let Some(renamed) = renames.join_next().await {
            match renamed.unwrap() {
                Ok(()) => won += 1,
                Err(StorageError::Exists) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1);
    }
}

#[tokio::test]
async fn a_directory_is_renamed_but_not_into_itself() {
    let place = Place::new().await;
    std::fs::create_dir_all(place.disk("a/b")).unwrap();
    assert_fails!(place.tree.rename(&at("a"), &at("a/b/c"), true).await, StorageError::IntoItself);
    assert_fails!(place.tree.rename(&at("/"), &at("c"), true).await, StorageError::Denied);
    assert_fails!(place.tree.rename(&at("a"), &at("/"), true).await, StorageError::Denied);
    place.tree.rename(&at("a"), &at("c"), false).await.unwrap();
    assert!(place.disk("c/b").is_dir());
}
