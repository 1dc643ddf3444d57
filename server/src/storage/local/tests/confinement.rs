//! Nothing outside the tree is read, written, listed, renamed or removed, by whatever link.

use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{self, TryRecvError};

use rustix::fs::{CWD, Mode, RenameFlags};

use super::{Place, assert_fails, at};
use crate::path::VirtualPath;
use crate::storage::{FileTime, Kind, Start, StorageError};

const NOON: FileTime = FileTime { seconds: 1_000_000_000, nanoseconds: 0 };

/// Links of each kind that lead out: names of what leads to the secret, and to its directory.
fn leave(place: &Place) -> ([&'static str; 3], [&'static str; 3]) {
    let outside = place.root.path().join("outside");
    place.link(outside.join("secret"), "absolute");
    place.link("../../outside/secret", "relative");
    place.link(&outside, "absolute-dir");
    place.link("../../outside", "relative-dir");
    place.link("inner/../../../outside", "winding-dir");
    place.link("relative", "chained");
    std::fs::create_dir(place.disk("inner")).unwrap();
    (["absolute", "relative", "chained"], ["absolute-dir", "relative-dir", "winding-dir"])
}

#[tokio::test]
async fn a_link_to_a_file_outside_leads_nowhere() {
    let place = Place::new().await;
    let (files, directories) = leave(&place);
    let through = directories.map(|directory| format!("{directory}/secret"));
    for path in files.into_iter().chain(through.iter().map(String::as_str)) {
        assert_fails!(place.read(path).await, StorageError::OutsideTree);
        assert_fails!(place.tree.metadata(&at(path)).await, StorageError::OutsideTree);
        assert_fails!(place.tree.set_modified(&at(path), NOON).await, StorageError::OutsideTree);
        for offset in [Start::Beginning, Start::At(3), Start::End] {
            assert_fails!(place.begin(path, offset).await, StorageError::OutsideTree);
        }
    }
    assert_eq!(std::fs::read_to_string(place.root.path().join("outside/secret")).unwrap(), "secret");
}

#[tokio::test]
async fn a_link_to_a_directory_outside_leads_nowhere() {
    let place = Place::new().await;
    place.write("mine", "mine");
    let (_, directories) = leave(&place);
    for directory in directories {
        let new = at(&format!("{directory}/new"));
        let secret = at(&format!("{directory}/secret"));
        assert_fails!(place.tree.list(&at(directory)).await, StorageError::OutsideTree);
        assert_fails!(place.tree.make_directory(&new).await, StorageError::OutsideTree);
        assert_fails!(place.tree.remove_directory(&new).await, StorageError::OutsideTree);
        assert_fails!(place.tree.remove_file(&secret, "alice").await, StorageError::OutsideTree);
        assert_fails!(place.tree.partial_size(&secret, "alice").await, StorageError::OutsideTree);
        assert_fails!(place.tree.rename(&secret, &at("stolen"), true).await, StorageError::OutsideTree);
        assert_fails!(place.tree.rename(&at("mine"), &new, true).await, StorageError::OutsideTree);
        let upload = place.begin(&format!("{directory}/new"), Start::Beginning).await;
        assert_fails!(upload, StorageError::OutsideTree);
    }
    let outside: Vec<_> = std::fs::read_dir(place.root.path().join("outside")).unwrap().collect();
    assert_eq!(outside.len(), 1);
}

#[tokio::test]
async fn a_magic_link_is_never_followed() {
    let place = Place::new().await;
    place.link("/proc/self/root", "root");
    place.link("/proc/self/cwd", "here");
    for path in ["root/etc/passwd", "here/Cargo.toml", "root", "here"] {
        assert_fails!(place.tree.metadata(&at(path)).await, StorageError::OutsideTree);
    }
}

#[tokio::test]
async fn a_link_inside_the_tree_is_followed() {
    let place = Place::new().await;
    std::fs::create_dir_all(place.disk("real/deep")).unwrap();
    place.write("real/deep/file", "content");
    place.link("real/deep", "dir");
    place.link("../deep/../deep/file", "real/deep/loop-back");
    place.link("dir/file", "file");
    assert_eq!(place.read("dir/file").await.unwrap(), "content");
    assert_eq!(place.read("file").await.unwrap(), "content");
    assert_eq!(place.read("dir/loop-back").await.unwrap(), "content");
    assert_eq!(place.names("dir").await, ["file", "loop-back"]);
    place.upload("dir/new", Start::Beginning, "new").await.unwrap();
    assert_eq!(place.content("real/deep/new"), "new");
    place.tree.set_modified(&at("file"), NOON).await.unwrap();
    assert_eq!(place.tree.metadata(&at("dir/file")).await.unwrap().modified, NOON);
}

#[tokio::test]
async fn an_upload_replaces_a_link_and_leaves_what_it_led_to() {
    let place = Place::new().await;
    place.write("target", "old");
    place.link("target", "link");
    place.upload("link", Start::Beginning, "new").await.unwrap();
    assert_eq!((place.content("link"), place.content("target")), ("new".into(), "old".into()));
}

#[tokio::test]
async fn removing_and_renaming_a_link_means_the_link() {
    let place = Place::new().await;
    leave(&place);
    place.tree.rename(&at("absolute"), &at("renamed"), false).await.unwrap();
    place.tree.remove_file(&at("renamed"), "alice").await.unwrap();
    place.tree.remove_file(&at("relative-dir"), "alice").await.unwrap();
    assert_fails!(place.tree.remove_directory(&at("absolute-dir")).await, StorageError::NotADirectory);
    assert!(place.root.path().join("outside/secret").exists());
}

#[tokio::test]
async fn links_in_a_circle_and_into_nowhere_are_errors() {
    let place = Place::new().await;
    place.link("circle", "circle");
    place.link("nowhere", "dangling");
    assert_fails!(place.read("circle").await, StorageError::OutsideTree);
    assert_fails!(place.read("dangling").await, StorageError::NotFound);
    assert_fails!(place.begin("dangling", Start::Beginning).await, StorageError::NotAFile);
    assert!(!place.disk("nowhere").exists());
}

#[tokio::test]
async fn a_listing_tells_nothing_of_what_links_out_lead_to() {
    let place = Place::new().await;
    leave(&place);
    place.write("file", "content");
    place.link("file", "link");
    place.link("nowhere", "dangling");
    let mut listing = place.tree.list(&VirtualPath::root()).await.unwrap();
    let mut seen = Vec::new();
    listing
        .fill(100, &mut |entry| {
            seen.push((String::from_utf8(entry.name.to_vec()).unwrap(), entry.metadata));
        })
        .unwrap();
    assert_eq!(seen.len(), 10);
    for (name, metadata) in seen {
        let kind = match name.as_str() {
            "file" | "link" => Kind::File,
            "inner" => Kind::Directory,
            _ => Kind::Other,
        };
        assert_eq!(metadata.kind, kind, "{name}");
        if name == "link" {
            assert_eq!(metadata.size, 7);
        }
    }
}

/// A directory and a link to the outside trade places all the while: whichever the kernel meets,
/// nothing outside is ever opened or written.
#[test]
fn a_link_swapped_in_mid_way_leads_nowhere() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = runtime.block_on(Place::new());
    std::fs::create_dir(place.disk("dir")).unwrap();
    place.write("dir/secret", "harmless");
    place.link("../../outside", "swap");
    let (directory, swap) = (place.disk("dir"), place.disk("swap"));
    let (running, stopped) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                rustix::fs::renameat_with(CWD, &directory, CWD, &swap, RenameFlags::EXCHANGE).unwrap();
            }
        });
        runtime.block_on(work_while_swapped(&place));
        drop(running);
    });
    let outside: Vec<_> = std::fs::read_dir(place.root.path().join("outside")).unwrap().collect();
    assert_eq!(outside.len(), 1, "{outside:?}");
}

/// Goes on until both have been met often: the directory and the link.
async fn work_while_swapped(place: &Place) {
    let (mut reached, mut refused) = (0, 0);
    while reached < 200 || refused < 200 {
        match place.read("dir/secret").await {
            Ok(content) => {
                assert_eq!(content, "harmless");
                reached += 1;
            }
            Err(StorageError::OutsideTree | StorageError::Busy) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
        if let Err(error) = place.upload("dir/new", Start::Beginning, "new").await {
            assert!(matches!(error, StorageError::OutsideTree | StorageError::Busy), "{error:?}");
        }
        let made = place.tree.make_directory(&at(&format!("dir/{reached}-{refused}"))).await;
        if let Err(error) = made {
            let refused = matches!(error, StorageError::OutsideTree | StorageError::Busy);
            assert!(refused || matches!(error, StorageError::Exists), "{error:?}");
        }
    }
}

#[tokio::test]
async fn pipes_sockets_and_devices_are_refused_without_waiting() {
    let place = Place::new().await;
    rustix::fs::mkfifoat(CWD, place.disk("pipe"), Mode::from(0o600)).unwrap();
    let _socket = UnixListener::bind(place.disk("socket")).unwrap();
    let mut names = vec!["pipe", "socket"];
    if rustix::process::geteuid().is_root() {
        let device = rustix::fs::makedev(1, 5); // /dev/zero
        let kind = rustix::fs::FileType::CharacterDevice;
        rustix::fs::mknodat(CWD, place.disk("device"), kind, Mode::from(0o600), device).unwrap();
        assert!(place.disk("device").metadata().unwrap().file_type().is_char_device());
        names.push("device");
    }
    place.link("pipe", "link");
    names.push("link");
    for name in names {
        assert_fails!(place.read(name).await, StorageError::NotAFile);
        for offset in [Start::Beginning, Start::At(1), Start::End] {
            assert_fails!(place.begin(name, offset).await, StorageError::NotAFile);
        }
        assert_eq!(place.tree.metadata(&at(name)).await.unwrap().kind, Kind::Other);
    }
    place.tree.remove_file(&at("pipe"), "alice").await.unwrap();
}

#[tokio::test]
async fn every_odd_name_is_a_plain_name() {
    let place = Place::new().await;
    let longest = "n".repeat(255);
    for name in [longest.as_bytes(), b"dots...", b"...", b" ", b"a\nb", b"\xff\xfe", b"-rf", b"*", b"c:\\d"] {
        let path = VirtualPath::root().join(name).unwrap();
        let plan =
            crate::storage::UploadPlan { offset: Start::Beginning, may_overwrite: false, owner: Some("a") };
        let upload = place.tree.request_upload(&path, plan).await.unwrap().open().await.unwrap();
        upload.finish().await.unwrap();
        assert_eq!(place.names("/").await, [name.escape_ascii().to_string()]);
        place.tree.metadata(&path).await.unwrap();
        place.tree.remove_file(&path, "alice").await.unwrap();
    }
}
