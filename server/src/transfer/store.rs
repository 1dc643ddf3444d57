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
use super::unpacker::Unpacker;
use super::{Meter, TransferError};
use crate::data::DataConnection;
use crate::files::OpenUpload;
use crate::rates::Turns;
use crate::storage::StorageError;

/// A write into the page cache that took this long wasn't only that.
const SLOW: Duration = Duration::from_millis(20);

/// Where an upload's bytes come from, and at which pace.
pub(super) struct Source<'a> {
    pub(super) data: &'a mut DataConnection,
    pub(super) turns: Turns,
    pub(super) meter: &'a Meter,
    pub(super) tolerate_truncation: bool,
}

/// Writes all that comes until the client's end of file.
///
/// What has come before a failure is written too, so that the upload can be resumed there.
pub(super) async fn receive(
    mut source: Source<'_>,
    upload: &mut OpenUpload,
    representation: Representation,
) -> Result<(), TransferError> {
    let sink = Sink { at: upload.start(), slow: None, upload };
    let mut inlet = Inlet {
        unpacker: representation.deflate.then(Unpacker::new),
        text: Text { decoder: representation.decoder(), decoded: Vec::new(), sink },
    };
    let mut buffer = Buffer::take();
    loop {
        let (received, end) = source.fill(&mut buffer).await;
        inlet.take(buffer.get(..received).unwrap_or_default()).await?;
        match end {
            None => {}
            Some(Ok(())) => return inlet.finish().await,
            Some(failed) => return failed,
        }
    }
}

/// The way of an upload's bytes: unpacked, decoded, written.
struct Inlet<'a> {
    unpacker: Option<Unpacker>,
    text: Text<'a>,
}

impl Inlet<'_> {
    async fn take(&mut self, mut bytes: &[u8]) -> Result<(), TransferError> {
        let Some(unpacker) = &mut self.unpacker else { return self.text.take(bytes).await };
        loop {
            let plain = unpacker.pull(&mut bytes)?;
            if plain.is_empty() {
                return Ok(());
            }
            self.text.take(plain).await?;
            // A little that was received can be a lot to write.
            tokio::task::yield_now().await;
        }
    }

    /// Writes what is still held, and finds out whether the file is whole.
    async fn finish(self) -> Result<(), TransferError> {
        if let Some(unpacker) = &self.unpacker {
            unpacker.finish()?;
        }
        self.text.finish().await
    }
}

/// Bytes that may be text or records, on their way to the file.
struct Text<'a> {
    decoder: Option<Decoder>,
    decoded: Vec<u8>,
    sink: Sink<'a>,
}

impl Text<'_> {
    async fn take(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        let Some(decoder) = &mut self.decoder else { return Ok(self.sink.write(bytes).await?) };
        self.decoded.clear();
        let sound = decoder.push(bytes, &mut self.decoded);
        self.sink.write(&self.decoded).await?;
        Ok(sound?)
    }

    async fn finish(mut self) -> Result<(), TransferError> {
        let Some(decoder) = self.decoder else { return Ok(()) };
        self.decoded.clear();
        decoder.finish(&mut self.decoded)?;
        Ok(self.sink.write(&self.decoded).await?)
    }
}

impl Source<'_> {
    /// Fills the buffer; says how far, and how the stream ended if it did.
    async fn fill(&mut self, buffer: &mut [u8]) -> (usize, Option<Result<(), TransferError>>) {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let turn = self.turns.next(rest.len()).await;
            match self.data.read(rest.get_mut(..turn).unwrap_or_default()).await {
                Ok(0) => return (filled, Some(Ok(()))),
                Ok(read) => {
                    self.meter.add(read);
                    self.turns.used(read);
                    filled += read;
                }
                // rustls says so where a peer closed without `close_notify`.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let end = if self.tolerate_truncation { Ok(()) } else { Err(TransferError::Truncated) };
                    return (filled, Some(end));
                }
                Err(error) => return (filled, Some(Err(TransferError::Broken(error)))),
            }
        }
        (filled, None)
    }
}

/// Where the bytes go.
struct Sink<'a> {
    upload: &'a mut OpenUpload,
    at: u64,
    /// The same file, for the thread that may block.
    slow: Option<Arc<File>>,
}

impl Sink<'_> {
    /// Where less may be written than there is, that much is: who goes on with it later has less to send.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let allowed = self.upload.allow(bytes.len() as u64).await?;
        let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
        let within = bytes.get(..allowed).unwrap_or(bytes);
        self.put(within).await.inspect_err(|_| self.take_stock(within.len()))?;
        if within.len() < bytes.len() { Err(StorageError::OverQuota) } else { Ok(()) }
    }

    /// A write has failed, and nobody says how far it came.
    fn take_stock(&self, allowed: usize) {
        let size = self.upload.file().metadata().map_or(self.at, |metadata| metadata.len());
        let written = size.saturating_sub(self.at);
        self.upload.unused((allowed as u64).saturating_sub(written));
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        if let Some(file) = &self.slow {
            let (file, owned, at) = (Arc::clone(file), bytes.to_vec(), self.at);
            let write = tokio::task::spawn_blocking(move || file.write_all_at(&owned, at));
            write.await.map_err(io::Error::from).flatten().map_err(StorageError::from)?;
        } else {
            let begun = Instant::now();
            let file = self.upload.file();
            file.write_all_at(bytes, self.at).map_err(StorageError::from)?;
            if begun.elapsed() > SLOW {
                self.slow = Some(Arc::new(file.try_clone().map_err(StorageError::Failed)?));
            }
        }
        self.at += bytes.len() as u64;
        Ok(())
    }
}
