//! Patterns of names: `*` is any number of characters, `?` is any one, and every other byte is
//! itself.
//!
//! Whoever writes the pattern may have chosen the names too, a hundred thousand of them. So a name is
//! read once, whatever the pattern: every place in the pattern that may have been reached is a bit
//! of one number (the Shift-And of Baeza-Yates and Gonnet), and nothing is ever tried again.

use std::ops::{BitAnd, BitOr};

/// A pattern of the names in a directory.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// For each byte: the places that it leads on from.
    literals: Box<[Places]>,
    /// The places that any character leads on from: `?` stands there.
    any: Places,
    /// The places behind those, where the rest of that character passes.
    behind_any: Places,
    /// The places that any byte leaves as they are: `*` stands there.
    stars: Places,
    end: usize,
}

impl Pattern {
    /// What stands between the stars, in bytes; no file system has longer names.
    const LONGEST: usize = 255;

    /// Reads a pattern; none if the text is a plain name, or too long to match any.
    pub fn parse(text: &[u8]) -> Option<Pattern> {
        let plain = memchr::memchr2(b'*', b'?', text).is_none();
        let end = text.iter().filter(|&&byte| byte != b'*').count();
        if plain || end > Self::LONGEST {
            return None;
        }
        let mut pattern = Pattern {
            literals: vec![Places::default(); 256].into_boxed_slice(),
            any: Places::default(),
            behind_any: Places::default(),
            stars: Places::default(),
            end,
        };
        let mut place = 0;
        for &byte in text {
            match byte {
                b'*' => {
                    pattern.stars = pattern.stars.with(place);
                    continue;
                }
                b'?' => {
                    pattern.any = pattern.any.with(place);
                    pattern.behind_any = pattern.behind_any.with(place + 1);
                }
                _ => {
                    if let Some(literal) = pattern.literals.get_mut(usize::from(byte)) {
                        *literal = literal.with(place);
                    }
                }
            }
            place += 1;
        }
        Some(pattern)
    }

    /// Whether this is such a name. A character is one of UTF-8, or a byte in what is none.
    pub fn matches(&self, name: &[u8]) -> bool {
        let utf8 = str::from_utf8(name).is_ok();
        let mut reached = Places::default().with(0);
        for &byte in name {
            let literal = self.literals.get(usize::from(byte)).copied().unwrap_or_default();
            let within_character = utf8 && (0x80..0xC0).contains(&byte);
            let (onward, staying) = if within_character {
                (literal, self.stars | self.behind_any)
            } else {
                (literal | self.any, self.stars)
            };
            reached = (reached & onward).next() | (reached & staying);
        }
        reached.contains(self.end)
    }
}

/// A set of places in a pattern, 0 to 255.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Places([u128; 2]);

impl Places {
    fn with(self, place: usize) -> Places {
        let Places([low, high]) = self;
        if place < 128 { Places([low | 1 << place, high]) } else { Places([low, high | 1 << (place - 128)]) }
    }

    fn contains(self, place: usize) -> bool {
        self & Places::default().with(place) != Places::default()
    }

    /// Each place's next one.
    fn next(self) -> Places {
        let Places([low, high]) = self;
        Places([low << 1, high << 1 | low >> 127])
    }
}

impl BitAnd for Places {
    type Output = Places;

    fn bitand(self, other: Places) -> Places {
        let (Places([low, high]), Places([other_low, other_high])) = (self, other);
        Places([low & other_low, high & other_high])
    }
}

impl BitOr for Places {
    type Output = Places;

    fn bitor(self, other: Places) -> Places {
        let (Places([low, high]), Places([other_low, other_high])) = (self, other);
        Places([low | other_low, high | other_high])
    }
}
