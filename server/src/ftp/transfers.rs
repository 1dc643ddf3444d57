//! The commands that move bytes: RETR, STOR, APPE, STOU, LIST, NLST, MLSD. Each finds out
//! whether it can be done, and only then is the data connection taken.

use wharfinger_protocol::ftp::{Code, Reply};

use super::listing::{self, Letters};
use super::running::Running;
use super::session::{Session, Span};
use super::{Answer, Link, replies};
use crate::channel::Direction;
use crate::conversation::Step;
use crate::files::{FilesError, UploadIntent};
use crate::path::VirtualPath;
use crate::storage::{Listing, Start, StorageError};
use crate::transfer::{PrintEntry, Record, RecordKind, Transfer, Work};

/// RETR.
pub(super) async fn retrieve(session: &mut Session, link: &Link, argument: &[u8], span: Span) -> Answer {
    if let Err(refusal) = image_only(session, span) {
        return refusal.into();
    }
    let (file, metadata, path) = match session.files.open_read(argument).await {
        Ok(opened) => opened,
        Err(error) => return replies::refused(&error, Code::FILE_UNAVAILABLE).into(),
    };
    let (from, to) = match span {
        Span::All => (0, metadata.size),
        Span::From(offset) if offset > metadata.size => {
            let error = FilesError::Storage(StorageError::RestartBeyondEnd);
            return replies::refused(&error, Code::FILE_UNAVAILABLE).into();
        }
        Span::From(offset) => (offset, metadata.size),
        // What lies behind the end is not there to be sent (draft-bryan-ftp-range §4.3).
        Span::Within(first, last) => (first.min(metadata.size), last.saturating_add(1).min(metadata.size)),
    };
    let work = Work::Retrieve { file, from, to, representation: session.representation };
    let opening = format!("Sending {} bytes.", to - from).into_bytes();
    start(session, link, work, RecordKind::Download, path, opening)
}

/// STOR, after REST too.
pub(super) async fn store(session: &mut Session, link: &Link, argument: &[u8], span: Span) -> Answer {
    upload(session, link, argument, (Start::Beginning, span), Code::NAME_NOT_ALLOWED).await
}

/// APPE; after REST it is STOR from there (RFC 3659 §5.3 allows both).
pub(super) async fn append(session: &mut Session, link: &Link, argument: &[u8], span: Span) -> Answer {
    upload(session, link, argument, (Start::End, span), Code::FILE_UNAVAILABLE).await
}

/// STOU.
pub(super) async fn store_unique(session: &mut Session, link: &Link, proposed: Option<&[u8]>) -> Answer {
    match session.files.unique_upload(proposed, session.representation.is_image()).await {
        Ok(intent) => {
            let name = intent.path().name().to_vec();
            let opening = [b"FILE: ", name.as_slice()].concat();
            receive(session, link, intent, opening, Some(name))
        }
        Err(error) => replies::refused(&error, Code::NAME_NOT_ALLOWED).into(),
    }
}

/// LIST, of a directory or of one file.
pub(super) async fn list(session: &mut Session, link: &Link, argument: Option<&[u8]>) -> Answer {
    list_with(session, link, argument, listing::long()).await
}

/// NLST.
pub(super) async fn names(session: &mut Session, link: &Link, argument: Option<&[u8]>) -> Answer {
    list_with(session, link, argument, listing::names()).await
}

/// MLSD: of a directory only (RFC 3659 §7.1).
pub(super) async fn machine_list(session: &mut Session, link: &Link, argument: Option<&[u8]>) -> Answer {
    match session.files.list(argument).await {
        Ok((stream, path)) => {
            let letters = Letters::at(&session.user().permissions, &path);
            let print = listing::machine(session.facts, letters);
            send_list(session, link, stream, path, print)
        }
        Err(error @ FilesError::Storage(StorageError::NotADirectory)) => {
            replies::refused(&error, Code::BAD_ARGUMENT).into()
        }
        Err(error) => replies::refused(&error, Code::FILE_UNAVAILABLE).into(),
    }
}

/// Byte offsets mean nothing in a file that is changed on the way (RFC 3659 §5.2).
fn image_only(session: &Session, span: Span) -> Result<(), Reply> {
    if span != Span::All && !session.representation.is_image() {
        Err(Reply::new(Code::BAD_ARGUMENT, "REST and RANG need TYPE I and STRU F: elsewhere offsets change."))
    } else {
        Ok(())
    }
}

/// Begins where REST said, else where the command does by itself. RANG would put bytes into the
/// midst of a file; but an upload here is a new version, whole or not at all.
async fn upload(
    session: &mut Session,
    link: &Link,
    argument: &[u8],
    (start, span): (Start, Span),
    no: Code,
) -> Answer {
    if let Err(refusal) = image_only(session, span) {
        return refusal.into();
    }
    let offset = match span {
        Span::All => start,
        Span::From(offset) => Start::At(offset),
        Span::Within(..) => {
            return Reply::new(
                Code::PAGE_TYPE_UNKNOWN,
                "RANG is for RETR and HASH; REST is for uploads too.",
            )
            .into();
        }
    };
    match session.files.upload(argument, offset, session.representation.is_image()).await {
        Ok(intent) => receive(session, link, intent, b"Ready for the file.".to_vec(), None),
        Err(error) => replies::refused(&error, no).into(),
    }
}

fn receive(
    session: &mut Session,
    link: &Link,
    intent: UploadIntent,
    opening: Vec<u8>,
    unique: Option<Vec<u8>>,
) -> Answer {
    let path = intent.path().clone();
    let work = Work::Store {
        intent,
        representation: session.representation,
        tolerate_truncation: link.settings.config.tls.tolerate_missing_close_notify,
    };
    let answer = start(session, link, work, RecordKind::Upload, path, opening);
    if session.running.is_some() {
        session.running = Some(Running::Transfer { unique });
    }
    answer
}

async fn list_with(session: &mut Session, link: &Link, argument: Option<&[u8]>, print: PrintEntry) -> Answer {
    match session.files.list_or_file(argument).await {
        Ok((Some(stream), path, _)) => send_list(session, link, stream, path, print),
        Ok((None, path, metadata)) => {
            // The client knows the entry by the words it used.
            let name = argument.unwrap_or(path.name());
            send_list(session, link, listing::single(name, metadata), path.clone(), print)
        }
        Err(error) => replies::refused(&error, Code::BUSY).into(),
    }
}

fn send_list(
    session: &mut Session,
    link: &Link,
    listing: Listing,
    path: VirtualPath,
    print: PrintEntry,
) -> Answer {
    let packing = session.representation.packing();
    start(
        session,
        link,
        Work::List { listing, print, packing },
        RecordKind::List,
        path,
        b"Here comes the list.".to_vec(),
    )
}

fn start(
    session: &mut Session,
    link: &Link,
    work: Work,
    kind: RecordKind,
    path: VirtualPath,
    opening: Vec<u8>,
) -> Answer {
    let direction = if kind == RecordKind::Upload { Direction::FromClient } else { Direction::ToClient };
    let plan = match session.channel.plan(link, direction) {
        Ok(plan) => plan,
        Err(refusal) => return refusal.into(),
    };
    session.running = Some(Running::Transfer { unique: None });
    let record = Record::new(&session.files, kind, path);
    let opening = super::wire(&Reply::new(Code::OPENING_DATA, opening));
    Answer::Step(Step::Transfer(opening, Transfer { work, plan, record }.job()))
}
