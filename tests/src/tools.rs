//! Other people's programs: run to their end with a deadline, their output kept for the assertion
//! that needs it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::lines::Lines;

/// A gigabyte through an unoptimised build takes its time.
const LIMIT: Duration = Duration::from_mins(2);

/// How a program ended and what it printed.
#[derive(Debug)]
pub struct Finished {
    /// As typed, for messages.
    pub command: String,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Finished {
    /// Fails with everything it printed unless it exited with 0; returns its standard output.
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}\n{}", self.command, self.out, self.err);
        self.out
    }
}

/// Runs a program to its end.
pub fn run<S: AsRef<str>>(program: &str, arguments: &[S]) -> Finished {
    finish(program, arguments, &mut Command::new(program))
}

/// Runs a program in this directory, which is its home too: no settings of the user's reach it.
pub fn run_in<S: AsRef<str>>(directory: &Path, program: &str, arguments: &[S]) -> Finished {
    finish(program, arguments, Command::new(program).current_dir(directory).env("HOME", directory))
}

/// Runs a command to its end, with nothing on its standard input.
pub fn finish<S: AsRef<str>>(program: &str, arguments: &[S], command: &mut Command) -> Finished {
    finish_with(Stdio::null(), program, arguments, command)
}

/// Runs a command to its end with this standard input.
pub fn finish_with<S: AsRef<str>>(
    input: Stdio,
    program: &str,
    arguments: &[S],
    command: &mut Command,
) -> Finished {
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let typed = format!("{program} {}", arguments.join(" "));
    let spawned = command.args(arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.unwrap_or_else(|error| {
        panic!("{program} can't be started ({error}): ./tests/run says what to install")
    });
    let out = Lines::follow(child.stdout.take().unwrap());
    let err = Lines::follow(child.stderr.take().unwrap());
    if !(out.wait_for_end(LIMIT) && err.wait_for_end(LIMIT)) {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("{typed} does not end within {LIMIT:?}\n{}\n{}", out.text(), err.text());
    }
    let code = child.wait().unwrap().code();
    Finished { command: typed, code, out: out.text(), err: err.text() }
}
