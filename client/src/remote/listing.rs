//! Directory listings as entries: MLSD's facts (RFC 3659 §7), and the lines of LIST in the forms
//! that servers give them. What can't be read is left out, and no line stops the others.

use jiff::Timestamp;
use suppaftp::list::{File, ListParser};
use wharfinger_protocol::time;

use crate::remote::{Entry, Kind};

/// Reads what MLSD sends.
pub(crate) fn facts(bytes: &[u8]) -> Vec<Entry> {
    lines(bytes).filter_map(facts_line).collect()
}

/// Reads one line of facts: `type=file;size=1; name`. `None` for the directory itself and its
/// parent, and for what is no such line.
pub(crate) fn facts_line(line: &[u8]) -> Option<Entry> {
    let space = line.iter().position(|&byte| byte == b' ')?;
    let (facts, name) = (line.get(..space)?, line.get(space + 1..)?);
    let mut entry = Entry { name: name.to_vec(), kind: Kind::Other, size: None, modified: None };
    for fact in facts.split(|&byte| byte == b';').filter(|fact| !fact.is_empty()) {
        let equals = fact.iter().position(|&byte| byte == b'=')?;
        let (key, value) = (fact.get(..equals)?.to_ascii_lowercase(), fact.get(equals + 1..)?);
        match key.as_slice() {
            b"type" => entry.kind = kind(value)?,
            b"size" => entry.size = str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
            b"modify" => entry.modified = time::parse(value),
            _ => {}
        }
    }
    is_entry(entry)
}

/// Reads what LIST sends: `ls -l` or the form of DOS.
pub(crate) fn list(bytes: &[u8]) -> Vec<Entry> {
    lines(bytes).filter_map(list_line).collect()
}

fn list_line(line: &[u8]) -> Option<Entry> {
    let text = from_octets(line);
    let file = ListParser::parse_posix(&text).or_else(|_| ListParser::parse_dos(&text)).ok()?;
    is_entry(Entry {
        name: to_octets(file.name())?,
        kind: kind_of(&file),
        size: Some(file.size() as u64),
        modified: modified(&file),
    })
}

fn kind_of(file: &File) -> Kind {
    if file.is_directory() {
        Kind::Directory
    } else if file.is_symlink() {
        Kind::Other
    } else {
        Kind::File
    }
}

fn modified(file: &File) -> Option<Timestamp> {
    Timestamp::try_from(file.modified()).ok()
}

fn kind(value: &[u8]) -> Option<Kind> {
    match value.to_ascii_lowercase().as_slice() {
        b"file" => Some(Kind::File),
        b"dir" => Some(Kind::Directory),
        b"cdir" | b"pdir" => None,
        _ => Some(Kind::Other),
    }
}

fn is_entry(entry: Entry) -> Option<Entry> {
    (!matches!(entry.name.as_slice(), b"" | b"." | b"..")).then_some(entry)
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Bytes as text, one character a byte, and back: what `suppaftp` takes for text carries any name.
pub(crate) fn from_octets(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes of such a text. `None` if it has characters that are none.
pub(crate) fn to_octets(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_in_any_case_and_order() {
        let bytes = b"type=cdir;; .\r\nType=file;Size=12;Modify=20260102030405; a b; c\r\n\
                      modify=20260102030405.5;type=dir; sub\r\ntype=OS.unix=slink:/x;size=1; link\r\n";
        let entries = facts(bytes);
        let names: Vec<&[u8]> = entries.iter().map(|entry| entry.name.as_slice()).collect();
        assert_eq!(names, [&b"a b; c"[..], b"sub", b"link"]);
        assert_eq!(entries[0].size, Some(12));
        assert_eq!(entries[0].modified.unwrap().to_string(), "2026-01-02T03:04:05Z");
        let kinds: Vec<Kind> = entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::File, Kind::Directory, Kind::Other]);
    }

    #[test]
    fn lists_are_read_in_their_usual_forms() {
        let bytes = b"total 3\r\n-rw-r--r--   1 ftp ftp  5 Jan 02  2025 caf\xE9 x\r\n\
                      drwxr-xr-x   2 0   0    4096 Jan 02 10:00 sub\r\nlrwxrwxrwx 1 0 0 3 Jan 02 2025 l -> sub\r\n\
                      04-08-14  03:09PM                  403 dos.txt\r\n";
        let entries = list(bytes);
        let found: Vec<(&[u8], Kind)> =
            entries.iter().map(|entry| (entry.name.as_slice(), entry.kind)).collect();
        let expected = [
            (&b"caf\xE9 x"[..], Kind::File),
            (b"sub", Kind::Directory),
            (b"l", Kind::Other),
            (b"dos.txt", Kind::File),
        ];
        assert_eq!(found, expected);
        assert_eq!(entries[0].size, Some(5));
    }

    #[test]
    fn rubbish_gives_no_entries() {
        for bytes in [&b""[..], b"\r\n\r\n", b"<html>", b"type=file;size=1;noname", &[0xFF; 300]] {
            assert!(facts(bytes).is_empty() && list(bytes).is_empty(), "{bytes:?}");
        }
    }
}
