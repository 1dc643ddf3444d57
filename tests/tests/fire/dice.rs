//! Chance that can be repeated: one seed, and everything said and sent follows from it.

use std::time::{SystemTime, UNIX_EPOCH};

use wharfinger_tests::content;

/// What `tests/run` says, each time.
const USUAL: u64 = 959;

/// The seed of this run: the one that is asked for, another each time where it runs for long.
pub(crate) fn seed() -> u64 {
    if let Ok(seed) = std::env::var("WHARFINGER_FIRE_SEED") {
        return seed.parse().expect("WHARFINGER_FIRE_SEED is a number");
    }
    if std::env::var_os("WHARFINGER_SOAK_SECONDS").is_none() {
        return USUAL;
    }
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// `SplitMix64` (Steele, Lea, Flood 2014): every seed is a good one.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, player: u64) -> Dice {
        Dice(seed.wrapping_mul(1_000_003).wrapping_add(player))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// Less than `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A size as files have them: mostly small, none at all sometimes, seldom large.
    pub(crate) fn size(&mut self) -> usize {
        match self.below(10) {
            0 => 0,
            1..7 => self.below(3_000),
            7..9 => self.below(70_000),
            _ => self.below(400_000),
        }
    }

    pub(crate) fn bytes(&mut self, size: usize) -> Vec<u8> {
        content::bytes(size, self.next())
    }

    /// Lines of text with LF at their ends, about this many bytes.
    pub(crate) fn text(&mut self, size: usize) -> Vec<u8> {
        let mut text: Vec<u8> = self.bytes(size).iter().map(|byte| b' ' + byte % 90).collect();
        for (at, byte) in text.iter_mut().enumerate() {
            if at % 61 == 60 {
                *byte = b'\n';
            }
        }
        text
    }

    /// A line that nobody would send, without an end and without a byte that Telnet takes for its own.
    pub(crate) fn rubbish(&mut self) -> Vec<u8> {
        let size = match self.below(8) {
            0 => 4_000 + self.below(9_000),
            1..4 => self.below(400),
            _ => self.below(20),
        };
        let mut line = self.bytes(size);
        line.retain(|byte| !matches!(byte, b'\n' | 0xff));
        line
    }

    /// The line with some of its bytes changed, doubled, cut or made up.
    pub(crate) fn damaged(&mut self, line: &str) -> Vec<u8> {
        let mut line = line.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(line.len() + 1);
            let byte = *self.pick(b"\0\t\r\n \x7f\x80\xc3\xf4\xff\"*?/\\|,;=0");
            match self.below(5) {
                0 => line.insert(at, byte),
                1 => line.truncate(at),
                2 if at < line.len() => line[at] = byte,
                3 if at < line.len() => line[at] ^= 1 << self.below(8),
                _ => line.extend_from_within(at..),
            }
        }
        line
    }
}
