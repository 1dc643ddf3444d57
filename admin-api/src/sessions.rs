//! The handlers of live sessions and of the file servers that have them. What the servers say of
//! themselves is passed on, member by member; ending a session is a request to its server.

use std::net::IpAddr;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Json;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use wharfinger_accounts::{Direction, LiveSession, LiveTransfer, Node, Protocol, SessionQuery, SessionTls};

use crate::admin::{Reader, UserWriter};
use crate::error::ApiError;
use crate::query::{BAD_CURSOR, Parameters};
use crate::service::Service;
use crate::users::ProtocolShape;

/// The name of the list, for its cursors.
const LIST: &str = "sessions";

/// List live sessions
///
/// Those of all file servers, by id; go on with `next_cursor` as `cursor`. What a session is doing is
/// as its server published it, at most a second or two ago.
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "listSessions", tag = "sessions",
    params(SessionListShape),
    responses((status = 200, description = "A page of sessions", body = SessionList)),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn list(
    _: Reader,
    State(service): State<Service>,
    SessionListQuery(query): SessionListQuery,
) -> Result<Json<SessionList>, ApiError> {
    let page = service.accounts.live_sessions(&query).await?;
    let next_cursor = page.next.map(|last| service.cursors.after(LIST, &last));
    Ok(Json(SessionList { items: page.items.into_iter().map(SessionJson::from).collect(), next_cursor }))
}

/// End a session
///
/// Within two seconds, on whatever file server it is, with the transfer in it.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", operation_id = "endSession", tag = "sessions",
    params(SessionIdShape),
    responses((status = 202, description = "Its file server has been asked")),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn end(
    _: UserWriter,
    State(service): State<Service>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::NoSuchSession)?;
    service.accounts.end_session(&id).await.map_err(ApiError::about_session)?;
    Ok(StatusCode::ACCEPTED)
}

/// List file servers
///
/// Those that live, and those that died within the last hour, by name.
#[utoipa::path(get, path = "/api/v1/nodes", operation_id = "listNodes", tag = "sessions",
    responses((status = 200, description = "The file servers", body = NodeList)),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn nodes(_: Reader, State(service): State<Service>) -> Result<Json<NodeList>, ApiError> {
    let nodes = service.accounts.nodes().await?;
    Ok(Json(NodeList { items: nodes.into_iter().map(NodeJson::from).collect() }))
}

/// `?user=&node=&limit=&cursor=`
pub(crate) struct SessionListQuery(SessionQuery);

impl FromRequestParts<Service> for SessionListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        let limit = parameters.limit();
        let after = parameters.take("cursor", BAD_CURSOR, |text| service.cursors.read(LIST, text));
        let user = parameters.take("user", "must be the name of a user", |text| text.parse().ok());
        let node = parameters
            .take("node", "must be at most 256 bytes", |text| (text.len() <= 256).then(|| text.to_owned()));
        parameters.finish()?;
        Ok(Self(SessionQuery { after, limit, user, node }))
    }
}

/// Which sessions to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro that derives the document")]
pub(crate) struct SessionListShape {
    /// Only this user's.
    #[param(nullable = false)]
    user: Option<String>,
    /// Only those of the file server with this name.
    #[param(nullable = false, max_length = 256)]
    node: Option<String>,
    /// At most so many items.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next_cursor` of an earlier answer.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// The session a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the macro that derives the document")]
pub(crate) struct SessionIdShape {
    /// The session's id.
    id: String,
}

/// A page of live sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// By id.
    items: Vec<SessionJson>,
    /// What to ask for as `cursor` to go on; `null` on the last page.
    next_cursor: Option<String>,
}

/// A logged-in session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionJson {
    /// Unique over all file servers; ends in the number the server's log has for it.
    id: String,
    /// The file server's name.
    node: String,
    user: String,
    #[schema(value_type = ProtocolShape)]
    protocol: Protocol,
    /// `null` in clear.
    tls: Option<TlsJson>,
    #[schema(value_type = String)]
    client_address: IpAddr,
    /// When the connection was made.
    started_at: Timestamp,
    /// The last command's word, without its argument; empty before the first.
    last_command: String,
    /// What is being moved now.
    transfer: Option<TransferJson>,
}

/// How a session's control connection is protected.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionTls)]
struct TlsJson {
    version: String,
    cipher: String,
    /// Whether the last data connection resumed the control connection's TLS session; `null` before the
    /// first.
    data_bound: Option<bool>,
}

/// A transfer under way.
#[derive(Serialize, ToSchema)]
#[schema(as = Transfer)]
struct TransferJson {
    #[schema(value_type = DirectionShape)]
    direction: Direction,
    /// As the user sees it.
    path: String,
    /// Moved so far.
    bytes: u64,
    /// Moved lately.
    bytes_per_second: u64,
}

/// Which way a transfer goes; `copy` and `digest` are work on the server's own files.
#[derive(ToSchema)]
#[schema(as = Direction, rename_all = "snake_case")]
#[expect(dead_code, reason = "read by the macro that derives the document")]
enum DirectionShape {
    Download,
    Upload,
    List,
    Copy,
    Digest,
}

/// The file servers.
#[derive(Serialize, ToSchema)]
pub(crate) struct NodeList {
    /// By name.
    items: Vec<NodeJson>,
}

/// A file server.
#[derive(Serialize, ToSchema)]
#[schema(as = Node)]
struct NodeJson {
    /// `node.name` of its configuration.
    name: String,
    version: String,
    started_at: Timestamp,
    /// Logged-in sessions; 0 if it is dead.
    sessions: u64,
    /// When it last said that it is alive.
    last_seen_at: Timestamp,
}

impl From<LiveSession> for SessionJson {
    fn from(session: LiveSession) -> Self {
        Self {
            id: session.id,
            node: session.node,
            user: session.user.to_string(),
            protocol: session.protocol,
            tls: session.tls.map(TlsJson::from),
            client_address: session.client_address,
            started_at: session.started_at,
            last_command: session.last_command,
            transfer: session.transfer.map(TransferJson::from),
        }
    }
}

impl From<SessionTls> for TlsJson {
    fn from(SessionTls { version, cipher, data_bound }: SessionTls) -> Self {
        Self { version, cipher, data_bound }
    }
}

impl From<LiveTransfer> for TransferJson {
    fn from(LiveTransfer { direction, path, bytes, bytes_per_second }: LiveTransfer) -> Self {
        Self { direction, path, bytes, bytes_per_second }
    }
}

impl From<Node> for NodeJson {
    fn from(Node { name, version, started_at, sessions, last_seen_at }: Node) -> Self {
        Self { name, version, started_at, sessions, last_seen_at }
    }
}
