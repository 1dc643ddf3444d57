//! What can be recorded, as types: a new kind of event is a new variant here, and nothing secret has a
//! place in any of them.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::user::{Action, Protocol};

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// The user it is about: the one who did it, or whom an admin changed.
    pub user: Option<String>,
    /// The admin who did it; none where a user did.
    pub actor: Option<String>,
    /// What it was.
    pub act: Act,
}

/// Who is at the other end of a file server's session.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Client {
    /// The client's address.
    pub address: IpAddr,
    /// The control connection's number on its server.
    pub session: u64,
}

/// Which request to the admin API it was.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Where it came from; none for a command on the machine itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Its id, as in the access log.
    #[serde(rename = "request_id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What happened; the variant's name is the record's `action`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "members say what they are, and docs/security.md says it of all of them")]
pub enum Act {
    /// A user was let in.
    Login {
        #[serde(flatten)]
        client: Client,
        protocol: Protocol,
    },
    /// Somebody was not let in; the reason is for operators only.
    LoginRefused {
        #[serde(flatten)]
        client: Client,
        protocol: Protocol,
        reason: String,
    },
    /// A session ended, or its user logged out.
    Logout {
        #[serde(flatten)]
        client: Client,
        reason: &'static str,
    },
    /// A file was sent, wholly or in part.
    Download {
        #[serde(flatten)]
        client: Client,
        path: String,
        bytes: u64,
        result: String,
    },
    /// A file was received, wholly or in part.
    Upload {
        #[serde(flatten)]
        client: Client,
        path: String,
        bytes: u64,
        result: String,
    },
    /// A file was copied on the server.
    Copy {
        #[serde(flatten)]
        client: Client,
        path: String,
        bytes: u64,
        result: String,
    },
    /// A file was removed.
    Delete {
        #[serde(flatten)]
        client: Client,
        path: String,
    },
    /// A file or directory got another name.
    Rename {
        #[serde(flatten)]
        client: Client,
        from: String,
        to: String,
    },
    /// A directory was made.
    MakeDirectory {
        #[serde(flatten)]
        client: Client,
        path: String,
    },
    /// A directory was removed.
    RemoveDirectory {
        #[serde(flatten)]
        client: Client,
        path: String,
    },
    /// All files of a removed user's home were removed, because an admin wanted that.
    RemoveHome { home: String },
    /// Permission bits were set, in octal.
    SetMode {
        #[serde(flatten)]
        client: Client,
        path: String,
        mode: String,
    },
    /// A time of modification was set, seconds since 1970.
    SetModified {
        #[serde(flatten)]
        client: Client,
        path: String,
        modified: i64,
    },
    /// A user's permissions lack what a command needs.
    Refused {
        #[serde(flatten)]
        client: Client,
        path: String,
        permission: Action,
    },
    /// An admin got a token.
    AdminLogin {
        #[serde(flatten)]
        request: Request,
    },
    /// Somebody got none.
    AdminLoginRefused {
        #[serde(flatten)]
        request: Request,
        reason: String,
    },
    /// An admin changed something: what kind of thing, which one, what was done to it, and those of its
    /// members that differ. The outcome is `done`, `refused` for the role, or `unknown` where the store's
    /// answer was lost.
    Change {
        #[serde(flatten)]
        request: Request,
        kind: &'static str,
        name: String,
        change: String,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Map::is_empty")]
        before: Map<String, Value>,
        #[serde(skip_serializing_if = "Map::is_empty")]
        after: Map<String, Value>,
    },
    /// A process began this chain, and found the others at these heads.
    Started { program: String, version: &'static str, heads: Vec<Link> },
    /// Where the other chains were.
    Witnessed { heads: Vec<Link> },
    /// So many events were not recorded before this one: the store was away for too long.
    Gap { lost: u64 },
    /// Records up to these were removed because of their age.
    Expired { before: String, chains: Vec<Link> },
    /// The process ended as it should, and the chain with it.
    Stopped,
}

/// A record of another chain, by its place and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Link {
    /// The chain.
    pub chain: String,
    /// The record's number in it.
    pub sequence: u64,
    /// The record's hash.
    pub hash: String,
}

impl Act {
    /// The action's word and the rest, as the record keeps them.
    pub(super) fn into_parts(self) -> Result<(String, String), serde_json::Error> {
        let mut members = match serde_json::to_value(self)? {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let action = match members.remove("action") {
            Some(Value::String(action)) => action,
            _ => String::new(),
        };
        Ok((action, Value::Object(members).to_string()))
    }
}

/// Actions the trail itself goes by.
pub(super) mod action {
    pub(crate) const STARTED: &str = "started";
    pub(crate) const WITNESSED: &str = "witnessed";
    pub(crate) const EXPIRED: &str = "expired";
    pub(crate) const STOPPED: &str = "stopped";
}
