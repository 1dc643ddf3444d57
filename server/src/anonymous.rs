//! Logins without an account, where the operator wants them: one user for all who come so, in a
//! directory of its own, who reads and changes nothing. The user stands in no store, so nothing
//! there can be taken for it, and nothing in a store's user is given away by its name.

use std::path::Path;
use std::sync::Arc;

use wharfinger_accounts::{Action, Grant, NewUser, Permissions, Protocol, User};
use wharfinger_config::{Config, Uploads};

use crate::StartError;
use crate::storage::local::LocalStorage;
use crate::storage::{Storage, StorageError, Tree};

/// What clients have called it since RFC 1635, and before.
const NAMES: [&[u8]; 2] = [b"anonymous", b"ftp"];

/// Who is let in without an account, and what they see.
pub(crate) struct Anonymous {
    user: Arc<User>,
    storage: LocalStorage,
    ask_password: bool,
}

impl Anonymous {
    /// Makes the directories that are missing; none where it is not enabled.
    pub(crate) fn open(config: &Config) -> Result<Option<Self>, StartError> {
        let settings = &config.anonymous;
        if !settings.enabled {
            return Ok(None);
        }
        let root = config.anonymous_root();
        let refuse = |reason: String| StartError::Storage { root: root.display().to_string(), reason };
        // One client can't tell another's broken upload from its own, so nothing is kept to go on with.
        let uploads = match config.storage.uploads {
            Uploads::Direct => Uploads::Direct,
            Uploads::Atomic | Uploads::AtomicResumable => Uploads::Atomic,
        };
        let storage = LocalStorage::open(&root, uploads, config.storage.durable)
            .map_err(|error| refuse(error.to_string()))?;
        if reveals(&root, config) {
            return Err(refuse("anonymous.root would show the users' files or the server's own".to_owned()));
        }
        std::fs::create_dir_all(root.join(&settings.incoming)).map_err(|error| refuse(error.to_string()))?;
        let user = user(&settings.incoming).map_err(|error| refuse(error.to_string()))?;
        Ok(Some(Self { user: Arc::new(user), storage, ask_password: settings.ask_password }))
    }

    /// Whether somebody who gives this name and speaks this is let in.
    pub(crate) fn admits(&self, name: &[u8], protocol: Protocol) -> bool {
        self.user.protocols.contains(&protocol) && NAMES.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether a password is to be asked for; whichever comes is good.
    pub(crate) fn asks_password(&self) -> bool {
        self.ask_password
    }

    pub(crate) fn user(&self) -> Arc<User> {
        Arc::clone(&self.user)
    }

    pub(crate) async fn tree(&self) -> Result<Arc<dyn Tree>, StorageError> {
        self.storage.open_tree(".", Arc::new(())).await
    }
}

/// Whether the users' files, or what else the server keeps, lie in there.
fn reveals(root: &Path, config: &Config) -> bool {
    // What can't be found is not there to be seen.
    let inside = |path: &Path| {
        let found = path.canonicalize().and_then(|path| Ok((path, root.canonicalize()?)));
        found.is_ok_and(|(path, root)| path.starts_with(root))
    };
    inside(&config.storage_root()) || inside(&config.data_dir)
}

/// Reads everywhere but in `incoming`; there, new files may be left. Of several grants the one with
/// the longest path decides alone.
fn user(incoming: &str) -> Result<User, wharfinger_accounts::Invalid> {
    let grant = |path: String, allow: &[Action]| Grant { path, allow: allow.iter().copied().collect() };
    let mut grants = vec![grant("/".to_owned(), &[Action::List, Action::Download])];
    if !incoming.is_empty() {
        grants.push(grant(format!("/{incoming}"), &[Action::Upload]));
    }
    let mut new = NewUser::named("anonymous".parse()?);
    new.permissions = Permissions::try_from(grants)?;
    new.protocols = [Protocol::Ftp, Protocol::Ftps].into();
    new.into_unstored()
}
