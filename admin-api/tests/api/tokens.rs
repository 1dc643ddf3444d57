//! Tokens that must not be taken: forged, expired, for somebody else, or outlived by their admin.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use wharfinger_accounts::{Role, Timestamp};

use crate::harness::{Answer, Api, claims, header, key, signed, signed_as};

async fn with_token(api: &Api, token: &str) -> Answer {
    api.get("/api/v1/users", token).await
}

fn refused(answer: &Answer) {
    answer.is_problem(401, "bad-token");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="wharfinger", error="invalid_token""#);
}

fn changed(claims: &Value, member: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[member] = value;
    claims
}

fn base64url(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = |chunk: &[u8]| {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len())
            .map(|n| char::from(DIGITS[(bits >> (18 - 6 * n)) as usize & 63]))
            .collect::<String>()
    };
    text.as_bytes().chunks(3).map(digits).collect()
}

#[tokio::test]
async fn a_good_token_is_taken() {
    let api = Api::start().await;
    let good = claims(&api.admin(Role::Auditor).await);
    assert_eq!(with_token(&api, &signed(&good)).await.status, 200);
}

#[tokio::test]
async fn an_expired_token_is_refused_at_once() {
    let api = Api::start().await;
    let good = claims(&api.admin(Role::Owner).await);
    let now = Timestamp::now().as_second();
    refused(&with_token(&api, &signed(&changed(&good, "exp", json!(now - 1)))).await);
}

#[tokio::test]
async fn a_token_for_another_audience_or_from_another_issuer_is_refused() {
    let api = Api::start().await;
    let good = claims(&api.admin(Role::Owner).await);
    refused(&with_token(&api, &signed(&changed(&good, "aud", json!("somebody")))).await);
    refused(&with_token(&api, &signed(&changed(&good, "iss", json!("somebody")))).await);
}

#[tokio::test]
async fn a_token_that_lacks_a_claim_is_refused() {
    let api = Api::start().await;
    let good = claims(&api.admin(Role::Owner).await);
    for claim in ["iss", "aud", "exp", "sub", "id", "version"] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(claim);
        refused(&with_token(&api, &signed(&claims)).await);
    }
}

#[tokio::test]
async fn a_token_signed_with_another_key_or_algorithm_is_refused() {
    let api = Api::start().await;
    let good = claims(&api.admin(Role::Owner).await);
    refused(&with_token(&api, &signed_as(&header(Algorithm::HS256), &good, &[0; 32])).await);
    refused(&with_token(&api, &signed_as(&header(Algorithm::HS512), &good, &key())).await);
    let nameless = jsonwebtoken::Header { kid: None, ..header(Algorithm::HS256) };
    refused(&with_token(&api, &signed_as(&nameless, &good, &key())).await);
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let api = Api::start().await;
    let good = claims(&api.admin(Role::Owner).await);
    let kid = header(Algorithm::HS256).kid.unwrap();
    let (body, signature) = (base64url(&good.to_string()), signed(&good));
    let signature = signature.rsplit('.').next().unwrap().to_owned();
    for algorithm in ["none", "None", "NONE", ""] {
        let header = base64url(&json!({"alg": algorithm, "typ": "JWT", "kid": kid}).to_string());
        refused(&with_token(&api, &format!("{header}.{body}.")).await);
        refused(&with_token(&api, &format!("{header}.{body}.{signature}")).await);
        refused(&with_token(&api, &format!("{header}.{body}")).await);
    }
}

#[tokio::test]
async fn a_token_whose_words_were_changed_is_refused() {
    let api = Api::start().await;
    let auditor = claims(&api.admin(Role::Auditor).await);
    let owner = claims(&api.admin(Role::Owner).await);
    let good = signed(&auditor);
    let (header, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let forged = format!("{header}.{}.{signature}", base64url(&owner.to_string()));
    refused(&with_token(&api, &forged).await);
}

#[tokio::test]
async fn a_token_dies_with_any_change_to_its_admin() {
    let api = Api::start().await;
    let good = claims(&api.admin(Role::Owner).await);
    refused(&with_token(&api, &signed(&changed(&good, "version", json!(2)))).await);
    refused(&with_token(&api, &signed(&changed(&good, "id", json!("0".repeat(32))))).await);
    refused(&with_token(&api, &signed(&changed(&good, "sub", json!("removed")))).await);
    refused(&with_token(&api, &signed(&changed(&good, "sub", json!("../x")))).await);
}

#[tokio::test]
async fn what_is_no_bearer_token_is_refused() {
    let api = Api::start().await;
    for (header, kind) in [
        ("Basic b3duZXI6c2VjcmV0", "no-credential"),
        ("Bearer ", "bad-token"),
        ("Bearer a.b.c", "bad-token"),
        ("Bearer", "bad-token"),
        ("x", "bad-token"),
    ] {
        let request = crate::harness::request("GET", "/api/v1/users", "").header("authorization", header);
        api.send(request.body(axum::body::Body::empty()).unwrap()).await.is_problem(401, kind);
    }
}
