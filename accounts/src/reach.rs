//! What the store needs of the file system: the directory of its file, or what a connection to
//! MongoDB is made with.

use std::borrow::Cow;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use wharfinger_config::Config;
use wharfinger_config::program::Reach;

/// The options of a MongoDB URL that name files, in lower case.
const FILES: [&str; 3] = ["tlscafile", "tlscertificatekeyfile", "tlscrlfile"];

/// What whoever opens the configured store needs.
pub fn reach(config: &Config) -> Reach {
    let (reach, url) = (Reach::new(&config.data_dir), config.store_url());
    match url.strip_prefix("sqlite://") {
        // SQLite makes and removes files beside its own.
        Some(file) => reach.writes(Path::new(file).parent().unwrap_or(Path::new("/")), 0o700),
        None => reach.looks_up_names().files(files_in(&url)),
    }
}

fn files_in(url: &str) -> Vec<PathBuf> {
    let options = url.split_once('?').map_or("", |(_, options)| options).split('&');
    let named = options.filter_map(|option| option.split_once('='));
    let files = named.filter(|(name, _)| FILES.contains(&name.to_ascii_lowercase().as_str()));
    let decoded = |value: &str| match Cow::from(percent_decode_str(value)) {
        Cow::Borrowed(bytes) => bytes.to_vec(),
        Cow::Owned(bytes) => bytes,
    };
    files.map(|(_, value)| PathBuf::from(std::ffi::OsString::from_vec(decoded(value)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_a_url_names_are_found() {
        let url = "mongodb://a:b@host/db?tls=true&tlsCAFile=/etc/m/ca.pem&tlscertificatekeyfile=%2Fk%20ey";
        assert_eq!(files_in(url), [PathBuf::from("/etc/m/ca.pem"), PathBuf::from("/k ey")]);
        assert!(files_in("mongodb://host/db").is_empty());
    }
}
