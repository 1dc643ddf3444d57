//! The shell: a prompt, one command a line, the server's words when something is refused.
//!
//! A connection that broke is made again by the next command. When the commands come from a file
//! or a pipe, the first failure ends it.

use std::{cell::RefCell, env, fs, io::IsTerminal as _, path::PathBuf, rc::Rc};

use rustyline::{Config, Editor, error::ReadlineError, history::FileHistory};

use crate::{failure::Failure, names::shown, progress::Progress, site::Site, words};

mod commands;
mod completion;
mod session;
mod table;

use completion::Completion;
use session::Session;

/// How often a login is tried, when the password is typed.
const LOGIN_ATTEMPTS: usize = 3;

/// Opens the shell and stays in it until it is left.
pub(crate) fn run(site: &Site, direct: bool, progress: &Progress) -> Result<(), Failure> {
    let session = Rc::new(RefCell::new(open(site, direct, progress)?));
    let failed = |error: ReadlineError| Failure::Local {
        path: "terminal".into(),
        error: std::io::Error::other(error),
    };
    let config = Config::builder().completion_type(rustyline::CompletionType::List).build();
    let mut editor = Editor::<Completion<'_>, FileHistory>::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Completion::new(Rc::clone(&session))));
    let history = history_file();
    if let Some(file) = &history {
        // Without a history there is nothing to go back to, and that is all.
        let _ = editor.load_history(file);
    }
    let interactive = std::io::stdin().is_terminal();
    loop {
        let line = match editor.readline("wharf> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        if !is_secret(&line) {
            editor.add_history_entry(line.as_str()).map_err(failed)?;
        }
        match session.borrow_mut().execute(&words::split(&line)) {
            Ok(true) => {}
            Ok(false) => break,
            Err(failure) if !interactive => return Err(failure),
            Err(failure) => eprintln!("{failure}"),
        }
    }
    if let Some(file) = &history {
        let _ = editor.save_history(file);
    }
    session.borrow_mut().leave();
    Ok(())
}

/// Connects and says where; asks again for a password that was refused.
fn open<'a>(site: &'a Site, direct: bool, progress: &Progress) -> Result<Session<'a>, Failure> {
    for _ in 1..LOGIN_ATTEMPTS {
        match Session::open(site, direct, progress) {
            Err(Failure::Login(answer)) if std::io::stdin().is_terminal() => {
                eprintln!("{answer}");
                site.login.forget();
            }
            result => return result,
        }
    }
    Session::open(site, direct, progress)
}

/// A password typed by hand is not to be found again.
fn is_secret(line: &str) -> bool {
    let mut words = line.split_whitespace().map(str::to_ascii_lowercase);
    words.next().is_some_and(|first| first == "quote")
        && words.next().is_some_and(|second| matches!(second.as_str(), "pass" | "acct"))
}

/// Where lines are kept from one time to the next.
fn history_file() -> Option<PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let directory = state.or_else(|| Some(env::home_dir()?.join(".local/state")))?.join("wharf");
    fs::create_dir_all(&directory).ok()?;
    Some(directory.join("history"))
}

/// A path for the eye.
fn visible(path: &[u8]) -> String {
    if path.is_empty() { ".".to_owned() } else { shown(path) }
}
