//! What the programs are made of: only what deny.toml allows, no `unsafe` of our own, and a list that
//! names all of it. `cargo deny check` says more than the first
//! of these, also which advisories there are; it needs a database from the network, so it is not here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use wharfinger_tests::tools;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A package that is built, for whatever reason.
struct Package {
    name: String,
    version: String,
    licence: String,
    /// Where it came from; nowhere, if it is ours.
    source: Option<String>,
}

/// All that is built on this kind of machine, for programs, tests and the build itself.
fn packages() -> Vec<Package> {
    let tree = cargo(&[
        "tree",
        "--workspace",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "\t{p}\t{l}\t",
    ]);
    let lock: toml::Table = toml::from_str(&read("Cargo.lock")).unwrap();
    let lines: BTreeSet<&str> = tree.lines().filter_map(|line| Some(line.rsplit_once('\t')?.0)).collect();
    assert!(lines.len() > 100, "hardly anything is built");
    let package = |line: &str| {
        let (named, licence) = line.trim_start().split_once('\t').unwrap();
        let mut words = named.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap().trim_start_matches('v'));
        let locked = lock["package"].as_array().unwrap().iter();
        let mut locked = locked.filter(|entry| {
            entry["name"].as_str() == Some(name) && entry["version"].as_str() == Some(version)
        });
        let source = locked.next().unwrap().get("source").map(|source| source.as_str().unwrap().to_owned());
        Package { name: name.to_owned(), version: version.to_owned(), licence: licence.to_owned(), source }
    };
    lines.into_iter().map(package).collect()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = env!("CARGO");
    let arguments = [arguments, &["--locked", "--offline"]].concat();
    tools::finish(cargo, &arguments, Command::new(cargo).current_dir(top())).succeeded()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn rules() -> toml::Table {
    toml::from_str(&read("deny.toml")).unwrap()
}

/// The crates that a list of deny.toml names, as `NAME` or `NAME@VERSION`, each with its reason.
fn named(rules: &toml::Table, list: &str) -> BTreeSet<String> {
    let entries = rules["bans"][list].as_array().unwrap().iter();
    entries
        .map(|entry| {
            assert!(
                entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
                "{entry} has no reason"
            );
            entry["crate"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn every_licence_is_one_that_was_agreed_to() {
    let rules = rules();
    let allowed = rules["licenses"]["allow"].as_array().unwrap();
    let allowed: BTreeSet<&str> = allowed.iter().map(|name| name.as_str().unwrap()).collect();
    for package in packages() {
        assert!(is_met(&package.licence, &allowed), "{}: {}", package.name, package.licence);
    }
}

#[test]
fn an_expression_of_licences_is_read_as_it_is_meant() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0 WITH LLVM-exception", "ISC"]);
    for met in ["MIT", "GPL-3.0/MIT", "(MIT OR GPL-3.0) AND ISC", "Apache-2.0 WITH LLVM-exception OR X"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for not in ["", "Apache-2.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND X", "ISC AND (X OR Y)"] {
        assert!(!is_met(not, &allowed), "{not}");
    }
}

/// SPDX, as far as Cargo's manifests use it: AND binds closer than OR, and a slash is an old OR.
fn is_met(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = any_of(&mut words, allowed);
    assert!(words.next().is_none(), "{expression} is not understood");
    met
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = all_of(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<&str>) -> bool {
    let Some(word) = words.next() else { return false };
    if word == "(" {
        let met = any_of(words, allowed);
        assert_eq!(words.next(), Some(")"));
        return met;
    }
    match words.next_if_eq(&"WITH").and_then(|_| words.next()) {
        Some(exception) => allowed.contains(format!("{word} WITH {exception}").as_str()),
        None => allowed.contains(word),
    }
}

#[test]
fn everything_comes_from_the_one_registry_and_nothing_banned_is_among_it() {
    let rules = rules();
    let registries = rules["sources"]["allow-registry"].as_array().unwrap();
    let banned = named(&rules, "deny");
    for package in packages() {
        let name = package.name;
        assert!(!banned.contains(&name), "{name} is banned by deny.toml");
        if let Some(source) = &package.source {
            let registry = source.strip_prefix("registry+").unwrap_or(source);
            assert!(registries.iter().any(|allowed| allowed.as_str() == Some(registry)), "{name}: {source}");
        }
    }
}

#[test]
fn nothing_is_there_in_two_versions_without_a_reason() {
    let rules = rules();
    let skipped = named(&rules, "skip");
    let (mut versions, mut used) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for package in packages() {
        let Package { name, version, .. } = package;
        let skip = skipped.iter().find(|entry| {
            let (skipped, begins) = entry.split_once('@').expect("NAME@VERSION");
            skipped == name && version.strip_prefix(begins).is_some_and(|rest| rest.starts_with('.'))
        });
        match skip {
            Some(entry) => drop(used.insert(entry.clone())),
            None => *versions.entry(name).or_default() += 1,
        }
    }
    versions.retain(|_, count| *count > 1);
    assert!(versions.is_empty(), "in two versions, with no reason in deny.toml: {versions:?}");
    assert_eq!(used, skipped, "deny.toml gives reasons for what is not there any more");
}

#[test]
fn no_crate_of_ours_has_unsafe_code() {
    let workspace: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let path = format!("{}/Cargo.toml", member.as_str().unwrap());
        let manifest: toml::Table = toml::from_str(&read(&path)).unwrap();
        let lints = &manifest["lints"];
        let inherited = lints.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        let own = || lints["rust"]["unsafe_code"].as_str() == Some("forbid");
        assert!(inherited || own(), "{path} allows unsafe code");
    }
}

#[test]
fn the_bill_of_materials_names_all_that_a_program_is_made_of() {
    let mut sbom = Command::new(top().join("release/sbom"));
    let printed = tools::finish("release/sbom", &["wharf"], sbom.current_dir(top())).succeeded();
    let bill: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    assert_eq!(bill["metadata"]["component"]["name"], "wharf");
    let components = bill["components"].as_array().unwrap();
    let names: BTreeSet<&str> = components.iter().map(|component| text(&component["name"])).collect();
    let tree = cargo(&["tree", "--package", "wharf", "--edges", "normal,build", "--prefix", "none"]);
    let expected: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(expected.contains("rustls") && !expected.contains("mongodb"), "{expected:?}");
    let missing: Vec<_> =
        expected.iter().filter(|name| !names.contains(*name) && **name != "wharf").collect();
    assert!(missing.is_empty(), "{missing:?}");
    for component in components {
        assert!(text(&component["purl"]).starts_with("pkg:cargo/"), "{component}");
        let foreign = !text(&component["name"]).starts_with("wharfinger");
        assert_eq!(foreign, component["hashes"][0]["content"].is_string(), "{component}");
    }
}
