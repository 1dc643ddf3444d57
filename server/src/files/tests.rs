//! Permissions, path by path: what each command needs, and that nothing less will do.

mod copies;
mod noted;
mod uploads;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tempfile::TempDir;
use wharfinger_accounts::{
    Action, ClientCertificate, Grant, Limits, Noted, Permissions, Quota, Status, Timestamp, Trail, User,
};
use wharfinger_config::Uploads;

use super::{Files, FilesError};
use crate::login::{LoggedIn, Visit};
use crate::metrics::Metrics;
use crate::path::PathError;
use crate::registry::Registry;
use crate::storage::local::LocalStorage;
use crate::storage::{FileTime, Start, Storage, StorageError, Tree};
use crate::usage::Ledger;

/// A tree with `/here` and `/there`; in each a `file`, an `other` one, an empty `directory` and nothing `new`.
struct Place {
    root: TempDir,
    files: Files,
    noted: Noted,
}

impl Place {
    async fn new(grants: &[(&str, &[Action])]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let storage = LocalStorage::open(root.path(), Uploads::AtomicResumable, false).unwrap();
        let (files, noted) = files(storage.open_tree("alice", Arc::new(())).await.unwrap(), user(grants));
        let place = Self { root, files, noted };
        for directory in ["here", "there"] {
            std::fs::create_dir_all(place.disk(directory).join("directory")).unwrap();
            std::fs::write(place.disk(directory).join("file"), "content").unwrap();
            std::fs::write(place.disk(directory).join("other"), "content").unwrap();
        }
        place
    }

    fn disk(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join("alice").join(path)
    }
}

/// The files of a user who has logged in, and what is noted of them.
pub(crate) fn files(tree: Arc<dyn Tree>, user: Arc<User>) -> (Files, Noted) {
    let (trail, noted) = Trail::detached();
    let client = std::net::IpAddr::from([192, 0, 2, 7]);
    let live = Registry::new().admit(client, client, &wharfinger_config::Limits::default()).unwrap().live();
    let visit = Visit::new(&trail, &Metrics::default(), &live, &user.username);
    (Files::new(LoggedIn { user, tree, ledger: Ledger::unkept(), visit }), noted)
}

pub(crate) fn user(grants: &[(&str, &[Action])]) -> Arc<User> {
    let grants = grants.iter().map(|(path, allow)| Grant {
        path: (*path).to_owned(),
        allow: allow.iter().copied().collect::<BTreeSet<_>>(),
    });
    let then = Timestamp::UNIX_EPOCH;
    Arc::new(User {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        username: "alice".parse().unwrap(),
        status: Status::Active,
        description: String::new(),
        home: "alice".parse().unwrap(),
        permissions: Permissions::try_from(grants.collect::<Vec<_>>()).unwrap(),
        quota: Quota::default(),
        limits: Limits::default(),
        allowed_networks: Vec::new(),
        protocols: BTreeSet::new(),
        client_certificate: ClientCertificate::None,
        expires_at: None,
        password_changed_at: then,
        password_expires_at: None,
        must_change_by: None,
        previous_valid_until: None,
        created_at: then,
        updated_at: then,
        version: 1,
        session_epoch: 0,
    })
}

/// A command on a path, and what its user needs there.
struct Case {
    name: &'static str,
    needs: &'static [Action],
    run: fn(&mut Files) -> Running<'_>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), FilesError>> + 'a>>;

macro_rules! cases {
    ($($name:literal needs $needs:expr => |$files:ident| $call:expr;)*) => {
        [$(Case {
            name: $name,
            needs: &$needs,
            run: |$files| Box::pin(async move {
                $call.await?;
                Ok(())
            }),
        }),*]
    };
}

const NOON: FileTime = FileTime { seconds: 1_000_000_000, nanoseconds: 0 };

fn every_command() -> impl IntoIterator<Item = Case> {
    use Action::{
        Append, Delete, Download, List, MakeDirectory, Overwrite, RemoveDirectory, Rename, SetAttributes,
        Upload,
    };
    cases! {
        "MLST" needs [List] => |files| files.metadata(b"/here/file");
        "MLST of a directory" needs [List] => |files| files.metadata(b"/here");
        "SIZE" needs [List] => |files| files.size(b"/here/file");
        "LIST" needs [List] => |files| files.list(Some(b"/here"));
        "LIST of a file" needs [List] => |files| files.list_or_file(Some(b"/here/file"));
        "RETR" needs [Download] => |files| files.open_read(b"/here/file");
        "STOR" needs [Upload] => |files| files.upload(b"/here/new", Start::Beginning, true);
        "STOR on a file" needs [Upload, Overwrite] => |files| files.upload(b"/here/file", Start::Beginning, true);
        "REST 0, STOR on a file" needs [Upload, Overwrite] => |files| files.upload(b"/here/file", Start::At(0), true);
        "REST, STOR on a file" needs [Upload, Overwrite, Append] => |files| files.upload(b"/here/file", Start::At(3), true);
        "APPE" needs [Upload] => |files| files.upload(b"/here/new", Start::End, true);
        "APPE on a file" needs [Upload, Append] => |files| files.upload(b"/here/file", Start::End, true);
        "STOU" needs [Upload] => |files| files.unique_upload(Some(b"/here/new"), true);
        "STOU on a file" needs [Upload] => |files| files.unique_upload(Some(b"/here/file"), true);
        "DELE" needs [Delete] => |files| files.delete(b"/here/file");
        "MKD" needs [MakeDirectory] => |files| files.make_directory(b"/here/new");
        "RMD" needs [RemoveDirectory] => |files| files.remove_directory(b"/here/directory");
        "RNFR" needs [Rename] => |files| files.rename_from(b"/here/file");
        "RNTO" needs [Rename] => |files| rename(files, b"/here/file", b"/here/new");
        "RNTO a file" needs [Rename, Overwrite] => |files| rename(files, b"/here/directory/../file", b"/here/file");
        "MFMT" needs [SetAttributes] => |files| files.set_modified(b"/here/file", NOON);
        "AVBL" needs [Upload] => |files| files.available(Some(b"/here"));
        "SITE CHMOD" needs [SetAttributes] => |files| files.set_mode(b"/here/file", 0o600);
        "SITE CPFR" needs [Download] => |files| files.copy_from(b"/here/file");
        "SITE CPTO" needs [Download, Upload] => |files| copy(files, b"/here/file", b"/here/new");
        "SITE CPTO a file" needs [Download, Upload, Overwrite] => |files| copy(files, b"/here/other", b"/here/file");
    }
}

async fn copy(files: &Files, from: &[u8], to: &[u8]) -> Result<(), FilesError> {
    let from = files.copy_from(from).await?;
    files.copy_to(from, to).await.map(drop)
}

async fn rename(files: &Files, from: &[u8], to: &[u8]) -> Result<(), FilesError> {
    let from = files.rename_from(from).await?;
    files.rename_to(from, to).await
}

#[test]
fn the_table_of_commands_asks_for_every_permission() {
    let asked: BTreeSet<_> = every_command().into_iter().flat_map(|case| case.needs).copied().collect();
    assert_eq!(asked, BTreeSet::from(Action::ALL));
}

#[tokio::test]
async fn each_command_is_done_with_just_the_permissions_it_needs() {
    for case in every_command() {
        let mut place = Place::new(&[("/here", case.needs)]).await;
        let done = (case.run)(&mut place.files).await;
        assert!(done.is_ok(), "{}: {done:?}", case.name);
    }
}

#[tokio::test]
async fn each_command_is_refused_when_one_permission_is_missing() {
    for case in every_command() {
        for missing in case.needs {
            let others: Vec<_> = Action::ALL.into_iter().filter(|action| action != missing).collect();
            let mut place = Place::new(&[("/", &Action::ALL), ("/here", &others)]).await;
            let done = (case.run)(&mut place.files).await;
            let refused = matches!(&done, Err(FilesError::Denied(action)) if action == missing);
            assert!(refused, "{} without {missing:?}: {done:?}", case.name);
        }
    }
}

#[tokio::test]
async fn each_command_is_refused_where_no_grant_applies() {
    for case in every_command() {
        let mut place = Place::new(&[("/there", &Action::ALL), ("/her", &Action::ALL)]).await;
        let done = (case.run)(&mut place.files).await;
        assert!(matches!(done, Err(FilesError::Denied(_))), "{}: {done:?}", case.name);
    }
}

#[tokio::test]
async fn a_refusal_does_not_tell_whether_anything_is_there() {
    let place = Place::new(&[]).await;
    for path in ["/here/file", "/here/missing", "/missing/file", "/here"] {
        let refused = place.files.metadata(path.as_bytes()).await;
        assert!(matches!(refused, Err(FilesError::Denied(Action::List))), "{path}");
        let refused = place.files.rename_from(path.as_bytes()).await;
        assert!(matches!(refused, Err(FilesError::Denied(Action::Rename))), "{path}");
    }
}

#[tokio::test]
async fn both_ends_of_a_rename_need_the_permission() {
    let most: Vec<_> = Action::ALL.into_iter().filter(|action| *action != Action::Rename).collect();
    for grants in
        [[("/here", &most[..]), ("/there", &Action::ALL)], [("/here", &Action::ALL), ("/there", &most)]]
    {
        let place = Place::new(&grants).await;
        let refused = rename(&place.files, b"/here/file", b"/there/new").await;
        assert!(matches!(refused, Err(FilesError::Denied(Action::Rename))), "{refused:?}");
    }
    let place = Place::new(&[("/here", &[Action::Rename]), ("/there", &[Action::Rename])]).await;
    rename(&place.files, b"/here/file", b"/there/new").await.unwrap();
    assert!(place.disk("there/new").exists());
}

#[tokio::test]
async fn a_rename_replaces_a_file_only_with_the_permission_at_its_target() {
    let place = Place::new(&[("/here", &Action::ALL), ("/there", &[Action::Rename])]).await;
    let refused = rename(&place.files, b"/here/file", b"/there/file").await;
    assert!(matches!(refused, Err(FilesError::Denied(Action::Overwrite))), "{refused:?}");
    assert!(place.disk("here/file").exists());
}

#[tokio::test]
async fn a_permission_lost_between_rnfr_and_rnto_is_missing() {
    let mut place = Place::new(&[("/", &Action::ALL)]).await;
    let from = place.files.rename_from(b"/here/file").await.unwrap();
    place.files.set_user(user(&[("/", &Action::ALL), ("/here", &[Action::List])]));
    let refused = place.files.rename_to(from, b"/there/new").await;
    assert!(matches!(refused, Err(FilesError::Denied(Action::Rename))), "{refused:?}");
}

/// Else a file under `/here/directory` could be read by renaming `/here`.
#[tokio::test]
async fn a_directory_with_grants_of_its_own_beneath_is_not_renamed() {
    let place = Place::new(&[("/", &Action::ALL), ("/here/directory", &[]), ("/new/directory", &[])]).await;
    for (from, to) in [("/here", "/elsewhere"), ("/there", "/new")] {
        let refused = rename(&place.files, from.as_bytes(), to.as_bytes()).await;
        assert!(matches!(refused, Err(FilesError::Denied(Action::Rename))), "{from}: {refused:?}");
    }
    rename(&place.files, b"/there", b"/elsewhere").await.unwrap();
}

#[tokio::test]
async fn the_working_directory_is_where_relative_paths_begin() {
    let mut place = Place::new(&[("/", &Action::ALL)]).await;
    assert_eq!(place.files.working_directory().as_bytes(), b"/");
    place.files.change_directory(b"here/directory").await.unwrap();
    assert_eq!(place.files.make_directory(b"deep").await.unwrap().as_bytes(), b"/here/directory/deep");
    place.files.change_to_parent().await.unwrap();
    assert_eq!(place.files.working_directory().as_bytes(), b"/here");
    assert_eq!(place.files.size(b"file").await.unwrap(), 7);
    place.files.change_to_parent().await.unwrap();
    place.files.change_to_parent().await.unwrap();
    assert_eq!(place.files.working_directory().as_bytes(), b"/");
    let outside = place.files.change_directory(b"..").await;
    assert!(matches!(outside, Err(FilesError::Path(PathError::OutsideTree))), "{outside:?}");
}

#[tokio::test]
async fn only_an_existing_directory_becomes_the_working_directory() {
    let mut place = Place::new(&[("/", &Action::ALL)]).await;
    let file = place.files.change_directory(b"/here/file").await;
    assert!(matches!(file, Err(FilesError::Storage(StorageError::NotADirectory))), "{file:?}");
    let missing = place.files.change_directory(b"/missing").await;
    assert!(matches!(missing, Err(FilesError::Storage(StorageError::NotFound))), "{missing:?}");
    assert_eq!(place.files.working_directory().as_bytes(), b"/");
}

#[tokio::test]
async fn any_permission_opens_a_directory_and_none_does_not() {
    for action in Action::ALL {
        let mut place = Place::new(&[("/here", &[action]), ("/there", &[])]).await;
        place.files.change_directory(b"/here").await.unwrap();
        let refused = place.files.change_directory(b"/there").await;
        assert!(matches!(refused, Err(FilesError::Denied(_))), "{refused:?}");
        place.files.change_to_parent().await.unwrap();
    }
}
