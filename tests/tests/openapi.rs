//! The admin API against the document that describes it: Schemathesis sends what the document allows
//! and what it doesn't, and no answer may be a failure of the server or something the document doesn't
//! tell of.

use std::path::Path;

use serde_json::json;
use wharfinger_tests::deployment::{Setup, Shape, Store};
use wharfinger_tests::tools;

#[test]
fn the_admin_api_keeps_to_its_document() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_ADMIN__REQUESTS_PER_SECOND", "0").start();
    let key = deployment.admin.post("/api/v1/api-keys", json!({"name": "schemathesis", "role": "owner"}));
    let key = format!("Authorization: Bearer {}", key.body["key"].as_str().unwrap());
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = here.join(".tools/schemathesis");
    let program = place.join("bin/st");
    let (library, settings) = (place.display(), here.join("schemathesis/schemathesis.toml"));
    let document = format!("http://{}/openapi.json", deployment.admin_address);
    let finished = tools::run_in(
        deployment.directory(),
        "env",
        &[
            &format!("PYTHONPATH={library}"),
            "python3",
            program.to_str().unwrap(),
            "--config-file",
            settings.to_str().unwrap(),
            "run",
            &document,
            "--header",
            &key,
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "15",
            "--seed",
            "1",
            "--continue-on-failure",
            "--no-shrink",
            // Its body is a stream of lines, which Schemathesis can't write.
            "--exclude-operation-id",
            "importUsers",
        ],
    );
    finished.succeeded();
}
