//! A change to something that others may be changing at the same moment: which versions of it may be
//! changed, and what the change found and left. Both are decided where the change is made, in one step
//! with it; asked before or after, the answer could be about somebody else's change.

/// What a change found and what it left; the same twice where nothing had to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited<T> {
    /// As it was right before.
    pub before: T,
    /// As it was right after.
    pub after: T,
}

/// The versions that may be changed or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// Whichever is there.
    #[default]
    Any,
    /// One of these; of no version at all where there are none.
    OneOf(Vec<u64>),
}

impl Versions {
    pub(crate) fn allow(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

impl From<Option<u64>> for Versions {
    fn from(version: Option<u64>) -> Self {
        version.map_or(Self::Any, |version| Self::OneOf(vec![version]))
    }
}
