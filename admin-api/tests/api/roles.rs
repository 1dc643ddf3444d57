//! Every route for every role, as the document states it: who is let through, and that who isn't
//! changes nothing. Whoever adds a route says the role on its handler, and is held to it here.

use axum::body::Body;
use serde_json::Value;
use wharfinger_accounts::Role;

use crate::harness::{Api, request};

/// What takes no credential: the way to get one, and probes.
const OPEN: [&str; 4] = ["/api/v1/auth/token", "/healthz", "/metrics", "/readyz"];

struct Route {
    method: String,
    path: String,
    /// Who may; nobody in particular: anybody.
    roles: &'static [Role],
}

/// All routes, reading ones first, so that the others can't take away what they ask for.
fn routes() -> Vec<Route> {
    let document = serde_json::to_value(wharfinger_admin::document()).unwrap();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let roles: &[Role] = match operation["security"][0]["bearer"][0].as_str() {
                Some("owner") => &[Role::Owner],
                Some("user-manager") => &[Role::Owner, Role::UserManager],
                Some("auditor") => &[Role::Owner, Role::UserManager, Role::Auditor],
                Some("audit") => &[Role::Owner, Role::Auditor],
                None => &[],
                Some(other) => panic!("{method} {path}: no role is called {other}"),
            };
            let path = path.replace("{username}", "nobody").replace("{name}", "nobody").replace("{id}", "0");
            routes.push(Route { method: method.to_uppercase(), path, roles });
        }
    }
    routes
}

/// Sent without a body: who is let through is told what is wrong with that, not who they are.
async fn status_for(api: &Api, route: &Route, token: &str) -> u16 {
    let request = request(&route.method, &route.path, token).header("content-type", "application/json");
    let answer = api.head_of(request.body(Body::empty()).unwrap()).await;
    answer.status().as_u16()
}

async fn everything(api: &Api, owner: &str) -> Vec<Value> {
    let mut everything = Vec::new();
    for list in ["/api/v1/users?count=true", "/api/v1/admins", "/api/v1/api-keys"] {
        everything.push(api.get(list, owner).await.body);
    }
    everything
}

#[tokio::test]
async fn only_what_must_be_open_is_open() {
    let open: Vec<String> =
        routes().into_iter().filter(|route| route.roles.is_empty()).map(|route| route.path).collect();
    assert_eq!(open, OPEN);
}

#[tokio::test]
async fn without_a_credential_nothing_is_done() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let before = everything(&api, &owner).await;
    for route in routes().iter().filter(|route| !route.roles.is_empty()) {
        assert_eq!(status_for(&api, route, "").await, 401, "{} {}", route.method, route.path);
    }
    assert_eq!(everything(&api, &owner).await, before);
}

#[tokio::test]
async fn each_role_gets_through_to_what_the_document_says_and_no_further() {
    let (api, owner) = Api::with_owner().await;
    api.create("alice", &owner).await;
    let tokens = [
        (Role::Auditor, api.token(Role::Auditor).await),
        (Role::UserManager, api.token(Role::UserManager).await),
        (Role::Owner, owner.clone()),
    ];
    let before = everything(&api, &owner).await;
    for (role, token) in tokens {
        for route in routes() {
            if route.roles.is_empty() {
                continue;
            }
            let status = status_for(&api, &route, &token).await;
            let told = format!("{role:?}: {} {} is {status}", route.method, route.path);
            if route.roles.contains(&role) {
                assert!(![401, 403, 405].contains(&status) && status < 500, "{told}");
            } else {
                assert_eq!(status, 403, "{told}");
            }
        }
    }
    assert_eq!(everything(&api, &owner).await, before);
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_looked_at() {
    let (api, _) = Api::with_owner().await;
    let auditor = api.token(Role::Auditor).await;
    api.post_text("/api/v1/users", "", "{").await.is_problem(401, "no-credential");
    api.post_text("/api/v1/users", &auditor, "{").await.is_problem(403, "role-may-not");
}
