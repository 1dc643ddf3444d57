//! Passwords: the secret bytes, the rules for a new one, and the stored hash (argon2id, PHC string).
//! Nothing in here can print a password or a hash.

use std::fmt;

use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};

pub(crate) use hasher::{HashError, HashLimits, Hasher, Which};
pub(crate) use proven::Proven;
pub use rule::PasswordRule;

mod argon2id;
mod hasher;
mod proven;
mod rule;

/// A password in clear: wiped when dropped, shown by nothing but [`Password::expose`].
#[derive(Clone)]
pub struct Password(SecretSlice<u8>);

impl Password {
    /// Takes the bytes a person or program sent; what was handed over is wiped.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        // Copied exactly, since a vector with room to spare would leave its contents behind when shrunk.
        let exact = Box::<[u8]>::from(bytes.as_slice());
        bytes.zeroize();
        Self(SecretSlice::from(exact))
    }

    /// A random one: 26 lower-case letters and digits, 130 bits, without `l`, `o`, `0` and `1`.
    pub fn generate() -> Result<Self, getrandom::Error> {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let mut random = [0_u8; 26];
        getrandom::fill(&mut random)?;
        // 32 letters divide 256, so that none is likelier than another.
        let text: Vec<u8> =
            random.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32)).copied()).collect();
        random.zeroize();
        Ok(Self::new(text))
    }

    /// The bytes, for hashing or for showing a generated password once.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A salted argon2id hash in PHC form, as stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_of_a_password_is_printed() {
        let password = Password::new("correct horse battery");
        assert_eq!(format!("{password:?}"), "Password(..)");
        assert_eq!(format!("{:?}", PasswordHash("$argon2id$secret".into())), "PasswordHash(..)");
    }

    #[test]
    fn generated_passwords_differ_and_obey_the_rules() {
        let mut seen = HashSet::new();
        for _ in 0..1_000 {
            let password = Password::generate().unwrap();
            let text = std::str::from_utf8(password.expose()).unwrap();
            assert_eq!(text.len(), 26);
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{text}");
            assert_eq!(PasswordRule::check(&password, &"alice".parse().unwrap()), Ok(()));
            assert!(seen.insert(text.to_owned()));
        }
    }
}
