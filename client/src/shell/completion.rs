//! The Tab key: commands, names on the server, names here.

use std::{cell::RefCell, rc::Rc};

use rustyline::{
    Context, Helper,
    completion::{Completer, FilenameCompleter, Pair},
    highlight::Highlighter,
    hint::Hinter,
    validate::Validator,
};

use crate::{
    remote::{Entry, Kind},
    words::{escaped, split},
};

use super::{
    session::Session,
    table::{Command, ROWS, find},
};

/// Completes lines; it may ask the server for that.
pub(super) struct Completion<'a> {
    session: Rc<RefCell<Session<'a>>>,
    files: FilenameCompleter,
    /// The last list and the directory it is of: one press of Tab follows another.
    list: RefCell<Option<(String, Vec<Entry>)>>,
}

impl<'a> Completion<'a> {
    pub(super) fn new(session: Rc<RefCell<Session<'a>>>) -> Completion<'a> {
        Completion { session, files: FilenameCompleter::new(), list: RefCell::new(None) }
    }

    fn remote_names(&self, word: &str) -> Vec<Pair> {
        let (directory, begin) = match word.rfind('/') {
            Some(slash) => word.split_at(slash + 1),
            None => ("", word),
        };
        let mut list = self.list.borrow_mut();
        if list.as_ref().is_none_or(|(known, _)| known != directory) {
            let entries =
                self.session.borrow_mut().remote().and_then(|remote| remote.list(directory.as_bytes()));
            // A directory that can't be listed has no names to offer.
            *list = Some((directory.to_owned(), entries.unwrap_or_default()));
        }
        let entries = list.iter().flat_map(|(_, entries)| entries);
        let names = entries.filter_map(|entry| Some((str::from_utf8(&entry.name).ok()?, entry.kind)));
        names
            .filter(|(name, _)| name.starts_with(begin) && !name.chars().any(char::is_control))
            .map(|(name, kind)| {
                let slash = if kind == Kind::Directory { "/" } else { "" };
                Pair {
                    display: format!("{name}{slash}"),
                    replacement: escaped(&format!("{directory}{name}")) + slash,
                }
            })
            .collect()
    }
}

impl Completer for Completion<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..at).unwrap_or(line);
        let begin = begin_of_last_word(typed);
        let earlier = split(typed.get(..begin).unwrap_or_default());
        let word = split(typed.get(begin..).unwrap_or_default()).pop().unwrap_or_default();
        let Some(name) = earlier.first() else {
            self.list.replace(None);
            let names = ROWS.iter().map(|row| row.name).filter(|name| name.starts_with(&word));
            return Ok((begin, names.map(|name| pair(name, &format!("{name} "))).collect()));
        };
        let upwards = earlier.get(1).is_some_and(|word| word == "-R");
        match find(name).map(|row| row.command) {
            Ok(Command::ChangeLocalDirectory | Command::PutMany) => self.files.complete(line, at, context),
            Ok(Command::Put) if earlier.len() == 1 => self.files.complete(line, at, context),
            Ok(Command::Get) if earlier.len() == 2 => self.files.complete(line, at, context),
            Ok(Command::Mirror) if upwards == (earlier.len() == 2) => self.files.complete(line, at, context),
            Ok(Command::Help) => Ok((
                begin,
                ROWS.iter()
                    .filter(|row| row.name.starts_with(&word))
                    .map(|row| pair(row.name, row.name))
                    .collect(),
            )),
            _ => Ok((begin, self.remote_names(&word))),
        }
    }
}

fn pair(display: &str, replacement: &str) -> Pair {
    Pair { display: display.to_owned(), replacement: replacement.to_owned() }
}

/// Where the word under the cursor begins: behind the last space that no backslash or quote keeps.
fn begin_of_last_word(typed: &str) -> usize {
    let (mut begin, mut quote, mut behind_backslash) = (0, None, false);
    for (at, letter) in typed.char_indices() {
        match (letter, quote) {
            _ if behind_backslash => behind_backslash = false,
            ('\\', None | Some('"')) => behind_backslash = true,
            (mark, Some(open)) if mark == open => quote = None,
            (mark @ ('"' | '\''), None) => quote = Some(mark),
            (letter, None) if letter.is_whitespace() => begin = at + letter.len_utf8(),
            _ => {}
        }
    }
    begin
}

impl Helper for Completion<'_> {}
impl Highlighter for Completion<'_> {}
impl Validator for Completion<'_> {}
impl Hinter for Completion<'_> {
    type Hint = String;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_begins_behind_the_last_space_that_parts() {
        for (typed, begin) in
            [("", 0), ("ge", 0), ("get ", 4), ("get a\\ b", 4), ("get \"a b", 4), ("get a b", 6)]
        {
            assert_eq!(begin_of_last_word(typed), begin, "{typed}");
        }
    }
}
