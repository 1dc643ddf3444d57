//! Which facts of RFC 3659 §7.5 a session wants in MLST and MLSD.
//!
//! The set is OPTS MLST's argument and part of FEAT's answer; the facts
//! themselves are printed by `listing`.

/// A fact that MLST and MLSD can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// `type`: file, directory, `OS.unix=…`.
    Type,
    /// `size` in bytes.
    Size,
    /// `modify`: when it was modified, in UTC.
    Modify,
    /// `perm`: what the user may do with it.
    Perm,
    /// `unique`: the same for two names of one file.
    Unique,
    /// `UNIX.mode`: permission bits in octal.
    UnixMode,
}

impl Fact {
    /// Every fact, in the order in which they are printed.
    pub const ALL: [Fact; 6] =
        [Fact::Type, Fact::Size, Fact::Modify, Fact::Perm, Fact::Unique, Fact::UnixMode];

    /// The fact's name on the wire; its case does not matter there.
    pub const fn name(self) -> &'static str {
        match self {
            Fact::Type => "type",
            Fact::Size => "size",
            Fact::Modify => "modify",
            Fact::Perm => "perm",
            Fact::Unique => "unique",
            Fact::UnixMode => "UNIX.mode",
        }
    }

    pub(crate) fn from_name(name: &[u8]) -> Option<Fact> {
        Self::ALL.into_iter().find(|fact| fact.name().as_bytes().eq_ignore_ascii_case(name))
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of facts; the default is all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactSet(u8);

impl FactSet {
    /// No fact: MLSD then gives bare names.
    pub const NONE: FactSet = FactSet(0);

    /// The set with `fact` in it.
    #[must_use]
    pub const fn with(self, fact: Fact) -> FactSet {
        FactSet(self.0 | fact.bit())
    }

    /// Whether `fact` is in the set.
    pub const fn contains(self, fact: Fact) -> bool {
        self.0 & fact.bit() != 0
    }

    /// Reads `type;size;`, in whatever case and order; what is unknown is left
    /// out, as RFC 3659 §7.9 asks.
    pub fn parse(text: &[u8]) -> FactSet {
        text.split(|&byte| byte == b';').filter_map(Fact::from_name).fold(FactSet::NONE, FactSet::with)
    }

    /// Writes `type;size;`: OPTS MLST's argument, and what its 200 says back.
    pub fn write_to(self, out: &mut Vec<u8>) {
        for fact in Fact::ALL.into_iter().filter(|&fact| self.contains(fact)) {
            out.extend_from_slice(fact.name().as_bytes());
            out.push(b';');
        }
    }

    /// Writes FEAT's line, `MLST type*;size*;modify;…`: every fact there is,
    /// those in the set with a star (RFC 3659 §7.8).
    pub fn write_feature(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"MLST ");
        for fact in Fact::ALL {
            out.extend_from_slice(fact.name().as_bytes());
            out.extend_from_slice(if self.contains(fact) { b"*;" } else { b";" });
        }
    }
}

impl Default for FactSet {
    fn default() -> Self {
        Fact::ALL.into_iter().fold(FactSet::NONE, FactSet::with)
    }
}
