//! Uploads as the user may make them: which permission it takes depends on what stands under the
//! name and where the upload begins.

use wharfinger_accounts::Action;

use super::{Files, FilesError};
use crate::path::{PathError, VirtualPath};
use crate::storage::{Start, StorageError, Upload, UploadPlan, UploadRequest};

/// An upload that the user may make and storage could begin. Nothing is made or changed yet.
pub(crate) struct UploadIntent {
    path: VirtualPath,
    offset: Start,
    request: UploadRequest,
}

impl UploadIntent {
    pub(crate) fn path(&self) -> &VirtualPath {
        &self.path
    }

    /// What it takes beside `Upload`, because a file stands under the name.
    pub(crate) fn needs(&self) -> &'static [Action] {
        if self.request.replaces() { to_change_a_file(self.offset) } else { &[] }
    }

    /// Begins the upload.
    pub(crate) async fn open(self) -> Result<Upload, StorageError> {
        self.request.open().await
    }
}

impl Files {
    /// STOR, REST and STOR, APPE. `resumable`: what is left when it is aborted is kept for the
    /// user; it must be what was sent, byte for byte, for its size to say where to go on.
    pub(crate) async fn upload(
        &self,
        argument: &[u8],
        offset: Start,
        resumable: bool,
    ) -> Result<UploadIntent, FilesError> {
        let path = self.working_directory.join(argument)?;
        let missing = to_change_a_file(offset).iter().copied().find(|action| !self.allows(&path, *action));
        match (self.request(path.clone(), offset, missing.is_none(), resumable).await, missing) {
            (Err(FilesError::Storage(StorageError::Exists)), Some(action)) => Err(self.deny(&path, action)),
            (requested, _) => requested,
        }
    }

    /// STOU: the name the client proposes if it is free, else one that is; no file is replaced.
    pub(crate) async fn unique_upload(
        &self,
        proposed: Option<&[u8]>,
        resumable: bool,
    ) -> Result<UploadIntent, FilesError> {
        let path = self.working_directory.join(proposed.unwrap_or(b"upload"))?;
        if proposed.is_some() {
            match self.request(path.clone(), Start::Beginning, false, resumable).await {
                Err(FilesError::Storage(StorageError::Exists | StorageError::IsADirectory)) => {}
                requested => return requested,
            }
        }
        self.request(unique(&path)?, Start::Beginning, false, resumable).await
    }

    pub(super) async fn request(
        &self,
        path: VirtualPath,
        offset: Start,
        may_overwrite: bool,
        resumable: bool,
    ) -> Result<UploadIntent, FilesError> {
        if !self.allows(&path, Action::Upload) {
            return Err(self.deny(&path, Action::Upload));
        }
        let owner = resumable.then_some(self.user.id.as_str());
        let plan = UploadPlan { offset, may_overwrite, owner };
        let request = self.tree.request_upload(&path, plan).await?;
        Ok(UploadIntent { path, offset, request })
    }
}

/// What the user needs beside `Upload` where a file stands already. To go on in the midst of one is
/// to add to it, and to replace its rest.
fn to_change_a_file(offset: Start) -> &'static [Action] {
    match offset {
        Start::Beginning | Start::At(0) => &[Action::Overwrite],
        Start::At(_) => &[Action::Overwrite, Action::Append],
        Start::End => &[Action::Append],
    }
}

/// The path with 64 random bits in its name.
fn unique(path: &VirtualPath) -> Result<VirtualPath, FilesError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| StorageError::Failed(std::io::Error::other(error.to_string())))?;
    let suffix = format!("-{:016x}", u64::from_be_bytes(random));
    if path.is_root() {
        return Err(PathError::Empty.into());
    }
    Ok(path.parent().join(&[path.name(), suffix.as_bytes()].concat())?)
}
