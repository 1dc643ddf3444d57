//! A line of an import of users: it is read, or refused with where in it something is wrong.
#![no_main]
#![allow(dead_code, missing_docs, unused_imports)]

extern crate self as wharfinger_accounts;
extern crate self as wharfinger_config;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

use admin_api::{json, values};
pub use config::network::network;
pub use stand_ins::{KeyName, Password, Role, Rotation};
pub use user::*;

#[path = "../../accounts/src"]
mod accounts {
    pub mod user;
}

#[path = "../../config/src"]
mod config {
    pub mod network;
}

#[path = "../../admin-api/src"]
mod admin_api {
    pub mod json;
    pub mod values;

    #[path = "users/body.rs"]
    mod import;

    /// Reads a line as an import does.
    pub fn read(document: serde_json::Value) -> Result<(), Vec<json::Violation>> {
        json::read::<import::Imported>(document).map(drop)
    }
}

use accounts::user;

fuzz_target!(|line: &[u8]| {
    let Ok(document) = json::parse(line) else { return };
    let Err(violations) = admin_api::read(document.clone()) else { return };
    assert!((1..=50).contains(&violations.len()), "a refusal says why, and is short");
    for violation in violations {
        let there = document.pointer(&violation.pointer).is_some();
        assert!(there || is_missing(&document, &violation.pointer), "{} is nowhere", violation.pointer);
    }
});

/// Whether the pointer is to a member that an object lacks.
fn is_missing(document: &Value, pointer: &str) -> bool {
    let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
    parent.and_then(|parent| document.pointer(parent)).is_some_and(Value::is_object)
}

mod body {
    pub(crate) struct Body<T>(pub(crate) T);
}

mod usage {
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Usage;
}

/// Of what no line of an import holds, or what is taken as it is.
mod stand_ins {
    use std::time::Duration;

    use serde::Deserialize;

    use crate::user::Invalid;

    #[derive(Clone, Debug)]
    pub struct Password(Vec<u8>);

    impl Password {
        pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
            Self(bytes.into())
        }
    }

    #[derive(Debug, Default)]
    pub struct Rotation {
        pub password: Option<Password>,
        pub grace: Option<Duration>,
        pub end_sessions: bool,
    }

    #[derive(Deserialize)]
    pub struct Role;

    pub struct KeyName;

    impl std::str::FromStr for KeyName {
        type Err = Invalid;

        fn from_str(_: &str) -> Result<Self, Invalid> {
            Ok(Self)
        }
    }
}
