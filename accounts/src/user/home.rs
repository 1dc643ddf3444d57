//! `Home`: a user's directory, as a path below the storage root. It cannot name anything else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Invalid, Username};

/// Partial uploads have such names; a directory that had one would be hidden and swept.
pub(super) const RESERVED: &str = ".wharfinger-";

/// A relative path, `/`-separated, of one or more components of 1 to 255 bytes, at most 1,024 bytes in
/// all: no `.`, no `..`, no control character, none beginning with `.wharfinger-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Home(String);

impl Home {
    /// The default: a directory with the user's name.
    pub fn of(username: &Username) -> Self {
        Self(username.as_str().to_owned())
    }

    /// This one, and those it lies in.
    pub(crate) fn and_around(&self) -> Vec<Self> {
        let ends = self.0.match_indices('/').map(|(end, _)| end).chain([self.0.len()]);
        ends.filter_map(|end| Some(Self(self.0.get(..end)?.to_owned()))).collect()
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(path: &str) -> Result<(), Invalid> {
    let invalid = |rule| Err(Invalid::new("home", rule));
    if path.is_empty() || path.len() > 1_024 {
        return invalid("1 to 1024 bytes");
    }
    if path.chars().any(char::is_control) {
        return invalid("no control characters");
    }
    for component in path.split('/') {
        if component.is_empty() {
            return invalid("a relative path without empty components");
        }
        if component.len() > 255 {
            return invalid("components of at most 255 bytes");
        }
        if matches!(component, "." | "..") {
            return invalid("no '.' or '..'");
        }
        if component.starts_with(RESERVED) {
            return invalid("no component beginning with '.wharfinger-'");
        }
    }
    Ok(())
}

impl FromStr for Home {
    type Err = Invalid;

    fn from_str(path: &str) -> Result<Self, Invalid> {
        check(path).map(|()| Self(path.to_owned()))
    }
}

impl TryFrom<String> for Home {
    type Error = Invalid;

    fn try_from(path: String) -> Result<Self, Invalid> {
        check(&path).map(|()| Self(path))
    }
}

impl From<Home> for String {
    fn from(home: Home) -> Self {
        home.0
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_accepted() {
        for path in ["alice", "partners/acme", "a b/ü", "..a", "a..", ".hidden"] {
            assert_eq!(path.parse::<Home>().unwrap().as_str(), path);
        }
    }

    #[test]
    fn what_could_leave_the_storage_root_or_collide_is_refused() {
        let (long_component, long_path) = ("a".repeat(256), "a/".repeat(600) + "a");
        let paths = [
            "",
            "/",
            "/etc",
            "a/",
            "a//b",
            ".",
            "..",
            "a/..",
            "../a",
            "a/./b",
            "a\0b",
            "a\nb",
            ".wharfinger-1.part",
            "a/.wharfinger-x",
            &long_component,
            &long_path,
        ];
        for path in paths {
            assert!(path.parse::<Home>().is_err(), "{path:?}");
        }
    }

    #[test]
    fn every_username_has_a_default_home() {
        for name in ["...", "-", "a@b"] {
            let home = Home::of(&name.parse().unwrap());
            assert_eq!(home.as_str().parse::<Home>().unwrap(), home);
        }
    }
}
