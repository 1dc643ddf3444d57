//! Every route of the API, in one list, and what all of them are wrapped in.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharfinger_accounts::Trail;

use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::service::Service;
use crate::throttle::RequestRate;
use crate::{admins, audit, auth, docs, envelope, health, keys, metrics, openapi, sessions, users};

/// The API as a service of requests, for a listener or for a test. A request must carry its
/// client's address as `ConnectInfo<SocketAddr>`.
pub fn router(service: &Service) -> Router {
    let (routes, document) = described();
    let routes = routes
        .merge(docs::routes(&document))
        .fallback(async || ApiError::NoSuchPath)
        .method_not_allowed_fallback(async || ApiError::NoSuchMethod)
        .with_state(service.clone());
    wrapped(routes, &service.trail, &service.metrics, &service.rate)
}

/// The document that describes the API (OpenAPI 3.1).
pub fn document() -> OpenApi {
    described().1
}

/// Method, path, role and shapes of each stand on its handler.
fn described() -> (Router<Service>, OpenApi) {
    let (routes, mut document) = OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(auth::token))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::export))
        .routes(routes!(users::import))
        .routes(routes!(users::show, users::change, users::remove))
        .routes(routes!(users::disable))
        .routes(routes!(users::enable))
        .routes(routes!(users::rotate_password))
        .routes(routes!(users::unlock))
        .routes(routes!(users::recount))
        .routes(routes!(users::explain))
        .routes(routes!(admins::list, admins::create))
        .routes(routes!(admins::change, admins::remove))
        .routes(routes!(admins::rotate_password))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::remove))
        .routes(routes!(audit::list))
        .routes(routes!(audit::verify))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::nodes))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::metrics))
        .split_for_parts();
    openapi::complete(&mut document);
    (routes, document)
}

fn wrapped(routes: Router, trail: &Trail, metrics: &Metrics, rate: &Arc<RequestRate>) -> Router {
    routes
        .layer(from_fn(envelope::in_time))
        .layer(CatchPanicLayer::custom(|cause: Box<dyn Any + Send>| envelope::after_panic(cause.as_ref())))
        // Around the time limit: what ran out of time may have been done.
        .layer(from_fn_with_state(trail.clone(), audit::record))
        .layer(from_fn_with_state(Arc::clone(rate), envelope::in_moderation))
        .layer(from_fn_with_state(metrics.clone(), envelope::envelope))
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use axum::routing::{get, post};
    use serde_json::Value;
    use tower::ServiceExt;
    use wharfinger_accounts::{Act, Event};

    use super::*;
    use crate::admin::Actor;
    use crate::audit::Recorder;

    async fn answer_of(routes: Router) -> (StatusCode, Value) {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let (trail, rate) = (Trail::detached().0, Arc::new(RequestRate::new(0)));
        let routes = wrapped(routes, &trail, &Metrics::new(), &rate);
        let response = routes.oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert!(response.headers().contains_key("x-request-id"));
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_a_problem_that_tells_nothing() {
        async fn broken() -> StatusCode {
            panic!("secret")
        }
        let (status, problem) = answer_of(Router::new().route("/", get(broken))).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(problem["type"], "urn:wharfinger:problem:internal");
        assert!(!problem.to_string().contains("secret"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_ended() {
        let (status, problem) = answer_of(Router::new().route("/", get(std::future::pending::<()>))).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(problem["type"], "urn:wharfinger:problem:too-slow");
    }

    #[tokio::test(start_paused = true)]
    async fn what_runs_out_of_time_is_recorded_with_whom_it_was_about() {
        async fn endless(Extension(actor): Extension<Actor>, recorder: Recorder) -> StatusCode {
            actor.set("owner");
            recorder.about("alice");
            std::future::pending().await
        }
        let (trail, mut noted) = Trail::detached();
        let routes = Router::new().route("/api/v1/users", post(endless));
        let routes = wrapped(routes, &trail, &Metrics::new(), &Arc::new(RequestRate::new(0)));
        let request = Request::post("/api/v1/users").body(Body::empty()).unwrap();
        assert_eq!(routes.oneshot(request).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
        let events = noted.take();
        let [Event { user: Some(user), actor: Some(actor), act: Act::Change { outcome, change, .. } }] =
            &*events
        else {
            panic!("{events:?}")
        };
        assert_eq!(
            (user.as_str(), actor.as_str(), *outcome, change.as_str()),
            ("alice", "owner", "unknown", "create")
        );
    }

    #[tokio::test]
    async fn busy_and_a_store_that_is_down_ask_to_come_back() {
        for error in [ApiError::Busy, ApiError::StoreDown("mongodb://secret".to_owned())] {
            let response = axum::response::IntoResponse::into_response(error);
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key("retry-after"));
        }
        let down = async || ApiError::StoreDown("mongodb://secret".to_owned());
        let (_, problem) = answer_of(Router::new().route("/", get(down))).await;
        assert!(!problem.to_string().contains("mongodb"));
    }
}
