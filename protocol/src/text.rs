//! Line ends of ASCII transfers (RFC 959 §3.1.1.1): LF in a file, CR LF on the
//! wire, converted both ways however the bytes are cut into buffers.
//!
//! Nothing but line ends is changed: any other byte passes as it is. Files and
//! connections are not known here.

use memchr::memchr;

/// From a file to the wire: LF becomes CR LF; a CR LF that is already there stays one.
#[derive(Debug, Clone, Copy, Default)]
pub struct ToWire {
    after_cr: bool,
}

impl ToWire {
    /// Converts the next bytes of a file, appending them to `out`, which grows
    /// to twice their number at the most.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        out.reserve(input.len());
        let mut rest = input;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            out.extend_from_slice(line);
            if line.last().map_or(self.after_cr, |&byte| byte == b'\r') {
                out.push(b'\n');
            } else {
                out.extend_from_slice(b"\r\n");
            }
            self.after_cr = false;
            rest = after.get(1..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
        self.after_cr = rest.last().map_or(self.after_cr, |&byte| byte == b'\r');
    }
}

/// From the wire to a file: CR LF becomes LF; a CR before anything else stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct FromWire {
    /// A CR was the last byte; what follows decides whether it stays.
    after_cr: bool,
}

impl FromWire {
    /// Converts the next bytes from the wire, appending them to `out`.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let Some(&first) = input.first() else { return };
        out.reserve(input.len() + 1);
        if self.after_cr && first != b'\n' {
            out.push(b'\r');
        }
        let (whole, after_cr) = match input.strip_suffix(b"\r") {
            Some(whole) => (whole, true),
            None => (input, false),
        };
        self.after_cr = after_cr;
        let mut rest = whole;
        while let Some(at) = memchr(b'\r', rest) {
            let (line, after) = rest.split_at(at);
            out.extend_from_slice(line);
            let after = after.get(1..).unwrap_or_default();
            if !after.starts_with(b"\n") {
                out.push(b'\r');
            }
            rest = after;
        }
        out.extend_from_slice(rest);
    }

    /// The transfer is over: a CR that nothing followed is written.
    pub fn finish(self, out: &mut Vec<u8>) {
        if self.after_cr {
            out.push(b'\r');
        }
    }
}
