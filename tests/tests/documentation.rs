//! Holds the documentation to the tests it names: a promise whose test is gone is only a claim.

use std::fs;
use std::path::Path;

#[test]
fn every_test_named_in_the_documentation_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut checked = 0;
    for page in ["security.md", "logging.md", "operations.md", "clients.md", "conformance.md", "wharf.md"] {
        let text = read(&top.join("docs").join(page));
        let mut names: Vec<&str> = Vec::new();
        // Names of tests come first, the file they stand in after them.
        for word in text.split('`').skip(1).step_by(2) {
            if is_test_name(word) {
                names.push(word);
            } else if is_source(word) {
                let source = read(&top.join(word));
                for name in names.drain(..) {
                    assert!(source.contains(&format!("fn {name}(")), "{page}: no {name} in {word}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 60, "the pages name hardly any test: {checked}");
}

#[test]
fn the_clients_in_the_documentation_are_those_that_the_tests_drive() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(top.join("docs/clients.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| client |"));
    let mut rows: Vec<&str> = rows.collect();
    for entry in fs::read_dir(top.join("tests/tests/clients")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        let clients =
            source.split("Client {").skip(1).filter_map(|rest| rest.trim_start().strip_prefix("name: \""));
        for name in clients.map(|rest| rest.split('"').next().unwrap()) {
            let is_its = |row: &&str| row[2..].strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
            assert!(page.lines().any(|line| line.starts_with("| ") && is_its(&line)), "no row for {name}");
            rows.retain(|row| !is_its(row));
        }
    }
    assert!(rows.is_empty(), "no test drives these: {rows:#?}");
}

#[test]
fn the_class_in_the_documentation_is_the_one_that_the_tests_use() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(top.join("docs/clients.md")).unwrap();
    let class = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let script = fs::read_to_string(top.join("tests/clients/ftplib_resuming_steps.py")).unwrap();
    let class = class.split("class ").nth(1).unwrap().trim();
    assert!(script.contains(class), "tests/clients/ftplib_resuming_steps.py lacks:\n{class}");
}

/// A sentence in `snake_case`, which no setting and no field is.
fn is_test_name(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    word.chars().all(letters) && word.matches('_').count() >= 3 && word.len() >= 15
}

fn is_source(word: &str) -> bool {
    word.contains('/') && Path::new(word).extension().is_some_and(|extension| extension == "rs")
}
