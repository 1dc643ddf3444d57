//! What is recorded of a transfer: whose it is, how far it has come, and in the end one line in
//! the log and one record in the audit trail, also where it is broken off by dropping it.

use std::sync::Arc;
use std::time::Instant;

use wharfinger_accounts::{Act, Client};

use super::{Meter, TransferError};
use crate::login::Visitor;
use crate::path::VirtualPath;

/// One transfer, for the log and the audit trail.
pub(crate) struct Record {
    visitor: Visitor,
    kind: RecordKind,
    path: VirtualPath,
    meter: Arc<Meter>,
    begun: Instant,
    ended: bool,
}

/// What a transfer moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Download,
    Upload,
    List,
    Copy,
    Digest,
}

impl Record {
    pub(crate) fn new(visitor: &Visitor, kind: RecordKind, path: VirtualPath) -> Self {
        Self {
            visitor: visitor.clone(),
            kind,
            path,
            meter: Arc::default(),
            begun: Instant::now(),
            ended: false,
        }
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The transfer came to its end, good or bad.
    pub(super) fn end<T>(mut self, result: &Result<T, TransferError>) {
        self.ended = true;
        match result {
            Ok(_) => self.write("complete"),
            Err(error) => self.write(&error.to_string()),
        }
    }

    fn write(&self, result: &str) {
        self.log(result);
        let (path, bytes, result) = (&self.path, self.meter.bytes(), result.to_owned());
        let act: fn(Client, String, u64, String) -> Act = match self.kind {
            RecordKind::Download => {
                |client, path, bytes, result| Act::Download { client, path, bytes, result }
            }
            RecordKind::Upload => |client, path, bytes, result| Act::Upload { client, path, bytes, result },
            RecordKind::Copy => |client, path, bytes, result| Act::Copy { client, path, bytes, result },
            RecordKind::List | RecordKind::Digest => return,
        };
        self.visitor.note(|client| act(client, path.to_string(), bytes, result));
    }

    fn log(&self, result: &str) {
        let (direction, bytes) = (self.kind.name(), self.meter.bytes());
        let seconds = self.begun.elapsed().as_secs_f64();
        let Client { address: client, session } = self.visitor.client();
        let (user, path) = (self.visitor.user(), &self.path);
        if self.kind == RecordKind::List {
            tracing::debug!(%client, session, %user, %path, direction, bytes, seconds, result, "transfer");
        } else {
            tracing::info!(%client, session, %user, %path, direction, bytes, seconds, result, "transfer");
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.ended {
            self.write("aborted");
        }
    }
}

impl RecordKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
            Self::List => "list",
            Self::Copy => "copy",
            Self::Digest => "digest",
        }
    }
}
