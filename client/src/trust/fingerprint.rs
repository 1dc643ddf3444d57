//! A certificate's fingerprint, as servers print it and people compare it.

use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

/// SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads `AB:CD:…` as servers and browsers print it, with or without colons, in any case.
    pub(crate) fn parse(text: &str) -> Option<Fingerprint> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b':' | b' ')).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        is_hex.then(|| bytes?.try_into().ok().map(Fingerprint))?
    }

    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        Fingerprint(Sha256::digest(certificate).into())
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(formatter, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_printed() {
        let certificate = CertificateDer::from(b"any bytes".to_vec());
        let fingerprint = Fingerprint::of(&certificate);
        let printed = fingerprint.to_string();
        assert_eq!(printed.len(), 32 * 3 - 1);
        for text in
            [printed.clone(), printed.to_lowercase(), printed.replace(':', ""), printed.replace(':', " ")]
        {
            assert_eq!(Fingerprint::parse(&text), Some(fingerprint), "{text}");
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_not_read() {
        let printed = Fingerprint([7; 32]).to_string();
        for text in [
            "",
            "AB",
            &printed[3..],
            &format!("{printed}:00"),
            &printed.replace('7', "g"),
            &printed.replace("07", "+7"),
        ] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }
}
