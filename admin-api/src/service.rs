//! What all handlers share: the accounts, the tokens, the throttle.

use std::sync::Arc;

use wharfinger_accounts::{Accounts, Trail};

use crate::metrics::Metrics;
use crate::query::Cursors;
use crate::throttle::{RequestRate, Throttle};
use crate::token_key::TokenKey;
use crate::tokens::Tokens;

/// The API's state; a clone is the same service.
#[derive(Clone)]
pub struct Service {
    pub(crate) accounts: Accounts,
    pub(crate) trail: Trail,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) cursors: Cursors,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) rate: Arc<RequestRate>,
    pub(crate) metrics: Metrics,
}

impl Service {
    /// A service over these accounts, whose changes are recorded in this trail.
    pub fn new(
        accounts: Accounts,
        trail: Trail,
        key: &TokenKey,
        settings: &wharfinger_config::Admin,
    ) -> Self {
        Self {
            accounts,
            trail,
            tokens: Arc::new(Tokens::new(key, settings.token_seconds)),
            cursors: Cursors::new(key),
            throttle: Arc::new(Throttle::new()),
            rate: Arc::new(RequestRate::new(settings.requests_per_second)),
            metrics: Metrics::new(),
        }
    }

    /// Goes by these settings from now on, as far as they can change.
    pub(crate) fn follow(&self, settings: &wharfinger_config::Admin) {
        self.tokens.set_seconds(settings.token_seconds);
        self.rate.set_rate(settings.requests_per_second);
    }
}
