//! What must hold after every fault: no file is missing, wrong or half, what is used of quotas is what
//! is on the disk, the audit trail is whole, and the service is back by itself.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Mode, User};

use crate::uploader::{Uploader, files_in};

/// A dead server's place and its hold on quotas are free after ten seconds.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// Logins, uploads and the admin API work again.
pub(crate) fn is_back(deployment: &Deployment, user: &User) {
    eventually("a login", SOON, || (deployment.log_in(&user.name, &user.password).code == 230).then_some(()));
    eventually("the admin API", SOON, || {
        let answer = deployment.admin.try_post("/api/v1/users/nobody/recount", &json!({}));
        (answer?.status == 404).then_some(())
    });
}

/// A user's files are what the clients were told, and one file of each client's is served: how many
/// that are.
pub(crate) fn files_are_right(deployment: &Deployment, user: &User, uploaders: &mut [Uploader]) -> usize {
    let there = files_in(&deployment.home(user));
    let mut session = deployment.session(user);
    let (mut told, mut served) = (0, 0);
    for uploader in uploaders.iter_mut() {
        uploader.settle(&there);
        told += uploader.files.certain().count();
        if let Some((name, content)) = uploader.files.certain().next() {
            assert!(session.receive(Mode::Epsv, &format!("RETR {name}")) == *content.0, "{name} as served");
            served += 1;
        }
    }
    assert_eq!(told, there.len(), "nobody ever asked for one of {:?}", there.keys());
    served
}

/// What a recount finds is what is on the disk.
pub(crate) fn quota_is_right(deployment: &Deployment, user: &User) {
    let path = format!("/api/v1/users/{}", user.name);
    let usage = || deployment.admin.get(&path).body["usage"].clone();
    let before = usage()["recounted_at"].clone();
    assert_eq!(deployment.admin.post(&format!("{path}/recount"), json!({})).status, 202);
    let found = eventually("a recount", SOON, || {
        Some(usage()).filter(|usage| usage["recounted_at"].is_string() && usage["recounted_at"] != before)
    });
    let (bytes, files) = on_disk(&deployment.home(user));
    assert_eq!((&found["bytes"], &found["files"]), (&json!(bytes), &json!(files)), "{found}");
}

/// No record was lost behind another, changed or doubled.
pub(crate) fn audit_is_intact(deployment: &Deployment) {
    let told = deployment.admin.get("/api/v1/audit/verify").body;
    assert_eq!(told["intact"], true, "{told}");
}

/// Bytes and files in a directory, half ones too.
fn on_disk(directory: &Path) -> (u64, u64) {
    let sizes: Vec<u64> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    (sizes.iter().sum(), sizes.len() as u64)
}
