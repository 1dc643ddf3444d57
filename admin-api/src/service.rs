//! What all handlers share: the accounts, the tokens, the throttle.

use std::sync::Arc;

use wharfinger_accounts::Accounts;

use crate::throttle::Throttle;
use crate::token_key::TokenKey;
use crate::tokens::Tokens;
use crate::users::Cursors;

/// The API's state; a clone is the same service.
#[derive(Clone)]
pub struct Service {
    pub(crate) accounts: Accounts,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) cursors: Cursors,
    pub(crate) throttle: Arc<Throttle>,
}

impl Service {
    /// A service whose tokens are good for so many seconds.
    pub fn new(accounts: Accounts, key: &TokenKey, token_seconds: u64) -> Self {
        Self {
            accounts,
            tokens: Arc::new(Tokens::new(key, token_seconds)),
            cursors: Cursors::new(key),
            throttle: Arc::new(Throttle::new()),
        }
    }
}
