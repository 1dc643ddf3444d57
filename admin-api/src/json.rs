//! Reading JSON strictly: every member is asked for by name, what is left over is refused, and
//! all that is wrong is reported at once, each with its JSON pointer (RFC 6901).
//! It knows nothing of HTTP or of users; what a value must be, `users/body.rs` says.

mod document;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(crate) use document::{Syntax, parse};

/// One thing wrong, and where. The text never repeats what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Violation {
    /// JSON pointer (RFC 6901) into the body, or `/` and a parameter's name.
    pub(crate) pointer: String,
    /// The rule that is broken.
    #[schema(value_type = String)]
    pub(crate) detail: Cow<'static, str>,
}

/// A value that can be read from JSON. `None` means that a violation was recorded.
pub(crate) trait FromJson: Sized {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self>;
}

/// Reads a whole document.
pub(crate) fn read<T: FromJson>(document: Value) -> Result<T, Vec<Violation>> {
    let mut violations = Vec::new();
    let mut place = Place { pointer: String::new(), violations: &mut violations };
    match T::from_json(document, &mut place) {
        Some(value) if violations.is_empty() => Ok(value),
        _ => Err(violations),
    }
}

/// Where in the document a value stands, and what was found wrong so far.
pub(crate) struct Place<'a> {
    pointer: String,
    violations: &'a mut Vec<Violation>,
}

impl Place<'_> {
    /// An answer that lists more helps nobody, and its size must not follow the request's.
    const MOST_VIOLATIONS: usize = 50;

    /// Records that the value here is wrong.
    pub(crate) fn refuse<T>(&mut self, detail: impl Into<Cow<'static, str>>) -> Option<T> {
        if self.violations.len() < Self::MOST_VIOLATIONS {
            let violation = Violation { pointer: self.pointer.clone(), detail: detail.into() };
            self.violations.push(violation);
        }
        None
    }

    /// The members of the object here.
    pub(crate) fn object(&mut self, value: Value) -> Option<Members<'_>> {
        match value {
            Value::Object(members) => Some(Members { members, place: self.at_same() }),
            _ => self.refuse("must be an object"),
        }
    }

    /// The place of a member or an element.
    pub(crate) fn below(&mut self, name: &str) -> Place<'_> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{}/{escaped}", self.pointer);
        Place { pointer, violations: self.violations }
    }

    fn at_same(&mut self) -> Place<'_> {
        Place { pointer: self.pointer.clone(), violations: self.violations }
    }
}

/// The members of an object that nobody has asked for yet.
pub(crate) struct Members<'a> {
    members: Map<String, Value>,
    place: Place<'a>,
}

impl Members<'_> {
    /// A longer name is not repeated in the answer.
    const LONGEST_NAME: usize = 64;

    /// A member that must be there.
    pub(crate) fn required<T: FromJson>(&mut self, name: &str) -> Option<T> {
        match self.members.remove(name) {
            Some(value) => T::from_json(value, &mut self.place.below(name)),
            None => self.place.below(name).refuse("is required"),
        }
    }

    /// A member that may be left out.
    pub(crate) fn optional<T: FromJson>(&mut self, name: &str) -> Option<T> {
        self.members.remove(name).and_then(|value| T::from_json(value, &mut self.place.below(name)))
    }

    /// A member that clients see in answers and can't set.
    pub(crate) fn read_only(&mut self, name: &str) {
        if self.members.remove(name).is_some() {
            self.place.below(name).refuse::<()>("is set by the service and can't be given");
        }
    }

    /// A member that says nothing here.
    pub(crate) fn pass_over(&mut self, name: &str) {
        self.members.remove(name);
    }

    /// Refuses what is left, so that a mistyped member never passes unnoticed.
    pub(crate) fn finish(mut self) {
        for name in self.members.keys() {
            if name.len() > Self::LONGEST_NAME {
                self.place.refuse::<()>("has a member with an unknown name");
            } else {
                self.place.below(name).refuse::<()>("is not a known member");
            }
        }
    }
}

impl FromJson for String {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            _ => place.refuse("must be a string"),
        }
    }
}

impl FromJson for bool {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        value.as_bool().or_else(|| place.refuse("must be true or false"))
    }
}

impl FromJson for u64 {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        value.as_u64().or_else(|| place.refuse("must be a whole number, zero or more"))
    }
}

impl FromJson for u32 {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let number = u64::from_json(value, place)?;
        Self::try_from(number).ok().or_else(|| place.refuse("must be at most 4294967295"))
    }
}

/// A value or `null`, which is a value too, as against a member left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrNull<T>(pub(crate) Option<T>);

impl<T: FromJson> FromJson for OrNull<T> {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        Option::from_json(value, place).map(Self)
    }
}

/// `null` is a value here, as against a member left out.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::from_json(value, place).map(Some) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let Value::Array(elements) = value else { return place.refuse("must be an array") };
        let read: Vec<Option<T>> = elements
            .into_iter()
            .enumerate()
            .map(|(index, element)| T::from_json(element, &mut place.below(&index.to_string())))
            .collect();
        read.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Box {
        width: u32,
        labels: Vec<String>,
    }

    impl FromJson for Box {
        fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
            let mut members = place.object(value)?;
            let width = members.required("width");
            let labels = members.optional("labels");
            members.read_only("made_at");
            members.finish();
            Some(Self { width: width?, labels: labels.unwrap_or_default() })
        }
    }

    fn pointers(text: &str) -> Vec<String> {
        let document = parse(text.as_bytes()).unwrap();
        read::<Box>(document).unwrap_err().into_iter().map(|violation| violation.pointer).collect()
    }

    #[test]
    fn reads_what_fits() {
        let document = parse(br#"{"width":3,"labels":["a"]}"#).unwrap();
        assert_eq!(read::<Box>(document), Ok(Box { width: 3, labels: vec!["a".to_owned()] }));
    }

    #[test]
    fn reports_every_fault_with_its_pointer() {
        let faults = pointers(r#"{"width":-1,"labels":["a",2,null],"a/b~c":1,"made_at":"now"}"#);
        assert_eq!(faults, ["/width", "/labels/1", "/labels/2", "/made_at", "/a~1b~0c"]);
    }

    #[test]
    fn reports_a_missing_member_and_a_document_that_is_no_object() {
        assert_eq!(pointers("{}"), ["/width"]);
        assert_eq!(pointers("[]"), [""]);
    }

    #[test]
    fn numbers_must_be_whole_and_fit() {
        assert_eq!(pointers(r#"{"width":1.5}"#), ["/width"]);
        assert_eq!(pointers(r#"{"width":4294967296}"#), ["/width"]);
        assert_eq!(pointers(r#"{"width":"1"}"#), ["/width"]);
    }

    #[test]
    fn a_flood_of_faults_gives_a_short_report() {
        let text = format!(r#"{{"width":1,"labels":[{}1]}}"#, "1,".repeat(5000));
        assert_eq!(pointers(&text).len(), 50);
        let long = format!(r#"{{"width":1,"{}":1}}"#, "x".repeat(5000));
        assert_eq!(pointers(&long), [""]);
    }
}
