//! What goes out in MODE Z (draft-preston-ftpext-deflate): the data connection carries one zlib
//! stream. Packing lets other sessions have their turn.

use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};

use crate::data::DataConnection;
use crate::rates::Turns;

/// Bytes packed before other sessions have their turn: about a millisecond's work.
const TURN: usize = 32 * 1024;

/// Where a download's bytes go: to the client, packed in MODE Z.
pub(super) struct Outlet<'a> {
    way: Way<'a>,
    packer: Option<Box<Packer>>,
}

/// The connection, at the user's pace.
struct Way<'a> {
    data: &'a mut DataConnection,
    turns: Turns,
}

struct Packer {
    stream: Compress,
    packed: Vec<u8>,
}

impl<'a> Outlet<'a> {
    /// `level` is zlib's, 0 to 9; none in MODE S.
    pub(super) fn new(data: &'a mut DataConnection, turns: Turns, level: Option<u8>) -> Self {
        let packer = level.map(|level| {
            let stream = Compress::new(Compression::new(u32::from(level)), true);
            Box::new(Packer { stream, packed: Vec::new() })
        });
        Self { way: Way { data, turns }, packer }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(packer) = &mut self.packer else { return self.way.write(bytes).await };
        for piece in bytes.chunks(TURN) {
            packer.push(piece, FlushCompress::None)?;
            tokio::task::yield_now().await;
        }
        packer.send(&mut self.way).await
    }

    /// Ends the zlib stream, where there is one.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        let Some(packer) = &mut self.packer else { return Ok(()) };
        packer.push(&[], FlushCompress::Finish)?;
        packer.send(&mut self.way).await
    }
}

impl Way<'_> {
    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let turn = self.turns.next(bytes.len()).await;
            let (now, later) = bytes.split_at_checked(turn).unwrap_or((bytes, &[]));
            self.data.write(now).await?;
            self.turns.used(now.len());
            bytes = later;
        }
        Ok(())
    }
}

impl Packer {
    fn push(&mut self, mut input: &[u8], flush: FlushCompress) -> io::Result<()> {
        loop {
            self.packed.reserve(TURN);
            let before = self.stream.total_in();
            let status = self.stream.compress_vec(input, &mut self.packed, flush)?;
            let taken = usize::try_from(self.stream.total_in() - before).unwrap_or(usize::MAX);
            input = input.get(taken..).unwrap_or_default();
            let room = self.packed.len() < self.packed.capacity();
            let ended = matches!(flush, FlushCompress::None) || matches!(status, Status::StreamEnd);
            if input.is_empty() && room && ended {
                return Ok(());
            }
        }
    }

    async fn send(&mut self, way: &mut Way<'_>) -> io::Result<()> {
        if !self.packed.is_empty() {
            way.write(&self.packed).await?;
            self.packed.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::unpacker::{DeflateError, Unpacker};
    use super::*;

    fn pack(bytes: &[u8], level: u8) -> Vec<u8> {
        let stream = Compress::new(Compression::new(u32::from(level)), true);
        let mut packer = Packer { stream, packed: Vec::new() };
        for piece in bytes.chunks(TURN) {
            packer.push(piece, FlushCompress::None).unwrap();
        }
        packer.push(&[], FlushCompress::Finish).unwrap();
        packer.packed
    }

    fn unpack(packed: &[u8], cut: usize) -> Result<Vec<u8>, DeflateError> {
        let (mut unpacker, mut plain) = (Unpacker::new(), Vec::new());
        for mut input in packed.chunks(cut) {
            loop {
                let piece = unpacker.pull(&mut input)?;
                if piece.is_empty() {
                    break;
                }
                assert!(piece.len() <= super::super::buffer::SIZE, "memory is bounded");
                plain.extend_from_slice(piece);
            }
        }
        unpacker.finish()?;
        Ok(plain)
    }

    #[test]
    fn what_is_packed_is_unpacked_however_it_is_cut() {
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(300_000)
        .collect();
        for body in [&b""[..], b"a", &noise, &vec![0; 3_000_000]] {
            for level in [0, 1, 6, 9] {
                let packed = pack(body, level);
                for cut in [1, 1000, usize::MAX] {
                    assert!(unpack(&packed, cut).as_deref() == Ok(body), "{} at {level}", body.len());
                }
            }
        }
    }

    #[test]
    fn what_is_not_whole_is_told_apart() {
        let packed = pack(b"content", 6);
        for length in 1..packed.len() {
            assert_eq!(unpack(&packed[..length], 7), Err(DeflateError::NoEnd), "{length}");
        }
        assert_eq!(unpack(&[&packed[..], b"x"].concat(), 1000), Err(DeflateError::AfterEnd));
        assert_eq!(unpack(&[&packed[..], b"x"].concat(), 1), Err(DeflateError::AfterEnd));
        assert_eq!(unpack(b"no stream", 1000), Err(DeflateError::Malformed));
        assert_eq!(unpack(b"", 1), Ok(Vec::new()));
    }
}
