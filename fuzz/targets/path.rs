//! A user's path: whatever the bytes, it is absolute, normal and within the tree.
#![no_main]
#![allow(dead_code)]

#[path = "../../server/src/path.rs"]
mod path;

use libfuzzer_sys::fuzz_target;
use wharfinger_fuzz::in_two;

use path::VirtualPath;

fuzz_target!(|bytes: &[u8]| {
    let (directory, argument) = in_two(bytes);
    let root = VirtualPath::root();
    let Ok(directory) = root.join(directory) else { return };
    let Ok(path) = directory.join(argument) else { return };
    let text = path.as_bytes();
    assert!(text.len() < 4096 && text.starts_with(b"/") && !text.contains(&0));
    let mut names = text[1..].split(|byte| *byte == b'/');
    assert!(path.is_root() || names.all(|name| !matches!(name, b"" | b"." | b"..") && name.len() <= 255));
    assert_eq!(root.join(text).as_ref(), Ok(&path));
    assert!(path.is_within(&root) && path.is_within(&path.parent()));
    assert!(path.is_root() || path.parent().join(path.name()).as_ref() == Ok(&path));
    assert!(!path.to_string().contains(char::is_control), "it would forge a line of the log");
});
