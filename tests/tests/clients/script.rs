//! Libraries rather than programs: a script in `tests/clients` does the steps that it is given.

use std::fs;

use serde_json::{Value, json};
use wharfinger_tests::clients::Site;
use wharfinger_tests::tools::Finished;
use wharfinger_tests::{Version, tools};

use crate::round::Heard;
use crate::step::Step;

/// Runs a script, which must succeed.
pub(crate) fn run(interpreter: &str, script: &str, site: &Site, steps: &[Step]) -> Heard {
    let finished = end(interpreter, script, site, steps);
    let said = finished.err.clone();
    let names: Option<Value> = serde_json::from_str(&finished.succeeded()).ok();
    Heard { names: names.map(|names| serde_json::from_value(names).unwrap()), said }
}

/// Runs a script with its interpreter. It prints the names it lists as a JSON array on standard
/// output, and what it says to the server, or what goes wrong, on standard error.
pub(crate) fn end(interpreter: &str, script: &str, site: &Site, steps: &[Step]) -> Finished {
    let file = site.directory.join("job.json");
    fs::write(&file, job(site, steps).to_string()).unwrap();
    let script = format!("{}/clients/{script}", env!("CARGO_MANIFEST_DIR"));
    tools::run_in(&site.directory, interpreter, &[&script, file.to_str().unwrap()])
}

/// What a script is given: whom to ask, as whom, in which way, and what for.
pub(crate) fn job(site: &Site, steps: &[Step]) -> Value {
    json!({
        "host": site.address.ip(),
        "port": site.address.port(),
        "user": site.user.name,
        "password": site.user.password,
        "certificate": site.certificate,
        "version": site.version.map(|version| if version == Version::Tls12 { "1.2" } else { "1.3" }),
        "mode": format!("{:?}", site.mode).to_lowercase(),
        "steps": steps.iter().map(Step::words).collect::<Vec<_>>(),
    })
}
