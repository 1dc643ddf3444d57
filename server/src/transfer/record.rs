//! What is recorded of a transfer: whose it is, how far it has come, and in the end one line in
//! the log and one record in the audit trail, also where it is broken off by dropping it.

use std::sync::Arc;
use std::time::Instant;

use rustls::HandshakeKind;
use wharfinger_accounts::{Act, Action, Client, Direction, User};

use super::{Meter, TransferError};
use crate::files::Files;
use crate::login::Visitor;
use crate::metrics::{DataBinding, Ended};
use crate::path::VirtualPath;
use crate::rates::{Flow, Turns, UserRates};
use crate::registry::Underway;

/// One transfer: for the log and the audit trail, for who looks at the session, and for who decides
/// if it may go on.
pub(crate) struct Record {
    visitor: Visitor,
    moving: Arc<Moving>,
    needs: Needs,
    rates: Arc<UserRates>,
    ended: bool,
}

/// What is moved, as others see it.
struct Moving {
    kind: RecordKind,
    path: VirtualPath,
    meter: Arc<Meter>,
    begun: Instant,
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

/// What the user must be allowed for a transfer to go on.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Of the user who was allowed all of it.
    pub(crate) version: u64,
    actions: Vec<(VirtualPath, Action)>,
}

impl Needs {
    pub(crate) fn are_met_by(&self, user: &User) -> bool {
        self.actions.iter().all(|(path, action)| user.permissions.allows(path.as_bytes(), *action))
    }
}

impl Record {
    pub(crate) fn new(files: &Files, kind: RecordKind, path: VirtualPath) -> Self {
        // The user whom the path was permitted to, who may be another version by now.
        let (visitor, version) = (files.visitor().clone(), files.user().version);
        let needs = Needs { version, actions: vec![(path.clone(), kind.action())] };
        let moving = Arc::new(Moving { kind, path, meter: Arc::default(), begun: Instant::now() });
        let underway: Arc<dyn Underway> = moving.clone();
        visitor.live().note(|doing| doing.transfer = Some(underway));
        let rates = visitor.live().rates().unwrap_or_default();
        Self { visitor, moving, needs, rates, ended: false }
    }

    /// It takes this too.
    #[must_use]
    pub(crate) fn needing(mut self, path: &VirtualPath, actions: &[Action]) -> Self {
        self.needs.actions.extend(actions.iter().map(|action| (path.clone(), *action)));
        self
    }

    pub(super) fn needs(&mut self) -> Needs {
        std::mem::take(&mut self.needs)
    }

    /// At the pace of the user's transfers.
    pub(super) fn turns(&self) -> Turns {
        self.rates.turns(if self.moving.kind == RecordKind::Upload { Flow::Upload } else { Flow::Download })
    }

    /// How the data connection's handshake went, where there was one.
    pub(super) fn shook_hands(&self, handshake: Option<HandshakeKind>) {
        self.visitor.metrics().checked(DataBinding::Accepted(handshake));
        if let Some(handshake) = handshake {
            self.visitor.live().note(|doing| doing.data_bound = Some(handshake == HandshakeKind::Resumed));
        }
    }

    /// The data connection did not show that it is this session's.
    pub(super) fn not_bound(&self) {
        self.visitor.metrics().checked(DataBinding::Refused);
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.moving.meter
    }

    /// The transfer came to its end, good or bad.
    pub(super) fn end<T>(mut self, result: &Result<T, TransferError>) {
        self.ended = true;
        match result {
            Ok(_) => self.write("complete", Ended::Complete),
            Err(error) => self.write(&error.to_string(), Ended::Failed),
        }
    }

    fn write(&self, result: &str, ended: Ended) {
        self.log(result);
        let Moving { kind, meter, begun, .. } = &*self.moving;
        self.visitor.metrics().transferred(kind.name(), ended, meter.bytes(), begun.elapsed());
        let (path, bytes, result) = (&self.moving.path, self.meter().bytes(), result.to_owned());
        let act: fn(Client, String, u64, String) -> Act = match self.moving.kind {
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
        let Moving { kind, path, meter, begun } = &*self.moving;
        let (direction, bytes) = (kind.name(), meter.bytes());
        let seconds = begun.elapsed().as_secs_f64();
        let Client { address: client, session } = self.visitor.client();
        let user = self.visitor.user();
        if *kind == RecordKind::List {
            tracing::debug!(%client, session, %user, %path, direction, bytes, seconds, result, "transfer");
        } else {
            tracing::info!(%client, session, %user, %path, direction, bytes, seconds, result, "transfer");
        }
    }
}

impl Underway for Moving {
    fn direction(&self) -> Direction {
        match self.kind {
            RecordKind::Download => Direction::Download,
            RecordKind::Upload => Direction::Upload,
            RecordKind::List => Direction::List,
            RecordKind::Copy => Direction::Copy,
            RecordKind::Digest => Direction::Digest,
        }
    }

    fn path(&self) -> String {
        String::from_utf8_lossy(self.path.as_bytes()).into_owned()
    }

    fn bytes(&self) -> u64 {
        self.meter.bytes()
    }

    fn begun(&self) -> Instant {
        self.begun
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.visitor.live().note(|doing| doing.transfer = None);
        if !self.ended {
            self.write("aborted", Ended::Aborted);
        }
    }
}

impl RecordKind {
    /// What it takes at its path.
    const fn action(self) -> Action {
        match self {
            Self::Download | Self::Digest => Action::Download,
            Self::Upload | Self::Copy => Action::Upload,
            Self::List => Action::List,
        }
    }

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
