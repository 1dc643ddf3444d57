//! An administrator's program that creates, disables and removes users without a pause, and keeps
//! account of what it was told.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use wharfinger_tests::{Admin, Answer};

use crate::chance::Chance;
use crate::ledger::Ledger;

/// Its users' names begin so.
const PREFIX: &str = "managed-";
const PAUSE: Duration = Duration::from_millis(50);

/// The program.
pub(crate) struct Manager {
    users: Ledger<Status>,
    /// Changes that were acknowledged: of whom, and which.
    changes: Vec<(String, &'static str)>,
    chance: Chance,
    created: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Status {
    Active,
    Disabled,
}

impl Manager {
    pub(crate) fn new(chance: Chance) -> Manager {
        Manager { users: Ledger::default(), changes: Vec::new(), chance, created: 0 }
    }

    /// Works until told to stop, wherever the API is by then.
    pub(crate) fn work(&mut self, admin: &Mutex<Admin>, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let admin = admin.lock().unwrap().clone();
            let active: Vec<String> = self.users.certain().map(|(name, _)| name.to_owned()).collect();
            let somebody = active.get(usize::try_from(self.chance.below(8)).unwrap()).cloned();
            match (somebody, self.chance.below(3)) {
                (Some(name), 0) => {
                    let answer = admin.try_post(&format!("/api/v1/users/{name}/disable"), &json!({}));
                    self.note(&name, "disable", Some(Status::Disabled), 200, answer.as_ref());
                }
                (Some(name), 1) => {
                    let answer = admin.try_delete(&format!("/api/v1/users/{name}"));
                    self.note(&name, "remove", None, 204, answer.as_ref());
                }
                _ => self.create(&admin),
            }
        }
    }

    fn create(&mut self, admin: &Admin) {
        self.created += 1;
        let name = format!("{PREFIX}{}", self.created);
        let body = json!({"username": name, "password": format!("password of {name}")});
        let answer = admin.try_post("/api/v1/users", &body);
        self.note(&name, "create", Some(Status::Active), 201, answer.as_ref());
    }

    fn note(
        &mut self,
        name: &str,
        change: &'static str,
        becomes: Option<Status>,
        done: u16,
        answer: Option<&Answer>,
    ) {
        match answer.map(|answer| answer.status) {
            Some(status) if status == done => {
                self.users.is(name, becomes);
                self.changes.push((name.to_owned(), change));
            }
            // Too much was asked for.
            Some(429) => thread::sleep(PAUSE),
            // The API is gone, or its store, which may have taken the change.
            None | Some(500..) => {
                self.users.may_be(name, becomes);
                thread::sleep(PAUSE);
            }
            Some(_) => panic!("{change} {name}: {answer:?}"),
        }
    }

    /// Holds users and audit trail to what the program was told since
    /// the last time, which was before `began`.
    pub(crate) fn settle(&mut self, admin: &Admin, began: Timestamp) {
        let mut there = BTreeMap::new();
        for user in admin.all("/api/v1/users?limit=1000") {
            let name = user["username"].as_str().unwrap();
            if name.starts_with(PREFIX) {
                let status = if user["status"] == "active" { Status::Active } else { Status::Disabled };
                assert!(there.insert(name.to_owned(), status).is_none(), "{name} is there twice");
            }
        }
        self.users.settle(there);
        let trail = admin.all(&format!("/api/v1/audit?action=change&since={began}&limit=1000"));
        let mut changes: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for change in self.changes.drain(..) {
            *changes.entry(change).or_default() += 1;
        }
        for ((name, change), times) in changes {
            let its = |record: &&Value| {
                record["user"] == name.as_str()
                    && record["detail"]["change"] == change
                    && record["detail"]["outcome"] == "done"
            };
            assert_eq!(trail.iter().filter(its).count(), times, "records of {change} {name}");
        }
    }
}
