//! The record of every request that changes something. It stands around all handlers, so that none can
//! forget it: a place in the audit queue is taken before the handler runs, and the answer waits until
//! the record is in the store. A handler adds what was changed, with [`Changed`].

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use wharfinger_accounts::{Act, Event, Trail};

use crate::admin::Actor;
use crate::envelope::RequestId;
use crate::error::ApiError;

/// How long a request waits for the queue, and an answer for the store.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a handler has changed; left in the extensions of its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    name: Option<String>,
    before: Map<String, Value>,
    after: Map<String, Value>,
}

impl Changed {
    /// What is there now that wasn't.
    pub(crate) fn made(name: impl Into<String>, after: impl Serialize) -> Self {
        Self { name: Some(name.into()), before: Map::new(), after: members(after) }
    }

    /// The members that differ.
    pub(crate) fn between(before: impl Serialize, after: impl Serialize) -> Self {
        let (before, after) = (members(before), members(after));
        let differing = |these: &Map<String, Value>, those: &Map<String, Value>| {
            let differ = these.iter().filter(|(name, value)| those.get(*name) != Some(*value));
            differ.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        Self { name: None, before: differing(&before, &after), after: differing(&after, &before) }
    }

    /// What was there and isn't any more.
    pub(crate) fn removed(before: impl Serialize) -> Self {
        Self { name: None, before: members(before), after: Map::new() }
    }

    /// With one more member of what came of it.
    pub(crate) fn and(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.after.insert(member.to_owned(), value.into());
        self
    }

    /// This answer, with what was changed.
    pub(crate) fn told_by(self, answer: impl IntoResponse) -> Response {
        let mut answer = answer.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

fn members(of: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(members)) => members,
        // What can't be told is not worth an answer; the record says at least that it was changed.
        Ok(_) | Err(_) => Map::new(),
    }
}

/// The layer.
pub(crate) async fn record(State(trail): State<Trail>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let Some(target) = Target::of(request.method(), &path) else { return next.run(request).await };
    let place = match tokio::time::timeout(PATIENCE, trail.place()).await {
        Ok(Ok(place)) => place,
        Ok(Err(error)) => return ApiError::from(error).into_response(),
        Err(_) => return ApiError::StoreDown("the audit queue is full".to_owned()).into_response(),
    };
    let sender = Sender::of(&request);
    let mut response = next.run(request).await;
    let outcome = match response.status() {
        status if status.is_success() => "done",
        StatusCode::FORBIDDEN => "refused",
        // The store may have taken the change although its answer was lost.
        status if status.is_server_error() => "unknown",
        _ => return response,
    };
    // Nothing was done for somebody who has not said who they are.
    if sender.actor.name().is_empty() {
        return response;
    }
    let changed = response.extensions_mut().remove::<Changed>().unwrap_or_default();
    let recorded = place.fill(sender.event(target, changed, outcome));
    if outcome == "done" && !recorded.written(PATIENCE).await {
        tracing::warn!("a change was made, and its audit record still waits for the store");
    }
    response
}

/// What a request is to change.
struct Target {
    kind: &'static str,
    name: String,
    change: String,
}

impl Target {
    /// Of `/api/v1/KINDS/NAME/CHANGE`; none where nothing is changed.
    fn of(method: &Method, path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix("/api/v1/")?.split('/');
        let kind = match parts.next()? {
            "users:import" => {
                return (method == Method::POST).then(|| Self {
                    kind: "user",
                    name: String::new(),
                    change: "import".to_owned(),
                });
            }
            "users" => "user",
            "admins" => "admin",
            "api-keys" => "api-key",
            "sessions" => "session",
            // Logins have records of their own.
            "auth" => return None,
            _ => "other",
        };
        let name = parts.next().unwrap_or_default().to_owned();
        let change = match (method, parts.next()) {
            (&Method::POST, Some("explain")) | (&Method::GET | &Method::HEAD | &Method::OPTIONS, _) => {
                return None;
            }
            (_, Some(change)) => change.to_owned(),
            (&Method::POST, None) => "create".to_owned(),
            (&Method::DELETE, None) => "remove".to_owned(),
            (_, None) => "change".to_owned(),
        };
        Some(Self { kind, name, change })
    }
}

/// Who sent a request; known once it has been answered.
struct Sender {
    actor: Actor,
    request: wharfinger_accounts::Request,
}

impl Sender {
    fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        let address = extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
        let id = extensions.get().map(|RequestId(id)| id.clone());
        let actor = extensions.get::<Actor>().cloned().unwrap_or_default();
        Self { actor, request: wharfinger_accounts::Request { address, id } }
    }

    fn event(self, target: Target, changed: Changed, outcome: &'static str) -> Event {
        let Changed { name, before, after } = changed;
        let name = name.unwrap_or(target.name);
        let act = Act::Change {
            request: self.request,
            kind: target.kind,
            name: name.clone(),
            change: target.change,
            outcome,
            before,
            after,
        };
        let user = (target.kind == "user" && !name.is_empty()).then_some(name);
        Event { user, actor: Some(self.actor.name().to_owned()), act }
    }
}
