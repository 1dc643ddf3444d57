//! What someone sees who starts `wharfinger` for the first time, and the second.

use std::path::Path;

use tempfile::TempDir;
use wharfinger_tests::deployment::environment;
use wharfinger_tests::program::{Environment, PATIENCE};
use wharfinger_tests::{Admin, Program, tools};

#[test]
fn the_first_start_prints_a_password_that_works_once() {
    let directory = TempDir::new().unwrap();
    let settings = environment(directory.path());
    let first = Program::start("wharfinger", &[], directory.path(), &settings);
    let password = printed_password(&first);
    let address = first.addresses("admin", 1)[0];
    Admin::log_in(address, "owner", &password);
    assert_eq!(first.stop().code, Some(0), "SIGTERM is a good end");

    let second = Program::start("wharfinger", &[], directory.path(), &settings);
    let address = second.addresses("admin", 1)[0];
    Admin::log_in(address, "owner", &password);
    let said = second.stop();
    assert_eq!(said.code, Some(0));
    let all = format!("{}\n{}", said.out, said.err);
    assert!(!all.contains(&password), "the second start prints the secret again:\n{all}");
    assert!(find_password(&said.out).is_none(), "the second start prints a password:\n{all}");
    assert!(said.out.contains("owner"), "the second start says what it found:\n{}", said.out);
    assert!(said.out.contains("server.pem"), "the second start says what it found:\n{}", said.out);
}

#[test]
fn the_first_start_prints_the_certificate_s_path_and_fingerprint() {
    let directory = TempDir::new().unwrap();
    let program = Program::start("wharfinger", &[], directory.path(), &environment(directory.path()));
    program.addresses("ftp", 2);
    printed_password(&program);
    let said = program.stop().out;
    let word = said.split_whitespace().find(|word| word.ends_with("server.pem"));
    let path = directory.path().join(word.unwrap_or_else(|| panic!("no certificate's path in:\n{said}")));
    let fingerprint = ["x509", "-noout", "-fingerprint", "-sha256", "-in", path.to_str().unwrap()];
    let shown = tools::run("openssl", &fingerprint).succeeded();
    let digest = hexadecimal(shown.trim().rsplit('=').next().unwrap());
    assert_eq!(digest.len(), 64);
    assert!(said.split_whitespace().any(|word| hexadecimal(word) == digest), "not {digest} in:\n{said}");
}

#[test]
fn the_first_start_prints_three_commands_that_work_word_for_word() {
    let directory = TempDir::new().unwrap();
    let settings = environment(directory.path());
    let program = Program::start("wharfinger", &[], directory.path(), &settings);
    let commands = program.out.wait_for(PATIENCE, |lines| {
        let commands = commands(lines);
        (commands.len() == 3).then_some(commands)
    });
    let commands = commands.unwrap_or_else(|| panic!("no three commands in:\n{}", program.out.text()));
    let outputs: Vec<String> = commands.iter().map(|command| type_in(directory.path(), command)).collect();
    assert!(outputs[0].contains("\"username\""), "{}\n{}", commands[0], outputs[0]);
    assert!(!outputs[2].trim().is_empty(), "the third command lists nothing:\n{}", commands[2]);
}

#[test]
fn the_owner_s_password_can_be_given_and_is_then_not_printed() {
    let directory = TempDir::new().unwrap();
    let mut settings = environment(directory.path());
    let password = "given from outside";
    settings.insert("WHARFINGER_ADMIN_PASSWORD".to_owned(), password.to_owned());
    starts_with_given_password(directory.path(), &settings, password);
}

#[test]
fn the_owner_s_password_can_be_given_in_a_file() {
    let directory = TempDir::new().unwrap();
    let mut settings = environment(directory.path());
    let (password, file) = ("given in a file", directory.path().join("password"));
    std::fs::write(&file, format!("{password}\n")).unwrap();
    settings.insert("WHARFINGER_ADMIN_PASSWORD_FILE".to_owned(), file.to_str().unwrap().to_owned());
    starts_with_given_password(directory.path(), &settings, password);
}

fn starts_with_given_password(directory: &Path, settings: &Environment, password: &str) {
    let program = Program::start("wharfinger", &[], directory, settings);
    Admin::log_in(program.addresses("admin", 1)[0], "owner", password);
    let said = program.stop();
    assert!(!format!("{}\n{}", said.out, said.err).contains(password), "{}\n{}", said.out, said.err);
}

/// The password as a person finds it: the last word of the line that names it.
fn find_password(out: &str) -> Option<String> {
    let line = out.lines().find(|line| line.to_lowercase().contains("password") && line.contains(": "))?;
    line.split_whitespace().last().filter(|word| word.len() >= 20).map(str::to_owned)
}

fn printed_password(program: &Program) -> String {
    let found = program.out.wait_for(PATIENCE, |lines| find_password(&lines.join("\n")));
    found.unwrap_or_else(|| panic!("no password printed:\n{}\n{}", program.out.text(), program.log.text()))
}

/// The lines to copy, joined where they go on (`\` at the end).
fn commands(lines: &[String]) -> Vec<String> {
    let text = lines.join("\n").replace("\\\n", "\\\u{0}");
    let complete = text.lines().filter(|line| !line.ends_with("\\\u{0}"));
    let lines = complete.map(str::trim_start);
    lines
        .filter(|line| ["curl ", "lftp ", "TOKEN="].iter().any(|start| line.starts_with(start)))
        .map(|line| line.replace('\u{0}', "\n"))
        .collect()
}

fn type_in(directory: &Path, command: &str) -> String {
    tools::run_in(directory, "bash", &["-euo", "pipefail", "-c", command]).succeeded()
}

fn hexadecimal(word: &str) -> String {
    let digits: String = word.chars().filter(|letter| *letter != ':').collect();
    if digits.chars().all(|letter| letter.is_ascii_hexdigit()) {
        digits.to_lowercase()
    } else {
        String::new()
    }
}
