//! Copies within one user's tree: reading needs `Download` at the source, writing what any upload
//! needs at the target. Both ends go through the same confinement as every other command.

use std::fs::File;

use wharfinger_accounts::Action;

use super::{Files, FilesError, UploadIntent};
use crate::path::VirtualPath;
use crate::storage::{Start, StorageError};

/// What SITE CPFR named: a file that may be read.
#[derive(Debug)]
pub(crate) struct CopyFrom(VirtualPath);

impl Files {
    pub(crate) async fn copy_from(&self, argument: &[u8]) -> Result<CopyFrom, FilesError> {
        let (_, _, path) = self.open_read(argument).await?;
        Ok(CopyFrom(path))
    }

    /// The source, open, its path, and the upload that the copy is. Both ends are checked, with the
    /// permissions as they are now. Nothing is made or changed yet.
    pub(crate) async fn copy_to(
        &self,
        from: CopyFrom,
        argument: &[u8],
    ) -> Result<(File, VirtualPath, UploadIntent), FilesError> {
        let CopyFrom(from) = from;
        if !self.allows(&from, Action::Download) {
            return Err(self.deny(&from, Action::Download));
        }
        let to = self.working_directory.join(argument)?;
        let intent = self.copied(&to).await?;
        let (file, source) = self.tree.open_read(&from).await?;
        match self.tree.metadata(&to).await {
            Ok(target) if (target.device, target.inode) == (source.device, source.inode) => {
                return Err(StorageError::SameFile.into());
            }
            Ok(_) | Err(StorageError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        Ok((file, from, intent))
    }

    async fn copied(&self, to: &VirtualPath) -> Result<UploadIntent, FilesError> {
        let may_overwrite = self.allows(to, Action::Overwrite);
        match self.request(to.clone(), Start::Beginning, may_overwrite, false).await {
            Err(FilesError::Storage(StorageError::Exists)) => Err(self.deny(to, Action::Overwrite)),
            requested => requested,
        }
    }
}
