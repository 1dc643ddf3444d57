//! A pipe between a socket and a file, so that the bytes of a long upload never leave the kernel
//! (splice(2)).

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::buffer;

/// What a pipe should hold: what is written at once.
const SIZE: usize = buffer::SIZE;

/// An empty pipe, and how much it takes.
pub(super) struct Pipe {
    outlet: OwnedFd,
    inlet: OwnedFd,
    size: usize,
}

impl Pipe {
    /// None where the system is out of descriptors: there are other ways.
    pub(super) fn open() -> Option<Self> {
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        // A user who has many pipes open may make none larger.
        let size = fcntl_setpipe_size(&inlet, SIZE).or_else(|_| fcntl_getpipe_size(&inlet)).ok()?;
        Some(Self { outlet, inlet, size })
    }

    /// Takes what has come, this much at the most; 0 is the end. Cancel-safe. For an empty pipe.
    pub(super) async fn fill(&self, stream: &TcpStream, most: usize) -> io::Result<usize> {
        let most = most.min(self.size);
        let fill = || splice(stream, None, &self.inlet, None, most, SpliceFlags::NONBLOCK);
        stream.async_io(Interest::READABLE, || Ok(fill()?)).await
    }

    /// Writes so much of what is held. A file system that can't do this has taken nothing
    /// ([`Errno::INVAL`]).
    pub(super) fn pour(&self, file: &File, mut at: u64, count: usize) -> Result<(), Errno> {
        let end = at + count as u64;
        while at < end {
            let left = usize::try_from(end - at).unwrap_or(usize::MAX);
            match splice(&self.outlet, None, file, Some(&mut at), left, SpliceFlags::empty()) {
                // The pipe holds `count` bytes, so this is a file that takes none.
                Ok(0) => return Err(Errno::IO),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what is held out again.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(&self.outlet, &mut *buffer))?)
    }
}
