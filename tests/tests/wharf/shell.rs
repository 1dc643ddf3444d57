//! The shell in a pseudo-terminal: prompts without echo, refusals in the server's words, completion
//! and history, Ctrl-C.

use std::fs;
use std::process::Command;

use rexpect::session::{PtySession, spawn_command};
use wharfinger_tests::wharf::{Wharf, is_part};
use wharfinger_tests::{Deployment, User, content};

struct Terminal {
    deployment: Deployment,
    user: User,
    wharf: Wharf,
}

const PROMPT: &str = "wharf> ";
/// Milliseconds; nothing waits this long in the good case.
const PATIENCE: u64 = 30_000;

impl Terminal {
    fn new() -> Terminal {
        let deployment = Deployment::start();
        let user = deployment.admin.create("alice");
        let wharf = Wharf::new(&deployment, &user);
        Terminal { deployment, user, wharf }
    }

    /// The shell, with a password in the environment or without.
    fn open(&self, user: &str, password: bool) -> PtySession {
        let url = format!("ftpes://{user}localhost:{}", self.deployment.ftp().port());
        let wharf =
            Wharf { password: self.wharf.password.clone().filter(|_| password), ..self.wharf.clone() };
        let mut command: Command = wharf.command(&[&url]);
        command.env("TERM", "xterm");
        spawn_command(command, Some(PATIENCE)).unwrap()
    }

    fn logged_in(&self) -> PtySession {
        let mut shell = self.open("alice@", true);
        shell.exp_string(PROMPT).unwrap();
        shell
    }

    fn store(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.deployment.home(&self.user)).unwrap();
        fs::write(self.deployment.home(&self.user).join(name), bytes).unwrap();
    }
}

/// Types a line; what was printed until the next prompt.
fn say(shell: &mut PtySession, line: &str) -> String {
    shell.send_line(line).unwrap();
    shell.exp_string(PROMPT).unwrap()
}

#[test]
fn name_and_password_are_asked_for_and_the_password_is_not_echoed() {
    let terminal = Terminal::new();
    let mut shell = terminal.open("", false);
    shell.exp_string("User at localhost: ").unwrap();
    shell.send_line("alice").unwrap();
    shell.exp_string("Password for alice at localhost: ").unwrap();
    shell.send_line("wrong").unwrap();
    let refused = shell.exp_string("Password for alice").unwrap();
    assert!(refused.contains("530") && !refused.contains("wrong"), "{refused}");
    shell.send_line(&terminal.user.password).unwrap();
    let welcome = shell.exp_string(PROMPT).unwrap();
    assert!(welcome.contains("230") && welcome.contains("TLS 1.3"), "{welcome}");
    assert!(!welcome.contains(&terminal.user.password), "{welcome}");
    shell.send_line("quit").unwrap();
    shell.exp_string("221").unwrap();
    shell.exp_eof().unwrap();
}

#[test]
fn every_command_does_what_help_says() {
    let terminal = Terminal::new();
    let bytes = content::bytes(100_000, 1);
    fs::write(terminal.wharf.file("one"), &bytes).unwrap();
    let home = terminal.deployment.home(&terminal.user);
    let mut shell = terminal.logged_in();
    let mut said = |line: &str, words: &str| {
        let printed = say(&mut shell, line);
        assert!(printed.contains(words), "{line}: {printed}");
    };
    said("help", "mirror [-R]");
    said("pwd", "there: /");
    said("mkdir made", "");
    said("cd made", "/made");
    said("put one", "100000 bytes");
    said("ls", "one");
    said("size one", "100000");
    said("chmod 600 one", "");
    said("rename one two", "");
    said("get two", "100000 bytes");
    said("put one \"a b\"", "a b");
    said("mput o*", "one -> one");
    said("cd ..", "/");
    said("mirror made copy", "3 copied");
    said("mirror -R copy again", "3 copied");
    said("lcd copy", "/copy");
    said("mget made/t*", "two");
    said("lcd ..", "client");
    said("active", "");
    said("ls made", "a b");
    said("passive", "");
    said("cat again/two", "");
    said("site help", "200");
    said("quote NOOP", "200");
    said("status", "resumed");
    said("delete made/two", "");
    said("rmdir made", "550");
    said("nonsense", "there is no command");
    said("get", "usage: get FILE [LOCAL]");
    said("get missing", "550");
    assert!(fs::read(terminal.wharf.file("copy/a b")).unwrap() == bytes);
    assert!(fs::read(home.join("again/two")).unwrap() == bytes);
    assert!(home.join("made/one").exists() && !home.join("made/two").exists());
}

#[test]
fn names_on_the_server_are_completed() {
    let terminal = Terminal::new();
    terminal.store("a long name", b"12345");
    let mut shell = terminal.logged_in();
    shell.send("size a\t").unwrap();
    shell.flush().unwrap();
    shell.exp_string("long").unwrap();
    let printed = say(&mut shell, "");
    assert!(printed.contains('5'), "{printed}");
    // The line before is a key away.
    shell.send("\x1b[A").unwrap();
    shell.flush().unwrap();
    shell.exp_string("size a\\ long\\ name").unwrap();
}

#[test]
fn ctrl_c_stops_a_transfer_and_not_the_shell() {
    let terminal = Terminal::new();
    terminal.store("endless", b"");
    let path = terminal.deployment.home(&terminal.user).join("endless");
    fs::File::options().write(true).open(path).unwrap().set_len(20 << 30).unwrap();
    let mut shell = terminal.logged_in();
    shell.send_line("get endless").unwrap();
    wharfinger_tests::polling::eventually("bytes arrive", wharfinger_tests::program::PATIENCE, || {
        let names = terminal.wharf.names();
        let part = names.iter().find(|name| is_part(name))?;
        (fs::metadata(terminal.wharf.file(part)).ok()?.len() > 0).then_some(())
    });
    shell.send_control('c').unwrap();
    shell.exp_string("interrupted").unwrap();
    shell.exp_string(PROMPT).unwrap();
    assert!(say(&mut shell, "pwd").contains("there: /"));
    assert!(!terminal.wharf.file("endless").exists());
}

#[test]
fn a_lost_connection_is_made_again_in_the_same_directory() {
    let terminal = Terminal::new();
    fs::create_dir_all(terminal.deployment.home(&terminal.user).join("deep/er")).unwrap();
    let mut shell = terminal.logged_in();
    say(&mut shell, "cd deep/er");
    say(&mut shell, "quote QUIT");
    say(&mut shell, "ls");
    assert!(say(&mut shell, "pwd").contains("there: /deep/er"));
}

#[test]
fn a_typed_password_does_not_go_into_the_history() {
    let terminal = Terminal::new();
    let mut shell = terminal.logged_in();
    say(&mut shell, "quote PASS typed-by-hand");
    say(&mut shell, "pwd");
    shell.send_line("quit").unwrap();
    shell.exp_eof().unwrap();
    let history = fs::read_to_string(terminal.wharf.file(".local/state/wharf/history")).unwrap();
    assert!(history.contains("pwd") && !history.contains("typed-by-hand"), "{history}");
}

#[test]
fn lines_from_a_pipe_end_with_the_first_failure() {
    let terminal = Terminal::new();
    let url = format!("ftpes://alice@localhost:{}", terminal.deployment.ftp().port());
    let finished = terminal.wharf.run_shell(&[&url], "pwd\nget missing\nmkdir never\n");
    assert_eq!(finished.code, Some(6), "{finished:?}");
    assert!(finished.out.contains("there: /") && finished.err.contains("550"), "{finished:?}");
    assert!(!terminal.deployment.home(&terminal.user).join("never").exists());
}

#[test]
fn the_longest_path_there_is_is_told() {
    let terminal = Terminal::new();
    let url = format!("ftpes://alice@localhost:{}", terminal.deployment.ftp().port());
    // With the slashes these are 4095 bytes, and on the wire twice as many: quotes are doubled there.
    let names = [vec!["\"".repeat(255); 15], vec!["m".repeat(254)]].concat();
    let steps: Vec<_> = names.iter().map(|name| format!("mkdir '{name}'\ncd '{name}'\n")).collect();
    let said = terminal.wharf.run_shell(&[&url], &(steps.concat() + "pwd\n")).succeeded();
    assert!(said.contains(&format!("there: /{}", names.join("/"))), "{said}");
}
