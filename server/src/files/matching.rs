//! The entries of a directory whose names match a pattern: what LIST, NLST and STAT show of
//! `*.txt`. Only the last part of a path may be a pattern, so it is one directory that is read.

use wharfinger_accounts::Action;
use wharfinger_protocol::pattern::Pattern;

use super::{Files, FilesError};
use crate::path::VirtualPath;
use crate::storage::{DirectoryStream, Entry, Listing, Metadata, StorageError};

impl Files {
    /// `argument` names nothing that is there; it may be a pattern of what is. A list without
    /// entries is no failure: nothing matches.
    pub(super) async fn list_matching(
        &self,
        argument: &[u8],
    ) -> Result<(Option<Listing>, VirtualPath, Metadata), FilesError> {
        let slash = argument.iter().rposition(|byte| *byte == b'/');
        let (prefix, name) = argument.split_at(slash.map_or(0, |slash| slash + 1));
        let pattern = Pattern::parse(name).ok_or(StorageError::NotFound)?;
        let path = self.permitted(if prefix.is_empty() { b"." } else { prefix }, Action::List)?;
        let metadata = self.tree.metadata(&path).await?;
        let listing = self.tree.list(&path).await?;
        Ok((
            Some(Box::new(Matching { listing, pattern, shown: prefix.to_vec(), prefix: prefix.len() })),
            path,
            metadata,
        ))
    }
}

struct Matching {
    listing: Listing,
    pattern: Pattern,
    /// The entry's name behind what the client wrote before the pattern, so that it can be used as
    /// it is in the next command (RFC 1123 §4.1.2.7).
    shown: Vec<u8>,
    prefix: usize,
}

impl DirectoryStream for Matching {
    /// Looks at `most` entries at the most, whether they match or not: that is the work.
    fn fill(&mut self, most: usize, each: &mut dyn FnMut(&Entry<'_>)) -> Result<bool, StorageError> {
        let Self { listing, pattern, shown, prefix } = self;
        listing.fill(most, &mut |entry| {
            if pattern.matches(entry.name) {
                shown.truncate(*prefix);
                shown.extend_from_slice(entry.name);
                each(&Entry { name: shown.as_slice(), metadata: entry.metadata });
            }
        })
    }
}
