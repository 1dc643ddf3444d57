//! The body of a request as a value already checked: declared as JSON (415), small (413), in
//! time (408), well-formed (400), and with the right members (422).

use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::header::{CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, Method};
use futures_util::StreamExt;

use crate::error::ApiError;
use crate::json::{self, FromJson, Syntax};

/// Most bytes of a body.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;
/// Most bytes read of one that is too large.
const MOST_READ: usize = 16 * MOST_BYTES;
/// How long a body may take to arrive: less than a request has, so that the answer can say so.
const TIME: Duration = Duration::from_secs(20);

/// The body's value.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: FromJson> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        demand_json(request.method(), request.headers())?;
        parse(&receive(request).await?).map(Self)
    }
}

/// For requests whose body may be left out.
impl<S: Send + Sync, T: FromJson> OptionalFromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, ApiError> {
        let declared = demand_json(request.method(), request.headers());
        let bytes = receive(request).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        declared?;
        parse(&bytes).map(Self).map(Some)
    }
}

/// A patch may also call itself what it is (RFC 7396).
fn demand_json(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let patch = method == Method::PATCH && kind.eq_ignore_ascii_case("application/merge-patch+json");
    if patch || kind.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(ApiError::NotJson) }
}

async fn receive(request: Request) -> Result<Vec<u8>, ApiError> {
    tokio::time::timeout(TIME, read(request)).await.map_err(|_| ApiError::BodyTooSlow)?
}

/// A body that is too large is read on for a while and forgotten: answered and closed at once,
/// the client would still be sending, and lose the answer with the connection.
async fn read(request: Request) -> Result<Vec<u8>, ApiError> {
    // A client that asks before it sends is told before it sends.
    let asks_first = request.headers().contains_key(EXPECT);
    let declared = usize::try_from(request.body().size_hint().lower()).unwrap_or(usize::MAX);
    if declared > MOST_READ || (declared > MOST_BYTES && asks_first) {
        return Err(ApiError::BodyTooLarge);
    }
    let mut chunks = request.into_body().into_data_stream();
    let (mut body, mut size) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::Malformed("The body ended before it was whole."))?;
        size = size.saturating_add(chunk.len());
        if size <= MOST_BYTES {
            body.extend_from_slice(&chunk);
        } else if size > MOST_READ {
            break;
        }
    }
    if size > MOST_BYTES { Err(ApiError::BodyTooLarge) } else { Ok(body) }
}

fn parse<T: FromJson>(bytes: &[u8]) -> Result<T, ApiError> {
    let document = json::parse(bytes).map_err(|fault| match fault {
        Syntax::NotJson => ApiError::Malformed("The body is not JSON in UTF-8."),
        Syntax::MemberTwice => ApiError::Malformed("An object in the body names a member twice."),
    })?;
    json::read(document).map_err(ApiError::Invalid)
}
