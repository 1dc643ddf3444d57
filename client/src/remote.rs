//! What can be done on a server, whatever it speaks: the shell, the commands and the mirror know
//! this and no protocol.

use jiff::Timestamp;

use crate::{answer::Answer, failure::Failure};

pub(crate) mod flow;
pub(crate) mod ftp;
pub(crate) mod listing;
pub(crate) mod mftp;

/// A logged-in session. Paths are bytes, relative to the working directory or absolute.
pub(crate) trait Remote: Send {
    /// What is in a directory, without `.` and `..`; of a file, the file itself.
    fn list(&mut self, path: &[u8]) -> Result<Vec<Entry>, Failure>;
    /// A file's size in bytes; `None` if the server can't say.
    fn size(&mut self, path: &[u8]) -> Result<Option<u64>, Failure>;
    /// When a file was last modified; `None` if the server can't say.
    fn modified(&mut self, path: &[u8]) -> Result<Option<Timestamp>, Failure>;
    /// Gives a file's bytes from `offset` on to the sink.
    fn retrieve(&mut self, path: &[u8], offset: u64, sink: &mut Sink<'_>) -> Result<Ending, Failure>;
    /// Stores what the source gives from `offset` of the file on.
    fn store(&mut self, path: &[u8], offset: u64, source: &mut Source<'_>) -> Result<(), Failure>;
    /// Removes a file.
    fn delete(&mut self, path: &[u8]) -> Result<(), Failure>;
    /// Makes a directory.
    fn make_directory(&mut self, path: &[u8]) -> Result<(), Failure>;
    /// Removes an empty directory.
    fn remove_directory(&mut self, path: &[u8]) -> Result<(), Failure>;
    /// Gives a file or directory another name.
    fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Failure>;
    /// Sets a file's permission bits.
    fn set_mode(&mut self, path: &[u8], mode: u32) -> Result<(), Failure>;
    /// Sets when a file was modified; says whether the server can.
    fn set_modified(&mut self, path: &[u8], time: Timestamp) -> Result<bool, Failure>;
    /// Goes to another working directory.
    fn change_directory(&mut self, path: &[u8]) -> Result<(), Failure>;
    /// The working directory.
    fn directory(&mut self) -> Result<Vec<u8>, Failure>;
    /// Says a line as it is and gives the answer, whatever it is.
    fn say(&mut self, line: &[u8]) -> Result<Answer, Failure>;
    /// Has the server connect to this machine for data, or this machine to the server.
    fn set_active(&mut self, active: bool) -> Result<(), Failure>;
    /// What there is to know of the session, as names and values.
    fn status(&self) -> Vec<(&'static str, String)>;
    /// Whether an upload appears under its name when it is whole, by the server's own doing.
    fn publishes_whole(&self) -> bool;
    /// Whether the last data connection resumed the TLS session; `None` without TLS, or before the first.
    fn resumed(&self) -> Option<bool>;
    /// Takes leave.
    fn quit(&mut self) -> Result<Answer, Failure>;
}

/// Takes the bytes of a download.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Failure> + 'a;
/// Gives the bytes of an upload; 0 is the end.
pub(crate) type Source<'a> = dyn FnMut(&mut [u8]) -> Result<usize, Failure> + 'a;

/// How the data of a download ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// TLS said that this is the end.
    Marked,
    /// The connection ended, as it does without TLS; anybody on the way can do that.
    Unmarked,
    /// TLS was broken off without its `close_notify`.
    BrokenOff,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As it came: it may hold anything.
    pub(crate) name: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) size: Option<u64>,
    pub(crate) modified: Option<Timestamp>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    /// A link, a device, whatever can't be transferred.
    Other,
}

impl Kind {
    /// The word in `--json`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Other => "other",
        }
    }
}
