//! What the address of a request says beside its path. Unknown and repeated parameters are refused,
//! so that a mistyped filter doesn't show everything. A parameter without a value counts as left out,
//! save where the value is a time: an empty one may be a script's mistake, and would show everything.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::json::Violation;
use crate::token_key::{TokenKey, from_hex, to_hex};

/// `?limit=&cursor=`: one page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// At most so many items.
    #[param(value_type = Option<u32>, nullable = false, minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: u32,
    /// `next_cursor` of an earlier answer.
    #[param(nullable = false)]
    pub(crate) cursor: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        let limit = parameters.limit();
        let cursor = parameters.take("cursor", BAD_CURSOR, |text| Some(text.to_owned()));
        parameters.finish()?;
        Ok(Self { limit, cursor })
    }
}

pub(crate) const BAD_CURSOR: &str = "must be next_cursor of an earlier answer";

/// Where a list goes on. The text is signed, so that it stays ours to change what it means and
/// nobody comes to rely on making one; one list's cursor is none of another's.
#[derive(Clone)]
pub(crate) struct Cursors {
    key: [u8; blake3::KEY_LEN],
}

impl Cursors {
    const SIGNATURE: usize = 16;

    pub(crate) fn new(key: &TokenKey) -> Self {
        Self { key: blake3::derive_key("wharfinger admin list cursor", key.bytes()) }
    }

    /// The cursor that goes on after this item.
    pub(crate) fn after(&self, list: &str, last: &str) -> String {
        to_hex(&[&self.sign(list, last.as_bytes()), last.as_bytes()].concat())
    }

    /// The item a cursor of this list goes on after.
    pub(crate) fn read(&self, list: &str, text: &str) -> Option<String> {
        let bytes = from_hex(text)?;
        let (signature, last) = bytes.split_at_checked(Self::SIGNATURE)?;
        if signature != self.sign(list, last) {
            return None;
        }
        String::from_utf8(last.to_owned()).ok()
    }

    /// As [`Self::read`] of what may have been left out; 422 if it is none of ours.
    pub(crate) fn read_page(&self, list: &str, page: &PageQuery) -> Result<Option<String>, ApiError> {
        let Some(text) = &page.cursor else { return Ok(None) };
        self.read(list, text).map(Some).ok_or_else(|| ApiError::invalid("/cursor", BAD_CURSOR))
    }

    fn sign(&self, list: &str, last: &[u8]) -> [u8; Self::SIGNATURE] {
        let mut signature = [0; Self::SIGNATURE];
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(list.as_bytes()).update(&[0]).update(last);
        hasher.finalize_xof().fill(&mut signature);
        signature
    }
}

/// The parameters nobody has asked for yet, and what was wrong with the others.
pub(crate) struct Parameters {
    given: Vec<(String, String)>,
    violations: Vec<Violation>,
}

impl Parameters {
    pub(crate) fn of(parts: &Parts) -> Result<Self, ApiError> {
        let Query(given) = Query::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::Malformed("The query of the address can't be read."))?;
        Ok(Self { given, violations: Vec::new() })
    }

    /// The value of a parameter, if it is given, is not empty, and can be read.
    pub(crate) fn take<T>(
        &mut self,
        name: &'static str,
        rule: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if self.given.iter().all(|(given, value)| given != name || value.is_empty()) {
            self.given.retain(|(given, _)| given != name);
        }
        self.take_whole(name, rule, read)
    }

    /// As [`Self::take`], but an empty value is one that has to be read.
    pub(crate) fn take_whole<T>(
        &mut self,
        name: &'static str,
        rule: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let mut values: Vec<String> =
            self.given.extract_if(.., |(given, _)| given == name).map(|(_, value)| value).collect();
        let value = values.pop()?;
        let read = if values.is_empty() { read(&value) } else { None };
        if read.is_none() {
            let rule = if values.is_empty() { rule } else { "must be given once" };
            self.violations.push(Violation { pointer: format!("/{name}"), detail: rule.into() });
        }
        read
    }

    /// How many items a page has at most.
    pub(crate) fn limit(&mut self) -> u32 {
        let limit = self.take("limit", "must be a whole number from 1 to 1000", |text| {
            text.parse().ok().filter(|limit| (1..=1000).contains(limit))
        });
        limit.unwrap_or(100)
    }

    /// Refuses what was wrong or is left.
    pub(crate) fn finish(mut self) -> Result<(), ApiError> {
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
    fn a_cursor_says_where_to_go_on_in_its_own_list() {
        let cursor = cursors().after("users", "a@b.example");
        assert_eq!(cursors().read("users", &cursor).as_deref(), Some("a@b.example"));
        assert_eq!(cursors().read("admins", &cursor), None);
    }

    #[test]
    fn a_cursor_made_by_hand_is_refused() {
        let good = cursors().after("users", "alice");
        let foreign = Cursors { key: [8; 32] }.after("users", "alice");
        let changed = good.replace("616c696365", "626f62");
        for text in ["alice", "616c696365", "zz", "é", &good[1..], &foreign, &changed, &format!("{good}00")]
        {
            assert_eq!(cursors().read("users", text), None, "{text}");
        }
    }
}
