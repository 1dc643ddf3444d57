//! `wharf`, run as a script runs it: a command line, a password in the environment, an exit code.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::admin::User;
use crate::deployment::Deployment;
use crate::program::built;
use crate::tools::{self, Finished};

/// Somebody who uses the client, in a directory of their own.
#[derive(Clone, Debug)]
pub struct Wharf {
    /// Where it runs, and its home.
    pub directory: PathBuf,
    /// What is trusted: options of the command line.
    pub trust: Vec<String>,
    /// The password in the environment, if there is one.
    pub password: Option<String>,
}

impl Wharf {
    /// A user of this deployment, who trusts the server's own certificate.
    pub fn new(deployment: &Deployment, user: &User) -> Wharf {
        let directory = deployment.directory().join("client");
        std::fs::create_dir_all(&directory).unwrap();
        let certificate = deployment.certificate().to_str().unwrap().to_owned();
        Wharf {
            directory,
            trust: vec!["--ca".to_owned(), certificate],
            password: Some(user.password.clone()),
        }
    }

    /// The command line, not yet run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(built("wharf"));
        command.current_dir(&self.directory).env("HOME", &self.directory).env_remove("NETRC");
        command.env_remove("XDG_STATE_HOME").env_remove("WHARF_PASSWORD");
        if let Some(password) = &self.password {
            command.env("WHARF_PASSWORD", password);
        }
        command.args(&self.trust).args(arguments);
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        tools::finish("wharf", &[] as &[&str], &mut self.command(arguments))
    }

    /// Runs the shell with these lines as its input.
    pub fn run_shell(&self, arguments: &[&str], lines: &str) -> Finished {
        let script = self.directory.join(".script");
        std::fs::write(&script, lines).unwrap();
        let input = std::fs::File::open(script).unwrap();
        tools::finish_with(Stdio::from(input), "wharf", &[] as &[&str], &mut self.command(arguments))
    }

    /// Has a download fail for want of room; where it left its part.
    pub fn interrupted(&self, url: &str, name: &str) -> PathBuf {
        let wanted = self.command(&["--retries", "0", "get", url]);
        let mut command = Command::new("bash");
        // Files of at most 200 KiB; the signal that comes with it is ignored, as a full disk sends none.
        command.args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$0\" \"$@\""]);
        command.arg(wanted.get_program()).args(wanted.get_args()).current_dir(&self.directory);
        for (variable, value) in wanted.get_envs() {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        let finished = tools::finish("wharf", &[] as &[&str], &mut command);
        assert_eq!(finished.code, Some(7), "{finished:?}");
        let begin = format!(".{name}.");
        let names = self.names();
        let part = names.iter().find(|name| name.starts_with(&begin) && is_part(name));
        self.file(part.unwrap_or_else(|| panic!("no part is left: {names:?}\n{finished:?}")))
    }

    /// Starts it and lets it run.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Fails unless it ends with this exit code and says this on standard error.
    pub fn fails(&self, arguments: &[&str], code: i32, says: &str) -> Finished {
        let finished = self.run(arguments);
        assert_eq!(finished.code, Some(code), "{finished:?}");
        assert!(finished.err.contains(says), "{says}: {finished:?}");
        finished
    }

    /// A file in its directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// What is in its directory.
    pub fn names(&self) -> Vec<String> {
        names(&self.directory)
    }
}

/// Whether this is the name of an unfinished download.
pub fn is_part(name: &str) -> bool {
    name.strip_prefix('.').and_then(|name| name.strip_suffix(".part")).is_some()
}

/// The names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
