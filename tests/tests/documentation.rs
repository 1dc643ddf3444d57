//! Holds the documentation to the tests it names: a promise whose test is gone is only a claim.

use std::fs;
use std::path::Path;

#[test]
fn every_test_named_in_the_documentation_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut checked = 0;
    for page in ["security.md", "logging.md", "operations.md", "clients.md", "wharf.md"] {
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

/// A sentence in `snake_case`, which no setting and no field is.
fn is_test_name(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    word.chars().all(letters) && word.matches('_').count() >= 3 && word.len() >= 15
}

fn is_source(word: &str) -> bool {
    word.contains('/') && Path::new(word).extension().is_some_and(|extension| extension == "rs")
}
