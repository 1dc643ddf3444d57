//! LIST, RETR and STOR. Each finds out whether it can be done, and only then is a port opened and
//! told to the client.

use std::net::{IpAddr, SocketAddr};

use wharfinger_protocol::mftp::listing::{Kind, write_line};
use wharfinger_protocol::mftp::{Answer, Code};

use super::session::Session;
use super::{Turn, answers, wire};
use crate::channel::Direction;
use crate::conversation::Step;
use crate::link::Link;
use crate::path::VirtualPath;
use crate::storage::{self, Entry, Start};
use crate::transfer::{Record, RecordKind, Representation, Transfer, Work};

/// LIST, of the working directory.
pub(super) async fn list(session: &mut Session, link: &Link) -> Turn {
    match session.files.list(None).await {
        Ok((listing, path)) => {
            let work = Work::List { listing, print: Box::new(print), packing: None };
            start(session, link, work, RecordKind::List, path).await
        }
        Err(error) => answers::refused(&error, Code::READ_FAILED).into(),
    }
}

/// RETR.
pub(super) async fn retrieve(session: &mut Session, link: &Link, argument: &[u8]) -> Turn {
    match session.files.open_read(argument).await {
        Ok((file, metadata, path)) => {
            let work =
                Work::Retrieve { file, from: 0, to: metadata.size, representation: Representation::IMAGE };
            start(session, link, work, RecordKind::Download, path).await
        }
        Err(error) => answers::refused(&error, Code::READ_FAILED).into(),
    }
}

/// STOR. There is no way to go on with an aborted upload, so nothing is kept of it.
pub(super) async fn store(session: &mut Session, link: &Link, argument: &[u8]) -> Turn {
    match session.files.upload(argument, Start::Beginning, false).await {
        Ok(intent) => {
            let path = intent.path().clone();
            let work = Work::Store {
                intent,
                representation: Representation::IMAGE,
                tolerate_truncation: link.settings.config.tls.tolerate_missing_close_notify,
            };
            start(session, link, work, RecordKind::Upload, path).await
        }
        Err(error) => answers::refused(&error, Code::WRITE_FAILED).into(),
    }
}

async fn start(session: &mut Session, link: &Link, work: Work, kind: RecordKind, path: VirtualPath) -> Turn {
    let direction = if kind == RecordKind::Upload { Direction::FromClient } else { Direction::ToClient };
    let host = advertised(link).await;
    let agreed = session.channel.listen(link);
    let agreed = agreed.and_then(|address| Ok((address.port(), session.channel.plan(link, direction)?)));
    let (port, plan) = match agreed {
        Ok(agreed) => agreed,
        Err(refusal) => return answers::no_channel(refusal).into(),
    };
    session.moving = kind;
    let record = Record::new(&session.files, kind, path);
    let opening = Answer::opening(SocketAddr::new(host, port));
    Turn::Step(Step::Transfer(wire(&opening), Transfer { work, plan, record }.job()))
}

/// What PASV would tell; over IPv6 the address the client has reached.
async fn advertised(link: &Link) -> IpAddr {
    let local = link.local.ip();
    link.settings.public_address.advertised(local, link.client.ip()).await.map_or(local, IpAddr::V4)
}

fn print(lines: &mut Vec<u8>, entry: &Entry<'_>) {
    let kind = match entry.metadata.kind {
        storage::Kind::File => Kind::File,
        storage::Kind::Directory => Kind::Directory,
        storage::Kind::Other => Kind::Other,
    };
    write_line(lines, kind, entry.name);
}
