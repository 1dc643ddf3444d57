//! An API for one test, the requests sent to it, and what is asked of every answer.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use wharfinger_accounts::{Accounts, Admin, Password, Role, Timestamp, Trail};
use wharfinger_admin::{Service, TokenKey, router};
use wharfinger_config::Config;

pub(crate) const PASSWORD: &str = "correct horse battery";
/// The bytes behind it are what forged tokens are signed with.
const KEY: [u8; 32] = [0xab; 32];

pub(crate) struct Api {
    router: Router,
    pub(crate) accounts: Accounts,
    pub(crate) trail: Trail,
    pub(crate) config: Config,
    key: TokenKey,
    _directory: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Api {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: directory.path().to_owned(), ..Config::default() };
        config.store.timeout_seconds = 2;
        config.admin.requests_per_second = 0;
        let accounts = Accounts::open(&config.store, &config.store_url()).await.unwrap();
        accounts.migrate().await.unwrap();
        let path = directory.path().join("token.key");
        std::fs::write(&path, "ab".repeat(32)).unwrap();
        let key = TokenKey::read_or_make(&path).unwrap();
        let trail = accounts.begin_trail("test-admin").unwrap();
        let router = router(&Service::new(accounts.clone(), trail.clone(), &key, &config.admin));
        Self { router, accounts, trail, config, key, _directory: directory }
    }

    /// The same, with other accounts.
    pub(crate) fn over(self, accounts: Accounts) -> Self {
        let trail = accounts.begin_trail("test-admin").unwrap();
        let router = router(&Service::new(accounts.clone(), trail.clone(), &self.key, &self.config.admin));
        Self { router, accounts, trail, ..self }
    }

    /// An API and a token of an owner.
    pub(crate) async fn with_owner() -> (Self, String) {
        let api = Self::start().await;
        let token = api.token(Role::Owner).await;
        (api, token)
    }

    /// An admin of this role, named after it.
    pub(crate) async fn admin(&self, role: Role) -> Admin {
        let name = match role {
            Role::Owner => "owner",
            Role::UserManager => "manager",
            Role::Auditor => "auditor",
        };
        let password = Some(Password::new(PASSWORD));
        self.accounts.create_admin(name.parse().unwrap(), role, password).await.unwrap().0
    }

    /// A good token of a new admin of this role.
    pub(crate) async fn token(&self, role: Role) -> String {
        signed(&claims(&self.admin(role).await))
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.head_of(request).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("a JSON body") };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Status and headers of an answer whose body may be anything.
    pub(crate) async fn head_of(&self, mut request: Request<Body>) -> Response<Body> {
        let peer = SocketAddr::from(([192, 0, 2, 1], 40_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request("GET", path, token).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(request("DELETE", path, token).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.post_text(path, token, body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, token: &str, body: impl Into<Body>) -> Answer {
        let request = request("POST", path, token).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        let request = request("PATCH", path, token).header("content-type", "application/merge-patch+json");
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    /// Creates a user manager with the password of all.
    pub(crate) async fn create_admin(&self, name: &str, token: &str) {
        let body = json!({"username": name, "role": "user-manager", "password": PASSWORD});
        let answer = self.post("/api/v1/admins", token, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    /// Creates a user with a password given.
    pub(crate) async fn create(&self, name: &str, token: &str) -> Answer {
        let answer = self.post("/api/v1/users", token, json!({"username": name, "password": PASSWORD})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer
    }
}

impl Answer {
    /// The answer is this problem, well-formed and with the headers every answer has.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, kind: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["type"], format!("urn:wharfinger:problem:{kind}"));
        assert_eq!(self.body["status"], status);
        for member in ["title", "detail", "instance"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
        }
        let request_id = self.headers["x-request-id"].to_str().unwrap();
        assert!(self.body["instance"].as_str().unwrap().ends_with(request_id));
        assert_eq!(self.headers["x-content-type-options"], "nosniff");
        assert_eq!(self.headers["cache-control"], "no-store");
        self
    }

    /// The answer is 422, and these are the pointers to what is wrong.
    #[track_caller]
    pub(crate) fn is_invalid_at(&self, pointers: &[&str]) {
        self.is_problem(422, "invalid");
        let errors = self.body["errors"].as_array().unwrap();
        let found: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{}", self.body);
        assert!(errors.iter().all(|error| error["detail"].as_str().is_some_and(|text| !text.is_empty())));
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A request under construction; an empty token is none.
pub(crate) fn request(method: &str, path: &str, token: &str) -> Builder {
    let request = Request::builder().method(method).uri(path);
    if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) }
}

/// What a good token of this admin says.
pub(crate) fn claims(admin: &Admin) -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "iss": "wharfinger", "aud": "wharfinger-admin", "sub": admin.username.as_str(),
        "id": admin.id, "version": admin.version, "iat": now, "exp": now + 900,
    })
}

/// A token that says this, signed with the API's own key.
pub(crate) fn signed(claims: &Value) -> String {
    signed_as(&header(Algorithm::HS256), claims, &KEY)
}

pub(crate) fn signed_as(header: &Header, claims: &Value, key: &[u8]) -> String {
    encode(header, claims, &EncodingKey::from_secret(key)).unwrap()
}

/// With the id of the API's own key.
pub(crate) fn header(algorithm: Algorithm) -> Header {
    let digest = blake3::derive_key("wharfinger admin token key id", &KEY);
    let id = &blake3::Hash::from_bytes(digest).to_hex()[..16];
    Header { kid: Some(id.to_owned()), ..Header::new(algorithm) }
}

pub(crate) fn key() -> [u8; 32] {
    KEY
}
