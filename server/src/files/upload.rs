//! Uploads as the user may make them: which permission it takes depends on what stands under the
//! name and where the upload begins.

use std::fs::File;
use std::sync::Arc;

use wharfinger_accounts::Action;

use super::{Files, FilesError};
use crate::path::{PathError, VirtualPath};
use crate::storage::{Extent, Start, StorageError, Upload, UploadPlan, UploadRequest};
use crate::usage::Charge;

/// An upload that the user may make and storage could begin. Nothing is made or changed yet.
pub(crate) struct UploadIntent {
    path: VirtualPath,
    offset: Start,
    request: UploadRequest,
    charge: Charge,
}

/// An upload on its way, and what of the quota it takes. The charge is dropped first: what is removed was
/// counted before.
pub(crate) struct OpenUpload {
    charge: Charge,
    upload: Upload,
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
    pub(crate) async fn open(self) -> Result<OpenUpload, StorageError> {
        let Self { request, mut charge, .. } = self;
        let ahead = request.ahead();
        charge.open(ahead).await?;
        let upload = request.open().await;
        // Storage has told the ledger what opening it came to.
        charge.give_back(ahead);
        Ok(OpenUpload { charge, upload: upload? }.on_credit())
    }
}

impl OpenUpload {
    /// Where the bytes go; its position is `start`.
    pub(crate) fn file(&self) -> &File {
        self.upload.file()
    }

    /// The offset of the first byte to write.
    pub(crate) fn start(&self) -> u64 {
        self.upload.start()
    }

    /// How many of so many bytes may be written: where it is not all of them, the quota is used up.
    pub(crate) async fn allow(&mut self, bytes: u64) -> Result<u64, StorageError> {
        let owed = self.charge.owed();
        let allowed = self.charge.bytes(bytes).await?;
        if self.charge.owed() != owed {
            self.upload.overdraw(self.charge.owed().unwrap_or_default());
        }
        Ok(allowed)
    }

    /// Whether as much as was written would be allowed now. The user's quota may be another since.
    pub(crate) async fn reconsider(&self) -> Result<(), StorageError> {
        self.charge.reconsider().await
    }

    /// Bytes that were allowed and not written.
    pub(crate) fn unused(&self, bytes: u64) {
        self.charge.give_back(Extent::bytes(bytes));
    }

    /// Puts the file under its name, whole.
    pub(crate) async fn finish(self) -> Result<(), StorageError> {
        let Self { charge, upload } = self;
        drop(charge);
        upload.finish().await
    }

    fn on_credit(mut self) -> Self {
        if let Some(owed) = self.charge.owed() {
            self.upload.overdraw(owed);
        }
        self
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
        let (ledger, live) = (Arc::clone(&self.ledger), Arc::clone(self.visit.live()));
        let charge = Charge::new(ledger, live, self.user(), request.credit());
        Ok(UploadIntent { path, offset, request, charge })
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
