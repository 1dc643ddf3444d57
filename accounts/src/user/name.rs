//! `Username`: the name of a user or an admin. Compared byte for byte.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// 1 to 64 of letters, digits, `.`, `_`, `-` and `@`; not `.` or `..`, and not beginning with
/// `.wharfinger-`, since the default home has the user's name and that prefix is reserved for files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

impl Username {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(name: &str) -> Result<(), Invalid> {
    let invalid = |rule| Err(Invalid::new("username", rule));
    if name.is_empty() || name.len() > 64 {
        return invalid("1 to 64 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b)) {
        return invalid("only letters, digits, '.', '_', '-' and '@'");
    }
    if matches!(name, "." | "..") {
        return invalid("not '.' or '..'");
    }
    if name.starts_with(super::home::RESERVED) {
        return invalid("not beginning with '.wharfinger-'");
    }
    Ok(())
}

impl FromStr for Username {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        check(name).map(|()| Self(name.to_owned()))
    }
}

impl TryFrom<String> for Username {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        check(&name).map(|()| Self(name))
    }
}

impl From<Username> for String {
    fn from(name: Username) -> Self {
        name.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_documented_shape_are_accepted() {
        let longest = "a".repeat(64);
        for name in ["a", "alice", "camera-7", "scan.er_1", "a@b.example", "...", "-", &longest] {
            assert_eq!(name.parse::<Username>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let (too_long, huge) = ("a".repeat(65), "a".repeat(1 << 20));
        let names = [
            "",
            ".",
            "..",
            "a b",
            "a/b",
            "a\0",
            "a\n",
            "ä",
            "a\\b",
            "a:b",
            ".wharfinger-x",
            &too_long,
            &huge,
        ];
        for name in names {
            assert!(name.parse::<Username>().is_err(), "{name:?}");
            let json = serde_json::to_string(name).unwrap();
            assert!(serde_json::from_str::<Username>(&json).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_the_name() {
        let refusal = "<script>".parse::<Username>().unwrap_err();
        assert_eq!(refusal.to_string(), "username: only letters, digits, '.', '_', '-' and '@'");
    }
}
