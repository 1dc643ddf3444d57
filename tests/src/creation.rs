//! A load on the store: users created one after the other, each until it is there, whatever happens to
//! the store meanwhile.

use std::collections::BTreeMap;
use std::iter::from_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::admin::{Admin, Answer};
use crate::polling::eventually;

/// Between two users: enough for a load, and not all of the machine.
const PACE: Duration = Duration::from_millis(50);
/// For an election on a busy machine, and for what waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The load, for who makes it and who watches it.
#[derive(Default)]
pub struct Creation {
    over: AtomicBool,
    count: AtomicUsize,
}

impl Creation {
    /// Creates until it is told to stop. How often each user was said to be created: once, or never where
    /// the answer was lost and the user was there when it was tried again.
    pub fn run(&self, admin: &Admin) -> BTreeMap<String, usize> {
        let mut created = BTreeMap::new();
        while !self.is_over() {
            let name = format!("user{}", created.len());
            let body = json!({"username": name, "password": "a password for everybody"});
            let answers = from_fn(|| Some(admin.post("/api/v1/users", body.clone())));
            let told = answers.inspect(may_be_tried_again).find(|answer| answer.status != 503);
            let status = told.map(|answer| answer.status);
            assert!([Some(201), Some(409)].contains(&status), "{name}: {status:?}");
            created.insert(name, usize::from(status == Some(201)));
            self.count.store(created.len(), Ordering::SeqCst);
            thread::sleep(PACE);
        }
        created
    }

    /// Waits until a few more users are there than now.
    pub fn wait_for_more(&self) {
        let before = self.count.load(Ordering::SeqCst);
        eventually("more users", PATIENCE, || {
            (self.count.load(Ordering::SeqCst) >= before + 3).then_some(())
        });
    }

    /// Ends it when this value goes, be it by a failing test that would else wait for it for ever.
    pub fn until_dropped(&self) -> Until<'_> {
        Until(self)
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

/// Ends the load when it goes.
pub struct Until<'a>(&'a Creation);

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

/// Who is told that the store is down is told when to try again.
pub fn may_be_tried_again(answer: &Answer) {
    assert!(answer.status != 503 || answer.retry_after.is_some_and(|seconds| seconds > 0), "{answer:?}");
}
