//! What is printed: for people, or as JSON for programs. Names are made harmless for the terminal;
//! in JSON they are text, and their bytes besides where they aren't UTF-8.

use serde_json::{Value, json};

use crate::{
    failure::Failure,
    names::shown,
    remote::{Entry, Kind},
};

/// A list as people read it.
pub(crate) fn list(entries: &[Entry]) -> String {
    entries.iter().map(line).collect()
}

fn line(entry: &Entry) -> String {
    let (kind, slash) = match entry.kind {
        Kind::File => ('-', ""),
        Kind::Directory => ('d', "/"),
        Kind::Other => ('?', ""),
    };
    let unknown = || "-".to_owned();
    let size = entry.size.filter(|_| entry.kind == Kind::File).map_or_else(unknown, |size| size.to_string());
    let time = entry.modified.map_or_else(unknown, |time| time.strftime("%Y-%m-%d %H:%M").to_string());
    format!("{kind} {size:>14}  {time:16}  {}{slash}\n", shown(&entry.name))
}

/// A list as an array.
pub(crate) fn list_json(entries: &[Entry]) -> Value {
    let object = |entry: &Entry| {
        let time = entry.modified.map(|time| time.to_string());
        named("name", &entry.name, json!({ "kind": entry.kind.name(), "size": entry.size, "modified": time }))
    };
    entries.iter().map(object).collect()
}

/// An object with a name in it, under this key, besides what else it has.
pub(crate) fn named(key: &str, name: &[u8], others: Value) -> Value {
    let Value::Object(mut object) = others else { return others };
    object.insert(key.to_owned(), String::from_utf8_lossy(name).into());
    if str::from_utf8(name).is_err() {
        object.insert(format!("{key}_bytes"), name.into());
    }
    Value::Object(object)
}

/// A failure as an object.
pub(crate) fn failure_json(failure: &Failure) -> Value {
    let answer = failure.answer();
    json!({ "error": {
        "kind": failure.kind(),
        "exit_code": failure.exit_code(),
        "reply_code": answer.map(|answer| answer.code),
        "message": failure.to_string(),
    }})
}
