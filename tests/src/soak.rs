//! How long a test goes on that finds more the longer it runs: as long as it says itself in `tests/run`,
//! and as long as one has time for under `tests/soak`.

use std::time::Duration;

/// What the test takes itself, or what `WHARFINGER_SOAK_SECONDS` says.
pub fn span(default: Duration) -> Duration {
    match std::env::var("WHARFINGER_SOAK_SECONDS") {
        Ok(seconds) => Duration::from_secs(seconds.parse().expect("WHARFINGER_SOAK_SECONDS is a number")),
        Err(_) => default,
    }
}
