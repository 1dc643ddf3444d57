//! The shell's commands: names, what they take, and what help says of them.

use crate::failure::Failure;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    List,
    ChangeDirectory,
    ChangeLocalDirectory,
    PrintDirectory,
    Get,
    Put,
    GetMany,
    PutMany,
    Delete,
    MakeDirectory,
    RemoveDirectory,
    Rename,
    ChangeMode,
    Size,
    Print,
    Mirror,
    Site,
    Quote,
    Passive,
    Active,
    Status,
    Help,
    Quit,
}

/// A line of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) command: Command,
    pub(super) arguments: &'static str,
    pub(super) meaning: &'static str,
    /// How many arguments it takes.
    pub(super) count: (usize, usize),
}

const MANY: usize = usize::MAX;

macro_rules! rows {
    ($($name:literal $command:ident $least:literal $most:expr, $arguments:literal, $meaning:literal;)*) => {
        /// Every command, in the order of help.
        pub(super) const ROWS: &[Row] = &[$(Row {
            name: $name,
            command: Command::$command,
            arguments: $arguments,
            meaning: $meaning,
            count: ($least, $most),
        },)*];
    };
}

rows! {
    "ls" List 0 1, "[PATH]", "list a directory";
    "cd" ChangeDirectory 1 1, "DIRECTORY", "go to a directory on the server";
    "lcd" ChangeLocalDirectory 0 1, "[DIRECTORY]", "go to a directory here";
    "pwd" PrintDirectory 0 0, "", "the directories on the server and here";
    "get" Get 1 2, "FILE [LOCAL]", "download a file";
    "put" Put 1 2, "LOCAL [FILE]", "upload a file";
    "mget" GetMany 1 MANY, "PATTERN...", "download what matches * and ?";
    "mput" PutMany 1 MANY, "PATTERN...", "upload what matches * and ?";
    "delete" Delete 1 1, "FILE", "remove a file";
    "mkdir" MakeDirectory 1 1, "DIRECTORY", "make a directory";
    "rmdir" RemoveDirectory 1 1, "DIRECTORY", "remove an empty directory";
    "rename" Rename 2 2, "FROM TO", "give another name";
    "chmod" ChangeMode 2 2, "MODE FILE", "set permissions, as in chmod 640 FILE";
    "size" Size 1 1, "FILE", "a file's size in bytes";
    "cat" Print 1 1, "FILE", "print a file";
    "mirror" Mirror 1 3, "[-R] SOURCE [TARGET]", "download a directory with all below it; -R uploads";
    "site" Site 1 MANY, "WORDS...", "say SITE and these words to the server";
    "quote" Quote 1 MANY, "WORDS...", "say these words to the server";
    "passive" Passive 0 0, "", "connect to the server for data";
    "active" Active 0 0, "", "have the server connect to here for data";
    "status" Status 0 0, "", "what is known of the connection";
    "help" Help 0 1, "[COMMAND]", "this list";
    "quit" Quit 0 0, "", "leave";
}

/// Other words for the same.
const ALIASES: &[(&str, &str)] =
    &[("dir", "ls"), ("rm", "delete"), ("del", "delete"), ("bye", "quit"), ("exit", "quit"), ("?", "help")];

/// The command with this name.
pub(super) fn find(name: &str) -> Result<&'static Row, Failure> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    ROWS.iter()
        .find(|row| row.name == name)
        .ok_or_else(|| Failure::Usage(format!("there is no command '{name}'; help lists them all")))
}

/// What help prints.
pub(super) fn help(rows: &[Row]) -> String {
    let line = |row: &Row| [row.name, row.arguments].join(" ");
    let lines: Vec<String> = rows.iter().map(|row| format!("{:<32} {}", line(row), row.meaning)).collect();
    lines.join("\n") + "\n"
}
