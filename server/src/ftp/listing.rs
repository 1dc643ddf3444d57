//! What LIST, NLST, MLSD and MLST say of an entry: from the storage's metadata and the user's
//! permissions to the lines of the protocol.

use std::time::{SystemTime, UNIX_EPOCH};

use wharfinger_accounts::{Action, Permissions};
use wharfinger_protocol::ftp::facts::FactSet;
use wharfinger_protocol::ftp::listing::{Facts, Kind, list_line, mlsd_line, mlst_text, name_line};

use crate::path::VirtualPath;
use crate::storage::{self, DirectoryStream, Entry, Listing, Metadata, StorageError};
use crate::transfer::PrintEntry;

/// LIST: as `ls -l`.
pub(super) fn long() -> PrintEntry {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    Box::new(move |lines, entry| list_line(lines, &facts(entry.name, &entry.metadata, ""), now))
}

/// NLST: the bare names.
pub(super) fn names() -> PrintEntry {
    Box::new(|lines, entry| name_line(lines, entry.name))
}

/// MLSD: facts for programs (RFC 3659 §7).
pub(super) fn machine(wanted: FactSet, letters: Letters) -> PrintEntry {
    Box::new(move |lines, entry| {
        let letters = letters.of(entry.metadata.kind);
        mlsd_line(lines, &facts(entry.name, &entry.metadata, letters), wanted);
    })
}

/// MLST's one line, with the whole path as the name.
pub(super) fn fact_line(
    path: &VirtualPath,
    metadata: &Metadata,
    wanted: FactSet,
    permissions: &Permissions,
) -> Vec<u8> {
    let letters = Letters::at(permissions, path);
    mlst_text(&facts(path.as_bytes(), metadata, letters.of(metadata.kind)), wanted)
}

/// A listing of the one entry that a path names, for LIST and NLST of a file.
pub(super) fn single(name: &[u8], metadata: Metadata) -> Listing {
    Box::new(Single(Some((name.to_vec(), metadata))))
}

/// The letters of the fact `perm` (RFC 3659 §7.5.5), for files and for directories.
pub(super) struct Letters {
    file: String,
    directory: String,
}

impl Letters {
    /// What the user may do with what stands at this path, or directly beneath it.
    pub(super) fn at(permissions: &Permissions, path: &VirtualPath) -> Self {
        let letters = |table: &[(char, Action)]| {
            let allowed = table.iter().filter(|(_, action)| permissions.allows(path.as_bytes(), *action));
            allowed.map(|(letter, _)| *letter).collect::<String>()
        };
        Self {
            file: letters(&[
                ('a', Action::Append),
                ('d', Action::Delete),
                ('f', Action::Rename),
                ('r', Action::Download),
                ('w', Action::Overwrite),
            ]),
            directory: letters(&[
                ('c', Action::Upload),
                ('d', Action::RemoveDirectory),
                ('e', Action::List),
                ('f', Action::Rename),
                ('l', Action::List),
                ('m', Action::MakeDirectory),
                ('p', Action::Delete),
            ]),
        }
    }

    fn of(&self, kind: storage::Kind) -> &str {
        match kind {
            storage::Kind::File => &self.file,
            storage::Kind::Directory => &self.directory,
            storage::Kind::Other => "",
        }
    }
}

struct Single(Option<(Vec<u8>, Metadata)>);

impl DirectoryStream for Single {
    fn fill(&mut self, _most: usize, each: &mut dyn FnMut(&Entry<'_>)) -> Result<bool, StorageError> {
        if let Some((name, metadata)) = self.0.take() {
            each(&Entry { name: &name, metadata });
        }
        Ok(false)
    }
}

fn facts<'a>(name: &'a [u8], metadata: &Metadata, perm: &'a str) -> Facts<'a> {
    Facts {
        name,
        kind: match metadata.kind {
            storage::Kind::File => Kind::File,
            storage::Kind::Directory => Kind::Directory,
            storage::Kind::Other => Kind::Other,
        },
        size: metadata.size,
        modified: metadata.modified.seconds,
        mode: metadata.mode,
        links: metadata.links,
        unique: (metadata.device, metadata.inode),
        perm,
    }
}
