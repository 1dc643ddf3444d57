//! What can go wrong with a request, and the only place where that becomes an answer: a status,
//! its headers and a problem document (RFC 9457). Reasons from the store or from a library go
//! to the log, never into an answer; nor does what the client sent, but for a JSON pointer.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use wharfinger_accounts::{ChangeError, LoginError, StoreError};

use crate::json::Violation;

/// Why a request is not done.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// 400: the body isn't JSON, or stopped half-way. The text is ours.
    Malformed(&'static str),
    /// 401: no credential was sent.
    NoCredential,
    /// 401: the token is forged, expired, for somebody else, or its admin changed since.
    BadToken,
    /// 401: the name and the password don't belong together.
    WrongPassword,
    /// 403: the role may not do this.
    RoleMayNot,
    /// 404: there is nothing at this path.
    NoSuchPath,
    /// 404: no user has this name.
    NoSuchUser,
    /// 404: no admin has this name.
    NoSuchAdmin,
    /// 404: no API key has this id.
    NoSuchKey,
    /// 404: no live session has this id.
    NoSuchSession,
    /// 405: the path doesn't have this method.
    NoSuchMethod,
    /// 408: the body took too long.
    BodyTooSlow,
    /// 409: the name has a user or an admin already.
    NameTaken,
    /// 409: others use the home of a user whose files were to be removed.
    SharedHome,
    /// 409: the files of that home are being removed.
    HomeIsGoing,
    /// 409: no owner would be left who can log in.
    LastOwner,
    /// 412: the user's version is not the one in `If-Match`.
    VersionDiffers,
    /// 413: more than a body may hold.
    BodyTooLarge,
    /// 415: the body isn't declared as JSON.
    NotJson,
    /// 415: the body isn't declared as NDJSON.
    NotNdjson,
    /// 422: well-formed, and wrong.
    Invalid(Vec<Violation>),
    /// 429: too many failed logins; the time until the next may be tried.
    TooManyLogins(Duration),
    /// 429: too many requests from the address; the time until the next may be sent.
    TooManyRequests(Duration),
    /// 500: the reason is for the log.
    Internal(String),
    /// 503: the store can't be used; the reason is for the log.
    StoreDown(String),
    /// 503: the reason is fit for an operator.
    NotReady(String),
    /// 503: too many passwords are being hashed.
    Busy,
    /// 503: not done within the time a request has.
    TooSlow,
}

/// A problem document without its `instance`, which the outermost layer knows.
#[derive(Clone, Debug)]
struct Problem {
    kind: &'static str,
    title: &'static str,
    status: StatusCode,
    detail: Cow<'static, str>,
    errors: Vec<Violation>,
}

/// Why a request was not done (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument<'a> {
    /// What kind of problem it is: `urn:wharfinger:problem:…`.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'a str,
    /// The answer's status.
    status: u16,
    /// What to do about it.
    detail: &'a str,
    /// `urn:wharfinger:request:` and the request's id.
    instance: String,
    /// What is wrong with the request, part by part (422 only).
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Violation],
}

/// Writes the problem document of an answer that carries a problem; others pass untouched.
pub(crate) fn render(mut response: Response, request_id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let document = ProblemDocument {
        kind: format!("urn:wharfinger:problem:{}", problem.kind),
        title: problem.title,
        status: problem.status.as_u16(),
        detail: &problem.detail,
        instance: format!("urn:wharfinger:request:{request_id}"),
        errors: &problem.errors,
    };
    match serde_json::to_vec(&document) {
        Ok(text) => *response.body_mut() = Body::from(text),
        Err(error) => tracing::error!(%error, "a problem document can't be written"),
    }
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let challenge = self.challenge();
        let retry_after = self.retry_after();
        let problem = self.into_problem();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = problem.status;
        if let Some(challenge) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(problem);
        response
    }
}

impl ApiError {
    /// One violation, of the member or parameter at `pointer`.
    pub(crate) fn invalid(pointer: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![Violation { pointer: pointer.to_owned(), detail: detail.into() }])
    }

    /// What went wrong with an admin.
    pub(crate) fn about_admin(error: impl Into<Self>) -> Self {
        match error.into() {
            Self::NoSuchUser => Self::NoSuchAdmin,
            other => other,
        }
    }

    /// What went wrong with a live session.
    pub(crate) fn about_session(error: impl Into<Self>) -> Self {
        match error.into() {
            Self::NoSuchUser => Self::NoSuchSession,
            other => other,
        }
    }

    /// What went wrong with an API key.
    pub(crate) fn about_key(error: impl Into<Self>) -> Self {
        match error.into() {
            Self::NoSuchUser => Self::NoSuchKey,
            other => other,
        }
    }

    /// Whether what was asked for may have been done all the same.
    pub(crate) fn leaves_it_open(&self) -> bool {
        matches!(self, Self::Internal(_) | Self::StoreDown(_) | Self::TooSlow)
    }

    fn log(&self) {
        match self {
            Self::Internal(reason) => tracing::error!(reason, "request failed"),
            Self::StoreDown(reason) => tracing::warn!(reason, "the store can't be used"),
            Self::TooSlow => tracing::warn!("request not done in time"),
            _ => {}
        }
    }

    /// RFC 6750, section 3.
    fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::NoCredential | Self::WrongPassword => Some(r#"Bearer realm="wharfinger""#),
            Self::BadToken => Some(r#"Bearer realm="wharfinger", error="invalid_token""#),
            Self::RoleMayNot => Some(r#"Bearer realm="wharfinger", error="insufficient_scope""#),
            _ => None,
        }
    }

    /// Seconds after which asking again makes sense.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyLogins(wait) | Self::TooManyRequests(wait) => Some(wait.as_secs().saturating_add(1)),
            Self::StoreDown(_) | Self::NotReady(_) | Self::TooSlow => Some(5),
            Self::Busy => Some(1),
            _ => None,
        }
    }

    fn into_problem(self) -> Problem {
        let (status, kind, title) = self.words();
        let (detail, errors) = match self {
            Self::Invalid(errors) => ("The request is well-formed, and not acceptable.".into(), errors),
            Self::Malformed(reason) => (reason.into(), Vec::new()),
            Self::NotReady(reason) => (reason.into(), Vec::new()),
            other => (other.detail().into(), Vec::new()),
        };
        Problem { kind, title, status, detail, errors }
    }

    fn words(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Malformed(_) => (S::BAD_REQUEST, "malformed", "The request can't be read"),
            Self::NoCredential => (S::UNAUTHORIZED, "no-credential", "A credential is needed"),
            Self::BadToken => (S::UNAUTHORIZED, "bad-token", "The token is not valid"),
            Self::WrongPassword => (S::UNAUTHORIZED, "wrong-password", "The login is refused"),
            Self::RoleMayNot => (S::FORBIDDEN, "role-may-not", "The role may not do this"),
            Self::NoSuchPath => (S::NOT_FOUND, "no-such-path", "There is nothing here"),
            Self::NoSuchUser => (S::NOT_FOUND, "no-such-user", "There is no such user"),
            Self::NoSuchAdmin => (S::NOT_FOUND, "no-such-admin", "There is no such admin"),
            Self::NoSuchSession => (S::NOT_FOUND, "no-such-session", "There is no such session"),
            Self::NoSuchKey => (S::NOT_FOUND, "no-such-key", "There is no such API key"),
            Self::NoSuchMethod => (S::METHOD_NOT_ALLOWED, "no-such-method", "The method is not offered here"),
            Self::BodyTooSlow => (S::REQUEST_TIMEOUT, "body-too-slow", "The body took too long"),
            Self::NameTaken => (S::CONFLICT, "name-taken", "The name is taken"),
            Self::SharedHome => (S::CONFLICT, "shared-home", "Others use the home as well"),
            Self::HomeIsGoing => (S::CONFLICT, "home-is-going", "The home is being removed"),
            Self::LastOwner => (S::CONFLICT, "last-owner", "An owner must stay"),
            Self::VersionDiffers => (S::PRECONDITION_FAILED, "version-differs", "The version is another"),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large"),
            Self::NotJson => (S::UNSUPPORTED_MEDIA_TYPE, "not-json", "The body must be JSON"),
            Self::NotNdjson => (S::UNSUPPORTED_MEDIA_TYPE, "not-ndjson", "The body must be NDJSON"),
            Self::Invalid(_) => (S::UNPROCESSABLE_ENTITY, "invalid", "The request is not acceptable"),
            Self::TooManyLogins(_) => {
                (S::TOO_MANY_REQUESTS, "too-many-logins", "There were too many failed logins")
            }
            Self::TooManyRequests(_) => {
                (S::TOO_MANY_REQUESTS, "too-many-requests", "There were too many requests")
            }
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", "The service failed"),
            Self::StoreDown(_) => (S::SERVICE_UNAVAILABLE, "store-down", "The store can't be reached"),
            Self::NotReady(_) => (S::SERVICE_UNAVAILABLE, "not-ready", "The service is not ready"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy", "The service is busy"),
            Self::TooSlow => (S::SERVICE_UNAVAILABLE, "too-slow", "The request took too long"),
        }
    }

    fn detail(&self) -> &'static str {
        match self {
            Self::NoCredential => {
                "Send a token from POST /api/v1/auth/token, or an API key, as Authorization: Bearer."
            }
            Self::BadToken => "The token or key is wrong or expired, or its admin was changed; log in again.",
            Self::WrongPassword => "The name and the password don't belong together.",
            Self::RoleMayNot => "The token is good, but its admin's role doesn't allow this.",
            Self::NoSuchPath => "No resource of this API has this path.",
            Self::NoSuchUser => "No user has this name.",
            Self::NoSuchAdmin => "No admin has this name.",
            Self::NoSuchKey => "No API key has this id.",
            Self::NoSuchSession => "No live session has this id; it may have ended.",
            Self::NoSuchMethod => "The Allow header names the methods of this resource.",
            Self::BodyTooSlow => "The body must arrive within 20 seconds.",
            Self::NameTaken => "This name is in use already.",
            Self::SharedHome => "Another user's home is the same, in it or around it: keep the files.",
            Self::HomeIsGoing => "The files of that home are being removed; try again when they are gone.",
            Self::LastOwner => "This is the last owner who can log in: make or enable another one first.",
            Self::VersionDiffers => "It was changed since; read it again and decide anew.",
            Self::BodyTooLarge => "A body holds at most 1 MiB.",
            Self::NotJson => "Send the body with Content-Type: application/json.",
            Self::NotNdjson => "Send a JSON object a line, with Content-Type: application/x-ndjson.",
            Self::TooManyLogins(_) | Self::TooManyRequests(_) => "Wait as long as Retry-After says.",
            Self::Internal(_) => "The reason is in the service's log, under this request's id.",
            Self::StoreDown(_) => "Nothing was lost; try again after a moment.",
            Self::Busy => "Too many passwords are being checked at once; try again.",
            Self::TooSlow => "The request was not done within 30 seconds; look before trying again.",
            Self::Malformed(_) | Self::Invalid(_) | Self::NotReady(_) => "",
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NoSuchUser,
            StoreError::Taken => Self::NameTaken,
            StoreError::Conflict => Self::VersionDiffers,
            StoreError::LastOwner => Self::LastOwner,
            StoreError::SharedHome => Self::SharedHome,
            StoreError::HomeIsGoing => Self::HomeIsGoing,
            StoreError::Unavailable(reason) => Self::StoreDown(reason),
            StoreError::Corrupt(reason) => Self::Internal(reason),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => error.into(),
            ChangeError::Password(rule) => Self::invalid("/password", rule.to_string()),
            ChangeError::Invalid(invalid) => Self::invalid(&format!("/{}", invalid.field()), invalid.rule()),
            ChangeError::Busy => Self::Busy,
            ChangeError::System(reason) => Self::Internal(reason),
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused(_) => Self::WrongPassword,
            LoginError::Busy => Self::Busy,
            LoginError::Unavailable(error) => error.into(),
        }
    }
}
