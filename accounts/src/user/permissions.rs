//! What a user may do where: grants by path, of which the longest that matches decides.
//! Knows nothing of how paths are resolved: it is asked about absolute, normal paths only.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// Something done to a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See names and facts, enter directories.
    List,
    /// Read files.
    Download,
    /// Create files.
    Upload,
    /// Replace files.
    Overwrite,
    /// Add to files, or go on with part of one.
    Append,
    /// Rename files and directories; asked of both ends.
    Rename,
    /// Delete files.
    Delete,
    /// Create directories.
    MakeDirectory,
    /// Remove directories.
    RemoveDirectory,
    /// Change times and modes.
    SetAttributes,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::List,
        Self::Download,
        Self::Upload,
        Self::Overwrite,
        Self::Append,
        Self::Rename,
        Self::Delete,
        Self::MakeDirectory,
        Self::RemoveDirectory,
        Self::SetAttributes,
    ];
}

/// What is allowed at a path and below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Absolute, `/`-separated, without `.`, `..`, empty components or control characters.
    pub path: String,
    /// What is allowed; nothing else is.
    pub allow: BTreeSet<Action>,
}

/// Grants for different paths. With none of them, or none that matches, nothing is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Grant>", into = "Vec<Grant>")]
pub struct Permissions(Vec<Grant>);

impl Permissions {
    /// Whether `action` is allowed at `path` (absolute and normal).
    pub fn allows(&self, path: &[u8], action: Action) -> bool {
        self.deciding(path).is_some_and(|grant| grant.allow.contains(&action))
    }

    /// As [`Self::allows`], and with what lies beneath in mind: a rename takes that along, so where
    /// grants of their own apply beneath, it would carry files from under one grant to under another.
    pub fn permits(&self, path: &[u8], action: Action) -> bool {
        let beneath = |grant: &Grant| {
            grant
                .path
                .as_bytes()
                .strip_prefix(path)
                .is_some_and(|rest| !rest.is_empty() && (path == b"/" || rest.starts_with(b"/")))
        };
        self.allows(path, action) && (action != Action::Rename || !self.0.iter().any(beneath))
    }

    /// The grant with the longest path that is `path` or a directory above it: it decides alone.
    pub fn deciding(&self, path: &[u8]) -> Option<&Grant> {
        let matching = self.0.iter().filter(|grant| covers(grant.path.as_bytes(), path));
        matching.max_by_key(|grant| grant.path.len())
    }

    /// The grants, as given.
    pub fn grants(&self) -> &[Grant] {
        &self.0
    }
}

/// All of `/`.
impl Default for Permissions {
    fn default() -> Self {
        Self(vec![Grant { path: "/".to_owned(), allow: BTreeSet::from(Action::ALL) }])
    }
}

fn covers(grant: &[u8], path: &[u8]) -> bool {
    match path.strip_prefix(grant) {
        Some(below) => below.is_empty() || grant == b"/" || below.first() == Some(&b'/'),
        None => false,
    }
}

impl TryFrom<Vec<Grant>> for Permissions {
    type Error = Invalid;

    fn try_from(grants: Vec<Grant>) -> Result<Self, Invalid> {
        let invalid = |rule| Err(Invalid::new("permissions", rule));
        if grants.len() > 1_000 {
            return invalid("at most 1000 grants");
        }
        let mut seen = BTreeSet::new();
        for grant in &grants {
            if !is_absolute_and_normal(&grant.path) {
                return invalid(
                    "each path absolute, without '.', '..', '//', trailing '/' or control characters",
                );
            }
            if !seen.insert(grant.path.as_str()) {
                return invalid("each path only once");
            }
        }
        Ok(Self(grants))
    }
}

impl From<Permissions> for Vec<Grant> {
    fn from(permissions: Permissions) -> Self {
        permissions.0
    }
}

fn is_absolute_and_normal(path: &str) -> bool {
    if path.len() > 4_096 || path.chars().any(char::is_control) {
        return false;
    }
    match path.strip_prefix('/') {
        Some("") => true,
        Some(rest) => rest.split('/').all(|part| !matches!(part, "" | "." | "..")),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(grants: &[(&str, &[Action])]) -> Permissions {
        let grant = |(path, allow): &(&str, &[Action])| Grant {
            path: (*path).to_owned(),
            allow: allow.iter().copied().collect(),
        };
        Permissions::try_from(grants.iter().map(grant).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_longest_matching_path_decides_alone() {
        let of = permissions(&[
            ("/", &[Action::List, Action::Download]),
            ("/in", &[Action::Upload]),
            ("/in/closed", &[]),
        ]);
        assert!(of.allows(b"/", Action::List));
        assert!(of.allows(b"/a/b", Action::Download));
        assert!(!of.allows(b"/a/b", Action::Upload));
        assert!(of.allows(b"/in", Action::Upload));
        assert!(of.allows(b"/in/a", Action::Upload));
        assert!(!of.allows(b"/in/a", Action::Download));
        assert!(!of.allows(b"/in/closed/a", Action::Upload));
    }

    #[test]
    fn paths_match_by_component_not_by_letter() {
        let of = permissions(&[("/in", &[Action::Upload])]);
        assert!(!of.allows(b"/inbox", Action::Upload));
        assert!(!of.allows(b"/i", Action::Upload));
        assert!(!of.allows(b"/", Action::Upload));
        assert!(of.allows(b"/in/\xff", Action::Upload));
    }

    #[test]
    fn without_a_matching_grant_nothing_is_allowed() {
        let none = permissions(&[]);
        assert!(Action::ALL.iter().all(|action| !none.allows(b"/", *action)));
    }

    #[test]
    fn the_default_is_everything_everywhere() {
        let all = Permissions::default();
        assert!(Action::ALL.iter().all(|action| all.allows(b"/a/b", *action)));
    }

    #[test]
    fn doubtful_grants_are_refused() {
        for path in ["", "a", "/a/", "//", "/a//b", "/.", "/a/..", "/a\0", "/a\nb"] {
            let grant = Grant { path: path.to_owned(), allow: BTreeSet::new() };
            assert!(Permissions::try_from(vec![grant]).is_err(), "{path:?}");
        }
        let twice = || Grant { path: "/a".to_owned(), allow: BTreeSet::new() };
        assert!(Permissions::try_from(vec![twice(), twice()]).is_err());
        for json in [
            r#"[{"path":"/","allow":["everything"]}]"#,
            r#"[{"path":"/","allow":[],"deny":[]}]"#,
            r#"[{"path":"/"}]"#,
            r#"{"path":"/","allow":[]}"#,
        ] {
            assert!(serde_json::from_str::<Permissions>(json).is_err(), "{json}");
        }
    }
}
