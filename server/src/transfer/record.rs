//! What is recorded of a transfer: whose it is, how far it has come, and in the end one line in
//! the log, also where it is broken off by dropping it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use wharfinger_accounts::{User, Username};

use super::{Meter, TransferError};
use crate::path::VirtualPath;
use crate::registry::Live;

/// One transfer, for the log.
pub(crate) struct Record {
    session: u64,
    client: IpAddr,
    user: Username,
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
    pub(crate) fn new(live: &Live, user: &User, kind: RecordKind, path: VirtualPath) -> Self {
        Self {
            session: live.id,
            client: live.client,
            user: user.username.clone(),
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
            Ok(_) => self.log("complete"),
            Err(error) => self.log(&error.to_string()),
        }
    }

    fn log(&self, result: &str) {
        let (direction, bytes) = (self.kind.name(), self.meter.bytes());
        let seconds = self.begun.elapsed().as_secs_f64();
        let (session, client, user, path) = (self.session, &self.client, &self.user, &self.path);
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
            self.log("aborted");
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
