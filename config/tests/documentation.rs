//! `docs/configuration.md` is held to the code: every key with its default and its variable
//! stands there, and nothing stands there that isn't so.

use std::collections::BTreeMap;

use toml::{Table, Value};
use wharfinger_config::{Config, load};

const PAGE: &str = include_str!("../../docs/configuration.md");

/// A row of a table: key, default and variable.
struct Row<'a> {
    key: &'a str,
    default: &'a str,
    variable: &'a str,
}

#[test]
fn every_key_stands_there_with_its_default() {
    let written: BTreeMap<_, _> = rows().iter().map(|row| (row.key, row.default)).collect();
    for (key, default) in known() {
        let found = written.get(key.as_str());
        assert_eq!(found, Some(&default.as_str()), "docs/configuration.md, {key}");
    }
}

#[test]
fn no_key_stands_there_that_does_not_exist() {
    let known = known();
    let rows = rows();
    for row in &rows {
        assert!(known.contains_key(row.key), "docs/configuration.md: there is no {}", row.key);
    }
    assert_eq!(rows.len(), known.len(), "docs/configuration.md names a key twice");
}

#[test]
fn every_variable_is_known_and_takes_the_default() {
    for Row { key, default, variable } in rows() {
        let regular = format!("WHARFINGER_{}", key.replace('.', "__").to_uppercase());
        assert!(variable == regular || variable == "WHARFINGER_ADMIN_PASSWORD", "{key}: {variable}");
        // The default, as the environment writes it.
        let value = default.trim_matches(['[', ']']).trim_matches('"').to_owned();
        let config = load(None, [(variable.to_owned(), value)]).unwrap();
        assert_eq!(flat(&config), known(), "{variable}");
    }
}

#[test]
fn the_example_is_a_configuration() {
    let example = PAGE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), example).unwrap();
    load(Some(file.path()), []).unwrap();
}

fn rows() -> Vec<Row<'static>> {
    PAGE.lines().filter_map(row).collect()
}

/// A line of a table that begins with a key; the others are headings and text.
fn row(line: &'static str) -> Option<Row<'static>> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    let code = |cell: &'static str| cell.trim_matches('`');
    Some(Row { key: code(cells.next()?), default: code(cells.next()?), variable: code(cells.next()?) })
}

/// Every key with its default, as TOML writes them.
fn known() -> BTreeMap<String, String> {
    flat(&Config::default())
}

fn flat(config: &Config) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    // What can't be shown has no keys, and then the tests fail.
    collect(&Table::try_from(config).unwrap_or_default(), "", &mut keys);
    keys
}

fn collect(table: &Table, section: &str, keys: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => collect(inner, &format!("{key}."), keys),
            value => drop(keys.insert(format!("{section}{key}"), value.to_string())),
        }
    }
}
