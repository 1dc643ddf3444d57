//! `~/.netrc`, or the file that `NETRC` names: `machine HOST login NAME password WORD`, and
//! `default` for all other hosts. `macdef` and `account` are passed over.

use std::{env, fs, io, os::unix::fs::MetadataExt as _, path::PathBuf};

use secrecy::SecretString;

use crate::failure::Failure;

/// An entry.
#[derive(Debug, Default, Clone)]
pub(crate) struct Machine {
    pub(crate) login: Option<String>,
    pub(crate) password: Option<SecretString>,
}

/// The first entry for the host, and for the user if one is named.
pub(crate) fn find(host: &str, user: Option<&str>) -> Result<Option<Machine>, Failure> {
    let Some(path) = place() else { return Ok(None) };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::Local { path, error }),
    };
    let found = search(&text, host, user);
    let mode = fs::metadata(&path).map_or(0, |metadata| metadata.mode());
    if mode & 0o077 != 0 && found.as_ref().is_some_and(|machine| machine.password.is_some()) {
        return Err(Failure::Usage(format!(
            "{} holds a password and others can read it; run: chmod 600 {0}",
            path.display()
        )));
    }
    Ok(found)
}

fn place() -> Option<PathBuf> {
    env::var_os("NETRC").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".netrc")))
}

fn search(text: &str, host: &str, user: Option<&str>) -> Option<Machine> {
    let mut words = words(text);
    let mut current: Option<Machine> = None;
    let fits =
        |machine: &Machine| user.is_none() || machine.login.is_none() || machine.login.as_deref() == user;
    while let Some(word) = words.next() {
        match (word.as_str(), current.as_mut()) {
            ("machine" | "default", _) => {
                if current.as_ref().is_some_and(fits) {
                    return current;
                }
                let ours =
                    word == "default" || words.next().is_some_and(|name| name.eq_ignore_ascii_case(host));
                current = ours.then(Machine::default);
            }
            ("login", Some(machine)) => machine.login = words.next(),
            ("password", Some(machine)) => machine.password = words.next().map(SecretString::from),
            ("login" | "password" | "account", _) => {
                words.next();
            }
            _ => {}
        }
    }
    current.filter(fits)
}

/// The words of the file, quotes and backslashes undone, without comments and macros.
fn words(text: &str) -> impl Iterator<Item = String> {
    let mut all = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let words = words_of(line);
        let end = words.iter().position(|word| word == "macdef");
        in_macro = end.is_some();
        all.extend(words.into_iter().take(end.unwrap_or(usize::MAX)));
    }
    all.into_iter()
}

fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = line.trim_start().chars().peekable();
    while letters.peek().is_some_and(|&letter| letter != '#') {
        let quoted = letters.next_if_eq(&'"').is_some();
        let mut word = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted => break,
                '\\' => word.extend(letters.next()),
                _ if !quoted && letter.is_whitespace() => break,
                _ => word.push(letter),
            }
        }
        words.push(word);
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    }
    words
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const TEXT: &str = "# mine\nmachine one login alice password \"a b\\\"c\"\n\
                        machine two\n\tlogin bob\n\tpassword two#words\nmacdef init\nmachine evil login x\n\n\
                        machine one login carol password second\ndefault login anonymous password me@here\n";

    fn found(host: &str, user: Option<&str>) -> (Option<String>, Option<String>) {
        let machine = search(TEXT, host, user).unwrap_or_default();
        (machine.login, machine.password.map(|word| word.expose_secret().to_owned()))
    }

    #[test]
    fn the_entry_of_the_host_and_the_user_is_found() {
        let of = |login: &str, word: &str| (Some(login.to_owned()), Some(word.to_owned()));
        assert_eq!(found("one", None), of("alice", "a b\"c"));
        assert_eq!(found("ONE", Some("carol")), of("carol", "second"));
        assert_eq!(found("two", Some("bob")), of("bob", "two#words"));
        assert_eq!(found("elsewhere", None), of("anonymous", "me@here"));
    }

    #[test]
    fn nobody_gets_the_password_of_somebody_else() {
        assert_eq!(found("one", Some("mallory")), (None, None));
        assert_eq!(found("evil", Some("x")), (None, None));
    }
}
