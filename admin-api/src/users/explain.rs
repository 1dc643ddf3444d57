//! Questions about what a user may do, and the answers: the accounts' own walk through their rules,
//! as JSON.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use wharfinger_accounts::{Action, Explanation, Protocol, Question};

use super::shape::ProtocolShape;
use crate::json::{FromJson, Place};
use crate::values::word;

/// What somebody wants to know.
#[derive(ToSchema)]
#[schema(as = Question)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// `login`, or what is to be done to a file.
    #[schema(value_type = DeedShape)]
    action: Deed,
    /// The file, absolute; needed for all but `login`.
    #[schema(required = false, value_type = String)]
    path: Option<String>,
    /// Where the client is; left out: the rule about networks is not asked.
    #[schema(required = false, value_type = String)]
    client_address: Option<IpAddr>,
    /// What the client speaks; default: `ftps`.
    #[schema(required = false, value_type = ProtocolShape)]
    protocol: Option<Protocol>,
    /// Whether inside TLS; FTP in clear is the protocol `ftp`. Default: true.
    #[schema(required = false, value_type = bool)]
    tls: Option<bool>,
}

/// A login, or something done to a file or directory.
#[derive(ToSchema)]
#[schema(as = Deed, rename_all = "snake_case")]
#[expect(dead_code, reason = "read by the macro that derives the document")]
enum DeedShape {
    Login,
    List,
    Download,
    Upload,
    Overwrite,
    Append,
    Rename,
    Delete,
    MakeDirectory,
    RemoveDirectory,
    SetAttributes,
}

enum Deed {
    Login,
    File(Action),
}

/// What the rules say.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct Explained {
    /// Whether it is allowed.
    allowed: bool,
    /// The rule that decided: the last one asked.
    decided_by: String,
    /// Every rule asked, in order.
    trace: Vec<RuleAsked>,
}

/// One rule, as it was asked.
#[derive(Serialize, ToSchema)]
struct RuleAsked {
    /// Its name.
    rule: String,
    /// `passed` or `refused`.
    #[schema(value_type = String)]
    outcome: &'static str,
    /// What it found.
    detail: String,
}

impl Asked {
    pub(super) fn question(&self) -> Question<'_> {
        let protocol = match (self.protocol.unwrap_or(Protocol::Ftps), self.tls) {
            (Protocol::Ftps, Some(false)) => Protocol::Ftp,
            (Protocol::Ftp, Some(true)) => Protocol::Ftps,
            (other, _) => other,
        };
        let deed = match (&self.action, &self.path) {
            (Deed::File(action), Some(path)) => Some((*action, path.as_bytes())),
            (Deed::Login, _) | (Deed::File(_), None) => None,
        };
        Question { address: self.client_address, protocol, deed }
    }
}

impl From<Explanation> for Explained {
    fn from(explanation: Explanation) -> Self {
        let trace: Vec<RuleAsked> = explanation
            .trace
            .into_iter()
            .map(|step| RuleAsked {
                rule: step.rule.to_owned(),
                outcome: if step.passed { "passed" } else { "refused" },
                detail: step.detail,
            })
            .collect();
        let decided_by = trace.last().map(|last| last.rule.clone()).unwrap_or_default();
        Self { allowed: explanation.allowed, decided_by, trace }
    }
}

impl FromJson for Asked {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let action: Option<Deed> = members.required("action");
        let path = match action {
            // Which file, a question about a file has to say.
            Some(Deed::File(_)) => members.required::<Absolute>("path"),
            Some(Deed::Login) | None => members.optional("path"),
        };
        let asked = Self {
            action: action?,
            path: path.map(|Absolute(path)| path),
            client_address: members.optional("client_address"),
            protocol: members.optional("protocol"),
            tls: members.optional("tls"),
        };
        members.finish();
        Some(asked)
    }
}

impl FromJson for Deed {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        if value == "login" {
            return Some(Self::Login);
        }
        word(value, place, "must be login or one of a user's permissions").map(Self::File)
    }
}

impl FromJson for IpAddr {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        String::from_json(value, place)?.parse().ok().or_else(|| place.refuse("must be an IP address"))
    }
}

/// A path as the rules know paths.
struct Absolute(String);

impl FromJson for Absolute {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let path = String::from_json(value, place)?;
        let parts = path.strip_prefix('/').map(|rest| rest.split('/').collect::<Vec<_>>());
        let normal =
            |parts: &Vec<&str>| parts == &[""] || parts.iter().all(|part| !matches!(*part, "" | "." | ".."));
        if parts.as_ref().is_some_and(normal) && !path.chars().any(char::is_control) {
            return Some(Self(path));
        }
        place.refuse("must be absolute, without '.', '..', '//', a '/' at the end or control characters")
    }
}
