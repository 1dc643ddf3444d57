//! Holds docs/architecture.md to the tree: what it names exists, and who may import whom is what
//! the manifests and the `use` lines say.

use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file at or below these paths of server/src.
fn sources(names: &[&str]) -> Vec<(PathBuf, String)> {
    let mut open: Vec<PathBuf> = names.iter().map(|name| top().join("server/src").join(name)).collect();
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!found.is_empty(), "nothing at {names:?}");
    found
}

fn assert_no_import(names: &[&str], forbidden: &[&str]) {
    for (path, text) in sources(names) {
        let imports = text.lines().filter(|line| line.trim_start().starts_with("use "));
        for line in imports {
            let bad = forbidden.iter().find(|word| line.contains(*word));
            assert!(bad.is_none(), "{}: {line}", path.display());
        }
    }
}

#[test]
fn every_path_the_page_names_exists() {
    let page = read("docs/architecture.md");
    let named: Vec<_> = page.split('`').filter(|word| word.contains(".rs") && word.contains('/')).collect();
    assert!(named.len() > 20, "the page names hardly any file: {named:?}");
    for path in named {
        assert!(top().join(path).is_file(), "docs/architecture.md names {path}, which isn't there");
    }
    for line in page.lines().filter(|line| line.contains("/  ") && !line.starts_with('|')) {
        let folder = line.split("/  ").next().unwrap();
        assert!(top().join(folder).is_dir(), "docs/architecture.md names {folder}/, which isn't there");
    }
}

#[test]
fn crates_depend_only_on_those_they_may() {
    let allowed = [
        ("protocol", &[][..]),
        ("config", &[]),
        ("accounts", &["config"]),
        ("server", &["protocol", "accounts", "config"]),
        ("admin-api", &["accounts", "config"]),
        ("client", &["protocol"]),
        ("wharfinger", &["server", "admin", "accounts", "config"]),
    ];
    for (package, may) in allowed {
        let manifest = read(&format!("{package}/Cargo.toml"));
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap();
        let dependencies = dependencies.split("[dev-dependencies]").next().unwrap();
        for line in dependencies.lines() {
            if let Some(name) = line.split(['.', ' ']).next().unwrap().strip_prefix("wharfinger-") {
                assert!(may.contains(&name), "{package} may not depend on {name}");
            }
        }
    }
}

#[test]
fn the_core_of_the_server_knows_no_dialect() {
    let core = [
        "control.rs",
        "conversation.rs",
        "conversation",
        "link.rs",
        "channel.rs",
        "data.rs",
        "data",
        "transfer.rs",
        "transfer",
        "files.rs",
        "login.rs",
    ];
    assert_no_import(&core, &["crate::ftp", "protocol::ftp", "crate::mftp", "protocol::mftp"]);
}

#[test]
fn the_dialects_know_nothing_of_each_other() {
    assert_no_import(&["ftp.rs", "ftp"], &["crate::mftp", "protocol::mftp"]);
    assert_no_import(&["mftp.rs", "mftp"], &["crate::ftp", "protocol::ftp"]);
}

#[test]
fn storage_knows_no_user_no_protocol_and_no_tls() {
    let forbidden = [
        "wharfinger_accounts",
        "wharfinger_protocol",
        "crate::ftp",
        "crate::mftp",
        "crate::files",
        "crate::tls",
        "rustls",
    ];
    assert_no_import(&["storage.rs", "storage"], &forbidden);
}

#[test]
fn the_registry_knows_nobody_but_who_is_logged_in() {
    assert_no_import(&["registry.rs"], &["crate::", "wharfinger_protocol", "rustls"]);
}
