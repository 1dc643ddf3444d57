//! Access tokens: JWT (RFC 7519) signed with HS256 and nothing else. A token names its admin and
//! the admin's version; whether that is still so, `admin.rs` asks the store at each request, so
//! that a token dies with any change to its admin. The role is never taken from a token.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use wharfinger_accounts::Admin;

use crate::token_key::{TokenKey, to_hex};

/// Who issues the tokens, and for whom.
const ISSUER: &str = "wharfinger";
const AUDIENCE: &str = "wharfinger-admin";

/// Issues tokens and checks them.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    header: Header,
    /// How long a token is good, seconds.
    seconds: AtomicU64,
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    /// The admin's name.
    pub(crate) sub: String,
    /// The admin's id: a new admin of the same name is somebody else.
    pub(crate) id: String,
    /// The admin's version at login.
    pub(crate) version: u64,
    iat: i64,
    exp: i64,
}

impl Tokens {
    pub(crate) fn new(key: &TokenKey, seconds: u64) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key_id(key));
        Self {
            encoding: EncodingKey::from_secret(key.bytes()),
            decoding: DecodingKey::from_secret(key.bytes()),
            validation,
            header,
            seconds: AtomicU64::new(seconds),
        }
    }

    /// How long a token is good, seconds.
    pub(crate) fn seconds(&self) -> u64 {
        self.seconds.load(Ordering::Relaxed)
    }

    /// Tokens issued from now on are good so long.
    pub(crate) fn set_seconds(&self, seconds: u64) {
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    /// A token for an admin who just logged in.
    pub(crate) fn issue(&self, admin: &Admin, now: Timestamp) -> Result<String, jsonwebtoken::errors::Error> {
        let iat = now.as_second();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: admin.username.to_string(),
            id: admin.id.clone(),
            version: admin.version,
            iat,
            exp: iat.saturating_add_unsigned(self.seconds()),
        };
        encode(&self.header, &claims, &self.encoding)
    }

    /// What a token says, if it is one of ours and still good.
    pub(crate) fn verify(&self, token: &str) -> Option<Claims> {
        let token = decode::<Claims>(token, &self.decoding, &self.validation).ok()?;
        (token.header.kid == self.header.kid).then_some(token.claims)
    }
}

/// Names the key without telling anything of it.
fn key_id(key: &TokenKey) -> String {
    let digest = blake3::derive_key("wharfinger admin token key id", key.bytes());
    digest.get(..8).map(to_hex).unwrap_or_default()
}
