//! The OpenAPI document: the reviewed copy in the tree, what is served, and what every operation
//! must state.

use axum::body::Body;
use serde_json::Value;

use crate::harness::{Api, request};

const REVIEWED: &str = include_str!("../../openapi.json");

fn document() -> Value {
    serde_json::to_value(wharfinger_admin::document()).unwrap()
}

#[test]
fn the_reviewed_document_is_what_the_code_says() {
    let said = serde_json::to_string_pretty(&wharfinger_admin::document()).unwrap() + "\n";
    assert!(
        said == REVIEWED,
        "the API has changed: run `cargo run -p wharfinger-admin -- openapi > admin-api/openapi.json`, \
         and look at the difference"
    );
}

#[tokio::test]
async fn the_document_is_served_and_the_page_too_without_a_credential() {
    let api = Api::start().await;
    let answer = api.get("/openapi.json", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.body, document());
    for (path, kind) in [("/docs", "text/html; charset=utf-8"), ("/docs/style.css", "text/css")] {
        let answer = api.head_of(request("GET", path, "").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.headers()["content-type"], kind);
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    }
}

#[test]
fn every_operation_has_its_own_id_words_and_a_place() {
    let document = document();
    let mut ids = std::collections::BTreeSet::new();
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{method} {path}");
            assert!(tags.contains(&&operation["tags"][0]), "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(["429", "500", "503"].iter().all(|status| responses.contains_key(*status)));
        }
    }
}

#[test]
fn the_document_is_of_openapi_3_1_and_refers_to_nothing_that_is_not_there() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}
