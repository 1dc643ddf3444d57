//! What all handlers share: the accounts, the tokens, the throttle.

use std::sync::Arc;

use wharfinger_accounts::Accounts;

use crate::metrics::Metrics;
use crate::query::Cursors;
use crate::throttle::{RequestRate, Throttle};
use crate::token_key::TokenKey;
use crate::tokens::Tokens;

/// The API's state; a clone is the same service.
#[derive(Clone)]
pub struct Service {
    pub(crate) accounts: Accounts,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) cursors: Cursors,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) rate: Arc<RequestRate>,
    pub(crate) metrics: Metrics,
}

impl Service {
    /// A service over these accounts.
    pub fn new(accounts: Accounts, key: &TokenKey, settings: &wharfinger_config::Admin) -> Self {
        Self {
            accounts,
            tokens: Arc::new(Tokens::new(key, settings.token_seconds)),
            cursors: Cursors::new(key),
            throttle: Arc::new(Throttle::new()),
            rate: Arc::new(RequestRate::new(settings.requests_per_second)),
            metrics: Metrics::new(),
        }
    }
}
