//! `VirtualPath`: where a user points at, parsed once from the bytes of the wire and trusted from
//! then on. Every permission is checked on this value and storage takes nothing else.
//! It knows no file system: `..` is resolved on the text alone, and the kernel confines the rest.

#[cfg(test)]
mod tests;

use std::fmt::{self, Write};

use thiserror::Error;

/// A name that begins like this belongs to the server: partial uploads stand under such names, so
/// no user can address one.
pub(crate) const RESERVED_PREFIX: &[u8] = b".wharfinger-";

/// An absolute, normal path of bytes in one user's tree: `/`, or `/a/b`; no component is empty,
/// `.`, `..`, longer than 255 bytes or reserved, and none holds a NUL.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct VirtualPath(Vec<u8>);

impl VirtualPath {
    /// Bytes of one component: what every Linux file system holds.
    const MAX_NAME: usize = 255;
    /// Bytes of the whole path, the NUL of the system call counted in.
    const MAX_LENGTH: usize = 4096;

    pub(crate) fn root() -> Self {
        Self(b"/".to_vec())
    }

    /// The path that `argument` means when this is the working directory: absolute if it begins
    /// with `/`, else beneath this. Doubled and trailing slashes count as one, as everywhere.
    pub(crate) fn join(&self, argument: &[u8]) -> Result<Self, PathError> {
        if argument.is_empty() {
            return Err(PathError::Empty);
        }
        if argument.contains(&0) {
            return Err(PathError::Nul);
        }
        let mut path = if argument.starts_with(b"/") { Self::root() } else { self.clone() };
        for component in argument.split(|byte| *byte == b'/') {
            path.step(component)?;
        }
        if path.0.len() >= Self::MAX_LENGTH { Err(PathError::TooLong) } else { Ok(path) }
    }

    /// The directory this stands in; the root's is the root.
    pub(crate) fn parent(&self) -> Self {
        match self.split().0 {
            [] => Self::root(),
            parent => Self(parent.to_vec()),
        }
    }

    /// The last component; empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        self.split().1
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0 == b"/"
    }

    /// Whether this is `other` or lies beneath it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        other.is_root()
            || self.0.strip_prefix(other.as_bytes()).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
    }

    fn step(&mut self, component: &[u8]) -> Result<(), PathError> {
        match component {
            b"" | b"." => {}
            b".." if self.is_root() => return Err(PathError::OutsideTree),
            b".." => *self = self.parent(),
            _ if component.len() > Self::MAX_NAME => return Err(PathError::TooLong),
            _ if component.starts_with(RESERVED_PREFIX) => return Err(PathError::Reserved),
            _ => {
                if !self.is_root() {
                    self.0.push(b'/');
                }
                self.0.extend_from_slice(component);
            }
        }
        Ok(())
    }

    /// What stands before the last slash, and what stands after it.
    fn split(&self) -> (&[u8], &[u8]) {
        let slash = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let (parent, rest) = self.0.split_at(slash);
        (parent, rest.strip_prefix(b"/").unwrap_or(rest))
    }
}

/// For logs: control bytes, backslashes and what is not UTF-8 are escaped, so that a name can't
/// forge a line. The wire gets `as_bytes`.
impl fmt::Display for VirtualPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() || character == '\\' {
                    write!(out, "{}", character.escape_default())?;
                } else {
                    out.write_char(character)?;
                }
            }
            for byte in chunk.invalid() {
                write!(out, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for VirtualPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "VirtualPath({self})")
    }
}

/// Why an argument is no path in the user's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum PathError {
    #[error("the path is empty")]
    Empty,
    #[error("the path holds a NUL")]
    Nul,
    #[error("the path is too long")]
    TooLong,
    #[error("the path leads out of the tree")]
    OutsideTree,
    #[error("the name is reserved")]
    Reserved,
}
