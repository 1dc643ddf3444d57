//! The admin API as an operator's program uses it: JSON over HTTP with an owner's token.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Tls;

/// A client of the admin API, with a token once logged in.
#[derive(Clone)]
pub struct Admin {
    agent: ureq::Agent,
    base: String,
    token: String,
}

/// One response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, empty when there is none.
    pub content_type: String,
    /// `Retry-After`, seconds.
    pub retry_after: Option<u64>,
    /// The body as JSON; `null` when it is none.
    pub body: Value,
}

/// A user the tests made, with the password only they know.
#[derive(Clone, Debug)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl Admin {
    /// A client without a token.
    pub fn stranger(address: SocketAddr) -> Admin {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(40)))
            .build();
        Admin { agent: config.into(), base: format!("http://{address}"), token: String::new() }
    }

    /// A client with a token of this admin.
    pub fn log_in(address: SocketAddr, name: &str, password: &str) -> Admin {
        let mut admin = Admin::stranger(address);
        let answer = admin.post("/api/v1/auth/token", json!({"username": name, "password": password}));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["access_token"].as_str().unwrap().clone_into(&mut admin.token);
        admin
    }

    /// The certificate that the API shows there, if it answers under TLS.
    pub fn certificate(address: SocketAddr, tls: &Tls) -> Option<Vec<u8>> {
        let mut stream = tls.secure(TcpStream::connect(address).unwrap());
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = Vec::new();
        // Whether the connection ends in good order is not asked here.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
        Some(stream.conn.peer_certificates()?.first()?.to_vec())
    }

    /// The same client and token for an API that has moved to another address.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Admin {
        Admin { base: format!("http://{address}"), ..self.clone() }
    }

    /// POST with a JSON body; nothing where the connection breaks before the answer is here.
    pub fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = self.agent.post(self.url(path)).header("Authorization", self.bearer());
        let request = request.header("Content-Type", "application/json");
        request.send(body.to_string().as_bytes()).and_then(read).ok()
    }

    /// DELETE; nothing where the connection breaks before the answer is here.
    pub fn try_delete(&self, path: &str) -> Option<Answer> {
        let request = self.agent.delete(self.url(path)).header("Authorization", self.bearer());
        request.call().and_then(read).ok()
    }

    /// All items of a list, whatever number of pages it has.
    pub fn all(&self, list: &str) -> Vec<Value> {
        let (mut all, mut page) = (Vec::new(), list.to_owned());
        loop {
            let answer = self.get(&page);
            assert_eq!(answer.status, 200, "{answer:?}");
            all.extend(answer.body["items"].as_array().unwrap().iter().cloned());
            let Some(cursor) = answer.body["next_cursor"].as_str() else { return all };
            let joint = if list.contains('?') { '&' } else { '?' };
            page = format!("{list}{joint}cursor={cursor}");
        }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        let request = self.agent.get(self.url(path)).header("Authorization", self.bearer());
        answer(request.call().unwrap())
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Answer {
        let request = self.agent.delete(self.url(path)).header("Authorization", self.bearer());
        answer(request.call().unwrap())
    }

    /// PATCH with a JSON merge patch.
    #[expect(clippy::needless_pass_by_value, reason = "callers write the body in place with json!")]
    pub fn patch(&self, path: &str, body: Value) -> Answer {
        let request = self.agent.patch(self.url(path)).header("Authorization", self.bearer());
        let request = request.header("Content-Type", "application/merge-patch+json");
        answer(request.send(body.to_string().as_bytes()).unwrap())
    }

    /// POST with a JSON body.
    #[expect(clippy::needless_pass_by_value, reason = "callers write the body in place with json!")]
    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.post_bytes(path, body.to_string().as_bytes())
    }

    /// POST with a body that says it is JSON, whatever it is.
    pub fn post_bytes(&self, path: &str, body: &[u8]) -> Answer {
        let request = self.agent.post(self.url(path)).header("Authorization", self.bearer());
        answer(request.header("Content-Type", "application/json").send(body).unwrap())
    }

    /// Creates a user with a password of the test's choice.
    pub fn create(&self, name: &str) -> User {
        self.create_with(name, json!({}))
    }

    /// Creates a user with these members beside name and password.
    pub fn create_with(&self, name: &str, members: Value) -> User {
        let user = User { name: name.to_owned(), password: format!("password of {name}") };
        let mut body = json!({"username": user.name, "password": user.password});
        let Value::Object(members) = members else { panic!("members are an object") };
        body.as_object_mut().unwrap().extend(members);
        let answer = self.post("/api/v1/users", body);
        assert_eq!(answer.status, 201, "{answer:?}");
        user
    }

    /// POST to one of a user's actions ("disable", "enable", "rotate-password"); must succeed.
    pub fn act(&self, user: &User, action: &str, body: Value) -> Value {
        let answer = self.post(&format!("/api/v1/users/{}/{action}", user.name), body);
        assert_eq!(answer.status, 200, "{action}: {answer:?}");
        answer.body
    }

    /// Removes a user; must succeed.
    pub fn remove(&self, user: &User) {
        let answer = self.delete(&format!("/api/v1/users/{}", user.name));
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

fn answer(response: ureq::http::Response<ureq::Body>) -> Answer {
    read(response).unwrap()
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header("content-type").unwrap_or_default().to_owned();
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
    let text = response.body_mut().read_to_string()?;
    let body = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer { status: response.status().as_u16(), content_type, retry_after, body })
}
