//! What must be in a user's home: what was acknowledged, and nothing else. A name is a path from the
//! home, without a slash at its front; the home itself is the empty one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dice::Dice;

/// Awkward, and every one of them a good name.
const NAMES: [&str; 10] = [
    "alpha",
    "beta gamma",
    "ümlaut",
    "-dash",
    "dots..",
    "semi;colon",
    "q\"uote",
    "日本",
    "co:lon",
    "back\\slash",
];
/// What commands with arguments of the standards' table make, which is not kept account of, and what
/// leads out.
const LOOSE: [&str; 9] =
    ["file", "spare", "folder", "empty", "made", "upload", "renamed", "exits", "missing"];
/// Ways out of a home, by its links and by every spelling that might be one.
pub(crate) const OUTSIDE: [&str; 9] = [
    "/exits/out/secret",
    "exits/../../../../outside/secret",
    "/exits/up/secret",
    "/exits/file",
    "/../../../outside/secret",
    "/proc/self/root/etc/passwd",
    "/../player-0/../../../outside/secret",
    "//etc//passwd",
    "/exits/up/../../outside/secret",
];
/// Before the number of a file whose upload nobody saw the end of.
const ORPHAN: &str = "orphan-";

pub(crate) enum Node {
    Directory,
    File(Arc<[u8]>),
}

/// A home.
pub(crate) struct Tree {
    home: PathBuf,
    nodes: BTreeMap<String, Node>,
    /// Either whole or not there.
    orphans: BTreeMap<String, Arc<[u8]>>,
}

impl Tree {
    pub(crate) fn new(home: PathBuf) -> Tree {
        Tree { home, nodes: BTreeMap::new(), orphans: BTreeMap::new() }
    }

    pub(crate) fn file(&self, path: &str) -> Option<&Arc<[u8]>> {
        match self.nodes.get(path) {
            Some(Node::File(content)) => Some(content),
            _ => None,
        }
    }

    pub(crate) fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || matches!(self.nodes.get(path), Some(Node::Directory))
    }

    /// Whether something may be made under this name.
    pub(crate) fn has_room(&self, path: &str) -> bool {
        self.is_directory(parent(path))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.nodes.contains_key(path)
    }

    /// The names in a directory.
    pub(crate) fn names(&self, directory: &str) -> Vec<&str> {
        let inside = |path: &&String| parent(path) == directory;
        self.nodes.keys().filter(inside).map(|path| path.rsplit('/').next().unwrap()).collect()
    }

    /// Some file, if there is any.
    pub(crate) fn any_file(&self, dice: &mut Dice) -> Option<String> {
        let files: Vec<_> = self.nodes.keys().filter(|path| self.file(path).is_some()).collect();
        (!files.is_empty()).then(|| (*dice.pick(&files)).clone())
    }

    /// Some directory; the home is one.
    pub(crate) fn any_directory(&self, dice: &mut Dice) -> String {
        let mut all: Vec<&str> =
            self.nodes.keys().map(String::as_str).filter(|path| self.is_directory(path)).collect();
        all.push("");
        (*dice.pick(&all)).to_owned()
    }

    /// Some name in some directory, taken or not; at most three deep.
    pub(crate) fn any_path(&self, dice: &mut Dice) -> String {
        let directory = self.any_directory(dice);
        let directory = if directory.matches('/').count() > 1 { "" } else { &directory };
        join(directory, dice.pick::<&str>(&NAMES))
    }

    pub(crate) fn store(&mut self, path: &str, content: &[u8]) {
        self.nodes.insert(path.to_owned(), Node::File(content.into()));
        self.assert_stored(path);
    }

    pub(crate) fn make(&mut self, path: &str) {
        self.nodes.insert(path.to_owned(), Node::Directory);
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.nodes.remove(path);
    }

    /// All that is below goes with it, and what stood there is gone.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if from == to {
            return;
        }
        let below = format!("{from}/");
        let moving: Vec<String> =
            self.nodes.keys().filter(|path| *path == from || path.starts_with(&below)).cloned().collect();
        self.nodes.remove(to);
        for path in moving {
            let node = self.nodes.remove(&path).unwrap();
            self.nodes.insert(format!("{to}{}", &path[from.len()..]), node);
        }
    }

    /// A name for an upload whose end nobody waits for.
    pub(crate) fn orphan(&mut self, content: &[u8]) -> String {
        let name = format!("{ORPHAN}{}", self.orphans.len());
        self.orphans.insert(name.clone(), content.into());
        name
    }

    /// What stands under a name on the disk.
    pub(crate) fn on_disk(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.home.join(path)).ok()
    }

    /// What was acknowledged a moment ago.
    fn assert_stored(&self, path: &str) {
        let stands = self.on_disk(path);
        let expected = self.file(path).unwrap();
        assert!(stands.as_deref() == Some(&**expected), "{path:?} was acknowledged and is not there");
    }

    /// These names, as a listing of that directory had them.
    pub(crate) fn assert_listed(&self, directory: &str, listed: &[String]) {
        let mut listed: Vec<&str> =
            listed.iter().map(String::as_str).filter(|name| !is_loose(name)).collect();
        listed.sort_unstable();
        let mut expected = self.names(directory);
        expected.sort_unstable();
        assert_eq!(listed, expected, "the list of {directory:?}");
    }

    /// All of it, on the disk.
    pub(crate) fn assert_holds(&self) {
        let mut found = BTreeMap::new();
        walk(&self.home, "", &mut found);
        for (path, content) in &found {
            match (self.nodes.get(path), content) {
                (Some(Node::Directory), None) => {}
                (Some(Node::File(expected)), Some(content)) => {
                    assert!(**expected == **content, "{path:?} is not what was acknowledged");
                }
                _ => panic!("{path:?} should not be there, or not so"),
            }
        }
        let missing = self.nodes.keys().find(|path| !found.contains_key(*path));
        assert!(missing.is_none(), "{missing:?} was acknowledged and is gone");
        for (name, expected) in &self.orphans {
            let stands = self.on_disk(name);
            assert!(stands.is_none_or(|content| content == **expected), "half of {name:?} stands there");
        }
    }
}

fn walk(home: &Path, directory: &str, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for entry in fs::read_dir(home.join(directory)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().expect("every name is one of ours");
        let path = join(directory, &name);
        if is_loose(&name) || name.starts_with(".wharfinger-") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            walk(home, &path, found);
            found.insert(path, None);
        } else {
            found.insert(path, Some(fs::read(entry.path()).unwrap()));
        }
    }
}

fn is_loose(name: &str) -> bool {
    LOOSE.contains(&name) || name.starts_with(ORPHAN)
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// One of the ways to write this path for somebody who stands in `here`.
pub(crate) fn spelt(path: &str, here: &str, dice: &mut Dice) -> String {
    let below = if here.is_empty() { Some(path) } else { path.strip_prefix(&format!("{here}/")) };
    match (dice.below(6), below) {
        (0, _) => format!("/./{path}"),
        (1, _) => format!("//{path}"),
        (2, _) => format!("/nowhere/../{path}"),
        (3 | 4, Some(below)) if !below.is_empty() => below.to_owned(),
        _ => format!("/{path}"),
    }
}
