//! HASH (draft-bryan-ftpext-hash) and its older kin. They read the file as RETR does, and so need
//! the same permission.

use std::ops::Range;

use wharfinger_protocol::digest::Algorithm;
use wharfinger_protocol::ftp::digest::Portion;
use wharfinger_protocol::ftp::{Code, Command, Reply};

use super::running::{DigestStyle, Running};
use super::session::Session;
use super::{Answer, Link, replies};
use crate::conversation::Step;
use crate::transfer::{Digest, Record, RecordKind};

/// One line a command.
pub(super) async fn answer(session: &mut Session, link: &Link, command: Command) -> Answer {
    let (algorithm, portion) = match command {
        Command::Hash(path) => return hash(session, link, path).await,
        Command::Xcrc(portion) => (Algorithm::Crc32, portion),
        Command::Xmd5(portion) => (Algorithm::Md5, portion),
        Command::Xsha1(portion) => (Algorithm::Sha1, portion),
        Command::Xsha256(portion) => (Algorithm::Sha256, portion),
        Command::Xsha512(portion) => (Algorithm::Sha512, portion),
        other => return replies::not_implemented(other.verb()).into(),
    };
    check(session, link, algorithm, &portion, |_| DigestStyle::Bare).await
}

async fn hash(session: &mut Session, link: &Link, path: Vec<u8>) -> Answer {
    let portion = Portion { path, start: 0, end: None };
    let algorithm = session.algorithm;
    let path = portion.path.clone();
    check(session, link, algorithm, &portion, |range| DigestStyle::Hash { algorithm, range, path }).await
}

async fn check(
    session: &mut Session,
    link: &Link,
    algorithm: Algorithm,
    portion: &Portion,
    style: impl FnOnce(Range<u64>) -> DigestStyle,
) -> Answer {
    let (file, metadata, path) = match session.files.open_read(&portion.path).await {
        Ok(opened) => opened,
        Err(error) => return replies::refused(&error, Code::FILE_UNAVAILABLE).into(),
    };
    let range = portion.start..portion.end.unwrap_or(metadata.size);
    if range.start > range.end || range.end > metadata.size {
        return Reply::new(Code::BAD_ARGUMENT, "The file is shorter.").into();
    }
    session.running = Some(Running::Digest(style(range.clone())));
    let record = Record::new(session.files.visitor(), RecordKind::Digest, path);
    let labour = link.services.labour.clone();
    Answer::Step(Step::Work(Digest { file, range, algorithm, labour, record }.job()))
}
