//! The vocabulary that the clients share: what to do, told to each in its own words. Paths on the
//! server are relative to the user's home.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// One thing to do.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    MakeDirectory(String),
    Upload { from: PathBuf, to: String },
    List(String),
    Download { from: String, to: PathBuf },
    Rename { from: String, to: String },
    Delete(String),
    RemoveDirectory(String),
}

impl Step {
    /// Does it on the server's disk, in place of a client that can't.
    pub(crate) fn by_hand(&self, home: &Path) {
        match self {
            Step::MakeDirectory(path) => fs::create_dir_all(home.join(path)),
            Step::Upload { from, to } => fs::copy(from, home.join(to)).map(drop),
            Step::List(_) => Ok(()),
            Step::Download { from, to } => fs::copy(home.join(from), to).map(drop),
            Step::Rename { from, to } => fs::rename(home.join(from), home.join(to)),
            Step::Delete(path) => fs::remove_file(home.join(path)),
            Step::RemoveDirectory(path) => fs::remove_dir(home.join(path)),
        }
        .unwrap_or_else(|error| panic!("{self:?}: {error}"));
    }

    /// Its name and arguments, for scripts.
    pub(crate) fn words(&self) -> Value {
        match self {
            Step::MakeDirectory(path) => json!(["mkdir", path]),
            Step::Upload { from, to } => json!(["upload", from, to]),
            Step::List(path) => json!(["list", path]),
            Step::Download { from, to } => json!(["download", from, to]),
            Step::Rename { from, to } => json!(["rename", from, to]),
            Step::Delete(path) => json!(["delete", path]),
            Step::RemoveDirectory(path) => json!(["rmdir", path]),
        }
    }
}
