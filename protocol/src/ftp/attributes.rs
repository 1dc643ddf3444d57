//! The facts that MFF sets (draft-somers-ftp-mfxx §7): `modify` and `UNIX.mode`.
//!
//! They are written as MLST writes them. Setting them is not known here.

use jiff::Timestamp;

use crate::ftp::{ParseError, Verb, facts::Fact};
use crate::time;

/// What MFF changes of a file; at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `modify`: when it was modified.
    pub modified: Option<Timestamp>,
    /// `UNIX.mode`: permission bits, 0o777 at the most.
    pub mode: Option<u32>,
}

impl Attributes {
    /// Reads `modify=20020717210715;UNIX.mode=0644;`. A fact that can't be set is `Unsupported`.
    pub(crate) fn parse(text: &[u8]) -> Result<Attributes, ParseError> {
        const INVALID: ParseError = ParseError::Invalid(Verb::Mff);
        let facts = text.strip_suffix(b";").ok_or(INVALID)?;
        let mut attributes = Attributes::default();
        for fact in facts.split(|&byte| byte == b';') {
            let (name, value) = fact.split_at(memchr::memchr(b'=', fact).ok_or(INVALID)?);
            let value = value.get(1..).unwrap_or_default();
            match Fact::from_name(name) {
                Some(Fact::Modify) => attributes.modified = Some(time::parse(value).ok_or(INVALID)?),
                Some(Fact::UnixMode) => attributes.mode = Some(permission_bits(value).ok_or(INVALID)?),
                _ => return Err(ParseError::Unsupported(Verb::Mff)),
            }
        }
        Ok(attributes)
    }

    /// Writes the facts as MFF's argument and its 213 have them.
    pub fn write_to(self, out: &mut Vec<u8>) {
        if let Some(modified) = self.modified {
            out.extend_from_slice(b"Modify=");
            time::write(out, modified);
            out.push(b';');
        }
        if let Some(mode) = self.mode {
            out.extend_from_slice(format!("UNIX.mode={mode:04o};").as_bytes());
        }
    }
}

/// Octal permission bits. Those above 0o777 (set-user-id and its like) are nothing for a client to set.
pub(crate) fn permission_bits(text: &[u8]) -> Option<u32> {
    let octal = matches!(text.len(), 1..=4) && text.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let mode = text.iter().fold(0, |mode, digit| mode << 3 | u32::from(digit & 7));
    (octal && mode <= 0o777).then_some(mode)
}
