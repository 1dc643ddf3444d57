//! Why a value was refused, and the rules about a new user that no single type holds.
//! The words are for the person who sent the value; they never repeat it.

use super::NewUser;

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

pub(super) fn check(new: &NewUser) -> Result<(), Invalid> {
    if new.description.chars().count() > LONGEST_DESCRIPTION {
        return Err(Invalid::new("description", "at most 1024 characters"));
    }
    if new.allowed_networks.len() > MOST_NETWORKS {
        return Err(Invalid::new("allowed_networks", "at most 1000 networks"));
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
        assert_eq!(check(&new).unwrap_err().field(), "quota/max_bytes");
        new.quota.max_bytes = Some(i64::MAX.unsigned_abs());
        assert_eq!(check(&new), Ok(()));
    }

    #[test]
    fn a_description_is_measured_in_characters() {
        let mut new = NewUser::named("alice".parse().unwrap());
        new.description = "é".repeat(1_024);
        assert_eq!(check(&new), Ok(()));
        new.description.push('é');
        assert_eq!(check(&new).unwrap_err().field(), "description");
    }
}
