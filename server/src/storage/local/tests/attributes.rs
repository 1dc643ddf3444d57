//! Permission bits of files and directories.

use std::os::unix::fs::PermissionsExt as _;

use super::{Place, assert_fails, at};
use crate::storage::StorageError;

#[tokio::test]
async fn a_mode_is_set_whatever_it_was() {
    let place = Place::new().await;
    place.write("file", "content");
    std::fs::create_dir(place.disk("directory")).unwrap();
    for path in ["file", "directory"] {
        for mode in [0, 0o777, 0o640] {
            place.tree.set_mode(&at(path), mode).await.unwrap();
            let set = std::fs::metadata(place.disk(path)).unwrap().permissions().mode();
            assert_eq!(set & 0o7777, mode, "{path}");
        }
    }
}

#[tokio::test]
async fn a_mode_is_set_through_a_link_within_the_tree_only() {
    let place = Place::new().await;
    place.write("file", "content");
    place.link("file", "inside");
    place.link("../../outside/secret", "out");
    place.tree.set_mode(&at("inside"), 0o600).await.unwrap();
    assert_eq!(std::fs::metadata(place.disk("file")).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = place.root.path().join("outside/secret");
    let before = std::fs::metadata(&secret).unwrap().permissions().mode();
    assert_fails!(place.tree.set_mode(&at("out"), 0o777).await, StorageError::OutsideTree);
    assert_fails!(place.tree.set_mode(&at("missing"), 0o777).await, StorageError::NotFound);
    assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode(), before);
}
