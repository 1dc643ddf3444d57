//! The commands on files and directories that need no data connection: one function each, from
//! the client's words to the reply.

use wharfinger_protocol::ftp::attributes::Attributes;
use wharfinger_protocol::ftp::reply::quote_path;
use wharfinger_protocol::ftp::{Code, Command, Reply};
use wharfinger_protocol::time;

use super::session::{Session, Source};
use super::{listing, replies};
use crate::files::FilesError;
use crate::storage::{FileTime, Kind, Listing, StorageError};

/// Entries of a directory that STAT lists over the control connection; LIST has no such bound.
const STAT_ENTRIES: usize = 1000;

/// One line a command.
pub(super) async fn answer(session: &mut Session, command: Command) -> Reply {
    match command {
        Command::Cwd(path) => done(session.files.change_directory(&path).await, "Directory changed."),
        Command::Cdup => up(session).await,
        Command::Pwd => here(session),
        Command::Mkd(path) => make_directory(session, &path).await,
        Command::Rmd(path) => done(session.files.remove_directory(&path).await, "Directory removed."),
        Command::Dele(path) => done(session.files.delete(&path).await, "File deleted."),
        Command::Rnfr(path) => rename_from(session, &path).await,
        Command::Size(path) => size(session, &path).await,
        Command::Mdtm(path) => modified(session, &path).await,
        Command::Mfmt(when, path) => {
            set_attributes(session, Attributes { modified: Some(when), mode: None }, &path).await
        }
        Command::Mff(attributes, path) => set_attributes(session, attributes, &path).await,
        Command::Allo(allocation) => allocate(session, allocation.bytes).await,
        Command::Avbl(path) => available(session, path.as_deref()).await,
        Command::Mlst(path) => facts(session, path.as_deref()).await,
        Command::Stat(Some(path)) => status(session, &path).await,
        other => replies::not_implemented(other.verb()),
    }
}

/// RNTO; without RNFR right before it, 503.
pub(super) async fn rename_to(session: &mut Session, source: Option<Source>, argument: &[u8]) -> Reply {
    let Some(Source::Rename(from)) = source else {
        return Reply::new(Code::BAD_SEQUENCE, "Send RNFR first.");
    };
    match session.files.rename_to(from, argument).await {
        Ok(()) => Reply::new(Code::DONE, "Renamed."),
        Err(error) => replies::refused(&error, Code::NAME_NOT_ALLOWED),
    }
}

fn done<T>(result: Result<T, FilesError>, said: &'static str) -> Reply {
    match result {
        Ok(_) => Reply::new(Code::DONE, said),
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

/// RFC 959's table gives CDUP a 200 where CWD has a 250.
async fn up(session: &mut Session) -> Reply {
    match session.files.change_to_parent().await {
        Ok(()) => Reply::new(Code::OK, "Directory changed."),
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

fn here(session: &Session) -> Reply {
    let mut text = quote_path(session.files.working_directory().as_bytes());
    text.extend_from_slice(b" is the working directory.");
    Reply::new(Code::PATH, text)
}

async fn make_directory(session: &mut Session, argument: &[u8]) -> Reply {
    match session.files.make_directory(argument).await {
        Ok(path) => {
            let mut text = quote_path(path.as_bytes());
            text.extend_from_slice(b" made.");
            Reply::new(Code::PATH, text)
        }
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

async fn rename_from(session: &mut Session, argument: &[u8]) -> Reply {
    match session.files.rename_from(argument).await {
        Ok(from) => {
            session.source = Some(Source::Rename(from));
            Reply::new(Code::PENDING, "Now send RNTO.")
        }
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

/// SIZE (RFC 3659 §4). In TYPE A and STRU R the number would be that of the converted file, which
/// only reading all of it can tell.
async fn size(session: &Session, argument: &[u8]) -> Reply {
    if !session.representation.is_image() {
        return Reply::new(
            Code::FILE_UNAVAILABLE,
            "SIZE of text or records is unknown before they are sent; use TYPE I and STRU F.",
        );
    }
    match session.files.size(argument).await {
        Ok(bytes) => Reply::new(Code::FILE_STATUS, bytes.to_string()),
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

/// MDTM (RFC 3659 §3), in UTC.
async fn modified(session: &Session, argument: &[u8]) -> Reply {
    match session.files.metadata(argument).await {
        Ok((metadata, _)) => {
            let mut text = Vec::new();
            time::write_seconds(&mut text, metadata.modified.seconds);
            Reply::new(Code::FILE_STATUS, text)
        }
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

/// MFMT and MFF (draft-somers-ftp-mfxx §5, §7).
async fn set_attributes(session: &Session, attributes: Attributes, argument: &[u8]) -> Reply {
    match try_to_set(session, attributes, argument).await {
        Ok(()) => {
            let mut text = Vec::new();
            attributes.write_to(&mut text);
            text.push(b' ');
            text.extend_from_slice(argument);
            Reply::new(Code::FILE_STATUS, text)
        }
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

async fn try_to_set(session: &Session, attributes: Attributes, argument: &[u8]) -> Result<(), FilesError> {
    if let Some(mode) = attributes.mode {
        session.files.set_mode(argument, mode).await?;
    }
    if let Some(when) = attributes.modified {
        session.files.set_modified(argument, file_time(when)).await?;
    }
    Ok(())
}

/// Before 1970 both parts of a timestamp are negative; the file system wants nanoseconds that
/// count up.
pub(super) fn file_time(when: jiff::Timestamp) -> FileTime {
    let nanoseconds = i64::from(when.subsec_nanosecond());
    FileTime {
        seconds: when.as_second() + nanoseconds.div_euclid(1_000_000_000),
        nanoseconds: u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).unwrap_or(0),
    }
}

/// ALLO (RFC 959 §4.1.3): nothing is reserved, but it is told whether there is room. The table has no
/// code for "there is none" but that such a parameter can't be done.
async fn allocate(session: &Session, bytes: u64) -> Reply {
    match session.files.left().await {
        Ok(None) => Reply::new(Code::SUPERFLUOUS, "No need to reserve space."),
        Ok(Some(left)) if bytes <= left => Reply::new(Code::OK, format!("{left} bytes are left.")),
        Ok(Some(left)) => {
            Reply::new(Code::BAD_PARAMETER, format!("Only {left} bytes are left of your quota."))
        }
        Err(error) => replies::refused(&error, Code::BAD_PARAMETER),
    }
}

/// AVBL (draft-peterson-streamlined-ftp-command-extensions §4).
async fn available(session: &Session, argument: Option<&[u8]>) -> Reply {
    match session.files.available(argument).await {
        Ok(bytes) => Reply::new(Code::FILE_STATUS, bytes.to_string()),
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

/// MLST (RFC 3659 §7.2): three lines, the fact line between.
async fn facts(session: &Session, argument: Option<&[u8]>) -> Reply {
    match session.files.metadata(argument.unwrap_or(b".")).await {
        Ok((metadata, path)) => {
            let line = listing::fact_line(&path, &metadata, session.facts, &session.user().permissions);
            Reply::new(Code::DONE, "Facts:").line(line).line("End.")
        }
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE),
    }
}

/// STAT with a path (RFC 959 §4.1.3): LIST over the control connection, 213 for a file and 212
/// for a directory.
async fn status(session: &Session, argument: &[u8]) -> Reply {
    let (stream, metadata) = match session.files.list_or_file(Some(argument)).await {
        Ok((Some(stream), _, metadata)) => (stream, metadata),
        Ok((None, _, metadata)) => (listing::single(argument, metadata), metadata),
        Err(error) => return replies::refused(&error, Code::BUSY),
    };
    let code = if metadata.kind == Kind::Directory { Code::DIRECTORY_STATUS } else { Code::FILE_STATUS };
    match status_lines(stream).await {
        Ok((lines, more)) => {
            let reply = lines.into_iter().fold(Reply::new(code, "Status:"), Reply::line);
            reply.line(if more { "There is more; use LIST." } else { "End of status." })
        }
        Err(error) => replies::refused(&FilesError::Storage(error), Code::BUSY),
    }
}

/// As many lines as there may be, and whether there are more. Of what a pattern leaves out all is
/// looked at; other sessions have their turn meanwhile.
async fn status_lines(mut stream: Listing) -> Result<(Vec<Vec<u8>>, bool), StorageError> {
    let mut print = listing::long();
    let mut lines = Vec::new();
    let mut more = true;
    while more && lines.len() < STAT_ENTRIES {
        more = stream.fill(STAT_ENTRIES - lines.len(), &mut |entry| {
            let mut line = Vec::new();
            print(&mut line, entry);
            line.truncate(line.trim_ascii_end().len());
            lines.push(line);
        })?;
        tokio::task::yield_now().await;
    }
    Ok((lines, more))
}
