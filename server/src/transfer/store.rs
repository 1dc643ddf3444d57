//! From the client to the file: collected in large buffers, written at their offset. A write
//! into the page cache is made on this thread; once one has taken long (the kernel makes
//! writers wait while the disk is behind) the rest goes through a thread that may block.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::representation::{Decoder, Representation};
use super::{Meter, TransferError};
use crate::data::DataConnection;
use crate::storage::{PendingUpload, StorageError};

/// A write into the page cache that took this long wasn't only that.
const SLOW: Duration = Duration::from_millis(20);

/// Writes all that comes until the client's end of file.
///
/// What has come before a failure is written too, so that the upload can be resumed there.
pub(super) async fn receive(
    data: &mut DataConnection,
    upload: &dyn PendingUpload,
    representation: Representation,
    tolerate_truncation: bool,
    meter: &Meter,
) -> Result<(), TransferError> {
    let file = upload.file().try_clone().map_err(StorageError::Failed)?;
    let mut sink = Sink { file: Arc::new(file), at: upload.start(), slow: false };
    let mut decoder = representation.decoder();
    let mut decoded = Vec::new();
    let mut buffer = Buffer::take();
    loop {
        let (received, end) = fill(data, &mut buffer, meter, tolerate_truncation).await;
        let bytes = buffer.get(..received).unwrap_or_default();
        if let Some(decoder) = &mut decoder {
            decoded.clear();
            let sound = decoder.push(bytes, &mut decoded);
            sink.write(&decoded).await?;
            sound?;
        } else {
            sink.write(bytes).await?;
        }
        match end {
            None => {}
            Some(Ok(())) => return finish(decoder, &mut sink).await,
            Some(failed) => return failed,
        }
    }
}

/// Writes what the decoder still holds, and finds out whether the file is whole.
async fn finish(decoder: Option<Decoder>, sink: &mut Sink) -> Result<(), TransferError> {
    let Some(decoder) = decoder else { return Ok(()) };
    let mut rest = Vec::new();
    decoder.finish(&mut rest)?;
    Ok(sink.write(&rest).await?)
}

/// Fills the buffer; says how far, and how the stream ended if it did.
async fn fill(
    data: &mut DataConnection,
    buffer: &mut [u8],
    meter: &Meter,
    tolerate_truncation: bool,
) -> (usize, Option<Result<(), TransferError>>) {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match data.read(rest).await {
            Ok(0) => return (filled, Some(Ok(()))),
            Ok(read) => {
                meter.add(read);
                filled += read;
            }
            // rustls says so where a peer closed without `close_notify`.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let end = if tolerate_truncation { Ok(()) } else { Err(TransferError::Truncated) };
                return (filled, Some(end));
            }
            Err(error) => return (filled, Some(Err(TransferError::Broken(error)))),
        }
    }
    (filled, None)
}

/// Where the bytes go.
struct Sink {
    file: Arc<File>,
    at: u64,
    slow: bool,
}

impl Sink {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.slow {
            let (file, owned, at) = (Arc::clone(&self.file), bytes.to_vec(), self.at);
            let write = tokio::task::spawn_blocking(move || file.write_all_at(&owned, at));
            write.await.map_err(io::Error::from).flatten().map_err(StorageError::from)?;
        } else {
            let begun = Instant::now();
            self.file.write_all_at(bytes, self.at).map_err(StorageError::from)?;
            self.slow = begun.elapsed() > SLOW;
        }
        self.at += bytes.len() as u64;
        Ok(())
    }
}
