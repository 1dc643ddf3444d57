//! The reader of control lines: the same lines however the bytes are cut, none too long.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_fuzz::in_pieces;
use wharfinger_protocol::line::{LONGEST_LINE, Lines};

fuzz_target!(|bytes: &[u8]| {
    let (whole, pieces) = in_pieces(bytes);
    assert_eq!(read(pieces), read([whole].into_iter()));
});

/// The lines; none for one that is too long.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
    let (mut lines, mut buffer, mut read) = (Lines::default(), Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Some(line) = lines.next(&mut buffer) {
            let line = line.ok().map(<[u8]>::to_vec);
            assert!(line.iter().all(|line| line.len() < LONGEST_LINE && !line.contains(&b'\n')));
            read.push(line);
        }
        assert!(buffer.len() <= LONGEST_LINE, "more is held than a line");
    }
    read
}
