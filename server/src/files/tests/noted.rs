//! What of a user's doing the audit trail hears of.

use serde_json::{Value, json};
use wharfinger_accounts::{Action, Noted};

use super::Place;
use crate::storage::{FileTime, Start};

fn acts(noted: &mut Noted) -> Vec<Value> {
    let act = |event: wharfinger_accounts::Event| {
        assert_eq!(event.user.as_deref(), Some("alice"));
        let mut act = serde_json::to_value(event.act).unwrap();
        let members = act.as_object_mut().unwrap();
        assert_eq!(members.remove("address"), Some(json!("192.0.2.7")));
        assert_eq!(members.remove("session"), Some(json!(1)));
        act
    };
    noted.take().into_iter().map(act).collect()
}

#[tokio::test]
async fn what_changes_files_is_noted_when_it_is_done() {
    let mut place = Place::new(&[("/", &Action::ALL)]).await;
    let files = &place.files;
    files.make_directory(b"/new").await.unwrap();
    files.set_mode(b"/here/file", 0o640).await.unwrap();
    files.set_modified(b"/here/file", FileTime { seconds: 7, nanoseconds: 0 }).await.unwrap();
    let from = files.rename_from(b"/here/file").await.unwrap();
    files.rename_to(from, b"/new/file").await.unwrap();
    files.delete(b"/new/file").await.unwrap();
    files.delete(b"/new/file").await.unwrap_err();
    files.remove_directory(b"/new").await.unwrap();
    drop(place.files);
    assert_eq!(
        acts(&mut place.noted),
        [
            json!({"action": "make-directory", "path": "/new"}),
            json!({"action": "set-mode", "path": "/here/file", "mode": "640"}),
            json!({"action": "set-modified", "path": "/here/file", "modified": 7}),
            json!({"action": "rename", "from": "/here/file", "to": "/new/file"}),
            json!({"action": "delete", "path": "/new/file"}),
            json!({"action": "remove-directory", "path": "/new"}),
            json!({"action": "logout", "reason": "left"}),
        ]
    );
}

#[tokio::test]
async fn a_missing_permission_is_noted_with_its_name() {
    let mut place = Place::new(&[("/here", &[Action::Upload])]).await;
    place.files.delete(b"/here/file").await.unwrap_err();
    place.files.upload(b"/here/file", Start::Beginning, true).await.map(drop).unwrap_err();
    place.files.open_read(b"/there/file").await.unwrap_err();
    let refused = |path, permission| json!({"action": "refused", "path": path, "permission": permission});
    assert_eq!(
        acts(&mut place.noted),
        [
            refused("/here/file", "delete"),
            refused("/here/file", "overwrite"),
            refused("/there/file", "download"),
        ]
    );
}
