//! What the admin API needs of the file system: the store, the key of its tokens, its certificate.

use std::path::Path;

use wharfinger_config::Config;
use wharfinger_config::program::Reach;

/// What an API with this configuration needs.
pub(crate) fn reach(config: &Config) -> Reach {
    let (reach, key) = (wharfinger_accounts::reach(config), config.token_key());
    let reach = if key.exists() {
        reach.files([key])
    } else {
        // One is made.
        reach.writes(key.parent().unwrap_or(Path::new("/")), 0o700)
    };
    reach.files([config.admin.certificate.clone(), config.admin.key.clone()])
}
