//! Why a value was refused, and the rules about a new user that no single type holds.
//! The words are for the person who sent the value; they never repeat it.

use jiff::Timestamp;

use super::{NewUser, User};

/// A value that breaks a rule: which field, and the rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct Invalid {
    field: &'static str,
    rule: &'static str,
}

impl Invalid {
    pub(crate) fn new(field: &'static str, rule: &'static str) -> Self {
        Self { field, rule }
    }

    /// The field by its name in the API, such as `username` or `quota/max_bytes`.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The rule it breaks, in words.
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

const MOST_NETWORKS: usize = 1_000;
const LONGEST_DESCRIPTION: usize = 1_024;

/// What no single type holds; a date that is given anew must lie ahead.
pub(super) fn check(new: &NewUser, old: Option<&User>, now: Timestamp) -> Result<(), Invalid> {
    if new.description.chars().count() > LONGEST_DESCRIPTION {
        return Err(Invalid::new("description", "at most 1024 characters"));
    }
    if new.allowed_networks.len() > MOST_NETWORKS {
        return Err(Invalid::new("allowed_networks", "at most 1000 networks"));
    }
    let dates = [
        ("expires_at", new.expires_at, old.and_then(|old| old.expires_at)),
        ("password_expires_at", new.password_expires_at, old.and_then(|old| old.password_expires_at)),
        ("must_change_by", new.must_change_by, old.and_then(|old| old.must_change_by)),
    ];
    for (field, given, before) in dates {
        if given != before && given.is_some_and(|end| end <= now) {
            return Err(Invalid::new(field, "must be in the future"));
        }
    }
    // MongoDB has no unsigned integers.
    let numbers = [
        ("quota/max_bytes", new.quota.max_bytes),
        ("quota/max_files", new.quota.max_files),
        ("limits/download_bytes_per_second", new.limits.download_bytes_per_second),
        ("limits/upload_bytes_per_second", new.limits.upload_bytes_per_second),
    ];
    for (field, number) in numbers {
        if number.is_some_and(|n| i64::try_from(n).is_err()) {
            return Err(Invalid::new(field, "at most 9223372036854775807"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_no_store_can_hold_is_refused() {
        let mut new = NewUser::named("alice".parse().unwrap());
        new.quota.max_bytes = Some(u64::MAX);
        assert_eq!(check(&new, None, Timestamp::UNIX_EPOCH).unwrap_err().field(), "quota/max_bytes");
        new.quota.max_bytes = Some(i64::MAX.unsigned_abs());
        assert_eq!(check(&new, None, Timestamp::UNIX_EPOCH), Ok(()));
    }

    #[test]
    fn a_description_is_measured_in_characters() {
        let mut new = NewUser::named("alice".parse().unwrap());
        new.description = "é".repeat(1_024);
        assert_eq!(check(&new, None, Timestamp::UNIX_EPOCH), Ok(()));
        new.description.push('é');
        assert_eq!(check(&new, None, Timestamp::UNIX_EPOCH).unwrap_err().field(), "description");
    }

    #[test]
    fn a_date_that_has_passed_is_refused_unless_it_stood_there_before() {
        let past: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let mut new = NewUser::named("alice".parse().unwrap());
        new.expires_at = Some(past);
        assert_eq!(check(&new, None, now).unwrap_err().field(), "expires_at");
        let old = new.clone().into_user("id".into(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(check(&new, Some(&old), now), Ok(()));
        new.expires_at = Some(now);
        assert_eq!(check(&new, Some(&old), now).unwrap_err().field(), "expires_at");
    }
}
