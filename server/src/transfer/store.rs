//! From the client to the file: collected in large buffers, written at their offset; what is long
//! and needs no change on the way goes through a pipe. A write into the page cache is made on this
//! thread; once one has taken long (the kernel makes writers wait while the disk is behind) the
//! next ones go through a thread that may block (`disk.rs`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::buffer::{self, Buffer};
use super::disk::Disk;
use super::pipe::Pipe;
use super::representation::{Decoder, Representation};
use super::unpacker::Unpacker;
use super::{Meter, TransferError};
use crate::data::DataConnection;
use crate::files::OpenUpload;
use crate::rates::Turns;
use crate::storage::StorageError;

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
    let sink = Sink { at: upload.start(), disk: Disk::default(), needs_buffers: false, upload };
    let mut inlet = Inlet {
        unpacker: representation.deflate.then(Unpacker::new),
        text: Text { decoder: representation.decoder(), decoded: Vec::new(), sink },
    };
    let mut buffer = Buffer::take();
    loop {
        let (received, pause) = source.fill(&mut buffer).await;
        inlet.take(buffer.get(..received).unwrap_or_default()).await?;
        // A buffer that is full is a sign of more to come.
        let pause = match pause {
            Pause::Full => inlet.pipe(&mut source, &mut buffer).await?,
            pause => pause,
        };
        match pause {
            Pause::Full => {}
            Pause::Revised => inlet.reconsider().await?,
            Pause::End(Ok(())) => return inlet.finish().await,
            Pause::End(failed) => return failed,
        }
    }
}

/// Why receiving paused.
enum Pause {
    /// The buffer is full.
    Full,
    /// What the user may store may be less than it was.
    Revised,
    /// The stream ended, like this.
    End(Result<(), TransferError>),
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

    /// Lets the rest go through a pipe, if nothing speaks against it or as long as nothing does.
    async fn pipe(&mut self, source: &mut Source<'_>, buffer: &mut [u8]) -> Result<Pause, TransferError> {
        let (None, None, DataConnection::Plain(stream)) = (&self.unpacker, &self.text.decoder, &*source.data)
        else {
            return Ok(Pause::Full);
        };
        let sink = &mut self.text.sink;
        if sink.needs_buffers || sink.disk.is_behind() {
            return Ok(Pause::Full);
        }
        let Some(pipe) = Pipe::open() else { return Ok(Pause::Full) };
        while !sink.needs_buffers && !sink.disk.is_behind() {
            let turn = source.turns.next(buffer::SIZE).await;
            let filled = tokio::select! {
                biased;
                filled = pipe.fill(stream, turn) => filled,
                () = source.meter.revised() => return Ok(Pause::Revised),
            };
            match filled {
                Ok(0) => return Ok(Pause::End(Ok(()))),
                Ok(count) => {
                    source.meter.add(count);
                    source.turns.used(count);
                    sink.take(&pipe, count, buffer).await?;
                }
                Err(error) => return Ok(Pause::End(Err(TransferError::Broken(error)))),
            }
        }
        Ok(Pause::Full)
    }

    /// Whether what was written may still be there.
    async fn reconsider(&self) -> Result<(), TransferError> {
        Ok(self.text.sink.upload.reconsider().await?)
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
    /// Fills the buffer; says how far, and why no further. However slow or silent the client is, a
    /// revision is heard.
    async fn fill(&mut self, buffer: &mut [u8]) -> (usize, Pause) {
        let Self { data, turns, meter, tolerate_truncation } = self;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let read = async {
                let turn = turns.next(rest.len()).await;
                data.read(rest.get_mut(..turn).unwrap_or_default()).await
            };
            let read = tokio::select! {
                biased;
                read = read => read,
                () = meter.revised() => return (filled, Pause::Revised),
            };
            match read {
                Ok(0) => return (filled, Pause::End(Ok(()))),
                Ok(read) => {
                    meter.add(read);
                    turns.used(read);
                    filled += read;
                }
                // rustls says so where a peer closed without `close_notify`.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let end = if *tolerate_truncation { Ok(()) } else { Err(TransferError::Truncated) };
                    return (filled, Pause::End(end));
                }
                Err(error) => return (filled, Pause::End(Err(TransferError::Broken(error)))),
            }
        }
        (filled, Pause::Full)
    }
}

/// Where the bytes go.
struct Sink<'a> {
    upload: &'a mut OpenUpload,
    at: u64,
    disk: Disk,
    /// The file system takes nothing from a pipe.
    needs_buffers: bool,
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

    /// The same of what a pipe holds.
    async fn take(&mut self, pipe: &Pipe, count: usize, buffer: &mut [u8]) -> Result<(), StorageError> {
        let allowed = self.upload.allow(count as u64).await?;
        let within = count.min(usize::try_from(allowed).unwrap_or(usize::MAX));
        self.splice(pipe, within, buffer).await.inspect_err(|_| self.take_stock(within))?;
        if within < count { Err(StorageError::OverQuota) } else { Ok(()) }
    }

    async fn splice(&mut self, pipe: &Pipe, count: usize, buffer: &mut [u8]) -> Result<(), StorageError> {
        let begun = Instant::now();
        match pipe.pour(self.upload.file(), self.at, count) {
            Ok(()) => {
                self.at += count as u64;
                self.disk.took(begun.elapsed());
                Ok(())
            }
            Err(Errno::INVAL) => {
                self.needs_buffers = true;
                let read = pipe.read(buffer.get_mut(..count).unwrap_or_default());
                let read = read.map_err(StorageError::Failed)?;
                self.put(buffer.get(..read).unwrap_or_default()).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A write has failed, and nobody says how far it came.
    fn take_stock(&self, allowed: usize) {
        let size = self.upload.file().metadata().map_or(self.at, |metadata| metadata.len());
        let written = size.saturating_sub(self.at);
        self.upload.unused((allowed as u64).saturating_sub(written));
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let took = if self.disk.is_behind() {
            let file = self.upload.file().try_clone().map_err(StorageError::Failed)?;
            let (owned, at) = (bytes.to_vec(), self.at);
            let write = tokio::task::spawn_blocking(move || write(&file, &owned, at));
            write.await.map_err(io::Error::from).flatten()
        } else {
            write(self.upload.file(), bytes, self.at)
        };
        self.disk.took(took.map_err(StorageError::from)?);
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// How long it took.
fn write(file: &File, bytes: &[u8], at: u64) -> io::Result<Duration> {
    let begun = Instant::now();
    file.write_all_at(bytes, at)?;
    Ok(begun.elapsed())
}
