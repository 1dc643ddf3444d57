//! Why a store did not do what it was asked, what a migration did, and why a store can't be used yet.

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such user or admin.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("the name is taken")]
    Taken,
    /// It has been changed since the version that was expected.
    #[error("it has been changed meanwhile")]
    Conflict,
    /// Nobody would be left who may do everything.
    #[error("the last enabled owner must stay")]
    LastOwner,
    /// The home is somebody else's too, or lies in or around somebody else's.
    #[error("others use the home as well")]
    SharedHome,
    /// The files of that home are being removed.
    #[error("the files of that home are being removed")]
    HomeIsGoing,
    /// The store cannot be reached or did not answer in time; the reason is for logs only.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be understood; it is refused rather than guessed. The reason is for logs only.
    #[error("the store holds something that cannot be read: {0}")]
    Corrupt(String),
}

/// What a migration did: from which version of the store to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Before; 0 is an empty store.
    pub from: u32,
    /// Now.
    pub to: u32,
}

/// Why a store was not migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer program has migrated it.
    #[error(
        "the store is at version {store}, newer than the {program} this program knows: use a newer program"
    )]
    Newer {
        /// The store's version.
        store: u32,
        /// The newest this program knows.
        program: u32,
    },
    /// Another program is migrating it and did not finish in time.
    #[error("another program is migrating the store and has not finished")]
    Locked,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the store cannot be used (yet), fit for an operator.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Migrations are missing.
    #[error("the store is at version {store} and needs {program}: run `wharfinger-admin migrate`")]
    Behind {
        /// The store's version.
        store: u32,
        /// What this program needs.
        program: u32,
    },
    /// A newer program has migrated it.
    #[error(
        "the store is at version {store}, newer than the {program} this program knows: use a newer program"
    )]
    Newer {
        /// The store's version.
        store: u32,
        /// The newest this program knows.
        program: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
