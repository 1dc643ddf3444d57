//! The key that signs tokens: read from its file, or made at the first start.
//! The file holds 64 hexadecimal digits or more, so at least 256 bits, and is its owner's alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretBox};
use wharfinger_config::Config;

/// Key material of at least 256 bits.
pub struct TokenKey(SecretBox<Vec<u8>>);

/// Why there is no key to sign tokens with.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The file can't be read or made.
    #[error("the token key {path} can't be used: {source}")]
    File {
        /// Where the key is or should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{path} is no token key: it must hold at least 64 hexadecimal digits (`openssl rand -hex 32` makes \
         some); without the file, one is made at the next start"
    )]
    Content {
        /// The file.
        path: PathBuf,
    },
}

const BYTES: usize = 32;

impl TokenKey {
    /// Reads the key; makes one, with mode 0600, if there is no such file.
    pub fn read_or_make(path: &Path) -> Result<Self, TokenKeyError> {
        if !path.exists() {
            make(path).map_err(|source| TokenKeyError::File { path: path.to_owned(), source })?;
        }
        Self::read(path)
    }

    /// What can be said of the configured key without starting; one still to be made can't be
    /// wrong.
    pub fn check(config: &Config) -> Result<(), TokenKeyError> {
        let path = config.token_key();
        if path.exists() { Self::read(&path).map(drop) } else { Ok(()) }
    }

    fn read(path: &Path) -> Result<Self, TokenKeyError> {
        let file = |source| TokenKeyError::File { path: path.to_owned(), source };
        let text = match fs::read_to_string(path) {
            // Bytes that aren't UTF-8 are no hexadecimal digits either.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
            other => other.map_err(file)?,
        };
        let mode = fs::metadata(path).map_err(file)?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "the token key can be read by others; make it mode 0600");
        }
        Self::parse(&text).ok_or_else(|| TokenKeyError::Content { path: path.to_owned() })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = from_hex(text.trim())?;
        (bytes.len() >= BYTES).then(|| Self(SecretBox::new(Box::new(bytes))))
    }
}

/// Writes a fresh key beside the file and links it into place: of two programs that start at
/// once, the second finds the first one's key, and neither reads half of one.
fn make(path: &Path) -> io::Result<()> {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(directory) = directory {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = write_new(&draft, &to_hex(&random)).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    fs::remove_file(&draft)?;
    written
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// Lower-case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).flatten().collect()
}

/// The bytes that hexadecimal digits stand for.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin/token.key");
        let made = TokenKey::read_or_make(&path).unwrap();
        let again = TokenKey::read_or_make(&path).unwrap();
        assert_eq!(made.bytes(), again.bytes());
        assert_eq!(made.bytes().len(), 32);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_short_or_foreign_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token.key");
        for text in [&b""[..], b"secret", &[b'a'; 62], &[b'a'; 65], &[b'g'; 64], &[0xff; 64]] {
            fs::write(&path, text).unwrap();
            let refused = TokenKey::read_or_make(&path).err().unwrap();
            assert!(matches!(refused, TokenKeyError::Content { .. }), "{refused}");
        }
    }

    #[test]
    fn a_key_that_can_not_be_read_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        let refused = TokenKey::read_or_make(directory.path()).err().unwrap();
        assert!(refused.to_string().contains(&directory.path().display().to_string()));
    }

    #[test]
    fn hexadecimal_digits_go_both_ways() {
        assert_eq!(from_hex(&to_hex(&[0, 15, 16, 255])), Some(vec![0, 15, 16, 255]));
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex("é0"), None);
    }
}
