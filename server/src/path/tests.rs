//! Bytes of the wire into paths: the table of what is refused and what is folded.

use super::{PathError, VirtualPath};

fn parse(argument: &[u8]) -> Result<VirtualPath, PathError> {
    VirtualPath::root().join(b"a/b").unwrap().join(argument)
}

#[test]
fn arguments_are_resolved_against_the_working_directory() {
    let table: &[(&[u8], &[u8])] = &[
        (b"c", b"/a/b/c"),
        (b"/c", b"/c"),
        (b"/", b"/"),
        (b".", b"/a/b"),
        (b"./c/.", b"/a/b/c"),
        (b"..", b"/a"),
        (b"../..", b"/"),
        (b"../c", b"/a/c"),
        (b"c/../d", b"/a/b/d"),
        (b"//c", b"/c"),
        (b"c//d///e", b"/a/b/c/d/e"),
        (b"c/", b"/a/b/c"),
        (b"c..", b"/a/b/c.."),
        (b"c...", b"/a/b/c..."),
        (b"...", b"/a/b/..."),
        (b" ", b"/a/b/ "),
        (b"~", b"/a/b/~"),
        (b"c\\..\\d", b"/a/b/c\\..\\d"),
        (b"/proc/self/root", b"/proc/self/root"),
        (b"\xff\xfe/\xe9", b"/a/b/\xff\xfe/\xe9"),
        (b".wharfinger", b"/a/b/.wharfinger"),
    ];
    for (argument, path) in table {
        let parsed = parse(argument).map(|path| path.as_bytes().to_vec());
        assert_eq!(parsed.as_deref(), Ok(*path), "{}", argument.escape_ascii());
    }
}

#[test]
fn arguments_that_are_no_path_in_the_tree_are_refused() {
    let table: &[(&[u8], PathError)] = &[
        (b"", PathError::Empty),
        (b"a\0b", PathError::Nul),
        (b"\0", PathError::Nul),
        (b"../../..", PathError::OutsideTree),
        (b"/..", PathError::OutsideTree),
        (b"/c/../../d", PathError::OutsideTree),
        (b"/../a/b", PathError::OutsideTree),
        (b".wharfinger-0123.part", PathError::Reserved),
        (b"/.wharfinger-/c", PathError::Reserved),
        (b"c/.wharfinger-x/..", PathError::Reserved),
    ];
    for (argument, error) in table {
        assert_eq!(parse(argument), Err(*error), "{}", argument.escape_ascii());
    }
}

#[test]
fn a_name_of_255_bytes_is_the_longest() {
    assert_eq!(parse(&[b'n'; 255]).unwrap().name().len(), 255);
    assert_eq!(parse(&[b'n'; 256]), Err(PathError::TooLong));
}

#[test]
fn a_path_of_4095_bytes_is_the_longest() {
    let longest = b"/nnnnnnn".repeat(512);
    assert_eq!(longest.len(), 4096);
    assert_eq!(parse(&longest), Err(PathError::TooLong));
    assert_eq!(parse(&longest[..4095]).unwrap().as_bytes().len(), 4095);
}

#[test]
fn parent_and_name_take_a_path_apart() {
    for (path, parent, name) in
        [("/", "/", ""), ("/a", "/", "a"), ("/a/b", "/a", "b"), ("/a/b/c", "/a/b", "c")]
    {
        let path = VirtualPath::root().join(path.as_bytes()).unwrap();
        assert_eq!(path.parent().as_bytes(), parent.as_bytes());
        assert_eq!(path.name(), name.as_bytes());
    }
}

#[test]
fn within_is_decided_component_by_component() {
    let path = |text: &str| VirtualPath::root().join(text.as_bytes()).unwrap();
    assert!(path("/a/b").is_within(&path("/a")));
    assert!(path("/a").is_within(&path("/a")));
    assert!(path("/a").is_within(&path("/")));
    assert!(!path("/ab").is_within(&path("/a")));
    assert!(!path("/a").is_within(&path("/a/b")));
}

#[test]
fn shown_in_a_log_a_path_is_one_line() {
    let path = parse(b"/caf\xc3\xa9\r\n\x1b[31m\\\xff").unwrap();
    assert_eq!(path.to_string(), "/café\\r\\n\\u{1b}[31m\\\\\\xff");
    assert_eq!(format!("{path:?}"), format!("VirtualPath({path})"));
}
