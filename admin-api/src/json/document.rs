//! A JSON text into a value, refusing a member that is named twice: which of the two holds is
//! not defined (RFC 8259, section 4), and a permission must not hang on it.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text isn't taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// It isn't JSON in UTF-8, or nested too deeply.
    NotJson,
    /// An object names a member twice.
    MemberTwice,
}

/// Parses one JSON text and nothing after it.
pub(crate) fn parse(text: &[u8]) -> Result<Value, Syntax> {
    match serde_json::from_slice::<Document>(text) {
        Ok(Document(value)) => Ok(value),
        // The visitor's own refusal is the only one that isn't of the parser.
        Err(error) if error.is_data() => Err(Syntax::MemberTwice),
        Err(_) => Err(Syntax::NotJson),
    }
}

struct Document(Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Document)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Document(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Document(value))) = members.next_entry::<String, Document>()? {
            if object.insert(name, value).is_some() {
                return Err(de::Error::custom("member named twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_serde_json_parses() {
        let text = r#"{"a":[1,-2,2.5,true,null,"x"],"b":{"c":{}}}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text.as_bytes()), Ok(expected));
    }

    #[test]
    fn refuses_a_member_named_twice_at_any_depth() {
        assert_eq!(parse(br#"{"a":1,"a":1}"#), Err(Syntax::MemberTwice));
        assert_eq!(parse(br#"[{"b":{"a":1,"\u0061":2}}]"#), Err(Syntax::MemberTwice));
    }

    #[test]
    fn refuses_what_is_not_one_json_text() {
        for text in ["", "{", "{}{}", "{'a':1}", "nul", "[1,]", "{\"a\":\"\u{1}\"}", r#""\ud800""#, "1e999"] {
            assert_eq!(parse(text.as_bytes()), Err(Syntax::NotJson), "{text}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(Syntax::NotJson));
        assert_eq!(parse("[".repeat(100_000).as_bytes()), Err(Syntax::NotJson));
    }
}
