//! The program as an operator runs it: its commands, what it prints, its exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, and what helps them, stop at the first surprise"
)]

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

fn program(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharfinger-admin"));
    command.args(arguments).env_clear().env("WHARFINGER_DATA_DIR", data_dir);
    command.env("WHARFINGER_ADMIN__LISTEN", "127.0.0.1:0").env("WHARFINGER_LOG__FORMAT", "json");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn output_with_input(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn ended(output: &Output, code: i32) -> (String, String) {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    (stdout, stderr)
}

/// A program that is stopped at the end of its test.
struct Running {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, log }
    }

    /// Reads its log up to the line that holds this text, and returns that line.
    fn log_line(&mut self, text: &str) -> String {
        self.log
            .find_map(|line| line.ok().filter(|line| line.contains(text)))
            .expect("the line before the end")
    }

    /// Asks it to stop, and returns what it had printed.
    fn stopped(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        printed
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_store_is_made_checked_and_given_an_admin() {
    let directory = directory();
    let (out, _) = ended(&program(directory.path(), &["migrate"]).output().unwrap(), 0);
    assert!(out.contains("now"), "{out}");
    let (out, _) = ended(&program(directory.path(), &["migrate"]).output().unwrap(), 0);
    assert!(out.contains("already"), "{out}");
    ended(&program(directory.path(), &["check-store"]).output().unwrap(), 0);
    let create = || program(directory.path(), &["create-admin", "carol", "--role", "auditor"]);
    let (out, _) = ended(&output_with_input(create(), "correct horse battery\n"), 0);
    assert_eq!(out, "Admin carol created.\n");
    let (_, err) = ended(&output_with_input(create(), "correct horse battery\n"), 1);
    assert!(err.contains("an admin carol already"), "{err}");
}

#[test]
fn a_password_that_is_missing_or_weak_is_refused() {
    let directory = directory();
    let create = || program(directory.path(), &["create-admin", "carol"]);
    let (_, err) = ended(&output_with_input(create(), ""), 1);
    assert!(err.contains("no password"), "{err}");
    let (_, err) = ended(&output_with_input(create(), "short\n"), 2);
    assert!(err.contains("at least 12 bytes"), "{err}");
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let directory = directory();
    for arguments in [&["create-admin"][..], &["create-admin", "a/b"], &["--nonsense"], &["frobnicate"]] {
        ended(&program(directory.path(), arguments).output().unwrap(), 2);
    }
}

#[test]
fn a_store_that_can_not_be_reached_ends_the_tasks_with_3() {
    let directory = directory();
    for arguments in [&["migrate"][..], &["check-store"]] {
        let mut command = program(directory.path(), arguments);
        command
            .env("WHARFINGER_STORE__URL", "mongodb://127.0.0.1:1/x")
            .env("WHARFINGER_STORE__TIMEOUT_SECONDS", "1");
        ended(&command.output().unwrap(), 3);
    }
    let (_, err) = ended(&program(directory.path(), &["check-store"]).output().unwrap(), 3);
    assert!(err.contains("wharfinger-admin migrate"), "{err}");
}

#[test]
fn serving_shows_the_owners_password_once_and_ends_with_0_when_asked() {
    let directory = directory();
    let mut running = Running::start(program(directory.path(), &[]));
    let line = running.log_line("\"listening\"");
    assert!(line.contains("\"service\":\"admin\"") && line.contains("\"address\":\"127.0.0.1:"), "{line}");
    let printed = running.stopped();
    assert!(printed.contains("username  owner\n  password  "), "{printed}");

    let mut again = Running::start(program(directory.path(), &["serve"]));
    again.log_line("\"listening\"");
    assert_eq!(again.stopped(), "");
}

#[test]
fn an_address_in_use_ends_with_4() {
    let directory = directory();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program(directory.path(), &[]).env("WHARFINGER_ADMIN__LISTEN", &address).output().unwrap();
    let (_, err) = ended(&output, 4);
    assert!(err.contains(&address), "{err}");
}

#[test]
fn a_store_that_is_down_at_start_is_waited_for() {
    let directory = directory();
    let mut command = program(directory.path(), &[]);
    command
        .env("WHARFINGER_STORE__URL", "mongodb://127.0.0.1:1/x")
        .env("WHARFINGER_STORE__TIMEOUT_SECONDS", "1");
    let mut running = Running::start(command);
    running.log_line("waiting for the store");
    running.log_line("waiting for the store");
    assert_eq!(running.stopped(), "");
}
