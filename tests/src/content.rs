//! What the tests move: bytes that look random, are the same each time, and leave no holes in a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::tools;

/// This many bytes; another seed gives other bytes.
pub fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut all = Vec::with_capacity(size + 8);
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while all.len() < size {
        state = next(state);
        all.extend_from_slice(&state.to_le_bytes());
    }
    all.truncate(size);
    all
}

/// A file of this many bytes (a multiple of 1 MiB), written in pieces.
pub fn file(path: &Path, size: u64, seed: u64) {
    let mut piece = bytes(1 << 20, seed);
    let mut file = BufWriter::new(File::create(path).unwrap());
    for number in 0..size >> 20 {
        // One number in each disk block, so that a piece in the wrong place is noticed.
        for block in piece.chunks_mut(4096) {
            block[..8].copy_from_slice(&number.to_le_bytes());
        }
        file.write_all(&piece).unwrap();
    }
    file.flush().unwrap();
}

/// The SHA-256 digest of a file, hexadecimal.
pub fn digest(path: &Path) -> String {
    let printed = tools::run("sha256sum", &[path.to_str().unwrap()]).succeeded();
    printed.split_whitespace().next().unwrap().to_owned()
}

/// Xorshift (Marsaglia 2003): enough to defeat compression and sparse files.
fn next(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    state
}
