//! What was changed, as the audit trail has it: those members that differ, and nothing secret, since it
//! is made of what answers show.

use serde::Serialize;
use serde_json::{Map, Value};

/// What a handler has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    pub(super) before: Map<String, Value>,
    pub(super) after: Map<String, Value>,
}

impl Changed {
    /// What is there now that wasn't.
    pub(crate) fn made(after: impl Serialize) -> Self {
        Self { before: Map::new(), after: members(after) }
    }

    /// The members that differ.
    pub(crate) fn between(before: impl Serialize, after: impl Serialize) -> Self {
        let (before, after) = (members(before), members(after));
        let differing = |these: &Map<String, Value>, those: &Map<String, Value>| {
            let differ = these.iter().filter(|(name, value)| those.get(*name) != Some(*value));
            differ.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        Self { before: differing(&before, &after), after: differing(&after, &before) }
    }

    /// What was there and isn't any more.
    pub(crate) fn removed(before: impl Serialize) -> Self {
        Self { before: members(before), after: Map::new() }
    }

    /// With one more member of what came of it.
    pub(crate) fn and(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.after.insert(member.to_owned(), value.into());
        self
    }
}

fn members(of: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(members)) => members,
        // What can't be told is not worth an answer; the record says at least that it was changed.
        Ok(_) | Err(_) => Map::new(),
    }
}
