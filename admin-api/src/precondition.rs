//! `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1): the entity tag of a
//! user or an admin is the version in quotes, and a change may be tied to it.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use wharfinger_accounts::Versions;

use crate::error::ApiError;

/// What `If-Match` demands: nothing where the header is absent or `*`, else one of the versions; tags that
/// are none of ours are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IfMatch(Versions);

/// The entity tag of a version.
pub(crate) fn etag(version: u64) -> Result<HeaderValue, ApiError> {
    HeaderValue::try_from(format!("\"{version}\"")).map_err(|error| ApiError::Internal(error.to_string()))
}

impl From<IfMatch> for Versions {
    fn from(IfMatch(versions): IfMatch) -> Self {
        versions
    }
}

impl IfMatch {
    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self(Versions::Any));
        }
        let mut versions = Vec::new();
        for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            let strong = tag.strip_prefix("W/").unwrap_or(tag);
            let opaque = strong.strip_prefix('"')?.strip_suffix('"')?;
            // If-Match compares strongly: a weak tag never matches.
            if strong == tag
                && let Ok(version) = opaque.parse()
            {
                versions.push(version);
            }
        }
        Some(Self(Versions::OneOf(versions)))
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut lines = Vec::new();
        for value in parts.headers.get_all(IF_MATCH) {
            lines.push(value.to_str().map_err(|_| MALFORMED)?);
        }
        if lines.is_empty() {
            Ok(Self(Versions::Any))
        } else {
            Self::parse(&lines.join(",")).ok_or(MALFORMED)
        }
    }
}

const MALFORMED: ApiError =
    ApiError::Malformed("If-Match must hold entity tags as ETag gives them, with their quotes, or *.");

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of(versions: &[u64]) -> IfMatch {
        IfMatch(Versions::OneOf(versions.to_vec()))
    }

    #[test]
    fn reads_one_tag_several_and_the_star() {
        assert_eq!(IfMatch::parse("\"3\""), Some(one_of(&[3])));
        assert_eq!(IfMatch::parse("\"3\", \"4\" ,"), Some(one_of(&[3, 4])));
        assert_eq!(IfMatch::parse(" * "), Some(IfMatch(Versions::Any)));
    }

    #[test]
    fn weak_and_foreign_tags_match_nothing() {
        assert_eq!(IfMatch::parse("W/\"3\""), Some(one_of(&[])));
        assert_eq!(IfMatch::parse("\"abc\", \"-1\""), Some(one_of(&[])));
    }

    #[test]
    fn a_tag_without_quotes_is_not_taken_for_no_condition() {
        for text in ["3", "\"3", "W/3", "\"3\",4"] {
            assert_eq!(IfMatch::parse(text), None, "{text}");
        }
    }
}
