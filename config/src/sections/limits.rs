//! Bounds on sessions, logins and time.

use serde::{Deserialize, Serialize};

/// `[limits]`: bounds on sessions, logins and time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most control connections at once.
    pub max_sessions: u32,
    /// Most control connections at once from one address.
    pub max_sessions_per_address: u32,
    /// Failed logins from one address within `ban_seconds` before it is refused.
    pub login_failures: u32,
    /// Failed logins in one session before it is closed.
    pub login_failures_per_session: u32,
    /// How long an address is refused, seconds.
    pub ban_seconds: u64,
    /// How long a connection may take to log in, seconds.
    pub login_seconds: u64,
    /// How long a logged-in session may be silent, seconds.
    pub idle_seconds: u64,
    /// How long a data connection may take to come about, seconds.
    pub data_seconds: u64,
    /// How long a transfer may move no byte, seconds.
    pub stalled_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_sessions: 10_000,
            max_sessions_per_address: 200,
            login_failures: 10,
            login_failures_per_session: 3,
            ban_seconds: 300,
            login_seconds: 60,
            idle_seconds: 300,
            data_seconds: 30,
            stalled_seconds: 120,
        }
    }
}
