//! The lines of LIST on the data channel: `<TYPE>\t<name>`, printed and read.

use crate::words::push_name;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else: it is shown, but can't be transferred.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::File, Kind::Directory, Kind::Other];

    /// The word in front of the name.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::File => "FILE",
            Kind::Directory => "DIRECTORY",
            Kind::Other => "OTHER",
        }
    }
}

/// Appends one line with CR LF. Control bytes in the name are printed as `?`,
/// since a line end would forge an entry.
pub fn write_line(out: &mut Vec<u8>, kind: Kind, name: &[u8]) {
    out.extend_from_slice(kind.word().as_bytes());
    out.push(b'\t');
    push_name(out, name);
    out.extend_from_slice(b"\r\n");
}

/// Reads one line, without its line end. The name is as the server sent it: who makes a path of it
/// must first make sure that it is the name of one entry.
pub fn parse_line(line: &[u8]) -> Option<(Kind, &[u8])> {
    let (word, rest) = line.split_at(memchr::memchr(b'\t', line)?);
    let name = rest.get(1..).filter(|name| !name.is_empty())?;
    Kind::ALL.into_iter().find(|kind| kind.word().as_bytes() == word).map(|kind| (kind, name))
}
