//! What the layer around all handlers and the handlers share of a request's record. A handler says whom
//! the request is about before it changes anything: so that is known also of a request whose outcome
//! isn't, because its time ran out or the store's answer was lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use wharfinger_accounts::{Act, Event, Place, Request, Trail};

use super::changed::Changed;
use crate::admin::Actor;
use crate::error::ApiError;

/// How long a request waits for the queue, and an answer for the store.
const PATIENCE: Duration = Duration::from_secs(15);

/// The record of one request that changes something; a clone is the same record.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Shared>);

struct Shared {
    trail: Trail,
    sender: Sender,
    target: Target,
    note: Mutex<Note>,
}

/// What is known so far, and the place in the queue until it is used.
struct Note {
    place: Option<Place>,
    name: Option<String>,
    changed: Changed,
}

/// Who sent a request; known once it has been answered.
pub(super) struct Sender {
    pub(super) actor: Actor,
    pub(super) request: Request,
}

/// What is to be changed, and how.
pub(super) struct Target {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) change: String,
}

/// One record that is sure to be taken.
pub(crate) struct Entry {
    recorder: Recorder,
    place: Place,
}

impl Recorder {
    /// With a place in the queue, so that what is done now is recorded.
    pub(super) async fn new(trail: Trail, sender: Sender, target: Target) -> Result<Self, ApiError> {
        let place = Some(place(&trail).await?);
        let note = Mutex::new(Note { place, name: None, changed: Changed::default() });
        Ok(Self(Arc::new(Shared { trail, sender, target, note })))
    }

    /// Whom the request is about, where its path doesn't say so.
    pub(crate) fn about(&self, name: impl Into<String>) {
        self.note().name = Some(name.into());
    }

    /// What was done.
    pub(crate) fn changed(&self, changed: Changed) {
        self.note().changed = changed;
    }

    /// Takes the request's record over: it is written when the work is done, and not with the answer.
    pub(crate) fn take_over(&self) -> Result<Entry, ApiError> {
        let place = self.note().place.take();
        let place = place.ok_or_else(|| ApiError::Internal("a request has one record".to_owned()))?;
        Ok(Entry { recorder: self.clone(), place })
    }

    /// One more record of the same request.
    pub(crate) async fn another(&self) -> Result<Entry, ApiError> {
        Ok(Entry { recorder: self.clone(), place: place(&self.0.trail).await? })
    }

    /// Writes what there is to be recorded of a request that was answered like this.
    pub(super) async fn end(&self, status: StatusCode) {
        let outcome = match status {
            status if status.is_success() => "done",
            StatusCode::FORBIDDEN => "refused",
            // The store may have taken the change although its answer was lost.
            status if status.is_server_error() => "unknown",
            _ => return,
        };
        // Nothing was done for somebody who has not said who they are.
        if self.0.sender.actor.name().is_empty() {
            return;
        }
        let (place, name, changed) = {
            let mut note = self.note();
            (note.place.take(), note.name.take(), std::mem::take(&mut note.changed))
        };
        let Some(place) = place else { return };
        let name = name.unwrap_or_else(|| self.0.target.name.clone());
        let entry = Entry { recorder: self.clone(), place };
        entry.write(&name, &self.0.target.change, changed, outcome).await;
    }

    /// A panic elsewhere leaves the note whole, so a poisoned lock is still good.
    fn note(&self) -> MutexGuard<'_, Note> {
        self.0.note.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// What was done to whom, and with what outcome; of what is done, it waits until the record is in the
    /// store. No name: it is about nobody alone.
    pub(crate) async fn write(self, name: &str, change: &str, changed: Changed, outcome: &'static str) {
        let Shared { sender, target, .. } = &*self.recorder.0;
        let Changed { before, after } = changed;
        let act = Act::Change {
            request: sender.request.clone(),
            kind: target.kind,
            name: name.to_owned(),
            change: change.to_owned(),
            outcome,
            before,
            after,
        };
        let user = (target.kind == "user" && !name.is_empty()).then(|| name.to_owned());
        let actor = Some(sender.actor.name().to_owned());
        let recorded = self.place.fill(Event { user, actor, act });
        if outcome == "done" && !recorded.written(PATIENCE).await {
            tracing::warn!("a change was made, and its audit record still waits for the store");
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Recorder {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let recorder = parts.extensions.get::<Self>().cloned();
        recorder.ok_or_else(|| ApiError::Internal("this request is not recorded".to_owned()))
    }
}

async fn place(trail: &Trail) -> Result<Place, ApiError> {
    match tokio::time::timeout(PATIENCE, trail.place()).await {
        Ok(place) => Ok(place?),
        Err(_) => Err(ApiError::StoreDown("the audit queue is full".to_owned())),
    }
}
