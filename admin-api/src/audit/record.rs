//! The record of every request that changes something. It stands around all handlers, so that none can
//! forget it: a place in the audit queue is taken before the handler runs, and the answer waits until
//! the record is in the store. A handler adds whom it is about and what was changed, by [`Recorder`].

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use wharfinger_accounts::Trail;

use super::recorder::{Recorder, Sender, Target};
use crate::envelope::RequestId;
use crate::error::ApiError;

/// The layer.
pub(crate) async fn record(State(trail): State<Trail>, mut request: Request, next: Next) -> Response {
    let target = Target::of(request.method(), request.uri().path());
    let Some(target) = target else { return next.run(request).await };
    let recorder = match Recorder::new(trail, Sender::of(&request), target).await {
        Ok(recorder) => recorder,
        Err(error) => return error.into_response(),
    };
    request.extensions_mut().insert(recorder.clone());
    // A task of its own: a client that hangs up ends this one, and what is being changed by then is
    // changed and recorded all the same.
    let answered = async move {
        let response = next.run(request).await;
        recorder.end(response.status()).await;
        response
    };
    match tokio::spawn(answered.in_current_span()).await {
        Ok(response) => response,
        Err(error) => ApiError::Internal(error.to_string()).into_response(),
    }
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

impl Sender {
    fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        let address = extensions.get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
        let id = extensions.get().map(|RequestId(id)| id.clone());
        let actor = extensions.get().cloned().unwrap_or_default();
        Self { actor, request: wharfinger_accounts::Request { address, id } }
    }
}
