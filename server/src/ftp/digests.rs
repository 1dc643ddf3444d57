//! HASH (draft-bryan-ftpext-hash) and its older kin. They read the file as RETR does, and so need
//! the same permission.

use std::ops::Range;

use wharfinger_protocol::digest::Algorithm;
use wharfinger_protocol::ftp::{Code, Command, Reply};

use super::running::{DigestStyle, Running};
use super::session::{Session, Span};
use super::{Answer, Link, replies};
use crate::conversation::Step;
use crate::transfer::{Digest, Record, RecordKind};

/// One line a command.
pub(super) async fn answer(session: &mut Session, link: &Link, command: Command) -> Answer {
    let (algorithm, portion) = match command {
        Command::Xcrc(portion) => (Algorithm::Crc32, portion),
        Command::Xmd5(portion) => (Algorithm::Md5, portion),
        Command::Xsha1(portion) => (Algorithm::Sha1, portion),
        Command::Xsha256(portion) => (Algorithm::Sha256, portion),
        Command::Xsha512(portion) => (Algorithm::Sha512, portion),
        other => return replies::not_implemented(other.verb()).into(),
    };
    let within =
        |size: u64| Some(portion.start..portion.end.unwrap_or(size)).filter(|range| range.end <= size);
    check(session, link, algorithm, &portion.path, within, |_| DigestStyle::Bare).await
}

/// HASH, of all of the file or of what RANG has named. The range may end behind the file, as it may
/// for RETR; but its reply has no way to say that nothing of the file is in it.
pub(super) async fn hash(session: &mut Session, link: &Link, path: Vec<u8>, span: Span) -> Answer {
    let algorithm = session.algorithm;
    let within = |size: u64| match span {
        Span::Within(first, last) => Some(first..size.min(last.saturating_add(1))).filter(|_| first < size),
        Span::All | Span::From(_) => Some(0..size),
    };
    let shown = path.clone();
    let style = |range| DigestStyle::Hash { algorithm, range, path: shown };
    check(session, link, algorithm, &path, within, style).await
}

async fn check(
    session: &mut Session,
    link: &Link,
    algorithm: Algorithm,
    path: &[u8],
    within: impl FnOnce(u64) -> Option<Range<u64>>,
    style: impl FnOnce(Range<u64>) -> DigestStyle,
) -> Answer {
    let (file, metadata, path) = match session.files.open_read(path).await {
        Ok(opened) => opened,
        Err(error) => return replies::refused(&error, Code::FILE_UNAVAILABLE).into(),
    };
    let Some(range) = within(metadata.size).filter(|range| range.start <= range.end) else {
        return Reply::new(Code::BAD_ARGUMENT, "The file is shorter.").into();
    };
    session.running = Some(Running::Digest(style(range.clone())));
    let record = Record::new(&session.files, RecordKind::Digest, path);
    let labour = link.services.labour.clone();
    Answer::Step(Step::Work(Digest { file, range, algorithm, labour, record }.job()))
}
