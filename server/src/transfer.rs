//! The transfer engine: opens the data connection, moves the bytes, counts them, finishes.
//! A [`Transfer`] owns all it needs and is one future beside the command line: dropping it is
//! how it is aborted. It knows no dialect; what a listing's lines look like comes with the work.

mod buffer;
mod copy;
mod deflate;
mod digest;
mod disk;
mod labour;
mod pipe;
mod record;
mod representation;
mod retrieve;
mod store;
mod unpacker;

use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::HandshakeKind;
use tokio::sync::Notify;
use wharfinger_protocol::record::RecordError;

use crate::data::{DataConnection, DataError, DataPlan};
use crate::files::UploadIntent;
use crate::rates::Turns;
use crate::storage::{Entry, Listing, StorageError};

pub(crate) use copy::Copy;
pub(crate) use digest::Digest;
pub(crate) use labour::Labour;
pub(crate) use record::{Needs, Record, RecordKind};
pub(crate) use representation::Representation;
pub(crate) use unpacker::DeflateError;

/// Work that takes its time, as one future beside the command line: dropping it aborts it.
pub(crate) struct Job {
    pub(crate) meter: Arc<Meter>,
    /// How long it may take until something moves, beyond what any stall may.
    pub(crate) patience: Duration,
    /// Without which it may not go on.
    pub(crate) needs: Needs,
    pub(crate) run: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

/// One transfer: what to move, and over what.
pub(crate) struct Transfer {
    pub(crate) work: Work,
    pub(crate) plan: DataPlan,
    pub(crate) record: Record,
}

/// What is moved. A transfer that can't be done was refused before the data connection is taken;
/// but an upload's file is made or changed only once that connection has passed its checks.
pub(crate) enum Work {
    Retrieve { file: File, from: u64, to: u64, representation: Representation },
    Store { intent: UploadIntent, representation: Representation, tolerate_truncation: bool },
    List { listing: Listing, print: PrintEntry, packing: Option<u8> },
}

/// Appends an entry's line to the buffer.
pub(crate) type PrintEntry = Box<dyn FnMut(&mut Vec<u8>, &Entry<'_>) + Send>;

/// How far a transfer is; read by STAT and by the watch for stalled transfers. And how an upload hears
/// that its user has changed, and the quota with them perhaps.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: AtomicU64,
    revised: Notify,
}

/// What was to be done is done.
#[derive(Debug)]
pub(crate) enum Done {
    /// All bytes are where they belong.
    Moved,
    /// This is the file's digest.
    Digest(Vec<u8>),
}

/// How a transfer ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<Done, TransferError>,
    pub(crate) handshake: Option<HandshakeKind>,
}

/// Why a transfer failed; whose fault decides the reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    /// No data connection came about.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The client's side of the data connection broke.
    #[error("the data connection broke: {0}")]
    Broken(std::io::Error),
    /// A TLS upload ended without `close_notify`: somebody may have cut it off.
    #[error("the upload was cut off: TLS ended without close_notify")]
    Truncated,
    /// An upload in record structure that RFC 959 §3.4.1 can't read, or that has no end.
    #[error("the upload's records: {0}")]
    Records(#[from] RecordError),
    /// An upload in MODE Z that is no zlib stream, or that has no end.
    #[error("the upload's compression: {0}")]
    Deflate(#[from] DeflateError),
    /// The user may not do this any more.
    #[error("the permission was taken away")]
    Forbidden,
    /// Nothing moved for too long.
    #[error("the transfer stalled")]
    Stalled,
    /// Our side: the file.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Meter {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The user is another version now, and may do this still.
    pub(crate) fn revise(&self) {
        self.revised.notify_one();
    }

    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Waits for the next revision.
    async fn revised(&self) {
        self.revised.notified().await;
    }
}

impl Transfer {
    pub(crate) fn job(mut self) -> Job {
        if let Work::Store { intent, .. } = &self.work {
            self.record = self.record.needing(intent.path(), intent.needs());
        }
        let (meter, patience) = (Arc::clone(self.record.meter()), self.plan.patience);
        Job { meter, patience, needs: self.record.needs(), run: Box::pin(self.run()) }
    }

    /// Runs to the end. Dropping the future closes the data connection and gives up an upload
    /// (what is kept of it is the storage's rule).
    async fn run(self) -> Outcome {
        let mut data = match self.plan.open().await {
            Ok(data) => data,
            Err(error) => {
                if matches!(error, DataError::NotBound) {
                    self.record.not_bound();
                }
                let handshake = error.handshake();
                let result = Err(error.into());
                self.record.end(&result);
                return Outcome { result: result.map(|()| Done::Moved), handshake };
            }
        };
        let handshake = data.handshake();
        self.record.shook_hands(handshake);
        let result = self.work.run(&mut data, self.record.turns(), self.record.meter()).await;
        self.record.end(&result);
        Outcome { result: result.map(|()| Done::Moved), handshake }
    }
}

impl Work {
    async fn run(self, data: &mut DataConnection, turns: Turns, meter: &Meter) -> Result<(), TransferError> {
        match self {
            Self::Retrieve { file, from, to, representation } => {
                retrieve::file(data, turns, file, from..to, representation, meter).await?;
                data.finish().await.map_err(TransferError::Broken)
            }
            Self::Store { intent, representation, tolerate_truncation } => {
                let mut upload = intent.open().await?;
                let source = store::Source { data, turns, meter, tolerate_truncation };
                store::receive(source, &mut upload, representation).await?;
                upload.finish().await?;
                // The file is whole; a client that has gone already takes nothing from that.
                if let Err(error) = data.finish().await {
                    tracing::debug!(%error, "the client closed its upload first");
                }
                Ok(())
            }
            Self::List { listing, print, packing } => {
                retrieve::listing(data, turns, listing, print, packing, meter).await?;
                data.finish().await.map_err(TransferError::Broken)
            }
        }
    }
}
