//! A digest of a file, or of a part of it, computed in slices beside the command line. Which
//! algorithm is which crate's is known here and nowhere else.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use sha2::digest::DynDigest;
use wharfinger_protocol::digest::Algorithm;

use super::labour::{Labour, SLICE};
use super::{Done, Job, Meter, Outcome, Record, TransferError, buffer};
use crate::storage::StorageError;

/// One file to be checked.
pub(crate) struct Digest {
    pub(crate) file: File,
    /// Within the file.
    pub(crate) range: Range<u64>,
    pub(crate) algorithm: Algorithm,
    pub(crate) labour: Labour,
    pub(crate) record: Record,
}

impl Digest {
    pub(crate) fn job(mut self) -> Job {
        Job {
            meter: self.record.meter().clone(),
            patience: Duration::ZERO,
            needs: self.record.needs(),
            run: Box::pin(async move {
                let state = State { file: self.file, rest: self.range, hasher: Hasher::new(self.algorithm) };
                let result = run(state, &self.labour, self.record.meter()).await;
                self.record.end(&result);
                Outcome { result: result.map(Done::Digest), handshake: None }
            }),
        }
    }
}

async fn run(mut state: State, labour: &Labour, meter: &Meter) -> Result<Vec<u8>, TransferError> {
    while !state.rest.is_empty() {
        let before = state.rest.start;
        state = labour.slice(move || state.slice()).await??;
        meter.add(usize::try_from(state.rest.start - before).unwrap_or(usize::MAX));
    }
    Ok(state.hasher.finish())
}

/// What goes from slice to slice.
struct State {
    file: File,
    rest: Range<u64>,
    hasher: Hasher,
}

impl State {
    fn slice(mut self) -> Result<Self, StorageError> {
        let mut scratch = vec![0; buffer::SIZE];
        let end = self.rest.end.min(self.rest.start.saturating_add(SLICE));
        while self.rest.start < end {
            let most = usize::try_from(end - self.rest.start).unwrap_or(usize::MAX).min(scratch.len());
            let part = scratch.get_mut(..most).unwrap_or_default();
            let read = match self.file.read_at(part, self.rest.start) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                let shorter = "the file became shorter while it was read";
                return Err(StorageError::Failed(io::Error::new(io::ErrorKind::UnexpectedEof, shorter)));
            }
            self.hasher.update(part.get(..read).unwrap_or_default());
            self.rest.start += read as u64;
        }
        Ok(self)
    }
}

enum Hasher {
    Cryptographic(Box<dyn DynDigest + Send>),
    Crc32(crc32fast::Hasher),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Cryptographic(Box::<sha2::Sha256>::default()),
            Algorithm::Sha512 => Self::Cryptographic(Box::<sha2::Sha512>::default()),
            Algorithm::Sha1 => Self::Cryptographic(Box::<sha1::Sha1>::default()),
            Algorithm::Md5 => Self::Cryptographic(Box::<md5::Md5>::default()),
            Algorithm::Crc32 => Self::Crc32(crc32fast::Hasher::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Cryptographic(hasher) => hasher.update(bytes),
            Self::Crc32(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Cryptographic(hasher) => hasher.finalize().into_vec(),
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the standards: FIPS 180's and RFC 1321's for "abc", the CRC catalogue's
    /// for "123456789".
    #[test]
    fn each_algorithm_gives_its_standard_s_own_example() {
        for (algorithm, input, digest) in [
            (Algorithm::Sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Algorithm::Sha512,
                "abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            (Algorithm::Sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Crc32, "123456789", "cbf43926"),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(input.as_bytes());
            let hex: Vec<String> = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex.concat(), digest, "{algorithm:?}");
        }
    }

    #[tokio::test]
    async fn a_digest_is_of_the_range_and_of_all_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let body: Vec<u8> = (0..10_000_000_u32).map(|number| (number % 251) as u8).collect();
        std::fs::write(&path, &body).unwrap();
        for range in [0..10_000_000_u64, 0..0, 5..5, 1..9_999_999, 4_194_304..4_194_305] {
            let file = File::open(&path).unwrap();
            let state = State { file, rest: range.clone(), hasher: Hasher::new(Algorithm::Crc32) };
            let found = run(state, &Labour::new(), &Meter::default()).await.unwrap();
            let part = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            assert_eq!(found, crc32fast::hash(&body[part]).to_be_bytes(), "{range:?}");
        }
        let file = File::open(&path).unwrap();
        let state = State { file, rest: 0..10_000_001, hasher: Hasher::new(Algorithm::Crc32) };
        assert!(run(state, &Labour::new(), &Meter::default()).await.is_err(), "the file is shorter");
    }
}
