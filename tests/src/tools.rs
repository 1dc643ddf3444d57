//! Other people's programs: run to their end with a deadline, their output kept for the assertion
//! that needs it.

use std::fs::{self, File};
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
    finish(program, arguments, &mut command_in(directory, program))
}

/// The same, with this text on its standard input.
pub fn feed<S: AsRef<str>>(directory: &Path, program: &str, arguments: &[S], input: &str) -> Finished {
    let file = directory.join("input");
    fs::write(&file, input).unwrap();
    let input = Stdio::from(File::open(file).unwrap());
    finish_with(input, program, arguments, &mut command_in(directory, program))
}

/// A program that would run in this directory, and would have it for its home. Its language is
/// nobody's, in UTF-8; libraries come from `tests/.tools`, where `tests/run` puts them.
pub fn command_in(directory: &Path, program: &str) -> Command {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools");
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .env("HOME", directory)
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHONPATH", tools.join("python"))
        .env("NODE_PATH", tools.join("node/node_modules"));
    command
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
