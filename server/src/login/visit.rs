//! A logged-in user's session as the audit trail has it: who, from where, and that it ended.
//! What is noted through it is decided in `files.rs` and `transfer/record.rs`.

use std::ops::Deref;
use std::sync::Arc;

use wharfinger_accounts::{Act, Client, Event, Trail, Username};

use crate::metrics::Metrics;
use crate::registry::Live;

/// Whose deeds are noted; a clone notes for the same session.
#[derive(Clone)]
pub(crate) struct Visitor {
    trail: Trail,
    client: Client,
    user: Username,
    live: Arc<Live>,
    metrics: Metrics,
}

/// A visitor who is there. Dropping it notes that the session, or its login, has ended.
pub(crate) struct Visit {
    visitor: Visitor,
}

impl Visitor {
    pub(crate) fn note(&self, act: impl FnOnce(Client) -> Act) {
        let user = Some(self.user.to_string());
        self.trail.note(Event { user, actor: None, act: act(self.client) });
    }

    pub(crate) fn client(&self) -> Client {
        self.client
    }

    pub(crate) fn user(&self) -> &Username {
        &self.user
    }

    /// Where the server's deeds are counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The session as others see it.
    pub(crate) fn live(&self) -> &Arc<Live> {
        &self.live
    }
}

impl Visit {
    pub(crate) fn new(trail: &Trail, metrics: &Metrics, live: &Arc<Live>, user: &Username) -> Self {
        let client = Client { address: live.client, session: live.id };
        let (trail, user, live) = (trail.clone(), user.clone(), Arc::clone(live));
        Self { visitor: Visitor { trail, client, user, live, metrics: metrics.clone() } }
    }
}

impl Deref for Visit {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let reason = self.live.ending().map_or("left", |ending| ending.reason());
        self.note(|client| Act::Logout { client, reason });
    }
}
