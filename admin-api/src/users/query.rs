//! What the address of a request says: the user's name, and what to list or remove. Unknown and
//! repeated parameters are refused, so that a mistyped filter doesn't show everybody.
//! A parameter without a value counts as left out.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use wharfinger_accounts::{Status, UserQuery, Username};

use crate::error::ApiError;
use crate::json::Violation;
use crate::service::Service;
use crate::token_key::{TokenKey, from_hex, to_hex};

/// The user a path names. What can't be a name is nobody's.
pub(crate) struct NameInPath(pub(crate) Username);

/// `?limit=&cursor=&status=&q=&count=`
#[derive(Debug)]
pub(crate) struct ListQuery(pub(crate) UserQuery);

/// `?files=keep`
pub(crate) struct RemovalQuery;

impl<S: Send + Sync> FromRequestParts<S> for NameInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.ok().and_then(|Path(name)| name.parse().ok()).map(Self).ok_or(ApiError::NoSuchUser)
    }
}

impl FromRequestParts<Service> for ListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        let limit = parameters.take("limit", "must be a whole number from 1 to 1000", |text| {
            text.parse().ok().filter(|limit| (1..=1000).contains(limit))
        });
        let after = parameters
            .take("cursor", "must be next_cursor of an earlier answer", |text| service.cursors.read(text));
        let status = parameters.take("status", "must be active or disabled", |text| {
            [Status::Active, Status::Disabled].into_iter().find(|status| status.as_str() == text)
        });
        let search = parameters
            .take("q", "must be at most 256 bytes", |text| (text.len() <= 256).then(|| text.to_owned()));
        let count = parameters.take("count", "must be true or false", |text| text.parse().ok());
        parameters.finish()?;
        let limit = limit.unwrap_or(100);
        Ok(Self(UserQuery { after, limit, status, search, count: count.unwrap_or_default() }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RemovalQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        parameters.take("files", "must be keep; removing the files with the user isn't offered", |text| {
            (text == "keep").then_some(())
        });
        parameters.finish().map(|()| Self)
    }
}

/// Where a list goes on. The text is signed, so that it stays ours to change what it means and
/// nobody comes to rely on making one.
#[derive(Clone)]
pub(crate) struct Cursors {
    key: [u8; blake3::KEY_LEN],
}

impl Cursors {
    const SIGNATURE: usize = 16;

    pub(crate) fn new(key: &TokenKey) -> Self {
        Self { key: blake3::derive_key("wharfinger admin list cursor", key.bytes()) }
    }

    pub(crate) fn after(&self, name: &Username) -> String {
        let name = name.as_str().as_bytes();
        to_hex(&[&self.sign(name), name].concat())
    }

    fn read(&self, text: &str) -> Option<Username> {
        let bytes = from_hex(text)?;
        let (signature, name) = bytes.split_at_checked(Self::SIGNATURE)?;
        if signature != self.sign(name) {
            return None;
        }
        std::str::from_utf8(name).ok()?.parse().ok()
    }

    fn sign(&self, name: &[u8]) -> [u8; Self::SIGNATURE] {
        let mut signature = [0; Self::SIGNATURE];
        blake3::Hasher::new_keyed(&self.key).update(name).finalize_xof().fill(&mut signature);
        signature
    }
}

/// The parameters nobody has asked for yet, and what was wrong with the others.
struct Parameters {
    given: Vec<(String, String)>,
    violations: Vec<Violation>,
}

impl Parameters {
    fn of(parts: &Parts) -> Result<Self, ApiError> {
        let Query(given) = Query::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::Malformed("The query of the address can't be read."))?;
        Ok(Self { given, violations: Vec::new() })
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        rule: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let mut values: Vec<String> =
            self.given.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect();
        let value = values.pop().filter(|value| !value.is_empty())?;
        let read = if values.is_empty() { read(&value) } else { None };
        if read.is_none() {
            let rule = if values.is_empty() { rule } else { "must be given once" };
            self.violations.push(Violation { pointer: format!("/{name}"), detail: rule.into() });
        }
        read
    }

    fn finish(mut self) -> Result<(), ApiError> {
        if !self.given.is_empty() {
            let detail = "the address has a parameter that isn't known here".into();
            self.violations.push(Violation { pointer: String::new(), detail });
        }
        if self.violations.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.violations)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursors() -> Cursors {
        Cursors { key: [7; 32] }
    }

    #[test]
    fn a_cursor_says_where_to_go_on() {
        let name: Username = "a@b.example".parse().unwrap();
        assert_eq!(cursors().read(&cursors().after(&name)), Some(name));
    }

    #[test]
    fn a_cursor_made_by_hand_is_refused() {
        let name: Username = "alice".parse().unwrap();
        let good = cursors().after(&name);
        let foreign = Cursors { key: [8; 32] }.after(&name);
        let changed = good.replace("616c696365", "626f62");
        for text in ["alice", "616c696365", "zz", "é", &good[1..], &foreign, &changed, &format!("{good}00")]
        {
            assert_eq!(cursors().read(text), None, "{text}");
        }
    }
}
