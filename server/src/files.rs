//! One user's files as the user sees them: a working directory, and permissions. Every command
//! that touches a file comes through here; each method turns the client's bytes into a path once,
//! asks whether the user may do that there, and only then goes to storage.
//! It knows no dialect and no reply code, and nothing of how files are stored.

mod copy;
mod matching;
#[cfg(test)]
pub(crate) mod tests;
mod upload;

use std::borrow::Cow;
use std::fs::File;
use std::sync::Arc;

use thiserror::Error;
use wharfinger_accounts::{Act, Action, User};

use crate::login::{LoggedIn, Visit, Visitor};
use crate::path::{PathError, VirtualPath};
use crate::storage::{FileTime, Kind, Listing, Metadata, StorageError, Tree};
use crate::usage::Ledger;

pub(crate) use copy::CopyFrom;
pub(crate) use upload::{OpenUpload, UploadIntent};

/// A logged-in user's files.
pub(crate) struct Files {
    tree: Arc<dyn Tree>,
    ledger: Arc<Ledger>,
    user: Arc<User>,
    visit: Visit,
    working_directory: VirtualPath,
}

/// Why a command on files was not done.
#[derive(Debug, Error)]
pub(crate) enum FilesError {
    /// The argument is no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The user's permissions lack this.
    #[error("not permitted: {0:?}")]
    Denied(Action),
    /// Storage can't.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl FilesError {
    /// In words for a client. What only the operator can mend goes to the log instead.
    pub(crate) fn told(&self) -> Cow<'static, str> {
        match self {
            Self::Path(error) => Cow::Owned(format!("{error}.")),
            Self::Denied(_) => Cow::Borrowed("Permission denied."),
            Self::Storage(error) => {
                if let StorageError::Failed(cause) = error {
                    tracing::error!(%cause, "storage failed");
                }
                error.words()
            }
        }
    }
}

/// What RNFR named: it exists and may be renamed.
#[derive(Debug)]
pub(crate) struct RenameFrom(VirtualPath);

impl Files {
    /// At the root of the tree.
    pub(crate) fn new(LoggedIn { user, tree, ledger, visit }: LoggedIn) -> Self {
        Self { tree, ledger, user, visit, working_directory: VirtualPath::root() }
    }

    /// For whom a transfer is recorded.
    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visit
    }

    pub(crate) fn user(&self) -> Arc<User> {
        Arc::clone(&self.user)
    }

    /// From now on the permissions are those of this version of the user.
    pub(crate) fn set_user(&mut self, user: Arc<User>) {
        self.user = user;
    }

    pub(crate) fn working_directory(&self) -> &VirtualPath {
        &self.working_directory
    }

    pub(crate) async fn change_directory(&mut self, argument: &[u8]) -> Result<(), FilesError> {
        self.enter(self.working_directory.join(argument)?).await
    }

    /// The root's parent is the root.
    pub(crate) async fn change_to_parent(&mut self) -> Result<(), FilesError> {
        self.enter(self.working_directory.parent()).await
    }

    pub(crate) async fn metadata(&self, argument: &[u8]) -> Result<(Metadata, VirtualPath), FilesError> {
        let path = self.permitted(argument, Action::List)?;
        Ok((self.tree.metadata(&path).await?, path))
    }

    /// Bytes of a file; where there is none, of what the user has begun to upload there: from that
    /// offset the upload can be resumed.
    pub(crate) async fn size(&self, argument: &[u8]) -> Result<u64, FilesError> {
        let path = self.permitted(argument, Action::List)?;
        match self.tree.metadata(&path).await {
            Err(StorageError::NotFound) => {
                let partial = self.tree.partial_size(&path, &self.user.id).await?;
                Ok(partial.ok_or(StorageError::NotFound)?)
            }
            metadata => Ok(metadata?.file_size()?),
        }
    }

    /// Bytes of a file that is there.
    pub(crate) async fn file_size(&self, argument: &[u8]) -> Result<u64, FilesError> {
        Ok(self.metadata(argument).await?.0.file_size()?)
    }

    pub(crate) async fn open_read(
        &self,
        argument: &[u8],
    ) -> Result<(File, Metadata, VirtualPath), FilesError> {
        let path = self.permitted(argument, Action::Download)?;
        let (file, metadata) = self.tree.open_read(&path).await?;
        Ok((file, metadata, path))
    }

    /// A directory's entries; without an argument the working directory's.
    pub(crate) async fn list(&self, argument: Option<&[u8]>) -> Result<(Listing, VirtualPath), FilesError> {
        let path = self.permitted(argument.unwrap_or(b"."), Action::List)?;
        Ok((self.tree.list(&path).await?, path))
    }

    /// As `list`; what is not a directory has no listing, but metadata all the same. Where nothing of
    /// that name is there, `*` and `?` in the last part of it stand for other characters.
    pub(crate) async fn list_or_file(
        &self,
        argument: Option<&[u8]>,
    ) -> Result<(Option<Listing>, VirtualPath, Metadata), FilesError> {
        let argument = argument.unwrap_or(b".");
        let (metadata, path) = match self.metadata(argument).await {
            Err(FilesError::Storage(StorageError::NotFound)) => return self.list_matching(argument).await,
            found => found?,
        };
        let listing = match metadata.kind {
            Kind::Directory => Some(self.tree.list(&path).await?),
            Kind::File | Kind::Other => None,
        };
        Ok((listing, path, metadata))
    }

    pub(crate) async fn delete(&self, argument: &[u8]) -> Result<(), FilesError> {
        let path = self.permitted(argument, Action::Delete)?;
        self.tree.remove_file(&path, &self.user.id).await?;
        self.visit.note(|client| Act::Delete { client, path: path.to_string() });
        Ok(())
    }

    pub(crate) async fn make_directory(&self, argument: &[u8]) -> Result<VirtualPath, FilesError> {
        let path = self.permitted(argument, Action::MakeDirectory)?;
        self.tree.make_directory(&path).await?;
        self.visit.note(|client| Act::MakeDirectory { client, path: path.to_string() });
        Ok(path)
    }

    pub(crate) async fn remove_directory(&self, argument: &[u8]) -> Result<(), FilesError> {
        let path = self.permitted(argument, Action::RemoveDirectory)?;
        self.tree.remove_directory(&path).await?;
        self.visit.note(|client| Act::RemoveDirectory { client, path: path.to_string() });
        Ok(())
    }

    pub(crate) async fn rename_from(&self, argument: &[u8]) -> Result<RenameFrom, FilesError> {
        let path = self.working_directory.join(argument)?;
        self.check_rename(&path)?;
        self.tree.metadata(&path).await?;
        Ok(RenameFrom(path))
    }

    /// Both ends are checked, with the permissions as they are now.
    pub(crate) async fn rename_to(&self, from: RenameFrom, argument: &[u8]) -> Result<(), FilesError> {
        let RenameFrom(from) = from;
        let to = self.working_directory.join(argument)?;
        self.check_rename(&from)?;
        self.check_rename(&to)?;
        let may_overwrite = self.allows(&to, Action::Overwrite);
        match self.tree.rename(&from, &to, may_overwrite).await {
            Err(StorageError::Exists) if !may_overwrite => return Err(self.deny(&to, Action::Overwrite)),
            renamed => renamed?,
        }
        self.visit.note(|client| Act::Rename { client, from: from.to_string(), to: to.to_string() });
        Ok(())
    }

    pub(crate) async fn set_modified(&self, argument: &[u8], time: FileTime) -> Result<(), FilesError> {
        let path = self.permitted(argument, Action::SetAttributes)?;
        self.tree.set_modified(&path, time).await?;
        self.visit.note(|client| Act::SetModified { client, path: path.to_string(), modified: time.seconds });
        Ok(())
    }

    /// Sets the permission bits.
    pub(crate) async fn set_mode(&self, argument: &[u8], mode: u32) -> Result<(), FilesError> {
        let path = self.permitted(argument, Action::SetAttributes)?;
        self.tree.set_mode(&path, mode).await?;
        let mode = format!("{mode:03o}");
        self.visit.note(|client| Act::SetMode { client, path: path.to_string(), mode });
        Ok(())
    }

    /// Bytes the user can store in a directory: what is free there, or less where less is left of the
    /// quota. Who may not upload there can store none.
    pub(crate) async fn available(&self, argument: Option<&[u8]>) -> Result<u64, FilesError> {
        let path = self.permitted(argument.unwrap_or(b"."), Action::Upload)?;
        let free = self.tree.free_space(&path).await?;
        Ok(self.left().await?.map_or(free, |left| left.min(free)))
    }

    /// Bytes left of the user's quota; none where it has no limit.
    pub(crate) async fn left(&self) -> Result<Option<u64>, FilesError> {
        Ok(self.ledger.left(self.user.quota).await?)
    }

    /// Whoever may do anything there may go there: one who may only upload changes directory
    /// first, as most clients do. To see what is there takes `List`.
    async fn enter(&mut self, path: VirtualPath) -> Result<(), FilesError> {
        if !path.is_root() && !Action::ALL.into_iter().any(|action| self.allows(&path, action)) {
            return Err(self.deny(&path, Action::List));
        }
        if self.tree.metadata(&path).await?.kind != Kind::Directory {
            return Err(StorageError::NotADirectory.into());
        }
        self.working_directory = path;
        Ok(())
    }

    fn check_rename(&self, path: &VirtualPath) -> Result<(), FilesError> {
        if !self.user.permissions.permits(path.as_bytes(), Action::Rename) {
            return Err(self.deny(path, Action::Rename));
        }
        Ok(())
    }

    /// The path the argument means, if the user may do that there.
    fn permitted(&self, argument: &[u8], action: Action) -> Result<VirtualPath, FilesError> {
        let path = self.working_directory.join(argument)?;
        if self.allows(&path, action) { Ok(path) } else { Err(self.deny(&path, action)) }
    }

    /// A permission is missing: what the client hears of it, and a record for the operator.
    fn deny(&self, path: &VirtualPath, action: Action) -> FilesError {
        self.visit.note(|client| Act::Refused { client, path: path.to_string(), permission: action });
        FilesError::Denied(action)
    }

    fn allows(&self, path: &VirtualPath, action: Action) -> bool {
        self.user.permissions.allows(path.as_bytes(), action)
    }
}
