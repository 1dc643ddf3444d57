//! From the file to the client: sendfile where nothing has to be changed on the way, large
//! buffers for TLS and text. Bytes in the page cache are moved on this thread; only what must
//! come from the disk first is waited for on a thread that may block.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use rustix::io::{Errno, ReadWriteFlags};
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::buffer::{self, Buffer};
use super::deflate::Outlet;
use super::representation::Representation;
use super::{Meter, PrintEntry, TransferError};
use crate::data::DataConnection;
use crate::rates::Turns;
use crate::storage::{Listing, StorageError};

/// One sendfile call.
const SLICE: u64 = 1024 * 1024;
/// From here on it is worth a system call that segments leave full.
const LONG: u64 = 256 * 1024;
/// After as many bytes the thread's other sessions have their turn.
const FAIR: u64 = 8 * 1024 * 1024;
/// A listing is sent when it has grown so far.
const LISTING: usize = 64 * 1024;
/// Entries read before other sessions have their turn.
const ENTRIES: usize = 512;

/// Sends the bytes of the range. A file that has become shorter meanwhile is an error: what was
/// promised at the start is not there.
pub(super) async fn file(
    data: &mut DataConnection,
    turns: Turns,
    file: File,
    range: Range<u64>,
    representation: Representation,
    meter: &Meter,
) -> Result<(), TransferError> {
    let source = Source { file: Arc::new(file), at: range.start, end: range.end };
    match data {
        DataConnection::Plain(stream) if representation.is_image() && !representation.deflate => {
            send_file(stream, turns, source, meter).await
        }
        _ => {
            let outlet = Outlet::new(data, turns, representation.packing());
            send_buffers(outlet, source, representation, meter).await
        }
    }
}

/// Sends a directory's lines as they are read, in bounded memory.
pub(super) async fn listing(
    data: &mut DataConnection,
    turns: Turns,
    mut listing: Listing,
    mut print: PrintEntry,
    packing: Option<u8>,
    meter: &Meter,
) -> Result<(), TransferError> {
    let mut lines = Vec::new();
    let mut outlet = Outlet::new(data, turns, packing);
    loop {
        let more = listing.fill(ENTRIES, &mut |entry| print(&mut lines, entry))?;
        if lines.len() >= LISTING || !more {
            outlet.write(&lines).await.map_err(TransferError::Broken)?;
            meter.add(lines.len());
            lines.clear();
        }
        if !more {
            return outlet.finish().await.map_err(TransferError::Broken);
        }
        tokio::task::yield_now().await;
    }
}

/// What is left to be sent of a file.
struct Source {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Source {
    fn left(&self) -> u64 {
        self.end - self.at
    }

    /// Waits until the next bytes are in the page cache, on a thread that may block.
    async fn warm(&self, bytes: u64) -> Result<(), StorageError> {
        let last = self.at + bytes.min(self.left()).saturating_sub(1);
        if !matches!(
            rustix::io::preadv2(
                &self.file,
                &mut [io::IoSliceMut::new(&mut [0])],
                last,
                ReadWriteFlags::NOWAIT
            ),
            Err(Errno::AGAIN)
        ) {
            return Ok(());
        }
        let (file, range) = (Arc::clone(&self.file), self.at..=last);
        let read = tokio::task::spawn_blocking(move || -> io::Result<()> {
            let mut scratch = vec![0; buffer::SIZE];
            let mut at = *range.start();
            while at <= *range.end() {
                match file.read_at(&mut scratch, at)? {
                    0 => break,
                    read => at += read as u64,
                }
            }
            Ok(())
        });
        read.await.map_err(io::Error::from).flatten().map_err(StorageError::Failed)
    }

    /// Fills the buffer as far as the file and the page cache allow at once.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StorageError> {
        let most = usize::try_from(self.left()).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..most) else { return Ok(0) };
        loop {
            let read = rustix::io::preadv2(
                &self.file,
                &mut [io::IoSliceMut::new(part)],
                self.at,
                ReadWriteFlags::NOWAIT,
            );
            let read = match read {
                Ok(read) => read,
                Err(Errno::AGAIN) => {
                    self.warm(most as u64).await?;
                    continue;
                }
                // File systems that can't say whether they would block.
                Err(Errno::OPNOTSUPP) => self.file.read_at(part, self.at).map_err(StorageError::Failed)?,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(StorageError::Failed(error.into())),
            };
            return if read == 0 { Err(shorter()) } else { Ok(self.advance(read)) };
        }
    }

    fn advance(&mut self, bytes: usize) -> usize {
        self.at += bytes as u64;
        bytes
    }
}

async fn send_file(
    stream: &TcpStream,
    mut turns: Turns,
    mut source: Source,
    meter: &Meter,
) -> Result<(), TransferError> {
    let mut turn = 0;
    if source.left() >= LONG {
        // Each sendfile would end in a short segment. What waits goes out with the end of the stream, or
        // after 200 ms (tcp(7)).
        SockRef::from(stream).set_tcp_cork(true).map_err(TransferError::Broken)?;
    }
    while source.left() > 0 {
        source.warm(SLICE).await?;
        let slice = usize::try_from(source.left().min(SLICE)).unwrap_or(usize::MAX);
        let slice = turns.next(slice).await;
        let mut at = source.at;
        let sent = stream
            .async_io(Interest::WRITABLE, || {
                rustix::fs::sendfile(stream, &source.file, Some(&mut at), slice).map_err(io::Error::from)
            })
            .await
            .map_err(blame)?;
        if sent == 0 {
            return Err(shorter().into());
        }
        meter.add(source.advance(sent));
        turns.used(sent);
        turn += sent as u64;
        if turn >= FAIR {
            turn = 0;
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// sendfile reports both sides' failures; only the disk's are ours.
fn blame(error: io::Error) -> TransferError {
    if error.raw_os_error() == Some(Errno::IO.raw_os_error()) {
        TransferError::Storage(StorageError::Failed(error))
    } else {
        TransferError::Broken(error)
    }
}

async fn send_buffers(
    mut outlet: Outlet<'_>,
    mut source: Source,
    representation: Representation,
    meter: &Meter,
) -> Result<(), TransferError> {
    let mut buffer = Buffer::take();
    let mut encoder = representation.encoder();
    let mut encoded = Vec::new();
    while source.left() > 0 {
        let read = source.read(&mut buffer).await?;
        let bytes = buffer.get(..read).unwrap_or_default();
        let bytes = match &mut encoder {
            Some(encoder) => {
                encoded.clear();
                encoder.push(bytes, &mut encoded);
                encoded.as_slice()
            }
            None => bytes,
        };
        outlet.write(bytes).await.map_err(TransferError::Broken)?;
        meter.add(bytes.len());
    }
    if let Some(encoder) = encoder {
        encoded.clear();
        encoder.finish(&mut encoded);
        outlet.write(&encoded).await.map_err(TransferError::Broken)?;
    }
    outlet.finish().await.map_err(TransferError::Broken)
}

fn shorter() -> StorageError {
    StorageError::Failed(io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the file became shorter while it was sent",
    ))
}
