//! `?since=&until=&user=&actor=&action=&limit=&cursor=` of the audit trail.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;
use utoipa::IntoParams;
use wharfinger_accounts::{AuditPosition, AuditQuery};

use crate::error::ApiError;
use crate::query::{BAD_CURSOR, Cursors, Parameters};
use crate::service::Service;

/// The name of the list, for its cursors.
const LIST: &str = "audit";

pub(crate) struct AuditListQuery(pub(super) AuditQuery);

/// Which records to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro that derives the document")]
pub(crate) struct AuditListShape {
    /// At most so many items.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next_cursor` of an earlier answer.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Only records at or after this time.
    #[param(nullable = false)]
    since: Option<Timestamp>,
    /// Only records before this time.
    #[param(nullable = false)]
    until: Option<Timestamp>,
    /// Only records about this user, or of whoever tried to be.
    #[param(nullable = false, max_length = 1024)]
    user: Option<String>,
    /// Only records of what this admin did.
    #[param(nullable = false, max_length = 1024)]
    actor: Option<String>,
    /// Only records of this action, such as `login` or `delete`.
    #[param(nullable = false, max_length = 1024)]
    action: Option<String>,
}

impl FromRequestParts<Service> for AuditListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        let mut time = |name| {
            parameters.take_whole(name, "must be a time such as 2026-12-31T23:59:59Z (RFC 3339)", |text| {
                text.parse::<Timestamp>().ok()
            })
        };
        let (since, until) = (time("since"), time("until"));
        let mut word = |name| {
            let short = |text: &str| (text.len() <= 1024).then(|| text.to_owned());
            parameters.take(name, "must be at most 1024 bytes", short)
        };
        let (user, actor, action) = (word("user"), word("actor"), word("action"));
        let after =
            parameters.take("cursor", BAD_CURSOR, |text| position(&service.cursors.read(LIST, text)?));
        let limit = parameters.limit();
        parameters.finish()?;
        Ok(Self(AuditQuery { since, until, user, actor, action, after, limit }))
    }
}

pub(super) fn cursor(cursors: &Cursors, last: &AuditPosition) -> String {
    cursors.after(LIST, &format!("{} {} {}", last.at, last.sequence, last.chain))
}

fn position(text: &str) -> Option<AuditPosition> {
    let (at, rest) = text.split_once(' ')?;
    let (sequence, chain) = rest.split_once(' ')?;
    Some(AuditPosition { at: at.parse().ok()?, sequence: sequence.parse().ok()?, chain: chain.to_owned() })
}
