//! Names that come from a server: which of them may become names on this machine, and how any of
//! them is shown. Nothing here touches the disk.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

/// Text for the terminal: UTF-8 where it is, every control character replaced. A server's words
/// and names reach a terminal through here only, so that none of them can steer it.
pub(crate) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|letter| if is_harmful(letter) { '?' } else { letter })
        .collect()
}

/// Control characters, and those that turn the direction of writing, so that `txt.exe` is not read
/// as `exe.txt`.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The name as a file's name in a local directory. `None` if it would lead anywhere else than to
/// an entry of that directory, or can't be one.
pub(crate) fn local_name(name: &[u8]) -> Option<&OsStr> {
    let leads_elsewhere =
        matches!(name, b"" | b"." | b"..") || name.iter().any(|byte| matches!(byte, b'/' | 0));
    (!leads_elsewhere && name.len() <= LONGEST_NAME).then(|| OsStr::from_bytes(name))
}

/// What file systems can hold.
const LONGEST_NAME: usize = 255;

/// The last part of a remote path: what a file is called by itself.
pub(crate) fn last_part(path: &[u8]) -> &[u8] {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// A name in a remote directory, as a path.
pub(crate) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match directory {
        b"" | b"." => name.to_vec(),
        _ if directory.ends_with(b"/") => [directory, name].concat(),
        _ => [directory, b"/", name].concat(),
    }
}

/// Whether a name matches a pattern with `*` and `?`. Linear in both but for the stars: a hostile
/// name costs its length times the pattern's, no more.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut star) = ((0, 0), None);
    while let Some(&byte) = name.get(at.1) {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some(at);
                at.0 += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == byte => at = (at.0 + 1, at.1 + 1),
            _ => {
                let Some((begin, taken)) = star else { return false };
                star = Some((begin, taken + 1));
                at = (begin + 1, taken + 1);
            }
        }
    }
    pattern.get(at.0..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

/// Whether a text has `*` or `?` in it.
pub(crate) fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'*' | b'?'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = vec![b'a'; 256];
        for name in [&b""[..], b".", b"..", b"/etc/passwd", b"a/b", b"../x", b"x/..", b"a\0b", &long] {
            assert_eq!(local_name(name), None, "{}", shown(name));
        }
    }

    #[test]
    fn odd_names_that_stay_in_their_directory_are_kept_byte_for_byte() {
        for name in [&b"..."[..], b"-rf", b" x ", b"a\nb", b"caf\xE9", "\u{202E}".as_bytes(), b"a\\b", b"C:"]
        {
            assert_eq!(local_name(name), Some(OsStr::from_bytes(name)));
        }
    }

    #[test]
    fn what_is_shown_can_not_steer_a_terminal() {
        assert_eq!(shown(b"a\x1b]0;title\x07b\r\nc\x7f\xc2\x9b"), "a?]0;title?b??c??");
        assert_eq!(shown("gpj.\u{202E}exe".as_bytes()), "gpj.?exe");
        assert_eq!(shown("Größe.txt".as_bytes()), "Größe.txt");
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, matched) in [
            ("*", "anything", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.gz", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), matched, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn a_local_name_is_one_component_of_a_path(name in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(local) = local_name(&name) {
                let path = std::path::Path::new("/target").join(local);
                prop_assert_eq!(path.parent().unwrap(), std::path::Path::new("/target"));
            }
        }
    }
}
