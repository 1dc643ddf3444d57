//! The accounts' values, read from JSON. The rules are the accounts' own; here a refusal gets its
//! place in the document.

use std::str::FromStr;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wharfinger_accounts::{Invalid, KeyName, Password, Role, Status, Username};

use crate::json::{FromJson, Place};

/// One of a few words, spelled as in the store.
pub(crate) fn word<T: DeserializeOwned>(
    value: Value,
    place: &mut Place<'_>,
    rule: &'static str,
) -> Option<T> {
    serde_json::from_value(value).ok().or_else(|| place.refuse(rule))
}

/// Text with a rule of its own.
pub(crate) fn checked<T: FromStr<Err = Invalid>>(value: Value, place: &mut Place<'_>) -> Option<T> {
    match String::from_json(value, place)?.parse() {
        Ok(value) => Some(value),
        Err(invalid) => place.refuse(invalid.rule()),
    }
}

impl FromJson for Password {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        String::from_json(value, place).map(Self::new)
    }
}

impl FromJson for Username {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        checked(value, place)
    }
}

impl FromJson for KeyName {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        checked(value, place)
    }
}

impl FromJson for Timestamp {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let text = String::from_json(value, place)?;
        text.parse().ok().or_else(|| place.refuse("must be a time such as 2026-12-31T23:59:59Z (RFC 3339)"))
    }
}

impl FromJson for Status {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        word(value, place, "must be active or disabled")
    }
}

impl FromJson for Role {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        word(value, place, "must be one of owner, user-manager, auditor")
    }
}
